// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/hostclock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 5 };

static const uint64_t second = 1000000000;

static uint64_t now(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

/* Seconds and nanoseconds of an offset; false when the text is something else. */
static bool read_offset(const char *text, int64_t *ns)
{
	char *end, *last;
	long long sec, nsec;

	errno = 0;
	sec = strtoll(text, &end, 10);
	nsec = strtoll(end, &last, 10);
	if (errno || end == text || last == end)
		return false;
	return !__builtin_mul_overflow(sec, (int64_t)second, ns) && !__builtin_add_overflow(*ns, nsec, ns);
}

/* time_namespaces(7): what was added to our clocks; a line has the clock's name or number, seconds and nanoseconds. */
static int64_t offset_of(clockid_t id)
{
	const char *name = id == CLOCK_BOOTTIME ? "boottime" : "monotonic", number = id == CLOCK_BOOTTIME ? '7' : '1';
	FILE *f = fopen("/proc/self/timens_offsets", "re");
	char line[96];
	int64_t ns, found = 0;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		size_t n = strcspn(line, " \t");
		bool ours = (n == strlen(name) && !memcmp(line, name, n)) || (n == 1 && line[0] == number);

		if (ours && read_offset(line + n, &ns))
			found = ns;
	}
	fclose(f);
	return found;
}

/* The two clocks cannot be read at once: of a few tries, the one with the least time between. */
void host_clock_tick(struct host_clock *c)
{
	uint64_t least = ~0ull;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = now(c->id), wall = now(CLOCK_REALTIME);
		uint64_t after = now(c->id);

		if (after - before >= least)
			continue;
		least = after - before;
		c->wall_ns = wall - (before + least / 2 - (uint64_t)c->ahead_ns);
	}
}

void host_clock_open(struct host_clock *c, clockid_t id)
{
	c->id = id;
	c->ahead_ns = offset_of(id);
	host_clock_tick(c);
}

uint64_t host_clock_now(const struct host_clock *c)
{
	return now(c->id) - (uint64_t)c->ahead_ns;
}

/* The kernel's: wall clock at boot, in whole seconds, less what was added to our clock. */
static bool read_btime(uint64_t *sec)
{
	FILE *f = fopen("/proc/stat", "re");
	char line[256];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "btime ", 6);
	fclose(f);
	if (found)
		*sec = strtoull(line + 6, NULL, 10);
	return found;
}

uint64_t host_clock_boot(void)
{
	struct host_clock c;
	uint64_t sec, boot, off;

	host_clock_open(&c, CLOCK_BOOTTIME);
	if (!read_btime(&sec))
		return c.wall_ns;
	boot = sec * second + (uint64_t)c.ahead_ns + second / 2;
	off = boot > c.wall_ns ? boot - c.wall_ns : c.wall_ns - boot;
	/* What containers are shown in its place may be another one. */
	return off > second ? c.wall_ns : boot;
}
