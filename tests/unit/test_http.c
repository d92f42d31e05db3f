// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk_help.h"
#include "decode/http/fields.h"
#include "decode/http/head.h"
#include "decode/redis/fields.h"

#define GET    "GET /a?b HTTP/1.1\r\nHost: example.org:81\r\nUser-Agent: x\r\n\r\n"
#define GOT    "http action=request frame=%u sport=4000 protocol=http http.version=1.1 http.request.method=GET " \
	       "url.original=/a?b url.domain=example.org url.port=81 user_agent.original=x"

static void request(struct talk *t, unsigned int frame)
{
	char line[512];

	snprintf(line, sizeof(line), GOT, frame);
	HEARD(t, line);
}

static void a_header_block_may_be_cut_anywhere(void **state)
{
	struct talk t;

	for (int v6 = 0; v6 < 2; v6++) {
		talk_open(&t, dataset_bit(&http_dataset), 80);
		t.family = v6 ? 6 : 4;
		talk_handshake(&t);
		talk_drip(&t, ASK, GET, sizeof(GET) - 1);
		request(&t, 2 + sizeof(GET) - 1);
		talk_close(&t);
	}
}

static void each_response_answers_its_request(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 1234);
	talk_handshake(&t);
	SAY(&t, ASK, "HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
	t.lines.n = 0;
	SAY(&t, REPLY, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n");
	HEARD(&t, "http action=response outcome=success duration=1000000 frame=4 sport=1234 protocol=http "
		  "http.version=1.1 http.response.status_code=200",
	      "http action=response outcome=success frame=4 sport=1234 protocol=http http.version=1.1 "
	      "http.response.status_code=103",
	      "http action=response outcome=success duration=1000000 frame=4 sport=1234 protocol=http "
	      "http.version=1.1 http.response.status_code=204");
	SAY(&t, REPLY, "HTTP/1.0 500 x\r\nContent-Type: a/b\r\n c\r\n\r\nHTTP/1.1 200 not a response");
	HEARD(&t, "http action=response outcome=failure duration=2000000 frame=5 sport=1234 protocol=http "
		  "http.version=1.0 http.response.status_code=500 http.response.mime_type=a/b c");
	talk_close(&t);
}

static void bodies_are_passed_over(void **state)
{
	static char big[3000];
	struct talk t;

	memset(big, 'x', sizeof(big));
	memcpy(big, "GET / HTTP/1.1\r\n\r\n", 18);
	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	SAY(&t, ASK, "PUT / HTTP/1.1\r\nContent-Length: 6000\r\n\r\n");
	talk_packet(&t, 6, ASK, 16, big, 100, 3000);	/* cut at the snap length: nobody cares */
	talk_say(&t, ASK, big, 3000);
	SAY(&t, ASK, "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1000;x=\"y\"\r\n");
	talk_say(&t, ASK, big, 3000);
	talk_say(&t, ASK, big, 1096);
	SAY(&t, ASK, "\r\n0\r\nTrailer: GET / HTTP/1.1\r\n\r\n" GET);
	assert_int_equal(t.lines.n, 3);
	talk_close(&t);
}

static void what_is_cut_is_told_as_far_as_it_goes(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_packet(&t, 6, ASK, 16, GET, 30, sizeof(GET) - 1);
	HEARD(&t, "http action=request frame=1 sport=4000 protocol=http http.version=1.1 http.request.method=GET "
		  "url.original=/a?b");
	talk_close(&t);
}

static void a_hole_is_survived(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	SAY(&t, ASK, "GET /lost HTTP/1.1\r\nHo");
	talk_lose(&t, ASK, 70000);
	SAY(&t, ASK, "x: y\r\n\r\n");
	SAY(&t, ASK, GET);
	request(&t, 5);
	talk_close(&t);
}

static void lookalikes_are_nobodys(void **state)
{
	static const char *const texts[] = {
		"GET / RTSP/1.0\r\n\r\n", "REGISTER sip:a SIP/2.0\r\n\r\n", "GET /\r\n", "EHLO HTTP/1.1\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 2000 x\r\n", &"HTTP/1.1 999\r\n"[9], "HTTP/2.0 200\r\n",
	};
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		talk_say(&t, ASK, texts[i], (uint32_t)strlen(texts[i]));
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

static void a_tunnel_is_recognised_anew(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset) | dataset_bit(&redis_dataset), 3128);
	talk_handshake(&t);
	SAY(&t, ASK, "CONNECT a:6379 HTTP/1.1\r\n\r\n");
	SAY(&t, REPLY, "HTTP/1.1 200 go\r\nContent-Length: 9\r\n\r\n");
	t.lines.n = 0;
	SAY(&t, ASK, "*1\r\n$4\r\nPING\r\n");
	SAY(&t, REPLY, "+PONG\r\n");
	HEARD(&t, "redis action=request frame=5 sport=4000 protocol=redis redis.command=PING redis.args_count=0",
	      "redis action=response outcome=success duration=1000000 frame=6 sport=3128 protocol=redis "
	      "redis.reply.type=simple_string redis.reply.value=PONG");
	talk_close(&t);
}

static void an_upgrade_to_http2_is_followed(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset) | dataset_bit(&http2_dataset), 80);
	talk_handshake(&t);
	SAY(&t, ASK, "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
	SAY(&t, REPLY, "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n\0\0\0\4\0\0\0\0\0");
	t.lines.n = 0;
	SAY(&t, ASK, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0");
	SAY(&t, REPLY, "\0\0\1\1\5\0\0\0\1\x88");
	HEARD(&t, "http2 action=response outcome=success duration=3000000 frame=6 sport=80 protocol=http2 "
		  "http.version=2 http.response.status_code=200 http2.stream_id=1 http2.headers=:status: 200");
	talk_close(&t);
}

static void nobody_answers(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	SAY(&t, ASK, "GET /x HTTP/1.1\r\n\r\n");
	t.lines.n = 0;
	talk_wait(&t, 31);
	HEARD(&t, "http action=no_answer outcome=unknown frame=3 sport=4000 protocol=http http.version=1.1 "
		  "http.request.method=GET url.original=/x");
	talk_close(&t);
}

/* Said now, but by its numbers before or behind what the other says next. */
static void overtaken(struct talk *t, const char *request, const char *response)
{
	uint32_t n = (uint32_t)strlen(request);

	t->seq[ASK] += n;
	talk_say(t, REPLY, response, (uint32_t)strlen(response));
	t->seq[ASK] -= n;
	talk_say(t, ASK, request, n);
}

static void a_response_may_overtake_its_request(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	overtaken(&t, "GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n");
	overtaken(&t, "GET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 204 No\r\n\r\n");
	SAY(&t, ASK, "GET /d HTTP/1.1\r\n\r\n");
	t.lines.n = 0;
	SAY(&t, REPLY, "HTTP/1.1 204 No\r\n\r\n");	/* whose it is, is still known */
	HEARD(&t, "http action=response outcome=success duration=1000000 frame=8 sport=80 protocol=http "
		  "http.version=1.1 http.response.status_code=204");
	SAY(&t, REPLY, "HTTP/1.1 408 Late\r\n\r\n");	/* nobody asked */
	SAY(&t, ASK, "GET /e HTTP/1.1\r\n\r\n");
	t.lines.n = 0;
	talk_wait(&t, 31);
	HEARD(&t, "http action=no_answer outcome=unknown frame=10 sport=4000 protocol=http http.version=1.1 "
		  "http.request.method=GET url.original=/e");
	talk_close(&t);
}

static void a_tunnel_may_carry_the_same(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 3128);
	talk_handshake(&t);
	SAY(&t, ASK, "CONNECT a:80 HTTP/1.1\r\n\r\n");
	SAY(&t, REPLY, "HTTP/1.1 200 go\r\n\r\n");
	t.lines.n = 0;
	SAY(&t, ASK, GET);
	request(&t, 5);
	SAY(&t, REPLY, "HTTP/1.1 204 no\r\n\r\n");
	HEARD(&t, "http action=response outcome=success duration=1000000 frame=6 sport=3128 protocol=http "
		  "http.version=1.1 http.response.status_code=204");
	talk_close(&t);
}

static void lines_may_end_without_a_return(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	SAY(&t, ASK, "PUT / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n2;x\r\nde\r\n0\nT: 1\n\n" GET);
	assert_int_equal(t.lines.n, 2);
	assert_non_null(strstr(t.lines.text[1], "http.request.method=GET"));
	talk_close(&t);
}

/* A response may have been among lost bytes; a request behind a hole may have been answered before. */
static void what_is_lost_leaves_no_wrong_pair(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	SAY(&t, ASK, GET);
	talk_lose(&t, REPLY, 70000);
	SAY(&t, ASK, GET);
	SAY(&t, REPLY, "HTTP/1.1 200 second\r\nContent-Length: 0\r\n\r\n");
	SAY(&t, ASK, GET);
	SAY(&t, REPLY, "HTTP/1.1 200 third\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(t.lines.n, 5);
	assert_null(strstr(t.lines.text[2], "duration"));
	assert_non_null(strstr(t.lines.text[4], "duration=1000000"));
	t.lines.n = 0;
	talk_lose(&t, ASK, 70000);
	SAY(&t, REPLY, "HTTP/1.1 200 lost\r\nContent-Length: 0\r\n\r\n");
	SAY(&t, ASK, GET);				/* behind the hole */
	SAY(&t, REPLY, "HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
	SAY(&t, ASK, GET);
	SAY(&t, REPLY, "HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(t.lines.n, 5);
	assert_null(strstr(t.lines.text[2], "duration"));
	assert_non_null(strstr(t.lines.text[4], "duration=1000000"));
	talk_wait(&t, 60);
	assert_int_equal(t.lines.n, 5);			/* nor is any said to have no answer */
	talk_close(&t);
}

static void authorities_are_hosts_and_ports(void **state)
{
	static const struct { const char *text, *domain; uint16_t port; } hosts[] = {
		{ "a.b:81", "a.b", 81 }, { "a.b:", "a.b", 0 }, { "[::1]:8080", "[::1]", 8080 },
		{ "[::1]", "[::1]", 0 }, { "[::1]:", "[::1]", 0 }, { "2001:db8::1", "2001:db8::1", 0 },
		{ "a:99999", "a:99999", 0 }, { "a:b", "a:b", 0 }, { "", "", 0 }, { ":80", "", 80 },
	};
	struct str domain;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct str s = { hosts[i].text, (uint32_t)strlen(hosts[i].text) };
		uint16_t port = 0;

		assert_int_equal(http_authority(s, &domain, &port), hosts[i].port != 0);
		assert_int_equal(port, hosts[i].port);
		assert_int_equal(domain.n, strlen(hosts[i].domain));
		assert_memory_equal(domain.p, hosts[i].domain, domain.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_block_may_be_cut_anywhere),
		cmocka_unit_test(each_response_answers_its_request),
		cmocka_unit_test(bodies_are_passed_over),
		cmocka_unit_test(what_is_cut_is_told_as_far_as_it_goes),
		cmocka_unit_test(a_hole_is_survived),
		cmocka_unit_test(lookalikes_are_nobodys),
		cmocka_unit_test(a_tunnel_is_recognised_anew),
		cmocka_unit_test(an_upgrade_to_http2_is_followed),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(a_response_may_overtake_its_request),
		cmocka_unit_test(a_tunnel_may_carry_the_same),
		cmocka_unit_test(lines_may_end_without_a_return),
		cmocka_unit_test(what_is_lost_leaves_no_wrong_pair),
		cmocka_unit_test(authorities_are_hosts_and_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
