// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/fields.h"
#include "decode/protocol.h"
#include "decode/tls/fields.h"
#include "detect/fields.h"
#include "flows/fields.h"
#include "stats/fields.h"

/*
 * All protocols, and the datasets that are ours.  Those whose contents say most come first:
 * bytes of a connection that nobody knows are shown to them in this order.
 */
#define PROTOCOLS(X) \
	X(arp) \
	X(icmp) \
	X(http) \
	X(http2) \
	X(redis) \
	X(kafka) \
	X(tls) \
	X(quic) \
	X(dtls) \
	X(dhcp) \
	X(dns)

#define X(name) extern const struct protocol name##_protocol;
PROTOCOLS(X)
#undef X

const struct protocol *const protocols[] = {
#define X(name) &name##_protocol,
	PROTOCOLS(X)
#undef X
	NULL
};

struct dataset *const *const protocol_datasets[] = {
#define X(name) &name##_protocol.set,
	PROTOCOLS(X)
#undef X
	NULL
};

struct dataset *const other_datasets[] = {
	&handshake_dataset,
	&drop_dataset, &device_dataset, &flow_dataset, &stats_dataset, &alert_dataset, &interface_dataset,
	&plan_dataset, &link_dataset, &feature_dataset, &block_dataset, &rule_dataset, &firewall_dataset,
	&layer_dataset, &memory_dataset, &pod_dataset, &cni_dataset, &filter_rule_dataset, &policy_dataset,
	&policy_count_dataset, &lost_dataset, NULL
};
