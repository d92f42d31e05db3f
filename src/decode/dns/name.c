// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/dns.h"

#include <string.h>

/* A name of 255 bytes has at most 127 labels, and no use for more pointers. */
enum { POINTERS_MAX = 127, LABEL_MAX = 63 };

/*
 * RFC 1035, 4.1.4: labels up to an empty one, or up to a pointer to an earlier name.  A
 * pointer must lead before the place where the labels being read began: that alone rules
 * out loops.  The bounds on bytes and pointers keep a name's cost constant.
 */
enum dns_status dns_name_read(const struct dns_msg *m, uint32_t *at, uint32_t end, struct dns_name *name)
{
	uint32_t i = *at, floor = i, limit = end, behind = 0;
	unsigned int pointers = 0;

	name->n = 0;
	for (;;) {
		enum dns_status st = i < limit ? dns_reach(m, i, 1) : DNS_BAD;
		uint8_t n;

		if (st)
			return st;
		n = m->p[i];
		if (n > LABEL_MAX) {
			uint32_t to;

			st = limit - i >= 2 ? dns_reach(m, i, 2) : DNS_BAD;
			if (st || n < 0xc0)	/* RFC 6891, 5: no other label type is in use */
				return st ? st : DNS_BAD;
			to = be16(m->p + i) & 0x3fff;
			if (!pointers)
				behind = i + 2;
			if (to >= floor || ++pointers > POINTERS_MAX)
				return DNS_BAD;
			i = floor = to;
			limit = m->len;
			continue;
		}
		if (!n)
			break;
		st = limit - i > n ? dns_reach(m, i, 1u + n) : DNS_BAD;
		if (st || name->n + n + 1 > DNS_WIRE_MAX)
			return st ? st : DNS_BAD;
		memcpy(name->wire + name->n, m->p + i, n + 1u);
		name->n = (uint8_t)(name->n + n + 1);
		i += n + 1u;
	}
	*at = pointers ? behind : i + 1;
	return DNS_OK;
}

enum dns_status dns_name_skip(const struct dns_msg *m, uint32_t *at)
{
	uint32_t i = *at;

	for (;;) {
		enum dns_status st = dns_reach(m, i, 1);
		uint8_t n;

		if (st)
			return st;
		n = m->p[i];
		if (n > LABEL_MAX && n < 0xc0)
			return DNS_BAD;
		i += n > LABEL_MAX ? 2u : n + 1u;
		if (n && n <= LABEL_MAX)
			continue;
		*at = i;
		return n && dns_reach(m, i - 2, 2) ? dns_reach(m, i - 2, 2) : DNS_OK;
	}
}

static uint32_t byte_text(char *out, uint8_t c)
{
	if (c == '.' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (c >= 0x21 && c <= 0x7e) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + c / 100);
	out[2] = (char)('0' + c / 10 % 10);
	out[3] = (char)('0' + c % 10);
	return 4;
}

uint32_t dns_name_text(char *out, const struct dns_name *name)
{
	uint32_t o = 0;

	for (uint32_t i = 0; i < name->n;) {
		uint32_t end = i + 1 + name->wire[i];

		if (i)
			out[o++] = '.';
		while (++i < end)
			o += byte_text(out + o, name->wire[i]);
	}
	if (!o)
		out[o++] = '.';
	return o;
}
