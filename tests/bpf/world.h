/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_WORLD_H
#define NETPROBE_TESTS_WORLD_H

/* A network namespace with a veth pair to another, and one capture in a box. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/types.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "abi.h"
#include "kern/capture.h"
#include "kern/link.h"
#include "source/live.h"
#include "source/ring.h"

/* BPF_TCX_*, which older headers lack */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

static const char near_name[] = "kern0", far_name[] = "kern1";

/* One capture and what it got. */
struct box {
	struct capture_options opt;
	struct capture *c;
	struct capture_fds fds;
	struct source *s;
	struct iface iface;
	enum rung rung;
	unsigned int frames, in, out, drops, echo;
	uint16_t type;		/* 0, or: only such frames are hits */
	unsigned int hits;
	struct frame last;
	uint8_t bytes[NP_CLASS_6];
	uint32_t reason;
	uint64_t location;
};

static pid_t far_end;
static int first_rung = RUNG_TCX;	/* that this kernel has */

static inline int sh(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return system(line);
}

/* What a command prints, as a number. */
static inline long number_of(const char *fmt, ...)
{
	char line[512], out[64] = "";
	va_list ap;
	FILE *p;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	p = popen(line, "r");
	assert_non_null(p);
	if (!fgets(out, sizeof(out), p))
		out[0] = '\0';
	pclose(p);
	return strtol(out, NULL, 10);
}

static inline void be_the_far_end(int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET))
		_exit(1);
	if (write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static inline void look_for_tcx(void)
{
	struct capture_options opt = { .ingress = true, .packets = true, .rung = -1 };
	struct rung_plan plan[RUNGS];
	struct capture *c;

	assert_int_equal(capture_open(&c, &opt), 0);
	assert_int_equal(capture_plan(c, if_nametoindex("lo"), "lo", plan), 0);
	if (!plan[RUNG_TCX].works)
		first_rung = RUNG_CLSACT;
	capture_close(c);
}

static inline int build_world(void **state)
{
	int p[2];
	char c;

	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	assert_int_equal(pipe(p), 0);
	far_end = fork();
	if (far_end == 0)
		be_the_far_end(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(sh("ip link set lo up && ip link add %s mtu 65535 type veth peer name %s mtu 65535 &&"
			    "ip link set %s netns %d && ip addr add 192.0.2.1/24 dev %s && ip link set %s up &&"
			    "nsenter -t %d -n sh -c 'ip link set lo up; ip addr add 192.0.2.2/24 dev %s; ip link set %s up'",
			    near_name, far_name, far_name, far_end, near_name, near_name, far_end, far_name, far_name),
			 0);
	look_for_tcx();
	/* Until the addresses are settled. */
	return sh("ping -c 1 -w 5 192.0.2.2 >/dev/null");
}

static inline int raze_world(void **state)
{
	kill(far_end, SIGKILL);
	waitpid(far_end, NULL, 0);
	return 0;
}

static inline void ping(unsigned int n)
{
	assert_int_equal(sh("ping -q -c %u -i 0.01 -w 5 192.0.2.2 >/dev/null", n), 0);
}

/* Put a frame on the wire at the far end. */
static inline void send_from_afar(const uint8_t *frame, size_t n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char path[64];
		struct sockaddr_ll to = { .sll_family = AF_PACKET };
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/ns/net", far_end);
		if (setns(open(path, O_RDONLY | O_CLOEXEC), CLONE_NEWNET))
			_exit(1);
		to.sll_ifindex = (int)if_nametoindex(far_name);
		fd = socket(AF_PACKET, SOCK_RAW, 0);
		_exit(sendto(fd, frame, n, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)n);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static inline const struct iface *find_iface(void *ctx, uint32_t ifindex)
{
	struct box *b = ctx;

	return ifindex == b->iface.ifindex ? &b->iface : NULL;
}

static inline void name_drop(void *ctx, uint32_t reason, uint64_t location, struct drop_info *out)
{
	struct box *b = ctx;

	b->reason = reason;
	b->location = location;
	*out = (struct drop_info){ .reason = "some", .location = "where", .hook = "other" };
}

static inline int take_frame(void *ctx, const struct frame *f)
{
	struct box *b = ctx;
	uint32_t ip = f->link == 1 ? 14 : 0;

	b->frames++;
	b->in += f->direction == DIR_INGRESS;
	b->out += f->direction == DIR_EGRESS;
	b->drops += f->drop != NULL;
	b->echo += f->cap_len > ip + 20 && f->data[ip + 9] == 1;
	if (b->type && (f->cap_len < 14 || (f->data[12] << 8 | f->data[13]) != b->type))
		return 0;
	b->hits++;
	b->last = *f;
	memcpy(b->bytes, f->data, f->cap_len);
	return 0;
}

static inline struct box *box_new(int rung)
{
	struct box *b = calloc(1, sizeof(*b));

	b->opt = (struct capture_options){ .ingress = true, .egress = true, .packets = true, .rung = rung };
	b->fds = (struct capture_fds){ .ring = -1, .ledger = -1, .control = -1, .drop_ledger = -1 };
	return b;
}

static inline int open_live(struct box *b)
{
	struct live_config cfg = { .iface = &b->iface, .ingress = true, .egress = true };

	return live_open(&b->s, &cfg);
}

static inline int open_ring(struct box *b)
{
	struct ring_config cfg = {
		.ring = b->fds.ring, .ledger = b->fds.ledger, .control = b->fds.control,
		.drop_ledger = b->fds.drop_ledger, .ring_bytes = b->fds.ring_bytes, .cpus = b->fds.cpus,
		.iface = find_iface, .drop = name_drop, .ctx = b,
	};

	return ring_open(&b->s, &cfg);
}

static inline void box_open(struct box *b, const char *name)
{
	struct link_info l;

	assert_int_equal(link_get(name, 0, &l), 0);
	b->iface = (struct iface){ .ifindex = l.ifindex, .link = l.link };
	snprintf(b->iface.name, sizeof(b->iface.name), "%s", name);
	assert_int_equal(capture_open(&b->c, &b->opt), 0);
	capture_fds(b->c, &b->fds);
	if (capture_by_packet(b->c, &l)) {
		assert_int_equal(open_live(b), 0);
		assert_int_equal(capture_packet_opened(b->c, l.ifindex), 0);
	}
	if (b->opt.packets)
		assert_int_equal(capture_attach(b->c, l.ifindex, name, &b->rung), 0);
	if (!b->s)
		assert_int_equal(open_ring(b), 0);
}

static inline void box_drain(struct box *b)
{
	struct pollfd p = { .fd = b->s->fd, .events = POLLIN };

	while (poll(&p, 1, 100) > 0)
		assert_true(b->s->ops->read(b->s, 1000, take_frame, b) >= 0);
}

/* A packet to ourselves is received when the kernel comes to it, which need not be when it was sent: until `n` were
 * handed over or filtered away, and at most 10 s. */
static inline void box_await(struct box *b, uint64_t n)
{
	struct source_counts c;

	for (int i = 0; i < 100; i++) {
		box_drain(b);
		b->s->ops->counts(b->s, &c);
		if (c.filtered + c.emitted >= n)
			return;
	}
}

/* Detach, read what is left: then the books must balance to the packet. */
static inline struct source_counts box_settle(struct box *b)
{
	struct source_counts c;

	capture_detach_all(b->c);
	box_drain(b);
	b->s->ops->counts(b->s, &c);
	assert_int_equal(c.seen, c.filtered + c.sampled + c.emitted + c.lost_ring + c.lost_map + c.lost_other);
	assert_int_equal(c.emitted, c.read);
	assert_int_equal(c.read, b->frames);
	return c;
}

static inline void box_free(struct box *b)
{
	if (b->s)
		b->s->ops->close(b->s);
	capture_close(b->c);
	close(b->fds.ring);
	close(b->fds.ledger);
	close(b->fds.control);
	close(b->fds.drop_ledger);
	free(b);
}

static inline long tc_filters(void)
{
	return number_of("(tc filter show dev %s ingress; tc filter show dev %s egress) 2>/dev/null | grep -c handle",
			 near_name, near_name);
}

static inline long clsact_qdiscs(void)
{
	return number_of("tc qdisc show dev %s | grep -c clsact", near_name);
}

/* Programs that links hold at the near end, in this network namespace */
static inline uint32_t tcx_programs(void)
{
	uint32_t n = 0;
	int ifindex = (int)if_nametoindex(near_name);

	for (int type = TCX_INGRESS; type <= TCX_EGRESS; type++) {
		LIBBPF_OPTS(bpf_prog_query_opts, q);

		/* Before 6.6 there are none, and no such question. */
		if (!bpf_prog_query_opts(ifindex, (enum bpf_attach_type)type, &q))
			n += q.prog_cnt;
	}
	return n;
}

/* BPF programs that descriptors of processes name, by themselves or as a link's */
struct programs {
	uint32_t id[64];
	unsigned int n;
};

static inline void programs_of(struct programs *of, pid_t pid)
{
	char line[512];
	unsigned int id;
	FILE *p;

	snprintf(line, sizeof(line), "cat /proc/%d/fdinfo/* 2>/dev/null", pid);
	p = popen(line, "r");
	assert_non_null(p);
	while (fgets(line, sizeof(line), p)) {
		if (sscanf(line, "prog_id: %u", &id) != 1 || !id)
			continue;
		assert_true(of->n < sizeof(of->id) / sizeof(of->id[0]));
		of->id[of->n++] = id;
	}
	pclose(p);
}

static inline bool still_there(const struct programs *of)
{
	for (unsigned int i = 0; i < of->n; i++) {
		int fd = bpf_prog_get_fd_by_id(of->id[i]);

		if (fd >= 0) {
			close(fd);
			return true;
		}
	}
	return false;
}

static inline long packet_sockets(void)
{
	return number_of("tail -n +2 /proc/net/packet | wc -l");
}

/* Programs go some RCU grace periods after their last user. */
static inline void nothing_is_left(const struct programs *of)
{
	assert_int_equal(tc_filters(), 0);
	assert_int_equal(clsact_qdiscs(), 0);
	assert_int_equal(packet_sockets(), 0);
	for (int i = 0; i < 600 && still_there(of); i++)
		usleep(50000);
	assert_false(still_there(of));
}

#endif
