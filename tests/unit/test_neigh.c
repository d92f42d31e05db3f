// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/neigh.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct row {
	uint32_t ifindex, master, lower;
};

/* As often as anything is found, as above_find() does. */
static void look(struct above *a, const struct row *rows, unsigned int n)
{
	for (unsigned int before = 0; before != a->n;) {
		before = a->n;
		for (unsigned int i = 0; i < n; i++) {
			struct link_info l = { .ifindex = rows[i].ifindex, .master = rows[i].master,
					       .lower = rows[i].lower, .arphrd = ARPHRD_ETHER };

			above_take(a, &l);
		}
	}
}

static void begin(struct above *a, uint32_t ifindex, uint32_t master)
{
	memset(a, 0, sizeof(*a));
	a->n = 1;
	a->v[0].ifindex = ifindex;
	a->v[0].master = master;
}

static struct above above;

static void a_bond_a_vlan_on_it_and_a_bridge_are_above_a_card(void **state)
{
	static const struct row rows[] = { { 30, 0, 0 }, { 20, 30, 10 }, { 10, 0, 0 }, { 2, 10, 0 }, { 3, 10, 0 },
					   { 40, 0, 3 }, { 50, 0, 10 } };

	begin(&above, 2, 10);
	look(&above, rows, sizeof(rows) / sizeof(rows[0]));
	assert_non_null(above_device(&above, 2));
	assert_non_null(above_device(&above, 10));
	assert_non_null(above_device(&above, 20));
	assert_non_null(above_device(&above, 30));
	assert_non_null(above_device(&above, 50));
	assert_null(above_device(&above, 3));
	assert_null(above_device(&above, 40));
	assert_null(above_device(&above, 0));
	assert_int_equal(above.n, 5);
}

static void what_is_below_is_not_above(void **state)
{
	static const struct row rows[] = { { 2, 10, 0 }, { 3, 10, 0 }, { 4, 0, 2 } };

	begin(&above, 10, 0);
	look(&above, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(above.n, 1);
	begin(&above, 4, 0);
	look(&above, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(above.n, 1);
}

static void a_ring_of_devices_ends(void **state)
{
	static const struct row rows[] = { { 1, 2, 3 }, { 2, 3, 1 }, { 3, 1, 2 } };

	begin(&above, 1, 2);
	look(&above, rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(above.n, 3);
}

static void more_than_there_is_room_for_are_left_out(void **state)
{
	begin(&above, 1, 0);
	for (uint32_t i = 0; i < ABOVE_MAX + 10; i++) {
		struct link_info l = { .ifindex = 2 + i, .lower = 1 };

		assert_int_equal(above_take(&above, &l), i < ABOVE_MAX - 1);
	}
	assert_int_equal(above.n, ABOVE_MAX);
}

static void what_has_no_ethernet_or_no_arp_has_no_neighbours(void **state)
{
	struct link_info tun = { .ifindex = 2, .lower = 1, .arphrd = ARPHRD_NONE };
	struct link_info dummy = { .ifindex = 3, .lower = 1, .arphrd = ARPHRD_ETHER, .flags = IFF_NOARP };
	struct link_info card = { .ifindex = 4, .lower = 1, .arphrd = ARPHRD_ETHER };

	begin(&above, 1, 0);
	assert_true(above_take(&above, &tun) && above_take(&above, &dummy) && above_take(&above, &card));
	assert_false(above_device(&above, 2)->has_neighbours);
	assert_false(above_device(&above, 3)->has_neighbours);
	assert_true(above_device(&above, 4)->has_neighbours);
}

static void link_local_addresses_are_those_of_the_mac_address_at_that_interface(void **state)
{
	static struct link_locals l = { .n = 3, .v = {
		{ .addr = { 6, { 0xfe, 0x80, [15] = 7 } }, .ifindex = 2, .mac = { 2, 0, 0, 0, 0, 1 } },
		{ .addr = { 6, { 0xfe, 0x80, [15] = 8 } }, .ifindex = 3, .mac = { 2, 0, 0, 0, 0, 1 } },
		{ .addr = { 6, { 0xfe, 0x80, [15] = 9 } }, .ifindex = 2, .mac = { 2, 0, 0, 0, 0, 2 } },
	} };
	struct hop h = { .ifindex = 2, .has_mac = true, .mac = { 2, 0, 0, 0, 0, 1 } };
	struct addr out[4];

	assert_int_equal(link_locals_of(&l, &h, out, 4), 1);
	assert_int_equal(out[0].b[15], 7);
}

static void without_one_it_is_made_of_the_mac_address(void **state)
{
	static const uint8_t want[16] = { 0xfe, 0x80, [8] = 0, 0x11, 0x22, 0xff, 0xfe, 0x33, 0x44, 0x55 };
	static struct link_locals none;
	struct hop h = { .ifindex = 2, .has_mac = true, .mac = { 2, 0x11, 0x22, 0x33, 0x44, 0x55 } };
	struct addr out[4];

	assert_int_equal(link_locals_of(&none, &h, out, 4), 1);
	assert_int_equal(out[0].family, 6);
	assert_memory_equal(out[0].b, want, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bond_a_vlan_on_it_and_a_bridge_are_above_a_card),
		cmocka_unit_test(what_is_below_is_not_above),
		cmocka_unit_test(a_ring_of_devices_ends),
		cmocka_unit_test(more_than_there_is_room_for_are_left_out),
		cmocka_unit_test(what_has_no_ethernet_or_no_arp_has_no_neighbours),
		cmocka_unit_test(link_local_addresses_are_those_of_the_mac_address_at_that_interface),
		cmocka_unit_test(without_one_it_is_made_of_the_mac_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
