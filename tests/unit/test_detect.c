// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/arp/fields.h"
#include "decode/dhcp/fields.h"
#include "decode/dns/fields.h"
#include "decode/icmp/fields.h"
#include "detect_help.h"

static void ten_ports_that_do_not_answer_are_a_scan(void **state)
{
	for (unsigned int i = 0; i < 10; i++)
		tcp(1, 40000 + i, 2, 100 + i, SYN);
	told(0, NULL);
	later(3);
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2");
}

static void ports_that_refuse_need_no_waiting(void **state)
{
	for (unsigned int i = 0; i < 10; i++) {
		tcp(1, 40000 + i, 2, 100 + i, SYN);
		tcp(2, 100 + i, 1, 40000 + i, RST | ACK);
	}
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2");
}

static void flags_that_no_connection_has_are_probes(void **state)
{
	static const uint8_t odd[] = { 0, FIN, FIN | PSH | URG, SYN | FIN };

	for (unsigned int i = 0; i < 10; i++)
		tcp(1, 40000, 2, 100 + i, odd[i & 3]);
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2");
}

static void half_open_connections_are_probes(void **state)
{
	for (unsigned int i = 0; i < 10; i++) {
		tcp(1, 40000, 2, 100 + i, SYN);
		tcp(2, 100 + i, 1, 40000, SYN | ACK);
		tcp(1, 40000, 2, 100 + i, RST);
	}
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2");
}

static void slow_probes_are_a_scan(void **state)
{
	for (unsigned int i = 0; i < 10; i++) {
		tcp(1, 40000 + i, 2, 100 + i, SYN);
		later(300);
	}
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2");
}

static void many_ports_that_answer_are_none(void **state)
{
	for (unsigned int i = 0; i < 200; i++)
		session(1, 40000 + i, 2, 1000 + i, 100);
	for (unsigned int i = 0; i < 12; i++)
		tcp(1, 50000 + i, 2, 100 + i, SYN);
	nothing();
}

static void one_dead_port_tried_again_and_again_is_none(void **state)
{
	for (unsigned int i = 0; i < 100; i++) {
		tcp(1, 40000 + i, 2, 100, SYN);
		later(3);
	}
	nothing();
}

static void calls_that_had_no_time_prove_nothing_where_others_are_answered(void **state)
{
	tcp(1, 39999, 2, 99, SYN);
	tcp(2, 99, 1, 39999, SYN | ACK);
	tcp(1, 39999, 2, 99, ACK);
	for (unsigned int i = 0; i < 20; i++)
		tcp(1, 40000 + i, 2, 100 + i, SYN);
	assert_int_equal(detect_finish(d, give, NULL), 0);
	told(0, NULL);
}

static void eight_hosts_on_one_port_are_a_sweep(void **state)
{
	for (unsigned int i = 0; i < 8; i++)
		tcp(1, 40000 + i, 2 + i, 445, SYN);
	later(3);
	TOLD("host_scan from=10.0.0.1 port=445");
}

static void public_ports_take_more(void **state)
{
	for (unsigned int i = 0; i < 31; i++)
		tcp(1, 40000 + i, 2 + i, 443, SYN);
	later(3);
	told(0, NULL);
	tcp(1, 50000, 100, 443, SYN);
	later(3);
	TOLD("host_scan from=10.0.0.1 port=443");
}

static void many_sources_share_a_scan(void **state)
{
	for (unsigned int i = 0; i < 60; i++)
		tcp(100 + i % 12, 40000 + i, 2, 100 + i, SYN);
	later(3);
	TOLD("port_scan to=10.0.0.2");
}

static void udp_that_is_refused_is_a_scan_and_silence_takes_three_times_as_much(void **state)
{
	for (unsigned int i = 0; i < 29; i++)
		packet(1, 40000, 2, 100 + i, 17, 0, 0);
	later(3);
	told(0, NULL);
	packet(1, 40000, 2, 500, 17, 0, 0);
	later(3);
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2");
}

static void traceroute_is_no_scan(void **state)
{
	for (unsigned int i = 0; i < 90; i++)
		packet(1, 40000, 2, 33434 + i, 17, 0, 32);
	nothing();
}

static void a_scan_is_told_once_and_counted_after(void **state)
{
	for (unsigned int i = 0; i < 40; i++) {
		tcp(1, 40000 + i, 2, 100 + i, SYN);
		tcp(2, 100 + i, 1, 40000 + i, RST | ACK);
	}
	later(601);
	for (unsigned int i = 40; i < 50; i++) {
		tcp(1, 40000 + i, 2, 100 + i, SYN);
		tcp(2, 100 + i, 1, 40000 + i, RST | ACK);
	}
	TOLD("port_scan from=10.0.0.1 to=10.0.0.2", "port_scan from=10.0.0.1 to=10.0.0.2 more=3");
}

/* Of many sources, at a thousand a second. */
static void connections_that_nobody_opens_are_a_flood(void **state)
{
	for (unsigned int i = 0; i < 1500; i++)
		tcp(1000 + i, 1024 + i, 2, 80, SYN);
	later(2);
	TOLD("syn_flood to=10.0.0.2 port=80");
}

static void a_busy_server_is_not_flooded(void **state)
{
	for (unsigned int i = 0; i < 3000; i++) {
		tcp(1000 + i, 1024 + i, 2, 80, SYN);
		if (i > 200) {	/* each is answered a fifth of a second later */
			tcp(2, 80, 1000 + i - 200, 1024 + i - 200, SYN | ACK);
			tcp(1000 + i - 200, 1024 + i - 200, 2, 80, ACK);
		}
	}
	nothing();
}

static void answers_to_nobody_are_a_reflection(void **state)
{
	for (unsigned int i = 0; i < 600; i++)
		tcp(1000 + i, 80, 2, 1024 + i, SYN | ACK);
	later(2);
	TOLD("tcp_reflection to=10.0.0.2 port=80");
}

static void large_datagrams_of_ntp_servers_are_an_amplification(void **state)
{
	for (unsigned int i = 0; i < 600; i++)
		packet(1000 + i % 50, 123, 2, 1024 + i, 17, 0, 440);
	later(2);
	TOLD("udp_amplification to=10.0.0.2 port=123");
}

static void large_datagrams_that_were_asked_for_are_none(void **state)
{
	for (unsigned int i = 0; i < 600; i++) {
		packet(2, 1024 + i, 1000 + i % 50, 123, 17, 0, 40);
		packet(1000 + i % 50, 123, 2, 1024 + i, 17, 0, 440);
	}
	nothing();
}

static void icmp(unsigned int src, unsigned int dst, uint8_t type)
{
	struct record r;

	packet(src, 0, dst, 0, 1, 0, 64);
	memset(&r, 0, sizeof(r));
	record_start(&r, &icmp_dataset);
	r.src = host(src);
	r.dst = host(dst);
	icmp_of(&r)->type = type;
	record_mark(&r, FIELD_SRC_IP);
	record_mark(&r, FIELD_DST_IP);
	take(&r);
}

static void echoes_are_a_flood_and_their_answers_are_not(void **state)
{
	for (unsigned int i = 0; i < 600; i++) {
		icmp(1, 2, 8);
		icmp(2, 1, 0);
	}
	later(2);
	TOLD("icmp_flood from=10.0.0.1 to=10.0.0.2");
}

static void a_monitor_that_pings_everybody_floods_nobody(void **state)
{
	for (unsigned int i = 0; i < 900; i++) {
		icmp(1, 1000 + i, 8);
		icmp(1000 + i, 1, 0);
	}
	nothing();
}

static void dhcp(const uint8_t mac[6], const uint8_t sender[6])
{
	struct record r;

	memset(&r, 0, sizeof(r));
	record_start(&r, &dhcp_dataset);
	r.action = dhcp_of(&r)->message_type = "discover";
	dhcp_of(&r)->op_code = "bootrequest";
	memcpy(dhcp_of(&r)->client_mac, mac, 6);
	record_mark(&r, FIELD_DHCPV4_OP);
	record_mark(&r, FIELD_DHCPV4_MESSAGE_TYPE);
	memcpy(r.smac, sender, 6);
	record_mark(&r, FIELD_ACTION);
	record_mark(&r, FIELD_DHCPV4_CLIENT_MAC);
	record_mark(&r, FIELD_SRC_MAC);
	take(&r);
	now += 10000000;
}

static void clients_that_are_made_up_starve_a_server(void **state)
{
	for (unsigned int i = 0; i < 60; i++)
		dhcp((const uint8_t[]){ 0, 1, 2, 3, 4, (uint8_t)i }, (const uint8_t[]){ 0, 9, 9, 9, 9, 9 });
	TOLD("dhcp_flood mac=000909090909");
}

static void a_class_room_is_switched_on(void **state)
{
	for (unsigned int i = 0; i < 60; i++)
		dhcp((const uint8_t[]){ 0, 1, 2, 3, 4, (uint8_t)i }, (const uint8_t[]){ 0, 1, 2, 3, 4, (uint8_t)i });
	nothing();
}

static void arp(const char *mac, unsigned int ip, unsigned int opcode, unsigned int target)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	record_start(&r, &arp_dataset);
	arp_of(&r)->opcode = (uint16_t)opcode;
	memcpy(arp_of(&r)->sender_mac, mac, 6);
	memcpy(r.smac, mac, 6);
	arp_of(&r)->sender_ip = host(ip);
	arp_of(&r)->target_ip = host(target);
	record_mark(&r, FIELD_SRC_MAC);
	record_mark(&r, FIELD_ARP_SENDER_MAC);
	record_mark(&r, FIELD_ARP_SENDER_IP);
	record_mark(&r, FIELD_ARP_TARGET_IP);
	take(&r);
	now += SECOND;
}

static void an_address_that_goes_back_and_forth_is_stolen(void **state)
{
	arp("\0\0\0\0\0\1", 1, 2, 9);
	arp("\0\0\0\0\0\2", 1, 2, 9);
	told(0, NULL);
	arp("\0\0\0\0\0\1", 1, 2, 9);
	TOLD("arp_spoof mac=000000000002 to=10.0.0.1");
}

static void who_tells_unasked_that_it_has_anothers_address_steals_it(void **state)
{
	arp("\0\0\0\0\0\1", 1, 2, 9);
	for (unsigned int i = 0; i < 3; i++)
		arp("\0\0\0\0\0\2", 1, 2, 9);
	TOLD("arp_spoof mac=000000000002 to=10.0.0.1");
}

static void an_address_may_move_once_and_a_virtual_one_always(void **state)
{
	arp("\0\0\0\0\0\1", 1, 2, 9);
	arp("\0\0\0\0\0\2", 1, 2, 1);
	for (unsigned int i = 0; i < 10; i++) {
		arp("\0\0\x5e\0\1\1", 3, 2, 9);
		arp("\0\0\0\0\0\3", 3, 2, 3);
	}
	for (unsigned int i = 0; i < 30; i++) {		/* asked for each time */
		arp("\0\0\0\0\0\7", 8, 1, 4);
		arp("\0\0\0\0\0\4", 4, 2, 8);
	}
	nothing();
}

static void short_sessions_with_a_login_are_guesses(void **state)
{
	for (unsigned int i = 0; i < 20; i++)
		session(1, 40000 + i, 2, 22, 2000);
	TOLD("brute_force from=10.0.0.1 to=10.0.0.2 port=22");
}

static void long_sessions_are_work(void **state)
{
	for (unsigned int i = 0; i < 100; i++)
		session(1, 40000 + i, 2, 22, 20000);
	for (unsigned int i = 0; i < 100; i++)
		session(1, 50000 + i, 2, 80, 200);
	nothing();
}

static void dns(const char *action, const char *name, const char *code)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	record_start(&r, &dns_dataset);
	r.src = host(1);
	r.action = action;
	dns_of(&r)->question_name = (struct str){ name, (uint32_t)strlen(name) };
	dns_of(&r)->response_code = (struct str){ code, (uint32_t)strlen(code) };
	record_mark(&r, FIELD_DNS_RESPONSE_CODE);
	record_mark(&r, FIELD_SRC_IP);
	record_mark(&r, FIELD_ACTION);
	record_mark(&r, FIELD_DNS_QUESTION_NAME);
	take(&r);
	now += 10000000;
}

static void long_names_of_one_domain_are_a_tunnel_when_asked_for(void **state)
{
	char name[64];

	for (unsigned int on = 0; on < 2; on++) {
		for (unsigned int i = 0; i < 60; i++) {
			snprintf(name, sizeof(name), "a%032u.t.example.org", i);
			dns("query", name, "");
		}
		told(on, (const char *const[]){ "dns_tunnel from=10.0.0.1" });
		with(RULE_NAME_TUNNEL, 50, 60 * SECOND);
	}
}

static void missing_names_of_one_domain_are_random(void **state)
{
	char name[64];

	with(RULE_RANDOM_SUBDOMAIN, 50, 60 * SECOND);
	for (unsigned int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "x%u.example.co.uk", i);
		dns("response", name, i & 32 ? "NXDOMAIN" : "NOERROR");
	}
	told(0, NULL);
	for (unsigned int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "y%u.example.co.uk", i);
		dns("response", name, "NXDOMAIN");
	}
	TOLD("random_subdomain");
}

static void calls_at_equal_distances_are_a_beacon(void **state)
{
	with(RULE_BEACONING, 8, 86400 * SECOND);
	for (unsigned int i = 0; i < 12; i++) {
		session(1, 40000 + i, 2, 8443, 100);
		later(i & 1 ? 10 : 90);
	}
	told(0, NULL);
	for (unsigned int i = 0; i < 9; i++) {
		session(1, 50000 + i, 3, 8443, 100);
		later(60);
	}
	TOLD("beaconing from=10.0.0.1 to=10.0.0.3 port=8443");
}

static void what_was_there_in_the_beginning_is_not_new(void **state)
{
	with(RULE_NEW_LISTENER, 1, 300 * SECOND);
	session(1, 40000, 2, 80, 100);
	later(301);
	session(1, 40001, 2, 80, 100);
	session(1, 40002, 2, 81, 100);
	TOLD("new_listener to=10.0.0.2 port=81");
}

static void a_host_that_sends_far_more_than_it_does_is_unusual(void **state)
{
	struct record r;

	with(RULE_UNUSUAL_VOLUME, 8, 60 * SECOND);
	memset(&r, 0, sizeof(r));
	record_start(&r, &packet_dataset);
	r.src = host(1);
	record_mark(&r, FIELD_SRC_IP);
	for (unsigned int i = 0; i < 22; i++) {
		r.frame_len = i == 10 ? 2000000 : i == 20 ? 90000000 : 1200000 + i * 1000;
		take(&r);
		now += 60 * SECOND;
	}
	TOLD("unusual_volume from=10.0.0.1");
}

static void names_are_found_without_underscores(void **state)
{
	assert_int_equal(detect_find("portscan", 8), RULE_PORT_SCAN);
	assert_int_equal(detect_find("syn_flood", 9), RULE_SYN_FLOOD);
	assert_int_equal(detect_find("syn", 3), -1);
	assert_int_equal(detect_find("port_scanner", 12), -1);
	assert_int_equal(detect_find("", 0), -1);
}

/* A flood of everything: memory was taken before, what is forgotten is counted. */
static void what_there_is_no_room_for_is_counted(void **state)
{
	struct detect_counts c;

	options.limits[RULE_SYN_FLOOD].on = false;
	with(RULE_BRUTE_FORCE, 20, SECOND);
	for (unsigned int i = 0; i < 200000; i++) {
		tcp(1000 + i, 1024, 2 + (i & 1), 80, SYN);
		now -= 990000;
	}
	later(3);
	detect_counts(d, &c);
	assert_true(c.connections_evicted > 0);
	assert_true(c.entries_evicted > 40000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ten_ports_that_do_not_answer_are_a_scan),
		T(ports_that_refuse_need_no_waiting),
		T(flags_that_no_connection_has_are_probes),
		T(half_open_connections_are_probes),
		T(slow_probes_are_a_scan),
		T(many_ports_that_answer_are_none),
		T(one_dead_port_tried_again_and_again_is_none),
		T(calls_that_had_no_time_prove_nothing_where_others_are_answered),
		T(eight_hosts_on_one_port_are_a_sweep),
		T(public_ports_take_more),
		T(many_sources_share_a_scan),
		T(udp_that_is_refused_is_a_scan_and_silence_takes_three_times_as_much),
		T(traceroute_is_no_scan),
		T(a_scan_is_told_once_and_counted_after),
		T(connections_that_nobody_opens_are_a_flood),
		T(a_busy_server_is_not_flooded),
		T(answers_to_nobody_are_a_reflection),
		T(large_datagrams_of_ntp_servers_are_an_amplification),
		T(large_datagrams_that_were_asked_for_are_none),
		T(echoes_are_a_flood_and_their_answers_are_not),
		T(a_monitor_that_pings_everybody_floods_nobody),
		T(clients_that_are_made_up_starve_a_server),
		T(a_class_room_is_switched_on),
		T(an_address_that_goes_back_and_forth_is_stolen),
		T(who_tells_unasked_that_it_has_anothers_address_steals_it),
		T(an_address_may_move_once_and_a_virtual_one_always),
		T(short_sessions_with_a_login_are_guesses),
		T(long_sessions_are_work),
		T(long_names_of_one_domain_are_a_tunnel_when_asked_for),
		T(missing_names_of_one_domain_are_random),
		T(calls_at_equal_distances_are_a_beacon),
		T(what_was_there_in_the_beginning_is_not_new),
		T(a_host_that_sends_far_more_than_it_does_is_unusual),
		T(names_are_found_without_underscores),
		T(what_there_is_no_room_for_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
