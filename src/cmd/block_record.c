// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries and sets -> records. */
#include <string.h>
#include <time.h>

#include "cmd/block.h"
#include "numbers/ipproto.h"
#include "util/hostclock.h"
#include "util/time.h"

static struct str str_of(const char *text)
{
	return (struct str){ text, (uint32_t)strlen(text) };
}

static struct str str_in(const struct buf *b)
{
	return (struct str){ b->p, (uint32_t)b->n };
}

void block_texts_free(struct block_texts *t)
{
	buf_free(&t->reference);
	buf_free(&t->target);
	buf_free(&t->rate);
}

void block_put_entry(struct record *r, const struct rules *rules, const struct np_rule *rule, struct block_texts *t)
{
	r->rule_id = rule->id;
	record_mark(r, FIELD_RULE_ID);
	if (rule->reason) {
		r->rule_name = str_of(rules_string(rules, rule->reason));
		record_mark(r, FIELD_RULE_NAME);
	}
	t->reference.n = 0;
	if (!rule->file)
		return;
	buf_fmt(&t->reference, "%s:%u", rules_string(rules, rule->file), rule->line);
	r->rule_reference = str_in(&t->reference);
	record_mark(r, FIELD_RULE_REFERENCE);
}

void block_put_place(struct record *r, const struct block_run *b)
{
	r->interface = str_of(b->place.ifname);
	r->ifindex = b->place.ifindex;
	r->hook = firewall_hook(&b->got, b->hook);
	record_mark(r, FIELD_INTERFACE);
	record_mark(r, FIELD_IFINDEX);
	record_mark(r, FIELD_LINK_HOOK);
	if (b->got.mode) {
		r->hook_mode = b->got.mode;
		record_mark(r, FIELD_LINK_MODE);
	}
}

static uint64_t jiffy_ns(void)
{
	struct timespec t;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &t) || !t.tv_nsec ? 10000000 : (uint64_t)t.tv_nsec;
}

uint64_t block_ago_ns(const struct np_hit *h, const struct np_guard *now)
{
	return now->now_jiffies > h->last ? (now->now_jiffies - h->last) * jiffy_ns() : 0;
}

static void put_conditions(struct record *r, const struct np_rule *rule)
{
	struct rule_body *body = rule_of(r);

	if (rule->flags & NP_RULE_PROTO) {
		body->proto = ipproto_name(rule->proto);
		record_mark(r, FIELD_RULE_PROTO);
	}
	if (rule->flags & NP_RULE_PORT) {
		body->port_from = rule->port_lo;
		body->port_to = rule->port_hi;
		record_mark(r, FIELD_RULE_PORT_FROM);
		record_mark(r, FIELD_RULE_PORT_TO);
	}
}

static void put_limit(struct record *r, const struct np_rule *rule, struct block_texts *t)
{
	struct rule_body *body = rule_of(r);
	bool bytes = rule->flags & NP_RULE_BYTES;

	if (rule->action != NP_LIMIT)
		return;
	rule_print_rate(&t->rate, rule);
	body->rate = str_in(&t->rate);
	*(bytes ? &body->rate_bps : &body->rate_pps) = bytes ? rule->rate / 125 : rule->rate / 1000;
	body->burst = rule->burst;
	body->shared = rule->flags & NP_RULE_SHARED;
	record_mark(r, FIELD_RULE_RATE);
	record_mark(r, bytes ? FIELD_RULE_RATE_BPS : FIELD_RULE_RATE_PPS);
	record_mark(r, FIELD_RULE_BURST);
	record_mark(r, FIELD_RULE_SHARED);
}

/* Begun seconds count: 0 is the end itself. */
static uint64_t left_s(uint64_t end_ns, uint64_t now_ns)
{
	return end_ns > now_ns ? (end_ns - now_ns + 999999999) / 1000000000 : 0;
}

static void put_times(struct record *r, const struct block_run *b, const struct np_rule *rule, const struct np_hit *hit,
		      const struct np_guard *now)
{
	struct rule_body *body = rule_of(r);

	if (rule->flags & NP_RULE_EXPIRES) {
		body->expires_ns = host_clock_second(b->boot_wall_ns, rule->expires_ns);
		body->expires_in_s = left_s(rule->expires_ns, now->now_ns);
		record_mark(r, FIELD_RULE_EXPIRES);
		record_mark(r, FIELD_RULE_EXPIRES_IN);
	}
	body->hits = hit->hits;
	body->bytes = hit->bytes;
	record_mark(r, FIELD_RULE_HITS);
	record_mark(r, FIELD_RULE_BYTES);
	if (hit->last) {
		body->last_hit_ns = time_now() - block_ago_ns(hit, now);
		record_mark(r, FIELD_RULE_LAST_HIT);
	}
}

void block_rule_record(struct record *r, const struct block_run *b, const struct np_rule *rule,
		       const struct np_hit *hit, const struct np_guard *now, struct block_texts *t)
{
	static const char *const dirs[] = { "", "src", "dst", "both" };
	struct rule_body *body;

	record_start(r, &rule_dataset);
	body = rule_of(r);
	memset(body, 0, sizeof(*body));
	t->target.n = t->rate.n = 0;
	block_put_place(r, b);
	block_put_entry(r, &b->rules, rule, t);
	r->action = rule_actions[rule->action <= NP_ALLOW ? rule->action : 0];
	record_mark(r, FIELD_ACTION);
	rule_print_target(&t->target, &b->rules, rule);
	body->target = str_in(&t->target);
	record_mark(r, FIELD_RULE_TARGET);
	if (rule->dir & 3) {
		body->direction = dirs[rule->dir & 3];
		record_mark(r, FIELD_RULE_DIRECTION);
	}
	put_conditions(r, rule);
	put_limit(r, rule, t);
	put_times(r, b, rule, hit, now);
}

/* ── a set ────────────────────────────────────────────────────────────────── */

static void put_guard(struct record *r, const struct block_run *b, const struct np_guard *g)
{
	struct firewall_body *body = firewall_of(r);

	body->confirmed = !g->deadline_ns;
	body->expired = g->deadline_ns && g->now_ns >= g->deadline_ns;
	record_mark(r, FIELD_FW_CONFIRMED);
	record_mark(r, FIELD_FW_EXPIRED);
	if (!g->deadline_ns || body->expired)
		return;
	body->opens_in_s = left_s(g->deadline_ns, g->now_ns);
	body->opens_ns = host_clock_second(b->boot_wall_ns, g->deadline_ns);
	record_mark(r, FIELD_FW_OPENS);
	record_mark(r, FIELD_FW_OPENS_IN);
}

static void put_meta(struct record *r, const struct block_run *b)
{
	const struct np_set_meta *m = b->set.at[BLOCK_META];
	struct firewall_body *body = firewall_of(r);

	body->entries = m->n_rules;
	body->mode = block_modes[m->mode % 3];
	body->frag = block_frags[m->frag % 3];
	body->memory_bytes = b->set.memory;
	body->made_ns = m->made_ns;
	body->made_by = (struct str){ m->what, (uint32_t)strnlen(m->what, sizeof(m->what)) };
	record_mark(r, FIELD_FW_ENTRIES);
	record_mark(r, FIELD_FW_MODE);
	record_mark(r, FIELD_FW_FRAG);
	record_mark(r, FIELD_FW_MEMORY);
	record_mark(r, FIELD_FW_MADE);
	if (body->made_by.n)
		record_mark(r, FIELD_FW_MADE_BY);
}

void block_set_record(struct record *r, const struct block_run *b, const struct np_stats *s, const struct np_guard *g,
		      struct firewall_counts *c)
{
	record_start(r, &firewall_dataset);
	memset(firewall_of(r), 0, sizeof(struct firewall_body));
	block_put_place(r, b);
	if (b->got.link_id) {
		r->link_id = b->got.link_id;
		record_mark(r, FIELD_LINK_ID);
	}
	put_meta(r, b);
	put_guard(r, b, g);
	firewall_put_counts(r, s, c);
}
