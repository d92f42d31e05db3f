// SPDX-License-Identifier: GPL-2.0-or-later
/* Each rung on a veth pair and on a tun device.  Needs root, ip, tc and ping. */
#include "filter/filter.h"
#include "world.h"

static void captures_pings_on(int rung)
{
	struct programs held = { .n = 0 };
	struct box *b = box_new(rung);
	struct source_counts c;

	box_open(b, near_name);
	assert_int_equal(b->rung, rung);
	ping(5);
	box_drain(b);
	assert_int_equal(b->echo, 10);
	if (rung != RUNG_PACKET) {
		assert_true(b->in >= 5 && b->out >= 5);
		c = box_settle(b);
		assert_true(c.seen >= 10);
	}
	programs_of(&held, getpid());
	box_free(b);
	nothing_is_left(&held);
}

static void tcx_captures_pings(void **state)
{
	if (first_rung != RUNG_TCX)
		skip();
	captures_pings_on(RUNG_TCX);
}

static void clsact_captures_pings(void **state)
{
	captures_pings_on(RUNG_CLSACT);
}

static void a_socket_captures_pings(void **state)
{
	captures_pings_on(RUNG_SOCKET);
}

static void libpcap_captures_pings(void **state)
{
	captures_pings_on(RUNG_PACKET);
}

static void one_direction_is_only_that(void **state)
{
	for (int rung = first_rung; rung <= RUNG_SOCKET; rung++) {
		struct box *b = box_new(rung);

		b->opt.egress = false;
		box_open(b, near_name);
		ping(5);
		assert_true(box_settle(b).seen >= 5);
		assert_int_equal(b->out, 0);
		assert_int_equal(b->echo, 5);
		box_free(b);
	}
}

static void a_filter_works_at_every_hook(void **state)
{
	struct filter *f = NULL;

	assert_int_equal(filter_compile(&f, "icmp[0] = 8", 1, false, false), 0);
	for (int rung = first_rung; rung <= RUNG_SOCKET; rung++) {
		struct box *b = box_new(rung);

		b->opt.filter = f;
		box_open(b, near_name);
		ping(5);
		assert_true(box_settle(b).filtered >= 5);
		assert_int_equal(b->frames, 5);
		assert_int_equal(b->out, 5);
		box_free(b);
	}
	filter_free(f);
}

static void loopback_is_seen_once(void **state)
{
	for (int rung = first_rung; rung <= RUNG_SOCKET; rung++) {
		struct box *b = box_new(rung);

		box_open(b, "lo");
		assert_int_equal(sh("ping -q -c 3 -i 0.01 -w 5 127.0.0.1 >/dev/null"), 0);
		box_settle(b);
		assert_int_equal(b->echo, 6);
		box_free(b);
	}
}

/* The receiving side takes the outer tag off; it must come back in its place. */
static void a_tag_that_was_taken_off_comes_back(void **state)
{
	uint8_t frame[100];

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	memset(frame, 0xff, 6);
	memcpy(frame + 12, "\x81\x00\x60\x07\x88\xb5", 6);
	for (int rung = first_rung; rung <= RUNG_SOCKET; rung++) {
		struct box *b = box_new(rung);

		b->opt.egress = false;
		b->type = 0x8100;
		box_open(b, near_name);
		send_from_afar(frame, sizeof(frame));
		box_settle(b);
		assert_int_equal(b->hits, 1);
		assert_int_equal(b->last.len, sizeof(frame));
		assert_int_equal(b->last.cap_len, sizeof(frame));
		assert_memory_equal(b->bytes, frame, sizeof(frame));
		box_free(b);
	}
}

static void a_filter_for_a_tag_finds_it_beside_the_data(void **state)
{
	static const char *const texts[] = { "vlan 7", "ether[14:2] = 0x6007 and ether[18:2] = 0x0e0f",
					     "ether proto 0x88b5" };
	uint8_t frame[100] = { 0 };

	memset(frame, 0xff, 6);
	memcpy(frame + 12, "\x81\x00\x60\x07\x88\xb5\x0e\x0f", 8);
	for (int i = 0; i < 6; i++) {
		struct box *b = box_new(i & 1 ? first_rung : RUNG_SOCKET);
		struct filter *f = NULL;

		assert_int_equal(filter_compile(&f, texts[i / 2], 1, false, false), 0);
		b->opt.filter = f;
		b->opt.egress = false;
		b->type = 0x8100;
		box_open(b, near_name);
		send_from_afar(frame, sizeof(frame));
		box_settle(b);
		assert_int_equal(b->hits, 1);
		assert_memory_equal(b->bytes, frame, sizeof(frame));
		box_free(b);
		filter_free(f);
	}
}

static void large_frames_arrive_whole(void **state)
{
	static const uint32_t sizes[] = { 4176, 4177, 9000, 16464, 16465, 60000 };
	static uint8_t frame[65536];

	memset(frame, 0xff, 6);
	for (size_t i = 12; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	memcpy(frame + 12, "\x88\xb5", 2);
	for (int rung = first_rung; rung <= RUNG_SOCKET; rung++) {
		struct box *b = box_new(rung);

		b->opt.egress = false;
		b->type = 0x88b5;
		box_open(b, near_name);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			send_from_afar(frame, sizes[i]);
			box_drain(b);
			assert_int_equal(b->last.len, sizes[i]);
			assert_int_equal(b->last.cap_len, sizes[i]);
			assert_memory_equal(b->bytes, frame, sizes[i]);
		}
		assert_int_equal(box_settle(b).truncated, 0);
		box_free(b);
	}
}

static int make_tun(void)
{
	struct ifreq r = { .ifr_name = "kerntun", .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) || sh("ip link set kerntun up"))
		return -1;
	return fd;
}

static void a_tun_device_gives_raw_ip(void **state)
{
	static const uint8_t packet[28] = {
		0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2, 0x9c, 0x40, 0, 53, 0, 8,
	};
	int tun = make_tun();

	if (tun < 0)
		skip();
	for (int rung = first_rung; rung < RUNGS; rung++) {
		struct box *b = box_new(rung);

		b->opt.egress = false;
		box_open(b, "kerntun");
		assert_int_equal(write(tun, packet, sizeof(packet)), sizeof(packet));
		box_drain(b);
		assert_int_equal(b->last.link, 101);
		assert_int_equal(b->last.cap_len, sizeof(packet));
		assert_memory_equal(b->bytes, packet, sizeof(packet));
		if (rung != RUNG_PACKET)
			box_settle(b);
		box_free(b);
	}
	close(tun);
}

static void the_plan_tries_every_rung(void **state)
{
	struct box *b = box_new(-1);
	struct programs held = { .n = 0 };
	struct rung_plan plan[RUNGS];

	box_open(b, near_name);
	capture_detach_all(b->c);
	assert_int_equal(capture_plan(b->c, b->iface.ifindex, near_name, plan), 0);
	for (int r = 0; r < RUNGS; r++)
		print_message("%-7s works %d chosen %d: %s\n", rung_names[r], plan[r].works, plan[r].chosen,
			      plan[r].reason);
	assert_int_equal(plan[RUNG_TCX].works, first_rung == RUNG_TCX);
	assert_int_equal(plan[RUNG_CLSACT].works + plan[RUNG_SOCKET].works + plan[RUNG_PACKET].works, 3);
	assert_int_equal(plan[b->rung].chosen, 1);
	programs_of(&held, getpid());
	box_free(b);
	nothing_is_left(&held);
}

static void a_datagram_nobody_wants_is_a_drop(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct box *b = box_new(-1);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b->opt.packets = false;
	b->opt.drops = true;
	box_open(b, "lo");
	for (int i = 0; i < 3; i++)
		sendto(fd, "hello drop", 10, 0, (struct sockaddr *)&to, sizeof(to));
	box_await(b, 3);
	box_settle(b);
	assert_true(b->drops >= 3);
	assert_true(b->reason != 0 && b->location != 0);	/* ~0 where the kernel has none */
	assert_true(b->last.cap_len >= 14 + 28 + 10);
	assert_int_equal(b->last.link, 1);
	assert_ptr_equal(b->last.iface, &b->iface);
	assert_memory_equal(b->bytes + 42, "hello drop", 10);
	close(fd);
	box_free(b);
}

static void only_the_reasons_asked_for_are_shipped(void **state)
{
	static const char *const some[] = { "NETFILTER_DROP" }, *const none[] = { "NO_SUCH_THING" };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct box *b = box_new(-1);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b->opt.packets = false;
	b->opt.drops = true;
	b->opt.drop_reasons = none;
	b->opt.n_drop_reasons = 1;
	err = capture_open(&b->c, &b->opt);
	if (err == -EOPNOTSUPP)		/* before Linux 5.17 */
		skip();
	assert_int_equal(err, -EINVAL);
	b->opt.drop_reasons = some;
	box_open(b, "lo");
	sendto(fd, "hello drop", 10, 0, (struct sockaddr *)&to, sizeof(to));
	box_await(b, 1);
	assert_true(box_settle(b).filtered >= 1);
	assert_int_equal(b->frames, 0);
	close(fd);
	box_free(b);
}

static int count_links(void *ctx, const struct link_info *l)
{
	*(unsigned int *)ctx += 1;
	return 0;
}

static void links_are_listed_and_watched(void **state)
{
	unsigned int n = 0, changes = 0;
	struct link_info l;
	int fd = link_monitor_open();

	assert_true(fd >= 0);
	assert_int_equal(link_each(count_links, &n), 0);
	assert_true(n >= 2);
	assert_int_equal(link_get("nosuchlink", 0, &l), -ENODEV);
	assert_int_equal(link_get("a name that is far too long for any link there is or was or will ever be.", 0, &l),
			 -ENODEV);
	assert_int_equal(link_get(near_name, 0, &l), 0);
	assert_int_equal(l.link, 1);
	assert_int_equal(l.mtu, 65535);
	assert_int_equal(link_get(NULL, l.ifindex, &l), 0);
	assert_string_equal(l.name, near_name);
	assert_int_equal(sh("ip link add kern8 type veth peer name kern9 && ip link del kern8"), 0);
	assert_int_equal(link_monitor_read(fd, count_links, &changes), 0);
	assert_true(changes >= 4);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_listed_and_watched),
		cmocka_unit_test(tcx_captures_pings),
		cmocka_unit_test(clsact_captures_pings),
		cmocka_unit_test(a_socket_captures_pings),
		cmocka_unit_test(libpcap_captures_pings),
		cmocka_unit_test(one_direction_is_only_that),
		cmocka_unit_test(a_filter_works_at_every_hook),
		cmocka_unit_test(loopback_is_seen_once),
		cmocka_unit_test(a_tag_that_was_taken_off_comes_back),
		cmocka_unit_test(a_filter_for_a_tag_finds_it_beside_the_data),
		cmocka_unit_test(large_frames_arrive_whole),
		cmocka_unit_test(a_tun_device_gives_raw_ip),
		cmocka_unit_test(the_plan_tries_every_rung),
		cmocka_unit_test(a_datagram_nobody_wants_is_a_drop),
		cmocka_unit_test(only_the_reasons_asked_for_are_shipped),
	};

	if (geteuid())
		return 77;
	return cmocka_run_group_tests_name("hooks", tests, build_world, raze_world);
}
