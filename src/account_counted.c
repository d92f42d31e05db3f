// SPDX-License-Identifier: GPL-2.0-or-later
/* What programs of the kernel have counted, in place of frames: read when rows are told, and once a second. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account_parts.h"
#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "stats/fields.h"
#include "util/err.h"

#define SHOWN_NS 60000000000ull		/* what is over is shown for so long */

struct looked {
	struct np_counts (*was)[NP_COUNT_DIRS];	/* of each interface, when it was looked at last */
	uint32_t n;
	struct np_transports transports;
	struct np_counts sum;			/* of all, now */
	uint64_t evicted_before, left_before;	/* when the run began */
};

_Static_assert((int)NP_SIZES == (int)SIZES && (int)NP_VERSIONS == (int)VERSIONS, "the kernel's classes are ours");
_Static_assert((int)NP_FLAG_CLASSES == (int)FLAG_CLASSES + 1, "these too, and packets without TCP");

static uint64_t packets_of(const struct np_tally *t, unsigned int n)
{
	uint64_t sum = 0;

	while (n--)
		sum += t[n].packets;
	return sum;
}

static uint64_t bytes_of(const struct np_tally *t, unsigned int n)
{
	uint64_t sum = 0;

	while (n--)
		sum += t[n].bytes;
	return sum;
}

static void add(struct np_counts *sum, const struct np_counts *c)
{
	enum { COUNTS = offsetof(struct np_counts, clock_jiffies) / sizeof(uint64_t) };
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)c;

	for (unsigned int i = 0; i < COUNTS; i++)
		to[i] += from[i];
}

/* ── a row for each of something ────────────────────────────────────────────── */

/* What has come since the last look, or since counting began. */
static void take_row(struct account *a, const struct tally_key *k, const struct np_tally *now,
		     const struct np_tally *was, uint64_t since_ns)
{
	uint64_t first = a->tally->told_ns ? a->tally->told_ns : since_ns;

	if (now->packets > was->packets)
		tally_add(a->tally, k, now->packets - was->packets, now->bytes - was->bytes,
			  first ? first : a->last_ns, a->last_ns);
}

static void take_classes(struct account *a, const struct np_tally *now, const struct np_tally *was, unsigned int n)
{
	struct tally_key k = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		k.class = (uint8_t)i;
		take_row(a, &k, &now[i], &was[i], a->counted->since_ns);
	}
}

static void take_iface(struct account *a, const struct counted_iface *i, enum np_count_dir dir,
		       const struct np_counts *now, const struct np_counts *was)
{
	const struct np_tally n = { packets_of(now->version, NP_VERSIONS), bytes_of(now->version, NP_VERSIONS) };
	const struct np_tally w = { packets_of(was->version, NP_VERSIONS), bytes_of(was->version, NP_VERSIONS) };
	struct tally_key k = { .name = i->iface };

	k.direction = dir == NP_COUNT_IN ? DIR_INGRESS : DIR_EGRESS;
	take_row(a, &k, &n, &w, a->counted->views[i->view].since_ns);
}

static void take_transports(struct account *a, const struct np_transports *now, const struct np_counts *sum,
			    const struct np_counts *sum_was)
{
	struct looked *l = a->looked;
	struct tally_key k = { 0 };

	for (unsigned int i = 0; i < 256; i++) {
		k.proto = (uint8_t)i;
		take_row(a, &k, &now->v[i], &l->transports.v[i], a->counted->since_ns);
	}
	k.proto = 0;
	k.by_name = true;
	for (unsigned int v = VERSION_ARP; v < VERSIONS; v++) {
		k.name = version_names[v];
		take_row(a, &k, &sum->version[v], &sum_was->version[v], a->counted->since_ns);
	}
}

static void take_counts(struct account *a, const struct counted_iface *i, enum np_count_dir dir,
			const struct np_counts *now, const struct np_counts *was)
{
	if (a->opt.by == BY_IFACE)
		take_iface(a, i, dir, now, was);
	if (a->opt.by == BY_SIZE)
		take_classes(a, now->size, was->size, NP_SIZES);
	if (a->opt.by == BY_FLAGS)
		take_classes(a, now->flags, was->flags, NP_FLAG_CLASSES);
}

/* ── counters ───────────────────────────────────────────────────────────────── */

static int more_interfaces(struct looked *l, uint32_t n)
{
	void *more = n > l->n ? realloc(l->was, n * sizeof(*l->was)) : l->was;

	if (!more)
		return n ? fail(ENOMEM, "counters") : 0;
	l->was = more;
	if (n > l->n)
		memset(l->was + l->n, 0, (n - l->n) * sizeof(*l->was));
	l->n = n;
	return 0;
}

static void take_malformed(struct account *a, const struct np_counts *c)
{
#define NAME(id, name) [NP_##id] = name,
	static const char *const names[NP_READINGS_N] = { NP_READINGS(NAME) };
#undef NAME
	a->rare.n_malformed = 0;
	a->totals.undecoded = count_malformed(c);
	for (unsigned int i = 1; i < NP_READINGS_N; i++) {
		if (!c->reading[i].packets || !count_is_malformed(i))
			continue;
		if (a->rare.n_malformed < MALFORMED_MAX)
			a->rare.malformed[a->rare.n_malformed++] =
				(struct named_count){ names[i], c->reading[i].packets };
	}
}

static void take_totals(struct account *a, const struct np_counts *c, const struct np_transports *transports)
{
	struct totals *t = &a->totals;

	t->packets = packets_of(c->version, NP_VERSIONS);
	t->bytes = bytes_of(c->version, NP_VERSIONS);
	t->frames = c->frames;
	t->frame_bytes = c->frame_bytes;
	t->fragments = c->fragments.packets;
	t->tagged = c->tagged.packets;
	t->tunnelled = c->tunnelled.packets;
	t->n_flows = c->flows;
	t->in_kernel = true;
	t->first_ns = a->counted->since_ns;
	t->last_ns = a->last_ns;
	for (unsigned int i = 0; i < 256; i++)
		t->transport[i] = transports->v[i].packets;
	for (unsigned int i = 0; i < VERSIONS; i++)
		t->version[i] = c->version[i].packets;
	for (unsigned int i = 0; i < SIZES; i++)
		t->size[i] = c->size[i].packets;
	for (unsigned int i = 0; i < FLAG_CLASSES; i++)
		t->tcp_flags[i] = c->flags[i].packets;
	take_malformed(a, c);
	a->packets = t->packets;
	a->in_none = c->in_none;
}

static int look_at_counters(struct account *a)
{
	const struct counted *c = a->counted;
	struct looked *l = a->looked;
	struct np_counts sum_was = l->sum;
	struct np_transports transports = { 0 };
	int err = more_interfaces(l, c->n);

	memset(&l->sum, 0, sizeof(l->sum));
	for (uint32_t i = 0; i < c->n && !err; i++)
		for (enum np_count_dir dir = 0; dir < NP_COUNT_DIRS; dir++) {
			struct np_counts now = { 0 };

			counted_sum(c, i, dir, &now);
			add(&l->sum, &now);
			take_counts(a, &c->ifaces[i], dir, &now, &l->was[i][dir]);
			l->was[i][dir] = now;
		}
	for (uint32_t i = 0; i < c->n_views; i++)
		count_transports(&c->views[i], &transports);
	if (a->opt.by == BY_TRANSPORT)
		take_transports(a, &transports, &l->sum, &sum_was);
	l->transports = transports;
	take_totals(a, &l->sum, &transports);
	return err;
}

/* ── flows ──────────────────────────────────────────────────────────────────── */

/* Four bits for each tunnel, the outermost first (bpf/count.bpf.c): as lists of names have them. */
static uint8_t tunnel_number(struct account *a, uint8_t bits)
{
#define NAME(id, name) [NP_TUNNEL_##id] = name,
	static const char *const names[NP_TUNNELS_N] = { NP_TUNNELS(NAME) };
#undef NAME
	const char *list[2];
	unsigned int n = 0;

	for (; bits && n < 2; bits >>= 4)
		list[n++] = names[(bits & 15) < NP_TUNNELS_N ? bits & 15 : NP_TUNNEL_NONE];
	return tunnels_number(&a->tunnels, list, n);
}

/* In front of each of the flow's packets: the link header, with tags. */
static uint64_t link_bytes(const struct account *a, const struct flow *f)
{
	enum { ETHERNET = 14, TAG = 4 };
	const struct iface *i = f->key.iface && f->key.iface <= a->counted->n ?
					a->counted->ifaces[f->key.iface - 1].iface :
					NULL;

	return i && i->link == LINK_ETHERNET ? ETHERNET + TAG * f->vlans : 0;
}

/* Hosts and ports are those of the outermost header; bytes are those on the wire, as far as headers tell. */
static void take_ends(struct account *a, const struct flow *f, uint64_t packets, uint64_t bytes)
{
	struct tally_key k = { 0 };

	bytes += packets * link_bytes(a, f);

	if (f->key.tunnel || !packets)
		return;
	if (a->opt.by == BY_PORT && f->key.has_ports) {
		k.proto = f->key.proto;
		k.port = f->key.port[!f->initiator];
		tally_add(a->tally, &k, packets, bytes, f->start_ns, f->last_ns);
	}
	for (unsigned int end = 0; end < 2 && a->opt.by == BY_HOST; end++) {
		k.host = flow_addr(&f->key, end);
		if (!end || memcmp(f->key.addr[0], f->key.addr[1], sizeof(f->key.addr[0])) != 0)
			tally_add(a->tally, &k, packets, bytes, f->start_ns, f->last_ns);
	}
}

static int look_at_flow(void *ctx, const struct flow *f)
{
	struct account *a = ctx;
	struct flow mine = *f;
	struct flow_was was;
	uint64_t packets = f->side[0].packets + f->side[1].packets, bytes = f->side[0].bytes + f->side[1].bytes;
	int rc;

	if (!packets)
		return 0;
	if (f->key.tunnel)
		mine.key.tunnel = tunnel_number(a, f->key.tunnel);
	rc = flow_table_update(a->table, &mine, &was);
	if (a->tally && packets > was.packets)
		take_ends(a, &mine, packets - was.packets, bytes > was.bytes ? bytes - was.bytes : 0);
	return rc;
}

/* In a look those with the same ends are one, which may shrink: their ports may come to be known. */
static int look_at_piece(void *ctx, const struct flow *f)
{
	struct account *a = ctx;
	struct flow mine = *f;

	if (f->key.tunnel)
		mine.key.tunnel = tunnel_number(a, f->key.tunnel);
	return flow_table_update_sum(a->table, &mine);
}

/* Rows of hosts and ports take fragments when their ports are known. */
static int look_at_flows(struct account *a, bool clock_was_set)
{
	int rc;

	flow_table_look(a->table, clock_was_set);
	rc = counted_each(a->counted, look_at_flow, a);
	if (!rc && !a->tally)
		rc = counted_each_piece(a->counted, look_at_piece, a);
	return rc ? rc : flow_table_looked(a->table);
}

/* ── what the others call ───────────────────────────────────────────────────── */

int account_look(struct account *a, uint64_t now_ns)
{
	bool clock_was_set = counted_clock(a->counted);
	int rc;

	a->last_ns = now_ns ? now_ns : a->last_ns;
	rc = look_at_counters(a);
	return rc || !a->table ? rc : look_at_flows(a, clock_was_set);
}

int account_counted(struct account *a, struct counted *c)
{
	struct flow_table_options *o = &a->opt.table;
	int err = 0;

	a->looked = calloc(1, sizeof(*a->looked));
	if (!a->looked)
		return fail(ENOMEM, "counters");
	a->counted = c;
	if (!a->table && a->opt.by != BY_HOST)
		return 0;
	counted_room(c, &o->settled, &o->first, &a->counted_bytes);
	if (a->opt.stream) {
		o->timeouts.first = c->views[0].conf->idle_first_ns;
		o->timeouts.settled = c->views[0].conf->idle_settled_ns;
		o->timeouts.tcp = c->views[0].conf->idle_tcp_ns;
	}
	flow_table_close(a->table);
	a->table = NULL;
	err = account_open_table(a);
	if (!err && a->rates.v) {
		rates_close(&a->rates);
		err = rates_open(&a->rates, a->table, a->opt.rates_ns);
	}
	return err;
}

static int tell_nobody(void *ctx, struct tally_row *row, uint64_t ns)
{
	return 0;
}

/* What was counted before is of no interval, and what ended then is told by nobody. */
int account_counted_begin(struct account *a, uint64_t now_ns)
{
	int err;

	a->fn = NULL;
	err = account_look(a, now_ns);
	a->looked->evicted_before = a->looked->sum.evicted;
	a->looked->left_before = a->looked->sum.left_flows;
	if (!err && a->tally)
		err = tally_each(a->tally, 1, tell_nobody, NULL, now_ns);
	a->totals.told_packets = a->totals.packets;
	a->totals.told_bytes = a->totals.bytes;
	if (!err && a->rates.v)
		rates_tell(&a->rates, a->table, now_ns);
	return err || !a->opt.stream ? err : flow_table_tell_ended(a->table, now_ns, true);
}

int account_counted_tick(struct account *a, uint64_t now_ns)
{
	int rc;

	if (!a->opt.stream)
		return 0;
	rc = account_look(a, now_ns);
	return rc ? rc : flow_table_tell_ended(a->table, now_ns, false);
}

void account_counted_close(struct account *a)
{
	if (a->looked)
		free(a->looked->was);
	free(a->looked);
}

uint64_t account_counted_evicted(const struct account *a)
{
	return a->looked->sum.evicted - a->looked->evicted_before;
}

static int add_packets(void *ctx, const struct flow *f)
{
	*(uint64_t *)ctx += f->side[0].packets + f->side[1].packets;
	return 0;
}

/* Those that came and went between two looks: pushed out, or followed by another of the same ends. */
static uint64_t untold(const struct account *a)
{
	uint64_t left = a->looked->sum.left_flows - a->looked->left_before;
	struct flow_counts seen;

	flow_table_counts(a->table, &seen);
	return left > seen.left ? left - seen.left : 0;
}

void account_counted_coverage(const struct account *a, struct account_coverage *c)
{
	const struct np_counts *sum = &a->looked->sum;
	uint64_t there = 0;

	if (a->table)
		flow_table_each(a->table, add_packets, &there);
	c->packets = a->packets;
	c->in_none = a->in_none;
	c->flows = sum->flows;
	c->inner_flows = sum->inner_flows;
	c->counted = there + sum->left.packets;
	c->missed_flows = a->opt.stream ? untold(a) : sum->left_flows;
	c->missed_packets = a->opt.stream ? 0 : sum->left.packets;
	c->flows_max = a->opt.table.settled + a->opt.table.first;
	c->bytes_max = a->counted_bytes;
}

/* What was silent for as long as the programs wait is over, as in ended_before() of bpf/count_flow.h. */
bool account_is_past(const struct account *a, const struct flow *f)
{
	const struct np_count_conf *conf;
	uint64_t most;

	if (!a->counted)
		return false;
	conf = a->counted->views[0].conf;
	most = flow_is_settled(f) ? conf->idle_settled_ns : conf->idle_first_ns;
	if (f->key.proto == PROTO_TCP && f->state == FLOW_ESTABLISHED)
		most = conf->idle_tcp_ns;
	if (flow_is_over(f))
		most = SHOWN_NS;
	return time_since(a->last_ns, f->last_ns) > most;
}
