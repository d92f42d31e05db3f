// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/stream_side.h"

#include <stdlib.h>
#include <string.h>

enum {
	BUFFER_MIN = 2048,
	BUFFER_MAX = 2 * 65536 + 4096,	/* twice STREAM_SIDE_MAX: see make_room() */
	PASS_MAX = 1 << 30,
};

static uint32_t buffer_size(uint32_t cap)
{
	return cap + cap / 8;
}

static uint8_t *bits_of(const struct stream_side *s)
{
	return s->buf + s->cap;
}

static void release(struct stream_side *s, uint32_t *memory)
{
	if (s->buf)
		*memory -= buffer_size(s->cap);
	free(s->buf);
	s->buf = NULL;
	s->cap = s->head = s->have = s->extent = 0;
}

void side_restart(struct stream_side *s, uint32_t *memory)
{
	release(s, memory);
	s->want = s->mark = s->waited = 0;
	s->phase = 0;
	s->known = s->hole_dead = false;
}

/* The bits of octets held out of order are cleared as they come in order. */
static void extend(struct stream_side *s)
{
	uint8_t *bits = bits_of(s);

	while (s->have < s->extent) {
		uint32_t at = s->head + s->have;

		if (!(bits[at / 8] >> at % 8 & 1))
			break;
		bits[at / 8] &= (uint8_t)(0xff ^ 1u << at % 8);
		s->have++;
	}
}

uint32_t side_held_at(const struct stream_side *s)
{
	const uint8_t *bits = bits_of(s);
	uint32_t i = s->have;

	while (i < s->extent) {
		uint32_t at = s->head + i;

		if (at % 8 == 0 && !bits[at / 8])
			i += 8;
		else if (bits[at / 8] >> at % 8 & 1)
			return i;
		else
			i++;
	}
	return s->extent;
}

/* The consumer has taken n octets, or they are lost. */
static void advance(struct side_io *io, uint32_t n)
{
	struct stream_side *s = io->side;

	s->next += n;
	if (n >= s->extent) {
		release(s, io->memory);
		return;
	}
	s->head += n;
	s->extent -= n;
	s->have = n <= s->have ? s->have - n : 0;
	if (!s->have)
		extend(s);
}

static uint32_t call(struct side_io *io, const uint8_t *p, uint32_t n, uint32_t missing, bool cut)
{
	struct stream_data d = { io->conn, io->side, io->other, io->dir, p, n, missing, cut };
	uint32_t took;

	if (io->side->ignored)
		return n;
	if (!missing && n < io->side->want)
		return 0;
	io->side->want = 0;
	took = io->fn(io->ctx, &d);
	return took > PASS_MAX ? PASS_MAX : took;
}

/* Each turn takes at least one octet. */
static void deliver(struct side_io *io)
{
	struct stream_side *s = io->side;

	while (s->have) {
		uint32_t took = call(io, s->buf + s->head, s->have, 0, false);

		if (!took)
			return;
		advance(io, took);
	}
}

/* So many octets after those in order will not come. */
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

	s->hole_dead = false;
	while (s->extent > s->have) {
		lose(io, side_held_at(s) - s->have, false);
		deliver(io);
	}
}

/*
 * Room for `need` octets from `head` on.  What was taken is cut off only when that is
 * at least what stays or the buffer cannot grow, so an octet moves O(1) times.  Whole
 * octets of bits move with it, so `head` keeps its place within eight.
 */
static bool make_room(struct side_io *io, uint32_t need)
{
	struct stream_side *s = io->side;
	uint32_t cut = s->head & ~7u, cap = s->cap ? s->cap : BUFFER_MIN;
	uint8_t *buf;

	if (s->head + need <= s->cap)
		return true;
	if (s->buf && cut >= s->extent && s->head - cut + need <= s->cap) {
		uint32_t octets = (s->head - cut + s->extent + 7) / 8;

		memmove(s->buf, s->buf + cut, s->head - cut + s->extent);
		memmove(bits_of(s), bits_of(s) + cut / 8, octets);
		memset(bits_of(s) + octets, 0, s->cap / 8 - octets);
		s->head -= cut;
		return true;
	}
	while (cap < s->head - cut + need || (s->buf && cap <= s->cap))
		cap *= 2;
	if (cap > BUFFER_MAX)
		cap = BUFFER_MAX;
	if (!io->room(io->room_ctx, buffer_size(cap)))
		return false;
	buf = calloc(1, buffer_size(cap));
	if (!buf)
		return false;
	if (s->buf) {
		memcpy(buf, s->buf + cut, s->head - cut + s->extent);
		memcpy(buf + cap, bits_of(s) + cut / 8, (s->head - cut + s->extent + 7) / 8);
		*io->memory -= buffer_size(s->cap);
		free(s->buf);
	}
	*io->memory += buffer_size(cap);
	s->buf = buf;
	s->head -= cut;
	s->cap = cap;
	return true;
}

/* Octets sent again: are they those that are held?  RFC 9293 wants them to be. */
static void compare(struct side_io *io, uint32_t off, const uint8_t *p, uint32_t n)
{
	const struct stream_side *s = io->side;
	const uint8_t *bits = bits_of(s);
	uint32_t both = off < s->have ? (s->have - off < n ? s->have - off : n) : 0;
	bool differ = both && memcmp(s->buf + s->head + off, p, both);

	for (uint32_t i = both; i < n && off + i < s->extent && !differ; i++) {
		uint32_t at = s->head + off + i;

		differ = bits[at / 8] >> at % 8 & 1 && s->buf[at] != p[i];
	}
	io->conflicts += differ;
	io->conn->conflict |= differ;
}

/* Keep n octets that lie `off` after `next`; those already there stay as they are. */
static bool keep(struct side_io *io, uint32_t off, const uint8_t *p, uint32_t n)
{
	struct stream_side *s = io->side;
	uint32_t end = off + n;
	uint8_t *bits;

	if (off < s->extent)
		compare(io, off, p, n);
	if (end <= s->have)
		return true;
	if (!make_room(io, end > s->extent ? end : s->extent))
		return false;
	if (off <= s->have && s->have == s->extent) {
		memcpy(s->buf + s->head + s->have, p + (s->have - off), end - s->have);
		s->have = s->extent = end;
		return true;
	}
	if (s->extent == s->have)
		s->hole_ns = io->now_ns;
	bits = bits_of(s);
	for (uint32_t i = off > s->have ? off : s->have; i < end; i++) {
		uint32_t at = s->head + i;

		if (bits[at / 8] >> at % 8 & 1)
			continue;
		s->buf[at] = p[i - off];
		bits[at / 8] |= (uint8_t)(1u << at % 8);
	}
	if (end > s->extent)
		s->extent = end;
	extend(s);
	return true;
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
 * of it.  Each turn takes at least one octet.
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

/* Octets [end - len, end); each turn ends them, or takes some in, or moves `next` forward. */
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
				io->gaps += cap + s->have;
				side_restart(s, io->memory);
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
	if (s->hole_dead)
		side_flush(io);
	take_in(io, end, p, cap < len ? cap : len, len);
	if (s->ignored) {
		release(s, io->memory);
		if ((int32_t)(end - s->next) > 0)
			s->next = end;
	} else {
		lose_rest(io, end);
	}
}
