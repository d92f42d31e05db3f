// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of few ends, at some interfaces, in both directions, or dropped, through a small table: what began was told
 * once, waits, or had to go; what is told was decided by what was seen.
 */
#include "fuzz_help.h"

#include "verdict/verdict.h"

enum { FRAMES_MAX = 200, FIRST_NS = 1000000000 };

struct sums {
	uint64_t told;
	uint64_t drops;		/* frames that were given as drops */
};

static int take_told(void *ctx, const struct verdict_conn *c)
{
	struct sums *s = ctx;

	s->told++;
	check_written(c, sizeof(*c));
	if (c->what > VERDICT_UNANSWERED || c->how > HOW_PROHIBITED || !c->attempts || c->drops > s->drops)
		abort();
	if ((c->what == VERDICT_UNANSWERED && c->how) || (c->what == VERDICT_ALLOWED && !c->how))
		abort();
	/* Only what was seen being dropped, or its answer, has a reason, and there is one unless somebody else said so. */
	if (c->reason && (c->what != VERDICT_DROPPED || !s->drops || (!c->drops && c->how != HOW_ANSWERED)))
		abort();
	if (c->what == VERDICT_DROPPED && !c->reason && c->how != HOW_PROHIBITED)
		abort();
	if (c->how == HOW_DELIVERED && !c->to.family)
		abort();
	if (!memchr(c->in_name, 0, sizeof(c->in_name)) || !memchr(c->out_name, 0, sizeof(c->out_name)) ||
	    !memchr(c->drop_name, 0, sizeof(c->drop_name)))
		abort();
	if ((c->src.family != 4 && c->src.family != 6) || c->dst.family != c->src.family)
		abort();
	return 0;
}

static void check(const struct verdicts *v, const struct sums *s, uint32_t room)
{
	struct verdict_counts n;

	verdict_counts(v, &n);
	if (n.seen != n.told + n.waiting + n.evicted || n.told != s->told || n.waiting > room)
		abort();
}

/* Each frame: length; interface, direction, drop; how time moves; then so many bytes. */
static void run(const uint8_t *data, size_t size, struct verdicts *v, struct sums *s, uint32_t room)
{
	static const struct drop_info drops[] = {
		{ "NETFILTER_DROP", "nf_hook_slow", "iptables" }, { "NO_SOCKET", "tcp_v4_rcv", "tcp" },
		{ "OTHERHOST", "ip_rcv", "ip" }, { "TC_EGRESS", "0x1", "tc" },
	};
	static const struct iface ifaces[] = {
		{ .name = "a", .ifindex = 1 }, { .name = "b", .ifindex = 2 }, { .name = "" },
		{ .name = "c", .ifindex = 3, .through = true },
	};
	static const uint16_t links[] = { 1, 1, 101, 113 };
	uint64_t now_ns = FIRST_NS;

	for (unsigned int i = 0; i < FRAMES_MAX && size >= 3; i++) {
		size_t n = data[0] < size - 3 ? data[0] : size - 3;
		uint8_t *copy = exact(data + 3, n);
		struct frame f = { .number = i + 1, .data = copy, .cap_len = (uint32_t)n, .len = (uint32_t)n + (data[2] & 1),
				   .iface = &ifaces[data[1] & 3], .direction = data[1] >> 2 & 3, .link = links[data[1] >> 6] };

		now_ns += (uint64_t)(data[2] >> 1 & 15) * 20000000;
		f.time_ns = data[2] & 32 ? now_ns - 30000000 : now_ns;
		if (data[2] & 64)
			now_ns += 40000000000ull;
		if (data[1] >> 4 & 1) {
			f.drop = &drops[data[1] >> 2 & 3];
			s->drops++;
		}
		if (data[2] == 0xff)
			now_ns = now_ns > 2000000000000ull ? FIRST_NS : now_ns + 1000000000000ull;
		verdict_frame(v, &f);
		check(v, s, room);
		free(copy);
		data += n + 3;
		size -= n + 3;
	}
	/* Nobody waits longer, whatever stamps the frames had; that the clock was set is believed at the second. */
	verdict_tick(v, now_ns + 5000000000);
	verdict_tick(v, now_ns + 5000000001);
	check(v, s, 0);
	verdict_finish(v, now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sums s = { 0 };
	struct verdict_options o = { .wait_ns = 1000000000, .grace_ns = 50000000, .tell = take_told, .ctx = &s };
	struct verdicts *v = NULL;

	if (!size)
		return 0;
	o.room = 1 + (data[0] & 7);
	o.seed = data[0];
	if (verdict_open(&v, &o))
		abort();
	run(data + 1, size - 1, v, &s, o.room);
	verdict_close(v);
	return 0;
}
