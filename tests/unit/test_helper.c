// SPDX-License-Identifier: GPL-2.0-or-later
#include "world.h"

#include "priv/rotate.h"

static void news(const struct link_info *l)
{
	assert_int_equal(send(w->monitor[0], l, sizeof(*l), 0), sizeof(*l));
}

static void news_of(uint32_t ifindex, const char *name, uint32_t flags, bool is_gone)
{
	struct link_info l = { .ifindex = ifindex, .flags = flags, .is_gone = is_gone };

	snprintf(l.name, sizeof(l.name), "%s", name);
	news(&l);
}

static void next_is(struct helper *h, enum helper_event_type type, const char *name)
{
	struct helper_event ev = next(h);

	assert_int_equal(ev.type, type);
	assert_string_equal(ev.info.name, name);
}

static void nothing_comes(struct helper *h)
{
	struct pollfd p = { .fd = helper_fd(h), .events = POLLIN };

	assert_int_equal(poll(&p, 1, 50), 0);
}

static void interfaces_are_attached_in_the_order_given(void **state)
{
	struct helper *h = start(false, "eth0", "veth*");

	next_is(h, HELPER_ATTACHED, "eth0");
	next_is(h, HELPER_ATTACHED, "veth1");
	next_is(h, HELPER_ATTACHED, "veth2");
	next_is(h, HELPER_READY, "");
	assert_int_equal(w->attached, 3);
	helper_stop(h);
	assert_int_equal(w->detached_all, 1);
}

static void any_is_every_interface_once(void **state)
{
	struct helper *h = start(true, "veth2", "any");

	next_is(h, HELPER_ATTACHED, "veth2");
	next_is(h, HELPER_ATTACHED, "lo");
	next_is(h, HELPER_ATTACHED, "eth0");
	next_is(h, HELPER_ATTACHED, "veth1");
	next_is(h, HELPER_READY, "");
	helper_stop(h);
}

static void a_refusal_stops_nobody_else(void **state)
{
	struct helper *h;
	struct helper_event ev;

	w->refuse = 3;
	h = start(false, "veth*", NULL);
	ev = next(h);
	assert_int_equal(ev.type, HELPER_REFUSED);
	assert_int_equal(ev.err, -EOPNOTSUPP);
	next_is(h, HELPER_ATTACHED, "veth2");
	next_is(h, HELPER_READY, "");
	helper_stop(h);
}

static void a_name_that_is_not_there_is_told(void **state)
{
	struct helper *h = start(false, "wlan0", "tun*");

	for (int i = 0; i < 2; i++) {
		struct helper_event ev = next(h);

		assert_int_equal(ev.type, HELPER_REFUSED);
		assert_int_equal(ev.err, -ENODEV);
		assert_int_equal(ev.info.ifindex, 0);
		assert_string_equal(ev.info.name, i ? "tun*" : "wlan0");
	}
	next_is(h, HELPER_READY, "");
	helper_stop(h);
}

static void what_appears_is_attached(void **state)
{
	struct helper *h = start(true, "veth*", NULL);

	next_is(h, HELPER_ATTACHED, "veth1");
	next_is(h, HELPER_ATTACHED, "veth2");
	next_is(h, HELPER_READY, "");
	news_of(9, "eth9", 0, false);
	news_of(10, "veth10", 0, false);
	next_is(h, HELPER_ATTACHED, "veth10");
	news_of(9, "veth9", 0, false);		/* renamed: now it fits */
	next_is(h, HELPER_ATTACHED, "veth9");
	nothing_comes(h);
	helper_stop(h);
}

static void a_fixed_list_stays_fixed(void **state)
{
	struct helper *h = start(false, "eth0", NULL);

	next_is(h, HELPER_ATTACHED, "eth0");
	next_is(h, HELPER_READY, "");
	news_of(2, "eth0", 0, true);
	next_is(h, HELPER_GONE, "eth0");
	news_of(12, "eth0", 0, false);
	nothing_comes(h);
	assert_int_equal(w->detached, 1);
	helper_stop(h);
}

static void changes_are_told_once(void **state)
{
	struct helper *h = start(true, "eth0", NULL);
	struct helper_event ev;

	next_is(h, HELPER_ATTACHED, "eth0");
	next_is(h, HELPER_READY, "");
	news_of(2, "eth0", 0, false);		/* nothing new */
	nothing_comes(h);
	news_of(2, "eth0", 1, false);
	ev = next(h);
	assert_int_equal(ev.type, HELPER_STATE);
	assert_int_equal(ev.info.flags, 1);
	news_of(2, "lan", 1, false);
	ev = next(h);
	assert_int_equal(ev.type, HELPER_STATE);
	assert_string_equal(ev.info.name, "lan");
	nothing_comes(h);
	helper_stop(h);
}

static void an_index_used_again_is_another_interface(void **state)
{
	struct helper *h = start(true, "veth*", NULL);

	next_is(h, HELPER_ATTACHED, "veth1");
	next_is(h, HELPER_ATTACHED, "veth2");
	next_is(h, HELPER_READY, "");
	news_of(3, "veth1", 0, true);
	news_of(3, "vethX", 0, false);
	next_is(h, HELPER_GONE, "veth1");
	next_is(h, HELPER_ATTACHED, "vethX");
	nothing_comes(h);
	helper_stop(h);
}

static void after_lost_news_the_list_is_read_again(void **state)
{
	struct helper *h = start(true, "veth*", NULL);
	struct link_info lost = { .ifindex = 0 };

	next_is(h, HELPER_ATTACHED, "veth1");
	next_is(h, HELPER_ATTACHED, "veth2");
	next_is(h, HELPER_READY, "");
	w->links[2] = w->links[3];		/* veth1 has gone */
	w->n--;
	add_link(7, "veth7");
	w->links[2].flags = 1;
	news(&lost);
	next_is(h, HELPER_GONE, "veth1");
	next_is(h, HELPER_STATE, "veth2");
	next_is(h, HELPER_ATTACHED, "veth7");
	nothing_comes(h);
	helper_stop(h);
}

static void a_slow_reader_gets_everything_in_the_end(void **state)
{
	struct helper *h;
	char name[32];

	while (w->n < LINKS) {
		snprintf(name, sizeof(name), "p%u", w->n + 1);
		add_link(w->n + 1, name);
	}
	h = start(true, "any", NULL);
	sleep_ms(100);
	assert_true(w->attached < LINKS);	/* it waits, it does not hoard */
	assert_int_equal(helper_file(h, 1, 0, name, sizeof(name)), -EPROTO);	/* and still answers */
	for (unsigned int i = 1; i <= LINKS; i++)
		assert_int_equal(next(h).info.ifindex, i);
	next_is(h, HELPER_READY, "");
	helper_stop(h);
}

static void the_table_of_interfaces_is_bounded(void **state)
{
	struct helper *h;
	char name[32];
	unsigned int attached = 0;

	while (w->n < LINKS) {
		snprintf(name, sizeof(name), "p%u", w->n + 1);
		add_link(w->n + 1, name);
	}
	h = start(true, "any", NULL);
	while (next(h).type == HELPER_ATTACHED)
		attached++;
	assert_int_equal(attached, LINKS);
	for (uint32_t i = LINKS + 1; i <= 4200; i++) {
		news_of(i, "new", 0, false);
		if (i <= 4096)
			next_is(h, HELPER_ATTACHED, "new");
	}
	nothing_comes(h);
	news_of(1, "lo", 0, true);		/* room again */
	next_is(h, HELPER_GONE, "lo");
	news_of(5000, "late", 0, false);
	next_is(h, HELPER_ATTACHED, "late");
	helper_stop(h);
}

static void after_detaching_nothing_is_attached(void **state)
{
	struct helper *h = start(true, "any", NULL);

	while (next(h).type != HELPER_READY)
		;
	assert_int_equal(helper_detach(h), 0);
	assert_int_equal(w->detached_all, 1);
	news_of(20, "eth20", 0, false);
	nothing_comes(h);
	assert_int_equal(helper_detach(h), 0);
	helper_stop(h);
	assert_int_equal(w->detached_all, 1);
}

static void files_come_in_sequence(void **state)
{
	char dir[] = "/tmp/test_priv.XXXXXX", path[64], name[256];
	struct rotate_options names = { .file = path, .numbers = true, .max_files = 3,
					.uid = UINT32_MAX, .gid = UINT32_MAX };
	struct helper_options opt = { 0 };
	struct helper *h = NULL;
	int fd;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(rotate_open(&opt.rotate, &names), 0);
	fd = rotate_next(opt.rotate, 0, 0, name, sizeof(name));
	opt.close_fds = &fd;
	opt.n_close_fds = 1;
	assert_int_equal(helper_start(&h, &opt), 0);
	assert_int_equal(helper_file(h, 0, 0, name, sizeof(name)), -EPROTO);
	assert_int_equal(helper_file(h, 2, 0, name, sizeof(name)), -EPROTO);
	for (unsigned int seq = 1; seq < 5; seq++) {
		int next_fd = helper_file(h, seq, 0, name, sizeof(name));

		assert_true(next_fd >= 0);
		assert_int_equal(fcntl(next_fd, F_GETFD), FD_CLOEXEC);
		assert_int_equal(write(next_fd, "x", 1), 1);
		assert_int_equal(close(next_fd), 0);
		assert_int_equal(name[strlen(name) - 1], '0' + (int)(seq % 3));
	}
	helper_stop(h);
	close(fd);
	rotate_close(opt.rotate);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s/f%d", dir, i);
		assert_int_equal(unlink(name), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(interfaces_are_attached_in_the_order_given),
		T(any_is_every_interface_once),
		T(a_refusal_stops_nobody_else),
		T(a_name_that_is_not_there_is_told),
		T(what_appears_is_attached),
		T(a_fixed_list_stays_fixed),
		T(changes_are_told_once),
		T(an_index_used_again_is_another_interface),
		T(after_lost_news_the_list_is_read_again),
		T(a_slow_reader_gets_everything_in_the_end),
		T(the_table_of_interfaces_is_bounded),
		T(after_detaching_nothing_is_attached),
		T(files_come_in_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
