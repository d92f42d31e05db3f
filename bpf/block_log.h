/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_BLOCK_LOG_H
#define NETPROBE_BLOCK_LOG_H

#include "verdict.h"

/* The log of block_abi.h: what was stopped, and what passed for the sake of the log, or of the timer, alone. */

static __always_inline bool is_read(struct np_log_cpu *c)
{
	__u32 zero = 0;
	struct np_log_readers *r = bpf_map_lookup_elem(&np_log_readers, &zero);
	__u64 beat = r ? *(volatile __u64 *)&r->beat : 0, now = bpf_jiffies64();

	if (beat != c->beat) {
		c->beat = beat;
		c->beat_jiffies = now;
	}
	return beat && now - c->beat_jiffies < conf.log_jiffies;
}

/* As much of it as there is room for: in words, and what is left in halves of one. */
static __always_inline __u16 copy_frame(__u8 *to, const void *p, const void *end)
{
	__u32 n = 0;

#pragma unroll
	for (int i = 0; i < NP_LOG_BYTES / 8; i++) {
		if (p + 8 > end)
			break;
		*(__u64 *)(void *)(to + n) = *(const __u64 *)p;
		p += 8;
		n += 8;
	}
	if (n == NP_LOG_BYTES)
		return NP_LOG_BYTES;
	if (p + 4 <= end) {
		*(__u32 *)(void *)(to + n) = *(const __u32 *)p;
		p += 4;
		n += 4;
	}
	if (p + 2 <= end) {
		*(__u16 *)(void *)(to + n) = *(const __u16 *)p;
		p += 2;
		n += 2;
	}
	if (p + 1 <= end)
		to[n++] = *(const __u8 *)p;
	return (__u16)n;
}

/* skb_tag: type and tag of the one that is not in the data, or 0. */
static __always_inline void tell(const struct walk *w, const struct verdict *v, __u32 skb_tag)
{
	__u32 cpu = bpf_get_smp_processor_id(), at;
	struct np_log_cpu *c = bpf_map_lookup_elem(&np_log_cpus, &cpu);
	struct np_log_packet *l;

	if (!c || !is_read(c))
		return;
	at = cpu * NP_LOG_PACKETS + ((__u32)c->written & (NP_LOG_PACKETS - 1));
	l = bpf_map_lookup_elem(&np_log, &at);
	if (!l)
		return;
	l->boot_ns = bpf_ktime_get_boot_ns();
	l->rule = entry_id(v->value);
	l->len = (__u32)w->len;
	l->tag_type = (__u16)(skb_tag >> 16);
	l->tag = (__u16)skb_tag;
	l->reason = (__u8)v->reason;
	l->drop = v->drop;
	l->cap = copy_frame(l->data, w->data, w->end);
	*(volatile __u64 *)&c->written = c->written + 1;
}

#endif
