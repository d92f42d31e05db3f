// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/hook.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/tc.h"
#include "util/cleanup.h"

/*
 * PRIORITY is 'NP'.  MADE in the handle: a netprobe made the qdisc, so whoever takes the last filter
 * away takes the qdisc too.
 */
enum { PRIORITY = 0x4e50, SLOTS = 8, MADE = 1 << 8, ANSWER_MAX = 32768 };
/* Filters that stay, those of pinned state, have handles of their own: which service is in the last byte. */
enum { KEPT = 1 << 12, SERVICES = 8 };

static const enum bpf_tc_attach_point points[2] = { BPF_TC_INGRESS, BPF_TC_EGRESS };

/* Abstract sockets belong to the network namespace, as filters do, and die with their process. */
static int own_slot(unsigned int slot)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	owned_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n;

	if (fd < 0)
		return -errno;
	n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "netprobe.clsact.%u", slot);
	if (bind(fd, (struct sockaddr *)&a,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)))
		return -errno;
	return take_fd(fd);
}

static int take_slot(struct clsact *c)
{
	if (c->owner >= 0)
		return 0;
	for (unsigned int s = 1; s <= SLOTS; s++) {
		c->owner = own_slot(s);
		if (c->owner >= 0) {
			c->slot = s;
			return 0;
		}
	}
	return -EBUSY;
}

void clsact_close(struct clsact *c)
{
	if (c->owner >= 0)
		close(c->owner);
	c->owner = -1;
}

int tc_dump(int type, const struct tcmsg *m, tc_fn fn, void *ctx)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg m;
	} r = { .h = { .nlmsg_len = sizeof(r), .nlmsg_type = (uint16_t)type,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP }, .m = *m };
	owned_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	owned_mem char *buf = malloc(ANSWER_MAX);
	int rc = 0;

	if (fd < 0 || !buf || send(fd, &r, sizeof(r), 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(fd, buf, ANSWER_MAX, 0);
		const struct nlmsghdr *h = (const struct nlmsghdr *)buf;

		if (n <= 0)
			return n ? -errno : -EPROTO;
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return rc;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (!rc)
				rc = fn(ctx, h);
		}
	}
}

static int count_filter(void *ctx, const struct nlmsghdr *h)
{
	*(int *)ctx += h->nlmsg_type == RTM_NEWTFILTER;
	return 0;
}

/* Filters in one direction: their number, or a negative errno. */
static int count_filters(uint32_t ifindex, bool egress)
{
	const struct tcmsg m = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS),
	};
	int n = 0, err = tc_dump(RTM_GETTFILTER, &m, count_filter, &n);

	return err ? err : n;
}

static void remove_empty_qdisc(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (count_filters(ifindex, false) == 0 && count_filters(ifindex, true) == 0)
		bpf_tc_hook_destroy(&hook);
}

static bool is_there(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = handle, .priority = PRIORITY);

	return bpf_tc_query(&hook, &o) == 0;
}

static int remove_one(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = handle, .priority = PRIORITY);

	if (!is_there(ifindex, point, handle))
		return 0;
	return bpf_tc_detach(&hook, &o) == 0;
}

static int attach_one(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle, int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, o, .prog_fd = prog, .handle = handle, .priority = PRIORITY,
		    .flags = BPF_TC_F_REPLACE);

	return prog < 0 ? 0 : bpf_tc_attach(&hook, &o);
}

/* Both forms of the slot's handle, both directions. */
static int remove_slot(uint32_t ifindex, unsigned int slot)
{
	int removed = 0;
	bool made = false;

	for (int i = 0; i < 2; i++) {
		int n = remove_one(ifindex, points[i], slot | MADE);

		made |= n > 0;
		removed += n + remove_one(ifindex, points[i], slot);
	}
	if (made)
		remove_empty_qdisc(ifindex);
	return removed;
}

/* Did another netprobe make the qdisc?  Then the last of us takes it away. */
static bool is_of_netprobe(uint32_t ifindex)
{
	for (unsigned int s = 1; s <= SLOTS; s++)
		for (int i = 0; i < 2; i++)
			if (is_there(ifindex, points[i], s | MADE) || is_there(ifindex, points[i], KEPT | s | MADE))
				return true;
	return false;
}

int clsact_clean(uint32_t ifindex)
{
	int removed = 0;

	for (unsigned int s = 1; s <= SLOTS; s++) {
		owned_fd int owner = own_slot(s);

		if (owner >= 0)
			removed += remove_slot(ifindex, s);
	}
	return removed;
}

int clsact_left(uint32_t ifindex)
{
	int left = 0;

	if (count_filters(ifindex, false) <= 0 && count_filters(ifindex, true) <= 0)
		return 0;
	for (unsigned int s = 1; s <= SLOTS; s++) {
		owned_fd int owner = own_slot(s);

		for (int i = 0; i < 2 && owner >= 0; i++)
			left += is_there(ifindex, points[i], s) + is_there(ifindex, points[i], s | MADE);
	}
	return left;
}

int clsact_attach(struct clsact *c, uint32_t ifindex, int ingress, int egress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	uint32_t handle;
	int err;

	clsact_clean(ifindex);
	err = take_slot(c);
	if (err)
		return err;
	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST)
		return err;
	handle = c->slot | (err == 0 || is_of_netprobe(ifindex) ? MADE : 0);
	err = attach_one(ifindex, BPF_TC_INGRESS, handle, ingress);
	if (!err)
		err = attach_one(ifindex, BPF_TC_EGRESS, handle, egress);
	if (err) {
		remove_slot(ifindex, c->slot);
		if (handle & MADE)
			remove_empty_qdisc(ifindex);
	}
	return err;
}

void clsact_detach(struct clsact *c, uint32_t ifindex)
{
	if (c->owner >= 0)
		remove_slot(ifindex, c->slot);
}

int64_t clsact_kept(uint32_t ifindex, bool egress, uint8_t service)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = points[egress]);

	for (int i = 0; i < 2; i++) {
		LIBBPF_OPTS(bpf_tc_opts, o, .handle = KEPT | service | (i ? MADE : 0), .priority = PRIORITY);

		int err = bpf_tc_query(&hook, &o);

		if (!err)
			return o.prog_id;
		/* No filter, no queueing discipline, no interface. */
		if (err != -ENOENT && err != -EINVAL && err != -ENODEV)
			return err;
	}
	return 0;
}

int clsact_keep(uint32_t ifindex, bool egress, uint8_t service, int prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	uint32_t handle = KEPT | service;
	int err;

	if (!service || service > SERVICES)
		return -EINVAL;
	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST)
		return err;
	if (err == 0 || is_of_netprobe(ifindex))
		handle |= MADE;
	/* The one that is there keeps its handle: it is replaced, never doubled. */
	if (is_there(ifindex, points[egress], KEPT | service))
		handle = KEPT | service;
	err = attach_one(ifindex, points[egress], handle, prog);
	if (err && (handle & MADE))
		remove_empty_qdisc(ifindex);
	return err;
}

void clsact_unkeep(uint32_t ifindex, bool egress, uint8_t service)
{
	if (remove_one(ifindex, points[egress], KEPT | service | MADE) > 0)
		remove_empty_qdisc(ifindex);
	remove_one(ifindex, points[egress], KEPT | service);
}
