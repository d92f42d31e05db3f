/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_RULES_H
#define NETPROBE_CMD_POLICY_RULES_H

#include "cmd/policy_network.h"

/* The run of policy rules. */
struct rules_listing {
	struct policy *p;
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct network net;
	struct whom whom;
	/* Of each chain, where its rules tell: the pod it is for, the policy it comes from.  Owned; NULL: not told. */
	char **pods, **policies;
	bool titles, incomplete;	/* incomplete: not all rules are here */
	uint64_t n, other, refused;	/* printed; of nothing that is looked for; not what --where wants */
};

/* "namespace/name"; "" where it names none. */
struct rules_names {
	char pod[2 * OWNER_NAME_MAX], policy[2 * OWNER_NAME_MAX], service[2 * OWNER_NAME_MAX];
};

/* An empty record; parts of it; out with it, where --where does not refuse it: 0, or what listing_put() says. */
void rules_begin(struct record *r);
void rules_put_owned(struct record *r, const struct owned *o, const struct rules_names *who);
void rules_put_counters(struct record *r, uint64_t packets, uint64_t bytes);
void rules_put_verdict(struct record *r, unsigned int verdict);
int  rules_put(struct rules_listing *l, struct record *r);

/* Entries of maps of eBPF, and what happens where none fits.  0, or what rules_put() says. */
int  rules_list_ebpf(struct rules_listing *l);
/* "from identity 5678 (10.0.1.5, 10.0.1.6), tcp port 443"; of drops the reason: "Policy denied"; of a dump nothing. */
void rules_ebpf_text(const struct ebpf *e, const struct ebpf_rule *r, struct buf *b);

#endif
