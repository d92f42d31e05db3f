// SPDX-License-Identifier: GPL-2.0-or-later
/* policy test --matrix: every pod to every pod. */
#include <errno.h>
#include <stdlib.h>

#include "cmd/policy.h"
#include "cmd/policy_words.h"
#include "util/err.h"
#include "util/width.h"

enum { PORTS_MAX = 64, NUMBER_WIDTH = 4, PART_MIN = 8 };

/* The pods that have not ended, by number, and the port that is asked about. */
struct square {
	struct policy *p;
	uint32_t *pods, n;
	unsigned int name_width;
	struct pod_port port;
};

static int find_pods(struct square *s)
{
	const struct k8s *k = s->p->k;

	s->pods = calloc(k->n_pods + 1, sizeof(*s->pods));
	if (!s->pods)
		return fail(ENOMEM, "the matrix");
	for (uint32_t i = 1; i < k->n_pods; i++) {
		struct k8s_end e = { .pod = &k->pods[i] };
		struct buf name = { 0 };
		unsigned int width;

		if (!k->pods[i].alive || k->pods[i].ended)
			continue;
		s->pods[s->n++] = i;
		say_end(k, &name, &e);
		width = width_text(name.p, name.n);
		if (width > s->name_width)
			s->name_width = width;
		buf_free(&name);
	}
	return 0;
}

static struct k8s_flow flow_of(const struct square *s, uint32_t from, uint32_t to)
{
	return (struct k8s_flow){ .from.pod = &s->p->k->pods[s->pods[from]],
				  .to.pod = &s->p->k->pods[s->pods[to]],
				  .port = s->port.port,
				  .proto = s->port.proto };
}

static int print_pairs(struct square *s)
{
	char from[FLOW_END_MAX], to[FLOW_END_MAX];
	int err = 0;

	for (uint32_t i = 0; i < s->n && !err; i++) {
		for (uint32_t j = 0; j < s->n && !err; j++) {
			struct k8s_flow f = flow_of(s, i, j);

			if (i == j)
				continue;
			flow_end_text(s->p->k, &f.from, from);
			flow_end_text(s->p->k, &f.to, to);
			err = policy_decide(s->p, &f);
			if (!err)
				print_decision(s->p, from, to, &f, 0);
			if (ferror(stdout))
				err = -EIO;
		}
	}
	return err;
}

/* The numbers of the columns first to last, upright: units below tens below hundreds. */
static void print_ruler(uint32_t first, uint32_t last)
{
	uint32_t power = 1;

	while (power <= last / 10)
		power *= 10;
	for (; power; power /= 10) {
		printf("%*s", NUMBER_WIDTH + 1, "");
		for (uint32_t i = first; i <= last; i++)
			putchar(i / power ? (int)('0' + i / power % 10) : ' ');
		putchar('\n');
	}
}

static int print_row(struct square *s, uint32_t i, uint32_t first, uint32_t last)
{
	static const char marks[] = ".X?";
	struct buf *b = &s->p->line;
	struct k8s_end e = { .pod = &s->p->k->pods[s->pods[i]] };
	int err = 0;

	buf_fmt(b, "%*u ", NUMBER_WIDTH, i + 1);
	for (uint32_t j = first - 1; j < last && !err; j++) {
		struct k8s_flow f = flow_of(s, i, j);

		if (i == j) {
			buf_chr(b, '-');
			continue;
		}
		err = policy_decide(s->p, &f);
		buf_chr(b, marks[s->p->d.verdict]);
	}
	buf_chr(b, ' ');
	say_end(s->p->k, b, &e);
	buf_chr(b, '\n');
	fwrite(b->p, 1, b->n, stdout);
	b->n = 0;
	return err;
}

/* A row for each source, a column for each destination: as many at a time as the terminal has room for. */
static int print_square(struct square *s)
{
	unsigned int taken = NUMBER_WIDTH + 2 + s->name_width, part = s->n;
	int err = 0;

	if (s->p->width && part > PART_MIN && taken + part > s->p->width)
		part = s->p->width > taken + PART_MIN ? s->p->width - taken : PART_MIN;
	printf("%u/%s: . allow, X deny, ? unknown; a row is a source, a column the destination of that number\n",
	       s->port.port, proto_name(s->port.proto));
	for (uint32_t first = 1; first <= s->n && !err; first += part) {
		uint32_t last = s->n - first < part ? s->n : first + part - 1;

		print_ruler(first, last);
		for (uint32_t i = 0; i < s->n && !err; i++)
			err = print_row(s, i, first, last);
	}
	return err;
}

/* Ports that pods declare, each once. */
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
			else if (at == n)
				return max + 1;
		}
	}
	return n;
}

static int choose_ports(const struct policy *p, const struct policy_word *words, unsigned int n,
			struct pod_port *ports)
{
	if (n > PORTS_MAX)
		return fail(0, "--matrix: more than %d ports", PORTS_MAX);
	for (unsigned int i = 0; i < n; i++)
		if (!flow_parse_port(words[i].text, &ports[i].port, &ports[i].proto))
			return fail(0, "--matrix: '%s' is not PORT/PROTO", words[i].text);
	if (n)
		return (int)n;
	n = ports_of_pods(p->k, ports, PORTS_MAX);
	if (n > PORTS_MAX)
		return fail(0, "--matrix: pods declare more than %d ports: give some as PORT/PROTO", PORTS_MAX);
	return n ? (int)n : fail(0, "--matrix: no pod declares a port: give some as PORT/PROTO");
}

int policy_matrix(struct policy *p, const struct policy_word *words, unsigned int n)
{
	struct pod_port ports[PORTS_MAX];
	struct square s = { .p = p };
	int count = choose_ports(p, words, n, ports), err;

	if (count < 0)
		return EXIT_USAGE;
	err = find_pods(&s);
	for (int i = 0; i < count && !err; i++) {
		s.port = ports[i];
		err = is_json(p) ? print_pairs(&s) : print_square(&s);
	}
	free(s.pods);
	return exit_status(err);
}
