/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_DNS_HELP_H
#define TESTS_DNS_HELP_H

#include "decode_help.h"

/* DNS messages over UDP and TCP, between port 4000 of host 1 and port 53 of host 2. */

#define LEN(literal) (sizeof(literal) - 1)
#define QUERY "\x12\x34\x01\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
/* the same over TCP */
#define FRAMED "\0\x21" QUERY

static inline void give_udp(struct decode *d, struct lines *l, bool back, const char *p, uint32_t n,
			    uint64_t time_ns, uint64_t number)
{
	struct bytes data = { .n = 0 }, o = { .n = 0 };

	put(&data, p, n);
	put_udp(&o, back ? 2 : 1, back ? 1 : 2, back ? 53 : 4000, back ? 4000 : 53, &data);
	feed(d, l, &o, o.n, time_ns, number);
}

static inline void give_tcp(struct decode *d, struct lines *l, uint32_t seq, uint8_t flags,
			    const char *p, uint32_t n, uint64_t number)
{
	struct bytes o = { .n = 0 };

	put_tcp(&o, 1, 2, 4000, 53, seq, flags, p, n);
	feed(d, l, &o, o.n, SECOND + number, number);
}

#endif
