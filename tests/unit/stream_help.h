/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STREAM_HELP_H
#define STREAM_HELP_H

#include "decode/conv/stream.h"

#include <stdlib.h>

#include "decode_help.h"

/* A connection of which a test says each segment, and a consumer that keeps what it is given. */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, MAX = 400000 };

/* A consumer that remembers what it was given. */
struct sink {
	uint8_t *p;
	uint32_t n, missing, calls, message;	/* message: takes that many bytes at a time; 0: all */
	uint32_t pass;				/* once: bytes to pass over beyond what is there */
	bool cut;
	uint32_t taken;				/* how often, and of which frames, the first few times */
	uint64_t number[16], time_ns[16];
};

static uint32_t consume(void *ctx, const struct stream_data *d)
{
	struct sink *s = ctx;
	uint32_t n = s->message ? s->message : d->n;

	s->calls++;
	s->missing += d->missing;
	s->cut |= d->cut;
	if (d->missing)
		n = d->n;
	if (n > d->n) {
		d->side->want = n;
		return 0;
	}
	assert_true(s->n + n <= MAX);
	memcpy(s->p + s->n, d->p, n);
	if (n && s->taken < 16 && d->pk->frame) {
		s->number[s->taken] = d->pk->frame->number;
		s->time_ns[s->taken++] = d->pk->frame->time_ns;
	}
	s->n += n;
	if (s->pass) {
		n += s->pass;
		s->pass = 0;
	}
	return n;
}

/* The consumer's state: so many connections have it. */
static unsigned int open_states;
enum { STATE_SIZE = 2000 };

static void end_state(void *ctx, struct stream_conn *c)
{
	assert_non_null(c->state);
	stream_free(c, c->state, STATE_SIZE);
	open_states--;
}

struct wire {
	struct streams *t;
	struct sink sink;
	struct frame frame;
	uint32_t ack;
};

static void segment(struct wire *w, bool back, uint32_t seq, uint8_t flags, const void *p, uint32_t cap,
		    uint32_t len)
{
	struct packet pk = { .frame = &w->frame,
			     .has_tcp = true,
			     .tcp_flags = flags,
			     .tcp_seq = seq,
			     .tcp_ack = w->ack,
			     .payload = p,
			     .payload_cap = cap,
			     .payload_len = len };

	pk.ip = (struct ip_layer){ .src = { 4, { 10, 0, 0, back ? 2 : 1 } },
				   .dst = { 4, { 10, 0, 0, back ? 1 : 2 } },
				   .sport = back ? 53 : 4000,
				   .dport = back ? 4000 : 53,
				   .version = 4,
				   .proto = 6,
				   .has_ports = true };
	w->frame.time_ns += 1000000;
	w->frame.number++;
	stream_packet(w->t, &pk, consume, &w->sink);
}

static void data(struct wire *w, uint32_t seq, const char *text)
{
	segment(w, false, seq, ACK, text, (uint32_t)strlen(text), (uint32_t)strlen(text));
}

static int wire_open(void **state)
{
	struct wire *w = calloc(1, sizeof(*w));

	w->sink.p = malloc(MAX);
	w->frame.time_ns = SECOND;
	*state = w;
	return stream_open(&w->t, 1, end_state, NULL);
}

static int wire_close(void **state)
{
	struct wire *w = *state;

	assert_int_equal(stream_memory(w->t) > STREAM_MEMORY, 0);
	stream_close(w->t);
	assert_int_equal(open_states, 0);
	free(w->sink.p);
	free(w);
	return 0;
}

static void assert_got(const struct wire *w, const char *text)
{
	assert_int_equal(w->sink.n, strlen(text));
	assert_memory_equal(w->sink.p, text, w->sink.n);
}

#endif
