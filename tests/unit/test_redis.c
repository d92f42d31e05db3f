// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk_help.h"
#include "decode/redis/fields.h"

#define ASKED(n, rest)	 "redis action=request frame=" #n " sport=4000 protocol=redis " rest
#define SAID(n, rest)	 "redis action=response outcome=success duration=1000000 frame=" #n \
			 " sport=6379 protocol=redis " rest

static void open_redis(struct talk *t)
{
	talk_open(t, dataset_bit(&redis_dataset), 6379);
	talk_handshake(t);
}

static void commands_and_replies_go_in_pairs(void **state)
{
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "*3\r\n$3\r\nset\r\n$1\r\nk\r\n$2\r\n\r\n\r\nGET k\r\n");
	SAY(&t, REPLY, "+OK\r\n$-1\r\n");
	HEARD(&t, ASKED(3, "redis.command=SET redis.args=k,\r\n redis.args_count=2"),
	      ASKED(3, "redis.command=GET redis.args=k redis.args_count=1"),
	      SAID(4, "redis.reply.type=simple_string redis.reply.value=OK"), SAID(4, "redis.reply.type=null"));
	talk_close(&t);
}

static void a_reply_may_overtake_its_command(void **state)
{
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "PING\r\n");
	SAY(&t, REPLY, "+PONG\r\n");
	t.seq[ASK] += 7;
	SAY(&t, REPLY, "$1\r\na\r\n");
	t.seq[ASK] -= 7;
	t.frame.time_ns -= 1005000;		/* and by the stamps the command was first */
	SAY(&t, ASK, "GET a\r\n");
	assert_int_equal(t.lines.n, 4);
	assert_non_null(strstr(t.lines.text[3], "duration=5000 "));
	SAY(&t, ASK, "GET b\r\n");
	SAY(&t, REPLY, "$1\r\nb\r\n");
	assert_int_equal(t.lines.n, 6);
	assert_non_null(strstr(t.lines.text[5], "duration=1000000 "));
	talk_wait(&t, 31);
	assert_int_equal(t.lines.n, 6);
	talk_close(&t);
}

static void an_byte_a_segment_is_enough(void **state)
{
	static const char text[] = "*2\r\n$4\r\nECHO\r\n$11\r\nhello world\r\n";
	struct talk t;

	open_redis(&t);
	talk_drip(&t, ASK, text, sizeof(text) - 1);
	assert_int_equal(t.lines.n, 1);
	talk_drip(&t, REPLY, "*2\r\n:1\r\n$3\r\nabc\r\n", 17);
	assert_int_equal(t.lines.n, 2);
	assert_non_null(strstr(t.lines.text[1], "redis.reply.type=array redis.reply.count=2"));
	talk_close(&t);
}

static void all_types_have_their_names(void **state)
{
	static const struct { const char *said, *type; } replies[] = {
		{ "-ERR x\r\n", "=error redis.reply.value=ERR x" },
		{ ":-5\r\n", "=integer redis.reply.value=-5" },
		{ "$2\r\nab\r\n", "=bulk_string redis.reply.value=ab" },
		{ "*-1\r\n", "=null" },
		{ "*0\r\n", "=array redis.reply.count=0" },
		{ "_\r\n", "=null" },
		{ "#f\r\n", "=boolean redis.reply.value=false" },
		{ ",-inf\r\n", "=double redis.reply.value=-inf" },
		{ "(12345678901234567890123\r\n", "=big_number redis.reply.value=12345678901234567890123" },
		{ "!3\r\nbad\r\n", "=bulk_error redis.reply.value=bad" },
		{ "=6\r\ntxt:ab\r\n", "=verbatim_string redis.reply.value=ab" },
		{ "%1\r\n+a\r\n*1\r\n+b\r\n", "=map redis.reply.count=1" },
		{ "~2\r\n:1\r\n:2\r\n", "=set redis.reply.count=2" },
		{ ">1\r\n+x\r\n", "=push redis.reply.count=1" },
		{ "*?\r\n:1\r\n*?\r\n.\r\n.\r\n", "=array" },
		{ "|1\r\n+a\r\n+b\r\n:1\r\n", "=attribute redis.reply.count=1" },
	};
	struct talk t;

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		open_redis(&t);
		SAY(&t, ASK, "*1\r\n$4\r\nPING\r\n");
		t.lines.n = 0;
		talk_say(&t, REPLY, replies[i].said, (uint32_t)strlen(replies[i].said));
		assert_true(t.lines.n >= 1);
		assert_string_equal(strstr(t.lines.text[0], "redis.reply.type") + 16, replies[i].type);
		talk_close(&t);
	}
}

static void passwords_are_hidden(void **state)
{
	struct decode_options opt = { .kinds = dataset_bit(&redis_dataset), .show_secrets = true };
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "AUTH me secret\r\nHELLO 3 AUTH me secret SETNAME x\r\nCONFIG SET requirepass secret\r\n"
		     "ACL SETUSER me >secret +get\r\nMIGRATE h 1 k 0 5 AUTH2 me secret\r\n");
	assert_int_equal(t.lines.n, 5);
	for (int i = 0; i < 5; i++)
		assert_null(strstr(t.lines.text[i], "secret"));
	assert_non_null(strstr(t.lines.text[1], "SETNAME,x"));
	talk_close(&t);
	talk_open_with(&t, &opt, 6379);
	SAY(&t, ASK, "AUTH secret\r\n");
	assert_non_null(strstr(t.lines.text[0], "redis.args=secret"));
	talk_close(&t);
}

static void a_large_value_costs_nothing(void **state)
{
	static char block[60000];
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$180000\r\n");
	for (int i = 0; i < 3; i++)
		talk_say(&t, ASK, block, sizeof(block));
	SAY(&t, ASK, "\r\nPING\r\n");
	assert_int_equal(t.lines.n, 2);
	assert_non_null(strstr(t.lines.text[0], "redis.command=SET"));
	assert_non_null(strstr(t.lines.text[1], "redis.command=PING"));
	talk_close(&t);
}

static void no_reply_is_waited_for_when_none_is_wanted(void **state)
{
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "CLIENT REPLY OFF\r\nSET a b\r\nCLIENT REPLY ON\r\nPING\r\n");
	t.lines.n = 0;
	SAY(&t, REPLY, "+OK\r\n+PONG\r\n");
	talk_wait(&t, 60);
	HEARD(&t, SAID(4, "redis.reply.type=simple_string redis.reply.value=OK"),
	      SAID(4, "redis.reply.type=simple_string redis.reply.value=PONG"));
	talk_close(&t);
}

static void others_are_not_taken_for_it(void **state)
{
	static const char *const texts[] = { "+OK POP3 ready\r\n", "* OK IMAP4\r\n", "220 smtp\r\n", "-ERR\r\n",
					     "$5\r\nhello\r\n", "get k\r\n" };
	struct talk t;

	talk_open(&t, dataset_bit(&redis_dataset), 1234);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		talk_say(&t, REPLY, texts[i], (uint32_t)strlen(texts[i]));
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

static void quotes_hold_words_together(void **state)
{
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "SET \"a b\" 'c\\'d'\r\nECHO \"\\x41\\n\\\\\"\r\nECHO \"\"\r\nSET \"open\r\n");
	HEARD(&t, ASKED(3, "redis.command=SET redis.args=a b,c'd redis.args_count=2"),
	      ASKED(3, "redis.command=ECHO redis.args=A\n\\ redis.args_count=1"),
	      ASKED(3, "redis.command=ECHO redis.args= redis.args_count=1"),
	      ASKED(3, "redis.command=SET redis.args=open redis.args_count=1"));
	SAY(&t, ASK, "AUTH \"my secret\"\r\n");
	assert_null(strstr(t.lines.text[0], "secret"));
	talk_close(&t);
}

static void what_is_published_answers_nothing(void **state)
{
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "SUBSCRIBE c\r\n");
	SAY(&t, REPLY, "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
	SAY(&t, ASK, "PING\r\n");
	t.lines.n = 0;
	SAY(&t, REPLY, "*3\r\n$7\r\nmess");
	SAY(&t, REPLY, "age\r\n$1\r\nc\r\n$2\r\nhi\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n");
	assert_int_equal(t.lines.n, 2);
	assert_null(strstr(t.lines.text[0], "duration"));
	assert_non_null(strstr(t.lines.text[1], "duration=2000000"));
	talk_close(&t);
}

static void a_lost_reply_leaves_no_wrong_pair(void **state)
{
	struct talk t;

	open_redis(&t);
	SAY(&t, ASK, "PING\r\n");
	talk_lose(&t, REPLY, 70000);
	SAY(&t, ASK, "PING\r\n");
	SAY(&t, REPLY, "+PONG\r\n");
	SAY(&t, ASK, "PING\r\n");
	SAY(&t, REPLY, "+PONG\r\n");
	talk_wait(&t, 60);
	assert_int_equal(t.lines.n, 5);
	assert_null(strstr(t.lines.text[2], "duration"));
	assert_non_null(strstr(t.lines.text[4], "duration=1000000"));
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_and_replies_go_in_pairs),
		cmocka_unit_test(a_reply_may_overtake_its_command),
		cmocka_unit_test(an_byte_a_segment_is_enough),
		cmocka_unit_test(all_types_have_their_names),
		cmocka_unit_test(passwords_are_hidden),
		cmocka_unit_test(a_large_value_costs_nothing),
		cmocka_unit_test(no_reply_is_waited_for_when_none_is_wanted),
		cmocka_unit_test(others_are_not_taken_for_it),
		cmocka_unit_test(quotes_hold_words_together),
		cmocka_unit_test(what_is_published_answers_nothing),
		cmocka_unit_test(a_lost_reply_leaves_no_wrong_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
