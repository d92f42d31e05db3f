/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_FIRSTS_H
#define NETPROBE_DECODE_FIRSTS_H

#include "decode/decode.h"

/*
 * What the first fragment of a datagram says of a message: told only when the others do not come
 * within FIRSTS_WAIT_NS (a filter of ports lets none of them through), for else the whole message
 * is.  FIRSTS_MAX of them; then the oldest is told at once.  What has been told is not told again,
 * should the others come after all.  Where each frame has a line, that line tells it.
 */
enum { FIRSTS_MAX = 512 };
#define FIRSTS_WAIT_NS 2000000000ull

struct firsts;

int  firsts_open(struct firsts **out, const struct decode_options *opt);
void firsts_close(struct firsts *f);
/* pk is a first fragment, and r its message.  One that comes again changes nothing. */
void firsts_keep(struct firsts *f, const struct packet *pk, const struct record *r, struct emit *e);
/* Of the same, for a line: good until the next call. */
const struct record *firsts_show(struct firsts *f, const struct record *r);
/* pk is a datagram put together: of its first fragment nothing is to be told.  True: it has been. */
bool firsts_drop(struct firsts *f, const struct packet *pk);
/* Tell those that have waited long enough. */
void firsts_tick(struct firsts *f, uint64_t now_ns, struct emit *e);
/* No more frames will come: tell all. */
void firsts_finish(struct firsts *f, struct emit *e);

#endif
