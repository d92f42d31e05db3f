/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FIELDS_H
#define NETPROBE_CMD_FIELDS_H

#include "record.h"

/* Own fields of what there is: interfaces, the ways to capture and to attach at each, programs at hooks, the kernel,
 * the firewall, the pods of a node, what moves their packets, its packet filter, and what became of connections. */

extern struct dataset interface_dataset, plan_dataset, link_dataset, feature_dataset, rule_dataset, firewall_dataset,
	pod_dataset, cni_dataset, filter_rule_dataset, policy_dataset, policy_count_dataset;

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

/* A pod of this node, or one that objects tell of. */
struct pod_body {
	struct str ns, name, uid, interface, netns, sandbox, network, node, workload;
	const char *sidecar;
	struct list addresses;		/* struct str */
	struct list labels;		/* struct pair */
	struct list sources;		/* const char * */
	uint64_t start_ns;
	bool host_network, running;
};

#define POD_FIELDS(X) \
	X(POD_NAMESPACE, "pod.namespace", FT_STR, ns, "its namespace") \
	X(POD_NAME, "pod.name", FT_STR, name, "its name") \
	X(POD_UID, "pod.uid", FT_STR, uid, "its uid") \
	X(POD_IP, "pod.ip", FT_STRS, addresses, "its addresses; none of one that has its node's") \
	X(POD_INTERFACE, "pod.interface", FT_STR, interface, "its interface at the host") \
	X(POD_NETNS, "pod.netns", FT_STR, netns, "path of its network namespace") \
	X(POD_NETWORK, "pod.network", FT_STR, network, "what the configuration of the network plugin calls its network") \
	X(POD_SANDBOX, "pod.sandbox", FT_STR, sandbox, "number that the container runtime gave its sandbox") \
	X(POD_NODE, "pod.node", FT_STR, node, "where it runs, as its object says") \
	X(POD_WORKLOAD, "pod.workload", FT_STR, workload, "whoever made it, as its object says: Deployment/web") \
	X(POD_SIDECAR, "pod.sidecar", FT_WORD, sidecar, "mesh of which it has a sidecar: istio, linkerd") \
	X(POD_HOST_NETWORK, "pod.host_network", FT_BOOL, host_network, "it is in its node's network namespace") \
	X(POD_RUNNING, "pod.running", FT_BOOL, running, "it is there, as far as is known") \
	X(POD_START, "pod.start", FT_TIME, start_ns, "when it got its addresses") \
	X(POD_LABELS, "pod.labels", FT_MAP, labels, "its labels, where an object tells them") \
	X(POD_SOURCES, "pod.sources", FT_WORDS, sources, "what tells of it: cni, runtime, cgroup, hosts, logs; of its object kubelet, kubectl, file")

enum pod_field { FIELD_POD_BEFORE_ = FIELD_OWN - 1, POD_FIELDS(FIELD_ID) };

static inline struct pod_body *pod_of(const struct record *r)
{
	return record_own(r);
}

/* The network of a node. */
struct cni_body {
	const char *plugin, *path, *enforcer, *enforcer_by, *services;
	struct str type, network;
	struct list overlays, enforcers, filters;	/* const char * */
	struct list evidence;				/* struct str */
	bool bridge_filtered;
};

#define CNI_FIELDS(X) \
	X(CNI_PLUGIN, "cni.plugin", FT_WORD, plugin, "the network plugin: calico, cilium, flannel, ...; cni-plugin: one of containernetworking's, as cni.type has it; none") \
	X(CNI_TYPE, "cni.type", FT_STR, type, "type of the plugin that its configuration names first") \
	X(CNI_NETWORK, "cni.network", FT_STR, network, "what the configuration calls the network") \
	X(CNI_PATH, "cni.path", FT_WORD, path, "what packets between pods of this node pass: bridge, routed, ebpf, ovs") \
	X(CNI_OVERLAYS, "cni.overlays", FT_WORDS, overlays, "tunnels to other nodes: vxlan, ipip, wireguard, geneve") \
	X(CNI_ENFORCER, "cni.enforcer", FT_WORD, enforcer, "who enforces NetworkPolicies here; none: nothing that was found does") \
	X(CNI_ENFORCER_BY, "cni.enforcer_by", FT_WORD, enforcer_by, "what tells so: pin, rules, socket; configuration: nothing else could be looked at") \
	X(CNI_ENFORCERS, "cni.enforcers", FT_WORDS, enforcers, "all that were found") \
	X(CNI_SERVICES, "cni.services", FT_WORD, services, "how services' addresses become pods': iptables, nftables, ipvs, cilium, calico") \
	X(CNI_FILTERS, "cni.filters", FT_WORDS, filters, "where rules of these are: nf_tables, legacy") \
	X(CNI_BRIDGE_FILTERED, "cni.bridge_filtered", FT_BOOL, bridge_filtered, "of a bridge: what passes it passes iptables") \
	X(CNI_EVIDENCE, "cni.evidence", FT_STRS, evidence, "what was seen: files, interfaces, pins, chains, sockets")

enum cni_field { FIELD_CNI_BEFORE_ = FIELD_OWN - 1, CNI_FIELDS(FIELD_ID) };

static inline struct cni_body *cni_of(const struct record *r)
{
	return record_own(r);
}

/* A rule of the packet filter, and what it means. */
struct filter_rule_body {
	const char *via, *family, *hook, *verdict, *owner, *meaning, *direction;
	struct str table, chain, target, comment, log_prefix, pod, policy, kind, service, interface, hash, match;
	int32_t priority;
	uint64_t handle, packets, bytes;
	uint32_t uid;
	uint16_t to_port;
	bool reached;
};

#define FILTER_RULE_FIELDS(X) \
	X(FR_VIA, "filter.via", FT_WORD, via, "nf_tables (also what iptables-nft writes), legacy, or ebpf: maps by which an agent decides") \
	X(FR_FAMILY, "filter.family", FT_WORD, family, "ip, ip6, inet, arp, bridge, netdev") \
	X(FR_TABLE, "filter.table", FT_STR, table, "its table; of ebpf its map, or the agent's file") \
	X(FR_CHAIN, "filter.chain", FT_STR, chain, "its chain; of ebpf whose it is: endpoint 1234, an interface, drops") \
	X(FR_HOOK, "filter.hook", FT_WORD, hook, "of a chain that a hook calls: prerouting, input, forward, output, postrouting, ingress, egress") \
	X(FR_PRIORITY, "filter.priority", FT_I32, priority, "of such a chain: the lower runs first") \
	X(FR_REACHED, "filter.reached", FT_BOOL, reached, "a hook calls its chain, or comes to it by jumps; else it is left over, or its table is switched off") \
	X(FR_HANDLE, "filter.handle", FT_U64, handle, "as nft -a shows it; of legacy its number in the chain, from 1; of Calico's eBPF the rule's id; absent of what a chain does behind its last rule") \
	X(FR_VERDICT, "filter.verdict", FT_WORD, verdict, "accept, drop, reject, return, jump, goto, queue, redirect, map, target (another, as filter.target has it), continue") \
	X(FR_TARGET, "filter.target", FT_STR, target, "the chain, map or other target it goes to") \
	X(FR_TO_PORT, "filter.to_port", FT_U16, to_port, "of redirect: the port here") \
	X(FR_UID, "filter.uid", FT_U32, uid, "of sockets of this user alone") \
	X(FR_PACKETS, "filter.packets", FT_U64, packets, "packets that came as far as its counter", .metric = METRIC_COUNTER) \
	X(FR_BYTES, "filter.bytes", FT_U64, bytes, "their bytes", .metric = METRIC_COUNTER) \
	X(FR_COMMENT, "filter.comment", FT_STR, comment, "its comment, as whoever made it wrote it") \
	X(FR_LOG_PREFIX, "filter.log_prefix", FT_STR, log_prefix, "of one that logs: its prefix") \
	X(FR_OWNER, "filter.owner", FT_WORD, owner, "whose it is, by its chain and comment: calico, kube-router, kube-proxy, ...; none: not known") \
	X(FR_MEANING, "filter.meaning", FT_WORD, meaning, "what it is to that one: dispatch, pod, policy, profile, default-deny, no-endpoints, invalid, encap, mesh, service") \
	X(FR_DIRECTION, "filter.direction", FT_WORD, direction, "as the pod sees it: ingress, egress") \
	X(FR_POD, "filter.pod", FT_STR, pod, "the pod it is for: namespace/name") \
	X(FR_POLICY, "filter.policy", FT_STR, policy, "the policy it comes from: namespace/name, or the name where it is of no namespace, or that is not told") \
	X(FR_KIND, "filter.kind", FT_STR, kind, "kind of that policy, or Tier") \
	X(FR_SERVICE, "filter.service", FT_STR, service, "the service: namespace/name or namespace/name:port") \
	X(FR_INTERFACE, "filter.interface", FT_STR, interface, "the pod's interface at the host") \
	X(FR_HASH, "filter.hash", FT_STR, hash, "what stands in its chain's name for a name") \
	X(FR_MATCH, "filter.match", FT_STR, match, "of ebpf: what it is about, in words: peer, protocol and port; of drops the reason")

enum filter_rule_field { FIELD_FR_BEFORE_ = FIELD_OWN - 1, FILTER_RULE_FIELDS(FIELD_ID) };

static inline struct filter_rule_body *filter_rule_of(const struct record *r)
{
	return record_own(r);
}

/* What became of a new connection, and what the policies say of it. */
struct policy_end {
	struct str ns, name, uid, workload, service;
	const char *sidecar;
	struct addr nat;
	uint16_t nat_port;
	struct list labels;		/* struct pair */
};

struct policy_body {
	struct policy_end src, dst;
	const char *expected, *answer, *evidence, *enforcer, *rule_owner, *meaning, *upper_transport;
	struct str missing, ruleset, rule, drop_interface, out_interface;
	struct list trace;		/* struct str */
	uint32_t attempts, drops;
	bool mismatch;
	/* --seed-names */
	uint64_t seed_time_ns;
	struct addr seed_src, seed_dst;
	uint16_t seed_sport, seed_dport;
	const char *seed_action, *seed_direction, *seed_cni;
	struct str pod, ns, seed_policy;	/* pod: of the end that the direction is of */
};

#define POLICY_FIELDS(X) \
	X(PV_SRC_NS, "source.pod.namespace", FT_STR, src.ns, "namespace of the pod that the source is") \
	X(PV_SRC_POD, "source.pod.name", FT_STR, src.name, "its name") \
	X(PV_SRC_UID, "source.pod.uid", FT_STR, src.uid, "its uid") \
	X(PV_SRC_WORKLOAD, "source.pod.workload", FT_STR, src.workload, "whoever made it, as its object says: Deployment/web") \
	X(PV_SRC_SIDECAR, "source.pod.sidecar", FT_WORD, src.sidecar, "mesh of which it has a sidecar, which what it sends and gets passes: istio, linkerd") \
	X(PV_SRC_LABELS, "source.pod.labels", FT_MAP, src.labels, "its labels, where an object tells them") \
	X(PV_SRC_NAT_IP, "source.nat.ip", FT_ADDR, src.nat, "the source when the packet left, or was dropped, where that was another") \
	X(PV_SRC_NAT_PORT, "source.nat.port", FT_U16, src.nat_port, "its port then") \
	X(PV_DST_NS, "destination.pod.namespace", FT_STR, dst.ns, "namespace of the pod that the destination is, or became") \
	X(PV_DST_POD, "destination.pod.name", FT_STR, dst.name, "its name") \
	X(PV_DST_UID, "destination.pod.uid", FT_STR, dst.uid, "its uid") \
	X(PV_DST_WORKLOAD, "destination.pod.workload", FT_STR, dst.workload, "whoever made it, as its object says: Deployment/web") \
	X(PV_DST_SIDECAR, "destination.pod.sidecar", FT_WORD, dst.sidecar, "mesh of which it has a sidecar, which what it sends and gets passes: istio, linkerd") \
	X(PV_DST_LABELS, "destination.pod.labels", FT_MAP, dst.labels, "its labels, where an object tells them") \
	X(PV_DST_SERVICE, "destination.service", FT_STR, dst.service, "the service whose address it was: namespace/name") \
	X(PV_DST_NAT_IP, "destination.nat.ip", FT_ADDR, dst.nat, "the destination when the packet left, or was dropped, where that was another") \
	X(PV_DST_NAT_PORT, "destination.nat.port", FT_U16, dst.nat_port, "its port then") \
	X(PV_OUT_INTERFACE, "network.out_interface", FT_STR, out_interface, "interface it left by") \
	X(PV_EXPECTED, "policy.expected", FT_WORD, expected, "what the policies say: allow, deny, unknown; absent where there are none to judge by, or no end is a pod") \
	X(PV_MISMATCH, "policy.mismatch", FT_BOOL, mismatch, "allowed though the policies deny it, or dropped by a filter though they allow it") \
	X(PV_MISSING, "policy.missing", FT_STR, missing, "of unknown: what would have to be known") \
	X(PV_EVIDENCE, "policy.evidence", FT_WORD, evidence, "what tells of the verdict's cause: spec (objects), dataplane (a rule), both, reason (the kernel's alone), none") \
	X(PV_ANSWER, "policy.answer", FT_WORD, answer, "answered; delivered: it left and was not answered in time; refused by the other end; prohibited: somebody on the way said so; none") \
	X(PV_ATTEMPTS, "policy.attempts", FT_U32, attempts, "first packets, repeated ones counted") \
	X(PV_DROPS, "policy.drops", FT_U32, drops, "how many of them the kernel was seen dropping") \
	X(PV_DROP_INTERFACE, "drop.interface", FT_STR, drop_interface, "interface at which it was dropped") \
	X(PV_RULESET, "rule.ruleset", FT_STR, ruleset, "family, table and chain of the rule that decided") \
	X(PV_RULE, "rule.description", FT_STR, rule, "that rule's comment, or its handle") \
	X(PV_RULE_OWNER, "rule.author", FT_WORD, rule_owner, "whose rule that is, by its chain and comment: as filter.owner") \
	X(PV_MEANING, "rule.category", FT_WORD, meaning, "what it is to that one, in words") \
	X(PV_TRACE, "rule.trace", FT_STRS, trace, "--trace-rules: the rules that it passed, as family, table, chain, handle and verdict") \
	X(PV_ENFORCER, "observer.product", FT_WORD, enforcer, "who enforces policies on this node: as cni.enforcer") \
	X(PV_SEED_TIME, "timestamp", FT_TIME, seed_time_ns, "--seed-names: @timestamp") \
	X(PV_SEED_SRC, "source_ip", FT_ADDR, seed_src, "--seed-names: source.ip") \
	X(PV_SEED_DST, "dest_ip", FT_ADDR, seed_dst, "--seed-names: destination.ip") \
	X(PV_SEED_SPORT, "source_port", FT_U16, seed_sport, "--seed-names: source.port") \
	X(PV_SEED_DPORT, "dest_port", FT_U16, seed_dport, "--seed-names: destination.port") \
	X(PV_SEED_PROTO, "protocol", FT_WORD, upper_transport, "--seed-names: network.transport, in capitals") \
	X(PV_SEED_ACTION, "action", FT_WORD, seed_action, "--seed-names: event.action") \
	X(PV_SEED_DIRECTION, "direction", FT_WORD, seed_direction, "--seed-names: network.direction") \
	X(PV_SEED_POD, "pod_name", FT_STR, pod, "--seed-names: the pod whose ingress or egress it is") \
	X(PV_SEED_NS, "namespace", FT_STR, ns, "--seed-names: its namespace") \
	X(PV_SEED_POLICY, "policy_name", FT_STR, seed_policy, "--seed-names: rule.name") \
	X(PV_SEED_CNI, "cni_plugin", FT_WORD, seed_cni, "--seed-names: the network plugin")

enum policy_field { FIELD_PV_BEFORE_ = FIELD_OWN - 1, POLICY_FIELDS(FIELD_ID) };

static inline struct policy_body *policy_of(const struct record *r)
{
	return record_own(r);
}

/* cmd/policy_verdict.c */
void policy_line(struct line_state *st, const struct record *r, struct buf *b);

/* Packets of a pod, in a direction, by what decided. */
struct policy_count_body {
	struct str ns, pod, uid;
	const char *basis;
	uint64_t allowed, dropped, matches, misses, bytes_allowed, bytes_dropped, once_allowed, once_dropped, uncounted;
	/* --seed-names */
	struct str seed_pod, seed_ns, seed_policy;
	const char *seed_direction;
	uint64_t seed_allowed, seed_dropped, seed_matches, seed_misses;
};

#define POLICY_COUNT_FIELDS(X) \
	X(PC_NS, "pod.namespace", FT_STR, ns, "namespace of the pod", .title = "NAMESPACE") \
	X(PC_POD, "pod.name", FT_STR, pod, "its name", .title = "POD") \
	X(PC_UID, "pod.uid", FT_STR, uid, "its uid") \
	X(PC_BASIS, "policy.basis", FT_WORD, basis, "policy: rule.name decides; none: no policy does; other-end: dropped, and it is the other end's policies that deny; undecided: what the policies say was not known, or not yet; else why packets are in no row: not_ip, fragment, broken, icmp, not_pod, rows_full, missed", .title = "BASIS") \
	X(PC_ALLOWED, "policy.packets_allowed", FT_U64, allowed, "packets that went on", .metric = METRIC_COUNTER, .title = "ALLOWED") \
	X(PC_DROPPED, "policy.packets_dropped", FT_U64, dropped, "packets that netfilter, tc or XDP dropped", .metric = METRIC_COUNTER, .title = "DROPPED") \
	X(PC_MATCHES, "policy.matches", FT_U64, matches, "packets of connections that this policy decides", .metric = METRIC_COUNTER, .title = "MATCHES") \
	X(PC_MISSES, "policy.misses", FT_U64, misses, "packets of connections that no policy decides", .metric = METRIC_COUNTER, .title = "MISSES") \
	X(PC_BYTES_ALLOWED, "policy.bytes_allowed", FT_U64, bytes_allowed, "bytes of those that went on, with the IP header", .metric = METRIC_COUNTER, .title = "BYTES") \
	X(PC_BYTES_DROPPED, "policy.bytes_dropped", FT_U64, bytes_dropped, "bytes of those dropped, likewise", .metric = METRIC_COUNTER, .title = "BYTES_DROPPED") \
	X(PC_ONCE_ALLOWED, "policy.once_allowed", FT_U64, once_allowed, "of those that went on, the ones that are in no other row of this pod and direction before: these add up", .metric = METRIC_COUNTER) \
	X(PC_ONCE_DROPPED, "policy.once_dropped", FT_U64, once_dropped, "of those dropped, likewise", .metric = METRIC_COUNTER) \
	X(PC_UNCOUNTED, "policy.uncounted", FT_U64, uncounted, "packets in no row, for the reason that policy.basis tells", .metric = METRIC_COUNTER) \
	X(PC_SEED_POD, "pod_name", FT_STR, seed_pod, "--seed-names: pod.name") \
	X(PC_SEED_NS, "namespace", FT_STR, seed_ns, "--seed-names: pod.namespace") \
	X(PC_SEED_POLICY, "policy_name", FT_STR, seed_policy, "--seed-names: rule.name") \
	X(PC_SEED_DIRECTION, "direction", FT_WORD, seed_direction, "--seed-names: network.direction") \
	X(PC_SEED_ALLOWED, "PacketsAllowed", FT_U64, seed_allowed, "--seed-names: policy.packets_allowed") \
	X(PC_SEED_DROPPED, "PacketsDropped", FT_U64, seed_dropped, "--seed-names: policy.packets_dropped") \
	X(PC_SEED_MATCHES, "PolicyMatches", FT_U64, seed_matches, "--seed-names: policy.matches") \
	X(PC_SEED_MISSES, "PolicyMisses", FT_U64, seed_misses, "--seed-names: policy.misses")

enum policy_count_field { FIELD_PC_BEFORE_ = FIELD_OWN - 1, POLICY_COUNT_FIELDS(FIELD_ID) };

static inline struct policy_count_body *policy_count_of(const struct record *r)
{
	return record_own(r);
}

#endif
