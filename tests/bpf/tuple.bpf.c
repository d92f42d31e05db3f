// SPDX-License-Identifier: GPL-2.0-or-later
/* For test_tuple.c: the headers of a frame, and of what is inside its tunnels, by bpf/parse.h. */
#include <stddef.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "parse.h"
#include "tuple_levels.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_tuple);
} work SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tuple_levels);
} levels SEC(".maps");

static __always_inline tuple *begin(void)
{
	__u32 zero = 0;
	tuple *t = bpf_map_lookup_elem(&work, &zero);

	if (t)
		tuple_start(t);
	return t;
}

static __always_inline void keep(struct tuple_levels *l, __u32 i, tuple *t)
{
	l->v[i] = *(struct np_tuple *)t;
	l->n = i + 1;
}

static __always_inline void all_levels(tuple *t, const struct walk *w)
{
	__u32 zero = 0;
	struct tuple_levels *l = bpf_map_lookup_elem(&levels, &zero);

	if (!l)
		return;
	keep(l, 0, t);
	if (!parse_inner(t, w))
		return;
	keep(l, 1, t);
	if (!parse_inner(t, w))
		return;
	keep(l, 2, t);
	if (parse_inner(t, w))
		keep(l, 3, t);
}

static __always_inline struct walk walk_of_skb(struct __sk_buff *skb)
{
	return (struct walk){ (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len };
}

static __always_inline struct walk walk_of_xdp(struct xdp_md *ctx)
{
	struct walk w = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };

	w.len = w.end - w.data;
	return w;
}

SEC("tc")
int tuple_tc(struct __sk_buff *skb)
{
	struct walk w = walk_of_skb(skb);
	tuple *t = begin();

	if (!t)
		return 1;
	parse_ether(t, &w);
	all_levels(t, &w);
	return 0;
}

SEC("tc")
int tuple_tc_l3(struct __sk_buff *skb)
{
	struct walk w = walk_of_skb(skb);
	tuple *t = begin();

	if (!t)
		return 1;
	parse_l3(t, &w);
	all_levels(t, &w);
	return 0;
}

SEC("xdp")
int tuple_xdp(struct xdp_md *ctx)
{
	struct walk w = walk_of_xdp(ctx);
	tuple *t = begin();

	if (!t)
		return XDP_ABORTED;
	parse_ether(t, &w);
	all_levels(t, &w);
	return XDP_PASS;
}

/* For what the reading costs: all of it, without what is inside; and nothing. */
SEC("xdp")
int tuple_xdp_one(struct xdp_md *ctx)
{
	struct walk w = walk_of_xdp(ctx);
	tuple *t = begin();

	if (t)
		parse_ether(t, &w);
	return XDP_PASS;
}

SEC("xdp")
int tuple_xdp_none(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
