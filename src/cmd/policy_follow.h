/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_FOLLOW_H
#define NETPROBE_CMD_POLICY_FOLLOW_H

#include "cmd/policy.h"

/*
 * The objects of a cluster as they change, for a process that has no privileges any more: a child runs, and runs again,
 * `kubectl get KIND --watch` and, once that has spoken, `kubectl get KIND`, which tells what is there no more.  It runs
 * as whoever started us, with what that one has in the environment; looks into nothing of what it moves; and ends with
 * us, however we end, and with it all that it has started.
 *
 * Bounded: what is on its way, by the socket; an object, by LOAD_OBJECT_MAX; what is kept of those that are gone, by as
 * much as is kept of those that are there.
 */
enum { FOLLOW_FDS = 2, FOLLOW_KINDS_MAX = 16 };

struct follow;

/*
 * While there are privileges: forks.  program: "" is kubectl.  kinds: as kubectl calls them, "pods"; texts that stay.
 * 0 or a negative errno, said.
 */
int  follow_open(struct follow **out, const char *program, const char *const kinds[], unsigned int n);
/* To poll for follow_read(); -1 when it has ended. */
int  follow_fd(const struct follow *f);
/* What other children of ours must close: while they have it, ours does not see that we are gone.  Returns how many. */
unsigned int follow_fds(const struct follow *f, int fds[FOLLOW_FDS]);
/*
 * Without privileges, in the sandbox of a reader too; does not wait.  What has come becomes p->k's, whose files have
 * been read; mistakes in it are p->rep's.  How many objects have changed: of numbers, places and pointers that were
 * taken from p->k none means anything then.  Or a negative errno, said: once, when kubectl fails before it has told
 * all, or when the child ended, and from then on there is nothing new; -ENOMEM: p->k is of no use any more.
 */
int  follow_read(struct follow *f, struct policy *p);
/* Has a first list of each kind been read to its end? */
bool follow_whole(const struct follow *f);
/* Ends the child and waits, at most 2 s, until it has.  NULL is fine. */
void follow_close(struct follow *f);

#endif
