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
	{ "kubectl", 0, OPT_OPTSTR, P(kubectl), "PROGRAM", "objects of the cluster, as this kubectl gets them" },
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

#define WHERE_ROW(help_) { "where", 0, OPT_STR, P(where), "EXPR", "only " help_ }

static const struct opt pods_rows[] = {
	{ "all", 0, OPT_FLAG, P(all), NULL, "also pods that have ended" },
	{ "root", 0, OPT_ONCE, P(root), "DIR", "a node's files are below this, not /" },
	WHERE_ROW("pods for which this holds: 'pod.host_network = true'"),
	{ .type = OPT_END },
};

static const struct opt cni_rows[] = {
	{ "root", 0, OPT_ONCE, P(root), "DIR", "a node's files are below this, not /" },
	{ .type = OPT_END },
};

static const struct opt rules_rows[] = {
	{ "all", 0, OPT_FLAG, P(all), NULL, "every rule, whatever it is for" },
	WHERE_ROW("rules for which this holds: 'filter.packets > 0'"),
	{ .type = OPT_END },
};

static const struct opt watch_rows[] = {
	{ "interface", 'i', OPT_STRS, P(iface), "IFACE",
	  "watch this interface; may be given again, may be a glob, or any (the default)" },
	{ "pod", 0, OPT_STRS, P(pods), "POD",
	  "only connections of this pod: NAMESPACE/NAME, NAMESPACE/, NAME, an address" },
	{ "verdict", 0, OPT_LIST, P(verdict), "VERDICT",
	  "only these (comma-separated); mismatch: where the policies say otherwise",
	  OPT_WORDS("allow", "drop", "unanswered", "mismatch") },
	WHERE_ROW("connections for which this holds: 'destination.pod.namespace = \"shop\"'"),
	{ NULL, 'c', OPT_UINT, P(count), "N", "stop after N connections" },
	{ "trace-rules", 0, OPT_OPTUINT, P(trace_rules), "RATE",
	  "also which rules of nf_tables packets pass: a table of ours has at most RATE (100) a second traced" },
	{ "seed-names", 0, OPT_FLAG, P(seed_names), NULL,
	  "also by flat names: source_ip, dest_ip, action, pod_name, policy_name, ..." },
	{ "user", 'Z', OPT_STR, P(user), "USER", "become USER (default nobody)" },
	{ .type = OPT_END },
};

static const struct opt counters_rows[] = {
	{ "pod", 0, OPT_STRS, P(pods), "POD", "only this pod: NAMESPACE/NAME, NAMESPACE/, NAME" },
	WHERE_ROW("rows for which this holds: 'policy.packets_dropped > 0'"),
	{ "prom", 0, OPT_FLAG, P(prom), NULL, "OpenMetrics text, as Prometheus and others take it" },
	{ "seed-names", 0, OPT_FLAG, P(seed_names), NULL,
	  "also by flat names: PacketsAllowed, PacketsDropped, PolicyMatches, PolicyMisses, ..." },
	{ .type = OPT_END },
};

static const char policy_examples[] =
	"  sudo netprobe policy cni                          who enforces policies on this node, if anybody\n"
	"  sudo netprobe policy pods 10.244.1.7              whose address is it\n"
	"  sudo netprobe policy watch --verdict drop         what is dropped, whose it was, and why\n"
	"  sudo netprobe policy counters --kubectl 10        packets by pod and policy, every ten seconds\n"
	"  sudo netprobe policy rules shop/web               rules of a pod or policy, and what they decided\n"
	"  kubectl get pods,ns,netpol,svc -A -o json >cluster.json\n"
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

int policy_open_files(struct policy *p)
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
	if (!rc && p->o->kubectl && !p->follows)
		rc = exit_status(kubectl_start(p, p->kinds ? p->kinds : "pods,namespaces,networkpolicies,services"));
	p->width = output_width();
	json_object_seed(0);	/* from /dev/urandom, which is out of reach later */
	return rc;
}

int policy_open(struct policy *p)
{
	int rc = policy_open_files(p);

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

void policy_loaded(struct policy *p, enum object_source source)
{
	for (uint32_t i = 1; i < p->k->n_pods; i++)
		if (p->k->pods[i].alive && !p->k->pods[i].source)
			p->k->pods[i].source = source;
}

int policy_read(struct policy *p)
{
	int err = k8s_open(&p->k);

	p->rep.mistake = on_mistake;
	p->rep.ctx = p;
	p->rep.places = p->strict;
	for (unsigned int i = 0; i < p->n_files && !err; i++)
		err = load_fd(p->k, p->fds[i], p->files[i], &p->rep);
	if (err)
		return err;
	policy_loaded(p, OBJECT_FILE);
	if (p->kubectl_fd < 0)
		return 0;
	err = load_fd(p->k, p->kubectl_fd, "kubectl", &p->rep);
	policy_loaded(p, OBJECT_KUBECTL);
	return err ? err : kubectl_end(p);
}

int policy_sound(struct policy *p)
{
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

int policy_load(struct policy *p)
{
	int err = policy_read(p);

	return err ? exit_status(err) : policy_sound(p);
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

static const char *const of_node[] = { "netns", "4", "6", "fail-on-loss", NULL };
static const char *const of_host[] = { "4", "6", "fail-on-loss", NULL };

enum { LINE_MAX_BYTES = 64 << 20 };

struct policy_verb {
	int (*run)(struct policy *p, int argc, char **argv);
};

static int policy_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct policy_verb *v = g->verb->data;
	const struct policy_opts *o = opts;
	struct policy p = { .g = g, .o = o, .line.max = LINE_MAX_BYTES, .kubectl_fd = -1 };
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
static const struct opt pod_operand = {
	.type = OPT_STRS, .arg = "POD",
	.help = "these alone: NAMESPACE/NAME, NAMESPACE/, NAME, an address, an interface, a uid, a sandbox"
};
static const struct opt rule_operand = {
	.type = OPT_STRS, .arg = "NAME",
	.help = "of these pods, policies or addresses alone: NAMESPACE/NAME, NAMESPACE/, NAME"
};
static const struct opt times_operand = {
	.type = OPT_STRS, .arg = "INTERVAL", .help = "tell all this often (10, 250ms, 1m); then how many times"
};
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
	{
		.name = "pods",
		.summary = "Tell which pods are on this node: addresses, interfaces, and how that is known",
		.usage = "[--all] [--root DIR] [--where EXPR] [POD | ADDRESS]...",
		.opts = pods_rows,
		.without = of_node,
		.operand = &pod_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_pods },
	},
	{
		.name = "cni",
		.summary = "Tell which network plugin this node has, and who enforces its policies",
		.usage = "[--root DIR]",
		.opts = cni_rows,
		.without = of_node,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_cni },
	},
	{
		.name = "rules",
		.summary = "Tell which rules of the packet filter come from policies, and what they decided",
		.usage = "[--all] [--where EXPR] [POD | POLICY | ADDRESS]...",
		.opts = rules_rows,
		.without = of_host,
		.operand = &rule_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_rules },
	},
	{
		.name = "watch",
		.summary = "Tell of each new connection whether it got through, whose it is, and what the policies say",
		.usage = "[-i IFACE]... [--pod POD]... [--verdict LIST] [--policies FILE]... [--where EXPR] [FILTER]",
		.opts = watch_rows,
		.operand = &filter_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_watch },
	},
	{
		.name = "counters",
		.summary = "Count packets of this node's pods by pod, policy and direction",
		.usage = "--policies FILE... [--pod POD]... [--where EXPR] [--prom] [INTERVAL [COUNT]]",
		.opts = counters_rows,
		.without = of_host,
		.operand = &times_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ policy_counters },
	},
	{ .name = NULL },
};

const struct command cmd_policy = {
	.name = "policy",
	.summary = "Judge Kubernetes' network policies: who may talk to whom, and which rule says so",
	.usage = "check FILE... | test|explain --policies FILE... {FLOW... | - | -r CAPTURE} | pods [POD]... | cni |\n"
		 "       rules [NAME]... | watch [FILTER] | counters --policies FILE... [INTERVAL [COUNT]]",
	.opts = policy_rows,
	.size = sizeof(struct policy_opts),
	.verbs = policy_verbs,
	.examples = policy_examples,
};
