// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of the link without which sessions end: which ones, of whom.  block_guard.c judges them. */
#include "cmd/block_near.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "numbers/ipproto.h"
#include "util/err.h"

enum { THEIRS_EACH = 4, NEEDS_STEP = 256 };

enum { ROUTER_SOLICITATION = 133, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT };

static const struct addr all_nodes = { .family = 6, .b = { 0xff, 2, [15] = 1 } };
static const struct addr all_routers = { .family = 6, .b = { 0xff, 2, [15] = 2 } };
static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, nobody[6];

static void find_locals(struct locals *l)
{
	struct ifaddrs *all = NULL;

	l->n = 0;
	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *i = all; i && l->n < LOCALS_MAX; i = i->ifa_next) {
		struct addr *a = &l->v[l->n];

		memset(a, 0, sizeof(*a));
		if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK)
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			memcpy(a->b, &((const struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
			a->family = 4;
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			memcpy(a->b, &((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
			a->family = 6;
		}
		l->ifindex[l->n] = if_nametoindex(i->ifa_name);
		l->n += a->family != 0;
	}
	freeifaddrs(all);
}

const struct above_device *near_own(const struct near *n, uint32_t ifindex)
{
	const struct above_device *d = above_device(&n->above, ifindex);

	return d || !n->above.n ? d : &n->above.v[0];
}

const struct above_device *near_own_of(const struct near *n, const struct addr *local)
{
	uint32_t ifindex = 0;

	for (unsigned int i = 0; i < n->locals.n && !ifindex; i++)
		if (!memcmp(&n->locals.v[i], local, sizeof(*local)))
			ifindex = n->locals.ifindex[i];
	return near_own(n, ifindex);
}

/* ── the packets ──────────────────────────────────────────────────────────── */

static bool is_same(const struct facts *a, const struct facts *b)
{
	return a->family == b->family && a->icmp_type == b->icmp_type && !memcmp(a->smac, b->smac, 6) &&
	       !memcmp(a->dmac, b->dmac, 6) && !memcmp(a->src, b->src, 16) && !memcmp(a->dst, b->dst, 16);
}

/* One that the session of another needs as well is judged once. */
static void add(struct near *n, const struct facts *f, const struct peer *peer, const char *what)
{
	struct need *more;

	for (unsigned int i = 0; i < n->n; i++)
		if (is_same(&n->needs[i].f, f))
			return;
	if (n->n == n->room) {
		more = realloc(n->needs, (n->room + NEEDS_STEP) * sizeof(*more));
		n->failed = n->failed || !more;
		if (!more)
			return;
		n->needs = more;
		n->room += NEEDS_STEP;
	}
	n->needs[n->n++] = (struct need){ .f = *f, .peer = peer, .what = what };
}

/* All neighbours of all sessions, their link-local addresses and groups, are fewer than there is room for. */
static void add_theirs(struct near *n, const struct addr *a)
{
	for (unsigned int i = 0; i < n->n_theirs; i++)
		if (!memcmp(&n->theirs[i], a, sizeof(*a)))
			return;
	if (n->n_theirs < THEIRS_MAX)
		n->theirs[n->n_theirs++] = *a;
}

static void add_arp(struct near *n, const uint8_t *from, const uint8_t *to, const struct peer *peer)
{
	struct facts f;

	memset(&f, 0, sizeof(f));
	f.has_mac = true;
	memcpy(f.smac, from, 6);
	memcpy(f.dmac, to, 6);
	f.proto = f.sport = f.dport = f.icmp_type = -1;
	f.reason = NP_R_NOT_IP;
	add(n, &f, peer, peer ? "ARP of " : "ARP");
}

/* Where neither end is known: made up, or asked for. */
struct ends {
	const uint8_t *from, *to;	/* MAC addresses; to a group it follows from the address (RFC 2464) */
	const struct peer *peer;
};

static void add_icmp(struct near *n, int type, const struct addr *src, const struct addr *dst, const struct ends *e)
{
	bool neighbour = type >= NEIGHBOUR_SOLICITATION;
	struct facts f;

	if (src->family != 6 || dst->family != 6)
		return;
	memset(&f, 0, sizeof(f));
	f.family = 6;
	f.has_mac = true;
	memcpy(f.smac, e->from, 6);
	memcpy(f.dmac, e->to, 6);
	if (dst->b[0] == 0xff) {
		f.dmac[0] = f.dmac[1] = 0x33;
		memcpy(f.dmac + 2, dst->b + 12, 4);
	}
	memcpy(f.src, src->b, 16);
	memcpy(f.dst, dst->b, 16);
	f.proto = PROTO_ICMPV6;
	f.sport = f.dport = -1;
	f.icmp_type = type;
	f.first = true;
	add_theirs(n, n->b->hook == PIN_EGRESS ? dst : src);
	add(n, &f, e->peer, !e->peer ? "neighbour discovery" : neighbour ? "neighbour discovery of " :
									     "router discovery of ");
}

/* The group in which one is asked for an address (RFC 4291, 2.7.1). */
static struct addr group_of(const struct addr *a)
{
	struct addr g = { .family = a->family == 6 ? 6 : 0, .b = { 0xff, 2, [11] = 1, 0xff } };

	memcpy(g.b + 13, a->b + 13, 3);
	return g;
}

/* Ours at the device; family 0: it has none. */
static struct addr own_link_local(const struct near *n, uint32_t ifindex)
{
	for (unsigned int i = 0; i < n->locals.n; i++)
		if (n->locals.ifindex[i] == ifindex && addr_is_link_local(&n->locals.v[i]))
			return n->locals.v[i];
	return (struct addr){ 0 };
}

/*
 * The neighbour asks for us, from whichever address of its own, at first the group and later ourselves; we ask for it,
 * later from our link-local address, and it answers there.
 */
static void near_in(struct near *n, const struct hop *h, const struct addr *us, const struct ends *e)
{
	struct addr theirs[THEIRS_EACH + 1] = { h->next }, group = group_of(us), own = own_link_local(n, h->ifindex);
	unsigned int k = 1 + link_locals_of(&n->link_locals, h, theirs + 1, THEIRS_EACH);

	for (unsigned int i = 0; i < k; i++) {
		add_icmp(n, NEIGHBOUR_SOLICITATION, &theirs[i], &group, e);
		add_icmp(n, NEIGHBOUR_SOLICITATION, &theirs[i], us, e);
	}
	add_icmp(n, NEIGHBOUR_ADVERTISEMENT, &h->next, us, e);
	add_icmp(n, NEIGHBOUR_ADVERTISEMENT, &h->next, &own, e);
	add_icmp(n, NEIGHBOUR_ADVERTISEMENT, &h->next, &all_nodes, e);
}

static void near_out(struct near *n, const struct hop *h, const struct addr *us, const struct ends *e)
{
	struct addr theirs[THEIRS_EACH + 1] = { h->next }, group = group_of(&h->next);
	struct addr own = own_link_local(n, h->ifindex);
	unsigned int k = 1 + link_locals_of(&n->link_locals, h, theirs + 1, THEIRS_EACH);

	add_icmp(n, NEIGHBOUR_SOLICITATION, us, &group, e);
	add_icmp(n, NEIGHBOUR_SOLICITATION, us, &h->next, e);
	add_icmp(n, NEIGHBOUR_SOLICITATION, &own, &group, e);
	add_icmp(n, NEIGHBOUR_SOLICITATION, &own, &h->next, e);
	for (unsigned int i = 0; i < k; i++)
		add_icmp(n, NEIGHBOUR_ADVERTISEMENT, us, &theirs[i], e);
	add_icmp(n, NEIGHBOUR_ADVERTISEMENT, us, &all_nodes, e);
}

/* A route or an address that a router told ends when it is not heard any more (RFC 4862, 5.5.4). */
static void near_router(struct near *n, const struct hop *h, const struct peer *peer, bool out)
{
	const struct above_device *d = above_device(&n->above, h->ifindex);
	struct addr own = own_link_local(n, h->ifindex);
	struct ends in_ends = { n->router.mac, nobody, peer }, out_ends = { d->mac, nobody, peer };

	if (!n->router.ifindex || n->router.ifindex != h->ifindex)
		return;
	if (out)
		add_icmp(n, ROUTER_SOLICITATION, &own, &all_routers, &out_ends);
	else
		add_icmp(n, ROUTER_ADVERTISEMENT, &n->router.next, &all_nodes, &in_ends);
}

static void near_session(struct near *n, const struct peer *peer, const struct hop *h, const struct addr *local)
{
	const struct above_device *d = above_device(&n->above, h->ifindex);
	bool out = n->b->hook == PIN_EGRESS;
	struct addr us = *local;
	struct ends e = { .peer = peer };

	e.from = out ? d->mac : h->mac;
	e.to = out ? h->mac : d->mac;
	if (peer->remote.family == 4) {
		add_arp(n, e.from, everybody, peer);
		add_arp(n, e.from, e.to, peer);
		us = own_link_local(n, h->ifindex);	/* where the route is by a neighbour of IPv6 */
	}
	if (h->next.family != 6)
		return;
	if (out)
		near_out(n, h, &us, &e);
	else
		near_in(n, h, &us, &e);
	near_router(n, h, peer, out);
}

/* Where it is not known which of our addresses it came to, it may be any. */
static void near_peer(struct near *n, const struct peer *peer, const struct hop *h)
{
	const struct above_device *d = above_device(&n->above, h->ifindex);
	const struct locals *l = &n->locals;

	if (!d || !d->has_neighbours)
		return;
	if (peer->local.family) {
		near_session(n, peer, h, &peer->local);
		return;
	}
	for (unsigned int i = 0; i < l->n; i++)
		if (l->v[i].family == peer->remote.family && l->ifindex[i] == h->ifindex)
			near_session(n, peer, h, &l->v[i]);
}

/* Of whoever comes next, one of our addresses. */
static void near_local(struct near *n, const struct addr *local, uint32_t ifindex)
{
	static const struct addr somebody = { .family = 6, .b = { 0xfe, 0x80, [15] = 1 } };
	const struct above_device *d = above_device(&n->above, ifindex);
	bool out = n->b->hook == PIN_EGRESS;
	struct addr group = group_of(out ? &somebody : local);
	struct ends e;

	if (!d || !d->has_neighbours)
		return;
	e = (struct ends){ .from = out ? d->mac : nobody, .to = out ? nobody : d->mac };
	if (local->family == 6) {
		add_icmp(n, NEIGHBOUR_SOLICITATION, out ? local : &somebody, &group, &e);
		return;
	}
	add_arp(n, e.from, everybody, NULL);
	add_arp(n, e.from, e.to, NULL);
}

int near_find(struct near *n, const struct block_run *b)
{
	static const struct addr far = { .family = 6, .b = { 0x20, 1, 0xd, 0xb8, [15] = 0xfd } }, any;
	const struct peers *p = &b->peers;

	n->b = b;
	above_find(&n->above, b->place.ifindex);
	link_locals_find(&n->link_locals);
	find_locals(&n->locals);
	hop_find(&n->router, &far, &any, &n->above);
	if (!n->router.by_advertisement)
		n->router.ifindex = 0;
	for (unsigned int i = 0; i < p->n; i++) {
		hop_find(&n->hops[i], &p->v[i].remote, &p->v[i].local, &n->above);
		near_peer(n, &p->v[i], &n->hops[i]);
	}
	for (unsigned int i = 0; i < n->locals.n; i++)
		near_local(n, &n->locals.v[i], n->locals.ifindex[i]);
	return n->failed ? fail(ENOMEM, "neighbours of sessions") : 0;
}

void near_close(struct near *n)
{
	if (n)
		free(n->needs);
	free(n);
}
