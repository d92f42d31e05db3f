/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_WALK_H
#define NETPROBE_DECODE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"
#include "util/bytes.h"

/*
 * The header walk, private to packet.c, link.c, ip.c, tunnel.c and fragment.c.
 *
 * A layer looks at what is left, consumes its header, and names the layer that
 * follows.  Every layer that does not end the walk consumes bytes or is followed
 * by one that does, and no more than WALK_LAYERS_MAX of them are visited.
 */
enum { WALK_LAYERS_MAX = 32 };

enum layer {
	LAYER_END,
	LAYER_LINK,		/* type: LINKTYPE_ */
	LAYER_ETHERNET,
	LAYER_ETHERTYPE,	/* type: EtherType */
	LAYER_LLC,
	LAYER_PPP,
	LAYER_PPP_OTHER,	/* type: PPP's protocol */
	LAYER_MPLS,
	LAYER_IP,		/* by the version nibble */
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_TRANSPORT,	/* type: IP protocol */
	LAYER_GRE,
	LAYER_UDP_TUNNEL,	/* inside pk->payload */
	LAYER_NSH,
	LAYERS
};

/* What a packet said of itself before its UDP payload was taken for a tunnel. */
struct udp_guess {
	bool is_open;			/* no sound header was met since */
	const char *malformed;
	const uint8_t *smac, *dmac, *inner_smac, *inner_dmac;
	uint32_t l3_len;
	uint16_t ethertype;
	uint8_t  tunnels, labels;
};

struct walk {
	struct packet *pk;
	struct packet_state *st;
	const uint8_t *p;		/* what has not been walked yet */
	uint32_t cap, len;		/* bytes of it captured; on the wire.  cap <= len */
	enum layer next;
	uint32_t type;			/* what the next layer needs to know */
	uint8_t  ips;			/* IP headers so far */
	bool     wrapped;		/* an encapsulation was named since the last IP header */
	bool     stop_at_transport;	/* a first fragment: what is inside is not whole */
	struct fragment *fragment;	/* wants to know the ports */
	struct udp_guess guess;
};

typedef void layer_fn(struct walk *w);

layer_fn link_any, link_ethernet, link_ethertype, link_llc, link_ppp;
/* PPP that carries nothing to be walked; type: its protocol. */
layer_fn link_ppp_other;
layer_fn ip_any, ip_v4, ip_v6, ip_transport;
layer_fn tunnel_gre, tunnel_mpls, tunnel_udp, tunnel_nsh;
/* For ip_transport: L2TPv3 over IP (RFC 3931, 4.1), EtherIP (RFC 3378). */
layer_fn tunnel_l2tp_ip, tunnel_etherip;
/* For link.c: 802.11, from its frame control on; and headers put before it. */
layer_fn wifi_frame, wifi_radiotap, wifi_prism, wifi_avs;
/* May the payload of this UDP packet be a tunnel?  By port. */
bool tunnel_wants_udp(uint16_t sport, uint16_t dport);
/* The walk ended: a guess that led to nothing sound is taken back. */
void tunnel_settle(struct walk *w);

static inline void walk_stop(struct walk *w, const char *why)
{
	if (why && !w->pk->malformed)
		w->pk->malformed = why;
	w->next = LAYER_END;
}

/* The next n bytes are there; else the walk ends. */
static inline bool walk_has(struct walk *w, uint32_t n)
{
	if (w->cap >= n)
		return true;
	walk_stop(w, w->len >= n ? "truncated" : "too-short");
	return false;
}

/* Step over n bytes that walk_has() or a comparison with cap vouched for. */
static inline void walk_skip(struct walk *w, uint32_t n)
{
	w->p += n;
	w->cap -= n;
	w->len -= n;
}

/* The next n bytes, stepped over; NULL when the walk ended for want of them. */
static inline const uint8_t *walk_take(struct walk *w, uint32_t n)
{
	const uint8_t *p = w->p;

	if (!walk_has(w, n))
		return NULL;
	walk_skip(w, n);
	return p;
}

/* What follows is `len` bytes on the wire, as the header just read says. */
static inline void walk_bound(struct walk *w, uint32_t len)
{
	w->len = len;
	if (w->cap > len)
		w->cap = len;
}

static inline void walk_goto(struct walk *w, enum layer next, uint32_t type)
{
	w->next = next;
	w->type = type;
}

static inline void walk_name(struct walk *w, const char *tunnel)
{
	w->wrapped = true;
	if (w->pk->tunnels < PACKET_TUNNELS_MAX)
		w->pk->tunnel[w->pk->tunnels++] = tunnel;
}

#endif
