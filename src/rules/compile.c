// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entries become tables.  Prefixes are sorted, so that those inside one another follow each other: one sweep with a
 * stack of what is still open knows for each prefix, and for each mark above it, the next shorter one.
 */
#include "rules/compile.h"

#include <errno.h>
#include <string.h>

#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/hash.h"

enum { DEPTH_MAX = 130, ROOM_MAX = 4, KEYS_MAX = 8 };

struct item {
	uint64_t hi, lo;
	uint32_t rule;
	uint16_t rank;
	uint8_t plen;
};

struct key {
	uint64_t hi, lo;
	uint32_t value;
	uint8_t tag;
};

struct keys {
	struct key *v;
	size_t n, cap;
};

struct open_prefix {
	uint64_t hi, lo;
	uint32_t value;
	uint16_t chain;			/* conditions from here on */
	uint8_t plen;
};

struct build {
	struct compiled *c;
	const struct rules *r;
	struct keys keys;
	struct open_prefix stack[DEPTH_MAX];
	unsigned int depth;
	const struct np_length *rows;
	unsigned int n_rows;
	int16_t row_of[129];		/* -1: prefixes of this length are in runs */
	struct key last_mark[129];	/* by row */
	uint32_t conds_cap;
	bool runs;			/* of IPv4, those up to /24 */
};

static void length_mask(unsigned int plen, uint64_t *hi, uint64_t *lo)
{
	*hi = plen >= 64 ? ~0ull : plen ? ~0ull << (64 - plen) : 0;
	*lo = plen >= 128 ? ~0ull : plen > 64 ? ~0ull << (128 - plen) : 0;
}

static int by_prefix(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->plen != b->plen)
		return a->plen < b->plen ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

static void sort_items(struct item *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_prefix(&v[i - 1], &v[i]) > 0) {
			qsort(v, n, sizeof(*v), by_prefix);
			return;
		}
}

static int push_key(struct build *b, uint64_t hi, uint64_t lo, uint8_t tag, uint32_t value)
{
	struct keys *k = &b->keys;

	if (k->n == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 1024;
		struct key *v = realloc(k->v, cap * sizeof(*v));

		if (!v)
			return fail(ENOMEM, "tables");
		k->v = v;
		k->cap = cap;
	}
	k->v[k->n++] = (struct key){ hi, lo, value, tag };
	return 0;
}

static int push_cond(struct build *b, const struct np_rule *rule, uint32_t leaf, uint32_t *value)
{
	struct compiled *c = b->c;

	if (c->n_conds == b->conds_cap) {
		uint32_t cap = b->conds_cap ? 2 * b->conds_cap : 256;
		struct np_cond *v = realloc(c->conds, cap * sizeof(*v));

		if (!v)
			return fail(ENOMEM, "tables");
		c->conds = v;
		b->conds_cap = cap;
	}
	c->conds[c->n_conds] = (struct np_cond){
		.value = leaf, .next = *value, .port_lo = rule->port_lo, .port_hi = rule->port_hi, .proto = rule->proto,
		.flags = rule->flags & (NP_RULE_PROTO | NP_RULE_PORT | NP_RULE_EXPIRES), .expires_ns = rule->expires_ns,
	};
	*value = NP_V_CHAIN | c->n_conds++;
	return 0;
}

static bool conditional(const struct np_rule *rule)
{
	return rule->flags & (NP_RULE_PROTO | NP_RULE_PORT | NP_RULE_EXPIRES);
}

/* What decides for one prefix: its entries in order, then what covers it.  *chain: how many conditions that is. */
static int chain_of(struct build *b, const struct item *v, size_t n, uint32_t *value, uint16_t *chain)
{
	const struct np_rule *rules = b->r->v;
	size_t last = 0;

	while (last < n && conditional(&rules[v[last].rule]))
		last++;
	if (last < n) {
		*value = v[last].rule | (uint32_t)rules[v[last].rule].action << NP_V_ACTION;
		*chain = 0;
	}
	if (*chain + last > NP_CHAIN_MAX) {
		fail(0, "more than %u entries with a protocol, port or expiry cover the address of entry %u: "
		     "a program looks at no more", NP_CHAIN_MAX, rules[v[0].rule].id);
		return -E2BIG;
	}
	*chain = (uint16_t)(*chain + last);
	while (last-- > 0) {
		const struct np_rule *rule = &rules[v[last].rule];

		if (push_cond(b, rule, v[last].rule | (uint32_t)rule->action << NP_V_ACTION, value))
			return -ENOMEM;
	}
	return 0;
}

static bool inside(const struct open_prefix *o, uint64_t hi, uint64_t lo, unsigned int plen)
{
	uint64_t mhi, mlo;

	length_mask(o->plen, &mhi, &mlo);
	return o->plen <= plen && (hi & mhi) == o->hi && (lo & mlo) == o->lo;
}

/* A mark for the search on its way to longer prefixes, unless there is a key already. */
static int mark(struct build *b, unsigned int row, uint64_t hi, uint64_t lo)
{
	const struct np_length *len = &b->rows[row];
	struct key *last = &b->last_mark[row];
	unsigned int i = b->depth;
	uint32_t value = NP_V_MARK;

	hi &= len->hi;
	lo &= len->lo;
	if (last->tag && last->hi == hi && last->lo == lo)
		return 0;
	*last = (struct key){ .hi = hi, .lo = lo, .tag = 1 };
	while (i && b->row_of[b->stack[i - 1].plen] > (int)row)
		i--;
	if (i && b->row_of[b->stack[i - 1].plen] == (int)row)
		return 0;
	if (i && b->stack[i - 1].value)
		value = b->stack[i - 1].value;
	return push_key(b, hi, lo, (uint8_t)len->tag, value);
}

/* What was opened last ends, and what covers it goes on. */
static int end_prefix(struct build *b)
{
	const struct open_prefix *p = &b->stack[--b->depth];

	if (!b->runs || p->plen > 24)
		return 0;
	return runs_put(&b->c->runs, (uint32_t)(p->hi >> 40) + (1u << (24 - p->plen)), b->depth ? p[-1].value : 0);
}

/* One of IPv4 that is about to be opened: up to /24 it is a run, a longer one is told of by its /24. */
static int add_run(struct build *b, const struct open_prefix *mine)
{
	uint32_t at = (uint32_t)(mine->hi >> 40), covering = 0;
	unsigned int i = b->depth;
	int err;

	if (mine->plen <= 24)
		return runs_put(&b->c->runs, at, mine->value);
	while (i && b->stack[i - 1].plen > 24)
		i--;
	if (i)
		covering = b->stack[i - 1].value;
	err = runs_put(&b->c->runs, at, covering | NP_V_MARK);
	return err ? err : runs_put(&b->c->runs, at + 1, covering);
}

/* Into the hash, and marks where the search of bpf/block_table.h passes by. */
static int add_key(struct build *b, const struct open_prefix *mine)
{
	unsigned int row = (unsigned int)b->row_of[mine->plen], lo = 0, hi = b->n_rows;
	int err = 0;

	while (!err && lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (mid == row)
			break;
		if (mid < row) {
			err = mark(b, mid, mine->hi, mine->lo);
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return err ? err : push_key(b, mine->hi, mine->lo, (uint8_t)b->rows[row].tag, mine->value);
}

static int add_prefix(struct build *b, const struct item *v, size_t n)
{
	struct open_prefix mine = { .hi = v->hi, .lo = v->lo, .plen = v->plen };
	int err = 0;

	while (!err && b->depth && !inside(&b->stack[b->depth - 1], v->hi, v->lo, v->plen))
		err = end_prefix(b);
	if (b->depth) {
		mine.value = b->stack[b->depth - 1].value;
		mine.chain = b->stack[b->depth - 1].chain;
	}
	if (!err)
		err = chain_of(b, v, n, &mine.value, &mine.chain);
	if (!err && b->runs)
		err = add_run(b, &mine);
	if (!err && b->row_of[v->plen] >= 0)
		err = add_key(b, &mine);
	b->stack[b->depth++] = mine;
	return err;
}

/* The lengths that occur among keys, ascending. */
static unsigned int lengths(struct build *b, const struct item *v, size_t n, bool v6, struct np_length *rows)
{
	bool there[129] = { false };
	unsigned int k = 0;
	uint64_t hi, lo;

	for (size_t i = 0; i < n; i++)
		there[v[i].plen] = true;
	memset(b->row_of, -1, sizeof(b->row_of));
	for (unsigned int plen = b->runs ? 25 : 0; plen <= 128; plen++) {
		if (!there[plen])
			continue;
		b->row_of[plen] = (int16_t)k;
		length_mask(plen, &hi, &lo);
		rows[k].hi = hi;
		rows[k].lo = lo;
		rows[k++].tag = v6 ? NP_TAG_V6(plen) : NP_TAG_V4(plen);
	}
	return k;
}

static bool in_table(const struct np_rule *rule, int t)
{
	bool allow = t == NP_T_ALLOW_SRC || t == NP_T_ALLOW_DST;

	return (rule->action == NP_ALLOW) == allow &&
	       rule->dir & (t == NP_T_ALLOW_SRC || t == NP_T_BLOCK_SRC ? NP_SRC : NP_DST);
}

static size_t gather(const struct rules *r, int t, uint8_t kind, struct item *v)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct np_rule *rule = &r->v[i];

		if (rule->kind != kind || !in_table(rule, t))
			continue;
		v[n].hi = be64(rule->addr);
		v[n].lo = kind == NP_KIND_V6 ? be64(rule->addr + 8) : 0;
		v[n].rule = i;
		v[n].rank = (uint16_t)rule_rank(rule);
		v[n++].plen = rule->plen;
	}
	return n;
}

static size_t same_prefix(const struct item *v, size_t n)
{
	size_t k = 1;

	while (k < n && v[k].hi == v[0].hi && v[k].lo == v[0].lo && v[k].plen == v[0].plen)
		k++;
	return k;
}

static int add_macs(struct build *b, const struct item *v, size_t n)
{
	for (size_t i = 0, k; i < n; i += k) {
		uint32_t value = 0;
		uint16_t chain = 0;

		k = same_prefix(v + i, n - i);
		if (chain_of(b, v + i, k, &value, &chain) || push_key(b, v[i].hi, 0, NP_TAG_MAC, value))
			return -ENOMEM;
	}
	return 0;
}

static int add_kind(struct build *b, int t, uint8_t kind, struct item *items)
{
	size_t n = gather(b->r, t, kind, items);
	struct np_index *index = &b->c->index[t];
	int err = 0;

	if (!n)
		return 0;
	sort_items(items, n);
	b->depth = 0;
	memset(b->last_mark, 0, sizeof(b->last_mark));
	if (kind == NP_KIND_MAC) {
		index->macs = (uint32_t)n;
		return add_macs(b, items, n);
	}
	b->runs = kind == NP_KIND_V4 && n >= NP_RUNS_MANY;
	if (b->runs) {
		b->c->conf.use[t] = NP_USE_RUNS;
		err = runs_begin(&b->c->runs);
	}
	b->rows = index->rows + (kind == NP_KIND_V6 ? NP_ROWS_V6 : 0);
	b->n_rows = lengths(b, items, n, kind == NP_KIND_V6, (struct np_length *)b->rows);
	*(kind == NP_KIND_V4 ? &index->n_v4 : &index->n_v6) = b->n_rows;
	for (size_t i = 0, k; i < n && !err; i += k) {
		k = same_prefix(items + i, n - i);
		err = add_prefix(b, items + i, k);
	}
	while (b->depth && !err)
		err = end_prefix(b);
	return b->runs && !err ? runs_end(&b->c->runs, &b->c->conf.steps[t]) : err;
}

/* Every key within NP_BUCKETS_ROW buckets of its place; false when this size does not do. */
static bool fill(struct np_bucket *v, uint64_t mask, const struct keys *keys, struct np_hash_key key)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct key *k = &keys->v[i];
		uint64_t at = np_hash(k->hi, k->lo, k->tag, key) & mask;
		int step = 0, slot;

		for (;; step++, at = (at + 1) & mask) {
			for (slot = 0; slot < 3 && v[at].tag[slot]; slot++)
				;
			if (slot < 3)
				break;
			if (step == NP_BUCKETS_ROW - 1)
				return false;
			v[at].more = 1;
		}
		v[at].hi[slot] = k->hi;
		v[at].lo[slot] = k->lo;
		v[at].value[slot] = k->value;
		v[at].tag[slot] = k->tag;
	}
	return true;
}

/* -EAGAIN: not with this key. */
static int hash_keys(struct build *b, int t)
{
	uint64_t size = 1, most;

	while (7 * size < 4 * b->keys.n)
		size *= 2;
	for (most = size * ROOM_MAX; size <= most; size *= 2) {
		struct np_bucket *v = calloc(size, sizeof(*v));

		if (!v)
			return fail(ENOMEM, "tables");
		if (fill(v, size - 1, &b->keys, b->c->conf.key)) {
			b->c->buckets[t] = v;
			b->c->index[t].mask = size - 1;
			if (!b->c->conf.use[t])
				b->c->conf.use[t] = 1;
			return 0;
		}
		free(v);
	}
	return -EAGAIN;
}

/* In 2^-8 ns; a century and more is for ever. */
static uint64_t burst_ns8(const struct np_rule *rule)
{
	double burst = (double)(1ull << 8) * 1e12 / (double)rule->rate * (double)rule->burst;

	return burst < 0x1p62 ? (uint64_t)burst : 1ull << 62;
}

static int make_entries(struct compiled *c, const struct rules *r)
{
	c->n_entries = r->n;
	c->entries = calloc(r->n ? r->n : 1, sizeof(*c->entries));
	if (!c->entries)
		return fail(ENOMEM, "tables");
	c->conf.remember = 1;
	for (uint32_t i = 0; i < r->n; i++) {
		const struct np_rule *rule = &r->v[i];
		struct np_entry *e = &c->entries[i];

		e->rank = (uint16_t)rule_rank(rule);
		e->flags = rule->flags;
		e->id = rule->id;
		c->conf.ports = c->conf.ports || rule->flags & NP_RULE_PORT;
		c->conf.macs = c->conf.macs || rule->kind == NP_KIND_MAC;
		if (rule->kind == NP_KIND_MAC || rule->dir != NP_SRC || rule->flags & NP_RULE_EXPIRES)
			c->conf.remember = 0;
		if (rule->action != NP_LIMIT)
			continue;
		/* rate is in thousandths a second: 2^16 ns * 10^12 / rate. */
		e->cost = ((1ull << 16) * 1000000000000ull + rule->rate / 2) / rule->rate;
		e->burst = burst_ns8(rule);
	}
	return 0;
}

static int compile(struct build *b, struct item *items)
{
	static const uint8_t kinds[] = { NP_KIND_V4, NP_KIND_V6, NP_KIND_MAC };
	const struct rules *r = b->r;
	struct compiled *c = b->c;
	int err;

	c->conf.mode = r->mode;
	c->conf.frag = r->frag;
	c->conf.egress = r->egress;
	c->conf.n_failsafe = r->n_failsafe;
	memcpy(c->conf.failsafe, r->failsafe, sizeof(c->conf.failsafe));
	err = make_entries(c, r);
	for (int t = 0; t < NP_TABLES && !err; t++) {
		b->keys.n = 0;
		for (int k = 0; k < 3 && !err; k++)
			err = add_kind(b, t, kinds[k], items);
		if (!err && (b->keys.n || c->conf.use[t]))
			err = hash_keys(b, t);
	}
	return err;
}

struct np_hash_key rules_next_key(uint64_t *seed)
{
	struct np_hash_key key;

	key.seed = *seed = hash_spread(*seed);
	key.first = (*seed = hash_spread(*seed)) | 1;
	key.second = (*seed = hash_spread(*seed)) | 1;
	return key;
}

int rules_compile(struct compiled *c, const struct rules *r, uint64_t seed)
{
	owned_mem struct item *items = malloc((r->n ? r->n : 1) * sizeof(*items));
	owned_mem struct build *b = calloc(1, sizeof(*b));
	int err = -EAGAIN;

	memset(c, 0, sizeof(*c));
	if (!items || !b)
		return fail(ENOMEM, "tables");
	for (int i = 0; i < KEYS_MAX && err == -EAGAIN; i++) {
		*b = (struct build){ .c = c, .r = r, .keys = b->keys };
		c->conf.key = rules_next_key(&seed);
		err = compile(b, items);
		if (err)
			compiled_free(c);
	}
	free(b->keys.v);
	return err == -EAGAIN ? fail(ENOMEM, "tables: prefixes that meet in one place whatever the key") : err;
}

void compiled_free(struct compiled *c)
{
	for (int t = 0; t < NP_TABLES; t++)
		free(c->buckets[t]);
	free(c->conds);
	runs_free(&c->runs);
	free(c->entries);
	memset(c, 0, sizeof(*c));
}
