/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_ATTACH_H
#define NETPROBE_CMD_ATTACH_H

#include <stdbool.h>

#include "cmd/cmd.h"

struct attach_opts {
	const char *dev;
	bool try;
};

/* Verbs: exit statuses. */
int attach_features(const struct globals *g, const void *opts, int argc, char **argv);
int attach_plan(const struct globals *g, const void *opts, int argc, char **argv);

#endif
