// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/http/secrets.h"

#include <string.h>

enum {
	NAME_MAX_SEEN = 64,		/* bytes of a name that are looked at */
	NAME_ROOM = NAME_MAX_SEEN + 16,	/* so that the longest word can be compared at each */
};

static const char hidden_word[] = "[hidden]";

struct writer {
	char *to;
	uint32_t n, room;
	bool hidden, cut;
};

static void put(struct writer *w, const char *p, uint32_t n)
{
	/* Room for the word is kept to the end. */
	uint32_t left = w->room - w->n > sizeof(hidden_word) ? w->room - w->n - (uint32_t)sizeof(hidden_word) : 0;

	if (w->cut || n > left) {
		n = w->cut ? 0 : left;
		w->cut = true;
	}
	memcpy(w->to + w->n, p, n);
	w->n += n;
}

static void put_hidden(struct writer *w)
{
	w->hidden = true;
	if (w->cut || w->room - w->n < sizeof(hidden_word) - 1)
		return;
	memcpy(w->to + w->n, hidden_word, sizeof(hidden_word) - 1);
	w->n += sizeof(hidden_word) - 1;
}

/* ── names that tell of a secret ──────────────────────────────────────────── */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* In lower case, percent-encoding undone, '-' and '.' as '_'; NULs behind it.  Returns its length. */
static uint32_t plain_name(char out[NAME_ROOM], const char *p, uint32_t n)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < n && k < NAME_MAX_SEEN; i++) {
		char c = p[i];

		if (c == '%' && i + 2 < n && hex_digit(p[i + 1]) >= 0 && hex_digit(p[i + 2]) >= 0) {
			c = (char)(hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2]));
			i += 2;
		}
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 32);
		out[k++] = c == '-' || c == '.' || !c ? '_' : c;
	}
	memset(out + k, 0, NAME_ROOM - k);
	return k;
}

#define IS(p, word) (!memcmp((p), "" word, sizeof(word) - 1))

/* Words that tell it wherever they stand in a name. */
static bool secret_part(const char *p)
{
	switch (*p) {
	case 'a':
		return IS(p, "apikey") || IS(p, "api_key") || IS(p, "access_key") || IS(p, "accesskey");
	case 'c':
		return IS(p, "credential");
	case 'p':
		return IS(p, "passw") || IS(p, "passphrase") || IS(p, "private_key");
	case 's':
		return IS(p, "secret") || IS(p, "signature") || IS(p, "sessid") || IS(p, "sessionid") ||
		       IS(p, "session_id");
	case 't':
		return IS(p, "token");
	default:
		return false;
	}
}

/* Those that do when they are all of it. */
static bool secret_word(const char *p, uint32_t n)
{
	switch (n) {
	case 3:
		return IS(p, "key") || IS(p, "pwd") || IS(p, "sig") || IS(p, "sid") || IS(p, "jwt") || IS(p, "otp");
	case 4:
		return IS(p, "auth") || IS(p, "pass");
	case 7:
		return IS(p, "session");
	case 13:
		return IS(p, "authorization");
	default:
		return false;
	}
}

static bool tells_secret(const char *p, uint32_t n)
{
	char name[NAME_ROOM];

	n = plain_name(name, p, n);
	if (secret_word(name, n))
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (secret_part(name + i))
			return true;
	return false;
}

/* ── references ───────────────────────────────────────────────────────────── */

/* What ends a part of a reference. */
enum { ENDS_PARAMETER = 1, IS_EQUALS = 2, ENDS_VALUE = 4, ENDS_AUTHORITY = 8, ENDS_SCHEME = 16 };

static const uint8_t ends[256] = {
	['?'] = ENDS_PARAMETER | ENDS_AUTHORITY | ENDS_SCHEME,
	['#'] = ENDS_PARAMETER | ENDS_VALUE | ENDS_AUTHORITY | ENDS_SCHEME,
	['&'] = ENDS_PARAMETER | ENDS_VALUE,
	[';'] = ENDS_PARAMETER,
	['='] = IS_EQUALS,
	['/'] = ENDS_AUTHORITY | ENDS_SCHEME,
	[':'] = ENDS_SCHEME,
};

static uint32_t find_end(struct str s, uint32_t from, uint8_t what)
{
	while (from < s.n && !(ends[(uint8_t)s.p[from]] & what))
		from++;
	return from;
}

/* Where the authority begins (RFC 3986, 3.2), or of "host:port" the host; s.n: there is none. */
static uint32_t authority_at(struct str s)
{
	uint32_t colon = find_end(s, 0, ENDS_SCHEME);

	if (s.n > 1 && s.p[0] == '/' && s.p[1] == '/')
		return 2;
	if (colon + 2 < s.n && !memcmp(s.p + colon, "://", 3))
		return colon + 3;
	return s.n && s.p[0] != '/' && s.p[0] != '?' && s.p[0] != '#' ? 0 : s.n;
}

static uint32_t userinfo(struct writer *w, struct str s)
{
	uint32_t from = authority_at(s), end = find_end(s, from, ENDS_AUTHORITY);
	const char *at = end > from ? memrchr(s.p + from, '@', end - from) : NULL;

	if (!at)
		return 0;
	put(w, s.p, from);
	put_hidden(w);
	return (uint32_t)(at - s.p);
}

uint32_t http_hide_target(char *to, uint32_t room, struct str s, bool *cut)
{
	struct writer w = { .to = to, .room = room };
	uint32_t i, next;

	/* Most have neither userinfo nor parameters. */
	if (!s.n || (!memchr(s.p, '=', s.n) && !memchr(s.p, '@', s.n)))
		return 0;
	for (i = userinfo(&w, s); i < s.n; i = next) {
		/* Up to a parameter, and its name. */
		uint32_t name = find_end(s, i, ENDS_PARAMETER), equals;

		name += name < s.n;
		equals = find_end(s, name, IS_EQUALS | ENDS_PARAMETER);
		next = equals;
		if (equals < s.n && s.p[equals] == '=' && tells_secret(s.p + name, equals - name)) {
			next = find_end(s, equals, ENDS_VALUE);
			if (next > equals + 1) {
				put(&w, s.p + i, equals + 1 - i);
				put_hidden(&w);
				continue;
			}
		}
		put(&w, s.p + i, next - i);
	}
	*cut |= w.hidden && w.cut;
	return w.hidden ? w.n : 0;
}

struct str http_without_userinfo(struct str a)
{
	const char *at = a.n ? memrchr(a.p, '@', a.n) : NULL;

	return at ? (struct str){ at + 1, (uint32_t)(a.p + a.n - at - 1) } : a;
}

/* ── fields ───────────────────────────────────────────────────────────────── */

static bool is_one_of(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (name.n == strlen(*names) && !memcmp(name.p, *names, name.n))
			return true;
	return false;
}

enum http_field_kind http_field_kind(struct str name)
{
	static const char *const schemes[] = { "authorization", "proxy-authorization", NULL };
	static const char *const cookies[] = { "cookie", "set-cookie", "cookie2", "set-cookie2", NULL };
	static const char *const references[] = { ":path", ":authority", "host", "referer", "location",
						  "content-location", "refresh", "link", "origin", NULL };

	if (is_one_of(name, references))
		return HTTP_FIELD_REFERENCE;
	if (is_one_of(name, schemes))
		return HTTP_FIELD_SCHEME;
	return is_one_of(name, cookies) || tells_secret(name.p, name.n) ? HTTP_FIELD_SECRET : HTTP_FIELD_PLAIN;
}

uint32_t http_hide_field(char *to, uint32_t room, enum http_field_kind kind, struct str value, bool *cut)
{
	struct writer w = { .to = to, .room = room };
	const char *blank;

	if (kind == HTTP_FIELD_PLAIN || !value.n)
		return 0;
	if (kind == HTTP_FIELD_REFERENCE)
		return http_hide_target(to, room, value, cut);
	blank = kind == HTTP_FIELD_SCHEME ? memchr(value.p, ' ', value.n) : NULL;
	if (blank)
		put(&w, value.p, (uint32_t)(blank + 1 - value.p));
	put_hidden(&w);
	*cut |= w.cut;
	return w.n;
}
