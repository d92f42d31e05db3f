// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/pairs.h"
#include "decode/dns/fields.h"
#include "util/hash.h"

enum { PENDING_MAX = 16384 };
#define TIMEOUT_NS 5000000000ull

const char *const dns_protocol_names[] = {
	[DNS_PLAIN] = "dns", [DNS_MULTICAST] = "mdns", [DNS_LINK_LOCAL] = "llmnr",
};

/* What a no_answer record says of its query. */
struct query {
	uint64_t frame_number;
	struct addr src, dst;
	const char *transport, *direction;
	uint16_t sport, dport;
	uint16_t id, flags, type, cls;
	uint8_t  protocol;
	bool     has_question, has_name, has_direction;
	uint8_t  n_interface;
	char     interface[sizeof(((struct iface *)0)->name)];
	struct dns_name name;
};

struct dns_pending {
	struct pairs *pairs;		/* NULL: no pairing */
	struct hash_key seed;
	uint64_t timeout_ns;
	bool no_answer;
};

int dns_pending_open(struct dns_pending **out, const struct decode_options *opt)
{
	struct dns_pending *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->timeout_ns = opt->answer_timeout_ns ? opt->answer_timeout_ns : TIMEOUT_NS;
	p->no_answer = opt->no_answer;
	p->seed = hash_key_from(opt->seed);
	if (!opt->no_pairing && pairs_open(&p->pairs, PENDING_MAX, sizeof(struct query), opt->seed)) {
		free(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void dns_pending_close(struct dns_pending *p)
{
	if (!p)
		return;
	pairs_close(p->pairs);
	free(p);
}

uint64_t dns_pending_evicted(const struct dns_pending *p)
{
	return p->pairs ? pairs_evicted(p->pairs) : 0;
}

/* The first question, in small letters; 0: it is not there, or cannot be read. */
static uint64_t question_of(const struct dns_pending *p, const struct dns_parts *d)
{
	uint64_t w[1 + (DNS_WIRE_MAX + 7) / 8] = { (uint64_t)d->first_type << 16 | d->first_class };
	uint8_t *at = (uint8_t *)(w + 1);
	uint64_t digest;

	if (!d->n_questions || !d->first_named)
		return 0;
	/* No length of a label is a letter: they are below 64. */
	for (uint32_t i = 0; i < d->first.n; i++)
		at[i] = d->first.wire[i] >= 'A' && d->first.wire[i] <= 'Z' ? d->first.wire[i] | 32
									   : d->first.wire[i];
	digest = hash_words(&p->seed, w, 1 + (d->first.n + 7u) / 8);
	return digest ? digest : 1;
}

/*
 * RFC 5452, 9.1: a response comes from where the query went, to where it came from, with its
 * id and its question.
 */
static struct pairs_key key_of(const struct dns_pending *p, const struct packet *pk, enum dns_protocol protocol,
			       const struct dns_parts *d, bool response)
{
	const struct ip_layer *ip = &pk->ip;
	struct pairs_key k;

	memset(&k, 0, sizeof(k));
	memcpy(k.client, response ? ip->dst.b : ip->src.b, sizeof(k.client));
	k.client_port = response ? ip->dport : ip->sport;
	if (protocol != DNS_LINK_LOCAL)
		memcpy(k.server, response ? ip->src.b : ip->dst.b, sizeof(k.server));
	k.server_port = response ? ip->sport : ip->dport;
	k.id = d->id;
	k.what = question_of(p, d);
	k.family = ip->src.family;
	k.kind = ip->proto;
	if (k.family == 4) {
		memset(k.client + 4, 0, sizeof(k.client) - 4);
		memset(k.server + 4, 0, sizeof(k.server) - 4);
	}
	return k;
}

void dns_pending_asked(struct dns_pending *p, struct record *r, const struct packet *pk,
		       enum dns_protocol protocol, const struct dns_parts *d)
{
	struct pairs_key k;
	uint64_t answered_ns;
	struct query *q;

	if (!p->pairs || protocol == DNS_MULTICAST)
		return;
	k = key_of(p, pk, protocol, d, false);
	if (pairs_was_early(p->pairs, &k, r->time_ns, &answered_ns)) {
		pairs_took(r, r->time_ns, answered_ns);
		return;
	}
	q = pairs_put(p->pairs, &k, r->time_ns, p->timeout_ns);
	if (!q)
		return;
	q->frame_number = r->frame_number;
	q->src = pk->ip.src;
	q->dst = pk->ip.dst;
	q->sport = pk->ip.sport;
	q->dport = pk->ip.dport;
	q->transport = r->transport;
	q->has_direction = record_has(r, FIELD_DIRECTION);
	q->direction = r->direction;
	q->id = d->id;
	q->flags = d->flags;
	q->protocol = (uint8_t)protocol;
	q->has_question = d->n_questions;
	q->type = d->first_type;
	q->cls = d->first_class;
	q->has_name = q->has_question && d->first_named;
	if (q->has_name)
		q->name = d->first;
	q->n_interface = 0;
	if (record_has(r, FIELD_INTERFACE) && r->interface.n <= sizeof(q->interface)) {
		q->n_interface = (uint8_t)r->interface.n;
		memcpy(q->interface, r->interface.p, r->interface.n);
	}
}

bool dns_pending_answered(struct dns_pending *p, const struct packet *pk, enum dns_protocol protocol,
			  const struct dns_parts *d, bool first, uint64_t *duration_ns)
{
	struct pairs_key k;
	uint64_t asked_ns;

	if (!p->pairs || protocol == DNS_MULTICAST)
		return false;
	k = key_of(p, pk, protocol, d, true);
	if (!(first ? pairs_see : pairs_take)(p->pairs, &k, &asked_ns)) {
		pairs_early(p->pairs, &k, pk->frame->time_ns);
		return false;
	}
	if (pk->frame->time_ns < asked_ns)
		return false;
	*duration_ns = pk->frame->time_ns - asked_ns;
	return true;
}

static void mark_query(struct record *r)
{
	static const unsigned int fields[] = {
		FIELD_TIME, FIELD_ACTION, FIELD_OUTCOME, FIELD_FRAME_NUMBER, FIELD_SRC_IP, FIELD_SRC_PORT,
		FIELD_DST_IP, FIELD_DST_PORT, FIELD_TRANSPORT, FIELD_PROTOCOL, FIELD_DNS_ID, FIELD_DNS_TYPE,
		FIELD_DNS_OP_CODE,
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		record_mark(r, fields[i]);
}

static void give_no_answer(const struct query *q, uint64_t asked_ns, struct emit *e)
{
	char name[DNS_NAME_MAX], type[DNS_SCRATCH], cls[DNS_SCRATCH], opcode[DNS_SCRATCH];
	struct record r;

	record_start(&r, &dns_dataset);
	mark_query(&r);
	r.time_ns = asked_ns;
	r.action = "no_answer";
	r.outcome = "unknown";
	r.frame_number = q->frame_number;
	r.src = q->src;
	r.dst = q->dst;
	r.sport = q->sport;
	r.dport = q->dport;
	r.transport = q->transport;
	r.protocol = dns_protocol_names[q->protocol];
	dns_of(&r)->id = q->id;
	dns_of(&r)->type = "query";
	dns_of(&r)->op_code = dns_opcode_text(q->flags >> 11 & 15, opcode);
	if (q->has_direction) {
		r.direction = q->direction;
		record_mark(&r, FIELD_DIRECTION);
	}
	if (q->n_interface) {
		r.interface = (struct str){ q->interface, q->n_interface };
		record_mark(&r, FIELD_INTERFACE);
	}
	if (q->has_name) {
		dns_of(&r)->question_name = (struct str){ name, dns_name_text(name, &q->name) };
		record_mark(&r, FIELD_DNS_QUESTION_NAME);
	}
	if (q->has_question) {
		dns_of(&r)->question_type = dns_type_text(q->type, type);
		dns_of(&r)->question_class = dns_class_text(q->cls, cls);
		record_mark(&r, FIELD_DNS_QUESTION_TYPE);
		record_mark(&r, FIELD_DNS_QUESTION_CLASS);
	}
	emit_record(e, &r);
}

void dns_pending_tick(struct dns_pending *p, uint64_t now_ns, struct emit *e)
{
	struct pairs_key k;
	struct query *q;
	uint64_t asked_ns, clock_ns;

	if (!p->pairs)
		return;
	clock_ns = pairs_pass(p->pairs, now_ns);
	if (!p->no_answer || clock_ns < p->timeout_ns)
		return;
	while (!e->rc && (q = pairs_expire(p->pairs, clock_ns - p->timeout_ns, &k, &asked_ns)))
		give_no_answer(q, asked_ns, e);
}

void dns_pending_end(struct dns_pending *p)
{
	if (p->pairs)
		pairs_end(p->pairs);
}
