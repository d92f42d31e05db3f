// SPDX-License-Identifier: GPL-2.0-or-later
/* The sets of this network namespace that are asked for: of all interfaces and hooks, or of those that are named. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "cmd/block.h"
#include "util/caps.h"
#include "util/err.h"
#include "util/hostclock.h"

struct finder {
	struct block_sets *s;
	const struct block_run *b;
	uint64_t netns;
	bool rules;
};

/* Who may not look would find nothing, which is not the same as that there is nothing. */
static bool is_denied(void)
{
	char missing[128];
	bool denied = caps_missing(NEED_ADMIN, missing, sizeof(missing));

	if (denied)
		fail(EPERM, "firewalls of the host: missing: %s", missing);
	return denied;
}

static int unknown(int err, const char *ifname)
{
	return err == -EPERM && is_denied() ? err : fail(err, "the firewall at %s", ifname);
}

static int open_set(struct block_run *one, bool rules)
{
	int fd = bpf_prog_get_fd_by_id(one->got.prog_id), err;

	if (fd < 0)
		return fd == -ENOENT ? fd : unknown(fd, one->place.ifname);
	err = block_open(&one->set, fd, true);
	one->running = !err;
	if (!err && rules)
		err = block_take_rules(one);
	if (!err && rules)
		err = block_clock(&one->set, 0, &one->guard);
	if (!err)
		block_warn_expired(one);
	return err;
}

static void free_set(struct block_run *one)
{
	block_done(one);
	free(one);
}

static struct block_run *new_set(const struct finder *f, const struct pin_view *v, enum pin_hook hook)
{
	struct block_run *one = calloc(1, sizeof(*one));

	if (!one)
		return NULL;
	one->g = f->b->g;
	one->o = f->b->o;
	one->view = *v;
	one->place = v->place;
	one->hook = hook;
	one->pin.lock = -1;
	one->set.prog = -1;
	one->now_ns = block_now();
	one->boot_wall_ns = host_clock_boot();
	if (!rules_init(&one->rules))
		return one;
	free(one);
	return NULL;
}

static int add_hook(struct finder *f, const struct pin_view *v, enum pin_hook hook)
{
	struct block_sets *s = f->s;
	struct block_run *one, **more;
	struct pin_got got;
	int err = pin_attached(v, hook, &got);

	if (err == -EXDEV || err == -ENOENT || !err)
		return 0;
	if (err < 0)
		return unknown(err, v->place.ifname);
	one = new_set(f, v, hook);
	more = one ? realloc(s->v, (s->n + 1) * sizeof(struct block_run *)) : NULL;
	if (!more) {
		free(one);
		return fail(ENOMEM, "sets of entries");
	}
	s->v = more;
	one->got = got;
	err = open_set(one, f->rules);
	if (err) {
		free_set(one);
		return err == -ENOENT ? 0 : err;	/* it went in between */
	}
	s->v[s->n++] = one;
	return 0;
}

static int add_hooks(struct finder *f, const struct pin_view *v)
{
	int err = 0;

	for (enum pin_hook h = PIN_XDP; h < PIN_HOOKS && !err; h++)
		if (!f->b->o->egress || h == PIN_EGRESS)
			err = add_hook(f, v, h);
	return err;
}

static void tell_left(const struct pin_view *v)
{
	char name[IF_NAMESIZE];

	if (if_indextoname(v->place.ifindex, name))
		note("%s: a firewall is left that nothing runs any more: %s (netprobe block del --all dev %s)", name,
		     v->path, name);
	else
		note("%s: its interface is gone, and with it its firewall; the next change removes %s",
		     v->meta.ifname, v->path);
}

bool block_tell_foreign(const struct pin_view *v, uint64_t netns)
{
	if (v->state != PIN_FOREIGN || (*v->service && strcmp(v->service, BLOCK_SERVICE)) ||
	    (v->place.netns && v->place.netns != netns))
		return false;
	note("left out: %s", *v->why ? v->why : v->path);
	return true;
}

/* Of one that is not here, or runs no more. */
static void tell_absent(const struct pin_view *v, enum pin_life life)
{
	if (life == PIN_GONE)
		tell_left(v);
	else
		note("left out: %s was moved to another network namespace, and its firewall with it: %s",
		     v->meta.ifname, v->path);
}

static int add_place(void *ctx, const struct pin_view *v)
{
	struct finder *f = ctx;
	struct pin_view here = *v;
	enum pin_life life;

	if (block_tell_foreign(v, f->netns) || strcmp(v->service, BLOCK_SERVICE) || v->state == PIN_BARE)
		return 0;
	life = v->state == PIN_OURS ? pin_life(v, &here.place) : PIN_AWAY;
	if (life == PIN_HERE)
		return add_hooks(f, &here);
	if (v->place.netns != f->netns)
		return 0;
	if (v->state == PIN_OURS)
		tell_absent(v, life);
	else
		note("left out: %s", *v->why ? v->why : v->path);
	return 0;
}

static int nothing(const char *ifname)
{
	if (is_denied())
		return -EPERM;
	fail(0, ifname ? "%s has no firewall" : "no interface has a firewall here", ifname);
	return -ENOENT;
}

struct lost {
	const char *ifname;
	uint64_t netns;
};

static int tell_lost(void *ctx, const struct pin_view *v)
{
	const struct lost *l = ctx;
	struct pin_place at;
	enum pin_life life;

	if (strcmp(v->service, BLOCK_SERVICE) || v->place.netns != l->netns || v->state != PIN_OURS ||
	    strcmp(v->meta.ifname, l->ifname))
		return 0;
	life = pin_life(v, &at);
	if (life == PIN_HERE)
		note("%s is called %s now", l->ifname, at.ifname);
	else
		tell_absent(v, life);
	return 0;
}

/* There is none of that name: what became of one that had a firewall? */
static void gone(const char *ifname)
{
	struct lost l = { .ifname = ifname };
	struct pin_place here;

	if (pin_netns(&here))
		return;
	l.netns = here.netns;
	pin_each(tell_lost, &l);
}

static int add_named(struct finder *f, const char *ifname)
{
	unsigned int before = f->s->n;
	struct pin_place place;
	struct pin_view v;
	int err = pin_place(&place, ifname);

	if (err)
		return err == -ENODEV ? gone(ifname), err : err;
	err = pin_find(&place, BLOCK_SERVICE, &v);
	if (err)
		return err == -EPERM || err == -EACCES ? nothing(ifname) : fail(err, "the state of %s", ifname);
	memcpy(v.place.ifname, place.ifname, sizeof(v.place.ifname));
	if (v.state == PIN_OURS && pin_is_left(&v))
		tell_left(&v);
	else if (v.state == PIN_OURS)
		err = add_hooks(f, &v);
	else if (v.state != PIN_ABSENT && v.state != PIN_BARE)
		return fail(0, "%s", v.why);
	return err || f->s->n > before ? err : nothing(ifname);
}

int block_sets_open(struct block_sets *s, const struct block_run *b, bool rules)
{
	struct finder f = { .s = s, .b = b, .rules = rules };
	struct pin_place here;
	int err = 0;

	*s = (struct block_sets){ 0 };
	for (unsigned int i = 0; i < b->o->iface.n && !err; i++)
		err = add_named(&f, b->o->iface.v[i]);
	if (!b->o->iface.n) {
		err = pin_netns(&here);
		f.netns = here.netns;
		if (!err)
			err = pin_each(add_place, &f);
		if (!err && !s->n)
			err = nothing(NULL);
	}
	return err;
}

void block_sets_close(struct block_sets *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		free_set(s->v[i]);
	free(s->v);
	*s = (struct block_sets){ 0 };
}

int block_renew(struct block_run *one)
{
	struct pin_got got;
	int err = pin_attached(&one->view, one->hook, &got);

	if (err != 1 || got.prog_id == one->got.prog_id)
		return err == 1 ? 0 : err ? err : -ENOENT;
	block_close(&one->set);
	rules_free(&one->rules);
	one->running = false;
	one->got = got;
	err = rules_init(&one->rules);
	return err ? err : (err = open_set(one, true)) ? err : 1;
}
