// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink_text.h"
#include "util/width.h"

static void expect(const char *in, size_t n, enum escape_mode mode, const char *want)
{
	char out[256];

	assert_int_equal(escape_text(out, sizeof(out), in, n, mode), strlen(want));
	assert_string_equal(out, want);
}

#define EXPECT(in, want) expect(in, sizeof(in) - 1, ESCAPE_FIELD, want)

static void printing_text_is_kept(void **state)
{
	EXPECT("", "");
	EXPECT("a b ~", "a b ~");
	EXPECT("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
}

static void controls_are_escaped(void **state)
{
	EXPECT("\0\a\x1b\x1f\x7f", "\\x00\\x07\\x1b\\x1f\\x7f");
	EXPECT("\n\r\t", "\\x0a\\x0d\\x09");
	EXPECT("\x1b]52;c;eA==\x07", "\\x1b]52;c;eA==\\x07");
	EXPECT("\x1b]8;;http://x\x1b\\y", "\\x1b]8;;http://x\\x1b\\\\y");
}

static void c1_is_escaped_raw_and_as_utf8(void **state)
{
	EXPECT("\x80\x9b\x9f\xa0", "\\x80\\x9b\\x9f\\xa0");
	EXPECT("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\u{0080}\\u{009b}\\u{009f}\xc2\xa0");
}

static void what_hides_or_reorders_is_escaped(void **state)
{
	EXPECT("\xe2\x80\xae\xe2\x81\xa6\xd8\x9c", "\\u{202e}\\u{2066}\\u{061c}");
	EXPECT("\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf\xc2\xad", "\\u{200b}\\u{200d}\\u{feff}\\u{00ad}");
	EXPECT("\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}");
	EXPECT("\xf3\xa0\x81\x81", "\\u{0e0041}");
}

static void what_is_not_utf8_is_escaped_by_byte(void **state)
{
	EXPECT("\xc0\xaf\xed\xa0\x80\xf5\xff", "\\xc0\\xaf\\xed\\xa0\\x80\\xf5\\xff");
	EXPECT("\xe4\xb8", "\\xe4\\xb8");
}

static void a_backslash_cannot_fake_an_escape(void **state)
{
	EXPECT("\\x1b", "\\\\x1b");
	expect("a\\b\nc\td", 7, ESCAPE_LINES, "a\\b\nc\td");
	expect("a\x1b\r", 3, ESCAPE_LINES, "a\\x1b\\x0d");
}

static void output_is_bounded_and_cut_at_a_character(void **state)
{
	char in[64], out[64 * ESCAPE_MAX + 1];
	unsigned int c, size;
	size_t n;

	for (c = 0; c < 256; c++) {
		memset(in, (int)c, sizeof(in));
		n = escape_text(out, sizeof(out), in, sizeof(in), ESCAPE_FIELD);
		assert_true(n <= ESCAPE_MAX * sizeof(in));
		assert_harmless(out, n);
		for (size = 1; size < 20; size++) {
			n = escape_text(out, size, in, sizeof(in), ESCAPE_FIELD);
			assert_true(n < size);
			assert_int_equal(out[n], '\0');
			assert_harmless(out, n);
		}
	}
	assert_int_equal(escape_text(out, 0, "x", 1, ESCAPE_FIELD), 0);
	assert_int_equal(escape_text(out, 3, "\xe4\xb8\xad", 3, ESCAPE_FIELD), 0);
}

static void hostile_texts_come_out_harmless(void **state)
{
	char out[512];
	size_t i, n;

	for (i = 0; i < HOSTILE_TEXTS; i++) {
		n = escape_text(out, sizeof(out), hostile_texts[i].p, hostile_texts[i].n, ESCAPE_FIELD);
		assert_harmless(out, n);
		assert_null(memchr(out, '\n', n));
	}
}

static void cells_are_counted(void **state)
{
	unsigned int used;

	assert_int_equal(width_text("", 0), 0);
	assert_int_equal(width_text("abc", 3), 3);
	assert_int_equal(width_text("\xc3\xa9", 2), 1);
	assert_int_equal(width_text("e\xcc\x81", 3), 1);
	assert_int_equal(width_text("\xe4\xb8\xad\xe6\x96\x87", 6), 4);
	assert_int_equal(width_text("\xf0\x9f\x98\x80", 4), 2);
	assert_int_equal(width_text("\xef\xbc\xa1", 3), 2);	/* full-width A */
	assert_int_equal(width_text("\xef\xbd\xb1", 3), 1);	/* half-width katakana */
	assert_int_equal(width_text("\xed\x95\x9c\xea\xb8\x80", 6), 4);
	assert_int_equal(width_text("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 9), 2); /* the same, in jamo */
	assert_int_equal(width_text("\xff\xfe", 2), 2);
	assert_int_equal(width_char(0x20000), 2);
	assert_int_equal(width_char(0x10ffff), 1);
	/* Half of a wide character does not fit; marks go with their letter. */
	assert_int_equal(width_fit("\xe4\xb8\xad\xe6\x96\x87", 6, 3, &used), 3);
	assert_int_equal(used, 2);
	assert_int_equal(width_fit("e\xcc\x81x", 4, 1, &used), 3);
	assert_int_equal(width_fit("abc", 3, 0, &used), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printing_text_is_kept),
		cmocka_unit_test(controls_are_escaped),
		cmocka_unit_test(c1_is_escaped_raw_and_as_utf8),
		cmocka_unit_test(what_hides_or_reorders_is_escaped),
		cmocka_unit_test(what_is_not_utf8_is_escaped_by_byte),
		cmocka_unit_test(a_backslash_cannot_fake_an_escape),
		cmocka_unit_test(output_is_bounded_and_cut_at_a_character),
		cmocka_unit_test(hostile_texts_come_out_harmless),
		cmocka_unit_test(cells_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
