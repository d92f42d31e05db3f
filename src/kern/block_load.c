// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/block.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "block.skel.h"
#include "kern/load.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { METER_SETS = 16384, LOG_BYTES = 1 << 20, PAGE = 4096 };


static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

static uint32_t at_least_one(uint64_t n)
{
	return n ? (uint32_t)n : 1;
}

static void size_maps(struct block *skel, const struct block_image *image, unsigned int cpus)
{
	struct bpf_map *tables[] = { skel->maps.np_allow_src, skel->maps.np_allow_dst, skel->maps.np_block_src,
				     skel->maps.np_block_dst };

	for (int t = 0; t < NP_TABLES; t++)
		bpf_map__set_max_entries(tables[t], image->buckets[t] ? (uint32_t)image->index[t].mask + 1 : 1);
	bpf_map__set_max_entries(skel->maps.np_index, NP_TABLES);
	bpf_map__set_max_entries(skel->maps.np_steps, at_least_one(image->n_steps));
	bpf_map__set_max_entries(skel->maps.np_runs, at_least_one((image->n_runs + 1) / 2));
	bpf_map__set_max_entries(skel->maps.np_conds, at_least_one(image->n_conds));
	bpf_map__set_max_entries(skel->maps.np_entries, at_least_one(image->n_entries));
	bpf_map__set_max_entries(skel->maps.np_rules, at_least_one(image->n_entries));
	bpf_map__set_max_entries(skel->maps.np_hits, at_least_one(image->n_entries));
	bpf_map__set_max_entries(skel->maps.np_text, at_least_one((image->meta.text_bytes + PAGE - 1) / PAGE));
	bpf_map__set_max_entries(skel->maps.np_recent, cpus * NP_RECENT);
	bpf_map__set_max_entries(skel->maps.np_stats, cpus);
	bpf_map__set_max_entries(skel->maps.np_probe, cpus);
	bpf_map__set_max_entries(skel->maps.np_tuples, cpus);
	bpf_map__set_max_entries(skel->maps.np_meters, METER_SETS);
	bpf_map__set_max_entries(skel->maps.np_frags, 2 * NP_FRAG_SETS);
	bpf_map__set_max_entries(skel->maps.np_log, cpus * NP_LOG_PACKETS);
	bpf_map__set_max_entries(skel->maps.np_log_cpus, cpus);
}

/* n bytes into the map; it is mapped only for that. */
static int fill(const struct bpf_map *map, const void *from, size_t n)
{
	void *to;

	if (!n)
		return 0;
	to = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (to == MAP_FAILED)
		return fail(errno, "cannot fill the map %s", bpf_map__name(map));
	memcpy(to, from, n);
	munmap(to, n);
	return 0;
}

static int fill_maps(const struct block *skel, const struct block_image *image)
{
	const struct bpf_map *tables[] = { skel->maps.np_allow_src, skel->maps.np_allow_dst,
					   skel->maps.np_block_src, skel->maps.np_block_dst };
	int err = 0;

	for (int t = 0; t < NP_TABLES && !err; t++)
		if (image->buckets[t])
			err = fill(tables[t], image->buckets[t], (image->index[t].mask + 1) * sizeof(struct np_bucket));
	if (!err)
		err = fill(skel->maps.np_index, image->index, NP_TABLES * sizeof(*image->index));
	if (!err)
		err = fill(skel->maps.np_steps, image->steps, image->n_steps * sizeof(*image->steps));
	if (!err)
		err = fill(skel->maps.np_runs, image->runs, image->n_runs * sizeof(*image->runs));
	if (!err)
		err = fill(skel->maps.np_conds, image->conds, image->n_conds * sizeof(*image->conds));
	if (!err)
		err = fill(skel->maps.np_entries, image->entries, image->n_entries * sizeof(*image->entries));
	if (!err)
		err = fill(skel->maps.np_rules, image->rules, image->n_entries * sizeof(*image->rules));
	if (!err)
		err = fill(skel->maps.np_text, image->text, image->meta.text_bytes);
	if (!err)
		err = fill(skel->maps.np_set_meta, &image->meta, sizeof(image->meta));
	return err;
}

static struct bpf_program *choose(const struct block *skel, enum block_hook hook)
{
	return hook == BLOCK_XDP ? skel->progs.np_block_xdp :
	       hook == BLOCK_IN	 ? skel->progs.np_block_in :
				   skel->progs.np_block_out;
}

static uint64_t jiffies_of(unsigned int seconds)
{
	struct timespec t;

	/* A jiffy is the resolution of the coarse clocks. */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &t) || !t.tv_nsec)
		return seconds * 100ull;
	return seconds * 1000000000ull / (uint64_t)t.tv_nsec;
}

/* An instruction that loads 64 bits at once takes two places. */
static void replace(struct bpf_insn *v, size_t n, uint64_t from, uint64_t to, unsigned int *found)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (v[i].code != (BPF_LD | BPF_DW) || v[i].src_reg || (uint32_t)v[i].imm != (uint32_t)from ||
		    (uint32_t)v[i + 1].imm != from >> 32)
			continue;
		v[i].imm = (int32_t)(uint32_t)to;
		v[i + 1].imm = (int32_t)(to >> 32);
		++*found;
	}
}

int block_put_key(struct bpf_program *prog, struct np_hash_key from, struct np_hash_key to)
{
	const struct {
		uint64_t from, to;
	} rows[] = { { from.seed, to.seed }, { from.first, to.first }, { from.second, to.second } };
	size_t n = bpf_program__insn_cnt(prog);
	owned_mem struct bpf_insn *v = malloc(n * sizeof(*v));

	if (!v)
		return fail(ENOMEM, "firewall");
	memcpy(v, bpf_program__insns(prog), n * sizeof(*v));
	for (size_t i = 0; i < 3; i++) {
		unsigned int found = 0;

		replace(v, n, rows[i].from, rows[i].to, &found);
		if (!found)
			return fail(0, "the BPF object does not hold the key of its tables"), -EINVAL;
	}
	return bpf_program__set_insns(prog, v, n) ? fail(errno, "the BPF object") : 0;
}

static int put_keys(const struct block *skel, const struct block_image *image, enum block_hook hook)
{
	struct bpf_program *prog = choose(skel, hook);
	int err = block_put_key(prog, NP_KEY_TABLE, image->conf.key);

	return err ? err : block_put_key(prog, NP_KEY_STATE, image->state_key);
}

static int load_skeleton(struct block *skel, const struct block_image *image, enum block_hook hook, char *log,
			 bool debug)
{
	struct bpf_program *p;
	char reason[256];
	int err;

	memcpy((void *)&skel->rodata->conf, &image->conf, sizeof(image->conf));
	skel->rodata->conf.meter_mask = METER_SETS - 1;
	skel->rodata->conf.frag_jiffies = jiffies_of(NP_FRAG_SECONDS);
	skel->rodata->conf.log_jiffies = jiffies_of(NP_LOG_SECONDS);
	bpf_object__for_each_program(p, skel->obj)
		bpf_program__set_autoload(p, p == choose(skel, hook));
	err = block__load(skel);
	if (!err)
		return 0;
	load_reason(reason, sizeof(reason), err, NEED_BPF | NEED_NET_ADMIN | NEED_PERFMON,
		    "the kernel refused the firewall");
	fail(0, "%s", reason);
	if (debug && *log)
		note("%s", log + (strlen(log) > 2000 ? strlen(log) - 2000 : 0));
	return err;
}

/* What the program does not look at; some kernels also leave out what it looks at in no way that counts. */
static int bind_maps(const struct block *skel, int prog)
{
	const struct bpf_map *maps[] = { skel->maps.np_rules, skel->maps.np_text, skel->maps.np_set_meta,
					 skel->maps.np_hits, skel->maps.np_recent, skel->maps.np_guard,
					 skel->maps.np_meters, skel->maps.np_frags, skel->maps.np_log,
					 skel->maps.np_log_cpus, skel->maps.np_log_readers };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (bpf_prog_bind_map(prog, bpf_map__fd(maps[i]), NULL))
			return fail(errno, "cannot keep the set with its program (Linux 5.10 is needed)");
	return 0;
}

static int share(struct block *skel, const struct block_set *old)
{
	const struct {
		struct bpf_map *map;
		enum block_map which;
	} rows[] = {
		{ skel->maps.np_stats, BLOCK_STATS }, { skel->maps.np_meters, BLOCK_METERS },
		{ skel->maps.np_frags, BLOCK_FRAGS }, { skel->maps.np_log, BLOCK_LOG },
		{ skel->maps.np_log_cpus, BLOCK_LOG_CPUS }, { skel->maps.np_log_readers, BLOCK_LOG_READERS },
	};

	for (size_t i = 0; old && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (bpf_map__reuse_fd(rows[i].map, old->maps[rows[i].which]))
			return fail(errno, "cannot go on with the state of the firewall that runs");
	return 0;
}

int block_load(struct block_set *s, const struct block_image *image, enum block_hook hook, const struct block_set *old,
	       bool debug)
{
	owned_mem char *log = calloc(1, LOG_BYTES);
	LIBBPF_OPTS(bpf_object_open_opts, oo, .kernel_log_buf = log, .kernel_log_size = LOG_BYTES);
	int cpus = libbpf_num_possible_cpus(), err, prog;
	struct np_guard guard = { .seed = image->seed };
	struct block *skel;

	libbpf_set_print(quiet);
	if (cpus < 1 || !log)
		return fail(ENOMEM, "firewall");
	skel = block__open_opts(&oo);
	if (!skel)
		return fail(errno, "the BPF object");
	size_maps(skel, image, (unsigned int)cpus);
	err = share(skel, old);
	if (!err)
		err = put_keys(skel, image, hook);
	if (!err)
		err = load_skeleton(skel, image, hook, log, debug);
	if (!err)
		err = fill_maps(skel, image);
	if (!err)
		err = fill(skel->maps.np_guard, &guard, sizeof(guard));
	prog = err ? -1 : bpf_program__fd(choose(skel, hook));
	if (!err)
		err = bind_maps(skel, prog);
	prog = err ? -1 : dup(prog);
	if (!err)
		err = prog < 0 ? fail(errno, "firewall") : block_open(s, prog, true);
	block__destroy(skel);
	return err;
}
