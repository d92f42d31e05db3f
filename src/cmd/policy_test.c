// SPDX-License-Identifier: GPL-2.0-or-later
/* policy test, explain: connections, from words, lines or a capture, judged one after the other. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/policy.h"
#include "util/err.h"

static int decide(struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count,
		  bool explain)
{
	int err = policy_decide(p, f);

	if (err)
		return err;
	if (explain && !is_json(p))
		print_steps(p, from, to);
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

static int flows_from_stdin(struct policy *p, bool explain)
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
		rc = one_flow(p, line + n, place, explain);
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

/* Sorts the words into flows and files. */
static int take_words(struct policy *p, int argc, char **argv, struct policy_word *flows, unsigned int *n,
		      bool *from_stdin)
{
	for (int i = 0; i < argc; i++) {
		struct policy_word *w = &flows[*n];

		if (!strcmp(argv[i], "-")) {
			*from_stdin = true;
		} else if (strchr(argv[i], ' ') || strcasestr(argv[i], "/tcp-") || strcasestr(argv[i], "/udp-") ||
			   strcasestr(argv[i], "/sctp-") || (p->o->matrix && is_port_word(argv[i]))) {
			snprintf(w->text, sizeof(w->text), "%s", argv[i]);
			(*n)++;
		} else if (i + 2 < argc &&
			   (is_port_word(argv[i + 2]) || (is_end(argv[i]) && is_end(argv[i + 1])))) {
			snprintf(w->text, sizeof(w->text), "%s %s %s", argv[i], argv[i + 1], argv[i + 2]);
			(*n)++;
			i += 2;
		} else if (!access(argv[i], F_OK)) {
			if (policy_add_file(p, argv[i]))
				return EXIT_USAGE;
		} else {
			fail(0, "'%s' is neither FROM TO PORT/PROTO nor a file", argv[i]);
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

static int flows_from_capture(struct policy *p, bool explain)
{
	char from[FLOW_END_MAX], to[FLOW_END_MAX];
	int rc = exit_status(seen_read(p));

	for (uint32_t i = 0; i < p->n_seen && !rc; i++) {
		struct k8s_flow f;

		seen_flow(p, &p->seen[i], &f);
		flow_end_text(p->k, &f.from, from);
		flow_end_text(p->k, &f.to, to);
		rc = exit_status(decide(p, from, to, &f, p->seen[i].count, explain));
	}
	return rc;
}

static int verdict_status(const struct policy *p)
{
	return p->o->exit_code && (p->denied || p->unknown) ? EXIT_FAILED : EXIT_DONE;
}

static int test(struct policy *p, int argc, char **argv, bool explain)
{
	struct policy_word *flows = calloc((size_t)argc + 1, sizeof(*flows));
	bool from_stdin = false;
	unsigned int n = 0;
	int rc = flows ? take_words(p, argc, argv, flows, &n, &from_stdin) : EXIT_FAILED;

	if (!rc && !p->n_files && !p->o->kubectl) {
		fail(0, "--policies FILE is missing (kubectl get pods,ns,netpol,svc -A -o json >FILE), or --kubectl");
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
		rc = policy_matrix(p, flows, n);
	for (unsigned int i = 0; i < n && !rc && !p->o->matrix; i++)
		rc = one_flow(p, flows[i].text, "", explain);
	if (!rc && from_stdin)
		rc = flows_from_stdin(p, explain);
	if (!rc && p->o->read)
		rc = flows_from_capture(p, explain);
	if (!rc || p->any)
		print_end(p);
	free(flows);
	return rc ? rc : verdict_status(p);
}

int policy_test(struct policy *p, int argc, char **argv)
{
	return test(p, argc, argv, false);
}

int policy_explain(struct policy *p, int argc, char **argv)
{
	return test(p, argc, argv, true);
}
