/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_COUNTING_H
#define NETPROBE_CMD_POLICY_COUNTING_H

#include "cmd/policy_ends.h"
#include "cmd/policy_follow.h"
#include "cmd/policy_meter.h"
#include "record.h"

/*
 * Packets of this node's pods, counted in the kernel by pod, policy and direction: which pods those are, and what the
 * policies say of whom they talk to, is decided here and kept up to date.
 *
 *   counting_open()    while there are privileges
 *   counting_begin()   without; the cluster's objects and pods are read
 *   counting_ready()   when one of counting_fds() is readable
 *   counting_rows()    what was counted, counting_told() when that has been told
 */
struct counting;

enum { COUNTING_FDS = 4, COUNTING_PRIVATE_FDS = FEED_FDS + METER_FDS + FOLLOW_FDS };

/* p->follows, and p->files were opened.  0 or a negative errno, said; likewise the others. */
int  counting_open(struct counting **out, struct policy *p);
/* When p->files have been read, policy_read().  1: `end` became readable. */
int  counting_begin(struct counting *c, int end);
/* Until counting_tick() has something to do though nothing is readable; -1: not before its second is over. */
int  counting_wait_ms(const struct counting *c);
/* -1: that one is not there any more. */
void counting_fds(const struct counting *c, int fds[COUNTING_FDS]);
/* What other children of ours must close.  Returns how many. */
unsigned int counting_private_fds(const struct counting *c, int fds[COUNTING_PRIVATE_FDS]);
int  counting_ready(struct counting *c);
/* Once a second, and when counting_wait_ms() is over. */
int  counting_tick(struct counting *c, uint64_t now_ns);
/* A record of policy_count_dataset for each row, in their order, stamped `now_ns`, and one for each reason why packets
 * are in none; fn's first non-zero return. */
int  counting_rows(struct counting *c, uint64_t now_ns, record_fn fn, void *ctx);
/* Pods that are gone are told no more. */
void counting_told(struct counting *c);
/* Before the last rows are told: what waits for a decision gets one. */
int  counting_settle(struct counting *c);
/* On standard error: what is counted; in the end what is in no row. */
void counting_say_begin(const struct counting *c);
void counting_say_end(struct counting *c);
/* What is said of words that fit nobody: see ends_note_nobody(). */
void counting_note_nobody(const struct counting *c, const struct whom *w);
/* Were pods and objects kept up to date to the end?  If not that has been said. */
bool counting_is_current(const struct counting *c);
void counting_close(struct counting *c);

#endif
