// SPDX-License-Identifier: GPL-2.0-or-later
/* Any lines as table, chain, comment, log prefix and target of a rule; the first byte chooses its verdict. */
#include "fuzz_help.h"

#include "dataplane/owners.h"

enum { LINES = 5 };

static void known(const struct owned *o)
{
	const char *const names[] = { o->ns, o->pod, o->policy, o->service };

	if (o->owner >= OWNERS || !owner_name(o->owner) || !meaning_text(o->meaning) || o->ingress < -1 || o->ingress > 1)
		abort();
	if (o->owner == OWNER_NONE && (o->meaning != MEANS_NOTHING || *o->ns || *o->policy))
		abort();
	/* Letters of names and nothing else: what is told can be shown. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strnlen(names[i], OWNER_NAME_MAX);

		if (n == OWNER_NAME_MAX || strspn(names[i], "abcdefghijklmnopqrstuvwxyz0123456789-.:") != n)
			abort();
	}
	if (strnlen(o->kind, sizeof(o->kind)) == sizeof(o->kind) || strnlen(o->iface, sizeof(o->iface)) == sizeof(o->iface) ||
	    strnlen(o->hash, sizeof(o->hash)) == sizeof(o->hash))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *line[LINES] = { NULL }, *p, name[29];
	struct nf_rule rules[3] = { { .verdict = NF_ACCEPTS } };
	struct nf_chain chain = { .n = 3 };
	struct nf_rules r = { .chains = &chain, .rules = rules, .n_chains = 1, .n_rules = 3 };
	struct owned o;

	if (!size || size > 4096)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	p = text;
	for (int i = 0; i < LINES && p; i++)
		line[i] = strsep(&p, "\n");
	chain.table = line[0];
	chain.name = line[1];
	for (int i = 1; i < 3; i++)
		rules[i] = (struct nf_rule){ .verdict = data[0] & 15, .log_group = data[0] >> 6, .comment = line[2],
					     .log_prefix = line[3], .target = line[4], .to_port = 15006 };
	owner_of_chain(&chain, &o);
	known(&o);
	for (int i = 0; i < 3; i++) {
		owner_of_rule(&r, &rules[i], &o);
		known(&o);
	}
	calico_chain(line[0], line[1] ? line[1] : "", name);
	if (strlen(name) > 28)
		abort();
	calico_iface(line[0], line[1] ? line[1] : "", name);
	if (strlen(name) != 15)
		abort();
	free(text);
	return 0;
}
