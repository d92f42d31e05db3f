/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_POLICY_RIG_H
#define NETPROBE_TESTS_POLICY_RIG_H

/* A node with two pods, each in a network namespace behind a veth pair, and routes between them. */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/time.h>

#include "count/policy_count.h"
#include "world.h"

enum { PODS = 2, ROWS = 512, PAYLOAD = 32 };
enum { UDP = 17, TCP = 6, NONE = NP_POLICY_SELECTS_NONE, ALLOWS = NP_POLICY_ALLOWS, DENIES = NP_POLICY_DENIES };
enum { A = 10, B = 11 };		/* numbers of the pods */
#define EGRESS NP_POLICY_EGRESS
#define INGRESS NP_POLICY_INGRESS

static const struct policy_count_options usual;

struct pod {
	pid_t pid;
	int ns;				/* its network namespace */
	char host[16];			/* the host's end */
	uint32_t ifindex;
	struct np_pod_key v4, v6;
};

static struct pod pods[PODS];
static int host_ns;

struct found {
	struct np_policy_row row;
	struct np_policy_counts n;
};

struct policy_rig {
	struct policy_count *c;
	struct found rows[ROWS];
	unsigned int n_rows;
	struct np_policy_ask asks[512];
	unsigned int n_asks;
};

/* Pod i has 10.77.i.2 and fd77:i::2, the host's end ::1. */
static inline void make_pod(unsigned int i)
{
	struct pod *p = &pods[i];
	int ready[2];
	char c, path[64];

	assert_int_equal(pipe(ready), 0);
	p->pid = fork();
	if (p->pid == 0)
		be_the_far_end(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", p->pid);
	p->ns = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(p->host, sizeof(p->host), "pod%u", i);
	/* No waiting for others with the same address. */
	assert_int_equal(sh("ip link add %s type veth peer name eth0 netns %d && echo 0 >/proc/sys/net/ipv6/conf/%s/accept_dad &&"
			    "ip link set %s up && ip addr add 10.77.%u.1/24 dev %s && ip -6 addr add fd77:%u::1/64 dev %s",
			    p->host, p->pid, p->host, p->host, i, p->host, i, p->host), 0);
	assert_int_equal(sh("nsenter -t %d -n sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad && ip link set lo up &&"
			    "ip link set eth0 up && ip addr add 10.77.%u.2/24 dev eth0 && ip -6 addr add fd77:%u::2/64 dev eth0'",
			    p->pid, i, i), 0);
	assert_int_equal(sh("nsenter -t %d -n sh -c 'ip route add default via 10.77.%u.1 &&"
			    "ip -6 route add default via fd77:%u::1'", p->pid, i, i), 0);
	p->ifindex = if_nametoindex(p->host);
	p->v4 = (struct np_pod_key){ .addr = { 10, 77, (uint8_t)i, 2 }, .family = 4 };
	p->v6 = (struct np_pod_key){ .addr = { 0xfd, 0x77, 0, (uint8_t)i, [15] = 2 }, .family = 6 };
}

static inline int build_node(void **state)
{
	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(sh("ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward;"
			    "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"), 0);
	for (unsigned int i = 0; i < PODS; i++)
		make_pod(i);
	/* Until neighbours know each other. */
	return sh("for i in 1 2 3 4 5; do nsenter -t %d -n sh -c"
		  " 'ping -c 1 -w 2 10.77.1.2 && ping -6 -c 1 -w 2 fd77:1::2' >/dev/null && exit 0; done; exit 1", pods[0].pid);
}

static inline int raze_node(void **state)
{
	for (unsigned int i = 0; i < PODS; i++) {
		kill(pods[i].pid, SIGKILL);
		waitpid(pods[i].pid, NULL, 0);
		close(pods[i].ns);
	}
	close(host_ns);
	return 0;
}

static inline int socket_in(const struct pod *p, int family, int type, int protocol)
{
	struct timeval limit = { .tv_sec = 5 };
	int fd;

	assert_int_equal(setns(p->ns, CLONE_NEWNET), 0);
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	assert_int_equal(setns(host_ns, CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static inline struct sockaddr_storage at(const struct np_pod_key *addr, uint16_t port, socklen_t *n)
{
	struct sockaddr_storage s = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s;

	if (addr->family == 4) {
		*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		memcpy(&v4->sin_addr, addr->addr, 4);
		*n = sizeof(*v4);
	} else {
		*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		memcpy(&v6->sin6_addr, addr->addr, 16);
		*n = sizeof(*v6);
	}
	return s;
}

/* A socket of the pod that has its address; port 0: any. */
static inline int bound(const struct pod *p, int type, bool six, uint16_t port)
{
	const struct np_pod_key *addr = six ? &p->v6 : &p->v4;
	socklen_t n;
	struct sockaddr_storage s = at(addr, port, &n);
	int fd = socket_in(p, s.ss_family, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&s, n), 0);
	return fd;
}

static inline void send_to(int fd, const struct np_pod_key *addr, uint16_t port, unsigned int n)
{
	static const char payload[PAYLOAD];
	socklen_t size;
	struct sockaddr_storage s = at(addr, port, &size);

	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(sendto(fd, payload, PAYLOAD, 0, (struct sockaddr *)&s, size), PAYLOAD);
}

static inline void receive(int fd, unsigned int n)
{
	char buf[PAYLOAD];

	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(recv(fd, buf, sizeof(buf), 0), PAYLOAD);
}

/* From pod 0 to pod 1, each of them received. */
static inline void carry(bool six, uint16_t port, unsigned int n)
{
	const struct np_pod_key *to = six ? &pods[1].v6 : &pods[1].v4;
	int from = bound(&pods[0], SOCK_DGRAM, six, 0), there = bound(&pods[1], SOCK_DGRAM, six, port);

	for (unsigned int sent = 0; sent < n; sent += 100) {
		unsigned int now = n - sent < 100 ? n - sent : 100;

		send_to(from, to, port, now);
		receive(there, now);
	}
	close(from);
	close(there);
}

/* ── the counters ─────────────────────────────────────────────────────────── */

static inline int take_row(void *ctx, const struct np_policy_row *row, const struct np_policy_counts *n)
{
	struct policy_rig *r = ctx;

	assert_true(r->n_rows < ROWS);
	r->rows[r->n_rows++] = (struct found){ *row, *n };
	return 0;
}

/* As it was read last. */
static inline struct np_policy_counts row_read(const struct policy_rig *r, uint32_t pod, uint32_t policy,
					       enum np_policy_dir dir)
{
	for (unsigned int i = 0; i < r->n_rows; i++)
		if (r->rows[i].row.pod == pod && r->rows[i].row.policy == policy && r->rows[i].row.dir == dir)
			return r->rows[i].n;
	return (struct np_policy_counts){ 0 };
}

static inline struct np_policy_counts row_of(struct policy_rig *r, uint32_t pod, uint32_t policy, enum np_policy_dir dir)
{
	r->n_rows = 0;
	assert_int_equal(policy_count_read(r->c, take_row, r), 0);
	return row_read(r, pod, policy, dir);
}

static inline void row_was(const struct policy_rig *r, uint32_t pod, uint32_t policy, enum np_policy_dir dir,
			   uint64_t allowed, uint64_t dropped)
{
	struct np_policy_counts n = row_read(r, pod, policy, dir);

	if (n.packets_allowed != allowed || n.packets_dropped != dropped)
		fail_msg("pod %u policy %#x dir %u: allowed %llu dropped %llu, expected %llu %llu", pod, policy, dir,
			 n.packets_allowed, n.packets_dropped, (unsigned long long)allowed, (unsigned long long)dropped);
}

/* It is read: what waits for a decision does so until the second reading. */
static inline void row_is(struct policy_rig *r, uint32_t pod, uint32_t policy, enum np_policy_dir dir, uint64_t allowed,
			  uint64_t dropped)
{
	row_of(r, pod, policy, dir);
	row_was(r, pod, policy, dir, allowed, dropped);
}

/* A drop is where it happens, and the counter follows at once; what sends may be ahead of what forwards. */
static inline void await_drops(struct policy_rig *r, uint32_t pod, uint32_t policy, enum np_policy_dir dir, uint64_t n)
{
	for (int i = 0; i < 500 && row_of(r, pod, policy, dir).packets_dropped < n; i++)
		usleep(10000);
}

static inline uint64_t other_of(struct policy_rig *r, enum np_other which)
{
	uint64_t n[NP_OTHERS_N];

	assert_int_equal(policy_count_other(r->c, n), 0);
	return n[which];
}

static inline int take_one(void *ctx, const struct np_policy_ask *ask)
{
	struct policy_rig *r = ctx;

	assert_true(r->n_asks < sizeof(r->asks) / sizeof(r->asks[0]));
	r->asks[r->n_asks++] = *ask;
	return 0;
}

/* Those for UDP, TCP and echoes; the stack of a pod speaks for itself now and then. */
static inline unsigned int asks(struct policy_rig *r)
{
	r->n_asks = 0;
	assert_true(policy_count_asks(r->c, take_one, r) >= 0);
	return r->n_asks;
}

static inline void rig_open(struct policy_rig *r, const struct policy_count_options *o)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(policy_count_open(&r->c, o), 0);
	for (unsigned int i = 0; i < PODS; i++) {
		assert_int_equal(policy_count_attach(r->c, pods[i].ifindex, A + i), 0);
		assert_int_equal(policy_count_pod(r->c, &pods[i].v4, A + i), 0);
		assert_int_equal(policy_count_pod(r->c, &pods[i].v6, A + i), 0);
	}
}

static inline struct np_policy_key key_of(bool six, uint8_t proto, uint16_t port)
{
	struct np_policy_key k = { .dport = port, .proto = proto, .family = six ? 6 : 4 };

	memcpy(k.src, six ? pods[0].v6.addr : pods[0].v4.addr, 16);
	memcpy(k.dst, six ? pods[1].v6.addr : pods[1].v4.addr, 16);
	return k;
}

/* Of what pod 0 asks of pod 1; a policy of 0: none selects that end. */
static inline void decide(struct policy_rig *r, const struct np_policy_key *k, uint8_t egress, uint32_t egress_policy,
			  uint8_t ingress, uint32_t ingress_policy)
{
	struct np_decision d = { .side = {
		{ .verdict = egress, .n = egress_policy != 0, .policy = { egress_policy } },
		{ .verdict = ingress, .n = ingress_policy != 0, .policy = { ingress_policy } },
	} };

	assert_int_equal(policy_count_decide(r->c, k, &d, NULL), 0);
}

#endif
