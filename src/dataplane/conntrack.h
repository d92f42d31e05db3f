/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_CONNTRACK_H
#define NETPROBE_DATAPLANE_CONNTRACK_H

#include "util/addr.h"

/* Who called, and where a connection really goes that the kernel translates (a service's address becomes a pod's): its
 * connection tracking knows, and is asked by netlink (linux/netfilter/nfnetlink_conntrack.h).  Nothing is said. */

/* Ports are host order, and those of TCP, UDP or SCTP. */
struct conntrack_flow {
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t proto;
};

/* A socket, or a negative errno.  CAP_NET_ADMIN is needed. */
int conntrack_open(void);
struct conntrack_found {
	bool is_reply;			/* it is the other end that called */
	struct addr to;			/* whom the caller really gets, and at which port */
	uint16_t port;
};

/* 0; -ENOENT: it is not known, or not yet, as before its first packet has passed; or another negative errno. */
int conntrack_find(int fd, const struct conntrack_flow *f, struct conntrack_found *out);

/* Between the two: a message to the kernel, whose length it returns; and its answer, as conntrack_find(). */
enum { CONNTRACK_ASK_MAX = 256 };
size_t conntrack_ask(uint8_t out[CONNTRACK_ASK_MAX], const struct conntrack_flow *f, uint32_t seq);
int conntrack_answer(const uint8_t *p, size_t n, const struct conntrack_flow *f, uint32_t seq,
		     struct conntrack_found *out);

#endif
