// SPDX-License-Identifier: GPL-2.0-or-later
/* attach del: take away what attach add left, and what outlived its interface. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cmd/attach.h"
#include "cmd/session.h"
#include "inventory/inventory.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { VIEWS_MAX = 4096 };

int attach_status(int err)
{
	return err == -ESTALE ? EXIT_USAGE : exit_status(err);
}

int attach_may(void)
{
	char missing[128];

	libbpf_set_print(NULL);		/* it tells of filters that are not there */
	if (!caps_missing(NEED_BPF | NEED_NET_ADMIN | NEED_PERFMON | NEED_ADMIN, missing, sizeof(missing)))
		return 0;
	caps_tell(missing);
	return -EPERM;
}

/* ── where ────────────────────────────────────────────────────────────────── */

int attach_where(const struct pin_view *v, char *to, size_t size)
{
	struct pin_got got;
	size_t n = 0;
	int hooks = 0;

	*to = '\0';
	for (enum pin_hook h = 0; h < PIN_HOOKS; h++) {
		int rc = pin_attached(v, h, &got);

		if (rc < 0)
			return rc;
		if (rc == 0 || n >= size)
			continue;
		n += (size_t)snprintf(to + n, size - n, "%s%s%s%s", hooks ? ", " : "", got.kind,
				      h ? "/" : got.mode ? " " : "", h ? pin_hook_names[h] : got.mode ? got.mode : "");
		hooks++;
	}
	return hooks;
}

struct del_run {
	const struct attach_opts *o;
	const struct link_info *l;	/* of a glob */
	struct pin_view *views;		/* VIEWS_MAX */
	bool *is_away;			/* only its network namespace tells */
	unsigned int n, done;
	int err;			/* the first */
};

static void keep_first(int *err, int one)
{
	*err = *err ? *err : one;
}

/* ── one state, locked ────────────────────────────────────────────────────── */

static int detach_hooks(struct pin *p, const struct attach_opts *o)
{
	const char *ifname = p->at.place.ifname;
	int err = 0;

	for (unsigned int i = 0; i < o->hooks.n && !err; i++) {
		enum pin_hook h = 0;
		struct pin_got got;

		while (strcmp(pin_hook_names[h], o->hooks.v[i]))
			h++;
		if (pin_attached(&p->at, h, &got) != 1)
			return fail(0, "%s: netprobe counts nothing at hook %s", ifname, pin_hook_names[h]), -ENOENT;
		if (o->dry_run)
			note("%s: would no longer count at %s%s%s", ifname, got.kind, h ? "/" : "",
			     h ? pin_hook_names[h] : "");
		else
			err = pin_detach(p, h);
	}
	return err;
}

static int remove_all(struct pin *p, const struct attach_opts *o)
{
	const struct pin_view *v = &p->at;
	char where[96], path[PIN_PATH], name[24];
	int hooks = attach_where(v, where, sizeof(where)), err;
	owned_fd int conf = -1;

	snprintf(name, sizeof(name), "%s%s", v->place.ifname, *v->place.ifname ? ": " : "");
	snprintf(path, sizeof(path), "%s", v->path);
	if (hooks < 0 && hooks != -EXDEV)
		return fail(hooks, "%s", path);
	conf = strcmp(v->service, COUNT_SERVICE) ? -1 : pin_get(v, count_pin_name(COUNT_CONF), false);
	err = o->dry_run ? 0 : pin_remove(p);
	if (!err && !o->dry_run)
		count_end(conf);
	if (!err)
		note("%s%s %s (%s)", name, o->dry_run ? "would remove" : "removed", path,
		     hooks ? where : "nothing runs it");
	return err;
}

static int del_locked(struct pin *p, const struct attach_opts *o)
{
	char where[96];
	int err, left;

	if (!o->hooks.n)
		return remove_all(p, o);
	err = detach_hooks(p, o);
	if (err || o->dry_run)
		return err;
	left = attach_where(&p->at, where, sizeof(where));
	if (left > 0)
		note("%s: counts only at %s", p->at.place.ifname, where);
	return left > 0 ? 0 : remove_all(p, o);
}

/* ── at an interface ──────────────────────────────────────────────────────── */

/* 1: there was something. */
static int del_place(const struct pin_place *place, const struct attach_opts *o)
{
	struct pin p;
	int err = pin_open(&p, place, COUNT_SERVICE, false);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (p.at.state != PIN_ABSENT)
		err = del_locked(&p, o);
	else
		err = -ENOENT;
	pin_close(&p);
	return err == -ENOENT && p.at.state == PIN_ABSENT ? 0 : err ? err : 1;
}

struct older {
	const struct pin_place *place;
	struct pin_view view;
};

static int seek_older(void *ctx, const struct pin_view *v)
{
	struct older *s = ctx;

	if (strcmp(v->service, COUNT_SERVICE) || v->place.netns != s->place->netns || v->abi >= pin_abi ||
	    v->place.by_inode != s->place->by_inode || v->place.ifindex != s->place->ifindex || v->state == PIN_FOREIGN)
		return 0;
	s->view = *v;
	return 1;
}

static int del_view(const struct pin_view *v, const struct attach_opts *o)
{
	struct pin p;
	int err = pin_open_view(&p, v);

	if (err)
		return err;
	err = p.at.state == PIN_ABSENT ? 0 : remove_all(&p, o);
	pin_close(&p);
	return err;
}

static int del_link(const char *ifname, const struct attach_opts *o)
{
	struct pin_place place;
	struct older older = { .place = &place };
	int rc = pin_place(&place, ifname), err;

	if (!rc)
		rc = del_place(&place, o);
	if (rc < 0)
		return rc;
	err = pin_each(seek_older, &older);
	if (err <= 0)
		return err < 0 ? err : rc;
	err = del_view(&older.view, o);
	return err ? err : 1;
}

static int del_wanted(void *ctx, const struct link_info *l)
{
	struct del_run *run = ctx;
	bool named;
	int rc;

	if (!link_wanted(l, &run->o->dev, 1, &named))
		return 0;
	rc = del_link(l->name, run->o);
	if (rc > 0)
		run->done++;
	keep_first(&run->err, rc < 0 ? rc : 0);
	return 0;
}

static int del_dev(const struct attach_opts *o)
{
	struct del_run run = { .o = o };
	int rc;

	if (link_is_glob(o->dev)) {
		rc = link_each(del_wanted, &run);
		rc = rc ? rc : run.err ? run.err : (int)run.done;
	} else {
		rc = del_link(o->dev, o);
		if (rc == -ENODEV)
			note("what is left of an interface that is gone: netprobe attach del stale");
	}
	if (rc == 0)
		return fail(0, "%s: netprobe counts nothing there (netprobe attach list)", o->dev), -ENOENT;
	return rc < 0 ? rc : 0;
}

/* ── several ──────────────────────────────────────────────────────────────── */

static bool is_wanted(const struct attach_opts *o, const struct pin_view *v)
{
	return o->stale || !strcmp(v->service, COUNT_SERVICE);
}

static int collect(void *ctx, const struct pin_view *v)
{
	struct del_run *run = ctx;

	if (v->state == PIN_FOREIGN) {
		note("%s", *v->why ? v->why : v->path);
		return 0;
	}
	if (!is_wanted(run->o, v))
		return 0;
	if (v->state == PIN_NEWER) {
		fail(0, "%s: made by netprobe %s (ABI %u, this one knows up to %u): left alone; "
			"remove it with that one", v->path, v->meta.version, v->abi, pin_abi);
		keep_first(&run->err, -ESTALE);
		return 0;
	}
	if (run->n == VIEWS_MAX)
		return fail(0, "more than %u states", VIEWS_MAX), -E2BIG;
	run->views[run->n++] = *v;
	return 0;
}

/* Judged again under the lock: somebody may have begun to use it. */
static int del_one(struct del_run *run, unsigned int i)
{
	char where[96];
	struct pin p;
	int err = pin_open_view(&p, &run->views[i]), hooks;

	if (err)
		return err == -ENOENT ? 0 : err;
	hooks = p.at.state == PIN_ABSENT ? 0 : attach_where(&p.at, where, sizeof(where));
	run->is_away[i] = hooks == -EXDEV;
	if (hooks < 0 && hooks != -EXDEV) {
		err = fail(hooks, "%s", p.at.path);
	} else if (p.at.state != PIN_ABSENT && hooks != -EXDEV && (hooks == 0 || !run->o->stale)) {
		err = remove_all(&p, run->o);
		run->done += !err;
	}
	pin_close(&p);
	return err;
}

static int del_those_here(void *ctx)
{
	struct del_run *run = ctx;
	struct pin_place here;

	if (pin_netns(&here))
		return 0;
	for (unsigned int i = 0; i < run->n; i++)
		if (run->is_away[i] && run->views[i].place.netns == here.netns &&
		    run->views[i].place.by_inode == here.by_inode)
			keep_first(&run->err, del_one(run, i));
	return 0;
}

static int each_view(struct del_run *run)
{
	unsigned int missed = 0, away = 0;
	int err = 0;

	for (unsigned int i = 0; i < run->n; i++) {
		keep_first(&run->err, del_one(run, i));
		away += run->is_away[i];
	}
	if (away)
		err = netns_each(del_those_here, run, &missed);
	for (unsigned int i = 0; i < run->n; i++) {
		if (!run->is_away[i])
			continue;
		fail(0, "%s: filters of a network namespace that is not to be found: kept (when it is gone: rm -r)",
		     run->views[i].path);
		keep_first(&run->err, -ESTALE);
	}
	return err;
}

/* all: what counts, in every network namespace; stale: what nothing runs any more, of every service. */
static int del_many(const struct attach_opts *o)
{
	owned_mem struct pin_view *views = calloc(VIEWS_MAX, sizeof(*views));
	owned_mem bool *is_away = calloc(VIEWS_MAX, sizeof(*is_away));
	struct del_run run = { .o = o, .views = views, .is_away = is_away };
	int err = views && is_away ? pin_each(collect, &run) : fail(ENOMEM, "attach del");

	/* Not while they are walked over: removing one removes directories. */
	if (!err)
		err = each_view(&run);
	if (!err && !run.err && !run.done)
		note(o->stale ? "nothing is left over" : "netprobe counts nowhere");
	return err ? err : run.err;
}

/* ── a program ────────────────────────────────────────────────────────────── */

struct seek {
	uint32_t id;
	struct pin_view view;
	enum pin_hook hook;
	bool found, is_away;
};

static int seek_program(void *ctx, const struct pin_view *v)
{
	struct seek *s = ctx;
	struct pin_got got;

	if (v->state != PIN_OURS && v->state != PIN_OLDER)
		return 0;
	for (enum pin_hook h = 0; h < PIN_HOOKS && !s->found; h++) {
		int rc = pin_attached(v, h, &got);

		if ((rc != 1 && rc != -EXDEV) || got.prog_id != s->id)
			continue;
		s->view = *v;
		s->hook = h;
		s->found = true;
		s->is_away = rc == -EXDEV;
	}
	return s->found;
}

static int not_ours(uint32_t id)
{
	struct hooked_program p;

	if (inventory_program(id, &p))
		return fail(0, "there is no program %u", id), -ENOENT;
	if (p.ours)
		fail(0, "program %u (%s) is not one that attach add left: it ends with the netprobe that uses it", id,
		     p.name);
	else
		fail(0, "program %u (%s) is not netprobe's: left alone", id, *p.name ? p.name : "no name");
	return -EBUSY;
}

static int detach_one(struct pin *p, const struct seek *s, const struct attach_opts *o)
{
	struct pin_got got;
	char where[96];
	int err, left;

	if (pin_attached(&p->at, s->hook, &got) != 1 || got.prog_id != s->id)
		return fail(0, "program %u has gone meanwhile", s->id), -ENOENT;
	if (o->dry_run) {
		note("%s: would no longer count at %s%s%s", p->at.place.ifname, got.kind, s->hook ? "/" : "",
		     s->hook ? pin_hook_names[s->hook] : "");
		return 0;
	}
	err = pin_detach(p, s->hook);
	left = err ? err : attach_where(&p->at, where, sizeof(where));
	if (left > 0)
		note("%s: counts only at %s", p->at.place.ifname, where);
	return left < 0 ? left : left ? 0 : remove_all(p, o);
}

static int del_id(const struct attach_opts *o)
{
	struct seek s = { .id = (uint32_t)o->id };
	struct pin p;
	int err = pin_each(seek_program, &s);

	if (err < 0)
		return err;
	if (!s.found)
		return not_ours(s.id);
	if (strcmp(s.view.service, COUNT_SERVICE)) {
		fail(0, "program %u is of netprobe %s: netprobe %s del --all dev %s", s.id, s.view.service,
		     s.view.service, s.view.place.ifname);
		return -EBUSY;
	}
	if (s.is_away)
		return fail(0, "program %u is a filter of another network namespace: netprobe -N", s.id), -EXDEV;
	err = pin_open_view(&p, &s.view);
	if (err)
		return err;
	err = detach_one(&p, &s, o);
	pin_close(&p);
	return err;
}

int attach_del(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct attach_opts *o = opts;
	int rc;

	if (!!o->dev + !!o->id + o->all + o->stale != 1) {
		fail(0, "attach del: what? one of dev IFACE, id N, all, stale");
		return EXIT_USAGE;
	}
	if (o->hooks.n && !o->dev) {
		fail(0, "attach del: hook goes with dev IFACE");
		return EXIT_USAGE;
	}
	if (o->id > UINT32_MAX) {
		fail(0, "attach del: id %llu: there is no such number", (unsigned long long)o->id);
		return EXIT_USAGE;
	}
	rc = session_netns(g, NULL);
	if (rc)
		return rc;
	rc = attach_may();
	if (!rc)
		rc = o->dev ? del_dev(o) : o->id ? del_id(o) : del_many(o);
	return attach_status(rc);
}
