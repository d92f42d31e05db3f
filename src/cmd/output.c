// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "priv/priv.h"
#include "priv/rotate.h"
#include "util/err.h"
#include "util/time.h"

static int no_field(const char *name, size_t n)
{
	const char **words = malloc(fields_count() * sizeof(*words)), *near;
	char word[64];
	int rc;

	if (!words)
		return fail(ENOMEM, "-o");
	for (unsigned int i = 0; i < fields_count(); i++)
		words[i] = field_get(i)->name;
	snprintf(word, sizeof(word), "%.*s", (int)n, name);
	near = opt_near(word, words, fields_count());
	/* The flat name is there only where --seed-names is. */
	if (near && !strcmp(near, "timestamp"))
		near = "@timestamp";
	rc = fail(0, "-o: no field '%s'%s%s (see: netprobe help --fields)", word, near ? ": did you mean " : "",
		  near ? near : "");
	free(words);
	return rc;
}

/* Fields of -o, by name. */
static int parse_columns(struct output *out, const char *list)
{
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");
		int f = field_find(p, n);

		if (f < 0)
			return no_field(p, n);
		if (out->n_columns == sizeof(out->columns) / sizeof(out->columns[0]))
			return fail(E2BIG, "-o %s", list);
		out->columns[out->n_columns++] = (uint16_t)f;
		p += n + (p[n] == ',');
	}
	return 0;
}

static int check_file(const struct output_file *f)
{
	if ((f->rotate_bytes || f->rotate_ns || f->rotate_files) && !f->name)
		return fail(0, "-C, -G and -W need -w FILE");
	if ((f->rotate_bytes || f->rotate_ns) && !strcmp(f->name, "-"))
		return fail(0, "-C and -G need a file, not standard output");
	if (f->rotate_files && !f->rotate_bytes && !f->rotate_ns)
		return fail(0, "-W needs -C or -G");
	if (f->name && !strcmp(f->name, "-") && isatty(STDOUT_FILENO))
		return fail(0, "-w - would write a capture to the terminal: redirect it");
	return 0;
}

/* For people in front of a terminal that can move its cursor. */
static bool can_refresh(struct output *out, const struct output_options *o)
{
	const struct globals *g = o->g;
	const char *term = getenv("TERM");

	if (!o->refresh || g->json || g->pretty || g->csv || g->fields || o->prom || o->file.name)
		return false;
	if (!term || !*term || !strcmp(term, "dumb") || !terminal_open(&out->terminal))
		return false;
	terminal_size(&out->view.width, &out->view.height);
	out->view.utc = g->time && !strcmp(g->time, "utc");
	return out->view.width >= SCREEN_WIDTH_MIN && out->view.height >= SCREEN_HEIGHT_MIN;
}

int output_check(struct output *out, const struct output_options *o)
{
	const struct globals *g = o->g;

	out->o = o;
	out->uid = out->gid = UINT32_MAX;
	if (check_file(&o->file))
		return -EINVAL;
	if ((int)g->json + g->pretty + g->csv > 1 && !(g->json && g->pretty))
		return fail(0, "-j, -p and --csv exclude each other");
	if (o->prom && (g->json || g->pretty || g->csv || g->fields))
		return fail(0, "--prom has a form of its own: not with -j, -p, --csv or -o");
	out->refreshes = can_refresh(out, o);
	return parse_columns(out, g->fields);
}

void output_columns(struct output *out, const struct dataset *set, const uint16_t *fields, unsigned int n)
{
	if (out->n_columns)
		return;
	for (; out->n_columns < n; out->n_columns++)
		out->columns[out->n_columns] = field_number(set, fields[out->n_columns]);
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

static bool writes_pcapng(const struct output_file *f)
{
	return f->pcapng || has_suffix(f->name, ".pcapng") || has_suffix(f->name, ".ntar");
}

/* The helper opens the next file; it alone may still do so.  How often, rotate.h counts by itself. */
static int next_file(void *ctx, unsigned int seq, uint64_t time_ns, char *name, size_t size)
{
	struct output *out = ctx;
	bool again = seq == OUT_AGAIN;
	int fd = helper_file(out->helper, again ? ROTATE_AGAIN : out->file_seq, time_ns, name, size);

	if (fd >= 0 && !again)
		out->file_seq++;
	return fd;
}

/* A FIFO has no writer before it has a reader.  Nothing has been done yet, so whoever gives up waiting ends us. */
static int open_first(struct output *out, char *name, size_t size)
{
	sigset_t ends, before;
	struct stat st;
	bool waits = !stat(out->o->file.name, &st) && S_ISFIFO(st.st_mode);
	int fd;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	if (waits)
		sigprocmask(SIG_UNBLOCK, &ends, &before);
	fd = rotate_next(out->rotate, out->file_seq++, out->first_ns ? out->first_ns : time_now(), name, size);
	if (waits)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return fd;
}

/* Written to, the file that is read would be emptied, or never end. */
static int look_at_input(const struct output_file *f, struct rotate_options *ro)
{
	struct stat in, out;

	if (!f->input || (strcmp(f->input, "-") ? stat(f->input, &in) : fstat(STDIN_FILENO, &in)) ||
	    !S_ISREG(in.st_mode))
		return 0;
	ro->reads = true;
	ro->read_dev = in.st_dev;
	ro->read_ino = in.st_ino;
	if (!strcmp(f->name, "-") && !fstat(STDOUT_FILENO, &out) && out.st_dev == in.st_dev &&
	    out.st_ino == in.st_ino)
		return fail(0, "standard output: is the file that is being read");
	return 0;
}

/* -w FILE, before there is a helper. */
static int first_file(struct output *out, char *name, size_t size)
{
	const struct output_file *f = &out->o->file;
	struct rotate_options ro = {
		.file = f->name,
		.numbers = f->rotate_bytes != 0,
		.by_time = f->rotate_ns != 0,
		.max_files = (unsigned int)f->rotate_files,
		.max_bytes = f->rotate_bytes,
		.period_ns = f->rotate_ns,
		.live = !f->input,
		.uid = out->uid,
		.gid = out->gid,
	};
	int err;

	err = look_at_input(f, &ro);
	if (err)
		return err;
	if (!strcmp(f->name, "-")) {
		snprintf(name, size, "standard output");
		return dup(STDOUT_FILENO);
	}
	err = rotate_open(&out->rotate, &ro);
	return err ? err : open_first(out, name, size);
}

static bool wants_color(const struct globals *g)
{
	const char *when = g->color ? g->color : "auto", *no = getenv("NO_COLOR");

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

static enum time_style time_style(const struct output_options *o)
{
	const char *t = o->g->time;

	/* Lines of its own have no stamp; columns that are asked for are told, and what they tell may be days away. */
	if (o->text.line && !o->g->fields)
		return TIME_NONE;
	if (t)
		return !strcmp(t, "utc")   ? TIME_RFC3339 :
		       !strcmp(t, "rel")   ? TIME_REL :
		       !strcmp(t, "epoch") ? TIME_EPOCH :
					     TIME_LOCAL;
	return o->text.line ? TIME_DATE : o->text.time;
}

unsigned int output_width(void)
{
	struct winsize ws;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) ? ws.ws_col : 0;
}

static int add_sink(struct output *output, struct pipeline *p, const struct sink_ops *ops, int fd, const char *name,
		    const struct sink_options *opt)
{
	const struct output_file *f = &output->o->file;
	struct out *out = NULL;
	int err = out_open(&out, fd, name);

	if (err)
		return err;
	output->outs[output->n_outs++] = out;
	out->wake_fd = output->wake_fd;
	if (ops->wants_frames && output->rotate) {
		out->next = next_file;
		out->next_ctx = output;
		out->max_bytes = f->rotate_bytes;
		out->period_ns = f->rotate_ns;
		out->max_files = (unsigned int)f->rotate_files;
	}
	err = sink_open(&p->sinks[p->n_sinks], ops, out, opt);
	if (!err)
		p->n_sinks++;
	return err;
}

static int add_text(struct output *out, struct pipeline *p, bool many)
{
	const struct globals *g = out->o->g;
	const struct sink_ops *ops = out->o->prom	  ? &sink_prom :
				     g->json || g->pretty ? &sink_json :
				     g->csv		  ? &sink_csv :
				     out->refreshes	  ? &sink_screen :
							    &sink_table;
	struct line_options lo = out->o->line;
	struct sink_options opt = out->o->text;
	int err;

	lo.verbose = g->verbose;
	lo.quiet = g->quiet;
	lo.interface |= many;
	err = line_open(&out->lines, &lo);
	if (err)
		return err;
	if (!opt.line) {
		opt.line = line_print;
		opt.line_state = out->lines;
	}
	opt.time = time_style(out->o);
	opt.color = wants_color(g);
	opt.utf8 = is_utf8_locale();
	opt.width = output_width();
	opt.header = !g->no_header;
	opt.fields = out->columns;
	opt.n_fields = out->n_columns;
	opt.pretty = g->pretty;
	opt.view = &out->view;
	out->view.bps = &p->rows_bps;
	err = add_sink(out, p, ops, dup(STDOUT_FILENO), "standard output", &opt);
	if (!err && out->refreshes)
		out->screen = p->sinks[p->n_sinks - 1];
	return err;
}

static int add_capture(struct output *out, struct pipeline *p)
{
	static struct utsname uts;
	static char os[sizeof(uts.sysname) + sizeof(uts.release) + 2];
	struct sink_options opt = {
		.snaplen = out->snaplen ? out->snaplen : 262144,
		.application = "netprobe " NETPROBE_VERSION,
		.os = os,
		.hardware = uts.machine,
		.filter = out->filter,
		.link = out->link,
	};
	char name[256];
	int fd;

	uname(&uts);
	snprintf(os, sizeof(os), "%s %s", uts.sysname, uts.release);
	fd = first_file(out, name, sizeof(name));
	if (fd < 0)
		return fd;
	return add_sink(out, p, writes_pcapng(&out->o->file) ? &sink_pcapng : &sink_pcap, fd, name, &opt);
}

int output_open(struct output *out, struct pipeline *p, bool many, int wake_fd)
{
	int err = 0;

	out->wake_fd = wake_fd;
	if (out->o->file.name)
		err = add_capture(out, p);
	if (!err && out->o->records)
		err = add_text(out, p, many);
	return err;
}

void output_helper(struct output *out, struct helper *helper)
{
	out->helper = helper;
	rotate_close(out->rotate);
	out->rotate = NULL;
}

void output_wake(struct output *out, bool (*wake)(void *ctx), void *ctx)
{
	for (unsigned int i = 0; i < out->n_outs; i++) {
		out->outs[i]->wake = wake;
		out->outs[i]->wake_ctx = ctx;
	}
}

void output_hurry(struct output *out)
{
	for (unsigned int i = 0; i < out->n_outs; i++)
		out->outs[i]->hurry = true;
}

int output_gone(struct output *out)
{
	int err = 0;

	for (unsigned int i = 0; i < out->n_outs && !err; i++)
		err = out_gone(out->outs[i]);
	return err;
}

int output_finish(struct output *out, struct pipeline *p)
{
	int rc = 0, err;

	for (unsigned int i = 0; i < p->n_sinks; i++) {
		err = sink_close(p->sinks[i]);
		if (!rc && err < 0)
			rc = err;
	}
	p->n_sinks = 0;
	out->screen = NULL;
	for (unsigned int i = 0; i < out->n_outs; i++) {
		err = out_flush(out->outs[i]);
		if (!rc && err < 0)
			rc = err;
	}
	return rc;
}

int output_close(struct output *out)
{
	int rc = 0, err;

	for (unsigned int i = 0; i < out->n_outs; i++) {
		err = out_close(out->outs[i]);
		if (!rc && err < 0)
			rc = err;
	}
	out->n_outs = 0;
	line_close(out->lines);
	out->lines = NULL;
	rotate_close(out->rotate);
	out->rotate = NULL;
	return rc;
}

uint64_t output_lost(const struct output *out)
{
	uint64_t lost = 0;

	for (unsigned int i = 0; i < out->n_outs; i++)
		lost += out->outs[i]->lost;
	return lost;
}
