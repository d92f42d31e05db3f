/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_WATCH_H
#define NETPROBE_CMD_POLICY_WATCH_H

#include "cmd/policy_cause.h"
#include "cmd/policy_feed.h"
#include "cmd/policy_follow.h"
#include "cmd/policy_network.h"
#include "cmd/session.h"
#include "verdict/verdict.h"

/* Whose an address was when a connection began, as far as is known.  NULL: not told. */
struct end_name {
	const struct node_pod *node;		/* of the node's own files, */
	const struct node_pods *of;		/* as these tell them */
	const struct k8s_pod *object;
	const struct k8s_service *service;
};

/* One run of `policy watch`. */
struct policy_watch {
	struct policy *p;
	struct session s;
	struct session_options ask;
	struct frame_stage stage;
	int fds[FEED_FDS + 1 + FOLLOW_FDS];	/* ask.private_fds */
	struct verdicts *verdicts;
	struct verdict_counts told;	/* that lost records have told */
	struct policy_feed *feed;
	struct follow *follow;		/* --kubectl; NULL: without */
	struct network net;
	struct node_pods before;	/* what pods there were before those were read */
	uint64_t pods_ns;		/* wall clock: when they began to be read; 0: never */
	uint64_t before_ns;		/* until when those were all there were; 0: that is not known */
	uint32_t known;			/* kinds of facts that have come: 1 << FACT_x */
	struct causes causes;
	struct holding *holding;
	bool unsure;			/* whose addresses are is not known for now: nobody has a name */
	struct rule_trace *trace;	/* --trace-rules; NULL: without */
	struct traces *traces;
	struct trace_counts traced;	/* that lost records have told */
	bool asks;			/* for rules, as soon as it may */
	uint64_t asked_ns, pause_ns;	/* when it did last, and how long it waits after that */
	struct addr *own;		/* addresses of this network namespace, when we began */
	unsigned int n_own;
	struct whom whom;		/* --pod */
	uint32_t wanted;		/* verdicts that are told: 1 << WATCH_x */
	uint32_t this_node;		/* what objects call it; 0: not known */
	bool judges;			/* there are policies to judge by */
	struct k8s_pod stand_in[SIDES];	/* for a pod of the node that has no object */
};

#define NOTICED_NS UINT64_C(100000000)

/* --verdict */
enum {
	WATCH_ALLOW = VERDICT_ALLOWED,
	WATCH_DROP = VERDICT_DROPPED,
	WATCH_UNANSWERED = VERDICT_UNANSWERED,
	WATCH_MISMATCH,
};

/* policy_verdict.c: a connection becomes a record, and goes on. */
int connection_tell(struct policy_watch *w, const struct verdict_conn *c);

/* policy_hold.c: what connection_tell() gets, as soon as it is known whose the addresses were; in their order. */
struct holding;
int holding_open(struct holding **out);
int holding_take(struct policy_watch *w, const struct verdict_conn *c, uint64_t now_ns);
/* all: the end. */
int holding_release(struct policy_watch *w, uint64_t now_ns, bool all);
uint32_t holding_count(const struct holding *h);
void holding_close(struct holding *h);

/* policy_ends.c: whose the address is. */
void end_find(const struct policy_watch *w, const struct addr *a, uint64_t when_ns, struct end_name *out);
/* Was it an address of this network namespace's own when we began? */
bool end_is_host(const struct policy_watch *w, const struct addr *a);
/* Texts; "" where not told. */
const char *end_ns(const struct policy_watch *w, const struct end_name *e);
const char *end_pod(const struct policy_watch *w, const struct end_name *e);
const char *end_uid(const struct policy_watch *w, const struct end_name *e);
const char *end_sidecar(const struct end_name *e);	/* of which mesh it has one; NULL: none */
/* The end as policies are judged by. */
void end_judged(struct policy_watch *w, enum side side, const struct end_name *e, const struct addr *a,
		struct k8s_end *out);

#endif
