// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of this node's pods by policy, beside the rows of another command. */
#include <errno.h>
#include <stdlib.h>

#include "cmd/beside.h"
#include "cmd/policy_counting.h"
#include "util/err.h"

struct beside {
	struct policy_opts o;
	struct policy p;
	struct counting *c;
	struct frame_stage stage;
	int fds[COUNTING_PRIVATE_FDS];
	unsigned int n_fds;
};

static int begin(void *ctx)
{
	struct beside *s = ctx;
	int err = policy_read(&s->p);

	if (!err)
		err = counting_begin(s->c, -1);
	if (err)
		return err;
	counting_say_begin(s->c);
	return 0;
}

static int ready(void *ctx)
{
	struct beside *s = ctx;
	int err = counting_ready(s->c);

	counting_fds(s->c, s->stage.fds);
	return err;
}

static int tick(void *ctx, uint64_t now_ns)
{
	struct beside *s = ctx;

	return counting_tick(s->c, now_ns);
}

static int nothing_at(void *ctx, uint64_t now_ns)
{
	return 0;
}

static int settle(void *ctx, uint64_t now_ns)
{
	struct beside *s = ctx;

	return counting_settle(s->c);
}

static int wait_ms(void *ctx)
{
	const struct beside *s = ctx;

	return counting_wait_ms(s->c);
}

static int start(struct beside *s, const struct strs *files)
{
	int rc = 0;

	for (unsigned int i = 0; i < files->n && !rc; i++)
		rc = policy_add_file(&s->p, files->v[i]);
	if (!rc)
		rc = policy_open_files(&s->p) ? -EINVAL : 0;
	return rc ? rc : counting_open(&s->c, &s->p);
}

int beside_open(struct beside **out, const struct globals *g, const struct strs *files, const char *kubectl)
{
	struct beside *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return fail(ENOMEM, "policy counters");
	s->o.kubectl = kubectl;
	s->p = (struct policy){ .g = g, .o = &s->o, .kubectl_fd = -1, .follows = true };
	s->stage = (struct frame_stage){
		.begin = begin, .tick = tick, .finish = settle, .lost = nothing_at, .wait_ms = wait_ms,
		.ready = ready, .ctx = s,
	};
	err = start(s, files);
	if (err) {
		beside_close(s);
		return err;
	}
	counting_fds(s->c, s->stage.fds);
	s->n_fds = counting_private_fds(s->c, s->fds);
	*out = s;
	return 0;
}

const struct frame_stage *beside_stage(const struct beside *s)
{
	return &s->stage;
}

const int *beside_fds(const struct beside *s, unsigned int *n)
{
	*n = s->n_fds;
	return s->fds;
}

int beside_rows(void *ctx, uint64_t now_ns, record_fn fn, void *fn_ctx)
{
	struct beside *s = ctx;
	int err = counting_rows(s->c, now_ns, fn, fn_ctx);

	if (!err)
		counting_told(s->c);
	return err;
}

void beside_close(struct beside *s)
{
	if (!s)
		return;
	counting_close(s->c);
	buf_free(&s->p.line);
	k8s_decision_free(&s->p.d);
	k8s_close(s->p.k);
	free(s);
}
