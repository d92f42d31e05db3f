/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_TABLE_H
#define NETPROBE_FLOWS_TABLE_H

#include "flows/flow.h"

/*
 * Flows by their key, of fixed size.  Those in which both ends have spoken and those
 * in which only one has live apart: each kind has a bound of its own, and may use what
 * the other leaves free until the other needs it.  When there is no room, the kind that
 * has more than its bound gives up one that is over, else the least recently seen, so
 * that a flood of first packets does not push out the living.  A flow that leaves is
 * handed to `gone`, for whom it is still whole.
 *
 * Memory is touched when it is first used; flow_table_bytes() is how much there can be.
 */
enum {
	FLOWS_SETTLED = 65536, FLOWS_FIRST = 16384,		/* live */
	FLOWS_FILE_SETTLED = 500000, FLOWS_FILE_FIRST = 500000,	/* files */
};

struct flow_timeouts {			/* ns; 0: never */
	uint64_t first, settled, closed;	/* silent for so long */
	uint64_t tcp;			/* established, in flow_table_tell_ended(); 0: as settled */
	uint64_t active;			/* told of every so long, though it goes on */
};

struct flow_table_options {
	uint32_t settled, first;	/* how many of each kind at most */
	uint32_t seed;			/* for the hash: getrandom() */
	bool split_reused;		/* a SYN after the end begins another flow */
	struct flow_timeouts timeouts;
	/* A flow leaves (f->end says why), or is told of while it goes on (FLOW_END_ACTIVE).  May be NULL.
	 * Non-zero stops: flow_table_take() and flow_table_tick() return it. */
	int (*gone)(void *ctx, const struct flow *f);
	void *ctx;
};

struct flow_counts {
	uint64_t flows, outer;			/* begun; of these, outside tunnels */
	uint64_t left, left_packets;		/* are there no more, and what these had counted */
	uint64_t evicted, evicted_settled;	/* for want of room; of these, not first packets only */
	uint64_t packets, bytes;		/* taken */
};

struct flow_table;

int  flow_table_open(struct flow_table **out, const struct flow_table_options *opt);
void flow_table_close(struct flow_table *t);
/* Bytes of memory, when it is full. */
uint64_t flow_table_bytes(const struct flow_table *t);
int  flow_table_take(struct flow_table *t, const struct flow_packet *p);
/* What came of a flow elsewhere, added: fragments whose ports came late. */
int  flow_table_merge(struct flow_table *t, const struct flow *f);
/*
 * Flows that are counted elsewhere, looked at now and then: flow_table_look(), flow_table_update() for each flow that
 * is there, flow_table_looked().  What is known of a flow is replaced; one that nobody named is gone.
 */
struct flow_was {
	uint64_t packets, bytes;	/* of the flow, when it was looked at last; 0: it is new */
};
/* clock_was_set: times are not comparable with those of the look before. */
void flow_table_look(struct flow_table *t, bool clock_was_set);
int  flow_table_update(struct flow_table *t, const struct flow *f, struct flow_was *was);
/* Likewise, but several of a look are added up, and a sum that is less than it was is no other flow. */
int  flow_table_update_sum(struct flow_table *t, const struct flow *f);
int  flow_table_looked(struct flow_table *t);
/* Those that are over by the timeouts are told of, once; they stay.  quietly: as if they had been told of. */
int  flow_table_tell_ended(struct flow_table *t, uint64_t now_ns, bool quietly);
/* Time has passed, by a clock that does not go back (util/steady.h): flows that were silent too long leave. */
int  flow_table_tick(struct flow_table *t, uint64_t now_ns);
/* Nothing will come for a while: connections that are over leave, however late the last packet. */
int  flow_table_end_closed(struct flow_table *t);
/* The flow that the last flow_table_take() counted in; good until the next call. */
const struct flow *flow_table_latest(const struct flow_table *t);
/* How many there can be; and which of so many places one that is there has. */
uint32_t flow_table_room(const struct flow_table *t);
uint32_t flow_table_place(const struct flow_table *t, const struct flow *f);
uint32_t flow_table_n(const struct flow_table *t, uint32_t *settled);
void flow_table_counts(const struct flow_table *t, struct flow_counts *c);
/* Each flow there is, in no order, until fn says other than 0, which is returned. */
int  flow_table_each(const struct flow_table *t, int (*fn)(void *ctx, const struct flow *f), void *ctx);

/* 64 bits of the key that nobody outside can choose. */
struct hash_key;
uint64_t flow_key_hash(const struct hash_key *seed, const struct flow_key *k);

#endif
