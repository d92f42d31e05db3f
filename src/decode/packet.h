/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_PACKET_H
#define NETPROBE_DECODE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "record.h"

/*
 * Link to transport: a borrowed view of one frame.  Lives on the stack for one
 * event.  Everything it points to is in the frame (or, for a reassembled
 * datagram, in the fragment table until the next frame).
 */
enum { PACKET_VLANS_MAX = 8, PACKET_TUNNELS_MAX = 8, PACKET_OUTER_MAX = 16, PACKET_LABELS_MAX = 8 };

/* One IP header and what follows it; the ports are those of its TCP, UDP or SCTP. */
struct ip_layer {
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t  version;		/* 4, 6; 0: none */
	uint8_t  proto;			/* IANA number after all extension headers */
	bool     has_ports;
	bool     has_ah;		/* behind an authentication header (51) */
	bool     inherited;		/* the ports are those of the first fragment, not in this frame */
};

/* An IP header around the innermost one, as flows are counted by it. */
struct ip_around {
	struct ip_layer ip;
	uint32_t ip_len, frag_id;
	uint8_t  ttl, tos, tunnels;	/* tunnels: how many of packet.tunnel lie before this header */
	bool     is_fragment;
};

/* What PPP carries when that is not IP. */
struct ppp_layer {
	uint32_t len;			/* bytes, those of the protocol's number with them */
	uint16_t proto;			/* 0: none */
	uint8_t  code, id;		/* of control protocols, when has_code */
	bool     has_code;
};

struct packet {
	const struct frame *frame;

	const uint8_t *smac, *dmac;	/* NULL when the link has none (6 bytes otherwise) */
	const uint8_t *inner_smac, *inner_dmac;	/* of the innermost Ethernet header: the ones ARP wants */
	uint16_t ethertype;		/* of the innermost payload that is not IP, host order */
	uint16_t vlan[PACKET_VLANS_MAX];
	uint8_t  vlans;
	const char *tunnel[PACKET_TUNNELS_MAX];
	uint8_t  tunnels, tunnels_before;	/* in tunnel[]; before the first IP header */
	uint8_t  labels, labels_before;	/* of MPLS: in label[]; before the first IP header */

	struct ip_layer ip, outer;	/* innermost; outermost, when has_outer */
	bool     has_outer;

	uint8_t  ttl, tos;
	uint16_t ip_id;
	bool     df, hop_by_hop;
	uint32_t ip_len;		/* IPv4 total length; IPv6 payload length + 40; jumbo counts */
	bool     is_fragment, frag_more, frag_first;
	uint32_t frag_offset;		/* bytes */
	uint32_t ah_spi, ah_seq;	/* when ip.has_ah */
	bool     reassembled;		/* l4 covers the whole datagram, from its fragments */

	const uint8_t *l3;		/* innermost IP header, or ARP */
	uint32_t l3_cap, l3_len;	/* bytes captured from there; on the wire, padding and all */
	const uint8_t *l4;		/* transport header; NULL when there is none */
	uint32_t l4_cap, l4_len;	/* bytes captured from there; on the wire by the IP length */
	const uint8_t *payload;		/* after the transport header */
	uint32_t payload_cap, payload_len;

	/* TCP, when ip.proto is 6 and its header is whole */
	bool     has_tcp;
	uint8_t  tcp_flags;
	uint32_t tcp_seq, tcp_ack;
	uint16_t tcp_window, tcp_urgent;
	const uint8_t *tcp_options;
	uint8_t  tcp_options_len, tcp_options_cap;	/* on the wire; captured */

	struct ppp_layer ppp;
	uint16_t pppoe_session;
	bool     has_pppoe;		/* before the first IP header */

	uint32_t net_off;		/* of the outermost network header, or what stands in its place; 0: not found */
	bool     is_arp;		/* l3 points to an ARP header */
	const char *malformed;		/* NULL when walked to the end; else a word: "truncated", "bad-length", … */

	uint32_t frag_id;		/* of a fragment */
	uint8_t  ip_tunnels;		/* how many of tunnel[] lie before the innermost IP header */
	uint8_t  arounds;
	/* Not cleared: these two, from here on */
	struct ip_around around[PACKET_OUTER_MAX];	/* outermost first */
	struct mpls_label label[PACKET_LABELS_MAX];
};

/* State that outlives a frame: the fragment table.  Bounded, and what goes is counted: fragment.h. */
struct packet_state;
struct packet_counts { uint64_t walked, truncated, malformed, unknown, fragments, reassembled; };

int  packet_open(struct packet_state **st);
void packet_close(struct packet_state *st);
const struct packet_counts *packet_counts(const struct packet_state *st);
/* What fragments could not be put together, by enum fragment_loss; monotonic. */
const uint64_t *packet_fragments_lost(const struct packet_state *st);
/* Time has passed: fragments that wait for too long are forgotten. */
void packet_tick(struct packet_state *st, uint64_t now_ns);

/*
 * Walk the headers of a frame.  Never fails: what cannot be walked leaves
 * pk->malformed set and everything understood so far in place.
 */
void packet_walk(struct packet_state *st, struct packet *pk, const struct frame *f);

/*
 * Fill a record of `set` with what the packet says about itself.  Of packets
 * and drops that is all there is; of messages who speaks to whom, and when.
 */
void packet_record(const struct packet *pk, struct record *r, const struct dataset *set);
/* Mark the link addresses of the innermost Ethernet header, for a dataset that needs to know the device. */
void packet_macs(const struct packet *pk, struct record *r);

#endif
