// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/packet.h"

/*
 * IANA's protocol numbers, as their keywords in lower case; 4 is "ipip", for IANA's
 * "ipv4" would be taken for the network layer.  What has no keyword is its number.
 */
static const char *const names[256] = {
	[0] = "hopopt", [1] = "icmp", [2] = "igmp", [3] = "ggp", [4] = "ipip", [5] = "st",
	[6] = "tcp", [7] = "cbt", [8] = "egp", [9] = "igp", [12] = "pup", [17] = "udp",
	[22] = "xns-idp", [27] = "rdp", [28] = "irtp", [29] = "iso-tp4", [33] = "dccp",
	[40] = "il", [41] = "ipv6", [42] = "sdrp", [43] = "ipv6-route", [44] = "ipv6-frag",
	[45] = "idrp", [46] = "rsvp", [47] = "gre", [48] = "dsr", [50] = "esp", [51] = "ah",
	[55] = "min-ipv4", [57] = "skip", [58] = "ipv6-icmp", [59] = "ipv6-nonxt",
	[60] = "ipv6-opts", [73] = "cphb", [80] = "iso-ip", [88] = "eigrp", [89] = "ospf",
	[92] = "mtp", [94] = "ipip-94", [97] = "etherip", [98] = "encap", [103] = "pim",
	[108] = "ipcomp", [111] = "ipx-in-ip", [112] = "vrrp", [113] = "pgm", [115] = "l2tp",
	[118] = "stp", [121] = "smp", [124] = "isis", [126] = "crtp", [130] = "sps",
	[132] = "sctp", [133] = "fc", [134] = "rsvp-e2e-ignore", [135] = "mobility-header",
	[136] = "udplite", [137] = "mpls-in-ip", [138] = "manet", [139] = "hip",
	[140] = "shim6", [141] = "wesp", [142] = "rohc", [143] = "ethernet", [144] = "aggfrag",
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

const char *packet_transport_name(uint8_t proto)
{
	return names[proto] ? names[proto] : numbers[proto];
}
