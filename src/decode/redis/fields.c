// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/redis/fields.h"

static const struct field redis_rows[] = {
#define ROW(id, ...) OWN_FIELD(redis_body, __VA_ARGS__),
	REDIS_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct redis_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table redis_table = FIELD_TABLE(redis_rows);

struct dataset redis_dataset = {
	.name = "redis",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &redis_table,
	.line = redis_line,
};
