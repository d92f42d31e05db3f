// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/http/head.h"

#include <string.h>
#include <strings.h>

enum { VERSION_LEN = 8, METHOD_MAX = 24, STATUS_LINE_MIN = 12 };

/* RFC 9110, 5.6.2: what a token is made of. */
static bool is_token(uint8_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "HTTP/1.x", eight bytes; NULL: it is not. */
static const char *version_of(const char *p)
{
	static const char *const versions[] = { "1.0", "1.1", "1.2", "1.3", "1.4",
						"1.5", "1.6", "1.7", "1.8", "1.9" };

	if (memcmp(p, "HTTP/1.", 7) || !is_digit(p[7]))
		return NULL;
	return versions[p[7] - '0'];
}

static bool status_line(struct http_head *h, const char *p, uint32_t n)
{
	if (n < STATUS_LINE_MIN || !is_blank(p[8]) || !is_digit(p[9]) || !is_digit(p[10]) || !is_digit(p[11]))
		return false;
	if (n > STATUS_LINE_MIN && !is_blank(p[12]))
		return false;
	h->response = true;
	h->status = (uint16_t)((p[9] - '0') * 100 + (p[10] - '0') * 10 + p[11] - '0');
	return h->status >= 100;
}

bool http_start_line(struct http_head *h, const char *p, uint32_t n)
{
	uint32_t method = 0;

	memset(h, 0, sizeof(*h));
	while (n && is_blank(p[n - 1]))
		n--;
	if (n < STATUS_LINE_MIN)
		return false;
	h->version = version_of(p);
	if (h->version)
		return status_line(h, p, n);
	h->version = version_of(p + n - VERSION_LEN);
	if (!h->version || !is_blank(p[n - VERSION_LEN - 1]))
		return false;
	while (method < n && is_token((uint8_t)p[method]))
		method++;
	if (!method || method > METHOD_MAX || !is_blank(p[method]))
		return false;
	h->method = (struct str){ p, method };
	n -= VERSION_LEN;
	while (n && is_blank(p[n - 1]))
		n--;
	while (method < n && is_blank(p[method]))
		method++;
	h->target = (struct str){ p + method, n - method };
	return method < n;
}

enum http_method http_method(const struct http_head *h)
{
	if (h->method.n == 4 && !memcmp(h->method.p, "HEAD", 4))
		return HTTP_HEAD;
	if (h->method.n == 7 && !memcmp(h->method.p, "CONNECT", 7))
		return HTTP_CONNECT;
	return HTTP_OTHER;
}

static struct str trim(const char *p, uint32_t n)
{
	while (n && (is_blank(p[n - 1]) || p[n - 1] == '\r' || p[n - 1] == '\n'))
		n--;
	while (n && (is_blank(*p) || *p == '\r' || *p == '\n')) {
		p++;
		n--;
	}
	return (struct str){ p, n };
}

static bool is_name(const char *p, uint32_t n, const char *name)
{
	return n == strlen(name) && !strncasecmp(p, name, n);
}

/* RFC 9110, 8.6: digits; several the same by commas are one (RFC 9112, 6.3). */
static void content_length(struct http_head *h, struct str v)
{
	uint64_t length = 0;
	uint32_t i = 0;

	for (; i < v.n && is_digit(v.p[i]); i++) {
		if (length > UINT64_MAX / 10 - 10)
			break;
		length = length * 10 + (uint64_t)(v.p[i] - '0');
	}
	if (!i || (i < v.n && v.p[i] != ',') || (h->has_length && h->length != length))
		h->bad_length = true;
	h->has_length = true;
	h->length = length;
}

static bool names_identity(struct str s)
{
	return is_name(s.p, s.n, "identity");
}

/* RFC 9112, 6.1: the last coding counts; "identity" never was one. */
static void transfer_encoding(struct http_head *h, struct str v)
{
	const char *last = v.n ? memrchr(v.p, ',', v.n) : NULL;

	if (last && names_identity(trim(last + 1, (uint32_t)(v.p + v.n - last - 1)))) {
		v = trim(v.p, (uint32_t)(last - v.p));
		last = v.n ? memrchr(v.p, ',', v.n) : NULL;
	}
	if (last)
		v = trim(last + 1, (uint32_t)(v.p + v.n - last - 1));
	h->chunked = is_name(v.p, v.n, "chunked");
	h->coded = !h->chunked && v.n && !is_name(v.p, v.n, "identity");
}

static void one_field(struct http_head *h, const char *p, uint32_t n)
{
	const char *colon = memchr(p, ':', n);
	struct str value;
	uint32_t name;

	if (!colon)
		return;
	name = (uint32_t)(colon - p);
	value = trim(colon + 1, n - name - 1);
	while (name && is_blank(p[name - 1]))
		name--;
	if (is_name(p, name, "host") && !h->host.p)
		h->host = value;
	else if (is_name(p, name, "user-agent") && !h->user_agent.p)
		h->user_agent = value;
	else if (is_name(p, name, "content-type") && !h->content_type.p)
		h->content_type = value;
	else if (is_name(p, name, "upgrade"))
		h->upgrade = value;
	else if (is_name(p, name, "content-length"))
		content_length(h, value);
	else if (is_name(p, name, "transfer-encoding"))
		transfer_encoding(h, value);
}

/* A line that begins with a blank continues the one before (RFC 9112, 5.2). */
void http_fields(struct http_head *h, const char *p, uint32_t n)
{
	uint32_t start = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (p[i] != '\n' || (i + 1 < n && is_blank(p[i + 1])))
			continue;
		one_field(h, p + start, i - start);
		start = i + 1;
	}
	if (start < n)
		one_field(h, p + start, n - start);
}

static bool known_method(const char *p, uint32_t n)
{
	static const char *const known[] = { "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH",
					     "PROPFIND", "TRACE" };

	for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == n && !memcmp(known[i], p, n))
			return true;
	return false;
}

/* A start line whose end is not there.  `last`: nor will it be waited for. */
static int begins_without_end(const char *p, uint32_t n, bool last)
{
	struct http_head h;
	uint32_t method = 0;

	if (!memcmp(p, "HTTP/1.", n < 7 ? n : 7)) {
		if (n < STATUS_LINE_MIN)
			return last ? -1 : 0;
		return http_start_line(&h, p, STATUS_LINE_MIN) ? 1 : -1;
	}
	while (method < n && is_token((uint8_t)p[method]))
		method++;
	if (method > METHOD_MAX || !method || (method < n && p[method] != ' '))
		return -1;
	if (!last)
		return 0;
	if (!known_method(p, method) || n < method + 2)
		return -1;
	return p[method + 1] == '/' || (n > method + 5 && !memcmp(p + method + 1, "http", 4)) ? 1 : -1;
}

int http_begins(const char *p, uint32_t n, bool last)
{
	struct http_head h;
	const char *end;

	while (n && (*p == '\r' || *p == '\n')) {
		p++;
		n--;
	}
	if (!n)
		return last ? -1 : 0;
	if (!is_token((uint8_t)*p))
		return -1;
	end = memchr(p, '\n', n);
	if (!end)
		return begins_without_end(p, n, last);
	n = (uint32_t)(end - p);
	if (n && p[n - 1] == '\r')
		n--;
	return http_start_line(&h, p, n) ? 1 : -1;
}

bool http_authority(struct str a, struct str *domain, uint16_t *port)
{
	const char *colon = a.n ? memrchr(a.p, ':', a.n) : NULL;
	uint32_t value = 0;

	*domain = a;
	/* An address of IPv6 has brackets; a port may be empty (RFC 3986, 3.2). */
	if (!colon || (a.p[0] != '[' && memchr(a.p, ':', (size_t)(colon - a.p))))
		return false;
	if (colon == a.p + a.n - 1) {
		domain->n--;
		return false;
	}
	for (const char *p = colon + 1; p < a.p + a.n; p++) {
		if (!is_digit(*p) || value > UINT16_MAX)
			return false;
		value = value * 10 + (uint32_t)(*p - '0');
	}
	if (value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	domain->n = (uint32_t)(colon - a.p);
	return true;
}
