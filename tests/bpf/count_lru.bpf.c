// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The peer of tests/bench/bench_count.c: counting as it is, but the conversations lie in a hash of the kernel's own that
 * gives up those not used for long.  It does less: it does not tell first packets from conversations, nor those that
 * are over from others, and does not count what leaves.
 */
#include <stddef.h>
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "abi.h"
#include "parse.h"
#include "flow_abi.h"
#include "count_abi.h"
#include "count_flow.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, struct flow);
} np_lru SEC(".maps");

static __always_inline void count_flow_in_lru(struct np_counts *c)
{
	struct flow_packet *p = &c->work.packet;
	struct flow *f = bpf_map_lookup_elem(&np_lru, &p->key);

	if (f) {
		p->is_exact = flow_needs_clock(f, p);
		if (p->is_exact)
			p->time_ns = bpf_ktime_get_ns();
	} else {
		struct flow fresh;

		p->time_ns = bpf_ktime_get_ns();
		p->is_exact = 1;
		begin(c, &fresh, p);
		bpf_map_update_elem(&np_lru, &p->key, &fresh, BPF_NOEXIST);
		f = bpf_map_lookup_elem(&np_lru, &p->key);
	}
	if (f)
		flow_step(f, p);
}

#define count_flow count_flow_in_lru
#include "count.bpf.c"
#include "count_bench.h"
