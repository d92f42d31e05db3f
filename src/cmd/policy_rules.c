// SPDX-License-Identifier: GPL-2.0-or-later
/* policy rules: what the packet filter has of policies: whose each rule is, what it means, what it has decided. */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/fields.h"
#include "cmd/policy_rules.h"
#include "cmd/session.h"
#include "util/err.h"
#include "util/escape.h"

/* ── words ────────────────────────────────────────────────────────────────── */

static const char *const verdicts[] = {
	[NF_NONE] = "continue", [NF_ACCEPTS] = "accept", [NF_DROPS] = "drop", [NF_REJECTS] = "reject",
	[NF_RETURNS] = "return", [NF_JUMPS] = "jump", [NF_GOES] = "goto", [NF_QUEUES] = "queue",
	[NF_REDIRECTS] = "redirect", [NF_TARGET] = "target", [NF_MAPS] = "map",
};

static const char *const meanings[] = {
	[MEANS_NOTHING] = NULL, [MEANS_DISPATCH] = "dispatch", [MEANS_POD] = "pod", [MEANS_POLICY] = "policy",
	[MEANS_PROFILE] = "profile", [MEANS_DEFAULT_DENY] = "default-deny", [MEANS_NO_ENDPOINTS] = "no-endpoints",
	[MEANS_INVALID] = "invalid", [MEANS_ENCAP] = "encap", [MEANS_MESH] = "mesh", [MEANS_SERVICE] = "service",
};

static const char *hook_name(const struct nf_chain *c)
{
	static const char *const of_ip[] = { "prerouting", "input", "forward", "output", "postrouting", "ingress" };
	static const char *const of_arp[] = { "input", "output", "forward" };

	if (!c->base)
		return NULL;
	if (c->family == NFPROTO_NETDEV)
		return c->hook ? "egress" : "ingress";
	if (c->family == NFPROTO_ARP)
		return c->hook < 3 ? of_arp[c->hook] : NULL;
	return c->hook < sizeof(of_ip) / sizeof(of_ip[0]) ? of_ip[c->hook] : NULL;
}

/* ── names ────────────────────────────────────────────────────────────────── */

static void put_both(char *to, size_t size, const char *ns, const char *name)
{
	snprintf(to, size, "%s%s%s", *name ? ns : "", *name && *ns ? "/" : "", name);
}

/* Where the rule has no name of the pod, its interface tells. */
static void own_names(const struct network *n, const struct owned *o, struct rules_names *to)
{
	const struct node_pod *pod = o->iface[0] && !o->pod[0] ? node_pod_by_iface(&n->pods, o->iface) : NULL;

	put_both(to->policy, sizeof(to->policy), o->ns, o->policy);
	put_both(to->service, sizeof(to->service), o->ns, o->service);
	if (pod)
		put_both(to->pod, sizeof(to->pod), node_text(&n->pods, pod->ns), node_text(&n->pods, pod->name));
	else
		put_both(to->pod, sizeof(to->pod), o->ns, o->pod);
}

/* And where its chain is a pod's, what others of the chain tell; of a jump to a policy's chain what that one tells. */
static void name(const struct rules_listing *l, const struct nf_rule *rule, const struct owned *o,
		 struct rules_names *to)
{
	const struct nf_rules *r = &l->net.rules;
	const struct nf_chain *c = &r->chains[rule->chain], *target = NULL;

	own_names(&l->net, o, to);
	if (!to->pod[0] && l->pods[rule->chain])
		snprintf(to->pod, sizeof(to->pod), "%s", l->pods[rule->chain]);
	if (rule->verdict == NF_JUMPS || rule->verdict == NF_GOES)
		target = nf_chain_find(r, c->via, c->family, c->table, rule->target);
	if (target && l->policies[target - r->chains])
		snprintf(to->policy, sizeof(to->policy), "%s", l->policies[target - r->chains]);
}

static bool keep(char **to, const char *name)
{
	if (!*to && *name)
		*to = strdup(name);
	return *to || !*name;
}

/* The names that chains have by the first of their rules that has one. */
static int name_chains(struct rules_listing *l)
{
	const struct nf_rules *r = &l->net.rules;
	struct owned o, of_chain;
	struct rules_names who;

	l->pods = calloc(r->n_chains + 1, sizeof(*l->pods));
	l->policies = calloc(r->n_chains + 1, sizeof(*l->policies));
	if (!l->pods || !l->policies)
		return fail(ENOMEM, "rules of the packet filter");
	for (uint32_t i = 0; i < r->n_rules; i++) {
		const struct nf_rule *rule = &r->rules[i];

		owner_of_chain(&r->chains[rule->chain], &of_chain);
		if (of_chain.meaning != MEANS_POD && of_chain.meaning != MEANS_POLICY)
			continue;
		owner_of_rule(r, rule, &o);
		own_names(&l->net, &o, &who);
		if (of_chain.meaning == MEANS_POD ? !keep(&l->pods[rule->chain], who.pod)
						  : !keep(&l->policies[rule->chain], who.policy))
			return fail(ENOMEM, "rules of the packet filter");
	}
	return 0;
}

/* ── records ──────────────────────────────────────────────────────────────── */

static void put_chain(struct record *r, const struct nf_chain *c)
{
	struct filter_rule_body *b = filter_rule_of(r);

	listing_word(r, FIELD_FR_VIA, &b->via, c->via == NF_LEGACY ? "legacy" : "nf_tables");
	listing_word(r, FIELD_FR_FAMILY, &b->family, network_family(c->family));
	listing_text(r, FIELD_FR_TABLE, &b->table, c->table);
	listing_text(r, FIELD_FR_CHAIN, &b->chain, c->name);
	listing_word(r, FIELD_FR_HOOK, &b->hook, hook_name(c));
	b->priority = c->priority;
	if (c->base)
		record_mark(r, FIELD_FR_PRIORITY);
	b->reached = c->reached;
	record_mark(r, FIELD_FR_REACHED);
}

void rules_put_owned(struct record *r, const struct owned *o, const struct rules_names *who)
{
	struct filter_rule_body *b = filter_rule_of(r);

	listing_word(r, FIELD_FR_OWNER, &b->owner, owner_name(o->owner));
	listing_word(r, FIELD_FR_MEANING, &b->meaning, meanings[o->meaning]);
	listing_word(r, FIELD_FR_DIRECTION, &b->direction, o->ingress < 0 ? NULL : o->ingress ? "ingress" : "egress");
	listing_text(r, FIELD_FR_POD, &b->pod, who->pod);
	listing_text(r, FIELD_FR_POLICY, &b->policy, who->policy);
	listing_text(r, FIELD_FR_KIND, &b->kind, o->kind);
	listing_text(r, FIELD_FR_SERVICE, &b->service, who->service);
	listing_text(r, FIELD_FR_INTERFACE, &b->interface, o->iface);
	listing_text(r, FIELD_FR_HASH, &b->hash, o->hash);
}

void rules_put_counters(struct record *r, uint64_t packets, uint64_t bytes)
{
	struct filter_rule_body *b = filter_rule_of(r);

	b->packets = packets;
	b->bytes = bytes;
	record_mark(r, FIELD_FR_PACKETS);
	record_mark(r, FIELD_FR_BYTES);
}

void rules_put_verdict(struct record *r, unsigned int verdict)
{
	listing_word(r, FIELD_FR_VERDICT, &filter_rule_of(r)->verdict, verdicts[verdict]);
}

void rules_begin(struct record *r)
{
	record_start(r, &filter_rule_dataset);
	memset(filter_rule_of(r), 0, sizeof(struct filter_rule_body));
}

/* Several comments stand in lines. */
static const char *one_line(char *to, size_t size, const char *comment)
{
	size_t at = 0;

	for (const char *s = comment; s && *s && at + 3 < size; s++) {
		if (*s == '\n')
			to[at++] = ';';
		to[at++] = *s == '\n' ? ' ' : *s;
	}
	to[at] = '\0';
	return comment ? to : NULL;
}

int rules_put(struct rules_listing *l, struct record *r)
{
	if (l->pipe.where && !where_match(l->pipe.where, r)) {
		l->refused++;
		return 0;
	}
	l->n++;
	return listing_put(&l->pipe, r);
}

static int put_rule(struct rules_listing *l, const struct nf_rule *rule, const struct owned *o,
		    const struct rules_names *who)
{
	struct filter_rule_body *b;
	char comment[1200];
	struct record r;

	rules_begin(&r);
	b = filter_rule_of(&r);
	put_chain(&r, &l->net.rules.chains[rule->chain]);
	rules_put_owned(&r, o, who);
	b->handle = rule->handle;
	record_mark(&r, FIELD_FR_HANDLE);
	rules_put_verdict(&r, rule->verdict);
	listing_text(&r, FIELD_FR_TARGET, &b->target, rule->target);
	listing_text(&r, FIELD_FR_COMMENT, &b->comment, one_line(comment, sizeof(comment), rule->comment));
	listing_text(&r, FIELD_FR_LOG_PREFIX, &b->log_prefix, rule->log_prefix);
	b->to_port = rule->to_port;
	if (rule->to_port)
		record_mark(&r, FIELD_FR_TO_PORT);
	b->uid = rule->uid;
	if (rule->uid != UINT32_MAX)
		record_mark(&r, FIELD_FR_UID);
	if (rule->counted)
		rules_put_counters(&r, rule->packets, rule->bytes);
	return rules_put(l, &r);
}

/* What a chain of a hook does with what is left: the end that nobody wrote as a rule. */
static int put_end(struct rules_listing *l, const struct nf_chain *c)
{
	const struct rules_names nobody = { .pod = "" };
	struct owned o;
	struct record r;

	owner_of_chain(c, &o);
	rules_begin(&r);
	put_chain(&r, c);
	rules_put_owned(&r, &o, &nobody);
	listing_word(&r, FIELD_FR_VERDICT, &filter_rule_of(&r)->verdict, c->drops ? "drop" : "accept");
	if (c->counted)
		rules_put_counters(&r, c->packets, c->bytes);
	return rules_put(l, &r);
}

/* ── which ────────────────────────────────────────────────────────────────── */

static bool of_policies(const struct nf_rule *rule, const struct owned *o, const struct rules_names *who)
{
	if (rule->verdict == NF_DROPS || rule->verdict == NF_REJECTS)
		return true;
	if (rule->verdict == NF_NONE && o->meaning == MEANS_DEFAULT_DENY)
		return false;		/* it logs what the next one drops */
	return who->policy[0] || o->meaning == MEANS_POLICY || o->meaning == MEANS_DEFAULT_DENY ||
	       o->meaning == MEANS_MESH || o->meaning == MEANS_NO_ENDPOINTS;
}

static bool is_meant(struct rules_listing *l, const char *whole, const struct node_pod *pod)
{
	const char *slash = strchr(whole, '/');
	struct addr addrs[POD_ADDRS_MAX];
	char ns[OWNER_NAME_MAX];

	snprintf(ns, sizeof(ns), "%.*s", slash ? (int)(slash - whole) : 0, whole);
	for (unsigned int i = 0; pod && i < pod->n_addrs; i++)
		addrs[i] = pod->addrs[i].a;
	return *whole && whom_fits(&l->whom, &(struct whom_row){
		.ns = ns,
		.name = slash ? slash + 1 : whole,
		.iface = pod ? node_text(&l->net.pods, pod->iface) : "",
		.uid = pod ? node_text(&l->net.pods, pod->uid) : "",
		.sandbox = pod ? node_text(&l->net.pods, pod->sandbox) : "",
		.addrs = addrs,
		.n_addrs = pod ? pod->n_addrs : 0,
	});
}

/* A word may be the pod's, the policy's or the service's name. */
static bool meant(struct rules_listing *l, const struct rules_names *who)
{
	const char *slash = strchr(who->pod, '/');
	const struct node_pod *pod = NULL;
	bool fits = !l->whom.n;

	if (slash)
		pod = node_pod_by_name(&l->net.pods, who->pod, (size_t)(slash - who->pod), slash + 1);
	/* Each, that all words that fit are marked. */
	fits |= is_meant(l, who->pod, pod);
	fits |= is_meant(l, who->policy, NULL);
	fits |= is_meant(l, who->service, NULL);
	return fits;
}

static int list_chain(struct rules_listing *l, const struct nf_chain *c)
{
	bool all = l->p->o->all;
	int err = 0;

	for (uint32_t i = 0; i < c->n && !err; i++) {
		const struct nf_rule *rule = &l->net.rules.rules[c->first + i];
		struct rules_names who;
		struct owned o;

		owner_of_rule(&l->net.rules, rule, &o);
		name(l, rule, &o, &who);
		if ((all || l->whom.n || of_policies(rule, &o, &who)) && meant(l, &who))
			err = put_rule(l, rule, &o, &who);
		else
			l->other++;
	}
	if (!err && c->base && (c->drops || all) && !l->whom.n)
		err = put_end(l, c);
	return err;
}

/* ── for people ───────────────────────────────────────────────────────────── */

static void put_meaning(struct buf *b, const struct record *r, const struct filter_rule_body *f)
{
	bool policy = f->meaning && !strcmp(f->meaning, "policy");

	if (f->meaning && !(policy && f->policy.n)) {
		for (unsigned int m = 0; m < sizeof(meanings) / sizeof(meanings[0]); m++)
			if (meanings[m] == f->meaning)
				buf_fmt(b, " %s", meaning_text(m));
		if (f->policy.n || f->pod.n || f->service.n)
			buf_chr(b, ',');
	}
	listing_clean(b, f->kind.n == 4 && !memcmp(f->kind.p, "Tier", 4) ? " tier " : " policy ", &f->policy, "");
	listing_clean(b, " pod ", &f->pod, "");
	listing_clean(b, " service ", &f->service, "");
	if (f->direction)
		buf_fmt(b, " %s", f->direction);
	listing_clean(b, " ", &f->match, "");
	if (!record_has(r, FIELD_FR_HANDLE) && !f->match.n)
		buf_str(b, " what no rule decided");
	if (f->to_port)
		buf_fmt(b, " port %u", f->to_port);
	listing_clean(b, " -> ", &f->target, "");
	if (record_has(r, FIELD_FR_REACHED) && !f->reached)
		buf_str(b, " (left over: no hook comes here)");
	if (!f->policy.n && !f->pod.n && !f->service.n)
		listing_clean(b, " \"", &f->comment, "\"");
}

static void rule_line(void *ctx, const struct record *r, struct buf *b)
{
	struct rules_listing *l = ctx;
	const struct filter_rule_body *f = filter_rule_of(r);
	char chain[400], clean[400 * ESCAPE_MAX];
	int n;

	if (l->titles)
		buf_fmt(b, "%10s %-8s %-48s %-11s %s\n", "PACKETS", "VERDICT", "CHAIN AND HANDLE", "WHOSE", "WHAT");
	l->titles = false;
	if (record_has(r, FIELD_FR_PACKETS))
		buf_fmt(b, "%10llu ", (unsigned long long)f->packets);
	else
		buf_fmt(b, "%10s ", "-");
	n = snprintf(chain, sizeof(chain), "%s%s %s %s", f->family ? f->family : strcmp(f->via, "ebpf") ? "?" : f->via,
		     strcmp(f->via, "legacy") ? "" : "(legacy)", f->table.p, f->chain.p);
	if (record_has(r, FIELD_FR_HANDLE) && n < (int)sizeof(chain))
		n += snprintf(chain + n, sizeof(chain) - (size_t)n, " %llu", (unsigned long long)f->handle);
	escape_text(clean, sizeof(clean), chain, n < (int)sizeof(chain) ? (size_t)n : sizeof(chain) - 1, ESCAPE_FIELD);
	buf_fmt(b, "%-8s %-48s %-11s", f->verdict, clean, strcmp(f->owner, "none") ? f->owner : "-");
	put_meaning(b, r, f);
}

/* ── all ──────────────────────────────────────────────────────────────────── */

static void tell_end(const struct rules_listing *l)
{
	if (l->refused)
		note("%llu rule%s not as --where wants", (unsigned long long)l->refused, l->refused == 1 ? "" : "s");
	else if (!l->n && !l->net.rules.n_rules && !l->net.ebpf.n_rules && !l->incomplete)
		note("no rule of a policy: the packet filter of this network namespace has none");
	else if (!l->n && !l->whom.n)
		note("no rule of a policy%s", l->incomplete ? " among those that were read" : "");
	if (l->other && !l->whom.n)
		note("%llu other rule%s: --all", (unsigned long long)l->other, l->other == 1 ? "" : "s");
}

/* What was refused has been said; without it the answer is half of one. */
static int failure(const struct rules_listing *l)
{
	const struct facts *f = &l->net.facts;

	if (f->err[FACT_NFT] && f->err[FACT_NFT] != -EFBIG)
		return f->err[FACT_NFT];
	return f->err[FACT_LEGACY] != -EFBIG ? f->err[FACT_LEGACY] : 0;
}

static int list_rules(struct rules_listing *l)
{
	static const uint16_t columns[] = {
		FIELD_FR_VIA, FIELD_FR_FAMILY, FIELD_FR_TABLE, FIELD_FR_CHAIN, FIELD_FR_HANDLE, FIELD_FR_VERDICT,
		FIELD_FR_TARGET, FIELD_FR_PACKETS, FIELD_FR_BYTES, FIELD_FR_OWNER, FIELD_FR_MEANING, FIELD_FR_DIRECTION,
		FIELD_FR_POD, FIELD_FR_POLICY, FIELD_FR_SERVICE, FIELD_FR_COMMENT, FIELD_FR_MATCH,
	};
	int err = listing_open(&l->out, &l->pipe, &filter_rule_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	uint32_t kinds = (FACTS_OF_PODS & ~(1u << FACT_KUBELET)) | 1u << FACT_NFT;
	int rc;

	/* Maps are the node's: in a network namespace that was asked for they decide nothing. */
	if (!l->p->g->netns)
		kinds |= 1u << FACT_EBPF | 1u << FACT_DUMP | 1u << FACT_CILIUM | 1u << FACT_INTERFACE;
	if (!err)
		err = network_collect(&l->net, NULL, kinds);
	if (!err)
		err = failure(l);
	if (!err && (rc = policy_open(l->p)) != EXIT_DONE)
		return rc;
	if (!err)
		err = network_read(&l->net);
	if (!err)
		network_tell_missing(&l->net);
	l->incomplete = l->net.rules.cut || l->net.rules.broken || l->net.facts.err[FACT_NFT] ||
			l->net.facts.err[FACT_LEGACY] || !network_ebpf_whole(&l->net);
	if (!err)
		err = name_chains(l);
	for (uint32_t i = 0; i < l->net.rules.n_chains && !err; i++)
		err = list_chain(l, &l->net.rules.chains[i]);
	if (!err)
		err = rules_list_ebpf(l);
	rc = listing_close(&l->out, &l->pipe, err);
	if (rc)
		return rc;
	tell_end(l);
	rc = whom_found(&l->whom, l->incomplete ? "no rule names it, of those that were read" : "no rule names it");
	return l->incomplete ? EXIT_FAILED : rc;
}

int policy_rules(struct policy *p, int argc, char **argv)
{
	struct rules_listing l = { .p = p, .titles = !p->g->no_header };
	struct where *where = NULL;
	int rc;

	if (p->n_files || p->o->kubectl) {
		fail(0, "policy rules reads the packet filter, and no objects");
		return EXIT_USAGE;
	}
	rc = session_netns(p->g, NULL);
	if (rc)
		return rc;
	l.o = (struct output_options){ .g = p->g, .records = true, .text = { .line = rule_line, .line_state = &l } };
	rc = EXIT_USAGE;
	if (!whom_take(&l.whom, argc, argv) && !output_check(&l.out, &l.o) &&
	    !(p->o->where && where_compile(&where, p->o->where))) {
		l.pipe.where = where;
		rc = list_rules(&l);
	}
	where_free(where);
	for (uint32_t i = 0; i < l.net.rules.n_chains && l.pods && l.policies; i++) {
		free(l.pods[i]);
		free(l.policies[i]);
	}
	free(l.pods);
	free(l.policies);
	network_free(&l.net);
	return rc;
}
