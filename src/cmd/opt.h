/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_OPT_H
#define NETPROBE_CMD_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One row feeds the parser, --help, `netprobe help --words` (which completions
 * read) and the check that the man page names it.  Rows are of options, and of
 * keywords: `dev IFACE`, as ip(8) has them.
 */
enum opt_type {
	OPT_FLAG,	/* bool */
	OPT_COUNT,	/* unsigned int: how often it was given (-vvv) */
	OPT_STR,	/* const char *: the last one given */
	OPT_ONCE,	/* const char *: a second one is refused, for it would be taken for one more */
	OPT_STRS,	/* struct strs: may be given again */
	/* Of these 0 is refused: who wants none leaves the option out. */
	OPT_UINT,	/* uint64_t: 10, 5k, 1.5M (powers of 1000) */
	OPT_KIB,	/* uint64_t: bytes; 64K, 10M, 1.5G (powers of 1024); a bare number counts KiB (tcpdump -B) */
	OPT_MB,		/* the same; a bare number counts millions of bytes (tcpdump -C) */
	OPT_TIME,	/* uint64_t: ns; 250ms, 10s, 5m, 1h; a bare number is seconds */
	OPT_OPTSTR,	/* const char *: --name[=VALUE]; "" without a value */
	OPT_OPTUINT,	/* uint64_t: --name[=N] or --name N; OPT_NO_NUMBER without one */
	OPT_WORD,	/* const char *: one of the row's words */
	OPT_EACH,	/* struct strs: the same; may be given again */
	OPT_LIST,	/* const char *: some of them, comma-separated */
	/* Of keywords only. */
	OPT_PASS,	/* struct passed: it and its value (arg NULL: none), in order, for a parser of their own */
	OPT_REST,	/* struct rest: it and all that follows */
	OPT_END,
};

#define OPT_NO_NUMBER UINT64_MAX

struct strs {
	const char *v[64];
	unsigned int n;
};

struct passed {
	char *v[64];
	unsigned int n;
};

struct rest {
	char *const *v;
	int n;
};

/* What an argument can be; of OPT_WORD, OPT_EACH, OPT_LIST nothing else, of others more: who reads it checks. */
struct opt_words {
	const char *const *list;		/* ended by NULL; "limit RATE" is a word with an argument of its own */
	const char *(*get)(unsigned int i);	/* in its place: the i-th, NULL behind the last */
	bool of_machine;			/* other ones elsewhere: --help does not tell them */
};

#define OPT_WORDS(...) (&(const struct opt_words){ .list = (const char *const[]){ __VA_ARGS__, NULL } })
#define OPT_WORDS_OF(function) (&(const struct opt_words){ .get = (function) })

/* Most rows have no words, and end before them. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct opt {
	const char   *name;	/* long name, or keyword; NULL: letter only */
	char          letter;	/* 0: long name only */
	enum opt_type type;
	size_t        off;	/* of the member in the options struct */
	const char   *arg;	/* metavariable, also the completion class: IFACE, FILE, N, … */
	const char   *help;
	const struct opt_words *words;
};

/* Tables, each filling its own struct: the command's, its verb's and the global one. */
struct opt_set {
	const struct opt *rows;
	void *base;
};

/*
 * Parse argv[1…argc-1]; options and other words may be mixed, "--" ends options,
 * letters may be bundled.  Other words are moved to the front: argv[0…n-1], and n
 * is returned; with stop_at_word parsing ends at the first of them.  A negative
 * errno on error, which was said.
 */
int opt_parse(const struct opt_set *sets, unsigned int n_sets, int argc, char **argv, bool stop_at_word);

/*
 * Take the keywords of the rows out of argv[0…argc-1].  The other words are moved to the front, and their number is
 * returned.  `where` ("block add") is for messages; a negative errno on error, which was said.
 */
int opt_keywords(const char *where, const struct opt_set *sets, unsigned int n_sets, int argc, char **argv);

/* Is the value of this one left out at will? */
bool opt_is_optional(const struct opt *o);
/* The i-th word that it takes, or NULL. */
const char *opt_word(const struct opt *o, unsigned int i);

/* "10", "64K", "1.5M": 0 or -EINVAL, nothing said.  `base` is 1000 or 1024. */
int opt_number(const char *text, unsigned int base, uint64_t scale, uint64_t *out);
int opt_duration(const char *text, uint64_t *ns);

/* The word of `words` (n of them) that the user may have meant, or NULL. */
const char *opt_near(const char *word, const char *const *words, unsigned int n);
/* Is `word` one of those that the row takes?  Else as opt_none_of(). */
int opt_check_word(const char *where, const struct opt *o, const char *word);
/* "WHERE: 'WORD' is none of A, B, C: did you mean B?"; -EINVAL.  n bytes of it. */
int opt_none_of(const char *where, const char *word, size_t n, const struct opt_words *words);

#endif
