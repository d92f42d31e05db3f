// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/conv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "numbers/ipproto.h"
#include "util/err.h"
#include "util/hash.h"

enum {
	TCP_ACK = 16,
	FAILURES_MAX = 16,	/* segments of nobody's before a direction is ignored */
	NOBODY = 0,		/* conn->protocol, named; else 1 + the protocol's row */
};
_Static_assert(PROTOCOLS_MAX <= 32, "struct stream_conn: excluded is too small");
_Static_assert((int)DECODE_CONNECTIONS == (int)STREAM_CONNECTIONS, "decode.h knows no streams");

struct conv {
	const struct protocol *const *rows;
	unsigned int n;
	struct streams *streams;
	struct requests *shared;		/* of those without a table of their own */
	struct requests *requests[PROTOCOLS_MAX];	/* NULL: the shared one */
	struct hash_key seed;
	bool wanted[PROTOCOLS_MAX];
	void *ctx[PROTOCOLS_MAX];
	struct decode_as *as;
	uint32_t n_as;
	bool show_secrets;
	uint64_t cut;		/* datagrams cut at the snap length that gave nothing */
	struct decode_whose whose;
	const char *said;	/* by a record of this packet */
	void (*recognised)(void *ctx, const struct decode_whose *w);
	void *recognised_ctx;
};

static void end_conn(void *ctx, struct stream_conn *conn)
{
	struct conv *a = ctx;
	unsigned int i = conn->protocol;

	if (i != NOBODY && conn->state && a->rows[i - 1]->end)
		a->rows[i - 1]->end(a->ctx[i - 1], conn);
	conn->state = NULL;
}

static int open_protocols(struct conv *a, const struct decode_options *opt)
{
	for (unsigned int i = 0; i < a->n; i++) {
		a->wanted[i] = !opt->kinds || protocol_gives(a->rows[i], opt->kinds);
		if (a->rows[i]->open && a->rows[i]->open(&a->ctx[i], opt))
			return -ENOMEM;
		if (a->rows[i]->requests && requests_open(&a->requests[i], opt, a->rows[i]->requests))
			return -ENOMEM;
	}
	return 0;
}

int conv_open(struct conv **out, const struct decode_options *opt)
{
	const struct protocol *const *rows = opt->protocols ? opt->protocols : protocols;
	const char *mistake = protocol_mistake(rows);
	struct conv *a;

	if (mistake) {
		fail(0, "%s", mistake);
		return -EINVAL;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->rows = rows;
	while (a->rows[a->n])
		a->n++;
	a->seed = hash_key_from(opt->seed);
	a->show_secrets = opt->show_secrets;
	a->recognised = opt->recognised;
	a->recognised_ctx = opt->recognised_ctx;
	a->as = calloc(opt->n_decode_as + 1, sizeof(*a->as));
	if (!a->as || stream_open(&a->streams, opt->seed, end_conn, a) ||
	    requests_open(&a->shared, opt, NULL) || open_protocols(a, opt)) {
		conv_close(a);
		return -ENOMEM;
	}
	for (; a->n_as < opt->n_decode_as; a->n_as++)
		a->as[a->n_as] = opt->decode_as[a->n_as];
	*out = a;
	return 0;
}

void conv_close(struct conv *a)
{
	if (!a)
		return;
	stream_close(a->streams);
	requests_close(a->shared);
	for (unsigned int i = 0; i < a->n; i++) {
		requests_close(a->requests[i]);
		if (a->rows[i]->close && a->ctx[i])
			a->rows[i]->close(a->ctx[i]);
	}
	free(a->as);
	free(a);
}

void conv_counts(const struct conv *a, struct decode_counts *c)
{
	struct stream_counts s;

	stream_counts(a->streams, &s);
	c->stream_evicted += s.evicted;
	c->stream_half_open += s.half_open;
	c->stream_memory += s.memory;
	c->stream_gaps += s.gaps;
	c->stream_stray += s.stray;
	c->stream_cut += s.cut;
	c->stream_conflicts += s.conflicts;
	c->datagrams_cut += a->cut;
	c->pending_evicted += requests_evicted(a->shared);
	for (unsigned int i = 0; i < a->n; i++) {
		if (a->requests[i])
			c->pending_evicted += requests_evicted(a->requests[i]);
		if (a->rows[i]->counts)
			a->rows[i]->counts(a->ctx[i], c);
	}
}

void conv_tick(struct conv *a, uint64_t now_ns, struct emit *e)
{
	requests_tick(a->shared, now_ns, e);
	for (unsigned int i = 0; i < a->n; i++)
		if (a->requests[i])
			requests_tick(a->requests[i], now_ns, e);
}

static uint32_t take(void *ctx, const struct stream_data *d);

void conv_finish(struct conv *a, struct emit *e)
{
	struct call c = { .conv = a, .e = e, .show_secrets = a->show_secrets };

	stream_finish(a->streams, take, &c);
	requests_end(a->shared);
	for (unsigned int i = 0; i < a->n; i++)
		if (a->requests[i])
			requests_end(a->requests[i]);
}

/* The call is the i-th row's. */
static const struct protocol *turn_to(struct call *c, unsigned int i)
{
	c->ctx = c->conv->ctx[i];
	c->requests = c->conv->requests[i] ? c->conv->requests[i] : c->conv->shared;
	return c->conv->rows[i];
}

static bool has_port(const uint16_t ports[PROTOCOL_PORTS], const struct packet *pk)
{
	for (unsigned int i = 0; i < PROTOCOL_PORTS && ports[i]; i++)
		if (ports[i] == pk->ip.sport || ports[i] == pk->ip.dport)
			return true;
	return false;
}

/* What the user said of the packet's ports; -1: nothing. */
static int told(const struct conv *a, const struct packet *pk)
{
	for (uint32_t i = 0; i < a->n_as; i++) {
		const struct decode_as *as = &a->as[i];

		if (as->proto != pk->ip.proto || (as->port != pk->ip.sport && as->port != pk->ip.dport))
			continue;
		for (unsigned int k = 0; k < a->n; k++)
			if (a->rows[k] == as->protocol && a->wanted[k])
				return (int)k;
	}
	return -1;
}

/* ── TCP ────────────────────────────────────────────────────────────────── */

static void start_sides(const struct stream_data *d)
{
	struct stream_side *sides[] = { d->side, d->other };

	for (int i = 0; i < 2; i++) {
		sides[i]->want = sides[i]->mark = 0;
		sides[i]->phase = sides[i]->failures = 0;
		sides[i]->ignored = false;
	}
}

/*
 * The decoder whose bytes these are; -1: nobody's; -2: more are needed to say.  Those of
 * the ports are asked first, and waited for: a later one's yes does not outvote their more.
 */
static int recognise(struct call *c, const struct stream_data *d)
{
	struct conv *a = c->conv;
	bool last = d->missing || d->n >= CONV_GUESS_MAX;
	int user = told(a, c->pk), more = -1;

	if (user >= 0 && !(d->conn->excluded >> user & 1))
		return user;
	for (unsigned int turn = 0; turn < 2 * a->n; turn++) {
		unsigned int i = turn < a->n ? turn : turn - a->n;
		bool hinted = has_port(a->rows[i]->tcp_ports, c->pk);
		enum guess guess;

		if (hinted != (turn < a->n) || !a->wanted[i] || !a->rows[i]->guess ||
		    d->conn->excluded >> i & 1)
			continue;
		guess = turn_to(c, i)->guess(c, d, hinted);
		if (guess == GUESS_YES && (more < 0 || last))
			return (int)i;
		if (guess == GUESS_MORE)
			more = (int)i;
	}
	return more >= 0 && !last ? -2 : -1;
}

/* Nobody's.  What came after others were waited for is asked about once more, by itself. */
static uint32_t pass_over(const struct stream_data *d)
{
	uint32_t first = d->side->waited;

	d->side->waited = 0;
	if (first && first < d->n)
		return first;
	if (d->side->failures < FAILURES_MAX && ++d->side->failures == FAILURES_MAX)
		d->side->ignored = true;
	return d->n;
}

/* What was waited with while nobody knew the connection is told apart from what came then. */
static const struct stream_data *first_part(const struct stream_data *d, struct stream_data *part)
{
	*part = *d;
	part->n = d->side->waited;
	part->missing = 0;
	return part;
}

/*
 * The decoder that the connection has by what the other side said does not know the bytes that
 * were waited with here (the answer of a proxy, a greeting): they were nobody's.
 */
static uint32_t pass_waited(const struct stream_data *d)
{
	uint32_t waited = d->side->waited;

	d->side->want = d->side->mark = d->side->waited = 0;
	d->side->phase = 0;
	return waited;
}

/* The i-th row's decoder took bytes of the connection, or found that they are not its own. */
static void name(const struct conv *a, struct stream_conn *conn, int i, bool wrong)
{
	struct decode_whose w = { a->rows[i]->name, conn->serial, stream_place(conn) };

	if (wrong)
		conn->named = NOBODY;
	if (wrong || conn->named == i + 1)
		return;
	conn->named = (uint8_t)(i + 1);
	if (a->recognised)
		a->recognised(a->recognised_ctx, &w);
}

/* Ends: each turn excludes a decoder. */
static uint32_t take_now(struct call *c, const struct stream_data *d)
{
	const struct protocol *const *rows = c->conv->rows;
	struct stream_conn *conn = d->conn;
	bool others = conn->protocol != NOBODY;
	struct stream_data part;

	for (;;) {
		uint32_t took;
		int i;

		if (conn->protocol == NOBODY) {
			i = recognise(c, d);
			if (i == -1)
				return pass_over(d);
			if (i < 0) {
				d->side->waited = d->n;
				d->side->want = d->n + 1;
				return 0;
			}
			conn->protocol = (uint8_t)(i + 1);
			others = false;
			start_sides(d);
		}
		i = conn->protocol - 1;
		turn_to(c, (unsigned int)i);
		took = rows[i]->take(c, d->side->waited && d->side->waited < d->n ? first_part(d, &part) : d);
		if (took == PROTOCOL_WRONG && others && d->side->waited && d->side->waited < d->n)
			return pass_waited(d);
		if (!took && conn->protocol == i + 1 && d->side->waited && d->side->waited < d->n) {
			d->side->waited = d->side->want = 0;
			took = rows[i]->take(c, d);
		}
		d->side->waited = 0;
		name(c->conv, conn, i, took == PROTOCOL_WRONG);
		if (took != PROTOCOL_WRONG) {
			if (conn->protocol != i + 1)
				start_sides(d);
			return took;
		}
		conv_switch(c, conn, NULL);
		start_sides(d);
	}
}

/* Messages that an earlier frame completed are not this frame's: it is still to be shown. */
static uint32_t take(void *ctx, const struct stream_data *d)
{
	struct call *c = ctx;
	unsigned int before = c->e->messages;
	uint32_t took;

	c->pk = d->pk;
	took = take_now(c, d);
	if (!d->now) {
		c->e->earlier += c->e->messages - before;
		c->e->messages = before;
	}
	return took;
}

bool conv_switch(struct call *c, struct stream_conn *conn, const char *name)
{
	uint8_t to = NOBODY;
	bool found = !name;

	if (conn->protocol != NOBODY) {
		end_conn(c->conv, conn);
		conn->excluded |= 1u << (conn->protocol - 1);
	}
	for (unsigned int i = 0; name && i < c->conv->n; i++) {
		if (!strcmp(c->conv->rows[i]->name, name) && c->conv->wanted[i]) {
			to = (uint8_t)(i + 1);
			found = true;
		}
	}
	if (!found)
		conn->excluded = UINT32_MAX;
	conn->protocol = to;
	return found;
}

void conv_tunnel(struct call *c, struct stream_conn *conn)
{
	conv_switch(c, conn, NULL);
	conn->excluded = 0;
}

/* Connections have a name; what is whole in itself has that of its record, or of who took it. */
static void is_of(const struct call *c, unsigned int i)
{
	c->conv->whose.protocol = c->conv->said ? c->conv->said : c->conv->rows[i]->name;
}

static void is_of_connection(struct conv *a)
{
	const struct stream_conn *conn = stream_latest(a->streams);

	if (!conn)
		return;
	a->whose = (struct decode_whose){ conn->named == NOBODY ? NULL : a->rows[conn->named - 1]->name, conn->serial,
					  stream_place(conn) };
}

/* ── UDP ────────────────────────────────────────────────────────────────── */

static void datagram(struct call *c)
{
	struct conv *a = c->conv;
	int user = told(a, c->pk);
	bool known = user >= 0;

	if (user >= 0 && a->rows[user]->datagram && turn_to(c, (unsigned int)user)->datagram(c, true)) {
		is_of(c, (unsigned int)user);
		return;
	}
	for (unsigned int turn = 0; turn < 2 * a->n; turn++) {
		unsigned int i = turn < a->n ? turn : turn - a->n;
		bool hinted = has_port(a->rows[i]->udp_ports, c->pk);

		if (hinted != (turn < a->n) || !a->wanted[i] || !a->rows[i]->datagram || (int)i == user)
			continue;
		known |= hinted;
		if (turn_to(c, i)->datagram(c, hinted)) {
			is_of(c, i);
			return;
		}
	}
	a->cut += known && c->pk->payload_cap < c->pk->payload_len;
}

/* ── first fragments ────────────────────────────────────────────────────── */

/* By the port: there is too little of it to recognise. */
static void first_fragment(struct call *c)
{
	int user = told(c->conv, c->pk);

	for (unsigned int i = 0; i < c->conv->n; i++) {
		bool hinted = user < 0 ? has_port(c->conv->rows[i]->udp_ports, c->pk) : user == (int)i;

		if (!hinted || !c->conv->wanted[i] || !c->conv->rows[i]->first)
			continue;
		if (turn_to(c, i)->first(c)) {
			is_of(c, i);
			return;
		}
	}
}

/* ── neither ────────────────────────────────────────────────────────────── */

static void other_packet(struct call *c)
{
	struct conv *a = c->conv;

	for (unsigned int i = 0; i < a->n; i++) {
		if (!a->wanted[i] || !a->rows[i]->packet)
			continue;
		if (turn_to(c, i)->packet(c)) {
			is_of(c, i);
			return;
		}
	}
}

void conv_packet(struct conv *a, const struct packet *pk, struct emit *e)
{
	struct call c = { .conv = a, .pk = pk, .e = e, .show_secrets = a->show_secrets };

	a->whose = (struct decode_whose){ .protocol = NULL };
	a->said = NULL;
	/* ARP in a tunnel has the IP header around it. */
	if (pk->is_arp || !pk->ip.version || (pk->ip.proto != PROTO_UDP && pk->ip.proto != PROTO_TCP)) {
		other_packet(&c);
	} else if (pk->is_fragment && !pk->reassembled) {
		if (pk->frag_first && pk->ip.proto == PROTO_UDP && pk->payload)
			first_fragment(&c);
	} else if (pk->ip.proto == PROTO_UDP && pk->payload && pk->payload_len) {
		datagram(&c);
	} else if (pk->ip.proto == PROTO_TCP && pk->has_tcp) {
		stream_packet(a->streams, pk, take, &c);
		is_of_connection(a);
	}
}

const struct decode_whose *conv_whose(const struct conv *a)
{
	return &a->whose;
}

/* ── for the decoders ───────────────────────────────────────────────────── */

void conv_record(const struct call *c, const struct stream_data *d, struct record *r, const struct dataset *set,
		 const char *protocol, const char *action)
{
	call_record(c, r, set);
	r->protocol = c->conv->said = protocol;
	record_mark(r, FIELD_PROTOCOL);
	r->action = action;
	record_mark(r, FIELD_ACTION);
	if (d && d->conn->conflict) {
		r->tcp_conflict = true;
		record_mark(r, FIELD_TCP_CONFLICT);
	}
}

bool conv_overtakes(const struct call *c, const struct stream_data *d)
{
	return d->other->known && c->pk->tcp_flags & TCP_ACK && (int32_t)(c->pk->tcp_ack - d->other->seen) > 0;
}

uint64_t conv_ends(const struct call *c)
{
	const struct ip_layer *ip = &c->pk->ip;
	uint64_t w[2][3] = { { 0 } };

	memcpy(w[0], ip->src.b, ip->src.family == 6 ? 16 : 4);
	memcpy(w[1], ip->dst.b, ip->dst.family == 6 ? 16 : 4);
	w[0][2] = ip->sport;
	w[1][2] = ip->dport;
	return hash_words(&c->conv->seed, w[0], 3) + hash_words(&c->conv->seed, w[1], 3);
}

uint64_t conv_asker(const struct call *c, bool response, bool anybody)
{
	const struct ip_layer *ip = &c->pk->ip;
	const struct addr *client = response ? &ip->dst : &ip->src, *server = response ? &ip->src : &ip->dst;
	size_t n = client->family == 6 ? 16 : 4;
	uint64_t w[5] = { (uint64_t)ip->proto << 32 | (uint64_t)(response ? ip->dport : ip->sport) << 16 |
			  (response ? ip->sport : ip->dport) };
	uint8_t *at = (uint8_t *)(w + 1);

	memcpy(at, client->b, n);
	if (!anybody)
		memcpy(at + n, server->b, n);
	return hash_words(&c->conv->seed, w, 1 + (unsigned int)n / 4);
}

uint64_t conv_digest(const struct call *c, const uint64_t *words, unsigned int n)
{
	uint64_t digest = hash_words(&c->conv->seed, words, n);

	return digest ? digest : 1;
}
