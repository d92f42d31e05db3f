// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sweep FILE...: decode every packet of each capture cut at every length, from
 * nothing to whole, and print every record as JSON, a line and a CSV row into
 * nowhere.  Built with sanitizers, what must hold is that it ends; and that a line is the
 * same whatever stands in the members of fields that are not marked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode/decode.h"
#include "sink/out.h"
#include "sink/sink.h"
#include "source/source.h"
#include "text/line.h"

enum { SINKS = 3 };

struct sweep {
	struct decode *decode;
	struct sink *sinks[SINKS];
	struct line_state *plain, *spoilt;
	struct buf text[2];
	uint64_t frames, cuts;
};

static size_t size_of(enum field_type type)
{
	switch (type) {
	case FT_BOOL:
	case FT_U8: return 1;
	case FT_U16: return 2;
	case FT_U32:
	case FT_I32: return 4;
	case FT_ADDR: return sizeof(struct addr);
	case FT_MAC: return 6;
	case FT_U64:
	case FT_DURATION:
	case FT_I64:
	case FT_F64:
	case FT_TIME:
	case FT_WORD: return 8;
	default: return sizeof(struct list);
	}
}

/* A copy in which nothing but what is marked can be read. */
static void spoil(struct record *to, const struct record *r)
{
	unsigned int n;
	const uint16_t *order = dataset_order(r->set, &n);

	*to = *r;
	for (unsigned int i = 0; i < n; i++) {
		const struct field *f = dataset_field(r->set, order[i]);

		if (!record_has(r, order[i]))
			memset((char *)to + f->off, 0xa5, size_of(f->type));
	}
	/* Members that several fields share. */
	for (unsigned int i = 0; i < n; i++) {
		const struct field *f = dataset_field(r->set, order[i]);

		if (record_has(r, order[i]))
			memcpy((char *)to + f->off, (const char *)r + f->off, size_of(f->type));
	}
}

static void same_line(struct sweep *s, const struct record *r)
{
	struct record copy, packet, head;

	spoil(&copy, r);
	if (r->packet) {
		spoil(&packet, r->packet);
		copy.packet = &packet;
	}
	if (r->head) {
		spoil(&head, r->head);
		copy.head = &head;
	}
	s->text[0].n = s->text[1].n = 0;
	line_print(s->plain, r, &s->text[0]);
	line_print(s->spoilt, &copy, &s->text[1]);
	if (s->text[0].n == s->text[1].n && !memcmp(s->text[0].p, s->text[1].p, s->text[0].n))
		return;
	fprintf(stderr, "%.*s\n%.*s\n", (int)s->text[0].n, s->text[0].p, (int)s->text[1].n, s->text[1].p);
	abort();
}

static int take(void *ctx, const struct record *r)
{
	struct sweep *s = ctx;

	same_line(s, r);
	for (int i = 0; i < SINKS; i++)
		if (sink_record(s->sinks[i], r))
			abort();
	return 0;
}

/* Each cut in an allocation of its own length, so that a sanitizer sees one byte too many. */
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
	struct decode_options d = { .mode = DECODE_PACKETS, .lines = true };
	struct line_options lo = { .verbose = 2, .link = true };
	struct sink_options so = { .line = line_print, .header = true, .hex = true, .ascii_hex = true };
	struct line_state *lines = NULL;
	struct out *outs[SINKS];
	struct sweep s = { 0 };

	if (decode_open(&s.decode, &d) || line_open(&lines, &lo) || line_open(&s.plain, &lo) ||
	    line_open(&s.spoilt, &lo))
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
	line_close(s.plain);
	line_close(s.spoilt);
	buf_free(&s.text[0]);
	buf_free(&s.text[1]);
	printf("%llu packets, %llu cuts\n", (unsigned long long)s.frames, (unsigned long long)s.cuts);
	return 0;
}
