/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_ACCOUNT_H
#define NETPROBE_ACCOUNT_H

#include "count/counted.h"
#include "decode/decode.h"
#include "decode/packet.h"
#include "flows/table.h"
#include "frame.h"
#include "stats/gather.h"

/*
 * Frames into counts: in a pipeline it stands where the decoders would.  Each IP
 * header of a frame is one packet of one flow, the inner ones of tunnels too; the
 * totals count the frame once, by its outermost header.
 */
enum account_by {
	BY_NOTHING, BY_IFACE, BY_TRANSPORT, BY_PROTO, BY_HOST, BY_PORT, BY_SIZE, BY_FLAGS, BY_VLAN, BY_TUNNEL, BY_KINDS
};
enum account_sort { SORT_NONE, SORT_BYTES, SORT_PACKETS, SORT_RTT, SORT_DURATION, SORT_START, SORT_RATE, SORTS };
enum account_choice { CHOOSE_ALL, CHOOSE_ACTIVE, CHOOSE_CLOSED };

struct account_options {
	bool flows;				/* rows are flows; else statistics */
	bool stream;				/* flows are told as they leave; else those there in the end */
	bool per_interface;			/* a flow on two interfaces is two */
	uint64_t rates_ns;			/* flows have rates, the first ones since then; 0: none */
	enum account_by by;			/* of statistics */
	enum account_sort sort;
	enum account_choice choice;
	uint32_t top;				/* rows at most; 0: all */
	uint32_t seed;
	struct flow_table_options table;	/* bounds and timeouts; the rest is filled in */
};

/* What the rows that were given stand for, of all that was counted. */
struct account_coverage {
	uint64_t packets, in_none;		/* of the frames; those that belong to no flow */
	uint64_t flows, inner_flows;		/* that there were; others, inside tunnels */
	uint64_t counted;			/* packets of all these flows */
	uint64_t missed_flows, missed_packets;	/* gone, and not told of */
	uint32_t flows_max;			/* that are kept at a time, and what they take then */
	uint64_t bytes_max;
};

struct account;

int  account_open(struct account **out, const struct account_options *opt);
void account_close(struct account *a);
/*
 * No frames come: programs of the kernel count (count/counted.h).  After account_open(), of what can be counted so
 * (account_in_kernel()); `c` outlives the account.
 */
int  account_counted(struct account *a, struct counted *c);
bool account_in_kernel(enum account_by by);
/* 0, or the first non-zero value that fn returned. */
int  account_frame(struct account *a, const struct frame *f, record_fn fn, void *ctx);
int  account_tick(struct account *a, uint64_t now_ns, record_fn fn, void *ctx);
/* No frame came for a while, and the clock of frames stands still: connections that are over are told of. */
int  account_idle(struct account *a, record_fn fn, void *ctx);
/* No more frames: what waits for its ports is counted. */
int  account_finish(struct account *a, record_fn fn, void *ctx);
/* What is known now; now_ns 0: as of the last frame.  Live streams end with all flows that are left. */
int  account_rows(struct account *a, uint64_t now_ns, record_fn fn, void *ctx);
/* The rows that were told last once more: of what is counted by now, with the same rates. */
int  account_again(struct account *a, record_fn fn, void *ctx);
/* Order and number of the next rows. */
void account_choose(struct account *a, enum account_sort sort, uint32_t top);
/* Bits per second of all rows together, told or not, in the interval that was over when rows were told last. */
uint64_t account_bps(const struct account *a);
void account_coverage(const struct account *a, struct account_coverage *c);
/* Rows that had to go before they were told; monotonic. */
uint64_t account_missed(const struct account *a);
/*
 * By protocol decoders run beside the counting.  What they lost that makes a connection start anew,
 * its protocol forgotten; false: there are none.
 */
bool account_decoded(const struct account *a, struct decode_counts *c);
/* The next rows' rates are of what comes from here on. */
int  account_since(struct account *a, uint64_t ns);
/* Flows that rows left out, for they are past: over or silent for long.  Only of the kernel's. */
uint64_t account_past(const struct account *a);
/* "coverage 99.2 %, 812 flows missed; at most 1000000 flows (215 MiB)", without a newline. */
unsigned int account_coverage_text(const struct account *a, char *out, unsigned int size);
/* "21 packets: 18 in 6 flows, 3 in none" */
unsigned int account_sum_text(const struct account *a, char *out, unsigned int size);

#endif
