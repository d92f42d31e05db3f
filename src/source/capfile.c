// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/capfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "source/linkhead.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { FIRST_READ = 4096, UNZIP_INPUT = 64 << 10, PEEK_WORK = 4096 };

/* RFC 1952.  Members may follow one another; zeros after the last are padding. */
struct unzip {
	z_stream z;
	bool between;			/* after a member, before the next */
	uint8_t in[UNZIP_INPUT];
};

int capfile_bad(const struct capfile *c, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	fail(0, "%s: %s, at byte %" PRIu64 "%s, after %" PRIu64 " good frame%s", c->name, what,
	     c->before + c->pos, c->unzip ? " (unzipped)" : "", c->counts.emitted,
	     c->counts.emitted == 1 ? "" : "s");
	return -EBADMSG;
}

int capfile_short(struct capfile *c, int rc, const char *what)
{
	if (rc != -ENODATA || c->pos == c->end)
		return rc;
	return capfile_bad(c, "the file ends inside %s", what);
}

/* read(2), never waiting.  > 0 bytes, 0 at the end, -EAGAIN or -errno. */
static ssize_t read_some(struct capfile *c, void *p, size_t n)
{
	struct pollfd ready = { .fd = c->fd, .events = POLLIN };
	ssize_t got;

	/* O_NONBLOCK would change the pipe for whoever shares it with us. */
	if (!c->regular && poll(&ready, 1, 0) == 0)
		return -EAGAIN;
	do {
		got = read(c->fd, p, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return -EAGAIN;
	return got < 0 ? fail(errno, "%s", c->name) : got;
}

/* Compressed bytes for zlib: 1 there are some, 0 the end, -errno. */
static int unzip_feed(struct capfile *c, struct unzip *u)
{
	ssize_t got;

	while (u->between && u->z.avail_in && !*u->z.next_in) {
		u->z.next_in++;
		u->z.avail_in--;
	}
	if (u->z.avail_in)
		return 1;
	got = read_some(c, u->in, sizeof(u->in));
	if (got < 0)
		return (int)got;
	if (!got)
		return u->between ? 0 : capfile_bad(c, "the gzip data end early");
	u->z.next_in = u->in;
	u->z.avail_in = (unsigned int)got;
	return 1;
}

/* As read_some(), unzipped.  What came out before damage is handed over before the damage is said. */
static ssize_t unzip_some(struct capfile *c, void *p, size_t n)
{
	struct unzip *u = c->unzip;
	int rc;

	u->z.next_out = p;
	u->z.avail_out = (unsigned int)n;
	while (u->z.avail_out == n) {
		rc = unzip_feed(c, u);
		if (rc <= 0)
			return rc;
		if (u->between && *u->z.next_in) {
			inflateReset(&u->z);
			u->between = false;
		}
		if (u->between)
			continue;
		rc = inflate(&u->z, Z_NO_FLUSH);
		u->between = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END && u->z.avail_out == n)
			return capfile_bad(c, "damaged gzip data (%s)", u->z.msg ? u->z.msg : "no progress");
	}
	return (ssize_t)(n - u->z.avail_out);
}

/* Move what is left to the front and make the window at least n bytes. */
static int window_room(struct capfile *c, size_t n)
{
	size_t cap = c->cap;
	uint8_t *p;

	if (c->pos) {
		memmove(c->buf, c->buf + c->pos, c->end - c->pos);
		c->before += c->pos;
		c->end -= c->pos;
		c->pos = 0;
	}
	if (cap >= n)
		return 0;
	while (cap < n)
		cap *= 2;
	p = realloc(c->buf, cap);
	if (!p)
		return fail(ENOMEM, "%s", c->name);
	c->buf = p;
	c->cap = cap;
	return 0;
}

int capfile_fill(struct capfile *c, size_t n)
{
	size_t room;
	ssize_t got;
	int rc = c->eof ? 0 : window_room(c, n);

	if (rc)
		return rc;
	while (c->end - c->pos < n) {
		if (c->eof)
			return -ENODATA;
		room = c->cap - c->end;
		/* Until it is known whether zlib must have them, no more than it can take. */
		if (!c->format && room > FIRST_READ)
			room = FIRST_READ;
		if (c->unzip)
			got = unzip_some(c, c->buf + c->end, room);
		else
			got = read_some(c, c->buf + c->end, room);
		if (got < 0)
			return (int)got;
		c->end += (size_t)got;
		c->eof = !got;
	}
	return 0;
}

/* What was read so far turns out to be gzip: it becomes zlib's input. */
static int unzip_start(struct capfile *c)
{
	owned_mem struct unzip *u = calloc(1, sizeof(*u));
	size_t n = c->end - c->pos;

	if (!u)
		return fail(ENOMEM, "%s", c->name);
	memcpy(u->in, c->buf + c->pos, n);
	u->z.next_in = u->in;
	u->z.avail_in = (unsigned int)n;
	if (inflateInit2(&u->z, 15 + 16) != Z_OK)	/* 16: gzip, not zlib, wrapping */
		return fail(ENOMEM, "%s", c->name);
	c->pos = c->end = 0;
	c->unzip = take(u);
	return 0;
}

static const struct {
	const char *magic;
	uint8_t n;
	const char *hint;
} strangers[] = {
	{ "\x28\xb5\x2f\xfd", 4, "zstd: try zstdcat FILE | netprobe watch -r -" },
	{ "\3757zX", 4, "xz: try xzcat FILE | netprobe watch -r -" },
	{ "\x04\x22\x4d\x18", 4, "lz4: try lz4cat FILE | netprobe watch -r -" },
	{ "BZh", 3, "bzip2: try bzcat FILE | netprobe watch -r -" },
	{ "snoo", 4, "snoop: try editcap -F pcapng FILE NEW" },
	{ "PK\3\4", 4, "a zip archive: unpack it first" },
};

static int not_a_capture(const struct capfile *c, const uint8_t *m)
{
	for (unsigned int i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		if (!memcmp(m, strangers[i].magic, strangers[i].n))
			return fail(0, "%s: not pcap or pcapng but %s", c->name, strangers[i].hint);
	return fail(0, "%s: not a pcap or pcapng file, plain or gzip (it begins with %02x %02x %02x %02x)",
		    c->name, m[0], m[1], m[2], m[3]);
}

static int magic_get(struct capfile *c)
{
	int rc = capfile_need(c, 4);

	if (rc == -ENODATA)
		return fail(0, "%s: %s", c->name, c->end ? "too short for a capture file" : "empty file");
	return rc;
}

/* Which format?  0 once c->format is set and its head is read. */
static int detect(struct capfile *c)
{
	static const struct capfile_format *const formats[] = { &capfile_pcap, &capfile_pcapng };
	const uint8_t *m;
	int rc = magic_get(c);

	if (!rc && !c->unzip && c->buf[c->pos] == 0x1f && c->buf[c->pos + 1] == 0x8b) {
		rc = unzip_start(c);
		if (!rc)
			rc = magic_get(c);
	}
	if (rc)
		return rc;
	m = c->buf + c->pos;
	for (unsigned int i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!formats[i]->mine(m))
			continue;
		rc = formats[i]->start(c);
		if (!rc)
			c->format = formats[i];
		return rc;
	}
	return not_a_capture(c, m);
}

static int step(struct capfile *c, struct frame *f)
{
	int rc = c->error;

	if (c->held) {
		*f = c->first;
		c->held = false;
		return 1;
	}
	if (!rc && !c->format)
		rc = detect(c);
	if (!rc && c->format)
		rc = c->format->next(c, f);
	if (rc > 0)
		linkhead_read(f);
	return rc;
}

static int capfile_read(struct source *s, unsigned int budget, frame_fn fn, void *ctx)
{
	struct capfile *c = (struct capfile *)s;
	unsigned int frames = 0;
	struct frame f;
	int rc = 0;

	/* What is read over counts as work too: a file of nothing else must not hold us here. */
	for (unsigned int work = 0; work < budget; work++) {
		rc = step(c, &f);
		if (rc < 0)
			break;
		if (!rc)
			continue;
		f.number = ++c->counts.emitted;
		frames++;
		s->stop = fn(ctx, &f);
		if (s->stop)
			return SOURCE_STOPPED;
	}
	c->hungry = rc == -EAGAIN;
	if (rc < 0 && !c->hungry)
		c->error = rc;
	return frames || rc >= 0 || c->hungry ? (int)frames : rc;
}

int capfile_peek(struct source *s, struct frame *f)
{
	struct capfile *c = (struct capfile *)s;
	int rc = 0;

	for (unsigned int work = 0; work < PEEK_WORK && !c->held && !rc; work++) {
		rc = step(c, &c->first);
		c->held = rc > 0;
	}
	c->hungry = rc == -EAGAIN;
	if (rc < 0 && !c->hungry)
		c->error = rc;
	if (c->held)
		*f = c->first;
	return c->held ? 1 : rc;
}

void capfile_skip(struct source *s)
{
	struct capfile *c = (struct capfile *)s;

	c->counts.emitted += c->held;
	c->held = false;
}

const struct iface *capfile_iface_at(const struct source *s, unsigned int i, bool *all)
{
	const struct capfile *c = (const struct capfile *)s;

	*all = c->format && (c->format->one_link || c->held);
	return c->format ? c->format->iface(c, i) : NULL;
}

static int capfile_arm(struct source *s)
{
	return !((struct capfile *)s)->hungry;
}

/* What the file says was lost when it was made was seen as well: the ledger adds up. */
static int capfile_counts(struct source *s, struct source_counts *counts)
{
	*counts = ((struct capfile *)s)->counts;
	counts->read = counts->emitted;
	counts->seen = counts->emitted + counts->lost_other;
	return 0;
}

static void capfile_tick(struct source *s)
{
	(void)s;
}

static void capfile_close(struct source *s)
{
	struct capfile *c = (struct capfile *)s;

	if (!c)
		return;
	if (c->format)
		c->format->stop(c);
	if (c->unzip)
		inflateEnd(&c->unzip->z);
	free(c->unzip);
	free(c->buf);
	free(c->name);
	close(c->fd);
	free(c);
}

static const struct source_ops capfile_ops = {
	.name = "file",
	.read = capfile_read,
	.arm = capfile_arm,
	.counts = capfile_counts,
	.tick = capfile_tick,
	.close = capfile_close,
};

int capfile_from(struct source **out, int fd, const char *name, size_t window)
{
	owned_fd int file = fd;
	struct capfile *c;
	struct stat st;

	if (fstat(file, &st))
		return fail(errno, "%s", name);
	if (S_ISDIR(st.st_mode))
		return fail(EISDIR, "%s", name);
	c = calloc(1, sizeof(*c));
	if (!c)
		return fail(ENOMEM, "%s", name);
	c->buf = malloc(window);
	c->name = strdup(name);
	if (!c->buf || !c->name) {
		free(c->buf);
		free(c->name);
		free(c);
		return fail(ENOMEM, "%s", name);
	}
	c->cap = window;
	c->regular = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	if (c->regular)
		posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
	c->base.ops = &capfile_ops;
	c->base.fd = c->regular ? -1 : file;
	c->fd = take_fd(file);
	*out = &c->base;
	return 0;
}

int capfile_open(struct source **out, const char *path)
{
	bool standard = !strcmp(path, "-");
	const char *name = standard ? "standard input" : path;
	int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
			    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return fail(errno, "%s", name);
	return capfile_from(out, fd, name, CAPFILE_WINDOW);
}
