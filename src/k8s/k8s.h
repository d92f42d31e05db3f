/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_K8S_K8S_H
#define NETPROBE_K8S_K8S_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "k8s/intern.h"
#include "util/addr.h"

/*
 * The objects of a cluster that decide who may talk to whom, and the decision.
 * They come from files (load.h); what is not known of them is not guessed: an
 * answer is yes, no, or maybe.
 */
enum tri { NO, MAYBE, YES };

static inline enum tri tri_and(enum tri a, enum tri b)
{
	return a < b ? a : b;
}

/* ── labels and selectors ─────────────────────────────────────────────────── */
struct label {
	uint32_t key, value;		/* numbers of k8s->names */
};

struct labels {
	struct label *v;		/* by key */
	uint32_t n;
	bool whole;			/* these are all; else there may be others */
};

enum sel_op { SEL_IN, SEL_NOT_IN, SEL_EXISTS, SEL_NOT_EXISTS };

struct sel_term {
	uint32_t key, n_values, *values;
	enum sel_op op;
};

/* All terms must hold; none: everything is selected.  A selector that is absent is a NULL pointer. */
struct selector {
	struct sel_term *terms;
	uint32_t n;
};

/* ── objects ──────────────────────────────────────────────────────────────── */
struct k8s_ns {
	uint32_t name, seen;		/* seen: see k8s.round */
	bool known;			/* its object was read: the labels are whole */
	struct labels labels;
};

struct pod_port {
	uint32_t name;			/* 0: none */
	uint16_t port;
	uint8_t proto;
};

struct k8s_pod {
	uint32_t ns, name, seen;	/* ns: index into k8s->ns */
	struct labels labels;
	struct addr *ips;
	struct addr host_ip;
	struct pod_port *ports;
	uint32_t n_ips, n_ports;
	uint32_t node, uid;		/* names */
	const char *sidecar;		/* of which mesh it has one; NULL: none */
	uint32_t workload;		/* whoever made it: "Deployment/web"; 0: nobody, or that is not told */
	uint8_t source;			/* whoever loads it says where it came from: not of the readers */
	bool host_network;
	bool mirror;			/* of a static pod, whose uid at its node is another */
	bool ended;			/* Succeeded or Failed: its addresses may be others' by now */
	bool ports_known;
	bool alive;			/* false: deleted, or a place that is free */
	uint32_t *selected_by;		/* policy/select.h fills it */
	uint32_t n_selected, generation;
	struct arena mem;
};

struct k8s_cidr {
	struct addr addr;
	uint8_t bits;
};

enum peer_kind { PEER_PODS, PEER_BLOCK, PEER_NODES, PEER_NAMES };

struct k8s_peer {
	enum peer_kind kind;
	const struct selector *ns, *pod;	/* PEER_PODS: NULL is absent; PEER_NODES: pod is the node's */
	bool any_ns;				/* no word on namespaces is every namespace, not the policy's own */
	uint32_t *same, n_same;			/* labels in which the namespaces agree */
	uint32_t *not_same, n_not_same;		/* or differ */
	struct k8s_cidr *blocks, *except;	/* PEER_BLOCK: in one of the former and none of the latter */
	uint32_t n_blocks, n_except;
	uint32_t line, column;		/* 0: not kept */
};

struct k8s_port {
	uint8_t proto;			/* of TCP, UDP or SCTP; 0: any */
	uint16_t first, last;
	uint32_t name;			/* not 0: the destination's port of that name */
	uint32_t line, column;		/* 0: not kept */
};

enum rule_action { ACTION_ALLOW, ACTION_DENY, ACTION_PASS };

struct k8s_rule {
	enum rule_action action;
	bool any_peer, any_port;
	struct k8s_peer *peers;
	struct k8s_port *ports;
	uint32_t n_peers, n_ports;
	uint32_t name;
};

enum side { EGRESS, INGRESS, SIDES };

/* In the order of precedence. */
enum policy_kind { POLICY_ADMIN, POLICY_NETWORK, POLICY_BASELINE };

struct k8s_policy {
	enum policy_kind kind;
	uint32_t ns, name, seen;		/* ns: index, of POLICY_NETWORK */
	int32_t priority;			/* of POLICY_ADMIN: the lower goes first */
	bool isolates[SIDES];
	bool alive;
	const struct selector *subject_ns;	/* of the admin kinds */
	const struct selector *pods;		/* NULL: all */
	struct k8s_rule *rules[SIDES];
	uint32_t n_rules[SIDES];
	uint32_t file, line;			/* where it was read: a name, a number */
	char *label;				/* "ns/name", "AdminNetworkPolicy/name" */
	struct arena mem;
};

struct k8s_node {
	uint32_t name, seen;
	struct labels labels;
	struct addr *ips;
	struct k8s_cidr *pod_cidrs;
	uint32_t n_ips, n_pod_cidrs;
	bool alive;
	struct arena mem;
};

struct k8s_service {
	uint32_t ns, name, seen;
	struct addr *ips;		/* ClusterIPs */
	uint32_t n_ips;
	bool alive;
	struct arena mem;
};

/* Objects live at fixed places, [0] of each is not used; a place is free when not alive. */
struct k8s {
	struct intern names;
	struct k8s_ns *ns;
	struct k8s_pod *pods;
	struct k8s_policy *policies;
	struct k8s_node *nodes;
	struct k8s_service *services;
	uint32_t n_ns, n_pods, n_policies, n_nodes, n_services;
	uint32_t room_ns, room_pods, room_policies, room_nodes, room_services;
	struct numbers ns_by_name, pod_by_name, policy_by_name, node_by_name, service_by_name;
	struct numbers pod_by_ip, node_by_ip, service_by_ip;
	uint32_t metadata_name;		/* the label every namespace has */
	uint32_t other_kinds;		/* policies of kinds that are not evaluated */
	uint32_t generation;		/* of policies and namespaces: what was derived is stale when it moves */
	uint32_t round;			/* what is read or deleted gets it as its `seen`; whoever lists anew adds one */
	uint32_t *order, n_order;	/* policies by precedence; order_of_ns[i]: first of namespace i */
	uint32_t *order_of_ns, n_order_of_ns, first_baseline, order_generation;
};

/* What they are found by: ns_by_name and node_by_name by their name alone. */
static inline uint64_t k8s_key(uint32_t ns, uint32_t name)
{
	return (uint64_t)ns << 32 | name;
}

/* Namespaces are few: the kind fits above them. */
static inline uint64_t k8s_policy_key(enum policy_kind kind, uint32_t ns, uint32_t name)
{
	return k8s_key(ns | (uint32_t)kind << 29, name);
}

int  k8s_open(struct k8s **out);
void k8s_close(struct k8s *k);

/* The namespace of that name, which need not have been read; 0: no memory. */
uint32_t k8s_ns(struct k8s *k, uint32_t name);
/* Place for an object, the old one of that name emptied; NULL: no memory.  Names may be 0: then it is always new. */
struct k8s_pod *k8s_pod_place(struct k8s *k, uint32_t ns, uint32_t name);
struct k8s_policy *k8s_policy_place(struct k8s *k, enum policy_kind kind, uint32_t ns, uint32_t name);
struct k8s_node *k8s_node_place(struct k8s *k, uint32_t name);
struct k8s_service *k8s_service_place(struct k8s *k, uint32_t ns, uint32_t name);
/* Their addresses are found from now on. */
bool k8s_pod_index(struct k8s *k, const struct k8s_pod *p);
bool k8s_node_index(struct k8s *k, const struct k8s_node *n);
bool k8s_service_index(struct k8s *k, const struct k8s_service *s);
void k8s_pod_forget(struct k8s_pod *p);
void k8s_policy_forget(struct k8s *k, struct k8s_policy *p);
void k8s_ns_forget(struct k8s *k, struct k8s_ns *ns);
void k8s_node_forget(struct k8s_node *n);
void k8s_service_forget(struct k8s_service *s);

const struct k8s_pod *k8s_pod_find(const struct k8s *k, const char *ns, size_t ns_len, const char *name);
const struct k8s_pod *k8s_pod_by_ip(const struct k8s *k, const struct addr *a);
const struct k8s_node *k8s_node_by_ip(const struct k8s *k, const struct addr *a);
const struct k8s_service *k8s_service_by_ip(const struct k8s *k, const struct addr *a);
/* Is it an address that a node gives to pods? */
bool k8s_is_pod_range(const struct k8s *k, const struct addr *a);
/* The mesh whose sidecar a container of that name is: "istio", "linkerd"; NULL: of none. */
const char *k8s_sidecar(const char *container);
bool cidr_contains(const struct k8s_cidr *c, const struct addr *a);

/*
 * rounds.c: objects that change.  kind: as in an object, "Pod".
 * In which round it was read or deleted last; 0: in none.
 */
uint32_t k8s_seen(const struct k8s *k, const char *kind, const char *ns, const char *name);
/* Forget those of the kind that were read in a round before that one, but not in 0; of pods those from that source.
 * How many. */
uint32_t k8s_sweep(struct k8s *k, const char *kind, uint32_t round, uint8_t source);
/* Places and names of what is gone are given back.  Numbers, places and pointers that were taken from k mean nothing
 * afterwards.  0, or -ENOMEM, said: then k is of no use any more. */
int  k8s_tidy(struct k8s *k);
/* An address that a pod has which is gone is found with the pod that has it by now. */
bool k8s_pods_index(struct k8s *k);

/* IPv4 dotted, IPv6; IPv4-mapped becomes IPv4.  sloppy: set when bytes have leading zeros, may be NULL. */
bool addr_parse(struct addr *out, const char *s, size_t n, bool *sloppy);
bool cidr_parse(struct k8s_cidr *out, const char *s, bool *sloppy);

#endif
