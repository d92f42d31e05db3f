// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/fields.h"
#include "text/parts.h"

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
