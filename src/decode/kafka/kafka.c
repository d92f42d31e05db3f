// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/conv.h"
#include "decode/cursor.h"
#include "decode/kafka/api.h"
#include "decode/kafka/fields.h"

/*
 * Kafka: each message is a length of four bytes and as many more.  A request says its API,
 * version, correlation id and client; a response only the correlation id, so what it is
 * stands with its request.  Of messages longer than HOLD_MAX the beginning is read.
 */
enum {
	HOLD_MAX = 49152,
	SIZE_MAX_ = 1 << 28,		/* no broker is set up to take more */
	HEAD = 14,			/* length, key, version, correlation id, length of the client id */
	CLIENT_MAX = 255,
	START = 0, NEXT,		/* stream_side.phase: is it known that a message begins here? */
};

struct conversation {
	uint8_t client;			/* 1 + the direction that asks */
	bool given;
	uint64_t asked;
	bool sasl;			/* SaslHandshake of version 0: tokens without a header follow */
};

struct kafka {
	uint64_t malformed;
};

struct request {
	uint32_t size;
	uint16_t key, version;
	int32_t id;
	struct str client;
	bool has_client;
	const struct kafka_api *api;
	uint32_t body;			/* where it begins */
};

static int open_kafka(void **out, const struct decode_options *opt)
{
	(void)opt;
	*out = calloc(1, sizeof(struct kafka));
	return *out ? 0 : -ENOMEM;
}

static void count_kafka(const void *ctx, struct decode_counts *c)
{
	c->malformed += ((const struct kafka *)ctx)->malformed;
}

static void end_kafka(void *ctx, struct stream_conn *conn)
{
	(void)ctx;
	stream_free(conn, conn->state, sizeof(struct conversation));
	conn->state = NULL;
}

/* The header of a request.  1 it may be one; 0 more bytes are needed; -1 it is none. */
static int read_request(struct request *q, const uint8_t *p, uint32_t n)
{
	struct cursor c = cursor_over(p, n);
	const uint8_t *client;
	uint16_t len;

	memset(q, 0, sizeof(*q));
	q->size = cursor_be32(&c);
	q->key = cursor_be16(&c);
	q->version = cursor_be16(&c);
	q->id = (int32_t)cursor_be32(&c);
	q->api = kafka_api(q->key);
	if ((n >= 4 && (q->size < 8 || q->size > SIZE_MAX_)) || (n >= 6 && !q->api))
		return -1;
	if (n >= 8 && q->version > q->api->max + KAFKA_VERSION_AHEAD)
		return -1;
	q->body = 12;
	if (n >= 12 && q->key == KAFKA_CONTROLLED_SHUTDOWN && !q->version)
		return 1;		/* its header has no client id */
	if (n >= 12 && q->size < HEAD - 4)
		return -1;
	len = cursor_be16(&c);
	if (c.bad)
		return 0;
	q->body = HEAD;
	if (len == UINT16_MAX)
		return 1;
	if (len > CLIENT_MAX || len + 10u > q->size)
		return -1;
	client = cursor_take(&c, len);
	for (uint32_t i = 0; i < len && HEAD + i < n; i++)
		if (p[HEAD + i] < 0x20 || p[HEAD + i] == 0x7f)
			return -1;
	if (!client)
		return 0;
	q->client = (struct str){ (const char *)client, len };
	q->has_client = true;
	q->body = HEAD + len;
	return 1;
}

static void emit_request(struct call *call, const struct stream_data *d, const struct request *q, uint32_t n)
{
	struct kafka_topics topics;
	uint32_t body = q->body;
	struct record r;

	if (q->version >= q->api->flexible)
		body = kafka_header_tags(d->p, n, body);
	kafka_request_topics(&topics, q->api, q->version, d->p + body, n - body);
	conv_record(call, d, &r, &kafka_dataset, "kafka", "request");
	kafka_of(&r)->api_key = q->key;
	kafka_of(&r)->api_name = q->api->name;
	kafka_of(&r)->api_version = q->version;
	kafka_of(&r)->correlation_id = q->id;
	record_mark(&r, FIELD_KAFKA_API_KEY);
	record_mark(&r, FIELD_KAFKA_API_NAME);
	record_mark(&r, FIELD_KAFKA_API_VERSION);
	record_mark(&r, FIELD_KAFKA_CORRELATION_ID);
	if (q->has_client) {
		kafka_of(&r)->client_id = q->client;
		record_mark(&r, FIELD_KAFKA_CLIENT_ID);
	}
	if (topics.n) {
		kafka_of(&r)->topics = (struct list){ topics.names, topics.n };
		record_mark(&r, FIELD_KAFKA_TOPICS);
	}
	/* acks=0: the producer wants no response */
	if (!(q->key == KAFKA_PRODUCE && topics.has_acks && !topics.acks))
		requests_ask(call->requests,
			     &(struct request_key){ .set = &kafka_dataset, .conversation = d->conn->serial,
						    .id = (uint32_t)q->id,
						    .what = ++((struct conversation *)d->conn->state)->asked },
			     &r);
	emit_record(call->e, &r);
}

static void emit_response(const struct call *call, const struct stream_data *d, struct record *r,
			  const struct record *asked, struct kafka_topics *topics, uint32_t n)
{
	topics->n = 0;
	if (asked) {
		uint16_t key = kafka_of(asked)->api_key, version = kafka_of(asked)->api_version;
		const struct kafka_api *api = kafka_api(key);
		uint32_t body = 8;

		kafka_of(r)->api_key = key;
		kafka_of(r)->api_name = kafka_of(asked)->api_name;
		kafka_of(r)->api_version = version;
		record_mark(r, FIELD_KAFKA_API_KEY);
		record_mark(r, FIELD_KAFKA_API_NAME);
		record_mark(r, FIELD_KAFKA_API_VERSION);
		if (api && version >= api->flexible && key != KAFKA_API_VERSIONS)
			body = kafka_header_tags(d->p, n, body);
		if (key == KAFKA_METADATA && body < n)
			kafka_metadata_topics(topics, version, d->p + body, n - body);
	}
	if (topics->n) {
		kafka_of(r)->topics = (struct list){ topics->names, topics->n };
		record_mark(r, FIELD_KAFKA_TOPICS);
	}
	emit_record(call->e, r);
}

static uint32_t lose_sync(struct call *call, const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;
	struct kafka *st = call->ctx;

	if (!cv->given)
		return PROTOCOL_WRONG;
	st->malformed += d->side->phase == NEXT;
	d->side->phase = START;
	return d->n;
}

/* All of a message, or as much as is held of a long one: 0 when more is to come. */
static uint32_t message_part(const struct stream_data *d, uint32_t size)
{
	uint32_t whole = size + 4;

	if (d->n >= whole)
		return whole;
	if (d->cut || d->n >= HOLD_MAX)
		return d->n;
	d->side->want = whole < HOLD_MAX ? whole : HOLD_MAX;
	return 0;
}

static uint32_t take_request(struct call *call, const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;
	struct request q;
	int rc = read_request(&q, d->p, d->n);
	uint32_t n;

	if (rc < 0 && d->side->phase == NEXT && q.size <= SIZE_MAX_ && (q.size || cv->sasl) && d->n >= 4) {
		((struct kafka *)call->ctx)->malformed += !cv->sasl;	/* an API that is not known */
		return q.size + 4;
	}
	if (rc < 0)
		return lose_sync(call, d);
	if (!rc) {
		d->side->want = d->n + 1;
		return 0;
	}
	n = message_part(d, q.size);
	if (!n)
		return 0;
	d->side->phase = NEXT;
	cv->given = true;
	cv->sasl = q.key == KAFKA_SASL_HANDSHAKE && !q.version;
	emit_request(call, d, &q, n);
	return q.size + 4;
}

static uint32_t take_response(struct call *call, const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;
	struct cursor c = cursor_over(d->p, d->n);
	uint32_t size = cursor_be32(&c), n;
	struct request_key key = REQUEST_KEY(&kafka_dataset, d->conn->serial, cursor_be32(&c));
	struct kafka_topics topics;
	const struct record *asked;
	struct record r;

	if (d->n >= 4 && size < 4 && cv->sasl)
		return size + 4;
	if (d->n >= 4 && (size < 4 || size > SIZE_MAX_))
		return lose_sync(call, d);
	if (c.bad) {
		d->side->want = 8;
		return 0;
	}
	n = message_part(d, size);
	if (!n)
		return 0;
	conv_record(call, d, &r, &kafka_dataset, "kafka", "response");
	kafka_of(&r)->correlation_id = (int32_t)key.id;
	record_mark(&r, FIELD_KAFKA_CORRELATION_ID);
	key.in_turn = true;
	asked = requests_answer(call->requests, &key, &r) ? requests_asked(call->requests) : NULL;
	/* In the middle of a stream only what was asked for is a response. */
	if (!asked && d->side->phase == START && (d->side->midstream || cv->given))
		if (d->n != size + 4)
			return lose_sync(call, d);
	d->side->phase = NEXT;
	cv->given = true;
	if (!asked && cv->sasl)		/* a token */
		return size + 4;
	emit_response(call, d, &r, asked, &topics, n);
	return size + 4;
}

static bool is_port(uint16_t port)
{
	return port == 9092 || port == 9093 || port == 9094 || port == 19092 || port == 29092;
}

/* 1 + the direction that asks, by the handshake or the ports; 0: they do not say. */
static uint8_t asking(const struct call *call, const struct stream_data *d)
{
	const struct ip_layer *ip = &call->pk->ip;
	uint8_t me = (uint8_t)(d->dir + 1), peer = (uint8_t)(2 - d->dir);

	if (d->conn->client)
		return d->conn->client;
	if (is_port(ip->dport) != is_port(ip->sport))
		return is_port(ip->dport) ? me : peer;
	return 0;
}

static uint32_t take_kafka(struct call *call, const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;
	struct request q;

	if (!cv) {
		cv = d->conn->state = stream_alloc(d->conn, sizeof(*cv));
		if (!cv)
			return d->n;
		cv->client = asking(call, d);
	}
	if (!d->n)
		return 0;
	if (!cv->client) {
		int rc = read_request(&q, d->p, d->n);

		if (rc < 0)
			cv->client = (uint8_t)(2 - d->dir);
		else if (rc > 0)
			cv->client = (uint8_t)(d->dir + 1);
	}
	return cv->client == d->dir + 1 || !cv->client ? take_request(call, d) : take_response(call, d);
}

/* A request on any port; a response that fills its segment on ours. */
static enum guess guess_kafka(struct call *call, const struct stream_data *d, bool hinted)
{
	uint8_t client = asking(call, d);
	struct request q;
	int rc;

	if (hinted && client == 2 - d->dir) {
		struct cursor c = cursor_over(d->p, d->n);
		uint32_t size = cursor_be32(&c), id = cursor_be32(&c);

		if (c.bad)
			return GUESS_MORE;
		return size >= 4 && size <= SIZE_MAX_ && id <= INT32_MAX && d->n <= size + 4 ? GUESS_YES : GUESS_NO;
	}
	if (client == 2 - d->dir)
		return GUESS_NO;
	rc = read_request(&q, d->p, d->n);
	if (rc < 0)
		return GUESS_NO;
	if (!rc)
		return d->n && d->p[0] && !hinted ? GUESS_NO : GUESS_MORE;	/* 16 MiB are much for a first one */
	if (hinted)
		return GUESS_YES;
	return q.client.n && q.id >= 0 && (d->n <= q.size + 4 || q.size > 24) ? GUESS_YES : GUESS_NO;
}

const struct protocol kafka_protocol = {
	.name = "kafka",
	.set = &kafka_dataset,
	.tcp_ports = { 9092, 9093, 9094, 19092, 29092 },
	.open = open_kafka,
	.close = free,
	.counts = count_kafka,
	.guess = guess_kafka,
	.take = take_kafka,
	.end = end_kafka,
};
