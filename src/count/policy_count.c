// SPDX-License-Identifier: GPL-2.0-or-later
#include "count/policy_count.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "count/policy_parts.h"
#include "kern/hook.h"
#include "kern/load.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { LOG_BYTES = 1 << 20, PODS = 512, POLICIES = 1024, DECISIONS = 16384, RING = 256 << 10, RING_MAX = 1 << 28 };
/* Rows: of none, of no decision and of the other end, and as many policies; both directions.  They take memory on each
 * CPU, and no more of it than this. */
enum { ROWS_OF_A_POD = 2 * (3 + 8), ROWS_MIN = 64, ROWS_BYTES = 32 << 20 };
enum { DECIDED_MAX = 4096 };
#define WAIT_NS UINT64_C(1000000000)

const char *const policy_count_other_names[NP_OTHERS_N] = {
#define NAME(id, name) [NP_OTHER_##id] = (name),
	NP_OTHERS(NAME)
#undef NAME
};

/* ── loading ──────────────────────────────────────────────────────────────── */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

struct place {
	const char *name;
	enum np_policy_place place;
};

/* The kernel's functions that free what they refuse; some compilers put one into another. */
static const struct place places[NP_POLICY_RANGES] = {
	{ "nf_hook_slow", NP_PLACE_NETFILTER },
	{ "do_xdp_generic", NP_PLACE_XDP },
	{ "netif_receive_generic_xdp", NP_PLACE_XDP },
	{ "veth_xdp_rcv_skb", NP_PLACE_XDP },
	{ "veth_xdp_rcv", NP_PLACE_XDP },
	{ "veth_poll", NP_PLACE_XDP },
};

/* The name, or a copy that the compiler made of it. */
static bool is_called(const char *symbol, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(symbol, name, n) && (!symbol[n] || (symbol[n] == '.' && !strstr(symbol + n, ".cold")));
}

/* One line of /proc/kallsyms: "address type name".  Zeros for who must not know them. */
static void take_symbol(struct np_policy_range *r, const char *line, bool ends)
{
	char *p, name[64], type;
	unsigned long long at = strtoull(line, &p, 16);

	if (!at || sscanf(p, " %c %63s", &type, name) != 2)
		return;
	for (int i = 0; i < NP_POLICY_RANGES; i++) {
		if (!ends && is_called(name, places[i].name) && (type == 't' || type == 'T'))
			r[i].from = at;
		if (ends && r[i].from && at > r[i].from && (!r[i].to || at < r[i].to))
			r[i].to = at;
	}
}

/* A function ends where the next begins; they are in no order.  What is not found stays empty. */
static void find_places(struct np_policy_range r[NP_POLICY_RANGES])
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[256];

	for (int i = 0; i < NP_POLICY_RANGES; i++)
		r[i].place = places[i].place;
	for (int ends = 0; f && ends < 2; ends++) {
		rewind(f);
		while (fgets(line, sizeof(line), f))
			take_symbol(r, line, ends);
	}
	if (f)
		fclose(f);
}

static uint32_t ring_size(uint64_t wanted)
{
	uint64_t n = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!wanted)
		wanted = RING;
	while (n < wanted && n < RING_MAX)
		n *= 2;
	return (uint32_t)n;
}

static void size_maps(struct policy_count *c, const struct policy_count_options *o)
{
	uint32_t pods = o->pods ? o->pods : PODS, policies = o->policies ? o->policies : POLICIES;
	uint64_t rows = (uint64_t)pods * ROWS_OF_A_POD + 2ull * policies;
	uint64_t most = ROWS_BYTES / (sizeof(struct np_policy_counts) * c->cpus);

	rows = rows < most ? rows : most;
	c->rows = (uint32_t)(rows > ROWS_MIN ? rows : ROWS_MIN);
	c->moved.max = c->waits.max = c->rows;
	bpf_map__set_max_entries(c->skel->maps.pod_metadata, pods);
	bpf_map__set_max_entries(c->skel->maps.policy_ifaces, pods);
	bpf_map__set_max_entries(c->skel->maps.active_policies, o->decisions ? o->decisions : DECISIONS);
	bpf_map__set_max_entries(c->skel->maps.policy_waiting, o->decisions ? o->decisions : DECISIONS);
	bpf_map__set_max_entries(c->skel->maps.policy_events, c->rows);
	bpf_map__set_max_entries(c->skel->maps.policy_asks, ring_size(o->ring_bytes));
}

/* With the drop hook, or without it. */
static int load(struct policy_count *c, const struct policy_count_options *o, bool drops, char *log)
{
	LIBBPF_OPTS(bpf_object_open_opts, oo, .kernel_log_buf = log, .kernel_log_size = LOG_BYTES);
	int err;

	c->skel = policy__open_opts(&oo);
	if (!c->skel)
		return errno ? -errno : -ENOMEM;
	size_maps(c, o);
	bpf_program__set_autoload(c->skel->progs.np_policy_drop, drops);
	c->skel->rodata->netns = (uint32_t)netns_inode();
	c->skel->rodata->sees_drops = drops;
	if (drops)
		find_places((struct np_policy_range *)(uintptr_t)c->skel->rodata->ranges);
	err = policy__load(c->skel);
	if (!err && drops) {
		c->drops = bpf_raw_tracepoint_open(NULL, bpf_program__fd(c->skel->progs.np_policy_drop));
		err = c->drops < 0 ? c->drops : 0;
	}
	if (!err)
		return 0;
	policy__destroy(c->skel);
	c->skel = NULL;
	c->drops = -1;
	return err;
}

static int load_most(struct policy_count *c, const struct policy_count_options *o)
{
	owned_mem char *log = calloc(1, LOG_BYTES);
	char reason[256];
	int err = -EOPNOTSUPP;

	if (!log)
		return fail(ENOMEM, "policy counters"), -ENOMEM;
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		err = load(c, o, true, log);
	if (err)
		err = load(c, o, false, log);
	if (!err)
		return 0;
	load_reason(reason, sizeof(reason), err, NEED_BPF | NEED_NET_ADMIN | NEED_PERFMON,
		    "the kernel refused the programs of the policy counters");
	fail(0, "%s", reason);
	if (o->debug && *log)
		note_log(log + (strlen(log) > 900 ? strlen(log) - 900 : 0));
	return err;
}

static int take_ask(void *ctx, void *data, size_t size)
{
	const struct policy_count *c = ctx;
	int err;

	if (size < sizeof(struct np_policy_ask))
		return 0;
	err = c->fn(c->ctx, data);
	return err < 0 ? err : 0;
}

int policy_count_open(struct policy_count **out, const struct policy_count_options *o)
{
	struct policy_count *c = calloc(1, sizeof(*c));
	int cpus = libbpf_num_possible_cpus(), err;

	if (!c || cpus < 1) {
		free(c);
		return fail(ENOMEM, "policy counters");
	}
	libbpf_set_print(quiet);
	c->cpus = (unsigned int)cpus;
	c->sockets = o->sockets;
	c->drops = -1;
	c->of_cpus = calloc(c->cpus, sizeof(*c->of_cpus));
	c->decided = calloc(DECIDED_MAX, sizeof(*c->decided));
	err = c->of_cpus && c->decided ? load_most(c, o) : fail(ENOMEM, "policy counters");
	if (!err && c->skel) {
		c->ring = ring_buffer__new(bpf_map__fd(c->skel->maps.policy_asks), take_ask, c, NULL);
		err = c->ring ? 0 : fail(errno, "policy counters");
	}
	if (err) {
		policy_count_close(c);
		return err;
	}
	*out = c;
	return 0;
}

bool policy_count_sees_drops(const struct policy_count *c)
{
	return c->drops >= 0;
}

/* ── pods and decisions ───────────────────────────────────────────────────── */

/* An earlier decision has no say on what came after the objects changed. */
static bool is_decided(const struct np_policy_waiting *w, const struct np_decision *d, unsigned int dir)
{
	return w->pod == d->side[dir].pod && (int32_t)(d->generation - w->generation) >= 0;
}

/* What waited for a decision goes where that says. */
static void collect_one(struct policy_count *c, const struct decided *d)
{
	int fd = bpf_map__fd(c->skel->maps.policy_waiting);
	const struct np_policy_waits none = { .end = { { 0 } } };
	struct np_policy_waits w;
	bool any = false;

	if (bpf_map_lookup_elem(fd, &d->waits, &w))
		return;
	for (unsigned int dir = 0; dir < NP_POLICY_DIRS; dir++) {
		unsigned int as = d->turned ? !dir : dir;

		if (!is_decided(&w.end[dir], &d->d, as))
			continue;
		moved_end(&c->moved, &d->d, as, dir, &w.end[dir]);
		w.end[dir] = none.end[dir];
		any = true;
	}
	if (any && !memcmp(w.end, none.end, sizeof(w.end)))
		bpf_map_delete_elem(fd, &d->waits);
	else if (any)
		bpf_map_update_elem(fd, &d->waits, &w, BPF_ANY);
}

/* Programs that found no decision may still be adding to what waits: not any more when they have ended. */
static void collect(struct policy_count *c)
{
	if (!c->n_decided)
		return;
	hook_wait();
	for (unsigned int i = 0; i < c->n_decided; i++)
		collect_one(c, &c->decided[i]);
	c->n_decided = 0;
}

/* What waits was decided by what the objects were. */
void policy_count_forget_all(struct policy_count *c)
{
	collect(c);
	c->skel->bss->generation++;
}

int policy_count_pod(struct policy_count *c, const struct np_pod_key *at, uint32_t pod)
{
	const struct np_pod value = { .pod = pod };

	if (pod == NP_POD_NONE || (at->family != 4 && at->family != 6))
		return -EINVAL;
	if (bpf_map_update_elem(bpf_map__fd(c->skel->maps.pod_metadata), at, &value, BPF_ANY))
		return -errno;
	policy_count_forget_all(c);
	return 0;
}

int policy_count_unpod(struct policy_count *c, const struct np_pod_key *at, uint32_t pod)
{
	int fd = bpf_map__fd(c->skel->maps.pod_metadata);
	struct np_pod now;

	if (bpf_map_lookup_elem(fd, at, &now) || now.pod != pod)
		return -ENOENT;
	if (bpf_map_delete_elem(fd, at))
		return -errno;
	policy_count_forget_all(c);
	return 0;
}

static uint32_t pod_of(const struct policy_count *c, const uint8_t addr[16], uint8_t family)
{
	struct np_pod_key key = { .family = family };
	struct np_pod pod;

	memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.pod_metadata), &key, &pod) ? NP_POD_NONE : pod.pod;
}

static bool is_side(const struct np_policy_side *s)
{
	if (s->verdict > NP_POLICY_DENIES || s->n > NP_SIDE_POLICIES || (s->verdict == NP_POLICY_SELECTS_NONE && s->n))
		return false;
	for (int i = 0; i < s->n; i++)
		if (s->policy[i] == NP_POLICY_NONE || s->policy[i] > NP_POLICY_LAST)
			return false;
	return true;
}

int policy_count_decide(struct policy_count *c, const struct np_policy_key *key, const struct np_decision *d,
			const struct np_policy_key *asked)
{
	int fd = bpf_map__fd(c->skel->maps.active_policies);
	struct np_decision value = *d;

	if (!is_side(&d->side[NP_POLICY_EGRESS]) || !is_side(&d->side[NP_POLICY_INGRESS]))
		return -EINVAL;
	value.asked = 0;
	value.generation = c->skel->bss->generation;
	value.side[NP_POLICY_EGRESS].pod = pod_of(c, key->src, key->family);
	value.side[NP_POLICY_INGRESS].pod = pod_of(c, key->dst, key->family);
	if (bpf_map_update_elem(fd, key, &value, BPF_ANY))
		return -errno;
	/* Whoever guessed that way finds nothing, and then the decision. */
	if (asked)
		bpf_map_delete_elem(fd, asked);
	if (c->n_decided == DECIDED_MAX)
		collect(c);
	c->decided[c->n_decided++] = (struct decided){ asked ? *asked : *key, value, asked };
	return 0;
}

bool policy_count_goes_to(const struct policy_count *c, const struct np_policy_key *key, uint8_t to[16],
			  uint16_t *port)
{
	struct np_policy_waits w;

	if (bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.policy_waiting), key, &w) || !w.to_known)
		return false;
	memcpy(to, w.to, sizeof(w.to));
	*port = w.to_port;
	return true;
}

int policy_count_undecide(struct policy_count *c, const struct np_policy_key *key)
{
	int fd = bpf_map__fd(c->skel->maps.active_policies);
	struct np_decision d;

	if (bpf_map_lookup_elem(fd, key, &d) || !d.asked)
		return 0;
	return bpf_map_delete_elem(fd, key) ? -errno : 0;
}

int policy_count_fd(const struct policy_count *c)
{
	return ring_buffer__epoll_fd(c->ring);
}

int policy_count_asks(struct policy_count *c, policy_count_ask_fn fn, void *ctx)
{
	c->fn = fn;
	c->ctx = ctx;
	return ring_buffer__consume(c->ring);
}

/* ── what was counted ─────────────────────────────────────────────────────── */

/* What was taken back before it is counted: see policy_abi.h. */
static void not_below_zero(__u64 *n)
{
	if ((int64_t)*n < 0)
		*n = 0;
}

static bool is_in_kernel(struct policy_count *c, const struct np_policy_row *row)
{
	return !bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.policy_events), row, c->of_cpus);
}

/* c->of_cpus, where the kernel has the row, and what was moved to it. */
static int tell_row(struct policy_count *c, const struct np_policy_row *row, bool in_kernel, policy_count_row_fn fn,
		    void *ctx)
{
	const struct np_policy_counts *moved = moved_find(&c->moved, row);
	struct np_policy_counts n = { 0 };

	for (unsigned int i = 0; in_kernel && i < c->cpus; i++)
		counts_add(&n, &c->of_cpus[i]);
	if (moved)
		counts_add(&n, moved);
	not_below_zero(&n.packets_allowed);
	not_below_zero(&n.bytes_allowed);
	not_below_zero(&n.first_allowed);
	not_below_zero(&n.packets_dropped);
	not_below_zero(&n.bytes_dropped);
	not_below_zero(&n.first_dropped);
	return fn(ctx, row, &n);
}

/* The row behind *row, or the first: false, there is none. */
static bool next_row(const struct policy_count *c, const struct np_policy_row *row, struct np_policy_row *next)
{
	return !bpf_map_get_next_key(bpf_map__fd(c->skel->maps.policy_events), row, next);
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void sum_waits(struct policy_count *c)
{
	int fd = bpf_map__fd(c->skel->maps.policy_waiting);
	uint32_t seen = 0, max = bpf_map__max_entries(c->skel->maps.policy_waiting);
	struct np_policy_key key, next;
	struct np_policy_waits w;
	uint64_t now_ns = clock_ns();

	moved_clear(&c->waits);
	for (bool more = !bpf_map_get_next_key(fd, NULL, &next); more && seen < max; seen++) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(fd, &key, &w))
			continue;
		/* What has waited long stays undecided. */
		if (now_ns > w.since_ns + WAIT_NS && !bpf_map_delete_elem(fd, &key))
			continue;
		for (unsigned int dir = 0; dir < NP_POLICY_DIRS; dir++) {
			const struct np_policy_row row = { .pod = w.end[dir].pod, .policy = NP_POLICY_WAITS,
							   .dir = (uint8_t)dir };

			if (w.end[dir].packets_allowed | w.end[dir].packets_dropped)
				moved_add(&c->waits, &row, &w.end[dir]);
		}
	}
}

/* After the rows: all that stands in these and waits is here then. */
static int tell_waits(struct policy_count *c, policy_count_row_fn fn, void *ctx)
{
	int err = 0;

	sum_waits(c);
	for (uint32_t i = 0; i < c->waits.room && !err; i++)
		if (c->waits.v[i].row.pod != NP_POD_NONE)
			err = fn(ctx, &c->waits.v[i].row, &c->waits.v[i].n);
	return err;
}

int policy_count_read(struct policy_count *c, policy_count_row_fn fn, void *ctx)
{
	struct np_policy_row row, next;
	uint32_t seen = 0;
	int err = 0;

	collect(c);
	for (bool more = next_row(c, NULL, &next); more && !err && seen < c->rows; seen++) {
		row = next;
		if (is_in_kernel(c, &row))
			err = tell_row(c, &row, true, fn, ctx);
		more = next_row(c, &row, &next);
	}
	for (uint32_t i = 0; i < c->moved.room && !err; i++)
		if (c->moved.v[i].row.pod != NP_POD_NONE && !is_in_kernel(c, &c->moved.v[i].row))
			err = tell_row(c, &c->moved.v[i].row, false, fn, ctx);
	return err ? err : tell_waits(c, fn, ctx);
}

int policy_count_forget_pod(struct policy_count *c, uint32_t pod)
{
	struct np_policy_row row, next;
	uint32_t seen = 0;

	for (bool more = next_row(c, NULL, &next); more && seen < c->rows; seen++) {
		row = next;
		more = next_row(c, &row, &next);
		if (row.pod == pod && bpf_map_delete_elem(bpf_map__fd(c->skel->maps.policy_events), &row))
			return -errno;
	}
	moved_forget(&c->moved, pod);
	return 0;
}

/* The kernel starts no tracing program that already runs on the CPU, and counts that. */
static uint64_t missed(const struct policy_count *c)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (c->drops < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(c->skel->progs.np_policy_drop), &info, &size))
		return 0;
	return info.recursion_misses;
}

int policy_count_other(struct policy_count *c, uint64_t n[NP_OTHERS_N])
{
	owned_mem uint64_t *v = calloc(c->cpus, sizeof(*v));

	if (!v)
		return -ENOMEM;
	memset(n, 0, NP_OTHERS_N * sizeof(*n));
	for (uint32_t i = 0; i < NP_OTHERS_N; i++) {
		if (bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.policy_other), &i, v))
			return -errno;
		for (unsigned int cpu = 0; cpu < c->cpus; cpu++)
			n[i] += v[cpu];
	}
	n[NP_OTHER_MISSED] += missed(c);
	return 0;
}

int policy_count_program(const struct policy_count *c, unsigned int which)
{
	const struct bpf_program *progs[POLICY_COUNT_PROGRAMS] = {
		c->skel->progs.np_policy_in, c->skel->progs.np_policy_out, c->skel->progs.np_policy_drop,
		c->skel->progs.np_policy_socket,
	};
	int fd = which < POLICY_COUNT_PROGRAMS ? bpf_program__fd(progs[which]) : -1;

	return fd < 0 ? -1 : fd;
}

void policy_count_close(struct policy_count *c)
{
	if (!c)
		return;
	policy_ifaces_let_go(c);
	if (c->drops >= 0)
		close(c->drops);
	ring_buffer__free(c->ring);
	policy__destroy(c->skel);
	free(c->of_cpus);
	free(c->decided);
	free(c->moved.v);
	free(c->waits.v);
	free(c);
}
