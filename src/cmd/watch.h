/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_WATCH_H
#define NETPROBE_CMD_WATCH_H

#include "cmd/cmd.h"
#include "pipeline.h"
#include "sink/out.h"
#include "source/source.h"
#include "text/line.h"

/* What the user asked of `watch`, as parsed. */
struct watch_opts {
	struct strs iface, decode_as, alert;
	uint64_t count, only_count, buffer, sample, rotate_octets, rotate_ns, rotate_files, answer_timeout_ns;
	const char *snaplen, *write, *read, *direction, *user, *filter_file, *proto, *drops, *btf, *rung, *where;
	const char *postrotate;
	unsigned int hex, hex_ascii, time, dump;
	bool link, ascii, number, absolute_seq, pcapng, packets, inner, strict, plan, list, wait, print;
	bool ignored, show_secrets, alerts, no_promisc, micro;
};

/* One run of `watch`: the parts that live and file sources share. */
struct watch {
	const struct globals *g;
	const struct watch_opts *o;
	char *filter_text;		/* owned; NULL: none */
	uint32_t snaplen;		/* -s; 0: all of it */
	struct source *source;
	struct pipeline pipe;
	struct line_state *lines;
	line_fn line;			/* a line of text for a record, in place of `lines`; NULL: those */
	void *line_ctx;
	struct out *outs[PIPELINE_SINKS_MAX];
	unsigned int n_outs;
	int wake_fd;
	uint16_t columns[64];		/* -o */
	unsigned int n_columns;
	uint32_t kinds;			/* --proto, --drops: dataset_bit() */
	struct decode_as decode_as[16];	/* --decode-as */
	unsigned int n_decode_as;
	struct where *where;		/* --where; NULL: everything */
	struct detect_options detect;	/* --alert */
	const char *reasons[64];	/* --drops=A,B: in reason_text */
	unsigned int n_reasons;
	char *reason_text;		/* owned */
	bool alerts;			/* --alerts or --alert */
	bool many_interfaces;
	bool any_netns;			/* -N any: drops of every network namespace */
	bool promisc;			/* ask the interfaces for frames that are not for this host */
	uint16_t file_link;		/* link type of -w F, when it is plain pcap */
	struct rotate *rotate;		/* names of -w F; NULL: no file */
	unsigned int file_seq;		/* files opened */
	uint64_t first_ns;		/* of the first frame that goes into a file; 0: not known */
	struct helper *helper;		/* opens further files, holds the hooks; NULL: not needed */
	int mute_from, mute_to;		/* packet sockets: struct priv_drop */
	uint32_t uid, gid;		/* whom to become */
	uint32_t file_uid, file_gid;	/* who owns new files; UINT32_MAX: whoever makes them */
	bool change_user;
};

/* Check options against each other; fills columns and kinds.  EXIT_DONE or EXIT_USAGE (said). */
int watch_check(struct watch *w, int argc, char **argv);

/* watch_words.c: what goes together; negative, and said, when it does not. */
int watch_check_words(struct watch *w, int argc, char **argv);
void watch_iface_numbers(struct watch_opts *o);	/* -i N becomes -i NAME */
bool watch_wants_promisc(const struct watch_opts *o);
void watch_print_count(const struct watch *w);	/* --count, after watch_file() */

/* watch_drops.c: --drops=A,B; negative, and said, when this kernel does not know one. */
int watch_check_drops(struct watch *w);
const char *watch_drop_word(unsigned int i);	/* the reasons of this kernel, for `help` */
/* -N any: names of network namespaces, as there are now; later their numbers. */
void watch_learn_netns(void);
const char *watch_netns_name(void *unused, uint32_t inode);

/* watch_decode.c: --proto, --decode-as and --where; negative, and said, when they are wrong. */
int watch_check_decode(struct watch *w);
const char *watch_proto_word(unsigned int i);	/* what --proto takes */

/* watch_alerts.c: --alerts and --alert.  The second after the decoders are there. */
int watch_check_alerts(struct watch *w);
const char *watch_alert_word(unsigned int i);	/* names of the rules */
int watch_open_alerts(struct watch *w);
/* After the last record: how many there were, when some were not told. */
void watch_tell_alerts(struct watch *w);

/* watch_output.c: open the decoders, sinks and their outputs.  Needs w->file_link, w->many_interfaces.
 * wake_fd: readable when the user wants to end, -1: none. */
int watch_open_outputs(struct watch *w, int wake_fd);
/* Whom to ask, once wake_fd is readable, whether to end; see out.h.  And when that is known without asking. */
void watch_wake(struct watch *w, bool (*wake)(void *ctx), void *ctx);
void watch_hurry(struct watch *w);
int watch_terminal_gone(struct watch *w);	/* 0, or, said, -EIO */
/* Write what is left: afterwards the counts are final.  Then, after the trailer, close. */
int watch_finish_outputs(struct watch *w);
int watch_close_outputs(struct watch *w);
bool watch_writes_text(const struct watch *w);	/* anything but a capture file */

/* watch_live.c, watch_file.c, watch_plan.c: each returns an exit status. */
int watch_live(struct watch *w);
int watch_file(struct watch *w);
int watch_plan(struct watch *w);
int watch_list(struct watch *w);
int watch_dump(struct watch *w);

/* All that was lost, of every kind, for --fail-on-loss: told by lost records, not delivered, or lost before
 * the file that is read was written.  After watch_finish_outputs(). */
uint64_t watch_lost(const struct watch *w);
/* tcpdump's three lines and the ledger, on standard error. */
void watch_trailer(struct watch *w, bool live);
/* Packets that the filter meant nothing for. */
void watch_tell_left_out(const struct watch *w);
void watch_ledger(struct watch *w);
/* Give up privileges, before the first octet of a packet is parsed. */
int watch_drop_privileges(struct watch *w);
uint64_t watch_now_ns(void);
unsigned int watch_width(void);	/* columns of the terminal that is standard output; 0: it is none */

#endif
