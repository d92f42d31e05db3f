// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "mkcap.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { IP4 = 0x0800, ARP = 0x0806, VLAN = 0x8100, IP6 = 0x86dd, QINQ = 0x88a8 };

static const uint8_t everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void finish4(struct cap *c, struct pk *k, bool reply, unsigned int proto)
{
	const struct host *from = reply ? &bob : &alice, *to = reply ? &alice : &bob;

	pk_ip4(k, from, to, proto);
	pk_ethernet(k, from, to->mac, IP4);
	cap_frame(c, k);
}

static void finish6(struct cap *c, struct pk *k, bool reply, unsigned int next, unsigned int transport)
{
	const struct host *from = reply ? &bob : &alice, *to = reply ? &alice : &bob;

	pk_ip6(k, from->v6, to->v6, next, transport);
	pk_ethernet(k, from, to->mac, IP6);
	cap_frame(c, k);
}

static void text(struct pk *k, const char *s)
{
	pk_start(k);
	pk_add(k, s, strlen(s));
}

static void arp(struct cap *c, bool reply)
{
	struct pk k;

	pk_start(&k);
	pk_be(&k, 1, 2);
	pk_be(&k, IP4, 2);
	pk_be(&k, 6, 1);
	pk_be(&k, 4, 1);
	pk_be(&k, reply ? 2 : 1, 2);
	pk_add(&k, reply ? bob.mac : alice.mac, 6);
	pk_add(&k, reply ? bob.v4 : alice.v4, 4);
	pk_add(&k, reply ? alice.mac : (const uint8_t *)"\0\0\0\0\0", 6);
	pk_add(&k, reply ? alice.v4 : bob.v4, 4);
	pk_ethernet(&k, reply ? &bob : &alice, reply ? alice.mac : everyone, ARP);
	cap_frame(c, &k);
}

void make_arp_icmp(struct cap *c)
{
	struct pk k;

	cap_pcap(c, 1);
	arp(c, false);
	arp(c, true);
	for (unsigned int i = 0; i < 4; i++) {
		text(&k, "abcdefghijklmnopqrstuvwxyz0123456789");
		pk_icmp(&k, i & 1 ? 0 : 8, 0, 0x4e500001 + i / 2);
		finish4(c, &k, i & 1, 1);
	}
	text(&k, "never answered");
	pk_icmp(&k, 8, 0, 0x4e500003);
	finish4(c, &k, false, 1);
}

static void segment(struct cap *c, bool reply, uint32_t seq, uint32_t ack, unsigned int flags,
		    const char *data)
{
	struct pk k;

	text(&k, data);
	pk_tcp(&k, reply ? 80 : 40080, reply ? 40080 : 80, seq, ack, flags);
	finish4(c, &k, reply, 6);
}

void make_tcp(struct cap *c)
{
	cap_pcap(c, 1);
	segment(c, false, 0xfffffff0, 0, SYN, "");	/* the sequence number wraps on the way */
	segment(c, true, 5000, 0xfffffff1, SYN | ACK, "");
	segment(c, false, 0xfffffff1, 5001, ACK, "");
	segment(c, false, 0xfffffff1, 5001, PSH | ACK, "hello, this is the client");
	segment(c, true, 5001, 10, ACK, "");
	segment(c, true, 5001, 10, PSH | ACK, "and this the server");
	segment(c, false, 10, 5020, FIN | ACK, "");
	segment(c, true, 5020, 11, FIN | ACK, "");
	segment(c, false, 11, 5021, ACK, "");
	segment(c, true, 0, 77, RST | ACK, "");
}

/* An IPv6 extension header of 8 bytes. */
static void extension(struct pk *k, unsigned int next, const void *six)
{
	uint8_t *h = pk_push(k, 8);

	h[0] = (uint8_t)next;
	memcpy(h + 2, six, 6);
}

/* The transport's sum needs the IPv6 header's addresses: make it, and take that header off again. */
static void sum6(struct pk *k, unsigned int transport)
{
	pk_ip6(k, alice.v6, bob.v6, transport, transport);
	k->at += 40;
}

void make_ipv6_ext(struct cap *c)
{
	static const uint8_t pad[6] = { 1, 4 }, route[6] = { 0, 0 };
	struct pk k;

	cap_pcap(c, 1);
	text(&k, "behind three headers");
	pk_udp(&k, 40000, 9);
	sum6(&k, 17);
	extension(&k, 17, pad);		/* destination options */
	extension(&k, 60, route);	/* routing, none left */
	extension(&k, 43, pad);		/* hop by hop */
	finish6(c, &k, false, 0, 0);
	text(&k, "");
	pk_tcp(&k, 40080, 80, 1, 0, SYN);
	sum6(&k, 6);
	extension(&k, 6, pad);
	finish6(c, &k, false, 60, 0);
	pk_start(&k);
	extension(&k, 59, pad);		/* no next header */
	finish6(c, &k, false, 0, 0);
	pk_start(&k);			/* neighbour solicitation and advertisement */
	pk_add(&k, bob.v6, 16);
	pk_be(&k, 0x0101, 2);
	pk_add(&k, alice.mac, 6);
	pk_icmp(&k, 135, 0, 0);
	finish6(c, &k, false, 58, 58);
	pk_start(&k);
	pk_add(&k, bob.v6, 16);
	pk_be(&k, 0x0201, 2);
	pk_add(&k, bob.mac, 6);
	pk_icmp(&k, 136, 0, 0x60000000);
	finish6(c, &k, true, 58, 58);
	for (unsigned int i = 0; i < 2; i++) {
		text(&k, "ping over IPv6");
		pk_icmp(&k, 128 + i, 0, 0x4e500001);
		finish6(c, &k, i, 58, 58);
	}
}

/* Bytes [off, off + n) of a datagram's payload, as an IPv4 fragment. */
static void fragment4(struct cap *c, const uint8_t *payload, size_t total, size_t off, size_t n)
{
	struct pk k;
	uint8_t *ip;

	pk_start(&k);
	pk_add(&k, payload + off, n);
	pk_ip4(&k, &bob, &alice, 255);	/* no sum inside: the datagram's is there */
	ip = k.room + k.at;
	ip[9] = 17;
	put_be(ip + 6, off / 8 | (off + n < total ? 0x2000 : 0), 2);
	pk_ip4_sum(ip);
	pk_ethernet(&k, &bob, alice.mac, IP4);
	cap_frame(c, &k);
}

static void fragment6(struct cap *c, const uint8_t *payload, size_t total, size_t off, size_t n)
{
	struct pk k;
	uint8_t *h;

	pk_start(&k);
	pk_add(&k, payload + off, n);
	h = pk_push(&k, 8);
	h[0] = 17;
	put_be(h + 2, off | (off + n < total), 2);
	put_be(h + 4, 0xfeedface, 4);
	finish6(c, &k, true, 44, 0);
}

/* A DNS answer that came in pieces. */
static void answer(struct pk *k)
{
	pk_start(k);
	pk_dns_head(k, 8, 0x8180, 1, 1, 0);
	pk_question(k, "pieces.example.org", 16);
	pk_answer(k, 16, 60, 121);
	pk_be(k, 120, 1);
	for (unsigned int i = 0; i < 30; i++)
		pk_add(k, "frag", 4);
	pk_udp(k, 53, 40053);
}

void make_fragments(struct cap *c)
{
	struct pk k;
	size_t n;

	cap_pcap(c, 1);
	answer(&k);
	n = k.end - k.at;
	pk_ip4(&k, &bob, &alice, 17);
	k.at += 20;
	fragment4(c, k.room + k.at, n, 0, 64);
	fragment4(c, k.room + k.at, n, 64, 64);
	fragment4(c, k.room + k.at, n, 128, n - 128);
	answer(&k);
	pk_ip6(&k, bob.v6, alice.v6, 17, 17);
	k.at += 40;
	fragment6(c, k.room + k.at, n, 80, n - 80);	/* the last one first */
	fragment6(c, k.room + k.at, n, 0, 80);
}

static void tag(struct pk *k, unsigned int type, unsigned int vlan)
{
	uint8_t macs[12];

	memcpy(macs, k->room + k->at, 12);
	pk_push(k, 4);
	memcpy(k->room + k->at, macs, 12);
	put_be(k->room + k->at + 12, type, 2);
	put_be(k->room + k->at + 14, vlan, 2);
}

static void ping_in(struct pk *k)
{
	text(k, "in a VLAN");
	pk_icmp(k, 8, 0, 0x4e500001);
	pk_ip4(k, &alice, &bob, 1);
	pk_ethernet(k, &alice, bob.mac, IP4);
}

void make_vlan(struct cap *c)
{
	struct pk k;

	cap_pcap(c, 1);
	ping_in(&k);
	tag(&k, VLAN, 100);
	cap_frame(c, &k);
	ping_in(&k);
	tag(&k, VLAN, 100);
	tag(&k, QINQ, 200);
	cap_frame(c, &k);
	ping_in(&k);
	tag(&k, VLAN, 0xa000);		/* priority 5, no VLAN */
	cap_frame(c, &k);
	ping_in(&k);
	tag(&k, VLAN, 3);
	tag(&k, VLAN, 2);
	tag(&k, VLAN, 1);
	cap_frame(c, &k);
}

/* An Ethernet frame, or an IP packet, with a datagram for a port inside. */
static void inner(struct pk *k, bool ethernet)
{
	text(k, "inner");
	pk_udp(k, 40000, 9);
	pk_ip4(k, &alice, &bob, 17);
	if (ethernet)
		pk_ethernet(k, &alice, bob.mac, IP4);
}

static void outer(struct cap *c, struct pk *k, unsigned int proto)
{
	pk_ip4(k, &gate_a, &gate_b, proto);
	pk_ethernet(k, &gate_a, gate_b.mac, IP4);
	cap_frame(c, k);
}

void make_tunnels(struct cap *c)
{
	struct pk k;

	cap_pcap(c, 1);
	inner(&k, true);
	put_be(pk_push(&k, 8), 0x0800000000002a00, 8);	/* VXLAN, network 42 */
	pk_udp(&k, 50000, 4789);
	outer(c, &k, 17);
	inner(&k, true);
	put_be(pk_push(&k, 8), 0x0000655800002b00, 8);	/* Geneve, network 43 */
	pk_udp(&k, 50000, 6081);
	outer(c, &k, 17);
	inner(&k, false);
	put_be(pk_push(&k, 8), 0x2000080000000007, 8);	/* GRE with key 7 */
	outer(c, &k, 47);
	inner(&k, false);
	outer(c, &k, 4);
	text(&k, "inner");
	pk_udp(&k, 40000, 9);
	pk_ip6(&k, alice.v6, bob.v6, 17, 17);
	outer(c, &k, 41);
	inner(&k, false);
	pk_ip6(&k, gate_a.v6, gate_b.v6, 4, 0);
	pk_ethernet(&k, &gate_a, gate_b.mac, IP6);
	cap_frame(c, &k);
}

static void error4(struct cap *c, unsigned int type, unsigned int code, uint32_t rest)
{
	struct pk k;

	text(&k, "not wanted");
	pk_udp(&k, 40000, 33434);
	pk_ip4(&k, &alice, &bob, 17);
	pk_icmp(&k, type, code, rest);
	finish4(c, &k, true, 1);
}

static void error6(struct cap *c, unsigned int type, unsigned int code, uint32_t rest)
{
	struct pk k;

	text(&k, "not wanted");
	pk_udp(&k, 40000, 33434);
	pk_ip6(&k, alice.v6, bob.v6, 17, 17);
	pk_icmp(&k, type, code, rest);
	finish6(c, &k, true, 58, 58);
}

void make_icmp_errors(struct cap *c)
{
	cap_pcap(c, 1);
	error4(c, 3, 3, 0);		/* port unreachable */
	error4(c, 3, 4, 1400);		/* fragmentation needed */
	error4(c, 3, 13, 0);		/* prohibited */
	error4(c, 11, 0, 0);		/* time exceeded */
	error4(c, 5, 1, 0xc00002fe);	/* redirect to 192.0.2.254 */
	error6(c, 1, 4, 0);		/* port unreachable */
	error6(c, 2, 0, 1280);		/* packet too big */
	error6(c, 3, 0, 0);		/* hop limit exceeded */
}

static void broken(struct cap *c, size_t at, unsigned int value)
{
	struct pk k;

	text(&k, "payload");
	pk_udp(&k, 40000, 9);
	pk_ip4(&k, &alice, &bob, 17);
	pk_ethernet(&k, &alice, bob.mac, IP4);
	k.room[k.at + at] = (uint8_t)value;
	cap_frame(c, &k);
}

void make_malformed(struct cap *c)
{
	static const size_t cuts[] = { 0, 13, 20, 34, 40 };
	struct pk k;

	cap_pcap(c, 1);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		text(&k, "cut by the snap length");
		pk_udp(&k, 40000, 9);
		pk_ip4(&k, &alice, &bob, 17);
		pk_ethernet(&k, &alice, bob.mac, IP4);
		cap_cut(c, &k, cuts[i]);
	}
	broken(c, 14, 0x44);		/* header length below 20 */
	broken(c, 14, 0x4f);		/* options beyond the packet */
	broken(c, 14, 0x75);		/* version 7 */
	broken(c, 17, 10);		/* total length below the header's */
	broken(c, 16, 0xff);		/* total length beyond the frame */
	broken(c, 38, 0xff);		/* UDP length beyond the packet */
	broken(c, 39, 3);		/* UDP length below 8 */
	broken(c, 12, 0xab);		/* an EtherType of nobody */
	pk_start(&k);
	pk_dns_head(&k, 9, 0x8180, 1, 0, 0);
	pk_be(&k, 0xc00c, 2);		/* a name that points to itself */
	pk_be(&k, 0x00010001, 4);
	pk_udp(&k, 53, 40053);
	finish4(c, &k, true, 17);
	text(&k, "x");
	pk_tcp(&k, 40080, 80, 1, 1, ACK);
	k.room[k.at + 12] = 0x40;	/* data offset below 20 */
	finish4(c, &k, false, 6);
	pk_start(&k);
	finish4(c, &k, false, 17);	/* no byte of UDP */
}

void make_two_interfaces(struct cap *c)
{
	struct pk k;

	cap_pcapng(c);
	cap_interface(c, 1, "eth0", 9);
	cap_interface(c, 101, "tun0", 9);
	inner(&k, true);
	cap_packet(c, 0, &k, 1, NULL, 0);
	inner(&k, false);
	cap_packet(c, 1, &k, 2, NULL, 0);
	inner(&k, true);
	cap_packet(c, 0, &k, 1, "drop NO_SOCKET at __udp4_lib_rcv (udp)", 0);
	inner(&k, true);
	cap_packet(c, 0, &k, 1, "GRO x12", 3);
	cap_statistics(c, 0, 6, 3);
	cap_statistics(c, 1, 1, 0);
}
