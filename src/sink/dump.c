// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/dump.h"

#include "numbers/linktype.h"
#include "tags.h"
#include "util/bytes.h"

static const char hex_digits[] = "0123456789abcdef";

enum { ROW = 16, HEX_WIDTH = ROW / 2 * 5 };

static char printable(uint8_t c)
{
	return c > ' ' && c < 0x7f ? (char)c : '.';
}

/* "\t0x0010:  ", with more digits where they are needed. */
static char *put_offset(char *o, uint32_t at)
{
	int shift = 12;

	while (shift < 28 && at >> (shift + 4))
		shift += 4;
	*o++ = '\t';
	*o++ = '0';
	*o++ = 'x';
	for (; shift >= 0; shift -= 4)
		*o++ = hex_digits[at >> shift & 15];
	*o++ = ':';
	*o++ = ' ';
	return o;
}

static void put_row(struct buf *b, const uint8_t *p, uint32_t at, uint32_t n, bool chars)
{
	char *o, *hex;
	uint32_t i;

	if (!buf_room(b, 16 + HEX_WIDTH + 2 + ROW + 1))
		return;
	o = b->p + b->n;
	o = hex = put_offset(o, at);
	for (i = 0; i < n; i++) {
		if (i % 2 == 0)
			*o++ = ' ';
		*o++ = hex_digits[p[at + i] >> 4];
		*o++ = hex_digits[p[at + i] & 15];
	}
	if (chars) {
		while (o < hex + HEX_WIDTH + 2)
			*o++ = ' ';
		for (i = 0; i < n; i++)
			*o++ = printable(p[at + i]);
	}
	*o++ = '\n';
	b->n = (size_t)(o - b->p);
}

void dump_hex(struct buf *b, const uint8_t *p, uint32_t n, bool chars)
{
	uint32_t at;

	for (at = 0; at < n; at += ROW)
		put_row(b, p, at, n - at < ROW ? n - at : ROW, chars);
}

void dump_ascii(struct buf *b, const uint8_t *p, uint32_t n)
{
	uint32_t i;
	char *o;

	if (!n || !buf_room(b, (size_t)n + 1))
		return;
	o = b->p + b->n;
	for (i = 0; i < n; i++) {
		/* A CR goes where it only ends a line. */
		if (p[i] == '\r' && (i + 1 == n || p[i + 1] == '\n'))
			continue;
		*o++ = p[i] == '\n' || p[i] == '\t' || p[i] == ' ' ? (char)p[i] : printable(p[i]);
	}
	*o++ = '\n';
	b->n = (size_t)(o - b->p);
}

/* IEEE 802.2: a SNAP header of 8 bytes, or LLC with a control field of 1 byte (U) or 2. */
static uint32_t llc_len(const uint8_t *p, uint32_t n)
{
	if (n < 3)
		return 0;
	if (p[0] == 0xaa && p[1] == 0xaa && p[2] == 3)
		return n < 8 ? 0 : 8;
	return (p[2] & 3) == 3 || n < 4 ? 3 : 4;
}

static bool is_tag(unsigned int type)
{
#define IS(tag) (type == (tag))
	return NP_VLAN_TYPES(IS, ||);
#undef IS
}

static uint32_t ethernet_len(const uint8_t *p, uint32_t n)
{
	uint32_t len = 14;
	unsigned int type;

	if (n < len)
		return 0;
	type = be16(p + 12);
	while (is_tag(type) && n >= len + 4) {
		type = be16(p + len + 2);
		len += 4;
	}
	/* 1500 and less is a length: what follows is LLC. */
	return type > 1500 ? len : len + llc_len(p + len, n - len);
}

uint32_t dump_link_len(const struct frame *f, uint32_t decoded)
{
	uint32_t len;

	switch (f->link) {
	case LINK_ETHERNET:
		return ethernet_len(f->data, f->cap_len);
	case LINK_NULL:
	case LINK_LOOP:
		len = 4;
		break;
	case LINK_SLL:
		len = 16;
		break;
	case LINK_SLL2:
		len = 20;
		break;
	default:
		len = decoded;
	}
	return f->cap_len < len ? 0 : len;
}
