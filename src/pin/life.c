// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pinned state: where it is now.  A link stays at its interface in whatever network namespace that is, under another
 * number where its own is taken there; the kernel tells the number, and not the namespace.  A filter (clsact) goes when
 * its interface is moved.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kern/choose.h"
#include "kern/hook.h"
#include "kern/link.h"
#include "pin/parts.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { LOOKS = 5, SWEPT_MAX = 64 };

/* 1, 0, or -errno when that cannot be asked. */
static int chain_has(uint32_t ifindex, enum pin_hook hook, uint32_t link)
{
	struct hook_chain c;
	int err = hook_chain(ifindex, hook == PIN_EGRESS ? HOOK_TCX_EGRESS : HOOK_TCX_INGRESS, &c);

	if (err)
		return err == -ENODEV || err == -ENOENT ? 0 : err;
	for (uint32_t i = 0; i < c.n; i++)
		if (c.links[i] == link)
			return 1;
	return 0;
}

/* Is it at an interface of this network namespace that has this number?  XDP tells its program, which may change. */
static int is_at(int link, enum pin_hook hook, uint32_t *ifindex)
{
	struct bpf_link_info info = { 0 };
	uint32_t n = sizeof(info), before;

	if (bpf_obj_get_info_by_fd(link, &info, &n))
		return -errno;
	*ifindex = info.xdp.ifindex;
	if (hook != PIN_XDP)
		return chain_has(*ifindex, hook, info.id);
	for (int i = 0; i < LOOKS; i++) {
		if (hook_at_xdp(*ifindex, NULL) == info.prog_id)
			return 1;
		before = info.prog_id;
		n = sizeof(info);
		if (bpf_obj_get_info_by_fd(link, &info, &n) || info.prog_id == before)
			return 0;
	}
	return 0;
}

static enum pin_life as_named(const struct pin_view *v)
{
	struct pin_place here;

	return !pin_netns(&here) && here.netns == v->place.netns && here.by_inode == v->place.by_inode ? PIN_HERE :
													 PIN_AWAY;
}

static enum pin_life of_link(const struct pin_view *v, enum pin_hook hook, struct pin_place *at)
{
	char name[PIN_NAME];
	struct link_info l;
	struct pin_place here;
	owned_fd int link = -1;
	uint32_t ifindex = 0;
	int rc;

	pin_link_name(name, hook);
	link = pin_get(v, name, false);
	rc = link < 0 ? link : is_at(link, hook, &ifindex);
	/* What cannot be asked is believed to be where it was. */
	if (rc < 0 || pin_netns(&here))
		return as_named(v);
	if (!rc || !ifindex || link_get(NULL, ifindex, &l))
		return PIN_AWAY;
	*at = here;
	at->ifindex = ifindex;
	memcpy(at->ifname, l.name, sizeof(at->ifname) - 1);
	return PIN_HERE;
}

enum pin_life pin_life(const struct pin_view *v, struct pin_place *at)
{
	struct pin_got got;

	*at = v->place;
	for (enum pin_hook h = 0; h < PIN_HOOKS; h++) {
		int rc = pin_attached(v, h, &got);

		if (rc == 1 && got.link_id)
			return of_link(v, h, at);
		if (rc == -EXDEV)
			return PIN_AWAY;
		if (rc)
			return as_named(v);
	}
	return PIN_GONE;
}

/* ── at an interface ──────────────────────────────────────────────────────── */

struct seek {
	const struct pin_place *place;
	struct pin_view *v;
};

bool pin_is_at(const struct pin_view *v, const struct pin_place *place)
{
	struct pin_place at;

	return v->state == PIN_OURS && pin_life(v, &at) == PIN_HERE && at.netns == place->netns &&
	       at.by_inode == place->by_inode && at.ifindex == place->ifindex;
}

static int seek_moved(void *ctx, const struct pin_view *v)
{
	struct seek *s = ctx;

	if (strcmp(v->service, s->v->service) || v->abi != s->v->abi || !pin_is_at(v, s->place))
		return 0;
	*s->v = *v;
	s->v->place = *s->place;
	return 1;
}

/* Is there anything at all, so that it is worth looking through all states? */
static bool is_hooked(uint32_t ifindex)
{
	struct hook_chain in, out;

	return hook_at_xdp(ifindex, NULL) || (!hook_chain(ifindex, HOOK_TCX_INGRESS, &in) && in.n) ||
	       (!hook_chain(ifindex, HOOK_TCX_EGRESS, &out) && out.n);
}

int pin_find(const struct pin_place *place, const char *service, struct pin_view *v)
{
	struct pin_place at;
	struct pin_view moved;
	struct seek s = { place, &moved };
	int err = pin_look(place, service, v);

	if (err || (v->state != PIN_ABSENT && v->state != PIN_BARE && v->state != PIN_OURS) || pin_is_at(v, place))
		return err;
	moved = *v;
	err = is_hooked(place->ifindex) ? pin_each(seek_moved, &s) : 0;
	if (err > 0)
		*v = moved;
	else if (v->state == PIN_OURS && pin_life(v, &at) != PIN_GONE)
		v->state = PIN_ABSENT;		/* that of another interface, which had this number */
	return err < 0 ? err : 0;
}

/* ── nowhere ──────────────────────────────────────────────────────────────── */

struct sweep {
	const char *service;
	struct pin_view v[SWEPT_MAX];
	unsigned int n;
};

bool pin_is_left(const struct pin_view *v)
{
	struct pin_place at;

	return v->state == PIN_OURS && pin_life(v, &at) == PIN_GONE;
}

static int note_left(void *ctx, const struct pin_view *v)
{
	struct sweep *s = ctx;
	char name[IF_NAMESIZE];

	if (strcmp(v->service, s->service) || !pin_is_left(v))
		return 0;
	/* What is left of one that is here still is what the next change goes on with. */
	if (as_named(v) == PIN_HERE && if_indextoname(v->place.ifindex, name))
		return 0;
	s->v[s->n++] = *v;
	return s->n == SWEPT_MAX;
}

/* Judged again under the lock: somebody may have begun to use it. */
static int sweep_one(const struct pin_view *v)
{
	struct pin p;
	int err = pin_open_view(&p, v);

	if (err)
		return err;
	if (pin_is_left(&p.at)) {
		err = pin_remove(&p);
		if (!err)
			note("removed %s: its interface %s is gone", v->path, v->meta.ifname);
	}
	pin_close(&p);
	return err;
}

void pin_sweep(const char *service)
{
	owned_mem struct sweep *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	s->service = service;
	pin_each(note_left, s);
	/* Not while they are walked over: removing one removes directories. */
	for (unsigned int i = 0; i < s->n; i++)
		sweep_one(&s->v[i]);
}
