// SPDX-License-Identifier: GPL-2.0-or-later
/* What every kind of policy has: a label, and rules with lists of peers and of ports. */
#include <stdio.h>
#include <string.h>

#include "k8s/parts.h"

void label_policy(struct loader *l, struct k8s_policy *p, const char *group, const char *name)
{
	size_t n = strlen(group) + strlen(name) + 2;

	p->label = read_room(l, &p->mem, n, 1);
	if (p->label)
		snprintf(p->label, n, "%s/%s", group, name);
	p->file = name_of(l, l->in.name);
	p->line = l->line;
}

/* An element of a list of objects; null is an object with nothing set. */
static const json_t *element(struct loader *l, const json_t *list, size_t i)
{
	const json_t *o = json_array_get(list, i);

	if (json_is_object(o) || json_is_null(o))
		return o;
	mistake_at(l, MISTAKE_ERROR, NULL, "is not an object");
	return json_null();
}

static void read_peers(struct loader *l, struct k8s_policy *p, struct k8s_rule *r, const json_t *list, enum side side,
		       const struct policy_dialect *d)
{
	size_t at = path_key(l, d->peers_key[side]);
	struct place stands;

	for (size_t i = 0; i < r->n_peers; i++) {
		size_t deeper = path_index(l, i);

		d->peer(l, &p->mem, &r->peers[i], element(l, list, i), side);
		stands = place_here(l);
		r->peers[i].line = stands.line;
		r->peers[i].column = stands.column;
		path_back(l, deeper);
	}
	path_back(l, at);
}

static void read_ports(struct loader *l, struct k8s_rule *r, const json_t *list, const struct policy_dialect *d)
{
	size_t at = path_key(l, "ports");
	struct place stands;

	for (size_t i = 0; i < r->n_ports; i++) {
		size_t deeper = path_index(l, i);

		d->port(l, &r->ports[i], element(l, list, i));
		stands = place_here(l);
		r->ports[i].line = stands.line;
		r->ports[i].column = stands.column;
		path_back(l, deeper);
	}
	path_back(l, at);
}

static void read_rule(struct loader *l, struct k8s_policy *p, struct k8s_rule *r, const json_t *o, enum side side,
		      const struct policy_dialect *d)
{
	const json_t *peers = get_array(l, o, d->peers_key[side]), *ports = get_array(l, o, "ports");

	check_members(l, o, d->members[side]);
	r->n_peers = (uint32_t)json_array_size(peers);
	r->n_ports = (uint32_t)json_array_size(ports);
	r->any_port = !r->n_ports;
	d->rule(l, p, r, o, side);
	r->peers = read_room(l, &p->mem, r->n_peers, sizeof(*r->peers));
	r->ports = read_room(l, &p->mem, r->n_ports, sizeof(*r->ports));
	if (!r->peers || !r->ports)
		return;
	read_peers(l, p, r, peers, side, d);
	read_ports(l, r, ports, d);
}

void read_rules(struct loader *l, struct k8s_policy *p, const json_t *spec, enum side side,
		const struct policy_dialect *d)
{
	const char *key = side == EGRESS ? "egress" : "ingress";
	const json_t *list = get_array(l, spec, key);
	size_t n = json_array_size(list), at = path_key(l, key);

	p->rules[side] = read_room(l, &p->mem, n, sizeof(*p->rules[side]));
	for (size_t i = 0; p->rules[side] && i < n; i++) {
		size_t deeper = path_index(l, i);

		read_rule(l, p, &p->rules[side][i], element(l, list, i), side, d);
		path_back(l, deeper);
	}
	p->n_rules[side] = p->rules[side] ? (uint32_t)n : 0;
	path_back(l, at);
}
