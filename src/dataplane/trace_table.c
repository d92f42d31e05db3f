// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table that has packets traced, as one transaction of nf_tables: all of it is there, or nothing.
 *
 *   prerouting, output   begins a connection?  -> tcp, other; with addresses -> tcp-of, other-of
 *   tcp-of, other-of     an address is one of ours  -> tcp, other
 *   tcp, other           limit rate, meta nftrace set 1
 *
 * Only the last two have a limit: both hooks together have one.
 */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/attr.h"
#include "dataplane/trace_parts.h"
#include "numbers/ipproto.h"
#include "util/buf.h"
#include "util/bytes.h"
#include "util/caps.h"
#include "util/err.h"

/* Behind NF_IP_PRI_CONNTRACK_DEFRAG. */
enum { PRIORITY = -399, BURST_LEAST = 5, NAMES_TRIED = 8, ANSWER = 4096 };

/* Types of addresses as nft names them; to the kernel they mean nothing. */
enum { NFT_TYPE_IPV4 = 7, NFT_TYPE_IPV6 = 8 };

struct batch {
	struct buf b;
	const char *table;
	uint32_t seq;		/* of the message that was begun last */
	size_t message, rule, list, element, data;	/* where they begin */
};

/* ── attributes ───────────────────────────────────────────────────────────── */

static void align(struct batch *t)
{
	while (t->b.n % NLA_ALIGNTO && !t->b.full)
		buf_chr(&t->b, 0);
}

/* What begins here ends with close_at(): its length is known then. */
static size_t open_at(struct batch *t, uint16_t type)
{
	struct nlattr a = { .nla_type = type | NLA_F_NESTED };

	buf_add(&t->b, &a, sizeof(a));
	return t->b.n - sizeof(a);
}

static void close_at(struct batch *t, size_t at)
{
	uint16_t len = (uint16_t)(t->b.n - at);

	if (!t->b.full)
		memcpy(t->b.p + at, &len, sizeof(len));
}

static void bytes(struct batch *t, uint16_t type, const void *p, size_t n)
{
	struct nlattr a = { .nla_type = type, .nla_len = (uint16_t)(sizeof(a) + n) };

	buf_add(&t->b, &a, sizeof(a));
	buf_add(&t->b, p, n);
	align(t);
}

static void text(struct batch *t, uint16_t type, const char *s)
{
	bytes(t, type, s, strlen(s) + 1);
}

static void number(struct batch *t, uint16_t type, uint32_t v)
{
	uint8_t b[4];

	put_be32(b, v);
	bytes(t, type, b, sizeof(b));
}

static void number64(struct batch *t, uint16_t type, uint64_t v)
{
	uint8_t b[8];

	put_be32(b, (uint32_t)(v >> 32));
	put_be32(b + 4, (uint32_t)v);
	bytes(t, type, b, sizeof(b));
}

static void value(struct batch *t, uint16_t type, const void *p, size_t n)
{
	size_t at = open_at(t, type);

	bytes(t, NFTA_DATA_VALUE, p, n);
	close_at(t, at);
}

/* ── messages ─────────────────────────────────────────────────────────────── */

static void open_message(struct batch *t, uint16_t type, uint16_t flags, uint16_t res_id)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = ++t->seq };
	struct nfgenmsg g = { .nfgen_family = res_id ? AF_UNSPEC : NFPROTO_INET, .version = NFNETLINK_V0 };

	put_be16((uint8_t *)&g.res_id, res_id);
	t->message = t->b.n;
	buf_add(&t->b, &h, sizeof(h));
	buf_add(&t->b, &g, sizeof(g));
}

static void close_message(struct batch *t)
{
	uint32_t len = (uint32_t)(t->b.n - t->message);

	if (!t->b.full)
		memcpy(t->b.p + t->message, &len, sizeof(len));
}

/* A batch's first and last message name the subsystem. */
static void edge(struct batch *t, uint16_t type)
{
	open_message(t, type, 0, NFNL_SUBSYS_NFTABLES);
	close_message(t);
}

static void open_new(struct batch *t, uint8_t what, uint16_t flags)
{
	open_message(t, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), NLM_F_CREATE | flags, 0);
}

static void table(struct batch *t)
{
	/* Of somebody else's of that name nothing is touched. */
	open_new(t, NFT_MSG_NEWTABLE, NLM_F_EXCL | NLM_F_ACK);
	text(t, NFTA_TABLE_NAME, t->table);
	number(t, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	close_message(t);
}

static void open_chain(struct batch *t, const char *name)
{
	open_new(t, NFT_MSG_NEWCHAIN, 0);
	text(t, NFTA_CHAIN_TABLE, t->table);
	text(t, NFTA_CHAIN_NAME, name);
}

static void chain(struct batch *t, const char *name)
{
	open_chain(t, name);
	close_message(t);
}

static void chain_at(struct batch *t, const char *name, uint32_t hook)
{
	size_t at;

	open_chain(t, name);
	text(t, NFTA_CHAIN_TYPE, "filter");
	at = open_at(t, NFTA_CHAIN_HOOK);
	number(t, NFTA_HOOK_HOOKNUM, hook);
	number(t, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY);
	close_at(t, at);
	number(t, NFTA_CHAIN_POLICY, NF_ACCEPT);
	close_message(t);
}

static void set(struct batch *t, const char *name, uint32_t id, uint32_t type, uint32_t len)
{
	open_new(t, NFT_MSG_NEWSET, 0);
	text(t, NFTA_SET_TABLE, t->table);
	text(t, NFTA_SET_NAME, name);
	number(t, NFTA_SET_ID, id);
	number(t, NFTA_SET_KEY_TYPE, type);
	number(t, NFTA_SET_KEY_LEN, len);
	close_message(t);
}

/* The addresses of one family; false: there are none. */
static bool elements(struct batch *t, const char *name, const struct trace_options *o, uint8_t family)
{
	size_t list, element, n = 0;

	open_new(t, NFT_MSG_NEWSETELEM, 0);
	text(t, NFTA_SET_ELEM_LIST_TABLE, t->table);
	text(t, NFTA_SET_ELEM_LIST_SET, name);
	list = open_at(t, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (unsigned int i = 0; i < o->n_addrs; i++) {
		if (o->addrs[i].family != family)
			continue;
		element = open_at(t, NFTA_LIST_ELEM);
		value(t, NFTA_SET_ELEM_KEY, o->addrs[i].b, family == 4 ? 4 : 16);
		close_at(t, element);
		n++;
	}
	close_at(t, list);
	close_message(t);
	if (!n)
		t->b.n = t->message;
	return n;
}

/* ── rules ────────────────────────────────────────────────────────────────── */

static void open_rule(struct batch *t, const char *to)
{
	open_new(t, NFT_MSG_NEWRULE, NLM_F_APPEND);
	text(t, NFTA_RULE_TABLE, t->table);
	text(t, NFTA_RULE_CHAIN, to);
	t->list = open_at(t, NFTA_RULE_EXPRESSIONS);
}

static void close_rule(struct batch *t)
{
	close_at(t, t->list);
	close_message(t);
}

static void open_expression(struct batch *t, const char *name)
{
	t->element = open_at(t, NFTA_LIST_ELEM);
	text(t, NFTA_EXPR_NAME, name);
	t->data = open_at(t, NFTA_EXPR_DATA);
}

static void close_expression(struct batch *t)
{
	close_at(t, t->data);
	close_at(t, t->element);
}

static void load_meta(struct batch *t, uint32_t key)
{
	open_expression(t, "meta");
	number(t, NFTA_META_DREG, NFT_REG_1);
	number(t, NFTA_META_KEY, key);
	close_expression(t);
}

static void load_header(struct batch *t, uint32_t base, uint32_t offset, uint32_t len)
{
	open_expression(t, "payload");
	number(t, NFTA_PAYLOAD_DREG, NFT_REG_1);
	number(t, NFTA_PAYLOAD_BASE, base);
	number(t, NFTA_PAYLOAD_OFFSET, offset);
	number(t, NFTA_PAYLOAD_LEN, len);
	close_expression(t);
}

static void mask(struct batch *t, uint8_t keep)
{
	const uint8_t none = 0;

	open_expression(t, "bitwise");
	number(t, NFTA_BITWISE_SREG, NFT_REG_1);
	number(t, NFTA_BITWISE_DREG, NFT_REG_1);
	number(t, NFTA_BITWISE_LEN, 1);
	value(t, NFTA_BITWISE_MASK, &keep, 1);
	value(t, NFTA_BITWISE_XOR, &none, 1);
	close_expression(t);
}

static void is_byte(struct batch *t, uint8_t v)
{
	open_expression(t, "cmp");
	number(t, NFTA_CMP_SREG, NFT_REG_1);
	number(t, NFTA_CMP_OP, NFT_CMP_EQ);
	value(t, NFTA_CMP_DATA, &v, 1);
	close_expression(t);
}

static void is_in(struct batch *t, const char *name)
{
	open_expression(t, "lookup");
	text(t, NFTA_LOOKUP_SET, name);
	number(t, NFTA_LOOKUP_SREG, NFT_REG_1);
	close_expression(t);
}

static void go(struct batch *t, const char *to)
{
	size_t data, verdict;

	open_expression(t, "immediate");
	number(t, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = open_at(t, NFTA_IMMEDIATE_DATA);
	verdict = open_at(t, NFTA_DATA_VERDICT);
	number(t, NFTA_VERDICT_CODE, (uint32_t)NFT_GOTO);
	text(t, NFTA_VERDICT_CHAIN, to);
	close_at(t, verdict);
	close_at(t, data);
	close_expression(t);
}

static void limit(struct batch *t, uint32_t rate)
{
	open_expression(t, "limit");
	number64(t, NFTA_LIMIT_RATE, rate);
	number64(t, NFTA_LIMIT_UNIT, 1);	/* a second */
	number(t, NFTA_LIMIT_BURST, rate / 10 > BURST_LEAST ? rate / 10 : BURST_LEAST);
	number(t, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	close_expression(t);
}

static void trace(struct batch *t)
{
	const uint8_t on = 1;

	open_expression(t, "immediate");
	number(t, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	value(t, NFTA_IMMEDIATE_DATA, &on, sizeof(on));
	close_expression(t);
	open_expression(t, "meta");
	number(t, NFTA_META_SREG, NFT_REG_1);
	number(t, NFTA_META_KEY, NFT_META_NFTRACE);
	close_expression(t);
}

/* ── the table ────────────────────────────────────────────────────────────── */

/* What may begin a connection: a byte of the transport header, masked; mask 0: any. */
static const struct first {
	uint8_t proto, offset, mask, value;
} firsts[] = {
	{ PROTO_TCP, 13, 0x12, 0x02 },		/* SYN without ACK: RFC 9293, 3.1 */
	{ PROTO_UDP, 0, 0, 0 },
	{ PROTO_ICMP, 0, 0xff, 8 },		/* echo request: RFC 792 */
	{ PROTO_ICMPV6, 0, 0xff, 128 },		/* RFC 4443, 4.1 */
	{ PROTO_SCTP, 12, 0xff, 1 },		/* the first chunk is an INIT: RFC 9260, 3.2 */
};

static void rules_of_firsts(struct batch *t, const char *in, bool of_some)
{
	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		const struct first *f = &firsts[i];
		bool tcp = f->proto == PROTO_TCP;

		open_rule(t, in);
		load_meta(t, NFT_META_L4PROTO);
		is_byte(t, f->proto);
		if (f->mask) {
			load_header(t, NFT_PAYLOAD_TRANSPORT_HEADER, f->offset, 1);
			if (f->mask != 0xff)
				mask(t, f->mask);
			is_byte(t, f->value);
		}
		go(t, of_some ? (tcp ? "tcp-of" : "other-of") : (tcp ? "tcp" : "other"));
		close_rule(t);
	}
}

/* Where the addresses stand in their headers: RFC 791, 3.1; RFC 8200, 3. */
static const struct end {
	uint8_t nfproto, offset, len;
	const char *set;
} ends[] = {
	{ NFPROTO_IPV4, 12, 4, "ipv4" }, { NFPROTO_IPV4, 16, 4, "ipv4" },
	{ NFPROTO_IPV6, 8, 16, "ipv6" }, { NFPROTO_IPV6, 24, 16, "ipv6" },
};

static void rules_of_addrs(struct batch *t, const char *in, const char *to, const bool there[2])
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!there[ends[i].nfproto == NFPROTO_IPV6])
			continue;
		open_rule(t, in);
		load_meta(t, NFT_META_NFPROTO);
		is_byte(t, ends[i].nfproto);
		load_header(t, NFT_PAYLOAD_NETWORK_HEADER, ends[i].offset, ends[i].len);
		is_in(t, ends[i].set);
		go(t, to);
		close_rule(t);
	}
}

static void rules_of_rate(struct batch *t, const char *in, uint32_t rate)
{
	open_rule(t, in);
	limit(t, rate);
	trace(t);
	close_rule(t);
}

/* The sequence number of the message that asks for the table. */
static uint32_t build(struct batch *t, const struct trace_options *o)
{
	static const char *const regular[] = { "tcp", "other", "tcp-of", "other-of" };
	bool of_some = o->n_addrs, there[2] = { false };
	uint32_t seq;

	edge(t, NFNL_MSG_BATCH_BEGIN);
	table(t);
	seq = t->seq;
	for (size_t i = 0; i < (of_some ? 4 : 2); i++)
		chain(t, regular[i]);
	if (of_some) {
		set(t, "ipv4", 1, NFT_TYPE_IPV4, 4);
		there[0] = elements(t, "ipv4", o, 4);
		set(t, "ipv6", 2, NFT_TYPE_IPV6, 16);
		there[1] = elements(t, "ipv6", o, 6);
		rules_of_addrs(t, "tcp-of", "tcp", there);
		rules_of_addrs(t, "other-of", "other", there);
	}
	rules_of_rate(t, "tcp", o->rate);
	rules_of_rate(t, "other", o->rate);
	chain_at(t, "prerouting", NF_INET_PRE_ROUTING);
	chain_at(t, "output", NF_INET_LOCAL_OUT);
	rules_of_firsts(t, "prerouting", of_some);
	rules_of_firsts(t, "output", of_some);
	edge(t, NFNL_MSG_BATCH_END);
	return seq;
}

/* ── the kernel's answer ──────────────────────────────────────────────────── */

struct answer {
	bool given;
	int err;		/* the first error */
	uint32_t seq;		/* of the message that it is about */
};

/* Errors, each with the header that it answers; error 0: the table's message is done. */
static void take_answers(struct answer *a, const uint8_t *p, size_t n)
{
	struct part in = { p, n }, body;
	struct nlmsgerr e;
	struct nlmsghdr h;

	while (message_next(&in, &h, &body)) {
		if (h.nlmsg_type != NLMSG_ERROR || body.n < sizeof(e) || a->err)
			continue;
		memcpy(&e, body.p, sizeof(e));
		a->given = true;
		a->err = e.error;
		a->seq = e.msg.nlmsg_seq;
	}
}

/* The transaction is over when send() returns: what there is to say is in the socket then. */
static int commit(int fd, const struct batch *t, struct answer *a)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	uint8_t in[ANSWER];

	if (sendto(fd, t->b.p, t->b.n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	for (;;) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&from, &size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno != EAGAIN ? -errno : a->given ? a->err : -EPROTO;
		if (!from.nl_pid)
			take_answers(a, in, (size_t)n);
	}
}

static int failed(int rc, bool about_table)
{
	char missing[128];

	if (rc == -EPERM && caps_missing(NEED_NET_ADMIN, missing, sizeof(missing)))
		return fail(rc, "tracing rules: needs %s; %s", missing, caps_remedy(missing));
	/* Before it the flag is no flag. */
	if (about_table && (rc == -EINVAL || rc == -EOPNOTSUPP))
		return fail(0, "tracing rules: needs Linux 5.12: without, nobody would remove our table "
			       "if we were killed; use a newer kernel, or do without"), -EOPNOTSUPP;
	if (rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT)
		return fail(0, "tracing rules: this kernel has no nf_tables, so none of its rules either"), -EOPNOTSUPP;
	if (rc == -ENOENT)
		return fail(0, "tracing rules: this kernel's nf_tables lacks family inet or \"limit\""), -EOPNOTSUPP;
	return fail(rc, "tracing rules: cannot put a table into nf_tables");
}

int trace_put(int fd, const struct trace_options *o, char *name)
{
	struct answer a = { 0 };
	bool about_table = false, taken = true;
	int rc = 0;

	/*
	 * Another process of the same number, in a container that has this network too, has another table.  To ask for
	 * one that has another owner is not permitted.
	 */
	for (int i = 0; i < NAMES_TRIED && taken; i++) {
		struct batch t = { .table = name };
		uint32_t seq;

		if (i)
			snprintf(name, TRACE_NAME_MAX, TRACE_TABLE "%d-%d", (int)getpid(), i + 1);
		else
			snprintf(name, TRACE_NAME_MAX, TRACE_TABLE "%d", (int)getpid());
		a = (struct answer){ 0 };
		seq = build(&t, o);
		rc = t.b.full ? -ENOMEM : commit(fd, &t, &a);
		buf_free(&t.b);
		about_table = a.err && a.seq == seq;
		taken = about_table && (rc == -EEXIST || rc == -EPERM);
	}
	if (taken)
		return fail(EEXIST, "tracing rules: table %s", name);
	return rc ? failed(rc, about_table) : 0;
}
