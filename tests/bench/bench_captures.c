// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_captures FILE...: nanoseconds of CPU a byte, from captured bytes to messages,
 * the least of several rounds; a line a file: ns a byte, ns a frame, bytes, frames, messages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decode/decode.h"
#include "source/capfile.h"
#include "util/err.h"

enum { ROUNDS = 20, FRAMES_MAX = 1 << 20 };

struct capture {
	struct frame *frames;
	uint32_t n, room;
	uint64_t bytes, messages;
};

static int keep(void *ctx, const struct frame *f)
{
	struct capture *c = ctx;
	uint8_t *copy = malloc(f->cap_len + 1);

	if (c->n == c->room) {
		c->room = c->room ? c->room * 2 : 1024;
		c->frames = realloc(c->frames, c->room * sizeof(*c->frames));
	}
	if (!copy || !c->frames || c->n == FRAMES_MAX)
		exit(1);
	memcpy(copy, f->data, f->cap_len);
	c->frames[c->n] = *f;
	c->frames[c->n].data = copy;
	c->frames[c->n++].iface = NULL;
	c->bytes += f->cap_len;
	return 0;
}

static int count(void *ctx, const struct record *r)
{
	(void)r;
	++*(uint64_t *)ctx;
	return 0;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double decode_all(struct capture *c)
{
	struct decode_options opt = { .mode = DECODE_MESSAGES, .seed = 1 };
	struct decode *d;
	double start;

	if (decode_open(&d, &opt))
		exit(1);
	c->messages = 0;
	start = now_ns();
	for (uint32_t i = 0; i < c->n; i++)
		decode_frame(d, &c->frames[i], count, &c->messages);
	decode_finish(d, count, &c->messages);
	start = now_ns() - start;
	decode_close(d);
	return start;
}

static void measure(const char *path)
{
	struct capture c = { 0 };
	struct source *s;
	double best = 0;

	if (capfile_open(&s, path))
		return;
	while (s->ops->read(s, 4096, keep, &c) > 0)
		;
	s->ops->close(s);
	for (int i = 0; i < ROUNDS && c.bytes; i++) {
		double ns = decode_all(&c);

		best = !i || ns < best ? ns : best;
	}
	if (c.bytes)
		printf("%.3f %.1f %llu %u %llu %s\n", best / (double)c.bytes, best / c.n,
		       (unsigned long long)c.bytes, c.n, (unsigned long long)c.messages, path);
	for (uint32_t i = 0; i < c.n; i++)
		free((void *)c.frames[i].data);
	free(c.frames);
}

int main(int argc, char **argv)
{
	err_quiet(1);
	for (int i = 1; i < argc; i++)
		measure(argv[i]);
	return 0;
}
