/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PRIV_ROTATE_H
#define NETPROBE_PRIV_ROTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The files of -w, named as tcpdump names them:
 *
 *	-C		file, file1, file2, ...
 *	-C -W 11	file00 ... file10, then file00 again
 *	-G		strftime(file) in local time
 *	-G -C		strftime(file), then with 1, 2, ... until the next period
 *	neither		file
 *
 * Whichever it is, ROTATE_AGAIN (SIGHUP, after log rotation) makes the last one anew where its name leads
 * to it no longer, and never empties the one that is being written.
 *
 * One difference: where tcpdump overwrites the file it has just written because
 * the time in the name is coarser than the period, the name gets a number.  Only
 * a name without any time in it is overwritten each period.
 *
 * The directory is opened once, so a later chdir or rename of it changes nothing.
 * New files are 0600.  In a directory that others may write to (group or all, or
 * it is somebody else's), a file that is not ours or has a second name, and any
 * symbolic link, to a directory too, is refused.
 */
struct rotate_options {
	const char *file;
	bool numbers;			/* -C */
	bool by_time;			/* -G */
	unsigned int max_files;		/* -W; 0: no limit */
	uint32_t uid, gid;		/* owner of the files; UINT32_MAX: leave it */
	bool reads;			/* this one is being read: it is none to write */
	uint64_t read_dev, read_ino;
	bool live;			/* time_ns is the clock's, or a little before; then these are looked at: */
	uint64_t max_bytes, period_ns;	/* of -C and -G; 0: not given */
};

struct rotate;

#define ROTATE_AGAIN UINT32_MAX

/* Opens the directory.  Says what failed. */
int  rotate_open(struct rotate **out, const struct rotate_options *opt);
/*
 * Open file number `seq`: 0, 1, 2, ..., each once; anything else is -EPROTO, and with -G and
 * -W alone number max_files is -ERANGE.  time_ns: wall clock, ns since 1970, of the record
 * that starts the file; time does not run back.  Fills in the name; returns a
 * descriptor or, said, -errno.  ROTATE_AGAIN, or the next number without rotation: the last one
 * again; -EEXIST, not said, when it was not moved away.
 * Who asks may have been taken over by what it reads: live, a file that is neither full nor of a
 * past period is not followed by another (-EPROTO), and a time in the future becomes now.
 */
int  rotate_next(struct rotate *r, unsigned int seq, uint64_t time_ns, char *name, size_t size);
/* The directory, O_PATH, for a Landlock rule. */
int  rotate_dir(const struct rotate *r);
void rotate_close(struct rotate *r);

#endif
