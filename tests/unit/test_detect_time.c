// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect_help.h"

/* A stamp of next year, and what follows it: who has not been answered yet has time left. */
static void one_stamp_ahead_of_all_others_ends_no_waiting(void **state)
{
	for (unsigned int i = 0; i < 12; i++)
		tcp(1, 40000 + i, 2, 100 + i, SYN);
	now += 86400 * 365 * SECOND;
	tcp(3, 1, 4, 80, SYN);
	now -= 1000000;
	tcp(3, 1, 4, 80, SYN);		/* another record of that frame */
	now -= 86400 * 365 * SECOND;
	tcp(3, 2, 4, 80, SYN);
	for (unsigned int i = 0; i < 12; i++)
		tcp(2, 100 + i, 1, 40000 + i, SYN | ACK);
	nothing();
}

/* The clock is set back: what is looked for is found as before. */
static void a_clock_that_is_set_back_is_followed(void **state)
{
	session(1, 40000, 2, 80, 100);
	later(1);
	now -= 86400 * SECOND;
	for (unsigned int i = 0; i < 3; i++)
		session(1, 41000 + i, 2, 80, 100);
	for (unsigned int i = 0; i < 10; i++)
		tcp(1, 42000 + i, 2, 100 + i, SYN);
	later(5);
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2");
}

/* A file whose packets stand in the reverse order has what it has. */
static void a_scan_told_backwards_is_one(void **state)
{
	for (unsigned int i = 0; i < 10; i++) {
		tcp(1, 40000 + i, 2 + i, 445, SYN);
		now -= 300 * SECOND;
	}
	assert_int_equal(detect_finish(d, give, NULL), 0);
	TOLD("host_scan from=10.0.0.1 port=445");
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_stamp_ahead_of_all_others_ends_no_waiting),
		T(a_scan_told_backwards_is_one),
		T(a_clock_that_is_set_back_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
