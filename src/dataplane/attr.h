/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_ATTR_H
#define NETPROBE_DATAPLANE_ATTR_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/parts.h"

/* Messages and attributes of netlink: headers are in our byte order, each is aligned to four bytes. */

/* The next attribute of *in, which is behind it then.  False: none, or in->n bytes that are no whole one. */
static inline bool attr_next(struct part *in, uint16_t *type, struct part *a)
{
	struct nlattr h;
	size_t step;

	if (in->n < sizeof(h))
		return false;
	memcpy(&h, in->p, sizeof(h));
	if (h.nla_len < sizeof(h) || h.nla_len > in->n)
		return false;
	*type = h.nla_type & NLA_TYPE_MASK;
	*a = (struct part){ in->p + sizeof(h), h.nla_len - sizeof(h) };
	step = NLA_ALIGN((size_t)h.nla_len) < in->n ? NLA_ALIGN((size_t)h.nla_len) : in->n;
	in->p += step;
	in->n -= step;
	return true;
}

/* Those of types below `room` by their type, the last of each, p NULL where it is not; false: a length does not fit. */
static inline bool attr_split(struct part in, struct part *out, size_t room)
{
	struct part a;
	uint16_t type;

	memset(out, 0, room * sizeof(*out));
	while (attr_next(&in, &type, &a))
		if (type < room)
			out[type] = a;
	return !in.n;
}

/* The next message of *in: its header, and what follows that.  False: as above. */
static inline bool message_next(struct part *in, struct nlmsghdr *h, struct part *body)
{
	size_t step;

	if (in->n < sizeof(*h))
		return false;
	memcpy(h, in->p, sizeof(*h));
	if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > in->n)
		return false;
	*body = (struct part){ in->p + sizeof(*h), h->nlmsg_len - sizeof(*h) };
	step = NLMSG_ALIGN((size_t)h->nlmsg_len) < in->n ? NLMSG_ALIGN((size_t)h->nlmsg_len) : in->n;
	in->p += step;
	in->n -= step;
	return true;
}

#endif
