/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_STATE_H
#define NETPROBE_DECODE_STATE_H

#include "decode/packet.h"
#include "util/steady.h"

/* What the header walk keeps between frames; private to packet.c and ip.c. */
struct fragments;

struct packet_state {
	struct fragments *fragments;
	struct steady clock;		/* what fragments age by */
	struct packet_counts counts;
};

#endif
