// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/terminal.h"

#include <asm/termbits.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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
	t->taken = mmap(NULL, sizeof(*t->taken), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->taken == MAP_FAILED)
		t->taken = NULL;
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
static void make_raw(const struct terminal *t, struct termios *modes)
{
	memcpy(modes, t->saved, sizeof(*modes));
	modes->c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	modes->c_cc[VMIN] = modes->c_cc[VTIME] = 0;
}

static void set_raw(struct terminal *t, bool raw)
{
	t->raw = raw;
	if (t->taken)
		t->taken->raw = raw;
}

void terminal_raw(struct terminal *t)
{
	struct termios modes;

	if (!t->keys)
		return;
	make_raw(t, &modes);
	set_raw(t, !ioctl(STDIN_FILENO, TCSETS, &modes));
}

/* At once: waiting for what was written to be shown could be for ever. */
void terminal_restore(struct terminal *t)
{
	if (t->raw && terminal_in_front(t))
		ioctl(STDIN_FILENO, TCSETS, t->saved);
	set_raw(t, false);
}

void terminal_mend(const struct terminal *t, int in, int out, const char *leave)
{
	struct pollfd room = { .fd = out, .events = POLLOUT };
	struct termios raw, now;

	if (!t->taken)
		return;
	make_raw(t, &raw);
	if (t->taken->raw && !ioctl(in, TCGETS, &now) && !memcmp(&now, &raw, sizeof(now)))
		ioctl(in, TCSETS, t->saved);
	if (t->taken->drawn && poll(&room, 1, 0) == 1 && room.revents == POLLOUT)
		(void)!write(out, leave, strlen(leave));
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
