// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet programs over hand-made frames, by BPF_PROG_TEST_RUN.  Needs root. */
#include "rig.h"

static int setup(void **state)
{
	*state = rig_new();
	return 0;
}

static int teardown(void **state)
{
	rig_free(*state);
	return 0;
}

static struct bytes *frame(void)
{
	static struct bytes b;

	b.n = 0;
	return &b;
}

static struct bytes *udp4(unsigned int tags, uint16_t port, uint32_t size)
{
	struct bytes *b = frame();

	put_ether(b, tags, 0x0800);
	put_ip4(b, 17, 0);
	put_udp(b, port);
	pad_to(b, size);
	return b;
}

static struct bytes *tcp4(unsigned int tags, uint16_t port, uint16_t frag, uint32_t size)
{
	struct bytes *b = frame();

	put_ether(b, tags, 0x0800);
	put_ip4(b, 6, frag);
	put_ports(b, 40000, port);
	pad_to(b, size);
	return b;
}

static struct bytes *ip6(uint8_t next, uint16_t port, uint32_t size)
{
	struct bytes *b = frame();

	put_ether(b, 0, 0x86dd);
	put_ip6(b, next);
	put_ports(b, 40000, port);
	pad_to(b, size);
	return b;
}

static void a_frame_arrives_as_it_was(void **state)
{
	struct rig *r = *state;
	struct bytes *b = udp4(0, 53, 60);

	rig_load(r);
	assert_int_equal(rig_send(r, b), 1);
	assert_int_equal(r->last.cap_len, 60);
	assert_int_equal(r->last.len, 60);
	assert_int_equal(r->last.link, 1);
	assert_int_equal(r->last.direction, DIR_INGRESS);
	assert_memory_equal(r->bytes, b->p, b->n);
	assert_int_equal(rig_books(r).seen_bytes, 60);
}

static void tags_in_the_data_stay_where_they_are(void **state)
{
	struct rig *r = *state;

	rig_load(r);
	for (unsigned int tags = 1; tags < 6; tags++) {
		struct bytes *b = udp4(tags, 53, 100);

		assert_int_equal(rig_send(r, b), 1);
		assert_int_equal(r->last.cap_len, 100);
		assert_memory_equal(r->bytes, b->p, b->n);
	}
}

static void every_size_class_holds_what_it_should(void **state)
{
	static const uint32_t sizes[] = {
		14, 15, 60, NP_CLASS_0 - 48, NP_CLASS_0 - 47, NP_CLASS_1 - 48, NP_CLASS_1 - 47,
		NP_CLASS_2 - 48,
		NP_CLASS_2 - 47, 1514, NP_CLASS_3 - 48, NP_CLASS_3 - 47, 3000,
	};
	struct rig *r = *state;

	rig_load(r);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bytes *b = frame();

		put_ether(b, 0, 0x0806);
		pad_to(b, sizes[i]);
		assert_int_equal(rig_send(r, b), 1);
		assert_int_equal(r->last.cap_len, sizes[i]);
		assert_memory_equal(r->bytes, b->p, b->n);
	}
	assert_int_equal(rig_books(r).truncated, 0);
}

static void the_snap_length_cuts_and_counts(void **state)
{
	struct rig *r = *state;

	r->opt.snaplen = 96;
	rig_load(r);
	assert_int_equal(rig_send(r, udp4(0, 9, 96)), 1);
	assert_int_equal(rig_books(r).truncated, 0);
	assert_int_equal(rig_send(r, udp4(0, 9, 97)), 1);
	assert_int_equal(r->last.cap_len, 96);
	assert_int_equal(r->last.len, 97);
	assert_int_equal(rig_books(r).truncated, 1);
}

static uint32_t cap_of(struct rig *r, struct bytes *b)
{
	assert_int_equal(rig_send(r, b), 1);
	assert_int_equal(r->last.len, b->n);
	return r->last.cap_len;
}

static void what_no_decoder_looks_into_is_cut_shorter(void **state)
{
	struct rig *r = *state;
	struct bytes *b;

	static uint8_t ports[8192];

	ports[53 / 8] = 1 << 53 % 8;
	r->opt.app_ports = ports;
	r->opt.snaplen_other = 128;
	rig_load(r);
	assert_int_equal(cap_of(r, tcp4(0, 443, 0, 1000)), 128);
	assert_int_equal(cap_of(r, tcp4(1, 443, 0, 1000)), 128);
	assert_int_equal(cap_of(r, tcp4(2, 443, 0, 1000)), 128);
	assert_int_equal(cap_of(r, tcp4(0, 443, 0, 128)), 128);
	assert_int_equal(cap_of(r, tcp4(0, 443, 0, 100)), 100);
	assert_int_equal(cap_of(r, tcp4(0, 53, 0, 1000)), 1000);
	assert_int_equal(cap_of(r, tcp4(1, 53, 0, 1000)), 1000);
	assert_int_equal(cap_of(r, tcp4(0, 443, 0x2000, 1000)), 1000);
	assert_int_equal(cap_of(r, tcp4(0, 443, 0x0007, 1000)), 1000);
	assert_int_equal(cap_of(r, udp4(0, 9, 1000)), 1000);
	assert_int_equal(cap_of(r, udp4(1, 9, 1000)), 1000);
	assert_int_equal(cap_of(r, ip6(6, 443, 1000)), 128);
	assert_int_equal(cap_of(r, ip6(6, 53, 1000)), 1000);
	assert_int_equal(cap_of(r, ip6(17, 443, 1000)), 1000);
	assert_int_equal(cap_of(r, ip6(44, 443, 1000)), 1000);
	assert_int_equal(cap_of(r, ip6(50, 443, 1000)), 128);
	b = frame();
	put_ether(b, 0, 0x0806);
	pad_to(b, 1000);
	assert_int_equal(cap_of(r, b), 1000);
	b = frame();
	put_ether(b, 0, 0x88cc);
	pad_to(b, 1000);
	assert_int_equal(cap_of(r, b), 128);
}

/* From port 40000 to 8000: `text` and zeros. */
static struct bytes *say(const char *text, bool v6)
{
	struct bytes *b = v6 ? ip6(6, 8000, 1000) : tcp4(0, 8000, 0, 1000);
	uint8_t *tcp = b->p + 14 + (v6 ? 40 : 20);

	tcp[12] = 0x50;
	memcpy(tcp + 20, text, strlen(text));
	return b;
}

static void what_looks_like_a_message_is_whole_and_what_follows(void **state)
{
	struct rig *r = *state;

	r->opt.snaplen_other = 128;
	rig_load(r);
	for (int v6 = 0; v6 < 2; v6++) {
		assert_int_equal(cap_of(r, say("nothing to see", v6)), 128);
		assert_int_equal(cap_of(r, say("GET / HTTP/1.1", v6)), 1000);
		for (int i = 0; i < 16; i++)
			assert_int_equal(cap_of(r, say("a header that goes on", v6)), 1000);
		assert_int_equal(cap_of(r, say("a body", v6)), 128);
		assert_int_equal(cap_of(r, say("*2\r\n$3\r\nGET", v6)), 1000);
		for (int i = 0; i < 40; i++)
			assert_int_equal(cap_of(r, say("$9\r\nabcdefghi", v6)), 1000);
	}
}

static void only_what_decoders_can_need_is_shipped(void **state)
{
	struct rig *r = *state;

	r->opt.snaplen_other = 128;
	r->opt.apps_only = true;
	rig_load(r);
	assert_int_equal(rig_send(r, say("nothing to see", false)), 0);
	assert_int_equal(rig_books(r).filtered, 1);
	assert_int_equal(cap_of(r, say("HTTP/1.1 200 OK", false)), 1000);
	assert_int_equal(rig_send(r, tcp4(0, 8000, 0, 40)), 1);	/* no bytes: connections come and go */
	assert_int_equal(cap_of(r, udp4(0, 9, 1000)), 1000);
	assert_int_equal(rig_books(r).filtered, 1);
}

static void one_in_so_many_is_kept(void **state)
{
	struct rig *r = *state;
	struct np_ledger l;

	r->opt.sample = 10;
	rig_load(r);
	assert_int_equal(rig_run(r, udp4(0, 53, 60), 1000, NULL), 0);
	l = rig_books(r);
	assert_int_equal(l.seen, 1000);
	assert_true(l.emitted >= 100 && l.emitted <= 100 + r->l.cpus);
}

static void a_full_ring_is_counted(void **state)
{
	struct rig *r = *state;
	struct np_ledger l;

	r->opt.ring_bytes = 1;
	rig_load(r);
	assert_int_equal(rig_run(r, udp4(0, 53, 1500), 1000, NULL), 0);
	l = rig_books(r);
	assert_int_equal(l.seen, 1000);
	assert_true(l.lost_ring > 0 && l.emitted > 0);
	assert_true(r->s->ops->read(r->s, 1u << 20, rig_take, r) > 0);
	assert_int_equal(r->frames, l.emitted);
}

static void a_sleeping_reader_is_woken_once(void **state)
{
	struct rig *r = *state;

	rig_load(r);
	assert_int_equal(r->s->ops->arm(r->s), 0);
	assert_int_equal(rig_send(r, udp4(0, 53, 60)), 1);
	assert_int_equal(r->s->ops->arm(r->s), 0);
}

static void a_device_without_link_header_gives_raw_ip(void **state)
{
	struct rig *r = *state;
	struct bytes *b = frame();

	r->v = VARIANT_TC_L3;
	rig_load(r);
	put_ip4(b, 17, 0);
	put_udp(b, 53);
	assert_int_equal(rig_send(r, b), 1);
	assert_int_equal(r->last.link, 101);
	assert_memory_equal(r->bytes, b->p, b->n);
}

static void the_filter_decides_and_counts(void **state)
{
	struct rig *r = *state;
	struct np_ledger l;

	rig_filter(r, "udp", false, false);
	rig_load(r);
	assert_int_equal(rig_send(r, udp4(0, 53, 60)), 1);
	assert_int_equal(r->last.direction, DIR_INGRESS);
	assert_int_equal(rig_send(r, tcp4(0, 53, 0, 60)), 0);
	assert_int_equal(rig_send(r, udp4(0, 53, 1500)), 1);
	assert_int_equal(r->last.cap_len, 1500);
	l = rig_books(r);
	assert_int_equal(l.seen, 3);
	assert_int_equal(l.filtered, 1);
	assert_int_equal(l.emitted, 2);
	assert_int_equal(l.undecided, 0);
}

static void the_filter_does_not_see_tags(void **state)
{
	struct rig *r = *state;

	rig_filter(r, "udp port 53", false, false);
	rig_load(r);
	for (unsigned int tags = 0; tags < 6; tags++) {
		struct bytes *b = udp4(tags, 53, 100);

		assert_int_equal(rig_send(r, b), tags < 5);
		if (tags < 5)
			assert_memory_equal(r->bytes, b->p, b->n);
	}
	rig_books(r);
}

static void strict_leaves_tags_in_place(void **state)
{
	struct rig *r = *state;

	rig_filter(r, "udp port 53", true, false);
	rig_load(r);
	assert_int_equal(rig_send(r, udp4(0, 53, 100)), 1);
	assert_int_equal(rig_send(r, udp4(1, 53, 100)), 0);
	rig_books(r);
}

static void vlan_asks_for_the_tag(void **state)
{
	struct rig *r = *state;

	rig_filter(r, "vlan 100 and udp", false, false);
	rig_load(r);
	assert_int_equal(rig_send(r, udp4(1, 53, 100)), 1);
	assert_int_equal(rig_send(r, udp4(0, 53, 100)), 0);
	rig_books(r);
}

static void what_lies_too_deep_is_left_to_user_space(void **state)
{
	struct rig *r = *state;
	struct source_counts c;
	struct bytes *b;

	r->opt.snaplen = 128;
	r->iface.snaplen = 128;
	rig_filter(r, "ether[700] = 0x55", false, false);
	rig_load(r);
	b = udp4(0, 53, 800);
	b->p[700] = 0x55;
	assert_int_equal(rig_send(r, b), 1);
	assert_int_equal(r->last.cap_len, 128);
	assert_int_equal(r->last.len, 800);
	r->wanted = false;
	assert_int_equal(rig_send(r, b), 0);
	r->wanted = true;
	assert_int_equal(rig_send(r, udp4(0, 53, 600)), 0);
	assert_int_equal(rig_books(r).undecided, 2);
	r->s->ops->counts(r->s, &c);
	assert_int_equal(c.seen, 3);
	assert_int_equal(c.filtered, 2);
	assert_int_equal(c.emitted, 1);
	assert_int_equal(c.read, 1);
}

static void a_filter_that_the_kernel_cannot_run_asks_for_each(void **state)
{
	struct rig *r = *state;

	rig_filter(r, "udp", false, false);
	r->filter->kernel = false;
	rig_load(r);
	r->wanted = false;
	assert_int_equal(rig_send(r, udp4(0, 53, 60)), 0);
	r->wanted = true;
	assert_int_equal(rig_send(r, udp4(0, 53, 60)), 1);
	assert_int_equal(rig_books(r).undecided, 2);
}

static void a_filter_gone_astray_is_counted(void **state)
{
	struct rig *r = *state;
	uint32_t slot = NP_SLOT_FILTER;

	rig_filter(r, "udp", false, false);
	rig_load(r);
	assert_int_equal(bpf_map_delete_elem(load_slots(&r->l, r->v), &slot), 0);
	assert_int_equal(rig_send(r, udp4(0, 53, 60)), 0);
	assert_int_equal(rig_books(r).lost_map, 1);
}

static void runts_and_cut_headers_balance(void **state)
{
	struct rig *r = *state;
	struct bytes *b = udp4(3, 53, 100);
	uint32_t full = b->n;

	rig_filter(r, "udp port 53", false, true);
	rig_load(r);
	for (b->n = 14; b->n < full; b->n++)
		rig_send(r, b);
	assert_int_equal(rig_books(r).seen, full - 14);
}

static void raw_ip_is_filtered_as_ethernet(void **state)
{
	struct rig *r = *state;
	struct bytes *b = frame();

	r->v = VARIANT_TC_L3;
	rig_filter(r, "udp port 53", false, false);
	rig_load(r);
	put_ip4(b, 17, 0);
	put_udp(b, 53);
	assert_int_equal(rig_send(r, b), 1);
	assert_int_equal(r->last.cap_len, 28);
	b->p[23] = 54;
	assert_int_equal(rig_send(r, b), 0);
	rig_books(r);
}

static void put_inside(struct bytes *b, bool ether)
{
	if (ether)
		put_ether(b, 1, 0x0800);
	put_ip4(b, 17, 0);
	put_udp(b, 53);
	put_fill(b, 0, 20);
}

static struct bytes *vxlan(uint16_t port, uint8_t flags)
{
	struct bytes *b = frame();

	put_ether(b, 1, 0x0800);
	put_ip4(b, 17, 0);
	put_udp(b, port);
	put8(b, flags);
	put_fill(b, 0, 7);
	put_inside(b, true);
	return b;
}

static struct bytes *geneve(uint16_t type, uint32_t options)
{
	struct bytes *b = frame();

	put_ether(b, 0, 0x86dd);
	put_ip6(b, 17);
	put_udp(b, 6081);
	put8(b, (uint8_t)(options / 4));
	put8(b, 0);
	put16(b, type);
	put_fill(b, 0, 4 + options);
	put_inside(b, type == 0x6558);
	return b;
}

static struct bytes *gre(uint8_t flags, uint16_t type)
{
	struct bytes *b = frame();

	put_ether(b, 0, 0x0800);
	put_ip4(b, 47, 0);
	put8(b, flags);
	put8(b, 0);
	put16(b, type);
	put_fill(b, 0, (flags & 0x80 ? 4 : 0) + (flags & 0x20 ? 4 : 0) + (flags & 0x10 ? 4 : 0));
	put_inside(b, type == 0x6558);
	return b;
}

static struct bytes *in_ip(bool six, uint8_t extensions)
{
	struct bytes *b = frame();

	put_ether(b, 0, six ? 0x86dd : 0x0800);
	if (six)
		put_ip6(b, extensions ? 60 : 4);
	else
		put_ip4(b, 4, 0);
	for (uint8_t i = 0; i < extensions; i++) {
		put8(b, i + 1 < extensions ? 60 : 4);
		put8(b, 1);
		put_fill(b, 0, 14);
	}
	put_inside(b, false);
	return b;
}

static void the_frame_inside_is_what_counts(void **state)
{
	struct rig *r = *state;

	rig_filter(r, "udp port 53", false, true);
	rig_load(r);
	assert_int_equal(rig_send(r, vxlan(4789, 0x08)), 1);
	assert_int_equal(rig_send(r, vxlan(8472, 0x08)), 1);
	assert_int_equal(rig_send(r, vxlan(4789, 0x00)), 0);
	assert_int_equal(rig_send(r, vxlan(4790, 0x08)), 0);
	assert_int_equal(rig_send(r, geneve(0x6558, 0)), 1);
	assert_int_equal(rig_send(r, geneve(0x6558, 252)), 1);
	assert_int_equal(rig_send(r, geneve(0x0800, 8)), 1);
	assert_int_equal(rig_send(r, geneve(0x1234, 8)), 0);
	assert_int_equal(rig_send(r, gre(0, 0x6558)), 1);
	assert_int_equal(rig_send(r, gre(0xb0, 0x0800)), 1);
	assert_int_equal(rig_send(r, gre(0x40, 0x0800)), 0);
	assert_int_equal(rig_send(r, in_ip(false, 0)), 1);
	assert_int_equal(rig_send(r, in_ip(true, 0)), 1);
	assert_int_equal(rig_send(r, in_ip(true, 8)), 1);
	assert_int_equal(rig_send(r, in_ip(true, 9)), 0);
	assert_int_equal(rig_send(r, udp4(2, 53, 100)), 1);
	rig_books(r);
}

static uint32_t least_ns(struct rig *r, const struct bytes *b)
{
	uint32_t ns, least = ~0u;

	for (int i = 0; i < 30; i++) {
		assert_int_equal(rig_run(r, b, 4000, &ns), 0);
		r->s->ops->read(r->s, 1u << 20, rig_take, r);
		least = ns < least ? ns : least;
	}
	return least;
}

static void shipping_is_timed(void **state)
{
	struct rig *r = *state;

	r->opt.ring_bytes = 16 << 20;
	rig_load(r);
	print_message("ship 60 bytes: %u ns\n", least_ns(r, udp4(0, 53, 60)));
	print_message("ship 1500 bytes: %u ns\n", least_ns(r, udp4(0, 53, 1500)));
}

static void filtering_is_timed(void **state)
{
	struct rig *r = *state;

	r->opt.ring_bytes = 16 << 20;
	rig_filter(r, "udp port 53", false, false);
	rig_load(r);
	print_message("match and ship 60 bytes: %u ns\n", least_ns(r, udp4(0, 53, 60)));
	print_message("reject 60 bytes: %u ns\n", least_ns(r, udp4(0, 54, 60)));
	print_message("reject 60 bytes with a tag: %u ns\n", least_ns(r, udp4(1, 54, 60)));
	print_message("reject 1500 bytes: %u ns\n", least_ns(r, udp4(0, 54, 1500)));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_frame_arrives_as_it_was),
		T(tags_in_the_data_stay_where_they_are),
		T(every_size_class_holds_what_it_should),
		T(the_snap_length_cuts_and_counts),
		T(what_no_decoder_looks_into_is_cut_shorter),
		T(what_looks_like_a_message_is_whole_and_what_follows),
		T(only_what_decoders_can_need_is_shipped),
		T(one_in_so_many_is_kept),
		T(a_full_ring_is_counted),
		T(a_sleeping_reader_is_woken_once),
		T(a_device_without_link_header_gives_raw_ip),
		T(the_filter_decides_and_counts),
		T(the_filter_does_not_see_tags),
		T(strict_leaves_tags_in_place),
		T(vlan_asks_for_the_tag),
		T(what_lies_too_deep_is_left_to_user_space),
		T(a_filter_that_the_kernel_cannot_run_asks_for_each),
		T(a_filter_gone_astray_is_counted),
		T(runts_and_cut_headers_balance),
		T(raw_ip_is_filtered_as_ethernet),
		T(the_frame_inside_is_what_counts),
		T(shipping_is_timed),
		T(filtering_is_timed),
	};

	if (geteuid())
		return 77;
	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
