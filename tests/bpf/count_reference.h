/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_COUNT_REFERENCE_H
#define NETPROBE_TESTS_COUNT_REFERENCE_H

#include "count_rig.h"
#include "flows/pieces.h"
#include "flows/table.h"
#include "tuple_frames.h"
#include "tuple_read.h"

/*
 * What the programs of bpf/count.bpf.c should count: the headers as src/tuple_read.c reads them, put into the table of
 * src/flows, and the comparison.
 */
enum { LAYERS = 3, IFACES = 2 };

/* A frame as a hook gets it. */
struct given {
	const struct made_frame *f;
	uint32_t segments;		/* of a super-packet; otherwise 1 */
	uint32_t absent;		/* bytes of a tag that the hook does not have */
	uint32_t iface;			/* its number */
	enum np_count_dir dir;
	bool l3, per_interface;
};

/* ── the reference ────────────────────────────────────────────────────────── */

struct reference {
	struct flow_table *table;
	struct pieces *pieces;
	struct np_counts counts[IFACES][NP_COUNT_DIRS];
	struct np_transports transports;
	uint64_t left_flows, now;
	struct flow *sorted;		/* for the comparison, by key */
	size_t n;
};

static int gone(void *ctx, const struct flow *f)
{
	((struct reference *)ctx)->left_flows++;
	return 0;
}

static void reference_open(struct reference *r)
{
	const struct flow_table_options o = { .settled = 100000, .first = 100000, .seed = 1, .split_reused = true,
					      .gone = gone, .ctx = r };

	memset(r, 0, sizeof(*r));
	assert_int_equal(flow_table_open(&r->table, &o), 0);
	assert_int_equal(pieces_open(&r->pieces, 1), 0);
	r->now = 1000000000;
}

static void reference_close(struct reference *r)
{
	flow_table_close(r->table);
	pieces_close(r->pieces);
	free(r->sorted);
}

/* The innermost payload: what a segment of a super-packet has before it are headers. */
static uint32_t payload_of(const struct given *g, const struct np_tuple *outer)
{
	struct np_tuple t = *outer;

	for (unsigned int i = 1; i < LAYERS && g->segments > 1; i++)
		if (!tuple_read_inner(&t, g->f->p, g->f->n, g->f->n))
			break;
	return t.payload_len;
}

static uint64_t on_wire(const struct given *g, uint32_t payload, uint64_t bytes)
{
	return bytes + (g->segments - 1) * (bytes > payload ? bytes - payload : 0);
}

/* How a frame is tallied: so many packets, and bytes of theirs. */
struct weight {
	uint32_t packets, payload;
	uint64_t bytes;
};

static void tally(struct np_tally *t, const struct weight *w)
{
	t->packets += w->packets;
	t->bytes += w->bytes;
}

static unsigned int size_of(uint32_t n)
{
	static const uint32_t most[] = { 64, 127, 255, 511, 1023, 1518, 9018 };
	unsigned int i = 0;

	while (i < 7 && n > most[i])
		i++;
	return i;
}

static unsigned int flags_of(const struct np_tuple *t)
{
	uint32_t f = t->tcp_flags;

	if (f & TCP_RST)
		return NP_FLAGS_RST;
	if (f & TCP_SYN)
		return f & TCP_ACK ? NP_FLAGS_SYN_ACK : NP_FLAGS_SYN;
	if (f & TCP_FIN)
		return NP_FLAGS_FIN;
	return t->payload_len ? NP_FLAGS_DATA : f & TCP_ACK ? NP_FLAGS_ACK : NP_FLAGS_OTHER;
}

static uint32_t proto_of(const struct np_tuple *t)
{
	return t->has_ah ? 51 : t->proto;
}

static void reference_frame(struct reference *r, const struct given *g, const struct np_tuple *t, const struct weight *n)
{
	struct np_counts *c = &r->counts[g->iface][g->dir];

	c->frames++;
	c->frame_bytes += g->f->n - g->absent;
	tally(&c->version[t->family == 4	    ? NP_VERSION_4 :
			  t->family == 6	    ? NP_VERSION_6 :
			  t->ethertype == 0x0806 ? NP_VERSION_ARP :
						   NP_VERSION_OTHER],
	      n);
	tally(&c->size[size_of(g->f->n / g->segments)], n);
	if (t->has_tcp)
		tally(&c->flags[flags_of(t)], n);
	if (t->family && proto_of(t) < 256)
		tally(&r->transports.v[proto_of(t)], n);
	if (t->reading != NP_WHOLE)
		tally(&c->reading[t->reading], n);
	if (t->fragment)
		tally(&c->fragments, n);
	if (t->vlans)
		tally(&c->tagged, n);
	if (t->tunnel)
		tally(&c->tunnelled, n);
}

static void put_address(uint8_t *to, uint64_t high, uint64_t low)
{
	for (unsigned int i = 0; i < 8; i++) {
		to[i] = (uint8_t)(high >> (56 - 8 * i));
		to[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
}

static bool has_ports(uint32_t proto)
{
	return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}

static void reference_packet(struct reference *r, const struct given *g, const struct np_tuple *t, uint8_t tunnel,
			     struct flow_packet *p)
{
	memset(p, 0, sizeof(*p));
	p->key.iface = g->per_interface ? (uint16_t)(g->iface + 1) : 0;
	put_address(p->key.addr[0], t->src[0], t->src[1]);
	put_address(p->key.addr[1], t->dst[0], t->dst[1]);
	p->key.proto = (uint8_t)proto_of(t);
	p->key.version = (uint8_t)t->family;
	p->key.tunnel = tunnel;
	if (has_ports(p->key.proto) && t->sport < NP_NOT_KNOWN) {
		p->key.port[0] = (uint16_t)t->sport;
		p->key.port[1] = (uint16_t)t->dport;
		p->key.has_ports = 1;
	}
	p->time_ns = r->now;
	p->is_exact = 1;
	p->packets = g->segments;
	p->ttl = (uint8_t)t->ttl;
	p->tos = (uint8_t)t->tos;
	if (!tunnel) {
		p->vlans = t->vlans < FLOW_VLANS_MAX ? (uint8_t)t->vlans : FLOW_VLANS_MAX;
		p->vlan[0] = (uint16_t)t->vlan[0];
		p->vlan[1] = (uint16_t)t->vlan[1];
	}
	if (!t->has_tcp || t->has_ah || t->fragment)
		return;
	p->has_tcp = 1;
	p->tcp_flags = (uint8_t)t->tcp_flags;
	p->tcp_window = (uint16_t)t->tcp_window;
	p->tcp_seq = t->tcp_seq;
	p->tcp_ack = t->tcp_ack;
	p->payload_len = t->payload_len;
}

static int without_ports(void *ctx, const struct flow *f)
{
	return flow_table_merge(((struct reference *)ctx)->table, f);
}

static void reference_layer(struct reference *r, const struct given *g, const struct np_tuple *t, uint8_t tunnel,
			    uint32_t payload)
{
	struct np_counts *c = &r->counts[g->iface][g->dir];
	const struct flow *late = NULL;
	struct flow_packet p;
	int rc = 0;

	if (!t->family) {
		c->in_none += tunnel ? 0 : g->segments;
		c->inner_in_none += tunnel ? g->segments : 0;
		return;
	}
	reference_packet(r, g, t, tunnel, &p);
	p.bytes = on_wire(g, payload, t->ip_len);
	if (t->fragment && has_ports(p.key.proto) &&
	    !pieces_take(r->pieces, &p, t->frag_id, &late, without_ports, r, &rc))
		return;
	if (late) {
		for (unsigned int i = 0; i < 2; i++)
			if (late->side[i].packets && late->side[i].ttl_min < p.ttl)
				p.ttl = late->side[i].ttl_min;
		p.packets += (uint32_t)(late->side[0].packets + late->side[1].packets);
		p.bytes += late->side[0].bytes + late->side[1].bytes;
	}
	flow_order(&p);
	assert_int_equal(flow_table_take(r->table, &p), 0);
}

static void reference_take(struct reference *r, const struct given *g)
{
	const uint8_t *p = g->f->p;
	uint32_t n = g->f->n;
	struct np_tuple t;
	struct weight w;
	uint8_t tunnel = 0;

	r->now += 1000;
	if (g->l3)
		tuple_read_l3(&t, p, n, n);
	else
		tuple_read(&t, p, n, n);
	w.packets = g->segments;
	w.payload = payload_of(g, &t);
	w.bytes = on_wire(g, w.payload, n);
	reference_frame(r, g, &t, &w);
	for (unsigned int i = 0; i < LAYERS; i++) {
		uint32_t kind = t.tunnel;

		reference_layer(r, g, &t, tunnel, w.payload);
		if (i + 1 == LAYERS || !tuple_read_inner(&t, p, n, n))
			return;
		tunnel |= (uint8_t)(kind << 4 * i);
	}
}

/* ── the comparison ───────────────────────────────────────────────────────── */

static int by_key(const void *a, const void *b)
{
	return memcmp(&((const struct flow *)a)->key, &((const struct flow *)b)->key, sizeof(struct flow_key));
}

static int note(void *ctx, const struct flow *f)
{
	struct reference *r = ctx;

	r->sorted[r->n++] = *f;
	return 0;
}

static void sort_flows(struct reference *r)
{
	r->sorted = calloc(flow_table_n(r->table, NULL) + 1, sizeof(*r->sorted));
	assert_non_null(r->sorted);
	r->n = 0;
	flow_table_each(r->table, note, r);
	qsort(r->sorted, r->n, sizeof(*r->sorted), by_key);
}

#define SAME(m)                                                                                                   \
	if (a->m != b->m) {                                                                                       \
		print_error("%s: kernel %llu, reference %llu\n", #m, (unsigned long long)a->m,                    \
			    (unsigned long long)b->m);                                                            \
		differ = true;                                                                                    \
	}

static bool sides_differ(const struct flow_side *a, const struct flow_side *b)
{
	bool differ = false;

	SAME(packets)
	SAME(bytes)
	SAME(next_seq)
	SAME(tcp_flags)
	SAME(ttl_min)
	SAME(tos)
	SAME(zero_windows)
	SAME(resets)
	SAME(has_seq)
	SAME(is_closed)
	SAME(is_zero)
	/* Which of the two it was, time tells. */
	if (a->retransmissions + a->out_of_order != b->retransmissions + b->out_of_order) {
		print_error("old segments: kernel %u, reference %u\n", a->retransmissions + a->out_of_order,
			    b->retransmissions + b->out_of_order);
		differ = true;
	}
	return differ;
}

/* Fragments without the one that has their ports are put together late: who began is not known exactly then. */
static bool is_late(const struct flow *f)
{
	return !f->key.has_ports && has_ports(f->key.proto);
}

static bool flows_differ(const struct flow *a, const struct flow *b)
{
	bool differ;

	if (is_late(a))
		return a->side[0].packets != b->side[0].packets || a->side[1].packets != b->side[1].packets ||
		       a->side[0].bytes != b->side[0].bytes || a->side[1].bytes != b->side[1].bytes;
	differ = sides_differ(&a->side[0], &b->side[0]) | sides_differ(&a->side[1], &b->side[1]);

	SAME(state)
	SAME(initiator)
	SAME(vlans)
	SAME(vlan[0])
	SAME(vlan[1])
	return differ;
}

/* What the frames were worth. */
static struct {
	uint64_t flows, both[2], tagged, inner, established;	/* but for flows and inner: in which both ends spoke */
} met;

static void meet(const struct flow *f)
{
	met.flows++;
	met.inner += f->key.tunnel != 0;
	if (!f->side[0].packets || !f->side[1].packets)
		return;
	met.both[f->key.version == 6]++;
	met.tagged += f->vlans != 0;
	met.established += f->state == FLOW_ESTABLISHED;
}

static int compare_flow(void *ctx, const struct flow *f)
{
	const struct reference *r = ctx;
	const struct flow *found = bsearch(f, r->sorted, r->n, sizeof(*f), by_key);

	if (!found || flows_differ(f, found)) {
		print_error("flow of protocol %u, version %u, tunnel %02x, ports %u %u: %s\n", f->key.proto,
			    f->key.version, f->key.tunnel, f->key.port[0], f->key.port[1],
			    found ? "differs" : "is not in the reference");
		fail();
	}
	meet(f);
	return 0;
}

static int merge(void *ctx, const struct flow *f)
{
	return flow_table_merge(ctx, f);
}

static void compare_counts(const struct np_counts *a, const struct np_counts *b)
{
	/* All are counts of packets and bytes from frames on up to inner_in_none. */
	const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;

	for (size_t i = 0; i < offsetof(struct np_counts, flows) / 8; i++)
		if (x[i] != y[i])
			fail_msg("counter %zu: kernel %llu, reference %llu", i, (unsigned long long)x[i],
				 (unsigned long long)y[i]);
}

static void compare(const struct count_view *v, struct reference *r)
{
	struct flow_table_options o = { .settled = 100000, .first = 100000 };
	struct np_transports transports = { 0 };
	struct flow_table *kernel;
	uint64_t left = 0;

	for (uint32_t i = 0; i < IFACES * NP_COUNT_DIRS; i++) {
		struct np_counts sum = { 0 };

		count_sum(v, i / NP_COUNT_DIRS, i % NP_COUNT_DIRS, &sum);
		compare_counts(&sum, &r->counts[i / NP_COUNT_DIRS][i % NP_COUNT_DIRS]);
		left += sum.left_flows;
	}
	count_transports(v, &transports);
	assert_memory_equal(&transports, &r->transports, sizeof(transports));
	assert_int_equal(pieces_finish(r->pieces, without_ports, r), 0);
	sort_flows(r);
	assert_int_equal(flow_table_open(&kernel, &o), 0);
	assert_int_equal(count_each(v, merge, kernel), 0);
	assert_int_equal(count_each_piece(v, merge, kernel), 0);
	assert_int_equal(flow_table_each(kernel, compare_flow, r), 0);
	assert_int_equal(flow_table_n(kernel, NULL), flow_table_n(r->table, NULL));
	flow_table_close(kernel);
	assert_int_equal(left, r->left_flows);
}

#endif
