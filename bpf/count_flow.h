/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_FLOW_H
#define NETPROBE_COUNT_FLOW_H

#include "count_maps.h"
#include "flow_step.h"

/* The table of conversations: see count_abi.h. */

/*
 * NH (Krovetz, RFC 4418, 5.2): whoever does not know the key cannot choose two that meet.  Then spread, for its bits
 * are not equally good.
 */
static __always_inline __u64 flow_hash(const struct flow_key *k)
{
	const __u64 *w = (const __u64 *)k;
	__u64 h = (__u64)((__u32)w[0] + conf.hash[0]) * (__u32)((__u32)w[2] + conf.hash[1]);

	h += (__u64)((__u32)w[4] + conf.hash[2]) * (__u32)((__u32)(w[4] >> 32) + conf.hash[3]);
	h += (__u64)(k->iface + conf.hash[10]) * conf.hash[11];
	if (k->version == 6) {
		h += (__u64)((__u32)(w[0] >> 32) + conf.hash[4]) * (__u32)((__u32)(w[2] >> 32) + conf.hash[5]);
		h += (__u64)((__u32)w[1] + conf.hash[6]) * (__u32)((__u32)w[3] + conf.hash[7]);
		h += (__u64)((__u32)(w[1] >> 32) + conf.hash[8]) * (__u32)((__u32)(w[3] >> 32) + conf.hash[9]);
	}
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static __always_inline bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] && x[4] == y[4] && a->iface == b->iface;
}

/* Told to the verifier in the register that is used next; in C the compiler, who knows better, leaves it out. */
#define IN(way, n)                                                                       \
	({                                                                               \
		__u64 in_ = (way);                                                       \
		asm volatile("%[v] &= %[most]\n" : [v] "+r"(in_) : [most] "i"((n) - 1)); \
		in_;                                                                     \
	})

/* The way with this tag, most often the one where it would like to be; NP_WAYS: none. */
static __always_inline __u64 way_of(struct np_counts *c, const struct np_flow_set *set, __u32 tag)
{
	__u64 way = tag >> 29;

	if (set->tag[IN(way, NP_WAYS)] == tag)
		return way;
	way = NP_WAYS;
#pragma unroll
	for (int i = 0; i < NP_WAYS; i++)
		way = set->tag[i] == tag ? i : way;
	return unknown(c, 0, way);
}

static __always_inline __u64 find(struct np_counts *c, const struct np_flow_set *set, __u32 tag,
				  const struct flow_key *k)
{
	__u64 way = way_of(c, set, tag);

	return way < NP_WAYS && same_key(&set->flow[IN(way, NP_WAYS)].key, k) ? way : NP_WAYS;
}

/* Where a new one goes: nobody's place; else that of one that is over; else the least recently seen. */
static __always_inline __u64 victim(struct np_counts *c, const struct np_flow_set *set, __u32 tag)
{
	__u64 best = ~0ull, rank, way = tag >> 29;

	if (!set->tag[IN(way, NP_WAYS)])
		return way;
#pragma unroll
	for (int i = 0; i < NP_WAYS; i++) {
		/* The same tag twice would hide one of them. */
		rank = !set->tag[i] || set->tag[i] == tag ? 0 :
							    set->flow[i].last_ns + 1;
		if (rank > 1 && flow_is_over(&set->flow[i]))
			rank >>= 1;
		if (rank < best) {
			best = rank;
			way = i;
		}
	}
	return unknown(c, 0, way);
}

/* Another takes its place. */
static __always_inline void leaves(struct np_counts *c, const struct flow *f)
{
	c->left.packets += f->side[0].packets + f->side[1].packets;
	c->left.bytes += f->side[0].bytes + f->side[1].bytes;
	c->left_flows++;
}

/* A way of the set, free now. */
static __always_inline __u64 place(struct np_counts *c, struct np_flow_set *set, __u32 tag, bool settled)
{
	__u64 way = IN(victim(c, set, tag), NP_WAYS);

	if (set->tag[way]) {
		leaves(c, &set->flow[way]);
		c->evicted++;
		c->evicted_settled += settled;
	}
	set->tag[IN(way, NP_WAYS)] = 0;
	return way;
}

/* The tag is written last: whoever finds it finds the key. */
static __always_inline void publish(struct np_flow_set *set, __u64 way, __u32 tag)
{
	*(volatile __u32 *)&set->tag[IN(way, NP_WAYS)] = tag;
}

/* The key's last conversation ended before this packet: by a SYN after its end (RFC 9293), or by silence. */
static __always_inline bool ended_before(const struct flow *f, const struct flow_packet *p)
{
	__u64 silent = p->time_ns > f->last_ns ? p->time_ns - f->last_ns : 0, most;

	if (silent > conf.idle_first_ns) {
		most = f->key.proto == FLOW_PROTO_TCP && f->state == FLOW_ESTABLISHED ? conf.idle_tcp_ns :
		       flow_is_settled(f)						 ? conf.idle_settled_ns :
											   conf.idle_first_ns;
		if (silent > most)
			return true;
	}
	return p->has_tcp && (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && flow_is_over(f);
}

static __always_inline void begin(struct np_counts *c, struct flow *f, const struct flow_packet *p)
{
	flow_start(f, p);
	if (p->key.tunnel)
		c->inner_flows++;
	else
		c->flows++;
}

/* Under the lock: nothing may be called. */
static __always_inline void step_first(struct np_counts *c, struct np_flow_set *settled,
				       struct np_flow_set *first, __u32 tag)
{
	const struct flow_packet *p = &c->work.packet;
	struct np_flow_set *set = settled;
	__u64 way = find(c, settled, tag, &p->key), to;
	struct flow *f;

	if (way == NP_WAYS) {
		set = first;
		way = find(c, first, tag, &p->key);
	}
	if (way == NP_WAYS) {
		way = place(c, first, tag, false);
		f = &first->flow[IN(way, NP_WAYS)];
		begin(c, f, p);
		publish(first, way, tag);
	} else {
		f = &set->flow[IN(way, NP_WAYS)];
		if (ended_before(f, p)) {
			leaves(c, f);
			begin(c, f, p);
		}
	}
	flow_step(f, p);
	if (set == settled || !flow_is_settled(f))
		return;
	to = place(c, settled, tag, true);
	settled->flow[IN(to, NP_WAYS)] = *f;
	publish(settled, to, tag);
	first->tag[IN(way, NP_WAYS)] = 0;
}

static __always_inline void count_flow(struct np_counts *c)
{
	struct flow_packet *p = &c->work.packet;
	__u64 h = flow_hash(&p->key);
	__u32 tag = (__u32)(h >> 32) | 1, at = (__u32)h & conf.settled_mask;
	struct np_flow_set *settled = bpf_map_lookup_elem(&np_settled, &at), *first;
	struct np_lock *lock;
	struct flow *f;
	__u64 way;

	if (!settled)
		return;
	way = find(c, settled, tag, &p->key);
	if (way < NP_WAYS) {
		f = &settled->flow[IN(way, NP_WAYS)];
		if (!ended_before(f, p)) {
			p->is_exact = flow_needs_clock(f, p);
			if (p->is_exact)
				p->time_ns = bpf_ktime_get_ns();
			flow_step(f, p);
			return;
		}
	}
	at = (__u32)h & conf.first_mask;
	first = bpf_map_lookup_elem(&np_first, &at);
	at = (__u32)h & (NP_COUNT_LOCKS - 1);
	lock = bpf_map_lookup_elem(&np_locks, &at);
	if (!first || !lock)
		return;
	p->time_ns = bpf_ktime_get_ns();
	p->is_exact = 1;
	bpf_spin_lock(&lock->lock);
	step_first(c, settled, first, tag);
	bpf_spin_unlock(&lock->lock);
}

#endif
