// SPDX-License-Identifier: GPL-2.0-or-later
/* Sets of entries. */
#include "rules/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "util/cleanup.h"
#include "util/err.h"
#include "util/hash.h"

enum { WHY = 160 };

int rules_init(struct rules *r)
{
	memset(r, 0, sizeof(*r));
	r->text.max = RULES_TEXT_MAX;
	r->next_id = 1;
	/* Whoever writes a list must not know where its entries lie. */
	if (getrandom(&r->key, sizeof(r->key), GRND_NONBLOCK) < 0)
		r->key = hash_key_from((uint32_t)(uintptr_t)r);
	buf_chr(&r->text, '\0');
	return r->text.full ? fail(ENOMEM, "entries") : 0;
}

void rules_free(struct rules *r)
{
	free(r->v);
	free(r->index);
	free(r->given);
	buf_free(&r->text);
	memset(r, 0, sizeof(*r));
}

const char *rules_string(const struct rules *r, uint32_t offset)
{
	return offset < r->text.n ? r->text.p + offset : "";
}

uint32_t rules_text(struct rules *r, const char *p, size_t n)
{
	const uint32_t last[] = { r->last_reason, r->last_file };
	uint32_t at = (uint32_t)r->text.n;

	if (!n)
		return 0;
	for (int i = 0; i < 2; i++) {
		const char *s = rules_string(r, last[i]);

		if (!strncmp(s, p, n) && !s[n])
			return last[i];
	}
	if (!buf_room(&r->text, n + 1))
		return UINT32_MAX;
	buf_add(&r->text, p, n);
	buf_chr(&r->text, '\0');
	r->last_reason = at;
	return at;
}

/*
 * What is matched, as words: the same for two entries that match the same packets.  What is allowed is apart from what
 * is blocked: both stand in a set, and the first decides.
 */
static void matched(const struct rules *r, const struct np_rule *rule, uint64_t w[5])
{
	const char *name = rules_string(r, rule->name);
	uint8_t flags = rule->flags & (NP_RULE_PROTO | NP_RULE_PORT | NP_RULE_SUFFIX);

	memcpy(w, rule->addr, sizeof(rule->addr));
	w[2] = (uint64_t)rule->kind << 56 | (uint64_t)rule->plen << 48 | (uint64_t)rule->dir << 40 |
	       (uint64_t)rule->proto << 32 | (uint64_t)rule->port_lo << 16 | rule->port_hi;
	w[3] = flags | (uint64_t)(rule->action == NP_ALLOW) << 8;
	w[4] = 0;
	for (; rule->kind == NP_KIND_NAME && *name; name++)
		w[4] = (w[4] ^ (uint8_t)*name) * 0x100000001b3ull;
}

bool rule_same(const struct rules *r, const struct np_rule *a, const struct np_rule *b)
{
	uint64_t wa[5], wb[5];

	matched(r, a, wa);
	matched(r, b, wb);
	return !memcmp(wa, wb, sizeof(wa)) &&
	       (a->kind != NP_KIND_NAME || !strcmp(rules_string(r, a->name), rules_string(r, b->name)));
}

static uint32_t *slot_of(const struct rules *r, const struct np_rule *rule)
{
	uint64_t w[5];
	uint32_t i;

	matched(r, rule, w);
	i = (uint32_t)hash_words(&r->key, w, 5) & r->index_mask;
	/* The table is at most half full, so the walk ends at an empty slot. */
	while (r->index[i] && !rule_same(r, &r->v[r->index[i] - 1], rule))
		i = (i + 1) & r->index_mask;
	return &r->index[i];
}

static int reindex(struct rules *r, uint32_t room)
{
	uint32_t size = 1024;

	while (size < 2 * room)
		size *= 2;
	free(r->index);
	r->index = calloc(size, sizeof(*r->index));
	if (!r->index)
		return -ENOMEM;
	r->index_mask = size - 1;
	for (uint32_t i = 0; i < r->n; i++)
		*slot_of(r, &r->v[i]) = i + 1;
	return 0;
}

int rules_reserve(struct rules *r, uint32_t n)
{
	struct np_rule *v;

	if (n > RULES_MAX)
		return fail(E2BIG, "more than %u entries", RULES_MAX);
	if (n <= r->cap && r->index)
		return 0;
	v = realloc(r->v, (n ? n : 1) * sizeof(*v));
	if (!v)
		return fail(ENOMEM, "%u entries", n);
	r->v = v;
	r->cap = n ? n : 1;
	return reindex(r, r->cap) ? fail(ENOMEM, "%u entries", n) : 0;
}

static int make_room(struct rules *r)
{
	uint32_t cap = r->cap ? 2 * r->cap : 256;
	struct np_rule *v;

	if (r->n < r->cap && r->index)
		return 0;
	if (r->n >= RULES_MAX)
		return fail(E2BIG, "more than %u entries", RULES_MAX);
	if (r->n == r->cap) {
		v = realloc(r->v, cap * sizeof(*v));
		if (!v)
			return fail(ENOMEM, "%u entries", cap);
		r->v = v;
		r->cap = cap;
	}
	return reindex(r, r->cap) ? fail(ENOMEM, "%u entries", cap) : 0;
}

/* What says nothing about this entry is not kept. */
static void settle(struct np_rule *rule)
{
	if (rule->action == NP_LIMIT)
		return;
	rule->flags &= (uint8_t)~(NP_RULE_BYTES | NP_RULE_SHARED);
	rule->rate = rule->burst = 0;
}

/* What becomes of what matches: what an entry counted says how often that was done. */
static bool same_verdict(const struct np_rule *a, const struct np_rule *b)
{
	const uint8_t kinds = NP_RULE_BYTES | NP_RULE_SHARED;

	return a->action == b->action && a->rate == b->rate && a->burst == b->burst &&
	       (a->flags & kinds) == (b->flags & kinds);
}

static void put(struct rules *r, uint32_t *slot, struct np_rule *fresh)
{
	struct np_rule *to = *slot ? &r->v[*slot - 1] : &r->v[r->n];

	if (*slot && same_verdict(fresh, to))
		fresh->id = to->id;
	else
		fresh->id = r->next_id++;
	r->unsorted |= *slot && fresh->id != to->id;
	if (!*slot)
		*slot = ++r->n;
	*to = *fresh;
}

int rules_add(struct rules *r, const struct np_rule *rule, bool *replaced)
{
	struct np_rule fresh = *rule;
	int err = make_room(r);
	uint32_t *slot;

	if (err)
		return err;
	settle(&fresh);
	slot = slot_of(r, &fresh);
	*replaced = *slot != 0;
	put(r, slot, &fresh);
	return 0;
}

static void forget_given(struct rules *r)
{
	free(r->given);
	r->given = NULL;
	r->given_cap = 0;
}

static int room_for_given(struct rules *r)
{
	uint8_t *v = realloc(r->given, r->cap);

	if (!v)
		return fail(ENOMEM, "%u entries", r->cap);
	memset(v + r->given_cap, 0, r->cap - r->given_cap);
	r->given = v;
	r->given_cap = r->cap;
	return 0;
}

/* Time, reason and where it comes from. */
static bool same_rest(const struct rules *r, const struct np_rule *a, const struct np_rule *b)
{
	return a->flags == b->flags && a->expires_ns == b->expires_ns && a->line == b->line &&
	       !strcmp(rules_string(r, a->reason), rules_string(r, b->reason)) &&
	       !strcmp(rules_string(r, a->file), rules_string(r, b->file));
}

int rules_give(struct rules *r, const struct np_rule *rule, enum rules_met *met, uint32_t *at)
{
	struct np_rule fresh = *rule, *was;
	int err = make_room(r);
	uint32_t *slot;

	if (!err && r->given_cap < r->cap)
		err = room_for_given(r);
	if (err)
		return err;
	settle(&fresh);
	slot = slot_of(r, &fresh);
	*at = *slot ? *slot - 1 : r->n;
	was = &r->v[*at];
	if (!*slot)
		*met = RULES_NEW;
	else if (r->given[*at])
		*met = same_verdict(&fresh, was) ? RULES_GIVEN : RULES_CONTRADICTS;
	else if (!same_verdict(&fresh, was))
		*met = RULES_OTHER;
	else
		*met = same_rest(r, &fresh, was) ? RULES_AS_IT_WAS : RULES_RENEWED;
	if (*met < RULES_GIVEN)
		put(r, slot, &fresh);
	r->given[*at] = 1;
	return 0;
}

void rules_contradiction(const struct rules *r, const struct np_rule *rule, uint32_t at, char *why)
{
	const struct np_rule *was = &r->v[at];
	struct buf match = { 0 }, here = { 0 }, there = { 0 };

	rule_print_match(&match, r, was);
	rule_print_action(&here, rule);
	rule_print_action(&there, was);
	if (!strcmp(rules_string(r, was->file), rules_string(r, rule->file)))
		buf_fmt(&there, " in line %u", was->line);
	else if (was->file)
		buf_fmt(&there, " at %s:%u", rules_string(r, was->file), was->line);
	else
		buf_lit(&there, " among the words");
	snprintf(why, WHY, "'%.*s' has %.*s here and %.*s: which of the two?", (int)match.n, match.p ? match.p : "",
		 (int)here.n, here.p ? here.p : "", (int)there.n, there.p ? there.p : "");
	buf_free(&match);
	buf_free(&here);
	buf_free(&there);
}

uint32_t rules_remove(struct rules *r, bool (*keep)(const struct np_rule *rule, const void *ctx),
		      const void *ctx)
{
	uint32_t n = 0, gone;

	for (uint32_t i = 0; i < r->n; i++)
		if (keep(&r->v[i], ctx))
			r->v[n++] = r->v[i];
	gone = r->n - n;
	r->n = n;
	free(r->index);
	r->index = NULL;
	forget_given(r);
	return gone;
}

unsigned int rule_rank(const struct np_rule *rule)
{
	unsigned int specific = rule->plen, conditions = 0;

	if (rule->kind == NP_KIND_NAME)
		specific = 210 + !(rule->flags & NP_RULE_SUFFIX);
	else if (rule->kind == NP_KIND_MAC)
		specific = 200;
	conditions += !!(rule->flags & NP_RULE_PROTO);
	conditions += !!(rule->flags & NP_RULE_PORT);
	return specific * 4 + conditions;
}

/* Position + 1 of the entry of r that matches what `rule` of `other` matches, or 0. */
static uint32_t find_same(const struct rules *r, const struct rules *other, const struct np_rule *rule)
{
	uint64_t want[5], w[5];
	uint32_t i;

	matched(other, rule, want);
	i = (uint32_t)hash_words(&r->key, want, 5) & r->index_mask;
	for (; r->index[i]; i = (i + 1) & r->index_mask) {
		matched(r, &r->v[r->index[i] - 1], w);
		if (!memcmp(w, want, sizeof(w)))
			return r->index[i];
	}
	return 0;
}

static int by_id(const void *pa, const void *pb)
{
	const struct np_rule *a = pa, *b = pb;

	return a->id < b->id ? -1 : a->id > b->id;
}

void rules_sort(struct rules *r)
{
	if (!r->unsorted)
		return;
	qsort(r->v, r->n, sizeof(*r->v), by_id);
	free(r->index);
	r->index = NULL;
	forget_given(r);
	r->unsorted = false;
}

int rules_keep_numbers(struct rules *r, struct rules *from)
{
	/* What was taken out of it took the index along. */
	if (!from->index && reindex(from, from->n))
		return fail(ENOMEM, "%u entries", from->n);
	for (uint32_t i = 0; i < r->n; i++) {
		uint32_t at = find_same(from, r, &r->v[i]);

		if (!at || !same_verdict(&r->v[i], &from->v[at - 1]))
			continue;
		r->v[i].id = from->v[at - 1].id;
		r->unsorted = true;
	}
	rules_sort(r);
	return 0;
}
