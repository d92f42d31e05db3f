// SPDX-License-Identifier: GPL-2.0-or-later
/* mkcap: conversations that went well, and not so well. */
#include <string.h>

#include "mkcap.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* One segment of a connection from port `client` of alice to port 80 of bob; `n` bytes. */
static void segment(struct cap *c, bool v6, unsigned int client, bool by_alice, uint32_t seq, uint32_t ack,
		    unsigned int flags, size_t n)
{
	static const uint8_t zeros[64];
	const struct host *from = by_alice ? &alice : &bob, *to = by_alice ? &bob : &alice;
	struct pk k;

	pk_start(&k);
	pk_add(&k, zeros, n);
	pk_tcp(&k, by_alice ? client : 80, by_alice ? 80 : client, seq, ack, flags);
	if (v6)
		pk_ip6(&k, from->v6, to->v6, 6, 6);
	else
		pk_ip4(&k, from, to, 6);
	pk_ethernet(&k, from, to->mac, v6 ? 0x86dd : 0x0800);
	cap_frame(c, &k);
}

static void handshake(struct cap *c, bool v6, unsigned int port)
{
	segment(c, v6, port, true, 100, 0, SYN, 0);
	segment(c, v6, port, false, 500, 101, SYN | ACK, 0);
	segment(c, v6, port, true, 101, 501, ACK, 0);
}

static void datagram(struct cap *c, bool by_alice, unsigned int sport, unsigned int dport)
{
	const struct host *from = by_alice ? &alice : &bob, *to = by_alice ? &bob : &alice;
	struct pk k;

	pk_start(&k);
	pk_add(&k, "hello", 5);
	pk_udp(&k, sport, dport);
	pk_ip4(&k, from, to, 17);
	pk_ethernet(&k, from, to->mac, 0x0800);
	cap_frame(c, &k);
}

void make_flows(struct cap *c)
{
	cap_pcap(c, 1);
	handshake(c, false, 40001);				/* a segment sent again, and a clean end */
	segment(c, false, 40001, true, 101, 501, PSH | ACK, 40);
	segment(c, false, 40001, true, 101, 501, PSH | ACK, 40);
	segment(c, false, 40001, false, 501, 141, PSH | ACK, 60);
	segment(c, false, 40001, true, 141, 561, FIN | ACK, 0);
	segment(c, false, 40001, false, 561, 142, FIN | ACK, 0);
	segment(c, false, 40001, true, 142, 562, ACK, 0);
	handshake(c, true, 40002);				/* two segments that changed places, and a reset */
	segment(c, true, 40002, true, 141, 501, PSH | ACK, 40);
	segment(c, true, 40002, true, 101, 501, PSH | ACK, 40);
	segment(c, true, 40002, false, 501, 181, RST | ACK, 0);
	segment(c, false, 40003, true, 100, 0, SYN, 0);		/* nobody listens */
	segment(c, false, 40003, false, 0, 101, RST | ACK, 0);
	segment(c, false, 40004, false, 500, 101, SYN | ACK, 0);	/* its SYN was not seen */
	datagram(c, true, 5000, 6000);
	datagram(c, false, 6000, 5000);
	datagram(c, true, 5001, 6001);
}
