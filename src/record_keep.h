/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RECORD_KEEP_H
#define NETPROBE_RECORD_KEEP_H

#include "record.h"

/*
 * A record that outlives its frame, copied by its dataset's table: marked fields in KEPT_BYTES,
 * long texts and lists cut (`truncated` says so).
 */
enum { KEPT_BYTES = 504, KEPT_TEXTS = 64 };

/* A record's fields, one after the other: id of the field, then its value. */
struct record_kept {
	const struct dataset *set;
	uint16_t n, limit;
	uint8_t bytes[KEPT_BYTES];
};

/* A record made of what was kept, and what its lists point to. */
struct record_again {
	struct record r;
	struct str texts[KEPT_TEXTS];
	uint32_t n_texts;
	uint64_t words[KEPT_BYTES];
	uint32_t n_words;
};

/* fields: bits as in record.present, those to be kept if they are marked; NULL: all. */
void record_keep(struct record_kept *k, const struct record *r, const uint64_t fields[FIELD_WORDS]);
/* Returns out->r, which is good as long as k is. */
const struct record *record_again(struct record_again *out, const struct record_kept *k);

#endif
