// SPDX-License-Identifier: GPL-2.0-or-later
/* What a row of statistics stands for: from a packet, and into its record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_parts.h"
#include "numbers/ipproto.h"
#include "stats/fields.h"
#include "util/err.h"

enum { VLANS_KEPT = 1024, TUNNELS_KEPT = 256 };	/* of the row for everything */

_Static_assert((int)TALLY_LIST_MAX == (int)PACKET_VLANS_MAX && (int)TALLY_LIST_MAX == (int)PACKET_TUNNELS_MAX,
	       "a key has room for a packet's lists");

static const char other[] = "other";

/* A word beyond the table is "other", the last; there are not so many. */
static uint8_t word_number(struct words *w, const char *word)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (w->v[i] == word || !strcmp(w->v[i], word))
			return (uint8_t)(i + 1);
	if (w->n < UINT8_MAX) {
		w->v[w->n] = w->n < UINT8_MAX - 1 ? word : other;
		w->n++;
	}
	return w->n;
}

/* ── by the decoded protocol ────────────────────────────────────────────────── */
static struct tally_key protocol_key(struct account *a, const char *protocol, uint8_t transport)
{
	struct tally_key k = { .proto = transport };

	if (protocol) {
		k.n = 1;
		k.host.b[0] = word_number(&a->words, protocol);
	}
	return k;
}

/* What waits at a place goes where it belongs; NULL: to its transport. */
static void move(struct account *a, struct unnamed *u, const char *protocol)
{
	const struct tally_key k = protocol_key(a, protocol, PROTO_TCP);

	tally_add(a->tally, &k, u->packets, u->bytes, u->first_ns, u->last_ns);
	*u = (struct unnamed){ 0 };
}

static void recognised(void *ctx, const struct decode_whose *w)
{
	struct account *a = ctx;
	struct unnamed *u = &a->unnamed[w->place];

	if (u->serial == w->serial && w->serial)
		move(a, u, w->protocol);
}

static void wait(struct account *a, const struct decode_whose *w, uint64_t packets, uint64_t bytes, uint64_t now_ns)
{
	struct unnamed *u = &a->unnamed[w->place];

	if (u->serial && u->serial != w->serial)	/* it is over, and nobody knew it */
		move(a, u, NULL);
	if (!u->serial)
		*u = (struct unnamed){ .serial = w->serial, .first_ns = now_ns };
	u->packets += packets;
	u->bytes += bytes;
	if (now_ns < u->first_ns)
		u->first_ns = now_ns;
	if (now_ns > u->last_ns)
		u->last_ns = now_ns;
}

/*
 * Datagrams that say nothing by themselves, as those of QUIC after its handshake, are of what the same ends spoke
 * before.
 */
static const char *spoken_before(struct account *a, const struct packet *pk, const char *protocol)
{
	struct flow_packet p = { .key = { .proto = PROTO_UDP, .version = pk->ip.version, .has_ports = true } };
	struct udp_named *u;
	uint64_t ends;

	if (pk->ip.proto != PROTO_UDP || !pk->ip.has_ports)
		return protocol;
	memcpy(p.key.addr[0], pk->ip.src.b, 16);
	memcpy(p.key.addr[1], pk->ip.dst.b, 16);
	p.key.port[0] = pk->ip.sport;
	p.key.port[1] = pk->ip.dport;
	flow_order(&p);
	ends = flow_key_hash(&a->seed, &p.key);
	u = &a->udp_named[ends & (UDP_NAMED - 1)];
	if (!protocol)
		return u->ends == ends ? u->protocol : NULL;
	*u = (struct udp_named){ ends, protocol };
	return protocol;
}

static int tell_nobody(void *ctx, const struct record *r)
{
	return 0;
}

static void take_protocol(struct account *a, const struct packet *pk, uint64_t packets, uint64_t bytes)
{
	const struct decode_whose *w;
	struct tally_key k;

	decode_frame(a->decode, pk->frame, tell_nobody, NULL);
	w = decode_whose(a->decode);
	if (w->serial && !w->protocol) {
		wait(a, w, packets, bytes, pk->frame->time_ns);
		return;
	}
	k = protocol_key(a, spoken_before(a, pk, w->protocol), pk->is_arp ? 0 : pk->ip.proto);
	if (pk->is_arp || !pk->ip.version) {
		k.by_name = true;
		k.name = pk->is_arp ? version_names[VERSION_ARP] : other;
	}
	tally_take(a->tally, &k, packets, bytes, pk->frame->time_ns);
}

void account_decode_tick(struct account *a, uint64_t now_ns)
{
	if (a->decode)
		decode_tick(a->decode, now_ns, tell_nobody, NULL);
}

void account_decode_finish(struct account *a)
{
	if (a->decode)
		decode_finish(a->decode, tell_nobody, NULL);
}

void account_settle(struct account *a)
{
	for (uint32_t i = 0; a->unnamed && i < DECODE_CONNECTIONS; i++)
		if (a->unnamed[i].serial)
			move(a, &a->unnamed[i], NULL);
}

bool account_decoded(const struct account *a, struct decode_counts *c)
{
	struct decode_counts all;

	if (!a->decode)
		return false;
	decode_counts(a->decode, &all);
	*c = (struct decode_counts){ .stream_evicted = all.stream_evicted, .stream_half_open = all.stream_half_open,
				     .stream_memory = all.stream_memory };
	return true;
}

/* ── by what its headers say ────────────────────────────────────────────────── */
static void vlan_key(struct tally_key *k, const struct packet *pk)
{
	k->n = pk->vlans;
	memcpy(k->host.b, pk->vlan, pk->vlans * sizeof(pk->vlan[0]));
}

/* As network.tunnel has them: what stands before the only IP header is none. */
static void tunnel_key(struct account *a, struct tally_key *k, const struct packet *pk)
{
	if (!pk->has_outer && !pk->is_arp)
		return;
	k->n = pk->tunnels;
	for (unsigned int i = 0; i < pk->tunnels; i++)
		k->host.b[i] = word_number(&a->words, pk->tunnel[i]);
}

static void transport_key(struct tally_key *k, const struct ip_layer *ip, const struct packet *pk)
{
	k->proto = account_proto(ip);
	if (ip->version)
		return;
	k->proto = 0;
	k->by_name = true;
	k->name = pk->is_arp ? version_names[VERSION_ARP] : other;
}

/* Both ends, and once when they are one. */
static void take_hosts(struct account *a, const struct ip_layer *ip, uint64_t packets, uint64_t bytes, uint64_t now_ns)
{
	struct tally_key k = { .host = ip->src };

	if (!ip->version || !ip->dst.family)
		return;
	tally_take(a->tally, &k, packets, bytes, now_ns);
	if (!memcmp(&ip->src, &ip->dst, sizeof(ip->src)))
		return;
	k.host = ip->dst;
	tally_take(a->tally, &k, packets, bytes, now_ns);
}

/* False: the packet is of no row. */
static bool key_of(struct account *a, const struct packet *pk, uint64_t packets, struct tally_key *k)
{
	const struct ip_layer *ip = pk->has_outer ? &pk->outer : &pk->ip;
	const struct frame *f = pk->frame;

	switch (a->opt.by) {
	case BY_IFACE:
		k->name = f->iface;
		k->direction = f->direction;
		return true;
	case BY_TRANSPORT:
		transport_key(k, ip, pk);
		return true;
	case BY_PORT:
		k->proto = ip->proto;
		k->port = a->outer_port;
		return a->has_outer_port;
	case BY_SIZE:
		k->class = (uint8_t)size_class(f->len / (uint32_t)packets);
		return true;
	case BY_FLAGS:
		k->class = FLAG_CLASSES;
		if (pk->has_tcp && !pk->has_outer)
			k->class = (uint8_t)flag_class(pk->tcp_flags, pk->payload_len);
		return true;
	case BY_VLAN:
		vlan_key(k, pk);
		return true;
	case BY_TUNNEL:
		tunnel_key(a, k, pk);
		return true;
	default:
		return false;
	}
}

void account_tally(struct account *a, const struct packet *pk, uint64_t packets, uint64_t bytes)
{
	struct tally_key k = { 0 };

	if (a->opt.by == BY_PROTO)
		take_protocol(a, pk, packets, bytes);
	else if (a->opt.by == BY_HOST)
		take_hosts(a, pk->has_outer ? &pk->outer : &pk->ip, packets, bytes, pk->frame->time_ns);
	else if (key_of(a, pk, packets, &k))
		tally_take(a->tally, &k, packets, bytes, pk->frame->time_ns);
}

/* ── into records ───────────────────────────────────────────────────────────── */
static void put_transport(struct record *r, const struct tally_key *k)
{
	r->transport = k->by_name ? k->name : ipproto_name(k->proto);
	record_mark(r, FIELD_TRANSPORT);
}

static void put_class(struct record *r, const char **member, unsigned int field, const char *word)
{
	*member = word;
	record_mark(r, field);
}

static void put_iface(struct record *r, const struct tally_key *k)
{
	account_put_interface(r, k->name);
	if (!k->direction)
		return;
	r->direction = k->direction == DIR_EGRESS ? "egress" : "ingress";
	record_mark(r, FIELD_DIRECTION);
}

static const char *word_of(const struct account *a, const struct tally_key *k, unsigned int i)
{
	return a->words.v[k->host.b[i] - 1];
}

/* Lists that are empty are not there: those packets have no tags, are in no tunnel. */
static void put_lists(struct account *a, const struct tally_key *k, struct record *r)
{
	if (!k->n)
		return;
	if (a->opt.by == BY_VLAN) {
		memcpy(a->vlan, k->host.b, sizeof(a->vlan));
		r->vlan = (struct list){ a->vlan, k->n };
		record_mark(r, FIELD_VLAN);
		return;
	}
	for (unsigned int i = 0; i < k->n; i++)
		a->tunnel[i] = word_of(a, k, i);
	r->tunnel = (struct list){ a->tunnel, k->n };
	record_mark(r, FIELD_TUNNEL);
}

void account_by_record(struct account *a, const struct tally_key *k, struct record *r)
{
	struct stats_body *s = stats_of(r);

	switch (a->opt.by) {
	case BY_IFACE:
		put_iface(r, k);
		break;
	case BY_PROTO:
		if (k->n)
			put_class(r, &r->protocol, FIELD_PROTOCOL, word_of(a, k, 0));
		put_transport(r, k);
		break;
	case BY_TRANSPORT:
		put_transport(r, k);
		break;
	case BY_HOST:
		s->host = k->host;
		record_mark(r, FIELD_STATS_HOST);
		break;
	case BY_PORT:
		s->port = k->port;
		record_mark(r, FIELD_STATS_PORT);
		put_transport(r, k);
		break;
	case BY_SIZE:
		put_class(r, &s->size, FIELD_STATS_SIZE_CLASS, size_names[k->class]);
		break;
	case BY_FLAGS:
		put_class(r, &s->tcp_flags, FIELD_STATS_FLAGS_CLASS,
			  k->class < FLAG_CLASSES ? flag_names[k->class] : "none");
		break;
	default:
		put_lists(a, k, r);
	}
}

/* ── of the row for everything ──────────────────────────────────────────────── */
/* Few words there are; the last place is for all beyond. */
static void take_malformed(struct rare *rare, const char *word, uint64_t packets)
{
	struct named_count *m = rare->malformed;
	uint32_t i = 0;

	while (i < rare->n_malformed && strcmp(m[i].name, word))
		i++;
	if (i >= MALFORMED_MAX - 1) {
		i = MALFORMED_MAX - 1;
		word = other;
	}
	if (i >= rare->n_malformed)
		m[rare->n_malformed++] = (struct named_count){ word, 0 };
	m[i].n += packets;
}

void account_rare(struct account *a, const struct packet *pk, uint64_t packets, uint64_t bytes)
{
	struct tally_key vlan = { 0 }, tunnel = { 0 };

	vlan_key(&vlan, pk);
	tunnel_key(a, &tunnel, pk);
	if (vlan.n)
		tally_take(a->rare.vlans, &vlan, packets, bytes, pk->frame->time_ns);
	if (tunnel.n)
		tally_take(a->rare.tunnels, &tunnel, packets, bytes, pk->frame->time_ns);
	if (pk->malformed)
		take_malformed(&a->rare, pk->malformed, packets);
}

/* Rows on their way into a list; `counted` packets so far. */
struct listing {
	struct account *a;
	bool tunnels;
	uint32_t n;
	uint64_t counted;
};

static int list_row(void *ctx, struct tally_row *t, uint64_t ns)
{
	struct listing *l = ctx;
	char *text = l->a->rare.text[l->tunnels][l->n];
	const size_t size = sizeof(l->a->rare.text[0][0]);
	uint16_t vlan[TALLY_LIST_MAX];
	size_t len = 0;

	memcpy(vlan, t->key.host.b, sizeof(vlan));
	for (unsigned int i = 0; i < t->key.n && len < size; i++)
		len += (size_t)(l->tunnels ? snprintf(text + len, size - len, "%s%s", i ? "," : "",
						      word_of(l->a, &t->key, i)) :
					     snprintf(text + len, size - len, "%s%u", i ? "," : "", vlan[i]));
	l->a->rare.list[l->tunnels][l->n++] = (struct named_count){ text, t->packets };
	l->counted += t->packets;
	return 0;
}

/* Those with most bytes, and the sum of all others. */
static struct list list_of(struct account *a, struct tally *t, bool tunnels)
{
	struct listing l = { .a = a, .tunnels = tunnels };

	tally_each(t, LISTED_MAX, list_row, &l, a->last_ns);
	if (t->packets > l.counted)
		a->rare.list[tunnels][l.n++] = (struct named_count){ other, t->packets - l.counted };
	return (struct list){ a->rare.list[tunnels], l.n };
}

void account_rare_record(struct account *a, struct record *r)
{
	struct stats_body *s = stats_of(r);

	s->by_vlan = list_of(a, a->rare.vlans, false);
	s->by_tunnel = list_of(a, a->rare.tunnels, true);
	s->by_malformed = (struct list){ a->rare.malformed, a->rare.n_malformed };
	if (s->by_vlan.n)
		record_mark(r, FIELD_STATS_VLANS);
	if (s->by_tunnel.n)
		record_mark(r, FIELD_STATS_TUNNELS);
	if (s->by_malformed.n)
		record_mark(r, FIELD_STATS_MALFORMED);
}

/* ── from open to close ─────────────────────────────────────────────────────── */
static int open_protocols(struct account *a)
{
	struct decode_options d = { .mode = DECODE_MESSAGES, .seed = a->opt.seed, .no_pairing = true,
				    .recognised = recognised, .recognised_ctx = a };

	a->unnamed = calloc(DECODE_CONNECTIONS, sizeof(*a->unnamed));
	a->udp_named = calloc(UDP_NAMED, sizeof(*a->udp_named));
	return a->unnamed && a->udp_named ? decode_open(&a->decode, &d) : fail(ENOMEM, "stats");
}

int account_by_open(struct account *a)
{
	int err;

	if (a->opt.by) {
		err = tally_open(&a->tally, TALLY_MAX, a->opt.seed);
		return err || a->opt.by != BY_PROTO ? err : open_protocols(a);
	}
	err = tally_open(&a->rare.vlans, VLANS_KEPT, a->opt.seed);
	return err ? err : tally_open(&a->rare.tunnels, TUNNELS_KEPT, a->opt.seed);
}

void account_by_close(struct account *a)
{
	tally_close(a->tally);
	tally_close(a->rare.vlans);
	tally_close(a->rare.tunnels);
	decode_close(a->decode);
	free(a->unnamed);
	free(a->udp_named);
}
