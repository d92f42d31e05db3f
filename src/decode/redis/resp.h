/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_REDIS_RESP_H
#define NETPROBE_DECODE_REDIS_RESP_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/* Tokens of the Redis protocol, RESP2 and RESP3: a type byte, a line, and of some a text. */
enum { RESP_LINE_MAX = 8192 };

struct resp_token {
	uint8_t type;		/* the byte: + - : $ * _ # , ( ! = % ~ > | ; . */
	bool streamed;		/* its length is "?" */
	int64_t value;		/* of $ ! = ; the text's length, of * % ~ > | the count; -1: null */
	uint32_t line;		/* bytes of the line with its end */
	uint64_t size;		/* bytes in all, which may be more than there are */
	struct str text;	/* after the type byte: the line, or the text as far as it is there */
};

/* Reads the token at p.  1: here it is (its text may not be); 0: more bytes are needed; -1: none. */
int  resp_read(struct resp_token *t, const char *p, uint32_t n);
/*
 * The next word of an inline command in n bytes, from *at on: what stands in quotes is one, without
 * them, put together in `room` (n bytes, of which *used are taken).  False: there is none.
 */
bool resp_word(struct str *word, const char *p, uint32_t n, uint32_t *at, char *room, uint32_t *used);
bool resp_is_aggregate(uint8_t type);
/* Name of a reply's type, as redis.reply.type has it. */
const char *resp_type_name(const struct resp_token *t);

#endif
