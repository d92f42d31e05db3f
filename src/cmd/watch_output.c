// SPDX-License-Identifier: GPL-2.0-or-later
/* What watch writes: standard output as text, JSON or CSV, and capture files. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/watch.h"
#include "priv/priv.h"
#include "priv/rotate.h"
#include "util/err.h"

bool watch_writes_text(const struct watch *w)
{
	return (!w->o->write && !w->o->only_count) || w->o->print;
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

static bool writes_pcapng(const struct watch *w)
{
	return w->o->pcapng || has_suffix(w->o->write, ".pcapng") || has_suffix(w->o->write, ".ntar");
}

/* The helper opens the next file; it alone may still do so.  How often, rotate.h counts by itself. */
static int next_file(void *ctx, unsigned int seq, uint64_t time_ns, char *name, size_t size)
{
	struct watch *w = ctx;
	bool again = seq == OUT_AGAIN;
	int fd = helper_file(w->helper, again ? ROTATE_AGAIN : w->file_seq, time_ns, name, size);

	if (fd >= 0 && !again)
		w->file_seq++;
	return fd;
}

/* A FIFO has no writer before it has a reader.  Nothing has been done yet, so whoever gives up waiting ends us. */
static int open_first(struct watch *w, char *name, size_t size)
{
	sigset_t ends, before;
	struct stat st;
	bool waits = !stat(w->o->write, &st) && S_ISFIFO(st.st_mode);
	int fd;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	if (waits)
		sigprocmask(SIG_UNBLOCK, &ends, &before);
	fd = rotate_next(w->rotate, w->file_seq++, w->first_ns ? w->first_ns : watch_now_ns(), name, size);
	if (waits)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return fd;
}

/* Written to, the file that is read would be emptied, or never end. */
static int look_at_input(const struct watch_opts *o, struct rotate_options *ro)
{
	struct stat in, out;

	if (!o->read || (strcmp(o->read, "-") ? stat(o->read, &in) : fstat(STDIN_FILENO, &in)) || !S_ISREG(in.st_mode))
		return 0;
	ro->reads = true;
	ro->read_dev = in.st_dev;
	ro->read_ino = in.st_ino;
	if (!strcmp(o->write, "-") && !fstat(STDOUT_FILENO, &out) && out.st_dev == in.st_dev &&
	    out.st_ino == in.st_ino)
		return fail(0, "standard output: is the file that is being read");
	return 0;
}

/* -w FILE, before there is a helper. */
static int first_file(struct watch *w, char *name, size_t size)
{
	const struct watch_opts *o = w->o;
	struct rotate_options ro = {
		.file = o->write,
		.numbers = o->rotate_octets != 0,
		.by_time = o->rotate_ns != 0,
		.max_files = (unsigned int)o->rotate_files,
		.max_octets = o->rotate_octets,
		.period_ns = o->rotate_ns,
		.live = !o->read,
		.uid = w->file_uid,
		.gid = w->file_gid,
	};
	int err;

	err = look_at_input(o, &ro);
	if (err)
		return err;
	if (!strcmp(o->write, "-")) {
		snprintf(name, size, "standard output");
		return dup(STDOUT_FILENO);
	}
	err = rotate_open(&w->rotate, &ro);
	return err ? err : open_first(w, name, size);
}

static bool wants_color(const struct watch *w)
{
	const char *when = w->g->color ? w->g->color : "auto", *no = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		return true;
	return strcmp(when, "never") && isatty(STDOUT_FILENO) && !(no && *no);
}

/* May the table print what is not ASCII? */
static bool is_utf8_locale(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *v = getenv(names[i]);

		if (v && *v)
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

static enum time_style time_style(const struct watch *w)
{
	static const enum time_style by_count[] = { TIME_LOCAL, TIME_NONE, TIME_EPOCH,
						    TIME_DELTA, TIME_DATE, TIME_REL };
	const char *t = w->g->time;

	if (t)
		return !strcmp(t, "utc")   ? TIME_RFC3339 :
		       !strcmp(t, "rel")   ? TIME_REL :
		       !strcmp(t, "epoch") ? TIME_EPOCH :
					     TIME_LOCAL;
	return by_count[w->o->time < 6 ? w->o->time : 5];
}

unsigned int watch_width(void)
{
	struct winsize ws;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) ? ws.ws_col : 0;
}

static int add_sink(struct watch *w, const struct sink_ops *ops, int fd, const char *name,
		    const struct sink_options *opt)
{
	struct pipeline *p = &w->pipe;
	struct out *out = NULL;
	int err = out_open(&out, fd, name);

	if (err)
		return err;
	w->outs[w->n_outs++] = out;
	out->wake_fd = w->wake_fd;
	if (ops->wants_frames && w->rotate) {
		out->next = next_file;
		out->next_ctx = w;
		out->max_octets = w->o->rotate_octets;
		out->period_ns = w->o->rotate_ns;
		out->max_files = (unsigned int)w->o->rotate_files;
	}
	err = sink_open(&p->sinks[p->n_sinks], ops, out, opt);
	if (!err)
		p->n_sinks++;
	return err;
}

static int add_text(struct watch *w)
{
	const struct globals *g = w->g;
	const struct sink_ops *ops = g->json || g->pretty ? &sink_json : g->csv ? &sink_csv : &sink_table;
	struct line_options lo = {
		.verbose = g->verbose,
		.quiet = g->quiet,
		.link = w->o->link,
		.absolute_seq = w->o->absolute_seq,
		.interface = w->many_interfaces || w->o->drops,
	};
	struct sink_options opt = {
		.line = line_print,
		.time = time_style(w),
		.color = wants_color(w),
		.utf8 = is_utf8_locale(),
		.number = w->o->number,
		.hex = w->o->hex || w->o->hex_ascii,
		.ascii_hex = w->o->hex_ascii,
		.hex_link = w->o->hex > 1 || w->o->hex_ascii > 1,
		.ascii = w->o->ascii,
		.width = watch_width(),
		.header = !g->no_header,
		.fields = w->columns,
		.n_fields = w->n_columns,
		.pretty = g->pretty,
	};
	int err = line_open(&w->lines, &lo);

	if (err)
		return err;
	opt.line_state = w->lines;
	if (w->line) {
		opt.line = w->line;
		opt.line_state = w->line_ctx;
		opt.time = TIME_NONE;
	}
	return add_sink(w, ops, dup(STDOUT_FILENO), "standard output", &opt);
}

static int add_capture(struct watch *w)
{
	static struct utsname uts;
	static char os[sizeof(uts.sysname) + sizeof(uts.release) + 2];
	struct sink_options opt = {
		.snaplen = w->snaplen ? w->snaplen : 262144,
		.application = "netprobe " NETPROBE_VERSION,
		.os = os,
		.hardware = uts.machine,
		.filter = w->filter_text,
		.link = w->file_link,
	};
	char name[256];
	int fd;

	uname(&uts);
	snprintf(os, sizeof(os), "%s %s", uts.sysname, uts.release);
	fd = first_file(w, name, sizeof(name));
	if (fd < 0)
		return fd;
	return add_sink(w, writes_pcapng(w) ? &sink_pcapng : &sink_pcap, fd, name, &opt);
}

/* Is a record a line for people? */
static bool has_lines(const struct watch *w)
{
	return !w->g->json && !w->g->pretty && !w->g->csv && !w->n_columns;
}

/* Has each frame one, chosen by nothing but the frame? */
static bool has_line_each(const struct watch *w)
{
	return has_lines(w) && !w->where && !w->o->packets && !w->alerts && !w->o->proto;
}

int watch_open_outputs(struct watch *w, int wake_fd)
{
	struct decode_options d = {
		.mode = w->o->packets || w->alerts ? DECODE_PACKETS :
			w->o->proto   ? DECODE_MESSAGES :
					DECODE_LINES,
		.kinds = w->alerts ? 0 : w->kinds,
		.answer_timeout_ns = w->o->answer_timeout_ns,
		.decode_as = w->decode_as,
		.n_decode_as = w->n_decode_as,
		.show_secrets = w->o->show_secrets,
		.lines = has_lines(w),
		.heads = has_line_each(w),
		.no_answer = !w->o->read || w->o->answer_timeout_ns,
	};
	int err = 0;

	w->wake_fd = wake_fd;
	w->pipe.where = w->where;
	if (getrandom(&d.seed, sizeof(d.seed), GRND_NONBLOCK) < 0)
		d.seed = (uint32_t)watch_now_ns();
	if (w->o->write)
		err = add_capture(w);
	if (!err && watch_writes_text(w)) {
		err = add_text(w);
		if (!err && !w->pipe.account)
			err = decode_open(&w->pipe.decode, &d);
		if (!err && w->alerts)
			err = watch_open_alerts(w);
	}
	return err;
}

void watch_wake(struct watch *w, bool (*wake)(void *ctx), void *ctx)
{
	for (unsigned int i = 0; i < w->n_outs; i++) {
		w->outs[i]->wake = wake;
		w->outs[i]->wake_ctx = ctx;
	}
}

void watch_hurry(struct watch *w)
{
	for (unsigned int i = 0; i < w->n_outs; i++)
		w->outs[i]->hurry = true;
}

int watch_terminal_gone(struct watch *w)
{
	int err = 0;

	for (unsigned int i = 0; i < w->n_outs && !err; i++)
		err = out_gone(w->outs[i]);
	return err;
}

int watch_finish_outputs(struct watch *w)
{
	int rc = 0, err;

	for (unsigned int i = 0; i < w->pipe.n_sinks; i++) {
		err = sink_close(w->pipe.sinks[i]);
		if (!rc && err < 0)
			rc = err;
	}
	w->pipe.n_sinks = 0;
	for (unsigned int i = 0; i < w->n_outs; i++) {
		err = out_flush(w->outs[i]);
		if (!rc && err < 0)
			rc = err;
	}
	return rc;
}

int watch_close_outputs(struct watch *w)
{
	int rc = 0, err;

	for (unsigned int i = 0; i < w->n_outs; i++) {
		err = out_close(w->outs[i]);
		if (!rc && err < 0)
			rc = err;
	}
	w->n_outs = 0;
	watch_tell_alerts(w);
	detect_close(w->pipe.detect);
	w->pipe.detect = NULL;
	decode_close(w->pipe.decode);
	w->pipe.decode = NULL;
	where_free(w->where);
	w->where = NULL;
	w->pipe.where = NULL;
	line_close(w->lines);
	pipeline_close(&w->pipe);
	rotate_close(w->rotate);
	return rc;
}
