// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/unused.h"

#include <stdlib.h>
#include <string.h>

#include "policy/match.h"

/* One policy, looked at. */
struct look {
	const struct k8s *k;
	const struct k8s_policy *p;
	uint64_t *budget;
	unused_fn fn;
	void *ctx;
	uint32_t *subjects, n_subjects;	/* pods that it selects, or may */
	uint32_t *ends, n_ends;		/* those that a rule's peers select, or may */
	bool *is_end;
	bool out;			/* of budget or memory */
};

static bool spend(struct look *l, uint64_t n)
{
	l->out |= n > *l->budget;
	*l->budget -= l->out ? 0 : n;
	return !l->out;
}

static bool is_there(const struct k8s_pod *pod)
{
	return pod->alive && !pod->ended;
}

static void tell(const struct look *l, struct unused_part u)
{
	l->fn(l->ctx, l->p, &u);
}

static void find_subjects(struct look *l)
{
	for (uint32_t i = 1; i < l->k->n_pods; i++) {
		const struct k8s_pod *pod = &l->k->pods[i];

		if (is_there(pod) && policy_selects(l->k, l->p, pod, NULL) != NO)
			l->subjects[l->n_subjects++] = i;
	}
}

static void find_ends(struct look *l, const struct k8s_rule *r, enum side side, uint32_t rule)
{
	const struct k8s_pod *subject = &l->k->pods[l->subjects[0]];

	memset(l->is_end, 0, l->k->n_pods * sizeof(*l->is_end));
	for (uint32_t i = 0; i < r->n_peers; i++) {
		uint32_t n = 0;

		if (r->peers[i].kind != PEER_PODS || !spend(l, l->k->n_pods))
			continue;
		for (uint32_t j = 1; j < l->k->n_pods; j++) {
			struct k8s_end e = { .pod = &l->k->pods[j] };

			if (!is_there(e.pod) || peer_match(l->k, &r->peers[i], subject, &e, NULL) == NO)
				continue;
			l->is_end[j] = true;
			n++;
		}
		/* Namespaces that agree with the subject's: each subject has others. */
		if (!n && !r->peers[i].same && !r->peers[i].not_same)
			tell(l, (struct unused_part){ UNUSED_PEER, side, rule, i, 0 });
	}
	l->n_ends = 0;
	for (uint32_t j = 1; j < l->k->n_pods; j++)
		if (l->is_end[j])
			l->ends[l->n_ends++] = j;
}

/* The port among those that a destination declares. */
static bool declares(const struct k8s_pod *pod, const struct k8s_port *port)
{
	for (uint32_t i = 0; i < pod->n_ports; i++) {
		const struct pod_port *q = &pod->ports[i];

		if (port->proto && port->proto != q->proto)
			continue;
		if (port->name ? q->name == port->name : q->port >= port->first && q->port <= port->last)
			return true;
	}
	return false;
}

static void look_at_port(struct look *l, const struct k8s_port *port, struct unused_part u, const uint32_t *ends,
			 uint32_t n)
{
	u.what = port->name ? UNUSED_PORT_NAME : UNUSED_PORT;
	u.pods = n;
	if ((!port->name && !port->first) || !n || !spend(l, n))
		return;
	for (uint32_t i = 0; i < n; i++) {
		const struct k8s_pod *pod = &l->k->pods[ends[i]];

		/* A container need not declare its ports: only where all of them do is one conspicuous. */
		if (!pod->ports_known || declares(pod, port) || (!port->name && !pod->n_ports))
			return;
	}
	tell(l, u);
}

static void look_at_rule(struct look *l, const struct k8s_rule *r, enum side side, uint32_t rule)
{
	const uint32_t *ends = side == INGRESS ? l->subjects : l->ends;
	bool others = r->any_peer;	/* its peers are not only pods */

	find_ends(l, r, side, rule);
	for (uint32_t i = 0; i < r->n_peers; i++)
		others |= r->peers[i].kind != PEER_PODS;
	if (side == EGRESS && others)
		return;
	for (uint32_t i = 0; i < r->n_ports && !l->out; i++)
		look_at_port(l, &r->ports[i], (struct unused_part){ .side = side, .rule = rule, .part = i }, ends,
			     side == INGRESS ? l->n_subjects : l->n_ends);
}

bool policy_unused(const struct k8s *k, const struct k8s_policy *p, uint64_t *budget, unused_fn fn, void *ctx)
{
	struct look l = { .k = k, .p = p, .budget = budget, .fn = fn, .ctx = ctx };

	l.subjects = calloc(k->n_pods + 1, sizeof(*l.subjects));
	l.ends = calloc(k->n_pods + 1, sizeof(*l.ends));
	l.is_end = calloc(k->n_pods + 1, sizeof(*l.is_end));
	l.out = !l.subjects || !l.ends || !l.is_end;
	if (spend(&l, k->n_pods))
		find_subjects(&l);
	if (!l.out && !l.n_subjects)
		tell(&l, (struct unused_part){ .what = UNUSED_POLICY });
	for (int side = 0; side < SIDES && l.n_subjects; side++) {
		if (p->kind == POLICY_NETWORK && !p->isolates[side])
			continue;
		for (uint32_t i = 0; i < p->n_rules[side] && spend(&l, k->n_pods); i++)
			look_at_rule(&l, &p->rules[side][i], (enum side)side, i);
	}
	free(l.subjects);
	free(l.ends);
	free(l.is_end);
	return !l.out;
}
