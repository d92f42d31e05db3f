// SPDX-License-Identifier: GPL-2.0-or-later
#include "count/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "flows/flow.h"
#include "util/err.h"

enum { MAPS_OF_PROGRAM = 32 };

const char *const count_map_names[COUNT_MAPS] = {
	[COUNT_COUNTS] = "np_counts", [COUNT_TRANSPORTS] = "np_transports", [COUNT_SETTLED] = "np_settled",
	[COUNT_FIRST] = "np_first", [COUNT_PIECES] = "np_pieces", [COUNT_IFACES] = "np_ifaces",
	[COUNT_LOCKS] = "np_locks", [COUNT_CONF] = "np_conf",
};

static const uint32_t value_sizes[COUNT_READ] = {
	[COUNT_COUNTS] = sizeof(struct np_counts), [COUNT_TRANSPORTS] = sizeof(struct np_transports),
	[COUNT_SETTLED] = sizeof(struct np_flow_set), [COUNT_FIRST] = sizeof(struct np_flow_set),
	[COUNT_PIECES] = sizeof(struct np_piece_set),
};

bool count_uses(int prog, uint32_t map)
{
	uint32_t ids[MAPS_OF_PROGRAM] = { 0 }, n = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = MAPS_OF_PROGRAM, .map_ids = (uint64_t)(uintptr_t)ids };

	if (bpf_obj_get_info_by_fd(prog, &info, &n))
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_OF_PROGRAM; i++)
		if (ids[i] == map)
			return true;
	return false;
}

/* *entries: how many values there are.  Whoever made it: what is read later must lie inside what is mapped. */
static int map_one(struct count_view *v, enum count_map m, int fd, uint32_t *entries)
{
	struct bpf_map_info info = { 0 };
	uint32_t n = sizeof(info);
	void *at;

	if (bpf_obj_get_info_by_fd(fd, &info, &n))
		return fail(errno, "the map %s", count_map_names[m]);
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != value_sizes[m])
		return fail(0, "the map %s is not what it should be", count_map_names[m]), -EINVAL;
	v->size[m] = (size_t)info.value_size * info.max_entries;
	at = mmap(NULL, v->size[m], PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return fail(errno, "cannot read the map %s", count_map_names[m]);
	v->at[m] = at;
	*entries = info.max_entries;
	return 0;
}

int count_conf(int map, struct np_count_conf *conf)
{
	struct bpf_map_info info = { 0 };
	uint32_t n = sizeof(info), zero = 0;

	if (bpf_obj_get_info_by_fd(map, &info, &n))
		return fail(errno, "the map %s", count_map_names[COUNT_CONF]);
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(*conf))
		return fail(0, "the map %s is not what it should be", count_map_names[COUNT_CONF]), -EINVAL;
	return bpf_map_lookup_elem(map, &zero, conf) ? fail(errno, "the map %s", count_map_names[COUNT_CONF]) : 0;
}

static int map_conf(struct count_view *v, int fd)
{
	void *at = mmap(NULL, sizeof(*v->conf), PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return fail(errno, "cannot read the map %s", count_map_names[COUNT_CONF]);
	v->conf = at;
	return 0;
}

int count_map(struct count_view *v, const int maps[COUNT_MAPS])
{
	uint32_t n[COUNT_READ] = { 0 };
	struct np_count_conf conf;
	int err = count_conf(maps[COUNT_CONF], &conf);

	memset(v, 0, sizeof(*v));
	for (enum count_map m = 0; m < COUNT_READ && !err; m++)
		err = map_one(v, m, maps[m], &n[m]);
	if (!err)
		err = map_conf(v, maps[COUNT_CONF]);
	if (err) {
		count_unmap(v);
		return err;
	}
	v->since_ns = conf.since_ns;
	v->cpus = n[COUNT_TRANSPORTS] / NP_COUNT_DIRS;
	v->ifaces = v->cpus ? n[COUNT_COUNTS] / NP_COUNT_DIRS / v->cpus : 0;
	v->sets[0] = n[COUNT_SETTLED];
	v->sets[1] = n[COUNT_FIRST];
	count_clock(v);
	return 0;
}

void count_end(int conf_map)
{
	struct np_count_conf conf;
	uint32_t zero = 0;

	if (conf_map < 0 || count_conf(conf_map, &conf))
		return;
	conf.ended = 1;
	bpf_map_update_elem(conf_map, &zero, &conf, BPF_ANY);
}

bool count_has_ended(const struct count_view *v)
{
	return ((const volatile struct np_count_conf *)v->conf)->ended;
}

void count_unmap(struct count_view *v)
{
	if (v->conf)
		munmap((void *)(uintptr_t)v->conf, sizeof(*v->conf));
	for (enum count_map m = 0; m < COUNT_READ; m++)
		if (v->at[m])
			munmap((void *)(uintptr_t)v->at[m], v->size[m]);
	memset(v, 0, sizeof(*v));
}

/* ── clocks ───────────────────────────────────────────────────────────────── */

void count_clock(struct count_view *v)
{
	if (v->clock.id != CLOCK_MONOTONIC)
		host_clock_open(&v->clock, CLOCK_MONOTONIC);
	else
		host_clock_tick(&v->clock);
}

/* ── counters ─────────────────────────────────────────────────────────────── */

/* Everything of the struct up to the workspace is a 64-bit count, but for the clock in it. */
void count_sum(const struct count_view *v, uint32_t iface, enum np_count_dir dir, struct np_counts *sum)
{
	enum { COUNTS = offsetof(struct np_counts, clock_jiffies) / sizeof(uint64_t) };
	uint64_t *to = (uint64_t *)sum;

	for (uint32_t cpu = 0; cpu < v->cpus && iface < v->ifaces; cpu++) {
		const struct np_counts *c = v->at[COUNT_COUNTS];
		const volatile uint64_t *from =
			(const volatile uint64_t *)&c[(iface * v->cpus + cpu) * NP_COUNT_DIRS + dir];

		for (unsigned int i = 0; i < COUNTS; i++)
			to[i] += from[i];
	}
}

/* Later fragments have no transport header, and what is no IP has none either. */
bool count_is_malformed(unsigned int reading)
{
	return reading != NP_WHOLE && reading != NP_NOT_IP && reading != NP_FRAGMENT_LATER;
}

uint64_t count_malformed(const struct np_counts *c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < NP_READINGS_N; i++)
		sum += count_is_malformed(i) ? c->reading[i].packets : 0;
	return sum;
}

void count_transports(const struct count_view *v, struct np_transports *sum)
{
	const struct np_transports *t = v->at[COUNT_TRANSPORTS];

	for (uint32_t i = 0; i < v->cpus * NP_COUNT_DIRS; i++)
		for (unsigned int proto = 0; proto < 256; proto++) {
			sum->v[proto].packets += t[i].v[proto].packets;
			sum->v[proto].bytes += t[i].v[proto].bytes;
		}
}

/* ── flows ────────────────────────────────────────────────────────────────── */

static int each_of_set(const struct count_view *v, const struct np_flow_set *set, count_flow_fn fn, void *ctx)
{
	struct flow f;
	int rc = 0;

	for (unsigned int way = 0; way < NP_WAYS && !rc; way++) {
		uint32_t tag = *(const volatile uint32_t *)&set->tag[way];

		if (!tag)
			continue;
		f = set->flow[way];
		/* Another took its place meanwhile. */
		if (*(const volatile uint32_t *)&set->tag[way] != tag)
			continue;
		f.start_ns = host_clock_wall(&v->clock, f.start_ns);
		f.last_ns = host_clock_wall(&v->clock, f.last_ns);
		rc = fn(ctx, &f);
	}
	return rc;
}

int count_each_piece(const struct count_view *v, count_flow_fn fn, void *ctx)
{
	const struct np_piece_set *sets = v->at[COUNT_PIECES];
	size_t n = v->size[COUNT_PIECES] / sizeof(*sets) * NP_PIECES;
	struct flow_packet p = { 0 };
	struct flow f;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		const struct np_piece g = sets[i / NP_PIECES].v[i % NP_PIECES];

		if (!g.early_packets)
			continue;
		p.key = g.key;
		p.time_ns = host_clock_wall(&v->clock, g.time_ns);
		p.vlans = (uint8_t)g.vlans;
		p.vlan[0] = g.vlan[0];
		p.vlan[1] = g.vlan[1];
		flow_order(&p);
		flow_start(&f, &p);
		f.side[p.from].packets = g.early_packets;
		f.side[p.from].bytes = g.early_bytes;
		f.side[p.from].ttl_min = g.ttl;
		f.side[p.from].tos = g.tos;
		rc = fn(ctx, &f);
	}
	return rc;
}

int count_each(const struct count_view *v, count_flow_fn fn, void *ctx)
{
	int rc = 0;

	/* What settles goes from first to settled: in this order it is seen, if twice. */
	for (unsigned int first = 2; first-- > 0;) {
		const struct np_flow_set *sets = v->at[first ? COUNT_FIRST : COUNT_SETTLED];

		for (uint32_t i = 0; i < v->sets[first] && !rc; i++)
			rc = each_of_set(v, &sets[i], fn, ctx);
	}
	return rc;
}
