/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_VERDICT_H
#define NETPROBE_VERDICT_H

#include "block_state.h"

/* What becomes of a packet: the same at every hook.  src/rules/match.c is the definition. */

struct verdict {
	__u32 value;		/* the entry, with its action; 0: none */
	__u32 reason;
	bool drop;
};

static __always_inline bool failsafe(facts *f)
{
	if (f->family == NP_KIND_V6 && f->proto == 58)
		return f->icmp_type >= 133 && f->icmp_type <= 137;
	if (f->proto == 17)
		return (f->family == NP_KIND_V4 && (f->dport == 67 || f->dport == 68)) ||
		       (f->family == NP_KIND_V6 && (f->dport == 546 || f->dport == 547));
	for (int i = 0; f->proto == 6 && i < 16; i++)
		if (i < conf.n_failsafe && f->dport == conf.failsafe[i])
			return true;
	return false;
}

static __always_inline void otherwise(facts *f, struct verdict *v)
{
	v->reason = f->reason;
	if (conf.mode == NP_MODE_BLOCK || f->reason == NP_R_NOT_IP)
		return;
	if (conf.mode == NP_MODE_DENY && failsafe(f)) {
		v->reason = NP_R_FAILSAFE;
		return;
	}
	v->drop = conf.mode == NP_MODE_DENY;
	if (v->reason == NP_R_NONE)
		v->reason = NP_R_NOT_PERMITTED;
}

static __always_inline void by_entry(facts *f, struct verdict *v, __u32 bytes)
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
		v->drop = !within_rate(v->value, f, bytes);
		v->reason = v->drop ? NP_R_LIMIT_DROP : NP_R_LIMIT_PASS;
		return;
	default:
		v->reason = NP_R_ALLOW;
	}
}

/* True: the fragment's verdict is there. */
static __always_inline bool as_fragment(facts *f, struct verdict *v)
{
	struct np_frag_set *set;
	struct np_frag *g;

	if (conf.frag == NP_FRAG_PASS)
		return false;
	v->drop = true;
	v->reason = conf.frag == NP_FRAG_DROP ? NP_R_FRAG_POLICY : f->reason;
	if (conf.frag == NP_FRAG_DROP || f->reason == NP_R_FRAG_TINY || f->reason == NP_R_FRAG_OVERLAP)
		return true;
	v->drop = false;
	set = f->first ? NULL : frag_set(f);
	g = set ? find_frag(set, f, bpf_jiffies64()) : NULL;
	if (!g)
		return false;
	v->value = entry_id(g->value) == g->entry ? g->value : 0;
	v->drop = g->drop;
	v->reason = NP_R_FRAG_INHERITED;
	return true;
}

/* The dead-man timer: what was not confirmed in time drops nothing any more. */
static __always_inline void check_guard(struct verdict *v)
{
	__u32 zero = 0;
	struct np_guard *g = bpf_map_lookup_elem(&np_guard, &zero);

	if (!g || !g->deadline_ns || bpf_ktime_get_boot_ns() < g->deadline_ns)
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
	if (v->value && v->reason != NP_R_EXPIRED)
		count_hit(v->value, bytes);
}

/* True: drop it.  test: it did not come by our interface but from `block test`, and leaves no trace. */
static __always_inline bool judge(facts *f, __u32 bytes, bool test)
{
	struct verdict v = { 0 };

	if (!f->fragment || !as_fragment(f, &v)) {
		v.value = decide(f);
		if (v.value)
			by_entry(f, &v, bytes);
		else
			otherwise(f, &v);
		if (f->fragment && f->first && conf.frag == NP_FRAG_INHERIT)
			remember_frag(f, v.value, v.drop);
	}
	if (v.drop)
		check_guard(&v);
	account(&v, bytes, test);
	return v.drop;
}

#endif
