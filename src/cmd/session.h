/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_SESSION_H
#define NETPROBE_CMD_SESSION_H

#include "cmd/cmd.h"
#include "cmd/output.h"
#include "kern/capture.h"
#include "pipeline.h"
#include "source/source.h"

/*
 * What commands run in.  The shapes:
 *
 *   stream     frames from interfaces or a capture file, through a pipeline, to sinks, until ^C or the end:
 *              session_defaults(), session_check(), stages into `pipe`, session_run().
 *   one-shot   keeps its privileges, and so parses nothing from the wire: session_netns() and its own work.
 *   batch      opens everything, gives up its privileges, then reads: batch_confine(), batch_read().
 */

/* Bytes of a frame. */
enum {
	SNAPLEN_HEADERS = 192,	/* Ethernet, tags, IPv6 with an extension header, TCP with all its options */
	SNAPLEN_COUNTING = 256,	/* headers, tags and the headers of a tunnel */
};

/* A key that orders rows. */
struct session_sort {
	char key;
	enum account_sort sort;
	const char *name;
	const char *help;		/* with the key */
};

/*
 * Who counts: programs of the kernel, for this run or, from before it, those that `attach add` left, whose counts are
 * there at once.  Where the kernel cannot (no tcx, other link types) packets come here and are counted here.
 */
enum session_counts { COUNTS_HERE, COUNTS_OF_RUN, COUNTS_KEPT };

/* What a command asks for.  Must outlive the session. */
struct session_options {
	const struct globals *g;
	struct strs iface;		/* live; none: any */
	const char *read;		/* a capture file in place of interfaces; NULL: none */
	const char *user;		/* -Z */
	const char *filter_file;	/* in place of words; NULL: none */
	bool wait;			/* for interfaces that are not there */
	enum session_counts counts;	/* live, where there is no filter: packets need not come here to be counted */
	/* Descriptors that the helper must not hold: who listens at their other end is to see that we are gone. */
	const int *private_fds;
	unsigned int n_private_fds;
	bool blocks;			/* live: what firewalls of ours stop or take note of, as frames */
	const char *until;		/* said when ^C alone ends it; NULL: nothing */
	struct capture_options capture;	/* live; filter and debug are the session's to fill */
	struct output_options output;
	/* Of a screen: keys that order rows, ended by one without; the order at the start; how many rows, 0: as many
	 * as there are lines. */
	const struct session_sort *sorts;
	enum account_sort sort;
	uint32_t top;
};

struct live;

struct session {
	const struct session_options *o;
	struct pipeline pipe;		/* the command puts its stages in before, and closes them after */
	struct output out;
	char *filter_text;		/* NULL: none */
	struct source *source;
	struct live *live;		/* NULL: a file is read */
	struct helper *helper;		/* opens further files, holds the hooks; NULL: not needed */
	int signals;
	bool opened;			/* the source was */
	bool many_interfaces;
	bool stopping;			/* a signal, or the end of what was to be seen */
	bool reopen;			/* SIGHUP came while something was being written */
	bool resized, stopped, continued;	/* of a screen: SIGWINCH, SIGTSTP, SIGCONT came */
	int mute_from, mute_to;		/* packet sockets: struct priv_drop */
	uint32_t uid, gid;		/* whom to become */
	bool change_user;
};

/* Interfaces, both directions, packets; records on standard output. */
void session_defaults(struct session_options *o, const struct globals *g);
/* Live: of what no decoder of these datasets looks into, only the headers are to be shipped. */
void session_ship_headers(struct session_options *o, uint64_t kinds, const struct decode_as *as, uint32_t n);
/* argv: the filter.  EXIT_DONE or EXIT_USAGE (said). */
int session_check(struct session *s, const struct session_options *o, int argc, char **argv);
/* All of it: open, give up privileges, read to the end, tell, close.  An exit status. */
int session_run(struct session *s);
/* [INTERVAL [COUNT]], which stand before the filter: they are numbers, and no filter is one.  How many words they are;
 * negative, said, when they are none.  `read`: by the time of packets. */
int session_times(struct pipeline *p, bool read, int argc, char **argv);
void session_free(struct session *s);	/* what session_check() made */

/* --netns: enter it.  Where its word may be "any" (not NULL), *any tells whether it is.  An exit status. */
int session_netns(const struct globals *g, bool *any);
/* Of a network namespace, by what session_netns() learnt; "net:[INODE]" without one.  Good until the next call. */
const char *netns_name(void *unused, uint32_t inode);
/* For hash tables. */
uint32_t session_seed(void);

/* Become nobody and give everything up: afterwards only what is open can be read and written. */
int batch_confine(void);
/* A capture file to its end.  0, what fn returned, or a negative errno, said. */
int batch_read(struct source *s, frame_fn fn, void *ctx);

#endif
