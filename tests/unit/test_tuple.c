// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the headers of a frame say (src/tuple_read.c): by hand, and against what the decoder says of the frames of the
 * golden captures.  tests/bpf/test_tuple.c holds the kernel's reading to this one.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/tuple_frames.h"
#include "decode/packet.h"
#include "frames.h"
#include "numbers/ethertype.h"
#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "source/source.h"
#include "tuple_read.h"
#include "util/bytes.h"

static struct np_tuple read_of(const struct build *b)
{
	struct np_tuple t;

	tuple_read(&t, b->p, b->n, b->n);
	return t;
}

static void put_tag(struct build *b, uint16_t tci, uint16_t type)
{
	put16(b, tci);
	put16(b, type);
}

/* ── by hand ──────────────────────────────────────────────────────────────── */

static void a_tagged_tcp_segment_is_read_whole(void **s)
{
	struct build b = { .n = 0 };
	struct np_tuple t;

	put_eth(&b, ETHERTYPE_QINQ);
	put_tag(&b, 0xa00a, ETHERTYPE_VLAN);
	put_tag(&b, 20, ETHERTYPE_IPV4);
	put_ip4(&b, PROTO_TCP, 27, 7, 0x4000);
	put_tcp(&b, 40000, 443, 0x18, 0x01020304, 0x05060708, "\1\1\1\1", 4);
	put(&b, "abc", 3);
	put_zeros(&b, 9);			/* padding */
	t = read_of(&b);
	assert_int_equal(t.reading, NP_WHOLE);
	assert_int_equal(t.smac >> 16, 0x020000000001);
	assert_int_equal(t.dmac >> 16, 0x020000000002);
	assert_int_equal(t.ethertype, ETHERTYPE_IPV4);
	assert_int_equal(t.vlans, 2);
	assert_int_equal(t.vlan[0], 10);
	assert_int_equal(t.vlan[1], 20);
	assert_int_equal(t.family, 4);
	assert_int_equal(t.src[0], 0x0a00000100000000);
	assert_int_equal(t.dst[0], 0x0a00000200000000);
	assert_int_equal(t.ttl, 64);
	assert_int_equal(t.ip_len, 47);
	assert_int_equal(t.off, 42);
	assert_int_equal(t.avail, 27);
	assert_int_equal(t.sport, 40000);
	assert_int_equal(t.dport, 443);
	assert_true(t.has_tcp);
	assert_int_equal(t.tcp_flags, 0x18);
	assert_int_equal(t.tcp_seq, 0x01020304);
	assert_int_equal(t.tcp_ack, 0x05060708);
	assert_int_equal(t.tcp_window, 64240);
	assert_int_equal(t.payload_len, 3);
	assert_false(t.fragment);
	assert_false(t.tunnel);
	assert_int_equal(t.icmp_type, NP_NOT_KNOWN);
}

static void a_tcp_header_longer_than_its_packet_is_none(void **s)
{
	struct build b = { .n = 0 };
	struct np_tuple t;

	put_eth(&b, ETHERTYPE_IPV4);
	put_ip4(&b, PROTO_TCP, 20, 7, 0x4000);
	put_tcp(&b, 1, 2, 2, 0, 0, "\1\1\1\1", 4);
	t = read_of(&b);
	assert_int_equal(t.dport, 2);
	assert_false(t.has_tcp);
	assert_int_equal(t.reading, NP_WHOLE);
}

/* RFC 2890: a key and a sequence number stand between. */
static void an_ethernet_frame_in_gre_has_a_tuple_of_its_own(void **s)
{
	struct build b = { .n = 0 };
	struct np_tuple t;

	put_eth(&b, ETHERTYPE_IPV6);
	put_ip6(&b, PROTO_GRE, 12 + 18 + 28);
	put16(&b, 0x3000);
	put16(&b, ETHERTYPE_TEB);
	put_zeros(&b, 8);
	put_eth(&b, ETHERTYPE_VLAN);
	put_tag(&b, 30, ETHERTYPE_IPV4);
	put_ip4(&b, PROTO_UDP, 8, 1, 0);
	put_udp(&b, 5, 53, 0);
	t = read_of(&b);
	assert_int_equal(t.tunnel, NP_TUNNEL_GRE);
	assert_int_equal(t.inner_type, ETHERTYPE_TEB);
	assert_int_equal(t.inner_off, 66);
	assert_false(t.vlans);
	assert_true(tuple_read_inner(&t, b.p, b.n, b.n));
	assert_int_equal(t.family, 4);
	assert_int_equal(t.vlan[0], 30);
	assert_int_equal(t.dport, 53);
	assert_false(tuple_read_inner(&t, b.p, b.n, b.n));
	assert_int_equal(t.dport, 53);
}

/* What a tunnel of three levels carries ends where the outermost one does, whatever the inner ones claim. */
static void inner_headers_end_with_the_outer_ones(void **s)
{
	struct build b = { .n = 0 };
	struct np_tuple t;

	put_eth(&b, ETHERTYPE_IPV4);
	put_ip4(&b, PROTO_IPV4, 42, 1, 0);
	put_ip4(&b, PROTO_IPV4, 400, 1, 0);
	put_ip4(&b, PROTO_UDP, 400, 1, 0);
	put_udp(&b, 5, 53, 0);
	t = read_of(&b);
	assert_true(tuple_read_inner(&t, b.p, b.n, b.n));
	assert_int_equal(t.end, 14 + 62);
	assert_true(tuple_read_inner(&t, b.p, b.n, b.n));
	assert_int_equal(t.family, 4);
	assert_int_equal(t.reading, NP_CUT);
	assert_int_equal(t.dport, NP_NOT_KNOWN);
}

/* One of each; `yes`: entered. */
static void udp_ports_name_tunnels_whose_header_is_sound(void **s)
{
	static const struct {
		uint16_t port;
		uint8_t n, h[12];
		enum np_tunnel want;
		uint32_t type;
	} cases[] = {
		{ 4789, 8, { 8 }, NP_TUNNEL_VXLAN, ETHERTYPE_TEB },
		{ 4789, 8, { 0 }, NP_TUNNEL_NONE, 0 },
		{ 4789, 8, { 12, 0, 0, 3 }, NP_TUNNEL_NONE, 0 },
		{ 4789, 8, { 12, 0, 0, 0 }, NP_TUNNEL_VXLAN, ETHERTYPE_TEB },
		{ 8472, 8, { 8 }, NP_TUNNEL_VXLAN, ETHERTYPE_TEB },
		{ 8472, 8, { 0x88 }, NP_TUNNEL_NONE, 0 },
		{ 6081, 8, { 0, 0, 8, 0 }, NP_TUNNEL_GENEVE, ETHERTYPE_IPV4 },
		{ 6081, 12, { 1, 0, 0x86, 0xdd }, NP_TUNNEL_GENEVE, ETHERTYPE_IPV6 },
		{ 6081, 12, { 2, 0, 0x86, 0xdd }, NP_TUNNEL_NONE, 0 },
		{ 6081, 8, { 0x40, 0, 8, 0 }, NP_TUNNEL_NONE, 0 },
		{ 6081, 8, { 0, 0, 0x88, 0x47 }, NP_TUNNEL_NONE, 0 },
		{ 2152, 9, { 0x30, 255, 0, 1, 0, 0, 0, 0, 0x45 }, NP_TUNNEL_GTP, ETHERTYPE_IPV4 },
		{ 2152, 9, { 0x30, 255, 0, 0, 0, 0, 0, 0, 0x45 }, NP_TUNNEL_NONE, 0 },
		{ 2152, 9, { 0x30, 254, 0, 1, 0, 0, 0, 0, 0x45 }, NP_TUNNEL_NONE, 0 },
		{ 2152, 9, { 0x32, 255, 0, 1, 0, 0, 0, 0, 0x45 }, NP_TUNNEL_NONE, 0 },
		{ 2152, 9, { 0x30, 255, 0, 1, 0, 0, 0, 0, 0x10 }, NP_TUNNEL_NONE, 0 },
		{ 4790, 8, { 8 }, NP_TUNNEL_NONE, 0 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct build b = { .n = 0 };
		struct np_tuple t;

		put_eth(&b, ETHERTYPE_IPV4);
		put_ip4(&b, PROTO_UDP, 8u + cases[i].n, 1, 0);
		put_udp(&b, 9, cases[i].port, cases[i].n);
		put(&b, cases[i].h, cases[i].n);
		t = read_of(&b);
		if (t.tunnel != cases[i].want || t.inner_type != cases[i].type)
			fail_msg("case %u: tunnel %u of type %x", i, t.tunnel, t.inner_type);
	}
}

static void a_fragment_has_no_tunnel_inside(void **s)
{
	struct build b = { .n = 0 };
	struct np_tuple t;

	put_eth(&b, ETHERTYPE_IPV4);
	put_ip4(&b, PROTO_IPV4, 40, 9, 0x2000);
	put_ip4(&b, PROTO_TCP, 20, 7, 0x4000);
	put_tcp(&b, 1, 2, 2, 0, 0, "", 0);
	t = read_of(&b);
	assert_true(t.fragment && t.first && t.more);
	assert_int_equal(t.frag_id, 9);
	assert_int_equal(t.tunnel, NP_TUNNEL_NONE);
	assert_false(tuple_read_inner(&t, b.p, b.n, b.n));
}

static void a_length_of_zero_says_nothing(void **s)
{
	struct build b = { .n = 0 };
	struct np_tuple t;

	put_eth(&b, ETHERTYPE_IPV6);
	put_ip6(&b, PROTO_TCP, 0);
	put_tcp(&b, 1, 2, 16, 0, 0, "", 0);
	put_zeros(&b, 100);
	tuple_read(&t, b.p, b.n, 90000);
	assert_int_equal(t.ip_len, 90000 - 14);
	assert_int_equal(t.payload_len, 90000 - 74);
}

/* Cut at any length it says what the whole one does, or that it is not known. */
static void a_cut_frame_says_less_and_nothing_else(void **s)
{
	struct build b = { .n = 0 };
	struct np_tuple whole, t;

	put_eth(&b, ETHERTYPE_VLAN);
	put_tag(&b, 5, ETHERTYPE_IPV6);
	put_ip6(&b, PROTO_HOPOPT, 8 + 20);
	put(&b, (uint8_t[]){ PROTO_TCP, 0, 1, 4, 0, 0, 0, 0 }, 8);
	put_tcp(&b, 1, 2, 2, 3, 4, "", 0);
	whole = read_of(&b);
	assert_int_equal(whole.reading, NP_WHOLE);
	for (uint32_t n = 0; n < b.n; n++) {
		uint8_t *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, b.p, n);
		tuple_read(&t, copy, n, b.n);
		free(copy);
		assert_int_equal(t.reading, n < 70 ? NP_CUT : NP_WHOLE);
		assert_int_equal(t.has_mac, n >= 14);
		assert_int_equal(t.vlans, n >= 18);
		assert_int_equal(t.family, n < 58 ? 0 : 6);
		assert_int_equal(t.proto, n < 66 ? NP_NOT_KNOWN : PROTO_TCP);
		assert_int_equal(t.dport, n < 70 ? NP_NOT_KNOWN : 2);
		assert_false(t.has_tcp);
		assert_int_equal(t.off + t.avail, b.n);
	}
}

/* ── against the decoder ──────────────────────────────────────────────────── */

/* An IP header as the decoder tells it. */
struct level {
	struct ip_layer ip;
	uint32_t ip_len;
	uint8_t ttl, tos, tunnels;
	bool is_fragment, is_last;
};

static unsigned int compared, inner, frames;

static struct level level_of(const struct packet *pk, unsigned int i)
{
	const struct ip_around *a = &pk->around[i];

	if (i < pk->arounds)
		return (struct level){ a->ip, a->ip_len, a->ttl, a->tos, a->tunnels, a->is_fragment, false };
	return (struct level){ pk->ip, pk->ip_len, pk->ttl, pk->tos, pk->ip_tunnels, pk->is_fragment, true };
}

static uint64_t address(const struct addr *a, unsigned int half)
{
	if (a->family == 4)
		return half ? 0 : (uint64_t)be32(a->b) << 32;
	return be64(a->b + 8 * half);
}

/* Each rule by which the two may differ.  A header that is cut or bad: the decoder tells what can be read of it. */
static bool is_unsound(const struct np_tuple *t)
{
	return t->reading == NP_CUT || t->reading == NP_BAD || t->reading == NP_DEEP;
}

/* The receiver that an IPv4 source route names, and not the next stop, is the decoder's. */
static bool may_be_routed(const struct np_tuple *t, uint8_t first)
{
	return t->family == 4 && (first & 15) > 5;
}

/*
 * Where IPv6 says 0 the tuple takes what there is; the decoder asks an option, or takes it at its word.  Where IPv4
 * does, inside a tunnel, the decoder takes what the header around it tells of, and the tuple no more than the frame has.
 */
static bool says_no_length(const struct np_tuple *t, const uint8_t *l3, bool is_inside)
{
	return t->family == 6 ? !be16(l3 + 4) : is_inside && !be16(l3 + 2);
}

/* The decoder takes mobility and host identity messages that carry nothing for payload, and no fragment of a fragment. */
static bool has_odd_extensions(const struct np_tuple *t, const struct packet *pk)
{
	return t->family == 6 && (t->proto == PROTO_NONE || (pk->malformed && t->fragment));
}

/* AH over IPv4 is the transport; behind the first fragment header of two nothing is known. */
static bool has_no_transport(const struct np_tuple *t)
{
	return t->proto == PROTO_AH || t->proto == NP_NOT_KNOWN;
}

/* The decoder goes through more tunnels, and through more than one between two IP headers. */
static bool is_not_entered(const struct np_tuple *t, const struct packet *pk, const struct level *d,
			   const struct level *next, const struct frame *f)
{
	static const char *const ours[] = { "ipip", "ip6", "gre", "vxlan", "geneve", "gtp" };

	if (t->fragment)
		return false;
	if (t->proto == PROTO_GRE && f->data[t->off] & 0x40)	/* a source route (RFC 1701) */
		return true;
	for (unsigned int i = 0; next->tunnels == d->tunnels + 1 && i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!strcmp(pk->tunnel[d->tunnels], ours[i]))
			return has_no_transport(t);
	return true;
}

/* The decoder takes a tunnel back that it guessed by its port, when what is inside is not sound. */
static bool is_taken_back(const struct np_tuple *t)
{
	return t->tunnel >= NP_TUNNEL_VXLAN;
}

static void same_addresses(const struct np_tuple *t, const struct level *d, const uint8_t *l3)
{
	assert_int_equal(t->family, d->ip.version);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(t->src[i], address(&d->ip.src, i));
		if (!may_be_routed(t, *l3))
			assert_int_equal(t->dst[i], address(&d->ip.dst, i));
	}
	assert_int_equal(t->ttl, d->ttl);
	assert_int_equal(t->tos, d->tos);
	compared++;
}

static void same_header(const struct np_tuple *t, const struct level *d)
{
	assert_int_equal(t->ip_len, d->ip_len);
	assert_int_equal(t->fragment, d->is_fragment);
	if (has_no_transport(t))
		return;
	assert_int_equal(t->proto, d->ip.proto);
	assert_int_equal(t->has_ah, d->ip.has_ah);
	/* The decoder has no ports of DCCP, and those of a first fragment that is too short. */
	if (t->proto != PROTO_DCCP && t->reading != NP_FRAGMENT_TINY)
		assert_int_equal(t->sport != NP_NOT_KNOWN, d->ip.has_ports);
	if (d->ip.has_ports && t->reading != NP_FRAGMENT_TINY) {
		assert_int_equal(t->sport, d->ip.sport);
		assert_int_equal(t->dport, d->ip.dport);
	}
}

static void same_transport(const struct np_tuple *t, const struct packet *pk, const struct frame *f)
{
	if (t->fragment) {
		assert_int_equal(t->first, pk->frag_first);
		assert_int_equal(t->more, pk->frag_more);
		assert_int_equal(t->frag_offset, pk->frag_offset);
		if (pk->l4)	/* the decoder has none where options are cut */
			assert_int_equal(t->frag_id, pk->frag_id);
	}
	/* The decoder also tells of a TCP header whose end is not there, or cannot be. */
	assert_true(pk->has_tcp || !t->has_tcp);
	if (t->has_tcp) {
		assert_int_equal(t->tcp_seq, pk->tcp_seq);
		assert_int_equal(t->tcp_ack, pk->tcp_ack);
		assert_int_equal(t->tcp_flags, pk->tcp_flags);
		assert_int_equal(t->tcp_window, pk->tcp_window);
		assert_int_equal(t->payload_len, pk->payload_len);
	}
	if (pk->l4 && !has_no_transport(t))
		assert_int_equal(t->off, pk->l4 - f->data);
}

/* Where the IP header of the tuple begins: the outermost behind the tags, one inside behind its tunnel's header. */
static const uint8_t *header_of(const struct np_tuple *t, const struct np_tuple *around, const struct frame *f)
{
	uint64_t at = around ? around->inner_off : 0;

	return f->data + at + (t->has_mac ? 14 + 4 * (uint64_t)t->vlans : 0);
}

static void compare(const struct packet *pk, const struct frame *f)
{
	unsigned int n = pk->ip.version ? pk->arounds + 1u : 0;
	struct np_tuple t, around;

	frames++;
	tuple_read(&t, f->data, f->cap_len, f->len);
	for (unsigned int i = 0;; i++) {
		struct level d = level_of(pk, i), next = level_of(pk, i + 1);
		const uint8_t *l3;

		/* More kinds of link header are the decoder's, outside and in. */
		if (is_unsound(&t) || (i < n && t.reading == NP_NOT_IP))
			return;
		assert_int_equal(i < n, t.family != 0);
		l3 = header_of(&t, i ? &around : NULL, f);
		same_addresses(&t, &d, l3);
		if (says_no_length(&t, l3, i > 0) || has_odd_extensions(&t, pk))
			return;
		same_header(&t, &d);
		inner += i > 0;
		around = t;
		if (!tuple_read_inner(&t, f->data, f->cap_len, f->len)) {
			assert_true(d.is_last || is_not_entered(&t, pk, &d, &next, f));
			if (d.is_last)
				same_transport(&t, pk, f);
			return;
		}
		if (d.is_last && (!t.family || is_taken_back(&around)))
			return;
	}
}

static int one_frame(void *ctx, const struct frame *f)
{
	struct packet_state *walker;	/* each alone: fragments are not put together */
	struct packet pk;

	if (f->link != LINK_ETHERNET)
		return 0;
	assert_int_equal(packet_open(&walker), 0);
	packet_walk(walker, &pk, f);
	compare(&pk, f);
	packet_close(walker);
	return 0;
}

static void one_file(const char *path)
{
	struct source *source;
	int rc;

	assert_int_equal(capfile_open(&source, path), 0);
	do {
		rc = source->ops->read(source, 1u << 20, one_frame, NULL);
	} while (rc >= 0);
	assert_int_equal(rc, -ENODATA);
	source->ops->close(source);
}

static void the_decoder_says_the_same_of_golden_captures(void **s)
{
	DIR *dir = opendir("tests/golden");
	struct dirent *e;
	char path[512];

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (!strstr(e->d_name, ".pcap"))
			continue;
		snprintf(path, sizeof(path), "tests/golden/%s", e->d_name);
		one_file(path);
	}
	closedir(dir);
	print_message("%u frames, %u headers, %u of them inside tunnels\n", frames, compared, inner);
	assert_true(compared > 200 && inner > 5);
}

/* The same of random stacks of headers. */
static void the_decoder_says_the_same_of_random_stacks(void **s)
{
	struct made_frame m;

	random_state = 0x9e3779b97f4a7c15ull;
	for (int i = 0; i < 20000; i++) {
		struct frame f = { .time_ns = 1000000000, .number = 1, .link = LINK_ETHERNET };

		random_frame(&m, true);
		f.data = m.p;
		f.cap_len = f.len = m.n;
		one_frame(&m, &f);
	}
	print_message("%u frames, %u headers, %u of them inside tunnels\n", frames, compared, inner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tagged_tcp_segment_is_read_whole),
		cmocka_unit_test(a_tcp_header_longer_than_its_packet_is_none),
		cmocka_unit_test(an_ethernet_frame_in_gre_has_a_tuple_of_its_own),
		cmocka_unit_test(inner_headers_end_with_the_outer_ones),
		cmocka_unit_test(udp_ports_name_tunnels_whose_header_is_sound),
		cmocka_unit_test(a_fragment_has_no_tunnel_inside),
		cmocka_unit_test(a_length_of_zero_says_nothing),
		cmocka_unit_test(a_cut_frame_says_less_and_nothing_else),
		cmocka_unit_test(the_decoder_says_the_same_of_golden_captures),
		cmocka_unit_test(the_decoder_says_the_same_of_random_stacks),
	};

	return cmocka_run_group_tests_name("tuple", tests, NULL, NULL);
}
