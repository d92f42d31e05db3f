// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/err.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/escape.h"

static int quiet_notes;

/* A terminal that is stopped must not hold up the end: what it does not take in a second is left out. */
static int is_taken(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	static int patience_ms = 1000;
	int n = poll(&p, 1, patience_ms);

	patience_ms = n ? 1000 : 0;
	return n;
}

/* Our own words hold no newline, tab or backslash: what does is somebody else's. */
__attribute__((format(printf, 3, 0)))
static void say(const char *tag, int err, const char *fmt, va_list ap)
{
	char raw[1024], clean[4096];
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);

	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(raw))
		n = (int)sizeof(raw) - 1;
	escape_text(clean, sizeof(clean), raw, (size_t)n, ESCAPE_FIELD);
	if (!is_taken())
		return;
	if (err)
		fprintf(stderr, "%s%s: %s\n", tag, clean, strerror(abs(err)));
	else
		fprintf(stderr, "%s%s\n", tag, clean);
}

int fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("netprobe: ", err, fmt, ap);
	va_end(ap);
	if (!err)
		return -EINVAL;
	return err > 0 ? -err : err;
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("netprobe: warning: ", 0, fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	if (quiet_notes)
		return;
	va_start(ap, fmt);
	say("", 0, fmt, ap);
	va_end(ap);
}

void note_log(const char *text)
{
	char clean[4096];

	if (quiet_notes)
		return;
	escape_text(clean, sizeof(clean), text, strlen(text), ESCAPE_LINES);
	if (is_taken())
		fprintf(stderr, "%s\n", clean);
}

void err_quiet(int quiet)
{
	quiet_notes = quiet;
}
