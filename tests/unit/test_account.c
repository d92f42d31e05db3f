// SPDX-License-Identifier: GPL-2.0-or-later
/* Statistics: what the rows stand for, and that their sum is every packet. */
#include "dns_help.h"

#include "account.h"
#include "flows/fields.h"
#include "stats/fields.h"

enum { ROWS_MAX = 128 };

#define REQUEST "GET / HTTP/1.1\r\n\r\n"

/* Rows as lines: "http tcp", and their packets. */
struct told {
	unsigned int n;
	char name[ROWS_MAX][80];
	uint64_t packets[ROWS_MAX], sum;
	struct stats_body body;
};

static int row(void *ctx, const struct record *r)
{
	struct told *t = ctx;
	char *name = t->name[t->n];
	const uint16_t *vlan = r->vlan.p;
	const char *const *tunnel = r->tunnel.p;
	size_t n = 0;

	assert_true(t->n < ROWS_MAX);
	name[0] = 0;
	if (record_has(r, FIELD_PROTOCOL))
		n += (size_t)snprintf(name + n, 80 - n, "%s ", r->protocol);
	if (record_has(r, FIELD_TRANSPORT))
		n += (size_t)snprintf(name + n, 80 - n, "%s ", r->transport);
	if (record_has(r, FIELD_STATS_SIZE_CLASS))
		n += (size_t)snprintf(name + n, 80 - n, "%s ", stats_of(r)->size);
	if (record_has(r, FIELD_STATS_FLAGS_CLASS))
		n += (size_t)snprintf(name + n, 80 - n, "%s ", stats_of(r)->tcp_flags);
	for (uint32_t i = 0; record_has(r, FIELD_VLAN) && i < r->vlan.n; i++)
		n += (size_t)snprintf(name + n, 80 - n, "%u ", vlan[i]);
	for (uint32_t i = 0; record_has(r, FIELD_TUNNEL) && i < r->tunnel.n; i++)
		n += (size_t)snprintf(name + n, 80 - n, "%s ", tunnel[i]);
	if (n)
		name[n - 1] = 0;
	t->body = *stats_of(r);
	t->packets[t->n] = stats_of(r)->packets;
	t->sum += stats_of(r)->packets;
	t->n++;
	return 0;
}

static struct account *counter(enum account_by by)
{
	struct account_options opt = { .by = by, .seed = 7 };
	struct account *a = NULL;

	assert_int_equal(account_open(&a, &opt), 0);
	return a;
}

static uint64_t now_ns = 1000 * SECOND;

static void take(struct account *a, const struct bytes *o)
{
	struct frame f = { .time_ns = now_ns += 1000000, .data = o->p, .cap_len = o->n, .len = o->n, .link = 1 };

	assert_int_equal(account_frame(a, &f, row, NULL), 0);
}

static void tcp(struct account *a, uint8_t from, uint16_t sport, uint16_t dport, uint32_t seq, uint8_t flags,
		const char *data)
{
	struct bytes o = { .n = 0 };

	put_tcp(&o, from, from == 1 ? 2 : 1, sport, dport, seq, flags, data, (uint32_t)strlen(data));
	take(a, &o);
}

/* All rows; `end`: and no more frames come. */
static struct told rows(struct account *a, bool end)
{
	struct told t = { .n = 0 };

	if (end)
		assert_int_equal(account_finish(a, row, &t), 0);
	assert_int_equal(account_rows(a, now_ns, row, &t), 0);
	return t;
}

static uint64_t of(const struct told *t, const char *name)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (!strcmp(t->name[i], name))
			return t->packets[i];
	return 0;
}

static uint64_t counted(const struct list *l, const char *name)
{
	const struct named_count *c = l->p;

	for (uint32_t i = 0; i < l->n; i++)
		if (!strcmp(c[i].name, name))
			return c[i].n;
	return 0;
}

static void handshake(struct account *a, uint16_t sport, uint16_t dport)
{
	tcp(a, 1, sport, dport, 100, TCP_SYN, "");
	tcp(a, 2, dport, sport, 500, TCP_SYN | TCP_ACK, "");
	tcp(a, 1, sport, dport, 101, TCP_ACK, "");
}

/* Ports of flows in the order told, and their rates. */
static struct {
	uint16_t port[4];
	uint64_t pps[4];
	unsigned int n;
} flows;

static int take_flow(void *ctx, const struct record *r)
{
	assert_true(record_has(r, FIELD_FLOW_PPS));
	flows.port[flows.n] = r->sport;
	flows.pps[flows.n++] = flow_of(r)->pps;
	return 0;
}

static void tell_flows(struct account *a, bool again, uint16_t first, uint64_t pps)
{
	flows.n = 0;
	assert_int_equal(again ? account_again(a, take_flow, NULL) : account_rows(a, now_ns, take_flow, NULL), 0);
	assert_int_equal(flows.n, 2);
	assert_int_equal(flows.port[0], first);
	assert_int_equal(flows.pps[0], pps);
}

/* Packets per second of the interval that is over, by which flows are ordered, or by what they had in all. */
static void flows_have_rates(void **state)
{
	uint64_t began = now_ns;
	struct account_options opt = { .flows = true, .sort = SORT_RATE, .rates_ns = began,
				       .table = { .settled = 16, .first = 16 } };
	struct account *a = NULL;

	assert_int_equal(account_open(&a, &opt), 0);
	handshake(a, 1000, 80);
	tcp(a, 1, 1000, 80, 101, TCP_ACK, REQUEST);
	tcp(a, 1, 1001, 80, 100, TCP_SYN, "");
	now_ns = began + SECOND;
	tell_flows(a, false, 1000, 4);
	tcp(a, 1, 1001, 80, 100, TCP_SYN, "");
	tcp(a, 1, 1001, 80, 100, TCP_SYN, "");
	tell_flows(a, true, 1000, 4);
	now_ns = began + 2 * SECOND;
	tell_flows(a, false, 1001, 2);
	assert_int_equal(account_bps(a), 2 * 40 * 8);
	account_choose(a, SORT_BYTES, 0);
	tell_flows(a, true, 1000, 0);
	now_ns = began + 3 * SECOND;
	tell_flows(a, false, 1000, 0);
	account_close(a);
}

static void all_packets_of_a_connection_are_its_protocols(void **state)
{
	struct account *a = counter(BY_PROTO);
	struct told t;

	handshake(a, 1000, 8080);
	handshake(a, 1001, 8080);			/* which says nothing that anybody knows */
	tcp(a, 1, 1001, 8080, 101, TCP_ACK, "????????????????????");
	tcp(a, 1, 1000, 8080, 101, TCP_ACK, REQUEST);
	tcp(a, 1, 1000, 8080, 101, TCP_ACK, REQUEST);	/* once more */
	tcp(a, 2, 8080, 1000, 501, TCP_ACK, "");
	tcp(a, 1, 1000, 8080, 119, TCP_FIN | TCP_ACK, "");
	t = rows(a, true);
	assert_int_equal(t.n, 2);
	assert_int_equal(of(&t, "http tcp"), 7);
	assert_int_equal(of(&t, "tcp"), 4);
	account_close(a);
}

static void what_was_told_stays(void **state)
{
	struct account *a = counter(BY_PROTO);
	struct told t;

	handshake(a, 1000, 8080);
	t = rows(a, false);
	assert_int_equal(of(&t, "tcp"), 3);
	tcp(a, 1, 1000, 8080, 101, TCP_ACK, "GET / ");
	tcp(a, 1, 1000, 8080, 107, TCP_ACK, "HTTP/1.1\r\n\r\n");
	t = rows(a, false);
	assert_int_equal(of(&t, "tcp"), 3);
	assert_int_equal(of(&t, "http tcp"), 2);
	tcp(a, 2, 8080, 1000, 501, TCP_ACK, "");
	t = rows(a, true);
	assert_int_equal(of(&t, "tcp"), 3);
	assert_int_equal(of(&t, "http tcp"), 3);
	account_close(a);
}

/* The second half came, the first never did. */
static void what_is_recognised_in_the_end_counts(void **state)
{
	struct account *a = counter(BY_PROTO);
	struct told t;

	handshake(a, 1000, 8080);
	tcp(a, 1, 1000, 8080, 201, TCP_ACK, REQUEST);
	t = rows(a, true);
	assert_int_equal(of(&t, "http tcp"), 4);
	assert_int_equal(t.n, 1);
	account_close(a);
}

/* More of them than there are places: each is counted once, those that went for their transport. */
static void connections_that_must_go_are_counted(void **state)
{
	enum { MANY = DECODE_CONNECTIONS + 3000 };
	struct account *a = counter(BY_PROTO);
	struct decode_counts lost;
	struct told t;

	for (uint32_t i = 0; i < MANY; i++)
		tcp(a, 1, (uint16_t)(1000 + i), 8080, 100, TCP_SYN, "");
	for (uint32_t i = 0; i < 3000; i++)		/* those that are still there */
		tcp(a, 1, (uint16_t)(1000 + MANY - 1 - i), 8080, 101, TCP_ACK, REQUEST);
	assert_true(account_decoded(a, &lost));
	assert_int_equal(lost.stream_half_open, 3000);
	t = rows(a, true);
	assert_int_equal(t.sum, MANY + 3000);
	assert_int_equal(of(&t, "http tcp"), 6000);
	assert_int_equal(of(&t, "tcp"), MANY - 3000);
	account_close(a);
}

static void udp(struct account *a, bool back, uint16_t port, const char *p, uint32_t n)
{
	struct bytes data = { .n = 0 }, o = { .n = 0 };

	put(&data, p, n);
	put_udp(&o, back ? 2 : 1, back ? 1 : 2, back ? 53 : port, back ? port : 53, &data);
	take(a, &o);
}

/* Either way; other ends, and what came before, are not meant. */
static void datagrams_are_of_what_the_ends_spoke(void **state)
{
	struct account *a = counter(BY_PROTO);
	struct told t;

	udp(a, false, 4000, "?", 1);
	udp(a, false, 4000, QUERY, LEN(QUERY));
	udp(a, false, 4000, "?", 1);
	udp(a, true, 4000, "?", 1);
	udp(a, false, 4001, "?", 1);
	t = rows(a, true);
	assert_int_equal(of(&t, "dns udp"), 3);
	assert_int_equal(of(&t, "udp"), 2);
	assert_int_equal(t.sum, 5);
	account_close(a);
}

/* GRE around a connection: the frame is one packet, of what is inside; by transport, of what is outside. */
static void a_tunnel_is_looked_into(void **state)
{
	static const enum account_by by[] = { BY_PROTO, BY_TRANSPORT, BY_TUNNEL, BY_FLAGS };
	static const char *const name[] = { "http tcp", "gre", "gre", "none" };

	for (unsigned int i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		struct account *a = counter(by[i]);
		struct bytes in = { .n = 0 }, o = { .n = 0 };
		struct told t;

		put_tcp(&in, 1, 2, 1000, 8080, 100, TCP_ACK, REQUEST, sizeof(REQUEST) - 1);
		put_ipv4(&o, 8, 9, 47, in.n - 14 + 4);
		PUT(&o, "\0\0\x08\0");
		put(&o, in.p + 14, in.n - 14);
		take(a, &o);
		t = rows(a, true);
		assert_int_equal(t.n, 1);
		assert_string_equal(t.name[0], name[i]);
		assert_int_equal(t.sum, 1);
		account_close(a);
	}
}

static void tagged(struct account *a, uint16_t id)
{
	struct bytes o = { .n = 0 };

	PUT(&o, "\2\0\0\0\0\2\2\0\0\0\0\1\x81\0");
	put16(&o, id);
	PUT(&o, "\x08\0\x45\0\0\x14\0\1\0\0\x40\x3b\0\0\x0a\0\0\1\x0a\0\0\2");
	take(a, &o);
}

static void tags_have_a_row_each(void **state)
{
	struct account *a = counter(BY_VLAN);
	struct told t;

	tagged(a, 10);
	tagged(a, 20);
	tagged(a, 10);
	tcp(a, 1, 1000, 8080, 100, TCP_SYN, "");
	t = rows(a, true);
	assert_int_equal(t.n, 3);
	assert_int_equal(of(&t, "10"), 2);
	assert_int_equal(of(&t, "20"), 1);
	assert_int_equal(of(&t, ""), 1);
	account_close(a);
}

/* Every id there is, and a few of them often. */
static void many_tags_are_summed(void **state)
{
	struct account *a = counter(BY_NOTHING);
	const struct named_count *c;
	uint64_t sum = 0;
	struct told t;

	for (int turn = 0; turn < 50; turn++)
		tagged(a, 77);
	for (uint16_t id = 0; id < 4096; id++)
		tagged(a, id);
	for (int turn = 0; turn < 50; turn++)
		tagged(a, 99);
	t = rows(a, true);
	c = t.body.by_vlan.p;
	assert_int_equal(t.body.by_vlan.n, 65);
	for (uint32_t i = 0; i < 65; i++)
		sum += c[i].n;
	assert_int_equal(sum, 4096 + 100);
	assert_int_equal(counted(&t.body.by_vlan, "99"), 50);
	assert_string_equal(c[64].name, "other");
	account_close(a);
}

static void words_tell_what_was_wrong(void **state)
{
	struct account *a = counter(BY_NOTHING);
	struct bytes o = { .n = 0 };
	struct told t;

	tcp(a, 1, 1000, 8080, 100, TCP_SYN, "");
	t = rows(a, false);
	assert_int_equal(t.body.by_malformed.n, 0);
	put_ipv4(&o, 1, 2, 6, 2);
	PUT(&o, "\0\1");
	o.p[14] = 0x44;			/* a header of 16 bytes */
	take(a, &o);
	o.p[14] = 0x35;
	take(a, &o);
	t = rows(a, true);
	assert_int_equal(t.body.undecoded, 2);
	assert_int_equal(counted(&t.body.by_malformed, "bad-length"), 1);
	assert_int_equal(counted(&t.body.by_malformed, "bad-version"), 1);
	account_close(a);
}

static void classes_have_a_row_each(void **state)
{
	struct account *a = counter(BY_SIZE), *b = counter(BY_FLAGS);
	struct bytes o = { .n = 0 }, data = { .n = 100 };
	struct told t;

	handshake(a, 1000, 8080);
	put_udp(&o, 1, 2, 1, 2, &data);
	take(a, &o);
	t = rows(a, true);
	assert_int_equal(of(&t, "64"), 3);
	assert_int_equal(of(&t, "255"), 1);
	account_close(a);
	handshake(b, 1000, 8080);
	take(b, &o);
	t = rows(b, true);
	assert_int_equal(of(&t, "syn"), 1);
	assert_int_equal(of(&t, "syn_ack"), 1);
	assert_int_equal(of(&t, "ack"), 1);
	assert_int_equal(of(&t, "none"), 1);
	account_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_packets_of_a_connection_are_its_protocols),
		cmocka_unit_test(flows_have_rates),
		cmocka_unit_test(what_was_told_stays),
		cmocka_unit_test(what_is_recognised_in_the_end_counts),
		cmocka_unit_test(connections_that_must_go_are_counted),
		cmocka_unit_test(datagrams_are_of_what_the_ends_spoke),
		cmocka_unit_test(a_tunnel_is_looked_into),
		cmocka_unit_test(tags_have_a_row_each),
		cmocka_unit_test(many_tags_are_summed),
		cmocka_unit_test(words_tell_what_was_wrong),
		cmocka_unit_test(classes_have_a_row_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
