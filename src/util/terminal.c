// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/terminal.h"

#include <asm/termbits.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

_Static_assert(sizeof(struct termios) <= sizeof(((struct terminal *)0)->saved), "the modes fit");

bool terminal_in_front(const struct terminal *t)
{
	int front;

	if (ioctl(t->keys ? STDIN_FILENO : STDOUT_FILENO, TIOCGPGRP, &front))
		return !t->keys;
	return front == t->group;
}

bool terminal_open(struct terminal *t)
{
	struct termios modes;
	int front;

	memset(t, 0, sizeof(*t));
	t->group = getpgrp();
	t->messages = isatty(STDERR_FILENO);
	if (!isatty(STDOUT_FILENO))
		return false;
	/* In the background whoever is in front has the screen, and all who touch it are stopped. */
	if (!ioctl(STDOUT_FILENO, TIOCGPGRP, &front) && front != t->group)
		return false;
	if (ioctl(STDIN_FILENO, TCGETS, &modes))
		return true;
	t->keys = true;
	if (!terminal_in_front(t))		/* not the one that controls us */
		t->keys = false;
	memcpy(t->saved, &modes, sizeof(modes));
	return true;
}

/* Reading never waits: what epoll told may be gone. */
void terminal_raw(struct terminal *t)
{
	struct termios modes;

	if (!t->keys)
		return;
	memcpy(&modes, t->saved, sizeof(modes));
	modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	modes.c_cc[VMIN] = modes.c_cc[VTIME] = 0;
	t->raw = !ioctl(STDIN_FILENO, TCSETS, &modes);
}

/* At once: waiting for what was written to be shown could be for ever. */
void terminal_restore(struct terminal *t)
{
	if (t->raw && terminal_in_front(t))
		ioctl(STDIN_FILENO, TCSETS, t->saved);
	t->raw = false;
}

void terminal_size(unsigned int *width, unsigned int *height)
{
	struct winsize ws = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws))
		ws.ws_col = ws.ws_row = 0;
	*width = ws.ws_col;
	*height = ws.ws_row;
}

int terminal_read(const struct terminal *t, char *keys, unsigned int size)
{
	ssize_t n = t->raw ? read(STDIN_FILENO, keys, size) : 0;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return (int)n;
}
