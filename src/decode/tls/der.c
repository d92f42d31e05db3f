// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/der.h"

#include <stdio.h>
#include <string.h>

enum { PARTS_MAX = 32 };	/* of a Name */

bool der_next(struct cursor *c, struct der *out)
{
	uint32_t n;
	uint8_t more;

	if (c->bad || !cursor_left(c))
		return false;
	out->tag = cursor_u8(c);
	n = cursor_u8(c);
	if (n & 0x80) {
		more = n & 0x7f;
		c->bad |= !more || more > 4;
		for (n = 0; more && !c->bad; more--)
			n = n << 8 | cursor_u8(c);
	}
	c->bad |= (out->tag & 0x1f) == 0x1f;		/* tags of several bytes: a certificate has none */
	out->n = n;
	out->p = cursor_take(c, n);
	return !c->bad;
}

bool der_enter(struct cursor *c, uint8_t tag, struct cursor *in)
{
	struct cursor at = *c;
	struct der d;

	if (!der_next(&at, &d) || d.tag != tag)
		return false;
	*c = at;
	*in = cursor_over(d.p, d.n);
	return true;
}

/* ── times ──────────────────────────────────────────────────────────────── */

static bool two_digits(const uint8_t *p, uint32_t *v)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*v = (uint32_t)(p[0] - '0') * 10 + (uint32_t)(p[1] - '0');
	return true;
}

/* Days from 1970-01-01; the year begins in March, so that a leap day is its last. */
static uint64_t days(uint32_t year, uint32_t month, uint32_t day)
{
	uint32_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

	return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

bool der_time(const struct der *d, uint64_t *ns)
{
	const uint8_t *p = d->p;
	uint32_t v[6], century, year;
	bool general = d->tag == DER_GENERAL_TIME;

	if (d->n != (general ? 15 : 13) || p[d->n - 1] != 'Z' || (!general && d->tag != DER_UTC_TIME))
		return false;
	if (general && !two_digits(p, &century))
		return false;
	p += general ? 2 : 0;
	for (int i = 0; i < 6; i++)
		if (!two_digits(p + 2 * i, &v[i]))
			return false;
	year = (general ? century * 100 : v[0] < 50 ? 2000 : 1900) + v[0];
	if (year < 1970 || year > 2261 || !v[1] || v[1] > 12 || !v[2] || v[2] > 31)
		return false;
	if (v[3] > 23 || v[4] > 59 || v[5] > 60)
		return false;
	*ns = (((days(year, v[1], v[2]) * 24 + v[3]) * 60 + v[4]) * 60 + v[5]) * 1000000000ull;
	return true;
}

/* ── texts ──────────────────────────────────────────────────────────────── */

static void put(struct der_text *o, const char *p, uint32_t n)
{
	if (n > DER_TEXT - o->n) {
		o->cut = true;
		return;
	}
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

void der_hex(const uint8_t *p, uint32_t n, struct der_text *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (uint32_t i = 0; i < n && !out->cut; i++) {
		char two[2] = { digits[p[i] >> 4], digits[p[i] & 15] };

		put(out, two, 2);
	}
}

/* RFC 3629; what is no character becomes U+FFFD. */
static void put_char(struct der_text *o, uint32_t c)
{
	char b[4];

	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		b[0] = (char)c;
		put(o, b, 1);
	} else if (c < 0x800) {
		b[0] = (char)(0xc0 | c >> 6);
		b[1] = (char)(0x80 | (c & 0x3f));
		put(o, b, 2);
	} else if (c < 0x10000) {
		b[0] = (char)(0xe0 | c >> 12);
		b[1] = (char)(0x80 | (c >> 6 & 0x3f));
		b[2] = (char)(0x80 | (c & 0x3f));
		put(o, b, 3);
	} else {
		b[0] = (char)(0xf0 | c >> 18);
		b[1] = (char)(0x80 | (c >> 12 & 0x3f));
		b[2] = (char)(0x80 | (c >> 6 & 0x3f));
		b[3] = (char)(0x80 | (c & 0x3f));
		put(o, b, 4);
	}
}

/* RFC 4514, 2.4: what has a meaning in the text of a name stands behind a backslash. */
static void put_escaped(struct der_text *o, uint32_t c, bool first, bool last)
{
	if (!c) {
		put(o, "\\00", 3);
		return;
	}
	if ((c < 0x80 && strchr("\"+,;<>\\", (int)c)) || (first && c == '#') || ((first || last) && c == ' '))
		put(o, "\\", 1);
	put_char(o, c);
}

/* Characters of `wide` bytes each; those of UTF-8 are left as they are. */
static void put_wide(struct der_text *o, const struct der *d, uint32_t wide)
{
	for (uint32_t i = 0; i + wide <= d->n && !o->cut; i += wide) {
		const uint8_t *p = d->p + i;
		uint32_t c = wide == 1 ? p[0] : wide == 2 ? be16(p) : be32(p);

		put_escaped(o, c, !i, i + wide == d->n);
	}
}

static void put_utf8(struct der_text *o, const struct der *d)
{
	for (uint32_t i = 0; i < d->n && !o->cut; i++) {
		char c = (char)d->p[i];

		if (d->p[i] < 0x80)
			put_escaped(o, d->p[i], !i, i + 1 == d->n);
		else
			put(o, &c, 1);
	}
}

/* X.680, 41: the kinds of strings; what is none of them is told in hexadecimal, the whole value of it. */
static void put_value(struct der_text *o, const struct der *d)
{
	switch (d->tag) {
	case DER_UTF8: put_utf8(o, d); return;
	case DER_BMP: put_wide(o, d, 2); return;
	case DER_UNIVERSAL: put_wide(o, d, 4); return;
	case 0x12: case 0x13: case DER_T61: case 0x16: case 0x1a: put_wide(o, d, 1); return;
	default:
		put(o, "#", 1);
		der_hex(d->p, d->n, o);
	}
}

/* X.690, 8.19: groups of seven bits; the first holds two numbers. */
static void put_oid(struct der_text *o, const struct der *d)
{
	char number[16];
	uint32_t v = 0;
	bool first = true;

	for (uint32_t i = 0; i < d->n && !o->cut; i++) {
		v = v << 7 | (d->p[i] & 0x7f);
		if (d->p[i] & 0x80)
			continue;
		if (first)
			snprintf(number, sizeof(number), "%u.%u", v < 80 ? v / 40 : 2, v < 80 ? v % 40 : v - 80);
		else
			snprintf(number, sizeof(number), ".%u", v);
		put(o, number, (uint32_t)strlen(number));
		first = false;
		v = 0;
	}
}

/* RFC 4514, 3, and others that certificates often have; those of X.520 are 2.5.4.N. */
static const char *type_name(const struct der *d)
{
	static const char *const x520[] = {
		[3] = "CN", [4] = "SN", [5] = "serialNumber", [6] = "C", [7] = "L", [8] = "ST", [9] = "STREET",
		[10] = "O", [11] = "OU", [12] = "title", [15] = "businessCategory", [17] = "postalCode", [42] = "GN",
	};
	static const char *const place[] = { NULL, "jurisdictionL", "jurisdictionST", "jurisdictionC" };

	if (d->n == 3 && !memcmp(d->p, "\x55\4", 2) && d->p[2] < sizeof(x520) / sizeof(x520[0]))
		return x520[d->p[2]];
	if (d->n == 9 && !memcmp(d->p, "\x2a\x86\x48\x86\xf7\x0d\1\x09\1", 9))
		return "emailAddress";
	if (d->n == 10 && !memcmp(d->p, "\x09\x92\x26\x89\x93\xf2\x2c\x64\1", 9))
		return d->p[9] == 25 ? "DC" : d->p[9] == 1 ? "UID" : NULL;
	if (d->n == 11 && !memcmp(d->p, "\x2b\6\1\4\1\x82\x37\x3c\2\1", 10) && d->p[10] < 4)
		return place[d->p[10]];
	return NULL;
}

/* One part: types with their values, all but one of them behind a plus sign. */
static void put_part(struct der_text *o, struct cursor part)
{
	struct cursor pair;
	struct der type, value;
	bool first = true;

	while (!o->cut && der_enter(&part, DER_SEQUENCE, &pair)) {
		const char *name;

		if (!der_next(&pair, &type) || type.tag != DER_OID || !der_next(&pair, &value))
			return;
		name = type_name(&type);
		if (!first)
			put(o, "+", 1);
		if (name)
			put(o, name, (uint32_t)strlen(name));
		else
			put_oid(o, &type);
		put(o, "=", 1);
		put_value(o, &value);
		first = false;
	}
}

void der_name(struct cursor name, struct der_text *out)
{
	struct cursor parts[PARTS_MAX];
	uint32_t n = 0;

	out->n = 0;
	out->cut = false;
	while (n < PARTS_MAX && der_enter(&name, DER_SET, &parts[n]))
		n++;
	out->cut = n == PARTS_MAX && cursor_left(&name);
	for (uint32_t i = n; i--;) {
		bool was_cut = out->cut;

		if (i + 1 < n)
			put(out, ",", 1);
		put_part(out, parts[i]);
		if (out->cut && !was_cut)
			return;
	}
}
