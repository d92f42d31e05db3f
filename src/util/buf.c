// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_DEFAULT_MAX = 1 << 20, BUF_FIRST = 4096 };

void buf_free(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
}

bool buf_grow(struct buf *b, size_t more)
{
	size_t max = b->max ? b->max : BUF_DEFAULT_MAX;
	size_t cap = b->cap ? b->cap : BUF_FIRST;
	char *p;

	if (more > max || b->n > max - more) {
		b->full = true;
		return false;
	}
	while (cap - b->n < more)
		cap *= 2;
	if (cap > max)
		cap = max;
	p = realloc(b->p, cap);
	if (!p) {
		b->full = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

/* Two digits at a time: half the divisions of the obvious loop. */
static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

void buf_u64(struct buf *b, uint64_t v)
{
	char t[20];
	unsigned int i = sizeof(t);

	while (v >= 100) {
		unsigned int d = (unsigned int)(v % 100) * 2;

		v /= 100;
		t[--i] = pairs[d + 1];
		t[--i] = pairs[d];
	}
	t[--i] = pairs[v * 2 + 1];
	if (v >= 10)
		t[--i] = pairs[v * 2];
	buf_add(b, t + i, sizeof(t) - i);
}

void buf_hex(struct buf *b, uint64_t v, unsigned int width)
{
	char t[16];
	unsigned int i = sizeof(t);

	do {
		t[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (i && (v || sizeof(t) - i < width));
	buf_add(b, t + i, sizeof(t) - i);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	char t[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t, sizeof(t), fmt, ap);
	va_end(ap);
	if (n > 0)
		buf_add(b, t, (size_t)n < sizeof(t) ? (size_t)n : sizeof(t) - 1);
}
