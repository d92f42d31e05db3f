/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TALK_HELP_H
#define TALK_HELP_H

#include <stdlib.h>

#include "decode/conv/conv.h"
#include "decode_help.h"

/* Two ends that talk: client port 4000, and a server port of the test's choice. */

enum talk_dir { ASK, REPLY };

struct talk {
	struct conv *conv;
	struct lines lines;
	struct frame frame;
	struct emit emit;
	uint32_t seq[2];
	uint16_t port;
	uint8_t family;
};

static inline void talk_open_with(struct talk *t, const struct decode_options *opt, uint16_t port)
{
	memset(t, 0, sizeof(*t));
	t->frame = (struct frame){ .link = 1, .time_ns = 1000 * SECOND };
	t->seq[ASK] = 1000;
	t->seq[REPLY] = 0xfffffff0u;		/* to wrap */
	t->port = port;
	t->family = 4;
	t->emit = (struct emit){ .fn = line_of, .ctx = &t->lines, .kinds = UINT32_MAX };
	assert_int_equal(conv_open(&t->conv, opt), 0);
}

/* kinds: dataset_bit() */
static inline void talk_open(struct talk *t, uint64_t kinds, uint16_t port)
{
	struct decode_options opt = { .kinds = kinds, .no_answer = true };

	talk_open_with(t, &opt, port);
}

static inline void talk_close(struct talk *t)
{
	conv_close(t->conv);
}

/* A packet of n bytes, of which `cap` are there; a millisecond after the last one. */
static inline void talk_packet(struct talk *t, uint8_t proto, enum talk_dir dir, uint8_t flags, const void *p,
			       uint32_t cap, uint32_t n)
{
	uint8_t *copy = malloc(cap ? cap : 1);	/* of just that size, for the sanitizer */
	struct packet pk = { .frame = &t->frame, .payload = copy, .payload_cap = cap, .payload_len = n };

	if (cap)
		memcpy(copy, p, cap);
	t->frame.time_ns += 1000000;
	t->frame.number++;
	pk.ip = (struct ip_layer){ .src = { t->family, { 10, 0, 0, dir == ASK ? 1 : 2 } },
				   .dst = { t->family, { 10, 0, 0, dir == ASK ? 2 : 1 } },
				   .sport = dir == ASK ? 4000 : t->port,
				   .dport = dir == ASK ? t->port : 4000,
				   .version = t->family,
				   .proto = proto,
				   .has_ports = true };
	if (proto == 6) {
		pk.has_tcp = true;
		pk.tcp_flags = flags;
		pk.tcp_seq = t->seq[dir];
		pk.tcp_ack = t->seq[!dir];
		t->seq[dir] += n + (flags & 2 ? 1 : 0);
	}
	conv_packet(t->conv, &pk, &t->emit);
	free(copy);
}

static inline void talk_say(struct talk *t, enum talk_dir dir, const void *p, uint32_t n)
{
	talk_packet(t, 6, dir, 16, p, n, n);
}

#define SAY(t, dir, literal) talk_say((t), (dir), "" literal, sizeof(literal) - 1)

/* A byte a segment. */
static inline void talk_drip(struct talk *t, enum talk_dir dir, const void *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		talk_say(t, dir, (const uint8_t *)p + i, 1);
}

static inline void talk_handshake(struct talk *t)
{
	talk_packet(t, 6, ASK, 2, "", 0, 0);
	talk_packet(t, 6, REPLY, 2 | 16, "", 0, 0);
}

static inline void talk_datagram(struct talk *t, enum talk_dir dir, const void *p, uint32_t n)
{
	talk_packet(t, 17, dir, 0, p, n, n);
}

/* Bytes lost on the way. */
static inline void talk_lose(struct talk *t, enum talk_dir dir, uint32_t n)
{
	t->seq[dir] += n;
}

static inline void talk_wait(struct talk *t, uint64_t seconds)
{
	t->frame.time_ns += seconds * SECOND;
	conv_tick(t->conv, t->frame.time_ns, &t->emit);
}

/* The lines so far, each as decode_help.h writes it; then they are forgotten. */
#define HEARD(t, ...) talk_heard((t), (const char *[]){ __VA_ARGS__, NULL })
static inline void talk_heard(struct talk *t, const char *const *want)
{
	unsigned int i = 0;

	for (; want[i] && i < t->lines.n; i++)
		assert_string_equal(t->lines.text[i], want[i]);
	if (want[i])
		fail_msg("not heard: %s", want[i]);
	if (i < t->lines.n)
		fail_msg("heard as well: %s", t->lines.text[i]);
	t->lines.n = 0;
}

#endif
