// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * brute_force: one source, one service that asks for a password, and many sessions that end
 * before anything can have been done in them; or many answers that refuse what was given.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/http/fields.h"
#include "decode/redis/fields.h"
#include "detect/detector.h"
#include "util/steady.h"

enum {
	GUESSES_MAX = 4096,
	SESSION_BYTES_MAX = 6144,	/* that the service sends before it lets anybody in; of SSH 2 to 4 KB */
};

struct guesses {
	struct table_entry e;
	uint64_t start_ns;
	uint32_t failed, worked;
};

static void guess_close(void *state)
{
	table_close(state);
	free(state);
}

static int guess_open(void **state, struct detect *d)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t || table_open(t, sizeof(struct guesses), 0, GUESSES_MAX, 60000000000, detect_seed(d) + 8)) {
		free(t);
		return -ENOMEM;
	}
	*state = t;
	return 0;
}

static uint64_t guess_evicted(const void *state)
{
	return ((const struct table *)state)->evicted;
}

static void guessed(struct table *t, struct detect *d, const struct addr *src, const struct addr *dst, uint16_t port,
		    bool worked, const char *what)
{
	const struct detect_limit *l = detect_limit(d, RULE_BRUTE_FORCE);
	uint64_t key[KEY_WORDS], now_ns = detect_now(d);
	struct guesses *g;
	bool fresh;

	key_make(key, src, dst, port);
	g = table_get(t, key, now_ns, &fresh);
	if (fresh || time_apart(now_ns, g->start_ns) > l->window_ns) {
		g->start_ns = now_ns;
		g->failed = g->worked = 0;
	}
	g->worked += worked;
	g->failed += !worked;
	if (g->failed < l->n || g->worked * 4 > g->failed)
		return;
	detect_raise(d,
		     &(struct alert){ .rule = RULE_BRUTE_FORCE,
				      .src = src,
				      .dst = dst,
				      .port = port,
				      .count = g->failed,
				      .start_ns = g->start_ns,
				      .same_src = src,
				      .same_dst = dst,
				      .same = port },
		     "%s: %u %s port %u of %s in %.0f s", detect_addr(d, src), g->failed, what, port,
		     detect_addr(d, dst), (double)time_apart(now_ns, g->start_ns) / 1e9);
	g->start_ns = 0;
}

/* FTP, SSH, Telnet, rlogin and rexec, VNC, RDP: a login comes first, and nobody calls twenty times a minute. */
static bool asks_password(uint16_t port)
{
	switch (port) {
	case 21: case 22: case 23: case 512: case 513: case 2222: case 2323: case 3389: case 5900: return true;
	default: return false;
	}
}

static void guess_call(void *state, struct detect *d, const struct call_news *n)
{
	if (n->event != CALL_ENDED || !asks_password(n->port) || !n->call->caller_bytes || !n->call->called_bytes)
		return;
	guessed(state, d, n->caller, n->called, n->port, n->call->called_bytes > SESSION_BYTES_MAX,
		"short sessions with");
}

static bool starts(const struct str *s, const char *with)
{
	size_t n = strlen(with);

	return s->n >= n && !memcmp(s->p, with, n);
}

/* Of a response: its sender is the service. */
static void guess_record(void *state, struct detect *d, const struct record *r)
{
	if (!record_has(r, FIELD_SRC_PORT))
		return;
	if (r->set != &redis_dataset) {
		if (!record_has(r, FIELD_HTTP_STATUS))
			return;
		if (http_of(r)->status == 401 || http_of(r)->status / 100 == 2)
			guessed(state, d, &r->dst, &r->src, r->sport, http_of(r)->status != 401, "refused logins to");
	} else if (record_has(r, FIELD_REDIS_REPLY_VALUE)) {
		if (starts(&redis_of(r)->value, "WRONGPASS") || starts(&redis_of(r)->value, "ERR invalid password"))
			guessed(state, d, &r->dst, &r->src, r->sport, false, "refused logins to");
	}
}

const struct detector guess_detector = {
	.name = "guess",
	.rules = 1u << RULE_BRUTE_FORCE,
	.open = guess_open,
	.close = guess_close,
	.sets = { &http_dataset, &http2_dataset, &redis_dataset },
	.record = guess_record,
	.call = guess_call,
	.follow = asks_password,
	.evicted = guess_evicted,
};
