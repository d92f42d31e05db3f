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
#include "verdict.h"

#define NEXT (-1)		/* TCX_NEXT */
#define SHOT 2			/* TC_ACT_SHOT */
#define HEADERS 256		/* bytes that must lie in one piece, where there are so many */

static __always_inline tuple *start(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	tuple *t = bpf_map_lookup_elem(&np_tuples, &cpu);

	if (t)		/* it has a place for each possible CPU */
		tuple_start(t);
	return t;
}

SEC("xdp")
int np_block_xdp(struct xdp_md *ctx)
{
	struct walk w = { .data = (void *)(long)ctx->data, .end = (void *)(long)ctx->data_end };
	tuple *t = start();

	if (!t)
		return XDP_PASS;
	w.len = (__u32)(w.end - w.data);
	parse_ether(t, &w);
	return judge(t, (__u32)w.len, ctx->ingress_ifindex != conf.ifindex) ? XDP_DROP : XDP_PASS;
}

static __always_inline int at_tc(struct __sk_buff *skb)
{
	tuple *t = start();
	struct walk w = { .len = skb->len };

	if (!t)
		return NEXT;
	w.data = (void *)(long)skb->data;
	w.end = (void *)(long)skb->data_end;
	if (w.data + HEADERS > w.end && (__u32)(w.end - w.data) < skb->len) {
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
		w.data = (void *)(long)skb->data;
		w.end = (void *)(long)skb->data_end;
	}
	if (conf.l3) {
		parse_l3(t, &w);
	} else {
		if (skb->vlan_present) {	/* the device, or the stack, took it off */
			t->vlan[0] = skb->vlan_tci & 0xfff;
			t->vlans = 1;
		}
		parse_ether(t, &w);
	}
	return judge(t, skb->len, skb->ifindex != conf.ifindex) ? SHOT : NEXT;
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
