/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_RULES_H
#define NETPROBE_DATAPLANE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The packet filter's rules of one network namespace, as they are read from the kernel: nf_tables (which has those of
 * iptables-nft as well) by netlink dumps, iptables-legacy by its socket options.  What is kept of a rule is what tells
 * whose it is and what it did: chain, comment, counters, verdict; not what it compares.
 */

enum nf_via { NF_TABLES, NF_LEGACY };

enum nf_verdict {
	NF_NONE,		/* counts or marks, and goes on */
	NF_ACCEPTS, NF_DROPS, NF_REJECTS, NF_RETURNS,
	NF_JUMPS, NF_GOES,	/* target: the chain */
	NF_QUEUES, NF_REDIRECTS,	/* to_port: where to, 0 not known */
	NF_TARGET,		/* another: target is its name, "MASQUERADE"; nft's: "masquerade", "snat", "tproxy" */
	NF_MAPS,		/* does what a map says: target is the map */
};

/* Texts are the kernel's or another program's: escaped before they are shown.  NULL: none. */
struct nf_rule {
	const char *comment;	/* of several, with "\n" between them */
	const char *target;
	const char *log_prefix;
	uint64_t handle;	/* of nf_tables; of a legacy one its number in the chain, from 1 */
	uint64_t packets, bytes;
	uint64_t digest;	/* of a legacy one: of all that it is but its counters, for its number is its place */
	uint32_t chain;		/* index */
	uint32_t uid;		/* the one user that owns the sockets; UINT32_MAX: none, a range, or all but one */
	uint16_t to_port;
	uint16_t log_group;
	uint8_t verdict;	/* enum nf_verdict */
	bool counted, logs;
	bool counts_more;	/* its counter stands before a condition: not all that it counts comes to the verdict */
	bool two_uids;		/* were compared: uid is none */
	bool only_goes;		/* NF_MAPS: all elements of the map are known, and none drops */
};

struct nf_chain {
	const char *table, *name;
	uint32_t first, n;	/* its rules, in their order */
	int32_t priority;
	uint64_t packets, bytes;	/* that its policy decided on; 0 where nf_tables does not count those */
	uint8_t via;		/* enum nf_via */
	uint8_t family;		/* NFPROTO_ */
	uint8_t hook;		/* NF_INET_; where `base` */
	bool base, drops;	/* a hook calls it; its policy is to drop */
	bool counted;		/* packets and bytes are told */
	bool dormant;		/* its table is switched off */
	bool reached;		/* from a hook, by jumps; see nf_rules_sort() */
};

enum { NF_DORMANT_MAX = 1024, NF_MAPS_MAX = 256 };

struct nf_rules {
	struct nf_chain *chains;
	struct nf_rule *rules;
	uint32_t n_chains, n_rules;
	uint32_t room_chains, room_rules;
	uint32_t generation;	/* of nf_tables */
	struct nf_dormant {
		const char *name;
		uint8_t family;
	} *dormant;		/* tables of nf_tables that are switched off */
	uint32_t n_dormant;
	struct nf_map {
		const char *table, *name;
		uint8_t family;
		bool decides;	/* an element of it drops, or hands to a program; or was not understood */
	} *maps;		/* of verdicts, whose elements were read: NF_MAPS_MAX of them */
	uint32_t n_maps;
	uint32_t broken;	/* messages and entries that were not understood: left out */
	bool cut;		/* more than is kept: the rest is missing */
	struct nf_text *text;	/* where the texts are */
};

enum { NF_CHAINS_MAX = 1 << 16, NF_RULES_MAX = 1 << 20, NF_RAW_MAX = 64 << 20 };

/*
 * The answers to NFT_MSG_GETGEN, GETTABLE, GETCHAIN, GETRULE and, of maps of verdicts, GETSETELEM, one after the other,
 * into *r, which is empty (all zero) or has what was read before.  0 or -ENOMEM, said; what is not understood is
 * counted in r->broken.  A rule is of a chain that came before it.
 */
int  nf_parse_netlink(struct nf_rules *r, const void *bytes, size_t n);
/* A struct ipt_getinfo (ip6t_getinfo: the same) and the entries that follow it, of `family`. */
int  nf_parse_legacy(struct nf_rules *r, uint8_t family, const void *bytes, size_t n);
/* When all is parsed: rules stand by chain, in order; chain.first, n, reached (a map of verdicts reaches all chains of
 * its table) and rule.only_goes are set.  0 or -ENOMEM, said. */
int  nf_rules_sort(struct nf_rules *r);
void nf_rules_free(struct nf_rules *r);
/* The chain of that name, or NULL; table NULL: any, the first, and all chains are looked at. */
const struct nf_chain *nf_chain_find(const struct nf_rules *r, uint8_t via, uint8_t family, const char *table,
				     const char *name);

/*
 * read.c: the bytes above, of the network namespace that we are in; they are only moved, not looked into beyond the
 * lengths of messages.  *bytes is allocated.  The number of bytes, 0 where the kernel has none of it, or -errno,
 * said: -EPERM needs CAP_NET_ADMIN, -EAGAIN changed whenever it was read.
 */
struct nf_raw {
	void *bytes;
	size_t n;
	bool cut;		/* more than NF_RAW_MAX */
};
int  nf_read_netlink(struct nf_raw *out);
/* table: "filter", "nat", "mangle", "raw"; family AF_INET or AF_INET6.  A table that is not there is not made:
 * asking for one would load its module, so /proc/net/ip_tables_names is looked at first. */
int  nf_read_legacy(struct nf_raw *out, uint8_t family, const char *table);

#endif
