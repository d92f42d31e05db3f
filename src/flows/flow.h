/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_FLOW_H
#define NETPROBE_FLOWS_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/*
 * A conversation: what two ends say to each other, both directions in one.  The ends
 * stand in an order of their own (the lower address, then port, first), so that both
 * directions find it; `initiator` tells which of them is the source.  Whoever counts,
 * a table of ours or one in the kernel, fills the same struct.
 */
struct flow_key {
	uint8_t  addr[2][16];		/* an IPv4 address takes the first four bytes */
	uint16_t port[2];		/* host order; 0 without ports */
	uint8_t  proto, version;	/* IANA number; 4, 6 */
	uint8_t  tunnel;		/* number of a list of encapsulations; 0: none */
	uint8_t  has_ports;
	uint32_t ifindex;		/* 0: flows of all interfaces are one */
};

enum flow_state {
	FLOW_ONE_WAY, FLOW_TWO_WAY,	/* of what has no connections */
	FLOW_SYN_SENT, FLOW_SYN_RECEIVED, FLOW_ESTABLISHED, FLOW_CLOSING, FLOW_CLOSED, FLOW_RESET,
	FLOW_STATES
};

/* Why no more is said of it. */
enum flow_end { FLOW_LIVES, FLOW_END_CLOSED, FLOW_END_RESET, FLOW_END_IDLE, FLOW_END_ACTIVE, FLOW_END_EVICTED,
		FLOW_END_REUSED, FLOW_ENDS };

enum { FLOW_VLANS_MAX = 2 };

/* What one end sent.  Times in it are microseconds since the flow's start, modulo 2^32. */
struct flow_side {
	uint64_t packets, bytes;	/* bytes: IP total lengths */
	uint32_t next_seq;		/* after the highest byte sent */
	uint32_t hole_start, hole_end, hole_us;	/* bytes that were passed over, and when */
	uint32_t timed_seq, timed_us;	/* a segment whose acknowledgement is waited for */
	uint32_t rtt8_us;		/* smoothed, times 8 (RFC 6298); 0: none */
	uint32_t handshake_us;		/* from the other end's part of it to this one's; 0: not known */
	uint32_t retransmissions, out_of_order;	/* segments */
	uint16_t zero_windows, resets;
	uint8_t  tcp_flags;		/* all that were seen */
	uint8_t  ttl_min, tos;
	bool     has_seq : 1, has_hole : 1, is_timed : 1, is_closed : 1, is_zero : 1;
	uint8_t  asked : 2;		/* how often the other end asked for the hole's first byte, 3 at most */
};

struct flow {
	struct flow_key key;
	uint16_t vlan[FLOW_VLANS_MAX];
	uint8_t  vlans;
	uint8_t  initiator;		/* 0, 1: the end that is the source */
	uint8_t  state, end;		/* enum flow_state, flow_end */
	uint64_t start_ns, last_ns;
	struct flow_side side[2];
};

/* What one IP header and what follows it say: sender first. */
struct flow_packet {
	struct flow_key key;		/* in order */
	uint8_t  from;			/* which end of the key is the sender */
	uint64_t time_ns;
	uint32_t packets;		/* segments of a super-packet */
	uint64_t bytes;
	uint16_t vlan[FLOW_VLANS_MAX];
	uint8_t  vlans, ttl, tos;
	bool     has_tcp;
	uint8_t  tcp_flags;
	uint16_t tcp_window;
	uint32_t tcp_seq, tcp_ack, payload_len;
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

extern const char *const flow_state_names[FLOW_STATES], *const flow_end_names[FLOW_ENDS];

/* Put the ends in order; `p->key` holds the sender first. */
void flow_order(struct flow_packet *p);
/* Its first packet, then each: counts, state, times. */
void flow_begin(struct flow *f, const struct flow_packet *p);
void flow_take(struct flow *f, const struct flow_packet *p);
/* Counts of `from`, the same conversation, are added to `f`. */
void flow_merge(struct flow *f, const struct flow *from);
/* It has been told of and goes on: counts begin anew at start_ns, what is known of the connection stays. */
void flow_restart(struct flow *f, uint64_t start_ns);
/* Both ends have spoken: worth more than a first packet that anybody can send. */
bool flow_is_settled(const struct flow *f);
/* Microseconds from a segment to its acknowledgement, the path as a whole; 0: not known. */
uint32_t flow_rtt_us(const struct flow *f);
/* From the SYN to the acknowledgement of the SYN+ACK; 0: not known. */
uint32_t flow_handshake_us(const struct flow *f);

static inline bool flow_is_over(const struct flow *f)
{
	return f->state == FLOW_CLOSED || f->state == FLOW_RESET;
}

static inline struct addr flow_addr(const struct flow_key *k, unsigned int end)
{
	struct addr a = { .family = k->version };

	for (unsigned int i = 0; i < sizeof(a.b); i++)
		a.b[i] = k->addr[end][i];
	return a;
}

#endif
