// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/icmp/fields.h"
#include "detect/table.h"
#include "numbers/ipproto.h"

enum { TH_FIN = 1, TH_SYN = 2, TH_RST = 4, TH_PSH = 8, TH_ACK = 16, TH_URG = 32 };
enum { OPENING_MAX = 16384 };
#define NONE UINT32_MAX

/* Services over UDP that answer with more than they were asked with (CISA alert TA14-017A, and later ones). */
bool calls_amplifies(uint16_t port)
{
	static const uint16_t ports[] = { 17, 19, 53, 69, 111, 123, 137, 161, 177, 389, 427, 500, 520, 623, 1434,
					  1900, 3283, 3702, 4500, 5093, 5353, 5683, 10001, 11211, 27015, 37810 };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i] == port)
			return true;
	return false;
}

static const uint64_t ANSWER_NS = 2000000000;	/* three SYNs of Linux are out by then */

struct calls {
	struct call *v;
	uint32_t max, n, head;	/* head: the place of the next */
	uint32_t waiting;	/* the oldest that may still be open, by its place */
	uint32_t n_waiting;	/* places from there to the head */
	uint32_t *buckets, mask;
	struct hash_key seed;
	uint64_t now_ns, stamp_ns;	/* of the packet we are in */
	uint16_t *opening;	/* tags of callers whose ACK opens a connection, each where it hashes to */
	bool (*follow)(uint16_t port);
	uint64_t evicted;
	call_fn fn;
	void *ctx;
};

int calls_open(struct calls **out, uint32_t max, uint32_t seed, bool (*follow)(uint16_t port), call_fn fn, void *ctx)
{
	struct calls *c = calloc(1, sizeof(*c));
	uint32_t buckets = 1;

	while (buckets < max)
		buckets *= 2;
	if (c) {
		c->v = aligned_alloc(sizeof(*c->v), max * sizeof(*c->v));	/* written before it is read */
		c->buckets = malloc(buckets * sizeof(*c->buckets));
		c->opening = calloc(OPENING_MAX, sizeof(*c->opening));
	}
	if (!c || !c->v || !c->buckets || !c->opening) {
		calls_close(c);
		return -ENOMEM;
	}
	memset(c->buckets, 0xff, buckets * sizeof(*c->buckets));
	c->mask = buckets - 1;
	c->max = max;
	c->seed = hash_key_from(seed);
	c->follow = follow;
	c->fn = fn;
	c->ctx = ctx;
	*out = c;
	return 0;
}

void calls_close(struct calls *c)
{
	if (!c)
		return;
	free(c->v);
	free(c->buckets);
	free(c->opening);
	free(c);
}

uint64_t calls_evicted(const struct calls *c)
{
	return c->evicted;
}

/* The same key whichever end speaks.  True when `a` is the lesser end. */
static bool make_key(uint64_t key[5], const struct addr *a, uint16_t aport, const struct addr *b, uint16_t bport,
		     uint8_t proto)
{
	size_t n = a->family == 4 ? 4 : 16;
	int order = memcmp(a->b, b->b, n);
	bool a_first = order < 0 || (!order && aport <= bport);
	const struct addr *lo = a_first ? a : b, *hi = a_first ? b : a;

	memset(key, 0, 5 * sizeof(*key));
	memcpy(&key[0], lo->b, n);
	memcpy(&key[2], hi->b, n);
	key[4] = (uint64_t)(a_first ? aport : bport) << 32 | (uint64_t)(a_first ? bport : aport) << 16 |
		 (uint64_t)proto << 8 | lo->family;
	return a_first;
}

/* IPv4 has three words of the five, the others are zero. */
static uint32_t hash_key(const struct calls *c, const uint64_t key[5])
{
	if ((uint8_t)key[4] == 4)
		return (uint32_t)hash_words(&c->seed, (uint64_t[]){ key[0] << 32 | (uint32_t)key[2], key[4] }, 2) &
		       c->mask;
	return (uint32_t)hash_words(&c->seed, key, 5) & c->mask;
}

static bool is_key(const struct call *k, const uint64_t key[5])
{
	return k->key[4] == key[4] && k->key[0] == key[0] && k->key[2] == key[2] && k->key[1] == key[1] &&
	       k->key[3] == key[3];
}

static struct call *find(const struct calls *c, const uint64_t key[5], uint32_t *bucket)
{
	*bucket = hash_key(c, key);
	for (uint32_t i = c->buckets[*bucket]; i != NONE; i = c->v[i].next)
		if (is_key(&c->v[i], key))
			return &c->v[i];
	return NULL;
}

static void add_bytes(uint16_t *to, uint32_t n)
{
	*to = n >= UINT16_MAX ? UINT16_MAX : *to + n > UINT16_MAX ? UINT16_MAX : (uint16_t)(*to + n);
}

/* The ends of a call, out of its key. */
struct ends {
	struct addr caller, called;
	uint16_t caller_port, port;
};

static void ends_of(const struct call *k, struct ends *e)
{
	struct addr lo = { .family = (uint8_t)k->key[4] }, hi = lo;
	uint16_t lo_port = (uint16_t)(k->key[4] >> 32), hi_port = (uint16_t)(k->key[4] >> 16);

	memcpy(lo.b, &k->key[0], 16);
	memcpy(hi.b, &k->key[2], 16);
	e->caller = k->from_low ? lo : hi;
	e->called = k->from_low ? hi : lo;
	e->caller_port = k->from_low ? lo_port : hi_port;
	e->port = k->from_low ? hi_port : lo_port;
}

static void tell(struct calls *c, const struct call *k, enum call_event event)
{
	struct ends e;
	struct call_news n = { .event = event,
			       .caller = &e.caller,
			       .called = &e.called,
			       .is_tcp = k->is_tcp,
			       .end = k->end,
			       .how = k->is_tcp ? "SYN" : "UDP",
			       .call = k,
			       .now_ns = c->now_ns,
			       .stamp_ns = c->stamp_ns };

	ends_of(k, &e);
	n.port = e.port;
	n.caller_port = e.caller_port;
	c->fn(c->ctx, &n);
}

/* Of a packet that belongs to no call that is kept. */
static void tell_packet(struct calls *c, const struct record *r, enum call_event event, enum call_end end,
			const char *how)
{
	struct call_news n = { .event = event,
			       .caller = &r->src,
			       .called = &r->dst,
			       .port = r->dport,
			       .caller_port = r->sport,
			       .is_tcp = r->iana_number == PROTO_TCP,
			       .end = end,
			       .how = how,
			       .bytes = payload_of(r),
			       .now_ns = c->now_ns,
			       .stamp_ns = c->stamp_ns };

	c->fn(c->ctx, &n);
}

static void judge(struct calls *c, struct call *k, enum call_state state, enum call_end end)
{
	if (k->state != CALL_OPEN)
		return;
	k->state = state & 3;
	k->end = end & 7;
	tell(c, k, state == CALL_ANSWERED ? CALL_WAS_ANSWERED : CALL_HAS_FAILED);
}

static void forget(struct calls *c, uint32_t i)
{
	uint32_t *at = &c->buckets[hash_key(c, c->v[i].key)];

	while (*at != i)
		at = &c->v[*at].next;
	*at = c->v[i].next;
}

static struct call *add(struct calls *c, const uint64_t key[5], uint32_t bucket)
{
	uint32_t i = c->head;
	struct call *k = &c->v[i];

	if (c->n == c->max) {
		c->evicted += k->state == CALL_OPEN;
		forget(c, i);
	} else {
		c->n++;
	}
	if (c->n_waiting == c->max)
		c->waiting = (c->waiting + 1) % c->max;
	else
		c->n_waiting++;
	c->head = (i + 1) % c->max;
	*k = (struct call){ .start_ns = c->now_ns, .next = c->buckets[bucket] };
	memcpy(k->key, key, sizeof(k->key));
	c->buckets[bucket] = i;
	return k;
}

/* Flags with which nobody opens, keeps or ends a connection (RFC 9293, 3.10): only probes have them. */
static const char *odd_flags(uint8_t f)
{
	switch (f & (TH_FIN | TH_SYN | TH_RST | TH_PSH | TH_ACK | TH_URG)) {
	case 0: return "NULL";
	case TH_FIN: return "FIN";
	case TH_FIN | TH_PSH | TH_URG: return "Xmas";
	default: return (f & TH_SYN) && (f & TH_FIN) ? "SYN+FIN" : NULL;
	}
}

static void tcp_caller(struct calls *c, struct call *k, const struct record *r)
{
	uint8_t f = r->tcp_flag_bits;

	k->packets += k->packets < UINT8_MAX;
	add_bytes(&k->caller_bytes, payload_of(r));
	if (f & TH_RST && k->syn_ack && !k->acked)
		judge(c, k, CALL_FAILED, END_HALF_OPEN);
	if (f & TH_ACK && !(f & (TH_RST | TH_SYN)) && !k->acked) {
		k->acked = true;
		tell(c, k, CALL_COMPLETED);
	}
	/* It acknowledges or says something: it has been answered, where we see one way only too. */
	if (payload_of(r) && k->acked)
		judge(c, k, CALL_ANSWERED, END_NONE);
}

static void tcp_called(struct calls *c, struct call *k, const struct record *r)
{
	uint8_t f = r->tcp_flag_bits;

	add_bytes(&k->called_bytes, payload_of(r));
	if (f & TH_SYN)
		k->syn_ack = true;
	if (f & TH_RST && !k->acked)
		judge(c, k, CALL_FAILED, END_REFUSED);
	if (payload_of(r))
		judge(c, k, CALL_ANSWERED, END_NONE);
}

/*
 * Most segments are of connections that are open: a look at one short table says so.  Where
 * two openings meet there the earlier is not told of; nobody can choose them to, not knowing the seed.
 */
static uint16_t *opening_of(const struct calls *c, const struct record *r, uint16_t *tag)
{
	uint64_t h = hash_mix_addr(hash_mix_addr(c->seed.k0, &r->src), &r->dst);

	h = hash_mix(h, c->seed.k1 ^ ((uint32_t)r->sport << 16 | r->dport));
	*tag = (uint16_t)(h >> 48 | 1);
	return &c->opening[h & (OPENING_MAX - 1)];
}

static void expect_ack(const struct calls *c, const struct record *r)
{
	uint16_t tag, *place = opening_of(c, r, &tag);

	*place = tag;
}

/* A segment that can only be the middle or the end of a connection nobody follows. */
static bool says_nothing_new(const struct calls *c, const struct record *r)
{
	uint16_t tag, *place;

	if (r->tcp_flag_bits & (TH_SYN | TH_RST) || !(r->tcp_flag_bits & TH_ACK) || c->follow(r->dport) ||
	    c->follow(r->sport))
		return false;
	place = opening_of(c, r, &tag);
	if (*place != tag)
		return true;
	*place = 0;
	return false;
}

static struct call *new_tcp(struct calls *c, const struct record *r, const uint64_t key[5], uint32_t bucket, bool low)
{
	struct call *k = add(c, key, bucket);

	k->is_tcp = true;
	k->from_low = low;
	k->isn = r->tcp_seq;
	k->packets = 1;
	expect_ack(c, r);
	tell(c, k, CALL_NEW);
	return k;
}

/* A tuple is used again when the old call is over, or has another first number and was never open. */
static bool starts_again(const struct call *k, const struct record *r, bool low)
{
	return k->over || k->from_low != low || (k->isn != r->tcp_seq && (k->acked || k->state != CALL_OPEN));
}

static void restart(struct calls *c, struct call *k, const struct record *r, bool low)
{
	uint32_t i = (uint32_t)(k - c->v);
	uint64_t key[5];
	uint32_t bucket = hash_key(c, k->key);

	memcpy(key, k->key, sizeof(key));
	if (i == c->head)	/* add() takes this very place */
		goto out;
	forget(c, i);
	/* Its place stays taken, by a call that nobody can mean. */
	k->key[4] = UINT64_MAX;
	k->state = CALL_FAILED;
	k->next = c->buckets[hash_key(c, k->key)];
	c->buckets[hash_key(c, k->key)] = i;
out:
	new_tcp(c, r, key, bucket, low);
}

static void syn_again(struct calls *c, struct call *k, const struct record *r)
{
	k->packets += k->packets < UINT8_MAX;
	if (k->state == CALL_OPEN && !k->acked)
		tell(c, k, CALL_AGAIN);
}

static void tcp_packet(struct calls *c, const struct record *r)
{
	uint8_t f = r->tcp_flag_bits;
	const char *odd;
	uint64_t key[5];
	uint32_t bucket;
	struct call *k;
	bool low;

	if (says_nothing_new(c, r))
		return;
	odd = odd_flags(f);
	low = make_key(key, &r->src, r->sport, &r->dst, r->dport, PROTO_TCP);
	k = find(c, key, &bucket);
	if (odd) {
		if (!k || (!k->acked && k->state != CALL_ANSWERED))
			tell_packet(c, r, CALL_HAS_FAILED, END_ODD, odd);
		return;
	}
	if ((f & (TH_SYN | TH_ACK)) == TH_SYN && !(f & TH_RST)) {
		if (!k)
			new_tcp(c, r, key, bucket, low);
		else if (starts_again(k, r, low))
			restart(c, k, r, low);
		else
			syn_again(c, k, r);
		return;
	}
	if (!k) {
		if ((f & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK))
			tell_packet(c, r, CALL_UNASKED, END_NONE, "SYN+ACK");
		return;
	}
	if (k->from_low == low)
		tcp_caller(c, k, r);
	else
		tcp_called(c, k, r);
	if (f & (TH_FIN | TH_RST) && !k->over) {
		k->over = true;
		tell(c, k, CALL_ENDED);
	}
}

/* Of two ports the one that a service has. */
static bool is_service(uint16_t port, uint16_t other)
{
	if (calls_amplifies(port))
		return !calls_amplifies(other);
	return (port < 1024 && other >= 1024) || (port < 32768 && other >= 32768);
}

static void udp_packet(struct calls *c, const struct record *r)
{
	uint64_t key[5];
	uint32_t bucket;
	bool low = make_key(key, &r->src, r->sport, &r->dst, r->dport, PROTO_UDP);
	struct call *k = find(c, key, &bucket);

	if (k && k->from_low == low) {
		k->packets += k->packets < UINT8_MAX;
		add_bytes(&k->caller_bytes, payload_of(r));
		return;
	}
	if (k) {
		add_bytes(&k->called_bytes, payload_of(r));
		judge(c, k, CALL_ANSWERED, END_NONE);
		return;
	}
	if (is_service(r->sport, r->dport)) {
		tell_packet(c, r, CALL_UNASKED, END_NONE, "UDP");
		return;
	}
	k = add(c, key, bucket);
	k->from_low = low;
	k->packets = 1;
	add_bytes(&k->caller_bytes, payload_of(r));
	tell(c, k, CALL_NEW);
}

void calls_packet(struct calls *c, const struct record *r, uint64_t now_ns)
{
	c->now_ns = now_ns;
	c->stamp_ns = r->time_ns;
	if (!record_has(r, FIELD_SRC_PORT) || (record_has(r, FIELD_FRAG_OFFSET) && r->frag_offset))
		return;
	if (r->iana_number == PROTO_TCP && record_has(r, FIELD_TCP_FLAGS))
		tcp_packet(c, r);
	else if (r->iana_number == PROTO_UDP && !record_has(r, FIELD_MALFORMED))
		udp_packet(c, r);
}

/* Destination unreachable: type 3 of ICMP, 1 of ICMPv6.  "Fragmentation needed" refuses nothing. */
void calls_icmp(struct calls *c, const struct record *r, uint64_t now_ns)
{
	bool v4 = r->src.family == 4;
	uint64_t key[5];
	uint32_t bucket;
	struct call *k;
	uint8_t proto;

	c->now_ns = now_ns;
	c->stamp_ns = r->time_ns;
	if (!record_has(r, FIELD_ICMP_ORIG_SRC_PORT) || !record_has(r, FIELD_ICMP_ORIG_TRANSPORT) ||
	    icmp_of(r)->type != (v4 ? 3 : 1) || (v4 && icmp_of(r)->code == 4))
		return;
	proto = !strcmp(icmp_of(r)->orig_transport, "tcp") ? PROTO_TCP : PROTO_UDP;
	make_key(key, &icmp_of(r)->orig_src, icmp_of(r)->orig_sport, &icmp_of(r)->orig_dst,
		 icmp_of(r)->orig_dport, proto);
	k = find(c, key, &bucket);
	if (k && !k->acked)
		judge(c, k, CALL_FAILED, END_REFUSED);
}

void calls_tick(struct calls *c, uint64_t now_ns, bool all)
{
	c->now_ns = c->stamp_ns = now_ns;
	while (c->n_waiting) {
		struct call *k = &c->v[c->waiting];

		if (!all && k->start_ns + ANSWER_NS > now_ns && k->start_ns <= now_ns)
			return;
		c->waiting = (c->waiting + 1) % c->max;
		c->n_waiting--;
		/* Open without a word is no failure: something listens there. */
		if (k->state == CALL_OPEN && !k->acked && !k->syn_ack)
			judge(c, k, CALL_FAILED, k->start_ns + ANSWER_NS > now_ns ? END_CUT : END_SILENT);
	}
}
