/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_VERDICT_HELP_H
#define TESTS_VERDICT_HELP_H

/* A table of connections, the interfaces around it, and packets for them, a millisecond apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers/ethertype.h"
#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "util/bytes.h"
#include "util/err.h"
#include "verdict/verdict.h"

#include <cmocka.h>

#include "frames.h"

#define MS 1000000ull
enum { SYN = 2, RST = 4, ACK = 16 };
enum { POD_A = 10, POD_B = 11, BRIDGE = 12, UPLINK = 2, TUNNEL = 13, LO = 1 };
enum { IN = DIR_INGRESS, OUT = DIR_EGRESS };

static struct verdicts *v;
static struct verdict_conn told[16];
static char told_reason[32], told_location[32], told_hook[32];	/* of the last that was dropped */
static unsigned int n_told;
static uint64_t now;
static int ends_with;

static const struct iface ifaces[] = {
	{ .name = "lo", .ifindex = LO }, { .name = "eth0", .ifindex = UPLINK }, { .name = "vethA", .ifindex = POD_A },
	{ .name = "vethB", .ifindex = POD_B }, { .name = "cni0", .ifindex = BRIDGE, .through = true },
	{ .name = "vx0", .ifindex = TUNNEL, .through = true },
};

static const struct drop_info policy = { "NETFILTER_DROP", "nft_do_chain", "nft" };
static const struct drop_info no_socket = { "NO_SOCKET", "tcp_v4_rcv", "tcp" };
static const struct drop_info others = { "OTHERHOST", "ip_rcv", "ip" };

static inline int note_told(void *ctx, const struct verdict_conn *c)
{
	if (n_told < 16)
		told[n_told] = *c;
	if (c->reason) {
		snprintf(told_reason, sizeof(told_reason), "%s", c->reason);
		snprintf(told_location, sizeof(told_location), "%s", c->location ? c->location : "");
		snprintf(told_hook, sizeof(told_hook), "%s", c->hook ? c->hook : "");
	}
	n_told++;
	return ends_with;
}

static inline void open_room(uint32_t room)
{
	struct verdict_options o = { .room = room, .wait_ns = 1000 * MS, .grace_ns = 50 * MS, .seed = 7,
				     .tell = note_told };

	n_told = 0;
	ends_with = 0;
	now = 1000000 * MS;
	memset(told, 0, sizeof(told));
	assert_int_equal(verdict_open(&v, &o), 0);
}

/* What there is in all was told, waits, or had to go. */
static inline struct verdict_counts counts(void)
{
	struct verdict_counts c;

	verdict_counts(v, &c);
	assert_int_equal(c.seen, c.told + c.waiting + c.evicted);
	assert_int_equal(c.told, n_told);
	return c;
}

/* All told: so many connections, and none is left. */
static inline void end(uint64_t seen)
{
	struct verdict_counts c;

	assert_int_equal(verdict_finish(v, now), 0);
	c = counts();
	assert_int_equal(c.seen, seen);
	assert_int_equal(c.waiting, 0);
	verdict_close(v);
}

static inline const struct iface *iface_of(uint32_t ifindex)
{
	for (unsigned int i = 0; i < sizeof(ifaces) / sizeof(ifaces[0]); i++)
		if (ifaces[i].ifindex == ifindex)
			return &ifaces[i];
	return NULL;
}

static inline void give_at(const struct build *b, uint64_t at, uint32_t ifindex, int dir, const struct drop_info *drop)
{
	struct frame f = frame_of(b, LINK_ETHERNET);

	f.time_ns = at;
	f.iface = iface_of(ifindex);
	f.direction = (uint8_t)dir;
	f.drop = drop;
	assert_int_equal(verdict_frame(v, &f), 0);
}

/* A millisecond after the last. */
static inline void give(const struct build *b, uint32_t ifindex, int dir)
{
	give_at(b, now += MS, ifindex, dir, NULL);
}

static inline void drop(const struct build *b, uint32_t ifindex, const struct drop_info *why)
{
	give_at(b, now += MS, ifindex, DIR_UNKNOWN, why);
}

static inline void later(uint64_t ms)
{
	now += ms * MS;
	assert_int_equal(verdict_tick(v, now), 0);
}

/* Whom a packet is from and for: the last byte of 10.0.0.x or 2001:db8::x, and the port. */
struct way {
	uint8_t src, dst;
	uint16_t sport, dport;
	bool v6;
};

static const struct way a_to_b = { 1, 2, 1000, 80, false }, a_to_vip = { 1, 100, 1000, 8080, false };

static inline struct way back(struct way w)
{
	return (struct way){ w.dst, w.src, w.dport, w.sport, w.v6 };
}

static inline void put_ip(struct build *b, struct way w, uint8_t proto, uint32_t len, uint16_t id)
{
	put_eth(b, w.v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
	if (w.v6)
		put_ip6(b, proto, len);
	else
		put_ip4(b, proto, len, id, 0x4000);
	b->p[b->n - (w.v6 ? 17 : 5)] = w.src;
	b->p[b->n - 1] = w.dst;
}

static inline struct build tcp(struct way w, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t id)
{
	struct build b = { .n = 0 };

	put_ip(&b, w, PROTO_TCP, 20, id);
	put_tcp(&b, w.sport, w.dport, flags, seq, ack, "", 0);
	return b;
}

static inline struct build syn(struct way w, uint32_t seq, uint16_t id)
{
	return tcp(w, SYN, seq, 0, id);
}

static inline struct build syn_ack(struct way w, uint32_t seq)
{
	return tcp(back(w), SYN | ACK, 77, seq + 1, 0);
}

static inline struct build rst(struct way w, uint32_t seq)
{
	return tcp(back(w), RST | ACK, 0, seq + 1, 0);
}

static inline struct build udp(struct way w, const char *text, uint16_t id)
{
	struct build b = { .n = 0 };

	put_ip(&b, w, PROTO_UDP, 8 + (uint32_t)strlen(text), id);
	put_udp(&b, w.sport, w.dport, (uint32_t)strlen(text));
	put(&b, text, (uint32_t)strlen(text));
	return b;
}

static inline struct build echo(struct way w, uint8_t type, uint16_t seq)
{
	struct build b = { .n = 0 };

	put_ip(&b, w, w.v6 ? PROTO_ICMPV6 : PROTO_ICMP, 12, seq);
	put(&b, (uint8_t[]){ type, 0, 0, 0, 0x12, 0x34, 0, (uint8_t)seq, 'p', 'i', 'n', 'g' }, 12);
	return b;
}

/* `by` says that the packet did not get there; it quotes its IP header and eight bytes. */
static inline struct build unreachable(uint8_t by, uint8_t code, const struct build *of, bool v6)
{
	struct way w = { by, of->p[v6 ? 14 + 23 : 14 + 15], 0, 0, v6 };
	uint32_t quoted = v6 ? 48 : 28;
	struct build b = { .n = 0 };

	put_ip(&b, w, v6 ? PROTO_ICMPV6 : PROTO_ICMP, 8 + quoted, 9);
	put(&b, (uint8_t[]){ v6 ? 1 : 3, code, 0, 0, 0, 0, 0, 0 }, 8);
	put(&b, of->p + 14, quoted);
	return b;
}

static inline void is(unsigned int i, enum verdict_what what, enum verdict_how how)
{
	assert_true(i < n_told);
	assert_int_equal(told[i].what, what);
	assert_int_equal(told[i].how, how);
}

static inline void is_between(unsigned int i, uint32_t in, uint32_t out)
{
	assert_int_equal(told[i].in_ifindex, in);
	assert_int_equal(told[i].out_ifindex, out);
}

#endif
