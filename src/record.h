/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RECORD_H
#define NETPROBE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

/*
 * The one thing that flows.  A record is what netprobe says about one event:
 * a packet, a protocol message, a drop, a loss.  Decoders fill members and mark
 * them present; sinks walk the marked fields through the one table below and
 * know no protocol.  Everything a record points to is borrowed and good until
 * the sink returns.
 *
 * Names, types and meaning: netprobe-output(5), `netprobe schema`.
 */

struct str { const char *p; uint32_t n; };	/* bytes from outside, not NUL-terminated */
struct list { const void *p; uint32_t n; };	/* n elements of the field's type */

enum record_kind {
	REC_PACKET, REC_ARP, REC_ICMP, REC_DNS, REC_HTTP, REC_HTTP2, REC_TLS, REC_REDIS, REC_KAFKA, REC_DHCP,
	REC_DROP, REC_DEVICE, REC_FLOW, REC_STATS, REC_ALERT, REC_LOST, REC_KINDS
};

enum field_type {
	FT_BOOL, FT_U8, FT_U16, FT_U32, FT_U64, FT_I32,
	FT_TIME,	/* uint64_t: wall clock, ns since 1970 */
	FT_ADDR,	/* struct addr */
	FT_MAC,		/* uint8_t[6] */
	FT_WORD,	/* const char *: a static string of ours, plain ASCII */
	FT_STR,		/* struct str: anything at all; not UTF-8 means Latin-1 */
	FT_U16S,	/* struct list of uint16_t */
	FT_WORDS,	/* struct list of const char * */
	FT_STRS,	/* struct list of struct str */
	FT_ITEMS,	/* struct list of structs, described by field->items */
	FT_COUNTS,	/* struct list of struct named_count: an object of numbers */
};

/* Element of dns.answers; `present` has a bit for each row of its item table. */
struct dns_answer {
	uint32_t present;
	struct str name, type, class, data;
	uint32_t ttl;
	struct list data_list;		/* of struct str: TXT and SPF */
	bool cache_flush;
};

struct dns_question {
	uint32_t present;
	struct str name, type, class;
	bool unicast_response;
};

/* Element of network.mpls: an entry of a label stack (RFC 3032, 2.1). */
struct mpls_label {
	uint32_t present;
	uint32_t label;
	uint8_t  tc, ttl;
	bool     bottom;
};

/* A struct inside a list: rows are (key, type, offset); bit i of `present` is row i. */
struct item_field {
	const char *name;
	enum field_type type;
	uint16_t off;
};

struct item_table {
	const struct item_field *rows;
	unsigned int n;
	uint16_t size;			/* of the struct; uint32_t present comes first */
};

/* Names are static strings of ours. */
struct named_count {
	const char *name;
	uint64_t n;
};

extern const struct item_table dns_answer_items, dns_question_items, mpls_label_items;

enum { DNS_ANSWERS_MAX = 64, DNS_NAME_MAX = 1024 /* 255 octets, each \DDD at worst */ };

struct record {
	enum record_kind kind;
	uint64_t present[4];		/* bit FIELD_x: that member has a value */
	const struct frame *frame;	/* the frame it came from; NULL for lost */
	const struct record *head;	/* of a packet that is a first fragment: what its line says; else NULL */

	uint64_t time_ns;
	uint64_t start_ns, end_ns, duration_ns;
	const char *action, *outcome, *dataset;
	uint32_t sampled;
	bool truncated;

	uint64_t frame_number;
	uint32_t net_off;		/* octets of `frame` before its network header, where the decoders found it; else 0 */
	uint32_t frame_len, frame_cap_len;
	uint16_t frame_segments;

	struct addr src, dst;		/* innermost IP header */
	uint16_t sport, dport;
	uint8_t  smac[6], dmac[6];
	struct addr outer_src, outer_dst;
	uint16_t outer_sport, outer_dport;

	const char *net_type, *transport, *protocol, *direction;
	uint8_t  iana_number;
	struct list vlan;		/* uint16_t */
	struct list tunnel;		/* const char * */
	struct list mpls;		/* struct mpls_label */
	uint8_t  tunnels_before, mpls_before;	/* how many of these stand before the first IP header */
	struct str interface;
	uint32_t ifindex;
	uint64_t netns;			/* inode */

	uint8_t  ip_ttl, ip_tos;
	uint16_t ip_id;
	bool     ip_df, ip_hop_by_hop;
	uint32_t ip_len;		/* total length; payload length + 40 for IPv6 */
	bool     frag_more, frag_first;
	uint32_t frag_offset;		/* octets */

	/* tcp and udp, on packets */
	const char *tcp_flags;		/* letters of CEUAPRSF in that order */
	uint8_t  tcp_flag_bits;
	uint32_t tcp_seq, tcp_ack;
	uint16_t tcp_window, tcp_urgent;
	bool     tcp_conflict;
	struct str tcp_options;		/* the option bytes as sent */
	uint8_t  tcp_options_len;	/* how many there are; fewer may have been captured */
	bool     has_ah;
	uint32_t ah_spi, ah_seq;	/* of an authentication header around what follows */
	uint32_t payload_len;		/* L4 payload octets on the wire */
	const char *malformed;		/* what was wrong or unknown, as a word */
	uint16_t ethertype;		/* of what could not be walked further */
	uint16_t pppoe_session, ppp_proto;
	uint8_t  ppp_code, ppp_id;
	const char *ppp_name;
	uint32_t ppp_len;

	union {
		struct {
			uint16_t opcode;
			struct addr sender_ip, target_ip;
			uint8_t sender_mac[6], target_mac[6];
			uint16_t hw_type, pro_type;
			uint8_t hw_len, pro_len;
			struct str sender_hw, target_hw;
		} arp;
		struct {
			uint8_t type, code;
			uint16_t id, seq;
			struct addr nd_target, nd_destination;
			uint8_t nd_lladdr[6];
			struct addr orig_src, orig_dst;
			uint16_t orig_sport, orig_dport;
			const char *orig_transport;
			uint32_t mtu, pointer;
			struct addr gateway;
			uint16_t groups_count;
			struct list groups;		/* struct str */
		} icmp;
		struct {
			uint16_t id;
			const char *type;		/* query, answer */
			struct str op_code, response_code;
			struct list header_flags;	/* words */
			uint16_t header_bits;		/* all sixteen */
			struct str question_name, question_type, question_class;
			bool question_unicast;
			struct list questions, answers;
			uint16_t questions_count, answers_count, authorities_count, additionals_count;
			uint8_t edns_version;
			uint16_t edns_udp_size;
			bool edns_do;
		} dns;
		struct {			/* http and http2 */
			const char *version;
			struct str method, request_mime, response_mime;
			uint16_t status;
			struct str url, scheme, domain;
			uint16_t port;
			struct str user_agent;
			uint32_t stream_id;
			struct list headers;		/* struct str */
			uint32_t grpc_status;
		} http;
		struct {
			struct str version;
			const char *version_protocol;	/* tls, ssl, dtls */
			struct str cipher_id, next_protocol;
			struct str server_name, ja3, ja4, ja3s;
			struct list alpn;		/* struct str */
		} tls;
		struct {
			struct str command;
			struct list args;		/* struct str */
			uint32_t args_count;
			const char *type;
			struct str value;
			uint32_t count;
		} redis;
		struct {
			uint16_t api_key, api_version;
			int32_t correlation_id;
			const char *api_name;
			struct str client_id;
			struct list topics;		/* struct str */
		} kafka;
		struct {
			const char *op_code;		/* v4: bootrequest, bootreply */
			uint32_t xid;
			uint8_t client_mac[6];
			struct addr client_ip, assigned_ip, server_ip, relay_ip;
			struct addr requested_ip, server_id;
			const char *message_type;
			struct str hostname, fqdn, class_id, client_duid, server_duid;
			struct list requested;		/* uint16_t */
			uint32_t lease_s;
		} dhcp;
		struct {
			struct str reason, netns;
			struct str location;
			const char *hook;
		} drop;
		struct {
			uint8_t mac[6];
			bool is_local;
			struct list addresses;		/* struct str */
			struct list told_by;		/* words */
			struct str vendor, hostname, class_id, fingerprint;
		} device;
		struct {
			struct {		/* source, destination */
				uint64_t packets, bytes;
				const char *tcp_flags;
				uint32_t retransmissions, out_of_order;
				uint16_t zero_windows, resets;
				uint8_t ttl, dscp;
			} side[2];
			uint64_t packets, bytes, handshake_ns, rtt_ns;
			struct str community_id;
			const char *state, *end_reason;
		} flow;
		struct {
			uint64_t packets, bytes, captured_bytes, flows, fragments, undecoded, pps, bps;
			bool estimated;
			struct addr host;
			uint16_t port;
			struct list by_transport, by_version, by_size, by_tcp_flags;	/* struct named_count */
		} stats;
		struct {
			const char *kind;		/* "alert" */
			const char *rule, *technique;
			uint16_t severity;
			struct str message;
			uint64_t count, ports, hosts, sources, suppressed;
		} alert;
		struct {
			const char *stage;
			const char *reason;
			uint64_t count;
		} lost;
	};
};

/*
 * Every field there is, one row each:
 *   X(ID, "dotted.name", type, member, "kinds", "what it means")
 * Rows stand so that names with the same parent are neighbours: the JSON sink
 * nests by that order.  `kinds` lists datasets (or "all").  Fields are only ever
 * added within a major version.
 */
#define RECORD_FIELDS(X) \
	X(TIME, "@timestamp", FT_TIME, time_ns, "all", "when the frame that completed it was seen; UTC in JSON and CSV") \
	X(DATASET, "event.dataset", FT_WORD, dataset, "all", "what kind of record this is") \
	X(EVENT_KIND, "event.kind", FT_WORD, alert.kind, "alert", "alert") \
	X(SEVERITY, "event.severity", FT_U16, alert.severity, "alert", "how grave, up to 100: 21 low, 47 medium, 73 high") \
	X(ACTION, "event.action", FT_WORD, action, "dns http http2 tls redis kafka dhcp drop lost", "what the message is: query, request, response, no_answer, drop, ...") \
	X(OUTCOME, "event.outcome", FT_WORD, outcome, "dns http http2 tls redis kafka dhcp", "success, failure or unknown, of a response") \
	X(DURATION, "event.duration", FT_U64, duration_ns, "dns icmp http http2 tls redis kafka dhcp flow", "nanoseconds from the request to its response (which has it, or the request if that came later), or from the first packet of a flow to its last") \
	X(START, "event.start", FT_TIME, start_ns, "device flow stats alert lost", "first moment the record stands for") \
	X(END, "event.end", FT_TIME, end_ns, "device flow stats alert lost", "last moment the record stands for") \
	X(SAMPLED, "event.sampled", FT_U32, sampled, "all", "N when one packet in N was kept") \
	X(FRAME_NUMBER, "frame.number", FT_U64, frame_number, "all", "number of the frame that completed it, from 1") \
	X(FRAME_LEN, "frame.len", FT_U32, frame_len, "packet drop", "octets on the wire") \
	X(FRAME_CAP_LEN, "frame.cap_len", FT_U32, frame_cap_len, "packet drop", "octets captured") \
	X(FRAME_SEGMENTS, "frame.segments", FT_U16, frame_segments, "packet drop", "segments in a GRO or GSO super-packet") \
	X(SRC_IP, "source.ip", FT_ADDR, src, "all", "sender, from the innermost IP header") \
	X(SRC_PORT, "source.port", FT_U16, sport, "all", "sender's port") \
	X(SRC_MAC, "source.mac", FT_MAC, smac, "packet arp dns dhcp drop alert", "sender's link address; in dns of mDNS and LLMNR only") \
	X(SRC_PACKETS, "source.packets", FT_U64, flow.side[0].packets, "flow", "packets that the initiator sent") \
	X(SRC_BYTES, "source.bytes", FT_U64, flow.side[0].bytes, "flow", "octets of these, as IP total lengths") \
	X(SRC_TTL, "source.ttl", FT_U8, flow.side[0].ttl, "flow", "the lowest time to live, or hop limit, of these") \
	X(SRC_DSCP, "source.dscp", FT_U8, flow.side[0].dscp, "flow", "differentiated services code point of the latest") \
	X(SRC_TCP_FLAGS, "source.tcp.flags", FT_WORD, flow.side[0].tcp_flags, "flow", "all TCP flags that it sent: letters of CEUAPRSF") \
	X(SRC_RETRANSMISSIONS, "source.tcp.retransmissions", FT_U32, flow.side[0].retransmissions, "flow", "segments that it sent again") \
	X(SRC_OUT_OF_ORDER, "source.tcp.out_of_order", FT_U32, flow.side[0].out_of_order, "flow", "segments of it that others overtook") \
	X(SRC_ZERO_WINDOWS, "source.tcp.zero_windows", FT_U16, flow.side[0].zero_windows, "flow", "how often it closed its window") \
	X(SRC_RESETS, "source.tcp.resets", FT_U16, flow.side[0].resets, "flow", "resets that it sent") \
	X(DST_IP, "destination.ip", FT_ADDR, dst, "all", "receiver, from the innermost IP header") \
	X(DST_PORT, "destination.port", FT_U16, dport, "all", "receiver's port") \
	X(DST_MAC, "destination.mac", FT_MAC, dmac, "packet arp dns dhcp drop", "receiver's link address; in dns of mDNS and LLMNR only") \
	X(DST_PACKETS, "destination.packets", FT_U64, flow.side[1].packets, "flow", "packets that the responder sent") \
	X(DST_BYTES, "destination.bytes", FT_U64, flow.side[1].bytes, "flow", "octets of these, as IP total lengths") \
	X(DST_TTL, "destination.ttl", FT_U8, flow.side[1].ttl, "flow", "the lowest time to live, or hop limit, of these") \
	X(DST_DSCP, "destination.dscp", FT_U8, flow.side[1].dscp, "flow", "differentiated services code point of the latest") \
	X(DST_TCP_FLAGS, "destination.tcp.flags", FT_WORD, flow.side[1].tcp_flags, "flow", "all TCP flags that it sent: letters of CEUAPRSF") \
	X(DST_RETRANSMISSIONS, "destination.tcp.retransmissions", FT_U32, flow.side[1].retransmissions, "flow", "segments that it sent again") \
	X(DST_OUT_OF_ORDER, "destination.tcp.out_of_order", FT_U32, flow.side[1].out_of_order, "flow", "segments of it that others overtook") \
	X(DST_ZERO_WINDOWS, "destination.tcp.zero_windows", FT_U16, flow.side[1].zero_windows, "flow", "how often it closed its window") \
	X(DST_RESETS, "destination.tcp.resets", FT_U16, flow.side[1].resets, "flow", "resets that it sent") \
	X(OUTER_SRC_IP, "outer.source.ip", FT_ADDR, outer_src, "packet drop", "sender, from the outermost IP header of a tunnel") \
	X(OUTER_SRC_PORT, "outer.source.port", FT_U16, outer_sport, "packet drop", "its port") \
	X(OUTER_DST_IP, "outer.destination.ip", FT_ADDR, outer_dst, "packet drop", "receiver, from the outermost IP header of a tunnel") \
	X(OUTER_DST_PORT, "outer.destination.port", FT_U16, outer_dport, "packet drop", "its port") \
	X(NET_TYPE, "network.type", FT_WORD, net_type, "packet arp drop flow", "ipv4, ipv6 or arp") \
	X(TRANSPORT, "network.transport", FT_WORD, transport, "all", "IANA keyword of the transport, or its number as text") \
	X(PROTOCOL, "network.protocol", FT_WORD, protocol, "dns http http2 tls redis kafka dhcp", "application protocol") \
	X(IANA, "network.iana_number", FT_U8, iana_number, "packet drop flow", "IP protocol number of the transport") \
	X(NET_PACKETS, "network.packets", FT_U64, flow.packets, "flow", "packets of both directions") \
	X(NET_BYTES, "network.bytes", FT_U64, flow.bytes, "flow", "octets of both directions, as IP total lengths") \
	X(COMMUNITY_ID, "network.community_id", FT_STR, flow.community_id, "flow", "Community ID, version 1, seed 0; not of ICMP, nor inside tunnels") \
	X(DIRECTION, "network.direction", FT_WORD, direction, "all", "ingress or egress, at the interface") \
	X(VLAN, "network.vlan", FT_U16S, vlan, "all", "VLAN ids before the first IP header, outermost first") \
	X(MPLS, "network.mpls", FT_ITEMS, mpls, "packet arp icmp drop", "MPLS labels, outermost first: label, tc, ttl") \
	X(TUNNEL, "network.tunnel", FT_WORDS, tunnel, "all", "encapsulations between the first and the innermost IP header") \
	X(INTERFACE, "network.interface", FT_STR, interface, "all", "interface it was seen on") \
	X(IFINDEX, "network.ifindex", FT_U32, ifindex, "all", "number of that interface, where a capture tells no name") \
	X(NETNS, "network.netns", FT_U64, netns, "all", "inode of the network namespace, when not ours") \
	X(IP_TTL, "ip.ttl", FT_U8, ip_ttl, "packet drop", "time to live, or hop limit") \
	X(IP_TOS, "ip.tos", FT_U8, ip_tos, "packet drop", "DSCP and ECN octet") \
	X(IP_ID, "ip.id", FT_U16, ip_id, "packet drop", "IPv4 identification") \
	X(IP_LEN, "ip.len", FT_U32, ip_len, "packet drop", "total length by the innermost IP header") \
	X(IP_DF, "ip.df", FT_BOOL, ip_df, "packet drop", "IPv4: do not fragment") \
	X(IP_HOP_BY_HOP, "ip.hop_by_hop", FT_BOOL, ip_hop_by_hop, "packet icmp drop", "IPv6: there is a hop-by-hop options header") \
	X(FRAG_MORE, "ip.fragment.more", FT_BOOL, frag_more, "packet drop", "more fragments follow") \
	X(FRAG_FIRST, "ip.fragment.first", FT_BOOL, frag_first, "packet drop", "this is the first fragment") \
	X(FRAG_OFFSET, "ip.fragment.offset", FT_U32, frag_offset, "packet drop", "offset of a fragment, in octets") \
	X(AH_SPI, "ip.ah.spi", FT_U32, ah_spi, "packet drop", "security parameters index of an authentication header") \
	X(TCP_FLAGS, "tcp.flags", FT_WORD, tcp_flags, "packet drop", "letters of CEUAPRSF") \
	X(TCP_SEQ, "tcp.seq", FT_U32, tcp_seq, "packet drop", "sequence number as sent") \
	X(TCP_ACK, "tcp.ack", FT_U32, tcp_ack, "packet drop", "acknowledgement number as sent") \
	X(TCP_WINDOW, "tcp.window", FT_U16, tcp_window, "packet drop", "window as sent, not scaled") \
	X(TCP_CONFLICT, "tcp.conflict", FT_BOOL, tcp_conflict, "http http2 tls redis kafka dns", "octets of this connection were sent twice with different contents; the first were read") \
	X(TCP_HANDSHAKE_RTT, "tcp.handshake_rtt", FT_U64, flow.handshake_ns, "flow", "nanoseconds from the SYN to the acknowledgement of the SYN+ACK") \
	X(TCP_RTT, "tcp.rtt", FT_U64, flow.rtt_ns, "flow", "round trip in nanoseconds, smoothed: from segments to their acknowledgements, both ways added") \
	X(PAYLOAD_LEN, "payload.len", FT_U32, payload_len, "packet drop", "octets after the transport header, on the wire") \
	X(MALFORMED, "packet.malformed", FT_WORD, malformed, "packet arp icmp dns http http2 tls redis kafka dhcp drop", "why the headers, or the message, were not read to the end") \
	X(ETHERTYPE, "packet.ethertype", FT_U16, ethertype, "packet drop", "EtherType of a payload that is not IP or ARP") \
	X(PPPOE_SESSION, "pppoe.session", FT_U16, pppoe_session, "packet drop", "session of PPPoE, before the first IP header") \
	X(PPP_PROTOCOL, "ppp.protocol", FT_U16, ppp_proto, "packet drop", "protocol that PPP carries, where it is not IP") \
	X(PPP_NAME, "ppp.name", FT_WORD, ppp_name, "packet drop", "its name: LCP, IPCP, IPV6CP, PAP, CHAP, CCP, ...") \
	X(PPP_CODE, "ppp.code", FT_U8, ppp_code, "packet drop", "code of a control protocol: 1 configure request, ...") \
	X(PPP_ID, "ppp.id", FT_U8, ppp_id, "packet drop", "identifier of a control protocol") \
	X(ARP_OPCODE, "arp.opcode", FT_U16, arp.opcode, "arp", "1 request, 2 reply") \
	X(ARP_HW_TYPE, "arp.hardware_type", FT_U16, arp.hw_type, "arp", "kind of hardware address, where it is not Ethernet's") \
	X(ARP_PRO_TYPE, "arp.protocol_type", FT_U16, arp.pro_type, "arp", "EtherType of the protocol addresses, where they are not IPv4's") \
	X(ARP_SENDER_IP, "arp.sender.ip", FT_ADDR, arp.sender_ip, "arp", "sender protocol address") \
	X(ARP_SENDER_MAC, "arp.sender.mac", FT_MAC, arp.sender_mac, "arp", "sender hardware address") \
	X(ARP_SENDER_HW, "arp.sender.hardware_address", FT_STR, arp.sender_hw, "arp", "the same where it is not Ethernet's: octets in hexadecimal, with colons") \
	X(ARP_TARGET_IP, "arp.target.ip", FT_ADDR, arp.target_ip, "arp", "target protocol address") \
	X(ARP_TARGET_MAC, "arp.target.mac", FT_MAC, arp.target_mac, "arp", "target hardware address") \
	X(ARP_TARGET_HW, "arp.target.hardware_address", FT_STR, arp.target_hw, "arp", "the same where it is not Ethernet's: octets in hexadecimal, with colons") \
	X(ICMP_TYPE, "icmp.type", FT_U8, icmp.type, "icmp", "type") \
	X(ICMP_CODE, "icmp.code", FT_U8, icmp.code, "icmp", "code") \
	X(ICMP_ID, "icmp.id", FT_U16, icmp.id, "icmp", "identifier, of echo and the like") \
	X(ICMP_SEQ, "icmp.seq", FT_U16, icmp.seq, "icmp", "sequence number, of echo and the like") \
	X(ICMP_MTU, "icmp.mtu", FT_U32, icmp.mtu, "icmp", "next-hop MTU of fragmentation needed / packet too big") \
	X(ICMP_GATEWAY, "icmp.gateway", FT_ADDR, icmp.gateway, "icmp", "better gateway of a redirect") \
	X(ICMP_POINTER, "icmp.pointer", FT_U32, icmp.pointer, "icmp", "parameter problem: the octet of the datagram that is wrong") \
	X(ICMP_GROUPS_COUNT, "icmp.groups_count", FT_U16, icmp.groups_count, "icmp", "group records of a multicast listener report, as its header says") \
	X(ICMP_GROUPS, "icmp.groups", FT_STRS, icmp.groups, "icmp", "groups that a multicast listener message names, at most 64") \
	X(ICMP_ND_TARGET, "icmp.nd.target", FT_ADDR, icmp.nd_target, "icmp", "neighbour discovery: target address; of a redirect the better next hop") \
	X(ICMP_ND_DESTINATION, "icmp.nd.destination", FT_ADDR, icmp.nd_destination, "icmp", "neighbour discovery: the address that a redirect is about") \
	X(ICMP_ND_LLADDR, "icmp.nd.lladdr", FT_MAC, icmp.nd_lladdr, "icmp", "neighbour discovery: link-layer address option") \
	X(ICMP_ORIG_TRANSPORT, "icmp.original.transport", FT_WORD, icmp.orig_transport, "icmp", "transport of the datagram that an error quotes") \
	X(ICMP_ORIG_SRC_IP, "icmp.original.source.ip", FT_ADDR, icmp.orig_src, "icmp", "its sender") \
	X(ICMP_ORIG_SRC_PORT, "icmp.original.source.port", FT_U16, icmp.orig_sport, "icmp", "its sender's port") \
	X(ICMP_ORIG_DST_IP, "icmp.original.destination.ip", FT_ADDR, icmp.orig_dst, "icmp", "its receiver") \
	X(ICMP_ORIG_DST_PORT, "icmp.original.destination.port", FT_U16, icmp.orig_dport, "icmp", "its receiver's port") \
	X(DNS_ID, "dns.id", FT_U16, dns.id, "dns", "message id") \
	X(DNS_TYPE, "dns.type", FT_WORD, dns.type, "dns", "query or answer") \
	X(DNS_OP_CODE, "dns.op_code", FT_STR, dns.op_code, "dns", "QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO") \
	X(DNS_HEADER_FLAGS, "dns.header_flags", FT_WORDS, dns.header_flags, "dns", "subset of AA TC RD RA AD CD; of LLMNR, of C TC T") \
	X(DNS_HEADER_BITS, "dns.header_bits", FT_U16, dns.header_bits, "dns", "the header's flags and codes as a number, where some are set that are reserved, or a response's in a query") \
	X(DNS_RESPONSE_CODE, "dns.response_code", FT_STR, dns.response_code, "dns", "of a response: the header's four bits, and those above them of its OPT record") \
	X(DNS_QUESTION_NAME, "dns.question.name", FT_STR, dns.question_name, "dns", "first question: name, no final dot") \
	X(DNS_QUESTION_TYPE, "dns.question.type", FT_STR, dns.question_type, "dns", "first question: type") \
	X(DNS_QUESTION_CLASS, "dns.question.class", FT_STR, dns.question_class, "dns", "first question: class") \
	X(DNS_QUESTION_UNICAST, "dns.question.unicast_response", FT_BOOL, dns.question_unicast, "dns", "first question of mDNS: a unicast response is wanted (QU), or not (QM)") \
	X(DNS_QUESTIONS, "dns.questions", FT_ITEMS, dns.questions, "dns", "all questions, when more than one (at most 64)") \
	X(DNS_ANSWERS, "dns.answers", FT_ITEMS, dns.answers, "dns", "the answer section (at most 64 records)") \
	X(DNS_QDCOUNT, "dns.questions_count", FT_U16, dns.questions_count, "dns", "header count") \
	X(DNS_ANCOUNT, "dns.answers_count", FT_U16, dns.answers_count, "dns", "header count") \
	X(DNS_NSCOUNT, "dns.authorities_count", FT_U16, dns.authorities_count, "dns", "header count") \
	X(DNS_ARCOUNT, "dns.additionals_count", FT_U16, dns.additionals_count, "dns", "header count") \
	X(DNS_EDNS_VERSION, "dns.edns.version", FT_U8, dns.edns_version, "dns", "EDNS version, when an OPT record is there") \
	X(DNS_EDNS_UDP_SIZE, "dns.edns.udp_size", FT_U16, dns.edns_udp_size, "dns", "EDNS: largest UDP payload the sender takes") \
	X(DNS_EDNS_DO, "dns.edns.do", FT_BOOL, dns.edns_do, "dns", "EDNS: DNSSEC wanted") \
	X(HTTP_VERSION, "http.version", FT_WORD, http.version, "http http2", "1.0, 1.1 or 2") \
	X(HTTP_METHOD, "http.request.method", FT_STR, http.method, "http http2", "method, as sent") \
	X(HTTP_REQUEST_MIME, "http.request.mime_type", FT_STR, http.request_mime, "http http2", "Content-Type of a request, as sent") \
	X(HTTP_STATUS, "http.response.status_code", FT_U16, http.status, "http http2", "status code") \
	X(HTTP_RESPONSE_MIME, "http.response.mime_type", FT_STR, http.response_mime, "http http2", "Content-Type of a response, as sent") \
	X(URL_ORIGINAL, "url.original", FT_STR, http.url, "http http2", "request target as sent, or :path") \
	X(URL_SCHEME, "url.scheme", FT_STR, http.scheme, "http2", ":scheme") \
	X(URL_DOMAIN, "url.domain", FT_STR, http.domain, "http http2", "Host or :authority, without the port") \
	X(URL_PORT, "url.port", FT_U16, http.port, "http http2", "port in Host or :authority") \
	X(USER_AGENT, "user_agent.original", FT_STR, http.user_agent, "http http2", "User-Agent, as sent") \
	X(HTTP2_STREAM_ID, "http2.stream_id", FT_U32, http.stream_id, "http2", "stream") \
	X(HTTP2_HEADERS, "http2.headers", FT_STRS, http.headers, "http2", "name: value, in wire order, pseudo-headers included") \
	X(GRPC_STATUS, "rpc.grpc.status_code", FT_U32, http.grpc_status, "http2", "grpc-status") \
	X(TLS_VERSION, "tls.version", FT_STR, tls.version, "tls", "highest offered, or selected") \
	X(TLS_VERSION_PROTOCOL, "tls.version_protocol", FT_WORD, tls.version_protocol, "tls", "tls, ssl or dtls") \
	X(TLS_CIPHER_ID, "tls.cipher_id", FT_STR, tls.cipher_id, "tls", "cipher suite selected, in hexadecimal") \
	X(TLS_NEXT_PROTOCOL, "tls.next_protocol", FT_STR, tls.next_protocol, "tls", "ALPN protocol selected") \
	X(TLS_SERVER_NAME, "tls.client.server_name", FT_STR, tls.server_name, "tls", "server name indication; the outer one with ECH") \
	X(TLS_JA3, "tls.client.ja3", FT_STR, tls.ja3, "tls", "JA3 fingerprint of the ClientHello (MD5)") \
	X(TLS_JA4, "tls.client.ja4", FT_STR, tls.ja4, "tls", "JA4 fingerprint of the ClientHello") \
	X(TLS_ALPN, "tls.client.alpn", FT_STRS, tls.alpn, "tls", "ALPN protocols offered") \
	X(TLS_JA3S, "tls.server.ja3s", FT_STR, tls.ja3s, "tls", "JA3S fingerprint of the ServerHello (MD5)") \
	X(REDIS_COMMAND, "redis.command", FT_STR, redis.command, "redis", "first word, in upper case") \
	X(REDIS_ARGS, "redis.args", FT_STRS, redis.args, "redis", "further words, at most 64, each cut at 256 characters") \
	X(REDIS_ARGS_COUNT, "redis.args_count", FT_U32, redis.args_count, "redis", "how many further words there are") \
	X(REDIS_REPLY_TYPE, "redis.reply.type", FT_WORD, redis.type, "redis", "simple_string, error, integer, bulk_string, array, map, ...") \
	X(REDIS_REPLY_VALUE, "redis.reply.value", FT_STR, redis.value, "redis", "a scalar as text, cut at 256 characters") \
	X(REDIS_REPLY_COUNT, "redis.reply.count", FT_U32, redis.count, "redis", "elements; pairs of a map or an attribute") \
	X(KAFKA_API_KEY, "kafka.api_key", FT_U16, kafka.api_key, "kafka", "API key") \
	X(KAFKA_API_NAME, "kafka.api_name", FT_WORD, kafka.api_name, "kafka", "its name: Produce, Fetch, Metadata, ...") \
	X(KAFKA_API_VERSION, "kafka.api_version", FT_U16, kafka.api_version, "kafka", "version of the API") \
	X(KAFKA_CORRELATION_ID, "kafka.correlation_id", FT_I32, kafka.correlation_id, "kafka", "joins a response to its request") \
	X(KAFKA_CLIENT_ID, "kafka.client_id", FT_STR, kafka.client_id, "kafka", "client id") \
	X(KAFKA_TOPICS, "kafka.topics", FT_STRS, kafka.topics, "kafka", "topics of a request, or of a Metadata response") \
	X(DHCPV4_OP, "dhcpv4.op_code", FT_WORD, dhcp.op_code, "dhcp", "bootrequest or bootreply") \
	X(DHCPV4_XID, "dhcpv4.transaction_id", FT_U32, dhcp.xid, "dhcp", "transaction id") \
	X(DHCPV4_CLIENT_MAC, "dhcpv4.client_mac", FT_MAC, dhcp.client_mac, "dhcp", "client hardware address") \
	X(DHCPV4_CLIENT_IP, "dhcpv4.client_ip", FT_ADDR, dhcp.client_ip, "dhcp", "ciaddr: the client has it already") \
	X(DHCPV4_ASSIGNED_IP, "dhcpv4.assigned_ip", FT_ADDR, dhcp.assigned_ip, "dhcp", "yiaddr: yours") \
	X(DHCPV4_SERVER_IP, "dhcpv4.server_ip", FT_ADDR, dhcp.server_ip, "dhcp", "siaddr: next server") \
	X(DHCPV4_RELAY_IP, "dhcpv4.relay_ip", FT_ADDR, dhcp.relay_ip, "dhcp", "giaddr: relay agent") \
	X(DHCPV4_MESSAGE_TYPE, "dhcpv4.option.message_type", FT_WORD, dhcp.message_type, "dhcp", "option 53") \
	X(DHCPV4_HOSTNAME, "dhcpv4.option.hostname", FT_STR, dhcp.hostname, "dhcp", "option 12") \
	X(DHCPV4_FQDN, "dhcpv4.option.fqdn", FT_STR, dhcp.fqdn, "dhcp", "option 81") \
	X(DHCPV4_CLASS_ID, "dhcpv4.option.class_identifier", FT_STR, dhcp.class_id, "dhcp", "option 60") \
	X(DHCPV4_PARAMETERS, "dhcpv4.option.parameter_request_list", FT_U16S, dhcp.requested, "dhcp", "option 55, in its order") \
	X(DHCPV4_REQUESTED_IP, "dhcpv4.option.requested_ip_address", FT_ADDR, dhcp.requested_ip, "dhcp", "option 50") \
	X(DHCPV4_SERVER_ID, "dhcpv4.option.server_identifier", FT_ADDR, dhcp.server_id, "dhcp", "option 54") \
	X(DHCPV4_LEASE, "dhcpv4.option.ip_address_lease_time_sec", FT_U32, dhcp.lease_s, "dhcp", "option 51, seconds") \
	X(DHCPV6_MESSAGE_TYPE, "dhcpv6.message_type", FT_WORD, dhcp.message_type, "dhcp", "solicit, advertise, request, reply, relay-forward, ...") \
	X(DHCPV6_XID, "dhcpv6.transaction_id", FT_U32, dhcp.xid, "dhcp", "transaction id") \
	X(DHCPV6_CLIENT_DUID, "dhcpv6.client_duid", FT_STR, dhcp.client_duid, "dhcp", "client DUID, in hexadecimal") \
	X(DHCPV6_SERVER_DUID, "dhcpv6.server_duid", FT_STR, dhcp.server_duid, "dhcp", "server DUID, in hexadecimal") \
	X(DHCPV6_ASSIGNED_IP, "dhcpv6.assigned_ip", FT_ADDR, dhcp.assigned_ip, "dhcp", "address of the first IA address option") \
	X(DHCPV6_FQDN, "dhcpv6.fqdn", FT_STR, dhcp.fqdn, "dhcp", "option 39") \
	X(DHCPV6_REQUESTED, "dhcpv6.requested_options", FT_U16S, dhcp.requested, "dhcp", "option 6, in its order") \
	X(DROP_REASON, "drop.reason", FT_STR, drop.reason, "drop", "the kernel's name, without its prefix") \
	X(DROP_LOCATION, "drop.location", FT_STR, drop.location, "drop", "kernel function that let it go") \
	X(DROP_NETNS, "drop.netns", FT_STR, drop.netns, "drop", "network namespace, by name or number (-N any)") \
	X(DROP_HOOK, "drop.hook", FT_WORD, drop.hook, "drop", "xdp, tc, nft, iptables, socket, route, neighbour, tcp, udp, ip, other") \
	X(DEVICE_MAC, "device.mac", FT_MAC, device.mac, "device", "MAC address") \
	X(DEVICE_LOCAL, "device.mac_local", FT_BOOL, device.is_local, "device", "locally administered: made up by a system, often a new one each time") \
	X(DEVICE_IP, "device.ip", FT_STRS, device.addresses, "device", "addresses, the latest first, at most 8") \
	X(DEVICE_VENDOR, "device.manufacturer", FT_STR, device.vendor, "device", "whom the IEEE gave the prefix of the MAC address") \
	X(DEVICE_HOSTNAME, "device.hostname", FT_STR, device.hostname, "device", "its own name, of DHCP, else mDNS or LLMNR") \
	X(DEVICE_CLASS_ID, "device.class_identifier", FT_STR, device.class_id, "device", "DHCP option 60") \
	X(DEVICE_FINGERPRINT, "device.fingerprint", FT_STR, device.fingerprint, "device", "DHCP option 55 in its order: tells the make of the DHCP client") \
	X(DEVICE_TOLD_BY, "device.told_by", FT_WORDS, device.told_by, "device", "protocols it was seen in: arp, nd, dhcp, dhcpv6, mdns, llmnr") \
	X(FLOW_STATE, "flow.state", FT_WORD, flow.state, "flow", "one_way, two_way; of TCP syn_sent, syn_received, established, closing, closed, reset") \
	X(FLOW_END, "flow.end_reason", FT_WORD, flow.end_reason, "flow", "why no more is said of it: closed, reset, idle, active (it goes on in a further record), evicted, reused") \
	X(STATS_HOST, "host.ip", FT_ADDR, stats.host, "stats", "address that the row counts") \
	X(STATS_PORT, "server.port", FT_U16, stats.port, "stats", "port that the row counts: the responder's") \
	X(STATS_PACKETS, "stats.packets", FT_U64, stats.packets, "stats", "packets") \
	X(STATS_BYTES, "stats.bytes", FT_U64, stats.bytes, "stats", "octets on the wire") \
	X(STATS_CAPTURED, "stats.captured_bytes", FT_U64, stats.captured_bytes, "stats", "octets captured") \
	X(STATS_FLOWS, "stats.flows", FT_U64, stats.flows, "stats", "conversations: addresses, ports and protocol of the outermost IP header") \
	X(STATS_ESTIMATED, "stats.flows_estimated", FT_BOOL, stats.estimated, "stats", "there were too many flows to count them one by one: within 2 %") \
	X(STATS_TRANSPORT, "stats.by_transport", FT_COUNTS, stats.by_transport, "stats", "packets by transport of the outermost IP header; arp, other") \
	X(STATS_VERSION, "stats.by_version", FT_COUNTS, stats.by_version, "stats", "packets by network layer: ipv4, ipv6, arp, other") \
	X(STATS_SIZE, "stats.by_size", FT_COUNTS, stats.by_size, "stats", "packets by octets on the wire: up to 64, 127, 255, 511, 1023, 1518, 9018, or more") \
	X(STATS_TCP_FLAGS, "stats.by_tcp_flags", FT_COUNTS, stats.by_tcp_flags, "stats", "TCP packets by what they do: syn, syn_ack, fin, rst, data, ack, other") \
	X(STATS_FRAGMENTS, "stats.fragments", FT_U64, stats.fragments, "stats", "packets that are fragments") \
	X(STATS_UNDECODED, "stats.undecoded", FT_U64, stats.undecoded, "stats", "packets whose headers could not be walked to the end") \
	X(STATS_PPS, "stats.packets_per_second", FT_U64, stats.pps, "stats", "since the last such record, or over all the time") \
	X(STATS_BPS, "stats.bits_per_second", FT_U64, stats.bps, "stats", "since the last such record, or over all the time") \
	X(RULE_NAME, "rule.name", FT_WORD, alert.rule, "alert", "what was detected: port_scan, host_scan, syn_flood, ...") \
	X(MESSAGE, "message", FT_STR, alert.message, "alert", "the same in words") \
	X(TECHNIQUE, "threat.technique.id", FT_WORD, alert.technique, "alert", "the technique of MITRE ATT&CK that it belongs to") \
	X(ALERT_COUNT, "alert.count", FT_U64, alert.count, "alert", "evidence: what the rule counts") \
	X(ALERT_PORTS, "alert.ports", FT_U64, alert.ports, "alert", "evidence: how many ports") \
	X(ALERT_HOSTS, "alert.hosts", FT_U64, alert.hosts, "alert", "evidence: how many hosts") \
	X(ALERT_SOURCES, "alert.sources", FT_U64, alert.sources, "alert", "evidence: how many sources") \
	X(ALERT_SUPPRESSED, "alert.suppressed", FT_U64, alert.suppressed, "alert", "how often it came again, untold, since it was last told") \
	X(LOST_STAGE, "lost.stage", FT_WORD, lost.stage, "lost", "where: ring, map, snap, decode, reassembly, stats, detect, sink") \
	X(LOST_REASON, "lost.reason", FT_WORD, lost.reason, "lost", "why") \
	X(LOST_COUNT, "lost.count", FT_U64, lost.count, "lost", "how many since the last such record") \
	X(TRUNCATED, "truncated", FT_BOOL, truncated, "all", "texts or lists of it were cut: too long for a line of 64 KiB, or to be kept with a request")

enum field_id {
#define RECORD_ID(id, ...) FIELD_##id,
	RECORD_FIELDS(RECORD_ID)
#undef RECORD_ID
	FIELDS
};

struct field {
	const char *name;
	enum field_type type;
	uint16_t off;			/* of the member in struct record */
	const char *kinds;
	const char *help;
	const struct item_table *items;	/* FT_ITEMS only */
};

extern const struct field record_fields[FIELDS];
extern const char *const record_kind_names[REC_KINDS];

static inline void record_mark(struct record *r, enum field_id f)
{
	r->present[f >> 6] |= 1ull << (f & 63);
}

static inline void record_unmark(struct record *r, enum field_id f)
{
	r->present[f >> 6] &= ~(1ull << (f & 63));
}

static inline bool record_has(const struct record *r, enum field_id f)
{
	return r->present[f >> 6] >> (f & 63) & 1;
}

/* Address of a field's value inside the record. */
static inline const void *record_at(const struct record *r, enum field_id f)
{
	return (const char *)r + record_fields[f].off;
}

/* Nothing marked but the kind's name; other members keep whatever they held. */
void record_start(struct record *r, enum record_kind kind);
/* The field called `name` (n octets), or -1. */
int record_field_find(const char *name, size_t n);

/* Who takes records; 0 to go on, 1 to stop quietly, negative errno to stop. */
typedef int (*record_fn)(void *ctx, const struct record *r);

#endif
