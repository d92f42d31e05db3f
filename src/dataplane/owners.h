/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_OWNERS_H
#define NETPROBE_DATAPLANE_OWNERS_H

#include "dataplane/rules.h"
#include "util/buf.h"

/*
 * Whose a chain or rule is, and what it means, by the names and comments that the programs which make them use.
 * Sources of each form stand in owners*.c.  A name that fits no form belongs to nobody: it is never guessed.
 */
enum owner {
	OWNER_NONE, OWNER_CALICO, OWNER_CILIUM, OWNER_KUBE_ROUTER, OWNER_KUBE_PROXY, OWNER_KUBELET, OWNER_FLANNEL,
	OWNER_WEAVE, OWNER_ANTREA, OWNER_KINDNET, OWNER_AWS, OWNER_OVN, OWNER_CNI_PLUGIN /* portmap, masquerade */,
	OWNER_ISTIO, OWNER_LINKERD, OWNER_DOCKER, OWNER_FIREWALLD, OWNER_UFW, OWNERS,
};

enum meaning {
	MEANS_NOTHING,		/* known to be the owner's, and no more */
	MEANS_DISPATCH,		/* goes to the chains of pods, of groups of policies, or to the agent that decides */
	MEANS_POD,		/* the chain of one pod; a rule of it that names a policy goes to that policy's chain */
	MEANS_POLICY,		/* what one policy allows or denies */
	MEANS_PROFILE,		/* what applies where no policy does; what drops there: and nothing else allowed it */
	MEANS_DEFAULT_DENY,	/* no policy of those that select the pod allowed it */
	MEANS_NO_ENDPOINTS,	/* a service that has none */
	MEANS_INVALID,		/* of no connection that is known */
	MEANS_ENCAP,		/* a tunnel's packets from who is not of the cluster */
	MEANS_MESH,		/* to a sidecar's port */
	MEANS_SERVICE,		/* a service's address becomes a pod's */
};

enum { OWNER_NAME_MAX = 256 };

/* Names are texts of at most OWNER_NAME_MAX - 1 bytes, "" where not told; not escaped. */
struct owned {
	uint8_t owner;		/* enum owner */
	uint8_t meaning;	/* enum meaning */
	int8_t ingress;		/* as the pod sees it, or the interface of a host: 1, 0; -1: not told */
	char ns[OWNER_NAME_MAX], pod[OWNER_NAME_MAX];
	char policy[OWNER_NAME_MAX];	/* without its namespace; of kind "Tier" a tier's name, "Profile" a profile's */
	char service[OWNER_NAME_MAX];	/* "NAME" or "NAME:PORT", in `ns` */
	char kind[32];		/* of the policy: "NetworkPolicy" is Kubernetes' own, "CalicoNetworkPolicy" the other;
				 * "GlobalNetworkPolicy", "AdminNetworkPolicy", "Tier", "Profile" and the like */
	char iface[16];		/* of the pod, at the host */
	char hash[48];		/* what stands for a name that was too long or is hashed */
};

void owner_of_chain(const struct nf_chain *c, struct owned *out);
/*
 * By its comment, its log prefix, and else by its chain; in a chain of nobody by the chain that it goes to.  A comment
 * makes a chain's owner more exact, never another.  Where the chain of a policy of Calico's has a hash for a name, the
 * name is that of its first rule.  r is sorted (nf_rules_sort()), rule one of it.
 */
void owner_of_rule(const struct nf_rules *r, const struct nf_rule *rule, struct owned *out);
/*
 * Of a rule that ends the policies of Calico for an interface (MEANS_DEFAULT_DENY): those that it ends, "NS/NAME" with
 * commas between, in the order in which they are asked, to the end of *out.  Nothing where not all have a name, or too
 * many; and for others' rules: kube-router has one end for both directions.
 */
void owner_ended(const struct nf_rules *r, const struct nf_rule *rule, struct buf *out);
const char *owner_name(enum owner o);		/* "calico", "kube-router" */
const char *meaning_text(enum meaning m);	/* for people: "the end of the policies: none allowed it" */

/*
 * Names that Calico computes: the pod's interface at the host, "cali1cea4782700"; the chain of a policy by iptables, of
 * `prefix` "cali-pi-" (27 bytes at most) and what its releases call it, id: "NS/knp.default.NAME" up to 3.28, with
 * "TIER/" before it up to 3.31, then "knp/NS/NAME".  out: 16 and 29 bytes.
 */
void calico_iface(const char *ns, const char *pod, char *out);
void calico_chain(const char *prefix, const char *id, char *out);

#endif
