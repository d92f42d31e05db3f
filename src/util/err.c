// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/err.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/escape.h"

enum { HELD_MAX = 64 * 1024 };

static int quiet_notes;
static bool holds;
static struct buf held = { .max = HELD_MAX };
static char latest[256];

/* A terminal that is stopped must not hold up the end: what it does not take in a second is left out. */
static int is_taken(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	static int patience_ms = 1000;
	int n = poll(&p, 1, patience_ms);

	patience_ms = n ? 1000 : 0;
	return n;
}

static void put(const char *tag, const char *text, int err, bool alone)
{
	const char *between = err ? ": " : "", *why = err ? strerror(abs(err)) : "";

	if (holds) {
		if (alone)
			snprintf(latest, sizeof(latest), "%s%s%s", text, between, why);
		buf_fmt(&held, "%s%s%s%s\n", tag, text, between, why);
		held.full = false;
	} else if (is_taken()) {
		fprintf(stderr, "%s%s%s%s\n", tag, text, between, why);
	}
}

/* Our own words hold no newline, tab or backslash: what does is somebody else's. */
__attribute__((format(printf, 4, 0)))
static void say(const char *tag, int err, bool alone, const char *fmt, va_list ap)
{
	char raw[1024], clean[4096];
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);

	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(raw))
		n = (int)sizeof(raw) - 1;
	escape_text(clean, sizeof(clean), raw, (size_t)n, ESCAPE_FIELD);
	put(tag, clean, err, alone);
}

int fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("netprobe: ", err, true, fmt, ap);
	va_end(ap);
	if (!err)
		return -EINVAL;
	return err > 0 ? -err : err;
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("netprobe: warning: ", 0, true, fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	if (quiet_notes)
		return;
	va_start(ap, fmt);
	say("", 0, true, fmt, ap);
	va_end(ap);
}

void note_line(const char *fmt, ...)
{
	va_list ap;

	if (quiet_notes)
		return;
	va_start(ap, fmt);
	say("", 0, false, fmt, ap);
	va_end(ap);
}

void note_log(const char *text)
{
	char clean[4096];

	if (quiet_notes)
		return;
	escape_text(clean, sizeof(clean), text, strlen(text), ESCAPE_LINES);
	put("", clean, 0, true);
}

void err_hold(void)
{
	holds = true;
}

void err_let_go(void)
{
	holds = false;
	latest[0] = '\0';
	if (held.n && is_taken())
		fwrite(held.p, 1, held.n, stderr);
	buf_free(&held);
	held.max = HELD_MAX;
}

const char *err_latest(void)
{
	return latest;
}

void err_quiet(int quiet)
{
	quiet_notes = quiet;
}
