// SPDX-License-Identifier: GPL-2.0-or-later
/* Any line as a question of `policy test`. */
#include "fuzz_help.h"

#include "policy/flow.h"
#include "k8s/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct k8s *k;
	struct k8s_decision d = { 0 };
	struct flow_text t;
	char line[1024], error[256], name[FLOW_END_MAX];

	if (size >= sizeof(line) || (!k && k8s_open(&k)))
		return 0;
	memcpy(line, data, size);
	line[size] = 0;
	if (flow_parse(k, line, &t, error, sizeof(error)))
		return 0;
	if (k8s_decide(k, &t.flow, &d))
		return 0;
	flow_end_text(k, &t.flow.from, name);
	k8s_decision_free(&d);
	/* Pods that are named become known: begin anew before there are many. */
	if (k->n_pods > 1000) {
		k8s_close(k);
		k = NULL;
	}
	return 0;
}
