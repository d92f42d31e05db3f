/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_FIELDS_H
#define NETPROBE_DECODE_TLS_FIELDS_H

#include "record.h"

/* Own fields of TLS, DTLS and QUIC (RFC 8446, 9147, 9001): of hellos, and of what else a handshake has in clear. */

extern struct dataset tls_dataset, handshake_dataset;

struct tls_body {
	struct str version;
	const char *version_protocol;	/* tls, ssl, dtls */
	struct str cipher_id, next_protocol;
	struct str server_name, ja3, ja4, ja3s;
	struct list alpn;		/* struct str */
	uint16_t psks;
	bool ticket, ech, retry, resumed;
	struct str quic_version, quic_dcid, quic_scid;
	struct list quic_versions;	/* struct str */
	/* Of a certificate */
	struct str subject, issuer, serial, sha256;
	uint64_t not_before, not_after;
	uint16_t chain;
	struct list names;		/* struct str */
	/* Of an alert */
	const char *alert_level, *alert_name;
	uint8_t alert_code;
};

/* Of the certificate of a client or a server: the rows of both point to the same members. */
#define CERT_FIELDS(X, ID, who, whose) \
	X(TLS_##ID##_SUBJECT, who ".subject", FT_STR, subject, "subject of the " whose " certificate, as RFC 4514 writes it", .only = &handshake_dataset) \
	X(TLS_##ID##_ISSUER, who ".issuer", FT_STR, issuer, "who issued the " whose " certificate, likewise", .only = &handshake_dataset) \
	X(TLS_##ID##_NOT_BEFORE, who ".not_before", FT_TIME, not_before, "the " whose " certificate is valid from then on", .only = &handshake_dataset) \
	X(TLS_##ID##_NOT_AFTER, who ".not_after", FT_TIME, not_after, "the " whose " certificate is valid until then; absent beyond 2261", .only = &handshake_dataset) \
	X(TLS_##ID##_CHAIN, who ".certificates", FT_U16, chain, "how many certificates were sent, the " whose " first", .only = &handshake_dataset) \
	X(TLS_##ID##_SHA256, who ".hash.sha256", FT_STR, sha256, "SHA-256 of the " whose " certificate", .only = &handshake_dataset) \
	X(TLS_##ID##_SERIAL, who ".x509.serial_number", FT_STR, serial, "serial number of the " whose " certificate, in hexadecimal", .only = &handshake_dataset) \
	X(TLS_##ID##_NAMES, who ".x509.alternative_names", FT_STRS, names, "names of the " whose " certificate: of hosts, addresses, mail, URIs; at most 64", .only = &handshake_dataset)

#define TLS_FIELDS(X) \
	X(TLS_VERSION, "tls.version", FT_STR, version, "highest offered, or selected; a draft of TLS 1.3 only where no final one is offered", .only = &tls_dataset) \
	X(TLS_VERSION_PROTOCOL, "tls.version_protocol", FT_WORD, version_protocol, "tls, ssl or dtls", .only = &tls_dataset) \
	X(TLS_CIPHER_ID, "tls.cipher_id", FT_STR, cipher_id, "cipher suite selected, in hexadecimal", .only = &tls_dataset) \
	X(TLS_NEXT_PROTOCOL, "tls.next_protocol", FT_STR, next_protocol, "ALPN protocol selected", .only = &tls_dataset) \
	X(TLS_RESUMED, "tls.resumed", FT_BOOL, resumed, "does the server go on with an earlier session? Where the hellos tell", .only = &tls_dataset) \
	X(TLS_SERVER_NAME, "tls.client.server_name", FT_STR, server_name, "server name indication; the outer one with ECH", .only = &tls_dataset) \
	X(TLS_JA3, "tls.client.ja3", FT_STR, ja3, "JA3 fingerprint of the ClientHello (MD5)", .only = &tls_dataset) \
	X(TLS_JA4, "tls.client.ja4", FT_STR, ja4, "JA4 fingerprint of the ClientHello", .only = &tls_dataset) \
	X(TLS_ALPN, "tls.client.alpn", FT_STRS, alpn, "ALPN protocols offered", .only = &tls_dataset) \
	X(TLS_PSKS, "tls.client.psks", FT_U16, psks, "pre-shared keys that the client offers, the tickets of TLS 1.3 among them", .only = &tls_dataset) \
	X(TLS_TICKET, "tls.client.ticket", FT_BOOL, ticket, "the client offers a session ticket, as up to TLS 1.2", .only = &tls_dataset) \
	X(TLS_ECH, "tls.client.ech", FT_BOOL, ech, "the hello has another one in it, encrypted; or seems to (GREASE)", .only = &tls_dataset) \
	X(TLS_JA3S, "tls.server.ja3s", FT_STR, ja3s, "JA3S fingerprint of the ServerHello (MD5)", .only = &tls_dataset) \
	X(TLS_RETRY, "tls.server.retry", FT_BOOL, retry, "a HelloRetryRequest: the client is to greet once more", .only = &tls_dataset) \
	X(QUIC_VERSION, "quic.version", FT_STR, quic_version, "version of QUIC: 1, 2, draft-29, or in hexadecimal") \
	X(QUIC_DCID, "quic.destination_cid", FT_STR, quic_dcid, "connection id of the receiver, in hexadecimal") \
	X(QUIC_SCID, "quic.source_cid", FT_STR, quic_scid, "connection id of the sender, in hexadecimal") \
	X(QUIC_VERSIONS, "quic.versions", FT_STRS, quic_versions, "versions that a server offers instead, at most 16", .only = &handshake_dataset) \
	CERT_FIELDS(X, SERVER, "tls.server", "server's") \
	CERT_FIELDS(X, CLIENT, "tls.client", "client's") \
	X(TLS_ALERT_LEVEL, "tls.alert.level", FT_WORD, alert_level, "warning or fatal", .only = &handshake_dataset) \
	X(TLS_ALERT_CODE, "tls.alert.code", FT_U8, alert_code, "number of the alert", .only = &handshake_dataset) \
	X(TLS_ALERT_NAME, "tls.alert.description", FT_WORD, alert_name, "its name in TLS: handshake_failure, unknown_ca, ...", .only = &handshake_dataset)

enum tls_field { FIELD_TLS_BEFORE_ = FIELD_OWN - 1, TLS_FIELDS(FIELD_ID) };

static inline struct tls_body *tls_of(const struct record *r)
{
	return record_own(r);
}

/* text.c */
void tls_line(struct line_state *st, const struct record *r, struct buf *b);
void handshake_line(struct line_state *st, const struct record *r, struct buf *b);

#endif
