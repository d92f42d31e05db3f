// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "decode/conv/conv.h"
#include "decode/redis/fields.h"
#include "decode/redis/resp.h"
#include "decode/redis/secrets.h"

/*
 * Redis: RESP2, RESP3 and inline commands.  A command is told when all of it is there, or as
 * far as HOLD_MAX bytes go; a reply when it has ended, its elements passed over one by one.
 * A flat count of the values that are still to come takes the place of a stack, so nesting
 * costs nothing.
 */
enum {
	HOLD_MAX = 32768,
	VALUE_MAX = 256,		/* characters of an argument or a value that are told */
	INLINE_MAX = 8192,
	PASS_MAX = 1 << 30,
	STREAMED_MAX = 8,
	ENDLESS = 1 << 30,
};

enum phase {
	START,		/* nothing is known: at the beginning, and after a hole */
	NEXT,		/* a message was read to its end */
	REST,		/* values of a command that was told already */
	REPLY,		/* elements of a reply */
};

struct way {
	uint64_t left;		/* values to come */
	uint64_t outer[STREAMED_MAX];	/* `left` of what is around a streamed aggregate */
	uint8_t streamed;
	struct resp_token top;	/* of the reply; its text is not kept */
	bool published;		/* it is a message of pub/sub, which nobody asked for */
};

struct conversation {
	uint32_t asked, answered;
	uint32_t early;		/* replies that came before their commands; asked == answered then */
	uint32_t given;
	uint8_t client;		/* 1 + the direction that asks; 0: not known */
	bool subscribed, silent, skip, replica, resp3;
	bool unpaired;		/* the next command stands behind a hole: see lose_pairs() */
	struct way way[2];
};

struct redis {
	uint64_t malformed;
};

struct job {
	struct call *call;
	const struct stream_data *d;
	struct conversation *cv;
	struct way *way;
};

static int open_redis(void **out, const struct decode_options *opt)
{
	(void)opt;
	*out = calloc(1, sizeof(struct redis));
	return *out ? 0 : -ENOMEM;
}

static void count_redis(const void *ctx, struct decode_counts *c)
{
	c->malformed += ((const struct redis *)ctx)->malformed;
}

static void end_redis(void *ctx, struct stream_conn *conn)
{
	(void)ctx;
	stream_free(conn, conn->state, sizeof(struct conversation));
	conn->state = NULL;
}

static struct str at_most(struct str s)
{
	if (s.n > VALUE_MAX)
		s.n = VALUE_MAX;
	return s;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Of a command's name */
static bool is_word(char c, bool later)
{
	return is_letter(c) || c == '_' || (later && ((c >= '0' && c <= '9') || c == '.' || c == '-'));
}

static bool is(struct str s, const char *word)
{
	return s.n == strlen(word) && !memcmp(s.p, word, s.n);
}

static bool subscribes(struct str name)
{
	return is(name, "SUBSCRIBE") || is(name, "PSUBSCRIBE") || is(name, "SSUBSCRIBE");
}

/* What a command means for the replies to come. */
static void note_command(struct conversation *cv, struct str name, const struct str *args, uint32_t n)
{
	if (subscribes(name))
		cv->subscribed = true;
	else if (is(name, "PSYNC") || is(name, "SYNC"))
		cv->replica = true;
	else if (is(name, "HELLO") && n && args[0].n == 1)
		cv->resp3 = args[0].p[0] == '3';
	if (!is(name, "CLIENT") || n < 2 || args[0].n != 5 || strncasecmp(args[0].p, "REPLY", 5))
		return;
	if (args[1].n == 3 && !strncasecmp(args[1].p, "OFF", 3))
		cv->silent = true;
	else if (args[1].n == 2 && !strncasecmp(args[1].p, "ON", 2))
		cv->silent = false;
	cv->skip = args[1].n == 4 && !strncasecmp(args[1].p, "SKIP", 4);
}

static void ask(struct job *j, struct record *r)
{
	struct conversation *cv = j->cv;
	struct request_key k = REQUEST_KEY(&redis_dataset, j->d->conn->serial, cv->asked++);

	if (!requests_ask(j->call->requests, &k, r)) {
		cv->early = 0;
		return;
	}
	cv->answered++;
	cv->early -= cv->early > 0;
}

static void emit_command(struct job *j, struct str name, struct str *args, uint32_t n, uint32_t count)
{
	struct conversation *cv = j->cv;
	char upper[VALUE_MAX];
	bool skip = cv->skip;
	struct record r;

	name = at_most(name);
	for (uint32_t i = 0; i < name.n; i++)
		upper[i] = (char)(name.p[i] >= 'a' && name.p[i] <= 'z' ? name.p[i] - 32 : name.p[i]);
	name.p = upper;
	cv->skip = false;
	note_command(cv, name, args, n);
	if (!j->call->show_secrets)
		redis_hide_secrets(name, args, n);
	conv_record(j->call, j->d, &r, &redis_dataset, "redis", "request");
	redis_of(&r)->command = name;
	redis_of(&r)->args = (struct list){ args, n };
	redis_of(&r)->args_count = count;
	record_mark(&r, FIELD_REDIS_COMMAND);
	record_mark(&r, FIELD_REDIS_ARGS);
	record_mark(&r, FIELD_REDIS_ARGS_COUNT);
	/* In RESP3 a subscription is confirmed by a push. */
	if (!skip && !cv->skip && !cv->silent && !cv->unpaired && !(cv->resp3 && subscribes(name)))
		ask(j, &r);
	cv->unpaired = false;
	cv->given++;
	emit_record(j->call->e, &r);
}

/*
 * Bytes are lost.  Who knows how many replies were among them: those that are waited for have none
 * that is certain.  Behind lost commands stands one that may have been answered by now.
 */
static void lose_pairs(struct job *j)
{
	struct conversation *cv = j->cv;

	if (cv->client == j->d->dir + 1) {
		cv->unpaired = !j->d->cut;
		cv->asked += cv->early;
		cv->answered += cv->early;
		cv->early = 0;
		return;
	}
	for (; cv->answered != cv->asked; cv->answered++)
		requests_drop(j->call->requests,
			      &REQUEST_KEY(&redis_dataset, j->d->conn->serial, cv->answered));
}

static uint32_t give_up(struct job *j)
{
	struct redis *st = j->call->ctx;

	if (!j->cv->given)
		return PROTOCOL_WRONG;
	if (j->d->side->phase != START)
		st->malformed++;
	j->d->side->phase = START;
	j->d->side->mark = 0;
	return j->d->n;
}

/* ── commands ───────────────────────────────────────────────────────────── */

/* The values in the first n bytes of a command. */
static void emit_array(struct job *j, uint32_t n, uint64_t count)
{
	const char *p = (const char *)j->d->p;
	struct str name = { "", 0 }, args[64];
	uint32_t n_args = 0;
	struct resp_token t;
	uint64_t at, head;

	if (resp_read(&t, p, n) != 1)
		return;
	head = t.size;
	for (at = head; at < n && n_args < 64; at += t.size) {
		if (resp_read(&t, p + at, n - (uint32_t)at) != 1)
			break;
		if (at == head)
			name = t.text;
		else
			args[n_args++] = at_most(t.text);
	}
	emit_command(j, name, args, n_args, (uint32_t)(count - 1));
}

static uint32_t wait_for(struct job *j, uint64_t bytes)
{
	j->d->side->want = bytes > STREAM_SIDE_MAX ? j->d->n + 1 : (uint32_t)bytes;
	return 0;
}

/* side->mark is how far the values have been read, way->left how many are to come. */
static uint32_t take_array(struct job *j)
{
	const char *p = (const char *)j->d->p;
	struct stream_side *side = j->d->side;
	struct resp_token head, t;
	int rc = resp_read(&head, p, j->d->n);

	if (rc < 0 || (rc && (head.streamed || head.value < 1)))
		return rc > 0 && head.value < 1 && !head.streamed ? (uint32_t)head.size : give_up(j);
	if (!rc)
		return wait_for(j, j->d->n + 1);
	if (!side->mark) {
		side->mark = head.line;
		j->way->left = (uint64_t)head.value;
	}
	while (j->way->left) {
		rc = resp_read(&t, p + side->mark, j->d->n - side->mark);
		if (rc < 0 || (rc && (t.type != '$' || t.streamed || t.value < 0)))
			return give_up(j);
		if (rc && side->mark + t.size <= j->d->n) {
			side->mark += (uint32_t)t.size;
			j->way->left--;
			continue;
		}
		if (!j->d->missing && side->mark + (rc ? t.size : 1) <= HOLD_MAX)
			return wait_for(j, rc ? side->mark + t.size : j->d->n + 1);
		if (!j->d->missing && j->d->n < HOLD_MAX && j->d->n < side->mark + VALUE_MAX + RESP_LINE_MAX / 16)
			return wait_for(j, j->d->n + 1);
		if (j->d->missing && !j->d->cut)
			return j->d->n;
		emit_array(j, j->d->n, (uint64_t)head.value);	/* as far as it goes */
		side->phase = REST;
		rc = (int)side->mark;
		side->mark = 0;
		return (uint32_t)rc;
	}
	emit_array(j, side->mark, (uint64_t)head.value);
	side->phase = NEXT;
	rc = (int)side->mark;
	side->mark = 0;
	return (uint32_t)rc;
}

/* An inline command: words and blanks. */
static uint32_t take_inline(struct job *j)
{
	const char *p = (const char *)j->d->p, *nl = memchr(p, '\n', j->d->n);
	struct str words[65], word;
	char room[INLINE_MAX];
	uint32_t n = nl ? (uint32_t)(nl - p) : 0, count = 0, at = 0, used = 0;

	if (!nl || n > INLINE_MAX)
		return nl || j->d->n > INLINE_MAX ? give_up(j) : wait_for(j, j->d->n + 1);
	for (uint32_t i = 0; i < n; i++)
		if ((uint8_t)p[i] < 0x20 && p[i] != '\t' && p[i] != '\r')
			return give_up(j);
	while (n && p[n - 1] == '\r')
		n--;
	while (resp_word(&word, p, n, &at, room, &used)) {
		for (uint32_t i = 0; !count && i < word.n; i++)
			if (!is_word(word.p[i], i))
				return give_up(j);
		if (!count && !word.n)
			return give_up(j);
		if (count < 65)
			words[count] = at_most(word);
		count++;
	}
	if (count)
		emit_command(j, words[0], words + 1, count < 65 ? count - 1 : 64, count - 1);
	j->d->side->phase = NEXT;
	return (uint32_t)(nl - p) + 1;
}

/* ── replies ────────────────────────────────────────────────────────────── */

static void mark_value(struct record *r, const struct resp_token *t)
{
	struct str text = t->text;

	redis_of(r)->type = resp_type_name(t);
	record_mark(r, FIELD_REDIS_REPLY_TYPE);
	if (resp_is_aggregate(t->type) && t->value >= 0) {
		redis_of(r)->count = (uint32_t)t->value;
		if (!t->streamed)
			record_mark(r, FIELD_REDIS_REPLY_COUNT);
		return;
	}
	if (!strcmp(redis_of(r)->type, "null") || t->streamed)
		return;
	if (t->type == '#')
		text = text.p[0] == 't' ? (struct str){ "true", 4 } : (struct str){ "false", 5 };
	if (t->type == '=' && text.n > 4 && text.p[3] == ':')	/* its format goes before it */
		text = (struct str){ text.p + 4, text.n - 4 };
	redis_of(r)->value = at_most(text);
	record_mark(r, FIELD_REDIS_REPLY_VALUE);
}

static void emit_reply(struct job *j, const struct resp_token *t)
{
	struct conversation *cv = j->cv;
	bool push = t->type == '>';
	bool waiting = cv->asked != cv->answered && !(t->type == '*' && j->way->published);
	struct request_key k = REQUEST_KEY(&redis_dataset, j->d->conn->serial, cv->answered + cv->early);
	const struct record *asked = NULL;
	struct record r;

	conv_record(j->call, j->d, &r, &redis_dataset, "redis",
		   t->type == '|' ? "attribute" : push ? "push" : "response");
	mark_value(&r, t);
	if (!push && t->type != '|') {
		r.outcome = t->type == '-' || t->type == '!' ? "failure" : "success";
		record_mark(&r, FIELD_OUTCOME);
		if (waiting) {
			cv->answered++;
			if (requests_answer(j->call->requests, &k, &r))
				asked = requests_asked(j->call->requests);
		} else if (cv->asked == cv->answered && !cv->unpaired && conv_overtakes(j->call, j->d)) {
			cv->early++;
			requests_answer(j->call->requests, &k, &r);
		}
	}
	/* An error may quote what it was asked. */
	if (record_has(&r, FIELD_REDIS_REPLY_VALUE) && !strcmp(redis_of(&r)->type, "error") && !j->call->show_secrets &&
	    redis_quotes_secret(asked ? redis_of(asked)->command : (struct str){ "", 0 }, redis_of(&r)->value))
		redis_of(&r)->value = (struct str){ "[hidden]", 8 };
	cv->given++;
	emit_record(j->call->e, &r);
}

static uint32_t pass(uint64_t bytes)
{
	return bytes > PASS_MAX ? PASS_MAX : (uint32_t)bytes;
}

/* One more value has been read, or begins to be. */
static void count_value(struct way *w, const struct resp_token *t)
{
	uint64_t inside = t->value > 0 ? (uint64_t)t->value : 0;

	if (t->type == '.') {
		w->left = w->streamed ? w->outer[--w->streamed] : 0;
		return;
	}
	if (t->type == ';' ? t->value > 0 : t->type == '$' && t->streamed)
		return;			/* pieces of a text: the last one counts */
	w->left--;
	if (!resp_is_aggregate(t->type))
		return;
	if (t->streamed && w->streamed < STREAMED_MAX) {
		w->outer[w->streamed++] = w->left;
		w->left = (uint64_t)ENDLESS << 30;
		return;
	}
	w->left += t->type == '%' ? 2 * inside : t->type == '|' ? 2 * inside + 1 : inside;
}

/* Elements, or the rest of a command. */
static uint32_t take_values(struct job *j)
{
	struct resp_token t;
	int rc = resp_read(&t, (const char *)j->d->p, j->d->n);

	if (rc < 0)
		return give_up(j);
	if (!rc)
		return wait_for(j, j->d->n + 1);
	/* What is told on a reply's end is told with the bytes that end it. */
	if (j->d->side->phase == REPLY && j->way->left == 1 && t.size > j->d->n && t.size <= HOLD_MAX)
		return wait_for(j, t.size);
	count_value(j->way, &t);
	if (!j->way->left) {
		if (j->d->side->phase == REPLY)
			emit_reply(j, &j->way->top);
		j->d->side->phase = NEXT;
	}
	return pass(t.size);
}

/* "message", "pmessage" and "smessage" begin what is published, in RESP2. */
static bool is_published(const struct resp_token *t)
{
	return t->type == '$' && (is(t->text, "message") || is(t->text, "pmessage") || is(t->text, "smessage"));
}

/* The first element of an array that may be a message of pub/sub; false: it is not there yet. */
static bool look_inside(struct job *j, const struct resp_token *array)
{
	const char *p = (const char *)j->d->p + array->size;
	uint32_t n = j->d->n - (uint32_t)array->size;
	struct resp_token t;
	int rc;

	j->way->published = false;
	if (!j->cv->subscribed || array->type != '*' || array->value < 3)
		return true;
	rc = resp_read(&t, p, n);
	j->way->published = rc > 0 && is_published(&t);
	return j->d->missing || (rc && (rc < 0 || t.size > VALUE_MAX || n >= t.size));
}

static uint32_t take_reply(struct job *j)
{
	struct resp_token t;
	int rc = resp_read(&t, (const char *)j->d->p, j->d->n);

	if (rc < 0 || (rc && (t.type == ';' || t.type == '.')))
		return give_up(j);
	if (!rc)
		return wait_for(j, j->d->n + 1);
	if (j->cv->replica && t.type == '$' && t.value > 0)
		t.size -= 2;			/* the snapshot of a replication has no end of line */
	if (!resp_is_aggregate(t.type) && !t.streamed) {
		bool much = t.size > HOLD_MAX;

		if (!j->d->cut && (much ? j->d->n < t.line + VALUE_MAX : j->d->n < t.size))
			return wait_for(j, much ? t.line + VALUE_MAX : t.size);
		j->d->side->phase = NEXT;
		emit_reply(j, &t);
		return pass(t.size);
	}
	if (!look_inside(j, &t))
		return wait_for(j, j->d->n + 1);
	j->d->side->phase = NEXT;
	j->way->left = 1;
	j->way->streamed = 0;
	count_value(j->way, &t);
	if (t.type == '|' && j->way->left)
		j->way->left--;			/* the value it belongs to is a reply of its own */
	if (t.type == '$')
		j->way->left = 1;
	if (!j->way->left) {
		emit_reply(j, &t);
		return (uint32_t)t.size;
	}
	j->way->top = t;
	j->d->side->phase = REPLY;
	return (uint32_t)t.size;
}

/* ── both ───────────────────────────────────────────────────────────────── */

static bool is_port(uint16_t port)
{
	return port == 6379 || port == 6380 || port == 16379 || port == 26379 || port == 7000 || port == 7001;
}

/* Does this direction ask?  Told by the handshake, the ports, or by who says what. */
static bool asks(struct job *j)
{
	const struct ip_layer *ip = &j->call->pk->ip;
	uint8_t me = (uint8_t)(j->d->dir + 1), peer = (uint8_t)(2 - j->d->dir);

	if (!j->cv->client)
		j->cv->client = j->d->conn->client;
	if (!j->cv->client && is_port(ip->dport) != is_port(ip->sport))
		j->cv->client = is_port(ip->dport) ? me : peer;
	if (!j->cv->client && j->d->n)
		j->cv->client = j->d->p[0] == '*' || is_letter((char)j->d->p[0]) ? me : peer;
	return j->cv->client == me;
}

static uint32_t take_message(struct job *j)
{
	const struct stream_data *d = j->d;

	if (!d->n)
		return 0;
	if (d->side->phase == REST || d->side->phase == REPLY)
		return take_values(j);
	if (!asks(j))
		return take_reply(j);
	if (d->p[0] == '\r' || d->p[0] == '\n')
		return 1;
	return d->p[0] == '*' ? take_array(j) : take_inline(j);
}

static uint32_t take_redis(struct call *call, const struct stream_data *d)
{
	struct job j = { call, d, d->conn->state, NULL };
	uint32_t took;

	if (!j.cv)
		j.cv = d->conn->state = stream_alloc(d->conn, sizeof(struct conversation));
	if (!j.cv)
		return d->n;
	j.way = &j.cv->way[d->dir];
	took = take_message(&j);
	if (d->missing && took != PROTOCOL_WRONG)
		lose_pairs(&j);
	return took;
}

/* "*2\r\n$3\r\nGET\r\n": a command on any port; "+PONG\r\n"; other replies on its own ports. */
static enum guess guess_redis(struct call *call, const struct stream_data *d, bool hinted)
{
	const char *p = (const char *)d->p;
	struct resp_token head, word;
	int rc = resp_read(&head, p, d->n);

	(void)call;
	if (rc < 0) {
		const char *nl = memchr(p, '\n', d->n < 128 ? d->n : 128);

		/* An inline command: a word of letters, then a line */
		if (!hinted || !d->n || !is_letter(p[0]) || !nl)
			return GUESS_NO;
		if (nl - p > 10 && memmem(p, (size_t)(nl - p), " HTTP/1.", 8))
			return GUESS_NO;
		for (; p < nl; p++)
			if ((uint8_t)*p < 0x20 && *p != '\r' && *p != '\t')
				return GUESS_NO;
		return GUESS_YES;
	}
	if (!rc)
		return d->n && strchr("*$", d->p[0]) ? GUESS_MORE : hinted ? GUESS_MORE : GUESS_NO;
	if (hinted || (head.type == '+' && is(head.text, "PONG")))
		return GUESS_YES;
	if (head.type != '*' || head.value < 1 || head.value > 1 << 20)
		return GUESS_NO;
	rc = resp_read(&word, p + head.size, d->n - (uint32_t)head.size);
	if (rc < 1)
		return rc ? GUESS_NO : GUESS_MORE;
	if (word.type != '$' || word.value < 1 || word.value > 64)
		return GUESS_NO;
	for (uint32_t i = 0; i < word.text.n; i++)
		if (!is_word(word.text.p[i], i))
			return GUESS_NO;
	return d->n - head.size < word.size ? GUESS_MORE : GUESS_YES;
}

const struct protocol redis_protocol = {
	.name = "redis",
	.set = &redis_dataset,
	.tcp_ports = { 6379, 6380, 16379, 26379, 7000, 7001 },
	.open = open_redis,
	.close = free,
	.counts = count_redis,
	.guess = guess_redis,
	.take = take_redis,
	.end = end_redis,
};
