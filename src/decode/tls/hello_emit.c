// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "decode/tls/fields.h"
#include "decode/tls/hello.h"
#include "decode/tls/quic_crypto.h"

/* Hellos that were read become records. */

enum { TLS12 = 0x0303, TLS13 = 0x0304, DRAFT = 0x7f, DTLS10 = 0xfeff, DTLS12 = 0xfefd, DTLS13 = 0xfefc,
       SSL2 = 0x0002, SSL3 = 0x0300, QUIC_DRAFT = 0xff0000 };

bool tls_is_old(const struct tls_hello *h)
{
	return h->version <= TLS12 || h->version == DTLS10 || h->version == DTLS12;
}

enum tls_resumed tls_session_see(struct tls_session *s, const struct tls_hello *h)
{
	if (!h->server) {
		s->n = h->n_session;
		if (h->n_session)
			memcpy(s->id, h->session, h->n_session);
		s->ticket = h->ticket;
		s->known = h->n_session || h->whole;
		return TLS_RESUMED_UNKNOWN;
	}
	if (h->retry)
		return TLS_RESUMED_UNKNOWN;
	if (!tls_is_old(h))
		return h->n_psks ? TLS_RESUMED_YES : TLS_RESUMED_NO;
	/* RFC 5077, 3.4: with a ticket and no id to compare the hellos do not tell */
	if (!s->known || (s->ticket && !s->n))
		return TLS_RESUMED_UNKNOWN;
	return s->n && s->n == h->n_session && !memcmp(s->id, h->session, s->n) ? TLS_RESUMED_YES : TLS_RESUMED_NO;
}

/* "771", "0x1301" and the like need no locale. */
static const char *version_text(uint16_t v, char room[16])
{
	switch (v) {
	case SSL2: return "2.0";
	case SSL3: return "3.0";
	case 0x0301: return "1.0";
	case 0x0302: return "1.1";
	case TLS12: return "1.2";
	case TLS13: return "1.3";
	case DTLS10: return "1.0";
	case DTLS12: return "1.2";
	case DTLS13: return "1.3";
	default: break;
	}
	snprintf(room, 16, v >> 8 == DRAFT ? "1.3-draft%u" : "0x%04x", v >> 8 == DRAFT ? v & 0xffu : v);
	return room;
}

static struct str text(const char *s)
{
	return (struct str){ s, (uint32_t)strlen(s) };
}

static struct str hex_text(const uint8_t *p, uint8_t n, char room[41])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned int i = 0; i < n; i++) {
		room[2 * i] = digits[p[i] >> 4];
		room[2 * i + 1] = digits[p[i] & 15];
	}
	return (struct str){ room, 2u * n };
}

struct str tls_quic_version(uint32_t version, struct tls_quic_text *room)
{
	uint32_t v = version == QUIC_V2 ? 2 : version;
	bool draft = v >> 8 == QUIC_DRAFT;

	snprintf(room->version, sizeof(room->version), draft ? "draft-%u" : v <= 2 ? "%u" : "0x%08x",
		 draft ? v & 0xff : v);
	return text(room->version);
}

void tls_quic_mark(struct record *r, const struct tls_around *around, struct tls_quic_text *room)
{
	tls_of(r)->quic_version = tls_quic_version(around->quic_version, room);
	if (around->quic_version)
		record_mark(r, FIELD_QUIC_VERSION);
	tls_of(r)->quic_dcid = hex_text(around->dcid, around->dcid_len, room->dcid);
	if (around->dcid_len)
		record_mark(r, FIELD_QUIC_DCID);
	tls_of(r)->quic_scid = hex_text(around->scid, around->scid_len, room->scid);
	if (around->scid_len)
		record_mark(r, FIELD_QUIC_SCID);
}

static void mark_true(struct record *r, bool *member, unsigned int field)
{
	*member = true;
	record_mark(r, field);
}

/* What the client offers to go on with. */
static void mark_offers(struct record *r, const struct tls_hello *h)
{
	if (h->n_psks) {
		tls_of(r)->psks = h->n_psks;
		record_mark(r, FIELD_TLS_PSKS);
	}
	if (h->ticket)
		mark_true(r, &tls_of(r)->ticket, FIELD_TLS_TICKET);
	if (h->ech)
		mark_true(r, &tls_of(r)->ech, FIELD_TLS_ECH);
}

static void mark_client(struct record *r, const struct tls_hello *h, enum tls_transport transport,
			char ja3[33], char ja4[37])
{
	if (h->server_name.n) {
		tls_of(r)->server_name = h->server_name;
		record_mark(r, FIELD_TLS_SERVER_NAME);
	}
	if (h->n_alpn) {
		tls_of(r)->alpn = (struct list){ h->alpn, h->n_alpn };
		record_mark(r, FIELD_TLS_ALPN);
	}
	mark_offers(r, h);
	if (!h->whole)
		return;
	if (h->version != SSL2) {
		tls_ja3(h, ja3);
		tls_of(r)->ja3 = text(ja3);
		record_mark(r, FIELD_TLS_JA3);
	}
	tls_ja4(h, transport, ja4);
	tls_of(r)->ja4 = text(ja4);
	record_mark(r, FIELD_TLS_JA4);
}

static void mark_server(struct record *r, const struct tls_hello *h, enum tls_resumed resumed, char cipher[8],
			char ja3s[33])
{
	snprintf(cipher, 8, "0x%04x", h->cipher);
	tls_of(r)->cipher_id = text(cipher);
	record_mark(r, FIELD_TLS_CIPHER_ID);
	if (h->n_alpn) {
		tls_of(r)->next_protocol = h->alpn[0];
		record_mark(r, FIELD_TLS_NEXT_PROTOCOL);
	}
	if (h->retry)
		mark_true(r, &tls_of(r)->retry, FIELD_TLS_RETRY);
	if (resumed != TLS_RESUMED_UNKNOWN) {
		tls_of(r)->resumed = resumed == TLS_RESUMED_YES;
		record_mark(r, FIELD_TLS_RESUMED);
	}
	if (h->whole) {
		tls_ja3(h, ja3s);
		tls_of(r)->ja3s = text(ja3s);
		record_mark(r, FIELD_TLS_JA3S);
	}
}

void tls_hello_emit(const struct call *call, const struct stream_data *d, const struct tls_hello *h,
		    enum tls_transport transport, const struct tls_around *around, uint64_t conversation)
{
	static const char *const names[] = { "tls", "quic", "dtls" };
	struct request_key k = REQUEST_KEY(&tls_dataset, conversation, 0);
	char version[16], cipher[8], ja3[33], ja4[37];
	struct tls_quic_text quic;
	struct record r;

	conv_record(call, d, &r, &tls_dataset, names[transport], h->server ? "server_hello" : "client_hello");
	tls_of(&r)->version = text(version_text(h->version, version));
	record_mark(&r, FIELD_TLS_VERSION);
	tls_of(&r)->version_protocol = transport == TLS_DTLS ? "dtls" :
				 h->version == SSL2 || h->version == SSL3 ? "ssl" : "tls";
	record_mark(&r, FIELD_TLS_VERSION_PROTOCOL);
	if (around->quic_version)
		tls_quic_mark(&r, around, &quic);
	if (h->server) {
		mark_server(&r, h, around->resumed, cipher, ja3);
		r.outcome = "success";
		record_mark(&r, FIELD_OUTCOME);
		requests_answer(call->requests, &k, &r);
	} else {
		mark_client(&r, h, transport, ja3, ja4);
		requests_ask(call->requests, &k, &r);
	}
	emit_record(call->e, &r);
}
