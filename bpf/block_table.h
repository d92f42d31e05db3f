/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_BLOCK_TABLE_H
#define NETPROBE_BLOCK_TABLE_H

#include "block_maps.h"

#define LENGTHS 512		/* rows of np_index */

/* The value of one key; 0 when it is not there. */
static __always_inline __u32 probe(void *table, __u64 mask, __u64 hi, __u64 lo, __u32 tag)
{
	__u64 at = np_hash(hi, lo, tag, NP_KEY_TABLE);
	struct np_bucket *b;
	__u32 i;

	for (int n = 0; n < NP_BUCKETS_ROW; n++, at++) {
		i = (__u32)(at & mask);
		b = bpf_map_lookup_elem(table, &i);
		if (!b)
			return 0;
		if (b->hi[0] == hi && b->lo[0] == lo && b->tag[0] == tag)
			return b->value[0];
		if (b->hi[1] == hi && b->lo[1] == lo && b->tag[1] == tag)
			return b->value[1];
		if (b->hi[2] == hi && b->lo[2] == lo && b->tag[2] == tag)
			return b->value[2];
		if (!b->more)
			return 0;
	}
	return 0;
}

/* The longest prefix: binary search over the lengths that occur, at most 2^8. */
static __always_inline __u32 longest(tuple *t, void *table, const struct np_index *ix, __u64 first, __u64 n,
				    __u64 hi, __u64 lo)
{
	const struct np_length *row;
	__u64 from = t->zero & (LENGTHS - 1), to = (n | t->zero) & (LENGTHS - 1), mid;
	__u32 best = (__u32)t->zero, v;

	for (int i = 0; i < 8 && from < to; i++) {
		mid = (from + to) >> 1;
		row = &ix->rows[(first + mid) & (LENGTHS - 1)];
		v = probe(table, ix->mask, hi & row->hi, lo & row->lo, row->tag);
		FORGET(t, v);
		if (v) {
			best = v;
			from = mid + 1;
		} else {
			to = mid;
		}
		FORGET(t, best);
		FORGET(t, from);
		FORGET(t, to);
		/* One range, wherever it comes from: else the verifier goes each way on its own. */
		from &= LENGTHS - 1;
		to &= LENGTHS - 1;
	}
	return best == NP_V_MARK ? 0 : best;
}

/* Hardly a branch: the verifier would walk them all at each place of a chain. */
static __always_inline bool holds(const struct np_cond *c, tuple *t)
{
	__u64 flags = c->flags, port = t->dport, miss;

	_Static_assert(NP_RULE_PROTO == 1 << 0 && NP_RULE_PORT == 1 << 1, "bits 0 and 1");
	miss = -(flags & 1) & (t->proto ^ c->proto);
	miss |= -(flags >> 1 & 1) & ((port - c->port_lo) | (c->port_hi - port)) >> 63;
	if (miss)
		return false;
	return !(flags & NP_RULE_EXPIRES) || bpf_ktime_get_boot_ns() < c->expires_ns;
}

/* Along the chain to the first entry whose conditions hold. */
static __always_inline __u32 settle(__u32 value, tuple *t)
{
	struct np_cond *c;
	__u32 i;

	FORGET(t, value);
	for (int n = 0; n <= NP_CHAIN_MAX; n++) {
		if (!(value & NP_V_CHAIN))
			return value;
		i = value & ~NP_V_CHAIN;
		c = bpf_map_lookup_elem(&np_conds, &i);
		if (!c)
			return 0;
		if (holds(c, t))
			return c->value;
		value = c->next;
	}
	return 0;
}

/* Of two values the one that decides. */
static __always_inline __u32 better(__u32 a, __u32 b)
{
	struct np_entry *ea, *eb;
	__u32 ia = a & NP_V_INDEX, ib = b & NP_V_INDEX;

	if (!a || !b)
		return a | b;
	ea = bpf_map_lookup_elem(&np_entries, &ia);
	eb = bpf_map_lookup_elem(&np_entries, &ib);
	if (!ea || !eb)
		return a;
	if (ea->rank != eb->rank)
		return ea->rank > eb->rank ? a : b;
	return ia < ib ? a : b;
}

/* What the prefixes of IPv4 up to /24 say. */
static __always_inline __u32 in_runs(__u32 which, __u64 addr)
{
	__u32 n = (__u32)(addr >> 40), at = conf.steps[which] + (n >> 8), run;
	struct np_step *s = bpf_map_lookup_elem(&np_steps, &at);
	struct np_run_pair *pair;

	if (!s)
		return 0;
	if (s->run & NP_RUN_FINE) {
		at = (s->run & ~NP_RUN_FINE) + (n >> 5 & (NP_FINE - 1));
		s = bpf_map_lookup_elem(&np_steps, &at);
		if (!s)
			return 0;
		run = np_run_fine(s, n);
	} else {
		run = np_run(s, n);
	}
	at = run >> 1;
	pair = bpf_map_lookup_elem(&np_runs, &at);
	return pair ? pair->value[run & 1] : 0;
}

static __always_inline __u32 by_prefix(void *table, __u32 which, const struct np_index *ix, tuple *t,
				       volatile __u64 addr[2])
{
	__u32 covering = 0, found;
	__u64 first = 0, n = 0;

	if (t->family == NP_KIND_V4) {
		n = ix->n_v4;
		if (conf.use[which] == NP_USE_RUNS)
			covering = in_runs(which, addr[0]);
		if (conf.use[which] == NP_USE_RUNS && !(covering & NP_V_MARK))
			n = 0;
	}
	if (t->family == NP_KIND_V6) {
		n = ix->n_v6;
		first = NP_ROWS_V6;
	}
	FORGET(t, n);
	FORGET(t, covering);
	found = longest(t, table, ix, first, n, addr[0], addr[1]);
	if (!found)
		found = covering & ~NP_V_MARK;
	FORGET(t, found);
	return found;
}

static __always_inline __u32 in_table(void *table, __u32 which, tuple *t, volatile __u64 addr[2], __u64 mac)
{
	__u32 key = which;	/* of a constant whose address is taken the compiler no longer knows that it is one */
	struct np_index *ix = bpf_map_lookup_elem(&np_index, &key);
	__u32 found;

	if (!ix)
		return 0;
	found = settle(by_prefix(table, which, ix, t, addr), t);
	if (conf.macs && t->has_mac)
		found = better(found, settle(probe(table, ix->mask, mac, 0, NP_TAG_MAC), t));
	FORGET(t, found);
	return found;
}

/* src/rules/rule.h: allow entries first; then the most specific one. */
static __always_inline __u32 decide(tuple *t)
{
	__u32 v = 0;

	if (conf.use[NP_T_ALLOW_SRC])
		v = in_table(&np_allow_src, NP_T_ALLOW_SRC, t, t->src, t->smac);
	if (conf.use[NP_T_ALLOW_DST])
		v = better(v, in_table(&np_allow_dst, NP_T_ALLOW_DST, t, t->dst, t->dmac));
	if (v)
		return v;
	if (conf.use[NP_T_BLOCK_SRC])
		v = in_table(&np_block_src, NP_T_BLOCK_SRC, t, t->src, t->smac);
	if (conf.use[NP_T_BLOCK_DST])
		v = better(v, in_table(&np_block_dst, NP_T_BLOCK_DST, t, t->dst, t->dmac));
	return v;
}

#endif
