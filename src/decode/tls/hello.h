/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_HELLO_H
#define NETPROBE_DECODE_TLS_HELLO_H

#include "decode/conv/conv.h"
#include "decode/cursor.h"

/*
 * ClientHello and ServerHello (RFC 5246, 8446; DTLS: RFC 6347, 9147), and the fingerprints
 * made of them: JA3 and JA3S (Salesforce, 2017), JA4 (FoxIO, 2023; the BSD-licensed one).
 */
enum tls_transport { TLS_TCP, TLS_QUIC, TLS_DTLS };
enum { TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2, TLS_HELLO_MAX = 65536, TLS_ALPN_MAX = 32, TLS_LIST_MAX = 1024 };

struct tls_hello {
	bool server, retry;		/* retry: a HelloRetryRequest */
	bool whole;			/* all of it was read: it has fingerprints */
	bool broken;			/* lengths in it are wrong: it is told as far as they are right */
	uint16_t legacy_version, version;	/* version: the highest offered, or selected */
	uint16_t cipher;		/* selected */
	const uint8_t *ciphers;		/* offered, 2 bytes each */
	uint32_t n_ciphers;
	uint16_t extensions[TLS_LIST_MAX];
	uint32_t n_extensions;
	const uint8_t *groups, *formats, *signatures;
	uint32_t n_groups, n_formats, n_signatures;
	struct str server_name;
	struct str alpn[TLS_ALPN_MAX];
	uint32_t n_alpn;
};

/*
 * The body of a hello, behind its handshake header, as far as it is there; false: it is none, or a
 * server's that does not say what was selected.
 */
bool tls_hello_read(struct tls_hello *h, enum tls_transport transport, bool server, const uint8_t *p,
		    uint32_t n, uint32_t len);
/* JA3 or JA3S: 32 digits; JA4: 36 characters.  A terminating NUL follows. */
void tls_ja3(const struct tls_hello *h, char out[33]);
void tls_ja4(const struct tls_hello *h, enum tls_transport transport, char out[37]);
/* The record of a hello; d is NULL for datagrams. */
void tls_hello_emit(const struct call *call, const struct stream_data *d, const struct tls_hello *h,
		    enum tls_transport transport, uint64_t conversation);

#endif
