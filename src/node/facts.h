/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_NODE_FACTS_H
#define NETPROBE_NODE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/*
 * What a node's files say of its pods, as it was read: names and bytes, one after the other.  It takes privileges to
 * read them, and they are not to be trusted: collect.c only moves them, pods.h looks into them when those are gone.
 */
enum fact_kind {
	FACT_CNI_RESULT,	/* what the network plugin gave a pod; libcni keeps it */
	FACT_RUNTIME,		/* config.json of a sandbox or container: containerd, CRI-O */
	FACT_CGROUP,		/* a pod's directory: the name alone */
	FACT_HOSTS,		/* etc-hosts of a pod, below the kubelet's directory: the path has its uid */
	FACT_LOG,		/* a pod's directory of logs: the name alone */
	FACT_KUBELET,		/* its read-only port: an answer of HTTP */
	/* Of what moves the packets, not of pods: dataplane/ looks into it. */
	FACT_CNI_CONF,		/* a configuration of network plugins */
	FACT_PIN,		/* in the BPF file system: the name alone */
	FACT_AGENT,		/* an agent's socket, or a file that it keeps, is there: the path alone */
	FACT_SYSCTL,		/* net.bridge.bridge-nf-call-iptables: its value */
	FACT_INTERFACE,		/* its name; bytes: its index, uint32_t */
	FACT_NFT,		/* rules of nf_tables: netlink messages */
	FACT_LEGACY,		/* a table of iptables-legacy; path: its family, "4" or "6" */
	FACT_EBPF,		/* a pinned map that an agent decides by; path: its name */
	FACT_DUMP,		/* what Calico's agent wrote down of its rules */
	FACT_CILIUM,		/* what its agent answers: HTTP; path: "endpoint", "identity" */
	FACT_ADDRESS,		/* of this network namespace: a struct addr; path: its interface */
	FACT_KINDS
};

struct fact {
	enum fact_kind kind;
	int64_t time_ns;	/* when it was last written, since 1970 */
	const char *path, *bytes;
	size_t path_len, n;	/* neither ends in a NUL */
};

enum {
	FACTS_OF_PODS = (1u << FACT_CNI_CONF) - 1,
	FACTS_OF_NETWORK = (1u << FACT_CILIUM) - 1 - FACTS_OF_PODS,	/* nobody is asked */
};

enum { FACTS_MAX_BYTES = 128 << 20, FACT_MAX_BYTES = 1 << 20, FACT_KUBELET_MAX_BYTES = 64 << 20,
       FACT_CILIUM_MAX_BYTES = 16 << 20 };

struct facts {
	struct buf data;
	uint32_t n[FACT_KINDS];
	uint32_t left_out[FACT_KINDS];	/* too large, too many, or not to be read */
	bool there[FACT_KINDS];		/* a place of it is, be it empty */
	int64_t boot_ns, now_ns;	/* when the machine was started, and this was read; 0: a copy, not known */
	int err[FACT_KINDS];		/* the first reason why something was left out: negative errno */
	/* Before collect.c reads the directory `path` below `root`, or finds that it is not there: whoever begins to
	 * watch it then misses nothing.  NULL: nobody does. */
	void (*before)(void *ctx, int root, const char *path);
	void *before_ctx;
};

/* Copies; what there is no room for is left out: -EFBIG. */
void facts_add(struct facts *f, const struct fact *fact);
/* *at begins as 0; false at the end. */
bool facts_next(const struct facts *f, size_t *at, struct fact *out);
void facts_free(struct facts *f);

/*
 * collect.c: the facts of the kinds (1 << FACT_x) that are files below `root` ("/", or a copy of a node's files: links
 * lead nowhere out of it) or the kubelet's.  What cannot be read is in f->err.  0, or -errno, said: root itself cannot
 * be opened.
 */
int facts_collect(struct facts *f, const char *root, uint32_t kinds);
/* Where that kind was looked for, for messages. */
const char *fact_place(enum fact_kind kind);

#endif
