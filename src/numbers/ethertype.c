// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers/ethertype.h"

#include <stddef.h>

#include "tags.h"

/* In the order of their numbers. */
static const struct {
	uint16_t type;
	const char *name;
} names[] = {
	{ 0x0600, "XNS" }, { 0x0800, "IPv4" }, { 0x0806, "ARP" }, { 0x0842, "Wake-on-LAN" },
	{ 0x0bad, "VINES" }, { 0x2000, "CDP" }, { 0x22ea, "SRP" }, { 0x22eb, "ERSPAN III" },
	{ 0x22f0, "AVTP" }, { 0x22f3, "TRILL" }, { 0x4305, "B.A.T.M.A.N." }, { 0x6001, "MOP DL" },
	{ 0x6002, "MOP RC" }, { 0x6003, "DECnet" }, { 0x6004, "LAT" }, { 0x6007, "SCA" },
	{ 0x6558, "TEB" }, { 0x8035, "Reverse ARP" }, { 0x809b, "AppleTalk" }, { 0x80d5, "SNA" },
	{ 0x80f3, "AppleTalk ARP" }, { 0x8100, "802.1Q" }, { 0x8137, "IPX" }, { 0x814c, "SNMP" },
	{ 0x86dd, "IPv6" }, { 0x876b, "TCP compression" }, { 0x8808, "802.3 flow control" },
	{ 0x8809, "Slow Protocols" }, { 0x880b, "PPP" }, { 0x880c, "GSMP" },
	{ 0x8847, "MPLS unicast" }, { 0x8848, "MPLS multicast" }, { 0x884c, "MPOA" },
	{ 0x8863, "PPPoE D" }, { 0x8864, "PPPoE S" }, { 0x8870, "Jumbo LLC" },
	{ 0x887b, "HomePlug 1.0" }, { 0x888e, "EAPOL" }, { 0x8892, "PROFINET" },
	{ 0x8899, "Realtek" }, { 0x889a, "HyperSCSI" }, { 0x88a2, "AoE" }, { 0x88a4, "EtherCAT" },
	{ 0x88a8, "802.1Q-QinQ" }, { 0x88ab, "POWERLINK" }, { 0x88b5, "local experiment 1" },
	{ 0x88b6, "local experiment 2" }, { 0x88b7, "OUI extended" }, { 0x88b8, "GOOSE" },
	{ 0x88b9, "GSSE" }, { 0x88ba, "SV" }, { 0x88be, "ERSPAN I/II" },
	{ 0x88c7, "RSN preauthentication" }, { 0x88ca, "TIPC" }, { 0x88cc, "LLDP" },
	{ 0x88cd, "SERCOS III" }, { 0x88dc, "WSMP" }, { 0x88e1, "HomePlug AV" }, { 0x88e3, "MRP" },
	{ 0x88e5, "802.1AE MACsec" }, { 0x88e7, "802.1ah PBB" }, { 0x88ee, "E-LMI" },
	{ 0x88f5, "MVRP" }, { 0x88f6, "MMRP" }, { 0x88f7, "PTP" }, { 0x88f8, "NC-SI" },
	{ 0x88fb, "PRP" }, { 0x8902, "CFM" }, { 0x8903, "FabricPath" }, { 0x8906, "FCoE" },
	{ 0x8909, "Cisco MetaData" }, { 0x890d, "802.11 TDLS" }, { 0x8914, "FIP" },
	{ 0x8915, "RoCE" }, { 0x8917, "802.21 MIH" }, { 0x891d, "TTE" }, { 0x8926, "VN-Tag" }, { 0x8929, "MIRP" },
	{ 0x892f, "HSR" }, { 0x893a, "IEEE 1905.1" }, { 0x893f, "802.1BR E-Tag" },
	{ 0x8940, "EVB ECP" }, { 0x8946, "TRILL FGL" }, { 0x894c, "802.21d" }, { 0x894f, "NSH" },
	{ 0x9000, "Loopback" }, { 0x9100, "802.1Q-9100" }, { 0x9200, "802.1Q-9200" },
	{ 0x9300, "802.1Q-9300" }, { 0x9998, "Meraki" }, { 0xa0ed, "LoWPAN" }, { 0xaefe, "eCPRI" },
	{ 0xb7ea, "GRE control" }, { 0xcafe, "LLT" }, { 0xf1c1, "802.1CB R-Tag" },
};

bool ethertype_is_vlan(uint16_t type)
{
#define IS(tag) (type == (tag))
	return NP_VLAN_TYPES(IS, ||);
#undef IS
}

const char *ethertype_name(uint16_t type)
{
	unsigned int lo = 0, hi = sizeof(names) / sizeof(names[0]), mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (names[mid].type == type)
			return names[mid].name;
		if (names[mid].type < type)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
