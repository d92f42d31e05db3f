// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds BPF programs, links and maps: descriptors of processes, names in BPF file systems. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "inventory/inventory.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { HOLDERS_MAX = 65536, DEPTH_MAX = 32 };

struct holder {
	uint32_t prog_id, link_id, map_id;	/* one of them */
	uint32_t linked;		/* of a link: its program */
	uint32_t pid;			/* 0: a name */
	char    *path;
};

struct holders {
	struct holder *v;
	unsigned int n, room;
};

static int add(struct holders *h, const struct holder *one)
{
	struct holder *grown;

	if (h->n == HOLDERS_MAX)
		return 0;
	if (h->n == h->room) {
		grown = realloc(h->v, (h->room ? 2 * h->room : 64) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		h->v = grown;
		h->room = h->room ? 2 * h->room : 64;
	}
	h->v[h->n++] = *one;
	return 0;
}

/*
 * What a descriptor is, by /proc/PID/fdinfo/FD: a link's has link_id and then prog_id, a program's prog_id alone, a
 * map's map_id.  False: another thing.
 */
static bool describe(int dir, const char *fd, struct holder *one)
{
	owned_fd int info = openat(dir, fd, O_RDONLY | O_CLOEXEC);
	char text[1024];
	const char *at;
	ssize_t n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "link_id:");
	if (at)
		one->link_id = (uint32_t)strtoul(at + 8, NULL, 10);
	at = strstr(text, "\nprog_id:");
	if (at)
		*(one->link_id ? &one->linked : &one->prog_id) = (uint32_t)strtoul(at + 9, NULL, 10);
	at = one->link_id || one->prog_id ? NULL : strstr(text, "\nmap_id:");
	if (at)
		one->map_id = (uint32_t)strtoul(at + 8, NULL, 10);
	return one->link_id || one->prog_id || one->map_id;
}

static int learn_process(struct holders *h, const char *pid)
{
	char path[64], target[64];
	owned_fd int info = -1;
	const struct dirent *e;
	int rc = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	d = opendir(path);
	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo", pid);
	info = d ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	while (d && info >= 0 && !rc && (e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		struct holder one = { .pid = (uint32_t)strtoul(pid, NULL, 10) };

		if (n <= 0)
			continue;
		target[n] = '\0';
		/* "bpf-prog", "bpf-map"; of links "bpf_link" and "bpf-link" */
		if (!strncmp(target, "anon_inode:bpf", 14) && describe(info, e->d_name, &one))
			rc = add(h, &one);
	}
	if (d)
		closedir(d);
	return rc;
}

static int learn_processes(struct holders *h)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	int rc = 0;

	while (d && !rc && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			rc = learn_process(h, e->d_name);
	if (d)
		closedir(d);
	return rc;
}

int holders_blind(void)
{
	return access("/proc/self/fdinfo", X_OK) ? -errno : 0;
}

/* Of nftw(3), which has no argument of its own. */
static struct holders *learning;

static int learn_name(const char *path, const struct stat *st, int flag, struct FTW *unused)
{
	struct holder one = { 0 };
	owned_fd int fd = flag == FTW_F ? bpf_obj_get(path) : -1;
	char self[40];

	if (fd < 0)
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fdinfo/%d", fd);
	if (!describe(AT_FDCWD, self, &one))
		return 0;
	one.path = strdup(path);
	return one.path ? add(learning, &one) : -ENOMEM;
}

static int learn_names(struct holders *h)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	int rc = 0;

	learning = h;
	while (mounts && !rc && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "bpf"))
			rc = nftw(m->mnt_dir, learn_name, DEPTH_MAX, FTW_PHYS | FTW_MOUNT) == -ENOMEM ? -ENOMEM : 0;
	if (mounts)
		endmntent(mounts);
	return rc;
}

int holders_open(struct holders **out)
{
	struct holders *h = calloc(1, sizeof(*h));
	int err = h ? learn_processes(h) : -ENOMEM;

	if (!err)
		err = learn_names(h);
	if (err) {
		holders_close(h);
		return fail(err, "holders of BPF programs");
	}
	*out = h;
	return 0;
}

void holders_close(struct holders *h)
{
	if (!h)
		return;
	for (unsigned int i = 0; i < h->n; i++)
		free(h->v[i].path);
	free(h->v);
	free(h);
}

static bool holds(const struct holder *h, const struct holder *what)
{
	if (what->map_id)
		return h->map_id == what->map_id;
	if (what->linked)
		return h->prog_id == what->linked || h->linked == what->linked;
	return what->link_id && h->link_id ? h->link_id == what->link_id : h->prog_id && h->prog_id == what->prog_id;
}

static unsigned int pids_of(const struct holders *h, const struct holder *what, uint32_t *pids, unsigned int max)
{
	unsigned int n = 0, k;

	for (unsigned int i = 0; i < h->n && n < max; i++) {
		if (!h->v[i].pid || h->v[i].pid == (uint32_t)getpid() || !holds(&h->v[i], what))
			continue;
		for (k = 0; k < n && pids[k] != h->v[i].pid; k++)
			;
		if (k == n)
			pids[n++] = h->v[i].pid;
	}
	return n;
}

unsigned int holders_pids(const struct holders *h, uint32_t prog_id, uint32_t link_id, uint32_t *pids,
			  unsigned int max)
{
	return pids_of(h, &(struct holder){ .prog_id = prog_id, .link_id = link_id }, pids, max);
}

unsigned int holders_all_pids(const struct holders *h, uint32_t prog_id, uint32_t *pids, unsigned int max)
{
	return pids_of(h, &(struct holder){ .linked = prog_id }, pids, max);
}

unsigned int holders_map_pids(const struct holders *h, uint32_t map_id, uint32_t *pids, unsigned int max)
{
	return pids_of(h, &(struct holder){ .map_id = map_id }, pids, max);
}

/* A link's before the program's or the map's own. */
static const char *pin_of(const struct holders *h, const struct holder *what)
{
	const char *own = NULL;

	for (unsigned int i = 0; i < h->n; i++) {
		if (!h->v[i].path || !holds(&h->v[i], what))
			continue;
		if (h->v[i].link_id)
			return h->v[i].path;
		own = h->v[i].path;
	}
	return own;
}

const char *holders_pin(const struct holders *h, uint32_t prog_id, uint32_t link_id)
{
	return pin_of(h, &(struct holder){ .prog_id = prog_id, .link_id = link_id });
}

const char *holders_all_pin(const struct holders *h, uint32_t prog_id)
{
	return pin_of(h, &(struct holder){ .linked = prog_id });
}

const char *holders_map_pin(const struct holders *h, uint32_t map_id)
{
	return pin_of(h, &(struct holder){ .map_id = map_id });
}
