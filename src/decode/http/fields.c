// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/http/fields.h"

#define OWN_BODY http_body
OWN_TABLE(http, HTTP_FIELDS);
#undef OWN_BODY

struct dataset http_dataset = {
	.name = "http",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &http_table,
	.line = http_line,
};

struct dataset http2_dataset = {
	.name = "http2",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &http_table,
	.line = http_line,
};
