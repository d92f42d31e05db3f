/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_FLOW_H
#define NETPROBE_FLOWS_FLOW_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow_step.h"
#include "record.h"

extern const char *const flow_state_names[FLOW_STATES], *const flow_end_names[FLOW_ENDS];

/* Put the ends in order; `p->key` holds the sender first. */
void flow_order(struct flow_packet *p);
/* Its first packet, then each: counts, state, times. */
void flow_begin(struct flow *f, const struct flow_packet *p);
void flow_take(struct flow *f, const struct flow_packet *p);
/* Counts of `from`, the same conversation, are added to `f`. */
void flow_merge(struct flow *f, const struct flow *from);
/* It has been told of and goes on: counts begin anew at start_ns, what is known of the connection stays. */
void flow_restart(struct flow *f, uint64_t start_ns);
/* From the SYN to the acknowledgement of the SYN+ACK; 0: not known. */
uint32_t flow_handshake_us(const struct flow *f);

static inline struct addr flow_addr(const struct flow_key *k, unsigned int end)
{
	struct addr a = { .family = k->version };

	for (unsigned int i = 0; i < sizeof(a.b); i++)
		a.b[i] = k->addr[end][i];
	return a;
}

#endif
