/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_WIDTH_H
#define NETPROBE_UTIL_WIDTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * How many cells of a terminal text takes.  East Asian wide and full-width
 * characters take two, combining marks and format characters none, every other
 * one; a byte that is not UTF-8 counts one.  Meant for text that is already
 * escaped: a control character counts one too.
 */
unsigned int width_char(uint32_t c);
unsigned int width_text(const char *s, size_t n);
/*
 * How many bytes of s fit in `cells`, whole characters only, with the marks
 * that combine with the last one; *used: the cells they take.
 */
size_t width_fit(const char *s, size_t n, unsigned int cells, unsigned int *used);

#endif
