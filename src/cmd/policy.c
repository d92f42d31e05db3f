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

static int add_file(struct policy *p, const char *name)
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

/* ── check ────────────────────────────────────────────────────────────────── */

static void selects_nothing(struct policy *p, const struct k8s_policy *policy)
{
	struct mistake m = { .level = MISTAKE_NOTE, .file = intern_text(&p->k->names, policy->file),
			     .line = policy->line, .path = "", .text = "selects no pod" };
	char object[640];
	uint32_t maybe;

	if (policy_count_pods(p->k, policy, &maybe) || maybe)
		return;
	snprintf(object, sizeof(object), "%s%.600s", policy->kind == POLICY_NETWORK ? "NetworkPolicy " : "",
		 policy->label ? policy->label : "");
	m.object = object;
	p->rep.mistakes[MISTAKE_NOTE]++;
	print_mistake(p, stdout, &m);
}

static int check(struct policy *p, int argc, char **argv)
{
	uint64_t policies = 0, pods = 0, mistakes;
	int rc;

	for (int i = 0; i < argc; i++)
		if (add_file(p, argv[i]))
			return EXIT_USAGE;
	if (!p->n_files) {
		fail(0, "policy check: FILE is missing (kubectl get pods,ns,netpol -A -o json >FILE)");
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
	for (uint32_t i = 1; i < p->k->n_policies; i++) {
		policies += p->k->policies[i].alive;
		if (pods && p->k->policies[i].alive)
			selects_nothing(p, &p->k->policies[i]);
	}
	mistakes = p->rep.mistakes[MISTAKE_ERROR] + p->rep.mistakes[MISTAKE_FIELD];
	fflush(stdout);
	note("%" PRIu64 " objects: %" PRIu64 " pods, %" PRIu64 " policies; %" PRIu64 " mistakes, %" PRIu64 " notes%s",
	     p->rep.objects, pods, policies, mistakes, p->rep.mistakes[MISTAKE_NOTE],
	     pods ? "" : "; without pods it cannot be told which policies select nothing");
	return mistakes ? EXIT_FAILED : EXIT_DONE;
}

/* ── test, explain ────────────────────────────────────────────────────────── */

static int decide(struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count,
		  bool explain)
{
	int err = k8s_decide(p->k, f, &p->d);

	if (err)
		return err;
	p->flows++;
	p->denied += p->d.verdict == VERDICT_DENY;
	p->unknown += p->d.verdict == VERDICT_UNKNOWN;
	if (explain)
		print_steps(p, from, to, f);
	else
		print_decision(p, from, to, f, count);
	return ferror(stdout) ? -EIO : 0;
}

/* place: for the message; "" for a word of the command line. */
static int one_flow(struct policy *p, const char *text, const char *place, bool explain)
{
	struct flow_text t;
	char error[256];
	int err = flow_parse(p->k, text, &t, error, sizeof(error));

	if (err) {
		fail(0, "%s%s", place, error);
		return *place ? EXIT_FAILED : EXIT_USAGE;
	}
	if (t.unknown_from || t.unknown_to)
		p->told++;
	return exit_status(decide(p, t.from, t.to, &t.flow, 0, explain));
}

static int flows_from_stdin(struct policy *p)
{
	char line[4096], place[64];
	uint64_t number = 0;

	while (fgets(line, sizeof(line), stdin)) {
		size_t n = strlen(line);
		int rc;

		number++;
		snprintf(place, sizeof(place), "standard input, line %" PRIu64 ": ", number);
		if (n == sizeof(line) - 1 && line[n - 1] != '\n') {
			fail(0, "%stoo long", place);
			return EXIT_FAILED;
		}
		n = strspn(line, " \t\r\n");
		if (!line[n] || line[n] == '#')
			continue;
		rc = one_flow(p, line + n, place, false);
		if (rc)
			return rc;
	}
	return ferror(stdin) ? exit_status(fail(errno, "standard input")) : EXIT_DONE;
}

/* Three words that are FROM TO PORT/PROTO, or one that is all of it. */
static bool is_port_word(const char *s)
{
	uint16_t port;
	uint8_t proto;

	return flow_parse_port(s, &port, &proto) || strcasestr(s, "/tcp") || strcasestr(s, "/udp") ||
	       strcasestr(s, "/sctp");
}

static bool is_end(const char *s)
{
	struct addr a;

	return addr_parse(&a, s, strlen(s), NULL) || (strchr(s, '/') && access(s, F_OK));
}

struct word {
	char text[2 * FLOW_END_MAX];
};

/* Sorts the words into flows and files. */
static int take_words(struct policy *p, int argc, char **argv, struct word *flows, unsigned int *n, bool *from_stdin)
{
	for (int i = 0; i < argc; i++) {
		struct word *w = &flows[*n];

		if (!strcmp(argv[i], "-")) {
			*from_stdin = true;
		} else if (strchr(argv[i], ' ') || strcasestr(argv[i], "/tcp-") || strcasestr(argv[i], "/udp-") ||
			   strcasestr(argv[i], "/sctp-") || (p->o->matrix && is_port_word(argv[i]))) {
			snprintf(w->text, sizeof(w->text), "%s", argv[i]);
			(*n)++;
		} else if (i + 2 < argc && (is_port_word(argv[i + 2]) || (is_end(argv[i]) && is_end(argv[i + 1])))) {
			snprintf(w->text, sizeof(w->text), "%s %s %s", argv[i], argv[i + 1], argv[i + 2]);
			(*n)++;
			i += 2;
		} else if (!access(argv[i], F_OK)) {
			if (add_file(p, argv[i]))
				return EXIT_USAGE;
		} else {
			fail(0, "'%s' is neither FROM TO PORT/PROTO nor a file", argv[i]);
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

static int all_pairs(struct policy *p, uint16_t port, uint8_t proto)
{
	char from[FLOW_END_MAX], to[FLOW_END_MAX];
	int rc = 0;

	for (uint32_t i = 1; i < p->k->n_pods && !rc; i++) {
		for (uint32_t j = 1; j < p->k->n_pods && !rc; j++) {
			struct k8s_flow f = { .from.pod = &p->k->pods[i], .to.pod = &p->k->pods[j],
					      .port = port, .proto = proto };

			if (i == j || !f.from.pod->alive || !f.to.pod->alive || f.from.pod->ended || f.to.pod->ended)
				continue;
			flow_end_text(p->k, &f.from, from);
			flow_end_text(p->k, &f.to, to);
			rc = exit_status(decide(p, from, to, &f, 0, false));
		}
	}
	return rc;
}

/* A row for each source, a column for each destination. */
static int table(struct policy *p, uint16_t port, uint8_t proto)
{
	static const char marks[] = ".X?";
	char name[FLOW_END_MAX];
	uint32_t n = 0;
	int err = 0;

	printf("%u/%s (. allow, X deny, ? unknown; columns are destinations, numbered as the rows)\n", port,
	       proto_name(proto));
	for (uint32_t i = 1; i < p->k->n_pods && !err; i++) {
		struct k8s_flow f = { .from.pod = &p->k->pods[i], .port = port, .proto = proto };

		if (!f.from.pod->alive || f.from.pod->ended)
			continue;
		flow_end_text(p->k, &f.from, name);
		printf("%4u ", ++n);
		for (uint32_t j = 1; j < p->k->n_pods && !err; j++) {
			f.to.pod = &p->k->pods[j];
			if (!f.to.pod->alive || f.to.pod->ended)
				continue;
			err = k8s_decide(p->k, &f, &p->d);
			putchar(i == j ? '-' : marks[p->d.verdict]);
			p->flows++;
			p->denied += p->d.verdict == VERDICT_DENY;
			p->unknown += p->d.verdict == VERDICT_UNKNOWN;
		}
		putchar(' ');
		print_text(name);
		putchar('\n');
	}
	return exit_status(err);
}

/* Ports that pods have, each once. */
static unsigned int ports_of_pods(const struct k8s *k, struct pod_port *out, unsigned int max)
{
	unsigned int n = 0;

	for (uint32_t i = 1; i < k->n_pods; i++) {
		for (uint32_t j = 0; k->pods[i].alive && j < k->pods[i].n_ports; j++) {
			const struct pod_port *q = &k->pods[i].ports[j];
			unsigned int at = 0;

			while (at < n && (out[at].port != q->port || out[at].proto != q->proto))
				at++;
			if (at == n && n < max)
				out[n++] = *q;
		}
	}
	return n;
}

static int matrix(struct policy *p, const struct word *words, unsigned int n)
{
	struct pod_port ports[64];
	int rc = 0;

	for (unsigned int i = 0; i < n && i < 64; i++)
		if (!flow_parse_port(words[i].text, &ports[i].port, &ports[i].proto)) {
			fail(0, "--matrix: '%s' is not PORT/PROTO", words[i].text);
			return EXIT_USAGE;
		}
	n = n ? n < 64 ? n : 64 : ports_of_pods(p->k, ports, 64);
	if (!n) {
		fail(0, "--matrix: no pod names a port: give some as PORT/PROTO");
		return EXIT_USAGE;
	}
	for (unsigned int i = 0; i < n && !rc; i++)
		rc = p->g->json ? all_pairs(p, ports[i].port, ports[i].proto) : table(p, ports[i].port, ports[i].proto);
	return rc;
}

static int flows_from_capture(struct policy *p)
{
	char from[FLOW_END_MAX], to[FLOW_END_MAX];
	int rc = exit_status(seen_read(p));

	for (uint32_t i = 0; i < p->n_seen && !rc; i++) {
		struct k8s_flow f;

		seen_flow(p, &p->seen[i], &f);
		flow_end_text(p->k, &f.from, from);
		flow_end_text(p->k, &f.to, to);
		rc = exit_status(decide(p, from, to, &f, p->seen[i].count, false));
	}
	return rc;
}

static int verdict_status(const struct policy *p)
{
	return p->o->exit_code && (p->denied || p->unknown) ? EXIT_FAILED : EXIT_DONE;
}

static int test(struct policy *p, int argc, char **argv, bool explain)
{
	struct word *flows = calloc((size_t)argc + 1, sizeof(*flows));
	bool from_stdin = false;
	unsigned int n = 0;
	int rc = flows ? take_words(p, argc, argv, flows, &n, &from_stdin) : EXIT_FAILED;

	if (!rc && !p->n_files) {
		fail(0, "--policies FILE is missing (kubectl get pods,ns,netpol -A -o json >FILE)");
		rc = EXIT_USAGE;
	}
	if (!rc && !n && !from_stdin && !p->o->read && !p->o->matrix) {
		fail(0, "what is to be tested?  'FROM TO PORT/PROTO', -, -r CAPTURE or --matrix");
		rc = EXIT_USAGE;
	}
	if (!rc)
		rc = policy_open(p);
	if (!rc)
		rc = policy_load(p);
	if (!rc && p->o->matrix)
		rc = matrix(p, flows, n);
	for (unsigned int i = 0; i < n && !rc && !p->o->matrix; i++)
		rc = one_flow(p, flows[i].text, "", explain);
	if (!rc && from_stdin)
		rc = flows_from_stdin(p);
	if (!rc && p->o->read)
		rc = flows_from_capture(p);
	free(flows);
	return rc ? rc : verdict_status(p);
}

static int test_flows(struct policy *p, int argc, char **argv)
{
	return test(p, argc, argv, false);
}

static int explain_flows(struct policy *p, int argc, char **argv)
{
	return test(p, argc, argv, true);
}

struct policy_verb {
	int (*run)(struct policy *p, int argc, char **argv);
};

static int policy_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct policy_verb *v = g->verb->data;
	const struct policy_opts *o = opts;
	struct policy p = { .g = g, .o = o };
	int rc;

	for (unsigned int i = 0; i < o->policies.n; i++)
		if (add_file(&p, o->policies.v[i]))
			return EXIT_USAGE;
	rc = v->run(&p, argc, argv);
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
		.operand = &file_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ check },
	},
	{
		.name = "test",
		.summary = "Tell for each flow whether it is allowed, and by which policies and rules",
		.usage = "--policies FILE... {FLOW... | - | -r CAPTURE | --matrix}",
		.opts = test_rows,
		.operand = &flow_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ test_flows },
	},
	{
		.name = "explain",
		.summary = "Tell for a flow in prose, step by step, what becomes of it and why",
		.usage = "--policies FILE... {FLOW... | - | -r CAPTURE}",
		.opts = explain_rows,
		.operand = &flow_operand,
		.run = policy_run,
		.data = &(const struct policy_verb){ explain_flows },
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
