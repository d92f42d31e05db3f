// SPDX-License-Identifier: GPL-2.0-or-later
/* A message of a packet that is traced: NFTA_TRACE_ in linux/netfilter/nf_tables.h; numbers are big endian. */
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "dataplane/attr.h"
#include "dataplane/trace_parts.h"
#include "numbers/ethertype.h"
#include "numbers/ipproto.h"
#include "util/bytes.h"

enum { ATTRIBUTES = NFTA_TRACE_POLICY + 1, IPV4_HEAD = 20, IPV6_HEAD = 40, ETHERNET_HEAD = 14, TAG = 4 };

/* 0 where it is not there. */
static uint32_t u32(struct part a)
{
	return a.n < 4 ? 0 : be32(a.p);
}

/* ── headers ──────────────────────────────────────────────────────────────── */

/* Is the network header IP?  Families ip, ip6 and inet see nothing else; of others the link header tells. */
static bool is_ip(const struct part *a)
{
	struct part link = a[NFTA_TRACE_LL_HEADER];
	uint32_t family = u32(a[NFTA_TRACE_NFPROTO]);
	uint16_t type;

	if (family == NFPROTO_IPV4 || family == NFPROTO_IPV6)
		return true;
	if (a[NFTA_TRACE_IIFTYPE].n < 2 || be16(a[NFTA_TRACE_IIFTYPE].p) != ARPHRD_ETHER || link.n < ETHERNET_HEAD)
		return false;
	type = be16(link.p + ETHERNET_HEAD - 2);
	if (ethertype_is_vlan(type) && link.n >= ETHERNET_HEAD + TAG)
		type = be16(link.p + ETHERNET_HEAD + TAG - 2);
	return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
}

static void take_transport(struct trace_packet *k, struct part in)
{
	switch (k->proto) {
	case PROTO_TCP:
		k->tcp_seq = in.n < 8 ? 0 : be32(in.p + 4);
		/* fall through */
	case PROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_SCTP:
	case PROTO_DCCP:
		if (in.n < 4)
			return;
		k->ends.sport = be16(in.p);
		k->ends.dport = be16(in.p + 2);
		return;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		k->ends.sport = in.n < 6 ? 0 : be16(in.p + 4);
		return;
	}
}

/* Of IPv6 the extension headers are not in the message. */
static bool is_extension(uint8_t proto)
{
	return proto == PROTO_HOPOPT || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT || proto == PROTO_AH ||
	       proto == PROTO_DSTOPTS || proto == PROTO_MOBILITY || proto == PROTO_HIP || proto == PROTO_SHIM6;
}

static void take_headers(struct trace_packet *k, struct part ip, struct part transport)
{
	struct addr *src = &k->ends.src, *dst = &k->ends.dst;
	bool later = false;

	if (ip.n >= IPV4_HEAD && ip.p[0] >> 4 == 4) {
		src->family = dst->family = 4;
		memcpy(src->b, ip.p + 12, 4);
		memcpy(dst->b, ip.p + 16, 4);
		k->ip_id = be16(ip.p + 4);
		k->proto = ip.p[9];
		k->proto_known = true;
		later = be16(ip.p + 6) & 0x1fff;	/* a fragment that is not the first */
	} else if (ip.n >= IPV6_HEAD && ip.p[0] >> 4 == 6) {
		src->family = dst->family = 6;
		memcpy(src->b, ip.p + 8, 16);
		memcpy(dst->b, ip.p + 24, 16);
		k->ip_id = be32(ip.p) & 0xfffff;
		k->proto_known = !is_extension(ip.p[6]);
		k->proto = k->proto_known ? ip.p[6] : 0;
	}
	if (k->proto_known && !later)
		take_transport(k, transport);
}

/* ── what was decided ─────────────────────────────────────────────────────── */

static struct part whole_text(struct part a)
{
	a.n = a.p ? strnlen((const char *)a.p, a.n) : 0;
	return a;
}

static bool is_name(struct part text)
{
	return text.n && text.n < NF_TEXT_MAX;
}

static bool take_verdict(struct trace_event *e, struct part in)
{
	struct part a[NFTA_VERDICT_CHAIN + 1];
	int32_t code;

	if (!attr_split(in, a, NFTA_VERDICT_CHAIN + 1) || a[NFTA_VERDICT_CODE].n < 4)
		return false;
	code = (int32_t)u32(a[NFTA_VERDICT_CODE]);
	switch (code) {
	case NFT_CONTINUE:
	case NFT_BREAK:
		e->verdict = e->kind == TRACE_RETURN ? NF_RETURNS : NF_NONE;
		return true;
	case NFT_RETURN:
		e->verdict = NF_RETURNS;
		return true;
	case NFT_JUMP:
	case NFT_GOTO:
		e->verdict = code == NFT_JUMP ? NF_JUMPS : NF_GOES;
		e->target = whole_text(a[NFTA_VERDICT_CHAIN]);
		return is_name(e->target);
	}
	if (code < 0)
		return false;
	/* Above the mask stand a queue's number and flags, or the error of a drop. */
	switch (code & NF_VERDICT_MASK) {
	case NF_DROP:
		e->verdict = NF_DROPS;
		return true;
	case NF_ACCEPT:
	case NF_STOP:
		e->verdict = NF_ACCEPTS;
		return true;
	case NF_STOLEN:
		e->verdict = NF_TARGET;
		return true;
	case NF_QUEUE:
		e->verdict = NF_QUEUES;
		return true;
	}
	return false;
}

static bool take_decision(struct trace_event *e, const struct part *a)
{
	switch (u32(a[NFTA_TRACE_TYPE])) {
	case NFT_TRACETYPE_RULE:
	case NFT_TRACETYPE_RETURN:
		/* The type depends on the kernel's version; the end of a chain is of no rule. */
		e->kind = a[NFTA_TRACE_RULE_HANDLE].n < 8 ? TRACE_RETURN : TRACE_RULE;
		e->handle = e->kind == TRACE_RULE ? be64(a[NFTA_TRACE_RULE_HANDLE].p) : 0;
		return take_verdict(e, a[NFTA_TRACE_VERDICT]) &&
		       (e->kind == TRACE_RULE || e->verdict == NF_RETURNS);
	case NFT_TRACETYPE_POLICY:
		e->kind = TRACE_POLICY;
		if (a[NFTA_TRACE_POLICY].n < 4)
			return false;
		e->verdict = u32(a[NFTA_TRACE_POLICY]) == NF_DROP ? NF_DROPS : NF_ACCEPTS;
		return true;
	}
	return false;
}

bool trace_message(struct part in, struct trace_event *e)
{
	struct part a[ATTRIBUTES];

	*e = (struct trace_event){ 0 };
	if (in.n < sizeof(struct nfgenmsg))
		return false;
	e->family = in.p[offsetof(struct nfgenmsg, nfgen_family)];
	in.p += sizeof(struct nfgenmsg);
	in.n -= sizeof(struct nfgenmsg);
	if (!attr_split(in, a, ATTRIBUTES) || a[NFTA_TRACE_ID].n < 4)
		return false;
	e->id = u32(a[NFTA_TRACE_ID]);
	e->mark = u32(a[NFTA_TRACE_MARK]);
	e->in_ifindex = u32(a[NFTA_TRACE_IIF]);
	e->out_ifindex = u32(a[NFTA_TRACE_OIF]);
	e->table = whole_text(a[NFTA_TRACE_TABLE]);
	e->chain = whole_text(a[NFTA_TRACE_CHAIN]);
	if (!is_name(e->table) || !is_name(e->chain) || !take_decision(e, a))
		return false;
	e->first = a[NFTA_TRACE_NETWORK_HEADER].n;
	if (e->first && is_ip(a))
		take_headers(&e->packet, a[NFTA_TRACE_NETWORK_HEADER], a[NFTA_TRACE_TRANSPORT_HEADER]);
	return true;
}
