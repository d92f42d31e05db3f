/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_TERMINAL_H
#define NETPROBE_UTIL_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The terminal that we were started on: keys come from it one by one, unseen, while it is raw; signals' keys stay
 * signals.  By plain ioctl(2), so that the sandbox knows each: TCGETS, TCSETS, TIOCGPGRP on standard input,
 * TIOCGWINSZ and, without keys, TIOCGPGRP on standard output.
 */
struct terminal_taken {
	bool raw, drawn;		/* other modes; the other screen */
};

struct terminal {
	bool keys;			/* standard input is a terminal, ours to read */
	bool raw;
	bool messages;			/* standard error is a terminal as well */
	int group;			/* our process group */
	struct terminal_taken *taken;	/* shared with processes that fork; NULL: not known to them */
	uint32_t saved[16];		/* the kernel's struct termios, as it was */
};

/* Before privileges go.  False when standard output is no terminal, or somebody else is in front. */
bool terminal_open(struct terminal *t);
/* Are we in front?  True where nothing tells: a terminal that does not control us. */
bool terminal_in_front(const struct terminal *t);
void terminal_raw(struct terminal *t);
void terminal_restore(struct terminal *t);
/* In another process, when the one that took it is dead: as it was before, on these descriptors of it, writing `leave`
 * where it draws.  Without waiting, and nothing that somebody has changed since. */
void terminal_mend(const struct terminal *t, int in, int out, const char *leave);
/* Zero where it is not known. */
void terminal_size(unsigned int *width, unsigned int *height);
/* What was pressed, without waiting; 0: nothing, negative: there is nobody any more. */
int terminal_read(const struct terminal *t, char *keys, unsigned int size);

#endif
