// SPDX-License-Identifier: GPL-2.0-or-later
/* policy explain: which policies select each end, which rule fits, and why each of the others does not. */
#include <stdio.h>

#include "cmd/policy.h"
#include "cmd/policy_words.h"

/* Of policies that do not select the pod, rules of one that does, and peers of a rule. */
enum { OTHERS_MAX = 20, RULES_MAX = 32, PEERS_MAX = 16, PORTS_MAX = 8 };

/* One side of the decision. */
struct telling {
	struct policy *p;
	const struct k8s *k;
	struct buf *b;
	enum side side;
	const struct k8s_side *s;
	const struct k8s_flow *f;
	const struct k8s_end *own, *other;
};

static void flush(struct buf *b)
{
	buf_chr(b, '\n');
	fwrite(b->p, 1, b->n, stdout);
	b->n = 0;
}

static void tell_end(struct policy *p, const char *what, const char *name, const struct k8s_end *e)
{
	const struct k8s_service *s = e->service;
	const struct k8s_pod *pod = e->pod;
	struct buf *b = &p->line;

	buf_fmt(b, "%s ", what);
	say_text(b, name);
	if (s) {
		buf_str(b, " is the address of the service ");
		say_name(p->k, b, p->k->ns[s->ns].name);
		buf_chr(b, '/');
		say_name(p->k, b, s->name);
		buf_str(b, ": policies are applied to the pods behind it.");
	} else if (!pod) {
		buf_str(b, " is no pod's address: only ipBlock and rules without peers fit it.");
	} else if (!pod->labels.whole) {
		buf_str(b, pod->name ? " is in none of the files: nothing is known but its namespace." :
				       " is in none of the files, and may be a pod's address.");
	} else {
		buf_str(b, " is the pod ");
		say_end(p->k, b, e);
		buf_str(b, pod->labels.n ? ", labels" : ", without labels");
		for (uint32_t i = 0; i < pod->labels.n; i++) {
			buf_chr(b, i ? ',' : ' ');
			say_name(p->k, b, pod->labels.v[i].key);
			buf_chr(b, '=');
			say_name(p->k, b, pod->labels.v[i].value);
		}
		buf_str(b, pod->host_network ? "; of its host's network." : ".");
	}
	flush(b);
}

/* ── a rule that does not surely fit ──────────────────────────────────────── */

static void say_rule(const struct telling *t, uint32_t rule)
{
	buf_fmt(t->b, "      %s[%u]", policy_sides[t->side], rule);
}

static enum tri best_port(const struct telling *t, const struct k8s_rule *r)
{
	enum tri best = r->any_port ? YES : NO;

	for (uint32_t i = 0; i < r->n_ports && best != YES; i++) {
		enum tri m = port_match(&r->ports[i], t->f, NULL);

		best = m > best ? m : best;
	}
	return best;
}

/* "22/TCP is none of its ports: sql/TCP (it is 5432 there), 8080-8090/TCP" */
static void tell_ports(const struct telling *t, const struct k8s_rule *r, uint32_t rule, enum tri fits)
{
	struct buf *b = t->b;

	say_rule(t, rule);
	buf_fmt(b, ": %u/%s %s its ports: ", t->f->port, proto_name(t->f->proto),
		fits == NO ? "is none of" : "may be one of");
	for (uint32_t i = 0; i < r->n_ports; i++) {
		struct k8s_why w = { 0 };

		if (i)
			buf_str(b, ", ");
		if (i == PORTS_MAX) {
			buf_fmt(b, "%u more", r->n_ports - i);
			break;
		}
		say_port(t->k, b, &r->ports[i]);
		port_match(&r->ports[i], t->f, &w);
		if (w.why == WHY_PORT || w.why == WHY_PROTOCOL)
			continue;
		buf_str(b, " (");
		say_why(t->k, b, &w, &t->f->to);
		buf_chr(b, ')');
	}
	flush(b);
}

/* A line for each peer. */
static void tell_peers(const struct telling *t, const struct k8s_policy *policy, const struct k8s_rule *r,
		       uint32_t rule)
{
	struct buf *b = t->b;

	for (uint32_t i = 0; i < r->n_peers; i++) {
		struct k8s_why w = { 0 };

		say_rule(t, rule);
		if (i == PEERS_MAX) {
			buf_fmt(b, ": and %u more peers, none of which fits better", r->n_peers - i);
			flush(b);
			return;
		}
		buf_fmt(b, ".%s[%u], ", t->side == EGRESS ? "to" : "from", i);
		say_peer(t->k, b, policy, &r->peers[i]);
		peer_match(t->k, &r->peers[i], t->own->pod, t->other, &w);
		buf_str(b, ": ");
		say_why(t->k, b, &w, t->other);
		flush(b);
	}
}

static void tell_misfit(const struct telling *t, const struct k8s_policy *policy, uint32_t rule)
{
	const struct k8s_rule *r = &policy->rules[t->side][rule];
	enum tri port = best_port(t, r);

	if (port != YES)
		tell_ports(t, r, rule, port);
	if (port != NO)
		tell_peers(t, policy, r, rule);
}

static void tell_misfits(const struct telling *t, const struct k8s_policy *policy)
{
	for (uint32_t i = 0; i < policy->n_rules[t->side]; i++) {
		if (i == RULES_MAX) {
			buf_fmt(t->b, "      and %u more rules, none of which fits better",
				policy->n_rules[t->side] - i);
			flush(t->b);
			return;
		}
		tell_misfit(t, policy, i);
	}
}

/* "ports[0], sql/TCP" */
static void say_fitting(const struct telling *t, const struct k8s_policy *policy, const struct k8s_hit *h)
{
	const struct k8s_rule *r = &policy->rules[t->side][h->rule];

	if (h->peer != UINT32_MAX) {
		buf_str(t->b, ": ");
		say_peer(t->k, t->b, policy, &r->peers[h->peer]);
	}
	if (h->port == UINT32_MAX)
		return;
	buf_str(t->b, h->peer != UINT32_MAX ? "; " : ": ");
	say_port(t->k, t->b, &r->ports[h->port]);
}

/* ── the kinds of policies ────────────────────────────────────────────────── */

static void say_selects(const struct telling *t, uint32_t policy, enum tri selects)
{
	buf_str(t->b, "  - ");
	say_text(t->b, policy_label(t->p, policy));
	buf_str(t->b, selects == YES ? " selects it (" : " may select it (");
	say_subject(t->k, t->b, &t->k->policies[policy]);
	buf_chr(t->b, ')');
}

/* A rule that may fit, and what it hangs on, or the one that surely does. */
static void tell_hit(const struct telling *t, const struct k8s_policy *policy, const struct k8s_hit *h,
		     enum tri selects)
{
	buf_str(t->b, "      ");
	say_hit(t->b, t->side, h);
	buf_str(t->b, h->match == YES ? " allows it" : " may allow it");
	say_fitting(t, policy, h);
	flush(t->b);
	if (h->match == MAYBE && selects == YES)
		tell_misfits(t, policy);
}

static void tell_network(const struct telling *t)
{
	for (uint32_t i = 0; i < t->s->selected.n; i++) {
		const struct k8s_hit *sel = &t->s->selected.v[i], *h = find_hit(&t->s->allowed, sel->policy);
		const struct k8s_policy *policy = &t->k->policies[sel->policy];

		say_selects(t, sel->policy, sel->match);
		buf_str(t->b, !policy->n_rules[t->side] ? ", and has no rules: it allows nothing." :
			      !h			? ", and none of its rules fits:" :
							  ":");
		flush(t->b);
		if (h)
			tell_hit(t, policy, h, sel->match);
		else
			tell_misfits(t, policy);
	}
}

static const struct k8s_hit *find_rule(const struct k8s_hits *h, uint32_t policy, uint32_t rule)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->v[i].policy == policy && h->v[i].rule == rule)
			return &h->v[i];
	return NULL;
}

static void tell_admin_rule(const struct telling *t, const struct k8s_policy *policy, const struct k8s_hit *h)
{
	static const char *const actions[] = { "allows it", "denies it", "passes it on to the NetworkPolicies" };

	buf_str(t->b, "      ");
	say_hit(t->b, t->side, h);
	buf_fmt(t->b, " %s%s", h->match == YES ? "" : "may fit, and then ",
		actions[policy->rules[t->side][h->rule].action]);
	say_fitting(t, policy, h);
	flush(t->b);
}

/* How far the rules of an admin kind went: past all, to one that passes it on, to one that decides. */
enum went { WENT_PAST, WENT_PASSED, WENT_DECIDED };

/* The rules of one that selects the pod, up to the one that surely fits. */
static enum went tell_admin_rules(const struct telling *t, uint32_t at)
{
	const struct k8s_policy *policy = &t->k->policies[at];
	enum went went = WENT_PAST;
	uint32_t more = 0;

	for (uint32_t i = 0; i < policy->n_rules[t->side] && went == WENT_PAST; i++) {
		const struct k8s_hit *h = find_rule(&t->s->admin, at, i);

		if (!h && i < RULES_MAX)
			tell_misfit(t, policy, i);
		more += !h && i >= RULES_MAX;
		if (!h)
			continue;
		tell_admin_rule(t, policy, h);
		if (h->match == YES)
			went = policy->rules[t->side][i].action == ACTION_PASS ? WENT_PASSED : WENT_DECIDED;
	}
	if (more) {
		buf_fmt(t->b, "      and %u more rules that do not fit", more);
		flush(t->b);
	}
	return went;
}

/* Those of one of the admin kinds that select the pod, in their order. */
static enum went tell_admin(const struct telling *t, enum policy_kind kind)
{
	const struct k8s_pod *pod = t->own->pod;
	enum went went = WENT_PAST;

	for (uint32_t i = 0; i < pod->n_selected && went == WENT_PAST; i++) {
		uint32_t at = pod->selected_by[i] & ~K8S_POLICY_MAYBE;
		const struct k8s_policy *policy = &t->k->policies[at];

		if (policy->kind != kind || !policy->n_rules[t->side])
			continue;
		say_selects(t, at, pod->selected_by[i] & K8S_POLICY_MAYBE ? MAYBE : YES);
		if (kind == POLICY_ADMIN)
			buf_fmt(t->b, ", priority %d", policy->priority);
		buf_chr(t->b, ':');
		flush(t->b);
		went = tell_admin_rules(t, at);
	}
	return went;
}

/* NetworkPolicies of the pod's namespace that are not about it. */
static void tell_others(const struct telling *t)
{
	const struct k8s_pod *pod = t->own->pod;
	uint32_t told = 0, more = 0;

	for (uint32_t i = 0; i < t->k->n_order; i++) {
		uint32_t at = t->k->order[i];
		const struct k8s_policy *policy = &t->k->policies[at];
		struct k8s_why w = { 0 };
		enum tri selects;

		if (policy->kind != POLICY_NETWORK || !pod->ns || policy->ns != pod->ns ||
		    find_hit(&t->s->selected, at))
			continue;
		selects = policy_selects(t->k, policy, pod, &w);
		if (++told > OTHERS_MAX) {
			more++;
			continue;
		}
		buf_str(t->b, "  - ");
		say_text(t->b, policy_label(t->p, at));
		if (selects != NO) {
			buf_fmt(t->b, " is not about %s.", policy_sides[t->side]);
		} else {
			buf_str(t->b, " is for ");
			say_subject(t->k, t->b, policy);
			buf_str(t->b, ": ");
			say_why(t->k, t->b, &w, t->own);
			buf_chr(t->b, '.');
		}
		flush(t->b);
	}
	if (more) {
		buf_fmt(t->b, "  and %u more policies of its namespace that are not about it.", more);
		flush(t->b);
	}
}

/* ── a side ───────────────────────────────────────────────────────────────── */

static bool is_isolated(const struct k8s_side *s)
{
	for (uint32_t i = 0; i < s->selected.n; i++)
		if (s->selected.v[i].match == YES)
			return true;
	return false;
}

/* Does one of the admin kinds that selects the pod have a rule for this direction? */
static bool has_admin(const struct telling *t)
{
	const struct k8s_pod *pod = t->own->pod;

	for (uint32_t i = 0; i < pod->n_selected; i++) {
		const struct k8s_policy *policy = &t->k->policies[pod->selected_by[i] & ~K8S_POLICY_MAYBE];

		if (policy->kind != POLICY_NETWORK && policy->n_rules[t->side])
			return true;
	}
	return false;
}

static void tell_policies(const struct telling *t)
{
	/* Behind a rule that decides nothing was asked. */
	if (tell_admin(t, POLICY_ADMIN) == WENT_DECIDED)
		return;
	tell_network(t);
	tell_others(t);
	if (!is_isolated(t->s))
		tell_admin(t, POLICY_BASELINE);
}

static void tell_side(struct policy *p, enum side side)
{
	static const char *const why[] = {
		[REASON_NOT_POD] = "It is no pod: no policy applies.",
		[REASON_HOST_NETWORK] = "Pods of the host's network are treated as their node: no policy applies.",
		[REASON_SELF] = "A pod cannot be kept from itself.",
		[REASON_LOCAL_NODE] = "What comes from the pod's own node is always allowed.",
		[REASON_UNKNOWN] = "What is known does not decide it.",
	};
	const struct k8s_flow *f = &p->d.flow;
	struct telling t = { .p = p,
			     .k = p->k,
			     .b = &p->line,
			     .side = side,
			     .s = &p->d.side[side],
			     .f = f,
			     .own = side == EGRESS ? &f->from : &f->to,
			     .other = side == EGRESS ? &f->to : &f->from };

	printf("%s\n", side == EGRESS ? "Egress, at the source:" : "Ingress, at the destination:");
	if (t.s->reason >= REASON_NOT_SELECTED)
		tell_policies(&t);
	if (t.s->reason < sizeof(why) / sizeof(why[0]) && why[t.s->reason])
		printf("  %s\n", why[t.s->reason]);
	else if (t.s->reason == REASON_NOT_SELECTED)
		printf(has_admin(&t) ? "  No NetworkPolicy isolates it for %s, and no other rule fits: allowed.\n" :
				       "  No policy selects it for %s: allowed.\n",
		       policy_sides[side]);
	else if (t.s->reason == REASON_POLICIES && t.s->verdict == VERDICT_DENY)
		printf("  The pod is isolated for %s, and no rule fits: denied.\n", policy_sides[side]);
	else if (t.s->reason == REASON_POLICIES)
		printf("  One rule that fits is enough: allowed.\n");
	else
		printf("  %s.\n", t.s->verdict == VERDICT_ALLOW ? "Allowed" : "Denied");
}

void print_steps(struct policy *p, const char *from, const char *to)
{
	const struct k8s_flow *f = &p->d.flow;
	struct buf *b = &p->line;

	buf_str(b, "May ");
	say_text(b, from);
	buf_str(b, " connect to ");
	say_text(b, to);
	buf_fmt(b, ", port %u/%s?", f->port, proto_name(f->proto));
	flush(b);
	tell_end(p, "From:", from, &f->from);
	tell_end(p, "To:", to, &f->to);
	tell_side(p, EGRESS);
	tell_side(p, INGRESS);
	buf_fmt(b, "Verdict: %s", policy_verdicts[p->d.verdict]);
	if (p->d.verdict == VERDICT_UNKNOWN) {
		struct buf missing = { 0 };

		say_missing(p->k, &missing, f);
		if (missing.n)
			buf_str(b, ": ");
		buf_add(b, missing.p, missing.n);
		buf_free(&missing);
	}
	buf_chr(b, '.');
	flush(b);
}
