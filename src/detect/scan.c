// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * port_scan and host_scan.  A scan is told from work by what becomes of its calls: they go to
 * many ports of one host, or to many hosts on one port, and hardly one is taken up - for TCP, is
 * opened by both sides.  How fast is of no account: a call counts for the rule's window.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detector.h"
#include "util/steady.h"

enum {
	PAIRS_MAX = 8192, SWEEPS_MAX = 8192, HOSTS_MAX = 2048, TAKEN_UP_MAX = 32768,
	TAKEN_UP_OF_PAIR = 64,		/* more do not hide a scan of that host */
	/* UDP that nobody answers is common (syslog, traps): without ICMP that refuses it takes more. */
	SILENT_UDP_TIMES = 3,
	PROBE_PACKETS_MAX = 3,		/* who sends more than this to a port does not probe it */
	/* Clients call many strangers here, and some are always dead. */
	PUBLIC_PORT_TIMES = 4,
	MANY_TIMES = 6, MANY_SOURCES = 4,	/* from many sources at once */
	TRACEROUTE_FIRST = 33434, TRACEROUTE_LAST = 33689,
};

static const uint64_t MANY_WINDOW_NS = 60000000000;

/* What a source did to one host (its ports), or on one port (its hosts). */
struct tries {
	struct table_entry e;
	uint64_t start_ns;
	uint32_t answered, refused, cut;
	struct variety failed;
};

/*
 * How many calls of a source to a host, or on a port, were taken up: a place for each, shared
 * by those that hash to it.  Then the one with more stays: others take one off, and at 0 its
 * place.  What is older than one to two windows does not count.
 */
struct taken_up {
	uint32_t tag;
	uint16_t n, window;
};

/* A host, and what many sources together did to its ports. */
struct target {
	struct table_entry e;
	uint64_t start_ns;
	uint32_t failures;
	struct variety ports, sources;
};

struct scan {
	struct table pairs, sweeps, targets;
	struct taken_up *taken_up;
};

static void scan_close(void *state)
{
	struct scan *s = state;

	table_close(&s->pairs);
	table_close(&s->sweeps);
	table_close(&s->targets);
	free(s->taken_up);
	free(s);
}

static int scan_open(void **state, struct detect *d)
{
	struct scan *s = calloc(1, sizeof(*s));
	uint32_t seed = detect_seed(d);
	const uint64_t hot = MANY_WINDOW_NS;
	const uint32_t size = sizeof(struct tries), zeroed = offsetof(struct tries, failed.first);

	if (!s)
		return -ENOMEM;
	s->taken_up = calloc(TAKEN_UP_MAX, sizeof(*s->taken_up));
	if (!s->taken_up || table_open(&s->pairs, size, zeroed, PAIRS_MAX, hot, seed + 2) ||
	    table_open(&s->sweeps, size, zeroed, SWEEPS_MAX, hot, seed + 3) ||
	    table_open(&s->targets, sizeof(struct target), 0, HOSTS_MAX, hot, seed + 4)) {
		scan_close(s);
		return -ENOMEM;
	}
	*state = s;
	return 0;
}

static uint64_t scan_evicted(const void *state)
{
	const struct scan *s = state;

	return s->pairs.evicted + s->sweeps.evicted + s->targets.evicted;
}

static uint64_t window_of(const struct detect *d, bool pair)
{
	return detect_limit(d, pair ? RULE_PORT_SCAN : RULE_HOST_SCAN)->window_ns;
}

/* Its place; NULL: that is another's. */
static struct taken_up *place_of(const struct scan *s, const struct detect *d, const struct call_news *n, bool pair)
{
	const struct hash_key *seed = detect_key(d);
	uint64_t h = hash_mix_addr(pair ? seed->k0 : seed->k1, n->caller);
	struct taken_up *t;
	uint16_t window = (uint16_t)(n->now_ns / window_of(d, pair));
	uint32_t tag;

	h = hash_mix(pair ? hash_mix_addr(h, n->called) : h, pair ? n->is_tcp : (uint64_t)n->port << 1 | n->is_tcp);
	t = &s->taken_up[h & (TAKEN_UP_MAX - 1)];
	tag = (uint32_t)(h >> 32);
	if ((uint16_t)(window - t->window + 1) > 2)
		t->n = 0;
	if (!t->n)
		t->tag = tag;
	if (t->tag != tag) {
		t->n--;
		return NULL;
	}
	t->window = window;
	return t;
}

static void taken_up(const struct scan *s, const struct detect *d, const struct call_news *n, bool pair)
{
	struct taken_up *t = place_of(s, d, n, pair);

	if (t)
		t->n += t->n < (pair ? TAKEN_UP_OF_PAIR : UINT16_MAX);
}

/* What a source does to one host, or on one port of all. */
static struct tries *tries_of(struct scan *s, const struct detect *d, const struct call_news *n, bool pair)
{
	const struct taken_up *t;
	uint64_t key[KEY_WORDS];
	struct tries *tr;
	bool fresh;

	key_make(key, n->caller, pair ? n->called : NULL, (uint64_t)(pair ? 0 : n->port) << 1 | n->is_tcp);
	tr = table_get(pair ? &s->pairs : &s->sweeps, key, n->now_ns, &fresh);
	if (fresh || time_apart(n->now_ns, tr->start_ns) > window_of(d, pair)) {
		tr->start_ns = n->now_ns;
		tr->refused = tr->cut = 0;
		variety_clear(&tr->failed);
	}
	t = place_of(s, d, n, pair);
	tr->answered = t ? t->n : 0;
	return tr;
}

/* As many as the rule wants, and for each that was taken up three that were not. */
static bool is_scan(const struct tries *tr, uint64_t wanted, bool is_tcp)
{
	uint32_t n = variety_count(&tr->failed);

	/* Where calls are answered, those that there was no time to answer prove nothing. */
	if (tr->answered)
		n -= tr->cut < n ? tr->cut : n;
	if (!is_tcp && tr->refused * 2 < n)
		wanted *= SILENT_UDP_TIMES;
	return n >= wanted && n >= (uint64_t)tr->answered * 3;
}

/* One more; true when it went where none had gone. */
static bool failed(struct tries *tr, const struct call_news *n, uint64_t hash)
{
	bool is_new = variety_add(&tr->failed, hash);

	tr->refused += n->end == END_REFUSED;
	tr->cut += is_new && n->end == END_CUT;
	return is_new;
}

static const char *method(const struct call_news *n)
{
	return n->end == END_ODD ? n->how : n->is_tcp ? "TCP" : "UDP";
}

static bool is_public(uint16_t port)
{
	static const uint16_t ports[] = { 25, 53, 80, 123, 443, 853, 3478, 5222, 5223, 6881, 8080, 8443 };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i] == port)
			return true;
	return false;
}

/* Many sources, each with a few ports, none of them twice: somebody shares the work out. */
static void many_sources(struct scan *s, struct detect *d, const struct call_news *n)
{
	uint64_t key[KEY_WORDS], wanted = detect_limit(d, RULE_PORT_SCAN)->n * MANY_TIMES;
	uint32_t ports, sources;
	struct target *t;
	bool fresh;

	key_make(key, n->called, NULL, n->is_tcp);
	t = table_get(&s->targets, key, n->now_ns, &fresh);
	if (fresh || time_apart(n->now_ns, t->start_ns) > MANY_WINDOW_NS) {
		t->start_ns = n->now_ns;
		t->failures = 0;
		variety_clear(&t->ports);
		variety_clear(&t->sources);
	}
	t->failures++;
	variety_add(&t->ports, hash_words(detect_key(d), (uint64_t[]){ n->port }, 1));
	variety_add(&t->sources, hash_addr(detect_key(d), n->caller));
	ports = variety_count(&t->ports);
	sources = variety_count(&t->sources);
	if (ports < wanted || sources < MANY_SOURCES || t->failures > ports * 2 || sources * 2 > t->failures)
		return;
	detect_raise(d,
		     &(struct alert){ .rule = RULE_PORT_SCAN,
				      .dst = n->called,
				      .count = t->failures,
				      .ports = ports,
				      .sources = sources,
				      .start_ns = t->start_ns,
				      .same_dst = n->called },
		     "%u sources together probed %u %s ports of %s", sources, ports, method(n),
		     detect_addr(d, n->called));
	t->start_ns = 0;
}

static void ports_of_host(struct scan *s, struct detect *d, const struct call_news *n)
{
	const struct detect_limit *l = detect_limit(d, RULE_PORT_SCAN);
	struct tries *tr = tries_of(s, d, n, true);
	uint32_t ports;

	if (!failed(tr, n, hash_words(detect_key(d), (uint64_t[]){ n->port }, 1)) || !is_scan(tr, l->n, n->is_tcp))
		return;
	ports = variety_count(&tr->failed);
	detect_raise(d,
		     &(struct alert){ .rule = RULE_PORT_SCAN,
				      .src = n->caller,
				      .dst = n->called,
				      .count = ports + tr->answered,
				      .ports = ports,
				      .start_ns = tr->start_ns,
				      .same_src = n->caller,
				      .same_dst = n->called },
		     "%s probed %u ports of %s (%s): %u refused, %u taken up", detect_addr(d, n->caller), ports,
		     detect_addr(d, n->called), method(n), tr->refused, tr->answered);
	tr->start_ns = 0;
}

static void hosts_on_port(struct scan *s, struct detect *d, const struct call_news *n)
{
	const struct detect_limit *l = detect_limit(d, RULE_HOST_SCAN);
	struct tries *tr = tries_of(s, d, n, false);
	uint32_t hosts;

	if (n->end == END_HALF_OPEN)	/* load balancers test their servers so */
		return;
	if (!failed(tr, n, hash_addr(detect_key(d), n->called)) ||
	    !is_scan(tr, is_public(n->port) ? l->n * PUBLIC_PORT_TIMES : l->n, n->is_tcp))
		return;
	hosts = variety_count(&tr->failed);
	detect_raise(d,
		     &(struct alert){ .rule = RULE_HOST_SCAN,
				      .src = n->caller,
				      .port = n->port,
				      .count = hosts + tr->answered,
				      .hosts = hosts,
				      .start_ns = tr->start_ns,
				      .same_src = n->caller },
		     "%s probed port %u of %u hosts (%s): %u refused, %u took it up", detect_addr(d, n->caller),
		     n->port, hosts, method(n), tr->refused, tr->answered);
	tr->start_ns = 0;
}

static bool is_probe(const struct call_news *n)
{
	if (!is_one_host(n->caller) || !is_one_host(n->called))
		return false;
	if (n->call && n->call->packets > PROBE_PACKETS_MAX && n->end != END_REFUSED)
		return false;
	return n->is_tcp || n->port < TRACEROUTE_FIRST || n->port > TRACEROUTE_LAST;
}

static void scan_call(void *state, struct detect *d, const struct call_news *n)
{
	struct scan *s = state;

	if (n->event == CALL_HAS_FAILED && is_probe(n)) {
		if (detect_limit(d, RULE_PORT_SCAN)->on) {
			ports_of_host(s, d, n);
			many_sources(s, d, n);
		}
		if (detect_limit(d, RULE_HOST_SCAN)->on)
			hosts_on_port(s, d, n);
	} else if (n->event == (n->is_tcp ? CALL_COMPLETED : CALL_WAS_ANSWERED)) {
		taken_up(s, d, n, true);
		taken_up(s, d, n, false);
	}
}

const struct detector scan_detector = {
	.name = "scan",
	.rules = 1u << RULE_PORT_SCAN | 1u << RULE_HOST_SCAN,
	.open = scan_open,
	.close = scan_close,
	.call = scan_call,
	.evicted = scan_evicted,
};
