// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/addr.h"
#include "where_parts.h"

enum { SUBJECT_MAX = 65536 };	/* bytes of a text that a regular expression looks at */

enum where_type where_type_of(enum field_type type)
{
	switch (type) {
	case FT_BOOL: return WHERE_BOOL;
	case FT_U8:
	case FT_U16:
	case FT_U32:
	case FT_U64:
	case FT_DURATION:
	case FT_I32:
	case FT_I64:
	case FT_F64:
	case FT_TIME:
	case FT_U16S:
	case FT_U32S: return WHERE_NUMBER;
	case FT_ADDR: return WHERE_ADDR;
	case FT_MAC:
	case FT_WORD:
	case FT_STR:
	case FT_WORDS:
	case FT_STRS: return WHERE_TEXT;
	default: return WHERE_OTHER;
	}
}

static bool ordered(enum where_op op, int order)
{
	switch (op) {
	case OP_EQ: return order == 0;
	case OP_NE: return order != 0;
	case OP_LT: return order < 0;
	case OP_LE: return order <= 0;
	case OP_GT: return order > 0;
	default: return order >= 0;
	}
}

static int64_t number_of(enum field_type type, const void *at)
{
	uint64_t v;

	switch (type) {
	case FT_U8: return *(const uint8_t *)at;
	case FT_U16: return *(const uint16_t *)at;
	case FT_U32: return *(const uint32_t *)at;
	case FT_I32: return *(const int32_t *)at;
	case FT_I64: return *(const int64_t *)at;
	default: break;
	}
	memcpy(&v, at, sizeof(v));
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

static bool one_real(const struct where_node *n, double v)
{
	/* A value that is none is not equal, less or more. */
	return !isnan(v) && ordered(n->op, v < n->real ? -1 : v > n->real);
}

static bool one_number(const struct where_node *n, int64_t v)
{
	if (n->fractional)
		return one_real(n, (double)v);
	return ordered(n->op, v < n->number ? -1 : v > n->number);
}

static bool one_text(const struct where_node *n, const char *p, uint32_t len)
{
	regmatch_t whole = { 0, (regoff_t)(len < SUBJECT_MAX ? len : SUBJECT_MAX) };
	bool same;

	if (n->op == OP_MATCH || n->op == OP_NO_MATCH)
		return !regexec(&n->regex, p ? p : "", 1, &whole, REG_STARTEND) == (n->op == OP_MATCH);
	same = len == n->n_text && (!len || !memcmp(p, n->text, len));
	return same == (n->op == OP_EQ);
}

static bool one_addr(const struct where_node *n, const struct addr *a)
{
	bool same = a->family == n->addr.family;

	for (unsigned int i = 0; same && i < n->prefix; i += 8) {
		unsigned int bits = n->prefix - i < 8 ? n->prefix - i : 8;

		same = !((a->b[i / 8] ^ n->addr.b[i / 8]) >> (8 - bits));
	}
	return same == (n->op == OP_EQ);
}

/* One value that stands at `at`. */
static bool one_value(const struct where_node *n, enum field_type type, const void *at)
{
	const struct str *s = at;
	const uint8_t *mac = at;
	char text[MAC_TEXT_MAX + 1];

	switch (type) {
	case FT_BOOL: return one_number(n, *(const bool *)at);
	case FT_WORD: return one_text(n, *(const char *const *)at, (uint32_t)strlen(*(const char *const *)at));
	case FT_STR: return one_text(n, s->p, s->n);
	case FT_F64: return one_real(n, *(const double *)at);
	case FT_ADDR: return one_addr(n, at);
	case FT_MAC:
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			 mac[4], mac[5]);
		return one_text(n, text, MAC_TEXT_MAX);
	default: return one_number(n, number_of(type, at));
	}
}

static bool any_of(const struct where_node *n, enum field_type element, size_t size, const struct list *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (one_value(n, element, (const char *)l->p + i * size))
			return true;
	return false;
}

static bool any_value(const struct where_node *n, enum field_type type, const void *at)
{
	switch (type) {
	case FT_U16S: return any_of(n, FT_U16, sizeof(uint16_t), at);
	case FT_U32S: return any_of(n, FT_U32, sizeof(uint32_t), at);
	case FT_WORDS: return any_of(n, FT_WORD, sizeof(const char *), at);
	case FT_STRS: return any_of(n, FT_STR, sizeof(struct str), at);
	default: return one_value(n, type, at);
	}
}

/* A key of an object in a list may have several rows: TXT has a list where others have a text. */
static bool any_item(const struct where_node *n, const struct item_table *items, const struct list *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const char *item = (const char *)l->p + (size_t)i * items->size;
		uint32_t present;

		memcpy(&present, item, sizeof(present));
		for (unsigned int k = 0; k < items->n; k++) {
			const struct item_field *row = &items->rows[k];

			if (!(present >> k & 1) || strcmp(row->name, n->row->name))
				continue;
			if (n->op == OP_HAS || any_value(n, row->type, item + row->off))
				return true;
		}
	}
	return false;
}

static bool passes(const struct where_node *n, const struct record *r)
{
	const struct field *f = field_get(n->field);
	const void *at = record_value(r, n->field);

	if (!at)
		return false;
	if (n->row)
		return any_item(n, f->items, at);
	return n->op == OP_HAS || any_value(n, f->type, at);
}

bool where_match(const struct where *w, const struct record *r)
{
	bool stack[2 * WHERE_TESTS_MAX] = { false };
	unsigned int top = 0;

	for (unsigned int i = 0; i < w->n; i++) {
		const struct where_node *n = &w->node[i];

		if (n->op == OP_NOT) {
			stack[top - 1] = !stack[top - 1];
		} else if (n->op == OP_AND || n->op == OP_OR) {
			top--;
			stack[top - 1] = n->op == OP_AND ? stack[top - 1] && stack[top] : stack[top - 1] || stack[top];
		} else {
			stack[top++] = passes(n, r);
		}
	}
	return top && stack[0];
}

void where_free(struct where *w)
{
	if (!w)
		return;
	for (unsigned int i = 0; i < w->n; i++) {
		if (w->node[i].op == OP_MATCH || w->node[i].op == OP_NO_MATCH)
			regfree(&w->node[i].regex);
		free(w->node[i].text);
	}
	free(w);
}
