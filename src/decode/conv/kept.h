/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_KEPT_H
#define NETPROBE_DECODE_CONV_KEPT_H

#include "record.h"

/*
 * A record that outlives its frame: its marked fields in KEPT_OCTETS, long texts and lists cut
 * (`truncated` says so).
 */
enum { KEPT_OCTETS = 504, KEPT_TEXTS = 64 };

/* A record's marked fields, one after the other: number of the field, then its value. */
struct kept {
	const struct dataset *set;
	uint16_t n, limit;
	uint8_t octets[KEPT_OCTETS];
};

/* It, and what its lists point to. */
struct kept_record {
	struct record r;
	struct str texts[KEPT_TEXTS];
	uint32_t n_texts;
	uint64_t words[KEPT_OCTETS];
	uint32_t n_words;
};

void kept_put(struct kept *k, const struct record *r);
/* Good as long as k is. */
void kept_get(struct kept_record *out, const struct kept *k);

#endif
