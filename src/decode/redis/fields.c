// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/redis/fields.h"

#define OWN_BODY redis_body
OWN_TABLE(redis, REDIS_FIELDS);
#undef OWN_BODY

struct dataset redis_dataset = {
	.name = "redis",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &redis_table,
	.line = redis_line,
};
