// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of conversations that the programs of bpf/count.bpf.c keep, under a flood: first packets from random
 * sources, more than four times as many as there is room for, push out none of the conversations that there are, whose
 * counts stay exact; what is pushed out is counted.  PACKETS=N: the table is a small one and the flood has N packets,
 * though not fewer than four times the room.  Needs root.
 */
#include <sched.h>

#include "count_rig.h"

enum { TALKS = 100, FLOOD = 1000000, EVERY = 500, FRAME = 60, PAYLOAD = 6, IP = 40 };

static uint64_t state;

static uint32_t rnd32(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 32);
}

/* ── packets ──────────────────────────────────────────────────────────────── */

struct ends {
	uint32_t addr[2];
	uint16_t port[2];
};

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* From end `from` to the other one. */
static void speak(int prog, const struct ends *e, int from, uint8_t flags, uint32_t seq, uint32_t payload)
{
	uint8_t f[FRAME] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, [22] = 64, [23] = 6, [46] = 0x50, [47] = flags, 1 };

	put16(f + 16, IP + payload);
	put32(f + 26, e->addr[from]);
	put32(f + 30, e->addr[!from]);
	put16(f + 34, e->port[from]);
	put16(f + 36, e->port[!from]);
	put32(f + 38, seq);
	count_rig_run(prog, f, sizeof(f), NULL);
}

static void shake_hands(int prog, const struct ends *e)
{
	speak(prog, e, 0, 0x02, 1, 0);
	speak(prog, e, 1, 0x12, 1, 0);
	speak(prog, e, 0, 0x10, 2, 0);
}

/* A conversation that was there before, and what was given of it. */
struct talk {
	struct ends e;
	uint32_t seq[2];
	uint64_t packets[2], bytes[2];
	unsigned int found;
};

static struct talk talks[TALKS];

static void say(int prog, struct talk *t, int from)
{
	speak(prog, &t->e, from, 0x18, t->seq[from], PAYLOAD);
	t->seq[from] += PAYLOAD;
	t->packets[from]++;
	t->bytes[from] += IP + PAYLOAD;
}

static void begin_talks(int prog)
{
	memset(talks, 0, sizeof(talks));
	for (uint32_t i = 0; i < TALKS; i++) {
		struct talk *t = &talks[i];

		t->e = (struct ends){ { 0x0a000100 + i, 0x0a000001 }, { (uint16_t)(40000 + i), 443 } };
		shake_hands(prog, &t->e);
		t->seq[0] = t->seq[1] = 2;
		t->packets[0] = 2;
		t->packets[1] = 1;
		t->bytes[0] = 2 * IP;
		t->bytes[1] = IP;
	}
}

/* Anybody but those who talk. */
static struct ends anybody(void)
{
	uint32_t addr = rnd32();

	return (struct ends){ { (addr >> 24) == 10 ? addr ^ 0x40000000 : addr, 0x0a000001 }, { (uint16_t)rnd32(), 80 } };
}

/* ── what was counted ─────────────────────────────────────────────────────── */

struct told {
	uint64_t flows, settled, packets, bytes;
	unsigned int exact;		/* of those that were there before */
};

static void look_up(struct told *told, const struct flow *f)
{
	/* The lower address, the one that all talk with, stands first. */
	const struct flow_side *theirs = &f->side[1], *ours = &f->side[0];
	uint32_t i = f->key.addr[1][3];
	struct talk *t;

	if (f->key.addr[0][0] != 10 || f->key.addr[1][0] != 10 || i >= TALKS)
		return;
	t = &talks[i];
	t->found++;
	told->exact += theirs->packets == t->packets[0] && theirs->bytes == t->bytes[0] &&
		       ours->packets == t->packets[1] && ours->bytes == t->bytes[1] && f->state == FLOW_ESTABLISHED &&
		       !theirs->retransmissions && !ours->retransmissions;
}

static int tell(void *ctx, const struct flow *f)
{
	struct told *told = ctx;

	told->flows++;
	told->settled += f->side[0].packets && f->side[1].packets;
	told->packets += f->side[0].packets + f->side[1].packets;
	told->bytes += f->side[0].bytes + f->side[1].bytes;
	look_up(told, f);
	return 0;
}

/* Whatever is pushed out: no packet is lost from the sums, and no flow. */
static void check_sums(const struct told *told, const struct np_counts *c)
{
	assert_int_equal(told->packets + c->left.packets, c->frames);
	assert_int_equal(told->flows + c->left_flows, c->flows);
	assert_int_equal(c->left_flows, c->evicted);
	print_message("flows %llu, told %llu (%.1f %%), evicted %llu, of these settled %llu; exact %u of %u\n",
		      (unsigned long long)c->flows, (unsigned long long)told->flows,
		      100.0 * (double)told->flows / (double)c->flows, (unsigned long long)c->evicted,
		      (unsigned long long)c->evicted_settled, told->exact, TALKS);
}

static uint32_t room_of(const struct count_rig *r)
{
	return (r->view.sets[0] + r->view.sets[1]) * NP_WAYS;
}

static void open_rig(struct count_rig *r, uint32_t *flood)
{
	const struct count_options o = { .flows = getenv("PACKETS") ? COUNT_FLOWS_FEW : COUNT_FLOWS, .ifaces = 1 };

	count_rig_open(r, &o);
	*flood = count_rig_packets(FLOOD);
	if (*flood < 4 * room_of(r))
		*flood = 4 * room_of(r);
	print_message("room for %u, a flood of %u\n", room_of(r), *flood);
}

static void finish(struct count_rig *r, struct told *told, struct np_counts *c)
{
	memset(told, 0, sizeof(*told));
	assert_int_equal(count_each(&r->view, tell, told), 0);
	count_rig_sum(r, c);
	check_sums(told, c);
}

/* ── the floods ───────────────────────────────────────────────────────────── */

static void first_packets_push_out_none_that_talk(enum count_hook hook)
{
	struct count_rig r;
	struct told told;
	struct np_counts c;
	uint32_t flood;
	int prog;

	open_rig(&r, &flood);
	prog = count_rig_program(&r, hook, false);
	begin_talks(prog);
	for (uint32_t i = 0; i < flood; i++) {
		struct ends e = anybody();

		speak(prog, &e, 0, 0x02, rnd32(), 0);
		if (i % EVERY == 0)
			say(prog, &talks[i / EVERY % TALKS], i / EVERY / TALKS & 1);
	}
	finish(&r, &told, &c);
	assert_int_equal(c.evicted_settled, 0);
	assert_int_equal(told.exact, TALKS);
	assert_int_equal(told.settled, TALKS);
	count_rig_close(&r);
}

static void unanswered_syns_push_out_none_that_talk_at_tc(void **unused)
{
	first_packets_push_out_none_that_talk(COUNT_IN);
}

static void unanswered_syns_push_out_none_that_talk_at_xdp(void **unused)
{
	first_packets_push_out_none_that_talk(COUNT_XDP);
}

/* Whoever answers all has them in the table with its own: then those seen least recently leave, and are counted. */
static void answered_ones_push_out_what_is_counted(void **unused)
{
	unsigned int missing = 0;
	struct count_rig r;
	struct told told;
	struct np_counts c;
	uint32_t flood;
	int prog;

	open_rig(&r, &flood);
	prog = count_rig_program(&r, COUNT_IN, false);
	begin_talks(prog);
	for (uint32_t i = 0; i < flood / 3; i++) {
		struct ends e = anybody();

		shake_hands(prog, &e);
		if (i % EVERY == 0)
			say(prog, &talks[i / EVERY % TALKS], i / EVERY / TALKS & 1);
	}
	finish(&r, &told, &c);
	for (uint32_t i = 0; i < TALKS; i++)
		missing += !talks[i].found;
	print_message("%u of %u are there no more\n", missing, TALKS);
	assert_int_equal(c.evicted_settled, c.flows - told.flows);
	assert_true(c.evicted_settled > 0);
	count_rig_close(&r);
}

int main(void)
{
	const char *seed = getenv("SEED");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unanswered_syns_push_out_none_that_talk_at_tc),
		cmocka_unit_test(unanswered_syns_push_out_none_that_talk_at_xdp),
		cmocka_unit_test(answered_ones_push_out_what_is_counted),
	};

	if (geteuid() || unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	state = seed ? strtoull(seed, NULL, 10) | 1 : 0x9e3779b97f4a7c15ull;
	return cmocka_run_group_tests_name("count_flood", tests, NULL, NULL);
}
