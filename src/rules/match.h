/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RULES_MATCH_H
#define NETPROBE_RULES_MATCH_H

#include "rules/rule.h"

/*
 * The reference: what a set makes of a packet, said by the definition, entry by entry.  bpf/verdict.h does the same
 * with tables; tests/bpf/test_block.c holds them together.
 */
struct facts {				/* what the walk over the headers found */
	uint8_t smac[6], dmac[6];
	bool    has_mac;
	uint8_t family;			/* 0: not IP */
	uint8_t src[16], dst[16];
	int     proto;			/* -1: not known */
	int     sport, dport;		/* -1: not known, or none */
	int     icmp_type;		/* -1 */
	/* NP_R_NONE, or why something is not known: NP_R_CUT, _BAD, _DEEP, _NOT_IP, _FRAG_* */
	uint8_t reason;
	bool    fragment, first, more;
	uint32_t frag_id;
};

/* An Ethernet frame; a packet without a link header. */
void facts_read(struct facts *f, const uint8_t *frame, uint32_t n);
void facts_read_ip(struct facts *f, const uint8_t *packet, uint32_t n);

/* Fragments that have been seen; a test's, or one run over a capture. */
enum { SEEN_MAX = 4096 };
struct seen {
	struct {
		uint8_t family, src[16], dst[16];
		int proto;
		uint32_t id, rule;
		bool drop;
		uint64_t ns;
	} v[SEEN_MAX];
	uint32_t n;
};

struct verdict {
	bool drop;
	uint8_t reason;			/* enum np_reason */
	const struct np_rule *rule;	/* NULL: no entry */
};

/* Limits pass: rates are of time, not of a packet. */
struct verdict rules_match(const struct rules *r, const struct facts *f, struct seen *seen, uint64_t now_ns);
bool rule_covers(const struct np_rule *rule, const struct facts *f, uint64_t now_ns);

#endif
