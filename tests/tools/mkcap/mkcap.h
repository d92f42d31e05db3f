/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For mkcap: packets made from the inside out, and the files they go into. */
#ifndef MKCAP_H
#define MKCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two hosts and two tunnel ends, all of documentation addresses (RFC 5737, RFC 3849). */
struct host {
	uint8_t mac[6], v4[4], v6[16];
};

extern const struct host alice, bob, gate_a, gate_b;

/* A packet in the making: bodies are appended, headers put in front. */
struct pk {
	uint8_t room[4096];
	size_t at, end;
};

struct cap {
	uint8_t p[8192];
	size_t n;
	bool ng;
	uint64_t ns;
};

void pk_start(struct pk *k);
void pk_add(struct pk *k, const void *p, size_t n);
void pk_be(struct pk *k, uint64_t v, unsigned int bytes);
/* n zeroed bytes in front. */
uint8_t *pk_push(struct pk *k, size_t n);
void put_be(uint8_t *p, uint64_t v, unsigned int bytes);

void pk_ethernet(struct pk *k, const struct host *from, const uint8_t to[6], unsigned int type);
/* The checksum of TCP, UDP and ICMPv6 inside is filled in; that of ICMP too. */
void pk_ip4(struct pk *k, const struct host *from, const struct host *to, unsigned int proto);
void pk_ip6(struct pk *k, const uint8_t from[16], const uint8_t to[16], unsigned int next, unsigned int transport);
void pk_udp(struct pk *k, unsigned int sport, unsigned int dport);
void pk_tcp(struct pk *k, unsigned int sport, unsigned int dport, uint32_t seq, uint32_t ack, unsigned int flags);
/* Message with the rest of its head in `rest`. */
void pk_icmp(struct pk *k, unsigned int type, unsigned int code, uint32_t rest);
/* Header sums again after bytes were changed. */
void pk_ip4_sum(uint8_t *ip);

/* A name as labels from dotted text; \ooo never: bytes are taken as they are. */
void pk_name(struct pk *k, const char *dotted);
void pk_dns_head(struct pk *k, unsigned int id, unsigned int flags, unsigned int questions, unsigned int answers,
		 unsigned int extras);
void pk_question(struct pk *k, const char *name, unsigned int type);
/* A record whose name is the question's, up to its data, which are `bytes` long. */
void pk_answer(struct pk *k, unsigned int type, uint32_t ttl, unsigned int bytes);

void cap_pcap(struct cap *c, unsigned int link);
/* The frame, as of a millisecond and a quarter after the one before. */
void cap_frame(struct cap *c, const struct pk *k);
/* Only its first `cap` bytes. */
void cap_cut(struct cap *c, const struct pk *k, size_t cap);

void cap_pcapng(struct cap *c);
void cap_interface(struct cap *c, unsigned int link, const char *name, unsigned int resolution);
void cap_packet(struct cap *c, unsigned int iface, const struct pk *k, uint32_t flags, const char *comment,
		uint64_t dropcount);
void cap_statistics(struct cap *c, unsigned int iface, uint64_t received, uint64_t dropped);

/* dns.c, net.c, apps.c and alerts.c: one function a file. */
void make_arp_icmp(struct cap *c), make_tcp(struct cap *c), make_ipv6_ext(struct cap *c), make_fragments(struct cap *c),
	make_vlan(struct cap *c), make_tunnels(struct cap *c), make_icmp_errors(struct cap *c),
	make_malformed(struct cap *c), make_two_interfaces(struct cap *c), make_dns_udp(struct cap *c),
	make_dns_tcp(struct cap *c), make_mdns(struct cap *c), make_hostile(struct cap *c),
	make_http(struct cap *c), make_http2(struct cap *c), make_redis(struct cap *c), make_kafka(struct cap *c),
	make_tls(struct cap *c), make_tls12(struct cap *c), make_dhcp(struct cap *c), make_devices(struct cap *c),
	make_flows(struct cap *c),
	make_alerts(struct cap *c), make_dns_pipelined(struct cap *c), make_dns_words(struct cap *c);

#endif
