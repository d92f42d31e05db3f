/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_POLICY_COUNT_H
#define NETPROBE_COUNT_POLICY_COUNT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy_abi.h"

/*
 * Packets of pods, counted in the kernel by pod, policy and direction (bpf/policy_abi.h says what of them).  The kernel
 * looks decisions up and makes none: of what it has no decision for it asks, once, and whoever reads the asks decides.
 * Nothing is pinned: maps, programs and tcx links go with the descriptors, however the process ends.  Before Linux 6.6
 * a packet socket stands for the links.
 *
 * All return 0 or a negative errno; open and attach say what failed.  Privileges are needed throughout.
 */
struct policy_count;

struct policy_count_options {
	uint32_t pods, policies;	/* that can be at once; 0: 512, 1024 */
	uint32_t decisions;		/* 0: 16384 */
	uint64_t ring_bytes;		/* of the asks; 0: 256 KiB.  Rounded up to a power of two pages */
	bool sockets;			/* as before Linux 6.6 */
	bool debug;			/* say the end of the verifier's log when a program is refused */
};

/* What the kernel drops in the current network namespace is counted from here on. */
int  policy_count_open(struct policy_count **out, const struct policy_count_options *o);
/* False: this kernel has no type information (BTF), or lets nobody trace; then nothing counts as dropped. */
bool policy_count_sees_drops(const struct policy_count *c);
/* The host's end of a pod's interface, in the current network namespace; where it is attached to already, its pod is
 * another from now on.  -EMEDIUMTYPE, said: it has no Ethernet header. */
int  policy_count_attach(struct policy_count *c, uint32_t ifindex, uint32_t pod);
/* Others may have come before us at tc: to be looked at each second or so. */
void policy_count_order(struct policy_count *c);
/* Also where the interface has gone. */
int  policy_count_detach(struct policy_count *c, uint32_t ifindex);

/* An address is that pod's; its interface is attached first, for what comes from a pod is believed to be seen there.
 * Decisions name pods, so either begins a new generation.  -E2BIG: no more find room; -ENOENT: it is not that pod's. */
int  policy_count_pod(struct policy_count *c, const struct np_pod_key *at, uint32_t pod);
int  policy_count_unpod(struct policy_count *c, const struct np_pod_key *at, uint32_t pod);
/* Take the rows of a pod that is gone away; what they said is lost. */
int  policy_count_forget_pod(struct policy_count *c, uint32_t pod);

/* The pods of both sides are looked up here and the generation is the current one, whatever d says.  -EINVAL: a
 * verdict, a number of policies, or a policy that cannot be.  asked: the key that was asked for, where that was this
 * one the other way round; NULL: it was this. */
int  policy_count_decide(struct policy_count *c, const struct np_policy_key *key, const struct np_decision *d,
			 const struct np_policy_key *asked);
/* Where one would have gone that waits for its decision and was dropped before connection tracking knew of it. */
bool policy_count_goes_to(const struct policy_count *c, const struct np_policy_key *key, uint8_t to[16],
			  uint16_t *port);
/* What is not decided yet is asked again when its next packet comes. */
int  policy_count_undecide(struct policy_count *c, const struct np_policy_key *key);
/* The objects have changed: decisions made are stale, and what they decided is asked again.  Counters stay. */
void policy_count_forget_all(struct policy_count *c);

/* Readable when there are asks. */
int  policy_count_fd(const struct policy_count *c);
/* Each ask that waits: how many there were, or fn's first negative return.  Some may be of an earlier generation. */
typedef int (*policy_count_ask_fn)(void *ctx, const struct np_policy_ask *ask);
int  policy_count_asks(struct policy_count *c, policy_count_ask_fn fn, void *ctx);

/* Each row, in no order, with the sum of all CPUs, and then rows NP_POLICY_WAITS: fn's first non-zero return. */
typedef int (*policy_count_row_fn)(void *ctx, const struct np_policy_row *row, const struct np_policy_counts *n);
int  policy_count_read(struct policy_count *c, policy_count_row_fn fn, void *ctx);
/* By enum np_other, all CPUs. */
int  policy_count_other(struct policy_count *c, uint64_t n[NP_OTHERS_N]);
extern const char *const policy_count_other_names[NP_OTHERS_N];

/* Descriptors of ours: from the pod, to the pod, where packets are dropped, both directions before Linux 6.6.  -1: that
 * is not there. */
enum { POLICY_COUNT_PROGRAMS = 4 };
int  policy_count_program(const struct policy_count *c, unsigned int which);
void policy_count_close(struct policy_count *c);

#endif
