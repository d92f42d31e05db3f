/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_TUPLE_FRAMES_H
#define NETPROBE_TESTS_TUPLE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Random stacks of headers: mostly sound, with everything in any number that the rules of tuple.h speak of. */

enum { FRAME_MAX = 3072, FRAME_LEAST = 14, FRAME_DEPTH = 5 };

struct made_frame {
	uint8_t p[FRAME_MAX];
	uint32_t n;
};

static uint64_t random_state;

static uint32_t rnd(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % n;
}

static bool one_in(uint32_t n)
{
	return !rnd(n);
}

static void set16(struct made_frame *f, uint32_t at, uint32_t v)
{
	if (at + 2 > FRAME_MAX)
		return;
	f->p[at] = (uint8_t)(v >> 8);
	f->p[at + 1] = (uint8_t)v;
}

/* n random bytes, as many as there is room for; where they begin. */
static uint32_t make_random(struct made_frame *f, uint32_t n)
{
	uint32_t at = f->n;

	for (uint32_t i = 0; i < n && f->n < FRAME_MAX; i++)
		f->p[f->n++] = (uint8_t)rnd(256);
	return at;
}

static void make_be(struct made_frame *f, uint32_t v)
{
	uint32_t at = make_random(f, 2);

	set16(f, at, v);
}

/* What a length field says that ought to be `right`. */
static uint32_t length_of(uint32_t right)
{
	if (!one_in(12))
		return right;
	return one_in(3) ? 0 : one_in(2) ? rnd(65536) : right + rnd(80) - rnd(80);
}

static void make_ether(struct made_frame *f, uint32_t depth);
static void make_ip(struct made_frame *f, uint32_t depth, bool six);

static void make_inside(struct made_frame *f, uint32_t depth, uint32_t type)
{
	if (type == 0x0800 || type == 0x86dd)
		make_ip(f, depth, (type == 0x86dd) != one_in(20));
	else if (type == 0x6558)
		make_ether(f, depth);
	else
		make_random(f, rnd(40));
}

static uint32_t inside_type(void)
{
	return one_in(12) ? rnd(65536) : (uint32_t[]){ 0x0800, 0x86dd, 0x6558 }[rnd(3)];
}

static void make_gre(struct made_frame *f, uint32_t depth)
{
	uint32_t flags = rnd(8) << 13 | (rnd(2) << 12), type = inside_type();

	flags &= ~(one_in(16) ? 0u : 0x4000u);
	if (one_in(16))
		flags |= rnd(0x1000);
	make_be(f, flags);
	make_be(f, type);
	make_random(f, (flags >> 13 & 4) + (flags >> 11 & 4) + (flags >> 10 & 4));
	make_inside(f, depth, type);
}

static void make_vxlan(struct made_frame *f, uint32_t depth)
{
	uint32_t at = make_random(f, 8);

	if (at + 8 <= FRAME_MAX && !one_in(10))
		f->p[at] = one_in(4) ? 12 : 8;
	make_ether(f, depth);
}

static void make_geneve(struct made_frame *f, uint32_t depth)
{
	uint32_t words = rnd(2) ? 0 : rnd(64), type = inside_type();

	make_be(f, (one_in(16) ? rnd(4) << 14 : 0) | words << 8 | rnd(256));
	make_be(f, type);
	make_random(f, 4 + 4 * words);
	make_inside(f, depth, type);
}

static void make_gtp(struct made_frame *f, uint32_t depth)
{
	uint32_t flags = rnd(2) ? 0 : rnd(8), at = f->n;

	make_be(f, (one_in(12) ? rnd(256) << 8 : (0x30 | flags) << 8) | (one_in(12) ? rnd(256) : 255));
	make_random(f, 6);
	if (flags && make_random(f, 4) + 4 <= FRAME_MAX && !one_in(6))
		f->p[at + 11] = 0;
	if (one_in(10))
		make_random(f, rnd(30));
	else
		make_ip(f, depth, rnd(2));
	set16(f, at + 2, length_of(f->n - at - 8));
}

static void make_udp(struct made_frame *f, uint32_t depth)
{
	static const uint16_t known[] = { 4789, 8472, 6081, 2152 };
	uint32_t at = f->n, port = rnd(3) ? known[rnd(4)] : rnd(65536);

	make_be(f, one_in(4) ? known[rnd(4)] : rnd(65536));
	make_be(f, port);
	make_random(f, 4);
	if (port == 4789 || port == 8472)
		make_vxlan(f, depth);
	else if (port == 6081)
		make_geneve(f, depth);
	else if (port == 2152)
		make_gtp(f, depth);
	else
		make_random(f, rnd(30));
	set16(f, at + 4, length_of(f->n - at));
}

static void make_tcp(struct made_frame *f)
{
	uint32_t options = rnd(3) ? 0 : rnd(11), at = make_random(f, 20 + 4 * options);

	if (at + 20 <= FRAME_MAX && !one_in(16))
		f->p[at + 12] = (uint8_t)((5 + options) << 4 | rnd(16));
	make_random(f, rnd(20));
}

static void make_transport(struct made_frame *f, uint32_t depth, uint32_t proto)
{
	if (one_in(24)) {
		make_random(f, rnd(24));
		return;
	}
	switch (proto) {
	case 4:
	case 41:
		make_ip(f, depth, (proto == 41) != one_in(8));
		break;
	case 6:
		make_tcp(f);
		break;
	case 17:
		make_udp(f, depth);
		break;
	case 47:
		make_gre(f, depth);
		break;
	default:
		make_random(f, rnd(40));
	}
}

static uint32_t random_proto(void)
{
	static const uint8_t often[] = { 1, 4, 6, 6, 17, 17, 17, 33, 41, 47, 47, 50, 51, 58, 59, 132, 136, 2 };

	return one_in(16) ? rnd(256) : often[rnd(sizeof(often))];
}

/* As in IPv4: more follow, 13 bits of offset. */
static uint32_t random_fragment(void)
{
	if (rnd(6))
		return 0;
	return (rnd(2) ? 0x2000 : 0) | (rnd(2) ? 0 : rnd(2) ? 1 : rnd(0x2000));
}

static void make_v4(struct made_frame *f, uint32_t depth)
{
	uint32_t options = rnd(6) ? 0 : rnd(11), proto = random_proto();
	uint32_t at = make_random(f, 20 + 4 * options);

	if (at + 20 > FRAME_MAX)
		return;
	f->p[at] = (uint8_t)(one_in(40) ? rnd(256) : 0x45 + options);
	set16(f, at + 6, random_fragment() | (rnd(2) ? 0x4000 : 0) | (one_in(20) ? 0x8000 : 0));
	f->p[at + 9] = (uint8_t)proto;
	make_transport(f, depth, proto);
	set16(f, at + 2, length_of(f->n - at));
}

/* One extension header of `kind`; where it says what comes next is returned. */
static uint32_t make_extension(struct made_frame *f, uint32_t kind)
{
	uint32_t units = kind == 44 ? 0 : one_in(8) ? rnd(30) : rnd(3), frag = random_fragment();
	uint32_t n = kind == 51 ? (units + 2) * 4 : (units + 1) * 8, at;

	at = make_random(f, n < 8 ? 8 : n);
	if (at + 8 > FRAME_MAX)
		return FRAME_MAX;
	if (kind != 44 && !one_in(40))
		f->p[at + 1] = (uint8_t)units;
	if (kind == 44)
		set16(f, at + 2, (frag & 0x1fff) << 3 | (one_in(8) ? rnd(4) << 1 : 0) | (frag >> 13 & 1));
	return at;
}

static void make_v6(struct made_frame *f, uint32_t depth)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60, 135, 139, 140 };
	uint32_t n = rnd(3) ? 0 : rnd(5) ? rnd(4) : rnd(12), proto = random_proto(), at = make_random(f, 40), next = at + 6;

	if (at + 40 > FRAME_MAX)
		return;
	f->p[at] = (uint8_t)(one_in(40) ? rnd(256) : 0x60 | rnd(16));
	for (uint32_t i = 0; i < n && next < FRAME_MAX; i++) {
		f->p[next] = kinds[rnd(8)];
		next = make_extension(f, f->p[next]);
	}
	if (next < FRAME_MAX)
		f->p[next] = (uint8_t)proto;
	make_transport(f, depth, proto);
	set16(f, at + 4, length_of(f->n - at - 40));
}

static void make_ip(struct made_frame *f, uint32_t depth, bool six)
{
	if (depth == FRAME_DEPTH)
		make_random(f, rnd(60));
	else if (six)
		make_v6(f, depth + 1);
	else
		make_v4(f, depth + 1);
}

static void make_ether(struct made_frame *f, uint32_t depth)
{
	static const uint16_t types[] = { 0x8100, 0x88a8, 0x9100, 0x9200, 0x9300 };
	uint32_t tags = rnd(3) ? 0 : rnd(3) ? rnd(4) : rnd(12), type = rnd(2) ? 0x0800 : 0x86dd;

	make_random(f, 12);
	for (uint32_t i = 0; i < tags; i++) {
		make_be(f, types[rnd(sizeof(types) / sizeof(types[0]))]);
		make_random(f, 2);
	}
	make_be(f, one_in(24) ? one_in(2) ? 0x0806 : rnd(65536) : type);
	make_inside(f, depth, type);
	if (one_in(8))
		make_random(f, rnd(20));		/* padding */
}

/* Bytes that are others, and less of them. */
static void spoil(struct made_frame *f)
{
	if (one_in(5))
		for (uint32_t i = rnd(3) + 1; i && f->n; i--)
			f->p[rnd(f->n)] = (uint8_t)(one_in(2) ? rnd(256) : (uint32_t[]){ 0, 255, 44, 0x45, 0x60, 1 }[rnd(6)]);
	if (one_in(6) && f->n > FRAME_LEAST)
		f->n = FRAME_LEAST + rnd(f->n - FRAME_LEAST);
}

/* link: it begins with an Ethernet header. */
static void random_frame(struct made_frame *f, bool link)
{
	f->n = 0;
	if (link)
		make_ether(f, 0);
	else
		make_ip(f, 0, rnd(2));
	spoil(f);
	if (f->n < FRAME_LEAST)
		make_random(f, FRAME_LEAST - f->n);
}

#endif
