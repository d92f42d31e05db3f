// SPDX-License-Identifier: GPL-2.0-or-later
/* policy rules: what agents decide by maps of eBPF. */
#include <stdio.h>
#include <string.h>

#include "cmd/fields.h"
#include "cmd/policy_rules.h"

/* Whose a map is. */
struct holder {
	struct rules_names names;
	struct owned owned;		/* what its rules have in common */
	char chain[32];
	struct addr addrs[POD_ADDRS_MAX];
	unsigned int n_addrs;
	const struct node_pod *pod;	/* NULL: not known */
	bool there;			/* the agent has such an endpoint */
};

static void put_chain(const struct ebpf_map *m, struct holder *h)
{
	switch ((enum ebpf_kind)m->kind) {
	case EBPF_POLICY:
		snprintf(h->chain, sizeof(h->chain), "endpoint %u", m->endpoint);
		break;
	case EBPF_DROPS:
		snprintf(h->chain, sizeof(h->chain), "drops");
		break;
	default:
		snprintf(h->chain, sizeof(h->chain), "%s", h->owned.iface);
	}
}

/* ifindex: of a map that has several; else 0. */
static void find_holder(const struct network *n, const struct ebpf_map *m, uint32_t ifindex, struct holder *h)
{
	uint32_t many = 0;
	const struct ebpf_endpoint *e = m->kind == EBPF_POLICY ? ebpf_endpoint(&n->ebpf, m->endpoint, &many) : NULL;
	char iface[64] = "";

	memset(h, 0, sizeof(*h));
	h->owned.owner = m->owner;
	if (e || ifindex)
		network_iface(n, e ? e->ifindex : ifindex, iface, sizeof(iface));
	snprintf(h->owned.iface, sizeof(h->owned.iface), "%.15s", m->iface[0] ? m->iface : iface);
	put_chain(m, h);
	for (uint32_t i = 0; e && i < many; i++) {
		if (!h->pod)
			h->pod = node_pod_by_addr(&n->pods, &e[i].addr);
		if (h->n_addrs < POD_ADDRS_MAX)
			h->addrs[h->n_addrs++] = e[i].addr;
	}
	if (!h->pod && h->owned.iface[0])
		h->pod = node_pod_by_iface(&n->pods, h->owned.iface);
	for (unsigned int i = 0; h->pod && !many && i < h->pod->n_addrs; i++)
		h->addrs[h->n_addrs++] = h->pod->addrs[i].a;
	if (h->pod)
		snprintf(h->names.pod, sizeof(h->names.pod), "%s/%s", node_text(&n->pods, h->pod->ns),
			 node_text(&n->pods, h->pod->name));
	else if (m->kind == EBPF_POLICY)
		snprintf(h->names.pod, sizeof(h->names.pod), "%s", ebpf_pod(&n->ebpf, m->endpoint));
	h->there = e;
}

static bool meant(struct rules_listing *l, const struct holder *h)
{
	const struct node_pods *p = &l->net.pods;
	const char *slash = strchr(h->names.pod, '/');
	char ns[OWNER_NAME_MAX] = "";

	if (slash)
		snprintf(ns, sizeof(ns), "%.*s", (int)(slash - h->names.pod), h->names.pod);
	return whom_fits(&l->whom, &(struct whom_row){
		.ns = ns,
		.name = slash ? slash + 1 : "",
		.iface = h->owned.iface,
		.uid = h->pod ? node_text(p, h->pod->uid) : "",
		.sandbox = h->pod ? node_text(p, h->pod->sandbox) : "",
		.addrs = h->addrs,
		.n_addrs = h->n_addrs,
	});
}

static void begin(struct record *r, const struct ebpf_map *m, struct holder *h, unsigned int meaning, int ingress)
{
	struct filter_rule_body *b = filter_rule_of(r);

	rules_begin(r);
	listing_word(r, FIELD_FR_VIA, &b->via, "ebpf");
	listing_text(r, FIELD_FR_TABLE, &b->table, m->name);
	listing_text(r, FIELD_FR_CHAIN, &b->chain, h->chain);
	listing_word(r, FIELD_FR_FAMILY, &b->family, m->family ? m->family == 4 ? "ip" : "ip6" : NULL);
	h->owned.meaning = (uint8_t)meaning;
	h->owned.ingress = (int8_t)ingress;
	rules_put_owned(r, &h->owned, &h->names);
}

/* The policy's name is one of those that choose. */
static void name_policy(const struct ebpf_rule *rule, struct holder *h)
{
	struct owned *o = &h->owned;

	o->ns[0] = o->policy[0] = o->kind[0] = '\0';
	ebpf_owned(rule, o);
	snprintf(h->names.policy, sizeof(h->names.policy), "%s%s%s", o->policy[0] ? o->ns : "",
		 o->ns[0] && o->policy[0] ? "/" : "", o->policy);
	/* Counters are of hooks at the host: what comes in there goes out of the pod. */
	if (rule->ifindex && !strncmp(o->iface, "cali", 4))
		o->ingress = !rule->ingress;
}

static int put_rule(struct rules_listing *l, const struct ebpf_rule *rule, struct holder *h)
{
	struct buf text = { .max = 1 << 12 };
	struct record r;
	int rc;

	begin(&r, &l->net.ebpf.maps[rule->map], h, rule->meaning, h->owned.ingress);
	filter_rule_of(&r)->handle = rule->id;
	if (rule->id)
		record_mark(&r, FIELD_FR_HANDLE);
	listing_text(&r, FIELD_FR_COMMENT, &filter_rule_of(&r)->comment, rule->comment);
	rules_put_verdict(&r, rule->verdict);
	filter_rule_of(&r)->to_port = rule->to_port;
	if (rule->verdict == NF_REDIRECTS)
		record_mark(&r, FIELD_FR_TO_PORT);
	rules_ebpf_text(&l->net.ebpf, rule, &text);
	buf_chr(&text, '\0');
	listing_text(&r, FIELD_FR_MATCH, &filter_rule_of(&r)->match, text.p);
	if (rule->counted && l->net.ebpf.maps[rule->map].owner == OWNER_CILIUM)
		rules_put_counters(&r, rule->packets, rule->bytes);
	filter_rule_of(&r)->packets = rule->packets;
	if (rule->counted)
		record_mark(&r, FIELD_FR_PACKETS);
	rc = rules_put(l, &r);
	buf_free(&text);
	return rc;
}

/* What no entry of the map lets through is dropped: Cilium's programs have no other end. */
static int put_end(struct rules_listing *l, const struct ebpf_map *m, struct holder *h, int ingress)
{
	struct record r;

	begin(&r, m, h, MEANS_DEFAULT_DENY, ingress);
	rules_put_verdict(&r, NF_DROPS);
	return rules_put(l, &r);
}

static bool of_policies(const struct ebpf_rule *r)
{
	if (r->ifindex && !r->packets)
		return false;
	return r->verdict == NF_DROPS || r->meaning == MEANS_POLICY || r->meaning == MEANS_DEFAULT_DENY;
}

static bool by_policy(struct rules_listing *l, const struct holder *h)
{
	const char *slash = strchr(h->names.policy, '/');
	char ns[OWNER_NAME_MAX] = "";

	if (!h->names.policy[0] || !l->whom.n)
		return false;
	if (slash)
		snprintf(ns, sizeof(ns), "%.*s", (int)(slash - h->names.policy), h->names.policy);
	return whom_fits(&l->whom, &(struct whom_row){
		.ns = ns,
		.name = slash ? slash + 1 : h->names.policy,
		.iface = "",
		.uid = "",
		.sandbox = "",
	});
}

/* The map at `i`, whose rules begin at *at. */
static int list_map(struct rules_listing *l, uint32_t i, uint32_t *at)
{
	const struct ebpf *e = &l->net.ebpf;
	const struct ebpf_map *m = &e->maps[i];
	bool all = l->p->o->all || l->whom.n, wanted = false, held = false;
	uint32_t holder = 0;			/* the ifindex that h is of */
	struct holder h;
	int err = 0;

	if (!m->known)
		return 0;
	if (m->kind == EBPF_POLICY) {
		find_holder(&l->net, m, 0, &h);
		wanted = meant(l, &h);
		held = true;
	}
	for (; *at < e->n_rules && e->rules[*at].map == i && !err; ++*at) {
		const struct ebpf_rule *r = &e->rules[*at];

		if (!held || holder != r->ifindex) {
			find_holder(&l->net, m, r->ifindex, &h);
			wanted = meant(l, &h);
			holder = r->ifindex;
			held = true;
		}
		name_policy(r, &h);
		if ((by_policy(l, &h) || wanted) && (all || of_policies(r)))
			err = put_rule(l, r, &h);
		else
			l->other++;
	}
	for (int ingress = 1; ingress >= 0 && m->kind == EBPF_POLICY && wanted && h.there && !err; ingress--)
		if (!m->open[ingress])
			err = put_end(l, m, &h, ingress);
	return err;
}

int rules_list_ebpf(struct rules_listing *l)
{
	uint32_t at = 0;
	int err = 0;

	for (uint32_t i = 0; i < l->net.ebpf.n_maps && !err; i++)
		err = list_map(l, i, &at);
	return err;
}
