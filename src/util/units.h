/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_UNITS_H
#define NETPROBE_UTIL_UNITS_H

#include <stdint.h>

/* Numbers for people, with a NUL.  Powers of 1000, two or three digits: 21, 1.5k, 302k, 18E. */
void text_count(char out[8], uint64_t n);
/* n of m: "86 %"; what is there is never 0, what is not all never 100: "<1 %", ">99 %". */
void text_share(char out[8], uint64_t n, uint64_t m);

#endif
