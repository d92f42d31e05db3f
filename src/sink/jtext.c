// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/jtext.h"

#include <math.h>
#include <string.h>

#include "util/addr.h"
#include "util/escape.h"
#include "util/real.h"
#include "util/utf8.h"

static const char hex_digits[] = "0123456789abcdef";

static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

static char *put_u64(char *o, uint64_t v)
{
	char t[20];
	unsigned int i = sizeof(t), n;

	while (v >= 100) {
		i -= 2;
		memcpy(t + i, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	i -= 2;
	memcpy(t + i, pairs + v * 2, 2);
	i += v < 10;
	n = (unsigned int)sizeof(t) - i;
	memcpy(o, t + i, n);
	return o + n;
}

/* Ports, lengths and counts: five digits at most. */
static char *put_u16(char *o, unsigned int v)
{
	if (v < 10) {
		*o = (char)('0' + v);
		return o + 1;
	}
	if (v < 100) {
		memcpy(o, pairs + v * 2, 2);
		return o + 2;
	}
	if (v < 1000) {
		*o = (char)('0' + v / 100);
		memcpy(o + 1, pairs + v % 100 * 2, 2);
		return o + 3;
	}
	if (v >= 10000) {
		*o++ = (char)('0' + v / 10000);
		v %= 10000;
	}
	memcpy(o, pairs + v / 100 * 2, 2);
	memcpy(o + 2, pairs + v % 100 * 2, 2);
	return o + 4;
}

static char *put_u32(char *o, uint32_t v)
{
	return v <= UINT16_MAX ? put_u16(o, v) : put_u64(o, v);
}

/* Eight bytes at once: is any a control, DEL, above ASCII, a quote or a backslash? */
static bool any_special(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	uint64_t quote = v ^ ones * '"', backslash = v ^ ones * '\\';

	return (v | (v + ones) | (v - ones * 0x20) | (quote - ones) | (backslash - ones)) & high;
}

static bool is_special(uint8_t c)
{
	return c < 0x20 || c >= 0x7f || c == '"' || c == '\\';
}

static char *put_u_escape(char *o, unsigned int unit)
{
	o[0] = '\\';
	o[1] = 'u';
	o[2] = hex_digits[unit >> 12 & 15];
	o[3] = hex_digits[unit >> 8 & 15];
	o[4] = hex_digits[unit >> 4 & 15];
	o[5] = hex_digits[unit & 15];
	return o + 6;
}

/* RFC 8259, 7: the two-character escapes. */
static char short_escape(uint32_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	}
	return 0;
}

enum { CHAR_TEXT_MAX = 12 };	/* a surrogate pair */

static char *put_char(char *o, uint32_t c)
{
	char s = short_escape(c);

	if (s) {
		*o++ = '\\';
		*o++ = s;
	} else if (escape_harmful(c) && c > 0xffff) {
		o = put_u_escape(o, 0xd800 | (c - 0x10000) >> 10);
		o = put_u_escape(o, 0xdc00 | (c & 0x3ff));
	} else if (escape_harmful(c)) {
		o = put_u_escape(o, c);
	} else if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	}
	return o;
}

static bool is_utf8(const uint8_t *p, size_t n)
{
	size_t i = 0, len;
	uint32_t c;

	for (; i < n; i += len) {
		len = utf8_decode(p + i, n - i, &c);
		if (!len)
			return false;
	}
	return true;
}

static void put_careful(struct json_writer *w, const uint8_t *p, size_t n)
{
	bool utf8 = is_utf8(p, n);
	size_t i = 0, len = 1;
	uint32_t c;

	for (; i < n; i += len) {
		c = p[i];
		if (utf8)
			len = utf8_decode(p + i, n - i, &c);
		if (w->limit - w->o < CHAR_TEXT_MAX) {
			w->cut = true;
			return;
		}
		w->o = put_char(w->o, c);
	}
}

/* How many bytes at the start need no care: they are copied as they are checked. */
static size_t put_plain(char *o, const char *p, size_t n)
{
	size_t i = 0;
	uint64_t v;

	for (; i + 8 <= n; i += 8) {
		memcpy(&v, p + i, 8);
		if (any_special(v))
			return i;
		memcpy(o + i, &v, 8);
	}
	if (i < n && n >= 8) {
		memcpy(&v, p + n - 8, 8);
		if (any_special(v))
			return i;
		memcpy(o + n - 8, &v, 8);
		return n;
	}
	while (i < n && !is_special((uint8_t)p[i])) {
		o[i] = p[i];
		i++;
	}
	return i;
}

void json_text(struct json_writer *w, const char *p, size_t n)
{
	*w->o++ = '"';
	/* All or nothing: whether a byte is Latin-1 is known at the end of the text. */
	if (w->o < w->limit && n <= (size_t)(w->limit - w->o) && put_plain(w->o, p, n) == n)
		w->o += n;
	else
		put_careful(w, (const uint8_t *)p, n);
	*w->o++ = '"';
}

static char *put_word(char *o, const char *word)
{
	*o++ = '"';
	while (*word)
		*o++ = *word++;
	*o++ = '"';
	return o;
}

static char *put_mac(char *o, const uint8_t *mac)
{
	int i;

	*o++ = '"';
	for (i = 0; i < 6; i++) {
		o[0] = hex_digits[mac[i] >> 4];
		o[1] = hex_digits[mac[i] & 15];
		o[2] = ':';
		o += 3;
	}
	o[-1] = '"';
	return o;
}

static void put_list(struct json_writer *w, enum field_type element, size_t size,
		     const struct list *l)
{
	const char *at = l->p;
	uint32_t i;

	*w->o++ = '[';
	for (i = 0; i < l->n; i++, at += size) {
		if (w->limit - w->o < JSON_FIXED_MAX) {
			w->cut = true;
			break;
		}
		if (i)
			*w->o++ = ',';
		json_value(w, element, at, NULL);
	}
	*w->o++ = ']';
}

static void put_item(struct json_writer *w, const struct item_table *t, const char *item)
{
	uint32_t present;
	bool any = false;
	unsigned int i;

	memcpy(&present, item, sizeof(present));
	*w->o++ = '{';
	for (i = 0; i < t->n; i++) {
		if (!(present >> i & 1))
			continue;
		if (any)
			*w->o++ = ',';
		any = true;
		w->o = put_word(w->o, t->rows[i].name);
		*w->o++ = ':';
		json_value(w, t->rows[i].type, item + t->rows[i].off, NULL);
	}
	*w->o++ = '}';
}

static void put_items(struct json_writer *w, const struct item_table *t, const struct list *l)
{
	const char *at = l->p;
	uint32_t i;

	*w->o++ = '[';
	for (i = 0; i < l->n; i++, at += t->size) {
		if (w->o >= w->limit) {
			w->cut = true;
			break;
		}
		if (i)
			*w->o++ = ',';
		put_item(w, t, at);
	}
	*w->o++ = ']';
}

static void put_counts(struct json_writer *w, const struct list *l)
{
	const struct named_count *c = l->p;

	*w->o++ = '{';
	for (uint32_t i = 0; i < l->n; i++, c++) {
		if (w->o >= w->limit) {
			w->cut = true;
			break;
		}
		if (i)
			*w->o++ = ',';
		w->o = put_word(w->o, c->name);
		*w->o++ = ':';
		w->o = put_u64(w->o, c->n);
	}
	*w->o++ = '}';
}

static char *put_quoted_addr(char *o, const struct addr *a)
{
	*o++ = '"';
	o += addr_text(o, a);
	*o++ = '"';
	return o;
}

static char *put_time(char *o, struct time_cache *c, uint64_t ns)
{
	*o++ = '"';
	o += time_utc(c, o, ns);
	*o++ = '"';
	return o;
}

static char *put_i32(char *o, int32_t v)
{
	if (v >= 0)
		return put_u32(o, (uint32_t)v);
	*o++ = '-';
	return put_u32(o, 0u - (uint32_t)v);
}

static char *put_i64(char *o, int64_t v)
{
	if (v >= 0)
		return put_u64(o, (uint64_t)v);
	*o++ = '-';
	return put_u64(o, 0u - (uint64_t)v);
}

/* As many digits as tell it from its neighbours; what is no number is none in JSON. */
static char *put_f64(char *o, double v)
{
	if (!isfinite(v))
		return (char *)memcpy(o, "null", 4) + 4;
	return o + real_text(o, v);
}

static void put_map(struct json_writer *w, const struct list *l)
{
	const struct pair *p = l->p;

	*w->o++ = '{';
	for (uint32_t i = 0; i < l->n; i++, p++) {
		if (w->o >= w->limit) {
			w->cut = true;
			break;
		}
		if (i)
			*w->o++ = ',';
		json_text(w, p->key.p, p->key.n);
		*w->o++ = ':';
		json_text(w, p->value.p, p->value.n);
	}
	*w->o++ = '}';
}

/* What is a list. */
static void put_many(struct json_writer *w, enum field_type type, const struct list *l,
		     const struct item_table *items)
{
	switch (type) {
	case FT_U16S:
		put_list(w, FT_U16, sizeof(uint16_t), l);
		return;
	case FT_U32S:
		put_list(w, FT_U32, sizeof(uint32_t), l);
		return;
	case FT_WORDS:
		put_list(w, FT_WORD, sizeof(const char *), l);
		return;
	case FT_STRS:
		put_list(w, FT_STR, sizeof(struct str), l);
		return;
	case FT_ITEMS:		/* never inside an item */
		if (items)
			put_items(w, items, l);
		return;
	case FT_COUNTS:
		put_counts(w, l);
		return;
	case FT_MAP:
		put_map(w, l);
		return;
	default:
		return;
	}
}

void json_value(struct json_writer *w, enum field_type type, const void *at,
		const struct item_table *items)
{
	const struct str *s = at;

	switch (type) {
	case FT_BOOL:
		w->o = *(const bool *)at ? (char *)memcpy(w->o, "true", 4) + 4 :
					   (char *)memcpy(w->o, "false", 5) + 5;
		return;
	case FT_U8:
		w->o = put_u16(w->o, *(const uint8_t *)at);
		return;
	case FT_U16:
		w->o = put_u16(w->o, *(const uint16_t *)at);
		return;
	case FT_U32:
		w->o = put_u32(w->o, *(const uint32_t *)at);
		return;
	case FT_U64:
	case FT_DURATION:
		w->o = put_u64(w->o, *(const uint64_t *)at);
		return;
	case FT_I32:
		w->o = put_i32(w->o, *(const int32_t *)at);
		return;
	case FT_I64:
		w->o = put_i64(w->o, *(const int64_t *)at);
		return;
	case FT_F64:
		w->o = put_f64(w->o, *(const double *)at);
		return;
	case FT_TIME:
		w->o = put_time(w->o, w->time, *(const uint64_t *)at);
		return;
	case FT_ADDR:
		w->o = put_quoted_addr(w->o, at);
		return;
	case FT_MAC:
		w->o = put_mac(w->o, at);
		return;
	case FT_WORD:
		w->o = put_word(w->o, *(const char *const *)at);
		return;
	case FT_STR:
		json_text(w, s->p, s->n);
		return;
	default:
		put_many(w, type, at, items);
		return;
	}
}

void json_line_break(struct buf *b, unsigned int depth)
{
	buf_chr(b, '\n');
	while (depth--)
		buf_lit(b, "  ");
}

void json_indent(struct buf *b, const char *p, size_t n, unsigned int depth)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < n; i++) {
		char c = p[i];

		if (quoted) {
			buf_chr(b, c);
			if (c == '\\')
				buf_chr(b, p[++i]);
			quoted = c != '"';
			continue;
		}
		if (c == '}' || c == ']')
			json_line_break(b, --depth);
		buf_chr(b, c);
		quoted = c == '"';
		if (c == ':')
			buf_chr(b, ' ');
		else if (c == ',')
			json_line_break(b, depth);
		else if ((c == '{' || c == '[') && i + 1 < n && p[i + 1] != c + 2)
			json_line_break(b, ++depth);
		else if (c == '{' || c == '[')
			buf_chr(b, p[++i]);
	}
}
