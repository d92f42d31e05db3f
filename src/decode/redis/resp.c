// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/redis/resp.h"

#include <string.h>

enum { DIGITS_MAX = 18, NUMBER_LINE_MAX = 64 };

bool resp_is_aggregate(uint8_t type)
{
	return type && strchr("*%~>|", type);
}

static bool has_text(uint8_t type)
{
	return type && strchr("$!=;", type);
}

static bool number(struct str s, int64_t *value)
{
	bool negative = s.n && s.p[0] == '-';
	uint32_t i = negative || (s.n && s.p[0] == '+');
	int64_t v = 0;

	if (i == s.n || s.n - i > DIGITS_MAX)
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*value = negative ? -v : v;
	return true;
}

/* 64 bits, as text */
static bool is_integer(struct str s)
{
	uint32_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');

	for (; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n && s.n < 21;
}

static bool printable(struct str s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < 0x20 && s.p[i] != '\t')
			return false;
	return true;
}

/* What stands in the line of each type. */
static bool line_fits(struct resp_token *t)
{
	switch (t->type) {
	case '+':
	case '-': return printable(t->text);
	case '(':
	case ':': return t->type == '(' ? printable(t->text) && t->text.n : is_integer(t->text);
	case '#': return t->text.n == 1 && strchr("tf", t->text.p[0]);
	case ',': return t->text.n && t->text.n <= NUMBER_LINE_MAX && printable(t->text);
	case '_':
	case '.': return !t->text.n;
	default: break;
	}
	t->streamed = t->text.n == 1 && t->text.p[0] == '?' && t->type != '!' && t->type != '=' && t->type != ';';
	if (t->streamed)
		return true;
	return number(t->text, &t->value) && t->value >= -1 && (t->value >= 0 || t->type == '$' || t->type == '*');
}

int resp_read(struct resp_token *t, const char *p, uint32_t n)
{
	uint32_t most = n < RESP_LINE_MAX ? n : RESP_LINE_MAX;
	const char *nl;

	memset(t, 0, sizeof(*t));
	if (!n)
		return 0;
	t->type = (uint8_t)p[0];
	if (!t->type || !strchr("+-:$*_#,(!=%~>|;.", t->type))
		return -1;
	nl = memchr(p, '\n', most);
	if (!nl)
		return n < (strchr("+-(", t->type) ? RESP_LINE_MAX : NUMBER_LINE_MAX) ? 0 : -1;
	t->line = (uint32_t)(nl - p) + 1;
	if (t->line < 3 || p[t->line - 2] != '\r')
		return -1;
	t->text = (struct str){ p + 1, t->line - 3 };
	if (!line_fits(t))
		return -1;
	t->size = t->line;
	if (has_text(t->type) && !t->streamed && t->value >= 0 && (t->type != ';' || t->value)) {
		uint64_t len = (uint64_t)t->value, there = n - t->line;

		t->size += len + 2;
		t->text = (struct str){ p + t->line, (uint32_t)(there < len ? there : len) };
		if (n >= t->size && memcmp(p + t->size - 2, "\r\n", 2))
			return -1;
	}
	return 1;
}

const char *resp_type_name(const struct resp_token *t)
{
	switch (t->type) {
	case '+': return "simple_string";
	case '-': return "error";
	case ':': return "integer";
	case '$': return t->value < 0 ? "null" : "bulk_string";
	case '*': return t->value < 0 ? "null" : "array";
	case '_': return "null";
	case '#': return "boolean";
	case ',': return "double";
	case '(': return "big_number";
	case '!': return "bulk_error";
	case '=': return "verbatim_string";
	case '%': return "map";
	case '~': return "set";
	case '>': return "push";
	default: return "attribute";
	}
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash between double quotes; returns how many bytes it takes. */
static uint32_t escaped(const char *p, uint32_t n, char *c)
{
	static const char names[] = "nrtba", meant[] = "\n\r\t\b\a";
	const char *found = p[0] ? strchr(names, p[0]) : NULL;
	int high = n > 2 && p[0] == 'x' ? hex(p[1]) : -1, low = high >= 0 ? hex(p[2]) : -1;

	if (high >= 0 && low >= 0) {
		*c = (char)(high << 4 | low);
		return 3;
	}
	*c = found ? meant[found - names] : p[0];
	return 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool resp_word(struct str *word, const char *p, uint32_t n, uint32_t *at, char *room, uint32_t *used)
{
	uint32_t i = *at, start = *used;
	char quote = 0;

	while (i < n && is_blank(p[i]))
		i++;
	if (i == n)
		return false;
	/* Each turn reads more bytes than it writes, or as many. */
	while (i < n && (quote || !is_blank(p[i]))) {
		if (p[i] == quote || (!quote && (p[i] == '"' || p[i] == '\''))) {
			quote = quote ? 0 : p[i];
			i++;
		} else if (p[i] == '\\' && quote == '"' && i + 1 < n) {
			i += 1 + escaped(p + i + 1, n - i - 1, &room[(*used)++]);
		} else if (p[i] == '\\' && quote == '\'' && i + 1 < n && p[i + 1] == '\'') {
			room[(*used)++] = '\'';
			i += 2;
		} else {
			room[(*used)++] = p[i++];
		}
	}
	*at = i;
	*word = (struct str){ room + start, *used - start };
	return true;
}
