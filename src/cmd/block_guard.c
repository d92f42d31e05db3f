// SPDX-License-Identifier: GPL-2.0-or-later
/* Who must not be cut off: sessions, and what an address and a neighbour are found by.  The reference judges. */
#include <errno.h>
#include <string.h>

#include "cmd/block.h"
#include "numbers/ipproto.h"
#include "util/err.h"

static void as_facts(const struct block_run *b, const struct peer *peer, struct facts *f)
{
	bool out = b->hook == PIN_EGRESS;
	const struct addr *src = out ? &peer->local : &peer->remote, *dst = out ? &peer->remote : &peer->local;

	memset(f, 0, sizeof(*f));
	f->family = peer->remote.family;
	memcpy(f->src, src->b, 16);
	memcpy(f->dst, dst->b, 16);
	f->proto = PROTO_TCP;
	f->sport = out ? peer->lport : peer->rport;
	f->dport = out ? peer->rport : peer->lport;
	f->icmp_type = -1;
	f->first = true;
}

static void print_rule(const struct block_run *b, const struct np_rule *rule, char *out, size_t size)
{
	struct buf t = { 0 };

	if (rule)
		rule_print(&t, &b->rules, rule, b->now_ns);
	else
		buf_lit(&t, "nothing allows it");
	snprintf(out, size, "%.*s", (int)t.n, t.p ? t.p : "");
	buf_free(&t);
}

static int refuse(const struct block_run *b, const struct verdict *v, const char *whom)
{
	char rule[200];

	print_rule(b, v->rule, rule, sizeof(rule));
	fail(0, "refused: it would cut off %s (%s).  Nothing was changed; --force-lockout insists", whom, rule);
	return -ECANCELED;
}

static bool cuts(const struct verdict *v)
{
	return v->drop || v->reason == NP_R_LIMIT_PASS;
}

static int check_peer(const struct block_run *b, const struct peer *peer)
{
	struct buf t = { 0 };
	struct facts f;
	struct verdict v;
	char whom[160];

	as_facts(b, peer, &f);
	if (!f.dport && b->hook != PIN_EGRESS)
		f.dport = b->peers.ports[0];
	v = rules_match(&b->rules, &f, NULL, b->now_ns);
	if (!v.drop)
		return 0;
	addr_print(&t, &peer->remote);
	snprintf(whom, sizeof(whom), "the session from %.*s, known by %s", (int)t.n, t.p, peer->how);
	buf_free(&t);
	return refuse(b, &v, whom);
}

/* What no machine can do without; DHCP's messages by RFC 2131 and 8415, neighbours' by RFC 4861. */
static int check_basics(const struct block_run *b)
{
	static const struct facts basics[] = {
		{ .family = 4, .dst = { 255, 255, 255, 255 }, .first = true,
		  .proto = PROTO_UDP, .sport = 68, .dport = 67 },
		{ .family = 4, .src = { 203, 0, 113, 254 }, .dst = { 255, 255, 255, 255 }, .first = true,
		  .proto = PROTO_UDP, .sport = 67, .dport = 68 },
		{ .family = 6, .src = { 0xfe, 0x80, [15] = 1 }, .dst = { 0xff, 2, [15] = 1 }, .first = true,
		  .proto = PROTO_UDP, .sport = 547, .dport = 546 },
		{ .family = 6, .src = { 0xfe, 0x80, [15] = 1 }, .dst = { 0xff, 2, [15] = 1 }, .first = true,
		  .proto = PROTO_ICMPV6, .dport = -1, .icmp_type = 135 },
		{ .family = 6, .src = { 0xfe, 0x80, [15] = 1 }, .dst = { 0xff, 2, [15] = 1 }, .first = true,
		  .proto = PROTO_ICMPV6, .dport = -1, .icmp_type = 134 },
	};
	static const char *const names[] = { "DHCP requests", "DHCP replies", "DHCPv6", "neighbour discovery",
					     "router advertisements" };

	for (size_t i = 0; i < sizeof(basics) / sizeof(basics[0]); i++) {
		struct verdict v = rules_match(&b->rules, &basics[i], NULL, b->now_ns);

		if (cuts(&v))
			return refuse(b, &v, names[i]);
	}
	return 0;
}

/* New connections to the failsafe ports, from whom nothing is known. */
static int check_failsafe(const struct block_run *b)
{
	static const struct facts from[] = {
		{ .family = 4,
		  .src = { 203, 0, 113, 253 },
		  .dst = { 203, 0, 113, 1 },
		  .proto = PROTO_TCP,
		  .icmp_type = -1,
		  .first = true },
		{ .family = 6,
		  .src = { 0x20, 1, 0xd, 0xb8, [15] = 0xfd },
		  .proto = PROTO_TCP,
		  .icmp_type = -1,
		  .first = true },
	};
	char whom[80];

	for (unsigned int i = 0; b->hook != PIN_EGRESS && i < 2 * b->peers.n_ports; i++) {
		struct facts f = from[i & 1];
		struct verdict v;

		f.dport = b->peers.ports[i / 2];
		v = rules_match(&b->rules, &f, NULL, b->now_ns);
		if (!v.drop || (v.rule && v.rule->plen > 8))
			continue;
		snprintf(whom, sizeof(whom), "new connections to port %d, where sshd listens", f.dport);
		return refuse(b, &v, whom);
	}
	return 0;
}

int block_guard(struct block_run *b)
{
	int err = 0;

	if (b->o->force)
		return 0;
	if (!strcmp(b->place.ifname, "lo"))
		return fail(0, "refused: lo is how this machine talks to itself; --force-lockout insists"), -ECANCELED;
	for (unsigned int i = 0; i < b->peers.n && !err; i++)
		err = check_peer(b, &b->peers.v[i]);
	if (!err)
		err = check_basics(b);
	return err ? err : check_failsafe(b);
}
