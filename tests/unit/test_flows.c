// SPDX-License-Identifier: GPL-2.0-or-later
/* Many: the table, fragments without ports, what a row is made of. */
#include "flow_help.h"

#include "flows/pieces.h"
#include "flows/row.h"
#include "flows/table.h"
#include "flows/tunnels.h"

static struct flow_table *t;
static unsigned int n_gone, gone_why[FLOW_ENDS];
static uint64_t gone_packets;

static int gone(void *ctx, const struct flow *g)
{
	n_gone++;
	gone_why[g->end]++;
	gone_packets += g->side[0].packets + g->side[1].packets;
	return 0;
}

static void open_table(uint32_t settled, uint32_t first, struct flow_timeouts timeouts)
{
	struct flow_table_options o = { .settled = settled, .first = first, .seed = 7, .timeouts = timeouts,
					.split_reused = true, .gone = gone };

	n_gone = 0;
	gone_packets = 0;
	memset(gone_why, 0, sizeof(gone_why));
	assert_int_equal(flow_table_open(&t, &o), 0);
}

static void take(struct flow_packet p)
{
	flow_order(&p);
	assert_int_equal(flow_table_take(t, &p), 0);
}

static int sum(void *ctx, const struct flow *g)
{
	*(uint64_t *)ctx += g->side[0].packets + g->side[1].packets;
	return 0;
}

static void floods_leave_the_living(void **state)
{
	struct flow_counts c;
	uint64_t left = 0;
	uint32_t settled;

	open_table(100, 50, (struct flow_timeouts){ 0 });
	for (uint32_t i = 0; i < 100; i++) {
		take(packet(i, 1000000, 1, 2, 17));
		take(packet(1000000, i, 2, 1, 17));
	}
	for (uint32_t i = 0; i < 100000; i++)
		take(packet(2000000 + i, 1000000, 1, 2, 17));
	assert_int_equal(flow_table_n(t, &settled), 150);
	assert_int_equal(settled, 100);
	flow_table_counts(t, &c);
	assert_int_equal(c.flows, 100100);
	assert_int_equal(c.evicted, 100000 - 50);
	assert_int_equal(c.evicted_settled, 0);
	assert_int_equal(c.evicted, n_gone);
	/* Nothing vanished: what is there and what went is all. */
	flow_table_each(t, sum, &left);
	assert_int_equal(left + gone_packets, c.packets);
	assert_int_equal(c.left_packets, gone_packets);
	flow_table_close(t);
}

/* Against a plain array, with a small table of few places, so that probes wrap and gaps close. */
static void finds_what_it_has(void **state)
{
	uint32_t seen[64] = { 0 }, x = 1;
	uint64_t left = 0;

	open_table(512, 512, (struct flow_timeouts){ .settled = 400 * MS, .first = 400 * MS });
	for (int i = 0; i < 20000; i++) {
		x = x * 1664525 + 1013904223;
		take(packet(x >> 26, 0x0b000000, 5, 6, 17));
		seen[x >> 26]++;
		if (i % 50 == 0)
			flow_table_tick(t, at);
	}
	flow_table_each(t, sum, &left);
	assert_int_equal(left + gone_packets, 20000);
	assert_true(gone_why[FLOW_END_IDLE] > 0);
	assert_int_equal(gone_why[FLOW_END_EVICTED], 0);
	for (int i = 0; i < 64; i++)
		assert_true(seen[i] > 0);
	flow_table_close(t);
}

static void ends(void **state)
{
	open_table(16, 16, (struct flow_timeouts){ .first = 1000 * MS, .settled = 5000 * MS, .closed = 100 * MS });
	take(tcp(true, TCP_SYN, 100, 0, 0));
	take(tcp(false, TCP_RST | TCP_ACK, 0, 101, 0));
	for (int i = 0; i < 4; i++)
		flow_table_tick(t, at + 50 * MS);
	assert_int_equal(n_gone, 0);
	for (int i = 0; i < 4; i++)
		flow_table_tick(t, at + 100 * MS);
	assert_int_equal(gone_why[FLOW_END_RESET], 1);
	take(tcp(true, TCP_SYN, 100, 0, 0));
	take(tcp(false, TCP_RST | TCP_ACK, 0, 101, 0));
	take(tcp(true, TCP_SYN, 900, 0, 0));	/* the port again */
	assert_int_equal(gone_why[FLOW_END_REUSED], 1);
	for (int i = 0; i < 4; i++)
		flow_table_tick(t, at + 1000 * MS);
	assert_int_equal(gone_why[FLOW_END_IDLE], 1);
	assert_int_equal(flow_table_n(t, NULL), 0);
	flow_table_close(t);
}

static void goes_on(void **state)
{
	open_table(16, 16, (struct flow_timeouts){ .active = 100 * MS });
	for (int i = 0; i < 10; i++) {
		take(packet(1, 2, 1, 2, 17));
		at += 49 * MS;
		flow_table_tick(t, at);
	}
	/* Each packet is told once. */
	assert_true(gone_why[FLOW_END_ACTIVE] >= 3);
	uint64_t left = 0;

	flow_table_each(t, sum, &left);
	assert_int_equal(left + gone_packets, 10);
	assert_int_equal(flow_table_n(t, NULL), 1);
	flow_table_close(t);
}

/* What one kind leaves free the other uses, until it is needed. */
static void kinds_lend_room(void **state)
{
	struct flow_counts c;
	uint32_t settled;

	open_table(100, 50, (struct flow_timeouts){ 0 });
	for (uint32_t i = 0; i < 200; i++)
		take(packet(i, 1000000, 1, 2, 17));
	assert_int_equal(flow_table_n(t, &settled), 150);
	assert_int_equal(settled, 0);
	/* Each that settles stays; first packets leave for it. */
	for (uint32_t i = 1000; i < 1100; i++) {
		take(packet(i, 1000000, 1, 2, 17));
		take(packet(1000000, i, 2, 1, 17));
	}
	assert_int_equal(flow_table_n(t, &settled), 150);
	assert_int_equal(settled, 100);
	flow_table_counts(t, &c);
	assert_int_equal(c.evicted, 150);
	assert_int_equal(c.evicted_settled, 0);
	flow_table_close(t);
	/* More than a hundred settle while nothing else wants the room. */
	open_table(100, 50, (struct flow_timeouts){ 0 });
	for (uint32_t i = 1000; i < 1130; i++) {
		take(packet(i, 1000000, 1, 2, 17));
		take(packet(1000000, i, 2, 1, 17));
	}
	flow_table_n(t, &settled);
	assert_int_equal(settled, 130);
	for (uint32_t i = 2000; i < 2100; i++)
		take(packet(i, 1000000, 1, 2, 17));
	flow_table_n(t, &settled);
	assert_int_equal(settled, 100);
	flow_table_close(t);
}

/* Those that are over leave first, though others are older. */
static void the_dead_leave_first(void **state)
{
	struct flow_packet p;

	open_table(2, 1, (struct flow_timeouts){ 0 });
	take(packet(5, 6, 1, 2, 17));
	take(packet(6, 5, 2, 1, 17));
	take(tcp(true, TCP_SYN, 100, 0, 0));
	take(tcp(false, TCP_SYN | TCP_ACK, 500, 101, 0));
	take(tcp(true, TCP_ACK, 101, 501, 0));
	take(tcp(false, TCP_RST, 501, 0, 0));
	take(packet(7, 8, 1, 2, 17));
	take(packet(8, 7, 2, 1, 17));
	take(packet(9, 10, 1, 2, 17));
	assert_int_equal(n_gone, 1);
	p = tcp(true, TCP_ACK, 101, 501, 0);
	take(p);			/* it is not found: a flow of its own, of which one end spoke */
	assert_int_equal(n_gone, 2);
	assert_int_equal(flow_table_latest(t)->state, FLOW_ONE_WAY);
	flow_table_close(t);
}

/* By the time of packets, to the nanosecond, whenever ticks come. */
static void silence_ends(void **state)
{
	open_table(16, 16, (struct flow_timeouts){ .first = 1000 * MS, .settled = 1000 * MS });
	flow_table_tick(t, at);
	take(packet(1, 2, 1, 2, 17));
	at += 999 * MS - 1 - MS;
	take(packet(1, 2, 1, 2, 17));
	assert_int_equal(n_gone, 0);
	at += 999 * MS;
	take(packet(1, 2, 1, 2, 17));
	assert_int_equal(n_gone, 1);
	assert_int_equal(gone_packets, 2);
	flow_table_tick(t, at + 1000 * MS - 1);
	assert_int_equal(n_gone, 1);
	flow_table_tick(t, at + 1000 * MS);
	assert_int_equal(n_gone, 2);
	assert_int_equal(gone_why[FLOW_END_IDLE], 2);
	/* A stamp from the future does not stay for ever, nor hold up others. */
	at += 3600000 * MS;
	take(packet(3, 4, 1, 2, 17));
	at -= 3600000 * MS;
	take(packet(1, 2, 1, 2, 17));
	flow_table_tick(t, at + 3000 * MS);
	assert_int_equal(flow_table_n(t, NULL), 0);
	flow_table_close(t);
}

/* Nothing comes any more: what is over need not wait for packets that move the clock. */
static void ends_without_a_clock(void **state)
{
	open_table(16, 16, (struct flow_timeouts){ .closed = 5000 * MS });
	take(tcp(true, TCP_SYN, 100, 0, 0));
	take(tcp(false, TCP_RST | TCP_ACK, 0, 101, 0));
	take(packet(1, 2, 1, 2, 17));
	assert_int_equal(flow_table_end_closed(t), 0);
	assert_int_equal(gone_why[FLOW_END_RESET], 1);
	assert_int_equal(flow_table_n(t, NULL), 1);
	flow_table_close(t);
}

/* From a few places to many: each is found again. */
static void grows(void **state)
{
	struct flow_counts c;

	open_table(50000, 50000, (struct flow_timeouts){ 0 });
	for (unsigned int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 100000; i++)
			take(packet(i, 1000000, 1, 2, 17));
	flow_table_counts(t, &c);
	assert_int_equal(c.flows, 100000);
	assert_int_equal(c.evicted, 0);
	assert_true(flow_table_bytes(t) < 32 << 20);
	flow_table_close(t);
}

/* ── fragments ──────────────────────────────────────────────────────────────── */
static struct flow held;
static unsigned int n_held;

static int hold(void *ctx, const struct flow *g)
{
	held = *g;
	n_held++;
	return 0;
}

static void fragments(void **state)
{
	struct flow_packet late_one = packet(9, 3, 0, 0, 17), first = packet(9, 3, 7777, 53, 17), after = packet(9, 3, 0, 0, 17);
	struct flow_packet other = packet(9, 3, 0, 0, 17);
	const struct flow *late;
	struct pieces *pieces;
	int rc = 0;

	n_held = 0;
	assert_int_equal(pieces_open(&pieces, 3), 0);
	assert_false(pieces_take(pieces, &late_one, 5, &late, hold, NULL, &rc));
	assert_true(pieces_take(pieces, &first, 5, &late, hold, NULL, &rc));
	assert_non_null(late);
	assert_int_equal(late->key.port[late->initiator], 7777);
	assert_int_equal(late->side[late->initiator].packets, 1);
	assert_int_equal(late->side[!late->initiator].packets, 0);
	assert_true(pieces_take(pieces, &after, 5, &late, hold, NULL, &rc));
	assert_null(late);
	assert_int_equal(after.key.port[0], 7777);
	assert_false(pieces_take(pieces, &other, 6, &late, hold, NULL, &rc));
	assert_int_equal(n_held, 0);
	pieces_finish(pieces, hold, NULL);
	assert_int_equal(n_held, 1);
	assert_false(held.key.has_ports);
	/* More datagrams than places: the oldest leave, and are handed over. */
	n_held = 0;
	for (uint32_t id = 0; id < PIECES_MAX + 10; id++) {
		other = packet(9, 3, 0, 0, 17);
		assert_false(pieces_take(pieces, &other, 1000 + id, &late, hold, NULL, &rc));
	}
	assert_int_equal(n_held, 10);
	pieces_close(pieces);
}

/* Counts of a flow as they are elsewhere, n of its packets having come. */
static struct flow counted(uint32_t a, uint64_t start_ns, unsigned int n)
{
	struct flow_packet p = packet(a, 0x0b000000, 5, 6, 17);
	struct flow f;

	p.time_ns = start_ns;
	flow_order(&p);
	flow_begin(&f, &p);
	for (unsigned int i = 1; i < n; i++) {
		p.time_ns += MS;
		flow_take(&f, &p);
	}
	return f;
}

static uint64_t update(const struct flow *f)
{
	struct flow_was was;

	assert_int_equal(flow_table_update(t, f, &was), 0);
	return was.packets;
}

static void looked_at_now_and_then(void **state)
{
	struct flow one = counted(1, 1000 * MS, 3), two = counted(2, 1000 * MS, 1), more = counted(1, 1000 * MS, 5);
	struct flow anew = counted(1, 5000 * MS, 7), late = counted(1, 5000 * MS, 9);
	uint64_t sums = 0;

	open_table(100, 100, (struct flow_timeouts){ .settled = 1000 * MS, .first = 1000 * MS });
	flow_table_look(t, false);
	assert_int_equal(update(&one), 0);
	assert_int_equal(update(&two), 0);
	assert_int_equal(flow_table_looked(t), 0);
	flow_table_look(t, false);
	assert_int_equal(update(&more), 3);
	assert_int_equal(update(&one), 5);	/* the same look: what is older is no other */
	assert_int_equal(flow_table_looked(t), 0);
	assert_int_equal(n_gone, 1);		/* two is not there any more */
	assert_int_equal(gone_why[FLOW_END_EVICTED], 1);
	flow_table_each(t, sum, &sums);
	assert_int_equal(sums, 5);
	flow_table_look(t, false);
	assert_int_equal(update(&anew), 0);	/* begun after the other had ended */
	assert_int_equal(n_gone, 2);
	assert_int_equal(gone_why[FLOW_END_IDLE], 1);
	/* Told of once, however often it is looked at; it stays. */
	assert_int_equal(flow_table_tell_ended(t, 5500 * MS, false), 0);
	assert_int_equal(n_gone, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(flow_table_tell_ended(t, 9000 * MS, false), 0);
	assert_int_equal(n_gone, 3);
	flow_table_look(t, false);
	assert_int_equal(update(&late), 7);
	assert_int_equal(flow_table_looked(t), 0);
	assert_int_equal(flow_table_tell_ended(t, 9000 * MS, false), 0);
	flow_table_look(t, false);
	assert_int_equal(flow_table_looked(t), 0);
	assert_int_equal(n_gone, 3);
	assert_int_equal(flow_table_n(t, NULL), 0);
	flow_table_close(t);
}

/* What came before the fragment that has the ports: several with the same ends are one, which may shrink. */
static void sums_of_a_look(void **state)
{
	struct flow three = counted(1, 1000 * MS, 3), two = counted(1, 2000 * MS, 2);
	uint64_t sums = 0;

	open_table(100, 100, (struct flow_timeouts){ 0 });
	for (int i = 0; i < 3; i++) {
		flow_table_look(t, false);
		for (int j = 0; j < 5 - i; j++)
			assert_int_equal(flow_table_update_sum(t, j % 2 ? &two : &three), 0);
		assert_int_equal(flow_table_looked(t), 0);
		sums = 0;
		flow_table_each(t, sum, &sums);
		assert_int_equal(sums, i == 0 ? 13 : i == 1 ? 10 : 8);
	}
	assert_int_equal(n_gone, 0);
	assert_int_equal(flow_table_n(t, NULL), 1);
	flow_table_close(t);
}

/* A clock that is set changes all times at once, and no flow. */
static void the_clock_is_set_meanwhile(void **state)
{
	struct flow before = counted(1, 1000 * MS, 3), after = counted(1, 3600000 * MS, 4);

	open_table(100, 100, (struct flow_timeouts){ 0 });
	flow_table_look(t, false);
	assert_int_equal(update(&before), 0);
	flow_table_look(t, true);
	assert_int_equal(update(&after), 3);
	assert_int_equal(flow_table_looked(t), 0);
	assert_int_equal(n_gone, 0);
	flow_table_close(t);
}

static void community_id(void **state)
{
	/* The published example of the specification's first TCP flow. */
	struct flow_packet p = packet(0x80e86e78, 0x4223facc, 34855, 80, 6);
	char id[32];

	flow_order(&p);
	assert_true(flow_community_id(id, &p.key));
	assert_string_equal(id, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	p.key.proto = 1;
	assert_false(flow_community_id(id, &p.key));
	p.key.proto = 6;
	p.key.tunnel = 1;
	assert_false(flow_community_id(id, &p.key));
}

static void tunnel_lists(void **state)
{
	static const char gre[] = "gre", vxlan[] = "vxlan";
	const char *a[] = { gre }, *b[] = { gre, vxlan };
	static struct tunnels lists;

	assert_int_equal(tunnels_number(&lists, a, 0), 0);
	assert_int_equal(tunnels_number(&lists, a, 1), 1);
	assert_int_equal(tunnels_number(&lists, b, 2), 2);
	assert_int_equal(tunnels_number(&lists, b, 1), 1);
	for (int i = 0; i < 1000; i++) {
		const char *other[] = { gre + (i & 3), vxlan + (i >> 2 & 3), gre + (i >> 4 & 3), vxlan + (i >> 6 & 3) };

		tunnels_number(&lists, other, 4);
	}
	assert_int_equal(lists.n, TUNNELS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods_leave_the_living),
		cmocka_unit_test(finds_what_it_has),
		cmocka_unit_test(ends),
		cmocka_unit_test(goes_on),
		cmocka_unit_test(kinds_lend_room),
		cmocka_unit_test(the_dead_leave_first),
		cmocka_unit_test(silence_ends),
		cmocka_unit_test(ends_without_a_clock),
		cmocka_unit_test(grows),
		cmocka_unit_test(fragments),
		cmocka_unit_test(looked_at_now_and_then),
		cmocka_unit_test(sums_of_a_look),
		cmocka_unit_test(the_clock_is_set_meanwhile),
		cmocka_unit_test(community_id),
		cmocka_unit_test(tunnel_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
