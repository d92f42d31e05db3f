// SPDX-License-Identifier: GPL-2.0-or-later
/* Any octets as DNS messages over UDP and TCP, on its ports and others, whole and cut. */
#include "fuzz_help.h"

#include "decode/stream.h"

enum { TCP_SYN = 2, TCP_ACK = 16 };

/* Each packet: what it is, how long, how much of that is not captured; then its payload. */
struct step { uint8_t how, n_high, n_low, cut; };
enum how { HOW_TCP = 1, HOW_BACK = 2, HOW_PORT = 12, HOW_SIX = 16, HOW_SYN = 32, HOW_AGAIN = 64 };

static void one(struct dns_state *st, const struct step *s, const uint8_t *p, uint32_t cap, uint32_t len,
		uint32_t seq[2], struct frame *f, struct emit *e)
{
	static const uint16_t ports[] = { 53, 5353, 5355, 8053 };
	bool back = s->how & HOW_BACK;
	uint16_t port = ports[(s->how & HOW_PORT) >> 2];
	struct packet pk = { .frame = f,
			     .payload = p,
			     .payload_cap = cap,
			     .payload_len = len,
			     .l4 = p,
			     .l4_cap = cap,
			     .l4_len = len };
	uint8_t family = s->how & HOW_SIX ? 6 : 4;

	pk.ip = (struct ip_layer){ .src = { family, { back ? 2 : 1 } },
				   .dst = { family, { back ? 1 : 2 } },
				   .sport = back ? port : 4000,
				   .dport = back ? 4000 : port,
				   .version = family,
				   .proto = s->how & HOW_TCP ? 6 : 17,
				   .has_ports = true };
	if (s->how & HOW_TCP) {
		pk.has_tcp = true;
		pk.tcp_flags = s->how & HOW_SYN ? TCP_SYN : TCP_ACK;
		pk.tcp_seq = seq[back] - (s->how & HOW_AGAIN ? len : 0);
		pk.tcp_ack = seq[!back];
		if (!(s->how & HOW_AGAIN))
			seq[back] += len + (s->how & HOW_SYN ? 1 : 0);
	}
	dns_decode(st, &pk, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_state *st;
	static uint64_t now_ns;
	struct decode_options opt = { .no_answer = true };
	struct frame f = { .link = 1 };
	struct decode_counts counts = { .frames = 0 };
	uint32_t seq[2] = { 0xffffff00u, 1 };
	uint64_t sum = 0;
	struct emit e = { .fn = touch_record, .ctx = &sum, .kinds = UINT32_MAX };

	if (!st && dns_open(&st, &opt))
		abort();
	seq[0] += (uint32_t)(now_ns >> 8);
	while (size >= sizeof(struct step)) {
		struct step s;
		uint32_t n, cap;
		uint8_t *copy;

		memcpy(&s, data, sizeof(s));
		data += sizeof(s);
		size -= sizeof(s);
		n = (uint32_t)(s.n_high << 8 | s.n_low);
		n = n < size ? n : (uint32_t)size;
		cap = s.cut < n ? n - s.cut : 0;
		copy = exact(data, cap);
		f.time_ns = now_ns += 100000000;
		f.number++;
		dns_tick(st, now_ns, &e);
		one(st, &s, copy, cap, n, seq, &f, &e);
		free(copy);
		data += n;
		size -= n;
	}
	dns_counts(st, &counts);
	return 0;
}
