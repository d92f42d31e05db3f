// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of pods counted under decisions (bpf/policy.bpf.c, src/count/policy_count.c): each packet once, with the
 * policies that its connection falls under, and nothing lost.  test_policy_drops.c tells of drops.  Needs root, ip,
 * nsenter.
 */
#include "kern/hook.h"
#include "policy_rig.h"

static void every_packet_is_counted_with_its_policy(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7000);
	struct np_policy_counts n;
	struct policy_rig r;

	rig_open(&r, &usual);
	decide(&r, &k, NONE, 0, ALLOWS, 5);
	carry(false, 7000, 10000);
	row_is(&r, A, NP_POLICY_NONE, EGRESS, 10000, 0);
	row_is(&r, B, 5, INGRESS, 10000, 0);
	n = row_of(&r, B, 5, INGRESS);
	assert_int_equal(n.policy_matches, 10000);
	assert_int_equal(n.policy_misses, 0);
	assert_int_equal(n.bytes_allowed, 10000 * (28 + PAYLOAD));
	assert_int_equal(n.first_allowed, 10000);
	n = row_of(&r, A, NP_POLICY_NONE, EGRESS);
	assert_int_equal(n.policy_matches, 0);
	assert_int_equal(n.policy_misses, 10000);
	assert_int_equal(asks(&r), 0);
	policy_count_close(r.c);
}

static void several_policies_count_a_packet_each_and_it_is_first_with_one(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7001);
	struct np_decision d = { .side = {
		{ .verdict = ALLOWS, .n = 4, .policy = { 1, 2, 3, 4 } }, { .verdict = ALLOWS, .n = 2, .policy = { 7, 8 } },
	} };
	struct policy_rig r;
	uint64_t first = 0;

	rig_open(&r, &usual);
	assert_int_equal(policy_count_decide(r.c, &k, &d, NULL), 0);
	carry(false, 7001, 20);
	for (uint32_t policy = 1; policy <= 4; policy++) {
		row_is(&r, A, policy, EGRESS, 20, 0);
		first += row_of(&r, A, policy, EGRESS).first_allowed;
	}
	assert_int_equal(first, 20);
	row_is(&r, B, 7, INGRESS, 20, 0);
	row_is(&r, B, 8, INGRESS, 20, 0);
	assert_int_equal(row_of(&r, B, 8, INGRESS).policy_matches, 20);
	assert_int_equal(row_of(&r, B, 8, INGRESS).first_allowed, 0);

	assert_int_equal(policy_count_forget_pod(r.c, B), 0);
	row_is(&r, B, 7, INGRESS, 0, 0);
	row_is(&r, A, 1, EGRESS, 20, 0);

	d.side[0].n = 5;
	assert_int_equal(policy_count_decide(r.c, &k, &d, NULL), -EINVAL);
	d.side[0].n = 1;
	d.side[0].policy[0] = NP_POLICY_UNDECIDED;
	assert_int_equal(policy_count_decide(r.c, &k, &d, NULL), -EINVAL);
	policy_count_close(r.c);
}

/* As before Linux 6.6. */
static void sockets_count_as_tc_does(void **state)
{
	static const struct policy_count_options o = { .sockets = true };
	struct np_policy_key k = key_of(false, UDP, 7002);
	struct np_decision d = { .side = { { .verdict = ALLOWS, .n = 1, .policy = { 1 } },
					   { .verdict = ALLOWS, .n = 1, .policy = { 7 } } } };
	struct policy_rig r;

	rig_open(&r, &o);
	assert_int_equal(policy_count_decide(r.c, &k, &d, NULL), 0);
	carry(false, 7002, 20);
	row_is(&r, A, 1, EGRESS, 20, 0);
	row_is(&r, B, 7, INGRESS, 20, 0);
	policy_count_close(r.c);
}

/* ── answers, asks, generations ───────────────────────────────────────────── */

static void an_answer_counts_under_the_same_decision(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 53);
	int from = bound(&pods[0], SOCK_DGRAM, false, 0), there = bound(&pods[1], SOCK_DGRAM, false, 53);
	struct sockaddr_in who;
	socklen_t size = sizeof(who);
	struct policy_rig r;

	rig_open(&r, &usual);
	decide(&r, &k, ALLOWS, 1, ALLOWS, 2);
	send_to(from, &pods[1].v4, 53, 10);
	receive(there, 10);
	assert_int_equal(getsockname(from, (struct sockaddr *)&who, &size), 0);
	send_to(there, &pods[0].v4, ntohs(who.sin_port), 7);
	receive(from, 7);
	row_is(&r, A, 1, EGRESS, 17, 0);
	row_is(&r, B, 2, INGRESS, 17, 0);
	assert_int_equal(asks(&r), 0);
	close(from);
	close(there);
	policy_count_close(r.c);
}

/* The first that is seen of it is a SYN, whatever the ports. */
static void tcp_tells_who_called(void **state)
{
	int there = bound(&pods[1], SOCK_STREAM, false, 40001), from = bound(&pods[0], SOCK_STREAM, false, 99), to;
	struct np_policy_key k = key_of(false, TCP, 40001);
	socklen_t size;
	struct sockaddr_storage s = at(&pods[1].v4, 40001, &size);
	struct policy_rig r;

	rig_open(&r, &usual);
	assert_int_equal(listen(there, 1), 0);
	assert_int_equal(connect(from, (struct sockaddr *)&s, size), 0);
	to = accept(there, NULL, NULL);
	assert_true(to >= 0);
	assert_int_equal(asks(&r), 1);
	assert_memory_equal(&r.asks[0].key, &k, sizeof(k));
	assert_int_equal(r.asks[0].flags, 0);
	assert_int_equal(r.asks[0].sport, 99);
	assert_int_equal(r.asks[0].pod, A);
	assert_int_equal(r.asks[0].dir, EGRESS);
	decide(&r, &k, ALLOWS, 1, ALLOWS, 2);
	assert_int_equal(send(to, "x", 1, 0), 1);
	receive(from, 0);
	assert_int_equal(recv(from, &(char){ 0 }, 1, 0), 1);
	assert_true(row_of(&r, A, 1, EGRESS).packets_allowed >= 1);
	assert_true(row_of(&r, B, 2, INGRESS).packets_allowed >= 1);
	row_is(&r, A, 1, INGRESS, 0, 0);
	assert_int_equal(asks(&r), 0);

	/* A server's answer is the first that is seen of a connection: by custom, who has the lower port. */
	policy_count_forget_all(r.c);
	policy_count_close(r.c);
	rig_open(&r, &usual);
	assert_int_equal(send(from, "y", 1, 0), 1);
	assert_int_equal(recv(to, &(char){ 0 }, 1, 0), 1);
	assert_int_equal(asks(&r), 1);
	assert_int_equal(r.asks[0].flags, NP_ASK_GUESSED | NP_ASK_REPLY);
	close(from);
	close(to);
	close(there);
	policy_count_close(r.c);
}

static void what_is_not_decided_is_asked_once(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7005);
	struct policy_rig r;

	rig_open(&r, &usual);
	carry(false, 7005, 50);
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, 50, 0);
	row_was(&r, B, NP_POLICY_UNDECIDED, INGRESS, 50, 0);
	assert_int_equal(asks(&r), 1);
	assert_memory_equal(&r.asks[0].key, &k, sizeof(k));
	assert_int_equal(r.asks[0].pod, A);
	assert_int_equal(r.asks[0].flags, NP_ASK_GUESSED);
	decide(&r, &k, ALLOWS, 1, NONE, 0);
	carry(false, 7005, 30);
	/* Those that waited belong to who decides. */
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, 0, 0);
	row_is(&r, A, 1, EGRESS, 80, 0);
	assert_int_equal(row_of(&r, A, 1, EGRESS).policy_matches, 80);
	assert_int_equal(row_of(&r, A, 1, EGRESS).first_allowed, 80);
	row_is(&r, B, NP_POLICY_NONE, INGRESS, 80, 0);
	assert_int_equal(row_of(&r, B, NP_POLICY_NONE, INGRESS).policy_misses, 80);
	assert_int_equal(policy_count_forget_pod(r.c, A), 0);
	row_is(&r, A, 1, EGRESS, 0, 0);
	assert_int_equal(asks(&r), 0);

	/* What waits is told, for a second; then it was undecided. */
	k.dport = 7009;
	carry(false, 7009, 50);
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, 50, 0);
	row_was(&r, A, NP_POLICY_WAITS, EGRESS, 50, 0);
	usleep(1200000);
	row_is(&r, A, NP_POLICY_WAITS, EGRESS, 0, 0);
	decide(&r, &k, ALLOWS, 1, NONE, 0);
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, 50, 0);
	row_was(&r, A, 1, EGRESS, 0, 0);
	policy_count_close(r.c);
}

/* A call's first packets, on both at once */
static void what_several_cpus_see_is_asked_once(void **state)
{
	enum { FIRST = 20000, N = 100, SENDERS = 2, EACH = 3 };
	uint64_t all = (uint64_t)N * SENDERS * EACH;
	pid_t pids[SENDERS];
	struct policy_rig r;

	rig_open(&r, &usual);
	for (int i = 0; i < SENDERS; i++) {
		cpu_set_t cpus;
		int fd;

		pids[i] = fork();
		if (pids[i])
			continue;
		CPU_ZERO(&cpus);
		CPU_SET(i, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);	/* where there is one CPU, both are on it */
		fd = bound(&pods[0], SOCK_DGRAM, false, 0);
		for (int port = FIRST; port < FIRST + N; port++)
			send_to(fd, &pods[1].v4, (uint16_t)port, EACH);
		_exit(0);
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	for (int i = 0; i < 500 && row_of(&r, B, NP_POLICY_UNDECIDED, INGRESS).packets_allowed < all; i++)
		usleep(10000);
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, all, 0);
	row_is(&r, B, NP_POLICY_UNDECIDED, INGRESS, all, 0);
	assert_int_equal(asks(&r), N);
	policy_count_close(r.c);
}

static void a_new_generation_asks_again_and_keeps_the_counters(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7006);
	struct policy_rig r;

	rig_open(&r, &usual);
	decide(&r, &k, NONE, 0, ALLOWS, 5);
	carry(false, 7006, 10);
	policy_count_forget_all(r.c);
	carry(false, 7006, 10);
	assert_int_equal(asks(&r), 1);
	row_is(&r, B, 5, INGRESS, 10, 0);
	row_was(&r, B, NP_POLICY_UNDECIDED, INGRESS, 10, 0);
	decide(&r, &k, NONE, 0, ALLOWS, 6);
	carry(false, 7006, 10);
	row_is(&r, B, 5, INGRESS, 10, 0);
	row_is(&r, B, 6, INGRESS, 20, 0);
	assert_int_equal(asks(&r), 0);

	/* A mark of an earlier generation is as stale. */
	carry(false, 7007, 1);
	policy_count_forget_all(r.c);
	carry(false, 7007, 1);
	assert_int_equal(asks(&r), 2);

	/* Who is no pod any more is a peer, and a peer's packets are none of a pod. */
	assert_int_equal(policy_count_unpod(r.c, &pods[1].v4, B), 0);
	carry(false, 7006, 10);
	assert_int_equal(other_of(&r, NP_OTHER_NOT_POD), 10);
	assert_int_equal(policy_count_unpod(r.c, &pods[1].v4, B), -ENOENT);
	policy_count_close(r.c);
}

/* ── what frames there are ────────────────────────────────────────────────── */

static void six_is_as_four(void **state)
{
	struct np_policy_key k = key_of(true, UDP, 7008);
	struct policy_rig r;

	rig_open(&r, &usual);
	decide(&r, &k, ALLOWS, 1, ALLOWS, 2);
	carry(true, 7008, 100);
	row_is(&r, A, 1, EGRESS, 100, 0);
	row_is(&r, B, 2, INGRESS, 100, 0);
	assert_int_equal(row_of(&r, B, 2, INGRESS).bytes_allowed, 100 * (48 + PAYLOAD));
	policy_count_close(r.c);
}

struct raw {
	uint8_t p[256];
	size_t n;
};

static void put(struct raw *f, const void *p, size_t n)
{
	memcpy(f->p + f->n, p, n);
	f->n += n;
}

#define PUT(f, ...) put(f, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* To an address that nobody has, from pod 0. */
static void put_link(struct raw *f, unsigned int tags, uint16_t type)
{
	f->n = 0;
	PUT(f, 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8);
	for (unsigned int i = 0; i < tags; i++)
		PUT(f, 0x81, 0, 0, (uint8_t)(5 + i));
	PUT(f, (uint8_t)(type >> 8), (uint8_t)type);
}

static void put_ip(struct raw *f, uint8_t proto, uint16_t frag)
{
	PUT(f, 0x45, 0, 0, 28, 0, 1, (uint8_t)(frag >> 8), (uint8_t)frag, 64, proto, 0, 0);
	put(f, pods[0].v4.addr, 4);
	put(f, pods[1].v4.addr, 4);
}

static void put_six(struct raw *f, uint8_t next, uint8_t length)
{
	PUT(f, 0x60, 0, 0, 0, 0, length, next, 64);
	put(f, pods[0].v6.addr, 16);
	put(f, pods[1].v6.addr, 16);
}

static void put_datagram(struct raw *f, uint16_t port)
{
	PUT(f, 0x9c, 0x40, (uint8_t)(port >> 8), (uint8_t)port, 0, 8, 0, 0);
}

static void transmit(const struct raw *f)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int fd = socket_in(&pods[0], AF_PACKET, SOCK_RAW, 0);

	assert_int_equal(setns(pods[0].ns, CLONE_NEWNET), 0);
	to.sll_ifindex = (int)if_nametoindex("eth0");
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	assert_int_equal(sendto(fd, f->p, f->n, 0, (struct sockaddr *)&to, sizeof(to)), f->n);
	close(fd);
}

static void await_allowed(struct policy_rig *r, uint32_t policy, uint64_t n)
{
	for (int i = 0; i < 500 && row_of(r, A, policy, EGRESS).packets_allowed < n; i++)
		usleep(10000);
	row_is(r, A, policy, EGRESS, n, 0);
}

static void await_other(struct policy_rig *r, enum np_other which, uint64_t n)
{
	for (int i = 0; i < 500 && other_of(r, which) < n; i++)
		usleep(10000);
	assert_true(other_of(r, which) >= n);
}

static void tags_and_extension_headers_are_looked_behind(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7009), six = key_of(true, UDP, 7009);
	struct policy_rig r;
	struct raw f;

	rig_open(&r, &usual);
	decide(&r, &k, ALLOWS, 1, ALLOWS, 2);
	decide(&r, &six, ALLOWS, 3, ALLOWS, 4);
	for (unsigned int tags = 1; tags <= 3; tags++) {
		put_link(&f, tags, 0x0800);
		put_ip(&f, UDP, 0);
		put_datagram(&f, 7009);
		transmit(&f);
		await_allowed(&r, 1, tags);
	}
	/* Hop-by-hop and destination options; RFC 8200, 4.3 and 4.6 */
	put_link(&f, 1, 0x86dd);
	put_six(&f, 0, 24);
	PUT(&f, 60, 0, 1, 4, 0, 0, 0, 0);
	PUT(&f, UDP, 0, 1, 4, 0, 0, 0, 0);
	put_datagram(&f, 7009);
	transmit(&f);
	await_allowed(&r, 3, 1);
	assert_int_equal(asks(&r), 0);
	policy_count_close(r.c);
}

static void what_is_in_no_row_is_told_why(void **state)
{
	struct policy_rig r;
	struct raw f;

	rig_open(&r, &usual);
	put_link(&f, 0, 0x88b5);
	PUT(&f, 0, 0, 0, 0);
	transmit(&f);
	await_other(&r, NP_OTHER_NOT_IP, 1);
	put_link(&f, 0, 0x0800);
	put_ip(&f, UDP, 100);
	put_datagram(&f, 7010);
	transmit(&f);
	await_other(&r, NP_OTHER_FRAGMENT, 1);
	put_link(&f, 0, 0x0800);
	put_ip(&f, TCP, 0);
	put_datagram(&f, 7010);
	transmit(&f);
	await_other(&r, NP_OTHER_BROKEN, 1);
	put_link(&f, 0, 0x0800);
	put_ip(&f, 1, 0);
	PUT(&f, 3, 3, 0, 0, 0, 0, 0, 0);
	transmit(&f);
	await_other(&r, NP_OTHER_ICMP, 1);
	put_link(&f, 0, 0x0800);
	put_ip(&f, UDP, 0);
	put_datagram(&f, 7010);
	f.p[14 + 15] = 77;
	transmit(&f);
	await_other(&r, NP_OTHER_NOT_POD, 1);
	assert_int_equal(asks(&r), 0);
	policy_count_close(r.c);
}

/* ── no room ──────────────────────────────────────────────────────────────── */

/* A pod that calls ever new ports: each packet is counted, and what is decided comes back when it was pushed out. */
static void a_full_cache_loses_no_packet(void **state)
{
	enum { CALLS = 1500 };
	struct np_policy_key k = key_of(false, UDP, 7011);
	int fd = bound(&pods[0], SOCK_DGRAM, false, 0);
	struct policy_rig r;
	uint64_t n;

	rig_open(&r, &(struct policy_count_options){ .decisions = 256, .ring_bytes = 4096 });
	decide(&r, &k, ALLOWS, 1, ALLOWS, 2);
	carry(false, 7011, 10);
	for (int port = 10000; port < 10000 + CALLS; port++)
		send_to(fd, &pods[1].v4, (uint16_t)port, 1);
	for (int i = 0; i < 500 && row_of(&r, A, NP_POLICY_UNDECIDED, EGRESS).packets_allowed < CALLS; i++)
		usleep(10000);
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, CALLS, 0);
	n = asks(&r);
	assert_true(n >= 32 && n < CALLS);
	assert_true(other_of(&r, NP_OTHER_RING_FULL) >= CALLS - n);
	carry(false, 7011, 10);
	n = row_of(&r, A, 1, EGRESS).packets_allowed;
	assert_true(n == 10 || n == 20);
	if (n == 10)
		decide(&r, &k, ALLOWS, 1, ALLOWS, 2);
	carry(false, 7011, 10);
	row_is(&r, A, 1, EGRESS, n + 10, 0);
	assert_int_equal(row_of(&r, A, NP_POLICY_UNDECIDED, EGRESS).packets_allowed, CALLS + 20 - n);

	/* With a ring that takes them all the cache has to give room. */
	policy_count_close(r.c);
	rig_open(&r, &(struct policy_count_options){ .decisions = 256, .ring_bytes = 1 << 20 });
	decide(&r, &k, ALLOWS, 1, ALLOWS, 2);
	for (int port = 10000; port < 10000 + CALLS; port++)
		send_to(fd, &pods[1].v4, (uint16_t)port, 1);
	for (int i = 0; i < 500 && row_of(&r, A, NP_POLICY_UNDECIDED, EGRESS).packets_allowed < CALLS; i++)
		usleep(10000);
	row_is(&r, A, NP_POLICY_UNDECIDED, EGRESS, CALLS, 0);
	assert_int_equal(other_of(&r, NP_OTHER_RING_FULL) + other_of(&r, NP_OTHER_CACHE_FULL), 0);
	close(fd);
	policy_count_close(r.c);
}

static void rows_that_find_no_room_are_counted(void **state)
{
	struct np_policy_key k = key_of(false, UDP, 7012);
	struct policy_rig r;
	uint64_t n = 0;

	rig_open(&r, &(struct policy_count_options){ .pods = 4, .policies = 1 });
	for (uint32_t policy = 1; policy <= 60; policy++) {
		decide(&r, &k, ALLOWS, policy, ALLOWS, policy);
		carry(false, 7012, 1);
	}
	r.n_rows = 0;
	assert_int_equal(policy_count_read(r.c, take_row, &r), 0);
	for (unsigned int i = 0; i < r.n_rows; i++)
		n += r.rows[i].n.first_allowed;
	assert_true(other_of(&r, NP_OTHER_ROWS_FULL) > 0);
	assert_int_equal(n + other_of(&r, NP_OTHER_ROWS_FULL), 120);
	policy_count_close(r.c);
}

/* ── what there is, and what is left ──────────────────────────────────────── */

static bool has_map(const char *name)
{
	struct bpf_map_info info;
	uint32_t id = 0, size;
	bool found = false;

	while (!found && !bpf_map_get_next_id(id, &id)) {
		int fd = bpf_map_get_fd_by_id(id);

		memset(&info, 0, sizeof(info));
		size = sizeof(info);
		found = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, name);
		if (fd >= 0)
			close(fd);
	}
	return found;
}

static void maps_have_these_names(void **state)
{
	struct policy_rig r;

	rig_open(&r, &usual);
	assert_true(has_map("pod_metadata"));
	assert_true(has_map("active_policies"));
	assert_true(has_map("policy_events"));
	assert_true(has_map("policy_asks"));
	assert_int_equal(policy_count_attach(r.c, pods[0].ifindex, A), 0);
	assert_int_equal(policy_count_detach(r.c, pods[0].ifindex), 0);
	assert_int_equal(policy_count_detach(r.c, pods[0].ifindex), -ENOENT);
	assert_int_equal(policy_count_attach(r.c, if_nametoindex("lo"), A), -EMEDIUMTYPE);
	policy_count_close(r.c);
}

static uint32_t at_pod(void)
{
	uint32_t n = 0;

	for (int type = TCX_INGRESS; type <= TCX_EGRESS; type++) {
		LIBBPF_OPTS(bpf_prog_query_opts, q);

		if (!bpf_prog_query_opts((int)pods[0].ifindex, (enum bpf_attach_type)type, &q))
			n += q.prog_cnt;
	}
	return n + (uint32_t)number_of("(tc filter show dev %s ingress; tc filter show dev %s egress) 2>/dev/null |"
				       "grep -c handle", pods[0].host, pods[0].host);
}

static void a_killed_one_leaves_nothing(void **state)
{
	struct programs of = { .n = 0 };
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct policy_rig r;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		rig_open(&r, &usual);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	programs_of(&of, pid);
	assert_true(of.n >= 2);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 600 && (at_pod() || still_there(&of)); i++)
		usleep(50000);
	assert_int_equal(at_pod(), 0);
	assert_false(still_there(&of));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_is_counted_with_its_policy),
		cmocka_unit_test(several_policies_count_a_packet_each_and_it_is_first_with_one),
		cmocka_unit_test(sockets_count_as_tc_does),
		cmocka_unit_test(an_answer_counts_under_the_same_decision),
		cmocka_unit_test(tcp_tells_who_called),
		cmocka_unit_test(what_is_not_decided_is_asked_once),
		cmocka_unit_test(what_several_cpus_see_is_asked_once),
		cmocka_unit_test(a_new_generation_asks_again_and_keeps_the_counters),
		cmocka_unit_test(six_is_as_four),
		cmocka_unit_test(tags_and_extension_headers_are_looked_behind),
		cmocka_unit_test(what_is_in_no_row_is_told_why),
		cmocka_unit_test(a_full_cache_loses_no_packet),
		cmocka_unit_test(rows_that_find_no_room_are_counted),
		cmocka_unit_test(maps_have_these_names),
		cmocka_unit_test(a_killed_one_leaves_nothing),
	};

	if (geteuid()) {
		fprintf(stderr, "needs root\n");
		return 77;
	}
	return cmocka_run_group_tests_name("policy_count", tests, build_node, raze_node);
}
