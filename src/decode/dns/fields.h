/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_DNS_FIELDS_H
#define NETPROBE_DECODE_DNS_FIELDS_H

#include "record.h"

/* Own fields of DNS, mDNS, LLMNR (RFC 1035, 6762, 4795). */

extern struct dataset dns_dataset;

enum { DNS_ANSWERS_MAX = 64, DNS_NAME_MAX = 1024 /* 255 bytes, each \DDD at worst */ };

/* Element of dns.answers; `present` has a bit for each row of its item table. */
struct dns_answer {
	uint32_t present;
	struct str name, type, class, data;
	uint32_t ttl;
	struct list data_list;		/* of struct str: TXT and SPF */
	bool cache_flush;
};

struct dns_question {
	uint32_t present;
	struct str name, type, class;
	bool unicast_response;
};

extern const struct item_table dns_answer_items, dns_question_items;

struct dns_body {
	uint16_t id;
	const char *type;		/* query, answer */
	struct str op_code, response_code;
	struct list header_flags;	/* words */
	uint16_t header_bits;		/* all sixteen */
	struct str question_name, question_type, question_class;
	bool question_unicast;
	struct list questions, answers;
	uint16_t questions_count, answers_count, authorities_count, additionals_count;
	uint8_t edns_version;
	uint16_t edns_udp_size;
	bool edns_do;
};

#define DNS_FIELDS(X) \
	X(DNS_ID, "dns.id", FT_U16, id, "message id") \
	X(DNS_TYPE, "dns.type", FT_WORD, type, "query or answer") \
	X(DNS_OP_CODE, "dns.op_code", FT_STR, op_code, "QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO") \
	X(DNS_HEADER_FLAGS, "dns.header_flags", FT_WORDS, header_flags, "subset of AA TC RD RA AD CD; of LLMNR, of C TC T") \
	X(DNS_HEADER_BITS, "dns.header_bits", FT_U16, header_bits, "the header's flags and codes as a number, where some are set that are reserved, or a response's in a query") \
	X(DNS_RESPONSE_CODE, "dns.response_code", FT_STR, response_code, "of a response: the header's four bits, and those above them of its OPT record") \
	X(DNS_QUESTION_NAME, "dns.question.name", FT_STR, question_name, "first question: name, no final dot") \
	X(DNS_QUESTION_TYPE, "dns.question.type", FT_STR, question_type, "first question: type") \
	X(DNS_QUESTION_CLASS, "dns.question.class", FT_STR, question_class, "first question: class") \
	X(DNS_QUESTION_UNICAST, "dns.question.unicast_response", FT_BOOL, question_unicast, "first question of mDNS: a unicast response is wanted (QU), or not (QM)") \
	X(DNS_QUESTIONS, "dns.questions", FT_ITEMS, questions, "all questions, when more than one (at most 64)", .items = &dns_question_items) \
	X(DNS_ANSWERS, "dns.answers", FT_ITEMS, answers, "the answer section (at most 64 records)", .items = &dns_answer_items) \
	X(DNS_QDCOUNT, "dns.questions_count", FT_U16, questions_count, "header count") \
	X(DNS_ANCOUNT, "dns.answers_count", FT_U16, answers_count, "header count") \
	X(DNS_NSCOUNT, "dns.authorities_count", FT_U16, authorities_count, "header count") \
	X(DNS_ARCOUNT, "dns.additionals_count", FT_U16, additionals_count, "header count") \
	X(DNS_EDNS_VERSION, "dns.edns.version", FT_U8, edns_version, "EDNS version, when an OPT record is there") \
	X(DNS_EDNS_UDP_SIZE, "dns.edns.udp_size", FT_U16, edns_udp_size, "EDNS: largest UDP payload the sender takes") \
	X(DNS_EDNS_DO, "dns.edns.do", FT_BOOL, edns_do, "EDNS: DNSSEC wanted")

enum dns_field { FIELD_DNS_BEFORE_ = FIELD_OWN - 1, DNS_FIELDS(FIELD_ID) };

static inline struct dns_body *dns_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void dns_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
