/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_VERDICT_H
#define NETPROBE_VERDICT_H

#include "block_state.h"

/* What becomes of a packet: the same at every hook.  src/rules/match.c is the definition. */

struct verdict {
	__u32 value;		/* the entry, with its action; 0: none */
	__u32 reason;
	bool drop;
	bool log;		/* somebody reads the log, or did once */
	struct np_recent *slot;	/* where it is counted; NULL: by the entry */
};

/* BPF_PROG_TEST_RUN has its frames come by lo, where no firewall is put. */
static __always_inline bool is_test(__u32 ifindex)
{
	return ifindex == 1 && !conf.counts_tests;
}

static __always_inline bool failsafe(tuple *t)
{
	if (t->family == NP_KIND_V6 && t->proto == 58)
		return (t->icmp_type >= 130 && t->icmp_type <= 137) || t->icmp_type == 143;
	if (t->proto == 17)
		return (t->family == NP_KIND_V4 && (t->dport == 67 || t->dport == 68)) ||
		       (t->family == NP_KIND_V6 && (t->dport == 546 || t->dport == 547));
	for (int i = 0; t->proto == 6 && i < 16; i++)
		if (i < conf.n_failsafe && (conf.egress ? t->sport : t->dport) == conf.failsafe[i])
			return true;
	return false;
}

static __always_inline void otherwise(tuple *t, struct verdict *v)
{
	v->reason = np_reason_of(t->reading);
	if (conf.mode == NP_MODE_BLOCK || t->reading == NP_NOT_IP)
		return;
	if (conf.mode == NP_MODE_DENY && failsafe(t)) {
		v->reason = NP_R_FAILSAFE;
		return;
	}
	v->drop = conf.mode == NP_MODE_DENY;
	if (v->reason == NP_R_NONE)
		v->reason = NP_R_NOT_PERMITTED;
}

/* Who only asks uses up no rate. */
static __always_inline void by_entry(tuple *t, struct verdict *v, __u32 bytes)
{
	switch (v->value >> NP_V_ACTION & 7) {
	case NP_DROP:
		v->reason = NP_R_DROP;
		v->drop = true;
		return;
	case NP_AUDIT:
		v->reason = NP_R_AUDIT;
		return;
	case NP_LIMIT:
		v->drop = !t->test && !within_rate(v->value, t, bytes);
		v->reason = v->drop ? NP_R_LIMIT_DROP : NP_R_LIMIT_PASS;
		return;
	default:
		v->reason = NP_R_ALLOW;
	}
}

/* True: the fragment's verdict is there. */
static __always_inline bool as_fragment(tuple *t, struct verdict *v)
{
	struct np_frag_set *set;
	struct np_frag *g;

	if (conf.frag == NP_FRAG_PASS)
		return false;
	v->drop = true;
	v->reason = conf.frag == NP_FRAG_DROP ? NP_R_FRAG_POLICY : np_reason_of(t->reading);
	if (conf.frag == NP_FRAG_DROP || t->reading == NP_FRAGMENT_TINY ||
	    t->reading == NP_FRAGMENT_OVERLAP)
		return true;
	v->drop = false;
	set = t->first ? NULL : frag_set(t);
	g = set ? find_frag(set, t, bpf_jiffies64()) : NULL;
	if (!g)
		return false;
	v->value = entry_id(g->value) == g->entry ? g->value : 0;
	v->drop = g->drop;
	v->reason = NP_R_FRAG_INHERITED;
	return true;
}

/* What passes, and is worth telling. */
static __always_inline bool is_noted(const struct verdict *v)
{
	return v->reason == NP_R_AUDIT || v->reason == NP_R_NOT_PERMITTED || (v->value >> NP_V_ACTION & 7) == NP_AUDIT;
}

/* The dead-man timer: what was not confirmed in time drops nothing any more. */
static __always_inline void check_guard(struct verdict *v)
{
	__u32 zero = 0;
	struct np_guard *g = bpf_map_lookup_elem(&np_guard, &zero);

	if (!g)
		return;
	v->log = g->readers;
	if (!g->deadline_ns || bpf_ktime_get_boot_ns() < g->deadline_ns)
		return;
	g->expired = 1;
	v->drop = false;
	v->reason = NP_R_EXPIRED;
}

/*
 * A frame of BPF_PROG_TEST_RUN also tells what time it is, and starts the dead-man timer when asked to.  The kernel's
 * clock is asked here because user space may live in a time namespace.
 */
static __always_inline void tick(void)
{
	__u32 zero = 0;
	struct np_guard *g = bpf_map_lookup_elem(&np_guard, &zero);

	if (!g)
		return;
	g->now_ns = bpf_ktime_get_boot_ns();
	g->now_jiffies = bpf_jiffies64();
	if (g->ask_ns) {
		g->armed_ns = g->now_ns;
		g->deadline_ns = g->now_ns + g->ask_ns;
		g->ask_ns = 0;
	}
}

/* test: it came by no wire but from `block test`, and leaves no trace. */
static __always_inline void account(const struct verdict *v, __u32 bytes, bool test)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct np_stats *s;
	struct np_probe *p;

	if (test) {
		p = bpf_map_lookup_elem(&np_probe, &cpu);
		if (p) {
			p->value = v->value;
			p->reason = v->reason;
			p->drop = v->drop;
		}
		tick();
		return;
	}
	s = bpf_map_lookup_elem(&np_stats, &cpu);
	if (s) {
		s->packets[v->reason & (NP_STATS - 1)]++;
		s->bytes[v->reason & (NP_STATS - 1)] += bytes;
	}
	if (!v->value || v->reason == NP_R_EXPIRED)
		return;
	if (v->slot)
		count_in(v->slot, bytes);
	else
		count_hit(cpu, v->value, bytes);
}

/* What decides, and from now on is known of this source, whose the slot is then.  r: NULL where none is remembered. */
static __always_inline __u32 decide_for(tuple *t, const struct plain *f, struct np_recent *r, struct verdict *v)
{
	__u32 value = decide(t);

	v->slot = r;
	if (!r || t->test || is_source(r, f))
		return value;
	give_slot(r, value, f->what);
	r->hi = f->hi;
	r->lo = f->lo;
	return value;
}

/* Into *v (zeroed).  f: what was read of a frame that is plain, else NULL; r: as in decide_for(). */
static __always_inline void judge(tuple *t, const struct plain *f, struct np_recent *r, struct verdict *v, __u32 bytes)
{
	if (f || !t->fragment || !as_fragment(t, v)) {
		v->value = decide_for(t, f, r, v);
		if (v->value)
			by_entry(t, v, bytes);
		else
			otherwise(t, v);
		if (!f && t->fragment && t->first && conf.frag == NP_FRAG_INHERIT)
			remember_frag(t, v->value, v->drop);
	}
	if (v->drop || is_noted(v))
		check_guard(v);
}

/* The verdict of a source that is known, unless more than that decides: then false. */
static __always_inline bool judge_known(struct np_recent *r, struct verdict *v)
{
	__u32 action = r->value >> NP_V_ACTION & 7;

	if (action == NP_LIMIT || (!r->value && conf.mode != NP_MODE_BLOCK))
		return false;
	v->slot = r;
	v->value = r->value;
	v->drop = action == NP_DROP;
	v->reason = !v->value ? NP_R_NONE : v->drop ? NP_R_DROP : action == NP_AUDIT ? NP_R_AUDIT : NP_R_ALLOW;
	if (v->drop || action == NP_AUDIT)
		check_guard(v);
	return true;
}

static __always_inline bool count_settled(struct np_recent *r, __u32 reason, __u32 bytes)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct np_stats *s = bpf_map_lookup_elem(&np_stats, &cpu);

	if (!s)
		return false;
	s->packets[reason]++;
	s->bytes[reason] += bytes;
	if (r)
		count_in(r, bytes);
	return true;
}

/*
 * The shortcut: a source that is known, and nobody who wants to hear of its packets.  False: it is not taken, and
 * nothing was counted.  Each reason has code of its own, for an index that is not constant costs a tenth of it all.
 */
static __always_inline bool settled(struct np_recent *r, __u32 bytes, __u32 ifindex, bool *drop)
{
	__u32 action = r->value >> NP_V_ACTION & 7, zero = 0;
	struct np_guard *g;

	if (is_test(ifindex))
		return false;
	*drop = action == NP_DROP;
	if (action == NP_DROP) {
		g = bpf_map_lookup_elem(&np_guard, &zero);
		return g && !(g->deadline_ns | g->readers) && count_settled(r, NP_R_DROP, bytes);
	}
	if (action == NP_ALLOW)
		return count_settled(r, NP_R_ALLOW, bytes);
	return !r->value && conf.mode == NP_MODE_BLOCK && count_settled(NULL, NP_R_NONE, bytes);
}

#endif
