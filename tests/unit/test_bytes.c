// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink_text.h"
#include "util/bytes.h"

/* The top bit of each byte is set, for what would carry a sign; p[1] lies at an odd address. */
static const uint8_t p[] __attribute__((aligned(8))) = { 0, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8 };

static void the_first_byte_is_the_highest_of_big_endian(void **state)
{
	assert_int_equal(be16(p + 1), 0x8192);
	assert_int_equal(be24(p + 1), 0x8192a3);
	assert_true(be32(p + 1) == 0x8192a3b4);
	assert_true(be64(p + 1) == 0x8192a3b4c5d6e7f8);
}

static void the_first_byte_is_the_lowest_of_little_endian(void **state)
{
	assert_int_equal(le16(p + 1), 0x9281);
	assert_true(le32(p + 1) == 0xb4a39281);
	assert_true(le64(p + 1) == 0xf8e7d6c5b4a39281);
}

static void a_file_says_its_order(void **state)
{
	assert_true(u16_of(p + 1, true) == be16(p + 1) && u16_of(p + 1, false) == le16(p + 1));
	assert_true(u32_of(p + 1, true) == be32(p + 1) && u32_of(p + 1, false) == le32(p + 1));
	assert_true(u64_of(p + 1, true) == be64(p + 1) && u64_of(p + 1, false) == le64(p + 1));
}

static void what_is_put_is_read_again_and_nothing_beside_it(void **state)
{
	uint8_t o[8] = { 0 };

	put_be16(o + 1, 0x8192);
	put_be32(o + 3, 0xa3b4c5d6);
	assert_memory_equal(o, p, 7);
	assert_int_equal(o[7], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_byte_is_the_highest_of_big_endian),
		cmocka_unit_test(the_first_byte_is_the_lowest_of_little_endian),
		cmocka_unit_test(a_file_says_its_order),
		cmocka_unit_test(what_is_put_is_read_again_and_nothing_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
