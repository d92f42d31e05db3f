// SPDX-License-Identifier: GPL-2.0-or-later
/* Any datagrams as traces of packets: a length of two bytes before each, a time that grows with them. */
#include <linux/netfilter.h>

#include "fuzz_help.h"

#include "dataplane/trace.h"
#include "dataplane/trace_parts.h"
#include "util/bytes.h"
#include "util/err.h"

enum { ROOM = 5, WAIT = 3 };

static uint64_t touch_text(const char *s)
{
	return s ? touch(s, strlen(s)) : 0;
}

static int check_path(void *ctx, const struct rule_path *p)
{
	uint64_t *sum = ctx;

	if (p->n_steps > TRACE_STEPS_MAX || p->end > TRACE_UNCLEAR || p->last_ns < p->first_ns)
		abort();
	if (p->came.src.family != p->came.dst.family || (!p->came.src.family && p->proto_known))
		abort();
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct rule_step *s = &p->steps[i];
		bool goes = s->verdict == NF_JUMPS || s->verdict == NF_GOES || s->verdict == NF_TARGET;

		if (!*s->table || !*s->chain || goes != (s->target && *s->target) || s->kind > TRACE_POLICY)
			abort();
		if (s->kind != TRACE_RULE && s->handle)
			abort();
		*sum += touch_text(s->table) + touch_text(s->chain) + touch_text(s->target);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	volatile uint64_t sum = 0;
	uint64_t seen = 0;
	struct trace_options o = { .room = ROOM, .wait_ns = WAIT, .tell = check_path, .ctx = &seen };
	struct trace_paths *p;
	struct trace_counts c;

	err_quiet(1);
	if (paths_open(&p, &o, TRACE_TABLE "7"))
		abort();
	for (uint64_t now = 0; size >= 2; now++) {
		size_t n = be16(data);
		uint8_t *copy;

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		copy = exact(data, n);
		if (!n)
			paths_overrun(p);
		if (paths_datagram(p, copy, n, now) || paths_tick(p, now))
			abort();
		free(copy);
		data += n;
		size -= n;
		paths_counts(p, &c);
		if (c.waiting > ROOM || c.told > c.messages)
			abort();
	}
	if (paths_finish(p))
		abort();
	paths_counts(p, &c);
	if (c.waiting)
		abort();
	paths_close(p);
	sum = seen;
	(void)sum;
	return 0;
}
