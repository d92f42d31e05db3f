// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk_help.h"
#include "decode/http/fields.h"

#define PREFACE	 "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
/* POST, http, :path /p (kept), content-type a/b (kept) */
#define BLOCK	 "\x83\x86\x44\2/p\x5f\3" "a/b"
#define REQUEST	 "\0\0\x0b\1\4\0\0\0\1" BLOCK
#define ASKED(n, s) "http2 action=request frame=" #n " sport=4000 protocol=http2 http.version=2 " \
		    "http.request.method=POST http.request.mime_type=a/b url.original=/p url.scheme=http " \
		    "http2.stream_id=" #s " http2.headers=:method: POST,:scheme: http,:path: /p,content-type: a/b"
#define SAID(n, us, s, rest) "http2 action=response outcome=success duration=" #us " frame=" #n \
			     " sport=1234 protocol=http2 http.version=2 http.response.status_code=200 " \
			     "http2.stream_id=" #s " http2.headers=:status: 200" rest

static void talk_h2(struct talk *t)
{
	talk_open(t, dataset_bit(&http2_dataset), 1234);
	talk_handshake(t);
}

static void streams_are_told_apart(void **state)
{
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE REQUEST "\0\0\4\1\4\0\0\0\3\x83\x86\xbf\xbe");
	SAY(&t, REPLY, "\0\0\0\4\0\0\0\0\0\0\0\1\1\4\0\0\0\3\x88");
	SAY(&t, REPLY, "\0\0\1\1\4\0\0\0\1\x88");
	HEARD(&t, ASKED(3, 1), ASKED(3, 3), SAID(4, 1000000, 3, ""), SAID(5, 2000000, 1, ""));
	talk_close(&t);
}

static void an_byte_a_segment_is_enough(void **state)
{
	struct talk t;

	talk_h2(&t);
	talk_drip(&t, ASK, PREFACE REQUEST, sizeof(PREFACE REQUEST) - 1);
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
}

static void blocks_go_on_and_have_padding(void **state)
{
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE "\0\0\x0a\1\x28\0\0\0\1\2" "\0\0\0\0\1" "\x83\x86" "\0\0"
		     "\0\0\0\x09\0\0\0\0\1" "\0\0\x09\x09\4\0\0\0\1" "\x44\2/p\x5f\3" "a/b");
	HEARD(&t, ASKED(3, 1));
	talk_close(&t);
}

static void trailers_carry_the_status_of_grpc(void **state)
{
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE REQUEST);
	t.lines.n = 0;
	SAY(&t, REPLY, "\0\0\0\4\0\0\0\0\0\0\0\1\1\4\0\0\0\1\x88\0\0\3\0\0\0\0\0\1xyz"
		       "\0\0\x10\1\5\0\0\0\1\x40\x0bgrpc-status\2" "13");
	HEARD(&t, SAID(4, 1000000, 1, ""),
	      "http2 action=trailers outcome=failure frame=4 sport=1234 protocol=http2 http.version=2 "
	      "http2.stream_id=1 http2.headers=grpc-status: 13 rpc.grpc.status_code=13");
	talk_close(&t);
}

static void promises_are_requests(void **state)
{
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE REQUEST);
	t.lines.n = 0;
	SAY(&t, REPLY, "\0\0\0\4\0\0\0\0\0\0\0\7\5\4\0\0\0\1\0\0\0\2\x82\x84\x86");
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "action=push_promise"));
	assert_non_null(strstr(t.lines.text[0], "http2.stream_id=1 "));
	t.lines.n = 0;
	SAY(&t, REPLY, "\0\0\1\1\5\0\0\0\2\x88\0\0\1\1\5\0\0\0\1\x88");	/* on the promised stream, and the first */
	HEARD(&t, SAID(5, 1000000, 2, ""), SAID(5, 2000000, 1, ""));
	talk_close(&t);
}

/* From the second request on: what was kept before is unknown, what is kept now is not. */
static void who_comes_late_learns(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http2_dataset), 1234);
	SAY(&t, ASK, "\0\0\5\1\4\0\0\0\5\x83\x86\xbf\xbe\x84\0\0\0\4\1\0\0\0\0");
	SAY(&t, ASK, "\0\0\x0b\1\4\0\0\0\7" BLOCK "\0\0\4\1\4\0\0\0\x09\x83\x86\xbf\xbe");
	assert_int_equal(t.lines.n, 3);
	assert_non_null(strstr(t.lines.text[0], "http2.headers=:method: POST,:scheme: http,<unknown>: <unknown>,"
						"<unknown>: <unknown>,:path: /"));
	assert_string_equal(t.lines.text[2], ASKED(2, 9));
	talk_close(&t);
}

static void a_hole_makes_the_table_unknown(void **state)
{
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE REQUEST);
	t.lines.n = 0;
	talk_lose(&t, ASK, 70000);
	SAY(&t, ASK, "\0\0\4\1\4\0\0\0\5\x83\x86\xbf\xbe\0\0\4\x08\0\0\0\0\0\0\0\0\1");
	SAY(&t, ASK, "\0\0\4\1\4\0\0\0\7\x83\x86\xbf\xbe");
	for (unsigned int i = 0; i < t.lines.n; i++)
		assert_null(strstr(t.lines.text[i], "/p"));
	assert_true(t.lines.n >= 1);
	talk_close(&t);
}

static void what_never_ends_is_given_up(void **state)
{
	struct decode_counts c = { .frames = 0 };
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE "\0\0\2\1\0\0\0\0\1\x83\x86");
	for (int i = 0; i < 40000; i++)
		SAY(&t, ASK, "\0\0\4\x09\0\0\0\0\1\0\1a\0");
	SAY(&t, ASK, "\0\0\0\x09\4\0\0\0\1");
	SAY(&t, ASK, REQUEST);
	assert_int_equal(t.lines.n, 1);
	conv_counts(t.conv, &c);
	assert_int_equal(c.malformed, 1);
	talk_close(&t);
}

static void what_is_short_is_not_held_back(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http2_dataset), 8080);
	talk_handshake(&t);
	SAY(&t, ASK, PREFACE);
	SAY(&t, ASK, "\0\0\3\1\5\0\0\0\1\x82\x86\x84");
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
}

/* What follows the hole is the data of a frame whose head was lost: gRPC's prefix, or text. */
static void a_hole_is_not_taken_for_a_long_frame(void **state)
{
	static const char rest[][15] = { "\0\0\0\0\x09\x0a\x07yyyyyyy", "yyyyyyyyyyyyyy" };
	struct talk t;

	for (int asked = 0; asked < 2; asked++) {
		for (int i = 0; i < 2; i++) {
			talk_open(&t, dataset_bit(&http2_dataset), 8080);
			talk_handshake(&t);
			SAY(&t, ASK, PREFACE);
			if (asked)
				SAY(&t, ASK, "\0\0\3\1\4\0\0\0\1\x82\x86\x84");
			talk_lose(&t, ASK, 70000);
			talk_say(&t, ASK, rest[i], 14);
			t.lines.n = 0;
			SAY(&t, ASK, "\0\0\3\1\5\0\0\0\3\x82\x86\x84");
			SAY(&t, ASK, "\0\0\3\1\5\0\0\0\5\x82\x86\x84");
			assert_int_equal(t.lines.n, 2);
			talk_close(&t);
		}
	}
}

/* Joined late: the name of :method, of :status, or of anything, stands where nothing is known. */
static void what_is_unknown_is_still_a_request_or_a_response(void **state)
{
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE);
	SAY(&t, REPLY, "\0\0\0\4\0\0\0\0\0");
	talk_lose(&t, ASK, 70000);
	talk_lose(&t, REPLY, 70000);
	SAY(&t, ASK, "\0\0\3\1\4\0\0\0\3\xc5\x86\x84" "\0\0\0\4\1\0\0\0\0");
	SAY(&t, REPLY, "\0\0\1\1\4\0\0\0\3\xc5" "\0\0\0\4\1\0\0\0\0");
	HEARD(&t, "http2 action=request frame=5 sport=4000 protocol=http2 http.version=2 url.original=/ url.scheme=http "
		  "http2.stream_id=3 http2.headers=<unknown>: <unknown>,:scheme: http,:path: /",
	      "http2 action=response duration=1000000 frame=6 sport=1234 protocol=http2 http.version=2 "
	      "http2.stream_id=3 http2.headers=<unknown>: <unknown>");
	talk_close(&t);
}

static void of_two_fields_of_a_name_the_first_counts(void **state)
{
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE "\0\0\x13\1\4\0\0\0\1" "\x82\x0f\x2b\1a\x0f\x2b\1b\x0f\x10\1c\x0f\x10\1d" "\x84\x86");
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "user_agent.original=a "));
	assert_non_null(strstr(t.lines.text[0], "http.request.mime_type=c "));
	talk_close(&t);
}

static void a_block_that_is_cut_is_told_as_far_as_it_goes(void **state)
{
	static const char block[] = PREFACE REQUEST;
	struct talk t;

	talk_h2(&t);
	talk_packet(&t, 6, ASK, 16, block, sizeof(block) - 1 - 3, sizeof(block) - 1);
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "http2.headers=:method: POST,:scheme: http,:path: /p"));
	assert_null(strstr(t.lines.text[0], "content-type"));
	assert_true(record_has(&t.lines.last, FIELD_TRUNCATED));
	/* The field that was cut may have entered the table: what stands there is not known. */
	t.lines.n = 0;
	SAY(&t, ASK, "\0\0\4\1\4\0\0\0\3\x83\x86\xbf\xbe" "\0\0\0\4\1\0\0\0\0");
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "http2.headers=:method: POST,:scheme: http,<unknown>: <unknown>,<unknown>: <unknown>"));
	talk_close(&t);
}

static void nothing_stands_inside_a_block(void **state)
{
	struct decode_counts c = { 0 };
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE "\0\0\2\1\0\0\0\0\1\x83\x86" "\0\0\0\4\1\0\0\0\0" "\0\0\2\x09\4\0\0\0\1\x84\xbe");
	assert_int_equal(t.lines.n, 0);
	conv_counts(t.conv, &c);
	assert_int_equal(c.malformed, 1);
	SAY(&t, ASK, "\0\0\3\1\4\0\0\0\3\x83\x86\x84");
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
}

/* A field of 30 KB, as single sign-on makes them. */
static void a_long_field_is_one_field(void **state)
{
	static uint8_t frame[9 + 3 + 4 + 30000];
	uint32_t n = sizeof(frame) - 9, len = 30000 - 127;
	struct talk t;

	talk_h2(&t);
	SAY(&t, ASK, PREFACE);
	memset(frame, 'x', sizeof(frame));
	memcpy(frame, (uint8_t[]){ 0, (uint8_t)(n >> 8), (uint8_t)n, 1, 4, 0, 0, 0, 1, 0x83, 0x86, 0x84, 0x0f, 0x11 }, 14);
	frame[14] = 0x7f;
	frame[15] = (uint8_t)(len & 0x7f) | 0x80;
	frame[16] = (uint8_t)(len >> 7 & 0x7f) | 0x80;
	frame[17] = (uint8_t)(len >> 14);
	n = 9 + 3 + 2 + 4 + 30000;
	memcpy(frame, (uint8_t[]){ 0, (uint8_t)((n - 9) >> 8), (uint8_t)(n - 9) }, 3);
	talk_say(&t, ASK, frame, sizeof(frame));
	talk_say(&t, ASK, "xx", n - (uint32_t)sizeof(frame));
	assert_int_equal(t.lines.n, 1);
	assert_int_equal(http_of(&t.lines.last)->headers.n, 4);
	talk_close(&t);
}

/* HTTP/1 hands the connection over, once, though it was waited for. */
static void a_preface_that_goes_wrong_is_nobodys(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset) | dataset_bit(&http2_dataset), 8080);
	talk_handshake(&t);
	SAY(&t, ASK, "PRI * HTTP/2.0\r\0aaaa");
	SAY(&t, ASK, "zz / HTTP/1.1\r\nU");
	SAY(&t, ASK, "more of it");
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_told_apart),
		cmocka_unit_test(an_byte_a_segment_is_enough),
		cmocka_unit_test(blocks_go_on_and_have_padding),
		cmocka_unit_test(trailers_carry_the_status_of_grpc),
		cmocka_unit_test(promises_are_requests),
		cmocka_unit_test(who_comes_late_learns),
		cmocka_unit_test(a_hole_makes_the_table_unknown),
		cmocka_unit_test(what_never_ends_is_given_up),
		cmocka_unit_test(what_is_short_is_not_held_back),
		cmocka_unit_test(a_hole_is_not_taken_for_a_long_frame),
		cmocka_unit_test(a_preface_that_goes_wrong_is_nobodys),
		cmocka_unit_test(what_is_unknown_is_still_a_request_or_a_response),
		cmocka_unit_test(of_two_fields_of_a_name_the_first_counts),
		cmocka_unit_test(a_block_that_is_cut_is_told_as_far_as_it_goes),
		cmocka_unit_test(nothing_stands_inside_a_block),
		cmocka_unit_test(a_long_field_is_one_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
