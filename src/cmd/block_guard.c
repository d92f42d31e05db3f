// SPDX-License-Identifier: GPL-2.0-or-later
/* Who must not be cut off: sessions, and what an address and a neighbour are found by.  The reference judges. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/block_near.h"
#include "numbers/ipproto.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { A_PORT = 50000 };

/* Addresses that stand for whoever is not known (RFC 5737, 3849). */
static const struct addr somebody[] = { { .family = 4, .b = { 203, 0, 113, 253 } },
					{ .family = 6, .b = { 0x20, 1, 0xd, 0xb8, [15] = 0xfd } } };

/* A segment of a session, the way that this hook sees: from there to us, or from us to there. */
static void as_facts(const struct block_run *b, const struct peer *peer, const struct above_device *own,
		     const struct hop *hop, struct facts *f)
{
	bool out = b->hook == PIN_EGRESS;
	const struct addr *src = out ? &peer->local : &peer->remote, *dst = out ? &peer->remote : &peer->local;
	int lport = peer->lport ? peer->lport : b->peers.ports[0], rport = peer->rport ? peer->rport : A_PORT;

	memset(f, 0, sizeof(*f));
	f->family = peer->remote.family;
	memcpy(f->src, src->b, 16);
	memcpy(f->dst, dst->b, 16);
	f->proto = peer->udp ? PROTO_UDP : PROTO_TCP;
	f->sport = out ? lport : rport;
	f->dport = out ? rport : lport;
	f->icmp_type = -1;
	f->first = true;
	f->has_mac = own && own->has_mac;
	if (own)
		memcpy(out ? f->smac : f->dmac, own->mac, 6);
	if (hop)
		memcpy(out ? f->dmac : f->smac, hop->mac, 6);
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

/* way: where that is not the one that packets take now, a sentence. */
static int refuse_way(const struct block_run *b, const struct verdict *v, const char *whom, const char *way)
{
	char rule[200];

	print_rule(b, v->rule, rule, sizeof(rule));
	fail(0, "refused: it would cut off %s (%s).  %sNothing was changed; --force-lockout insists", whom, rule, way);
	return -ECANCELED;
}

static int refuse(const struct block_run *b, const struct verdict *v, const char *whom)
{
	return refuse_way(b, v, whom, "");
}

/* What shares a rate with all others, or has one that no session can live with, is as good as cut off. */
static bool chokes(const struct np_rule *rule)
{
	enum { LEAST_PACKETS = 10000, LEAST_BYTES = 8000000 };	/* thousandths a second */
	bool bytes = rule->flags & NP_RULE_BYTES;

	return rule->flags & NP_RULE_SHARED || rule->rate < (bytes ? LEAST_BYTES : LEAST_PACKETS) ||
	       rule->burst < (bytes ? 4500 : 5);
}

static bool cuts(const struct verdict *v)
{
	return v->drop || (v->reason == NP_R_LIMIT_PASS && chokes(v->rule));
}

/* "WHAT the session from ADDRESS, known by HOW" */
static int refuse_session(const struct block_run *b, const struct verdict *v, const char *what,
			  const struct peer *peer, const char *way)
{
	char whom[200], from[ADDR_TEXT_MAX + 1];

	from[addr_text(from, &peer->remote)] = '\0';
	snprintf(whom, sizeof(whom), "%sthe session from %s, known by %s", what, from, peer->how);
	return refuse_way(b, v, whom, way);
}

/* Routes change, and packets need not come the way that answers go: a session elsewhere is judged all the same. */
static void tell_way(const struct near *n, const struct hop *hop, char *way, size_t size)
{
	char other[IF_NAMESIZE];

	if (n->above.n == ABOVE_MAX || !hop->ifindex || above_device(&n->above, hop->ifindex))
		return;
	if (if_indextoname(hop->ifindex, other))
		snprintf(way, size, "Its route is by %s now, and it could be by %s all the same.  ", other,
			 n->b->place.ifname);
}

static int check_session(const struct near *n, const struct peer *peer, const struct hop *hop)
{
	const struct block_run *b = n->b;
	char way[2 * IF_NAMESIZE + 64] = "";
	struct facts f;
	struct verdict v;

	as_facts(b, peer, near_own(n, hop->ifindex), hop, &f);
	v = rules_match(&b->rules, &f, NULL, b->now_ns);
	if (!cuts(&v))
		return 0;
	tell_way(n, hop, way, sizeof(way));
	return refuse_session(b, &v, "", peer, way);
}

/* Where it is not known which of our addresses it came to, it may be any. */
static int check_peer(const struct near *n, const struct peer *peer, const struct hop *hop)
{
	const struct locals *l = &n->locals;
	struct peer p = *peer;
	bool checked = false;
	int err = 0;

	for (unsigned int i = 0; !peer->local.family && i < l->n && !err; i++) {
		if (l->v[i].family != peer->remote.family)
			continue;
		p.local = l->v[i];
		err = check_session(n, &p, hop);
		checked = true;
	}
	return checked || err ? err : check_session(n, &p, hop);
}

/* What the link of sessions needs, or that of whoever comes next. */
static int check_needs(const struct near *n, bool of_sessions)
{
	const struct block_run *b = n->b;

	for (unsigned int i = 0; i < n->n; i++) {
		const struct need *need = &n->needs[i];
		struct verdict v = rules_match(&b->rules, &need->f, NULL, b->now_ns);

		if (cuts(&v) && (need->peer != NULL) == of_sessions)
			return of_sessions ? refuse_session(b, &v, need->what, need->peer, "") :
					     refuse(b, &v, need->what);
	}
	return 0;
}

/* It is about an address that was made up for who is there, and not about us. */
static bool is_about_there(const struct block_run *b, const struct np_rule *rule, const struct facts *f)
{
	struct np_rule there = { 0 };

	if (!rule || rule->plen <= 8)
		return false;
	there = *rule;
	there.dir &= b->hook == PIN_EGRESS ? NP_DST : NP_SRC;
	return rule_covers(&there, f, b->now_ns);
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
	enum { MADE_UP = 1 };		/* nobody knows who serves here */
	static const char *const names[] = { "DHCP requests", "DHCP replies", "DHCPv6", "neighbour discovery",
					     "router advertisements" };

	for (size_t i = 0; i < sizeof(basics) / sizeof(basics[0]); i++) {
		struct verdict v = rules_match(&b->rules, &basics[i], NULL, b->now_ns);

		if (cuts(&v) && !(i == MADE_UP && is_about_there(b, v.rule, &basics[i])))
			return refuse(b, &v, names[i]);
	}
	return 0;
}

/* A new connection to a failsafe port, from whom nothing is known; of what leaves, its answer. */
static int check_port(const struct near *n, const struct addr *local, uint16_t port)
{
	const struct block_run *b = n->b;
	struct peer peer = { .local = *local, .remote = somebody[local->family == 6], .lport = port };
	struct facts f;
	struct verdict v;
	char whom[80];

	as_facts(b, &peer, near_own_of(n, local), NULL, &f);
	v = rules_match(&b->rules, &f, NULL, b->now_ns);
	if (!cuts(&v) || is_about_there(b, v.rule, &f))
		return 0;
	snprintf(whom, sizeof(whom), "%s port %d, where sshd listens",
		 b->hook == PIN_EGRESS ? "what answers from" : "new connections to", port);
	return refuse(b, &v, whom);
}

static int check_failsafe(const struct near *n)
{
	const struct peers *peers = &n->b->peers;
	const struct locals *l = &n->locals;
	static const struct addr any[] = { { .family = 4, .b = { 203, 0, 113, 1 } }, { .family = 6 } };
	int err = 0;

	for (unsigned int p = 0; p < peers->n_ports && !err; p++) {
		for (unsigned int i = 0; i < 2 && !err; i++)
			err = check_port(n, &any[i], peers->ports[p]);
		for (unsigned int i = 0; i < l->n && !err; i++)
			err = check_port(n, &l->v[i], peers->ports[p]);
	}
	return err;
}

/* ── of a long list, the few entries that can matter ──────────────────────── */

static bool covers(const struct np_rule *rule, const struct addr *a)
{
	struct np_rule bare = *rule;
	struct facts f = { .family = a->family };

	bare.flags = 0;
	memcpy(f.src, a->b, 16);
	memcpy(f.dst, a->b, 16);
	return rule_covers(&bare, &f, 0);
}

/* All but those long prefixes that are about the other end alone, and about nobody who is asked about. */
static bool matters(const struct near *n, const struct np_rule *rule)
{
	const struct peers *peers = &n->b->peers;
	bool out = n->b->hook == PIN_EGRESS, is_known = false;

	if (rule->kind == NP_KIND_MAC || rule->plen <= 10 || rule->dir & (out ? NP_SRC : NP_DST))
		return true;
	for (int i = 0; i < 2 && !is_known; i++)
		is_known = covers(rule, &somebody[i]);
	for (unsigned int i = 0; i < peers->n && !is_known; i++)
		is_known = covers(rule, &peers->v[i].remote);
	for (unsigned int i = 0; i < n->n_theirs && !is_known; i++)
		is_known = covers(rule, &n->theirs[i]);
	return is_known;
}

static int check_sessions(const struct near *n)
{
	const struct peers *peers = &n->b->peers;
	int err = 0;

	for (unsigned int i = 0; i < peers->n && !err; i++)
		err = check_peer(n, &peers->v[i], &n->hops[i]);
	return err ? err : check_needs(n, true);
}

static int check_newcomers(const struct near *n)
{
	int err = check_failsafe(n);

	return err ? err : check_needs(n, false);
}

/* ── when entries end ─────────────────────────────────────────────────────── */

enum { TIMES_MAX = 256 };

/* The next time at which one ends; 0: none does any more. */
static uint64_t next_end(const struct block_run *b, uint64_t now_ns)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < b->rules.n; i++) {
		const struct np_rule *rule = &b->rules.v[i];

		if (rule->flags & NP_RULE_EXPIRES && rule->expires_ns > now_ns && (!next || rule->expires_ns < next))
			next = rule->expires_ns;
	}
	return next;
}

/* An entry that lets a session pass may end before the one that would cut it off. */
static int check_always(const struct near *n, struct block_run *b, int (*check)(const struct near *n))
{
	uint64_t now_ns = b->now_ns, then;
	int err = check(n);

	for (int i = 0; i < TIMES_MAX && !err && (then = next_end(b, b->now_ns)); i++) {
		b->now_ns = i == TIMES_MAX - 1 ? UINT64_MAX : then;
		err = check(n);
	}
	b->now_ns = now_ns;
	return err;
}

static int check_basics_always(struct block_run *b)
{
	uint64_t now_ns = b->now_ns;
	int err = check_basics(b);

	if (!err && next_end(b, now_ns)) {
		b->now_ns = UINT64_MAX;
		err = check_basics(b);
		b->now_ns = now_ns;
	}
	return err;
}

/* Sessions first: they are named. */
static int check_all(const struct near *n, struct block_run *b)
{
	struct rules all = b->rules, few = b->rules;
	owned_mem struct np_rule *v = malloc((all.n ? all.n : 1) * sizeof(*v));
	int err;

	if (!v)
		return fail(ENOMEM, "entries");
	few.v = v;
	few.n = 0;
	for (uint32_t i = 0; i < all.n; i++)
		if (matters(n, &all.v[i]))
			v[few.n++] = all.v[i];
	b->rules = few;
	err = check_always(n, b, check_sessions);
	b->rules = all;
	if (!err)
		err = check_basics_always(b);
	b->rules = few;
	if (!err)
		err = check_always(n, b, check_newcomers);
	b->rules = all;
	return err;
}

int block_guard(struct block_run *b)
{
	struct near *n;
	int err;

	b->rules.egress = b->hook == PIN_EGRESS;
	if (!strcmp(b->place.ifname, "lo"))
		return fail(0, "refused: lo is how this machine talks to itself"), -ECANCELED;
	if (b->o->force)
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return fail(ENOMEM, "neighbours of sessions");
	err = near_find(n, b);
	if (!err)
		err = check_all(n, b);
	near_close(n);
	return err;
}
