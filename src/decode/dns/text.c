// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/dns/fields.h"
#include "numbers/ipproto.h"
#include "text/parts.h"

static bool is_word(const struct str *s, const char *word)
{
	return s->n == strlen(word) && !memcmp(s->p, word, s->n);
}

static bool has_flag(const struct record *r, const char *flag)
{
	const char *const *word = dns_of(r)->header_flags.p;
	uint32_t i;

	if (!record_has(r, FIELD_DNS_HEADER_FLAGS))
		return false;
	for (i = 0; i < dns_of(r)->header_flags.n; i++)
		if (!strcmp(word[i], flag))
			return true;
	return false;
}

/*
 * A name, with the final dot that records leave out.  Records have it escaped as
 * RFC 1035, 5.1 says, so a backslash stays one.
 */
static void put_name(struct buf *b, const char *p, uint32_t n)
{
	uint32_t i, from = 0;

	for (i = 0; i < n; i++) {
		if (p[i] != '\\')
			continue;
		line_text(b, p + from, i - from);
		buf_chr(b, '\\');
		from = i + 1;
	}
	line_text(b, p + from, n - from);
	if (n != 1 || p[0] != '.')
		buf_chr(b, '.');
}

/* tcpdump's words for what the header says. */
static const char *op_text(const struct str *op)
{
	static const struct { const char *word, *text; } ops[] = {
		{ "QUERY", "" }, { "IQUERY", " inv_q" }, { "STATUS", " stat" },
		{ "NOTIFY", " notify" }, { "UPDATE", " update" },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (is_word(op, ops[i].word))
			return ops[i].text;
	return NULL;
}

static void put_op(const struct record *r, struct buf *b)
{
	const char *text = op_text(&dns_of(r)->op_code);

	if (!record_has(r, FIELD_DNS_OP_CODE))
		return;
	if (text) {
		buf_str(b, text);
		return;
	}
	buf_chr(b, ' ');
	line_text(b, dns_of(r)->op_code.p, dns_of(r)->op_code.n);
}

static void put_rcode(const struct record *r, struct buf *b)
{
	static const char *const names[][2] = {
		{ "NOERROR", "" }, { "FORMERR", " FormErr" }, { "SERVFAIL", " ServFail" },
		{ "NXDOMAIN", " NXDomain" }, { "NOTIMP", " NotImp" }, { "REFUSED", " Refused" },
		{ "YXDOMAIN", " YXDomain" }, { "YXRRSET", " YXRRSet" }, { "NXRRSET", " NXRRSet" },
		{ "NOTAUTH", " NotAuth" }, { "NOTZONE", " NotZone" },
		{ "BADVERS", " BadVers" }, { "BADCOOKIE", " BadCookie" },
	};
	unsigned int i;

	if (!record_has(r, FIELD_DNS_RESPONSE_CODE))
		return;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_word(&dns_of(r)->response_code, names[i][0])) {
			buf_str(b, names[i][1]);
			return;
		}
	buf_chr(b, ' ');
	line_text(b, dns_of(r)->response_code.p, dns_of(r)->response_code.n);
}

/* " [2q]" */
static void put_count(struct buf *b, uint16_t n, const char *what)
{
	buf_lit(b, " [");
	buf_u64(b, n);
	buf_str(b, what);
	buf_lit(b, "]");
}

static void put_class(struct buf *b, const struct str *class)
{
	if (is_word(class, "IN"))
		return;
	buf_chr(b, ' ');
	if (is_word(class, "CH"))
		buf_lit(b, "CHAOS");
	else
		line_text(b, class->p, class->n);
}

/* Bits of dns_question.present and dns_answer.present, in the order of their tables. */
enum { HAS_NAME = 1, HAS_TYPE = 2, HAS_CLASS = 4, HAS_UNICAST = 8 };
enum { HAS_TTL = 8, HAS_DATA = 16, HAS_LIST = 32, HAS_FLUSH = 64 };

/* In the place of a name that breaks the rules. */
static void put_no_name(struct buf *b)
{
	buf_lit(b, "<bad name>");
}

static void put_question(const struct dns_question *q, struct buf *b)
{
	buf_chr(b, ' ');
	line_text(b, q->type.p, q->type.n);
	if (q->present & HAS_CLASS)
		put_class(b, &q->class);
	if (q->present & HAS_UNICAST)
		buf_str(b, q->unicast_response ? " (QU)" : " (QM)");
	buf_lit(b, "? ");
	if (q->present & HAS_NAME)
		put_name(b, q->name.p, q->name.n);
	else
		put_no_name(b);
}

/* All of them; each behind `intro`, and between them `between`. */
static void put_questions(const struct record *r, const char *intro, const char *between, struct buf *b)
{
	const struct dns_question *q = dns_of(r)->questions.p;
	struct dns_question first = { .present = HAS_TYPE };
	uint32_t n = record_has(r, FIELD_DNS_QUESTIONS) ? dns_of(r)->questions.n : 1;

	if (!record_has(r, FIELD_DNS_QUESTION_TYPE))
		return;
	if (!record_has(r, FIELD_DNS_QUESTIONS)) {
		q = &first;
		first.present |= record_has(r, FIELD_DNS_QUESTION_NAME) ? HAS_NAME : 0;
		first.present |= record_has(r, FIELD_DNS_QUESTION_CLASS) ? HAS_CLASS : 0;
		first.present |= record_has(r, FIELD_DNS_QUESTION_UNICAST) ? HAS_UNICAST : 0;
		first.name = dns_of(r)->question_name;
		first.type = dns_of(r)->question_type;
		first.class = dns_of(r)->question_class;
		if (first.present & HAS_UNICAST)
			first.unicast_response = dns_of(r)->question_unicast;
	}
	for (uint32_t i = 0; i < n; i++) {
		buf_str(b, i ? between : "");
		buf_str(b, intro);
		put_question(q + i, b);
	}
}

static bool is_llmnr(const struct record *r)
{
	return record_has(r, FIELD_PROTOCOL) && !strcmp(r->protocol, "llmnr");
}

/* RFC 4795, 2.1.1: conflict and tentative, which tcpdump takes for AA and RD. */
static void put_llmnr_flags(const struct record *r, struct buf *b)
{
	if (has_flag(r, "C"))
		buf_lit(b, " [C]");
	if (has_flag(r, "T"))
		buf_lit(b, " [T]");
}

/* " [b2&3=0x2400]": the header's flags and codes, third and fourth byte. */
static void put_bits(const struct record *r, struct buf *b)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 12;

	while (shift && !(dns_of(r)->header_bits >> shift))
		shift -= 4;
	buf_lit(b, " [b2&3=0x");
	for (; shift >= 0; shift -= 4)
		buf_chr(b, digits[dns_of(r)->header_bits >> shift & 15]);
	buf_lit(b, "]");
}

static void put_query_counts(const struct record *r, struct buf *b)
{
	bool inverse = record_has(r, FIELD_DNS_OP_CODE) && is_word(&dns_of(r)->op_code, "IQUERY");
	uint16_t qd = dns_of(r)->questions_count, an = dns_of(r)->answers_count;

	/* An inverse query has an answer and asks for the question. */
	if (inverse && record_has(r, FIELD_DNS_QDCOUNT) && qd)
		put_count(b, qd, "q");
	if (record_has(r, FIELD_DNS_ANCOUNT) && an != inverse)
		put_count(b, an, "a");
	if (!inverse && record_has(r, FIELD_DNS_QDCOUNT) && qd != 1)
		put_count(b, qd, "q");
	if (record_has(r, FIELD_DNS_NSCOUNT) && dns_of(r)->authorities_count)
		put_count(b, dns_of(r)->authorities_count, "n");
	if (record_has(r, FIELD_DNS_ARCOUNT) && dns_of(r)->additionals_count)
		put_count(b, dns_of(r)->additionals_count, "au");
}

static void put_query(const struct record *r, struct buf *b)
{
	put_op(r, b);
	if (has_flag(r, "RD"))
		buf_chr(b, '+');
	if (has_flag(r, "CD"))
		buf_chr(b, '%');
	put_llmnr_flags(r, b);
	if (record_has(r, FIELD_DNS_HEADER_BITS))
		put_bits(r, b);
	put_query_counts(r, b);
	put_questions(r, "", "", b);
}

/* The n-th word of space separated text; the rest for the last. */
static struct str word_of(const struct str *s, unsigned int n)
{
	const char *p = s->p, *end = p + s->n, *q;

	for (; n; n--) {
		q = memchr(p, ' ', (size_t)(end - p));
		if (!q)
			return (struct str){ end, 0 };
		p = q + 1;
	}
	q = memchr(p, ' ', (size_t)(end - p));
	return (struct str){ p, (uint32_t)((q ? q : end) - p) };
}

static void put_word(struct buf *b, const struct str *s, unsigned int n, bool is_name)
{
	struct str w = word_of(s, n);

	buf_chr(b, ' ');
	if (is_name)
		put_name(b, w.p, w.n);
	else
		line_text(b, w.p, w.n);
}

static void put_strings(struct buf *b, const struct list *list)
{
	const struct str *s = list->p;
	uint32_t i;

	for (i = 0; i < list->n; i++) {
		buf_lit(b, " \"");
		line_text(b, s[i].p, s[i].n);
		buf_lit(b, "\"");
	}
}

static void put_srv(struct buf *b, const struct str *data)
{
	struct str port = word_of(data, 2);

	put_word(b, data, 3, true);
	buf_chr(b, ':');
	line_text(b, port.p, port.n);
	put_word(b, data, 0, false);
	put_word(b, data, 1, false);
}

static bool is_single_name(const struct str *type)
{
	return is_word(type, "CNAME") || is_word(type, "NS") || is_word(type, "PTR") ||
	       is_word(type, "DNAME");
}

static bool wants_name(const struct str *type)
{
	return is_single_name(type) || is_word(type, "MX") || is_word(type, "SRV");
}

static void put_data(struct buf *b, const struct dns_answer *a, bool is_bad)
{
	if (a->present & HAS_LIST)
		put_strings(b, &a->data_list);
	if (!(a->present & HAS_DATA)) {
		if (is_bad && wants_name(&a->type)) {
			buf_chr(b, ' ');
			put_no_name(b);
		}
		return;
	}
	if (is_word(&a->type, "MX")) {
		put_word(b, &a->data, 1, true);
		put_word(b, &a->data, 0, false);
	} else if (is_word(&a->type, "SRV")) {
		put_srv(b, &a->data);
	} else if (is_single_name(&a->type)) {
		buf_chr(b, ' ');
		put_name(b, a->data.p, a->data.n);
	} else if (!is_word(&a->type, "SOA")) {
		buf_chr(b, ' ');
		line_text(b, a->data.p, a->data.n);
	}
}

static void put_answers(const struct line_state *st, const struct record *r, struct buf *b)
{
	const struct dns_answer *a = dns_of(r)->answers.p;
	bool is_bad = record_has(r, FIELD_MALFORMED);
	uint32_t i;

	for (i = 0; i < dns_of(r)->answers.n; i++) {
		if (i)
			buf_chr(b, ',');
		buf_chr(b, ' ');
		if (st->opt.verbose) {
			if (a[i].present & HAS_NAME)
				put_name(b, a[i].name.p, a[i].name.n);
			else
				put_no_name(b);
			buf_chr(b, ' ');
		}
		if (a[i].present & HAS_FLUSH && a[i].cache_flush)
			buf_lit(b, "(Cache flush) ");
		if (st->opt.verbose > 2 && a[i].present & HAS_TTL) {
			buf_lit(b, "[");
			buf_u64(b, a[i].ttl);
			buf_lit(b, "s] ");
		}
		if (a[i].present & HAS_TYPE)
			line_text(b, a[i].type.p, a[i].type.n);
		if (a[i].present & HAS_CLASS)
			put_class(b, &a[i].class);
		put_data(b, &a[i], is_bad);
	}
}

static void put_response(const struct line_state *st, const struct record *r, struct buf *b)
{
	put_op(r, b);
	put_rcode(r, b);
	if (has_flag(r, "AA"))
		buf_chr(b, '*');
	if (!has_flag(r, "RA") && !is_llmnr(r))
		buf_chr(b, '-');
	if (has_flag(r, "TC"))
		buf_chr(b, '|');
	if (has_flag(r, "AD"))
		buf_chr(b, '$');
	put_llmnr_flags(r, b);
	if (record_has(r, FIELD_DNS_QDCOUNT) && dns_of(r)->questions_count != 1)
		put_count(b, dns_of(r)->questions_count, "q");
	if (st->opt.verbose > 1)
		put_questions(r, " q:", ",", b);
	buf_chr(b, ' ');
	buf_u64(b, record_has(r, FIELD_DNS_ANCOUNT) ? dns_of(r)->answers_count : 0);
	buf_chr(b, '/');
	buf_u64(b, record_has(r, FIELD_DNS_NSCOUNT) ? dns_of(r)->authorities_count : 0);
	buf_chr(b, '/');
	buf_u64(b, record_has(r, FIELD_DNS_ARCOUNT) ? dns_of(r)->additionals_count : 0);
	if (record_has(r, FIELD_DNS_ANSWERS))
		put_answers(st, r, b);
}

void dns_line(struct line_state *st, const struct record *r, struct buf *b)
{
	/* The message's: over TCP it has two bytes of length before it. */
	uint32_t n = !r->frame ? 0 : !strcmp(r->transport, "tcp") ? r->rest_len - 2 : r->rest_len;

	buf_u64(b, dns_of(r)->id);
	if (record_has(r, FIELD_DNS_TYPE) && !strcmp(dns_of(r)->type, "answer"))
		put_response(st, r, b);
	else
		put_query(r, b);
	if (n) {
		buf_lit(b, " (");
		buf_u64(b, n);
		buf_lit(b, ")");
	}
	if (st->is_head)
		buf_lit(b, " [|domain]");
}
