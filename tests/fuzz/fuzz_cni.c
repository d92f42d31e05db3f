// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as a configuration of a network plugin, and its lines as names of interfaces, pins and sockets. */
#include "fuzz_help.h"

#include "dataplane/cni.h"

static void sane(const struct cni *c)
{
	if (c->plugin >= OWNERS || c->enforcer >= OWNERS || c->n_evidence > CNI_EVIDENCE_MAX)
		abort();
	if (c->enforcer != OWNER_NONE && c->enforcer_seen != SEEN_CONF && !(c->enforcers >> c->enforcer & 1))
		abort();
	if (strnlen(c->type, sizeof(c->type)) == sizeof(c->type) || strnlen(c->network, sizeof(c->network)) == sizeof(c->network))
		abort();
	for (uint32_t i = 0; i < c->n_evidence; i++)
		if (strnlen(c->evidence[i].text, sizeof(c->evidence[i].text)) == sizeof(c->evidence[i].text))
			abort();
	if (!cni_path_name(c->path) || !cni_seen_name(c->enforcer_seen))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *p, *line;
	static struct cni c;

	if (!text)
		return 0;
	cni_begin(&c);
	cni_saw(&c, SEEN_CONF, "/etc/cni/net.d/10-a.conflist", (const char *)data, size);
	cni_conclude(&c);
	sane(&c);
	memcpy(text, data, size);
	text[size] = 0;
	for (p = text; (line = strsep(&p, "\n"));)
		for (unsigned int seen = SEEN_CONF; seen <= SEEN_KINDS; seen++)
			cni_saw(&c, seen, line, "{\"type\": \"flannel\"}", 19);
	cni_conclude(&c);
	sane(&c);
	free(text);
	return 0;
}
