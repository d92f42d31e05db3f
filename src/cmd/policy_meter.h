/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_METER_H
#define NETPROBE_CMD_POLICY_METER_H

#include "count/policy_count.h"
#include "util/addr.h"

/*
 * count/policy_count.h for a process that has no privileges any more: a child has the programs and maps, does what it
 * is told, and looks into nothing but messages of fixed size.  Nothing of it stays when either ends, however it ends.
 *
 * All return 0 or a negative errno; after -EPIPE, said, the child is gone and nothing is counted any more.
 */
struct meter;

/* While there are privileges: forks, and waits until the programs are loaded.  What fails is said. */
int  meter_open(struct meter **out, const struct policy_count_options *o);
/* Readable when somebody is to be decided: meter_asks(). */
int  meter_fd(const struct meter *t);
/* What other children of ours must close: while they have it, ours does not see that we are gone.  Returns how many. */
enum { METER_FDS = 2 };
unsigned int meter_fds(const struct meter *t, int fds[METER_FDS]);
/* Readable when the child is gone, which the next request says. */
int  meter_life(const struct meter *t);
bool meter_sees_drops(const struct meter *t);

/* By the name of the host's end; where it is attached to already, its pod may be another from now on.  What fails is
 * said there.  *ifindex is what meter_detach() wants. */
int  meter_attach(struct meter *t, const char *name, uint32_t pod, uint32_t *ifindex);
int  meter_detach(struct meter *t, uint32_t ifindex);
int  meter_pod(struct meter *t, const struct np_pod_key *at, uint32_t pod);
int  meter_unpod(struct meter *t, const struct np_pod_key *at, uint32_t pod);
int  meter_forget_pod(struct meter *t, uint32_t pod);
int  meter_forget_all(struct meter *t);

enum { METER_AT_ONCE = 64 };

/* Whether connection tracking knows the connection. */
enum meter_tracked { METER_NOT_ASKED, METER_UNKNOWN, METER_TRACKED };

/*
 * to, port: where it goes that key.dst and key.dport are translated to; family 0: to those themselves, as far as is
 * known.  turned: it is key.dst that called, so the key to be decided is ask.key the other way round: `key`.
 */
struct meter_ask {
	struct np_policy_ask ask;
	struct np_policy_key key;
	struct addr to;
	uint16_t port;
	uint8_t tracked;		/* enum meter_tracked */
	bool turned;
};

/* turned: of an ask that was; it goes by this from now on, and what waited is moved with its ends exchanged. */
struct meter_decided {
	struct np_policy_key key;
	struct np_decision d;
	struct np_policy_key asked;
	bool turned;
};

/* Those that wait, at most METER_AT_ONCE: how many; as many as that: there may be more. */
int  meter_asks(struct meter *t, struct meter_ask out[METER_AT_ONCE]);
/* Of some of them, n <= METER_AT_ONCE, what connection tracking knows by now. */
int  meter_look(struct meter *t, struct meter_ask *v, unsigned int n);
/* What was decided, n <= METER_AT_ONCE.  -E2BIG and the like: the last of them that could not be kept. */
int  meter_decide(struct meter *t, const struct meter_decided *v, unsigned int n);
/* What could not be decided is asked again when its next packet comes. */
int  meter_undecide(struct meter *t, const struct np_policy_key *key);
/* Once a second: other programs of tc may have come before ours. */
int  meter_order(struct meter *t);
/* As policy_count_read() and policy_count_other(). */
int  meter_rows(struct meter *t, policy_count_row_fn fn, void *ctx);
int  meter_other(struct meter *t, uint64_t n[NP_OTHERS_N]);
/* Ends the child and waits, at most 2 s, until it has.  NULL is fine. */
void meter_close(struct meter *t);

#endif
