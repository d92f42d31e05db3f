/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_DER_H
#define NETPROBE_DECODE_TLS_DER_H

#include "decode/cursor.h"

/*
 * Values of ASN.1 in DER (X.690, 10): a tag of one byte, a definite length of at most four, the
 * contents.  Nothing here goes deeper by itself, and each call reads on, so time is linear.
 */
enum {
	DER_INTEGER = 0x02, DER_OCTETS = 0x04, DER_OID = 0x06, DER_UTF8 = 0x0c, DER_T61 = 0x14, DER_UTC_TIME = 0x17,
	DER_GENERAL_TIME = 0x18, DER_UNIVERSAL = 0x1c, DER_BMP = 0x1e, DER_SEQUENCE = 0x30, DER_SET = 0x31,
};

struct der {
	uint8_t tag;
	const uint8_t *p;		/* the contents, n bytes */
	uint32_t n;
};

/* The next value.  False: there is no more, or (and c->bad) it is none. */
bool der_next(struct cursor *c, struct der *out);
/* Likewise, and it has that tag: in is over its contents.  False, and nothing was read: it has another. */
bool der_enter(struct cursor *c, uint8_t tag, struct cursor *in);
/* UTCTime or GeneralizedTime as RFC 5280 (4.1.2.5) has them, in ns since 1970; false: it is none from 1970 to 2261. */
bool der_time(const struct der *d, uint64_t *ns);

/* A text in a room of its own.  cut: there was more. */
enum { DER_TEXT = 512 };

struct der_text {
	char p[DER_TEXT];
	uint32_t n;
	bool cut;
};

/* A Name in the form of RFC 4514, in UTF-8: the last of its parts first, commas between them. */
void der_name(struct cursor name, struct der_text *out);
/* n bytes in capital hexadecimal. */
void der_hex(const uint8_t *p, uint32_t n, struct der_text *out);

#endif
