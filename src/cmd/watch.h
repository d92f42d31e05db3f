/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_WATCH_H
#define NETPROBE_CMD_WATCH_H

#include "cmd/cmd.h"
#include "cmd/session.h"

/* What the user asked of `watch`, as parsed. */
struct watch_opts {
	struct strs iface, decode_as, alert;
	uint64_t count, only_count, buffer, sample, rotate_bytes, rotate_ns, rotate_files, answer_timeout_ns;
	const char *snaplen, *write, *read, *direction, *user, *filter_file, *proto, *drops, *btf, *rung, *where;
	const char *postrotate;
	unsigned int hex, hex_ascii, time, dump;
	bool link, ascii, number, absolute_seq, pcapng, packets, inner, strict, plan, list, wait, print;
	bool ignored, show_secrets, alerts, no_promisc, micro, blocks;
};

/* One run of `watch`: what is its own. */
struct watch {
	const struct globals *g;
	const struct watch_opts *o;
	struct session_options ask;
	struct session s;
	uint64_t kinds;			/* --proto, --drops: dataset_bit() */
	struct decode_as decode_as[16];	/* --decode-as */
	unsigned int n_decode_as;
	struct where *where;		/* --where; NULL: everything */
	struct detect_options detect;	/* --alert */
	const char *reasons[64];	/* --drops=A,B: in reason_text */
	unsigned int n_reasons;
	char *reason_text;		/* owned */
	bool alerts;			/* --alerts or --alert */
	bool any_netns;			/* -N any: drops of every network namespace */
};

/* watch_words.c: what goes together; negative, and said, when it does not. */
int watch_check_words(struct watch *w, int argc, char **argv);
void watch_iface_numbers(struct watch_opts *o);	/* -i N becomes -i NAME */
bool watch_wants_promisc(const struct watch_opts *o);
void watch_print_count(const struct watch *w);	/* --count, after the run */

/* watch_drops.c: --drops=A,B; negative, and said, when this kernel does not know one. */
int watch_check_drops(struct watch *w);
const char *watch_drop_word(unsigned int i);	/* the reasons of this kernel, for `help` */

/* watch_decode.c: --proto, --decode-as and --where; negative, and said, when they are wrong. */
int watch_check_decode(struct watch *w);
const char *watch_proto_word(unsigned int i);	/* what --proto takes */
/* What makes records of frames: the pipeline's stages. */
int watch_open_stages(struct watch *w);
void watch_close_stages(struct watch *w);

/* watch_alerts.c: --alerts and --alert.  The second after the decoders are there. */
int watch_check_alerts(struct watch *w);
const char *watch_alert_word(unsigned int i);	/* names of the rules */
int watch_open_alerts(struct watch *w);
/* After the last record: how many there were, when some were not told. */
void watch_tell_alerts(struct watch *w);

/* watch_plan.c: each returns an exit status. */
int watch_plan(struct watch *w);
int watch_list(struct watch *w);
int watch_dump(struct watch *w);

#endif
