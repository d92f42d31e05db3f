/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_SINK_TEXT_H
#define TESTS_UNIT_SINK_TEXT_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/escape.h"
#include "util/utf8.h"

#include "decode/dns/fields.h"
#include "sink/out.h"
#include "sink/sink.h"

/* The number of a field of dns, by its id. */
#define DNS(id) field_number(&dns_dataset, FIELD_DNS_##id)

#define STR(s) ((struct str){ (s), sizeof(s) - 1 })

/* Everything a sink wrote for some records, as a string that the caller frees. */
static inline char *sink_text_of(const struct sink_ops *ops, const struct sink_options *opt,
			  const struct record *const *r, size_t n, size_t *len)
{
	int fd = memfd_create("sink", MFD_CLOEXEC), keep = dup(fd);
	struct out *out = NULL;
	struct sink *s = NULL;
	struct stat st;
	char *text;

	assert_int_equal(out_open(&out, fd, "memory"), 0);
	assert_int_equal(sink_open(&s, ops, out, opt), 0);
	while (n--)
		assert_int_equal(sink_record(s, *r++), 0);
	assert_int_equal(sink_close(s), 0);
	assert_int_equal(out->lost, 0);
	assert_int_equal(out_close(out), 0);
	assert_int_equal(fstat(keep, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(pread(keep, text, (size_t)st.st_size, 0), st.st_size);
	close(keep);
	*len = (size_t)st.st_size;
	return text;
}

static inline char *one_text(const struct sink_ops *ops, const struct sink_options *opt,
		      const struct record *r)
{
	size_t len;

	return sink_text_of(ops, opt, &r, 1, &len);
}

/* The usual dns answer of these tests. */
static inline void make_dns(struct record *r)
{
	memset(r, 0, sizeof(*r));
	record_start(r, &dns_dataset);
	r->time_ns = 1402706119542940001;
	r->action = "response";
	r->src = (struct addr){ 4, { 192, 0, 2, 53 } };
	r->dst = (struct addr){ 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	r->sport = 53;
	r->dport = 40000;
	dns_of(r)->id = 7;
	dns_of(r)->question_name = STR("example.com");
	dns_of(r)->question_type = STR("A");
	record_mark(r, FIELD_TIME);
	record_mark(r, FIELD_ACTION);
	record_mark(r, FIELD_SRC_IP);
	record_mark(r, FIELD_SRC_PORT);
	record_mark(r, FIELD_DST_IP);
	record_mark(r, FIELD_DST_PORT);
	record_mark(r, FIELD_DNS_ID);
	record_mark(r, FIELD_DNS_QUESTION_NAME);
	record_mark(r, FIELD_DNS_QUESTION_TYPE);
}

static inline void make_lost(struct record *r)
{
	memset(r, 0, sizeof(*r));
	record_start(r, &lost_dataset);
	r->time_ns = r->end_ns = 1402706120000000000;
	r->start_ns = 1402706119000000000;
	r->action = "lost";
	lost_of(r)->stage = "ring";
	lost_of(r)->reason = "ring_full";
	lost_of(r)->count = 812;
	record_mark(r, FIELD_TIME);
	record_mark(r, FIELD_ACTION);
	record_mark(r, FIELD_START);
	record_mark(r, FIELD_END);
	record_mark(r, FIELD_LOST_STAGE);
	record_mark(r, FIELD_LOST_REASON);
	record_mark(r, FIELD_LOST_COUNT);
}

/*
 * Bytes that strings may hold: C0, DEL, C1 raw and as UTF-8, OSC 52, bidi, wide,
 * zero-width, a cut sequence, a surrogate, quotes.
 */
static const struct str hostile_texts[] = {
	{ "", 0 },
	{ "\0\1\2\x1f\x7f", 5 },
	{ "\x1b]52;c;ZXZpbA==\x07", 15 },
	{ "\x9b" "31m\x80\x9f", 6 },
	{ "\xc2\x9b" "31m\xc2\x80\xc2\x9f", 9 },
	{ "\xe2\x80\xae" "gnp.exe\xe2\x80\xac", 13 },
	{ "line\r\nline\ttab", 14 },
	{ "\xe4\xb8\xad\xe6\x96\x87", 6 },
	{ "a\xe2\x80\x8b" "b\xcc\x81\xef\xbb\xbf", 9 },
	{ "\xe2\x80\xa8\xe2\x80\xa9", 6 },
	{ "caf\xe9 na\xefve", 10 },
	{ "cut\xe4\xb8", 5 },
	{ "\xed\xa0\x80", 3 },
	{ "\xf3\xa0\x81\x81", 4 },
	{ "\xf0\x9f\x98\x80", 4 },
	{ "\"\\\"\\\\\"", 6 },
	{ "=cmd|'/c calc'!A1,\"x\"", 21 },
	{ "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7", 9 },
	{ "</script>&\x01 long enough for words \x02", 36 },
};

enum { HOSTILE_TEXTS = sizeof(hostile_texts) / sizeof(hostile_texts[0]) };

/* Not one byte that a terminal acts on but newlines, and valid UTF-8. */
static inline void assert_harmless(const char *p, size_t n)
{
	uint32_t c = 0;
	size_t i, len;

	for (i = 0; i < n; i += len) {
		len = utf8_decode((const uint8_t *)p + i, n - i, &c);
		assert_true(len > 0);
		assert_true(c == '\n' || !escape_harmful(c));
	}
}

/* A record of n bytes: a letter, repeated, and a newline. */
static inline int put(struct out *o, char letter, size_t n)
{
	int rc = out_begin(o, 1);

	if (rc)
		return rc;
	while (--n)
		buf_chr(&o->buf, letter);
	buf_chr(&o->buf, '\n');
	return out_commit(o);
}

#endif
