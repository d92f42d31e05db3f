// SPDX-License-Identifier: GPL-2.0-or-later
#include "priv/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "priv/priv.h"
#include "util/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ── Landlock ─────────────────────────────────────────────────────────────────
 * By number, from Documentation/userspace-api/landlock.rst: the headers that this
 * must build with are older than the kernels it runs on.
 */
enum { SYS_landlock_create = 444, SYS_landlock_add, SYS_landlock_restrict };
enum { LANDLOCK_VERSION = 1, LANDLOCK_BENEATH = 1 };

#define FS_WRITE_FILE	(UINT64_C(1) << 1)
#define FS_READ_FILE	(UINT64_C(1) << 2)
#define FS_READ_DIR	(UINT64_C(1) << 3)
#define FS_MAKE_REG	(UINT64_C(1) << 8)
#define FS_TRUNCATE	(UINT64_C(1) << 14)
#define NET_CONNECT	(UINT64_C(1) << 1)

struct ruleset {
	uint64_t fs, net, scoped;
};

struct beneath {
	uint64_t allowed;
	int32_t dir;
} __attribute__((packed));

/* What each version of the interface can deny; all of it is. */
static const struct ruleset by_version[] = {
	{ 0 },
	{ .fs = 0x1fff },				/* 1, Linux 5.13 */
	{ .fs = 0x3fff },				/* 2, 5.19: refer */
	{ .fs = 0x7fff },				/* 3, 6.2: truncate */
	{ .fs = 0x7fff, .net = 3 },			/* 4, 6.7: bind and connect TCP */
	{ .fs = 0xffff, .net = 3 },			/* 5, 6.10: ioctl on devices */
	{ .fs = 0xffff, .net = 3, .scoped = 3 },	/* 6, 6.12: abstract sockets, signals */
};

static int allow_dir(int rules, int dir, uint64_t handled)
{
	struct beneath b = { .allowed = (FS_WRITE_FILE | FS_MAKE_REG | FS_TRUNCATE) & handled, .dir = dir };

	return syscall(SYS_landlock_add, rules, LANDLOCK_BENEATH, &b, 0) ? -errno : 0;
}

int sandbox_landlock(enum sandbox_role role, int dir)
{
	int version = (int)syscall(SYS_landlock_create, NULL, 0, LANDLOCK_VERSION);
	int known = version < (int)COUNT(by_version) ? version : (int)COUNT(by_version) - 1;
	struct ruleset deny;
	int rules, err = 0;

	if (version <= 0)	/* ENOSYS: not built in; EOPNOTSUPP: not switched on */
		return 0;
	deny = by_version[known];
	/* The kernel side may want to read BTF, /proc or /sys while it attaches. */
	if (role == SANDBOX_HELPER || role == SANDBOX_WATCHER)
		deny.fs &= ~(FS_READ_FILE | FS_READ_DIR);
	/* It asks the kubelet. */
	if (role == SANDBOX_WATCHER)
		deny.net &= ~NET_CONNECT;
	rules = (int)syscall(SYS_landlock_create, &deny, sizeof(deny), 0);
	if (rules < 0)
		return fail(errno, "cannot make a Landlock ruleset");
	if (role == SANDBOX_HELPER && dir >= 0)
		err = allow_dir(rules, dir, deny.fs);
	if (!err && syscall(SYS_landlock_restrict, rules, 0))
		err = -errno;
	close(rules);
	return err ? fail(err, "cannot confine the process with Landlock") : version;
}

/* ── seccomp ──────────────────────────────────────────────────────────────────
 * An allow-list; all else is EPERM, so that what was captured is still written out,
 * and is told: see priv_refused().  What only some libraries need has its version beside it.
 */
static const int common[] = {
	/* descriptors we have */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64),
	SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(fstat64),
	SCMP_SYS(getsockopt), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(recv),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_settime64),
	SCMP_SYS(timerfd_gettime), SCMP_SYS(timerfd_gettime64), SCMP_SYS(signalfd4),
	/* memory; mmap and mprotect are below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	/* time */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64),
	/* ourselves */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
	SCMP_SYS(times), SCMP_SYS(sysinfo), SCMP_SYS(sched_yield), SCMP_SYS(wait4), SCMP_SYS(waitid),
};

static const int writer[] = {
	SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(pwrite64),
};

/* What the reader may write to, and send on, is below. */
static const int writes[] = { SCMP_SYS(write), SCMP_SYS(writev) };
static const int sends[] = { SCMP_SYS(sendto), SCMP_SYS(send) };

/* socket is below. */
static const int helper[] = {
	SCMP_SYS(bpf),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(send),
	SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(getsockname), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(perf_event_open), SCMP_SYS(ioctl), SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(dup),
	SCMP_SYS(dup3), SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(access), SCMP_SYS(readlinkat),
	SCMP_SYS(readlink), SCMP_SYS(getdents64), SCMP_SYS(fchown), SCMP_SYS(fchown32), SCMP_SYS(uname),
	SCMP_SYS(membarrier), SCMP_SYS(sched_getaffinity), SCMP_SYS(eventfd2), SCMP_SYS(prlimit64),
	SCMP_SYS(getrlimit), SCMP_SYS(open), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(capget),	/* ours: which capability a refusal is about */
	SCMP_SYS(memfd_create),	/* libbpf 1.4 and later: a map has a descriptor before it is made */
};

/* Of files Landlock sees to it that they are only read: what openat2 is for stands in memory.  What it writes to are
 * files in memory, which it has sealed when it hands them over. */
static const int watcher[] = {
	SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(open), SCMP_SYS(getdents64), SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64), SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch),
	SCMP_SYS(bind), SCMP_SYS(connect), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
	SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(send),
	SCMP_SYS(memfd_create), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(capget), SCMP_SYS(uname), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit),	/* what a refusal is about */
};

/* The C library makes a process with every signal blocked, where a trap is death: plainly EPERM, which the caller
 * tells. */
static const int processes[] = {
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(vfork),
};

/*
 * A refused call becomes a SIGSYS; the handler keeps the first one's number and gives the call its
 * EPERM.  For a machine that has no row here it is EPERM alone, and not told.
 */
#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

static volatile sig_atomic_t refused_call = -1;
static bool refused_told;

#ifdef RESULT
static void on_refusal(int sig, siginfo_t *info, void *context)
{
	if (info->si_code <= 0)		/* somebody's kill(2) */
		return;
	if (refused_call < 0)
		refused_call = info->si_syscall;
	RESULT((ucontext_t *)context) = -EPERM;
}
#endif

/* What becomes of a call that is not allowed. */
static uint32_t refusal(void)
{
#ifdef RESULT
	struct sigaction sa = { .sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	if (!sigaction(SIGSYS, &sa, NULL) && !sigprocmask(SIG_UNBLOCK, &set, NULL))
		return SCMP_ACT_TRAP;
#endif
	return SCMP_ACT_ERRNO(EPERM);
}

int priv_refused(void)
{
	char *name;

	if (refused_call < 0)
		return 0;
	if (!refused_told) {
		refused_told = true;
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, refused_call);
		fail(0, "the sandbox refused %s (system call %d), which netprobe does not know it needs: "
		     "please report it with what `netprobe version` says",
		     name ? name : "a system call", (int)refused_call);
		free(name);
	}
	return -ENOSYS;
}

static int allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	int err = 0;

	/* A call this machine does not have is no loss. */
	for (size_t i = 0; i < n && !err; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

static int allow_arg(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp arg)
{
	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &arg);
}

/* Memory is never made executable: new code cannot come in. */
static int allow_memory(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int err = allow_arg(ctx, SCMP_SYS(mmap), no_exec);

	if (!err)
		err = allow_arg(ctx, SCMP_SYS(mmap2), no_exec);
	if (!err)
		err = allow_arg(ctx, SCMP_SYS(mprotect), no_exec);
	return err;
}

static int allow_sends(scmp_filter_ctx ctx, int fd)
{
	int err = 0;

	for (size_t i = 0; i < COUNT(sends) && !err; i++)
		err = allow_arg(ctx, sends[i], SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0));
	return err;
}

/* To descriptors that stand below or above the packet sockets.  What may be sent on are the helper's socket, and
 * an output that is one. */
static int allow_output(scmp_filter_ctx ctx, const struct reader_fds *fds)
{
	int err = 0;

	for (size_t i = 0; i < COUNT(writes) && !err; i++) {
		err = allow_arg(ctx, writes[i], SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)fds->mute_to, 0));
		if (!err && fds->mute_from > 0)
			err = allow_arg(ctx, writes[i], SCMP_A0(SCMP_CMP_LT, (scmp_datum_t)fds->mute_from, 0));
	}
	if (!err && fds->ask >= 0)
		err = allow_sends(ctx, fds->ask);
	if (!err && fds->out > 0)
		err = allow_sends(ctx, fds->out);
	return err;
}

static int allow_ioctl(scmp_filter_ctx ctx, int fd, unsigned long request)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0),
				SCMP_A1(SCMP_CMP_EQ, request, 0));
}

/* Who is in front of the terminal that is drawn on, and of the one that keys come from, whose modes are set; nothing
 * else of them, and of no other. */
static int allow_screen(scmp_filter_ctx ctx, bool keys)
{
	int err = allow_ioctl(ctx, STDOUT_FILENO, TIOCGPGRP);

	if (!err && keys)
		err = allow_ioctl(ctx, STDIN_FILENO, TIOCGPGRP);
	return err || !keys ? err : allow_ioctl(ctx, STDIN_FILENO, TCSETS);
}

/* Of calls that can do much, the little that is needed. */
static int allow_reader(scmp_filter_ctx ctx, const struct reader_fds *fds)
{
	/* With getsockname libpcap looks whether an interface that is down is gone. */
	static const unsigned long ioctls[] = { TIOCGWINSZ, TCGETS, FIONREAD, SIOCGIFFLAGS, SIOCGIFNAME };
	static const int fcntls[] = { F_GETFL, F_SETFL, F_GETFD, F_GET_SEALS };
	int err = allow_output(ctx, fds);

	/* fstat() of glibc 2.33 to 2.38: an empty path. */
	if (!err)
		err = allow_arg(ctx, SCMP_SYS(newfstatat),
				SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	/* abort() */
	if (!err)
		err = allow_arg(ctx, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	for (size_t i = 0; i < COUNT(ioctls) && !err; i++)
		err = allow_arg(ctx, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, ioctls[i], 0));
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(getsockname), 0);
	/* libpcap gives the ring of a packet socket back as it closes it. */
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
				       SCMP_A1(SCMP_CMP_EQ, SOL_PACKET, 0),
				       SCMP_A2(SCMP_CMP_EQ, PACKET_RX_RING, 0));
	if (!err && fds->screen)
		err = allow_screen(ctx, fds->keys);
	for (size_t i = 0; i < COUNT(fcntls) && !err; i++)
		err = allow_arg(ctx, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[i], 0));
	return err;
}

static int allow_sockets(scmp_filter_ctx ctx, const int *families, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = allow_arg(ctx, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	return err;
}

static int allow_helper(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_NETLINK, AF_PACKET, AF_UNIX };
	int err = allow(ctx, helper, COUNT(helper));

	return err ? err : allow_sockets(ctx, families, COUNT(families));
}

static int allow_watcher(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_NETLINK, AF_INET, AF_INET6 };
	int err = allow(ctx, watcher, COUNT(watcher));

	return err ? err : allow_sockets(ctx, families, COUNT(families));
}

static int allow_role(scmp_filter_ctx ctx, enum sandbox_role role, const struct reader_fds *fds)
{
	switch (role) {
	case SANDBOX_HELPER:
		return allow_helper(ctx);
	case SANDBOX_WATCHER:
		return allow_watcher(ctx);
	case SANDBOX_READER:
	case SANDBOX_WRITER:
		break;
	}
	return allow_reader(ctx, fds);
}

static int fill(scmp_filter_ctx ctx, enum sandbox_role role, const struct reader_fds *fds, uint32_t otherwise)
{
	int err = allow(ctx, common, COUNT(common));

	if (!err)
		err = allow_memory(ctx);
	if (!err && (role == SANDBOX_WRITER || role == SANDBOX_HELPER))
		err = allow(ctx, writer, COUNT(writer));
	if (!err)
		err = allow_role(ctx, role, fds);
	for (size_t i = 0; i < COUNT(processes) && !err && otherwise != SCMP_ACT_ERRNO(EPERM); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), processes[i], 0);
	/* Up to 5.15 a filter alone switches the processor's store bypass off (speculation, for code that
	 * is not trusted); nobody else's code runs here, and decoding would be slower. */
	if (!err)
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	return err;
}

int sandbox_seccomp(enum sandbox_role role, const struct reader_fds *fds)
{
	uint32_t otherwise;
	scmp_filter_ctx ctx;
	int err;

	/* EINVAL: this kernel has no filters; EFAULT: it has, and looked at the missing one. */
	if (prctl(PR_SET_SECCOMP, 2, NULL, 0, 0) && errno != EFAULT) {
		if (role == SANDBOX_READER || role == SANDBOX_WRITER)
			warn("no system call filter here (seccomp: %s): what reads packets is confined without it",
			     strerror(errno));
		return 0;
	}
	otherwise = refusal();
	ctx = seccomp_init(otherwise);
	if (!ctx)
		return fail(ENOMEM, "cannot make a system call filter");
	err = fill(ctx, role, fds, otherwise);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err ? fail(err, "cannot install the system call filter") : 1;
}
