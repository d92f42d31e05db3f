/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_NETWORK_H
#define NETPROBE_CMD_POLICY_NETWORK_H

#include "cmd/listing.h"
#include "cmd/policy.h"
#include "dataplane/cni.h"
#include "node/pods.h"

/* What a node itself has: its pods, its network plugin, its packet filter.  policy pods, cni and rules tell of it. */
struct network {
	struct facts facts;
	struct node_pods pods;
	struct nf_rules rules;
	struct cni cni;
	bool bridge_filtered;		/* what passes a bridge passes iptables */
};

/*
 * Of the kinds: files below `root`, or with NULL this machine's, its interfaces and rules as well.  0, or -errno, said;
 * what is missing is in n->facts.
 */
int  network_collect(struct network *n, const char *root, uint32_t kinds);
/* When privileges are gone: pods, rules, plugin.  0 or -errno, said. */
int  network_read(struct network *n);
/* What was not read, or not understood, on standard error. */
void network_tell_missing(const struct network *n);
void network_free(struct network *n);

/* Words that choose: "NAMESPACE/NAME", "NAMESPACE/", "NAME", an address; of a pod an interface, uid, sandbox. */
enum { WHOM_MAX = 63, SANDBOX_MIN = 8 /* letters of it */ };

struct whom {
	struct {
		const char *word, *name;	/* name: NULL: any */
		size_t ns_len;			/* of the word; 0: any */
		struct addr addr;		/* family 0: none */
		bool found, is_ns;		/* is_ns: it is a namespace's name */
	} v[WHOM_MAX];
	unsigned int n;
};

/* Texts are "" where not told. */
struct whom_row {
	const char *ns, *name, *iface, *uid, *sandbox;
	const struct addr *addrs;
	unsigned int n_addrs;
};

/* 0 or -EINVAL, said. */
int  whom_take(struct whom *w, int argc, char **argv);
/* Is it one of them?  Without words everybody is. */
bool whom_fits(struct whom *w, const struct whom_row *r);
/* Each word that fitted nobody is said, as `what`; an exit status. */
int  whom_found(const struct whom *w, const char *what);

#endif
