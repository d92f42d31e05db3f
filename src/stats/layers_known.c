// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel's counters mean: in which layer each stands, and whether packets that it counts went no further. */
#include "stats/layers_known.h"

#include <ctype.h>
#include <string.h>

#define IN		 WAY_IN, false, false, false
#define IN_LOST		 WAY_IN, true, false, false
#define IN_LOST_SUM	 WAY_IN, true, true, false
#define IN_LEVEL	 WAY_IN, false, false, true
#define OUT		 WAY_OUT, false, false, false
#define OUT_LOST	 WAY_OUT, true, false, false
#define OUT_LOST_SUM	 WAY_OUT, true, true, false
#define OUT_LEVEL	 WAY_OUT, false, false, true
#define BOTH		 WAY_BOTH, false, false, false
#define BOTH_LOST	 WAY_BOTH, true, false, false
#define BOTH_LEVEL	 WAY_BOTH, false, false, true

#define NO_ROUTE "there was no route to their destination (ip route get)"
#define NO_ADDRESS "their destination is no address of this host, or they may not be forwarded"
#define BAD_HEADER "their IP header was wrong, or their time to live over"
#define NO_REASSEMBLY \
	"fragments were missing, late or too many (ip -s; net.ipv4.ipfrag_high_thresh, net.ipv6.ip6frag_high_thresh)"
#define NO_PORT "no socket had the port they were sent to"
#define BUFFER_FULL \
	"the receive buffer of a socket was full: whoever reads is too slow, or it is too small (net.core.rmem_max)"
#define ACCEPT_FULL \
	"connections waited for accept(2) in a queue that was full (net.core.somaxconn, the program's backlog)"

/*
 * In the order of each layer.  Of the link the meanings are those of include/uapi/linux/if_link.h; of IP, UDP and TCP
 * those of RFC 4293, RFC 4113, RFC 4022 and of the kernel's Documentation/networking/snmp_counter.rst.
 */
static const struct layer_known known[] = {
	{ "ring", "rx_pending", "nic", IN_LEVEL, NULL },
	{ "ring", "rx_max_pending", "nic", IN_LEVEL, NULL },
	{ "link", "rx_missed_errors", "nic", IN_LOST,
	  "before the driver saw them RING was full (ethtool -G IFACE rx N)" },
	{ "link", "rx_over_errors", "nic", IN_LOST, "the receiver of IFACE overflowed" },
	{ "link", "rx_fifo_errors", "nic", IN_LOST, "the FIFO of the receiver of IFACE overflowed" },
	{ "link", "rx_crc_errors", "nic", IN_LOST,
	  "they arrived damaged: look at cable, transceiver and the other end" },
	{ "link", "rx_frame_errors", "nic", IN_LOST,
	  "they arrived damaged: look at cable, transceiver and the other end" },
	{ "link", "rx_length_errors", "nic", IN_LOST, "their length was wrong: does the other end have another MTU?" },
	{ "link", "rx_errors", "nic", IN_LOST_SUM, "IFACE received bad packets" },

	{ "link", "rx_packets", "driver", IN, NULL },
	{ "link", "rx_bytes", "driver", IN, NULL },
	{ "link", "multicast", "driver", IN, NULL },
	{ "link", "rx_dropped", "driver", IN_LOST,
	  "the driver of IFACE or the kernel behind it did not take them: no memory, a full backlog, or a protocol "
	  "that nobody handles" },
	{ "link", "rx_nohandler", "driver", IN_LOST, "IFACE is not to receive any: the backup of a bond or a team" },
	{ "link", "rx_otherhost_dropped", "driver", IN, NULL },
	{ "driver", "in", "driver", IN, NULL },
	{ "driver", "in lost", "driver", IN_LOST_SUM, NULL },
	{ "driver", "both", "driver", BOTH, NULL },
	{ "driver", "both lost", "driver", WAY_BOTH, true, true, false, NULL },

	{ "xdp", "runs", "xdp", IN, NULL },
	{ "counted at xdp", "packets", "xdp", IN, NULL },
	{ "counted at xdp", "bytes", "xdp", IN, NULL },
	{ "counted at xdp", "malformed", "xdp", IN, NULL },
	{ "driver", "xdp", "xdp", IN, NULL },
	{ "driver", "xdp lost", "xdp", IN_LOST,
	  "an XDP program at IFACE dropped them (netprobe attach list dev IFACE)" },

	{ "softnet", "processed", "softirq", IN, NULL },
	{ "softnet", "dropped", "softirq", IN_LOST, "the backlog of a CPU was full (net.core.netdev_max_backlog)" },
	{ "softnet", "flow_limit", "softirq", IN_LOST,
	  "flows had more than their share of the backlog (net.core.flow_limit_cpu_bitmap)" },
	{ "softnet", "time_squeeze", "softirq", IN, NULL },
	{ "softnet", "received_rps", "softirq", IN, NULL },

	{ "program in", "runs", "tc", IN, NULL },
	{ "counted in", "packets", "tc", IN, NULL },
	{ "counted in", "bytes", "tc", IN, NULL },
	{ "counted in", "malformed", "tc", IN, NULL },
	{ "clsact", "drops", "tc", BOTH_LOST,
	  "a filter or a program of tc at IFACE dropped them (tc -s filter show dev IFACE ingress, egress)" },

	{ "conntrack", "entries", "netfilter", BOTH_LEVEL, NULL },
	{ "conntrack", "invalid", "netfilter", BOTH, NULL },
	{ "conntrack", "drop", "netfilter", BOTH_LOST,
	  "their connection could not be tracked: is the table full? (net.netfilter.nf_conntrack_max)" },
	{ "conntrack", "insert_failed", "netfilter", BOTH_LOST,
	  "their connection was in the table already: two first packets at a time, or the same ports after NAT" },
	{ "conntrack", "early_drop", "netfilter", BOTH, NULL },
	{ "conntrack", "icmp_error", "netfilter", BOTH, NULL },
	{ "conntrack", "search_restart", "netfilter", BOTH, NULL },

	{ "Ip", "InReceives", "ip", IN, NULL },
	{ "Ip", "InHdrErrors", "ip", IN_LOST, BAD_HEADER },
	{ "Ip", "InAddrErrors", "ip", IN_LOST, NO_ADDRESS },
	{ "IpExt", "InNoRoutes", "ip", IN_LOST, NO_ROUTE },
	{ "IpExt", "InTruncatedPkts", "ip", IN_LOST, "they were shorter than their IP header says" },
	{ "IpExt", "InCsumErrors", "ip", IN, NULL },
	{ "TcpExt", "IPReversePathFilter", "ip", IN_LOST,
	  "their source is not reached by where they came in (net.ipv4.conf.*.rp_filter)" },
	{ "Ip", "InUnknownProtos", "ip", IN_LOST, "nobody takes the protocol in them" },
	{ "Ip", "InDiscards", "ip", IN_LOST, "IP had no memory for them, or a policy of IPsec refused them" },
	{ "Ip", "ReasmReqds", "ip", IN, NULL },
	{ "Ip", "ReasmOKs", "ip", IN, NULL },
	{ "Ip", "ReasmTimeout", "ip", IN, NULL },
	{ "Ip", "ReasmFails", "ip", IN_LOST, NO_REASSEMBLY },
	{ "Ip", "InDelivers", "ip", IN, NULL },
	{ "Ip6", "InReceives", "ip", IN, NULL },
	{ "Ip6", "InHdrErrors", "ip", IN_LOST, BAD_HEADER },
	{ "Ip6", "InTooBigErrors", "ip", IN_LOST, "they are longer than the way on allows" },
	{ "Ip6", "InAddrErrors", "ip", IN_LOST, NO_ADDRESS },
	{ "Ip6", "InNoRoutes", "ip", IN_LOST, NO_ROUTE },
	{ "Ip6", "InTruncatedPkts", "ip", IN_LOST, "they were shorter than their IP header says" },
	{ "Ip6", "InUnknownProtos", "ip", IN_LOST, "nobody takes the protocol in them" },
	{ "Ip6", "InDiscards", "ip", IN_LOST, "IP had no memory for them, or a policy of IPsec refused them" },
	{ "Ip6", "ReasmReqds", "ip", IN, NULL },
	{ "Ip6", "ReasmOKs", "ip", IN, NULL },
	{ "Ip6", "ReasmTimeout", "ip", IN, NULL },
	{ "Ip6", "ReasmFails", "ip", IN_LOST, NO_REASSEMBLY },
	{ "Ip6", "InDelivers", "ip", IN, NULL },
	{ "Ip", "ForwDatagrams", "ip", BOTH, NULL },
	{ "Ip6", "OutForwDatagrams", "ip", BOTH, NULL },

	{ "Icmp", "InMsgs", "icmp", IN, NULL },
	{ "Icmp", "InErrors", "icmp", IN, NULL },
	{ "Icmp6", "InMsgs", "icmp", IN, NULL },
	{ "Icmp6", "InErrors", "icmp", IN, NULL },

	{ "Udp", "InDatagrams", "udp", IN, NULL },
	{ "Udp", "NoPorts", "udp", IN_LOST, NO_PORT },
	{ "Udp", "InErrors", "udp", IN_LOST_SUM, NULL },
	{ "Udp", "RcvbufErrors", "udp", IN_LOST, BUFFER_FULL },
	{ "Udp", "MemErrors", "udp", IN_LOST, "all UDP sockets together had no more memory (net.ipv4.udp_mem)" },
	{ "Udp", "InCsumErrors", "udp", IN_LOST, "their checksum was wrong" },
	{ "Udp6", "InDatagrams", "udp", IN, NULL },
	{ "Udp6", "NoPorts", "udp", IN_LOST, NO_PORT },
	{ "Udp6", "InErrors", "udp", IN_LOST_SUM, NULL },
	{ "Udp6", "RcvbufErrors", "udp", IN_LOST, BUFFER_FULL },
	{ "Udp6", "MemErrors", "udp", IN_LOST, "all UDP sockets together had no more memory (net.ipv4.udp_mem)" },
	{ "Udp6", "InCsumErrors", "udp", IN_LOST, "their checksum was wrong" },

	{ "Tcp", "InSegs", "tcp", IN, NULL },
	{ "Tcp", "InErrs", "tcp", IN_LOST_SUM, NULL },
	{ "Tcp", "InCsumErrors", "tcp", IN_LOST, "their checksum was wrong" },
	{ "TcpExt", "ListenDrops", "tcp", IN_LOST_SUM, "a listening socket could not take the connections they begin" },
	{ "TcpExt", "ListenOverflows", "tcp", IN_LOST, ACCEPT_FULL },
	{ "TcpExt", "TCPReqQFullDrop", "tcp", IN_LOST,
	  "too many handshakes were under way (net.ipv4.tcp_max_syn_backlog, tcp_syncookies)" },
	{ "TcpExt", "TCPDeferAcceptDrop", "tcp", IN, NULL },
	{ "TcpExt", "TCPMinTTLDrop", "tcp", IN_LOST, "their time to live was less than the socket wants" },
	{ "TcpExt", "PAWSEstab", "tcp", IN_LOST, "their timestamp was older than one already seen" },
	{ "TcpExt", "TCPBacklogDrop", "tcp", IN_LOST,
	  "the backlog of a socket was full while its program was in the kernel (net.ipv4.tcp_rmem)" },
	{ "TcpExt", "PFMemallocDrop", "tcp", IN_LOST, "memory was so short that only sockets for swapping got some" },
	{ "TcpExt", "TCPZeroWindowDrop", "tcp", IN_LOST,
	  "they came although the window was closed: the program does not read" },
	{ "TcpExt", "TCPRcvQDrop", "tcp", IN_LOST, "a receive queue had no memory left (net.ipv4.tcp_rmem, tcp_mem)" },
	{ "TcpExt", "TCPOFODrop", "tcp", IN_LOST,
	  "they came out of order and there was no memory to keep them (net.ipv4.tcp_rmem, tcp_mem)" },
	{ "TcpExt", "RcvPruned", "tcp", IN_LOST,
	  "a receive queue was full, and nothing could be made smaller (net.ipv4.tcp_rmem, tcp_mem)" },
	{ "TcpExt", "OfoPruned", "tcp", IN, NULL },
	{ "TcpExt", "PruneCalled", "tcp", IN, NULL },
	{ "TcpExt", "TCPRcvCollapsed", "tcp", IN, NULL },
	{ "TcpExt", "TCPMemoryPressures", "tcp", IN, NULL },
	{ "TcpExt", "TCPAbortOnMemory", "tcp", IN, NULL },

	{ "socket", "drops", "socket", IN_LOST_SUM,
	  "the receive buffer of a socket was full, or its filter refused them" },

	{ "Tcp", "OutSegs", "tcp", OUT, NULL },
	{ "Tcp", "RetransSegs", "tcp", OUT, NULL },
	{ "Tcp", "OutRsts", "tcp", OUT, NULL },
	{ "TcpExt", "TCPTimeouts", "tcp", OUT, NULL },
	{ "TcpExt", "TCPSynRetrans", "tcp", OUT, NULL },
	{ "TcpExt", "TCPLostRetransmit", "tcp", OUT, NULL },
	{ "TcpExt", "TCPRetransFail", "tcp", OUT, NULL },
	{ "TcpExt", "TCPWqueueTooBig", "tcp", OUT, NULL },

	{ "Udp", "OutDatagrams", "udp", OUT, NULL },
	{ "Udp", "SndbufErrors", "udp", OUT_LOST,
	  "the send buffer of a socket was full, or the queue below it (net.core.wmem_max)" },
	{ "Udp6", "OutDatagrams", "udp", OUT, NULL },
	{ "Udp6", "SndbufErrors", "udp", OUT_LOST,
	  "the send buffer of a socket was full, or the queue below it (net.core.wmem_max)" },

	{ "Icmp", "OutMsgs", "icmp", OUT, NULL },
	{ "Icmp", "OutErrors", "icmp", OUT, NULL },
	{ "Icmp6", "OutMsgs", "icmp", OUT, NULL },
	{ "Icmp6", "OutErrors", "icmp", OUT, NULL },

	{ "Ip", "OutRequests", "ip", OUT, NULL },
	{ "Ip", "OutNoRoutes", "ip", OUT_LOST, NO_ROUTE },
	{ "Ip", "OutDiscards", "ip", OUT_LOST,
	  "IP could not send them: no memory, or a netfilter rule or the queue below it refused them" },
	{ "Ip", "FragFails", "ip", OUT_LOST, "they are longer than the way allows, and may not be cut" },
	{ "Ip6", "OutRequests", "ip", OUT, NULL },
	{ "Ip6", "OutNoRoutes", "ip", OUT_LOST, NO_ROUTE },
	{ "Ip6", "OutDiscards", "ip", OUT_LOST,
	  "IP could not send them: no memory, or a netfilter rule or the queue below it refused them" },
	{ "Ip6", "FragFails", "ip", OUT_LOST, "they are longer than the way allows, and may not be cut" },

	{ "program out", "runs", "tc", OUT, NULL },
	{ "counted out", "packets", "tc", OUT, NULL },
	{ "counted out", "bytes", "tc", OUT, NULL },
	{ "counted out", "malformed", "tc", OUT, NULL },

	{ "qdisc", "packets", "qdisc", OUT, NULL },
	{ "qdisc", "bytes", "qdisc", OUT, NULL },
	{ "qdisc", "backlog", "qdisc", OUT_LEVEL, NULL },
	{ "qdisc", "drops", "qdisc", OUT_LOST,
	  "the queue of IFACE was full, or so its discipline decided (tc -s qdisc show dev IFACE)" },
	{ "qdisc", "overlimits", "qdisc", OUT, NULL },
	{ "qdisc", "requeues", "qdisc", OUT, NULL },

	{ "link", "tx_packets", "driver", OUT, NULL },
	{ "link", "tx_bytes", "driver", OUT, NULL },
	{ "link", "tx_dropped", "driver", OUT_LOST, "the driver of IFACE, or the kernel before it, threw them away" },
	{ "driver", "out", "driver", OUT, NULL },
	{ "driver", "out lost", "driver", OUT_LOST_SUM, NULL },

	{ "ring", "tx_pending", "nic", OUT_LEVEL, NULL },
	{ "ring", "tx_max_pending", "nic", OUT_LEVEL, NULL },
	{ "link", "tx_carrier_errors", "nic", OUT_LOST, "IFACE had no carrier" },
	{ "link", "tx_aborted_errors", "nic", OUT_LOST, "IFACE gave up sending them" },
	{ "link", "tx_fifo_errors", "nic", OUT_LOST, "the FIFO of the sender of IFACE ran empty" },
	{ "link", "tx_heartbeat_errors", "nic", OUT, NULL },
	{ "link", "tx_window_errors", "nic", OUT_LOST,
	  "a collision came late: does the other end have another duplex?" },
	{ "link", "tx_errors", "nic", OUT_LOST_SUM, "IFACE could not send them" },
	{ "link", "collisions", "nic", OUT, NULL },
};

enum { N_KNOWN = sizeof(known) / sizeof(known[0]) };

const struct layer_known *layer_known(const char *group, const char *name)
{
	for (unsigned int i = 0; i < N_KNOWN; i++)
		if (!strcmp(known[i].name, name) && !strcmp(known[i].group, group))
			return &known[i];
	return NULL;
}

static bool tells(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(name, *words))
			return true;
	return false;
}

/* rx at the beginning of a word, and not as in "matrix". */
static bool has_way(const char *name, const char *way)
{
	const char *at = name;

	while ((at = strcasestr(at, way))) {
		if (at == name || !isalnum((unsigned char)at[-1]))
			return true;
		at++;
	}
	return false;
}

/*
 * There is no rule for these names, so only what says so is a loss: dropped, discarded, without a buffer.  An error
 * may be one that the link's own counters have too.
 */
const struct layer_known *layer_known_driver(const char *name)
{
	static const char *const lost[] = { "drop", "discard", "no_buf", "nobuf", "out_of_buf", "outofbuf", "missed",
					    NULL };
	static const char *const other[] = { "err", "miss", "timeout", "fifo", "overrun", "overflow", "xdp", "fail",
					     NULL };
	static const char *const names[3][2] = { { "in", "in lost" }, { "out", "out lost" }, { "both", "both lost" } };
	bool is_lost = tells(name, lost);
	int way = has_way(name, "rx") ? 0 : has_way(name, "tx") ? 1 : 2;

	if (!is_lost && !tells(name, other))
		return NULL;
	if (way != 1 && strcasestr(name, "xdp") && !strcasestr(name, "tx"))
		return layer_known("driver", is_lost ? "xdp lost" : "xdp");
	return layer_known("driver", names[way][is_lost]);
}

unsigned int layer_place(const struct layer_known *k)
{
	static const char *const down[] = { "tcp", "udp", "icmp", "ip", "tc", "qdisc", "driver", "nic" };
	static const char *const up[] = { "nic", "driver", "xdp", "softirq", "tc", "netfilter", "ip", "icmp", "udp",
					  "tcp", "socket" };
	enum { UP = sizeof(up) / sizeof(up[0]), DOWN = sizeof(down) / sizeof(down[0]) };
	const char *const *way = k->way == WAY_OUT ? down : up;
	unsigned int n = k->way == WAY_OUT ? DOWN : UP, i = 0;

	while (i < n && strcmp(way[i], k->layer))
		i++;
	return k->way == WAY_OUT ? UP + i : i;
}
