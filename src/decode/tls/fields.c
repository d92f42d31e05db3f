// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/fields.h"

static const struct field tls_rows[] = {
#define ROW(id, ...) OWN_FIELD(tls_body, __VA_ARGS__),
	TLS_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct tls_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table tls_table = FIELD_TABLE(tls_rows);

struct dataset tls_dataset = {
	.name = "tls",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &tls_table,
	.line = tls_line,
};
