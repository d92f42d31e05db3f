// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of pods, counted under the policies that user space says they fall under: at tc of a pod's interface on the
 * host (ingress: from the pod), and where the kernel drops them.  It observes: no verdict, no write to a packet.
 * From 5.10 on; the drop hook is CO-RE and needs the kernel's BTF.
 *
 * Decisions are an LRU map.  A pod that calls ever new ports makes entries that nobody uses twice, and those are the
 * first that the kernel takes away; in a map that is full of them nothing new would find room until user space had
 * looked.  What is taken away costs an ask, and its packets are counted as undecided until the answer.
 *
 * Cost, where there is a decision that names at most one policy: two look-ups by hash, the decision and the row.
 *
 * What it cannot tell: a key has no port of the caller, so whatever a server sends from the port it is called at is an
 * answer.  A packet that was kept for a while and dropped then (NFQUEUE) was counted as allowed, and stays so.
 */
#include <stddef.h>
#include <stdbool.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "abi.h"
#include "bound.h"
#include "kernel.h"
#include "policy_abi.h"
#include "policy_maps.h"
#include "policy_place.h"
#include "policy_read.h"

#define NEXT (-1)		/* TC_ACT_UNSPEC, TCX_NEXT */
#define SYN 2
#define SYN_ACK 18
/* ── whose packet ─────────────────────────────────────────────────────────── */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "put_key() is for little endian"
#endif

static __noinline int put_key(struct work *k, __u32 reply)
{
	struct packet *p = &k->p;
	tuple *t = &k->tuple;
	__u64 *from = (__u64 *)(reply ? p->key.dst : p->key.src), *to = (__u64 *)(reply ? p->key.src : p->key.dst);
	__u32 sport = t->sport, dport = t->dport;

	sport = sport < NP_NOT_KNOWN ? sport : 0;
	dport = dport < NP_NOT_KNOWN ? dport : 0;
	from[0] = bpf_cpu_to_be64(t->src[0]);
	from[1] = bpf_cpu_to_be64(t->src[1]);
	to[0] = bpf_cpu_to_be64(t->dst[0]);
	to[1] = bpf_cpu_to_be64(t->dst[1]);
	/* As one word: what is stored by bytes is slow to be loaded by words. */
	*(__u64 *)&p->key.dport = (reply ? sport : dport) | (t->proto & 255) << 16 | t->family << 24;
	p->sport = reply ? dport : sport;
	p->reply = reply;
	return 0;
}

/* An ICMP message that is of no conversation of its own: not an echo (RFC 792, RFC 4443 4). */
static __always_inline bool is_stray(tuple *t)
{
	__u32 proto = t->proto, type = t->icmp_type;

	return (proto == 1 && type != 8 && type != 0) || (proto == 58 && type != 128 && type != 129);
}

/* Who calls, and how that is known. */
struct caller {
	__u32 reply;			/* what to look up first: the packet is an answer */
	bool sure;			/* there is no other way to see it */
};

/*
 * TCP says so with SYN, ICMP with its type; a SYN and ACK may be anybody's.  Of the rest of TCP who has the higher port
 * is likely to call; of other protocols whoever is seen first, for what an answer answers came by before it.  That of
 * the lower port is looked up first: there is most of it.
 */
static __always_inline struct caller who_calls(tuple *t)
{
	__u32 proto = t->proto, type = t->icmp_type, flags = t->tcp_flags & SYN_ACK;

	if (proto == 1 || proto == 58)
		return (struct caller){ type == 0 || type == 129, true };
	if (proto == 6 && (flags == SYN || flags == SYN_ACK))
		return (struct caller){ flags == SYN_ACK, flags == SYN };
	return (struct caller){ t->sport < t->dport, false };
}

/* p->ask: there is neither an answer nor a question of this generation. */
static __always_inline struct np_decision *look_up(struct packet *p, bool *found)
{
	struct np_decision *d = bpf_map_lookup_elem(&active_policies, &p->key);

	*found = d;
	p->stale = d && d->generation != generation;
	p->ask = !d || d->generation != generation;
	if (!d || d->asked || d->generation != generation)
		return NULL;
	return d;
}

/* The decision, or NULL.  Who asked under one key asks under it again. */
static __noinline struct np_decision *find(struct work *k)
{
	struct caller c = who_calls(&k->tuple);
	struct packet *p = &k->p;
	struct np_decision *d;
	bool found, other_found;
	__u32 ask, stale;

	p->guessed = !c.sure;
	put_key(k, c.reply);
	d = look_up(p, &found);
	if (d || c.sure)
		return d;
	ask = p->ask;
	stale = p->stale;
	put_key(k, !c.reply);
	d = look_up(p, &other_found);
	if (other_found)
		return d;
	p->ask = ask;
	p->stale = stale;
	if (found || k->tuple.proto == 6 || !c.reply)
		put_key(k, c.reply);
	return NULL;
}

static __always_inline __u32 pod_of(const __u8 *addr, __u32 family)
{
	struct np_pod_key key = { .family = family };
	struct np_pod *pod;

	__builtin_memcpy(key.addr, addr, 16);
	pod = bpf_map_lookup_elem(&pod_metadata, &key);
	return pod ? pod->pod : NP_POD_NONE;
}

/* ── counting ─────────────────────────────────────────────────────────────── */

/* k->n to k->row. */
static __noinline int add(struct work *k)
{
	struct np_policy_counts *c = bpf_map_lookup_elem(&policy_events, &k->row), *n = &k->n;

	if (!c) {
		if (!bpf_map_update_elem(&policy_events, &k->row, n, BPF_NOEXIST))
			return 0;
		/* Another CPU made it, or there is no room. */
		c = bpf_map_lookup_elem(&policy_events, &k->row);
	}
	if (!c) {
		other(NP_OTHER_ROWS_FULL, n->first_allowed + n->first_dropped);
		return 0;
	}
	/* A drop may come in the midst of this. */
	if (n->packets_allowed) {
		ADD(c->packets_allowed, n->packets_allowed);
		ADD(c->bytes_allowed, n->bytes_allowed);
		ADD(c->first_allowed, n->first_allowed);
	}
	if (n->packets_dropped) {
		ADD(c->packets_dropped, n->packets_dropped);
		ADD(c->bytes_dropped, n->bytes_dropped);
		ADD(c->first_dropped, n->first_dropped);
	}
	if (n->policy_matches)
		ADD(c->policy_matches, n->policy_matches);
	if (n->policy_misses)
		ADD(c->policy_misses, n->policy_misses);
	return 0;
}

/* How one end of a packet is counted. */
enum { RECEIVER = 1, DROPPED = 2, SEEN = 4 /* at tc, before it was dropped */, NEITHER = 8 /* is it a pod's? */ };

static __always_inline void drop(struct np_policy_counts *n, const struct packet *p)
{
	n->packets_dropped = n->first_dropped = p->n;
	n->bytes_dropped = p->bytes;
}

static __always_inline void fate(struct np_policy_counts *n, const struct packet *p, __u32 how)
{
	__builtin_memset(n, 0, sizeof(*n));
	if (how & SEEN) {
		n->packets_allowed = n->first_allowed = -p->n;
		n->bytes_allowed = -p->bytes;
	} else if (!(how & DROPPED)) {
		n->packets_allowed = n->first_allowed = p->n;
		n->bytes_allowed = p->bytes;
	}
	if (how & DROPPED)
		drop(n, p);
}

/* Under each policy that the decision names, or under none of them. */
static __always_inline void add_decided(struct work *k, const struct np_decision *d, __u32 dir, __u32 how)
{
	const struct np_policy_side *side = &d->side[dir & 1], *peer = &d->side[~dir & 1];
	bool by_peer = how & DROPPED && side->verdict != NP_POLICY_DENIES && peer->verdict == NP_POLICY_DENIES;
	struct np_policy_counts *n = &k->n;
	__u32 policies = side->n;

	k->row.pod = side->pod;
	k->row.policy = policies ? side->policy[0] : NP_POLICY_NONE;
	fate(n, &k->p, how);
	if (by_peer)
		n->packets_dropped = n->first_dropped = n->bytes_dropped = 0;
	if (!(how & SEEN) && policies)
		n->policy_matches = k->p.n;
	if (!(how & SEEN) && !policies)
		n->policy_misses = k->p.n;
	add(k);
	n->first_allowed = n->first_dropped = 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 1; i < NP_SIDE_POLICIES; i++) {
		if (i >= policies)
			break;
		k->row.policy = side->policy[i];
		add(k);
	}
	if (!by_peer)
		return;
	__builtin_memset(n, 0, sizeof(*n));
	drop(n, &k->p);
	k->row.policy = NP_POLICY_OTHER_END;
	add(k);
}

/* Put the mark into the cache, and then tell: whoever does not find room in the ring leaves no mark. */
static __always_inline void ask(struct packet *p, __u32 pod, __u32 dir)
{
	struct np_decision mark = { .generation = generation, .asked = 1 };
	struct np_policy_ask *a;
	long err;

	if (!p->ask)
		return;
	p->ask = 0;
	a = bpf_ringbuf_reserve(&policy_asks, sizeof(*a), 0);
	if (!a) {
		other(NP_OTHER_RING_FULL, 1);
		return;
	}
	a->key = p->key;
	a->pod = pod;
	a->generation = mark.generation;
	a->sport = (__u16)p->sport;
	a->dir = (__u8)dir;
	a->flags = (__u8)((p->guessed ? NP_ASK_GUESSED : 0) | (p->reply ? NP_ASK_REPLY : 0) |
			  (p->place ? NP_ASK_DROPPED : 0));
	a->reserved = 0;
	/* Of several CPUs that see the key at once, one puts it; where it was stale, each of them might. */
	if (p->stale)
		bpf_map_delete_elem(&active_policies, &p->key);
	err = bpf_map_update_elem(&active_policies, &p->key, &mark, BPF_NOEXIST);
	if (!err) {
		bpf_ringbuf_submit(a, 0);
		return;
	}
	bpf_ringbuf_discard(a, 0);
	if (err != -17)		/* EEXIST */
		other(NP_OTHER_CACHE_FULL, 1);
}

/* What k->n has. */
static __noinline int wait_for_decision(struct work *k, __u32 dir)
{
	const struct np_policy_waits none = { .since_ns = bpf_ktime_get_ns() };
	struct np_policy_waits *all = bpf_map_lookup_elem(&policy_waiting, &k->p.key);
	struct np_policy_waiting *w;

	if (!all) {
		bpf_map_update_elem(&policy_waiting, &k->p.key, &none, BPF_NOEXIST);
		all = bpf_map_lookup_elem(&policy_waiting, &k->p.key);
	}
	if (!all)
		return 0;
	if (k->to.to_known) {
		__builtin_memcpy(all->to, k->to.to, sizeof(all->to));
		all->to_port = k->to.to_port;
		all->to_known = 1;
	}
	w = &all->end[dir & 1];
	w->pod = k->row.pod;
	w->generation = generation;
	ADD(w->packets_allowed, k->n.packets_allowed);
	ADD(w->packets_dropped, k->n.packets_dropped);
	ADD(w->bytes_allowed, k->n.bytes_allowed);
	ADD(w->bytes_dropped, k->n.bytes_dropped);
	return 0;
}

/* 0: that end is no pod, or not the one whose interface it is. */
static __noinline int count_end(struct work *k, const struct np_decision *d, __u32 how)
{
	__u32 dir = (how & RECEIVER) ^ (k->p.reply & 1), pod;

	k->row.dir = (__u8)dir;
	pod = d ? d->side[dir & 1].pod : pod_of(dir ? k->p.key.dst : k->p.key.src, k->p.key.family);
	if (pod == NP_POD_NONE || (k->pod != NP_POD_NONE && pod != k->pod))
		return 0;
	if (how & NEITHER)
		return 1;
	if (d) {
		add_decided(k, d, dir, how);
		return 1;
	}
	k->row.pod = pod;
	k->row.policy = NP_POLICY_UNDECIDED;
	fate(&k->n, &k->p, how);
	add(k);
	ask(&k->p, pod, dir);
	wait_for_decision(k, dir);
	return 1;
}

/* ── packets ──────────────────────────────────────────────────────────────── */

static __always_inline struct work *work(__u32 which)
{
	return bpf_map_lookup_elem(&policy_work, &which);
}

/* The headers in the first cap bytes of a packet of len, which were copied. */
static __noinline int read_headers(struct work *k, __u32 cap, __u32 len, __u32 l3)
{
	struct walk w = { .data = k->data, .end = k->data + (cap & 511), .len = len };

	read_packet(&k->tuple, &w, l3);
	return 0;
}

/* Which of policy_other it is; NP_OTHERS_N: none. */
static __always_inline __u32 in_no_row(tuple *t)
{
	__u32 reading = t->reading;

	if (reading == NP_NOT_IP)
		return NP_OTHER_NOT_IP;
	if (reading == NP_FRAGMENT_LATER || reading == NP_FRAGMENT_OVERLAP)
		return NP_OTHER_FRAGMENT;
	if (reading != NP_WHOLE || t->proto > 255 || !t->family)
		return NP_OTHER_BROKEN;
	return is_stray(t) ? NP_OTHER_ICMP : NP_OTHERS_N;
}

static __always_inline void measure(struct packet *p, tuple *t, __u64 segments)
{
	__u64 bytes = t->ip_len, payload = t->payload_len;

	p->n = segments;
	p->bytes = bytes;
	if (segments > 1 && payload < bytes)
		p->bytes += (segments - 1) * (bytes - payload);
}

/* n, of which the verifier is to know no more. */
static __always_inline __u64 unknown(struct work *k, __u64 n)
{
	*(volatile __u64 *)&k->unknown = n;
	return *(volatile __u64 *)&k->unknown;
}

/* How many bytes are copied; 0: none. */
static __always_inline __u64 length(struct work *k, __u64 n)
{
	return unknown(k, n < NP_POLICY_BYTES ? n : NP_POLICY_BYTES);
}

/*
 * What netfilter drops passed here a moment before, on the same CPU: it is known by where it stands in memory.  Clones
 * of it (a bridge floods) stand elsewhere, so that it counts once.
 */
static __always_inline struct seen *slot_of(struct work *k, __u64 at)
{
	__u32 slot;

	at = unknown(k, at);
	slot = (at >> 8) & (SEEN_SLOTS - 1);
	return bpf_map_lookup_elem(&policy_seen, &slot);
}

/* Fragments that are put together again stand where the last of them does, and were counted as the first. */
static __noinline int remember(struct work *k, struct __sk_buff *skb, __u32 why)
{
	struct seen *slot = slot_of(k, (__u64)(unsigned long)skb);

	if (!slot)
		return 0;
	slot->at = why == NP_OTHERS_N || why == NP_OTHER_FRAGMENT ? k->unknown : 0;
	slot->n = why == NP_OTHERS_N ? k->p.n : 1;
	slot->bytes = why == NP_OTHERS_N ? k->p.bytes : k->fragment_bytes;
	if (why == NP_OTHERS_N && k->tuple.fragment)
		k->fragment_bytes = k->p.bytes;
	return 0;
}

/* how: RECEIVER, or not. */
static __noinline int at_tc(struct __sk_buff *skb, __u32 how)
{
	__u64 segments = skb->gso_size && skb->gso_segs > 1 ? skb->gso_segs : 1, n;
	__u32 ifindex = skb->ifindex, why;
	struct np_policy_iface *iface = bpf_map_lookup_elem(&policy_ifaces, &ifindex);
	struct work *k = work(WORK_TC);

	if (!k || !iface)
		return 0;
	k->pod = iface->pod;
	segments = unknown(k, segments);
	n = length(k, skb->len);
	if (!n)
		return 0;
	BOUND(n, NP_POLICY_BYTES);
	if (bpf_skb_load_bytes(skb, 0, k->data, n))
		n = 0;
	read_headers(k, (__u32)n, skb->len, 0);
	why = unknown(k, in_no_row(&k->tuple));
	measure(&k->p, &k->tuple, segments);
	if (sees_drops && !(how & RECEIVER))
		remember(k, skb, why);
	if (why == NP_OTHERS_N) {
		k->p.place = NP_PLACE_NONE;
		if (!count_end(k, find(k), how))
			why = NP_OTHER_NOT_POD;
	}
	if (why < NP_OTHERS_N)
		other(why, segments);
	return 0;
}

SEC("tc")
int np_policy_in(struct __sk_buff *skb)
{
	at_tc(skb, 0);
	return NEXT;
}

SEC("tc")
int np_policy_out(struct __sk_buff *skb)
{
	at_tc(skb, RECEIVER);
	return NEXT;
}

#define OUTGOING 4		/* PACKET_OUTGOING */

/* Before Linux 6.6: of both directions, and keeps none. */
SEC("socket")
int np_policy_socket(struct __sk_buff *skb)
{
	at_tc(skb, skb->pkt_type == OUTGOING ? RECEIVER : 0);
	return 0;
}

/* ── drops ────────────────────────────────────────────────────────────────── */

/* skb->dev shares its place with scratch; see bpf/trace.bpf.c. */
static __always_inline bool is_ours(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct sock *sk = skb->sk;
	__u32 inum = 0;

	if (dev && dev->name[0] > ' ' && dev->ifindex > 0)
		inum = dev->nd_net.net->ns.inum;
	else if (sk)
		inum = sk->__sk_common.skc_net.net->ns.inum;
	return !inum || inum == netns;
}

static __always_inline __u32 segments_of(struct sk_buff *skb)
{
	struct skb_shared_info *info = (void *)(skb->head + skb->end);
	__u32 n = BPF_CORE_READ(info, gso_size) ? BPF_CORE_READ(info, gso_segs) : 0;

	return n > 1 ? n : 1;
}

static long (*const read_kernel)(void *to, __u64 n, const void *from) = (void *)BPF_FUNC_probe_read_kernel;

/* From the IP header on, which the stack has found. */
static __always_inline void copy_from_ip(struct sk_buff *skb, struct work *k)
{
	__u64 net = skb->network_header, data = skb->data - skb->head, tail = skb->tail, n, len;

	if (!net || net > tail)
		net = data;
	len = skb->len + data - net;
	n = length(k, tail > net ? tail - net : 0);
	if (n) {
		BOUND(n, NP_POLICY_BYTES);
		if (read_kernel(k->data, n, skb->head + net))
			n = 0;
	}
	read_headers(k, (__u32)n, (__u32)(len < n || len > 1 << 20 ? n : len), 1);
}

/* As what it was counted is k->p's then. */
static __always_inline bool was_seen(struct work *k, struct sk_buff *skb)
{
	struct seen *slot = slot_of(k, (__u64)(unsigned long)skb);
	bool seen = slot && slot->at == k->unknown;

	if (!seen)
		return false;
	slot->at = 0;
	k->p.n = slot->n;
	k->p.bytes = slot->bytes;
	return true;
}

/* The interface that it is dropped at, where that is a pod's. */
static __always_inline struct np_policy_iface *iface_of(struct sk_buff *skb)
{
	__u32 ifindex = skb->dev ? (__u32)skb->dev->ifindex : 0;

	return bpf_map_lookup_elem(&policy_ifaces, &ifindex);
}

/*
 * The sender's side was counted when the packet came from the pod, which XDP there is before, and other programs of tc
 * may be; what was not seen there and is dropped behind is another's, a clone, or was kept in between: the sender's
 * count stays.  The receiver's side was counted when tc dropped it behind us.  Each under the addresses that it is seen
 * with there.
 */
static __always_inline void count_drop(struct sk_buff *skb, struct work *k)
{
	__u32 place = *(volatile __u32 *)&k->p.place, seen, unseen = 0, behind = 0, local, how;
	struct np_policy_iface *iface = iface_of(skb);
	struct translated *ct = &k->ct;

	copy_from_ip(skb, k);
	if (in_no_row(&k->tuple) < NP_OTHERS_N)
		return;
	k->pod = NP_POD_NONE;
	measure(&k->p, &k->tuple, segments_of(skb));
	seen = unknown(k, was_seen(k, skb));
	if (iface) {
		unseen = place == NP_PLACE_XDP || (place == NP_PLACE_TC_IN && !(seen && iface->first_in));
		behind = place == NP_PLACE_TC_OUT && iface->first_out;
	}
	unseen = unknown(k, unseen);
	if (unseen)
		measure(&k->p, &k->tuple, segments_of(skb));
	behind = unknown(k, behind);
	read_translated(ct, skb, &k->tuple);
	read_to(&k->to, ct);
	as_sent(&k->tuple, ct);
	if (seen || unseen) {
		how = unknown(k, DROPPED | (unseen ? 0 : SEEN));
		count_end(k, find(k), how);
	} else {
		local = count_end(k, find(k), unknown(k, NEITHER));
		if (local)
			return;
	}
	k->to.to_known = 0;
	as_received(&k->tuple, ct);
	measure(&k->p, &k->tuple, segments_of(skb));
	how = unknown(k, DROPPED | RECEIVER | (behind ? SEEN : 0));
	count_end(k, find(k), how);
}

SEC("tp_btf/kfree_skb")
int np_policy_drop(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	__u32 reason = NO_REASON, place;
	struct work *k;

	if (bpf_core_type_exists(enum skb_drop_reason))
		reason = (__u32)ctx[2];
	place = place_of(reason, ctx[1]);
	if (!place || !is_ours(skb))
		return 0;
	k = work(WORK_DROP);
	if (!k)
		return 0;
	if (k->busy) {		/* up to 6.0 one may come in the midst of another */
		other(NP_OTHER_MISSED, 1);
		return 0;
	}
	*(volatile __u32 *)&k->busy = 1;
	*(volatile __u32 *)&k->p.place = place;
	count_drop(skb, k);
	*(volatile __u32 *)&k->busy = 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
