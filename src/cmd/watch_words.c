// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of watch's command line that go together or do not, and what --count prints. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/watch.h"
#include "kern/link.h"
#include "util/err.h"

/* -D and -d and --plan each print something and stop. */
static int check_stops(const struct watch_opts *o, int argc, char **argv)
{
	if (o->list && argc)
		return fail(0, "-D lists the interfaces and stops: it takes no filter ('%s')", argv[0]);
	if (o->list &&
	    (o->iface.n || o->read || o->write || o->filter_file || o->drops || o->count || o->only_count))
		return fail(0, "-D lists the interfaces and stops: -i, -r, -w, -F, -c, --count and --drops "
			    "do not go with it");
	if (o->list + o->plan + (o->dump > 0) > 1)
		return fail(0, "-D, -d and --plan each print something and stop: give one of them");
	if (o->plan && o->write)
		return fail(0, "--plan captures nothing: leave out -w");
	return 0;
}

static int check_count(const struct watch_opts *o)
{
	if (!o->only_count)
		return 0;
	if (!o->read)
		return fail(0, "--count tells how many packets a capture file has: give -r FILE "
			    "(-c N stops after N records)");
	if (o->write || o->packets || o->proto || o->where || o->alerts || o->alert.n)
		return fail(0, "--count prints a number of packets and nothing else: leave out -w, --packets, --proto, "
			    "--where and --alerts");
	return 0;
}

int watch_check_words(struct watch *w, int argc, char **argv)
{
	const struct watch_opts *o = w->o;

	if (o->postrotate)
		return fail(0, "-z: netprobe never executes anything; let what reads the files watch their directory");
	if (o->micro)
		return fail(0, "--micro: captures are written in nanoseconds, which readers know by the first bytes");
	if (w->any_netns && (o->iface.n || o->packets || o->proto || o->alerts || o->alert.n))
		return fail(0, "-N any is for --drops alone: packets, and interfaces, are of one network namespace");
	if (o->drops && o->direction && strcmp(o->direction, "inout") && !o->packets && !o->proto && !w->alerts)
		return fail(0, "-Q: of a packet that was dropped the kernel does not tell the direction: leave it out");
	if (check_stops(o, argc, argv))
		return -EINVAL;
	return check_count(o);
}

/* -i 3, as -D lists it, where no interface is called 3. */
void watch_iface_numbers(struct watch_opts *o)
{
	static char names[sizeof(o->iface.v) / sizeof(o->iface.v[0])][sizeof(((struct link_info *)0)->name)];
	struct link_info l;
	uint64_t n;

	for (unsigned int i = 0; i < o->iface.n; i++) {
		const char *word = o->iface.v[i];

		if (strspn(word, "0123456789") != strlen(word) || opt_number(word, 1000, 1, &n) || !n ||
		    n > INT32_MAX || !link_get(word, 0, &l) || link_get(NULL, (uint32_t)n, &l))
			continue;
		snprintf(names[i], sizeof(names[i]), "%s", l.name);
		o->iface.v[i] = names[i];
	}
}

/* As tcpdump: what is watched by its own name is heard whole, unless -p. */
bool watch_wants_promisc(const struct watch_opts *o)
{
	for (unsigned int i = 0; i < o->iface.n; i++)
		if (link_is_glob(o->iface.v[i]))
			return false;
	return o->iface.n && !o->no_promisc;
}

void watch_print_count(const struct watch *w)
{
	uint64_t n = w->s.pipe.frames - w->s.pipe.filtered;

	if (w->o->count && n > w->o->count)
		n = w->o->count;
	if (w->g->json || w->g->pretty)
		printf("{\"packets\":%llu}\n", (unsigned long long)n);
	else
		printf("%llu packet%s\n", (unsigned long long)n, n == 1 ? "" : "s");
}
