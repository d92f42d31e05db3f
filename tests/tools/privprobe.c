// SPDX-License-Identifier: GPL-2.0-or-later
#include "privprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct probe {
	FILE *out;
	int allowed;
};

static void result(struct probe *p, const char *what, long rc)
{
	if (rc < 0) {
		fprintf(p->out, "%s: denied (%s)\n", what, strerrorname_np(errno));
		return;
	}
	fprintf(p->out, "%s: ALLOWED\n", what);
	p->allowed++;
}

static void try_files(struct probe *p)
{
	result(p, "open /etc/passwd", open("/etc/passwd", O_RDONLY | O_CLOEXEC));
	result(p, "open for writing", open("/tmp/privprobe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	result(p, "openat2", syscall(SYS_openat2, AT_FDCWD, "/", &(uint64_t[3]){ 0 }, 24));
	result(p, "unlink", unlink("/tmp/privprobe"));
	result(p, "mkdir", mkdir("/tmp/privprobe.d", 0700));
	result(p, "chmod", chmod("/tmp", 01777));
	result(p, "memfd_create", (long)memfd_create("x", 0));
}

/* What goes into a packet socket goes out on the wire. */
static void try_output(struct probe *p, int link, int mute)
{
	const uint64_t one = 1;
	const struct iovec v = { .iov_base = (void *)&one, .iov_len = sizeof(one) };
	const struct msghdr m = { .msg_iov = (struct iovec *)&v, .msg_iovlen = 1 };

	result(p, "write to a packet socket", write(mute, &one, sizeof(one)));
	result(p, "writev to a packet socket", writev(mute, &v, 1));
	result(p, "sendto on another socket", send(link, &one, sizeof(one), MSG_NOSIGNAL));
	result(p, "sendmsg on another socket", sendmsg(link, &m, MSG_NOSIGNAL));
	result(p, "dup2 of a packet socket", dup2(mute, 700));
	result(p, "fcntl(F_DUPFD) of a packet socket", fcntl(mute, F_DUPFD, 700));
}

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void try_kernel(struct probe *p, int link)
{
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
			       .max_entries = 1 };
	union bpf_attr update = { .link_update = { .link_fd = (uint32_t)link } };
	char modes[64] = { 0 };
	union bpf_attr detach = { .link_detach = { .link_fd = (uint32_t)link } };

	result(p, "bpf(MAP_CREATE)", bpf(BPF_MAP_CREATE, &map));
	result(p, "bpf(LINK_UPDATE)", bpf(BPF_LINK_UPDATE, &update));
	result(p, "bpf(LINK_DETACH)", bpf(BPF_LINK_DETACH, &detach));
	result(p, "socket(INET)", socket(AF_INET, SOCK_DGRAM, 0));
	result(p, "socket(UNIX)", socket(AF_UNIX, SOCK_STREAM, 0));
	result(p, "socket(NETLINK)", socket(AF_NETLINK, SOCK_RAW, 0));
	result(p, "perf_event_open", syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0));
	result(p, "io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
	result(p, "keyctl", syscall(SYS_keyctl, 0, -3, 0));
	result(p, "unshare(NEWUSER)", syscall(SYS_unshare, 0x10000000));
	result(p, "setuid(0)", syscall(SYS_setuid, 0));
	result(p, "ioctl(TIOCSTI)", syscall(SYS_ioctl, 0, TIOCSTI, "x"));
	/* Of a terminal whose keys are read, its modes at once, and nothing else. */
	result(p, "ioctl(1, TCSETS)", ioctl(1, TCSETS, modes));
	result(p, "ioctl(1, TIOCGPGRP)", ioctl(1, TIOCGPGRP, modes));
	result(p, "ioctl(0, TCSETSW)", ioctl(0, TCSETSW, modes));
	result(p, "ioctl(0, TIOCSPGRP)", ioctl(0, TIOCSPGRP, modes));
}

static void try_processes(struct probe *p, pid_t helper)
{
	char *const argv[] = { (char *)"true", NULL };
	void *page;
	long pid;

	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		_exit(0);
	result(p, "fork", pid);
	result(p, "execve", execve("/bin/true", argv, argv + 1));
	result(p, "ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
	if (helper)
		result(p, "kill the helper", kill(helper, SIGKILL));
	result(p, "kill(0, 0)", kill(0, 0));
	page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	result(p, "mmap(PROT_EXEC)", page == MAP_FAILED ? -1 : 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	result(p, "mprotect(PROT_EXEC)", page == MAP_FAILED ? 0 : mprotect(page, 4096, PROT_EXEC));
}

int priv_probe(FILE *out, pid_t helper, int link, int mute)
{
	struct probe p = { .out = out };

	try_files(&p);
	try_output(&p, link, mute);
	try_kernel(&p, link);
	try_processes(&p, helper);
	return p.allowed;
}
