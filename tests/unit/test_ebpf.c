// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries of agents' maps, byte by byte: forms, joins, words; and what is not understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <linux/bpf.h>

#include "cmd/policy_rules.h"
#include "util/bytes.h"

#include <cmocka.h>

static struct ebpf e;

static int fresh(void **state)
{
	ebpf_free(&e);
	return 0;
}

/* A map of n entries, of which `bytes` stand behind its head. */
static void parse(const char *name, struct ebpf_head h, const void *entries, size_t bytes)
{
	uint8_t *all = malloc(sizeof(h) + bytes);

	assert_non_null(all);
	memcpy(all, &h, sizeof(h));
	memcpy(all + sizeof(h), entries, bytes);
	assert_int_equal(ebpf_parse(&e, name, all, sizeof(h) + bytes), 0);
	free(all);
}

/* LPM key and the value of 1.17, of protocol and port `bits`. */
static void put_entry(uint8_t *p, uint32_t bits, uint32_t peer, bool egress, uint8_t proto, uint16_t port)
{
	memset(p, 0, 20);
	memcpy(p, &bits, 4);
	memcpy(p + 4, &peer, 4);
	p[8] = egress;
	p[9] = proto;
	put_be16(p + 10, port);
}

static const char *words(const struct ebpf_rule *r)
{
	static char text[512];
	struct buf b = { 0 };

	rules_ebpf_text(&e, r, &b);
	assert_true(b.n < sizeof(text));
	memcpy(text, b.p, b.n);
	text[b.n] = '\0';
	buf_free(&b);
	return text;
}

static void names_have_kinds(void **state)
{
	static const struct {
		const char *name;
		enum ebpf_kind kind;
		uint32_t endpoint;
	} names[] = {
		{ "cilium_policy_00042", EBPF_POLICY, 42 }, { "cilium_policy_v2_65535", EBPF_POLICY, 65535 },
		{ "cilium_policy_v3_00001", EBPF_POLICY, 1 }, { "cilium_policy_v4_00001", EBPF_OTHER, 0 },
		{ "cilium_policy_1", EBPF_OTHER, 0 }, { "cilium_policy_000420", EBPF_OTHER, 0 },
		{ "cilium_policy_0004x", EBPF_OTHER, 0 }, { "cilium_policy", EBPF_OTHER, 0 },
		{ "cilium_policystats", EBPF_COUNTS, 0 }, { "cilium_ipcache", EBPF_IDENTITIES, 0 },
		{ "cilium_ipcache_v2", EBPF_IDENTITIES, 0 }, { "cilium_ipcache_v3", EBPF_OTHER, 0 },
		{ "cilium_lxc", EBPF_ENDPOINTS, 0 }, { "cilium_metrics", EBPF_DROPS, 0 }, { "", EBPF_OTHER, 0 },
		{ "cali_rule_ctrs2", EBPF_RULE_COUNTS, 0 }, { "cali_rule_ctrs", EBPF_OTHER, 0 },
		{ "cali_counters6", EBPF_IFACE_COUNTS, 0 }, { "cali_counters", EBPF_OTHER, 0 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t endpoint = 7;

		assert_int_equal(ebpf_kind_of(names[i].name, &endpoint), names[i].kind);
		assert_int_equal(endpoint, names[i].endpoint);
	}
}

static void bits_that_count(void **state)
{
	static const struct {
		uint32_t bits;
		const char *text;	/* NULL: none such */
	} prefixes[] = {
		{ 40, "from identity 700" }, { 48, "from identity 700, tcp" },
		{ 49, "from identity 700, tcp ports 0-32767" }, { 60, "from identity 700, tcp ports 8080-8095" },
		{ 64, "from identity 700, tcp port 8084" }, { 39, NULL }, { 41, NULL }, { 47, NULL }, { 65, NULL },
		{ 0, NULL }, { UINT32_MAX, NULL },
	};
	uint8_t entry[20];

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		fresh(NULL);
		put_entry(entry, prefixes[i].bits, 700, false, 6, 8084);
		parse("cilium_policy_v2_00001", (struct ebpf_head){ BPF_MAP_TYPE_LPM_TRIE, 12, 8, 1 }, entry, 20);
		ebpf_join(&e);
		assert_int_equal(e.n_rules, prefixes[i].text ? 1 : 0);
		assert_int_equal(e.broken, prefixes[i].text ? 0 : 1);
		if (prefixes[i].text)
			assert_string_equal(words(&e.rules[0]), prefixes[i].text);
	}
}

static void everybody_lets_nothing_to_the_end(void **state)
{
	uint8_t entries[60];

	put_entry(entries, 40, 0, true, 0, 0);
	put_entry(entries + 20, 64, 0, false, 6, 80);
	put_entry(entries + 40, 64, 0, false, 6, 80);
	parse("cilium_policy_v3_00001", (struct ebpf_head){ BPF_MAP_TYPE_LPM_TRIE, 12, 8, 3 }, entries, 60);
	ebpf_join(&e);
	assert_true(e.maps[0].open[0]);
	assert_false(e.maps[0].open[1]);
	assert_int_equal(e.n_rules, 2);		/* the same key twice is one */
	assert_string_equal(words(&e.rules[0]), "from anybody, tcp port 80");
	assert_int_equal(e.rules[1].meaning, MEANS_NOTHING);
	assert_string_equal(words(&e.rules[1]), "to anybody");
}

static void peers_are_told_by_their_addresses(void **state)
{
	uint8_t entry[20], peers[8 * 36] = { 0 };
	uint32_t who = 70000, bits = 64;

	put_entry(entry, 40, who, false, 0, 0);
	parse("cilium_policy_v2_00001", (struct ebpf_head){ BPF_MAP_TYPE_LPM_TRIE, 12, 8, 1 }, entry, 20);
	for (size_t i = 0; i < 8; i++) {
		uint8_t *p = peers + i * 36;

		memcpy(p, &bits, 4);
		p[7] = i < 6 ? 1 : (uint8_t)(i - 5);	/* families 1, 2 */
		p[8] = 10;
		p[11] = (uint8_t)i;
		memcpy(p + 24, &who, 4);
	}
	peers[7] = 3;				/* no family */
	bits = 65;				/* more than there are */
	memcpy(peers + 36, &bits, 4);
	parse("cilium_ipcache", (struct ebpf_head){ BPF_MAP_TYPE_LPM_TRIE, 24, 12, 8 }, peers, sizeof(peers));
	ebpf_join(&e);
	assert_int_equal(e.broken, 2);
	assert_string_equal(words(&e.rules[0]),
			    "from identity 70000 (10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5 and 2 more)");
}

static void drops_by_reason(void **state)
{
	uint8_t entries[5 * 24] = { 0 };
	static const uint8_t keys[5][2] = { { 133, 1 }, { 133, 2 }, { 133, 1 }, { 181, 2 }, { 3, 1 } };

	for (size_t i = 0; i < 5; i++) {
		uint64_t n = i + 1;

		memcpy(entries + i * 24, keys[i], 2);
		memcpy(entries + i * 24 + 8, &n, 8);
	}
	parse("cilium_metrics", (struct ebpf_head){ BPF_MAP_TYPE_PERCPU_HASH, 8, 16, 5 }, entries, sizeof(entries));
	ebpf_join(&e);
	assert_int_equal(e.n_rules, 3);
	assert_int_equal(e.rules[0].packets, 1 + 3);
	assert_int_equal(e.rules[0].ingress, 1);
	assert_int_equal(e.rules[0].meaning, MEANS_DEFAULT_DENY);
	assert_int_equal(e.rules[1].packets, 2);
	assert_int_equal(e.rules[2].meaning, MEANS_POLICY);
	assert_string_equal(words(&e.rules[2]), "Policy denied by denylist");
	e.rules[2].reason = 159;		/* no longer one */
	assert_string_equal(words(&e.rules[2]), "reason 159");
	e.rules[2].reason = 255;
	assert_string_equal(words(&e.rules[2]), "reason 255");
}

static void dump(const char *name, const char *text)
{
	assert_int_equal(ebpf_parse_dump(&e, name, text, strlen(text)), 0);
}

static void calico_writes_down_its_rules(void **state)
{
	static const char text[] =
		"{\"ifacename\":\"cali1cea4782700\",\"hook\":\"tc egress\",\"policyInfo\":["
		"{\"inst\":[1,2],\"comments\":[\"Start of tier default\",\"Start of policy shop/knp.default.db\","
		"\"Start of rule action:\\\"allow\\\"  protocol:{name:\\\"tcp\\\"}\",\"Rule MatchID: 77\"]},"
		"{\"inst\":[3]},{\"comments\":[\"End of rule x\",\"Rule MatchID: 78\",\"End of policy shop/knp.default.db\","
		"\"Start of GlobalNetworkPolicy no-way 1\",\"Start of rule no-way action:\\\"deny\\\"\","
		"\"Rule MatchID: 0x50\",\"End of rule y\",\"End of GlobalNetworkPolicy no-way 1\","
		"\"End of tier default: deny\",\"Start of rule action:\\\"allow\\\"\"]}],\"error\":\"\"}";
	static const uint64_t ids[] = { 77, 5, 0x3407769500568619, 9 };
	struct owned o = { 0 };

	dump("cali1cea4782700_ingress_v4.json", text);
	parse("cali_rule_ctrs2", (struct ebpf_head){ BPF_MAP_TYPE_PERCPU_HASH, 8, 8, 2 }, ids, sizeof(ids));
	ebpf_join(&e);
	assert_int_equal(e.n_rules, 4);
	assert_string_equal(e.maps[0].iface, "cali1cea4782700");
	assert_int_equal(e.rules[0].packets, 5);
	assert_int_equal(e.rules[0].verdict, NF_ACCEPTS);
	assert_int_equal(e.rules[0].ingress, 1);
	ebpf_owned(&e.rules[0], &o);
	assert_string_equal(o.ns, "shop");
	assert_string_equal(o.policy, "db");
	assert_string_equal(o.kind, "NetworkPolicy");
	assert_int_equal(o.meaning, MEANS_POLICY);
	assert_int_equal(e.rules[1].id, 0x50);
	assert_true(e.rules[1].counted);		/* nothing came to it */
	assert_int_equal(e.rules[1].packets, 0);
	assert_int_equal(e.rules[1].verdict, NF_DROPS);
	o = (struct owned){ 0 };
	ebpf_owned(&e.rules[1], &o);
	assert_string_equal(o.policy, "no-way");
	assert_string_equal(o.kind, "GlobalNetworkPolicy");
	assert_int_equal(e.rules[2].meaning, MEANS_DEFAULT_DENY);
	assert_int_equal(e.rules[2].packets, 9);
	assert_string_equal(e.rules[2].tier, "default");
	assert_int_equal(e.rules[3].meaning, MEANS_PROFILE);
	assert_false(e.rules[3].counted);
}

static int agent(bool identities, const char *text)
{
	return ebpf_parse_agent(&e, identities, text, strlen(text));
}

static void an_agent_has_names(void **state)
{
	uint8_t entry[20];

	put_entry(entry, 40, 5678, false, 0, 0);
	parse("cilium_policy_v2_00042", (struct ebpf_head){ BPF_MAP_TYPE_LPM_TRIE, 12, 8, 1 }, entry, 20);
	assert_int_equal(agent(true, "[{\"id\":5678,\"labels\":[\"k8s:app=db\",7,\"k8s:io.cilium.k8s.policy.cluster=c\","
				     "\"k8s:io.kubernetes.pod.namespace=shop\",\"any:x=y\"]},{\"id\":-1,\"labels\":[\"a\"]},"
				     "{\"id\":9,\"labels\":{}},{\"id\":4294967296,\"labels\":[\"a\"]},3]"), 0);
	assert_int_equal(agent(false, "[{\"id\":42,\"status\":{\"external-identifiers\":{\"k8s-namespace\":\"shop\","
				      "\"k8s-pod-name\":\"db\"}}},{\"id\":43,\"status\":{\"external-identifiers\":"
				      "{\"k8s-namespace\":\"Shop!\",\"k8s-pod-name\":\"db\"}}},{\"id\":44}]"), 0);
	ebpf_join(&e);
	assert_int_equal(e.n_labels, 1);
	assert_int_equal(e.n_pods, 1);
	assert_string_equal(ebpf_pod(&e, 42), "shop/db");
	assert_string_equal(ebpf_pod(&e, 43), "");
	assert_string_equal(words(&e.rules[0]), "from identity 5678 {app=db, namespace=shop, any:x=y}");
	assert_int_equal(agent(true, "{}"), -EINVAL);
	assert_int_equal(agent(true, "[{\"id\":"), -EINVAL);
	assert_int_equal(agent(false, ""), -EINVAL);
	assert_int_equal(agent(false, "[]"), 0);
}

static void what_is_no_dump_is_none(void **state)
{
	dump("cali1_xdp_v4.json", "{\"policyInfo\":[{\"comments\":[\"Start of rule x\"]}]}");
	dump("_ingress_v4.json", "{\"policyInfo\":[]}");
	dump("cali1234567890123_ingress_v4.json", "{\"policyInfo\":[]}");
	assert_int_equal(e.n_maps, 0);
	assert_int_equal(e.broken, 0);
	dump("cali1_ingress_v4.json", "{\"policyInfo\":[");
	dump("cali1_ingress_v4.json", "{\"policyInfo\":{}}");
	dump("cali1_ingress_v4.json", "[]");
	assert_int_equal(e.broken, 3);
	dump("cali1_egress_v6.json",
	     "{\"policyInfo\":[1,{\"comments\":7},{\"comments\":[7,\"Start of \","
	     "\"Start of rule \",\"End of tier \",\"Start of tier\"]}]}");
	ebpf_join(&e);
	assert_int_equal(e.n_rules, 1);
	assert_int_equal(e.maps[0].family, 6);
	assert_int_equal(e.rules[0].verdict, NF_NONE);
}

static void interfaces_count_by_hook(void **state)
{
	uint8_t entries[2 * (8 + 27 * 8)] = { 0 };
	const uint32_t in[2] = { 7, 0 }, bad[2] = { 7, 3 };

	memcpy(entries, in, 8);
	entries[8 + 2 * 8] = 11;
	entries[8 + 4 * 8] = 13;
	memcpy(entries + 8 + 27 * 8, bad, 8);
	parse("cali_counters6", (struct ebpf_head){ BPF_MAP_TYPE_PERCPU_HASH, 8, 27 * 8, 2 }, entries, sizeof(entries));
	ebpf_join(&e);
	assert_int_equal(e.broken, 1);
	assert_int_equal(e.n_rules, 2);
	assert_int_equal(e.rules[0].packets, 11);
	assert_string_equal(words(&e.rules[0]), "accepted by policy");
	assert_int_equal(e.rules[1].packets, 13);
	assert_int_equal(e.rules[1].verdict, NF_DROPS);
	assert_string_equal(words(&e.rules[1]), "dropped by policy");
}

/* Fewer bytes than the head says; none at all; a form that is none. */
static void what_is_cut_off_is_not_read(void **state)
{
	uint8_t entries[40];
	uint32_t n;

	put_entry(entries, 40, 700, false, 0, 0);
	put_entry(entries + 20, 40, 701, false, 0, 0);
	parse("cilium_policy_v2_00001", (struct ebpf_head){ BPF_MAP_TYPE_LPM_TRIE, 12, 8, 1000 }, entries, 39);
	assert_int_equal(e.n_rules, 1);
	assert_int_equal(ebpf_parse(&e, "cilium_lxc", entries, 3), 0);
	assert_int_equal(e.broken, 1);
	parse("cilium_policy_v2_00002", (struct ebpf_head){ BPF_MAP_TYPE_HASH, 12, 8, 2 }, entries, 40);
	assert_int_equal(e.n_maps, 2);
	assert_false(e.maps[1].known);
	assert_int_equal(e.n_rules, 1);
	ebpf_join(&e);
	assert_null(ebpf_endpoint(&e, 1, &n));
	assert_null(ebpf_peers(&e, 700, &n));
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_kinds),
		cmocka_unit_test_setup(bits_that_count, fresh),
		cmocka_unit_test_setup(everybody_lets_nothing_to_the_end, fresh),
		cmocka_unit_test_setup(peers_are_told_by_their_addresses, fresh),
		cmocka_unit_test_setup(drops_by_reason, fresh),
		cmocka_unit_test_setup(calico_writes_down_its_rules, fresh),
		cmocka_unit_test_setup(an_agent_has_names, fresh),
		cmocka_unit_test_setup(what_is_no_dump_is_none, fresh),
		cmocka_unit_test_setup(interfaces_count_by_hook, fresh),
		cmocka_unit_test_setup(what_is_cut_off_is_not_read, fresh),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	fresh(NULL);
	return rc;
}
