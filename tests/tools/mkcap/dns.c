// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "mkcap.h"

enum { A = 1, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33 };
enum { QUERY = 0x0100, RESPONSE = 0x8180, NXDOMAIN = 0x8183, MDNS_RESPONSE = 0x8400 };
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

static const uint8_t txt_spf[] = "\x0bv=spf1 -all";

void pk_name(struct pk *k, const char *dotted)
{
	size_t n;

	for (const char *p = dotted; *p; p += n + (p[n] == '.')) {
		n = strcspn(p, ".");
		pk_be(k, n, 1);
		pk_add(k, p, n);
	}
	pk_be(k, 0, 1);
}

void pk_dns_head(struct pk *k, unsigned int id, unsigned int flags, unsigned int questions,
		 unsigned int answers, unsigned int extras)
{
	pk_be(k, id, 2);
	pk_be(k, flags, 2);
	pk_be(k, questions, 2);
	pk_be(k, answers, 2);
	pk_be(k, 0, 2);
	pk_be(k, extras, 2);
}

void pk_question(struct pk *k, const char *name, unsigned int type)
{
	pk_name(k, name);
	pk_be(k, type, 2);
	pk_be(k, 1, 2);
}

void pk_answer(struct pk *k, unsigned int type, uint32_t ttl, unsigned int bytes)
{
	pk_be(k, 0xc00c, 2);
	pk_be(k, type, 2);
	pk_be(k, 1, 2);
	pk_be(k, ttl, 4);
	pk_be(k, bytes, 2);
}

static void udp4(struct cap *c, struct pk *k, bool reply)
{
	const struct host *from = reply ? &bob : &alice, *to = reply ? &alice : &bob;

	pk_udp(k, reply ? 53 : 40053, reply ? 40053 : 53);
	pk_ip4(k, from, to, 17);
	pk_ethernet(k, from, to->mac, 0x0800);
	cap_frame(c, k);
}

static void ask(struct cap *c, unsigned int id, const char *name, unsigned int type)
{
	struct pk k;

	pk_start(&k);
	pk_dns_head(&k, id, QUERY, 1, 0, 1);
	pk_question(&k, name, type);
	pk_add(&k, "\0\0\x29\x04\xd0\0\0\0\0\0", 11);	/* OPT: 1232 bytes */
	udp4(c, &k, false);
}

static void reply_start(struct pk *k, unsigned int id, unsigned int flags, const char *name,
			unsigned int type, unsigned int answers)
{
	pk_start(k);
	pk_dns_head(k, id, flags, 1, answers, 0);
	pk_question(k, name, type);
}

void make_dns_udp(struct cap *c)
{
	struct pk k;

	cap_pcap(c, 1);
	ask(c, 1, "www.example.org", A);
	reply_start(&k, 1, RESPONSE, "www.example.org", A, 2);
	pk_answer(&k, A, 300, 4);
	pk_add(&k, "\xc0\0\x02\x50", 4);
	pk_answer(&k, A, 300, 4);
	pk_add(&k, "\xc0\0\x02\x51", 4);
	udp4(c, &k, true);
	ask(c, 2, "www.example.org", AAAA);
	reply_start(&k, 2, RESPONSE, "www.example.org", AAAA, 1);
	pk_answer(&k, AAAA, 300, 16);
	pk_add(&k, bob.v6, 16);
	udp4(c, &k, true);
	ask(c, 3, "example.org", MX);
	reply_start(&k, 3, RESPONSE, "example.org", MX, 1);
	pk_answer(&k, MX, 3600, 9);
	pk_be(&k, 10, 2);
	pk_add(&k, "\4mail\xc0\x0c", 7);
	udp4(c, &k, true);
	ask(c, 4, "example.org", TXT);
	reply_start(&k, 4, RESPONSE, "example.org", TXT, 1);
	pk_answer(&k, TXT, 60, sizeof(txt_spf) - 1);
	pk_add(&k, txt_spf, sizeof(txt_spf) - 1);
	udp4(c, &k, true);
	ask(c, 5, "nowhere.example.org", A);
	reply_start(&k, 5, NXDOMAIN, "nowhere.example.org", A, 0);
	udp4(c, &k, true);
	ask(c, 6, "silence.example.org", A);
}

struct stream {
	uint32_t client, server;
};

/* One segment of either side; the sequence numbers go on. */
static void segment(struct cap *c, struct stream *t, bool reply, unsigned int flags, const uint8_t *p,
		    size_t n)
{
	const struct host *from = reply ? &bob : &alice, *to = reply ? &alice : &bob;
	uint32_t *mine = reply ? &t->server : &t->client, other = reply ? t->client : t->server;
	struct pk k;

	pk_start(&k);
	pk_add(&k, p, n);
	pk_tcp(&k, reply ? 53 : 40054, reply ? 40054 : 53, *mine, flags & ACK ? other : 0, flags);
	pk_ip4(&k, from, to, 6);
	pk_ethernet(&k, from, to->mac, 0x0800);
	cap_frame(c, &k);
	*mine += (uint32_t)n + (flags & (SYN | FIN) ? 1 : 0);
}

/* A message behind its length, as over TCP; returns its bytes. */
static size_t with_length(struct pk *k)
{
	size_t n = k->end - k->at;

	put_be(pk_push(k, 2), n, 2);
	return n + 2;
}

void make_dns_tcp(struct cap *c)
{
	struct stream t = { 1000, 9000 };
	struct pk k;
	size_t n;

	cap_pcap(c, 1);
	segment(c, &t, false, SYN, NULL, 0);
	segment(c, &t, true, SYN | ACK, NULL, 0);
	segment(c, &t, false, ACK, NULL, 0);
	pk_start(&k);
	pk_dns_head(&k, 7, QUERY, 1, 0, 0);
	pk_question(&k, "big.example.org", TXT);
	n = with_length(&k);
	segment(c, &t, false, ACK, k.room + k.at, 1);	/* even the length comes in two */
	segment(c, &t, false, PSH | ACK, k.room + k.at + 1, n - 1);
	reply_start(&k, 7, RESPONSE, "big.example.org", TXT, 2);
	for (unsigned int i = 0; i < 2; i++) {
		pk_answer(&k, TXT, 60, 201);
		pk_be(&k, 200, 1);
		for (unsigned int j = 0; j < 50; j++)
			pk_add(&k, "data", 4);
	}
	n = with_length(&k);
	segment(c, &t, true, ACK, k.room + k.at, 2);
	segment(c, &t, true, ACK, k.room + k.at + 2, 200);
	segment(c, &t, true, PSH | ACK, k.room + k.at + 202, n - 202);
	segment(c, &t, false, FIN | ACK, NULL, 0);
	segment(c, &t, true, FIN | ACK, NULL, 0);
	segment(c, &t, false, ACK, NULL, 0);
}

/* Three queries in one segment; of their responses, the second lies in two. */
void make_dns_pipelined(struct cap *c)
{
	static const char *const names[] = { "a.b", "c.example", "e" };
	struct stream t = { 1000, 9000 };
	uint8_t asked[128], answered[256];
	size_t n_asked = 0, n_answered = 0, n;
	struct pk k;

	cap_pcap(c, 1);
	for (unsigned int i = 0; i < 3; i++) {
		pk_start(&k);
		pk_dns_head(&k, i + 1, QUERY, 1, 0, 0);
		pk_question(&k, names[i], A);
		n = with_length(&k);
		memcpy(asked + n_asked, k.room + k.at, n);
		n_asked += n;
		reply_start(&k, i + 1, RESPONSE, names[i], A, 1);
		pk_answer(&k, A, 300, 4);
		pk_add(&k, "\xc0\0\x02\x50", 4);
		n = with_length(&k);
		memcpy(answered + n_answered, k.room + k.at, n);
		n_answered += n;
	}
	segment(c, &t, false, SYN, NULL, 0);
	segment(c, &t, true, SYN | ACK, NULL, 0);
	segment(c, &t, false, PSH | ACK, asked, n_asked);
	segment(c, &t, true, ACK, answered, 60);
	segment(c, &t, true, PSH | ACK, answered + 60, n_answered - 60);
}

static void mdns_record(struct pk *k, const char *name, unsigned int type, unsigned int class)
{
	pk_name(k, name);
	pk_be(k, type, 2);
	pk_be(k, class, 2);
	pk_be(k, 120, 4);
}

void make_mdns(struct cap *c)
{
	static const struct host group = { { 1, 0, 0x5e, 0, 0, 0xfb },
					   { 224, 0, 0, 251 },
					   { 0xff, 2, [15] = 0xfb } };
	static const uint8_t group6_mac[6] = { 0x33, 0x33, 0, 0, 0, 0xfb };
	struct pk k;

	cap_pcap(c, 1);
	pk_start(&k);
	pk_dns_head(&k, 0, 0, 1, 0, 0);
	pk_question(&k, "_http._tcp.local", PTR);
	pk_udp(&k, 5353, 5353);
	pk_ip4(&k, &alice, &group, 17);
	pk_ethernet(&k, &alice, group.mac, 0x0800);
	cap_frame(c, &k);

	pk_start(&k);
	pk_dns_head(&k, 0, MDNS_RESPONSE, 0, 1, 2);
	mdns_record(&k, "_http._tcp.local", PTR, 1);
	pk_be(&k, 10, 2);
	pk_add(&k, "\7printer\xc0\x0c", 10);
	mdns_record(&k, "printer._http._tcp.local", SRV, 0x8001);	/* 0x8000: flush the cache */
	pk_be(&k, 21, 2);
	pk_add(&k, "\0\0\0\0\0\x50\7printer\5local", 21);
	mdns_record(&k, "printer._http._tcp.local", TXT, 0x8001);
	pk_be(&k, 7, 2);
	pk_add(&k, "\6path=/", 7);
	pk_udp(&k, 5353, 5353);
	pk_ip4(&k, &bob, &group, 17);
	pk_ethernet(&k, &bob, group.mac, 0x0800);
	cap_frame(c, &k);

	pk_start(&k);
	pk_dns_head(&k, 0, 0, 1, 0, 0);
	pk_name(&k, "printer.local");
	pk_be(&k, AAAA, 2);
	pk_be(&k, 0x8001, 2);	/* 0x8000: answer to me alone */
	pk_udp(&k, 5353, 5353);
	pk_ip6(&k, alice.v6, group.v6, 17, 17);
	pk_ethernet(&k, &alice, group6_mac, 0x86dd);
	cap_frame(c, &k);
}

/* Names meant for the terminal of whoever looks: none of it may get there. */
void make_hostile(struct cap *c)
{
	static const char *const names[] = {
		"\x1b]0;owned\x07\x1b[31mred\x1b[0m.example.org",
		"line\nbreak\r.example.org",
		"\2332Jc1.example.org",
		"bidi\342\200\256gro.example.org",
		"not\xff\xfeutf8.example.org",
		"quote\"comma,back\\slash.example.org",
		"zero\xe2\x80\x8bwidth.example.org",
	};
	struct pk k;

	cap_pcapng(c);
	cap_interface(c, 1, "eth0\x1b[2J\n", 9);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		pk_start(&k);
		pk_dns_head(&k, i + 1, NXDOMAIN, 1, 0, 0);
		pk_question(&k, names[i], A);
		pk_udp(&k, 53, 40053);
		pk_ip4(&k, &bob, &alice, 17);
		pk_ethernet(&k, &bob, alice.mac, 0x0800);
		cap_packet(c, 0, &k, 1, i ? NULL : "comment \x1b[5m with escapes", 0);
	}
}

#define MESSAGE(from, to, literal) { from, to, sizeof(literal) - 1, literal }
#define A_EXAMPLE "\1a\7example\0"

/* What a line of DNS has words for beside names and addresses. */
void make_dns_words(struct cap *c)
{
	static const struct { uint16_t from, to, n; const char *p; } messages[] = {
		/* three questions; two of them answered */
		MESSAGE(4000, 53, "\0\1\1\0\0\3\0\0\0\0\0\0\1a\1b\0\0\1\0\1\1c\1d\0\0\x1c\0\1"
				  "\1e\1f\0\0\x0f\0\1"),
		MESSAGE(53, 4000, "\0\1\x85\x80\0\2\0\1\0\0\0\0" A_EXAMPLE "\0\1\0\1\1b\0\0\x10\0\3"
				  "\xc0\x1b\0\x10\0\3\0\0\0\5\0\4\3one"),
		/* an order of counts; flags of no use in a query; NOTIFY, whose AA is of use; IQUERY; no question */
		MESSAGE(4000, 53, "\0\2\1\0\0\2\0\0\0\1\0\1" A_EXAMPLE "\0\xff\0\1\xc0\x0c\0\xff\0\3"
				  "\xc0\x0c\0\2\0\1\0\0\0\5\0\2\xc0\x0e\0\0\x29\4\xd0\0\0\0\0\0\0"),
		MESSAGE(4000, 53, "\0\3\0\xc5\0\1\0\0\0\0\0\0" A_EXAMPLE "\0\1\0\1"),
		MESSAGE(4000, 53, "\0\4\x24\0\0\1\0\1\0\0\0\0" A_EXAMPLE "\0\6\0\1"
				  "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\1\2\3\4"),
		MESSAGE(4000, 53, "\0\5\x08\0\0\0\0\1\0\0\0\0" A_EXAMPLE "\0\1\0\1\0\0\0\5\0\4\1\2\3\4"),
		MESSAGE(4000, 53, "\0\6\1\0\0\0\0\0\0\0\0\0"),
		/* an UPDATE, one of whose records has no data, as it may */
		MESSAGE(4000, 53, "\0\7\x28\0\0\1\0\1\0\0\0\0" A_EXAMPLE "\0\6\0\1\xc0\x0c\0\5\0\xff\0\0\0\0\0\0"),
		/* URI and CAA, and CAA that is too short for its tag */
		MESSAGE(53, 4000, "\0\x08\x81\x80\0\1\0\2\0\0\0\0" A_EXAMPLE "\1\0\0\1"
				  "\xc0\x0c\1\0\0\1\0\0\0\5\0\x0d\0\x0a\0\5http://a/\xc0\x0c\1\1\0\1\0\0\0\5\0\x0d"
				  "\x80\5issuea.test"),
		MESSAGE(53, 4000, "\0\x09\x81\x80\0\1\0\1\0\0\0\0" A_EXAMPLE "\1\1\0\1"
				  "\xc0\x0c\1\1\0\1\0\0\0\5\0\4\0\5is"),
		/* names that break the rules: a question's, an alias, an owner's; and an address of three bytes */
		MESSAGE(4000, 53, "\0\x0a\1\0\0\1\0\0\0\0\0\0\1a\xc0\x80\0\1\0\1"),
		MESSAGE(53, 4000, "\0\x0b\x81\x80\0\1\0\2\0\0\0\0" A_EXAMPLE "\0\1\0\1"
				  "\xc0\x0c\0\5\0\1\0\0\0\5\0\2\xc0\xff\xc0\xff\0\1\0\1\0\0\0\5\0\4\1\2\3\4"),
		MESSAGE(53, 4000, "\0\x0c\x81\x80\0\1\0\1\0\0\0\0" A_EXAMPLE "\0\1\0\1"
				  "\xc0\x0c\0\1\0\1\0\0\0\5\0\3\1\2\3"),
		/* multicast: a question for a unicast response and one that is not; records that flush caches and do not */
		MESSAGE(5353, 5353, "\0\0\0\0\0\2\0\0\0\0\0\0\1a\5local\0\0\1\x80\1\xc0\x0c\0\x1c\0\1"),
		MESSAGE(5353, 5353, "\0\0\x84\0\0\0\0\2\0\0\0\0\1a\5local\0\0\1\x80\1\0\0\0\x78\0\4\1\2\3\4"
				    "\xc0\x0c\0\2\0\1\0\0\0\x78\0\2\xc0\x0e"),
		/* LLMNR: conflict, tentative, what is reserved there */
		MESSAGE(4000, 5355, "\0\x0d\4\0\0\1\0\0\0\0\0\0\4host\0\0\1\0\1"),
		MESSAGE(5355, 4000, "\0\x0d\x81\0\0\1\0\1\0\0\0\0\4host\0\0\1\0\1"
				    "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\1\2\3\4"),
		MESSAGE(4000, 5355, "\0\x0e\1\x80\0\1\0\0\0\0\0\0\4host\0\0\1\0\1"),
	};
	struct pk k;

	cap_pcap(c, 1);
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		bool reply = messages[i].to == 4000;
		const struct host *from = reply ? &bob : &alice, *to = reply ? &alice : &bob;

		pk_start(&k);
		pk_add(&k, messages[i].p, messages[i].n);
		pk_udp(&k, messages[i].from, messages[i].to);
		pk_ip4(&k, from, to, 17);
		pk_ethernet(&k, from, to->mac, 0x0800);
		cap_frame(c, &k);
	}
	cap_cut(c, &k, 14 + 20 + 8 + 20);
}
