// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/tls/fields.h"
#include "decode/tls/hello.h"
#include "decode/tls/hello_table.h"
#include "util/bytes.h"

/* DTLS (RFC 6347, 9147): hellos in clear, each a message of fragments that may come in any order. */
enum {
	RECORD_HEAD = 13, MESSAGE_HEAD = 12, HANDSHAKE = 22, RANDOM_AT = 2,
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

/* RFC 6347, 4.2.2: type, length, number of the message, and where this fragment of it stands. */
static void take_message(struct call *call, uint64_t key, const uint8_t *p, uint32_t n, bool cut)
{
	struct dtls *t = call->ctx;
	uint32_t len = be24(p + 1), seq = be16(p + 4), at = be24(p + 6), part = be24(p + 9);
	int way = p[0] == TLS_SERVER_HELLO;
	struct hello_talk *talk = hello_talk(t->table, key, true);

	if (len > HELLO_BYTES || at > len || part > len - at || seq > 200) {
		t->malformed++;
		return;
	}
	n -= MESSAGE_HEAD;
	if (!way && !seq && !at && n >= RANDOM_AT + sizeof(talk->cid))
		see_random(t, talk, p + MESSAGE_HEAD + RANDOM_AT);
	if (seq < talk->given[way])
		return;		/* sent once more */
	if (!at && part == len) {
		emit_hello(call, talk, way, p + MESSAGE_HEAD, n < len ? n : len, len);
		talk->given[way] = (uint8_t)(seq + 1);
		return;
	}
	if (cut || part > n || !hello_put(t->table, talk, way, at, p + MESSAGE_HEAD, part) ||
	    talk->pieces[way]->have < len)
		return;
	emit_hello(call, talk, way, talk->pieces[way]->p, len, len);
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

static bool take_datagram(struct call *call, bool hinted)
{
	const uint8_t *p = call->pk->payload;
	uint32_t left = call->pk->payload_cap;
	uint64_t key;

	(void)hinted;
	if (!is_hello(p, left))
		return false;
	key = conv_ends(call);
	for (int i = 0; i < RECORDS_MAX && is_hello(p, left); i++) {
		uint32_t len = be16(p + 11);
		uint32_t n = len < left - RECORD_HEAD ? len : left - RECORD_HEAD;

		if (n >= MESSAGE_HEAD && (p[RECORD_HEAD] == TLS_CLIENT_HELLO || p[RECORD_HEAD] == TLS_SERVER_HELLO))
			take_message(call, key, p + RECORD_HEAD, n, n < len);
		p += RECORD_HEAD + n;
		left -= RECORD_HEAD + n;
	}
	return true;
}

const struct protocol dtls_protocol = {
	.name = "dtls",
	.set = &tls_dataset,
	.udp_ports = { 4433, 5684, 3391 },
	.open = open_dtls,
	.close = close_dtls,
	.counts = count_dtls,
	.datagram = take_datagram,
};
