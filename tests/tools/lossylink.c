// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lossylink HERE NETNS THERE [RULE]...: two tun devices that are the ends of a link, HERE in this network namespace
 * and THERE in that of the file NETNS, and what the link does to TCP over IPv4:
 *   NAME:drop:OFFSET:LENGTH:TIMES  the first TIMES segments from NAME that hold any of these bytes do not arrive
 *   NAME:swap:OFFSET               the first segment from NAME that holds this byte arrives after the one that follows
 *   NAME:delay:MS                  whatever comes from NAME arrives so much later
 * OFFSET counts from the first byte that an end of the connection sends.  It prints "up", then a line for each
 * segment that it dropped or swapped, "RULE START END", and ends with its standard input.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "util/bytes.h"

enum { RULES_MAX = 32, PACKET_MAX = 65536, SYN = 2 };

struct rule {
	const char *text;
	unsigned int end;		/* 0: HERE */
	bool swaps;
	uint32_t offset, length, times;
};

struct late {
	struct late *next;
	uint64_t due_ms;
	size_t n;
	uint8_t p[];
};

struct end {
	int fd;
	uint32_t first_seq;
	uint32_t delay_ms;
	struct late *first, **last;	/* on their way */
	uint8_t held[PACKET_MAX];	/* waits for the one that follows */
	size_t held_len;
};

static struct end ends[2];
static struct rule rules[RULES_MAX];
static unsigned int n_rules;

static int give_up(const char *what)
{
	perror(what);
	return 77;
}

static int usage(void)
{
	fputs("usage: lossylink HERE NETNS THERE [NAME:drop:OFFSET:LENGTH:TIMES|NAME:swap:OFFSET|NAME:delay:MS]...\n", stderr);
	return 2;
}

static int make(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return fd < 0 || ioctl(fd, TUNSETIFF, &r) ? -1 : fd;
}

static bool parse(const char *text, char **names)
{
	struct rule *r = &rules[n_rules];
	char name[IFNAMSIZ], what[8];
	int n = sscanf(text, "%15[^:]:%7[^:]:%u:%u:%u", name, what, &r->offset, &r->length, &r->times);

	if (n_rules == RULES_MAX || n < 3)
		return false;
	if (!strcmp(what, "delay")) {
		ends[!!strcmp(name, names[0])].delay_ms = r->offset;
		return n == 3;
	}
	r->text = text;
	r->end = !!strcmp(name, names[0]);
	r->swaps = !strcmp(what, "swap");
	if (r->swaps)
		r->length = r->times = 1;
	n_rules++;
	return r->swaps ? n == 3 : n == 5;
}

/* The rule for this segment, if there is one, which then counts it. */
static struct rule *rule_for(struct end *e, unsigned int end, const uint8_t *p, size_t n)
{
	size_t ip = (p[0] & 15) * 4u, head;
	uint32_t start, len;

	if (n < 40 || p[0] >> 4 != 4 || p[9] != 6 || n < ip + 20)
		return NULL;
	if (p[ip + 13] & SYN)
		e->first_seq = be32(p + ip + 4) + 1;
	head = ip + (p[ip + 12] >> 4) * 4u;
	start = be32(p + ip + 4) - e->first_seq;
	len = n > head ? (uint32_t)(n - head) : 0;
	for (struct rule *r = rules; r < rules + n_rules; r++) {
		if (r->end != end || !r->times || !len || start >= r->offset + r->length || start + len <= r->offset)
			continue;
		r->times--;
		printf("%s %u %u\n", r->text, start, start + len);
		fflush(stdout);
		return r;
	}
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool put_late(struct end *from, const uint8_t *p, size_t n, uint64_t read_ms)
{
	struct late *l = malloc(sizeof(*l) + n);

	if (!l)
		return false;
	l->next = NULL;
	l->due_ms = read_ms + from->delay_ms;
	l->n = n;
	memcpy(l->p, p, n);
	if (!from->first)
		from->last = &from->first;
	*from->last = l;
	from->last = &l->next;
	return true;
}

static bool put(unsigned int to, const uint8_t *p, size_t n, uint64_t read_ms)
{
	if (ends[!to].delay_ms)
		return put_late(&ends[!to], p, n, read_ms);
	return write(ends[to].fd, p, n) == (ssize_t)n;
}

/* What is due arrives; how long until something else is, -1: nothing waits. */
static int arrive(void)
{
	int wait = -1;

	for (unsigned int from = 0; from < 2; from++) {
		struct end *e = &ends[from];
		uint64_t now = now_ms();

		while (e->first && e->first->due_ms <= now) {
			struct late *l = e->first;

			if (write(ends[!from].fd, l->p, l->n) != (ssize_t)l->n)
				perror("lossylink: write");
			e->first = l->next;
			free(l);
		}
		if (e->first && (wait < 0 || (int)(e->first->due_ms - now) < wait))
			wait = (int)(e->first->due_ms - now);
	}
	return wait;
}

/* All that waits at this end; what the other end does not take, as long as it is down, is lost. */
static void carry(unsigned int from)
{
	static uint8_t p[PACKET_MAX];
	struct end *e = &ends[from];
	struct rule *r;
	uint64_t read_ms;
	ssize_t n;

	while ((n = read(e->fd, p, sizeof(p))) > 0) {
		read_ms = now_ms();	/* one that is overtaken arrives with the one that overtook it */
		r = rule_for(e, from, p, (size_t)n);
		if (r && r->swaps) {
			memcpy(e->held, p, (size_t)n);
			e->held_len = (size_t)n;
			continue;
		}
		if (!r && !put(!from, p, (size_t)n, read_ms))
			perror("lossylink: write");
		if (e->held_len && !put(!from, e->held, e->held_len, read_ms))
			perror("lossylink: write");
		e->held_len = 0;
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[3] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	char *names[2] = { argc > 3 ? argv[1] : NULL, argc > 3 ? argv[3] : NULL }, c;
	int netns;

	for (int i = 4; i < argc; i++)
		if (!parse(argv[i], names))
			return usage();
	if (argc < 4)
		return usage();
	ends[0].fd = make(names[0]);
	netns = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (ends[0].fd < 0 || netns < 0 || setns(netns, CLONE_NEWNET))
		return give_up(names[0]);
	ends[1].fd = make(names[1]);
	if (ends[1].fd < 0)
		return give_up(names[1]);
	puts("up");
	fflush(stdout);
	for (unsigned int i = 0; i < 2; i++)
		fds[i + 1] = (struct pollfd){ .fd = ends[i].fd, .events = POLLIN };
	while (poll(fds, 3, arrive()) >= 0) {
		if (fds[0].revents && read(STDIN_FILENO, &c, 1) <= 0)
			return 0;
		carry(0);
		carry(1);
	}
	return give_up("poll");
}
