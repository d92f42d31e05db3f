// SPDX-License-Identifier: GPL-2.0-or-later
/* policy watch: a connection as a record, and the record as a line. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/fields.h"
#include "cmd/policy_watch.h"
#include "cmd/policy_words.h"
#include "text/parts.h"
#include "util/err.h"

enum { NAMED_MAX = 64 };	/* policies that a record names */

static const char *const actions[] = {
	[VERDICT_ALLOWED] = "allow", [VERDICT_DROPPED] = "drop", [VERDICT_UNANSWERED] = "unanswered",
};
static const char *const answers[] = {
	[HOW_NONE] = "none", [HOW_DELIVERED] = "delivered", [HOW_ANSWERED] = "answered", [HOW_REFUSED] = "refused",
	[HOW_PROHIBITED] = "prohibited",
};

/* Of one connection: what its record points to. */
struct telling {
	struct policy_watch *w;
	const struct verdict_conn *c;
	struct addr dst;		/* behind translation */
	uint16_t dport;
	struct end_name from, to;
	bool judged;			/* p->d is about it */
	struct cause cause;
	char policies[4096], missing[1024], service[512];
	struct str steps[TRACE_STEPS_MAX];
	struct pair *labels[SIDES];
};

/* ── what the policies say ────────────────────────────────────────────────── */

static int judge(struct telling *t)
{
	struct policy_watch *w = t->w;
	const struct ends_call c = {
		.from = t->from, .to = t->to, .src = t->c->src, .dst = t->dst, .port = t->dport,
		.proto = t->c->proto, .came_in = t->c->in_ifindex || w->p->o->iface.n,
		.when_ns = t->c->first_ns,
	};
	const struct k8s_decision *d = &w->p->d;
	struct k8s_flow f;
	int err;

	if (!w->judges || (c.proto != IPPROTO_TCP && c.proto != IPPROTO_UDP && c.proto != IPPROTO_SCTP) ||
	    !ends_flow(&w->ends, &c, &f))
		return 0;
	err = policy_decide(w->p, &f);
	t->judged = !err && (d->flow.from.pod || d->flow.to.pod);
	return err;
}

/* Dropped by what enforces policies, or by somebody who says that it is prohibited; not for want of a route. */
static bool is_filtered(const struct verdict_conn *c)
{
	static const char *const hooks[] = { "nft", "iptables", "tc", "xdp" };

	if (!c->reason)
		return c->how == HOW_PROHIBITED;
	for (size_t i = 0; c->hook && i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (!strcmp(c->hook, hooks[i]))
			return true;
	return c->reason && (!strncmp(c->reason, "BPF_", 4) || !strcmp(c->reason, "SOCKET_FILTER"));
}

/*
 * Each side's policies are enforced on the node of its pod.  What left for a pod of another node and was not answered
 * may have been dropped, or refused, there.
 */
static bool is_mismatch(const struct telling *t)
{
	const struct k8s_decision *d = &t->w->p->d;
	enum verdict said = d->verdict;

	if (t->judged && t->c->what == VERDICT_ALLOWED)
		return d->side[EGRESS].verdict == VERDICT_DENY ||
		       (d->side[INGRESS].verdict == VERDICT_DENY && (t->to.node || t->c->how == HOW_ANSWERED));
	return t->judged && t->c->what == VERDICT_DROPPED && said == VERDICT_ALLOW && is_filtered(t->c);
}

static void put_policies(struct telling *t, struct record *r)
{
	struct buf names = { .p = t->policies, .cap = sizeof(t->policies) - 1, .max = sizeof(t->policies) - 1 };
	uint32_t v[NAMED_MAX], n = k8s_decided_by(&t->w->p->d, v, NAMED_MAX);

	for (uint32_t i = 0; i < n && i < NAMED_MAX; i++)
		buf_fmt(&names, "%s%s", i ? "," : "", policy_label(t->w->p, v[i]));
	if (names.full || n > NAMED_MAX)
		record_mark(r, FIELD_TRUNCATED);
	r->truncated = true;
	t->policies[names.n] = '\0';
	listing_text(r, FIELD_RULE_NAME, &r->rule_name, t->policies);
}

static void put_judged(struct telling *t, struct record *r)
{
	struct policy_body *b = policy_of(r);
	const struct k8s_decision *d = &t->w->p->d;
	struct buf missing = { .p = t->missing, .cap = sizeof(t->missing) - 1, .max = sizeof(t->missing) - 1 };

	if (!t->judged)
		return;
	listing_word(r, FIELD_PV_EXPECTED, &b->expected, policy_verdicts[d->verdict]);
	b->mismatch = is_mismatch(t);
	record_mark(r, FIELD_PV_MISMATCH);
	put_policies(t, r);
	if (d->verdict != VERDICT_UNKNOWN)
		return;
	say_missing(t->w->p->k, &missing, &d->flow);
	t->missing[missing.n] = '\0';
	listing_text(r, FIELD_PV_MISSING, &b->missing, t->missing);
}

/* ── who ──────────────────────────────────────────────────────────────────── */

struct end_ids { unsigned int ns, name, uid, workload, sidecar, labels; };

static const struct end_ids ids[SIDES] = {
	{ FIELD_PV_SRC_NS, FIELD_PV_SRC_POD, FIELD_PV_SRC_UID, FIELD_PV_SRC_WORKLOAD, FIELD_PV_SRC_SIDECAR,
	  FIELD_PV_SRC_LABELS },
	{ FIELD_PV_DST_NS, FIELD_PV_DST_POD, FIELD_PV_DST_UID, FIELD_PV_DST_WORKLOAD, FIELD_PV_DST_SIDECAR,
	  FIELD_PV_DST_LABELS },
};

static int put_end(struct telling *t, struct record *r, enum side side)
{
	const struct end_name *e = side == EGRESS ? &t->from : &t->to;
	struct policy_end *to = side == EGRESS ? &policy_of(r)->src : &policy_of(r)->dst;
	const struct intern *names = &t->w->p->k->names;
	const struct k8s_pod *o = e->object;
	struct pair *pairs = NULL;

	listing_text(r, ids[side].ns, &to->ns, end_ns(&t->w->ends, e));
	listing_text(r, ids[side].name, &to->name, end_pod(&t->w->ends, e));
	listing_text(r, ids[side].uid, &to->uid, end_uid(&t->w->ends, e));
	listing_word(r, ids[side].sidecar, &to->sidecar, end_sidecar(e));
	if (!o)
		return 0;
	listing_text(r, ids[side].workload, &to->workload, intern_text(names, o->workload));
	if (!o->labels.n)
		return 0;
	pairs = t->labels[side] = calloc(o->labels.n, sizeof(*pairs));
	if (!pairs)
		return fail(ENOMEM, "policy watch");
	for (uint32_t i = 0; i < o->labels.n; i++) {
		const char *key = intern_text(names, o->labels.v[i].key);
		const char *value = intern_text(names, o->labels.v[i].value);

		pairs[i].key = (struct str){ key, (uint32_t)strlen(key) };
		pairs[i].value = (struct str){ value, (uint32_t)strlen(value) };
	}
	listing_list(r, ids[side].labels, &to->labels, pairs, o->labels.n);
	return 0;
}

static void put_service(struct telling *t, struct record *r)
{
	const struct k8s *k = t->w->p->k;
	const struct k8s_service *s = k8s_service_by_ip(k, &t->c->dst);

	if (!s)
		return;
	snprintf(t->service, sizeof(t->service), "%s/%s", intern_text(&k->names, k->ns[s->ns].name),
		 intern_text(&k->names, s->name));
	listing_text(r, FIELD_PV_DST_SERVICE, &policy_of(r)->dst.service, t->service);
}

static void put_nat(struct record *r, const struct verdict_conn *c)
{
	struct policy_body *b = policy_of(r);

	if (!c->from.family)
		return;
	b->src.nat = c->from;
	b->src.nat_port = c->from_port;
	b->dst.nat = c->to;
	b->dst.nat_port = c->to_port;
	if (!addr_same(&c->src, &c->from))
		record_mark(r, FIELD_PV_SRC_NAT_IP);
	if (c->sport != c->from_port)
		record_mark(r, FIELD_PV_SRC_NAT_PORT);
	if (!addr_same(&c->dst, &c->to))
		record_mark(r, FIELD_PV_DST_NAT_IP);
	if (c->dport != c->to_port)
		record_mark(r, FIELD_PV_DST_NAT_PORT);
}

/* ── what became of it ────────────────────────────────────────────────────── */

static const char *transport_name(uint8_t proto, bool capitals)
{
	static const struct {
		uint8_t proto;
		const char *name, *upper;
	} names[] = {
		{ IPPROTO_TCP, "tcp", "TCP" }, { IPPROTO_UDP, "udp", "UDP" }, { IPPROTO_SCTP, "sctp", "SCTP" },
		{ IPPROTO_ICMP, "icmp", "ICMP" }, { IPPROTO_ICMPV6, "ipv6-icmp", "ICMPV6" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].proto == proto)
			return capitals ? names[i].upper : names[i].name;
	return NULL;
}

static void put_drop(struct record *r, const struct verdict_conn *c)
{
	listing_text(r, FIELD_DROP_REASON, &r->drop_reason, c->reason);
	listing_text(r, FIELD_DROP_LOCATION, &r->drop_location, c->location);
	listing_word(r, FIELD_DROP_HOOK, &r->drop_hook, c->hook);
	listing_text(r, FIELD_PV_DROP_INTERFACE, &policy_of(r)->drop_interface, c->drop_name);
	policy_of(r)->drops = c->drops;
	if (c->drops)
		record_mark(r, FIELD_PV_DROPS);
}

/* The lines of the way as texts. */
static void put_trace(struct telling *t, struct record *r)
{
	uint32_t n = 0;

	for (const char *at = t->cause.trace; at && n < TRACE_STEPS_MAX; n++) {
		const char *end = strchr(at, '\n');

		t->steps[n] = (struct str){ at, (uint32_t)(end ? (size_t)(end - at) : strlen(at)) };
		at = end ? end + 1 : NULL;
	}
	listing_list(r, FIELD_PV_TRACE, &policy_of(r)->trace, t->steps, n);
}

/* What the rule is, and whose; where the policies have named none, the one that it comes from, or that it ends. */
static void put_cause(struct telling *t, struct record *r)
{
	struct policy_body *b = policy_of(r);
	const struct owned *o = &t->cause.whose;

	put_trace(t, r);
	if (!t->cause.known)
		return;
	listing_text(r, FIELD_PV_RULESET, &b->ruleset, t->cause.ruleset);
	listing_text(r, FIELD_PV_RULE, &b->rule, t->cause.rule);
	if (o->owner)
		listing_word(r, FIELD_PV_RULE_OWNER, &b->rule_owner, owner_name(o->owner));
	if (o->meaning)
		listing_word(r, FIELD_PV_MEANING, &b->meaning, meaning_text(o->meaning));
	if (record_has(r, FIELD_RULE_NAME))
		return;
	if (t->cause.policies[0])
		snprintf(t->policies, sizeof(t->policies), "%s", t->cause.policies);
	else if (o->policy[0] && strcmp(o->kind, "Tier") != 0)
		snprintf(t->policies, sizeof(t->policies), "%s%s%s", o->ns, o->ns[0] ? "/" : "", o->policy);
	else
		return;
	listing_text(r, FIELD_RULE_NAME, &r->rule_name, t->policies);
}

static void put_ends(struct record *r, const struct verdict_conn *c)
{
	bool ports = c->proto == IPPROTO_TCP || c->proto == IPPROTO_UDP || c->proto == IPPROTO_SCTP;

	r->src = c->src;
	r->dst = c->dst;
	r->sport = c->sport;
	r->dport = c->dport;
	record_mark(r, FIELD_SRC_IP);
	record_mark(r, FIELD_DST_IP);
	if (ports) {
		record_mark(r, FIELD_SRC_PORT);
		record_mark(r, FIELD_DST_PORT);
	}
	listing_word(r, FIELD_TRANSPORT, &r->transport, transport_name(c->proto, false));
}

static void put_times(struct record *r, const struct verdict_conn *c)
{
	r->time_ns = r->start_ns = c->first_ns;
	r->end_ns = c->decided_ns;
	record_mark(r, FIELD_TIME);
	record_mark(r, FIELD_START);
	record_mark(r, FIELD_END);
}

/* As the pod sees it whose policies decide: of two pods the one whose side denies, else the destination; of the host
 * itself what did not come in leaves. */
static enum side side_of(const struct telling *t)
{
	bool from = *end_pod(&t->w->ends, &t->from), to = *end_pod(&t->w->ends, &t->to);

	if (from && to)
		return t->judged && t->w->p->d.side[EGRESS].verdict == VERDICT_DENY ? EGRESS : INGRESS;
	return to || (!from && !t->c->out_ifindex && t->c->in_ifindex) ? INGRESS : EGRESS;
}

/* What tells of the verdict's cause. */
static const char *evidence(const struct telling *t)
{
	bool spec = t->judged && t->w->p->d.verdict != VERDICT_UNKNOWN && !is_mismatch(t);

	if (t->cause.known)
		return spec && t->w->p->d.verdict == VERDICT_DENY ? "both" : "dataplane";
	if (spec && (t->c->what == VERDICT_ALLOWED || is_filtered(t->c)))
		return "spec";
	return t->c->reason || t->c->how == HOW_PROHIBITED ? "reason" : "none";
}

static void put_verdict(struct telling *t, struct record *r)
{
	const struct verdict_conn *c = t->c;
	const struct cni *cni = &t->w->ends.net.cni;
	struct policy_body *b = policy_of(r);

	listing_word(r, FIELD_ACTION, &r->action, actions[c->what]);
	listing_word(r, FIELD_DIRECTION, &r->direction, policy_sides[side_of(t)]);
	listing_text(r, FIELD_INTERFACE, &r->interface, c->in_name);
	listing_text(r, FIELD_PV_OUT_INTERFACE, &b->out_interface, c->out_name);
	listing_word(r, FIELD_PV_ANSWER, &b->answer, answers[c->how]);
	listing_word(r, FIELD_PV_EVIDENCE, &b->evidence, evidence(t));
	listing_word(r, FIELD_PV_ENFORCER, &b->enforcer,
		     cni->enforcer ? owner_name(cni->enforcer) : cni->plugin ? "none" : NULL);
	b->attempts = c->attempts;
	record_mark(r, FIELD_PV_ATTEMPTS);
}

static void put_seed_names(struct telling *t, struct record *r)
{
	struct policy_body *b = policy_of(r);
	bool ingress = side_of(t) == INGRESS;
	const struct end_name *pod = ingress ? &t->to : &t->from;
	const struct cni *cni = &t->w->ends.net.cni;

	b->seed_time_ns = r->time_ns;
	b->seed_src = r->src;
	b->seed_dst = r->dst;
	b->seed_sport = r->sport;
	b->seed_dport = r->dport;
	record_mark(r, FIELD_PV_SEED_TIME);
	record_mark(r, FIELD_PV_SEED_SRC);
	record_mark(r, FIELD_PV_SEED_DST);
	if (record_has(r, FIELD_SRC_PORT)) {
		record_mark(r, FIELD_PV_SEED_SPORT);
		record_mark(r, FIELD_PV_SEED_DPORT);
	}
	listing_word(r, FIELD_PV_SEED_PROTO, &b->upper_transport, transport_name(t->c->proto, true));
	listing_word(r, FIELD_PV_SEED_ACTION, &b->seed_action, r->action);
	listing_word(r, FIELD_PV_SEED_DIRECTION, &b->seed_direction, r->direction);
	listing_text(r, FIELD_PV_SEED_POD, &b->pod, end_pod(&t->w->ends, pod));
	listing_text(r, FIELD_PV_SEED_NS, &b->ns, end_ns(&t->w->ends, pod));
	if (record_has(r, FIELD_RULE_NAME)) {
		b->seed_policy = r->rule_name;
		record_mark(r, FIELD_PV_SEED_POLICY);
	}
	listing_word(r, FIELD_PV_SEED_CNI, &b->seed_cni, cni->plugin ? owner_name(cni->plugin) : NULL);
}

/* ── which ────────────────────────────────────────────────────────────────── */

static bool is_pod(struct telling *t, const struct end_name *e, const struct addr *a)
{
	struct whom_row r = end_row(&t->w->ends, e, a);

	return whom_fits(&t->w->whom, &r);
}

static bool is_wanted(struct telling *t)
{
	uint32_t wanted = t->w->wanted;
	bool any = wanted & (1u << WATCH_ALLOW | 1u << WATCH_DROP | 1u << WATCH_UNANSWERED);

	if (!is_pod(t, &t->from, &t->c->src) && !is_pod(t, &t->to, &t->dst))
		return false;
	if (wanted & 1u << WATCH_MISMATCH && !is_mismatch(t))
		return false;
	return !any || wanted & 1u << t->c->what;
}

static int tell(struct telling *t)
{
	struct record r;
	int err;

	record_start(&r, &policy_dataset);
	memset(policy_of(&r), 0, sizeof(struct policy_body));
	put_times(&r, t->c);
	put_ends(&r, t->c);
	put_verdict(t, &r);
	err = put_end(t, &r, EGRESS);
	if (!err)
		err = put_end(t, &r, INGRESS);
	if (err)
		return err;
	put_service(t, &r);
	put_nat(&r, t->c);
	put_drop(&r, t->c);
	put_judged(t, &r);
	put_cause(t, &r);
	if (t->w->p->o->seed_names)
		put_seed_names(t, &r);
	return pipeline_record(&t->w->s.pipe, &r);
}

static void find_cause(struct telling *t)
{
	const struct nf_rules *rules = &t->w->ends.net.rules;

	if (t->w->traces)
		cause_by_trace(t->w->traces, rules, t->c, &t->cause);
	if (t->c->what == VERDICT_DROPPED && t->c->reason && is_filtered(t->c) && !t->cause.known)
		cause_by_counters(&t->w->causes, rules, t->c, &t->cause);
}

int connection_tell(struct policy_watch *w, const struct verdict_conn *c)
{
	struct telling t = { .w = w, .c = c, .dst = c->to.family ? c->to : c->dst,
			     .dport = c->to.family ? c->to_port : c->dport };
	int err;

	end_find(&t.w->ends, &c->src, c->first_ns, &t.from);
	end_find(&t.w->ends, &t.dst, c->first_ns, &t.to);
	err = judge(&t);
	find_cause(&t);
	if (!err && is_wanted(&t))
		err = tell(&t);
	free(t.labels[EGRESS]);
	free(t.labels[INGRESS]);
	return err;
}

/* ── for people ───────────────────────────────────────────────────────────── */

static void line_end(struct buf *b, const struct policy_end *e, const struct addr *a, bool has_port, uint16_t port)
{
	if (e->name.n) {
		line_text(b, e->ns.p, e->ns.n);
		buf_chr(b, '/');
		line_text(b, e->name.p, e->name.n);
		buf_chr(b, ' ');
	}
	addr_print(b, a);
	if (has_port)
		buf_fmt(b, ".%u", port);
}

static void line_destination(struct buf *b, const struct record *r, const struct policy_body *p)
{
	bool moved = record_has(r, FIELD_PV_DST_NAT_IP) || record_has(r, FIELD_PV_DST_NAT_PORT);
	bool has_port = record_has(r, FIELD_DST_PORT);

	if (p->dst.service.n) {
		buf_str(b, "service ");
		line_text(b, p->dst.service.p, p->dst.service.n);
		buf_chr(b, ' ');
	}
	if (moved || p->dst.service.n) {
		addr_print(b, &r->dst);
		if (has_port)
			buf_fmt(b, ".%u", r->dport);
		if (moved)
			buf_str(b, " -> ");
	}
	if (moved)
		line_end(b, &p->dst, &p->dst.nat, has_port, p->dst.nat_port);
	else if (!p->dst.service.n)
		line_end(b, &p->dst, &r->dst, has_port, r->dport);
}

/* With a sidecar it is that one which gets what comes, and refuses or forbids (403) on its own behalf. */
static void line_answer(struct buf *b, const struct policy_body *p)
{
	buf_fmt(b, ": %s", p->answer);
	if (p->dst.sidecar)
		buf_fmt(b, " (by way of the sidecar of %s)", p->dst.sidecar);
}

static void line_drop(struct buf *b, const struct record *r, const struct policy_body *p)
{
	if (!record_has(r, FIELD_DROP_REASON)) {
		buf_str(b, ": prohibited, as somebody on the way says");
		return;
	}
	buf_str(b, p->answer == answers[HOW_ANSWERED] ? ": its answer: " : ": ");
	line_text(b, r->drop_reason.p, r->drop_reason.n);
	if (record_has(r, FIELD_DROP_LOCATION)) {
		buf_str(b, " at ");
		line_text(b, r->drop_location.p, r->drop_location.n);
	}
	if (record_has(r, FIELD_DROP_HOOK))
		buf_fmt(b, " (%s)", r->drop_hook);
	listing_clean(b, " on ", &p->drop_interface, "");
	if (p->drops > 1)
		buf_fmt(b, ", %u times", p->drops);
	listing_clean(b, ", by ", &p->ruleset, "");
	listing_clean(b, " \"", &p->rule, "\"");
	if (p->meaning)
		buf_fmt(b, " (%s: %s)", p->rule_owner ? p->rule_owner : "?", p->meaning);
}

static void line_policies(struct buf *b, const struct record *r, const struct policy_body *p)
{
	if (!p->expected)
		return;
	buf_fmt(b, "; policies %s%s", p->mismatch ? "say otherwise: " : "", p->expected);
	if (record_has(r, FIELD_RULE_NAME)) {
		buf_str(b, " (");
		line_text(b, r->rule_name.p, r->rule_name.n);
		buf_chr(b, ')');
	} else if (!strcmp(p->expected, "allow")) {
		buf_str(b, " (none applies)");
	}
	listing_clean(b, ": ", &p->missing, "");
}

/* "DROP  shop/web 10.1.0.5.40000 > shop/db 10.1.0.7.5432 tcp: NETFILTER_DROP at nft_do_chain (nft) on v1; ..." */
void policy_line(struct line_state *st, const struct record *r, struct buf *b)
{
	static const char *const words[] = { "ALLOW", "DROP", "UNANSWERED" };
	const struct policy_body *p = policy_of(r);
	const char *word = "?";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (r->action == actions[i])
			word = words[i];
	buf_fmt(b, "%-5s ", word);
	line_end(b, &p->src, &r->src, record_has(r, FIELD_SRC_PORT), r->sport);
	buf_str(b, " > ");
	line_destination(b, r, p);
	if (record_has(r, FIELD_TRANSPORT))
		buf_fmt(b, " %s", r->transport);
	if (r->action == actions[VERDICT_DROPPED])
		line_drop(b, r, p);
	else if (r->action == actions[VERDICT_ALLOWED])
		line_answer(b, p);
	else
		buf_str(b, ": seen no further");
	line_policies(b, r, p);
	for (uint32_t i = 0; i < p->trace.n && r->action == actions[VERDICT_DROPPED]; i++) {
		const struct str *steps = p->trace.p;

		listing_clean(b, i ? " > " : "; passed ", &steps[i], "");
	}
}
