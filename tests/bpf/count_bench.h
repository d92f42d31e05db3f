/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_COUNT_BENCH_H
#define NETPROBE_TESTS_COUNT_BENCH_H

/* Behind count.bpf.c: its program at XDP, given one frame again and again, as of one conversation or of many. */
volatile __u32 bench_mask;	/* conversations - 1, at most 16383: their source ports */
volatile __u32 bench_turn;

/* Each once, then once more in another order: in that in which they came, memory would be read ahead. */
static __always_inline void next_conversation(struct xdp_md *ctx)
{
	__u8 *p = (void *)(long)ctx->data;
	__u32 n = bench_turn, odd = (n >> 14) * 0x9e3779b2u + 0x85ebca6bu;

	bench_turn = n + 1;
	if ((void *)(p + 36) <= (void *)(long)ctx->data_end)
		*(__u16 *)(p + 34) = (__u16)(n * odd & bench_mask);
}

SEC("xdp")
int bench_none(struct xdp_md *ctx)
{
	next_conversation(ctx);
	return XDP_PASS;
}

SEC("xdp")
int bench_count(struct xdp_md *ctx)
{
	next_conversation(ctx);
	at_xdp(ctx);
	return XDP_PASS;
}

#endif
