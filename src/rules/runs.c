// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules/runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

static int grow(struct runs *r)
{
	uint32_t cap = r->cap ? 2 * r->cap : 4096, *v, *at;

	v = realloc(r->v, cap * sizeof(*v));
	if (!v)
		return fail(ENOMEM, "tables");
	r->v = v;
	at = realloc(r->at, cap * sizeof(*at));
	if (!at)
		return fail(ENOMEM, "tables");
	r->at = at;
	r->cap = cap;
	return 0;
}

static int push(struct runs *r, uint32_t at, uint32_t value)
{
	if (r->n == r->cap && grow(r))
		return -ENOMEM;
	r->at[r->n] = at;
	r->v[r->n++] = value;
	return 0;
}

int runs_begin(struct runs *r)
{
	r->first = r->n;
	return push(r, 0, 0);
}

int runs_put(struct runs *r, uint32_t at, uint32_t value)
{
	uint32_t last = r->n - 1;

	if (at < r->at[last] || at >= 1u << 24)
		return 0;
	if (at == r->at[last]) {
		r->v[last] = value;
		return 0;
	}
	return r->v[last] == value ? 0 : push(r, at, value);
}

static int more_steps(struct runs *r, uint32_t n)
{
	uint32_t cap = r->steps_cap;
	struct np_step *steps;

	while (cap < r->n_steps + n)
		cap = cap ? 2 * cap : 2 * NP_STEPS;
	steps = realloc(r->steps, cap * sizeof(*steps));
	if (!steps)
		return fail(ENOMEM, "tables");
	r->steps = steps;
	r->steps_cap = cap;
	memset(steps + r->n_steps, 0, n * sizeof(*steps));
	r->n_steps += n;
	return 0;
}

/* A /16 with few runs: `n` begin after `run`, in which it begins. */
static void set_coarse(const struct runs *r, struct np_step *s, uint32_t run, uint32_t n)
{
	s->run = run;
	s->begin = ~0u;
	for (uint32_t i = 0; i < n; i++)
		s->begin = s->begin << 8 | ((r->at[run + 1 + i] - 1) & 255);
}

/* One with many. */
static int set_fine(struct runs *r, uint32_t place, uint32_t run, uint32_t n)
{
	uint32_t fine = r->n_steps;
	struct np_step *s;

	if (more_steps(r, NP_FINE))
		return -ENOMEM;
	r->steps[place] = (struct np_step){ .run = NP_RUN_FINE | fine };
	s = r->steps + fine;
	for (uint32_t i = run + 1; i <= run + n; i++)
		s[r->at[i] >> 5 & (NP_FINE - 1)].begin |= 1u << (r->at[i] & 31);
	s[0].run = run;
	for (uint32_t i = 1; i < NP_FINE; i++)
		s[i].run = np_run_fine(&s[i - 1], 31);
	return 0;
}

int runs_end(struct runs *r, uint32_t *steps)
{
	uint32_t first = r->n_steps, run = r->first, n;

	*steps = first;
	if (more_steps(r, NP_STEPS))
		return -ENOMEM;
	for (uint32_t i = 0; i < NP_STEPS; i++, run += n) {
		if (run + 1 < r->n && r->at[run + 1] == i << 8)
			run++;
		for (n = 0; run + 1 + n < r->n && r->at[run + 1 + n] >> 8 == i; n++)
			;
		if (n <= NP_BEGIN_BYTES)
			set_coarse(r, &r->steps[first + i], run, n);
		else if (set_fine(r, first + i, run, n))
			return -ENOMEM;
	}
	return 0;
}

void runs_free(struct runs *r)
{
	free(r->steps);
	free(r->v);
	free(r->at);
	memset(r, 0, sizeof(*r));
}
