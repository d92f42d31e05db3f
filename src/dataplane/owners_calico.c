// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calico's chains, comments and log prefixes (felix/rules: rule_defs.go, endpoints.go, policy.go, nflogprefix.go;
 * felix/nftables; felix/types/policy_id.go), of releases 3.20 to 3.34.
 */
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/owners_parts.h"
#include "util/bytes.h"
#include "util/unwritten.h"

enum {
	CHAIN_MAX = 28,		/* of a chain of iptables */
	LOG_HASHED = 62,	/* a log prefix so long has a hash in its middle */
	TEXT_MAX = 257,		/* of a comment, with its end: XT_MAX_COMMENT_LEN */
	HASH_TEXT = 43,		/* SHA-256 in base64 without padding */
};

/* ── names that Calico computes ── */

void calico_iface(const char *ns, const char *pod, char *out)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum[SHA1_DIGEST_SIZE];
	struct sha1_ctx c;

	sha1_init(&c);
	sha1_update(&c, strlen(ns), (const uint8_t *)ns);
	sha1_update(&c, 1, (const uint8_t *)".");
	sha1_update(&c, strlen(pod), (const uint8_t *)pod);
	sha1_digest(&c, sizeof(sum), sum);
	written(sum, sizeof(sum));
	memcpy(out, "cali", 4);
	for (unsigned int i = 0; i < 11; i++)
		out[4 + i] = digits[i & 1 ? sum[i / 2] & 15 : sum[i / 2] >> 4];
	out[15] = 0;
}

/* RFC 4648, section 5, without padding.  A zero stands behind the sum. */
static void base64url(const uint8_t sum[SHA256_DIGEST_SIZE + 1], char out[HASH_TEXT])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (unsigned int i = 0; i < HASH_TEXT; i++) {
		unsigned int bit = 6 * i;

		out[i] = letters[be16(sum + bit / 8) >> (10 - bit % 8) & 63];
	}
}

void calico_chain(const char *prefix, const char *id, char *out)
{
	size_t before = strnlen(prefix, CHAIN_MAX - 1), n = strlen(id);
	uint8_t sum[SHA256_DIGEST_SIZE + 1] = { 0 };
	char text[HASH_TEXT];
	struct sha256_ctx c;

	if (!n)
		id = "_", n = 1;
	memcpy(out, prefix, before);
	/* What fits stays, but it must not look like what was shortened. */
	if (before + n < CHAIN_MAX || (before + n == CHAIN_MAX && id[0] != '_')) {
		memcpy(out + before, id, n + 1);
		return;
	}
	sha256_init(&c);
	sha256_update(&c, n, (const uint8_t *)id);
	sha256_digest(&c, SHA256_DIGEST_SIZE, sum);
	written(sum, SHA256_DIGEST_SIZE);
	base64url(sum, text);
	out[before] = '_';
	memcpy(out + before + 1, text, CHAIN_MAX - before - 1);
	out[CHAIN_MAX] = 0;
}

/* ── what a policy is called ── */

static void set_kind(struct owned *out, const char *kind)
{
	put_name(out->kind, sizeof(out->kind), kind, strlen(kind));
}

/* Policies of Kubernetes have a prefix in Calico's names. */
static const struct {
	const char *prefix, *kind;
	bool tier;		/* a tier follows, to the next dot */
} prefixes[] = {
	{ "knp.default.", "NetworkPolicy", false },
	{ "kanp.adminnetworkpolicy.", "AdminNetworkPolicy", false },
	{ "kbanp.baselineadminnetworkpolicy.", "BaselineAdminNetworkPolicy", false },
	{ "kcnp.", "ClusterNetworkPolicy", true },
};

/* ns of nn bytes, 0: a policy of the cluster.  Nothing is told of what is no name. */
static void set_policy(struct owned *out, const char *ns, size_t nn, const char *name, size_t n, const char *kind)
{
	if ((nn && !is_label(ns, nn)) || !is_name(name, n))
		return;
	set_kind(out, kind ? kind : nn ? "CalicoNetworkPolicy" : "GlobalNetworkPolicy");
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t skip = strlen(prefixes[i].prefix);
		const char *dot;

		if (n <= skip || memcmp(name, prefixes[i].prefix, skip))
			continue;
		dot = prefixes[i].tier ? memchr(name + skip, '.', n - skip - 1) : name + skip - 1;
		if (!dot)
			continue;
		skip = (size_t)(dot + 1 - name);
		set_kind(out, prefixes[i].kind);
		name += skip;
		n -= skip;
		break;
	}
	put_name(out->ns, sizeof(out->ns), ns, nn);
	put_name(out->policy, sizeof(out->policy), name, n);
}

/* Since 3.32 an id begins with its kind. */
static const char *kind_of(const char *s, size_t n, bool *in_ns)
{
	static const struct {
		const char *text, *kind;
		bool in_ns;
	} kinds[] = {
		{ "knp", "NetworkPolicy", true },		{ "np", "CalicoNetworkPolicy", true },
		{ "gnp", "GlobalNetworkPolicy", false },	{ "snp", "StagedNetworkPolicy", true },
		{ "sgnp", "StagedGlobalNetworkPolicy", false },
		{ "sknp", "StagedKubernetesNetworkPolicy", true },
		{ "kcnp", "ClusterNetworkPolicy", false },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (n == strlen(kinds[i].text) && !memcmp(s, kinds[i].text, n)) {
			*in_ns = kinds[i].in_ns;
			return kinds[i].kind;
		}
	return NULL;
}

/*
 * "NS/NAME" and "NAME" up to 3.28; the same with "TIER/" before it (tiered: in chains) up to 3.31; then "KIND/NS/NAME"
 * and "KIND/NAME".  In a chain "default/default.x" may be a namespace's or a tier's: only the name is told.
 */
static void set_id(struct owned *out, const char *s, size_t n, bool tiered)
{
	const char *first = memchr(s, '/', n), *second;
	const char *kind;
	size_t a, rest;
	bool in_ns = false;

	if (!first) {
		set_policy(out, "", 0, s, n, NULL);
		return;
	}
	a = (size_t)(first++ - s);
	rest = n - a - 1;
	second = memchr(first, '/', rest);
	kind = kind_of(s, a, &in_ns);
	if (second) {
		size_t b = (size_t)(second++ - first);

		set_policy(out, first, b, second, rest - b - 1, in_ns ? kind : NULL);
	} else if (kind && !in_ns && memcmp(first, "knp.", rest < 4 ? rest : 4)) {
		set_policy(out, "", 0, first, rest, kind);
	} else if (tiered && rest > a && !memcmp(first, s, a) && first[a] == '.') {
		set_policy(out, "", 0, first, rest, NULL);
		out->kind[0] = 0;
	} else {
		set_policy(out, s, a, first, rest, NULL);
	}
}

/* "kns.NS" is a namespace's, "ksa.NS.ACCOUNT" a service account's. */
static void set_profile(struct owned *out, const char *s, size_t n)
{
	const char *ns = s + 4, *dot;
	size_t nn;

	if (!is_name(s, n))
		return;
	put_name(out->policy, sizeof(out->policy), s, n);
	set_kind(out, "Profile");
	if (n <= 4 || (memcmp(s, "kns.", 4) && memcmp(s, "ksa.", 4)))
		return;
	dot = memchr(ns, '.', n - 4);
	nn = s[1] == 's' && dot ? (size_t)(dot - ns) : n - 4;
	if (is_label(ns, nn))
		put_name(out->ns, sizeof(out->ns), ns, nn);
}

/* ── chains ── */

enum names { NO_NAME, IFACE, POLICY, PROFILE, HASH };

static const struct {
	const char *prefix;
	uint8_t meaning, names;
	int8_t ingress;
} chains[] = {
	{ "cali-tw-", MEANS_POD, IFACE, 1 },		{ "cali-fw-", MEANS_POD, IFACE, 0 },
	{ "cali-pi-", MEANS_POLICY, POLICY, 1 },	{ "cali-po-", MEANS_POLICY, POLICY, 0 },
	{ "cali-pri-", MEANS_PROFILE, PROFILE, 1 },	{ "cali-pro-", MEANS_PROFILE, PROFILE, 0 },
	{ "cali-gi-", MEANS_DISPATCH, HASH, 1 },	{ "cali-go-", MEANS_DISPATCH, HASH, 0 },
	/* interfaces of the host itself */
	{ "cali-fh-", MEANS_NOTHING, IFACE, 1 },	{ "cali-th-", MEANS_NOTHING, IFACE, 0 },
	{ "cali-fhfw-", MEANS_NOTHING, IFACE, 1 },	{ "cali-thfw-", MEANS_NOTHING, IFACE, 0 },
	{ "cali-sm-", MEANS_NOTHING, IFACE, -1 },
	{ "cali-to-wl-dispatch", MEANS_DISPATCH, NO_NAME, 1 },
	{ "cali-from-wl-dispatch", MEANS_DISPATCH, NO_NAME, 0 },
	{ "cali-wl-to-host", MEANS_DISPATCH, NO_NAME, 0 },
	{ "cali-FORWARD", MEANS_DISPATCH, NO_NAME, -1 },
	{ "cali-INPUT", MEANS_DISPATCH, NO_NAME, -1 },
	{ "cali-OUTPUT", MEANS_DISPATCH, NO_NAME, -1 },
};

static void name_in_chain(const char *s, uint8_t names, struct owned *out)
{
	size_t n = strlen(s);

	if (names == HASH || (names != NO_NAME && s[0] == '_'))
		put_name(out->hash, sizeof(out->hash), s, n);
	else if (names == IFACE)
		put_name(out->iface, sizeof(out->iface), s, n);
	else if (names == POLICY)
		set_id(out, s, n, true);
	else if (names == PROFILE)
		set_profile(out, s, n);
}

void calico_of_chain(const char *name, struct owned *out)
{
	static const char *const layers[] = { "filter-", "nat-", "mangle-", "raw-" };

	out->owner = OWNER_CALICO;
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
		if (past(name, layers[i])) {
			name = past(name, layers[i]);
			break;
		}
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		const char *rest = past(name, chains[i].prefix);

		if (!rest)
			continue;
		out->meaning = chains[i].meaning;
		out->ingress = chains[i].ingress;
		name_in_chain(rest, chains[i].names, out);
		return;
	}
}

/* ── rules ── */

/* What it does to packets stands in some as the action that is set: "Drop" or "Reject". */
static const struct form forms[] = {
	{ "Drop if no policies passed packet", OWNER_CALICO, MEANS_DEFAULT_DENY, -1 },
	{ "Reject if no policies passed packet", OWNER_CALICO, MEANS_DEFAULT_DENY, -1 },
	{ "Drop if no profiles matched", OWNER_CALICO, MEANS_PROFILE, -1 },
	{ "Reject if no profiles matched", OWNER_CALICO, MEANS_PROFILE, -1 },
	{ "%w VXLAN encapped packets originating in %w", OWNER_CALICO, MEANS_ENCAP, 0 },
	{ "%w IPinIP encapped packets originating in %w", OWNER_CALICO, MEANS_ENCAP, 0 },
	{ "Drop IPIP packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
	{ "Drop VXLAN packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
	{ "Drop IPv4 VXLAN packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
	{ "Drop IPv6 VXLAN packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
	{ "Reject IPIP packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
	{ "Reject VXLAN packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
	{ "Reject IPv4 VXLAN packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
	{ "Reject IPv6 VXLAN packets from non-%*", OWNER_CALICO, MEANS_ENCAP, -1 },
};

/* "End of tier T. Drop if no policies passed packet" */
static bool end_of_tier(const char *s, struct owned *out)
{
	const char *tier = past(s, "End of tier "), *dot = tier ? strchr(tier, '.') : NULL;

	if (!dot || !is_label(tier, (size_t)(dot - tier)))
		return false;
	if (strcmp(dot, ". Drop if no policies passed packet") && strcmp(dot, ". Reject if no policies passed packet"))
		return false;
	out->meaning = MEANS_DEFAULT_DENY;
	put_name(out->policy, sizeof(out->policy), tier, (size_t)(dot - tier));
	set_kind(out, "Tier");
	return true;
}

/* "Policy ID ingress" since 3.22, "KIND NS/NAME ingress" and "KIND NAME ingress" since 3.32, "Profile NAME ingress" */
bool calico_of_policy(const char *s, struct owned *out)
{
	static const struct {
		const char *word, *kind;
	} kinds[] = {
		{ "KubernetesNetworkPolicy ", "NetworkPolicy" },
		{ "KubernetesClusterNetworkPolicy ", "ClusterNetworkPolicy" },
		{ "NetworkPolicy ", "CalicoNetworkPolicy" },
		{ "GlobalNetworkPolicy ", "GlobalNetworkPolicy" },
	};
	size_t n = strlen(s);
	bool in = n > 8 && !strcmp(s + n - 8, " ingress"), e = n > 7 && !strcmp(s + n - 7, " egress");
	const char *end = s + n - (in ? 8 : 7), *id, *slash;

	if (!in && !e)
		return false;
	id = past(s, "Profile ");
	if (id && id < end) {
		out->meaning = MEANS_PROFILE;
		set_profile(out, id, (size_t)(end - id));
		out->ingress = in;
		return true;
	}
	id = past(s, "Policy ");
	if (id && id < end)
		set_id(out, id, (size_t)(end - id), false);
	for (size_t i = 0; (!id || id >= end) && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		id = past(s, kinds[i].word);
		if (!id || id >= end)
			continue;
		slash = memchr(id, '/', (size_t)(end - id));
		set_policy(out, id, slash ? (size_t)(slash - id) : 0, slash ? slash + 1 : id,
			   (size_t)(end - (slash ? slash + 1 : id)), kinds[i].kind);
	}
	if (!id || id >= end || !out->policy[0])
		return false;
	out->meaning = MEANS_POLICY;
	out->ingress = in;
	return true;
}

static void unnamed(struct owned *out)
{
	out->ns[0] = out->policy[0] = out->kind[0] = out->hash[0] = 0;
}

/*
 * Of NFLOG, since 3.30: what it does (A, D, P), of whom (Policy, pRofile), the direction (I, E), the rule's number, "|"
 * and the id; without a number the end of a tier, or of the profiles.
 */
static void of_log(const char *s, struct owned *out)
{
	const char *id = s + 3;
	size_t n;
	bool numbered;

	if (!s[0] || !strchr("ADP", s[0]) || (s[1] != 'P' && s[1] != 'R') || (s[2] != 'I' && s[2] != 'E'))
		return;
	while (*id >= '0' && *id <= '9')
		id++;
	numbered = id > s + 3;
	if (*id != '|' && (*id || numbered || s[1] != 'R'))
		return;
	id += *id == '|';
	n = strlen(s) >= LOG_HASHED ? 0 : strlen(id);
	unnamed(out);
	out->owner = OWNER_CALICO;
	out->ingress = s[2] == 'I';
	out->meaning = s[1] == 'R' ? MEANS_PROFILE : MEANS_POLICY;
	if (s[1] == 'R') {
		if (past(id, "pro/"))
			id += 4, n -= n ? 4 : 0;
		set_profile(out, id, n);
	} else if (numbered || (n && !is_label(id, n))) {
		set_id(out, id, n, true);
	} else {
		out->meaning = s[0] == 'D' ? MEANS_DEFAULT_DENY : MEANS_NOTHING;
		put_name(out->policy, sizeof(out->policy), id, n);
		set_kind(out, n ? "Tier" : "");
	}
}

/*
 * The drop of packets of no known connection has no text: in an endpoint's chain it stands behind what lets the
 * packets of known ones pass, at its beginning.
 */
static bool drops_invalid(const struct nf_rules *r, const struct nf_rule *rule)
{
	const struct nf_chain *c = &r->chains[rule->chain];
	size_t at = (size_t)(rule - r->rules);
	const struct nf_rule *before = rule - 1;

	if (rule->verdict != NF_DROPS && rule->verdict != NF_REJECTS)
		return false;
	return at > c->first && at - c->first <= 2 && (before->verdict == NF_ACCEPTS || before->verdict == NF_RETURNS);
}

/* Behind "cali:HASH", which each rule has: by iptables a comment of its own, by nftables "; " and the others. */
static const char *behind_hash(const char *s, struct owned *out)
{
	const char *rest = past(s, "cali:");

	if (!rest)
		return "";
	out->owner = OWNER_CALICO;
	while (*rest && !strchr("; ,\n", *rest))
		rest++;
	return rest + strspn(rest, "; ,\n");
}

static bool of_text(const char *s, struct owned *out)
{
	struct owned before = *out;
	bool of_one = out->meaning == MEANS_POLICY || out->meaning == MEANS_PROFILE;

	/* In a policy's own chain its annotations stand as well, which may say anything. */
	if (!of_one && end_of_tier(s, out))
		return true;
	if (!of_one && forms_find(forms, sizeof(forms) / sizeof(forms[0]), OWNER_NONE, s, out))
		return true;
	unnamed(out);
	if (calico_of_policy(s, out))
		return true;
	*out = before;
	return false;
}

/* The first of several that is known: before it may stand what annotations of a policy say.  Comments of iptables have
 * a newline between them, and a "; " in one is its own. */
static void of_texts(const char *s, bool lines, struct owned *out)
{
	const char *between = lines ? "\n" : "; ";
	char text[TEXT_MAX];

	for (const char *end; *s; s = *end ? end + strlen(between) : end) {
		end = strstr(s, between);
		if (!end)
			end = s + strlen(s);
		if ((size_t)(end - s) >= sizeof(text))
			continue;
		put_name(text, sizeof(text), s, (size_t)(end - s));
		if (of_text(text, out))
			return;
	}
}

/* ── is the name that a text tells the chain's? ── */

static bool is_chain_of(const char *chain, const char *prefix, const char *before, const char *ns, const char *name)
{
	char id[3 * OWNER_NAME_MAX], made[CHAIN_MAX + 1];

	snprintf(id, sizeof(id), "%s%s%s%s", before, ns, *ns ? "/" : "", name);
	calico_chain(prefix, id, made);
	return !strcmp(chain, made);
}

/* The chain that calico makes for it in one of the ways of its releases: see calico_chain(). */
static bool names_chain(const char *chain, const struct owned *o)
{
	static const struct {
		const char *kind, *before, *since_3_32;
	} kinds[] = {
		{ "NetworkPolicy", "knp.default.", "knp/" },
		{ "AdminNetworkPolicy", "kanp.adminnetworkpolicy.", "gnp/kanp.adminnetworkpolicy." },
		{ "BaselineAdminNetworkPolicy", "kbanp.baselineadminnetworkpolicy.",
		  "gnp/kbanp.baselineadminnetworkpolicy." },
		{ "CalicoNetworkPolicy", "", "np/" },
		{ "GlobalNetworkPolicy", "", "gnp/" },
		{ "Profile", "", "pro/" },
	};
	static const char *const tiers[] = { "", "default/", "adminnetworkpolicy/", "baselineadminnetworkpolicy/" };
	const char *prefix = o->meaning == MEANS_PROFILE ? (o->ingress ? "cali-pri-" : "cali-pro-")
							 : (o->ingress ? "cali-pi-" : "cali-po-");
	const char *ns = o->meaning == MEANS_PROFILE ? "" : o->ns;
	const char *dot = strchr(o->policy, '.');
	char tier[OWNER_NAME_MAX + 2], name[2 * OWNER_NAME_MAX];
	size_t k = 0;

	while (k < sizeof(kinds) / sizeof(kinds[0]) && strcmp(o->kind, kinds[k].kind))
		k++;
	if (k == sizeof(kinds) / sizeof(kinds[0]))
		return false;
	snprintf(name, sizeof(name), "%s%s", kinds[k].before, o->policy);
	for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++)
		if (is_chain_of(chain, prefix, tiers[i], ns, name))
			return true;
	snprintf(tier, sizeof(tier), "%.*s/", dot ? (int)(dot - o->policy) : 0, o->policy);
	return is_chain_of(chain, prefix, tier, ns, name) ||
	       is_chain_of(chain, prefix, kinds[k].since_3_32, ns, o->policy);
}

/* What a text told of the policy whose chain it stands in, where that has a hash, or a name that leaves it open. */
static void keep_if_chains(const char *chain, const struct owned *by_chain, struct owned *out)
{
	bool same = by_chain->policy[0] && !strcmp(by_chain->policy, out->policy) &&
		    (!by_chain->ns[0] || !strcmp(by_chain->ns, out->ns));

	if (out->meaning == by_chain->meaning && out->ingress == by_chain->ingress && out->policy[0] &&
	    (same || (by_chain->hash[0] && names_chain(chain, out))))
		out->hash[0] = 0;
	else
		*out = *by_chain;
}

/* The name of a policy whose chain has a hash stands at the chain's first rule alone. */
static void named_by_first(const struct nf_rules *r, const struct nf_rule *rule, struct owned *out)
{
	const struct nf_chain *c = &r->chains[rule->chain];
	const struct nf_rule *first = &r->rules[c->first];
	struct owned told = *out;

	if (first >= rule || !first->comment)
		return;
	of_texts(behind_hash(first->comment, &told), strchr(first->comment, '\n'), &told);
	keep_if_chains(c->name, out, &told);
	if (told.policy[0])
		*out = told;
}

void calico_of_rule(const struct nf_rules *r, const struct nf_rule *rule, struct owned *out)
{
	const char *chain = rule->chain < r->n_chains ? r->chains[rule->chain].name : "";
	bool by_chain = out->owner == OWNER_CALICO;
	bool endpoint = by_chain && out->iface[0];
	bool of_one = by_chain && (out->meaning == MEANS_POLICY || out->meaning == MEANS_PROFILE);
	const char *s = rule->comment ? behind_hash(rule->comment, out) : "";
	struct owned told = *out;

	if (rule->log_prefix && (by_chain || rule->log_group == 1 || rule->log_group == 2))
		of_log(rule->log_prefix, out);
	if (out->owner != OWNER_CALICO)
		return;
	if (of_one && told.hash[0] && !rule->log_prefix)
		named_by_first(r, rule, out);
	if (*s)
		of_texts(s, strchr(rule->comment, '\n'), out);
	else if (endpoint && !rule->log_prefix && drops_invalid(r, rule))
		out->meaning = MEANS_INVALID;
	if (of_one && (*s || rule->log_prefix) && memcmp(out, &told, sizeof(told)))
		keep_if_chains(chain, &told, out);
}
