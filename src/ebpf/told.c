// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What agents say in JSON: Calico's writes down the programs that decide by eBPF, with comments of their instructions;
 * Cilium's answers what an endpoint and an identity are.
 */
#include "ebpf/ebpf.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebpf/parts.h"
#include "dataplane/owners_parts.h"
#include "util/err.h"

enum { COMMENT_MAX = 1000, RULES_OF_DUMP_MAX = 1 << 16 };

struct dump {
	struct ebpf *e;
	uint32_t map;
	const char *policy, *tier;	/* NULL: in none */
	uint32_t rule, n;		/* rule: index of the one that is told of, from 1; 0: none */
	bool ingress, failed;
};

/* A copy that e owns, of at most COMMENT_MAX bytes; NULL: no memory. */
static const char *keep(struct dump *d, const char *before, const char *s, size_t n, const char *behind)
{
	char **to = ebpf_text_slot(d->e), text[COMMENT_MAX + 64];

	snprintf(text, sizeof(text), "%s%.*s%s", before, (int)(n < COMMENT_MAX ? n : COMMENT_MAX), s, behind);
	if (to)
		*to = strdup(text);
	d->failed |= !to || !*to;
	return to ? *to : NULL;
}

static struct ebpf_rule *add_rule(struct dump *d)
{
	struct ebpf_rule *r = d->n < RULES_OF_DUMP_MAX ? ebpf_rule_slot(d->e) : NULL;

	d->rule = r ? d->e->n_rules : 0;
	if (!r) {
		d->failed |= d->n < RULES_OF_DUMP_MAX;
		d->e->broken += d->n == RULES_OF_DUMP_MAX;
		d->n++;
		return NULL;
	}
	r->map = d->map;
	r->place = ++d->n;
	r->ingress = d->ingress;
	return r;
}

/* FNV-1a, of 64 bits: the id of an end is that of the prefix which it would log with. */
static uint64_t id_of_end(bool ingress, const char *tier)
{
	uint64_t h = 0xcbf29ce484222325;
	char prefix[COMMENT_MAX + 72];

	snprintf(prefix, sizeof(prefix), "DP%c|%s", ingress ? 'I' : 'E', tier);
	for (const char *s = prefix; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h;
}

/* "T: deny", "T: pass", "T: ", which is deny. */
static void end_of_tier(struct dump *d, const char *s)
{
	const char *action = strstr(s, ": ");
	struct ebpf_rule *r = action ? add_rule(d) : NULL;

	if (r) {
		r->verdict = strcmp(action, ": pass") ? NF_DROPS : NF_RETURNS;
		r->meaning = MEANS_DEFAULT_DENY;
		r->tier = keep(d, "", s, (size_t)(action - s), "");
		r->id = r->tier ? id_of_end(d->ingress, r->tier) : 0;
		r->id_is_ours = true;
	}
	d->rule = 0;
	d->tier = NULL;
}

/* The rule as the agent has it: action:"allow"  protocol:{name:"tcp"}  ... */
static void start_of_rule(struct dump *d, const char *s)
{
	static const struct {
		const char *text;
		uint8_t verdict;
	} actions[] = {
		{ "action:\"allow\"", NF_ACCEPTS }, { "action:\"deny\"", NF_DROPS }, { "action:\"pass\"", NF_RETURNS },
		{ "action:\"next-tier\"", NF_RETURNS },
	};
	struct ebpf_rule *r = add_rule(d);

	if (!r)
		return;
	r->meaning = d->policy ? MEANS_POLICY : MEANS_PROFILE;
	r->policy = d->policy;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strstr(s, actions[i].text))
			r->verdict = actions[i].verdict;
	r->comment = keep(d, "", s, strlen(s), "");
}

/* "policy default/knp.default.web" up to 3.31, then "KubernetesNetworkPolicy shop/web 0", with its number. */
static void start_of_policy(struct dump *d, const char *s)
{
	const char *blank = strchr(s, ' '), *behind = d->ingress ? " ingress" : " egress", *last = strrchr(s, ' ');
	size_t n = strlen(s);

	if (!blank)
		return;
	if (past(s, "policy ")) {
		d->policy = keep(d, "Policy", blank, n - (size_t)(blank - s), behind);
		return;
	}
	if (last != blank && strspn(last + 1, "0123456789") == strlen(last + 1))
		n = (size_t)(last - s);
	d->policy = keep(d, "", s, n, behind);
}

static void take_comment(struct dump *d, const char *s)
{
	const char *start = past(s, "Start of "), *end = past(s, "End of "), *rest;

	if (start && (rest = past(start, "tier "))) {
		d->tier = rest;
		d->policy = NULL;
	} else if (start && (rest = past(start, "rule "))) {
		start_of_rule(d, rest);
	} else if (start) {
		start_of_policy(d, start);
	} else if (end && (rest = past(end, "tier "))) {
		end_of_tier(d, rest);
	} else if (end && past(end, "rule ")) {
		d->rule = 0;
	} else if (end) {
		d->policy = NULL;
	} else if (d->rule && (rest = past(s, "Rule MatchID:"))) {
		d->e->rules[d->rule - 1].id = strtoull(rest, NULL, 0);
	}
}

static void take_instruction(struct dump *d, const json_t *insn)
{
	const json_t *comments = json_object_get(insn, "comments");

	for (size_t i = 0; i < json_array_size(comments) && !d->failed; i++) {
		const char *s = json_string_value(json_array_get(comments, i));

		if (s)
			take_comment(d, s);
	}
}

/* "cali1cea4782700_ingress_v4.json": the interface at the host, the direction as the pod sees it, the family. */
static bool take_name(struct dump *d, const char *name, struct ebpf_map *m)
{
	static const struct {
		const char *end;
		bool ingress;
		uint8_t family;
	} ends[] = {
		{ "_ingress_v4.json", true, 4 }, { "_ingress_v6.json", true, 6 }, { "_egress_v4.json", false, 4 },
		{ "_egress_v6.json", false, 6 }, { "_ingress.json", true, 4 }, { "_egress.json", false, 4 },
	};
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t k = strlen(ends[i].end);

		if (n <= k || n - k >= sizeof(m->iface) || strcmp(name + n - k, ends[i].end))
			continue;
		d->ingress = ends[i].ingress;
		m->family = ends[i].family;
		snprintf(m->iface, sizeof(m->iface), "%.*s", (int)(n - k), name);
		snprintf(m->name, sizeof(m->name), "%.*s", (int)(n - strlen(".json")), name);
		return true;
	}
	return false;
}

int ebpf_parse_dump(struct ebpf *e, const char *name, const char *text, size_t n)
{
	struct ebpf_map m = { .kind = EBPF_DUMP, .owner = OWNER_CALICO, .known = true };
	struct dump d = { .e = e, .map = e->n_maps };
	struct ebpf_map *to;
	json_t *root, *insns;

	if (!take_name(&d, name, &m))
		return 0;
	root = json_loadb(text, n, 0, NULL);
	insns = json_object_get(root, "policyInfo");
	to = json_is_array(insns) ? ebpf_map_slot(e) : NULL;
	if (!to) {
		e->broken++;
		json_decref(root);
		return 0;
	}
	*to = m;
	for (size_t i = 0; i < json_array_size(insns); i++)
		take_instruction(&d, json_array_get(insns, i));
	json_decref(root);
	return d.failed ? fail(ENOMEM, "what Calico writes down of its rules") : 0;
}

/* ── Cilium ───────────────────────────────────────────────────────────────── */

static bool add_named(struct dump *d, bool label, const json_t *id, const char *text)
{
	json_int_t number = json_integer_value(id);
	struct ebpf_named *to;

	if (number <= 0 || number > UINT32_MAX || !*text)
		return true;
	text = keep(d, "", text, strlen(text), "");
	to = text ? ebpf_named_slot(d->e, label) : NULL;
	if (to)
		*to = (struct ebpf_named){ (uint32_t)number, text };
	return to;
}

static bool add_pod(struct dump *d, const json_t *o)
{
	const json_t *ids = json_object_get(json_object_get(o, "status"), "external-identifiers");
	const char *ns = json_string_value(json_object_get(ids, "k8s-namespace"));
	const char *pod = json_string_value(json_object_get(ids, "k8s-pod-name"));
	char text[2 * OWNER_NAME_MAX] = "";

	if (ns && pod && is_label(ns, strlen(ns)) && is_name(pod, strlen(pod)))
		snprintf(text, sizeof(text), "%s/%s", ns, pod);
	return add_named(d, false, json_object_get(o, "id"), text);
}

/* Those of the pod itself, and its namespace: not what Cilium adds. */
static bool add_labels(struct dump *d, const json_t *o)
{
	const json_t *labels = json_object_get(o, "labels");
	char text[300] = "";
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(labels) && at + 1 < sizeof(text); i++) {
		const char *s = json_string_value(json_array_get(labels, i)), *rest;

		if (!s || past(s, "k8s:io.cilium.k8s."))
			continue;
		rest = past(s, "k8s:io.kubernetes.pod.");
		rest = rest ? rest : past(s, "k8s:");
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "", rest ? rest : s);
	}
	return add_named(d, true, json_object_get(o, "id"), text);
}

int ebpf_parse_agent(struct ebpf *e, bool identities, const char *text, size_t n)
{
	json_t *root = json_loadb(text, n, 0, NULL);
	struct dump d = { .e = e };
	bool ok = true;

	for (size_t i = 0; i < json_array_size(root) && ok; i++) {
		const json_t *o = json_array_get(root, i);

		ok = identities ? add_labels(&d, o) : add_pod(&d, o);
	}
	n = json_is_array(root);
	json_decref(root);
	return !ok ? fail(ENOMEM, "what Cilium's agent answers") : n ? 0 : -EINVAL;
}

/* ── both ─────────────────────────────────────────────────────────────────── */

void ebpf_owned(const struct ebpf_rule *r, struct owned *out)
{
	uint8_t meaning = r->meaning;

	if (r->policy)
		calico_of_policy(r->policy, out);
	if (r->tier) {
		put_name(out->policy, sizeof(out->policy), r->tier, strlen(r->tier));
		snprintf(out->kind, sizeof(out->kind), "Tier");
	}
	out->meaning = meaning;
	out->ingress = r->ingress;
}
