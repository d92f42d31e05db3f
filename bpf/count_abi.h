/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the counting programs keep in their maps: counters of each CPU and direction, and a table of conversations.
 * Whoever reads maps them and asks nothing of the kernel.  The rules of abi.h hold here too.  Include
 * <linux/types.h>, flow_abi.h and tuple.h first.
 */
#ifndef NETPROBE_COUNT_ABI_H
#define NETPROBE_COUNT_ABI_H

/* By bytes on the wire; by what a TCP segment does; by network layer. */
enum np_size_class { NP_SIZE_64, NP_SIZE_127, NP_SIZE_255, NP_SIZE_511, NP_SIZE_1023, NP_SIZE_1518, NP_SIZE_9018,
		     NP_SIZE_MORE, NP_SIZES };
enum np_flag_class { NP_FLAGS_SYN, NP_FLAGS_SYN_ACK, NP_FLAGS_FIN, NP_FLAGS_RST, NP_FLAGS_DATA, NP_FLAGS_ACK,
		     NP_FLAGS_OTHER, NP_FLAGS_NONE, NP_FLAG_CLASSES };
enum np_version_class { NP_VERSION_4, NP_VERSION_6, NP_VERSION_ARP, NP_VERSION_OTHER, NP_VERSIONS };

struct np_tally {
	__u64 packets, bytes;
};

/* Where a CPU's program works: no hook interrupts another one.  What lies here the verifier knows nothing of. */
struct np_workspace {
	struct np_tuple tuple;
	struct flow_packet packet;
	__u64 unknown[4];
};

/* A CPU's, of one interface and direction.  Segments of a super-packet are packets each, with headers of their own. */
struct np_counts {
	__u64 frames, frame_bytes;	/* as the device counts: super-packets are one, tags beside the data are none */
	struct np_tally version[NP_VERSIONS], size[NP_SIZES];	/* as on the wire; each adds up to all */
	struct np_tally flags[NP_FLAG_CLASSES];	/* of TCP */
	struct np_tally reading[16];		/* by enum np_reading, but for those read whole */
	struct np_tally tagged, fragments, tunnelled;
	__u64 in_none;			/* packets that belong to no flow */
	__u64 inner_in_none;		/* headers inside tunnels that do not */
	__u64 flows, inner_flows;	/* begun; those inside tunnels are not among the first */
	struct np_tally left;		/* what flows had counted that are there no more */
	__u64 left_flows, evicted, evicted_settled;	/* these; for want of room; of both kinds */
	__u64 fragments_evicted;	/* datagrams whose ports were forgotten for want of room */
	__u64 clock_jiffies, clock_ns;	/* when the clock was asked last, and what it said */
	__u64 reserved[4];
	struct np_workspace work;
};

enum np_count_dir { NP_COUNT_IN, NP_COUNT_OUT, NP_COUNT_DIRS };

/* A CPU's, of all interfaces: by IANA number of what an IP header carries. */
struct np_transports {
	struct np_tally v[256];
};

/*
 * Conversations: sets of eight, found by a hash whose key nobody outside knows.  Those in which both ends have
 * spoken and those in which only one has live apart, so that a flood of first packets pushes out none of the living.
 * What is first is written under a lock, for there it moves; the sets of one lock share the low bits of their hash.
 */
#define NP_WAYS 8
#define NP_COUNT_LOCKS 1024
#define NP_COUNT_SETS_MIN NP_COUNT_LOCKS

struct np_flow_set {
	__u32 tag[NP_WAYS];		/* high bits of the hash; 0: nobody's place */
	__u32 reserved[8];
	struct flow flow[NP_WAYS];
};

/* Fragments: the ports that only the first of a datagram carries, and what came before it. */
struct np_piece {
	struct flow_key key;		/* the sender first, no ports */
	__u16 port[2];
	__u8  ttl, tos;			/* of what came early: the lowest; the latest */
	__u32 id;
	__u32 is_known;			/* the ports are */
	__u64 jiffies;			/* of its latest; 0: nobody's place */
	__u64 early_packets, early_bytes, time_ns;	/* time_ns: of the latest of these */
	__u16 vlan[FLOW_VLANS_MAX], vlans, reserved;
	__u64 reserved2[4];
};
#define NP_PIECES 4
struct np_piece_set {
	struct np_piece v[NP_PIECES];
};
#define NP_PIECE_SETS 1024
#define NP_PIECE_SECONDS 30

/* Timeouts in ns: after such a silence the next packet begins another conversation. */
struct np_count_conf {
	__u32 settled_mask, first_mask;	/* sets - 1 */
	__u32 cpus;			/* place of counters: (interface * cpus + CPU) * NP_COUNT_DIRS + direction */
	__u32 iface_mask;		/* of np_ifaces: the low bits of the ifindex; 0: there is one interface */
	__u32 per_interface;		/* flows of each interface apart: then it is in their keys, from 1 on */
	__u32 l3;			/* no link header */
	__u64 tick_ns, ticks_s;		/* of a jiffy; jiffies a second */
	__u64 idle_first_ns, idle_settled_ns, idle_tcp_ns;
	__u32 hash[12];			/* getrandom() */
	/* For whoever reads: when counting began, by the wall clock; that nothing counts here any more. */
	__u64 since_ns, ended;
};

#ifndef __cplusplus
_Static_assert(sizeof(struct np_flow_set) == 1600, "np_flow_set is ABI");
_Static_assert(sizeof(struct np_piece) == 128, "np_piece is ABI");
_Static_assert(NP_READINGS_N <= 16, "a place for each reading");
#endif

#endif
