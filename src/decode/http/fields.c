// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/http/fields.h"

static const struct field http_rows[] = {
#define ROW(id, ...) OWN_FIELD(http_body, __VA_ARGS__),
	HTTP_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct http_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table http_table = FIELD_TABLE(http_rows);

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
