// SPDX-License-Identifier: GPL-2.0-or-later
/* Nanoseconds a frame, from its bytes to its record: bench_decode [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decode/decode.h"

#define ETHERNET "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
#define IPV4(len, proto, src, dst) "\x45\0\0" len "\0\1\0\0\x40" proto "\0\0\x0a\0\0" src "\x0a\0\0" dst
#define QUESTION "\3www\7example\3com\0\0\1\0\1"
#define QUERY "\x12\x34\x01\0\0\1\0\0\0\0\0\0" QUESTION
#define RESPONSE "\x12\x34\x81\x80\0\1\0\2\0\0\0\1" QUESTION "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\1a\1b\xc0\x10" \
	"\xc0\x2d\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1" "\0\0\x29\4\xd0\0\0\x80\0\0\0"

static const char query[] = ETHERNET IPV4("\x3d", "\x11", "\1", "\2") "\x13\x88\0\x35\0\x29\0\0" QUERY;
static const char response[] = ETHERNET IPV4("\x6a", "\x11", "\2", "\1") "\0\x35\x13\x88\0\x56\0\0" RESPONSE;
static const char echo[] = ETHERNET IPV4("\x1c", "\1", "\1", "\2") "\x08\0\0\0\0\1\0\1";
static const char ack[] = ETHERNET IPV4("\x28", "\6", "\1", "\2") "\x13\x88\0\x50\0\0\0\1\0\0\0\1\x50\x10\1\0\0\0\0\0";
static const char tcp_query[] = ETHERNET IPV4("\x4b", "\6", "\1", "\2") "\x13\x88\0\x35\0\0\0\1\0\0\0\1\x50\x10\1\0\0\0\0\0\0\x21" QUERY;

static int count(void *ctx, const struct record *r)
{
	++*(uint64_t *)ctx;
	return 0;
}

static void run(const char *name, const char *p, uint32_t n, uint64_t rounds, int seq_at, uint32_t step)
{
	struct decode_options opt = { .mode = DECODE_MESSAGES, .seed = 1 };
	uint8_t copy[256];
	struct frame f = { .time_ns = 1, .data = copy, .cap_len = n, .len = n, .link = 1 };
	struct timespec a, b;
	struct decode *d;
	uint64_t records = 0;
	double ns;

	if (decode_open(&d, &opt))
		exit(1);
	memcpy(copy, p, n);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (uint64_t i = 0; i < rounds; i++) {
		uint32_t seq = (uint32_t)i * step;

		for (int k = 0; seq_at && k < 4; k++)
			copy[seq_at + k] = (uint8_t)(seq >> (24 - 8 * k));
		f.number = i + 1;
		f.time_ns += 1000;
		decode_frame(d, &f, count, &records);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
	printf("%-14s %6.1f ns a frame, %llu records\n", name, ns / (double)rounds, (unsigned long long)records);
	decode_close(d);
}

int main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;

	run("dns query", query, sizeof(query) - 1, rounds, 0, 0);
	run("dns response", response, sizeof(response) - 1, rounds, 0, 0);
	run("dns over tcp", tcp_query, sizeof(tcp_query) - 1, rounds, 14 + 20 + 4, 35);
	run("icmp echo", echo, sizeof(echo) - 1, rounds, 0, 0);
	run("tcp, no dns", ack, sizeof(ack) - 1, rounds, 0, 0);
	return 0;
}
