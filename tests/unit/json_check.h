/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_JSON_CHECK_H
#define TESTS_UNIT_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/escape.h"
#include "util/utf8.h"

/*
 * A strict reader of RFC 8259 that keeps nothing: is this one JSON value, in
 * UTF-8, with no character in it that a terminal would act on?  Spaces between
 * tokens are only allowed where `pretty` says so.
 */
struct json_check {
	const uint8_t *p, *end;
	bool pretty;
};

static bool check_value(struct json_check *c, unsigned int depth);

static void check_space(struct json_check *c)
{
	while (c->pretty && c->p < c->end && (*c->p == ' ' || *c->p == '\n'))
		c->p++;
}

static bool check_char(struct json_check *c, char want)
{
	if (c->p >= c->end || *c->p != (uint8_t)want)
		return false;
	c->p++;
	return true;
}

static int check_hex4(struct json_check *c)
{
	int v = 0, i;

	for (i = 0; i < 4; i++, c->p++) {
		const char *at = c->p < c->end && *c->p ? strchr("0123456789abcdef", *c->p) : NULL;

		if (!at)
			return -1;
		v = v << 4 | (int)(strchr("0123456789abcdef", *c->p) - "0123456789abcdef");
	}
	return v;
}

static bool check_escape(struct json_check *c)
{
	int v;

	if (c->p >= c->end || !*c->p || !strchr("\"\\/bfnrtu", *c->p))
		return false;
	if (*c->p++ != 'u')
		return true;
	v = check_hex4(c);
	if (v >= 0xd800 && v < 0xdc00) {
		if (!check_char(c, '\\') || !check_char(c, 'u'))
			return false;
		v = check_hex4(c);
		return v >= 0xdc00 && v < 0xe000;
	}
	return v >= 0 && !(v >= 0xdc00 && v < 0xe000);
}

static bool check_string(struct json_check *c)
{
	uint32_t ch;
	size_t n;

	if (!check_char(c, '"'))
		return false;
	while (c->p < c->end && *c->p != '"') {
		n = utf8_decode(c->p, (size_t)(c->end - c->p), &ch);
		if (!n || escape_harmful(ch))
			return false;
		c->p += n;
		if (ch == '\\' && !check_escape(c))
			return false;
	}
	return check_char(c, '"');
}

static bool check_digits(struct json_check *c)
{
	const uint8_t *start = c->p;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return c->p > start;
}

/* RFC 8259, 6 */
static bool check_number(struct json_check *c)
{
	const uint8_t *start;

	check_char(c, '-');
	start = c->p;
	if (!check_digits(c) || (*start == '0' && c->p > start + 1))
		return false;
	if (check_char(c, '.') && !check_digits(c))
		return false;
	if (!check_char(c, 'e') && !check_char(c, 'E'))
		return true;
	if (!check_char(c, '-'))
		check_char(c, '+');
	return check_digits(c);
}

static bool check_members(struct json_check *c, unsigned int depth, char close, bool keys)
{
	check_space(c);
	if (check_char(c, close))
		return true;
	do {
		check_space(c);
		if (keys) {
			if (!check_string(c) || !check_char(c, ':'))
				return false;
			check_space(c);
		}
		if (!check_value(c, depth + 1))
			return false;
		check_space(c);
	} while (check_char(c, ','));
	return check_char(c, close);
}

static bool check_value(struct json_check *c, unsigned int depth)
{
	size_t left = (size_t)(c->end - c->p);

	if (!left || depth > 16)
		return false;
	if (check_char(c, '{'))
		return check_members(c, depth, '}', true);
	if (check_char(c, '['))
		return check_members(c, depth, ']', false);
	if (*c->p == '"')
		return check_string(c);
	if (left >= 4 && !memcmp(c->p, "true", 4))
		return c->p += 4, true;
	if (left >= 4 && !memcmp(c->p, "null", 4))
		return c->p += 4, true;
	if (left >= 5 && !memcmp(c->p, "false", 5))
		return c->p += 5, true;
	return check_number(c);
}

/* One value and nothing after it. */
static bool json_is_valid(const char *p, size_t n, bool pretty)
{
	struct json_check c = { (const uint8_t *)p, (const uint8_t *)p + n, pretty };
	bool good;

	good = check_value(&c, 0);
	check_space(&c);
	return good && c.p == c.end;
}

#endif
