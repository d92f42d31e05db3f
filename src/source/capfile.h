/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_CAPFILE_H
#define NETPROBE_SOURCE_CAPFILE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "source/source.h"

/*
 * Between capfile.c, which brings bytes, and pcap.c and pcapng.c, which read
 * them: a window that slides over the (unzipped) file.  A reader asks for n
 * bytes at `pos`, looks at them in place and moves `pos` on only when a whole
 * record is there, so a pipe that has no more for now is tried again later from
 * the same byte.
 */
enum {
	/* The largest frame Linux makes is a BIG TCP super-packet: 512 KiB of payload and its
	 * headers.  A record that claims more is damage. */
	CAPFILE_FRAME_MAX = 576 << 10,
	CAPFILE_BLOCK_MAX = 16 << 20,
	CAPFILE_IFACES_MAX = 1 << 16,
	CAPFILE_WINDOW = 256 << 10,
};

struct capfile;
struct unzip;

struct capfile_format {
	bool one_link;				/* the head tells the link type of all frames */
	/* Do these four bytes begin such a file? */
	bool (*mine)(const uint8_t *magic);
	/* The magic number has been seen.  0, -EAGAIN (try again) or -errno. */
	int (*start)(struct capfile *c);
	/* 1: *f filled but for `number`; 0: something else was read over; -ENODATA: the end;
	 * -EAGAIN: nothing for now; else said with fail(). */
	int (*next)(struct capfile *c, struct frame *f);
	/* The interface number i of those told so far; NULL: there are no more. */
	const struct iface *(*iface)(const struct capfile *c, unsigned int i);
	void (*stop)(struct capfile *c);
};

struct capfile {
	struct source base;
	const struct capfile_format *format;	/* NULL: not known yet */
	void *state;				/* the format's own */
	char *name;				/* for messages */
	int fd;
	bool regular, eof;
	bool hungry;				/* waits for fd: the window has no whole record */
	int error;				/* what every further read() returns */
	struct unzip *unzip;			/* NULL: plain bytes */
	bool held;				/* `first` was looked at ahead, and is the next to hand over */
	struct frame first;

	uint8_t *buf;
	size_t pos, end, cap;
	uint64_t before;			/* bytes of the file before buf[0] */

	struct source_counts counts;
};

/* Takes over fd.  `window` bytes are asked for at a time; it grows for longer records. */
int capfile_from(struct source **out, int fd, const char *name, size_t window);

/* What the slow half of capfile_need() does. */
int capfile_fill(struct capfile *c, size_t n);

/*
 * Have n bytes at pos.  0; -ENODATA when the file ends before (there may be some,
 * but not n); -EAGAIN when they are not there yet; another -errno, said.
 * Pointers into the window are stale afterwards.
 */
static inline int capfile_need(struct capfile *c, size_t n)
{
	return c->end - c->pos >= n ? 0 : capfile_fill(c, n);
}

/* What a record that did not come whole means: passes -EAGAIN and -errno on, returns -ENODATA
 * at a clean end, and says so when the file stops inside `what`. */
int capfile_short(struct capfile *c, int rc, const char *what);
/* "NAME: <what is wrong>, at byte N, after M frames".  Returns -EBADMSG: the frames
 * before it are good, and handed over. */
int capfile_bad(const struct capfile *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

extern const struct capfile_format capfile_pcap, capfile_pcapng;

#endif
