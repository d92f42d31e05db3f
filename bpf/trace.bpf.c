// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The drop hook: every packet that the kernel dropped, and why.  CO-RE: needs the kernel's BTF.
 *
 * kfree_skb() is called from process context, softirq and hard interrupts, and one may interrupt the
 * program run by another on the same CPU.  So this ledger is written with atomic adds, nothing is kept
 * between two instructions that must agree, and a `seq` may come twice.  From 6.1 on the kernel does
 * not start a tracing program that is already running on the CPU; what is missed so is in the
 * program's recursion_misses, which the loader adds to the ledger when it detaches.
 */
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "abi.h"
#include "bound.h"
#include "kernel.h"
#include "submit.h"

#define NO_REASON (~0u)
#define NO_HEADER 0xffff	/* skb_mac_header_was_set() */
#define ETHER_HEADER 14
#define ARPHRD_ETHER 1
#define ARPHRD_LOOPBACK 772

/* Reasons wanted, a bit each; those of a subsystem (high 16 bits) have no bit. */
const volatile __u8 by_reason = 0;
const volatile __u64 wanted[16] = {};
const volatile __u32 netns = 0;		/* drops of other network namespaces are none of ours; 0: all are */
const volatile __u8 ask = 0;		/* there is a filter: user space evaluates it */

#define ADD(counter, n) __sync_fetch_and_add(&(counter), (n))

struct drop {
	struct sk_buff *skb;
	__u64 location;
	__u32 reason, ifindex, netns;
	__u64 from;		/* first byte, from skb->head */
	__u64 cap;		/* bytes from there that are linear */
	__u64 wire;		/* bytes of the packet from there */
	bool raw;		/* starts at the network header */
	__u64 tag;		/* 4: a VLAN tag is to be put back */
};

static __always_inline bool is_marked(__u64 reason)
{
	__u64 word = reason >> 6;

	asm volatile("" : "+r"(word));	/* keep one copy, so the check below binds it */
	return word < 16 && (wanted[word] >> (reason & 63) & 1);
}

static __always_inline bool is_wanted(__u32 reason)
{
	if (reason == 0)	/* SKB_NOT_DROPPED_YET */
		return false;
	if (bpf_core_enum_value_exists(enum skb_drop_reason, SKB_CONSUMED) &&
	    reason == bpf_core_enum_value(enum skb_drop_reason, SKB_CONSUMED))
		return false;
	if (!by_reason)
		return true;
	return reason < 1024 && is_marked(reason);
}

/*
 * skb->dev shares its place with a tree node and with scratch of UDP and TCP.  Reading through what is
 * no pointer gives zeros; what points to something else is told by its name.
 */
static __always_inline struct net_device *device(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;

	if (!dev || dev->name[0] <= ' ' || dev->ifindex <= 0)
		return NULL;
	return dev;
}

/* Neither device nor socket known: 0. */
static __always_inline __u32 namespace(struct sk_buff *skb, struct net_device *dev)
{
	struct sock *sk = skb->sk;

	if (dev)
		return dev->nd_net.net->ns.inum;
	return sk ? sk->__sk_common.skc_net.net->ns.inum : 0;
}

static __always_inline bool has_tag(struct sk_buff *skb)
{
	if (bpf_core_field_exists(skb->vlan_all))
		return skb->vlan_all != 0;
	if (bpf_core_field_exists(skb->vlan_present))
		return BPF_CORE_READ_BITFIELD(skb, vlan_present);
	return false;
}

/* Where the packet starts: at its Ethernet header when that is known to be there, else at the IP header. */
static __always_inline void locate(struct drop *d, struct net_device *dev)
{
	struct sk_buff *skb = d->skb;
	__u64 mac = skb->mac_header, net = skb->network_header, tail = skb->tail;
	__u64 data = skb->data - skb->head;
	bool ether = mac != NO_HEADER && net >= mac + ETHER_HEADER;

	d->ifindex = dev ? dev->ifindex : skb->skb_iif;
	if (dev && dev->type != ARPHRD_ETHER && dev->type != ARPHRD_LOOPBACK)
		ether = false;
	d->raw = !ether;
	d->from = ether ? mac : net;
	if (d->from > tail || (!net && !ether))
		d->from = data;
	d->cap = tail > d->from ? tail - d->from : 0;
	d->wire = skb->len + data - d->from;
	if (d->wire < d->cap || d->wire > 1 << 20)	/* pulled or cut oddly: what is there, is there */
		d->wire = d->cap;
	d->tag = ether && d->cap >= ETHER_HEADER && has_tag(skb) ? 4 : 0;
}

static long (*const read_kernel)(void *to, __u64 n, const void *from) = (void *)BPF_FUNC_probe_read_kernel;

static __always_inline bool copy(struct sk_buff *skb, __u64 from, void *to, __u64 n, __u64 max)
{
	if (n == 0 || n > max)
		return false;
	BOUND(n, max);
	return read_kernel(to, n, skb->head + from) == 0;
}

static __always_inline bool copy_wire(const struct drop *d, __u8 *to, __u64 cap, __u64 max)
{
	if (!d->tag)
		return copy(d->skb, d->from, to, cap, max);
	if (read_kernel(to, 12, d->skb->head + d->from))
		return false;
	*(__u16 *)(to + 12) = d->skb->vlan_proto;
	*(__u16 *)(to + 14) = bpf_htons(d->skb->vlan_tci);
	return copy(d->skb, d->from + 12, to + 16, cap - 16, max - 16);
}

static __always_inline __u16 segments(struct sk_buff *skb)
{
	struct skb_shared_info *info = (void *)(skb->head + skb->end);

	return BPF_CORE_READ(info, gso_size) ? BPF_CORE_READ(info, gso_segs) : 0;
}

static __always_inline void ship(struct np_ledger *led, const struct drop *d, __u64 class)
{
	struct np_event *ev = bpf_ringbuf_reserve(&events, class, 0);
	__u64 max = class - sizeof(*ev), cap = d->cap + d->tag, nth = led->emitted;

	if (!ev) {
		ADD(led->lost_ring, 1);
		return;
	}
	if (cap > max)
		cap = max;
	ev->boot_ns = bpf_ktime_get_boot_ns();
	ev->location = d->location;
	ev->ifindex = d->ifindex;
	ev->wire_len = (__u32)(d->wire + d->tag);
	ev->cap_len = copy_wire(d, ev->data, cap, max) ? (__u32)cap : 0;
	ev->reason = d->reason;
	ev->seq = (__u32)(nth + led->lost_ring);
	ev->cpu = (__u16)bpf_get_smp_processor_id();
	ev->segments = segments(d->skb);
	ev->protocol = bpf_ntohs(d->skb->protocol);
	ev->hook = NP_HOOK_DROP;
	ev->flags = (d->raw ? NP_EV_RAW_IP : 0) | (ask ? NP_EV_UNDECIDED : 0);
	ev->netns = d->netns;
	ADD(led->emitted, 1);
	if (ev->cap_len < ev->wire_len)
		ADD(led->truncated, 1);
	bpf_ringbuf_submit(ev, wake_flags(nth));
}

SEC("tp_btf/kfree_skb")
int np_drop(__u64 *ctx)
{
	struct drop d = { .skb = (struct sk_buff *)ctx[0], .location = ctx[1], .reason = NO_REASON };
	__u32 cpu = bpf_get_smp_processor_id();
	struct net_device *dev = device(d.skb);
	struct np_ledger *led;

	d.netns = namespace(d.skb, dev);
	if (netns && d.netns && d.netns != netns)
		return 0;
	led = bpf_map_lookup_elem(&np_ledger, &cpu);
	if (!led)
		return 0;
	if (bpf_core_type_exists(enum skb_drop_reason))
		d.reason = (__u32)ctx[2];
	locate(&d, dev);
	ADD(led->seen, 1);
	ADD(led->seen_bytes, d.wire + d.tag);
	if (!is_wanted(d.reason))
		ADD(led->filtered, 1);
	else if (d.cap + d.tag + sizeof(struct np_event) <= NP_CLASS_0)
		ship(led, &d, NP_CLASS_0);
	else if (d.cap + d.tag + sizeof(struct np_event) <= NP_CLASS_1)
		ship(led, &d, NP_CLASS_1);
	else
		ship(led, &d, NP_CLASS_2);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
