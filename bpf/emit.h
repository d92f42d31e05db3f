/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_EMIT_H
#define NETPROBE_EMIT_H

#include "bound.h"
#include "submit.h"
#include "tags.h"

#define ETHER_HEADER 14
#define VLAN_TAG 4

/* Parameters: constants to the verifier, which removes what they make unreachable. */
const volatile __u32 snaplen = NP_SNAP_MAX;	/* at least 64 */
const volatile __u32 snaplen_other = 0;		/* 0: snaplen; at least 128 */
const volatile __u32 sample = 1;		/* keep one in so many of what matches */
const volatile __u8 apps_only = 0;		/* TCP bytes that no decoder can need are not shipped */
const volatile __u8 l3 = 0;			/* devices without a link header */

struct vlan_tag {
	__u16 type, tci;			/* as on the wire */
};

static __always_inline bool is_tag(__u16 type)
{
#define IS(tag) (type == bpf_htons(tag))
	return NP_VLAN_TYPES(IS, ||);
#undef IS
}

/* Bytes of the VLAN tag that is not in the data: the device, or the stack, took it off. */
static __always_inline __u64 absent_tag(struct __sk_buff *skb)
{
	return !l3 && skb->vlan_present && skb->len >= ETHER_HEADER ? VLAN_TAG : 0;
}

static __always_inline struct vlan_tag the_tag(struct __sk_buff *skb)
{
	return (struct vlan_tag){ .type = (__u16)skb->vlan_proto, .tci = bpf_htons((__u16)skb->vlan_tci) };
}

/* Lengths of 64 bits: those of 32 are made so by shifts, and what was known of them is lost. */
static long (*const load_bytes)(const void *skb, __u64 off, void *to, __u64 n) = (void *)BPF_FUNC_skb_load_bytes;

/* n bytes from `off`; false, with what they were to fill zeroed, when n is 0, above max, or not there. */
static __always_inline bool copy(struct __sk_buff *skb, __u64 off, void *to, __u64 n, __u64 max)
{
	if (n == 0 || n > max)
		return false;
	BOUND(n, max);
	return load_bytes(skb, off, to, n) == 0;
}

/* As many bytes as `to` has room for; false when they are not all there. */
#define fetch(skb, off, to) (load_bytes(skb, off, to, sizeof(*(to))) == 0)

/* The frame as on the wire: an absent tag goes back behind the addresses.  cap counts it. */
static __always_inline bool copy_wire(struct __sk_buff *skb, __u8 *to, __u64 cap, __u64 max)
{
	struct vlan_tag tag;

	if (!absent_tag(skb))
		return copy(skb, 0, to, cap, max);
	if (load_bytes(skb, 0, to, 12))
		return false;
	tag = the_tag(skb);
	*(struct vlan_tag *)(to + 12) = tag;
	return copy(skb, 12, to + 12 + VLAN_TAG, cap - 12 - VLAN_TAG, max - 12 - VLAN_TAG);
}

#include "apps.h"

/* Transports that a decoder looks into, and headers that may hide one. */
static __always_inline bool worth_it(__u8 proto)
{
	switch (proto) {
	case 0: case 1: case 4: case 17: case 41: case 43: case 44: case 47:
	case 51: case 58: case 60: case 132: case 135: case 136:
		return true;
	}
	return false;
}

/* Does a decoder look beyond the first bytes of this frame?  When in doubt, yes. */
static __always_inline enum interest interest(struct __sk_buff *skb)
{
	__u8 h[40];
	__u64 off = l3 ? 0 : ETHER_HEADER;
	__u16 type = 0;

	if (!l3) {
		if (!fetch(skb, 12, &type))
			return WHOLE;
		for (int i = 0; i < 2 && is_tag(type); i++, off += VLAN_TAG)
			if (!fetch(skb, off + 2, &type))
				return WHOLE;
	}
	if (!fetch(skb, off, &h))
		return WHOLE;
	if (l3)
		type = h[0] >> 4 == 4 ? bpf_htons(0x0800) : h[0] >> 4 == 6 ? bpf_htons(0x86dd) : 0;
	if (type == bpf_htons(0x0800)) {
		if ((h[6] & 0x3f) | h[7])	/* a fragment: RFC 791, 3.1 */
			return WHOLE;
		if (h[9] == 6)
			return tcp_interest(skb, off + (h[0] & 0x0f) * 4, h, false,
					    ((__u32)h[2] << 8 | h[3]) - (h[0] & 0x0f) * 4);
		return worth_it(h[9]) ? WHOLE : HEADERS;
	}
	if (type == bpf_htons(0x86dd)) {
		if (h[6] == 6)
			return tcp_interest(skb, off + 40, h, true, (__u32)h[4] << 8 | h[5]);
		return worth_it(h[6]) ? WHOLE : HEADERS;
	}
	return type == bpf_htons(0x0806) || type == bpf_htons(0x8864) || type == bpf_htons(0x8847) ||
	       type == bpf_htons(0x8848) || is_tag(type) ? WHOLE : HEADERS;
}

/* User space must see all that a filter may ask for: it cuts afterwards. */
static __always_inline __u64 most(enum interest need, bool undecided)
{
	if (undecided)
		return NP_SNAP_MAX;
	return !snaplen_other || need == WHOLE ? snaplen : snaplen_other;
}

struct shipment {
	__u64 wire, cap;
	__u8 hook, flags;
};

static __always_inline void ship(struct __sk_buff *skb, struct np_ledger *led, const struct shipment *s,
				 __u64 class)
{
	struct np_event *ev = bpf_ringbuf_reserve(&events, class, 0);
	__u64 nth = led->emitted;

	if (!ev) {
		led->lost_ring++;
		return;
	}
	ev->boot_ns = bpf_ktime_get_boot_ns();
	ev->location = 0;
	ev->ifindex = skb->ifindex;
	ev->wire_len = (__u32)s->wire;
	ev->cap_len = (__u32)s->cap;
	/* Read back, so that the verifier knows nothing of it: see BOUND(). */
	if (!copy_wire(skb, ev->data, *(volatile __u32 *)&ev->cap_len, class - sizeof(*ev)))
		ev->cap_len = 0;
	ev->reason = 0;
	ev->seq = (__u32)(nth + led->lost_ring);
	ev->cpu = (__u16)bpf_get_smp_processor_id();
	ev->segments = skb->gso_size ? (__u16)skb->gso_segs : 0;
	ev->protocol = bpf_ntohs((__u16)skb->protocol);
	ev->hook = s->hook;
	ev->flags = s->flags;
	ev->netns = 0;
	led->emitted = nth + 1;
	if (ev->cap_len < s->wire)
		led->truncated++;
	if (s->flags & NP_EV_UNDECIDED)
		led->undecided++;
	bpf_ringbuf_submit(ev, wake_flags(nth));
}

static __always_inline void by_class(struct __sk_buff *skb, struct np_ledger *led, const struct shipment *s)
{
	__u64 need = s->cap + sizeof(struct np_event);

	if (need <= NP_CLASS_0)
		ship(skb, led, s, NP_CLASS_0);
	else if (need <= NP_CLASS_1)
		ship(skb, led, s, NP_CLASS_1);
	else if (need <= NP_CLASS_2)
		ship(skb, led, s, NP_CLASS_2);
	else if (need <= NP_CLASS_3)
		ship(skb, led, s, NP_CLASS_3);
	else if (need <= NP_CLASS_4)
		ship(skb, led, s, NP_CLASS_4);
	else if (need <= NP_CLASS_5)
		ship(skb, led, s, NP_CLASS_5);
	else
		ship(skb, led, s, NP_CLASS_6);
}

/* The frame is wanted: one of filtered, sampled, lost_ring and emitted is counted. */
static __always_inline void emit(struct __sk_buff *skb, struct np_ledger *led, __u8 hook, bool undecided)
{
	enum interest need = snaplen_other || apps_only ? interest(skb) : WHOLE;
	struct shipment s = { .hook = hook };
	__u64 limit;

	if (apps_only && need == NOTHING && !undecided) {
		led->filtered++;
		return;
	}
	if (sample > 1 && (led->emitted + led->lost_ring + led->sampled) % sample) {
		led->sampled++;
		return;
	}
	s.wire = skb->len + absent_tag(skb);
	s.flags = (l3 ? NP_EV_RAW_IP : 0) | (undecided ? NP_EV_UNDECIDED : 0);
	limit = most(need, undecided);
	s.cap = s.wire < limit ? s.wire : limit;
	by_class(skb, led, &s);
}

#endif
