// SPDX-License-Identifier: GPL-2.0-or-later
/* Words as systemd reads them: systemd.syntax(7) and systemd.service(5), "Command lines". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/block_unit.h"

#include <cmocka.h>

static char got[2048];

static const char *taken(struct buf *b)
{
	snprintf(got, sizeof(got), "%.*s", (int)b->n, b->p);
	buf_free(b);
	return got;
}

static const char *word(const char *text, enum unit_word_kind kind)
{
	struct buf b = { 0 };

	unit_word(&b, text, kind);
	return taken(&b);
}

static const char *device(const char *ifname)
{
	struct buf b = { 0 };

	unit_device(&b, ifname);
	return taken(&b);
}

static void a_word_stays_one_and_means_itself(void **state)
{
	assert_string_equal(word("/etc/list", UNIT_ARGUMENT), "\"/etc/list\"");
	assert_string_equal(word("", UNIT_ARGUMENT), "\"\"");
	assert_string_equal(word("a b;c 'd'", UNIT_ARGUMENT), "\"a b;c 'd'\"");
	assert_string_equal(word("a\"b\\c", UNIT_ARGUMENT), "\"a\\\"b\\\\c\"");
	assert_string_equal(word("100%h", UNIT_ARGUMENT), "\"100%%h\"");
	assert_string_equal(word("${HOME} $x", UNIT_ARGUMENT), "\"$${HOME} $$x\"");
	assert_string_equal(word("a\nExecStart=b\tc\x7f", UNIT_ARGUMENT), "\"a\\x0aExecStart=b\\x09c\\x7f\"");
	assert_string_equal(word("k\xc3\xa4se", UNIT_ARGUMENT), "\"k\xc3\xa4se\"");
}

static void the_path_of_the_program_has_no_variables(void **state)
{
	assert_string_equal(word("/opt/$x 5%/netprobe", UNIT_PROGRAM), "\"/opt/$x 5%%/netprobe\"");
}

static void devices_are_named_as_udev_names_them(void **state)
{
	assert_string_equal(device("eth0.100"), "sys-subsystem-net-devices-eth0.100.device");
	assert_string_equal(device("br-lan"), "sys-subsystem-net-devices-br\\x2dlan.device");
	assert_string_equal(device("a%b"), "sys-subsystem-net-devices-a\\x25b.device");
}

static void nothing_of_the_command_is_lost(void **state)
{
	const struct unit u = { .binary = "/usr/sbin/netprobe", .file = "/etc/a list", .ifname = "br-lan", .netns = "blue",
				.mode = "deny", .frag = "drop", .xdp = "generic", .egress = true, .force = true };
	struct buf b = { 0 };

	unit_print(&b, &u);
	taken(&b);
	assert_non_null(strstr(got, "\nExecStart=\"/usr/sbin/netprobe\" --netns \"blue\" block apply --egress --interface \"br-lan\" "
				    "--mode \"deny\" --frag \"drop\" --xdp-mode \"generic\" --force-lockout --commit "
				    "\"/etc/a list\"\n"));
	assert_non_null(strstr(got, "\nExecStop=\"/usr/sbin/netprobe\" --netns \"blue\" block del --egress --interface \"br-lan\" "
				    "--all\n"));
	assert_null(strstr(got, ".device"));	/* systemd knows those of its own namespace */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_stays_one_and_means_itself),
		cmocka_unit_test(the_path_of_the_program_has_no_variables),
		cmocka_unit_test(devices_are_named_as_udev_names_them),
		cmocka_unit_test(nothing_of_the_command_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
