/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_EBPF_EBPF_H
#define NETPROBE_EBPF_EBPF_H

#include "dataplane/owners.h"
#include "util/addr.h"

/*
 * What agents that enforce policies by eBPF keep in pinned maps: whom each endpoint lets in and out, who has which
 * identity, what was dropped and why.  Forms: Cilium's bpf/lib/common.h and eps.h, 1.12 to 1.19; Calico's
 * felix/bpf/counters and polprog, 3.25 to 3.31.  A map whose type, keys or values have another size is named and not
 * read.
 */
enum ebpf_kind {
	EBPF_OTHER,		/* not looked into */
	EBPF_POLICY,		/* cilium_policy_NNNNN, _v2_, _v3_: an endpoint's peers, let through or not */
	EBPF_COUNTS,		/* cilium_policystats: their packets, where the maps themselves have none */
	EBPF_ENDPOINTS,		/* cilium_lxc: addresses and interfaces of endpoints */
	EBPF_IDENTITIES,	/* cilium_ipcache: addresses and their identities */
	EBPF_DROPS,		/* cilium_metrics: packets by reason */
	EBPF_RULE_COUNTS,	/* cali_rule_ctrs2: packets that a rule decided, by its id */
	EBPF_IFACE_COUNTS,	/* cali_counters: those that policies let through and dropped, by interface */
	EBPF_DUMP,		/* no map: what the agent wrote down of an interface's rules */
	EBPF_KINDS
};

struct ebpf_map {
	char name[64];
	uint32_t endpoint;		/* of EBPF_POLICY */
	uint32_t type, key_size, value_size;
	uint8_t kind;			/* enum ebpf_kind */
	uint8_t owner;			/* enum owner */
	bool known;			/* of a form that is read */
	bool open[2];			/* of EBPF_POLICY, [ingress]: it lets everybody through */
	char iface[16];			/* of EBPF_DUMP */
	uint8_t family;			/* of it: 4, 6 */
};

struct ebpf_rule {
	uint32_t map;			/* index */
	uint32_t peer;			/* identity; 0: everybody */
	uint64_t packets, bytes;
	uint16_t port, to_port;		/* to_port: of NF_REDIRECTS, the proxy's */
	uint8_t port_bits;		/* so many of 16 are compared */
	uint8_t proto;			/* IANA's; 0: any */
	uint8_t reason;			/* of EBPF_DROPS, Cilium's number */
	uint8_t verdict;		/* enum nf_verdict: NF_ACCEPTS, NF_DROPS, NF_REDIRECTS */
	uint8_t meaning;		/* enum meaning */
	int8_t ingress;			/* as the pod sees it (of EBPF_IFACE_COUNTS the host): 1, 0; -1 not told */
	bool counted;
	/* Of Calico.  Texts are the agent's, NULL: none. */
	bool id_is_ours;		/* concluded, not read */
	uint32_t ifindex;		/* of EBPF_IFACE_COUNTS */
	uint32_t place;			/* in its dump, from 1 */
	uint64_t id;			/* 0: none; packets are those of all interfaces that have the rule */
	const char *policy, *tier;	/* policy: "Policy ID ingress", as calico_of_policy() takes it */
	const char *comment;
};

/* Both begin alike, and are looked up by that. */
struct ebpf_endpoint {
	uint32_t id;
	struct addr addr;
	uint32_t ifindex, identity;	/* identity: 0 not told */
};

struct ebpf_peer {
	uint32_t identity;
	struct addr addr;
	uint8_t bits;			/* of the address that count */
};

struct ebpf_count {
	uint32_t endpoint, peer;
	uint16_t port;
	uint8_t port_bits, proto;
	bool ingress;
	uint64_t packets, bytes;
};

struct ebpf {
	struct ebpf_map *maps;
	struct ebpf_rule *rules;	/* by map */
	struct ebpf_endpoint *endpoints;
	struct ebpf_peer *peers;
	struct ebpf_count *counts;
	struct ebpf_id {
		uint64_t id, packets;
	} *ids;
	/* What Cilium's agent calls them: of an endpoint "namespace/pod", of an identity its labels. */
	struct ebpf_named {
		uint32_t number;
		const char *text;
	} *pods, *labels;
	uint32_t n_pods, n_labels, room_pods, room_labels;
	char **texts;
	uint32_t n_ids, n_texts, room_ids, room_texts;
	bool ids_there;			/* the map could be read */
	uint32_t n_maps, n_rules, n_endpoints, n_peers, n_counts;
	uint32_t room_maps, room_rules, room_endpoints, room_peers, room_counts;
	uint32_t broken;		/* entries that were not understood: left out */
};

enum { EBPF_BYTES_MAX = 64 << 20, EBPF_MAPS_MAX = 1 << 14 };

/* What ebpf_read() hands over: this, then `n` keys, each with its value behind it.  Integers are the machine's. */
struct ebpf_head {
	uint32_t type;			/* BPF_MAP_TYPE_ */
	uint32_t key_size, value_size;	/* of a map per CPU the sum of all of them, as 64-bit numbers */
	uint32_t n;
};

enum ebpf_kind ebpf_kind_of(const char *name, uint32_t *endpoint);
/* Is a map of that kind read which has this type and these sizes? */
bool ebpf_is_known(enum ebpf_kind kind, const struct ebpf_head *h);

/* One map: its name, and what ebpf_read() got of it.  0 or -ENOMEM, said; what is not understood is counted. */
int  ebpf_parse(struct ebpf *e, const char *name, const void *bytes, size_t n);
/* A file of Calico's below /run/calico/bpf/policy, by its name without the folder: likewise; others are passed over. */
int  ebpf_parse_dump(struct ebpf *e, const char *name, const char *text, size_t n);
/* An answer of Cilium's agent to GET /v1/endpoint or (identities) /v1/identity.  -EINVAL: not understood, not said. */
int  ebpf_parse_agent(struct ebpf *e, bool identities, const char *text, size_t n);
/* When all are parsed: counts come to their rules, and the rest can be looked up. */
void ebpf_join(struct ebpf *e);
void ebpf_free(struct ebpf *e);

/* The addresses of an endpoint, or who has an identity: the first of *n; NULL: none. */
const struct ebpf_endpoint *ebpf_endpoint(const struct ebpf *e, uint32_t id, uint32_t *n);
/* "" where the agent told none. */
const char *ebpf_pod(const struct ebpf *e, uint32_t endpoint);
const char *ebpf_labels(const struct ebpf *e, uint32_t identity);
const struct ebpf_peer *ebpf_peers(const struct ebpf *e, uint32_t identity, uint32_t *n);

/* What it means, and of Calico the policy or tier it comes from. */
void ebpf_owned(const struct ebpf_rule *r, struct owned *out);
/*
 * ebpf_read.c: each map below dir whose name has a kind, in the order of the names, to hand(), which returns 0, or what
 * ends it; of a form that is not known the head alone.  It is opened for reading only, and its content not looked into.
 * 0, or the first -errno, said: -EACCES it is another user's, -EPERM needs CAP_BPF (before Linux 5.19), -EAGAIN it
 * changed whenever it was read, -EFBIG more than EBPF_BYTES_MAX.  No directory, or no BPF file system: no maps.
 */
typedef int (*ebpf_hand)(void *ctx, const char *name, const void *bytes, size_t n);
int  ebpf_read(const char *dir, ebpf_hand hand, void *ctx);

#endif
