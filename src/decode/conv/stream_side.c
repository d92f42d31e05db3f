// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/stream_side.h"

#include <stdlib.h>
#include <string.h>

#include "decode/conv/apart.h"

enum {
	BUFFER_MIN = 512,
	BUFFER_MAX = 100 << 10,		/* half as much again as STREAM_SIDE_MAX: see make_room() */
	PASS_MAX = 1 << 30,
};
_Static_assert((int)STREAM_SIDE_MAX < (int)APART_SPAN, "what is held apart has a place of its own");

static void release_buffer(struct stream_side *s, uint32_t *memory)
{
	*memory -= s->cap;
	free(s->buf);
	s->buf = NULL;
	s->cap = s->head = 0;
}

static void release(struct stream_side *s, uint32_t *memory)
{
	release_buffer(s, memory);
	apart_free(&s->apart, memory);
	notes_free(&s->notes, memory);
	s->have = s->extent = 0;
}

void side_restart(struct stream_side *s, uint32_t *memory)
{
	release(s, memory);
	s->want = s->mark = s->waited = 0;
	s->phase = 0;
	s->known = false;
}

/* There is no memory for it: the direction starts anew. */
static void give_up(struct side_io *io)
{
	io->starved++;
	side_restart(io->side, io->memory);
}

uint32_t side_held_at(const struct stream_side *s)
{
	return s->extent > s->have ? s->held - s->next : s->extent;
}

/* The bytes in order move to a buffer of this size, at least as many as they are. */
static bool resize(struct side_io *io, uint32_t cap)
{
	struct stream_side *s = io->side;
	uint8_t *buf = malloc(cap);

	if (!buf)
		return false;
	if (s->buf && s->have)
		memcpy(buf, s->buf + s->head, s->have);
	release_buffer(s, io->memory);
	*io->memory += cap;
	s->buf = buf;
	s->cap = cap;
	return true;
}

/*
 * Room for `need` bytes in order.  They move to the front only when at least as many were taken,
 * or the buffer cannot grow and a third of it was, so a byte moves O(1) times.
 */
static bool make_room(struct side_io *io, uint32_t need)
{
	struct stream_side *s = io->side;
	uint32_t cap = s->cap ? s->cap : BUFFER_MIN;

	if (s->head + need <= s->cap)
		return true;
	if (s->buf && need <= s->cap && (s->head >= s->have || s->cap == BUFFER_MAX)) {
		memmove(s->buf, s->buf + s->head, s->have);
		s->head = 0;
		return true;
	}
	while (cap < need || (s->buf && cap <= s->cap))
		cap *= 2;
	if (cap > BUFFER_MAX)
		cap = BUFFER_MAX;
	return io->room(io->room_ctx, cap) && resize(io, cap);
}

/* Bytes that were kept apart and are next in order. */
static bool absorb(struct side_io *io)
{
	struct stream_side *s = io->side;

	while (s->extent > s->have && s->held == s->next + s->have) {
		const uint8_t *p = NULL;
		uint32_t n = apart_run(s->apart, s->held, &p);

		if (!n || !make_room(io, s->have + n) || !s->buf)
			return false;
		memcpy(s->buf + s->head + s->have, p, n);
		apart_forget(s->apart, s->held, n, io->memory);
		s->have += n;
		if (s->have < s->extent)
			s->held = apart_next(s->apart, s->held + n, s->extent - s->have);
		else
			apart_free(&s->apart, io->memory);
	}
	return true;
}

/* Fewer than all that are held, but more than those in order: some of those apart are passed over. */
static void advance_apart(struct side_io *io, uint32_t n)
{
	struct stream_side *s = io->side;

	apart_forget(s->apart, s->next + s->have, n - s->have, io->memory);
	release_buffer(s, io->memory);
	s->have = 0;
	s->next += n;
	s->extent -= n;
	notes_forget(s->notes, s->next);
	s->held = apart_next(s->apart, s->next, s->extent);
	if (!absorb(io))
		give_up(io);
}

/* The consumer has taken n bytes, or they are lost. */
static void advance(struct side_io *io, uint32_t n)
{
	struct stream_side *s = io->side;

	if (n >= s->extent) {
		s->next += n;
		release(s, io->memory);
		return;
	}
	if (n > s->have) {
		advance_apart(io, n);
		return;
	}
	s->next += n;
	s->head += n;
	s->extent -= n;
	s->have -= n;
	notes_forget(s->notes, s->next);
	/* What few are left do not keep a large buffer; it was full, so this is seldom. */
	if (!s->have)
		release_buffer(s, io->memory);
	else if (s->cap > 4 * BUFFER_MIN && s->have < s->cap / 4)
		resize(io, s->cap / 2);
}

static uint32_t call(struct side_io *io, const uint8_t *p, uint32_t n, uint32_t missing, bool cut)
{
	struct stream_data d = { io->conn, io->side, io->other, io->dir, p, n, missing, cut, io->pk, true };
	const struct note *from;
	struct packet earlier;
	struct frame frame;
	uint32_t took;

	if (io->side->ignored)
		return n;
	if (!missing && n < io->side->want)
		return 0;
	io->side->want = 0;
	from = notes_latest(io->side->notes, io->side->next, n);
	if (!io->pk || (from && from->number != io->pk->frame->number)) {
		notes_packet(io->side->notes, from ? from : &io->last, io->pk ? &io->pk->ip : io->ends, &earlier,
			     &frame);
		d.pk = &earlier;
		d.now = false;
	}
	took = io->fn(io->ctx, &d);
	return took > PASS_MAX ? PASS_MAX : took;
}

/*
 * As the frames brought them, so that each message is the last one's that it needed.  Each turn takes
 * at least one byte, or shows more.
 */
static void deliver(struct side_io *io)
{
	struct stream_side *s = io->side;
	uint32_t shown = 0;
	unsigned int at = 0;

	while (s->have > shown) {
		uint32_t n = notes_part(s->notes, s->next, shown, s->have, &at);
		uint32_t took = call(io, s->buf + s->head, n, 0, false);

		shown = took ? 0 : n;
		if (took) {
			advance(io, took);
			at = 0;
		}
	}
}

/* So many bytes after those in order will not come. */
static void lose(struct side_io *io, uint32_t missing, bool cut)
{
	struct stream_side *s = io->side;

	*(cut ? &io->cut : &io->gaps) += missing;
	call(io, s->buf ? s->buf + s->head : (const uint8_t *)"", s->have, missing, cut);
	s->want = s->mark = s->waited = 0;
	s->phase = 0;
	advance(io, s->have + missing);
}

void side_flush(struct side_io *io)
{
	struct stream_side *s = io->side;

	while (s->extent > s->have) {
		lose(io, side_held_at(s) - s->have, false);
		deliver(io);
	}
}

/* Bytes sent again: are they those that are held?  RFC 9293 wants them to be. */
static void compare(struct side_io *io, uint32_t off, const uint8_t *p, uint32_t n)
{
	const struct stream_side *s = io->side;
	uint32_t both = off < s->have ? (s->have - off < n ? s->have - off : n) : 0;
	bool differ = both && memcmp(s->buf + s->head + off, p, both);

	if (!differ && n > both && s->extent > s->have)
		differ = apart_differs(s->apart, s->next + off + both, p + both, n - both);
	io->conflicts += differ;
	io->conn->conflict |= differ;
}

/* Bytes [off, end) after `next`, of which those from `have` on are in order; each turn takes some. */
static bool keep_in_order(struct side_io *io, uint32_t off, const uint8_t *p, uint32_t end)
{
	struct stream_side *s = io->side;

	while (s->have < end) {
		uint32_t to = s->extent > s->have && s->held - s->next < end ? s->held - s->next : end;

		if (!make_room(io, to))
			return false;
		memcpy(s->buf + s->head + s->have, p + (s->have - off), to - s->have);
		if (s->notes)
			notes_add(&s->notes, io->pk, s->next + s->have, to - s->have, io->memory);
		s->have = to;
		if (s->extent < to)
			s->extent = to;
		if (!absorb(io))
			return false;
	}
	return true;
}

static bool keep_apart(struct side_io *io, uint32_t off, const uint8_t *p, uint32_t n)
{
	struct stream_side *s = io->side;
	uint32_t seq = s->next + off;

	if (!io->room(io->room_ctx, apart_cost(s->apart, seq, n)) ||
	    !apart_put(&s->apart, seq, p, n, io->memory))
		return false;
	notes_add(&s->notes, io->pk, seq, n, io->memory);
	if (s->extent == s->have) {
		s->hole_ns = io->now_ns;
		s->held = seq;
	} else if ((int32_t)(seq - s->held) < 0) {
		s->held = seq;
	}
	if (off + n > s->extent)
		s->extent = off + n;
	return true;
}

/* Keep n bytes that lie `off` after `next`; those already there stay as they are. */
static bool keep(struct side_io *io, uint32_t off, const uint8_t *p, uint32_t n)
{
	struct stream_side *s = io->side;

	if (off < s->extent)
		compare(io, off, p, n);
	return off <= s->have ? keep_in_order(io, off, p, off + n) : keep_apart(io, off, p, n);
}

/* The rest of a segment that was cut at the snap length, if it would come next. */
static void lose_rest(struct side_io *io, uint32_t end_seq)
{
	struct stream_side *s = io->side;
	int32_t rest = (int32_t)(end_seq - (s->next + s->have));

	if (s->known && rest > 0 && s->extent == s->have)
		lose(io, (uint32_t)rest, true);
}

/*
 * Nothing is held: the consumer may read the packet itself.  False when nothing is left
 * of it.  Each turn takes at least one byte.
 */
static bool direct(struct side_io *io, const uint8_t **p, uint32_t *cap, uint32_t *len)
{
	struct stream_side *s = io->side;

	while (*cap) {
		uint32_t took = call(io, *p, *cap, 0, false);

		if (!took)
			break;
		s->next += took;
		if (took >= *cap)
			return false;
		*p += took;
		*cap -= took;
		*len -= took;
	}
	if (*cap == *len)
		return true;
	io->cut += *len - *cap;		/* the consumer has a last look at what there is */
	call(io, *p, *cap, *len - *cap, true);
	s->next += *len;
	s->want = s->mark = s->waited = 0;
	s->phase = 0;
	return false;
}

/* Too far ahead to be held: give up the first hole, or everything up to `off`. */
static void catch_up(struct side_io *io, uint32_t off)
{
	struct stream_side *s = io->side;

	if (s->extent > s->have) {
		lose(io, side_held_at(s) - s->have, false);
		deliver(io);
	} else {
		lose(io, off - s->have, false);
	}
}

/* Bytes [end - len, end); each turn ends them, or takes some in, or moves `next` forward. */
static void take_in(struct side_io *io, uint32_t end, const uint8_t *p, uint32_t cap, uint32_t len)
{
	struct stream_side *s = io->side;

	while (cap && !s->ignored) {
		uint32_t off = end - len - s->next, n;

		if ((int32_t)off < 0) {
			n = 0u - off < cap ? 0u - off : cap;
		} else if (off > s->have && off + cap > STREAM_SIDE_MAX) {
			catch_up(io, off);
			continue;
		} else {
			if (!off && !s->extent && !direct(io, &p, &cap, &len))
				return;
			off = end - len - s->next;
			n = STREAM_SIDE_MAX - off < cap ? STREAM_SIDE_MAX - off : cap;
			if (!n || !keep(io, off, p, n)) {
				give_up(io);
				return;
			}
			deliver(io);
		}
		p += n;
		cap -= n;
		len -= n;
	}
}

void side_accept(struct side_io *io, uint32_t seq, const uint8_t *p, uint32_t cap, uint32_t len)
{
	struct stream_side *s = io->side;
	uint32_t end = seq + len;

	if (!s->known) {
		s->known = s->midstream = true;
		s->next = seq;
	}
	take_in(io, end, p, cap < len ? cap : len, len);
	if (s->ignored) {
		release(s, io->memory);
		if ((int32_t)(end - s->next) > 0)
			s->next = end;
	} else {
		lose_rest(io, end);
	}
}
