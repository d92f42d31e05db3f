// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which set runs, and which one is the way back.
 *
 * At a hook there is none, or one: confirmed (its deadline is 0), armed (it ends later), or expired (it has ended: the
 * program passes everything).  Beside it prev_HOOK is pinned: the last confirmed set before it, or nothing when there
 * was none.  A set that nobody confirmed is never the way back.
 *
 *              none              confirmed R        armed R                   expired R
 *   add, del   prev: nothing     prev: R            prev stays                from the entries of prev, which stays
 *   apply      prev: nothing     prev: R            prev stays                prev stays
 *   confirm    -                 says so            confirmed                 refused: too late
 *   rollback   -                 prev runs, R prev  prev runs and stays       prev runs and stays
 *   del --all  -                 none               none                      none
 *
 * add and del without a time of their own over an armed set end when that would have: they confirm nothing that others
 * left open.  apply replaces all of it, and is judged alone.  Rolled back from an armed or expired set, prev is
 * confirmed already; from a confirmed one it is armed like any change.  Where prev is what runs, there is no way back.
 *
 * Killed in between: prev is put before the program is replaced, in one step each.  Either nothing has changed for
 * packets, and at worst prev is R itself, which is known by its number; or all has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cmd/block.h"
#include "kern/hook.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { CONFIRM_S = 60, HANDLE = 7, SECOND = 1000000000 };

static bool is_armed(const struct block_run *b)
{
	return b->running && b->guard.deadline_ns;
}

bool block_is_expired(const struct block_run *b)
{
	return is_armed(b) && b->guard.now_ns >= b->guard.deadline_ns;
}

void block_warn_expired(const struct block_run *b)
{
	if (block_is_expired(b))
		warn("%s: the last change was not confirmed in time: it drops nothing, everything passes",
		     b->place.ifname);
}

static void prev_name(const struct block_run *b, char out[PIN_NAME])
{
	snprintf(out, PIN_NAME, "prev_%s", pin_hook_names[b->hook]);
}

static int no_firewall(const struct block_run *b)
{
	fail(0, "%s has no firewall", b->place.ifname);
	return -ENOENT;
}

/* ── the set before this one ──────────────────────────────────────────────── */

static uint32_t prog_id(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t n = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &n) ? 0 : info.id;
}

/* 1 and *prev; 0: there was none; or -errno (said).  -ESTALE: it is the one that runs. */
static int open_prev(const struct block_run *b, struct block_set *prev)
{
	char name[PIN_NAME];
	int fd, err;

	prev_name(b, name);
	fd = pin_get(&b->view, name, false);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fail(fd, "%s/%s", b->view.path, name);
	if (prog_id(fd) == prog_id(b->set.prog)) {
		close(fd);
		return -ESTALE;
	}
	err = block_open(prev, fd, true);
	return err ? err : 1;
}

/* Counts of entries that both have: what `now` counted beyond `prev` is added there. */
static int give_back(struct block_set *prev, const struct block_set *now)
{
	const struct np_set_meta *mp = prev->at[BLOCK_META], *mn = now->at[BLOCK_META];
	const struct np_rule *rp = prev->at[BLOCK_RULES], *rn = now->at[BLOCK_RULES];
	owned_mem struct np_hit *held_p = block_recent(prev, mp->n_rules), *held_n = block_recent(now, mn->n_rules);
	struct np_hit *before = block_carry_room(now);
	int err;

	for (uint32_t i = 0, k = 0; held_p && held_n && before && i < mn->n_rules; i++) {
		struct np_hit h, known;

		while (k < mp->n_rules && rp[k].id < rn[i].id)
			k++;
		if (k == mp->n_rules || rp[k].id != rn[i].id)
			continue;
		h = block_hit(now, i, held_n);
		known = block_hit(prev, k, held_p);
		before[i] = known.hits < h.hits ? known : h;
	}
	err = held_p && held_n && before ? block_carry(prev, now, &before) : fail(ENOMEM, "counts of entries");
	free(before);
	return err;
}

/* From here on b->set and b->rules are those of prev. */
static int go_on_with(struct block_run *b, struct block_set *prev)
{
	uint32_t next_id = b->rules.next_id;
	int err;

	block_close(&b->set);
	b->set = *prev;
	rules_free(&b->rules);
	err = rules_init(&b->rules);
	if (!err)
		err = block_take_rules(b);
	if (b->rules.next_id < next_id)
		b->rules.next_id = next_id;
	return err;
}

/* ── a change ─────────────────────────────────────────────────────────────── */

static bool lives(const struct np_rule *rule, const void *now_ns)
{
	return !(rule->flags & NP_RULE_EXPIRES) || rule->expires_ns > *(const uint64_t *)now_ns;
}

static bool none(const struct np_rule *rule, const void *ctx)
{
	return false;
}

/* What was not confirmed in time is gone. */
static int leave_expired(struct block_run *b)
{
	struct block_set prev = { .prog = -1 };
	int there = open_prev(b, &prev), err;

	if (there == -ESTALE)
		there = 0;
	if (there < 0)
		return there;
	warn("%s: the last change was not confirmed in time and is dropped: going on from %s", b->place.ifname,
	     there ? "the set before it" : "nothing, for there was no set before it");
	if (!there) {
		rules_remove(&b->rules, none, NULL);
		b->rules.mode = NP_MODE_BLOCK;
		b->rules.frag = NP_FRAG_INHERIT;
		return 0;
	}
	err = give_back(&prev, &b->set);
	if (err)
		block_close(&prev);
	return err ? err : go_on_with(b, &prev);
}

int block_base(struct block_run *b)
{
	int err = block_is_expired(b) ? leave_expired(b) : 0;

	if (!err)
		b->dropped = rules_remove(&b->rules, lives, &b->now_ns);
	return err;
}

/* Whichever of the three is redirected: the terminal of a pipeline, or of a script, is that of its session. */
static bool has_terminal(void)
{
	owned_fd int fd = -1;

	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO))
		return true;
	fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	return fd >= 0;
}

static uint64_t own_time(const struct block_run *b)
{
	if (b->o->confirm_ns)
		return b->o->confirm_ns;
	return !b->o->commit && (b->peers.own || has_terminal()) ? (uint64_t)CONFIRM_S * SECOND : 0;
}

int block_time_to_confirm(struct block_run *b, const char *what, uint64_t *ns)
{
	struct np_guard g;
	int err;

	*ns = own_time(b);
	if (*ns || !is_armed(b) || block_is_expired(b) || !strcmp(what, "apply"))
		return 0;
	err = block_clock(&b->set, 0, &g);
	if (err)
		return err;
	if (g.now_ns >= g.deadline_ns) {
		fail(0, "%s: the change before this one was not confirmed in time, just now: nothing was changed",
		     b->place.ifname);
		return -EAGAIN;
	}
	*ns = g.deadline_ns - g.now_ns;
	note("%s: the change before this one is not confirmed yet, and this one is not either", b->place.ifname);
	return 0;
}

/* The way back as it was, when it came to nothing. */
static void put_back(struct block_run *b, const char *name, int old)
{
	if (old >= 0)
		pin_put(&b->pin, name, old);
	else
		pin_drop(&b->pin, name);
}

/* Directory, the way back, then the program itself: whoever is killed in between has changed nothing, or all. */
int block_swap(struct block_run *b, struct pin_want *want, struct pin_got *got)
{
	struct bpf_prog_info info = { 0 };
	uint32_t n = sizeof(info);
	char name[PIN_NAME];
	owned_fd int old = -1;
	int err;

	if (bpf_obj_get_info_by_fd(want->prog, &info, &n))
		return fail(errno, "the program of the firewall");
	prev_name(b, name);
	err = pin_begin(&b->pin, info.tag);
	if (err)
		return err;
	if (is_armed(b))
		return pin_attach(&b->pin, want, got);
	old = pin_get(&b->pin.at, name, false);
	err = b->running ? pin_put(&b->pin, name, b->set.prog) : pin_drop(&b->pin, name);
	if (!err)
		err = pin_attach(&b->pin, want, got);
	if (err && b->running)
		put_back(b, name, old);
	else if (err)		/* then there was nothing, and is nothing again */
		block_remove(b);
	return err;
}

/* ── confirm, rollback, del --all ─────────────────────────────────────────── */

/* Whoever came since must not be cut off either. */
int block_confirm(struct block_run *b)
{
	int err;

	if (!b->running)
		return no_firewall(b);
	if (block_is_expired(b))
		return fail(0, "too late: it was not confirmed in time, and everything passes.  Apply it again, or: "
			       "netprobe block rollback dev %s", b->place.ifname);
	if (!is_armed(b)) {
		note("%s: confirmed already", b->place.ifname);
		return 0;
	}
	peers_find(&b->peers);
	err = block_guard(b);
	if (err)
		return err;
	__atomic_store_n(&((struct np_guard *)b->set.at[BLOCK_GUARD])->deadline_ns, 0, __ATOMIC_SEQ_CST);
	note("%s: confirmed", b->place.ifname);
	return 0;
}

void block_tell_timer(const struct block_run *b, uint64_t ns)
{
	if (ns)
		note("everything passes again in %llu s unless you run: netprobe block confirm dev %s",
		     (unsigned long long)((ns + SECOND - 1) / SECOND), b->place.ifname);
}

/* No number is ever given twice, whichever set is the next one's base. */
static void keep_numbers(struct block_set *prev, const struct block_set *now)
{
	struct np_set_meta *mp = prev->at[BLOCK_META];
	const struct np_set_meta *mn = now->at[BLOCK_META];

	if (mp->next_id < mn->next_id)
		mp->next_id = mn->next_id;
}

/* b->set runs, *prev is to. */
static int run_prev(struct block_run *b, struct block_set *prev)
{
	struct pin_want want = { .hook = b->hook, .handle = HANDLE, .prog = prev->prog, .gate = true };
	uint64_t confirm = is_armed(b) ? b->o->confirm_ns : own_time(b);
	struct pin_got got = { 0 };
	struct np_guard g;
	int err = give_back(prev, &b->set);

	keep_numbers(prev, &b->set);
	((struct np_guard *)prev->at[BLOCK_GUARD])->deadline_ns = 0;
	if (!err && confirm)
		err = block_clock(prev, confirm, &g);
	if (!err)
		err = block_swap(b, &want, &got);
	if (err)
		return err;
	hook_wait();
	block_tell_readers(&b->set, false);
	err = give_back(prev, &b->set);
	if (err)
		return err;
	note("%s: as before: %u %s", b->place.ifname, b->rules.n, block_entries(b->rules.n));
	block_tell_weaker(b);
	block_tell_timer(b, confirm);
	return 0;
}

/* It could cut somebody off like any other change: its rules are judged first. */
int block_rollback(struct block_run *b)
{
	struct block_set prev = { .prog = -1 }, now;
	int there, err;

	if (!b->running)
		return no_firewall(b);
	there = open_prev(b, &prev);
	if (there == -ESTALE) {
		fail(0, "%s: no set before this one is kept", b->place.ifname);
		return -ENOENT;
	}
	if (there < 0)
		return there;
	if (!there) {
		note("%s: there was none before: everything passes", b->place.ifname);
		return block_remove(b);
	}
	now = b->set;
	b->set = prev;
	rules_free(&b->rules);
	err = rules_init(&b->rules);
	if (!err)
		err = block_take_rules(b);
	b->set = now;
	peers_find(&b->peers);
	if (!err)
		err = block_guard(b);
	if (!err)
		err = run_prev(b, &prev);
	block_close(&prev);
	return err;
}

static bool any_attached(const struct block_run *b)
{
	struct pin_got got;
	bool any = false;

	for (int h = 0; h < PIN_HOOKS; h++)
		any = any || pin_attached(&b->pin.at, (enum pin_hook)h, &got) == 1;
	return any;
}

int block_remove(struct block_run *b)
{
	char name[PIN_NAME];
	int err;

	prev_name(b, name);
	err = pin_detach(&b->pin, b->hook);
	if (!err && b->running)
		block_tell_readers(&b->set, true);
	if (!err)
		err = pin_drop(&b->pin, name);
	return err || any_attached(b) ? err : pin_remove(&b->pin);
}

/* That of another hook than b's: its readers hear of it where it can be opened. */
static int remove_other(struct block_run *b, enum pin_hook hook, uint32_t prog_id)
{
	struct block_run other = *b;
	int fd = bpf_prog_get_fd_by_id(prog_id), err;

	other.hook = hook;
	memset(&other.set, 0, sizeof(other.set));
	other.running = fd >= 0 && !block_open(&other.set, fd, true);
	err = block_remove(&other);
	if (other.running)
		block_close(&other.set);
	return err;
}

int block_remove_all(struct block_run *b)
{
	static const char *const where[] = { "", ", where what arrives is judged", ", where what leaves is judged" };
	int found = 0, is, err = 0, which = b->o->ingress ? 1 : b->o->egress ? 2 : 0;
	struct pin_got got;

	for (enum pin_hook h = 0; h < PIN_HOOKS && !err; h++) {
		if (which && (h == PIN_EGRESS) != (which == 2))
			continue;
		is = pin_attached(&b->pin.at, h, &got);
		if (is < 0)
			err = fail(is, "the firewall at %s %s", b->place.ifname, pin_hook_names[h]);
		if (is != 1)
			continue;
		found++;
		err = b->o->dry_run ? 0 : h == b->hook ? block_remove(b) : remove_other(b, h, got.prog_id);
	}
	if (err < 0)
		return err;
	if (!found && !b->o->dry_run && pin_drop_empty(b->place.ifindex, HANDLE))
		note("%s: a filter that let everything pass is gone", b->place.ifname);
	if (!found && (which || b->pin.at.state == PIN_ABSENT))
		return no_firewall(b);
	/* Whoever was killed has left names, and no program. */
	if (!found && !b->o->dry_run && !any_attached(b))
		err = pin_remove(&b->pin);
	if (!err)
		note("%s: %s%s", b->place.ifname,
		     b->o->dry_run ? "would be without a firewall" : "no firewall any more", where[which]);
	return err;
}
