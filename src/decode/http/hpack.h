/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_HTTP_HPACK_H
#define NETPROBE_DECODE_HTTP_HPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/conv/stream.h"
#include "record.h"

/*
 * HPACK (RFC 7541), as a reader that may have come late.  Entries are counted from the newest,
 * so what was inserted while we read is certain; what lies behind it is unknown, and said to
 * be, and never taken for something else.
 */
enum { HPACK_TABLE_MAX = 65536, HPACK_TEXT_MAX = 65536 };

struct hpack_entry {
	uint32_t at, name, value;	/* where in `text`; lengths */
	bool known;			/* the name of another entry may not have been known */
};

struct hpack {
	struct stream_conn *conn;	/* whose memory it is */
	uint8_t *text;
	struct hpack_entry *entries;	/* from `first` on, the oldest first */
	uint32_t text_cap, text_end, entries_cap, first, count;
	uint32_t size, max;		/* as RFC 7541, 4.1 counts */
	bool behind;			/* there may be older entries that we do not know */
};

/* A field; known_name or known_value false: it stood where we know nothing. */
struct hpack_field {
	struct str name, value;
	bool known_name, known_value;
};

typedef void (*hpack_fn)(void *ctx, const struct hpack_field *f);

void hpack_init(struct hpack *h, struct stream_conn *conn, bool late);
void hpack_free(struct hpack *h);
/* Bytes were lost: nothing of the table is certain any more. */
void hpack_lost(struct hpack *h);
/*
 * A whole header block.  False: it breaks the rules from some place on, or a field is longer than
 * HPACK_TEXT_MAX; the table is not certain any more.
 */
bool hpack_read(struct hpack *h, const uint8_t *p, uint32_t n, hpack_fn fn, void *ctx);
/* n bytes of Huffman's code (RFC 7541, 5.2); returns bytes written to out (`room`), or -1. */
int  hpack_huffman(const uint8_t *p, uint32_t n, char *out, uint32_t room);

#endif
