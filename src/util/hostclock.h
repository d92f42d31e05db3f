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

/*
 * Wall clock when the host's CLOCK_BOOTTIME was 0, within half a second, and the same whenever it is asked: reading two
 * clocks tells another offset each time.  It moves when the clock is set.
 */
uint64_t host_clock_boot(void);
/* What that clock shows then, to the second. */
static inline uint64_t host_clock_second(uint64_t boot_wall_ns, uint64_t ns)
{
	uint64_t wall = boot_wall_ns + ns + 500000000;

	return wall - wall % 1000000000;
}

/* What a program stamped, as wall clock. */
static inline uint64_t host_clock_wall(const struct host_clock *c, uint64_t ns)
{
	return ns + c->wall_ns;
}

#endif
