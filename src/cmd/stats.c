// SPDX-License-Identifier: GPL-2.0-or-later
/* stats: packets counted, records gathered into fewer rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/flows.h"
#include "kern/link.h"
#include "stats/devices.h"
#include "stats/fields.h"
#include "util/err.h"

struct stats_opts {
	struct strs iface;
	const char *by, *read, *user;
	uint64_t top;
};

#define S(member) offsetof(struct stats_opts, member)

static const struct opt stats_rows[] = {
	{ "by", 0, OPT_WORD, S(by), "BY", "a row for each of these; one for everything without it",
	  OPT_WORDS("iface", "proto", "host", "port", "device") },
	{ "top", 0, OPT_UINT, S(top), "N", "only the N rows with most octets" },
	{ "interface", 'i', OPT_STRS, S(iface), "IFACE",
	  "listen on this interface; may be given again, may be a glob, or any (the default)" },
	{ "read", 'r', OPT_ONCE, S(read), "FILE",
	  "read a capture (pcap, pcapng, gzipped) in place of an interface; - is standard input" },
	{ "user", 'Z', OPT_STR, S(user), "USER", "become USER (default nobody)" },
	{ .type = OPT_END },
};

static const char stats_examples[] =
	"  sudo netprobe stats -i eth0 1                    packets, octets and rates, every second\n"
	"  sudo netprobe stats --by host --top 10 -i eth0 5 the ten hosts with most octets\n"
	"  netprobe -j stats -r f.pcap                      what a capture holds, in one record\n"
	"  sudo netprobe stats --by device -i eth0          the devices of a network, when you press ^C\n"
	"  sudo netprobe stats --by device -i eth0 60       the same every minute\n"
	"  netprobe -j stats --by device -r f.pcap          those in a capture, as JSON lines\n";

/* What one kind of row is made of. */
struct by {
	const char *name;
	enum account_by account;		/* packets are counted; BY_NOTHING without open() too */
	const struct dataset *set;
	uint16_t columns[10];		/* of a table or CSV, when -o does not choose; NONE ends them */
	int (*open)(struct gather **out, uint32_t seed);	/* reads what tells of devices, and nothing else */
};

static struct vendors *vendors;

static int open_devices(struct gather **out, uint32_t seed)
{
	const char *path;
	int err = vendors_open(&vendors, &path);

	if (!err && !path)
		note("no table of MAC address prefixes here: manufacturers are left out (Debian: ieee-data)");
	return err ? err : devices_open(out, vendors, DEVICES_MAX, seed);
}

enum { NONE = UINT16_MAX };

#define COUNTED FIELD_STATS_PACKETS, FIELD_STATS_BYTES, FIELD_STATS_PPS, FIELD_STATS_BPS, NONE

static const struct by bys[] = {
	{ NULL, BY_NOTHING, &stats_dataset,
	  { FIELD_STATS_PACKETS, FIELD_STATS_BYTES, FIELD_STATS_FLOWS, FIELD_STATS_PPS, FIELD_STATS_BPS,
	    FIELD_STATS_TRANSPORT, NONE }, NULL },
	{ "iface", BY_IFACE, &stats_dataset, { FIELD_INTERFACE, FIELD_DIRECTION, COUNTED }, NULL },
	{ "proto", BY_PROTO, &stats_dataset, { FIELD_TRANSPORT, COUNTED }, NULL },
	{ "host", BY_HOST, &stats_dataset, { FIELD_STATS_HOST, COUNTED }, NULL },
	{ "port", BY_PORT, &stats_dataset, { FIELD_TRANSPORT, FIELD_STATS_PORT, COUNTED }, NULL },
	{ "device", BY_NOTHING, &device_dataset,
	  { FIELD_DEVICE_MAC, FIELD_DEVICE_IP, FIELD_DEVICE_VENDOR, FIELD_DEVICE_HOSTNAME,
	    FIELD_DEVICE_FINGERPRINT, FIELD_START, FIELD_END, NONE },
	  open_devices },
};

static const struct by *find_by(const char *name)
{
	size_t i = 0;

	while (name && i + 1 < sizeof(bys) / sizeof(bys[0]) && (!bys[i].name || strcmp(bys[i].name, name)))
		i++;
	return &bys[i];
}

/* [INTERVAL [COUNT]] */
static int parse_times(struct pipeline *p, const struct stats_opts *o, int argc, char **argv)
{
	if (argc && o->read)
		return fail(0, "-r reads all of a file: INTERVAL is for live statistics");
	if (argc && (opt_duration(argv[0], &p->rows_every_ns) || !p->rows_every_ns))
		return fail(0, "INTERVAL: '%s' is not a time (10, 250ms, 1m)", argv[0]);
	if (argc > 1 && (opt_number(argv[1], 1000, 1, &p->rows_times) || !p->rows_times))
		return fail(0, "COUNT: '%s' is not a number from 1", argv[1]);
	if (p->rows_every_ns)
		p->rows_next_ns = watch_now_ns() + p->rows_every_ns;
	return 0;
}

static void choose_columns(struct watch *w, const struct by *by)
{
	if (w->n_columns || w->g->json || w->g->pretty)
		return;
	for (; by->columns[w->n_columns] != NONE; w->n_columns++)
		w->columns[w->n_columns] = field_number(by->set, by->columns[w->n_columns]);
}

static uint32_t random_seed(void)
{
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint32_t)watch_now_ns();
	return seed;
}

static int open_rows(struct watch *w, const struct by *by, const struct stats_opts *o)
{
	struct account_options ao = { .by = by->account, .top = (uint32_t)o->top, .seed = random_seed() };

	if (by->open)
		return by->open(&w->pipe.gather, random_seed());
	return account_open(&w->pipe.account, &ao);
}

static int gather_all(struct watch *w, const struct by *by, const struct stats_opts *o)
{
	int rc = open_rows(w, by, o);

	if (rc)
		return exit_status(rc);
	if (!w->o->read && !w->pipe.rows_every_ns)
		note("listening: ^C prints the table");
	rc = w->o->read ? watch_file(w) : watch_live(w);
	if (w->pipe.gather)
		w->pipe.gather->close(w->pipe.gather);
	account_close(w->pipe.account);
	return rc;
}

/* [INTERVAL [COUNT]] stand before the filter: they are numbers, and no filter is one. */
static int split_times(struct watch *w, const struct stats_opts *o, int argc, char **argv)
{
	int n = 0;

	while (n < argc && n < 2 && argv[n][0] >= '0' && argv[n][0] <= '9' && !strpbrk(argv[n], ".:/ "))
		n++;
	return parse_times(&w->pipe, o, n, argv) ? -1 : n;
}

/* The datasets that tell of devices, as --proto wants them, and the packets they are in. */
static void tell_devices(char *protos, char *filter, size_t size)
{
	size_t n = 0, m = 0;

	for (unsigned int i = 0; i < n_datasets && n < size && m < size; i++) {
		if (!datasets[i]->identify)
			continue;
		n += (size_t)snprintf(protos + n, size - n, n ? ",%s" : "%s", datasets[i]->name);
		m += (size_t)snprintf(filter + m, size - m, m ? " or %s" : "%s", datasets[i]->tells_filter);
	}
}

static int stats_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct stats_opts *o = opts;
	const struct by *by = find_by(o->by);
	struct watch_opts wo = { .iface = o->iface, .read = o->read, .user = o->user };
	struct watch w = { .g = g, .o = &wo };
	char protos[1024], filter[1024];
	int rc, times;

	times = split_times(&w, o, argc, argv);
	if (times < 0)
		return EXIT_USAGE;
	argc -= times;
	argv += times;
	if (by->open && (argc || o->top)) {
		fail(0, "--by device has no filter and no --top");
		return EXIT_USAGE;
	}
	tell_devices(protos, filter, sizeof(protos));
	wo.proto = by->open ? protos : NULL;
	wo.snaplen = by->open || o->read ? NULL : FLOWS_SNAPLEN;
	if (g->netns) {
		rc = netns_enter(g->netns);
		if (rc)
			return exit_status(rc);
	}
	rc = by->open ? watch_check(&w, 1, (char *[]){ filter, NULL }) : watch_check(&w, argc, argv);
	if (!rc) {
		choose_columns(&w, by);
		rc = gather_all(&w, by, o);
	}
	vendors_close(vendors);
	free(w.filter_text);
	return rc;
}

const struct command cmd_stats = {
	.name = "stats",
	.summary = "Count and list what is on a network, live or from a capture",
	.usage = "[--by BY] [-i IFACE]... [-r FILE] [INTERVAL [COUNT]] [FILTER]",
	.opts = stats_rows,
	.operand = &filter_operand,
	.size = sizeof(struct stats_opts),
	.run = stats_run,
	.examples = stats_examples,
};
