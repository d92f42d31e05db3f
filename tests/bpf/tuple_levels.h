/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_TUPLE_LEVELS_H
#define NETPROBE_TESTS_TUPLE_LEVELS_H

#include "tuple.h"

/* What tuple.bpf.c tells of a frame: its headers, and those inside its tunnels. */
enum { TUPLE_LEVELS = 4 };

struct tuple_levels {
	struct np_tuple v[TUPLE_LEVELS];
	__u32 n, reserved;
};

#endif
