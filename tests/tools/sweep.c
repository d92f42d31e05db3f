// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sweep FILE...: decode every packet of each capture cut at every length, from
 * nothing to whole, and print every record as JSON, a line and a CSV row into
 * nowhere.  Built with sanitizers, what must hold is that it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode/decode.h"
#include "text/line.h"
#include "sink/out.h"
#include "sink/sink.h"
#include "source/source.h"

enum { SINKS = 3 };

struct sweep {
	struct decode *decode;
	struct sink *sinks[SINKS];
	uint64_t frames, cuts;
};

static int take(void *ctx, const struct record *r)
{
	struct sweep *s = ctx;

	for (int i = 0; i < SINKS; i++)
		if (sink_record(s->sinks[i], r))
			abort();
	return 0;
}

/* Each cut in an allocation of its own length, so that a sanitizer sees one octet too many. */
static int cut(void *ctx, const struct frame *whole)
{
	struct sweep *s = ctx;
	struct frame f = *whole;

	s->frames++;
	for (uint32_t n = 0; n <= whole->cap_len; n += n < 4096 ? 1 : 1009) {
		uint8_t *copy = malloc(n ? n : 1);

		if (!copy)
			abort();
		memcpy(copy, whole->data, n);
		f.data = copy;
		f.cap_len = n;
		if (decode_frame(s->decode, &f, take, s))
			abort();
		s->cuts++;
		free(copy);
	}
	return 0;
}

static int sweep_file(struct sweep *s, const char *path)
{
	struct source *source = NULL;
	int n = capfile_open(&source, path);

	if (n)
		return n;
	do
		n = source->ops->read(source, 64, cut, s);
	while (n >= 0);
	source->ops->close(source);
	return 0;	/* damaged files are part of it */
}

int main(int argc, char **argv)
{
	static const struct sink_ops *const ops[SINKS] = { &sink_json, &sink_table, &sink_csv };
	struct decode_options d = { .mode = DECODE_PACKETS };
	struct line_options lo = { .verbose = 2, .link = true };
	struct sink_options so = { .line = line_print, .header = true, .hex = true, .ascii_hex = true };
	struct line_state *lines = NULL;
	struct out *outs[SINKS];
	struct sweep s = { 0 };

	if (decode_open(&s.decode, &d) || line_open(&lines, &lo))
		return 1;
	so.line_state = lines;
	for (int i = 0; i < SINKS; i++)
		if (out_open(&outs[i], open("/dev/null", O_WRONLY), "null") ||
		    sink_open(&s.sinks[i], ops[i], outs[i], &so))
			return 1;
	for (int i = 1; i < argc; i++)
		if (sweep_file(&s, argv[i]))
			return 1;
	decode_finish(s.decode, take, &s);
	for (int i = 0; i < SINKS; i++) {
		sink_close(s.sinks[i]);
		out_close(outs[i]);
	}
	decode_close(s.decode);
	line_close(lines);
	printf("%llu packets, %llu cuts\n", (unsigned long long)s.frames, (unsigned long long)s.cuts);
	return 0;
}
