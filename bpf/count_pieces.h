/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_PIECES_H
#define NETPROBE_COUNT_PIECES_H

#include "count_flow.h"

/*
 * Fragments belong to the flow whose ports only the first of them carries (RFC 791, 3.2; RFC 8200, 4.5).  Its ports
 * are kept for the others; what comes before them is counted beside until they are known.
 */
static __always_inline bool is_piece(const struct np_piece *g, const struct flow_key *k, __u32 id, __u64 now)
{
	return g->jiffies && g->id == id && now - g->jiffies < NP_PIECE_SECONDS * conf.ticks_s && same_key(&g->key, k);
}

static __always_inline __u64 piece_of(struct np_counts *c, const struct np_piece_set *set, const struct flow_key *k,
				      __u32 id, __u64 now)
{
	__u64 way = NP_PIECES;

#pragma unroll
	for (int i = 0; i < NP_PIECES; i++)
		way = is_piece(&set->v[i], k, id, now) ? i : way;
	return unknown(c, 0, way);
}

static __always_inline __u64 oldest_piece(struct np_counts *c, const struct np_piece_set *set)
{
	__u64 way = 0;

#pragma unroll
	for (int i = 1; i < NP_PIECES; i++)
		way = set->v[i].jiffies < set->v[IN(way, NP_PIECES)].jiffies ? i : way;
	return unknown(c, 0, way);
}

static __always_inline void begin_piece(struct np_counts *c, struct np_piece *g, const struct flow_key *k, __u32 id,
					__u64 now)
{
	if (g->jiffies && now - g->jiffies < NP_PIECE_SECONDS * conf.ticks_s)
		c->fragments_evicted++;
	c->left.packets += g->early_packets;
	c->left.bytes += g->early_bytes;
	__builtin_memset(g, 0, sizeof(*g));
	g->key = *k;
	g->id = id;
}

/* Under the lock: nothing may be called.  True: p has its ports, and what came before them is added. */
static __always_inline bool step_piece(struct np_counts *c, struct np_piece_set *set,
				       const struct flow_key *k, __u32 id, __u64 now)
{
	struct flow_packet *p = &c->work.packet;
	__u64 way = piece_of(c, set, k, id, now);
	struct np_piece *g;

	if (way == NP_PIECES) {
		way = oldest_piece(c, set);
		begin_piece(c, &set->v[IN(way, NP_PIECES)], k, id, now);
	}
	g = &set->v[IN(way, NP_PIECES)];
	g->jiffies = now;
	if (p->key.has_ports) {
		g->port[0] = p->key.port[0];
		g->port[1] = p->key.port[1];
		g->is_known = 1;
	}
	if (!g->is_known) {
		g->ttl = !g->early_packets || p->ttl < g->ttl ? p->ttl : g->ttl;
		g->tos = p->tos;
		g->vlan[0] = p->vlan[0];
		g->vlan[1] = p->vlan[1];
		g->vlans = p->vlans;
		g->early_packets += p->packets;
		g->early_bytes += p->bytes;
		g->time_ns = p->time_ns;
		return false;
	}
	p->key.port[0] = g->port[0];
	p->key.port[1] = g->port[1];
	p->key.has_ports = 1;
	if (g->early_packets && g->ttl < p->ttl)
		p->ttl = g->ttl;
	p->packets += (__u32)g->early_packets;
	p->bytes += g->early_bytes;
	g->early_packets = g->early_bytes = 0;
	return true;
}

/* A fragment, the sender first in p->key.  False: it is counted once its ports are known. */
static __always_inline bool count_piece(struct np_counts *c, __u32 id)
{
	struct flow_key k = c->work.packet.key;
	struct np_piece_set *set;
	struct np_lock *lock;
	__u64 now = bpf_jiffies64();
	__u32 at;
	bool known;

	k.port[0] = k.port[1] = 0;
	k.has_ports = 0;
	at = ((__u32)flow_hash(&k) ^ id * 0x9e3779b1u) & (NP_PIECE_SETS - 1);
	set = bpf_map_lookup_elem(&np_pieces, &at);
	lock = bpf_map_lookup_elem(&np_locks, &at);
	if (!set || !lock)
		return true;
	bpf_spin_lock(&lock->lock);
	known = step_piece(c, set, &k, id, now);
	bpf_spin_unlock(&lock->lock);
	return known;
}

#endif
