/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_APPS_H
#define NETPROBE_APPS_H

/*
 * Which TCP bytes can a decoder need?  Those of ports it is known by, and of connections in which
 * something that looks like the beginning of a message was seen a short while ago.  When in
 * doubt, too many: user space decides.
 */
#define MARKS	     16384		/* a connection has a place by its hash; two may share one */
#define MARK_SECONDS 60
#define LEFT_HEAD    16			/* packets after a message's first: of HTTP/1 and TLS its head */
#define LEFT_ALL     0xffffffffu

/* Maps, not global data: without CAP_PERFMON older kernels refuse to add to its address. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, __u32);		/* a bit for each port */
} np_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MARKS);
	__type(key, __u32);
	__type(value, __u64);		/* until when, in seconds, and how many packets are left */
} np_marks SEC(".maps");

struct tcp_start {
	__u16 port[2];
	__u32 seq, ack;
	__u8 offset, flags;
};

static __always_inline bool is_app_port(__u16 port)
{
	__u32 word = bpf_ntohs(port) >> 5, *bits = bpf_map_lookup_elem(&np_ports, &word);

	return bits && *bits >> (bpf_ntohs(port) & 31) & 1;
}

static __always_inline __u32 flow_hash(const __u8 *h, const struct tcp_start *t, bool six)
{
	__u32 x = t->port[0] ^ t->port[1], w[8] = { 0 };

	if (six)
		__builtin_memcpy(w, h + 8, 32);
	else
		__builtin_memcpy(w, h + 12, 8);
	x ^= w[0] ^ w[1] ^ w[2] ^ w[3] ^ w[4] ^ w[5] ^ w[6] ^ w[7];
	return x * 0x9e3779b1u >> 18;
}

/* How many packets from this one on may belong to a message that these bytes begin; 0: none does. */
static __always_inline __u32 begins(const __u8 *p, __u32 payload)
{
	switch ((__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3]) {
	case 0x47455420: case 0x504f5354: case 0x48454144: case 0x50555420:	/* GET POST HEAD PUT */
	case 0x44454c45: case 0x4f505449: case 0x50415443: case 0x434f4e4e:	/* DELE OPTI PATC CONN */
	case 0x54524143: case 0x50524f50: case 0x48545450:			/* TRAC PROP HTTP */
		return LEFT_HEAD;
	case 0x50524920: case 0x2b504f4e:					/* PRI, +PON */
		return LEFT_ALL;
	}
	if (p[0] == 0x16 && p[1] == 3 && p[2] <= 4)		/* a TLS handshake record */
		return LEFT_HEAD;
	if (p[0] == '*' && p[1] >= '1' && p[1] <= '9')		/* a Redis command */
		return LEFT_ALL;
	if (!p[0] && (p[1] | p[2] | p[3]) && !p[4] && p[5] < 100 && !p[6] && p[7] < 24)	/* a Kafka request */
		return LEFT_ALL;
	return ((__u32)p[0] << 8 | p[1]) + 2 == payload ? LEFT_ALL : 0;	/* a DNS message with its length */
}

enum interest { NOTHING, WHOLE, HEADERS };

/* h: an IP header; off: where TCP begins; payload: bytes of it and what follows, by the IP header. */
static __always_inline enum interest tcp_interest(struct __sk_buff *skb, __u64 off, const __u8 *h, bool six,
						  __u32 length)
{
	__u32 now = (__u32)(bpf_ktime_get_ns() >> 30), left, until, place;
	struct tcp_start t;
	__u64 *m;
	__u8 p[8];

	if (load_bytes(skb, off, &t, sizeof(t)) || is_app_port(t.port[0]) || is_app_port(t.port[1]))
		return WHOLE;
	off += (t.offset >> 4) * 4;
	place = flow_hash(h, &t, six);
	m = bpf_map_lookup_elem(&np_marks, &place);
	if (!m)
		return WHOLE;
	if (load_bytes(skb, off, p, sizeof(p)))		/* too short to be cut */
		return HEADERS;
	left = begins(p, length - (t.offset >> 4) * 4);
	if (left) {
		*m = (__u64)(now + MARK_SECONDS) << 32 | left;
		return WHOLE;
	}
	until = *m >> 32;
	left = (__u32)*m;
	if (until < now || !left)
		return NOTHING;
	if (left != LEFT_ALL)
		left--;
	else
		until = now + MARK_SECONDS;
	*m = (__u64)until << 32 | left;
	return WHOLE;
}

#endif
