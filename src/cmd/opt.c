// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/opt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/buf.h"
#include "util/err.h"

enum { WORDS_MAX = 160, NEAR_MAX = 2, WORD_LEN_MAX = 31, LISTED_MAX = 40 };

int opt_number(const char *text, unsigned int base, uint64_t scale, uint64_t *out)
{
	static const char units[] = "kmgt";
	uint64_t whole = 0, frac = 0, frac_unit = 1, mult = scale ? scale : 1;
	const char *p = text, *u;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -EINVAL;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++)
			if (frac_unit < 1000000) {
				frac = frac * 10 + (uint64_t)(*p - '0');
				frac_unit *= 10;
			}
	if (*p) {
		u = strchr(units, *p | 0x20);
		if (!u || !*u)
			return -EINVAL;
		mult = 1;
		for (const char *k = units; k <= u; k++)
			mult *= base;
		p++;
		if (*p == 'i' && base == 1024)
			p++;
		if (*p == 'B')
			p++;
	}
	if (*p || __builtin_mul_overflow(whole, mult, &whole) ||
	    __builtin_add_overflow(whole, frac * mult / frac_unit, &whole))
		return -EINVAL;
	*out = whole;
	return 0;
}

int opt_duration(const char *text, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{ "", 1000000000 },   { "s", 1000000000 },    { "ms", 1000000 },      { "us", 1000 },
		{ "m", 60000000000 }, { "h", 3600000000000 }, { "min", 60000000000 }, { "d", 86400000000000 },
	};
	char number[32];
	size_t n = strspn(text, "0123456789.");

	if (!n || n >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, n);
	number[n] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text + n, units[i].unit))
			return opt_number(number, 1000, units[i].ns, ns);
	return -EINVAL;
}

/* Levenshtein distance, for words of at most WORD_LEN_MAX letters. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[WORD_LEN_MAX + 1], m = (unsigned int)strlen(b);

	if (strlen(a) > WORD_LEN_MAX || m > WORD_LEN_MAX)
		return WORD_LEN_MAX;
	for (unsigned int j = 0; j <= m; j++)
		row[j] = j;
	for (unsigned int i = 1; *a; a++, i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= m; j++) {
			unsigned int best = diagonal + (*a != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}

const char *opt_near(const char *word, const char *const *words, unsigned int n)
{
	const char *best = NULL;
	unsigned int least = NEAR_MAX + 1;

	for (unsigned int i = 0; i < n && *word; i++) {
		unsigned int d = strncmp(words[i], word, strlen(word)) ? distance(word, words[i]) : 1;

		if (d < least) {
			least = d;
			best = words[i];
		}
	}
	return best;
}

static const char *nth(const struct opt_words *w, unsigned int i)
{
	return !w ? NULL : w->get ? w->get(i) : w->list[i];
}

const char *opt_word(const struct opt *o, unsigned int i)
{
	return nth(o->words, i);
}

int opt_none_of(const char *where, const char *word, size_t n, const struct opt_words *w)
{
	const char *words[WORDS_MAX], *near;
	struct buf list = { .max = 1024 };
	unsigned int many = 0;
	char text[64];
	int err;

	while (many < WORDS_MAX && nth(w, many)) {
		words[many] = nth(w, many);
		buf_fmt(&list, "%s%s", many ? ", " : "", words[many]);
		many++;
	}
	snprintf(text, sizeof(text), "%.*s", (int)n, word);
	near = opt_near(text, words, many);
	err = fail(0, "%s: '%.*s' is %s%.*s%s%s%s", where, (int)n, word, many > LISTED_MAX ? "not known" : "none of ",
		   many > LISTED_MAX ? 0 : (int)list.n, list.p ? list.p : "", near ? ": did you mean " : "",
		   near ? near : "", near ? "?" : "");
	buf_free(&list);
	return err;
}

/* The word of the row that `val` (n bytes) is, or NULL. */
static const char *find_word(const struct opt *o, const char *val, size_t n)
{
	const char *word;

	for (unsigned int i = 0; (word = opt_word(o, i)); i++)
		if (strcspn(word, " ") == n && !memcmp(word, val, n))
			return word;
	return NULL;
}

/* How messages call it: --name, or -c. */
static const char *called(const struct opt *o, char to[32])
{
	if (o->name)
		snprintf(to, 32, "--%s", o->name);
	else
		snprintf(to, 32, "-%c", o->letter);
	return to;
}

static int set_number(const struct opt *o, uint64_t *at, const char *val, const char *name)
{
	int err;

	switch (o->type) {
	case OPT_KIB:
		err = opt_number(val, 1024, 1024, at);
		break;
	case OPT_MB:
		err = opt_number(val, 1024, 1000000, at);
		break;
	case OPT_TIME:
		err = opt_duration(val, at);
		break;
	default:
		err = opt_number(val, 1000, 1, at);
		break;
	}
	if (err)
		return fail(0, "%s: '%s' is not a %s", name, val,
			    o->type == OPT_TIME				   ? "time (10s, 5m, 250ms)" :
			    o->type == OPT_UINT || o->type == OPT_OPTUINT ? "number" :
									     "size (4096, 64K, 10M)");
	if (!*at)
		return fail(0, "%s: '%s' is nothing at all: it must be more than 0", name, val);
	return 0;
}

static int add_str(struct strs *list, const char *val, const char *name)
{
	if (list->n == sizeof(list->v) / sizeof(list->v[0]))
		return fail(E2BIG, "%s %s", name, val);
	list->v[list->n++] = val;
	return 0;
}

int opt_check_word(const char *where, const struct opt *o, const char *word)
{
	return find_word(o, word, strlen(word)) ? 0 : opt_none_of(where, word, strlen(word), o->words);
}

static int check_list(const struct opt *o, const char *val, const char *name)
{
	for (const char *p = val; *p;) {
		size_t n = strcspn(p, ",");

		if (!find_word(o, p, n))
			return opt_none_of(name, p, n, o->words);
		p += n + (p[n] == ',');
	}
	return 0;
}

static int set_value(const struct opt *o, char *base, const char *val, const char *name)
{
	void *at = base + o->off;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)at = true;
		return 0;
	case OPT_COUNT:
		++*(unsigned int *)at;
		return 0;
	case OPT_ONCE:
		if (*(const char **)at)
			return fail(0, "%s %s: it was given before, as %s; once is enough", name, val,
				    *(const char **)at);
		*(const char **)at = val;
		return 0;
	case OPT_STR:
	case OPT_OPTSTR:
		*(const char **)at = val;
		return 0;
	case OPT_WORD:
		*(const char **)at = val;
		return opt_check_word(name, o, val);
	case OPT_LIST:
		*(const char **)at = val;
		return check_list(o, val, name);
	case OPT_STRS:
		return add_str(at, val, name);
	case OPT_EACH:
		return opt_check_word(name, o, val) ? -EINVAL : add_str(at, val, name);
	case OPT_OPTUINT:
		if (*val)
			return set_number(o, at, val, name);
		*(uint64_t *)at = OPT_NO_NUMBER;
		return 0;
	case OPT_PASS:
	case OPT_REST:
	case OPT_END:
		return 0;
	default:
		return set_number(o, at, val, name);
	}
}

bool opt_is_optional(const struct opt *o)
{
	return o->type == OPT_OPTSTR || o->type == OPT_OPTUINT;
}

static bool takes_value(const struct opt *o)
{
	return o->type != OPT_FLAG && o->type != OPT_COUNT && !opt_is_optional(o);
}

static const struct opt *find_long(const struct opt_set *sets, unsigned int n_sets, const char *name,
				   size_t n, char **base)
{
	for (unsigned int i = 0; i < n_sets; i++)
		for (const struct opt *o = sets[i].rows; o && o->type != OPT_END; o++)
			if (o->name && strlen(o->name) == n && !memcmp(o->name, name, n)) {
				*base = sets[i].base;
				return o;
			}
	return NULL;
}

static const struct opt *find_letter(const struct opt_set *sets, unsigned int n_sets, char c, char **base)
{
	for (unsigned int i = 0; i < n_sets; i++)
		for (const struct opt *o = sets[i].rows; o && o->type != OPT_END; o++)
			if (o->letter == c) {
				*base = sets[i].base;
				return o;
			}
	return NULL;
}

static int unknown_long(const struct opt_set *sets, unsigned int n_sets, const char *word)
{
	const char *words[WORDS_MAX], *near;
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_sets; i++)
		for (const struct opt *o = sets[i].rows; o && o->type != OPT_END; o++)
			if (o->name && n < WORDS_MAX)
				words[n++] = o->name;
	near = opt_near(word, words, n);
	if (near)
		return fail(0, "unknown option --%s: did you mean --%s?", word, near);
	return fail(0, "unknown option --%s (see --help)", word);
}

/* One --long word; *used becomes 2 when it took the next word as its value. */
static int parse_long(const struct opt_set *sets, unsigned int n_sets, const char *word, const char *next,
		      int *used)
{
	size_t n = strcspn(word, "=");
	const char *val = word[n] ? word + n + 1 : NULL;
	char *base = NULL, name[32];
	const struct opt *o = find_long(sets, n_sets, word, n, &base);

	if (!o)
		return unknown_long(sets, n_sets, word);
	if (!takes_value(o) && !opt_is_optional(o) && val)
		return fail(0, "--%s takes no value", o->name);
	if (o->type == OPT_OPTUINT && !val && next && *next >= '0' && *next <= '9') {
		val = next;
		*used = 2;
	}
	if (opt_is_optional(o) && !val)
		val = "";
	if (takes_value(o) && !val) {
		if (!next)
			return fail(0, "--%s needs %s", o->name, o->arg);
		val = next;
		*used = 2;
	}
	return set_value(o, base, val, called(o, name));
}

/* One word of bundled letters: -nvi eth0, -s96. */
static int parse_letters(const struct opt_set *sets, unsigned int n_sets, const char *word, const char *next,
			 int *used)
{
	for (const char *p = word; *p; p++) {
		char *base = NULL, name[32];
		const struct opt *o = find_letter(sets, n_sets, *p, &base);
		const char *val = NULL;
		int err;

		if (!o)
			return fail(0, "unknown option -%c (see --help)", *p);
		if (opt_is_optional(o))
			val = "";
		if (takes_value(o)) {
			val = p[1] ? p + 1 : next;
			if (!val)
				return fail(0, "-%c needs %s", *p, o->arg);
			if (!p[1])
				*used = 2;
		}
		err = set_value(o, base, val, called(o, name));
		if (err || takes_value(o))
			return err;
	}
	return 0;
}

int opt_parse(const struct opt_set *sets, unsigned int n_sets, int argc, char **argv, bool stop_at_word)
{
	int words = 0, i = 1, err, used;

	while (i < argc) {
		const char *a = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(a, "--")) {
			i++;
			break;
		}
		if (a[0] != '-' || !a[1]) {
			if (stop_at_word)
				break;
			argv[words++] = argv[i++];
			continue;
		}
		used = 1;
		if (a[1] == '-')
			err = parse_long(sets, n_sets, a + 2, next, &used);
		else
			err = parse_letters(sets, n_sets, a + 1, next, &used);
		if (err)
			return err;
		i += used;
	}
	while (i < argc)
		argv[words++] = argv[i++];
	return words;
}

/* It and its value, and what a word of its own list takes: "action limit 100pps". */
static int pass_keyword(const struct opt *o, struct passed *to, int argc, char **argv, const char *name)
{
	const char *word = o->words ? find_word(o, argv[1], strlen(argv[1])) : NULL;
	unsigned int used = o->arg ? 2 : 1;

	if (o->words && !word)
		return opt_none_of(name, argv[1], strlen(argv[1]), o->words);
	if (word && strchr(word, ' ') && argc < (int)++used)
		return fail(0, "%s %s needs %s", name, argv[1], strchr(word, ' ') + 1);
	if (to->n + used > sizeof(to->v) / sizeof(to->v[0]))
		return fail(E2BIG, "%s", name);
	for (unsigned int i = 0; i < used; i++)
		to->v[to->n++] = argv[i];
	return (int)used;
}

/* How many words it took. */
static int take_keyword(const char *where, const struct opt *o, char *base, int argc, char **argv)
{
	char name[96];
	int err;

	snprintf(name, sizeof(name), "%s: %s", where, o->name);
	if (o->type == OPT_REST) {
		*(struct rest *)(base + o->off) = (struct rest){ argv, argc };
		return argc;
	}
	if (o->arg && argc < 2)
		return fail(0, "%s needs %s", name, o->arg);
	if (o->type == OPT_PASS)
		return pass_keyword(o, (struct passed *)(base + o->off), argc, argv, name);
	err = set_value(o, base, o->arg ? argv[1] : "", name);
	return err ? err : o->arg ? 2 : 1;
}

/* A value that was left out must not swallow the next keyword. */
static int check_values(const char *where, const struct opt_set *sets, unsigned int n_sets, const struct opt *o,
			int argc, char **argv)
{
	const char *word = o->words && argc > 2 ? find_word(o, argv[1], strlen(argv[1])) : NULL, *more;
	char *base;

	if (!o->arg || o->type == OPT_REST || argc < 2)
		return 0;
	if (find_long(sets, n_sets, argv[1], strlen(argv[1]), &base))
		return fail(0, "%s: %s needs %s, and '%s' is the next keyword", where, o->name, o->arg, argv[1]);
	more = word ? strchr(word, ' ') : NULL;
	if (more && find_long(sets, n_sets, argv[2], strlen(argv[2]), &base))
		return fail(0, "%s: %s %s needs %s, and '%s' is the next keyword", where, o->name, argv[1], more + 1,
			    argv[2]);
	return 0;
}

int opt_keywords(const char *where, const struct opt_set *sets, unsigned int n_sets, int argc, char **argv)
{
	int n = 0, used;

	for (int i = 0; i < argc; i += used) {
		char *base = NULL;
		const struct opt *o = find_long(sets, n_sets, argv[i], strlen(argv[i]), &base);

		used = o ? check_values(where, sets, n_sets, o, argc - i, argv + i) : 1;
		if (!used)
			used = take_keyword(where, o, base, argc - i, argv + i);
		if (used < 0)
			return used;
		if (!o)
			argv[n++] = argv[i];
	}
	return n;
}
