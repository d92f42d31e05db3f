/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FIREWALL_H
#define NETPROBE_CMD_FIREWALL_H

#include "cmd/fields.h"
#include "kern/block.h"
#include "pin/pin.h"

/* What records of the firewall have in common, whoever tells them. */

#define BLOCK_SERVICE "block"	/* of what is pinned */

extern const char *const firewall_reasons[NP_REASONS_N];

/* What firewall.packets.by_reason and firewall.bytes.by_reason point to. */
struct firewall_counts {
	struct named_count packets[NP_REASONS_N], bytes[NP_REASONS_N];
};

/* Where packets meet it, as link.hook. */
const char *firewall_hook(const struct pin_got *got, enum pin_hook hook);
void firewall_put_counts(struct record *r, const struct np_stats *s, struct firewall_counts *c);

#endif
