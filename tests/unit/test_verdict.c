// SPDX-License-Identifier: GPL-2.0-or-later
/* What became of connections, by frames of several interfaces and by drops. */
#include "verdict_help.h"

static void a_bridge_passes_it_on_and_it_is_answered(void **state)
{
	struct build b = syn(a_to_b, 5, 1), r = syn_ack(a_to_b, 5);

	open_room(16);
	give(&b, POD_A, IN);
	give(&b, BRIDGE, IN);
	give(&b, BRIDGE, OUT);
	give(&b, POD_B, OUT);
	give(&r, POD_B, IN);
	give(&r, POD_A, OUT);
	assert_int_equal(n_told, 0);
	later(50);
	assert_int_equal(n_told, 1);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	is_between(0, POD_A, POD_B);
	assert_string_equal(told[0].in_name, "vethA");
	assert_string_equal(told[0].out_name, "vethB");
	assert_int_equal(told[0].src.b[3], 1);
	assert_int_equal(told[0].dst.b[3], 2);
	assert_int_equal(told[0].sport, 1000);
	assert_int_equal(told[0].dport, 80);
	assert_int_equal(told[0].to.b[3], 2);
	assert_int_equal(told[0].attempts, 1);
	assert_null(told[0].reason);
	/* What follows is of a connection that is known. */
	b = tcp(a_to_b, ACK, 6, 78, 2);
	give(&b, POD_A, IN);
	assert_true(counts().later > 0);
	end(1);
}

static void it_left_and_nobody_answered(void **state)
{
	struct build b = syn(a_to_b, 5, 1);

	open_room(16);
	give(&b, POD_A, IN);
	give(&b, UPLINK, OUT);
	later(49);
	assert_int_equal(n_told, 0);
	later(1);
	is(0, VERDICT_ALLOWED, HOW_DELIVERED);
	is_between(0, POD_A, UPLINK);
	assert_int_equal(told[0].decided_ns - told[0].first_ns, MS);
	end(1);
}

static void neither_is_known(void **state)
{
	struct build b = syn(a_to_b, 5, 1);

	open_room(16);
	give(&b, POD_A, IN);
	give(&b, TUNNEL, OUT);	/* by what does it leave? */
	later(998);
	assert_int_equal(n_told, 0);
	later(1);
	is(0, VERDICT_UNANSWERED, HOW_NONE);
	is_between(0, POD_A, 0);
	end(1);
}

static void the_kernel_dropped_it(void **state)
{
	struct build b = syn(a_to_b, 5, 1);

	open_room(16);
	give(&b, POD_A, IN);
	drop(&b, POD_A, &policy);
	later(50);
	is(0, VERDICT_DROPPED, HOW_NONE);
	is_between(0, POD_A, 0);
	assert_string_equal(told_reason, "NETFILTER_DROP");
	assert_string_equal(told_location, "nft_do_chain");
	assert_string_equal(told_hook, "nft");
	assert_string_equal(told[0].drop_name, "vethA");
	assert_int_equal(told[0].drop_ifindex, POD_A);
	assert_int_equal(told[0].drops, 1);
	/* The sender tries again: it was told. */
	b = syn(a_to_b, 5, 2);
	now += 1000 * MS;
	give(&b, POD_A, IN);
	drop(&b, POD_A, &policy);
	end(1);
}

static void a_drop_may_be_all_that_is_seen(void **state)
{
	struct build b = syn(a_to_b, 5, 1), c = syn(a_to_vip, 6, 2), e = syn((struct way){ 1, 2, 1001, 80, false }, 7, 3);
	static const struct drop_info tc = { "TC_EGRESS", "__dev_queue_xmit", "tc" };
	static const struct drop_info without_reason = { NULL, "__dev_queue_xmit", "tc" };

	open_room(16);
	drop(&b, POD_A, &policy);
	drop(&c, UPLINK, &tc);
	drop(&e, POD_A, &without_reason);
	later(50);
	is(0, VERDICT_DROPPED, HOW_NONE);
	is_between(0, POD_A, 0);
	assert_string_equal(told[0].in_name, "vethA");
	is_between(1, 0, 0);
	is_between(2, 0, 0);
	end(3);
}

static void what_a_drop_says_is_kept(void **state)
{
	char text[] = "0x1234";
	struct drop_info d = { "NETFILTER_DROP", text, NULL };
	struct build b = syn(a_to_b, 5, 1);

	open_room(16);
	drop(&b, POD_A, &d);
	memcpy(text, "0x9999", 6);
	later(49);
	assert_int_equal(n_told, 0);
	later(1);
	assert_int_equal(n_told, 1);
	assert_string_equal(told_location, "0x1234");
	assert_null(told[0].hook);
	end(1);
}

static void it_was_delivered_and_dropped_there(void **state)
{
	struct build b = syn(a_to_b, 5, 1);

	open_room(16);
	give(&b, POD_A, IN);
	give(&b, POD_B, OUT);
	drop(&b, 0, &policy);
	later(50);
	is(0, VERDICT_DROPPED, HOW_NONE);
	is_between(0, POD_A, POD_B);
	assert_string_equal(told[0].drop_name, "");
	end(1);
}

static void copies_for_others_are_not_its_drop(void **state)
{
	struct build b = syn(a_to_b, 5, 1);

	open_room(16);
	drop(&b, 0, &others);
	give(&b, POD_A, IN);
	give(&b, POD_B, OUT);
	drop(&b, 0, &others);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_DELIVERED);
	assert_int_equal(told[0].drops, 0);
	end(1);
}

static void to_and_from_the_host(void **state)
{
	struct way out = { 9, 2, 1001, 80, false };
	struct build b = syn(a_to_b, 5, 1), r = syn_ack(a_to_b, 5), o = syn(out, 6, 1);

	open_room(16);
	give(&b, POD_A, IN);
	give(&r, POD_A, OUT);
	give(&o, UPLINK, OUT);
	later(60);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	is_between(0, POD_A, 0);
	assert_int_equal(told[0].to.family, 0);
	is(1, VERDICT_ALLOWED, HOW_DELIVERED);
	is_between(1, 0, UPLINK);
	end(2);
	/* To oneself: it goes out, and the same comes in. */
	open_room(16);
	give(&b, LO, OUT);
	give(&b, LO, IN);
	give(&r, LO, OUT);
	give(&r, LO, IN);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	is_between(0, 0, LO);
	end(1);
}

static void nobody_listens_there(void **state)
{
	struct build b = syn(a_to_b, 5, 1), r = rst(a_to_b, 5);

	open_room(16);
	give(&b, POD_A, IN);
	give(&b, POD_B, OUT);
	give(&r, POD_B, IN);
	drop(&b, 0, &no_socket);
	give(&r, POD_A, OUT);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_REFUSED);
	assert_int_equal(told[0].drops, 0);
	assert_null(told[0].reason);
	end(1);
}

static void rejected_with_a_reset(void **state)
{
	struct build b = syn(a_to_b, 5, 1), r = rst(a_to_b, 5);

	open_room(16);
	give(&b, POD_A, IN);
	give(&r, POD_A, OUT);
	drop(&b, POD_A, &policy);
	later(50);
	is(0, VERDICT_DROPPED, HOW_PROHIBITED);
	assert_string_equal(told_reason, "NETFILTER_DROP");
	end(1);
}

static void rejected_by_icmp(void **state)
{
	static const struct { uint8_t by, code; bool dropped; enum verdict_what what; enum verdict_how how; } rows[] = {
		{ 200, 3, true, VERDICT_DROPPED, HOW_PROHIBITED },	/* the router says: no such port */
		{ 200, 13, true, VERDICT_DROPPED, HOW_PROHIBITED },
		{ 200, 13, false, VERDICT_DROPPED, HOW_PROHIBITED },
		{ 200, 1, true, VERDICT_DROPPED, HOW_PROHIBITED },
		{ 200, 1, false, VERDICT_UNANSWERED, HOW_NONE },
		{ 2, 3, true, VERDICT_DROPPED, HOW_PROHIBITED },
		{ 2, 3, false, VERDICT_ALLOWED, HOW_REFUSED },
		{ 200, 4, false, VERDICT_UNANSWERED, HOW_NONE },	/* too large: not our question */
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct build b = i % 2 ? syn(a_to_b, 5, 1) : udp(a_to_b, "hello", 1);
		struct build e = unreachable(rows[i].by, rows[i].code, &b, false);

		open_room(16);
		give(&b, POD_A, IN);
		give(&e, POD_A, OUT);
		if (rows[i].dropped)
			drop(&b, POD_A, &policy);
		later(1000);
		is(0, rows[i].what, rows[i].how);
		assert_int_equal(told[0].reason != NULL, rows[i].dropped);
		end(1);
	}
}

/* TCP refuses by RST: who says "no such port" for it is a filter.  And what a router has no way for was not delivered. */
static void an_error_comes_after_it_has_left(void **state)
{
	static const struct { bool tcp; uint8_t by, code; enum verdict_what what; enum verdict_how how; } rows[] = {
		{ true, 2, 3, VERDICT_DROPPED, HOW_PROHIBITED }, { false, 2, 3, VERDICT_ALLOWED, HOW_REFUSED },
		{ true, 200, 1, VERDICT_UNANSWERED, HOW_NONE }, { false, 200, 1, VERDICT_UNANSWERED, HOW_NONE },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct build b = rows[i].tcp ? syn(a_to_b, 5, 1) : udp(a_to_b, "hello", 1);
		struct build e = unreachable(rows[i].by, rows[i].code, &b, false);

		open_room(16);
		give(&b, POD_A, IN);
		give(&b, UPLINK, OUT);
		give(&e, UPLINK, IN);
		later(1000);
		is(0, rows[i].what, rows[i].how);
		end(1);
	}
}

static void pings(void **state)
{
	struct way w = { 1, 2, 0, 0, false };
	struct build q = echo(w, 8, 1), r = echo(back(w), 0, 1), s = echo(w, 8, 2);

	open_room(16);
	give(&q, POD_A, IN);
	give(&q, POD_B, OUT);
	give(&r, POD_B, IN);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_int_equal(told[0].proto, PROTO_ICMP);
	assert_int_equal(told[0].sport, 0x1234);
	assert_int_equal(told[0].dport, 0);
	give(&s, POD_A, IN);
	end(1);
	open_room(16);
	w.v6 = true;
	q = echo(w, 128, 1);
	r = echo(back(w), 129, 1);
	give(&q, POD_A, IN);
	give(&r, POD_A, OUT);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	assert_int_equal(told[0].src.family, 6);
	assert_int_equal(told[0].src.b[0], 0x20);
	assert_int_equal(told[0].src.b[3], 0xb8);
	assert_int_equal(told[0].src.b[15], 1);
	assert_int_equal(told[0].dst.b[15], 2);
	end(1);
}

static void over_ipv6(void **state)
{
	struct way w = { 1, 2, 1000, 80, true }, x = w;
	struct build b, e;

	x.dst = 7;
	open_room(16);
	b = syn(w, 5, 0);
	e = unreachable(200, 1, &b, true);
	give(&b, POD_A, IN);
	give(&e, POD_A, OUT);
	drop(&b, POD_A, &policy);
	b = syn(w, 6, 0);
	give(&b, POD_A, IN);
	b = syn(x, 6, 0);
	give(&b, POD_B, OUT);
	later(60);
	is(0, VERDICT_DROPPED, HOW_PROHIBITED);
	is(1, VERDICT_ALLOWED, HOW_DELIVERED);
	assert_int_equal(told[1].dst.b[15], 2);
	assert_int_equal(told[1].to.b[15], 7);
	end(2);
}

static struct build sctp(struct way w, uint32_t vtag, uint8_t chunk, uint32_t tag)
{
	struct build b = { .n = 0 };

	put_ip(&b, w, PROTO_SCTP, 32, 3);
	put16(&b, w.sport);
	put16(&b, w.dport);
	put32(&b, vtag);
	put32(&b, 0);
	put(&b, (uint8_t[]){ chunk, 0, 0, 20 }, 4);
	put32(&b, tag);
	put_zeros(&b, 12);
	return b;
}

static void over_sctp(void **state)
{
	struct build b = sctp(a_to_b, 0, 1, 99), r = sctp(back(a_to_b), 99, 2, 55), a = sctp(back(a_to_vip), 44, 6, 0);

	open_room(16);
	give(&b, POD_A, IN);
	give(&r, POD_A, OUT);
	b = sctp(a_to_vip, 0, 1, 44);
	give(&b, POD_A, IN);
	give(&a, POD_A, OUT);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_ANSWERED);
	is(1, VERDICT_ALLOWED, HOW_REFUSED);
	end(2);
}

/* The tunnel's own packets are no connection; what is inside leaves by them. */
static void it_leaves_inside_a_tunnel(void **state)
{
	struct way nodes = { 20, 21, 40000, 4789, false };
	struct build b = syn(a_to_b, 5, 1), t = { .n = 0 };

	put_ip(&t, nodes, PROTO_UDP, 16 + b.n, 3);
	put_udp(&t, nodes.sport, nodes.dport, 8 + b.n);
	put(&t, "\x08\0\0\0\0\0\1\0", 8);
	put(&t, b.p, b.n);
	open_room(16);
	give(&t, UPLINK, IN);
	give(&b, POD_A, IN);
	give(&b, TUNNEL, OUT);
	give(&t, UPLINK, OUT);
	later(50);
	is(0, VERDICT_ALLOWED, HOW_DELIVERED);
	is_between(0, POD_A, UPLINK);
	end(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bridge_passes_it_on_and_it_is_answered),
		cmocka_unit_test(it_left_and_nobody_answered),
		cmocka_unit_test(neither_is_known),
		cmocka_unit_test(the_kernel_dropped_it),
		cmocka_unit_test(a_drop_may_be_all_that_is_seen),
		cmocka_unit_test(what_a_drop_says_is_kept),
		cmocka_unit_test(it_was_delivered_and_dropped_there),
		cmocka_unit_test(copies_for_others_are_not_its_drop),
		cmocka_unit_test(to_and_from_the_host),
		cmocka_unit_test(nobody_listens_there),
		cmocka_unit_test(rejected_with_a_reset),
		cmocka_unit_test(rejected_by_icmp),
		cmocka_unit_test(an_error_comes_after_it_has_left),
		cmocka_unit_test(pings),
		cmocka_unit_test(over_ipv6),
		cmocka_unit_test(over_sctp),
		cmocka_unit_test(it_leaves_inside_a_tunnel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
