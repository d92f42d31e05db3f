// SPDX-License-Identifier: GPL-2.0-or-later
#include "account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_parts.h"
#include "numbers/ipproto.h"
#include "util/err.h"
#include "util/hash.h"

enum { TICK_NS = 10000000 };

static int gone(void *ctx, const struct flow *f)
{
	struct account *a = ctx;

	return a->opt.stream && a->fn && account_chooses(a, f) ? account_emit(a, f) : 0;
}

/* Live tables of statistics only need to know who began. */
int account_open_table(struct account *a)
{
	struct flow_table_options o = a->opt.table;

	if (!a->opt.flows && a->opt.by != BY_PORT && !(a->counted && a->opt.by == BY_HOST))
		return 0;
	if (!o.settled) {
		a->opt.table.settled = o.settled = FLOWS_SETTLED;
		a->opt.table.first = o.first = FLOWS_FIRST;
	}
	o.split_reused = a->opt.stream;
	o.seed = a->opt.seed;
	o.gone = gone;
	o.ctx = a;
	return flow_table_open(&a->table, &o);
}

int account_open(struct account **out, const struct account_options *opt)
{
	struct account *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return fail(ENOMEM, "counting");
	a->opt = *opt;
	a->seed = hash_key_from(opt->seed);
	a->row.tunnels = &a->tunnels;
	err = packet_open(&a->walk);
	if (err)
		fail(err, "counting");
	if (!err)
		err = pieces_open(&a->pieces, opt->seed);
	if (!err)
		err = account_open_table(a);
	if (!err && opt->rates_ns)
		err = rates_open(&a->rates, a->table, opt->rates_ns);
	if (!err && !opt->flows)
		err = distinct_open(&a->totals.flows);
	if (!err && !opt->flows)
		err = account_by_open(a);
	if (err) {
		account_close(a);
		return err;
	}
	*out = a;
	return 0;
}

void account_close(struct account *a)
{
	if (!a)
		return;
	packet_close(a->walk);
	pieces_close(a->pieces);
	flow_table_close(a->table);
	rates_close(&a->rates);
	distinct_close(a->totals.flows);
	account_by_close(a);
	account_counted_close(a);
	free(a->ifaces);
	free(a);
}

static bool proto_has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP || proto == PROTO_UDPLITE;
}

/* Segments of a super-packet each had its headers on the wire. */
static uint64_t on_wire(uint64_t bytes, uint32_t payload, uint32_t segments)
{
	return bytes + (segments - 1) * (bytes > payload ? bytes - payload : 0);
}

static uint32_t segments_of(const struct frame *f)
{
	return f->segments > 1 ? f->segments : 1;
}

/* The number of the frame's interface in a flow's key; its name is kept beside. */
static uint16_t interface_of(struct account *a, const struct frame *f)
{
	const struct iface **grown;

	if (!a->opt.per_interface || !f->iface)
		return 0;
	if (f->iface->id >= a->n_ifaces) {
		grown = realloc(a->ifaces, (f->iface->id + 1) * sizeof(const struct iface *));
		if (!grown)
			return 0;
		memset(grown + a->n_ifaces, 0, (f->iface->id + 1 - a->n_ifaces) * sizeof(const struct iface *));
		a->ifaces = grown;
		a->n_ifaces = f->iface->id + 1;
	}
	a->ifaces[f->iface->id] = f->iface;
	return (uint16_t)(f->iface->id + 1);
}

uint8_t account_proto(const struct ip_layer *ip)
{
	return ip->has_ah ? PROTO_AH : ip->proto;
}

/* A jumbo length (RFC 2675) may claim anything; not more than the frame. */
static uint64_t length_of(const struct ip_around *l, const struct frame *f)
{
	enum { LONGEST = 40 + 65535 };

	return l->ip_len <= LONGEST || l->ip_len < f->len ? l->ip_len : f->len;
}

/* The sender first; flow_order() comes later, when the ports are known. */
static void fill_packet(struct account *a, const struct packet *pk, const struct ip_around *l, bool innermost,
			struct flow_packet *p)
{
	struct flow_key *k = &p->key;

	memset(p, 0, sizeof(*p));
	memcpy(k->addr[0], l->ip.src.b, 16);
	memcpy(k->addr[1], l->ip.dst.b, 16);
	k->proto = account_proto(&l->ip);
	k->version = l->ip.version;
	k->tunnel = tunnels_number(&a->tunnels, pk->tunnel, l->tunnels);
	k->iface = interface_of(a, pk->frame);
	if (l->ip.has_ports && proto_has_ports(k->proto)) {
		k->port[0] = l->ip.sport;
		k->port[1] = l->ip.dport;
		k->has_ports = true;
	}
	p->time_ns = pk->frame->time_ns;
	p->is_exact = true;
	p->packets = segments_of(pk->frame);
	p->bytes = on_wire(length_of(l, pk->frame), pk->payload_len, p->packets);
	p->ttl = l->ttl;
	p->tos = l->tos;
	if (!l->tunnels) {
		p->vlans = pk->vlans < FLOW_VLANS_MAX ? pk->vlans : FLOW_VLANS_MAX;
		memcpy(p->vlan, pk->vlan, sizeof(p->vlan));
	}
	if (!innermost || !pk->has_tcp || l->ip.has_ah || (l->is_fragment && !pk->reassembled))
		return;
	p->has_tcp = true;
	p->tcp_flags = pk->tcp_flags;
	p->tcp_window = pk->tcp_window;
	p->tcp_seq = pk->tcp_seq;
	p->tcp_ack = pk->tcp_ack;
	p->payload_len = pk->payload_len;
}

/* A flow whose packets came as fragments without their first. */
static int without_ports(void *ctx, const struct flow *f)
{
	struct account *a = ctx;

	if (a->totals.flows && !f->key.tunnel)
		distinct_add(a->totals.flows, flow_key_hash(&a->seed, &f->key));
	return a->table ? flow_table_merge(a->table, f) : 0;
}

static int take_layer(struct account *a, struct flow_packet *p, const struct ip_around *l)
{
	const struct flow *late = NULL;
	int rc = 0;

	if (!l->ip.dst.family)
		return 0;
	if (l->is_fragment && proto_has_ports(p->key.proto) &&
	    !pieces_take(a->pieces, p, l->frag_id, &late, without_ports, a, &rc))
		return rc;
	flow_order(p);
	if (a->totals.flows && !p->key.tunnel)
		distinct_add(a->totals.flows, flow_key_hash(&a->seed, &p->key));
	if (!a->table)
		return rc;
	if (late && !rc)
		rc = flow_table_merge(a->table, late);
	if (!rc)
		rc = flow_table_take(a->table, p);
	if (!p->key.tunnel && p->key.has_ports) {
		const struct flow *f = flow_table_latest(a->table);

		a->has_outer_port = true;
		a->outer_port = f->key.port[!f->initiator];
	}
	return rc;
}

static struct ip_around innermost_of(const struct packet *pk)
{
	return (struct ip_around){ .ip = pk->ip, .ip_len = pk->ip_len, .frag_id = pk->frag_id, .ttl = pk->ttl,
				   .tos = pk->tos, .tunnels = pk->ip_tunnels, .is_fragment = pk->is_fragment };
}

static int take_flows(struct account *a, const struct packet *pk)
{
	const struct ip_around in = innermost_of(pk);
	struct flow_packet p;
	int rc = 0;

	for (unsigned int i = 0; i < pk->arounds && !rc; i++) {
		fill_packet(a, pk, &pk->around[i], false, &p);
		rc = take_layer(a, &p, &pk->around[i]);
	}
	if (rc || !pk->ip.version)
		return rc;
	fill_packet(a, pk, &in, true, &p);
	return take_layer(a, &p, &in);
}

static enum version_class version_of(const struct ip_layer *ip, const struct packet *pk)
{
	if (ip->version)
		return ip->version == 4 ? VERSION_4 : VERSION_6;
	return pk->is_arp ? VERSION_ARP : VERSION_OTHER;
}

static void take_totals(struct account *a, const struct packet *pk)
{
	const struct frame *f = pk->frame;
	const struct ip_layer *ip = pk->has_outer ? &pk->outer : &pk->ip;
	struct totals *t = &a->totals;
	uint32_t n = segments_of(f);

	if (!t->packets || f->time_ns < t->first_ns)
		t->first_ns = f->time_ns;
	if (f->time_ns > t->last_ns)
		t->last_ns = f->time_ns;
	t->packets += n;
	t->bytes += on_wire(f->len, pk->payload_len, n);
	t->captured += f->cap_len;
	t->undecoded += pk->malformed ? n : 0;
	t->fragments += pk->is_fragment || (pk->arounds && pk->around[0].is_fragment) ? n : 0;
	t->version[version_of(ip, pk)] += n;
	t->size[size_class(f->len / n)] += n;
	if (ip->version)
		t->transport[account_proto(ip)] += n;
	if (pk->has_tcp && !pk->has_outer)
		t->tcp_flags[flag_class(pk->tcp_flags, pk->payload_len)] += n;
}

/* By the frames' time, forwards or back; the same moment is one. */
static int tick(struct account *a, uint64_t stamp_ns)
{
	uint64_t now_ns = steady_at(&a->clock, stamp_ns);

	if (time_apart(now_ns, a->ticked_ns) < TICK_NS)
		return 0;
	a->ticked_ns = now_ns;
	return flow_table_tick(a->table, now_ns);
}

/* No IP header, or none with both addresses. */
static bool belongs_to_none(const struct packet *pk)
{
	return pk->arounds ? !pk->around[0].ip.dst.family : !pk->ip.version || !pk->ip.dst.family;
}

int account_frame(struct account *a, const struct frame *f, record_fn fn, void *ctx)
{
	struct packet pk;
	int rc = 0;

	a->fn = fn;
	a->ctx = ctx;
	if (f->time_ns > a->last_ns)
		a->last_ns = f->time_ns;
	if (a->table)
		rc = tick(a, f->time_ns);
	packet_walk(a->walk, &pk, f);
	a->frames++;
	a->packets += segments_of(f);
	a->in_none += belongs_to_none(&pk) ? segments_of(f) : 0;
	a->has_outer_port = false;
	if (!a->opt.flows)
		take_totals(a, &pk);
	if (!rc)
		rc = take_flows(a, &pk);
	if (a->tally)
		account_tally(a, &pk, segments_of(f), on_wire(f->len, pk.payload_len, segments_of(f)));
	else if (!a->opt.flows && (pk.vlans || pk.tunnels || pk.malformed))
		account_rare(a, &pk, segments_of(f), on_wire(f->len, pk.payload_len, segments_of(f)));
	return rc;
}

int account_tick(struct account *a, uint64_t now_ns, record_fn fn, void *ctx)
{
	a->fn = fn;
	a->ctx = ctx;
	account_decode_tick(a, now_ns);
	if (a->counted)
		return account_counted_tick(a, now_ns);
	return a->table ? flow_table_tick(a->table, steady_at(&a->clock, now_ns)) : 0;
}

int account_finish(struct account *a, record_fn fn, void *ctx)
{
	a->fn = fn;
	a->ctx = ctx;
	account_decode_finish(a);
	return pieces_finish(a->pieces, without_ports, a);
}

int account_idle(struct account *a, record_fn fn, void *ctx)
{
	a->fn = fn;
	a->ctx = ctx;
	return a->table ? flow_table_end_closed(a->table) : 0;
}

void account_coverage(const struct account *a, struct account_coverage *c)
{
	struct flow_counts n = { 0 };

	memset(c, 0, sizeof(*c));
	if (a->counted) {
		account_counted_coverage(a, c);
		return;
	}
	if (!a->table)
		return;
	flow_table_counts(a->table, &n);
	c->packets = a->packets;
	c->in_none = a->in_none;
	c->flows = n.outer;
	c->inner_flows = n.flows - n.outer;
	c->counted = n.packets;
	c->flows_max = a->opt.table.settled + a->opt.table.first;
	c->bytes_max = flow_table_bytes(a->table);
	if (a->opt.stream)
		return;
	c->missed_flows = n.left;
	c->missed_packets = n.left_packets;
}

uint64_t account_missed(const struct account *a)
{
	struct flow_counts n;

	if (!a->opt.flows)
		return a->tally ? a->tally->evicted : 0;
	if (a->opt.stream)
		return 0;
	if (a->counted)
		return account_counted_evicted(a);
	flow_table_counts(a->table, &n);
	return n.evicted;
}

unsigned int account_coverage_text(const struct account *a, char *out, unsigned int size)
{
	struct account_coverage c;
	uint64_t share = 1000;
	int n;

	account_coverage(a, &c);
	/* Not rounded up: what is not all is not 100 %. */
	if (c.counted)
		share = (c.counted - c.missed_packets) * 1000 / c.counted;
	n = snprintf(out, size, "coverage %llu.%llu %%, %llu flows missed; at most %u flows (%llu MiB)",
		     (unsigned long long)share / 10, (unsigned long long)share % 10, (unsigned long long)c.missed_flows,
		     c.flows_max, (unsigned long long)(c.bytes_max >> 20) + 1);
	return n < 0 ? 0 : (unsigned int)n;
}

unsigned int account_sum_text(const struct account *a, char *out, unsigned int size)
{
	struct account_coverage c;
	char inner[64] = "";
	int n;

	account_coverage(a, &c);
	if (c.inner_flows)
		snprintf(inner, sizeof(inner), " (and %llu inside tunnels)", (unsigned long long)c.inner_flows);
	n = snprintf(out, size, "%llu packet%s: %llu in %llu flow%s%s, %llu in none", (unsigned long long)c.packets,
		     c.packets == 1 ? "" : "s", (unsigned long long)(c.packets - c.in_none),
		     (unsigned long long)c.flows, c.flows == 1 ? "" : "s", inner, (unsigned long long)c.in_none);
	return n < 0 ? 0 : (unsigned int)n;
}
