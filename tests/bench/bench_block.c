// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_block ROUNDS hot|random: nanoseconds that the firewall adds to a program at XDP that drops at once, and that its
 * peer adds: "ours peer", a line a round.
 *   hot     one source, which an entry drops; other entries are of a network and of a port.  The peer is xdp-filter's
 *           program with all its features, of what xdp-tools has installed, with an entry that drops the same
 *   random  100,000 prefixes and packets from everywhere, half of them covered.  The peer is a trie of the kernel's own
 *           (BPF_MAP_TYPE_LPM_TRIE) with the same prefixes, and a program that does nothing but ask it and count
 * The programs of ours are those of block.bpf.c (tests/bpf/block_bench.bpf.c), with the maps of a set that was loaded.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/block.h"
#include "rules/compile.h"

#include "block_bench.skel.h"

enum { FRAME = 60, PREFIXES = 100000, SOURCES = 1 << 18, XDP_DROPPED = 1, LOOPBACK = 1 };

static const char xdp_filter[] = "bpf/xdpfilt_alw_all.o";
static const char *const folders[] = { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64",
				       "/usr/lib" };
static const uint32_t source = 0x0a000001;

static void die(const char *what)
{
	fprintf(stderr, "bench_block: %s\n", what);
	exit(1);
}

static uint32_t rnd(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32);
}

/* ── the sets ─────────────────────────────────────────────────────────────── */

static void add(struct rules *r, uint32_t addr, uint8_t plen, uint16_t port)
{
	struct np_rule rule = { .kind = NP_KIND_V4, .plen = plen, .dir = NP_SRC, .action = NP_DROP };
	bool same;

	addr = htonl(addr);
	memcpy(rule.addr, &addr, sizeof(addr));
	if (port) {
		rule.flags = NP_RULE_PROTO | NP_RULE_PORT;
		rule.proto = 6;
		rule.port_lo = rule.port_hi = port;
	}
	if (rules_add(r, &rule, &same))
		die("entries");
}

/* As many of each length as tables of routes and lists of addresses have. */
static uint8_t random_length(void)
{
	uint32_t n = rnd() % 100;

	return n < 55 ? 24 : n < 65 ? 23 : n < 75 ? 22 : n < 80 ? 20 : n < 83 ? 16 : 32;
}

static void make_rules(struct rules *r, bool random)
{
	if (rules_init(r))
		die("entries");
	if (!random) {
		add(r, source, 32, 0);
		add(r, 0xc0a80000, 16, 0);
		add(r, 0, 0, 25);
	}
	for (uint32_t i = 0; random && i < PREFIXES; i++) {
		uint8_t plen = random_length();

		add(r, rnd() & ~0u << (32 - plen), plen, 0);
	}
}

static void load_set(struct block_set *set, struct rules *r)
{
	struct block_image image = { .rules = r->v };
	struct compiled c;

	if (rules_compile(&c, r, (uint64_t)rnd() << 32 | rnd()))
		die("tables");
	for (int t = 0; t < NP_TABLES; t++)
		image.buckets[t] = c.buckets[t];
	image.index = c.index;
	image.conds = c.conds;
	image.entries = c.entries;
	image.text = r->text.p;
	image.steps = c.runs.steps;
	image.n_steps = c.runs.n_steps;
	image.runs = c.runs.v;
	image.n_runs = c.runs.n;
	image.n_conds = c.n_conds;
	image.n_entries = c.n_entries;
	image.conf = c.conf;
	image.conf.counts_tests = 1;
	image.state_key = c.conf.key;
	image.meta = (struct np_set_meta){ .n_rules = r->n, .text_bytes = (uint32_t)r->text.n };
	if (block_load(set, &image, BLOCK_XDP, NULL, true))
		die("the firewall");
	compiled_free(&c);
}

/* The bench's programs get the maps that those of the set have. */
static void share_maps(struct block_bench *b, int prog)
{
	uint32_t ids[64], n = sizeof(struct bpf_prog_info), size, zero = 0;
	struct bpf_prog_info info = { .map_ids = (uint64_t)(uintptr_t)ids, .nr_map_ids = 64 };
	struct bpf_map_info what;
	struct bpf_map *map;

	if (bpf_obj_get_info_by_fd(prog, &info, &n))
		die("the firewall's program");
	for (uint32_t i = 0; i < info.nr_map_ids; i++) {
		int fd = bpf_map_get_fd_by_id(ids[i]);

		memset(&what, 0, sizeof(what));
		size = sizeof(what);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &what, &size))
			die("the firewall's maps");
		map = bpf_object__find_map_by_name(b->obj, what.name);
		if (map && bpf_map__reuse_fd(map, fd))
			die("the firewall's maps");
		if (what.value_size == sizeof(b->rodata->conf) && strstr(what.name, ".rodata") &&
		    bpf_map_lookup_elem(fd, &zero, (void *)(uintptr_t)&b->rodata->conf))
			die("the firewall's constants");
		close(fd);
	}
	if (block_put_key(b->progs.bench_ours, NP_KEY_TABLE, b->rodata->conf.key) ||
	    block_put_key(b->progs.bench_same_ours, NP_KEY_TABLE, b->rodata->conf.key))
		die("the key of the tables");
	if (block_bench__load(b))
		die("the kernel refuses the programs");
}

static void fill_random(struct block_bench *b, const struct rules *r)
{
	int trie = bpf_map__fd(b->maps.bench_trie), sources = bpf_map__fd(b->maps.bench_sources);

	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t key[2] = { r->v[i].plen };
		uint64_t count[2] = { 0 };

		memcpy(&key[1], r->v[i].addr, sizeof(key[1]));
		if (bpf_map_update_elem(trie, key, count, 0))
			die("the trie");
	}
	for (uint32_t i = 0; i < SOURCES; i++) {
		const struct np_rule *rule = &r->v[rnd() % r->n];
		uint32_t addr, host = rule->plen == 32 ? 0 : rnd() >> rule->plen;

		memcpy(&addr, rule->addr, sizeof(addr));
		addr = rnd() & 1 ? addr | htonl(host) : rnd();
		if (bpf_map_update_elem(sources, &i, &addr, 0))
			die("the sources");
	}
}

/* xdp-filter's own program, its maps here and not where it pins them.  -1: it is not installed. */
static int open_xdp_filter(void)
{
	uint32_t addr = htonl(source), by_source = 1;
	int cpus = libbpf_num_possible_cpus();
	struct bpf_object *obj = NULL;
	struct bpf_map *map;
	char path[128];
	uint64_t *value;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !obj; i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], xdp_filter);
		obj = access(path, R_OK) ? NULL : bpf_object__open_file(path, NULL);
	}
	if (!obj)
		return -1;
	bpf_object__for_each_map(map, obj)
		bpf_map__set_pin_path(map, NULL);
	value = calloc((size_t)(cpus > 0 ? cpus : 1), sizeof(*value));
	if (!value || bpf_object__load(obj))
		die("the kernel refuses xdp-filter's program");
	for (int i = 0; i < cpus; i++)
		value[i] = by_source;
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(obj, "filter_ipv4"), &addr, value, 0))
		die("xdp-filter's map");
	free(value);
	return bpf_program__fd(bpf_object__next_program(obj, NULL));
}

/* ── runs ─────────────────────────────────────────────────────────────────── */

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What takes nanoseconds shows in the gaps between whatever else the machine does; what goes through memory is long. */
struct timing {
	int n, repeat;
	bool must_drop;
};
static const struct timing hot_runs = { .n = 225, .repeat = 20000, .must_drop = true };
static const struct timing random_runs = { .n = 9, .repeat = 500000 };

static double run(int prog, const struct timing *t)
{
	static const uint8_t frame[FRAME] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
		0, 99, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = FRAME, .repeat = t->repeat);
	double before = cpu_ns();

	if (bpf_prog_test_run_opts(prog, &o))
		die("the kernel does not run the programs");
	if (t->must_drop && o.retval != XDP_DROPPED)
		die("a program does not drop the packet");
	return (cpu_ns() - before) / t->repeat;
}

/* The least of a few, for nothing makes it faster than it is; each beside the one that only drops. */
static void compare(int bare, const int progs[2], const struct timing *t)
{
	double least[3] = { 0 };

	for (int i = 0; i < t->n; i++)
		for (int k = 0; k < 3; k++) {
			double ns = run(k == 2 ? bare : progs[k], t);

			if (!i || ns < least[k])
				least[k] = ns;
		}
	printf("%.2f %.2f\n", least[0] - least[2], least[1] - least[2]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5;
	bool random = argc > 2 && !strcmp(argv[2], "random");
	int bare, progs[2], filter = random ? 0 : open_xdp_filter();
	struct block_bench *b = block_bench__open();
	struct block_set set;
	struct rules r;

	if (filter < 0) {
		fprintf(stderr, "no %s of xdp-tools\n", xdp_filter);
		return 77;
	}
	if (!b)
		die("the BPF objects");
	make_rules(&r, random);
	load_set(&set, &r);
	share_maps(b, set.prog);
	if (random)
		fill_random(b, &r);
	bare = bpf_program__fd(random ? b->progs.bench_bare : b->progs.bench_same_bare);
	progs[0] = bpf_program__fd(random ? b->progs.bench_ours : b->progs.bench_same_ours);
	progs[1] = random ? bpf_program__fd(b->progs.bench_peer) : filter;
	for (uint32_t i = 0; i < rounds; i++)
		compare(bare, progs, random ? &random_runs : &hot_runs);
	block_bench__destroy(b);
	block_close(&set);
	rules_free(&r);
	return 0;
}
