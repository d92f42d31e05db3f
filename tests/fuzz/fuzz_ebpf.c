// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as what agents keep: the first says which map, the rest is its head and entries; or it is what Calico's
 * writes down.
 */
#include <errno.h>

#include "fuzz_help.h"

#include "cmd/policy_rules.h"
#include "util/err.h"

static const char *const maps[] = {
	"cilium_policy_01234", "cilium_policy_v2_01234", "cilium_policystats", "cilium_lxc", "cilium_ipcache",
	"cilium_ipcache_v2", "cilium_metrics", "cali_rule_ctrs2", "cali_counters6",
};

enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

static uint64_t check(const struct ebpf *e)
{
	struct buf b = { .max = 1 << 12 };
	struct owned o;
	uint64_t sum = 0;
	uint32_t n;

	for (uint32_t i = 0; i < e->n_rules; i++) {
		const struct ebpf_rule *r = &e->rules[i];

		if (r->map >= e->n_maps || !e->maps[r->map].known || (i && r->map < r[-1].map))
			abort();
		b.n = 0;
		rules_ebpf_text(e, r, &b);
		if ((!b.n && e->maps[r->map].kind != EBPF_DUMP) || b.full)
			abort();
		sum += touch(b.p, b.n);
		memset(&o, 0, sizeof(o));
		ebpf_owned(r, &o);
		sum += touch(o.policy, strlen(o.policy)) + touch(o.kind, strlen(o.kind)) + touch(o.ns, strlen(o.ns));
		if (r->comment)
			sum += touch(r->comment, strlen(r->comment));
	}
	for (uint32_t i = 0; i < e->n_endpoints; i++)
		if (!ebpf_endpoint(e, e->endpoints[i].id, &n) || !n)
			abort();
	for (uint32_t i = 0; i < e->n_peers; i++)
		if (!ebpf_peers(e, e->peers[i].identity, &n) || !n)
			abort();
	for (uint32_t i = 0; i < e->n_labels; i++)
		if (!*ebpf_labels(e, e->labels[i].number))
			abort();
	for (uint32_t i = 0; i < e->n_pods; i++)
		if (!strchr(ebpf_pod(e, e->pods[i].number), '/'))
			abort();
	buf_free(&b);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ebpf e = { 0 };
	volatile uint64_t sum;
	uint8_t *copy;

	if (!size)
		return 0;
	err_quiet(1);
	copy = exact(data + 1, size - 1);
	/* The other maps are of the same bytes: joins find something. */
	for (unsigned int i = 0; i < MAPS; i++)
		if (i == data[0] % (MAPS + 1) || data[0] & 0x80)
			if (ebpf_parse(&e, maps[i], copy, size - 1))
				abort();
	if (data[0] % (MAPS + 1) == MAPS && ebpf_parse_dump(&e, "cali1_ingress_v4.json", (const char *)copy, size - 1))
		abort();
	if (data[0] % (MAPS + 1) == MAPS)
		for (int i = 0; i < 2; i++)
			if (ebpf_parse_agent(&e, i, (const char *)copy, size - 1) == -ENOMEM)
				abort();
	ebpf_join(&e);
	sum = check(&e);
	(void)sum;
	ebpf_free(&e);
	free(copy);
	return 0;
}
