// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's canonical frame is that of user space, for anything at all.  Needs root. */
#include <sched.h>

#include "filter/canon.h"
#include "rig.h"

enum { ROUNDS = 40000 };

static uint64_t seed = 88172645463325252ull;

static uint32_t any(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % n;
}

static uint16_t any_type(void)
{
	static const uint16_t types[] = { 0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806, 0x8847, 0x6558, 0x05dc };

	return types[any(8)];
}

static void put_network(struct bytes *b, uint16_t type, unsigned int depth);

static void put_anything(struct bytes *b, uint16_t type, unsigned int depth)
{
	static const uint16_t tpids[] = { 0x8100, 0x88a8, 0x9100, 0x9200 };

	if (type != 0x6558) {
		put_network(b, type, depth);
		return;
	}
	put_macs(b);
	for (uint32_t n = any(3) ? any(2) : any(7); n; n--)
		put_tags(b, 1, tpids[any(4)]);
	type = any_type();
	put16(b, type);
	put_network(b, type, depth);
}

static void put_over_udp(struct bytes *b, unsigned int depth)
{
	static const uint16_t ports[] = { 4789, 8472, 6081, 53 };
	uint16_t port = ports[any(4)], type = any_type();
	uint8_t words = (uint8_t)any(5);

	put_udp(b, port);
	if (port == 6081) {
		put8(b, words);
		put8(b, 0);
		put16(b, type);
		put_fill(b, 0, 4 + words * 4u);
	} else if (port != 53) {
		put8(b, any(8) ? 0x08 : 0);
		put_fill(b, 0, 7);
		type = 0x6558;
	}
	put_anything(b, type, depth - 1);
}

static void put_over_ip(struct bytes *b, uint8_t proto, unsigned int depth)
{
	static const uint8_t gre[] = { 0, 0x80, 0x20, 0x10, 0xb0, 0x40, 0xa0, 0x30 };
	uint16_t type = any_type();
	uint8_t flags = gre[any(8)];

	if (!depth)
		return;
	if (proto == 17) {
		put_over_udp(b, depth);
	} else if (proto == 47) {
		put8(b, flags);
		put8(b, any(16) ? 0 : 1);
		put16(b, type);
		put_fill(b, 0, (flags & 0x80 ? 4 : 0) + (flags & 0x20 ? 4 : 0) + (flags & 0x10 ? 4 : 0));
		put_anything(b, type, depth - 1);
	} else if (proto == 4 || proto == 41) {
		put_anything(b, proto == 4 ? 0x0800 : 0x86dd, depth - 1);
	}
}

static void put_network(struct bytes *b, uint16_t type, unsigned int depth)
{
	static const uint8_t protos[] = { 17, 17, 47, 4, 41, 6, 1, 50 }, headers[] = { 0, 43, 60, 44 };
	uint8_t proto = protos[any(8)];
	uint32_t at = b->n;

	if (type == 0x0800) {
		put_ip4(b, proto, any(8) ? 0 : (uint16_t)any(65536));
		b->p[at] = (uint8_t)(0x45 + (any(4) ? 0 : any(10)));
		put_fill(b, 1, (b->p[at] & 15) > 5 ? ((b->p[at] & 15) - 5) * 4u : 0);
		put_over_ip(b, proto, depth);
	} else if (type == 0x86dd) {
		uint32_t n = any(2) ? 0 : any(11), next = at + 6;

		put_ip6(b, proto);
		for (uint32_t i = 0; i < n; i++) {
			uint8_t kind = headers[any(4)], words = kind == 44 ? 0 : (uint8_t)any(3);

			b->p[next] = kind;
			next = b->n;
			put8(b, proto);
			put8(b, words);
			put_fill(b, 0, 6 + words * 8u);
		}
		put_over_ip(b, proto, depth);
	}
	put_fill(b, (uint8_t)any(256), any(40));
}

static void make_frame(struct bytes *b, bool l3)
{
	b->n = 0;
	put_anything(b, l3 ? (any(2) ? 0x0800 : 0x86dd) : 0x6558, 1 + any(3));
	if (!any(20))
		put_fill(b, 7, 600);
	for (uint32_t n = any(3) ? 0 : any(4); n; n--)
		b->p[any(b->n)] = (uint8_t)any(256);
	if (!any(3))
		b->n = 1 + any(b->n);
	pad_to(b, 14);
}

static void compare(struct rig *r, const struct bytes *b, struct np_scratch *all, uint64_t *compared)
{
	struct canon_how how = { .strict = r->filter->strict, .inner = r->filter->inner, .ether = true };
	bool l3 = r->v == VARIANT_TC_L3;
	const struct np_scratch *s = &all[sched_getcpu()];
	uint8_t expected[NP_SCRATCH];
	struct canon c;
	uint32_t zero = 0, n;

	canon_make(&c, l3 ? 101 : 1, how, b->p, b->n, b->n);
	n = canon_copy(&c, expected, sizeof(expected));
	/* Newer kernels do not run IP packets without their header. */
	if (rig_run(r, b, 1, NULL) == -EINVAL)
		return;
	assert_int_equal(bpf_map_lookup_elem(r->l.scratch, &zero, all), 0);
	if (s->cap != n || s->len != c.len || s->sent != c.sent || memcmp(s->data, expected, n)) {
		for (uint32_t i = 0; i < b->n; i++)
			print_message("%02x", b->p[i]);
		fail_msg("\ncap %u, expected %u; len %u, expected %u; sent %u, expected %u", s->cap, n, s->len,
			 c.len, s->sent, c.sent);
	}
	++*compared;
}

static void agree(enum variant v, bool strict, bool inner)
{
	static struct bytes b;
	struct rig *r = rig_new();
	struct np_scratch *all;
	uint64_t compared = 0;
	cpu_set_t one;

	r->v = v;
	r->opt.ring_bytes = 1;
	rig_filter(r, "ip proto 254 and ether[0] = 1", strict, inner);
	rig_load(r);
	all = calloc(r->l.cpus, sizeof(*all));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < ROUNDS; i++) {
		make_frame(&b, v == VARIANT_TC_L3);
		compare(r, &b, all, &compared);
	}
	assert_int_equal(rig_books(r).seen, compared);
	assert_true(compared > ROUNDS * 9 / 10);
	free(all);
	rig_free(r);
}

static void plain_frames_agree(void **state)
{
	agree(VARIANT_TC, false, false);
	agree(VARIANT_TC_L3, false, false);
}

static void strict_frames_agree(void **state)
{
	agree(VARIANT_TC, true, false);
}

static void inner_frames_agree(void **state)
{
	agree(VARIANT_TC, false, true);
	agree(VARIANT_TC_L3, false, true);
}

static void strict_inner_frames_agree(void **state)
{
	agree(VARIANT_TC, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_frames_agree),
		cmocka_unit_test(strict_frames_agree),
		cmocka_unit_test(inner_frames_agree),
		cmocka_unit_test(strict_inner_frames_agree),
	};

	if (geteuid())
		return 77;
	return cmocka_run_group_tests_name("canon", tests, NULL, NULL);
}
