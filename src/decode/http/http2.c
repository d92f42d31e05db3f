// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/conv.h"
#include "decode/cursor.h"
#include "decode/http/fields.h"
#include "decode/http/http2_head.h"
#include "util/bytes.h"

/*
 * HTTP/2 in clear (RFC 9113): one record a header block.  It is told by the client's preface,
 * by an upgrade from HTTP/1, by the server's first SETTINGS, or, joined late, by a chain of
 * frames that fit together.  DATA is passed over.
 */
enum {
	FRAME_HEAD = 9, PREFACE = 24, BLOCK_MAX = 65536, FRAME_HELD = 32768, FRAME_MAX = 1 << 24, BLOCK_FIRST = 1024,
	DATA = 0, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION,
	END_STREAM = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32,
	FRAME_USUAL = 16384,		/* SETTINGS_MAX_FRAME_SIZE at first */
	START = 0, NEXT,		/* stream_side.phase: does a frame begin here? */
};
static const char preface[PREFACE + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct way {
	struct hpack table;
	uint8_t *block;			/* of a header block that goes on in CONTINUATION frames */
	uint32_t block_cap, block_n;
	uint32_t stream;		/* whose block it is; 0: none */
	uint32_t promised;		/* the stream that a PUSH_PROMISE opens */
	bool promise, too_long, started;
	bool waiting;			/* at START, for more bytes */
};

struct conversation {
	bool given;			/* a record, or the preface was seen: it is HTTP/2 */
	struct way way[2];
};

struct http2 {
	uint64_t malformed;
	struct http2_head head;
};

struct frame_head {
	uint32_t len, stream;
	uint8_t type, flags;
};

struct job {
	struct call *call;
	const struct stream_data *d;
	struct http2 *h2;
	struct conversation *cv;
	struct way *way;
};

static int open_http2(void **out, const struct decode_options *opt)
{
	(void)opt;
	*out = calloc(1, sizeof(struct http2));
	return *out ? 0 : -ENOMEM;
}

static void count_http2(const void *ctx, struct decode_counts *c)
{
	c->malformed += ((const struct http2 *)ctx)->malformed;
}

static void drop_block(struct stream_conn *conn, struct way *w)
{
	stream_free(conn, w->block, w->block_cap);
	w->block = NULL;
	w->block_cap = w->block_n = w->stream = 0;
	w->too_long = false;
}

static void end_http2(void *ctx, struct stream_conn *conn)
{
	struct conversation *cv = conn->state;

	(void)ctx;
	for (int i = 0; i < 2; i++) {
		drop_block(conn, &cv->way[i]);
		hpack_free(&cv->way[i].table);
	}
	stream_free(conn, cv, sizeof(*cv));
	conn->state = NULL;
}

/* ── header blocks ──────────────────────────────────────────────────────── */

/*
 * What a block is.  Joined late the name of :method or :status may not be known: then the
 * direction tells, for trailers hardly ever stand in the table.
 */
static const char *action_of(const struct job *j, const struct http2_head *head, bool promise)
{
	bool client = j->d->conn->client == j->d->dir + 1, server = j->d->conn->client == 2 - j->d->dir;

	if (promise)
		return "push_promise";
	if (head->has_method || head->has_pseudo || (head->unknown && client))
		return "request";
	return head->has_status || (head->unknown && server) ? "response" : "trailers";
}

/* Of way->stream, or a promise of way->promised.  cut: more of the block was sent than was captured. */
static void emit_block(struct job *j, bool cut, const uint8_t *p, uint32_t n)
{
	struct http2_head *head = &j->h2->head;
	bool promise = j->way->promise;
	uint32_t stream = j->way->stream;
	struct request_key k = REQUEST_KEY(&http2_dataset, j->d->conn->serial, promise ? j->way->promised : stream);
	const char *action;
	struct record r;
	bool asks;

	http2_head_start(head, j->call->show_secrets);
	if (!hpack_read(&j->way->table, p, n, http2_head_field, head))
		j->h2->malformed += !cut;
	head->cut |= cut;
	if (cut)
		hpack_lost(&j->way->table);
	if (!head->n_fields)
		return;
	action = action_of(j, head, promise);
	asks = promise || !strcmp(action, "request");
	conv_record(j->call, j->d, &r, &http2_dataset, "http2", action);
	http_of(&r)->stream_id = stream;
	record_mark(&r, FIELD_HTTP2_STREAM_ID);
	http2_head_mark(head, &r, !asks);
	if (asks)
		requests_ask(j->call->requests, &k, &r);
	else if (!strcmp(action, "response") && (head->status >= 200 || head->status < 100))
		requests_answer(j->call->requests, &k, &r);
	j->cv->given = true;
	emit_record(j->call->e, &r);
}

/* n bytes more of a block that is not over. */
static void keep_block(struct job *j, const uint8_t *p, uint32_t n)
{
	struct way *w = j->way;
	uint32_t need = w->block_n + n, cap = w->block_cap ? w->block_cap : BLOCK_FIRST;
	uint8_t *to;

	while (cap < need && cap < BLOCK_MAX)
		cap *= 2;
	if (need > cap || w->too_long) {
		w->too_long = true;
		return;
	}
	if (cap != w->block_cap) {
		to = stream_alloc(j->d->conn, cap);
		if (!to) {
			w->too_long = true;
			return;
		}
		if (w->block_n)
			memcpy(to, w->block, w->block_n);
		stream_free(j->d->conn, w->block, w->block_cap);
		w->block = to;
		w->block_cap = cap;
	}
	if (n)
		memcpy(w->block + w->block_n, p, n);
	w->block_n = need;
}

static void end_block(struct job *j)
{
	struct way *w = j->way;

	if (w->too_long) {
		j->h2->malformed++;
		hpack_lost(&w->table);
	} else {
		emit_block(j, false, w->block, w->block_n);
	}
	drop_block(j->d->conn, w);
}

/* HEADERS and PUSH_PROMISE: padding, priority, the promised stream, then the block; there: bytes captured. */
static void take_headers(struct job *j, const struct frame_head *f, const uint8_t *p, uint32_t there)
{
	struct cursor c = cursor_over(p, there);
	uint8_t pad = f->flags & PADDED ? cursor_u8(&c) : 0;
	uint32_t n;

	if (f->type == HEADERS && f->flags & HAS_PRIORITY)
		cursor_take(&c, 5);
	if (f->type == PUSH_PROMISE)
		j->way->promised = cursor_be32(&c) & 0x7fffffff;
	n = (uint32_t)cursor_left(&c);
	if (c.bad || (there == f->len && pad > n)) {
		j->h2->malformed += there == f->len;
		hpack_lost(&j->way->table);
		return;
	}
	if (there == f->len)
		n -= pad;
	j->way->stream = f->stream;
	j->way->promise = f->type == PUSH_PROMISE;
	if (f->flags & END_HEADERS || there < f->len) {
		emit_block(j, there < f->len, c.p, n);
		j->way->stream = 0;
		return;
	}
	keep_block(j, c.p, n);
}

static void take_continuation(struct job *j, const struct frame_head *f, const uint8_t *p)
{
	if (j->way->stream != f->stream || !f->stream) {
		/* of a block whose beginning was not seen, or of none */
		j->h2->malformed += !j->way->table.behind;
		hpack_lost(&j->way->table);
		return;
	}
	keep_block(j, p, f->len);
	if (f->flags & END_HEADERS)
		end_block(j);
}

/* ── frames ─────────────────────────────────────────────────────────────── */

static struct frame_head read_head(const uint8_t *p)
{
	return (struct frame_head){
		.len = be24(p),
		.type = p[3],
		.flags = p[4],
		.stream = be32(p + 5) & 0x7fffffff,
	};
}

/* RFC 9113, 6: what each type may be. */
static bool plausible(const struct frame_head *f, bool reserved, uint32_t max)
{
	static const uint8_t flags[] = { 9, 45, 0, 0, 1, 12, 1, 0, 0, 4 };

	if (f->type > CONTINUATION || f->len > max || reserved || f->flags & ~flags[f->type])
		return false;
	switch (f->type) {
	case SETTINGS: return !f->stream && f->len % 6 == 0 && !(f->flags && f->len);
	case PING: return !f->stream && f->len == 8;
	case GOAWAY: return !f->stream && f->len >= 8;
	case WINDOW_UPDATE: return f->len == 4;
	case RST_STREAM: return f->stream && f->len == 4;
	case PRIORITY: return f->stream && f->len == 5;
	default: return f->stream;
	}
}

/* How many whole frames stand in n bytes, one after another; -1: something else does. */
static int chain(const uint8_t *p, uint32_t n, bool *headers)
{
	int count = 0;

	*headers = false;
	while (n >= FRAME_HEAD) {
		struct frame_head f = read_head(p);

		if (!plausible(&f, p[5] & 0x80, FRAME_USUAL))
			return -1;
		if (n - FRAME_HEAD < f.len)
			return count;
		*headers |= f.type == HEADERS && f.flags & END_HEADERS && f.len;
		count++;
		p += FRAME_HEAD + f.len;
		n -= FRAME_HEAD + f.len;
	}
	return count;
}

static uint32_t give_up(struct job *j)
{
	if (!j->cv->given)
		return PROTOCOL_WRONG;
	j->h2->malformed += j->d->side->phase == NEXT;
	hpack_lost(&j->way->table);
	drop_block(j->d->conn, j->way);
	j->d->side->phase = START;
	return j->d->n;
}

static uint32_t take_frame(struct job *j)
{
	const struct stream_data *d = j->d;
	struct frame_head f;
	bool wanted;

	if (d->n < FRAME_HEAD) {
		d->side->want = FRAME_HEAD;
		return 0;
	}
	f = read_head(d->p);
	/* RFC 9113, 5.5: a type that is not known is passed over; 4.2: as long as any frame may be at first */
	if (f.type <= CONTINUATION ? !plausible(&f, false, FRAME_MAX) : f.len > FRAME_USUAL)
		return give_up(j);
	wanted = f.type == HEADERS || f.type == PUSH_PROMISE || f.type == CONTINUATION;
	if (wanted && f.len <= FRAME_HELD && d->n < FRAME_HEAD + f.len) {
		if (d->cut && f.type != CONTINUATION && d->side->phase == NEXT)
			take_headers(j, &f, d->p + FRAME_HEAD, d->n - FRAME_HEAD);
		d->side->want = FRAME_HEAD + f.len;
		return 0;
	}
	d->side->phase = NEXT;
	/* RFC 9113, 6.10: nothing stands between the frames of a block */
	if (j->way->stream && f.type != CONTINUATION) {
		j->h2->malformed++;
		hpack_lost(&j->way->table);
		drop_block(d->conn, j->way);
	}
	if (f.type == RST_STREAM)
		requests_drop(j->call->requests, &REQUEST_KEY(&http2_dataset, d->conn->serial, f.stream));
	if (wanted && f.len > FRAME_HELD) {
		j->h2->malformed++;
		hpack_lost(&j->way->table);
	} else if (f.type == CONTINUATION) {
		take_continuation(j, &f, d->p + FRAME_HEAD);
	} else if (wanted) {
		take_headers(j, &f, d->p + FRAME_HEAD, f.len);
	}
	return FRAME_HEAD + f.len;
}

/* A message of gRPC in DATA begins with three bytes of nothing, and would pass for a DATA frame of none. */
static bool has_length(const uint8_t *p)
{
	return p[0] || p[1] || p[2];
}

/* A frame is thought to begin here, in the middle of a stream or behind a hole. */
static uint32_t find_frame(struct job *j)
{
	bool headers;
	int n = chain(j->d->p, j->d->n, &headers);

	if (j->d->n < FRAME_HEAD) {
		j->d->side->want = FRAME_HEAD;
		return 0;
	}
	if (n < 0 || (n < 2 && !headers && j->d->p[3] != SETTINGS && (j->d->p[3] != DATA || !has_length(j->d->p))))
		return give_up(j);
	return take_frame(j);
}

static struct conversation *conversation(const struct stream_data *d)
{
	if (!d->conn->state)
		d->conn->state = stream_alloc(d->conn, sizeof(struct conversation));
	return d->conn->state;
}

static uint32_t take_bytes(struct job *j)
{
	const struct stream_data *d = j->d;
	uint32_t n = d->n < PREFACE ? d->n : PREFACE;

	if (d->side->phase == START && !memcmp(d->p, preface, n)) {
		if (n < PREFACE) {
			d->side->want = PREFACE;
			return 0;
		}
		d->side->phase = NEXT;
		j->cv->given = true;		/* nothing else begins so */
		j->way->table.behind = false;	/* it begins here */
		return PREFACE;
	}
	if (d->side->phase == START && (d->side->midstream || j->cv->given))
		return find_frame(j);
	return take_frame(j);
}

static uint32_t take_http2(struct call *call, const struct stream_data *d)
{
	struct job j = { call, d, call->ctx, conversation(d), NULL };
	uint32_t took;

	if (!j.cv)
		return d->n;
	j.way = &j.cv->way[d->dir];
	if (!j.way->started) {
		hpack_init(&j.way->table, d->conn, d->side->midstream);
		j.way->started = true;
	} else if (d->side->phase == START && !j.way->waiting) {
		hpack_lost(&j.way->table);
		drop_block(d->conn, j.way);
	}
	took = d->n ? take_bytes(&j) : 0;

	if (took != PROTOCOL_WRONG)
		j.way->waiting = !took && d->side->phase == START && !d->missing;
	return took;
}

static enum guess guess_http2(struct call *call, const struct stream_data *d, bool hinted)
{
	struct frame_head f;
	bool headers;
	int n;

	(void)call;
	if (!d->n || !memcmp(d->p, preface, d->n < PREFACE ? d->n : PREFACE))
		return d->n < PREFACE ? GUESS_MORE : GUESS_YES;
	if (d->n < FRAME_HEAD || d->p[0])	/* no first frame is that long */
		return d->n && d->n < FRAME_HEAD && !d->p[0] && hinted ? GUESS_MORE : GUESS_NO;
	f = read_head(d->p);
	n = chain(d->p, d->n, &headers);
	if (n < 1)
		return GUESS_NO;
	if (f.type == SETTINGS && f.len && !f.flags && d->p[9] == 0 && d->p[10] && d->p[10] < 16)
		return GUESS_YES;
	return n > 1 && (headers || hinted) ? GUESS_YES : headers && hinted ? GUESS_YES : GUESS_NO;
}

const struct protocol http2_protocol = {
	.name = "http2",
	.set = &http2_dataset,
	.heads_tell = true,
	.tcp_ports = { 80, 8080, 50051 },
	.open = open_http2,
	.close = free,
	.counts = count_http2,
	.guess = guess_http2,
	.take = take_http2,
	.end = end_http2,
};
