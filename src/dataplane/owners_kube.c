// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains that begin with "KUBE-": kube-router's (pkg/controllers/netpol; pkg/controllers/proxy), kube-proxy's
 * (pkg/proxy/iptables, ipvs, nftables) and the kubelet's (pkg/kubelet/kubelet_network_linux.go).  The hashes in
 * kube-router's names change at every synchronization, so names stand in comments alone.
 */
#include <string.h>

#include "dataplane/owners_parts.h"

enum { COMMENT_CUT = 120 };	/* kube-router's shorter comments end there, whatever they say */

#define ROWS(a) (a), sizeof(a) / sizeof((a)[0])

static const struct chain_row chains[] = {
	{ "KUBE-ROUTER-INPUT", OWNER_KUBE_ROUTER, MEANS_DISPATCH, -1 },
	{ "KUBE-ROUTER-FORWARD", OWNER_KUBE_ROUTER, MEANS_DISPATCH, -1 },
	{ "KUBE-ROUTER-OUTPUT", OWNER_KUBE_ROUTER, MEANS_DISPATCH, -1 },
	{ "KUBE-ROUTER-SERVICES", OWNER_KUBE_ROUTER, MEANS_SERVICE, -1 },
	{ "KUBE-ROUTER-*", OWNER_KUBE_ROUTER, MEANS_NOTHING, -1 },
	{ "KUBE-POD-FW-*", OWNER_KUBE_ROUTER, MEANS_POD, -1 },
	{ "KUBE-NWPLCY-DEFAULT", OWNER_KUBE_ROUTER, MEANS_PROFILE, -1 },
	{ "KUBE-NWPLCY-COMMON", OWNER_KUBE_ROUTER, MEANS_NOTHING, -1 },
	{ "KUBE-NWPLCY-TAIL", OWNER_KUBE_ROUTER, MEANS_NOTHING, -1 },
	{ "KUBE-NWPLCY-*", OWNER_KUBE_ROUTER, MEANS_POLICY, -1 },
	{ "KUBE-SERVICES", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-EXTERNAL-SERVICES", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-NODEPORTS", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-SVC-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-SVL-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-SEP-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-EXT-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-XLB-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-FW-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-PROXY-*", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "KUBE-FORWARD", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "KUBE-MARK-MASQ", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "KUBE-POSTROUTING", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "KUBE-SOURCE-RANGES-FIREWALL", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "KUBE-LOAD-BALANCER", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-NODE-PORT", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "KUBE-IPVS-*", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "KUBE-MARK-DROP", OWNER_KUBELET, MEANS_NOTHING, -1 },
	{ "KUBE-FIREWALL", OWNER_KUBELET, MEANS_NOTHING, -1 },
	{ "KUBE-KUBELET-CANARY", OWNER_KUBELET, MEANS_NOTHING, -1 },
	{ "KUBE-IPTABLES-HINT", OWNER_KUBELET, MEANS_NOTHING, -1 },
};

void kube_of_chain(const char *name, struct owned *out)
{
	const char *hash;

	if (!rows_find(ROWS(chains), name, out) || out->owner != OWNER_KUBE_ROUTER)
		return;
	hash = past(name, "KUBE-POD-FW-");
	if (!hash && out->meaning == MEANS_POLICY)
		hash = past(name, "KUBE-NWPLCY-");
	if (hash)
		put_name(out->hash, sizeof(out->hash), hash, strlen(hash));
}

/* ── comments ── */

/* They say whose they are wherever they stand. */
static const struct form anywhere[] = {
	{ "kube-router netpol", OWNER_KUBE_ROUTER, MEANS_DISPATCH, -1 },
	{ "kube-router netpol - %w", OWNER_KUBE_ROUTER, MEANS_DISPATCH, -1 },
	{ "rule to jump traffic destined to POD name:%p namespace: %n to chain KUBE-POD-FW-%h",
	  OWNER_KUBE_ROUTER, MEANS_DISPATCH, 1 },
	{ "rule to jump traffic from POD name:%p namespace: %n to chain KUBE-POD-FW-%h",
	  OWNER_KUBE_ROUTER, MEANS_DISPATCH, 0 },
	{ "rule to log dropped traffic POD name:%p namespace: %n", OWNER_KUBE_ROUTER, MEANS_DEFAULT_DENY, -1 },
	/* of either direction, whatever it says */
	{ "rule to REJECT traffic destined for POD name:%p namespace: %n", OWNER_KUBE_ROUTER, MEANS_DEFAULT_DENY, -1 },
	{ "kubernetes service portals", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "kubernetes externally-visible service portals", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "kubernetes service nodeports; %*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "kubernetes health check service ports", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "kubernetes load balancer firewall", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "kubernetes forwarding rules", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
	{ "kubernetes postrouting rules", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
};

/* In chains of kube-router. */
static const struct form router[] = {
	{ "%y namespace %n", OWNER_KUBE_ROUTER, MEANS_POLICY, -1 },	/* behind "selected by policy name" */
	{ "run through nw policy %y", OWNER_KUBE_ROUTER, MEANS_POD, -1 },
	{ "run through default ingress network policy chain", OWNER_KUBE_ROUTER, MEANS_POD, 1 },
	{ "run through default egress network policy chain", OWNER_KUBE_ROUTER, MEANS_POD, 0 },
	{ "default ingress", OWNER_KUBE_ROUTER, MEANS_POD, 1 },
	{ "default egress", OWNER_KUBE_ROUTER, MEANS_POD, 0 },
	{ "rule to drop invalid state for pod", OWNER_KUBE_ROUTER, MEANS_INVALID, -1 },
	{ "drop invalid state for pod", OWNER_KUBE_ROUTER, MEANS_INVALID, -1 },
	{ "drop invalid", OWNER_KUBE_ROUTER, MEANS_INVALID, -1 },
	{ "rule to permit the traffic traffic to pods when source is the pod's local node",
	  OWNER_KUBE_ROUTER, MEANS_POD, 1 },
	{ "from local node", OWNER_KUBE_ROUTER, MEANS_POD, 1 },
};

/* Who is allowed to whom, in the longer comments. */
static const struct {
	const char *text;
	int8_t ingress;
} directions[] = {
	{ "source pods to dest pods", -1 },	/* of rules of either direction */
	{ "all sources to dest pods", 1 },
	{ "specified ipBlocks to dest pods", 1 },
	{ "source pods to all destinations", 0 },
	{ "source pods to specified ipBlocks", 0 },
};

/* "[rule to ]ACCEPT traffic from WHO to WHOM selected by policy name[:] NAME namespace NS" */
static bool accepts(const char *s, struct owned *out)
{
	s = past(s, "rule to ") ? past(s, "rule to ") : s;
	s = past(s, "ACCEPT traffic from ");
	for (size_t i = 0; s && i < sizeof(directions) / sizeof(directions[0]); i++) {
		const char *rest = past(s, directions[i].text);

		rest = rest ? past(rest, " selected by policy name") : NULL;
		if (!rest)
			continue;
		rest += *rest == ':';
		if (*rest != ' ' || !form_fits(&router[0], rest + 1, strlen(rest + 1), out))
			return false;
		out->ingress = directions[i].ingress;
		return true;
	}
	return false;
}

/* Since 2.9 "NS/NAME WHAT": the name of a pod or, where `policy`, of a policy. */
static const struct {
	const char *text;
	uint8_t meaning;
	bool policy;
	int8_t ingress;
} tags[] = {
	{ "ingress pods", MEANS_POLICY, true, 1 },	{ "ingress pods np", MEANS_POLICY, true, 1 },
	{ "ingress any", MEANS_POLICY, true, 1 },	{ "ingress any np", MEANS_POLICY, true, 1 },
	{ "ingress cidr", MEANS_POLICY, true, 1 },	{ "ingress cidr np", MEANS_POLICY, true, 1 },
	{ "egress pods", MEANS_POLICY, true, 0 },	{ "egress pods np", MEANS_POLICY, true, 0 },
	{ "egress any", MEANS_POLICY, true, 0 },	{ "egress any np", MEANS_POLICY, true, 0 },
	{ "egress cidr", MEANS_POLICY, true, 0 },	{ "egress cidr np", MEANS_POLICY, true, 0 },
	{ "except-src", MEANS_POLICY, true, 1 },	{ "except-dst", MEANS_POLICY, true, 0 },
	{ "ipblock", MEANS_POLICY, true, -1 },		{ "policy", MEANS_POD, true, -1 },
	{ "log-drop", MEANS_DEFAULT_DENY, false, -1 },	{ "reject", MEANS_DEFAULT_DENY, false, -1 },
	{ "in", MEANS_DISPATCH, false, 1 },		{ "out", MEANS_DISPATCH, false, 0 },
};

/* Each stands in chains of one meaning alone. */
static bool fits_chain(size_t tag, uint8_t chain)
{
	if (tags[tag].meaning == MEANS_DEFAULT_DENY)
		return chain == MEANS_POD;
	return chain == tags[tag].meaning;
}

static bool tagged(const char *s, struct owned *out)
{
	uint8_t chain = out->meaning;
	const char *slash = strchr(s, '/'), *name = slash ? slash + 1 : NULL, *blank = name ? strchr(name, ' ') : NULL;
	size_t nn = slash ? (size_t)(slash - s) : 0;

	if (!slash || !is_label(s, nn))
		return false;
	/* Where the text was cut the name may not be whole. */
	if (!blank && strlen(s) == COMMENT_CUT)
		put_name(out->ns, sizeof(out->ns), s, nn);
	if (!blank || !is_name(name, (size_t)(blank - name)))
		return false;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (strcmp(blank + 1, tags[i].text) || !fits_chain(i, chain))
			continue;
		/* "in" may be what is left of "ingress pods". */
		if (strlen(s) == COMMENT_CUT && tags[i].meaning == MEANS_DISPATCH)
			continue;
		out->meaning = tags[i].meaning;
		out->ingress = tags[i].ingress;
		put_name(out->ns, sizeof(out->ns), s, nn);
		put_name(tags[i].policy ? out->policy : out->pod, OWNER_NAME_MAX, name, (size_t)(blank - name));
		return true;
	}
	return false;
}

/* In chains of kube-proxy. */
static const struct form proxy[] = {
	{ "%n/%s has no endpoints", OWNER_KUBE_PROXY, MEANS_NO_ENDPOINTS, -1 },
	{ "%n/%s has no local endpoints", OWNER_KUBE_PROXY, MEANS_NO_ENDPOINTS, -1 },
	{ "%n/%s", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "%n/%s -> %w", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "%n/%s cluster IP", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "%n/%s external IP", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "%n/%s loadbalancer IP", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "kubernetes forwarding %*", OWNER_KUBE_PROXY, MEANS_NOTHING, -1 },
};

bool kube_of_comment(const char *comment, struct owned *out)
{
	struct owned chain = *out;
	bool found = forms_find(ROWS(anywhere), out->owner, comment, out);

	/* What a pod's chain ends with stands there. */
	if (found && out->meaning == MEANS_DEFAULT_DENY && chain.meaning != MEANS_POD) {
		*out = chain;
		return false;
	}
	if (!found && (out->owner == OWNER_NONE || out->owner == OWNER_KUBE_ROUTER) && accepts(comment, out))
		found = true;
	if (!found && out->owner == OWNER_KUBE_ROUTER)
		found = forms_find(router + 1, sizeof(router) / sizeof(router[0]) - 1, OWNER_NONE, comment, out) ||
			tagged(comment, out);
	if (!found && out->owner == OWNER_KUBE_PROXY)
		found = forms_find(ROWS(proxy), OWNER_NONE, comment, out);
	if (found && out->policy[0])
		put_name(out->kind, sizeof(out->kind), "NetworkPolicy", strlen("NetworkPolicy"));
	return found;
}

/* kube-proxy's drop of packets of no known connection has no text; no other rule of that chain drops. */
void kube_of_rule(const struct nf_rule *rule, const char *chain, struct owned *out)
{
	bool drops = rule->verdict == NF_DROPS || rule->verdict == NF_REJECTS;

	if (out->owner != OWNER_KUBE_PROXY)
		return;
	if (drops && !rule->comment && !strcmp(chain, "KUBE-FORWARD"))
		out->meaning = MEANS_INVALID;
	if (rule->verdict == NF_MAPS && rule->target && past(rule->target, "no-endpoint-"))
		out->meaning = MEANS_NO_ENDPOINTS;
}

/* ── kube-proxy by nf_tables ── */

static const struct chain_row own_table[] = {
	{ "services", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "reject-chain", OWNER_KUBE_PROXY, MEANS_NO_ENDPOINTS, -1 },
	{ "service-endpoints-check", OWNER_KUBE_PROXY, MEANS_NO_ENDPOINTS, -1 },
	{ "nodeport-endpoints-check", OWNER_KUBE_PROXY, MEANS_NO_ENDPOINTS, -1 },
	{ "service-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "external-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
	{ "endpoint-*", OWNER_KUBE_PROXY, MEANS_SERVICE, -1 },
};

/* "service-HASH-NS/NAME/PROTOCOL/PORT", endpoints with "__ADDRESS/PORT" behind it */
void kube_proxy_of_chain(const char *name, struct owned *out)
{
	const char *hash, *ns, *svc, *proto, *port;
	size_t n, m;

	if (!rows_find(ROWS(own_table), name, out) || out->meaning != MEANS_SERVICE)
		return;
	hash = strchr(name, '-');
	ns = hash ? strchr(hash + 1, '-') : NULL;
	svc = ns ? strchr(ns, '/') : NULL;
	proto = svc ? strchr(svc + 1, '/') : NULL;
	port = proto ? strchr(proto + 1, '/') : NULL;
	if (!port || !is_label(ns + 1, (size_t)(svc - ns) - 1) || !is_label(svc + 1, (size_t)(proto - svc) - 1))
		return;
	put_name(out->hash, sizeof(out->hash), hash + 1, (size_t)(ns - hash) - 1);
	put_name(out->ns, sizeof(out->ns), ns + 1, (size_t)(svc - ns) - 1);
	put_name(out->service, sizeof(out->service), svc + 1, (size_t)(proto - svc) - 1);
	n = strlen(out->service);
	m = strcspn(port + 1, "_");
	if (!is_label(port + 1, m))
		return;
	out->service[n] = ':';
	put_name(out->service + n + 1, sizeof(out->service) - n - 1, port + 1, m);
}
