/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_CNI_H
#define NETPROBE_DATAPLANE_CNI_H

#include "dataplane/owners.h"

/*
 * Which network plugin a node has, what moves its packets, and what enforces its policies: three answers, each with
 * what it was concluded from.
 */
enum cni_seen {			/* in the order in which they are believed */
	SEEN_CONF,		/* a file of /etc/cni/net.d: its text */
	SEEN_INTERFACE,		/* a name of an interface */
	SEEN_PIN,		/* a path below /sys/fs/bpf */
	SEEN_RULES,		/* chains */
	SEEN_SOCKET,		/* a path of an agent's socket that is there */
	SEEN_KINDS,
};

/* A configuration of more bytes counts as broken. */
enum { CNI_EVIDENCE_MAX = 64, CNI_CONF_MAX = 1 << 20 };

struct cni_evidence {
	uint8_t seen;		/* enum cni_seen */
	uint8_t owner;		/* whom it speaks for; OWNER_NONE: what anybody may have */
	uint8_t sort;		/* the form that it has: one of each sort is kept for an owner */
	char text[128];		/* "/etc/cni/net.d/10-calico.conflist: calico", "interface cali1cea4782700" */
	uint32_t more;		/* of the same sort that are not kept */
};

enum cni_path { PATH_UNKNOWN, PATH_BRIDGE, PATH_ROUTED, PATH_EBPF, PATH_OVS };

struct cni {
	uint8_t plugin;		/* enum owner; OWNER_CNI_PLUGIN: bridge, ptp, macvlan or another, named in `type` */
	uint8_t enforcer;	/* OWNER_NONE: nothing that was looked at enforces policies */
	/* SEEN_PIN, SEEN_RULES, SEEN_SOCKET; SEEN_CONF: nothing else could be looked at, it is what is configured */
	uint8_t enforcer_seen;
	uint32_t enforcers;	/* all that were found, a bit (1 << OWNER_) each: more than one is worth a warning */
	uint8_t path;		/* enum cni_path */
	bool overlay_vxlan, overlay_ipip, overlay_wireguard, overlay_geneve;
	bool nft, legacy;	/* of the enforcer's and the services' rules */
	char type[32], network[64];	/* of the configuration; "" where there is none; not escaped */
	/* who does services' addresses: "iptables", "nftables", "ipvs" (kube-proxy's; kube-router's is ipvs),
	 * "cilium", "calico" (by eBPF), "" not known */
	char services[16];
	struct cni_evidence evidence[CNI_EVIDENCE_MAX];
	uint32_t n_evidence, n_left_out, n_conf_bad;
	struct cni_facts {	/* what cni_conclude() concludes from: bits of owners */
		uint32_t saw[SEEN_KINDS], enforces[SEEN_KINDS], ebpf, nft, legacy, overlays, marks;
		bool looked_at_rules;
		uint8_t conf;		/* of the file that counts */
		bool conf_meta;		/* it only calls others */
		char conf_file[128];
	} facts;
};

/* Facts in any order, then the answers. */
void cni_begin(struct cni *c);
/*
 * path: where it is (of an interface its name); text: a configuration's, n bytes, else NULL.  Of the configurations the
 * one whose file comes first counts, as with libcni: names that end with .conflist, .conf or .json, in the order of
 * their bytes; a broken one is counted, and is nobody's.
 */
void cni_saw(struct cni *c, enum cni_seen seen, const char *path, const char *text, size_t n);
/* r is sorted.  To be called with what was read even where that is nothing: then it is known that there are none. */
void cni_saw_rules(struct cni *c, const struct nf_rules *r);
/* That maps of an owner were read, and what they had: only as evidence. */
void cni_saw_maps(struct cni *c, uint8_t owner, const char *text);
void cni_conclude(struct cni *c);
const char *cni_path_name(enum cni_path p);	/* "bridge", "ebpf"; "" not known */
const char *cni_seen_name(enum cni_seen s);	/* "configuration", "pin" */

#endif
