// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/kafka/fields.h"

static const struct field kafka_rows[] = {
#define ROW(id, ...) OWN_FIELD(kafka_body, __VA_ARGS__),
	KAFKA_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct kafka_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table kafka_table = FIELD_TABLE(kafka_rows);

struct dataset kafka_dataset = {
	.name = "kafka",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &kafka_table,
	.line = kafka_line,
};
