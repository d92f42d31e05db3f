/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FIELDS_H
#define NETPROBE_CMD_FIELDS_H

#include "record.h"

/* Own fields of what there is: interfaces, the ways to capture and to attach at each, programs at hooks, the kernel,
 * the firewall. */

extern struct dataset interface_dataset, plan_dataset, link_dataset, feature_dataset, rule_dataset, firewall_dataset;

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
	uint32_t order, handle, program_id;
	int32_t priority;
	uint64_t netns, run_count, run_ns;
	bool ours;
	struct str pinned, cgroup, netns_name, name, tag;
	struct list pids;		/* uint32_t */
};

#define LINK_FIELDS(X) \
	X(LINK_ORDER, "link.order", FT_U32, order, "in its chain, from 1: who runs first") \
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
	X(PROGRAM_RUN_TIME, "program.run_time_ns", FT_DURATION, run_ns, "nanoseconds that took") \
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

/* An entry of the firewall. */
struct rule_body {
	struct str target, rate;
	const char *direction, *proto;
	uint16_t port_from, port_to;
	bool shared;
	uint64_t rate_pps, rate_bps, burst, expires_ns, expires_in_s, hits, bytes, last_hit_ns, pps, bps;
};

#define RULE_FIELDS(X) \
	X(RULE_TARGET, "block.target", FT_STR, target, "address, prefix, MAC address or name that it names") \
	X(RULE_DIRECTION, "block.direction", FT_WORD, direction, "which end of a packet that is: src, dst, both") \
	X(RULE_PROTO, "block.proto", FT_WORD, proto, "only of this transport, as network.transport") \
	X(RULE_PORT_FROM, "block.port_from", FT_U16, port_from, "only to destination ports from this one on") \
	X(RULE_PORT_TO, "block.port_to", FT_U16, port_to, "up to this one") \
	X(RULE_RATE, "block.rate", FT_STR, rate, "of limit, as it is written: RATE/BURST") \
	X(RULE_RATE_PPS, "block.rate_pps", FT_U64, rate_pps, "of limit: packets a second") \
	X(RULE_RATE_BPS, "block.rate_bps", FT_U64, rate_bps, "of limit: bits a second") \
	X(RULE_BURST, "block.burst", FT_U64, burst, "of limit: so many packets, or bytes, at once") \
	X(RULE_SHARED, "block.shared", FT_BOOL, shared, "of limit: all sources share the rate") \
	X(RULE_EXPIRES, "block.expires", FT_TIME, expires_ns, "when its time is over") \
	X(RULE_EXPIRES_IN, "block.expires_in_s", FT_U64, expires_in_s, "seconds until then; 0: it is over") \
	X(RULE_HITS, "block.hits", FT_U64, hits, "packets that it decided") \
	X(RULE_BYTES, "block.bytes", FT_U64, bytes, "their bytes") \
	X(RULE_LAST_HIT, "block.last_hit", FT_TIME, last_hit_ns, "when the last of them came") \
	X(RULE_PPS, "block.packets_per_second", FT_U64, pps, "of poll: packets that it decided, in the interval") \
	X(RULE_BPS, "block.bits_per_second", FT_U64, bps, "of poll: their bits")

enum rule_field { FIELD_RULE_BEFORE_ = FIELD_OWN - 1, RULE_FIELDS(FIELD_ID) };

static inline struct rule_body *rule_of(const struct record *r)
{
	return record_own(r);
}

/* A set of entries at a hook. */
struct firewall_body {
	const char *mode, *frag;
	struct str made_by;
	uint32_t entries;
	bool confirmed, expired;
	uint64_t made_ns, opens_ns, opens_in_s, memory_bytes, meters, fragments;
	struct list packets, bytes, pps, bps;	/* struct named_count */
};

#define FIREWALL_FIELDS(X) \
	X(FW_ENTRIES, "firewall.entries", FT_U32, entries, "how many entries the set has", .metric = METRIC_GAUGE) \
	X(FW_MODE, "firewall.mode", FT_WORD, mode, "what becomes of what no entry decides: block (passes), log, deny") \
	X(FW_FRAG, "firewall.frag", FT_WORD, frag, "later fragments: inherit, drop, pass") \
	X(FW_MADE, "firewall.made", FT_TIME, made_ns, "when the set was made") \
	X(FW_MADE_BY, "firewall.made_by", FT_STR, made_by, "by which command: add, allow, apply, del") \
	X(FW_CONFIRMED, "firewall.confirmed", FT_BOOL, confirmed, "it stays", .metric = METRIC_GAUGE) \
	X(FW_OPENS, "firewall.opens", FT_TIME, opens_ns, "not confirmed: when everything passes again") \
	X(FW_OPENS_IN, "firewall.opens_in_s", FT_U64, opens_in_s, "seconds until then") \
	X(FW_EXPIRED, "firewall.expired", FT_BOOL, expired, "it was not confirmed in time: everything passes", .metric = METRIC_GAUGE) \
	X(FW_MEMORY, "firewall.memory_bytes", FT_U64, memory_bytes, "bytes that its maps take", .metric = METRIC_GAUGE) \
	X(FW_PACKETS, "firewall.packets.by_reason", FT_COUNTS, packets, "packets by what became of them: a key is a block.reason", .metric = METRIC_COUNTER) \
	X(FW_BYTES, "firewall.bytes.by_reason", FT_COUNTS, bytes, "bytes likewise", .metric = METRIC_COUNTER) \
	X(FW_PPS, "firewall.packets_per_second.by_reason", FT_COUNTS, pps, "of poll: packets in the interval, of reasons that had any") \
	X(FW_BPS, "firewall.bits_per_second.by_reason", FT_COUNTS, bps, "of poll: bits likewise") \
	X(FW_METERS, "firewall.meters_forgotten", FT_U64, meters, "rates of sources forgotten: too many at once", .metric = METRIC_COUNTER) \
	X(FW_FRAGMENTS, "firewall.fragments_forgotten", FT_U64, fragments, "first fragments forgotten: too many at once", .metric = METRIC_COUNTER)

enum firewall_field { FIELD_FW_BEFORE_ = FIELD_OWN - 1, FIREWALL_FIELDS(FIELD_ID) };

static inline struct firewall_body *firewall_of(const struct record *r)
{
	return record_own(r);
}

#endif
