/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_ATTACH_H
#define NETPROBE_CMD_ATTACH_H

#include <stdbool.h>

#include "cmd/cmd.h"
#include "count/view.h"
#include "kern/choose.h"
#include "pin/pin.h"

/* Of COUNT_SERVICE, among the filters of clsact. */
enum { ATTACH_HANDLE = 1 };

struct attach_opts {
	const char *dev, *mode;
	struct strs hooks;
	uint64_t flows, id;
	bool try, dry_run, all, stale;
};

/* Verbs: exit statuses. */
int attach_add(const struct globals *g, const void *opts, int argc, char **argv);
int attach_del(const struct globals *g, const void *opts, int argc, char **argv);
int attach_features(const struct globals *g, const void *opts, int argc, char **argv);
int attach_plan(const struct globals *g, const void *opts, int argc, char **argv);

/* attach_plan.c: is that hook among those asked for?  The ways that the words ask for; as hook_choose(). */
bool attach_asks(const struct attach_opts *o, const char *hook);
int attach_choose(const struct attach_opts *o, const struct link_info *l, struct hook_choice *c);

/* attach_del.c: where programs of the state run, "tcx/ingress, tcx/egress"; how many, or -EXDEV: see pin_attached(). */
int attach_where(const struct pin_view *v, char *to, size_t size);
/* Before anything is looked at: what is missing to change it is said, -EPERM. */
int attach_may(void);
/* Refusals are usage. */
int attach_status(int err);

#endif
