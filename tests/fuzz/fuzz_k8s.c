// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as objects of a cluster, JSON or YAML; what was read judges and tells of some connections. */
#include "fuzz_help.h"

#include "policy/flow.h"
#include "policy/unused.h"
#include "cmd/policy_words.h"
#include "k8s/load.h"
#include "util/err.h"

static void on_mistake(void *ctx, const struct mistake *m)
{
	/* Every text of it is one. */
	if (strlen(m->text) + strlen(m->path) + strlen(m->object) > 4096 || !m->file[0])
		abort();
}

static void on_unused(void *ctx, const struct k8s_policy *p, const struct unused_part *u)
{
	if (u->what != UNUSED_POLICY && u->rule >= p->n_rules[u->side])
		abort();
}

/* Each policy's rules against the flow that was judged, in words. */
static void tell(const struct k8s *k, const struct k8s_flow *f)
{
	struct buf b = { .max = 1 << 16 };
	struct k8s_why w = { 0 };

	for (uint32_t i = 1; i < k->n_policies; i++) {
		const struct k8s_policy *p = &k->policies[i];

		if (!p->alive)
			continue;
		say_subject(k, &b, p);
		if (f->to.pod && policy_selects(k, p, f->to.pod, &w) != YES)
			say_why(k, &b, &w, &f->to);
		for (uint32_t r = 0; r < p->n_rules[INGRESS]; r++) {
			for (uint32_t j = 0; j < p->rules[INGRESS][r].n_peers && f->to.pod; j++) {
				say_peer(k, &b, p, &p->rules[INGRESS][r].peers[j]);
				peer_match(k, &p->rules[INGRESS][r].peers[j], f->to.pod, &f->from, &w);
				say_why(k, &b, &w, &f->from);
			}
			for (uint32_t j = 0; j < p->rules[INGRESS][r].n_ports; j++) {
				say_port(k, &b, &p->rules[INGRESS][r].ports[j]);
				port_match(&p->rules[INGRESS][r].ports[j], f, &w);
				say_why(k, &b, &w, &f->to);
			}
		}
		b.n = 0;
	}
	say_missing(k, &b, f);
	buf_free(&b);
}

/* Of the verdict what does not depend on numbers. */
static uint32_t judge(struct k8s *k, const char *line, struct k8s_decision *d)
{
	struct flow_text t;
	char error[256];

	if (flow_parse(k, line, &t, error, sizeof(error)) || k8s_decide(k, &t.flow, d))
		return UINT32_MAX;
	return (uint32_t)d->verdict << 16 | (uint32_t)d->side[EGRESS].reason << 8 | (uint32_t)d->side[INGRESS].reason;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lines[] = {
		"shop/web shop/db 5432/TCP", "10.0.0.1 shop/web http/TCP", "shop/db fd00::1 53/udp", "a/b 10.0.0.2 1/SCTP",
	};
	struct load_report rep = { .mistake = on_mistake };
	struct k8s_decision d = { 0 };
	struct k8s *k;
	uint64_t budget = 1000000;
	uint32_t before[4];

	err_quiet(1);
	if (k8s_open(&k))
		return 0;
	load_text(k, (const char *)data, size, "input", &rep);
	/* What is given back changes no answer. */
	if (!k8s_pods_index(k))
		abort();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		before[i] = judge(k, lines[i], &d);
	if (k8s_tidy(k))
		abort();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (judge(k, lines[i], &d) != before[i])
			abort();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct flow_text t;
		char error[256];
		uint32_t by[16];

		if (flow_parse(k, lines[i], &t, error, sizeof(error)) || k8s_decide(k, &t.flow, &d))
			continue;
		k8s_decided_by(&d, by, 16);
		tell(k, &d.flow);
	}
	for (uint32_t i = 1; i < k->n_policies; i++)
		if (k->policies[i].alive)
			policy_unused(k, &k->policies[i], &budget, on_unused, NULL);
	k8s_decision_free(&d);
	k8s_close(k);
	return 0;
}
