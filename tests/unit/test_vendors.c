// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/vendors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct vendors *v;

static void parse(const char *text)
{
	assert_int_equal(vendors_parse(&v, text, strlen(text)), 0);
}

static int close_table(void **state)
{
	vendors_close(v);
	v = NULL;
	return 0;
}

#define IS(mac_, name_) \
	do { \
		struct str s_ = vendors_find(v, (const uint8_t *)(mac_)); \
		assert_int_equal(s_.n, strlen(name_)); \
		assert_memory_equal(s_.p ? s_.p : "", name_, s_.n); \
	} while (0)

static void the_ieee_table(void **state)
{
	parse("OUI/MA-L\t\t\tOrganization\r\n\r\n"
	      "28-6F-B9   (hex)\t\tFirst Maker, Ltd.\r\n286FB9     (base 16)\t\tFirst Maker, Ltd.\r\n"
	      "\t\t\t\tAdderly 3\r\n\t\t\t\tFACADE  CN\r\n\r\n"
	      "08-EA-44   (hex)\t\tSecond\r\n001000-001FFF     (base 16)\t\tA range\r\n");
	IS("\x28\x6f\xb9\1\2\3", "First Maker, Ltd.");
	IS("\x08\xea\x44\xff\xff\xff", "Second");
	IS("\x00\x10\x00\x00\x1f\xff", "");
}

static void the_wireshark_table(void **state)
{
	parse("# comment\n00:1B:C5\tIEEE\tIEEE Registration Authority\n00:1B:C5:00:10:00/36\tOpenRBco\tOpenRB.com\n"
	      "70:B3:D5:A/28\tbad\tnot so long\n8C:1F:64:A0:00:00/28\tShort\n"
	      "00:00:0C:07:AC:01\tHSRP\tHSRP router\n01:02:03:04:05:06/99\tx\tx\n");
	IS("\x00\x1b\xc5\x00\x1f\xff", "OpenRB.com");
	IS("\x00\x1b\xc5\x00\x20\x00", "IEEE Registration Authority");
	IS("\x8c\x1f\x64\xaf\xff\xff", "Short");
	IS("\x00\x00\x0c\x07\xac\x01", "HSRP router");
	IS("\x00\x00\x0c\x07\xac\x02", "");
	IS("\1\2\3\4\5\6", "");
}

static void the_nmap_and_arp_scan_tables(void **state)
{
	parse("000000 Xerox Corp\n0055DA0 Seven digits\n0050C2001\tNine digits\nnot a row\n00000G nothing\n12345 short");
	IS("\0\0\0\1\2\3", "Xerox Corp");
	IS("\x00\x55\xda\x0f\xff\xff", "Seven digits");
	IS("\x00\x50\xc2\x00\x1a\xbc", "Nine digits");
	IS("\x12\x34\x50\0\0\0", "");
}

static void no_table_knows_nobody(void **state)
{
	parse("");
	IS("\0\0\0\0\0\0", "");
	assert_int_equal(vendors_find(NULL, (const uint8_t *)"\0\0\0\0\0\0").n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_ieee_table, close_table),
		cmocka_unit_test_teardown(the_wireshark_table, close_table),
		cmocka_unit_test_teardown(the_nmap_and_arp_scan_tables, close_table),
		cmocka_unit_test_teardown(no_table_knows_nobody, close_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
