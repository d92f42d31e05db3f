/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_REDIS_FIELDS_H
#define NETPROBE_DECODE_REDIS_FIELDS_H

#include "record.h"

/* Own fields of RESP2 and RESP3, what Redis speaks. */

extern struct dataset redis_dataset;

struct redis_body {
	struct str command;
	struct list args;		/* struct str */
	uint32_t args_count;
	const char *type;
	struct str value;
	uint32_t count;
};

#define REDIS_FIELDS(X) \
	X(REDIS_COMMAND, "redis.command", FT_STR, command, "first word, in upper case") \
	X(REDIS_ARGS, "redis.args", FT_STRS, args, "further words, at most 64, each cut at 256 characters") \
	X(REDIS_ARGS_COUNT, "redis.args_count", FT_U32, args_count, "how many further words there are") \
	X(REDIS_REPLY_TYPE, "redis.reply.type", FT_WORD, type, "simple_string, error, integer, bulk_string, array, map, ...") \
	X(REDIS_REPLY_VALUE, "redis.reply.value", FT_STR, value, "a scalar as text, cut at 256 characters") \
	X(REDIS_REPLY_COUNT, "redis.reply.count", FT_U32, count, "elements; pairs of a map or an attribute")

enum redis_field { FIELD_REDIS_BEFORE_ = FIELD_OWN - 1, REDIS_FIELDS(FIELD_ID) };

static inline struct redis_body *redis_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void redis_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
