/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_COUNT_MAPS_H
#define NETPROBE_COUNT_MAPS_H

/* Sizes are set before loading (src/count/load.c); these make a lone object loadable. */
#define ARRAY(name, type_, n)                             \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY);         \
		__uint(map_flags, BPF_F_MMAPABLE);        \
		__uint(max_entries, n);                   \
		__type(key, __u32);                       \
		__type(value, type_);                     \
	} name SEC(".maps")

ARRAY(np_counts, struct np_counts, NP_COUNT_DIRS);	/* of each interface and CPU */
ARRAY(np_transports, struct np_transports, NP_COUNT_DIRS);	/* of each CPU */
/* By low bits of the ifindex: which it is, and its number below that; others are number 0. */
ARRAY(np_ifaces, __u64, 1);
ARRAY(np_settled, struct np_flow_set, NP_COUNT_SETS_MIN);
ARRAY(np_first, struct np_flow_set, NP_COUNT_SETS_MIN);
ARRAY(np_pieces, struct np_piece_set, NP_PIECE_SETS);

ARRAY(np_conf, struct np_count_conf, 1);	/* no program reads it: for whoever loads another one beside it */

/* A map with locks in it cannot be mapped, so they have one of their own. */
struct np_lock {
	struct bpf_spin_lock lock;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_COUNT_LOCKS);
	__type(key, __u32);
	__type(value, struct np_lock);
} np_locks SEC(".maps");

/*
 * x, of which the verifier is to know nothing more: what it knows it follows through all that comes after, once for
 * each value that x may have.  By way of memory, for there it forgets.
 */
static __always_inline __u64 unknown(struct np_counts *c, int slot, __u64 x)
{
	*(volatile __u64 *)&c->work.unknown[slot] = x;
	return *(volatile __u64 *)&c->work.unknown[slot];
}

const volatile struct np_count_conf conf = { 0 };

#endif
