/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_ACCOUNT_PARTS_H
#define NETPROBE_ACCOUNT_PARTS_H

#include "account.h"
#include "flows/pieces.h"
#include "flows/row.h"
#include "stats/tally.h"
#include "stats/totals.h"
#include "util/hash.h"
#include "util/steady.h"

/* Shared by account.c, which counts, and account_rows.c, which tells. */
struct account {
	struct account_options opt;
	struct hash_key seed;
	struct packet_state *walk;
	struct tunnels tunnels;
	struct pieces *pieces;
	struct flow_table *table;		/* NULL: flows are only counted */
	struct totals totals;
	struct tally *tally;			/* NULL: one row for everything */
	const struct iface **ifaces;		/* by iface.id, of those that flows were seen on */
	uint32_t n_ifaces;
	uint64_t frames, last_ns, ticked_ns;
	uint64_t packets, in_none;		/* segments count; those that belong to no flow */
	struct steady clock;
	bool has_outer_port;			/* of the frame: the responder's, by its outermost header */
	uint16_t outer_port;
	record_fn fn;				/* of the call we are in */
	void *ctx;
	struct flow_row row;
	struct totals_row totals_row;
};

bool account_chooses(const struct account *a, const struct flow *f);
int  account_emit(struct account *a, const struct flow *f);
void account_tally(struct account *a, const struct packet *pk, uint64_t bytes);

#endif
