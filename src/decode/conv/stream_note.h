/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_STREAM_NOTE_H
#define NETPROBE_DECODE_CONV_STREAM_NOTE_H

#include "decode/packet.h"

/*
 * Which frame brought the bytes that are held: a message is complete with the last of them, however
 * long it takes until those before it are there or given up.  NOTES_MAX pieces a direction; what has
 * no note is taken for the frame's that is looked at.
 */
enum { NOTES_MAX = 128 };

struct note {
	uint32_t seq, n;
	uint64_t number, time_ns;
};

struct notes;

/* Bytes [seq, seq + n) of pk, but for those that have a note.  The memory taken is added to *memory. */
void notes_add(struct notes **t, const struct packet *pk, uint32_t seq, uint32_t n, uint32_t *memory);
/* Forget what lies before seq. */
void notes_forget(struct notes *t, uint32_t seq);
void notes_free(struct notes **t, uint32_t *memory);
/*
 * The number of bytes, more than `from` and at most n, after which another frame's begin.  *at: 0 to
 * begin with, kept from call to call while `from` grows and seq stays.
 */
uint32_t notes_part(const struct notes *t, uint32_t seq, uint32_t from, uint32_t n, unsigned int *at);
/* The last frame that brought any of [seq, seq + n); NULL: it is not noted. */
const struct note *notes_latest(const struct notes *t, uint32_t seq, uint32_t n);

/*
 * A packet of these ends, as far as a message shows one; t and from may be NULL.  Its frame has a
 * number and a time, and no bytes.
 */
void notes_packet(const struct notes *t, const struct note *from, const struct ip_layer *ends, struct packet *pk,
		  struct frame *f);

#endif
