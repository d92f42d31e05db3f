/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_QUIC_CRYPTO_H
#define NETPROBE_DECODE_TLS_QUIC_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Initial packets (RFC 9001, 5.2; RFC 9369): their keys follow from the version and the
 * client's first destination connection id, so anyone may read them.
 */
enum { QUIC_PACKET_MAX = 2048, QUIC_TAG = 16, QUIC_V2 = 0x6b3343cf };

/* A version whose salt is known: v1, v2 and its drafts, drafts 21 to 34, and those of Google and Facebook. */
bool quic_known(uint32_t version);
/* Has it the packets' types and the labels of version 2? */
bool quic_is_v2(uint32_t version);
/*
 * Takes the protection off a packet: n bytes, the packet number at `pn_at`.  `cut`: its end
 * is missing, and so is the proof that it is what it seems.  The frames go to out
 * (QUIC_PACKET_MAX); their length, or -1.
 */
int quic_open(uint32_t version, bool from_server, const uint8_t *cid, uint32_t cid_len, const uint8_t *p,
	      uint32_t n, uint32_t pn_at, bool cut, uint8_t *out);

#endif
