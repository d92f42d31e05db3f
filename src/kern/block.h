/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_BLOCK_H
#define NETPROBE_KERN_BLOCK_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block_abi.h"

/*
 * A set of entries in the kernel: one program with its maps.  It is never changed once it works: a changed set is
 * another program, which takes the place of this one in one step.  Everything hangs on the program: who has its
 * descriptor has the set.
 */
struct block_image {			/* what the maps are to hold; borrowed */
	const struct np_bucket *buckets[NP_TABLES];
	const struct np_index *index;	/* NP_TABLES of them */
	const struct np_cond *conds;
	const struct np_entry *entries;
	const struct np_rule *rules;
	const char *text;
	const struct np_step *steps;
	const uint32_t *runs;
	uint32_t n_conds, n_entries, n_steps, n_runs;
	struct np_block_conf conf;
	struct np_hash_key state_key;	/* of rates and fragments: that of the set before */
	uint64_t seed;			/* both keys come from it: kept for the set that follows */
	struct np_set_meta meta;
};

/* Its name below /sys/fs/bpf/netprobe: pin/pin.h. */
#define BLOCK_SERVICE "block"

enum block_map { BLOCK_RULES, BLOCK_TEXT, BLOCK_META, BLOCK_HITS, BLOCK_RECENT, BLOCK_STATS, BLOCK_GUARD, BLOCK_PROBE,
		 BLOCK_METERS, BLOCK_FRAGS, BLOCK_LOG, BLOCK_LOG_CPUS, BLOCK_LOG_READERS, BLOCK_MAPS };

enum block_hook { BLOCK_XDP, BLOCK_IN, BLOCK_OUT };

struct block_set {
	int prog;			/* owned */
	int maps[BLOCK_MAPS];		/* owned; -1 */
	void *at[BLOCK_MAPS];		/* mapped, or NULL */
	size_t size[BLOCK_MAPS];
	unsigned int cpus;
	uint64_t memory;		/* bytes that its maps take */
};

/* Load it.  old: the set whose rates, fragments and counts of packets it takes over, or NULL.  Says what failed. */
int  block_load(struct block_set *s, const struct block_image *image, enum block_hook hook, const struct block_set *old,
		bool debug);
/* Before it is loaded: the constants of a key that stands for another one become those.  Says what failed. */
struct bpf_program;
int  block_put_key(struct bpf_program *prog, struct np_hash_key from, struct np_hash_key to);
/* That of a program (which it takes over); read only unless `write`.  Says what failed. */
int  block_open(struct block_set *s, int prog, bool write);
void block_close(struct block_set *s);
/* Only what is mapped stays, to be read without privileges; to its log's readers one can say that one is there. */
void block_forget(struct block_set *s);

/* What time it is by the kernel's own clocks, and with arm_ns not 0 start the dead-man timer of this set. */
int  block_clock(struct block_set *s, uint64_t arm_ns, struct np_guard *now);
/* What was asked before is forgotten: fragments. */
void block_begin_tests(struct block_set *s);
/* Send a frame through the program, without a trace.  xdp: what kind of program it is. */
int  block_probe(struct block_set *s, const uint8_t *frame, uint32_t n, struct np_probe *out);
/* Counts of an entry, of all CPUs; last in jiffies.  recent: as block_recent() sums it, NULL: none. */
struct np_hit block_hit(const struct block_set *s, uint32_t index, const struct np_hit *recent);
/* What the CPUs still hold: n_rules counts, malloced; NULL: no memory. */
struct np_hit *block_recent(const struct block_set *s, uint32_t n_rules);
/* The counts of the entries that both sets have, found by their numbers, from `old` on: what was counted up to now is
 * added, and what was added before (before: of old's entries, NULL at first; renewed) is not added again. */
int  block_carry(struct block_set *to, const struct block_set *old, struct np_hit **before);
/* For `before`, of old's entries, none of which has been added: malloced; NULL: no memory. */
struct np_hit *block_carry_room(const struct block_set *old);
void block_stats(const struct block_set *s, struct np_stats *sum);
/* To those who read its log: another set has taken over, or (ended) none. */
void block_tell_readers(struct block_set *s, bool ended);

#endif
