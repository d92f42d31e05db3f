// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/kept.h"
#include "decode/conv/pairs.h"

#define TIMEOUT_NS 30000000000ull

struct requests {
	struct pairs *pairs;		/* NULL: no pairing */
	uint64_t timeout_ns;
	bool no_answer;
	struct kept_record request;	/* the last one taken out */
};

int requests_open(struct requests **out, const struct decode_options *opt)
{
	struct requests *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->timeout_ns = opt->answer_timeout_ns ? opt->answer_timeout_ns : TIMEOUT_NS;
	q->no_answer = opt->no_answer;
	if (!opt->no_pairing && pairs_open(&q->pairs, REQUESTS_MAX, sizeof(struct kept), opt->seed)) {
		free(q);
		return -ENOMEM;
	}
	*out = q;
	return 0;
}

void requests_close(struct requests *q)
{
	if (!q)
		return;
	pairs_close(q->pairs);
	free(q);
}

static struct pairs_key key_of(const struct request_key *k)
{
	struct pairs_key p;

	memset(&p, 0, sizeof(p));
	memcpy(p.client, &k->conversation, sizeof(k->conversation));
	memcpy(p.server, &k->id, sizeof(k->id));
	p.kind = k->set->id;
	p.in_turn = true;
	return p;
}

bool requests_ask(struct requests *q, const struct request_key *key, struct record *r)
{
	return requests_ask_in_turn(q, key, 0, r);
}

bool requests_ask_in_turn(struct requests *q, const struct request_key *key, uint64_t turn, struct record *r)
{
	struct pairs_key p = key_of(key);
	uint64_t answered_ns;
	struct kept *k;

	if (!q->pairs)
		return false;
	p.what = turn;
	if (pairs_was_early(q->pairs, &p, r->time_ns, &answered_ns)) {
		pairs_took(r, r->time_ns, answered_ns);
		return true;
	}
	k = pairs_put(q->pairs, &p, r->time_ns, q->timeout_ns);
	if (k)
		kept_put(k, r);
	return false;
}

const struct record *requests_answer(struct requests *q, const struct request_key *key, struct record *r)
{
	struct pairs_key p = key_of(key);
	const struct kept *k;
	uint64_t asked_ns;

	if (!q->pairs)
		return NULL;
	k = pairs_take(q->pairs, &p, &asked_ns);
	if (!k) {
		pairs_early(q->pairs, &p, r->time_ns);
		return NULL;
	}
	kept_get(&q->request, k);
	pairs_took(r, asked_ns, r->time_ns);
	return &q->request.r;
}

uint64_t requests_move(struct requests *q, const struct request_key *from, const struct request_key *to)
{
	struct pairs_key p = key_of(from);
	struct kept copy, *k;
	uint64_t asked_ns;

	if (!q->pairs)
		return 0;
	k = pairs_take(q->pairs, &p, &asked_ns);
	if (!k)
		return 0;
	copy = *k;
	p = key_of(to);
	k = pairs_put(q->pairs, &p, asked_ns, q->timeout_ns);
	if (k)
		*k = copy;
	return asked_ns;
}

void requests_drop(struct requests *q, const struct request_key *key)
{
	struct pairs_key p = key_of(key);
	uint64_t asked_ns;

	if (q->pairs)
		pairs_take(q->pairs, &p, &asked_ns);
}

void requests_tick(struct requests *q, uint64_t now_ns, struct emit *e)
{
	struct pairs_key p;
	const struct kept *k;
	uint64_t asked_ns, clock_ns;

	if (!q->pairs)
		return;
	clock_ns = pairs_pass(q->pairs, now_ns);
	if (!q->no_answer || clock_ns < q->timeout_ns)
		return;
	while (!e->rc && (k = pairs_expire(q->pairs, clock_ns - q->timeout_ns, &p, &asked_ns))) {
		kept_get(&q->request, k);
		q->request.r.action = "no_answer";
		q->request.r.outcome = "unknown";
		record_mark(&q->request.r, FIELD_ACTION);
		record_mark(&q->request.r, FIELD_OUTCOME);
		emit_record(e, &q->request.r);
	}
}

void requests_end(struct requests *q)
{
	if (q->pairs)
		pairs_end(q->pairs);
}

uint64_t requests_evicted(const struct requests *q)
{
	return q->pairs ? pairs_evicted(q->pairs) : 0;
}
