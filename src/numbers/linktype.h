/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_NUMBERS_LINKTYPE_H
#define NETPROBE_NUMBERS_LINKTYPE_H

#include <stdint.h>

/*
 * What a frame begins with: LINKTYPE_ values, as capture files have them, of
 * www.tcpdump.org/linktypes.html.
 */
enum {
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_TOKEN_RING = 6, LINK_ARCNET = 7, LINK_SLIP = 8, LINK_PPP = 9,
	LINK_FDDI = 10, LINK_PPP_HDLC = 50, LINK_PPPOE = 51, LINK_ATM_RFC1483 = 100, LINK_RAW = 101,
	LINK_SLIP_BSDOS = 102, LINK_PPP_BSDOS = 103, LINK_CHDLC = 104, LINK_80211 = 105, LINK_ATM_CLIP = 106,
	LINK_FRELAY = 107, LINK_LOOP = 108, LINK_ENC = 109, LINK_SLL = 113, LINK_PFLOG = 117, LINK_PRISM = 119,
	LINK_FIBRE_CHANNEL = 122, LINK_SUNATM = 123, LINK_RADIOTAP = 127, LINK_ARCNET_LINUX = 129,
	LINK_FIREWIRE = 138, LINK_MTP2 = 140, LINK_AVS = 163, LINK_PPP_PPPD = 166, LINK_PPI = 192,
	LINK_PPP_DIRECTION = 204, LINK_HDLC_DIRECTION = 205, LINK_FRELAY_DIRECTION = 206, LINK_MPLS = 219,
	LINK_IPNET = 226, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_NFLOG = 239, LINK_IPOIB = 242,
	LINK_PFSYNC = 246, LINK_PKTAP = 258, LINK_SLL2 = 276, LINK_BROADCOM = 281, LINK_BROADCOM_BEFORE = 282,
	LINK_DSA = 284, LINK_EDSA = 285,

	/* Never registered: DLT_ values that some systems wrote into files, and Apple into PKTAP */
	LINK_OLD_ATM = 11, LINK_OLD_RAW = 12, LINK_OPENBSD_RAW = 14,
};

/*
 * libpcap's own numbers, DLT_, are these but for a few that differ between systems (its
 * pcap-common.c): what it compiles for, and what it captures.
 */
int linktype_dlt(uint16_t link);
uint16_t linktype_of_dlt(int dlt);
/* A file's, where raw IP may have another number than the registered one. */
uint16_t linktype_of_file(uint16_t number);

#endif
