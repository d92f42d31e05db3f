/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps of policy.bpf.c, and where it works. */
#ifndef NETPROBE_POLICY_MAPS_H
#define NETPROBE_POLICY_MAPS_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "policy_abi.h"
#include "policy_translated.h"
#include "tuple.h"

#define SEEN_SLOTS 256

#define MAP(name, type_, key_, value_, n, flags)    \
	struct {                                    \
		__uint(type, BPF_MAP_TYPE_##type_); \
		__uint(max_entries, n);             \
		__uint(map_flags, flags);           \
		__type(key, key_);                  \
		__type(value, value_);              \
	} name SEC(".maps")

/* A packet and its fate. */
struct packet {
	struct np_policy_key key;	/* found, or to be asked for */
	__u64 n, bytes;			/* as on the wire: segments of a super-packet */
	__u32 reply;			/* it goes from key.dst to key.src */
	__u32 guessed;			/* it does not tell who is the caller */
	__u32 sport;			/* of key.src */
	__u32 place;			/* enum np_policy_place: where it was dropped */
	__u32 ask;			/* nobody has yet */
	__u32 stale;			/* but something of an earlier generation is there */
};

/* A packet that came from a pod, by where it stands in memory, and as what it was counted. */
struct seen {
	__u64 at;
	__u32 n, bytes;
};

/*
 * Where a CPU works: a packet at tc; a dropped one, which may come in the midst of that.  Of what lies here the
 * verifier knows nothing, so it does not follow each value that it may have.
 */
struct work {
	struct np_tuple tuple;
	struct packet p;
	struct np_policy_counts n;	/* what is added to a row */
	struct np_policy_row row;
	struct translated ct;		/* of a dropped one */
	struct np_policy_waits to;	/* and where it would have gone */
	__u32 busy;
	__u32 pod;			/* whose interface it is; NP_POD_NONE: packets of all pods count */
	__u32 fragment_bytes;		/* of the first fragment that was seen last */
	__u64 unknown;
	__u8 data[NP_POLICY_BYTES];
};
enum { WORK_TC, WORK_DROP, WORKS };

/* Sizes are set before loading (src/count/policy_count.c). */
MAP(pod_metadata, HASH, struct np_pod_key, struct np_pod, 64, 0);
MAP(active_policies, LRU_HASH, struct np_policy_key, struct np_decision, 1024, 0);
MAP(policy_waiting, LRU_HASH, struct np_policy_key, struct np_policy_waits, 1024, 0);
MAP(policy_events, PERCPU_HASH, struct np_policy_row, struct np_policy_counts, 256, 0);
MAP(policy_ifaces, HASH, __u32, struct np_policy_iface, 64, 0);
MAP(policy_seen, PERCPU_ARRAY, __u32, struct seen, SEEN_SLOTS, 0);
MAP(policy_other, PERCPU_ARRAY, __u32, __u64, NP_OTHERS_N, 0);
MAP(policy_work, PERCPU_ARRAY, __u32, struct work, WORKS, 0);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} policy_asks SEC(".maps");

const volatile __u32 netns = 0;		/* drops of other network namespaces are none of ours */

const volatile __u32 sees_drops = 0;

/* Written by user space: decisions of other generations are stale. */
volatile __u32 generation = 0;

#define ADD(counter, n) __sync_fetch_and_add(&(counter), (n))

static __always_inline void other(__u32 why, __u64 n)
{
	__u64 *v = bpf_map_lookup_elem(&policy_other, &why);

	if (v)
		ADD(*v, n);
}

#endif
