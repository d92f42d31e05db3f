// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON in pieces: wherever it is cut, the same objects come out, each with all its brackets.
 *
 * Input: 1 byte of what is read (0: objects, 1: a List), 1 of how long the pieces are, the text.
 */
#include "fuzz_help.h"

#include <errno.h>
#include <stdlib.h>

#include "k8s/cut.h"

struct seen {
	uint64_t n, bytes, hash;
};

static int take_object(void *ctx, const char *text, size_t n)
{
	struct seen *s = ctx;

	if (n < 2 || text[0] != '{' || text[n - 1] != '}')
		abort();
	s->n++;
	s->bytes += n;
	for (size_t i = 0; i < n; i++)
		s->hash = s->hash * 31 + (uint8_t)text[i];
	return 0;
}

static int cut_by(const uint8_t *data, size_t size, bool list, size_t step, struct seen *s, struct cut *c)
{
	int err = 0;

	cut_begin(c, list);
	for (size_t at = 0; at < size && !err; at += step)
		err = cut_bytes(c, (const char *)data + at, size - at < step ? size - at : step, take_object, s);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen one = { 0 }, many = { 0 };
	struct cut c = { 0 };
	bool list;
	size_t step;
	int err, err2;

	if (size < 2)
		return 0;
	list = data[0] & 1;
	step = 1 + data[1] % 64;
	data += 2;
	size -= 2;
	err = cut_by(data, size, list, size ? size : 1, &one, &c);
	err2 = cut_by(data, size, list, step, &many, &c);
	if (err != err2 || one.n != many.n || one.bytes != many.bytes || one.hash != many.hash || one.bytes > size)
		abort();
	if (c.depth > sizeof(c.closes) || (err && err != -EPROTO))
		abort();
	cut_free(&c);
	return 0;
}
