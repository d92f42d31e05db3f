/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TAGS_H
#define NETPROBE_TAGS_H

/*
 * The types that announce a VLAN tag (IEEE 802.1Q, 9.3; 0x9100 to 0x9300 were used before 802.1ad): two bytes
 * of tag follow, then the next type.  Both sides of the kernel boundary compile this.
 */
#define NP_VLAN_TYPES(X, between) \
	X(0x8100) between X(0x88a8) between X(0x9100) between X(0x9200) between X(0x9300)

#endif
