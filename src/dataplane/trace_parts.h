/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_TRACE_PARTS_H
#define NETPROBE_DATAPLANE_TRACE_PARTS_H

#include "dataplane/parts.h"
#include "dataplane/trace.h"

/* What the files trace*.c have in common. */

/* All our tables begin so, those of other processes too. */
#define TRACE_TABLE "netprobe-trace-"

enum { TRACE_NAME_MAX = 48 };

/* ── trace_message.c: one message ─────────────────────────────────────────── */

/* What a header says, as far as it is there. */
struct trace_packet {
	struct rule_ends ends;	/* src.family 0: no header in the message */
	uint32_t tcp_seq, ip_id;
	uint8_t proto;
	bool proto_known;
};

/* Points into the message.  Names are not empty and shorter than NF_TEXT_MAX. */
struct trace_event {
	struct part table, chain, target;	/* target: of NF_JUMPS and NF_GOES */
	uint64_t handle;
	uint32_t id, mark, in_ifindex, out_ifindex;
	uint8_t family, kind, verdict;
	bool first;		/* of this chain at a hook: only these have headers */
	struct trace_packet packet;
};

/* The body of a NFT_MSG_TRACE, behind the netlink header.  False: not understood. */
bool trace_message(struct part in, struct trace_event *e);

/* ── trace_paths.c: messages -> paths ─────────────────────────────────────── */

struct trace_paths;
/* o->tell, ctx, room and wait_ns are used.  0 or -ENOMEM, said. */
int  paths_open(struct trace_paths **out, const struct trace_options *o, const char *own_table);
/* What one datagram of the kernel holds.  0, or what tell() returned. */
int  paths_datagram(struct trace_paths *p, const void *bytes, size_t n, uint64_t now_ns);
/* Messages were lost. */
void paths_overrun(struct trace_paths *p);
int  paths_tick(struct trace_paths *p, uint64_t now_ns);
int  paths_finish(struct trace_paths *p);
void paths_counts(const struct trace_paths *p, struct trace_counts *out);
void paths_close(struct trace_paths *p);

/* ── trace_table.c: the table ─────────────────────────────────────────────── */

/*
 * Puts the table in through fd, a bound socket of NETLINK_NETFILTER that owns it from then on; its name goes to
 * name[TRACE_NAME_MAX].  0 or -errno, said.
 */
int  trace_put(int fd, const struct trace_options *o, char *name);

#endif
