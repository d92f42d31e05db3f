/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_CAUSE_H
#define NETPROBE_CMD_POLICY_CAUSE_H

#include "dataplane/owners.h"
#include "dataplane/trace.h"
#include "verdict/verdict.h"

/*
 * Which rule of the packet filter dropped a connection, as counters tell.  Of all rules that drop and could have
 * dropped this one, a single one has counted between a reading that ended before and one that began after, and it has
 * counted as many packets as we have seen being dropped there: so no other, and nobody that does not count, dropped any
 * of them.  Where that is not so, where the rules were changed between, or where one that drops does not count (an
 * element of a map, a chain's own verdict of nf_tables), it is not known.  Where packets are traced, their trace tells.
 */
enum { CAUSE_READINGS = 32, CAUSE_RULES_MAX = 64, CAUSE_DROPS_MAX = 8192 };

/* The function that dropped tells which half of the packet filter it was, from Linux 6.7 on. */
enum cause_place { PLACE_NFT, PLACE_OTHER /* nf_hook_slow() */, PLACE_UNKNOWN };

struct cause_reading {
	int64_t was_began_ns, was_ended_ns;	/* of the reading before; wall clock, as the others */
	int64_t began_ns, ended_ns;
	uint64_t digest;		/* of the rules; their counters apart */
	uint32_t n;			/* rules that counted; more than there is room for: not known which */
	uint32_t rule[CAUSE_RULES_MAX];	/* indices; of the chains' own verdicts n_rules + the chain's */
	uint64_t rose[CAUSE_RULES_MAX];	/* by how many packets */
};

struct causes {
	struct cause_reading v[CAUSE_READINGS];	/* the newest at (n - 1) % CAUSE_READINGS */
	uint64_t n;
	int64_t began_ns, ended_ns;	/* of the last reading; 0: none */
	uint64_t digest;		/* of the rules that were read last */
	bool uncounted[2][2];		/* something drops and does not count: by enum nf_via; of IPv4, IPv6 */
	bool old;			/* before Linux 6.7: nf_tables, too, drops in nf_hook_slow() */
	struct {
		int64_t time_ns;
		uint8_t place;		/* enum cause_place */
	} drops[CAUSE_DROPS_MAX];	/* that were seen at the packet filter; a ring */
	uint64_t n_drops;
};

/* Texts are the kernel's or another program's: escaped before they are shown. */
struct cause {
	bool known;
	char ruleset[512];		/* "ip(legacy) filter FORWARD" */
	char rule[256];			/* its comment, or its number; of what no rule decided "policy" */
	struct owned whose;
	char policies[4096];		/* that the rule is the end of, see owner_ended(); "" none known */
	const char *trace;		/* with --trace-rules: the way to it, a line a rule; NULL: not known */
};

void causes_begin(struct causes *c);
/* A packet that was seen being dropped there. */
void causes_drop(struct causes *c, uint64_t time_ns, const char *location);
/* A reading of the rules: now, and what they were at the reading before; of the first, was has none. */
void causes_take(struct causes *c, const struct nf_rules *was, const struct nf_rules *now, int64_t began_ns,
		 int64_t ended_ns);
/* rules: those of the last reading. */
void cause_by_counters(const struct causes *c, const struct nf_rules *rules, const struct verdict_conn *conn,
		struct cause *out);

/* rule NULL: what the chain does with what no rule decided. */
void cause_put(struct cause *out, const struct nf_rules *rules, const struct nf_chain *chain,
	       const struct nf_rule *rule);

/*
 * policy_trace.c: paths that were traced, the newest TRACED_MAX of them; to be kept (a trace_options.tell), and looked
 * for by the connection.  Of one that was not dropped out->trace alone is told.
 */
struct traces;
int  traces_open(struct traces **out);
int  traces_take(void *traces, const struct rule_path *p);
void cause_by_trace(const struct traces *t, const struct nf_rules *rules, const struct verdict_conn *conn,
		    struct cause *out);
void traces_close(struct traces *t);

#endif
