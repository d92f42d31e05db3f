// SPDX-License-Identifier: GPL-2.0-or-later
/* policy check: mistakes in the objects, and what of the policies fits nothing. */
#include <inttypes.h>
#include <string.h>

#include "cmd/policy.h"
#include "cmd/policy_words.h"
#include "policy/unused.h"
#include "util/err.h"

struct unused_ctx {
	struct policy *p;
	uint32_t told;			/* of this policy */
};

enum { TOLD_MAX = 64 };

static void say_unused_port(const struct policy *p, struct buf *b, const struct k8s_policy *policy,
			    const struct unused_part *u)
{
	const struct k8s_port *port = &policy->rules[u->side][u->rule].ports[u->part];

	buf_fmt(b,
		u->pods == 1 ? "the pod that may be called has no port " :
			       "none of the %u pods that may be called has a port ",
		u->pods);
	say_port(p->k, b, port);
	if (u->what == UNUSED_PORT)
		buf_str(b, " among those that its containers declare");
	buf_chr(b, 0);
}

static void tell_unused(void *ctx, const struct k8s_policy *policy, const struct unused_part *u)
{
	struct unused_ctx *c = ctx;
	struct policy *p = c->p;
	struct mistake m = { .level = MISTAKE_NOTE,
			     .file = intern_text(&p->k->names, policy->file),
			     .line = policy->line,
			     .path = "",
			     .text = "selects no pod" };
	const struct k8s_rule *r = u->what == UNUSED_POLICY ? NULL : &policy->rules[u->side][u->rule];
	const char *side = u->side == EGRESS ? "egress" : "ingress";
	struct buf text = { 0 };
	char object[640], path[96];

	p->rep.mistakes[MISTAKE_NOTE]++;
	if (++c->told > TOLD_MAX) {
		p->rep.untold++;
		return;
	}
	if (u->what == UNUSED_PEER) {
		snprintf(path, sizeof(path), "spec.%s[%u].%s[%u]", side, u->rule, u->side == EGRESS ? "to" : "from",
			 u->part);
		m.path = path;
		m.line = r->peers[u->part].line;
		m.column = r->peers[u->part].column;
	} else if (r) {
		snprintf(path, sizeof(path), "spec.%s[%u].ports[%u]", side, u->rule, u->part);
		m.path = path;
		m.line = r->ports[u->part].line;
		m.column = r->ports[u->part].column;
		say_unused_port(p, &text, policy, u);
		m.text = text.full || !text.n ? "no pod has this port" : text.p;
	}
	snprintf(object, sizeof(object), "%s%.600s", policy->kind == POLICY_NETWORK ? "NetworkPolicy " : "",
		 policy->label ? policy->label : "");
	m.object = object;
	print_mistake(p, stdout, &m);
	buf_free(&text);
}

/* Policies that there was no time for. */
static uint64_t look_for_unused(struct policy *p)
{
	struct unused_ctx c = { .p = p };
	uint64_t budget = UNUSED_WORK, left = 0;

	for (uint32_t i = 1; i < p->k->n_policies; i++) {
		c.told = 0;
		if (p->k->policies[i].alive)
			left += !policy_unused(p->k, &p->k->policies[i], &budget, tell_unused, &c);
	}
	return left;
}

int policy_check(struct policy *p, int argc, char **argv)
{
	uint64_t policies = 0, pods = 0, mistakes, left;
	int rc;

	for (int i = 0; i < argc; i++)
		if (policy_add_file(p, argv[i]))
			return EXIT_USAGE;
	if (!p->n_files && !p->o->kubectl) {
		fail(0, "policy check: FILE is missing (kubectl get pods,ns,netpol -A -o json >FILE, or --kubectl)");
		return EXIT_USAGE;
	}
	p->strict = true;
	rc = policy_open(p);
	if (!rc)
		rc = policy_load(p);
	if (rc)
		return rc;
	for (uint32_t i = 1; i < p->k->n_pods; i++)
		pods += p->k->pods[i].alive;
	for (uint32_t i = 1; i < p->k->n_policies; i++)
		policies += p->k->policies[i].alive;
	left = pods ? look_for_unused(p) : 0;
	print_end(p);
	fflush(stdout);
	mistakes = p->rep.mistakes[MISTAKE_ERROR] + p->rep.mistakes[MISTAKE_FIELD];
	note("%" PRIu64 " objects: %" PRIu64 " pods, %" PRIu64 " policies; %" PRIu64 " mistakes, %" PRIu64
	     " notes%s",
	     p->rep.objects, pods, policies, mistakes, p->rep.mistakes[MISTAKE_NOTE],
	     pods ? "" : "; without pods it cannot be told which policies, peers and ports fit nothing");
	if (p->rep.untold)
		note("%" PRIu64 " of these are not shown: of each object the first %d are", p->rep.untold, TOLD_MAX);
	if (left)
		note("%" PRIu64 " of the policies are too large for a look at what of them fits nothing", left);
	return mistakes ? EXIT_FAILED : EXIT_DONE;
}
