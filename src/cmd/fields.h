/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_FIELDS_H
#define NETPROBE_CMD_FIELDS_H

#include "record.h"

/* Own fields of what there is to watch: the interfaces, and the ways to capture at each. */

extern struct dataset interface_dataset, plan_dataset;

struct interface_body {
	bool is_up, is_loopback;
	uint32_t mtu;
	uint16_t link_type;
	uint64_t rx_packets, tx_packets;
};

#define INTERFACE_FIELDS(X) \
	X(IFACE_UP, "interface.up", FT_BOOL, is_up, "it is switched on") \
	X(IFACE_LOOPBACK, "interface.loopback", FT_BOOL, is_loopback, "what is sent there comes back") \
	X(IFACE_MTU, "interface.mtu", FT_U32, mtu, "bytes of the largest IP packet it takes") \
	X(IFACE_LINK_TYPE, "interface.linktype", FT_U16, link_type, "LINKTYPE_ number of the frames a capture has of it") \
	X(IFACE_RX_PACKETS, "interface.rx_packets", FT_U64, rx_packets, "packets received, as the kernel counts") \
	X(IFACE_TX_PACKETS, "interface.tx_packets", FT_U64, tx_packets, "packets sent, likewise")

enum interface_field { FIELD_IFACE_BEFORE_ = FIELD_OWN - 1, INTERFACE_FIELDS(FIELD_ID) };

static inline struct interface_body *interface_of(const struct record *r)
{
	return record_own(r);
}

struct plan_body {
	const char *rung, *verdict;
	struct str reason;
};

#define PLAN_FIELDS(X) \
	X(PLAN_RUNG, "plan.rung", FT_WORD, rung, "way to capture there: tcx, clsact, socket, packet; drops") \
	X(PLAN_VERDICT, "plan.verdict", FT_WORD, verdict, "chosen, works, refused, or not tried") \
	X(PLAN_REASON, "plan.reason", FT_STR, reason, "why it is not chosen")

enum plan_field { FIELD_PLAN_BEFORE_ = FIELD_OWN - 1, PLAN_FIELDS(FIELD_ID) };

static inline struct plan_body *plan_of(const struct record *r)
{
	return record_own(r);
}

#endif
