// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mktraffic FILE PACKETS [VLAN]: a deterministic mix of TCP, UDP, DNS and ICMP over
 * IPv4 and IPv6, with payload, as a pcap file; with a VLAN tag when there is one.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 1518, FLOWS = 2000 };

static uint32_t seed = 7;
static unsigned int vlan;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static uint8_t *be16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *be32(uint8_t *p, uint32_t v)
{
	return be16(be16(p, v >> 16), v & 0xffff);
}

/* Ethernet and IP in front of `l4_len` bytes of `proto`; returns where they go. */
static uint8_t *network(uint8_t *p, unsigned int flow, unsigned int proto, unsigned int l4_len, int reply)
{
	int v6 = flow % 4 == 3;
	uint32_t client = 0x0a010000u + flow, server = 0xc0000200u + flow % 200;

	memcpy(p, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	p += 12;
	if (vlan)
		p = be16(be16(p, 0x8100), vlan);
	p = be16(p, v6 ? 0x86dd : 0x0800);
	if (v6) {
		p = be32(p, 0x60000000);
		p = be16(p, l4_len);
		*p++ = (uint8_t)(proto == 1 ? 58 : proto);
		*p++ = 64;
		for (int i = 0; i < 2; i++) {
			memcpy(p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0", 12);
			p = be32(p + 12, i == reply ? client : server);
		}
		return p;
	}
	p = be16(p, 0x4500);
	p = be16(p, 20 + l4_len);
	p = be32(p, rnd(65536) << 16 | 0x4000);
	*p++ = 64;
	*p++ = (uint8_t)proto;
	p = be16(p, 0);
	p = be32(p, reply ? server : client);
	return be32(p, reply ? client : server);
}

static unsigned int tcp(uint8_t *frame, unsigned int flow)
{
	unsigned int payload = rnd(3) ? rnd(1400) : 0;
	int reply = (int)rnd(2);
	uint8_t *p = network(frame, flow, 6, 32 + payload, reply), *start = p;

	p = be16(p, reply ? 443 : 20000 + flow);
	p = be16(p, reply ? 20000 + flow : 443);
	p = be32(p, rnd(1u << 24));
	p = be32(p, rnd(1u << 24));
	p = be16(p, 0x8000 | (payload ? 0x18 : 0x10));
	p = be16(p, 501);
	p = be32(p, 0);
	memcpy(p, "\1\1\x08\x0a", 4);
	be32(be32(p + 4, rnd(1u << 24)), rnd(1u << 24));
	memset(start + 32, 0x5a, payload);
	return (unsigned int)(start - frame) + 32 + payload;
}

static unsigned int udp(uint8_t *frame, unsigned int flow, int dns)
{
	unsigned int payload = dns ? 29 : rnd(1200);
	uint8_t *p = network(frame, flow, 17, 8 + payload, 0), *start = p;

	p = be16(p, 20000 + flow);
	p = be16(p, dns ? 53 : 9999);
	p = be16(p, 8 + payload);
	p = be16(p, 0);
	memset(p, 0x5a, payload);
	if (dns) {
		p = be16(p, rnd(65536));
		memcpy(p, "\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1", 27);
	}
	return (unsigned int)(start - frame) + 8 + payload;
}

static unsigned int icmp(uint8_t *frame, unsigned int flow)
{
	uint8_t *p = network(frame, flow, 1, 64, 0), *start = p;

	*p++ = (uint8_t)(flow % 4 == 3 ? 128 : 8);
	*p++ = 0;
	p = be16(p, 0);
	p = be16(p, flow);
	be16(p, rnd(1000));
	memset(start + 8, 0x5a, 56);
	return (unsigned int)(start - frame) + 64;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1 }, rec[4];
	FILE *f = argc > 2 ? fopen(argv[1], "w") : NULL;
	uint8_t frame[FRAME_MAX];
	uint64_t us = 1700000000000000;

	vlan = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 0;
	if (!f || !n) {
		fprintf(stderr, "usage: mktraffic FILE PACKETS [VLAN]\n");
		return 2;
	}
	fwrite(head, sizeof(head), 1, f);
	while (n--) {
		unsigned int kind = rnd(100), flow = rnd(FLOWS), len;

		if (kind < 80)
			len = tcp(frame, flow);
		else if (kind < 98)
			len = udp(frame, flow, kind < 90);
		else
			len = icmp(frame, flow);
		us += rnd(40);
		rec[0] = (uint32_t)(us / 1000000);
		rec[1] = (uint32_t)(us % 1000000);
		rec[2] = rec[3] = len;
		fwrite(rec, sizeof(rec), 1, f);
		fwrite(frame, len, 1, f);
	}
	return fclose(f) ? 1 : 0;
}
