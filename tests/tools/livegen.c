// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * livegen IFACE COUNT [LEN [PPS]]: send COUNT UDP frames of LEN bytes out of
 * one end of a veth pair as fast as the kernel takes them, or at PPS, and print the
 * generator's own CPU time a packet.
 *
 * The frames are made by BPF_PROG_TEST_RUN with live frames and redirected to IFACE;
 * the peer's whole receive path runs inside the system call, so the figure is
 * generator + receive path, which is what `make bench` compares.  The peer needs
 * NAPI: `ethtool -K PEER gro on`.
 *
 * COUNT frames arrive: where the peer reads its ring of 256 in another thread (ksoftirqd, on a busy machine), what
 * finds it full is lost on the way, IFACE counts it, and as many are sent again.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <limits.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 1514, HEADERS = 14 + 20 + 8 };

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_frame(unsigned char *p, unsigned int len)
{
	struct iphdr *ip = (void *)(p + 14);
	struct udphdr *udp = (void *)(ip + 1);
	const unsigned char *w = (void *)ip;
	unsigned int sum = 0;

	memset(p, 0, len);
	memcpy(p, "\x02\0\0\0\0\x0b\x02\0\0\0\0\x0a\x08\0", 14);
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons((unsigned short)(len - 14));
	ip->ttl = 64;
	ip->protocol = IPPROTO_UDP;
	ip->saddr = inet_addr("10.99.0.1");
	ip->daddr = inet_addr("10.99.0.2");
	for (int i = 0; i < 20; i += 2)
		sum += (unsigned int)(w[i] << 8 | w[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = htons((unsigned short)~(sum + (sum >> 16)));
	udp->source = htons(5000);
	udp->dest = htons(9);
	udp->len = htons((unsigned short)(len - 34));
}

/*
 * Wait until the frame's time has come (gap_ns after the one before; a generator
 * that is more than 1 ms late starts a new count and says so), then
 * return bpf_redirect(ifindex, 0).  The waiting is here because each system call
 * costs about 20 ms.  Map value: next time, number of times late.
 */
static int load_generator(unsigned int ifindex, unsigned int gap_ns, int map)
{
	enum { WAIT_MAX = 2000 };
	struct bpf_insn insns[] = {
		/* 0 */ { .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 6, .src_reg = BPF_PSEUDO_MAP_VALUE,
			  .imm = map },
		/* 1 */ { 0 },
		/* 2 */ { .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 7, .src_reg = 6 },
		/* 3 */ { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 8 },
		/* 4 */ { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns },
		/* 5 */ { .code = BPF_JMP | BPF_JGE | BPF_X, .dst_reg = 0, .src_reg = 7, .off = 2 },
		/* 6 */ { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 8, .imm = 1 },
		/* 7 */ { .code = BPF_JMP | BPF_JLT | BPF_K, .dst_reg = 8, .off = -4, .imm = WAIT_MAX },
		/* 8 */ { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 7 },
		/* 9 */ { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = 1000000 },
		/* 10 */ { .code = BPF_JMP | BPF_JLE | BPF_X, .dst_reg = 0, .src_reg = 1, .off = 4 },
		/* 11 */ { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 7, .src_reg = 0 },
		/* 12 */ { .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 6, .off = 8 },
		/* 13 */ { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = 1 },
		/* 14 */ { .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 6, .src_reg = 1, .off = 8 },
		/* 15 */ { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 7, .imm = (int)gap_ns },
		/* 16 */ { .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 6, .src_reg = 7 },
		/* 17 */ { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = (int)ifindex },
		/* 18 */ { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2 },
		/* 19 */ { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
		/* 20 */ { .code = BPF_JMP | BPF_EXIT },
	};
	const unsigned int n = sizeof(insns) / sizeof(insns[0]);

	if (!gap_ns)
		return bpf_prog_load(BPF_PROG_TYPE_XDP, "np_livegen", "GPL", insns + 17, n - 17, NULL);
	return bpf_prog_load(BPF_PROG_TYPE_XDP, "np_livegen", "GPL", insns, n, NULL);
}

struct counts {
	unsigned long long arrived, lost;	/* a veth's: its peer took it from its ring, or that was full */
};

static int read_counts(const char *iface, struct counts *c)
{
	unsigned long long v[12];
	char line[512], name[32];
	FILE *f = fopen("/proc/net/dev", "re");
	int n = 0;

	while (f && n != 13 && fgets(line, sizeof(line), f)) {
		n = sscanf(line, " %31[^:]: %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", name, v, v + 1,
			   v + 2, v + 3, v + 4, v + 5, v + 6, v + 7, v + 8, v + 9, v + 10, v + 11);
		if (strcmp(name, iface))
			n = 0;
	}
	if (f)
		fclose(f);
	if (n != 13)
		return -1;
	c->arrived = v[9];
	c->lost = v[11];
	return 0;
}

/* Wait until COUNT have arrived, or nothing more arrives for a second. */
static void wait_arrived(const char *iface, unsigned long long want)
{
	struct counts c = { 0 }, last = { 0 };

	for (int still = 0; still < 1000; still++) {
		if (read_counts(iface, &c) || c.arrived >= want)
			return;
		if (c.arrived != last.arrived)
			still = 0;
		last = c;
		usleep(1000);
	}
}

/* Send until COUNT have arrived; returns how many were sent again, or -1. */
static long send_all(int prog, const char *iface, const unsigned char *frame, unsigned int len, unsigned int count)
{
	enum { ROUNDS_MAX = 1000 };
	struct counts first, c;
	unsigned long long left = count, lost;

	if (read_counts(iface, &first))
		return -1;
	lost = first.lost;
	for (int round = 0; left; round++) {
		LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = len, .repeat = (int)left,
			    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
		if (round == ROUNDS_MAX || bpf_prog_test_run_opts(prog, &o) || read_counts(iface, &c))
			return -1;
		left = c.lost - lost < left ? c.lost - lost : left;
		lost = c.lost;
		if (left)
			usleep(1000);
	}
	wait_arrived(iface, first.arrived + count);
	return (long)(lost - first.lost);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned int len = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 60;
	double pps = argc > 4 ? strtod(argv[4], NULL) : 0, cpu, wall;
	unsigned int ifindex = argc > 1 ? if_nametoindex(argv[1]) : 0, zero = 0;
	unsigned char frame[FRAME_MAX];
	unsigned long long state[2] = { 0, 0 };
	int prog, map;
	long again;

	if (!ifindex || !count || count > INT_MAX || len < HEADERS || len > FRAME_MAX) {
		fprintf(stderr, "usage: livegen IFACE COUNT [LEN [PPS]]\n");
		return 2;
	}
	make_frame(frame, len);
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "np_livegen", sizeof(zero), sizeof(state), 1, NULL);
	prog = map < 0 ? map : load_generator(ifindex, pps > 0 ? (unsigned int)(1e9 / pps) : 0, map);
	if (prog < 0) {
		perror("livegen: load");
		return 1;
	}
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	again = send_all(prog, argv[1], frame, len, (unsigned int)count);
	if (again < 0) {
		perror("livegen: test run");
		return 1;
	}
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	bpf_map_lookup_elem(map, &zero, state);
	printf("%lu packets, %.1f ns CPU a packet, %.0f packets/s, %llu times late, %ld sent again\n", count,
	       cpu / (double)count * 1e9, (double)count / wall, state[1], again);
	return 0;
}
