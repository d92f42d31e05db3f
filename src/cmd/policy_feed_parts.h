/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_FEED_PARTS_H
#define NETPROBE_CMD_POLICY_FEED_PARTS_H

#include <stdatomic.h>

#include "cmd/policy_feed.h"

/* The sets, in the order of their fields in what is asked. */
enum feed_which { FEED_SET_PODS, FEED_SET_RULES, FEED_SET_KUBELET, FEED_SETS };

/* Of all kinds, those that belong to that set. */
uint32_t feed_kinds_of(enum feed_which which);

/*
 * What the parent says goes through an eventfd, which adds up: to how often each set was asked for, and to how many
 * sets were read.  A reader in its sandbox may write to a descriptor, but not send on a socket.  A field does not run
 * over: the child empties it between two sets, so it never has more than the asks between three.
 */
enum { FEED_FIELD_BITS = 16, FEED_ASKS_MAX = 30000 };

#define FEED_ASKED(which)	(UINT64_C(1) << (which) * FEED_FIELD_BITS)
#define FEED_WAS_READ		FEED_ASKED(FEED_SETS)

/*
 * Memory of both, for what cannot wait for a set to be read.  stirred_ns: wall clock, since when it is not known what
 * pods there are, as a change was noticed, or something is being read, during which none is; 0: as was told.
 * sent: sets of pods, counted before stirred_ns becomes 0 again.
 */
struct feed_shared {
	_Atomic int64_t stirred_ns;
	_Atomic uint32_t sent;
};

/* The child's ends; alive is a pipe at whose other end nothing is written: it ends when the parent does. */
struct feed_ends {
	int tell, asks, alive;
	struct feed_shared *shared;
};

/* policy_feed_child.c: never returns. */
__attribute__((noreturn)) void feed_attend(const char *root, uint32_t kinds, const struct feed_ends *ends, int parent);

/*
 * One set is one message of a SOCK_SEQPACKET socket: counts and times, and a sealed file in memory with facts.data.
 * Nothing is waited for, or said.  0, -EPIPE: nobody is there any more, or another negative errno.
 */
int feed_send(int tell, const struct facts *f, const struct feed_set *set);
/* 1; 0: there is none; -EPIPE: whoever told them is gone; -EPROTO: it is none of these, or of other kinds than `kinds`;
 * another negative errno. */
int feed_take(int from, uint32_t kinds, struct facts *out, struct feed_set *set);

#endif
