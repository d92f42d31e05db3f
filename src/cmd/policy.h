/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_H
#define NETPROBE_CMD_POLICY_H

#include "cmd/cmd.h"
#include "k8s/flow.h"
#include "k8s/load.h"

struct policy_opts {
	struct strs policies;
	const char *read;
	bool matrix, exit_code;
};

enum { POLICY_FILES_MAX = 256, POLICY_FLOWS_MAX = 1 << 20 };

/* A connection that a capture shows. */
struct seen {
	struct addr src, dst;
	uint16_t port;
	uint8_t proto;
	uint64_t count, first_ns;
};

/* One run of `policy`. */
struct policy {
	const struct globals *g;
	const struct policy_opts *o;
	struct k8s *k;
	struct k8s_decision d;
	const char *files[POLICY_FILES_MAX];
	int fds[POLICY_FILES_MAX];
	unsigned int n_files;
	struct load_report rep;
	bool strict;			/* fields that the API server does not know are mistakes, not warnings */
	uint64_t told;
	uint64_t denied, unknown, flows;

	/* -r */
	struct source *source;
	struct seen *seen;
	uint32_t n_seen, room_seen;
	uint32_t *slots, n_slots;
	uint64_t lost_seen;		/* no room */
	uint64_t late;			/* TCP segments of connections whose beginning is not in the capture */
	uint64_t other;			/* packets of protocols that policies do not name */
};

/* policy.c: open all files, give up privileges, read what was opened.  An exit status. */
int policy_open(struct policy *p);
int policy_load(struct policy *p);

/* policy_seen.c: open the capture; read it to its end into p->seen.  0 or -errno, said. */
int  seen_open(struct policy *p);
int  seen_read(struct policy *p);
void seen_close(struct policy *p);
/* The ends as the objects know them. */
void seen_flow(const struct policy *p, const struct seen *s, struct k8s_flow *f);

/* policy_print.c: the decision p->d, as a line of text or JSON, or told step by step. */
void print_decision(const struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count);
void print_steps(const struct policy *p, const char *from, const char *to, const struct k8s_flow *f);
/* Text that is not ours. */
void print_text(const char *s);
void print_mistake(const struct policy *p, FILE *to, const struct mistake *m);

#endif
