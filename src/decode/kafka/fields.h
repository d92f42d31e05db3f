/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_KAFKA_FIELDS_H
#define NETPROBE_DECODE_KAFKA_FIELDS_H

#include "record.h"

/* Own fields of Kafka. */

extern struct dataset kafka_dataset;

struct kafka_body {
	uint16_t api_key, api_version;
	int32_t correlation_id;
	const char *api_name;
	struct str client_id;
	struct list topics;		/* struct str */
};

#define KAFKA_FIELDS(X) \
	X(KAFKA_API_KEY, "kafka.api_key", FT_U16, api_key, "API key") \
	X(KAFKA_API_NAME, "kafka.api_name", FT_WORD, api_name, "its name: Produce, Fetch, Metadata, ...") \
	X(KAFKA_API_VERSION, "kafka.api_version", FT_U16, api_version, "version of the API") \
	X(KAFKA_CORRELATION_ID, "kafka.correlation_id", FT_I32, correlation_id, "joins a response to its request") \
	X(KAFKA_CLIENT_ID, "kafka.client_id", FT_STR, client_id, "client id") \
	X(KAFKA_TOPICS, "kafka.topics", FT_STRS, topics, "topics of a request, or of a Metadata response")

enum kafka_field { FIELD_KAFKA_BEFORE_ = FIELD_OWN - 1, KAFKA_FIELDS(FIELD_ID) };

static inline struct kafka_body *kafka_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void kafka_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
