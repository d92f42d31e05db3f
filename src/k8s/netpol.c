// SPDX-License-Identifier: GPL-2.0-or-later
/* networking.k8s.io/v1 NetworkPolicy. */
#include <errno.h>
#include <string.h>

#include "k8s/parts.h"

/* IANA_SVC_NAME, as the API server wants it: at most 15 of a-z, 0-9 and single dashes inside, and a letter. */
static bool is_port_name(const char *s)
{
	size_t n = strlen(s);
	bool letter = false;

	if (!n || n > 15 || s[0] == '-' || s[n - 1] == '-' || strstr(s, "--"))
		return false;
	for (; *s; s++) {
		letter |= *s >= 'a' && *s <= 'z';
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && *s != '-')
			return false;
	}
	return letter;
}

static bool read_number(struct loader *l, const json_t *v, const char *key, uint16_t *out)
{
	if (!json_is_integer(v)) {
		mistake_at(l, MISTAKE_ERROR, key, "is not a whole number");
		return false;
	}
	if (json_integer_value(v) < 1 || json_integer_value(v) > 65535) {
		mistake_at(l, MISTAKE_ERROR, key, "%lld is not a port (1 to 65535)", (long long)json_integer_value(v));
		return false;
	}
	*out = (uint16_t)json_integer_value(v);
	return true;
}

static void read_port(struct loader *l, struct k8s_port *p, const json_t *o)
{
	static const char *const members[] = { "protocol", "port", "endPort", NULL };
	const json_t *port = json_object_get(o, "port"), *end = json_object_get(o, "endPort");
	const char *name = json_string_value(port);

	check_members(l, o, members);
	p->proto = read_protocol(l, o, "protocol");
	p->first = 0;
	p->last = 65535;
	if (has(o, "endPort") && !json_is_integer(port)) {
		mistake_at(l, MISTAKE_ERROR, "endPort", "needs a port that is a number");
		return;
	}
	if (!has(o, "port"))
		return;
	if (name) {
		if (!is_port_name(name))
			mistake_at(l, MISTAKE_ERROR, "port", "'%.40s' is neither a number nor a port's name", name);
		p->name = name_of(l, name);
		return;
	}
	if (!read_number(l, port, "port", &p->first))
		return;
	p->last = p->first;
	if (has(o, "endPort") && read_number(l, end, "endPort", &p->last) && p->last < p->first)
		mistake_at(l, MISTAKE_ERROR, "endPort", "%u is less than the port, %u", p->last, p->first);
}

/* All of a is in b, and b is more. */
static bool inside(const struct k8s_cidr *a, const struct k8s_cidr *b)
{
	return a->bits > b->bits && cidr_contains(b, &a->addr);
}

static void read_ip_block(struct loader *l, struct arena *mem, struct k8s_peer *p, const json_t *o)
{
	static const char *const members[] = { "cidr", "except", NULL };
	const char *text = get_string(l, o, "cidr");
	const json_t *list = get_array(l, o, "except");
	size_t n = json_array_size(list), at;

	check_members(l, o, members);
	p->kind = PEER_BLOCK;
	p->blocks = read_room(l, mem, 1, sizeof(*p->blocks));
	p->except = read_room(l, mem, n, sizeof(*p->except));
	if (!p->blocks || !p->except)
		return;
	if (!text) {
		mistake_at(l, MISTAKE_ERROR, "cidr", "is missing");
		return;
	}
	if (!read_block(l, p->blocks, text, "cidr"))
		return;
	p->n_blocks = 1;
	at = path_key(l, "except");
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(list, i));
		size_t deeper = path_index(l, i);
		struct k8s_cidr *c = &p->except[p->n_except];

		if (!s)
			mistake_at(l, MISTAKE_ERROR, NULL, "is not a string");
		else if (read_block(l, c, s, NULL) && !inside(c, p->blocks))
			mistake_at(l, MISTAKE_ERROR, NULL, "%.80s is not a part of cidr, %.80s", s, text);
		else
			p->n_except++;
		path_back(l, deeper);
	}
	path_back(l, at);
}

static void read_peer(struct loader *l, struct arena *mem, struct k8s_peer *p, const json_t *o, enum side side)
{
	static const char *const members[] = { "podSelector", "namespaceSelector", "ipBlock", NULL };
	const json_t *block = get_object(l, o, "ipBlock"), *pod = get_object(l, o, "podSelector");
	const json_t *ns = get_object(l, o, "namespaceSelector");
	size_t at;

	check_members(l, o, members);
	p->kind = PEER_PODS;
	if (!block && !pod && !ns) {
		mistake_at(l, MISTAKE_ERROR, NULL, "has none of podSelector, namespaceSelector, ipBlock");
		return;
	}
	if (block && (pod || ns))
		mistake_at(l, MISTAKE_ERROR, "ipBlock", "cannot stand beside a podSelector or namespaceSelector");
	if (pod) {
		at = path_key(l, "podSelector");
		p->pod = read_selector(l, mem, pod);
		path_back(l, at);
	}
	if (ns) {
		at = path_key(l, "namespaceSelector");
		p->ns = read_selector(l, mem, ns);
		path_back(l, at);
	}
	if (block) {
		at = path_key(l, "ipBlock");
		read_ip_block(l, mem, p, block);
		path_back(l, at);
	}
}

static void read_rule(struct loader *l, struct k8s_policy *p, struct k8s_rule *r, const json_t *o, enum side side)
{
	r->any_peer = !r->n_peers;
}

static const struct policy_dialect network = {
	.members = { [EGRESS] = { "to", "ports" }, [INGRESS] = { "from", "ports" } },
	.peers_key = { [EGRESS] = "to", [INGRESS] = "from" },
	.rule = read_rule, .peer = read_peer, .port = read_port,
};

/* Absent or empty: Ingress always, Egress if there is an egress section. */
static void read_types(struct loader *l, struct k8s_policy *p, const json_t *spec)
{
	const json_t *list = get_array(l, spec, "policyTypes");
	size_t at = path_key(l, "policyTypes");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));
		size_t deeper = path_index(l, i);

		if (s && !strcmp(s, "Ingress"))
			p->isolates[INGRESS] = true;
		else if (s && !strcmp(s, "Egress"))
			p->isolates[EGRESS] = true;
		else
			mistake_at(l, MISTAKE_ERROR, NULL, "is neither Ingress nor Egress");
		path_back(l, deeper);
	}
	path_back(l, at);
	if (!json_array_size(list)) {
		p->isolates[INGRESS] = true;
		p->isolates[EGRESS] = p->n_rules[EGRESS] > 0;
	}
	for (int side = 0; side < SIDES; side++)
		if (p->n_rules[side] && !p->isolates[side])
			mistake_at(l, MISTAKE_NOTE, side == EGRESS ? "egress" : "ingress",
				   "means nothing: policyTypes does not name it");
}

void read_network_policy(struct loader *l, const json_t *o)
{
	static const char *const members[] = { "apiVersion", "kind", "metadata", "spec", "status", NULL };
	static const char *const spec_members[] = { "podSelector", "policyTypes", "ingress", "egress", NULL };
	const json_t *m = get_object(l, o, "metadata"), *spec = get_object(l, o, "spec"), *pods;
	const char *name = get_string(l, m, "name"), *ns = get_string(l, m, "namespace");
	struct k8s_policy *p;
	uint32_t ns_at;
	size_t at;

	check_members(l, o, members);
	if (!name || !*name)
		mistake_at(l, MISTAKE_FIELD, "metadata.name", "is missing");
	ns = ns && *ns ? ns : "default";
	name = name && *name ? name : NULL;
	ns_at = k8s_ns(l->k, name_of(l, ns));
	p = ns_at ? k8s_policy_place(l->k, POLICY_NETWORK, ns_at, name ? name_of(l, name) : 0) : NULL;
	if (!p) {
		l->in.error = -ENOMEM;
		return;
	}
	label_policy(l, p, ns, name ? name : "(no name)");
	if (!spec)
		mistake_at(l, MISTAKE_NOTE, "spec", "is missing: all pods of the namespace are isolated for ingress");
	at = path_key(l, "spec");
	check_members(l, spec, spec_members);
	pods = get_object(l, spec, "podSelector");
	if (pods) {
		size_t deeper = path_key(l, "podSelector");

		p->pods = read_selector(l, &p->mem, pods);
		path_back(l, deeper);
	}
	read_rules(l, p, spec, INGRESS, &network);
	read_rules(l, p, spec, EGRESS, &network);
	read_types(l, p, spec);
	path_back(l, at);
	if (l->bad)
		k8s_policy_forget(l->k, p);
}
