// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/ring.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"
#include "numbers/linktype.h"
#include "util/err.h"
#include "util/hostclock.h"

/*
 * The kernel's protocol (Documentation/bpf/ringbuf.rst): a page with the consumer's position, which is
 * ours to write, a page with the producer's, and the data.  A record is a header of eight bytes (length
 * and two flag bits, then a page offset of no interest here), and the payload, padded to eight.
 */
enum { HEADER = 8, RECORD_MAX = NP_CLASS_6, RELEASE_EVERY = 32, TRIES = 5 };

static const uint32_t busy_bit = 1u << 31, discard_bit = 1u << 30;

struct ring {
	struct source s;
	struct ring_config cfg;
	uint64_t *consumer;
	const uint64_t *producer;
	const uint8_t *data;
	const struct np_ledger *ledger, *drop_ledger;	/* cpus each; NULL: absent */
	struct np_control *control;
	size_t page;
	uint8_t *whole;			/* a record that wraps, in one piece */
	struct host_clock clock;
	uint64_t number, read, rejected, lost;
};

static struct ring *ring_of(struct source *s)
{
	return (struct ring *)s;
}

static void describe(const struct ring *r, const struct np_event *ev, struct frame *f)
{
	*f = (struct frame){
		.time_ns = host_clock_wall(&r->clock, ev->boot_ns),
		.data = ev->data,
		.cap_len = ev->cap_len,
		.len = ev->wire_len < ev->cap_len ? ev->cap_len : ev->wire_len,
		.link = LINK_ETHERNET,
		.segments = ev->segments,
		.sampled = ev->hook == NP_HOOK_DROP ? 1 : r->cfg.sampled,
		.direction = ev->hook == NP_HOOK_INGRESS ? DIR_INGRESS
			   : ev->hook == NP_HOOK_EGRESS ? DIR_EGRESS : DIR_UNKNOWN,
	};
	if (r->cfg.netns && ev->netns)
		f->netns = r->cfg.netns(r->cfg.ctx, ev->netns);
	if (r->cfg.iface && (!f->netns || ev->netns == r->cfg.home))
		f->iface = r->cfg.iface(r->cfg.ctx, ev->ifindex);
	if (ev->flags & NP_EV_RAW_IP)
		f->link = LINK_RAW;
	else if (f->iface && ev->hook != NP_HOOK_DROP)
		f->link = f->iface->link;
}

/* Does the filter want it?  What it had to see beyond the snap length goes. */
static bool decide(struct ring *r, struct frame *f)
{
	if (r->cfg.match && !r->cfg.match(r->cfg.ctx, f)) {
		r->rejected++;
		return false;
	}
	if (f->iface && f->iface->snaplen && f->cap_len > f->iface->snaplen)
		f->cap_len = f->iface->snaplen;
	return true;
}

/* ev: n bytes, n >= sizeof(*ev). */
static int take(struct ring *r, const struct np_event *ev, uint32_t n, frame_fn fn, void *ctx)
{
	struct drop_info drop;
	struct frame f;

	if (ev->cap_len > n - sizeof(*ev)) {
		r->lost++;
		return 0;
	}
	describe(r, ev, &f);
	if ((ev->flags & NP_EV_UNDECIDED) && !decide(r, &f))
		return 0;
	if (ev->hook == NP_HOOK_DROP && r->cfg.drop) {
		r->cfg.drop(r->cfg.ctx, ev->reason, ev->location, &drop);
		f.drop = &drop;
	}
	f.number = ++r->number;
	r->read++;
	return fn(ctx, &f);
}

/* The payload at ring position pos, in one piece. */
static const void *piece(struct ring *r, uint64_t pos, uint32_t n)
{
	uint64_t at = pos & (r->cfg.ring_bytes - 1), first = r->cfg.ring_bytes - at;

	if (first >= n)
		return r->data + at;
	memcpy(r->whole, r->data + at, first);
	memcpy(r->whole + first, r->data, n - first);
	return r->whole;
}

static int stop(struct ring *r, uint64_t at, int why)
{
	__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	r->s.stop = why;
	return SOURCE_STOPPED;
}

/* The positions contradict one another: nothing behind can be found again. */
static int broken(struct ring *r, uint64_t to)
{
	r->lost++;
	__atomic_store_n(r->consumer, to, __ATOMIC_RELEASE);
	return fail(EBADMSG, "the kernel's ring buffer");
}

/* What was read is released in batches: the producer looks at that line for every record. */
static int ring_read(struct source *s, unsigned int budget, frame_fn fn, void *ctx)
{
	struct ring *r = ring_of(s);
	uint64_t at = *r->consumer, end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE), released = at;
	uint64_t before = r->read, seen = 0;
	uint32_t mask = (uint32_t)(r->cfg.ring_bytes - 1);

	while (at != end && seen < budget) {
		const uint32_t *header = (const uint32_t *)(const void *)(r->data + (at & mask));
		uint32_t word = __atomic_load_n(header, __ATOMIC_ACQUIRE);
		uint32_t n = word & ~(busy_bit | discard_bit);
		uint64_t total = ((uint64_t)n + HEADER + 7) & ~7ull;
		int stopped = 0;

		if (word & busy_bit)
			break;
		if (end - at > r->cfg.ring_bytes || total > end - at)
			return broken(r, end);
		if (!(word & discard_bit) && (n < sizeof(struct np_event) || n > RECORD_MAX))
			r->lost++;
		else if (!(word & discard_bit))
			stopped = take(r, piece(r, at + HEADER, n), n, fn, ctx);
		at += total;
		if (stopped)
			return stop(r, at, stopped);
		if (++seen % RELEASE_EVERY == 0 || at - released > r->cfg.ring_bytes / 16) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			released = at;
		}
	}
	__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return (int)(r->read - before);
}

/* See wake_flags() in bpf/submit.h for the other side. */
static int ring_arm(struct source *s)
{
	struct ring *r = ring_of(s);

	if (r->control)
		__atomic_store_n(&r->control->want_wakeup, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(r->producer, __ATOMIC_ACQUIRE) == *r->consumer)
		return 0;
	if (r->control)
		__atomic_store_n(&r->control->want_wakeup, 0, __ATOMIC_RELAXED);
	return 1;
}

static uint64_t outcomes(const struct np_ledger *l)
{
	return l->filtered + l->sampled + l->emitted + l->lost_ring + l->lost_map;
}

/* A packet that is being handled right now is seen but has no outcome yet: look again, a few times. */
static void add_ledger(struct np_ledger *sum, const struct np_ledger *from)
{
	struct np_ledger l = { 0 };
	const __u64 *p = &from->seen;
	__u64 *to = &l.seen, *total = &sum->seen;
	unsigned int n = sizeof(l) / sizeof(*p);

	for (int i = 0; i < TRIES; i++) {
		for (unsigned int k = 0; k < n; k++)
			to[k] = __atomic_load_n(&p[k], __ATOMIC_RELAXED);
		if (outcomes(&l) == l.seen)
			break;
	}
	for (unsigned int k = 0; k < n; k++)
		total[k] += to[k];
}

static void sum(const struct ring *r, const struct np_ledger *ledgers, int cpu, struct np_ledger *out)
{
	memset(out, 0, sizeof(*out));
	if (!ledgers)
		return;
	for (unsigned int i = 0; i < r->cfg.cpus; i++)
		if (cpu < 0 || cpu == (int)i)
			add_ledger(out, &ledgers[i]);
}

int ring_ledger(struct source *s, int cpu, struct np_ledger *packets, struct np_ledger *drops)
{
	struct ring *r = ring_of(s);

	if (cpu >= (int)r->cfg.cpus)
		return -EINVAL;
	if (packets)
		sum(r, r->ledger, cpu, packets);
	if (drops)
		sum(r, r->drop_ledger, cpu, drops);
	return 0;
}

static int ring_counts(struct source *s, struct source_counts *c)
{
	struct ring *r = ring_of(s);
	struct np_ledger p = { 0 }, d = { 0 };

	ring_ledger(s, -1, &p, &d);
	*c = (struct source_counts){
		.seen = p.seen + d.seen,
		.filtered = p.filtered + d.filtered + r->rejected,
		.sampled = p.sampled + d.sampled,
		.emitted = p.emitted + d.emitted - r->rejected,
		.lost_ring = p.lost_ring + d.lost_ring,
		.lost_map = p.lost_map + d.lost_map,
		.lost_other = r->lost,
		.truncated = p.truncated + d.truncated,
		.read = r->read,
	};
	return 0;
}

static void ring_tick(struct source *s)
{
	host_clock_tick(&ring_of(s)->clock);
}

static void unmap(const void *p, size_t n)
{
	if (p)
		munmap((void *)p, n);
}

static size_t ledger_bytes(const struct ring *r)
{
	return (r->cfg.cpus * sizeof(struct np_ledger) + r->page - 1) & ~(r->page - 1);
}

static void ring_close(struct source *s)
{
	struct ring *r = ring_of(s);

	unmap(r->consumer, r->page);
	unmap(r->producer, r->page + r->cfg.ring_bytes);
	unmap(r->ledger, ledger_bytes(r));
	unmap(r->drop_ledger, ledger_bytes(r));
	unmap(r->control, r->page);
	free(r->whole);
	free(r);
}

static const struct source_ops ring_ops = {
	.name = "ring",
	.read = ring_read,
	.arm = ring_arm,
	.counts = ring_counts,
	.tick = ring_tick,
	.close = ring_close,
};

/* NULL for an absent map; *err is set when one cannot be mapped. */
static void *map(int fd, size_t n, int prot, size_t offset, int *err)
{
	void *p;

	if (fd < 0 || *err)
		return NULL;
	p = mmap(NULL, n, prot, MAP_SHARED, fd, (off_t)offset);
	if (p != MAP_FAILED)
		return p;
	*err = -errno;
	return NULL;
}

static int map_all(struct ring *r)
{
	const struct ring_config *cfg = &r->cfg;
	const uint8_t *rest;
	int err = 0;

	r->consumer = map(cfg->ring, r->page, PROT_READ | PROT_WRITE, 0, &err);
	rest = map(cfg->ring, r->page + cfg->ring_bytes, PROT_READ, r->page, &err);
	r->ledger = map(cfg->ledger, ledger_bytes(r), PROT_READ, 0, &err);
	r->drop_ledger = map(cfg->drop_ledger, ledger_bytes(r), PROT_READ, 0, &err);
	r->control = map(cfg->control, r->page, PROT_READ | PROT_WRITE, 0, &err);
	r->producer = (const uint64_t *)(const void *)rest;
	r->data = rest ? rest + r->page : NULL;
	return err;
}

int ring_open(struct source **out, const struct ring_config *cfg)
{
	struct ring *r;
	int err;

	if (cfg->ring < 0 || !cfg->ring_bytes || (cfg->ring_bytes & (cfg->ring_bytes - 1)) ||
	    cfg->ring_bytes > 1u << 30)
		return fail(0, "the ring buffer's size is not a power of two");
	r = calloc(1, sizeof(*r));
	if (!r)
		return fail(ENOMEM, "the ring buffer");
	r->s.ops = &ring_ops;
	r->s.fd = cfg->ring;
	r->cfg = *cfg;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->whole = malloc(RECORD_MAX);
	err = r->whole ? map_all(r) : -ENOMEM;
	if (err) {
		ring_close(&r->s);
		return fail(err, "cannot map the ring buffer");
	}
	host_clock_open(&r->clock, CLOCK_BOOTTIME);
	*out = &r->s;
	return 0;
}
