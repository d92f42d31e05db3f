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
#include "verdict.h"

#define NEXT (-1)		/* TCX_NEXT */
#define SHOT 2			/* TC_ACT_SHOT */
#define HEADERS 256		/* bytes that must lie in one piece, where there are so many */

static __always_inline facts *start(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	facts *f = bpf_map_lookup_elem(&np_facts, &cpu);

	if (!f)		/* it has a place for each possible CPU */
		return NULL;
	f->src[1] = f->dst[1] = 0;
	f->off = 0;
	f->family = f->frag_id = f->has_mac = f->fragment = f->tags = 0;
	f->reason = NP_R_NONE;
	f->proto = PROTO_NOT_KNOWN;
	f->dport = PORT_NOT_KNOWN;
	f->icmp_type = 256;
	f->first = true;
	return f;
}

SEC("xdp")
int np_block_xdp(struct xdp_md *ctx)
{
	struct walk w = { .data = (void *)(long)ctx->data, .end = (void *)(long)ctx->data_end };
	__u32 bytes = (__u32)(w.end - w.data);
	facts *f = start();

	if (!f)
		return XDP_PASS;
	read_ether(f, &w);
	return judge(f, bytes, ctx->ingress_ifindex != conf.ifindex) ? XDP_DROP : XDP_PASS;
}

static __always_inline int at_tc(struct __sk_buff *skb)
{
	facts *f = start();
	struct walk w;

	if (!f)
		return NEXT;
	w.data = (void *)(long)skb->data;
	w.end = (void *)(long)skb->data_end;
	if (w.data + HEADERS > w.end && (__u32)(w.end - w.data) < skb->len) {
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
		w.data = (void *)(long)skb->data;
		w.end = (void *)(long)skb->data_end;
	}
	if (conf.l3) {
		read_l3(f, &w);
	} else {
		f->tags = skb->vlan_present ? 1 : 0;	/* the device, or the stack, took it off */
		read_ether(f, &w);
	}
	return judge(f, skb->len, skb->ifindex != conf.ifindex) ? SHOT : NEXT;
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
