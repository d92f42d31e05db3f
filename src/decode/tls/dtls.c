// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/tls/fields.h"
#include "decode/tls/handshake.h"
#include "decode/tls/hello_table.h"
#include "util/bytes.h"

/*
 * DTLS (RFC 6347, 9147): what is in clear.  Hellos, each a message of fragments that may come in any
 * order; after them alerts, and of each side the message behind its hello, if that is its certificate.
 */
enum {
	RECORD_HEAD = 13, MESSAGE_HEAD = 12, ALERT = 21, HANDSHAKE = 22, RANDOM_AT = 2,
	RECORDS_MAX = 8,		/* of a datagram that are looked at */
};

struct dtls {
	struct hello_table *table;
	uint64_t malformed;
	struct tls_hello hello;
};

static int open_dtls(void **out, const struct decode_options *opt)
{
	struct dtls *t = calloc(1, sizeof(*t));

	(void)opt;
	if (!t || hello_table_open(&t->table)) {
		free(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

static void close_dtls(void *ctx)
{
	struct dtls *t = ctx;

	hello_table_close(t->table);
	free(t);
}

static void count_dtls(const void *ctx, struct decode_counts *c)
{
	const struct dtls *t = ctx;

	c->malformed += t->malformed;
	c->pending_evicted += hello_table_evicted(t->table);
}

/* n bytes of a hello, of which the message has len. */
static void emit_hello(struct call *call, struct hello_talk *talk, bool server, const uint8_t *p, uint32_t n,
		       uint32_t len)
{
	struct tls_around around = { .quic_version = 0 };
	struct dtls *t = call->ctx;

	if (tls_hello_read(&t->hello, TLS_DTLS, server, p, n, len)) {
		t->malformed += t->hello.broken;
		around.resumed = tls_session_see(&talk->session, &t->hello);
		tls_hello_emit(call, NULL, &t->hello, TLS_DTLS, &around, talk->key);
	} else {
		t->malformed++;
	}
}

/*
 * A first ClientHello with another random number begins another handshake between the same ports;
 * one that is sent again, or with the cookie, has the same.
 */
static void see_random(struct dtls *t, struct hello_talk *talk, const uint8_t *random)
{
	if (talk->cid_len && memcmp(talk->cid, random, sizeof(talk->cid))) {
		talk->given[0] = talk->given[1] = 0;
		hello_drop(t->table, talk, 0);
		hello_drop(t->table, talk, 1);
	}
	memcpy(talk->cid, random, sizeof(talk->cid));
	talk->cid_len = sizeof(talk->cid);
}

/* A message that is whole, n of its len bytes. */
static void emit_message(struct call *call, struct hello_talk *talk, uint8_t type, int way, const uint8_t *p,
			 uint32_t n, uint32_t len)
{
	if (type != TLS_CERTIFICATE)
		emit_hello(call, talk, way, p, n, len);
	else if (n == len)
		tls_certificate_emit(call, NULL, TLS_DTLS, way, p, n);
}

/* RFC 6347, 4.2.2: type, length, number of the message, and where this fragment of it stands. */
static void take_message(struct call *call, uint64_t key, const uint8_t *p, uint32_t n, bool cut)
{
	struct dtls *t = call->ctx;
	uint32_t len = be24(p + 1), seq = be16(p + 4), at = be24(p + 6), part = be24(p + 9);
	struct hello_talk *talk = hello_talk(t->table, key, true);
	uint8_t dir = (uint8_t)(hello_direction(call->pk) + 1);
	int way = p[0] == TLS_CERTIFICATE ? talk->client != dir : p[0] == TLS_SERVER_HELLO;

	if (len > HELLO_BYTES || at > len || part > len - at || seq > 200) {
		t->malformed++;
		return;
	}
	n -= MESSAGE_HEAD;
	if (p[0] == TLS_CERTIFICATE && (!talk->client || !talk->given[way] || seq != talk->given[way]))
		return;
	if (p[0] != TLS_CERTIFICATE)
		talk->client = way ? 3 - dir : dir;
	if (!way && p[0] == TLS_CLIENT_HELLO && !seq && !at && n >= RANDOM_AT + sizeof(talk->cid))
		see_random(t, talk, p + MESSAGE_HEAD + RANDOM_AT);
	if (seq < talk->given[way])
		return;		/* sent once more */
	if (!at && part == len) {
		emit_message(call, talk, p[0], way, p + MESSAGE_HEAD, n < len ? n : len, len);
		talk->given[way] = (uint8_t)(seq + 1);
		return;
	}
	if (cut || part > n || !hello_put(t->table, talk, way, at, p + MESSAGE_HEAD, part) ||
	    talk->pieces[way]->have < len)
		return;
	emit_message(call, talk, p[0], way, talk->pieces[way]->p, len, len);
	talk->given[way] = (uint8_t)(seq + 1);
	hello_drop(t->table, talk, way);
}

/* A handshake record of epoch 0 that a hello's fragment begins. */
static bool is_hello(const uint8_t *p, uint32_t n)
{
	if (n < RECORD_HEAD + MESSAGE_HEAD || p[0] != HANDSHAKE || p[1] != 0xfe || p[2] < 0xfc || p[3] || p[4])
		return false;
	p += RECORD_HEAD;
	return (p[0] == TLS_CLIENT_HELLO || p[0] == TLS_SERVER_HELLO || p[0] == 3) && be24(p + 1) <= HELLO_BYTES &&
	       be24(p + 6) + be24(p + 9) <= be24(p + 1);
}

/* A record in clear, of which n bytes are there. */
static bool is_record(const uint8_t *p, uint32_t n)
{
	return n > RECORD_HEAD && p[0] >= 20 && p[0] <= HANDSHAKE && p[1] == 0xfe && p[2] >= 0xfc && !p[3] && !p[4];
}

/* RFC 5246, 7.2 */
static void take_alert(struct call *call, uint64_t key, const uint8_t *p, uint32_t n)
{
	const struct hello_talk *talk = hello_talk(((struct dtls *)call->ctx)->table, key, false);
	bool answers = talk && talk->client != hello_direction(call->pk) + 1 && !talk->given[1];

	if (n == 2 && talk && talk->client && p[0] && p[0] <= TLS_FATAL && tls_handshake_wanted(call))
		tls_alert_emit(call, NULL, TLS_DTLS, p[0], p[1], answers, key);
}

static void take_record(struct call *call, uint64_t key, const uint8_t *p, uint32_t n, bool cut)
{
	uint8_t type = p[RECORD_HEAD];

	if (p[0] == ALERT && !cut)
		take_alert(call, key, p + RECORD_HEAD, n);
	if (p[0] != HANDSHAKE || n < MESSAGE_HEAD)
		return;
	if (type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO ||
	    (type == TLS_CERTIFICATE && tls_handshake_wanted(call)))
		take_message(call, key, p + RECORD_HEAD, n, cut);
}

static bool take_datagram(struct call *call, bool hinted)
{
	const uint8_t *p = call->pk->payload;
	uint32_t left = call->pk->payload_cap;
	const struct hello_talk *talk;
	uint64_t key;

	(void)hinted;
	if (!is_record(p, left))
		return false;
	key = conv_ends(call);
	if (!is_hello(p, left)) {
		talk = hello_talk(((struct dtls *)call->ctx)->table, key, false);
		if (!talk || !talk->client)
			return false;
	}
	for (int i = 0; i < RECORDS_MAX && is_record(p, left); i++) {
		uint32_t len = be16(p + 11);
		uint32_t n = len < left - RECORD_HEAD ? len : left - RECORD_HEAD;

		take_record(call, key, p, n, n < len);
		p += RECORD_HEAD + n;
		left -= RECORD_HEAD + n;
	}
	return true;
}

const struct protocol dtls_protocol = {
	.name = "dtls",
	.set = &tls_dataset,
	.beside = &handshake_dataset,
	.udp_ports = { 4433, 5684, 3391 },
	.open = open_dtls,
	.close = close_dtls,
	.counts = count_dtls,
	.datagram = take_datagram,
};
