/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the kernel dropped a packet, by the reason that it gives, or by the address of its code where it gives none. */
#ifndef NETPROBE_POLICY_PLACE_H
#define NETPROBE_POLICY_PLACE_H

#define NO_REASON (~0u)

/* Only their names matter. */
enum skb_drop_reason___policy {
	SKB_DROP_REASON_NOT_SPECIFIED,
	SKB_DROP_REASON_NETFILTER_DROP,
	SKB_DROP_REASON_XDP,
	SKB_DROP_REASON_TC_INGRESS,
	SKB_DROP_REASON_TC_EGRESS,
};

const volatile struct np_policy_range ranges[NP_POLICY_RANGES] = { 0 };

#define WAS(name, r)                                                                         \
	(bpf_core_enum_value_exists(enum skb_drop_reason___policy, SKB_DROP_REASON_##name) && \
	 (r) == bpf_core_enum_value(enum skb_drop_reason___policy, SKB_DROP_REASON_##name))

static __always_inline __u32 by_address(__u64 location, bool has_reason)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < NP_POLICY_RANGES; i++)
		if (location >= ranges[i].from && location < ranges[i].to &&
		    (!has_reason || ranges[i].place == NP_PLACE_XDP))
			return ranges[i].place;
	return NP_PLACE_NONE;
}

/* Linux before 5.17 tells no reason, and later ones none of XDP's; what tc dropped is not told before 5.18. */
static __always_inline __u32 place_of(__u32 reason, __u64 location)
{
	if (reason == NO_REASON)
		return by_address(location, false);
	if (WAS(NETFILTER_DROP, reason))
		return NP_PLACE_NETFILTER;
	if (WAS(XDP, reason))
		return NP_PLACE_XDP;
	if (WAS(TC_INGRESS, reason))
		return NP_PLACE_TC_IN;
	if (WAS(TC_EGRESS, reason))
		return NP_PLACE_TC_OUT;
	if (WAS(NOT_SPECIFIED, reason))
		return by_address(location, true);
	return NP_PLACE_NONE;
}

#endif
