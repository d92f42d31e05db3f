/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FUZZ_APP_H
#define FUZZ_APP_H

#include "fuzz_help.h"

#include "decode/conv/conv.h"

/*
 * Any bytes as packets of one protocol over UDP and TCP, on four ports, whole and cut:
 * steps of a header and its payload.
 */
enum { APP_TCP_SYN = 2, APP_TCP_ACK = 16 };

/* Each packet: what it is, how long, how much of that is not captured; then its payload. */
struct app_step { uint8_t how, n_high, n_low, cut; };
enum app_how { HOW_TCP = 1, HOW_BACK = 2, HOW_PORT = 12, HOW_SIX = 16, HOW_SYN = 32, HOW_AGAIN = 64 };

static inline void app_one(struct conv *a, const struct app_step *s, uint16_t port, struct packet *pk,
			   uint32_t seq[2], struct emit *e)
{
	bool back = s->how & HOW_BACK;
	uint8_t family = s->how & HOW_SIX ? 6 : 4;

	pk->ip = (struct ip_layer){ .src = { family, { back ? 2 : 1 } },
				    .dst = { family, { back ? 1 : 2 } },
				    .sport = back ? port : 4000,
				    .dport = back ? 4000 : port,
				    .version = family,
				    .proto = s->how & HOW_TCP ? 6 : 17,
				    .has_ports = true };
	if (s->how & HOW_TCP) {
		pk->has_tcp = true;
		pk->tcp_flags = s->how & HOW_SYN ? APP_TCP_SYN : APP_TCP_ACK;
		pk->tcp_seq = seq[back] - (s->how & HOW_AGAIN ? pk->payload_len : 0);
		pk->tcp_ack = seq[!back];
		if (!(s->how & HOW_AGAIN))
			seq[back] += pk->payload_len + (s->how & HOW_SYN ? 1 : 0);
	}
	conv_packet(a, pk, e);
}

/* kinds: dataset_bit() of the decoders that may look; ports: what HOW_PORT chooses from. */
static inline int fuzz_app(const uint8_t *data, size_t size, uint64_t kinds, const uint16_t ports[4])
{
	static struct conv *a;
	static uint64_t now_ns;
	struct decode_options opt = { .no_answer = true, .kinds = kinds };
	struct frame f = { .link = 1 };
	struct decode_counts counts = { .frames = 0 };
	uint32_t seq[2] = { 0xffffff00u, 1 };
	uint64_t sum = 0;
	struct emit e = { .fn = touch_record, .ctx = &sum, .kinds = UINT32_MAX };

	if (!a && conv_open(&a, &opt))
		abort();
	seq[0] += (uint32_t)(now_ns >> 8);
	while (size >= sizeof(struct app_step)) {
		struct packet pk = { .frame = &f };
		struct app_step s;
		uint32_t n, cap;
		uint8_t *copy;

		memcpy(&s, data, sizeof(s));
		data += sizeof(s);
		size -= sizeof(s);
		n = (uint32_t)(s.n_high << 8 | s.n_low);
		n = n < size ? n : (uint32_t)size;
		cap = s.cut < n ? n - s.cut : 0;
		copy = exact(data, cap);
		pk.payload = pk.l4 = copy;
		pk.payload_cap = pk.l4_cap = cap;
		pk.payload_len = pk.l4_len = n;
		f.time_ns = now_ns += 100000000;
		f.number++;
		conv_tick(a, now_ns, &e);
		app_one(a, &s, ports[(s.how & HOW_PORT) >> 2], &pk, seq, &e);
		free(copy);
		data += n;
		size -= n;
	}
	conv_counts(a, &counts);
	return 0;
}

#endif
