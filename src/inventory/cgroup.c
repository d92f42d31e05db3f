// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs at cgroups, by walking the second version's tree. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "inventory/parts.h"
#include "util/cleanup.h"

enum { PROGRAMS_MAX = 64, CGROUP2_MAGIC = 0x63677270, DEPTH_MAX = 64 };

/* Those that packets, sockets and their options meet. */
static const struct {
	uint32_t type;
	const char *hook;
} types[] = {
	{ BPF_CGROUP_INET_INGRESS, "cgroup/ingress" },
	{ BPF_CGROUP_INET_EGRESS, "cgroup/egress" },
	{ BPF_CGROUP_INET_SOCK_CREATE, "cgroup/sock_create" },
	{ BPF_CGROUP_INET_SOCK_RELEASE, "cgroup/sock_release" },
	{ BPF_CGROUP_SOCK_OPS, "cgroup/sock_ops" },
	{ BPF_CGROUP_DEVICE, "cgroup/device" },
	{ BPF_CGROUP_SYSCTL, "cgroup/sysctl" },
	{ BPF_CGROUP_INET4_BIND, "cgroup/bind4" },
	{ BPF_CGROUP_INET6_BIND, "cgroup/bind6" },
	{ BPF_CGROUP_INET4_POST_BIND, "cgroup/post_bind4" },
	{ BPF_CGROUP_INET6_POST_BIND, "cgroup/post_bind6" },
	{ BPF_CGROUP_INET4_CONNECT, "cgroup/connect4" },
	{ BPF_CGROUP_INET6_CONNECT, "cgroup/connect6" },
	{ BPF_CGROUP_UDP4_SENDMSG, "cgroup/sendmsg4" },
	{ BPF_CGROUP_UDP6_SENDMSG, "cgroup/sendmsg6" },
	{ BPF_CGROUP_UDP4_RECVMSG, "cgroup/recvmsg4" },
	{ BPF_CGROUP_UDP6_RECVMSG, "cgroup/recvmsg6" },
	{ BPF_CGROUP_INET4_GETPEERNAME, "cgroup/getpeername4" },
	{ BPF_CGROUP_INET6_GETPEERNAME, "cgroup/getpeername6" },
	{ BPF_CGROUP_INET4_GETSOCKNAME, "cgroup/getsockname4" },
	{ BPF_CGROUP_INET6_GETSOCKNAME, "cgroup/getsockname6" },
	{ BPF_CGROUP_GETSOCKOPT, "cgroup/getsockopt" },
	{ BPF_CGROUP_SETSOCKOPT, "cgroup/setsockopt" },
};

static uint32_t link_of(const struct inventory *v, uint32_t prog_id, uint32_t type, uint64_t cgroup)
{
	for (unsigned int i = 0; i < v->n_links; i++) {
		const union link_info_tail *t = (const union link_info_tail *)&v->links[i].info.tail;

		if (v->links[i].info.type == BPF_OF_CGROUP && v->links[i].info.prog_id == prog_id &&
		    t->cgroup.attach_type == type && t->cgroup.cgroup_id == cgroup)
			return v->links[i].id;
	}
	return 0;
}

static int each_type(struct walk *w, int fd, uint64_t inode, const char *path, unsigned int i)
{
	uint32_t progs[PROGRAMS_MAX], flags = 0, n = PROGRAMS_MAX;
	int rc = 0;

	if (bpf_prog_query(fd, (enum bpf_attach_type)types[i].type, 0, &flags, progs, &n)) {
		w->v->missed += errno == ENOSPC;
		return 0;
	}
	for (uint32_t k = 0; k < n && !rc; k++) {
		struct hooked h = { .hook = types[i].hook, .order = k + 1, .prog_id = progs[k], .cgroup = path };

		h.link_id = link_of(w->v, progs[k], types[i].type, inode);
		rc = w->fn(w->ctx, &h);
	}
	return rc;
}

/* Of nftw(3), which has no argument of its own. */
static struct walk *walking;
static const char *top;

static int directory(const char *path, const struct stat *st, int flag, struct FTW *unused)
{
	owned_fd int fd = -1;
	const char *below = path + strlen(top);
	int rc = 0;

	if (flag != FTW_D)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		walking->v->missed += errno != ENOENT;
		return 0;
	}
	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]) && !rc; i++)
		rc = each_type(walking, fd, st->st_ino, *below ? below : "/", i);
	return rc;
}

int inventory_cgroups(struct walk *w)
{
	static const char *const tops[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	walking = w;
	for (unsigned int i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		if (statfs(tops[i], &fs) || fs.f_type != CGROUP2_MAGIC)
			continue;
		top = tops[i];
		return nftw(top, directory, DEPTH_MAX, FTW_PHYS | FTW_MOUNT);
	}
	return 0;
}
