/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_KAFKA_API_H
#define NETPROBE_DECODE_KAFKA_API_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/* Kafka's APIs (the message definitions of Apache Kafka 4.1), and where topics stand in them. */
enum { KAFKA_NEVER = 99, KAFKA_TOPICS_MAX = 64, KAFKA_VERSION_AHEAD = 3 };
enum { KAFKA_PRODUCE = 0, KAFKA_METADATA = 3, KAFKA_CONTROLLED_SHUTDOWN = 7, KAFKA_SASL_HANDSHAKE = 17,
       KAFKA_API_VERSIONS = 18 };

struct kafka_api {
	const char *name;
	uint8_t flexible;	/* first version with compact fields and tags */
	uint8_t max;		/* the newest version known */
	const char *request;	/* layout up to the topics; NULL: it has none */
};

/* NULL: no such key. */
const struct kafka_api *kafka_api(uint16_t key);

struct kafka_topics {
	struct str names[KAFKA_TOPICS_MAX];
	uint32_t n;
	bool has_acks;
	int16_t acks;		/* of Produce */
};

/* Behind the tagged fields of a flexible header, which stand at `at`. */
uint32_t kafka_header_tags(const uint8_t *p, uint32_t n, uint32_t at);
/* Topics of a body of n bytes, as far as they are there. */
void kafka_request_topics(struct kafka_topics *t, const struct kafka_api *api, uint16_t version,
			  const uint8_t *p, uint32_t n);
void kafka_metadata_topics(struct kafka_topics *t, uint16_t version, const uint8_t *p, uint32_t n);

#endif
