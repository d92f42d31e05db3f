/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DETECT_DETECT_H
#define NETPROBE_DETECT_DETECT_H

#include "record.h"

/*
 * Records in, alerts out: what the traffic adds up to.  Wants a packet record for every
 * frame, and its messages.  Time is that of the records, so a capture gives the same
 * alerts each time it is read.  Memory is taken once, when it is opened.
 */
enum detect_rule {
	RULE_PORT_SCAN, RULE_HOST_SCAN, RULE_SYN_FLOOD, RULE_TCP_REFLECTION, RULE_UDP_AMPLIFICATION,
	RULE_ICMP_FLOOD, RULE_DHCP_FLOOD, RULE_ARP_SPOOF, RULE_BRUTE_FORCE,
	RULE_UDP_FLOOD, RULE_NAME_TUNNEL, RULE_RANDOM_SUBDOMAIN, RULE_BEACONING, RULE_NEW_LISTENER, RULE_NEW_TALKER,
	RULE_UNUSUAL_VOLUME,
	RULES
};

/* `n` of what the rule counts within `window_ns`. */
struct detect_limit {
	uint64_t n, window_ns;
	bool on;
};

struct detect_rule_info {
	const char *name;		/* rule.name */
	const char *help;		/* what n counts */
	const char *technique;		/* of MITRE ATT&CK; NULL: none fits */
	uint16_t severity;		/* 0 to 100 */
	struct detect_limit limit;	/* where the user says nothing; not on: only when it is named */
};

extern const struct detect_rule_info detect_rules[RULES];
/* The rule of that name, n bytes, with or without its underscores; or -1. */
int detect_find(const char *name, size_t n);

struct detect_options {
	struct detect_limit limits[RULES];
	uint64_t repeat_ns;		/* the same alert is told again after so long; 0: 10 minutes */
	uint32_t seed;			/* for hash tables: getrandom() */
};

/* All rules as they are by default. */
void detect_defaults(struct detect_options *o);

struct detect_counts {
	uint64_t alerts, suppressed;
	uint64_t connections_evicted;	/* forgotten before it was known what became of them */
	uint64_t entries_evicted;	/* hosts and pairs forgotten while they were active */
};

struct detect;

int  detect_open(struct detect **out, const struct detect_options *opt);
void detect_close(struct detect *d);
/* Returns 0, or the first non-zero value that fn returned. */
int  detect_record(struct detect *d, const struct record *r, record_fn fn, void *ctx);
/* Time has passed. */
int  detect_tick(struct detect *d, uint64_t now_ns, record_fn fn, void *ctx);
/* No more records: what is still open is judged as it stands. */
int  detect_finish(struct detect *d, record_fn fn, void *ctx);
void detect_counts(const struct detect *d, struct detect_counts *c);

#endif
