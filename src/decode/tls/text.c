// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/fields.h"
#include "text/parts.h"
#include "util/time.h"

static const char *name_of(const struct record *r)
{
	return !strcmp(r->protocol, "quic") ? "QUIC" : !strcmp(r->protocol, "dtls") ? "DTLS" : "TLS";
}

/* The day, UTC. */
static void put_day(struct buf *b, const char *before, uint64_t ns)
{
	struct time_cache cache = { .utc_sec = 0 };
	char text[TIME_TEXT_MAX];

	time_utc(&cache, text, ns);
	buf_str(b, before);
	buf_add(b, text, sizeof("2014-06-14") - 1);
}

static void put_certificate(const struct record *r, struct buf *b, bool server)
{
	unsigned int by = server ? 0 : FIELD_TLS_CLIENT_SUBJECT - FIELD_TLS_SERVER_SUBJECT;

	line_word(b, "", r, FIELD_TLS_SERVER_SUBJECT + by);
	line_list(b, "names ", r, FIELD_TLS_SERVER_NAMES + by, tls_of(r)->names.n);
	line_word(b, "issuer ", r, FIELD_TLS_SERVER_ISSUER + by);
	if (record_has(r, FIELD_TLS_SERVER_NOT_AFTER + by))
		put_day(b, " until ", tls_of(r)->not_after);
}

void handshake_line(struct line_state *st, const struct record *r, struct buf *b)
{
	buf_str(b, name_of(r));
	if (record_has(r, FIELD_TLS_ALERT_LEVEL)) {
		buf_lit(b, " alert ");
		buf_str(b, tls_of(r)->alert_level);
		if (record_has(r, FIELD_TLS_ALERT_NAME)) {
			buf_chr(b, ' ');
			buf_str(b, tls_of(r)->alert_name);
		} else {
			line_number(b, "", tls_of(r)->alert_code);
		}
		return;
	}
	line_word(b, "", r, FIELD_QUIC_VERSION);
	buf_chr(b, ' ');
	buf_str(b, r->action);
	if (record_has(r, FIELD_TLS_SERVER_CHAIN) || record_has(r, FIELD_TLS_CLIENT_CHAIN))
		put_certificate(r, b, record_has(r, FIELD_TLS_SERVER_CHAIN));
	line_list(b, "", r, FIELD_QUIC_VERSIONS, tls_of(r)->quic_versions.n);
}

void tls_line(struct line_state *st, const struct record *r, struct buf *b)
{
	buf_str(b, !strcmp(r->protocol, "quic") ? "QUIC TLS" : !strcmp(r->protocol, "dtls") ? "DTLS" : "TLS");
	line_word(b, "", r, FIELD_TLS_VERSION);
	buf_str(b, record_has(r, FIELD_TLS_CIPHER_ID) ? " server hello" : " client hello");
	line_word(b, "", r, FIELD_TLS_SERVER_NAME);
	line_list(b, "alpn ", r, FIELD_TLS_ALPN, tls_of(r)->alpn.n);
	line_word(b, "", r, FIELD_TLS_CIPHER_ID);
	if (record_has(r, FIELD_TLS_RETRY))
		buf_lit(b, " retry");
	if (record_has(r, FIELD_TLS_RESUMED) && tls_of(r)->resumed)
		buf_lit(b, " resumed");
	line_word(b, "alpn ", r, FIELD_TLS_NEXT_PROTOCOL);
	line_word(b, "ja4 ", r, FIELD_TLS_JA4);
}
