// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/addr.h"

static void says(const char *in, const char *want)
{
	struct addr a = { 0 };
	char out[ADDR_TEXT_MAX + 1];
	int v6 = strchr(in, ':') != NULL;

	a.family = v6 ? 6 : 4;
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, in, a.b), 1);
	out[addr_text(out, &a)] = '\0';
	assert_string_equal(out, want);
}

static void ipv4_is_dotted_decimal(void **state)
{
	says("0.0.0.0", "0.0.0.0");
	says("10.200.0.9", "10.200.0.9");
	says("255.255.255.255", "255.255.255.255");
	says("101.110.99.100", "101.110.99.100");
}

static void ipv6_follows_rfc_5952(void **state)
{
	says("::", "::");
	says("::1", "::1");
	says("1::", "1::");
	says("2001:DB8::1", "2001:db8::1");
	says("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
	says("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	says("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	says("fe80::1:0:0", "fe80::1:0:0");
	says("::ffff:192.0.2.1", "::ffff:192.0.2.1");
	says("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	says("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::");
	says("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8");
}

static void an_absent_address_prints_nothing(void **state)
{
	struct buf b = { 0 };
	struct addr a = { 0 };

	addr_print(&b, &a);
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

static void a_mac_is_six_pairs(void **state)
{
	static const uint8_t mac[6] = { 0, 0x1b, 0xff, 9, 0xa0, 0x10 };
	struct buf b = { 0 };

	mac_print(&b, mac);
	mac_print(&b, mac);
	assert_int_equal(b.n, 2 * MAC_TEXT_MAX);
	assert_memory_equal(b.p, "00:1b:ff:09:a0:1000:1b:ff:09:a0:10", b.n);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_is_dotted_decimal),
		cmocka_unit_test(ipv6_follows_rfc_5952),
		cmocka_unit_test(an_absent_address_prints_nothing),
		cmocka_unit_test(a_mac_is_six_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
