/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cluster that each test has anew, policies that are read into it, and questions.  Include cmocka.h first. */
#ifndef NETPROBE_TESTS_K8S_HELP_H
#define NETPROBE_TESTS_K8S_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k8s/load.h"
#include "policy/flow.h"
#include "util/err.h"

static struct k8s *k;
static struct load_report rep;
static struct k8s_decision d;
static char last[1024]; /* mistake */

static inline void on_mistake(void *ctx, const struct mistake *m)
{
	snprintf(last, sizeof(last), "%u:%u %s|%s|%s", m->line, m->column, m->object, m->path, m->text);
}

static inline int begin(void **state)
{
	err_quiet(1);
	rep = (struct load_report){ .mistake = on_mistake };
	last[0] = 0;
	return k8s_open(&k);
}

static inline int end(void **state)
{
	k8s_decision_free(&d);
	k8s_close(k);
	return 0;
}

static inline void load(const char *text)
{
	assert_int_equal(load_text(k, text, strlen(text), "t", &rep), 0);
}

/* A policy of namespace a, its spec as YAML in one line. */
static inline void policy(const char *name, const char *spec)
{
	char text[2048];

	snprintf(text, sizeof(text), "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
				     "metadata: {name: %s, namespace: a}\nspec: %s\n",
		 name, spec);
	load(text);
}

static const char cluster[] =
	"---\n"
	"kind: Namespace\nmetadata: {name: a, labels: {team: x, empty: ''}}\n---\n"
	"kind: Namespace\nmetadata: {name: b}\n---\n"
	"kind: List\nitems:\n"
	"- {kind: Pod, metadata: {name: p, namespace: a, labels: {app: p, empty: ''}}, spec: {nodeName: n1, containers: "
	"[{ports: [{name: web, containerPort: 80}, {name: dns, containerPort: 53, protocol: UDP}]}, "
	"{ports: [{name: web, containerPort: 81}]}]}, status: {hostIP: 192.0.2.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}}\n"
	"- {kind: Pod, metadata: {name: q, namespace: a}, spec: {containers: []}, status: {podIP: 10.0.0.2}}\n"
	"- {kind: Pod, metadata: {name: r, namespace: b, labels: {app: r}}, spec: {containers: []}, status: {podIP: 10.0.0.3}}\n"
	"- {kind: Pod, metadata: {name: host, namespace: b, labels: {app: r}}, spec: {hostNetwork: true, nodeName: n2}, "
	"status: {podIP: 192.0.2.2}}\n"
	"- {kind: Pod, metadata: {name: job, namespace: b, labels: {app: p}}, spec: {containers: []}, "
	"status: {phase: Succeeded, podIP: 10.0.0.1}}\n";

/* 'a'llow, 'd'eny, 'u'nknown, '!' not a question. */
static inline char ask(const char *line)
{
	struct flow_text t;
	char error[256];

	if (flow_parse(k, line, &t, error, sizeof(error)))
		return '!';
	assert_int_equal(k8s_decide(k, &t.flow, &d), 0);
	return "adu"[d.verdict];
}

#define ALLOWED(line) assert_int_equal(ask(line), 'a')
#define DENIED(line)  assert_int_equal(ask(line), 'd')
#define UNKNOWN(line) assert_int_equal(ask(line), 'u')

#define T(name)	      cmocka_unit_test_setup_teardown(name, begin, end)

#endif
