// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/dns/fields.h"
#include "decode/packet.h"
#include "frames.h"
#include "numbers/ipproto.h"

enum { ETHERNET = 1, RAW = 101, SLL = 113, SLL2 = 276, RADIOTAP = 127, NULL_LINK = 0, PPP = 9 };

static struct packet_state *state;

static int open_state(void **s)
{
	return packet_open(&state);
}

static int close_state(void **s)
{
	packet_close(state);
	return 0;
}

static struct packet walk(const struct build *b, uint16_t link)
{
	static struct frame f;
	struct packet pk;

	f = frame_of(b, link);
	packet_walk(state, &pk, &f);
	return pk;
}

/* Ethernet, IPv4, UDP 1 > 2 with four bytes, whatever stood before. */
static void put_datagram(struct build *b)
{
	put_ip4(b, 17, 12, 7, 0x4000);
	put_udp(b, 1, 2, 4);
	put(b, "abcd", 4);
}

static void is_datagram(const struct packet *pk)
{
	assert_null(pk->malformed);
	assert_int_equal(pk->ip.version, 4);
	assert_int_equal(pk->ip.proto, 17);
	assert_true(pk->ip.has_ports);
	assert_int_equal(pk->ip.sport, 1);
	assert_int_equal(pk->ip.dport, 2);
	assert_int_equal(pk->payload_len, 4);
	assert_memory_equal(pk->payload, "abcd", 4);
}

static void ethernet_padding_is_not_payload(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_eth(&b, 0x0800);
	put_datagram(&b);
	put_zeros(&b, 14);
	pk = walk(&b, ETHERNET);
	is_datagram(&pk);
	assert_int_equal(pk.l4_len, 12);
	assert_int_equal(pk.smac[5], 1);
	assert_int_equal(pk.dmac[5], 2);
}

static void any_stack_of_tags_is_walked(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;
	unsigned int i;

	put_eth(&b, 0x88a8);
	for (i = 0; i < 10; i++) {
		put16(&b, 0xe000 + i);
		put16(&b, i < 9 ? 0x8100 : 0x0800);
	}
	put_datagram(&b);
	pk = walk(&b, ETHERNET);
	is_datagram(&pk);
	assert_int_equal(pk.vlans, PACKET_VLANS_MAX);
	assert_int_equal(pk.vlan[0], 0);
	assert_int_equal(pk.vlan[7], 7);
}

static void a_stack_without_end_is_too_deep(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;
	unsigned int i;

	put_eth(&b, 0x8100);
	for (i = 0; i < 200; i++)
		put32(&b, 0x00018100);
	pk = walk(&b, ETHERNET);
	assert_string_equal(pk.malformed, "too-deep");
}

static void mpls_and_pppoe_lead_to_ip(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_eth(&b, 0x8847);
	put32(&b, 16 << 12 | 64);
	put32(&b, 17 << 12 | 0x100 | 64);
	put_datagram(&b);
	pk = walk(&b, ETHERNET);
	is_datagram(&pk);
	assert_int_equal(pk.tunnels, 0);
	b.n = 0;
	put_eth(&b, 0x8864);
	put16(&b, 0x1100);
	put16(&b, 9);
	put16(&b, 34);
	put16(&b, 0x21);
	put_datagram(&b);
	put_zeros(&b, 6);
	pk = walk(&b, ETHERNET);
	is_datagram(&pk);
}

static void every_kind_of_link_leads_to_ip(void **s)
{
	static const struct { uint16_t link; uint32_t n; const char *before; } links[] = {
		{ RAW, 0, "" },
		{ NULL_LINK, 4, "\2\0\0\0" },
		{ NULL_LINK, 4, "\0\0\0\2" },
		{ SLL, 16, "\0\4\0\1\0\6\2\0\0\0\0\1\0\0\x08\0" },
		{ SLL2, 20, "\x08\0\0\0\0\0\0\2\0\1\0\6\2\0\0\0\0\1\0\0" },
		{ PPP, 4, "\xff\3\0\x21" },
		{ PPP, 1, "\x21" },
		{ 104, 4, "\x0f\0\x08\0" },
		{ RADIOTAP, 8 + 26 + 8, "\0\0\x08\0\0\0\0\0" "\x88\1\0\0AAAAAASSSSSSDDDDDD\0\0\0\0"
		  "\xaa\xaa\3\0\0\0\x08\0" },
		{ 239, 8, "\2\0\0\0\x24\0\x09\0" },
		{ 239, 8, "\2\0\0\0\0\1\x09\0" },	/* 256: its low byte is below the high one */
		{ 239, 8, "\2\0\0\0\1\0\0\x09" },
		{ 109, 12, "\2\0\0\0\0\0\x10\0\0\0\x30\0" },
		{ 109, 12, "\0\0\0\2\0\x10\0\0\0\x30\0\0" },
		{ 166, 4, "\1\3\0\x21" },
		{ 166, 2, "\0\x21" },
		{ 204, 5, "\1\xff\3\0\x21" },
		{ 258, 12, "\x0c\0\0\0\1\0\0\0\x0c\0\0\0" },
		{ 258, 12, "\0\0\0\x0c\0\0\0\1\0\0\0\x0c" },
		{ 107, 4, "\x18\x41\3\xcc" },
		{ 106, 8, "\xaa\xaa\3\0\0\0\x08\0" },
		{ 106, 0, "" },
		{ 138, 18, "DDDDDDDDSSSSSSSS\x08\0" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct build b = { .n = 0 };
		struct packet pk;

		put(&b, links[i].before, links[i].n);
		put_datagram(&b);
		pk = walk(&b, links[i].link);
		is_datagram(&pk);
	}
}

static void ipv4_options_are_stepped_over(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_datagram(&b);
	memmove(b.p + 24, b.p + 20, 12);
	memset(b.p + 20, 1, 4);
	b.p[0] = 0x46;
	b.p[3] += 4;
	b.n += 4;
	pk = walk(&b, RAW);
	is_datagram(&pk);
}

static void a_length_of_zero_means_the_rest(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_datagram(&b);
	b.p[2] = b.p[3] = 0;
	pk = walk(&b, RAW);
	is_datagram(&pk);
	assert_int_equal(pk.ip_len, 32);
}

static void every_ipv6_extension_header_is_walked(void **s)
{
	static const uint8_t chain[] = { 0, 60, 43, 44, 51, 135, 139, 140, 60 };
	struct build b = { .n = 0 };
	struct packet pk;
	unsigned int i;

	put_ip6(&b, chain[0], sizeof(chain) * 8 + 12);
	for (i = 0; i < sizeof(chain); i++) {
		uint8_t next = i + 1 < sizeof(chain) ? chain[i + 1] : 17;

		/* An atomic fragment (RFC 6946), and AH, whose length counts differently. */
		put(&b, (uint8_t[]){ next, 0, 0, 0, 0, 0, 0, 0 }, 8);
	}
	put_udp(&b, 1, 2, 4);
	put(&b, "abcd", 4);
	pk = walk(&b, RAW);
	assert_null(pk.malformed);
	assert_int_equal(pk.ip.proto, 17);
	assert_int_equal(pk.ip.dport, 2);
	assert_false(pk.is_fragment);
}

static void a_jumbo_payload_has_its_length_in_an_option(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_ip6(&b, 0, 0);
	put(&b, "\x11\0\xc2\4\0\1\0\0", 8);
	put_udp(&b, 1, 2, 0);
	b.p[b.n - 4] = b.p[b.n - 3] = 0;
	pk = walk(&b, RAW);
	assert_int_equal(pk.ip_len, 65536 + 40);
	assert_int_equal(pk.ip.dport, 2);
	assert_int_equal(pk.payload_len, 65536 - 16);
}

struct tunnel {
	const char *name;
	uint8_t proto;
	uint16_t port;
	uint32_t n;
	const char *header;
	bool ethernet;
};

static const struct tunnel tunnels[] = {
	{ "ipip", 4, 0, 0, "", false },
	{ "gre", 47, 0, 4, "\0\0\x08\0", false },
	{ "gre", 47, 0, 16, "\xb0\0\x08\0\0\0\0\0\0\0\0\1\0\0\0\2", false },
	{ "gre", 47, 0, 4, "\0\0\x65\x58", true },
	{ "gre ppp", 47, 0, 18, "\x30\x81\x88\x0b\0\x24\0\1\0\0\0\1\0\0\0\2\0\x21", false },
	{ "gre erspan", 47, 0, 4, "\0\0\x88\xbe", true },
	{ "gre erspan", 47, 0, 16, "\x10\0\x88\xbe\0\0\0\1\x10\1\0\0\0\0\0\0", true },
	{ "gre erspan", 47, 0, 20, "\x10\0\x22\xeb\0\0\0\1\x20\1\0\0\0\0\0\0\0\0\0\0", true },
	{ "gre mpls", 47, 0, 8, "\0\0\x88\x47\0\1\1\x40", false },
	{ "mpls", 137, 0, 8, "\0\1\1\x40\0\0\0\0", true },
	{ "etherip", 97, 0, 2, "\x30\0", true },
	{ "l2tp", 115, 0, 4, "\0\0\0\1", true },
	{ "l2tp", 115, 0, 8, "\0\0\0\1\0\0\0\0", true },
	{ "vxlan", 17, 4789, 8, "\x08\0\0\0\0\0\1\0", true },
	{ "vxlan", 17, 8472, 8, "\x08\0\0\0\0\0\1\0", true },
	{ "vxlan", 17, 4790, 8, "\x0c\0\0\1\0\0\1\0", false },
	{ "vxlan nsh", 17, 4790, 16, "\x0c\0\0\4\0\0\1\0\0\2\2\1\0\0\1\0", false },
	{ "geneve", 17, 6081, 12, "\1\0\x65\x58\0\0\1\0\1\2\3\4", true },
	{ "geneve", 17, 6081, 8, "\0\0\x08\0\0\0\1\0", false },
	{ "gtp", 17, 2152, 8, "\x30\xff\0\x20\0\0\0\1", false },
	{ "gtp", 17, 2152, 16, "\x34\xff\0\x28\0\0\0\1\0\0\0\x85\1\0\0\0", false },
	{ "l2tp ppp", 17, 1701, 10, "\0\2\0\1\0\1\xff\3\0\x21", false },
	{ "l2tp", 17, 1701, 8, "\0\3\0\0\0\0\0\1", true },
	{ "lisp", 17, 4341, 8, "\0\0\0\0\0\0\0\0", false },
	{ "mpls", 17, 6635, 4, "\0\1\1\x40", false },
	{ "gre", 17, 4754, 4, "\0\0\x08\0", false },
};

static void put_tunnel(struct build *b, const struct tunnel *t)
{
	uint32_t len = t->n + (t->ethernet ? 14 : 0) + 32;

	put_ip4(b, t->proto, len + (t->port ? 8 : 0), 1, 0);
	if (t->port)
		put_udp(b, 5555, t->port, len);
	put(b, t->header, t->n);
	if (t->ethernet)
		put_eth(b, 0x0800);
	put_datagram(b);
}

static void every_tunnel_is_entered(void **s)
{
	unsigned int i, j;

	for (i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		struct build b = { .n = 0 };
		char names[64] = "";
		struct packet pk;

		put_tunnel(&b, &tunnels[i]);
		pk = walk(&b, RAW);
		for (j = 0; j < pk.tunnels; j++)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
				 j ? " " : "", pk.tunnel[j]);
		assert_string_equal(names, tunnels[i].name);
		is_datagram(&pk);
		assert_true(pk.has_outer);
		assert_int_equal(pk.outer.proto, tunnels[i].proto);
		assert_int_equal(pk.outer.dport, tunnels[i].port);
	}
}

static void teredo_finds_its_ipv6(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_ip4(&b, 17, 8 + 8 + 48, 1, 0);
	put_udp(&b, 5555, 3544, 8 + 48);
	put(&b, "\0\0\1\2\3\4\5\6", 8);
	put_ip6(&b, 17, 8);
	put_udp(&b, 1, 2, 0);
	pk = walk(&b, RAW);
	assert_int_equal(pk.ip.version, 6);
	assert_string_equal(pk.tunnel[0], "teredo");
	assert_int_equal(pk.ip.dport, 2);
}

static void the_addresses_of_an_icmp_error_are_its_own(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_ip4(&b, 1, 8 + 32, 1, 0);
	put(&b, "\3\3\0\0\0\0\0\0", 8);
	put_datagram(&b);
	pk = walk(&b, RAW);
	assert_int_equal(pk.ip.proto, 1);
	assert_false(pk.ip.has_ports);
	assert_false(pk.has_outer);
	assert_int_equal(pk.l4_len, 40);
}

static void what_is_not_a_tunnel_stays_a_payload(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_ip4(&b, 17, 8 + 5, 1, 0);
	put_udp(&b, 5555, 4789, 5);
	put(&b, "hello", 5);
	pk = walk(&b, RAW);
	assert_null(pk.malformed);
	assert_false(pk.has_outer);
	assert_int_equal(pk.ip.dport, 4789);
	assert_int_equal(pk.payload_len, 5);
}

static void an_unknown_ethertype_is_named_and_counted(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;
	uint64_t before = packet_counts(state)->unknown;

	put_eth(&b, 0x4242);
	put_zeros(&b, 46);
	pk = walk(&b, ETHERNET);
	assert_int_equal(pk.ethertype, 0x4242);
	assert_string_equal(pk.malformed, "unknown-ethertype");
	assert_int_equal(packet_counts(state)->unknown, before + 1);
}

static void lies_in_an_ip_header_are_words(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;

	put_datagram(&b);
	b.p[0] = 0x44;
	pk = walk(&b, RAW);
	assert_string_equal(pk.malformed, "bad-length");
	assert_int_equal(pk.ip.version, 0);
	b.p[0] = 0x55;
	pk = walk(&b, RAW);
	assert_string_equal(pk.malformed, "bad-version");
	b.p[0] = 0x45;
	b.p[3] = 200;
	pk = walk(&b, RAW);
	assert_string_equal(pk.malformed, "bad-length");
	assert_int_equal(pk.ip.dport, 2);
}

static void a_packet_record_says_all_that_was_found(void **s)
{
	struct build b = { .n = 0 };
	struct packet pk;
	struct record r;

	put_eth(&b, 0x8100);
	put16(&b, 5);
	put16(&b, 0x0800);
	put_ip4(&b, 6, 20, 7, 0x4000);
	put_tcp(&b, 1234, 80, 0x12, 1, 2, "", 0);
	pk = walk(&b, ETHERNET);
	memset(&r, 0x5a, sizeof(r));
	packet_record(&pk, &r, &packet_dataset);
	assert_string_equal(r.tcp_flags, "AS");
	assert_string_equal(r.transport, "tcp");
	assert_string_equal(r.net_type, "ipv4");
	assert_int_equal(r.sport, 1234);
	assert_int_equal(r.ip_len, 40);
	assert_int_equal(((const uint16_t *)r.vlan.p)[0], 5);
	assert_true(record_has(&r, FIELD_SRC_MAC) && record_has(&r, FIELD_IP_DF));
	assert_false(record_has(&r, FIELD_TUNNEL) || record_has(&r, FIELD_FRAG_MORE) ||
		     record_has(&r, FIELD_MALFORMED) || record_has(&r, FIELD_OUTER_SRC_IP));
	packet_record(&pk, &r, &dns_dataset);
	assert_true(record_has(&r, FIELD_SRC_PORT) && record_has(&r, FIELD_VLAN));
	assert_false(record_has(&r, FIELD_SRC_MAC) || record_has(&r, FIELD_FRAME_LEN) ||
		     record_has(&r, FIELD_IP_TTL));
}

static void every_protocol_number_has_a_name(void **s)
{
	assert_string_equal(ipproto_name(6), "tcp");
	assert_string_equal(ipproto_name(58), "ipv6-icmp");
	assert_string_equal(ipproto_name(4), "ipip");
	assert_string_equal(ipproto_name(253), "253");
	assert_string_equal(ipproto_name(62), "62");
	assert_string_equal(ipproto_name(255), "255");
}

/* Cut anywhere, with and without the wire length telling, nothing is read past the end. */
static void sweep(const struct build *b, uint16_t link)
{
	struct packet pk;
	struct record r;
	uint32_t n;

	for (n = 0; n <= b->n; n++) {
		uint8_t *copy = malloc(n ? n : 1);
		struct frame f = frame_of(b, link);

		memcpy(copy, b->p, n);
		f.data = copy;
		f.cap_len = n;
		packet_walk(state, &pk, &f);
		packet_record(&pk, &r, &packet_dataset);
		f.len = n;
		packet_walk(state, &pk, &f);
		packet_record(&pk, &r, &drop_dataset);
		free(copy);
	}
}

static void every_truncation_is_safe(void **s)
{
	static const uint16_t links[] = {
		0, 1, 6, 7, 8, 9, 10, 50, 51, 100, 101, 104, 105, 106, 107, 108, 109, 113, 117, 119, 122, 123,
		127, 129, 138, 163, 166, 192, 204, 205, 206, 219, 226, 239, 242, 258, 276, 281, 282, 284,
		285, 4242,
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		struct build b = { .n = 0 };

		put_eth(&b, 0x8100);
		put16(&b, 1);
		put16(&b, 0x0800);
		put_tunnel(&b, &tunnels[i]);
		for (j = 0; j < sizeof(links) / sizeof(links[0]); j++)
			sweep(&b, links[j]);
		memmove(b.p, b.p + 18, b.n - 18);
		b.n -= 18;
		sweep(&b, RAW);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet_padding_is_not_payload),
		cmocka_unit_test(any_stack_of_tags_is_walked),
		cmocka_unit_test(a_stack_without_end_is_too_deep),
		cmocka_unit_test(mpls_and_pppoe_lead_to_ip),
		cmocka_unit_test(every_kind_of_link_leads_to_ip),
		cmocka_unit_test(ipv4_options_are_stepped_over),
		cmocka_unit_test(a_length_of_zero_means_the_rest),
		cmocka_unit_test(every_ipv6_extension_header_is_walked),
		cmocka_unit_test(a_jumbo_payload_has_its_length_in_an_option),
		cmocka_unit_test(every_tunnel_is_entered),
		cmocka_unit_test(teredo_finds_its_ipv6),
		cmocka_unit_test(the_addresses_of_an_icmp_error_are_its_own),
		cmocka_unit_test(what_is_not_a_tunnel_stays_a_payload),
		cmocka_unit_test(an_unknown_ethertype_is_named_and_counted),
		cmocka_unit_test(lies_in_an_ip_header_are_words),
		cmocka_unit_test(a_packet_record_says_all_that_was_found),
		cmocka_unit_test(every_protocol_number_has_a_name),
		cmocka_unit_test(every_truncation_is_safe),
	};

	return cmocka_run_group_tests(tests, open_state, close_state);
}
