// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/addr.h"
#include "util/bytes.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

static char *put_byte(char *o, unsigned int v)
{
	if (v >= 100) {
		*o++ = (char)('0' + v / 100);
		v %= 100;
		*o++ = (char)('0' + v / 10);
		v %= 10;
	} else if (v >= 10) {
		*o++ = (char)('0' + v / 10);
		v %= 10;
	}
	*o++ = (char)('0' + v);
	return o;
}

static char *put_ipv4(char *o, const uint8_t *p)
{
	o = put_byte(o, p[0]);
	*o++ = '.';
	o = put_byte(o, p[1]);
	*o++ = '.';
	o = put_byte(o, p[2]);
	*o++ = '.';
	return put_byte(o, p[3]);
}

static char *put_group(char *o, unsigned int v)
{
	if (v > 0xfff)
		*o++ = hex_digits[v >> 12];
	if (v > 0xff)
		*o++ = hex_digits[v >> 8 & 15];
	if (v > 0xf)
		*o++ = hex_digits[v >> 4 & 15];
	*o++ = hex_digits[v & 15];
	return o;
}

/* RFC 5952, 4.2: the longest run of at least two zero groups, the first of equals. */
static int longest_zero_run(const uint16_t g[8], int *len)
{
	int i = 0, at = -1, n;

	*len = 1;
	while (i < 8) {
		n = 0;
		while (i + n < 8 && !g[i + n])
			n++;
		if (n > *len) {
			at = i;
			*len = n;
		}
		i += n + 1;
	}
	return at;
}

static char *put_ipv6(char *o, const uint8_t *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint16_t g[8];
	int i, at, len;

	if (!memcmp(p, mapped, sizeof(mapped))) {
		memcpy(o, "::ffff:", 7);
		return put_ipv4(o + 7, p + 12);
	}
	for (i = 0; i < 8; i++)
		g[i] = be16(p + 2 * i);
	at = longest_zero_run(g, &len);
	for (i = 0; i < 8; i++) {
		if (i == at) {
			*o++ = ':';
			if (i + len == 8)
				*o++ = ':';
			i += len - 1;
			continue;
		}
		if (i)
			*o++ = ':';
		o = put_group(o, g[i]);
	}
	return o;
}

unsigned int addr_text(char *out, const struct addr *a)
{
	if (a->family == 4)
		return (unsigned int)(put_ipv4(out, a->b) - out);
	if (a->family == 6)
		return (unsigned int)(put_ipv6(out, a->b) - out);
	return 0;
}

void addr_print(struct buf *b, const struct addr *a)
{
	if (buf_room(b, ADDR_TEXT_MAX))
		b->n += addr_text(b->p + b->n, a);
}

void mac_print(struct buf *b, const uint8_t mac[6])
{
	char *o;
	int i;

	if (!buf_room(b, MAC_TEXT_MAX))
		return;
	o = b->p + b->n;
	for (i = 0; i < 6; i++) {
		if (i)
			*o++ = ':';
		*o++ = hex_digits[mac[i] >> 4];
		*o++ = hex_digits[mac[i] & 15];
	}
	b->n += MAC_TEXT_MAX;
}
