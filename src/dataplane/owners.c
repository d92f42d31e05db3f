// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose a chain is: by its table and name.  Those of iptables are looked for in its own tables only; a program that
 * writes to nf_tables itself has a table of its own.
 */
#include "dataplane/owners.h"

#include <linux/netfilter.h>
#include <string.h>

#include "dataplane/owners_parts.h"

#define ROWS(a) (a), sizeof(a) / sizeof((a)[0])

/* Cilium pkg/datapath/iptables, flannel pkg/trafficmngr, Weave Net npc/controller.go and net/iptables.go, Antrea
 * pkg/agent/route, Amazon's CNI pkg/networkutils, containernetworking/plugins (portmap, ipmasq, firewall), Istio
 * tools/istio-iptables, linkerd2-proxy-init, Docker libnetwork, firewalld, ufw. */
static const struct chain_row by_name[] = {
	{ "CILIUM_*", OWNER_CILIUM, MEANS_NOTHING, -1 },
	{ "OLD_CILIUM_*", OWNER_CILIUM, MEANS_NOTHING, -1 },
	{ "FLANNEL-*", OWNER_FLANNEL, MEANS_NOTHING, -1 },
	{ "WEAVE-NPC", OWNER_WEAVE, MEANS_DISPATCH, 1 },
	{ "WEAVE-NPC-DEFAULT", OWNER_WEAVE, MEANS_PROFILE, 1 },
	{ "WEAVE-NPC-INGRESS", OWNER_WEAVE, MEANS_POLICY, 1 },
	{ "WEAVE-NPC-EGRESS", OWNER_WEAVE, MEANS_DISPATCH, 0 },
	{ "WEAVE-NPC-EGRESS-DEFAULT", OWNER_WEAVE, MEANS_PROFILE, 0 },
	{ "WEAVE-NPC-EGRESS-CUSTOM", OWNER_WEAVE, MEANS_POLICY, 0 },
	{ "WEAVE-*", OWNER_WEAVE, MEANS_NOTHING, -1 },
	{ "WEAVE", OWNER_WEAVE, MEANS_NOTHING, -1 },
	{ "ANTREA-POL-INGRESS-RULES", OWNER_ANTREA, MEANS_DISPATCH, 1 },
	{ "ANTREA-POL-EGRESS-RULES", OWNER_ANTREA, MEANS_DISPATCH, 0 },
	{ "ANTREA-POL-PRE-INGRESS-RULES", OWNER_ANTREA, MEANS_DISPATCH, 1 },
	{ "ANTREA-POL-PRE-EGRESS-RULES", OWNER_ANTREA, MEANS_DISPATCH, 0 },
	{ "ANTREA-POL-*", OWNER_ANTREA, MEANS_POLICY, -1 },
	{ "ANTREA-*", OWNER_ANTREA, MEANS_NOTHING, -1 },
	{ "AWS-SNAT-CHAIN-*", OWNER_AWS, MEANS_NOTHING, -1 },
	{ "AWS-CONNMARK-CHAIN-*", OWNER_AWS, MEANS_NOTHING, -1 },
	{ "OVN-KUBE-*", OWNER_OVN, MEANS_NOTHING, -1 },
	{ "KIND-MASQ-AGENT", OWNER_KINDNET, MEANS_NOTHING, -1 },
	{ "CNI-*", OWNER_CNI_PLUGIN, MEANS_NOTHING, -1 },
	{ "ISTIO_IN_REDIRECT", OWNER_ISTIO, MEANS_MESH, 1 },
	{ "ISTIO_INBOUND", OWNER_ISTIO, MEANS_MESH, 1 },
	{ "ISTIO_TPROXY", OWNER_ISTIO, MEANS_MESH, 1 },
	{ "ISTIO_REDIRECT", OWNER_ISTIO, MEANS_MESH, 0 },
	{ "ISTIO_OUTPUT", OWNER_ISTIO, MEANS_MESH, 0 },
	{ "ISTIO_*", OWNER_ISTIO, MEANS_NOTHING, -1 },
	{ "PROXY_INIT_REDIRECT", OWNER_LINKERD, MEANS_MESH, 1 },
	{ "PROXY_INIT_OUTPUT", OWNER_LINKERD, MEANS_MESH, 0 },
	{ "DOCKER", OWNER_DOCKER, MEANS_NOTHING, -1 },
	{ "DOCKER-*", OWNER_DOCKER, MEANS_NOTHING, -1 },
	{ "DOCKER_OUTPUT", OWNER_DOCKER, MEANS_NOTHING, -1 },
	{ "DOCKER_POSTROUTING", OWNER_DOCKER, MEANS_NOTHING, -1 },
	{ "INPUT_ZONES*", OWNER_FIREWALLD, MEANS_NOTHING, -1 },
	{ "INPUT_direct", OWNER_FIREWALLD, MEANS_NOTHING, -1 },
	{ "FORWARD_IN_ZONES*", OWNER_FIREWALLD, MEANS_NOTHING, -1 },
	{ "FORWARD_OUT_ZONES*", OWNER_FIREWALLD, MEANS_NOTHING, -1 },
	{ "FORWARD_direct", OWNER_FIREWALLD, MEANS_NOTHING, -1 },
	{ "ufw-*", OWNER_UFW, MEANS_NOTHING, -1 },
	{ "ufw6-*", OWNER_UFW, MEANS_NOTHING, -1 },
	{ "felix-*", OWNER_CALICO, MEANS_NOTHING, -1 },
};

/* Tables of nf_tables that one program has for itself: kube-network-policies (kindnet's is named after it), Amazon's
 * CNI, ovn-kubernetes, flannel, Istio, plugins of containernetworking, Docker, firewalld. */
static const struct chain_row by_table[] = {
	{ "calico", OWNER_CALICO, MEANS_NOTHING, -1 },
	{ "kube-router-filter-ipv*", OWNER_KUBE_ROUTER, MEANS_NOTHING, -1 },
	{ "kube-proxy", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "kindnet-network-policies", OWNER_KINDNET, MEANS_DISPATCH, -1 },
	{ "kube-network-policies", OWNER_KINDNET, MEANS_DISPATCH, -1 },
	{ "kube-network-policies-*", OWNER_KINDNET, MEANS_NOTHING, -1 },
	{ "kindnet-*", OWNER_KINDNET, MEANS_NOTHING, -1 },
	{ "aws-cni", OWNER_AWS, MEANS_NOTHING, -1 },
	{ "ovn-kubernetes", OWNER_OVN, MEANS_NOTHING, -1 },
	{ "flannel-ipv*", OWNER_FLANNEL, MEANS_NOTHING, -1 },
	{ "istio-proxy-*", OWNER_ISTIO, MEANS_NOTHING, -1 },
	{ "istio-ambient-*", OWNER_ISTIO, MEANS_NOTHING, -1 },
	{ "cni_hostport", OWNER_CNI_PLUGIN, MEANS_NOTHING, -1 },
	{ "cni_plugins_masquerade", OWNER_CNI_PLUGIN, MEANS_NOTHING, -1 },
	{ "docker-bridges", OWNER_DOCKER, MEANS_NOTHING, -1 },
	{ "firewalld", OWNER_FIREWALLD, MEANS_NOTHING, -1 },
};

/* Istio's chains in its own tables. */
static const struct chain_row istio[] = {
	{ "istio-inbound", OWNER_ISTIO, MEANS_MESH, 1 },
	{ "istio-in-redirect", OWNER_ISTIO, MEANS_MESH, 1 },
	{ "istio-tproxy", OWNER_ISTIO, MEANS_MESH, 1 },
	{ "istio-redirect", OWNER_ISTIO, MEANS_MESH, 0 },
	{ "istio-output", OWNER_ISTIO, MEANS_MESH, 0 },
};

/* Comments that stand in chains of nobody, or that tell more than their chain. */
static const struct form comments[] = {
	{ "cilium-feeder: %*", OWNER_CILIUM, MEANS_NOTHING, -1 },
	{ "cilium: %*", OWNER_CILIUM, MEANS_NOTHING, -1 },
	{ "flanneld %*", OWNER_FLANNEL, MEANS_NOTHING, -1 },
	{ "DefaultAllow ingress isolation for namespace: %n", OWNER_WEAVE, MEANS_PROFILE, 1 },
	{ "DefaultAllow egress isolation for namespace: %n", OWNER_WEAVE, MEANS_PROFILE, 0 },
	{ "Antrea: for rule %h, policy K8sNetworkPolicy:%n/%y", OWNER_ANTREA, MEANS_POLICY, -1 },
	{ "Antrea: for rule %h, policy AntreaNetworkPolicy:%n/%y", OWNER_ANTREA, MEANS_POLICY, -1 },
	{ "Antrea: for rule %h, policy AntreaClusterNetworkPolicy:%y", OWNER_ANTREA, MEANS_POLICY, -1 },
	{ "Antrea: %*", OWNER_ANTREA, MEANS_NOTHING, -1 },
	{ "AWS SNAT CHAIN%*", OWNER_AWS, MEANS_NOTHING, -1 },
	{ "AWS CONNMARK CHAIN%*", OWNER_AWS, MEANS_NOTHING, -1 },
	{ "AWS, %*", OWNER_AWS, MEANS_NOTHING, -1 },
	{ "kind-masq-agent: %*", OWNER_KINDNET, MEANS_NOTHING, -1 },
	{ "name: %w id: %w", OWNER_CNI_PLUGIN, MEANS_NOTHING, -1 },
	{ "CNI portfwd %*", OWNER_CNI_PLUGIN, MEANS_NOTHING, -1 },
	{ "CNI firewall plugin %*", OWNER_CNI_PLUGIN, MEANS_NOTHING, -1 },
	{ "proxy-init/%*", OWNER_LINKERD, MEANS_NOTHING, -1 },
};

static void clear(struct owned *o)
{
	o->owner = OWNER_NONE;
	o->meaning = MEANS_NOTHING;
	o->ingress = -1;
	o->ns[0] = o->pod[0] = o->policy[0] = o->service[0] = o->kind[0] = o->iface[0] = o->hash[0] = 0;
}

static bool of_ip(uint8_t family)
{
	return family == NFPROTO_IPV4 || family == NFPROTO_IPV6;
}

/* Its own are of these two families; "inet filter" is somebody's by hand. */
static bool of_iptables(uint8_t family, const char *table)
{
	static const char *const tables[] = { "filter", "nat", "mangle", "raw", "security" };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && of_ip(family); i++)
		if (!strcmp(table, tables[i]))
			return true;
	return false;
}

static void of_own_table(uint8_t family, const char *table, const char *chain, struct owned *out)
{
	if (!rows_find(ROWS(by_table), table, out))
		return;
	/* These have a table for each of the two. */
	if (!of_ip(family) && (out->owner == OWNER_CALICO || out->owner == OWNER_KUBE_ROUTER ||
			       out->owner == OWNER_KUBE_PROXY || out->owner == OWNER_FLANNEL)) {
		clear(out);
		return;
	}
	if (out->owner == OWNER_CALICO)
		calico_of_chain(chain, out);
	else if (out->owner == OWNER_KUBE_ROUTER)
		kube_of_chain(chain, out);
	else if (out->owner == OWNER_KUBE_PROXY)
		kube_proxy_of_chain(chain, out);
	else if (out->owner == OWNER_ISTIO)
		rows_find(ROWS(istio), chain, out);
}

static void classify(uint8_t family, const char *table, const char *chain, struct owned *out)
{
	const char *rule_id;

	clear(out);
	if (!table || !chain)
		return;
	if (!of_iptables(family, table)) {
		of_own_table(family, table, chain, out);
		return;
	}
	if (past(chain, "cali-"))
		calico_of_chain(chain, out);
	else if (past(chain, "KUBE-"))
		kube_of_chain(chain, out);
	else
		rows_find(ROWS(by_name), chain, out);
	rule_id = past(chain, "ANTREA-POL-");
	if (rule_id && out->meaning == MEANS_POLICY)
		put_name(out->hash, sizeof(out->hash), rule_id, strlen(rule_id));
}

void owner_of_chain(const struct nf_chain *c, struct owned *out)
{
	classify(c->family, c->table, c->name, out);
}

/* Of a chain that takes packets to a sidecar only what sends them there does: by REDIRECT or TPROXY.  15001 is Istio's
 * port for what leaves the pod, 15006 for what arrives; 4140 and 4143 are Linkerd's. */
static void mesh_rule(const struct nf_rule *rule, struct owned *out)
{
	bool sends = rule->verdict == NF_REDIRECTS ||
		     (rule->verdict == NF_TARGET && rule->target && !strcmp(rule->target, "TPROXY"));

	out->meaning = sends ? MEANS_MESH : MEANS_NOTHING;
	if (!sends || out->ingress >= 0)
		return;
	if (rule->to_port == (out->owner == OWNER_ISTIO ? 15006 : 4143))
		out->ingress = 1;
	else if (rule->to_port == (out->owner == OWNER_ISTIO ? 15001 : 4140))
		out->ingress = 0;
}

/* At the end of Weave's two chains stands what drops all that no policy and no default allowed. */
static void weave_rule(const struct nf_rule *rule, struct owned *out)
{
	if (out->meaning == MEANS_DISPATCH && rule->verdict == NF_DROPS)
		out->meaning = MEANS_DEFAULT_DENY;
}

static void of_comment(const char *comment, struct owned *out)
{
	uint8_t owner = out->owner;
	bool kube = owner == OWNER_NONE || owner == OWNER_KUBE_ROUTER || owner == OWNER_KUBE_PROXY;

	if (kube && kube_of_comment(comment, out))
		return;
	if (!forms_find(ROWS(comments), owner, comment, out) || out->owner != OWNER_ANTREA || !out->policy[0])
		return;
	comment = strstr(comment, "policy ") + strlen("policy ");
	if (past(comment, "K8s"))
		comment += strlen("K8s");
	put_name(out->kind, sizeof(out->kind), comment, strcspn(comment, ":"));
}

/*
 * A text may be anybody's.  In a chain of nobody it tells an owner, and no name; nowhere another direction than the
 * chain's; and the end of the policies is what drops.
 */
static void bound(const struct nf_rule *rule, const struct owned *told, struct owned *out)
{
	uint8_t owner = out->owner, meaning = out->meaning;

	if (told->owner == OWNER_NONE) {
		clear(out);
		out->owner = owner;
		out->meaning = meaning == MEANS_DISPATCH || meaning == MEANS_SERVICE ? meaning : MEANS_NOTHING;
		return;
	}
	if (told->ingress >= 0)
		out->ingress = told->ingress;
	if (meaning == MEANS_DEFAULT_DENY && rule->verdict != NF_DROPS && rule->verdict != NF_REJECTS &&
	    rule->verdict != NF_NONE && rule->verdict != NF_QUEUES)
		out->meaning = MEANS_POD;
}

void owner_of_rule(const struct nf_rules *r, const struct nf_rule *rule, struct owned *out)
{
	const struct nf_chain *c = rule->chain < r->n_chains ? &r->chains[rule->chain] : NULL;
	bool goes = (rule->verdict == NF_JUMPS || rule->verdict == NF_GOES) && rule->target;
	struct owned told;		/* by the chain alone */

	classify(c ? c->family : 0, c ? c->table : NULL, c ? c->name : NULL, out);
	told = *out;
	if (out->owner == OWNER_NONE || out->owner == OWNER_CALICO)
		calico_of_rule(r, rule, out);
	if (rule->comment && out->owner != OWNER_CALICO)
		of_comment(rule->comment, out);
	if (out->owner == OWNER_KUBE_ROUTER || out->owner == OWNER_KUBE_PROXY)
		kube_of_rule(rule, c && c->name ? c->name : "", out);
	else if (out->owner == OWNER_ISTIO || out->owner == OWNER_LINKERD)
		mesh_rule(rule, out);
	else if (out->owner == OWNER_WEAVE)
		weave_rule(rule, out);
	bound(rule, &told, out);
	if (out->owner != OWNER_NONE || !goes || !c)
		return;
	classify(c->family, c->table, rule->target, out);
	if (out->owner != OWNER_NONE) {
		uint8_t owner = out->owner;

		clear(out);
		out->owner = owner;
		out->meaning = MEANS_DISPATCH;
	}
}

/* ── the policies that a rule is the end of ── */

/*
 * In the chain of a pod's interface Calico (felix/rules/endpoints.go) goes to the chain of each, or of a group of them
 * ("cali-pi-", "cali-gi-"), and behind those of a tier drops.
 */
enum { ASKED_MAX = 256 };	/* rules that are looked at */

struct asked {
	const struct nf_rules *r;
	struct buf *out;
	size_t from;		/* in *out: the first of them */
	unsigned int left;
	int8_t ingress;
};

static const struct nf_chain *target_of(const struct asked *a, const struct nf_rule *rule)
{
	const struct nf_chain *c = &a->r->chains[rule->chain];

	if ((rule->verdict != NF_JUMPS && rule->verdict != NF_GOES) || !rule->target)
		return NULL;
	return nf_chain_find(a->r, c->via, c->family, c->table, rule->target);
}

/* Of a chain of Calico's that is of one policy or of a group.  A name may stand at its first rule alone. */
static void who(const struct asked *a, const struct nf_chain *c, struct owned *o)
{
	struct owned first;

	owner_of_chain(c, o);
	if (o->owner != OWNER_CALICO || o->meaning != MEANS_POLICY || !c->n)
		return;
	owner_of_rule(a->r, &a->r->rules[c->first], &first);
	if (first.meaning == MEANS_POLICY && first.policy[0])
		*o = first;
}

static bool put(struct asked *a, const struct owned *o)
{
	if (o->owner != OWNER_CALICO || o->meaning != MEANS_POLICY || !o->policy[0] || o->ingress != a->ingress)
		return false;
	buf_fmt(a->out, "%s%s%s%s", a->out->n > a->from ? "," : "", o->ns, o->ns[0] ? "/" : "", o->policy);
	return !a->out->full;
}

/* false: one of them is not known. */
static bool ask_group(struct asked *a, const struct nf_chain *group)
{
	for (uint32_t i = 0; i < group->n; i++) {
		const struct nf_chain *c = target_of(a, &a->r->rules[group->first + i]);
		struct owned o;

		if (!a->left || !--a->left)
			return false;
		if (!c)
			continue;
		who(a, c, &o);
		if (!put(a, &o))
			return false;
	}
	return true;
}

static bool ask(struct asked *a, const struct nf_rule *rule)
{
	const struct nf_chain *c = target_of(a, rule);
	struct owned o;

	if (!a->left || !--a->left)
		return false;
	if (!c)
		return true;
	who(a, c, &o);
	return o.meaning == MEANS_DISPATCH ? ask_group(a, c) : put(a, &o);
}

void owner_ended(const struct nf_rules *r, const struct nf_rule *rule, struct buf *out)
{
	const struct nf_rule *first = &r->rules[r->chains[rule->chain].first], *at = rule;
	struct asked a = { .r = r, .out = out, .from = out->n, .left = ASKED_MAX };
	struct owned o;

	owner_of_rule(r, rule, &o);
	if (o.owner != OWNER_CALICO || o.meaning != MEANS_DEFAULT_DENY || o.ingress < 0)
		return;
	a.ingress = o.ingress;
	/* Those of another tier stand before its end. */
	while (at > first && (unsigned int)(rule - at) < ASKED_MAX) {
		owner_of_rule(r, at - 1, &o);
		if (o.meaning == MEANS_DEFAULT_DENY)
			break;
		at--;
	}
	for (; at < rule; at++)
		if (!ask(&a, at)) {
			out->n = a.from;
			return;
		}
}

const char *owner_name(enum owner o)
{
	static const char *const names[OWNERS] = {
		[OWNER_NONE] = "none", [OWNER_CALICO] = "calico", [OWNER_CILIUM] = "cilium",
		[OWNER_KUBE_ROUTER] = "kube-router", [OWNER_KUBE_PROXY] = "kube-proxy", [OWNER_KUBELET] = "kubelet",
		[OWNER_FLANNEL] = "flannel", [OWNER_WEAVE] = "weave", [OWNER_ANTREA] = "antrea",
		[OWNER_KINDNET] = "kindnet", [OWNER_AWS] = "aws", [OWNER_OVN] = "ovn-kubernetes",
		[OWNER_CNI_PLUGIN] = "cni-plugin", [OWNER_ISTIO] = "istio", [OWNER_LINKERD] = "linkerd",
		[OWNER_DOCKER] = "docker", [OWNER_FIREWALLD] = "firewalld", [OWNER_UFW] = "ufw",
	};

	return (unsigned int)o < OWNERS ? names[o] : "unknown";
}

const char *meaning_text(enum meaning m)
{
	static const char *const texts[] = {
		[MEANS_NOTHING] = "",
		[MEANS_DISPATCH] = "goes to the chains of pods",
		[MEANS_POD] = "the chain of a pod",
		[MEANS_POLICY] = "a policy",
		[MEANS_PROFILE] = "what applies where no policy does",
		[MEANS_DEFAULT_DENY] = "the end of the policies: none allowed it",
		[MEANS_NO_ENDPOINTS] = "a service that has no endpoints",
		[MEANS_INVALID] = "of no connection that is known",
		[MEANS_ENCAP] = "a tunnel's packets from who is not of the cluster",
		[MEANS_MESH] = "to the port of a sidecar",
		[MEANS_SERVICE] = "a service's address becomes a pod's",
	};

	return (size_t)m < sizeof(texts) / sizeof(texts[0]) ? texts[m] : "";
}
