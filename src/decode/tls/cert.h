/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_CERT_H
#define NETPROBE_DECODE_TLS_CERT_H

#include "decode/tls/der.h"
#include "record.h"

/* What an X.509 certificate (RFC 5280) says of itself; nobody looks whether that is true. */
enum { CERT_NAMES = 64, CERT_ADDRS = 16, CERT_ADDR_TEXT = 48 };

struct tls_cert {
	struct der_text serial, subject, issuer, sha256;	/* serial, sha256: in hexadecimal */
	uint64_t not_before, not_after;		/* ns since 1970; 0: it is not there, or beyond what these hold */
	struct str names[CERT_NAMES];		/* subjectAltName: DNS, mail, URI, IP; borrowed, or in `addrs` */
	uint32_t n_names;
	uint32_t n_addrs;
	bool cut;				/* there are more names, or longer ones */
	char addrs[CERT_ADDRS][CERT_ADDR_TEXT];
};

/* n bytes of DER.  False: they are no certificate, as far as is looked. */
bool tls_cert_read(struct tls_cert *c, const uint8_t *p, uint32_t n);

#endif
