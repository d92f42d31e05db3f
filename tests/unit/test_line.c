// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decode/arp/fields.h"
#include "decode/dns/fields.h"
#include "decode/http/fields.h"
#include "decode/icmp/fields.h"
#include "decode/protocol.h"
#include "text/line.h"
#include "decode/packet.h"
#include "frames.h"

enum { ETHERNET = 1, RAW = 101 };

static struct packet_state *state;
static struct buf line;

static int open_state(void **s)
{
	return packet_open(&state);
}

static int close_state(void **s)
{
	packet_close(state);
	buf_free(&line);
	return 0;
}

static struct line_state *lines_with(struct line_options opt)
{
	struct line_state *ls;

	assert_int_equal(line_open(&ls, &opt), 0);
	return ls;
}

static void record_says(struct line_state *ls, const struct record *r, const char *want)
{
	line.n = 0;
	line_print(ls, r, &line);
	buf_chr(&line, '\0');
	assert_string_equal(line.p, want);
}

static void frame_says(struct line_state *ls, const struct build *b, uint16_t link, const char *want)
{
	struct frame f = frame_of(b, link);
	struct packet pk;
	struct record r;

	memset(&r, 0x5a, sizeof(r));
	packet_walk(state, &pk, &f);
	packet_record(&pk, &r, &packet_dataset);
	record_says(ls, &r, want);
}

#define OPTIONS "\2\4\5\xb4\4\2\x08\n\0\0\0\1\0\0\0\0\1\3\3\7"

static void tcp_says(struct line_state *ls, bool back, uint8_t flags, uint32_t seq, uint32_t ack,
		     const char *options, uint32_t on, uint32_t payload, const char *want)
{
	struct build b = { .n = 0 };

	put_ip4(&b, 6, 20 + on + payload, 1, 0x4000);
	if (back) {
		b.p[15] = 2;
		b.p[19] = 1;
	}
	put_tcp(&b, back ? 80 : 1234, back ? 1234 : 80, flags, seq, ack, options, on);
	put_zeros(&b, payload);
	frame_says(ls, &b, RAW, want);
}

static void a_connection_counts_from_its_first_numbers(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });

	tcp_says(ls, false, 2, 1000, 0, OPTIONS, 20, 0,
		 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1000, win 64240, "
		 "options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0");
	tcp_says(ls, true, 0x12, 5000, 1001, "", 0, 0,
		 "IP 10.0.0.2.80 > 10.0.0.1.1234: Flags [S.], seq 5000, ack 1001, win 64240, length 0");
	tcp_says(ls, false, 0x10, 1001, 5001, "", 0, 0,
		 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [.], ack 1, win 64240, length 0");
	tcp_says(ls, false, 0x18, 1001, 5001, "", 0, 5,
		 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [P.], seq 1:6, ack 1, win 64240, length 5");
	tcp_says(ls, true, 0x10, 5001, 1001, "\1\1\5\x0a\0\0\3\xeb\0\0\3\xed", 12, 0,
		 "IP 10.0.0.2.80 > 10.0.0.1.1234: Flags [.], ack 1, win 64240, "
		 "options [nop,nop,sack 1 {3:5}], length 0");
	tcp_says(ls, true, 0x14, 5001, 1006, "", 0, 0,
		 "IP 10.0.0.2.80 > 10.0.0.1.1234: Flags [R.], seq 1, ack 6, win 64240, length 0");
	line_close(ls);
}

static void options_change_the_shape(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ .absolute_seq = true });

	tcp_says(ls, false, 0x18, 1001, 5001, "", 0, 5,
		 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [P.], seq 1001:1006, ack 5001, win 64240, length 5");
	line_close(ls);
	ls = lines_with((struct line_options){ .quiet = true });
	tcp_says(ls, false, 0x18, 1001, 5001, "", 0, 5, "IP 10.0.0.1.1234 > 10.0.0.2.80: tcp 5");
	line_close(ls);
	ls = lines_with((struct line_options){ .verbose = 1 });
	tcp_says(ls, false, 0x10, 1001, 5001, "", 0, 0,
		 "IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length 40) "
		 "10.0.0.1.1234 > 10.0.0.2.80: Flags [.], ack 5001, win 64240, length 0");
	line_close(ls);
}

/* Cut at the snap length: what there was is known from the length of the datagram. */
static void options_that_are_cut_say_so_and_spoil_no_number(void **s)
{
	static const struct { uint32_t cap; const char *options; } cuts[] = {
		{ 40, " [|tcp]" }, { 41, " [|tcp]" }, { 42, "mss [|tcp]" }, { 43, "mss [|tcp]" }, { 44, "mss 1460, [|tcp]" },
		{ 46, "mss 1460,sackOK, [|tcp]" }, { 48, "mss 1460,sackOK,TS [|tcp]" },
		{ 57, "mss 1460,sackOK,TS val 1 ecr 0,nop, [|tcp]" },
	};
	struct line_state *ls = lines_with((struct line_options){ .absolute_seq = true });

	for (unsigned int i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct build b = { .n = 0 };
		struct packet pk;
		struct record r;
		struct frame f;
		char want[200];

		put_ip4(&b, 6, 20 + 20 + 7, 1, 0x4000);
		put_tcp(&b, 1234, 80, 0x18, 1000, 5, OPTIONS, 20);
		put_zeros(&b, 7);
		f = frame_of(&b, RAW);
		f.cap_len = cuts[i].cap;
		packet_walk(state, &pk, &f);
		packet_record(&pk, &r, &packet_dataset);
		assert_true(record_has(&r, FIELD_PAYLOAD_LEN));
		assert_int_equal(r.payload_len, 7);
		snprintf(want, sizeof(want),
			 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [P.], seq 1000:1007, ack 5, win 64240, options [%s",
			 cuts[i].options);
		record_says(ls, &r, want);
		/* Before it is told where the header ends, nobody knows. */
		f.cap_len = 32;
		packet_walk(state, &pk, &f);
		packet_record(&pk, &r, &packet_dataset);
		assert_false(record_has(&r, FIELD_PAYLOAD_LEN));
	}
	line_close(ls);
}

/* As decoders start one. */
static void message_record(const struct packet *pk, struct record *r, const struct dataset *set)
{
	static struct record packet;
	struct emit e = { .packet = &packet };
	struct call call = { .pk = pk, .e = &e };

	memset(&packet, 0x5a, sizeof(packet));
	call_record(&call, r, set);
}

static void a_segment_that_is_a_message_counts_for_the_numbers(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct build b = { .n = 0 };
	struct packet pk;
	struct record r;
	struct frame f;

	put_ip4(&b, 6, 20 + 5, 1, 0x4000);
	put_tcp(&b, 1234, 80, 0x18, 1001, 5001, "", 0);
	put_zeros(&b, 5);
	f = frame_of(&b, RAW);
	memset(&r, 0, sizeof(r));
	packet_walk(state, &pk, &f);
	message_record(&pk, &r, &http_dataset);
	r.action = "request";
	memset(r.own, 0, sizeof(r.own));
	http_of(&r)->version = "1.1";
	line.n = 0;
	line_print(ls, &r, &line);
	tcp_says(ls, true, 0x10, 5001, 1006, "", 0, 0,
		 "IP 10.0.0.2.80 > 10.0.0.1.1234: Flags [.], ack 5, win 64240, length 0");
	line_close(ls);
}

static void multipath_options_have_names(void **s)
{
	static const struct { const char *option; uint32_t n; const char *want; } tries[] = {
		{ "\x1e\4\x81\1", 4, "mptcp 4 unknown" },
		{ "\x1e\4\1\0", 4, "mptcp 4 capable v1" },
		{ "\x1e\x0c\1\x81" "12345678", 12, "mptcp 12 capable v1 csum {0x3132333435363738}" },
		{ "\x1e\x8\x20\1\0\0\1\0", 8, "mptcp 8 dss ack 256" },
		{ "\x1e\x10\x20\x14\0\0\0\1\0\0\0\2\0\3\0\0", 16, "mptcp 16 dss fin seq 1 subseq 2 len 3" },
		{ "\x1e\4\x20\x1f", 4, "mptcp 4 dss" },
		{ "\x1e\4\x50\1", 4, "mptcp 4 prio" },
		{ "\x1e\4\x70\1", 4, "mptcp 4 fast-close" },
	};
	struct line_state *ls = lines_with((struct line_options){ .absolute_seq = true });
	char want[200];

	for (unsigned int i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		snprintf(want, sizeof(want),
			 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [.], ack 5, win 64240, options [%s], length 0",
			 tries[i].want);
		tcp_says(ls, false, 0x10, 1, 5, tries[i].option, tries[i].n, 0, want);
	}
	line_close(ls);
}

static void what_is_authenticated_is_said_after_the_header(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct build b = { .n = 0 };
	struct packet pk;
	struct record r;
	struct frame f;

	put_ip4(&b, 51, 24 + 8 + 4, 1, 0x4000);
	put(&b, "\x11\4\0\0\0\0\1\2\0\0\0\7" "0123456789ab", 24);
	put_udp(&b, 4000, 9, 4);
	put_zeros(&b, 4);
	frame_says(ls, &b, RAW, "IP 10.0.0.1.4000 > 10.0.0.2.9: AH(spi=0x00000102,seq=0x7): UDP, length 4");
	f = frame_of(&b, RAW);
	packet_walk(state, &pk, &f);
	packet_record(&pk, &r, &packet_dataset);
	assert_true(record_has(&r, FIELD_AH_SPI));
	assert_int_equal(r.ah_spi, 0x102);
	assert_int_equal(r.dport, 9);
	line_close(ls);
}

/* Nor is an address printed that is not there. */
static void a_header_that_is_cut_is_one_of_ip(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });

	for (unsigned int version = 4; version <= 6; version += 2) {
		for (uint32_t cap = 1; cap < (version == 4 ? 20 : 40); cap++) {
			uint8_t h[40] = { (uint8_t)(version << 4 | 5), 0, 0, 40, [9] = 6 };
			struct frame f = { .data = h, .cap_len = cap, .len = 60, .link = RAW };
			struct packet pk;
			struct record r;

			packet_walk(state, &pk, &f);
			packet_record(&pk, &r, &packet_dataset);
			assert_true(record_has(&r, FIELD_NET_TYPE));
			assert_false(record_has(&r, FIELD_DST_IP));
			assert_true(record_has(&r, FIELD_SRC_IP) == (cap >= (version == 4 ? 16 : 24)));
			record_says(ls, &r, version == 4 ? "IP  [|ip]" : " [|ip6]");
		}
	}
	line_close(ls);
}

static void option_bytes_that_lie_are_bad(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });

	tcp_says(ls, false, 2, 1, 0, "\2\0\0\0", 4, 0,
		 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1, win 64240, options [[bad opt]],"
		 " length 0");
	tcp_says(ls, false, 2, 1, 0, "\1\1\1\x08", 4, 0,
		 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [S], seq 1, win 64240, "
		 "options [nop,nop,nop,[bad opt]], length 0");
	tcp_says(ls, false, 0, 1, 0, "\x63\4\1\2", 4, 0,
		 "IP 10.0.0.1.1234 > 10.0.0.2.80: Flags [none], win 64240, options [unknown-99 0x0102],"
		 " length 0");
	line_close(ls);
}

static void the_link_header_comes_first_when_asked(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ .link = true });
	struct build b = { .n = 0 };

	put_eth(&b, 0x8100);
	put16(&b, 0x6005);
	put16(&b, 0x0800);
	put_ip4(&b, 17, 12, 1, 0);
	put_udp(&b, 5, 6, 4);
	put_zeros(&b, 4);
	frame_says(ls, &b, ETHERNET,
		   "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 50: "
		   "vlan 5, p 3, ethertype IPv4 (0x0800), 10.0.0.1.5 > 10.0.0.2.6: UDP, length 4");
	line_close(ls);
}

static void tunnels_fragments_and_others_have_lines(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct build b = { .n = 0 };

	put_ip4(&b, 17, 16 + 14 + 48, 1, 0);
	put_udp(&b, 5555, 4789, 8 + 14 + 48);
	put(&b, "\x08\0\0\0\0\0\1\0", 8);
	put_eth(&b, 0x86dd);
	put_ip6(&b, 17, 8);
	put_udp(&b, 5, 6, 0);
	frame_says(ls, &b, RAW, "IP 10.0.0.1.5555 > 10.0.0.2.4789: vxlan: "
				"IP6 2001:db8::1.5 > 2001:db8::2.6: UDP, length 0");
	b.n = 0;
	put_ip4(&b, 17, 8, 9, 0x2003);
	put_zeros(&b, 8);
	frame_says(ls, &b, RAW, "IP 10.0.0.1 > 10.0.0.2: udp, length 8 (frag 9:24+)");
	b.n = 0;
	put_ip4(&b, 89, 44, 9, 0);
	put_zeros(&b, 44);
	frame_says(ls, &b, RAW, "IP 10.0.0.1 > 10.0.0.2: ospf, length 44");
	b.n = 0;
	put_eth(&b, 0x88cc);
	put_zeros(&b, 46);
	frame_says(ls, &b, ETHERNET, "LLDP, length 46");
	b.n = 0;
	put_eth(&b, 0x4242);
	put_zeros(&b, 46);
	frame_says(ls, &b, ETHERNET, "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x4242), "
				     "length 60: length 46 [|unknown-ethertype]");
	line_close(ls);
}

/* A record of `kind` for a datagram of n bytes after the IP header. */
static void start(struct record *r, const struct dataset *set, uint8_t proto, bool v6, uint32_t n)
{
	static struct build b;
	static struct frame f;
	static struct packet pk;

	b.n = 0;
	if (v6)
		put_ip6(&b, proto, n);
	else
		put_ip4(&b, proto, n, 1, 0);
	if (proto == 17)
		put_udp(&b, 53, 999, n - 8);
	put_zeros(&b, proto == 17 ? n - 8 : n);
	f = frame_of(&b, RAW);
	packet_walk(state, &pk, &f);
	memset(r, 0x5a, sizeof(*r));
	message_record(&pk, r, set);
}

static void icmp_says(uint8_t type, uint8_t code, const char *want)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct record r;

	start(&r, &icmp_dataset, 1, false, 36);
	icmp_of(&r)->type = type;
	icmp_of(&r)->code = code;
	icmp_of(&r)->id = 7;
	icmp_of(&r)->seq = 8;
	icmp_of(&r)->mtu = 1400;
	icmp_of(&r)->orig_dst = (struct addr){ 4, { 192, 0, 2, 1 } };
	icmp_of(&r)->orig_transport = "udp";
	icmp_of(&r)->orig_dport = 53;
	icmp_of(&r)->gateway = (struct addr){ 4, { 192, 0, 2, 9 } };
	record_mark(&r, FIELD_ICMP_TYPE);
	record_mark(&r, FIELD_ICMP_CODE);
	record_mark(&r, FIELD_ICMP_ID);
	record_mark(&r, FIELD_ICMP_SEQ);
	record_mark(&r, FIELD_ICMP_MTU);
	record_mark(&r, FIELD_ICMP_GATEWAY);
	record_mark(&r, FIELD_ICMP_ORIG_DST_IP);
	record_mark(&r, FIELD_ICMP_ORIG_DST_PORT);
	record_mark(&r, FIELD_ICMP_ORIG_TRANSPORT);
	record_says(ls, &r, want);
	line_close(ls);
}

static void icmp_has_tcpdumps_words(void **s)
{
	icmp_says(8, 0, "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 7, seq 8, length 36");
	icmp_says(3, 3, "IP 10.0.0.1 > 10.0.0.2: ICMP 192.0.2.1 udp port 53 unreachable, length 36");
	icmp_says(3, 1, "IP 10.0.0.1 > 10.0.0.2: ICMP host 192.0.2.1 unreachable, length 36");
	icmp_says(3, 4, "IP 10.0.0.1 > 10.0.0.2: ICMP 192.0.2.1 unreachable - need to frag (mtu 1400),"
		  " length 36");
	icmp_says(5, 1, "IP 10.0.0.1 > 10.0.0.2: ICMP redirect 192.0.2.1 to host 192.0.2.9, length 36");
	icmp_says(11, 0, "IP 10.0.0.1 > 10.0.0.2: ICMP time exceeded in-transit, length 36");
	icmp_says(42, 0, "IP 10.0.0.1 > 10.0.0.2: ICMP extended echo request, id 7, seq 8, length 36");
	icmp_says(77, 0, "IP 10.0.0.1 > 10.0.0.2: ICMP type-#77, length 36");
}

/* What was not captured is not made up. */
static void a_cut_icmp_message_says_what_is_there(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct record r;

	start(&r, &icmp_dataset, 1, false, 36);
	icmp_of(&r)->type = 8;
	record_mark(&r, FIELD_ICMP_TYPE);
	record_says(ls, &r, "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, length 36");
	icmp_of(&r)->type = 3;
	record_says(ls, &r, "IP 10.0.0.1 > 10.0.0.2: ICMP type-#3, length 36");
	icmp_of(&r)->type = 8;
	icmp_of(&r)->code = 0;
	record_mark(&r, FIELD_ICMP_CODE);
	record_says(ls, &r, "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, length 36");
	icmp_of(&r)->id = 7;
	record_mark(&r, FIELD_ICMP_ID);
	record_says(ls, &r, "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 7, length 36");
	line_close(ls);
}

static void neighbour_discovery_names_its_target(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct record r;

	start(&r, &icmp_dataset, 58, true, 24);
	icmp_of(&r)->type = 135;
	record_mark(&r, FIELD_ICMP_TYPE);
	record_mark(&r, FIELD_ICMP_CODE);
	icmp_of(&r)->code = 0;
	icmp_of(&r)->nd_target = (struct addr){ 6, { 0xfe, 0x80, [15] = 9 } };
	record_mark(&r, FIELD_ICMP_ND_TARGET);
	record_says(ls, &r, "IP6 2001:db8::1 > 2001:db8::2: ICMP6, neighbor solicitation, "
			    "who has fe80::9, length 24");
	line_close(ls);
}

static void arp_asks_and_answers(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct build b = { .n = 0 };
	struct packet pk;
	struct record r;
	struct frame f;

	put_eth(&b, 0x0806);
	put_zeros(&b, 46);
	f = frame_of(&b, ETHERNET);
	packet_walk(state, &pk, &f);
	assert_true(pk.is_arp);
	message_record(&pk, &r, &arp_dataset);
	arp_of(&r)->opcode = 1;
	arp_of(&r)->sender_ip = (struct addr){ 4, { 10, 0, 0, 1 } };
	arp_of(&r)->target_ip = (struct addr){ 4, { 10, 0, 0, 2 } };
	record_says(ls, &r, "ARP, Request who-has ? tell ?, length 46");
	record_mark(&r, FIELD_ARP_SENDER_IP);
	record_mark(&r, FIELD_ARP_TARGET_IP);
	record_says(ls, &r, "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 46");
	arp_of(&r)->opcode = 2;
	record_says(ls, &r, "ARP, Reply 10.0.0.1 is-at ?, length 46");
	record_mark(&r, FIELD_ARP_SENDER_MAC);
	memcpy(arp_of(&r)->sender_mac, "\2\0\0\0\0\1", 6);
	record_says(ls, &r, "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 46");
	line_close(ls);
}

#define STR(text) ((struct str){ text, sizeof(text) - 1 })

static void dns_query(struct record *r)
{
	static const char *const flags[] = { "RD" };

	start(r, &dns_dataset, 17, false, 8 + 29);
	dns_of(r)->id = 1234;
	dns_of(r)->type = "query";
	dns_of(r)->op_code = STR("QUERY");
	dns_of(r)->header_flags = (struct list){ flags, 1 };
	dns_of(r)->question_name = STR("example.com");
	dns_of(r)->question_type = STR("A");
	dns_of(r)->question_class = STR("IN");
	dns_of(r)->questions_count = 1;
	dns_of(r)->answers_count = dns_of(r)->authorities_count = 0;
	dns_of(r)->additionals_count = 1;
	record_mark(r, FIELD_DNS_TYPE);
	record_mark(r, FIELD_DNS_OP_CODE);
	record_mark(r, FIELD_DNS_HEADER_FLAGS);
	record_mark(r, FIELD_DNS_QUESTION_NAME);
	record_mark(r, FIELD_DNS_QUESTION_TYPE);
	record_mark(r, FIELD_DNS_QUESTION_CLASS);
	record_mark(r, FIELD_DNS_QDCOUNT);
	record_mark(r, FIELD_DNS_ANCOUNT);
	record_mark(r, FIELD_DNS_NSCOUNT);
	record_mark(r, FIELD_DNS_ARCOUNT);
}

static void dns_questions_and_answers_read_as_tcpdumps(void **s)
{
	static const char *const flags[] = { "RD", "RA" };
	static const struct dns_answer answers[] = {
		{ .present = 31, .name = { "a", 1 }, .type = { "CNAME", 5 }, .class = { "IN", 2 },
		  .data = { "b.example", 9 } },
		{ .present = 31, .name = { "b", 1 }, .type = { "MX", 2 }, .class = { "IN", 2 },
		  .data = { "10 mx.example", 13 } },
		{ .present = 31, .name = { "c", 1 }, .type = { "SRV", 3 }, .class = { "IN", 2 },
		  .data = { "1 2 80 web.example", 18 } },
	};
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct record r;

	dns_query(&r);
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234+ [1au] A? example.com. (29)");
	dns_of(&r)->question_name = STR("a\\.b\\200");
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234+ [1au] A? a\\.b\\200. (29)");
	dns_of(&r)->question_name = STR("evil\x1b[2J\n");
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234+ [1au] A? evil\\x1b[2J\\x0a. (29)");
	dns_of(&r)->type = "answer";
	dns_of(&r)->response_code = STR("NXDOMAIN");
	dns_of(&r)->header_flags = (struct list){ flags, 2 };
	record_mark(&r, FIELD_DNS_RESPONSE_CODE);
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234 NXDomain 0/0/1 (29)");
	dns_of(&r)->response_code = STR("BADVERS");
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234 BadVers 0/0/1 (29)");
	dns_of(&r)->response_code = STR("BADCOOKIE");
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234 BadCookie 0/0/1 (29)");
	dns_of(&r)->response_code = STR("RCODE39");
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234 RCODE39 0/0/1 (29)");
	dns_of(&r)->response_code = STR("NOERROR");
	dns_of(&r)->answers_count = 3;
	dns_of(&r)->answers = (struct list){ answers, 3 };
	record_mark(&r, FIELD_DNS_ANSWERS);
	record_says(ls, &r, "IP 10.0.0.1.53 > 10.0.0.2.999: 1234 3/0/1 CNAME b.example., "
			    "MX mx.example. 10, SRV web.example.:80 1 2 (29)");
	line_close(ls);
}

static void drops_and_losses_say_why(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ 0 });
	struct record r;

	start(&r, &drop_dataset, 17, false, 13);
	r.drop_reason = STR("NO_SOCKET");
	r.drop_location = STR("__udp4_lib_rcv");
	r.drop_hook = "udp";
	record_mark(&r, FIELD_DROP_REASON);
	record_mark(&r, FIELD_DROP_LOCATION);
	record_mark(&r, FIELD_DROP_HOOK);
	record_says(ls, &r, "DROP NO_SOCKET at __udp4_lib_rcv (udp) "
			    "IP 10.0.0.1.53 > 10.0.0.2.999: UDP, length 5");
	record_start(&r, &lost_dataset);
	lost_of(&r)->stage = "ring";
	lost_of(&r)->reason = "full";
	lost_of(&r)->count = 812;
	record_mark(&r, FIELD_LOST_STAGE);
	record_mark(&r, FIELD_LOST_REASON);
	record_mark(&r, FIELD_LOST_COUNT);
	record_says(ls, &r, "!lost 812 ring full");
	lost_of(&r)->reason = "ring_full";
	record_says(ls, &r, "!lost 812 ring_full");
	line_close(ls);
}

static void a_super_packet_and_its_interface_are_named(void **s)
{
	struct line_state *ls = lines_with((struct line_options){ .interface = true });
	struct iface iface = { .name = "e\x1b[31m" };
	struct build b = { .n = 0 };
	struct packet pk;
	struct record r;
	struct frame f;

	put_ip4(&b, 17, 8, 1, 0);
	put_udp(&b, 5, 6, 0);
	f = frame_of(&b, RAW);
	f.segments = 12;
	f.iface = &iface;
	f.direction = DIR_EGRESS;
	packet_walk(state, &pk, &f);
	packet_record(&pk, &r, &packet_dataset);
	record_says(ls, &r, "e\\x1b[31m Out IP 10.0.0.1.5 > 10.0.0.2.6: UDP, length 0 (GRO x12)");
	line_close(ls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_counts_from_its_first_numbers),
		cmocka_unit_test(options_change_the_shape),
		cmocka_unit_test(options_that_are_cut_say_so_and_spoil_no_number),
		cmocka_unit_test(a_segment_that_is_a_message_counts_for_the_numbers),
		cmocka_unit_test(multipath_options_have_names),
		cmocka_unit_test(what_is_authenticated_is_said_after_the_header),
		cmocka_unit_test(a_header_that_is_cut_is_one_of_ip),
		cmocka_unit_test(option_bytes_that_lie_are_bad),
		cmocka_unit_test(the_link_header_comes_first_when_asked),
		cmocka_unit_test(tunnels_fragments_and_others_have_lines),
		cmocka_unit_test(icmp_has_tcpdumps_words),
		cmocka_unit_test(a_cut_icmp_message_says_what_is_there),
		cmocka_unit_test(neighbour_discovery_names_its_target),
		cmocka_unit_test(arp_asks_and_answers),
		cmocka_unit_test(dns_questions_and_answers_read_as_tcpdumps),
		cmocka_unit_test(drops_and_losses_say_why),
		cmocka_unit_test(a_super_packet_and_its_interface_are_named),
	};

	return cmocka_run_group_tests(tests, open_state, close_state);
}
