// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as objects of a cluster, JSON or YAML; what was read judges and tells of some connections. */
#include "fuzz_help.h"

#include "k8s/flow.h"
#include "k8s/load.h"
#include "util/err.h"

static void on_mistake(void *ctx, const struct mistake *m)
{
	/* Every text of it is one. */
	if (strlen(m->text) + strlen(m->path) + strlen(m->object) > 4096 || !m->file[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lines[] = {
		"shop/web shop/db 5432/TCP", "10.0.0.1 shop/web http/TCP", "shop/db fd00::1 53/udp", "a/b 10.0.0.2 1/SCTP",
	};
	struct load_report rep = { .mistake = on_mistake };
	struct k8s_decision d = { 0 };
	struct k8s *k;
	uint32_t maybe;

	err_quiet(1);
	if (k8s_open(&k))
		return 0;
	load_text(k, (const char *)data, size, "input", &rep);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct flow_text t;
		char error[256];
		uint32_t by[16];

		if (flow_parse(k, lines[i], &t, error, sizeof(error)) || k8s_decide(k, &t.flow, &d))
			continue;
		k8s_decided_by(&d, by, 16);
	}
	for (uint32_t i = 1; i < k->n_policies; i++)
		if (k->policies[i].alive)
			policy_count_pods(k, &k->policies[i], &maybe);
	k8s_decision_free(&d);
	k8s_close(k);
	return 0;
}
