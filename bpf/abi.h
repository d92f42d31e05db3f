/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only header compiled on both sides of the kernel boundary.  Integers are
 * host order, packet bytes are as on the wire; no bool, no enum-typed members,
 * no implicit padding.  Include <linux/types.h> first.
 */
#ifndef NETPROBE_ABI_H
#define NETPROBE_ABI_H

enum np_hook { NP_HOOK_INGRESS = 1, NP_HOOK_EGRESS, NP_HOOK_DROP = 4 };

enum np_event_flags {
	NP_EV_RAW_IP = 1 << 0,		/* data starts at the IP header: the device has no link header */
	NP_EV_UNDECIDED = 1 << 1,	/* the filter needed bytes it could not reach: ask again in user space */
};

/* One header, then cap_len bytes of packet. */
struct np_event {
	__u64 boot_ns;		/* CLOCK_BOOTTIME of the host, whatever our time namespace */
	__u64 location;		/* drop: kernel address that freed it; else 0 */
	__u32 ifindex;
	__u32 wire_len;		/* with the VLAN tag that the device took off */
	__u32 cap_len;
	__u32 reason;		/* drop: enum skb_drop_reason of this kernel, ~0 when it has none */
	__u32 seq;		/* per CPU, no gaps but those of the ledger */
	__u16 cpu;
	__u16 segments;
	__u16 protocol;		/* EtherType by the kernel, host order */
	__u8  hook;		/* enum np_hook */
	__u8  flags;		/* enum np_event_flags */
	__u32 netns;		/* drop: inode of its network namespace, 0 unknown; else 0 */
	__u8  data[];
};

/*
 * Record sizes in the ring: the smallest class that holds header and bytes is
 * reserved, because a size must be constant for the verifier up to 6.7.
 */
#define NP_CLASS_0 128
#define NP_CLASS_1 256
#define NP_CLASS_2 512
#define NP_CLASS_3 1664
#define NP_CLASS_4 4224
#define NP_CLASS_5 16512
#define NP_CLASS_6 65664
#define NP_SNAP_MAX (NP_CLASS_6 - 48)

/* Bytes of a frame that the in-kernel filter can look at. */
#define NP_SCRATCH 512

/*
 * With a filter there are three programs: the entry program copies the first bytes
 * of the canonical frame here (per CPU, one element) and tail-calls NP_SLOT_FILTER, the
 * translated filter; that returns (TC: TC_ACT_UNSPEC; socket: 0) after counting
 * `filtered`, or tail-calls NP_SLOT_EMIT.  A load beyond `cap` but inside `len`
 * cannot be answered: the filter then sets `undecided` and takes it for a match.
 */
struct np_scratch {
	__u32 cap;		/* bytes valid in data: min(len, NP_SCRATCH) */
	__u32 len;		/* bytes of the canonical frame */
	__u32 undecided;
	__u32 hook;		/* enum np_hook, from the entry program to the emitting one */
	__u32 sent;		/* len with the tags that were left out: what `len` in a filter means */
	__u32 reserved;
	__u8  data[NP_SCRATCH];
};

enum np_slot { NP_SLOT_FILTER, NP_SLOT_EMIT, NP_SLOTS };

/* Per CPU: what became of each packet.  seen = filtered + sampled + emitted + lost_ring + lost_map. */
struct np_ledger {
	__u64 seen;
	__u64 seen_bytes;
	__u64 filtered;
	__u64 sampled;
	__u64 emitted;
	__u64 lost_ring;
	__u64 lost_map;
	__u64 truncated;	/* emitted, cut at the snap length */
	__u64 undecided;	/* emitted with NP_EV_UNDECIDED */
	__u64 reserved[7];
};

/* Shared with the reader through a mapped array of one element. */
struct np_control {
	__u32 want_wakeup;	/* the reader sleeps: wake it for the next record */
	__u32 reserved[15];
};

/*
 * Pinned state says whose it is: the one value of the map "meta" beside it, written once and frozen.  Whoever
 * changes anything that is pinned (a map's value, a name) raises NP_ABI.
 */
#define NP_ABI 1
#define NP_META_MAGIC 0x4e504d4554413031ull	/* NPMETA01 */

struct np_meta {
	__u64 magic;
	__u32 abi;
	__u32 ifindex;
	__u64 netns;		/* cookie of the network namespace; its inode before Linux 5.14 */
	__u64 created_ns;	/* since 1970 */
	__u8  boot_id[16];
	__u8  uuid[16];
	__u8  prog_tag[8];
	char  version[16];	/* of the netprobe that wrote it */
	char  ifname[16];
	char  service[16];
	__u8  reserved[40];
};

#ifndef __cplusplus
_Static_assert(sizeof(struct np_meta) == 160, "np_meta is ABI");
_Static_assert(sizeof(struct np_event) == 48, "np_event is ABI");
_Static_assert(__builtin_offsetof(struct np_event, data) == 48, "no tail padding");
_Static_assert(sizeof(struct np_ledger) == 128, "np_ledger is ABI");
_Static_assert(sizeof(struct np_control) == 64, "np_control is ABI");
#endif

#endif
