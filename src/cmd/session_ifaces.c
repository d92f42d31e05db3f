// SPDX-License-Identifier: GPL-2.0-or-later
/* The interfaces of a live run, as the helper tells of them. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "abi.h"
#include "cmd/session_live.h"
#include "priv/priv.h"
#include "util/caps.h"
#include "util/err.h"

enum { NAMES_SAID = 4 }; /* more interfaces are told by their number only */

struct iface *live_iface(struct live *l, uint32_t ifindex)
{
	struct iface **near = &l->near[ifindex % IFACES_NEAR];

	if (*near && (*near)->ifindex == ifindex)
		return *near;
	for (unsigned int i = l->n_ifaces; i-- > 0;)
		if (l->ifaces[i]->ifindex == ifindex) {
			*near = l->ifaces[i];
			return *near;
		}
	return NULL;
}

static bool is_through(const struct link_info *info)
{
	static const char *const kinds[] = {
		"bridge", "bond", "team", "vlan", "vrf", "macvlan", "ipvlan", "macsec", "ifb", "vxlan", "geneve",
		"gre", "gretap", "ip6gre", "ip6gretap", "erspan", "ip6erspan", "ipip", "sit", "ip6tnl", "vti", "vti6",
		"xfrm", "wireguard", "openvswitch",
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(info->kind, kinds[i]))
			return true;
	return false;
}

void live_learn(struct live *l, const struct link_info *info, bool wanted)
{
	struct iface *f = live_iface(l, info->ifindex), **grown;

	if (f && f->link == info->link && !strcmp(f->name, info->name)) {
		f->wanted |= wanted;
		return;
	}
	if (l->n_ifaces == IFACES_MAX)
		return; /* named by number from here on */
	f = calloc(1, sizeof(*f));
	grown = realloc(l->ifaces, (l->n_ifaces + 1) * sizeof(struct iface *));
	if (grown)
		l->ifaces = grown;
	if (!f || !grown) {
		free(f);
		return;
	}
	f->ifindex = info->ifindex;
	f->link = info->link;
	f->id = l->n_ifaces;
	f->snaplen = l->s->o->capture.snaplen;
	f->wanted = wanted;
	f->through = is_through(info);
	snprintf(f->name, sizeof(f->name), "%s", info->name);
	l->ifaces[l->n_ifaces++] = f;
	l->near[f->ifindex % IFACES_NEAR] = f;
}

/* Of -i.  A drop of which the kernel tells no interface belongs to none: it is left out, and counted. */
bool live_wants_drop(void *live, const struct frame *f)
{
	const struct live *l = live;
	const struct strs *s = &l->s->o->iface;

	for (unsigned int i = 0; i < s->n; i++)
		if (!strcmp(s->v[i], "any"))
			return true;
	return !s->n || (f->iface && f->iface->wanted);
}

/* Of those that a glob found, one line for all. */
static void add_down(struct live *l, const char *name)
{
	size_t n = strlen(l->down_names);

	l->down++;
	if (n + strlen(name) + 3 <= sizeof(l->down_names))
		snprintf(l->down_names + n, sizeof(l->down_names) - n, "%s%s", n ? ", " : "", name);
	else if (n + 1 < sizeof(l->down_names) && l->down_names[n - 1] != '.')
		snprintf(l->down_names + (n > 120 ? 120 : n), 8, ", ...");
}

static void on_attached(struct live *l, const struct helper_event *ev)
{
	const struct session_options *o = l->s->o;

	if (l->counts == COUNTS_KEPT)
		return;		/* it is only watched */
	l->attached++;
	if (!(ev->info.flags & IFF_UP) && ev->named)
		warn("%s is down: nothing will be seen until it is up", ev->info.name);
	else if (!(ev->info.flags & IFF_UP))
		add_down(l, ev->info.name);
	if (!o->g->verbose && !(ev->named && l->attached <= NAMES_SAID))
		return;
	if (!o->capture.packets && !o->capture.drops)
		return;		/* its firewall is */
	if (l->counts)
		note("%s: counting until this ends (attach add dev %s: until attach del)", ev->info.name,
		     ev->info.name);
	else
		note("listening on %s, %s, snap length %u bytes", ev->info.name,
		     o->capture.packets ? rung_names[ev->rung] : "drops",
		     o->capture.snaplen ? o->capture.snaplen : NP_SNAP_MAX);
}

static void on_gone(struct live *l, const struct helper_event *ev)
{
	if (l->counts == COUNTS_KEPT && l->s->many_interfaces) {
		warn("%s is gone: its numbers stand still", ev->info.name);
		return;
	}
	if (!ev->named || l->s->o->wait) {
		if (l->s->o->g->verbose || l->s->o->wait)
			note("%s is gone%s", ev->info.name, l->s->o->wait ? ": waiting for it" : "");
		return;
	}
	/* Who counts has no --wait. */
	l->err = fail(ENETDOWN, "%s is gone%s", ev->info.name,
		      l->counts == COUNTS_KEPT ? ", and what was counted there" :
		      l->s->pipe.account ? "" : " (--wait waits for it to come again)");
	l->s->stopping = true;
}

/*
 * What the kernel refused has been said where it was refused; an interface that is not there has not, nor
 * one that is down and needs a packet socket.  One that comes later and that nobody named fails nothing.
 */
static void on_refused(struct live *l, const struct helper_event *ev)
{
	const char *name = ev->info.name;

	if (l->counts == COUNTS_KEPT && ev->err == -ENODEV) {
		l->attached--;	/* its numbers were found, and it went before it was watched */
		on_gone(l, ev);
		return;
	}
	l->refused++;
	if (ev->err == -ENODEV && !ev->info.ifindex) {
		if (l->s->o->wait) {
			note("waiting for %s", name);
			return;
		}
		fail(0, "%s: no such interface", name);
	}
	if (ev->err == -ENETDOWN && !l->ready && !ev->named)
		add_down(l, name);
	else if (ev->err == -ENETDOWN)
		note("%s: not captured: it needs a packet socket, which is opened at the start only", name);
	if (ev->err == -EPERM && l->missing[0] && !l->err)
		caps_tell(l->missing);
	if (!l->err && (!l->ready || ev->named))
		l->err = ev->err;
}

static void on_event(struct live *l, const struct helper_event *ev)
{
	switch (ev->type) {
	case HELPER_ATTACHED:
		live_learn(l, &ev->info, true);
		counted_attached(l, live_iface(l, ev->info.ifindex));
		on_attached(l, ev);
		break;
	case HELPER_REFUSED:
		on_refused(l, ev);
		break;
	case HELPER_GONE:
		on_gone(l, ev);
		break;
	case HELPER_STATE:
		live_learn(l, &ev->info, true);
		if (ev->named)
			note("%s is %s", ev->info.name, ev->info.flags & IFF_UP ? "up" : "down");
		break;
	case HELPER_ENDS:
		l->err = ev->err;
		l->s->stopping = true;
		break;
	case HELPER_READY:
		l->ready = true;
		if (!l->attached && !l->s->o->wait && (l->refused || l->s->o->iface.n)) {
			if (!l->err)
				l->err = fail(ENODEV, "no interface to watch");
			l->s->stopping = true;
		} else if (l->attached) {
			l->err = 0; /* some interfaces refused, but there is something to watch */
		}
		if (l->down && !l->s->o->g->quiet)
			warn("%u interface%s down: %s", l->down, l->down == 1 ? " is" : "s are", l->down_names);
		if (l->s->many_interfaces && l->counts != COUNTS_KEPT &&
		    (l->s->o->capture.packets || l->s->o->capture.drops))
			note("%s on %u interface%s", l->counts ? "counting" : "listening", l->attached,
			     l->attached == 1 ? "" : "s");
		break;
	}
}

void live_read_helper(struct live *l)
{
	struct helper_event ev;
	int n;

	while ((n = helper_next(l->s->helper, &ev)) > 0)
		on_event(l, &ev);
	if (n < 0) {
		l->err = l->err ? l->err : n;
		l->s->stopping = true;
	}
}
