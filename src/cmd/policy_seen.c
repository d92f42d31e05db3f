// SPDX-License-Identifier: GPL-2.0-or-later
/* policy -r: the connections of a capture, each once, in the order of their first packet. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/policy.h"
#include "cmd/session.h"
#include "flows/flow.h"
#include "numbers/ipproto.h"
#include "util/err.h"
#include "util/hash.h"

int seen_open(struct policy *p)
{
	return capfile_open(&p->source, p->o->read);
}

void seen_close(struct policy *p)
{
	if (p->source)
		p->source->ops->close(p->source);
	free(p->seen);
	free(p->slots);
}

static uint64_t addr_word(const struct addr *a, int half)
{
	uint64_t w = 0;

	memcpy(&w, a->b + 8 * half, 8);
	return w;
}

static uint32_t slot_of(const struct policy *p, const struct seen *s)
{
	uint64_t w[5] = { addr_word(&s->src, 0), addr_word(&s->src, 1), addr_word(&s->dst, 0), addr_word(&s->dst, 1),
			  (uint64_t)s->port << 8 | s->proto };
	uint32_t i = (uint32_t)hash_words(&p->k->names.key, w, 5) & (p->n_slots - 1);

	while (p->slots[i]) {
		const struct seen *o = &p->seen[p->slots[i] - 1];

		if (o->port == s->port && o->proto == s->proto && !memcmp(&o->src, &s->src, sizeof(o->src)) &&
		    !memcmp(&o->dst, &s->dst, sizeof(o->dst)))
			break;
		i = (i + 1) & (p->n_slots - 1);
	}
	return i;
}

static bool more(struct policy *p)
{
	uint32_t room = p->room_seen ? p->room_seen * 2 : 1024, n_slots = room * 2, *slots;
	struct seen *v;

	if (p->n_seen < p->room_seen)
		return true;
	if (room > POLICY_FLOWS_MAX)
		return false;
	v = realloc(p->seen, room * sizeof(*v));
	if (!v)
		return false;
	p->seen = v;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return false;
	free(p->slots);
	p->slots = slots;
	p->n_slots = n_slots;
	p->room_seen = room;
	for (uint32_t i = 0; i < p->n_seen; i++)
		p->slots[slot_of(p, &p->seen[i])] = i + 1;
	return true;
}

static void count(struct policy *p, const struct seen *s)
{
	uint32_t at;

	if (!more(p)) {
		p->lost_seen++;
		return;
	}
	at = slot_of(p, s);
	if (!p->slots[at]) {
		p->seen[p->n_seen] = *s;
		p->slots[at] = ++p->n_seen;
	}
	p->seen[p->slots[at] - 1].count++;
}

static bool is_known(struct policy *p, const struct seen *s)
{
	return p->n_slots && p->slots[slot_of(p, s)];
}

/* UDP and SCTP: whoever speaks first asks; what the other says is the answer. */
static void take(struct policy *p, const struct record *r)
{
	struct seen there = { .src = r->src, .dst = r->dst, .port = r->dport, .proto = r->iana_number,
			      .first_ns = r->time_ns };
	struct seen back = { .src = r->dst, .dst = r->src, .port = r->sport, .proto = r->iana_number,
			     .first_ns = r->time_ns };

	if (r->iana_number == PROTO_TCP) {
		if ((r->tcp_flag_bits & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			count(p, &there);
		else if (r->tcp_flag_bits & TCP_SYN)
			is_known(p, &back) ? (void)0 : count(p, &back);
		else if (!is_known(p, &there) && !is_known(p, &back))
			p->late++;
		return;
	}
	if (!is_known(p, &back))
		count(p, &there);
}

struct taker {
	struct gather g;
	struct policy *p;
};

static void taken(struct gather *g, const struct record *r)
{
	struct policy *p = ((struct taker *)g)->p;

	if (r->set != &packet_dataset || !record_has(r, FIELD_SRC_IP))
		return;
	if (r->iana_number != PROTO_TCP && r->iana_number != PROTO_UDP && r->iana_number != PROTO_SCTP)
		p->other++;
	else if (record_has(r, FIELD_DST_PORT))
		take(p, r);
}

static int no_rows(struct gather *g, record_fn fn, void *ctx)
{
	return 0;
}

int seen_read(struct policy *p)
{
	struct decode_options opt = { .mode = DECODE_PACKETS, .kinds = dataset_bit(&packet_dataset), .no_pairing = true,
				      .seed = (uint32_t)p->k->names.key.k0 };
	struct taker t = { .g = { .take = taken, .rows = no_rows }, .p = p };
	struct pipeline pipe = { .gather = &t.g };
	int err = decode_open(&pipe.decode, &opt);

	if (!err)
		err = batch_read(p->source, pipeline_frame, &pipe);
	if (!err)
		err = pipeline_finish(&pipe, pipe.last_ns);
	decode_close(pipe.decode);
	pipeline_close(&pipe);
	if (p->lost_seen)
		warn("%s: more than %d connections: %" PRIu64 " were not judged", p->o->read, POLICY_FLOWS_MAX / 2,
		     p->lost_seen);
	if (p->late || p->other)
		note("%s: not judged: %" PRIu64 " TCP segments of connections that began before it, %" PRIu64
		     " packets of protocols that policies do not name",
		     p->o->read, p->late, p->other);
	return err;
}

void seen_flow(const struct policy *p, const struct seen *s, struct k8s_flow *f)
{
	*f = (struct k8s_flow){ .port = s->port, .proto = s->proto };
	f->from = (struct k8s_end){ .pod = k8s_pod_by_ip(p->k, &s->src), .addr = s->src, .given_addr = true };
	f->to = (struct k8s_end){ .pod = k8s_pod_by_ip(p->k, &s->dst), .addr = s->dst, .given_addr = true };
}
