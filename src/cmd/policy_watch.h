/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_WATCH_H
#define NETPROBE_CMD_POLICY_WATCH_H

#include "cmd/policy_cause.h"
#include "cmd/policy_ends.h"
#include "cmd/policy_follow.h"
#include "cmd/session.h"
#include "verdict/verdict.h"

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
	struct ends ends;
	uint32_t known;			/* kinds of facts that have come: 1 << FACT_x */
	struct causes causes;
	struct holding *holding;
	struct rule_trace *trace;	/* --trace-rules; NULL: without */
	struct traces *traces;
	struct trace_counts traced;	/* that lost records have told */
	bool asks;			/* for rules, as soon as it may */
	uint64_t asked_ns, pause_ns;	/* when it did last, and how long it waits after that */
	struct whom whom;		/* --pod */
	uint32_t wanted;		/* verdicts that are told: 1 << WATCH_x */
	bool judges;			/* there are policies to judge by */
};

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

#endif
