// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader and the helper without a capture: what tests/net/priv.sh looks at.
 *
 *	privtest [-f FILE] [-n FILES] [-u UID] [-z] [-m] [-w SECONDS] [-t] [-p PATTERN]...
 *
 * Starts the helper with a pretended capture, drops privileges, prints what was
 * done, tries what must be denied, lets the helper make FILES files, then
 * waits.  -t prints times instead of trying; -m: what is missing, and no more; -z: no helper.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "priv/priv.h"
#include "priv/rotate.h"
#include "privprobe.h"
#include "util/caps.h"

struct options {
	const char *file, *user;
	const char *patterns[16];
	unsigned int n_patterns, files, seconds;
	bool no_helper, times;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ── the kernel side: pretended, or (WITH_KERN) the real one, which then attaches ── */
#ifdef WITH_KERN
static struct capture *open_capture(void)
{
	const struct capture_options opt = { .ingress = true, .egress = true, .rung = -1, .packets = true };
	struct capture *c = NULL;

	return capture_open(&c, &opt) ? NULL : c;
}
#else
static struct capture *open_capture(void)
{
	return (void *)&open_capture;	/* never looked into */
}

void capture_close(struct capture *c)
{
}

int link_each(link_fn fn, void *ctx)
{
	static const struct link_info links[] = {
		{ .ifindex = 1, .name = "lo", .link = 1 }, { .ifindex = 2, .name = "eth0", .link = 1 },
	};
	int err = 0;

	for (size_t i = 0; i < 2 && !err; i++)
		err = fn(ctx, &links[i]);
	return err;
}

int link_get(const char *name, uint32_t ifindex, struct link_info *out)
{
	if (strcmp(name, "lo"))
		return -ENODEV;
	*out = (struct link_info){ .ifindex = 1, .name = "lo", .link = 1 };
	return 0;
}

int link_monitor_open(void)
{
	return eventfd(0, EFD_CLOEXEC);
}

int link_monitor_read(int fd, link_fn fn, void *ctx)
{
	return 0;
}

/* As slow as the slowest rung, to be killed in. */
int capture_attach(struct capture *c, uint32_t ifindex, const char *name, enum rung *rung)
{
	const struct timespec t = { .tv_nsec = 9000000 };

	nanosleep(&t, NULL);
	*rung = RUNG_TCX;
	return 0;
}

int capture_detach(struct capture *c, uint32_t ifindex)
{
	return 0;
}

void capture_detach_all(struct capture *c)
{
}

void capture_tell_left(uint32_t ifindex, const char *name)
{
}
#endif

/* ── the reader ───────────────────────────────────────────────────────────── */
static int usage(void)
{
	fputs("usage: privtest [-f FILE] [-n FILES] [-u UID] [-z] [-m] [-t] [-w SECONDS] [-p PATTERN]...\n",
	      stderr);
	return 2;
}

static int say_missing(void)
{
	char text[128];
	int n = caps_missing(NEED_CAPTURE(false), text, sizeof(text));

	printf("missing %d: %s\n", n, text);
	n = caps_missing(NEED_CAPTURE(true), text, sizeof(text));
	printf("missing for tracing %d: %s\n", n, text);
	return 0;
}

static int parse(struct options *o, int argc, char **argv)
{
	for (int c; (c = getopt(argc, argv, "f:n:u:zmtw:p:")) >= 0;) {
		switch (c) {
		case 'f': o->file = optarg; break;
		case 'n': o->files = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'u': o->user = optarg; break;
		case 'w': o->seconds = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'z': o->no_helper = true; break;
		case 't': o->times = true; break;
		case 'm': exit(say_missing());
		case 'p':
			if (o->n_patterns < 16)
				o->patterns[o->n_patterns++] = optarg;
			break;
		default: return usage();
		}
	}
	return 0;
}

static void show_status(void)
{
	static const char *const keys[] = { "Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp:" };
	static FILE *f;
	char line[256];

	/* Opened before the drop; proc answers with what is so when it is read. */
	if (!f) {
		f = fopen("/proc/self/status", "re");
		setvbuf(f, NULL, _IOFBF, 8192);
		return;
	}
	rewind(f);
	while (fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (!strncmp(line, keys[i], strlen(keys[i])))
				fputs(line, stdout);
}

/* What a reader goes on doing: all of it must work. */
static int work(int file)
{
	int failed = 0;
	int ep = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec soon = { .it_value = { .tv_nsec = 1000000 } };
	struct epoll_event ev = { .events = EPOLLIN };
	struct winsize size;
	sigset_t set;
	char *more = malloc(8 << 20);

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	failed += ep < 0 || timer < 0 || !more || signalfd(-1, &set, SFD_CLOEXEC) < 0;
	failed += timerfd_settime(timer, 0, &soon, NULL) || epoll_ctl(ep, EPOLL_CTL_ADD, timer, &ev) ||
		  epoll_wait(ep, &ev, 1, 100) != 1;
	failed += ioctl(1, TIOCGWINSZ, &size) && errno == EPERM;
	if (file >= 0)
		failed += write(file, "0123456789", 10) != 10 || ftruncate(file, 5) ||
			  lseek(file, 0, SEEK_END) != 5 || fsync(file);
	free(more);
	printf("work: %s\n", failed ? "FAILED" : "ok");
	return failed;
}

static void print_event(const struct helper_event *ev)
{
	static const char *const names[] = { "attached", "refused", "gone", "state", "ready", "ends" };

	printf("%s %s %d %u\n", names[ev->type], ev->info.name, ev->err, (unsigned int)ev->rung);
	fflush(stdout);
}

static int listen_until(struct helper *h, bool until_ready, unsigned int seconds)
{
	double end = now_ms() + seconds * 1e3;

	for (double left; (left = end - now_ms()) > 0;) {
		struct pollfd p = { .fd = helper_fd(h), .events = POLLIN };
		struct helper_event ev;
		int n;

		poll(&p, 1, (int)left + 1);
		while ((n = helper_next(h, &ev)) == 1) {
			print_event(&ev);
			if (until_ready && ev.type == HELPER_READY)
				return 0;
		}
		if (n < 0) {
			puts("the helper is gone");
			return n;
		}
	}
	return 0;
}

static int make_files(struct helper *h, unsigned int n)
{
	char name[256];

	for (unsigned int seq = 1; seq <= n; seq++) {
		int fd = helper_file(h, seq, (uint64_t)time(NULL) * 1000000000, name, sizeof(name));

		if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) || close(fd))
			return 1;
		printf("file %s\n", name);
	}
	printf("out of order: %s\n", strerrorname_np(-helper_file(h, 0, 0, name, sizeof(name))));
	return 0;
}

static pid_t child_of(pid_t parent)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

static int run(const struct options *o)
{
	char done[128], name[256];
	struct priv_drop drop = {
		.change_user = !geteuid(), .uid = 65534, .gid = 65534, .writes_files = true,
		.must_change = o->user, .done = done, .done_size = sizeof(done),
	};
	struct rotate_options names = {
		.file = o->file, .numbers = true, .uid = UINT32_MAX, .gid = UINT32_MAX,
	};
	struct helper_options opt = { .patterns = o->patterns, .n_patterns = o->n_patterns };
	struct helper *h = NULL;
	double t0, t1, t2;
	int file = -1, bad;
	pid_t pid = 0;

	if (o->user && priv_user(o->user, &drop.uid, &drop.gid))
		return 1;
	if (o->file && (rotate_open(&opt.rotate, &names) ||
			(file = rotate_next(opt.rotate, 0, 0, name, sizeof(name))) < 0))
		return 1;
	opt.close_fds = &file;
	opt.n_close_fds = file >= 0;
	opt.capture = o->no_helper ? NULL : open_capture();
	opt.dynamic = true;
	if (!opt.capture && !o->no_helper)
		return 1;
	t0 = now_ms();
	if (!o->no_helper && helper_start(&h, &opt))
		return 1;
	t1 = now_ms();
	rotate_close(opt.rotate);
	if (h) {
		pid = child_of(getpid());
		capture_close(opt.capture);
	}
	show_status();
	drop.fds.ask = helper_ask_fd(h);
	drop.fds.mute_from = drop.fds.mute_to = eventfd(0, EFD_CLOEXEC);	/* stands for a packet socket */
	drop.fds.keys = true;
	t2 = now_ms();
	if (priv_drop(&drop))
		return 1;
	if (o->times)
		printf("fork %.3f ms, drop %.3f ms\n", t1 - t0, now_ms() - t2);
	printf("helper %d\ndone: %s\n", (int)pid, done);
	show_status();
	bad = o->times ? 0 : work(file) + priv_probe(stdout, pid, h ? helper_fd(h) : -1, drop.fds.mute_from);
	printf("allowed: %d\n", bad);
	if (h)
		bad += !!listen_until(h, true, 5);
	if (o->times)
		printf("ready after %.3f ms\n", now_ms() - t0);
	if (h && o->file)
		bad += make_files(h, o->files);
	fflush(stdout);
	if (h && o->seconds)
		listen_until(h, false, o->seconds);
	if (h && helper_detach(h))
		puts("helper_detach FAILED");
	helper_stop(h);
	return !!bad;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };

	if (parse(&o, argc, argv))
		return 2;
	if (!o.n_patterns)
		o.patterns[o.n_patterns++] = "any";
	return run(&o);
}
