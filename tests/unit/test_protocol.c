// SPDX-License-Identifier: GPL-2.0-or-later
/* What it takes to add a protocol, and which rows are refused. */
#include "decode/protocol.h"
#include "decode/tls/fields.h"

#include <errno.h>

#include "talk_help.h"
#include "text/line.h"
#include "text/parts.h"

/* ── a protocol: a length, and so many bytes of text, the first of which is the number ──── */

struct toy_body {
	struct str text;
};

enum { FIELD_TOY_TEXT = FIELD_OWN, PORT_TOY = 77 };

static struct toy_body *toy_of(const struct record *r)
{
	return record_own(r);
}

static const struct field toy_fields[] = { OWN_FIELD(toy_body, "toy.text", FT_STR, text, "what is said") };
static struct field_table toy_table = FIELD_TABLE(toy_fields);

static void toy_line(struct line_state *st, const struct record *r, struct buf *b)
{
	buf_lit(b, "Toy");
	line_word(b, "", r, FIELD_TOY_TEXT);
}

static struct dataset toy_dataset = { .name = "toy", .is_protocol = true, .line = toy_line, .own = &toy_table,
				      .sections = SECTION_MESSAGE | SECTION_STREAM };

static enum guess toy_guess(struct call *c, const struct stream_data *d, bool hinted)
{
	return hinted ? GUESS_YES : GUESS_NO;
}

static uint32_t toy_take(struct call *c, const struct stream_data *d)
{
	bool asks = d->conn->client == d->dir + 1;
	struct request_key k = REQUEST_KEY(&toy_dataset, d->conn->serial, d->n > 1 ? d->p[1] : 0);
	struct record r;

	if (!d->n || d->n < 1u + d->p[0]) {
		d->side->want = d->n ? 1u + d->p[0] : 1;
		return 0;
	}
	conv_record(c, d, &r, &toy_dataset, "toy", asks ? "request" : "response");
	toy_of(&r)->text = (struct str){ (const char *)d->p + 1, d->p[0] };
	record_mark(&r, FIELD_TOY_TEXT);
	(asks ? requests_ask : requests_answer)(c->requests, &k, &r);
	emit_record(c->e, &r);
	return 1u + d->p[0];
}

static const struct request_rules toy_requests = { .timeout_ns = 7 * SECOND };

static const struct protocol toy_protocol = {
	.name = "toy",
	.set = &toy_dataset,
	.tcp_ports = { PORT_TOY },
	.requests = &toy_requests,
	.guess = toy_guess,
	.take = toy_take,
};

/* ── in use ─────────────────────────────────────────────────────────────── */

extern const struct protocol dns_protocol;
static const struct protocol *const both[] = { &toy_protocol, &dns_protocol, NULL };

/* What the user reads of each record, and what the record says. */
struct reader {
	struct lines lines;
	struct line_state *text;
	struct buf shown;
};

static int read_record(void *ctx, const struct record *r)
{
	struct reader *to = ctx;

	line_print(to->text, r, &to->shown);
	return line_of(&to->lines, r);
}

static void open_both(struct talk *t, struct reader *r)
{
	struct decode_options opt = { .protocols = both, .no_answer = true };

	talk_open_with(t, &opt, PORT_TOY);
	memset(r, 0, sizeof(*r));
	assert_int_equal(line_open(&r->text, &(struct line_options){ 0 }), 0);
	t->emit.fn = read_record;
	t->emit.ctx = r;
}

static void close_both(struct talk *t, struct reader *r)
{
	line_close(r->text);
	buf_free(&r->shown);
	talk_close(t);
}

static void say(struct reader *r, unsigned int i, const char *want)
{
	assert_true(i < r->lines.n);
	assert_string_equal(r->lines.text[i], want);
}

/* The bytes of a text, one a segment, in the order that `order` says. */
static void shuffle(struct talk *t, enum talk_dir dir, const char *p, const char *order)
{
	uint32_t seq = t->seq[dir], n = (uint32_t)strlen(order);

	for (uint32_t i = 0; i < n; i++) {
		t->seq[dir] = seq + (uint32_t)(order[i] - '0');
		talk_say(t, dir, p + (order[i] - '0'), 1);
	}
	t->seq[dir] = seq + n;
}

#define QUERY    "\0\7\1\0\0\1\0\0\0\0\0\0\1a\1b\0\0\1\0\1"
#define RESPONSE "\0\7\x81\x80\0\1\0\0\0\0\0\0\1a\1b\0\0\1\0\1"

static void a_row_is_a_protocol(void **state)
{
	struct talk t;
	static struct reader r;

	open_both(&t, &r);
	talk_handshake(&t);
	shuffle(&t, ASK, "\5hello", "041532");
	shuffle(&t, ASK, "\5other", "543210");
	t.port = 53;
	talk_datagram(&t, ASK, QUERY, sizeof(QUERY) - 1);
	t.port = PORT_TOY;
	shuffle(&t, REPLY, "\3hey", "3021");
	t.port = 53;
	talk_datagram(&t, REPLY, RESPONSE, sizeof(RESPONSE) - 1);
	t.port = PORT_TOY;
	assert_int_equal(r.lines.n, 5);
	say(&r, 0, "toy action=request frame=8 sport=4000 protocol=toy toy.text=hello");
	say(&r, 1, "toy action=request frame=14 sport=4000 protocol=toy toy.text=other");
	say(&r, 3, "toy action=response duration=11000000 frame=19 sport=77 protocol=toy toy.text=hey");
	assert_non_null(strstr(r.lines.text[4], "dns action=response outcome=success duration=5000000 "));
	talk_wait(&t, 6);
	assert_int_equal(r.lines.n, 5);
	talk_wait(&t, 1);
	assert_int_equal(r.lines.n, 6);
	say(&r, 5, "toy action=no_answer outcome=unknown frame=14 sport=4000 protocol=toy toy.text=other");
	buf_chr(&r.shown, '\0');
	assert_non_null(strstr(r.shown.p, " > 10.0.0.2.77: Toy hello"));
	assert_non_null(strstr(r.shown.p, " > 10.0.0.1.4000: Toy hey (11.000 ms)"));
	assert_non_null(strstr(r.shown.p, "Toy other !no_answer"));
	assert_non_null(strstr(r.shown.p, "A? a.b."));
	close_both(&t, &r);
}

/* ── rows that cannot be ────────────────────────────────────────────────── */

static bool take_datagram(struct call *c, bool hinted)
{
	return false;
}

static bool take_packet(struct call *c)
{
	return false;
}

static void refuses(struct protocol p, const char *want)
{
	const struct protocol *const rows[] = { &dns_protocol, &p, NULL };
	struct decode_options opt = { .protocols = rows };
	const char *mistake = protocol_mistake(rows);
	struct decode *d = NULL;

	assert_non_null(mistake);
	assert_string_equal(mistake, want);
	assert_int_equal(decode_open(&d, &opt), -EINVAL);
	assert_null(d);
}

static void rows_that_contradict_themselves_are_refused(void **state)
{
	static struct dataset dumb = { .name = "dumb" };
	static const struct request_rules hasty = { .max = 8 };
	struct protocol p = toy_protocol;

	assert_null(protocol_mistake(both));
	assert_null(protocol_mistake(protocols));
	refuses((struct protocol){ .set = &toy_dataset, .packet = take_packet },
		"a protocol has no name or no dataset");
	refuses((struct protocol){ .name = "toy", .packet = take_packet }, "toy has no name or no dataset");
	p.set = &dumb;
	refuses(p, "toy has no line of text");
	p = toy_protocol;
	p.guess = NULL;
	refuses(p, "toy guesses without taking, or the other way round");
	p.guess = toy_guess;
	p.take = NULL;
	refuses(p, "toy guesses without taking, or the other way round");
	refuses((struct protocol){ .name = "toy", .set = &toy_dataset }, "toy takes nothing");
	refuses((struct protocol){ .name = "toy", .set = &toy_dataset, .tcp_ports = { 1 }, .datagram = take_datagram },
		"toy has ports of a transport it does not read");
	p = toy_protocol;
	p.udp_ports[0] = 1;
	refuses(p, "toy has ports of a transport it does not read");
	p = toy_protocol;
	p.first = take_packet;
	refuses(p, "toy reads first fragments, but no datagrams");
	p = toy_protocol;
	p.requests = &hasty;
	refuses(p, "toy has requests that wait for no time");
	p = toy_protocol;
	p.name = "dns";
	refuses(p, "dns is there twice");
}

static void there_may_be_so_many_rows(void **state)
{
	static struct protocol all[PROTOCOLS_MAX + 1];
	static char names[PROTOCOLS_MAX + 1][8];
	const struct protocol *rows[PROTOCOLS_MAX + 2] = { NULL };

	for (unsigned int i = 0; i <= PROTOCOLS_MAX; i++) {
		assert_null(protocol_mistake(rows));
		snprintf(names[i], sizeof(names[i]), "toy%u", i);
		all[i] = toy_protocol;
		all[i].name = names[i];
		rows[i] = &all[i];
	}
	assert_string_equal(protocol_mistake(rows), "toy32 is one too many");
}

/* Heads of TLS are known on any port; what stands before them is not. */
static void ports_where_tls_comes_behind_something_are_wanted(void **state)
{
	static const struct decode_as as = { .proto = 6, .port = 7777 };
	const uint64_t sets[] = { dataset_bit(&tls_dataset), dataset_bit(&handshake_dataset) };
	uint8_t bits[8192];

	for (size_t i = 0; i < 2; i++) {
		protocol_tcp_ports(sets[i], &as, 1, bits);
		assert_true(bits[25 / 8] >> 25 % 8 & 1);
		assert_true(bits[5432 / 8] >> 5432 % 8 & 1);
		assert_true(bits[7777 / 8] >> 7777 % 8 & 1);
		assert_false(bits[443 / 8] >> 443 % 8 & 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_a_protocol),
		cmocka_unit_test(rows_that_contradict_themselves_are_refused),
		cmocka_unit_test(there_may_be_so_many_rows),
		cmocka_unit_test(ports_where_tls_comes_behind_something_are_wanted),
	};

	if (dataset_add(&toy_dataset))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
