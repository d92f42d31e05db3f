// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk_help.h"
#include "decode/dhcp/fields.h"

static struct bytes bootp(uint8_t op, const char *options, uint32_t n)
{
	struct bytes o = { .n = 0 };
	uint8_t head[4] = { op, 1, 6, 0 };

	put(&o, head, 4);
	put32(&o, 0xabcd0001);
	for (int i = 0; i < 5; i++)
		put32(&o, i == 2 && op == 2 ? 0x0a000063 : 0);
	PUT(&o, "\2\0\0\0\0\1");
	for (int i = 0; i < 101; i++)
		put16(&o, 0);
	PUT(&o, "\x63\x82\x53\x63");
	put(&o, options, n);
	return o;
}

#define BOOTP(op, literal) bootp(op, "" literal, sizeof(literal) - 1)

static void say(struct talk *t, enum talk_dir dir, struct bytes o)
{
	talk_datagram(t, dir, o.p, o.n);
}

static void a_lease_is_told_step_by_step(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&dhcp_dataset), 67);
	say(&t, ASK, BOOTP(1, "\x35\1\1\x0c\6host\0\0\x37\3\1\3\6\x3c\2id\xff"));
	say(&t, REPLY, BOOTP(2, "\x35\1\2\x36\4\x0a\0\0\2\x33\4\0\0\x0e\x10\xff"));
	say(&t, ASK, BOOTP(1, "\x35\1\3\x32\4\0\0\0\0\x51\x0c\4\0\0\4host\3" "lan\0\xff"));
	say(&t, REPLY, BOOTP(2, "\x35\1\6\xff"));
	HEARD(&t, "dhcp action=discover frame=1 sport=4000 protocol=dhcp dhcpv4.op_code=bootrequest "
		  "dhcpv4.transaction_id=2882338817 dhcpv4.client_mac=020000000001 dhcpv4.option.message_type=discover "
		  "dhcpv4.option.hostname=host dhcpv4.option.class_identifier=id "
		  "dhcpv4.option.parameter_request_list=1,3,6",
	      "dhcp action=offer outcome=success duration=1000000 frame=2 sport=67 protocol=dhcp "
	      "dhcpv4.op_code=bootreply dhcpv4.transaction_id=2882338817 dhcpv4.client_mac=020000000001 "
	      "dhcpv4.assigned_ip=10.0.0.99 dhcpv4.option.message_type=offer "
	      "dhcpv4.option.server_identifier=10.0.0.2 dhcpv4.option.ip_address_lease_time_sec=3600",
	      "dhcp action=request frame=3 sport=4000 protocol=dhcp dhcpv4.op_code=bootrequest "
	      "dhcpv4.transaction_id=2882338817 dhcpv4.client_mac=020000000001 dhcpv4.option.message_type=request "
	      "dhcpv4.option.fqdn=host.lan dhcpv4.option.requested_ip_address=0.0.0.0",
	      "dhcp action=nak outcome=failure duration=1000000 frame=4 sport=67 protocol=dhcp "
	      "dhcpv4.op_code=bootreply dhcpv4.transaction_id=2882338817 dhcpv4.client_mac=020000000001 "
	      "dhcpv4.assigned_ip=10.0.0.99 dhcpv4.option.message_type=nak");
	talk_close(&t);
}

static void options_go_on_elsewhere(void **state)
{
	struct bytes o = BOOTP(1, "\x35\1\1\x34\1\3\x0c\2ab\x0c\2" "cd\xff");
	struct talk t;

	memcpy(o.p + 108, "\x0c\2" "ef\xff", 5);		/* the file name */
	memcpy(o.p + 44, "\x0c\2gh\x3c\1x\xff", 8);		/* the server's name */
	talk_open(&t, dataset_bit(&dhcp_dataset), 1067);			/* told by its cookie */
	say(&t, ASK, o);
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "hostname=abcdefgh dhcpv4.option.class_identifier=x"));
	talk_close(&t);
}

static void version_six_as_well(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&dhcp_dataset), 547);
	t.family = 6;
	talk_datagram(&t, ASK, "\1\0\0\x09\0\1\0\3abc\0\6\0\4\0\x17\0\x18\0\x27\0\6\1\3fox\0", 29);
	talk_datagram(&t, REPLY, "\7\0\0\x09\0\1\0\3abc\0\2\0\1s\0\x0d\0\2\0\0", 22);
	HEARD(&t, "dhcp action=solicit frame=1 sport=4000 protocol=dhcpv6 dhcpv6.message_type=solicit "
		  "dhcpv6.transaction_id=9 dhcpv6.client_duid=616263 dhcpv6.fqdn=fox "
		  "dhcpv6.requested_options=23,24",
	      "dhcp action=reply outcome=success duration=1000000 frame=2 sport=547 protocol=dhcpv6 "
	      "dhcpv6.message_type=reply dhcpv6.transaction_id=9 dhcpv6.client_duid=616263 dhcpv6.server_duid=73");
	talk_datagram(&t, ASK, "\x0c\1xx", 4);
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
}

static void other_datagrams_are_not_taken_for_it(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&dhcp_dataset), 1067);
	for (uint32_t n = 0; n < 300; n += 7) {
		struct bytes o = BOOTP(1, "");

		o.p[237] = 0;
		talk_datagram(&t, ASK, o.p, n < o.n ? n : o.n);
	}
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_is_told_step_by_step),
		cmocka_unit_test(options_go_on_elsewhere),
		cmocka_unit_test(version_six_as_well),
		cmocka_unit_test(other_datagrams_are_not_taken_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
