// SPDX-License-Identifier: GPL-2.0-or-later
/* policy watch: what became of each new connection, whose it was, and what the policies say of it. */
#include "cmd/policy_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/fields.h"
#include "filter/filter.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/time.h"

enum { TRACE_RATE = 100, ROOM = 1 << 15, TICK_MS = 50, FIRST_MS = 10000, WATCHED = FEED_ALL & ~FEED_KUBELET };
#define WAIT_NS UINT64_C(1000000000)
/* Until what changes on the node, and the counters of its rules, have been read. */
#define GRACE_NS UINT64_C(300000000)
#define ASK_NS UINT64_C(50000000)

/*
 * What begins, answers or refuses a connection, of either family; of IPv6 by the byte, for pcap-filter(7) has no names
 * for flags behind its header.
 */
static const char first_packets[] =
	"(tcp and ((ip and tcp[tcpflags] & (tcp-syn|tcp-rst) != 0) or (ip6 and ip6[53] & 6 != 0))) or udp or sctp or "
	"icmp or icmp6 or (ip6 and not tcp)";

/* ── what the node has ────────────────────────────────────────────────────── */

/* Not oftener than reading them costs a twentieth of our time. */
static int take_rules(struct policy_watch *w, const struct facts *facts, const struct feed_set *set)
{
	struct nf_rules was = w->ends.net.rules;
	uint64_t began_ns = time_now();
	int err;

	w->ends.net.rules = (struct nf_rules){ 0 };
	err = network_take_rules(&w->ends.net, facts);
	if (!err)
		causes_take(&w->causes, &was, &w->ends.net.rules, set->began_ns, set->ended_ns);
	nf_rules_free(&was);
	w->pause_ns = 20 * (time_now() - began_ns);
	return err;
}

/* All that has come.  What ends the feed has been said, and what was known stays. */
static int read_feed(struct policy_watch *w)
{
	int err = 0, n;

	do {
		struct facts facts = { 0 };
		struct feed_set set;

		n = feed_read(w->feed, &facts, &set);
		if (n > 0 && set.kinds & FEED_RULES)
			err = take_rules(w, &facts, &set);
		else if (n > 0 && set.kinds & FEED_KUBELET)
			err = ends_take_kubelet(&w->ends, &facts);
		else if (n > 0)
			err = ends_take_pods(&w->ends, &facts, &set);
		if (n > 0)
			w->known |= set.kinds;
		facts_free(&facts);
	} while (!err && n > 0);
	w->stage.fds[0] = feed_fd(w->feed);
	return err;
}

/* What the cluster has told.  What ends it has been said, and what was known stays. */
static int read_follow(struct policy_watch *w)
{
	int n = w->follow ? follow_read(w->follow, w->p) : 0;

	if (n > 0)
		w->ends.this_node = network_this_node(&w->ends.net.pods, w->p->k);
	w->stage.fds[2] = w->follow ? follow_fd(w->follow) : -1;
	return n == -ENOMEM ? n : 0;
}

static int on_feed(void *ctx)
{
	struct policy_watch *w = ctx;
	int err = read_feed(w);

	if (!err)
		err = read_follow(w);
	if (!err && w->trace)
		err = trace_read(w->trace, time_now());
	return err ? err : holding_release(w, time_now(), false);
}

/* The first of each, for as long as that takes on the largest of nodes; then without. */
static int await_feed(struct policy_watch *w)
{
	struct pollfd ready = { .events = POLLIN };
	int err = 0;

	for (int waited = 0; !err && (w->known & WATCHED) != WATCHED && waited < FIRST_MS; waited += TICK_MS) {
		ready.fd = feed_fd(w->feed);
		if (ready.fd < 0)
			break;
		poll(&ready, 1, TICK_MS);
		err = read_feed(w);
	}
	if (!err && (w->known & WATCHED) != WATCHED)
		warn("not all that this node has could be read: names and rules are missing");
	return err;
}

/* ── the stage ────────────────────────────────────────────────────────────── */

/* Until kubectl has listed all once, or the user wants to end: 1. */
static int await_follow(struct policy_watch *w)
{
	int n = 0;

	while (w->follow && n >= 0 && !follow_whole(w->follow)) {
		struct pollfd p[] = { { .fd = follow_fd(w->follow), .events = POLLIN },
				      { .fd = w->s.signals, .events = POLLIN } };

		while (poll(p, 2, -1) < 0 && errno == EINTR)
			;
		if (p[1].revents)
			return 1;
		n = follow_read(w->follow, w->p);
	}
	w->stage.fds[2] = w->follow ? follow_fd(w->follow) : -1;
	return n < 0 ? n : 0;
}

/* It may be somebody's terminal: until all is read a signal ends us, and what is in the kernel goes with us. */
static int read_objects(struct policy *p)
{
	sigset_t ends, were;
	int err;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &ends, &were);
	err = policy_read(p);
	sigprocmask(SIG_SETMASK, &were, NULL);
	return err;
}

static int begin(void *ctx)
{
	struct policy_watch *w = ctx;
	int err = read_objects(w->p);

	if (!err)
		err = await_follow(w);
	if (!err)
		err = policy_sound(w->p) ? -EINVAL : 0;
	if (!err)
		err = await_feed(w);
	if (err)
		return err;
	network_tell_missing(&w->ends.net);
	ends_note_nobody(&w->ends, &w->whom);
	return 0;
}

/* Which rule it was tell the counters, if they are read once more. */
static void ask_rules(struct policy_watch *w, uint64_t now_ns)
{
	uint64_t pause_ns = w->pause_ns > ASK_NS ? w->pause_ns : ASK_NS;

	if (!w->asks || now_ns < w->asked_ns + pause_ns)
		return;
	w->asks = false;
	w->asked_ns = now_ns;
	feed_ask(w->feed, FEED_RULES);
}

static int take_verdict(void *ctx, const struct verdict_conn *c)
{
	return holding_take(ctx, c, time_now());
}

static int take_frame(void *ctx, const struct frame *f)
{
	struct policy_watch *w = ctx;

	if (f->drop && (!strcmp(f->drop->hook, "nft") || !strcmp(f->drop->hook, "iptables"))) {
		causes_drop(&w->causes, f->time_ns, f->drop->location);
		w->asks = true;
		ask_rules(w, f->time_ns);
	}
	return verdict_frame(w->verdicts, f);
}

static int tick(void *ctx, uint64_t now_ns)
{
	struct policy_watch *w = ctx;

	int err;

	ask_rules(w, now_ns);
	err = w->trace ? trace_tick(w->trace, now_ns) : 0;
	if (err)
		return err;
	err = verdict_tick(w->verdicts, now_ns);
	return err ? err : holding_release(w, now_ns, false);
}

static int finish(void *ctx, uint64_t now_ns)
{
	struct policy_watch *w = ctx;

	int err = verdict_finish(w->verdicts, now_ns);

	return err ? err : holding_release(w, now_ns, true);
}

static int tell_untraced(struct policy_watch *w, uint64_t now_ns)
{
	struct trace_counts was = w->traced;
	int err = 0;

	trace_counts(w->trace, &w->traced);
	if (w->traced.evicted > was.evicted)
		err = pipeline_lost(&w->s.pipe, LOST_DECODE, "trace_table_full",
				    w->traced.evicted - was.evicted, now_ns, now_ns);
	if (!err && w->traced.overruns > was.overruns)
		err = pipeline_lost(&w->s.pipe, LOST_SOCKET, "trace_overrun", w->traced.overruns - was.overruns, now_ns,
				    now_ns);
	return err;
}

static int tell_lost(void *ctx, uint64_t now_ns)
{
	struct policy_watch *w = ctx;
	struct verdict_counts now;
	int err = 0;

	verdict_counts(w->verdicts, &now);
	if (now.evicted > w->told.evicted)
		err = pipeline_lost(&w->s.pipe, LOST_DECODE, "verdict_table_full", now.evicted - w->told.evicted,
				    now_ns, now_ns);
	if (!err && now.unread > w->told.unread)
		err = pipeline_lost(&w->s.pipe, LOST_DECODE, "headers_not_read", now.unread - w->told.unread, now_ns,
				    now_ns);
	if (!err && now.stray > w->told.stray)
		err = pipeline_lost(&w->s.pipe, LOST_DECODE, "drop_without_interface",
				    now.stray - w->told.stray, now_ns, now_ns);
	w->told = now;
	return err || !w->trace ? err : tell_untraced(w, now_ns);
}

static int wait_ms(void *ctx)
{
	struct policy_watch *w = ctx;
	struct verdict_counts now;

	verdict_counts(w->verdicts, &now);
	return now.waiting || w->asks || holding_count(w->holding) ? TICK_MS : -1;
}

/* ── options ──────────────────────────────────────────────────────────────── */

static uint32_t wanted_verdicts(const char *list)
{
	static const char *const words[] = {
		[WATCH_ALLOW] = "allow", [WATCH_DROP] = "drop", [WATCH_UNANSWERED] = "unanswered",
		[WATCH_MISMATCH] = "mismatch",
	};
	uint32_t wanted = 0;

	for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',')
		for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strlen(words[i]) == strcspn(at, ",") && !strncmp(at, words[i], strlen(words[i])))
				wanted |= 1u << i;
	return wanted ? wanted : 1u << WATCH_ALLOW | 1u << WATCH_DROP | 1u << WATCH_UNANSWERED;
}

static char *joined(const char *before, int argc, char **argv, const char *behind)
{
	struct buf b = { .max = 1 << 20 };

	buf_str(&b, before);
	for (int k = 0; k < argc; k++)
		buf_fmt(&b, "%s%s", k ? " " : "", argv[k]);
	buf_str(&b, behind);
	buf_chr(&b, '\0');
	if (!b.full)
		return b.p;
	buf_free(&b);
	return NULL;
}

/* The user's filter narrows what begins connections, and must be one by itself.  NULL, said. */
static char *filter_of(int argc, char **argv)
{
	owned_mem char *users = joined(" and (", argc, argv, ")");
	bool strict = false, inner = false;
	char *both;

	if (argc && users) {
		owned_mem char *alone = joined("", argc, argv, "");

		if (!alone || filter_check(alone, &strict, &inner))
			return NULL;
	}
	both = users ? joined(first_packets, 1, (char *[]){ argc ? users : "" }, "") : NULL;
	if (!both)
		fail(ENOMEM, "the filter");
	return both;
}

static void choose(struct policy_watch *w)
{
	const struct policy_opts *o = w->p->o;

	session_defaults(&w->ask, w->p->g);
	w->ask.iface = o->iface;
	if (!w->ask.iface.n)
		w->ask.iface.v[w->ask.iface.n++] = "any";
	w->ask.user = o->user;
	w->ask.capture.drops = true;
	w->ask.capture.snaplen = SNAPLEN_HEADERS;
	w->ask.until = "each new connection, once it is known what became of it; ^C ends";
	w->ask.output.records = true;
	w->s.pipe.limit = o->count;
	causes_begin(&w->causes);
	w->stage = (struct frame_stage){
		.begin = begin,
		.frame = take_frame,
		.tick = tick,
		.finish = finish,
		.lost = tell_lost,
		.wait_ms = wait_ms,
		.ready = on_feed,
		.fds = { -1, -1, -1, -1 },
		.ctx = w,
	};
	w->s.pipe.stage = &w->stage;
	w->wanted = wanted_verdicts(o->verdict);
}

/* --trace-rules */
static int start_trace(struct policy_watch *w)
{
	uint64_t rate = w->p->o->trace_rules == OPT_NO_NUMBER ? TRACE_RATE : w->p->o->trace_rules;
	struct trace_options o = { .rate = rate > TRACE_RATE_MAX ? TRACE_RATE_MAX : (uint32_t)rate, .tell = traces_take,
				   .room = 1024 };
	int err;

	if (!rate)
		return 0;
	err = traces_open(&w->traces);
	o.ctx = w->traces;
	if (!err)
		err = trace_open(&w->trace, &o);
	if (err)
		return err;
	w->stage.fds[1] = trace_fd(w->trace);
	note("tracing rules by the table inet %s, which goes with this", trace_table(w->trace));
	return 0;
}

/* --kubectl; an exit status */
static int start_follow(struct policy_watch *w)
{
	static const char *const kinds[] = { "pods", "namespaces", "networkpolicies" };
	int err = 0;

	w->p->follows = true;
	if (w->p->o->kubectl)
		err = follow_open(&w->follow, w->p->o->kubectl, kinds, sizeof(kinds) / sizeof(kinds[0]));
	if (w->follow)
		w->stage.fds[2] = follow_fd(w->follow);
	return exit_status(err);
}

static unsigned int private_fds(struct policy_watch *w)
{
	unsigned int n = feed_fds(w->feed, w->fds);

	if (w->follow)
		n += follow_fds(w->follow, w->fds + n);
	if (w->trace)
		w->fds[n++] = trace_fd(w->trace);
	return n;
}

/* Of CSV, unless -o chooses. */
static void choose_columns(struct policy_watch *w)
{
	static const uint16_t columns[] = {
		FIELD_TIME, FIELD_ACTION, FIELD_PV_ANSWER, FIELD_DIRECTION, FIELD_SRC_IP, FIELD_SRC_PORT,
		FIELD_PV_SRC_NS, FIELD_PV_SRC_POD, FIELD_DST_IP, FIELD_DST_PORT, FIELD_PV_DST_NS,
		FIELD_PV_DST_POD, FIELD_PV_DST_SERVICE, FIELD_PV_DST_NAT_IP, FIELD_PV_DST_NAT_PORT,
		FIELD_TRANSPORT, FIELD_INTERFACE, FIELD_PV_OUT_INTERFACE, FIELD_DROP_REASON,
		FIELD_DROP_LOCATION, FIELD_DROP_HOOK, FIELD_PV_DROP_INTERFACE, FIELD_PV_EXPECTED,
		FIELD_PV_MISMATCH, FIELD_RULE_NAME, FIELD_PV_RULESET, FIELD_PV_RULE, FIELD_PV_EVIDENCE,
	};
	struct output *out = &w->s.out;

	if (!w->p->g->csv || out->n_columns)
		return;
	output_columns(out, &policy_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	out->columns[out->n_columns++] = field_number(&lost_dataset, FIELD_LOST_COUNT);
}

/* Was what it goes by kept up to date to the end?  If not that has been said. */
static bool is_current(const struct policy_watch *w)
{
	return feed_fd(w->feed) >= 0 && (!w->follow || follow_fd(w->follow) >= 0);
}

static int watch(struct policy_watch *w, int argc, char **argv)
{
	struct verdict_options vo = {
		.room = ROOM, .wait_ns = WAIT_NS, .grace_ns = GRACE_NS, .seed = session_seed(),
		.tell = take_verdict, .ctx = w,
	};
	char *filter = filter_of(argc, argv), *words[] = { filter };
	int rc = filter ? session_check(&w->s, &w->ask, 1, words) : EXIT_USAGE;

	choose_columns(w);
	if (!rc)
		rc = session_netns(w->p->g, NULL);
	/* The kubelet has no pod that the cluster has not. */
	if (!rc)
		rc = exit_status(feed_open(&w->feed, NULL, w->p->o->kubectl ? WATCHED : FEED_ALL));
	if (!rc)
		w->stage.fds[0] = feed_fd(w->feed);
	if (!rc)
		rc = start_follow(w);
	if (!rc)
		rc = policy_open_files(w->p);
	if (!rc)
		rc = exit_status(start_trace(w));
	w->ask.private_fds = w->fds;
	w->ask.n_private_fds = rc ? 0 : private_fds(w);
	if (!rc)
		rc = exit_status(verdict_open(&w->verdicts, &vo));
	if (!rc)
		rc = exit_status(holding_open(&w->holding));
	if (!rc)
		rc = session_run(&w->s);
	if (!rc && !is_current(w))
		rc = EXIT_FAILED;
	verdict_close(w->verdicts);
	holding_close(w->holding);
	if (w->trace)
		trace_close(w->trace);
	traces_close(w->traces);
	feed_close(w->feed);
	follow_close(w->follow);
	session_free(&w->s);
	free(filter);
	return rc;
}

int policy_watch(struct policy *p, int argc, char **argv)
{
	struct policy_watch *w = calloc(1, sizeof(*w));
	struct where *where = NULL;
	int rc = EXIT_USAGE;

	if (!w)
		return exit_status(fail(ENOMEM, "policy watch"));
	w->p = w->ends.p = p;
	w->judges = p->n_files || p->o->kubectl;
	choose(w);
	if (w->wanted & 1u << WATCH_MISMATCH && !w->judges) {
		fail(0, "--verdict mismatch needs policies to judge by: --policies or --kubectl");
		free(w);
		return EXIT_USAGE;
	}
	if (!whom_take(&w->whom, (int)p->o->pods.n, (char **)(uintptr_t)p->o->pods.v) &&
	    !(p->o->where && where_compile(&where, p->o->where))) {
		w->s.pipe.where = where;
		rc = watch(w, argc, argv);
	}
	where_free(where);
	ends_free(&w->ends);
	free(w);
	return rc;
}
