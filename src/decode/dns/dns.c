// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/conv.h"
#include "decode/dns/dns.h"
#include "decode/dns/fields.h"

enum {
	PORT_DNS = 53, PORT_NBNS = 137, PORT_MDNS = 5353, PORT_LLMNR = 5355,
	HEADER_SEEN = 4,		/* bytes that say what message it is: the id and the flags */
	UNSYNCED = 0, SYNCED,		/* stream_side.phase */
	FAILURES_MAX = 16,		/* of a direction to be found to carry DNS */
};

enum dns_protocol { DNS_PLAIN, DNS_MULTICAST, DNS_LINK_LOCAL };

static const char *const dns_protocol_names[] = {
	[DNS_PLAIN] = "dns", [DNS_MULTICAST] = "mdns", [DNS_LINK_LOCAL] = "llmnr",
};

struct dns_state {
	struct dns_parts parts;
	uint64_t malformed;
};

/* What a message needs on its way to a record. */
struct context {
	struct dns_state *st;
	struct call *call;
	const struct stream_data *d;	/* NULL: a datagram */
	enum dns_protocol protocol;
	bool first;			/* of a datagram's fragments; the others may come */
};

static void dns_close(void *ctx)
{
	free(ctx);
}

static int dns_open(void **out, const struct decode_options *opt)
{
	struct dns_state *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	*out = st;
	return 0;
}

static void dns_counts(const void *ctx, struct decode_counts *c)
{
	const struct dns_state *st = ctx;

	c->malformed += st->malformed;
}

static void mark_header(struct record *r, const struct dns_parts *d)
{
	static const unsigned int counts[] = { FIELD_DNS_QDCOUNT, FIELD_DNS_ANCOUNT, FIELD_DNS_NSCOUNT,
						FIELD_DNS_ARCOUNT };

	dns_of(r)->questions_count = d->counts[0];
	dns_of(r)->answers_count = d->counts[1];
	dns_of(r)->authorities_count = d->counts[2];
	dns_of(r)->additionals_count = d->counts[3];
	for (uint32_t i = 0; i < 4; i++)
		if (d->header >= 6 + 2 * i)
			record_mark(r, counts[i]);
}

static void mark_sections(struct record *r, const struct dns_parts *d, bool mdns)
{
	if (d->n_questions) {
		dns_of(r)->question_name = d->questions[0].name;
		dns_of(r)->question_type = d->questions[0].type;
		dns_of(r)->question_class = d->questions[0].class;
		if (d->first_named)
			record_mark(r, FIELD_DNS_QUESTION_NAME);
		record_mark(r, FIELD_DNS_QUESTION_TYPE);
		record_mark(r, FIELD_DNS_QUESTION_CLASS);
		dns_of(r)->question_unicast = d->questions[0].unicast_response;
		if (mdns)
			record_mark(r, FIELD_DNS_QUESTION_UNICAST);
	}
	if (d->n_questions > 1) {
		dns_of(r)->questions = (struct list){ d->questions, d->n_questions };
		record_mark(r, FIELD_DNS_QUESTIONS);
	}
	if (d->n_answers) {
		dns_of(r)->answers = (struct list){ d->answers, d->n_answers };
		record_mark(r, FIELD_DNS_ANSWERS);
	}
	if (d->has_edns) {
		dns_of(r)->edns_version = d->edns_version;
		dns_of(r)->edns_udp_size = d->edns_size;
		dns_of(r)->edns_do = d->edns_do;
		record_mark(r, FIELD_DNS_EDNS_VERSION);
		record_mark(r, FIELD_DNS_EDNS_UDP_SIZE);
		record_mark(r, FIELD_DNS_EDNS_DO);
	}
}

/* RFC 4795, 2.1.1: of an LLMNR header two bits mean something else, and four are of no use. */
static uint32_t list_flags(const char *out[6], uint16_t flags, bool llmnr)
{
	static const struct { uint16_t bit; const char *word, *llmnr; } words[] = {
		{ DNS_AA, "AA", "C" }, { DNS_TC, "TC", "TC" }, { DNS_RD, "RD", "T" },
		{ DNS_RA, "RA", NULL }, { DNS_AD, "AD", NULL }, { DNS_CD, "CD", NULL },
	};
	uint32_t n = 0;

	for (uint32_t i = 0; i < 6; i++) {
		const char *word = llmnr ? words[i].llmnr : words[i].word;

		if (flags & words[i].bit && word)
			out[n++] = word;
	}
	return n;
}

/* In a query, flags and a code that responses have; in both, what is reserved. */
static void mark_bits(struct record *r, const struct dns_parts *d, bool llmnr)
{
	uint16_t none = llmnr ? DNS_RA | DNS_Z | DNS_AD | DNS_CD : DNS_Z;

	if (!(d->flags & DNS_QR))
		none |= llmnr ? DNS_TC | DNS_RD | 15 : DNS_AA | DNS_TC | DNS_RA | 15;
	dns_of(r)->header_bits = d->flags;
	if (d->flags & none)
		record_mark(r, FIELD_DNS_HEADER_BITS);
}

/* What keeps it from being read to its end: something in the packet, or else in the message. */
static void mark_malformed(struct record *r, const struct dns_parts *d)
{
	if (record_has(r, FIELD_MALFORMED) || !d->status)
		return;
	r->malformed = d->status == DNS_CUT ? "truncated" : "domain";
	record_mark(r, FIELD_MALFORMED);
}

/* ── pairing ────────────────────────────────────────────────────────────── */

/* What a no_answer record repeats of its query. */
static const uint16_t kept_fields[] = {
	FIELD_FRAME_NUMBER, FIELD_SRC_IP, FIELD_SRC_PORT, FIELD_DST_IP, FIELD_DST_PORT, FIELD_TRANSPORT,
	FIELD_PROTOCOL, FIELD_DIRECTION, FIELD_INTERFACE, FIELD_DNS_ID, FIELD_DNS_TYPE, FIELD_DNS_OP_CODE,
	FIELD_DNS_QUESTION_NAME, FIELD_DNS_QUESTION_TYPE, FIELD_DNS_QUESTION_CLASS, 0
};

static const struct request_rules dns_requests = { .timeout_ns = 5000000000ull, .keeps = kept_fields };

/*
 * The first question; 0: it is not there, or cannot be read.  It counts as much as the id; case does
 * not (draft-vixie-dnsext-dns0x20).
 */
static uint64_t question_of(const struct call *c, const struct dns_parts *d)
{
	uint64_t w[1 + (DNS_WIRE_MAX + 7) / 8] = { (uint64_t)d->first_type << 16 | d->first_class };
	uint8_t *at = (uint8_t *)(w + 1);

	if (!d->n_questions || !d->first_named)
		return 0;
	/* No length of a label is a letter: they are below 64. */
	for (uint32_t i = 0; i < d->first.n; i++)
		at[i] = d->first.wire[i] >= 'A' && d->first.wire[i] <= 'Z' ? d->first.wire[i] | 32
									   : d->first.wire[i];
	return conv_digest(c, w, 1 + (d->first.n + 7u) / 8);
}

/*
 * RFC 5452, 9.1: a response comes from where the query went, to where it came from, with its
 * id and its question.  mDNS is left out: nobody need answer it, and its answers come to everybody.
 * An LLMNR query goes to a group, so whoever answers answers it.  Of a datagram's first fragment a
 * response is the beginning; a query's question may be cut there, so only the whole one waits.
 */
static void pair(const struct context *c, struct record *r, bool response)
{
	const struct dns_parts *d = &c->st->parts;
	struct requests *q = c->call->requests;
	struct request_key k;

	if (c->protocol == DNS_MULTICAST || (c->first && !response))
		return;
	k = (struct request_key){ &dns_dataset, conv_asker(c->call, response, c->protocol == DNS_LINK_LOCAL), d->id,
				  question_of(c->call, d), false };
	if (!response)
		requests_ask(q, &k, r);
	else if (c->first)
		requests_begin_answer(q, &k, r);
	else
		requests_answer(q, &k, r);
}

/* ── a message ──────────────────────────────────────────────────────────── */

/* The message in st->parts becomes a record. */
static void emit_message(struct context *c, const struct dns_msg *m)
{
	const struct dns_parts *d = &c->st->parts;
	bool response = d->flags & DNS_QR;
	char opcode[DNS_SCRATCH], rcode[DNS_SCRATCH];
	const char *flags[6];
	struct record r;

	conv_record(c->call, c->d, &r, &dns_dataset, dns_protocol_names[c->protocol], response ? "response" : "query");
	if (c->protocol != DNS_PLAIN)
		packet_macs(c->call->pk, &r);
	r.rest_len = m->len + (c->d ? 2 : 0);
	dns_of(&r)->id = d->id;
	dns_of(&r)->type = response ? "answer" : "query";
	dns_of(&r)->op_code = dns_opcode_text(dns_opcode(d), opcode);
	dns_of(&r)->header_flags = (struct list){ flags, list_flags(flags, d->flags, c->protocol == DNS_LINK_LOCAL) };
	mark_bits(&r, d, c->protocol == DNS_LINK_LOCAL);
	record_mark(&r, FIELD_DNS_ID);
	record_mark(&r, FIELD_DNS_TYPE);
	record_mark(&r, FIELD_DNS_OP_CODE);
	record_mark(&r, FIELD_DNS_HEADER_FLAGS);
	if (response) {
		dns_of(&r)->response_code = dns_rcode_text(dns_rcode(d), rcode);
		record_mark(&r, FIELD_DNS_RESPONSE_CODE);
		r.outcome = dns_rcode(d) ? "failure" : "success";
		record_mark(&r, FIELD_OUTCOME);
	}
	mark_header(&r, d);
	mark_sections(&r, d, c->protocol == DNS_MULTICAST);
	mark_malformed(&r, d);
	pair(c, &r, response);
	emit_record(c->call->e, &r);
}

/* Understand as much as there is.  DNS_BAD: the header is not one, and there is nothing to give. */
static enum dns_status understand(struct context *c, const struct dns_msg *m)
{
	struct dns_parts *d = &c->st->parts;
	enum dns_status st = dns_header(d, m);

	/* A response cut to its size, a FORMERR that is a header alone: their counts are often left. */
	if (st == DNS_BAD && dns_begins(d, m) != DNS_BAD)
		st = DNS_OK;
	if (st == DNS_BAD || d->header < HEADER_SEEN) {
		c->st->malformed += st == DNS_BAD;
		return DNS_BAD;
	}
	if (dns_parse(d, m) == DNS_BAD)
		c->st->malformed++;
	return DNS_OK;
}

static bool plain_header(const struct dns_parts *d)
{
	if (dns_opcode(d) || d->flags & DNS_Z || d->counts[0] != 1)
		return false;
	return d->flags & DNS_QR || !(d->flags & 15 || d->counts[1] || d->counts[2]);
}

/*
 * On a port that says nothing: one plain question, of a type and a class that exist,
 * flags as RFC 1035 (4.1.1) wants them, and not a byte unaccounted for.
 */
static bool looks_like_dns(struct dns_parts *d, const struct dns_msg *m)
{
	if (m->cap < m->len || dns_header(d, m) || !plain_header(d))
		return false;
	if (dns_parse(d, m) || d->end != m->len || !dns_type_known(d->first_type))
		return false;
	return d->first_class == 1 || d->first_class == 3 || d->first_class == 4 || d->first_class == 255;
}

static bool has_port(const struct packet *pk, uint16_t port)
{
	return pk->ip.sport == port || pk->ip.dport == port;
}

static bool take_datagram(struct call *call, bool hinted)
{
	const struct packet *pk = call->pk;
	struct context c = { call->ctx, call, NULL, DNS_PLAIN, false };
	struct dns_msg m = { pk->payload, pk->payload_cap, pk->payload_len, false };

	if (m.cap > m.len)
		m.cap = m.len;
	if (has_port(pk, PORT_DNS))
		c.protocol = DNS_PLAIN;
	else if (has_port(pk, PORT_MDNS))
		c.protocol = DNS_MULTICAST;
	else if (has_port(pk, PORT_LLMNR))
		c.protocol = DNS_LINK_LOCAL;
	else if (!hinted && (has_port(pk, PORT_NBNS) || !looks_like_dns(&c.st->parts, &m)))
		return false;
	m.mdns = c.protocol == DNS_MULTICAST;
	if (understand(&c, &m) != DNS_OK)
		return false;
	emit_message(&c, &m);
	return true;
}

/* What the bytes of a first fragment say; the message is as long as its UDP header has it. */
static bool take_first(struct call *call)
{
	const struct packet *pk = call->pk;
	uint32_t len = pk->l4_cap >= 8 ? be16(pk->l4 + 4) : 0;
	struct context c = { call->ctx, call, NULL, DNS_PLAIN, true };
	struct dns_msg m = { pk->payload, pk->payload_cap, len < 8 ? 0 : len - 8, false };

	if (has_port(pk, PORT_MDNS))
		c.protocol = DNS_MULTICAST;
	else if (has_port(pk, PORT_LLMNR))
		c.protocol = DNS_LINK_LOCAL;
	m.mdns = c.protocol == DNS_MULTICAST;
	if (m.cap >= m.len || understand(&c, &m) != DNS_OK)
		return false;
	emit_message(&c, &m);
	return true;
}

/* The direction is not known to carry DNS: try again where its next segment begins. */
static uint32_t lose_sync(const struct stream_data *d)
{
	d->side->phase = UNSYNCED;
	if (++d->side->failures >= FAILURES_MAX)
		d->side->ignored = true;
	return d->n;
}

/* The part of a message before a hole.  Only what the snap length cut is given. */
static void take_part(struct context *c, const struct stream_data *d, const struct dns_msg *m)
{
	if (d->cut && m->cap >= HEADER_SEEN && understand(c, m) == DNS_OK)
		emit_message(c, m);
}

/*
 * Could the message that a stream joined in its middle shows first be one?  All of it is right;
 * or else it is cut behind a question or record, and its length is what came.
 */
static bool is_message(struct dns_parts *d, const struct stream_data *data, const struct dns_msg *m)
{
	bool fits = dns_header(d, m) != DNS_BAD;

	if (!dns_parse(d, m))
		return d->end == m->len;
	return !fits && d->end == m->len && data->n == m->len + 2 && dns_begins(d, m) == DNS_OK;
}

static uint32_t take_whole(struct context *c, const struct stream_data *d, const struct dns_msg *m)
{
	struct dns_parts *parts = &c->st->parts;
	bool trusted = d->side->phase == SYNCED;
	enum dns_status st;

	if (!trusted && d->side->midstream && !is_message(parts, d, m))
		return lose_sync(d);
	st = understand(c, m);
	if (st && !trusted)
		return lose_sync(d);
	d->side->phase = SYNCED;
	d->side->failures = 0;
	if (!st)
		emit_message(c, m);
	return m->len + 2;
}

/* Where a message may begin: DNS_BAD, it does not; DNS_CUT, more is needed to say, or all of it. */
static enum dns_status may_begin(struct dns_parts *d, const struct dns_msg *m)
{
	enum dns_status st;

	if (m->cap < DNS_HEADER && m->len >= DNS_HEADER)
		return DNS_CUT;
	st = dns_header(d, m) != DNS_BAD ? DNS_OK : dns_begins(d, m);
	return dns_opcode(d) > DNS_DSO ? DNS_BAD : st;
}

/*
 * RFC 1035, 4.2.2: two bytes of length before each message.  Where the stream was joined
 * in its middle they may be anything: there a message counts when all of it is right.
 */
static uint32_t take_message(struct call *call, const struct stream_data *d)
{
	const struct packet *pk = call->pk;
	bool llmnr = has_port(pk, PORT_LLMNR) && !has_port(pk, PORT_DNS);
	struct context c = { call->ctx, call, d, llmnr ? DNS_LINK_LOCAL : DNS_PLAIN, false };
	struct dns_msg m = { .p = d->p + 2 };
	enum dns_status begun = DNS_OK;

	if (d->n < 2)
		return 0;
	m.len = be16(d->p);
	m.cap = d->n - 2 < m.len ? d->n - 2 : m.len;
	if (d->side->phase == UNSYNCED)
		begun = may_begin(&c.st->parts, &m);
	if (begun == DNS_BAD)
		return lose_sync(d);
	if (m.cap == m.len)
		return take_whole(&c, d, &m);
	if (d->missing)
		take_part(&c, d, &m);
	d->side->want = 2 + m.len;
	if (begun == DNS_CUT)
		d->side->want = m.cap < DNS_HEADER ? 2 + DNS_HEADER : d->n + 1;
	return 0;
}

/* What promises too much may be a response all the same, but text, or a request of another protocol, is none. */
static enum guess guess_hinted(struct dns_parts *d, const struct dns_msg *m)
{
	enum dns_status st = may_begin(d, m);

	if (m->cap < DNS_HEADER && m->len >= DNS_HEADER)
		return GUESS_MORE;
	return st == DNS_OK || (st == DNS_CUT && d->flags & DNS_QR) ? GUESS_YES : GUESS_NO;
}

/*
 * Between ports that say nothing: one whole message, not longer than is waited for.  Where they say
 * DNS, what begins one.
 */
static enum guess guess_dns(struct call *call, const struct stream_data *d, bool hinted)
{
	struct dns_state *st = call->ctx;
	struct dns_msg m = { .p = d->p + 2 };

	if (hinted && (d->missing || d->side->midstream))
		return GUESS_YES;
	if (d->n < 2)
		return GUESS_MORE;
	m.len = be16(d->p);
	m.cap = d->n - 2 < m.len ? d->n - 2 : m.len;
	if (hinted)
		return guess_hinted(&st->parts, &m);
	if (m.len < DNS_HEADER || m.len > CONV_GUESS_MAX - 2)
		return GUESS_NO;
	if (m.cap < m.len)
		return m.cap < DNS_HEADER || (!dns_header(&st->parts, &m) && plain_header(&st->parts)) ? GUESS_MORE
													: GUESS_NO;
	return looks_like_dns(&st->parts, &m) ? GUESS_YES : GUESS_NO;
}

const struct protocol dns_protocol = {
	.name = "dns",
	.set = &dns_dataset,
	.tcp_ports = { PORT_DNS, PORT_MDNS, PORT_LLMNR },
	.udp_ports = { PORT_DNS, PORT_MDNS, PORT_LLMNR },
	.requests = &dns_requests,
	.open = dns_open,
	.close = dns_close,
	.counts = dns_counts,
	.datagram = take_datagram,
	.first = take_first,
	.guess = guess_dns,
	.take = take_message,
};
