// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counting in the kernel: what passes an interface, and the conversations in it, at XDP or at tc (tcx, clsact).  It
 * observes: no verdict, no write to a frame, but that at tc the headers are pulled into one piece when they are not.
 * Nothing is sent to user space; whoever wants to know maps the arrays.  Types of the UAPI only, so it loads on a
 * kernel without BTF, from 5.10 on.
 */
#include <stddef.h>
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "abi.h"
#include "parse.h"
#include "flow_abi.h"
#include "count_abi.h"
#include "count_pieces.h"

#define NEXT (-1)		/* TC_ACT_UNSPEC, TCX_NEXT */
#define HEADERS 256		/* bytes that must lie in one piece, where there are so many */
#define LAYERS 3		/* IP headers, one in another */
#define OUTGOING 4		/* PACKET_OUTGOING */

/* A frame as a whole. */
struct passing {
	__u32 len, segments;	/* as the stack has it: a super-packet is many */
	__u32 payload;		/* of the innermost transport */
	__u32 absent, tag;	/* bytes of a VLAN tag that is beside the data, and its id */
	__u32 tunnel;		/* of the layers so far, four bits each */
	__u32 iface, cpu;	/* iface: of keys */
};

/* Of the interface and this CPU; NULL: the interface is not one of ours. */
static __always_inline struct np_counts *counts(struct passing *m, __u32 ifindex, enum np_count_dir dir)
{
	__u32 at, n = 0;
	__u64 *iface;

	if (conf.iface_mask) {
		at = ifindex & conf.iface_mask;
		iface = bpf_map_lookup_elem(&np_ifaces, &at);
		if (!iface)
			return NULL;
		n = *iface >> 32 == ifindex ? (__u32)*iface : 0;
	}
	m->iface = conf.per_interface ? n + 1 : 0;
	m->cpu = bpf_get_smp_processor_id();
	at = (n * conf.cpus + m->cpu) * NP_COUNT_DIRS + dir;
	return bpf_map_lookup_elem(&np_counts, &at);
}

/* The time at the last tick of the timer or a little later: a call for the exact one costs more than all the rest. */
static __always_inline __u64 coarse_ns(struct np_counts *c)
{
	__u64 now = bpf_jiffies64(), ticks = now - c->clock_jiffies;

	if (ticks < conf.ticks_s)
		return c->clock_ns + ticks * conf.tick_ns;
	c->clock_jiffies = now;
	c->clock_ns = bpf_ktime_get_ns();
	return c->clock_ns;
}

/* ── counters ─────────────────────────────────────────────────────────────── */

/* What a frame is counted as, by its outermost headers. */
struct classes {
	__u32 version, flags, transport;	/* transport: IANA number; 256: none */
	__u32 reading;				/* enum np_reading */
	__u32 fragment, tagged, tunnelled;	/* 0: not */
};

static __always_inline void add(struct np_tally *t, __u32 packets, __u64 bytes)
{
	t->packets += packets;
	t->bytes += bytes;
}

static __always_inline __u32 size_class(__u32 n)
{
	return n <= 64	 ? NP_SIZE_64 :
	       n <= 127	 ? NP_SIZE_127 :
	       n <= 255	 ? NP_SIZE_255 :
	       n <= 511	 ? NP_SIZE_511 :
	       n <= 1023 ? NP_SIZE_1023 :
	       n <= 1518 ? NP_SIZE_1518 :
	       n <= 9018 ? NP_SIZE_9018 :
			   NP_SIZE_MORE;
}

static __always_inline __u32 flag_class(__u32 f, __u32 payload)
{
	return f & TCP_RST ? NP_FLAGS_RST :
	       f & TCP_SYN ? (f & TCP_ACK ? NP_FLAGS_SYN_ACK : NP_FLAGS_SYN) :
	       f & TCP_FIN ? NP_FLAGS_FIN :
	       payload	   ? NP_FLAGS_DATA :
	       f & TCP_ACK ? NP_FLAGS_ACK :
			     NP_FLAGS_OTHER;
}

static __always_inline __u64 on_wire(const struct passing *m, __u64 bytes)
{
	if (m->segments == 1)
		return bytes;
	return bytes + (m->segments - 1) * (bytes > m->payload ? bytes - m->payload : 0);
}

/* What is the rest of others is not counted beside: neither all packets nor those without TCP. */
static __always_inline void count_frame(struct np_counts *c, const struct passing *m, struct classes *k)
{
	__u32 n = m->segments, len = m->len + m->absent, size = size_class(n > 1 ? len / n : len);
	__u64 bytes = on_wire(m, len);

	size = unknown(c, 1, size);
	k->version = unknown(c, 2, k->version);
	k->flags = unknown(c, 3, k->flags);

	c->frames++;
	c->frame_bytes += m->len;
	add(&c->version[k->version & (NP_VERSIONS - 1)], n, bytes);
	add(&c->size[size & (NP_SIZES - 1)], n, bytes);
	if (k->flags != NP_FLAGS_NONE)
		add(&c->flags[k->flags & (NP_FLAG_CLASSES - 1)], n, bytes);
	if (k->reading)
		add(&c->reading[k->reading & 15], n, bytes);
	if (k->fragment)
		add(&c->fragments, n, bytes);
	if (k->tagged)
		add(&c->tagged, n, bytes);
	if (k->tunnelled)
		add(&c->tunnelled, n, bytes);
}

static __always_inline void count_transport(const struct passing *m, __u32 transport, enum np_count_dir dir)
{
	__u32 at = m->cpu * NP_COUNT_DIRS + dir;
	struct np_transports *v = bpf_map_lookup_elem(&np_transports, &at);

	if (v && transport < 256)
		add(&v->v[IN(transport, 256)], m->segments, on_wire(m, m->len + m->absent));
}

static __always_inline void classify(struct classes *k, tuple *t)
{
	__u32 family = t->family;

	k->version = family == 4 ? NP_VERSION_4 : family == 6 ? NP_VERSION_6 : t->ethertype == 0x0806 ? NP_VERSION_ARP :
												NP_VERSION_OTHER;
	k->flags = t->has_tcp ? flag_class(t->tcp_flags, t->payload_len) : NP_FLAGS_NONE;
	k->transport = !family ? 256 : t->has_ah ? 51 : t->proto;
	k->reading = t->reading;
	k->fragment = t->fragment;
	k->tagged = t->vlans;
	k->tunnelled = t->tunnel;
}

/* ── conversations ────────────────────────────────────────────────────────── */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "put_key() is for little endian"
#endif

/* An IP header's two ends, as numbers, and what else is in a key. */
struct ends {
	__u64 src[2], dst[2], sport, dport;	/* ports: NP_NOT_KNOWN without */
	__u64 proto, version, tunnel, iface;
};

/*
 * The lower address, then port, first; by_sender: the sender first.  The ports and what follows them are stored as one
 * word: what is stored by bytes is slow to be loaded by words.
 */
static __always_inline void put_key(struct flow_packet *p, const struct ends *e, bool by_sender)
{
	__u64 *w = (__u64 *)&p->key, tail = e->proto << 32 | e->version << 40 | e->tunnel << 48;

	p->key.iface = e->iface;
	if (e->sport < NP_NOT_KNOWN)
		tail |= 1ull << 56;
	if (!by_sender && (e->src[0] != e->dst[0] ? e->src[0] > e->dst[0] :
			   e->src[1] != e->dst[1] ? e->src[1] > e->dst[1] :
						    e->sport > e->dport)) {
		w[0] = bpf_cpu_to_be64(e->dst[0]);
		w[1] = bpf_cpu_to_be64(e->dst[1]);
		w[2] = bpf_cpu_to_be64(e->src[0]);
		w[3] = bpf_cpu_to_be64(e->src[1]);
		w[4] = tail | (e->dport & 65535) | (e->sport & 65535) << 16;
		p->from = 1;
	} else {
		w[0] = bpf_cpu_to_be64(e->src[0]);
		w[1] = bpf_cpu_to_be64(e->src[1]);
		w[2] = bpf_cpu_to_be64(e->dst[0]);
		w[3] = bpf_cpu_to_be64(e->dst[1]);
		w[4] = tail | (e->sport & 65535) | (e->dport & 65535) << 16;
		p->from = 0;
	}
}

static __always_inline void put_rest(struct flow_packet *p, struct np_counts *c, tuple *t, const struct passing *m)
{
	p->time_ns = coarse_ns(c);
	p->packets = m->segments;
	p->bytes = on_wire(m, t->ip_len);
	p->ttl = t->ttl;
	p->tos = t->tos;
	p->vlans = 0;
	p->vlan[0] = p->vlan[1] = 0;
	if (!m->tunnel) {
		p->vlans = t->vlans < FLOW_VLANS_MAX ? t->vlans : FLOW_VLANS_MAX;
		p->vlan[0] = t->vlan[0];
		p->vlan[1] = t->vlan[1];
	}
	p->has_tcp = t->has_tcp & ~(t->has_ah | t->fragment);
	p->tcp_flags = t->tcp_flags;
	p->tcp_window = t->tcp_window;
	p->tcp_seq = t->tcp_seq;
	p->tcp_ack = t->tcp_ack;
	p->payload_len = t->payload_len;
}

static __always_inline bool flows_have_ports(__u32 proto)
{
	return proto == 6 || proto == 17 || proto == 132 || proto == 136;
}

/* A layer as a packet of a flow; false: it is of none, or waits for its ports. */
static __always_inline bool put_packet(struct np_counts *c, const struct passing *m)
{
	struct flow_packet *p = &c->work.packet;
	tuple *t = &c->work.tuple;
	struct ends e = { .src = { t->src[0], t->src[1] }, .dst = { t->dst[0], t->dst[1] }, .version = t->family,
			  .tunnel = m->tunnel & 255, .iface = m->iface, .sport = NP_NOT_KNOWN, .dport = NP_NOT_KNOWN };

	if (!t->family) {
		if (m->tunnel)
			c->inner_in_none += m->segments;
		else
			c->in_none += m->segments;
		return false;
	}
	e.proto = t->has_ah ? 51 : t->proto & 255;
	if (flows_have_ports(e.proto) && t->sport < NP_NOT_KNOWN) {
		e.sport = t->sport & 65535;
		e.dport = t->dport & 65535;
	}
	put_rest(p, c, t, m);
	if (t->fragment && flows_have_ports(e.proto)) {
		put_key(p, &e, true);
		if (!count_piece(c, t->frag_id))
			return false;
		e.sport = p->key.port[0];
		e.dport = p->key.port[1];
	}
	put_key(p, &e, false);
	return true;
}

/* ── the frames that there are most of ──────────────────────────────────────── */

/*
 * TCP and UDP right behind an IPv4 header of 20 bytes or an IPv6 header, right behind Ethernet addresses, whole, in no
 * fragment and no tunnel: what parse.h would say of them is said in a few comparisons, without a tuple.
 */
static __always_inline bool plain_tcp(struct flow_packet *p, struct classes *k, const __u8 *h, __u32 avail,
				      const struct walk *w)
{
	__u32 n;

	if ((void *)(h + 20) > w->end)
		return false;
	n = h[12] >> 2 & 60;
	if (n < 20 || n > avail)
		return false;
	p->has_tcp = 1;
	p->tcp_flags = h[13];
	p->tcp_window = get16(h + 14);
	p->tcp_seq = get32(h + 4);
	p->tcp_ack = get32(h + 8);
	p->payload_len = avail - n;
	k->flags = flag_class(h[13], avail - n);
	return true;
}

static __always_inline bool plain_udp(struct flow_packet *p, struct classes *k, const __u8 *h, __u32 avail)
{
	if (avail < 8 || get16(h + 4) != avail || is_tunnel_port(get16(h + 2)))
		return false;
	p->has_tcp = p->tcp_flags = 0;
	p->tcp_window = 0;
	p->tcp_seq = p->tcp_ack = 0;
	p->payload_len = avail - 8;
	k->flags = NP_FLAGS_NONE;
	return true;
}

static __always_inline bool plain_transport(struct flow_packet *p, struct classes *k, struct ends *e, const __u8 *h,
					    __u32 avail, const struct walk *w)
{
	e->sport = get16(h);
	e->dport = get16(h + 2);
	if (e->proto == 6)
		return plain_tcp(p, k, h, avail, w);
	return e->proto == 17 && plain_udp(p, k, h, avail);
}

static __always_inline bool plain_v4(struct flow_packet *p, struct classes *k, struct ends *e, const struct walk *w)
{
	const __u8 *h = w->data + 14;
	__u32 total = get16(h + 2);

	e->proto = h[9];
	if (h[0] != 0x45 || get16(h + 6) & 0x3fff || total < 28 || !plain_transport(p, k, e, h + 20, total - 20, w))
		return false;
	e->src[0] = (__u64)get32(h + 12) << 32;
	e->dst[0] = (__u64)get32(h + 16) << 32;
	e->src[1] = e->dst[1] = 0;
	e->version = 4;
	k->version = NP_VERSION_4;
	p->tos = h[1];
	p->ttl = h[8];
	p->bytes = total;
	return true;
}

static __always_inline bool plain_v6(struct flow_packet *p, struct classes *k, struct ends *e, const struct walk *w)
{
	const __u8 *h = w->data + 14;
	__u32 avail;

	if ((void *)(h + 48) > w->end)
		return false;
	avail = get16(h + 4);
	e->proto = h[6];
	if (h[0] >> 4 != 6 || !plain_transport(p, k, e, h + 40, avail, w))
		return false;
	e->src[0] = get64(h + 8);
	e->src[1] = get64(h + 16);
	e->dst[0] = get64(h + 24);
	e->dst[1] = get64(h + 32);
	e->version = 6;
	k->version = NP_VERSION_6;
	p->tos = get16(h) >> 4 & 255;
	p->ttl = h[7];
	p->bytes = avail + 40;
	return true;
}

/* False: it is another frame. */
static __always_inline bool plain(struct flow_packet *p, struct classes *k, struct np_counts *c, const struct walk *w,
				  struct passing *m)
{
	struct ends e = { .iface = m->iface };
	__u32 type;

	if (w->data + 42 > w->end)
		return false;
	type = get16(w->data + 12);
	if (!(type == 0x0800 ? plain_v4(p, k, &e, w) : type == 0x86dd && plain_v6(p, k, &e, w)))
		return false;
	k->transport = (__u32)e.proto;
	k->reading = 0;
	k->fragment = k->tagged = k->tunnelled = 0;
	m->payload = p->payload_len;
	p->bytes = on_wire(m, p->bytes);
	p->packets = m->segments;
	p->time_ns = coarse_ns(c);
	p->vlans = 0;
	p->vlan[0] = p->vlan[1] = 0;
	put_key(p, &e, false);
	return true;
}

/*
 * The bytes anew: the verifier forgets how much of them was looked at, so that it follows what comes next once, and
 * not for each way through the headers.
 */
static __always_inline void look(struct walk *w, void *ctx, bool xdp)
{
	if (xdp) {
		w->data = (void *)(long)*(volatile __u32 *)&((struct xdp_md *)ctx)->data;
		w->end = (void *)(long)*(volatile __u32 *)&((struct xdp_md *)ctx)->data_end;
	} else {
		w->data = (void *)(long)*(volatile __u32 *)&((struct __sk_buff *)ctx)->data;
		w->end = (void *)(long)*(volatile __u32 *)&((struct __sk_buff *)ctx)->data_end;
	}
}

static __always_inline void parse(tuple *t, const struct walk *w, const struct passing *m)
{
	tuple_start(t);
	if (m->absent) {
		t->vlan[0] = m->tag;
		t->vlans = 1;
	}
	if (conf.l3)
		parse_l3(t, w);
	else
		parse_ether(t, w);
}

/* The innermost payload: what each segment has before it are headers.  Then the outermost headers again. */
static __always_inline void find_payload(void *ctx, bool xdp, tuple *t, struct walk *w, struct passing *m)
{
#pragma clang loop unroll(disable)
	for (int i = 1; i < LAYERS; i++) {
		look(w, ctx, xdp);
		if (!parse_inner(t, w))
			break;
	}
	m->payload = t->payload_len;
	look(w, ctx, xdp);
	parse(t, w, m);
}

/* The headers one by one. */
static __always_inline void count(void *ctx, bool xdp, struct np_counts *c, struct walk *w,
				  struct passing *m, enum np_count_dir dir)
{
	tuple *t = &c->work.tuple;
	struct classes k;
	bool is_plain;

	look(w, ctx, xdp);
	is_plain = !m->absent && !conf.l3 && plain(&c->work.packet, &k, c, w, m);
	if (!is_plain) {
		parse(t, w, m);
		m->payload = t->payload_len;
		if (m->segments > 1 && t->tunnel)
			find_payload(ctx, xdp, t, w, m);
		classify(&k, t);
	}
	count_frame(c, m, &k);
	count_transport(m, k.transport, dir);
#pragma clang loop unroll(disable)
	for (int i = 0; i < LAYERS; i++) {
		__u32 tunnel;

		if (is_plain || put_packet(c, m)) {
			barrier();
			count_flow(c);
		}
		if (is_plain)
			break;
		tunnel = t->tunnel;
		if (!tunnel || i + 1 == LAYERS)
			break;
		look(w, ctx, xdp);
		if (!parse_inner(t, w))
			break;
		m->tunnel |= tunnel << 4 * i;
	}
}

static __always_inline void at_xdp(struct xdp_md *ctx)
{
	struct passing m = { .segments = 1 };
	struct np_counts *c = counts(&m, ctx->ingress_ifindex, NP_COUNT_IN);
	struct walk w;

	look(&w, ctx, true);
	w.len = m.len = (__u32)(w.end - w.data);
	if (c)	/* they have a place for each possible CPU */
		count(ctx, true, c, &w, &m, NP_COUNT_IN);
}

SEC("xdp")
int np_count_xdp(struct xdp_md *ctx)
{
	at_xdp(ctx);
	return XDP_PASS;
}

static __always_inline void at_tc(struct __sk_buff *skb, enum np_count_dir dir)
{
	struct passing m = { .len = skb->len, .segments = 1 };
	struct np_counts *c = counts(&m, skb->ifindex, dir);
	struct walk w;

	look(&w, skb, false);
	if (w.data + HEADERS > w.end && (__u32)(w.end - w.data) < skb->len)
		bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS);
	w.len = m.len;
	if (skb->gso_size && skb->gso_segs > 1)
		m.segments = skb->gso_segs;
	if (skb->vlan_present && !conf.l3) {
		m.absent = 4;
		m.tag = skb->vlan_tci & 0xfff;
	}
	if (c) {
		m.segments = unknown(c, 0, m.segments);
		m.absent = unknown(c, 0, m.absent);
		count(skb, false, c, &w, &m, dir);
	}
}

SEC("tc")
int np_count_in(struct __sk_buff *skb)
{
	at_tc(skb, NP_COUNT_IN);
	return NEXT;
}

SEC("tc")
int np_count_out(struct __sk_buff *skb)
{
	at_tc(skb, NP_COUNT_OUT);
	return NEXT;
}

char LICENSE[] SEC("license") = "GPL";
