/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What connection tracking knows of a packet: its addresses before and behind translation. */
#ifndef NETPROBE_POLICY_TRANSLATED_H
#define NETPROBE_POLICY_TRANSLATED_H

#include "kernel.h"
#include "policy_read.h"

#define CT_INFO 7ul
#define CT_IS_REPLY 3		/* and what is above (linux/netfilter/nf_conntrack_common.h) */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Only where they stand matters. */
struct nf_conntrack_tuple___policy {
	unsigned char none;
};

struct nf_conntrack_tuple_hash___policy {
	struct nf_conntrack_tuple___policy tuple;
};

struct nf_conn___policy {
	struct nf_conntrack_tuple_hash___policy tuplehash[2];
};

#pragma clang attribute pop

/* struct nf_conntrack_tuple, the same since 2.6.22; an IPv4 address has zeros behind it. */
struct ct_tuple {
	__u64 src[2];
	__be16 sport;
	__u16 family;
	__u32 dst[4];
	__be16 dport;
	__u8 proto, dir;
};

struct translated {
	struct ct_tuple sent, received;	/* as its sender sends it; as who gets it would answer */
	__u32 known, is_reply;
};

static __always_inline void read_translated(struct translated *to, struct sk_buff *skb, const tuple *t)
{
	long (*const read)(void *, __u64, const void *) = (void *)BPF_FUNC_probe_read_kernel;
	struct nf_conn___policy *ct;
	__u32 reply, proto = t->proto;
	unsigned long at;

	to->known = to->is_reply = 0;
	if (!bpf_core_type_exists(struct nf_conn___policy) || !bpf_core_field_exists(skb->_nfct) ||
	    (proto != 6 && proto != 17 && proto != 132))
		return;
	at = skb->_nfct;
	ct = (void *)(at & ~CT_INFO);
	reply = (at & CT_INFO) >= CT_IS_REPLY;
	if (!ct)
		return;
	if (read(&to->sent, sizeof(to->sent), reply ? &ct->tuplehash[1].tuple : &ct->tuplehash[0].tuple) ||
	    read(&to->received, sizeof(to->received), reply ? &ct->tuplehash[0].tuple : &ct->tuplehash[1].tuple))
		return;
	to->known = to->sent.proto == proto;
	to->is_reply = reply;
}

/* Where it was sent to becomes this: of what nobody answered yet. */
static __always_inline void read_to(struct np_policy_waits *to, const struct translated *ct)
{
	__u64 *addr = (__u64 *)to->to;

	to->to_known = ct->known & !ct->is_reply;
	addr[0] = ct->received.src[0];
	addr[1] = ct->received.src[1];
	to->to_port = bpf_ntohs(ct->received.sport);
}

static __always_inline void as_sent(tuple *t, const struct translated *ct)
{
	if (!ct->known)
		return;
	t->src[0] = bpf_be64_to_cpu(ct->sent.src[0]);
	t->src[1] = bpf_be64_to_cpu(ct->sent.src[1]);
	t->dst[0] = (__u64)bpf_ntohl(ct->sent.dst[0]) << 32 | bpf_ntohl(ct->sent.dst[1]);
	t->dst[1] = (__u64)bpf_ntohl(ct->sent.dst[2]) << 32 | bpf_ntohl(ct->sent.dst[3]);
	t->sport = bpf_ntohs(ct->sent.sport);
	t->dport = bpf_ntohs(ct->sent.dport);
}

/* The answer's the other way round. */
static __always_inline void as_received(tuple *t, const struct translated *ct)
{
	if (!ct->known)
		return;
	t->dst[0] = bpf_be64_to_cpu(ct->received.src[0]);
	t->dst[1] = bpf_be64_to_cpu(ct->received.src[1]);
	t->src[0] = (__u64)bpf_ntohl(ct->received.dst[0]) << 32 | bpf_ntohl(ct->received.dst[1]);
	t->src[1] = (__u64)bpf_ntohl(ct->received.dst[2]) << 32 | bpf_ntohl(ct->received.dst[3]);
	t->dport = bpf_ntohs(ct->received.sport);
	t->sport = bpf_ntohs(ct->received.dport);
}

#endif
