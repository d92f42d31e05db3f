// SPDX-License-Identifier: GPL-2.0-or-later
/* policy watch: which rule of the packet filter dropped a connection. */
#include "cmd/policy_cause.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/policy_network.h"

/* ── what is seen ─────────────────────────────────────────────────────────── */

void causes_begin(struct causes *c)
{
	unsigned long major = 0, minor = 0;
	struct utsname u;
	char *end = NULL;

	memset(c, 0, sizeof(*c));
	if (!uname(&u))
		major = strtoul(u.release, &end, 10);
	if (end && *end == '.')
		minor = strtoul(end + 1, NULL, 10);
	c->old = major < 6 || (major == 6 && minor < 7);
}

static enum cause_place place_of(const char *location)
{
	if (!location || !strncmp(location, "0x", 2))
		return PLACE_UNKNOWN;
	return strncmp(location, "nft_", 4) ? PLACE_OTHER : PLACE_NFT;
}

void causes_drop(struct causes *c, uint64_t time_ns, const char *location)
{
	c->drops[c->n_drops % CAUSE_DROPS_MAX].time_ns = (int64_t)time_ns;
	c->drops[c->n_drops++ % CAUSE_DROPS_MAX].place = (uint8_t)place_of(location);
}

/* ── readings ─────────────────────────────────────────────────────────────── */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* All that the rules are, but what they have counted. */
static uint64_t digest_of(const struct nf_rules *r)
{
	uint64_t h = mix(mix(mix(1, r->generation), r->n_rules), r->n_chains);

	for (uint32_t i = 0; i < r->n_rules; i++)
		h = mix(mix(mix(h, r->rules[i].handle), (uint64_t)r->rules[i].chain << 8 | r->rules[i].verdict),
			r->rules[i].digest);
	for (uint32_t i = 0; i < r->n_chains; i++)
		h = mix(h, (uint64_t)r->chains[i].first << 2 | r->chains[i].base << 1 | r->chains[i].drops);
	return h;
}

static void put(struct cause_reading *r, uint32_t index, uint64_t was, uint64_t now)
{
	if (now == was)
		return;
	if (now < was)		/* somebody has set it back: it is not known what was counted before that */
		r->n = CAUSE_RULES_MAX;
	if (r->n < CAUSE_RULES_MAX) {
		r->rule[r->n] = index;
		r->rose[r->n] = now - was;
	}
	r->n++;
}

static bool ends_there(const struct nf_rule *r)
{
	return r->verdict == NF_DROPS || r->verdict == NF_REJECTS;
}

static bool may_drop_uncounted(const struct nf_rule *r)
{
	return r->verdict == NF_MAPS ? !r->only_goes : ends_there(r) && (!r->counted || r->counts_more);
}

static void mark_uncounted(struct causes *c, const struct nf_chain *chain)
{
	if (!chain->reached || chain->family == NFPROTO_ARP)
		return;
	c->uncounted[chain->via][0] |= chain->family != NFPROTO_IPV6;
	c->uncounted[chain->via][1] |= chain->family != NFPROTO_IPV4;
}

static void look_for_uncounted(struct causes *c, const struct nf_rules *r)
{
	memset(c->uncounted, 0, sizeof(c->uncounted));
	for (uint32_t i = 0; i < r->n_rules; i++)
		if (may_drop_uncounted(&r->rules[i]))
			mark_uncounted(c, &r->chains[r->rules[i].chain]);
	for (uint32_t i = 0; i < r->n_chains; i++)
		if (r->chains[i].base && r->chains[i].drops && !r->chains[i].counted)
			mark_uncounted(c, &r->chains[i]);
}

void causes_take(struct causes *c, const struct nf_rules *was, const struct nf_rules *now, int64_t began_ns,
		 int64_t ended_ns)
{
	struct cause_reading *r = &c->v[c->n % CAUSE_READINGS];
	uint64_t digest = digest_of(now);
	bool comparable = c->ended_ns && digest == c->digest && !now->cut && !now->broken;

	*r = (struct cause_reading){ .was_began_ns = c->began_ns, .was_ended_ns = c->ended_ns, .began_ns = began_ns,
				     .ended_ns = ended_ns, .digest = digest };
	c->began_ns = began_ns;
	c->ended_ns = ended_ns;
	c->digest = digest;
	look_for_uncounted(c, now);
	if (!comparable)
		return;
	for (uint32_t i = 0; i < now->n_rules; i++)
		if (ends_there(&now->rules[i]))
			put(r, i, was->rules[i].packets, now->rules[i].packets);
	for (uint32_t i = 0; i < now->n_chains; i++)
		if (now->chains[i].base && now->chains[i].drops)
			put(r, now->n_rules + i, was->chains[i].packets, now->chains[i].packets);
	c->n++;
}

/* ── which one ────────────────────────────────────────────────────────────── */

/* Of one connection: what was counted while it may have been dropped. */
struct search {
	const struct causes *c;
	const struct nf_rules *rules;
	const struct verdict_conn *conn;
	enum cause_place place;
	uint32_t found;			/* UINT32_MAX: none yet */
	uint64_t rose;
};

static bool via_fits(const struct search *s, uint8_t via)
{
	if (s->place == PLACE_NFT)
		return via == NF_TABLES;
	return s->place == PLACE_UNKNOWN || s->c->old || via == NF_LEGACY;
}

static bool family_fits(const struct nf_chain *chain, const struct verdict_conn *conn)
{
	switch (chain->family) {
	case NFPROTO_IPV4: return conn->src.family == 4;
	case NFPROTO_IPV6: return conn->src.family == 6;
	case NFPROTO_ARP: return false;
	}
	return true;
}

static const struct nf_chain *chain_of(const struct nf_rules *rules, uint32_t index)
{
	return &rules->chains[index < rules->n_rules ? rules->rules[index].chain : index - rules->n_rules];
}

/* Those of one reading; false: there is another one, or it is not known which. */
static bool add(struct search *s, const struct cause_reading *r)
{
	if (r->n > CAUSE_RULES_MAX || r->digest != s->c->digest)
		return false;
	for (uint32_t i = 0; i < r->n; i++) {
		const struct nf_chain *chain = chain_of(s->rules, r->rule[i]);

		if (!chain->reached || !via_fits(s, chain->via))
			continue;
		if ((s->found != UINT32_MAX && s->found != r->rule[i]) || !family_fits(chain, s->conn))
			return false;
		s->found = r->rule[i];
		s->rose += r->rose[i];
	}
	return true;
}

/*
 * Have so many been seen being dropped there, give or take those during the readings at both ends?  Times of packets
 * are of another clock than those of readings: `edge` is what converting them may be wrong by.
 */
static bool adds_up(const struct search *s, const struct cause_reading *first_read, const struct cause_reading *last)
{
	const struct causes *c = s->c;
	uint64_t first = c->n_drops > CAUSE_DROPS_MAX ? c->n_drops - CAUSE_DROPS_MAX : 0, least = 0, most = 0;
	const int64_t edge = 20000000;

	for (uint64_t i = c->n_drops; i-- > first;) {
		int64_t at = c->drops[i % CAUSE_DROPS_MAX].time_ns;
		bool fits = s->place == PLACE_UNKNOWN || c->drops[i % CAUSE_DROPS_MAX].place == s->place ||
			    c->drops[i % CAUSE_DROPS_MAX].place == PLACE_UNKNOWN;

		least += fits && at > first_read->was_ended_ns && at < last->began_ns;
		most += fits && at > first_read->was_began_ns - edge && at < last->ended_ns + edge;
	}
	if (first && c->drops[first % CAUSE_DROPS_MAX].time_ns >= first_read->was_began_ns)
		return false;		/* some are forgotten */
	return s->rose >= least && s->rose <= most;
}

/* Between two readings it is the later that tells; during one that, and the next. */
static bool search(struct search *s)
{
	const struct causes *c = s->c;
	uint64_t first = c->n > CAUSE_READINGS ? c->n - CAUSE_READINGS : 0;
	int64_t at = (int64_t)s->conn->decided_ns;

	for (uint64_t i = first; i < c->n; i++) {
		const struct cause_reading *r = &c->v[i % CAUSE_READINGS];
		const struct cause_reading *next = i + 1 < c->n ? &c->v[(i + 1) % CAUSE_READINGS] : NULL;

		if (at <= r->was_ended_ns || at > r->ended_ns)
			continue;
		if (!add(s, r))
			return false;
		if (at < r->began_ns)
			return s->found != UINT32_MAX && adds_up(s, r, r);
		return next && next->was_ended_ns == r->ended_ns && add(s, next) && s->found != UINT32_MAX &&
		       adds_up(s, r, next);
	}
	return false;
}

static bool may_be_uncounted(const struct search *s)
{
	for (unsigned int via = NF_TABLES; via <= NF_LEGACY; via++)
		if (via_fits(s, (uint8_t)via) && s->c->uncounted[via][s->conn->src.family == 6])
			return true;
	return false;
}

void cause_put(struct cause *out, const struct nf_rules *rules, const struct nf_chain *chain,
	       const struct nf_rule *rule)
{
	struct buf ended = { .p = out->policies, .cap = sizeof(out->policies) - 1, .max = sizeof(out->policies) - 1 };
	const char *family = network_family(chain->family);

	out->known = true;
	snprintf(out->ruleset, sizeof(out->ruleset), "%s%s %s %s", family ? family : "?",
		 chain->via == NF_LEGACY ? "(legacy)" : "", chain->table, chain->name);
	if (rule) {
		owner_of_rule(rules, rule, &out->whose);
		owner_ended(rules, rule, &ended);
	} else {
		owner_of_chain(chain, &out->whose);
	}
	out->policies[ended.n] = '\0';
	if (!rule)
		snprintf(out->rule, sizeof(out->rule), "policy");
	else if (rule->comment)
		snprintf(out->rule, sizeof(out->rule), "%s", rule->comment);
	else
		snprintf(out->rule, sizeof(out->rule), "rule %llu", (unsigned long long)rule->handle);
}

void cause_by_counters(const struct causes *c, const struct nf_rules *rules, const struct verdict_conn *conn,
		       struct cause *out)
{
	struct search s = {
		.c = c, .rules = rules, .conn = conn, .place = place_of(conn->location), .found = UINT32_MAX
	};

	if (!may_be_uncounted(&s) && search(&s))
		cause_put(out, rules, chain_of(rules, s.found),
			  s.found < rules->n_rules ? &rules->rules[s.found] : NULL);
}
