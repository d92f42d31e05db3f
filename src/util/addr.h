/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_ADDR_H
#define NETPROBE_UTIL_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/buf.h"

/* Network order; family 0 means absent. */
struct addr {
	uint8_t family;		/* 0, 4 or 6 */
	uint8_t b[16];
};

/* Two that are absent are not the same. */
static inline bool addr_same(const struct addr *a, const struct addr *b)
{
	return a->family && a->family == b->family && !memcmp(a->b, b->b, a->family == 4 ? 4 : 16);
}

/* The longest texts, without a NUL. */
enum { ADDR_TEXT_MAX = 45, MAC_TEXT_MAX = 17 };

/* IPv4 dotted; IPv6 as RFC 5952 wants it, IPv4-mapped with a dotted tail.  Family 0 prints nothing. */
void addr_print(struct buf *b, const struct addr *a);
/* The same to `out`, room for ADDR_TEXT_MAX; returns the length, writes no NUL. */
unsigned int addr_text(char *out, const struct addr *a);
/* Six bytes, lower case, colons. */
void mac_print(struct buf *b, const uint8_t mac[6]);

#endif
