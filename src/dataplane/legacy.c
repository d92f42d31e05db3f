// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of iptables-legacy: entries one behind the other, as linux/netfilter/x_tables.h and
 * netfilter_ipv4/ip_tables.h have them, in our byte order.  Chains are not told but seen: one of a hook begins where
 * struct ipt_getinfo says; one of the user's behind an entry whose target "ERROR" has its name.  The last entry of a
 * chain is none that somebody wrote: a hook's has the policy, another the return to whoever called.
 */
#include "dataplane/parts.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>

/* Where in an entry is what. */
struct layout {
	size_t size, target, next, counters, flags;
	uint8_t goes;		/* of flags: a jump does not come back */
};

static const struct layout of_ipv4 = {
	sizeof(struct ipt_entry), offsetof(struct ipt_entry, target_offset), offsetof(struct ipt_entry, next_offset),
	offsetof(struct ipt_entry, counters), offsetof(struct ipt_entry, ip.flags), IPT_F_GOTO,
};

static const struct layout of_ipv6 = {
	sizeof(struct ip6t_entry), offsetof(struct ip6t_entry, target_offset), offsetof(struct ip6t_entry, next_offset),
	offsetof(struct ip6t_entry, counters), offsetof(struct ip6t_entry, ipv6.flags), IP6T_F_GOTO,
};

enum { TARGET = sizeof(struct xt_entry_target), MATCH = sizeof(struct xt_entry_match) };

/* Entries from first to end are a chain's; both grow from one to the next. */
struct span {
	size_t first, end;
	int64_t chain;		/* NF_NOWHERE: it is left out */
};

struct table {
	struct nf_rules *r;
	const struct layout *l;
	const uint8_t *p;
	size_t n;
	struct ipt_getinfo info;
	uint8_t family;
	struct span *spans;
	size_t n_spans, room;
};

/* An entry of which all parts are within the table; at is where it stands. */
struct entry {
	size_t at, n;
	struct part matches, name, info;	/* name, info: of its target */
};

static uint16_t u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool entry_at(const struct table *t, size_t at, struct entry *e)
{
	const uint8_t *p = t->p + at;
	size_t target, left = t->n - at;

	if (left < t->l->size)
		return false;
	target = u16_at(p + t->l->target);
	e->at = at;
	e->n = u16_at(p + t->l->next);
	if (target < t->l->size || e->n > left || e->n < target || e->n - target < TARGET)
		return false;
	e->matches = (struct part){ p + t->l->size, target - t->l->size };
	e->name = (struct part){ p + target + offsetof(struct xt_entry_target, u.user.name), XT_EXTENSION_MAXNAMELEN };
	e->info = (struct part){ p + target + TARGET, e->n - target - TARGET };
	return true;
}

/* The verdict of a standard target, which has no name. */
static bool verdict_of(const struct entry *e, int32_t *verdict)
{
	if (e->name.p[0] || e->info.n < sizeof(*verdict))
		return false;
	memcpy(verdict, e->info.p, sizeof(*verdict));
	return true;
}

/* ── chains ───────────────────────────────────────────────────────────────── */

static bool add_span(struct table *t, size_t first, int64_t chain)
{
	if (t->n_spans == t->room) {
		size_t room = t->room ? t->room * 2 : 64;
		struct span *spans = realloc(t->spans, room * sizeof(*spans));

		if (!spans) {
			nf_failed(t->r);
			return false;
		}
		t->spans = spans;
		t->room = room;
	}
	t->spans[t->n_spans++] = (struct span){ first, t->n, chain };
	return true;
}

static struct part table_name(const struct table *t)
{
	return (struct part){ (const uint8_t *)t->info.name, sizeof(t->info.name) };
}

/* The kernel's enum nf_ip_hook_priorities: of nat where sources are changed, and where destinations. */
static int32_t priority_of(const struct table *t, unsigned int hook)
{
	bool is_source = hook == NF_INET_POST_ROUTING || hook == NF_INET_LOCAL_IN;
	static const struct {
		const char *table;
		int32_t priority;
	} known[] = { { "raw", -300 }, { "mangle", -150 }, { "security", 50 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (nf_is(table_name(t), known[i].table))
			return known[i].priority;
	return nf_is(table_name(t), "nat") ? (is_source ? 100 : -100) : 0;
}

static int64_t add_hook_chain(struct table *t, unsigned int hook)
{
	static const char names[][12] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };
	struct nf_chain c = { .via = NF_LEGACY, .family = t->family, .hook = (uint8_t)hook, .base = true };
	struct part name = { (const uint8_t *)names[hook], sizeof(names[hook]) };

	c.priority = priority_of(t, hook);
	return nf_chain_add(t->r, &c, table_name(t), name);
}

/* The hook whose chain begins here, or NF_INET_NUMHOOKS. */
static unsigned int hook_at(const struct table *t, size_t at)
{
	unsigned int h = 0;

	while (h < NF_INET_NUMHOOKS && !((t->info.valid_hooks >> h & 1) && t->info.hook_entry[h] == at))
		h++;
	return h;
}

/* The table's last entry is an "ERROR" as well, which begins nothing. */
static bool add_user_chain(struct table *t, const struct entry *e)
{
	struct nf_chain c = { .via = NF_LEGACY, .family = t->family };
	size_t first = e->at + e->n;

	if (t->n_spans)
		t->spans[t->n_spans - 1].end = e->at;
	if (first == t->n)
		return add_span(t, first, NF_NOWHERE);
	return add_span(t, first, nf_chain_add(t->r, &c, table_name(t), e->info));
}

/* Each entry once: where chains begin and end.  What is behind an entry that does not fit is left out. */
static bool find_chains(struct table *t)
{
	struct entry e;
	size_t at = 0;
	bool ok = true;

	for (; ok && at < t->n && entry_at(t, at, &e); at += e.n) {
		unsigned int hook = hook_at(t, at);

		if (hook < NF_INET_NUMHOOKS) {
			if (t->n_spans)
				t->spans[t->n_spans - 1].end = at;
			ok = add_span(t, at, add_hook_chain(t, hook));
		}
		if (nf_is(e.name, XT_ERROR_TARGET))
			ok = ok && add_user_chain(t, &e);
		else if (!t->n_spans)
			t->r->broken++;
	}
	if (at < t->n)
		t->r->broken++;
	if (t->n_spans && t->spans[t->n_spans - 1].end > at)
		t->spans[t->n_spans - 1].end = at;
	return ok;
}

/* The name of the chain that begins there, or NULL. */
static const char *chain_at(const struct table *t, size_t at)
{
	size_t low = 0, high = t->n_spans;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->spans[mid].first < at)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->n_spans || t->spans[low].first != at || t->spans[low].chain < 0)
		return NULL;
	return t->r->chains[t->spans[low].chain].name;
}

/* ── rules ────────────────────────────────────────────────────────────────── */

static bool take_matches(struct nf_rules *r, struct nf_rule *rule, struct part in)
{
	while (in.n >= MATCH) {
		size_t n = u16_at(in.p + offsetof(struct xt_entry_match, u.match_size));
		struct part name = { in.p + offsetof(struct xt_entry_match, u.user.name), XT_EXTENSION_MAXNAMELEN };

		if (n < MATCH || n > in.n)
			return false;
		nf_take_match(r, rule, name, (struct part){ in.p + MATCH, n - MATCH });
		in.p += n;
		in.n -= n;
	}
	return !in.n;
}

/* Below 0 a verdict less one, negated; else where the next entry is: the very next, or a chain's first. */
static bool take_verdict(const struct table *t, struct nf_rule *rule, const struct entry *e, int32_t verdict)
{
	switch (verdict) {
	case -NF_DROP - 1:
		rule->verdict = NF_DROPS;
		return true;
	case -NF_ACCEPT - 1:
		rule->verdict = NF_ACCEPTS;
		return true;
	case -NF_QUEUE - 1:
		rule->verdict = NF_QUEUES;
		return true;
	case XT_RETURN:
		rule->verdict = NF_RETURNS;
		return true;
	}
	if (verdict < 0)
		return false;
	if ((size_t)verdict == e->at + e->n)
		return true;
	rule->target = chain_at(t, (size_t)verdict);
	rule->verdict = t->p[e->at + t->l->flags] & t->l->goes ? NF_GOES : NF_JUMPS;
	return rule->target;
}

/* FNV-1a, of 64 bits. */
static uint64_t digest_more(uint64_t h, const uint8_t *p, size_t n)
{
	while (n--)
		h = (h ^ *p++) * UINT64_C(1099511628211);
	return h;
}

/* Without its counters, and the mark in front of them that the kernel makes as it checks. */
static uint64_t digest_of(const struct table *t, const struct entry *e)
{
	const uint8_t *p = t->p + e->at;
	size_t counters = t->l->counters, behind = counters + sizeof(struct xt_counters);
	uint64_t h = digest_more(UINT64_C(14695981039346656037), p, counters - sizeof(uint32_t));

	return digest_more(h, p + behind, e->n - behind);
}

static bool take_rule(const struct table *t, const struct entry *e, uint32_t chain, uint32_t number)
{
	struct nf_rule rule = { .handle = number, .uid = UINT32_MAX, .chain = chain, .counted = true };
	struct xt_counters c;
	int32_t verdict;

	memcpy(&c, t->p + e->at + t->l->counters, sizeof(c));
	rule.packets = c.pcnt;
	rule.bytes = c.bcnt;
	rule.digest = digest_of(t, e);
	if (!take_matches(t->r, &rule, e->matches))
		return false;
	if (!verdict_of(e, &verdict))
		nf_take_target(t->r, &rule, t->family, e->name, e->info);
	else if (!take_verdict(t, &rule, e, verdict))
		return false;
	nf_rule_add(t->r, &rule);
	return true;
}

/* What stands at a chain's end; false: a rule like others. */
static bool take_end(const struct table *t, const struct entry *e, struct nf_chain *c)
{
	struct xt_counters n;
	int32_t verdict;

	if (e->matches.n || !verdict_of(e, &verdict))
		return false;
	if (!c->base)
		return verdict == XT_RETURN;
	if (e->at != t->info.underflow[c->hook] || (verdict != -NF_DROP - 1 && verdict != -NF_ACCEPT - 1))
		return false;
	memcpy(&n, t->p + e->at + t->l->counters, sizeof(n));
	c->drops = verdict == -NF_DROP - 1;
	c->packets = n.pcnt;
	c->bytes = n.bcnt;
	c->counted = true;
	return true;
}

static void take_chain(struct table *t, const struct span *s)
{
	struct nf_chain *c = &t->r->chains[s->chain];
	uint32_t number = 1;
	struct entry e;

	for (size_t at = s->first; at < s->end && entry_at(t, at, &e); at += e.n)
		if (at + e.n != s->end || !take_end(t, &e, c))
			t->r->broken += !take_rule(t, &e, (uint32_t)s->chain, number++);
}

int nf_parse_legacy(struct nf_rules *r, uint8_t family, const void *bytes, size_t n)
{
	struct table t = { .r = r, .family = family, .l = family == NFPROTO_IPV6 ? &of_ipv6 : &of_ipv4 };
	bool ok;

	if (n < sizeof(t.info)) {
		r->broken++;
		return nf_state(r);
	}
	memcpy(&t.info, bytes, sizeof(t.info));
	t.p = (const uint8_t *)bytes + sizeof(t.info);
	t.n = n - sizeof(t.info);
	if (t.n < t.info.size)
		r->broken++;
	else
		t.n = t.info.size;
	ok = find_chains(&t);
	for (size_t i = 0; ok && i < t.n_spans; i++)
		if (t.spans[i].chain >= 0)
			take_chain(&t, &t.spans[i]);
	free(t.spans);
	return nf_state(r);
}
