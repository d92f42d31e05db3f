/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_HANDSHAKE_H
#define NETPROBE_DECODE_TLS_HANDSHAKE_H

#include "decode/tls/hello.h"

/*
 * What is in clear beside the hellos, as records of a dataset of its own: alerts, certificates up to
 * TLS 1.2, and of QUIC retries and the versions that a server offers instead.
 */
enum {
	TLS_CERTIFICATE = 11, TLS_FATAL = 2,
	QUIC_VERSIONS_MAX = 16,		/* that are told of a list */
};

/* Is it wanted? */
bool tls_handshake_wanted(const struct call *call);
/*
 * An alert (RFC 8446, 6) of level 1 or 2.  answers: it is in place of the ServerHello; when it is fatal the
 * ClientHello waits no longer.
 */
void tls_alert_emit(const struct call *call, const struct stream_data *d, enum tls_transport transport, uint8_t level,
		    uint8_t code, bool answers, uint64_t conversation);
/* A Certificate message (RFC 5246, 7.4.2), n bytes behind its head: the first one in it, that of who sends. */
void tls_certificate_emit(const struct call *call, const struct stream_data *d, enum tls_transport transport,
			  bool server, const uint8_t *p, uint32_t n);
/* A packet of QUIC; versions: n of those that a version negotiation lists, big endian. */
void quic_packet_emit(const struct call *call, const char *action, const struct tls_around *around,
		      const uint8_t *versions, uint32_t n);

#endif
