// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/qdisc.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <string.h>
#include <sys/socket.h>

#include "kern/tc.h"

/* Linux 5.2 on; older headers lack it. */
enum { STATS_PKT64 = 8 };

struct each {
	qdisc_fn fn;
	void *ctx;
};

/* As much of it as there is. */
static void copy(void *to, size_t size, const struct rtattr *a)
{
	memset(to, 0, size);
	memcpy(to, RTA_DATA(a), RTA_PAYLOAD(a) < size ? RTA_PAYLOAD(a) : size);
}

static void take_stats(struct qdisc *q, const struct rtattr *a, long left)
{
	struct gnet_stats_basic basic;
	struct gnet_stats_queue queue;
	uint64_t packets = 0;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		switch (a->rta_type & NLA_TYPE_MASK) {
		case TCA_STATS_BASIC:
			copy(&basic, sizeof(basic), a);
			q->bytes = basic.bytes;
			q->packets = basic.packets;
			break;
		case STATS_PKT64:
			copy(&packets, sizeof(packets), a);
			break;
		case TCA_STATS_QUEUE:
			copy(&queue, sizeof(queue), a);
			q->drops = queue.drops;
			q->overlimits = queue.overlimits;
			q->requeues = queue.requeues;
			q->backlog = queue.backlog;
			break;
		}
	}
	if (packets)
		q->packets = packets;
}

static int take(void *ctx, const struct nlmsghdr *h)
{
	const struct tcmsg *m = NLMSG_DATA(h);
	const struct rtattr *a = TCA_RTA(m);
	long left = (long)h->nlmsg_len - (long)NLMSG_LENGTH(sizeof(*m));
	const struct each *e = ctx;
	struct qdisc q = { 0 };
	size_t n;

	if (h->nlmsg_type != RTM_NEWQDISC || left < 0)
		return 0;
	q.ifindex = (uint32_t)m->tcm_ifindex;
	q.parent = m->tcm_parent;
	q.handle = m->tcm_handle;
	q.is_root = m->tcm_parent == TC_H_ROOT;
	q.is_clsact = m->tcm_parent == TC_H_CLSACT || m->tcm_parent == TC_H_INGRESS;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if ((a->rta_type & NLA_TYPE_MASK) == TCA_STATS2) {
			take_stats(&q, RTA_DATA(a), (long)RTA_PAYLOAD(a));
		} else if ((a->rta_type & NLA_TYPE_MASK) == TCA_KIND) {
			n = strnlen(RTA_DATA(a), RTA_PAYLOAD(a));
			n = n < sizeof(q.kind) - 1 ? n : sizeof(q.kind) - 1;
			memcpy(q.kind, RTA_DATA(a), n);
			q.kind[n] = '\0';
		}
	}
	return e->fn(e->ctx, &q);
}

int qdisc_each(qdisc_fn fn, void *ctx)
{
	const struct tcmsg m = { .tcm_family = AF_UNSPEC };
	struct each e = { fn, ctx };

	return tc_dump(RTM_GETQDISC, &m, take, &e);
}
