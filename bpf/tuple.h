/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the headers of a frame say, down to one IP header and the transport behind it.  bpf/parse.h fills it in the
 * kernel, src/tuple_read.c does so by the same rules in user space and is its reference.  Include <linux/types.h>
 * first.  The rules:
 *
 *  - at most 8 tags and 8 IPv6 extension headers; more is NP_DEEP
 *  - a header that is not all there is NP_CUT, one that cannot be NP_BAD; what came before it is known
 *  - a length of 0 in the IP header says nothing (jumbograms, super-packets of the stack)
 *  - an IPv6 fragment that is the whole datagram (RFC 6946) is none
 *  - a first fragment must hold 16 bytes of TCP (RFC 1858), 8 of others with ports, all extension headers (RFC 7112)
 *  - over IPv4 an authentication header is the transport; over IPv6 it is one of the extension headers
 *  - a tunnel is named when its header is all there, and neither in a fragment nor behind an encrypted payload
 *  - what is inside a tunnel ends where a header around it does
 */
#ifndef NETPROBE_TUPLE_H
#define NETPROBE_TUPLE_H

#define NP_TAGS_MAX 8		/* VLAN tags */
#define NP_EXTENSIONS_MAX 8	/* IPv6 extension headers */
#define NP_NOT_KNOWN 65536	/* of proto, ports, icmp_type and icmp_code */
#define NP_FURTHEST 60000	/* a header that begins behind this byte of the frame is not read: NP_CUT */

/* How far it could be read, and why no further.  What came before that is known. */
#define NP_READINGS(X) \
	X(WHOLE, "whole") \
	X(NOT_IP, "not_ip")			/* neither IPv4 nor IPv6 behind the tags */ \
	X(CUT, "cut")				/* the frame, or the length in the IP header, ends inside a header */ \
	X(BAD, "bad_header")			/* a header contradicts itself */ \
	X(DEEP, "too_deep")			/* more tags or extension headers than these */ \
	X(FRAGMENT_LATER, "fragment_later")	/* has no transport header: not the first */ \
	X(FRAGMENT_TINY, "fragment_tiny")	/* a first fragment without its whole transport header (RFC 1858) */ \
	X(FRAGMENT_OVERLAP, "fragment_overlap")	/* overwrites a TCP header (RFC 1858) */

enum np_reading {
#define NP_READING_ID(id, name) NP_##id,
	NP_READINGS(NP_READING_ID)
#undef NP_READING_ID
	NP_READINGS_N
};

/* What an IP header carries that has another IP header, or an Ethernet frame, inside. */
#define NP_TUNNELS(X) X(NONE, "") X(IPIP, "ipip") X(GRE, "gre") X(VXLAN, "vxlan") X(GENEVE, "geneve") X(GTP, "gtp") \
	X(IP6, "ip6")		/* IP in protocol 41, as IPIP is in protocol 4 */

enum np_tunnel {
#define NP_TUNNEL_ID(id, name) NP_TUNNEL_##id,
	NP_TUNNELS(NP_TUNNEL_ID)
#undef NP_TUNNEL_ID
	NP_TUNNELS_N
};

struct np_tuple {
	__u64 src[2], dst[2];		/* as numbers, first half first; an IPv4 address in the upper half of [0] */
	__u64 smac, dmac;		/* in the upper 48 bits; has_mac */
	__u64 off;			/* in the frame: the transport header, or where the reading ended */
	__u64 avail;			/* bytes from there that the IP header tells of, or the frame has */
	__u64 end;			/* in the frame: where it ends, and inside a tunnel what is around it */
	__u32 ethertype;		/* behind the tags, host order */
	__u32 vlan[2], vlans;		/* ids of the two outermost tags; how many */
	__u32 family;			/* 4, 6; 0: none */
	__u32 proto;			/* behind all extension headers */
	__u32 sport, dport;		/* of TCP, UDP, UDP-Lite, SCTP, DCCP */
	__u32 icmp_type, icmp_code;
	__u32 ttl, tos, ip_len;		/* ip_len: IPv4 total length; IPv6 payload and header; where 0: what there is */
	__u32 frag_id, frag_offset;	/* offset in bytes */
	__u32 tcp_flags, tcp_window, tcp_seq, tcp_ack;	/* has_tcp: its header is whole */
	__u32 payload_len;		/* behind the transport header, by the IP header and, where shorter, UDP's */
	__u32 reading;			/* enum np_reading */
	__u32 tunnel;			/* enum np_tunnel: what follows, from inner_off on */
	__u32 inner_type;		/* its EtherType, host order; 0x6558: an Ethernet frame */
	__u32 test;			/* of block: nobody sent it, it is asked about */
	__u64 inner_off;
	__u32 has_mac, has_ah, has_tcp;	/* 0, 1 */
	__u32 fragment, first, more;	/* 0, 1; an IPv6 fragment that is the whole datagram (RFC 6946) is none */
	__u64 zero;			/* for FORGET(): always 0 */
};

#endif
