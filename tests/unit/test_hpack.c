// SPDX-License-Identifier: GPL-2.0-or-later
/* HPACK: the examples of RFC 7541, what libnghttp2 makes, and what it refuses; joining late. */
#include <dlfcn.h>
#include <stdlib.h>

#include "decode/http/hpack.h"
#include "decode_help.h"

static struct streams *streams;
static struct stream_conn conn;
static struct hpack table;

struct heard {
	char text[65536];
	size_t n;
	unsigned int fields;
};
static struct heard heard;

static void hear(void *ctx, const struct hpack_field *f)
{
	struct heard *h = ctx;

	h->fields++;
	h->n += (size_t)snprintf(h->text + h->n, sizeof(h->text) - h->n, "%.*s: %.*s\n",
				 f->known_name ? (int)f->name.n : 1, f->known_name ? f->name.p : "?",
				 f->known_value ? (int)f->value.n : 1, f->known_value ? f->value.p : "?");
}

static bool read_block(const void *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	bool good;

	memcpy(copy, p, n);
	heard.n = heard.fields = 0;
	heard.text[0] = 0;
	good = hpack_read(&table, copy, (uint32_t)n, hear, &heard);
	free(copy);
	return good;
}

#define READ(literal) read_block("" literal, sizeof(literal) - 1)

static int fresh(void **state)
{
	assert_int_equal(stream_open(&streams, 1, NULL, NULL), 0);
	conn = (struct stream_conn){ .table = streams };
	hpack_init(&table, &conn, false);
	return 0;
}

static int late(void **state)
{
	fresh(state);
	table.behind = true;
	return 0;
}

static int done(void **state)
{
	hpack_free(&table);
	assert_int_equal(stream_memory(streams), 0);
	stream_close(streams);
	return 0;
}

/* RFC 7541, C.4 and C.6: requests and responses with Huffman's code, evictions in a table of 256 bytes */
static void the_examples_of_the_rfc_come_out(void **state)
{
	assert_true(READ("\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"));
	assert_string_equal(heard.text, ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n");
	assert_true(READ("\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf"));
	assert_string_equal(heard.text, ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
					"cache-control: no-cache\n");
	assert_true(READ("\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8"
			 "\xe8\xb4\xbf"));
	assert_string_equal(heard.text, ":method: GET\n:scheme: https\n:path: /index.html\n"
					":authority: www.example.com\ncustom-key: custom-value\n");
	assert_int_equal(table.size, 164);
}

static void the_oldest_go_when_there_is_no_room(void **state)
{
	assert_true(READ("\x3f\xe1\x01"));		/* 256 bytes */
	assert_true(READ("\x48\x82\x64\x02\x58\x85\xae\xc3\x77\x1a\x4b\x61\x96\xd0\x7a\xbe\x94\x10\x54\xd4\x44"
			 "\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff\x6e\x91\x9d\x29\xad\x17\x18"
			 "\x63\xc7\x8f\x0b\x97\xc8\xe9\xae\x82\xae\x43\xd3"));
	assert_int_equal(table.size, 222);
	assert_true(READ("\x48\x83\x64\x0e\xff\xc1\xc0\xbf"));
	assert_string_equal(heard.text, ":status: 307\ncache-control: private\n"
					"date: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com\n");
	assert_int_equal(table.count, 4);
}

static void a_field_of_nothing_is_a_field(void **state)
{
	assert_true(READ("\x40\0\0\xbe"));
	assert_string_equal(heard.text, ": \n: \n");
	assert_int_equal(table.size, 32);
}

static void what_breaks_the_rules_is_refused(void **state)
{
	assert_false(READ("\x80"));			/* index 0 */
	hpack_init(&table, &conn, false);
	assert_false(READ("\xbe"));			/* an entry that never was */
	hpack_init(&table, &conn, false);
	assert_false(READ("\x00\x01"));			/* cut */
	assert_false(READ("\x00\x82\x07\xff\x01" "b"));	/* more than seven bits of padding */
	assert_false(READ("\x00\x84\xff\xff\xff\xff\x01" "b"));	/* the end-of-string symbol */
	assert_false(READ("\xff\xff\xff\xff\xff\xff\xff\xff\x0f"));
}

static void who_comes_late_is_never_wrong(void **state)
{
	assert_true(READ("\xbe\xff\x20"));		/* entries from before */
	assert_string_equal(heard.text, "?: ?\n?: ?\n");
	assert_true(READ("\x40\x01" "a\x01" "b\xbe\xbf"));
	assert_string_equal(heard.text, "a: b\na: b\n?: ?\n");
	assert_true(READ("\x7f\x00\x01" "v"));		/* the name of an unknown entry, kept */
	assert_string_equal(heard.text, "?: v\n");
	assert_true(READ("\xbe\xbf\xc0"));
	assert_string_equal(heard.text, "?: v\na: b\n?: ?\n");
	hpack_lost(&table);
	assert_true(READ("\xbe\xbf"));
	assert_string_equal(heard.text, "?: ?\n?: ?\n");
}

/* The sender may keep more than a table holds at first, and never names what it has given up. */
static void who_comes_late_keeps_enough(void **state)
{
	static uint8_t block[6000];
	uint32_t n = 0;

	hpack_lost(&table);
	for (int i = 0; i < 200; i++) {		/* 200 fields of 34 bytes: more than 4096 */
		memcpy(block + n, "\x40\1" "a\1", 4);
		block[n + 4] = (uint8_t)i;
		n += 5;
	}
	assert_true(read_block(block, n));
	assert_int_equal(table.count, 200);
	assert_true(READ("\xff\x3e"));		/* index 189, of the 200 */
	assert_null(strchr(heard.text, '?'));
	assert_true(READ("\x20\x3f\xe1\x1f\x40\1" "b\1" "c\xbe"));	/* a table of nothing has nothing unknown in it */
	assert_false(READ("\xbf"));
}

/* ── against libnghttp2 ─────────────────────────────────────────────────── */

struct nv {
	uint8_t *name, *value;
	size_t n_name, n_value;
	uint8_t flags;
};

static struct {
	int (*open)(void **deflater, size_t max);
	void (*close)(void *deflater);
	ssize_t (*deflate)(void *deflater, uint8_t *buf, size_t n, const struct nv *nv, size_t count);
	int (*resize)(void *deflater, size_t max);
} ng;

static bool load_nghttp2(void)
{
	void *lib = dlopen("libnghttp2.so.14", RTLD_NOW);

	if (!lib)
		return false;
	*(void **)&ng.open = dlsym(lib, "nghttp2_hd_deflate_new");
	*(void **)&ng.close = dlsym(lib, "nghttp2_hd_deflate_del");
	*(void **)&ng.deflate = dlsym(lib, "nghttp2_hd_deflate_hd");
	*(void **)&ng.resize = dlsym(lib, "nghttp2_hd_deflate_change_table_size");
	return ng.open && ng.close && ng.deflate && ng.resize;
}

static uint32_t rnd(uint32_t n)
{
	static uint32_t seed = 99;

	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* Names and values from a small stock, so that entries are used again; some of any bytes. */
static size_t make_headers(struct nv *nv, char stock[][64], size_t max)
{
	size_t n = 1 + rnd((uint32_t)max);

	for (size_t i = 0; i < n; i++) {
		char *name = stock[2 * i], *value = stock[2 * i + 1];
		int len = snprintf(name, 64, rnd(3) ? "name-%u" : "content-type%.0u", rnd(12));

		nv[i] = (struct nv){ (uint8_t *)name, (uint8_t *)value, (size_t)len, 0, (uint8_t)(rnd(9) ? 0 : 1) };
		nv[i].n_value = rnd(60);
		for (size_t k = 0; k < nv[i].n_value; k++)
			value[k] = (char)(rnd(4) ? 'a' + (int)rnd(4) : (int)(1 + rnd(255)));
		if (rnd(2))
			nv[i].n_value = (size_t)snprintf(value, 64, "value-%u", rnd(6));
	}
	return n;
}

static void what_another_wrote_is_read(void **state)
{
	static uint8_t block[65536];
	static char stock[64][64], want[65536];
	struct nv nv[32];
	void *deflater;

	if (!load_nghttp2())
		skip();
	assert_int_equal(ng.open(&deflater, 65536), 0);
	for (int round = 0; round < 20000; round++) {
		size_t n = make_headers(nv, stock, 20), at = 0;
		ssize_t len;

		if (!rnd(50))
			assert_int_equal(ng.resize(deflater, rnd(3) ? rnd(8192) : 0), 0);
		len = ng.deflate(deflater, block, sizeof(block), nv, n);
		assert_true(len >= 0);
		for (size_t i = 0; i < n; i++)
			at += (size_t)snprintf(want + at, sizeof(want) - at, "%.*s: %.*s\n", (int)nv[i].n_name,
					       (char *)nv[i].name, (int)nv[i].n_value, (char *)nv[i].value);
		assert_true(read_block(block, (size_t)len));
		assert_string_equal(heard.text, want);
	}
	ng.close(deflater);
}

/* From any block on: each field is right or unknown, and in the end all are right. */
static void joining_in_the_middle_comes_right(void **state)
{
	static uint8_t block[65536];
	static char stock[64][64], name[80], value[80];
	struct nv nv[32];
	void *deflater;

	if (!load_nghttp2())
		skip();
	for (int join = 0; join < 300; join++) {
		unsigned int unknown = 0;

		assert_int_equal(ng.open(&deflater, 4096), 0);
		hpack_free(&table);
		hpack_init(&table, &conn, true);
		for (int round = 0; round < 60; round++) {
			size_t n = make_headers(nv, stock, 8);
			ssize_t len = ng.deflate(deflater, block, sizeof(block), nv, n);
			char *line = heard.text;

			if (round < join % 30)
				continue;
			assert_true(read_block(block, (size_t)len));
			assert_int_equal(heard.fields, n);
			for (size_t i = 0; i < n; i++) {
				snprintf(name, sizeof(name), "%.*s: ", (int)nv[i].n_name, (char *)nv[i].name);
				snprintf(value, sizeof(value), "%.*s\n", (int)nv[i].n_value, (char *)nv[i].value);
				if (!strncmp(line, "?: ?\n", 5)) {
					unknown++;
					line += 5;
					continue;
				}
				if (!strncmp(line, "?: ", 3)) {
					unknown++;
					line += 3;
				} else {
					assert_memory_equal(line, name, strlen(name));
					line += strlen(name);
				}
				assert_memory_equal(line, value, strlen(value));
				line += strlen(value);
			}
		}
		if (!(join % 30))
			assert_int_equal(unknown, 0);
		ng.close(deflater);
	}
}

int main(void)
{
#define T(f, s) cmocka_unit_test_setup_teardown(f, s, done)
	const struct CMUnitTest tests[] = {
		T(the_examples_of_the_rfc_come_out, fresh),
		T(the_oldest_go_when_there_is_no_room, fresh),
		T(a_field_of_nothing_is_a_field, fresh),
		T(what_breaks_the_rules_is_refused, fresh),
		T(who_comes_late_is_never_wrong, late),
		T(who_comes_late_keeps_enough, fresh),
		T(what_another_wrote_is_read, fresh),
		T(joining_in_the_middle_comes_right, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
