// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/conv/requests.h"

#include <errno.h>
#include <stdlib.h>

#include "record_keep.h"

static const struct request_rules common = { .timeout_ns = 30000000000ull };

struct requests {
	struct pairs *pairs;		/* NULL: no pairing */
	uint64_t timeout_ns;
	bool silent, no_answer;
	uint64_t keeps[FIELD_WORDS];
	const struct record_kept *found;	/* the last one taken out */
	struct record_again request;
};

int requests_open(struct requests **out, const struct decode_options *opt, const struct request_rules *rules)
{
	struct requests *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	if (!rules)
		rules = &common;
	q->silent = rules->silent;
	q->timeout_ns = opt->answer_timeout_ns && !q->silent ? opt->answer_timeout_ns : rules->timeout_ns;
	q->no_answer = opt->no_answer && !q->silent;
	for (unsigned int w = 0; w < FIELD_WORDS; w++)
		q->keeps[w] = rules->keeps ? 0 : UINT64_MAX;
	for (const uint16_t *f = rules->keeps; f && *f; f++)
		q->keeps[*f / 64] |= 1ull << *f % 64;
	q->keeps[FIELD_TIME / 64] |= 1ull << FIELD_TIME % 64;
	if (!opt->no_pairing && pairs_open(&q->pairs, rules->max ? rules->max : REQUESTS_MAX,
					   q->silent ? 0 : sizeof(struct record_kept), opt->seed)) {
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

bool requests_ask(struct requests *q, const struct request_key *k, struct record *r)
{
	uint64_t answered_ns;
	struct record_kept *kept;

	if (!q->pairs)
		return false;
	if (pairs_was_early(q->pairs, k, r->time_ns, &answered_ns)) {
		pairs_took(r, r->time_ns, answered_ns);
		return true;
	}
	kept = pairs_put(q->pairs, k, r->time_ns, q->timeout_ns);
	if (kept && !q->silent)
		record_keep(kept, r, q->keeps);
	return false;
}

static bool answer(struct requests *q, const struct request_key *k, struct record *r,
		   void *(*find)(struct pairs *p, const struct request_key *k, uint64_t *asked_ns))
{
	uint64_t asked_ns;

	if (!q->pairs)
		return false;
	q->found = find(q->pairs, k, &asked_ns);
	if (!q->found) {
		pairs_early(q->pairs, k, r->time_ns);
		return false;
	}
	pairs_took(r, asked_ns, r->time_ns);
	return true;
}

bool requests_answer(struct requests *q, const struct request_key *k, struct record *r)
{
	return answer(q, k, r, pairs_take);
}

bool requests_begin_answer(struct requests *q, const struct request_key *k, struct record *r)
{
	return answer(q, k, r, pairs_see);
}

const struct record *requests_asked(struct requests *q)
{
	return record_again(&q->request, q->found);
}

uint64_t requests_move(struct requests *q, const struct request_key *from, const struct request_key *to)
{
	struct record_kept copy, *k;
	uint64_t asked_ns;

	if (!q->pairs)
		return 0;
	k = pairs_take(q->pairs, from, &asked_ns);
	if (!k)
		return 0;
	copy = *k;
	k = pairs_put(q->pairs, to, asked_ns, q->timeout_ns);
	if (k)
		*k = copy;
	return asked_ns;
}

void requests_drop(struct requests *q, const struct request_key *k)
{
	uint64_t asked_ns;

	if (q->pairs)
		pairs_take(q->pairs, k, &asked_ns);
}

static void emit_no_answer(struct requests *q, const struct record_kept *k, struct emit *e)
{
	struct record *r = &q->request.r;

	record_again(&q->request, k);
	r->action = "no_answer";
	r->outcome = "unknown";
	record_mark(r, FIELD_ACTION);
	record_mark(r, FIELD_OUTCOME);
	emit_record(e, r);
}

void requests_tick(struct requests *q, uint64_t now_ns, struct emit *e)
{
	struct request_key key;
	const struct record_kept *k;
	uint64_t asked_ns, clock_ns;

	if (!q->pairs)
		return;
	clock_ns = pairs_pass(q->pairs, now_ns);
	if (!q->no_answer || clock_ns < q->timeout_ns)
		return;
	while (!e->rc && (k = pairs_expire(q->pairs, clock_ns - q->timeout_ns, &key, &asked_ns)))
		emit_no_answer(q, k, e);
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
