// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/dns.h"

#include <stdio.h>
#include <string.h>

/* IANA, Domain Name System (DNS) Parameters: resource record types. */
static const char *const types[] = {
	[1] = "A", [2] = "NS", [3] = "MD", [4] = "MF", [5] = "CNAME", [6] = "SOA", [7] = "MB", [8] = "MG",
	[9] = "MR", [10] = "NULL", [11] = "WKS", [12] = "PTR", [13] = "HINFO", [14] = "MINFO", [15] = "MX",
	[16] = "TXT", [17] = "RP", [18] = "AFSDB", [19] = "X25", [20] = "ISDN", [21] = "RT", [22] = "NSAP",
	[23] = "NSAP-PTR", [24] = "SIG", [25] = "KEY", [26] = "PX", [27] = "GPOS", [28] = "AAAA",
	[29] = "LOC", [30] = "NXT", [31] = "EID", [32] = "NIMLOC", [33] = "SRV", [34] = "ATMA",
	[35] = "NAPTR", [36] = "KX", [37] = "CERT", [38] = "A6", [39] = "DNAME", [40] = "SINK", [41] = "OPT",
	[42] = "APL", [43] = "DS", [44] = "SSHFP", [45] = "IPSECKEY", [46] = "RRSIG", [47] = "NSEC",
	[48] = "DNSKEY", [49] = "DHCID", [50] = "NSEC3", [51] = "NSEC3PARAM", [52] = "TLSA",
	[53] = "SMIMEA", [55] = "HIP", [56] = "NINFO", [57] = "RKEY", [58] = "TALINK", [59] = "CDS",
	[60] = "CDNSKEY", [61] = "OPENPGPKEY", [62] = "CSYNC", [63] = "ZONEMD", [64] = "SVCB",
	[65] = "HTTPS", [66] = "DSYNC", [67] = "HHIT", [68] = "BRID", [99] = "SPF", [100] = "UINFO",
	[101] = "UID", [102] = "GID", [103] = "UNSPEC", [104] = "NID", [105] = "L32", [106] = "L64",
	[107] = "LP", [108] = "EUI48", [109] = "EUI64", [128] = "NXNAME", [249] = "TKEY", [250] = "TSIG",
	[251] = "IXFR", [252] = "AXFR", [253] = "MAILB", [254] = "MAILA", [255] = "ANY", [256] = "URI",
	[257] = "CAA", [258] = "AVC", [259] = "DOA", [260] = "AMTRELAY", [261] = "RESINFO",
	[262] = "WALLET", [263] = "CLA", [264] = "IPN",
};

static const char *const opcodes[16] = {
	[0] = "QUERY", [1] = "IQUERY", [2] = "STATUS", [4] = "NOTIFY", [5] = "UPDATE", [6] = "DSO",
};

/* Those of messages; what TSIG and TKEY have of their own is not among them. */
static const char *const rcodes[] = {
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
	"YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI",
	[16] = "BADVERS", [23] = "BADCOOKIE",
};

/* The word, or else prefix and number. */
static struct str text(const char *word, const char *prefix, unsigned int n, char *scratch)
{
	int len;

	if (word)
		return (struct str){ word, (uint32_t)strlen(word) };
	len = snprintf(scratch, DNS_SCRATCH, "%s%u", prefix, n);
	return (struct str){ scratch, (uint32_t)len };
}

static const char *type_word(uint16_t type)
{
	if (type < sizeof(types) / sizeof(types[0]))
		return types[type];
	return type == 32768 ? "TA" : type == 32769 ? "DLV" : NULL;
}

bool dns_type_known(uint16_t type)
{
	return type_word(type);
}

struct str dns_type_text(uint16_t type, char *scratch)
{
	return text(type_word(type), "TYPE", type, scratch);
}

struct str dns_class_text(uint16_t cls, char *scratch)
{
	static const char *const words[256] = {
		[1] = "IN", [2] = "CS", [3] = "CH", [4] = "HS", [254] = "NONE", [255] = "ANY",
	};

	return text(cls < 256 ? words[cls] : NULL, "CLASS", cls, scratch);
}

struct str dns_opcode_text(unsigned int opcode, char *scratch)
{
	return text(opcodes[opcode & 15], "", opcode & 15, scratch);
}

struct str dns_rcode_text(unsigned int rcode, char *scratch)
{
	return text(rcode < sizeof(rcodes) / sizeof(rcodes[0]) ? rcodes[rcode] : NULL, "RCODE", rcode, scratch);
}
