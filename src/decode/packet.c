// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/fragment.h"
#include "decode/state.h"
#include "decode/walk.h"
#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "numbers/ppp.h"

int packet_open(struct packet_state **out)
{
	struct packet_state *st = calloc(1, sizeof(*st));
	int err;

	if (!st)
		return -ENOMEM;
	err = fragments_open(&st->fragments);
	if (err) {
		free(st);
		return err;
	}
	st->clock.ahead_ns = FRAGMENT_AGE_NS;
	*out = st;
	return 0;
}

void packet_close(struct packet_state *st)
{
	if (!st)
		return;
	fragments_close(st->fragments);
	free(st);
}

const struct packet_counts *packet_counts(const struct packet_state *st)
{
	return &st->counts;
}

const uint64_t *packet_fragments_lost(const struct packet_state *st)
{
	return fragments_lost(st->fragments);
}

void packet_tick(struct packet_state *st, uint64_t now_ns)
{
	fragments_expire(st->fragments, steady_at(&st->clock, now_ns));
}

static layer_fn *const layers[LAYERS] = {
	[LAYER_LINK] = link_any,	   [LAYER_ETHERNET] = link_ethernet,
	[LAYER_ETHERTYPE] = link_ethertype, [LAYER_LLC] = link_llc,
	[LAYER_PPP] = link_ppp,		   [LAYER_PPP_OTHER] = link_ppp_other,
	[LAYER_MPLS] = tunnel_mpls,
	[LAYER_IP] = ip_any,		   [LAYER_IPV4] = ip_v4,
	[LAYER_IPV6] = ip_v6,		   [LAYER_TRANSPORT] = ip_transport,
	[LAYER_GRE] = tunnel_gre,	   [LAYER_UDP_TUNNEL] = tunnel_udp,
	[LAYER_NSH] = tunnel_nsh,
};

static void count(struct packet_state *st, const struct packet *pk)
{
	struct packet_counts *c = &st->counts;

	c->walked++;
	if (!pk->malformed) {
		c->unknown += !pk->ip.version && !pk->is_arp;
		return;
	}
	if (!strcmp(pk->malformed, "truncated"))
		c->truncated++;
	else if (!strncmp(pk->malformed, "unknown-", 8))
		c->unknown++;
	else
		c->malformed++;
}

void packet_walk(struct packet_state *st, struct packet *pk, const struct frame *f)
{
	struct walk w = { .pk = pk, .st = st, .p = f->data, .cap = f->cap_len, .len = f->len };
	bool network = false;
	unsigned int n;

	memset(pk, 0, offsetof(struct packet, around));
	pk->frame = f;
	if (w.len < w.cap)		/* a file may say so */
		w.len = w.cap;
	fragments_release(st->fragments);
	walk_goto(&w, f->link == LINK_ETHERNET ? LAYER_ETHERNET : LAYER_LINK, f->link);
	for (n = 0; w.next != LAYER_END; n++) {
		if (n == WALK_LAYERS_MAX) {
			walk_stop(&w, "too-deep");
			break;
		}
		if (!network && (w.next == LAYER_IP || w.next == LAYER_MPLS)) {
			pk->net_off = (uint32_t)(w.p - f->data);
			network = true;
		}
		layers[w.next](&w);
	}
	if (!network && !pk->malformed)
		pk->net_off = (uint32_t)(w.p - f->data);
	tunnel_settle(&w);
	/* Tunnels are what lies between two IP headers, or one and ARP; without those there is none. */
	if (!pk->has_outer && !(pk->is_arp && pk->ip.version))
		pk->tunnels = 0;
	count(st, pk);
}

/* Every set of flags, in the order of the byte's bits: CEUAPRSF. */
#define FLAGS1(s) s, s "F"
#define FLAGS2(s) FLAGS1(s), FLAGS1(s "S")
#define FLAGS3(s) FLAGS2(s), FLAGS2(s "R")
#define FLAGS4(s) FLAGS3(s), FLAGS3(s "P")
#define FLAGS5(s) FLAGS4(s), FLAGS4(s "A")
#define FLAGS6(s) FLAGS5(s), FLAGS5(s "U")
#define FLAGS7(s) FLAGS6(s), FLAGS6(s "E")
#define FLAGS8(s) FLAGS7(s), FLAGS7(s "C")
static const char flag_texts[256][9] = { FLAGS8("") };

static void fill_tcp(const struct packet *pk, struct record *r)
{
	r->tcp_flags = flag_texts[pk->tcp_flags];
	r->tcp_flag_bits = pk->tcp_flags;
	r->tcp_seq = pk->tcp_seq;
	r->tcp_ack = pk->tcp_ack;
	r->tcp_window = pk->tcp_window;
	r->tcp_urgent = pk->tcp_urgent;
	r->tcp_options = (struct str){ (const char *)pk->tcp_options, pk->tcp_options_cap };
	r->tcp_options_len = pk->tcp_options_len;
	record_mark(r, FIELD_TCP_FLAGS);
	record_mark(r, FIELD_TCP_SEQ);
	record_mark(r, FIELD_TCP_ACK);
	record_mark(r, FIELD_TCP_WINDOW);
}

static void fill_fragment(const struct packet *pk, struct record *r)
{
	r->frag_more = pk->frag_more;
	r->frag_first = pk->frag_first;
	r->frag_offset = pk->frag_offset;
	record_mark(r, FIELD_FRAG_MORE);
	record_mark(r, FIELD_FRAG_FIRST);
	record_mark(r, FIELD_FRAG_OFFSET);
}

/* Around ARP the outermost header may be the only one. */
static void fill_outer(const struct packet *pk, struct record *r)
{
	const struct ip_layer *outer = pk->has_outer ? &pk->outer : &pk->ip;

	r->outer_src = outer->src;
	r->outer_dst = outer->dst;
	record_mark(r, FIELD_OUTER_SRC_IP);
	record_mark(r, FIELD_OUTER_DST_IP);
	if (!outer->has_ports)
		return;
	r->outer_sport = outer->sport;
	r->outer_dport = outer->dport;
	record_mark(r, FIELD_OUTER_SRC_PORT);
	record_mark(r, FIELD_OUTER_DST_PORT);
}

/* Of TCP, UDP, SCTP, UDP-Lite: cut before it said where it ends. */
static bool is_header_cut(const struct packet *pk)
{
	uint8_t p = pk->ip.proto;

	return !pk->payload && pk->l4_cap < pk->l4_len && (p == 6 || p == 17 || p == 132 || p == 136);
}

/* Who speaks to whom, as any dataset has it. */
static void fill_ends(const struct packet *pk, struct record *r)
{
	r->src = pk->ip.src;
	r->transport = ipproto_name(pk->ip.proto);
	record_mark(r, FIELD_SRC_IP);
	record_mark(r, FIELD_TRANSPORT);
	if (pk->ip.dst.family) {
		r->dst = pk->ip.dst;
		record_mark(r, FIELD_DST_IP);
	}
	/* A packet's ports are the ones in it; a fragment's others know them from the first. */
	if (pk->ip.has_ports && !(pk->ip.inherited && r->set == &packet_dataset)) {
		r->sport = pk->ip.sport;
		r->dport = pk->ip.dport;
		record_mark(r, FIELD_SRC_PORT);
		record_mark(r, FIELD_DST_PORT);
	}
	if (pk->hop_by_hop && field_belongs(FIELD_IP_HOP_BY_HOP, r->set)) {
		r->ip_hop_by_hop = true;
		record_mark(r, FIELD_IP_HOP_BY_HOP);
	}
}

/* The headers from IP on, as only packets and drops have them. */
static void fill_headers(const struct packet *pk, struct record *r)
{
	r->iana_number = pk->ip.proto;
	r->ip_ttl = pk->ttl;
	r->ip_tos = pk->tos;
	r->ip_len = pk->ip_len;
	record_mark(r, FIELD_IANA);
	record_mark(r, FIELD_IP_TTL);
	record_mark(r, FIELD_IP_TOS);
	record_mark(r, FIELD_IP_LEN);
	if (pk->ip.version == 4) {
		r->ip_id = pk->ip_id;
		r->ip_df = pk->df;
		record_mark(r, FIELD_IP_ID);
		record_mark(r, FIELD_IP_DF);
	}
	if (pk->is_fragment)
		fill_fragment(pk, r);
	if (pk->ip.has_ah) {
		r->ah_spi = pk->ah_spi;
		r->ah_seq = pk->ah_seq;
		record_mark(r, FIELD_AH_SPI);
	}
	if (pk->has_outer)
		fill_outer(pk, r);
	if (pk->has_tcp)
		fill_tcp(pk, r);
	if (pk->l4 && !is_header_cut(pk)) {
		r->payload_len = r->rest_len;
		record_mark(r, FIELD_PAYLOAD_LEN);
	}
}

static void fill_macs(const uint8_t *smac, const uint8_t *dmac, struct record *r)
{
	if (smac) {
		memcpy(r->smac, smac, 6);
		record_mark(r, FIELD_SRC_MAC);
	}
	if (dmac) {
		memcpy(r->dmac, dmac, 6);
		record_mark(r, FIELD_DST_MAC);
	}
}

void packet_macs(const struct packet *pk, struct record *r)
{
	fill_macs(pk->inner_smac, pk->inner_dmac, r);
}

static void fill_frame(const struct packet *pk, struct record *r)
{
	const struct frame *f = pk->frame;

	r->frame = f;
	r->time_ns = f->time_ns;
	r->frame_number = f->number;
	r->net_off = pk->net_off;
	record_mark(r, FIELD_TIME);
	record_mark(r, FIELD_FRAME_NUMBER);
	if (pk->frame->sampled > 1) {
		r->sampled = pk->frame->sampled;
		record_mark(r, FIELD_SAMPLED);
	}
	if (pk->vlans) {
		r->vlan = (struct list){ pk->vlan, pk->vlans };
		record_mark(r, FIELD_VLAN);
	}
	if (pk->labels && field_belongs(FIELD_MPLS, r->set)) {
		r->mpls = (struct list){ pk->label, pk->labels };
		record_mark(r, FIELD_MPLS);
	}
	if (pk->tunnels && (pk->has_outer || (pk->is_arp && !(r->set->sections & SECTION_PACKET)))) {
		r->tunnel = (struct list){ pk->tunnel, pk->tunnels };
		record_mark(r, FIELD_TUNNEL);
	}
	if (f->iface && f->iface->name[0]) {
		r->interface = (struct str){ f->iface->name,
					     (uint32_t)strnlen(f->iface->name, sizeof(f->iface->name)) };
		record_mark(r, FIELD_INTERFACE);
	}
	if (f->ifindex) {
		r->ifindex = f->ifindex;
		record_mark(r, FIELD_IFINDEX);
	}
	if (f->direction != DIR_UNKNOWN) {
		r->direction = f->direction == DIR_EGRESS ? "egress" : "ingress";
		record_mark(r, FIELD_DIRECTION);
	}
}

static void fill_ppp(const struct packet *pk, struct record *r)
{
	if (pk->has_pppoe) {
		r->pppoe_session = pk->pppoe_session;
		record_mark(r, FIELD_PPPOE_SESSION);
	}
	if (!pk->ppp.proto)
		return;
	r->ppp_proto = pk->ppp.proto;
	r->ppp_len = pk->ppp.len;
	r->ppp_name = ppp_name(pk->ppp.proto);
	record_mark(r, FIELD_PPP_PROTOCOL);
	if (r->ppp_name)
		record_mark(r, FIELD_PPP_NAME);
	if (!pk->ppp.has_code)
		return;
	r->ppp_code = pk->ppp.code;
	r->ppp_id = pk->ppp.id;
	record_mark(r, FIELD_PPP_CODE);
	record_mark(r, FIELD_PPP_ID);
}

/* What is left when the IP header is told: of a frame that is not IP, its link header. */
static void fill_link(const struct packet *pk, struct record *r)
{
	const struct frame *f = pk->frame;

	fill_macs(pk->smac, pk->dmac, r);
	r->frame_len = f->len;
	r->frame_cap_len = f->cap_len;
	record_mark(r, FIELD_FRAME_LEN);
	record_mark(r, FIELD_FRAME_CAP_LEN);
	if (f->segments > 1) {
		r->frame_segments = f->segments;
		record_mark(r, FIELD_FRAME_SEGMENTS);
	}
	if (pk->ethertype) {
		r->ethertype = pk->ethertype;
		record_mark(r, FIELD_ETHERTYPE);
	}
	fill_ppp(pk, r);
}

void packet_record(const struct packet *pk, struct record *r, const struct dataset *set)
{
	bool is_packet = set->sections & SECTION_PACKET;
	bool has_ip = pk->ip.src.family && (is_packet || !pk->is_arp);

	record_start(r, set);
	fill_frame(pk, r);
	r->tunnels_before = pk->tunnels_before;
	r->mpls_before = pk->labels_before;
	r->rest_len = !has_ip ? pk->l3_len : pk->payload ? pk->payload_len : pk->l4_len;
	if (pk->malformed) {
		r->malformed = pk->malformed;
		record_mark(r, FIELD_MALFORMED);
	}
	if (has_ip)
		fill_ends(pk, r);
	if (!is_packet)
		return;
	if (pk->ip.version || pk->is_arp) {
		r->net_type = pk->ip.version == 4 ? "ipv4" : pk->ip.version ? "ipv6" : "arp";
		record_mark(r, FIELD_NET_TYPE);
	}
	fill_link(pk, r);
	if (has_ip)
		fill_headers(pk, r);
}
