/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERNEL_H
#define NETPROBE_KERNEL_H

/*
 * The few kernel types that the drop hook reads, by hand: CO-RE finds the offsets of the running
 * kernel, so order, padding and what is left out do not matter.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
};

struct net_device {
	int ifindex;
	possible_net_t nd_net;
	unsigned short type;
	char name[16];
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned char *head, *data;
	unsigned int len;
	unsigned int tail, end;			/* offsets from head on 64-bit */
	unsigned short mac_header, network_header;
	__be16 protocol, vlan_proto;
	unsigned short vlan_tci;
	unsigned char vlan_present:1;		/* up to 6.0; then vlan_all is not 0 */
	unsigned int vlan_all;
	int skb_iif;
	unsigned long _nfct;			/* a struct nf_conn; lowest three bits: enum ip_conntrack_info */
};

struct skb_shared_info {
	unsigned short gso_size, gso_segs;
};

#pragma clang attribute pop

/* From 5.17; numbers differ from kernel to kernel and are asked for by name. */
enum skb_drop_reason {
	SKB_NOT_DROPPED_YET_np,
	SKB_CONSUMED,				/* from 6.3: not a drop */
};

#endif
