// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/dns.h"

#include "dns_help.h"

static struct dns_parts parts;

/* As dns_begins() has it, of a message whose first cap bytes were captured. */
static enum dns_status begins(const char *p, uint32_t cap, uint32_t len, bool mdns)
{
	struct dns_msg m = { (const uint8_t *)p, cap, len, mdns };

	assert_int_equal(dns_header(&parts, &m), DNS_BAD);
	return dns_begins(&parts, &m);
}

#define BEGINS(literal) begins(literal, LEN(literal), LEN(literal), false)

static void what_promises_too_much_may_begin_well(void **state)
{
	assert_int_equal(BEGINS("\0\1\x81\x81\0\1\0\0\0\0\0\0"), DNS_OK);
	assert_int_equal(BEGINS("\0\1\x83\x80\0\1\0\5\0\0\0\0\1a\0\0\1\0\1"), DNS_OK);
	assert_int_equal(BEGINS("\0\1\x83\x80\0\1\0\5\0\0\0\0\3ab"), DNS_OK);
	assert_int_equal(BEGINS("\0\1\x83\x80\0\0\0\0\0\0\0\2\0\0\x29\4\xd0"), DNS_OK);
	assert_int_equal(BEGINS("\0\1\x83\x80\0\1\0\5\0\0\0\0\1a\0\0\1\0\5"), DNS_BAD);	/* class */
	assert_int_equal(BEGINS("\0\1\x83\x80\0\1\0\5\0\0\0\0\xc0\x0c\0\1\0\1"), DNS_BAD);
	assert_int_equal(BEGINS("\0\1\x83\xc0\0\1\0\5\0\0\0\0\1a\0\0\1\0\1"), DNS_BAD);	/* Z */
	assert_int_equal(BEGINS("\0\1\xf8\0\0\1\0\5\0\0\0\0\1a\0\0\1\0\1"), DNS_BAD);	/* opcode */
	assert_int_equal(BEGINS("\0\1\1\2\0\1\0\5\0\0\0\0\1a\0\0\1\0\1"), DNS_BAD);	/* a query's code */
	assert_int_equal(begins("\0\1\x83\x80\0\1\0\5\0\0\0\0\3ab", 15, 19, false), DNS_CUT);
	assert_int_equal(begins("\0\1\x84\0\0\0\0\5\0\0\0\0\1a\0\0\1\x80\1", 19, 19, true), DNS_OK);
	assert_int_equal(begins("\0\1\x84\0\0\0\0\5\0\0\0\0\1a\0\0\1\x80\1", 19, 19, false), DNS_BAD);
}

#define LEFT "\x12\x34\x83\x80\0\1\0\2\0\0\0\1\3www\7example\3com\0\0\1\0\1"
#define BARE "\x12\x34\x81\x81\0\1\0\0\0\0\0\0"

/* Who cuts a message often leaves its counts; it answers its query all the same. */
static void counts_that_were_left_do_not_hide_a_response(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct decode_counts c;
	struct lines l = { .n = 0 };

	give_udp(d, &l, false, QUERY, LEN(QUERY), SECOND, 1);
	give_udp(d, &l, true, LEFT, LEN(LEFT), SECOND + 1500, 2);
	give_udp(d, &l, false, QUERY, LEN(QUERY), 2 * SECOND, 3);
	give_udp(d, &l, true, BARE, LEN(BARE), 2 * SECOND + 1500, 4);
	assert_int_equal(decode_tick(d, 100 * SECOND, line_of, &l), 0);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.text[1],
			    "dns action=response outcome=success duration=1500 frame=2 sport=53 protocol=dns id=4660 "
			    "opcode=QUERY rcode=NOERROR name=www.example.com qtype=A qclass=IN qd=1 an=2 "
			    "malformed=domain");
	assert_string_equal(l.text[3],
			    "dns action=response outcome=failure duration=1500 frame=4 sport=53 protocol=dns id=4660 "
			    "opcode=QUERY rcode=FORMERR qd=1 an=0 malformed=domain");
	decode_counts(d, &c);
	assert_int_equal(c.malformed, 2);
	decode_close(d);
}

static void they_do_not_over_tcp_either(void **state)
{
	static const char framed[] = "\0\x21" LEFT "\0\x0c" BARE FRAMED;

	for (uint32_t cut = 0; cut <= LEN(framed); cut++) {
		struct decode *d = decoder(DECODE_MESSAGES);
		struct lines l = { .n = 0 };

		give_tcp(d, &l, 99, 2, NULL, 0, 1);
		give_tcp(d, &l, 100, 16, framed, cut, 2);
		give_tcp(d, &l, 100 + cut, 16, framed + cut, LEN(framed) - cut, 3);
		assert_int_equal(l.n, 3);
		assert_non_null(strstr(l.text[0], "malformed=domain"));
		assert_non_null(strstr(l.text[1], "rcode=FORMERR"));
		assert_null(strstr(l.text[2], "malformed"));
		decode_close(d);
	}
}

/* Joined in its middle: what came must be the message, no more and no less. */
static void a_stream_joined_at_such_a_response_finds_it(void **state)
{
	static const char framed[] = "\0\x21" LEFT "x", bare[] = "\0\x0c" BARE;
	struct lines l = { .n = 0 };

	for (uint32_t n = LEN(framed) - 2; n <= LEN(framed); n++) {
		struct decode *d = decoder(DECODE_MESSAGES);

		give_tcp(d, &l, 100, 16, framed, n, 1);
		decode_close(d);
	}
	assert_int_equal(l.n, 1);
	struct decode *d = decoder(DECODE_MESSAGES);

	give_tcp(d, &l, 100, 16, bare, LEN(bare), 1);
	assert_int_equal(l.n, 2);
	decode_close(d);
}

static void elsewhere_such_counts_are_not_dns(void **state)
{
	struct decode *d = decoder(DECODE_MESSAGES);
	struct bytes data = { .n = 0 }, o = { .n = 0 };
	struct lines l = { .n = 0 };

	PUT(&data, LEFT);
	put_udp(&o, 1, 2, 4000, 443, &data);
	feed(d, &l, &o, o.n, SECOND, 1);
	assert_int_equal(l.n, 0);
	decode_close(d);
}

/* A response: rcode of the header, records of each section, and they themselves. */
static const char *code_of(const char *counts, const char *records, uint32_t n)
{
	static struct lines l;
	struct decode *d = decoder(DECODE_MESSAGES);
	struct bytes o = { .n = 0 };
	const char *at;

	put(&o, "\0\1\x81\x87\0\0\0", 7);
	put(&o, counts, 1);
	put(&o, "", 1);
	put(&o, counts + 1, 1);
	put(&o, "", 1);
	put(&o, counts + 2, 1);
	put(&o, records, n);
	l.n = 0;
	give_udp(d, &l, true, (const char *)o.p, o.n, SECOND, 1);
	decode_close(d);
	assert_int_equal(l.n, 1);
	at = strstr(l.text[0], "rcode=");
	assert_non_null(at);
	return at + 6;
}

#define CODE(counts, records) code_of(counts, records, LEN(records))
#define OPT(upper) "\0\0\x29\4\xd0" upper "\0\0\0\0\0"
#define STARTS(text, want) assert_memory_equal(text, want, strlen(want))

static void opt_has_the_upper_bits_of_the_code(void **state)
{
	STARTS(CODE("\0\0\1", OPT("\0")), "YXRRSET qd=0 an=0 edns=1232");
	STARTS(CODE("\0\0\1", OPT("\1")), "BADCOOKIE qd=0");
	STARTS(CODE("\0\0\1", OPT("\2")), "RCODE39 ");
	STARTS(CODE("\0\0\1", OPT("\xff")), "RCODE4087 ");
	STARTS(CODE("\0\0\2", OPT("\1") OPT("\2")), "BADCOOKIE qd=0 an=0 edns=1232 malformed=domain");
	STARTS(CODE("\1\0\0", OPT("\1")), "YXRRSET qd=0 an=1 [. OPT ]");
	STARTS(CODE("\0\1\0", OPT("\1")), "YXRRSET qd=0 an=0");
	STARTS(CODE("\0\2\1", OPT("\1")), "YXRRSET qd=0 an=0 malformed=domain");	/* the OPT was cut off */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_promises_too_much_may_begin_well),
		cmocka_unit_test(counts_that_were_left_do_not_hide_a_response),
		cmocka_unit_test(they_do_not_over_tcp_either),
		cmocka_unit_test(a_stream_joined_at_such_a_response_finds_it),
		cmocka_unit_test(elsewhere_such_counts_are_not_dns),
		cmocka_unit_test(opt_has_the_upper_bits_of_the_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
