/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_BLOCK_STATE_H
#define NETPROBE_BLOCK_STATE_H

#include "block_plain.h"
#include "block_table.h"

/* What packets leave behind: buckets of rates, fragments, counts.  Bounded; what is pushed out is counted. */

static __always_inline void count_extra(__u32 what)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct np_stats *s = bpf_map_lookup_elem(&np_stats, &cpu);

	if (s)
		s->packets[what & (NP_STATS - 1)]++;
}

static __always_inline bool is_meter(const struct np_meter *m, __u64 hi, __u64 lo, __u32 id)
{
	return m->id == id && m->hi == hi && m->lo == lo;
}

/* The bucket of this source: where it is, else in place of the one that has been full the longest. */
static __always_inline struct np_meter *meter(__u64 hi, __u64 lo, __u32 id, __u64 now)
{
	__u32 at = (__u32)(np_hash(hi ^ id, lo, 0, NP_KEY_STATE) & conf.meter_mask);
	struct np_meter_set *set = bpf_map_lookup_elem(&np_meters, &at);
	struct np_meter *m;

	if (!set)
		return NULL;
	if (is_meter(&set->m[0], hi, lo, id))
		return &set->m[0];
	if (is_meter(&set->m[1], hi, lo, id))
		return &set->m[1];
	if (is_meter(&set->m[2], hi, lo, id))
		return &set->m[2];
	if (is_meter(&set->m[3], hi, lo, id))
		return &set->m[3];
	m = &set->m[0];
	if (set->m[1].tat < m->tat)
		m = &set->m[1];
	if (set->m[2].tat < m->tat)
		m = &set->m[2];
	if (set->m[3].tat < m->tat)
		m = &set->m[3];
	if (m->id && m->tat > now)
		count_extra(NP_X_METER_EVICTED);
	m->hi = hi;
	m->lo = lo;
	m->tat = now;
	m->id = id;
	return m;
}

/*
 * A token bucket, kept as the time when it will be full again: it may lie `burst` ahead of now.  What passes is added
 * by an atomic add, so that in the long run no CPU's packet is forgotten; two that look at once may both pass, once.
 */
static __always_inline bool within_rate(__u32 value, tuple *t, __u32 bytes)
{
	__u32 i = value & NP_V_INDEX;
	struct np_entry *e = bpf_map_lookup_elem(&np_entries, &i);
	__u64 now = bpf_ktime_get_ns() << 8, tat, cost;
	struct np_meter *m;

	if (!e)
		return true;
	m = e->flags & NP_RULE_SHARED ? meter(0, 0, e->id, now) :
	    t->family		      ? meter(t->src[0], t->src[1], e->id, now) :
					meter(t->smac, 1, e->id, now);
	if (!m)
		return true;
	cost = (e->flags & NP_RULE_BYTES ? bytes : 1) * e->cost >> 8;
	tat = *(volatile __u64 *)&m->tat;
	if ((__s64)(tat - now) < 0) {
		*(volatile __u64 *)&m->tat = now;
		tat = now;
	}
	if (tat - now + cost > e->burst)
		return false;
	__sync_fetch_and_add(&m->tat, cost);
	return true;
}

static __always_inline __u32 frag_proto(tuple *t)
{
	return t->family << 8 | (t->family == NP_KIND_V4 ? t->proto : 0);
}

static __always_inline bool is_frag(const struct np_frag *g, tuple *t, __u64 now)
{
	return g->id == t->frag_id && g->proto == frag_proto(t) && g->src[0] == t->src[0] && g->src[1] == t->src[1] &&
	       g->dst[0] == t->dst[0] && g->dst[1] == t->dst[1] && g->jiffies &&
	       now - g->jiffies < conf.frag_jiffies;
}

/* What is asked about has a half of its own: it disturbs nothing, and is told by what was asked before. */
static __always_inline struct np_frag_set *frag_set(tuple *t)
{
	__u64 hi = t->src[0] ^ t->dst[1] ^ t->frag_id, lo = t->src[1] ^ t->dst[0];
	__u32 at = (__u32)np_hash(hi, lo, 0, NP_KEY_STATE) & (NP_FRAG_SETS - 1);

	at += (__u32)t->test * NP_FRAG_SETS;
	return bpf_map_lookup_elem(&np_frags, &at);
}

static __always_inline struct np_frag *find_frag(struct np_frag_set *set, tuple *t, __u64 now)
{
	if (is_frag(&set->f[0], t, now))
		return &set->f[0];
	if (is_frag(&set->f[1], t, now))
		return &set->f[1];
	if (is_frag(&set->f[2], t, now))
		return &set->f[2];
	if (is_frag(&set->f[3], t, now))
		return &set->f[3];
	return NULL;
}

static __always_inline __u32 entry_id(__u32 value)
{
	__u32 i = value & NP_V_INDEX;
	struct np_entry *e = value ? bpf_map_lookup_elem(&np_entries, &i) : NULL;

	return e ? e->id : 0;
}

static __always_inline void remember_frag(tuple *t, __u32 value, bool drop)
{
	struct np_frag_set *set = frag_set(t);
	__u64 now = bpf_jiffies64();
	struct np_frag *g;

	if (!set)
		return;
	g = find_frag(set, t, now);
	if (!g) {
		g = &set->f[0];
		if (set->f[1].jiffies < g->jiffies)
			g = &set->f[1];
		if (set->f[2].jiffies < g->jiffies)
			g = &set->f[2];
		if (set->f[3].jiffies < g->jiffies)
			g = &set->f[3];
		if (g->jiffies && now - g->jiffies < conf.frag_jiffies)
			count_extra(NP_X_FRAG_EVICTED);
	}
	g->src[0] = t->src[0];
	g->src[1] = t->src[1];
	g->dst[0] = t->dst[0];
	g->dst[1] = t->dst[1];
	g->id = t->frag_id;
	g->proto = frag_proto(t);
	g->value = value;
	g->entry = entry_id(value);
	g->drop = drop;
	g->jiffies = now;
}

/* A slot gets a new owner. */
static __always_inline void give_slot(struct np_recent *r, __u32 value, __u32 what)
{
	__u32 old = r->index - 1;
	struct np_hit *h = r->hits ? bpf_map_lookup_elem(&np_hits, &old) : NULL;

	if (h) {
		__sync_fetch_and_add(&h->hits, r->hits);
		__sync_fetch_and_add(&h->bytes, r->bytes);
		if (h->last < r->last)
			h->last = r->last;
	}
	r->hits = 0;
	r->bytes = 0;
	r->index = value ? (value & NP_V_INDEX) + 1 : 0;
	r->value = value;
	r->what = what;
}

/* Index into np_recent. */
static __always_inline __u32 place_of(__u32 cpu, __u32 n)
{
	return cpu * NP_RECENT + (n & (NP_RECENT - 1));
}

static __always_inline struct np_recent *slot_of_source(const struct plain *f)
{
	__u64 n = ((f->hi ^ f->lo ^ f->what) * 0x9e3779b97f4a7c15ull) >> 54;
	__u32 at = place_of(bpf_get_smp_processor_id(), (__u32)n);

	return bpf_map_lookup_elem(&np_recent, &at);
}

static __always_inline bool is_source(const struct np_recent *r, const struct plain *f)
{
	return r->hi == f->hi && r->lo == f->lo && r->what == f->what;
}

static __always_inline void count_in(struct np_recent *r, __u32 bytes)
{
	r->hits++;
	r->bytes += bytes;
	r->last = bpf_jiffies64();
}

/* Counts of one entry: in this CPU's slot, from where they go to the map when another entry wants it. */
static __always_inline void count_hit(__u32 cpu, __u32 value, __u32 bytes)
{
	__u32 index = value & NP_V_INDEX;
	__u32 at = place_of(cpu, index);
	struct np_recent *r = bpf_map_lookup_elem(&np_recent, &at);

	if (!r)
		return;
	if (r->index != index + 1)
		give_slot(r, value, 0);
	count_in(r, bytes);
}

#endif
