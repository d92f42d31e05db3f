/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one packet does to a conversation.  Both sides of the kernel boundary compile this, so that a program in the
 * kernel and a capture that is read say the same of the same packets.  FLOW_ADD() adds to what other CPUs may be
 * adding to; the rest of a side is written by whoever sees that direction.
 */
#ifndef NETPROBE_FLOW_STEP_H
#define NETPROBE_FLOW_STEP_H

#include "flow_abi.h"

#ifdef __bpf__
#define FLOW_ADD(to, n) __sync_fetch_and_add(&(to), n)
#else
#define FLOW_ADD(to, n) ((to) += (n))
#endif

enum {
	FLOW_REORDER_US = 3000,		/* without a round trip: so late is a retransmission */
	FLOW_DUPLICATES = 3,		/* acknowledgements that ask for a segment: it is sent again (RFC 5681, 3.2) */
	FLOW_SETTLED_PACKETS = 16,	/* one way, but not for nothing */
	FLOW_RTT_MAX_US = 60000000,	/* what takes longer is no round trip */
	FLOW_TIMED_EVERY_US = 4000,	/* with a coarse clock: round trips are measured so often at most */
	FLOW_PROTO_TCP = 6,
};

static __always_inline __u32 flow_since(const struct flow *f, __u64 ns)
{
	return ns > f->start_ns ? (__u32)((ns - f->start_ns) / 1000) : 0;
}

/* Microseconds from a segment to its acknowledgement, the path as a whole; 0: not known. */
static __always_inline __u32 flow_rtt_us(const struct flow *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	/* We stand between the two: what each waits for is one part of the way. */
	return a->rtt8_us && b->rtt8_us ? a->rtt8_us / 8 + b->rtt8_us / 8 : 0;
}

static __always_inline int flow_is_opening(const struct flow *f)
{
	return f->state == FLOW_SYN_SENT || f->state == FLOW_SYN_RECEIVED;
}

static __always_inline int flow_is_over(const struct flow *f)
{
	return f->state == FLOW_CLOSED || f->state == FLOW_RESET;
}

/* Of SYNs the last one counts, for those before went unheard; of SYN+ACKs to the same one the first. */
static __always_inline void flow_time_again(struct flow_side *s, const struct flow_packet *p, __u32 us)
{
	if (p->tcp_flags & TCP_ACK && s->is_timed)
		return;
	s->is_timed = 1;
	s->timed_seq = p->tcp_seq + 1;
	s->timed_us = us;
}

/*
 * The least time, in microseconds, in which this end answers; 0: not known.  Of one measurement by itself, a handshake
 * above all, half the time may have been another reason's than the way's.
 */
static __always_inline __u32 flow_quickest_us(const struct flow_side *s, const struct flow_side *other)
{
	__u32 usual = other->rtt8_us / 8;

	return (s->handshake_us && (!usual || s->handshake_us < usual) ? s->handshake_us : usual) / 2;
}

/*
 * Would the sender take what is missing for lost?  RFC 5681, 3.2: it was asked for it three times; RFC 6675, 4: or
 * once, with more than two segments told to be there behind it, for not each of these need be acknowledged; RFC 8985:
 * or once, and an answer has had the time to come from there.
 */
static __always_inline int flow_is_given_up(const struct flow_side *s, const struct flow_side *other,
					    const struct flow_packet *p, __u32 us)
{
	__u32 quickest = flow_quickest_us(s, other);

	if (!s->asked)
		return 0;
	return s->asked >= FLOW_DUPLICATES || s->next_seq - s->hole_end >= FLOW_DUPLICATES * p->payload_len ||
	       (quickest && (__s32)(us - s->hole_us) >= (__s32)quickest);
}

/* Bytes before the highest ones: those that were passed over and come late, or those sent again. */
static __always_inline void flow_old_bytes(struct flow *f, struct flow_side *s, const struct flow_side *other,
					   const struct flow_packet *p, __u32 us)
{
	__u32 rtt = flow_rtt_us(f), limit = rtt ? rtt : FLOW_REORDER_US;
	int fills = s->has_hole && (__s32)(p->tcp_seq - s->hole_start) >= 0 && (__s32)(s->hole_end - p->tcp_seq) > 0;

	if (fills && !flow_is_given_up(s, other, p, us) && (__s32)(us - s->hole_us) < (__s32)limit)
		s->out_of_order += p->packets;
	else
		s->retransmissions += p->packets;
	if (fills && p->tcp_seq == s->hole_start)
		s->hole_start += p->payload_len;
	if (fills && (__s32)(s->hole_end - s->hole_start) <= 0)
		s->has_hole = 0;
	if (p->tcp_flags & TCP_SYN && flow_is_opening(f))
		flow_time_again(s, p, us);
	else
		s->is_timed = 0;	/* Karn's rule: whose acknowledgement would it be? */
}

/* RFC 1122, 4.2.3.6, and probes of a closed window: the byte before the next one, or none. */
static __always_inline int flow_is_probe(const struct flow_side *s, const struct flow_packet *p)
{
	return p->payload_len <= 1 && p->tcp_seq == s->next_seq - 1 && !(p->tcp_flags & (TCP_SYN | TCP_FIN));
}

static __always_inline void flow_take_bytes(struct flow *f, struct flow_side *s, const struct flow_side *other,
					    const struct flow_packet *p, __u32 us)
{
	__u32 len = p->payload_len + !!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN);
	__u32 end = p->tcp_seq + len;

	if (!s->has_seq) {
		s->next_seq = p->tcp_seq;
		s->has_seq = 1;
	}
	if (!len || flow_is_probe(s, p))
		return;
	if ((__s32)(end - s->next_seq) <= 0) {
		flow_old_bytes(f, s, other, p, us);
		return;
	}
	if ((__s32)(p->tcp_seq - s->next_seq) > 0) {
		if (!s->has_hole)
			s->asked = 0;
		s->hole_start = s->next_seq;
		s->hole_end = p->tcp_seq;
		s->hole_us = us;
		s->has_hole = 1;
	}
	s->next_seq = end;
	if (!s->is_timed && p->is_exact) {
		s->is_timed = 1;
		s->timed_seq = end;
		s->timed_us = us;
	}
}

/* RFC 9293, 3.8.1 and RFC 6298. */
static __always_inline void flow_take_ack(struct flow *f, struct flow_side *s, struct flow_side *other,
					  const struct flow_packet *p, __u32 us)
{
	__u32 waited = us - other->timed_us;

	if (other->has_hole && !p->payload_len && (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_ACK)) == TCP_ACK &&
	    p->tcp_ack == other->hole_start && other->asked < FLOW_DUPLICATES)
		other->asked++;
	if (!(p->tcp_flags & TCP_ACK) || !other->is_timed || (__s32)(p->tcp_ack - other->timed_seq) < 0)
		return;
	other->is_timed = 0;
	if (waited > FLOW_RTT_MAX_US || p->time_ns < f->start_ns || !p->is_exact)
		return;
	waited = waited ? waited : 1;
	other->rtt8_us = other->rtt8_us ? other->rtt8_us - other->rtt8_us / 8 + waited : waited * 8;
	if (flow_is_opening(f))
		s->handshake_us = waited;
}

/* RFC 9293, 3.3.2, as somebody in between sees it. */
static __always_inline void flow_next_state(struct flow *f, struct flow_side *s, struct flow_side *other,
					    const struct flow_packet *p)
{
	int by_initiator = p->from == f->initiator, syn = p->tcp_flags & TCP_SYN;

	if (p->tcp_flags & TCP_RST) {
		f->state = f->state == FLOW_CLOSED ? FLOW_CLOSED : FLOW_RESET;
		return;
	}
	if (f->state == FLOW_SYN_SENT && !by_initiator && syn) {
		f->state = FLOW_SYN_RECEIVED;
	} else if (f->state == FLOW_SYN_RECEIVED && by_initiator && syn) {
		/* It did not hear the SYN+ACK, and that one is not what it will acknowledge. */
		f->state = FLOW_SYN_SENT;
		other->handshake_us = 0;
		other->is_timed = 0;
	} else if (f->state == FLOW_SYN_RECEIVED && by_initiator && p->tcp_flags & TCP_ACK) {
		f->state = FLOW_ESTABLISHED;
	} else if ((f->state == FLOW_ONE_WAY || f->state == FLOW_SYN_SENT) && !syn && other->packets) {
		f->state = FLOW_ESTABLISHED;	/* its beginning was not seen whole */
	}
	if (p->tcp_flags & TCP_FIN)
		s->is_closed = 1;
	if (s->is_closed || other->is_closed)
		f->state = s->is_closed && other->is_closed ? FLOW_CLOSED :
			   f->state == FLOW_RESET	     ? FLOW_RESET :
							       FLOW_CLOSING;
}

/*
 * What is waited for in vain.  Times wrap after 71 minutes, but no packet comes a minute after the one before
 * without this, so none is compared that late.
 */
static __always_inline void flow_give_up(struct flow_side *s, __u32 us, int silent)
{
	if (silent || (__s32)(us - s->timed_us) > FLOW_RTT_MAX_US)
		s->is_timed = 0;
	if (silent || (__s32)(us - s->hole_us) > FLOW_RTT_MAX_US)
		s->asked = FLOW_DUPLICATES;
}

static __always_inline void flow_take_tcp(struct flow *f, struct flow_side *s, struct flow_side *other,
					  const struct flow_packet *p, int silent)
{
	__u32 us = flow_since(f, p->time_ns);
	int is_zero = !p->tcp_window && !(p->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN));

	flow_give_up(s, us, silent);
	flow_give_up(other, us, silent);
	s->tcp_flags |= p->tcp_flags;
	if (p->tcp_flags & TCP_RST) {
		s->resets += s->resets < 65535;
	} else {
		s->zero_windows += is_zero && !s->is_zero && s->zero_windows < 65535;
		s->is_zero = is_zero;
		flow_take_ack(f, s, other, p, us);
		flow_take_bytes(f, s, other, p, us);
	}
	flow_next_state(f, s, other, p);
}

/* A packet of it: counts, state, times. */
static __always_inline void flow_step(struct flow *f, const struct flow_packet *p)
{
	struct flow_side *s = p->from ? &f->side[1] : &f->side[0], *other = p->from ? &f->side[0] : &f->side[1];
	int silent = p->time_ns > f->last_ns && p->time_ns - f->last_ns > FLOW_RTT_MAX_US * 1000ull;

	if (!s->packets || p->ttl < s->ttl_min)
		s->ttl_min = p->ttl;
	s->tos = p->tos;
	FLOW_ADD(s->packets, p->packets);
	FLOW_ADD(s->bytes, p->bytes);
	if (p->time_ns > f->last_ns)
		f->last_ns = p->time_ns;
	if (p->has_tcp)
		flow_take_tcp(f, s, other, p, silent);
	else if (f->state == FLOW_ONE_WAY && other->packets)
		f->state = FLOW_TWO_WAY;
}

/* Before its first packet, for which flow_step() is called next. */
static __always_inline void flow_start(struct flow *f, const struct flow_packet *p)
{
	int answer = p->has_tcp && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);

	__builtin_memset(f, 0, sizeof(*f));
	f->key = p->key;
	f->start_ns = f->last_ns = p->time_ns;
	f->initiator = answer ? !p->from : p->from;
	f->state = !p->has_tcp ? FLOW_ONE_WAY : answer ? FLOW_SYN_RECEIVED : p->tcp_flags & TCP_SYN ? FLOW_SYN_SENT :
													FLOW_ONE_WAY;
	f->vlans = p->vlans;
	f->vlan[0] = p->vlan[0];
	f->vlan[1] = p->vlan[1];
}

/* Both ends have spoken: worth more than a first packet that anybody can send. */
static __always_inline int flow_is_settled(const struct flow *f)
{
	const struct flow_side *a = &f->side[0], *b = &f->side[1];

	/* What ends before it began, a scan, is not worth more. */
	if (f->key.proto == FLOW_PROTO_TCP && f->state != FLOW_ONE_WAY)
		return (f->state == FLOW_ESTABLISHED || f->state == FLOW_CLOSING) && a->packets && b->packets;
	return (a->packets && b->packets) || a->packets + b->packets >= FLOW_SETTLED_PACKETS;
}

/* Where an exact time is worth its price: measuring, or telling overtaken segments from those sent again. */
static __always_inline int flow_needs_clock(const struct flow *f, const struct flow_packet *p)
{
	const struct flow_side *s = p->from ? &f->side[1] : &f->side[0];
	const struct flow_side *other = p->from ? &f->side[0] : &f->side[1];

	if (!p->has_tcp || p->tcp_flags & TCP_RST)
		return 0;
	if (p->tcp_flags & (TCP_SYN | TCP_FIN))
		return 1;
	if (other->is_timed && p->tcp_flags & TCP_ACK && (__s32)(p->tcp_ack - other->timed_seq) >= 0)
		return 1;
	if (!p->payload_len)
		return 0;
	return p->tcp_seq != s->next_seq ||
	       (!s->is_timed && flow_since(f, p->time_ns) - s->timed_us >= FLOW_TIMED_EVERY_US);
}

#endif
