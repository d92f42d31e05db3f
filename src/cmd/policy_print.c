// SPDX-License-Identifier: GPL-2.0-or-later
/* policy: what was decided, for programs and for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/policy.h"
#include "sink/jtext.h"
#include "util/escape.h"

static const char *const verdicts[] = { "allow", "deny", "unknown" };
static const char *const sides[] = { "egress", "ingress" };
static const char *const levels[] = { "note", "field", "error" };
static const char *const reasons[] = {
	[REASON_NOT_POD] = "not-a-pod",	      [REASON_HOST_NETWORK] = "host-network",
	[REASON_SELF] = "self",		      [REASON_LOCAL_NODE] = "local-node",
	[REASON_NOT_SELECTED] = "not-selected", [REASON_POLICIES] = "policies",
	[REASON_ADMIN] = "admin-policy",      [REASON_BASELINE] = "baseline-policy",
	[REASON_UNKNOWN] = "unknown",
};

/* ── JSON ─────────────────────────────────────────────────────────────────── */

static void put_text(const char *s)
{
	char out[8 * FLOW_END_MAX + 64];
	struct json_writer w = { .o = out, .limit = out + sizeof(out) - 16 };

	json_text(&w, s, strlen(s));
	fwrite(out, 1, (size_t)(w.o - out), stdout);
}

/* "ingress[0].from[1].ports[0]" */
static void rule_text(enum side side, const struct k8s_hit *h, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s[%u]", sides[side], h->rule);

	if (h->peer != UINT32_MAX && n < size)
		n += (size_t)snprintf(out + n, size - n, ".%s[%u]", side == EGRESS ? "to" : "from", h->peer);
	if (h->port != UINT32_MAX && n < size)
		snprintf(out + n, size - n, ".ports[%u]", h->port);
}

static const char *label_of(const struct policy *p, uint32_t policy)
{
	return p->k->policies[policy].label ? p->k->policies[policy].label : "";
}

static void put_policies(const struct policy *p, const char *key, const struct k8s_hits *h)
{
	printf("\"%s\":[", key);
	for (uint32_t i = 0; i < h->n; i++) {
		if (i)
			putchar(',');
		put_text(label_of(p, h->v[i].policy));
	}
	putchar(']');
}

static void put_rules(const struct policy *p, enum side side, const struct k8s_hits *h, bool *first)
{
	char rule[64];

	for (uint32_t i = 0; i < h->n; i++) {
		char text[FLOW_END_MAX + 320];

		rule_text(side, &h->v[i], rule, sizeof(rule));
		snprintf(text, sizeof(text), "%s %s", label_of(p, h->v[i].policy), rule);
		if (!*first)
			putchar(',');
		*first = false;
		put_text(text);
	}
}

static void put_side(const struct policy *p, enum side side)
{
	const struct k8s_side *s = &p->d.side[side];
	bool first = true;

	printf(",\"%s\":{\"verdict\":\"%s\",", sides[side], verdicts[s->verdict]);
	put_policies(p, "selected_by", &s->selected);
	putchar(',');
	put_policies(p, "allowed_by", &s->allowed);
	printf(",\"rules\":[");
	put_rules(p, side, &s->admin, &first);
	put_rules(p, side, &s->allowed, &first);
	printf("],\"reason\":\"%s\"}", reasons[s->reason]);
}

/* All that decided.  More than there is room for are those of one namespace of hundreds of policies. */
enum { DECIDED_MAX = 1024 };

static void put_json(const struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count)
{
	uint32_t v[DECIDED_MAX], n = k8s_decided_by(&p->d, v, DECIDED_MAX);

	printf("{\"from\":");
	put_text(from);
	printf(",\"to\":");
	put_text(to);
	printf(",\"port\":%u,\"protocol\":\"%s\",\"verdict\":\"%s\",\"policies\":[", f->port, proto_name(f->proto),
	       verdicts[p->d.verdict]);
	for (uint32_t i = 0; i < n && i < DECIDED_MAX; i++) {
		if (i)
			putchar(',');
		put_text(label_of(p, v[i]));
	}
	putchar(']');
	put_side(p, EGRESS);
	put_side(p, INGRESS);
	if (count)
		printf(",\"count\":%" PRIu64, count);
	printf("}\n");
}

/* ── a line ───────────────────────────────────────────────────────────────── */

void print_text(const char *s)
{
	char out[ESCAPE_MAX * FLOW_END_MAX + 64];

	escape_text(out, sizeof(out), s, strlen(s), ESCAPE_FIELD);
	fputs(out, stdout);
}

static const struct k8s_hit *find_hit(const struct k8s_hits *h, uint32_t policy)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->v[i].policy == policy)
			return &h->v[i];
	return NULL;
}

static void put_by(const struct policy *p, uint32_t policy)
{
	char rule[64];

	print_text(label_of(p, policy));
	for (int side = 0; side < SIDES; side++) {
		const struct k8s_side *s = &p->d.side[side];
		const struct k8s_hit *h = find_hit(&s->admin, policy);

		if (!h)
			h = find_hit(&s->allowed, policy);
		if (h && s->verdict == p->d.verdict) {
			rule_text((enum side)side, h, rule, sizeof(rule));
			printf(" %s", rule);
		} else if (!h && find_hit(&s->selected, policy)) {
			printf(" %s: no rule", sides[side]);
		}
	}
}

static void put_line(const struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count)
{
	uint32_t v[DECIDED_MAX], n = k8s_decided_by(&p->d, v, DECIDED_MAX);

	printf("%-7s ", verdicts[p->d.verdict]);
	print_text(from);
	printf(" > ");
	print_text(to);
	printf(" %u/%s", f->port, proto_name(f->proto));
	if (count)
		printf(" (%" PRIu64 ")", count);
	for (uint32_t i = 0; i < n && i < DECIDED_MAX; i++) {
		printf(i ? "; " : "  ");
		put_by(p, v[i]);
	}
	if (!n)
		printf("  no policy");
	putchar('\n');
}

void print_decision(const struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count)
{
	if (p->g->json || p->g->pretty)
		put_json(p, from, to, f, count);
	else
		put_line(p, from, to, f, count);
}

void print_mistake(const struct policy *p, FILE *to, const struct mistake *m)
{
	char file[1024], text[2048], object[2048], path[2048];

	if ((p->g->json || p->g->pretty) && to == stdout) {
		printf("{\"file\":");
		put_text(m->file);
		if (m->line)
			printf(",\"line\":%u", m->line);
		if (m->column)
			printf(",\"column\":%u", m->column);
		printf(",\"level\":\"%s\",\"object\":", levels[m->level]);
		put_text(m->object);
		printf(",\"path\":");
		put_text(m->path);
		printf(",\"message\":");
		put_text(m->text);
		printf("}\n");
		return;
	}
	escape_text(file, sizeof(file), m->file, strlen(m->file), ESCAPE_FIELD);
	escape_text(object, sizeof(object), m->object, strlen(m->object), ESCAPE_FIELD);
	escape_text(path, sizeof(path), m->path, strlen(m->path), ESCAPE_FIELD);
	escape_text(text, sizeof(text), m->text, strlen(m->text), ESCAPE_FIELD);
	fprintf(to, "%s:", file);
	if (m->line)
		fprintf(to, "%u:", m->line);
	if (m->line && m->column)
		fprintf(to, "%u:", m->column);
	fprintf(to, " %s: %s%s", m->level == MISTAKE_NOTE ? "note" : "mistake", object, *object ? ": " : "");
	fprintf(to, "%s%s%s\n", path, *path ? " " : "", text);
}

/* ── step by step ─────────────────────────────────────────────────────────── */

static void tell_end(const struct policy *p, const char *what, const char *name, const struct k8s_end *e)
{
	const struct k8s_pod *pod = e->pod;

	printf("%s ", what);
	print_text(name);
	if (!pod && k8s_service_by_ip(p->k, &e->addr)) {
		const struct k8s_service *s = k8s_service_by_ip(p->k, &e->addr);

		printf(" is the address of the service ");
		print_text(intern_text(&p->k->names, p->k->ns[s->ns].name));
		putchar('/');
		print_text(intern_text(&p->k->names, s->name));
		printf(": policies are applied to the pods behind it.\n");
		return;
	}
	if (!pod) {
		printf(k8s_is_pod_range(p->k, &e->addr) ?
			       " is an address of a pod that is in none of the files.\n" :
			       " is no pod's address: only ipBlock and rules without peers fit it.\n");
		return;
	}
	if (!pod->labels.whole) {
		printf(" is in none of the files: nothing is known but its namespace.\n");
		return;
	}
	printf(" is the pod ");
	print_text(intern_text(&p->k->names, p->k->ns[pod->ns].name));
	putchar('/');
	print_text(intern_text(&p->k->names, pod->name));
	printf(pod->labels.n ? ", labels" : ", without labels");
	for (uint32_t i = 0; i < pod->labels.n; i++) {
		printf(i ? "," : " ");
		print_text(intern_text(&p->k->names, pod->labels.v[i].key));
		putchar('=');
		print_text(intern_text(&p->k->names, pod->labels.v[i].value));
	}
	printf(pod->host_network ? "; of its host's network.\n" : ".\n");
}

static void tell_policies(const struct policy *p, enum side side)
{
	const struct k8s_side *s = &p->d.side[side];
	char rule[64];

	for (uint32_t i = 0; i < s->selected.n; i++) {
		const struct k8s_hit *sel = &s->selected.v[i], *h = find_hit(&s->allowed, sel->policy);
		const struct k8s_policy *policy = &p->k->policies[sel->policy];

		printf("  - ");
		print_text(label_of(p, sel->policy));
		printf(sel->match == YES ? " selects it" : " may select it: not all labels are known");
		if (!h) {
			if (policy->n_rules[side])
				printf("; none of its %u rules fits.\n", policy->n_rules[side]);
			else
				printf("; it has no rules, and so allows nothing.\n");
			continue;
		}
		rule_text(side, h, rule, sizeof(rule));
		printf("; %s %s.\n", rule, h->match == YES ? "allows it" : "may allow it");
	}
}

static void tell_admin(const struct policy *p, enum side side)
{
	static const char *const actions[] = { "allows it", "denies it", "passes it on to the NetworkPolicies" };
	const struct k8s_side *s = &p->d.side[side];
	char rule[64];

	for (uint32_t i = 0; i < s->admin.n; i++) {
		const struct k8s_hit *h = &s->admin.v[i];
		const struct k8s_policy *policy = &p->k->policies[h->policy];

		rule_text(side, h, rule, sizeof(rule));
		printf("  - ");
		print_text(label_of(p, h->policy));
		if (policy->kind == POLICY_ADMIN)
			printf(", priority %d", policy->priority);
		printf(": %s %s%s.\n", rule, h->match == YES ? "" : "may fit, and then ",
		       actions[policy->rules[side][h->rule].action]);
	}
}

static void tell_side(const struct policy *p, enum side side)
{
	static const char *const why[] = {
		[REASON_NOT_POD] = "It is no pod: no policy applies.",
		[REASON_HOST_NETWORK] = "Pods of the host's network are treated as their node: no policy applies.",
		[REASON_SELF] = "A pod cannot be kept from itself.",
		[REASON_LOCAL_NODE] = "What comes from the pod's own node is always allowed.",
		[REASON_NOT_SELECTED] = "No policy selects it for this direction, so everything is allowed.",
		[REASON_POLICIES] = NULL,
		[REASON_ADMIN] = NULL,
		[REASON_BASELINE] = NULL,
		[REASON_UNKNOWN] = NULL,
	};
	const struct k8s_side *s = &p->d.side[side];

	printf("%s\n", side == EGRESS ? "Egress, at the source:" : "Ingress, at the destination:");
	tell_admin(p, side);
	tell_policies(p, side);
	if (why[s->reason])
		printf("  %s\n", why[s->reason]);
	else if (s->reason == REASON_POLICIES && s->verdict == VERDICT_DENY)
		printf("  The pod is isolated for %s, and no rule fits: denied.\n", sides[side]);
	else if (s->verdict == VERDICT_UNKNOWN)
		printf("  What is known does not decide it.\n");
	else
		printf("  %s.\n", s->verdict == VERDICT_ALLOW ? "Allowed" : "Denied");
}

void print_steps(const struct policy *p, const char *from, const char *to, const struct k8s_flow *f)
{
	printf("May ");
	print_text(from);
	printf(" connect to ");
	print_text(to);
	printf(", port %u/%s?\n", f->port, proto_name(f->proto));
	tell_end(p, "From:", from, &f->from);
	tell_end(p, "To:", to, &f->to);
	tell_side(p, EGRESS);
	tell_side(p, INGRESS);
	printf("Verdict: %s.\n", verdicts[p->d.verdict]);
}
