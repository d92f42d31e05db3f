// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/filter.h"
#include "util/err.h"	/* before cmocka, which makes fail() a macro */

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "filter_frames.h"
/* The static binary's name service: no test asks a resolver. */
#include "compat/static_nss.c"

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

/* ── other link types ── */

static void add_link(struct frame *f, uint16_t link)
{
	switch (link) {
	case SLL:
		ADD(f, 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0, 8, 0);
		break;
	case SLL2:
		ADD(f, 8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0);
		break;
	case NULL_LINK:
		ADD(f, 2, 0, 0, 0);
		break;
	case LOOP:
		ADD(f, 0, 0, 0, 2);
		break;
	case PPP:
		ADD(f, 0xff, 3, 0, 0x21);
		break;
	}
}

static void every_known_link_type_is_filtered_as_what_it_is(void **state)
{
	static const uint16_t links[] = { RAW, SLL, SLL2, NULL_LINK, LOOP, PPP, 12, 228 };

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		struct frame plain = { 0 }, tunnel = { 0 };
		struct filter *ether = compiled("udp port 53", ETHERNET, false, false);

		add_link(&plain, links[i]);
		add_query(&plain);
		add_link(&tunnel, links[i]);
		add_ip(&tunnel, 4, 1);
		add_query(&tunnel);
		assert_true(matches("udp port 53", links[i], false, false, &plain));
		assert_false(matches("tcp", links[i], false, false, &plain));
		assert_false(matches("udp port 53", links[i], false, false, &tunnel));
		assert_true(matches("udp port 53", links[i], false, true, &tunnel));
		assert_true(matches("udp port 53", links[i], false, true, &plain));
		assert_true(filter_match_link(ether, links[i], plain.b, plain.n, plain.n));
		filter_free(ether);
	}
}

/* Files have LINKTYPE_ numbers; libpcap compiles for its own. */
static void numbers_of_link_types_are_those_of_files(void **state)
{
	static const uint16_t links[] = { 100, 102, 103, 106, 104, 109, 192 };
	struct frame f = { 0 };

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		filter_free(compiled("udp", links[i], false, false));
	ADD(&f, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0);
	add_query(&f);
	assert_true(matches("udp port 53", 100, false, false, &f));
}

/* The family is a number of the writer's, in its byte order. */
static void loopback_headers_of_other_machines_are_understood(void **state)
{
	static const uint8_t families[] = { 10, 24, 28, 30 };
	static const uint16_t links[] = { NULL_LINK, LOOP, 109 };

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		for (unsigned int k = 0; k < 2 + 2 * sizeof(families); k++) {
			struct frame f = { 0 };
			uint8_t v = k < 2 ? 2 : families[k / 2 - 1];

			if (k & 1)
				ADD(&f, v, 0, 0, 0);
			else
				ADD(&f, 0, 0, 0, v);
			if (links[i] == 109)
				ADD(&f, 0, 0, 0x10, 0, 0, 0, 0x30, 0);
			if (k < 2) {
				add_query(&f);
			} else {
				add_ip6(&f, 17);
				add_udp(&f, 53);
			}
			assert_true(matches("udp port 53", links[i], false, false, &f));
			assert_true(matches("udp port 53", links[i], true, false, &f));
			assert_int_equal(matches("ip6", links[i], false, false, &f), k >= 2);
			assert_true(matches(k & 1 ? "link[3] = 0" : "link[0] = 0", links[i], false, false, &f));
		}
}

static void filter_for_another_link_type_stays_in_user_space(void **state)
{
	struct filter *f = compiled("tcp", RAW, false, false);

	assert_false(f->kernel);
	assert_string_equal(f->why_not, "it is for another link type than Ethernet");
	filter_free(f);
}

/* ── expressions ── */

static void empty_expression_matches_everything(void **state)
{
	struct frame f = { 0 };

	assert_true(matches("", ETHERNET, false, false, &f));
	assert_true(matches(" \n", RAW, false, false, &f));
}

static void words_about_tags_imply_strict_and_names_do_not(void **state)
{
	static const struct {
		const char *text;
		bool strict;
	} rows[] = {
		{ "vlan", true }, { "ether[0] = 0 and (vlan 3)", true }, { "vlan&&ip", true },
		{ "not vlan", true },
		{ "mpls 100", true }, { "pppoes", true }, { "pppoed", true }, { "tcp port 80 or vlan", true },
		{ "ip", false }, { "ether[12:2] = 0x8100", true }, { "udp", false },
		{ "ether[14:2] & 0xfff = 1000", true }, { "ip and link [ 13 ] = 0", true },
		{ "ether[tcp[0]] = 1", true }, { "ether[10:4] = 1", true }, { "ether[0x0c] = 1", true },
		{ "ether[0] & 1 = 0 and ip", false }, { "link[8:4] = 1 or ether[6:2] = 2", false },
		{ "ether proto 0x8100", true }, { "ether proto 2048 or 0x9300", true },
		{ "ether proto 34984", true }, { "ether proto 0x800 and udp", false },
		{ "udp port 33024", false }, { "ether host 1:2:3:4:5:6", false }, { "ip[12:2] = 1", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct filter *f = compiled(rows[i].text, ETHERNET, false, false);

		assert_int_equal(f->strict, rows[i].strict);
		filter_free(f);
	}
}

static void bytes_in_the_place_of_tags_and_lengths_are_those_of_the_frame_as_sent(void **state)
{
	struct frame f = { 0 };
	char text[64];

	add_tagged(&f, 2, 0x8100, true);
	assert_true(matches("ether[14:2] & 0xfff = 100", ETHERNET, false, false, &f));
	assert_true(matches("ether proto 0x8100", ETHERNET, false, false, &f));
	snprintf(text, sizeof(text), "udp port 53 and len = %u", f.n);
	assert_true(matches(text, ETHERNET, false, false, &f));
	snprintf(text, sizeof(text), "greater %u and less %u", f.n, f.n);
	assert_true(matches(text, ETHERNET, false, false, &f));
}

static void vlan_word_means_what_libpcap_means(void **state)
{
	struct frame f = { 0 };

	add_tagged(&f, 1, 0x8100, true);
	assert_true(matches("vlan 100 and udp port 53", ETHERNET, false, false, &f));
	assert_false(matches("vlan 101", ETHERNET, false, false, &f));
}

/* ── what is said ── */

static int said(char *out, size_t size, const char *text, uint16_t link, bool strict, bool inner)
{
	FILE *tmp = tmpfile();
	int keep = dup(2), err;
	struct filter *f = NULL;
	size_t n;

	fflush(stderr);
	dup2(fileno(tmp), 2);
	err_quiet(0);
	err = filter_compile(&f, text, link, strict, inner);
	err_quiet(1);
	fflush(stderr);
	dup2(keep, 2);
	close(keep);
	rewind(tmp);
	n = fread(out, 1, size - 1, tmp);
	out[n] = '\0';
	fclose(tmp);
	filter_free(f);
	return err;
}

static void errors_quote_the_expression_and_pass_on_libpcap(void **state)
{
	char text[2048];

	assert_true(said(text, sizeof(text), "tcp prot 80", ETHERNET, false, false) < 0);
	assert_string_equal(text,
			    "netprobe: filter \"tcp prot 80\": "
			    "can't parse filter expression: syntax error\n");
	assert_true(said(text, sizeof(text), "host vlan.example", ETHERNET, false, false) < 0);
	assert_string_equal(text, "netprobe: filter \"host vlan.example\": unknown host 'vlan.example'\n");
	assert_true(said(text, sizeof(text), "ether host 1:2:3:4:5:6", RAW, false, false) < 0);
	assert_non_null(strstr(text, "link type 101 (RAW)"));
	assert_true(said(text, sizeof(text), "tcp", 999, false, false) < 0);
	assert_non_null(strstr(text, "link type 999 (unknown)"));
}

static void error_about_a_hostile_expression_is_clean_and_bounded(void **state)
{
	char long_text[5000], text[2048];

	assert_true(said(text, sizeof(text), "\033[2Jx", ETHERNET, false, false) < 0);
	assert_null(strchr(text, '\033'));
	memset(long_text, '(', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	assert_true(said(text, sizeof(text), long_text, ETHERNET, false, false) < 0);
	assert_non_null(strstr(text, "((...\": "));
	assert_true(strlen(text) < 600);
}

static void what_the_frame_does_not_tell_is_refused_with_the_remedy(void **state)
{
	char text[512];

	assert_true(said(text, sizeof(text), "inbound", ETHERNET, false, false) < 0);
	assert_non_null(strstr(text, "use -Q or -i"));
	assert_true(said(text, sizeof(text), "ip and ifindex 3", ETHERNET, false, false) < 0);
}

static void implied_semantics_are_said(void **state)
{
	char text[512];

	assert_int_equal(said(text, sizeof(text), "vlan 7", ETHERNET, false, false), 0);
	assert_string_equal(text, "filter: 'vlan' sees VLAN tags in their place (as with --strict-pcap)\n");
	assert_int_equal(said(text, sizeof(text), "ether[14:2] = 7", ETHERNET, false, false), 0);
	assert_string_equal(text,
			    "filter: 'ether[14:2]' sees VLAN tags in their place (as with --strict-pcap)\n");
	assert_int_equal(said(text, sizeof(text), "vlan 7", ETHERNET, true, false), 0);
	assert_string_equal(text, "");
	assert_int_equal(said(text, sizeof(text), "geneve", ETHERNET, false, true), 0);
	assert_non_null(strstr(text, "--inner has no effect"));
}

/* ── user space against libpcap ── */

static const char *const expressions[] = {
	"ip", "tcp", "udp port 53", "ip6 host ::1", "net 10.0.0.0/8 and not port 22", "portrange 50-60",
	"arp",	"ip[2:2] - ((ip[0]&0xf)<<2) > 60", "tcp[tcpflags] & tcp-syn != 0", "ip protochain 17",
	"ip6 protochain 17", "len > 80", "ip[8] % ip[9] = 3", "1 << ip[8] > 100", "ip[0 - 1] = 0",
	"ip multicast", "host 10.9.9.77", "-ip[8] & 0xff > 100", "udp[ip[8]:4] > 7", "ip[4:2] * 7 ^ 3 > 9",
};

static bool libpcap_matches(const struct filter *f, const uint8_t *data, uint32_t cap, uint32_t len)
{
	struct bpf_program program = { .bf_len = f->n, .bf_insns = (struct bpf_insn *)f->insns };
	struct pcap_pkthdr head = { .caplen = cap, .len = len };

	return pcap_offline_filter(&program, &head, data) != 0;
}

static void user_space_agrees_with_libpcap_on_every_cut(void **state)
{
	for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		struct filter *f = compiled(expressions[i], ETHERNET, true, false);

		for (int t = 0; t < TUNNELS * 2; t++) {
			struct frame in = { 0 };

			if (t < TUNNELS)
				make_tunnel(&in, t);
			else
				add_tagged(&in, 0, 0, true);
			in.b[14 + (t & 7)] ^= (uint8_t)(t * 37);
			for (uint32_t n = 0; n <= in.n; n++)
				assert_int_equal(filter_match(f, in.b, n, in.n),
						 libpcap_matches(f, in.b, n, in.n));
		}
		filter_free(f);
	}
}

static void protochain_is_left_to_user_space(void **state)
{
	struct filter *f = compiled("ip6 protochain 17", ETHERNET, false, false);
	struct frame in = { 0 };

	assert_false(f->kernel);
	assert_string_equal(f->why_not, "it loops (protochain)");
	add_ether(&in, 0x86dd);
	add_ip6(&in, 0);
	ADD(&in, 60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0);
	add_udp(&in, 53);
	assert_true(filter_match(f, in.b, in.n, in.n));
	filter_free(f);
}

/* A program that never ends is given up. */
static void endless_program_rejects(void **state)
{
	struct filter_insn loop[] = { { 0x05, 0, 0, UINT32_MAX }, { 0x06, 0, 0, 1 } };
	struct filter f = { .insns = loop, .n = 2, .link = ETHERNET, .ether = true };

	assert_false(filter_match(&f, (const uint8_t *)"x", 1, 1));
}

/* ── dumps ── */

static void classic_dump_is_libpcaps(void **state)
{
	for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
		struct filter *f = compiled(expressions[i], ETHERNET, true, false);
		char *text = NULL, *p;
		size_t size = 0;
		FILE *to = open_memstream(&text, &size);

		filter_dump(f, 1, to);
		fclose(to);
		p = text;
		for (unsigned int k = 0; k < f->n; k++) {
			const char *line = bpf_image((const struct bpf_insn *)&f->insns[k], (int)k);

			size_t n = strlen(line);

			while (n && line[n - 1] == ' ')		/* before libpcap 1.11 */
				n--;
			assert_memory_equal(p, line, n);
			p += n;
			assert_int_equal(*p++, '\n');
		}
		if (f->kernel)
			assert_non_null(strstr(p, "call bpf_tail_call#12\n"));
		else
			assert_int_equal(*p, '\0');
		assert_null(strstr(p, "BUG"));
		free(text);
		filter_free(f);
	}
}

static void dd_and_ddd_are_tcpdumps(void **state)
{
	struct filter *f = compiled("arp", ETHERNET, false, false);
	char text[512];
	FILE *to = fmemopen(text, sizeof(text), "w");

	filter_dump(f, 2, to);
	filter_dump(f, 3, to);
	fclose(to);
	assert_string_equal(text,
			    "{ 0x28, 0, 0, 0x0000000c },\n{ 0x15, 0, 1, 0x00000806 },\n"
			    "{ 0x6, 0, 0, 0x00040000 },\n{ 0x6, 0, 0, 0x00000000 },\n"
			    "4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n");
	filter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_link_type_is_filtered_as_what_it_is),
		cmocka_unit_test(numbers_of_link_types_are_those_of_files),
		cmocka_unit_test(loopback_headers_of_other_machines_are_understood),
		cmocka_unit_test(filter_for_another_link_type_stays_in_user_space),
		cmocka_unit_test(empty_expression_matches_everything),
		cmocka_unit_test(words_about_tags_imply_strict_and_names_do_not),
		cmocka_unit_test(bytes_in_the_place_of_tags_and_lengths_are_those_of_the_frame_as_sent),
		cmocka_unit_test(vlan_word_means_what_libpcap_means),
		cmocka_unit_test(errors_quote_the_expression_and_pass_on_libpcap),
		cmocka_unit_test(error_about_a_hostile_expression_is_clean_and_bounded),
		cmocka_unit_test(what_the_frame_does_not_tell_is_refused_with_the_remedy),
		cmocka_unit_test(implied_semantics_are_said),
		cmocka_unit_test(user_space_agrees_with_libpcap_on_every_cut),
		cmocka_unit_test(protochain_is_left_to_user_space),
		cmocka_unit_test(endless_program_rejects),
		cmocka_unit_test(classic_dump_is_libpcaps),
		cmocka_unit_test(dd_and_ddd_are_tcpdumps),
	};

	err_quiet(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
