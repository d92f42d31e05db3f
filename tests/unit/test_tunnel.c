// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode/packet.h"
#include "frames.h"

enum { RAW = 101, CLIENT = 5555 };

/* What the header of each holds, and whether its server answers from the same port. */
static const struct {
	uint16_t port;
	uint32_t n;
	const char *header;
	bool ethernet, two_way;
} tunnels[] = {
	{ 4789, 8, "\x08\0\0\0\0\0\1\0", true, false },
	{ 8472, 8, "\x08\0\0\0\0\0\1\0", true, false },
	{ 4790, 8, "\x0c\0\0\1\0\0\1\0", false, false },
	{ 6081, 8, "\0\0\x65\x58\0\0\1\0", true, false },
	{ 2152, 8, "\x30\xff\0\x20\0\0\0\1", false, false },
	{ 4341, 8, "\0\0\0\0\0\0\0\0", false, false },
	{ 6635, 4, "\0\1\1\x40", false, false },
	{ 4754, 4, "\0\0\x08\0", false, false },
	{ 1701, 10, "\0\2\0\1\0\1\xff\3\0\x21", false, true },
	{ 5072, 24, "\x40\x01\1\4\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", false, true },
	{ 5247, 8, "\0\x10\0\0\0\0\0\0", true, true },
};

/* Ports of tunnels whose headers the table does not have as well. */
static const uint16_t ports[] = { 1701, 2152, 3386, 3544, 4341, 4754, 4789, 4790, 5072, 5247, 6081, 6635, 8472 };

static struct packet_state *state;

static int open_state(void **s)
{
	return packet_open(&state);
}

static int close_state(void **s)
{
	packet_close(state);
	return 0;
}

static struct packet walk(const struct build *b, uint32_t cap)
{
	static struct frame f;
	struct packet pk;

	f = frame_of(b, RAW);
	f.cap_len = cap;
	packet_walk(state, &pk, &f);
	return pk;
}

static void put_payload(struct build *b, uint16_t sport, uint16_t dport, const uint8_t *p, uint32_t n)
{
	b->n = 0;
	put_ip4(b, 17, 8 + n, 1, 0);
	put_udp(b, sport, dport, n);
	put(b, p, n);
}

static void is_payload(uint16_t sport, uint16_t dport, const uint8_t *p, uint32_t n)
{
	struct build b;
	struct packet pk;

	put_payload(&b, sport, dport, p, n);
	pk = walk(&b, b.n);
	assert_null(pk.malformed);
	assert_false(pk.has_outer);
	assert_int_equal(pk.tunnels, 0);
	assert_null(pk.smac);
	assert_null(pk.inner_smac);
	assert_int_equal(pk.ip.sport, sport);
	assert_int_equal(pk.ip.dport, dport);
	assert_int_equal(pk.payload_len, n);
}

static void is_payload_at_every_port(const uint8_t *p, uint32_t n)
{
	for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		is_payload(CLIENT, ports[i], p, n);
		is_payload(ports[i], CLIENT, p, n);
		is_payload(ports[i], ports[i], p, n);
	}
}

static void a_port_alone_makes_no_tunnel(void **s)
{
	static const uint8_t fills[] = { 0, 1, 0x08, 0x11, 0x30, 0x45, 0x60, 0x88, 0xff };
	uint8_t p[64];
	uint32_t x = 1;

	for (unsigned int i = 0; i < sizeof(fills); i++)
		for (uint32_t n = 0; n <= sizeof(p); n++) {
			memset(p, fills[i], n);
			is_payload_at_every_port(p, n);
			if (n)
				p[0] = 0x23;		/* as of NTP */
			is_payload_at_every_port(p, n);
		}
	for (int round = 0; round < 2000; round++) {
		for (uint32_t i = 0; i < sizeof(p); i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			p[i] = (uint8_t)x;
		}
		is_payload_at_every_port(p, sizeof(p));
	}
}

/* The tunnel's header and what it carries: an IPv4 datagram of 32 bytes. */
static uint32_t put_tunnel(struct build *b, unsigned int i, uint16_t sport, uint16_t dport)
{
	uint32_t head = tunnels[i].n + (tunnels[i].ethernet ? 14 : 0);

	b->n = 0;
	put_ip4(b, 17, 8 + head + 32, 1, 0);
	put_udp(b, sport, dport, head + 32);
	put(b, tunnels[i].header, tunnels[i].n);
	if (tunnels[i].ethernet)
		put_eth(b, 0x0800);
	put_ip4(b, 17, 12, 7, 0x4000);
	put_udp(b, 1, 2, 4);
	put(b, "abcd", 4);
	return 28 + head;
}

static void the_client_is_not_the_tunnels_port(void **s)
{
	struct build b;
	struct packet pk;

	for (unsigned int i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		put_tunnel(&b, i, CLIENT, tunnels[i].port);
		pk = walk(&b, b.n);
		assert_null(pk.malformed);
		assert_true(pk.has_outer);
		put_tunnel(&b, i, tunnels[i].port, CLIENT);
		pk = walk(&b, b.n);
		assert_null(pk.malformed);
		assert_int_equal(pk.has_outer, tunnels[i].two_way);
		/* The other's port, too, may be one of a tunnel. */
		put_tunnel(&b, i, tunnels[i].port, 3544);
		pk = walk(&b, b.n);
		assert_null(pk.malformed);
		assert_int_equal(pk.has_outer, tunnels[i].two_way);
	}
}

static void a_tunnel_that_was_cut_still_is_one(void **s)
{
	struct build b;
	struct packet pk;

	for (unsigned int i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		uint32_t ip = put_tunnel(&b, i, CLIENT, tunnels[i].port);

		for (uint32_t cap = ip + 20; cap < b.n; cap++) {
			pk = walk(&b, cap);
			assert_true(pk.has_outer);
			assert_int_equal(pk.ip.dst.b[3], 2);
			if (cap < ip + 28)
				assert_string_equal(pk.malformed, "truncated");
		}
	}
}

static void a_sound_header_may_say_more_than_was_sent(void **s)
{
	struct build b;
	struct packet pk;
	uint32_t ip = put_tunnel(&b, 5, CLIENT, tunnels[5].port);

	b.p[ip + 2] = 5;
	pk = walk(&b, b.n);
	assert_null(pk.malformed);
	assert_false(pk.has_outer);
	memcpy(b.p + ip + 10, "\x21\xc4", 2);		/* the checksum is right */
	pk = walk(&b, b.n);
	assert_string_equal(pk.malformed, "bad-length");
	assert_true(pk.has_outer);
}

static void vxlan_has_its_flag_at_every_port(void **s)
{
	struct build b;
	struct packet pk;

	for (unsigned int i = 0; i < 3; i++) {
		put_tunnel(&b, i, CLIENT, tunnels[i].port);
		b.p[28] &= ~8;
		pk = walk(&b, b.n);
		assert_null(pk.malformed);
		assert_false(pk.has_outer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_alone_makes_no_tunnel),
		cmocka_unit_test(the_client_is_not_the_tunnels_port),
		cmocka_unit_test(a_tunnel_that_was_cut_still_is_one),
		cmocka_unit_test(a_sound_header_may_say_more_than_was_sent),
		cmocka_unit_test(vxlan_has_its_flag_at_every_port),
	};

	return cmocka_run_group_tests(tests, open_state, close_state);
}
