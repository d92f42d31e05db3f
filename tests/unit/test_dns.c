// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/dns.h"

#include <stdlib.h>

#include "dns_help.h"

/* www.example.com CNAME a.b.example.com, A 192.0.2.1; OPT 1232, DO */
#define RESPONSE "\x12\x34\x81\x80\0\1\0\2\0\0\0\1\3www\7example\3com\0\0\1\0\1" \
	"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\1a\1b\xc0\x10" "\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1" \
	"\0\0\x29\4\xd0\0\0\x80\0\0\0"

static struct dns_parts parts;

static enum dns_status parse(const void *p, uint32_t cap, uint32_t len)
{
	uint8_t *exact = malloc(cap + 1);
	struct dns_msg m = { exact, cap, len, false };
	enum dns_status st;

	memcpy(exact, p, cap);
	st = dns_parse(&parts, &m);
	free(exact);
	return st;
}

#define PARSE(literal) parse(literal, LEN(literal), LEN(literal))

static void assert_str(struct str s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}

/* Text of the name at `at`, or NULL when it is refused. */
static const char *name_text(const void *p, uint32_t n, uint32_t at)
{
	static char text[DNS_NAME_MAX + 1];
	struct dns_msg m = { p, n, n, false };
	struct dns_name name;

	if (dns_name_read(&m, &at, n, &name))
		return NULL;
	text[dns_name_text(text, &name)] = 0;
	return text;
}

#define NAME(literal, at) name_text(literal, LEN(literal), at)

static void names_are_shown_as_rfc_1035_wants(void **state)
{
	assert_string_equal(NAME("\0", 0), ".");
	assert_string_equal(NAME("\3www\7Example\0", 0), "www.Example");
	assert_string_equal(NAME("\3a.b\1\\\2 \xff\0", 0), "a\\.b.\\\\.\\032\\255");
	assert_string_equal(NAME("\1a\0\1b\xc0\0", 3), "b.a");
}

static void pointers_go_strictly_backwards(void **state)
{
	assert_null(NAME("\xc0\0", 0));
	assert_null(NAME("\xc0\2\0", 0));
	assert_null(NAME("\1a\xc0\0", 0));		/* into itself */
	assert_null(NAME("\1a\xc0\2\xc0\2", 4));	/* to a pointer to itself */
	assert_null(NAME("\x40\0", 0));
	assert_null(NAME("\x80\0", 0));
	assert_null(NAME("\xc0", 0));
	assert_null(NAME("\5abc", 0));
}

static void names_have_255_bytes_at_most(void **state)
{
	uint8_t p[300] = { 0 };

	for (int i = 0; i < 254; i += 2)
		p[i] = 1;
	assert_non_null(name_text(p, 255, 0));		/* 127 labels and the root */
	p[254] = 1;
	assert_null(name_text(p, 300, 0));
	memset(p, 0x80, sizeof(p));
	p[0] = p[64] = p[128] = 63;
	p[192] = 61;
	p[254] = 0;
	assert_int_equal(strlen(name_text(p, 255, 0)), 250 * 4 + 3);
}

static void a_response_is_understood(void **state)
{
	uint8_t copy[] = RESPONSE;
	struct dns_msg m = { copy, LEN(RESPONSE), LEN(RESPONSE), false };

	assert_int_equal(dns_parse(&parts, &m), DNS_OK);
	assert_int_equal(parts.end, LEN(RESPONSE));
	assert_int_equal(parts.n_questions, 1);
	assert_int_equal(parts.n_answers, 2);
	assert_str(parts.questions[0].name, "www.example.com");
	assert_str(parts.answers[0].type, "CNAME");
	assert_str(parts.answers[0].data, "a.b.example.com");
	assert_str(parts.answers[1].name, "a.b.example.com");
	assert_str(parts.answers[1].data, "192.0.2.1");
	assert_int_equal(parts.answers[1].ttl, 60);
	assert_true(parts.has_edns && parts.edns_do);
	assert_int_equal(parts.edns_size, 1232);
}

static struct dns_answer answer_of(const char *rdata, uint16_t type, uint16_t n)
{
	static uint8_t p[512];
	uint8_t head[] = "\0\1\x80\0\0\0\0\1\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0";
	struct dns_msg m = { p, (uint32_t)LEN(head) + n, (uint32_t)LEN(head) + n, false };

	head[13] = (uint8_t)(type >> 8);
	head[14] = (uint8_t)type;
	head[22] = (uint8_t)n;
	memcpy(p, head, LEN(head));
	memcpy(p + LEN(head), rdata, n);
	dns_parse(&parts, &m);
	assert_int_equal(parts.n_answers, 1);
	return parts.answers[0];
}

#define ANSWER(type, literal) answer_of(literal, type, LEN(literal))

static void rdata_is_shown_by_type(void **state)
{
	struct dns_answer a;

	assert_str(ANSWER(28, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1").data, "2001:db8::1");
	assert_str(ANSWER(15, "\0\x0a\2mx\1x\0").data, "10 mx.x");
	assert_str(ANSWER(33, "\0\1\0\2\x13\xc4\1h\0").data, "1 2 5060 h");
	assert_str(ANSWER(6, "\1a\0\1b\0\0\0\0\7\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1").data, "a b 7");
	assert_str(ANSWER(65, "\0\1\0\0\1\0\3\2h2").data, "1 .");
	a = ANSWER(16, "\3abc\0\1x");
	assert_int_equal(a.data_list.n, 3);
	assert_str(((const struct str *)a.data_list.p)[0], "abc");
	assert_str(((const struct str *)a.data_list.p)[2], "x");
	assert_int_equal(parts.status, DNS_OK);
	assert_int_equal(ANSWER(16, "\3abc\5x").present & 0x30, 0x20);
	assert_int_equal(parts.status, DNS_BAD);
	assert_int_equal(ANSWER(1, "\1\2\3").present & 0x30, 0);
	assert_int_equal(parts.status, DNS_BAD);
	assert_int_equal(ANSWER(2, "\5abc").present & 0x30, 0);
	assert_str(ANSWER(256, "\0\x0a\0\5http://a/").data, "10 5 http://a/");
	assert_str(ANSWER(256, "\xff\xff\xff\xff").data, "65535 65535 ");
	assert_int_equal(ANSWER(256, "\0\x0a\0").present & 0x30, 0);
	assert_str(ANSWER(257, "\x80\5issuea.test").data, "128 issue a.test");
	assert_str(ANSWER(257, "\0\5issue").data, "0 issue ");
	assert_int_equal(ANSWER(257, "\0\6issue").present & 0x30, 0);
	assert_int_equal(ANSWER(257, "\0\0x").present & 0x30, 0);
	assert_str(ANSWER(1234, "abc").type, "TYPE1234");
	assert_int_equal(ANSWER(1234, "abc").present & 0x30, 0);
}

static void every_truncation_gives_what_is_there(void **state)
{
	for (uint32_t n = 0; n < LEN(RESPONSE); n++) {
		assert_int_equal(parse(RESPONSE, n, LEN(RESPONSE)), DNS_CUT);
		assert_int_equal(parts.n_questions, n >= 33);
		assert_int_equal(parse(RESPONSE, n, n), DNS_BAD);
	}
}

static void a_bad_name_does_not_hide_what_follows(void **state)
{
	static const uint8_t p[] = "\0\1\x80\0\0\2\0\1\0\0\0\0\1a\0\0\1\0\1" "\xc0\xff\0\1\0\1"
				   "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4";
	struct dns_msg m = { p, sizeof(p) - 1, sizeof(p) - 1, false };

	assert_int_equal(dns_parse(&parts, &m), DNS_BAD);
	assert_int_equal(parts.n_questions, 2);
	assert_int_equal(parts.questions[1].present & 1, 0);
	assert_str(parts.answers[0].data, "1.2.3.4");
}

static void counts_that_cannot_be_are_refused(void **state)
{
	struct dns_msg m = { (const uint8_t *)"\0\0\0\0\xff\xff\0\0\0\0\0\0\0\0\1\0\1", 17, 17, false };

	assert_int_equal(dns_header(&parts, &m), DNS_BAD);
}

/* The worst known: `build` makes a message of n bytes. */
static double seconds(void (*build)(uint8_t *p, uint32_t n), uint32_t n, int times)
{
	static uint8_t p[65536];
	struct dns_msg m = { p, n, n, false };
	double best = 1e9;

	memset(p, 0, sizeof(p));
	build(p, n);
	for (int i = 0; i < 5; i++) {
		double start = cpu_seconds();

		for (int k = 0; k < times; k++)
			dns_parse(&parts, &m);
		start = cpu_seconds() - start;
		best = start < best ? start : best;
	}
	return best;
}

static void counts(uint8_t *p, uint32_t qd, uint32_t an, uint32_t ar)
{
	p[4] = (uint8_t)(qd >> 8);
	p[5] = (uint8_t)qd;
	p[6] = (uint8_t)(an >> 8);
	p[7] = (uint8_t)an;
	p[10] = (uint8_t)(ar >> 8);
	p[11] = (uint8_t)ar;
}

static void many_questions(uint8_t *p, uint32_t n)
{
	counts(p, (n - 12) / 5, 0, 0);
}

static void many_records(uint8_t *p, uint32_t n)
{
	counts(p, 0, 0, (n - 12) / 11);
}

static void many_strings(uint8_t *p, uint32_t n)
{
	counts(p, 0, 1, 0);
	p[14] = 16;
	p[21] = (uint8_t)((n - 23) >> 8);
	p[22] = (uint8_t)(n - 23);
}

/* Half of it pointers, each to the one before; the other half answers named by 127 of them. */
static void pointer_chain(uint8_t *p, uint32_t n)
{
	uint32_t at, half = n / 2 < 16000 ? n / 2 : 16000;

	counts(p, 0, 1 + (n - half) / 12, 0);
	p[21] = (uint8_t)((half - 23) >> 8);
	p[22] = (uint8_t)(half - 23);
	for (at = 25; at + 2 <= half; at += 2) {
		p[at] = (uint8_t)(0xc0 | (at - 2) >> 8);
		p[at + 1] = (uint8_t)(at - 2);
	}
	for (uint32_t last = 23 + 2 * 126; at + 12 <= n; at += 12) {
		p[at] = (uint8_t)(0xc0 | last >> 8);
		p[at + 1] = (uint8_t)last;
	}
}

static void long_names(uint8_t *p, uint32_t n)
{
	counts(p, (n - 12) / 259, 0, 0);
	for (uint32_t at = 12; at + 259 <= n; at += 259)
		for (uint32_t i = 0; i < 254; i += 2)
			p[at + i] = 1;
}

static void time_is_linear_in_the_length(void **state)
{
	static void (*const worst[])(uint8_t *, uint32_t) = { many_questions, many_records, many_strings,
							      pointer_chain, long_names };

	for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++)
		for (uint32_t n = 4096; n <= 32767; n *= 2) {
			double ratio = 1e9;

			for (int k = 0; k < 20 && ratio > 2.4; k++)
				ratio = seconds(worst[i], 2 * n, 20) / seconds(worst[i], n, 20);
			assert_true(ratio <= 2.4);
		}
}

static void a_response_knows_how_long_it_took(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	give_udp(d, &l, false, QUERY, LEN(QUERY), SECOND, 1);
	give_udp(d, &l, true, RESPONSE, LEN(RESPONSE), SECOND + 1500, 2);
	give_udp(d, &l, true, RESPONSE, LEN(RESPONSE), SECOND + 2500, 3);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.text[0],
			    "dns action=query frame=1 sport=4000 protocol=dns id=4660 opcode=QUERY "
			    "name=www.example.com qtype=A qclass=IN qd=1 an=0");
	assert_string_equal(
		l.text[1],
		"dns action=response outcome=success duration=1500 frame=2 sport=53 protocol=dns id=4660 "
		"opcode=QUERY rcode=NOERROR name=www.example.com qtype=A qclass=IN qd=1 an=2 edns=1232 "
		"[www.example.com CNAME a.b.example.com] [a.b.example.com A 192.0.2.1]");
	assert_null(strstr(l.text[2], "duration"));
	assert_int_equal(decode_tick(d, 100 * SECOND, line_of, &l), 0);
	assert_int_equal(l.n, 3);
	decode_close(d);
}

static void a_query_without_response_is_told_once_after_the_timeout(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	give_udp(d, &l, false, QUERY, LEN(QUERY), SECOND, 1);
	give_udp(d, &l, false, QUERY, LEN(QUERY), 2 * SECOND, 2);	/* sent once more */
	assert_int_equal(decode_tick(d, 6 * SECOND, line_of, &l), 0);
	assert_int_equal(decode_finish(d, line_of, &l), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(decode_tick(d, 6 * SECOND + 1, line_of, &l), 0);
	assert_int_equal(decode_finish(d, line_of, &l), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(
		l.text[2],
		"dns action=no_answer outcome=unknown frame=1 sport=4000 protocol=dns id=4660 opcode=QUERY "
		"name=www.example.com qtype=A qclass=IN");
	decode_close(d);
}

static void tcp_messages_come_out_of_any_segments(void **state)
{
	static const char two[] = FRAMED FRAMED;

	for (uint32_t cut = 0; cut <= LEN(two); cut++) {
		struct decode *d = decoder(DECODE_MESSAGES);
		struct lines l = { .n = 0 };

		give_tcp(d, &l, 99, 2, NULL, 0, 1);
		give_tcp(d, &l, 100 + cut, 16, two + cut, LEN(two) - cut, 2);
		give_tcp(d, &l, 100, 16, two, cut, 3);
		give_tcp(d, &l, 100, 16, two, LEN(two), 4);	/* again */
		assert_int_equal(l.n, 2);
		decode_close(d);
	}
}

static void a_stream_joined_in_its_middle_finds_the_next_message(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };

	give_tcp(d, &l, 100, 16, &FRAMED[7], LEN(FRAMED) - 7, 1);
	assert_int_equal(l.n, 0);
	give_tcp(d, &l, 100 + LEN(FRAMED) - 7, 16, FRAMED, LEN(FRAMED), 2);
	assert_int_equal(l.n, 1);
	decode_close(d);
}

static void what_is_not_dns_on_its_port_gives_nothing(void **state)
{
	static const char tls[] = "\x16\3\1\2\0\1\0\1\xfc\3\3\x7f\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa";
	struct decode *d = decoder(DECODE_MESSAGES);
	struct lines l = { .n = 0 };
	struct decode_counts c;

	give_udp(d, &l, false, tls, LEN(tls), SECOND, 1);
	give_tcp(d, &l, 99, 2, NULL, 0, 2);
	give_tcp(d, &l, 100, 16, tls, LEN(tls), 3);
	assert_int_equal(l.n, 0);
	decode_counts(d, &c);
	assert_int_equal(c.malformed, 1);
	decode_close(d);
}

static void on_other_ports_contents_tell(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct bytes data = { .n = 0 }, o = { .n = 0 };
	struct lines l = { .n = 0 };

	PUT(&data, QUERY);
	put_udp(&o, 1, 2, 4000, 443, &data);
	feed(d, &l, &o, o.n, SECOND, 1);
	assert_int_equal(l.n, 1);
	o.n = 0;
	put_udp(&o, 1, 2, 137, 137, &data);		/* NetBIOS names look the same */
	feed(d, &l, &o, o.n, SECOND, 2);
	o.n = 0;
	PUT(&data, "x");
	put_udp(&o, 1, 2, 4000, 443, &data);
	feed(d, &l, &o, o.n, SECOND, 3);
	assert_int_equal(l.n, 1);
	o.n = 0;
	put_tcp(&o, 1, 2, 4000, 8053, 100, 16, FRAMED, LEN(FRAMED));
	feed(d, &l, &o, o.n, SECOND, 4);
	o.n = 0;
	put_tcp(&o, 1, 2, 4000, 8053, 100 + LEN(FRAMED), 16, FRAMED, 10);
	feed(d, &l, &o, o.n, SECOND, 5);
	o.n = 0;
	put_tcp(&o, 1, 2, 4000, 8053, 110 + LEN(FRAMED), 16, &FRAMED[10], LEN(FRAMED) - 10);
	feed(d, &l, &o, o.n, SECOND, 6);
	assert_int_equal(l.n, 3);
	decode_close(d);
}

static void multicast_classes_come_without_their_top_bit(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct bytes data = { .n = 0 }, o = { .n = 0 };
	struct lines l = { .n = 0 };

	PUT(&data, "\0\0\0\0\0\1\0\0\0\0\0\0\1a\5local\0\0\xff\x80\1");
	put_udp(&o, 1, 2, 5353, 5353, &data);
	feed(d, &l, &o, o.n, SECOND, 1);
	assert_string_equal(l.text[0],
			    "dns action=query frame=1 sport=5353 protocol=mdns id=0 opcode=QUERY "
			    "name=a.local qtype=ANY qclass=IN qd=1 an=0");
	decode_tick(d, 100 * SECOND, line_of, &l);
	assert_int_equal(l.n, 1);			/* nobody need answer */
	decode_close(d);
}

static void every_truncated_frame_is_survived(void **state)
{
	struct bytes data = { .n = 0 }, o = { .n = 0 };

	PUT(&data, RESPONSE);
	put_udp(&o, 2, 1, 53, 4000, &data);
	for (uint32_t cap = 0; cap < o.n; cap++) {
		struct decode *d = decoder(DECODE_MESSAGES);
		struct lines l = { .n = 0 };
		struct bytes *exact = malloc(sizeof(*exact));

		memcpy(exact->p, o.p, cap);
		exact->n = o.n;
		feed(d, &l, exact, cap, SECOND, 1);
		assert_int_equal(l.n, cap >= 14 + 20 + 8 + 4);
		free(exact);
		decode_close(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_shown_as_rfc_1035_wants),
		cmocka_unit_test(pointers_go_strictly_backwards),
		cmocka_unit_test(names_have_255_bytes_at_most),
		cmocka_unit_test(a_response_is_understood),
		cmocka_unit_test(rdata_is_shown_by_type),
		cmocka_unit_test(every_truncation_gives_what_is_there),
		cmocka_unit_test(a_bad_name_does_not_hide_what_follows),
		cmocka_unit_test(counts_that_cannot_be_are_refused),
		cmocka_unit_test(time_is_linear_in_the_length),
		cmocka_unit_test(a_response_knows_how_long_it_took),
		cmocka_unit_test(a_query_without_response_is_told_once_after_the_timeout),
		cmocka_unit_test(tcp_messages_come_out_of_any_segments),
		cmocka_unit_test(a_stream_joined_in_its_middle_finds_the_next_message),
		cmocka_unit_test(what_is_not_dns_on_its_port_gives_nothing),
		cmocka_unit_test(on_other_ports_contents_tell),
		cmocka_unit_test(multicast_classes_come_without_their_top_bit),
		cmocka_unit_test(every_truncated_frame_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
