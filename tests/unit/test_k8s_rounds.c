// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects of a cluster that changes: streams cut into objects, what is gone, and that nothing piles up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include "k8s/cut.h"
#include "k8s/load.h"
#include "policy/flow.h"
#include "util/err.h"

#include <cmocka.h>

#include "k8s_help.h"

/* ── cutting ──────────────────────────────────────────────────────────────── */

struct objects {
	char text[4096];
	size_t n;
};

static int take_object(void *ctx, const char *text, size_t n)
{
	struct objects *o = ctx;

	o->n += (size_t)snprintf(o->text + o->n, sizeof(o->text) - o->n, "%.*s|", (int)n, text);
	return 0;
}

/* Whatever the pieces are. */
static void cut_into(bool list, const char *text, const char *wanted, int err)
{
	struct cut c = { 0 };

	for (size_t step = 1; step <= strlen(text) + 1; step++) {
		struct objects o = { .text = "" };
		int rc = 0;

		cut_begin(&c, list);
		for (size_t at = 0; at < strlen(text) && !rc; at += step)
			rc = cut_bytes(&c, text + at, strnlen(text + at, step), take_object, &o);
		assert_string_equal(o.text, wanted);
		assert_int_equal(rc, err);
		assert_int_equal(c.broken, err != 0);
	}
	cut_free(&c);
}

static void objects_are_cut_one_from_the_other(void **state)
{
	cut_into(false, "", "", 0);
	cut_into(false, "{\"a\":[{}]}\n{\"b\":1} \t\r\n{}", "{\"a\":[{}]}|{\"b\":1}|{}|", 0);
	cut_into(false, "{\"a}{\\\"[\\\\\":\"]\"}{\"half\":{}", "{\"a}{\\\"[\\\\\":\"]\"}|", 0);
	cut_into(false, "{}]", "{}|", -EPROTO);
	cut_into(false, "{\"a\":[}]}", "", -EPROTO);
	cut_into(false, "[{}]", "", -EPROTO);
	cut_into(false, "{} kubectl", "{}|", -EPROTO);
}

static void elements_of_a_list_are_objects_and_nothing_else_of_it(void **state)
{
	cut_into(true, "{\"apiVersion\":\"v1\",\"items\":[],\"metadata\":{\"a\":[{}]}}", "", 0);
	cut_into(true, "{\"items\":[{\"a\":[{}]}, {\"b\":{}}],\"kind\":\"List\"}", "{\"a\":[{}]}|{\"b\":{}}|", 0);
	cut_into(true, "{\"items\":[1,[{}],\"{\",{\"b\":{}}", "{\"b\":{}}|", 0);
	cut_into(true, "{\"items\":[{}}", "{}|", -EPROTO);
}

static void a_list_is_whole_when_it_has_ended(void **state)
{
	static const char text[] = "{\"items\":[{}]}";
	struct objects o = { 0 };
	struct cut c = { 0 };

	cut_begin(&c, true);
	for (size_t i = 0; text[i]; i++) {
		assert_int_equal(c.whole, 0);
		assert_int_equal(cut_is_between(&c), !i);
		assert_int_equal(cut_bytes(&c, text + i, 1, take_object, &o), 0);
	}
	assert_int_equal(c.whole, 1);
	assert_true(cut_is_between(&c));
	cut_free(&c);
}

static void what_is_too_large_or_too_deep_is_left_out(void **state)
{
	static char piece[1 << 16];
	struct objects o = { 0 };
	struct cut c = { 0 };
	int err = 0;

	memset(piece, ' ', sizeof(piece));
	cut_begin(&c, false);
	assert_int_equal(cut_bytes(&c, "{", 1, take_object, &o), 0);
	for (size_t i = 0; i < 2 * LOAD_OBJECT_MAX / sizeof(piece); i++)
		assert_int_equal(cut_bytes(&c, piece, sizeof(piece), take_object, &o), 0);
	assert_true(c.room <= LOAD_OBJECT_MAX);
	assert_int_equal(cut_bytes(&c, "}{}", 3, take_object, &o), 0);
	assert_string_equal(o.text, "{}|");
	assert_int_equal(c.left_out, 1);
	for (unsigned int i = 0; i < 1000 && !err; i++)
		err = cut_bytes(&c, i ? "[" : "{", 1, take_object, &o);
	assert_int_equal(err, -EPROTO);
	assert_int_equal(cut_bytes(&c, "{}", 2, take_object, &o), -EPROTO);
	cut_free(&c);
}

/* ── what is gone ─────────────────────────────────────────────────────────── */

#define POD(name_, ip_) \
	"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name_ "\",\"namespace\":\"a\",\"labels\":{\"app\":\"p\"}}," \
	"\"status\":{\"podIP\":\"" ip_ "\"}}"
#define EVENT(type_, object_) "{\"type\":\"" type_ "\",\"object\":" object_ "}"

static void deleted_is_what_an_event_says(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]}");
	DENIED("b/r a/p 80/TCP");
	ALLOWED("a/q a/p 80/TCP");
	load(EVENT("DELETED", "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\"}}"));
	UNKNOWN("a/q a/p 80/TCP");
	load(EVENT("DELETED", "{\"kind\":\"NetworkPolicy\",\"apiVersion\":\"networking.k8s.io/v1\","
			      "\"metadata\":{\"name\":\"one\",\"namespace\":\"a\"}}"));
	ALLOWED("b/r a/p 80/TCP");
	load(EVENT("DELETED", POD("q", "10.0.0.2")));
	assert_null(k8s_pod_find(k, "a", 1, "q"));
	assert_int_equal(rep.deleted, 3);
}

static void a_list_forgets_what_it_has_not_unless_that_is_newer(void **state)
{
	uint32_t round;

	load(POD("file", "10.1.0.1"));
	k->round = 1;
	load(POD("stays", "10.1.0.2"));
	load(POD("goes", "10.1.0.3"));
	load(POD("went", "10.1.0.4"));
	round = ++k->round;
	load(EVENT("ADDED", POD("new", "10.1.0.5")));
	load(EVENT("DELETED", POD("went", "10.1.0.4")));
	rep.since = round;
	load(POD("stays", "10.1.0.2"));
	load(POD("went", "10.1.0.4"));
	load(POD("new", "10.1.0.9"));
	rep.since = 0;
	assert_int_equal(k8s_sweep(k, "Pod", round, 1), 0);
	assert_int_equal(k8s_sweep(k, "Pod", round, 0), 1);
	assert_non_null(k8s_pod_find(k, "a", 1, "file"));
	assert_non_null(k8s_pod_find(k, "a", 1, "stays"));
	assert_null(k8s_pod_find(k, "a", 1, "goes"));
	assert_null(k8s_pod_find(k, "a", 1, "went"));
	assert_int_equal(k8s_pod_find(k, "a", 1, "new")->ips[0].b[3], 5);
}

static void other_kinds_are_forgotten_by_a_list_too(void **state)
{
	k->round = 1;
	load(cluster);
	load("{\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\"},\"spec\":{\"podCIDR\":\"10.0.0.0/24\"}}");
	load("{\"kind\":\"Service\",\"metadata\":{\"name\":\"s\",\"namespace\":\"a\"},\"spec\":{\"clusterIP\":\"10.96.0.1\"}}");
	policy("one", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]}");
	DENIED("b/r a/p 80/TCP");
	k->round++;
	assert_int_equal(k8s_sweep(k, "AdminNetworkPolicy", k->round, 0), 0);
	assert_int_equal(k8s_sweep(k, "NetworkPolicy", k->round, 0), 1);
	assert_int_equal(k8s_sweep(k, "Namespace", k->round, 0), 2);
	assert_int_equal(k8s_sweep(k, "Node", k->round, 0), 1);
	assert_int_equal(k8s_sweep(k, "Service", k->round, 0), 1);
	ALLOWED("b/r a/p 80/TCP");
	assert_false(k8s_is_pod_range(k, &k->pods[1].ips[0]));
}

/* ── nothing piles up ─────────────────────────────────────────────────────── */

static void tidying_changes_no_answer(void **state)
{
	static const char *const rules[] = {
		"{podSelector: {matchLabels: {app: p}}, ingress: [{from: [{namespaceSelector: {matchExpressions: "
		"[{key: team, operator: In, values: [y, x]}]}}, {podSelector: {matchLabels: {app: r}}, namespaceSelector: {}}], "
		"ports: [{port: web}]}]}",
		"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.3/32]}}]}]}",
	};
	static const char *const lines[] = {
		"a/q a/p 80/TCP", "a/q a/p 443/TCP", "b/r a/p 81/TCP", "b/r a/p 82/TCP", "a/p b/r 80/TCP", "a/p a/q 80/TCP",
		"192.0.2.9 a/p 80/TCP", "b/host a/p 80/TCP", "10.0.0.2 10.0.0.1 80/TCP",
	};
	char before[16] = "";

	load(EVENT("ADDED", POD("early", "10.0.0.77")));
	load("{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"early\"}}");
	load(cluster);
	policy("zero", "{podSelector: {}, ingress: []}");
	policy("one", rules[0]);
	policy("two", rules[1]);
	load(EVENT("DELETED", POD("early", "10.0.0.77")));
	load(EVENT("DELETED", "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"early\"}}"));
	load(EVENT("DELETED", "{\"kind\":\"NetworkPolicy\",\"apiVersion\":\"networking.k8s.io/v1\","
			      "\"metadata\":{\"name\":\"zero\",\"namespace\":\"a\"}}"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		before[i] = ask(lines[i]);
	assert_non_null(strchr(before, 'a'));
	assert_non_null(strchr(before, 'd'));
	for (int times = 0; times < 2; times++) {
		uint32_t names = k->names.n, n_ns = k->n_ns;

		assert_int_equal(k8s_tidy(k), 0);
		assert_true(times ? k->names.n == names && k->n_ns == n_ns : k->names.n < names && k->n_ns == n_ns - 1);
		assert_int_equal(k->n_policies, 3);
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			assert_int_equal(ask(lines[i]), before[i]);
		assert_string_equal(intern_text(&k->names, k->pods[1].name), "p");
		assert_string_equal(intern_text(&k->names, k->ns[k->pods[1].ns].name), "a");
		assert_string_equal(k->policies[1].label, "a/one");
	}
	load(POD("q", "10.0.0.2"));
	assert_int_equal(k8s_pod_find(k, "a", 1, "q")->labels.n, 1);
	assert_int_equal(k8s_tidy(k), 0);
}

static void an_address_goes_to_who_has_it_by_now(void **state)
{
	struct addr a;

	assert_true(addr_parse(&a, "10.9.9.9", 8, NULL));
	load(EVENT("ADDED", POD("old", "10.9.9.9")));
	load(EVENT("ADDED", POD("new", "10.9.9.9")));
	load(EVENT("MODIFIED", POD("old", "10.9.9.9")));
	load(EVENT("DELETED", POD("old", "10.9.9.9")));
	assert_true(k8s_pods_index(k));
	assert_string_equal(intern_text(&k->names, k8s_pod_by_ip(k, &a)->name), "new");
}

static void pods_that_come_and_go_take_nothing(void **state)
{
	char text[256];

	load(cluster);
	for (unsigned int i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"job-%u\",\"namespace\":\"run-%u\","
					     "\"uid\":\"%u\"},\"status\":{\"podIP\":\"10.2.%u.%u\"}}",
			 i, i, i, i >> 8 & 255, i & 255);
		load(text);
		k8s_pod_forget(&k->pods[k->n_pods - 1]);
		if (i % 1000)
			continue;
		assert_int_equal(k8s_tidy(k), 0);
		assert_int_equal(k->n_pods, 6);
		assert_int_equal(k->n_ns, 3);
		assert_true(k->names.n < 64 && k->room_pods <= 64 && k->pod_by_ip.n < 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_cut_one_from_the_other),
		cmocka_unit_test(elements_of_a_list_are_objects_and_nothing_else_of_it),
		cmocka_unit_test(a_list_is_whole_when_it_has_ended),
		cmocka_unit_test(what_is_too_large_or_too_deep_is_left_out),
		T(deleted_is_what_an_event_says),
		T(a_list_forgets_what_it_has_not_unless_that_is_newer),
		T(other_kinds_are_forgotten_by_a_list_too),
		T(tidying_changes_no_answer),
		T(an_address_goes_to_who_has_it_by_now),
		T(pods_that_come_and_go_take_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
