/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_HTTP_SECRETS_H
#define NETPROBE_DECODE_HTTP_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/*
 * Text without what gives access: "[hidden]" stands in its place.  Those that write want room for
 * HTTP_HIDE_MIN bytes, and write what fits; *cut is set where that is not all.
 */
enum { HTTP_HIDE_MIN = 64 };

/*
 * A request target, or another reference (RFC 3986): userinfo, and the values of parameters whose name tells of a
 * token, a key or a password.  0: there is nothing to hide, and nothing was written.
 */
uint32_t http_hide_target(char *to, uint32_t room, struct str target, bool *cut);
/* An authority without its userinfo: what stands behind the last @. */
struct str http_without_userinfo(struct str authority);

/* What a field of HTTP/2 holds, by its name in lower case: of SCHEME what stands behind the scheme is secret. */
enum http_field_kind { HTTP_FIELD_PLAIN, HTTP_FIELD_SECRET, HTTP_FIELD_SCHEME, HTTP_FIELD_REFERENCE };
enum http_field_kind http_field_kind(struct str name);
/* Its value; 0 as of http_hide_target(). */
uint32_t http_hide_field(char *to, uint32_t room, enum http_field_kind kind, struct str value, bool *cut);

#endif
