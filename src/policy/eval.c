// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/select.h"
#include "util/err.h"

/* The first peer and port that match best. */
static enum tri match_rule(const struct k8s *k, const struct k8s_rule *r, const struct k8s_pod *subject,
			   const struct k8s_flow *f, enum side side, struct k8s_hit *hit)
{
	const struct k8s_end *e = side == EGRESS ? &f->to : &f->from;
	enum tri port = r->any_port ? YES : NO, peer = r->any_peer ? YES : NO;

	hit->peer = hit->port = UINT32_MAX;
	for (uint32_t i = 0; i < r->n_ports && port != YES; i++) {
		enum tri t = port_match(&r->ports[i], f, NULL);

		if (t > port) {
			port = t;
			hit->port = i;
		}
	}
	if (port == NO)
		return NO;
	for (uint32_t i = 0; i < r->n_peers && peer != YES; i++) {
		enum tri t = peer_match(k, &r->peers[i], subject, e, NULL);

		if (t > peer) {
			peer = t;
			hit->peer = i;
		}
	}
	return tri_and(port, peer);
}

static int add(struct k8s_hits *h, const struct k8s_hit *hit)
{
	if (h->n == h->room) {
		uint32_t room = h->room ? h->room * 2 : 8;
		struct k8s_hit *v = realloc(h->v, room * sizeof(*v));

		if (!v)
			return fail(ENOMEM, "deciding policies");
		h->v = v;
		h->room = room;
	}
	h->v[h->n++] = *hit;
	return 0;
}

/* What the NetworkPolicies say, selected ones: sure[] counts the ways it can be. */
struct tally {
	bool isolated;			/* surely */
	bool maybe_isolated;		/* by one that does not surely allow it */
	bool allowed, maybe_allowed;
};

static int take_policy(const struct k8s *k, const struct k8s_policy *p, enum tri selects, const struct k8s_pod *pod,
		       const struct k8s_flow *f, enum side side, struct k8s_side *s, struct tally *t)
{
	struct k8s_hit hit = { .policy = (uint32_t)(p - k->policies), .match = selects }, best = { 0 };
	enum tri rule = NO;
	int err = add(&s->selected, &hit);

	for (uint32_t i = 0; i < p->n_rules[side] && rule != YES; i++) {
		enum tri m = match_rule(k, &p->rules[side][i], pod, f, side, &hit);

		if (m <= rule)
			continue;
		rule = m;
		best = hit;
		best.rule = i;
		best.match = tri_and(m, selects);
	}
	if (rule != NO && !err)
		err = add(&s->allowed, &best);
	t->isolated |= selects == YES;
	t->allowed |= selects == YES && rule == YES;
	t->maybe_allowed |= rule != NO;
	t->maybe_isolated |= selects == MAYBE && rule != YES;
	return err;
}

static enum verdict conclude(const struct tally *t)
{
	if (t->allowed)
		return VERDICT_ALLOW;
	if (t->isolated)
		return t->maybe_allowed ? VERDICT_UNKNOWN : VERDICT_DENY;
	/* Those that may select it would all allow it. */
	return t->maybe_isolated ? VERDICT_UNKNOWN : VERDICT_ALLOW;
}

/* Outcomes that are possible so far, as bits 1 << enum verdict. */
struct outcomes {
	unsigned int possible;
	bool final;
	bool passed;			/* an AdminNetworkPolicy's rule said Pass: its kind is done */
};

/* The rules of one admin policy, in order. */
static int take_admin(const struct k8s *k, const struct k8s_policy *p, enum tri selects, const struct k8s_pod *pod,
		      const struct k8s_flow *f, enum side side, struct k8s_side *s, struct outcomes *o)
{
	struct k8s_hit hit = { .policy = (uint32_t)(p - k->policies) };
	int err = 0;

	for (uint32_t i = 0; i < p->n_rules[side] && !o->final && !o->passed && !err; i++) {
		const struct k8s_rule *r = &p->rules[side][i];
		enum tri m = tri_and(match_rule(k, r, pod, f, side, &hit), selects);

		if (m == NO)
			continue;
		hit.rule = i;
		hit.match = m;
		err = add(&s->admin, &hit);
		if (r->action == ACTION_PASS) {
			/* May be passed: then what follows of this kind may not count. */
			if (m == YES)
				o->passed = true;
			else
				o->possible |= 1u << VERDICT_UNKNOWN;
			continue;
		}
		o->possible |= 1u << (r->action == ACTION_ALLOW ? VERDICT_ALLOW : VERDICT_DENY);
		o->final = m == YES;
	}
	return err;
}

static enum verdict one_of(unsigned int possible)
{
	return possible == 1u << VERDICT_ALLOW ? VERDICT_ALLOW :
	       possible == 1u << VERDICT_DENY ? VERDICT_DENY :
						VERDICT_UNKNOWN;
}

static void settle(struct k8s_side *s, struct outcomes *o, bool admin_spoke, bool isolated)
{
	s->verdict = one_of(o->possible);
	if (s->verdict == VERDICT_UNKNOWN)
		s->reason = REASON_UNKNOWN;
	else if (admin_spoke)
		s->reason = REASON_ADMIN;
	else if (isolated)
		s->reason = REASON_POLICIES;
}

/* The three kinds in turn. */
static int judge(const struct k8s *k, const struct k8s_pod *pod, const struct k8s_flow *f, enum side side,
		 struct k8s_side *s)
{
	struct outcomes o = { 0 };
	struct tally t = { 0 };
	uint32_t i = 0;
	int err = 0;

	s->reason = REASON_NOT_SELECTED;
	for (; i < pod->n_selected && !o.final && !err; i++) {
		uint32_t at = pod->selected_by[i] & ~K8S_POLICY_MAYBE;
		const struct k8s_policy *p = &k->policies[at];
		enum tri selects = pod->selected_by[i] & K8S_POLICY_MAYBE ? MAYBE : YES;

		if (p->kind == POLICY_BASELINE)
			break;
		if (p->kind == POLICY_ADMIN)
			err = take_admin(k, p, selects, pod, f, side, s, &o);
		else if (p->isolates[side])
			err = take_policy(k, p, selects, pod, f, side, s, &t);
	}
	if (err || o.final) {
		settle(s, &o, true, false);
		return err;
	}
	if (t.isolated) {
		o.possible |= 1u << conclude(&t);
		settle(s, &o, s->admin.n && o.possible != 1u << conclude(&t), true);
		return 0;
	}
	if (s->selected.n)
		o.possible |= 1u << conclude(&t);
	o.passed = false;
	for (; i < pod->n_selected && !o.final && !err; i++) {
		enum tri selects = pod->selected_by[i] & K8S_POLICY_MAYBE ? MAYBE : YES;
		uint32_t admins = s->admin.n, at = pod->selected_by[i] & ~K8S_POLICY_MAYBE;

		err = take_admin(k, &k->policies[at], selects, pod, f, side, s, &o);
		if (s->admin.n > admins)
			s->reason = REASON_BASELINE;
	}
	if (!o.final)
		o.possible |= 1u << VERDICT_ALLOW;
	settle(s, &o, false, false);
	return err;
}

static bool is_local_node(const struct k8s *k, const struct k8s_pod *pod, const struct k8s_end *from)
{
	const struct k8s_node *n;

	if (from->pod && !from->pod->host_network)
		return false;
	if (from->pod && from->pod->node && from->pod->node == pod->node)
		return true;
	if (addr_same(&from->addr, &pod->host_ip))
		return true;
	n = from->addr.family ? k8s_node_by_ip(k, &from->addr) : NULL;
	return n && pod->node && n->name == pod->node;
}

/* Has anything told of the namespace?  In one that is written wrongly nobody listens. */
static bool is_told(const struct k8s *k, uint32_t ns)
{
	if (k->ns[ns].known)
		return true;
	for (uint32_t i = 1; i < k->n_pods; i++)
		if (k->pods[i].alive && k->pods[i].labels.whole && k->pods[i].ns == ns)
			return true;
	for (uint32_t i = 1; i < k->n_policies; i++)
		if (k->policies[i].alive && k->policies[i].ns == ns)
			return true;
	return false;
}

static int judge_side(struct k8s *k, const struct k8s_flow *f, enum side side, struct k8s_side *s)
{
	const struct k8s_end *own = side == EGRESS ? &f->from : &f->to, *other = side == EGRESS ? &f->to : &f->from;
	struct k8s_pod *pod = (struct k8s_pod *)own->pod;
	int err;

	s->verdict = VERDICT_ALLOW;
	s->selected.n = s->allowed.n = s->admin.n = 0;
	if (!pod)
		s->reason = REASON_NOT_POD;
	else if (pod->host_network)
		s->reason = REASON_HOST_NETWORK;
	else if (other->pod == pod)
		s->reason = REASON_SELF;
	else if (side == INGRESS && is_local_node(k, pod, other))
		s->reason = REASON_LOCAL_NODE;
	else if (side == INGRESS && !pod->labels.whole && pod->ns && !is_told(k, pod->ns)) {
		s->verdict = VERDICT_UNKNOWN;
		s->reason = REASON_UNKNOWN;
	} else {
		err = k8s_select(k, pod);
		return err ? err : judge(k, pod, f, side, s);
	}
	return 0;
}

static bool knows_pods(const struct k8s *k)
{
	for (uint32_t i = 1; i < k->n_pods; i++)
		if (k->pods[i].alive && k->pods[i].labels.whole)
			return true;
	return false;
}

/*
 * A pod of which nothing is known stands in for an address that a node gives to pods and that none of the known ones
 * has (where none is known, for any), and for those behind a service.
 */
static void stand_in(const struct k8s *k, struct k8s_end *e, struct k8s_pod *unknown)
{
	const struct k8s_service *s;

	if (e->pod || !e->addr.family)
		return;
	s = k8s_service_by_ip(k, &e->addr);
	if (!s && (k8s_node_by_ip(k, &e->addr) || (!k8s_is_pod_range(k, &e->addr) && knows_pods(k))))
		return;
	unknown->ns = s ? s->ns : 0;
	unknown->generation = 0;
	e->pod = unknown;
	/* A service's pods have other addresses than its own. */
	if (s)
		*e = (struct k8s_end){ .pod = unknown, .service = s };
}

/* The family that both have is the one that is spoken. */
static void one_family(struct k8s_end *a, const struct k8s_end *b)
{
	uint8_t family = 0;

	if (a->addr.family || !a->pod || !a->pod->n_ips)
		return;
	if (b->addr.family)
		family = b->addr.family;
	for (uint32_t i = 0; i < a->pod->n_ips; i++) {
		if (family && a->pod->ips[i].family != family)
			continue;
		a->addr = a->pod->ips[i];
		return;
	}
}

int k8s_decide(struct k8s *k, const struct k8s_flow *flow, struct k8s_decision *d)
{
	struct k8s_flow f = *flow;
	int err;

	stand_in(k, &f.from, &d->unknown[EGRESS]);
	stand_in(k, &f.to, &d->unknown[INGRESS]);
	one_family(&f.from, &f.to);
	one_family(&f.to, &f.from);
	d->flow = f;
	err = judge_side(k, &f, EGRESS, &d->side[EGRESS]);
	if (!err)
		err = judge_side(k, &f, INGRESS, &d->side[INGRESS]);
	if (d->side[EGRESS].verdict == VERDICT_DENY || d->side[INGRESS].verdict == VERDICT_DENY)
		d->verdict = VERDICT_DENY;
	else if (d->side[EGRESS].verdict == VERDICT_ALLOW && d->side[INGRESS].verdict == VERDICT_ALLOW)
		d->verdict = VERDICT_ALLOW;
	else
		d->verdict = VERDICT_UNKNOWN;
	return err;
}

void k8s_decision_free(struct k8s_decision *d)
{
	for (int i = 0; i < SIDES; i++) {
		free(d->side[i].selected.v);
		free(d->side[i].allowed.v);
		free(d->side[i].admin.v);
		free(d->unknown[i].selected_by);
	}
	memset(d, 0, sizeof(*d));
}

static void once(uint32_t *out, uint32_t *n, uint32_t max, const struct k8s_hits *h, uint32_t from)
{
	for (uint32_t i = from; i < h->n; i++) {
		bool there = false;

		for (uint32_t j = 0; j < *n && j < max && !there; j++)
			there = out[j] == h->v[i].policy;
		if (there)
			continue;
		if (*n < max)
			out[*n] = h->v[i].policy;
		(*n)++;
	}
}

uint32_t k8s_decided_by(const struct k8s_decision *d, uint32_t *out, uint32_t max)
{
	uint32_t n = 0;

	for (int i = 0; i < SIDES; i++) {
		const struct k8s_side *s = &d->side[i];

		if (s->verdict != d->verdict)
			continue;
		if (s->reason == REASON_ADMIN || s->reason == REASON_BASELINE) {
			once(out, &n, max, &s->admin, s->admin.n ? s->admin.n - 1 : 0);
		} else if (s->reason == REASON_POLICIES) {
			once(out, &n, max, d->verdict == VERDICT_ALLOW ? &s->allowed : &s->selected, 0);
		} else if (s->reason == REASON_UNKNOWN) {
			once(out, &n, max, &s->admin, 0);
			once(out, &n, max, &s->selected, 0);
		}
	}
	return n;
}
