// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpf/parse.h against its reference (src/tuple_read.c): what both read of random stacks of headers, and of the frames
 * of captures, whole, changed and cut, at XDP, at tc and without a link header, down to the third tunnel.  Each field
 * must be the same.  PACKETS=N runs N frames, SEED=N begins elsewhere, CAPTURES names files and folders of captures.
 * Needs root.
 */
#include <errno.h>
#include <ftw.h>
#include <linux/if_link.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "numbers/linktype.h"
#include "source/source.h"
#include "tuple_frames.h"
#include "tuple_levels.h"
#include "tuple_read.h"

#include "tuple.skel.h"

enum { PACKETS = 1000000, REFUSED_BELOW = FRAME_LEAST + 40 };

static struct tuple *skel;
static volatile struct tuple_levels *levels;

struct counts {
	uint64_t frames, refused, depth[TUPLE_LEVELS], readings[NP_READINGS_N], tunnels[NP_TUNNELS_N];
};

static struct counts counts;

/* ── the comparison ───────────────────────────────────────────────────────── */

#define FIELDS(X) \
	X(src[0]) X(src[1]) X(dst[0]) X(dst[1]) X(smac) X(dmac) X(off) X(avail) X(end) X(ethertype) X(vlan[0]) X(vlan[1]) \
	X(vlans) X(family) X(proto) X(sport) X(dport) X(icmp_type) X(icmp_code) X(ttl) X(tos) X(ip_len) X(frag_id) \
	X(frag_offset) X(tcp_flags) X(tcp_window) X(tcp_seq) X(tcp_ack) X(payload_len) X(reading) X(tunnel) \
	X(inner_type) X(inner_off) X(has_mac) X(has_ah) X(has_tcp) X(fragment) X(first) X(more) X(zero) X(test)

#define SIZE(m) sizeof(((struct np_tuple *)NULL)->m) +
_Static_assert(FIELDS(SIZE) 0 == sizeof(struct np_tuple), "each field, and no hole between them");

static unsigned int differences(const struct np_tuple *kernel, const struct np_tuple *twin)
{
	unsigned int n = 0;

#define DIFFER(m)                                                                                             \
	if (kernel->m != twin->m) {                                                                           \
		print_error("  %s: kernel %llx, reference %llx\n", #m, (unsigned long long)kernel->m,         \
			    (unsigned long long)twin->m);                                                     \
		n++;                                                                                          \
	}
	FIELDS(DIFFER)
#undef DIFFER
	return n;
}

static void read_all(struct tuple_levels *l, const uint8_t *p, uint32_t n, bool link)
{
	struct np_tuple t;

	memset(l, 0, sizeof(*l));
	if (link)
		tuple_read(&t, p, n, n);
	else
		tuple_read_l3(&t, p, n, n);
	do {
		l->v[l->n++] = t;
	} while (l->n < TUPLE_LEVELS && tuple_read_inner(&t, p, n, n));
}

static void count(const struct tuple_levels *l)
{
	counts.frames++;
	for (uint32_t i = 0; i < l->n; i++) {
		counts.depth[i]++;
		counts.readings[l->v[i].reading]++;
		counts.tunnels[l->v[i].tunnel]++;
	}
}

static void tell(const struct made_frame *f, const struct tuple_levels *got, const struct tuple_levels *want)
{
	for (uint32_t i = 0; i < f->n; i++)
		print_error("%02x", f->p[i]);
	print_error("\nheaders: kernel %u, reference %u\n", got->n, want->n);
	for (uint32_t i = 0; i < want->n && i < got->n; i++) {
		print_error(" header %u\n", i);
		differences(&got->v[i], &want->v[i]);
	}
}

static void compare(int prog, const struct made_frame *f, bool link)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = f->p, .data_size_in = f->n, .repeat = 1);
	struct tuple_levels want, got;
	int err;

	levels->n = 0;
	err = bpf_prog_test_run_opts(prog, &o);
	/* From 6.18 a test run refuses an IP packet that ends in its first header. */
	if (err == -EINVAL && f->n < REFUSED_BELOW) {
		counts.refused++;
		return;
	}
	assert_int_equal(err, 0);
	read_all(&want, f->p, f->n, link);
	got = *(const struct tuple_levels *)levels;
	count(&want);
	if (got.n == want.n && !memcmp(got.v, want.v, want.n * sizeof(want.v[0])))
		return;
	tell(f, &got, &want);
	fail();
}

/* ── the frames ───────────────────────────────────────────────────────────── */

static uint32_t wanted(uint32_t part)
{
	const char *n = getenv("PACKETS");

	return (uint32_t)((uint64_t)(n ? strtoul(n, NULL, 10) : PACKETS) * part / 100) + 1;
}

static void random_frames(int prog, uint32_t n, bool link)
{
	struct made_frame f;

	for (uint32_t i = 0; i < n; i++) {
		random_frame(&f, link);
		compare(prog, &f, link);
	}
	print_message("%u frames, no difference\n", n);
}

static void ethernet_frames_read_the_same_at_tc(void **state)
{
	random_frames(bpf_program__fd(skel->progs.tuple_tc), wanted(60), true);
}

static void packets_without_a_link_header_read_the_same(void **state)
{
	random_frames(bpf_program__fd(skel->progs.tuple_tc_l3), wanted(30), false);
}

/* A program that is attached somewhere need not be put in the dispatcher for each run, which takes 20 ms. */
static void ethernet_frames_read_the_same_at_xdp(void **state)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_SKB_MODE);
	int prog = bpf_program__fd(skel->progs.tuple_xdp), link = bpf_link_create(prog, 1, BPF_XDP, &o);

	assert_true(link >= 0);
	random_frames(prog, wanted(10), true);
	close(link);
}

/* What the random frames are worth: they come to every end, and into each tunnel. */
static void every_reading_and_tunnel_was_met(void **state)
{
	if (counts.frames < 10000)
		skip();
	for (int i = 0; i < NP_READINGS_N; i++)
		assert_true(counts.readings[i] > counts.frames / 2000);
	for (int i = 0; i < NP_TUNNELS_N; i++)
		assert_true(counts.tunnels[i] > counts.frames / 500);
	assert_true(counts.depth[TUPLE_LEVELS - 1] > counts.frames / 200);
	print_message("inside one tunnel %llu, two %llu, three %llu; not taken by the kernel %llu\n",
		      (unsigned long long)counts.depth[1], (unsigned long long)counts.depth[2],
		      (unsigned long long)counts.depth[3], (unsigned long long)counts.refused);
}

static int one_frame(void *ctx, const struct frame *f)
{
	struct made_frame m;
	int prog = bpf_program__fd(skel->progs.tuple_tc);
	uint32_t n = f->cap_len < FRAME_MAX ? f->cap_len : FRAME_MAX;

	if (f->link != LINK_ETHERNET || n < FRAME_LEAST)
		return 0;
	for (int i = 0; i < 8; i++) {
		memcpy(m.p, f->data, n);
		m.n = n;
		if (i)
			spoil(&m);
		compare(prog, &m, true);
	}
	return 0;
}

static int one_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct source *s = NULL;
	int rc;

	if (type != FTW_F || !(strstr(path, ".pcap") || strstr(path, ".cap")) || capfile_open(&s, path))
		return 0;
	do {
		rc = s->ops->read(s, 1u << 20, one_frame, NULL);
	} while (rc >= 0);
	s->ops->close(s);
	return 0;
}

static void frames_of_captures_read_the_same(void **state)
{
	char *named = strdup(getenv("CAPTURES") ? getenv("CAPTURES") : ""), *save = NULL;
	uint64_t before = counts.frames;

	assert_non_null(named);
	nftw("tests/golden", one_file, 8, FTW_PHYS);
	for (char *w = strtok_r(named, " :", &save); w; w = strtok_r(NULL, " :", &save))
		assert_int_equal(nftw(w, one_file, 8, 0), 0);
	free(named);
	print_message("%llu frames, no difference\n", (unsigned long long)(counts.frames - before));
}

/* What the verifier said of each program. */
static char said[3][1024];

static void ask_verifier(struct bpf_program *prog, char *log, size_t size)
{
	bpf_program__set_log_buf(prog, log, size);
	bpf_program__set_log_level(prog, 4);	/* figures, and no more */
}

static void costs(const char *name, const struct bpf_program *prog, const char *log)
{
	static const uint8_t tcp[64] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 50, 0, 0, 0x40, 0, 64, 6, 0, 0,
					 192, 0, 2, 1, 192, 0, 2, 2, 0x9c, 0x40, 0, 80, [46] = 0x50, 0x10 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = tcp, .data_size_in = sizeof(tcp), .repeat = 1000000);
	const char *processed = strstr(log, "processed ");

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &o), 0);
	print_message("%s: %u ns, %.*s\n", name, o.duration, processed ? (int)strcspn(processed, "(\n") : 0,
		      processed ? processed : "");
}

/* Told, not judged: what it costs is for tests/bench. */
static void the_costs_are_told(void **state)
{
	costs("nothing", skel->progs.tuple_xdp_none, said[0]);
	costs("one header", skel->progs.tuple_xdp_one, said[1]);
	costs("up to four headers", skel->progs.tuple_xdp, said[2]);
}

int main(void)
{
	const char *seed = getenv("SEED");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet_frames_read_the_same_at_tc),
		cmocka_unit_test(packets_without_a_link_header_read_the_same),
		cmocka_unit_test(ethernet_frames_read_the_same_at_xdp),
		cmocka_unit_test(every_reading_and_tunnel_was_met),
		cmocka_unit_test(frames_of_captures_read_the_same),
		cmocka_unit_test(the_costs_are_told),
	};
	int rc;

	if (geteuid() || unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	random_state = (seed ? strtoull(seed, NULL, 10) : 1) * 0x9e3779b97f4a7c15ull;
	skel = tuple__open();
	if (!skel)
		return 1;
	ask_verifier(skel->progs.tuple_xdp_none, said[0], sizeof(said[0]));
	ask_verifier(skel->progs.tuple_xdp_one, said[1], sizeof(said[1]));
	ask_verifier(skel->progs.tuple_xdp, said[2], sizeof(said[2]));
	if (tuple__load(skel)) {
		fprintf(stderr, "the verifier refuses the programs\n");
		return 1;
	}
	levels = mmap(NULL, sizeof(*levels), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(skel->maps.levels), 0);
	if (levels == MAP_FAILED)
		return 1;
	rc = cmocka_run_group_tests_name("tuple", tests, NULL, NULL);
	tuple__destroy(skel);
	return rc;
}
