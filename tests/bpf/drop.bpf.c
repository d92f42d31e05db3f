// SPDX-License-Identifier: GPL-2.0-or-later
/* For tests/vm/drops.sh: XDP drops the TCP that goes to port 1006 by IPv4 without options. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

SEC("xdp")
int drop(struct xdp_md *c)
{
	void *end = (void *)(long)c->data_end;
	struct ethhdr *eth = (void *)(long)c->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct tcphdr *tcp = (void *)(ip + 1);

	if ((void *)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	return tcp->dest == bpf_htons(1006) ? XDP_DROP : XDP_PASS;
}

char np_license[] SEC("license") = "GPL";
