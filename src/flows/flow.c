// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/flow.h"

#include <string.h>

const char *const flow_state_names[FLOW_STATES] = {
	[FLOW_ONE_WAY] = "one_way", [FLOW_TWO_WAY] = "two_way", [FLOW_SYN_SENT] = "syn_sent",
	[FLOW_SYN_RECEIVED] = "syn_received", [FLOW_ESTABLISHED] = "established", [FLOW_CLOSING] = "closing",
	[FLOW_CLOSED] = "closed", [FLOW_RESET] = "reset",
};

const char *const flow_end_names[FLOW_ENDS] = {
	[FLOW_LIVES] = "none", [FLOW_END_CLOSED] = "closed", [FLOW_END_RESET] = "reset", [FLOW_END_IDLE] = "idle",
	[FLOW_END_ACTIVE] = "active", [FLOW_END_EVICTED] = "evicted", [FLOW_END_REUSED] = "reused",
};

void flow_order(struct flow_packet *p)
{
	struct flow_key *k = &p->key;
	int order = memcmp(k->addr[0], k->addr[1], sizeof(k->addr[0]));
	uint8_t addr[16];
	uint16_t port;

	p->from = order > 0 || (!order && k->port[0] > k->port[1]);
	if (!p->from)
		return;
	memcpy(addr, k->addr[0], sizeof(addr));
	memcpy(k->addr[0], k->addr[1], sizeof(addr));
	memcpy(k->addr[1], addr, sizeof(addr));
	port = k->port[0];
	k->port[0] = k->port[1];
	k->port[1] = port;
}

uint32_t flow_handshake_us(const struct flow *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	return a->handshake_us && b->handshake_us ? a->handshake_us + b->handshake_us : 0;
}

/* A file's frames need not be in order: what was measured from the start moves with it. */
static void start_earlier(struct flow *f, uint64_t ns)
{
	uint32_t us = (uint32_t)((f->start_ns - ns) / 1000);

	f->start_ns = ns;
	for (unsigned int i = 0; i < 2; i++) {
		f->side[i].hole_us += us;
		f->side[i].timed_us += us;
	}
}

void flow_take(struct flow *f, const struct flow_packet *p)
{
	flow_step(f, p);
	if (p->time_ns < f->start_ns)
		start_earlier(f, p->time_ns);
}

void flow_begin(struct flow *f, const struct flow_packet *p)
{
	flow_start(f, p);
	flow_take(f, p);
}

void flow_merge(struct flow *f, const struct flow *from)
{
	if (from->start_ns < f->start_ns) {
		f->start_ns = from->start_ns;
		f->initiator = from->initiator;
	}
	if (from->last_ns > f->last_ns)
		f->last_ns = from->last_ns;
	for (unsigned int i = 0; i < 2; i++) {
		struct flow_side *s = &f->side[i];
		const struct flow_side *o = &from->side[i];

		if (o->packets && (!s->packets || o->ttl_min < s->ttl_min))
			s->ttl_min = o->ttl_min;
		s->packets += o->packets;
		s->bytes += o->bytes;
		s->retransmissions += o->retransmissions;
		s->out_of_order += o->out_of_order;
		s->tcp_flags |= o->tcp_flags;
	}
}

void flow_restart(struct flow *f, uint64_t start_ns)
{
	f->start_ns = f->last_ns = start_ns;
	f->end = FLOW_LIVES;
	for (unsigned int i = 0; i < 2; i++) {
		struct flow_side *s = &f->side[i];

		s->packets = s->bytes = 0;
		s->retransmissions = s->out_of_order = s->handshake_us = 0;
		s->zero_windows = s->resets = 0;
		s->tcp_flags = 0;
		s->has_hole = s->is_timed = false;
	}
}
