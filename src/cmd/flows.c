// SPDX-License-Identifier: GPL-2.0-or-later
/* flows: who talks to whom, how much and how well. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "cmd/flows_text.h"
#include "cmd/session.h"
#include "flows/fields.h"
#include "util/err.h"
#include "util/time.h"

#define EVERY_NS	1000000000ull		/* watch without INTERVAL */
enum { BAR_FROM = 100 };

/* How long it takes until what ended, or fell silent, is told of. */
#define CLOSED_NS	 5000000000ull
#define PIPE_FIRST_NS	60000000000ull
#define PIPE_SETTLED_NS 300000000000ull

struct flows_opts {
	struct strs iface;
	const char *read, *sort, *user, *where;
	uint64_t top, for_ns, idle_ns, active_ns;
	bool active, closed, ended, no_refresh;
};

#define F(member) offsetof(struct flows_opts, member)

#define SORT_WORDS OPT_WORDS("bytes", "packets", "rtt", "duration", "start", "rate")

static const struct opt flows_rows[] = {
	{ "interface", 'i', OPT_STRS, F(iface), "IFACE",
	  "count what passes on this interface; may be given again, may be a glob, or any (the default)" },
	{ "read", 'r', OPT_ONCE, F(read), "FILE",
	  "read a capture (pcap, pcapng, gzipped) in place of an interface; - is standard input" },
	{ "top", 0, OPT_UINT, F(top), "N", "only the N highest, by --sort (default bytes)" },
	{ "sort", 0, OPT_WORD, F(sort), "SORT", "order by this, the highest first; start: the oldest; rate: watch's",
	  SORT_WORDS },
	{ "active", 0, OPT_FLAG, F(active), NULL, "only those that are not over" },
	{ "closed", 0, OPT_FLAG, F(closed), NULL, "only TCP connections that are over" },
	{ "for", 0, OPT_TIME, F(for_ns), "TIME", "on an interface: list what was there after so long, and end" },
	{ "where", 0, OPT_STR, F(where), "EXPR", "only flows for which this holds: tcp.rtt > 100ms" },
	{ "idle-timeout", 0, OPT_TIME, F(idle_ns), "TIME",
	  "a flow that was silent for so long is over (from a pipe: default 60s, 5m when both ends have spoken)" },
	{ "active-timeout", 0, OPT_TIME, F(active_ns), "TIME",
	  "from a capture: a flow that goes on is told of every so long" },
	{ "user", 'Z', OPT_STR, F(user), "USER", "become USER (default nobody)" },
	{ .type = OPT_END },
};

static const struct opt watch_rows[] = {
	{ "no-refresh", 0, OPT_FLAG, F(no_refresh), NULL,
	  "print one table under the other, on a terminal as well" },
	{ "ended", 0, OPT_FLAG, F(ended), NULL, "in place of tables, a row for each flow when it is over" },
	{ "top", 0, OPT_UINT, F(top), "N", "only the N highest, by --sort (default rate)" },
	{ "sort", 0, OPT_WORD, F(sort), "SORT", "order by this, the highest first; start: the oldest", SORT_WORDS },
	{ .type = OPT_END },
};

static const char *const watch_without[] = { "read", "for", "idle-timeout", "active-timeout", NULL };

static const char flows_examples[] =
	"  sudo netprobe flows watch -i eth0                the busiest now, every second\n"
	"  sudo netprobe flows -i eth0                      what was there until you pressed ^C\n"
	"  sudo netprobe flows --top 20 --for 10s -i eth0   the largest of ten seconds\n"
	"  netprobe -j flows -r f.pcap                      the flows of a capture, as JSON lines\n";

static const char watch_examples[] =
	"  sudo netprobe flows watch -i eth0                the busiest conversations, every second\n"
	"  sudo netprobe flows watch --sort rtt -i eth0 5   those with the longest round trip, every five seconds\n"
	"  sudo netprobe -j flows watch --top 10 -i eth0    ten JSON lines a second, with rates\n";

/* For people; -o chooses others, and CSV has its own. */
static const uint16_t csv_columns[] = {
	FIELD_START, FIELD_END, FIELD_SRC_IP, FIELD_SRC_PORT, FIELD_DST_IP, FIELD_DST_PORT, FIELD_TRANSPORT,
	FIELD_FLOW_STATE, FIELD_SRC_PACKETS, FIELD_SRC_BYTES, FIELD_DST_PACKETS, FIELD_DST_BYTES, FIELD_SRC_TCP_FLAGS,
	FIELD_DST_TCP_FLAGS, FIELD_SRC_RETRANSMISSIONS, FIELD_DST_RETRANSMISSIONS, FIELD_TCP_HANDSHAKE_RTT,
	FIELD_TCP_RTT, FIELD_TUNNEL, FIELD_INTERFACE, FIELD_COMMUNITY_ID,
};

/* On a screen. */
static const struct session_sort sorts[] = {
	{ 'i', SORT_RATE, "rate", "i      order by bits per second in the interval" },
	{ 'b', SORT_BYTES, "bytes", "b      by bytes, of all that was counted" },
	{ 'p', SORT_PACKETS, "packets", "p      by packets" },
	{ 'r', SORT_RTT, "rtt", "r      by round trip" },
	{ 'd', SORT_DURATION, "duration", "d      by duration" },
	{ 's', SORT_START, "start", "s      by start, the oldest first" },
	{ 0 },
};

static int parse_sort(const struct flows_opts *o, bool watch, struct account_options *ao)
{
	static const char *const names[SORTS] = { "none", "bytes", "packets", "rtt", "duration", "start", "rate" };

	ao->top = (uint32_t)o->top;
	ao->choice = o->active ? CHOOSE_ACTIVE : o->closed ? CHOOSE_CLOSED : CHOOSE_ALL;
	ao->sort = o->ended ? SORT_NONE : watch ? SORT_RATE : o->top ? SORT_BYTES : SORT_NONE;
	if (o->active && o->closed)
		return fail(0, "--active and --closed exclude each other");
	if (o->top > UINT32_MAX)
		return fail(0, "--top: at most %u", UINT32_MAX);
	for (int i = SORT_BYTES; i < SORTS && o->sort; i++)
		if (!strcmp(o->sort, names[i]))
			ao->sort = (enum account_sort)i;
	if (ao->sort == SORT_RATE && !watch)
		return fail(0, "--sort rate: only flows watch has rates");
	return 0;
}

/* Does it end by itself?  A pipe may go on for ever. */
static bool is_regular(const char *path)
{
	struct stat st;

	return !(strcmp(path, "-") ? stat(path, &st) : fstat(STDIN_FILENO, &st)) && S_ISREG(st.st_mode);
}

static void choose_timeouts(const struct flows_opts *o, struct account_options *ao)
{
	struct flow_timeouts *t = &ao->table.timeouts;

	t->first = t->settled = o->idle_ns;
	if (!ao->stream)
		return;
	t->closed = CLOSED_NS;
	t->active = o->active_ns;
	if (!o->idle_ns && (!o->read || !is_regular(o->read))) {
		t->first = PIPE_FIRST_NS;
		t->settled = PIPE_SETTLED_NS;
	}
}

static int check(struct session *s, const struct flows_opts *o, bool watch, struct account_options *ao)
{
	if (watch && (o->read || o->for_ns || o->idle_ns || o->active_ns))
		return fail(0, "watch shows what passes now: not with -r, --for, --idle-timeout or --active-timeout");
	if (o->read && o->for_ns)
		return fail(0, "-r reads all of a file: --for is for live capture");
	if (parse_sort(o, watch, ao))
		return -EINVAL;
	ao->flows = true;
	ao->per_interface = !o->read;
	ao->stream = (o->read && !ao->sort) || o->ended;
	if (o->active_ns && !ao->stream)
		return fail(0, "--active-timeout is for flows that are told as they end: -r, without --sort and --top");
	if (o->read) {
		ao->table.settled = FLOWS_FILE_SETTLED;
		ao->table.first = FLOWS_FILE_FIRST;
	}
	choose_timeouts(o, ao);
	if (o->for_ns) {
		s->pipe.rows_every_ns = o->for_ns;
		s->pipe.rows_times = 1;
		s->pipe.rows_next_ns = time_now() + o->for_ns;
	}
	return 0;
}

/* watch [INTERVAL [COUNT]]: how many words these are; negative, said. */
static int check_watch(struct session *s, struct session_options *ask, const struct flows_opts *o, int argc,
		       char **argv)
{
	int n = session_times(&s->pipe, false, argc, argv);

	if (n < 0)
		return n;
	if (!s->pipe.rows_every_ns) {
		s->pipe.rows_every_ns = EVERY_NS;
		s->pipe.rows_stamped = true;
		s->pipe.rows_next_ns = time_now() + EVERY_NS;
	}
	ask->output.refresh = !o->no_refresh;
	ask->output.text.titles = flows_screen_titles;
	ask->output.text.bar_field = field_number(&flow_dataset, FIELD_FLOW_BPS);
	ask->output.text.bar_from = BAR_FROM;
	ask->sorts = sorts;
	return n;
}

/* --ended: no tables, and so nothing to sort and no intervals. */
static int check_ended(struct session *s, const struct flows_opts *o, int argc, char **argv)
{
	int n = session_times(&s->pipe, false, argc, argv);

	if (n < 0)
		return n;
	if (n || o->sort || o->top || o->active || o->closed || o->no_refresh)
		return fail(0, "--ended prints no tables: not with INTERVAL, --sort, --top, --active, --closed, "
			       "--no-refresh");
	s->pipe.ends_told = true;
	return 0;
}

static void tell_coverage(const struct account *a)
{
	char text[160];

	account_sum_text(a, text, sizeof(text));
	note("%s", text);
	account_coverage_text(a, text, sizeof(text));
	note("%s", text);
	if (account_past(a))
		note("%llu flow%s left out: over, or silent, for a while (--closed lists those that were closed)",
		     (unsigned long long)account_past(a), account_past(a) == 1 ? "" : "s");
}

/* What is there when the file or the run ends. */
static int list(struct session *s, struct account_options *ao)
{
	int rc;

	ao->seed = session_seed();
	rc = account_open(&s->pipe.account, ao);
	if (rc)
		return exit_status(rc);
	rc = session_run(s);
	if (!rc || s->pipe.frames)
		tell_coverage(s->pipe.account);
	account_close(s->pipe.account);
	return rc;
}

static int run(struct session *s, const struct session_options *ask, struct account_options *ao, int argc, char **argv)
{
	struct flows_text *text = ask->output.text.line_state;
	int rc = session_check(s, ask, argc, argv);

	if (rc)
		return rc;
	text->tables = text->rates && text->header && !s->out.refreshes;
	text->header = text->header && !text->rates;
	if (ask->g->csv)
		output_columns(&s->out, &flow_dataset, csv_columns, sizeof(csv_columns) / sizeof(csv_columns[0]));
	return list(s, ao);
}

/* Of --for all is counted anew; flows that fall silent at other times than the kernel's are counted here. */
static void choose_counts(struct session_options *ask, const struct session *s, const struct flows_opts *o)
{
	if (o->read)
		return;
	if (!o->idle_ns)
		ask->counts = o->for_ns ? COUNTS_OF_RUN : COUNTS_KEPT;
	if (!s->pipe.rows_every_ns && !s->pipe.ends_told)
		ask->until = "counting: ^C prints the flows";
}

static int flows_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct flows_opts *o = opts;
	struct flows_text text = { .header = !g->no_header, .width = output_width() };
	struct session_options ask = { .iface = o->iface, .read = o->read, .user = o->user,
				       .capture.snaplen = o->read ? 0 : SNAPLEN_COUNTING,
				       .output.text = { .line = flows_line, .line_state = &text } };
	struct account_options ao = { 0 };
	struct session s = { 0 };
	struct where *where = NULL;
	int rc, times = 0;
	bool watch;

	watch = g->verb && g->verb->data;
	text.rates = watch && !o->ended;
	session_defaults(&ask, g);
	if (check(&s, o, watch, &ao))
		return EXIT_USAGE;
	if (o->ended) {
		times = check_ended(&s, o, argc, argv);
	} else if (watch) {
		times = check_watch(&s, &ask, o, argc, argv);
		ao.rates_ns = s.pipe.rows_next_ns - s.pipe.rows_every_ns;
	}
	choose_counts(&ask, &s, o);
	ask.sort = ao.sort;
	ask.top = ao.top;
	if (times < 0 || (o->where && where_compile(&where, o->where)))
		return EXIT_USAGE;
	s.pipe.where = where;
	rc = session_netns(g, NULL);
	if (!rc)
		rc = run(&s, &ask, &ao, argc - times, argv + times);
	session_free(&s);
	where_free(where);
	return rc;
}

static const bool watches = true;

static const struct command flows_verbs[] = {
	{
		.name = "list",
		.summary = "List what was there in the end",
		.usage = "[-i IFACE]... [-r FILE] [OPTION]... [FILTER]",
		.operand = &filter_operand,
		.run = flows_run,
		.examples = flows_examples,
	},
	{
		.name = "watch",
		.summary = "Show who talks to whom now, again after each interval",
		.usage = "[-i IFACE]... [OPTION]... [INTERVAL [COUNT]] [FILTER]",
		.opts = watch_rows,
		.without = watch_without,
		.operand = &filter_operand,
		.run = flows_run,
		.data = &watches,
		.examples = watch_examples,
	},
	{ .name = NULL },
};

const struct command cmd_flows = {
	.name = "flows",
	.summary = "List conversations: who talks to whom, how much and how well, live or from a capture",
	.usage = "[list|watch] [-i IFACE]... [-r FILE] [OPTION]... [FILTER]",
	.opts = flows_rows,
	.operand = &filter_operand,
	.size = sizeof(struct flows_opts),
	.verbs = flows_verbs,
	.run = flows_run,
	.examples = flows_examples,
};
