// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading what pods.h understands, while there are privileges. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "node/facts.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/hostclock.h"
#include "util/time.h"

enum { ENTRIES_MAX = 1 << 14, CGROUPS_DEEP = 6, KUBELET_PORT = 10255, KUBELET_WAIT_MS = 5000, CILIUM_WAIT_MS = 3000 };

/*
 * Where files are: below `dir`, in each directory whose name is not hidden the file `file`; NULL: the entries
 * themselves.  Distributions of Kubernetes have places of their own: k3s and RKE2, k0s, microk8s.
 */
static const struct place {
	enum fact_kind kind;
	bool names_only;
	const char *dir, *file;
} places[] = {
	{ FACT_CNI_RESULT, false, "var/lib/cni/results", NULL },
	{ FACT_RUNTIME, false, "run/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json" },
	{ FACT_RUNTIME, false, "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json" },
	{ FACT_RUNTIME, false, "run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json" },
	{ FACT_RUNTIME, false, "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io",
	  "config.json" },
	{ FACT_RUNTIME, false, "run/containers/storage/overlay-containers", "userdata/config.json" },
	{ FACT_HOSTS, false, "var/lib/kubelet/pods", "etc-hosts" },
	{ FACT_HOSTS, false, "var/lib/k0s/kubelet/pods", "etc-hosts" },
	{ FACT_HOSTS, false, "var/snap/microk8s/common/var/lib/kubelet/pods", "etc-hosts" },
	{ FACT_LOG, true, "var/log/pods", NULL },
	{ FACT_CNI_CONF, false, "etc/cni/net.d", NULL },
	{ FACT_CNI_CONF, false, "var/lib/rancher/k3s/agent/etc/cni/net.d", NULL },
	{ FACT_CNI_CONF, false, "var/snap/microk8s/current/args/cni-network", NULL },
	{ FACT_PIN, true, "sys/fs/bpf/tc/globals", NULL },
	{ FACT_PIN, true, "sys/fs/bpf/globals/aws/maps", NULL },
	{ FACT_PIN, true, "sys/fs/bpf/globals/aws/programs", NULL },
	{ FACT_PIN, true, "sys/fs/bpf", NULL },
	{ FACT_DUMP, false, "run/calico/bpf/policy", NULL },
};

/* What agents of network plugins listen on, or keep while they run: a socket, or a file with something in it. */
static const struct {
	mode_t type;
	const char *path;
} agents[] = {
	{ S_IFSOCK, "run/cilium/cilium.sock" }, { S_IFSOCK, "run/antrea/cni.sock" },
	{ S_IFSOCK, "run/ovn-kubernetes/cni/ovn-cni-server.sock" }, { S_IFSOCK, "run/nodeagent/grpc.sock" },
	{ S_IFSOCK, "run/openvswitch/db.sock" }, { S_IFREG, "run/flannel/subnet.env" },
	{ S_IFDIR, "run/calico/bpf/policy" },
};

/* The second version's tree, or one of the first's that has processes of all pods. */
static const char *const cgroup_roots[] = { "sys/fs/cgroup", "sys/fs/cgroup/unified", "sys/fs/cgroup/systemd",
					    "sys/fs/cgroup/memory" };

const char *fact_place(enum fact_kind kind)
{
	static const char *const names[FACT_KINDS] = {
		[FACT_CNI_RESULT] = "/var/lib/cni/results",
		[FACT_RUNTIME] = "/run/containerd and /run/containers",
		[FACT_CGROUP] = "/sys/fs/cgroup",
		[FACT_HOSTS] = "/var/lib/kubelet/pods",
		[FACT_LOG] = "/var/log/pods",
		[FACT_KUBELET] = "127.0.0.1:10255",
		[FACT_CNI_CONF] = "/etc/cni/net.d",
		[FACT_PIN] = "/sys/fs/bpf",
		[FACT_AGENT] = "/run",
		[FACT_SYSCTL] = "/proc/sys/net",
		[FACT_INTERFACE] = "interfaces",
		[FACT_NFT] = "rules of nf_tables",
		[FACT_LEGACY] = "rules of iptables-legacy",
		[FACT_EBPF] = "/sys/fs/bpf/tc/globals",
		[FACT_DUMP] = "/run/calico/bpf/policy",
		[FACT_CILIUM] = "/run/cilium/cilium.sock",
		[FACT_ADDRESS] = "addresses of interfaces",
	};

	return names[kind];
}

/* Links are followed, and end within `dir`. */
static int open_in(int dir, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT };
	int fd;

	if (!(flags & O_PATH))
		how.flags |= O_NONBLOCK | O_NOCTTY;
	/* -EAGAIN: something was renamed meanwhile. */
	for (int tries = 0; tries < 16; tries++) {
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : fd;
}

/* What is gone since it was listed is none that is missing.  err 0: it is too much, or of a kind that is not read. */
static void left_out(struct facts *f, enum fact_kind kind, int err)
{
	if (err == -ENOENT)
		return;
	f->left_out[kind]++;
	if (!f->err[kind])
		f->err[kind] = err;
}

/* All of it, at most `max` bytes; the number, or -errno: -EFBIG. */
static ssize_t read_whole(int fd, char *to, size_t max)
{
	size_t n = 0;
	ssize_t got;

	while (n <= max && (got = read(fd, to + n, max + 1 - n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		n += (size_t)got;
	}
	return n > max ? -EFBIG : (ssize_t)n;
}

struct collecting {
	struct facts *f;
	int root;
	char *room;			/* FACT_MAX_BYTES + 1 */
};

/* Open for reading, but only what is a file: opening a device may do something.  -errno; 0 in *st where it is none. */
static int open_file(struct collecting *c, const char *path, struct stat *st)
{
	owned_fd int there = open_in(c->root, path, O_PATH);
	char self[64];
	int fd;

	if (there < 0)
		return there;
	if (fstat(there, st))
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", there);
	fd = open(self, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* When it was last written; a clock that was wrong then, or is now, makes nothing newer than all others. */
static int64_t time_of(const struct facts *f, const struct stat *st)
{
	int64_t s = st->st_mtim.tv_sec, max = INT64_MAX / 1000000000 - 1;
	int64_t ns = (s < 0 ? 0 : s > max ? max : s) * 1000000000 + st->st_mtim.tv_nsec;

	return f->now_ns && ns > f->now_ns ? f->now_ns : ns;
}

static void take_file(struct collecting *c, enum fact_kind kind, const char *path)
{
	struct stat st = { 0 };
	owned_fd int fd = open_file(c, path, &st);
	ssize_t n;

	if (fd == -EINVAL || st.st_size > FACT_MAX_BYTES || c->f->data.n > FACTS_MAX_BYTES - FACT_MAX_BYTES) {
		left_out(c->f, kind, 0);
		return;
	}
	n = fd < 0 ? fd : read_whole(fd, c->room, FACT_MAX_BYTES);
	if (n < 0) {
		left_out(c->f, kind, (int)n);
		return;
	}
	facts_add(c->f, &(struct fact){
		.kind = kind,
		.time_ns = time_of(c->f, &st),
		.path = path,
		.path_len = strlen(path),
		.bytes = c->room,
		.n = (size_t)n,
	});
}

static void take_name(struct collecting *c, enum fact_kind kind, const char *path)
{
	facts_add(c->f, &(struct fact){ .kind = kind, .path = path, .path_len = strlen(path) });
}

/* 0 or -errno. */
static int open_dir(struct collecting *c, const char *path, DIR **out)
{
	int fd;

	if (c->f->before)
		c->f->before(c->f->before_ctx, c->root, path);
	fd = open_in(c->root, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	*out = fdopendir(fd);
	if (*out)
		return 0;
	close(fd);
	return -ENOMEM;
}

static void take_place(struct collecting *c, const struct place *p)
{
	const struct dirent *e;
	unsigned int n = 0;
	struct statfs fs;
	char path[512];
	DIR *d = NULL;
	int err = open_dir(c, p->dir, &d);

	if (err) {
		left_out(c->f, p->kind, err);
		return;
	}
	/* What stands there without a BPF file system is no pin; a copy has none. */
	if (p->kind == FACT_PIN && c->f->now_ns && (fstatfs(dirfd(d), &fs) || fs.f_type != BPF_FS_MAGIC)) {
		closedir(d);
		return;
	}
	c->f->there[p->kind] = true;
	while ((e = readdir(d))) {
		int len = snprintf(path, sizeof(path), "%s/%s%s%s", p->dir, e->d_name, p->file ? "/" : "",
				   p->file ? p->file : "");

		if (e->d_name[0] == '.')
			continue;
		if (n++ >= ENTRIES_MAX || len >= (int)sizeof(path))
			left_out(c->f, p->kind, 0);
		else if (p->names_only)
			take_name(c, p->kind, path);
		else
			take_file(c, p->kind, path);
	}
	closedir(d);
}

/* ── cgroups ──────────────────────────────────────────────────────────────── */

/* Directories of pods, and those above them, perhaps below that of a container in which the node itself is. */
static bool leads_to_pods(const char *name)
{
	static const char *const parts[] = { "kube", "pod", "besteffort", "burstable", "docker", "system.slice" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]))
			return true;
	return false;
}

/* The second version tells whether anything runs in it or below; an empty one is left behind. */
static bool has_processes(struct collecting *c, const char *path)
{
	char name[1100], text[128];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/cgroup.events", path);
	fd = open_file(c, name, &st);
	n = fd < 0 ? -1 : read_whole(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	return n < 0 || !memmem(text, (size_t)n, "populated 0", 11);
}

static void walk_cgroups(struct collecting *c, char *path, size_t len, unsigned int depth, unsigned int *n)
{
	const struct dirent *e;
	DIR *d = NULL;

	if (open_dir(c, path, &d))
		return;
	while ((e = readdir(d))) {
		int more;

		if (e->d_name[0] == '.' || e->d_type != DT_DIR || !leads_to_pods(e->d_name))
			continue;
		more = snprintf(path + len, 1024 - len, "/%s", e->d_name);
		if ((*n)++ >= ENTRIES_MAX || more >= (int)(1024 - len)) {
			left_out(c->f, FACT_CGROUP, 0);
			continue;
		}
		c->f->there[FACT_CGROUP] = true;
		if (has_processes(c, path))
			take_name(c, FACT_CGROUP, path);
		if (depth < CGROUPS_DEEP)
			walk_cgroups(c, path, len + (size_t)more, depth + 1, n);
	}
	path[len] = '\0';
	closedir(d);
}

static void take_cgroups(struct collecting *c)
{
	unsigned int n = 0;
	char path[1024];

	for (size_t i = 0; i < sizeof(cgroup_roots) / sizeof(cgroup_roots[0]) && !c->f->there[FACT_CGROUP]; i++) {
		int len = snprintf(path, sizeof(path), "%s", cgroup_roots[i]);

		walk_cgroups(c, path, (size_t)len, 0, &n);
	}
}

static void take_agents(struct collecting *c)
{
	c->f->there[FACT_AGENT] = true;
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		owned_fd int fd = open_in(c->root, agents[i].path, O_PATH);
		struct stat st = { 0 };

		if (fd < 0)
			left_out(c->f, FACT_AGENT, fd);
		else if (!fstat(fd, &st) && (st.st_mode & S_IFMT) == agents[i].type)
			take_name(c, FACT_AGENT, agents[i].path);
	}
}

static void take_sysctls(struct collecting *c)
{
	c->f->there[FACT_SYSCTL] = true;
	take_file(c, FACT_SYSCTL, "proc/sys/net/bridge/bridge-nf-call-iptables");
}

/* ── the kubelet ──────────────────────────────────────────────────────────── */

/* The n-th word of a line of /proc/net/tcp. */
static const char *nth_word(const char *line, unsigned int n)
{
	for (line += strspn(line, " "); n--; line += strspn(line, " "))
		line += strcspn(line, " ");
	return line;
}

/* Whoever listens there is root: anybody may take the port where the kubelet does not have it. */
static int listener_is_root(const char *table)
{
	enum { LOCAL = 1, STATE = 3, UID = 7, LISTENS = 10 };
	FILE *f = fopen(table, "re");
	char line[512];
	int found = -ENOENT;

	if (!f)
		return -errno;
	while (found == -ENOENT && fgets(line, sizeof(line), f)) {
		const char *port = strchr(nth_word(line, LOCAL), ':');

		if (port && strtoul(port + 1, NULL, 16) == KUBELET_PORT &&
		    strtoul(nth_word(line, STATE), NULL, 16) == LISTENS)
			found = strtoul(nth_word(line, UID), NULL, 10) ? -EPERM : 0;
	}
	fclose(f);
	return found;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = until_ms - now_ms();
	int n = left > 0 ? poll(&p, 1, (int)left) : 0;

	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

static int connected(int fd, int64_t until_ms)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(KUBELET_PORT) };
	socklen_t len = sizeof(int);
	int err = 0;

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	if (!connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	err = wait_for(fd, POLLOUT, until_ms);
	if (err)
		return err;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -errno : -err;
}

/* HTTP/1.0, for an answer that ends with the connection and is not in chunks. */
static int ask(int fd, const char *path, int64_t until, struct buf *answer)
{
	char question[128];
	int size = snprintf(question, sizeof(question),
			    "GET %s HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n", path);
	int err = send(fd, question, (size_t)size, MSG_NOSIGNAL) == size ? 0 : -EPIPE;

	while (!err) {
		ssize_t n;

		if (!buf_room(answer, 1 << 16))
			return -EFBIG;
		err = wait_for(fd, POLLIN, until);
		if (err)
			break;
		n = recv(fd, answer->p + answer->n, answer->cap - answer->n, 0);
		if (n > 0)
			answer->n += (size_t)n;
		else if (!n)
			break;
		else if (errno != EAGAIN && errno != EINTR)
			err = -errno;
	}
	return err;
}

static int ask_kubelet(struct buf *answer)
{
	owned_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int64_t until = now_ms() + KUBELET_WAIT_MS;
	int err = fd < 0 ? -errno : connected(fd, until);

	return err ? err : ask(fd, "/pods", until, answer);
}

static void take_kubelet(struct collecting *c)
{
	struct buf answer = { .max = FACT_KUBELET_MAX_BYTES };
	int err = listener_is_root("/proc/thread-self/net/tcp");

	/* Of Go's listeners most are of both families, and stand in the other table. */
	if (err == -ENOENT)
		err = listener_is_root("/proc/thread-self/net/tcp6");
	if (!err)
		err = ask_kubelet(&answer);
	/* Nobody listens there: the port is off. */
	if (err) {
		left_out(c->f, FACT_KUBELET, err == -ECONNREFUSED || err == -ENETUNREACH ? -ENOENT : err);
	} else {
		c->f->there[FACT_KUBELET] = true;
		facts_add(c->f, &(struct fact){ .kind = FACT_KUBELET, .bytes = answer.p, .n = answer.n });
	}
	buf_free(&answer);
}

/* ── Cilium's agent ───────────────────────────────────────────────────────── */

/* Its socket is the one that was looked at, and who listens there is root. */
static int ask_cilium(struct collecting *c, const char *path, struct buf *answer)
{
	owned_fd int there = open_in(c->root, "run/cilium/cilium.sock", O_PATH);
	owned_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(struct ucred);
	struct ucred who;
	struct stat st;

	if (there < 0 || fd < 0)
		return there < 0 ? there : -EMFILE;
	if (fstat(there, &st) || !S_ISSOCK(st.st_mode))
		return -ENOENT;
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", there);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return -errno;
	return who.uid ? -EPERM : ask(fd, path, now_ms() + CILIUM_WAIT_MS, answer);
}

static void take_cilium(struct collecting *c)
{
	static const char *const paths[] = { "/v1/endpoint", "/v1/identity" };
	int err = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && !err; i++) {
		struct buf answer = { .max = FACT_CILIUM_MAX_BYTES };
		const char *name = strrchr(paths[i], '/') + 1;

		err = ask_cilium(c, paths[i], &answer);
		if (err)
			left_out(c->f, FACT_CILIUM, err);
		else
			facts_add(c->f, &(struct fact){
				.kind = FACT_CILIUM,
				.path = name,
				.path_len = strlen(name),
				.bytes = answer.p,
				.n = answer.n,
			});
		buf_free(&answer);
	}
	c->f->there[FACT_CILIUM] = !err;
}

int facts_collect(struct facts *f, const char *root, uint32_t kinds)
{
	owned_fd int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	owned_mem char *room = malloc(FACT_MAX_BYTES + 1);
	struct collecting c = { .f = f, .root = fd, .room = room };

	if (fd < 0)
		return fail(errno, "%s", root);
	if (!room)
		return fail(ENOMEM, "%s", root);
	/* Results stay over a restart of the machine, and their pods do not. */
	if (!strcmp(root, "/")) {
		f->boot_ns = (int64_t)host_clock_boot();
		f->now_ns = (int64_t)time_now();
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (kinds & 1u << places[i].kind)
			take_place(&c, &places[i]);
	if (kinds & 1u << FACT_CGROUP)
		take_cgroups(&c);
	if (kinds & 1u << FACT_AGENT)
		take_agents(&c);
	if (kinds & 1u << FACT_SYSCTL)
		take_sysctls(&c);
	if (kinds & 1u << FACT_KUBELET)
		take_kubelet(&c);
	if (kinds & 1u << FACT_CILIUM && f->now_ns)
		take_cilium(&c);
	return 0;
}
