// SPDX-License-Identifier: GPL-2.0-or-later
/* stats: packets counted, records gathered into fewer rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "cmd/beside.h"
#include "cmd/session.h"
#include "cmd/stats.h"
#include "cmd/stats_text.h"
#include "stats/devices.h"
#include "stats/fields.h"
#include "util/err.h"
#include "util/time.h"

struct stats_opts {
	struct strs iface, policies;
	const char *by, *read, *user, *where, *kubectl;
	uint64_t top;
	bool prom, waterfall, no_refresh;
};

#define S(member) offsetof(struct stats_opts, member)

static const struct opt stats_rows[] = {
	{ "by", 0, OPT_WORD, S(by), "BY", "a row for each of these; one for everything without it",
	  OPT_WORDS("iface", "proto", "transport", "host", "port", "size", "flags", "vlan", "tunnel", "device") },
	{ "top", 0, OPT_UINT, S(top), "N", "only the N rows with most bytes" },
	{ "waterfall", 0, OPT_FLAG, S(waterfall), NULL,
	  "what the kernel counts in each layer that packets pass, and where they were lost" },
	{ "where", 0, OPT_STR, S(where), "EXPR", "only rows for which this holds: 'stats.bytes > 1M'" },
	{ "prom", 0, OPT_FLAG, S(prom), NULL, "OpenMetrics text, as Prometheus and others take it" },
	{ "policies", 0, OPT_STRS, S(policies), "FILE",
	  "with --prom or JSON: also packets of this node's pods by the network policies in these objects" },
	{ "kubectl", 0, OPT_OPTSTR, S(kubectl), "PROGRAM",
	  "the same by those of the cluster, as this kubectl gets them" },
	{ "no-refresh", 0, OPT_FLAG, S(no_refresh), NULL,
	  "print one table under the other, on a terminal as well" },
	{ "interface", 'i', OPT_STRS, S(iface), "IFACE",
	  "listen on this interface; may be given again, may be a glob, or any (the default)" },
	{ "read", 'r', OPT_ONCE, S(read), "FILE",
	  "read a capture (pcap, pcapng, gzipped) in place of an interface; - is standard input" },
	{ "user", 'Z', OPT_STR, S(user), "USER", "become USER (default nobody)" },
	{ .type = OPT_END },
};

static const char stats_examples[] =
	"  sudo netprobe stats -i eth0 1                    packets, bytes and rates, every second\n"
	"  sudo netprobe stats --by host --top 10 -i eth0 5 the ten hosts with most bytes\n"
	"  netprobe stats --by proto -r f.pcap              what was spoken, by contents and not by ports\n"
	"  netprobe -j stats -r f.pcap                      what a capture holds, in one record\n"
	"  netprobe stats -r f.pcap 10                      the same after every ten seconds of it\n"
	"  sudo netprobe stats --by host --prom -i eth0 60  OpenMetrics text, every minute\n"
	"  sudo netprobe stats --by device -i eth0          the devices of a network, when you press ^C\n"
	"  sudo netprobe stats --by device -i eth0 60       the same every minute\n"
	"  netprobe -j stats --by device -r f.pcap          those in a capture, as JSON lines\n"
	"  netprobe stats --waterfall -i eth0 1             which layers lose packets now\n"
	"  sudo netprobe stats memory                       what netprobe itself holds on this host\n";

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
	{ "proto", BY_PROTO, &stats_dataset, { FIELD_PROTOCOL, FIELD_TRANSPORT, COUNTED }, NULL },
	{ "transport", BY_TRANSPORT, &stats_dataset, { FIELD_TRANSPORT, COUNTED }, NULL },
	{ "host", BY_HOST, &stats_dataset, { FIELD_STATS_HOST, COUNTED }, NULL },
	{ "port", BY_PORT, &stats_dataset, { FIELD_TRANSPORT, FIELD_STATS_PORT, COUNTED }, NULL },
	{ "size", BY_SIZE, &stats_dataset, { FIELD_STATS_SIZE_CLASS, COUNTED }, NULL },
	{ "flags", BY_FLAGS, &stats_dataset, { FIELD_STATS_FLAGS_CLASS, COUNTED }, NULL },
	{ "vlan", BY_VLAN, &stats_dataset, { FIELD_VLAN, COUNTED }, NULL },
	{ "tunnel", BY_TUNNEL, &stats_dataset, { FIELD_TUNNEL, COUNTED }, NULL },
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

/* On a screen: what rows can be ordered by, and a bar of what each has of all bits. */
enum { BAR_FROM = 64 };

static const struct session_sort sorts[] = {
	{ 'b', SORT_BYTES, "bytes", "b      order by bytes, of all that was counted" },
	{ 'p', SORT_PACKETS, "packets", "p      by packets" },
	{ 'i', SORT_RATE, "rate", "i      by bits per second in the interval" },
	{ 's', SORT_START, "start", "s      by when it was first seen" },
	{ 0 },
};

static void choose_screen(struct session_options *ask, const struct by *by, const struct stats_opts *o,
			  struct stats_text *text)
{
	struct sink_options *t = &ask->output.text;

	if (!by->name) {
		t->line = stats_block;
		t->line_state = text;
		t->titles = stats_width;
	} else if (!by->open) {
		ask->sorts = sorts;
		ask->sort = SORT_BYTES;
		ask->top = (uint32_t)o->top;
		t->bar_field = field_number(by->set, FIELD_STATS_BPS);
		t->bar_from = BAR_FROM;
	}
}

/* Rows of intervals begin with their time, where there is more than one interval to be seen. */
static void choose_columns(struct session *s, const struct by *by)
{
	const struct output_options *o = &s->o->output;
	uint16_t columns[1 + sizeof(by->columns) / sizeof(by->columns[0])] = { FIELD_TIME };
	unsigned int n = s->pipe.rows_stamped && !s->out.refreshes;

	if (o->g->json || o->g->pretty || o->prom || o->text.line)
		return;
	for (const uint16_t *p = by->columns; *p != NONE; p++)
		columns[n++] = *p;
	output_columns(&s->out, by->set, columns, n);
}

/* For people, unless there is another form or -o chooses. */
static void choose_text(struct session_options *ask, const struct globals *g, const struct by *by, bool intervals,
			struct stats_text *text)
{
	if (g->json || g->pretty || g->csv || g->fields || ask->output.prom)
		return;
	ask->output.text.people = true;
	if (by->name || intervals)
		return;
	text->width = output_width();
	ask->output.text.line = stats_block;
	ask->output.text.line_state = text;
}

/* Devices are told by records of these datasets, in packets of this filter. */
struct tellers {
	uint64_t kinds;
	char filter[1024];
};

static void find_tellers(struct tellers *t)
{
	size_t n = 0;

	for (unsigned int i = 0; i < n_datasets && n < sizeof(t->filter); i++) {
		if (!datasets[i]->identify)
			continue;
		t->kinds |= dataset_bit(datasets[i]);
		n += (size_t)snprintf(t->filter + n, sizeof(t->filter) - n, n ? " or %s" : "%s",
				      datasets[i]->tells_filter);
	}
}

static int open_rows(struct session *s, const struct by *by, const struct stats_opts *o, uint64_t kinds)
{
	struct account_options ao = { .by = by->account, .top = (uint32_t)o->top, .seed = session_seed() };
	struct decode_options d = { .mode = DECODE_MESSAGES, .kinds = kinds, .seed = session_seed(),
				    .no_answer = !o->read };
	int err;

	if (!by->open)
		return account_open(&s->pipe.account, &ao);
	err = by->open(&s->pipe.gather, session_seed());
	return err ? err : decode_open(&s->pipe.decode, &d);
}

/* Hosts and ports are those of the conversations that the kernel's table has, or had when it was looked at. */
static void tell_in_none(const struct session *s, const struct by *by)
{
	struct account_coverage c;

	if (!s->pipe.account || (by->account != BY_HOST && by->account != BY_PORT))
		return;
	account_coverage(s->pipe.account, &c);
	if (c.missed_packets)
		note("up to %llu packet%s in no row: their flows left the table, or the same ends began anew",
		     (unsigned long long)c.missed_packets, c.missed_packets == 1 ? " is" : "s are");
}

/* Told where it is a record or lines, not a row of a table with other columns. */
static int open_firewall(struct session *s, const struct by *by, const struct stats_opts *o,
			 struct stats_firewall **f)
{
	const struct output_options *out = &s->o->output;

	if (o->read || by->open || out->g->fields || out->g->csv ||
	    !(out->g->json || out->g->pretty || out->prom || out->text.line))
		return 0;
	return stats_firewall_open(f, &o->iface);
}

/* Rows that are not account's. */
struct others {
	struct stats_firewall *firewall;
	struct beside *policies;
};

static int other_rows(void *ctx, uint64_t now_ns, record_fn fn, void *fn_ctx)
{
	const struct others *o = ctx;
	int err = o->firewall ? stats_firewall_rows(o->firewall, now_ns, fn, fn_ctx) : 0;

	return err || !o->policies ? err : beside_rows(o->policies, now_ns, fn, fn_ctx);
}

static bool wants_policies(const struct stats_opts *o)
{
	return o->policies.n || o->kubectl;
}

static int open_policies(struct session *s, struct session_options *ask, const struct stats_opts *o,
			 struct beside **policies)
{
	int err = wants_policies(o) ? beside_open(policies, ask->g, &o->policies, o->kubectl) : 0;

	if (!*policies)
		return err;
	s->pipe.stage = beside_stage(*policies);
	ask->private_fds = beside_fds(*policies, &ask->n_private_fds);
	return 0;
}

static int gather_all(struct session *s, struct session_options *ask, const struct by *by, const struct stats_opts *o,
		      uint64_t kinds)
{
	struct others others = { 0 };
	struct where *where = NULL;
	int rc = o->where && where_compile(&where, o->where) ? EXIT_USAGE : EXIT_DONE;

	s->pipe.where = where;
	if (!rc)
		rc = exit_status(open_rows(s, by, o, kinds));
	if (!rc)
		rc = exit_status(open_firewall(s, by, o, &others.firewall));
	if (!rc)
		rc = exit_status(open_policies(s, ask, o, &others.policies));
	if (others.firewall || others.policies) {
		s->pipe.beside = other_rows;
		s->pipe.beside_ctx = &others;
	}
	if (!rc)
		rc = session_run(s);
	s->pipe.beside = NULL;
	s->pipe.beside_ctx = NULL;
	s->pipe.stage = NULL;
	stats_firewall_close(others.firewall);
	beside_close(others.policies);
	tell_in_none(s, by);
	if (s->pipe.rows_left_out)
		note("%llu row%s left out, of intervals without packets", (unsigned long long)s->pipe.rows_left_out,
		     s->pipe.rows_left_out == 1 ? "" : "s");
	if (s->pipe.gather)
		s->pipe.gather->close(s->pipe.gather);
	decode_close(s->pipe.decode);
	account_close(s->pipe.account);
	where_free(where);
	return rc;
}

static int run_waterfall(const struct globals *g, const struct stats_opts *o, const struct pipeline *times,
			 const char *other)
{
	struct waterfall_options w = { .iface = &o->iface, .prom = o->prom, .every_ns = times->rows_every_ns,
				       .times = times->rows_times };
	int rc;

	if (o->by || o->top || o->read || o->user || o->where || o->no_refresh || wants_policies(o)) {
		fail(0, "--waterfall has no --by, --top, --where, --policies, --kubectl, --no-refresh, -r and -Z: "
			"the kernel has counted");
		return EXIT_USAGE;
	}
	if (other && *other >= '0' && *other <= '9') {
		fail(0, "--waterfall: '%s' is no INTERVAL [COUNT] (10, 250ms, 1m)", other);
		return EXIT_USAGE;
	}
	if (other) {
		fail(0, "--waterfall has no filter ('%s'): the kernel has counted already", other);
		return EXIT_USAGE;
	}
	rc = session_netns(g, NULL);
	return rc ? rc : stats_waterfall(g, &w);
}

static int check_policies(const struct globals *g, const struct stats_opts *o, const struct by *by)
{
	if (!wants_policies(o))
		return 0;
	if (o->read || by->open)
		return fail(0, "--policies and --kubectl count packets of this node: not with -r, nor --by device");
	if (g->fields || g->csv || !(g->json || g->pretty || o->prom))
		return fail(0, "--policies and --kubectl want --prom, -j or -p; netprobe policy counters has a table");
	return 0;
}

static int stats_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct stats_opts *o = opts;
	const struct by *by = find_by(o->by);
	struct session_options ask = { .iface = o->iface, .read = o->read, .user = o->user };
	struct session s = { 0 };
	struct stats_text text = { 0 };
	struct tellers t = { 0 };
	int rc, times;

	times = session_times(&s.pipe, o->read, argc, argv);
	if (times < 0)
		return EXIT_USAGE;
	argc -= times;
	argv += times;
	if (o->waterfall)
		return run_waterfall(g, o, &s.pipe, argc ? argv[0] : NULL);
	if (o->top && !o->by) {
		fail(0, "--top wants --by: there is one row");
		return EXIT_USAGE;
	}
	if (by->open && (argc || o->top)) {
		fail(0, "--by device has no filter and no --top");
		return EXIT_USAGE;
	}
	if (check_policies(g, o, by))
		return EXIT_USAGE;
	ask.output.prom = o->prom;
	ask.output.refresh = s.pipe.rows_every_ns && !o->read && !o->no_refresh;
	ask.output.text.series = s.pipe.rows_every_ns;
	choose_text(&ask, g, by, s.pipe.rows_every_ns, &text);
	session_defaults(&ask, g);
	ask.capture.apps_only = by->open;
	if (!o->read && !by->open && account_in_kernel(by->account))
		ask.counts = wants_policies(o) ? COUNTS_OF_RUN : COUNTS_KEPT;
	if (!o->read && !s.pipe.rows_every_ns)
		ask.until = "listening: ^C prints the table";
	if (by->open) {
		find_tellers(&t);
		session_ship_headers(&ask, t.kinds, NULL, 0);
	} else if (by->account == BY_PROTO) {
		session_ship_headers(&ask, UINT64_MAX, NULL, 0);
	} else if (!o->read) {
		ask.capture.snaplen = SNAPLEN_COUNTING;
	}
	rc = session_netns(g, NULL);
	if (!rc)
		rc = by->open ? session_check(&s, &ask, 1, (char *[]){ t.filter, NULL }) :
				session_check(&s, &ask, argc, argv);
	if (!rc && s.out.refreshes)
		choose_screen(&ask, by, o, &text);
	if (!rc) {
		choose_columns(&s, by);
		rc = gather_all(&s, &ask, by, o, t.kinds);
	}
	vendors_close(vendors);
	session_free(&s);
	return rc;
}

static int memory_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	return stats_memory(g);
}

static const struct command verbs[] = {
	{ .name = "memory", .summary = "What netprobe itself holds: maps, programs, pinned state, processes",
	  .run = memory_run, .alone = true },
	{ 0 },
};

const struct command cmd_stats = {
	.name = "stats",
	.summary = "Count and list what is on a network, live or from a capture",
	.usage = "memory | [--by BY | --waterfall] [-i IFACE]... [-r FILE] [INTERVAL [COUNT]] [FILTER]",
	.opts = stats_rows,
	.operand = &filter_operand,
	.size = sizeof(struct stats_opts),
	.run = stats_run,
	.examples = stats_examples,
	.verbs = verbs,
};
