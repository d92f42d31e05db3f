// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For tests/bench/bench_block.c: the firewall's program, given one frame again and again from a source of its own each
 * time, and beside it what the kernel has for prefixes, in a program that does nothing but ask for them.
 */
#include "block.bpf.c"

#define SOURCES (1 << 18)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SOURCES);
	__type(key, __u32);
	__type(value, __u32);
} bench_sources SEC(".maps");

struct trie_key {
	__u32 plen, addr;
};
struct trie_count {
	__u64 hits, bytes;
};
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct trie_key);
	__type(value, struct trie_count);
} bench_trie SEC(".maps");

volatile __u32 bench_turn;

static __always_inline void next_source(struct xdp_md *ctx)
{
	__u32 turn = bench_turn & (SOURCES - 1), *addr = bpf_map_lookup_elem(&bench_sources, &turn);
	__u8 *p = (void *)(long)ctx->data;

	bench_turn = turn + 1;
	if (addr && (void *)(p + 30) <= (void *)(long)ctx->data_end)
		*(__u32 *)(p + 26) = *addr;
}

SEC("xdp")
int bench_same_bare(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp")
int bench_same_ours(struct xdp_md *ctx)
{
	return at_xdp(ctx);
}

SEC("xdp")
int bench_bare(struct xdp_md *ctx)
{
	next_source(ctx);
	return XDP_DROP;
}

SEC("xdp")
int bench_ours(struct xdp_md *ctx)
{
	next_source(ctx);
	return at_xdp(ctx);
}

SEC("xdp")
int bench_peer(struct xdp_md *ctx)
{
	__u8 *p = (void *)(long)ctx->data;
	struct trie_key key = { .plen = 32 };
	struct trie_count *c;

	next_source(ctx);
	if ((void *)(p + 34) > (void *)(long)ctx->data_end || *(__u16 *)(p + 12) != bpf_htons(0x0800))
		return XDP_PASS;
	key.addr = *(__u32 *)(p + 26);
	c = bpf_map_lookup_elem(&bench_trie, &key);
	if (!c)
		return XDP_PASS;
	c->hits++;
	c->bytes += (__u32)(ctx->data_end - ctx->data);
	return XDP_DROP;
}
