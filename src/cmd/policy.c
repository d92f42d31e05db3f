// SPDX-License-Identifier: GPL-2.0-or-later
/* policy: Kubernetes' policies, judged from their objects alone. */
#include "cmd/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/output.h"
#include "cmd/session.h"
#include "util/err.h"

#define P(member) offsetof(struct policy_opts, member)

static const struct opt policy_rows[] = {
	{ "policies", 0, OPT_STRS, P(policies), "FILE",
	  "objects: pods, namespaces, policies (JSON or YAML); may be given again; - is standard input" },
	{ .type = OPT_END },
};

#define READ_ROW \
	{ "read", 'r', OPT_ONCE, P(read), "CAPTURE", "judge the connections that this capture shows" }
#define EXIT_CODE_ROW \
	{ "exit-code", 0, OPT_FLAG, P(exit_code), NULL, "exit with status 1 when not everything is allowed" }

static const struct opt test_rows[] = {
	READ_ROW,
	{ "matrix", 0, OPT_FLAG, P(matrix), NULL, "every pod to every pod" },
	EXIT_CODE_ROW,
	{ .type = OPT_END },
};

static const struct opt explain_rows[] = {
	READ_ROW,
	EXIT_CODE_ROW,
	{ .type = OPT_END },
};

static const char policy_examples[] =
	"  kubectl get pods,ns,netpol -A -o json >cluster.json\n"
	"  netprobe policy check cluster.json\n"
	"  netprobe policy test --policies cluster.json 'shop/web shop/db 5432/TCP'\n"
	"  netprobe policy explain 'shop/web shop/db 5432/TCP' --policies cluster.json\n";

/* ── files ────────────────────────────────────────────────────────────────── */

int policy_add_file(struct policy *p, const char *name)
{
	if (p->n_files == POLICY_FILES_MAX)
		return fail(0, "more than %d files", POLICY_FILES_MAX);
	p->files[p->n_files++] = name;
	return 0;
}

int policy_open(struct policy *p)
{
	int rc = EXIT_DONE;

	for (unsigned int i = 0; i < p->n_files && !rc; i++) {
		bool in = !strcmp(p->files[i], "-");

		p->fds[i] = in ? 0 : open(p->files[i], O_RDONLY | O_CLOEXEC);
		if (p->fds[i] < 0)
			rc = exit_status(fail(errno, "%s", p->files[i]));
		else if (in)
			p->files[i] = "standard input";
	}
	if (!rc && p->o->read)
		rc = exit_status(seen_open(p));
	p->width = output_width();
	json_object_seed(0);	/* from /dev/urandom, which is out of reach later */
	return rc ? rc : exit_status(batch_confine());
}

enum { TOLD_MAX = 20 };

static void on_mistake(void *ctx, const struct mistake *m)
{
	struct policy *p = ctx;

	if (p->strict) {
		print_mistake(p, stdout, m);
		return;
	}
	if (m->level == MISTAKE_NOTE || (m->level == MISTAKE_FIELD && p->g->quiet))
		return;
	p->told++;
	if (p->told <= TOLD_MAX)
		print_mistake(p, stderr, m);
	else if (p->told == TOLD_MAX + 1)
		fprintf(stderr, "and more (netprobe policy check tells all)\n");
}

int policy_load(struct policy *p)
{
	int err = k8s_open(&p->k);

	p->rep.mistake = on_mistake;
	p->rep.ctx = p;
	p->rep.places = p->strict;
	for (unsigned int i = 0; i < p->n_files && !err; i++)
		err = load_fd(p->k, p->fds[i], p->files[i], &p->rep);
	if (err)
		return exit_status(err);
	if (!p->strict && p->rep.mistakes[MISTAKE_ERROR]) {
		fail(0, "no verdict without the objects that have mistakes: %" PRIu64 " of them",
		     p->rep.mistakes[MISTAKE_ERROR]);
		return EXIT_FAILED;
	}
	if (!p->strict && p->k->other_kinds)
		warn("%u policies of kinds that are not evaluated here (Calico, Cilium, ClusterNetworkPolicy): "
		     "the verdicts are those of the others",
		     p->k->other_kinds);
	return EXIT_DONE;
}

int policy_decide(struct policy *p, const struct k8s_flow *f)
{
	int err = k8s_decide(p->k, f, &p->d);

	if (err)
		return err;
	p->flows++;
	p->denied += p->d.verdict == VERDICT_DENY;
	p->unknown += p->d.verdict == VERDICT_UNKNOWN;
	return 0;
}

/* Verdicts are no records. */
static const char *const not_here[] = { "csv", "fields", "no-header", "time", "netns", "4", "6", "fail-on-loss", NULL };

enum { LINE_MAX_BYTES = 64 << 20 };

struct policy_verb {
	int (*run)(struct policy *p, int argc, char **argv);
};

static int policy_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct policy_verb *v = g->verb->data;
	const struct policy_opts *o = opts;
	struct policy p = { .g = g, .o = o, .line.max = LINE_MAX_BYTES };
	int rc;

	for (unsigned int i = 0; i < o->policies.n; i++)
		if (policy_add_file(&p, o->policies.v[i]))
			return EXIT_USAGE;
	rc = v->run(&p, argc, argv);
	if (p.line.full && !rc)
		rc = exit_status(fail(E2BIG, "an answer"));
	buf_free(&p.line);
	seen_close(&p);
	k8s_decision_free(&p.d);
	k8s_close(p.k);
	return rc;
}

static const struct opt file_operand = { .type = OPT_STRS, .arg = "FILE", .help = "objects, as of --policies" };
static const struct opt flow_operand = {
	.type = OPT_STRS, .arg = "FLOW", .help = "'FROM TO PORT/PROTOCOL'; - reads them from standard input"
};

static const struct command policy_verbs[] = {
	{
		.name = "check",
		.summary = "Tell each mistake in the objects, and the policies that select no pod",
		.usage = "FILE...",
		.without = not_here,
		.operand = &file_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_check },
	},
	{
		.name = "test",
		.summary = "Tell for each flow whether it is allowed, and by which policies and rules",
		.usage = "--policies FILE... {FLOW... | - | -r CAPTURE | --matrix [PORT/PROTOCOL...]}",
		.opts = test_rows,
		.without = not_here,
		.operand = &flow_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_test },
	},
	{
		.name = "explain",
		.summary = "Tell for a flow in prose, step by step, what becomes of it and why",
		.usage = "--policies FILE... {FLOW... | - | -r CAPTURE}",
		.opts = explain_rows,
		.without = not_here,
		.operand = &flow_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_explain },
	},
	{ .name = NULL },
};

const struct command cmd_policy = {
	.name = "policy",
	.summary = "Judge Kubernetes' network policies: who may talk to whom, and which rule says so",
	.usage = "check FILE... | test|explain --policies FILE... {FLOW... | - | -r CAPTURE}",
	.opts = policy_rows,
	.size = sizeof(struct policy_opts),
	.verbs = policy_verbs,
	.examples = policy_examples,
};
