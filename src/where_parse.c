// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/err.h"
#include "where_parts.h"

enum { WORD_MAX = 512, PATTERN_MAX = 256, GROUPS_MAX = 16, STATES_MAX = 1000 };

struct token {
	const char *at;
	char text[WORD_MAX];
	uint32_t n;
	enum { T_END, T_WORD, T_QUOTED, T_SIGN, T_BAD } kind;
};

struct parser {
	const char *start, *p;
	struct token t;
	struct where *w;
	unsigned int tests, depth;
};

static int refuse(struct parser *s, const char *why)
{
	return fail(0, "--where: %s: %.*s <here> %s", why, (int)(s->t.at - s->start), s->start, s->t.at);
}

/* What a bare word is made of: names, numbers, addresses with a prefix, MACs. */
static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_.:/@-+*%", c)) || (unsigned char)c >= 0x80;
}

/* A text in quotes; a backslash takes what follows as it is. */
static void read_quoted(struct token *t, const char **p)
{
	char quote = *(*p)++;

	t->kind = T_QUOTED;
	while (**p && **p != quote) {
		/* of a regular expression the backslash stays */
		if (**p == '\\' && ((*p)[1] == quote || (*p)[1] == '\\') && t->n < WORD_MAX - 1) {
			if ((*p)[1] == '\\')
				t->text[t->n++] = '\\';
			(*p)++;
		}
		if (t->n >= WORD_MAX - 1) {
			t->kind = T_BAD;
			return;
		}
		t->text[t->n++] = *(*p)++;
	}
	if (**p)
		(*p)++;
	else
		t->kind = T_BAD;
}

/* Two characters that are one sign. */
static bool is_pair(char first, char second)
{
	switch (second) {
	case '=': return strchr("=!<>", first);
	case '~': return first == '!';
	case '&':
	case '|': return first == second;
	default: return false;
	}
}

static void next(struct parser *s)
{
	struct token *t = &s->t;

	while (*s->p == ' ' || *s->p == '\t' || *s->p == '\n')
		s->p++;
	*t = (struct token){ .at = s->p };
	if (!*s->p)
		return;
	if (*s->p == '"' || *s->p == '\'') {
		read_quoted(t, &s->p);
	} else if (is_word(*s->p)) {
		t->kind = T_WORD;
		while (is_word(*s->p) && t->n < WORD_MAX - 1)
			t->text[t->n++] = *s->p++;
		if (is_word(*s->p))
			t->kind = T_BAD;
	} else {
		t->kind = T_SIGN;
		t->text[t->n++] = *s->p++;
		if (is_pair(t->text[0], *s->p))
			t->text[t->n++] = *s->p++;
	}
	t->text[t->n] = 0;
}

static bool sign(const struct parser *s, const char *text)
{
	return s->t.kind == T_SIGN && !strcmp(s->t.text, text);
}

static bool word(const struct parser *s, const char *text)
{
	return s->t.kind == T_WORD && !strcmp(s->t.text, text);
}

static int add(struct parser *s, const struct where_node *n)
{
	if (s->w->n == sizeof(s->w->node) / sizeof(s->w->node[0]))
		return refuse(s, "too long");
	s->w->node[s->w->n++] = *n;
	return 0;
}

/* The name of a field, or of a key in a list of objects. */
static int find_field(struct parser *s, struct where_node *n, enum field_type *type)
{
	int f = field_find(s->t.text, s->t.n);
	const char *dot = strrchr(s->t.text, '.');
	const struct item_table *items;

	if (f >= 0) {
		n->field = (uint16_t)f;
		*type = field_get((unsigned int)f)->type;
		n->type = where_type_of(*type);
		return 0;
	}
	f = dot ? field_find(s->t.text, (size_t)(dot - s->t.text)) : -1;
	items = f >= 0 ? field_get((unsigned int)f)->items : NULL;
	for (unsigned int i = 0; items && i < items->n; i++) {
		if (strcmp(items->rows[i].name, dot + 1))
			continue;
		n->field = (uint16_t)f;
		n->row = &items->rows[i];
		*type = items->rows[i].type;
		n->type = where_type_of(*type);
		return 0;
	}
	return refuse(s, "no such field (see: netprobe help --fields)");
}

static int operator_of(const struct parser *s)
{
	static const struct { const char *text; enum where_op op; } signs[] = {
		{ "==", OP_EQ }, { "=", OP_EQ }, { "!=", OP_NE }, { "<", OP_LT }, { "<=", OP_LE },
		{ ">", OP_GT }, { ">=", OP_GE }, { "~", OP_MATCH }, { "!~", OP_NO_MATCH },
	};

	for (unsigned int i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (sign(s, signs[i].text))
			return (int)signs[i].op;
	return -1;
}

/* "2026-11-29", "2026-11-29T10:30", "2026-11-29 10:30:00.5Z": UTC. */
static bool parse_time(const char *text, int64_t *ns)
{
	struct tm tm = { 0 };
	const char *p = strptime(text, "%Y-%m-%d", &tm), *clock = NULL;
	int64_t unit = 1000000000, fraction = 0;

	if (p && (*p == 'T' || *p == ' ')) {
		clock = strptime(p + 1, "%H:%M:%S", &tm);
		p = clock ? clock : strptime(p + 1, "%H:%M", &tm);
	}
	if (clock && *p == '.')
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++)
			fraction += (*p - '0') * (unit /= 10);
	if (p && *p == 'Z')
		p++;
	if (!p || *p)
		return false;
	*ns = (int64_t)timegm(&tm) * 1000000000 + fraction;
	return tm.tm_year >= 70 && tm.tm_year < 360;	/* what 64 bits hold */
}

static const struct unit {
	const char *name;
	double is;
} of_times[] = { { "ns", 1 },	{ "us", 1e3 },	   { "ms", 1e6 },     { "s", 1e9 },
		 { "m", 60e9 }, { "min", 60e9 },   { "h", 3600e9 },   { "d", 86400e9 }, { NULL, 0 } },
  of_counts[] = { { "k", 1e3 },	 { "M", 1e6 },	    { "G", 1e9 },	{ "T", 1e12 },
		  { "kB", 1e3 }, { "MB", 1e6 },	    { "GB", 1e9 },	{ "TB", 1e12 },
		  { "Ki", 1024 }, { "Mi", 1048576 }, { "Gi", 1073741824 }, { "Ti", 1099511627776 },
		  { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 }, { "TiB", 1099511627776 }, { NULL, 0 } };

/* Decimal or hexadecimal, with a unit of what the field counts: "10ms" of durations, "1.5k" of others. */
static int parse_number(struct parser *s, struct where_node *n, enum field_type type)
{
	const struct unit *u = type == FT_DURATION ? of_times : of_counts;
	char *end;

	errno = 0;
	n->number = strtoll(s->t.text, &end, 0);
	n->real = (double)n->number;
	if (end != s->t.text && !*end)
		return errno ? refuse(s, "a number is wanted that 64 bits hold") : 0;
	if (type == FT_TIME)
		return parse_time(s->t.text, &n->number) ? 0 : refuse(s, "a time is wanted (2026-11-29T10:30:00)");
	n->real = strtod(s->t.text, &end);
	n->fractional = end != s->t.text && !*end;
	if (n->fractional)
		return 0;
	while (u->name && strcmp(end, u->name))
		u++;
	n->real *= u->is;
	n->number = (int64_t)(n->real > -9e18 && n->real < 9e18 ? n->real : 0);
	if (end != s->t.text && u->name && n->real > -9e18 && n->real < 9e18)
		return 0;
	return refuse(s, type == FT_DURATION ? "a duration is wanted (10ms, 1.5s)" : "a number is wanted (80, 1.5k)");
}

static int parse_addr(struct parser *s, struct where_node *n)
{
	char *slash = strchr(s->t.text, '/'), *end;
	unsigned long bits;

	if (slash)
		*slash = 0;
	if (inet_pton(AF_INET, s->t.text, n->addr.b) == 1)
		n->addr.family = 4;
	else if (inet_pton(AF_INET6, s->t.text, n->addr.b) == 1)
		n->addr.family = 6;
	else
		return refuse(s, "an address or a prefix is wanted");
	n->prefix = n->addr.family == 4 ? 32 : 128;
	if (!slash)
		return 0;
	bits = strtoul(slash + 1, &end, 10);
	if (*end || end == slash + 1 || bits > n->prefix)
		return refuse(s, "a prefix has at most 32 or 128 bits");
	n->prefix = (uint8_t)bits;
	return 0;
}

/* What compiling a pattern makes of it: a repeated part is copied, and copies are copied again. */
struct size { uint64_t all, last; bool repeated; };

static void repeat(struct size *s, uint64_t times)
{
	if (s->repeated)
		times = STATES_MAX;	/* a repeat of a repeat means nothing more */
	s->repeated = true;
	s->all += s->last * (times - 1);
	s->last *= times;
}

/* False: too much of it.  A back-reference is, too: its time is not bounded. */
static bool is_modest(const char *p)
{
	struct size stack[GROUPS_MAX] = { { 0 } }, *s = stack;

	for (; *p && s->all < STATES_MAX; p++) {
		const char *comma = strchr(p, ',');

		if (*p == '(') {
			if (++s == stack + GROUPS_MAX)
				return false;
			*s = (struct size){ 0, 0, false };
		} else if (*p == ')' && s > stack) {
			s[-1].last = s->all + 1;
			s[-1].all += s->all + 1;
			s[-1].repeated = false;
			s--;
		} else if (*p == '*' || *p == '+' || *p == '?') {
			repeat(s, 2);
		} else if (*p == '{') {
			uint64_t min = strtoul(p + 1, NULL, 10), max = comma ? strtoul(comma + 1, NULL, 10) : 0;

			max = min > max ? min : max;
			repeat(s, 2 + (max < STATES_MAX ? max : STATES_MAX));
		} else if (*p == '\\' && p[1] >= '1' && p[1] <= '9') {
			return false;
		} else {
			p += *p == '\\' && p[1];
			s->all++;
			s->last = 1;
			s->repeated = *p == '}' && s->repeated;
		}
	}
	return s->all < STATES_MAX;
}

static int parse_regex(struct parser *s, struct where_node *n)
{
	char why[128];
	int err;

	if (s->t.n > PATTERN_MAX)
		return refuse(s, "a regular expression has at most 256 characters");
	if (!is_modest(s->t.text))
		return refuse(s, "a regular expression with too many repeats, or a back-reference");
	err = regcomp(&n->regex, s->t.text, REG_EXTENDED | REG_NOSUB);
	if (!err)
		return 0;
	regerror(err, &n->regex, why, sizeof(why));
	return refuse(s, why);
}

static int parse_value(struct parser *s, struct where_node *n, enum field_type type)
{
	bool matches = n->op == OP_MATCH || n->op == OP_NO_MATCH;
	bool same = n->op == OP_EQ || n->op == OP_NE;

	if (s->t.kind != T_WORD && s->t.kind != T_QUOTED)
		return refuse(s, "a value is wanted");
	if (n->type != WHERE_TEXT && matches)
		return refuse(s, "~ is for texts");
	if (n->type != WHERE_NUMBER && !same && !matches)
		return refuse(s, "< and > are for numbers");
	switch (n->type) {
	case WHERE_NUMBER: return parse_number(s, n, type);
	case WHERE_ADDR: return parse_addr(s, n);
	case WHERE_BOOL:
		if (!word(s, "true") && !word(s, "false"))
			return refuse(s, "true or false is wanted");
		n->number = word(s, "true");
		return 0;
	case WHERE_TEXT:
		if (matches)
			return parse_regex(s, n);
		n->text = strdup(s->t.text);
		n->n_text = s->t.n;
		return n->text ? 0 : -ENOMEM;
	default: return refuse(s, "it is a list of objects: name a key of theirs");
	}
}

/* The node and its value, which is read. */
static int add_value(struct parser *s, struct where_node *n, enum field_type type)
{
	int err;

	if (s->tests++ == WHERE_TESTS_MAX)
		return refuse(s, "too many comparisons");
	err = parse_value(s, n, type);
	if (err)
		return err;
	err = add(s, n);
	if (err && (n->op == OP_MATCH || n->op == OP_NO_MATCH))
		regfree(&n->regex);
	if (err)
		free(n->text);
	next(s);
	return err;
}

/* "(80, 443)", "{80, 443}": one of them, behind its bracket. */
static int parse_list(struct parser *s, const struct where_node *like, enum field_type type, const char *closing)
{
	bool first = true;
	int err;

	do {
		struct where_node n = *like;

		next(s);
		err = add_value(s, &n, type);
		if (!err && !first)
			err = add(s, &(struct where_node){ .op = OP_OR });
		first = false;
	} while (!err && sign(s, ","));
	if (!err && !sign(s, closing))
		err = refuse(s, "a comma or the end of the list is wanted");
	if (!err)
		next(s);
	return err;
}

static int parse_in(struct parser *s, struct where_node *n, enum field_type type)
{
	n->op = OP_EQ;
	next(s);
	if (sign(s, "("))
		return parse_list(s, n, type, ")");
	return sign(s, "{") ? parse_list(s, n, type, "}") : add_value(s, n, type);
}

/* What is not there is not in the list, and not outside of it. */
static int parse_not_in(struct parser *s, struct where_node *n, enum field_type type)
{
	int err;

	next(s);
	if (!word(s, "in"))
		return refuse(s, "in is wanted");
	if (s->tests++ == WHERE_TESTS_MAX)
		return refuse(s, "too many comparisons");
	err = add(s, n);
	if (!err)
		err = parse_in(s, n, type);
	if (!err)
		err = add(s, &(struct where_node){ .op = OP_NOT });
	return err ? err : add(s, &(struct where_node){ .op = OP_AND });
}

static int parse_test(struct parser *s)
{
	struct where_node n = { .op = OP_HAS };
	enum field_type type = FT_BOOL;
	int err, op;

	if (s->t.kind != T_WORD)
		return refuse(s, s->t.kind == T_BAD ? "too long, or a quote is open" : "a field is wanted");
	err = find_field(s, &n, &type);
	if (err)
		return err;
	next(s);
	if (word(s, "in"))
		return parse_in(s, &n, type);
	if (word(s, "not"))
		return parse_not_in(s, &n, type);
	op = operator_of(s);
	if (op < 0)
		return s->tests++ == WHERE_TESTS_MAX ? refuse(s, "too many comparisons") : add(s, &n);
	n.op = (enum where_op)op;
	next(s);
	return add_value(s, &n, type);
}

static int parse_any(struct parser *s);

/* As deep as WHERE_DEPTH_MAX. */
static int parse_factor(struct parser *s)
{
	bool negate = word(s, "not") || sign(s, "!");
	int err;

	if (!negate && !sign(s, "("))
		return parse_test(s);
	if (++s->depth > WHERE_DEPTH_MAX)
		return refuse(s, "too deep");
	next(s);
	err = negate ? parse_factor(s) : parse_any(s);
	s->depth--;
	if (err)
		return err;
	if (negate)
		return add(s, &(struct where_node){ .op = OP_NOT });
	if (!sign(s, ")"))
		return refuse(s, "a closing parenthesis is wanted");
	next(s);
	return 0;
}

static int parse_all(struct parser *s)
{
	int err = parse_factor(s);

	while (!err && (word(s, "and") || sign(s, "&&"))) {
		next(s);
		err = parse_factor(s);
		if (!err)
			err = add(s, &(struct where_node){ .op = OP_AND });
	}
	return err;
}

static int parse_any(struct parser *s)
{
	int err = parse_all(s);

	while (!err && (word(s, "or") || sign(s, "||"))) {
		next(s);
		err = parse_all(s);
		if (!err)
			err = add(s, &(struct where_node){ .op = OP_OR });
	}
	return err;
}

int where_compile(struct where **out, const char *text)
{
	struct parser s = { .start = text, .p = text };
	int err;

	if (strlen(text) > WHERE_TEXT_MAX)
		return fail(E2BIG, "--where");
	s.w = calloc(1, sizeof(*s.w));
	if (!s.w)
		return -ENOMEM;
	next(&s);
	err = parse_any(&s);
	if (!err && s.t.kind != T_END)
		err = refuse(&s, "and, or, or the end is wanted");
	if (err) {
		where_free(s.w);
		return err < 0 ? err : -EINVAL;
	}
	*out = s.w;
	return 0;
}
