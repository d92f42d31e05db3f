// SPDX-License-Identifier: GPL-2.0-or-later
#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink/out.h"
#include "util/err.h"
#include "util/steady.h"

/* With a capture file and text at once a packet is one, not two. */
static bool counts_for_limit(const struct pipeline *p, bool frames)
{
	for (unsigned int i = 0; i < p->n_sinks; i++)
		if (p->sinks[i]->ops->wants_frames)
			return frames;
	return true;
}

/* 0: go on; 1: enough; negative errno: failed. */
static int emit(struct pipeline *p, const struct record *r, bool frames)
{
	bool counted = false;
	int err;

	for (unsigned int i = 0; i < p->n_sinks; i++) {
		struct sink *s = p->sinks[i];

		if (s->ops->wants_frames != frames)
			continue;
		err = sink_record(s, r);
		if (err)
			return err;
		counted = true;
	}
	if (counted && r->set != &lost_dataset && counts_for_limit(p, frames)) {
		p->records++;
		if (p->limit && p->records >= p->limit) {
			p->done = true;
			return 1;
		}
	}
	return 0;
}

static int emit_chosen(void *ctx, const struct record *r)
{
	struct pipeline *p = ctx;

	if (p->where && !where_match(p->where, r)) {
		p->refused++;
		return 0;
	}
	return emit(p, r, false);
}

static int pass(void *ctx, const struct record *r)
{
	struct pipeline *p = ctx;

	if (p->gather) {
		p->gather->take(p->gather, r);
		return 0;
	}
	return emit_chosen(p, r);
}

/* What was decoded comes out before the alerts that it raises. */
static int decoded(void *ctx, const struct record *r)
{
	struct pipeline *p = ctx;
	int err = !p->detect || p->shown & dataset_bit(r->set) ? pass(p, r) : 0;

	return err || !p->detect ? err : detect_record(p->detect, r, pass, p);
}

/* The end of time is not passed. */
static uint64_t later(uint64_t ns, uint64_t by_ns)
{
	return ns > UINT64_MAX - by_ns ? UINT64_MAX : ns + by_ns;
}

/* A capture file wants the frame itself, once, before anybody reads meaning into it. */
static int emit_frame(struct pipeline *p, const struct frame *f)
{
	struct record r;

	record_start(&r, f->drop ? &drop_dataset : f->block ? &block_dataset : &packet_dataset);
	r.frame = f;
	r.time_ns = f->time_ns;
	record_mark(&r, FIELD_TIME);
	return emit(p, &r, true);
}

/* Stands for the filter of a link type that it could not be compiled for, which was said then. */
static struct filter no_filter;

static const struct filter *filter_for(struct pipeline *p, uint16_t link)
{
	struct filter *f;

	if (!p->filters)
		p->filters = calloc(PIPELINE_LINKS, sizeof(struct filter *));
	if (!p->filters)
		return NULL;
	f = p->filters[link];
	if (!f) {
		if (filter_compile(&f, p->filter_text, link, p->strict, p->inner))
			f = &no_filter;
		p->filters[link] = f;
	}
	return f == &no_filter ? NULL : f;
}

static bool accepted(struct pipeline *p, const struct frame *f)
{
	const struct filter *filter;

	if (p->direction && f->direction && f->direction != p->direction)
		return false;
	if (f->drop && p->wants_drop && !p->wants_drop(p->drop_ctx, f))
		return false;
	filter = p->filter_text ? filter_for(p, f->link) : NULL;
	if (p->filter_text && !filter) {
		p->unfiltered_links++;
		return false;
	}
	return !filter || filter_match(filter, f->data, f->cap_len, f->len);
}

bool pipeline_can_filter(struct pipeline *p, uint16_t link)
{
	return !p->filter_text || filter_for(p, link);
}

bool pipeline_refuses(struct pipeline *p, const struct frame *f)
{
	if (accepted(p, f))
		return false;
	p->frames++;
	p->filtered++;
	p->last_ns = f->time_ns;
	return true;
}

static int take_frame(struct pipeline *p, const struct frame *f)
{
	int err;

	if (pipeline_refuses(p, f))
		return 0;
	p->frames++;
	p->undirected += p->direction && !f->direction;
	p->last_ns = f->time_ns;
	err = emit_frame(p, f);
	if (!err && p->account)
		err = account_frame(p->account, f, decoded, p);
	if (!err && p->stage && p->stage->frame)
		err = p->stage->frame(p->stage->ctx, f);
	if (err || !p->decode)
		return err;
	return decode_frame(p->decode, f, decoded, p);
}

static int tell_lost(struct pipeline *p, enum lost_stage stage, const char *reason, uint64_t count, uint64_t start_ns,
		     uint64_t end_ns, bool ours)
{
	struct record r;
	int err;

	record_start(&r, &lost_dataset);
	r.action = "lost";
	r.time_ns = r.end_ns = end_ns;
	r.start_ns = start_ns;
	lost_of(&r)->stage = lost_stages[stage];
	lost_of(&r)->reason = reason;
	lost_of(&r)->count = count;
	record_mark(&r, FIELD_ACTION);
	record_mark(&r, FIELD_TIME);
	record_mark(&r, FIELD_START);
	record_mark(&r, FIELD_END);
	record_mark(&r, FIELD_LOST_STAGE);
	record_mark(&r, FIELD_LOST_REASON);
	record_mark(&r, FIELD_LOST_COUNT);
	err = ours ? emit(p, &r, true) : 0;
	return err ? err : emit(p, &r, false);
}

int pipeline_lost(struct pipeline *p, enum lost_stage stage, const char *reason, uint64_t count,
		  uint64_t start_ns, uint64_t end_ns)
{
	p->lost += count;
	return tell_lost(p, stage, reason, count, start_ns, end_ns, true);
}

/* What never came: no loss of ours. */
static int missing(struct pipeline *p, enum lost_stage stage, const char *reason, uint64_t count, uint64_t now_ns)
{
	return tell_lost(p, stage, reason, count, now_ns, now_ns, false);
}

#define AT(member) offsetof(struct decode_counts, member)
static const struct {
	size_t off;
	enum lost_stage stage;
	const char *reason;
} decode_losses[] = {
	{ AT(stream_evicted), LOST_REASSEMBLY, "stream_table_full" },
	{ AT(stream_half_open), LOST_REASSEMBLY, "half_open_evicted" },
	{ AT(stream_memory), LOST_REASSEMBLY, "stream_memory_full" },
	{ AT(stream_gaps), LOST_REASSEMBLY, "gap" },
	{ AT(stream_stray), LOST_REASSEMBLY, "stray" },
	{ AT(stream_conflicts), LOST_REASSEMBLY, "conflict" },
	{ AT(stream_cut), LOST_SNAP, "stream_cut" },
	{ AT(datagrams_cut), LOST_SNAP, "datagram_cut" },
	{ AT(pending_evicted), LOST_DECODE, "request_table_full" },
	{ AT(fragments_lost[FRAGMENT_TABLE_FULL]), LOST_REASSEMBLY, "fragment_table_full" },
	{ AT(fragments_lost[FRAGMENT_MEMORY_FULL]), LOST_REASSEMBLY, "fragment_memory_full" },
	{ AT(fragments_lost[FRAGMENT_EXPIRED]), LOST_REASSEMBLY, "fragment_expired" },
	{ AT(fragments_lost[FRAGMENT_OVERLAP]), LOST_REASSEMBLY, "fragment_overlap" },
	{ AT(fragments_lost[FRAGMENT_TWO_ENDS]), LOST_REASSEMBLY, "fragment_two_ends" },
	{ AT(fragments_lost[FRAGMENT_MALFORMED]), LOST_REASSEMBLY, "fragment_malformed" },
	{ AT(fragments_lost[FRAGMENT_DIFFERS]), LOST_REASSEMBLY, "fragment_conflict" },
	{ AT(fragments_lost[FRAGMENT_CUT]), LOST_SNAP, "fragment_cut" },
};
static const size_t never_came = AT(fragments_lost[FRAGMENT_EXPIRED]);
_Static_assert(sizeof(decode_losses) / sizeof(decode_losses[0]) ==
	       (sizeof(struct decode_counts) - AT(stream_evicted)) / sizeof(uint64_t),
	       "each loss that decode_counts() counts is told");
#undef AT

/* What the decoders could not keep, since the last time it was told. */
static int decode_lost(struct pipeline *p, uint64_t now_ns)
{
	struct decode_counts now;
	int err = 0;

	if (p->decode)
		decode_counts(p->decode, &now);
	else if (!p->account || !account_decoded(p->account, &now))
		return 0;
	for (size_t i = 0; i < sizeof(decode_losses) / sizeof(decode_losses[0]) && !err; i++) {
		uint64_t n = *(const uint64_t *)((const char *)&now + decode_losses[i].off);
		uint64_t told = *(const uint64_t *)((const char *)&p->counted + decode_losses[i].off);

		if (n > told && decode_losses[i].off == never_came)
			err = missing(p, decode_losses[i].stage, decode_losses[i].reason, n - told, now_ns);
		else if (n > told)
			err = pipeline_lost(p, decode_losses[i].stage, decode_losses[i].reason, n - told, now_ns,
					    now_ns);
	}
	p->counted = now;
	return err;
}

static int gather_lost(struct pipeline *p, uint64_t now_ns)
{
	uint64_t n = p->gather ? p->gather->evicted : p->account ? account_missed(p->account) : 0;

	n -= p->told_evicted;
	p->told_evicted += n;
	return n ? pipeline_lost(p, LOST_STATS, "stats_table_full", n, now_ns, now_ns) : 0;
}

/* A row, with the time that it stands for. */
static int stamped(void *ctx, const struct record *r)
{
	struct pipeline *p = ctx;
	struct record row = *r;

	row.time_ns = p->rows_told_ns;
	if (row.time_ns)
		record_mark(&row, FIELD_TIME);
	return p->account ? decoded(p, &row) : emit_chosen(p, &row);
}

/* Once more: the interval that they are of is over already. */
static int tell_rows(struct pipeline *p, uint64_t now_ns, bool again)
{
	record_fn row = p->rows_stamped ? stamped : p->account ? decoded : emit_chosen;
	int err;

	if (!p->account)
		err = p->gather->rows(p->gather, row, p);
	else if (again)
		err = account_again(p->account, row, p);
	else
		err = account_rows(p->account, now_ns, row, p);
	if (p->account)
		p->rows_bps = account_bps(p->account);
	if (!err && p->beside)
		err = p->beside(p->beside_ctx, now_ns, row, p);
	for (unsigned int i = 0; i < p->n_sinks && !err; i++)
		err = p->sinks[i]->ops->rows_end ? p->sinks[i]->ops->rows_end(p->sinks[i]) : 0;
	return err;
}

static bool want_again(const struct pipeline *p)
{
	for (unsigned int i = 0; i < p->n_sinks; i++)
		if (p->sinks[i]->again)
			return true;
	return false;
}

static int rows(struct pipeline *p, uint64_t now_ns)
{
	int err;

	p->rows_told_ns = now_ns;
	err = tell_rows(p, now_ns, false);
	return err || !want_again(p) ? err : tell_rows(p, now_ns, true);
}

int pipeline_again(struct pipeline *p)
{
	int err = p->account || p->gather ? tell_rows(p, p->rows_told_ns, true) : 0;

	return err || !want_again(p) ? err : tell_rows(p, p->rows_told_ns, true);
}

static int detect_lost(struct pipeline *p, uint64_t now_ns)
{
	struct detect_counts now, told = p->detected;
	int err = 0;

	if (!p->detect)
		return 0;
	detect_counts(p->detect, &now);
	p->detected = now;
	if (now.connections_evicted > told.connections_evicted)
		err = pipeline_lost(p, LOST_DETECT, "connection_table_full",
				    now.connections_evicted - told.connections_evicted, now_ns, now_ns);
	if (!err && now.entries_evicted > told.entries_evicted)
		err = pipeline_lost(p, LOST_DETECT, "evidence_table_full", now.entries_evicted - told.entries_evicted,
				    now_ns, now_ns);
	return err;
}

/* What was lost, since it was last told. */
static int tell_losses(struct pipeline *p, uint64_t now_ns)
{
	int err = decode_lost(p, now_ns);

	if (!err)
		err = gather_lost(p, now_ns);
	return err ? err : detect_lost(p, now_ns);
}

/* All rows, of an interval that is over; the last time is the end. */
static int give_rows(struct pipeline *p, uint64_t end_ns)
{
	int err;

	p->rows_next_ns = later(p->rows_next_ns ? p->rows_next_ns : end_ns, p->rows_every_ns);
	err = rows(p, end_ns);
	if (err || !p->rows_times || --p->rows_times)
		return err;
	p->done = true;
	return 1;
}

static bool rows_by_clock(const struct pipeline *p)
{
	return (p->gather || p->account) && p->rows_every_ns && !p->rows_by_frames;
}

int pipeline_begin(struct pipeline *p, uint64_t now_ns)
{
	bool rows = rows_by_clock(p);
	int err = p->stage ? p->stage->begin(p->stage->ctx) : 0;

	if (err)
		return err;
	if (rows)
		p->rows_next_ns = later(now_ns, p->rows_every_ns);
	return p->account && (rows || p->ends_told) ? account_since(p->account, now_ns) : 0;
}

/* Intervals that nobody was there for, when the process stood still or the clock was set, are one. */
static int emit_rows(struct pipeline *p, uint64_t now_ns)
{
	if (!rows_by_clock(p) || p->rows_paused || now_ns < p->rows_next_ns)
		return 0;
	p->rows_next_ns += (now_ns - p->rows_next_ns) / p->rows_every_ns * p->rows_every_ns;
	return give_rows(p, now_ns);
}

int pipeline_rows(struct pipeline *p, uint64_t now_ns)
{
	int err = 0;

	if (rows_by_clock(p) && !p->rows_paused && now_ns >= p->rows_next_ns)
		err = tell_losses(p, now_ns);
	return err ? err : emit_rows(p, now_ns);
}

/* ── rows by the frames' own time ───────────────────────────────────────────── */

/* Intervals that nobody sent in have rows as long as these are not many more than frames. */
enum { EMPTY_ROWS = 1000 };

static int give_empty_rows(struct pipeline *p, uint64_t n)
{
	int err = 0;

	if (n > EMPTY_ROWS + p->frames - p->rows_empty) {
		p->rows_left_out += n;
		p->rows_next_ns += n * p->rows_every_ns;
		if (p->account)
			account_since(p->account, p->rows_next_ns - p->rows_every_ns);
		return 0;
	}
	p->rows_empty += n;
	while (n-- && !err)
		err = give_rows(p, p->rows_next_ns);
	return err;
}

/* Those of the intervals that were over before `ns`.  Time that goes back changes nothing. */
static int rows_until(struct pipeline *p, uint64_t ns)
{
	uint64_t empty;
	int err;

	if (ns > p->rows_now_ns)
		p->rows_now_ns = ns;
	if (!p->rows_next_ns) {
		p->rows_next_ns = later(ns, p->rows_every_ns);
		if (p->account)
			account_since(p->account, ns);
		return 0;
	}
	if (ns < p->rows_next_ns || p->rows_next_ns == UINT64_MAX)
		return 0;
	empty = (ns - p->rows_next_ns) / p->rows_every_ns;
	err = tell_losses(p, p->rows_next_ns);
	if (!err)
		err = give_rows(p, p->rows_next_ns);
	return err || !empty ? err : give_empty_rows(p, empty);
}

/* -ENOMEM, said. */
static int hold(struct pipeline *p, const struct frame *f)
{
	p->held_data.max = SIZE_MAX;
	p->held_data.n = 0;
	p->held_data.full = false;
	buf_add(&p->held_data, f->data, f->cap_len);
	buf_chr(&p->held_data, 0);
	if (p->held_data.full)
		return fail(ENOMEM, "frame");
	p->held = *f;
	p->held.data = (const uint8_t *)p->held_data.p;
	return 0;
}

static int release(struct pipeline *p, bool holds)
{
	int err = holds ? rows_until(p, p->held.time_ns) : 0;

	p->held_data.n = 0;
	return err ? err : take_frame(p, &p->held);
}

static bool is_far_ahead(uint64_t ns, uint64_t now_ns)
{
	return time_since(ns, now_ns) > STEADY_AHEAD_NS;
}

/*
 * One stamp may be plainly wrong (steady.h), and all rows up to it would be given, none afterwards.  So a frame
 * that is far ahead waits for the next: where that is not far behind it, time has gone on.
 */
static int timed_frame(struct pipeline *p, const struct frame *f)
{
	int err = 0;

	if (p->held_data.n)
		err = release(p, !is_far_ahead(p->held.time_ns, f->time_ns));
	if (err)
		return err;
	if (p->rows_next_ns && is_far_ahead(f->time_ns, p->rows_now_ns))
		return hold(p, f);
	err = rows_until(p, f->time_ns);
	return err ? err : take_frame(p, f);
}

int pipeline_frame(void *pipeline, const struct frame *f)
{
	struct pipeline *p = pipeline;

	return p->rows_by_frames && p->rows_every_ns ? timed_frame(p, f) : take_frame(p, f);
}

int pipeline_record(struct pipeline *p, const struct record *r)
{
	return decoded(p, r);
}

int pipeline_tick(struct pipeline *p, uint64_t now_ns)
{
	int err = p->decode ? decode_tick(p->decode, now_ns, decoded, p) : 0;

	if (!err && p->account)
		err = account_tick(p->account, now_ns, decoded, p);
	if (!err && p->detect)
		err = detect_tick(p->detect, now_ns, pass, p);
	if (!err && p->stage)
		err = p->stage->tick(p->stage->ctx, now_ns);
	if (!err && p->stage)
		err = p->stage->lost(p->stage->ctx, now_ns);
	if (!err)
		err = tell_losses(p, now_ns);
	return err ? err : emit_rows(p, now_ns);
}

int pipeline_idle(struct pipeline *p)
{
	return p->account ? account_idle(p->account, decoded, p) : 0;
}

/* Of what is left in the end: the last frame; where the rows before have that time, its interval is whole. */
static uint64_t last_end(const struct pipeline *p)
{
	return p->rows_now_ns == p->rows_next_ns - p->rows_every_ns && p->rows_now_ns == p->rows_told_ns ?
		       p->rows_next_ns :
		       p->rows_now_ns;
}

int pipeline_finish(struct pipeline *p, uint64_t now_ns)
{
	int err = p->held_data.n && !p->done ? release(p, true) : 0;

	if (p->rows_by_frames && p->rows_next_ns)
		now_ns = last_end(p);
	if (err >= 0 && p->decode && !p->done)
		err = decode_finish(p->decode, decoded, p);
	if (err >= 0 && p->detect && !p->done)
		err = detect_finish(p->detect, pass, p);
	if (err >= 0 && p->stage && !p->done)
		err = p->stage->finish(p->stage->ctx, now_ns);
	if (err >= 0 && p->stage)
		err = p->stage->lost(p->stage->ctx, now_ns);
	if (err >= 0)
		err = decode_lost(p, now_ns);
	if (err >= 0)
		err = gather_lost(p, now_ns);
	if (err >= 0)
		err = detect_lost(p, now_ns);
	if (err >= 0 && p->account && !p->done)
		err = account_finish(p->account, decoded, p);
	if (err >= 0 && (p->gather || p->account) && !p->done && !p->ends_told)
		err = p->rows_whole && p->rows_told_ns ? pipeline_again(p) : rows(p, now_ns);
	return err;
}

int pipeline_flush(struct pipeline *p)
{
	int rc = 0, err;

	for (unsigned int i = 0; i < p->n_sinks; i++) {
		err = out_flush(p->sinks[i]->out);
		if (!rc)
			rc = err;
	}
	return rc;
}

void pipeline_close(struct pipeline *p)
{
	for (unsigned int i = 0; p->filters && i < PIPELINE_LINKS; i++)
		if (p->filters[i] != &no_filter)
			filter_free(p->filters[i]);
	free(p->filters);
	p->filters = NULL;
	buf_free(&p->held_data);
}
