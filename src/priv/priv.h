/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PRIV_PRIV_H
#define NETPROBE_PRIV_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/capture.h"
#include "kern/link.h"
#include "util/terminal.h"

/*
 * Two processes.  The reader (the one the user started) parses what came from
 * the wire: before the first byte it gives up uid, capabilities, new privileges,
 * the file system and most system calls.  The helper, its child, keeps the
 * privileges and the links, attaches to interfaces that appear, opens the next
 * file of a rotation, and parses nothing from the wire.  They talk over a
 * SOCK_SEQPACKET pair in fixed-size messages; when either end closes, the other ends.
 *
 * The order: capture_open() - map the ring and the ledgers - open inputs, outputs,
 * epoll, signalfd and timers - rotate_next(0) - helper_start() - capture_close() and
 * rotate_close() in the reader - priv_drop() - only then read the first event.
 */

/* ── fds.c: descriptors that we did not open ──────────────────────────────── */
/* First of all: 0 to 2 are open, so that nothing opened later becomes standard output (a closed one reads and writes
 * with an error, as before); what else came along from whoever started us is remembered. */
void priv_fds_begin(void);
/* Close what came along.  When what the command line may name (/dev/fd/63) has been opened. */
void priv_fds_end(void);

/* ── drop.c: what the reader gives up ─────────────────────────────────────── */
/* What the reader may write to and send on. */
struct reader_fds {
	int ask;		/* the helper's socket: helper_ask_fd(); -1: no helper */
	int out;		/* an output that is a socket; 0: none is */
	int mute_from, mute_to;	/* not these: packet sockets, where what is written goes out on the wire; 0, 0: none */
	bool screen;		/* standard output is a terminal: who is in front of it is asked */
	bool keys;		/* standard input is one as well, whose modes are set and reset */
};

enum { PRIV_NOBODY = 65534 };

struct priv_drop {
	bool change_user;	/* we are root: become uid/gid */
	uint32_t uid, gid;	/* PRIV_NOBODY unless -Z or --user */
	bool must_change;	/* -Z: not being able to become uid is an error, not a skipped step */
	bool writes_files;	/* output descriptors are regular files: ftruncate, fsync */
	struct reader_fds fds;
	char *done;		/* NULL, or room for the word list below */
	unsigned int done_size;
};
/* Give everything up; each step that the kernel cannot do (Landlock before 5.13) is skipped and recorded in
 * `done` as a word list for --debug ("uid=65534 caps nnp rlimits landlock=7 seccomp"; a skipped one is
 * "seccomp:no", and a warning says so); one that it refuses is an error, said. */
int priv_drop(const struct priv_drop *p);
/* "-Z USER": a number, or a name looked up in /etc/passwd by our own reader (no NSS).  Says what failed. */
int priv_user(const char *user, uint32_t *uid, uint32_t *gid);

/* ── sandbox.c: was it refused something it tried? ────────────────────────── */
/* 0, or -ENOSYS when the sandbox refused this process a system call, which is a fault of ours or of a library newer
 * than those we know: said once, by its name.  The call itself got EPERM and the process goes on; whoever runs
 * it asks here and ends the run, for there is no telling what is missing. */
int priv_refused(void);

/* ── watcher.c: a child that reads what its parent may not read any more ──── */
/* What it gives up: its user, where it can read other users' files without being root; all capabilities but reading
 * files and CAP_NET_ADMIN; writing to the file system; more than `file_max` bytes of a file in memory; processes.  It
 * ends when `parent` does.  0 or a negative errno, said. */
int priv_watcher(int parent, uint64_t file_max);

/* ── child.c: a child that keeps privileges, when it begins ──────────────── */
/* Keys and a group's signals are for the parent, which then ends it; stopped (^Z) it would not notice that it was
 * killed. */
void priv_child_signals(void);
/* Of all descriptors these n, which become 3 and up, and standard error stay; standard input and output are
 * /dev/null. */
void priv_child_fds(int *const mine[], int n);
/* Capabilities become those of the needs (util/caps.h), system calls those of the helper; files are not written but in
 * `dir`, -1: nowhere.  0 or a negative errno, said. */
int  priv_keep(unsigned int needs, int dir);

/* ── helper.c ─────────────────────────────────────────────────────────────── */
struct rotate;
struct helper_options {
	struct capture *capture;		/* NULL: rotation only */
	const char *const *patterns;		/* interface names and globs; "any" is "*" */
	unsigned int n_patterns;
	bool dynamic;				/* interfaces may come and go: any, globs, --wait */
	struct rotate *rotate;			/* NULL: no rotation; see priv/rotate.h */
	const struct terminal *terminal;	/* the reader's: mended when it is killed; NULL: it takes none */
	const char *terminal_leave;		/* what is written there then */
	const int *close_fds;			/* the reader's own: outputs, epoll, signalfd, input */
	unsigned int n_close_fds;
};

enum helper_event_type {
	HELPER_ATTACHED,	/* info: now captured, by `rung` */
	HELPER_REFUSED,		/* info could not be attached: err; -ENODEV, ifindex 0: no interface
				 * fits the pattern in info.name (yet, when `dynamic`) */
	HELPER_GONE,		/* a captured interface is gone */
	HELPER_STATE,		/* a captured one is up, down, renamed, of another MTU */
	HELPER_READY,		/* every interface there at the start has been tried */
	HELPER_ENDS,		/* it cannot go on, and has said why: err */
};

struct helper_event {
	enum helper_event_type type;
	int err;
	enum rung rung;
	bool named;			/* the user named it; a glob did not find it */
	struct link_info info;
};

struct helper;
/* Forks.  Returns in the reader only. */
int  helper_start(struct helper **out, const struct helper_options *opt);
int  helper_fd(const struct helper *h);			/* poll for events */
int  helper_ask_fd(const struct helper *h);		/* what questions are sent on; -1 when h is NULL */
/* 1: *ev filled; 0: none now; -EPIPE, said: the helper died (and with it every link). */
int  helper_next(struct helper *h, struct helper_event *ev);
/* Detach everything and wait (at most 2 s) until it is done: afterwards the ledger is final.  Events wait for
 * helper_next().  -ETIMEDOUT or -EPIPE, said. */
int  helper_detach(struct helper *h);
/* The next file of a rotation: an fd, its name; or -errno (said, by the helper if it lives).  Blocks for the answer. */
int  helper_file(struct helper *h, unsigned int seq, uint64_t time_ns, char *name, size_t size);
/* Ask it to end, wait (at most 2 s) until it has.  NULL is fine. */
void helper_stop(struct helper *h);

#endif
