// SPDX-License-Identifier: GPL-2.0-or-later
/* block del: an entry is taken away when the words name it and no other; what else is of its address is told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/block.h"
#include "util/err.h"

enum { TOLD = 10 };

uint32_t block_number(const char *word)
{
	char *end;
	unsigned long n = *word >= '0' && *word <= '9' ? strtoul(word, &end, 10) : 0;

	return n && !*end && n < UINT32_MAX ? (uint32_t)n : 0;
}

static int take_id(struct block_run *b, uint32_t id)
{
	uint32_t *v = b->n_going & (b->n_going - 1) ? b->going :
			      realloc(b->going, (b->n_going ? 2 * b->n_going : 1) * sizeof(*v));

	if (!v)
		return fail(ENOMEM, "numbers of entries");
	b->going = v;
	v[b->n_going++] = id;
	return 0;
}

/* ── what is named ────────────────────────────────────────────────────────── */

/* The words name this one: all that it matches, and what becomes of that where they say it. */
static bool is_named(const struct block_run *b, const struct np_rule *words, const struct np_rule *rule)
{
	const uint8_t rate = NP_RULE_BYTES | NP_RULE_SHARED;
	struct np_rule same = *words;

	if (words->action && words->action != rule->action)
		return false;
	if (words->action == NP_LIMIT && (words->rate != rule->rate || words->burst != rule->burst ||
					  (words->flags ^ rule->flags) & rate))
		return false;
	same.action = rule->action;
	return rule_same(&b->rules, rule, &same);
}

static bool covers(const struct np_rule *a, const struct np_rule *b)
{
	unsigned int whole = a->plen / 8, rest = a->plen % 8;

	if (a->kind != b->kind || a->plen > b->plen || memcmp(a->addr, b->addr, whole))
		return false;
	return !rest || !((a->addr[whole] ^ b->addr[whole]) & (0xff00 >> rest) & 0xff);
}

static void tell(const struct block_run *b, const struct np_rule *rule, uint32_t *n)
{
	struct buf t = { 0 };

	if ((*n)++ >= TOLD)
		return;
	block_say_entry(&t, &b->rules, rule, b->now_ns);
	fail(0, "entry %.*s", (int)t.n, t.p ? t.p : "");
	buf_free(&t);
}

/* Entries that the words name (several), or those that hold the address or lie within the prefix. */
static uint32_t tell_others(const struct block_run *b, const struct np_rule *words, uint32_t named)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->rules.n; i++) {
		const struct np_rule *rule = &b->rules.v[i];

		if (named ? is_named(b, words, rule) : covers(rule, words) || (words->plen && covers(words, rule)))
			tell(b, rule, &n);
	}
	if (n > TOLD)
		fail(0, "and %u more: netprobe block list dev %s", n - TOLD, b->place.ifname);
	return n;
}

static int not_one(const struct block_run *b, const struct np_rule *words, uint32_t named)
{
	uint32_t others = tell_others(b, words, named);
	struct buf t = { 0 };

	rule_print_match(&t, &b->rules, words);
	if (named)
		fail(0, "several entries are '%.*s': nothing was changed (by number: block del id N, or with action)",
		     (int)t.n, t.p);
	else
		fail(0, "no entry is '%.*s': nothing was changed%s", (int)t.n, t.p,
		     others ? " (by number: block del id N)" : "");
	buf_free(&t);
	return -ENOENT;
}

/* 0: it goes; -ENOENT. */
static int del_named(struct block_run *b, const struct np_rule *words)
{
	uint32_t named = 0, id = 0;

	for (uint32_t i = 0; i < b->rules.n; i++)
		if (is_named(b, words, &b->rules.v[i])) {
			named++;
			id = b->rules.v[i].id;
		}
	return named == 1 ? take_id(b, id) : not_one(b, words, named);
}

/* `any` is of two families; whichever is there. */
static int del_any(struct block_run *b, struct np_rule words)
{
	static const uint8_t kinds[] = { NP_KIND_V4, NP_KIND_V6 };
	uint32_t named[2] = { 0 };

	memset(words.addr, 0, sizeof(words.addr));
	words.plen = 0;
	for (int k = 0; k < 2; k++) {
		words.kind = kinds[k];
		for (uint32_t i = 0; i < b->rules.n; i++)
			named[k] += is_named(b, &words, &b->rules.v[i]);
	}
	for (int k = 0; k < 2; k++) {
		int err;

		words.kind = kinds[k];
		err = named[k] || !named[!k] ? del_named(b, &words) : 0;
		if (err)
			return err;
	}
	return 0;
}

static int del_id(struct block_run *b, uint32_t id)
{
	for (uint32_t i = 0; i < b->rules.n; i++)
		if (b->rules.v[i].id == id)
			return take_id(b, id);
	fail(0, "no entry has the number %u: nothing was changed", id);
	return -ENOENT;
}

static int del_word(struct block_run *b, const char *word)
{
	uint32_t id = block_number(word);

	if (id)
		return del_id(b, id);
	return strcmp(word, "any") ? block_each(b, word, &b->like, del_named) : del_any(b, b->like);
}

/* ── what goes ────────────────────────────────────────────────────────────── */

static int by_number(const void *pa, const void *pb)
{
	const uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

static bool stays(const struct np_rule *rule, const void *ctx)
{
	const struct block_run *b = ctx;

	return !bsearch(&rule->id, b->going, b->n_going, sizeof(*b->going), by_number);
}

/* The first of them as lines, for when it is done; how many there are. */
static uint32_t note_going(const struct block_run *b, struct buf lines[TOLD])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->rules.n && b->n_going; i++) {
		if (stays(&b->rules.v[i], b))
			continue;
		if (n < TOLD)
			block_say_entry(&lines[n], &b->rules, &b->rules.v[i], b->now_ns);
		n++;
	}
	return n;
}

static int take_away(struct block_run *b)
{
	const char *gone = b->o->dry_run ? "would go" : "gone";
	struct buf lines[TOLD] = { { 0 } };
	uint32_t n;
	int err;

	if (b->n_going)
		qsort(b->going, b->n_going, sizeof(*b->going), by_number);
	n = note_going(b, lines);
	if (n)
		rules_remove(&b->rules, stays, b);
	err = block_change(b, "del");
	for (uint32_t i = 0; i < TOLD && i < n; i++) {
		if (!err)
			note("%s: %.*s", gone, (int)lines[i].n, lines[i].p ? lines[i].p : "");
		buf_free(&lines[i]);
	}
	if (!err && n > TOLD)
		note("%s: %u more", gone, n - TOLD);
	if (!err && (b->dropped || b->o->expired))
		note("%s: %u %s whose time is over", gone, b->dropped, block_entries(b->dropped));
	return err;
}

/* ── the verb ─────────────────────────────────────────────────────────────── */

int block_prepare_del(struct block_run *b)
{
	const struct block_opts *o = b->o;
	char why[160];

	if (o->all && (b->argc || o->ids.n || o->expired || o->conditions.n))
		return fail(0, "--all takes everything away: without TARGET, id and --expired");
	if (o->all && (o->mode || o->frag || o->confirm_ns))
		return fail(0, "--all takes everything away: without %s",
			    o->mode ? "--mode" : o->frag ? "--frag" : "--confirm");
	if (o->all)
		return 0;
	if (!b->argc && !o->ids.n && !o->expired)
		return fail(0, "what? TARGET, id N, --expired or --all");
	for (unsigned int i = 0; i < o->ids.n; i++)
		if (!block_number(o->ids.v[i]))
			return fail(0, "id: '%s' is not a number from 1", o->ids.v[i]);
	b->like.action = 0;		/* whichever, unless they say it */
	if (rule_words(&b->words, &b->like, (int)o->conditions.n, o->conditions.v, 0, why))
		return fail(0, "%s", why);
	return 0;
}

int block_del(struct block_run *b)
{
	int err;

	if (b->o->all)
		return block_remove_all(b);
	if (!b->running)
		return fail(0, "%s has no firewall", b->place.ifname), -ENOENT;
	err = block_base(b);
	for (unsigned int i = 0; i < b->o->ids.n && !err; i++)
		err = del_id(b, block_number(b->o->ids.v[i]));
	for (int i = 0; i < b->argc && !err; i++)
		err = del_word(b, b->argv[i]);
	if (!err)
		err = take_away(b);
	free(b->going);
	b->going = NULL;
	return err;
}
