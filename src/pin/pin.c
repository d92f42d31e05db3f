// SPDX-License-Identifier: GPL-2.0-or-later
/* Pinned state: finding it, and judging whose it is.  change.c changes it. */
#include "pin/pin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kern/link.h"
#include "pin/parts.h"
#include "util/cleanup.h"
#include "util/err.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

enum { BPFFS = (int)0xcafe4a11 };

uint32_t pin_abi = NP_ABI;

int pin_netns(struct pin_place *p)
{
	owned_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(p->netns);

	memset(p, 0, sizeof(*p));
	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &p->netns, &n) == 0)
		return 0;
	p->netns = netns_inode();
	p->by_inode = true;
	return p->netns ? 0 : -errno;
}

int pin_place(struct pin_place *p, const char *ifname)
{
	struct link_info l;
	int err = link_get(ifname, 0, &l);

	if (err)
		return err == -ENODEV ? fail(0, "%s: no such interface", ifname), -ENODEV : fail(err, "%s", ifname);
	err = pin_netns(p);
	if (err)
		return fail(err, "cannot tell which network namespace this is");
	p->ifindex = l.ifindex;
	snprintf(p->ifname, sizeof(p->ifname), "%.15s", l.name);
	return 0;
}

/* ── directories ──────────────────────────────────────────────────────────── */

/* One component: a directory that is ours and nobody else's.  at: AT_FDCWD and an absolute path, or a parent. */
int pin_dir(int at, const char *name, const char *path, char *why, size_t size)
{
	owned_fd int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		int err = errno;

		if ((err == ELOOP || err == ENOTDIR) && !fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW)) {
			snprintf(why, size, "%s is %s: not ours, left alone", path,
				 S_ISLNK(st.st_mode) ? "a symbolic link" : "not a directory");
			return -ENOTDIR;
		}
		snprintf(why, size, "%s: %s", path, strerror(err));
		return -err;
	}
	if (fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077)) {
		snprintf(why, size, "%s belongs to uid %u, mode %04o: not ours, left alone (ours are 0700)", path,
			 (unsigned int)st.st_uid, (unsigned int)st.st_mode & 07777);
		return -ENOTDIR;
	}
	return take_fd(fd);
}

int pin_root(char *why, size_t size)
{
	struct statfs fs;

	if (statfs(PIN_BPFFS, &fs) || (int)fs.f_type != BPFFS) {
		snprintf(why, size, PIN_BPFFS " is not a BPF file system: mount -t bpf bpf " PIN_BPFFS);
		return -ENODEV;
	}
	return pin_dir(AT_FDCWD, PIN_ROOT, PIN_ROOT, why, size);
}

static void place_name(const struct pin_place *p, char *out, size_t size)
{
	snprintf(out, size, "%s%llu-%u", p->by_inode ? "i" : "", (unsigned long long)p->netns, p->ifindex);
}

/* The inverse, exactly: what would be printed otherwise is none of ours. */
static bool place_parse(const char *name, struct pin_place *p)
{
	char again[PIN_NAME * 2], *end;

	memset(p, 0, sizeof(*p));
	p->by_inode = *name == 'i';
	p->netns = strtoull(name + p->by_inode, &end, 10);
	if (*end != '-')
		return false;
	p->ifindex = (uint32_t)strtoul(end + 1, NULL, 10);
	place_name(p, again, sizeof(again));
	return !strcmp(again, name);
}

void pin_view_path(struct pin_view *v)
{
	char name[PIN_NAME * 2];

	place_name(&v->place, name, sizeof(name));
	snprintf(v->path, sizeof(v->path), PIN_ROOT "/v%u/%s/%s", v->abi, name, v->service);
}

/* ── objects ──────────────────────────────────────────────────────────────── */

static enum pin_kind kind_of(int fd)
{
	char path[64], to[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, to, sizeof(to) - 1);
	to[n < 0 ? 0 : n] = '\0';
	return strstr(to, "bpf-map") ? KIND_MAP : strstr(to, "bpf-prog") ? KIND_PROG :
					  strstr(to, "bpf")		 ? KIND_LINK :
									   KIND_OTHER;
}

static bool is_our_name(const char *name)
{
	return !strncmp(name, "np_", 3);
}

bool pin_prog_is_ours(int fd, struct bpf_prog_info *info)
{
	uint32_t n = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return !bpf_obj_get_info_by_fd(fd, info, &n) && is_our_name(info->name);
}

static bool link_is_ours(int fd)
{
	struct bpf_link_info info = { 0 };
	struct bpf_prog_info prog;
	uint32_t n = sizeof(info);
	owned_fd int p = -1;

	if (bpf_obj_get_info_by_fd(fd, &info, &n))
		return false;
	p = bpf_prog_get_fd_by_id(info.prog_id);
	return p >= 0 && pin_prog_is_ours(p, &prog);
}

static bool map_is_ours(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t n = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &n) && is_our_name(info.name);
}

bool pin_is_ours(int fd, enum pin_kind *kind)
{
	struct bpf_prog_info prog;

	*kind = kind_of(fd);
	return *kind == KIND_MAP  ? map_is_ours(fd) :
	       *kind == KIND_PROG ? pin_prog_is_ours(fd, &prog) :
	       *kind == KIND_LINK ? link_is_ours(fd) :
				    false;
}

int pin_object(const char *path, bool read_only, enum pin_kind *kind)
{
	LIBBPF_OPTS(bpf_obj_get_opts, o, .file_flags = read_only ? BPF_F_RDONLY : 0);
	owned_fd int fd = bpf_obj_get_opts(path, &o);

	if (fd < 0)
		return fd;
	return pin_is_ours(fd, kind) ? take_fd(fd) : -EPERM;
}

int pin_get(const struct pin_view *v, const char *name, bool read_only)
{
	char path[PIN_PATH + PIN_NAME];
	enum pin_kind kind;

	snprintf(path, sizeof(path), "%s/%s", v->path, name);
	return pin_object(path, read_only, &kind);
}

/* ── meta ─────────────────────────────────────────────────────────────────── */

enum pin_state pin_meta_judge(const void *bytes, uint32_t n, struct np_meta *out)
{
	struct np_meta m;

	memset(out, 0, sizeof(*out));
	if (n < sizeof(m))
		return PIN_FOREIGN;
	memcpy(&m, bytes, sizeof(m));
	if (m.magic != NP_META_MAGIC || !m.abi)
		return PIN_FOREIGN;
	/* Texts end, whatever was in them. */
	m.version[sizeof(m.version) - 1] = m.ifname[sizeof(m.ifname) - 1] = m.service[sizeof(m.service) - 1] = '\0';
	*out = m;
	return m.abi > pin_abi ? PIN_NEWER : m.abi < pin_abi ? PIN_OLDER :
							       PIN_OURS;
}

static enum pin_state read_meta(struct pin_view *v, struct np_meta *m)
{
	owned_fd int fd = pin_get(v, "meta", true);
	struct bpf_map_info info = { 0 };
	uint32_t n = sizeof(info), zero = 0;
	uint8_t bytes[1024] = { 0 };

	memset(m, 0, sizeof(*m));
	*v->why = '\0';
	if (fd < 0 && fd != -EPERM && fd != -ENOENT)
		snprintf(v->why, sizeof(v->why), "%s/meta: %s", v->path, strerror(-fd));
	if (fd < 0)
		return PIN_FOREIGN;
	/* A map of another shape would have the kernel write beyond it. */
	if (bpf_obj_get_info_by_fd(fd, &info, &n) || info.type != BPF_MAP_TYPE_ARRAY || info.key_size != 4 ||
	    info.value_size > sizeof(bytes) || info.max_entries != 1)
		return PIN_FOREIGN;
	if (bpf_map_lookup_elem(fd, &zero, bytes))
		return PIN_FOREIGN;
	return pin_meta_judge(bytes, info.value_size, m);
}

/* Entries beside meta, up to two. */
static int count_entries(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!d)
		return 0;
	while ((e = readdir(d)))
		n += e->d_name[0] != '.' && strcmp(e->d_name, "meta") != 0;
	closedir(d);
	return n;
}

static void judge(struct pin_view *v, int dir)
{
	bool has_meta = faccessat(dir, "meta", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	bool is_alone = !count_entries(dir);

	if (!has_meta && is_alone) {
		v->state = PIN_BARE;
		return;
	}
	v->state = read_meta(v, &v->meta);
	if (v->state != PIN_FOREIGN && v->meta.abi != v->abi)
		v->state = PIN_FOREIGN;
	if (v->state == PIN_FOREIGN && !*v->why)
		snprintf(v->why, sizeof(v->why), "%s holds no meta of ours: left alone", v->path);
	else if (v->state == PIN_OURS && is_alone)
		v->state = PIN_BARE;
}

/* ── looking ──────────────────────────────────────────────────────────────── */

/* path, abi, place and service are filled in. */
static int look_at(struct pin_view *v)
{
	char abi[16], place[PIN_NAME * 2], path[PIN_PATH];
	owned_fd int root = pin_root(v->why, sizeof(v->why)), a = -1, b = -1, c = -1;
	int err;

	v->state = PIN_ABSENT;
	memset(&v->meta, 0, sizeof(v->meta));
	snprintf(abi, sizeof(abi), "v%u", v->abi);
	place_name(&v->place, place, sizeof(place));
	if (root >= 0) {
		snprintf(path, sizeof(path), PIN_ROOT "/%s", abi);
		a = pin_dir(root, abi, path, v->why, sizeof(v->why));
	}
	if (a >= 0) {
		snprintf(path, sizeof(path), PIN_ROOT "/%s/%s", abi, place);
		b = pin_dir(a, place, path, v->why, sizeof(v->why));
	}
	if (b >= 0)
		c = pin_dir(b, v->service, v->path, v->why, sizeof(v->why));
	if (c >= 0) {
		judge(v, c);
		return 0;
	}
	err = root < 0 ? root : a < 0 ? a :
			b < 0	      ? b :
					c;
	if (err == -ENOTDIR)
		v->state = PIN_FOREIGN;
	return err == -ENOENT || err == -ENOTDIR ? 0 : err;
}

int pin_look_again(struct pin_view *v)
{
	pin_view_path(v);
	return look_at(v);
}

int pin_look(const struct pin_place *p, const char *service, struct pin_view *v)
{
	memset(v, 0, sizeof(*v));
	v->abi = pin_abi;
	v->place = *p;
	snprintf(v->service, sizeof(v->service), "%s", service);
	return pin_look_again(v);
}

struct walk {
	pin_fn fn;
	void *ctx;
	struct pin_view v;
};

/* why: NULL where it stands in the view. */
static int foreign(struct walk *w, const char *why)
{
	w->v.state = PIN_FOREIGN;
	if (why)
		snprintf(w->v.why, sizeof(w->v.why), "%s: %s", w->v.path, why);
	return w->fn(w->ctx, &w->v);
}

/* Entries of a directory, in their order; a name longer than ours is not ours. */
static int each_entry(struct walk *w, int at, const char *name, int (*fn)(struct walk *, int, const char *))
{
	int fd = pin_dir(at, name, w->v.path, w->v.why, sizeof(w->v.why)), rc = 0;
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return fd == -ENOENT ? 0 : foreign(w, NULL);
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while (!rc && (e = readdir(d)))
		if (e->d_name[0] != '.')
			rc = fn(w, fd, e->d_name);
	closedir(d);
	return rc;
}

static int walk_service(struct walk *w, int dir, const char *name)
{
	struct pin_view v = { .abi = w->v.abi, .place = w->v.place };
	struct walk one = { w->fn, w->ctx, v };

	if (strlen(name) >= sizeof(v.service)) {
		snprintf(one.v.path, sizeof(one.v.path), PIN_ROOT "/v%u/.../%.40s", v.abi, name);
		return foreign(&one, "the name is none of ours: left alone");
	}
	snprintf(one.v.service, sizeof(one.v.service), "%s", name);
	if (pin_look_again(&one.v) < 0 || one.v.state == PIN_ABSENT)
		return 0;
	memcpy(one.v.place.ifname, one.v.meta.ifname, sizeof(one.v.place.ifname));
	return w->fn(w->ctx, &one.v);
}

static int walk_place(struct walk *w, int dir, const char *name)
{
	snprintf(w->v.path, sizeof(w->v.path), PIN_ROOT "/v%u/%.60s", w->v.abi, name);
	if (!place_parse(name, &w->v.place))
		return foreign(w, "the name is none of ours: left alone");
	return each_entry(w, dir, name, walk_service);
}

static int walk_abi(struct walk *w, int dir, const char *name)
{
	char again[16];

	memset(&w->v, 0, sizeof(w->v));
	snprintf(w->v.path, sizeof(w->v.path), PIN_ROOT "/%.60s", name);
	if (*name == 'v') {
		w->v.abi = (uint32_t)strtoul(name + 1, NULL, 10);
		snprintf(again, sizeof(again), "v%u", w->v.abi);
		if (!strcmp(again, name))
			return each_entry(w, dir, name, walk_place);
	}
	return foreign(w, "the name is none of ours: left alone");
}

int pin_each(pin_fn fn, void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	struct statfs fs;

	if (statfs(PIN_BPFFS, &fs) || (int)fs.f_type != BPFFS)
		return 0;
	snprintf(w.v.path, sizeof(w.v.path), PIN_ROOT);
	return each_entry(&w, AT_FDCWD, PIN_ROOT, walk_abi);
}
