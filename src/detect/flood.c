// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Floods: what is sent to one host, counted for the length of the rule's window and judged
 * at its end - or at once, when it is many times what the rule wants.
 */
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "decode/icmp/fields.h"
#include "detect/detector.h"
#include "numbers/ipproto.h"
#include "util/steady.h"

enum {
	RATES_MAX = 4096, READY_MAX = 256,
	SYNS_MAX = 8192, SYNS_COUNTED = 16,	/* fewer SYNs than this in a second are not looked at */
	AT_ONCE_TIMES = 20,
	REFLECTORS_MIN = 32,
	AMPLIFIED_MIN = 100, AMPLIFIED_NAMES_MIN = 512,	/* bytes of a datagram, on average */
	AMPLIFIED_BYTES = 1000,	/* by one reflector: so many bytes for each datagram wanted */
	ERRORS_TO_ONE = 20,		/* ICMP errors are provoked: so many count as one message */
};

/* One rule and one host that it may be about. */
struct rate {
	struct table_entry e;
	struct addr dst, src;		/* src: the first of its sources */
	uint64_t start_ns;
	uint64_t n, good, bytes;
	uint16_t port;			/* the first */
	uint8_t  rule;
	bool     ready, judged;		/* stands in ready[]; told in this window */
	struct variety sources, ports;
};

struct flood {
	struct table rates;
	uint32_t ready[READY_MAX];	/* places of those that have reached their limit */
	unsigned int n_ready;
	uint8_t syns[SYNS_MAX];		/* of hosts, by their hash; in the second that began then */
	uint64_t syns_ns;
	uint64_t reflecting_ns;		/* until then data to hosts that get SYN+ACKs are looked for */
};

static void flood_close(void *state)
{
	struct flood *f = state;

	table_close(&f->rates);
	free(f);
}

static int flood_open(void **state, struct detect *d)
{
	struct flood *f = calloc(1, sizeof(*f));

	if (!f || table_open(&f->rates, sizeof(struct rate), offsetof(struct rate, sources), RATES_MAX, 1000000000,
			     detect_seed(d) + 5)) {
		free(f);
		return -ENOMEM;
	}
	*state = f;
	return 0;
}

static uint64_t flood_evicted(const void *state)
{
	return ((const struct flood *)state)->rates.evicted;
}

static void raise(struct detect *d, const struct rate *r, const char *what)
{
	uint32_t sources = variety_count(&r->sources), ports = variety_count(&r->ports);
	bool one = sources == 1 && is_one_host(&r->src);
	char from[ADDR_TEXT_MAX + 16];

	if (one)
		snprintf(from, sizeof(from), "%s", detect_addr(d, &r->src));
	else
		snprintf(from, sizeof(from), "%u source%s", sources, sources == 1 ? "" : "s");
	detect_raise(d,
		     &(struct alert){ .rule = r->rule,
				      .src = one ? &r->src : NULL,
				      .dst = &r->dst,
				      .port = ports == 1 ? r->port : 0,
				      .count = r->n,
				      .ports = ports,
				      .sources = sources,
				      .start_ns = r->start_ns,
				      .same_dst = &r->dst },
		     "%llu %s to %s from %s in %.1f s", (unsigned long long)r->n, what, detect_addr(d, &r->dst), from,
		     (double)time_since(detect_now(d), r->start_ns) / 1e9);
}

/* Begun and not opened; not the many ports of a scan by a few. */
static void judge_syn(struct detect *d, const struct rate *r, uint64_t wanted)
{
	uint64_t bad = r->n > r->good ? r->n - r->good : 0;
	bool scan = variety_count(&r->sources) <= 4 && (uint64_t)variety_count(&r->ports) * 4 >= r->n;

	if (bad >= wanted && bad * 3 >= r->n * 2 && !scan)
		raise(d, r, "SYNs");
}

/* From many; and no data behind them, which would be connections seen one way only. */
static void judge_reflection(struct detect *d, const struct rate *r, uint64_t wanted)
{
	if (r->n >= wanted && variety_count(&r->sources) >= REFLECTORS_MIN && r->good * 2 < r->n)
		raise(d, r, "SYN+ACKs that answer nothing");
}

static void judge_amplification(struct detect *d, const struct rate *r, uint64_t wanted)
{
	uint64_t least = r->port == 53 ? AMPLIFIED_NAMES_MIN : AMPLIFIED_MIN;

	if (r->n >= wanted && r->bytes >= r->n * least &&
	    (variety_count(&r->sources) >= REFLECTORS_MIN || r->bytes >= wanted * AMPLIFIED_BYTES))
		raise(d, r, "datagrams of amplifying services that answer nothing");
}

static void judge_icmp(struct detect *d, const struct rate *r, uint64_t wanted)
{
	if (r->n + r->good / ERRORS_TO_ONE >= wanted)
		raise(d, r, "ICMP messages");
}

static void judge_udp(struct detect *d, const struct rate *r, uint64_t wanted)
{
	if (r->n >= wanted && r->good * 20 < r->n)
		raise(d, r, "datagrams without an answer");
}

static void judge(struct detect *d, struct rate *r)
{
	uint64_t wanted = detect_limit(d, r->rule)->n;

	if (r->judged)
		return;
	switch (r->rule) {
	case RULE_SYN_FLOOD: judge_syn(d, r, wanted); break;
	case RULE_TCP_REFLECTION: judge_reflection(d, r, wanted); break;
	case RULE_UDP_AMPLIFICATION: judge_amplification(d, r, wanted); break;
	case RULE_ICMP_FLOOD: judge_icmp(d, r, wanted); break;
	default: judge_udp(d, r, wanted); break;
	}
	r->judged = true;
}

static void clear(struct rate *r, uint64_t now_ns)
{
	r->start_ns = now_ns;
	r->n = r->good = r->bytes = 0;
	r->port = 0;
	r->judged = false;
	variety_clear(&r->sources);
	variety_clear(&r->ports);
}

static struct rate *find(struct flood *f, const struct addr *dst, enum detect_rule rule)
{
	uint64_t key[KEY_WORDS];

	key_make(key, NULL, dst, rule);
	return table_find(&f->rates, key);
}

static struct rate *rate_of(struct flood *f, struct detect *d, const struct addr *dst, enum detect_rule rule)
{
	const struct detect_limit *l = detect_limit(d, rule);
	uint64_t key[KEY_WORDS], now_ns = detect_now(d);
	struct rate *r;
	bool fresh;

	key_make(key, NULL, dst, rule);
	r = table_get(&f->rates, key, now_ns, &fresh);
	if (fresh) {
		r->dst = *dst;
		r->rule = (uint8_t)rule;
		clear(r, now_ns);
	} else if (time_apart(now_ns, r->start_ns) >= l->window_ns) {
		if (r->n >= l->n)
			judge(d, r);
		clear(r, now_ns);
	}
	return r;
}

static void count(struct flood *f, struct detect *d, struct rate *r, const struct addr *src, uint16_t port)
{
	uint64_t wanted = detect_limit(d, r->rule)->n;

	if (!r->n) {
		r->src = *src;
		r->port = port;
	}
	r->n++;
	variety_add(&r->sources, hash_addr(detect_key(d), src));
	variety_add(&r->ports, hash_words(detect_key(d), (uint64_t[]){ port }, 1));
	if (r->n >= wanted && !r->ready && f->n_ready < READY_MAX) {
		r->ready = true;
		f->ready[f->n_ready++] = (uint32_t)(((uint8_t *)r - f->rates.v) / f->rates.size);
	}
	if (r->n >= wanted * AT_ONCE_TIMES)
		judge(d, r);
}

/* Most hosts get few SYNs: those are counted where it costs little.  Places are shared, which errs to the safe side. */
static bool has_many_syns(struct flood *f, const struct detect *d, const struct addr *dst, bool more)
{
	const struct detect_limit *l = detect_limit(d, RULE_SYN_FLOOD);
	uint8_t *n = &f->syns[hash_mix_addr(detect_key(d)->k0, dst) >> 16 & (SYNS_MAX - 1)];

	if (l->n < SYNS_COUNTED * 4 || l->window_ns > 1000000000)
		return true;
	if (detect_now(d) - f->syns_ns >= 1000000000) {
		memset(f->syns, 0, sizeof(f->syns));
		f->syns_ns = detect_now(d);
	}
	*n += more && *n < SYNS_COUNTED;
	return *n == SYNS_COUNTED;
}

static void flood_call(void *state, struct detect *d, const struct call_news *n)
{
	struct flood *f = state;
	struct rate *r;

	if (n->is_tcp && (n->event == CALL_NEW || n->event == CALL_AGAIN)) {
		if (detect_limit(d, RULE_SYN_FLOOD)->on && has_many_syns(f, d, n->called, true))
			count(f, d, rate_of(f, d, n->called, RULE_SYN_FLOOD), n->caller, n->port);
	} else if (n->event == CALL_COMPLETED) {
		r = has_many_syns(f, d, n->called, false) ? find(f, n->called, RULE_SYN_FLOOD) : NULL;
		if (r)
			r->good++;
	} else if (n->event == CALL_UNASKED && n->is_tcp) {
		if (!detect_limit(d, RULE_TCP_REFLECTION)->on)
			return;
		r = rate_of(f, d, n->called, RULE_TCP_REFLECTION);
		count(f, d, r, n->caller, n->caller_port);
		if (r->n * 2 >= detect_limit(d, RULE_TCP_REFLECTION)->n)
			f->reflecting_ns = n->now_ns + detect_limit(d, RULE_TCP_REFLECTION)->window_ns;
	} else if (n->event == CALL_UNASKED && calls_amplifies(n->caller_port)) {
		if (!detect_limit(d, RULE_UDP_AMPLIFICATION)->on)
			return;
		r = rate_of(f, d, n->called, RULE_UDP_AMPLIFICATION);
		r->bytes += n->bytes;
		count(f, d, r, n->caller, n->caller_port);
	}
}

/* Answers, errors and the talk of neighbours and groups (RFC 4861, 2710, 3810). */
static bool is_reply(const struct record *r)
{
	return icmp_of(r)->type == (r->src.family == 4 ? 0 : 129);
}

static bool is_error(const struct record *r)
{
	uint8_t t = icmp_of(r)->type;

	return r->src.family == 4 ? t == 3 || t == 4 || t == 5 || t == 11 || t == 12 : t < 128;
}

static bool is_neighbours(const struct record *r)
{
	uint8_t t = icmp_of(r)->type;

	return r->src.family == 4 ? t == 9 || t == 10 : (t >= 130 && t <= 137) || t == 143;
}

/* A packet was counted before it was known what it says. */
static void icmp_message(struct flood *f, struct detect *d, const struct record *r)
{
	struct rate *to = find(f, &r->dst, RULE_ICMP_FLOOD), *asked;

	if (!to || !to->n)
		return;
	asked = is_reply(r) ? find(f, &r->src, RULE_ICMP_FLOOD) : NULL;
	if (is_neighbours(r) || is_error(r) || (asked && asked->n)) {
		to->n--;
		to->good += is_error(r);
	}
}

static void flood_record(void *state, struct detect *d, const struct record *r)
{
	struct flood *f = state;
	struct rate *to;

	if (r->set == &icmp_dataset) {
		icmp_message(f, d, r);
		return;
	}
	if (!record_has(r, FIELD_DST_IP) || (record_has(r, FIELD_FRAG_OFFSET) && r->frag_offset))
		return;
	if (r->iana_number == PROTO_ICMP || r->iana_number == PROTO_ICMPV6) {
		if (detect_limit(d, RULE_ICMP_FLOOD)->on)
			count(f, d, rate_of(f, d, &r->dst, RULE_ICMP_FLOOD), &r->src, 0);
	} else if (r->iana_number == PROTO_UDP) {
		if (!detect_limit(d, RULE_UDP_FLOOD)->on)
			return;
		count(f, d, rate_of(f, d, &r->dst, RULE_UDP_FLOOD), &r->src, r->dport);
		to = find(f, &r->src, RULE_UDP_FLOOD);
		if (to)
			to->good++;
	} else if (f->reflecting_ns > detect_now(d) && payload_of(r)) {
		to = find(f, &r->dst, RULE_TCP_REFLECTION);
		if (to)
			to->good++;
	}
}

static void flood_tick(void *state, struct detect *d, bool end)
{
	struct flood *f = state;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < f->n_ready; i++) {
		struct rate *r = table_at(&f->rates, f->ready[i]);
		const struct detect_limit *l = detect_limit(d, r->rule);

		if (!r->ready)	/* another has its place now */
			continue;
		if (!end && time_apart(detect_now(d), r->start_ns) < l->window_ns) {
			f->ready[kept++] = f->ready[i];
			continue;
		}
		r->ready = false;
		if (r->n >= l->n)
			judge(d, r);
		clear(r, detect_now(d));
	}
	f->n_ready = kept;
}

const struct detector flood_detector = {
	.name = "flood",
	.rules = 1u << RULE_SYN_FLOOD | 1u << RULE_TCP_REFLECTION | 1u << RULE_UDP_AMPLIFICATION |
		 1u << RULE_ICMP_FLOOD | 1u << RULE_UDP_FLOOD,
	.open = flood_open,
	.close = flood_close,
	.sets = { &packet_dataset, &icmp_dataset },
	.record = flood_record,
	.call = flood_call,
	.tick = flood_tick,
	.evicted = flood_evicted,
};
