// SPDX-License-Identifier: GPL-2.0-or-later
/* All datasets, in the order of `--proto all`, `schema` and the manual. */
#include "decode/arp/fields.h"
#include "decode/dhcp/fields.h"
#include "decode/dns/fields.h"
#include "decode/http/fields.h"
#include "decode/icmp/fields.h"
#include "decode/kafka/fields.h"
#include "decode/redis/fields.h"
#include "decode/tls/fields.h"
#include "detect/fields.h"
#include "flows/fields.h"
#include "stats/fields.h"

struct dataset *const datasets_built_in[] = {
	&packet_dataset, &arp_dataset,	&icmp_dataset,	 &dns_dataset,	&http_dataset,	&http2_dataset,
	&tls_dataset,	 &redis_dataset, &kafka_dataset, &dhcp_dataset, &drop_dataset,	&device_dataset,
	&flow_dataset,	 &stats_dataset, &alert_dataset, &lost_dataset, NULL,
};
