// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/conv.h"
#include "decode/firsts.h"
#include "numbers/ipproto.h"
#include "util/steady.h"

struct decode {
	enum decode_mode mode;
	uint64_t kinds;			/* of messages */
	uint64_t frames;		/* packet, drop, block: what is left of a frame without a message */
	uint64_t last_ns;		/* the last moment heard of */
	struct packet_state *packets;
	struct conv *conv;
	struct firsts *firsts;
	bool lines, heads;
	struct decode_whose whose;
	struct record packet;		/* for lines */
	struct decode_counts counts;
};

/* No timeout is so short that frames nearer to each other than this need one look each. */
#define TICK_NS 1000000

int decode_open(struct decode **out, const struct decode_options *opt)
{
	struct decode *d = calloc(1, sizeof(*d));
	int err = d ? conv_open(&d->conv, opt) : -ENOMEM;

	if (err || packet_open(&d->packets) || firsts_open(&d->firsts, opt)) {
		decode_close(d);
		return err ? err : -ENOMEM;
	}
	d->mode = opt->mode;
	d->lines = opt->lines;
	d->heads = opt->heads;
	d->kinds = opt->kinds ? opt->kinds : UINT64_MAX;
	d->frames = dataset_bit(&packet_dataset) | dataset_bit(&drop_dataset) | dataset_bit(&block_dataset);
	*out = d;
	return 0;
}

void decode_close(struct decode *d)
{
	if (!d)
		return;
	packet_close(d->packets);
	conv_close(d->conv);
	firsts_close(d->firsts);
	free(d);
}

static void emit_packet(const struct packet *pk, const struct record *head, struct emit *e)
{
	struct record r;

	packet_record(pk, &r, &packet_dataset);
	r.head = head;
	emit_record(e, &r);
}

/*
 * What the kernel threw away is told once, as a drop.  Its message is not decoded: it
 * reached nobody, and when it did get somewhere another hook has it as well.
 */
static void emit_drop(const struct packet *pk, struct emit *e)
{
	const struct drop_info *drop = pk->frame->drop;
	struct record r;

	packet_record(pk, &r, &drop_dataset);
	r.action = "drop";
	record_mark(&r, FIELD_ACTION);
	if (drop->reason) {
		r.drop_reason = (struct str){ drop->reason, (uint32_t)strlen(drop->reason) };
		record_mark(&r, FIELD_DROP_REASON);
	}
	if (drop->location) {
		r.drop_location = (struct str){ drop->location, (uint32_t)strlen(drop->location) };
		record_mark(&r, FIELD_DROP_LOCATION);
	}
	if (drop->hook) {
		r.drop_hook = drop->hook;
		record_mark(&r, FIELD_DROP_HOOK);
	}
	if (pk->frame->netns) {
		drop_of(&r)->netns = (struct str){ pk->frame->netns, (uint32_t)strlen(pk->frame->netns) };
		record_mark(&r, FIELD_DROP_NETNS);
	}
	emit_record(e, &r);
}

/* Likewise what a firewall of ours stopped or took note of. */
static void emit_block(const struct packet *pk, struct emit *e)
{
	const struct block_info *block = pk->frame->block;
	char reference[512];
	struct record r;

	packet_record(pk, &r, &block_dataset);
	r.action = block->action;
	record_mark(&r, FIELD_ACTION);
	if (block->reason) {
		block_of(&r)->reason = block->reason;
		record_mark(&r, FIELD_BLOCK_REASON);
	}
	if (block->rule) {
		r.rule_id = block->rule;
		record_mark(&r, FIELD_RULE_ID);
	}
	if (block->name) {
		r.rule_name = (struct str){ block->name, (uint32_t)strlen(block->name) };
		record_mark(&r, FIELD_RULE_NAME);
	}
	if (block->file) {
		snprintf(reference, sizeof(reference), "%s:%u", block->file, block->line);
		r.rule_reference = (struct str){ reference, (uint32_t)strlen(reference) };
		record_mark(&r, FIELD_RULE_REFERENCE);
	}
	emit_record(e, &r);
}

/* A first fragment on its way to firsts.c. */
struct first {
	struct decode *d;
	const struct packet *pk;
	struct emit *e;
	const struct record *head;
};

/* Of others than UDP a first fragment's record stands for the whole: an echo's pair knows of it. */
static int keep_first(void *ctx, const struct record *r)
{
	struct first *f = ctx;
	struct record cut = *r;

	cut.malformed = "truncated";
	record_mark(&cut, FIELD_MALFORMED);
	if (f->d->heads)
		f->head = firsts_show(f->d->firsts, &cut);
	else if (f->pk->ip.proto == PROTO_UDP)
		firsts_keep(f->d->firsts, f->pk, &cut, f->e);
	return 0;
}

static int tell_nobody(void *ctx, const struct record *r)
{
	return 0;
}

static void give(struct decode *d, const struct packet *pk, struct emit *e)
{
	conv_packet(d->conv, pk, e);
	d->whose = *conv_whose(d->conv);
}

/* The messages of any other frame; of a first fragment, returns what its packet's line says of it. */
static const struct record *emit_or_keep(struct decode *d, const struct packet *pk, struct emit *e)
{
	struct first f = { d, pk, e, NULL };
	struct emit keep = { .fn = keep_first, .ctx = &f, .kinds = e->kinds };
	bool piece = pk->is_fragment && !pk->reassembled;

	if (pk->reassembled && firsts_drop(d->firsts, pk)) {
		keep.fn = tell_nobody;
		give(d, pk, &keep);
	} else if (!piece || pk->frag_first) {
		give(d, pk, piece ? &keep : e);
	}
	return f.head;
}

int decode_frame(struct decode *d, const struct frame *f, record_fn fn, void *ctx)
{
	struct emit e = { .fn = fn, .ctx = ctx, .kinds = d->kinds | d->frames,
			  .packet = d->lines ? &d->packet : NULL };
	const struct record *head;
	struct packet pk;
	int rc = time_apart(f->time_ns, d->last_ns) < TICK_NS ? 0 : decode_tick(d, f->time_ns, fn, ctx);

	if (rc)
		return rc;
	packet_walk(d->packets, &pk, f);
	d->whose = (struct decode_whose){ .protocol = NULL };
	d->counts.frames++;
	if (pk.malformed)
		d->counts.undecoded++;
	if (f->drop) {
		emit_drop(&pk, &e);
	} else if (f->block) {
		emit_block(&pk, &e);
	} else {
		if (d->mode == DECODE_PACKETS)
			emit_packet(&pk, NULL, &e);
		head = emit_or_keep(d, &pk, &e);
		if (d->mode == DECODE_LINES && !e.messages && !e.rc)
			emit_packet(&pk, head, &e);
	}
	d->counts.records += e.messages + e.earlier;
	return e.rc;
}

const struct decode_whose *decode_whose(const struct decode *d)
{
	return &d->whose;
}

int decode_tick(struct decode *d, uint64_t now_ns, record_fn fn, void *ctx)
{
	struct emit e = { .fn = fn, .ctx = ctx, .kinds = d->kinds, .packet = d->lines ? &d->packet : NULL };

	packet_tick(d->packets, now_ns);
	d->last_ns = now_ns;
	firsts_tick(d->firsts, now_ns, &e);
	conv_tick(d->conv, now_ns, &e);
	d->counts.records += e.messages;
	return e.rc;
}

/* Nothing is said of queries younger than the timeout: what comes after the end may answer them. */
int decode_finish(struct decode *d, record_fn fn, void *ctx)
{
	struct emit e = { .fn = fn, .ctx = ctx, .kinds = d->kinds, .packet = d->lines ? &d->packet : NULL };

	conv_finish(d->conv, &e);
	firsts_finish(d->firsts, &e);
	d->counts.records += e.messages + e.earlier;
	return e.rc ? e.rc : decode_tick(d, d->last_ns, fn, ctx);
}

void decode_counts(const struct decode *d, struct decode_counts *c)
{
	*c = d->counts;
	memcpy(c->fragments_lost, packet_fragments_lost(d->packets), sizeof(c->fragments_lost));
	conv_counts(d->conv, c);
}
