/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forced in by the Makefile (-include): names this tree does without. */
#ifndef NETPROBE_UTIL_POISON_H
#define NETPROBE_UTIL_POISON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#pragma GCC poison strcpy strcat sprintf vsprintf gets atoi atol strtok

#endif
