/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_KEPT_H
#define NETPROBE_CMD_KEPT_H

#include "count/counted.h"

/*
 * Map what attach add left at an interface of this network namespace: the number of its view in `c`; -ENOENT: there is
 * nothing; -ESTALE: there is, and it cannot be read or does not count any more, which is said.  *hooks: where it
 * counts, a bit of each enum pin_hook.
 */
int kept_map(struct counted *c, uint32_t ifindex, const char *name, unsigned int *hooks);

#endif
