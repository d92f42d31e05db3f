// SPDX-License-Identifier: GPL-2.0-or-later
/* Pinned state: making, replacing and removing it, under the lock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kern/load.h"
#include "pin/parts.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { LOCK_TRIES = 600,
       LOCK_PAUSE_US = 50000,
       ENTRIES = 64 };

/* Refused for safety: the caller's exit status is told by -ESTALE. */
static int refuse(const char *why)
{
	fail(0, "%s", why);
	return -ESTALE;
}

/* ── the lock ─────────────────────────────────────────────────────────────── */

static bool is_still_there(int fd)
{
	struct stat a, b;

	return !fstat(fd, &a) && !lstat(PIN_ROOT, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* 0, or -EAGAIN when the directory went away meanwhile. */
static int wait_for_lock(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return is_still_there(fd) ? 0 : -EAGAIN;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(errno, PIN_ROOT);
		usleep(LOCK_PAUSE_US);
	}
	return fail(0, PIN_ROOT " is locked: another netprobe has been changing state for 30 seconds"), -EBUSY;
}

/* The way there is shut: what would open it. */
static int denied(int err, const char *why)
{
	struct cap_sets caps;

	if (err == -EACCES && !caps_get(&caps) && !(caps.effective & CAP_BIT(CAP_DAC_OVERRIDE)))
		fail(0, "%s: missing: %s", why, caps_name(NEED_FILES));
	else
		fail(0, "%s", why);
	return err;
}

static int make_dir(const char *path)
{
	char why[256];
	mode_t old = umask(0077);
	int rc = mkdir(path, 0700) && errno != EEXIST ? -errno : 0;

	umask(old);
	snprintf(why, sizeof(why), "%s: %s", path, strerror(-rc));
	return rc ? denied(rc, why) : 0;
}

static int lock_root(bool make, bool *made)
{
	for (;;) {
		char why[256] = "";
		owned_fd int fd = pin_root(why, sizeof(why));
		int err;

		if (fd == -ENOENT && make) {
			err = make_dir(PIN_ROOT);
			if (err)
				return err;
			*made = true;
			continue;
		}
		if (fd < 0)
			return fd == -ENOENT ? fd : fd == -ENOTDIR ? refuse(why) :
								     denied(fd, why);
		err = wait_for_lock(fd);
		if (err != -EAGAIN)
			return err ? err : take_fd(fd);
	}
}

static int take_lock(bool make)
{
	bool made = false;
	int fd = lock_root(make, &made);

	if (fd < 0 && made)
		rmdir(PIN_ROOT);
	return fd;
}

static int find_newer(void *ctx, const struct pin_view *v)
{
	const struct pin *p = ctx;

	if (v->abi <= pin_abi || v->place.netns != p->at.place.netns || v->place.ifindex != p->at.place.ifindex ||
	    v->place.by_inode != p->at.place.by_inode || strcmp(v->service, p->at.service))
		return 0;
	fail(0, "%s: made by netprobe %s (ABI %u, this one knows up to %u): left alone; remove it with that one",
	     v->path, *v->meta.version ? v->meta.version : "of a newer kind", v->abi, pin_abi);
	return -ESTALE;
}

/* Directories with nothing in them go, up to the root, as far as they were made; who waits for the lock looks again. */
static void tidy(const struct pin *p)
{
	char path[PIN_PATH];

	snprintf(path, sizeof(path), "%s", p->at.path);
	while (strlen(path) >= strlen(PIN_ROOT) && (rmdir(path) == 0 || errno == ENOENT))
		*strrchr(path, '/') = '\0';
}

static int open_at(struct pin *p, bool make)
{
	int err;

	p->lock = take_lock(make);
	if (p->lock < 0)
		return p->lock;
	err = pin_each(find_newer, p);
	if (!err) {
		err = pin_look_again(&p->at);
		if (err)
			fail(*p->at.why ? 0 : err, "%s", *p->at.why ? p->at.why : p->at.path);
	}
	if (!err && (p->at.state == PIN_FOREIGN || p->at.state == PIN_NEWER))
		err = refuse(p->at.why);
	if (err) {
		if (p->at.state != PIN_FOREIGN && p->at.state != PIN_NEWER)
			tidy(p);
		close(p->lock);
		p->lock = -1;
	}
	return err;
}

int pin_open_view(struct pin *p, const struct pin_view *v)
{
	memset(p, 0, sizeof(*p));
	if (v->abi > pin_abi || v->state == PIN_FOREIGN || v->state == PIN_NEWER)
		return refuse(*v->why ? v->why : "state of a newer netprobe: left alone");
	p->at = *v;
	return open_at(p, false);
}

void pin_close(struct pin *p)
{
	if (p->lock >= 0) {
		tidy(p);
		close(p->lock);
	}
	p->lock = -1;
}

/* Those above it as well. */
static int make_dirs(const struct pin *p)
{
	char path[PIN_PATH];
	int err = 0;

	snprintf(path, sizeof(path), "%s", p->at.path);
	for (char *c = path + strlen(PIN_ROOT) + 1; !err && *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		err = make_dir(path);
		*c = '/';
	}
	return err ? err : make_dir(path);
}

/* ── meta ─────────────────────────────────────────────────────────────────── */

static void boot_id(uint8_t out[16])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char line[64] = "";
	unsigned int n = 0;

	memset(out, 0, 16);
	if (f && fgets(line, sizeof(line), f)) {
		for (const char *c = line; *c && n < 32; c++) {
			unsigned int v = (unsigned int)(*c <= '9' ? *c - '0' : *c - 'a' + 10);

			if (v < 16) {
				out[n / 2] = (uint8_t)(out[n / 2] << 4 | v);
				n++;
			}
		}
	}
	if (f)
		fclose(f);
}

static void fill_meta(const struct pin *p, struct np_meta *m, const uint8_t tag[8])
{
	struct timespec now;
	uint8_t uuid[16];

	memcpy(uuid, p->at.meta.uuid, sizeof(uuid));
	memset(m, 0, sizeof(*m));
	clock_gettime(CLOCK_REALTIME, &now);
	m->magic = NP_META_MAGIC;
	m->abi = p->at.abi;
	m->ifindex = p->at.place.ifindex;
	m->netns = p->at.place.netns;
	m->created_ns = p->at.meta.created_ns ? p->at.meta.created_ns :
						(uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	boot_id(m->boot_id);
	if (!p->at.meta.magic && getrandom(uuid, sizeof(uuid), GRND_NONBLOCK) < 0)
		memcpy(uuid, &m->created_ns, sizeof(m->created_ns));
	memcpy(m->uuid, uuid, sizeof(uuid));
	memcpy(m->prog_tag, tag, sizeof(m->prog_tag));
	snprintf(m->version, sizeof(m->version), "%s", NETPROBE_VERSION);
	memcpy(m->ifname, p->at.place.ifname, sizeof(m->ifname));
	memcpy(m->service, p->at.service, sizeof(m->service));
}

static int write_meta(struct pin *p, const uint8_t tag[8])
{
	owned_fd int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "np_meta", 4, sizeof(struct np_meta), 1, NULL);
	struct np_meta m;
	uint32_t zero = 0;
	char reason[256];
	int err;

	if (fd < 0) {
		load_reason(reason, sizeof(reason), fd, NEED_BPF, "cannot make a BPF map");
		return fail(0, "%s: %s", p->at.path, reason), fd;
	}
	fill_meta(p, &m, tag);
	if (bpf_map_update_elem(fd, &zero, &m, BPF_ANY) || bpf_map_freeze(fd))
		return fail(errno, "%s/meta", p->at.path);
	err = pin_put(p, "meta", fd);
	if (!err)
		p->at.meta = m;
	return err;
}

int pin_begin(struct pin *p, const uint8_t prog_tag[8])
{
	int err;

	if (p->at.state == PIN_OURS)
		return 0;
	err = make_dirs(p);
	if (!err)
		err = write_meta(p, prog_tag);
	if (!err)
		p->at.state = PIN_OURS;
	return err;
}

/* ── objects ──────────────────────────────────────────────────────────────── */

/* A link is only opened for both. */
static int open_ours(const char *path)
{
	enum pin_kind kind;
	int fd = pin_object(path, true, &kind);

	return fd >= 0 || fd == -EPERM || fd == -ENOENT ? fd : pin_object(path, false, &kind);
}

static int unlink_ours(const char *path)
{
	owned_fd int fd = open_ours(path);

	if (fd == -EPERM)
		return fail(0, "%s is not ours: left alone", path), -ESTALE;
	return unlink(path) && errno != ENOENT ? fail(errno, "%s", path) : 0;
}

/* In place of what is there. */
static int put_over(const char *path, int fd)
{
	char fresh[PIN_PATH + PIN_NAME + 8];
	owned_fd int there = open_ours(path);
	int err;

	if (there == -EPERM)
		return fail(0, "%s is not ours: left alone", path), -ESTALE;
	snprintf(fresh, sizeof(fresh), "%s-new", path);
	err = unlink_ours(fresh);
	if (err)
		return err;
	err = bpf_obj_pin(fd, fresh);
	if (err)
		return fail(err, "%s", fresh);
	if (!rename(fresh, path))
		return 0;
	err = fail(errno, "%s", path);
	unlink(fresh);
	return err;
}

int pin_put(struct pin *p, const char *name, int fd)
{
	char path[PIN_PATH + PIN_NAME];
	enum pin_kind kind;
	mode_t old;
	int err;

	snprintf(path, sizeof(path), "%s/%s", p->at.path, name);
	/* Else nobody would take it away again.  libbpf leaves names out where it finds that the kernel has none. */
	if (!pin_is_ours(fd, &kind))
		return fail(0, "%s: it has no name of ours: not pinned", path), -EIO;
	old = umask(0077);
	err = bpf_obj_pin(fd, path);
	if (err == -EEXIST)
		err = put_over(path, fd);
	else if (err)
		fail(err, "%s", path);
	umask(old);
	return err;
}

int pin_drop(struct pin *p, const char *name)
{
	char path[PIN_PATH + PIN_NAME];

	snprintf(path, sizeof(path), "%s/%s", p->at.path, name);
	return unlink_ours(path);
}

/* ── whole states ─────────────────────────────────────────────────────────── */

struct entries {
	char name[ENTRIES][PIN_NAME];
	unsigned int n;
};

/* All entries, each of them ours; otherwise nothing is to be touched. */
static int list_entries(const struct pin *p, struct entries *to)
{
	char path[PIN_PATH + PIN_NAME];
	DIR *d = opendir(p->at.path);
	struct dirent *e;
	int err = 0;

	to->n = 0;
	if (!d)
		return errno == ENOENT ? 0 : fail(errno, "%s", p->at.path);
	while (!err && (e = readdir(d))) {
		owned_fd int fd = -1;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%.31s", p->at.path, e->d_name);
		fd = strlen(e->d_name) < PIN_NAME && to->n < ENTRIES ? open_ours(path) : -EPERM;
		if (fd == -EPERM)
			err = (fail(0, "%s is not ours: nothing there was touched", path), -ESTALE);
		else if (fd < 0)
			err = fail(fd, "%s", path);
		else
			snprintf(to->name[to->n++], PIN_NAME, "%.31s", e->d_name);
	}
	closedir(d);
	return err;
}

int pin_remove(struct pin *p)
{
	struct entries all;
	int err = list_entries(p, &all);

	for (int h = 0; !err && h < PIN_HOOKS; h++)
		err = pin_detach(p, (enum pin_hook)h);
	for (unsigned int i = 0; !err && i < all.n; i++)
		if (strcmp(all.name[i], "meta"))
			err = pin_drop(p, all.name[i]);
	if (!err)
		err = pin_drop(p, "meta");
	if (!err)
		p->at.state = PIN_ABSENT;
	return err;
}

/* ── where its interface is now ───────────────────────────────────────────── */

/* From the place where it was pinned to that of its interface. */
static int bring(struct pin *p, struct pin_view *from)
{
	struct pin_place place = p->at.place;
	char *service = strrchr(from->path, '/');
	uint8_t tag[8];
	int err = p->at.state == PIN_ABSENT ? 0 : pin_remove(p);

	if (!err)
		err = make_dirs(p);
	if (!err && rename(from->path, p->at.path))
		err = fail(errno, "%s", from->path);
	*service = '\0';
	rmdir(from->path);	/* where it was the last */
	if (!err)
		err = pin_look_again(&p->at);
	p->at.place = place;
	memcpy(tag, p->at.meta.prog_tag, sizeof(tag));
	return err ? err : write_meta(p, tag);
}

static int settle(struct pin *p)
{
	struct pin_view v;
	int err;

	if (pin_is_at(&p->at, &p->at.place))
		return 0;
	err = pin_find(&p->at.place, p->at.service, &v);
	if (err)
		return fail(err, "%s", p->at.path);
	if (v.state == PIN_OURS && strcmp(v.path, p->at.path))
		return bring(p, &v);
	if (v.state == PIN_ABSENT && p->at.state == PIN_OURS) {
		fail(0, "%s is of an interface that was moved to another network namespace: change it from there first",
		     p->at.path);
		return -ESTALE;
	}
	return 0;
}

int pin_open(struct pin *p, const struct pin_place *place, const char *service, bool make)
{
	int err;

	memset(p, 0, sizeof(*p));
	p->at.abi = pin_abi;
	p->at.place = *place;
	snprintf(p->at.service, sizeof(p->at.service), "%s", service);
	err = open_at(p, make);
	if (!err)
		err = settle(p);
	if (err)
		pin_close(p);
	return err;
}
