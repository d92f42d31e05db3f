/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_NUMBERS_IPPROTO_H
#define NETPROBE_NUMBERS_IPPROTO_H

#include <stdint.h>

/* What an IP header carries: IANA's protocol numbers, those of IPv6's extension headers with them. */
enum {
	PROTO_HOPOPT = 0, PROTO_ICMP = 1, PROTO_IGMP = 2, PROTO_IPV4 = 4, PROTO_TCP = 6, PROTO_UDP = 17,
	PROTO_DCCP = 33, PROTO_IPV6 = 41, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_GRE = 47,
	PROTO_ESP = 50, PROTO_AH = 51, PROTO_ICMPV6 = 58, PROTO_NONE = 59, PROTO_DSTOPTS = 60,
	PROTO_OSPF = 89, PROTO_ETHERIP = 97, PROTO_VRRP = 112, PROTO_L2TP = 115, PROTO_SCTP = 132,
	PROTO_MOBILITY = 135, PROTO_UDPLITE = 136, PROTO_MPLS = 137, PROTO_HIP = 139, PROTO_SHIM6 = 140,
	PROTO_ETHERNET = 143, PROTO_EXPERIMENT = 253,	/* RFC 3692 */
};

/* IANA's keyword in the form of network.transport: "tcp", "ipv6-icmp", …, "253". */
const char *ipproto_name(uint8_t proto);
/* Of such a keyword, or of "icmp6" and "icmpv6", that is how others call it; -1: there is none like that. */
int ipproto_number(const char *name);

#endif
