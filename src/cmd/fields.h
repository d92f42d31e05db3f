/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FIELDS_H
#define NETPROBE_CMD_FIELDS_H

#include "record.h"

/* Own fields of what there is: interfaces, the ways to capture and to attach at each, programs at hooks, the kernel. */

extern struct dataset interface_dataset, plan_dataset, link_dataset, feature_dataset;

struct interface_body {
	bool is_up, is_loopback;
	uint32_t mtu;
	uint16_t link_type;
	uint64_t rx_packets, tx_packets;
};

#define INTERFACE_FIELDS(X) \
	X(IFACE_UP, "interface.up", FT_BOOL, is_up, "it is switched on") \
	X(IFACE_LOOPBACK, "interface.loopback", FT_BOOL, is_loopback, "what is sent there comes back") \
	X(IFACE_MTU, "interface.mtu", FT_U32, mtu, "bytes of the largest IP packet it takes") \
	X(IFACE_LINK_TYPE, "interface.linktype", FT_U16, link_type, "LINKTYPE_ number of the frames a capture has of it") \
	X(IFACE_RX_PACKETS, "interface.rx_packets", FT_U64, rx_packets, "packets received, as the kernel counts") \
	X(IFACE_TX_PACKETS, "interface.tx_packets", FT_U64, tx_packets, "packets sent, likewise")

enum interface_field { FIELD_IFACE_BEFORE_ = FIELD_OWN - 1, INTERFACE_FIELDS(FIELD_ID) };

static inline struct interface_body *interface_of(const struct record *r)
{
	return record_own(r);
}

struct plan_body {
	const char *rung, *verdict;
	struct str reason;
	const char *hook, *mode;
};

#define PLAN_FIELDS(X) \
	X(PLAN_RUNG, "plan.rung", FT_WORD, rung, "way to capture there: tcx, clsact, socket, packet; drops") \
	X(PLAN_VERDICT, "plan.verdict", FT_WORD, verdict, "chosen, works, refused, busy, or not tried") \
	X(PLAN_REASON, "plan.reason", FT_STR, reason, "why it is not chosen") \
	X(PLAN_HOOK, "plan.hook", FT_WORD, hook, "place to attach at: xdp, tcx/ingress, tcx/egress, clsact/ingress, clsact/egress") \
	X(PLAN_MODE, "plan.mode", FT_WORD, mode, "of XDP: native (in the driver), generic")

enum plan_field { FIELD_PLAN_BEFORE_ = FIELD_OWN - 1, PLAN_FIELDS(FIELD_ID) };

static inline struct plan_body *plan_of(const struct record *r)
{
	return record_own(r);
}

struct link_body {
	const char *hook, *mode;
	uint32_t order, id, handle, program_id;
	int32_t priority;
	uint64_t netns, run_count, run_ns;
	bool ours;
	struct str pinned, cgroup, netns_name, name, tag;
	struct list pids;		/* uint32_t */
};

#define LINK_FIELDS(X) \
	X(LINK_HOOK, "link.hook", FT_WORD, hook, "where packets meet the program: xdp, tcx/ingress, tc/egress, netkit/peer, cgroup/connect4, ...") \
	X(LINK_MODE, "link.mode", FT_WORD, mode, "of XDP: native (in the driver), generic, offload") \
	X(LINK_ORDER, "link.order", FT_U32, order, "in its chain, from 1: who runs first") \
	X(LINK_ID, "link.id", FT_U32, id, "the BPF link's number; absent without a link") \
	X(LINK_PRIORITY, "link.priority", FT_I32, priority, "of tc and netfilter: the lower runs first") \
	X(LINK_HANDLE, "link.handle", FT_U32, handle, "of tc: the filter's handle") \
	X(LINK_CGROUP, "link.cgroup", FT_STR, cgroup, "path of the cgroup it is attached to") \
	X(LINK_NETNS, "link.netns", FT_U64, netns, "network namespace, by inode") \
	X(LINK_NETNS_NAME, "link.netns_name", FT_STR, netns_name, "its name below /run/netns") \
	X(LINK_PINNED, "link.pinned", FT_STR, pinned, "path below a BPF file system that keeps it") \
	X(LINK_OURS, "link.ours", FT_BOOL, ours, "netprobe put it there") \
	X(PROGRAM_ID, "program.id", FT_U32, program_id, "the program's number, as bpftool takes it") \
	X(PROGRAM_NAME, "program.name", FT_STR, name, "its name") \
	X(PROGRAM_TAG, "program.tag", FT_STR, tag, "hash of its instructions") \
	X(PROGRAM_RUN_COUNT, "program.run_count", FT_U64, run_count, "how often it ran, while the kernel counts: sysctl kernel.bpf_stats_enabled") \
	X(PROGRAM_RUN_TIME, "program.run_time_ns", FT_U64, run_ns, "nanoseconds that took") \
	X(LINK_PIDS, "process.pids", FT_U32S, pids, "processes that hold the program or its link")

enum link_field { FIELD_LINK_BEFORE_ = FIELD_OWN - 1, LINK_FIELDS(FIELD_ID) };

static inline struct link_body *link_of(const struct record *r)
{
	return record_own(r);
}

struct feature_body {
	const char *name, *since;
	bool available;
	struct list used_by;		/* const char * */
	struct str reason;
};

#define FEATURE_FIELDS(X) \
	X(FEATURE_NAME, "feature.name", FT_WORD, name, "thing of the kernel that netprobe uses: link_tcx, map_ringbuf, ...") \
	X(FEATURE_AVAILABLE, "feature.available", FT_BOOL, available, "this kernel has it, as trying it tells; absent where that could not be tried") \
	X(FEATURE_SINCE, "feature.since", FT_WORD, since, "Linux version that brought it") \
	X(FEATURE_USED_BY, "feature.used_by", FT_WORDS, used_by, "what needs it: watch, drops, attach, block, flows, policy") \
	X(FEATURE_REASON, "feature.reason", FT_STR, reason, "why it is not there, or not known: what the kernel says, or the capability that is missing; of run_counts that it is switched off")

enum feature_field { FIELD_FEATURE_BEFORE_ = FIELD_OWN - 1, FEATURE_FIELDS(FIELD_ID) };

static inline struct feature_body *feature_of(const struct record *r)
{
	return record_own(r);
}

#endif
