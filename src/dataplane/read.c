// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet filter's rules as bytes, from the kernel: netlink dumps, and the socket options of iptables-legacy. */
#include "dataplane/rules.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "dataplane/attr.h"
#include "util/buf.h"
#include "util/bytes.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

/* The kernel's datagrams of a dump have 32 KiB at most; a rule can be larger, and then is alone in one. */
enum { TRIES = 10, PAUSE_MS = 20, DATAGRAM = 256 << 10, ALIGNED = 4 };

/* ── nf_tables ────────────────────────────────────────────────────────────── */

struct dump {
	struct buf *to;
	uint32_t seq;
	bool done, changed;
	int err;		/* what the kernel answered */
};

static int error_of(const struct nlmsghdr *h, const uint8_t *p)
{
	int32_t err = 0;

	if (h->nlmsg_len >= sizeof(*h) + sizeof(err))
		memcpy(&err, p + sizeof(*h), sizeof(err));
	return err;
}

/* The messages of one datagram, which is of answers to the request alone. */
static void take_datagram(struct dump *d, const uint8_t *p, size_t n)
{
	struct nlmsghdr h;

	while (n >= sizeof(h) && !d->done) {
		size_t step;

		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n)
			break;
		d->changed |= h.nlmsg_flags & NLM_F_DUMP_INTR;
		d->done = h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR || !(h.nlmsg_flags & NLM_F_MULTI);
		if (h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR)
			d->err = error_of(&h, p);
		else
			buf_add(d->to, p, h.nlmsg_len);
		while (d->to->n % ALIGNED && !d->to->full)
			buf_chr(d->to, 0);
		step = NLMSG_ALIGN((size_t)h.nlmsg_len) < n ? NLMSG_ALIGN((size_t)h.nlmsg_len) : n;
		p += step;
		n -= step;
	}
}

struct request {
	struct nlmsghdr h;
	struct nfgenmsg m;
	uint8_t attributes[2 * (NLA_HDRLEN + NF_TEXT_MAX)];
};

/* One request and all its answers, to the end of d->to.  0 or -errno, not said. */
static int send_request(int fd, struct request *q, struct dump *d)
{
	owned_mem uint8_t *buf = malloc(DATAGRAM);

	if (!buf)
		return -ENOMEM;
	q->h.nlmsg_seq = ++d->seq;
	d->done = false;
	d->err = 0;
	if (send(fd, q, q->h.nlmsg_len, 0) < 0)
		return errno == EINTR || errno == ENOBUFS ? -EAGAIN : -errno;
	while (!d->done && !d->to->full) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, buf, DATAGRAM, MSG_TRUNC, (struct sockaddr *)&from, &size);

		/* Only the kernel (port 0) is listened to. */
		if ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid))
			continue;
		if (n < 0)
			return errno == ENOBUFS ? -EAGAIN : -errno;
		if (!n || n > DATAGRAM)
			return n ? -EMSGSIZE : -EPIPE;
		take_datagram(d, buf, (size_t)n);
	}
	return d->err;
}

static int ask(int fd, uint8_t what, uint16_t flags, struct dump *d)
{
	struct request q = {
		.h = { .nlmsg_len = offsetof(struct request, attributes), .nlmsg_flags = NLM_F_REQUEST | flags,
		       .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | what },
		.m = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
	};

	return send_request(fd, &q, d);
}

/* ── maps of verdicts ── */

static void put_text(struct request *q, uint16_t type, struct part text)
{
	struct nlattr h = { .nla_len = (uint16_t)(NLA_HDRLEN + text.n), .nla_type = type };
	uint8_t *to = (uint8_t *)q + q->h.nlmsg_len;

	memcpy(to, &h, sizeof(h));
	memcpy(to + NLA_HDRLEN, text.p, text.n);
	q->h.nlmsg_len += NLA_ALIGN(NLA_HDRLEN + (uint32_t)text.n);
}

/* The request for the elements of the set that a message tells of; false: it is no map of verdicts. */
static bool elements_of(const struct nlmsghdr *h, struct part body, struct request *q)
{
	struct part a[NFTA_SET_DATA_TYPE + 1], table, name;

	*q = (struct request){
		.h = { .nlmsg_len = offsetof(struct request, attributes), .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM },
		.m = { .version = NFNETLINK_V0 },
	};
	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET) || body.n < sizeof(q->m))
		return false;
	q->m.nfgen_family = body.p[offsetof(struct nfgenmsg, nfgen_family)];
	if (!attr_split((struct part){ body.p + sizeof(q->m), body.n - sizeof(q->m) }, a, sizeof(a) / sizeof(a[0])))
		return false;
	table = a[NFTA_SET_TABLE];
	name = a[NFTA_SET_NAME];
	if (!table.n || table.n > NF_TEXT_MAX || !name.n || name.n > NF_TEXT_MAX ||
	    a[NFTA_SET_DATA_TYPE].n < 4 || be32(a[NFTA_SET_DATA_TYPE].p) != NFT_DATA_VERDICT)
		return false;
	put_text(q, NFTA_SET_ELEM_LIST_TABLE, table);
	put_text(q, NFTA_SET_ELEM_LIST_SET, name);
	return true;
}

/* The sets, of which nothing stays, and the elements of those that are maps of verdicts; of NF_MAPS_MAX of them. */
static int ask_maps(int fd, struct dump *d)
{
	struct buf sets = { .max = NF_RAW_MAX };
	struct dump of_sets = { .to = &sets, .seq = d->seq };
	int rc = ask(fd, NFT_MSG_GETSET, NLM_F_DUMP, &of_sets);
	struct part left = { (const uint8_t *)sets.p, sets.n }, body;
	struct nlmsghdr h;
	struct request q;

	d->seq = of_sets.seq;
	d->changed |= of_sets.changed;
	for (unsigned int n = 0; !rc && n < NF_MAPS_MAX && message_next(&left, &h, &body);) {
		if (!elements_of(&h, body, &q))
			continue;
		n++;
		rc = send_request(fd, &q, d);
		/* It went away between. */
		d->changed |= rc == -ENOENT;
		rc = rc == -ENOENT ? 0 : rc;
	}
	buf_free(&sets);
	return rc;
}

/* What a kernel without it answers. */
static bool is_absent(int rc)
{
	return rc == -EPROTONOSUPPORT || rc == -EINVAL || rc == -ENOENT || rc == -EOPNOTSUPP || rc == -ENOPROTOOPT ||
	       rc == -EAFNOSUPPORT;
}

/*
 * Generation, tables, chains, rules, elements of maps and the generation again, of which only the first stays: so
 * nothing was changed between.  -EAGAIN: it was; -ENOSYS: a kernel without it.
 */
static int read_once(struct buf *to)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	owned_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct dump d = { .to = to };
	size_t first, last;
	int rc;

	to->n = 0;
	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)))
		return is_absent(-errno) ? -ENOSYS : -errno;
	/* Only this one says that there is no nf_tables; afterwards it has no such excuse. */
	rc = ask(fd, NFT_MSG_GETGEN, 0, &d);
	if (is_absent(rc))
		return -ENOSYS;
	first = to->n;
	if (!rc)
		rc = ask(fd, NFT_MSG_GETTABLE, NLM_F_DUMP, &d);
	if (!rc)
		rc = ask(fd, NFT_MSG_GETCHAIN, NLM_F_DUMP, &d);
	if (!rc)
		rc = ask(fd, NFT_MSG_GETRULE, NLM_F_DUMP, &d);
	if (!rc && !to->full)
		rc = ask_maps(fd, &d);
	last = to->n;
	if (!rc && !d.changed && !to->full) {
		rc = ask(fd, NFT_MSG_GETGEN, 0, &d);
		/* Their headers have another number; the rest is of whoever changed it last. */
		d.changed = first < sizeof(struct nlmsghdr) || to->n - last != first ||
			    memcmp(to->p + sizeof(struct nlmsghdr), to->p + last + sizeof(struct nlmsghdr),
				   first - sizeof(struct nlmsghdr));
		to->n = last;
	}
	return rc ? rc : d.changed && !to->full ? -EAGAIN : 0;
}

static int failed(int rc, const char *what)
{
	char missing[128];

	if (rc == -EPERM && caps_missing(NEED_NET_ADMIN, missing, sizeof(missing)))
		return fail(rc, "%s: needs %s; %s", what, missing, caps_remedy(missing));
	if (rc == -EAGAIN)
		return fail(0, "%s: they changed whenever they were read", what), -EAGAIN;
	return fail(rc, "%s", what);
}

static void pause_before(int i)
{
	const struct timespec t = { .tv_nsec = PAUSE_MS * 1000000 };

	if (i)
		nanosleep(&t, NULL);
}

int nf_read_netlink(struct nf_raw *out)
{
	struct buf to = { .max = NF_RAW_MAX };
	int rc = -EAGAIN;

	*out = (struct nf_raw){ 0 };
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++) {
		pause_before(i);
		rc = read_once(&to);
	}
	if (rc || !to.n) {
		buf_free(&to);
		return !rc || rc == -ENOSYS ? 0 : failed(rc, "rules of nf_tables");
	}
	*out = (struct nf_raw){ .bytes = to.p, .n = to.n, .cut = to.full };
	return (int)out->n;
}

/* ── iptables-legacy ──────────────────────────────────────────────────────── */

/* Is the table there?  A line of its name; an absent file: no tables at all. */
static int has_table(uint8_t family, const char *table)
{
	const char *path = family == AF_INET6 ? "/proc/thread-self/net/ip6_tables_names" :
						"/proc/thread-self/net/ip_tables_names";
	FILE *f = fopen(path, "re");
	char line[64];
	bool found = false;

	if (!f)
		return errno == ENOENT ? 0 : -errno;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strcmp(line, table);
	}
	fclose(f);
	return found;
}

/* IPv6 has the same options and structs, but for the entries: IP6T_SO_GET_INFO is IPT_SO_GET_INFO. */
_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "structs");

/* The entries follow the name and the size; then they move behind the info, and stay where they are. */
static int read_table(int fd, int level, const char *table, struct nf_raw *out)
{
	const size_t head = offsetof(struct ipt_get_entries, entrytable);
	struct ipt_getinfo info = { 0 };
	struct ipt_get_entries ask = { 0 };
	socklen_t n = sizeof(info);
	owned_mem uint8_t *bytes = NULL;

	snprintf(info.name, sizeof(info.name), "%s", table);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &n))
		return -errno;
	if (info.size > NF_RAW_MAX) {
		out->cut = true;
		return 0;
	}
	/* The kernel leaves what stands behind a match's or target's name: two readings would differ there. */
	bytes = calloc(1, sizeof(info) + head + info.size);
	if (!bytes)
		return -ENOMEM;
	snprintf(ask.name, sizeof(ask.name), "%s", table);
	ask.size = info.size;
	memcpy(bytes, &ask, head);
	n = (socklen_t)(head + info.size);
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, bytes, &n))
		return -errno;
	memmove(bytes + sizeof(info), bytes + head, info.size);
	memcpy(bytes, &info, sizeof(info));
	*out = (struct nf_raw){ .bytes = take(bytes), .n = sizeof(info) + info.size };
	return 0;
}

int nf_read_legacy(struct nf_raw *out, uint8_t family, const char *table)
{
	int rc = has_table(family, table), level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	owned_fd int fd = -1;

	*out = (struct nf_raw){ 0 };
	if (!rc)
		return 0;
	if (rc > 0) {
		fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		rc = fd < 0 ? -errno : -EAGAIN;
	}
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++) {
		pause_before(i);
		rc = read_table(fd, level, table, out);
	}
	if (rc)
		return failed(rc == -EACCES ? -EPERM : rc, "rules of iptables");
	return (int)out->n;
}
