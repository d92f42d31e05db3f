// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/devices.h"

#include "decode/arp/fields.h"
#include "decode/dhcp/fields.h"
#include "decode/dns/fields.h"
#include "decode/icmp/fields.h"
#include "decode_help.h"
#include "stats/fields.h"

/* Messages as the decoders understand them, and the devices that come of them. */
static struct gather *g;
static struct lines rows;

static int give(void *ctx, const struct record *r)
{
	char *to = rows.text[rows.n];
	const struct str *a = device_of(r)->addresses.p;
	const char *const *by = device_of(r)->told_by.p;
	size_t n = 0;

	assert_ptr_equal(r->set, &device_dataset);
	for (int i = 0; i < 6; i++)
		n += (size_t)snprintf(to + n, LINE_ROOM - n, "%02x", device_of(r)->mac[i]);
	for (uint32_t i = 0; record_has(r, FIELD_DEVICE_IP) && i < device_of(r)->addresses.n; i++)
		n += (size_t)snprintf(to + n, LINE_ROOM - n, " %.*s", (int)a[i].n, a[i].p);
	if (record_has(r, FIELD_DEVICE_HOSTNAME))
		n += (size_t)snprintf(to + n, LINE_ROOM - n, " name=%.*s", (int)device_of(r)->hostname.n, device_of(r)->hostname.p);
	if (record_has(r, FIELD_DEVICE_FINGERPRINT))
		n += (size_t)snprintf(to + n, LINE_ROOM - n, " asks=%.*s", (int)device_of(r)->fingerprint.n,
				      device_of(r)->fingerprint.p);
	if (record_has(r, FIELD_DEVICE_VENDOR))
		n += (size_t)snprintf(to + n, LINE_ROOM - n, " by=%.*s", (int)device_of(r)->vendor.n, device_of(r)->vendor.p);
	for (uint32_t i = 0; i < device_of(r)->told_by.n; i++)
		n += (size_t)snprintf(to + n, LINE_ROOM - n, " %s", by[i]);
	n += (size_t)snprintf(to + n, LINE_ROOM - n, " %llu-%llu", (unsigned long long)r->start_ns,
			      (unsigned long long)r->end_ns);
	if (record_has(r, FIELD_TRUNCATED))
		snprintf(to + n, LINE_ROOM - n, " more");
	rows.n++;
	return rows.n == 64;
}

static int open_table(void **state)
{
	return devices_open(&g, NULL, 4, 1);
}

static int close_table(void **state)
{
	g->close(g);
	return 0;
}

static void listed(unsigned int n, const char *const *wanted)
{
	memset(&rows, 0, sizeof(rows));
	assert_int_equal(g->rows(g, give, NULL), 0);
	for (unsigned int i = 0; i < n && i < rows.n; i++)
		assert_string_equal(rows.text[i], wanted[i]);
	assert_int_equal(rows.n, n);
}

#define LISTED(...) \
	listed(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), (const char *const[]){ __VA_ARGS__ })

static void arp(uint64_t when, const char *mac, uint8_t last)
{
	struct record r;

	record_start(&r, &arp_dataset);
	r.time_ns = when;
	memcpy(arp_of(&r)->sender_mac, mac, 6);
	arp_of(&r)->sender_ip = (struct addr){ 4, { 10, 0, 0, last } };
	if (!last)
		memset(arp_of(&r)->sender_ip.b, 0, 4);
	record_mark(&r, FIELD_ARP_SENDER_MAC);
	record_mark(&r, FIELD_ARP_SENDER_IP);
	g->take(g, &r);
}

static void no_address_is_told_where_there_is_none(void **state)
{
	struct record r;

	memset(&r, 0x5a, sizeof(r));
	record_start(&r, &arp_dataset);
	r.time_ns = 1;
	memcpy(arp_of(&r)->sender_mac, "\2\0\0\0\0\1", 6);
	arp_of(&r)->sender_ip.family = 4;
	record_mark(&r, FIELD_ARP_SENDER_MAC);
	g->take(g, &r);
	LISTED("020000000001 arp 1-1");
}

static void arp_tells_addresses(void **state)
{
	arp(5, "\2\0\0\0\0\1", 1);
	arp(7, "\2\0\0\0\0\2", 0);			/* a probe: no address yet */
	arp(9, "\2\0\0\0\0\1", 9);
	arp(9, "\xff\xff\xff\xff\xff\xff", 9);
	arp(9, "\0\0\0\0\0\0", 9);
	LISTED("020000000001 10.0.0.9 10.0.0.1 arp 5-9", "020000000002 arp 7-7");
}

static void an_address_heard_again_moves_to_the_front(void **state)
{
	for (uint8_t i = 1; i <= 9; i++)
		arp(i, "\2\0\0\0\0\1", i);
	arp(10, "\2\0\0\0\0\1", 5);
	LISTED("020000000001 10.0.0.5 10.0.0.9 10.0.0.8 10.0.0.7 10.0.0.6 10.0.0.4 10.0.0.3 10.0.0.2 arp 1-10 more");
}

static void the_one_not_seen_for_longest_goes(void **state)
{
	static const char *const macs[] = { "\2\0\0\0\0\1", "\2\0\0\0\0\2", "\2\0\0\0\0\3", "\2\0\0\0\0\4", "\2\0\0\0\0\5",
					    "\2\0\0\0\0\6" };

	for (unsigned int i = 0; i < 4; i++)
		arp(i, macs[i], 1);
	arp(4, macs[0], 1);
	arp(5, macs[4], 1);
	arp(6, macs[5], 1);
	assert_int_equal(g->evicted, 2);
	LISTED("020000000001 10.0.0.1 arp 0-4", "020000000004 10.0.0.1 arp 3-3", "020000000005 10.0.0.1 arp 5-5",
	       "020000000006 10.0.0.1 arp 6-6");
}

static void a_flood_of_addresses_is_bounded_and_counted(void **state)
{
	char mac[6] = { 2 };

	for (unsigned int i = 0; i < 100000; i++) {
		memcpy(mac + 1, &i, 4);
		arp(i, mac, 1);
	}
	assert_int_equal(g->evicted, 100000 - 4);
	memset(&rows, 0, sizeof(rows));
	assert_int_equal(g->rows(g, give, NULL), 0);
	assert_int_equal(rows.n, 4);
}

static void nd(uint8_t type, uint8_t src, uint8_t target)
{
	struct record r;

	record_start(&r, &icmp_dataset);
	r.time_ns = 1;
	icmp_of(&r)->type = type;
	r.src = (struct addr){ 6, { 0xfe, 0x80, [15] = src } };
	icmp_of(&r)->nd_target = (struct addr){ 6, { 0xfe, 0x80, [15] = target } };
	memcpy(icmp_of(&r)->nd_lladdr, "\2\0\0\0\0\7", 6);
	record_mark(&r, FIELD_ICMP_ND_LLADDR);
	record_mark(&r, FIELD_ICMP_ND_TARGET);
	g->take(g, &r);
}

static void neighbour_discovery_tells_whose_address_it_is(void **state)
{
	nd(135, 1, 2);		/* asks for 2: the link address is the asker's */
	nd(136, 1, 3);		/* advertises 3 */
	nd(134, 4, 9);
	nd(137, 5, 9);		/* a redirect tells of somebody else */
	LISTED("020000000007 fe80::4 fe80::3 fe80::1 nd 1-1");
}

static void dhcp(const char *type, const char *host, const char *fqdn, uint16_t asks)
{
	bool reply = !strcmp(type, "ack") || !strcmp(type, "offer");
	uint16_t list[] = { asks, 3 };
	struct record r;

	record_start(&r, &dhcp_dataset);
	r.time_ns = 1;
	dhcp_of(&r)->op_code = reply ? "bootreply" : "bootrequest";
	dhcp_of(&r)->message_type = type;
	memcpy(dhcp_of(&r)->client_mac, "\2\0\0\0\0\1", 6);
	dhcp_of(&r)->assigned_ip = (struct addr){ 4, { 10, 0, 0, 50 } };
	dhcp_of(&r)->hostname = (struct str){ host, (uint32_t)strlen(host) };
	dhcp_of(&r)->fqdn = (struct str){ fqdn, (uint32_t)strlen(fqdn) };
	dhcp_of(&r)->requested = (struct list){ list, 2 };
	record_mark(&r, FIELD_DHCPV4_OP);
	record_mark(&r, FIELD_DHCPV4_MESSAGE_TYPE);
	record_mark(&r, FIELD_DHCPV4_CLIENT_MAC);
	record_mark(&r, FIELD_DHCPV4_PARAMETERS);
	record_mark(&r, FIELD_DHCPV4_ASSIGNED_IP);
	if (*host)
		record_mark(&r, FIELD_DHCPV4_HOSTNAME);
	if (*fqdn)
		record_mark(&r, FIELD_DHCPV4_FQDN);
	g->take(g, &r);
}

static void dhcp_tells_name_address_and_fingerprint(void **state)
{
	dhcp("discover", "", "fox.lan", 1);
	LISTED("020000000001 name=fox.lan asks=1,3 dhcp 1-1");
	dhcp("offer", "server", "server.lan", 9);		/* an offer is not an address yet */
	dhcp("request", "fox", "", 6);
	dhcp("request", "", "other.lan", 6);			/* of less rank than the hostname */
	dhcp("ack", "server", "", 9);
	LISTED("020000000001 10.0.0.50 name=fox asks=6,3 dhcp 1-1");
}

static void dhcp6(const char *type, const char *duid, const char *smac)
{
	struct record r;

	record_start(&r, &dhcp_dataset);
	r.time_ns = 1;
	dhcp_of(&r)->message_type = type;
	r.src = (struct addr){ 6, { 0xfe, 0x80, [15] = 1 } };
	dhcp_of(&r)->assigned_ip = (struct addr){ 6, { 0xfd, [15] = 9 } };
	dhcp_of(&r)->client_duid = (struct str){ duid, (uint32_t)strlen(duid) };
	record_mark(&r, FIELD_DHCPV6_MESSAGE_TYPE);
	record_mark(&r, FIELD_DHCPV6_ASSIGNED_IP);
	record_mark(&r, FIELD_DHCPV6_CLIENT_DUID);
	memcpy(r.smac, smac, 6);
	record_mark(&r, FIELD_SRC_MAC);
	g->take(g, &r);
}

static void a_duid_can_tell_the_device(void **state)
{
	dhcp6("solicit", "00020000ab11", "\2\0\0\0\0\1");
	dhcp6("reply", "00030001020000000001", "\2\0\0\0\0\2");
	dhcp6("reply", "000100012a2b2c2d020000000003", "\2\0\0\0\0\2");
	dhcp6("reply", "0003000102000000000", "\2\0\0\0\0\2");	/* cut: nobody's */
	dhcp6("advertise", "00030001020000000004", "\2\0\0\0\0\2");
	LISTED("020000000001 fd00::9 fe80::1 dhcpv6 1-1", "020000000003 fd00::9 dhcpv6 1-1");
}

static void named(const char *protocol, const char *action, const char *name, const char *data, bool tunnel)
{
	struct dns_answer a = { .present = 0x1f, .name = { name, (uint32_t)strlen(name) }, .type = { "A", 1 },
				.data = { data, (uint32_t)strlen(data) } };
	static const char *const vxlan[] = { "vxlan" };
	struct record r;

	record_start(&r, &dns_dataset);
	r.time_ns = 1;
	r.protocol = protocol;
	r.action = action;
	r.src = (struct addr){ 4, { 10, 0, 0, 7 } };
	dns_of(&r)->answers = (struct list){ &a, 1 };
	memcpy(r.smac, "\2\0\0\0\0\7", 6);
	record_mark(&r, FIELD_PROTOCOL);
	record_mark(&r, FIELD_ACTION);
	record_mark(&r, FIELD_SRC_MAC);
	record_mark(&r, FIELD_DNS_ANSWERS);
	if (tunnel) {
		r.tunnel = (struct list){ vxlan, 1 };
		record_mark(&r, FIELD_TUNNEL);
	}
	g->take(g, &r);
}

static void only_its_own_name_counts(void **state)
{
	named("dns", "response", "far.example", "10.0.0.7", false);
	named("mdns", "query", "probe.local", "10.0.0.7", false);
	named("mdns", "response", "reflected.local", "10.0.0.70", false);
	named("mdns", "response", "inside.local", "10.0.0.7", true);
	assert_int_equal(g->rows(g, give, NULL), 0);
	LISTED();
	named("mdns", "response", "fox.local", "10.0.0.7", false);
	named("llmnr", "response", "fox", "10.0.0.7", false);
	LISTED("020000000007 10.0.0.7 name=fox mdns llmnr 1-1");
}

static void an_assigned_address_has_a_maker(void **state)
{
	static const char table[] = "00:0B:82\tgs\tMaker\n02:00:00\tx\tNobody\n";
	struct vendors *v;

	assert_int_equal(vendors_parse(&v, table, sizeof(table) - 1), 0);
	g->close(g);
	assert_int_equal(devices_open(&g, v, 4, 1), 0);
	arp(1, "\x00\x0b\x82\0\0\1", 1);
	arp(2, "\2\0\0\0\0\1", 2);	/* the bit says that nobody gave it out */
	LISTED("000b82000001 10.0.0.1 by=Maker arp 1-1", "020000000001 10.0.0.2 arp 2-2");
	vendors_close(v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_table, close_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_address_is_told_where_there_is_none),
		TEST(arp_tells_addresses),
		TEST(an_address_heard_again_moves_to_the_front),
		TEST(the_one_not_seen_for_longest_goes),
		TEST(a_flood_of_addresses_is_bounded_and_counted),
		TEST(neighbour_discovery_tells_whose_address_it_is),
		TEST(dhcp_tells_name_address_and_fingerprint),
		TEST(a_duid_can_tell_the_device),
		TEST(only_its_own_name_counts),
		TEST(an_assigned_address_has_a_maker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
