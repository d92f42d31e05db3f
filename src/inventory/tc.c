// SPDX-License-Identifier: GPL-2.0-or-later
/* BPF classifiers of tc, at every qdisc that can have some (tc-bpf(8)). */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <string.h>
#include <sys/socket.h>

#include "inventory/parts.h"
#include "kern/tc.h"

enum { QDISCS_MAX = 256 };

static const struct rtattr *attribute(const struct rtattr *a, long n, unsigned int type)
{
	for (; RTA_OK(a, n); a = RTA_NEXT(a, n))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static uint32_t number_of(const struct rtattr *a)
{
	uint32_t v = 0;

	if (a && RTA_PAYLOAD(a) >= sizeof(v))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

struct chain {
	struct walk *w;
	const struct link_info *l;
	const char *hook;
	uint32_t order;
};

static int filter(void *ctx, const struct nlmsghdr *h)
{
	const struct tcmsg *m = NLMSG_DATA(h);
	const struct rtattr *first = TCA_RTA(m), *kind, *options;
	long n = (long)h->nlmsg_len - (long)NLMSG_LENGTH(sizeof(*m));
	struct chain *c = ctx;
	struct hooked k = { .hook = c->hook, .link = c->l, .netns = c->w->netns, .handle = m->tcm_handle,
			    .priority = (int32_t)(m->tcm_info >> 16) };

	kind = attribute(first, n, TCA_KIND);
	options = attribute(first, n, TCA_OPTIONS);
	if (h->nlmsg_type != RTM_NEWTFILTER || m->tcm_ifindex != (int)c->l->ifindex || !kind ||
	    RTA_PAYLOAD(kind) < 4 || memcmp(RTA_DATA(kind), "bpf", 4) || !options)
		return 0;
	k.prog_id = number_of(attribute(RTA_DATA(options), (long)RTA_PAYLOAD(options), TCA_BPF_ID));
	if (!k.prog_id)
		return 0;		/* the filter's own head, or classic BPF */
	k.order = ++c->order;
	return c->w->fn(c->w->ctx, &k);
}

struct qdiscs {
	uint32_t ifindex, n, beyond, v[QDISCS_MAX];
	bool clsact;
};

static int qdisc(void *ctx, const struct nlmsghdr *h)
{
	const struct tcmsg *m = NLMSG_DATA(h);
	struct qdiscs *q = ctx;

	if (h->nlmsg_type != RTM_NEWQDISC || m->tcm_ifindex != (int)q->ifindex)
		return 0;
	if (m->tcm_parent == TC_H_CLSACT)
		q->clsact = true;
	else if (m->tcm_handle && q->n < QDISCS_MAX)
		q->v[q->n++] = m->tcm_handle;
	else if (m->tcm_handle)
		q->beyond++;
	return 0;
}

static int each_at(struct walk *w, const struct link_info *l, uint32_t parent, const char *hook)
{
	struct tcmsg m = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)l->ifindex, .tcm_parent = parent };
	struct chain c = { .w = w, .l = l, .hook = hook };
	int rc = tc_dump(RTM_GETTFILTER, &m, filter, &c);

	if (rc < 0 && !c.order && rc != -ENOMEM)
		return 0;		/* a qdisc without filters, or gone meanwhile */
	return rc;
}

int inventory_tc(struct walk *w, const struct link_info *l)
{
	struct tcmsg m = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)l->ifindex };
	struct qdiscs q = { .ifindex = l->ifindex };
	int rc = tc_dump(RTM_GETQDISC, &m, qdisc, &q);

	if (rc) {
		w->v->missed++;
		return rc == -ENOMEM ? rc : 0;
	}
	w->v->missed += q.beyond;
	if (q.clsact)
		rc = each_at(w, l, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), "tc/ingress");
	if (q.clsact && !rc)
		rc = each_at(w, l, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), "tc/egress");
	for (uint32_t i = 0; i < q.n && !rc; i++)
		rc = each_at(w, l, q.v[i], "tc/qdisc");
	return rc;
}
