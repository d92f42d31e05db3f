// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * beaconing, new_listener, new_talker and unusual_volume: what is not as it was.  None of them
 * is an attack by itself, so each is on only when it is named.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detector.h"
#include "util/steady.h"

enum {
	PAIRS_MAX = 8192, HOSTS_MAX = 8192,
	VOLUMES = 16,			/* windows that are remembered */
	VOLUMES_MIN = 8,		/* before anything is called unusual */
	VOLUME_BYTES_MIN = 1000000,	/* in a window: less is nobody's business */
};

static const double SPREAD_MAX = 0.1;	/* of the distances between the calls of a beacon, by their mean */
static const double DISTANCE_MIN_S = 5;

/* Calls of one host to another's port: their number, and mean and spread of the distances (Welford, 1962). */
struct rhythm {
	struct table_entry e;
	uint64_t start_ns, last_ns;
	uint32_t n;
	double mean, m2;
};

/* A host or a service, and what a host sends. */
struct host {
	struct table_entry e;
	bool known;
	uint64_t start_ns, bytes;
	uint64_t past[VOLUMES];
	unsigned int n_past;
};

struct habits {
	struct table rhythms, hosts;
	uint64_t first_ns;
};

static void habits_close(void *state)
{
	struct habits *h = state;

	table_close(&h->rhythms);
	table_close(&h->hosts);
	free(h);
}

static int habits_open(void **state, struct detect *d)
{
	struct habits *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	if (table_open(&h->rhythms, sizeof(struct rhythm), 0, PAIRS_MAX, 3600000000000, detect_seed(d) + 10) ||
	    table_open(&h->hosts, sizeof(struct host), 0, HOSTS_MAX, 3600000000000, detect_seed(d) + 11)) {
		habits_close(h);
		return -ENOMEM;
	}
	*state = h;
	return 0;
}

static uint64_t habits_evicted(const void *state)
{
	const struct habits *h = state;

	return h->rhythms.evicted + h->hosts.evicted;
}

static void beat(struct habits *h, struct detect *d, const struct call_news *n)
{
	const struct detect_limit *l = detect_limit(d, RULE_BEACONING);
	uint64_t key[KEY_WORDS];
	double distance, delta;
	struct rhythm *r;
	bool fresh;

	key_make(key, n->caller, n->called, (uint64_t)n->port << 1 | n->is_tcp);
	r = table_get(&h->rhythms, key, n->now_ns, &fresh);
	if (fresh || time_apart(n->stamp_ns, r->start_ns) > l->window_ns) {
		r->start_ns = r->last_ns = n->stamp_ns;
		r->n = 0;
		r->mean = r->m2 = 0;
		return;
	}
	distance = (double)(int64_t)(n->stamp_ns - r->last_ns) / 1e9;
	r->last_ns = n->stamp_ns;
	r->n++;
	delta = distance - r->mean;
	r->mean += delta / r->n;
	r->m2 += delta * (distance - r->mean);
	/* m2 / n is the square of the spread. */
	if (r->n < l->n || r->mean < DISTANCE_MIN_S || r->m2 > r->n * (r->mean * SPREAD_MAX) * (r->mean * SPREAD_MAX))
		return;
	detect_raise(d,
		     &(struct alert){ .rule = RULE_BEACONING,
				      .src = n->caller,
				      .dst = n->called,
				      .port = n->port,
				      .count = r->n + 1,
				      .start_ns = r->start_ns,
				      .same_src = n->caller,
				      .same_dst = n->called,
				      .same = n->port },
		     "%s called port %u of %s %u times, each %.1f s after the last (give or take a tenth)",
		     detect_addr(d, n->caller), n->port, detect_addr(d, n->called), r->n + 1, r->mean);
	r->start_ns = 0;
}

/* Seen for the first time, and the time of getting to know is over. */
static bool is_news(struct habits *h, struct detect *d, const struct addr *a, uint64_t rest, enum detect_rule rule)
{
	uint64_t key[KEY_WORDS];
	bool fresh;

	if (!is_one_host(a))
		return false;
	key_make(key, a, NULL, rest << 8 | rule);
	table_get(&h->hosts, key, detect_now(d), &fresh);
	return fresh && time_since(detect_now(d), h->first_ns) > detect_limit(d, rule)->window_ns;
}

static void habits_call(void *state, struct detect *d, const struct call_news *n)
{
	struct habits *h = state;

	if (n->event == CALL_NEW && detect_limit(d, RULE_BEACONING)->on && is_one_host(n->called))
		beat(h, d, n);
	if (n->event != CALL_WAS_ANSWERED || !detect_limit(d, RULE_NEW_LISTENER)->on ||
	    !is_news(h, d, n->called, (uint64_t)n->port << 1 | n->is_tcp, RULE_NEW_LISTENER))
		return;
	detect_raise(d,
		     &(struct alert){ .rule = RULE_NEW_LISTENER,
				      .dst = n->called,
				      .port = n->port,
				      .same_dst = n->called,
				      .same = (uint64_t)n->port << 1 | n->is_tcp },
		     "%s answers on %s port %u for the first time", detect_addr(d, n->called),
		     n->is_tcp ? "TCP" : "UDP", n->port);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[n / 2];
}

/* Median, and median distance from it: one wild window among the past ones moves neither. */
static void judge_volume(struct detect *d, struct host *o, const struct addr *a)
{
	const struct detect_limit *l = detect_limit(d, RULE_UNUSUAL_VOLUME);
	uint64_t sorted[VOLUMES], usual, spread;
	unsigned int n = o->n_past < VOLUMES ? o->n_past : VOLUMES;

	if (n < VOLUMES_MIN || o->bytes < VOLUME_BYTES_MIN)
		return;
	memcpy(sorted, o->past, n * sizeof(*sorted));
	usual = median(sorted, n);
	for (unsigned int i = 0; i < n; i++)
		sorted[i] = o->past[i] > usual ? o->past[i] - usual : usual - o->past[i];
	spread = median(sorted, n);
	if (spread < usual / 10)
		spread = usual / 10;
	if (o->bytes <= usual + l->n * (spread ? spread : 1))
		return;
	detect_raise(d,
		     &(struct alert){ .rule = RULE_UNUSUAL_VOLUME,
				      .src = a,
				      .count = o->bytes,
				      .start_ns = o->start_ns,
				      .same_src = a },
		     "%s sent %llu bytes, usual are %llu (spread %llu)", detect_addr(d, a),
		     (unsigned long long)o->bytes, (unsigned long long)usual, (unsigned long long)spread);
}

static void volume(struct habits *h, struct detect *d, const struct record *r)
{
	const struct detect_limit *l = detect_limit(d, RULE_UNUSUAL_VOLUME);
	uint64_t key[KEY_WORDS];
	struct host *o;
	bool fresh;

	key_make(key, &r->src, NULL, RULE_UNUSUAL_VOLUME);
	o = table_get(&h->hosts, key, detect_now(d), &fresh);
	if (fresh)
		o->start_ns = detect_now(d);
	if (time_apart(detect_now(d), o->start_ns) >= l->window_ns) {
		judge_volume(d, o, &r->src);
		o->past[o->n_past++ % VOLUMES] = o->bytes;
		if (o->n_past >= 2 * VOLUMES)
			o->n_past -= VOLUMES;
		o->bytes = 0;
		o->start_ns = detect_now(d);
	}
	o->bytes += r->frame_len;
}

static void habits_record(void *state, struct detect *d, const struct record *r)
{
	struct habits *h = state;

	if (!h->first_ns || detect_now(d) < h->first_ns)
		h->first_ns = detect_now(d);
	if (!record_has(r, FIELD_SRC_IP))
		return;
	if (detect_limit(d, RULE_UNUSUAL_VOLUME)->on)
		volume(h, d, r);
	if (detect_limit(d, RULE_NEW_TALKER)->on && is_news(h, d, &r->src, 0, RULE_NEW_TALKER))
		detect_raise(d,
			     &(struct alert){ .rule = RULE_NEW_TALKER, .src = &r->src, .same_src = &r->src },
			     "%s speaks for the first time", detect_addr(d, &r->src));
}

const struct detector habits_detector = {
	.name = "habits",
	.rules = 1u << RULE_BEACONING | 1u << RULE_NEW_LISTENER | 1u << RULE_NEW_TALKER | 1u << RULE_UNUSUAL_VOLUME,
	.open = habits_open,
	.close = habits_close,
	.sets = { &packet_dataset },
	.record = habits_record,
	.call = habits_call,
	.evicted = habits_evicted,
};
