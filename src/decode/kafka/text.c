// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/kafka/fields.h"
#include "text/parts.h"

void kafka_line(struct line_state *st, const struct record *r, struct buf *b)
{
	bool response = !strcmp(r->action, "response");
	int64_t id = kafka_of(r)->correlation_id;

	buf_lit(b, "Kafka");
	if (record_has(r, FIELD_KAFKA_API_NAME)) {
		buf_chr(b, ' ');
		buf_str(b, kafka_of(r)->api_name);
		line_number(b, "v", kafka_of(r)->api_version);
	}
	buf_str(b, response ? " response" : " request");
	buf_lit(b, " id ");
	if (id < 0)
		buf_chr(b, '-');
	buf_u64(b, id < 0 ? 0 - (uint64_t)id : (uint64_t)id);
	line_word(b, "client ", r, FIELD_KAFKA_CLIENT_ID);
	line_list(b, "", r, FIELD_KAFKA_TOPICS, kafka_of(r)->topics.n);
}
