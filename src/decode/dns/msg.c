// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/dns/dns.h"

enum {
	QUESTION_MIN = 5, RECORD_MIN = 11,	/* with the root for a name */
	/* rows of dns_question_items and dns_answer_items */
	NAME = 1 << 0, TYPE = 1 << 1, CLASS = 1 << 2, TTL = 1 << 3,
	UNICAST = 1 << 3,					/* of questions */
	DATA = 1 << 4, DATA_LIST = 1 << 5, FLUSH = 1 << 6,	/* of answers */
	TOP_BIT = 0x8000, EDNS_DO = 0x8000,
};
enum section { QUESTIONS, ANSWERS, AUTHORITIES, ADDITIONAL };

char *dns_keep_text(struct dns_parts *d, uint32_t n)
{
	if (DNS_TEXT_MAX - d->n_text < n)
		return NULL;
	d->n_text += n;
	return d->text + d->n_text - n;
}

struct str dns_keep_name(struct dns_parts *d, const struct dns_name *name)
{
	char *text = dns_keep_text(d, DNS_NAME_MAX);
	uint32_t n;

	if (!text)
		return (struct str){ "", 0 };
	n = dns_name_text(text, name);
	d->n_text -= DNS_NAME_MAX - n;
	return (struct str){ text, n };
}

static struct str keep_type(struct dns_parts *d, uint16_t type)
{
	return dns_type_text(type, dns_keep_text(d, DNS_SCRATCH));
}

static struct str keep_class(struct dns_parts *d, const struct dns_msg *m, uint16_t cls)
{
	return dns_class_text(m->mdns ? cls & ~TOP_BIT : cls, dns_keep_text(d, DNS_SCRATCH));
}

static enum dns_status header(struct dns_parts *d, const struct dns_msg *m)
{
	d->header = m->cap < DNS_HEADER ? m->cap : DNS_HEADER;
	if (m->len < DNS_HEADER)
		return DNS_BAD;
	d->id = d->header >= 2 ? be16(m->p) : 0;
	d->flags = d->header >= 4 ? be16(m->p + 2) : 0;
	for (uint32_t i = 0; i < 4; i++)
		d->counts[i] = d->header >= 6 + 2 * i ? be16(m->p + 4 + 2 * i) : 0;
	return d->header < DNS_HEADER ? DNS_CUT : DNS_OK;
}

enum dns_status dns_header(struct dns_parts *d, const struct dns_msg *m)
{
	enum dns_status st = header(d, m);
	uint32_t need;

	if (st == DNS_BAD)
		return DNS_BAD;
	need = QUESTION_MIN * d->counts[0] +
	       RECORD_MIN * ((uint32_t)d->counts[1] + d->counts[2] + d->counts[3]);
	return need > m->len - DNS_HEADER ? DNS_BAD : st;
}

/*
 * RFC 1035, 4.1.1 to 4.1.3: questions and records alike begin with a name, which nothing can be
 * a pointer to yet, a type and a class.  Each label takes a byte at least of the 255 of a name.
 */
enum dns_status dns_begins(const struct dns_parts *d, const struct dns_msg *m)
{
	uint32_t at = DNS_HEADER;
	uint16_t cls;
	uint8_t n;

	if (m->len < DNS_HEADER || d->flags & DNS_Z || dns_opcode(d) > DNS_DSO)
		return DNS_BAD;
	if (!(d->flags & DNS_QR) && d->flags & 15)
		return DNS_BAD;
	do {
		if (dns_reach(m, at, 1))
			return dns_reach(m, at, 1) == DNS_CUT ? DNS_CUT : DNS_OK;
		n = m->p[at];
		at += n + 1u;
		if (n > 63 || at > DNS_HEADER + DNS_WIRE_MAX + 1)
			return DNS_BAD;
	} while (n);
	if (dns_reach(m, at, 4))
		return dns_reach(m, at, 4) == DNS_CUT ? DNS_CUT : DNS_OK;
	if (be16(m->p + at) == DNS_OPT)
		return DNS_OK;
	cls = be16(m->p + at + 2);
	cls = m->mdns ? cls & ~TOP_BIT : cls;
	return cls == 1 || cls == 3 || cls == 4 || cls == 254 || cls == 255 ? DNS_OK : DNS_BAD;
}

/*
 * A name that breaks the rules elsewhere, but whose own bytes have an end, is passed
 * over: what follows it can be understood.  *named says whether it was read.
 */
static enum dns_status name_at(struct dns_parts *d, const struct dns_msg *m, uint32_t *at,
			       struct dns_name *name, bool *named)
{
	enum dns_status st = dns_name_read(m, at, m->len, name);

	*named = !st;
	if (st != DNS_BAD)
		return st;
	d->bad_names = true;
	return dns_name_skip(m, at);
}

static enum dns_status question(struct dns_parts *d, const struct dns_msg *m, uint32_t *at)
{
	struct dns_name other, *name = d->n_questions ? &other : &d->first;
	struct dns_question *q = &d->questions[d->n_questions];
	bool named;
	enum dns_status st = name_at(d, m, at, name, &named);
	uint16_t type, cls;

	if (!st)
		st = dns_reach(m, *at, 4);
	if (st)
		return st;
	type = be16(m->p + *at);
	cls = be16(m->p + *at + 2);
	*at += 4;
	if (!d->n_questions) {
		d->first_type = type;
		d->first_class = cls;
		d->first_named = named;
	}
	*q = (struct dns_question){ .present = TYPE | CLASS };
	if (named) {
		q->name = dns_keep_name(d, name);
		q->present |= NAME;
	}
	q->type = keep_type(d, type);
	q->class = keep_class(d, m, cls);
	if (m->mdns) {			/* RFC 6762, 5.4 */
		q->unicast_response = cls & TOP_BIT;
		q->present |= UNICAST;
	}
	d->n_questions++;
	return DNS_OK;
}

/* Beyond what is shown, and names that nobody asked for. */
static enum dns_status skip_question(const struct dns_msg *m, uint32_t *at)
{
	enum dns_status st = dns_name_skip(m, at);

	if (!st)
		st = dns_reach(m, *at, 4);
	*at += 4;
	return st;
}

/* RFC 6891, 6.1.1: an OPT record of the additional section, and there is one; the first is taken. */
static void edns(struct dns_parts *d, const struct dns_msg *m, const uint8_t *fixed)
{
	uint16_t size = be16(fixed + 2);

	d->edns_again = d->has_edns;
	if (d->has_edns)
		return;
	d->has_edns = true;
	d->edns_size = m->mdns ? size & ~TOP_BIT : size;
	d->edns_rcode = fixed[4];
	d->edns_version = fixed[5];
	d->edns_do = be16(fixed + 6) & EDNS_DO;
}

/* The record whose type is at `at`, all of it there; name is NULL when it was not read. */
static void answer(struct dns_parts *d, const struct dns_msg *m, const struct dns_name *name, uint32_t at)
{
	struct dns_answer *a = &d->answers[d->n_answers++];
	uint16_t type = be16(m->p + at), cls = be16(m->p + at + 2), n = be16(m->p + at + 8);

	*a = (struct dns_answer){ .present = TYPE };
	if (name) {
		a->name = dns_keep_name(d, name);
		a->present |= NAME;
	}
	a->type = keep_type(d, type);
	if (type == DNS_OPT)
		return;
	a->class = keep_class(d, m, cls);
	a->ttl = be32(m->p + at + 4);
	a->present |= CLASS | TTL;
	if (m->mdns) {			/* RFC 6762, 10.2 */
		a->cache_flush = cls & TOP_BIT;
		a->present |= FLUSH;
		cls &= ~TOP_BIT;
	}
	dns_rdata(d, m, type, at + 10, at + 10 + n, a);
	/* RFC 2136: an UPDATE has records without data. */
	if (n && cls == 1 && dns_rdata_known(type) && !(a->present & (DATA | DATA_LIST)))
		d->bad_names = true;
}

/* RFC 1035, 4.1.3.  Records that are not shown are only passed over, looking for OPT. */
static enum dns_status record(struct dns_parts *d, const struct dns_msg *m, uint32_t *at,
			      enum section section)
{
	bool shown = section == ANSWERS && d->n_answers < DNS_ANSWERS_MAX, named = true;
	struct dns_name name;
	enum dns_status st = shown ? name_at(d, m, at, &name, &named) : dns_name_skip(m, at);
	uint32_t fixed = *at;

	if (!st)
		st = dns_reach(m, fixed, 10);
	if (!st)
		st = dns_reach(m, fixed, 10u + be16(m->p + fixed + 8));
	if (st)
		return st;
	if (shown)
		answer(d, m, named ? &name : NULL, fixed);
	if (section == ADDITIONAL && be16(m->p + fixed) == DNS_OPT)
		edns(d, m, m->p + fixed);
	*at = fixed + 10 + be16(m->p + fixed + 8);
	return DNS_OK;
}

/*
 * Every turn of a loop passes over at least five bytes or ends it, and what a turn costs
 * beyond those is constant and spent at most 128 times: linear in the message's length.
 */
enum dns_status dns_parse(struct dns_parts *d, const struct dns_msg *m)
{
	enum dns_status st;
	uint32_t at = DNS_HEADER;

	d->n_questions = d->n_answers = d->n_strings = d->n_text = 0;
	d->has_edns = d->edns_again = d->bad_names = d->first_named = false;
	d->edns_rcode = 0;
	d->end = at;
	st = header(d, m);
	for (uint32_t i = 0; !st && i < d->counts[0]; i++) {
		st = i < DNS_ANSWERS_MAX ? question(d, m, &at) : skip_question(m, &at);
		d->end = st ? d->end : at;
	}
	for (enum section section = ANSWERS; section <= ADDITIONAL; section++)
		for (uint32_t i = 0; !st && i < d->counts[section]; i++) {
			st = record(d, m, &at, section);
			d->end = st ? d->end : at;
		}
	d->status = st ? st : d->bad_names || d->edns_again ? DNS_BAD : DNS_OK;
	return d->status;
}
