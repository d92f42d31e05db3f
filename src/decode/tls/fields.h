/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_FIELDS_H
#define NETPROBE_DECODE_TLS_FIELDS_H

#include "record.h"

/* Own fields of hellos of TLS, DTLS and QUIC (RFC 8446, 9147, 9001). */

extern struct dataset tls_dataset;

struct tls_body {
	struct str version;
	const char *version_protocol;	/* tls, ssl, dtls */
	struct str cipher_id, next_protocol;
	struct str server_name, ja3, ja4, ja3s;
	struct list alpn;		/* struct str */
	uint16_t psks;
	bool ticket, ech, retry, resumed;
	struct str quic_version, quic_dcid, quic_scid;
};

#define TLS_FIELDS(X) \
	X(TLS_VERSION, "tls.version", FT_STR, version, "highest offered, or selected") \
	X(TLS_VERSION_PROTOCOL, "tls.version_protocol", FT_WORD, version_protocol, "tls, ssl or dtls") \
	X(TLS_CIPHER_ID, "tls.cipher_id", FT_STR, cipher_id, "cipher suite selected, in hexadecimal") \
	X(TLS_NEXT_PROTOCOL, "tls.next_protocol", FT_STR, next_protocol, "ALPN protocol selected") \
	X(TLS_RESUMED, "tls.resumed", FT_BOOL, resumed, "does the server go on with an earlier session? Where the hellos tell") \
	X(TLS_SERVER_NAME, "tls.client.server_name", FT_STR, server_name, "server name indication; the outer one with ECH") \
	X(TLS_JA3, "tls.client.ja3", FT_STR, ja3, "JA3 fingerprint of the ClientHello (MD5)") \
	X(TLS_JA4, "tls.client.ja4", FT_STR, ja4, "JA4 fingerprint of the ClientHello") \
	X(TLS_ALPN, "tls.client.alpn", FT_STRS, alpn, "ALPN protocols offered") \
	X(TLS_PSKS, "tls.client.psks", FT_U16, psks, "pre-shared keys that the client offers, the tickets of TLS 1.3 among them") \
	X(TLS_TICKET, "tls.client.ticket", FT_BOOL, ticket, "the client offers a session ticket, as up to TLS 1.2") \
	X(TLS_ECH, "tls.client.ech", FT_BOOL, ech, "the hello has another one in it, encrypted; or seems to (GREASE)") \
	X(TLS_JA3S, "tls.server.ja3s", FT_STR, ja3s, "JA3S fingerprint of the ServerHello (MD5)") \
	X(TLS_RETRY, "tls.server.retry", FT_BOOL, retry, "a HelloRetryRequest: the client is to greet once more") \
	X(QUIC_VERSION, "quic.version", FT_STR, quic_version, "version of QUIC: 1, 2, draft-29, or in hexadecimal") \
	X(QUIC_DCID, "quic.destination_cid", FT_STR, quic_dcid, "connection id of the receiver, in hexadecimal") \
	X(QUIC_SCID, "quic.source_cid", FT_STR, quic_scid, "connection id of the sender, in hexadecimal")

enum tls_field { FIELD_TLS_BEFORE_ = FIELD_OWN - 1, TLS_FIELDS(FIELD_ID) };

static inline struct tls_body *tls_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void tls_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
