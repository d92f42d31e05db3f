// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mkcap DIR: makes the captures of tests/golden.  The same bytes every time, on
 * every machine: no clock, no randomness, file formats in little-endian order.
 */
#include "mkcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct host alice = { { 2, 0, 0, 0, 0, 1 }, { 192, 0, 2, 1 }, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
const struct host bob = { { 2, 0, 0, 0, 0, 2 }, { 192, 0, 2, 2 }, { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
const struct host gate_a = { { 2, 0, 0, 0, 1, 1 }, { 198, 51, 100, 1 }, { 0x20, 1, 0xd, 0xb8, 1, [15] = 1 } };
const struct host gate_b = { { 2, 0, 0, 0, 1, 2 }, { 198, 51, 100, 2 }, { 0x20, 1, 0xd, 0xb8, 1, [15] = 2 } };

void put_be(uint8_t *p, uint64_t v, unsigned int bytes)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

void pk_start(struct pk *k)
{
	k->at = k->end = sizeof(k->room) / 2;
}

void pk_add(struct pk *k, const void *p, size_t n)
{
	if (n > sizeof(k->room) - k->end)
		abort();
	if (n)
		memcpy(k->room + k->end, p, n);
	k->end += n;
}

void pk_be(struct pk *k, uint64_t v, unsigned int bytes)
{
	uint8_t b[8];

	put_be(b, v, bytes);
	pk_add(k, b, bytes);
}

uint8_t *pk_push(struct pk *k, size_t n)
{
	if (n > k->at)
		abort();
	k->at -= n;
	memset(k->room + k->at, 0, n);
	return k->room + k->at;
}

/* RFC 1071, of bytes in network order. */
static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return s;
}

static unsigned int folded(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

/* Where the checksum of that transport lies in its header; 0: none. */
static unsigned int sum_offset(unsigned int proto)
{
	return proto == 6 ? 16 : proto == 17 ? 6 : proto == 1 || proto == 58 ? 2 : 0;
}

static void transport_sum(uint8_t *l4, size_t n, unsigned int proto, const uint8_t *from, const uint8_t *to,
			  size_t address)
{
	unsigned int off = sum_offset(proto);
	uint32_t s = 0;

	if (!off || n < off + 2)
		return;
	if (proto != 1)
		s = sum(from, address, 0) + sum(to, address, 0) + proto + (uint32_t)n;
	put_be(l4 + off, 0, 2);
	put_be(l4 + off, folded(sum(l4, n, s)), 2);
}

void pk_ethernet(struct pk *k, const struct host *from, const uint8_t to[6], unsigned int type)
{
	uint8_t *h = pk_push(k, 14);

	memcpy(h, to, 6);
	memcpy(h + 6, from->mac, 6);
	put_be(h + 12, type, 2);
}

void pk_ip4_sum(uint8_t *ip)
{
	put_be(ip + 10, 0, 2);
	put_be(ip + 10, folded(sum(ip, (size_t)(ip[0] & 15) * 4, 0)), 2);
}

void pk_ip4(struct pk *k, const struct host *from, const struct host *to, unsigned int proto)
{
	size_t n = k->end - k->at;
	uint8_t *h;

	transport_sum(k->room + k->at, n, proto, from->v4, to->v4, 4);
	h = pk_push(k, 20);
	h[0] = 0x45;
	put_be(h + 2, n + 20, 2);
	put_be(h + 4, 0x1234, 2);
	h[6] = 0x40;
	h[8] = 64;
	h[9] = (uint8_t)proto;
	memcpy(h + 12, from->v4, 4);
	memcpy(h + 16, to->v4, 4);
	pk_ip4_sum(h);
}

/* `next` is the first header; when extension headers stand in front of it, `transport` is 0 and
 * its sum is already there. */
void pk_ip6(struct pk *k, const uint8_t from[16], const uint8_t to[16], unsigned int next,
	    unsigned int transport)
{
	size_t n = k->end - k->at;
	uint8_t *h;

	transport_sum(k->room + k->at, n, transport, from, to, 16);
	h = pk_push(k, 40);
	h[0] = 0x60;
	put_be(h + 4, n, 2);
	h[6] = (uint8_t)next;
	h[7] = next == 58 ? 255 : 64;
	memcpy(h + 8, from, 16);
	memcpy(h + 24, to, 16);
}

void pk_udp(struct pk *k, unsigned int sport, unsigned int dport)
{
	size_t n = k->end - k->at;
	uint8_t *h = pk_push(k, 8);

	put_be(h, sport, 2);
	put_be(h + 2, dport, 2);
	put_be(h + 4, n + 8, 2);
}

void pk_tcp(struct pk *k, unsigned int sport, unsigned int dport, uint32_t seq, uint32_t ack,
	    unsigned int flags)
{
	bool syn = flags & 2;
	uint8_t *h = pk_push(k, syn ? 24 : 20);

	put_be(h, sport, 2);
	put_be(h + 2, dport, 2);
	put_be(h + 4, seq, 4);
	put_be(h + 8, ack, 4);
	h[12] = syn ? 0x60 : 0x50;
	h[13] = (uint8_t)flags;
	put_be(h + 14, 64240, 2);
	if (syn)
		put_be(h + 20, 0x020405b4, 4);	/* MSS 1460 */
}

void pk_icmp(struct pk *k, unsigned int type, unsigned int code, uint32_t rest)
{
	uint8_t *h = pk_push(k, 8);

	h[0] = (uint8_t)type;
	h[1] = (uint8_t)code;
	put_be(h + 4, rest, 4);
}

static void le(struct cap *c, uint64_t v, unsigned int bytes)
{
	if (bytes > sizeof(c->p) - c->n)
		abort();
	for (unsigned int i = 0; i < bytes; i++, v >>= 8)
		c->p[c->n++] = (uint8_t)v;
}

static void bytes_add(struct cap *c, const void *p, size_t n)
{
	if (n > sizeof(c->p) - c->n)
		abort();
	memcpy(c->p + c->n, p, n);
	c->n += n;
}

void cap_pcap(struct cap *c, unsigned int link)
{
	le(c, 0xa1b2c3d4, 4);
	le(c, 2, 2);
	le(c, 4, 2);
	le(c, 0, 8);
	le(c, 262144, 4);
	le(c, link, 4);
}

static void advance(struct cap *c)
{
	c->ns += 1250000;
}

void cap_cut(struct cap *c, const struct pk *k, size_t cap)
{
	size_t n = k->end - k->at;

	advance(c);
	le(c, c->ns / 1000000000, 4);
	le(c, c->ns / 1000 % 1000000, 4);
	le(c, cap < n ? cap : n, 4);
	le(c, n, 4);
	bytes_add(c, k->room + k->at, cap < n ? cap : n);
}

void cap_frame(struct cap *c, const struct pk *k)
{
	cap_cut(c, k, k->end - k->at);
}

static void option(struct cap *c, unsigned int code, const void *p, size_t n)
{
	le(c, code, 2);
	le(c, n, 2);
	bytes_add(c, p, n);
	le(c, 0, -n & 3);
}

static size_t block(struct cap *c, unsigned int type)
{
	size_t at = c->n;

	le(c, type, 4);
	le(c, 0, 4);
	return at;
}

static void block_end(struct cap *c, size_t at)
{
	size_t n = c->n - at + 4, end = c->n;

	le(c, n, 4);
	c->n = at + 4;
	le(c, n, 4);
	c->n = end + 4;
}

void cap_pcapng(struct cap *c)
{
	size_t at = block(c, 0x0a0d0d0a);

	le(c, 0x1a2b3c4d, 4);
	le(c, 1, 2);
	le(c, 0, 2);
	le(c, UINT64_MAX, 8);
	option(c, 4, "mkcap", 5);
	option(c, 0, "", 0);
	block_end(c, at);
	c->ng = true;
}

void cap_interface(struct cap *c, unsigned int link, const char *name, unsigned int resolution)
{
	size_t at = block(c, 1);
	uint8_t r = (uint8_t)resolution;

	le(c, link, 2);
	le(c, 0, 2);
	le(c, 262144, 4);
	option(c, 2, name, strlen(name));
	option(c, 9, &r, 1);
	option(c, 0, "", 0);
	block_end(c, at);
}

void cap_packet(struct cap *c, unsigned int iface, const struct pk *k, uint32_t flags, const char *comment,
		uint64_t dropcount)
{
	size_t at = block(c, 6), n = k->end - k->at;

	advance(c);
	c->ns += 7;	/* not whole microseconds */
	le(c, iface, 4);
	le(c, c->ns >> 32, 4);
	le(c, c->ns & 0xffffffff, 4);
	le(c, n, 4);
	le(c, n, 4);
	bytes_add(c, k->room + k->at, n);
	le(c, 0, -n & 3);
	if (comment)
		option(c, 1, comment, strlen(comment));
	if (flags) {
		le(c, 2 | 4 << 16, 4);
		le(c, flags, 4);
	}
	if (dropcount) {
		le(c, 4 | 8 << 16, 4);
		le(c, dropcount, 8);
	}
	option(c, 0, "", 0);
	block_end(c, at);
}

void cap_statistics(struct cap *c, unsigned int iface, uint64_t received, uint64_t dropped)
{
	size_t at = block(c, 5);

	le(c, iface, 4);
	le(c, c->ns >> 32, 4);
	le(c, c->ns & 0xffffffff, 4);
	le(c, 4 | 8 << 16, 4);
	le(c, received, 8);
	le(c, 7 | 8 << 16, 4);
	le(c, dropped, 8);
	option(c, 0, "", 0);
	block_end(c, at);
}

static const struct {
	const char *name;
	void (*make)(struct cap *c);
} files[] = {
	{ "arp-icmp.pcap", make_arp_icmp },
	{ "dns-udp.pcap", make_dns_udp },
	{ "dns-tcp.pcap", make_dns_tcp },
	{ "dns-pipelined.pcap", make_dns_pipelined },
	{ "dns-words.pcap", make_dns_words },
	{ "mdns.pcap", make_mdns },
	{ "tcp.pcap", make_tcp },
	{ "ipv6-ext.pcap", make_ipv6_ext },
	{ "fragments.pcap", make_fragments },
	{ "vlan.pcap", make_vlan },
	{ "tunnels.pcap", make_tunnels },
	{ "icmp-errors.pcap", make_icmp_errors },
	{ "malformed.pcap", make_malformed },
	{ "two-interfaces.pcapng", make_two_interfaces },
	{ "hostile.pcapng", make_hostile },
	{ "http.pcap", make_http },
	{ "http2.pcap", make_http2 },
	{ "redis.pcap", make_redis },
	{ "kafka.pcap", make_kafka },
	{ "tls.pcap", make_tls },
	{ "tls12.pcap", make_tls12 },
	{ "dhcp.pcap", make_dhcp },
	{ "devices.pcap", make_devices },
	{ "flows.pcap", make_flows },
	{ "alerts.pcap", make_alerts },
};

static int save(const char *dir, const char *name, const struct cap *c)
{
	char path[4096];
	FILE *f;
	int bad;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f) {
		perror(path);
		return 1;
	}
	bad = fwrite(c->p, 1, c->n, f) != c->n;
	bad |= fclose(f);
	if (bad)
		perror(path);
	return bad;
}

int main(int argc, char **argv)
{
	static struct cap c;

	if (argc != 2) {
		fprintf(stderr, "Usage: mkcap DIR\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		c = (struct cap){ .ns = 1704067200000000000 };	/* 2024-01-01 */
		files[i].make(&c);
		if (save(argv[1], files[i].name, &c))
			return 1;
	}
	return 0;
}
