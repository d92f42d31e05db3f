// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/canon.h"
#include "util/err.h"	/* before cmocka, which makes fail() a macro */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "filter/filter.h"
#include "filter_frames.h"

static struct filter *compiled(const char *text, uint16_t link, bool strict, bool inner)
{
	struct filter *f = NULL;

	assert_int_equal(filter_compile(&f, text, link, strict, inner), 0);
	return f;
}

static bool matches(const char *text, uint16_t link, bool strict, bool inner, const struct frame *frame)
{
	struct filter *f = compiled(text, link, strict, inner);
	bool is = filter_match(f, frame->b, frame->n, frame->n);

	filter_free(f);
	return is;
}

static void canonical(struct frame *out, uint16_t link, struct canon_how how, const struct frame *in)
{
	struct canon c;

	canon_make(&c, link, how, in->b, in->n, in->n);
	out->n = canon_copy(&c, out->b, FRAME_MAX);
	assert_int_equal(out->n, c.cap);
	assert_int_equal(c.cap, c.len);
}

/* ── tags ── */

static const uint16_t tpids[] = { 0x8100, 0x88a8, 0x9100, 0x9200, 0x9300 };

static void every_kind_and_number_of_tags_is_left_out(void **state)
{
	struct frame plain = { 0 }, out;

	add_tagged(&plain, 0, 0, true);
	for (size_t i = 0; i < sizeof(tpids) / sizeof(tpids[0]); i++)
		for (unsigned int tags = 0; tags <= CANON_TAGS; tags++) {
			struct frame in = { 0 };

			add_tagged(&in, tags, tpids[i], true);
			canonical(&out, ETHERNET, (struct canon_how){ 0 }, &in);
			assert_int_equal(out.n, plain.n);
			assert_memory_equal(out.b, plain.b, plain.n);
			assert_true(matches("udp port 53", ETHERNET, false, false, &in));
			assert_int_equal(matches("udp port 53", ETHERNET, true, false, &in), tags == 0);
		}
}

static void more_tags_than_the_bound_stay(void **state)
{
	struct frame in = { 0 };

	add_tagged(&in, CANON_TAGS + 1, 0x8100, true);
	assert_false(matches("ip", ETHERNET, false, false, &in));
	assert_true(matches("ether proto 0x8100", ETHERNET, false, false, &in));
}

static void strict_leaves_the_frame_as_it_is(void **state)
{
	struct frame in = { 0 }, out;

	add_tagged(&in, 2, 0x88a8, true);
	canonical(&out, ETHERNET, (struct canon_how){ .strict = true }, &in);
	assert_int_equal(out.n, in.n);
	assert_memory_equal(out.b, in.b, in.n);
}

static void length_is_that_of_the_frame_as_sent(void **state)
{
	struct frame in = { 0 };

	add_tagged(&in, 1, 0x8100, true);	/* 14 + 4 + 20 + 8 + 4 */
	assert_true(matches("len = 50", ETHERNET, false, false, &in));
	assert_true(matches("len = 50", ETHERNET, true, false, &in));
}

static void tag_that_is_cut_stays(void **state)
{
	for (uint32_t n = 0; n < 18; n++) {
		struct frame in = { 0 }, out;

		add_tagged(&in, 1, 0x8100, true);
		in.n = n;
		canonical(&out, ETHERNET, (struct canon_how){ 0 }, &in);
		assert_int_equal(out.n, n);
		assert_memory_equal(out.b, in.b, n);
	}
}

static void tag_behind_a_cooked_header_is_left_out(void **state)
{
	struct frame sll = { 0 }, sll2 = { 0 };

	ADD(&sll, 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0, 0x81, 0, 0, 5, 0x08, 0);
	add_query(&sll);
	ADD(&sll2, 0x81, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0, 0, 5, 0x08, 0);
	add_query(&sll2);
	assert_true(matches("udp port 53 and src host 10.9.9.77", SLL, false, false, &sll));
	assert_false(matches("udp port 53", SLL, true, false, &sll));
	assert_true(matches("udp port 53 and src host 10.9.9.77", SLL2, false, false, &sll2));
	assert_false(matches("udp port 53", SLL2, true, false, &sll2));
}

/* ── tunnels ── */

static void inner_frame_of_every_tunnel_is_found(void **state)
{
	static const char query[] = "udp dst port 53 and src host 10.9.9.77";

	for (int i = 0; i < TUNNELS; i++) {
		struct frame f = { 0 };

		make_tunnel(&f, i);
		assert_true(matches(query, ETHERNET, false, true, &f));
		assert_false(matches(query, ETHERNET, false, false, &f));
		/* Tags in front of the tunnel do not hide it, literal semantics or not. */
		if (i != 2)
			assert_true(matches(query, ETHERNET, true, true, &f));
		else
			assert_false(matches(query, ETHERNET, true, true, &f));
	}
}

static void six_in_four_is_entered(void **state)
{
	struct frame f = { 0 };

	add_ether(&f, 0x800);
	add_ip(&f, 41, 1);
	add_ip6(&f, 17);
	add_udp(&f, 53);
	assert_true(matches("ip6 and udp port 53 and dst host 2001:db8::2", ETHERNET, false, true, &f));
	assert_true(matches("ether src 0:0:0:0:0:0", ETHERNET, false, true, &f));
}

static void six_in_six_is_entered_once(void **state)
{
	struct frame f = { 0 };

	add_ether(&f, 0x86dd);
	add_ip6(&f, 41);
	add_ip6(&f, 41);
	add_ip6(&f, 17);
	assert_true(matches("ip6[6] = 41 and len = 94", ETHERNET, false, true, &f));
}

/* What is no tunnel, or not surely one, stays as it is. */
static void look_alikes_are_not_entered(void **state)
{
	static const struct {
		int tunnel;
		uint32_t at;
		uint8_t value;
	} changes[] = {
		{ 0, 42, 0 },		/* VXLAN without the I flag */
		{ 0, 36, 9 },		/* another port */
		{ 4, 42, 0x42 },	/* Geneve of another version */
		{ 4, 44, 0x12 },	/* Geneve with something else inside */
		{ 8, 34, 0x50 },	/* GRE with routing */
		{ 8, 35, 1 },		/* PPTP */
		{ 10, 36, 0x88 },	/* GRE with something else inside */
		{ 12, 21, 1 },		/* a later fragment */
		{ 14, 57, 8 },		/* a later fragment of IPv6 */
		{ 12, 14, 0x55 },	/* not IPv4 */
		{ 12, 14, 0x44 },	/* a header that is too short */
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct frame f = { 0 }, out;

		make_tunnel(&f, changes[i].tunnel);
		assert_true(changes[i].at < f.n);
		f.b[changes[i].at] = changes[i].value;
		canonical(&out, ETHERNET, (struct canon_how){ .inner = true, .ether = true }, &f);
		assert_int_equal(out.n, f.n);
		assert_memory_equal(out.b, f.b, f.n);
	}
}

/* Each cut in a heap block of its very size: a sanitizer sees any byte read behind it. */
static void every_truncation_is_read_within_bounds(void **state)
{
	static const uint16_t links[] = { ETHERNET, RAW, SLL, SLL2, NULL_LINK, LOOP, PPP, 12, 228, 229, 147 };

	for (int i = 0; i < TUNNELS; i++) {
		struct frame f = { 0 };

		make_tunnel(&f, i);
		for (uint32_t n = 0; n <= f.n; n++) {
			uint8_t *cut = malloc(n ? n : 1), out[FRAME_MAX + 20];

			memcpy(cut, f.b, n);
			for (size_t k = 0; k < 8 * sizeof(links) / sizeof(*links); k++) {
				struct canon_how how = { .strict = k & 1, .inner = k >> 1 & 1, .ether = k >> 2 & 1 };
				struct canon c;
				uint32_t v;

				canon_make(&c, links[k / 8], how, cut, n, f.n);
				assert_true(c.cap <= n + 14 && c.cap <= c.len);
				assert_int_equal(canon_copy(&c, out, sizeof(out)), c.cap);
				for (uint64_t off = 0; off < c.cap; off++)
					assert_true(canon_load(&c, off, 1, &v) && v == out[off]);
				assert_false(canon_load(&c, c.cap, 1, &v));
				assert_false(canon_load(&c, (uint64_t)c.cap - 1, 2, &v));
				assert_false(canon_load(&c, UINT64_MAX, 4, &v));
			}
			free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_and_number_of_tags_is_left_out),
		cmocka_unit_test(more_tags_than_the_bound_stay),
		cmocka_unit_test(strict_leaves_the_frame_as_it_is),
		cmocka_unit_test(length_is_that_of_the_frame_as_sent),
		cmocka_unit_test(tag_that_is_cut_stays),
		cmocka_unit_test(tag_behind_a_cooked_header_is_left_out),
		cmocka_unit_test(inner_frame_of_every_tunnel_is_found),
		cmocka_unit_test(six_in_four_is_entered),
		cmocka_unit_test(six_in_six_is_entered_once),
		cmocka_unit_test(look_alikes_are_not_entered),
		cmocka_unit_test(every_truncation_is_read_within_bounds),
	};

	err_quiet(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
