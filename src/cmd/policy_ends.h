/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_ENDS_H
#define NETPROBE_CMD_POLICY_ENDS_H

#include "cmd/policy_feed.h"
#include "cmd/policy_network.h"

/*
 * Whose addresses are, for commands that go on for long: what the node itself tells, kept up to date by a feed, and
 * the objects.
 */
struct ends {
	struct policy *p;
	struct network net;
	struct node_pods before;	/* what pods there were before those were read */
	uint64_t pods_ns;		/* wall clock: when they began to be read; 0: never */
	uint64_t before_ns;		/* until when those were all there were; 0: that is not known */
	bool unsure;			/* whose addresses are is not known for now: nobody has a name */
	struct addr *own, *own_before;	/* addresses of this network namespace, at the same times */
	unsigned int n_own, n_own_before;
	uint32_t this_node;		/* what objects call it; 0: not known */
	struct k8s_pod stand_in[SIDES];	/* for a pod of the node that has no object */
};

/* A change of the node is noticed a moment after it was made. */
#define NOTICED_NS UINT64_C(100000000)

/* Whose an address was when a connection began, as far as is known.  NULL: not told. */
struct end_name {
	const struct node_pod *node;		/* of the node's own files, */
	const struct node_pods *of;		/* as these tell them */
	const struct k8s_pod *object;
	const struct k8s_service *service;
	bool unsure;			/* of some pod, perhaps, or of one that is not known */
};

/* 0 or a negative errno, said. */
int  ends_take_pods(struct ends *e, struct facts *facts, const struct feed_set *set);
int  ends_take_kubelet(struct ends *e, const struct facts *facts);
void ends_free(struct ends *e);

/* Whose the address is. */
void end_find(const struct ends *e, const struct addr *a, uint64_t when_ns, struct end_name *out);
/* Is it an address of this network namespace's own, as was told last? */
bool end_is_host(const struct ends *e, const struct addr *a);
/* Texts; "" where not told. */
const char *end_ns(const struct ends *e, const struct end_name *name);
const char *end_pod(const struct ends *e, const struct end_name *name);
const char *end_uid(const struct ends *e, const struct end_name *name);
const char *end_sidecar(const struct end_name *name);	/* of which mesh it has one; NULL: none */
/* What words choose it by, one of which may be this address of its. */
struct whom_row end_row(const struct ends *e, const struct end_name *name, const struct addr *a);
/* Each word that fits no pod, neither of the node nor of the objects, is said; an address may be anybody's. */
void ends_note_nobody(const struct ends *e, struct whom *w);

/* A connection between two of them, as policies judge it. */
struct ends_call {
	struct end_name from, to;
	struct addr src, dst;
	uint16_t port;
	uint8_t proto;			/* TCP, UDP or SCTP */
	bool came_in;			/* by an interface: an unknown source is not the host */
	uint64_t when_ns;		/* it began; 0: now */
};

/* False: an end is unsure, or the source is perhaps the node itself.  *out is good until
 * the next call. */
bool ends_flow(struct ends *e, const struct ends_call *c, struct k8s_flow *out);

#endif
