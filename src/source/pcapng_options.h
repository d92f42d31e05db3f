/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_PCAPNG_OPTIONS_H
#define NETPROBE_SOURCE_PCAPNG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* pcapng's types of blocks, and what may stand at the end of each: options of code, length, value. */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,	/* the same in either order */
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2,		/* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_NAMES = 4,
	BLOCK_STATISTICS = 5,
	BLOCK_ENHANCED = 6,
	BLOCK_SECRETS = 10,
};

enum option {
	OPT_END = 0,
	OPT_COMMENT = 1,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_TSOFFSET = 14,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	EPB_VERDICT = 7,
	ISB_IFDROP = 5,
	ISB_OSDROP = 7,
};

struct options {
	const uint8_t *p, *end;
	bool big;
	uint16_t code, len;
	const uint8_t *value;
};

/* The next option; false at the end.  Only of a list that options_sound() has passed. */
bool option_next(struct options *o);
uint64_t option_u64(const struct options *o);

/* What is wrong with the list, each option as long as its kind says; false with `at` the one. */
bool options_sound(uint32_t block, const struct options *list, struct options *at);
/* Where the options begin in a block whose body has no meaning here; NULL: not to be found, nor any. */
const uint8_t *options_behind(uint32_t block, const uint8_t *body, const uint8_t *end, bool big);

#endif
