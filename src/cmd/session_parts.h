/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_SESSION_PARTS_H
#define NETPROBE_CMD_SESSION_PARTS_H

#include "cmd/session.h"
#include "priv/priv.h"

/* What the files of the session share. */

/* session.c: block the signals and take them from a descriptor: ^C and SIGTERM end the reading, SIGUSR1 tells the
 * counts, SIGHUP reopens or ends what is live. */
int session_open_signals(struct session *s);
/* Also called in the middle of a record, when its reader takes nothing: true when we are to end. */
bool session_take_signals(void *session);
/* Start the helper; it closes the n descriptors of `fds` (which has room for HELPER_FDS more) and ours. */
enum { HELPER_FDS = 1 + PIPELINE_SINKS_MAX };
int session_help(struct session *s, struct helper_options *ho, int *fds, unsigned int n);
int session_open_outputs(struct session *s);
/* Give up privileges, before the first byte of a packet is parsed. */
int session_confine(struct session *s);

/* session_filter.c: words or a file become filter_text; negative, and said, when it is none. */
int session_filter(struct session *s, int argc, char **argv);

/* session_file.c, session_live.c: open, read to the end.  0 or a negative errno, said. */
int file_run(struct session *s);
int live_run(struct session *s);
bool live_began(const struct session *s);
void live_close(struct live *l);
bool session_in_kernel(const struct session *s);	/* packets are counted there, and none comes here */

/* session_screen.c: tables that are drawn over one another, and keys.  Each does nothing where there is no screen. */
bool screen_signal(struct session *s, int sig);		/* is it one of the screen's?  For screen_events() */
bool screen_has_events(const struct session *s);
int screen_begin(struct live *l);
int screen_tick(struct live *l);			/* once a second */
int screen_events(struct live *l);
int screen_keys(struct live *l, uint32_t events);	/* of epoll(7) on standard input */
void screen_end(struct session *s);			/* after output_finish() */

/* session_report.c.  All that was lost, of every kind, for --fail-on-loss: told by lost records, not delivered, or
 * lost before the file that is read was written.  After output_finish(). */
uint64_t session_lost(const struct session *s);
/* tcpdump's three lines and the ledger, on standard error. */
void session_trailer(struct session *s);
/* Packets that the filter meant nothing for. */
void session_tell_left_out(const struct session *s);
void session_ledger(struct session *s);

#endif
