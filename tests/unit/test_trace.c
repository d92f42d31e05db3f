// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of packets that are traced, and the paths that they are put together to. */
#include <errno.h>

#include "dataplane/trace.h"
#include "dataplane/trace_parts.h"
#include "numbers/ipproto.h"

#include "nf_help.h"

enum { TOLD_MAX = 64, WAIT = 1000 };

#define OWN "netprobe-trace-7"

/* What was told, copied: the texts live until tell() returns. */
static struct told {
	struct rule_path p;
	struct rule_step steps[TRACE_STEPS_MAX];
	char text[512];		/* of each step: chain[>target], as long as they fit */
} told[TOLD_MAX];
static unsigned int n_told;
static int stop;		/* what tell() returns */
static struct trace_paths *paths;

static int keep(void *ctx, const struct rule_path *p)
{
	struct told *t = &told[n_told];
	size_t len = 0;

	assert_true(n_told < TOLD_MAX);
	assert_true(p->n_steps <= TRACE_STEPS_MAX);
	*t = (struct told){ .p = *p };
	memcpy(t->steps, p->steps, p->n_steps * sizeof(*p->steps));
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct rule_step *s = &p->steps[i];

		assert_true(*s->table && *s->chain);
		if (len < sizeof(t->text))
			len += (size_t)snprintf(t->text + len, sizeof(t->text) - len, "%s%s%s%s", i ? " " : "", s->chain,
						s->target ? ">" : "", s->target ? s->target : "");
	}
	t->p.steps = t->steps;
	n_told++;
	return stop;
}

static int start(void **state)
{
	struct trace_options o = { .room = 4, .wait_ns = WAIT, .tell = keep };

	clear(state);
	n_told = 0;
	stop = 0;
	return paths_open(&paths, &o, OWN);
}

static int end(void **state)
{
	paths_close(paths);
	return clear(state);
}

#define P(f) cmocka_unit_test_setup_teardown(f, start, end)

static struct trace_counts counts(void)
{
	struct trace_counts c;

	paths_counts(paths, &c);
	return c;
}

/* ── messages ─────────────────────────────────────────────────────────────── */

static size_t message;

static void open_trace(uint32_t id, uint8_t family, const char *table, const char *chain_name)
{
	message = open_message(NFT_MSG_TRACE, family);
	number(NFTA_TRACE_NFPROTO, NFPROTO_IPV4);
	number(NFTA_TRACE_ID, id);
	text(NFTA_TRACE_CHAIN, chain_name);
	text(NFTA_TRACE_TABLE, table);
}

static void close_trace(void)
{
	close_message(message);
}

static void put_verdict(int32_t code, const char *to)
{
	size_t at = open_attr(NFTA_TRACE_VERDICT | NLA_F_NESTED);

	number(NFTA_VERDICT_CODE, (uint32_t)code);
	if (to)
		text(NFTA_VERDICT_CHAIN, to);
	close_at(at);
}

static void by_rule(uint64_t handle, int32_t code, const char *to)
{
	number(NFTA_TRACE_TYPE, NFT_TRACETYPE_RULE);
	if (handle)
		number64(NFTA_TRACE_RULE_HANDLE, handle);
	put_verdict(code, to);
}

static void by_policy(uint32_t policy)
{
	number(NFTA_TRACE_TYPE, NFT_TRACETYPE_POLICY);
	number(NFTA_TRACE_POLICY, policy);
}

static void rule_of(uint32_t id, const char *chain_name, uint64_t handle, int32_t code, const char *to)
{
	open_trace(id, NFPROTO_INET, "f", chain_name);
	by_rule(handle, code, to);
	close_trace();
}

static void policy_of(uint32_t id, const char *chain_name, uint32_t policy)
{
	open_trace(id, NFPROTO_INET, "f", chain_name);
	by_policy(policy);
	close_trace();
}

static const uint8_t ip[20] = { 0x45, 0, 0, 60, 0x12, 0x34, 0x40, 0, 64, PROTO_TCP, 0, 0, 10, 1, 0, 2, 10, 2, 0, 3 };
static const uint8_t tcp[20] = { 0xc0, 0x01, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 2 };

static void headers(const uint8_t *l3, size_t n3, const uint8_t *l4, size_t n4)
{
	attr(NFTA_TRACE_NETWORK_HEADER, l3, n3);
	attr(NFTA_TRACE_TRANSPORT_HEADER, l4, n4);
}

/* As the kernel begins a packet that our table marks. */
static void begins(uint32_t id)
{
	open_trace(id, NFPROTO_INET, OWN, "tcp");
	by_rule(3, NFT_CONTINUE, NULL);
	number(NFTA_TRACE_IIF, 5);
	headers(ip, sizeof(ip), tcp, sizeof(tcp));
	close_trace();
	open_trace(id, NFPROTO_INET, OWN, "tcp");
	by_rule(0, NFT_CONTINUE, NULL);
	close_trace();
	open_trace(id, NFPROTO_INET, OWN, "prerouting");
	by_policy(NF_ACCEPT);
	close_trace();
}

/* What was put together, at that time. */
static int at(uint64_t now_ns)
{
	int rc = paths_datagram(paths, m, n, now_ns);

	n = 0;
	return rc;
}

/* ── tests ────────────────────────────────────────────────────────────────── */

static void a_drop_is_told_at_once(void **state)
{
	static const uint8_t src[] = { 10, 1, 0, 2 }, dst[] = { 10, 2, 0, 3 };
	const struct rule_path *p = &told[0].p;

	begins(1);
	open_trace(1, NFPROTO_INET, "f", "fwd");
	by_rule(11, NFT_JUMP, "pod");
	number(NFTA_TRACE_IIF, 5);
	number(NFTA_TRACE_OIF, 6);
	headers(ip, sizeof(ip), tcp, sizeof(tcp));
	close_trace();
	open_trace(1, NFPROTO_INET, "f", "pod");
	by_rule(12, NFT_CONTINUE, NULL);
	number(NFTA_TRACE_MARK, 0x10000);
	close_trace();
	rule_of(1, "pod", 13, NFT_GOTO, "deep");
	rule_of(1, "deep", 14, NF_DROP, NULL);
	assert_int_equal(at(5), 0);
	assert_int_equal(n_told, 1);
	assert_string_equal(told[0].text, "fwd>pod pod pod>deep deep");
	assert_int_equal(p->end, TRACE_DROPPED);
	assert_int_equal(p->in_ifindex, 5);
	assert_int_equal(p->out_ifindex, 6);
	assert_true(p->proto_known);
	assert_int_equal(p->proto, PROTO_TCP);
	assert_int_equal(p->came.src.family, 4);
	assert_memory_equal(p->came.src.b, src, 4);
	assert_memory_equal(p->came.dst.b, dst, 4);
	assert_int_equal(p->came.sport, 0xc001);
	assert_int_equal(p->came.dport, 80);
	assert_int_equal(p->tcp_seq, 0x01020304);
	assert_int_equal(p->ip_id, 0x1234);
	assert_int_equal(p->first_ns, 5);
	assert_int_equal(p->steps[0].verdict, NF_JUMPS);
	assert_int_equal(p->steps[1].mark, 0x10000);
	assert_int_equal(p->steps[1].verdict, NF_NONE);
	assert_int_equal(p->steps[2].verdict, NF_GOES);
	assert_int_equal(p->steps[3].verdict, NF_DROPS);
	assert_int_equal(p->steps[3].handle, 14);
	assert_int_equal(p->steps[3].family, NFPROTO_INET);
	assert_false(p->holes || p->steps_lost);
	assert_int_equal(counts().messages, 7);
	assert_int_equal(counts().waiting, 0);
}

static void who_passed_is_told_in_time(void **state)
{
	begins(1);
	rule_of(1, "fwd", 11, NFT_JUMP, "pod");
	rule_of(1, "pod", 12, NFT_RETURN, NULL);
	rule_of(1, "fwd", 0, NFT_CONTINUE, NULL);
	policy_of(1, "fwd", NF_ACCEPT);
	assert_int_equal(at(10), 0);
	begins(2);
	assert_int_equal(at(500), 0);
	assert_int_equal(paths_tick(paths, 10 + WAIT - 1), 0);
	assert_int_equal(n_told, 0);
	/* An accept is not the end: the next hook drops. */
	rule_of(2, "post", 20, NF_ACCEPT, NULL);
	policy_of(2, "post2", NF_DROP);
	assert_int_equal(at(600), 0);
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].p.id, 2);
	assert_int_equal(told[0].p.end, TRACE_DROPPED);
	assert_int_equal(told[0].steps[1].kind, TRACE_POLICY);
	assert_int_equal(paths_tick(paths, 10 + WAIT), 0);
	assert_int_equal(n_told, 2);
	assert_int_equal(told[1].p.end, TRACE_PASSED);
	/* The end of a chain at a hook is one step, its policy's. */
	assert_string_equal(told[1].text, "fwd>pod pod fwd");
	assert_int_equal(told[1].steps[1].kind, TRACE_RULE);
	assert_int_equal(told[1].steps[1].verdict, NF_RETURNS);
	assert_int_equal(told[1].steps[2].kind, TRACE_POLICY);
	assert_int_equal(told[1].steps[2].verdict, NF_ACCEPTS);
	assert_int_equal(told[1].steps[2].handle, 0);
}

static void nobody_looked_at_it(void **state)
{
	begins(1);
	at(1);
	assert_int_equal(paths_finish(paths), 0);
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].p.n_steps, 0);
	assert_int_equal(told[0].p.end, TRACE_PASSED);
}

static void queued_stolen_and_unclear_are_told_apart(void **state)
{
	begins(1);
	rule_of(1, "a", 1, (3 << 16) | NF_QUEUE, NULL);
	begins(2);
	rule_of(2, "a", 1, NF_STOLEN, NULL);
	begins(3);
	rule_of(3, "a", 1, NFT_JUMP, "b");
	at(1);
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].p.end, TRACE_STOLEN);
	assert_string_equal(told[0].steps[0].target, "stolen");
	paths_finish(paths);
	assert_int_equal(told[1].p.end, TRACE_QUEUED);
	assert_int_equal(told[2].p.end, TRACE_UNCLEAR);
}

static void an_id_that_comes_again_is_another_packet(void **state)
{
	begins(1);
	policy_of(1, "in", NF_ACCEPT);
	begins(1);
	rule_of(1, "in", 9, NF_DROP, NULL);
	at(1);
	assert_int_equal(n_told, 2);
	assert_int_equal(told[0].p.end, TRACE_PASSED);
	assert_int_equal(told[1].p.end, TRACE_DROPPED);
	assert_int_equal(told[1].p.n_steps, 1);
}

static void what_others_trace_is_only_counted(void **state)
{
	rule_of(1, "in", 9, NF_DROP, NULL);
	/* The name alone does not make it ours. */
	open_trace(2, NFPROTO_IPV4, OWN, "tcp");
	by_rule(3, NFT_CONTINUE, NULL);
	close_trace();
	open_trace(2, NFPROTO_INET, OWN "1", "tcp");
	by_rule(3, NFT_CONTINUE, NULL);
	close_trace();
	at(1);
	assert_int_equal(counts().others, 3);
	assert_int_equal(counts().waiting, 0);
	/* Nor do steps of other tables of ours show. */
	begins(3);
	open_trace(3, NFPROTO_INET, "netprobe-trace-12-2", "prerouting");
	by_policy(NF_ACCEPT);
	close_trace();
	rule_of(3, "in", 9, NF_DROP, NULL);
	at(1);
	assert_string_equal(told[0].text, "in");
}

static void translation_shows(void **state)
{
	uint8_t to_pod[20], other_port[20];

	memcpy(to_pod, ip, sizeof(ip));
	memcpy(other_port, tcp, sizeof(tcp));
	to_pod[19] = 99;
	other_port[3] = 81;
	begins(1);
	open_trace(1, NFPROTO_INET, "f", "fwd");
	by_policy(NF_DROP);
	headers(to_pod, sizeof(to_pod), other_port, sizeof(other_port));
	close_trace();
	at(1);
	assert_int_equal(told[0].p.came.dst.b[3], 3);
	assert_int_equal(told[0].p.came.dport, 80);
	assert_int_equal(told[0].p.left.dst.b[3], 99);
	assert_int_equal(told[0].p.left.dport, 81);
}

static void one_packet(const uint8_t *l3, size_t n3, const uint8_t *l4, size_t n4)
{
	static uint32_t id = 100;

	n_told = 0;
	open_trace(++id, NFPROTO_INET, OWN, "other");
	by_rule(4, NFT_CONTINUE, NULL);
	headers(l3, n3, l4, n4);
	close_trace();
	policy_of(id, "in", NF_DROP);
	at(1);
	assert_int_equal(n_told, 1);
}

static void headers_are_read_as_far_as_they_are_there(void **state)
{
	uint8_t six[40] = { 0x60, 0x0a, 0xbc, 0xde, 0, 8, PROTO_UDP, 64 }, four[20];
	static const uint8_t udp[] = { 0, 53, 0x12, 0x34, 0, 8, 0, 0 }, echo[] = { 8, 0, 0, 0, 0xab, 0xcd, 0, 1 };
	const struct rule_path *p = &told[0].p;

	six[8] = 0xfd;
	six[39] = 1;
	one_packet(six, sizeof(six), udp, sizeof(udp));
	assert_int_equal(p->came.src.family, 6);
	assert_int_equal(p->came.src.b[0], 0xfd);
	assert_int_equal(p->came.dst.b[15], 1);
	assert_int_equal(p->ip_id, 0xabcde);
	assert_int_equal(p->came.sport, 53);
	assert_int_equal(p->came.dport, 0x1234);
	assert_int_equal(p->tcp_seq, 0);
	six[6] = PROTO_HOPOPT;
	one_packet(six, sizeof(six), udp, sizeof(udp));
	assert_false(p->proto_known);
	assert_int_equal(p->came.dport, 0);
	one_packet(six, 39, udp, sizeof(udp));
	assert_int_equal(p->came.src.family, 0);
	memcpy(four, ip, sizeof(ip));
	four[9] = PROTO_ICMP;
	one_packet(four, sizeof(four), echo, sizeof(echo));
	assert_int_equal(p->came.sport, 0xabcd);
	four[9] = PROTO_UDP;
	one_packet(four, sizeof(four), udp, 3);
	assert_true(p->proto_known);
	assert_int_equal(p->came.sport, 0);
	four[7] = 1;		/* not the first fragment */
	one_packet(four, sizeof(four), udp, sizeof(udp));
	assert_int_equal(p->came.dport, 0);
}

/* Of family bridge the link header tells what is behind it. */
static void a_bridge_s_packets_need_their_link_header(void **state)
{
	uint8_t link[18] = { [12] = 0x81, 0, 0, 5, 0x08, 0x00 }, type[2] = { 0, 1 };
	size_t from;
	struct trace_event e;

	for (int ip_behind = 0; ip_behind < 2; ip_behind++) {
		link[16] = ip_behind ? 0x08 : 0x88;
		n = 0;
		from = open_message(NFT_MSG_TRACE, NFPROTO_BRIDGE);
		number(NFTA_TRACE_NFPROTO, NFPROTO_BRIDGE);
		number(NFTA_TRACE_ID, 1);
		text(NFTA_TRACE_CHAIN, "c");
		text(NFTA_TRACE_TABLE, "t");
		by_policy(NF_ACCEPT);
		attr(NFTA_TRACE_IIFTYPE, type, sizeof(type));
		attr(NFTA_TRACE_LL_HEADER, link, sizeof(link));
		headers(ip, sizeof(ip), tcp, sizeof(tcp));
		close_message(from);
		assert_true(trace_message((struct part){ m + sizeof(struct nlmsghdr), n - sizeof(struct nlmsghdr) }, &e));
		assert_true(e.first);
		assert_int_equal(e.packet.ends.src.family, ip_behind ? 4 : 0);
	}
}

static void what_is_not_understood_is_counted(void **state)
{
	char name[NF_TEXT_MAX + 1];

	memset(name, 'x', sizeof(name));
	name[NF_TEXT_MAX] = '\0';
	rule_of(1, "", 9, NF_DROP, NULL);
	rule_of(1, name, 9, NF_DROP, NULL);
	rule_of(1, "in", 9, NFT_JUMP, NULL);
	rule_of(1, "in", 9, NFT_JUMP, "");
	rule_of(1, "in", 9, NFT_JUMP, name);
	rule_of(1, "in", 9, -77, NULL);
	rule_of(1, "in", 9, 77, NULL);
	rule_of(1, "in", 0, NF_DROP, NULL);
	open_trace(1, NFPROTO_INET, "f", "in");
	number(NFTA_TRACE_TYPE, 99);
	close_trace();
	open_trace(1, NFPROTO_INET, "f", "in");
	number(NFTA_TRACE_TYPE, NFT_TRACETYPE_POLICY);
	close_trace();
	open_trace(1, NFPROTO_INET, "f", "in");
	close_trace();
	close_message(open_message(NFT_MSG_TRACE, NFPROTO_INET));
	close_message(open_message(NFT_MSG_NEWRULE, NFPROTO_INET));
	assert_int_equal(at(1), 0);
	assert_int_equal(counts().broken, 13);
	assert_int_equal(counts().messages, 0);
	m[0] = 3;
	assert_int_equal(paths_datagram(paths, m, 3, 1), 0);
	assert_int_equal(counts().broken, 14);
}

static void whoever_is_oldest_goes(void **state)
{
	for (uint32_t id = 1; id <= 6; id++)
		begins(id * 8);		/* one bucket */
	at(1);
	assert_int_equal(counts().waiting, 4);
	assert_int_equal(counts().evicted, 2);
	rule_of(8, "in", 1, NF_DROP, NULL);
	assert_int_equal(at(1), 0);
	assert_int_equal(counts().others, 1);
	/* One from the middle: the rest stays in order. */
	rule_of(32, "in", 1, NF_DROP, NULL);
	at(1);
	assert_int_equal(told[0].p.id, 32);
	paths_finish(paths);
	assert_int_equal(n_told, 4);
	assert_int_equal(told[1].p.id, 24);
	assert_int_equal(told[2].p.id, 40);
	assert_int_equal(told[3].p.id, 48);
	begins(56);
	at(2);
	assert_int_equal(counts().waiting, 1);
}

static void steps_have_a_bound(void **state)
{
	char name[NF_TEXT_MAX];

	begins(1);
	for (int i = 0; i < TRACE_STEPS_MAX + 3; i++)
		rule_of(1, "pod", 1, NFT_CONTINUE, NULL);
	rule_of(1, "pod", 2, NF_DROP, NULL);
	at(1);
	assert_int_equal(told[0].p.n_steps, TRACE_STEPS_MAX);
	assert_int_equal(told[0].p.steps_lost, 4);
	assert_int_equal(told[0].p.end, TRACE_DROPPED);
	/* So have their names; a shorter one does not come behind a gap. */
	begins(2);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 20; i++) {
		name[0] = (char)('a' + i);
		rule_of(2, name, 1, NFT_CONTINUE, NULL);
	}
	rule_of(2, "pod", 2, NF_DROP, NULL);
	at(1);
	assert_in_range(told[1].p.n_steps, 10, 19);
	assert_int_equal(told[1].p.n_steps + told[1].p.steps_lost, 21);
	assert_int_equal(counts().steps_lost, 4 + told[1].p.steps_lost);
}

static void an_overrun_marks_who_waits(void **state)
{
	begins(1);
	at(1);
	paths_overrun(paths);
	begins(2);
	at(1);
	paths_finish(paths);
	assert_true(told[0].p.holes);
	assert_false(told[1].p.holes);
	assert_int_equal(counts().overruns, 1);
}

static void whoever_listens_may_end_it(void **state)
{
	begins(1);
	rule_of(1, "in", 1, NF_DROP, NULL);
	begins(2);
	stop = -7;
	assert_int_equal(at(1), -7);
	assert_int_equal(counts().waiting, 0);
	assert_int_equal(counts().broken, 0);
}

static void whatever_is_cut_is_not_read_behind(void **state)
{
	size_t whole;

	begins(1);
	rule_of(1, "in", 1, NFT_JUMP, "x");
	rule_of(1, "x", 1, NF_DROP, NULL);
	whole = n;
	for (size_t len = 0; len < whole; len++) {
		uint8_t *copy = malloc(len + 1);	/* the sanitizer sees what is read behind it */

		assert_non_null(copy);
		memcpy(copy, m, len);
		n_told = 0;
		assert_int_equal(paths_datagram(paths, copy, len, 1), 0);
		free(copy);
	}
	assert_true(counts().broken > 0);
}

static void the_rule_of_a_step_is_found(void **state)
{
	struct rule_step s = { .family = NFPROTO_IPV4, .table = "filter", .chain = "FORWARD", .handle = 8 };

	chain(NFPROTO_IPV4, "filter", "FORWARD");
	open_rule("filter", "FORWARD", 7);
	close_rule("no");
	open_rule("filter", "FORWARD", 8);
	close_rule("that one");
	parse();
	assert_string_equal(trace_rule(&r, &s)->comment, "that one");
	s.handle = 9;
	assert_null(trace_rule(&r, &s));
	s.handle = 8;
	s.family = NFPROTO_INET;
	assert_null(trace_rule(&r, &s));
	s.family = NFPROTO_IPV4;
	s.kind = TRACE_POLICY;
	assert_null(trace_rule(&r, &s));
}

static void options_have_bounds(void **state)
{
	struct addr none = { 0 };
	struct trace_options o = { .rate = 0, .tell = keep };
	struct rule_trace *t;

	assert_int_equal(trace_open(&t, &o), -EINVAL);
	o.rate = TRACE_RATE_MAX + 1;
	assert_int_equal(trace_open(&t, &o), -EINVAL);
	o.rate = 1;
	o.room = TRACE_ROOM_MAX + 1;
	assert_int_equal(trace_open(&t, &o), -EINVAL);
	o.room = 0;
	o.addrs = &none;
	o.n_addrs = 1;
	assert_int_equal(trace_open(&t, &o), -EINVAL);
	o.n_addrs = TRACE_ADDRS_MAX + 1;
	assert_int_equal(trace_open(&t, &o), -EINVAL);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P(a_drop_is_told_at_once),
		P(who_passed_is_told_in_time),
		P(nobody_looked_at_it),
		P(queued_stolen_and_unclear_are_told_apart),
		P(an_id_that_comes_again_is_another_packet),
		P(what_others_trace_is_only_counted),
		P(translation_shows),
		P(headers_are_read_as_far_as_they_are_there),
		P(a_bridge_s_packets_need_their_link_header),
		P(what_is_not_understood_is_counted),
		P(whoever_is_oldest_goes),
		P(steps_have_a_bound),
		P(an_overrun_marks_who_waits),
		P(whoever_listens_may_end_it),
		P(whatever_is_cut_is_not_read_behind),
		P(the_rule_of_a_step_is_found),
		P(options_have_bounds),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
