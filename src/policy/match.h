/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_POLICY_MATCH_H
#define NETPROBE_POLICY_MATCH_H

#include "policy/select.h"

/* A new connection, and whether it fits one peer, or one port, of a rule. */
struct k8s_end {
	const struct k8s_pod *pod;	/* NULL: not a pod's */
	struct addr addr;		/* family 0: not known */
	bool given_addr;
	const struct k8s_service *service;	/* whose address it was */
};

struct k8s_flow {
	struct k8s_end from, to;
	uint16_t port;			/* of the destination */
	uint8_t proto;			/* of TCP, UDP or SCTP */
};

/* subject: the pod that the policy selects.  e: the other end.  w: may be NULL. */
enum tri peer_match(const struct k8s *k, const struct k8s_peer *p, const struct k8s_pod *subject,
		    const struct k8s_end *e, struct k8s_why *w);
enum tri port_match(const struct k8s_port *p, const struct k8s_flow *f, struct k8s_why *w);

#endif
