// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/fields.h"

#define OWN_BODY tls_body
OWN_TABLE(tls, TLS_FIELDS);
#undef OWN_BODY

struct dataset tls_dataset = {
	.name = "tls",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &tls_table,
	.line = tls_line,
};

struct dataset handshake_dataset = {
	.name = "handshake",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &tls_table,
	.line = handshake_line,
};
