/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PRIV_HELPER_H
#define NETPROBE_PRIV_HELPER_H

#include "priv/priv.h"

/*
 * What the two processes say to each other.  Two SOCK_SEQPACKET pairs: on `ask` the
 * reader asks and the helper answers at once; on `tell` the helper tells of
 * interfaces (struct helper_event), and waits when the reader does not listen.
 * Both are one program, forked: the layout of a message is the compiler's.
 *
 * The reader believes the helper.  The helper believes nothing: a message of another
 * size, or one it does not know, ends it, and with it every link.
 */
enum ask_what { ASK_DETACH = 1, ASK_FILE, ASK_QUIT };

struct ask {
	uint32_t what;
	uint32_t id;		/* the answer has it too: one that came too late is told from the next */
	uint32_t seq;		/* ASK_FILE */
	uint32_t pad;
	uint64_t time_ns;
};

struct answer {
	uint32_t id;
	int32_t err;		/* 0 or negative errno; ASK_FILE: the file comes along */
	char name[256];
};

/* The helper's life, in attend.c.  Never returns. */
__attribute__((noreturn)) void helper_attend(const struct helper_options *opt, int ask, int tell);

#endif
