// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any order of segments.  What a byte is follows from its sequence number, so whatever
 * is delivered can be checked: it must be what its place says.
 */
#include "fuzz_help.h"

#include "decode/conv/stream.h"

enum { SEGMENT_MAX = 8192, STEPS_MAX = 16 };

struct step { uint8_t flags, how, at_high, at_low, n_high, n_low, take, cut; };

/* What is ours is no news to the fuzzer. */
#define OURS __attribute__((no_sanitize("coverage")))

OURS static uint8_t byte(uint32_t seq, bool back)
{
	return (uint8_t)(seq * 7 + (seq >> 8) * 13 + (seq >> 16) + back * 101);
}

struct check { uint8_t take; };

OURS static uint32_t consume(void *ctx, const struct stream_data *d)
{
	struct check *c = ctx;

	if ((!d->n && !d->missing) || !d->pk || !d->pk->frame)
		abort();
	/* Those that may be taken now, and the last: the time must stay linear. */
	for (uint32_t i = 0; i < d->n && i < (c->take < 250 ? c->take + 8u : d->n); i++)
		if (d->p[i] != byte(d->side->next + i, d->dir))
			abort();
	if (d->n && d->p[d->n - 1] != byte(d->side->next + d->n - 1, d->dir))
		abort();
	if (c->take == 255)
		d->side->ignored = true;
	if (c->take == 254)
		return d->n + 1000;
	if (c->take >= 250)
		return d->n;
	if (c->take >= 240)
		d->side->want = d->n + c->take;
	if (c->take >= 200)
		return 0;
	return c->take < d->n ? c->take : d->n;
}

OURS static void one(struct streams *t, const struct step *s, uint64_t *now_ns)
{
	static uint8_t buf[SEGMENT_MAX];
	bool back = s->how & 1;
	uint32_t n = (uint32_t)(s->n_high << 8 | s->n_low), at = (uint32_t)(s->at_high << 8 | s->at_low);
	static uint64_t number;
	struct frame f = { .number = ++number, .time_ns = *now_ns += s->how & 2 ? 1000000000 : 1000 };
	struct packet pk = { .frame = &f, .has_tcp = true, .tcp_flags = s->flags };
	struct check c = { s->take };
	uint8_t *copy;

	if ((s->how & 12) != 12)
		at &= 0xfff;
	if (s->how & 16)
		at += 0xffff0000u;
	if ((s->how & 96) != 96)	/* seldom a long one: they cost time */
		n = s->how & 64 ? 0 : n & 0xff;
	n &= 0x1fff;
	pk.tcp_seq = at;
	for (uint32_t i = 0; i < n; i++)
		buf[i] = byte(at + i + (s->flags >> 1 & 1), back);
	pk.payload_len = n;
	pk.payload_cap = s->cut < n && s->how & 128 ? n - s->cut : n;
	pk.payload = copy = exact(buf, pk.payload_cap);
	pk.tcp_ack = at + n;
	pk.ip = (struct ip_layer){ .src = { 4, { back ? 2 : 1 } },
				   .dst = { 4, { back ? 1 : 2 } },
				   .sport = back ? 53 : 4000,
				   .dport = back ? 4000 : 53,
				   .version = 4,
				   .proto = 6,
				   .has_ports = true };
	stream_packet(t, &pk, consume, &c);
	free(copy);
	if (stream_memory(t) > 2 * (136u << 10) * 9 / 8)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct streams *t;
	static uint64_t now_ns = 1000000000;
	static const struct step end = { .flags = 2, .how = 64, .at_high = 0x7f },
				 back = { .flags = 2, .how = 65, .at_high = 0x7e };
	struct stream_counts counts;

	if (!t && stream_open(&t, 1, NULL, NULL))
		abort();
	for (int i = 0; i < STEPS_MAX && size >= sizeof(struct step);
	     i++, size -= sizeof(struct step), data += sizeof(struct step)) {
		struct step s;

		memcpy(&s, data, sizeof(s));
		one(t, &s, &now_ns);
	}
	one(t, &end, &now_ns);		/* a fresh connection for the next input */
	one(t, &back, &now_ns);
	stream_counts(t, &counts);
	return 0;
}
