/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DETECT_CONN_H
#define NETPROBE_DETECT_CONN_H

#include "record.h"
#include "util/hash.h"

/*
 * Who called whom, and what became of it.  A table of calls: TCP connections whose SYN
 * was seen, and UDP exchanges.  It is a ring: a new call takes the place of the oldest.
 */
enum call_state {
	CALL_OPEN,		/* not judged yet */
	CALL_ANSWERED,		/* both sides took part */
	CALL_FAILED,
};

/* How a call failed, or with what a port was probed. */
enum call_end {
	END_NONE,
	END_REFUSED,		/* RST, or ICMP unreachable */
	END_SILENT,		/* nothing came back in time */
	END_CUT,		/* nothing came back, but the records ended before its time did */
	END_HALF_OPEN,		/* SYN+ACK, and the caller resets it before it is open */
	END_ODD,		/* flags that no connection has: NULL, FIN alone, Xmas, SYN+FIN */
	ENDS
};

struct call {			/* one line of the cache */
	uint64_t key[5];	/* the two ends, the lesser first; ports, transport */
	uint64_t start_ns;
	uint32_t next;		/* in its bucket */
	uint32_t isn;
	uint16_t caller_bytes, called_bytes;	/* at most UINT16_MAX */
	uint8_t  packets;	/* of the caller, at most UINT8_MAX */
	uint8_t  state : 2, end : 3;
	uint8_t  is_tcp : 1, from_low : 1;	/* from_low: the caller is the lesser end */
	uint8_t  syn_ack : 1, acked : 1, over : 1;
};
_Static_assert(sizeof(struct call) == 64, "two lines of the cache for each packet");

enum call_event {
	CALL_NEW,		/* a call */
	CALL_AGAIN,		/* TCP: the same SYN, and no answer yet */
	CALL_COMPLETED,		/* TCP: the caller acknowledged the SYN+ACK */
	CALL_WAS_ANSWERED,
	CALL_HAS_FAILED,
	CALL_ENDED,		/* TCP: FIN or RST, after it was answered */
	CALL_UNASKED,		/* TCP: a SYN+ACK, UDP: a datagram, that answers nothing */
};

struct calls;

/* What calls_packet() tells of; caller and called as the event means them. */
struct call_news {
	enum call_event event;
	const struct addr *caller, *called;
	uint16_t port, caller_port;	/* port: the called one */
	bool is_tcp;
	enum call_end end;
	const char *how;		/* "SYN", "UDP", "FIN", ... */
	const struct call *call;	/* NULL: none is kept */
	uint32_t bytes;		/* of the packet, where no call is kept */
	uint64_t now_ns, stamp_ns;	/* stamp: of the packet itself, however odd */
};

typedef void (*call_fn)(void *ctx, const struct call_news *n);

/*
 * follow: is a connection to that port looked at until it ends?  Of others only the
 * opening is, and CALL_WAS_ANSWERED and CALL_ENDED are not told.
 */
int  calls_open(struct calls **out, uint32_t max, uint32_t seed, bool (*follow)(uint16_t port), call_fn fn, void *ctx);
void calls_close(struct calls *c);
void calls_packet(struct calls *c, const struct record *r, uint64_t now_ns);
/* An ICMP error quotes the datagram that it is about. */
void calls_icmp(struct calls *c, const struct record *r, uint64_t now_ns);
/* Who has not been answered in time; with `all`, whoever has not been answered. */
void calls_tick(struct calls *c, uint64_t now_ns, bool all);
bool calls_amplifies(uint16_t port);
uint64_t calls_evicted(const struct calls *c);

/* Bytes of payload; 0 when the header that tells was cut. */
static inline uint32_t payload_of(const struct record *r)
{
	return record_has(r, FIELD_PAYLOAD_LEN) ? r->payload_len : 0;
}

#endif
