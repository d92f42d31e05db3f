// SPDX-License-Identifier: GPL-2.0-or-later
/* The objects of a cluster, and what they allow: each test is a sentence of the NetworkPolicy API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k8s/load.h"
#include "policy/flow.h"
#include "util/err.h"

#include <cmocka.h>

#include "k8s_help.h"

static void without_a_policy_everything_is_allowed(void **state)
{
	load(cluster);
	ALLOWED("a/q a/p 80/TCP");
	ALLOWED("192.0.2.77 a/p 9/SCTP");
	ALLOWED("a/p 192.0.2.77 9/UDP");
	assert_int_equal(k8s_decided_by(&d, NULL, 0), 0);
}

static void types_that_are_absent_are_ingress_and_egress_where_there_is_egress(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {matchLabels: {app: p}}}");
	DENIED("a/q a/p 80/TCP");
	ALLOWED("a/p a/q 80/TCP");
	policy("one", "{podSelector: {matchLabels: {app: p}}, egress: []}");
	ALLOWED("a/p a/q 80/TCP");
	policy("one", "{podSelector: {matchLabels: {app: p}}, policyTypes: [], egress: [{ports: [{port: 1}]}]}");
	DENIED("a/p a/q 80/TCP");
	DENIED("a/q a/p 80/TCP");
	policy("one", "{podSelector: {matchLabels: {app: p}}, policyTypes: [Egress], ingress: []}");
	DENIED("a/p a/q 80/TCP");
	ALLOWED("a/q a/p 80/TCP");
}

static void an_empty_list_of_rules_allows_nothing_and_an_empty_rule_everything(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}, ingress: []}");
	DENIED("b/r a/q 80/TCP");
	policy("one", "{podSelector: {}, ingress: [{}]}");
	ALLOWED("b/r a/q 80/TCP");
	ALLOWED("192.0.2.77 a/q 80/TCP");
	policy("one", "{podSelector: {}, ingress: [{from: [], ports: []}]}");
	ALLOWED("192.0.2.77 a/q 80/SCTP");
	policy("one", "{podSelector: {}, ingress: [null]}");
	ALLOWED("b/r a/q 80/TCP");
	policy("one", "{podSelector: null, ingress: null}");
	DENIED("b/r a/q 80/TCP");
}

static void policies_add_up(void **state)
{
	uint32_t by[4];

	load(cluster);
	policy("zero", "{podSelector: {}}");
	policy("two", "{podSelector: {matchLabels: {app: p}}, ingress: [{ports: [{port: 80}]}]}");
	policy("three", "{podSelector: {matchLabels: {app: p}}, ingress: [{ports: [{port: 80}, {port: 81}]}]}");
	ALLOWED("b/r a/p 80/TCP");
	assert_int_equal(k8s_decided_by(&d, by, 4), 2);
	assert_string_equal(k->policies[by[0]].label, "a/three");
	assert_string_equal(k->policies[by[1]].label, "a/two");
	DENIED("b/r a/p 82/TCP");
	assert_int_equal(k8s_decided_by(&d, by, 4), 3);
	assert_string_equal(k->policies[by[2]].label, "a/zero");
}

static void a_peer_with_both_selectors_needs_both(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}, "
		      "podSelector: {matchLabels: {app: p}}}]}]}");
	DENIED("b/r a/p 80/TCP");
	DENIED("a/q a/p 80/TCP");
	ALLOWED("b/job a/p 80/TCP");
	policy("one", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}, "
		      "{podSelector: {matchLabels: {app: p}}}]}]}");
	ALLOWED("b/r a/p 80/TCP");
	ALLOWED("a/p a/q 80/TCP");
	DENIED("a/q a/p 80/TCP");
	/* An empty selector is everything, the own namespace without the one, every with the other. */
	policy("one", "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}");
	ALLOWED("a/q a/p 80/TCP");
	DENIED("b/r a/p 80/TCP");
	policy("one", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}");
	ALLOWED("b/r a/p 80/TCP");
	DENIED("192.0.2.77 a/p 80/TCP");
}

static void not_in_holds_without_the_label(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [p]}]}}");
	DENIED("b/r a/q 80/TCP");
	ALLOWED("b/r a/p 80/TCP");
	policy("one", "{podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}");
	DENIED("b/r a/q 80/TCP");
	ALLOWED("b/r a/p 80/TCP");
	policy("one", "{podSelector: {matchExpressions: [{key: app, operator: Exists}, {key: app, operator: In, values: [x, p]}]}}");
	ALLOWED("b/r a/q 80/TCP");
	DENIED("b/r a/p 80/TCP");
}

static void an_empty_value_needs_the_label(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {matchLabels: {empty: ''}}}");
	DENIED("b/r a/p 80/TCP");
	ALLOWED("b/r a/q 80/TCP");
}

static void a_block_is_without_its_exceptions_and_fits_pods_too(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/29, except: [10.0.0.2/31]}}]}]}");
	ALLOWED("10.0.0.4 a/q 80/TCP");
	DENIED("10.0.0.8 a/q 80/TCP");
	ALLOWED("a/p a/q 80/TCP");
	DENIED("b/r a/q 80/TCP");
	ALLOWED("::ffff:10.0.0.4 a/q 80/TCP");
	policy("one", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '::/0', except: ['fd00::/121']}}]}]}");
	ALLOWED("fd00::80 a/p 80/TCP");
	DENIED("fd00::7f a/p 80/TCP");
	DENIED("192.0.2.77 a/p 80/TCP");
}

static void a_port_is_tcp_when_nothing_else_is_said(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}, ingress: [{ports: [{port: 80}, {protocol: UDP}, {port: 1000, endPort: 1003}]}]}");
	ALLOWED("b/r a/q 80/TCP");
	DENIED("b/r a/q 80/SCTP");
	ALLOWED("b/r a/q 7/UDP");
	DENIED("b/r a/q 999/TCP");
	ALLOWED("b/r a/q 1000/TCP");
	ALLOWED("b/r a/q 1003/TCP");
	DENIED("b/r a/q 1004/TCP");
	policy("one", "{podSelector: {}, ingress: [{ports: [{}]}]}");
	ALLOWED("b/r a/q 65535/TCP");
	DENIED("b/r a/q 80/UDP");
}

static void a_name_is_the_destinations_port_of_that_name_and_protocol(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{ports: [{port: web}, {port: dns, protocol: UDP}]}], "
		      "egress: [{ports: [{port: web}]}]}");
	ALLOWED("b/r a/p 80/TCP");
	ALLOWED("b/r a/p 81/TCP");
	DENIED("b/r a/p 53/TCP");
	ALLOWED("b/r a/p 53/UDP");
	DENIED("b/r a/q 80/TCP");
	ALLOWED("a/q a/p 80/TCP");
	DENIED("a/q 192.0.2.77 80/TCP");
	ALLOWED("b/r a/p dns/UDP");
	assert_int_equal(ask("b/r a/p dns/TCP"), '!');
}

static void pods_of_the_hosts_network_are_their_node(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}");
	DENIED("b/host a/p 80/TCP");
	policy("one", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.2/32}}]}]}");
	ALLOWED("b/host a/p 80/TCP");
	DENIED("b/r a/p 80/TCP");
	/* The own node is always allowed. */
	ALLOWED("192.0.2.1 a/p 80/TCP");
	DENIED("192.0.2.1 a/q 80/TCP");
}

static void a_pod_is_of_a_workload_and_a_mesh(void **state)
{
	const struct k8s_pod *p;

	load("kind: List\nitems:\n"
	     "- {kind: Pod, metadata: {name: w-5d8-x, namespace: a, labels: {pod-template-hash: 5d8}, ownerReferences: "
	     "[{kind: Job, name: j}, {kind: ReplicaSet, name: w-5d8, controller: true}]}, "
	     "spec: {containers: [{name: c}, {name: linkerd-proxy}]}}\n"
	     "- {kind: Pod, metadata: {name: s-0, namespace: a, ownerReferences: "
	     "[{kind: StatefulSet, name: s, controller: true}]}, spec: {initContainers: [{name: istio-proxy}]}}\n"
	     "- {kind: Pod, metadata: {name: alone, namespace: a}, spec: {containers: [{name: c}]}}\n");
	p = k8s_pod_find(k, "a", 1, "w-5d8-x");
	assert_string_equal(intern_text(&k->names, p->workload), "Deployment/w");
	assert_string_equal(p->sidecar, "linkerd");
	p = k8s_pod_find(k, "a", 1, "s-0");
	assert_string_equal(intern_text(&k->names, p->workload), "StatefulSet/s");
	assert_string_equal(p->sidecar, "istio");
	p = k8s_pod_find(k, "a", 1, "alone");
	assert_int_equal(p->workload, 0);
	assert_null(p->sidecar);
}

static void an_ended_pod_does_not_own_its_address(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {matchLabels: {app: p}}}");
	DENIED("a/q 10.0.0.1 80/TCP");
	DENIED("10.0.0.3 10.0.0.1 80/TCP");
}

static void what_is_not_known_is_not_guessed(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {matchLabels: {app: p}}, ingress: [{from: [{podSelector: {matchLabels: {app: z}}}]}]}");
	UNKNOWN("a/new a/p 80/TCP");
	DENIED("c/new a/p 80/TCP");
	UNKNOWN("b/r a/new 80/TCP");
	policy("one", "{podSelector: {matchLabels: {app: p}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: z}}}]}]}");
	UNKNOWN("c/new a/p 80/TCP");
	DENIED("b/new a/p 80/TCP");
	policy("one", "{podSelector: {matchLabels: {app: p}}, ingress: [{from: [{namespaceSelector: "
		      "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [c]}]}}]}]}");
	ALLOWED("c/new a/p 80/TCP");
	/* A namespace that nothing tells of, and where no pod is known at all. */
	UNKNOWN("a/p c/new 80/TCP");
	UNKNOWN("c/old c/new 80/TCP");
	/* One that may select, but would allow, leaves no doubt. */
	policy("one", "{podSelector: {matchLabels: {app: p}}, ingress: [{}]}");
	ALLOWED("b/r a/new 80/TCP");
}

static void where_no_pod_is_known_an_address_may_be_one(void **state)
{
	policy("one", "{podSelector: {matchLabels: {app: p}}, ingress: [{from: [{podSelector: {}}]}]}");
	UNKNOWN("10.0.0.98 10.0.0.99 80/TCP");
	UNKNOWN("a/p 10.0.0.99 80/TCP");
	load(cluster);
	ALLOWED("10.0.0.98 10.0.0.99 80/TCP");
}

static void an_unknown_address_of_a_nodes_range_is_a_pod(void **state)
{
	load(cluster);
	load("kind: Node\nmetadata: {name: n1}\nspec: {podCIDR: 10.0.0.0/24}\n");
	policy("one", "{podSelector: {matchLabels: {app: p}}, ingress: [{from: [{podSelector: {}}]}]}");
	UNKNOWN("10.0.0.99 a/p 80/TCP");
	DENIED("10.0.1.99 a/p 80/TCP");
}

static void admin_policies_go_first_by_priority(void **state)
{
	load(cluster);
	policy("one", "{podSelector: {}}");
	load("apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: late}\n"
	     "spec: {priority: 9, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}\n---\n"
	     "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: early}\n"
	     "spec: {priority: 1, subject: {pods: {namespaceSelector: {}, podSelector: {}}}, ingress: [{action: Allow, "
	     "from: [{namespaces: {matchLabels: {team: x}}}], ports: [{portNumber: {port: 80, protocol: TCP}}]}, "
	     "{action: Pass, from: [{namespaces: {}}], ports: [{namedPort: dns}]}]}\n");
	ALLOWED("a/q a/p 80/TCP");
	DENIED("b/r a/p 80/TCP");
	assert_int_equal(d.side[INGRESS].reason, REASON_ADMIN);
	/* Passed on to the NetworkPolicy. */
	DENIED("b/r a/p 53/UDP");
	assert_int_equal(d.side[INGRESS].reason, REASON_POLICIES);
	ALLOWED("192.0.2.77 b/r 80/TCP");
}

static void the_baseline_counts_where_no_policy_selects(void **state)
{
	load(cluster);
	load("apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: default}\n"
	     "spec: {subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}\n");
	DENIED("a/q b/r 80/TCP");
	assert_int_equal(d.side[INGRESS].reason, REASON_BASELINE);
	policy("one", "{podSelector: {}, ingress: [{}]}");
	ALLOWED("b/r a/q 80/TCP");
}

static void a_change_is_seen(void **state)
{
	load(cluster);
	ALLOWED("a/q a/p 80/TCP");
	policy("one", "{podSelector: {matchLabels: {app: p}}}");
	DENIED("a/q a/p 80/TCP");
	load("{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"a\"}}}");
	ALLOWED("a/q a/p 80/TCP");
	load("{\"type\":\"DELETED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"r\",\"namespace\":\"b\"}}}");
	assert_null(k8s_pod_find(k, "b", 1, "r"));
	policy("one", "{podSelector: {}}");
	DENIED("a/q a/p 80/TCP");
	load("{\"type\":\"DELETED\",\"object\":{\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"one\",\"namespace\":\"a\"}}}");
	ALLOWED("a/q a/p 80/TCP");
}

static void lists_of_every_form_are_read(void **state)
{
	static const char item[] = "{\"metadata\":{\"name\":\"p%d\"},\"spec\":{\"containers\":[]}}";
	static const char *const forms[] = {
		"{\"kind\":\"PodList\",\"items\":[%s,%s]}",
		"{\"apiVersion\":\"v1\",\"items\":[%s , %s],\"kind\":\"PodList\"}",
		"\n[ {\"kind\":\"List\",\"items\":null}, %s,\n%s ]",
		"%s\n%s",
		"kind: PodList\nitems:\n- %s\n- %s\n",
		"items: [%s, %s]\nkind: PodList\n",
	};
	char one[128], two[128], text[512];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct load_report before = rep;

		snprintf(one, sizeof(one), item, (int)(2 * i));
		snprintf(two, sizeof(two), item, (int)(2 * i + 1));
		if (i == 2 || i == 3) {
			memmove(one + 13, one, strlen(one) + 1);
			memcpy(one, "{\"kind\":\"Pod\"", 13);
			one[13] = ',';
			memmove(two + 13, two, strlen(two) + 1);
			memcpy(two, "{\"kind\":\"Pod\"", 13);
			two[13] = ',';
		}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), forms[i], one, two);
#pragma GCC diagnostic pop
		load(text);
		assert_int_equal(rep.objects - before.objects, 2);
		assert_int_equal(rep.mistakes[MISTAKE_ERROR], 0);
	}
}

static void a_mistake_tells_its_place(void **state)
{
	load("kind: NetworkPolicy\nmetadata: {name: n}\nspec:\n  ingress:\n  - ports:\n    - port: 0\n");
	assert_string_equal(last, "6:7 NetworkPolicy n|spec.ingress[0].ports[0].port|0 is not a port (1 to 65535)");
	load("{\"kind\":\"NetworkPolicy\",\n\"metadata\":{\"name\":\"n\"},\n\"spec\":{\"x\":{\"y\":[1,{\"port\":3}]},\n"
	     " \"ingress\":[{},\n  {\"ports\":[{},{\"port\":0}]}]}}");
	assert_string_equal(last, "5:17 NetworkPolicy n|spec.ingress[1].ports[1].port|0 is not a port (1 to 65535)");
	load("{\"kind\":\"Pod\",\n\"a\":1,\n\"a\":2}");
	assert_non_null(strstr(last, "3:"));
	load("a: 1\na: 2\n");
	assert_non_null(strstr(last, "2:"));
	load("a: [1\n");
	assert_int_equal(rep.mistakes[MISTAKE_ERROR], 5);
}

/* Of each kind of policy: what is not of its type is said where it stands, and no policy comes of it. */
static void a_list_of_something_else_is_a_mistake(void **state)
{
	static const char *const heads[] = {
		"kind: NetworkPolicy\nmetadata: {name: n}\nspec: {egress: [{to: ",
		"kind: AdminNetworkPolicy\nmetadata: {name: n}\n"
		"spec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: ",
	};
	static const struct {
		bool admin;
		const char *peers, *wanted;
	} rows[] = {
		{ false, "5", "to|is not a list" },
		{ true, "[{networks: 10.0.0.0/8}]", "to[0].networks|is not a list" },
		{ true, "[{domainNames: x}]", "to[0].domainNames|is not a list" },
		{ true, "[{nodes: all}]", "to[0].nodes|is not an object" },
		{ true, "[{pods: []}]", "to[0].pods|is not an object" },
		{ true, "[]", "to|needs at least one peer" },
	};
	char text[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "%s%s}]}\n", heads[rows[i].admin], rows[i].peers);
		load(text);
		assert_non_null(strstr(last, "|spec.egress[0]."));
		assert_string_equal(strstr(last, "|spec.egress[0].") + 16, rows[i].wanted);
		assert_int_equal(rep.mistakes[MISTAKE_ERROR], i + 1);
	}
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(text, sizeof(text), "%s%s}]}\n", heads[i], "[5]");
		load(text);
		assert_non_null(strstr(last, "|spec.egress[0].to[0]|"));
	}
}

static void every_truncation_ends(void **state)
{
	static const char json[] =
		"{\"kind\":\"List\",\"items\":[{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\\\"b\",\"managedFields\":[{}],"
		"\"annotations\":{\"x\":\"]\"}},\"spec\":{\"containers\":[{\"ports\":[{\"name\":\"n\",\"containerPort\":1}]}]}}]}";

	for (size_t n = 0; n < sizeof(json) - 1; n++) {
		uint64_t before = rep.mistakes[MISTAKE_ERROR];

		load_text(k, json, n, "t", &rep);
		assert_true(rep.mistakes[MISTAKE_ERROR] > before || !n);
	}
	for (size_t n = 0; n < sizeof(cluster); n++)
		load_text(k, cluster, n, "t", &rep);
	load(cluster);
	ALLOWED("a/q a/p 80/TCP");
}

static void aliases_do_not_grow_without_bound(void **state)
{
	char text[4096];
	size_t n = (size_t)snprintf(text, sizeof(text), "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");

	for (int i = 1; i < 20; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1,
				      i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	load(text);
	assert_non_null(strstr(last, "too"));
	/* Deep, each level by an alias. */
	n = (size_t)snprintf(text, sizeof(text), "b0: &b0 [x]\n");
	for (int i = 1; i < 120; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "b%d: &b%d [*b%d]\n", i, i, i - 1);
	last[0] = 0;
	load(text);
	assert_non_null(strstr(last, "nested too deep"));
	load("c: &c [*c]\n");
	assert_non_null(strstr(last, "no anchor"));
}

static void depth_and_size_are_bounded(void **state)
{
	size_t n = 1 << 20;
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, '[', n);
	text[n] = 0;
	load(text);
	assert_non_null(strstr(last, "nested"));
	memcpy(text, "{\"a\":", 5);
	load(text);
	assert_non_null(strstr(last, "nested"));
	memset(text, ' ', n);
	text[n - 1] = '-';
	load(text);
	free(text);
}

static void merge_keys_give_what_does_not_stand_there(void **state)
{
	char text[8192];
	size_t n;

	load(cluster);
	load("kind: Pod\nmetadata: {name: m, namespace: a, labels: {<<: [{app: p, tier: x}, {app: q, team: t}], tier: y}}\n"
	     "spec: &s {containers: [{ports: [{name: web, containerPort: 80}]}]}\n---\n"
	     "kind: Pod\nmetadata: {name: n, namespace: a, labels: {}}\nspec: {<<: {containers: []}, nodeName: x}\n");
	assert_string_equal(last, "");
	policy("one", "{podSelector: {matchLabels: {app: p, tier: y, team: t}}}");
	DENIED("a/q a/m 80");
	ALLOWED("a/q a/n 80");
	/* What one reader takes from the one place, and another from the other. */
	load("a: {b: 1, <<: {b: 2}}\n");
	assert_non_null(strstr(last, "this merges a key that stands before it"));
	load("a: {<<: {b: 1}, b: 2, b: 3}\n");
	assert_non_null(strstr(last, "this key stands here twice"));
	n = (size_t)snprintf(text, sizeof(text), "a0: &a0 {k: 1}\n");
	for (int i = 1; i < 150; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "a%d: &a%d {<<: *a%d}\n", i, i, i - 1);
	last[0] = 0;
	load(text);
	assert_non_null(strstr(last, "kind|is missing"));
	load("a: {<<: 5}\n");
	assert_non_null(strstr(last, "<< takes a mapping"));
	load("a: {<<: [{b: 1}, 5]}\n");
	assert_non_null(strstr(last, "<< takes a mapping"));
	last[0] = 0;
	load("kind: ConfigMap\nmetadata: {name: x}\ndata: {'<<': 5}\n");
	assert_string_equal(last, "");
}

static void a_list_with_an_anchor_is_read_too(void **state)
{
	load(cluster);
	load("kind: PodList\nitems: &all\n- {metadata: {name: l, namespace: a, labels: {app: l}}, spec: {containers: []}}\n");
	policy("one", "{podSelector: {matchLabels: {app: l}}}");
	DENIED("a/q a/l 80");
}

static void labels_must_be_texts(void **state)
{
	policy("one", "{podSelector: {matchLabels: {app: yes}}}");
	assert_int_equal(rep.mistakes[MISTAKE_ERROR], 1);
	policy("one", "{podSelector: {matchLabels: {app: 08}}}");
	assert_int_equal(rep.mistakes[MISTAKE_ERROR], 2);
	policy("one", "{podSelector: {matchLabels: {app: 0x1F}}}");
	assert_int_equal(rep.mistakes[MISTAKE_ERROR], 3);
	policy("one", "{podSelector: {matchLabels: {app: 'yes'}}}");
	assert_int_equal(rep.mistakes[MISTAKE_ERROR], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_a_policy_everything_is_allowed),
		T(types_that_are_absent_are_ingress_and_egress_where_there_is_egress),
		T(an_empty_list_of_rules_allows_nothing_and_an_empty_rule_everything),
		T(policies_add_up),
		T(a_peer_with_both_selectors_needs_both),
		T(not_in_holds_without_the_label),
		T(an_empty_value_needs_the_label),
		T(a_block_is_without_its_exceptions_and_fits_pods_too),
		T(a_port_is_tcp_when_nothing_else_is_said),
		T(a_name_is_the_destinations_port_of_that_name_and_protocol),
		T(pods_of_the_hosts_network_are_their_node),
		T(an_ended_pod_does_not_own_its_address),
		T(a_pod_is_of_a_workload_and_a_mesh),
		T(what_is_not_known_is_not_guessed),
		T(where_no_pod_is_known_an_address_may_be_one),
		T(an_unknown_address_of_a_nodes_range_is_a_pod),
		T(admin_policies_go_first_by_priority),
		T(the_baseline_counts_where_no_policy_selects),
		T(a_change_is_seen),
		T(lists_of_every_form_are_read),
		T(a_mistake_tells_its_place),
		T(a_list_of_something_else_is_a_mistake),
		T(every_truncation_ends),
		T(aliases_do_not_grow_without_bound),
		T(depth_and_size_are_bounded),
		T(labels_must_be_texts),
		T(merge_keys_give_what_does_not_stand_there),
		T(a_list_with_an_anchor_is_read_too),
	};

	return cmocka_run_group_tests_name("k8s", tests, NULL, NULL);
}
