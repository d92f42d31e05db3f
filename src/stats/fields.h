/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_FIELDS_H
#define NETPROBE_STATS_FIELDS_H

#include "record.h"

/* Own fields of devices, of counters, of the kernel's counters, and of what netprobe itself holds. */

extern struct dataset device_dataset, stats_dataset, layer_dataset, memory_dataset;

struct device_body {
	uint8_t mac[6];
	bool is_local;
	struct list addresses;		/* struct str */
	struct list told_by;		/* words */
	struct str vendor, hostname, class_id, fingerprint;
};

#define DEVICE_FIELDS(X) \
	X(DEVICE_MAC, "device.mac", FT_MAC, mac, "MAC address") \
	X(DEVICE_LOCAL, "device.mac_local", FT_BOOL, is_local, "locally administered: made up by a system, often a new one each time") \
	X(DEVICE_IP, "device.ip", FT_STRS, addresses, "addresses, the latest first, at most 8") \
	X(DEVICE_VENDOR, "device.manufacturer", FT_STR, vendor, "whom the IEEE gave the prefix of the MAC address") \
	X(DEVICE_HOSTNAME, "device.hostname", FT_STR, hostname, "its own name: the one it chose most deliberately") \
	X(DEVICE_CLASS_ID, "device.class_identifier", FT_STR, class_id, "DHCP option 60") \
	X(DEVICE_FINGERPRINT, "device.fingerprint", FT_STR, fingerprint, "DHCP option 55 in its order: tells the make of the DHCP client") \
	X(DEVICE_TOLD_BY, "device.told_by", FT_WORDS, told_by, "protocols it was seen in: arp, nd, dhcp, ...")

enum device_field { FIELD_DEVICE_BEFORE_ = FIELD_OWN - 1, DEVICE_FIELDS(FIELD_ID) };

static inline struct device_body *device_of(const struct record *r)
{
	return record_own(r);
}

struct stats_body {
	uint64_t packets, bytes, captured_bytes, flows, fragments, undecoded, pps, bps;
	uint64_t frames, frame_bytes, tagged, tunnelled;
	bool estimated;
	struct addr host;
	uint16_t port;
	const char *size, *tcp_flags;
	/* struct named_count */
	struct list by_transport, by_version, by_size, by_tcp_flags, by_vlan, by_tunnel, by_malformed;
};

#define STATS_FIELDS(X) \
	X(STATS_HOST, "host.ip", FT_ADDR, host, "address that the row counts") \
	X(STATS_PORT, "server.port", FT_U16, port, "port that the row counts: the responder's") \
	X(STATS_SIZE_CLASS, "stats.size", FT_WORD, size, "bytes on the wire of the packets that the row counts: a key of stats.by_size", .title = "SIZE") \
	X(STATS_FLAGS_CLASS, "stats.tcp_flags", FT_WORD, tcp_flags, "what the packets do that the row counts: a key of stats.by_tcp_flags; none: not TCP", .title = "FLAGS") \
	X(STATS_PACKETS, "stats.packets", FT_U64, packets, "packets", .metric = METRIC_COUNTER) \
	X(STATS_BYTES, "stats.bytes", FT_U64, bytes, "bytes on the wire", .metric = METRIC_COUNTER) \
	X(STATS_CAPTURED, "stats.captured_bytes", FT_U64, captured_bytes, "bytes captured", .metric = METRIC_COUNTER) \
	X(STATS_FLOWS, "stats.flows", FT_U64, flows, "conversations: addresses, ports and protocol of the outermost IP header", .metric = METRIC_GAUGE) \
	X(STATS_ESTIMATED, "stats.flows_estimated", FT_BOOL, estimated, "there were too many flows to count them one by one: within 2 %", .metric = METRIC_GAUGE) \
	X(STATS_TRANSPORT, "stats.by_transport", FT_COUNTS, by_transport, "packets by transport of the outermost IP header; arp, other", .metric = METRIC_COUNTER) \
	X(STATS_VERSION, "stats.by_version", FT_COUNTS, by_version, "packets by network layer: ipv4, ipv6, arp, other", .metric = METRIC_COUNTER) \
	X(STATS_SIZE, "stats.by_size", FT_COUNTS, by_size, "packets by bytes on the wire: up to 64, 127, 255, 511, 1023, 1518, 9018, or more", .metric = METRIC_COUNTER) \
	X(STATS_TCP_FLAGS, "stats.by_tcp_flags", FT_COUNTS, by_tcp_flags, "TCP packets by what they do: syn, syn_ack, fin, rst, data, ack, other", .metric = METRIC_COUNTER) \
	X(STATS_VLANS, "stats.by_vlan", FT_COUNTS, by_vlan, "packets with VLAN tags, by their ids, outermost first: 10,20; other: beyond 64 of these", .metric = METRIC_COUNTER) \
	X(STATS_TUNNELS, "stats.by_tunnel", FT_COUNTS, by_tunnel, "packets in tunnels, by network.tunnel, outermost first: gre,vxlan; other: beyond 64 of these", .metric = METRIC_COUNTER) \
	X(STATS_FRAGMENTS, "stats.fragments", FT_U64, fragments, "packets that are fragments", .metric = METRIC_COUNTER) \
	X(STATS_UNDECODED, "stats.undecoded", FT_U64, undecoded, "packets whose headers could not be walked to the end", .metric = METRIC_COUNTER) \
	X(STATS_MALFORMED, "stats.by_malformed", FT_COUNTS, by_malformed, "these by packet.malformed: why not", .metric = METRIC_COUNTER) \
	X(STATS_FRAMES, "stats.frames", FT_U64, frames, "counted in the kernel: packets as the interface counts them: a super-packet is one", .metric = METRIC_COUNTER) \
	X(STATS_FRAME_BYTES, "stats.frame_bytes", FT_U64, frame_bytes, "counted in the kernel: bytes as the interface counts them: a VLAN tag beside the data is none", .metric = METRIC_COUNTER) \
	X(STATS_TAGGED, "stats.tagged", FT_U64, tagged, "counted in the kernel: packets with VLAN tags", .metric = METRIC_COUNTER) \
	X(STATS_TUNNELLED, "stats.tunnelled", FT_U64, tunnelled, "counted in the kernel: packets in tunnels", .metric = METRIC_COUNTER) \
	X(STATS_PPS, "stats.packets_per_second", FT_U64, pps, "since the last such record, or over all the time", .metric = METRIC_GAUGE, .title = "PPS") \
	X(STATS_BPS, "stats.bits_per_second", FT_U64, bps, "since the last such record, or over all the time", .metric = METRIC_GAUGE, .title = "BIT/S")

enum stats_field { FIELD_STATS_BEFORE_ = FIELD_OWN - 1, STATS_FIELDS(FIELD_ID) };

static inline struct stats_body *stats_of(const struct record *r)
{
	return record_own(r);
}

struct layer_body {
	const char *layer;
	struct str counter, detail, meaning;
	uint64_t value, level, change;
	uint32_t program;
	double rate;
	bool lost;
};

#define LAYER_FIELDS(X) \
	X(LAYER_NAME, "layer.name", FT_WORD, layer, "where a packet meets it: nic, driver, xdp, softirq, tc, netfilter, ip, icmp, udp, tcp, socket, qdisc", .title = "LAYER") \
	X(LAYER_COUNTER, "layer.counter", FT_STR, counter, "the kernel's name of what is counted", .title = "COUNTER") \
	X(LAYER_DETAIL, "layer.detail", FT_STR, detail, "which of several: Ip, TcpExt, fq_codel, the name of a program, cpu 3, udp port 53", .title = "DETAIL") \
	X(LAYER_PROGRAM, "layer.program_id", FT_U32, program, "the number of the BPF program that is there", .title = "PROGRAM") \
	X(LAYER_LOST, "layer.lost", FT_BOOL, lost, "each one counted is a packet that went no further", .title = "LOST") \
	X(LAYER_VALUE, "layer.value", FT_U64, value, "how many the kernel has counted", .metric = METRIC_COUNTER, .title = "VALUE") \
	X(LAYER_LEVEL, "layer.level", FT_U64, level, "how much there is now, in its place: descriptors of a ring, bytes that wait", .metric = METRIC_GAUGE, .title = "LEVEL") \
	X(LAYER_CHANGE, "layer.change", FT_U64, change, "how many of these in the interval", .metric = METRIC_GAUGE, .title = "CHANGE") \
	X(LAYER_RATE, "layer.rate", FT_F64, rate, "these a second", .title = "RATE") \
	X(LAYER_MEANING, "layer.meaning", FT_STR, meaning, "of packets lost, where it is known: why, and what helps", .title = "MEANING")

enum layer_field { FIELD_LAYER_BEFORE_ = FIELD_OWN - 1, LAYER_FIELDS(FIELD_ID) };

static inline struct layer_body *layer_of(const struct record *r)
{
	return record_own(r);
}

struct memory_body {
	const char *what;
	struct str name, pinned;
	uint32_t id;
	uint64_t bytes, entries, run_count, run_ns;
	struct list pids;		/* uint32_t */
};

#define MEMORY_FIELDS(X) \
	X(MEMORY_WHAT, "memory.what", FT_WORD, what, "state (pinned), map, program, process or bound (of a table, when it is full)") \
	X(MEMORY_NAME, "memory.name", FT_STR, name, "its name; of a state its service") \
	X(MEMORY_ID, "memory.id", FT_U32, id, "the number of a map or a program, as bpftool takes it; of a process its pid") \
	X(MEMORY_BYTES, "memory.bytes", FT_U64, bytes, "memory: of maps and programs the kernel's, of a state the sum of its programs and their maps, of a process what is resident, of a bound at most") \
	X(MEMORY_ENTRIES, "memory.entries", FT_U64, entries, "entries at most") \
	X(MEMORY_RUN_COUNT, "memory.run_count", FT_U64, run_count, "how often the program ran, while the kernel counts: sysctl kernel.bpf_stats_enabled") \
	X(MEMORY_RUN_NS, "memory.run_time_ns", FT_DURATION, run_ns, "nanoseconds that took") \
	X(MEMORY_PIDS, "memory.pids", FT_U32S, pids, "processes that hold the map or the program") \
	X(MEMORY_PINNED, "memory.pinned", FT_STR, pinned, "path below a BPF file system that keeps it")

enum memory_field { FIELD_MEMORY_BEFORE_ = FIELD_OWN - 1, MEMORY_FIELDS(FIELD_ID) };

static inline struct memory_body *memory_of(const struct record *r)
{
	return record_own(r);
}

#endif
