// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers/ipproto.h"

#include <string.h>

/*
 * IANA's protocol numbers, as their keywords in lower case; 4 is "ipip", for IANA's
 * "ipv4" would be taken for the network layer.  What has no keyword is its number.
 */
static const char *const names[256] = {
	[PROTO_HOPOPT] = "hopopt", [PROTO_ICMP] = "icmp", [PROTO_IGMP] = "igmp", [3] = "ggp",
	[PROTO_IPV4] = "ipip", [5] = "st", [PROTO_TCP] = "tcp", [7] = "cbt", [8] = "egp",
	[9] = "igp", [12] = "pup", [PROTO_UDP] = "udp", [22] = "xns-idp", [27] = "rdp",
	[28] = "irtp", [29] = "iso-tp4", [PROTO_DCCP] = "dccp", [40] = "il", [PROTO_IPV6] = "ipv6",
	[42] = "sdrp", [PROTO_ROUTING] = "ipv6-route", [PROTO_FRAGMENT] = "ipv6-frag",
	[45] = "idrp", [46] = "rsvp", [PROTO_GRE] = "gre", [48] = "dsr", [PROTO_ESP] = "esp",
	[PROTO_AH] = "ah", [55] = "min-ipv4", [57] = "skip", [PROTO_ICMPV6] = "ipv6-icmp",
	[PROTO_NONE] = "ipv6-nonxt", [PROTO_DSTOPTS] = "ipv6-opts", [73] = "cphb", [80] = "iso-ip",
	[88] = "eigrp", [PROTO_OSPF] = "ospf", [92] = "mtp", [94] = "ipip-94",
	[PROTO_ETHERIP] = "etherip", [98] = "encap", [103] = "pim", [108] = "ipcomp",
	[111] = "ipx-in-ip", [PROTO_VRRP] = "vrrp", [113] = "pgm", [PROTO_L2TP] = "l2tp",
	[118] = "stp", [121] = "smp", [124] = "isis", [126] = "crtp", [130] = "sps",
	[PROTO_SCTP] = "sctp", [133] = "fc", [134] = "rsvp-e2e-ignore",
	[PROTO_MOBILITY] = "mobility-header", [PROTO_UDPLITE] = "udplite",
	[PROTO_MPLS] = "mpls-in-ip", [138] = "manet", [PROTO_HIP] = "hip", [PROTO_SHIM6] = "shim6",
	[141] = "wesp", [142] = "rohc", [PROTO_ETHERNET] = "ethernet", [144] = "aggfrag",
	[145] = "nsh", [146] = "homa",
};

/* 260: the last four are never asked for. */
#define TEN(d) d "0", d "1", d "2", d "3", d "4", d "5", d "6", d "7", d "8", d "9"
static const char numbers[260][4] = {
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
	TEN("1"), TEN("2"), TEN("3"), TEN("4"), TEN("5"), TEN("6"), TEN("7"), TEN("8"), TEN("9"),
	TEN("10"), TEN("11"), TEN("12"), TEN("13"), TEN("14"), TEN("15"), TEN("16"), TEN("17"),
	TEN("18"), TEN("19"), TEN("20"), TEN("21"), TEN("22"), TEN("23"), TEN("24"), TEN("25"),
};

const char *ipproto_name(uint8_t proto)
{
	return names[proto] ? names[proto] : numbers[proto];
}

int ipproto_number(const char *name)
{
	for (int i = 0; i < 256; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return !strcmp(name, "icmp6") || !strcmp(name, "icmpv6") ? PROTO_ICMPV6 : -1;
}
