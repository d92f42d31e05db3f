// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers/ipproto.h"
#include "stats/fields.h"
#include "stats/totals.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

const char *const version_names[VERSIONS] = { "ipv4", "ipv6", "arp", "other" };
const char *const size_names[SIZES] = { "64", "127", "255", "511", "1023", "1518", "9018", "more" };
const char *const flag_names[FLAG_CLASSES] = { "syn", "syn_ack", "fin", "rst", "data", "ack", "other" };

enum size_class size_class(uint32_t bytes)
{
	static const uint32_t up_to[] = { 64, 127, 255, 511, 1023, 1518, 9018 };
	unsigned int i = 0;

	while (i < SIZE_MORE && bytes > up_to[i])
		i++;
	return (enum size_class)i;
}

enum flag_class flag_class(uint8_t flags, uint32_t payload)
{
	if (flags & RST)
		return FLAGS_RST;
	if (flags & SYN)
		return flags & ACK ? FLAGS_SYN_ACK : FLAGS_SYN;
	if (flags & FIN)
		return FLAGS_FIN;
	if (payload)
		return FLAGS_DATA;
	return flags & ACK ? FLAGS_ACK : FLAGS_OTHER;
}

static struct list counts(struct named_count *out, const uint64_t *n, const char *const *names, unsigned int max)
{
	uint32_t used = 0;

	for (unsigned int i = 0; i < max; i++)
		if (n[i])
			out[used++] = (struct named_count){ names[i], n[i] };
	return (struct list){ out, used };
}

static struct list transports(const struct totals *t, struct named_count *out)
{
	static const char *const rest[] = { "arp", "other" };
	const uint64_t n[] = { t->version[VERSION_ARP], t->version[VERSION_OTHER] };
	uint32_t used = 0;

	for (unsigned int i = 0; i < 256; i++)
		if (t->transport[i])
			out[used++] = (struct named_count){ ipproto_name((uint8_t)i), t->transport[i] };
	return (struct list){ out, used + counts(out + used, n, rest, 2).n };
}

void stats_rates(struct record *r, uint64_t packets, uint64_t bytes, uint64_t ns)
{
	if (!ns)
		return;
	stats_of(r)->pps = (uint64_t)((double)packets * 1e9 / (double)ns + 0.5);
	stats_of(r)->bps = (uint64_t)((double)bytes * 8e9 / (double)ns + 0.5);
	record_mark(r, FIELD_STATS_PPS);
	record_mark(r, FIELD_STATS_BPS);
}

static void end_interval(struct totals *t, uint64_t end_ns)
{
	uint64_t since = t->told_ns ? t->told_ns : t->first_ns;

	t->was_ns = end_ns > since ? end_ns - since : 0;
	t->was_packets = t->packets - t->told_packets;
	t->was_bytes = t->bytes - t->told_bytes;
	t->told_packets = t->packets;
	t->told_bytes = t->bytes;
	t->told_ns = end_ns;
}

/* What only the kernel's programs count, and what they do not. */
static void put_counted(const struct totals *t, struct record *r)
{
	struct stats_body *s = stats_of(r);

	if (!t->in_kernel) {
		s->captured_bytes = t->captured;
		s->flows = distinct_n(t->flows, &s->estimated);
		record_mark(r, FIELD_STATS_CAPTURED);
		if (s->estimated)
			record_mark(r, FIELD_STATS_ESTIMATED);
		return;
	}
	s->flows = t->n_flows;
	s->frames = t->frames;
	s->frame_bytes = t->frame_bytes;
	s->tagged = t->tagged;
	s->tunnelled = t->tunnelled;
	record_mark(r, FIELD_STATS_FRAMES);
	record_mark(r, FIELD_STATS_FRAME_BYTES);
	record_mark(r, FIELD_STATS_TAGGED);
	record_mark(r, FIELD_STATS_TUNNELLED);
}

void totals_record(struct totals *t, struct totals_row *row, struct record *r, uint64_t now_ns)
{
	static const unsigned int always[] = {
		FIELD_STATS_PACKETS, FIELD_STATS_BYTES, FIELD_STATS_FLOWS,
		FIELD_STATS_TRANSPORT, FIELD_STATS_VERSION, FIELD_STATS_SIZE, FIELD_STATS_TCP_FLAGS,
		FIELD_STATS_FRAGMENTS, FIELD_STATS_UNDECODED,
	};
	uint64_t end = now_ns ? now_ns : t->last_ns;

	if (!t->again)
		end_interval(t, end);
	record_start(r, &stats_dataset);
	r->time_ns = end;
	for (unsigned int i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		record_mark(r, always[i]);
	stats_of(r)->packets = t->packets;
	stats_of(r)->bytes = t->bytes;
	stats_of(r)->fragments = t->fragments;
	stats_of(r)->undecoded = t->undecoded;
	put_counted(t, r);
	stats_of(r)->by_transport = transports(t, row->transport);
	stats_of(r)->by_version = counts(row->version, t->version, version_names, VERSIONS);
	stats_of(r)->by_size = counts(row->size, t->size, size_names, SIZES);
	stats_of(r)->by_tcp_flags = counts(row->tcp_flags, t->tcp_flags, flag_names, FLAG_CLASSES);
	if (t->packets) {
		r->start_ns = t->first_ns;
		r->end_ns = t->last_ns;
		record_mark(r, FIELD_START);
		record_mark(r, FIELD_END);
	}
	stats_rates(r, t->was_packets, t->was_bytes, t->was_ns);
}
