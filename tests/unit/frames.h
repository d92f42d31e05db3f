/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_FRAMES_H
#define NETPROBE_TESTS_FRAMES_H

#include <stdint.h>
#include <string.h>

#include "frame.h"

/* A frame under construction, from the link inwards. */
struct build {
	uint8_t p[4096];
	uint32_t n;
};

static inline void put(struct build *b, const void *p, uint32_t n)
{
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void put16(struct build *b, uint32_t v)
{
	put(b, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static inline void put32(struct build *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 0xffff);
}

static inline void put_zeros(struct build *b, uint32_t n)
{
	memset(b->p + b->n, 0, n);
	b->n += n;
}

static inline void put_eth(struct build *b, uint16_t type)
{
	put(b, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
	put16(b, type);
}

/* From 10.0.0.1 to 10.0.0.2, ttl 64, DF unless a fragment; `len` bytes follow. */
static inline void put_ip4(struct build *b, uint8_t proto, uint32_t len, uint16_t id, uint16_t off)
{
	put(b, (uint8_t[]){ 0x45, 0 }, 2);
	put16(b, 20 + len);
	put16(b, id);
	put16(b, off);
	put(b, (uint8_t[]){ 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 }, 12);
}

/* From 2001:db8::1 to 2001:db8::2 */
static inline void put_ip6(struct build *b, uint8_t next, uint32_t len)
{
	put32(b, 0x60000000);
	put16(b, len);
	put(b, (uint8_t[]){ next, 64 }, 2);
	put32(b, 0x20010db8);
	put_zeros(b, 11);
	put(b, "\1", 1);
	put32(b, 0x20010db8);
	put_zeros(b, 11);
	put(b, "\2", 1);
}

static inline void put_udp(struct build *b, uint16_t sport, uint16_t dport, uint32_t len)
{
	put16(b, sport);
	put16(b, dport);
	put16(b, 8 + len);
	put16(b, 0);
}

static inline void put_tcp(struct build *b, uint16_t sport, uint16_t dport, uint8_t flags,
			   uint32_t seq, uint32_t ack, const char *options, uint32_t n)
{
	put16(b, sport);
	put16(b, dport);
	put32(b, seq);
	put32(b, ack);
	put(b, (uint8_t[]){ (uint8_t)((20 + n) / 4 << 4), flags }, 2);
	put16(b, 64240);
	put32(b, 0);
	put(b, options, n);
}

static inline struct frame frame_of(const struct build *b, uint16_t link)
{
	return (struct frame){ .time_ns = 1000000000, .number = 1, .data = b->p, .cap_len = b->n,
			       .len = b->n, .link = link };
}

#endif
