/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_FLOW_HELP_H
#define TESTS_FLOW_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flows/flow.h"

/* What passes between a (10.0.0.1:1000) and b (10.0.0.2:80), a millisecond apart unless `at` moves on. */
#define MS 1000000ull

static uint64_t at;

static inline struct flow_packet packet(uint32_t a, uint32_t b, uint16_t sport, uint16_t dport, uint8_t proto)
{
	struct flow_packet p = { .key = { .proto = proto, .version = 4, .has_ports = sport || dport } };

	for (int i = 0; i < 4; i++) {
		p.key.addr[0][i] = (uint8_t)(a >> (24 - 8 * i));
		p.key.addr[1][i] = (uint8_t)(b >> (24 - 8 * i));
	}
	p.key.port[0] = sport;
	p.key.port[1] = dport;
	p.packets = 1;
	p.bytes = 40;
	p.ttl = 64;
	p.time_ns = at += MS;
	p.is_exact = 1;
	return p;
}

static inline struct flow_packet tcp(bool by_a, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct flow_packet p = by_a ? packet(0x0a000001, 0x0a000002, 1000, 80, 6) :
				      packet(0x0a000002, 0x0a000001, 80, 1000, 6);

	p.has_tcp = true;
	p.tcp_flags = flags;
	p.tcp_seq = seq;
	p.tcp_ack = ack;
	p.tcp_window = 1000;
	p.payload_len = len;
	p.bytes = 40 + len;
	flow_order(&p);
	return p;
}

#endif
