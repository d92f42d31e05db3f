/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DETECT_DETECTOR_H
#define NETPROBE_DETECT_DETECTOR_H

#include "detect/conn.h"
#include "detect/detect.h"
#include "detect/table.h"

/*
 * A detector: state of its own, and whichever of these it needs.  It is told of records,
 * of calls (conn.h) and of time, and raises alerts.
 */
struct detector {
	const char *name;
	uint32_t rules;			/* 1 << RULE_x: opened when one of them is on */
	int  (*open)(void **state, struct detect *d);
	void (*close)(void *state);
	const struct dataset *sets[4];	/* that record() wants, */
	bool identities, lookups;	/* and those that tell of devices, or of names */
	void (*record)(void *state, struct detect *d, const struct record *r);
	void (*call)(void *state, struct detect *d, const struct call_news *n);
	void (*tick)(void *state, struct detect *d, bool end);
	bool (*follow)(uint16_t port);	/* connections to that port are looked at until they end */
	uint64_t (*evicted)(const void *state);
};

extern const struct detector scan_detector, flood_detector, lan_detector, guess_detector, names_detector,
	habits_detector;

enum { TICK_NS = 100000000 };	/* of the records' time */

/* What a detector says; members that are 0 or NULL are left out. */
struct alert {
	enum detect_rule rule;
	const struct addr *src, *dst;
	const uint8_t *smac;
	uint16_t port;			/* destination.port */
	uint64_t count, ports, hosts, sources;	/* evidence */
	uint64_t start_ns;
	const struct addr *same_src, *same_dst;	/* what makes it a repeat, besides the rule */
	uint64_t same;
};

/* The message; repeats are only counted. */
void detect_raise(struct detect *d, const struct alert *a, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

const struct detect_limit *detect_limit(const struct detect *d, enum detect_rule rule);
uint64_t detect_now(const struct detect *d);
uint32_t detect_seed(const struct detect *d);
const struct hash_key *detect_key(const struct detect *d);
/* An address as text, in one of four buffers that take turns. */
const char *detect_addr(struct detect *d, const struct addr *a);

/* Is it one host's address, not a group's and not everybody's? */
static inline bool is_one_host(const struct addr *a)
{
	static const uint8_t zero[16];

	if (a->family == 4)
		return a->b[0] < 224 && memcmp(a->b, zero, 4) != 0;
	return a->family == 6 && a->b[0] != 0xff && memcmp(a->b, zero, 16) != 0;
}

#endif
