/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_REAL_H
#define NETPROBE_UTIL_REAL_H

/* A real number as text: the fewest digits that read back as the same number, with no NUL. */
enum { REAL_TEXT_MAX = 32 };

/* Bytes written, at most REAL_TEXT_MAX; "inf", "-inf" or "nan" where it is none. */
unsigned int real_text(char *o, double v);

#endif
