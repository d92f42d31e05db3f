/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_DECODE_H
#define NETPROBE_DECODE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/fragment.h"
#include "decode/packet.h"
#include "frame.h"
#include "record.h"

/*
 * Frames in, records out.  What comes out for a frame:
 *   DECODE_LINES     its messages, or a packet record when it completes none
 *   DECODE_PACKETS   a packet record for every frame, then its messages
 *   DECODE_MESSAGES  its messages only
 * A frame with drop information always gives a drop record in place of the packet record.
 */
enum decode_mode { DECODE_LINES, DECODE_PACKETS, DECODE_MESSAGES };

struct protocol;

/* Whose a frame is: of a connection, or whole in itself, as datagrams are. */
enum { DECODE_CONNECTIONS = 16384 };

struct decode_whose {
	const char *protocol;		/* as network.protocol; NULL: nobody has recognised it (yet) */
	uint32_t serial;		/* of the connection, as none had before; 0: there is none */
	uint32_t place;			/* below DECODE_CONNECTIONS: no two connections have one at a time */
};

/* What the user says a port carries. */
struct decode_as {
	uint8_t proto;			/* IANA number: 6, 17 */
	uint16_t port;
	const struct protocol *protocol;	/* protocol_find() */
};

struct decode_options {
	enum decode_mode mode;
	uint64_t kinds;			/* dataset_bit() of the messages wanted; 0: every kind */
	uint64_t answer_timeout_ns;	/* a request unanswered for so long gives no_answer;
					 * 0: 5 s for DNS, 30 s for others */
	uint32_t seed;			/* for hash tables: getrandom() */
	bool no_pairing;		/* do not pair requests with responses */
	const struct decode_as *decode_as;	/* n_decode_as of them; copied */
	uint32_t n_decode_as;
	const struct protocol *const *protocols;	/* NULL: those of protocols.c */
	bool show_secrets;		/* do not hide passwords and the like */
	bool lines;			/* records become lines: see record.packet */
	bool heads;			/* DECODE_LINES, and each frame has one: see record.head */
	bool no_answer;			/* give no_answer records: live, or when asked for with a file */
	/* NULL; else a decoder has just recognised a connection, or another one what it goes on as. */
	void (*recognised)(void *ctx, const struct decode_whose *w);
	void *recognised_ctx;
};

/* What the decoders could not keep or understand.  Monotonic. */
struct decode_counts {
	uint64_t frames, records;
	uint64_t undecoded;		/* frames whose headers could not be walked to the end */
	uint64_t malformed;		/* messages of a known protocol that broke its rules */
	/* From here on losses: pipeline.c has a row for each. */
	uint64_t stream_evicted;	/* TCP connections given up for want of a place */
	uint64_t stream_half_open;	/* those that had not said a word */
	uint64_t stream_memory;		/* TCP connections forgotten for want of memory */
	uint64_t stream_gaps;		/* bytes missing in TCP streams */
	uint64_t stream_stray;		/* bytes of TCP segments whose numbers are of no window */
	uint64_t stream_cut;		/* bytes missing in TCP streams: cut at the snap length */
	uint64_t stream_conflicts;	/* segments that differed from what had been sent before */
	uint64_t datagrams_cut;		/* datagrams of known ports, cut, and nothing came of them */
	uint64_t pending_evicted;	/* queries forgotten for want of room */
	uint64_t fragments_lost[FRAGMENT_LOSSES];	/* by reason: fragment.h */
};

struct decode;

int  decode_open(struct decode **out, const struct decode_options *opt);
void decode_close(struct decode *d);
/* Returns 0, or the first non-zero value that fn returned. */
int  decode_frame(struct decode *d, const struct frame *f, record_fn fn, void *ctx);
/* Of the frame before: what became of its bytes is known by then. */
const struct decode_whose *decode_whose(const struct decode *d);
/* Time has passed (wall clock, also driven by frame times from files): fire timeouts. */
int  decode_tick(struct decode *d, uint64_t now_ns, record_fn fn, void *ctx);
/* No more frames will come: fire all that is pending. */
int  decode_finish(struct decode *d, record_fn fn, void *ctx);
void decode_counts(const struct decode *d, struct decode_counts *c);

/* For the protocol decoders. */
struct emit {
	record_fn fn;
	void *ctx;
	uint64_t kinds;			/* which kinds are wanted */
	unsigned int messages;		/* emitted for this frame */
	unsigned int earlier;		/* likewise, but another completed them */
	int rc;				/* first non-zero value of fn: stop */
	struct record *packet;		/* room for record.packet; NULL: no lines are made */
};

static inline void emit_record(struct emit *e, const struct record *r)
{
	if (e->rc || !(e->kinds >> r->set->id & 1))
		return;
	e->messages++;
	e->rc = e->fn(e->ctx, r);
}

#endif
