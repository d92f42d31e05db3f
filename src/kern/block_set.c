// SPDX-License-Identifier: GPL-2.0-or-later
/* A set in the kernel, seen through its program. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/block.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { IDS_MAX = 64, PROBES_MAX = 100 };

static const char *const names[BLOCK_MAPS] = {
	"np_rules", "np_text", "np_set_meta", "np_hits", "np_recent", "np_stats", "np_guard", "np_probe", "np_meters",
	"np_frags", "np_log", "np_log_cpus", "np_log_readers",
};

static int take_map(struct block_set *s, uint32_t id, bool write)
{
	owned_fd int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = { 0 };
	uint32_t n = sizeof(info);
	int m = 0;

	if (fd < 0)
		return fail(fd, "a map of the firewall");
	if (bpf_obj_get_info_by_fd(fd, &info, &n))
		return fail(errno, "a map of the firewall");
	s->memory += (uint64_t)((info.value_size + 7) & ~7u) * info.max_entries;
	while (m < BLOCK_MAPS && strcmp(info.name, names[m]))
		m++;
	if (m == BLOCK_MAPS)
		return 0;
	s->size[m] = (size_t)((info.value_size + 7) & ~7u) * info.max_entries;
	write |= m == BLOCK_LOG_READERS;	/* who reads the log says so there */
	s->at[m] = mmap(NULL, s->size[m], PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (s->at[m] == MAP_FAILED) {
		s->at[m] = NULL;
		return fail(errno, "cannot read the map %s", names[m]);
	}
	s->maps[m] = take_fd(fd);
	return 0;
}

/* The places that are looked at must lie inside what is mapped, whoever made it. */
static int check(const struct block_set *s)
{
	const struct np_set_meta *meta = s->at[BLOCK_META];

	for (int m = 0; m < BLOCK_MAPS; m++)
		if (!s->at[m])
			return fail(0, "the firewall that runs has no map %s: it is of another version of netprobe "
				       "(netprobe block del --all takes it away)", names[m]);
	if (s->size[BLOCK_META] < sizeof(*meta) || s->size[BLOCK_GUARD] < sizeof(struct np_guard) ||
	    meta->n_rules > s->size[BLOCK_RULES] / sizeof(struct np_rule) ||
	    meta->n_rules > s->size[BLOCK_HITS] / sizeof(struct np_hit) || !meta->text_bytes ||
	    meta->text_bytes > s->size[BLOCK_TEXT] || s->size[BLOCK_STATS] < s->cpus * sizeof(struct np_stats) ||
	    s->size[BLOCK_RECENT] < (size_t)s->cpus * NP_RECENT * sizeof(struct np_recent) ||
	    s->size[BLOCK_PROBE] < s->cpus * sizeof(struct np_probe) ||
	    s->size[BLOCK_LOG] < (size_t)s->cpus * NP_LOG_PACKETS * sizeof(struct np_log_packet) ||
	    s->size[BLOCK_LOG_CPUS] < s->cpus * sizeof(struct np_log_cpu) ||
	    s->size[BLOCK_LOG_READERS] < sizeof(struct np_log_readers) ||
	    ((const char *)s->at[BLOCK_TEXT])[meta->text_bytes - 1])
		return fail(0, "the maps of the firewall that runs are not what they should be");
	return 0;
}

int block_open(struct block_set *s, int prog, bool write)
{
	uint32_t ids[IDS_MAX], n = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .map_ids = (uint64_t)(uintptr_t)ids, .nr_map_ids = IDS_MAX };
	int cpus = libbpf_num_possible_cpus(), err = 0;

	memset(s, 0, sizeof(*s));
	s->prog = prog;
	s->cpus = cpus > 0 ? (unsigned int)cpus : 1;
	for (int m = 0; m < BLOCK_MAPS; m++)
		s->maps[m] = -1;
	if (bpf_obj_get_info_by_fd(prog, &info, &n))
		err = fail(errno, "the program of the firewall");
	for (uint32_t i = 0; i < info.nr_map_ids && i < IDS_MAX && !err; i++)
		err = take_map(s, ids[i], write);
	if (!err)
		err = check(s);
	if (err)
		block_close(s);
	return err;
}

void block_forget(struct block_set *s)
{
	for (int m = 0; m < BLOCK_MAPS; m++) {
		if (s->at[m] && m != BLOCK_LOG_READERS)
			mprotect(s->at[m], s->size[m], PROT_READ);
		if (s->maps[m] >= 0)
			close(s->maps[m]);
		s->maps[m] = -1;
	}
	if (s->prog >= 0)
		close(s->prog);
	s->prog = -1;
}

void block_close(struct block_set *s)
{
	for (int m = 0; m < BLOCK_MAPS; m++)
		if (s->at[m])
			munmap(s->at[m], s->size[m]);
	block_forget(s);
	memset(s, 0, sizeof(*s));
	s->prog = -1;
	for (int m = 0; m < BLOCK_MAPS; m++)
		s->maps[m] = -1;
}

/* Stay on one CPU, so that the answer is found where the program leaves it. */
static unsigned int stay(cpu_set_t *before)
{
	int cpu = sched_getcpu();
	cpu_set_t one;

	sched_getaffinity(0, sizeof(*before), before);
	CPU_ZERO(&one);
	CPU_SET(cpu < 0 ? 0 : cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	return cpu < 0 ? 0 : (unsigned int)cpu;
}

/*
 * The answer is this CPU's, and other netprobes ask there too: what we left in it, which no program looks at, tells
 * whether it is still ours.  A signal that arrives ends a test run.
 */
static int probe_once(const struct block_set *s, unsigned int cpu, struct bpf_test_run_opts *o,
		      struct np_probe *out)
{
	volatile struct np_probe *place = (struct np_probe *)s->at[BLOCK_PROBE] + cpu;
	uint32_t ours = (uint32_t)getpid();
	int err;

	place->reserved = ours;
	place->reason = ~0u;
	err = bpf_prog_test_run_opts(s->prog, o);
	out->value = place->value;
	out->drop = place->drop;
	out->reason = place->reason;
	out->reserved = place->reserved;
	if (err)
		return err == -EINTR ? -EAGAIN : err;
	return out->reserved != ours ? -EAGAIN : out->reason == ~0u ? -EIO : 0;
}

int block_probe(struct block_set *s, const uint8_t *frame, uint32_t n, struct np_probe *out)
{
	cpu_set_t before;
	unsigned int cpu = stay(&before);
	int err = -EAGAIN;

	for (int i = 0; i < PROBES_MAX && err == -EAGAIN; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = n, .repeat = 1);

		err = probe_once(s, cpu, &o, out);
	}
	sched_setaffinity(0, sizeof(before), &before);
	return err;
}

void block_begin_tests(struct block_set *s)
{
	size_t half = NP_FRAG_SETS * sizeof(struct np_frag_set);

	if (s->size[BLOCK_FRAGS] >= 2 * half)
		memset((char *)s->at[BLOCK_FRAGS] + half, 0, half);
}

int block_clock(struct block_set *s, uint64_t arm_ns, struct np_guard *now)
{
	static const uint8_t nothing[ETH_ZLEN] = { 0 };
	volatile struct np_guard *g = s->at[BLOCK_GUARD];
	struct np_probe p;
	int err;

	g->ask_ns = arm_ns;
	err = block_probe(s, nothing, sizeof(nothing), &p);
	if (err)
		return fail(err, "the firewall does not answer");
	memcpy(now, s->at[BLOCK_GUARD], sizeof(*now));
	return 0;
}

static void add_recent(const struct block_set *s, uint32_t n_rules, struct np_hit *sum)
{
	const struct np_recent *r = s->at[BLOCK_RECENT];

	for (size_t i = 0; i < (size_t)s->cpus * NP_RECENT; i++) {
		uint32_t index = r[i].index - 1;

		if (!r[i].index || index >= n_rules)
			continue;
		sum[index].hits += r[i].hits;
		sum[index].bytes += r[i].bytes;
		if (sum[index].last < r[i].last)
			sum[index].last = r[i].last;
	}
}

struct np_hit *block_recent(const struct block_set *s, uint32_t n_rules)
{
	struct np_hit *sum = calloc(n_rules ? n_rules : 1, sizeof(*sum));

	if (sum)
		add_recent(s, n_rules, sum);
	return sum;
}

struct np_hit block_hit(const struct block_set *s, uint32_t index, const struct np_hit *recent)
{
	struct np_hit h = ((const struct np_hit *)s->at[BLOCK_HITS])[index];

	if (recent) {
		h.hits += recent[index].hits;
		h.bytes += recent[index].bytes;
		h.last = h.last > recent[index].last ? h.last : recent[index].last;
	}
	return h;
}

void block_stats(const struct block_set *s, struct np_stats *sum)
{
	const struct np_stats *v = s->at[BLOCK_STATS];

	memset(sum, 0, sizeof(*sum));
	for (unsigned int cpu = 0; cpu < s->cpus; cpu++)
		for (int i = 0; i < NP_STATS; i++) {
			sum->packets[i] += v[cpu].packets[i];
			sum->bytes[i] += v[cpu].bytes[i];
		}
}

void block_tell_readers(struct block_set *s, bool ended)
{
	struct np_log_readers *r = s->at[BLOCK_LOG_READERS];

	__atomic_fetch_add(ended ? &r->ended : &r->sets, 1, __ATOMIC_RELAXED);
}

/* Room for both at once: when the new set works already, nothing may be missing. */
struct np_hit *block_carry_room(const struct block_set *old)
{
	uint32_t n = ((const struct np_set_meta *)old->at[BLOCK_META])->n_rules;

	return calloc(n ? n : 1, 2 * sizeof(struct np_hit));
}

int block_carry(struct block_set *to, const struct block_set *old, struct np_hit **before)
{
	const struct np_set_meta *mo = old->at[BLOCK_META], *mt = to->at[BLOCK_META];
	const struct np_rule *ro = old->at[BLOCK_RULES], *rt = to->at[BLOCK_RULES];
	struct np_hit *recent, *hits = to->at[BLOCK_HITS];
	uint32_t k = 0;

	((struct np_guard *)to->at[BLOCK_GUARD])->readers |= ((const struct np_guard *)old->at[BLOCK_GUARD])->readers;
	if (!*before)
		*before = block_carry_room(old);
	if (!*before)
		return fail(ENOMEM, "counts of entries");
	recent = *before + mo->n_rules;
	memset(recent, 0, mo->n_rules * sizeof(*recent));
	add_recent(old, mo->n_rules, recent);
	for (uint32_t i = 0; i < mo->n_rules; i++) {
		struct np_hit h = block_hit(old, i, recent), *b = &(*before)[i];

		while (k < mt->n_rules && rt[k].id < ro[i].id)
			k++;
		if (k < mt->n_rules && rt[k].id == ro[i].id) {
			__atomic_fetch_add(&hits[k].hits, h.hits - b->hits, __ATOMIC_RELAXED);
			__atomic_fetch_add(&hits[k].bytes, h.bytes - b->bytes, __ATOMIC_RELAXED);
			if (hits[k].last < h.last)
				hits[k].last = h.last;
		}
		*b = h;
	}
	return 0;
}
