// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses and CIDRs as the Kubernetes API reads them. */
#include <arpa/inet.h>
#include <string.h>

#include "k8s/k8s.h"

bool cidr_contains(const struct k8s_cidr *c, const struct addr *a)
{
	unsigned int bytes = c->bits / 8, rest = c->bits % 8;

	if (c->addr.family != a->family || memcmp(c->addr.b, a->b, bytes))
		return false;
	return !rest || !((c->addr.b[bytes] ^ a->b[bytes]) >> (8 - rest));
}

/* Four decimal numbers; leading zeros do not make them octal (net.ParseIPSloppy of the API server). */
static bool parse_ipv4(uint8_t out[4], const char *s, size_t n, bool *sloppy)
{
	const char *end = s + n;

	for (int i = 0; i < 4; i++) {
		unsigned int v = 0, digits = 0;

		if (i && (s == end || *s++ != '.'))
			return false;
		for (; s < end && *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
			v = v * 10 + (unsigned int)(*s - '0');
		if (!digits || v > 255)
			return false;
		if (digits > 1 && s[-(int)digits] == '0' && sloppy)
			*sloppy = true;
		out[i] = (uint8_t)v;
	}
	return s == end;
}

bool addr_parse(struct addr *out, const char *s, size_t n, bool *sloppy)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	struct addr a = { .family = 4 };

	if (parse_ipv4(a.b, s, n, sloppy)) {
		*out = a;
		return true;
	}
	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = 0;
	if (inet_pton(AF_INET6, text, a.b) != 1)
		return false;
	a.family = 6;
	if (!memcmp(a.b, mapped, sizeof(mapped))) {
		memmove(a.b, a.b + 12, 4);
		memset(a.b + 4, 0, 12);
		a.family = 4;
	}
	*out = a;
	return true;
}

bool cidr_parse(struct k8s_cidr *out, const char *s, bool *sloppy)
{
	const char *slash = strchr(s, '/'), *p;
	struct k8s_cidr c = { 0 };
	unsigned int bits = 0;
	bool mapped;

	if (!slash || !addr_parse(&c.addr, s, (size_t)(slash - s), sloppy))
		return false;
	mapped = c.addr.family == 4 && memchr(s, ':', (size_t)(slash - s));
	for (p = slash + 1; *p >= '0' && *p <= '9' && p < slash + 4; p++)
		bits = bits * 10 + (unsigned int)(*p - '0');
	if (p == slash + 1 || *p || (p > slash + 2 && slash[1] == '0'))
		return false;
	/* ::ffff:10.0.0.0/104 is 10.0.0.0/8; fewer than 96 bits reach beyond the mapped addresses. */
	if (mapped && bits < 96)
		return false;
	if (mapped)
		bits -= 96;
	if (bits > (c.addr.family == 4 ? 32 : 128))
		return false;
	c.bits = (uint8_t)bits;
	*out = c;
	return true;
}
