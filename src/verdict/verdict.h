/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_VERDICT_VERDICT_H
#define NETPROBE_VERDICT_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

/*
 * What became of each new connection, by frames alone: the same first packet is seen where it comes from (into the
 * host, at a pod's interface or from another node), where it leaves to (out of the host, to a pod or another node), and
 * where the kernel let it go (frame.drop).  Nothing is guessed: a connection was dropped because its packet was seen
 * being dropped, or somebody on the way said that it is prohibited; allowed because it was seen leaving to whom it is
 * for, or was answered; or neither was seen in time, or somebody on the way said that there is no way.
 *
 * First packets are a SYN without ACK, the first datagram of UDP between two ends, an INIT of SCTP, an ICMP echo
 * request.  It is the same packet where both ends are the same (TCP: and the sequence number; SCTP: the tag).
 * Addresses may be translated on the way (a service's address becomes a pod's, a pod's the node's): then one end must
 * be the same, and what translators leave alone, which is the IP identification or flow label, the sequence number
 * and window or what a datagram carries.  Who fits more than one fits none.  What is translated at both ends between
 * two places where it is seen is a connection more.
 *
 * Several packets of one connection: what happened last counts, an answer before all else, unless that was dropped.
 * After it was told, a SYN that is sent again within 30 seconds is told only if more becomes of it (dropped, then
 * allowed), and a datagram either way of a conversation that was allowed is no new one; of one that came to nothing the
 * next datagram is.  A tunnel's packets are no connections: what is inside is looked at
 * only where it belongs to one that waits, and leaves or is dropped there.  Neither are replies, RST, ICMP errors; nor
 * a drop of these, but for the first answer's.
 *
 * A drop by the sockets of the end itself (NO_SOCKET, TCP_*, a full queue) is no drop: it got there.  Copies for others
 * (OTHERHOST) say nothing.
 */
enum verdict_what { VERDICT_ALLOWED, VERDICT_DROPPED, VERDICT_UNANSWERED };

enum verdict_how {
	HOW_NONE,
	HOW_DELIVERED,		/* seen leaving, and not (yet) answered */
	/* A SYN with ACK, a datagram back, INIT ACK, an echo reply; of VERDICT_DROPPED it is this that was. */
	HOW_ANSWERED,
	/* A RST, ABORT, of datagrams ICMP "port unreachable", or a drop by the end itself: it got there. */
	HOW_REFUSED,
	/*
	 * A RST or unreachable that came with the drop: who dropped it said so.  Without a drop (reason is NULL): ICMP
	 * "prohibited", or "port unreachable" by another than the end, or of TCP; where out_ifindex is set, perhaps
	 * behind us.
	 */
	HOW_PROHIBITED,
};

enum { VERDICT_NAME_MAX = 64 };

/* Addresses in network order, ports in ours. */
struct verdict_conn {
	uint64_t first_ns;		/* its first packet, wall clock */
	uint64_t decided_ns;		/* the frame that decided; of VERDICT_UNANSWERED when it was given up */
	struct addr src, dst;		/* as it was first seen */
	uint16_t sport, dport;		/* of ICMP: identifier, 0 */
	struct addr from, to;		/* as it left, or was dropped, last; family 0: it was not seen again */
	uint16_t from_port, to_port;
	uint8_t proto;
	uint8_t what, how;		/* enum verdict_what, verdict_how */
	/*
	 * Where it came in (a bridge's or tunnel's own where it was seen at no other; of one that was seen only when it
	 * was dropped, there), where it left (never one of those); 0: not seen, or the host's own.
	 */
	uint32_t in_ifindex, out_ifindex;
	char in_name[VERDICT_NAME_MAX], out_name[VERDICT_NAME_MAX];	/* untrusted */
	/* Of VERDICT_DROPPED, as frame.drop has them, else NULL; until tell() returns */
	const char *reason, *location, *hook;
	char drop_name[VERDICT_NAME_MAX];	/* the interface it was dropped at; "" not known */
	uint32_t drop_ifindex;
	uint32_t attempts;		/* first packets, repeated ones counted, as often as they came in */
	uint32_t drops;			/* of these seen being dropped */
};

struct verdict_counts {
	uint64_t seen;			/* connections that began */
	uint64_t told;			/* seen = told + waiting + evicted */
	uint64_t evicted;		/* no room: what became of them is not known */
	uint64_t unread;		/* frames whose headers were not understood or not captured: not looked at */
	uint64_t stray;			/* the same of drops at no interface: perhaps of elsewhere, or no packets */
	uint64_t later;			/* frames of connections that are not new, or of none that is known */
	uint32_t waiting;
};

struct verdict_options {
	uint32_t room;			/* connections at once that wait */
	uint64_t wait_ns;		/* until one is given up: 1 s */
	uint64_t grace_ns;		/* after the first sign of anything, for what comes behind it: 50 ms */
	uint32_t seed;
	int (*tell)(void *ctx, const struct verdict_conn *c);	/* the struct is borrowed; 0, or what ends the call */
	void *ctx;
};

struct verdicts;
int  verdict_open(struct verdicts **out, const struct verdict_options *o);	/* 0 or -ENOMEM, said */
/* Frames grow in time, nearly: those of several processors may be out of order by less than grace_ns. */
int  verdict_frame(struct verdicts *v, const struct frame *f);
/* Tells what is due.  Also called with the time of each frame. */
int  verdict_tick(struct verdicts *v, uint64_t now_ns);
/* The end: tells all that waits. */
int  verdict_finish(struct verdicts *v, uint64_t now_ns);
void verdict_counts(const struct verdicts *v, struct verdict_counts *out);
void verdict_close(struct verdicts *v);

#endif
