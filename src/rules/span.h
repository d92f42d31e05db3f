/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RULES_SPAN_H
#define NETPROBE_RULES_SPAN_H

#include <stdint.h>

#include "util/buf.h"

/* 0, or -EINVAL: no span of time; the digits of each unit have a bound, so the sum does. */
int  span_read(const char *word, uint64_t *seconds);
/* As span_read() reads it. */
void span_print(struct buf *b, uint64_t seconds);

#endif
