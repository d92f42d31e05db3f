/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_HOSTCLOCK_H
#define NETPROBE_UTIL_HOSTCLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * A clock that programs of the kernel read, CLOCK_BOOTTIME or CLOCK_MONOTONIC, as the host has it: in a time namespace
 * ours is another (time_namespaces(7)).
 */
struct host_clock {
	clockid_t id;
	int64_t ahead_ns;		/* ours less the host's */
	uint64_t wall_ns;		/* wall clock at the host's 0 */
};

void host_clock_open(struct host_clock *c, clockid_t id);
/* Once a second: the wall clock is set, and the machine sleeps. */
void host_clock_tick(struct host_clock *c);
/* What it shows now. */
uint64_t host_clock_now(const struct host_clock *c);

/* What a program stamped, as wall clock. */
static inline uint64_t host_clock_wall(const struct host_clock *c, uint64_t ns)
{
	return ns + c->wall_ns;
}

#endif
