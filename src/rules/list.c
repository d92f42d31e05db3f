// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of entries, one a line: plain addresses, prefixes, ranges and names, perhaps with the words of `block add`
 * behind them; the output of `ipset save`; hosts files; CSV.  The form is told line by line, JSON apart.
 */
#include "rules/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/err.h"

enum { WORDS_MAX = 64, WHY = 160, LINE_MAX_BYTES = 4096, COLUMNS_MAX = 32 };

struct reader {
	struct rules *r;
	const struct np_rule *like;
	uint64_t now_ns;
	struct list_report *report;
	const char *name;
	uint32_t file, line;
	int target_column, reason_column;	/* of CSV; -1: not said */
	bool header_seen, is_csv;		/* is_csv: it named the column */
	char why[WHY];
	int err;				/* of the whole */
};

/* 0, or when it is not of this line alone l->err. */
static int add(struct reader *l, struct np_rule *rule)
{
	enum rules_met met;
	uint32_t at;

	if (rule->reason == UINT32_MAX || rule->name == UINT32_MAX)
		return l->err = fail(ENOMEM, "texts of entries");
	rule->file = l->file;
	rule->line = l->line;
	if (rule->kind == NP_KIND_NAME)
		rule->dir = NP_SRC | NP_DST;
	l->err = rules_give(l->r, rule, &met, &at);
	if (l->err)
		return l->err;
	if (met == RULES_CONTRADICTS) {
		rules_contradiction(l->r, rule, at, l->why);
		return -EINVAL;
	}
	l->report->added += met != RULES_GIVEN;
	l->report->same += met == RULES_GIVEN;
	return 0;
}

static int add_both(struct reader *l, struct np_rule *rule, bool any)
{
	int err = add(l, rule);

	if (err || !any)
		return err;
	rule->kind = NP_KIND_V6;
	return add(l, rule);
}

static bool is(const char *word, size_t n, const char *text)
{
	return strlen(text) == n && !memcmp(word, text, n);
}

static int shown(size_t n)
{
	return n > 60 ? 60 : (int)n;
}

static int bad_word(struct reader *l, const char *word, size_t n, const char *what)
{
	snprintf(l->why, sizeof(l->why), "'%.*s' %s", shown(n), word, what);
	return -EINVAL;
}

static int bad(struct reader *l, const char *what)
{
	snprintf(l->why, sizeof(l->why), "%s", what);
	return -EINVAL;
}

/* What a line is about: address, prefix, MAC, name or range.  Adds it. */
static int add_target(struct reader *l, struct np_rule *rule, const char *word, size_t n)
{
	struct range g;
	int is_range, err = 0;

	if (rule_target(rule, word, n))
		return add_both(l, rule, is(word, n, "any"));
	is_range = range_parse(&g, word, n);
	if (is_range < 0)
		return bad_word(l, word, n, "is a range that ends before it begins");
	while (is_range && !err && range_next(&g, rule))
		err = add(l, rule);
	if (is_range)
		return err;
	if (range_begins(word, n))
		return bad_word(l, word, n, "is no range: " RANGE_FORM);
	if (rule_domain(l->r, rule, word, n))
		return add(l, rule);
	return bad_word(l, word, n, "is no address, prefix, MAC address or name");
}

/* ── words ────────────────────────────────────────────────────────────────── */

static int split(char *line, char **words, int max)
{
	int n = 0;

	while (n < max) {
		line += strspn(line, " \t");
		if (!*line)
			break;
		words[n++] = line;
		line += strcspn(line, " \t");
		if (*line)
			*line++ = '\0';
	}
	return *line ? -1 : n;
}

/* add SET ADDRESS [timeout N] [comment "TEXT"] ...; other options are the set's business. */
static int ipset_line(struct reader *l, struct np_rule *rule, int n, char **words, const char *comment)
{
	static const char *const flags[] = { "nomatch", "packets", "bytes", "skbmark", "skbprio", "skbqueue" };
	char seconds[24], *ask[2] = { (char *)"for", seconds };

	for (int i = 3; i < n; i++) {
		if (!strcmp(words[i], flags[0]))
			return bad(l, "'nomatch': exceptions of a set are not blocks: make it an allow entry");
		if (!strcmp(words[i], "timeout") && i + 1 < n) {
			snprintf(seconds, sizeof(seconds), "%ss", words[++i]);
			if (strcmp(seconds, "0s") && rule_words(l->r, rule, 2, ask, l->now_ns, l->why))
				return -EINVAL;
			continue;
		}
		for (size_t k = 1; k < sizeof(flags) / sizeof(flags[0]); k++)
			if (!strcmp(words[i], flags[k]))
				i++;
	}
	if (strchr(words[2], ','))
		return bad_word(l, words[2], strlen(words[2]),
				"has more than an address: write it as ADDR proto tcp port N");
	if (comment)
		rule->reason = rules_text(l->r, comment, strlen(comment));
	return add_target(l, rule, words[2], strlen(words[2]));
}

/* The comment of an ipset line, cut out of it. */
static char *ipset_comment(char *line)
{
	char *at = strstr(line, " comment \""), *end;

	if (!at)
		return NULL;
	end = strchr(at + 10, '"');
	if (!end)
		return NULL;
	*at = '\0';
	*end = '\0';
	return at + 10;
}

static bool sink_address(const char *w)
{
	return !strcmp(w, "0.0.0.0") || !strncmp(w, "127.", 4) || !strcmp(w, "::1") || !strcmp(w, "::") ||
	       !strcmp(w, "fe80::1%lo0") || !strcmp(w, "255.255.255.255") || !strncmp(w, "ff0", 3);
}

static int hosts_line(struct reader *l, struct np_rule *rule, int n, char **words)
{
	static const char *const local[] = { "localhost", "localhost.localdomain", "local", "broadcasthost",
					     "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix",
					     "ip6-allnodes", "ip6-allrouters", "ip6-allhosts", "0.0.0.0" };
	const struct np_rule fresh = *rule;
	int err = 0;

	for (int i = 1; i < n && !err; i++) {
		bool skip = false;

		for (size_t k = 0; k < sizeof(local) / sizeof(local[0]); k++)
			skip = skip || !strcmp(words[i], local[k]);
		if (skip)
			continue;
		*rule = fresh;
		if (!rule_domain(l->r, rule, words[i], strlen(words[i])))
			return bad_word(l, words[i], strlen(words[i]), "is no host name");
		err = add(l, rule);
	}
	return err;
}

static bool is_keyword(const char *w)
{
	static const char *const words[] = { "src", "dst", "both",   "proto", "port",
					     "for", "action", "shared", "reason" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(w, words[i]))
			return true;
	return false;
}

/*
 * A protocol that the line itself says is one of its address; what the command says is for lists of both families.
 * What `any` is listed as has the protocol that was said of both.
 */
static bool own_family(struct reader *l, const struct np_rule *rule, const char *target)
{
	const struct np_rule *like = l->like;
	struct np_rule of = *rule;

	if (like->flags & NP_RULE_PROTO && like->proto == rule->proto)
		return true;
	return !rule_target(&of, target, strlen(target)) || !of.plen || !rule_family(&of, l->why);
}

static int words_line(struct reader *l, struct np_rule *rule, char *line, const char *comment)
{
	char *words[WORDS_MAX], *said = !strncmp(line, "add ", 4) ? ipset_comment(line) : NULL;
	int n = split(line, words, WORDS_MAX), skip = 1;

	if (n < 0)
		return bad(l, "more than 64 words");
	if (!n)
		return 0;
	if (!strcmp(words[0], "add") && n > 2)
		return ipset_line(l, rule, n, words, said);
	if (!strcmp(words[0], "create") || !strcmp(words[0], "flush") || !strcmp(words[0], "COMMIT"))
		return 0;
	if (sink_address(words[0]) && n > 1 && !is_keyword(words[1]))
		return hosts_line(l, rule, n, words);
	if (comment)
		rule->reason = rules_text(l->r, comment, strlen(comment));
	if (!strcmp(words[0], "allow") && n > 1) {
		rule->action = NP_ALLOW;
		skip = 2;
	} else if ((!strcmp(words[0], "block") || !strcmp(words[0], "domain")) && n > 1) {
		skip = 2;
	}
	if (n > skip && rule_words(l->r, rule, n - skip, words + skip, l->now_ns, l->why))
		return -EINVAL;
	if (skip == 2 && strcmp(words[0], "domain") && !strcmp(words[0], "allow") != (rule->action == NP_ALLOW)) {
		snprintf(l->why, sizeof(l->why), "'%s' and 'action %s': which of the two?", words[0],
			 rule_actions[rule->action]);
		return -EINVAL;
	}
	if (!own_family(l, rule, words[skip - 1]))
		return -EINVAL;
	return add_target(l, rule, words[skip - 1], strlen(words[skip - 1]));
}

/* ── CSV (RFC 4180) ───────────────────────────────────────────────────────── */

static int csv_split(char *line, char **columns)
{
	int n = 0;

	while (n < COLUMNS_MAX) {
		char *to = line;

		columns[n++] = line;
		if (*line == '"') {
			for (line++; *line && (*line != '"' || line[1] == '"'); line++) {
				line += *line == '"';
				*to++ = *line;
			}
			line += *line == '"';
		} else {
			line += strcspn(line, ",");
			to = line;
		}
		line += strcspn(line, ",");
		if (!*line) {
			*to = '\0';
			break;
		}
		line++;
		*to = '\0';
	}
	return n;
}

static int find_column(char **columns, int n, const char *const *names)
{
	for (; *names; names++)
		for (int i = 0; i < n; i++)
			if (!strcasecmp(columns[i], *names))
				return i;
	return -1;
}

static bool is_target(const char *text)
{
	struct np_rule rule = { 0 };

	text += strspn(text, " \t");
	return rule_target(&rule, text, strcspn(text, " \t"));
}

static int csv_line(struct reader *l, struct np_rule *rule, char *line)
{
	static const char *const targets[] = { "cidr", "network", "prefix", "ip", "ip_address", "address", "range",
					       "mac", "domain", "host", "hostname", "indicator", "target", NULL };
	static const char *const reasons[] = { "reason", "comment", "description", "name", "source", "category", NULL };
	char *columns[COLUMNS_MAX], *t;
	int n = csv_split(line, columns), at;
	size_t len;

	if (!l->header_seen) {
		l->header_seen = true;
		l->target_column = find_column(columns, n, targets);
		l->reason_column = find_column(columns, n, reasons);
		l->is_csv = l->target_column >= 0;
		if (l->is_csv)
			return 0;
		l->target_column = 0;
		l->reason_column = 1;
	}
	at = l->target_column;
	if (at >= n)
		return bad(l, "the column of the address is missing");
	t = columns[at] + strspn(columns[at], " \t");
	if (!l->is_csv && n > 1 && is_target(columns[1]))
		return bad_word(l, columns[1], strlen(columns[1]),
				"is a second address, and no heading says what it is: a range is ADDR-ADDR");
	if (l->reason_column >= 0 && l->reason_column < n)
		rule->reason = rules_text(l->r, columns[l->reason_column], strlen(columns[l->reason_column]));
	len = strcspn(t, " \t");
	if (t[len + strspn(t + len, " \t")])
		return bad_word(l, t, strlen(t), "is more than an address: words of `block add` go into no column");
	return add_target(l, rule, t, len);
}

/* A comma in the first word, or a quote, or a heading that named the column: not any comma, which a reason may have. */
static bool is_csv(const struct reader *l, const char *start)
{
	return l->is_csv || *start == '"' || start[strcspn(start, ", \t")] == ',';
}

/* ── lines ────────────────────────────────────────────────────────────────── */

/* "  (FILE:LINE)" at the end is where an entry that was listed came from, and none of its words.  The length left. */
static size_t cut_source(char *line, size_t n)
{
	size_t end = n, digits;
	char *at = NULL;

	while (end && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	if (!end || line[end - 1] != ')')
		return n;
	for (digits = end - 1; digits && line[digits - 1] >= '0' && line[digits - 1] <= '9';)
		digits--;
	if (!digits || digits == end - 1 || line[digits - 1] != ':')
		return n;
	for (char *p = line; (p = strstr(p, "  (")); p++)
		at = p;
	if (!at)
		return n;
	*at = '\0';
	return (size_t)(at - line);
}

/* Cut the comment off; returns it without its sign, which may be given again at once, and blanks, or NULL. */
static char *cut_comment(char *line, size_t n)
{
	char *at = line + strcspn(line, "#;"), *end;

	if (!*at)
		return NULL;
	*at++ = '\0';
	at += strspn(at, "#;");
	at += strspn(at, " \t");
	end = line + n;
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return *at ? at : NULL;
}

static int one_line(struct reader *l, const char *p, size_t n)
{
	struct np_rule rule = *l->like;
	char line[LINE_MAX_BYTES], *comment, *start;

	if (n >= sizeof(line))
		return bad(l, "longer than 4095 bytes");
	if (memchr(p, '\0', n))
		return bad(l, "a NUL byte: this is no text");
	memcpy(line, p, n);
	line[n] = '\0';
	start = line + strspn(line, " \t");
	if (*start != '#' && *start != ';' && is_csv(l, start))
		return csv_line(l, &rule, start);
	comment = !strncmp(line, "add ", 4) ? NULL : cut_comment(line, cut_source(line, n));
	for (size_t end = strlen(start); end && (start[end - 1] == ' ' || start[end - 1] == '\t');)
		start[--end] = '\0';
	if (!*start)
		return 0;
	return words_line(l, &rule, start, comment);
}

/* The common line, an address or prefix alone, without copies. */
static bool plain_line(struct reader *l, const char *p, size_t n)
{
	struct np_rule rule = *l->like;

	if (n < 7 || p[0] < '0' || p[0] > '9' || l->header_seen || !rule_target(&rule, p, n))
		return false;
	return !add(l, &rule);		/* what fails is read again with its words, and told */
}

/* Once for all lines, of which most are an entry each. */
static int make_room(struct rules *r, const char *text, const char *end)
{
	uint64_t n = (uint64_t)r->n + 1;

	while (text < end && (text = memchr(text, '\n', (size_t)(end - text)))) {
		text++;
		n++;
	}
	return rules_reserve(r, n < RULES_MAX ? (uint32_t)n : RULES_MAX);
}

int list_read(struct rules *r, const char *name, const char *text, size_t n, const struct np_rule *like,
	      uint64_t now_ns, struct list_report *report)
{
	struct reader l = { .r = r, .like = like, .now_ns = now_ns, .report = report, .name = name,
			    .target_column = -1, .reason_column = -1 };
	const char *end = text + n, *p = text;

	if (n > 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		text = p += 3;
	while (p < end && strchr(" \t\r\n", *p) && *p)
		p++;
	if (p < end && (*p == '{' || *p == '['))
		return list_json(r, name, text, (size_t)(end - text), like, report);
	l.file = rules_text(r, name, strlen(name));
	if (l.file == UINT32_MAX)
		return fail(ENOMEM, "%s", name);
	r->last_file = l.file;
	l.err = make_room(r, text, end);
	for (p = text; p < end && !l.err;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((eol ? eol : end) - p);

		report->lines = ++l.line;
		if (len && p[len - 1] == '\r')
			len--;
		if (!plain_line(&l, p, len) && one_line(&l, p, len) && !l.err) {
			report->bad_lines++;
			report->bad(report->ctx, name, l.line, l.why);
		}
		p = eol ? eol + 1 : end;
	}
	return l.err ? l.err : (int)report->bad_lines;
}
