// SPDX-License-Identifier: GPL-2.0-or-later
/* Why a rule does not fit, and what of a policy fits nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k8s/load.h"
#include "policy/flow.h"
#include "policy/unused.h"
#include "util/err.h"

#include <cmocka.h>

#include "k8s_help.h"

/* The policy that was read last. */
static const struct k8s_policy *newest(void)
{
	return &k->policies[k->n_policies - 1];
}

/* Why the first peer of the first rule is less than sure, or does not fit, of the question asked. */
static enum why peer_why(enum side side, const char *line, struct k8s_why *w)
{
	const struct k8s_flow *f = &d.flow;

	*w = (struct k8s_why){ 0 };
	ask(line);
	peer_match(k, &newest()->rules[side][0].peers[0], side == EGRESS ? f->from.pod : f->to.pod,
		   side == EGRESS ? &f->to : &f->from, w);
	return w->why;
}

static enum why port_why(const char *line, struct k8s_why *w)
{
	*w = (struct k8s_why){ 0 };
	ask(line);
	port_match(&newest()->rules[INGRESS][0].ports[0], &d.flow, w);
	return w->why;
}

static const char *name(uint32_t id)
{
	return intern_text(&k->names, id);
}

static void a_peer_of_pods_names_what_is_to_blame(void **state)
{
	struct k8s_why w;

	load(cluster);
	policy("one", "{podSelector: {}, ingress: [{from: [{podSelector: {matchExpressions: ["
		      "{key: app, operator: Exists}, {key: app, operator: In, values: [x, y]}]}}]}]}");
	assert_int_equal(peer_why(INGRESS, "a/p a/q 80", &w), WHY_POD_LABELS);
	assert_ptr_equal(w.term, &newest()->rules[INGRESS][0].peers[0].pod->terms[1]);
	assert_string_equal(name(label_find(w.labels, w.term->key)->value), "p");
	assert_int_equal(peer_why(INGRESS, "b/r a/q 80", &w), WHY_NAMESPACE);
	assert_int_equal(peer_why(INGRESS, "192.0.2.77 a/q 80", &w), WHY_NOT_POD);
	assert_int_equal(peer_why(INGRESS, "b/host a/q 80", &w), WHY_HOST_NETWORK);
	assert_int_equal(peer_why(INGRESS, "a/nobody a/q 80", &w), WHY_POD_LABELS);
	assert_null(label_find(w.labels, w.term->key));
	assert_false(w.labels->whole);
	policy("two", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: y}}, "
		      "podSelector: {matchLabels: {app: x}}}]}]}");
	assert_int_equal(peer_why(INGRESS, "a/p a/q 80", &w), WHY_NAMESPACE_LABELS);
	assert_string_equal(name(w.term->key), "team");
	/* The namespace may fit, the pod does not. */
	assert_int_equal(peer_why(INGRESS, "b/r a/q 80", &w), WHY_NAMESPACE_LABELS);
	load("kind: Pod\nmetadata: {name: s, namespace: c, labels: {app: s}}\nspec: {containers: []}\n");
	assert_int_equal(peer_why(INGRESS, "c/s a/q 80", &w), WHY_POD_LABELS);
	policy("three", "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}");
	assert_int_equal(peer_why(INGRESS, "a/p a/q 80", &w), WHY_NOTHING);
}

static void a_block_tells_of_its_exception(void **state)
{
	struct k8s_why w;

	load(cluster);
	policy("one", "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, "
		      "except: [10.1.0.0/16, 10.2.0.0/16]}}]}]}");
	assert_int_equal(peer_why(EGRESS, "a/p 11.0.0.1 80", &w), WHY_OUTSIDE);
	assert_int_equal(peer_why(EGRESS, "a/p 10.2.3.4 80", &w), WHY_EXCEPT);
	assert_ptr_equal(w.cidr, &newest()->rules[EGRESS][0].peers[0].except[1]);
	assert_int_equal(peer_why(EGRESS, "a/p a/nobody 80", &w), WHY_ADDRESS_UNKNOWN);
	assert_int_equal(peer_why(EGRESS, "a/p a/q 80", &w), WHY_NOTHING);
}

static void a_port_tells_what_the_name_stands_for(void **state)
{
	struct k8s_why w;

	load(cluster);
	policy("one", "{podSelector: {}, ingress: [{ports: [{port: web}]}]}");
	assert_int_equal(port_why("a/q a/p 82", &w), WHY_PORT_NUMBER);
	assert_true(w.port == 80 || w.port == 81);
	assert_int_equal(port_why("a/q a/p 80/UDP", &w), WHY_PROTOCOL);
	assert_int_equal(port_why("a/p a/q 80", &w), WHY_PORT_NAME);
	assert_int_equal(port_why("a/p a/nobody 80", &w), WHY_PORTS_UNKNOWN);
	assert_int_equal(port_why("a/q a/p 81", &w), WHY_NOTHING);
	policy("two", "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 90}]}]}");
	assert_int_equal(port_why("a/q a/p 91", &w), WHY_PORT);
	load("kind: Service\nmetadata: {name: s, namespace: a}\nspec: {clusterIP: 10.96.0.1}\n");
	assert_int_equal(port_why("a/q 10.96.0.1 91", &w), WHY_SERVICE_PORT);
}

static void a_policy_tells_why_it_does_not_select(void **state)
{
	struct k8s_why w = { 0 };
	const struct k8s_pod *p, *r;

	load(cluster);
	p = k8s_pod_find(k, "a", 1, "p");
	r = k8s_pod_find(k, "b", 1, "r");
	policy("one", "{podSelector: {matchLabels: {app: x}}}");
	assert_int_equal(policy_selects(k, newest(), p, &w), NO);
	assert_int_equal(w.why, WHY_POD_LABELS);
	assert_int_equal(policy_selects(k, newest(), r, &w), NO);
	assert_int_equal(w.why, WHY_NAMESPACE);
	assert_int_equal(policy_selects(k, newest(), k8s_pod_find(k, "b", 1, "host"), &w), NO);
	assert_int_equal(w.why, WHY_HOST_NETWORK);
	load("apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: n}\n"
	     "spec: {priority: 1, subject: {namespaces: {matchLabels: {team: x}}}}\n");
	assert_int_equal(policy_selects(k, newest(), p, &w), YES);
	assert_int_equal(w.why, WHY_NOTHING);
	assert_int_equal(policy_selects(k, newest(), r, &w), NO);
	assert_int_equal(w.why, WHY_NAMESPACE_LABELS);
}

static void nodes_and_tenants_have_reasons(void **state)
{
	static const char head[] = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
				   "metadata: {name: n}\nspec: {priority: 1, subject: {namespaces: {}}, egress: "
				   "[{action: Deny, to: ";
	struct k8s_why w;
	char text[512];

	load(cluster);
	snprintf(text, sizeof(text), "%s[{nodes: {matchLabels: {zone: a}}}]}]}\n", head);
	load(text);
	assert_int_equal(peer_why(EGRESS, "a/q 192.0.2.1 80", &w), WHY_NODES_UNKNOWN);
	load("kind: Node\nmetadata: {name: n1, labels: {zone: b}}\nstatus: {addresses: [{address: 192.0.2.1}]}\n");
	assert_int_equal(peer_why(EGRESS, "a/q 192.0.2.1 80", &w), WHY_NODE_LABELS);
	assert_int_equal(peer_why(EGRESS, "a/q 192.0.2.99 80", &w), WHY_NOT_NODE);
	assert_int_equal(peer_why(EGRESS, "a/q a/p 80", &w), WHY_NOT_NODE);
	snprintf(text, sizeof(text), "%s[{namespaces: {sameLabels: [team]}}]}]}\n", head);
	load(text);
	assert_int_equal(peer_why(EGRESS, "a/q b/r 80", &w), WHY_TENANCY);
	assert_string_equal(name(w.key), "team");
	assert_int_equal(peer_why(EGRESS, "a/q a/p 80", &w), WHY_NOTHING);
}

/* ── what fits nothing ────────────────────────────────────────────────────── */

static char found[512];

static void on_unused(void *ctx, const struct k8s_policy *p, const struct unused_part *u)
{
	static const char *const what[] = { "policy", "peer", "name", "port" };
	size_t n = strlen(found);

	snprintf(found + n, sizeof(found) - n, "%s %s[%u].%u/%u;", what[u->what], u->side == EGRESS ? "egress" : "ingress",
		 u->rule, u->part, u->pods);
}

static const char *unused(const char *spec)
{
	uint64_t budget = 1000000;

	policy("one", spec);
	found[0] = 0;
	assert_true(policy_unused(k, newest(), &budget, on_unused, NULL));
	return found;
}

static void what_fits_no_pod_is_found(void **state)
{
	load(cluster);
	assert_string_equal(unused("{podSelector: {matchLabels: {app: p}}}"), "");
	assert_string_equal(unused("{podSelector: {matchLabels: {app: x}}}"), "policy egress[0].0/0;");
	/* Where none is selected, nothing is said of the rules. */
	assert_string_equal(unused("{podSelector: {matchLabels: {app: x}}, ingress: [{ports: [{port: nope}]}]}"),
			    "policy egress[0].0/0;");
	assert_string_equal(unused("{podSelector: {}, ingress: [{}, {from: [{podSelector: {}}, {podSelector: "
				   "{matchLabels: {app: x}}}, {ipBlock: {cidr: 11.0.0.0/8}}]}]}"),
			    "peer ingress[1].1/0;");
	assert_string_equal(unused("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: z}}}]}]}"),
			    "peer ingress[0].0/0;");
	/* Of namespace b nothing but its name is known. */
	load("kind: Pod\nmetadata: {name: s, namespace: c}\nspec: {containers: []}\n");
	assert_string_equal(unused("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: z}}}]}]}"), "");
}

static void ports_that_no_container_has_are_found(void **state)
{
	load(cluster);
	assert_string_equal(unused("{podSelector: {}, ingress: [{ports: [{port: web}, {port: dns}, {port: dns, protocol: UDP}]}]}"),
			    "name ingress[0].1/2;");
	/* A pod that declares no port may listen on any. */
	assert_string_equal(unused("{podSelector: {}, ingress: [{ports: [{port: 99}]}]}"), "");
	assert_string_equal(unused("{podSelector: {matchLabels: {app: p}}, ingress: [{ports: [{port: 99}, {port: 80}, "
				   "{port: 82, endPort: 90}, {port: 70, endPort: 90}, {protocol: SCTP}]}]}"),
			    "port ingress[0].0/1;port ingress[0].2/1;");
	/* Of egress: those of the pods that the peers select. */
	assert_string_equal(unused("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: p}}}], "
				   "ports: [{port: dns}, {port: 443}, {port: 80}]}]}"),
			    "name egress[0].0/1;port egress[0].1/1;");
	assert_string_equal(unused("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: p}}}, "
				   "{ipBlock: {cidr: 11.0.0.0/8}}], ports: [{port: 443}]}]}"),
			    "");
	assert_string_equal(unused("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}"), "");
	/* A direction that the policy is not about. */
	assert_string_equal(unused("{podSelector: {}, policyTypes: [Ingress], egress: [{to: [{podSelector: {matchLabels: {app: x}}}]}]}"),
			    "");
}

static void a_look_ends_with_its_budget(void **state)
{
	uint64_t budget = 1;

	load(cluster);
	policy("one", "{podSelector: {}}");
	assert_false(policy_unused(k, newest(), &budget, on_unused, NULL));
}

static void places_are_kept_where_they_are_wanted(void **state)
{
	static const char json[] = "{\"kind\":\"NetworkPolicy\",\n\"metadata\":{\"name\":\"j\",\"namespace\":\"a\"},\n"
				   "\"spec\":{\"podSelector\":{},\"ingress\":[\n{\"ports\":[{\"port\":1},\n{\"port\":2}]}]}}";

	rep.places = true;
	policy("one", "\n  podSelector: {}\n  ingress:\n  - from:\n    - podSelector: {}\n    ports:\n    - port: 1\n    - port: 2\n");
	assert_int_equal(newest()->rules[INGRESS][0].peers[0].line, 8);
	assert_int_equal(newest()->rules[INGRESS][0].ports[1].line, 11);
	assert_int_equal(newest()->rules[INGRESS][0].ports[1].column, 7);
	load(json);
	assert_int_equal(newest()->rules[INGRESS][0].ports[0].line, 4);
	assert_int_equal(newest()->rules[INGRESS][0].ports[1].line, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_peer_of_pods_names_what_is_to_blame),
		T(a_block_tells_of_its_exception),
		T(a_port_tells_what_the_name_stands_for),
		T(a_policy_tells_why_it_does_not_select),
		T(nodes_and_tenants_have_reasons),
		T(what_fits_no_pod_is_found),
		T(ports_that_no_container_has_are_found),
		T(a_look_ends_with_its_budget),
		T(places_are_kept_where_they_are_wanted),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
