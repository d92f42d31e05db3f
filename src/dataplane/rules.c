// SPDX-License-Identifier: GPL-2.0-or-later
/* Chains, rules and their texts in memory; chains are found by name through a table of their hashes. */
#include "dataplane/parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/err.h"
#include "util/hash.h"

enum { CHUNK = 1 << 16, FIRST_SLOTS = 256, FIRST_ROOM = 64 };

struct chunk {
	struct chunk *next;
	size_t n;
	char bytes[CHUNK];
};

struct nf_text {
	struct chunk *chunks;		/* the newest first */
	uint32_t *slots;		/* index of a chain and one; 0: free */
	uint32_t n_slots;		/* a power of two, at least twice the chains */
	struct hash_key key;
	bool failed;			/* no memory */
};

/* ── texts ────────────────────────────────────────────────────────────────── */

/* NULL: no memory. */
static struct nf_text *text_of(struct nf_rules *r)
{
	if (!r->text) {
		r->text = calloc(1, sizeof(*r->text));
		if (r->text && getrandom(&r->text->key, sizeof(r->text->key), GRND_NONBLOCK) !=
				       (ssize_t)sizeof(r->text->key))
			r->text->key = hash_key_from((uint32_t)(uintptr_t)r->text);
	}
	return r->text;
}

void nf_failed(struct nf_rules *r)
{
	if (text_of(r))
		r->text->failed = true;
}

int nf_state(struct nf_rules *r)
{
	return text_of(r) && !r->text->failed ? 0 : fail(ENOMEM, "rules of the packet filter");
}

static size_t length(struct part text)
{
	return text.p ? strnlen((const char *)text.p, text.n) : 0;
}

bool nf_is(struct part text, const char *word)
{
	size_t n = length(text);

	return text.p && n == strlen(word) && !memcmp(text.p, word, n);
}

/* Of n bytes at most `max`. */
static const char *keep(struct nf_rules *r, struct part text, size_t max)
{
	struct nf_text *t = text_of(r);
	size_t n = length(text);
	struct chunk *c;
	char *to;

	if (!t || !n || n > max)
		return NULL;
	c = t->chunks;
	if (!c || CHUNK - c->n <= n) {
		c = malloc(sizeof(*c));
		if (!c) {
			t->failed = true;
			return NULL;
		}
		c->n = 0;
		c->next = t->chunks;
		t->chunks = c;
	}
	to = c->bytes + c->n;
	memcpy(to, text.p, n);
	to[n] = '\0';
	c->n += n + 1;
	return to;
}

const char *nf_keep(struct nf_rules *r, struct part text)
{
	return keep(r, text, NF_TEXT_MAX);
}

/* What is beyond NF_COMMENTS_MAX is left out. */
void nf_comment(struct nf_rules *r, struct nf_rule *rule, struct part text)
{
	char both[NF_COMMENTS_MAX + 1];
	size_t n = length(text);
	int len;

	if (!rule->comment || !n || n > NF_TEXT_MAX) {
		rule->comment = rule->comment ? rule->comment : nf_keep(r, text);
		return;
	}
	len = snprintf(both, sizeof(both), "%s\n%.*s", rule->comment, (int)n, (const char *)text.p);
	if (len < (int)sizeof(both))
		rule->comment = keep(r, (struct part){ (const uint8_t *)both, (size_t)len }, NF_COMMENTS_MAX);
}

/* ── chains by name ───────────────────────────────────────────────────────── */

struct chain_key {
	struct part table, name;
	uint8_t via, family;
};

/* Who makes chains chooses their names: the table's key is one that they do not know. */
static uint64_t hash_of(const struct nf_text *t, const struct chain_key *k)
{
	uint64_t w[1 + 2 * NF_TEXT_MAX / 8] = { 0 };
	size_t of_table = (k->table.n + 7) / 8, of_name = (k->name.n + 7) / 8;

	w[0] = (uint64_t)k->via | (uint64_t)k->family << 8 | (uint64_t)k->table.n << 16 | (uint64_t)k->name.n << 32;
	memcpy(w + 1, k->table.p, k->table.n);
	memcpy(w + 1 + of_table, k->name.p, k->name.n);
	return hash_words(&t->key, w, (unsigned int)(1 + of_table + of_name));
}

static bool is_same(const struct nf_chain *c, const struct chain_key *k)
{
	return c->via == k->via && c->family == k->family && nf_is(k->table, c->table) && nf_is(k->name, c->name);
}

/* Where the chain is, or would be. */
static uint32_t *slot_of(const struct nf_rules *r, const struct chain_key *k)
{
	const struct nf_text *t = r->text;
	uint32_t mask = t->n_slots - 1, i = (uint32_t)hash_of(t, k) & mask;

	while (t->slots[i] && !is_same(&r->chains[t->slots[i] - 1], k))
		i = (i + 1) & mask;
	return &t->slots[i];
}

static struct part part_of(const char *text)
{
	return (struct part){ (const uint8_t *)text, strlen(text) };
}

static struct chain_key key_of(const struct nf_chain *c)
{
	return (struct chain_key){ part_of(c->table), part_of(c->name), c->via, c->family };
}

/* Room for one more chain and its slot. */
static bool has_room(struct nf_rules *r)
{
	struct nf_text *t = text_of(r);
	uint32_t room = r->room_chains ? r->room_chains * 2 : FIRST_ROOM, n;
	struct nf_chain *chains = r->chains;
	uint32_t *slots;

	if (t && r->n_chains == r->room_chains) {
		chains = realloc(r->chains, room * sizeof(*chains));
		if (chains) {
			r->chains = chains;
			r->room_chains = room;
		}
	}
	if (!t || !chains)
		return false;
	if (r->n_chains + 1 <= t->n_slots / 2)
		return true;
	n = t->n_slots ? t->n_slots * 2 : FIRST_SLOTS;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return false;
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
	for (uint32_t i = 0; i < r->n_chains; i++) {
		struct chain_key k = key_of(&r->chains[i]);

		*slot_of(r, &k) = i + 1;
	}
	return true;
}

int64_t nf_chain_index(const struct nf_rules *r, uint8_t via, uint8_t family, struct part table, struct part name)
{
	struct chain_key k = { { table.p, length(table) }, { name.p, length(name) }, via, family };

	if (!r->n_chains || !k.table.n || !k.name.n || k.table.n > NF_TEXT_MAX || k.name.n > NF_TEXT_MAX)
		return NF_NOWHERE;
	return (int64_t)*slot_of(r, &k) - 1;
}

int64_t nf_chain_add(struct nf_rules *r, const struct nf_chain *c, struct part table, struct part name)
{
	struct nf_chain add = *c;
	struct chain_key k;

	if (r->n_chains == NF_CHAINS_MAX) {
		r->cut = true;
		return NF_NOWHERE;
	}
	if (nf_chain_index(r, c->via, c->family, table, name) >= 0) {
		r->broken++;
		return NF_NOWHERE;
	}
	add.table = nf_keep(r, table);
	add.name = nf_keep(r, name);
	if (!add.table || !add.name) {
		r->broken++;
		return NF_NOWHERE;
	}
	if (!has_room(r)) {
		nf_failed(r);
		return NF_NOWHERE;
	}
	k = key_of(&add);
	r->chains[r->n_chains++] = add;
	*slot_of(r, &k) = r->n_chains;
	return r->n_chains - 1;
}

const struct nf_chain *nf_chain_find(const struct nf_rules *r, uint8_t via, uint8_t family, const char *table,
				     const char *name)
{
	int64_t i = NF_NOWHERE;

	if (table)
		i = nf_chain_index(r, via, family, part_of(table), part_of(name));
	for (uint32_t j = 0; !table && i < 0 && j < r->n_chains; j++)
		if (r->chains[j].via == via && r->chains[j].family == family && !strcmp(r->chains[j].name, name))
			i = j;
	return i < 0 ? NULL : &r->chains[i];
}

/* ── rules ────────────────────────────────────────────────────────────────── */

void nf_rule_add(struct nf_rules *r, const struct nf_rule *rule)
{
	uint32_t room = r->room_rules ? r->room_rules * 2 : FIRST_ROOM;

	if (r->n_rules == NF_RULES_MAX) {
		r->cut = true;
		return;
	}
	if (r->n_rules == r->room_rules) {
		struct nf_rule *rules = realloc(r->rules, room * sizeof(*rules));

		if (!rules) {
			nf_failed(r);
			return;
		}
		r->rules = rules;
		r->room_rules = room;
	}
	r->rules[r->n_rules++] = *rule;
}

/* ── what hooks reach ─────────────────────────────────────────────────────── */

enum { MAPPED_MAX = 64 };

struct reaching {
	struct nf_rules *r;
	uint32_t *todo, n;	/* chains that were reached, and not looked into yet */
	const struct nf_chain *mapped[MAPPED_MAX];	/* one of each table that is reached by a map */
	unsigned int n_mapped;
};

static void reach(struct reaching *w, struct nf_chain *c)
{
	if (c->reached || c->dormant)
		return;
	c->reached = true;
	w->todo[w->n++] = (uint32_t)(c - w->r->chains);
}

static bool same_table(const struct nf_chain *a, const struct nf_chain *b)
{
	return a->via == b->via && a->family == b->family && !strcmp(a->table, b->table);
}

/* A map may send to any of its table; of so many tables that they are not kept, to any of all. */
static void reach_table(struct reaching *w, const struct nf_chain *from)
{
	for (unsigned int i = 0; i < w->n_mapped; i++)
		if (w->n_mapped == MAPPED_MAX || same_table(w->mapped[i], from))
			return;
	w->mapped[w->n_mapped++] = from;
	for (uint32_t i = 0; i < w->r->n_chains; i++)
		if (w->n_mapped == MAPPED_MAX || same_table(&w->r->chains[i], from))
			reach(w, &w->r->chains[i]);
}

static int find_reached(struct nf_rules *r)
{
	struct reaching w = { .r = r, .todo = calloc(r->n_chains + 1, sizeof(*w.todo)) };

	if (!w.todo)
		return fail(ENOMEM, "rules of the packet filter");
	for (uint32_t i = 0; i < r->n_chains; i++)
		if (r->chains[i].base)
			reach(&w, &r->chains[i]);
	while (w.n) {
		const struct nf_chain *c = &r->chains[w.todo[--w.n]];

		for (uint32_t i = 0; i < c->n; i++) {
			const struct nf_rule *rule = &r->rules[c->first + i];
			const struct nf_chain *to = NULL;

			if (rule->verdict == NF_MAPS)
				reach_table(&w, c);
			if (rule->verdict == NF_JUMPS || rule->verdict == NF_GOES)
				to = nf_chain_find(r, c->via, c->family, c->table, rule->target);
			if (to)
				reach(&w, &r->chains[to - r->chains]);
		}
	}
	free(w.todo);
	return 0;
}

static bool only_goes(const struct nf_rules *r, const struct nf_rule *rule)
{
	const struct nf_chain *c = &r->chains[rule->chain];

	for (uint32_t i = 0; i < r->n_maps && c->via == NF_TABLES && rule->target; i++)
		if (r->maps[i].family == c->family && !strcmp(r->maps[i].name, rule->target) &&
		    !strcmp(r->maps[i].table, c->table))
			return !r->maps[i].decides;
	return false;
}

/* Counting sort: rules of one chain keep their order. */
int nf_rules_sort(struct nf_rules *r)
{
	struct nf_rule *sorted;
	uint32_t first = 0;

	for (uint32_t i = 0; i < r->n_chains; i++)
		r->chains[i].n = 0;
	for (uint32_t i = 0; i < r->n_rules; i++) {
		r->chains[r->rules[i].chain].n++;
		if (r->rules[i].verdict == NF_MAPS)
			r->rules[i].only_goes = only_goes(r, &r->rules[i]);
	}
	for (uint32_t i = 0; i < r->n_chains; i++) {
		r->chains[i].first = first;
		first += r->chains[i].n;
		r->chains[i].n = 0;
	}
	if (!r->n_rules)
		return find_reached(r);
	sorted = malloc(r->n_rules * sizeof(*sorted));
	if (!sorted)
		return fail(ENOMEM, "rules of the packet filter");
	for (uint32_t i = 0; i < r->n_rules; i++) {
		struct nf_chain *c = &r->chains[r->rules[i].chain];

		sorted[c->first + c->n++] = r->rules[i];
	}
	free(r->rules);
	r->rules = sorted;
	r->room_rules = r->n_rules;
	return find_reached(r);
}

void nf_rules_free(struct nf_rules *r)
{
	struct chunk *c = r->text ? r->text->chunks : NULL, *next;

	for (; c; c = next) {
		next = c->next;
		free(c);
	}
	if (r->text)
		free(r->text->slots);
	free(r->text);
	free(r->chains);
	free(r->rules);
	free(r->dormant);
	free(r->maps);
	*r = (struct nf_rules){ 0 };
}
