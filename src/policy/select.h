/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_POLICY_SELECT_H
#define NETPROBE_POLICY_SELECT_H

#include "k8s/k8s.h"

/* Which pods a selector, and a policy, selects. */

/* Why something does not match, or only may: the first part of it that is to blame. */
enum why {
	WHY_NOTHING,			/* it matches */
	/* Of pods: */
	WHY_NOT_POD,			/* the end is no pod */
	WHY_HOST_NETWORK,		/* a pod of its host's network: no selector finds it */
	WHY_NAMESPACE,			/* it is in another namespace */
	WHY_NAMESPACE_UNKNOWN,		/* nobody knows in which */
	WHY_NAMESPACE_LABELS,		/* term, labels: those of its namespace */
	WHY_POD_LABELS,			/* term, labels: its own */
	WHY_TENANCY,			/* key: the namespaces differ in this label, or agree in it */
	/* Of addresses: */
	WHY_OUTSIDE,			/* in none of the blocks */
	WHY_EXCEPT,			/* cidr: in this one, that is left out */
	WHY_ADDRESS_UNKNOWN,		/* or one of the pod's is inside, and one outside */
	/* Of nodes: */
	WHY_NOT_NODE,
	WHY_NODE_LABELS,		/* term, labels */
	WHY_NODES_UNKNOWN,		/* no node is in the files */
	WHY_DOMAIN_NAMES,		/* what they stand for is in no file */
	/* Of ports: */
	WHY_PROTOCOL,
	WHY_PORT,			/* another number */
	WHY_PORT_NAME,			/* the destination has no port of that name and protocol */
	WHY_PORT_NUMBER,		/* port: it has, and that is its number */
	WHY_PORTS_UNKNOWN,		/* the destination's */
	WHY_SERVICE_PORT,		/* the pods behind a service may listen on another port than its own */
};

struct k8s_why {
	enum why why;
	const struct sel_term *term;
	const struct labels *labels;
	const struct k8s_cidr *cidr;
	uint32_t key;
	uint16_t port;
};

/* To be told by whoever was asked for a reason: w may be NULL. */
static inline enum tri because(struct k8s_why *w, enum tri t, enum why why)
{
	if (w)
		w->why = t == YES ? WHY_NOTHING : why;
	return t;
}

/* why: what is told where it does not match; w (may be NULL) gets it, and the first term to blame. */
enum tri selector_match(const struct selector *s, const struct labels *l, enum why why, struct k8s_why *w);

/* A pod's namespace matches as t says, and w why; now its labels.  What is told is why it is less than YES. */
enum tri selector_and(enum tri t, const struct selector *s, const struct labels *l, struct k8s_why *w);

/* The label of that name; NULL: it is not among those that are known. */
const struct label *label_find(const struct labels *l, uint32_t key);

#define K8S_POLICY_MAYBE (1u << 31) /* in selected_by: may select it */

/* Derive k->order; 0 or -ENOMEM. */
int k8s_order(struct k8s *k);
/* w: may be NULL. */
enum tri policy_selects(const struct k8s *k, const struct k8s_policy *p, const struct k8s_pod *pod, struct k8s_why *w);
/* Fill pod->selected_by, in the order of precedence, then of names. */
int k8s_select(struct k8s *k, struct k8s_pod *pod);

#endif
