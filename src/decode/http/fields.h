/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_HTTP_FIELDS_H
#define NETPROBE_DECODE_HTTP_FIELDS_H

#include "record.h"

/* Own fields of HTTP/1 and HTTP/2 (RFC 9112, 9113). */

extern struct dataset http_dataset, http2_dataset;

struct http_body {
	const char *version;
	struct str method, request_mime, response_mime;
	uint16_t status;
	struct str url, scheme, domain;
	uint16_t port;
	struct str user_agent;
	uint32_t stream_id;
	struct list headers;		/* struct str */
	uint32_t grpc_status;
};

#define HTTP_FIELDS(X) \
	X(HTTP_VERSION, "http.version", FT_WORD, version, "1.0, 1.1 or 2") \
	X(HTTP_METHOD, "http.request.method", FT_STR, method, "method, as sent") \
	X(HTTP_REQUEST_MIME, "http.request.mime_type", FT_STR, request_mime, "Content-Type of a request, as sent") \
	X(HTTP_STATUS, "http.response.status_code", FT_U16, status, "status code") \
	X(HTTP_RESPONSE_MIME, "http.response.mime_type", FT_STR, response_mime, "Content-Type of a response, as sent") \
	X(URL_ORIGINAL, "url.original", FT_STR, url, "request target as sent, or :path") \
	X(URL_SCHEME, "url.scheme", FT_STR, scheme, ":scheme", .only = &http2_dataset) \
	X(URL_DOMAIN, "url.domain", FT_STR, domain, "Host or :authority, without the port") \
	X(URL_PORT, "url.port", FT_U16, port, "port in Host or :authority") \
	X(USER_AGENT, "user_agent.original", FT_STR, user_agent, "User-Agent, as sent") \
	X(HTTP2_STREAM_ID, "http2.stream_id", FT_U32, stream_id, "stream", .only = &http2_dataset) \
	X(HTTP2_HEADERS, "http2.headers", FT_STRS, headers, "name: value, in wire order, pseudo-headers included", .only = &http2_dataset) \
	X(GRPC_STATUS, "rpc.grpc.status_code", FT_U32, grpc_status, "grpc-status", .only = &http2_dataset)

enum http_field { FIELD_HTTP_BEFORE_ = FIELD_OWN - 1, HTTP_FIELDS(FIELD_ID) };

static inline struct http_body *http_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void http_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
