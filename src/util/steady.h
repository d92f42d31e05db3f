/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_STEADY_H
#define NETPROBE_UTIL_STEADY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The time that stamps tell together, for whatever ends by it.  Queues and interfaces hand frames over
 * a little out of order: what is behind by STEADY_BEHIND_NS at most changes nothing.  One stamp may be
 * plainly wrong: what is farther behind, or more than ahead_ns ahead, counts from the second in a row
 * on (the same again is the same frame's).  So a clock that was set is followed, either way, and a long
 * silence ends one frame later.
 */
#define STEADY_BEHIND_NS   1000000000ull
#define STEADY_AHEAD_NS	 600000000000ull

struct steady {
	uint64_t ahead_ns;		/* 0: STEADY_AHEAD_NS */
	uint64_t now_ns;		/* 0: no stamp was seen */
	uint64_t doubt_ns;		/* the last stamp, if it was doubted: */
	int8_t   doubted;		/* 1 ahead, -1 behind */
};

static inline uint64_t steady_at(struct steady *s, uint64_t stamp_ns)
{
	uint64_t ahead_ns = s->ahead_ns ? s->ahead_ns : STEADY_AHEAD_NS;
	int8_t odd = 0;

	if (stamp_ns > s->now_ns)
		odd = s->now_ns && stamp_ns - s->now_ns > ahead_ns;
	else if (s->now_ns - stamp_ns > STEADY_BEHIND_NS)
		odd = -1;
	if (odd && (odd != s->doubted || stamp_ns == s->doubt_ns)) {
		s->doubted = odd;
		s->doubt_ns = stamp_ns;
		return s->now_ns;
	}
	s->doubted = 0;
	if (odd || stamp_ns > s->now_ns)
		s->now_ns = stamp_ns;
	return s->now_ns;
}

/* From `then` to `now`; 0 when that came later. */
static inline uint64_t time_since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* Between them, whichever came first. */
static inline uint64_t time_apart(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;
}

#endif
