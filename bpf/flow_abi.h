/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversation: what two ends say to each other, both directions in one.  The ends stand in an order of their own
 * (the lower address, then port, first), so that both directions find it; `initiator` tells which of them is the
 * source.  Programs in the kernel and tables of ours fill the same struct, by the same steps (flow_step.h): three
 * cache lines, of which each direction writes its own.  The rules of abi.h hold here too.
 */
#ifndef NETPROBE_FLOW_ABI_H
#define NETPROBE_FLOW_ABI_H

#define FLOW_VLANS_MAX 2

struct flow_key {
	__u8  addr[2][16];		/* network order; an IPv4 address takes the first four bytes */
	__u16 port[2];			/* host order; 0 without ports */
	__u8  proto, version;		/* IANA number; 4, 6 */
	__u8  tunnel;			/* number of a list of encapsulations; 0: none */
	__u8  has_ports;
	__u16 iface;			/* 0: flows of all interfaces are one */
};

enum flow_state {
	FLOW_ONE_WAY, FLOW_TWO_WAY,	/* of what has no connections */
	FLOW_SYN_SENT, FLOW_SYN_RECEIVED, FLOW_ESTABLISHED, FLOW_CLOSING, FLOW_CLOSED, FLOW_RESET,
	FLOW_STATES
};

/* Why no more is said of it. */
enum flow_end {
	FLOW_LIVES, FLOW_END_CLOSED, FLOW_END_RESET, FLOW_END_IDLE, FLOW_END_ACTIVE, FLOW_END_EVICTED, FLOW_END_REUSED,
	FLOW_ENDS
};

/* What one end sent.  Times in it are microseconds since the flow's start, modulo 2^32. */
struct flow_side {
	__u64 packets, bytes;		/* bytes: IP total lengths */
	__u32 next_seq;			/* after the highest byte sent */
	__u32 hole_start, hole_end, hole_us;	/* bytes that were passed over, and when */
	__u32 timed_seq, timed_us;	/* a segment whose acknowledgement is waited for */
	__u32 rtt8_us;			/* smoothed, times 8 (RFC 6298); 0: none */
	__u32 handshake_us;		/* from the other end's part of it to this one's; 0: not known */
	__u32 retransmissions, out_of_order;	/* segments */
	__u16 zero_windows, resets;
	__u8  tcp_flags;		/* all that were seen */
	__u8  ttl_min, tos;
	__u8  has_seq : 1, has_hole : 1, is_timed : 1, is_closed : 1, is_zero : 1;
	__u8  asked : 2;		/* how often the other end asked for the hole's first byte, 3 at most */
};

struct flow {
	struct flow_key key;
	__u16 vlan[FLOW_VLANS_MAX];
	__u8  state : 4, end : 4;	/* enum flow_state, flow_end */
	__u8  vlans : 2;
	__u8  initiator : 1;		/* 0, 1: the end that is the source */
	__u64 start_ns, last_ns;
	struct flow_side side[2];
};

/* What one IP header and what follows it say: sender first, until the ends are put in order. */
struct flow_packet {
	struct flow_key key;
	__u16 vlan[FLOW_VLANS_MAX];
	__u8  from;			/* which end of the ordered key is the sender */
	__u8  vlans, ttl, tos;
	__u8  has_tcp, tcp_flags;
	__u16 tcp_window;
	__u8  is_exact;			/* time_ns is good enough to measure by; otherwise a timer's tick */
	__u64 time_ns;
	__u64 bytes;
	__u32 packets;			/* segments of a super-packet */
	__u32 tcp_seq, tcp_ack, payload_len;
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

#ifndef __cplusplus
_Static_assert(sizeof(struct flow_key) == 42, "a hole in the key would not compare");
_Static_assert(sizeof(struct flow_side) == 64 && sizeof(struct flow) == 192, "a flow is three cache lines");
#endif

#endif
