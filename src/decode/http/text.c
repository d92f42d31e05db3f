// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/http/fields.h"
#include "text/parts.h"

void http_line(struct line_state *st, const struct record *r, struct buf *b)
{
	buf_lit(b, "HTTP/");
	buf_str(b, http_of(r)->version);
	if (r->set == &http2_dataset) {
		line_number(b, "stream ", http_of(r)->stream_id);
		buf_chr(b, ',');
		if (!strcmp(r->action, "trailers"))
			buf_lit(b, " trailers");
		else if (!strcmp(r->action, "push_promise"))
			buf_lit(b, " push promise");
	}
	line_word(b, "", r, FIELD_HTTP_METHOD);
	line_word(b, "", r, FIELD_URL_ORIGINAL);
	line_word(b, "host ", r, FIELD_URL_DOMAIN);
	if (record_has(r, FIELD_HTTP_STATUS))
		line_number(b, "", http_of(r)->status);
	line_word(b, "", r, FIELD_HTTP_REQUEST_MIME);
	line_word(b, "", r, FIELD_HTTP_RESPONSE_MIME);
	if (record_has(r, FIELD_GRPC_STATUS))
		line_number(b, "grpc-status ", http_of(r)->grpc_status);
}
