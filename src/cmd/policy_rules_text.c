// SPDX-License-Identifier: GPL-2.0-or-later
/* policy rules: entries of agents' maps in words. */
#include <string.h>

#include "cmd/policy_rules.h"
#include "numbers/ipproto.h"

enum { PEERS_TOLD = 4 };

/* Cilium's numbers of reasons, from 130 on (bpf/lib/drop_reasons.h), and what its own tools call them; one after the
 * other. */
static const char reasons[] =
	"Invalid source mac\0" "Invalid destination mac\0" "Invalid source ip\0" "Policy denied\0"
	"Invalid packet\0" "CT: Truncated or invalid header\0" "Fragmentation needed\0"
	"CT: Unknown L4 protocol\0" "CT: Can't create entry from packet\0" "Unsupported L3 protocol\0"
	"Missed tail call\0" "Error writing to packet\0" "Unknown L4 protocol\0" "Unknown ICMPv4 code\0"
	"Unknown ICMPv4 type\0" "Unknown ICMPv6 code\0" "Unknown ICMPv6 type\0" "Error retrieving tunnel key\0"
	"Error retrieving tunnel options\0" "Invalid Geneve option\0" "Unknown L3 target address\0"
	"Stale or unroutable IP\0" "No matching local container found\0" "Error while correcting L3 checksum\0"
	"Error while correcting L4 checksum\0" "CT: Map insertion failed\0" "Invalid IPv6 extension header\0"
	"IP fragmentation not supported\0" "Service backend not found\0" "\0"
	"No tunnel/encapsulation endpoint\0" "NAT 46/64 not enabled\0"
	"Reached EDT rate-limiting drop horizon\0" "Unknown connection tracking state\0"
	"Local host is unreachable\0" "No configuration available to perform policy decision\0"
	"Unsupported L2 protocol\0" "No mapping for NAT masquerade\0"
	"Unsupported protocol for NAT masquerade\0" "FIB lookup failed\0"
	"Encapsulation traffic is prohibited\0" "Invalid identity\0" "Unknown sender\0" "NAT not needed\0"
	"Is a ClusterIP\0" "First logical datagram fragment not found\0" "Forbidden ICMPv6 message\0"
	"Denied by LB src range check\0" "Socket lookup failed\0" "Socket assign failed\0"
	"Proxy redirection not supported for protocol\0" "Policy denied by denylist\0"
	"VLAN traffic disallowed by VLAN filter\0" "Incorrect VNI from VTEP\0"
	"Failed to update or lookup TC buffer\0" "No SID was found for the IP address\0"
	"SRv6 state was removed during tail call\0" "L3 translation from IPv4 to IPv6 failed (NAT46)\0"
	"L3 translation from IPv6 to IPv4 failed (NAT64)\0" "Authentication required\0"
	"No conntrack map found\0" "No nat map found\0" "Invalid ClusterID\0"
	"Unsupported packet protocol for DSR encapsulation\0" "No egress gateway found\0"
	"Traffic is unencrypted\0" "TTL exceeded\0" "No node ID found\0" "Rate limited\0" "IGMP handled\0"
	"IGMP subscribed\0" "Multicast handled\0" "Host datapath not ready\0"
	"Endpoint policy program not available\0" "No Egress IP configured\0" "Punt to proxy\0";

/* Identities that are the same in each cluster. */
static const char *const reserved[] = {
	"anybody", "the host", "the world", "unmanaged", "health", "init", "remote nodes", "the API server", "ingress",
	"the world by IPv4", "the world by IPv6", "the encrypted overlay",
};

enum { REASON_FIRST = 130, RESERVED = sizeof(reserved) / sizeof(reserved[0]) };

/* "" where it has no name. */
static const char *reason_name(uint8_t reason)
{
	const char *s = reasons, *end = reasons + sizeof(reasons) - 1;

	for (unsigned int i = REASON_FIRST; i < reason && s < end; i++)
		s += strlen(s) + 1;
	return reason < REASON_FIRST ? "" : s;
}

static void put_peers(const struct ebpf *e, uint32_t identity, struct buf *b)
{
	uint32_t n;
	const struct ebpf_peer *p = ebpf_peers(e, identity, &n);

	for (uint32_t i = 0; i < n && i < PEERS_TOLD; i++) {
		buf_str(b, i ? ", " : " (");
		addr_print(b, &p[i].addr);
		if (p[i].bits < (p[i].addr.family == 4 ? 32 : 128))
			buf_fmt(b, "/%u", p[i].bits);
	}
	if (n > PEERS_TOLD)
		buf_fmt(b, " and %u more", n - PEERS_TOLD);
	if (n)
		buf_chr(b, ')');
}

static void put_ports(const struct ebpf_rule *r, struct buf *b)
{
	if (!r->proto)
		return;
	buf_fmt(b, ", %s", ipproto_name(r->proto));
	if (r->port_bits == 16)
		buf_fmt(b, " port %u", r->port);
	else if (r->port_bits)
		buf_fmt(b, " ports %u-%u", r->port, r->port | 0xffffu >> r->port_bits);
}

void rules_ebpf_text(const struct ebpf *e, const struct ebpf_rule *r, struct buf *b)
{
	if (e->maps[r->map].kind == EBPF_IFACE_COUNTS)
		buf_str(b, r->verdict == NF_DROPS ? "dropped by policy" : "accepted by policy");
	if (e->maps[r->map].kind == EBPF_IFACE_COUNTS || e->maps[r->map].kind == EBPF_DUMP)
		return;
	if (r->reason) {
		const char *name = reason_name(r->reason);

		buf_str(b, name);
		if (!*name)
			buf_fmt(b, "reason %u", r->reason);
		return;
	}
	buf_str(b, r->ingress ? "from " : "to ");
	if (r->peer < RESERVED)
		buf_str(b, reserved[r->peer]);
	else
		buf_fmt(b, "identity %u", r->peer);
	if (r->peer >= RESERVED && *ebpf_labels(e, r->peer))
		buf_fmt(b, " {%s}", ebpf_labels(e, r->peer));
	if (r->peer >= RESERVED)
		put_peers(e, r->peer, b);
	put_ports(r, b);
}
