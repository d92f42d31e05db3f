/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_STREAM_H
#define NETPROBE_DECODE_CONV_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

/*
 * TCP bytes in order (RFC 9293, 3.4).  Each packet's bytes are put in their place;
 * a consumer sees every direction from its next untaken byte on, and says how many
 * it took.  What it leaves is kept and shown again with what follows.
 *
 * Rules.  Of bytes sent twice the first stay.  A hole is waited for until the receiver
 * has acknowledged it (so nobody will send it again), until 64 KiB are held behind it,
 * or until a reset; then it is passed over, counted, and the consumer told.  A capture may
 * begin in mid-stream: the first byte seen then starts that direction.  A SYN with
 * another initial number starts a new connection; if the one before goes on after all, so does
 * this.  A FIN after which more comes was none, unless it was acknowledged.  When the connection or
 * the capture ends, or another takes its place, what is held is shown, and what is missing counted.
 *
 * Bounds.  STREAM_CONNECTIONS connections: those that have sent nothing or are closed
 * go first, then the longest silent.  STREAM_SIDE_MAX bytes a direction, of which what
 * came before its turn lies in chunks and is charged by them (apart.h), and
 * STREAM_MEMORY in all with what consumers keep of connections: the longest silent one
 * is forgotten, and starts anew.  All are counted.
 * Time is linear in the bytes seen, however they are cut into segments, as long as
 * the consumer's is: see `want`.
 */
enum {
	STREAM_CONNECTIONS = 16384,
	STREAM_SIDE_MAX = 65537,	/* the longest DNS message with its length */
	STREAM_MEMORY = 16 << 20,
};

struct streams;

/* A connection.  Two ends that begin another one get a new one, all zero. */
struct stream_conn {
	/* The consumer's */
	void *state;		/* from stream_alloc(); released in its `end` */
	uint8_t protocol;
	uint8_t named;
	uint32_t excluded;
	/* Read only */
	uint32_t serial;	/* its number: no other has it before 2^32 more have come */
	uint8_t client;		/* 1 + the direction that sent the SYN; 0: it was not seen */
	bool conflict;		/* bytes were sent twice with different contents */
	struct streams *table;
};

/* One direction of a connection. */
struct stream_side {
	/* The consumer's.  Zero when the direction starts, or starts anew after a hole. */
	uint32_t want;		/* not to be called before so many bytes are there */
	uint32_t mark;
	uint32_t waited;	/* so many bytes were kept before more came */
	uint8_t  phase;
	/* The consumer's, until the connection ends. */
	uint8_t  failures;
	bool     ignored;	/* no more calls for this direction */

	/* Read only */
	bool     midstream;	/* its first bytes were not seen */

	/* stream.c's own */
	bool     known, syn, fin, fin_acked, has_acked;
	uint32_t next;		/* sequence number of the first byte not taken */
	uint32_t seen;		/* behind the last byte seen; `next` may be far ahead of it */
	uint32_t isn, fin_seq;
	uint32_t acked;		/* the receiver has all before it, if it was not somebody else who said so */
	uint32_t have;		/* bytes in order, in the buffer from `head` on */
	uint32_t extent;	/* up to the last one held, in order or not */
	uint32_t held;		/* extent > have: the sequence number of the first one held apart */
	uint32_t head, cap;
	uint8_t  *buf;		/* cap bytes */
	struct apart *apart;	/* what came before its turn */
	struct notes *notes;	/* which frames brought what is held */
	uint64_t hole_ns;	/* when the first hole appeared */
};

struct stream_data {
	struct stream_conn *conn;
	struct stream_side *side, *other;
	uint8_t dir;		/* 0 or 1: which of the two directions */
	const uint8_t *p;
	uint32_t n;		/* 0 only together with `missing` */
	/* Not 0: so many bytes after these are lost.  What is not taken now is thrown away. */
	uint32_t missing;
	bool     cut;		/* they are lost because the frame was cut at the snap length */
	/* The last packet that brought any of them, or the end of `missing`; `now`: it is the one looked at. */
	const struct packet *pk;
	bool     now;
};

/*
 * Take bytes from the front; returns how many.  0: not enough yet.  More than n: those
 * that follow are passed over as well (at most 1 GiB).  Called again until it returns 0
 * or nothing is left, so it need handle only one message a call.
 */
typedef uint32_t (*stream_fn)(void *ctx, const struct stream_data *d);

struct stream_counts {
	uint64_t evicted;	/* connections that had talked, given up for want of a place */
	uint64_t half_open;	/* connections that had not, likewise */
	uint64_t memory;	/* connections forgotten for want of memory */
	uint64_t gaps;		/* bytes missing */
	uint64_t stray;		/* bytes of segments whose numbers are of no window */
	uint64_t cut;		/* bytes missing because frames were cut at the snap length */
	uint64_t conflicts;	/* segments that differed from what had been sent before */
};

/* A connection that has state is closed, forgotten or replaced: release the state. */
typedef void (*stream_end_fn)(void *ctx, struct stream_conn *conn);

int  stream_open(struct streams **out, uint32_t seed, stream_end_fn end, void *ctx);
void stream_close(struct streams *t);
/* A packet whose TCP header was walked; fn is called for its direction only. */
void stream_packet(struct streams *t, const struct packet *pk, stream_fn fn, void *ctx);
/* That of the packet before; NULL: it began none and is of none. */
const struct stream_conn *stream_latest(const struct streams *t);
/* Below STREAM_CONNECTIONS: no two connections have the same at one time. */
uint32_t stream_place(const struct stream_conn *c);
/*
 * Memory for what a consumer keeps of a connection, zeroed; NULL: there is none.  It counts
 * in STREAM_MEMORY, so asking may make other connections end, never this one.
 */
void *stream_alloc(struct stream_conn *c, uint32_t n);
void stream_free(struct stream_conn *c, void *p, uint32_t n);
/* No more packets will come: what is held is shown, what was sent and is missing counted.  All connections end. */
void stream_finish(struct streams *t, stream_fn fn, void *ctx);
void stream_counts(const struct streams *t, struct stream_counts *c);
/* Bytes of memory that buffers and consumers' state take now. */
uint32_t stream_memory(const struct streams *t);

#endif
