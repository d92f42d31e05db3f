/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_ROW_H
#define NETPROBE_FLOWS_ROW_H

#include "flows/flow.h"
#include "flows/tunnels.h"

/* A flow as a record.  What the record points to beyond `f` and `tunnels` is in here. */
struct flow_row {
	char community_id[32];
	char tcp_flags[2][9];
	const struct tunnels *tunnels;
};

/* network.transport and network.interface are the caller's to add: their names are known elsewhere. */
void flow_record(struct flow_row *row, struct record *r, const struct flow *f);

/* "1:" and base64 of a SHA-1, seed 0; false for what has none.  `out`: room for 32. */
bool flow_community_id(char out[32], const struct flow_key *k);

#endif
