// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries of agents' maps in words. */
#include "dataplane/ebpf.h"

#include "numbers/ipproto.h"

enum { PEERS_TOLD = 4 };

/* Cilium's numbers of reasons, from 130 on (bpf/lib/drop_reasons.h), and what its own tools call them. */
static const char *const reasons[] = {
	"Invalid source mac", "Invalid destination mac", "Invalid source ip", "Policy denied",
	"Invalid packet", "CT: Truncated or invalid header", "Fragmentation needed", "CT: Unknown L4 protocol",
	"CT: Can't create entry from packet", "Unsupported L3 protocol", "Missed tail call",
	"Error writing to packet", "Unknown L4 protocol", "Unknown ICMPv4 code", "Unknown ICMPv4 type",
	"Unknown ICMPv6 code", "Unknown ICMPv6 type", "Error retrieving tunnel key",
	"Error retrieving tunnel options", "Invalid Geneve option", "Unknown L3 target address",
	"Stale or unroutable IP", "No matching local container found", "Error while correcting L3 checksum",
	"Error while correcting L4 checksum", "CT: Map insertion failed", "Invalid IPv6 extension header",
	"IP fragmentation not supported", "Service backend not found", NULL,
	"No tunnel/encapsulation endpoint", "NAT 46/64 not enabled", "Reached EDT rate-limiting drop horizon",
	"Unknown connection tracking state", "Local host is unreachable",
	"No configuration available to perform policy decision", "Unsupported L2 protocol",
	"No mapping for NAT masquerade", "Unsupported protocol for NAT masquerade", "FIB lookup failed",
	"Encapsulation traffic is prohibited", "Invalid identity", "Unknown sender", "NAT not needed",
	"Is a ClusterIP", "First logical datagram fragment not found", "Forbidden ICMPv6 message",
	"Denied by LB src range check", "Socket lookup failed", "Socket assign failed",
	"Proxy redirection not supported for protocol", "Policy denied by denylist",
	"VLAN traffic disallowed by VLAN filter", "Incorrect VNI from VTEP",
	"Failed to update or lookup TC buffer", "No SID was found for the IP address",
	"SRv6 state was removed during tail call", "L3 translation from IPv4 to IPv6 failed (NAT46)",
	"L3 translation from IPv6 to IPv4 failed (NAT64)", "Authentication required", "No conntrack map found",
	"No nat map found", "Invalid ClusterID", "Unsupported packet protocol for DSR encapsulation",
	"No egress gateway found", "Traffic is unencrypted", "TTL exceeded", "No node ID found",
	"Rate limited", "IGMP handled", "IGMP subscribed", "Multicast handled", "Host datapath not ready",
	"Endpoint policy program not available", "No Egress IP configured", "Punt to proxy",
};

/* Identities that are the same in each cluster. */
static const char *const reserved[] = {
	"anybody", "the host", "the world", "unmanaged", "health", "init", "remote nodes", "the API server", "ingress",
	"the world by IPv4", "the world by IPv6", "the encrypted overlay",
};

enum { REASON_FIRST = 130, REASONS = sizeof(reasons) / sizeof(reasons[0]),
       RESERVED = sizeof(reserved) / sizeof(reserved[0]) };

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

void ebpf_text(const struct ebpf *e, const struct ebpf_rule *r, struct buf *b)
{
	if (r->reason) {
		unsigned int i = r->reason - REASON_FIRST;

		if (r->reason >= REASON_FIRST && i < REASONS && reasons[i])
			buf_str(b, reasons[i]);
		else
			buf_fmt(b, "reason %u", r->reason);
		return;
	}
	buf_str(b, r->ingress ? "from " : "to ");
	if (r->peer < RESERVED)
		buf_str(b, reserved[r->peer]);
	else
		buf_fmt(b, "identity %u", r->peer);
	if (r->peer >= RESERVED)
		put_peers(e, r->peer, b);
	put_ports(r, b);
}
