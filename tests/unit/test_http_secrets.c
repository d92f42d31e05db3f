// SPDX-License-Identifier: GPL-2.0-or-later
/* What gives access is hidden in what HTTP says, and nothing else is. */
#include "talk_help.h"
#include "decode/http/fields.h"
#include "decode/http/secrets.h"

static struct str text(const char *s)
{
	return (struct str){ s, (uint32_t)strlen(s) };
}

/* Hidden, or as it was. */
static const char *hide(const char *target)
{
	static char out[512];
	bool cut = false;
	uint32_t n = http_hide_target(out, sizeof(out), text(target), &cut);

	assert_false(cut);
	out[n] = 0;
	return n ? out : target;
}

#define HIDES(from, to) assert_string_equal(hide(from), to)
#define KEEPS(target)	assert_ptr_equal(hide(target), target)

static void parameters_that_give_access_are_hidden(void **state)
{
	HIDES("/a?access_token=abc", "/a?access_token=[hidden]");
	HIDES("/a?x=1&Token=abc&y=2#z", "/a?x=1&Token=[hidden]&y=2#z");
	HIDES("/?X-Amz-Signature=0123&X-Amz-Credential=A%2Fb&X-Amz-Date=1",
	      "/?X-Amz-Signature=[hidden]&X-Amz-Credential=[hidden]&X-Amz-Date=1");
	HIDES("/?client_secret=a&password=b&pwd=c&api-key=d&key=e&auth=f&sig=g",
	      "/?client_secret=[hidden]&password=[hidden]&pwd=[hidden]&api-key=[hidden]&key=[hidden]&auth=[hidden]&sig=[hidden]");
	/* What is written otherwise is the same name; a value may hold anything but what ends it. */
	HIDES("/?acc%65ss_t%6Fken=a=b;c?d", "/?acc%65ss_t%6Fken=[hidden]");
	HIDES("/a;jsessionid=0A1B?q=1", "/a;jsessionid=[hidden]");
	HIDES("/cb#access_token=abc&state=1", "/cb#access_token=[hidden]&state=1");
	HIDES("/?u=/x?token=abc", "/?u=/x?token=[hidden]");
	HIDES("http://h/p?token=1", "http://h/p?token=[hidden]");
	KEEPS("/a?author=x&monkey=y&keyword=z&sign=1&passenger=2");
	KEEPS("/a?token");
	KEEPS("/a?token=&x=1");
	KEEPS("/token=abc");
	KEEPS("/");
	KEEPS("*");
	KEEPS("");
}

static void userinfo_is_hidden(void **state)
{
	HIDES("http://me:pw@example.org/", "http://[hidden]@example.org/");
	HIDES("ftp://me@example.org", "ftp://[hidden]@example.org");
	HIDES("//me:p@w@example.org:80/a@b", "//[hidden]@example.org:80/a@b");
	HIDES("me:pw@example.org:443", "[hidden]@example.org:443");
	HIDES("http://a:b@h/?token=c", "http://[hidden]@h/?token=[hidden]");
	KEEPS("/a@b");
	KEEPS("http://example.org/a@b?c=d@e");
	KEEPS("example.org:443");
	KEEPS("/?mail=a@b");
	assert_string_equal(http_without_userinfo(text("me:pw@h:80")).p, "h:80");
	assert_string_equal(http_without_userinfo(text("h:80")).p, "h:80");
}

static const char *field(const char *name, const char *value)
{
	static char out[512];
	bool cut = false;
	uint32_t n = http_hide_field(out, sizeof(out), http_field_kind(text(name)), text(value), &cut);

	assert_false(cut);
	out[n] = 0;
	return n ? out : value;
}

static void fields_that_give_access_are_hidden(void **state)
{
	assert_string_equal(field("authorization", "Bearer abc def"), "Bearer [hidden]");
	assert_string_equal(field("authorization", "abc"), "[hidden]");
	assert_string_equal(field("proxy-authorization", "Basic YTpi"), "Basic [hidden]");
	assert_string_equal(field("cookie", "a=b; c=d"), "[hidden]");
	assert_string_equal(field("set-cookie", "a=b"), "[hidden]");
	assert_string_equal(field("x-api-key", "k"), "[hidden]");
	assert_string_equal(field("x-auth-token", "k"), "[hidden]");
	assert_string_equal(field(":path", "/?sid=1&a=b"), "/?sid=[hidden]&a=b");
	assert_string_equal(field("referer", "https://u:p@h/?token=1"), "https://[hidden]@h/?token=[hidden]");
	assert_string_equal(field(":authority", "u:p@h:80"), "[hidden]@h:80");
	assert_string_equal(field("user-agent", "token=abc"), "token=abc");
	assert_string_equal(field("content-type", "a/b; key=c"), "a/b; key=c");
	assert_string_equal(field("cookie", ""), "");
}

/* However little room there is: no byte of a secret comes out, and none is written beyond. */
static void what_has_no_room_is_left_out(void **state)
{
	static const char target[] = "http://name:SSSS@host/path/path/path/path?a=1&token=SSSSSSSS&b=2&password=SSSS&c=3";

	const uint32_t whole = (uint32_t)strlen(hide(target));

	for (uint32_t room = HTTP_HIDE_MIN; room <= 128; room++) {
		char *out = malloc(room);
		bool cut = false;
		uint32_t n = http_hide_target(out, room, text(target), &cut);

		assert_true(n && n <= room);
		assert_null(memchr(out, 'S', n));
		assert_int_equal(cut, n < whole);
		free(out);
	}
}

/* Each cut of a target, with and without a sanitizer behind it. */
static void every_truncation_is_read(void **state)
{
	static const char target[] = "http://a:b@h/?%74oken=%4&x=%&token=%zz;sig=;&=&&key=#sid=1";

	for (uint32_t n = 0; n < sizeof(target); n++) {
		char *copy = malloc(n ? n : 1), out[256];
		bool cut = false;

		memcpy(copy, target, n);
		http_hide_target(out, sizeof(out), (struct str){ copy, n }, &cut);
		http_field_kind((struct str){ copy, n });
		free(copy);
	}
}

/* ── as decoders tell it ──────────────────────────────────────────────────── */

static void records_have_no_secrets_unless_asked_for(void **state)
{
	static const char request[] = "GET http://u:pw@example.org/a?token=abc HTTP/1.1\r\nHost: u:pw@example.org\r\n\r\n";
	struct decode_options shown = { .kinds = dataset_bit(&http_dataset), .show_secrets = true };
	struct talk t;

	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	talk_say(&t, ASK, request, sizeof(request) - 1);
	HEARD(&t, "http action=request frame=3 sport=4000 protocol=http http.version=1.1 http.request.method=GET "
		  "url.original=http://[hidden]@example.org/a?token=[hidden] url.domain=example.org");
	talk_close(&t);
	talk_open_with(&t, &shown, 80);
	talk_handshake(&t);
	talk_say(&t, ASK, request, sizeof(request) - 1);
	HEARD(&t, "http action=request frame=3 sport=4000 protocol=http http.version=1.1 http.request.method=GET "
		  "url.original=http://u:pw@example.org/a?token=abc url.domain=example.org");
	talk_close(&t);
}

static void a_target_that_is_long_is_cut_and_said_to_be(void **state)
{
	static char request[20000];
	struct talk t;

	memset(request, 'a', sizeof(request));
	memcpy(request, "GET /?token=S&", 14);
	memcpy(request + sizeof(request) - 13, " HTTP/1.1\r\n\r\n", 13);
	talk_open(&t, dataset_bit(&http_dataset), 80);
	talk_handshake(&t);
	talk_say(&t, ASK, request, sizeof(request));
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "url.original=/?token=[hidden]&aaaa"));
	assert_true(t.lines.last.truncated);
	talk_close(&t);
}

static void fields_of_http2_have_none_either(void **state)
{
	/* :path with a parameter, authorization and cookie as literals, the second time by the table */
	static const char block[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
				    "\0\0\x23\1\4\0\0\0\1\x82\x86\x44\x0c/?token=abcd\x40\x0d" "authorization\3" "B x"
				    "\0\0\4\1\4\0\0\0\3\x82\x86\xbf\xbe";
	struct talk t;

	talk_open(&t, dataset_bit(&http2_dataset), 1234);
	talk_handshake(&t);
	talk_say(&t, ASK, block, sizeof(block) - 1);
#define SECOND_TIME "http2.headers=:method: GET,:scheme: http,:path: /?token=[hidden],authorization: B [hidden]"
	HEARD(&t, "http2 action=request frame=3 sport=4000 protocol=http2 http.version=2 http.request.method=GET "
		  "url.original=/?token=[hidden] url.scheme=http http2.stream_id=1 " SECOND_TIME,
	      "http2 action=request frame=3 sport=4000 protocol=http2 http.version=2 http.request.method=GET "
	      "url.original=/?token=[hidden] url.scheme=http http2.stream_id=3 " SECOND_TIME);
	talk_close(&t);
}

/* Who comes late does not know which field it is, and it may be a cookie. */
static void a_value_whose_name_is_not_known_is_hidden(void **state)
{
	/* A second request, from the middle of the connection: a literal of an entry that was kept before. */
	static const char late[] = "\0\0\x0a\1\4\0\0\0\3\x82\x86\x84\x7e\5" "SSSSS" "\0\0\0\4\1\0\0\0\0";
	struct talk t;

	talk_open(&t, dataset_bit(&http2_dataset), 1234);
	talk_say(&t, ASK, late, sizeof(late) - 1);
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "<unknown>: [hidden]"));
	assert_null(strstr(t.lines.text[0], "SSSSS"));
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_that_give_access_are_hidden),
		cmocka_unit_test(userinfo_is_hidden),
		cmocka_unit_test(fields_that_give_access_are_hidden),
		cmocka_unit_test(what_has_no_room_is_left_out),
		cmocka_unit_test(every_truncation_is_read),
		cmocka_unit_test(records_have_no_secrets_unless_asked_for),
		cmocka_unit_test(a_target_that_is_long_is_cut_and_said_to_be),
		cmocka_unit_test(fields_of_http2_have_none_either),
		cmocka_unit_test(a_value_whose_name_is_not_known_is_hidden),
	};

	return cmocka_run_group_tests_name("http_secrets", tests, NULL, NULL);
}
