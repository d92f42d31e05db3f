/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_WHERE_PARTS_H
#define NETPROBE_WHERE_PARTS_H

#include <regex.h>

#include "where.h"

/* Between where.c, which judges records, and where_parse.c, which reads expressions. */

enum where_op { OP_HAS, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_MATCH, OP_NO_MATCH, OP_AND, OP_OR, OP_NOT };

/* What a field's values are compared as. */
enum where_type { WHERE_NUMBER, WHERE_TEXT, WHERE_BOOL, WHERE_ADDR, WHERE_OTHER };

struct where_node {
	enum where_op op;
	uint16_t field;			/* its number */
	const struct item_field *row;	/* of a list of objects */
	enum where_type type;
	int64_t number;
	double real;			/* the same */
	bool fractional;		/* real is what counts */
	char *text;			/* owned */
	uint32_t n_text;
	struct addr addr;
	uint8_t prefix;			/* bits of addr that count */
	regex_t regex;			/* of OP_MATCH, OP_NO_MATCH */
};

/* In the order of evaluation: operands stand before their operator. */
struct where {
	struct where_node node[3 * WHERE_TESTS_MAX];
	unsigned int n;
};

enum where_type where_type_of(enum field_type type);

#endif
