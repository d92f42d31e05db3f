// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The packet hooks: TC (tcx or clsact) and AF_PACKET sockets.  They observe: no verdict, no write to
 * the skb, no pull.  Types of the UAPI only, so it loads on a kernel without BTF, from 5.10 on.
 *
 * Without a filter the program at the hook ships the frame itself.  With one it copies the head of the
 * canonical frame to np_scratch and tail-calls the translated filter, which rejects (and counts) or
 * tail-calls the program that ships.
 *
 * Ledger: `seen` is counted once at the hook, and on every way from there exactly one of filtered (by
 * the filter), sampled, emitted, lost_ring and lost_map (a tail call that fell through).
 *
 * Nesting: ledger and scratch belong to the CPU and are written without atomics.  That is sound
 * because all these hooks run with bottom halves off: TC ingress and packet_rcv in the receive
 * softirq, TC egress under rcu_read_lock_bh() of __dev_queue_xmit(), dev_queue_xmit_nit() in its
 * dev_hard_start_xmit().  Hard interrupts do not come here (netpoll calls the driver directly), and
 * nothing we call sends or receives a packet.  On PREEMPT_RT a section with bottom halves off is
 * serialised per CPU by its local lock.  Tracing programs do nest: the drop hook has its own ledger.
 */
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "abi.h"
#include "canon.h"

#define NEXT (-1)		/* TC_ACT_UNSPEC, TCX_NEXT: as if we were not there */
#define OUTGOING 4		/* PACKET_OUTGOING */

const volatile __u8 ask = 0;		/* there is one that only user space can evaluate */
const volatile __u8 directions = 3;	/* of a socket, which sees both: 1 ingress, 2 egress */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_scratch);
} np_scratch SEC(".maps");

/* One an object: a program array holds programs of one type only. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NP_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} np_slots SEC(".maps");

static __always_inline struct np_ledger *ledger(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&np_ledger, &cpu);
}

static __always_inline void chain(struct __sk_buff *skb, struct np_ledger *led, __u8 hook)
{
	struct np_scratch *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&np_scratch, &zero);
	if (s) {
		s->hook = hook;
		s->undecided = 0;
		canon(skb, s);
		bpf_tail_call(skb, &np_slots, NP_SLOT_FILTER);
	}
	led->lost_map++;
}

static __always_inline struct np_ledger *arrive(struct __sk_buff *skb)
{
	struct np_ledger *led = ledger();

	if (led) {	/* it has a place for each possible CPU */
		led->seen++;
		led->seen_bytes += skb->len + absent_tag(skb);
	}
	return led;
}

/* Without a filter: ship the packet at once.  Programs with a filter are separate ones.  Were it a branch, the side
 * that is not taken would cost time even though the kernel removes it as dead code when it loads the program. */
static __always_inline void plain(struct __sk_buff *skb, __u8 hook)
{
	struct np_ledger *led = arrive(skb);

	if (led)
		emit(skb, led, hook, ask);
}

static __always_inline void filtered(struct __sk_buff *skb, __u8 hook)
{
	struct np_ledger *led = arrive(skb);

	if (led)
		chain(skb, led, hook);
}

static __always_inline void matched(struct __sk_buff *skb)
{
	struct np_ledger *led = ledger();
	struct np_scratch *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&np_scratch, &zero);
	if (led && s)
		emit(skb, led, (__u8)s->hook, s->undecided);
}

SEC("tc")
int np_ingress(struct __sk_buff *skb)
{
	plain(skb, NP_HOOK_INGRESS);
	return NEXT;
}

SEC("tc")
int np_egress(struct __sk_buff *skb)
{
	plain(skb, NP_HOOK_EGRESS);
	return NEXT;
}

SEC("tc")
int np_ingress_chain(struct __sk_buff *skb)
{
	filtered(skb, NP_HOOK_INGRESS);
	return NEXT;
}

SEC("tc")
int np_egress_chain(struct __sk_buff *skb)
{
	filtered(skb, NP_HOOK_EGRESS);
	return NEXT;
}

SEC("tc")
int np_emit(struct __sk_buff *skb)
{
	matched(skb);
	return NEXT;
}

/* The frame goes to the ring; the socket itself keeps nothing. */
SEC("socket")
int np_socket(struct __sk_buff *skb)
{
	bool out = skb->pkt_type == OUTGOING;

	if (directions & (out ? 2 : 1))
		plain(skb, out ? NP_HOOK_EGRESS : NP_HOOK_INGRESS);
	return 0;
}

SEC("socket")
int np_socket_chain(struct __sk_buff *skb)
{
	bool out = skb->pkt_type == OUTGOING;

	if (directions & (out ? 2 : 1))
		filtered(skb, out ? NP_HOOK_EGRESS : NP_HOOK_INGRESS);
	return 0;
}

SEC("socket")
int np_socket_emit(struct __sk_buff *skb)
{
	matched(skb);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
