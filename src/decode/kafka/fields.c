// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/kafka/fields.h"

#define OWN_BODY kafka_body
OWN_TABLE(kafka, KAFKA_FIELDS);
#undef OWN_BODY

struct dataset kafka_dataset = {
	.name = "kafka",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.own = &kafka_table,
	.line = kafka_line,
};
