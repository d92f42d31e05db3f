// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnels in names and random subdomains: many different names of one domain in a short time.  In a
 * tunnel they are long, for they are the data; where they are random to get past the caches,
 * they do not exist.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "detect/detector.h"
#include "identity.h"
#include "util/steady.h"

enum {
	DOMAINS_MAX = 4096,
	LABELS_BYTES_MIN = 20,		/* below the domain, on average: what a tunnel needs to be worth it */
};

struct domain {
	struct table_entry e;
	uint64_t start_ns;
	uint64_t bytes;
	uint32_t asked;
	struct variety names;
};

static void names_close(void *state)
{
	table_close(state);
	free(state);
}

static int names_open(void **state, struct detect *d)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t || table_open(t, sizeof(struct domain), 0, DOMAINS_MAX, 60000000000, detect_seed(d) + 9)) {
		free(t);
		return -ENOMEM;
	}
	*state = t;
	return 0;
}

static uint64_t names_evicted(const void *state)
{
	return ((const struct table *)state)->evicted;
}

static uint64_t hash_text(const struct hash_key *k, const char *p, uint32_t n)
{
	uint64_t w[2] = { 0x1234, n };

	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i];

		w[0] = (w[0] ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 0x100000001b3ull;
	}
	return hash_words(k, w, 2);
}

/* Where the registered domain begins: the last two labels, three where the second is short (co.uk). */
static uint32_t domain_at(const struct str *name)
{
	uint32_t at = name->n, end = name->n;

	for (unsigned int labels = 1; at; at--) {
		if (name->p[at - 1] != '.')
			continue;
		if (labels >= 3 || (labels == 2 && end - at > 3))
			return at;
		labels++;
		end = at - 1;
	}
	return 0;
}

static struct domain *domain_of(struct table *t, struct detect *d, const struct addr *who, const struct str *name,
				uint32_t at, enum detect_rule rule)
{
	uint64_t key[KEY_WORDS], now_ns = detect_now(d);
	struct domain *o;
	bool fresh;

	key_make(key, who, NULL, rule);
	key[2] = hash_text(detect_key(d), name->p + at, name->n - at);
	o = table_get(t, key, now_ns, &fresh);
	if (fresh || time_apart(now_ns, o->start_ns) > detect_limit(d, rule)->window_ns) {
		o->start_ns = now_ns;
		o->bytes = o->asked = 0;
		variety_clear(&o->names);
	}
	return o;
}

static void raise(struct detect *d, struct domain *o, enum detect_rule rule, const struct addr *src,
		  const struct str *name, uint32_t at, const char *what)
{
	char domain[64];
	uint32_t n = 0;

	for (; n + 1 < sizeof(domain) && at + n < name->n; n++) {
		char c = name->p[at + n];

		domain[n] = c > 0x20 && c < 0x7f ? c : '?';
	}
	domain[n] = '\0';
	detect_raise(d,
		     &(struct alert){ .rule = rule,
				      .src = src,
				      .count = variety_count(&o->names),
				      .start_ns = o->start_ns,
				      .same_src = src,
				      .same = o->e.key[2] >> 8 },
		     "%u %s names of %s, %llu bytes", variety_count(&o->names), what, domain,
		     (unsigned long long)o->bytes);
	o->start_ns = 0;
}

static bool take(struct domain *o, struct detect *d, const struct str *name, uint32_t at)
{
	bool is_new = variety_add(&o->names, hash_text(detect_key(d), name->p, at));

	o->bytes += is_new ? at : 0;
	o->asked++;
	return is_new;
}

static void names_record(void *state, struct detect *d, const struct record *r)
{
	const struct str *name;
	struct lookup l = { .asked = false };
	struct domain *o;
	uint32_t at;

	if (!r->set->lookup(r, &l) || !record_has(r, FIELD_SRC_IP))
		return;
	name = &l.name;
	at = domain_at(name);
	/* Names below arpa are addresses; those below local are of this link. */
	if (at < 2 || (name->n > 5 && !strncasecmp(name->p + name->n - 5, ".arpa", 5)))
		return;
	if (l.asked && detect_limit(d, RULE_NAME_TUNNEL)->on) {
		o = domain_of(state, d, &r->src, name, at, RULE_NAME_TUNNEL);
		if (take(o, d, name, at) && variety_count(&o->names) >= detect_limit(d, RULE_NAME_TUNNEL)->n &&
		    o->bytes >= (uint64_t)variety_count(&o->names) * LABELS_BYTES_MIN)
			raise(d, o, RULE_NAME_TUNNEL, &r->src, name, at, "long");
	} else if (l.missing && detect_limit(d, RULE_RANDOM_SUBDOMAIN)->on) {
		o = domain_of(state, d, NULL, name, at, RULE_RANDOM_SUBDOMAIN);
		if (take(o, d, name, at) && variety_count(&o->names) >= detect_limit(d, RULE_RANDOM_SUBDOMAIN)->n)
			raise(d, o, RULE_RANDOM_SUBDOMAIN, NULL, name, at, "missing");
	}
}

const struct detector names_detector = {
	.name = "names",
	.rules = 1u << RULE_NAME_TUNNEL | 1u << RULE_RANDOM_SUBDOMAIN,
	.open = names_open,
	.close = names_close,
	.lookups = true,
	.record = names_record,
	.evicted = names_evicted,
};
