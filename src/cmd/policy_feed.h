/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_FEED_H
#define NETPROBE_CMD_POLICY_FEED_H

#include "node/facts.h"

/*
 * What a node has, kept up to date for a process that has no privileges any more: a child keeps those that
 * network_collect() needs, watches the node, and hands over a whole set of facts whenever that set has changed.  It
 * looks into nothing of what it moves.  A child that ends takes nothing with it; it ends with its parent, however that
 * ends.
 *
 * Sets are told one at a time, the next when the last has been read; so memory is bounded, and whoever reads late gets
 * what is there then.  A change is looked at within 200 ms, unless that took so long that the processor time of the
 * child would be more than a fifth; what nothing tells of (counters, iptables-legacy, pins) every 10 s.
 */
enum feed_kinds {
	FEED_RULES = 1 << FACT_NFT | 1 << FACT_LEGACY,	/* counters move: each reading is another */
	FEED_KUBELET = 1 << FACT_KUBELET,
	FEED_PODS = FACTS_OF_PODS & ~FEED_KUBELET,
	/* Come with those of pods, in one set.  Maps of eBPF are not kept up to date. */
	FEED_NETWORK = (FACTS_OF_NETWORK & ~FEED_RULES & ~(1 << FACT_EBPF | 1 << FACT_DUMP)) | 1 << FACT_ADDRESS,
	FEED_ALL = FEED_RULES | FEED_KUBELET | FEED_PODS | FEED_NETWORK,
};

struct feed_set {
	uint32_t kinds;			/* those of this set that were asked for; it replaces what was known of them */
	int64_t began_ns, ended_ns;	/* wall clock: it was read between */
	int64_t stirred_ns;		/* of pods: until then what was told before was so, as was noticed */
};

enum { FEED_FDS = 3 };

struct policy_feed;

/*
 * While there are privileges, and the earlier the better: forks, and what is mapped then stays so in the child.  root:
 * as network_collect(); a copy has neither rules nor interfaces nor a kubelet.  kinds: 1 << FACT_x; both of FEED_RULES
 * are read, or neither.  0 or a negative errno, said.
 */
int  feed_open(struct policy_feed **out, const char *root, uint32_t kinds);
/* To poll for feed_read(); -1 when the child has ended. */
int  feed_fd(const struct policy_feed *f);
/*
 * Without privileges, in the sandbox of a reader too; does not wait.  1: *out, which was empty, and *set are filled;
 * facts_free() frees the one.  0: nothing new.  Once, a negative errno, said: the child ended, or told nonsense; what
 * was known stays as it is, and from then on there is nothing new.
 */
int  feed_read(struct policy_feed *f, struct facts *out, struct feed_set *set);
/* Read the sets with these kinds once more, and tell them even if they are the same: what is told with began_ns after
 * this moment is of after it.  Many become one; a set is read at most every 100 ms. */
void feed_ask(struct policy_feed *f, uint32_t kinds);
/*
 * Since when, by the wall clock, whose an address is may not be as was told last: something has changed that is being
 * read, or was told and waits for feed_read().  0: all is as was told, up to a moment ago.  A child that has ended
 * tells nothing: 0.
 */
uint64_t feed_stirred(const struct policy_feed *f);
/* What other children of ours must close: while they have it, ours does not see that we are gone.  Returns how many. */
unsigned int feed_fds(const struct policy_feed *f, int fds[FEED_FDS]);
/* Ends the child and waits, at most 2 s, until it has.  NULL is fine. */
void feed_close(struct policy_feed *f);

#endif
