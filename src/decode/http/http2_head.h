/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_HTTP_HTTP2_HEAD_H
#define NETPROBE_DECODE_HTTP_HTTP2_HEAD_H

#include "decode/http/hpack.h"
#include "decode/http/secrets.h"

/* The fields of a header block, and what they mean (RFC 9113, 8.3; gRPC over HTTP/2). */
enum { HTTP2_FIELDS_MAX = 256, HTTP2_TEXT_MAX = 49152 };

struct http2_head {
	struct str fields[HTTP2_FIELDS_MAX];	/* "name: value" */
	uint32_t n_fields, n_text;
	bool hide;				/* secrets */
	bool cut;				/* not all of them had room */
	bool has_method, has_status, has_grpc;
	bool has_pseudo;			/* another field of requests: it is one whatever else is unknown */
	bool unknown;				/* a name is not known */
	struct str method, path, scheme, authority, user_agent, content_type;
	uint16_t status;
	uint32_t grpc;
	char text[HTTP2_TEXT_MAX];
	/* What is known of names: most blocks have the same. */
	struct http2_name {
		char name[31];
		uint8_t n, kind;		/* n 0: a free place */
	} names[64];
};

void http2_head_start(struct http2_head *h, bool show_secrets);
void http2_head_field(void *head, const struct hpack_field *f);	/* an hpack_fn */
void http2_head_mark(const struct http2_head *h, struct record *r, bool response);

#endif
