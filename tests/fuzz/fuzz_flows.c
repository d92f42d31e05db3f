// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of few ends through a small table: every packet that a frame's IP headers make
 * is in exactly one flow, and what leaves and what is there add up to what was taken.
 * Of statistics each packet is in exactly one row, at any time.
 */
#include "fuzz_help.h"

#include "account.h"
#include "flows/fields.h"
#include "stats/fields.h"

enum { FRAMES_MAX = 200 };

struct sums {
	uint64_t packets, outer, bytes, touched;
};

static int add(void *ctx, const struct record *r)
{
	struct sums *s = ctx;

	touch_record(&s->touched, r);
	if (r->set == &stats_dataset) {
		s->packets += stats_of(r)->packets;
		if (record_has(r, FIELD_END) && r->end_ns < r->start_ns)
			abort();
	}
	if (r->set != &flow_dataset)
		return 0;
	if (flow_of(r)->packets != flow_of(r)->side[0].packets + flow_of(r)->side[1].packets || r->end_ns < r->start_ns)
		abort();
	s->packets += flow_of(r)->packets;
	s->outer += record_has(r, FIELD_TUNNEL) ? 0 : flow_of(r)->packets;
	s->bytes += flow_of(r)->bytes;
	return 0;
}

/* All rows but those of hosts, which count a packet twice, and of ports, which some packets have not. */
static void check_rows(struct account *a, const struct account_options *opt, uint64_t now_ns, uint64_t packets)
{
	struct sums sums = { 0 };

	account_rows(a, now_ns, add, &sums);
	if (opt->by != BY_HOST && opt->by != BY_PORT && sums.packets != packets)
		abort();
}

/* Each frame: length, how time moves, link type; then so many bytes. */
static void run(const uint8_t *data, size_t size, const struct account_options *opt)
{
	static const uint16_t links[] = { 1, 101, 113, 276 };
	struct account_coverage c;
	struct account *a = NULL;
	struct sums sums = { 0 };
	uint64_t now_ns = 1000000000, given = 0;

	if (account_open(&a, opt))
		abort();
	for (unsigned int i = 0; i < FRAMES_MAX && size >= 2; i++) {
		size_t n = data[0] < size - 2 ? data[0] : size - 2;
		struct frame f = { .number = i + 1, .data = data + 2, .cap_len = (uint32_t)n, .len = (uint32_t)n + (data[1] & 3),
				   .link = links[data[1] >> 2 & 3], .segments = data[1] >> 6 };

		now_ns += (data[1] & 16) ? 2000000000ull : 1000;
		f.time_ns = data[1] & 32 ? now_ns - 5000000000ull % now_ns : now_ns;
		given += f.segments > 1 ? f.segments : 1;
		account_frame(a, &f, add, &sums);
		if (data[1] == 0xff)
			account_idle(a, add, &sums);
		if (!opt->flows && i % 16 == 15)
			check_rows(a, opt, now_ns, given);
		data += n + 2;
		size -= n + 2;
	}
	account_finish(a, add, &sums);
	if (opt->flows)
		account_rows(a, now_ns, add, &sums);
	else
		check_rows(a, opt, now_ns, given);
	account_coverage(a, &c);
	if (opt->flows && opt->stream && (sums.packets != c.counted || sums.outer + c.in_none != given))
		abort();
	if (opt->flows && !opt->stream && sums.packets + c.missed_packets != c.counted)
		abort();
	account_close(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flow_timeouts timeouts = { .first = 1000000000, .settled = 3000000000,
						       .closed = 500000000, .active = 2000000000 };
	struct account_options o = {
		.table = { .settled = 4, .first = 4 },
	};

	if (!size)
		return 0;
	o.flows = data[0] & 1;
	o.stream = data[0] & 2;
	o.by = ((data[0] >> 2 & 7) | (data[0] >> 3 & 8)) % BY_KINDS;
	o.sort = !o.stream && data[0] & 32 ? SORT_RTT : SORT_NONE;
	if (data[0] & 64 && o.stream)
		o.table.timeouts = timeouts;
	run(data + 1, size - 1, &o);
	return 0;
}
