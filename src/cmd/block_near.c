// SPDX-License-Identifier: GPL-2.0-or-later
/* What is around the interface: addresses of ours, neighbours that sessions come through.  The guard asks. */
#include "cmd/block_near.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

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

void near_find(struct near *n, const struct block_run *b)
{
	const struct peers *p = &b->peers;

	n->b = b;
	above_find(&n->above, b->place.ifindex);
	find_locals(&n->locals);
	for (unsigned int i = 0; i < p->n; i++)
		hop_find(&n->hops[i], &p->v[i].remote, &p->v[i].local, &n->above);
}
