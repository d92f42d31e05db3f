// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode_help.h"

#define ETHERNET "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x08\6"
#define BODY "\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2"

static const char *text_of(const char *p, uint32_t n, uint32_t cap)
{
	static struct lines l;
	struct decode *d = decoder(DECODE_MESSAGES);
	struct bytes o = { .n = 0 };

	l.n = 0;
	put(&o, p, n);
	feed(d, &l, &o, cap, SECOND, 1);
	decode_close(d);
	return l.n ? l.text[0] : NULL;
}

#define TEXT(literal) text_of(literal, sizeof(literal) - 1, sizeof(literal) - 1)

static void ethernet_and_ipv4_are_told(void **state)
{
	assert_string_equal(
		TEXT(ETHERNET "\0\1\x08\0\6\4\0\1" BODY),
		"arp frame=1 op=1 sip=10.0.0.1 smac=020000000001 tip=10.0.0.2 tmac=000000000000");
}

static void addresses_are_as_long_as_the_header_says(void **state)
{
	assert_string_equal(TEXT(ETHERNET "\0\7\x08\0\1\4\0\2"
					  "\5\x0a\0\0\1\6\x0a\0\0\2"),
			    "arp frame=1 op=2 sip=10.0.0.1 tip=10.0.0.2");
	assert_string_equal(TEXT(ETHERNET "\0\1\x86\xdd\6\2\0\1"
					  "\1\1\1\1\1\1\0\0\2\2\2\2\2\2\0\0"),
			    "arp frame=1 op=1 smac=010101010101 tmac=020202020202");
	assert_string_equal(TEXT(ETHERNET "\0\1\x08\0\xff\xff\0\1" BODY),
			    "arp frame=1 op=1 malformed=too-short");
}

static void of_a_cut_message_only_the_opcode_is_told(void **state)
{
	static const char whole[] = ETHERNET "\0\1\x08\0\6\4\0\1" BODY;

	for (uint32_t cap = 0; cap < sizeof(whole) - 1; cap++) {
		const char *text = text_of(whole, sizeof(whole) - 1, cap);

		if (cap < 22)
			assert_null(text);
		else
			assert_int_equal(!!strstr(text, "sip="), cap >= 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet_and_ipv4_are_told),
		cmocka_unit_test(addresses_are_as_long_as_the_header_says),
		cmocka_unit_test(of_a_cut_message_only_the_opcode_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
