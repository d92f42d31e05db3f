// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/tls/fields.h"
#include "decode/tls/handshake.h"
#include "decode/tls/hello_table.h"
#include "decode/tls/quic_crypto.h"
#include "util/bytes.h"

/*
 * QUIC (RFC 9000, 9001, 9369): the hellos in Initial packets, in CRYPTO frames that may come
 * in any order and over several datagrams.  Only what opens with its keys is believed, so the
 * contents tell on any port.
 */
enum {
	INITIALS_MAX = 4,		/* of a datagram that are opened */
	RETRY = 3, INITIAL = 0,
	FRAME_PADDING = 0, FRAME_PING = 1, FRAME_ACK = 2, FRAME_ACK_ECN = 3, FRAME_CRYPTO = 6,
	FRAME_CLOSE = 0x1c, CRYPTO_ERROR = 0x100,
	FRAME_GOOGLE = 8,		/* CRYPTO, in T050 and T051; no Initial has a stream */
};

struct quic {
	struct hello_table *table;
	uint64_t malformed;		/* Initials that did not open */
	struct tls_hello hello;
	uint8_t frames[QUIC_PACKET_MAX];
};

static int open_quic(void **out, const struct decode_options *opt)
{
	struct quic *q = calloc(1, sizeof(*q));

	(void)opt;
	if (!q || hello_table_open(&q->table)) {
		free(q);
		return -ENOMEM;
	}
	*out = q;
	return 0;
}

static void close_quic(void *ctx)
{
	struct quic *q = ctx;

	hello_table_close(q->table);
	free(q);
}

static void count_quic(const void *ctx, struct decode_counts *c)
{
	const struct quic *q = ctx;

	c->malformed += q->malformed;
	c->pending_evicted += hello_table_evicted(q->table);
}

/* RFC 9000, 16: the top two bits say how many bytes it has. */
static uint64_t varint(struct cursor *c)
{
	uint64_t v = cursor_u8(c);
	unsigned int more = (1u << (v >> 6)) - 1;

	v &= 0x3f;
	while (more--)
		v = v << 8 | cursor_u8(c);
	return v;
}

/* A long header (RFC 9000, 17.2).  The fixed bit may be anything (RFC 9287). */
struct header {
	uint32_t version;
	uint8_t type;			/* as in version 1 */
	const uint8_t *dcid, *scid;
	uint8_t dcid_len, scid_len;
	uint32_t pn_at;			/* where the packet number stands */
	uint32_t end;			/* of the packet; may be behind what is there */
};

static bool read_header(struct header *h, const uint8_t *p, uint32_t n)
{
	struct cursor c = cursor_over(p, n);
	uint8_t first = cursor_u8(&c);
	uint64_t length;

	h->version = cursor_be32(&c);
	h->dcid_len = cursor_u8(&c);
	if (c.bad || !(first & 0x80) || !quic_known(h->version) || h->dcid_len > QUIC_CID_MAX)
		return false;
	h->type = first >> 4 & 3;
	if (quic_is_v2(h->version))	/* RFC 9369, 3.2 */
		h->type = (h->type + 3) & 3;
	h->dcid = cursor_take(&c, h->dcid_len);
	h->scid_len = cursor_u8(&c);
	h->scid = cursor_take(&c, h->scid_len);
	if (h->scid_len > QUIC_CID_MAX)
		return false;
	h->end = n;
	if (h->type == RETRY)
		return !c.bad;
	if (h->type == INITIAL)
		cursor_take(&c, varint(&c));
	length = varint(&c);
	if (c.bad || length > UINT16_MAX)
		return false;
	h->pn_at = (uint32_t)(c.p - p);
	h->end = h->pn_at + (uint32_t)length;
	return true;
}

struct job {
	struct call *call;
	const struct header *h;		/* of the packet that is open */
	struct quic *q;
	struct hello_talk *talk;
	uint64_t key;
	uint8_t dir;
};

static struct tls_around around_of(const struct header *h)
{
	return (struct tls_around){ .quic_version = h->version, .dcid = h->dcid, .scid = h->scid,
				    .dcid_len = h->dcid_len, .scid_len = h->scid_len };
}

/* The hello has been read. */
static void emit_one(struct job *j)
{
	struct tls_session none = { .known = false };
	struct tls_around around = around_of(j->h);

	around.resumed = tls_session_see(&none, &j->q->hello);
	tls_hello_emit(j->call, NULL, &j->q->hello, TLS_QUIC, &around, j->key);
}

static void emit_hello(struct job *j, int way)
{
	struct hello_pieces *h = j->talk->pieces[way];
	uint32_t len;

	if (!h || h->have < 4 || j->talk->given[way])
		return;
	len = be24(h->p + 1);
	if (h->p[0] != (way ? TLS_SERVER_HELLO : TLS_CLIENT_HELLO) || len > HELLO_BYTES - 4) {
		j->q->malformed++;
		j->talk->given[way] = 1;
		hello_drop(j->q->table, j->talk, way);
		return;
	}
	if (h->have < 4 + len)
		return;
	if (tls_hello_read(&j->q->hello, TLS_QUIC, way, h->p + 4, len, len)) {
		j->q->malformed += j->q->hello.broken;
		emit_one(j);
	} else {
		j->q->malformed++;
	}
	j->talk->base[way] += 4 + len;
	j->talk->given[way] = 1;
	if (way && j->q->hello.retry)		/* both say it again, behind what they said */
		j->talk->given[0] = j->talk->given[1] = 0;
	hello_drop(j->q->table, j->talk, way);
}

/* What was cut: as much of the hello as there is. */
static void emit_cut(struct job *j, int way)
{
	struct hello_pieces *h = j->talk->pieces[way];
	uint32_t len;

	if (!h || h->have < 6 || j->talk->given[way] || h->p[0] != (way ? TLS_SERVER_HELLO : TLS_CLIENT_HELLO))
		return;
	len = be24(h->p + 1);
	if (len > HELLO_BYTES || h->p[4] != 3 || h->p[5] != 3)
		return;
	if (tls_hello_read(&j->q->hello, TLS_QUIC, way, h->p + 4, h->have - 4 < len ? h->have - 4 : len, len))
		emit_one(j);
	j->talk->given[way] = 1;
	hello_drop(j->q->table, j->talk, way);
}

static void skip_ack(struct cursor *c, bool ecn)
{
	uint64_t ranges;

	varint(c);
	varint(c);
	ranges = varint(c);
	varint(c);
	for (; ranges && !c->bad; ranges--) {
		varint(c);
		varint(c);
	}
	for (int i = 0; ecn && i < 3; i++)
		varint(c);
}

/* RFC 9000, 19.19; 9001, 4.8: errors from 0x100 on are alerts of TLS. */
static void see_close(struct job *j, int way, struct cursor *c, bool cut)
{
	uint64_t error = varint(c);

	varint(c);
	cursor_take(c, varint(c));
	if (!c->bad && !cut && error >> 8 == CRYPTO_ERROR >> 8 && tls_handshake_wanted(j->call))
		tls_alert_emit(j->call, NULL, TLS_QUIC, TLS_FATAL, (uint8_t)error, way, j->key);
}

static void keep_crypto(struct job *j, int way, uint64_t at, const uint8_t *p, uint32_t n)
{
	uint64_t base = j->talk->base[way], skip = at < base ? base - at : 0;

	if (skip < n && at + skip - base <= HELLO_BYTES)
		hello_put(j->q->table, j->talk, way, (uint32_t)(at + skip - base), p + skip, n - (uint32_t)skip);
}

/* RFC 9000, 17.2.2: what an Initial may hold.  Each turn reads bytes. */
static void read_frames(struct job *j, int way, const uint8_t *p, uint32_t n, bool cut)
{
	struct cursor c = cursor_over(p, n);

	while (cursor_left(&c) && !c.bad) {
		uint64_t type = varint(&c), at, len;
		const uint8_t *data;

		if (type == FRAME_ACK || type == FRAME_ACK_ECN) {
			skip_ack(&c, type == FRAME_ACK_ECN);
		} else if (type == FRAME_CRYPTO || type == FRAME_GOOGLE) {
			at = varint(&c);
			len = varint(&c);
			if (cut && !c.bad && len > cursor_left(&c))
				len = cursor_left(&c);
			data = cursor_take(&c, len);
			if (data && !j->talk->given[way])
				keep_crypto(j, way, at, data, (uint32_t)len);
		} else if (type == FRAME_CLOSE) {
			see_close(j, way, &c, cut);
		} else if (type != FRAME_PADDING && type != FRAME_PING) {
			return;
		}
	}
}

/* A client's first packets: the destination they name is where their keys come from. */
static int open_as_first(struct job *j, const struct header *h, const uint8_t *p, uint32_t n, bool cut)
{
	int got = quic_open(h->version, false, h->dcid, h->dcid_len, p, n, h->pn_at, cut, j->q->frames);
	struct hello_talk *t;

	/* What is cut proves nothing; the first frame of a first Initial is CRYPTO, PING, ACK or padding. */
	if (got < 1 || (cut && (j->q->frames[0] > FRAME_GOOGLE)))
		return -1;
	t = j->talk = hello_talk(j->q->table, j->key, true);
	if (t->client && !t->retried && (t->cid_len != h->dcid_len || memcmp(t->cid, h->dcid, h->dcid_len))) {
		hello_drop(j->q->table, t, 0);
		hello_drop(j->q->table, t, 1);
		t->given[0] = t->given[1] = 0;		/* another connection between the same ports */
		t->base[0] = t->base[1] = 0;
	}
	t->retried = false;
	t->client = (uint8_t)(j->dir + 1);
	t->cid_len = h->dcid_len;
	memcpy(t->cid, h->dcid, h->dcid_len);
	return got;
}

static bool take_initial(struct job *j, const struct header *h, const uint8_t *p, uint32_t n, bool cut)
{
	struct hello_talk *t = j->talk;
	int got = -1, way;

	j->h = h;
	if (t && t->client) {
		way = t->client != j->dir + 1;
		got = quic_open(h->version, way, t->cid, t->cid_len, p, n, h->pn_at, cut, j->q->frames);
		if (cut && got > 0 && j->q->frames[0] > FRAME_GOOGLE)
			got = -1;
	}
	if (got < 0)
		got = open_as_first(j, h, p, n, cut);
	if (got < 0) {
		j->q->malformed++;
		return false;
	}
	way = j->talk->client != j->dir + 1;
	read_frames(j, way, j->q->frames, (uint32_t)got, cut);
	if (cut)
		emit_cut(j, way);
	else
		emit_hello(j, way);
	return true;
}

/* RFC 9000, 17.2.5: once a connection, by who was asked. */
static void see_retry(struct job *j, const struct header *h)
{
	struct tls_around around = around_of(h);

	if (!j->talk->retried && j->talk->client && j->talk->client != j->dir + 1 && tls_handshake_wanted(j->call))
		quic_packet_emit(j->call, "retry", &around, NULL, 0);
	j->talk->retried = true;
}

/*
 * RFC 9000, 17.2.1: a list of versions where the version is 0.  By what it says: a list that has one in
 * it that is known, to somebody who asked or from a port that is.
 */
static bool see_versions(struct job *j, const uint8_t *p, uint32_t n, bool hinted)
{
	struct cursor c = cursor_over(p, n);
	struct tls_around around = { .quic_version = 0 };
	bool any = false;

	cursor_take(&c, 5);
	around.dcid_len = cursor_u8(&c);
	around.dcid = cursor_take(&c, around.dcid_len);
	around.scid_len = cursor_u8(&c);
	around.scid = cursor_take(&c, around.scid_len);
	if (c.bad || around.dcid_len > QUIC_CID_MAX || around.scid_len > QUIC_CID_MAX || cursor_left(&c) % 4)
		return false;
	for (const uint8_t *v = c.p; v < c.end && v < c.p + 4 * QUIC_VERSIONS_MAX; v += 4)
		any |= quic_known(be32(v));
	if (!any || (!j->talk && !hinted))
		return false;
	if (tls_handshake_wanted(j->call))
		quic_packet_emit(j->call, "version_negotiation", &around, c.p, (uint32_t)cursor_left(&c) / 4);
	return true;
}

static bool take_datagram(struct call *call, bool hinted)
{
	const struct packet *pk = call->pk;
	const uint8_t *p = pk->payload;
	uint32_t left = pk->payload_cap, on_wire = pk->payload_len, opened = 0;
	struct job j = { call, NULL, call->ctx, NULL, 0, 0 };
	struct header h;
	bool ours = false;

	if (left < 7 || !(p[0] & 0x80) || (be32(p + 1) && !read_header(&h, p, left)))
		return false;
	j.key = conv_ends(call);
	j.dir = hello_direction(pk);
	j.talk = hello_talk(j.q->table, j.key, false);
	if (!be32(p + 1))
		return left == on_wire && see_versions(&j, p, left, hinted);
	for (; left > 7 && read_header(&h, p, left) && opened < INITIALS_MAX; opened++) {
		uint32_t n = h.end < left ? h.end : left;

		if (h.type == RETRY && j.talk) {
			see_retry(&j, &h);
			return true;
		}
		if (h.type == INITIAL && h.end <= on_wire)
			ours |= take_initial(&j, &h, p, n, n < h.end);
		p += n;
		left -= n;
		on_wire -= n;
	}
	return ours || (hinted && j.talk);
}

const struct protocol quic_protocol = {
	.name = "quic",
	.set = &tls_dataset,
	.beside = &handshake_dataset,
	.udp_ports = { 443, 8443, 853, 784, 8853 },
	.open = open_quic,
	.close = close_quic,
	.counts = count_quic,
	.datagram = take_datagram,
};
