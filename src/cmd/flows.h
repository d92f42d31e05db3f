/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FLOWS_H
#define NETPROBE_CMD_FLOWS_H

#include <errno.h>

#include "account.h"
#include "cmd/flows_text.h"
#include "cmd/watch.h"

/* Octets of a frame that counting needs: headers, tags and the headers of a tunnel. */
#define FLOWS_SNAPLEN "256"

struct flows_opts {
	struct strs iface;
	const char *read, *sort, *user, *where;
	uint64_t top, for_ns, idle_ns, active_ns;
	bool active, closed;
};

/* What is there when the file or the run ends. */
int flows_list(struct watch *w, struct account_options *ao);

#endif
