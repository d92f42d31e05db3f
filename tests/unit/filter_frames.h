/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_FRAMES_H
#define NETPROBE_TESTS_FRAMES_H

/* Frames made by hand, for the tests of filters.  Include <cmocka.h> first. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ETHERNET = 1, RAW = 101, SLL = 113, SLL2 = 276, NULL_LINK = 0, LOOP = 108, PPP = 9, FRAME_MAX = 512 };

struct frame {
	uint8_t b[FRAME_MAX];
	uint32_t n;
};

static inline void add(struct frame *f, const void *p, size_t n)
{
	assert_true(f->n + n <= FRAME_MAX);
	memcpy(f->b + f->n, p, n);
	f->n += (uint32_t)n;
}

#define ADD(f, ...) add((f), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline void add16(struct frame *f, unsigned int v)
{
	ADD(f, (uint8_t)(v >> 8), (uint8_t)v);
}

static inline void add_ether(struct frame *f, unsigned int type)
{
	ADD(f, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2);
	add16(f, type);
}

static inline void add_ip(struct frame *f, uint8_t protocol, uint8_t last)
{
	ADD(f, 0x45, 0, 0, 100, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 9, 9, last, 10, 9, 9, 200);
}

static inline void add_ip6(struct frame *f, uint8_t next)
{
	ADD(f, 0x60, 0, 0, 0, 0, 60, next, 64);
	ADD(f, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	ADD(f, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
}

static inline void add_udp(struct frame *f, unsigned int port)
{
	add16(f, 40000);
	add16(f, port);
	add16(f, 60);
	add16(f, 0);
}

/* What the tunnels carry: DNS from 10.9.9.77. */
static inline void add_query(struct frame *f)
{
	add_ip(f, 17, 77);
	add_udp(f, 53);
	ADD(f, 1, 2, 3, 4);
}

static inline void add_tagged(struct frame *f, unsigned int tags, unsigned int tpid, bool ip)
{
	ADD(f, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2);
	for (unsigned int i = 0; i < tags; i++) {
		add16(f, tpid);
		add16(f, 100 + i);
	}
	add16(f, 0x800);
	if (ip)
		add_query(f);
}

/* GRE over IPv4: 5 to 9 with plain header, checksum, key, sequence number, all; 10 with Ethernet; else a key of 1. */
static inline void add_gre_tunnel(struct frame *f, int i)
{
	static const uint8_t flags[] = { 0, 0x80, 0x20, 0x10, 0xb0 };

	add_ip(f, 47, 1);
	if (i >= 5 && i <= 9) {
		ADD(f, flags[i - 5], 0, 8, 0);
		for (int k = i == 9 ? 3 : i != 5; k > 0; k--)
			ADD(f, 1, 2, 3, 4);
	} else if (i == 10) {
		ADD(f, 0, 0, 0x65, 0x58);
		add_ether(f, 0x800);
	} else {
		ADD(f, 0x20, 0, 8, 0, 0, 0, 0, 1);
	}
}

enum { TUNNELS = 16 };

/* A frame that holds a query in the i-th kind of tunnel. */
static inline void make_tunnel(struct frame *f, int i)
{
	bool tagged = i & 1;

	ADD(f, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2);
	if (tagged)
		ADD(f, 0x81, 0, 0, 9);
	add16(f, i == 13 || i == 14 ? 0x86dd : 0x800);
	switch (i) {
	case 0: case 1:		/* VXLAN, either port */
		add_ip(f, 17, 1);
		add_udp(f, i ? 8472 : 4789);
		ADD(f, 8, 0, 0, 0, 0, 0, 7, 0);
		add_ether(f, 0x800);
		break;
	case 2:			/* VXLAN, a tag inside */
		add_ip(f, 17, 1);
		add_udp(f, 4789);
		ADD(f, 8, 0, 0, 0, 0, 0, 7, 0);
		add_ether(f, 0x8100);
		ADD(f, 0, 6, 8, 0);
		break;
	case 3: case 4:		/* Geneve with two words of options, Ethernet or IP inside */
		add_ip(f, 17, 1);
		add_udp(f, 6081);
		ADD(f, 2, 0);
		add16(f, i == 3 ? 0x6558 : 0x800);
		ADD(f, 0, 0, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8);
		if (i == 3)
			add_ether(f, 0x800);
		break;
	case 11:		/* IPIP, options outside */
		add_ip(f, 4, 1);
		f->b[f->n - 20] = 0x46;
		ADD(f, 1, 1, 1, 1);
		break;
	case 12:		/* IPIP in a first fragment */
		add_ip(f, 4, 1);
		f->b[f->n - 14] = 0x20;
		break;
	case 13:		/* IPv4 in IPv6 behind a hop-by-hop header */
		add_ip6(f, 0);
		ADD(f, 4, 0, 1, 4, 0, 0, 0, 0);
		break;
	case 14:		/* VXLAN over IPv6 in a first fragment with destination options */
		add_ip6(f, 44);
		ADD(f, 60, 0, 0, 1, 0, 0, 0, 1);
		ADD(f, 17, 0, 1, 4, 0, 0, 0, 0);
		add_udp(f, 4789);
		ADD(f, 8, 0, 0, 0, 0, 0, 7, 0);
		add_ether(f, 0x800);
		break;
	default:
		add_gre_tunnel(f, i);
	}
	add_query(f);
}

#endif
