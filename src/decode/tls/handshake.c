// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/handshake.h"

#include <string.h>

#include "decode/tls/cert.h"
#include "decode/tls/fields.h"

bool tls_handshake_wanted(const struct call *call)
{
	return call->e->kinds >> handshake_dataset.id & 1;
}

/* RFC 5246, 7.2; 6066, 9; 7301, 3.2; 8446, 6; 7507; IANA's registry of TLS alerts */
static const char *alert_name(uint8_t code)
{
	static const char *const names[] = {
		[0] = "close_notify", [10] = "unexpected_message", [20] = "bad_record_mac",
		[21] = "decryption_failed", [22] = "record_overflow", [30] = "decompression_failure",
		[40] = "handshake_failure", [41] = "no_certificate", [42] = "bad_certificate",
		[43] = "unsupported_certificate", [44] = "certificate_revoked", [45] = "certificate_expired",
		[46] = "certificate_unknown", [47] = "illegal_parameter", [48] = "unknown_ca",
		[49] = "access_denied", [50] = "decode_error", [51] = "decrypt_error",
		[52] = "too_many_cids_requested", [60] = "export_restriction", [70] = "protocol_version",
		[71] = "insufficient_security", [80] = "internal_error", [86] = "inappropriate_fallback",
		[90] = "user_canceled", [100] = "no_renegotiation", [109] = "missing_extension",
		[110] = "unsupported_extension", [111] = "certificate_unobtainable", [112] = "unrecognized_name",
		[113] = "bad_certificate_status_response", [114] = "bad_certificate_hash_value",
		[115] = "unknown_psk_identity", [116] = "certificate_required", [120] = "no_application_protocol",
		[121] = "ech_required",
	};

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : NULL;
}

static void start(const struct call *call, const struct stream_data *d, struct record *r, enum tls_transport transport,
		  const char *action)
{
	static const char *const names[] = { "tls", "quic", "dtls" };

	conv_record(call, d, r, &handshake_dataset, names[transport], action);
}

void tls_alert_emit(const struct call *call, const struct stream_data *d, enum tls_transport transport, uint8_t level,
		    uint8_t code, bool answers, uint64_t conversation)
{
	struct request_key k = REQUEST_KEY(&tls_dataset, conversation, 0);
	struct record r;

	start(call, d, &r, transport, "alert");
	tls_of(&r)->alert_level = level == TLS_FATAL ? "fatal" : "warning";
	record_mark(&r, FIELD_TLS_ALERT_LEVEL);
	tls_of(&r)->alert_code = code;
	record_mark(&r, FIELD_TLS_ALERT_CODE);
	tls_of(&r)->alert_name = alert_name(code);
	if (tls_of(&r)->alert_name)
		record_mark(&r, FIELD_TLS_ALERT_NAME);
	if (level == TLS_FATAL) {
		r.outcome = "failure";
		record_mark(&r, FIELD_OUTCOME);
		if (answers)
			requests_answer(call->requests, &k, &r);
	}
	emit_record(call->e, &r);
}

static void mark_text(struct record *r, struct str *member, const struct der_text *t, unsigned int field)
{
	*member = (struct str){ t->p, t->n };
	if (t->n)
		record_mark(r, field);
}

/* The rows of a client are those of a server, so many further on. */
static void mark_cert(struct record *r, const struct tls_cert *c, unsigned int chain, bool server)
{
	unsigned int by = server ? 0 : FIELD_TLS_CLIENT_SUBJECT - FIELD_TLS_SERVER_SUBJECT;
	struct tls_body *b = tls_of(r);

	mark_text(r, &b->subject, &c->subject, FIELD_TLS_SERVER_SUBJECT + by);
	mark_text(r, &b->issuer, &c->issuer, FIELD_TLS_SERVER_ISSUER + by);
	mark_text(r, &b->serial, &c->serial, FIELD_TLS_SERVER_SERIAL + by);
	mark_text(r, &b->sha256, &c->sha256, FIELD_TLS_SERVER_SHA256 + by);
	b->not_before = c->not_before;
	if (c->not_before)
		record_mark(r, FIELD_TLS_SERVER_NOT_BEFORE + by);
	b->not_after = c->not_after;
	if (c->not_after)
		record_mark(r, FIELD_TLS_SERVER_NOT_AFTER + by);
	b->names = (struct list){ c->names, c->n_names };
	if (c->n_names)
		record_mark(r, FIELD_TLS_SERVER_NAMES + by);
	b->chain = (uint16_t)chain;
	record_mark(r, FIELD_TLS_SERVER_CHAIN + by);
	r->truncated = c->cut;
	if (c->cut)
		record_mark(r, FIELD_TRUNCATED);
}

void tls_certificate_emit(const struct call *call, const struct stream_data *d, enum tls_transport transport,
			  bool server, const uint8_t *p, uint32_t n)
{
	struct cursor c = cursor_over(p, n), list;
	const uint8_t *first = NULL;
	uint32_t first_len = 0, chain = 0, len;
	static struct tls_cert cert;
	struct record r;

	cursor_take(&c, 3);
	list = c;
	for (; cursor_left(&list) >= 3; chain++) {
		len = (uint32_t)cursor_u8(&list) << 16;
		len |= cursor_be16(&list);
		p = cursor_take(&list, len);
		if (!p)
			break;
		if (!chain) {
			first = p;
			first_len = len;
		}
	}
	/* A client that has none sends an empty list. */
	if (!first || !tls_cert_read(&cert, first, first_len))
		return;
	start(call, d, &r, transport, "certificate");
	mark_cert(&r, &cert, chain, server);
	emit_record(call->e, &r);
}

void quic_packet_emit(const struct call *call, const char *action, const struct tls_around *around,
		      const uint8_t *versions, uint32_t n)
{
	struct tls_quic_text room, each[QUIC_VERSIONS_MAX];
	struct str list[QUIC_VERSIONS_MAX];
	struct record r;

	start(call, NULL, &r, TLS_QUIC, action);
	tls_quic_mark(&r, around, &room);
	for (uint32_t i = 0; i < n && i < QUIC_VERSIONS_MAX; i++)
		list[i] = tls_quic_version(be32(versions + 4 * i), &each[i]);
	tls_of(&r)->quic_versions = (struct list){ list, n < QUIC_VERSIONS_MAX ? n : QUIC_VERSIONS_MAX };
	if (n)
		record_mark(&r, FIELD_QUIC_VERSIONS);
	emit_record(call->e, &r);
}
