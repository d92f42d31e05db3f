// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers/ppp.h"

#include <stddef.h>

enum { PPP_LCP = 0xc021, PPP_PAP = 0xc023, PPP_LQR = 0xc025, PPP_CHAP = 0xc223, PPP_EAP = 0xc227 };

/* IANA, PPP numbers; in the order of their numbers */
static const struct {
	uint16_t proto;
	const char *name;
} names[] = {
	{ 0x0021, "IP" },	{ 0x0023, "OSI" },	{ 0x0027, "DECnet" },	{ 0x0029, "AppleTalk" },
	{ 0x002b, "IPX" },	{ 0x002d, "VJC" },	{ 0x002f, "VJ UNC" },	{ 0x0031, "BRIDGE" },
	{ 0x003d, "MLPPP" },	{ 0x003f, "NETBIOS" },	{ 0x0053, "ENCRYPTED" }, { 0x0057, "IP6" },
	{ 0x00fb, "COMP LINK" }, { 0x00fd, "COMP" },	{ 0x0207, "CDP" },	{ 0x0281, "MPLS" },
	{ 0x0283, "MPLS multicast" }, { 0x8021, "IPCP" }, { 0x8023, "OSICP" },	{ 0x8027, "DNCP" },
	{ 0x8029, "ATCP" },	{ 0x802b, "IPXCP" },	{ 0x8031, "BCP" },	{ 0x803f, "NBFCP" },
	{ 0x8053, "ECP" },	{ 0x8057, "IPV6CP" },	{ 0x80fb, "ILCCP" },	{ 0x80fd, "CCP" },
	{ 0x8207, "CDPCP" },	{ 0x8281, "MPLSCP" },	{ PPP_LCP, "LCP" },	{ PPP_PAP, "PAP" },
	{ PPP_LQR, "LQR" },	{ 0xc029, "CBCP" },	{ 0xc02b, "BACP" },	{ 0xc02d, "BAP" },
	{ PPP_CHAP, "CHAP" },	{ PPP_EAP, "EAP" },
};

const char *ppp_name(uint16_t proto)
{
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].proto == proto)
			return names[i].name;
	return NULL;
}

/* RFC 1661, 2: 8*** to b*** are control protocols of network layers, c*** of the link. */
bool ppp_is_control(uint16_t proto)
{
	return proto >= 0x8000 && proto != PPP_LQR;
}

const char *ppp_code_name(uint16_t proto, uint8_t code)
{
	/* RFC 1661, 5; RFC 1570, 2; RFC 1962, 3; tcpdump's words */
	static const char *const control[] = {
		"Vendor-Extension", "Conf-Request", "Conf-Ack", "Conf-Nack", "Conf-Reject", "Term-Request",
		"Term-Ack", "Code-Reject", "Prot-Reject", "Echo-Request", "Echo-Reply", "Disc-Req", "Ident",
		"Time-Remain", "Reset-Req", "Reset-Ack",
	};
	static const char *const pap[] = { NULL, "Auth-Req", "Auth-ACK", "Auth-NACK" };	/* RFC 1334 */
	static const char *const chap[] = { NULL, "Challenge", "Response", "Success", "Fail" };	/* RFC 1994 */
	static const char *const eap[] = { NULL, "Request", "Response", "Success", "Failure" };	/* RFC 3748 */
	bool is_chap = proto == PPP_CHAP, is_eap = proto == PPP_EAP;

	if (proto == PPP_PAP)
		return code < sizeof(pap) / sizeof(pap[0]) ? pap[code] : NULL;
	if (is_chap || is_eap)
		return code < sizeof(chap) / sizeof(chap[0]) ? (is_chap ? chap : eap)[code] : NULL;
	return code < sizeof(control) / sizeof(control[0]) ? control[code] : NULL;
}
