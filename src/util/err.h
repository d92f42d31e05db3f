/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_ERR_H
#define NETPROBE_UTIL_ERR_H

/*
 * Whoever first knows what went wrong in the user's words says so, once, on
 * standard error, and returns the negative errno.  Everyone above passes it
 * on in silence.  A message is one line.  Text that is not ours (names, file
 * contents, what libraries say) is escaped here as in a record: nothing below
 * 0x20, 0x7f-0x9f or a bidi control reaches a terminal, a newline cannot begin
 * a message of its own, and a backslash is two.
 */

/* fail(): `err` is an errno of either sign, or 0 to leave strerror out (then
 * -EINVAL is returned).  Returns a negative errno. */
int fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Progress and trailers: standard error, no prefix; silenced by err_quiet(). */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line of several: never the latest message. */
void note_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Many lines from a library (--debug): newlines, tabs and backslashes stay. */
void note_log(const char *text);
void err_quiet(int quiet);
/* Standard error is a screen that is drawn on: what is said from here on waits, as much as 64 KiB of it, until it
 * is let go.  The latest of it, without its newline; "": none. */
void err_hold(void);
void err_let_go(void);
const char *err_latest(void);

/* What the program exits with; cmd/cmd.h makes it of a negative errno. */
enum np_exit {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,	/* failed at run time */
	EXIT_USAGE = 2,		/* usage, or refused for safety */
	EXIT_LOST = 3,		/* data lost, with --fail-on-loss */
	EXIT_KERNEL = 4,	/* the kernel lacks it */
	EXIT_PERM = 5,		/* permission: the message names the capability */
	EXIT_BUSY = 6,		/* busy: the message names the foreign program */
};

#endif
