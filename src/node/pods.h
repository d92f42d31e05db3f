/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_NODE_PODS_H
#define NETPROBE_NODE_PODS_H

#include "k8s/intern.h"
#include "node/facts.h"
#include "util/addr.h"

/*
 * The pods of one node, put together from its facts (facts.h): who has which address, and which interface at the host.
 * What several sources tell of one pod is joined by its uid, by its sandbox where that is not told, and else by name.
 *
 * An address is never given to two: the network plugin's word goes before the runtime's, and that before what stands in
 * a pod's own etc-hosts, which its containers may write; of two words of one rank the later.  A result of the plugin's
 * that is older than the machine's start, or whose sandbox the runtime does not have, is left over and tells nothing.
 */
enum { POD_ADDRS_MAX = 16, POD_UID_MAX = 64, NODE_PODS_MAX = 1 << 14 };

struct node_addr {
	struct addr a;
	uint8_t kind;			/* enum fact_kind: whose word it is */
	bool main;			/* of the pod's own interface, not of a further one */
	bool shared;			/* of a further network, and there others have it as well */
	int64_t time_ns;
};

/* Texts are numbers of node_pods.names; 0: not told. */
struct node_pod {
	uint32_t ns, name, uid, sandbox;
	uint32_t iface;			/* at the host */
	uint32_t netns;			/* path of its network namespace */
	uint32_t network;		/* of the plugin's configuration */
	struct node_addr addrs[POD_ADDRS_MAX];	/* those of its own interface first */
	uint8_t n_addrs, n_main;
	bool more_addrs;		/* than are kept */
	bool host_network;		/* it has the node's address, and no interface */
	bool by_crio;			/* whose configurations outlive their sandboxes */
	bool robbed;			/* of its last address, by who has it now */
	const char *sidecar;		/* of which mesh it has one: k8s_sidecar(); NULL: none that is known */
	uint32_t sources;		/* 1 << FACT_x */
	int64_t start_ns;		/* when it got its address, since 1970; 0: not told */
};

struct node_pods {
	struct intern names;
	struct node_pod *v;
	uint32_t n, room;
	struct numbers by_uid, by_sandbox, by_name, by_addr, by_iface;	/* index + 1 */
	struct numbers sidecars;	/* of a sandbox: 1 + which of them stands in sidecar_names */
	const char *sidecar_names[4];
	unsigned int n_sidecars;
	struct numbers running;		/* sandboxes that the runtime has */
	struct numbers newest;		/* of the plugin's results of a uid: the sandbox of the latest; see pods.c */
	struct numbers newest_time;
	uint32_t broken[FACT_KINDS];	/* facts that were not understood */
	uint32_t stale;			/* results of the plugin's that are left over */
	uint32_t left_out;		/* pods beyond NODE_PODS_MAX */
	bool lives_told;		/* some source tells which pods are there now: CNI, runtime, cgroup */
	bool runtime_whole, cgroups_whole;	/* all of these are known */
	int64_t boot_ns, now_ns;	/* of the facts */
};

int  node_pods_open(struct node_pods *p);		/* 0 */
/* All facts of pods but FACT_KUBELET, which is objects: node_kubelet_body().  0 or -ENOMEM, said. */
int  node_pods_read(struct node_pods *p, const struct facts *f);
void node_pods_free(struct node_pods *p);

/* Does anything but a log or a file that is left behind say that it is there? */
bool node_pod_lives(const struct node_pods *p, const struct node_pod *pod);
/* Do the plugin or the runtime tell of it?  Then objects tell nothing else of its addresses. */
static inline bool node_pod_known(const struct node_pod *pod)
{
	return pod->sources & (1u << FACT_CNI_RESULT | 1u << FACT_RUNTIME);
}

/* The living pod that has this address, which may have no name; NULL: none, or on a further network several. */
const struct node_pod *node_pod_by_addr(const struct node_pods *p, const struct addr *a);
/* The living pod whose interface at the host is called so. */
const struct node_pod *node_pod_by_iface(const struct node_pods *p, const char *name);
const struct node_pod *node_pod_by_name(const struct node_pods *p, const char *ns, size_t ns_len, const char *name);

static inline const char *node_text(const struct node_pods *p, uint32_t text)
{
	return intern_text(&p->names, text);
}

/* ── one fact each; what is told of a pod, in a struct of its own ─────────── */
struct told_pod {
	char ns[64], name[254], uid[POD_UID_MAX], sandbox[72], iface[16], netns[256], network[128];
	struct addr addrs[POD_ADDRS_MAX];
	unsigned int n_addrs;
	bool more_addrs, host_network;
	bool main;			/* of the interface that is the pod's own, not a further one */
	bool by_crio;
	const char *sidecar;		/* with 2 */
};

/* 1: told; 0: this one tells of no pod (loopback, a further container); 2: of a runtime, a mesh's
 * container, of which the sandbox is told alone; -EINVAL: not understood.  t begins zeroed. */
int tell_cni_result(struct told_pod *t, const struct fact *f);
int tell_runtime(struct told_pod *t, const struct fact *f);
int tell_cgroup(struct told_pod *t, const struct fact *f);
int tell_hosts(struct told_pod *t, const struct fact *f);
int tell_log(struct told_pod *t, const struct fact *f);
/* The body of the kubelet's answer, where it is one with status 200; else NULL, and why in `why`. */
const char *node_kubelet_body(const struct fact *f, size_t *n, char *why, size_t size);

#endif
