// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "decode/conv/conv.h"
#include "decode/http/fields.h"
#include "decode/http/head.h"
#include "decode/http/secrets.h"

/*
 * HTTP/1 (RFC 9112): one record a message, when its header block is there.  Bodies are
 * passed over, by their length where it is said, so that they cost nothing.  Where a stream
 * is joined in its middle, or has a hole, the next segment that begins as a message does is
 * one.
 */
enum {
	METHODS = 64,			/* requests in flight whose method is remembered */
	HEAD_MAX = STREAM_SIDE_MAX - 4096,	/* a longer header block is told as far as it goes */
	CHUNK_LINE_MAX = 4096,
	PASS_MAX = 1 << 30,
	SCRATCH_MAX = 8192,
};

enum phase {
	START,		/* or nothing is known: at the beginning, and after a hole */
	NEXT,		/* a message was read to its end */
	HEAD_REST,	/* of a header block too long */
	BODY,		/* `left` bytes */
	BODY_CLOSE,	/* until the end of the connection */
	CHUNK,
	TRAILERS,
};

struct conversation {
	uint32_t asked, answered;
	uint32_t early;			/* responses that came before their requests; asked == answered then */
	uint64_t left[2];		/* of the body, by direction */
	uint8_t client;			/* 1 + the direction that asks; 0: no request was seen */
	bool unpaired;			/* the next request stands behind a hole: see lose_pairs() */
	uint8_t methods[METHODS];
};

struct message {
	struct call *call;
	const struct stream_data *d;
	struct conversation *cv;
	struct http_head head;
	char scratch[SCRATCH_MAX];	/* values that stood on several lines, and without their secrets */
	uint32_t n_scratch;
};

static void end_http(void *ctx, struct stream_conn *conn)
{
	(void)ctx;
	stream_free(conn, conn->state, sizeof(struct conversation));
	conn->state = NULL;
}

/* Values as one line: a line break and the blanks around it are one blank. */
static struct str unfold(struct message *m, struct str s)
{
	char *out = m->scratch + m->n_scratch;
	uint32_t n = 0;

	if (!s.n || !memchr(s.p, '\n', s.n) || s.n > SCRATCH_MAX - m->n_scratch)
		return s;
	for (uint32_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\r' && s.p[i] != '\n') {
			out[n++] = s.p[i];
			continue;
		}
		while (i + 1 < s.n && strchr(" \t\r\n", s.p[i + 1]))
			i++;
		out[n++] = ' ';
	}
	m->n_scratch += n;
	return (struct str){ out, n };
}

static void set_text(struct message *m, struct record *r, struct str *to, unsigned int f, struct str s)
{
	if (!s.n)
		return;
	*to = unfold(m, s);
	record_mark(r, f);
}

/* The target without its secrets, unless they are to be shown. */
static void set_target(struct message *m, struct record *r)
{
	uint32_t room = SCRATCH_MAX - m->n_scratch, n = 0;
	bool cut = false;

	set_text(m, r, &http_of(r)->url, FIELD_URL_ORIGINAL, m->head.target);
	if (!m->call->show_secrets && record_has(r, FIELD_URL_ORIGINAL) && room >= HTTP_HIDE_MIN)
		n = http_hide_target(m->scratch + m->n_scratch, room, http_of(r)->url, &cut);
	if (n)
		http_of(r)->url = (struct str){ m->scratch + m->n_scratch, n };
	m->n_scratch += n;
	if (cut) {
		r->truncated = true;
		record_mark(r, FIELD_TRUNCATED);
	}
}

static void mark_request(struct message *m, struct record *r)
{
	struct http_head *h = &m->head;

	set_text(m, r, &http_of(r)->method, FIELD_HTTP_METHOD, h->method);
	set_target(m, r);
	set_text(m, r, &http_of(r)->user_agent, FIELD_USER_AGENT, h->user_agent);
	set_text(m, r, &http_of(r)->request_mime, FIELD_HTTP_REQUEST_MIME, h->content_type);
	if (h->host.n) {
		if (http_authority(http_without_userinfo(h->host), &http_of(r)->domain, &http_of(r)->port))
			record_mark(r, FIELD_URL_PORT);
		if (http_of(r)->domain.n)
			record_mark(r, FIELD_URL_DOMAIN);
	}
}

static void emit_request(struct message *m)
{
	struct conversation *cv = m->cv;
	struct record r;

	conv_record(m->call, m->d, &r, &http_dataset, "http", "request");
	http_of(&r)->version = m->head.version;
	record_mark(&r, FIELD_HTTP_VERSION);
	mark_request(m, &r);
	cv->client = (uint8_t)(m->d->dir + 1);
	if (!cv->unpaired) {
		cv->methods[cv->asked % METHODS] = (uint8_t)http_method(&m->head);
		if (requests_ask(m->call->requests,
				 &REQUEST_KEY(&http_dataset, m->d->conn->serial, cv->asked++), &r)) {
			cv->answered++;
			cv->early -= cv->early > 0;
		} else {
			cv->early = 0;
		}
	}
	cv->unpaired = false;
	emit_record(m->call->e, &r);
}

/*
 * Bytes are lost.  Who knows how many responses were among them: those that are waited for have
 * none that is certain.  Behind lost requests stands one that may have been answered by now.
 */
static void lose_pairs(struct call *call, const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;

	if (cv->client == d->dir + 1) {
		cv->unpaired = !d->cut;
		cv->asked += cv->early;
		cv->answered += cv->early;
		cv->early = 0;
		return;
	}
	for (; cv->answered != cv->asked; cv->answered++)
		requests_drop(call->requests, &REQUEST_KEY(&http_dataset, d->conn->serial, cv->answered));
}

/* The method of the request that is answered now. */
static enum http_method asked_method(const struct conversation *cv)
{
	uint32_t waiting = cv->asked - cv->answered;

	return waiting && waiting <= METHODS ? cv->methods[cv->answered % METHODS] : HTTP_OTHER;
}

static bool names(struct str s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && !strncasecmp(s.p, word, n);
}

static bool is_h2c(const struct http_head *h)
{
	return h->status == 101 && names(h->upgrade, "h2c");
}

/* RFC 7540, 3.2: the request is answered on stream 1 of HTTP/2. */
static void answer_upgrade(struct message *m, struct record *r)
{
	uint32_t serial = m->d->conn->serial;
	uint64_t asked_ns = requests_move(m->call->requests,
					  &REQUEST_KEY(&http_dataset, serial, m->cv->answered),
					  &REQUEST_KEY(&http2_dataset, serial, 1));

	if (!asked_ns || r->time_ns < asked_ns)
		return;
	r->duration_ns = r->time_ns - asked_ns;
	record_mark(r, FIELD_DURATION);
}

static void emit_response(struct message *m)
{
	struct conversation *cv = m->cv;
	bool final = m->head.status >= 200 || m->head.status == 101;
	struct record r;

	conv_record(m->call, m->d, &r, &http_dataset, "http", "response");
	http_of(&r)->version = m->head.version;
	record_mark(&r, FIELD_HTTP_VERSION);
	http_of(&r)->status = m->head.status;
	record_mark(&r, FIELD_HTTP_STATUS);
	set_text(m, &r, &http_of(&r)->response_mime, FIELD_HTTP_RESPONSE_MIME, m->head.content_type);
	r.outcome = m->head.status >= 400 ? "failure" : "success";
	record_mark(&r, FIELD_OUTCOME);
	if (final && cv->asked != cv->answered && is_h2c(&m->head))
		answer_upgrade(m, &r);
	else if (final && cv->asked != cv->answered)
		requests_answer(m->call->requests,
				&REQUEST_KEY(&http_dataset, m->d->conn->serial, cv->answered), &r);
	else if (final && !cv->unpaired && conv_overtakes(m->call, m->d))
		requests_answer(m->call->requests,
				&REQUEST_KEY(&http_dataset, m->d->conn->serial, cv->answered + cv->early++),
				&r);
	emit_record(m->call->e, &r);
}

/* RFC 9112, 6.3: what follows the header block. */
static void begin_body(struct message *m)
{
	const struct http_head *h = &m->head;
	struct stream_side *side = m->d->side;
	struct conversation *cv = m->cv;
	enum http_method method = h->response ? asked_method(cv) : HTTP_OTHER;

	side->phase = NEXT;
	if (h->response && (h->status >= 200 || h->status == 101))
		cv->answered += cv->asked != cv->answered;
	if (h->response && h->status == 101) {
		conv_switch(m->call, m->d->conn, is_h2c(h) ? "http2" : NULL);
		return;
	}
	if (h->response && method == HTTP_CONNECT && h->status / 100 == 2) {
		conv_tunnel(m->call, m->d->conn);
		return;
	}
	if (h->response && (h->status < 200 || h->status == 204 || h->status == 304 || method == HTTP_HEAD))
		return;
	if (h->chunked) {
		side->phase = CHUNK;
	} else if (h->coded || h->bad_length || !h->has_length) {
		if (h->response)
			side->phase = BODY_CLOSE;
	} else if (h->length) {
		side->phase = BODY;
		cv->left[m->d->dir] = h->length;
	}
}

/* Where the header block of n bytes ends: behind the empty line.  0: it is not there. */
static uint32_t block_end(const char *p, uint32_t n, uint32_t from)
{
	for (const char *nl = memchr(p + from, '\n', n - from); nl;
	     nl = memchr(nl + 1, '\n', (size_t)(p + n - nl - 1))) {
		uint32_t at = (uint32_t)(nl - p) + 1;

		if (at < n && p[at] == '\n')
			return at + 1;
		if (at + 1 < n && p[at] == '\r' && p[at + 1] == '\n')
			return at + 2;
	}
	return 0;
}

static struct conversation *conversation(struct stream_conn *conn)
{
	if (!conn->state)
		conn->state = stream_alloc(conn, sizeof(struct conversation));
	return conn->state;
}

/* A header block of n bytes, of which the last line may be cut; false: it is none. */
static bool emit_head(struct call *call, const struct stream_data *d, uint32_t skip, uint32_t n, bool cut)
{
	const char *p = (const char *)d->p + skip, *end = memchr(p, '\n', n - skip);
	struct message m = { .call = call, .d = d, .cv = conversation(d->conn) };
	uint32_t line = end ? (uint32_t)(end - p) : n - skip, rest;

	if (!m.cv || (!end && !cut))
		return false;
	if (!http_start_line(&m.head, p, line && p[line - 1] == '\r' ? line - 1 : line))
		return false;
	if (end) {
		rest = n - skip - line - 1;
		if (cut) {		/* whole lines only */
			const char *last = rest ? memrchr(end + 1, '\n', rest) : NULL;

			rest = last ? (uint32_t)(last - end) : 0;
		}
		http_fields(&m.head, end + 1, rest);
	}
	if (m.head.response)
		emit_response(&m);
	else
		emit_request(&m);
	begin_body(&m);
	return true;
}

static uint32_t pass_segment(const struct stream_data *d)
{
	d->side->phase = START;
	d->side->mark = 0;
	return d->n;
}

/* Empty lines before a message are nobody's (RFC 9112, 2.2). */
static uint32_t take_head(struct call *call, const struct stream_data *d)
{
	const char *p = (const char *)d->p;
	uint32_t skip = 0, end;
	int begins;

	while (skip < d->n && (p[skip] == '\r' || p[skip] == '\n'))
		skip++;
	if (skip == d->n)
		return d->n;
	if (!d->side->mark) {
		begins = http_begins(p + skip, d->n - skip, d->missing || d->n - skip >= CONV_GUESS_MAX);
		if (d->n - skip >= 14 && !memcmp(p + skip, "PRI * HTTP/2.0", 14)) {
			conv_switch(call, d->conn, "http2");
			return skip;
		}
		if (begins < 0)
			return pass_segment(d);
		if (!begins) {
			d->side->want = d->n + 1;
			return 0;
		}
	}
	end = block_end(p, d->n, d->side->mark > 3 ? d->side->mark - 3 : skip);
	if (!end && d->missing) {
		if (d->cut)
			emit_head(call, d, skip, d->n, true);
		return d->n;
	}
	if (!end && d->n < HEAD_MAX) {
		d->side->mark = d->n;
		d->side->want = d->n + 1;
		return 0;
	}
	d->side->mark = 0;
	if (!emit_head(call, d, skip, end ? end : d->n, !end))
		return pass_segment(d);
	if (end || d->conn->protocol == 0)
		return end ? end : d->n;
	d->side->phase = HEAD_REST;
	return d->n;
}

/* Lines up to an empty one: trailers, or the rest of a header block that nobody wants. */
static uint32_t take_lines(const struct stream_data *d)
{
	const char *p = (const char *)d->p, *nl = memchr(p, '\n', d->n);
	uint32_t n = nl ? (uint32_t)(nl - p) : d->n;

	if (!nl) {
		if (d->n >= CHUNK_LINE_MAX)
			return d->n - 1;
		d->side->want = d->n + 1;
		return 0;
	}
	if (!n || (n == 1 && p[0] == '\r'))
		d->side->phase = d->side->phase == HEAD_REST ? START : NEXT;
	return n + 1;
}

/* RFC 9112, 7.1: the size in hexadecimal, extensions, the bytes, an empty line. */
static uint32_t take_chunk(const struct stream_data *d)
{
	const char *p = (const char *)d->p, *nl = memchr(p, '\n', d->n);
	uint64_t size = 0;
	uint32_t i = 0, n = nl ? (uint32_t)(nl - p) : d->n;

	for (; i < n && i < 16; i++) {
		int c = p[i] | 0x20;

		if (p[i] >= '0' && p[i] <= '9')
			size = size << 4 | (uint32_t)(p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			size = size << 4 | (uint32_t)(c - 'a' + 10);
		else
			break;
	}
	if ((!i && n && p[0] != '\r') || (i < n && !strchr("; \t\r", p[i])) || size > PASS_MAX || n > CHUNK_LINE_MAX)
		return pass_segment(d);
	if (!nl) {
		d->side->want = d->n + 1;
		return 0;
	}
	if (!i)			/* the end of the last chunk's bytes */
		return nl == p + 1 || nl == p ? n + 1 : pass_segment(d);
	if (!size) {
		d->side->phase = TRAILERS;
		return n + 1;
	}
	return n + 1 + (uint32_t)size;
}

static uint32_t take_body(const struct stream_data *d)
{
	struct conversation *cv = d->conn->state;
	uint64_t *left = &cv->left[d->dir];
	uint32_t n = *left > PASS_MAX ? PASS_MAX : (uint32_t)*left;

	*left -= n;
	if (!*left)
		d->side->phase = NEXT;
	return n;
}

/*
 * Until the connection ends, unless the request is not known (it may have been HEAD) and
 * what looks like a response follows.
 */
static uint32_t take_rest(struct call *call, const struct stream_data *d)
{
	if (d->n > 12 && !memcmp(d->p, "HTTP/1.", 7) && http_begins((const char *)d->p, d->n, true) > 0) {
		d->side->phase = NEXT;
		return take_head(call, d);
	}
	return d->n;
}

static uint32_t take_phase(struct call *call, const struct stream_data *d)
{
	switch ((enum phase)d->side->phase) {
	case BODY: return take_body(d);
	case BODY_CLOSE: return take_rest(call, d);
	case CHUNK: return take_chunk(d);
	case HEAD_REST:
	case TRAILERS: return take_lines(d);
	default: return take_head(call, d);
	}
}

static uint32_t take_http(struct call *call, const struct stream_data *d)
{
	uint32_t took = take_phase(call, d);

	if (d->missing && d->conn->state)
		lose_pairs(call, d);
	return took;
}

static enum guess guess_http(struct call *call, const struct stream_data *d, bool hinted)
{
	(void)call;
	(void)hinted;
	switch (http_begins((const char *)d->p, d->n, d->missing || d->n >= CONV_GUESS_MAX)) {
	case 1: return GUESS_YES;
	case 0: return GUESS_MORE;
	default: return GUESS_NO;
	}
}

const struct protocol http_protocol = {
	.name = "http",
	.set = &http_dataset,
	.heads_tell = true,
	.tcp_ports = { 80, 8080, 8000, 8008, 3128, 8888 },
	.guess = guess_http,
	.take = take_http,
	.end = end_http,
};
