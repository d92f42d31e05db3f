/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_CLOCK_H
#define NETPROBE_SOURCE_CLOCK_H

#include <stdint.h>

/* What programs stamp, CLOCK_BOOTTIME of the host, as wall clock: whatever time namespace we are in. */
struct boot_clock {
	int64_t timens_ns;		/* our CLOCK_BOOTTIME less the host's */
	uint64_t wall_ns;		/* wall clock at the host's boot_ns 0 */
};

void boot_clock_open(struct boot_clock *c);
/* Once a second: the wall clock is set, and the machine sleeps. */
void boot_clock_tick(struct boot_clock *c);

static inline uint64_t boot_clock_wall(const struct boot_clock *c, uint64_t boot_ns)
{
	return boot_ns + c->wall_ns;
}

#endif
