/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_DHCP_DHCP_H
#define NETPROBE_DECODE_DHCP_DHCP_H

#include "decode/conv/conv.h"

/* Parts of the dhcp decoder. */

enum { DHCP_TEXT_MAX = 1024 };

/* Room for texts of a record that do not stand in the packet as they are told. */
struct dhcp_scratch {
	char text[2 * DHCP_TEXT_MAX];
	uint32_t n;
};

/* A domain name in labels (RFC 1035, 3.1), without pointers; as far as it goes. */
struct str dhcp_name(struct dhcp_scratch *s, const uint8_t *p, uint32_t n);
struct str dhcp_hex(struct dhcp_scratch *s, const uint8_t *p, uint32_t n);

/* True: it was a message. */
bool dhcpv4_datagram(struct call *call, bool hinted);
bool dhcpv6_datagram(struct call *call);

#endif
