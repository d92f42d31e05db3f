/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_COUNTING_PARTS_H
#define NETPROBE_CMD_POLICY_COUNTING_PARTS_H

#include "cmd/policy_counting.h"

enum { AGAIN_MAX = 4096, AGAIN_MS = 250 };
enum { COUNTED_PODS_MAX = 1 << 16, COUNTED_ROWS_MAX = 1 << 18, NS_MAX = 64, POD_NAME_MAX = 254, ATTACH_AT_ONCE = 8 };

/* The place goes to another when all of it has been told and its interface was let go; the number never does. */
enum pod_state { POD_FREE, POD_THERE, POD_ENDS, POD_GONE };

struct counted_pod {
	enum pod_state state;
	bool seen;			/* in the set that is being taken */
	bool said;			/* that its interface cannot be attached to */
	uint32_t number;
	uint32_t ifindex;		/* 0: not attached */
	char ns[NS_MAX], name[POD_NAME_MAX], uid[POD_UID_MAX], id[POD_NAME_MAX + NS_MAX + 2];
	struct np_pod_key at[POD_ADDRS_MAX];
	unsigned int n_at;
};

/*
 * What is told only grows, whatever the kernel takes back: a packet that was allowed and is dropped a moment later.  So
 * of each the largest that was read; of what is undecided, only what does not wait to be decided any more.
 */
struct counted_row {
	struct np_policy_row row;
	uint32_t place;			/* of its pod */
	struct np_policy_counts n;
	struct np_policy_counts all, waits;	/* of the undecided, as they were read last */
};

/* Whose connection is not known yet. */
struct again {
	struct meter_ask ask;
	uint64_t when_ns;
};

struct counting {
	struct policy *p;
	struct ends ends;
	struct policy_feed *feed;
	struct meter *meter;
	struct follow *follow;		/* --kubectl; NULL: without */
	uint32_t known;			/* kinds of facts that have come: 1 << FACT_x */

	struct counted_pod *pods;
	uint32_t n_pods, room_pods;	/* places, free ones too */
	uint32_t there;			/* of them */
	uint32_t last_number;
	struct numbers by_number;	/* place + 1 */
	uint32_t attached;		/* or let go, at this turn */
	bool pods_left;			/* for the next */
	uint32_t no_iface, not_attached, no_room;	/* pods that are not counted, of the last set */
	bool said_no_room;

	struct intern policies;		/* labels: the policy's number */
	struct counted_row *rows;
	uint32_t n_rows, room_rows;
	struct numbers by_row;		/* index + 1 */
	bool rows_left_out;
	bool settled;			/* nothing is waited for any more */

	struct again *again;		/* a ring */
	uint32_t first_again, n_again;
	uint64_t order_ns;		/* when the order at tc was looked at last */

	uint64_t unnamed;		/* asks whose side had more policies than are counted by */
};

/* policy_counted_pods.c: the pods of c->ends become those that are counted; c->pods_left: not all of them yet. */
int counted_pods_take(struct counting *c);
/* What the kernel has counted is taken over, when all that waits has been decided. */
int counted_rows_read(struct counting *c);
/* When they stand elsewhere. */
void counted_rows_index(struct counting *c);

/* policy_counted_asks.c: all that wait, or so many that others may have their turn. */
int counted_asks_decide(struct counting *c);
/* Those whose connection was not known, when it is time; all of them: with what is known now. */
int counted_asks_again(struct counting *c, uint64_t now_ns, bool all);

#endif
