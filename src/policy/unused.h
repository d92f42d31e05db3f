/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_POLICY_UNUSED_H
#define NETPROBE_POLICY_UNUSED_H

#include "policy/select.h"

/* What of a policy can fit nothing, as far as the pods that are known tell. */
enum unused {
	UNUSED_POLICY,			/* selects no pod */
	UNUSED_PEER,			/* of rules' peers: selects no pod */
	UNUSED_PORT_NAME,		/* of rules' ports: none of the destinations has one of that name */
	UNUSED_PORT,			/* all destinations declare ports, and none of them this one */
};

struct unused_part {
	enum unused what;
	enum side side;
	uint32_t rule, part;		/* which of its peers or ports */
	uint32_t pods;			/* UNUSED_PORT*: of how many destinations */
};

typedef void (*unused_fn)(void *ctx, const struct k8s_policy *p, const struct unused_part *u);

enum { UNUSED_WORK = 200000000 }; /* a budget for all policies: a few seconds */

/*
 * Call fn for each such part of p.  *budget: comparisons that may still be made; false when p took more than
 * was left, and was not looked at to its end.  Namespaces and pods whose labels are not known match.
 */
bool policy_unused(const struct k8s *k, const struct k8s_policy *p, uint64_t *budget, unused_fn fn, void *ctx);

#endif
