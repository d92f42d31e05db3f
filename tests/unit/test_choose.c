// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/choose.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "numbers/linktype.h"

static struct link_info of_kind(const char *kind)
{
	struct link_info l = { .ifindex = 0x7ffffff0, .arphrd = ARPHRD_ETHER, .link = LINK_ETHERNET };

	strncpy(l.name, "np-none0", sizeof(l.name) - 1);
	strncpy(l.kind, kind, sizeof(l.kind) - 1);
	return l;
}

static void a_card_is_tried_in_its_driver_first(void **state)
{
	struct link_info l = of_kind("");
	struct hook_choice c;

	l.has_device = true;
	assert_int_equal(hook_choose(&l, &c), 0);
	assert_null(c.no_native);
	assert_int_equal(c.ingress[0], WAY_XDP_NATIVE);
	assert_int_equal(c.ingress[1], WAY_TCX_IN);
	assert_int_equal(c.ingress[2], WAY_CLSACT_IN);
	assert_int_equal(c.ingress[3], WAYS);
	assert_int_equal(c.egress[0], WAY_TCX_OUT);
	assert_int_equal(c.egress[1], WAY_CLSACT_OUT);
	assert_int_equal(c.egress[2], WAYS);
}

static void what_is_virtual_gets_no_native_xdp(void **state)
{
	static const char *const kinds[] = { "veth", "bridge", "tun", "bond", "team", "vxlan", "netkit", "dummy", "" };

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct link_info l = of_kind(kinds[i]);
		struct hook_choice c;

		if (!*kinds[i])
			l.arphrd = ARPHRD_LOOPBACK;
		assert_int_equal(hook_choose(&l, &c), 0);
		assert_non_null(c.no_native);
		assert_int_equal(c.ingress[0], WAY_TCX_IN);
		assert_int_equal(c.ingress[1], WAY_CLSACT_IN);
		assert_int_equal(c.ingress[2], WAYS);
		assert_int_equal(c.egress[0], WAY_TCX_OUT);
	}
}

/* What generic XDP costs, nobody gets without asking. */
static void generic_xdp_is_never_chosen(void **state)
{
	for (int device = 0; device < 2; device++) {
		struct link_info l = of_kind(device ? "" : "veth");
		struct hook_choice c;

		l.has_device = device;
		assert_int_equal(hook_choose(&l, &c), 0);
		for (int i = 0; i <= WAYS_TRIED; i++)
			assert_int_not_equal(c.ingress[i], WAY_XDP_GENERIC);
	}
}

static void bare_ip_gets_no_xdp_even_with_a_device(void **state)
{
	struct link_info l = of_kind("wwan");
	struct hook_choice c;

	l.arphrd = ARPHRD_RAWIP;
	l.link = LINK_RAW;
	l.has_device = true;
	assert_int_equal(hook_choose(&l, &c), 0);
	assert_non_null(c.no_native);
	assert_int_equal(c.ingress[0], WAY_TCX_IN);
}

static void other_link_types_get_nothing_and_the_reason(void **state)
{
	struct link_info l = of_kind("gre");
	struct hook_choice c;

	l.arphrd = ARPHRD_IPGRE;
	l.link = LINK_SLL;
	assert_int_equal(hook_choose(&l, &c), -EMEDIUMTYPE);
	assert_string_equal(c.why, "link type 778 is neither Ethernet nor bare IP");
	assert_int_equal(c.ingress[0], WAYS);
	assert_int_equal(c.egress[0], WAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_is_tried_in_its_driver_first),
		cmocka_unit_test(what_is_virtual_gets_no_native_xdp),
		cmocka_unit_test(generic_xdp_is_never_chosen),
		cmocka_unit_test(bare_ip_gets_no_xdp_even_with_a_device),
		cmocka_unit_test(other_link_types_get_nothing_and_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
