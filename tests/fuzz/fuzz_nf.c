// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as the packet filter's rules: netlink messages, or the entries of a table of iptables-legacy. */
#include <linux/netfilter.h>

#include "fuzz_help.h"

#include "dataplane/rules.h"
#include "util/err.h"

static uint64_t touch_text(const char *s)
{
	return s ? touch(s, strlen(s)) : 0;
}

static uint64_t check_rule(const struct nf_rules *r, const struct nf_rule *x)
{
	bool needs = x->verdict == NF_JUMPS || x->verdict == NF_GOES || x->verdict == NF_TARGET || x->verdict == NF_MAPS;

	if (x->chain >= r->n_chains || x->verdict > NF_MAPS || (needs && !x->target) || (!needs && x->target))
		abort();
	if (x->comment && !*x->comment)
		abort();
	return touch_text(x->comment) + touch_text(x->target) + touch_text(x->log_prefix);
}

/* Ranges stand one behind another, and together are all rules. */
static uint64_t check(const struct nf_rules *r)
{
	uint32_t first = 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->n_chains; i++) {
		const struct nf_chain *c = &r->chains[i];

		if (c->first != first || c->n > r->n_rules - first || !*c->name || !*c->table)
			abort();
		if (nf_chain_find(r, c->via, c->family, c->table, c->name) != c)
			abort();
		for (uint32_t j = 0; j < c->n; j++)
			if (r->rules[first + j].chain != i)
				abort();
		first += c->n;
		sum += touch_text(c->name) + touch_text(c->table);
	}
	if (first != r->n_rules)
		abort();
	for (uint32_t i = 0; i < r->n_rules; i++)
		sum += check_rule(r, &r->rules[i]);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	struct nf_rules r = { 0 };
	volatile uint64_t sum;
	int rc;

	if (!size)
		return 0;
	err_quiet(1);
	/* What the kernel hands over is read a second time: all of it is there then. */
	for (int i = 0; i < 2; i++) {
		rc = data[0] % 3 ? nf_parse_legacy(&r, families[data[0] % 3 - 1], data + 1, size - 1) :
				   nf_parse_netlink(&r, data + 1, size - 1);
		if (rc || nf_rules_sort(&r))
			abort();
		sum = check(&r);
	}
	(void)sum;
	nf_rules_free(&r);
	return 0;
}
