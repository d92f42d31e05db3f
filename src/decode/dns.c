// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"
#include "decode/dns.h"
#include "decode/dns_pending.h"
#include "decode/stream.h"

enum {
	PORT_DNS = 53, PORT_NBNS = 137, PORT_MDNS = 5353, PORT_LLMNR = 5355,
	IP_TCP = 6, IP_UDP = 17,
	HEADER_SEEN = 4,		/* octets that say what message it is: the id and the flags */
	UNSYNCED = 0, SYNCED,		/* stream_side.phase */
	FAILURES_MAX = 16,		/* of a direction to be found to carry DNS */
};
enum flag_z { DNS_Z = 0x40 };

struct dns_state {
	struct dns_parts parts;
	struct streams *streams;
	struct dns_pending *pending;
	uint32_t odd_ports;		/* TCP connections seen that were told by contents */
	uint64_t malformed;
};

/* What a message needs on its way to a record. */
struct context {
	struct dns_state *st;
	const struct packet *pk;
	struct emit *e;
	enum dns_protocol protocol;
};

int dns_open(struct dns_state **out, const struct decode_options *opt)
{
	struct dns_state *st = calloc(1, sizeof(*st));

	if (!st || stream_open(&st->streams, opt->seed) || dns_pending_open(&st->pending, opt)) {
		dns_close(st);
		return -ENOMEM;
	}
	*out = st;
	return 0;
}

void dns_close(struct dns_state *st)
{
	if (!st)
		return;
	stream_close(st->streams);
	dns_pending_close(st->pending);
	free(st);
}

void dns_counts(const struct dns_state *st, struct decode_counts *c)
{
	struct stream_counts s;

	stream_counts(st->streams, &s);
	c->stream_evicted += s.evicted;
	c->stream_gaps += s.gaps;
	c->malformed += st->malformed;
	c->pending_evicted += dns_pending_evicted(st->pending);
}

void dns_tick(struct dns_state *st, uint64_t now_ns, struct emit *e)
{
	dns_pending_tick(st->pending, now_ns, e);
}

static void mark_header(struct record *r, const struct dns_parts *d)
{
	static const enum field_id counts[] = { FIELD_DNS_QDCOUNT, FIELD_DNS_ANCOUNT, FIELD_DNS_NSCOUNT,
						FIELD_DNS_ARCOUNT };

	r->dns.questions_count = d->counts[0];
	r->dns.answers_count = d->counts[1];
	r->dns.authorities_count = d->counts[2];
	r->dns.additionals_count = d->counts[3];
	for (uint32_t i = 0; i < 4; i++)
		if (d->header >= 6 + 2 * i)
			record_mark(r, counts[i]);
}

static void mark_sections(struct record *r, const struct dns_parts *d)
{
	if (d->n_questions) {
		r->dns.question_name = d->questions[0].name;
		r->dns.question_type = d->questions[0].type;
		r->dns.question_class = d->questions[0].class;
		if (d->first_named)
			record_mark(r, FIELD_DNS_QUESTION_NAME);
		record_mark(r, FIELD_DNS_QUESTION_TYPE);
		record_mark(r, FIELD_DNS_QUESTION_CLASS);
	}
	if (d->n_questions > 1) {
		r->dns.questions = (struct list){ d->questions, d->n_questions };
		record_mark(r, FIELD_DNS_QUESTIONS);
	}
	if (d->n_answers) {
		r->dns.answers = (struct list){ d->answers, d->n_answers };
		record_mark(r, FIELD_DNS_ANSWERS);
	}
	if (d->has_edns) {
		r->dns.edns_version = d->edns_version;
		r->dns.edns_udp_size = d->edns_size;
		r->dns.edns_do = d->edns_do;
		record_mark(r, FIELD_DNS_EDNS_VERSION);
		record_mark(r, FIELD_DNS_EDNS_UDP_SIZE);
		record_mark(r, FIELD_DNS_EDNS_DO);
	}
}

static uint32_t list_flags(const char *out[6], uint16_t flags)
{
	static const struct { uint16_t bit; const char *word; } words[] = {
		{ DNS_AA, "AA" }, { DNS_TC, "TC" }, { DNS_RD, "RD" },
		{ DNS_RA, "RA" }, { DNS_AD, "AD" }, { DNS_CD, "CD" },
	};
	uint32_t n = 0;

	for (uint32_t i = 0; i < 6; i++)
		if (flags & words[i].bit)
			out[n++] = words[i].word;
	return n;
}

/* The message in st->parts becomes a record. */
static void give(struct context *c)
{
	const struct dns_parts *d = &c->st->parts;
	bool response = d->flags & DNS_QR;
	char opcode[DNS_SCRATCH], rcode[DNS_SCRATCH];
	const char *flags[6];
	struct record r;

	packet_record(c->pk, &r, REC_DNS);
	r.action = response ? "response" : "query";
	r.protocol = dns_protocol_names[c->protocol];
	r.dns.id = d->id;
	r.dns.type = response ? "answer" : "query";
	r.dns.op_code = dns_opcode_text(dns_opcode(d), opcode);
	r.dns.header_flags = (struct list){ flags, list_flags(flags, d->flags) };
	record_mark(&r, FIELD_ACTION);
	record_mark(&r, FIELD_PROTOCOL);
	record_mark(&r, FIELD_DNS_ID);
	record_mark(&r, FIELD_DNS_TYPE);
	record_mark(&r, FIELD_DNS_OP_CODE);
	record_mark(&r, FIELD_DNS_HEADER_FLAGS);
	if (response) {
		r.dns.response_code = dns_rcode_text(d->flags & 15, rcode);
		record_mark(&r, FIELD_DNS_RESPONSE_CODE);
		r.outcome = d->flags & 15 || d->edns_rcode ? "failure" : "success";
		record_mark(&r, FIELD_OUTCOME);
		if (dns_pending_answered(c->st->pending, c->pk, c->protocol, d, &r.duration_ns))
			record_mark(&r, FIELD_DURATION);
	} else {
		dns_pending_asked(c->st->pending, &r, c->pk, c->protocol, d);
	}
	mark_header(&r, d);
	mark_sections(&r, d);
	emit_record(c->e, &r);
}

/* Understand as much as there is.  DNS_BAD: the header is not one, and there is nothing to give. */
static enum dns_status understand(struct context *c, const struct dns_msg *m)
{
	struct dns_parts *d = &c->st->parts;
	enum dns_status st = dns_header(d, m);

	if (st == DNS_BAD || d->header < HEADER_SEEN) {
		c->st->malformed += st == DNS_BAD;
		return DNS_BAD;
	}
	if (dns_parse(d, m) == DNS_BAD)
		c->st->malformed++;
	return DNS_OK;
}

/*
 * On a port that says nothing: one plain question, of a type and a class that exist,
 * flags as RFC 1035 (4.1.1) wants them, and not an octet unaccounted for.
 */
static bool looks_like_dns(struct dns_parts *d, const struct dns_msg *m)
{
	if (m->cap < m->len || dns_header(d, m) || dns_opcode(d) || d->flags & DNS_Z || d->counts[0] != 1)
		return false;
	if (!(d->flags & DNS_QR) && (d->flags & 15 || d->counts[1] || d->counts[2]))
		return false;
	if (dns_parse(d, m) || d->end != m->len || !dns_type_known(d->first_type))
		return false;
	return d->first_class == 1 || d->first_class == 3 || d->first_class == 4 || d->first_class == 255;
}

static bool has_port(const struct packet *pk, uint16_t port)
{
	return pk->ip.sport == port || pk->ip.dport == port;
}

static void udp(struct context *c, const struct packet *pk)
{
	struct dns_msg m = { pk->payload, pk->payload_cap, pk->payload_len, false };

	if (!m.len)
		return;
	if (m.cap > m.len)
		m.cap = m.len;
	if (has_port(pk, PORT_DNS))
		c->protocol = DNS_PLAIN;
	else if (has_port(pk, PORT_MDNS))
		c->protocol = DNS_MULTICAST;
	else if (has_port(pk, PORT_LLMNR))
		c->protocol = DNS_LINK_LOCAL;
	else if (!has_port(pk, PORT_NBNS) && looks_like_dns(&c->st->parts, &m))
		c->protocol = DNS_PLAIN;
	else
		return;
	m.mdns = c->protocol == DNS_MULTICAST;
	if (understand(c, &m) == DNS_OK)
		give(c);
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
		give(c);
}

static uint32_t take_whole(struct context *c, const struct stream_data *d, const struct dns_msg *m)
{
	struct dns_parts *parts = &c->st->parts;
	bool trusted = d->side->phase == SYNCED;
	enum dns_status st;

	if (!trusted && d->side->midstream) {
		if (dns_parse(parts, m) || parts->end != m->len)
			return lose_sync(d);
	}
	st = understand(c, m);
	if (st && !trusted)
		return lose_sync(d);
	d->side->phase = SYNCED;
	d->side->failures = 0;
	if (!st)
		give(c);
	return m->len + 2;
}

/*
 * RFC 1035, 4.2.2: two octets of length before each message.  Where the stream was joined
 * in its middle they may be anything: there a message counts when all of it is right.
 */
static uint32_t take_message(void *ctx, const struct stream_data *d)
{
	struct context *c = ctx;
	struct dns_msg m = { .p = d->p + 2 };

	if (d->n < 2)
		return 0;
	m.len = dns_be16(d->p);
	m.cap = d->n - 2 < m.len ? d->n - 2 : m.len;
	if (d->side->phase == UNSYNCED && (m.cap >= DNS_HEADER || m.len < DNS_HEADER)) {
		struct dns_parts *parts = &c->st->parts;

		if (dns_header(parts, &m) == DNS_BAD || dns_opcode(parts) > DNS_DSO)
			return lose_sync(d);
	}
	if (m.cap == m.len)
		return take_whole(c, d, &m);
	if (d->missing)
		take_part(c, d, &m);
	d->side->want = d->side->phase == UNSYNCED && m.cap < DNS_HEADER ? 2 + DNS_HEADER : 2 + m.len;
	return 0;
}

/* The first segment seen of a connection between ports that say nothing: one whole message. */
static bool starts_dns(struct dns_state *st, const struct packet *pk)
{
	struct dns_msg m = { pk->payload + 2, pk->payload_cap - 2, pk->payload_len - 2, false };

	if (pk->payload_cap < 2 + DNS_HEADER || pk->payload_cap < pk->payload_len ||
	    dns_be16(pk->payload) != m.len)
		return false;
	if (!looks_like_dns(&st->parts, &m))
		return false;
	st->odd_ports += st->odd_ports < UINT32_MAX;
	return true;
}

static void tcp(struct context *c, const struct packet *pk)
{
	bool known = has_port(pk, PORT_DNS) || has_port(pk, PORT_MDNS) || has_port(pk, PORT_LLMNR);

	if (!known && !(c->st->odd_ports && stream_knows(c->st->streams, pk)) && !starts_dns(c->st, pk))
		return;
	c->protocol = has_port(pk, PORT_LLMNR) && !has_port(pk, PORT_DNS) ? DNS_LINK_LOCAL : DNS_PLAIN;
	stream_packet(c->st->streams, pk, take_message, c);
}

void dns_decode(struct dns_state *st, const struct packet *pk, struct emit *e)
{
	struct context c = { st, pk, e, DNS_PLAIN };

	if (pk->is_fragment && !pk->reassembled)
		return;
	if (pk->ip.proto == IP_UDP && pk->payload)
		udp(&c, pk);
	else if (pk->ip.proto == IP_TCP && pk->has_tcp)
		tcp(&c, pk);
}
