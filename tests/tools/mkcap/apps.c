// SPDX-License-Identifier: GPL-2.0-or-later
/* Conversations of the application protocols. */
#include <string.h>

#include "cert.h"
#include "mkcap.h"

enum { SYN = 2, PSH = 8, ACK = 16 };

/* A TCP connection of alice's to bob. */
struct talk {
	struct cap *c;
	unsigned int cport, sport;
	uint32_t seq[2];
	bool v6;
};

static void segment(struct talk *t, int from, unsigned int flags, const void *p, size_t n)
{
	const struct host *a = from ? &bob : &alice, *b = from ? &alice : &bob;
	struct pk k;

	pk_start(&k);
	pk_add(&k, p, n);
	pk_tcp(&k, from ? t->sport : t->cport, from ? t->cport : t->sport, t->seq[from], t->seq[!from], flags);
	if (t->v6)
		pk_ip6(&k, a->v6, b->v6, 6, 6);
	else
		pk_ip4(&k, a, b, 6);
	pk_ethernet(&k, a, b->mac, t->v6 ? 0x86dd : 0x0800);
	cap_frame(t->c, &k);
	t->seq[from] += (uint32_t)n + (flags & SYN ? 1 : 0);
}

static struct talk connect_to(struct cap *c, unsigned int port, bool v6)
{
	struct talk t = { c, 40000 + port % 1000, port, { 1000, 9000 }, v6 };

	segment(&t, 0, SYN, "", 0);
	segment(&t, 1, SYN | ACK, "", 0);
	return t;
}

#define ASK(t, s)    segment((t), 0, PSH | ACK, "" s, sizeof(s) - 1)
#define REPLY(t, s)  segment((t), 1, PSH | ACK, "" s, sizeof(s) - 1)

void make_http(struct cap *c)
{
	struct talk t, six;

	cap_pcap(c, 1);
	t = connect_to(c, 80, false);
	ASK(&t, "GET /one?x=1 HTTP/1.1\r\nHost: www.example.org:80\r\nUser-Agent: netprobe\r\n\r\n"
		"HEAD /two HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
	REPLY(&t, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "5\r\nhello\r\n0\r\n\r\n");
	REPLY(&t, "HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\nContent-Type: text/html\r\n\r\n");
	ASK(&t, "POST /form HTTP/1.1\r\nHost: www.example.org\r\nContent-Type: text/json\r\nContent-Le");
	ASK(&t, "ngth: 16\r\nExpect: 100-continue\r\n\r\n");
	REPLY(&t, "HTTP/1.1 100 Continue\r\n\r\n");
	ASK(&t, "GET / HTTP/1.1\r\n");		/* its body, of all things */
	REPLY(&t, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
	six = connect_to(c, 8080, true);
	ASK(&six, "CONNECT example.net:443 HTTP/1.0\r\n\r\n");
	REPLY(&six, "HTTP/1.0 200 go\r\n\r\n");
}

void make_http2(struct cap *c)
{
	struct talk t;

	cap_pcap(c, 1);
	t = connect_to(c, 50051, false);
	ASK(&t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
		/* stream 1: POST http / ; the path, the authority and a type as literals that stay */
		"\0\0\x30\1\4\0\0\0\1\x83\x86\x44\x09/svc/Call\x41\x0f""example.org:555"
		"\x5f\x10""application/grpc");
	REPLY(&t, "\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0");
	REPLY(&t, "\0\0\2\1\4\0\0\0\1\x88\xbe");	/* 200, and an entry that was never made */
	REPLY(&t, "\0\0\1\1\4\0\0\0\1\x88\0\0\5\0\0\0\0\0\1hello"
		  "\0\0\x0f\1\5\0\0\0\1\x40\x0bgrpc-status\1" "5");
	/* stream 3: the same again, by reference, and cut in two */
	ASK(&t, "\0\0\3\1\0\0\0\0\3\x83\x86\xc0\0\0\2\x09\4\0\0\0\3\xbf\xbe");
	REPLY(&t, "\0\0\1\1\5\0\0\0\3\x8d");
}

void make_redis(struct cap *c)
{
	struct talk t;

	cap_pcap(c, 1);
	t = connect_to(c, 6379, true);
	ASK(&t, "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*2\r\n$3\r\nget\r\n$3\r\nkey\r\n");
	REPLY(&t, "+OK\r\n$5\r\nvalue\r\n");
	ASK(&t, "LRANGE list 0 -1\r\n");
	REPLY(&t, "*3\r\n$1\r\na\r\n*2\r\n:1\r\n_\r\n");
	REPLY(&t, "$1\r\nz\r\n>2\r\n+pub\r\n+x\r\n");
	ASK(&t, "*1\r\n$4\r\nINCR\r\n");
	REPLY(&t, "-ERR wrong number of arguments\r\n");
}

void make_kafka(struct cap *c)
{
	struct talk t;

	cap_pcap(c, 1);
	t = connect_to(c, 9092, false);
	ASK(&t, "\0\0\0\x18\0\3\0\1\0\0\0\7\0\5maker\0\0\0\1\0\3one" "\0\0\0\x12\0\x12\0\0\0\0\0\x8\0\5maker\0\0\0");
	REPLY(&t, "\0\0\0\x1c\0\0\0\7\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\3one\0\0\0\0\0");
	REPLY(&t, "\0\0\0\x0a\0\0\0\x8\0\0\0\0\0\0");
}

static void add_hello(struct pk *k, bool server)
{
	size_t start = k->end;

	pk_be(k, server ? 2 : 1, 1);
	pk_be(k, 0, 3);
	pk_be(k, 0x0303, 2);
	for (int i = 0; i < 32; i++)
		pk_be(k, (unsigned int)i, 1);
	pk_be(k, 0, 1);
	if (server) {
		pk_add(k, "\x13\x01\0\0\x0b\0\x2b\0\2\3\4\0\x10\0\1\0", 16);
	} else {
		pk_add(k, "\0\6\x1a\x1a\x13\x01\xc0\x2f\1\0\0\x3d", 12);
		pk_add(k, "\0\0\0\x10\0\x0e\0\0\x0b" "example.org", 20);
		pk_add(k, "\0\x10\0\x0e\0\x0c\2h2\x08http/1.1", 18);
		pk_add(k, "\0\x2b\0\5\4\x3a\x3a\3\4\0\x0a\0\4\0\2\0\x1d", 17);
		pk_add(k, "\0\x0b\0\2\1", 6);
	}
	put_be(k->room + start + 1, k->end - start - 4, 3);
}

static void tls_record(struct talk *t, int from, const uint8_t *p, size_t n)
{
	uint8_t room[600] = { 22, 3, 1, (uint8_t)(n >> 8), (uint8_t)n };

	memcpy(room + 5, p, n);
	segment(t, from, PSH | ACK, room, n + 5);
}

void make_tls(struct cap *c)
{
	struct talk t;
	struct pk k, s;

	cap_pcap(c, 1);
	t = connect_to(c, 443, true);
	pk_start(&k);
	add_hello(&k, false);
	tls_record(&t, 0, k.room + k.at, 50);		/* over two records */
	tls_record(&t, 0, k.room + k.at + 50, k.end - k.at - 50);
	pk_start(&s);
	add_hello(&s, true);
	tls_record(&t, 1, s.room + s.at, s.end - s.at);
	segment(&t, 1, PSH | ACK, "\x17\3\3\0\2xx", 7);
}

/* Up to TLS 1.2 a certificate is in clear; then a handshake that the server refuses, and one that goes on. */
void make_tls12(struct cap *c)
{
	static const uint8_t more[] = "\x16\3\3\0\4\x0e\0\0\0";
	struct talk t;
	struct pk k, s;

	cap_pcap(c, 1);
	t = connect_to(c, 443, true);
	pk_start(&k);
	add_hello(&k, false);
	tls_record(&t, 0, k.room + k.at, k.end - k.at);
	pk_start(&s);
	pk_add(&s, "\2\0\0\x26\3\3server's random number 32 bytes.\0\xc0\x2f\0", 42);
	tls_record(&t, 1, s.room + s.at, s.end - s.at);
	pk_start(&s);
	pk_be(&s, 11, 1);
	pk_be(&s, sizeof(small_cert) + 6, 3);
	pk_be(&s, sizeof(small_cert) + 3, 3);
	pk_be(&s, sizeof(small_cert), 3);
	pk_add(&s, small_cert, sizeof(small_cert));
	tls_record(&t, 1, s.room + s.at, s.end - s.at);
	segment(&t, 1, PSH | ACK, more, sizeof(more) - 1);
	segment(&t, 0, PSH | ACK, "\x15\3\3\0\2\2\x30", 7);
	t = connect_to(c, 8443, true);
	tls_record(&t, 0, k.room + k.at, k.end - k.at);
	segment(&t, 1, PSH | ACK, "\x15\3\3\0\2\2\x46", 7);
}

static void dhcp4(struct cap *c, bool reply, unsigned int type, const char *options, size_t n)
{
	struct pk k;

	pk_start(&k);
	pk_be(&k, reply ? 2 : 1, 1);
	pk_add(&k, "\1\6\0\x12\x34\x56\x78\0\0\0\0\0\0\0\0", 15);
	pk_add(&k, reply ? "\xc0\0\2\x63" : "\0\0\0\0", 4);
	pk_add(&k, "\0\0\0\0\0\0\0\0", 8);
	pk_add(&k, alice.mac, 6);
	for (int i = 0; i < 202; i++)
		pk_be(&k, 0, 1);
	pk_add(&k, "\x63\x82\x53\x63\x35\1", 6);
	pk_be(&k, type, 1);
	pk_add(&k, options, n);
	pk_be(&k, 255, 1);
	pk_udp(&k, reply ? 67 : 68, reply ? 68 : 67);
	pk_ip4(&k, reply ? &bob : &alice, reply ? &alice : &bob, 17);
	pk_ethernet(&k, reply ? &bob : &alice, reply ? alice.mac : bob.mac, 0x0800);
	cap_frame(c, &k);
}

static void dhcp6(struct cap *c, bool reply, const char *message, size_t n)
{
	const struct host *a = reply ? &bob : &alice, *b = reply ? &alice : &bob;
	struct pk k;

	pk_start(&k);
	pk_add(&k, message, n);
	pk_udp(&k, reply ? 547 : 546, reply ? 546 : 547);
	pk_ip6(&k, a->v6, b->v6, 17, 17);
	pk_ethernet(&k, a, b->mac, 0x86dd);
	cap_frame(c, &k);
}

#define DHCP4(reply, type, s) dhcp4(c, reply, type, "" s, sizeof(s) - 1)
#define DHCP6(reply, s)	      dhcp6(c, reply, "" s, sizeof(s) - 1)

void make_dhcp(struct cap *c)
{
	cap_pcap(c, 1);
	DHCP4(false, 1, "\x0c\5alice\x37\4\1\3\6\x0f\x3c\4test");
	DHCP4(true, 2, "\x36\4\xc0\0\2\2\x33\4\0\0\x0e\x10");
	DHCP4(false, 3, "\x32\4\xc0\0\2\x63\x36\4\xc0\0\2\2\x51\x0c\4\0\0\5alice\1x\0");
	DHCP4(true, 6, "\x36\4\xc0\0\2\2");
	DHCP6(false, "\1\0\0\7\0\1\0\4\0\3\0\1\0\6\0\4\0\x17\0\x18");
	DHCP6(true, "\2\0\0\7\0\1\0\4\0\3\0\1\0\2\0\4\0\3\0\2\0\3\0\x28\0\0\0\1\0\0\0\0\0\0\0\0\0\5\0\x18"
		    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0\1\0\0\0\2");
}

/* An address of bob's, by mDNS, that is his own or not. */
static void says_name(struct cap *c, const uint8_t address[4], const char *name)
{
	static const struct host group = { { 1, 0, 0x5e, 0, 0, 0xfb }, { 224, 0, 0, 251 }, { 0 } };
	struct pk k;

	pk_start(&k);
	pk_dns_head(&k, 0, 0x8400, 0, 1, 0);
	pk_name(&k, name);
	pk_be(&k, 0x00018001, 4);
	pk_be(&k, 120, 4);
	pk_be(&k, 4, 2);
	pk_add(&k, address, 4);
	pk_udp(&k, 5353, 5353);
	pk_ip4(&k, &bob, &group, 17);
	pk_ethernet(&k, &bob, group.mac, 0x0800);
	cap_frame(c, &k);
}

/* Neighbour advertisement (RFC 4861, 4.4) with the target's link-layer address. */
static void advertises(struct cap *c, const struct host *h)
{
	struct pk k;

	pk_start(&k);
	pk_add(&k, h->v6, 16);
	pk_be(&k, 0x0201, 2);
	pk_add(&k, h->mac, 6);
	pk_icmp(&k, 136, 0, 0x60000000);
	pk_ip6(&k, h->v6, alice.v6, 58, 58);
	pk_ethernet(&k, h, alice.mac, 0x86dd);
	cap_frame(c, &k);
}

void make_devices(struct cap *c)
{
	cap_pcap(c, 1);
	DHCP4(false, 3, "\x32\4\xc0\0\2\x63\x0c\x0b" "al\x1b[2Jice\n\xff" "\x37\5\1\x79\3\6\x0f\x3c\7test-os");
	DHCP4(true, 5, "\x36\4\xc0\0\2\2\x33\4\0\0\x0e\x10");
	says_name(c, bob.v4, "printer.local");
	says_name(c, gate_a.v4, "reflected.local");
	advertises(c, &bob);
	advertises(c, &gate_b);
}
