/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_STREAM_SIDE_H
#define NETPROBE_DECODE_CONV_STREAM_SIDE_H

#include "decode/conv/stream.h"
#include "decode/conv/stream_note.h"

/* One direction's bytes, between stream.c (connections) and stream_side.c. */

/* What a direction needs while it takes in a segment. */
struct side_io {
	struct stream_conn *conn;
	struct stream_side *side, *other;
	uint8_t dir;
	stream_fn fn;
	void *ctx;
	const struct packet *pk;	/* of this direction, looked at now; NULL: there is none */
	const struct ip_layer *ends;	/* without pk: sender and receiver */
	struct note last;		/* without pk: what came last on this connection */
	uint64_t now_ns;
	uint64_t gaps;		/* bytes found missing */
	uint64_t cut;		/* bytes cut at the snap length */
	uint64_t conflicts;	/* segments that differ from what is held */
	uint64_t starved;	/* times that there was no memory, and the direction started anew */
	/* Asked before a buffer grows by `more` bytes of memory; false: there is no room. */
	bool (*room)(void *room_ctx, uint32_t more);
	void *room_ctx;
	uint32_t *memory;	/* bytes that buffers take, of all connections */
};

/* Bytes [seq, seq + len), of which `cap` were captured at p. */
void side_accept(struct side_io *io, uint32_t seq, const uint8_t *p, uint32_t cap, uint32_t len);
/* Pass over every hole. */
void side_flush(struct side_io *io);
/* Forget what is held; the direction starts anew with its next segment. */
void side_restart(struct stream_side *s, uint32_t *memory);
/* How far the first held byte behind the first hole is from `next`. */
uint32_t side_held_at(const struct stream_side *s);

#endif
