// SPDX-License-Identifier: GPL-2.0-or-later
#include "where.h"

#include "util/err.h"

#include "decode/dns/fields.h"
#include "decode/redis/fields.h"
#include "decode_help.h"

static struct record r;

static int make_record(void **state)
{
	static const uint16_t vlans[] = { 7, 9 };
	static const struct str args[] = { { "key", 3 }, { "a\0b", 3 } };

	err_quiet(1);
	record_start(&r, &redis_dataset);
	r.src = (struct addr){ 4, { 10, 1, 2, 3 } };
	r.dst = (struct addr){ 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	r.sport = 6379;
	r.duration_ns = 2500000;
	r.time_ns = 1795948200250000000;
	r.action = "response";
	r.tcp_conflict = true;
	r.vlan = (struct list){ vlans, 2 };
	redis_of(&r)->args = (struct list){ args, 2 };
	redis_of(&r)->value = (struct str){ "Value one", 9 };
	record_mark(&r, FIELD_SRC_IP);
	record_mark(&r, FIELD_DST_IP);
	record_mark(&r, FIELD_SRC_PORT);
	record_mark(&r, FIELD_DURATION);
	record_mark(&r, FIELD_TIME);
	record_mark(&r, FIELD_ACTION);
	record_mark(&r, FIELD_TCP_CONFLICT);
	record_mark(&r, FIELD_VLAN);
	record_mark(&r, FIELD_REDIS_ARGS);
	record_mark(&r, FIELD_REDIS_REPLY_VALUE);
	return 0;
}

static bool where(const char *text)
{
	struct where *w;
	bool passes;

	assert_int_equal(where_compile(&w, text), 0);
	passes = where_match(w, &r);
	where_free(w);
	return passes;
}

static bool is_error(const char *text)
{
	struct where *w = NULL;
	int err = where_compile(&w, text);

	where_free(w);
	return err < 0;
}

static void fields_are_compared_as_what_they_are(void **state)
{
	assert_true(where("source.port == 6379"));
	assert_true(where("source.port = 0x18eb and source.port>6378&&source.port<=6379"));
	assert_false(where("source.port != 6379"));
	assert_true(where("event.duration >= 2.5ms and event.duration < 3ms and event.duration == 2500us"));
	assert_true(where("source.ip == 10.1.2.3 and source.ip in 10.0.0.0/8 and source.ip != 10.1.2.128/25"));
	assert_false(where("source.ip in 10.1.2.128/25"));
	assert_true(where("destination.ip in 2001:db8::/32 and destination.ip == 2001:db8::1"));
	assert_false(where("destination.ip in 0.0.0.0/0"));
	assert_true(where("event.action == response and event.action != 'request'"));
	assert_true(where("tcp.conflict == true"));
	assert_true(where("redis.reply.value ~ '^[A-Z][a-z]+ (one|two)$' and redis.reply.value !~ x"));
}

static void numbers_have_units_of_what_they_count(void **state)
{
	assert_true(where("source.port > 6k and source.port < 7k and source.port <= 6.379k and source.port < 6.3Ki"));
	assert_true(where("source.port > 6378.5 and source.port < 6379.5 and not source.port == 6378.5"));
	assert_true(where("event.duration < 1min and event.duration < 1m and event.duration < 0.5h and event.duration < 1d"));
	assert_false(where("event.duration > 1min"));
	assert_true(where("event.duration > 2499999.5 and event.duration > 2.4ms"));
	assert_true(where("@timestamp == 2026-11-29T10:30:00.25Z and @timestamp > 2026-11-29 and @timestamp < 2026-11-30"));
	assert_true(where("@timestamp >= '2026-11-29 10:30' and @timestamp < '2026-11-29 10:30:01'"));
	assert_true(where("@timestamp == 1795948200250000000"));
}

static void a_list_has_one_of_its_values(void **state)
{
	assert_true(where("source.port in (80, 443, 6379) and source.port in {6379} and source.port in 6379"));
	assert_false(where("source.port in (80, 443)"));
	assert_true(where("source.ip in (192.0.2.0/24, 10.0.0.0/8) and event.action in ('request', response)"));
	assert_true(where("source.port not in (80, 443) and source.port not in 1"));
	assert_false(where("source.port not in (80, 6379)"));
	assert_true(where("not source.port in (80, 443) and (source.port in (1, 6379) or source.port in (2))"));
	/* What is not there is in no list, and outside of none. */
	assert_false(where("http.response.status_code in (200)"));
	assert_false(where("http.response.status_code not in (200)"));
	assert_true(where("network.vlan in (9, 10)"));
}

static void of_a_list_one_is_enough(void **state)
{
	assert_true(where("network.vlan == 9"));
	assert_false(where("network.vlan == 8"));
	assert_true(where("redis.args == key and redis.args ~ '^k'"));
}

static void what_is_not_there_fails_every_comparison(void **state)
{
	assert_false(where("http.response.status_code == 200"));
	assert_false(where("http.response.status_code != 200"));
	assert_true(where("not http.response.status_code == 200"));
	assert_true(where("redis.reply.value and not http.version"));
}

static void words_bind_as_usual(void **state)
{
	assert_true(where("source.port == 1 and source.port == 2 or source.port == 6379"));
	assert_false(where("source.port == 1 and (source.port == 2 or source.port == 6379)"));
	assert_true(where("! (source.port == 1) && ! source.port == 2"));
	assert_true(where("not not source.port"));
}

static void answers_of_dns_are_looked_into(void **state)
{
	const struct str texts[] = { { "v=spf1", 6 } };
	struct dns_answer a[2] = {
		{ .present = 1 | 16, .name = { "x.example", 9 }, .data = { "192.0.2.1", 9 } },
		{ .present = 1 | 32, .name = { "y.example", 9 }, .data_list = { texts, 1 } },
	};

	record_start(&r, &dns_dataset);
	dns_of(&r)->answers = (struct list){ a, 2 };
	record_mark(&r, FIELD_DNS_ANSWERS);
	assert_true(where("dns.answers.data == 192.0.2.1"));
	assert_true(where("dns.answers.data ~ spf and dns.answers.name == y.example"));
	assert_false(where("dns.answers.ttl > 0"));
	assert_true(where("dns.answers.name"));
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "(", "source.port ==", "nothing == 1", "source.port == x", "source.port ~ 1", "source.ip < 10.0.0.1",
		"source.ip == 10.0.0.0/33", "source.ip == x", "event.action == 'open", "source.port == 1 2", "and",
		"redis.reply.value ~ '('", "redis.reply.value ~ '(a)\\1'", "redis.reply.value ~ 'a{1,2555}'",
		"redis.reply.value ~ '((a{9}){9}){9}'",
		"redis.reply.value ~ 'a++++++++++++++++++++++++++++++'",
		"redis.reply.value ~ '((((((((((a+)+)+)+)+)+)+)+)+)+)+'",
		"tcp.conflict == 1", "dns.answers == 1", "dns.answers.x == 1",
		"source.port == 1ms", "event.duration > 1k", "event.duration > 1KB", "source.port > 1kk", "source.port > k",
		"source.port in ()", "source.port in (1", "source.port in (1,)", "source.port in (1 2)", "source.port in {1)",
		"source.port not 1", "source.port not", "source.port in", "@timestamp > 10ms", "@timestamp > 2026-13-01",
		"@timestamp > 2026-11-29T", "@timestamp > 2026-11-29T10:30:00x", "@timestamp > 1900-01-01",
		"source.port in (1, 'x')", "source.port > 1e300k", "source.port == 99999999999999999999", "not", "source.port & 1",
	};
	char deep[200];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!is_error(bad[i]))
			fail_msg("taken: %s", bad[i]);
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	assert_true(is_error(deep));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, make_record)
	const struct CMUnitTest tests[] = {
		T(fields_are_compared_as_what_they_are),
		T(numbers_have_units_of_what_they_count),
		T(a_list_has_one_of_its_values),
		T(of_a_list_one_is_enough),
		T(what_is_not_there_fails_every_comparison),
		T(words_bind_as_usual),
		T(answers_of_dns_are_looked_into),
		T(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
