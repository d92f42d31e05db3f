// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/match.h"

#include <stddef.h>

/* ── blocks of addresses ──────────────────────────────────────────────────── */

static const struct k8s_cidr *find_block(const struct k8s_cidr *v, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (cidr_contains(&v[i], a))
			return &v[i];
	return NULL;
}

static enum tri match_addr(const struct k8s_peer *p, const struct addr *a, struct k8s_why *w)
{
	const struct k8s_cidr *except;

	if (!find_block(p->blocks, p->n_blocks, a))
		return because(w, NO, WHY_OUTSIDE);
	except = find_block(p->except, p->n_except, a);
	if (!except)
		return because(w, YES, WHY_NOTHING);
	if (w)
		w->cidr = except;
	return because(w, NO, WHY_EXCEPT);
}

/* A pod that was named has perhaps two addresses, and its packets come from the one of the other end's family. */
static enum tri match_block(const struct k8s_peer *p, const struct k8s_end *e, struct k8s_why *w)
{
	const struct k8s_pod *pod = e->pod;
	bool yes = false, no = false;

	if (e->given_addr || !pod)
		return e->addr.family ? match_addr(p, &e->addr, w) : because(w, MAYBE, WHY_ADDRESS_UNKNOWN);
	for (uint32_t i = 0; i < pod->n_ips; i++) {
		if (e->addr.family && pod->ips[i].family != e->addr.family)
			continue;
		if (match_addr(p, &pod->ips[i], w) == YES)
			yes = true;
		else
			no = true;
	}
	if (yes == no)
		return because(w, MAYBE, WHY_ADDRESS_UNKNOWN);
	return yes ? because(w, YES, WHY_NOTHING) : NO;
}

/* ── pods by their labels and namespaces ──────────────────────────────────── */

/* Do two namespaces have the label, with one value? */
static enum tri share(const struct labels *a, const struct labels *b, uint32_t key)
{
	const struct label *x = label_find(a, key), *y = label_find(b, key);

	if (x && y)
		return x->value == y->value ? YES : NO;
	return (x || !a->whole) && (y || !b->whole) ? MAYBE : NO;
}

static enum tri match_tenancy(const struct k8s *k, const struct k8s_peer *p, uint32_t subject_ns, uint32_t peer_ns,
			      struct k8s_why *w)
{
	const uint32_t *keys = p->same ? p->same : p->not_same;
	uint32_t n = p->same ? p->n_same : p->n_not_same;
	enum tri t = n ? YES : NO;

	if (!subject_ns || !peer_ns)
		return because(w, n ? MAYBE : NO, WHY_NAMESPACE_UNKNOWN);
	for (uint32_t i = 0; keys && i < n; i++) {
		enum tri s = share(&k->ns[subject_ns].labels, &k->ns[peer_ns].labels, keys[i]);

		if (!p->same)
			s = (enum tri)(YES - s);
		if (w && s < t)
			w->key = keys[i];
		t = tri_and(t, s);
	}
	return because(w, t, WHY_TENANCY);
}

static enum tri match_ns(const struct k8s *k, const struct k8s_peer *p, uint32_t subject_ns, uint32_t peer_ns,
			 struct k8s_why *w)
{
	if (p->same || p->not_same)
		return match_tenancy(k, p, subject_ns, peer_ns, w);
	if (p->ns && !p->ns->n)
		return YES;
	if (p->ns)
		return peer_ns ? selector_match(p->ns, &k->ns[peer_ns].labels, WHY_NAMESPACE_LABELS, w) :
				 because(w, MAYBE, WHY_NAMESPACE_UNKNOWN);
	if (p->any_ns)
		return YES;
	if (!peer_ns || !subject_ns)
		return because(w, MAYBE, WHY_NAMESPACE_UNKNOWN);
	return because(w, peer_ns == subject_ns ? YES : NO, WHY_NAMESPACE);
}

static enum tri match_pod(const struct k8s *k, const struct k8s_peer *p, const struct k8s_pod *subject,
			  const struct k8s_end *e, struct k8s_why *w)
{
	enum tri t;

	if (!e->pod)
		return because(w, NO, WHY_NOT_POD);
	/* It speaks from its node's address: no selector finds it. */
	if (e->pod->host_network)
		return because(w, NO, WHY_HOST_NETWORK);
	t = match_ns(k, p, subject->ns, e->pod->ns, w);
	if (t == NO || !p->pod)
		return t;
	return selector_and(t, p->pod, &e->pod->labels, w);
}

/* ── nodes ────────────────────────────────────────────────────────────────── */

static enum tri match_node(const struct k8s *k, const struct k8s_peer *p, const struct k8s_end *e, struct k8s_why *w)
{
	const struct k8s_node *n = e->addr.family ? k8s_node_by_ip(k, &e->addr) : NULL;

	if (e->pod && !e->pod->host_network)
		return because(w, NO, WHY_NOT_NODE);
	if (n)
		return selector_match(p->pod, &n->labels, WHY_NODE_LABELS, w);
	/* Without the nodes' objects an address may be one of them. */
	return k->n_nodes > 1 && e->addr.family ? because(w, NO, WHY_NOT_NODE) : because(w, MAYBE, WHY_NODES_UNKNOWN);
}

enum tri peer_match(const struct k8s *k, const struct k8s_peer *p, const struct k8s_pod *subject,
		    const struct k8s_end *e, struct k8s_why *w)
{
	switch (p->kind) {
	case PEER_BLOCK:
		return match_block(p, e, w);
	case PEER_NODES:
		return match_node(k, p, e, w);
	case PEER_NAMES:
		return e->pod ? because(w, NO, WHY_OUTSIDE) : because(w, MAYBE, WHY_DOMAIN_NAMES);
	default:
		return match_pod(k, p, subject, e, w);
	}
}

/* ── ports ────────────────────────────────────────────────────────────────── */

/* A name stands for the destination's port of that name and protocol. */
static enum tri match_named(const struct k8s_port *p, const struct k8s_flow *f, struct k8s_why *w)
{
	const struct k8s_pod *pod = f->to.pod;
	enum why why = WHY_PORT_NAME;

	if (!pod)
		return because(w, NO, WHY_NOT_POD);
	for (uint32_t i = 0; i < pod->n_ports; i++) {
		if (pod->ports[i].name != p->name || pod->ports[i].proto != f->proto)
			continue;
		if (pod->ports[i].port == f->port)
			return because(w, YES, WHY_NOTHING);
		why = WHY_PORT_NUMBER;
		if (w)
			w->port = pod->ports[i].port;
	}
	return pod->ports_known ? because(w, NO, why) : because(w, MAYBE, WHY_PORTS_UNKNOWN);
}

enum tri port_match(const struct k8s_port *p, const struct k8s_flow *f, struct k8s_why *w)
{
	if (p->proto && p->proto != f->proto)
		return because(w, NO, WHY_PROTOCOL);
	if (p->name)
		return match_named(p, f, w);
	/* The pods behind a service may listen on another port than its own. */
	if (f->to.service && (p->first || p->last < 65535))
		return because(w, MAYBE, WHY_SERVICE_PORT);
	return because(w, f->port >= p->first && f->port <= p->last ? YES : NO, WHY_PORT);
}
