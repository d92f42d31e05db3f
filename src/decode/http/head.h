/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_HTTP_HEAD_H
#define NETPROBE_DECODE_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/* An HTTP/1 message's start line and header fields (RFC 9112), read where they stand. */

enum http_method { HTTP_OTHER, HTTP_HEAD, HTTP_CONNECT };

struct http_head {
	bool response;
	const char *version;		/* "1.1" */
	struct str method, target;
	uint16_t status;
	/* Of the header fields; p is NULL when there is none */
	struct str host, user_agent, content_type, upgrade;
	bool chunked;			/* the last transfer coding is "chunked" */
	bool coded;			/* there is another transfer coding */
	bool has_length, bad_length;
	uint64_t length;		/* Content-Length */
};

/*
 * A start line of n bytes, without its end.  Any token is a method; the version must be
 * HTTP/1.x; a target may hold blanks.
 */
bool http_start_line(struct http_head *h, const char *p, uint32_t n);
/* The header fields in n bytes of whole lines; bad ones are passed over. */
void http_fields(struct http_head *h, const char *p, uint32_t n);
enum http_method http_method(const struct http_head *h);
/* Bytes that begin a message, or might: 1 yes, 0 more are needed, -1 no. */
int  http_begins(const char *p, uint32_t n, bool last);
/* "host:port", "[v6]:port": the part before the port; false: there is no port. */
bool http_authority(struct str authority, struct str *domain, uint16_t *port);

#endif
