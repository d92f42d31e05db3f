// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting as it is: see count_lru.bpf.c. */
#include "count.bpf.c"
#include "count_bench.h"
