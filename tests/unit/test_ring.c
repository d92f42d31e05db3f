// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "abi.h"
#include "source/ring.h"

/* A ring in memory of our own, laid out as the kernel does; the tests are the producer. */
enum { BYTES = 1 << 18, CPUS = 2 };

static const uint32_t busy = 1u << 31, discarded = 1u << 30;

struct fake {
	int fd, ledger_fd, control_fd;
	size_t page;
	uint8_t *mem;
	struct np_ledger *ledger;
	struct np_control *control;
	uint64_t at;			/* the producer's position */
	struct source *s;
	struct iface iface;
	bool wanted;			/* what match() answers */
	unsigned int frames, drops;
	int answer;			/* what the consumer returns */
	struct frame last;
	uint8_t bytes[NP_CLASS_6];
};

static uint64_t *position(struct fake *f, int of_producer)
{
	return (uint64_t *)(void *)(f->mem + (of_producer ? f->page : 0));
}

static const struct iface *find_iface(void *ctx, uint32_t ifindex)
{
	struct fake *f = ctx;

	return ifindex == f->iface.ifindex ? &f->iface : NULL;
}

static void name_drop(void *ctx, uint32_t reason, uint64_t location, struct drop_info *out)
{
	((struct fake *)ctx)->drops++;
	*out = (struct drop_info){ .reason = "NO_SOCKET", .location = "udp_rcv", .hook = "socket" };
}

static bool match(void *ctx, const struct frame *frame)
{
	return ((struct fake *)ctx)->wanted;
}

static int take(void *ctx, const struct frame *frame)
{
	struct fake *f = ctx;

	f->frames++;
	f->last = *frame;
	memcpy(f->bytes, frame->data, frame->cap_len);
	return f->answer;
}

static void *memory(int *fd, size_t n)
{
	*fd = memfd_create("ring", MFD_CLOEXEC);
	assert_true(*fd >= 0);
	assert_int_equal(ftruncate(*fd, (off_t)n), 0);
	return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
}

static int setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct ring_config cfg = { .drop_ledger = -1, .ring_bytes = BYTES, .cpus = CPUS };

	f->page = (size_t)sysconf(_SC_PAGESIZE);
	f->mem = memory(&f->fd, 2 * f->page + BYTES);
	f->ledger = memory(&f->ledger_fd, f->page);
	f->control = memory(&f->control_fd, f->page);
	f->iface = (struct iface){ .ifindex = 7, .link = 1 };
	cfg.ring = f->fd;
	cfg.ledger = f->ledger_fd;
	cfg.control = f->control_fd;
	cfg.iface = find_iface;
	cfg.drop = name_drop;
	cfg.match = match;
	cfg.ctx = f;
	assert_int_equal(ring_open(&f->s, &cfg), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;

	f->s->ops->close(f->s);
	munmap(f->mem, 2 * f->page + BYTES);
	munmap(f->ledger, f->page);
	munmap(f->control, f->page);
	close(f->fd);
	close(f->ledger_fd);
	close(f->control_fd);
	free(f);
	return 0;
}

static void put_bytes(struct fake *f, uint64_t at, const void *p, size_t n)
{
	const uint8_t *from = p;

	for (size_t i = 0; i < n; i++)
		f->mem[2 * f->page + ((at + i) & (BYTES - 1))] = from[i];
}

/* A record whose header says `word` and that holds n bytes of payload. */
static void put_raw(struct fake *f, uint32_t word, const void *p, size_t n)
{
	uint32_t header[2] = { word, 0 };

	put_bytes(f, f->at, header, sizeof(header));
	put_bytes(f, f->at + 8, p, n);
	f->at += (n + 8 + 7) & ~7ull;
	__atomic_store_n(position(f, 1), f->at, __ATOMIC_RELEASE);
}

static void put_frame(struct fake *f, const struct np_event *ev, uint32_t class, uint8_t fill)
{
	uint8_t record[NP_CLASS_6];

	memset(record, fill, sizeof(record));
	memcpy(record, ev, sizeof(*ev));
	put_raw(f, class, record, class);
}

#define EVENT(cap) ((struct np_event){ .ifindex = 7, .wire_len = (cap), .cap_len = (cap), \
				       .hook = NP_HOOK_INGRESS })

static int drain(struct fake *f)
{
	return f->s->ops->read(f->s, 1u << 20, take, f);
}

static void an_empty_ring_gives_nothing(void **state)
{
	assert_int_equal(drain(*state), 0);
}

static void a_frame_is_handed_over_as_it_was(void **state)
{
	struct fake *f = *state;
	struct np_event ev = EVENT(60);

	ev.hook = NP_HOOK_EGRESS;
	ev.segments = 3;
	ev.wire_len = 1514;
	put_frame(f, &ev, NP_CLASS_0, 0xab);
	assert_int_equal(drain(f), 1);
	assert_int_equal(f->last.cap_len, 60);
	assert_int_equal(f->last.len, 1514);
	assert_int_equal(f->last.segments, 3);
	assert_int_equal(f->last.direction, DIR_EGRESS);
	assert_int_equal(f->last.number, 1);
	assert_ptr_equal(f->last.iface, &f->iface);
	assert_int_equal(f->bytes[0], 0xab);
	assert_int_equal(*position(f, 0), f->at);
}

static void records_that_wrap_come_in_one_piece(void **state)
{
	static const uint32_t classes[] = { NP_CLASS_0, NP_CLASS_5, NP_CLASS_1,
					    NP_CLASS_4, NP_CLASS_6, NP_CLASS_3 };
	struct fake *f = *state;

	for (unsigned int i = 0; i < 600; i++) {
		uint32_t class = classes[i % 6], cap = class - (uint32_t)sizeof(struct np_event) - i % 3;

		put_frame(f, &EVENT(cap), class, (uint8_t)i);
		assert_int_equal(drain(f), 1);
		assert_int_equal(f->last.cap_len, cap);
		for (uint32_t k = 0; k < cap; k++)
			assert_int_equal(f->bytes[k], (uint8_t)i);
	}
	assert_true(f->at > 20 * BYTES);
}

static void a_busy_record_holds_up_what_is_behind(void **state)
{
	struct fake *f = *state;
	uint64_t at = f->at;
	uint32_t word = NP_CLASS_0;

	put_frame(f, &EVENT(60), NP_CLASS_0, 1);
	word |= busy;
	put_bytes(f, at, &word, 4);
	put_frame(f, &EVENT(60), NP_CLASS_0, 2);
	assert_int_equal(drain(f), 0);
	assert_int_equal(f->s->ops->arm(f->s), 1);
	word = NP_CLASS_0;
	put_bytes(f, at, &word, 4);
	assert_int_equal(drain(f), 2);
}

static void a_discarded_record_is_skipped(void **state)
{
	struct fake *f = *state;
	uint8_t junk[NP_CLASS_0] = { 0 };

	put_raw(f, NP_CLASS_0 | discarded, junk, sizeof(junk));
	put_frame(f, &EVENT(60), NP_CLASS_0, 2);
	assert_int_equal(drain(f), 1);
	assert_int_equal(f->bytes[0], 2);
}

static void lengths_that_lie_are_counted_as_lost(void **state)
{
	struct fake *f = *state;
	struct np_event ev = EVENT(60);
	struct source_counts c;
	uint8_t junk[16] = { 0 };

	ev.cap_len = NP_CLASS_0 - sizeof(ev) + 1;
	put_frame(f, &ev, NP_CLASS_0, 1);
	ev.cap_len = ~0u;
	put_frame(f, &ev, NP_CLASS_0, 1);
	put_raw(f, sizeof(junk), junk, sizeof(junk));
	put_raw(f, 0, junk, 0);
	put_frame(f, &EVENT(60), NP_CLASS_0, 2);
	assert_int_equal(drain(f), 1);
	f->s->ops->counts(f->s, &c);
	assert_int_equal(c.lost_other, 4);
	assert_int_equal(c.read, 1);
}

static void a_record_beyond_the_producer_ends_it(void **state)
{
	struct fake *f = *state;
	uint8_t junk[64] = { 0 };

	put_raw(f, 0x3fffffff, junk, sizeof(junk));
	assert_int_equal(drain(f), -EBADMSG);
	put_frame(f, &EVENT(60), NP_CLASS_0, 2);
	assert_int_equal(drain(f), 1);
}

static void the_wire_is_never_shorter_than_what_was_captured(void **state)
{
	struct fake *f = *state;
	struct np_event ev = EVENT(60);

	ev.wire_len = 3;
	put_frame(f, &ev, NP_CLASS_0, 1);
	assert_int_equal(drain(f), 1);
	assert_int_equal(f->last.len, 60);
}

static void a_device_without_link_header_gives_raw_ip(void **state)
{
	struct fake *f = *state;
	struct np_event ev = EVENT(40);

	ev.flags = NP_EV_RAW_IP;
	ev.ifindex = 9;
	put_frame(f, &ev, NP_CLASS_0, 0x45);
	assert_int_equal(drain(f), 1);
	assert_int_equal(f->last.link, 101);
	assert_null(f->last.iface);
}

static void undecided_frames_are_filtered_here_and_cut(void **state)
{
	struct fake *f = *state;
	struct np_event ev = EVENT(200);
	struct source_counts c;

	f->ledger[1] = (struct np_ledger){ .seen = 2, .emitted = 2 };
	f->iface.snaplen = 96;
	ev.flags = NP_EV_UNDECIDED;
	f->wanted = false;
	put_frame(f, &ev, NP_CLASS_1, 1);
	assert_int_equal(drain(f), 0);
	f->wanted = true;
	put_frame(f, &ev, NP_CLASS_1, 2);
	assert_int_equal(drain(f), 1);
	assert_int_equal(f->last.cap_len, 96);
	assert_int_equal(f->last.len, 200);
	f->s->ops->counts(f->s, &c);
	assert_int_equal(c.seen, 2);
	assert_int_equal(c.filtered, 1);
	assert_int_equal(c.emitted, 1);
	assert_int_equal(c.read, 1);
}

static void a_drop_is_named(void **state)
{
	struct fake *f = *state;
	struct np_event ev = EVENT(60);

	ev.hook = NP_HOOK_DROP;
	ev.reason = 3;
	put_frame(f, &ev, NP_CLASS_0, 1);
	assert_int_equal(drain(f), 1);
	assert_int_equal(f->drops, 1);
	assert_non_null(f->last.drop);
	assert_int_equal(f->last.direction, DIR_UNKNOWN);
}

static void the_budget_is_kept(void **state)
{
	struct fake *f = *state;

	for (int i = 0; i < 100; i++)
		put_frame(f, &EVENT(60), NP_CLASS_0, 1);
	assert_int_equal(f->s->ops->read(f->s, 10, take, f), 10);
	assert_int_equal(drain(f), 90);
}

static void a_consumer_that_stops_loses_nothing(void **state)
{
	struct fake *f = *state;

	for (int i = 0; i < 3; i++)
		put_frame(f, &EVENT(60), NP_CLASS_0, (uint8_t)i);
	f->answer = 1;
	assert_int_equal(drain(f), SOURCE_STOPPED);
	assert_int_equal(f->s->stop, 1);
	f->answer = 0;
	assert_int_equal(drain(f), 2);
	assert_int_equal(f->bytes[0], 2);
}

static void arming_asks_for_a_wake_up(void **state)
{
	struct fake *f = *state;

	assert_int_equal(f->s->ops->arm(f->s), 0);
	assert_int_equal(f->control->want_wakeup, 1);
	put_frame(f, &EVENT(60), NP_CLASS_0, 1);
	assert_int_equal(f->s->ops->arm(f->s), 1);
	assert_int_equal(f->control->want_wakeup, 0);
}

static void ledgers_are_summed_and_shown_one_by_one(void **state)
{
	struct fake *f = *state;
	struct np_ledger p, d;
	struct source_counts c;

	f->ledger[0] = (struct np_ledger){ .seen = 5, .filtered = 2, .emitted = 2, .lost_ring = 1,
					   .truncated = 1 };
	f->ledger[1] = (struct np_ledger){ .seen = 7, .sampled = 3, .emitted = 3, .lost_map = 1 };
	f->s->ops->counts(f->s, &c);
	assert_int_equal(c.seen, 12);
	assert_int_equal(c.filtered + c.sampled + c.emitted + c.lost_ring + c.lost_map, 12);
	assert_int_equal(c.truncated, 1);
	assert_int_equal(ring_ledger(f->s, 1, &p, &d), 0);
	assert_int_equal(p.seen, 7);
	assert_int_equal(d.seen, 0);
	assert_int_equal(ring_ledger(f->s, 2, &p, NULL), -EINVAL);
}

static void boot_time_becomes_wall_time(void **state)
{
	struct fake *f = *state;
	struct np_event ev = EVENT(60);
	struct timespec boot, wall;
	int64_t diff;

	f->s->ops->tick(f->s);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &wall);
	ev.boot_ns = (uint64_t)boot.tv_sec * 1000000000 + (uint64_t)boot.tv_nsec;
	put_frame(f, &ev, NP_CLASS_0, 1);
	assert_int_equal(drain(f), 1);
	diff = (int64_t)f->last.time_ns - (wall.tv_sec * 1000000000ll + wall.tv_nsec);
	assert_true(diff > -1000000 && diff < 1000000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_empty_ring_gives_nothing),
		T(a_frame_is_handed_over_as_it_was),
		T(records_that_wrap_come_in_one_piece),
		T(a_busy_record_holds_up_what_is_behind),
		T(a_discarded_record_is_skipped),
		T(lengths_that_lie_are_counted_as_lost),
		T(a_record_beyond_the_producer_ends_it),
		T(the_wire_is_never_shorter_than_what_was_captured),
		T(a_device_without_link_header_gives_raw_ip),
		T(undecided_frames_are_filtered_here_and_cut),
		T(a_drop_is_named),
		T(the_budget_is_kept),
		T(a_consumer_that_stops_loses_nothing),
		T(arming_asks_for_a_wake_up),
		T(ledgers_are_summed_and_shown_one_by_one),
		T(boot_time_becomes_wall_time),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
