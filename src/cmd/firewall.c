// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/firewall.h"

#include <string.h>

const char *const firewall_reasons[NP_REASONS_N] = {
#define REASON_NAME(id, name, text) name,
	NP_REASONS(REASON_NAME)
#undef REASON_NAME
};

const char *firewall_hook(const struct pin_got *got, enum pin_hook hook)
{
	if (hook == PIN_XDP)
		return "xdp";
	if (!strcmp(got->kind, "clsact"))
		return hook == PIN_EGRESS ? "clsact/egress" : "clsact/ingress";
	return hook == PIN_EGRESS ? "tcx/egress" : "tcx/ingress";
}

void firewall_put_counts(struct record *r, const struct np_stats *s, struct firewall_counts *c)
{
	struct firewall_body *body = firewall_of(r);

	for (unsigned int i = 0; i < NP_REASONS_N; i++) {
		c->packets[i] = (struct named_count){ firewall_reasons[i], s->packets[i] };
		c->bytes[i] = (struct named_count){ firewall_reasons[i], s->bytes[i] };
	}
	body->packets = (struct list){ c->packets, NP_REASONS_N };
	body->bytes = (struct list){ c->bytes, NP_REASONS_N };
	body->meters = s->packets[NP_X_METER_EVICTED];
	body->fragments = s->packets[NP_X_FRAG_EVICTED];
	record_mark(r, FIELD_FW_PACKETS);
	record_mark(r, FIELD_FW_BYTES);
	record_mark(r, FIELD_FW_METERS);
	record_mark(r, FIELD_FW_FRAGMENTS);
}
