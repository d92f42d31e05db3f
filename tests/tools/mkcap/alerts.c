// SPDX-License-Identifier: GPL-2.0-or-later
/* What detectors are for: a scan and a sweep, a stolen address, a flood. */
#include <string.h>

#include "mkcap.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

static void segment(struct cap *c, const struct host *from, const struct host *to, unsigned int sport, unsigned int dport,
		    unsigned int flags)
{
	struct pk k;

	pk_start(&k);
	pk_tcp(&k, sport, dport, flags & SYN ? 1000 : 1001, flags & ACK ? 1001 : 0, flags);
	pk_ip4(&k, from, to, 6);
	pk_ethernet(&k, from, to->mac, 0x0800);
	cap_frame(c, &k);
}

static void arp_says(struct cap *c, const struct host *from, const uint8_t ip[4], const struct host *to)
{
	struct pk k;

	pk_start(&k);
	pk_be(&k, 0x0001080006040002, 8);
	pk_add(&k, from->mac, 6);
	pk_add(&k, ip, 4);
	pk_add(&k, to->mac, 6);
	pk_add(&k, to->v4, 4);
	pk_ethernet(&k, from, to->mac, 0x0806);
	cap_frame(c, &k);
}

/* A session that works stands among the ports that are tried. */
static void session(struct cap *c)
{
	segment(c, &alice, &bob, 40000, 22, SYN);
	segment(c, &bob, &alice, 22, 40000, SYN | ACK);
	segment(c, &alice, &bob, 40000, 22, ACK);
	segment(c, &alice, &bob, 40000, 22, FIN | ACK);
}

void make_alerts(struct cap *c)
{
	static const unsigned int odd[] = { 0, FIN, FIN | PSH | URG };
	struct host target = bob;

	cap_pcap(c, 1);
	session(c);
	for (unsigned int i = 0; i < 12; i++) {
		segment(c, &alice, &bob, 50000 + i, 1 + i * 7, i < 3 ? odd[i] : SYN);
		if (i > 2)
			segment(c, &bob, &alice, 1 + i * 7, 50000 + i, RST | ACK);
	}
	for (unsigned int i = 0; i < 9; i++) {
		target.v4[3] = (uint8_t)(100 + i);
		segment(c, &alice, &target, 51000 + i, 445, SYN);
	}
	/* The gateway's address, then bob's: gate_b tells alice and bob that it has both. */
	arp_says(c, &gate_a, gate_a.v4, &alice);
	arp_says(c, &bob, bob.v4, &alice);
	for (unsigned int i = 0; i < 3; i++) {
		arp_says(c, &gate_b, gate_a.v4, &alice);
		arp_says(c, &gate_b, bob.v4, &alice);
	}
}
