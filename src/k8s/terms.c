// SPDX-License-Identifier: GPL-2.0-or-later
/* What policies are made of: selectors, blocks of addresses, protocols; checked as the API server does. */
#include <ctype.h>
#include <string.h>

#include "k8s/parts.h"
#include "numbers/ipproto.h"

/* Letters, digits and, inside, "-_."; at most 63. */
static bool is_label_word(const char *s, size_t n)
{
	if (!n || n > 63 || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
			return false;
	return true;
}

static bool is_subdomain(const char *s, size_t n)
{
	char before = '.';

	if (!n || n > 253)
		return false;
	for (size_t i = 0; i < n; before = s[i++]) {
		bool word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');
		bool last = i + 1 == n || s[i + 1] == '.';

		if (!word && (s[i] == '-' ? before == '.' || last : s[i] != '.' || before == '.' || i + 1 == n))
			return false;
	}
	return true;
}

static bool is_label_key(const char *s)
{
	const char *slash = strchr(s, '/');

	if (!slash)
		return is_label_word(s, strlen(s));
	return is_subdomain(s, (size_t)(slash - s)) && is_label_word(slash + 1, strlen(slash + 1));
}

static void check_value(struct loader *l, const char *key, const char *s)
{
	if (*s && !is_label_word(s, strlen(s)))
		mistake_at(l, MISTAKE_NOTE, key, "'%.80s' cannot be the value of a label", s);
}

static void match_labels(struct loader *l, struct arena *mem, struct selector *s, const json_t *o)
{
	size_t at = path_key(l, "matchLabels");

	for (void *it = json_object_iter((json_t *)o); it; it = json_object_iter_next((json_t *)o, it)) {
		const json_t *v = json_object_iter_value(it);
		const char *key = json_object_iter_key(it), *text = json_is_null(v) ? "" : json_string_value(v);
		struct sel_term *t = &s->terms[s->n];

		if (!is_label_key(key))
			mistake_at(l, MISTAKE_ERROR, key, "'%.100s' cannot be the name of a label", key);
		if (!text) {
			mistake_at(l, MISTAKE_ERROR, key, "is not a string (quotes make it one)");
			continue;
		}
		check_value(l, key, text);
		*t = (struct sel_term){ .op = SEL_IN, .key = name_of(l, key), .n_values = 1 };
		t->values = read_room(l, mem, 1, sizeof(*t->values));
		if (!t->values)
			return;
		t->values[0] = name_of(l, text);
		s->n++;
	}
	path_back(l, at);
}

static void term_values(struct loader *l, struct arena *mem, struct sel_term *t, const json_t *list)
{
	size_t n = json_array_size(list), at;
	bool wants = t->op == SEL_IN || t->op == SEL_NOT_IN;

	if (wants && !n)
		mistake_at(l, MISTAKE_ERROR, "values", "In and NotIn need values");
	if (!wants && n)
		mistake_at(l, MISTAKE_ERROR, "values", "Exists and DoesNotExist take no values");
	t->values = read_room(l, mem, n, sizeof(*t->values));
	at = path_key(l, "values");
	for (size_t i = 0; t->values && i < n; i++) {
		const json_t *v = json_array_get(list, i);
		const char *s = json_is_null(v) ? "" : json_string_value(v);
		size_t deeper = path_index(l, i);

		if (!s)
			mistake_at(l, MISTAKE_ERROR, NULL, "is not a string (quotes make it one)");
		else
			t->values[t->n_values++] = name_of(l, s);
		if (s)
			check_value(l, NULL, s);
		path_back(l, deeper);
	}
	path_back(l, at);
}

static void match_expression(struct loader *l, struct arena *mem, struct sel_term *t, const json_t *o)
{
	static const char *const ops[] = { "In", "NotIn", "Exists", "DoesNotExist" };
	static const char *const members[] = { "key", "operator", "values", NULL };
	const char *key, *op;
	unsigned int i = 0;

	if (!json_is_object(o)) {
		mistake_at(l, MISTAKE_ERROR, NULL, "is not an object");
		return;
	}
	check_members(l, o, members);
	key = get_string(l, o, "key");
	op = get_string(l, o, "operator");
	if (!key || !is_label_key(key))
		mistake_at(l, MISTAKE_ERROR, "key", key ? "'%.100s' cannot be the name of a label" : "is missing", key);
	while (op && i < 4 && strcmp(ops[i], op))
		i++;
	if (!op || i == 4) {
		mistake_at(l, MISTAKE_ERROR, "operator", op ? "'%.40s' is none of In, NotIn, Exists, DoesNotExist" :
							       "is missing", op);
		return;
	}
	t->op = (enum sel_op)i;
	t->key = key ? name_of(l, key) : 0;
	term_values(l, mem, t, get_array(l, o, "values"));
}

/* o: a LabelSelector, not NULL. */
const struct selector *read_selector(struct loader *l, struct arena *mem, const json_t *o)
{
	static const char *const members[] = { "matchLabels", "matchExpressions", NULL };
	const json_t *labels = get_object(l, o, "matchLabels"), *list = get_array(l, o, "matchExpressions");
	struct selector *s = read_room(l, mem, 1, sizeof(*s));
	size_t n = json_array_size(list), at;

	check_members(l, o, members);
	if (!s)
		return NULL;
	s->terms = read_room(l, mem, json_object_size(labels) + n, sizeof(*s->terms));
	if (!s->terms)
		return NULL;
	match_labels(l, mem, s, labels);
	at = path_key(l, "matchExpressions");
	for (size_t i = 0; i < n; i++) {
		size_t deeper = path_index(l, i);

		match_expression(l, mem, &s->terms[s->n++], json_array_get(list, i));
		path_back(l, deeper);
	}
	path_back(l, at);
	return s;
}

bool read_block(struct loader *l, struct k8s_cidr *out, const char *text, const char *key)
{
	bool sloppy = false;
	unsigned int bit;

	if (!cidr_parse(out, text, &sloppy)) {
		mistake_at(l, MISTAKE_ERROR, key, "'%.80s' is not a CIDR (10.0.0.0/8, fd00::/64)", text);
		return false;
	}
	if (sloppy)
		mistake_at(l, MISTAKE_NOTE, key, "'%.80s': numbers with leading zeros are read as decimal", text);
	for (bit = out->bits; bit < (out->addr.family == 4 ? 32 : 128); bit++)
		if (out->addr.b[bit / 8] >> (7 - bit % 8) & 1)
			break;
	if (bit < (out->addr.family == 4 ? 32 : 128))
		mistake_at(l, MISTAKE_NOTE, key, "'%.80s' has bits beyond its prefix, which mean nothing", text);
	return true;
}

uint8_t protocol_of(const char *s)
{
	if (!s || !*s || !strcmp(s, "TCP"))
		return PROTO_TCP;
	return !strcmp(s, "UDP") ? PROTO_UDP : !strcmp(s, "SCTP") ? PROTO_SCTP : 0;
}

uint8_t read_protocol(struct loader *l, const json_t *o, const char *key)
{
	const char *s = get_string(l, o, key);
	uint8_t proto = protocol_of(s);

	if (!proto)
		mistake_at(l, MISTAKE_ERROR, key, "'%.40s' is none of TCP, UDP, SCTP", s);
	return proto;
}
