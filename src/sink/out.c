// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/err.h"

enum {
	OUT_BUF_MAX = 16 << 20,
	PIPE_PIECE = 4096,		/* pipe(7): writable means room for PIPE_BUF bytes */
	TTY_PIECE = 1,			/* a terminal does not say how much room */
	PIPE_FS = 0x50495045,		/* PIPEFS_MAGIC of linux/magic.h */
};

static void look_at(struct out *o)
{
	struct stat st = { 0 };
	int flags = fcntl(o->fd, F_GETFL);

	fstat(o->fd, &st);
	o->regular = S_ISREG(st.st_mode);
	o->socket = S_ISSOCK(st.st_mode);
	o->tty = S_ISCHR(st.st_mode) && isatty(o->fd);
	o->blocks = (S_ISFIFO(st.st_mode) || o->tty) && !(flags & O_NONBLOCK);
}

/*
 * A write to a full pipe or terminal sleeps where no signal descriptor can wake it.
 * Opened again through /proc it is ours to make non-blocking without doing so to
 * whoever shares standard output.  Where that cannot be, put_some() is careful.
 */
static void unblock(struct out *o)
{
	char path[32];
	struct stat st;
	int fd;

	/* The other end of a terminal would be another terminal: 5:2 is /dev/ptmx. */
	if (!o->blocks || fstat(o->fd, &st) || (o->tty && st.st_rdev == makedev(5, 2)))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Under the old number: standard output's must not fall to the next file opened. */
	dup3(fd, o->fd, o->fd > STDERR_FILENO ? O_CLOEXEC : 0);
	close(fd);
	o->blocks = false;
}

int out_open(struct out **out, int fd, const char *name)
{
	struct out *o = calloc(1, sizeof(*o));
	struct statfs fs;

	if (!o) {
		close(fd);
		return fail(ENOMEM, "%s", name);
	}
	o->fd = fd;
	o->wake_fd = -1;
	o->buf.max = OUT_BUF_MAX;
	snprintf(o->name, sizeof(o->name), "%s", name);
	look_at(o);
	unblock(o);
	o->pipe = !fstatfs(o->fd, &fs) && fs.f_type == PIPE_FS;
	*out = o;
	return 0;
}

static void count_written(struct out *o, size_t done)
{
	for (unsigned int i = 0; i < o->n_ends && (o->ends[i] & ~OUT_NOT_RECORD) <= done; i++)
		o->written += !(o->ends[i] & OUT_NOT_RECORD);
}

/*
 * Of the batch, `done` bytes were written when it failed.  Cut the file back to
 * the last whole record and count the others as lost.  The file is left alone
 * where it does not end with what we wrote: someone else appended to it, or it
 * was opened to be written over.
 */
static void keep_whole_records(struct out *o, size_t done)
{
	size_t whole = 0, end;
	struct stat st;
	unsigned int i;
	off_t at;

	for (i = 0; i < o->n_ends; i++) {
		end = o->ends[i] & ~OUT_NOT_RECORD;
		if (end <= done)
			whole = end;
		else if (!(o->ends[i] & OUT_NOT_RECORD) && !o->closed)
			o->lost++;
	}
	count_written(o, whole);
	o->file_bytes += whole;
	if (!o->regular || done == whole)
		return;
	at = lseek(o->fd, 0, SEEK_CUR);
	if (at < (off_t)done || fstat(o->fd, &st) || st.st_size != at)
		return;
	at -= (off_t)(done - whole);
	if (ftruncate(o->fd, at) || lseek(o->fd, at, SEEK_SET) != at)
		warn("%s: ends in the middle of a record", o->name);
}

/* Until the reader takes more.  0, or -ETIMEDOUT when we are to end and it does not. */
static int wait_for_reader(struct out *o)
{
	struct pollfd p[2] = { { .fd = o->fd, .events = POLLOUT },
			       { .fd = o->hurry ? -1 : o->wake_fd, .events = POLLIN } };
	int n = poll(p, 2, o->hurry ? OUT_HURRY_MS : -1);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (!n)
		return -ETIMEDOUT;
	if (p[1].revents)
		o->hurry = !o->wake || o->wake(o->wake_ctx);
	return 0;
}

/* Is there room for a piece of it now?  Closed and gone count as room: the write then says so. */
static bool has_room(const struct out *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	return poll(&p, 1, 0) > 0;
}

/* As write(2), but it does not sleep: -1 and EAGAIN. */
static ssize_t put_some(struct out *o, const char *p, size_t n)
{
	size_t piece = o->tty ? TTY_PIECE : PIPE_PIECE;

	if (o->socket)
		return send(o->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!o->blocks)
		return write(o->fd, p, n);
	if (has_room(o))
		return write(o->fd, p, n < piece ? n : piece);
	errno = EAGAIN;
	return -1;
}

/* Returns the bytes written; what stopped it in *err, 0 when all are. */
static size_t write_all(struct out *o, const char *p, size_t n, int *err)
{
	size_t done = 0;
	ssize_t got;

	*err = 0;
	while (done < n && !*err) {
		got = put_some(o, p + done, n - done);
		if (got > 0)
			done += (size_t)got;
		else if (got < 0 && errno == EAGAIN)
			*err = wait_for_reader(o);
		else if (got == 0 || errno != EINTR)
			*err = got ? -errno : -EIO;
	}
	return done;
}

int out_flush(struct out *o)
{
	size_t n = o->committed, rest, done;
	int err;

	if (o->error)
		return o->error;
	if (!n || o->closed)
		return o->closed;
	done = write_all(o, o->buf.p, n, &err);
	o->closed = err == -EPIPE;
	if (!err) {
		o->file_bytes += n;
		count_written(o, n);
	} else {
		keep_whole_records(o, done);
	}
	rest = o->buf.n - n;
	memmove(o->buf.p, o->buf.p + n, rest);
	o->buf.n = rest;
	o->committed = 0;
	o->n_ends = 0;
	if (!err || o->closed)
		return o->closed;
	if (err == -ETIMEDOUT)
		o->error = fail(0, "%s: the reader takes nothing, gave up on it: %llu records are not written",
				o->name, (unsigned long long)o->lost);
	else
		o->error = fail(err, "%s", o->name);
	return o->error;
}

void out_abandon(struct out *o)
{
	o->buf.n = o->committed;
	o->buf.full = false;
}

/*
 * The record does not fit in memory: it is left out and counted, for what one
 * packet holds must not end the tool.  Without its head a file is worth nothing.
 */
static int leave_out(struct out *o)
{
	out_abandon(o);
	if (o->framing) {
		o->error = fail(ENOMEM, "%s", o->name);
		return o->error;
	}
	if (!o->left_out)
		warn("%s: a record too large to write was left out", o->name);
	o->left_out = true;
	o->lost++;
	return 0;
}

int out_commit(struct out *o)
{
	o->records += !o->framing;
	if (o->closed)
		return 1;
	if (o->error) {
		o->lost += !o->framing;
		return o->error;
	}
	if (o->buf.full)
		return leave_out(o);
	o->committed = o->buf.n;
	o->file_records += !o->framing;
	o->ends[o->n_ends++] = (uint32_t)o->committed | (o->framing ? OUT_NOT_RECORD : 0);
	if (o->tty || o->committed >= OUT_BATCH || o->n_ends == OUT_ENDS)
		return out_flush(o);
	return 0;
}

static int frame_file(struct out *o, int (*fn)(void *ctx))
{
	int rc;

	if (!fn)
		return 0;
	o->framing = true;
	rc = fn(o->head_ctx);
	o->framing = false;
	return rc;
}

int out_head(struct out *o)
{
	return frame_file(o, o->head);
}

int out_tail(struct out *o)
{
	return frame_file(o, o->tail);
}

/* Some file systems say only now that there was no room. */
static int close_file(struct out *o)
{
	int fd = take_fd(o->fd);

	if (fd >= 0 && close(fd) && errno != EINTR && !o->error)
		o->error = fail(errno, "%s", o->name);
	return o->error;
}

static int use_file(struct out *o, int fd, const char *name)
{
	if (name != o->name)
		snprintf(o->name, sizeof(o->name), "%s", name);
	o->fd = fd;
	o->file_bytes = 0;
	o->file_records = 0;
	o->pipe = false;
	look_at(o);
	return out_head(o);
}

static int open_next(struct out *o, uint64_t time_ns)
{
	int rc = out_tail(o);

	if (!rc)
		rc = out_flush(o);
	if (!rc)
		rc = close_file(o);
	if (rc)
		return rc;
	rc = o->next(o->next_ctx, o->seq, time_ns, o->name, sizeof(o->name));
	if (rc < 0) {
		o->error = rc;
		return rc;
	}
	return use_file(o, rc, o->name);
}

static int series_ended(struct out *o)
{
	if (!o->ended)
		note("%s: the last of %u file%s is complete (-W %u)", o->name, o->max_files,
		     o->max_files == 1 ? "" : "s", o->max_files);
	o->ended = true;
	return 1;
}

/*
 * tcpdump's rules.  -G: before the first record at or after the period's end,
 * and the new period starts with that record; -W ends the series there unless
 * -C makes it a ring.  -C: before a record, when the file is already larger.
 */
static int rotate_if_due(struct out *o, uint64_t time_ns)
{
	bool by_time, by_size;

	if (o->ended)
		return 1;
	if (!o->period_start_ns)
		o->period_start_ns = time_ns;
	by_time = o->period_ns && time_ns > o->period_start_ns &&
		  time_ns - o->period_start_ns >= o->period_ns;
	by_size = o->max_bytes && o->file_records && o->file_bytes + o->committed > o->max_bytes;
	if (!by_time && !by_size)
		return 0;
	if (by_time) {
		o->period_start_ns = time_ns;
		if (!o->max_bytes && o->max_files && o->seq + 1 >= o->max_files)
			return series_ended(o);
	}
	if (by_time && o->max_bytes)
		o->seq = 0;
	else if (o->max_bytes && o->max_files && o->seq + 1 >= o->max_files)
		o->seq = 0;
	else
		o->seq++;
	return open_next(o, time_ns);
}

int out_begin(struct out *o, uint64_t time_ns)
{
	if (o->error)
		return o->error;
	if (o->closed)
		return 1;
	out_abandon(o);
	/* A head or tail being written by open_next() may begin records of its own. */
	if (!o->next || o->framing)
		return 0;
	return rotate_if_due(o, time_ns);
}

int out_reopen(struct out *o)
{
	char name[sizeof(o->name)];
	int rc = out_flush(o), fd;

	if (!o->next || rc)
		return rc;
	fd = o->next(o->next_ctx, OUT_AGAIN, 0, name, sizeof(name));
	if (fd < 0) {
		if (fd != -EEXIST)
			warn("%s: the file that was moved away is written on", o->name);
		return 0;
	}
	out_abandon(o);
	rc = out_tail(o);
	if (!rc)
		rc = out_flush(o);
	if (!rc)
		rc = close_file(o);
	if (rc) {
		close(fd);
		return rc;
	}
	return use_file(o, fd, name);
}

int out_gone(struct out *o)
{
	struct pollfd p = { .fd = o->fd };

	if (o->error || o->closed || !(o->tty || o->pipe) || poll(&p, 1, 0) <= 0 || !(p.revents & (POLLHUP | POLLERR)))
		return o->error ? o->error : o->closed;
	o->closed = o->pipe;
	if (!o->closed)
		o->error = fail(EIO, "%s", o->name);
	return o->closed ? 1 : o->error;
}

int out_close(struct out *o)
{
	int rc, close_rc;

	if (!o)
		return 0;
	rc = out_flush(o);
	close_rc = close_file(o);
	buf_free(&o->buf);
	free(o);
	return close_rc ? close_rc : rc;
}
