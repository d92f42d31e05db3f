// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "numbers/linktype.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { ANSWER_MAX = 65536, NAME_MAX_OLD = 15, PARENT_DEVICE = 56 /* IFLA_PARENT_DEV_NAME, Linux 5.14 */ };

/* What the kernel hands to tc and to AF_PACKET: types without a rule come cooked from libpcap. */
static uint16_t link_type(uint16_t arphrd)
{
	switch (arphrd) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return LINK_ETHERNET;
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		return LINK_RAW;
	case ARPHRD_IEEE80211:
		return LINK_80211;
	case ARPHRD_IEEE80211_PRISM:
		return LINK_PRISM;
	case ARPHRD_IEEE80211_RADIOTAP:
		return LINK_RADIOTAP;
	default:
		return LINK_SLL;
	}
}

static void take_text(char *to, size_t size, const void *p, size_t n)
{
	n = strnlen(p, n);
	if (n >= size)
		n = size - 1;
	memcpy(to, p, n);
	to[n] = '\0';
}

static void take_kind(struct link_info *l, const struct rtattr *a)
{
	int left = (int)RTA_PAYLOAD(a);

	for (a = RTA_DATA(a); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == IFLA_INFO_KIND)
			take_text(l->kind, sizeof(l->kind), RTA_DATA(a), RTA_PAYLOAD(a));
}

static void take_u32(uint32_t *to, const void *p, size_t n)
{
	if (n >= sizeof(*to))
		memcpy(to, p, sizeof(*to));
}

static void take_attribute(struct link_info *l, const struct rtattr *a)
{
	size_t n = RTA_PAYLOAD(a);
	const void *p = RTA_DATA(a);

	switch (a->rta_type & NLA_TYPE_MASK) {
	case IFLA_IFNAME:
		take_text(l->name, sizeof(l->name), p, n);
		break;
	case IFLA_LINKINFO:
		take_kind(l, a);
		break;
	case PARENT_DEVICE:
		l->has_device = true;
		break;
	case IFLA_MTU:
		take_u32(&l->mtu, p, n);
		break;
	case IFLA_MASTER:
		take_u32(&l->master, p, n);
		break;
	case IFLA_LINK:
		take_u32(&l->lower, p, n);
		break;
	case IFLA_LINK_NETNSID:
		l->is_elsewhere = true;
		break;
	case IFLA_ADDRESS:
		l->has_mac = n == sizeof(l->mac);
		memcpy(l->mac, p, l->has_mac ? n : 0);
		break;
	case IFLA_OPERSTATE:
		if (n >= 1)
			l->operstate = *(const uint8_t *)p;
		break;
	case IFLA_STATS64:
		memcpy(&l->stats, p, n < sizeof(l->stats) ? n : sizeof(l->stats));
		break;
	}
}

/* IFLA_LINK is also the other end of a veth, and what the packets of a tunnel leave by, in others of their own. */
static bool has_frames_of_lower(const struct link_info *l)
{
	static const char *const kinds[] = { "vlan", "macvlan", "macvtap", "ipvlan", "ipvtap" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(l->kind, kinds[i]))
			return !l->is_elsewhere;
	return false;
}

/* False: the message is not about a link. */
static bool take_message(struct link_info *l, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const struct rtattr *a;
	int left;

	if (h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK)
		return false;
	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return false;
	/* The bridge tells about its ports in messages of its own, which describe no device. */
	if (m->ifi_family != AF_UNSPEC)
		return false;
	memset(l, 0, sizeof(*l));
	l->ifindex = (uint32_t)m->ifi_index;
	l->arphrd = m->ifi_type;
	l->link = link_type(m->ifi_type);
	l->flags = m->ifi_flags;
	l->is_gone = h->nlmsg_type == RTM_DELLINK;
	left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	for (a = IFLA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left))
		take_attribute(l, a);
	if (!has_frames_of_lower(l))
		l->lower = 0;
	return true;
}

static int open_netlink(unsigned int groups, int flags)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = groups };
	owned_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)))
		return -errno;
	return take_fd(fd);
}

/* Only the kernel (port 0) is listened to. */
static ssize_t receive(int fd, char *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec io = { .iov_base = buf, .iov_len = size };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(fd, &m, 0);
	while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid));
	if (n < 0)
		return -errno;
	return m.msg_flags & MSG_TRUNC ? -ENOBUFS : n;
}

struct answer {
	link_fn fn;
	void *ctx;
	bool is_monitor, done;
	int stopped;		/* what fn returned */
};

static int error_of(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);

	return h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EPROTO : e->error;
}

/* The messages of one datagram.  0, or the negative errno that the kernel answered. */
static int take_datagram(struct answer *a, const char *buf, size_t n)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	struct link_info l;

	for (; NLMSG_OK(h, n) && !a->stopped; h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
			a->done = true;
			return h->nlmsg_type == NLMSG_ERROR ? error_of(h) : 0;
		}
		if (!take_message(&l, h))
			continue;
		a->done = !a->is_monitor && !(h->nlmsg_flags & NLM_F_MULTI);
		a->stopped = a->fn(a->ctx, &l);
	}
	return 0;
}

struct request {
	struct nlmsghdr h;
	struct ifinfomsg m;
	char attributes[128];
};

static void put(struct request *r, unsigned short type, const void *p, size_t n)
{
	struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), p, n);
	r->h.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->h.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

static int ask(struct request *r, struct answer *a)
{
	owned_mem char *buf = malloc(ANSWER_MAX);
	owned_fd int fd = open_netlink(0, 0);
	int err = 0;

	if (!buf)
		return -ENOMEM;
	if (fd < 0)
		return fd;
	if (send(fd, r, r->h.nlmsg_len, 0) < 0)
		return -errno;
	while (!err && !a->done && !a->stopped) {
		ssize_t n = receive(fd, buf, ANSWER_MAX);

		if (n < 0)
			return (int)n;
		err = take_datagram(a, buf, (size_t)n);
	}
	return err;
}

static struct request request(unsigned short flags)
{
	return (struct request){
		.h = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags), .nlmsg_seq = 1 },
	};
}

int link_each(link_fn fn, void *ctx)
{
	struct request r = request(NLM_F_DUMP);
	struct answer a = { .fn = fn, .ctx = ctx };
	int err = ask(&r, &a);

	return err ? err : a.stopped;
}

static int keep(void *ctx, const struct link_info *l)
{
	*(struct link_info *)ctx = *l;
	return 1;
}

static int get_by(unsigned short type, const char *name, uint32_t ifindex, struct link_info *out)
{
	struct request r = request(0);
	struct answer a = { .fn = keep, .ctx = out };

	r.m.ifi_index = (int)ifindex;
	if (name)
		put(&r, type, name, strlen(name) + 1);
	return ask(&r, &a);
}

int link_get(const char *name, uint32_t ifindex, struct link_info *out)
{
	int err = -ENODEV;

	if (!name)
		return get_by(0, NULL, ifindex, out);
	if (!*name || strlen(name) >= sizeof(out->name))
		return -ENODEV;
	if (strlen(name) <= NAME_MAX_OLD)
		err = get_by(IFLA_IFNAME, name, 0, out);
	/* An alternative name, from Linux 5.5 on. */
	if (err == -ENODEV && get_by(IFLA_ALT_IFNAME, name, 0, out) == 0)
		err = 0;
	return err;
}

int link_monitor_open(void)
{
	int fd = open_netlink(RTMGRP_LINK, SOCK_NONBLOCK), size = 1 << 20;

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

int link_monitor_read(int fd, link_fn fn, void *ctx)
{
	struct answer a = { .fn = fn, .ctx = ctx, .is_monitor = true };
	owned_mem char *buf = malloc(ANSWER_MAX);

	if (!buf)
		return -ENOMEM;
	while (!a.stopped) {
		ssize_t n = receive(fd, buf, ANSWER_MAX);

		if (n < 0)
			return n == -EAGAIN ? 0 : (int)n;
		take_datagram(&a, buf, (size_t)n);
	}
	return a.stopped;
}

static int open_netns(const char *spec, char *path, size_t size)
{
	int fd;

	if (strchr(spec, '/')) {
		snprintf(path, size, "%s", spec);
		return open(path, O_RDONLY | O_CLOEXEC);
	}
	snprintf(path, size, "/run/netns/%s", spec);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 || !*spec || spec[strspn(spec, "0123456789")])
		return fd;
	snprintf(path, size, "/proc/%s/ns/net", spec);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int netns_enter(const char *spec)
{
	char path[4096];
	owned_fd int fd = open_netns(spec, path, sizeof(path));

	if (fd < 0)
		return fail(errno, "network namespace '%s': %s", spec, path);
	if (setns(fd, CLONE_NEWNET) == 0)
		return 0;
	if (errno == EPERM)
		return fail(errno, "network namespace '%s': needs %s", spec, caps_name(NEED_NETNS));
	if (errno == EINVAL)
		return fail(0, "network namespace '%s': %s is not one", spec, path), -EINVAL;
	return fail(errno, "network namespace '%s'", spec);
}

uint64_t netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}
