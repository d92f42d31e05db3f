// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/conv.h"
#include "decode/tls/fields.h"
#include "decode/tls/handshake.h"
#include "util/bytes.h"

/*
 * TLS over TCP (RFC 8446, 5), and the hello of SSL 2 that older clients begin with: what is in
 * clear.  Messages may be split over records as these are over segments.  After the two hellos
 * both directions are left alone; up to TLS 1.2 each one when it changes to ciphertext.
 */
enum {
	HEAD = 5, CHANGE_CIPHER = 20, ALERT = 21, HANDSHAKE = 22, DATA = 23, HEARTBEAT = 24, RECORD_MAX = 16384 + 2048,
	HANDSHAKE_HEAD = 4, OTHERS_MAX = 8,	/* after so many a hello will not come */
	PIECE = 2048,
};

/* A hello whose bytes are put together. */
struct way {
	uint8_t *p;
	uint32_t cap, have;
	bool given, asks;		/* a hello; that of a client */
	uint8_t others;			/* records that are no handshake */
};

struct conversation {
	struct way way[2];
	struct tls_session session;	/* that the client offers */
	bool old;			/* up to TLS 1.2: both hellos were there, and more in clear is wanted */
};

struct tls {
	uint64_t malformed;
};

static int open_tls(void **out, const struct decode_options *opt)
{
	(void)opt;
	*out = calloc(1, sizeof(struct tls));
	return *out ? 0 : -ENOMEM;
}

static void count_tls(const void *ctx, struct decode_counts *c)
{
	c->malformed += ((const struct tls *)ctx)->malformed;
}

static void drop_piece(struct stream_conn *conn, struct way *w)
{
	stream_free(conn, w->p, w->cap);
	w->p = NULL;
	w->cap = w->have = 0;
}

static void end_tls(void *ctx, struct stream_conn *conn)
{
	struct conversation *cv = conn->state;

	(void)ctx;
	drop_piece(conn, &cv->way[0]);
	drop_piece(conn, &cv->way[1]);
	stream_free(conn, cv, sizeof(*cv));
	conn->state = NULL;
}

/* No more of this direction. */
static uint32_t leave(const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;

	d->side->ignored = true;
	drop_piece(d->conn, &cv->way[d->dir]);
	return d->n;
}

static uint32_t give_up(struct call *call, const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;

	/* What is no record at all is another protocol's: a server may answer in clear. */
	if (!cv->way[d->dir].given)
		return PROTOCOL_WRONG;
	((struct tls *)call->ctx)->malformed++;
	return leave(d);
}

/* Neither hello.  True: no more is wanted of this direction. */
static bool other_message(struct call *call, const struct stream_data *d, uint8_t type, const uint8_t *p, uint32_t n)
{
	struct conversation *cv = d->conn->state;

	/* Only up to TLS 1.2 a certificate is in clear. */
	cv->old |= type == TLS_CERTIFICATE && cv->way[d->dir].given && tls_handshake_wanted(call);
	if (!cv->old)
		return type != 0 && cv->way[d->dir].given && type != 6;	/* 6: a retry, as drafts of TLS 1.3 had it */
	if (type == TLS_CERTIFICATE)
		tls_certificate_emit(call, d, TLS_TCP, !cv->way[d->dir].asks, p, n);
	return false;
}

/* A handshake message: n of its len bytes behind the header.  True: no more is wanted of this direction. */
static bool one_message(struct call *call, const struct stream_data *d, uint8_t type, const uint8_t *p,
			uint32_t n, uint32_t len)
{
	struct conversation *cv = d->conn->state;
	struct tls_around around = { .quic_version = 0 };
	static struct tls_hello h;

	if (type != TLS_CLIENT_HELLO && type != TLS_SERVER_HELLO)
		return other_message(call, d, type, p, n);
	if (!tls_hello_read(&h, TLS_TCP, type == TLS_SERVER_HELLO, p, n, len)) {
		((struct tls *)call->ctx)->malformed++;
		return true;
	}
	((struct tls *)call->ctx)->malformed += h.broken;
	around.resumed = tls_session_see(&cv->session, &h);
	tls_hello_emit(call, d, &h, TLS_TCP, &around, d->conn->serial);
	cv->way[d->dir].given = true;
	cv->way[d->dir].asks = type == TLS_CLIENT_HELLO;
	if (type == TLS_CLIENT_HELLO || h.retry)
		return false;
	cv->old = tls_is_old(&h) && tls_handshake_wanted(call);
	d->other->ignored |= !cv->old;
	return !cv->old;
}

/* n bytes more of a message that is put together; 0: no memory, or too long. */
static uint32_t keep_piece(const struct stream_data *d, struct way *w, const uint8_t *p, uint32_t n)
{
	uint32_t need = w->have + n, cap = w->cap ? w->cap : PIECE;
	uint8_t *more;

	if (need > TLS_HELLO_MAX + HANDSHAKE_HEAD)
		return 0;
	while (cap < need)
		cap *= 2;
	if (cap != w->cap) {
		more = stream_alloc(d->conn, cap);
		if (!more)
			return 0;
		if (w->have)
			memcpy(more, w->p, w->have);
		stream_free(d->conn, w->p, w->cap);
		w->p = more;
		w->cap = cap;
	}
	memcpy(w->p + w->have, p, n);
	w->have = need;
	return n;
}

/*
 * The n bytes of a handshake record.  True: no more is wanted of this direction.  Of what was
 * cut only a first hello is told.
 */
static bool handshake(struct call *call, const struct stream_data *d, const uint8_t *p, uint32_t n, bool cut)
{
	struct conversation *cv = d->conn->state;
	struct way *w = &cv->way[d->dir];

	if (w->have) {
		if (!keep_piece(d, w, p, n))
			return true;
		p = w->p;
		n = w->have;
	}
	while (n >= HANDSHAKE_HEAD) {
		uint32_t len = be24(p + 1), there = n - HANDSHAKE_HEAD;

		if (len > TLS_HELLO_MAX)
			return true;
		if (there < len && !cut)
			break;
		if (one_message(call, d, p[0], p + HANDSHAKE_HEAD, there < len ? there : len, len))
			return true;
		if (there < len)
			return false;
		p += HANDSHAKE_HEAD + len;
		n -= HANDSHAKE_HEAD + len;
	}
	if (w->have && n) {
		memmove(w->p, p, n);
		w->have = n;
	} else if (w->have) {
		drop_piece(d->conn, w);
	} else if (n && !cut) {
		return !keep_piece(d, w, p, n);
	}
	return false;
}

/* RFC 5246, appendix E.2; two bytes of length, then as if it were a record. */
static bool is_ssl2(const uint8_t *p, uint32_t n)
{
	uint32_t len, sum;

	if (n < 11 || !(p[0] & 0x80) || p[2] != 1 || !((p[3] == 0 && p[4] == 2) || (p[3] == 3 && p[4] <= 3)))
		return false;
	len = be16(p) & 0x7fff;
	sum = 9u + be16(p + 5) + be16(p + 7) + be16(p + 9);
	return sum == len && be16(p + 5) % 3 == 0;
}

static uint32_t take_ssl2(struct call *call, const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;
	struct tls_hello h = { .version = be16(d->p + 3) };
	struct tls_around around = { .quic_version = 0 };

	tls_hello_emit(call, d, &h, TLS_TCP, &around, d->conn->serial);
	cv->way[d->dir].given = cv->way[d->dir].asks = true;
	return 2u + (be16(d->p) & 0x7fff);
}

/* What is no handshake message: alerts, early data before a second hello, the change to ciphertext. */
static uint32_t take_other(struct call *call, const struct stream_data *d, uint32_t len)
{
	struct conversation *cv = d->conn->state;
	struct way *w = &cv->way[d->dir];

	if (cv->old && (d->p[0] == CHANGE_CIPHER || d->p[0] == DATA))
		return leave(d);
	if (d->p[0] == ALERT && len == 2 && d->n < HEAD + len && !d->cut) {
		d->side->want = HEAD + len;
		return 0;
	}
	if (d->p[0] == ALERT && len == 2 && d->n >= HEAD + len && d->p[5] && d->p[5] <= TLS_FATAL &&
	    tls_handshake_wanted(call))
		tls_alert_emit(call, d, TLS_TCP, d->p[5], d->p[6], !w->given, d->conn->serial);
	return ++w->others < OTHERS_MAX ? HEAD + len : leave(d);
}

/* The first bytes of a record, as far as they are there. */
static bool may_begin(const uint8_t *p, uint32_t n)
{
	return n && p[0] >= CHANGE_CIPHER && p[0] <= HEARTBEAT && (n == 1 || p[1] == 3);
}

static uint32_t take_record(struct call *call, const struct stream_data *d)
{
	uint32_t len, n;

	/* One byte in clear (PostgreSQL's answer) is told from a record's first before more comes. */
	if (d->n < HEAD && !d->missing && (may_begin(d->p, d->n) || d->p[0] & 0x80)) {
		d->side->want = HEAD;
		return 0;
	}
	len = d->n >= HEAD ? be16(d->p + 3) : 0;
	if (d->n < HEAD || !may_begin(d->p, d->n) || len > RECORD_MAX)
		return give_up(call, d);
	if (d->p[0] != HANDSHAKE)
		return take_other(call, d, len);
	if (d->n < HEAD + len && !d->cut) {
		d->side->want = HEAD + len;
		return 0;
	}
	n = d->n - HEAD < len ? d->n - HEAD : len;
	if (handshake(call, d, d->p + HEAD, n, d->cut && n < len))
		return leave(d);
	return HEAD + len;
}

static uint32_t take_tls(struct call *call, const struct stream_data *d)
{
	if (!d->conn->state)
		d->conn->state = stream_alloc(d->conn, sizeof(struct conversation));
	if (!d->conn->state)
		return d->n;
	if (!d->n)
		return 0;
	if (d->missing && !d->cut)
		return leave(d);	/* a hole: the hello is lost */
	if (is_ssl2(d->p, d->n))
		return take_ssl2(call, d);
	return take_record(call, d);
}

/* A record that a hello begins in. */
static enum guess guess_tls(struct call *call, const struct stream_data *d, bool hinted)
{
	static const uint8_t begin[2] = { HANDSHAKE, 3 };
	uint32_t len;

	(void)call;
	(void)hinted;
	if (!d->n || d->p[0] & 0x80)
		return d->n >= 11 && is_ssl2(d->p, d->n) ? GUESS_YES : GUESS_NO;
	if (memcmp(d->p, begin, d->n < 2 ? d->n : 2) || (d->n > 2 && d->p[2] > 4))
		return GUESS_NO;
	if (d->n < HEAD + 1)
		return GUESS_MORE;
	len = be16(d->p + 3);
	if (!len || len > RECORD_MAX || (d->p[5] != TLS_CLIENT_HELLO && d->p[5] != TLS_SERVER_HELLO))
		return GUESS_NO;
	if (len >= HANDSHAKE_HEAD && d->n >= HEAD + HANDSHAKE_HEAD && be24(d->p + HEAD + 1) > TLS_HELLO_MAX)
		return GUESS_NO;
	return GUESS_YES;
}

const struct protocol tls_protocol = {
	.name = "tls",
	.set = &tls_dataset,
	.beside = &handshake_dataset,
	.heads_tell = true,
	.tcp_ports = { 443, 8443, 853, 993, 995, 465, 636, 5061 },
	.behind_ports = { 25, 587, 110, 143, 389, 5432 },	/* STARTTLS and the like */
	.open = open_tls,
	.close = free,
	.counts = count_tls,
	.guess = guess_tls,
	.take = take_tls,
	.end = end_tls,
};
