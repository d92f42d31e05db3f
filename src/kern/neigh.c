// SPDX-License-Identifier: GPL-2.0-or-later
/* Through which neighbour an address is reached: its route's gateway or itself, and the MAC address that has. */
#include "kern/neigh.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "util/cleanup.h"

enum { ANSWER = 4096, DUMP = 65536, DEEP = 8 };

/* ── what is above an interface ───────────────────────────────────────────── */

const struct above_device *above_device(const struct above *a, uint32_t ifindex)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (a->v[i].ifindex == ifindex)
			return &a->v[i];
	return NULL;
}

static void add_device(struct above *a, const struct link_info *l)
{
	struct above_device *d = &a->v[a->n++];

	memset(d, 0, sizeof(*d));
	d->ifindex = l->ifindex;
	d->master = l->master;
	d->has_mac = l->has_mac;
	memcpy(d->mac, l->mac, sizeof(d->mac));
	d->has_neighbours = l->arphrd == ARPHRD_ETHER && !(l->flags & IFF_NOARP);
}

bool above_take(struct above *a, const struct link_info *l)
{
	bool is_above = l->lower && above_device(a, l->lower);

	for (unsigned int i = 0; i < a->n && !is_above; i++)
		is_above = a->v[i].master == l->ifindex;
	if (!is_above || a->n == ABOVE_MAX || above_device(a, l->ifindex))
		return false;
	add_device(a, l);
	return true;
}

static int take_link(void *ctx, const struct link_info *l)
{
	above_take(ctx, l);
	return 0;
}

/* Each look at all interfaces finds at least one more level; the kernel itself stacks no more than eight. */
void above_find(struct above *a, uint32_t ifindex)
{
	struct link_info self;
	unsigned int before = 0;

	a->n = 0;
	if (link_get(NULL, ifindex, &self))
		return;
	add_device(a, &self);
	for (int i = 0; i < DEEP && before != a->n; i++) {
		before = a->n;
		link_each(take_link, a);
	}
}

/* ── routes and neighbours ────────────────────────────────────────────────── */

struct question {
	struct nlmsghdr h;
	union {
		struct rtmsg route;
		struct ndmsg neigh;
	};
	char room[64];
};

static void begin(struct question *q, uint16_t type, size_t head)
{
	memset(q, 0, sizeof(*q));
	q->h.nlmsg_type = type;
	q->h.nlmsg_flags = NLM_F_REQUEST;
	q->h.nlmsg_len = (uint32_t)NLMSG_ALIGN(NLMSG_LENGTH(head));
}

static void put_addr(struct question *q, uint16_t type, const struct addr *a)
{
	struct rtattr *at = (struct rtattr *)((char *)q + q->h.nlmsg_len);
	size_t len = a->family == 4 ? 4 : 16;

	at->rta_type = type;
	at->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(at), a->b, len);
	q->h.nlmsg_len += (uint32_t)RTA_ALIGN(at->rta_len);
}

static int open_asked(const struct question *q)
{
	owned_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct timeval patience = { .tv_sec = 1 };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    send(fd, q, q->h.nlmsg_len, 0) < 0)
		return -1;
	return take_fd(fd);
}

/* False: none. */
static bool ask(const struct question *q, void *answer, uint16_t want)
{
	owned_fd int fd = open_asked(q);
	const struct nlmsghdr *h = answer;
	ssize_t n = fd < 0 ? -1 : recv(fd, answer, ANSWER, 0);

	return n >= (ssize_t)sizeof(*h) && h->nlmsg_len <= (size_t)n && h->nlmsg_type == want;
}

static const struct rtattr *find(const struct nlmsghdr *h, size_t head, uint16_t type, size_t len)
{
	const struct rtattr *at = (const struct rtattr *)((const char *)h + NLMSG_ALIGN(NLMSG_LENGTH(head)));
	int left = (int)h->nlmsg_len - (int)NLMSG_ALIGN(NLMSG_LENGTH(head));

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == type && RTA_PAYLOAD(at) >= len)
			return at;
	return NULL;
}

static bool find_route(struct hop *h, const struct addr *remote, const struct addr *local)
{
	size_t len = remote->family == 4 ? 4 : 16, head = sizeof(struct rtmsg);
	uint64_t answer[ANSWER / 8];
	const struct nlmsghdr *got = (const struct nlmsghdr *)answer;
	struct question q;
	const struct rtattr *at;

	begin(&q, RTM_GETROUTE, head);
	q.route.rtm_family = remote->family == 4 ? AF_INET : AF_INET6;
	q.route.rtm_dst_len = (uint8_t)(8 * len);
	put_addr(&q, RTA_DST, remote);
	if (local->family == remote->family) {
		q.route.rtm_src_len = (uint8_t)(8 * len);
		put_addr(&q, RTA_SRC, local);
	}
	if (!ask(&q, answer, RTM_NEWROUTE))
		return false;
	at = find(got, head, RTA_GATEWAY, len);
	if (at)
		memcpy(h->next.b, RTA_DATA(at), len);
	at = find(got, head, RTA_VIA, sizeof(struct rtvia) + 16);	/* of IPv4, by a neighbour of IPv6 */
	if (at && ((const struct rtvia *)RTA_DATA(at))->rtvia_family == AF_INET6) {
		h->next.family = 6;
		memcpy(h->next.b, ((const struct rtvia *)RTA_DATA(at))->rtvia_addr, 16);
	}
	at = find(got, head, RTA_OIF, sizeof(h->ifindex));
	if (at)
		memcpy(&h->ifindex, RTA_DATA(at), sizeof(h->ifindex));
	h->by_advertisement = ((const struct rtmsg *)NLMSG_DATA(got))->rtm_protocol == RTPROT_RA;
	return at != NULL;
}

/* Linux before 5.0 tells no single neighbour. */
static bool find_mac(struct hop *h, uint32_t ifindex)
{
	uint64_t answer[ANSWER / 8];
	struct question q;
	const struct rtattr *at = NULL;

	begin(&q, RTM_GETNEIGH, sizeof(q.neigh));
	q.neigh.ndm_family = h->next.family == 4 ? AF_INET : AF_INET6;
	q.neigh.ndm_ifindex = (int)ifindex;
	put_addr(&q, NDA_DST, &h->next);
	if (ask(&q, answer, RTM_NEWNEIGH))
		at = find((const struct nlmsghdr *)answer, sizeof(q.neigh), NDA_LLADDR, sizeof(h->mac));
	if (at)
		memcpy(h->mac, RTA_DATA(at), sizeof(h->mac));
	h->has_mac = at != NULL;
	return h->has_mac;
}

bool addr_is_link_local(const struct addr *a)
{
	return a->family == 6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* A link-local address has routes at every interface: it is where it is a neighbour. */
void hop_find(struct hop *h, const struct addr *remote, const struct addr *local, const struct above *a)
{
	static const struct addr unknown;

	memset(h, 0, sizeof(*h));
	h->next = *remote;
	if (!a->n)
		return;
	if (addr_is_link_local(remote)) {
		h->ifindex = a->v[0].ifindex;
		for (unsigned int i = 0; i < a->n && !h->has_mac; i++)
			if (find_mac(h, a->v[i].ifindex))
				h->ifindex = a->v[i].ifindex;
		return;
	}
	if (find_route(h, remote, local) || find_route(h, remote, &unknown))
		find_mac(h, above_device(a, h->ifindex) ? h->ifindex : a->v[0].ifindex);
}

/* ── link-local addresses of neighbours ───────────────────────────────────── */

static void take_neighbour(struct link_locals *l, const struct nlmsghdr *h)
{
	const struct ndmsg *m = NLMSG_DATA(h);
	const struct rtattr *dst, *mac;
	struct addr a = { .family = 6 };

	if (h->nlmsg_type != RTM_NEWNEIGH || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ndm_family != AF_INET6)
		return;
	dst = find(h, sizeof(*m), NDA_DST, 16);
	mac = find(h, sizeof(*m), NDA_LLADDR, 6);
	if (!dst || !mac || l->n == NEIGHBOURS_MAX)
		return;
	memcpy(a.b, RTA_DATA(dst), 16);
	if (!addr_is_link_local(&a))
		return;
	l->v[l->n].addr = a;
	l->v[l->n].ifindex = (uint32_t)m->ndm_ifindex;
	memcpy(l->v[l->n++].mac, RTA_DATA(mac), 6);
}

void link_locals_find(struct link_locals *l)
{
	owned_mem char *buf = malloc(DUMP);
	owned_fd int fd = -1;
	bool done = false;
	struct question q;

	l->n = 0;
	begin(&q, RTM_GETNEIGH, sizeof(q.neigh));
	q.neigh.ndm_family = AF_INET6;
	q.h.nlmsg_flags |= NLM_F_DUMP;
	fd = buf ? open_asked(&q) : -1;
	while (fd >= 0 && !done) {
		ssize_t got = recv(fd, buf, DUMP, 0);
		size_t n = got < 0 ? 0 : (size_t)got;

		done = !n;
		for (const struct nlmsghdr *h = (const struct nlmsghdr *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			done = done || h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR;
			take_neighbour(l, h);
		}
	}
}

/* RFC 4291, appendix A */
static struct addr made_of(const uint8_t mac[6])
{
	return (struct addr){ .family = 6, .b = { 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff,
						  0xfe, mac[3], mac[4], mac[5] } };
}

unsigned int link_locals_of(const struct link_locals *l, const struct hop *h, struct addr *out, unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->n && n < max && h->has_mac; i++)
		if (l->v[i].ifindex == h->ifindex && !memcmp(l->v[i].mac, h->mac, sizeof(h->mac)))
			out[n++] = l->v[i].addr;
	if (!n && max)
		out[n++] = made_of(h->mac);
	return n;
}
