// SPDX-License-Identifier: GPL-2.0-or-later
/* Selectors, and which policies select which pods. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/select.h"
#include "util/err.h"

static bool is_value(const struct sel_term *t, uint32_t value)
{
	for (uint32_t i = 0; i < t->n_values; i++)
		if (t->values[i] == value)
			return true;
	return false;
}

const struct label *label_find(const struct labels *l, uint32_t key)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].key == key)
			return &l->v[i];
	return NULL;
}

static enum tri term_match(const struct sel_term *t, const struct labels *l)
{
	const struct label *there = label_find(l, t->key);
	bool yes;

	if (!there && !l->whole)
		return MAYBE;
	switch (t->op) {
	case SEL_IN:
		yes = there && is_value(t, there->value);
		break;
	case SEL_NOT_IN:	/* holds where there is no such label, too */
		yes = !there || !is_value(t, there->value);
		break;
	case SEL_EXISTS:
		yes = there != NULL;
		break;
	default:
		yes = !there;
		break;
	}
	return yes ? YES : NO;
}

enum tri selector_match(const struct selector *s, const struct labels *l, enum why why, struct k8s_why *w)
{
	enum tri t = YES;

	for (uint32_t i = 0; i < s->n && t != NO; i++) {
		enum tri term = term_match(&s->terms[i], l);

		if (term < t && w) {
			w->term = &s->terms[i];
			w->labels = l;
		}
		t = tri_and(t, term);
	}
	return because(w, t, why);
}

enum tri selector_and(enum tri t, const struct selector *s, const struct labels *l, struct k8s_why *w)
{
	enum tri labels = selector_match(s, l, WHY_POD_LABELS, NULL);

	if (labels < t && w)
		selector_match(s, l, WHY_POD_LABELS, w);
	return tri_and(t, labels);
}

/* By precedence: kind, priority or namespace, then name. */
static int by_precedence(const void *a, const void *b, void *arg)
{
	const struct k8s *k = arg;
	const struct k8s_policy *p = &k->policies[*(const uint32_t *)a], *q = &k->policies[*(const uint32_t *)b];
	int c;

	if (p->kind != q->kind)
		return p->kind < q->kind ? -1 : 1;
	if (p->kind == POLICY_ADMIN && p->priority != q->priority)
		return p->priority < q->priority ? -1 : 1;
	if (p->ns != q->ns)
		return p->ns < q->ns ? -1 : 1;
	c = strcmp(intern_text(&k->names, p->name), intern_text(&k->names, q->name));
	return c ? c : p < q ? -1 : 1;
}

int k8s_order(struct k8s *k)
{
	uint32_t *order, *of_ns, n = 0;

	if (k->order_generation == k->generation)
		return 0;
	order = calloc(k->n_policies + 1, sizeof(*order));
	of_ns = calloc(k->n_ns + 2, sizeof(*of_ns));
	if (!order || !of_ns) {
		free(order);
		free(of_ns);
		return fail(ENOMEM, "policies");
	}
	for (uint32_t i = 1; i < k->n_policies; i++)
		if (k->policies[i].alive)
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), by_precedence, k);
	/* of_ns[i]: the first whose namespace is i or more; [0] ends the admin ones. */
	for (uint32_t ns = 0, at = 0; ns <= k->n_ns; ns++) {
		while (at < n && (k->policies[order[at]].kind == POLICY_ADMIN ||
				  (k->policies[order[at]].kind == POLICY_NETWORK && k->policies[order[at]].ns < ns)))
			at++;
		of_ns[ns] = at;
	}
	free(k->order);
	free(k->order_of_ns);
	k->order = order;
	k->n_order = n;
	k->order_of_ns = of_ns;
	k->n_order_of_ns = k->n_ns + 1;
	k->first_baseline = n;
	while (k->first_baseline && k->policies[order[k->first_baseline - 1]].kind == POLICY_BASELINE)
		k->first_baseline--;
	k->order_generation = k->generation;
	return 0;
}

enum tri policy_selects(const struct k8s *k, const struct k8s_policy *p, const struct k8s_pod *pod, struct k8s_why *w)
{
	enum tri t = because(w, YES, WHY_NOTHING);

	/* What a policy means for a pod of the host's network is undefined; most treat it as the node. */
	if (pod->host_network)
		return because(w, NO, WHY_HOST_NETWORK);
	if (p->kind == POLICY_NETWORK && pod->ns && p->ns != pod->ns)
		return because(w, NO, WHY_NAMESPACE);
	if (!pod->ns && (p->kind == POLICY_NETWORK || (p->subject_ns && p->subject_ns->n)))
		t = because(w, MAYBE, WHY_NAMESPACE_UNKNOWN);
	else if (p->kind != POLICY_NETWORK && p->subject_ns)
		t = selector_match(p->subject_ns, &k->ns[pod->ns].labels, WHY_NAMESPACE_LABELS, w);
	if (t == NO || !p->pods)
		return t;
	return selector_and(t, p->pods, &pod->labels, w);
}

static void select_range(const struct k8s *k, struct k8s_pod *pod, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		enum tri t = policy_selects(k, &k->policies[k->order[i]], pod, NULL);

		if (t != NO)
			pod->selected_by[pod->n_selected++] = k->order[i] | (t == MAYBE ? K8S_POLICY_MAYBE : 0);
	}
}

int k8s_select(struct k8s *k, struct k8s_pod *pod)
{
	uint32_t from = 0, to = 0, *v;
	size_t room = 1;
	int err;

	if (pod->generation == k->generation)
		return 0;
	err = k8s_order(k);
	if (err)
		return err;
	/* The namespace is not known: every policy may select it. */
	if (pod->ns) {
		from = pod->ns < k->n_order_of_ns ? k->order_of_ns[pod->ns] : k->first_baseline;
		to = pod->ns + 1 < k->n_order_of_ns ? k->order_of_ns[pod->ns + 1] : k->first_baseline;
	} else {
		from = k->order_of_ns[0];
		to = k->first_baseline;
	}
	room += k->order_of_ns[0] + (to - from) + (k->n_order - k->first_baseline);
	v = realloc(pod->selected_by, room * sizeof(*v));
	if (!v)
		return fail(ENOMEM, "policies of a pod");
	pod->selected_by = v;
	pod->n_selected = 0;
	select_range(k, pod, 0, k->order_of_ns[0]);
	select_range(k, pod, from, to);
	select_range(k, pod, k->first_baseline, k->n_order);
	pod->generation = k->generation;
	return 0;
}
