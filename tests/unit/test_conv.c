// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose bytes are these, and what became of a request. */
#include "talk_help.h"
#include "decode/dns/fields.h"
#include "decode/http/fields.h"

#define QUERY    "\0\x1d\0\7\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"
#define QUERY_LEN (sizeof(QUERY) - 1)

static void contents_tell_on_any_port(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&dns_dataset), 8053);
	talk_handshake(&t);
	talk_say(&t, ASK, QUERY, QUERY_LEN);
	HEARD(&t, "dns action=query frame=3 sport=4000 protocol=dns id=7 opcode=QUERY name=example.com qtype=A "
		  "qclass=IN qd=1 an=0");
	talk_close(&t);
}

static void both_families_have_connections(void **state)
{
	struct talk t;

	talk_open(&t, 0, 53);
	talk_handshake(&t);
	t.family = 6;				/* the same bits of addresses, and the same ports */
	talk_handshake(&t);
	talk_say(&t, ASK, QUERY, QUERY_LEN);
	talk_say(&t, ASK, QUERY, QUERY_LEN);
	assert_int_equal(t.lines.n, 2);
	t.family = 4;
	t.seq[ASK] -= 2 * QUERY_LEN + 1;
	talk_say(&t, ASK, QUERY, QUERY_LEN);	/* not sent before */
	assert_int_equal(t.lines.n, 3);
	talk_close(&t);
}

static void little_is_waited_for(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&dns_dataset), 8053);
	talk_handshake(&t);
	talk_drip(&t, ASK, QUERY, QUERY_LEN);
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
}

static void what_is_nobodys_is_passed_over(void **state)
{
	struct decode_counts c = { .frames = 0 };
	struct talk t;

	talk_open(&t, dataset_bit(&dns_dataset), 8053);
	for (int i = 0; i < 15; i++)
		SAY(&t, ASK, "GET / HTTP/1.1");
	talk_say(&t, ASK, QUERY, QUERY_LEN);
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);

	talk_open(&t, dataset_bit(&dns_dataset), 8053);
	for (int i = 0; i < 16; i++)
		SAY(&t, ASK, "GET / HTTP/1.1");
	talk_say(&t, ASK, QUERY, QUERY_LEN);
	assert_int_equal(t.lines.n, 0);
	conv_counts(t.conv, &c);
	assert_int_equal(c.stream_gaps, 0);
	talk_close(&t);
}

static void what_follows_bytes_waited_for_is_asked_about(void **state)
{
	struct talk t;

	talk_open(&t, 0, 1080);
	talk_handshake(&t);
	SAY(&t, ASK, "\0\0");		/* may be many things' */
	SAY(&t, ASK, "\5\6");
	SAY(&t, ASK, "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
}

static void the_user_knows_better(void **state)
{
	struct decode_as as = { 6, 7777, protocol_find("dns", 3) };
	struct decode_options opt = { .decode_as = &as, .n_decode_as = 1 };
	struct talk t;

	talk_open_with(&t, &opt, 7777);
	talk_packet(&t, 6, ASK, 16, QUERY, 20, QUERY_LEN);	/* cut: contents cannot tell */
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
	opt.n_decode_as = 0;
	talk_open_with(&t, &opt, 7777);
	talk_packet(&t, 6, ASK, 16, QUERY, 20, QUERY_LEN);
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

static void contents_tell_before_the_port(void **state)
{
	static const uint16_t ports[] = { 53, 443, 5353, 6379, 9092 };
	struct decode_options opt = { .no_answer = true };
	struct talk t;

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		talk_open(&t, 0, ports[i]);
		talk_handshake(&t);
		SAY(&t, ASK, "GET / HT");		/* may be the beginning of DNS */
		SAY(&t, ASK, "TP/1.1\r\n\r\n");
		SAY(&t, REPLY, "HTTP/1.1 204 no\r\n\r\n");
		assert_int_equal(t.lines.n, 2);
		assert_non_null(strstr(t.lines.text[1], "http.response.status_code=204"));
		talk_close(&t);
	}

	talk_open_with(&t, &opt, 6379);
	talk_handshake(&t);
	talk_say(&t, ASK, QUERY, QUERY_LEN);
	assert_int_equal(t.lines.n, 1);
	assert_ptr_equal(t.lines.set[0], &dns_dataset);
	talk_close(&t);
}

static void the_user_tells_before_the_contents(void **state)
{
	struct decode_as as = { 6, 7777, protocol_find("redis", 5) };
	struct decode_options opt = { .decode_as = &as, .n_decode_as = 1 };
	struct talk t;

	talk_open_with(&t, &opt, 7777);
	talk_handshake(&t);
	SAY(&t, ASK, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
	assert_int_equal(t.lines.n, 1);
	assert_string_equal(t.lines.last.set->name, "redis");
	talk_close(&t);
	as.protocol = protocol_find("dns", 3);	/* it was wrong: no record of DNS */
	talk_open_with(&t, &opt, 7777);
	talk_handshake(&t);
	SAY(&t, ASK, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

static struct record request(const char *url)
{
	struct record r;

	record_start(&r, &http_dataset);
	r.time_ns = 5 * SECOND;
	r.action = "request";
	http_of(&r)->url = (struct str){ url, (uint32_t)strlen(url) };
	record_mark(&r, FIELD_TIME);
	record_mark(&r, FIELD_ACTION);
	record_mark(&r, FIELD_URL_ORIGINAL);
	return r;
}

static void a_response_finds_its_request(void **state)
{
	static const uint16_t vlans[] = { 7, 9 };
	static const char *const tunnels[] = { "gre", "vxlan" };
	const struct str headers[] = { { "a: b", 4 }, { "c: d", 4 } };
	struct decode_options opt = { .no_answer = true };
	struct request_key k = REQUEST_KEY(&http_dataset, 1, 2), other = REQUEST_KEY(&http_dataset, 1, 3);
	struct record r = request("/index.html"), answer = request("/");
	const struct record *asked;
	struct requests *q;
	struct lines lines = { .n = 0 };

	r.vlan = (struct list){ vlans, 2 };
	r.tunnel = (struct list){ tunnels, 2 };
	http_of(&r)->headers = (struct list){ headers, 2 };
	record_mark(&r, FIELD_VLAN);
	record_mark(&r, FIELD_TUNNEL);
	record_mark(&r, FIELD_HTTP2_HEADERS);
	assert_int_equal(requests_open(&q, &opt, NULL), 0);
	requests_ask(q, &k, &r);
	answer.time_ns = 7 * SECOND;
	assert_false(requests_answer(q, &other, &answer));
	assert_true(requests_answer(q, &k, &answer));
	asked = requests_asked(q);
	assert_int_equal(answer.duration_ns, 2 * SECOND);
	assert_memory_equal(asked->present, r.present, sizeof(r.present));
	assert_memory_equal(asked->vlan.p, vlans, sizeof(vlans));
	assert_memory_equal(asked->tunnel.p, tunnels, sizeof(tunnels));
	line_of(&lines, asked);
	assert_string_equal(lines.text[0], "http action=request url.original=/index.html http2.headers=a: b,c: d");
	assert_false(requests_answer(q, &k, &answer));
	requests_close(q);
}

static void no_answer_is_told_after_a_while(void **state)
{
	static char url[2000];
	struct decode_options opt = { .no_answer = true };
	struct lines lines = { .n = 0 };
	struct emit e = { .fn = line_of, .ctx = &lines, .kinds = UINT32_MAX };
	struct request_key k = REQUEST_KEY(&http_dataset, 1, 2);
	struct requests *q;
	struct record r;

	memset(url, 'u', sizeof(url) - 1);
	r = request(url);
	assert_int_equal(requests_open(&q, &opt, NULL), 0);
	requests_ask(q, &k, &r);
	requests_tick(q, 35 * SECOND, &e);
	assert_int_equal(lines.n, 0);
	requests_tick(q, 35 * SECOND + 1, &e);
	assert_int_equal(lines.n, 1);
	assert_true(lines.last.truncated && record_has(&lines.last, FIELD_TRUNCATED));
	assert_string_equal(lines.last.action, "no_answer");
	assert_true(http_of(&lines.last)->url.n > 400);
	requests_close(q);
}

/* The answer of a proxy, and then what it carries. */
static void what_came_before_the_other_side_was_known_is_passed_over(void **state)
{
	struct talk t;

	talk_open(&t, 0, 1080);
	talk_handshake(&t);
	SAY(&t, ASK, "\4\1\1\xbb\1\2\3\4\0");
	SAY(&t, REPLY, "\0\x5a\0\0\0\0\0\0");		/* may be the beginning of DNS */
	SAY(&t, ASK, "GET / HTTP/1.1\r\n\r\n");
	SAY(&t, REPLY, "HTTP/1.1 204 no\r\n\r\n");
	assert_int_equal(t.lines.n, 2);
	assert_non_null(strstr(t.lines.text[1], "http.response.status_code=204"));
	talk_close(&t);
}

/* What was told of connections that were recognised. */
static struct decode_whose told[8];
static unsigned int n_told;

static void tell(void *ctx, const struct decode_whose *w)
{
	told[n_told++ % 8] = *w;
}

static void it_tells_whose_a_packet_is(void **state)
{
	struct decode_options opt = { .recognised = tell };
	struct decode_whose syn;
	struct talk t;

	n_told = 0;
	talk_open_with(&t, &opt, 8080);
	talk_packet(&t, 6, REPLY, 16, "", 0, 0);	/* of no connection that anybody knows */
	assert_int_equal(conv_whose(t.conv)->serial, 0);
	talk_handshake(&t);
	syn = *conv_whose(t.conv);
	assert_null(syn.protocol);
	assert_int_not_equal(syn.serial, 0);
	SAY(&t, ASK, "GET / HT");
	assert_null(conv_whose(t.conv)->protocol);
	assert_int_equal(n_told, 0);
	SAY(&t, ASK, "TP/1.1\r\n\r\n");
	assert_int_equal(n_told, 1);
	assert_string_equal(told[0].protocol, "http");
	assert_int_equal(told[0].serial, syn.serial);
	assert_int_equal(told[0].place, syn.place);
	assert_string_equal(conv_whose(t.conv)->protocol, "http");
	talk_packet(&t, 6, REPLY, 16, "", 0, 0);	/* an acknowledgment */
	assert_string_equal(conv_whose(t.conv)->protocol, "http");
	assert_int_equal(conv_whose(t.conv)->serial, syn.serial);
	SAY(&t, ASK, "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(n_told, 1);
	talk_close(&t);
}

static void datagrams_tell_by_themselves(void **state)
{
	struct talk t;

	talk_open(&t, 0, 5353);
	talk_datagram(&t, ASK, &QUERY[2], QUERY_LEN - 2);
	assert_string_equal(conv_whose(t.conv)->protocol, "mdns");	/* as its record has it */
	assert_int_equal(conv_whose(t.conv)->serial, 0);
	talk_datagram(&t, ASK, "?", 1);
	assert_null(conv_whose(t.conv)->protocol);
	talk_close(&t);
}

static void what_was_wrong_is_taken_back(void **state)
{
	struct decode_as as = { 6, 7777, protocol_find("redis", 5) };
	struct decode_options opt = { .decode_as = &as, .n_decode_as = 1, .recognised = tell };
	uint32_t serial;
	struct talk t;

	n_told = 0;
	talk_open_with(&t, &opt, 7777);
	talk_handshake(&t);
	serial = conv_whose(t.conv)->serial;
	SAY(&t, ASK, "*1\r\n");
	assert_string_equal(conv_whose(t.conv)->protocol, "redis");
	SAY(&t, ASK, "?\r\n\xff\xff\xff\xff");
	assert_null(conv_whose(t.conv)->protocol);
	assert_int_equal(n_told, 1);
	assert_int_equal(conv_whose(t.conv)->serial, serial);
	t.seq[ASK] += 1u << 29;				/* another connection between these ends */
	talk_packet(&t, 6, ASK, 2, "", 0, 0);
	assert_null(conv_whose(t.conv)->protocol);
	assert_int_not_equal(conv_whose(t.conv)->serial, serial);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents_tell_on_any_port),
		cmocka_unit_test(both_families_have_connections),
		cmocka_unit_test(little_is_waited_for),
		cmocka_unit_test(what_is_nobodys_is_passed_over),
		cmocka_unit_test(what_follows_bytes_waited_for_is_asked_about),
		cmocka_unit_test(the_user_knows_better),
		cmocka_unit_test(contents_tell_before_the_port),
		cmocka_unit_test(the_user_tells_before_the_contents),
		cmocka_unit_test(a_response_finds_its_request),
		cmocka_unit_test(no_answer_is_told_after_a_while),
		cmocka_unit_test(what_came_before_the_other_side_was_known_is_passed_over),
		cmocka_unit_test(it_tells_whose_a_packet_is),
		cmocka_unit_test(datagrams_tell_by_themselves),
		cmocka_unit_test(what_was_wrong_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
