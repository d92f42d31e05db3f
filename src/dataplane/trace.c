// SPDX-License-Identifier: GPL-2.0-or-later
/* The socket that owns the table and hears of the packets; see trace_table.c, trace_message.c and trace_paths.c. */
#include "dataplane/trace.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "dataplane/trace_parts.h"
#include "util/cleanup.h"
#include "util/err.h"

/* The kernel's messages have at most three names of 256 bytes and some headers. */
enum { DATAGRAM = 4096, AT_ONCE = 512, QUEUE = 4 << 20 };

struct rule_trace {
	int fd;
	char table[TRACE_NAME_MAX];
	struct trace_paths *paths;
	uint8_t in[DATAGRAM];
};

static int check(const struct trace_options *o)
{
	if (!o->rate || o->rate > TRACE_RATE_MAX)
		return fail(0, "tracing rules: 1 to %d packets a second", TRACE_RATE_MAX);
	if (o->n_addrs > TRACE_ADDRS_MAX)
		return fail(0, "tracing rules: at most %d addresses", TRACE_ADDRS_MAX);
	if (o->room > TRACE_ROOM_MAX)
		return fail(0, "tracing rules: at most %d packets at once", TRACE_ROOM_MAX);
	for (unsigned int i = 0; i < o->n_addrs; i++)
		if (o->addrs[i].family != 4 && o->addrs[i].family != 6)
			return fail(0, "tracing rules: address %u is none", i + 1);
	return 0;
}

/* Of packets that are traced before it listens the rest is of no known packet: others. */
static int start(struct rule_trace *t, const struct trace_options *o)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTRACE, size = QUEUE, rc;

	t->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (t->fd < 0 && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT))
		return fail(0, "tracing rules: this kernel has no nf_tables, so none of its rules either"), -EOPNOTSUPP;
	if (t->fd < 0 || bind(t->fd, (struct sockaddr *)&self, sizeof(self)))
		return fail(errno, "tracing rules: netlink");
	if (setsockopt(t->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	rc = trace_put(t->fd, o, t->table);
	if (rc)
		return rc;
	if (setsockopt(t->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return fail(errno, "tracing rules: cannot listen");
	return paths_open(&t->paths, o, t->table);
}

int trace_open(struct rule_trace **out, const struct trace_options *o)
{
	struct rule_trace *t;
	int rc = check(o);

	*out = NULL;
	if (rc)
		return rc;
	t = calloc(1, sizeof(*t));
	if (!t)
		return fail(ENOMEM, "tracing rules");
	t->fd = -1;
	rc = start(t, o);
	if (rc)
		trace_close(t);
	else
		*out = t;
	return rc;
}

int trace_fd(const struct rule_trace *t)
{
	return t->fd;
}

const char *trace_table(const struct rule_trace *t)
{
	return t->table;
}

int trace_read(struct rule_trace *t, uint64_t now_ns)
{
	int rc = 0;

	for (int i = 0; i < AT_ONCE && !rc; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(t->fd, t->in, sizeof(t->in), MSG_DONTWAIT, (struct sockaddr *)&from, &size);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno == ENOBUFS)
			paths_overrun(t->paths);
		else if (n < 0 && errno != EINTR)
			return fail(errno, "tracing rules: netlink");
		/* Only the kernel (port 0) is listened to.  What is cut off is told as broken by its length. */
		if (n > 0 && !from.nl_pid)
			rc = paths_datagram(t->paths, t->in, (size_t)n, now_ns);
	}
	return rc ? rc : paths_tick(t->paths, now_ns);
}

int trace_tick(struct rule_trace *t, uint64_t now_ns)
{
	return paths_tick(t->paths, now_ns);
}

int trace_finish(struct rule_trace *t)
{
	return paths_finish(t->paths);
}

void trace_counts(const struct rule_trace *t, struct trace_counts *out)
{
	paths_counts(t->paths, out);
}

void trace_close(struct rule_trace *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	paths_close(t->paths);
	free(t);
}

const struct nf_rule *trace_rule(const struct nf_rules *r, const struct rule_step *s)
{
	const struct nf_chain *c = NULL;

	if (s->kind == TRACE_RULE)
		c = nf_chain_find(r, NF_TABLES, s->family, s->table, s->chain);
	for (uint32_t i = 0; c && i < c->n; i++)
		if (r->rules[c->first + i].handle == s->handle)
			return &r->rules[c->first + i];
	return NULL;
}
