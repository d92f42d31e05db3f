/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_PIECES_H
#define NETPROBE_FLOWS_PIECES_H

#include "flows/flow.h"

/*
 * Fragments belong to the flow whose ports only one of them carries (RFC 791, 3.2;
 * RFC 8200, 4.5).  For each datagram its ports are kept once they are known, and
 * what came before is counted here until then.  PIECES_MAX datagrams at most; the
 * oldest leaves, and what it still holds becomes a flow without ports.
 */
enum { PIECES_MAX = 4096 };

struct pieces;

/* Takes what is counted, as a flow of its own; what it returns is passed on. */
typedef int (*pieces_fn)(void *ctx, const struct flow *f);

int  pieces_open(struct pieces **out, uint32_t seed);
void pieces_close(struct pieces *t);
/*
 * A fragment of datagram `id`, the sender first in p->key.  True: p->key has its ports now
 * and the packet is to be counted; *late is what came before them, or NULL.  False: it is
 * counted here.  A datagram that had to leave goes to fn, with *rc what fn said.
 */
bool pieces_take(struct pieces *t, struct flow_packet *p, uint32_t id, const struct flow **late, pieces_fn fn,
		 void *ctx, int *rc);
/* No more will come: all that is still held. */
int  pieces_finish(struct pieces *t, pieces_fn fn, void *ctx);

#endif
