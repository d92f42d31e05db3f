/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RECORD_H
#define NETPROBE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset.h"
#include "frame.h"

/*
 * The one thing that flows.  A record is what netprobe says about one event:
 * a packet, a protocol message, a drop, a loss.  Decoders fill members and mark
 * them present; sinks walk the marked fields through the tables of dataset.h and
 * know no protocol.  Everything a record points to is borrowed and good until
 * the sink returns.
 *
 * Names, types and meaning: netprobe-output(5), `netprobe schema`.
 */

struct str { const char *p; uint32_t n; };	/* bytes from outside, not NUL-terminated */
struct list { const void *p; uint32_t n; };	/* n elements of the field's type */
struct pair { struct str key, value; };

/* Element of network.mpls: an entry of a label stack (RFC 3032, 2.1). */
struct mpls_label {
	uint32_t present;
	uint32_t label;
	uint8_t  tc, ttl;
	bool     bottom;
};

/* Names are static strings of ours. */
struct named_count {
	const char *name;
	uint64_t n;
};

extern const struct item_table mpls_label_items;

enum { RECORD_OWN_SIZE = 640 };

struct record {
	const struct dataset *set;
	uint64_t present[FIELD_WORDS];	/* bit FIELD_x: that member has a value */
	const struct frame *frame;	/* the frame it came from; NULL for lost */
	const struct record *head;	/* of a packet that is a first fragment: what its line says; else NULL */
	/* Of a message that is to become a line: the record of the packet that completed it; else NULL */
	const struct record *packet;
	uint32_t rest_len;		/* bytes behind the last header; of a message in a stream its own */

	uint64_t time_ns;
	uint64_t start_ns, end_ns, duration_ns;
	const char *event_kind;		/* "alert" */
	const char *action, *outcome, *dataset;
	uint16_t severity;
	uint32_t sampled;
	bool truncated;

	uint64_t frame_number;
	uint32_t net_off;		/* bytes of `frame` before its network header; 0: not found */
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

	uint8_t  ip_ttl, ip_tos;
	uint16_t ip_id;
	bool     ip_df, ip_hop_by_hop;
	uint32_t ip_len;		/* total length; payload length + 40 for IPv6 */
	bool     frag_more, frag_first;
	uint32_t frag_offset;		/* bytes */

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
	uint32_t payload_len;		/* L4 payload bytes on the wire */
	const char *malformed;		/* what was wrong or unknown, as a word */
	uint16_t ethertype;		/* of what could not be walked further */
	uint16_t pppoe_session, ppp_proto;
	uint8_t  ppp_code, ppp_id;
	const char *ppp_name;
	uint32_t ppp_len;

	struct str rule_name, rule_reference;
	uint32_t rule_id, link_id;
	const char *hook, *hook_mode;
	struct str drop_reason, drop_location;
	const char *drop_hook;

	/* Members of the dataset's own fields: a struct that only its folder knows. */
	_Alignas(8) unsigned char own[RECORD_OWN_SIZE];
};

/*
 * The common fields, one row each:
 *   X(ID, "dotted.name", type, member, sections, "what it means")
 * and further members of struct field where it has them.
 * Rows stand so that names with the same parent are neighbours: JSON nests by that order.
 * Fields are only ever added within a major version.
 */
#define RECORD_FIELDS(X) \
	X(TIME, "@timestamp", FT_TIME, time_ns, SECTION_ALL, "when the frame that completed it was seen; UTC in JSON and CSV", .title = "TIME") \
	X(DATASET, "event.dataset", FT_WORD, dataset, SECTION_ALL, "what kind of record this is") \
	X(EVENT_KIND, "event.kind", FT_WORD, event_kind, SECTION_SOME, "alert") \
	X(SEVERITY, "event.severity", FT_U16, severity, SECTION_SOME, "how grave, up to 100: 21 low, 47 medium, 73 high") \
	X(ACTION, "event.action", FT_WORD, action, SECTION_MESSAGE, "what the message is: query, request, response, no_answer, drop, ...") \
	X(OUTCOME, "event.outcome", FT_WORD, outcome, SECTION_MESSAGE, "success, failure or unknown, of a response") \
	X(DURATION, "event.duration", FT_DURATION, duration_ns, SECTION_MESSAGE, "nanoseconds from the request to its response (which has it, or the request if that came later), or from the first packet of a flow to its last") \
	X(START, "event.start", FT_TIME, start_ns, SECTION_SPAN, "first moment the record stands for", .title = "START") \
	X(END, "event.end", FT_TIME, end_ns, SECTION_SPAN, "last moment the record stands for", .title = "END") \
	X(SAMPLED, "event.sampled", FT_U32, sampled, SECTION_ALL, "N when one packet in N was kept") \
	X(FRAME_NUMBER, "frame.number", FT_U64, frame_number, SECTION_ALL, "number of the frame that completed it, from 1") \
	X(FRAME_LEN, "frame.len", FT_U32, frame_len, SECTION_PACKET, "bytes on the wire") \
	X(FRAME_CAP_LEN, "frame.cap_len", FT_U32, frame_cap_len, SECTION_PACKET, "bytes captured") \
	X(FRAME_SEGMENTS, "frame.segments", FT_U16, frame_segments, SECTION_PACKET, "segments in a GRO or GSO super-packet") \
	X(SRC_IP, "source.ip", FT_ADDR, src, SECTION_ALL, "sender, from the innermost IP header") \
	X(SRC_PORT, "source.port", FT_U16, sport, SECTION_ALL, "sender's port") \
	X(SRC_MAC, "source.mac", FT_MAC, smac, SECTION_PACKET, "sender's link address, where it tells who is there") \
	X(DST_IP, "destination.ip", FT_ADDR, dst, SECTION_ALL, "receiver, from the innermost IP header") \
	X(DST_PORT, "destination.port", FT_U16, dport, SECTION_ALL, "receiver's port") \
	X(DST_MAC, "destination.mac", FT_MAC, dmac, SECTION_PACKET, "receiver's link address, likewise") \
	X(OUTER_SRC_IP, "outer.source.ip", FT_ADDR, outer_src, SECTION_PACKET, "sender, from the outermost IP header of a tunnel") \
	X(OUTER_SRC_PORT, "outer.source.port", FT_U16, outer_sport, SECTION_PACKET, "its port") \
	X(OUTER_DST_IP, "outer.destination.ip", FT_ADDR, outer_dst, SECTION_PACKET, "receiver, from the outermost IP header of a tunnel") \
	X(OUTER_DST_PORT, "outer.destination.port", FT_U16, outer_dport, SECTION_PACKET, "its port") \
	X(NET_TYPE, "network.type", FT_WORD, net_type, SECTION_PACKET, "ipv4, ipv6 or arp") \
	X(TRANSPORT, "network.transport", FT_WORD, transport, SECTION_ALL, "IANA keyword of the transport, or its number as text") \
	X(PROTOCOL, "network.protocol", FT_WORD, protocol, SECTION_MESSAGE, "application protocol") \
	X(IANA, "network.iana_number", FT_U8, iana_number, SECTION_PACKET, "IP protocol number of the transport") \
	X(DIRECTION, "network.direction", FT_WORD, direction, SECTION_ALL, "ingress or egress, at the interface") \
	X(VLAN, "network.vlan", FT_U16S, vlan, SECTION_ALL, "VLAN ids before the first IP header, outermost first") \
	X(MPLS, "network.mpls", FT_ITEMS, mpls, SECTION_PACKET, "MPLS labels, outermost first: label, tc, ttl", .items = &mpls_label_items) \
	X(TUNNEL, "network.tunnel", FT_WORDS, tunnel, SECTION_ALL, "encapsulations between the first and the innermost IP header") \
	X(INTERFACE, "network.interface", FT_STR, interface, SECTION_ALL, "interface it was seen on") \
	X(IFINDEX, "network.ifindex", FT_U32, ifindex, SECTION_ALL, "number of that interface, where a capture tells no name") \
	X(IP_TTL, "ip.ttl", FT_U8, ip_ttl, SECTION_PACKET, "time to live, or hop limit") \
	X(IP_TOS, "ip.tos", FT_U8, ip_tos, SECTION_PACKET, "DSCP and ECN byte") \
	X(IP_ID, "ip.id", FT_U16, ip_id, SECTION_PACKET, "IPv4 identification") \
	X(IP_LEN, "ip.len", FT_U32, ip_len, SECTION_PACKET, "total length by the innermost IP header") \
	X(IP_DF, "ip.df", FT_BOOL, ip_df, SECTION_PACKET, "IPv4: do not fragment") \
	X(IP_HOP_BY_HOP, "ip.hop_by_hop", FT_BOOL, ip_hop_by_hop, SECTION_PACKET, "IPv6: there is a hop-by-hop options header") \
	X(FRAG_MORE, "ip.fragment.more", FT_BOOL, frag_more, SECTION_PACKET, "more fragments follow") \
	X(FRAG_FIRST, "ip.fragment.first", FT_BOOL, frag_first, SECTION_PACKET, "this is the first fragment") \
	X(FRAG_OFFSET, "ip.fragment.offset", FT_U32, frag_offset, SECTION_PACKET, "offset of a fragment, in bytes") \
	X(AH_SPI, "ip.ah.spi", FT_U32, ah_spi, SECTION_PACKET, "security parameters index of an authentication header") \
	X(TCP_FLAGS, "tcp.flags", FT_WORD, tcp_flags, SECTION_PACKET, "letters of CEUAPRSF") \
	X(TCP_SEQ, "tcp.seq", FT_U32, tcp_seq, SECTION_PACKET, "sequence number as sent") \
	X(TCP_ACK, "tcp.ack", FT_U32, tcp_ack, SECTION_PACKET, "acknowledgement number as sent") \
	X(TCP_WINDOW, "tcp.window", FT_U16, tcp_window, SECTION_PACKET, "window as sent, not scaled") \
	X(TCP_CONFLICT, "tcp.conflict", FT_BOOL, tcp_conflict, SECTION_STREAM, "bytes of this connection were sent twice with different contents; the first were read") \
	X(PAYLOAD_LEN, "payload.len", FT_U32, payload_len, SECTION_PACKET, "bytes after the transport header, on the wire") \
	X(MALFORMED, "packet.malformed", FT_WORD, malformed, SECTION_MESSAGE | SECTION_PACKET, "why the headers, or the message, were not read to the end") \
	X(ETHERTYPE, "packet.ethertype", FT_U16, ethertype, SECTION_PACKET, "EtherType of a payload that is not IP or ARP") \
	X(PPPOE_SESSION, "pppoe.session", FT_U16, pppoe_session, SECTION_PACKET, "session of PPPoE, before the first IP header") \
	X(PPP_PROTOCOL, "ppp.protocol", FT_U16, ppp_proto, SECTION_PACKET, "protocol that PPP carries, where it is not IP") \
	X(PPP_NAME, "ppp.name", FT_WORD, ppp_name, SECTION_PACKET, "its name: LCP, IPCP, IPV6CP, PAP, CHAP, CCP, ...") \
	X(PPP_CODE, "ppp.code", FT_U8, ppp_code, SECTION_PACKET, "code of a control protocol: 1 configure request, ...") \
	X(PPP_ID, "ppp.id", FT_U8, ppp_id, SECTION_PACKET, "identifier of a control protocol") \
	X(RULE_ID, "rule.id", FT_U32, rule_id, SECTION_SOME, "number of the firewall's entry that decides: netprobe block del id N") \
	X(RULE_NAME, "rule.name", FT_STR, rule_name, SECTION_SOME, "of an alert what was detected: port_scan, host_scan, syn_flood, ...; of the firewall the reason that its entry was given") \
	X(RULE_REFERENCE, "rule.reference", FT_STR, rule_reference, SECTION_SOME, "where the entry is from: FILE:LINE") \
	X(LINK_HOOK, "link.hook", FT_WORD, hook, SECTION_SOME, "where packets meet the program: xdp, tcx/ingress, tc/egress, netkit/peer, cgroup/connect4, ...") \
	X(LINK_MODE, "link.mode", FT_WORD, hook_mode, SECTION_SOME, "of XDP: native (in the driver), generic, offload") \
	X(LINK_ID, "link.id", FT_U32, link_id, SECTION_SOME, "the BPF link's number; absent without a link") \
	X(DROP_REASON, "drop.reason", FT_STR, drop_reason, SECTION_SOME, "the kernel's name, without its prefix") \
	X(DROP_LOCATION, "drop.location", FT_STR, drop_location, SECTION_SOME, "kernel function that let it go") \
	X(DROP_HOOK, "drop.hook", FT_WORD, drop_hook, SECTION_SOME, "xdp, tc, nft, iptables, socket, route, neighbour, tcp, udp, ip, other") \
	X(TRUNCATED, "truncated", FT_BOOL, truncated, SECTION_ALL, "texts or lists of it were cut: too long for a line of 64 KiB, or to be kept with a request")

enum field_id {
	RECORD_FIELDS(FIELD_ID)
	COMMON_FIELDS
};

extern const struct field record_fields[COMMON_FIELDS];

/* A row of a dataset's own table, of the same form without the sections; `body` is the struct's name. */
#define OWN_FIELD(body, name_, type_, member_, ...) \
	{ .name = name_, .type = type_, .off = offsetof(struct record, own) + offsetof(struct body, member_), \
	  .help = __VA_ARGS__ }

/*
 * NAME_table, of the rows FIELDS, which point into struct OWN_BODY:
 *   #define OWN_BODY arp_body
 *   OWN_TABLE(arp, ARP_FIELDS);
 *   #undef OWN_BODY
 */
#define OWN_ROW(id, ...) OWN_FIELD(OWN_BODY, __VA_ARGS__),
#define OWN_TABLE(name, FIELDS) \
	static const struct field name##_rows[] = { FIELDS(OWN_ROW) }; \
	_Static_assert(sizeof(struct OWN_BODY) <= RECORD_OWN_SIZE, "a record has no room for it"); \
	static struct field_table name##_table = FIELD_TABLE(name##_rows)

static inline void record_mark(struct record *r, unsigned int f)
{
	r->present[f >> 6] |= 1ull << (f & 63);
}

static inline void record_unmark(struct record *r, unsigned int f)
{
	r->present[f >> 6] &= ~(1ull << (f & 63));
}

static inline bool record_has(const struct record *r, unsigned int f)
{
	return r->present[f >> 6] >> (f & 63) & 1;
}

/* The struct of the dataset's own members; as strchr() does it gives what it was given, const or not. */
static inline void *record_own(const struct record *r)
{
	return (void *)(uintptr_t)r->own;
}

/* Address of a field's value inside the record. */
static inline const void *record_at(const struct record *r, unsigned int f)
{
	return (const char *)r + (f < FIELD_OWN ? &record_fields[f] : dataset_field(r->set, f))->off;
}

/* The value of the field with that number, or of its dataset's own of that name and type; NULL: it does not have it. */
const void *record_value(const struct record *r, unsigned int number);

/* Nothing marked but the dataset's name; other members keep whatever they held. */
void record_start(struct record *r, const struct dataset *set);

/* What is nobody's: a frame and its headers, one that the kernel threw away or a firewall judged, what we lost. */
extern struct dataset packet_dataset, drop_dataset, block_dataset, lost_dataset;

struct drop_body {
	struct str netns;
};

#define DROP_FIELDS(X) \
	X(DROP_NETNS, "drop.netns", FT_STR, netns, "network namespace, by name or number (-N any)")

enum drop_field { FIELD_DROP_BEFORE_ = FIELD_OWN - 1, DROP_FIELDS(FIELD_ID) };

static inline struct drop_body *drop_of(const struct record *r)
{
	return record_own(r);
}

/* What the firewall makes of a packet. */
struct block_body {
	const char *reason, *hook;
};

#define BLOCK_FIELDS(X) \
	X(BLOCK_REASON, "block.reason", FT_WORD, reason, "why: no_entry, allowed, dropped, audited, limit_passed, limit_dropped, not_ip, cut, ...: see netprobe-block(8)") \
	X(BLOCK_HOOK, "block.hook", FT_WORD, hook, "where the firewall met the packet: xdp, tcx/ingress, tcx/egress, clsact/ingress, clsact/egress; absent of lists that are in no kernel")

enum block_field { FIELD_BLOCK_BEFORE_ = FIELD_OWN - 1, BLOCK_FIELDS(FIELD_ID) };

static inline struct block_body *block_of(const struct record *r)
{
	return record_own(r);
}

/* Where something is lost, a word for each place. */
#define LOST_STAGES(X, and) \
	X(RING, "ring") and X(MAP, "map") and X(SOCKET, "socket") and X(SNAP, "snap") and X(DECODE, "decode") and \
	X(REASSEMBLY, "reassembly") and X(STATS, "stats") and X(DETECT, "detect")
#define LOST_ID(id, word) LOST_##id
#define LOST_WORD(id, word) word
#define LOST_COMMA ,

enum lost_stage { LOST_STAGES(LOST_ID, LOST_COMMA), LOST_STAGES_N };
extern const char *const lost_stages[LOST_STAGES_N];

struct lost_body {
	const char *stage;		/* of lost_stages[] */
	const char *reason;
	uint64_t count;
};

#define LOST_FIELDS(X) \
	X(LOST_STAGE, "lost.stage", FT_WORD, stage, "where: " LOST_STAGES(LOST_WORD, ", ")) \
	X(LOST_REASON, "lost.reason", FT_WORD, reason, "why") \
	X(LOST_COUNT, "lost.count", FT_U64, count, "how many since the last such record", .metric = METRIC_COUNTER)

enum lost_field { FIELD_LOST_BEFORE_ = FIELD_OWN - 1, LOST_FIELDS(FIELD_ID) };

static inline struct lost_body *lost_of(const struct record *r)
{
	return record_own(r);
}

/* text/ours.c */
void lost_line(struct line_state *st, const struct record *r, struct buf *b);

/* protocols.c: those of protocols, which may share one, and the others.  NULL ends them. */
extern struct dataset *const *const protocol_datasets[];
extern struct dataset *const other_datasets[];

/* Who takes records; 0 to go on, 1 to stop quietly, negative errno to stop. */
typedef int (*record_fn)(void *ctx, const struct record *r);

#endif
