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
enum {
	TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2, TLS_HELLO_MAX = 65536, TLS_ALPN_MAX = 32, TLS_LIST_MAX = 1024,
	TLS_SESSION_MAX = 32,
};

struct tls_hello {
	bool server, retry;		/* retry: a HelloRetryRequest */
	bool whole;			/* all of it was read: it has fingerprints */
	bool broken;			/* lengths in it are wrong: it is told as far as they are right */
	uint16_t legacy_version;
	uint16_t version;		/* selected, or the highest offered; a draft only if nothing else is */
	uint16_t highest;		/* likewise, but a draft of TLS 1.3 is above 1.2: JA4 goes by it */
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
	const uint8_t *session;		/* the session id, at most TLS_SESSION_MAX bytes */
	uint8_t n_session;
	uint16_t n_psks;		/* offered; of a server 1 when it selected one */
	bool ticket, ech;		/* offered: a ticket that is not empty, an encrypted hello */
};

/* What a hello came in, or came after. */
enum tls_resumed { TLS_RESUMED_UNKNOWN, TLS_RESUMED_NO, TLS_RESUMED_YES };

struct tls_around {
	enum tls_resumed resumed;	/* of a server's */
	uint32_t quic_version;		/* 0: no QUIC, and the rest is not there */
	const uint8_t *dcid, *scid;
	uint8_t dcid_len, scid_len;	/* at most 20 */
};

/* The session id that a client offered up to TLS 1.2, to be compared with its server's. */
struct tls_session {
	uint8_t id[TLS_SESSION_MAX], n;
	bool known, ticket;		/* known: there was a ClientHello */
};

/* Remembers a ClientHello; of a ServerHello says whether it goes on with what was offered. */
enum tls_resumed tls_session_see(struct tls_session *s, const struct tls_hello *h);

/*
 * The body of a hello, behind its handshake header, as far as it is there; false: it is none, or a
 * server's that does not say what was selected.
 */
bool tls_hello_read(struct tls_hello *h, enum tls_transport transport, bool server, const uint8_t *p,
		    uint32_t n, uint32_t len);
/* JA3 or JA3S: 32 digits; JA4: 36 characters.  A terminating NUL follows. */
void tls_ja3(const struct tls_hello *h, char out[33]);
void tls_ja4(const struct tls_hello *h, enum tls_transport transport, char out[37]);
/* Is it a version up to 1.2, whose handshake stays in clear behind the hellos? */
bool tls_is_old(const struct tls_hello *h);
/* The record of a hello; d is NULL for datagrams. */
void tls_hello_emit(const struct call *call, const struct stream_data *d, const struct tls_hello *h,
		    enum tls_transport transport, const struct tls_around *around, uint64_t conversation);
/* quic.version and the connection ids, as text in `room`. */
struct tls_quic_text { char version[16], dcid[41], scid[41]; };
struct str tls_quic_version(uint32_t version, struct tls_quic_text *room);
void tls_quic_mark(struct record *r, const struct tls_around *around, struct tls_quic_text *room);

#endif
