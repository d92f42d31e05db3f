// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a firewall lets through, by what arrives: datagrams from addresses of a network namespace to one of here.
 *   judged once NETNS DEVICE TO LAST FROM...   one from each FROM, then one from LAST, which passes: which of the others
 *                                              arrived, in a line, or "-".  IPv4
 *   judged flood NETNS DEVICE TO X Y           from X and Y by turns, as many as go, until SIGTERM: "X SENT ARRIVED Y
 *                                              SENT ARRIVED".  Y passes: what does not arrive within 5 s is lost
 * DEVICE is the sender's.  All stay on one CPU, so that they keep their order.  Exit status 1: LAST did not arrive.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 7001, FROM_MAX = 16, BATCH = 32, WAIT_MS = 5000 };

static int die(const char *what)
{
	fprintf(stderr, "judged: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct sockaddr_in address(const char *text, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		die(text);
	return a;
}

static int receiver(const char *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 8 << 20;
	struct sockaddr_in a = address(to, PORT);

	if (fd < 0 || bind(fd, (void *)&a, sizeof(a)) || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		die(to);
	return fd;
}

/* From then on we are in that namespace; what was opened before stays where it was. */
static void enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static int sender(const char *device, const char *from, const char *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = address(from, 0), b = address(to, PORT);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) ||
	    bind(fd, (void *)&a, sizeof(a)) || connect(fd, (void *)&b, sizeof(b)))
		die(from);
	return fd;
}

static int next_of(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t who;
	ssize_t n = recv(fd, &who, 1, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN && poll(&p, 1, wait_ms) > 0)
		n = recv(fd, &who, 1, MSG_DONTWAIT);
	return n == 1 ? who : -1;
}

static void send_one(int fd, uint8_t who)
{
	if (send(fd, &who, 1, 0) != 1)
		die("send");
}

static int once(int argc, char **argv)
{
	int in = receiver(argv[2]), n = argc - 3, who, fds[FROM_MAX];
	const char *sep = "";

	enter(argv[0]);
	for (int i = 0; i < n; i++)		/* argv[3] is LAST */
		fds[i] = sender(argv[1], argv[3 + i], argv[2]);
	for (int i = 1; i < n; i++)
		send_one(fds[i], (uint8_t)i);
	send_one(fds[0], 0);
	while ((who = next_of(in, WAIT_MS)) > 0) {
		printf("%s%s", sep, argv[3 + who]);
		sep = " ";
	}
	printf("%s\n", *sep ? "" : "-");
	return who ? 1 : 0;
}

/* It is blocked, so that no batch is cut short. */
static bool told_to_end(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGTERM);
}

static int flood(char **argv)
{
	int in = receiver(argv[2]), x, y, who, wanted;
	uint64_t sent = 0, arrived[2] = { 0 };

	enter(argv[0]);
	x = sender(argv[1], argv[3], argv[2]);
	y = sender(argv[1], argv[4], argv[2]);
	while (!told_to_end()) {
		for (int i = 0; i < BATCH; i++) {
			send_one(x, 0);
			send_one(y, 1);
		}
		sent += BATCH;
		for (wanted = BATCH; wanted && (who = next_of(in, WAIT_MS)) >= 0; wanted -= who)
			arrived[who & 1]++;
		if (wanted)
			break;
	}
	printf("%s %llu %llu %s %llu %llu\n", argv[3], (unsigned long long)sent, (unsigned long long)arrived[0],
	       argv[4], (unsigned long long)sent, (unsigned long long)arrived[1]);
	return 0;
}

int main(int argc, char **argv)
{
	sigset_t term;
	cpu_set_t one;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (argc >= 6 && argc < 6 + FROM_MAX && !strcmp(argv[1], "once"))
		return once(argc - 2, argv + 2);
	if (argc == 7 && !strcmp(argv[1], "flood"))
		return flood(argv + 2);
	fprintf(stderr, "usage: judged once NETNS DEVICE TO LAST FROM... | judged flood NETNS DEVICE TO X Y\n");
	return 2;
}
