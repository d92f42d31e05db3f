// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "dataplane/attr.h"
#include "util/buf.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* Answers to what was asked before and given up are passed over. */
enum { ANSWER_MAX = 8192, PASSED_OVER_MAX = 8, ANSWER_MS = 500 };

int conntrack_open(void)
{
	const struct timeval patience = { .tv_usec = ANSWER_MS * 1000 };
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	owned_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return -errno;
	return take_fd(fd);
}

/* ── the question ─────────────────────────────────────────────────────────── */

static size_t begin(struct buf *b, uint16_t type)
{
	struct nlattr a = { .nla_type = type };

	buf_add(b, &a, sizeof(a));
	return b->n - sizeof(a);
}

static void end(struct buf *b, size_t at)
{
	uint16_t len = (uint16_t)(b->n - at);

	memcpy(b->p + at, &len, sizeof(len));
	while (b->n % NLA_ALIGNTO)
		buf_chr(b, 0);
}

static void put(struct buf *b, uint16_t type, const void *p, size_t n)
{
	size_t at = begin(b, type);

	buf_add(b, p, n);
	end(b, at);
}

static void put_port(struct buf *b, uint16_t type, uint16_t port)
{
	uint8_t bytes[2];

	put_be16(bytes, port);
	put(b, type, bytes, sizeof(bytes));
}

size_t conntrack_ask(uint8_t out[CONNTRACK_ASK_MAX], const struct conntrack_flow *f, uint32_t seq)
{
	struct buf b = { .p = (char *)out, .cap = CONNTRACK_ASK_MAX, .max = CONNTRACK_ASK_MAX };
	struct nlmsghdr h = { .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
			      .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = seq };
	bool v4 = f->src.family == 4;
	struct nfgenmsg g = { .nfgen_family = v4 ? AF_INET : AF_INET6, .version = NFNETLINK_V0 };
	size_t tuple, part;

	buf_add(&b, &h, sizeof(h));
	buf_add(&b, &g, sizeof(g));
	tuple = begin(&b, CTA_TUPLE_ORIG | NLA_F_NESTED);
	part = begin(&b, CTA_TUPLE_IP | NLA_F_NESTED);
	put(&b, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, f->src.b, v4 ? 4 : 16);
	put(&b, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, f->dst.b, v4 ? 4 : 16);
	end(&b, part);
	part = begin(&b, CTA_TUPLE_PROTO | NLA_F_NESTED);
	put(&b, CTA_PROTO_NUM, &f->proto, 1);
	put_port(&b, CTA_PROTO_SRC_PORT, f->sport);
	put_port(&b, CTA_PROTO_DST_PORT, f->dport);
	end(&b, part);
	end(&b, tuple);
	h.nlmsg_len = (uint32_t)b.n;
	memcpy(b.p, &h, sizeof(h));
	return b.n;
}

/* ── the answer ───────────────────────────────────────────────────────────── */

/* One direction of a connection, as its packets say. */
static int take_tuple(struct part tuple, struct conntrack_flow *f)
{
	struct part t[CTA_TUPLE_PROTO + 1], ip[CTA_IP_V6_DST + 1], proto[CTA_PROTO_DST_PORT + 1];
	uint16_t from = CTA_IP_V4_SRC, to = CTA_IP_V4_DST;
	size_t size = 4;

	if (!tuple.p || !attr_split(tuple, t, CTA_TUPLE_PROTO + 1) || !t[CTA_TUPLE_IP].p || !t[CTA_TUPLE_PROTO].p ||
	    !attr_split(t[CTA_TUPLE_IP], ip, CTA_IP_V6_DST + 1) ||
	    !attr_split(t[CTA_TUPLE_PROTO], proto, CTA_PROTO_DST_PORT + 1))
		return -EPROTO;
	if (!ip[from].p) {
		from = CTA_IP_V6_SRC;
		to = CTA_IP_V6_DST;
		size = 16;
	}
	if (ip[from].n != size || ip[to].n != size || proto[CTA_PROTO_SRC_PORT].n != 2 ||
	    proto[CTA_PROTO_DST_PORT].n != 2)
		return -EPROTO;
	*f = (struct conntrack_flow){ .src.family = size == 4 ? 4 : 6, .dst.family = size == 4 ? 4 : 6 };
	memcpy(f->src.b, ip[from].p, size);
	memcpy(f->dst.b, ip[to].p, size);
	f->sport = be16(proto[CTA_PROTO_SRC_PORT].p);
	f->dport = be16(proto[CTA_PROTO_DST_PORT].p);
	return 0;
}

static bool is_same(const struct conntrack_flow *a, const struct conntrack_flow *b)
{
	return addr_same(&a->src, &b->src) && addr_same(&a->dst, &b->dst) && a->sport == b->sport &&
	       a->dport == b->dport;
}

int conntrack_answer(const uint8_t *p, size_t n, const struct conntrack_flow *f, uint32_t seq,
		     struct conntrack_found *out)
{
	struct part in = { p, n }, body, top[CTA_TUPLE_REPLY + 1];
	struct conntrack_flow called, answered;
	struct nlmsghdr h;
	int32_t code = 0;

	if (!message_next(&in, &h, &body))
		return -EPROTO;
	if (h.nlmsg_seq != seq)
		return -EAGAIN;
	if (h.nlmsg_type == NLMSG_ERROR) {
		if (body.n >= sizeof(code))
			memcpy(&code, body.p, sizeof(code));
		return code < 0 && code >= -4095 ? code : -EPROTO;
	}
	if (h.nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) || body.n < sizeof(struct nfgenmsg))
		return -EPROTO;
	body.p += sizeof(struct nfgenmsg);
	body.n -= sizeof(struct nfgenmsg);
	if (!attr_split(body, top, CTA_TUPLE_REPLY + 1) || take_tuple(top[CTA_TUPLE_ORIG], &called) ||
	    take_tuple(top[CTA_TUPLE_REPLY], &answered))
		return -EPROTO;
	*out = (struct conntrack_found){ .is_reply = !is_same(&called, f), .to = answered.src, .port = answered.sport };
	return 0;
}

int conntrack_find(int fd, const struct conntrack_flow *f, struct conntrack_found *out)
{
	static uint32_t seq;
	uint8_t ask[CONNTRACK_ASK_MAX], in[ANSWER_MAX];
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t n = conntrack_ask(ask, f, ++seq);
	int rc = -EAGAIN;

	if (sendto(fd, ask, n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	for (int i = 0; i < PASSED_OVER_MAX && rc == -EAGAIN; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t got = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &size);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0 && !from.nl_pid)
			rc = conntrack_answer(in, (size_t)got, f, seq, out);
	}
	return rc;
}
