// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * firstbyte REPEATS COMMAND...: milliseconds from exec to the first byte on the
 * command's standard output, and its memory 200 ms later.  Prints, a line a run:
 *   MS RSS_KIB CHILDREN_PRIVATE_KIB
 * RSS is the command's own; what its children hold alone is counted beside it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Sum of the lines of /proc/PID/FILE that begin with one of two keys, in KiB. */
static long proc_kib(int pid, const char *file, const char *key, const char *key2)
{
	char path[64], line[256];
	long sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) || (key2 && !strncmp(line, key2, strlen(key2))))
			sum += strtol(strchr(line, ':') + 1, NULL, 10);
	fclose(f);
	return sum;
}

static long children_kib(int pid)
{
	char path[64], text[256] = "";
	long sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fgets(text, sizeof(text), f))
		for (char *p = text, *end; *p; p = end) {
			int child = (int)strtol(p, &end, 10);

			if (end == p)
				break;
			sum += proc_kib(child, "smaps_rollup", "Private_Clean:", "Private_Dirty:");
		}
	fclose(f);
	return sum;
}

static int run(char **argv)
{
	struct pollfd pfd = { .events = POLLIN };
	double start, first;
	char text[65536];
	int p[2], null;
	long rss, kids;
	pid_t pid;

	if (pipe(p))
		return 1;
	start = now_ms();
	pid = vfork();
	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 2);
		dup2(p[1], 1);
		close(p[0]);
		close(p[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(p[1]);
	pfd.fd = p[0];
	poll(&pfd, 1, 8000);
	if (read(p[0], text, sizeof(text)) <= 0) {
		fprintf(stderr, "firstbyte: %s printed nothing\n", argv[0]);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return 1;
	}
	first = now_ms() - start;
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 20; i++) {
		usleep(10000);
		while (read(p[0], text, sizeof(text)) > 0)
			;
	}
	rss = proc_kib(pid, "status", "VmRSS:", NULL);
	kids = children_kib(pid);
	kill(pid, SIGINT);
	for (int i = 0; i < 300 && !waitpid(pid, NULL, WNOHANG); i++) {
		while (read(p[0], text, sizeof(text)) > 0)
			;
		usleep(10000);
	}
	close(p[0]);
	printf("%.2f %ld %ld\n", first, rss, kids);
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0;

	if (n <= 0) {
		fprintf(stderr, "usage: firstbyte REPEATS COMMAND...\n");
		return 2;
	}
	while (n--)
		if (run(argv + 2))
			return 1;
	return 0;
}
