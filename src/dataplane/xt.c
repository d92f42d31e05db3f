// SPDX-License-Identifier: GPL-2.0-or-later
/* Matches and targets of x_tables, of which nf_tables has some for iptables-nft: linux/netfilter/xt_*.h. */
#include "dataplane/parts.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_NFLOG.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_owner.h>
#include <string.h>

#include "util/bytes.h"

/* Two that differ fit nobody. */
void nf_take_uid(struct nf_rule *rule, uint32_t uid)
{
	rule->uid = rule->two_uids || (rule->uid != UINT32_MAX && rule->uid != uid) ? UINT32_MAX : uid;
	rule->two_uids |= rule->uid == UINT32_MAX;
}

/* Its UID_MIN is its UID_MAX, and it is not turned round: one user. */
static void take_owner(struct nf_rule *rule, struct part info)
{
	struct xt_owner_match_info o;

	if (info.n < sizeof(o))
		return;
	memcpy(&o, info.p, sizeof(o));
	if ((o.match & XT_OWNER_UID) && !(o.invert & XT_OWNER_UID) && o.uid_min == o.uid_max)
		nf_take_uid(rule, o.uid_min);
}

void nf_take_match(struct nf_rules *r, struct nf_rule *rule, struct part name, struct part info)
{
	if (nf_is(name, "comment"))
		nf_comment(r, rule, info);
	else if (nf_is(name, "owner"))
		take_owner(rule, info);
}

static void take_log(struct nf_rules *r, struct nf_rule *rule, struct part info)
{
	struct xt_log_info l;

	rule->logs = true;
	if (info.n < sizeof(l))
		return;
	memcpy(&l, info.p, sizeof(l));
	rule->log_prefix = nf_keep(r, (struct part){ (const uint8_t *)l.prefix, sizeof(l.prefix) });
}

static void take_nflog(struct nf_rules *r, struct nf_rule *rule, struct part info)
{
	struct xt_nflog_info l;

	rule->logs = true;
	if (info.n < sizeof(l))
		return;
	memcpy(&l, info.p, sizeof(l));
	rule->log_group = l.group;
	rule->log_prefix = nf_keep(r, (struct part){ (const uint8_t *)l.prefix, sizeof(l.prefix) });
}

/* Revision 0 of IPv4 has a list of one range, all others begin as struct nf_nat_range; ports are big endian. */
static void take_redirect(struct nf_rule *rule, uint8_t family, struct part info)
{
	size_t flags = family == NFPROTO_IPV4 ? offsetof(struct nf_nat_ipv4_multi_range_compat, range[0].flags) :
						offsetof(struct nf_nat_range, flags);
	size_t port = family == NFPROTO_IPV4 ? offsetof(struct nf_nat_ipv4_multi_range_compat, range[0].min) :
					       offsetof(struct nf_nat_range, min_proto);
	uint32_t has;

	rule->verdict = NF_REDIRECTS;
	if (info.n < port + 4)
		return;
	memcpy(&has, info.p + flags, sizeof(has));
	/* The last one follows the first; of a range none is told. */
	if ((has & NF_NAT_RANGE_PROTO_SPECIFIED) && be16(info.p + port) == be16(info.p + port + 2))
		rule->to_port = be16(info.p + port);
}

void nf_take_target(struct nf_rules *r, struct nf_rule *rule, uint8_t family, struct part name, struct part info)
{
	static const struct {
		const char *name;
		uint8_t verdict;
	} known[] = {
		{ "ACCEPT", NF_ACCEPTS }, { "DROP", NF_DROPS }, { "RETURN", NF_RETURNS }, { "REJECT", NF_REJECTS },
		{ "QUEUE", NF_QUEUES }, { "NFQUEUE", NF_QUEUES },
	};

	/* Those of ebtables are written small, and their structs are others. */
	if (nf_is(name, "log") || nf_is(name, "nflog")) {
		rule->logs = true;
		return;
	}
	if (nf_is(name, "LOG")) {
		take_log(r, rule, info);
		return;
	}
	if (nf_is(name, "NFLOG")) {
		take_nflog(r, rule, info);
		return;
	}
	if (rule->verdict != NF_NONE)
		return;
	if (nf_is(name, "REDIRECT")) {
		take_redirect(rule, family, info);
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (nf_is(name, known[i].name))
			rule->verdict = known[i].verdict;
	if (rule->verdict == NF_NONE) {
		rule->target = nf_keep(r, name);
		rule->verdict = rule->target ? NF_TARGET : NF_NONE;
	}
}
