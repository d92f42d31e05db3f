// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_count ROUNDS FLOWS: nanoseconds that counting adds to a program at XDP that only returns, with our table of
 * conversations and, in its place, an LRU hash (tests/bpf/count_lru.bpf.c): "ours peer", a line a round.  The frame is
 * an acknowledgement of TCP, 60 bytes; each of FLOWS (a power of two) conversations has its turn.
 */
#include "bench_run.h"

#include "count_lru.skel.h"
#include "count_sets.skel.h"

static const uint8_t frame[FRAME] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	0, 0, 0, 99, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0,
};

static struct subject load(struct bpf_object *obj, bool ours)
{
	load_count(obj, "bench_", ours);
	return (struct subject){
		.none = bpf_program__fd(bpf_object__find_program_by_name(obj, "bench_none")),
		.count = bpf_program__fd(bpf_object__find_program_by_name(obj, "bench_count")),
	};
}

int main(int argc, char **argv)
{
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5;
	uint32_t flows = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
	struct count_sets *ours;
	struct count_lru *peer;
	struct subject s[2];
	double ns[2];

	ours = count_sets__open();
	peer = count_lru__open();
	if (!ours || !peer)
		die("the BPF objects");
	fill_conf((struct np_count_conf *)(uintptr_t)&ours->rodata->conf);
	memcpy((void *)(uintptr_t)&peer->rodata->conf, (const void *)(uintptr_t)&ours->rodata->conf,
	       sizeof(struct np_count_conf));
	ours->bss->bench_mask = peer->bss->bench_mask = flows - 1;
	s[0] = load(ours->obj, true);
	s[1] = load(peer->obj, false);
	/* All are conversations then, and not first packets. */
	for (int k = 0; k < 2; k++)
		run(s[k].count, frame, flows * 32);
	for (uint32_t i = 0; i < rounds; i++) {
		added(s, frame, ns);
		printf("%.2f %.2f\n", ns[0], ns[1]);
	}
	count_sets__destroy(ours);
	count_lru__destroy(peer);
	return 0;
}
