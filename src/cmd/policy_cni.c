// SPDX-License-Identifier: GPL-2.0-or-later
/* policy cni: which network plugin a node has, what moves its packets, and who enforces its policies. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/fields.h"
#include "cmd/policy_network.h"
#include "util/err.h"

enum { WORDS_MAX = 8 };

struct answer {
	struct policy *p;
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct network net;
	uint32_t policies;		/* that objects tell of */
};

/* What the record points to. */
struct answer_text {
	const char *overlays[WORDS_MAX], *enforcers[OWNERS], *filters[2];
	char text[CNI_EVIDENCE_MAX][160];
	struct str evidence[CNI_EVIDENCE_MAX];
};

/*
 * All was looked at: where nothing was found there is nothing.  Cilium, Antrea and OVN enforce by maps and flows; who
 * finds the plugin and not those does not see all of the host.  Calico and Amazon's may, by maps alone.
 */
static bool looked_at_all(const struct answer *a)
{
	const struct facts *f = &a->net.facts;
	const struct nf_rules *r = &a->net.rules;
	uint8_t plugin = a->net.cni.plugin;

	if (plugin == OWNER_CILIUM || plugin == OWNER_ANTREA || plugin == OWNER_OVN)
		return false;
	if ((plugin == OWNER_CALICO || plugin == OWNER_AWS) && !f->there[FACT_PIN])
		return false;
	return f->there[FACT_NFT] && !f->err[FACT_NFT] && !f->err[FACT_LEGACY] && !f->err[FACT_PIN] &&
	       !f->err[FACT_AGENT] && !r->cut && !r->broken;
}

static const char *enforcer(const struct answer *a)
{
	const struct cni *c = &a->net.cni;

	if (c->enforcer == OWNER_NONE && !looked_at_all(a))
		return NULL;
	return owner_name(c->enforcer);
}

static uint32_t overlays(const struct cni *c, const char **to)
{
	uint32_t n = 0;

	if (c->overlay_vxlan)
		to[n++] = "vxlan";
	if (c->overlay_ipip)
		to[n++] = "ipip";
	if (c->overlay_wireguard)
		to[n++] = "wireguard";
	if (c->overlay_geneve)
		to[n++] = "geneve";
	return n;
}

static uint32_t evidence(const struct cni *c, struct answer_text *t)
{
	for (uint32_t i = 0; i < c->n_evidence; i++) {
		const struct cni_evidence *e = &c->evidence[i];
		int n = snprintf(t->text[i], sizeof(t->text[i]), "%s", e->text);

		if (e->more)
			n = snprintf(t->text[i], sizeof(t->text[i]), "%s, and %u more of the kind", e->text, e->more);
		n = n < (int)sizeof(t->text[i]) ? n : (int)sizeof(t->text[i]) - 1;
		t->evidence[i] = (struct str){ t->text[i], (uint32_t)n };
	}
	return c->n_evidence;
}

static int put_record(struct answer *a)
{
	const struct cni *c = &a->net.cni;
	struct answer_text t;
	struct cni_body *b;
	struct record r;
	uint32_t n = 0;

	record_start(&r, &cni_dataset);
	b = cni_of(&r);
	memset(b, 0, sizeof(*b));
	listing_word(&r, FIELD_CNI_PLUGIN, &b->plugin, owner_name(c->plugin));
	listing_text(&r, FIELD_CNI_TYPE, &b->type, c->type);
	listing_text(&r, FIELD_CNI_NETWORK, &b->network, c->network);
	listing_word(&r, FIELD_CNI_PATH, &b->path, cni_path_name(c->path));
	listing_list(&r, FIELD_CNI_OVERLAYS, &b->overlays, t.overlays, overlays(c, t.overlays));
	listing_word(&r, FIELD_CNI_ENFORCER, &b->enforcer, enforcer(a));
	if (c->enforcer != OWNER_NONE)
		listing_word(&r, FIELD_CNI_ENFORCER_BY, &b->enforcer_by, cni_seen_name(c->enforcer_seen));
	for (unsigned int i = 1; i < OWNERS; i++)
		if (c->enforcers >> i & 1)
			t.enforcers[n++] = owner_name(i);
	listing_list(&r, FIELD_CNI_ENFORCERS, &b->enforcers, t.enforcers, n);
	listing_word(&r, FIELD_CNI_SERVICES, &b->services, c->services);
	n = 0;
	if (c->nft)
		t.filters[n++] = "nf_tables";
	if (c->legacy)
		t.filters[n++] = "legacy";
	listing_list(&r, FIELD_CNI_FILTERS, &b->filters, t.filters, n);
	listing_list(&r, FIELD_CNI_EVIDENCE, &b->evidence, t.evidence, evidence(c, &t));
	b->bridge_filtered = a->net.bridge_filtered;
	if (c->path == PATH_BRIDGE && !a->p->o->root)
		record_mark(&r, FIELD_CNI_BRIDGE_FILTERED);
	return listing_put(&a->pipe, &r);
}

/* ── for people ───────────────────────────────────────────────────────────── */

static void put_words(struct buf *b, const struct list *l, const char *before)
{
	for (uint32_t i = 0; i < l->n; i++)
		buf_fmt(b, "%s%s", before, ((const char *const *)l->p)[i]);
}

static void put_plugin(struct buf *b, const struct cni_body *c)
{
	buf_fmt(b, "Network plugin  %s", strcmp(c->plugin, "cni-plugin") || !c->type.n ? c->plugin : "");
	if (!strcmp(c->plugin, "cni-plugin"))
		listing_clean(b, "", &c->type, "");
	listing_clean(b, ", its network ", &c->network, "");
	buf_fmt(b, "\nPackets pass    %s", c->path && *c->path ? c->path : "not known");
	put_words(b, &c->overlays, ", ");
}

static void put_enforcer(const struct answer *a, struct buf *b, const struct cni_body *c)
{
	buf_str(b, "\nPolicy engine   ");
	if (!c->enforcer) {
		buf_str(b, "not known: not all that could tell was looked at (rules, /sys/fs/bpf, agents)");
		return;
	}
	if (!strcmp(c->enforcer, "none")) {
		buf_str(b, "none: NetworkPolicies have no effect here");
		if (a->policies)
			buf_fmt(b, ", and there are %u", a->policies);
		return;
	}
	buf_fmt(b, "%s, told by %s", c->enforcer, c->enforcer_by);
	put_words(b, &c->filters, ", ");
	if (c->enforcers.n > 1) {
		buf_str(b, "; there are several:");
		put_words(b, &c->enforcers, " ");
	}
}

static void cni_line(void *ctx, const struct record *r, struct buf *b)
{
	const struct answer *a = ctx;
	const struct cni_body *c = cni_of(r);

	put_plugin(b, c);
	put_enforcer(a, b, c);
	buf_fmt(b, "\nServices        %s", *c->services ? c->services : "not known");
	if (record_has(r, FIELD_CNI_BRIDGE_FILTERED) && !c->bridge_filtered)
		buf_str(b, "\nBridge          what passes it between pods passes no rule of the packet filter: "
			   "net.bridge.bridge-nf-call-iptables is off");
	if (c->evidence.n)
		buf_str(b, "\nSeen");
	for (uint32_t i = 0; i < c->evidence.n; i++)
		listing_clean(b, "\n  ", (const struct str *)c->evidence.p + i, "");
}

static int answer(struct answer *a)
{
	static const uint16_t columns[] = {
		FIELD_CNI_PLUGIN, FIELD_CNI_TYPE, FIELD_CNI_NETWORK, FIELD_CNI_PATH, FIELD_CNI_OVERLAYS,
		FIELD_CNI_ENFORCER, FIELD_CNI_ENFORCER_BY, FIELD_CNI_ENFORCERS, FIELD_CNI_SERVICES, FIELD_CNI_FILTERS,
		FIELD_CNI_BRIDGE_FILTERED, FIELD_CNI_EVIDENCE,
	};
	int err = listing_open(&a->out, &a->pipe, &cni_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	int rc;

	if (!err)
		err = network_collect(&a->net, a->p->o->root, FACTS_OF_NETWORK);
	if (!err && (rc = policy_open(a->p)) != EXIT_DONE)
		return rc;
	if (!err)
		err = network_read(&a->net);
	if (!err)
		err = policy_read(a->p);
	if (!err) {
		network_tell_missing(&a->net);
		if (a->net.cni.n_conf_bad)
			warn("%s: %u not understood", fact_place(FACT_CNI_CONF), a->net.cni.n_conf_bad);
		for (uint32_t i = 1; i < a->p->k->n_policies; i++)
			a->policies += a->p->k->policies[i].alive;
		err = put_record(a);
	}
	rc = listing_close(&a->out, &a->pipe, err);
	for (unsigned int k = 0; k < FACT_KINDS && !rc; k++)
		if (a->net.facts.err[k] == -EACCES || a->net.facts.err[k] == -EPERM)
			rc = EXIT_PERM;
	/* Objects with mistakes, or a refusal in their place: policies that were not counted. */
	return !rc && a->p->rep.mistakes[MISTAKE_ERROR] ? EXIT_FAILED : rc;
}

int policy_cni(struct policy *p, int argc, char **argv)
{
	struct answer a = { .p = p };
	int rc;

	p->kinds = "networkpolicies";
	a.o = (struct output_options){ .g = p->g, .records = true, .text = { .line = cni_line, .line_state = &a } };
	rc = output_check(&a.out, &a.o) ? EXIT_USAGE : answer(&a);
	network_free(&a.net);
	return rc;
}
