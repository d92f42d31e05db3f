// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mkflows COUNT ESTABLISHED [SECOND]: a capture on standard output, as fast as it can be written: ESTABLISHED TCP
 * connections, opened first and closed last, and between that COUNT SYNs without an answer, no two of the same ends,
 * among which the connections say something at regular places.  Half of each is IPv4, half IPv6.  A packet takes a
 * microsecond; the first is at SECOND.  On standard error: "PACKETS packets, N each established".
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

enum { TALKS = 10, PAYLOAD = 200, FRAME_MAX = 14 + 40 + 20 + PAYLOAD, RECORD = 16 };
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };
enum { CLIENT, SERVER };

/* One of the ends of which there are many, and what it has told its peer. */
struct conn {
	uint64_t n;
	bool is_quiet;			/* a SYN alone */
	uint32_t seq[2];
};

static uint64_t now_us, packets;

static uint8_t *addresses(uint8_t *p, const struct conn *c, unsigned int from)
{
	uint32_t client = (c->is_quiet ? 0x0a000000u : 0xac100000u) + (uint32_t)(c->n / 2 & 0xffffff);

	for (unsigned int i = 0; i < 2; i++) {
		if (c->n % 2) {
			memcpy(p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0", 12);
			p += 12;
		}
		put_be32(p, i == from ? client : 0xc6336401u);
		p += 4;
	}
	return p;
}

static uint8_t *network(uint8_t *p, const struct conn *c, unsigned int from, unsigned int len)
{
	memcpy(p, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", 14);
	if (!(c->n % 2)) {
		memcpy(p + 14, "\x45\0\0\0\0\0\x40\0\x40\x06\0\0", 12);
		put_be16(p + 16, (uint16_t)(len + 20));
		return addresses(p + 26, c, from);
	}
	memcpy(p + 12, "\x86\xdd\x60\0\0\0\0\0\x06\x40", 10);
	put_be16(p + 18, (uint16_t)len);
	return addresses(p + 22, c, from);
}

static void put(struct conn *c, unsigned int from, unsigned int flags, unsigned int payload)
{
	uint8_t record[RECORD + FRAME_MAX] = { 0 }, *p = network(record + RECORD, c, from, 20 + payload);
	uint16_t client = (uint16_t)(1024 + c->n / 2 / 0x1000000);
	uint32_t head[4] = { (uint32_t)(now_us / 1000000), (uint32_t)(now_us % 1000000) };

	put_be16(p, from == CLIENT ? client : 443);
	put_be16(p + 2, from == CLIENT ? 443 : client);
	put_be32(p + 4, c->seq[from]);
	put_be32(p + 8, flags & ACK ? c->seq[!from] : 0);
	p[12] = 0x50;
	p[13] = (uint8_t)flags;
	put_be16(p + 14, 0xffff);
	p += 20 + payload;
	head[2] = head[3] = (uint32_t)(p - record - RECORD);
	memcpy(record, head, sizeof(head));
	fwrite_unlocked(record, (size_t)(p - record), 1, stdout);
	c->seq[from] += payload + !!(flags & (SYN | FIN));
	now_us++;
	packets++;
}

static void open_all(struct conn *v, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		v[i] = (struct conn){ .n = i, .seq = { (uint32_t)(i * 7), (uint32_t)(i * 11) } };
		put(&v[i], CLIENT, SYN, 0);
		put(&v[i], SERVER, SYN | ACK, 0);
		put(&v[i], CLIENT, ACK, 0);
	}
}

static void talk_all(struct conn *v, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		put(&v[i], CLIENT, PSH | ACK, PAYLOAD);
		put(&v[i], SERVER, PSH | ACK, PAYLOAD);
	}
}

static void close_all(struct conn *v, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		put(&v[i], CLIENT, FIN | ACK, 0);
		put(&v[i], SERVER, FIN | ACK, 0);
		put(&v[i], CLIENT, ACK, 0);
	}
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 2 ? strtoull(argv[1], NULL, 10) : 0, n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1 };
	struct conn *v = calloc(n + 1, sizeof(*v));
	uint64_t sent = 0;

	if (argc < 3 || argc > 4 || !v) {
		fputs("usage: mkflows COUNT ESTABLISHED [SECOND]\n", stderr);
		return 2;
	}
	now_us = (argc > 3 ? strtoull(argv[3], NULL, 10) : 1700000000) * 1000000;
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	fwrite(head, sizeof(head), 1, stdout);
	open_all(v, n);
	for (uint64_t i = 1; i <= TALKS; i++) {
		for (; sent < count * i / TALKS; sent++)
			put(&(struct conn){ .n = sent, .is_quiet = true }, CLIENT, SYN, 0);
		talk_all(v, n);
	}
	close_all(v, n);
	free(v);
	fprintf(stderr, "%llu packets, %u each established\n", (unsigned long long)packets, 3 + 2 * TALKS + 3);
	return fclose(stdout) ? 1 : 0;
}
