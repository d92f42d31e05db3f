// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/screen.h"

#include <string.h>

#include "sink/fmt.h"
#include "sink/out.h"
#include "sink/table.h"
#include "util/err.h"
#include "util/time.h"
#include "util/units.h"
#include "util/width.h"

enum {
	LINES_MAX = 512,		/* of a table */
	LINE_BYTES = 16 * 1024,
	BAR_MIN = 8, BAR_MAX = 20, BAR_SHARE = 8,	/* an eighth of the width */
	BAR_GAP = 2,
};

/* All that moves or changes anything on the terminal (ECMA-48, 8.3; DEC's private modes 25 and 1049). */
#define SCREEN_OTHER	"\033[?1049h"
#define CURSOR_HIDE	"\033[?25l"
#define ERASE_LINE	"\033[K"
#define ERASE_BELOW	"\033[J"
#define REVERSE		"\033[7m"
#define PLAIN		"\033[0m"

/* A line of the table: bytes of `text`. */
struct line {
	size_t at, n;
	uint64_t bps;
	bool has_bar;
};

struct screen {
	struct table t;
	struct buf text, titles;
	struct line lines[LINES_MAX];
	unsigned int n_lines, room;	/* kept; as many as there is room for */
	unsigned int cells, bar;	/* for a line's text, for its bar */
	unsigned int bar_at;		/* cells before it: the longest text of a line that has one */
	unsigned int began;		/* width of all columns when the first row came */
	uint64_t lost, time_ns;
	bool whole;			/* the table that is kept is: what comes begins another */
};

unsigned int screen_rows(const struct screen_view *v)
{
	unsigned int rows = v->height > 2 ? v->height - 2 : 1;

	return rows < LINES_MAX ? rows : LINES_MAX;
}

unsigned int screen_cut(struct buf *b, const char *p, size_t n, unsigned int cells)
{
	unsigned int used;
	size_t fits = width_fit(p, n, cells, &used), at = b->n;

	buf_add(b, p, fits);
	/* Whoever made the line escaped what others chose; nothing else may move the cursor either. */
	for (; at < b->n; at++)
		if ((unsigned char)b->p[at] < ' ' || b->p[at] == 0x7f)
			b->p[at] = '?';
	return used;
}

void screen_bar(struct buf *b, uint64_t n, uint64_t all, unsigned int cells, bool utf8)
{
	unsigned int parts = utf8 ? 8 : 1, full;
	double share = all ? (double)(n < all ? n : all) / (double)all : 0;

	full = (unsigned int)(share * cells * parts + 0.5);
	if (n && !full)
		full = 1;
	for (unsigned int i = 0; i < full / parts; i++)
		buf_str(b, utf8 ? "\xe2\x96\x88" : "#");
	/* U+2588 is eight eighths, U+258F one. */
	if (full % parts) {
		buf_lit(b, "\xe2\x96");
		buf_chr(b, (char)(0x90 - full % parts));
	}
}

/* ── the table that is kept ─────────────────────────────────────────────────── */

static void lay_out(struct screen *sc)
{
	struct sink *s = &sc->t.s;
	const struct screen_view *v = s->opt.view;
	unsigned int bar = v->width / BAR_SHARE, before = s->opt.width;

	bar = bar < BAR_MIN ? BAR_MIN : bar > BAR_MAX ? BAR_MAX : bar;
	sc->bar = s->opt.bar_from && v->width >= s->opt.bar_from ? bar : 0;
	sc->cells = sc->bar ? v->width - sc->bar - BAR_GAP : v->width;
	sc->room = screen_rows(v);
	s->opt.width = sc->cells;
	if (s->opt.n_fields && (before != sc->cells || !sc->t.columns.n)) {
		columns_close(&sc->t.columns);
		columns_open(&sc->t.columns, &s->opt);	/* without memory, said: no columns */
	}
}

static void begin_table(struct screen *sc)
{
	struct sink *s = &sc->t.s;

	lay_out(sc);
	sc->text.n = sc->titles.n = sc->n_lines = sc->bar_at = 0;
	sc->text.full = false;
	sc->began = s->opt.n_fields && sc->t.columns.n ? columns_width(&sc->t.columns) : 0;
	sc->whole = false;
	if (!s->opt.n_fields && s->opt.titles)
		s->opt.titles(s->opt.line_state, sc->cells, &sc->titles);
}

static void keep_lines(struct screen *sc, size_t from, const struct record *r)
{
	const uint64_t *bps = sc->bar ? record_value(r, sc->t.s.opt.bar_field) : NULL;
	unsigned int used;

	for (size_t at = from, n; at < sc->text.n && sc->n_lines < sc->room; at += n + 1) {
		const char *end = memchr(sc->text.p + at, '\n', sc->text.n - at);

		n = end ? (size_t)(end - sc->text.p) - at : sc->text.n - at;
		width_fit(sc->text.p + at, n, sc->cells, &used);
		if (bps && used > sc->bar_at)
			sc->bar_at = used;
		sc->lines[sc->n_lines++] = (struct line){ at, n, bps ? *bps : 0, bps && at == from };
	}
}

static int screen_record(struct sink *s, const struct record *r)
{
	struct screen *sc = (struct screen *)s;
	size_t from;

	if (r->set == &lost_dataset) {
		sc->lost += lost_of(r)->count;
		return 0;
	}
	if (sc->whole)
		begin_table(sc);
	if (sc->n_lines == sc->room || (s->opt.n_fields && !sc->t.columns.n))
		return 0;
	from = sc->text.n;
	table_put(&sc->t, &sc->text, r);
	if (!sc->text.full)
		keep_lines(sc, from, r);
	return 0;
}

/* A column that had to grow moved those behind it, of some rows. */
static int screen_rows_end(struct sink *s)
{
	struct screen *sc = (struct screen *)s;

	if (sc->whole)
		begin_table(sc);
	sc->whole = true;
	sc->time_ns = time_now();
	s->again = !s->again && s->opt.n_fields && sc->t.columns.n && columns_width(&sc->t.columns) != sc->began;
	return s->again ? 0 : screen_draw(s);
}

/* ── drawing ────────────────────────────────────────────────────────────────── */

static void go_to(struct buf *b, unsigned int line)
{
	buf_fmt(b, "\033[%u;1H", line);
}

/* After the last cell the cursor may still stand on it, and erasing would take it away. */
static void end_line(struct buf *b, const struct screen_view *v, unsigned int used)
{
	if (used < v->width)
		buf_lit(b, ERASE_LINE);
}

/* Reversed from edge to edge where color may be. */
static void put_bar_line(struct screen *sc, struct buf *b, const struct buf *text)
{
	const struct screen_view *v = sc->t.s.opt.view;
	bool color = sc->t.s.opt.color;
	unsigned int used;

	if (color)
		buf_lit(b, REVERSE);
	used = screen_cut(b, text->p, text->n, v->width);
	for (; color && used < v->width; used++)
		buf_chr(b, ' ');
	if (color)
		buf_lit(b, PLAIN);
	end_line(b, v, used);
}

static void put_row(struct screen *sc, struct buf *b, const struct line *l, bool erase)
{
	const struct sink_options *opt = &sc->t.s.opt;
	/* The terminal may have become narrower since. */
	bool bar = l->has_bar && l->bps && sc->bar_at + BAR_GAP + sc->bar <= opt->view->width;
	unsigned int used = screen_cut(b, sc->text.p + l->at, l->n, bar ? sc->bar_at : opt->view->width);

	if (bar) {
		for (; used < sc->bar_at + BAR_GAP; used++)
			buf_chr(b, ' ');
		screen_bar(b, l->bps, *opt->view->bps, sc->bar, opt->utf8);
		used = opt->view->width;	/* or less: what is behind it was erased before */
	}
	if (erase)
		end_line(b, opt->view, used);
}

static void make_titles(struct screen *sc, struct buf *b)
{
	struct sink *s = &sc->t.s;

	if (s->opt.header && s->opt.n_fields && sc->t.columns.n)
		columns_titles(&sc->t.columns, b);
	else if (s->opt.header && sc->titles.n)
		buf_add(b, sc->titles.p, sc->titles.n);
	if (b->n && b->p[b->n - 1] == '\n')
		b->n--;
}

static void put_every(struct buf *b, uint64_t ns)
{
	if (ns % 1000000000)
		buf_fmt(b, "every %llums", (unsigned long long)(ns / 1000000));
	else
		buf_fmt(b, "every %llus", (unsigned long long)(ns / 1000000000));
}

static void make_status(struct screen *sc, struct buf *b)
{
	const struct sink_options *opt = &sc->t.s.opt;
	const struct screen_view *v = opt->view;
	char lost[8], clock[TIME_TEXT_MAX];

	/* hh:mm:ss, after the date of the one. */
	if (v->utc)
		time_utc(&sc->t.time, clock, sc->time_ns);
	else
		time_local(&sc->t.time, clock, sc->time_ns);
	buf_add(b, clock + (v->utc ? 11 : 0), 8);
	if (v->utc)
		buf_chr(b, 'Z');
	buf_lit(b, "  ");
	put_every(b, v->every_ns);
	if (v->paused)
		buf_lit(b, "  paused");
	if (v->sort)
		buf_fmt(b, "  by %s", v->sort);
	text_count(lost, sc->lost);
	buf_fmt(b, "  %s lost", lost);
	if (v->keys)
		buf_lit(b, "  q quit  ? keys");
	if (*err_latest())
		buf_fmt(b, "  %s", err_latest());
	if (!opt->utf8)
		fmt_ascii(b, 0);
}

/* Returns the line after the last one. */
static unsigned int put_table(struct screen *sc, struct buf *b, unsigned int line)
{
	const struct screen_view *v = sc->t.s.opt.view;
	const char *const *keys = v->help ? v->keys : NULL;

	for (unsigned int i = 0; !keys && i < sc->n_lines && line < v->height; i++) {
		go_to(b, line++);
		if (sc->bar)
			buf_lit(b, ERASE_LINE);
		put_row(sc, b, &sc->lines[i], true);
	}
	for (; keys && *keys && line < v->height; keys++) {
		go_to(b, line++);
		end_line(b, v, screen_cut(b, *keys, strlen(*keys), v->width));
	}
	return line;
}

static void put_frame(struct screen *sc, struct buf *b)
{
	char space[LINE_BYTES];
	struct buf one = { .p = space, .cap = sizeof(space), .max = sizeof(space) };
	const struct screen_view *v = sc->t.s.opt.view;
	unsigned int line = 1;

	make_titles(sc, &one);
	if (one.n) {
		go_to(b, line++);
		put_bar_line(sc, b, &one);
	}
	line = put_table(sc, b, line);
	if (line < v->height) {
		go_to(b, line);
		buf_lit(b, ERASE_BELOW);
	}
	one.n = 0;
	make_status(sc, &one);
	go_to(b, v->height);
	put_bar_line(sc, b, &one);
}

static int begin(struct sink *s)
{
	return out_begin(s->out, time_now());
}

int screen_draw(struct sink *s)
{
	struct screen *sc = (struct screen *)s;
	const struct screen_view *v = s->opt.view;
	int rc;

	if (!v->shown || v->width < SCREEN_WIDTH_MIN || v->height < SCREEN_HEIGHT_MIN)
		return 0;
	rc = begin(s);
	if (rc)
		return rc;
	put_frame(sc, &s->out->buf);
	return out_commit(s->out);
}

/* What it takes to be there, and back: no record. */
static int commit_framing(struct out *o)
{
	int rc;

	o->framing = true;
	rc = out_commit(o);
	o->framing = false;
	return rc;
}

int screen_enter(struct sink *s)
{
	struct screen *sc = (struct screen *)s;
	int rc = begin(s);

	if (rc)
		return rc;
	s->opt.view->shown = true;
	buf_lit(&s->out->buf, SCREEN_OTHER CURSOR_HIDE "\033[1;1H" ERASE_BELOW);
	rc = commit_framing(s->out);
	if (rc)
		return rc;
	if (!sc->time_ns) {
		begin_table(sc);
		sc->whole = true;
		sc->time_ns = time_now();
	}
	return screen_draw(s);
}

/* The last table, as the text of a table that is printed. */
static void put_last(struct screen *sc, struct buf *b)
{
	char space[LINE_BYTES];
	struct buf one = { .p = space, .cap = sizeof(space), .max = sizeof(space) };

	make_titles(sc, &one);
	if (one.n) {
		screen_cut(b, one.p, one.n, sc->t.s.opt.view->width);
		buf_chr(b, '\n');
	}
	for (unsigned int i = 0; i < sc->n_lines; i++) {
		put_row(sc, b, &sc->lines[i], false);
		buf_chr(b, '\n');
	}
}

int screen_leave(struct sink *s, bool keep)
{
	struct screen *sc = (struct screen *)s;
	int rc;

	if (!s->opt.view->shown)
		return 0;
	s->opt.view->shown = false;
	rc = begin(s);
	if (rc)
		return rc;
	buf_lit(&s->out->buf, SCREEN_RESTORE);
	if (keep)
		put_last(sc, &s->out->buf);
	return commit_framing(s->out);
}

/* Titles are drawn with each table. */
static int screen_open(struct sink *s)
{
	((struct screen *)s)->t.cell.max = FMT_CELL_MAX;
	((struct screen *)s)->whole = true;
	return 0;
}

static int screen_finish(struct sink *s)
{
	return screen_leave(s, true);
}

static void screen_free(struct sink *s)
{
	struct screen *sc = (struct screen *)s;

	buf_free(&sc->text);
	buf_free(&sc->titles);
	table_free(s);
}

const struct sink_ops sink_screen = {
	.name = "screen",
	.size = sizeof(struct screen),
	.open = screen_open,
	.record = screen_record,
	.rows_end = screen_rows_end,
	.finish = screen_finish,
	.free = screen_free,
};
