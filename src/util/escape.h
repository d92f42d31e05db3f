/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_ESCAPE_H
#define NETPROBE_UTIL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Untrusted text for people.  Valid UTF-8 of printing characters is kept;
 * everything that could move a cursor, hide or reorder text (C0, DEL, C1,
 * bidirectional and zero-width controls, line and paragraph separators) and
 * every byte that is not UTF-8 becomes \xNN or \u{NNNN}; a backslash becomes
 * two.  One event stays one line.
 */
enum escape_mode {
	ESCAPE_FIELD,		/* a value inside a line: newline and tab too */
	ESCAPE_LINES,		/* a log of many lines: newline, tab and backslash stay */
};

/*
 * Characters that print nothing of their own but move the cursor or change how
 * others look: C0, DEL, C1, Unicode's bidirectional controls (UAX #9), zero-width
 * characters, line and paragraph separators, variation selectors and tags.
 */
bool escape_harmful(uint32_t c);

/*
 * Writes at most `size` - 1 bytes and a NUL; returns the length written.  What
 * does not fit is cut at a character boundary.  The output of n bytes of input
 * never exceeds ESCAPE_MAX * n.
 */
enum { ESCAPE_MAX = 8 };
size_t escape_text(char *out, size_t size, const char *in, size_t n, enum escape_mode mode);

#endif
