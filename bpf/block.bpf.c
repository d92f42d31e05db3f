// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * netprobe block: drops what its entries say, at XDP (native and generic) and at tcx.  Types of the UAPI only, so it
 * loads on a kernel without BTF, from 5.10 on.  It writes to no packet and passes what it does not drop on to the
 * next program.
 */
#include <stddef.h>
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "block_abi.h"
#include "parse.h"
#include "block_log.h"
#include "verdict.h"

#define NEXT (-1)		/* TCX_NEXT */
#define SHOT 2			/* TC_ACT_SHOT */
#define HEADERS 256		/* bytes that must lie in one piece, where there are so many */

/* The same without a branch, where much follows: the verifier would go through all of it once for each answer. */
static __always_inline __u32 note_test(__u32 ifindex)
{
	__u64 other = ifindex ^ 1, test;

	asm volatile("" : "+r"(other));
	test = (other - 1) >> 63;
	asm volatile("" : "+r"(test));
	return (__u32)test & !conf.counts_tests;
}

static __always_inline tuple *start(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&np_tuples, &cpu);	/* it has a place for each possible CPU */
}

static __always_inline int at_xdp(struct xdp_md *ctx)
{
	struct walk w = { .data = (void *)(long)ctx->data, .end = (void *)(long)ctx->data_end };
	struct np_recent *r;
	struct verdict v = { 0 };
	struct plain f;
	bool test, drop;
	tuple *t;

	w.len = (__u32)(w.end - w.data);
	if (!plain_ether(&f, w.data, w.end)) {
		t = start();
		if (!t)
			return XDP_PASS;
		tuple_start(t);
		parse_ether(t, &w);
		t->test = note_test(ctx->ingress_ifindex);
		judge(t, NULL, NULL, &v, (__u32)w.len);
	} else {
		r = conf.remember ? slot_of_source(&f) : NULL;
		if (r && is_source(r, &f)) {
			if (settled(r, (__u32)w.len, ctx->ingress_ifindex, &drop))
				return drop ? XDP_DROP : XDP_PASS;
			if (judge_known(r, &v))
				goto known;
		}
		t = start();
		if (!t)
			return XDP_PASS;
		plain_tuple(t, &f);
		t->test = note_test(ctx->ingress_ifindex);
		judge(t, &f, r, &v, (__u32)w.len);
	}
known:
	test = is_test(ctx->ingress_ifindex);
	account(&v, (__u32)w.len, test);
	if (v.log && !test)
		tell(&w, &v, 0);
	return v.drop ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int np_block_xdp(struct xdp_md *ctx)
{
	return at_xdp(ctx);
}

/* Everything of a frame that is not plain. */
static __always_inline void read_all(tuple *t, struct __sk_buff *skb, const struct walk *w)
{
	tuple_start(t);
	if (conf.l3) {
		parse_l3(t, w);
		return;
	}
	if (skb->vlan_present) {	/* the device, or the stack, took it off */
		t->vlan[0] = skb->vlan_tci & 0xfff;
		t->vlans = 1;
	}
	parse_ether(t, w);
}

/* Type and tag of the one that the device, or the stack, took off. */
static __always_inline __u32 absent_tag(struct __sk_buff *skb)
{
	if (conf.l3 || !skb->vlan_present)
		return 0;
	return (__u32)bpf_ntohs((__u16)skb->vlan_proto) << 16 | (skb->vlan_tci & 0xffff);
}

static __always_inline int at_tc(struct __sk_buff *skb)
{
	struct walk w = { .len = skb->len };
	struct np_recent *r;
	struct verdict v = { 0 };
	struct plain f;
	bool test, drop;
	tuple *t;

	w.data = (void *)(long)skb->data;
	w.end = (void *)(long)skb->data_end;
	if (w.data + HEADERS > w.end && (__u32)(w.end - w.data) < skb->len) {
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
		w.data = (void *)(long)skb->data;
		w.end = (void *)(long)skb->data_end;
	}
	if (conf.l3 || !plain_ether(&f, w.data, w.end)) {
		t = start();
		if (!t)
			return NEXT;
		read_all(t, skb, &w);
		t->test = note_test(skb->ifindex);
		judge(t, NULL, NULL, &v, (__u32)w.len);
	} else {
		r = conf.remember ? slot_of_source(&f) : NULL;
		if (r && is_source(r, &f)) {
			if (settled(r, (__u32)w.len, skb->ifindex, &drop))
				return drop ? SHOT : NEXT;
			if (judge_known(r, &v))
				goto known;
		}
		t = start();
		if (!t)
			return NEXT;
		plain_tuple(t, &f);
		t->test = note_test(skb->ifindex);
		judge(t, &f, r, &v, (__u32)w.len);
	}
known:
	test = is_test(skb->ifindex);
	account(&v, (__u32)w.len, test);
	if (v.log && !test)
		tell(&w, &v, absent_tag(skb));
	return v.drop ? SHOT : NEXT;
}

SEC("tc")
int np_block_in(struct __sk_buff *skb)
{
	return at_tc(skb);
}

SEC("tc")
int np_block_out(struct __sk_buff *skb)
{
	return at_tc(skb);
}

char LICENSE[] SEC("license") = "GPL";
