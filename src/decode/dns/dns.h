/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_DNS_DNS_H
#define NETPROBE_DECODE_DNS_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/dns/fields.h"
#include "util/bytes.h"

/* Inside the DNS decoder: a message (RFC 1035, 4.1) in parts, without network or state. */

struct dns_msg {
	const uint8_t *p;
	uint32_t cap, len;	/* captured; on the wire: cap <= len */
	bool mdns;		/* RFC 6762: the top bit of a class is not part of it */
};

/* DNS_CUT: it goes on where nothing was captured.  DNS_BAD: it breaks the rules. */
enum dns_status { DNS_OK, DNS_CUT, DNS_BAD };

/* Are the n bytes at `at` there? */
static inline enum dns_status dns_reach(const struct dns_msg *m, uint32_t at, uint32_t n)
{
	if (at <= m->cap && m->cap - at >= n)
		return DNS_OK;
	return at <= m->len && m->len - at >= n ? DNS_CUT : DNS_BAD;
}

/* name.c: a name, uncompressed as on the wire, without the final empty label. */
enum { DNS_WIRE_MAX = 254 };
struct dns_name { uint8_t wire[DNS_WIRE_MAX]; uint8_t n; };

/* Read the name at *at and, when that is DNS_OK, go behind it.  Its own bytes must end before `end`. */
enum dns_status dns_name_read(const struct dns_msg *m, uint32_t *at, uint32_t end, struct dns_name *name);
enum dns_status dns_name_skip(const struct dns_msg *m, uint32_t *at);
/* RFC 1035, 5.1 text, no final dot, at most DNS_NAME_MAX bytes; returns their number. */
uint32_t dns_name_text(char *out, const struct dns_name *name);

/* types.c: mnemonics; those without are written to `scratch` as TYPE123 and the like. */
enum { DNS_SCRATCH = 12 };
bool dns_type_known(uint16_t type);
struct str dns_type_text(uint16_t type, char *scratch);
struct str dns_class_text(uint16_t cls, char *scratch);
struct str dns_opcode_text(unsigned int opcode, char *scratch);
struct str dns_rcode_text(unsigned int rcode, char *scratch);	/* of twelve bits */

/* msg.c */
enum {
	DNS_HEADER = 12,
	DNS_STRINGS_MAX = 4096,	/* TXT strings shown of a message */
	/* every name of 64 questions, 64 owners and 64 SOA records at its longest */
	DNS_TEXT_MAX = 64 * (DNS_NAME_MAX + 32) * 4,
};
enum dns_flags {
	DNS_QR = 0x8000,
	DNS_AA = 0x400,
	DNS_TC = 0x200,
	DNS_RD = 0x100,
	DNS_RA = 0x80,
	DNS_Z = 0x40,
	DNS_AD = 0x20,
	DNS_CD = 0x10
};
enum dns_opcodes { DNS_UPDATE = 5, DNS_DSO = 6 };
enum dns_types { DNS_OPT = 41 };

/* A message, understood: valid until the next one. */
struct dns_parts {
	uint32_t header;		/* bytes of the header that were captured, at most 12 */
	uint16_t id, flags, counts[4];	/* QD AN NS AR */
	struct dns_name first;		/* the first question, for pairing */
	uint16_t first_type, first_class;
	uint32_t n_questions, n_answers, n_strings, n_text;
	bool     has_edns, edns_do;
	uint8_t  edns_version, edns_rcode;	/* the upper eight bits of the code, 0 without OPT */
	bool     edns_again;		/* there is a second OPT record */
	uint16_t edns_size;
	bool     first_named;		/* its name could be read */
	bool     bad_names;		/* there are names, or data, that were passed over */
	enum dns_status status;		/* of the whole */
	uint32_t end;			/* where reading stopped: behind the last record that was passed */
	struct dns_question questions[DNS_ANSWERS_MAX];
	struct dns_answer answers[DNS_ANSWERS_MAX];
	struct str strings[DNS_STRINGS_MAX];
	char text[DNS_TEXT_MAX];
};

static inline unsigned int dns_opcode(const struct dns_parts *d)
{
	return d->flags >> 11 & 15;
}

/* RFC 6891, 6.1.3: the OPT record, where one was read, has the upper bits. */
static inline unsigned int dns_rcode(const struct dns_parts *d)
{
	return (unsigned int)d->edns_rcode << 4 | (d->flags & 15);
}

/* The header alone; DNS_BAD when so many questions and records cannot fit in the message. */
enum dns_status dns_header(struct dns_parts *d, const struct dns_msg *m);
/*
 * Where the header promises too much, on a port that says DNS: could this be a message all the
 * same, cut by someone who left the counts as they were?  DNS_CUT: what would tell was not captured.
 */
enum dns_status dns_begins(const struct dns_parts *d, const struct dns_msg *m);
/* All of it.  What was understood of one that is DNS_CUT or DNS_BAD is in place. */
enum dns_status dns_parse(struct dns_parts *d, const struct dns_msg *m);
/* Text of a name in d->text. */
struct str dns_keep_name(struct dns_parts *d, const struct dns_name *name);
char *dns_keep_text(struct dns_parts *d, uint32_t n);

/* rr.c: RDATA in [at, end) as a->data or a->data_list; neither when it is not understood. */
void dns_rdata(struct dns_parts *d, const struct dns_msg *m, uint16_t type, uint32_t at, uint32_t end,
	       struct dns_answer *a);
/* Is it of a type that dns_rdata() reads? */
bool dns_rdata_known(uint16_t type);

#endif
