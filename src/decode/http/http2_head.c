// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/http/http2_head.h"

#include <stddef.h>
#include <string.h>

#include "decode/http/fields.h"
#include "decode/http/head.h"

void http2_head_start(struct http2_head *h, bool show_secrets)
{
	memset(h, 0, offsetof(struct http2_head, text));
	h->hide = !show_secrets;
}

static bool is(struct str s, const char *word)
{
	return s.n == strlen(word) && !memcmp(s.p, word, s.n);
}

static bool number(struct str s, uint32_t *v)
{
	*v = 0;
	for (uint32_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || i > 8)
			return false;
		*v = *v * 10 + (uint32_t)(s.p[i] - '0');
	}
	return s.n;
}

static void note(struct http2_head *h, struct str name, struct str value)
{
	uint32_t v;

	/* Of a field that is there twice the first counts. */
	if (is(name, ":method")) {
		h->has_method = true;
		h->method = value;
	} else if (is(name, ":path") && !h->path.n) {
		h->path = value;
	} else if (is(name, ":scheme") && !h->scheme.n) {
		h->scheme = value;
	} else if ((is(name, ":authority") || is(name, "host")) && !h->authority.n) {
		h->authority = value;
	} else if (is(name, ":status")) {
		h->has_status = true;
		h->status = number(value, &v) && v < 1000 ? (uint16_t)v : 0;
	} else if (is(name, "user-agent") && !h->user_agent.n) {
		h->user_agent = value;
	} else if (is(name, "content-type") && !h->content_type.n) {
		h->content_type = value;
	} else if (is(name, "grpc-status") && number(value, &v)) {
		h->has_grpc = true;
		h->grpc = v;
	}
}

static enum http_field_kind kind_of(struct http2_head *h, struct str name)
{
	struct http2_name *known;

	if (!name.n || name.n > sizeof(known->name))
		return http_field_kind(name);
	known = &h->names[(name.n + (uint8_t)name.p[0] * 5u + (uint8_t)name.p[name.n / 2]) & 63];
	if (known->n != name.n || memcmp(known->name, name.p, name.n)) {
		memcpy(known->name, name.p, name.n);
		known->n = (uint8_t)name.n;
		known->kind = (uint8_t)http_field_kind(name);
	}
	return (enum http_field_kind)known->kind;
}

/* What is not known is named so, and means nothing. */
void http2_head_field(void *head, const struct hpack_field *f)
{
	static const struct str unknown = { "<unknown>", 9 };
	struct http2_head *h = head;
	struct str name = f->known_name ? f->name : unknown, value = f->known_value ? f->value : unknown;
	char *to = h->text + h->n_text;
	uint32_t n = name.n + 2 + value.n, room = HTTP2_TEXT_MAX - h->n_text, hidden = 0;

	if (h->n_fields == HTTP2_FIELDS_MAX || n > room || (h->hide && name.n + 2 + HTTP_HIDE_MIN > room)) {
		h->cut = true;
		return;
	}
	memcpy(to, name.p, name.n);
	memcpy(to + name.n, ": ", 2);
	/* Of a name that is not known nobody can tell. */
	if (h->hide && f->known_value)
		hidden = http_hide_field(to + name.n + 2, room - name.n - 2,
					 f->known_name ? kind_of(h, name) : HTTP_FIELD_SECRET, value, &h->cut);
	if (hidden)
		value.n = hidden;
	else if (value.n)
		memcpy(to + name.n + 2, value.p, value.n);
	n = name.n + 2 + value.n;
	h->fields[h->n_fields++] = (struct str){ to, n };
	h->n_text += n;
	name.p = to;
	h->unknown |= !f->known_name;
	h->has_pseudo |= is(name, ":path") || is(name, ":scheme") || is(name, ":authority");
	if (f->known_name && f->known_value)
		note(h, name, (struct str){ to + name.n + 2, value.n });
	else if (is(name, ":method"))
		h->has_method = true;
	else if (is(name, ":status"))
		h->has_status = true;
}

static void set(struct record *r, struct str *to, unsigned int f, struct str s)
{
	if (!s.n)
		return;
	*to = s;
	record_mark(r, f);
}

static void mark_outcome(const struct http2_head *h, struct record *r)
{
	bool failed = h->status >= 400 || (h->has_grpc && h->grpc);

	if (!h->has_status && !h->has_grpc)
		return;
	r->outcome = failed ? "failure" : "success";
	record_mark(r, FIELD_OUTCOME);
}

void http2_head_mark(const struct http2_head *h, struct record *r, bool response)
{
	http_of(r)->version = "2";
	record_mark(r, FIELD_HTTP_VERSION);
	http_of(r)->headers = (struct list){ h->fields, h->n_fields };
	record_mark(r, FIELD_HTTP2_HEADERS);
	if (h->cut) {
		r->truncated = true;
		record_mark(r, FIELD_TRUNCATED);
	}
	set(r, &http_of(r)->method, FIELD_HTTP_METHOD, h->method);
	set(r, &http_of(r)->url, FIELD_URL_ORIGINAL, h->path);
	set(r, &http_of(r)->scheme, FIELD_URL_SCHEME, h->scheme);
	set(r, &http_of(r)->user_agent, FIELD_USER_AGENT, h->user_agent);
	if (response)
		set(r, &http_of(r)->response_mime, FIELD_HTTP_RESPONSE_MIME, h->content_type);
	else
		set(r, &http_of(r)->request_mime, FIELD_HTTP_REQUEST_MIME, h->content_type);
	if (h->authority.n) {
		if (http_authority(http_without_userinfo(h->authority), &http_of(r)->domain, &http_of(r)->port))
			record_mark(r, FIELD_URL_PORT);
		if (http_of(r)->domain.n)
			record_mark(r, FIELD_URL_DOMAIN);
	}
	if (h->status) {
		http_of(r)->status = h->status;
		record_mark(r, FIELD_HTTP_STATUS);
	}
	if (h->has_grpc) {
		http_of(r)->grpc_status = h->grpc;
		record_mark(r, FIELD_GRPC_STATUS);
	}
	if (response)
		mark_outcome(h, r);
}
