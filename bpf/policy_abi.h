/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of pods, counted under the decisions of user space (bpf/policy.bpf.c).  The rules of abi.h hold here too:
 * ports and lengths are host order, addresses as on the wire, an IPv4 address in the first four bytes and zeros behind
 * it.  Include <linux/types.h> first.
 */
#ifndef NETPROBE_POLICY_ABI_H
#define NETPROBE_POLICY_ABI_H

/* pod_metadata: pods of this node, by address.  Addresses of all others are peers. */
struct np_pod_key {
	__u8  addr[16];
	__u32 family;			/* 4, 6 */
};

struct np_pod {
	__u32 pod;			/* user space's number of it; below NP_POD_NONE */
	__u32 flags;			/* 0 */
};

#define NP_POD_NONE 0xffffffffu

/* policy_ifaces: the host's end of a pod's interface.  What comes by another's is no packet of the pod's. */
struct np_policy_iface {
	__u32 pod;
	__u8  first_in, first_out;	/* packets are seen before any program of tc may drop them, in this direction */
	__u8  reserved[2];
};

/*
 * active_policies: what was decided, by who calls whom.  A packet from the caller is found by its own addresses and
 * port, an answer by the same the other way round.  dport: 0 where there are none.
 */
struct np_policy_key {
	__u8  src[16] __attribute__((aligned(8))), dst[16];
	__u16 dport;
	__u8  proto, family;
	__u32 reserved;			/* 0 */
};

enum np_policy_verdict { NP_POLICY_SELECTS_NONE, NP_POLICY_ALLOWS, NP_POLICY_DENIES };

#define NP_SIDE_POLICIES 4

/* One end's policies.  What is more than these is not named. */
struct np_policy_side {
	__u32 pod;			/* NP_POD_NONE: no pod of this node */
	__u8  verdict;			/* enum np_policy_verdict */
	__u8  n;			/* of policy[]: those that allow, or select and deny */
	__u16 reserved;
	__u32 policy[NP_SIDE_POLICIES];
};

/* By whose policy, and the index of np_decision.side: the caller's egress, the ingress of whom it calls. */
enum np_policy_dir { NP_POLICY_EGRESS, NP_POLICY_INGRESS, NP_POLICY_DIRS };

struct np_decision {
	__u32 generation;		/* of the objects it was made from: another than theirs now is stale */
	__u8  asked;			/* 1: there is no answer yet */
	__u8  reserved[3];
	struct np_policy_side side[NP_POLICY_DIRS];
};

/*
 * policy_waiting: packets of a key that had no decision, by the end that they were seen at.  They stand in the row
 * NP_POLICY_UNDECIDED as well, from which user space moves them.  LRU: what it takes away stays undecided.
 */
struct np_policy_waiting {
	__u64 packets_allowed, packets_dropped, bytes_allowed, bytes_dropped;
	__u32 pod;			/* whose they were */
	__u32 generation;		/* when the last of them came */
};

struct np_policy_waits {
	struct np_policy_waiting end[NP_POLICY_DIRS];
	__u8  to[16];			/* where a dropped one would have gone */
	__u16 to_port;
	__u8  to_known, reserved[5];
	__u64 since_ns;			/* CLOCK_MONOTONIC, when it began to wait */
};

/* policy_events: a row for each of these. */
struct np_policy_row {
	__u32 pod;
	__u32 policy;			/* user space's number, or one of those below */
	__u8  dir;			/* enum np_policy_dir */
	__u8  reserved[3];
};

#define NP_POLICY_NONE 0		/* no policy selects the pod in that direction */
#define NP_POLICY_LAST 0xfffffffcu	/* numbers of policies are from 1 to this */
#define NP_POLICY_WAITS 0xfffffffdu	/* no row here: what of the undecided one may be decided yet */
#define NP_POLICY_OTHER_END 0xfffffffeu	/* dropped, and it is the other end's policies alone that deny */
#define NP_POLICY_UNDECIDED 0xffffffffu	/* there was no decision yet */

/*
 * Of each CPU.  A packet that several policies of a pod allow (or deny) is counted with each of them; first_*: what is
 * counted with none before, so that these of all rows of a pod and direction add up to its packets.  A packet counts
 * as allowed where it is seen and is taken back when the kernel drops it later: one CPU's number, and for the moment
 * between also the sum, may be too large or (as of a number below 0) too small.
 */
struct np_policy_counts {
	__u64 packets_allowed, packets_dropped;
	__u64 policy_matches, policy_misses;	/* packets whose decision names the policy; names none (row 0) */
	__u64 bytes_allowed, bytes_dropped;	/* of IP, as on the wire */
	__u64 first_allowed, first_dropped;
};

/* policy_asks: no decision was found for it.  Once for each key and generation, unless the decisions find no room. */
enum np_ask_flags {
	NP_ASK_GUESSED = 1 << 0,	/* the packet does not tell who is the caller */
	NP_ASK_REPLY = 1 << 1,		/* it went from key.dst to key.src */
	NP_ASK_DROPPED = 1 << 2,	/* it was seen when the kernel dropped it */
};

struct np_policy_ask {
	struct np_policy_key key;
	__u32 pod;			/* that it was seen at */
	__u32 generation;
	__u16 sport;			/* of key.src */
	__u8  dir;			/* enum np_policy_dir, of the pod */
	__u8  flags;			/* enum np_ask_flags */
	__u32 reserved;
};

/* policy_other, of each CPU: packets that are in no row, and why; then what was lost. */
#define NP_OTHERS(X) \
	X(NOT_IP, "not_ip") \
	X(FRAGMENT, "fragment")			/* not the first: has no ports */ \
	X(BROKEN, "broken")			/* no whole header, or too many of them */ \
	X(ICMP, "icmp")				/* neither echo nor its answer: of another conversation, or of none */ \
	X(NOT_POD, "not_pod")			/* its address at that end is no pod's */ \
	X(RING_FULL, "ring_full")		/* asks that found no room: asked again by the next packet */ \
	X(CACHE_FULL, "cache_full")		/* the same of decisions */ \
	X(ROWS_FULL, "rows_full")		/* packets for which no row could be made */ \
	X(MISSED, "missed")			/* packets dropped while another was being looked at */

enum np_other {
#define NP_OTHER_ID(id, name) NP_OTHER_##id,
	NP_OTHERS(NP_OTHER_ID)
#undef NP_OTHER_ID
	NP_OTHERS_N
};

/* Where the kernel drops what a packet filter or XDP refuses: addresses of its code, where it gives no reason. */
enum np_policy_place { NP_PLACE_NONE, NP_PLACE_NETFILTER, NP_PLACE_XDP, NP_PLACE_TC_IN, NP_PLACE_TC_OUT };
#define NP_POLICY_RANGES 6

struct np_policy_range {
	__u64 from, to;			/* [from, to) */
	__u32 place;			/* enum np_policy_place */
	__u32 reserved;
};

/* The bytes of a packet that are looked at. */
#define NP_POLICY_BYTES 256

#ifndef __cplusplus
_Static_assert(sizeof(struct np_pod_key) == 20, "np_pod_key is ABI");
_Static_assert(sizeof(struct np_policy_key) == 40, "np_policy_key is ABI");
_Static_assert(sizeof(struct np_decision) == 56, "np_decision is ABI");
_Static_assert(sizeof(struct np_policy_waits) == 112, "np_policy_waits is ABI");
_Static_assert(sizeof(struct np_policy_row) == 12, "np_policy_row is ABI");
_Static_assert(sizeof(struct np_policy_counts) == 64, "np_policy_counts is ABI");
_Static_assert(sizeof(struct np_policy_ask) == 56, "np_policy_ask is ABI");
#endif

#endif
