// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/features.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kern/features_parts.h"
#include "kern/hook.h"
#include "util/caps.h"
#include "util/cleanup.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define BPFFS_PATH "/sys/fs/bpf"

/* Later than the headers of Debian 12, or in none of the user's. */
enum { PROG_TYPE_NETFILTER = 32, ATTACH_NETFILTER = 45, ATTACH_NETKIT = 54, BPFFS_MAGIC = (int)0xcafe4a11 };

/* ── what is no call of bpf(2) ────────────────────────────────────────────── */

static int try_btf(const struct attempt *a, struct said *said)
{
	struct btf *btf = NULL;
	int err = features_btf(&btf, said);

	btf__free(btf);
	return err;
}

static bool is_reason(const struct btf *btf, const struct btf_type *args)
{
	const struct btf_param *p = btf_params(args);
	const struct btf_type *t = btf_vlen(args) > 3 ? btf__type_by_id(btf, p[3].type) : NULL;
	const char *name = t && btf_is_any_enum(t) ? btf__name_by_offset(btf, t->name_off) : NULL;

	return name && !strcmp(name, "skb_drop_reason");
}

/* kfree_skb(data, skb, location, reason), a pointer to a function. */
static bool has_reason_argument(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "btf_trace_kfree_skb", BTF_KIND_TYPEDEF);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	t = t ? btf__type_by_id(btf, t->type) : NULL;
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	return t && btf_is_func_proto(t) && is_reason(btf, t);
}

enum { REASON_ENUM, REASON_ARGUMENT };

static int try_reasons(const struct attempt *a, struct said *said)
{
	struct btf *btf = NULL;
	int err = features_btf(&btf, said);
	bool there;

	if (err)
		return err;
	if (a->of == REASON_ARGUMENT)
		there = has_reason_argument(btf);
	else
		there = btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM) > 0;
	btf__free(btf);
	snprintf(said->why, sizeof(said->why), "%s", there ? "" : a->of == REASON_ARGUMENT ?
		 "the tracepoint kfree_skb tells no reason" : "no enum skb_drop_reason");
	return there ? 0 : -ENOENT;
}

static int try_bpffs(const struct attempt *a, struct said *said)
{
	struct statfs s;

	if (statfs(BPFFS_PATH, &s))
		return errno == ENOENT ? -ENOENT : features_hide(BPFFS_PATH, -errno, said);
	if ((int)s.f_type == BPFFS_MAGIC)
		return 0;
	snprintf(said->why, sizeof(said->why), "none is mounted: mount -t bpf bpf " BPFFS_PATH);
	return -ENOENT;
}

static int try_run_counts(const struct attempt *a, struct said *said)
{
	static const char path[] = "/proc/sys/kernel/bpf_stats_enabled";
	FILE *f = fopen(path, "re");
	int c, err = f ? 0 : -errno;

	if (err == -ENOENT)
		features_sees("/proc/sys/kernel", said);
	else if (err)
		features_hide(path, err, said);
	if (err)
		return err;
	c = fgetc(f);
	fclose(f);
	if (c == '0')
		snprintf(said->why, sizeof(said->why), "switched off: sysctl kernel.bpf_stats_enabled");
	return 0;
}

static int try_packet_socket(const struct attempt *a, struct said *said)
{
	return hook_can_packet();
}

static int try_cookie(const struct attempt *a, struct said *said)
{
	owned_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie;
	socklen_t n = sizeof(cookie);

	return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &n) ? -errno : 0;
}

/* ── the table ────────────────────────────────────────────────────────────── */

enum user { WATCH = 1, DROPS = 2, ATTACH = 4, BLOCK = 8, FLOWS = 16, POLICY = 32 };
static const char *const users[FEATURE_USERS_MAX] = { "watch", "drops", "attach", "block", "flows", "policy" };

enum { ALL = WATCH | DROPS | ATTACH | BLOCK | FLOWS | POLICY,
       TC = NEED_BPF | NEED_NET_ADMIN,
       TRACE = NEED_BPF | NEED_PERFMON };

/* Most rows end before the last members. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
static const struct attempt attempts[] = {
	{ "bpf", "3.18", ALL, NEED_BPF, try_bpf },
	{ "map_array", "3.19", ALL, NEED_BPF, try_map, BPF_MAP_TYPE_ARRAY },
	{ "map_array_mmap", "5.5", ALL, NEED_BPF, try_map, BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE },
	{ "map_percpu_array", "4.6", WATCH | ATTACH, NEED_BPF, try_map, BPF_MAP_TYPE_PERCPU_ARRAY },
	{ "map_prog_array", "4.2", WATCH, NEED_BPF, try_map, BPF_MAP_TYPE_PROG_ARRAY },
	{ "map_ringbuf", "5.8", WATCH | DROPS | FLOWS, NEED_BPF, try_map, BPF_MAP_TYPE_RINGBUF },
	{ "map_hash", "3.19", ATTACH | FLOWS | POLICY, NEED_BPF, try_map, BPF_MAP_TYPE_HASH },
	{ "map_lru_hash", "4.10", ATTACH | FLOWS, NEED_BPF, try_map, BPF_MAP_TYPE_LRU_HASH },
	{ "map_lpm_trie", "4.11", POLICY, NEED_BPF, try_map, BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC },
	{ "map_batch", "5.6", ATTACH | FLOWS, NEED_BPF, try_batch },
	{ "map_bind", "5.10", BLOCK, NEED_BPF, try_bind },
	{ "prog_tc", "4.1", WATCH | ATTACH | BLOCK | FLOWS, TC, try_program, BPF_PROG_TYPE_SCHED_CLS },
	{ "prog_xdp", "4.8", ATTACH | BLOCK, TC, try_program, BPF_PROG_TYPE_XDP },
	{ "prog_socket", "3.19", WATCH, NEED_BPF, try_program, BPF_PROG_TYPE_SOCKET_FILTER },
	{ "prog_cgroup", "4.10", POLICY, TC, try_program, BPF_PROG_TYPE_CGROUP_SKB },
	{ "prog_netfilter", "6.4", POLICY, TC, try_program, PROG_TYPE_NETFILTER, ATTACH_NETFILTER },
	{ "prog_raw_tracepoint", "4.17", DROPS, TRACE, try_program, BPF_PROG_TYPE_RAW_TRACEPOINT },
	{ "prog_tp_btf", "5.5", DROPS, TRACE, try_tracing, BPF_TRACE_RAW_TP },
	{ "iter_task_file", "5.8", ATTACH, TRACE, try_tracing, BPF_TRACE_ITER },
	{ "link_xdp", "5.9", ATTACH | BLOCK, TC, try_xdp_link, .apart = true },
	{ "link_tcx", "6.6", WATCH | ATTACH | BLOCK, TC, try_link, BPF_PROG_TYPE_SCHED_CLS, HOOK_TCX_INGRESS },
	{ "link_netkit", "6.7", ATTACH, TC, try_link, BPF_PROG_TYPE_SCHED_CLS, ATTACH_NETKIT },
	{ "link_replace", "5.9", ATTACH | BLOCK, TC, try_replace, .apart = true },
	{ "link_ids", "5.8", ATTACH, NEED_ADMIN, try_ids },
	{ "clsact", "4.5", WATCH | ATTACH | BLOCK, TC, try_clsact, .apart = true },
	{ "cls_bpf", "4.1", WATCH | ATTACH | BLOCK, TC, try_cls_bpf, .apart = true },
	{ "spin_lock", "5.1", ATTACH, NEED_BPF, try_lock },
	{ "atomic_fetch", "5.12", ATTACH | FLOWS, TC, try_atomic },
	{ "bounded_loops", "5.3", WATCH | DROPS | BLOCK, TC | NEED_PERFMON, try_loop },
	{ "bpf_loop", "5.17", POLICY, TC, try_helper, BPF_PROG_TYPE_SCHED_CLS, 181 },
	{ "ktime_get_boot_ns", "5.8", WATCH | DROPS | BLOCK, TC, try_helper, BPF_PROG_TYPE_SCHED_CLS, 125 },
	{ "ktime_get_coarse_ns", "5.11", ATTACH, TC, try_helper, BPF_PROG_TYPE_SCHED_CLS, 160 },
	{ "jiffies64", "5.6", BLOCK, TC, try_helper, BPF_PROG_TYPE_XDP, 118 },
	{ "skb_load_bytes", "4.5", WATCH | ATTACH, TC, try_helper, BPF_PROG_TYPE_SCHED_CLS, 26 },
	{ "skb_pull_data", "4.9", BLOCK, TC, try_helper, BPF_PROG_TYPE_SCHED_CLS, 39 },
	{ "run_xdp", "4.12", BLOCK, TC, try_run, BPF_PROG_TYPE_XDP },
	{ "run_tc", "4.12", BLOCK, TC, try_run, BPF_PROG_TYPE_SCHED_CLS },
	{ "run_xdp_live", "5.18", ATTACH, TC, try_live },
	{ "jit", "3.18", ALL, NEED_BPF, try_jit },
	{ "run_counts", "5.1", ATTACH, 0, try_run_counts },
	{ "btf", "5.4", DROPS, 0, try_btf },
	{ "drop_reasons", "5.17", DROPS, 0, try_reasons, .of = REASON_ENUM },
	{ "drop_reason_traced", "5.17", DROPS, 0, try_reasons, .of = REASON_ARGUMENT },
	{ "bpffs", "4.4", ATTACH | BLOCK, 0, try_bpffs },
	{ "packet_socket", "2.2", WATCH, NEED_NET_RAW, try_packet_socket },
	{ "netns_cookie", "5.14", ATTACH | BLOCK, 0, try_cookie },
};
enum { ATTEMPTS = sizeof(attempts) / sizeof(attempts[0]) };

/* ── asking ───────────────────────────────────────────────────────────────── */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

struct answer {
	int err;
	struct said said;
};

static void answer_apart(const struct attempt *a, struct answer *x)
{
	if (unshare(CLONE_NEWNET)) {
		x->err = -errno;
		x->said.apart_failed = true;
		return;
	}
	x->err = a->run(a, &x->said);
}

/* In a process of its own, which ends with us and takes the namespace along. */
static void ask_apart(const struct attempt *a, struct answer *x)
{
	int fds[2], parent = getpid(), pid;
	ssize_t n;

	*x = (struct answer){ .err = -EAGAIN };
	if (pipe2(fds, O_CLOEXEC)) {
		x->err = -errno;
		return;
	}
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		answer_apart(a, x);
		_exit(write(fds[1], x, sizeof(*x)) < 0);
	}
	close(fds[1]);
	n = pid > 0 ? read(fds[0], x, sizeof(*x)) : 0;
	close(fds[0]);
	if (n != (ssize_t)sizeof(*x))
		*x = (struct answer){ .err = -EAGAIN };
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static bool is_locked_down(char mode[32])
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[96] = "", *open, *close = NULL;

	if (f) {
		if (!fgets(line, sizeof(line), f))
			*line = '\0';
		fclose(f);
	}
	open = strchr(line, '[');
	if (open)
		close = strchr(open, ']');
	if (!close)
		return false;
	snprintf(mode, 32, "%.*s", (int)(close - open - 1), open + 1);
	return strcmp(mode, "none") != 0;
}

/* Of no use to strerror(): what the kernel says within itself (ENOTSUPP). */
static const char *text_of(int err)
{
	return err == -524 ? "Not supported" : strerror(-err);
}

static bool is_passing(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EAGAIN || err == -EINTR;
}

/* Why it is not known: permission hides it, or we were short of something.  False: it is not there. */
static bool is_hidden(const struct attempt *a, const struct answer *x, struct feature *f)
{
	char missing[128], mode[32], netns[128];

	if (x->said.sure)
		return false;
	caps_missing(NEED_NETNS, netns, sizeof(netns));
	if (x->said.hidden)
		snprintf(f->reason, sizeof(f->reason), "%s", x->said.why);
	else if (caps_missing(a->needs, missing, sizeof(missing)))
		snprintf(f->reason, sizeof(f->reason), "missing: %s", missing);
	else if (x->said.apart_failed)
		snprintf(f->reason, sizeof(f->reason), "not tried: no network namespace to try it in: %s%s",
			 *netns ? "missing: " : "", *netns ? netns : text_of(x->err));
	else if (x->err == -EPERM && is_locked_down(mode))
		snprintf(f->reason, sizeof(f->reason), "%s: lockdown %s", text_of(x->err), mode);
	else if (x->err == -EPERM)
		snprintf(f->reason, sizeof(f->reason), "%s, with every capability: a security module, seccomp",
			 text_of(x->err));
	else if (is_passing(x->err))
		snprintf(f->reason, sizeof(f->reason), "not tried: %s", text_of(x->err));
	else
		return false;
	return true;
}

static void ask(const struct attempt *a, struct feature *f)
{
	struct answer x = { 0 };

	libbpf_set_print(quiet);
	*f = (struct feature){ .name = a->name, .since = a->since };
	for (int i = 0; i < FEATURE_USERS_MAX; i++)
		if (a->used_by >> i & 1)
			f->used_by[f->n_used_by++] = users[i];
	if (a->apart)
		ask_apart(a, &x);
	else
		x.err = a->run(a, &x.said);
	if (x.err >= 0) {
		f->state = FEATURE_YES;
		snprintf(f->reason, sizeof(f->reason), "%s", x.said.why);
	} else if (!is_hidden(a, &x, f)) {
		f->state = FEATURE_NO;
		snprintf(f->reason, sizeof(f->reason), "%s", *x.said.why ? x.said.why : text_of(x.err));
	}
}

int features_each(feature_fn fn, void *ctx)
{
	struct feature f;
	int rc = 0;

	for (unsigned int i = 0; i < ATTEMPTS && !rc; i++) {
		ask(&attempts[i], &f);
		rc = fn(ctx, &f);
	}
	return rc;
}

int feature_ask(const char *name, struct feature *f)
{
	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		if (strcmp(attempts[i].name, name) != 0)
			continue;
		ask(&attempts[i], f);
		return 0;
	}
	return -ENOENT;
}
