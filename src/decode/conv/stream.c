// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/stream_side.h"
#include "numbers/ipproto.h"
#include "util/hash.h"
#include "util/steady.h"

enum {
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16,
	BUCKETS = STREAM_CONNECTIONS,
	WINDOW_MAX = 1 << 30,		/* RFC 7323, 2.3: no window is larger */
	RESEND_MAX = 1 << 20,		/* so far back a byte may still be sent again */
	JUMP_MAX = 1 << 24,		/* what is farther ahead is not believed until more follows on it */
};
#define NONE UINT32_MAX
#define HOLE_MIN_NS   10000000ull	/* frames of one instant may be captured out of order */
#define RESTART_NS 10000000000ull	/* silence after which strange numbers mean a new connection */

struct key {
	uint8_t  a[16], b[16];		/* the lower end first */
	uint16_t aport, bport;
	uint8_t  family, zero[3];
};
_Static_assert(sizeof(struct key) == 40, "hashed as whole words, without padding");

/* From the first to go to the last: no bytes or closed; open; holding bytes or state. */
enum shelf { IDLE, LIVE, HOLDING, LISTS };

struct stream {
	struct key key;
	struct stream_conn conn;
	struct stream_side side[2];
	uint64_t seen_ns, seen_number;
	uint32_t chain, older, newer;
	uint8_t  list;
	bool     talked, closed;
	/* A bit for each direction in which the number is known; see belongs(). */
	uint8_t  has_was, has_stray, was_client;
	uint32_t was[2];		/* next in the connection that this one took the place of */
	uint32_t stray[2];		/* behind the last segment whose numbers belonged to nobody */
};

struct streams {
	struct hash_key seed;
	struct stream *slots;
	uint32_t *buckets;
	uint32_t fresh;			/* slots from here on were never used */
	uint32_t oldest[LISTS], newest[LISTS];
	uint32_t memory;
	uint32_t serial;
	stream_end_fn end;
	void *end_ctx;
	stream_fn fn;			/* of the call we are in */
	void *ctx;
	struct stream *current, *shown;	/* being fed; told what it held before it goes.  Not to be evicted */
	struct stream *latest;		/* fed last */
	struct stream_counts counts;
};

static void end_state(struct streams *t, struct stream *s)
{
	if (s->conn.state)
		t->end(t->end_ctx, &s->conn);
	s->conn.state = NULL;
}

/* Neither bytes nor state. */
static void forget(struct streams *t, struct stream *s)
{
	end_state(t, s);
	side_restart(&s->side[0], &t->memory);
	side_restart(&s->side[1], &t->memory);
}

int stream_open(struct streams **out, uint32_t seed, stream_end_fn end, void *ctx)
{
	struct streams *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->seed = hash_key_from(seed);
	t->end = end;
	t->end_ctx = ctx;
	t->slots = calloc(STREAM_CONNECTIONS, sizeof(*t->slots));
	t->buckets = malloc(BUCKETS * sizeof(*t->buckets));
	if (!t->slots || !t->buckets) {
		stream_close(t);
		return -ENOMEM;
	}
	memset(t->buckets, 0xff, BUCKETS * sizeof(*t->buckets));
	for (int i = 0; i < LISTS; i++)
		t->oldest[i] = t->newest[i] = NONE;
	*out = t;
	return 0;
}

void stream_close(struct streams *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; t->slots && i < t->fresh; i++)
		forget(t, &t->slots[i]);
	free(t->slots);
	free(t->buckets);
	free(t);
}

/* The key, and which of the two directions the packet goes. */
static unsigned int key_of(const struct packet *pk, struct key *k)
{
	const struct ip_layer *ip = &pk->ip;
	size_t n = ip->src.family == 6 ? 16 : 4;
	int order = memcmp(ip->src.b, ip->dst.b, n);
	unsigned int dir = order ? order > 0 : ip->sport > ip->dport;

	memset(k, 0, sizeof(*k));
	memcpy(dir ? k->b : k->a, ip->src.b, n);
	memcpy(dir ? k->a : k->b, ip->dst.b, n);
	k->aport = dir ? ip->dport : ip->sport;
	k->bport = dir ? ip->sport : ip->dport;
	k->family = ip->src.family;
	return dir;
}

static struct ip_layer ends_of(const struct key *k, unsigned int dir)
{
	struct ip_layer ip = { .version = k->family, .proto = PROTO_TCP, .has_ports = true };

	ip.src.family = ip.dst.family = k->family;
	memcpy(ip.src.b, dir ? k->b : k->a, sizeof(k->a));
	memcpy(ip.dst.b, dir ? k->a : k->b, sizeof(k->a));
	ip.sport = dir ? k->bport : k->aport;
	ip.dport = dir ? k->aport : k->bport;
	return ip;
}

static uint32_t *bucket_of(const struct streams *t, const struct key *k)
{
	uint64_t w[sizeof(*k) / 8];

	memcpy(w, k, sizeof(w));
	return &t->buckets[hash_words(&t->seed, w, sizeof(*k) / 8) % BUCKETS];
}

/* The link that leads to the key's slot, or the last one of its chain (*link == NONE). */
static uint32_t *find(const struct streams *t, const struct key *k)
{
	uint32_t *link = bucket_of(t, k);

	while (*link != NONE && memcmp(&t->slots[*link].key, k, sizeof(*k)))
		link = &t->slots[*link].chain;
	return link;
}

static void unlist(struct streams *t, const struct stream *s)
{
	*(s->older == NONE ? &t->oldest[s->list] : &t->slots[s->older].newer) = s->newer;
	*(s->newer == NONE ? &t->newest[s->list] : &t->slots[s->newer].older) = s->older;
}

static void enlist(struct streams *t, struct stream *s, enum shelf list)
{
	uint32_t i = (uint32_t)(s - t->slots);

	s->list = (uint8_t)list;
	s->older = t->newest[list];
	s->newer = NONE;
	*(s->older == NONE ? &t->oldest[list] : &t->slots[s->older].newer) = i;
	t->newest[list] = i;
}

static enum shelf shelf_for(const struct stream *s)
{
	if (s->side[0].extent || s->side[1].extent || s->conn.state)
		return HOLDING;
	return s->talked && !s->closed ? LIVE : IDLE;
}

/* A new connection between the same ends. */
static void begin(struct streams *t, struct stream *s)
{
	forget(t, s);
	memset(s->side, 0, sizeof(s->side));
	s->conn = (struct stream_conn){ .serial = ++t->serial, .table = t };
	s->talked = s->closed = false;
	s->has_was = s->has_stray = 0;
}

/* The number that the next byte from the sender has: the consumer may have passed over what is to come. */
static uint32_t expected(const struct stream_side *me)
{
	return (int32_t)(me->next + me->have - me->seen) > 0 ? me->seen : me->next + me->have;
}

/* Bytes that were sent, as what is held behind them, an acknowledgment or a FIN says, and never came. */
static uint32_t outstanding(const struct stream_side *s)
{
	uint32_t from = s->next + s->have, end = s->next + s->extent;

	if (!s->known || s->ignored)
		return 0;
	if (s->fin && (int32_t)(s->fin_seq - end) > 0)
		end = s->fin_seq;
	else if (!s->fin && s->has_acked && (int32_t)(s->acked - end) > 0)
		end = s->acked;
	return end - from;
}

/* Memory may grow by `more`: the longest silent give up theirs.  Ends: each turn frees one's. */
static bool make_memory(void *ctx, uint32_t more)
{
	struct streams *t = ctx;

	while (t->memory + more > STREAM_MEMORY) {
		uint32_t i = t->oldest[HOLDING];

		while (i != NONE && (&t->slots[i] == t->current || &t->slots[i] == t->shown))
			i = t->slots[i].newer;
		if (i == NONE)
			return false;
		begin(t, &t->slots[i]);
		unlist(t, &t->slots[i]);
		enlist(t, &t->slots[i], IDLE);
		t->counts.memory++;
	}
	return true;
}

static struct side_io io_of(struct streams *t, struct stream *s, unsigned int dir)
{
	return (struct side_io){ .conn = &s->conn, .side = &s->side[dir], .other = &s->side[!dir], .dir = (uint8_t)dir,
				 .fn = t->fn, .ctx = t->ctx, .room = make_memory, .room_ctx = t, .memory = &t->memory };
}

static void count(struct streams *t, const struct side_io *io)
{
	t->counts.gaps += io->gaps;
	t->counts.cut += io->cut;
	t->counts.conflicts += io->conflicts;
	t->counts.memory += io->starved;
}

/* What a direction holds behind holes, of which no packet is at hand.  While one is shown no other is. */
static void show(struct streams *t, struct stream *s, unsigned int dir)
{
	struct side_io io = io_of(t, s, dir);
	struct ip_layer ends;

	if (io.side->extent == io.side->have || !t->fn || t->shown)
		return;
	ends = ends_of(&s->key, dir);
	io.ends = &ends;
	io.last = (struct note){ .number = s->seen_number, .time_ns = s->seen_ns };
	t->shown = s;
	side_flush(&io);
	t->shown = NULL;
	count(t, &io);
}

static void show_both(struct streams *t, struct stream *s)
{
	show(t, s, 0);
	show(t, s, 1);
}

/* The connection is over, as far as it was seen. */
static void settle(struct streams *t, struct stream *s)
{
	if (s->closed)
		return;
	show_both(t, s);
	t->counts.gaps += (uint64_t)outstanding(&s->side[0]) + outstanding(&s->side[1]);
}

/* Likewise, but it may be that nobody began one: what would have been next is kept in mind. */
static void replace(struct streams *t, struct stream *s)
{
	uint8_t client = s->conn.client, known = 0;
	uint32_t was[2] = { expected(&s->side[0]), expected(&s->side[1]) };

	for (unsigned int i = 0; i < 2 && s->talked && !s->closed; i++)
		known |= (uint8_t)(s->side[i].known << i);
	settle(t, s);
	begin(t, s);
	s->has_was = known;
	s->was_client = client;
	memcpy(s->was, was, sizeof(was));
}

static struct stream *add(struct streams *t, const struct key *k)
{
	uint32_t i = NONE, *link;
	struct stream *s;

	if (t->fresh < STREAM_CONNECTIONS) {
		i = t->fresh++;
	} else {
		for (int l = 0; l < LISTS && i == NONE; l++)
			i = t->oldest[l];
		s = &t->slots[i];
		t->counts.evicted += s->talked && !s->closed;
		t->counts.half_open += !s->talked && (s->side[0].known || s->side[1].known);
		if (!s->closed)
			show_both(t, s);
		link = find(t, &s->key);
		*link = s->chain;
		unlist(t, s);
	}
	s = &t->slots[i];
	begin(t, s);
	s->key = *k;
	link = bucket_of(t, k);
	s->chain = *link;
	*link = i;
	enlist(t, s, IDLE);
	return s;
}

/* RFC 9293, 3.10.7.4.  A SYN with a number not seen before starts the direction, or all. */
static void see_syn(struct streams *t, struct stream *s, unsigned int dir, const struct packet *pk)
{
	struct stream_side *me = &s->side[dir], *peer = &s->side[!dir];
	uint32_t first = pk->tcp_seq + 1;

	if (me->syn && me->isn == pk->tcp_seq)
		return;
	if (me->known && !me->syn && !s->closed && me->next - first < STREAM_SIDE_MAX) {
		s->conn.client = (uint8_t)(1 + (pk->tcp_flags & TCP_ACK ? !dir : dir));
		me->syn = true;		/* captured after the bytes it precedes */
		me->isn = pk->tcp_seq;
		return;
	}
	if (!(pk->tcp_flags & TCP_ACK)) {
		replace(t, s);
	} else if (me->known && s->talked && !s->closed) {
		s->was[dir] = expected(me);
		s->has_was |= (uint8_t)(1u << dir);
		s->was_client = s->conn.client;
		show(t, s, dir);
		t->counts.gaps += outstanding(me);
	}
	s->conn.client = (uint8_t)(1 + (pk->tcp_flags & TCP_ACK ? !dir : dir));
	side_restart(me, &t->memory);
	memset(me, 0, sizeof(*me));
	me->known = me->syn = true;
	me->isn = pk->tcp_seq;
	me->next = me->seen = first;
	if (pk->tcp_flags & TCP_ACK && !peer->known) {
		peer->known = peer->syn = true;
		peer->isn = pk->tcp_ack - 1;
		peer->next = peer->seen = pk->tcp_ack;
	}
}

/* What was taken for a new connection was none: the one before goes on. */
static void resume(struct streams *t, struct stream *s)
{
	uint8_t client = s->was_client;

	replace(t, s);
	s->conn.client = client;
}

/*
 * Anyone can send one segment, or a SYN, with numbers of his own.  So what no window explains is let
 * pass once, and counted; the next one tells: it follows on the connection that was before, and that
 * goes on; or it follows on the stranger, and a connection begins there.
 */
static bool belongs(struct streams *t, struct stream *s, unsigned int dir, const struct packet *pk, uint32_t seq,
		    uint64_t now_ns)
{
	const struct stream_side *me = &s->side[dir];
	uint8_t bit = (uint8_t)(1u << dir);
	int32_t off;

	if (!me->known)
		return true;
	if (s->has_was & bit && seq == s->was[dir] && !s->closed) {
		resume(t, s);
		return true;
	}
	off = (int32_t)(seq - ((int32_t)(me->next - me->seen) > 0 ? me->seen : me->next));
	if (off >= -RESEND_MAX && off < JUMP_MAX && !(s->closed && off >= 0))
		return true;
	if (!s->closed && s->has_was & bit && seq - s->was[dir] < STREAM_SIDE_MAX) {
		resume(t, s);
		return true;
	}
	if (!s->closed && s->has_stray & bit && seq == s->stray[dir]) {
		s->has_stray &= (uint8_t)(0xff ^ bit);
		if (off >= 0 && off < WINDOW_MAX)
			return true;
	} else if (!s->closed && time_since(now_ns, s->seen_ns) < RESTART_NS) {
		s->stray[dir] = seq + pk->payload_len;
		s->has_stray |= bit;
		return false;
	}
	replace(t, s);
	return true;
}

static void see_bytes(struct streams *t, struct stream *s, struct side_io *io, const struct packet *pk)
{
	uint32_t seq = pk->tcp_seq + (pk->tcp_flags & TCP_SYN ? 1 : 0);
	uint32_t cap = pk->payload_cap, len = pk->payload_len;
	struct stream_side *me = io->side;

	if (!len)
		return;
	if (!belongs(t, s, io->dir, pk, seq, io->now_ns)) {
		t->counts.stray += len;
		return;
	}
	if (me->fin && (int32_t)(seq + len - me->fin_seq) > 0) {
		if (!me->fin_acked)	/* the receiver has not got it either: it was not the sender's */
			me->fin = false;
	}
	if (me->fin && (int32_t)(seq + len - me->fin_seq) > 0) {	/* nothing comes after a FIN */
		if ((int32_t)(me->fin_seq - seq) <= 0)
			return;
		len = me->fin_seq - seq;
	}
	s->talked = true;
	if (!me->known || (int32_t)(seq + len - me->seen) > 0)
		me->seen = seq + len;
	side_accept(io, seq, pk->payload, cap, len);
}

/* Its FIN was seen, and every byte before it that will be. */
static bool ended(const struct stream_side *s)
{
	return s->fin && (!s->known || (int32_t)(s->fin_seq - s->next) <= 0);
}

static void see_end(struct streams *t, struct stream *s, struct side_io *io, const struct packet *pk)
{
	struct stream_side *me = io->side, *peer = io->other;
	uint32_t end = pk->tcp_seq + pk->payload_len + (pk->tcp_flags & TCP_SYN ? 1 : 0);

	/* It ends what was seen, or a window's worth later. */
	if (pk->tcp_flags & TCP_FIN && !me->fin && (!me->known || end - expected(me) < JUMP_MAX)) {
		me->fin = true;
		me->fin_seq = end;
	}
	/* RFC 5961, 3.2: a reset must have exactly the next number */
	if (pk->tcp_flags & TCP_RST && me->known && pk->tcp_seq == expected(me)) {
		side_flush(io);
		show(t, s, !io->dir);
		t->counts.gaps += outstanding(peer);
		me->fin = peer->fin = true;
		me->fin_seq = me->next + me->have;
		peer->fin_seq = peer->next + peer->have;
		s->closed = true;
	}
}

static void see_ack(struct stream_side *peer, uint32_t ack)
{
	if (peer->fin && (int32_t)(ack - peer->fin_seq) > 0)
		peer->fin_acked = true;
	if (peer->known && ack - expected(peer) < JUMP_MAX && (!peer->has_acked || (int32_t)(ack - peer->acked) > 0)) {
		peer->has_acked = true;
		peer->acked = ack;
	}
}

/* The receiver has what is behind the first hole: nobody will send the bytes of the hole again. */
static bool hole_is_dead(struct stream_side *me, uint64_t now_ns)
{
	if (!me->known || me->extent == me->have || !me->has_acked)
		return false;
	if (now_ns < me->hole_ns)	/* stamps went back: it is waited for from here on */
		me->hole_ns = now_ns;
	return now_ns - me->hole_ns >= HOLE_MIN_NS && (int32_t)(me->acked - (me->next + side_held_at(me))) >= 0;
}

/* What a packet says, in the order in which it says it. */
static void see(struct streams *t, struct stream *s, struct side_io *io, const struct packet *pk)
{
	if (pk->tcp_flags & TCP_SYN)
		see_syn(t, s, io->dir, pk);
	see_bytes(t, s, io, pk);
	see_end(t, s, io, pk);
	if (pk->tcp_flags & TCP_ACK)
		see_ack(io->other, pk->tcp_ack);
	if (hole_is_dead(io->side, io->now_ns))
		side_flush(io);
	if (hole_is_dead(io->other, io->now_ns))
		show(t, s, !io->dir);
	if (ended(io->side) && ended(io->other))
		s->closed = true;
}

void stream_packet(struct streams *t, const struct packet *pk, stream_fn fn, void *ctx)
{
	struct side_io io;
	struct stream *s;
	struct key key;
	unsigned int dir;
	uint32_t *link;

	t->latest = NULL;
	if (!pk->has_tcp || (pk->is_fragment && !pk->reassembled))
		return;
	dir = key_of(pk, &key);
	link = find(t, &key);
	if (*link == NONE && !pk->payload_len && !(pk->tcp_flags & TCP_SYN))
		return;
	t->fn = fn;
	t->ctx = ctx;
	s = *link == NONE ? add(t, &key) : &t->slots[*link];
	t->current = t->latest = s;
	io = io_of(t, s, dir);
	io.pk = pk;
	io.now_ns = pk->frame ? pk->frame->time_ns : 0;
	see(t, s, &io, pk);
	count(t, &io);
	s->seen_ns = io.now_ns;
	s->seen_number = pk->frame ? pk->frame->number : 0;
	if (s->closed)
		end_state(t, s);
	t->current = NULL;
	t->fn = NULL;
	unlist(t, s);
	enlist(t, s, shelf_for(s));
}

const struct stream_conn *stream_latest(const struct streams *t)
{
	return t->latest ? &t->latest->conn : NULL;
}

uint32_t stream_place(const struct stream_conn *c)
{
	const struct stream *s = (const struct stream *)((const char *)c - offsetof(struct stream, conn));

	return (uint32_t)(s - c->table->slots);
}

void stream_finish(struct streams *t, stream_fn fn, void *ctx)
{
	t->fn = fn;
	t->ctx = ctx;
	for (uint32_t i = 0; i < t->fresh; i++) {
		settle(t, &t->slots[i]);
		begin(t, &t->slots[i]);
		unlist(t, &t->slots[i]);
		enlist(t, &t->slots[i], IDLE);
	}
	t->fn = NULL;
}

void *stream_alloc(struct stream_conn *c, uint32_t n)
{
	void *p = make_memory(c->table, n) ? calloc(1, n) : NULL;

	if (p)
		c->table->memory += n;
	return p;
}

void stream_free(struct stream_conn *c, void *p, uint32_t n)
{
	if (p)
		c->table->memory -= n;
	free(p);
}

void stream_counts(const struct streams *t, struct stream_counts *c)
{
	*c = t->counts;
}

uint32_t stream_memory(const struct streams *t)
{
	return t->memory;
}
