// SPDX-License-Identifier: GPL-2.0-or-later
/* Through which neighbour an address is reached: its route's gateway or itself, and the MAC address that has. */
#include "kern/neigh.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "util/cleanup.h"

enum { ANSWER = 4096 };

/* A question with one address in it; the answer's attributes, those above `top` left out.  False: none. */
static bool ask(void *question, size_t head, uint16_t type, const struct addr *a, void *answer, uint16_t want)
{
	owned_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct nlmsghdr *h = question;
	struct rtattr *at = (struct rtattr *)((char *)question + NLMSG_ALIGN(NLMSG_LENGTH(head)));
	size_t len = a->family == 4 ? 4 : 16;
	struct timeval patience = { .tv_sec = 1 };
	ssize_t n;

	at->rta_type = type;
	at->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(at), a->b, len);
	h->nlmsg_len = (uint32_t)(NLMSG_ALIGN(NLMSG_LENGTH(head)) + at->rta_len);
	h->nlmsg_flags = NLM_F_REQUEST;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    send(fd, question, h->nlmsg_len, 0) < 0)
		return false;
	n = recv(fd, answer, ANSWER, 0);
	h = answer;
	return n >= (ssize_t)sizeof(*h) && h->nlmsg_len <= (size_t)n && h->nlmsg_type == want;
}

static const struct rtattr *find(const void *answer, size_t head, uint16_t type, size_t len)
{
	const struct nlmsghdr *h = answer;
	const struct rtattr *at = (const struct rtattr *)((const char *)answer + NLMSG_ALIGN(NLMSG_LENGTH(head)));
	int left = (int)h->nlmsg_len - (int)NLMSG_ALIGN(NLMSG_LENGTH(head));

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == type && RTA_PAYLOAD(at) >= len)
			return at;
	return NULL;
}

bool neigh_mac(const struct addr *remote, uint32_t ifindex, uint8_t mac[6])
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		char room[64];
	} route = { .h.nlmsg_type = RTM_GETROUTE, .r.rtm_family = remote->family == 4 ? AF_INET : AF_INET6,
		    .r.rtm_dst_len = remote->family == 4 ? 32 : 128 };
	struct {
		struct nlmsghdr h;
		struct ndmsg n;
		char room[64];
	} neigh = { .h.nlmsg_type = RTM_GETNEIGH, .n.ndm_family = route.r.rtm_family, .n.ndm_ifindex = (int)ifindex };
	uint64_t answer[ANSWER / 8];
	struct addr next = *remote;
	const struct rtattr *at;
	size_t len = remote->family == 4 ? 4 : 16;

	if (!ask(&route, sizeof(route.r), RTA_DST, remote, answer, RTM_NEWROUTE))
		return false;
	at = find(answer, sizeof(route.r), RTA_GATEWAY, len);
	if (at)
		memcpy(next.b, RTA_DATA(at), len);
	if (!ask(&neigh, sizeof(neigh.n), NDA_DST, &next, answer, RTM_NEWNEIGH))
		return false;
	at = find(answer, sizeof(neigh.n), NDA_LLADDR, 6);
	if (at)
		memcpy(mac, RTA_DATA(at), 6);
	return at != NULL;
}

bool neigh_own_mac(const char *ifname, uint8_t mac[6])
{
	owned_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };

	strncpy(r.ifr_name, ifname, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &r))
		return false;
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	return true;
}
