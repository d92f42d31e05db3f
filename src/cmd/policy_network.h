/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_NETWORK_H
#define NETPROBE_CMD_POLICY_NETWORK_H

#include "cmd/listing.h"
#include "cmd/policy.h"
#include "dataplane/cni.h"
#include "ebpf/ebpf.h"
#include "node/pods.h"

/* What a node itself has: its pods, its network plugin, its packet filter.  policy pods, cni and rules tell of it. */
struct network {
	struct facts facts;
	struct node_pods pods;
	struct nf_rules rules;
	struct ebpf ebpf;
	struct cni cni;
	bool rules_there;		/* they could be read */
	bool bridge_filtered;		/* what passes a bridge passes iptables */
};

/*
 * Of the kinds: files below `root`, or with NULL this machine's, its interfaces and rules as well.  0, or -errno, said;
 * what is missing is in n->facts.
 */
int  network_collect(struct network *n, const char *root, uint32_t kinds);
/* When privileges are gone: pods, rules, plugin.  0 or -errno, said. */
int  network_read(struct network *n);
/*
 * Later: pods and what moves their packets anew, of facts that have all kinds but rules, and become n's (*before,
 * which is freed, becomes what the pods were); or the rules.  0, or -ENOMEM, said.
 */
int  network_take_pods(struct network *n, struct facts *facts, struct node_pods *before);
int  network_take_rules(struct network *n, const struct facts *facts);
/* All maps of eBPF that agents decide by could be read. */
bool network_ebpf_whole(const struct network *n);
/* The interface that has that index, or "". */
void network_iface(const struct network *n, uint32_t ifindex, char *out, size_t size);
/* What was not read, or not understood, on standard error. */
void network_tell_missing(const struct network *n);
void network_free(struct network *n);

/* Of nf_tables: "ip", "inet"; NULL: another. */
const char *network_family(uint8_t family);
/* The pod's object; that of another uid is of an earlier or later one of the name.  Without uids the address tells. */
const struct k8s_pod *network_object(const struct node_pods *p, const struct k8s *k, const struct node_pod *pod);
/* What the objects call this node: where the pods are that it knows itself; a text of k->names, 0: not known. */
uint32_t network_this_node(const struct node_pods *p, const struct k8s *k);
/* The kubelet's own list becomes objects, of OBJECT_KUBELET.  0 or -errno, said. */
int  network_kubelet(const struct facts *facts, struct policy *p);

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
