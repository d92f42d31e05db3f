/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_POLICY_EVAL_H
#define NETPROBE_POLICY_EVAL_H

#include "policy/match.h"

/*
 * May this connection be made?  Both ends must allow it: the policies of the source's
 * pod (egress), then those of the destination's (ingress).  At each end, the
 * AdminNetworkPolicies go first, by priority; what none of them allows or denies is
 * up to the NetworkPolicies, where there is one that selects the pod; else to the
 * BaselineAdminNetworkPolicy; else it is allowed.
 */
enum verdict { VERDICT_ALLOW, VERDICT_DENY, VERDICT_UNKNOWN };

/* Why a side says what it says. */
enum reason {
	REASON_NOT_POD,			/* the end is no pod: no policy applies */
	REASON_HOST_NETWORK,		/* a pod of the host's network: treated as its node */
	REASON_SELF,			/* a pod cannot block itself */
	REASON_LOCAL_NODE,		/* from the pod's own node, which is always allowed */
	REASON_NOT_SELECTED,		/* no policy selects the pod for this direction */
	REASON_POLICIES,		/* NetworkPolicies select it */
	REASON_ADMIN,			/* a rule of an AdminNetworkPolicy decides */
	REASON_BASELINE,		/* or of the baseline */
	REASON_UNKNOWN,			/* some of them might decide */
};

/* The first rule of a policy that matches, and what of it. */
struct k8s_hit {
	uint32_t policy, rule, peer, port;	/* UINT32_MAX: the rule has no word on it */
	enum tri match;
};

struct k8s_hits {
	struct k8s_hit *v;
	uint32_t n, room;
};

struct k8s_side {
	enum verdict verdict;
	enum reason reason;
	struct k8s_hits selected;	/* NetworkPolicies that isolate the pod (match: surely, or maybe) */
	struct k8s_hits allowed;	/* those of them that allow it */
	struct k8s_hits admin;		/* rules of the admin kinds that match; the last decides */
};

struct k8s_decision {
	enum verdict verdict;
	struct k8s_flow flow;		/* as it was judged: with stand-ins, and addresses of one family */
	struct k8s_side side[SIDES];
	struct k8s_pod unknown[SIDES];	/* stands for a pod of which nothing is known */
};

/* d: zeroed before its first use, used again after it; its lists are valid until then.  0 or -errno, said. */
int  k8s_decide(struct k8s *k, const struct k8s_flow *f, struct k8s_decision *d);
void k8s_decision_free(struct k8s_decision *d);

/*
 * The policies that decided, each once: what isolates in every denying direction, or
 * what allows (egress first); for an unknown verdict, those that may decide.
 * Returns how many; writes at most `max`.
 */
uint32_t k8s_decided_by(const struct k8s_decision *d, uint32_t *out, uint32_t max);

#endif
