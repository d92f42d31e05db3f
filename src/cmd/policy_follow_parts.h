/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_FOLLOW_PARTS_H
#define NETPROBE_CMD_POLICY_FOLLOW_PARTS_H

#include "cmd/policy_follow.h"

/* What a child tells of the programs that it runs; each begins anew what of it was not whole. */
enum follow_what {
	FOLLOW_LIST_BEGINS,	/* kubectl get KIND */
	FOLLOW_LIST,		/* bytes of it */
	FOLLOW_LIST_ENDED,	/* status */
	FOLLOW_WATCH_BEGINS,	/* kubectl get KIND --watch */
	FOLLOW_WATCH,
	FOLLOW_WATCH_ENDED,
	FOLLOW_WHATS,
};

/* One message of a SOCK_SEQPACKET socket, bytes behind it. */
struct follow_head {
	uint32_t kind;		/* its place in kinds[] */
	uint32_t what;
	int32_t status;		/* of waitpid(2); -1: it does not end */
};

enum { FOLLOW_PIECE = 32 << 10 };

/* The child's ends; alive is a pipe at whose other end nothing is written: it ends when the parent does. */
struct follow_ends {
	int tell, alive;
};

/* policy_follow_child.c: never returns. */
__attribute__((noreturn)) void follow_attend(const char *path, const char *const kinds[], unsigned int n,
					     const struct follow_ends *ends);

#endif
