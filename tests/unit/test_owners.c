// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose a chain or rule is: each form that the programs which make them use, once, and what has none. */
#include <linux/netfilter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/owners.h"
#include "util/err.h"

#include <cmocka.h>

static struct owned o;

/* "OWNER MEANING DIRECTION ns=.. pod=.. policy=.. service=.. kind=.. iface=.. hash=..", what is "" left out */
static const char *told(void)
{
	static const char *const meanings[] = { "nothing", "dispatch", "pod", "policy", "profile", "deny", "no-endpoints",
						"invalid", "encap", "mesh", "service" };
	static char line[2048];
	const struct {
		const char *name, *value;
	} fields[] = { { "ns", o.ns }, { "pod", o.pod }, { "policy", o.policy }, { "service", o.service },
		       { "kind", o.kind }, { "iface", o.iface }, { "hash", o.hash } };
	size_t n = 0;

	n += (size_t)snprintf(line, sizeof(line), "%s %s %s", owner_name(o.owner), meanings[o.meaning],
			      o.ingress < 0 ? "-" : o.ingress ? "in" : "out");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && n < sizeof(line); i++)
		if (*fields[i].value)
			n += (size_t)snprintf(line + n, sizeof(line) - n, " %s=%s", fields[i].name, fields[i].value);
	return line;
}

static const char *chain_is(const char *table, const char *name)
{
	struct nf_chain c = { .table = table, .name = name, .family = NFPROTO_IPV4 };

	memset(&o, 0xa5, sizeof(o));
	owner_of_chain(&c, &o);
	return told();
}

static struct nf_rule rule;

/* `rule` in that chain, where it is the only one. */
static const char *rule_is(const char *table, const char *chain)
{
	struct nf_chain c = { .table = table, .name = chain, .family = NFPROTO_IPV4, .n = 1 };
	struct nf_rules r = { .chains = &c, .rules = &rule, .n_chains = 1, .n_rules = 1 };

	memset(&o, 0xa5, sizeof(o));
	owner_of_rule(&r, &rule, &o);
	return told();
}

static const char *comment_is(const char *chain, const char *comment)
{
	rule = (struct nf_rule){ .comment = comment };
	return rule_is("filter", chain);
}

struct row {
	const char *where, *text, *want;
};

static void check_chains(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(chain_is(rows[i].where, rows[i].text), rows[i].want);
}

static void check_comments(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(comment_is(rows[i].where, rows[i].text), rows[i].want);
}

#define CHAINS(a) check_chains((a), sizeof(a) / sizeof((a)[0]))
#define COMMENTS(a) check_comments((a), sizeof(a) / sizeof((a)[0]))

static void names_that_calico_computes(void **state)
{
	char iface[16], chain[29];
	static const struct row rows[] = {
		{ "cali-pi-", "default/knp.default.allow-frontend-to-backend", "cali-pi-_nKybf3g3Gytg_61FH5N" },
		{ "cali-pi-", "a/knp.default.web-ok", "cali-pi-a/knp.default.web-ok" },
		{ "cali-pi-", "", "cali-pi-_" },
		{ "cali-pri-", "kns.shop", "cali-pri-kns.shop" },
	};

	calico_iface("shop", "backend", iface);
	assert_string_equal(iface, "cali1cea4782700");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		calico_chain(rows[i].where, rows[i].text, chain);
		assert_string_equal(chain, rows[i].want);
	}
	/* Of 28 bytes, but it looks as if it had been shortened: so it is. */
	calico_chain("cali-pi-", "_2345678901234567890", chain);
	assert_int_equal(strlen(chain), 28);
	assert_string_not_equal(chain, "cali-pi-_2345678901234567890");
	calico_chain("a-prefix-of-more-bytes-than-a-chain-has", "x", chain);
	assert_int_equal(strlen(chain), 28);
}

static void chains_of_calico(void **state)
{
	static const struct row rows[] = {
		{ "filter", "cali-FORWARD", "calico dispatch -" },
		{ "filter", "cali-to-wl-dispatch-1", "calico dispatch in" },
		{ "filter", "cali-from-wl-dispatch", "calico dispatch out" },
		{ "filter", "cali-tw-cali1cea4782700", "calico pod in iface=cali1cea4782700" },
		{ "filter", "cali-fw-cali1cea4782700", "calico pod out iface=cali1cea4782700" },
		{ "filter", "cali-thfw-eth0", "calico nothing out iface=eth0" },
		{ "filter", "cali-gi-1aHr0-kZTxY_bbcdefgh", "calico dispatch in hash=1aHr0-kZTxY_bbcdefgh" },
		{ "filter", "cali-pi-_nKybf3g3Gytg_61FH5N", "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "filter", "cali-po-a/knp.default.web", "calico policy out ns=a policy=web kind=NetworkPolicy" },
		{ "filter", "cali-pi-knp/shop/web", "calico policy in ns=shop policy=web kind=NetworkPolicy" },
		{ "filter", "cali-pi-np/shop/web", "calico policy in ns=shop policy=web kind=CalicoNetworkPolicy" },
		{ "filter", "cali-pi-gnp/no-smtp", "calico policy in policy=no-smtp kind=GlobalNetworkPolicy" },
		{ "filter", "cali-pi-shop/sec.web", "calico policy in ns=shop policy=sec.web kind=CalicoNetworkPolicy" },
		/* a namespace's or a tier's */
		{ "filter", "cali-pi-sec/sec.web", "calico policy in policy=sec.web" },
		{ "filter", "cali-pi-sec/shop/sec.web", "calico policy in ns=shop policy=sec.web kind=CalicoNetworkPolicy" },
		{ "filter", "cali-pri-kns.shop", "calico profile in ns=shop policy=kns.shop kind=Profile" },
		{ "filter", "cali-pro-ksa.shop.web", "calico profile out ns=shop policy=ksa.shop.web kind=Profile" },
		{ "nat", "cali-nat-outgoing", "calico nothing -" },
		{ "calico", "filter-cali-tw-calif00dfeed123", "calico pod in iface=calif00dfeed123" },
		{ "calico", "filter-cali-pi-knp/shop/a-policy-with-a-long-name",
		  "calico policy in ns=shop policy=a-policy-with-a-long-name kind=NetworkPolicy" },
		{ "calico", "filter-FORWARD", "calico nothing -" },
		/* hostile, or of another table */
		{ "filter", "cali-tw-an-interface-of-too-many-letters", "calico pod in" },
		{ "filter", "cali-pi-a/b/c/d", "calico policy in" },
		{ "filter", "cali-pi-a/\033[31m", "calico policy in" },
		{ "filter", "cali-pi-/", "calico policy in" },
		{ "filter", "cali-pi-//", "calico policy in" },
		{ "filter", "cali-pi-", "calico policy in" },
		{ "filter", "california", "none nothing -" },
		{ "mine", "cali-tw-cali1cea4782700", "none nothing -" },
	};

	CHAINS(rows);
}

static void comments_of_calico(void **state)
{
	static const struct row rows[] = {
		{ "cali-tw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl", "calico pod in iface=cali1cea4782700" },
		{ "FORWARD", "cali:0pCFB_VsKq1qUOGl", "calico nothing -" },
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl; team=web; ; ",
		  "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-tw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; Start of policies", "calico pod in iface=cali1cea4782700" },
		{ "cali-tw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; Drop if no policies passed packet",
		  "calico deny in iface=cali1cea4782700" },
		{ "cali-fw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; End of tier sec. Drop if no policies passed packet",
		  "calico deny out policy=sec kind=Tier iface=cali1cea4782700" },
		{ "cali-fw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl\nEnd of tier sec. Reject if no policies passed packet",
		  "calico deny out policy=sec kind=Tier iface=cali1cea4782700" },
		{ "cali-tw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; Drop if no profiles matched",
		  "calico profile in iface=cali1cea4782700" },
		{ "cali-fw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; Drop VXLAN encapped packets originating in workloads",
		  "calico encap out iface=cali1cea4782700" },
		{ "cali-fw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; Drop IPinIP encapped packets originating in pods",
		  "calico encap out iface=cali1cea4782700" },
		{ "cali-INPUT", "cali:0pCFB_VsKq1qUOGl; Drop IPIP packets from non-Calico hosts", "calico encap -" },
		{ "cali-INPUT", "cali:0pCFB_VsKq1qUOGl; Allow IPIP packets from Calico hosts", "calico dispatch -" },
		/* nobody's chain: no name and no meaning; no hash: nobody's */
		{ "FORWARD", "cali:0pCFB_VsKq1qUOGl; Policy shop/knp.default.web ingress", "calico nothing -" },
		{ "FORWARD", "cali:0pCFB_VsKq1qUOGl; Drop if no policies passed packet", "calico nothing -" },
		{ "USER", "Policy shop/knp.default.web ingress", "none nothing -" },
		{ "USER", "Antrea: for rule xx, policy K8sNetworkPolicy:shop/web", "antrea nothing -" },
		{ "USER", "rule to REJECT traffic destined for POD name:web namespace: shop", "none nothing -" },
		/* the chain's own name goes before, and its direction */
		{ "cali-pi-default/mine", "cali:0pCFB_VsKq1qUOGl\nPolicy shop/knp.default.web ingress",
		  "calico policy in ns=default policy=mine kind=CalicoNetworkPolicy" },
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl\nPolicy shop/knp.default.web ingress",
		  "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl\nDrop IPIP packets from non-x=1",
		  "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-tw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl\nnote; Policy shop/knp.default.web egress",
		  "calico pod in iface=cali1cea4782700" },
		/* cut or broken */
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl; Policy shop/knp.default.web ingr",
		  "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl; Policy  ingress", "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl; Policy ingress", "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl;  ingress", "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-pi-_nKybf3g3Gytg_61FH5N", "cali:0pCFB_VsKq1qUOGl; Policy shop/\nweb ingress",
		  "calico policy in hash=_nKybf3g3Gytg_61FH5N" },
		{ "cali-tw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; End of tier ", "calico pod in iface=cali1cea4782700" },
		{ "cali-tw-cali1cea4782700", "cali:0pCFB_VsKq1qUOGl; ", "calico pod in iface=cali1cea4782700" },
	};

	COMMENTS(rows);
}

/* What a policy is called in the comment of its chain, whose name is computed of what the releases call it. */
static void names_of_calico(void **state)
{
	static const struct {
		const char *prefix, *id, *text, *want;
	} rows[] = {
		{ "cali-pi-", "shop/knp.default.website", "Policy shop/knp.default.website ingress",
		  "calico policy in ns=shop policy=website kind=NetworkPolicy" },
		{ "cali-pi-", "default/shop/knp.default.website", "Policy shop/knp.default.website ingress",
		  "calico policy in ns=shop policy=website kind=NetworkPolicy" },
		{ "cali-pi-", "knp/shop/website-of-the-shop", "KubernetesNetworkPolicy shop/website-of-the-shop ingress",
		  "calico policy in ns=shop policy=website-of-the-shop kind=NetworkPolicy" },
		{ "cali-po-", "shop/default.website-of-ours", "Policy shop/default.website-of-ours egress",
		  "calico policy out ns=shop policy=default.website-of-ours kind=CalicoNetworkPolicy" },
		{ "cali-pi-", "default/default.no-smtp-from-here", "Policy default.no-smtp-from-here ingress",
		  "calico policy in policy=default.no-smtp-from-here kind=GlobalNetworkPolicy" },
		{ "cali-pi-", "security/security.no-smtp-here", "Policy security.no-smtp-here ingress",
		  "calico policy in policy=security.no-smtp-here kind=GlobalNetworkPolicy" },
		{ "cali-pi-", "adminnetworkpolicy/kanp.adminnetworkpolicy.base", "Policy kanp.adminnetworkpolicy.base ingress",
		  "calico policy in policy=base kind=AdminNetworkPolicy" },
		{ "cali-pi-", "np/shop/website-of-the-shop", "NetworkPolicy shop/website-of-the-shop ingress",
		  "calico policy in ns=shop policy=website-of-the-shop kind=CalicoNetworkPolicy" },
		{ "cali-po-", "gnp/no-smtp-from-anywhere", "GlobalNetworkPolicy no-smtp-from-anywhere egress",
		  "calico policy out policy=no-smtp-from-anywhere kind=GlobalNetworkPolicy" },
		{ "cali-pri-", "kns.a-namespace-of-the-shop", "Profile kns.a-namespace-of-the-shop ingress",
		  "calico profile in ns=a-namespace-of-the-shop policy=kns.a-namespace-of-the-shop kind=Profile" },
	};
	char chain[29], text[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		calico_chain(rows[i].prefix, rows[i].id, chain);
		snprintf(text, sizeof(text), "cali:0pCFB_VsKq1qUOGl\n%s", rows[i].text);
		assert_string_equal(comment_is(chain, text), rows[i].want);
		snprintf(text, sizeof(text), "cali:0pCFB_VsKq1qUOGl; team=web; %s; x", rows[i].text);
		assert_string_equal(comment_is(chain, text), rows[i].want);
		/* Another's name, or direction, is not the chain's. */
		chain[10] ^= 1;
		assert_null(strstr(comment_is(chain, text), "policy="));
	}
}

static const char *log_is(const char *chain, const char *prefix, uint16_t group)
{
	rule = (struct nf_rule){ .log_prefix = prefix, .log_group = group, .logs = true };
	return rule_is("filter", chain);
}

static void log_prefixes_of_calico(void **state)
{
	static const char tw[] = "cali-tw-cali1cea4782700";

	assert_string_equal(log_is(tw, "DPI|default", 1), "calico deny in policy=default kind=Tier iface=cali1cea4782700");
	assert_string_equal(log_is(tw, "PPI|default", 1), "calico nothing in policy=default kind=Tier iface=cali1cea4782700");
	assert_string_equal(log_is("FORWARD", "DPE|sec", 2), "calico nothing -");
	assert_string_equal(log_is(tw, "DRI", 1), "calico profile in iface=cali1cea4782700");
	assert_string_equal(log_is("cali-pi-knp/shop/web", "API0|knp/shop/web", 1),
			    "calico policy in ns=shop policy=web kind=NetworkPolicy");
	assert_string_equal(log_is("cali-pi-knp/shop/web", "API0|knp/shop/db", 1),
			    "calico policy in ns=shop policy=web kind=NetworkPolicy");
	/* a hash in its middle: of 63 bytes */
	assert_string_equal(log_is("cali-pi-knp/shop/web", "DPI0|knp/s_0123456789012345678901234567890123456789_allow-web-", 1),
			    "calico policy in ns=shop policy=web kind=NetworkPolicy");
	assert_string_equal(log_is("FORWARD", "DPI|default", 5), "none nothing -");
	assert_string_equal(log_is("FORWARD", "D", 1), "none nothing -");
	assert_string_equal(log_is("FORWARD", "DPI", 1), "none nothing -");
	assert_string_equal(log_is("FORWARD", "dropped: ", 1), "none nothing -");
}

/* The second rule of an endpoint's chain drops what has no connection, and says nothing. */
static void drops_without_a_text(void **state)
{
	struct nf_rule rules[] = {
		{ .verdict = NF_ACCEPTS, .comment = "cali:a" }, { .verdict = NF_DROPS, .comment = "cali:b" },
		{ .verdict = NF_NONE, .comment = "cali:c" }, { .verdict = NF_DROPS, .comment = "cali:d" },
	};
	struct nf_chain c = { .table = "filter", .name = "cali-fw-cali1cea4782700",
			      .family = NFPROTO_IPV4, .n = 4 };
	struct nf_rules r = { .chains = &c, .rules = rules, .n_chains = 1, .n_rules = 4 };

	owner_of_rule(&r, &rules[1], &o);
	assert_string_equal(told(), "calico invalid out iface=cali1cea4782700");
	owner_of_rule(&r, &rules[3], &o);
	assert_string_equal(told(), "calico pod out iface=cali1cea4782700");
	c.name = "cali-FORWARD";
	owner_of_rule(&r, &rules[1], &o);
	assert_string_equal(told(), "calico dispatch -");

	rule = (struct nf_rule){ .verdict = NF_DROPS };
	assert_string_equal(rule_is("filter", "KUBE-FORWARD"), "kube-proxy invalid -");
	assert_string_equal(rule_is("filter", "WEAVE-NPC-EGRESS"), "weave deny out");
	assert_string_equal(rule_is("filter", "WEAVE-NPC"), "weave deny in");
}

static void a_hash_is_named_by_the_first_rule(void **state)
{
	struct nf_rule rules[] = {
		{ .comment = "cali:a; Policy shop/knp.default.website ingress" },
		{ .comment = "cali:b", .verdict = NF_DROPS },
		{ .log_prefix = "DPI1|shop/knp.default.website", .log_group = 1, .logs = true },
	};
	char name[29];
	struct nf_chain c = { .table = "filter", .name = name, .family = NFPROTO_IPV4, .n = 3 };
	struct nf_rules r = { .chains = &c, .rules = rules, .n_chains = 1, .n_rules = 3 };

	calico_chain("cali-pi-", "shop/knp.default.website", name);
	for (int i = 0; i < 3; i++) {
		owner_of_rule(&r, &rules[i], &o);
		assert_string_equal(told(), "calico policy in ns=shop policy=website kind=NetworkPolicy");
	}
	/* of the other direction: not this chain's */
	calico_chain("cali-po-", "shop/knp.default.website", name);
	owner_of_rule(&r, &rules[1], &o);
	assert_null(strstr(told(), "policy="));
	rules[0].comment = "cali:a";
	owner_of_rule(&r, &rules[1], &o);
	assert_null(strstr(told(), "policy="));
}

static void chains_of_kubernetes(void **state)
{
	static const struct row rows[] = {
		{ "filter", "KUBE-ROUTER-FORWARD", "kube-router dispatch -" },
		{ "filter", "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "kube-router pod - hash=4JCTHVOWO2PA7PEW" },
		{ "kube-router-filter-ipv6", "KUBE-NWPLCY-RNAALEPHJ3YW5E53",
		  "kube-router policy - hash=RNAALEPHJ3YW5E53" },
		{ "filter", "KUBE-NWPLCY-DEFAULT", "kube-router profile -" },
		{ "filter", "KUBE-NWPLCY-TAIL", "kube-router nothing -" },
		{ "filter", "KUBE-ROUTER-SERVICES", "kube-router service -" },
		{ "nat", "KUBE-SERVICES", "kube-proxy service -" },
		{ "nat", "KUBE-SEP-PTMZZQCON32GO54E", "kube-proxy service -" },
		{ "nat", "KUBE-POSTROUTING", "kube-proxy nothing -" },
		{ "filter", "KUBE-FIREWALL", "kubelet nothing -" },
		{ "mangle", "KUBE-KUBELET-CANARY", "kubelet nothing -" },
		{ "kube-proxy", "service-ULMVA6XW-shop/web/tcp/p80",
		  "kube-proxy service - ns=shop service=web:p80 hash=ULMVA6XW" },
		{ "kube-proxy", "endpoint-5OJB2KTY-shop/web/tcp/p80__10.180.0.1/80",
		  "kube-proxy service - ns=shop service=web:p80 hash=5OJB2KTY" },
		{ "kube-proxy", "service-ULMVA6XW-shop/web/tcp/",
		  "kube-proxy service - ns=shop service=web hash=ULMVA6XW" },
		{ "kube-proxy", "reject-chain", "kube-proxy no-endpoints -" },
		{ "kube-proxy", "service-endpoints-check", "kube-proxy no-endpoints -" },
		{ "kube-proxy", "filter-input", "kube-proxy nothing -" },
		{ "kube-proxy", "service-//", "kube-proxy service -" },
		{ "filter", "KUBE-WHATEVER", "none nothing -" },
		{ NULL, "KUBE-SERVICES", "none nothing -" },
		{ "filter", NULL, "none nothing -" },
	};

	CHAINS(rows);
}

static void comments_of_kube_router(void **state)
{
	static const struct row rows[] = {
		{ "INPUT", "kube-router netpol - 4IA2OSFRMVNDXBVV", "kube-router dispatch -" },
		{ "KUBE-ROUTER-FORWARD",
		  "rule to jump traffic destined to POD name:web-7f.x namespace: shop to chain KUBE-POD-FW-4JCTHVOWO2PA7PEW",
		  "kube-router dispatch in ns=shop pod=web-7f.x hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-ROUTER-FORWARD",
		  "rule to jump traffic from POD name:web namespace: shop to chain KUBE-POD-FW-4JCTHVOWO2PA7PEW",
		  "kube-router dispatch out ns=shop pod=web hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "rule to REJECT traffic destined for POD name:web namespace: shop",
		  "kube-router deny - ns=shop pod=web hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "rule to log dropped traffic POD name:web namespace: shop",
		  "kube-router deny - ns=shop pod=web hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "run through nw policy web-ok",
		  "kube-router pod - policy=web-ok kind=NetworkPolicy hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "run through default egress network policy chain",
		  "kube-router pod out hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "rule to drop invalid state for pod",
		  "kube-router invalid - hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW",
		  "rule to permit the traffic traffic to pods when source is the pod's local node",
		  "kube-router pod in hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-NWPLCY-RNAALEPHJ3YW5E53",
		  "rule to ACCEPT traffic from source pods to dest pods selected by policy name web-ok namespace shop",
		  "kube-router policy - ns=shop policy=web-ok kind=NetworkPolicy hash=RNAALEPHJ3YW5E53" },
		{ "KUBE-NWPLCY-RNAALEPHJ3YW5E53",
		  "rule to ACCEPT traffic from all sources to dest pods selected by policy name: web-ok namespace shop",
		  "kube-router policy in ns=shop policy=web-ok kind=NetworkPolicy hash=RNAALEPHJ3YW5E53" },
		{ "KUBE-NWPLCY-RNAALEPHJ3YW5E53",
		  "ACCEPT traffic from source pods to specified ipBlocks selected by policy name: web-ok namespace shop",
		  "kube-router policy out ns=shop policy=web-ok kind=NetworkPolicy hash=RNAALEPHJ3YW5E53" },
		{ "KUBE-NWPLCY-RNAALEPHJ3YW5E53", "shop/web-ok ingress pods np",
		  "kube-router policy in ns=shop policy=web-ok kind=NetworkPolicy hash=RNAALEPHJ3YW5E53" },
		{ "KUBE-NWPLCY-RNAALEPHJ3YW5E53", "shop/web-ok egress cidr",
		  "kube-router policy out ns=shop policy=web-ok kind=NetworkPolicy hash=RNAALEPHJ3YW5E53" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "shop/web-ok policy",
		  "kube-router pod - ns=shop policy=web-ok kind=NetworkPolicy hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-POD-FW-4JCTHVOWO2PA7PEW", "shop/web-0 reject",
		  "kube-router deny - ns=shop pod=web-0 hash=4JCTHVOWO2PA7PEW" },
		{ "KUBE-ROUTER-FORWARD", "shop/web-0 in", "kube-router dispatch in ns=shop pod=web-0" },
		/* elsewhere that is anybody's text */
		{ "FORWARD", "shop/web-0 reject", "none nothing -" },
		{ "cali-tw-cali1cea4782700", "rule to REJECT traffic destined for POD name:web namespace: shop",
		  "calico pod in iface=cali1cea4782700" },
		/* broken */
		{ "KUBE-ROUTER-INPUT", "rule to REJECT traffic destined for POD name: namespace: shop",
		  "kube-router dispatch -" },
		{ "KUBE-ROUTER-INPUT", "rule to REJECT traffic destined for POD name:web namespace: ",
		  "kube-router dispatch -" },
		{ "KUBE-ROUTER-INPUT", "rule to REJECT traffic destined for POD name:web namespace: shop\033[2J",
		  "kube-router dispatch -" },
		{ "KUBE-ROUTER-INPUT", "rule to ACCEPT traffic from source pods to dest pods selected by policy name",
		  "kube-router dispatch -" },
		{ "KUBE-ROUTER-INPUT", "/ reject", "kube-router dispatch -" },
		{ "KUBE-ROUTER-INPUT", "shop/", "kube-router dispatch -" },
	};

	COMMENTS(rows);
}

/* What was cut at 120 bytes may end inside of the name, which is then not told. */
static void comments_that_were_cut(void **state)
{
	char text[400];

	snprintf(text, sizeof(text), "shop/%0115d", 7);
	assert_string_equal(comment_is("KUBE-POD-FW-A", text), "kube-router pod - ns=shop hash=A");
	snprintf(text, sizeof(text), "shop/%0253d reject", 7);
	comment_is("KUBE-POD-FW-A", text);
	assert_int_equal(o.meaning, MEANS_DEFAULT_DENY);
	assert_int_equal(strlen(o.pod), 253);
	snprintf(text, sizeof(text), "shop/%0254d reject", 7);
	assert_string_equal(comment_is("KUBE-POD-FW-A", text), "kube-router pod - hash=A");
	snprintf(text, sizeof(text), "%064d/web reject", 7);
	assert_string_equal(comment_is("KUBE-POD-FW-A", text), "kube-router pod - hash=A");
}

static void comments_of_kube_proxy(void **state)
{
	static const struct row rows[] = {
		{ "PREROUTING", "kubernetes service portals", "kube-proxy service -" },
		{ "FORWARD", "kubernetes forwarding rules", "kube-proxy nothing -" },
		{ "KUBE-SERVICES", "shop/web:http has no endpoints", "kube-proxy no-endpoints - ns=shop service=web:http" },
		{ "KUBE-SERVICES", "shop/web has no endpoints", "kube-proxy no-endpoints - ns=shop service=web" },
		{ "KUBE-EXTERNAL-SERVICES", "shop/web:http has no local endpoints",
		  "kube-proxy no-endpoints - ns=shop service=web:http" },
		{ "KUBE-SERVICES", "default/kubernetes:https cluster IP",
		  "kube-proxy service - ns=default service=kubernetes:https" },
		{ "KUBE-SVC-NPX46M4PTMTKRN6Y", "shop/web:http -> 10.244.1.5:8080",
		  "kube-proxy service - ns=shop service=web:http" },
		{ "KUBE-FORWARD", "kubernetes forwarding conntrack pod source rule", "kube-proxy nothing -" },
		{ "KUBE-FIREWALL", "block incoming localnet connections", "kubelet nothing -" },
		{ "INPUT", "shop/web has no endpoints", "none nothing -" },
	};

	COMMENTS(rows);
	rule = (struct nf_rule){ .verdict = NF_MAPS, .target = "no-endpoint-services" };
	assert_string_equal(rule_is("kube-proxy", "filter-input"), "kube-proxy no-endpoints -");
}

static void chains_of_others(void **state)
{
	static const struct row rows[] = {
		{ "filter", "CILIUM_FORWARD", "cilium nothing -" },
		{ "nat", "OLD_CILIUM_POST_nat", "cilium nothing -" },
		{ "filter", "FLANNEL-FWD", "flannel nothing -" },
		{ "flannel-ipv4", "postrtg", "flannel nothing -" },
		{ "filter", "WEAVE-NPC-DEFAULT", "weave profile in" },
		{ "filter", "WEAVE-NPC-EGRESS-CUSTOM", "weave policy out" },
		{ "nat", "WEAVE", "weave nothing -" },
		{ "filter", "ANTREA-POL-INGRESS-RULES", "antrea dispatch in" },
		{ "filter", "ANTREA-POL-RULE1", "antrea policy - hash=RULE1" },
		{ "filter", "ANTREA-FORWARD", "antrea nothing -" },
		{ "kindnet-network-policies", "postrouting", "kindnet dispatch -" },
		{ "kube-network-policies", "prerouting", "kindnet dispatch -" },
		{ "nat", "AWS-SNAT-CHAIN-0", "aws nothing -" },
		{ "nat", "OVN-KUBE-NODEPORT", "ovn-kubernetes nothing -" },
		{ "nat", "CNI-40a5154b08ac069392c1a6d6", "cni-plugin nothing -" },
		{ "cni_hostport", "hostports", "cni-plugin nothing -" },
		{ "nat", "DOCKER", "docker nothing -" },
		{ "filter", "DOCKER-USER", "docker nothing -" },
		{ "firewalld", "filter_IN_public", "firewalld nothing -" },
		{ "filter", "ufw-before-input", "ufw nothing -" },
		{ "nat", "ISTIO_REDIRECT", "istio mesh out" },
		{ "nat", "ISTIO_IN_REDIRECT", "istio mesh in" },
		{ "istio-proxy-nat", "istio-inbound", "istio mesh in" },
		{ "istio-proxy-nat", "prerouting", "istio nothing -" },
		{ "nat", "PROXY_INIT_REDIRECT", "linkerd mesh in" },
		{ "nat", "PROXY_INIT_OUTPUT", "linkerd mesh out" },
		{ "filter", "INPUT", "none nothing -" },
		{ "filter", "", "none nothing -" },
		{ "", "", "none nothing -" },
	};
	static const struct row texts[] = {
		{ "INPUT", "cilium-feeder: CILIUM_INPUT", "cilium nothing -" },
		{ "POSTROUTING", "flanneld masq", "flannel nothing -" },
		{ "WEAVE-NPC-DEFAULT", "DefaultAllow ingress isolation for namespace: shop", "weave profile in ns=shop" },
		{ "ANTREA-POL-INGRESS-RULES", "Antrea: for rule 1a2b, policy AntreaClusterNetworkPolicy:nodes",
		  "antrea policy in policy=nodes kind=AntreaClusterNetworkPolicy hash=1a2b" },
		{ "ANTREA-POL-EGRESS-RULES", "Antrea: for rule 1a2b, policy K8sNetworkPolicy:shop/web",
		  "antrea policy out ns=shop policy=web kind=NetworkPolicy hash=1a2b" },
		{ "POSTROUTING", "name: \"podnet\" id: \"53882d9fb628\"", "cni-plugin nothing -" },
		{ "PREROUTING", "proxy-init/install-proxy-init-prerouting", "linkerd nothing -" },
		{ "INPUT", "a comment of mine", "none nothing -" },
		{ "INPUT", "", "none nothing -" },
	};

	CHAINS(rows);
	COMMENTS(texts);
}

static void what_sends_to_a_sidecar(void **state)
{
	rule = (struct nf_rule){ .verdict = NF_REDIRECTS, .to_port = 15006, .uid = UINT32_MAX };
	assert_string_equal(rule_is("nat", "ISTIO_IN_REDIRECT"), "istio mesh in");
	assert_string_equal(rule_is("istio-proxy-nat", "mine"), "istio mesh in");
	rule.to_port = 15001;
	assert_string_equal(rule_is("istio-proxy-nat", "mine"), "istio mesh out");
	rule = (struct nf_rule){ .verdict = NF_RETURNS, .uid = 1337 };
	assert_string_equal(rule_is("nat", "ISTIO_OUTPUT"), "istio nothing out");
	rule = (struct nf_rule){ .verdict = NF_TARGET, .target = "TPROXY" };
	assert_string_equal(rule_is("mangle", "ISTIO_TPROXY"), "istio mesh in");
	rule = (struct nf_rule){ .verdict = NF_REDIRECTS, .to_port = 4143,
				 .comment = "proxy-init/redirect-all-incoming-to-proxy-port" };
	assert_string_equal(rule_is("nat", "PROXY_INIT_REDIRECT"), "linkerd mesh in");
	rule.verdict = NF_RETURNS;
	assert_string_equal(rule_is("nat", "PROXY_INIT_OUTPUT"), "linkerd nothing out");
}

static void a_rule_of_nobody_is_whose_chain_it_goes_to(void **state)
{
	rule = (struct nf_rule){ .verdict = NF_JUMPS, .target = "KUBE-FIREWALL" };
	assert_string_equal(rule_is("filter", "INPUT"), "kubelet dispatch -");
	rule.target = "cali-tw-cali1cea4782700";
	assert_string_equal(rule_is("filter", "INPUT"), "calico dispatch -");
	rule.target = "mine";
	assert_string_equal(rule_is("filter", "INPUT"), "none nothing -");
	rule.target = NULL;
	assert_string_equal(rule_is("filter", "INPUT"), "none nothing -");
	rule.chain = 7;
	assert_string_equal(rule_is("filter", "KUBE-FIREWALL"), "none nothing -");
}

static void each_has_a_name(void **state)
{
	for (unsigned int i = 0; i < OWNERS; i++)
		assert_non_null(owner_name(i));
	assert_string_equal(owner_name(OWNERS), "unknown");
	for (unsigned int i = MEANS_DISPATCH; i <= MEANS_SERVICE; i++)
		assert_true(*meaning_text(i));
	assert_string_equal(meaning_text(MEANS_SERVICE + 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_calico_computes),
		cmocka_unit_test(chains_of_calico),
		cmocka_unit_test(comments_of_calico), cmocka_unit_test(names_of_calico),
		cmocka_unit_test(log_prefixes_of_calico),
		cmocka_unit_test(drops_without_a_text),
		cmocka_unit_test(a_hash_is_named_by_the_first_rule),
		cmocka_unit_test(chains_of_kubernetes),
		cmocka_unit_test(comments_of_kube_router),
		cmocka_unit_test(comments_that_were_cut),
		cmocka_unit_test(comments_of_kube_proxy),
		cmocka_unit_test(chains_of_others),
		cmocka_unit_test(what_sends_to_a_sidecar),
		cmocka_unit_test(a_rule_of_nobody_is_whose_chain_it_goes_to),
		cmocka_unit_test(each_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
