// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "decode_help.h"

enum { ICMP = 1, ICMPV6 = 58 };

/* ICMP over IPv4; either number, for the decoder goes by it. */
static void give(struct decode *d, struct lines *l, uint8_t proto, bool back, const char *p, uint32_t n,
		 uint32_t cap, uint64_t time_ns)
{
	struct bytes *o = calloc(1, sizeof(*o));

	put_ipv4(o, back ? 2 : 1, back ? 1 : 2, proto, n);
	put(o, p, n);
	feed(d, l, o, o->n - n + cap, time_ns, 1);
	free(o);
}

static const char *text_of(uint8_t proto, const char *p, uint32_t n)
{
	static struct lines l;
	struct decode *d = decoder(DECODE_MESSAGES);

	l.n = 0;
	give(d, &l, proto, false, p, n, n, SECOND);
	decode_close(d);
	assert_int_equal(l.n, 1);
	return l.text[0];
}

#define TEXT(proto, literal) text_of(proto, literal, sizeof(literal) - 1)

#define IPV4(proto, flags) "\x45\0\0\x40\0\1" flags "\x40" proto "\0\0\xc0\0\2\1\xc6\x33\x64\1"
#define IPV6(next)                                                                                      \
	"\x60\0\0\0\0\x40" next "\x40"                                                                  \
	"\x0a\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1"                                                            \
	"\x0a\0\0\2\0\0\0\0\0\0\0\0\0\0\0\2"
#define PORTS "\x13\x88\0\x35\0\x2c\0\0"

static void errors_name_the_flow_that_caused_them(void **state)
{
	assert_string_equal(
		TEXT(ICMP, "\3\3\0\0\0\0\0\0" IPV4("\x11", "\0\0") PORTS),
		"icmp frame=1 type=3 code=3 otransport=udp osrc=192.0.2.1 osport=5000 odst=198.51.100.1"
		" odport=53");
	assert_string_equal(
		TEXT(ICMP, "\3\4\0\0\0\0\5\x78" IPV4("\6", "\x40\0") PORTS),
		"icmp frame=1 type=3 code=4 mtu=1400 otransport=tcp osrc=192.0.2.1 osport=5000"
		" odst=198.51.100.1 odport=53");
	assert_string_equal(
		TEXT(ICMP, "\5\1\0\0\x0a\0\0\xfe" IPV4("\1", "\0\0") "\x08\0\0\0\0\1\0\1"),
		"icmp frame=1 type=5 code=1 gw=10.0.0.254 otransport=icmp osrc=192.0.2.1 odst=198.51.100.1");
}

static void only_a_first_fragment_has_ports(void **state)
{
	assert_non_null(strstr(TEXT(ICMP, "\x0b\1\0\0\0\0\0\0" IPV4("\x11", "\x20\0") PORTS), "osport=5000"));
	assert_null(strstr(TEXT(ICMP, "\x0b\1\0\0\0\0\0\0" IPV4("\x11", "\x20\1") PORTS), "osport"));
	assert_non_null(strstr(TEXT(ICMPV6, "\1\4\0\0\0\0\0\0" IPV6("\x2c") "\x11\0\0\1\0\0\0\1" PORTS),
			       "osport=5000"));
	assert_null(strstr(TEXT(ICMPV6, "\1\4\0\0\0\0\0\0" IPV6("\x2c") "\x11\0\0\x08\0\0\0\1" PORTS),
			   "osport"));
}

static void quoted_extension_headers_are_passed_over(void **state)
{
	assert_string_equal(
		TEXT(ICMPV6, "\2\0\0\0\0\0\5\0" IPV6("\0") "\x3c\0\1\4\0\0\0\0"
							   "\x11\1\1\x0c\0\0\0\0\0\0\0\0\0\0\0\0" PORTS),
		"icmp frame=1 type=2 code=0 mtu=1280 otransport=udp osrc=10.0.0.1 osport=5000 odst=10.0.0.2"
		" odport=53");
}

static void neighbour_discovery_has_target_and_link_address(void **state)
{
#define TARGET "\x0a\1\2\3\0\0\0\0\0\0\0\0\0\0\0\1"
	assert_string_equal(TEXT(ICMPV6, "\x87\0\0\0\0\0\0\0" TARGET "\x0e\1\1\2\3\4\5\6"
					 "\1\1\2\2\2\2\2\2"
					 "\1\1\3\3\3\3\3\3"),
			    "icmp frame=1 type=135 code=0 target=10.1.2.3 lladdr=020202020202");
	assert_string_equal(TEXT(ICMPV6, "\x88\0\0\0\0\0\0\0" TARGET "\2\0\2\2\2\2\2\2"),
			    "icmp frame=1 type=136 code=0 target=10.1.2.3");
	assert_string_equal(TEXT(ICMPV6, "\x86\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\1\1\2\2\2\2\2\2"),
			    "icmp frame=1 type=134 code=0 lladdr=020202020202");
	assert_string_equal(
		TEXT(ICMPV6, "\x89\0\0\0\0\0\0\0" TARGET TARGET "\2\1\2\2\2\2\2\2"
			     "\4\7\0\0\0\0\0\0" IPV6("\x11") PORTS),
		"icmp frame=1 type=137 code=0 target=10.1.2.3 lladdr=020202020202 otransport=udp"
		" osrc=10.0.0.1 osport=5000 odst=10.0.0.2 odport=53");
}

static void a_reply_knows_how_long_it_took(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	give(d, &l, ICMP, false, "\x08\0\0\0\1\2\0\7", 8, 8, SECOND);
	give(d, &l, ICMP, true, "\0\0\0\0\1\2\0\x08", 8, 8, SECOND + 10);
	give(d, &l, ICMP, true, "\0\0\0\0\1\2\0\7", 8, 8, SECOND + 30);
	give(d, &l, ICMP, true, "\0\0\0\0\1\2\0\7", 8, 8, SECOND + 40);
	assert_string_equal(l.text[0], "icmp frame=1 type=8 code=0 icmpid=258 seq=7");
	assert_string_equal(l.text[1], "icmp frame=1 type=0 code=0 icmpid=258 seq=8");
	assert_string_equal(l.text[2], "icmp duration=30 frame=1 type=0 code=0 icmpid=258 seq=7");
	assert_string_equal(l.text[3], "icmp frame=1 type=0 code=0 icmpid=258 seq=7");
	decode_close(d);
}

static void of_a_cut_message_what_is_there_is_told(void **state)
{
	static const char whole[] = "\x89\0\0\0\0\0\0\0" TARGET TARGET "\2\1\2\2\2\2\2\2"
				    "\4\7\0\0\0\0\0\0" IPV6("\x11") PORTS;
	uint32_t n = sizeof(whole) - 1;

	for (uint32_t cap = 0; cap < n; cap++)
		for (int proto = 0; proto < 2; proto++) {
			struct decode *d = decoder(DECODE_MESSAGES);
			struct lines l = { .n = 0 };

			give(d, &l, proto ? ICMPV6 : ICMP, false, whole, n, cap, SECOND);
			assert_int_equal(l.n, cap > 0);
			if (cap == 1)
				assert_string_equal(l.text[0], "icmp frame=1 type=137");
			decode_close(d);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_name_the_flow_that_caused_them),
		cmocka_unit_test(only_a_first_fragment_has_ports),
		cmocka_unit_test(quoted_extension_headers_are_passed_over),
		cmocka_unit_test(neighbour_discovery_has_target_and_link_address),
		cmocka_unit_test(a_reply_knows_how_long_it_took),
		cmocka_unit_test(of_a_cut_message_what_is_there_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
