/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_TRACE_H
#define NETPROBE_DATAPLANE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/rules.h"
#include "util/addr.h"

/*
 * Which rules of nf_tables a packet passed: the kernel's own trace of it (linux/netfilter/nf_tables.h,
 * NFT_MSG_TRACE), of packets that may begin a connection, and of at most so many a second.
 *
 * A packet is traced because a rule asked for it, so a table of ours is put in: "netprobe-trace-PID" of family inet.
 * Its rules mark (meta nftrace set 1) and decide nothing; it looks into no connection, so connection tracking is not
 * switched on by it.  It belongs to the socket (NFT_TABLE_F_OWNER, Linux 5.12): the kernel removes it with the last
 * descriptor of that, however we end, and lets nobody else change it.  No other table is touched.
 *
 * Its two chains, at prerouting and output, come right behind the joining of fragments (priority -400): before it the
 * later fragments have no ports, and rules that come before a mark are not told.  So rules of the raw tables (-300)
 * are told and a table of lower priority is not, nor one of family netdev, nor of bridge before br_netfilter.
 *
 * Told are rules of nf_tables, which those of iptables-nft are.  Rules of iptables-legacy are not (they have a TRACE
 * target of their own): a packet that one of these dropped has the steps before it, and its end is TRACE_PASSED.
 */

enum { TRACE_ADDRS_MAX = 16, TRACE_STEPS_MAX = 64, TRACE_RATE_MAX = 100000, TRACE_ROOM_MAX = 1 << 14 };

enum trace_kind {
	TRACE_RULE,		/* a rule that fitted; verdict is NF_NONE where it only marked or counted */
	TRACE_RETURN,		/* the chain ended, and the one that jumped to it goes on: NF_RETURNS, no handle */
	TRACE_POLICY,		/* of a chain at a hook: NF_ACCEPTS or NF_DROPS, no handle */
};

/* Texts are another program's: escaped before they are shown. */
struct rule_step {
	const char *table, *chain;
	const char *target;	/* of NF_JUMPS and NF_GOES the chain; of NF_TARGET "stolen"; else NULL */
	uint64_t handle;	/* of TRACE_RULE; else 0 */
	uint32_t mark;		/* the packet's, when the rule was done */
	uint8_t family;		/* NFPROTO_, the table's */
	uint8_t kind;		/* enum trace_kind */
	uint8_t verdict;	/* enum nf_verdict; a rule that rejects has NF_DROPS here */
};

enum trace_end {
	TRACE_PASSED,		/* all chains at hooks that saw it let it go on, and no other came in time */
	TRACE_DROPPED,		/* by the last step */
	TRACE_STOLEN,		/* by the last step: it answers or sends by itself */
	TRACE_QUEUED,		/* to a program, which had not given it back in time */
	TRACE_UNCLEAR,		/* the last step decides nothing: messages were lost */
};

/* Addresses in network order, ports in ours.  Family 0: not told or not IP. */
struct rule_ends {
	struct addr src, dst;
	uint16_t sport, dport;	/* of ICMP: identifier, 0; 0 where proto has none, or is not known */
};

/* One packet's way through one traversal of the stack: what goes through lo has two. */
struct rule_path {
	uint64_t first_ns, last_ns;	/* its messages', by the caller's clock */
	uint32_t id;			/* the kernel's; used again by later packets */
	struct rule_ends came;		/* before all translation */
	struct rule_ends left;		/* as the last chain at a hook found it, so before what that translates */
	uint32_t in_ifindex, out_ifindex;	/* where it came in first, and leaves last; 0: not told */
	uint32_t tcp_seq;		/* of TCP */
	uint32_t ip_id;			/* IPv4's identification, IPv6's flow label */
	const struct rule_step *steps;	/* in their order, none of our own table */
	uint32_t n_steps;
	uint32_t steps_lost;		/* behind these: more than TRACE_STEPS_MAX, or names too long for it */
	uint8_t proto;			/* IANA's number; where proto_known (not behind IPv6's extension headers) */
	bool proto_known;
	bool holes;			/* messages were lost while it was collected: perhaps its */
	uint8_t end;			/* enum trace_end */
};

struct trace_options {
	/*
	 * Packets a second: TCP's SYN, and as many of UDP, SCTP's INIT and ICMP's echo requests together; bursts of a
	 * tenth of that, at least 5.  Through lo each counts twice.  1 to TRACE_RATE_MAX.
	 */
	uint32_t rate;
	const struct addr *addrs;	/* source or destination is one of these, before all translation; borrowed */
	unsigned int n_addrs;		/* at most TRACE_ADDRS_MAX; 0: all */
	/*
	 * Packets at once, at most TRACE_ROOM_MAX; 0: 256.  6 KB each.  What passes waits for wait_ns: a room for less
	 * than twice the rate in that time evicts.
	 */
	uint32_t room;
	uint64_t wait_ns;		/* from the first message until one that nobody dropped is told; 0: 50 ms */
	int (*tell)(void *ctx, const struct rule_path *p);	/* the struct is borrowed; 0, or what ends the call */
	void *ctx;
};

struct trace_counts {
	uint64_t messages;		/* understood */
	uint64_t told;			/* paths */
	uint64_t evicted;		/* paths that made room for a newer one: not told */
	uint64_t steps_lost;		/* of all paths */
	uint64_t overruns;		/* we were slow, and the kernel dropped messages: how often, not how many */
	uint64_t others;		/* messages of packets that others have traced, or that began in an overrun */
	uint64_t broken;		/* messages that were not understood */
	uint32_t waiting;
};

struct rule_trace;
/*
 * Puts the table into the network namespace that we are in, and listens.  Needs CAP_NET_ADMIN there; what follows needs
 * none.  0 or -errno, said: -EOPNOTSUPP before Linux 5.12 or without nf_tables, -EINVAL for options out of their range.
 * The socket is closed on exec; a process that is forked off holds the table as well until it ends.
 */
int  trace_open(struct rule_trace **out, const struct trace_options *o);
/* To be polled for reading; stays ours. */
int  trace_fd(const struct rule_trace *t);
/* The table's name, to tell people. */
const char *trace_table(const struct rule_trace *t);
/*
 * Takes what is there, without waiting, of a great deal only a part; tells what is decided or due.  now_ns is of any
 * clock that does not go back.  0, what tell() returned, or -errno, said.
 */
int  trace_read(struct rule_trace *t, uint64_t now_ns);
/* Tells what is due: call it at least every wait_ns while something waits. */
int  trace_tick(struct rule_trace *t, uint64_t now_ns);
/* The end: tells all that waits. */
int  trace_finish(struct rule_trace *t);
void trace_counts(const struct rule_trace *t, struct trace_counts *out);
/* The table goes with it. */
void trace_close(struct rule_trace *t);

/* The rule of a step in what nf_parse_netlink() read, sorted.  NULL: it is no rule's step, or the rule is not there:
 * they were changed between. */
const struct nf_rule *trace_rule(const struct nf_rules *r, const struct rule_step *s);

#endif
