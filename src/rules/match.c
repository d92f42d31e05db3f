// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers/ipproto.h"
#include "rules/match.h"

#include <string.h>

static bool in_prefix(const uint8_t *prefix, unsigned int plen, const uint8_t *addr)
{
	unsigned int whole = plen / 8, rest = plen % 8;

	if (memcmp(prefix, addr, whole))
		return false;
	return !rest || !((prefix[whole] ^ addr[whole]) & (0xff00 >> rest) & 0xff);
}

static bool covers_one(const struct np_rule *rule, const struct facts *f, bool source)
{
	if (rule->kind == NP_KIND_MAC)
		return f->has_mac && !memcmp(rule->addr, source ? f->smac : f->dmac, 6);
	return rule->kind == f->family && in_prefix(rule->addr, rule->plen, source ? f->src : f->dst);
}

bool rule_covers(const struct np_rule *rule, const struct facts *f, uint64_t now_ns)
{
	if (!(rule->dir & NP_SRC && covers_one(rule, f, true)) && !(rule->dir & NP_DST && covers_one(rule, f, false)))
		return false;
	if (rule->flags & NP_RULE_PROTO && f->proto != rule->proto)
		return false;
	if (rule->flags & NP_RULE_PORT && (f->dport < rule->port_lo || f->dport > rule->port_hi))
		return false;
	return !(rule->flags & NP_RULE_EXPIRES) || now_ns < rule->expires_ns;
}

static bool beats(const struct np_rule *a, const struct np_rule *b)
{
	if (!b || (a->action == NP_ALLOW) != (b->action == NP_ALLOW))
		return !b || a->action == NP_ALLOW;
	return rule_rank(a) > rule_rank(b);	/* of equals the first, which is the older one */
}

static const struct np_rule *decides(const struct rules *r, const struct facts *f, uint64_t now_ns)
{
	const struct np_rule *best = NULL;

	for (uint32_t i = 0; i < r->n; i++)
		if (rule_covers(&r->v[i], f, now_ns) && beats(&r->v[i], best))
			best = &r->v[i];
	return best;
}

/* What keeps a machine reachable, where everything not allowed is dropped: RFC 4861's five messages, those of multicast
 * listeners (RFC 2710, 3810: a switch that is told of none stops passing on the questions of neighbours), DHCP, and
 * connections to the failsafe ports, or their answers. */
static bool failsafe(const struct rules *r, const struct facts *f)
{
	if (f->family == NP_KIND_V6 && f->proto == PROTO_ICMPV6)
		return (f->icmp_type >= 130 && f->icmp_type <= 137) || f->icmp_type == 143;
	if (f->proto == PROTO_UDP)
		return (f->family == NP_KIND_V4 && (f->dport == 67 || f->dport == 68)) ||
		       (f->family == NP_KIND_V6 && (f->dport == 546 || f->dport == 547));
	for (unsigned int i = 0; f->proto == PROTO_TCP && i < r->n_failsafe; i++)
		if ((r->egress ? f->sport : f->dport) == r->failsafe[i])
			return true;
	return false;
}

/* No entry decides. */
static struct verdict otherwise(const struct rules *r, const struct facts *f)
{
	struct verdict v = { .reason = f->reason };

	if (r->mode == NP_MODE_BLOCK || f->reason == NP_R_NOT_IP)
		return v;
	if (r->mode == NP_MODE_DENY && failsafe(r, f)) {
		v.reason = NP_R_FAILSAFE;
		return v;
	}
	v.drop = r->mode == NP_MODE_DENY;
	if (v.reason == NP_R_NONE)
		v.reason = NP_R_NOT_PERMITTED;
	return v;
}

static struct verdict by_entry(const struct np_rule *rule)
{
	static const uint8_t reasons[] = { [NP_DROP] = NP_R_DROP, [NP_AUDIT] = NP_R_AUDIT,
					   [NP_LIMIT] = NP_R_LIMIT_PASS, [NP_ALLOW] = NP_R_ALLOW };

	return (struct verdict){ .drop = rule->action == NP_DROP, .reason = reasons[rule->action], .rule = rule };
}

/* RFC 791 tells datagrams apart by the protocol too, RFC 8200 does not. */
static int frag_proto(const struct facts *f)
{
	return f->family == NP_KIND_V4 ? f->proto : 0;
}

static int find_seen(const struct seen *s, const struct facts *f, uint64_t now_ns)
{
	for (uint32_t i = s->n; i-- > 0;) {
		if (s->v[i].id == f->frag_id && s->v[i].family == f->family && s->v[i].proto == frag_proto(f) &&
		    !memcmp(s->v[i].src, f->src, 16) && !memcmp(s->v[i].dst, f->dst, 16))
			return now_ns - s->v[i].ns < (uint64_t)NP_FRAG_SECONDS * 1000000000 ? (int)i : -1;
	}
	return -1;
}

static void remember(struct seen *s, const struct rules *r, const struct facts *f, const struct verdict *v,
		     uint64_t now_ns)
{
	uint32_t i = s->n < SEEN_MAX ? s->n++ : 0;

	memcpy(s->v[i].src, f->src, 16);
	memcpy(s->v[i].dst, f->dst, 16);
	s->v[i].family = f->family;
	s->v[i].proto = frag_proto(f);
	s->v[i].id = f->frag_id;
	s->v[i].rule = v->rule ? (uint32_t)(v->rule - r->v) + 1 : 0;
	s->v[i].drop = v->drop;
	s->v[i].ns = now_ns;
}

/* A fragment, with --frag inherit: tiny and overlapping ones fall, later ones follow the first. */
static bool as_fragment(const struct rules *r, const struct facts *f, struct seen *seen, uint64_t now_ns,
			struct verdict *v)
{
	int at;

	if (r->frag == NP_FRAG_PASS || !f->fragment)
		return false;
	if (r->frag == NP_FRAG_DROP) {
		*v = (struct verdict){ .drop = true, .reason = NP_R_FRAG_POLICY };
		return true;
	}
	if (f->reason == NP_R_FRAG_TINY || f->reason == NP_R_FRAG_OVERLAP) {
		*v = (struct verdict){ .drop = true, .reason = f->reason };
		return true;
	}
	at = f->first ? -1 : find_seen(seen, f, now_ns);
	if (at < 0)
		return false;
	*v = (struct verdict){ .drop = seen->v[at].drop, .reason = NP_R_FRAG_INHERITED,
			       .rule = seen->v[at].rule ? &r->v[seen->v[at].rule - 1] : NULL };
	return true;
}

struct verdict rules_match(const struct rules *r, const struct facts *f, struct seen *seen, uint64_t now_ns)
{
	const struct np_rule *rule;
	struct verdict v;

	if (as_fragment(r, f, seen, now_ns, &v))
		return v;
	rule = decides(r, f, now_ns);
	v = rule ? by_entry(rule) : otherwise(r, f);
	if (f->fragment && f->first && r->frag == NP_FRAG_INHERIT)
		remember(seen, r, f, &v, now_ns);
	return v;
}
