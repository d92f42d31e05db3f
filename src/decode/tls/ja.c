// SPDX-License-Identifier: GPL-2.0-or-later
#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/tls/hello.h"
#include "util/bytes.h"
#include "util/unwritten.h"

/* Fingerprints of hellos.  Values of RFC 8701 (GREASE) are left out of all of them. */

static bool is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* ── JA3: decimal numbers, dashes between them, commas between the five lists ── */

struct ja3 {
	struct md5_ctx md5;
	char text[64];			/* waits for md5 */
	unsigned int n;
	bool first;
};

static void ja3_flush(struct ja3 *j)
{
	check_written(j->text, j->n);
	md5_update(&j->md5, j->n, (const uint8_t *)j->text);
	j->n = 0;
}

static void ja3_number(struct ja3 *j, uint16_t v)
{
	unsigned int digits = v < 10 ? 1 : v < 100 ? 2 : v < 1000 ? 3 : v < 10000 ? 4 : 5;

	if (sizeof(j->text) - j->n < 8)
		ja3_flush(j);
	if (!j->first)
		j->text[j->n++] = '-';
	j->first = false;
	for (unsigned int i = digits; i--; v /= 10)
		j->text[j->n + i] = (char)('0' + v % 10);
	j->n += digits;
}

static void ja3_comma(struct ja3 *j)
{
	if (j->n == sizeof(j->text))
		ja3_flush(j);
	j->text[j->n++] = ',';
	j->first = true;
}

static void ja3_list(struct ja3 *j, const uint8_t *p, uint32_t n)
{
	ja3_comma(j);
	for (uint32_t i = 0; i < n; i++)
		if (!is_grease(be16(p + 2 * i)))
			ja3_number(j, be16(p + 2 * i));
}

static void put_hex(char *out, const uint8_t *p, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (uint32_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = 0;
}

void tls_ja3(const struct tls_hello *h, char out[33])
{
	struct ja3 j = { .first = true };
	uint8_t digest[MD5_DIGEST_SIZE];

	md5_init(&j.md5);
	ja3_number(&j, h->legacy_version);
	if (h->server) {
		ja3_comma(&j);
		ja3_number(&j, h->cipher);
	} else {
		ja3_list(&j, h->ciphers, h->n_ciphers);
	}
	ja3_comma(&j);
	for (uint32_t i = 0; i < h->n_extensions; i++)
		if (!is_grease(h->extensions[i]))
			ja3_number(&j, h->extensions[i]);
	if (!h->server) {
		ja3_list(&j, h->groups, h->n_groups);
		ja3_comma(&j);
		for (uint32_t i = 0; i < h->n_formats; i++)
			ja3_number(&j, h->formats[i]);
	}
	ja3_flush(&j);
	md5_digest(&j.md5, sizeof(digest), digest);
	written(digest, sizeof(digest));
	put_hex(out, digest, sizeof(digest));
}

/* ── JA4: transport, version, name, counts, ALPN; sorted ciphers; sorted extensions ── */

enum { HASH_CHARS = 12, EXT_SERVER_NAME = 0, EXT_ALPN = 16 };

static int compare(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

struct ja4 {
	struct sha256_ctx sha;
	bool any;
};

/* before: 0 is nothing. */
static void ja4_number(struct ja4 *j, uint16_t v, char before)
{
	char digits[6] = { before };
	uint8_t bytes[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put_hex(digits + 1, bytes, 2);
	sha256_update(&j->sha, before ? 5 : 4, (const uint8_t *)digits + !before);
	j->any = true;
}

static void ja4_end(struct ja4 *j, char *out)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(&j->sha, sizeof(digest), digest);
	written(digest, sizeof(digest));
	if (j->any)
		put_hex(out, digest, HASH_CHARS / 2);
	else
		memset(out, '0', HASH_CHARS);
}

static void ja4_sorted(struct ja4 *j, uint16_t *v, uint32_t n)
{
	qsort(v, n, sizeof(*v), compare);
	for (uint32_t i = 0; i < n; i++)
		ja4_number(j, v[i], i ? ',' : 0);
}

static const char *ja4_version(uint16_t v)
{
	switch (v) {
	case 0x0304: return "13";
	case 0x0303: return "12";
	case 0x0302: return "11";
	case 0x0301: return "10";
	case 0x0300: return "s3";
	case 0x0002: return "s2";
	case 0xfeff: return "d1";
	case 0xfefd: return "d2";
	case 0xfefc: return "d3";
	default: return "00";
	}
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* First and last character of the first protocol; unless both are letters or digits, of its hexadecimal. */
static void ja4_alpn(const struct tls_hello *h, char out[2])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t first, last;

	out[0] = out[1] = '0';
	if (!h->n_alpn)
		return;
	first = (uint8_t)h->alpn[0].p[0];
	last = (uint8_t)h->alpn[0].p[h->alpn[0].n - 1];
	if (is_alnum(first) && is_alnum(last)) {
		out[0] = (char)first;
		out[1] = (char)last;
	} else {
		out[0] = digits[first >> 4];
		out[1] = digits[last & 15];
	}
}

void tls_ja4(const struct tls_hello *h, enum tls_transport transport, char out[37])
{
	struct ja4 ciphers = { .any = false }, extensions = { .any = false };
	uint16_t list[TLS_LIST_MAX];
	uint32_t n = 0, n_ciphers, n_extensions = 0;
	bool named = false;		/* the extension is there, whatever it says */

	sha256_init(&ciphers.sha);
	sha256_init(&extensions.sha);
	for (uint32_t i = 0; i < h->n_ciphers && n < TLS_LIST_MAX; i++)
		if (!is_grease(be16(h->ciphers + 2 * i)))
			list[n++] = be16(h->ciphers + 2 * i);
	n_ciphers = n;
	ja4_sorted(&ciphers, list, n);
	n = 0;
	for (uint32_t i = 0; i < h->n_extensions; i++) {
		if (is_grease(h->extensions[i]))
			continue;
		n_extensions++;
		named |= h->extensions[i] == EXT_SERVER_NAME;
		if (h->extensions[i] != EXT_SERVER_NAME && h->extensions[i] != EXT_ALPN)
			list[n++] = h->extensions[i];
	}
	ja4_sorted(&extensions, list, n);
	n = 0;
	for (uint32_t i = 0; i < h->n_signatures; i++)
		if (!is_grease(be16(h->signatures + 2 * i)))
			ja4_number(&extensions, be16(h->signatures + 2 * i), n++ ? ',' : '_');
	snprintf(out, 37, "%c%s%c%02u%02u", "tqd"[transport], ja4_version(h->highest), named ? 'd' : 'i',
		 n_ciphers < 99 ? n_ciphers : 99, n_extensions < 99 ? n_extensions : 99);
	ja4_alpn(h, out + 8);
	out[10] = '_';
	ja4_end(&ciphers, out + 11);
	out[23] = '_';
	ja4_end(&extensions, out + 24);
	out[36] = 0;
}
