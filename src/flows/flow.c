// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/flow.h"
#include "numbers/ipproto.h"

#include <string.h>

enum {
	REORDER_US = 3000,		/* without a round trip: so late is a retransmission */
	DUPLICATES = 3,			/* acknowledgements that ask for a segment: it is sent again (RFC 5681, 3.2) */
	SETTLED_PACKETS = 16,		/* one way, but not for nothing */
	RTT_MAX_US = 60000000,		/* what takes longer is no round trip */
};

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

static uint32_t since(const struct flow *f, uint64_t ns)
{
	return ns > f->start_ns ? (uint32_t)((ns - f->start_ns) / 1000) : 0;
}

uint32_t flow_rtt_us(const struct flow *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	/* We stand between the two: what each waits for is one part of the way. */
	return a->rtt8_us && b->rtt8_us ? a->rtt8_us / 8 + b->rtt8_us / 8 : 0;
}

uint32_t flow_handshake_us(const struct flow *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	return a->handshake_us && b->handshake_us ? a->handshake_us + b->handshake_us : 0;
}

static bool is_opening(const struct flow *f)
{
	return f->state == FLOW_SYN_SENT || f->state == FLOW_SYN_RECEIVED;
}

/* Of SYNs the last one counts, for those before went unheard; of SYN+ACKs to the same one the first. */
static void time_again(struct flow_side *s, const struct flow_packet *p, uint32_t us)
{
	if (p->tcp_flags & TCP_ACK && s->is_timed)
		return;
	s->is_timed = true;
	s->timed_seq = p->tcp_seq + 1;
	s->timed_us = us;
}

/*
 * Would the sender take what is missing for lost?  RFC 5681, 3.2: it was asked for it three times; RFC 6675, 4: or
 * once, with more than two segments told to be there behind it, for not each of these need be acknowledged.
 */
static bool is_given_up(const struct flow_side *s, const struct flow_packet *p)
{
	return s->asked >= DUPLICATES || (s->asked && s->next_seq - s->hole_end >= DUPLICATES * p->payload_len);
}

/* Bytes before the highest ones: those that were passed over and come late, or those sent again. */
static void old_bytes(struct flow *f, struct flow_side *s, const struct flow_packet *p, uint32_t us)
{
	uint32_t rtt = flow_rtt_us(f), limit = rtt ? rtt : REORDER_US;
	bool fills = s->has_hole && (int32_t)(p->tcp_seq - s->hole_start) >= 0 &&
		     (int32_t)(s->hole_end - p->tcp_seq) > 0;

	if (fills && !is_given_up(s, p) && (int32_t)(us - s->hole_us) < (int32_t)limit)
		s->out_of_order += p->packets;
	else
		s->retransmissions += p->packets;
	if (fills && p->tcp_seq == s->hole_start)
		s->hole_start += p->payload_len;
	if (fills && (int32_t)(s->hole_end - s->hole_start) <= 0)
		s->has_hole = false;
	if (p->tcp_flags & TCP_SYN && is_opening(f))
		time_again(s, p, us);
	else
		s->is_timed = false;	/* Karn's rule: whose acknowledgement would it be? */
}

/* RFC 1122, 4.2.3.6, and probes of a closed window: the byte before the next one, or none. */
static bool is_probe(const struct flow_side *s, const struct flow_packet *p)
{
	return p->payload_len <= 1 && p->tcp_seq == s->next_seq - 1 && !(p->tcp_flags & (TCP_SYN | TCP_FIN));
}

static void take_bytes(struct flow *f, struct flow_side *s, const struct flow_packet *p, uint32_t us)
{
	uint32_t len = p->payload_len + !!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN);
	uint32_t end = p->tcp_seq + len;

	if (!s->has_seq) {
		s->next_seq = p->tcp_seq;
		s->has_seq = true;
	}
	if (!len || is_probe(s, p))
		return;
	if ((int32_t)(end - s->next_seq) <= 0) {
		old_bytes(f, s, p, us);
		return;
	}
	if ((int32_t)(p->tcp_seq - s->next_seq) > 0) {
		if (!s->has_hole)
			s->asked = 0;
		s->hole_start = s->next_seq;
		s->hole_end = p->tcp_seq;
		s->hole_us = us;
		s->has_hole = true;
	}
	s->next_seq = end;
	if (!s->is_timed) {
		s->is_timed = true;
		s->timed_seq = end;
		s->timed_us = us;
	}
}

/* RFC 9293, 3.8.1 and RFC 6298. */
static void take_ack(struct flow *f, const struct flow_packet *p, uint32_t us)
{
	struct flow_side *s = &f->side[p->from], *other = &f->side[!p->from];
	uint32_t waited = us - other->timed_us;

	if (other->has_hole && !p->payload_len && (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_ACK)) == TCP_ACK &&
	    p->tcp_ack == other->hole_start && other->asked < DUPLICATES)
		other->asked++;
	if (!(p->tcp_flags & TCP_ACK) || !other->is_timed || (int32_t)(p->tcp_ack - other->timed_seq) < 0)
		return;
	other->is_timed = false;
	if (waited > RTT_MAX_US || p->time_ns < f->start_ns)
		return;
	waited = waited ? waited : 1;
	other->rtt8_us = other->rtt8_us ? other->rtt8_us - other->rtt8_us / 8 + waited : waited * 8;
	if (is_opening(f))
		s->handshake_us = waited;
}

/* It did not hear the SYN+ACK, and that one is not what it will acknowledge. */
static void begin_again(struct flow *f, struct flow_side *responder)
{
	f->state = FLOW_SYN_SENT;
	responder->handshake_us = 0;
	responder->is_timed = false;
}

/* RFC 9293, 3.3.2, as somebody in between sees it. */
static void next_state(struct flow *f, const struct flow_packet *p)
{
	struct flow_side *s = &f->side[p->from], *other = &f->side[!p->from];
	bool by_initiator = p->from == f->initiator, syn = p->tcp_flags & TCP_SYN;

	if (p->tcp_flags & TCP_RST) {
		f->state = f->state == FLOW_CLOSED ? FLOW_CLOSED : FLOW_RESET;
		return;
	}
	if (f->state == FLOW_SYN_SENT && !by_initiator && syn)
		f->state = FLOW_SYN_RECEIVED;
	else if (f->state == FLOW_SYN_RECEIVED && by_initiator && syn)
		begin_again(f, other);
	else if (f->state == FLOW_SYN_RECEIVED && by_initiator && p->tcp_flags & TCP_ACK)
		f->state = FLOW_ESTABLISHED;
	else if ((f->state == FLOW_ONE_WAY || f->state == FLOW_SYN_SENT) && !syn && other->packets)
		f->state = FLOW_ESTABLISHED;	/* its beginning was not seen whole */
	if (p->tcp_flags & TCP_FIN)
		s->is_closed = true;
	if (s->is_closed || other->is_closed)
		f->state = s->is_closed && other->is_closed ? FLOW_CLOSED :
			   f->state == FLOW_RESET	     ? FLOW_RESET :
							       FLOW_CLOSING;
}

/*
 * What is waited for in vain.  Times wrap after 71 minutes, but no packet comes a minute after the one before
 * without this, so none is compared that late.
 */
static void give_up(struct flow *f, uint32_t us, bool silent)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct flow_side *s = &f->side[i];

		if (silent || (int32_t)(us - s->timed_us) > RTT_MAX_US)
			s->is_timed = false;
		if (silent || (int32_t)(us - s->hole_us) > RTT_MAX_US)
			s->asked = DUPLICATES;
	}
}

static void take_tcp(struct flow *f, const struct flow_packet *p, bool silent)
{
	struct flow_side *s = &f->side[p->from];
	uint32_t us = since(f, p->time_ns);
	bool is_zero = !p->tcp_window && !(p->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN));

	give_up(f, us, silent);
	s->tcp_flags |= p->tcp_flags;
	if (p->tcp_flags & TCP_RST) {
		s->resets += s->resets < UINT16_MAX;
	} else {
		s->zero_windows += is_zero && !s->is_zero && s->zero_windows < UINT16_MAX;
		s->is_zero = is_zero;
		take_ack(f, p, us);
		take_bytes(f, s, p, us);
	}
	next_state(f, p);
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
	struct flow_side *s = &f->side[p->from];
	bool silent;

	if (!s->packets || p->ttl < s->ttl_min)
		s->ttl_min = p->ttl;
	s->tos = p->tos;
	s->packets += p->packets;
	s->bytes += p->bytes;
	silent = p->time_ns > f->last_ns && p->time_ns - f->last_ns > RTT_MAX_US * 1000ull;
	if (p->time_ns > f->last_ns)
		f->last_ns = p->time_ns;
	if (p->has_tcp)
		take_tcp(f, p, silent);
	else if (f->state == FLOW_ONE_WAY && f->side[!p->from].packets)
		f->state = FLOW_TWO_WAY;
	if (p->time_ns < f->start_ns)
		start_earlier(f, p->time_ns);
}

void flow_begin(struct flow *f, const struct flow_packet *p)
{
	bool answer = p->has_tcp && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);

	memset(f, 0, sizeof(*f));
	f->key = p->key;
	f->start_ns = f->last_ns = p->time_ns;
	f->initiator = answer ? !p->from : p->from;
	f->state = !p->has_tcp ? FLOW_ONE_WAY : answer ? FLOW_SYN_RECEIVED : p->tcp_flags & TCP_SYN ? FLOW_SYN_SENT :
													FLOW_ONE_WAY;
	f->vlans = p->vlans;
	memcpy(f->vlan, p->vlan, sizeof(f->vlan));
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

bool flow_is_settled(const struct flow *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	/* What ends before it began, a scan, is not worth more. */
	if (f->key.proto == PROTO_TCP && f->state != FLOW_ONE_WAY)
		return (f->state == FLOW_ESTABLISHED || f->state == FLOW_CLOSING) && a->packets && b->packets;
	return (a->packets && b->packets) || a->packets + b->packets >= SETTLED_PACKETS;
}
