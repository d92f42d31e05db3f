/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_ACCOUNT_PARTS_H
#define NETPROBE_ACCOUNT_PARTS_H

#include "account.h"
#include "flows/pieces.h"
#include "flows/rates.h"
#include "flows/row.h"
#include "stats/tally.h"
#include "stats/totals.h"
#include "util/hash.h"
#include "util/steady.h"

/* Shared by account.c, which counts, account_by.c and account_rows.c, which tells. */

/* What a connection had before anybody recognised it. */
struct unnamed {
	uint64_t packets, bytes, first_ns, last_ns;
	uint32_t serial;		/* the connection's; 0: nothing waits here */
};

/* The protocol that two UDP ends spoke last; their hash, of which the low bits choose the place. */
enum { UDP_NAMED = 16384 };

struct udp_named {
	uint64_t ends;
	const char *protocol;		/* NULL: nobody's place */
};

/* Static words and their numbers, from 1 on. */
struct words {
	const char *v[UINT8_MAX];
	uint8_t n;
};

/* Of everything: what few packets have, and what the lists of its row point to. */
enum { LISTED_MAX = 64, MALFORMED_MAX = 16 };

struct rare {
	struct tally *vlans, *tunnels;
	struct named_count malformed[MALFORMED_MAX];
	uint32_t n_malformed;
	struct named_count list[2][LISTED_MAX + 1];
	char text[2][LISTED_MAX][128];
};

struct account {
	struct account_options opt;
	struct hash_key seed;
	struct packet_state *walk;
	struct tunnels tunnels;
	struct pieces *pieces;
	struct flow_table *table;		/* NULL: flows are only counted */
	struct rates rates;			/* of flows; v NULL: none */
	bool again;				/* rows are told once more */
	struct totals totals;
	struct tally *tally;			/* NULL: one row for everything */
	struct rare rare;			/* with one row */
	struct decode *decode;			/* by protocol */
	struct unnamed *unnamed;		/* likewise: by the places of connections */
	struct udp_named *udp_named;		/* likewise; who comes later has the place */
	struct words words;			/* of protocols and tunnels */
	const char *tunnel[TALLY_LIST_MAX];	/* of the row that is told */
	uint16_t vlan[TALLY_LIST_MAX];
	const struct iface **ifaces;		/* by iface.id, of those that flows were seen on */
	uint32_t n_ifaces;
	uint64_t frames, last_ns, ticked_ns;
	uint64_t packets, in_none;		/* segments count; those that belong to no flow */
	struct steady clock;
	bool has_outer_port;			/* of the frame: the responder's, by its outermost header */
	uint16_t outer_port;
	struct counted *counted;		/* what the kernel counted, in place of frames; NULL: it does not */
	struct looked *looked;			/* what of it was seen last */
	uint64_t counted_bytes;			/* of its maps */
	uint64_t past;				/* flows that rows left out: account_is_past() */
	record_fn fn;				/* of the call we are in */
	void *ctx;
	struct flow_row row;
	struct totals_row totals_row;
};

bool account_chooses(const struct account *a, const struct flow *f);
int  account_emit(struct account *a, const struct flow *f);
/* What an authentication header covers is AH, as other counters of flows have it. */
uint8_t account_proto(const struct ip_layer *ip);

/* account_by.c: what a row stands for. */
int  account_by_open(struct account *a);
void account_by_close(struct account *a);
void account_tally(struct account *a, const struct packet *pk, uint64_t packets, uint64_t bytes);
/* Time has passed, the end has come: for the decoders, where there are any. */
void account_decode_tick(struct account *a, uint64_t now_ns);
void account_decode_finish(struct account *a);
/* Connections that nobody has recognised count for their transport, for good. */
void account_settle(struct account *a);
/* What the row stands for, into its record. */
void account_by_record(struct account *a, const struct tally_key *k, struct record *r);
/* A packet with tags, in a tunnel, or not walked to the end; of the row for everything. */
void account_rare(struct account *a, const struct packet *pk, uint64_t packets, uint64_t bytes);
void account_rare_record(struct account *a, struct record *r);
void account_put_interface(struct record *r, const struct iface *i);

int account_open_table(struct account *a);

/* account_counted.c: each of these where a->counted is there. */
int account_look(struct account *a, uint64_t now_ns);
int account_counted_begin(struct account *a, uint64_t now_ns);
int account_counted_tick(struct account *a, uint64_t now_ns);
void account_counted_coverage(const struct account *a, struct account_coverage *c);
uint64_t account_counted_evicted(const struct account *a);
void account_counted_close(struct account *a);
/* Over or silent for so long that nobody would call it a conversation that is there. */
bool account_is_past(const struct account *a, const struct flow *f);

#endif
