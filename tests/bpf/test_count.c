// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The programs that count (bpf/count.bpf.c) against their reference (count_reference.h).  Frames of random stacks of
 * headers, many of them again and again, answered and changed; then counters and flows must be the same: at tc, at XDP,
 * without a link header, of several interfaces, of super-packets and of tags beside the data.  PACKETS=N runs N
 * frames, BRIEF=1 two of the tests, SEED=N begins elsewhere.  Needs root and ip.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include "count_reference.h"

enum { PACKETS = 120000, ROUND = 4000, POOL = 200, REFUSED_BELOW = FRAME_LEAST + 40, TAGGED = 300 };

static const char other[] = "count1";

/* ── the frames ───────────────────────────────────────────────────────────── */

/* Where an IP header is that TCP or UDP follows at once, behind any tags; 0 without: none. */
static bool find_ip(const struct made_frame *f, bool link, uint32_t *at)
{
	uint32_t n = link ? 14 : 0, ports;
	const uint8_t *h;

	while (link && n < 40 && (f->p[n - 2] == 0x81 || f->p[n - 2] == 0x88) && !(f->p[n - 1] & 0x57))
		n += 4;
	h = f->p + n;
	ports = n + (h[0] == 0x45 ? 20 : 40);
	*at = n;
	if (f->n < ports + 20 || (link && h[-1] != (h[0] == 0x45 ? 0 : 0xdd)))
		return false;
	return h[0] == 0x45 ? h[9] == 6 || h[9] == 17 : h[0] >> 4 == 6 && (h[6] == 6 || h[6] == 17);
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t t = a[i];

		a[i] = b[i];
		b[i] = t;
	}
}

/* The other end speaks: addresses and ports change places. */
static void answer(uint8_t *ip)
{
	if (ip[0] == 0x45) {
		swap(ip + 12, ip + 16, 4);
		swap(ip + 20, ip + 22, 2);
	} else {
		swap(ip + 8, ip + 24, 16);
		swap(ip + 40, ip + 42, 2);
	}
}

/* TCP goes on: sequence numbers a little further or back, acknowledgements, flags, windows. */
static void go_on(uint8_t *tcp)
{
	static const uint8_t flags[] = { 0x10, 0x10, 0x18, 0x10, 0x02, 0x12, 0x11, 0x14, 0x04, 0x00 };

	tcp[7] = (uint8_t)rnd(4);
	tcp[6] = (uint8_t)rnd(2);
	tcp[11] = (uint8_t)rnd(4);
	tcp[10] = (uint8_t)rnd(2);
	tcp[13] = flags[rnd(sizeof(flags))];
	if (one_in(6))
		tcp[14] = tcp[15] = 0;
}

static void choose(struct made_frame *to, const struct made_frame *pool, bool link)
{
	uint32_t at;
	uint8_t *ip;

	*to = pool[rnd(POOL)];
	if (!find_ip(to, link, &at))
		return;
	ip = to->p + at;
	if (one_in(2))
		answer(ip);
	if (ip[ip[0] == 0x45 ? 9 : 6] == 6 && !one_in(4))
		go_on(ip + (ip[0] == 0x45 ? 20 : 40));
}

/* What there is most of: TCP or UDP behind a plain IP header, in a few tags at most. */
static void ordinary_frame(struct made_frame *f, bool link)
{
	uint32_t tags = one_in(2) ? rnd(3) : 0, six = rnd(2), n = six ? 40 : 20, at, tcp = !one_in(3), payload = rnd(60);

	f->n = 0;
	make_random(f, link ? 12 : 0);
	for (uint32_t i = 0; link && i < tags; i++) {
		make_be(f, i || one_in(2) ? 0x8100 : 0x88a8);
		make_random(f, 2);
	}
	if (link)
		make_be(f, six ? 0x86dd : 0x0800);
	at = make_random(f, n + (tcp ? 20 : 8) + payload);
	f->p[at] = six ? 0x60 : 0x45;
	f->p[at + (six ? 6 : 9)] = tcp ? 6 : 17;
	set16(f, at + (six ? 4 : 2), f->n - at - (six ? 40 : 0));
	if (!six)
		set16(f, at + 6, 0x4000);
	/* Neighbours, or one host with itself: what comes later in an address, or the port, puts the ends in order. */
	if (one_in(3))
		memcpy(f->p + at + (six ? 24 : 16), f->p + at + (six ? 8 : 12), six ? one_in(2) ? 16 : 8 : 4);
	if (tcp)
		f->p[at + n + 12] = 0x50;
	else
		set16(f, at + n + 4, 8 + payload);
}

static void make_pool(struct made_frame *pool, bool link)
{
	for (unsigned int i = 0; i < POOL; i++)
		do {
			if (one_in(3))
				ordinary_frame(&pool[i], link);
			else
				random_frame(&pool[i], link);
		} while (pool[i].n < REFUSED_BELOW);
}

/* ── the rounds ───────────────────────────────────────────────────────────── */

struct way {
	bool xdp, l3, segments;
	uint32_t ifaces;
	bool per_interface;
};

/* What the stack says of a frame that the test run is to make of it; false: nothing. */
static bool describe(struct __sk_buff *skb, struct given *g, const struct way *w)
{
	memset(skb, 0, sizeof(*skb));
	if (w->segments && one_in(4)) {
		g->segments = 2 + rnd(40);
		skb->gso_segs = g->segments;
		skb->gso_size = 1000;
	}
	if (w->ifaces > 1) {
		g->iface = rnd(w->ifaces);
		skb->ifindex = g->iface ? if_nametoindex(other) : 1;
	}
	return w->segments || w->ifaces > 1;
}

static void run_frame(struct count_rig *rig, struct reference *r, const struct way *w, const struct made_frame *f)
{
	struct given g = { .f = f, .segments = 1, .l3 = w->l3, .per_interface = w->per_interface };
	enum count_hook hook = COUNT_XDP;
	struct __sk_buff skb;
	bool said = describe(&skb, &g, w);

	if (!w->xdp) {
		g.dir = one_in(2) ? NP_COUNT_OUT : NP_COUNT_IN;
		hook = g.dir == NP_COUNT_OUT ? COUNT_OUT : COUNT_IN;
	}
	count_rig_run(count_rig_program(rig, hook, w->l3), f->p, f->n, said ? &skb : NULL);
	reference_take(r, &g);
}

/* True: the comparison holds.  False: fragments, by their hashes, did not all find room. */
static bool run_round(struct count_rig *rig, const struct made_frame *pool, const struct way *w, uint32_t n)
{
	struct reference r;
	struct made_frame f;
	struct np_counts sum;
	bool done;

	count_rig_empty(rig);
	reference_open(&r);
	for (uint32_t i = 0; i < n; i++) {
		choose(&f, pool, !w->l3);
		run_frame(rig, &r, w, &f);
	}
	count_rig_sum(rig, &sum);
	done = !sum.fragments_evicted;
	if (done)
		compare(&rig->view, &r);
	reference_close(&r);
	return done;
}

static void run_rounds(const struct way *w, uint32_t per_cent)
{
	const struct count_options o = { .flows = 65536, .ifaces = w->ifaces, .per_interface = w->per_interface };
	static struct made_frame pool[POOL];
	uint32_t all = (uint32_t)((uint64_t)count_rig_packets(PACKETS) * per_cent / 100) + 1;
	uint32_t n = all < ROUND ? all : ROUND, rounds = all / n;
	struct count_rig rig;

	count_rig_open(&rig, &o);
	for (uint32_t i = 0; w->ifaces > 1 && i < w->ifaces; i++)
		assert_int_equal(count_number(&rig.kernel, i ? if_nametoindex(other) : 1, i), 0);
	for (uint32_t i = 0; i < rounds;) {
		make_pool(pool, !w->l3);
		i += run_round(&rig, pool, w, n);
	}
	count_rig_close(&rig);
	print_message("%u frames in %u rounds, no difference\n", rounds * n, rounds);
}

static void the_same_is_counted_at_tc(void **state)
{
	run_rounds(&(struct way){ .ifaces = 1 }, 30);
}

static void the_same_is_counted_at_xdp(void **state)
{
	run_rounds(&(struct way){ .xdp = true, .ifaces = 1 }, 30);
}

static void the_same_is_counted_without_a_link_header(void **state)
{
	run_rounds(&(struct way){ .l3 = true, .ifaces = 1 }, 10);
}

static void interfaces_are_counted_apart(void **state)
{
	run_rounds(&(struct way){ .ifaces = IFACES }, 10);
}

static void flows_of_interfaces_are_counted_apart(void **state)
{
	run_rounds(&(struct way){ .ifaces = IFACES, .per_interface = true }, 10);
}

static void segments_of_super_packets_are_packets(void **state)
{
	run_rounds(&(struct way){ .ifaces = 1, .segments = true }, 10);
}

/* What the frames are worth: conversations of each kind, in which both ends spoke. */
static void every_kind_of_flow_was_met(void **state)
{
	if (count_rig_packets(PACKETS) < 12000)
		skip();
	print_message("flows %llu, inside tunnels %llu; both ends spoke: IPv4 %llu, IPv6 %llu, tagged %llu, established %llu\n",
		      (unsigned long long)met.flows, (unsigned long long)met.inner, (unsigned long long)met.both[0],
		      (unsigned long long)met.both[1], (unsigned long long)met.tagged, (unsigned long long)met.established);
	assert_true(met.both[0] > met.flows / 100);
	assert_true(met.both[1] > met.flows / 100);
	assert_true(met.tagged > met.flows / 200);
	assert_true(met.inner > met.flows / 50);
	assert_true(met.established > met.flows / 200);
}

/* ── what came over a wire ────────────────────────────────────────────────── */

static void attach_ingress(int prog, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, o, .prog_fd = prog);

	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &o), 0);
}

static void detach_ingress(int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
}

static void send_frame(int fd, const struct made_frame *f)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex("count2") };

	assert_int_equal(sendto(fd, f->p, f->n, 0, (struct sockaddr *)&to, sizeof(to)), f->n);
}

static void wait_for_frames(const struct count_rig *rig, uint64_t n)
{
	struct np_counts sum = { 0 };

	for (int i = 0; i < 5000 && sum.frames < n; i++) {
		count_rig_sum(rig, &sum);
		if (sum.frames < n)
			usleep(1000);
	}
	assert_int_equal(sum.frames, n);
}

/* The receiving side takes the outer tag off, and it is no byte of what the device counts then. */
static void tags_beside_the_data_are_counted(void **state)
{
	const struct count_options o = { .flows = 65536, .ifaces = 1 };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), ifindex = (int)if_nametoindex(other);
	struct count_rig rig;
	struct reference r;
	struct made_frame f;

	assert_true(fd >= 0);
	count_rig_open(&rig, &o);
	reference_open(&r);
	attach_ingress(count_rig_program(&rig, COUNT_IN, false), ifindex);
	for (uint32_t i = 0; i < TAGGED; i++) {
		struct given g = { .f = &f, .segments = 1 };

		ordinary_frame(&f, true);
		if (f.p[12] == 0x81 || (f.p[12] == 0x88 && f.p[13] == 0xa8))
			g.absent = 4;
		send_frame(fd, &f);
		wait_for_frames(&rig, i + 1);
		reference_take(&r, &g);
	}
	compare(&rig.view, &r);
	detach_ingress(ifindex);
	reference_close(&r);
	count_rig_close(&rig);
	close(fd);
}

/* ── sums ─────────────────────────────────────────────────────────────────── */

static uint64_t packets_of(const struct np_tally *t, unsigned int n, uint64_t *bytes)
{
	uint64_t sum = 0;

	*bytes = 0;
	for (unsigned int i = 0; i < n; i++) {
		sum += t[i].packets;
		*bytes += t[i].bytes;
	}
	return sum;
}

/* Without the reference's counters: what was given is there, once in each set of classes. */
static void classes_add_up_to_what_was_given(void **state)
{
	const struct count_options o = { .ifaces = 1 };
	uint64_t readings[NP_READINGS_N] = { 0 }, given_bytes = 0, bytes;
	uint32_t n = count_rig_packets(PACKETS) / 6 + 1, tcp = 0;
	struct count_rig rig;
	struct np_counts c;
	struct made_frame f;
	struct np_tuple t;
	int prog;

	count_rig_open(&rig, &o);
	prog = count_rig_program(&rig, COUNT_IN, false);
	for (uint32_t i = 0; i < n; i++) {
		do
			random_frame(&f, true);
		while (f.n < REFUSED_BELOW);
		count_rig_run(prog, f.p, f.n, NULL);
		tuple_read(&t, f.p, f.n, f.n);
		readings[t.reading]++;
		tcp += t.has_tcp;
		given_bytes += f.n;
	}
	count_rig_sum(&rig, &c);
	assert_int_equal(c.frames, n);
	assert_int_equal(c.frame_bytes, given_bytes);
	assert_int_equal(packets_of(c.version, NP_VERSIONS, &bytes), n);
	assert_int_equal(bytes, given_bytes);
	assert_int_equal(packets_of(c.size, NP_SIZES, &bytes), n);
	assert_int_equal(bytes, given_bytes);
	assert_int_equal(packets_of(c.flags, NP_FLAG_CLASSES, &bytes), tcp);
	assert_int_equal(c.reading[NP_WHOLE].packets, 0);
	for (unsigned int i = 0; i < NP_READINGS_N; i++)
		if (i != NP_WHOLE)
			assert_int_equal(c.reading[i].packets, readings[i]);
	assert_int_equal(packets_of(c.reading, 16, &bytes), n - readings[NP_WHOLE]);
	count_rig_close(&rig);
}

/* No address, no IPv6: nobody speaks there but we. */
static int build(void **state)
{
	if (system("ip link set lo up && ip link add count1 type veth peer name count2"))
		return -1;
	if (system("for i in count1 count2; do f=/proc/sys/net/ipv6/conf/$i/disable_ipv6;"
		   "[ ! -e $f ] || echo 1 >$f; ip link set $i up || exit; done"))
		return -1;
	return 0;
}

int main(void)
{
	const char *seed = getenv("SEED");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_counted_at_tc),
		cmocka_unit_test(the_same_is_counted_at_xdp),
		cmocka_unit_test(the_same_is_counted_without_a_link_header),
		cmocka_unit_test(interfaces_are_counted_apart),
		cmocka_unit_test(flows_of_interfaces_are_counted_apart),
		cmocka_unit_test(segments_of_super_packets_are_packets),
		cmocka_unit_test(every_kind_of_flow_was_met),
		cmocka_unit_test(tags_beside_the_data_are_counted),
		cmocka_unit_test(classes_add_up_to_what_was_given),
	};

	const struct CMUnitTest brief[] = {
		cmocka_unit_test(the_same_is_counted_at_tc),
		cmocka_unit_test(the_same_is_counted_at_xdp),
	};

	if (geteuid() || unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	random_state = seed ? strtoull(seed, NULL, 10) | 1 : 0x9e3779b97f4a7c15ull;
	if (getenv("BRIEF"))
		return cmocka_run_group_tests_name("count", brief, build, NULL);
	return cmocka_run_group_tests_name("count", tests, build, NULL);
}
