// SPDX-License-Identifier: GPL-2.0-or-later
/* policy.networking.k8s.io/v1alpha1: AdminNetworkPolicy and BaselineAdminNetworkPolicy. */
#include <errno.h>
#include <string.h>

#include "k8s/parts.h"

static const struct selector *selector_at(struct loader *l, struct arena *mem, const json_t *o, const char *key)
{
	const json_t *s = get_object(l, o, key);
	const struct selector *out = NULL;
	size_t at = path_key(l, key);

	if (s)
		out = read_selector(l, mem, s);
	path_back(l, at);
	return out;
}

static uint32_t *read_keys(struct loader *l, struct arena *mem, const json_t *o, const char *key, uint32_t *n)
{
	const json_t *list = get_array(l, o, key);
	uint32_t *v = read_room(l, mem, json_array_size(list), sizeof(*v));

	*n = 0;
	for (size_t i = 0; v && i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s)
			v[(*n)++] = name_of(l, s);
		else
			mistake_at(l, MISTAKE_ERROR, key, "is not a list of strings");
	}
	return v;
}

/* Namespaces of a peer: a selector, or (earlier releases) an object of one of three ways to choose. */
static void read_namespaces(struct loader *l, struct arena *mem, struct k8s_peer *p, const json_t *o)
{
	static const char *const members[] = { "namespaceSelector", "sameLabels", "notSameLabels", NULL };
	int ways = has(o, "namespaceSelector") + has(o, "sameLabels") + has(o, "notSameLabels");
	size_t n;

	if (!ways) {
		p->ns = read_selector(l, mem, o);
		return;
	}
	check_members(l, o, members);
	if (ways > 1)
		mistake_at(l, MISTAKE_ERROR, NULL, "has more than one of namespaceSelector, sameLabels, notSameLabels");
	if (has(o, "namespaceSelector")) {
		p->ns = selector_at(l, mem, o, "namespaceSelector");
		return;
	}
	n = json_array_size(json_object_get(o, has(o, "sameLabels") ? "sameLabels" : "notSameLabels"));
	if (!n)
		mistake_at(l, MISTAKE_NOTE, NULL, "an empty list selects nothing");
	if (has(o, "sameLabels"))
		p->same = read_keys(l, mem, o, "sameLabels", &p->n_same);
	else
		p->not_same = read_keys(l, mem, o, "notSameLabels", &p->n_not_same);
}

static void read_networks(struct loader *l, struct arena *mem, struct k8s_peer *p, const json_t *list)
{
	p->kind = PEER_BLOCK;
	p->blocks = read_room(l, mem, json_array_size(list), sizeof(*p->blocks));
	for (size_t i = 0; p->blocks && i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		size_t at = path_index(l, i);

		if (!s)
			mistake_at(l, MISTAKE_ERROR, NULL, "is not a string");
		else if (read_block(l, &p->blocks[p->n_blocks], s, NULL))
			p->n_blocks++;
		path_back(l, at);
	}
}

static void read_pods(struct loader *l, struct arena *mem, struct k8s_peer *p, const json_t *o)
{
	static const char *const members[] = { "namespaceSelector", "namespaces", "podSelector", NULL };
	const json_t *ns = get_object(l, o, "namespaces");
	size_t at;

	check_members(l, o, members);
	p->ns = selector_at(l, mem, o, "namespaceSelector");
	p->pod = selector_at(l, mem, o, "podSelector");
	if (ns) {
		at = path_key(l, "namespaces");
		read_namespaces(l, mem, p, ns);
		path_back(l, at);
	}
}

static void read_peer(struct loader *l, struct arena *mem, struct k8s_peer *p, const json_t *o, enum side side)
{
	static const char *const ways[] = { "namespaces", "pods", "nodes", "networks", "domainNames" };
	static const char *const members[] = { "namespaces", "pods", "nodes", "networks", "domainNames", NULL };
	const json_t *way;
	size_t at;
	int n = 0;

	check_members(l, o, members);
	for (int i = 0; i < (side == EGRESS ? 5 : 2); i++)
		n += has(o, ways[i]);
	if (n != 1) {
		mistake_at(l, MISTAKE_ERROR, NULL, side == EGRESS ? "needs one of namespaces, pods, nodes, networks" :
								    "needs one of namespaces, pods");
		return;
	}
	p->kind = PEER_PODS;
	p->any_ns = true;
	for (n = 0; !has(o, ways[n]);)
		n++;
	way = n < 3 ? get_object(l, o, ways[n]) : get_array(l, o, ways[n]);
	if (!way)
		return;
	at = path_key(l, ways[n]);
	switch (n) {
	case 0:
		read_namespaces(l, mem, p, way);
		break;
	case 1:
		read_pods(l, mem, p, way);
		break;
	case 2:
		p->kind = PEER_NODES;
		p->pod = read_selector(l, mem, way);
		break;
	case 3:
		read_networks(l, mem, p, way);
		break;
	default:
		/* What a name resolved to is not in the objects. */
		p->kind = PEER_NAMES;
		break;
	}
	path_back(l, at);
}

static uint16_t read_number(struct loader *l, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_integer(v) && json_integer_value(v) >= 1 && json_integer_value(v) <= 65535)
		return (uint16_t)json_integer_value(v);
	mistake_at(l, MISTAKE_ERROR, key, "is not a port (1 to 65535)");
	return 0;
}

static void read_port(struct loader *l, struct k8s_port *p, const json_t *o)
{
	static const char *const members[] = { "portNumber", "portRange", "namedPort", NULL };
	const json_t *number = get_object(l, o, "portNumber"), *range = get_object(l, o, "portRange");
	const char *name = get_string(l, o, "namedPort");
	size_t at;

	check_members(l, o, members);
	if (!number + !range + !name != 2) {
		mistake_at(l, MISTAKE_ERROR, NULL, "needs one of portNumber, portRange, namedPort");
		return;
	}
	if (name) {
		/* Of any protocol: the one that the port has. */
		p->name = name_of(l, name);
		return;
	}
	at = path_key(l, number ? "portNumber" : "portRange");
	p->proto = read_protocol(l, number ? number : range, "protocol");
	if (number) {
		p->first = p->last = read_number(l, number, "port");
	} else {
		p->first = read_number(l, range, "start");
		p->last = read_number(l, range, "end");
		if (p->last < p->first)
			mistake_at(l, MISTAKE_ERROR, "end", "is less than the start");
	}
	path_back(l, at);
}

static void read_action(struct loader *l, struct k8s_rule *r, const json_t *o, enum policy_kind kind)
{
	const char *s = get_string(l, o, "action");

	if (s && !strcmp(s, "Allow"))
		r->action = ACTION_ALLOW;
	else if (s && !strcmp(s, "Deny"))
		r->action = ACTION_DENY;
	else if (s && !strcmp(s, "Pass") && kind == POLICY_ADMIN)
		r->action = ACTION_PASS;
	else
		mistake_at(l, MISTAKE_ERROR, "action", kind == POLICY_ADMIN ? "is none of Allow, Deny, Pass" :
									      "is neither Allow nor Deny");
}

static void read_rule(struct loader *l, struct k8s_policy *p, struct k8s_rule *r, const json_t *o, enum side side)
{
	const char *name = get_string(l, o, "name");

	read_action(l, r, o, p->kind);
	r->name = name ? name_of(l, name) : 0;
	if (!r->n_peers)
		mistake_at(l, MISTAKE_ERROR, side == EGRESS ? "to" : "from", "needs at least one peer");
}

static const struct policy_dialect admin = {
	.members = {
		[EGRESS] = { "name", "action", "to", "ports" },
		[INGRESS] = { "name", "action", "from", "ports" },
	},
	.peers_key = { [EGRESS] = "to", [INGRESS] = "from" },
	.rule = read_rule, .peer = read_peer, .port = read_port,
};

static void read_subject(struct loader *l, struct k8s_policy *p, const json_t *spec)
{
	static const char *const members[] = { "namespaces", "pods", NULL };
	static const char *const pods_members[] = { "namespaceSelector", "podSelector", NULL };
	const json_t *o = get_object(l, spec, "subject"), *pods = get_object(l, o, "pods");
	size_t at = path_key(l, "subject"), deeper;

	check_members(l, o, members);
	if (has(o, "namespaces") + has(o, "pods") != 1)
		mistake_at(l, MISTAKE_ERROR, NULL, "needs one of namespaces, pods");
	p->subject_ns = selector_at(l, &p->mem, o, "namespaces");
	if (pods) {
		deeper = path_key(l, "pods");
		check_members(l, pods, pods_members);
		p->subject_ns = selector_at(l, &p->mem, pods, "namespaceSelector");
		p->pods = selector_at(l, &p->mem, pods, "podSelector");
		path_back(l, deeper);
	}
	path_back(l, at);
}

static void read_priority(struct loader *l, struct k8s_policy *p, const json_t *spec)
{
	const json_t *v = json_object_get(spec, "priority");

	if (p->kind == POLICY_BASELINE)
		return;
	if (json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= 1000)
		p->priority = (int32_t)json_integer_value(v);
	else
		mistake_at(l, MISTAKE_ERROR, "priority", "is not a number from 0 to 1000");
}

void read_admin_policy(struct loader *l, const json_t *o, enum policy_kind kind)
{
	static const char *const members[] = { "apiVersion", "kind", "metadata", "spec", "status", NULL };
	static const char *const spec_members[] = { "priority", "subject", "ingress", "egress", NULL };
	const char *kind_name = kind == POLICY_ADMIN ? "AdminNetworkPolicy" : "BaselineAdminNetworkPolicy";
	const json_t *spec = get_object(l, o, "spec");
	const char *name = get_string(l, get_object(l, o, "metadata"), "name");
	struct k8s_policy *p;
	size_t at;

	check_members(l, o, members);
	if (!name || !*name)
		mistake_at(l, MISTAKE_FIELD, "metadata.name", "is missing");
	name = name && *name ? name : NULL;
	p = k8s_policy_place(l->k, kind, 0, name ? name_of(l, name) : 0);
	if (!p) {
		l->in.error = -ENOMEM;
		return;
	}
	label_policy(l, p, kind_name, name ? name : "(no name)");
	at = path_key(l, "spec");
	check_members(l, spec, spec_members);
	read_priority(l, p, spec);
	read_subject(l, p, spec);
	read_rules(l, p, spec, INGRESS, &admin);
	read_rules(l, p, spec, EGRESS, &admin);
	path_back(l, at);
	if (l->bad)
		k8s_policy_forget(l->k, p);
}
