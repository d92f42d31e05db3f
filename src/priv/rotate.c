// SPDX-License-Identifier: GPL-2.0-or-later
#include "priv/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/err.h"

#define SLACK_NS UINT64_C(1000000000)

static const char not_regular[] = "not a regular file, so there is nothing to rotate";
static const char not_read[] = "nobody reads this FIFO";

struct rotate {
	struct rotate_options opt;
	int dir;
	char *where;			/* text before the part that is opened in dir: "" or "…/" */
	char *pattern;			/* what is opened in dir, before strftime */
	bool has_time;			/* there is a conversion in it */
	unsigned int width;		/* digits of a number, at least */
	unsigned int seq;		/* the number that must come next */
	unsigned int count;		/* number in the last name */
	uint64_t last_ns, period_start_ns;
	int last_fd;			/* of the last file: is it full? */
	char stem[PATH_MAX];		/* last name without its number */
	struct stat last;		/* last file */
};

/* As wide as the largest number, max_files - 1; nothing for one file. */
static unsigned int number_width(unsigned int max_files)
{
	unsigned int width = 0;

	for (unsigned int n = max_files ? max_files - 1 : 0; n; n /= 10)
		width++;
	return width;
}

/* Where the part begins that is opened in the directory: after the last slash that no time stands before. */
static size_t split(const char *file, bool by_time)
{
	size_t end = by_time ? strcspn(file, "%") : strlen(file);

	while (end && file[end - 1] != '/')
		end--;
	return end;
}

static bool has_conversion(const char *pattern)
{
	for (const char *p = strchr(pattern, '%'); p && p[1]; p = strchr(p + 2, '%'))
		if (p[1] != '%')
			return true;
	return false;
}

int rotate_open(struct rotate **out, const struct rotate_options *opt)
{
	size_t at = split(opt->file, opt->by_time);
	struct rotate *r = calloc(1, sizeof(*r));

	if (!r)
		return fail(ENOMEM, "%s", opt->file);
	r->opt = *opt;
	r->opt.file = NULL;
	r->dir = r->last_fd = -1;
	r->where = strndup(opt->file, at);
	r->pattern = strdup(opt->file + at);
	if (!r->where || !r->pattern) {
		rotate_close(r);
		return fail(ENOMEM, "%s", opt->file);
	}
	r->has_time = opt->by_time && has_conversion(r->pattern);
	r->width = opt->numbers ? number_width(opt->max_files) : 0;
	r->dir = open(at ? r->where : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0 || !*r->pattern) {
		int err = fail(*r->pattern ? errno : EISDIR, "%s", opt->file);

		rotate_close(r);
		return err;
	}
	if (opt->by_time && !r->has_time && !opt->numbers && opt->max_files != 1)
		warn("%s: there is no time (%%H%%M%%S) in the name, so each period overwrites the last",
		     opt->file);
	tzset();	/* before a sandbox hides the zone's file */
	*out = r;
	return 0;
}

void rotate_close(struct rotate *r)
{
	if (!r)
		return;
	if (r->dir >= 0)
		close(r->dir);
	if (r->last_fd >= 0)
		close(r->last_fd);
	free(r->where);
	free(r->pattern);
	free(r);
}

int rotate_dir(const struct rotate *r)
{
	return r->dir;
}

static int make_stem(const struct rotate *r, uint64_t time_ns, char *stem, size_t size)
{
	time_t t = (time_t)(time_ns / 1000000000);
	struct tm tm;
	size_t n;

	if (!r->opt.by_time) {
		n = strlen(r->pattern);
		if (n < size)
			memcpy(stem, r->pattern, n + 1);
		return n < size ? 0 : -ENAMETOOLONG;
	}
	if (!localtime_r(&t, &tm))
		return -ERANGE;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = strftime(stem, size, r->pattern, &tm);	/* the user's own words, as with tcpdump */
#pragma GCC diagnostic pop
	return n ? 0 : -ENAMETOOLONG;
}

/* The number that goes with the stem; see the table in rotate.h. */
static unsigned int next_count(const struct rotate *r, const char *stem)
{
	unsigned int n = r->count + 1;

	if (!r->seq || strcmp(stem, r->stem))
		return 0;
	if (r->opt.numbers)
		return r->opt.max_files && n >= r->opt.max_files ? 0 : n;
	return r->has_time ? n : 0;
}

/* Nobody but root or us could have put a symbolic link here. */
static bool dir_trusted(int dir)
{
	struct stat st;

	return !fstat(dir, &st) && (!st.st_uid || st.st_uid == geteuid()) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/*
 * The directory that the file is in: r->dir, or below it where there is a slash after a time.  No link that
 * somebody may have put there leads out of it.
 */
static int open_folder(const struct rotate *r, const char *path, const char **file)
{
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC, fd = openat(r->dir, ".", flags);
	char part[NAME_MAX + 1];
	size_t n;

	while (fd >= 0 && path[n = strcspn(path, "/")]) {
		owned_fd int up = fd;

		fd = -1;
		errno = ENAMETOOLONG;
		if (n < sizeof(part)) {
			memcpy(part, path, n);
			part[n] = '\0';
			fd = openat(up, n ? part : ".", flags | (dir_trusted(up) ? 0 : O_NOFOLLOW));
		}
		path += n + 1;
	}
	*file = path;
	return fd < 0 ? -errno : fd;
}

/* A FIFO is waited for at the start only: what holds the hooks must not sleep there. */
static int open_name(const struct rotate *r, int dir, const char *file)
{
	bool waits = !r->opt.numbers && !r->opt.by_time && !r->seq;
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (waits ? 0 : O_NONBLOCK);
	int fd = openat(dir, file, flags | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == ELOOP && dir_trusted(dir))
		fd = openat(dir, file, flags, 0600);		/* /dev/stdout, say */
	return fd < 0 ? -errno : fd;
}

/*
 * Others may write to the directory: they may have made the file beforehand, to
 * read it later, or as a second name of one that is ours.  A file we have just
 * made passes.
 */
static bool planted(const struct rotate *r, int dir, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || dir_trusted(dir))
		return false;
	return (st->st_uid != geteuid() && st->st_uid != r->opt.uid) || st->st_nlink != 1;
}

static bool is_last(const struct rotate *r, const struct stat *st)
{
	return st->st_ino == r->last.st_ino && st->st_dev == r->last.st_dev;
}

/* Look at what was opened, only then empty it. */
static int take_over(const struct rotate *r, bool again, int dir, int fd, struct stat *st, const char *shown)
{
	bool rotates = r->opt.numbers || r->opt.by_time;

	if (fstat(fd, st))
		return fail(errno, "%s", shown);
	if (rotates && !S_ISREG(st->st_mode))
		return fail(0, "%s: %s", shown, not_regular);
	if (planted(r, dir, st)) {
		fail(0, "%s: %s, in a directory that others may write to; remove it first", shown,
		     st->st_nlink != 1 ? "has a second name" : "belongs to somebody else");
		return -EPERM;
	}
	if (!S_ISREG(st->st_mode))
		return 0;
	if (r->opt.reads && st->st_dev == r->opt.read_dev && st->st_ino == r->opt.read_ino)
		return fail(0, "%s: is the file that is being read", shown);
	if (again && is_last(r, st))
		return -EEXIST;
	if (st->st_size && ftruncate(fd, 0))
		return fail(errno, "%s", shown);
	if (((r->opt.uid != UINT32_MAX && r->opt.uid != st->st_uid) ||
	     (r->opt.gid != UINT32_MAX && r->opt.gid != st->st_gid)) &&
	    fchown(fd, r->opt.uid, r->opt.gid))
		return fail(errno, "%s: cannot give it to uid %u", shown, r->opt.uid);
	return 0;
}

/* "stem" or "stem7" or "stem07". */
static int make_path(const struct rotate *r, char *path, const char *stem, unsigned int count)
{
	int n;

	if (count || r->width)
		n = snprintf(path, PATH_MAX, "%s%0*u", stem, (int)r->width, count);
	else
		n = snprintf(path, PATH_MAX, "%s", stem);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Open it, under the name that is shown; the series stands where it stood. */
static int open_file(struct rotate *r, const char *path, bool again, const char *name)
{
	owned_fd int fd = -1, dir;
	const char *file;
	struct stat st;
	int err;

	dir = open_folder(r, path, &file);
	if (dir < 0)
		return fail(dir, "%s", name);
	if (again && !fstatat(dir, file, &st, 0) && is_last(r, &st))
		return -EEXIST;
	fd = open_name(r, dir, file);
	if (fd == -ELOOP) {
		fail(0, "%s: a symbolic link; name the file it points to", name);
		return -ELOOP;
	}
	if (fd == -ENXIO)	/* a FIFO */
		return fail(0, "%s: %s", name, r->opt.numbers || r->opt.by_time ? not_regular : not_read);
	if (fd < 0)
		return fail(fd, "%s", name);
	err = take_over(r, again, dir, fd, &st, name);
	if (err)
		return err;
	r->last = st;
	if (r->last_fd >= 0)
		close(r->last_fd);
	r->last_fd = r->opt.max_bytes ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
	return take_fd(fd);
}

static uint64_t not_later_than_now(uint64_t time_ns)
{
	struct timespec now;
	uint64_t now_ns;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return time_ns > now_ns ? now_ns : time_ns;
}

/* Is it time for the next file?  Starts the next period when it is that. */
static bool is_due(struct rotate *r, uint64_t time_ns)
{
	const struct rotate_options *o = &r->opt;
	/* Who asks counts from the first record, this from the opening of the file. */
	uint64_t slack = o->period_ns / 2 < SLACK_NS ? o->period_ns / 2 : SLACK_NS;
	struct stat st;

	if (!r->seq || (o->period_ns && time_ns + slack >= r->period_start_ns + o->period_ns)) {
		r->period_start_ns = time_ns;
		return true;
	}
	return o->max_bytes && !fstat(r->last_fd, &st) && (uint64_t)st.st_size >= o->max_bytes;
}

static int open_again(struct rotate *r, char *name, size_t size)
{
	char path[PATH_MAX];
	int err = make_path(r, path, r->stem, r->count);

	if (err)
		return err;
	snprintf(name, size, "%s%s", r->where, path);
	return open_file(r, path, true, name);
}

int rotate_next(struct rotate *r, unsigned int seq, uint64_t time_ns, char *name, size_t size)
{
	char stem[PATH_MAX], path[PATH_MAX];
	bool series = r->opt.numbers || r->opt.by_time;
	unsigned int count;
	int err, fd;

	if (seq == ROTATE_AGAIN && r->seq)
		return open_again(r, name, size);
	if (seq != r->seq)
		return -EPROTO;
	if (r->opt.by_time && !r->opt.numbers && r->opt.max_files && seq >= r->opt.max_files)
		return -ERANGE;
	if (r->opt.live)
		time_ns = not_later_than_now(time_ns);
	if (time_ns < r->last_ns)
		time_ns = r->last_ns;
	if (r->opt.live && !is_due(r, time_ns))
		return -EPROTO;
	err = make_stem(r, time_ns, stem, sizeof(stem));
	count = err ? 0 : next_count(r, stem);
	if (!err)
		err = make_path(r, path, stem, count);
	if (err)
		return fail(err, "%s%s", r->where, r->pattern);
	snprintf(name, size, "%s%s", r->where, path);
	fd = open_file(r, path, !series && seq, name);
	if (fd < 0)
		return fd;
	r->last_ns = time_ns;
	r->count = count;
	r->seq++;
	memcpy(r->stem, stem, strlen(stem) + 1);
	return fd;
}
