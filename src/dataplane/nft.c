// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nf_tables' messages: linux/netfilter/nf_tables.h.  Lengths and types of attributes are in our byte order, what they
 * hold is big endian; what a register is compared with has the register's order, of a user's number ours.
 */
#include "dataplane/parts.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

/* More than the most that is looked at in one; registers are NFT_REG_1 to NFT_REG32_15. */
enum { ATTRIBUTES = 16, REGISTERS = NFT_REG32_15 + 1, COMMENT_OF_RULE = 0 /* NFTNL_UDATA_RULE_COMMENT */ };

/* ── attributes ───────────────────────────────────────────────────────────── */

/* The next attribute of *in, which is behind it then. */
static bool next(struct part *in, uint16_t *type, struct part *a)
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

/* Each by its type, p NULL where it is not; false: a length does not fit. */
static bool split(struct part in, struct part out[ATTRIBUTES])
{
	struct part a;
	uint16_t type;

	memset(out, 0, ATTRIBUTES * sizeof(*out));
	while (next(&in, &type, &a))
		if (type < ATTRIBUTES)
			out[type] = a;
	return !in.n;
}

/* 0 where it is not there. */
static uint32_t u32(struct part a)
{
	return a.n < 4 ? 0 : be32(a.p);
}

static uint64_t u64(struct part a)
{
	return a.n < 8 ? 0 : be64(a.p);
}

static bool take_counters(struct part in, uint64_t *packets, uint64_t *bytes)
{
	struct part a[ATTRIBUTES];

	if (!split(in, a) || a[NFTA_COUNTER_PACKETS].n < 8 || a[NFTA_COUNTER_BYTES].n < 8)
		return false;
	*packets = u64(a[NFTA_COUNTER_PACKETS]);
	*bytes = u64(a[NFTA_COUNTER_BYTES]);
	return true;
}

/* ── what a rule consists of ──────────────────────────────────────────────── */

struct reading {
	struct nf_rules *r;
	struct nf_rule *rule;
	uint8_t family;
	uint32_t uid_in, uid_next;	/* the register that the expression before, and this, put a user in; 0: none */
	uint16_t port[REGISTERS];	/* the first two bytes that were put there */
};

/* An expression's attributes; false: not understood. */
typedef bool take_fn(struct reading *d, const struct part *a);

/* What stands behind a verdict that ends the rule is not reached; another target may go on. */
static void decide(struct reading *d, enum nf_verdict v, const char *target)
{
	if (d->rule->verdict != NF_NONE && (d->rule->verdict != NF_TARGET || v == NF_TARGET))
		return;
	d->rule->verdict = (uint8_t)v;
	d->rule->target = target;
}

/* To a chain or a map: that has a name. */
static bool go(struct reading *d, enum nf_verdict v, struct part name)
{
	const char *target = nf_keep(d->r, name);

	if (target)
		decide(d, v, target);
	return target;
}

static bool take_verdict(struct reading *d, struct part in)
{
	struct part a[ATTRIBUTES];
	int32_t code;

	if (!split(in, a) || a[NFTA_VERDICT_CODE].n < 4)
		return false;
	code = (int32_t)u32(a[NFTA_VERDICT_CODE]);
	switch (code) {
	case NFT_CONTINUE:
	case NFT_BREAK:
		return true;
	case NFT_JUMP:
		return go(d, NF_JUMPS, a[NFTA_VERDICT_CHAIN]);
	case NFT_GOTO:
		return go(d, NF_GOES, a[NFTA_VERDICT_CHAIN]);
	case NFT_RETURN:
		decide(d, NF_RETURNS, NULL);
		return true;
	}
	switch (code & NF_VERDICT_MASK) {
	case NF_ACCEPT:
		decide(d, NF_ACCEPTS, NULL);
		return true;
	case NF_DROP:
		decide(d, NF_DROPS, NULL);
		return true;
	case NF_QUEUE:
		decide(d, NF_QUEUES, NULL);
		return true;
	}
	return false;
}

static bool take_immediate(struct reading *d, const struct part *a)
{
	uint32_t to = u32(a[NFTA_IMMEDIATE_DREG]);
	struct part data[ATTRIBUTES];

	if (!split(a[NFTA_IMMEDIATE_DATA], data))
		return false;
	if (to == NFT_REG_VERDICT)
		return take_verdict(d, data[NFTA_DATA_VERDICT]);
	if (to < REGISTERS && data[NFTA_DATA_VALUE].n >= 2)
		d->port[to] = be16(data[NFTA_DATA_VALUE].p);
	return true;
}

static bool take_counter(struct reading *d, const struct part *a)
{
	d->rule->counted = true;
	d->rule->packets = u64(a[NFTA_COUNTER_PACKETS]);
	d->rule->bytes = u64(a[NFTA_COUNTER_BYTES]);
	return a[NFTA_COUNTER_PACKETS].n >= 8 && a[NFTA_COUNTER_BYTES].n >= 8;
}

/* Does a packet perhaps get no further than this? */
static bool is_condition(struct part name)
{
	static const char *const names[] = { "cmp", "range", "lookup", "match", "limit", "connlimit", "quota", "fib",
					     "dynset" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (nf_is(name, names[i]))
			return true;
	return false;
}

static bool take_meta(struct reading *d, const struct part *a)
{
	if (a[NFTA_META_DREG].n >= 4 && u32(a[NFTA_META_KEY]) == NFT_META_SKUID)
		d->uid_next = u32(a[NFTA_META_DREG]);
	return true;
}

static uint32_t ne32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool take_cmp(struct reading *d, const struct part *a)
{
	struct part data[ATTRIBUTES];

	if (!split(a[NFTA_CMP_DATA], data))
		return false;
	if (d->uid_in && d->uid_in == u32(a[NFTA_CMP_SREG]) && a[NFTA_CMP_OP].n >= 4 &&
	    u32(a[NFTA_CMP_OP]) == NFT_CMP_EQ && data[NFTA_DATA_VALUE].n == sizeof(d->rule->uid))
		nf_take_uid(d->rule, ne32(data[NFTA_DATA_VALUE].p));
	return true;
}

static bool take_lookup(struct reading *d, const struct part *a)
{
	if (a[NFTA_LOOKUP_DREG].n < 4 || u32(a[NFTA_LOOKUP_DREG]) != NFT_REG_VERDICT)
		return true;
	return go(d, NF_MAPS, a[NFTA_LOOKUP_SET]);
}

static bool take_log(struct reading *d, const struct part *a)
{
	d->rule->logs = true;
	d->rule->log_prefix = nf_keep(d->r, a[NFTA_LOG_PREFIX]);
	if (a[NFTA_LOG_GROUP].n >= 2)
		d->rule->log_group = be16(a[NFTA_LOG_GROUP].p);
	return true;
}

static bool take_reject(struct reading *d, const struct part *a)
{
	decide(d, NF_REJECTS, NULL);
	return true;
}

static bool take_queue(struct reading *d, const struct part *a)
{
	decide(d, NF_QUEUES, NULL);
	return true;
}

static bool take_redirect(struct reading *d, const struct part *a)
{
	uint32_t from = u32(a[NFTA_REDIR_REG_PROTO_MIN]), to = u32(a[NFTA_REDIR_REG_PROTO_MAX]);

	bool one = from && from < REGISTERS && (!to || (to < REGISTERS && d->port[to] == d->port[from]));

	/* Of a range none is told. */
	if (d->rule->verdict == NF_NONE && one)
		d->rule->to_port = d->port[from];
	decide(d, NF_REDIRECTS, NULL);
	return true;
}

static bool take_nat(struct reading *d, const struct part *a)
{
	decide(d, NF_TARGET, u32(a[NFTA_NAT_TYPE]) == NFT_NAT_SNAT ? "snat" : "dnat");
	return a[NFTA_NAT_TYPE].n >= 4;
}

static bool take_masquerade(struct reading *d, const struct part *a)
{
	decide(d, NF_TARGET, "masquerade");
	return true;
}

static bool take_tproxy(struct reading *d, const struct part *a)
{
	decide(d, NF_TARGET, "tproxy");
	return true;
}

static bool take_synproxy(struct reading *d, const struct part *a)
{
	decide(d, NF_TARGET, "synproxy");
	return true;
}

static bool take_forward(struct reading *d, const struct part *a)
{
	decide(d, NF_TARGET, "fwd");
	return true;
}

static bool take_match(struct reading *d, const struct part *a)
{
	nf_take_match(d->r, d->rule, a[NFTA_MATCH_NAME], a[NFTA_MATCH_INFO]);
	return true;
}

static bool take_target(struct reading *d, const struct part *a)
{
	nf_take_target(d->r, d->rule, d->family, a[NFTA_TARGET_NAME], a[NFTA_TARGET_INFO]);
	return true;
}

static bool take_expression(struct reading *d, struct part in)
{
	static const struct {
		const char *name;
		take_fn *take;
	} known[] = {
		{ "immediate", take_immediate }, { "counter", take_counter }, { "meta", take_meta },
		{ "cmp", take_cmp }, { "lookup", take_lookup }, { "log", take_log }, { "reject", take_reject },
		{ "queue", take_queue }, { "redir", take_redirect }, { "nat", take_nat },
		{ "masq", take_masquerade }, { "tproxy", take_tproxy }, { "fwd", take_forward },
		{ "synproxy", take_synproxy },
		{ "match", take_match }, { "target", take_target },
	};
	struct part a[ATTRIBUTES], data[ATTRIBUTES];

	if (!split(in, a) || !a[NFTA_EXPR_NAME].p || !split(a[NFTA_EXPR_DATA], data))
		return false;
	d->uid_next = 0;
	/* What another puts into registers is not known here. */
	if (!nf_is(a[NFTA_EXPR_NAME], "immediate") && !nf_is(a[NFTA_EXPR_NAME], "counter") &&
	    !nf_is(a[NFTA_EXPR_NAME], "redir"))
		memset(d->port, 0, sizeof(d->port));
	d->rule->counts_more |= d->rule->counted && is_condition(a[NFTA_EXPR_NAME]);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (nf_is(a[NFTA_EXPR_NAME], known[i].name) && !known[i].take(d, data))
			return false;
	d->uid_in = d->uid_next;
	return true;
}

/* Type, length, value, a byte each of the first two. */
static void take_userdata(struct nf_rules *r, struct nf_rule *rule, struct part in)
{
	while (in.n >= 2 && in.p[1] <= in.n - 2) {
		size_t step = 2u + in.p[1];

		if (in.p[0] == COMMENT_OF_RULE)
			nf_comment(r, rule, (struct part){ in.p + 2, in.p[1] });
		in.p += step;
		in.n -= step;
	}
}

/* ── messages ─────────────────────────────────────────────────────────────── */

static bool take_rule(struct nf_rules *r, uint8_t family, const struct part *a)
{
	struct nf_rule rule = { .handle = u64(a[NFTA_RULE_HANDLE]), .uid = UINT32_MAX };
	struct reading d = { .r = r, .rule = &rule, .family = family };
	int64_t chain = nf_chain_index(r, NF_TABLES, family, a[NFTA_RULE_TABLE], a[NFTA_RULE_CHAIN]);
	struct part list = a[NFTA_RULE_EXPRESSIONS], e;
	uint16_t type;

	if (chain < 0 || a[NFTA_RULE_HANDLE].n < 8)
		return false;
	rule.chain = (uint32_t)chain;
	while (next(&list, &type, &e))
		if (type == NFTA_LIST_ELEM && !take_expression(&d, e))
			return false;
	if (list.n)
		return false;
	take_userdata(r, &rule, a[NFTA_RULE_USERDATA]);
	nf_rule_add(r, &rule);
	return true;
}

/* Only those that are switched off are kept. */
static bool take_table(struct nf_rules *r, uint8_t family, const struct part *a)
{
	const char *name;

	if (!a[NFTA_TABLE_NAME].p || a[NFTA_TABLE_FLAGS].n < 4)
		return false;
	if (!(u32(a[NFTA_TABLE_FLAGS]) & NFT_TABLE_F_DORMANT))
		return true;
	if (!r->dormant)
		r->dormant = calloc(NF_DORMANT_MAX, sizeof(*r->dormant));
	name = nf_keep(r, a[NFTA_TABLE_NAME]);
	if (!r->dormant || r->n_dormant == NF_DORMANT_MAX)
		r->cut = true;
	else if (name)
		r->dormant[r->n_dormant++] = (struct nf_dormant){ name, family };
	return name;
}

static bool is_dormant(const struct nf_rules *r, uint8_t family, struct part table)
{
	for (uint32_t i = 0; i < r->n_dormant; i++)
		if (r->dormant[i].family == family && nf_is(table, r->dormant[i].name))
			return true;
	return false;
}

static bool take_chain(struct nf_rules *r, uint8_t family, const struct part *a)
{
	struct nf_chain c = { .via = NF_TABLES, .family = family };
	struct part hook[ATTRIBUTES];

	if (!a[NFTA_CHAIN_TABLE].p || !a[NFTA_CHAIN_NAME].p || !split(a[NFTA_CHAIN_HOOK], hook))
		return false;
	if (a[NFTA_CHAIN_HOOK].p) {
		c.base = true;
		c.hook = (uint8_t)u32(hook[NFTA_HOOK_HOOKNUM]);
		c.priority = (int32_t)u32(hook[NFTA_HOOK_PRIORITY]);
		c.drops = a[NFTA_CHAIN_POLICY].n >= 4 && u32(a[NFTA_CHAIN_POLICY]) == NF_DROP;
	}
	if (a[NFTA_CHAIN_COUNTERS].p && !take_counters(a[NFTA_CHAIN_COUNTERS], &c.packets, &c.bytes))
		return false;
	c.counted = a[NFTA_CHAIN_COUNTERS].p;
	c.dormant = is_dormant(r, family, a[NFTA_CHAIN_TABLE]);
	nf_chain_add(r, &c, a[NFTA_CHAIN_TABLE], a[NFTA_CHAIN_NAME]);
	return true;
}

/* The map of that name, which is made unless it is there; NULL: there are too many. */
static struct nf_map *map_of(struct nf_rules *r, uint8_t family, struct part table, struct part name)
{
	struct nf_map *m;

	/* A map's messages come one behind the other. */
	m = r->n_maps ? &r->maps[r->n_maps - 1] : NULL;
	if (m && m->family == family && nf_is(table, m->table) && nf_is(name, m->name))
		return m;
	if (!r->maps)
		r->maps = calloc(NF_MAPS_MAX, sizeof(*r->maps));
	if (!r->maps || r->n_maps == NF_MAPS_MAX)
		return NULL;
	m = &r->maps[r->n_maps];
	*m = (struct nf_map){ .table = nf_keep(r, table), .name = nf_keep(r, name), .family = family };
	r->n_maps += m->table && m->name;
	return m->table && m->name ? m : NULL;
}

static bool is_end(struct part element)
{
	struct part a[ATTRIBUTES];

	return split(element, a) && (u32(a[NFTA_SET_ELEM_FLAGS]) & NFT_SET_ELEM_INTERVAL_END);
}

/* Of an element; false: it drops, hands to a program, or was not understood. */
static bool goes_on(struct part element)
{
	struct part a[ATTRIBUTES], data[ATTRIBUTES], verdict[ATTRIBUTES];

	if (!split(element, a) || !split(a[NFTA_SET_ELEM_DATA], data) || !split(data[NFTA_DATA_VERDICT], verdict) ||
	    verdict[NFTA_VERDICT_CODE].n < 4)
		return false;
	switch ((int32_t)u32(verdict[NFTA_VERDICT_CODE])) {
	case NFT_CONTINUE:
	case NFT_BREAK:
	case NFT_JUMP:
	case NFT_GOTO:
	case NFT_RETURN:
	case NF_ACCEPT:
		return true;
	}
	return false;
}

static bool take_elements(struct nf_rules *r, uint8_t family, const struct part *a)
{
	struct nf_map *m = map_of(r, family, a[NFTA_SET_ELEM_LIST_TABLE], a[NFTA_SET_ELEM_LIST_SET]);
	struct part list = a[NFTA_SET_ELEM_LIST_ELEMENTS], e;
	uint16_t type;

	if (!m)
		return r->n_maps == NF_MAPS_MAX;
	/* Behind an interval stands where it ends, which has no verdict. */
	while (next(&list, &type, &e))
		m->decides |= type == NFTA_LIST_ELEM && !is_end(e) && !goes_on(e);
	m->decides |= list.n > 0;
	return !list.n;
}

static bool take_message(struct nf_rules *r, uint16_t type, struct part in)
{
	struct part a[ATTRIBUTES];
	uint8_t family;

	if (type < NLMSG_MIN_TYPE)
		return true;		/* the end of a list, an answer that there is none */
	if (NFNL_SUBSYS_ID(type) != NFNL_SUBSYS_NFTABLES || in.n < sizeof(struct nfgenmsg))
		return false;
	family = in.p[offsetof(struct nfgenmsg, nfgen_family)];
	if (!split((struct part){ in.p + sizeof(struct nfgenmsg), in.n - sizeof(struct nfgenmsg) }, a))
		return false;
	switch (NFNL_MSG_TYPE(type)) {
	case NFT_MSG_NEWGEN:
		r->generation = u32(a[NFTA_GEN_ID]);
		return a[NFTA_GEN_ID].n >= 4;
	case NFT_MSG_NEWTABLE:
		return take_table(r, family, a);
	case NFT_MSG_NEWCHAIN:
		return take_chain(r, family, a);
	case NFT_MSG_NEWRULE:
		return take_rule(r, family, a);
	case NFT_MSG_NEWSETELEM:
		return take_elements(r, family, a);
	}
	return false;
}

int nf_parse_netlink(struct nf_rules *r, const void *bytes, size_t n)
{
	struct part in = { bytes, n };
	struct nlmsghdr h;

	while (in.n >= sizeof(h)) {
		size_t step;

		memcpy(&h, in.p, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > in.n)
			break;
		r->broken += !take_message(r, h.nlmsg_type, (struct part){ in.p + sizeof(h), h.nlmsg_len - sizeof(h) });
		step = NLMSG_ALIGN((size_t)h.nlmsg_len) < in.n ? NLMSG_ALIGN((size_t)h.nlmsg_len) : in.n;
		in.p += step;
		in.n -= step;
	}
	r->broken += in.n > 0;
	return nf_state(r);
}
