// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode/decode.h"
#include "text/line.h"
#include "frames.h"

/* Frames below the applications, and the lines that are said of them. */

enum { ETHERNET = 1, PPP = 9, RAW = 101 };

static struct decode *decode;
static struct line_state *lines;
static struct buf text;
static struct line_options options;

static int set_up(void **s)
{
	const struct decode_options opt = { .mode = DECODE_LINES, .seed = 7, .lines = true };

	return decode_open(&decode, &opt);
}

static int tear_down(void **s)
{
	decode_close(decode);
	buf_free(&text);
	return 0;
}

static int print(void *ctx, const struct record *r)
{
	line_print(lines, r, &text);
	buf_chr(&text, '\n');
	return 0;
}

static void says_cut(const struct build *b, uint16_t link, uint32_t cap, const char *want)
{
	struct frame f = frame_of(b, link);

	f.cap_len = cap;
	text.n = 0;
	assert_int_equal(line_open(&lines, &options), 0);
	assert_int_equal(decode_frame(decode, &f, print, NULL), 0);
	line_close(lines);
	assert_true(text.n > 0);
	text.p[text.n - 1] = '\0';
	assert_string_equal(text.p, want);
}

static void says(const struct build *b, uint16_t link, const char *want)
{
	says_cut(b, link, b->n, want);
}

#define ARP_BODY "\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\2"

static void put_arp(struct build *b, const char *head, const void *body, uint32_t n)
{
	put_eth(b, 0x0806);
	put(b, head, 8);
	put(b, body, n);
}

#define ARP_SAYS(head, body, want) \
	do { \
		struct build b = { .n = 0 }; \
		put_arp(&b, head, body, sizeof(body) - 1); \
		says(&b, ETHERNET, want); \
	} while (0)

static void arp_in_a_tunnel_keeps_the_header_around_it(void **s)
{
	struct build b = { .n = 0 };

	put_ip4(&b, 17, 8 + 8 + 14 + 28, 1, 0);
	put_udp(&b, 5555, 4789, 8 + 14 + 28);
	put(&b, "\x08\0\0\0\0\0\1\0", 8);
	put_arp(&b, "\0\1\x08\0\6\4\0\1", ARP_BODY, 20);
	says(&b, RAW, "IP 10.0.0.1.5555 > 10.0.0.2.4789: vxlan: ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28");
	/* Cut before its opcode it is no message, and the datagram is told. */
	says_cut(&b, RAW, b.n - 22, "IP 10.0.0.1.5555 > 10.0.0.2.4789: UDP, length 50");
}

static void arp_of_other_protocols_asks_for_no_ipv4_address(void **s)
{
	ARP_SAYS("\0\1\x25\0\6\4\0\1", ARP_BODY,
		 "ARP, Ethernet (len 6), Unknown Protocol (0x2500) (len 4), length 28");
	ARP_SAYS("\0\1\x86\xdd\6\2\0\1", "\1\1\1\1\1\1\0\0\2\2\2\2\2\2\0\0",
		 "ARP, Ethernet (len 6), IPv6 (len 2), length 24");
	ARP_SAYS("\0\x13\x08\0\x14\0\0\x08", ARP_BODY ARP_BODY, "ARP, ATM (len 20), IPv4 (len 0), length 48");
	ARP_SAYS("\0\x63\x08\0\0\4\0\1", "\x0a\0\0\1\x0a\0\0\2",
		 "ARP, Unknown Hardware (99) (len 0), IPv4 (len 4), length 16");
}

static void hardware_addresses_are_of_any_length(void **s)
{
	ARP_SAYS("\0\7\x08\0\1\4\0\2", "\5\x0a\0\0\1\6\x0a\0\0\2", "ARP, Reply 10.0.0.1 is-at 05, length 18");
	ARP_SAYS("\0\x20\x08\0\x14\4\0\1",
		 "\x80\0\0\4\xfe\x80\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x0a\0\0\1"
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\2",
		 "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 56");
	ARP_SAYS("\0\x20\x08\0\x14\4\0\2",
		 "\x80\0\0\4\xfe\x80\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x0a\0\0\1"
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\2",
		 "ARP, Reply 10.0.0.1 is-at 80:00:00:04:fe:80:00:00:00:00:00:00:00:01:02:03:04:05:06:07, length 56");
	ARP_SAYS("\x25\0\x08\0\6\4\0\1", "\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\x10\x0a\0\0\2",
		 "ARP, Request who-has 10.0.0.2 (00:00:00:00:00:10) tell 10.0.0.1, length 28");
}

static void arp_opcodes_have_their_shapes(void **s)
{
	ARP_SAYS("\0\1\x08\0\6\4\0\3", ARP_BODY,
		 "Reverse ARP, Request who-is 00:00:00:00:00:00 tell 02:00:00:00:00:01, length 28");
	ARP_SAYS("\0\1\x08\0\6\4\0\x08", ARP_BODY,
		 "ARP, Inverse Request who-is 00:00:00:00:00:00 tell 02:00:00:00:00:01, length 28");
	ARP_SAYS("\0\1\x08\0\6\4\0\x09", ARP_BODY,
		 "ARP, Inverse Reply 02:00:00:00:00:01 at 10.0.0.1, length 28");
	ARP_SAYS("\0\1\x08\0\6\4\0\x63", ARP_BODY, "ARP, Unknown (99), length 28");
	options.verbose = 1;
	ARP_SAYS("\0\7\x08\0\1\4\0\2", "\5\x0a\0\0\1\6\x0a\0\0\2",
		 "ARP, ArcNet (len 1), IPv4 (len 4), Reply 10.0.0.1 is-at 05, length 18");
	options.verbose = 0;
}

static void arp_without_its_addresses_is_marked(void **s)
{
	struct build cut = { .n = 0 };

	ARP_SAYS("\0\1\x08\0\6\4\0\1", "\2\0\0\0", "ARP, Request who-has ? tell ?, length 12 [|too-short]");
	put_arp(&cut, "\0\1\x08\0\6\4\0\1", ARP_BODY, 20);
	says_cut(&cut, ETHERNET, cut.n - 4, "ARP, Request who-has ? tell ?, length 28 [|truncated]");
}

static void a_message_carries_the_mark_of_its_packet(void **s)
{
	struct build b = { .n = 0 };

	put_ip4(&b, 1, 100, 1, 0);
	put(&b, "\x08\0\0\0\0\1\0\2", 8);
	says(&b, RAW, "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 2, length 100 [|bad-length]");
}

/* From 2001:db8::1 to 2001:db8::2, behind a hop-by-hop header when asked for. */
static void icmp6_says(bool hop_by_hop, const char *p, uint32_t n, const char *want)
{
	struct build b = { .n = 0 };

	put_ip6(&b, hop_by_hop ? 0 : 58, n + (hop_by_hop ? 8 : 0));
	if (hop_by_hop)
		put(&b, "\x3a\0\5\2\0\0\1\0", 8);
	put(&b, p, n);
	says(&b, RAW, want);
}

#define ICMP6_SAYS(hbh, p, want) icmp6_says(hbh, p, sizeof(p) - 1, "IP6 2001:db8::1 > 2001:db8::2: " want)
#define GROUP(last) "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0" last

static void a_redirect_has_both_its_addresses(void **s)
{
	ICMP6_SAYS(false,
		   "\x89\0\0\0\0\0\0\0\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\xca\xfe"
		   "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\xba\xbe",
		   "ICMP6, redirect, fe80::babe to fe80::cafe, length 40");
	ICMP6_SAYS(false, "\x89\0\0\0\0\0\0\0\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\xca\xfe",
		   "ICMP6, redirect, to fe80::cafe, length 24");
}

static void icmp4_says(const char *p, uint32_t n, const char *want)
{
	struct build b = { .n = 0 };

	put_ip4(&b, 1, n, 1, 0);
	put(&b, p, n);
	says(&b, RAW, want);
}

#define ICMP4_SAYS(p, want) icmp4_says(p, sizeof(p) - 1, "IP 10.0.0.1 > 10.0.0.2: ICMP " want)

static void a_parameter_problem_points_to_its_byte(void **s)
{
	ICMP4_SAYS("\x0c\0\0\0\x14\0\0\0", "parameter problem - octet 20, length 8");
	ICMP4_SAYS("\x0c\1\0\0\0\0\0\0", "parameter problem - code 1, length 8");
	ICMP6_SAYS(false, "\4\0\0\0\0\0\0\x30", "ICMP6, parameter problem, erroneous - octet 48, length 8");
	ICMP6_SAYS(false, "\4\1\0\0\0\0\0\6", "ICMP6, parameter problem, next header - octet 6, length 8");
	ICMP6_SAYS(false, "\4\2\0\0\0\1\0\0", "ICMP6, parameter problem, option - octet 65536, length 8");
	ICMP6_SAYS(false, "\4\x63\0\0\0\0\0\0", "ICMP6, parameter problem, code-#99 - octet 0, length 8");
}

static void extended_echo_is_known(void **s)
{
	ICMP4_SAYS("\x2a\0\0\0\0\x2a\7\1", "extended echo request, id 42, seq 7, length 8");
	ICMP4_SAYS("\x2b\0\0\0\0\x2a\7\x40", "extended echo reply, id 42, seq 7, length 8");
	ICMP4_SAYS("\x2b\2\0\0\0\x2a\7\0",
		   "extended echo reply - no such interface, id 42, seq 7, length 8");
	ICMP6_SAYS(false, "\xa0\0\0\0\0\x2a\7\1", "ICMP6, extended echo request, id 42, seq 7, length 8");
	ICMP6_SAYS(false, "\xa1\x63\0\0\0\x2a\7\0",
		   "ICMP6, extended echo reply - code 99, id 42, seq 7, length 8");
}

#define REPORT "\x8f\0\0\0\0\0\0\2\4\1\0\1" GROUP("\xfb") GROUP("\1") "\1\2\3\4\3\0\0\0" GROUP("\2")

static void listeners_name_their_groups(void **s)
{
	ICMP6_SAYS(true, REPORT, "HBH ICMP6, multicast listener report v2, 2 group record(s), length 68");
	options.verbose = 1;
	icmp6_says(true, REPORT, sizeof(REPORT) - 1,
		   "IP6 (hlim 64, next-header ICMPv6 (58) payload length: 76) 2001:db8::1 > 2001:db8::2: "
		   "HBH ICMP6, multicast listener report v2, 2 group record(s) [gaddr ff02::fb] [gaddr ff02::2],"
		   " length 68");
	options.verbose = 0;
	ICMP6_SAYS(true, "\x83\0\0\0\0\0\0\0" GROUP("\xfb"),
		   "HBH ICMP6, multicast listener report [gaddr ff02::fb], length 24");
	ICMP6_SAYS(false, "\x82\0\0\0\3\xe8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		   "ICMP6, multicast listener query, length 24");
}

static void pppoe_says(const char *p, uint32_t n, const char *want)
{
	struct build b = { .n = 0 };

	put_eth(&b, 0x8864);
	put(&b, "\x11\0\0\x11", 4);
	put16(&b, n);
	put(&b, p, n);
	put_zeros(&b, 20);
	says(&b, ETHERNET, want);
}

#define PPPOE_SAYS(p, want) pppoe_says(p, sizeof(p) - 1, "PPPoE  [ses 0x11] " want)

static void what_ppp_negotiates_has_its_name(void **s)
{
	PPPOE_SAYS("\xc0\x21\1\1\0\4", "LCP, Conf-Request (0x01), id 1, length 6");
	PPPOE_SAYS("\xc0\x21\x63\1\0\4", "LCP, Unknown (0x63), id 1, length 6");
	PPPOE_SAYS("\x80\x21\3\2\0\4", "IPCP, Conf-Nack (0x03), id 2, length 6");
	PPPOE_SAYS("\x80\x57\2\2\0\4", "IPV6CP, Conf-Ack (0x02), id 2, length 6");
	PPPOE_SAYS("\x80\xfd\x0e\2\0\4", "CCP, Reset-Req (0x0e), id 2, length 6");
	/* Names and passwords stay where they are. */
	PPPOE_SAYS("\xc0\x23\1\1\0\x0c\3\1\1\1\3\2\2\2", "PAP, Auth-Req (0x01), id 1, length 14");
	PPPOE_SAYS("\xc2\x23\4\1\0\4", "CHAP, Fail (0x04), id 1, length 6");
	PPPOE_SAYS("\xc2\x27\3\1\0\4", "EAP, Success (0x03), id 1, length 6");
	PPPOE_SAYS("\xc0\x25\0\0\0\0", "LQR, length 6");
	PPPOE_SAYS("\xc0\x21\1", "LCP, length 3");
	PPPOE_SAYS("\x40\x21\0\0", "PPP protocol 0x4021, length 4");
}

static void ppp_in_other_links_is_never_802_2(void **s)
{
	struct build b = { .n = 0 };

	put(&b, "\xff\3\xc0\x21\x09\1\0\x08\0\0\0\0", 12);
	says(&b, PPP, "LCP, Echo-Request (0x09), id 1, length 10");
	b.n = 0;
	put_ip4(&b, 47, 12 + 12, 1, 0);
	put(&b, "\x30\1\x88\x0b\0\x0c\0\1\0\0\0\1", 12);
	put(&b, "\xff\3\xc2\x23\1\x09\0\x08\4\1\2\3", 12);
	says(&b, RAW, "IP 10.0.0.1 > 10.0.0.2: gre: CHAP, Challenge (0x01), id 9, length 10");
	b.n = 0;
	put_ip4(&b, 17, 8 + 6 + 12, 1, 0);
	put_udp(&b, 5555, 1701, 6 + 12);
	put(&b, "\0\2\0\1\0\1\xff\3\xc0\x21\x0a\1\0\x08\0\0\0\0", 18);
	says(&b, RAW, "IP 10.0.0.1.5555 > 10.0.0.2.1701: l2tp: LCP, Echo-Reply (0x0a), id 1, length 10");
	/* A number that says nothing does not make a tunnel. */
	b.p[37] = 0x77;
	says(&b, RAW, "IP 10.0.0.1.5555 > 10.0.0.2.1701: UDP, length 18");
}

static void rare_ethertypes_have_names(void **s)
{
	static const struct {
		uint16_t type;
		const char *line;
	} rare[] = {
		{ 0x0bad, "VINES, length 46" },	  { 0x6007, "SCA, length 46" },	   { 0x88ca, "TIPC, length 46" },
		{ 0x88ee, "E-LMI, length 46" },	  { 0x8915, "RoCE, length 46" },   { 0x8917, "802.21 MIH, length 46" },
		{ 0xaefe, "eCPRI, length 46" },	  { 0xb7ea, "GRE control, length 46" }, { 0xcafe, "LLT, length 46" },
	};
	struct build b = { .n = 0 };

	for (unsigned int i = 0; i < sizeof(rare) / sizeof(rare[0]); i++) {
		b.n = 0;
		put_eth(&b, rare[i].type);
		put_zeros(&b, 46);
		says(&b, ETHERNET, rare[i].line);
	}
	b.n = 0;
	put_ip4(&b, 47, 4 + 8 + 28, 1, 0);
	put(&b, "\0\0\x89\x09\1\1\0\1\0\x2a\x08\0", 12);
	put_ip4(&b, 17, 8, 1, 0);
	put_udp(&b, 5, 6, 0);
	says(&b, RAW, "IP 10.0.0.1 > 10.0.0.2: gre: IP 10.0.0.1.5 > 10.0.0.2.6: UDP, length 0");
}

static void put_small_datagram(struct build *b)
{
	put_ip4(b, 17, 8, 1, 0);
	put_udp(b, 5, 6, 0);
}

#define DATAGRAM "IP 10.0.0.1.5 > 10.0.0.2.6: UDP, length 0"

static void mpls_labels_are_told(void **s)
{
	struct build b = { .n = 0 };

	put_eth(&b, 0x8847);
	put(&b, "\0\1\xd0\xff\0\2\x11\x0a", 8);
	put_small_datagram(&b);
	says(&b, ETHERNET, "MPLS (label 29, tc 0, ttl 255) (label 33, tc 0, [S], ttl 10) " DATAGRAM);
	b.n = 0;
	put_ip4(&b, 17, 8 + 4 + 28, 1, 0);
	put_udp(&b, 5555, 6635, 4 + 28);
	put(&b, "\0\6\x4f\x40", 4);
	put_small_datagram(&b);
	says(&b, RAW, "IP 10.0.0.1.5555 > 10.0.0.2.6635: MPLS (label 100, tc 7, [S], ttl 64) " DATAGRAM);
	b.n = 0;
	put_eth(&b, 0x8847);
	put(&b, "\0\6\x41\x40\0\0\0\0", 8);
	put_eth(&b, 0x8847);
	put(&b, "\0\x0c\x81\x40", 4);
	put_small_datagram(&b);
	says(&b, ETHERNET, "MPLS (label 100, tc 0, [S], ttl 64) MPLS (label 200, tc 0, [S], ttl 64) " DATAGRAM);
}

/* What the first IP header is in does not stand behind it. */
static void what_lies_before_ip_is_not_told_behind_it(void **s)
{
	struct build b = { .n = 0 };

	put_eth(&b, 0x8864);
	put(&b, "\x11\0\0\x11\0\x32\0\x21", 8);
	put_ip4(&b, 4, 28, 1, 0);
	put_small_datagram(&b);
	says(&b, ETHERNET, "IP 10.0.0.1 > 10.0.0.2: " DATAGRAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_in_a_tunnel_keeps_the_header_around_it),
		cmocka_unit_test(arp_of_other_protocols_asks_for_no_ipv4_address),
		cmocka_unit_test(hardware_addresses_are_of_any_length),
		cmocka_unit_test(arp_opcodes_have_their_shapes),
		cmocka_unit_test(arp_without_its_addresses_is_marked),
		cmocka_unit_test(a_message_carries_the_mark_of_its_packet),
		cmocka_unit_test(a_redirect_has_both_its_addresses),
		cmocka_unit_test(a_parameter_problem_points_to_its_byte),
		cmocka_unit_test(extended_echo_is_known),
		cmocka_unit_test(listeners_name_their_groups),
		cmocka_unit_test(what_ppp_negotiates_has_its_name),
		cmocka_unit_test(ppp_in_other_links_is_never_802_2),
		cmocka_unit_test(rare_ethertypes_have_names),
		cmocka_unit_test(mpls_labels_are_told),
		cmocka_unit_test(what_lies_before_ip_is_not_told_behind_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
