// SPDX-License-Identifier: GPL-2.0-or-later
/* A node's files: the first byte of each says which, the next how long its path is, two more how long the rest is. */
#include "fuzz_help.h"

#include "node/pods.h"
#include "util/err.h"

static void check(const struct node_pods *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct node_pod *pod = &p->v[i];

		if (pod->n_addrs > POD_ADDRS_MAX || pod->n_main > pod->n_addrs || !pod->sources)
			abort();
		if (strlen(node_text(p, pod->ns)) > 63 || strlen(node_text(p, pod->name)) > 253 ||
		    strlen(node_text(p, pod->uid)) >= POD_UID_MAX)
			abort();
		for (unsigned int k = 0; k < pod->n_addrs; k++) {
			const struct node_pod *has = node_pod_by_addr(p, &pod->addrs[k].a);

			/* Nobody else has it. */
			if (node_pod_lives(p, pod) && has != pod && !pod->addrs[k].shared)
				abort();
			if (has && has->host_network)
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts facts = { 0 };
	struct node_pods pods;
	char why[64];

	err_quiet(1);
	while (size > 4) {
		struct fact f = { .kind = data[0] % FACT_KINDS, .time_ns = data[0] / FACT_KINDS };
		size_t rest = size - 4, path = data[1], n = data[2] | (size_t)data[3] << 8;

		f.path = (const char *)data + 4;
		f.path_len = path < rest ? path : rest;
		f.bytes = f.path + f.path_len;
		f.n = n < rest - f.path_len ? n : rest - f.path_len;
		if (f.kind == FACT_KUBELET)
			node_kubelet_body(&f, &n, why, sizeof(why));
		facts.there[f.kind] = true;
		facts_add(&facts, &f);
		size -= 4 + f.path_len + f.n;
		data += 4 + f.path_len + f.n;
	}
	if (node_pods_open(&pods))
		return 0;
	if (!node_pods_read(&pods, &facts))
		check(&pods);
	node_pods_free(&pods);
	facts_free(&facts);
	return 0;
}
