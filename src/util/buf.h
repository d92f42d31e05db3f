/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_BUF_H
#define NETPROBE_UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A growing byte buffer with a hard bound.  Appends never fail one by one:
 * what does not fit (bound reached, no memory) sets `full` and is left out,
 * and whoever ships the buffer looks at `full` once.
 *
 * Fast path: buf_room() once, then the unchecked buf_put*() family.
 */
struct buf {
	char  *p;
	size_t n, cap;
	size_t max;		/* hard bound for cap; 0: 1 MiB */
	bool   full;
};

void buf_free(struct buf *b);
/* Make room for `more` bytes; false (and b->full) when that cannot be. */
bool buf_grow(struct buf *b, size_t more);

static inline bool buf_room(struct buf *b, size_t more)
{
	return b->cap - b->n >= more || buf_grow(b, more);
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n && buf_room(b, n)) {
		memcpy(b->p + b->n, p, n);
		b->n += n;
	}
}

static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void buf_chr(struct buf *b, char c)
{
	if (buf_room(b, 1))
		b->p[b->n++] = c;
}

#define buf_lit(b, literal) buf_add((b), "" literal, sizeof(literal) - 1)

/* Unsigned decimal; hexadecimal in lower case, at least `width` digits. */
void buf_u64(struct buf *b, uint64_t v);
void buf_hex(struct buf *b, uint64_t v, unsigned int width);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
