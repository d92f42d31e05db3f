// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk_help.h"
#include "decode/kafka/fields.h"
#include "decode/kafka/api.h"

static struct kafka_topics topics;

#define TOPICS(key, version, literal) \
	kafka_request_topics(&topics, kafka_api(key), version, (const uint8_t *)"" literal, sizeof(literal) - 1)

static void assert_topics(const char *want)
{
	char got[256] = "";

	for (uint32_t i = 0; i < topics.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), i ? ",%.*s" : "%.*s", (int)topics.names[i].n,
			 topics.names[i].p);
	assert_string_equal(got, want);
}

static void topics_stand_where_each_version_has_them(void **state)
{
	TOPICS(0, 2, "\0\1\0\0\0\1\0\0\0\2\0\1a\0\0\0\1\0\0\0\0\0\0\0\2xx\0\2bc\0\0\0\0");
	assert_topics("a,bc");
	assert_true(topics.has_acks && topics.acks == 1);
	TOPICS(0, 9, "\0\0\0\0\0\0\1\2\2a\2\0\0\0\0\3xx\0\0\0");
	assert_topics("a");
	assert_int_equal(topics.acks, 0);
	TOPICS(1, 4, "\xff\xff\xff\xff\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0\1\0\3one\0\0\0\0");
	assert_topics("one");
	TOPICS(3, 1, "\0\0\0\2\0\1x\0\1y");
	assert_topics("x,y");
	TOPICS(3, 12, "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2z\0\1\0\0");
	assert_topics("z");
	TOPICS(9, 8, "\2\2g\2\2t\2\0\0\0\1\0\0\0");
	assert_topics("t");
	TOPICS(20, 5, "\3\2p\2q\0\0\0\1\0");
	assert_topics("p,q");
	TOPICS(19, 1, "\0\0\0\1\0\1n\0\0\0\1\0\1\0\0\0\0\0\0\0\1\0\1k\0\1v\0\0\0\1\0");
	assert_topics("n");
	TOPICS(1, 7, "\xff\xff\xff\xff\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\1\0\0\0\1\0\1a\0\0\0\0"
	       "\0\0\0\2\0\1b\0\0\0\1\0\0\0\0\0\1a\0\0\0\0");		/* and those to be forgotten */
	assert_topics("a,b");
	TOPICS(5, 0, "\0\0\0\1\0\0\0\2\1\0\0\0\1\0\1s\0\0\0\0");
	assert_topics("s");
	TOPICS(5, 3, "\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\3\2\2s\2\0\0\0\0\0\0\0\1\1\0\0\0");
	assert_topics("s");
	TOPICS(6, 2, "\0\0\0\1\0\0\0\2\0\0\0\1\0\1u\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"
	       "\0\0\0\1\0\0\0\1\0\0\0\1");
	assert_topics("u");
	TOPICS(4, 5, "\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\3\0\2\2l" "0123456789abcdef\1\0\0");
	assert_topics("l");
	TOPICS(68, 0, "\2g\2m\0\0\0\1\0\0\0\0\0\1\3\2p\2q\0");
	assert_topics("p,q");
	TOPICS(18, 3, "\2a\2b\0");
	assert_topics("");
}

static void lengths_that_lie_end_it(void **state)
{
	TOPICS(3, 1, "\x7f\xff\xff\xff\0\1x\x7f\xff");
	assert_topics("x");
	TOPICS(3, 9, "\xff\xff\xff\xff\xff\xff\xff");
	assert_topics("");
	TOPICS(0, 99, "\0\0\0\0");
	assert_topics("");
}

static void every_key_has_a_name(void **state)
{
	for (uint16_t key = 0; key <= 92; key++)
		assert_non_null(kafka_api(key)->name);
	assert_null(kafka_api(93));
	assert_string_equal(kafka_api(68)->name, "ConsumerGroupHeartbeat");
}

#define METADATA "\0\0\0\x15\0\3\0\1\0\0\0\x7\0\5maker\0\0\0\0" /* all topics: none named */ "\0\0"
#define HEARTBEAT "\0\0\0\x0c\0\x0c\0\0\xff\xff\xff\xfe\0\2hb"

static void responses_find_their_requests_by_number(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&kafka_dataset), 9092);
	talk_handshake(&t);
	SAY(&t, ASK, METADATA HEARTBEAT);
	assert_int_equal(t.lines.n, 2);
	assert_string_equal(t.lines.text[1],
			    "kafka action=request frame=3 sport=4000 protocol=kafka kafka.api_key=12 "
			    "kafka.api_name=Heartbeat kafka.api_version=0 kafka.correlation_id=-2 kafka.client_id=hb");
	t.lines.n = 0;
	talk_drip(&t, REPLY, "\0\0\0\6\xff\xff\xff\xfe\0\0", 10);
	SAY(&t, REPLY, "\0\0\0\x8\0\0\0\7\0\0\0\0");
	assert_int_equal(t.lines.n, 2);
	assert_non_null(strstr(t.lines.text[0], "kafka.api_name=Heartbeat kafka.api_version=0 kafka.correlation_id=-2"));
	assert_non_null(strstr(t.lines.text[1], "duration=11000000"));
	assert_non_null(strstr(t.lines.text[1], "kafka.api_name=Metadata"));
	talk_close(&t);
}

static void requests_with_one_number_are_answered_in_turn(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&kafka_dataset), 9092);
	talk_handshake(&t);
	SAY(&t, ASK, METADATA);
	SAY(&t, ASK, "\0\0\0\x0c\0\x0c\0\0\0\0\0\7\0\2hb");
	t.lines.n = 0;
	SAY(&t, REPLY, "\0\0\0\x8\0\0\0\7\0\0\0\0");
	SAY(&t, REPLY, "\0\0\0\6\0\0\0\7\0\0");
	assert_int_equal(t.lines.n, 2);
	assert_non_null(strstr(t.lines.text[0], "duration=2000000 "));
	assert_non_null(strstr(t.lines.text[0], "kafka.api_name=Metadata"));
	assert_non_null(strstr(t.lines.text[1], "duration=2000000 "));
	assert_non_null(strstr(t.lines.text[1], "kafka.api_name=Heartbeat"));
	talk_wait(&t, 31);
	assert_int_equal(t.lines.n, 2);
	talk_close(&t);
}

static void a_request_tells_itself_on_any_port(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&kafka_dataset), 1234);
	talk_handshake(&t);
	SAY(&t, ASK, METADATA);
	assert_int_equal(t.lines.n, 1);
	SAY(&t, REPLY, "\0\0\0\x8\0\0\0\7\0\0\0\0");
	assert_int_equal(t.lines.n, 2);
	talk_close(&t);
}

static void a_message_too_short_for_its_header_is_none(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&kafka_dataset), 9092);
	talk_handshake(&t);
	SAY(&t, ASK, "\0\0\0\x8\0\0\0\2\0\0\0\1\xff\xff");
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

static void large_messages_are_passed_over(void **state)
{
	static char block[60000];
	struct talk t;

	talk_open(&t, dataset_bit(&kafka_dataset), 9092);
	talk_handshake(&t);
	memcpy(block, "\0\4\0\0" "\0\0\0\2\0\0\0\1\0\1c" "\0\1\0\0\0\1\0\0\0\1\0\1t\0\0\0\1\0\0\0\0\0\3\xff\x00", 40);
	for (int i = 0; i < 4; i++)
		talk_say(&t, ASK, block, sizeof(block));
	assert_int_equal(t.lines.n, 1);
	talk_lose(&t, ASK, 0x40000 + 4 - 4 * sizeof(block));
	SAY(&t, ASK, HEARTBEAT);
	assert_int_equal(t.lines.n, 2);
	talk_close(&t);
}

/* SaslHandshake of version 0 and SCRAM: tokens with nothing but a length. */
static void tokens_of_sasl_are_no_messages(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&kafka_dataset), 9092);
	talk_handshake(&t);
	SAY(&t, ASK, "\0\0\0\x16\0\x11\0\0\0\0\0\1\0\3cli\0\7" "SCRAM-1");
	SAY(&t, REPLY, "\0\0\0\x0a\0\0\0\1\0\0\0\0\0\0");
	assert_int_equal(t.lines.n, 2);
	t.lines.n = 0;
	SAY(&t, ASK, "\0\0\0\x10n,,n=user,r=fyko");
	SAY(&t, REPLY, "\0\0\0\x10r=fyko3rfc,s=QSX");
	SAY(&t, ASK, "\0\0\0\x08" "c=biws,r");
	SAY(&t, REPLY, "\0\0\0\0");
	assert_int_equal(t.lines.n, 0);
	SAY(&t, ASK, HEARTBEAT);
	SAY(&t, REPLY, "\0\0\0\6\xff\xff\xff\xfe\0\0");
	assert_int_equal(t.lines.n, 2);
	assert_non_null(strstr(t.lines.text[1], "duration=1000000"));
	talk_close(&t);
}

static void headers_may_have_tags(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&kafka_dataset), 9092);
	talk_handshake(&t);
	/* Metadata 12: one tag of two bytes, then a topic without an id */
	SAY(&t, ASK, "\0\0\0\x28\0\3\0\x0c\0\0\0\1\0\2me\1\5\2xy\2" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2z\0\1\0\0");
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "kafka.topics=z"));
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics_stand_where_each_version_has_them),
		cmocka_unit_test(lengths_that_lie_end_it),
		cmocka_unit_test(every_key_has_a_name),
		cmocka_unit_test(responses_find_their_requests_by_number),
		cmocka_unit_test(requests_with_one_number_are_answered_in_turn),
		cmocka_unit_test(a_request_tells_itself_on_any_port),
		cmocka_unit_test(a_message_too_short_for_its_header_is_none),
		cmocka_unit_test(large_messages_are_passed_over),
		cmocka_unit_test(tokens_of_sasl_are_no_messages),
		cmocka_unit_test(headers_may_have_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
