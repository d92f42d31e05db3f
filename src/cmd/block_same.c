// SPDX-License-Identifier: GPL-2.0-or-later
/* A change that changes nothing: the set that runs, and the way back, stay. */
#include <string.h>

#include <bpf/bpf.h>

#include "cmd/block.h"
#include "util/err.h"

static const char *text_of(const struct block_run *b, uint32_t at)
{
	const struct np_set_meta *m = b->set.at[BLOCK_META];

	return at < m->text_bytes ? (const char *)b->set.at[BLOCK_TEXT] + at : "";
}

/* Texts lie elsewhere in the pool of each. */
static bool same_entry(const struct block_run *b, const struct np_rule *runs, const struct np_rule *rule)
{
	struct np_rule a = *runs, c = *rule;

	a.reason = c.reason = a.name = c.name = a.file = c.file = 0;
	return !memcmp(&a, &c, sizeof(a)) &&
	       !strcmp(text_of(b, runs->reason), rules_string(&b->rules, rule->reason)) &&
	       !strcmp(text_of(b, runs->name), rules_string(&b->rules, rule->name)) &&
	       !strcmp(text_of(b, runs->file), rules_string(&b->rules, rule->file));
}

/* Ports that stay open are part of a set that denies. */
static bool same_modes(const struct block_run *b)
{
	const struct np_set_meta *m = b->set.at[BLOCK_META];
	const struct rules *r = &b->rules;

	if (m->mode != r->mode || m->frag != r->frag)
		return false;
	if (r->mode != NP_MODE_DENY)
		return true;
	return m->n_failsafe == r->n_failsafe &&
	       !memcmp(m->failsafe, r->failsafe, r->n_failsafe * sizeof(*r->failsafe));
}

/* A set of another version is made anew by this one's program. */
static bool same_program(const struct block_run *b, const struct block_set *next)
{
	struct bpf_prog_info is = { 0 }, will = { 0 };
	uint32_t n = sizeof(is), k = sizeof(will);

	return !bpf_obj_get_info_by_fd(b->set.prog, &is, &n) && !bpf_obj_get_info_by_fd(next->prog, &will, &k) &&
	       !memcmp(is.tag, will.tag, sizeof(is.tag));
}

/* What is not confirmed yet stays so, unless a time is asked for; apply has one of its own, or none. */
static bool same_timer(const struct block_run *b, const char *what)
{
	return !b->o->confirm_ns && !block_is_expired(b) && (!b->guard.deadline_ns || strcmp(what, "apply") != 0);
}

bool block_is_same(const struct block_run *b, const struct block_set *next, const char *what)
{
	const struct np_set_meta *m = b->running ? b->set.at[BLOCK_META] : NULL;
	const struct np_rule *v = b->running ? b->set.at[BLOCK_RULES] : NULL;

	if (!m || m->n_rules != b->rules.n || !same_modes(b) || !same_timer(b, what) || !same_program(b, next))
		return false;
	for (uint32_t i = 0; i < b->rules.n; i++)
		if (!same_entry(b, &v[i], &b->rules.v[i]))
			return false;
	return true;
}

int block_tell_same(struct block_run *b)
{
	struct np_guard g;
	int err = block_clock(&b->set, 0, &g);

	if (err)
		return err;
	note("%s: nothing to change: %u %s", b->place.ifname, b->rules.n, block_entries(b->rules.n));
	if (!g.deadline_ns)
		return 0;
	note("%s: the change before this one is not confirmed yet", b->place.ifname);
	block_tell_timer(b, g.deadline_ns > g.now_ns ? g.deadline_ns - g.now_ns : 1);
	return 0;
}
