/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_FIELDS_H
#define NETPROBE_FLOWS_FIELDS_H

#include "record.h"

/* Own fields of a flow: a conversation, or what is left of it. */

extern struct dataset flow_dataset;

struct flow_body {
	struct {		/* source, destination */
		uint64_t packets, bytes, handshake_ns;
		const char *tcp_flags;
		uint32_t retransmissions, out_of_order;
		uint16_t zero_windows, resets;
		uint8_t ttl, dscp;
	} side[2];
	uint64_t packets, bytes, handshake_ns, rtt_ns, pps, bps;
	struct str community_id;
	const char *state, *end_reason;
};

#define FLOW_FIELDS(X) \
	X(SRC_PACKETS, "source.packets", FT_U64, side[0].packets, "packets that the initiator sent") \
	X(SRC_BYTES, "source.bytes", FT_U64, side[0].bytes, "bytes of these, as IP total lengths") \
	X(SRC_TTL, "source.ttl", FT_U8, side[0].ttl, "the lowest time to live, or hop limit, of these") \
	X(SRC_DSCP, "source.dscp", FT_U8, side[0].dscp, "differentiated services code point of the latest") \
	X(SRC_TCP_FLAGS, "source.tcp.flags", FT_WORD, side[0].tcp_flags, "all TCP flags that it sent: letters of CEUAPRSF") \
	X(SRC_HANDSHAKE_RTT, "source.tcp.handshake_rtt", FT_DURATION, side[0].handshake_ns, "nanoseconds from the SYN+ACK to its acknowledgement: between here and the initiator") \
	X(SRC_RETRANSMISSIONS, "source.tcp.retransmissions", FT_U32, side[0].retransmissions, "segments that it sent again") \
	X(SRC_OUT_OF_ORDER, "source.tcp.out_of_order", FT_U32, side[0].out_of_order, "segments of it that others overtook") \
	X(SRC_ZERO_WINDOWS, "source.tcp.zero_windows", FT_U16, side[0].zero_windows, "how often it closed its window") \
	X(SRC_RESETS, "source.tcp.resets", FT_U16, side[0].resets, "resets that it sent") \
	X(DST_PACKETS, "destination.packets", FT_U64, side[1].packets, "packets that the responder sent") \
	X(DST_BYTES, "destination.bytes", FT_U64, side[1].bytes, "bytes of these, as IP total lengths") \
	X(DST_TTL, "destination.ttl", FT_U8, side[1].ttl, "the lowest time to live, or hop limit, of these") \
	X(DST_DSCP, "destination.dscp", FT_U8, side[1].dscp, "differentiated services code point of the latest") \
	X(DST_TCP_FLAGS, "destination.tcp.flags", FT_WORD, side[1].tcp_flags, "all TCP flags that it sent: letters of CEUAPRSF") \
	X(DST_HANDSHAKE_RTT, "destination.tcp.handshake_rtt", FT_DURATION, side[1].handshake_ns, "nanoseconds from the SYN to the SYN+ACK: between here and the responder") \
	X(DST_RETRANSMISSIONS, "destination.tcp.retransmissions", FT_U32, side[1].retransmissions, "segments that it sent again") \
	X(DST_OUT_OF_ORDER, "destination.tcp.out_of_order", FT_U32, side[1].out_of_order, "segments of it that others overtook") \
	X(DST_ZERO_WINDOWS, "destination.tcp.zero_windows", FT_U16, side[1].zero_windows, "how often it closed its window") \
	X(DST_RESETS, "destination.tcp.resets", FT_U16, side[1].resets, "resets that it sent") \
	X(NET_PACKETS, "network.packets", FT_U64, packets, "packets of both directions", .after = FIELD_IANA) \
	X(NET_BYTES, "network.bytes", FT_U64, bytes, "bytes of both directions, as IP total lengths", .after = FIELD_IANA) \
	X(COMMUNITY_ID, "network.community_id", FT_STR, community_id, "Community ID, version 1, seed 0; not of ICMP, nor inside tunnels", .after = FIELD_IANA) \
	X(TCP_HANDSHAKE_RTT, "tcp.handshake_rtt", FT_DURATION, handshake_ns, "nanoseconds from the SYN to the acknowledgement of the SYN+ACK") \
	X(TCP_RTT, "tcp.rtt", FT_DURATION, rtt_ns, "round trip in nanoseconds, smoothed: from segments to their acknowledgements, both ways added") \
	X(FLOW_STATE, "flow.state", FT_WORD, state, "one_way, two_way; of TCP syn_sent, syn_received, established, closing, closed, reset") \
	X(FLOW_END, "flow.end_reason", FT_WORD, end_reason, "why no more is said of it: closed, reset, idle, active (it goes on in a further record), evicted, reused") \
	X(FLOW_PPS, "flow.packets_per_second", FT_U64, pps, "of both directions in the interval that is over: flows watch", .metric = METRIC_GAUGE, .title = "PPS") \
	X(FLOW_BPS, "flow.bits_per_second", FT_U64, bps, "of both directions in the interval that is over: flows watch", .metric = METRIC_GAUGE, .title = "BIT/S")

enum flow_field { FIELD_FLOW_BEFORE_ = FIELD_OWN - 1, FLOW_FIELDS(FIELD_ID) };

static inline struct flow_body *flow_of(const struct record *r)
{
	return record_own(r);
}

#endif
