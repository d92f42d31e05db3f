/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_H
#define NETPROBE_CMD_POLICY_H

#include <sys/types.h>

#include "cmd/cmd.h"
#include "k8s/load.h"
#include "policy/flow.h"
#include "util/buf.h"

struct policy_opts {
	struct strs policies;
	struct strs iface, pods;
	const char *kubectl, *read, *root, *where, *user, *verdict;
	uint64_t count, trace_rules;
	bool matrix, exit_code, all, seed_names, prom;
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
	int kubectl_fd;			/* what it prints; -1: it is not asked */
	pid_t kubectl;
	struct load_report rep;
	bool strict;			/* fields that the API server does not know are mistakes, not warnings */
	uint64_t told;
	uint64_t denied, unknown, flows;
	unsigned int width;		/* of the terminal; 0: it is none */
	struct buf line;		/* what is being said */
	const char *kinds;		/* that kubectl is asked for */
	bool any;			/* -p: an object is in the document */
	bool follows;			/* the cluster's objects come by policy_follow.h, not by policy_read() */

	/* -r */
	struct source *source;
	struct seen *seen;
	uint32_t n_seen, room_seen;
	uint32_t *slots, n_slots;
	uint64_t lost_seen;		/* no room */
	uint64_t late;			/* TCP segments of connections whose beginning is not in the capture */
	uint64_t other;			/* packets of protocols that policies do not name */
};

/* A question of a word or a line: "FROM TO PORT/PROTO", or a port of the matrix. */
struct policy_word {
	char text[2 * FLOW_END_MAX];
};

/* Where a pod's object came from: k8s_pod.source. */
enum object_source { OBJECT_FILE = 1, OBJECT_KUBELET, OBJECT_KUBECTL };

/* policy.c: what is given to --policies; open all files, give up privileges, read what was opened.  Exit statuses. */
int policy_add_file(struct policy *p, const char *name);
int policy_open_files(struct policy *p);	/* the first of these alone */
int policy_open(struct policy *p);
int policy_read(struct policy *p);	/* 0 or -errno, said; mistakes are in p->rep */
int policy_load(struct policy *p);	/* the same, and no verdict where there are mistakes; an exit status */
int policy_sound(struct policy *p);	/* may there be verdicts of what was read?  The rest of policy_load() */
/* Pods that were read since the last call came from there. */
void policy_loaded(struct policy *p, enum object_source source);
/* Judge into p->d, and count; 0 or -errno, said. */
int policy_decide(struct policy *p, const struct k8s_flow *f);

/* policy_check.c, policy_test.c, policy_matrix.c, policy_pods.c, policy_cni.c, policy_rules.c: exit statuses. */
int policy_check(struct policy *p, int argc, char **argv);
int policy_test(struct policy *p, int argc, char **argv);
int policy_explain(struct policy *p, int argc, char **argv);
int policy_pods(struct policy *p, int argc, char **argv);
int policy_cni(struct policy *p, int argc, char **argv);
int policy_rules(struct policy *p, int argc, char **argv);
int policy_watch(struct policy *p, int argc, char **argv);
int policy_counters(struct policy *p, int argc, char **argv);
/* words: ports; without any, those that pods declare. */
int policy_matrix(struct policy *p, const struct policy_word *words, unsigned int n);

/* policy_seen.c: open the capture; read it to its end into p->seen.  0 or -errno, said. */
int  seen_open(struct policy *p);
int  seen_read(struct policy *p);
void seen_close(struct policy *p);
/* The ends as the objects know them. */
void seen_flow(const struct policy *p, const struct seen *s, struct k8s_flow *f);

/* policy_print.c: what was found, as lines for people or objects for programs.  is_json: the latter. */
bool is_json(const struct policy *p);
/* The decision p->d. */
void print_decision(struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count);
void print_mistake(struct policy *p, FILE *to, const struct mistake *m);
/* When all is printed: -p's end of the document. */
void print_end(struct policy *p);
/* "ingress[0].from[1].ports[0]" */
void say_hit(struct buf *b, enum side side, const struct k8s_hit *h);
const char *policy_label(const struct policy *p, uint32_t policy);
const struct k8s_hit *find_hit(const struct k8s_hits *h, uint32_t policy);
extern const char *const policy_sides[SIDES], *const policy_verdicts[];

/* policy_kubectl.c: `kubectl get KINDS -A -o json`, a child whose output p->kubectl_fd is; 0 or -errno, said. */
int kubectl_start(struct policy *p, const char *kinds);
/* When all was read: 0, or -errno, said: it failed, and what it printed is not all. */
int kubectl_end(struct policy *p);
/* Where the program is, without asking the PATH: that is whoever called us's, and this may run as root.  0 or -errno,
 * said. */
int kubectl_find(const char *program, char *path, size_t size);
/* Between fork and exec: args, which NULL ends; its output goes to `out`, and if it is mute what it says of failures
 * nowhere. */
void kubectl_become(const char *path, const char *const args[], int out, bool mute) __attribute__((noreturn));

/* policy_explain.c: the decision told step by step. */
void print_steps(struct policy *p, const char *from, const char *to);

#endif
