/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_ARP_FIELDS_H
#define NETPROBE_DECODE_ARP_FIELDS_H

#include "record.h"

/* Own fields of ARP (RFC 826). */

extern struct dataset arp_dataset;

struct arp_body {
	uint16_t opcode;
	struct addr sender_ip, target_ip;
	uint8_t sender_mac[6], target_mac[6];
	uint16_t hw_type, pro_type;
	uint8_t hw_len, pro_len;
	struct str sender_hw, target_hw;
};

#define ARP_FIELDS(X) \
	X(ARP_OPCODE, "arp.opcode", FT_U16, opcode, "1 request, 2 reply") \
	X(ARP_HW_TYPE, "arp.hardware_type", FT_U16, hw_type, "kind of hardware address, where it is not Ethernet's") \
	X(ARP_PRO_TYPE, "arp.protocol_type", FT_U16, pro_type, "EtherType of the protocol addresses, where they are not IPv4's") \
	X(ARP_SENDER_IP, "arp.sender.ip", FT_ADDR, sender_ip, "sender protocol address") \
	X(ARP_SENDER_MAC, "arp.sender.mac", FT_MAC, sender_mac, "sender hardware address") \
	X(ARP_SENDER_HW, "arp.sender.hardware_address", FT_STR, sender_hw, "the same where it is not Ethernet's: bytes in hexadecimal, with colons") \
	X(ARP_TARGET_IP, "arp.target.ip", FT_ADDR, target_ip, "target protocol address") \
	X(ARP_TARGET_MAC, "arp.target.mac", FT_MAC, target_mac, "target hardware address") \
	X(ARP_TARGET_HW, "arp.target.hardware_address", FT_STR, target_hw, "the same where it is not Ethernet's: bytes in hexadecimal, with colons")

enum arp_field { FIELD_ARP_BEFORE_ = FIELD_OWN - 1, ARP_FIELDS(FIELD_ID) };

static inline struct arp_body *arp_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void arp_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
