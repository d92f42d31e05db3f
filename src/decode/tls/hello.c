// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/hello.h"

#include <string.h>

enum {
	HELLO_FIXED = 34,		/* the version and the random number */
	EXT_SERVER_NAME = 0, EXT_GROUPS = 10, EXT_FORMATS = 11, EXT_SIGNATURES = 13, EXT_ALPN = 16,
	EXT_TICKET = 35, EXT_PSK = 41, EXT_VERSIONS = 43, EXT_ECH = 0xfe0d,
	TLS13 = 0x0304, DRAFT_SHORT = 21,
};

/* RFC 8701: values that mean nothing. */
static bool is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* Versions from the oldest to the newest; those of DTLS count down. */
static uint32_t rank(uint16_t v)
{
	if (v == TLS13)
		return 0x10000;
	if (v >> 8 == 0xfe)
		return 0x200u - (v & 0xff);
	return v >> 8 == 0x7f ? 0x8000u + (v & 0xff) : v >> 8 == 3 ? v : 0;
}

static void read_versions(struct tls_hello *h, struct cursor c)
{
	uint32_t best = 0, best_told = 0;

	if (h->server) {
		uint16_t v = cursor_be16(&c);

		if (!c.bad)
			h->version = v;
		return;
	}
	cursor_u8(&c);
	while (cursor_left(&c) >= 2) {
		uint16_t v = cursor_be16(&c);
		uint32_t at = is_grease(v) ? 0 : rank(v), told = v >> 8 == 0x7f ? (v & 0xffu) + 1 : at;

		if (at > best) {
			best = at;
			h->highest = v;
		}
		if (at && told > best_told) {
			best_told = told;
			h->version = v;
		}
	}
}

/* RFC 6066, 3: one name of type host_name. */
static void read_server_name(struct tls_hello *h, struct cursor c)
{
	const uint8_t *p;
	uint16_t n;

	cursor_be16(&c);
	if (cursor_u8(&c))
		return;
	n = cursor_be16(&c);
	p = cursor_take(&c, n);
	if (p && n)
		h->server_name = (struct str){ (const char *)p, n };
}

/* RFC 7301, 3.1 */
static void read_alpn(struct tls_hello *h, struct cursor c)
{
	cursor_be16(&c);
	while (cursor_left(&c) && h->n_alpn < TLS_ALPN_MAX) {
		uint8_t n = cursor_u8(&c);
		const uint8_t *p = cursor_take(&c, n);

		if (!p || !n)
			return;
		h->alpn[h->n_alpn++] = (struct str){ (const char *)p, n };
	}
}

/* RFC 8446, 4.2.11: identities, each behind its length and followed by an age; of a server the number of one. */
static void read_psks(struct tls_hello *h, struct cursor c)
{
	uint32_t n = cursor_be16(&c);
	struct cursor all = cursor_over(c.p, n < cursor_left(&c) ? n : cursor_left(&c));

	if (h->server) {
		h->n_psks = !c.bad;
		return;
	}
	while (cursor_left(&all)) {
		cursor_take(&all, cursor_be16(&all));
		cursor_be32(&all);
		if (all.bad)
			return;
		h->n_psks++;
	}
}

/* A list of 16-bit values behind its length. */
static void read_list(struct cursor c, const uint8_t **p, uint32_t *n)
{
	uint32_t len = cursor_be16(&c);

	if (len > cursor_left(&c))
		len = (uint32_t)cursor_left(&c);
	*n = len / 2;
	*p = cursor_take(&c, *n * 2);
}

static void read_extension(struct tls_hello *h, uint16_t type, struct cursor c)
{
	switch (type) {
	case EXT_SERVER_NAME: read_server_name(h, c); return;
	case EXT_GROUPS: read_list(c, &h->groups, &h->n_groups); return;
	case EXT_SIGNATURES: read_list(c, &h->signatures, &h->n_signatures); return;
	case EXT_ALPN: read_alpn(h, c); return;
	case EXT_VERSIONS: read_versions(h, c); return;
	case EXT_PSK: read_psks(h, c); return;
	case EXT_TICKET: h->ticket = cursor_left(&c); return;
	case EXT_ECH: h->ech = true; return;
	case EXT_FORMATS:
		h->n_formats = cursor_u8(&c);
		if (h->n_formats > cursor_left(&c))
			h->n_formats = (uint32_t)cursor_left(&c);
		h->formats = cursor_take(&c, h->n_formats);
		return;
	default: return;
	}
}

/* False: they were cut. */
static bool read_extensions(struct tls_hello *h, struct cursor *c)
{
	struct cursor all;
	uint32_t n;

	if (!cursor_left(c))
		return true;		/* RFC 5246, 7.4.1.2: there may be none */
	n = cursor_be16(c);
	all = cursor_over(c->p, n < cursor_left(c) ? n : cursor_left(c));
	while (cursor_left(&all)) {
		uint16_t type = cursor_be16(&all), len = cursor_be16(&all);
		const uint8_t *p = all.p;

		if (all.bad || len > cursor_left(&all))
			return false;	/* of a list that is cut nothing is told */
		if (h->n_extensions < TLS_LIST_MAX)
			h->extensions[h->n_extensions++] = type;
		else
			h->whole = false;
		cursor_take(&all, len);
		read_extension(h, type, cursor_over(p, len));
	}
	return n <= (size_t)(c->end - c->p);
}

static void read_session(struct tls_hello *h, struct cursor *c)
{
	uint8_t n = cursor_u8(c);

	h->session = cursor_take(c, n);
	h->n_session = h->session && n <= TLS_SESSION_MAX ? n : 0;
}

static void read_client(struct tls_hello *h, struct cursor *c, enum tls_transport transport)
{
	uint32_t n;

	cursor_take(c, 32);
	read_session(h, c);
	if (transport == TLS_DTLS)
		cursor_take(c, cursor_u8(c));	/* the cookie */
	n = cursor_be16(c) / 2;
	h->ciphers = cursor_take(c, n * 2);
	h->n_ciphers = h->ciphers ? n : 0;
	cursor_take(c, cursor_u8(c));
}

static void read_server(struct tls_hello *h, struct cursor *c)
{
	/* RFC 8446, 4.1.3: the SHA-256 of "HelloRetryRequest" in the place of the random number */
	static const uint8_t retry[8] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11 };
	const uint8_t *random = cursor_take(c, 32);
	bool is_short = h->legacy_version >> 8 == 0x7f && (h->legacy_version & 0xff) <= DRAFT_SHORT;

	h->retry = random && !memcmp(random, retry, sizeof(retry));
	if (!is_short)
		read_session(h, c);
	h->cipher = cursor_be16(c);
	if (!is_short)
		cursor_u8(c);
}

bool tls_hello_read(struct tls_hello *h, enum tls_transport transport, bool server, const uint8_t *p,
		    uint32_t n, uint32_t len)
{
	struct cursor c = cursor_over(p, n);

	memset(h, 0, offsetof(struct tls_hello, extensions));
	h->n_extensions = h->n_groups = h->n_formats = h->n_signatures = h->n_alpn = 0;
	h->server_name = (struct str){ NULL, 0 };
	h->session = NULL;
	h->n_session = 0;
	h->n_psks = 0;
	h->ticket = h->ech = false;
	h->server = server;
	h->whole = n >= len;
	h->legacy_version = h->version = h->highest = cursor_be16(&c);
	if (c.bad)
		return false;
	if (server)
		read_server(h, &c);
	else
		read_client(h, &c, transport);
	h->broken = c.bad && n >= len;
	if (c.bad) {
		h->whole = false;
		return !server && (n < len || n >= HELLO_FIXED);
	}
	if (!read_extensions(h, &c))
		h->whole = false;
	return true;
}
