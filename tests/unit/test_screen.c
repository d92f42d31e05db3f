// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/screen.h"
#include "sink_text.h"
#include "stats/fields.h"
#include "util/width.h"

#define STATS(id) field_number(&stats_dataset, FIELD_STATS_##id)
#define ENTER "\033[?1049h\033[?25l\033[1;1H\033[J"
#define LEAVE "\033[0m\033[?25h\033[?1049l"

/* A screen whose output is memory, and what it wrote since the last look. */
struct shown {
	struct screen_view view;
	struct sink_options opt;
	struct out *out;
	struct sink *s;
	int fd;
	off_t seen;
	uint64_t bps;
	char text[16384];
};

static const char *const keys[] = { "q      quit", "p      by packets", NULL };
static uint16_t fields[2];

static void open_screen(struct shown *sh, unsigned int width, unsigned int height)
{
	int fd = memfd_create("screen", MFD_CLOEXEC);

	fields[0] = FIELD_INTERFACE;
	fields[1] = STATS(BPS);
	memset(sh, 0, sizeof(*sh));
	sh->view = (struct screen_view){ .width = width, .height = height, .every_ns = 1000000000, .sort = "bytes",
					 .keys = keys, .bps = &sh->bps, .utc = true };
	sh->opt = (struct sink_options){ .view = &sh->view, .fields = fields, .n_fields = 2, .people = true,
					 .header = true, .utf8 = true, .time = TIME_NONE };
	sh->fd = dup(fd);
	assert_int_equal(out_open(&sh->out, fd, "memory"), 0);
}

static void begin_screen(struct shown *sh)
{
	assert_int_equal(sink_open(&sh->s, &sink_screen, sh->out, &sh->opt), 0);
	assert_int_equal(screen_enter(sh->s), 0);
}

static const char *look(struct shown *sh)
{
	ssize_t n;

	assert_int_equal(out_flush(sh->out), 0);
	n = pread(sh->fd, sh->text, sizeof(sh->text) - 1, sh->seen);
	assert_true(n >= 0);
	sh->text[n] = '\0';
	sh->seen += n;
	return sh->text;
}

static void close_screen(struct shown *sh)
{
	assert_int_equal(sink_close(sh->s), 0);
	assert_int_equal(out_close(sh->out), 0);
	close(sh->fd);
}

static void row(struct shown *sh, const char *name, uint64_t bps)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	record_start(&r, &stats_dataset);
	r.interface = (struct str){ name, (uint32_t)strlen(name) };
	stats_of(&r)->bps = bps;
	record_mark(&r, FIELD_INTERFACE);
	record_mark(&r, FIELD_STATS_BPS);
	assert_int_equal(sink_record(sh->s, &r), 0);
}

static void rows_end(struct shown *sh)
{
	assert_int_equal(sh->s->ops->rows_end(sh->s), 0);
}

/* The clock is no part of what is expected: "T" in place of 04:16:46Z. */
static void expect(struct shown *sh, const char *want)
{
	char *bottom, *end;

	look(sh);
	bottom = strstr(sh->text, "\033[6;1H");
	if (bottom) {
		bottom += strlen("\033[6;1H");
		end = strstr(bottom, "  every");
		assert_non_null(end);
		memmove(bottom + 1, end, strlen(end) + 1);
		*bottom = 'T';
	}
	assert_string_equal(sh->text, want);
}

#define TITLES "\033[1;1HINTERFACE             BIT/S\033[K"
#define BOTTOM "\033[6;1HT  every 1s  by bytes  0 lost  q quit  ? keys\033[K"

static void tables_are_drawn_over_one_another(void **state)
{
	struct shown sh;

	open_screen(&sh, 70, 6);
	begin_screen(&sh);
	expect(&sh, ENTER TITLES "\033[2;1H\033[J" BOTTOM);
	row(&sh, "eth0", 2000);
	row(&sh, "eth1", 1000);
	expect(&sh, "");
	rows_end(&sh);
	expect(&sh, TITLES "\033[2;1Heth0              2.0kbit/s\033[K\033[3;1Heth1              1.0kbit/s\033[K\033[4;1H\033[J" BOTTOM);
	row(&sh, "eth1", 5000);
	rows_end(&sh);
	expect(&sh, TITLES "\033[2;1Heth1              5.0kbit/s\033[K\033[3;1H\033[J" BOTTOM);
	rows_end(&sh);
	expect(&sh, TITLES "\033[2;1H\033[J" BOTTOM);
	row(&sh, "eth1", 6000);
	rows_end(&sh);
	look(&sh);
	assert_int_equal(screen_leave(sh.s, true), 0);
	expect(&sh, LEAVE "INTERFACE             BIT/S\neth1              6.0kbit/s\n");
	close_screen(&sh);
}

/* What waits below the last line is not drawn, and the bottom line is always the last. */
static void rows_end_where_the_terminal_does(void **state)
{
	struct shown sh;

	open_screen(&sh, 70, 6);
	begin_screen(&sh);
	look(&sh);
	for (char name[] = "eth0"; name[3] <= '9'; name[3]++)
		row(&sh, name, 1000);
	rows_end(&sh);
	assert_non_null(strstr(look(&sh), "\033[5;1Heth3"));
	assert_null(strstr(sh.text, "eth4"));
	assert_non_null(strstr(sh.text, "\033[6;1H"));
	close_screen(&sh);
}

static void keys_and_pauses_are_told(void **state)
{
	struct shown sh;

	open_screen(&sh, 70, 6);
	begin_screen(&sh);
	row(&sh, "eth0", 1000);
	rows_end(&sh);
	look(&sh);
	sh.view.help = sh.view.paused = true;
	assert_int_equal(screen_draw(sh.s), 0);
	expect(&sh, TITLES "\033[2;1Hq      quit\033[K\033[3;1Hp      by packets\033[K\033[4;1H\033[J"
	       "\033[6;1HT  every 1s  paused  by bytes  0 lost  q quit  ? keys\033[K");
	sh.view.help = false;
	assert_int_equal(screen_draw(sh.s), 0);
	assert_non_null(strstr(look(&sh), "eth0"));
	close_screen(&sh);
}

static void losses_are_counted_below(void **state)
{
	struct shown sh;
	struct record r;

	open_screen(&sh, 70, 6);
	begin_screen(&sh);
	make_lost(&r);
	assert_int_equal(sink_record(sh.s, &r), 0);
	rows_end(&sh);
	assert_non_null(strstr(look(&sh), "  812 lost"));
	close_screen(&sh);
}

/* Cells that text of the screen takes in its widest line. */
static unsigned int widest(const char *p)
{
	unsigned int line = 0, most = 0;

	while (*p) {
		uint32_t c = 0;
		size_t n;

		if (*p == '\033') {
			p += strcspn(p, "HJKmhl") + 1;
			line = p[-1] == 'H' ? 0 : line;
			continue;
		}
		n = utf8_decode((const uint8_t *)p, strlen(p), &c);
		assert_true(n > 0);
		line += width_char(c);
		most = line > most ? line : most;
		p += n;
	}
	return most;
}

static void lines_are_as_wide_as_the_terminal(void **state)
{
	static const char wide[] = "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87 and more";
	struct shown sh;

	for (unsigned int width = SCREEN_WIDTH_MIN; width < 80; width++) {
		open_screen(&sh, width, 6);
		sh.opt.bar_field = fields[1];
		sh.opt.bar_from = 40;
		sh.bps = 1000;
		begin_screen(&sh);
		row(&sh, wide, 1000);
		rows_end(&sh);
		if (sh.s->again) {
			row(&sh, wide, 1000);
			rows_end(&sh);
		}
		assert_true(widest(look(&sh)) <= width);
		sh.view.width = 20;		/* the same table, before others come */
		assert_int_equal(screen_draw(sh.s), 0);
		assert_true(widest(look(&sh)) <= 20);
		close_screen(&sh);
	}
}

/* At the edge the cursor has not moved on: erasing would take the last cell. */
static void a_full_line_is_not_erased(void **state)
{
	struct shown sh;

	open_screen(&sh, 27, 6);
	begin_screen(&sh);
	row(&sh, "eth0", 1000);
	rows_end(&sh);
	assert_non_null(strstr(look(&sh), "\033[2;1Heth0              1.0kbit/s\033[3;1H\033[J"));
	close_screen(&sh);
}

static void nothing_harmful_reaches_the_terminal(void **state)
{
	struct shown sh;
	struct buf b = { 0 };

	for (size_t i = 0; i < HOSTILE_TEXTS; i++) {
		char *p;

		open_screen(&sh, 70, 6);
		begin_screen(&sh);
		row(&sh, hostile_texts[i].p, 1);
		rows_end(&sh);
		for (p = (char *)look(&sh); (p = strchr(p, '\033')); *p = ' ')
			assert_true(p[1] == '[' && strspn(p + 2, "?0123456789;") == strcspn(p + 2, "HJKmhl"));
		assert_harmless(sh.text, strlen(sh.text));
		close_screen(&sh);
	}
	assert_int_equal(screen_cut(&b, "a\033[2J\x7f" "b\n", 8, 80), 8);
	assert_memory_equal(b.p, "a?[2J?b?", 8);
	buf_free(&b);
}

static void text_is_cut_at_characters(void **state)
{
	static const struct {
		const char *text;
		unsigned int cells, used;
		const char *want;
	} rows[] = {
		{ "abc", 2, 2, "ab" }, { "abc", 3, 3, "abc" }, { "abc", 0, 0, "" },
		{ "\xe4\xb8\xad\xe6\x96\x87", 3, 2, "\xe4\xb8\xad" }, { "\xe4\xb8\xad", 1, 0, "" },
		{ "e\xcc\x81x", 1, 1, "e\xcc\x81" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b.n = 0;
		assert_int_equal(screen_cut(&b, rows[i].text, strlen(rows[i].text), rows[i].cells), rows[i].used);
		assert_int_equal(b.n, strlen(rows[i].want));
		assert_memory_equal(b.p ? b.p : "", rows[i].want, b.n);
	}
	buf_free(&b);
}

static void bars_show_shares(void **state)
{
	static const struct {
		uint64_t n, all;
		bool utf8;
		const char *want;
	} rows[] = {
		{ 0, 0, false, "" }, { 0, 100, true, "" }, { 50, 100, false, "####" }, { 100, 100, false, "########" },
		{ 200, 100, false, "########" }, { 1, 1000000, false, "#" }, { 1, 1000000, true, "\xe2\x96\x8f" },
		{ 100, 800, true, "\xe2\x96\x88" }, { 150, 800, true, "\xe2\x96\x88\xe2\x96\x8c" },
		{ UINT64_MAX, UINT64_MAX, false, "########" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b.n = 0;
		screen_bar(&b, rows[i].n, rows[i].all, 8, rows[i].utf8);
		assert_int_equal(b.n, strlen(rows[i].want));
		assert_memory_equal(b.p ? b.p : "", rows[i].want, b.n);
	}
	buf_free(&b);
}

/* Resized, it has other rows and columns at the next table. */
static void another_size_is_another_layout(void **state)
{
	struct shown sh;

	open_screen(&sh, 70, 6);
	begin_screen(&sh);
	row(&sh, "eth0", 1000);
	rows_end(&sh);
	look(&sh);
	sh.view.height = 4;
	row(&sh, "eth0", 1000);
	row(&sh, "eth1", 1000);
	row(&sh, "eth2", 1000);
	rows_end(&sh);
	assert_non_null(strstr(look(&sh), "\033[3;1Heth1"));
	assert_null(strstr(sh.text, "eth2"));
	assert_non_null(strstr(sh.text, "\033[4;1H"));
	sh.view.height = 2;
	rows_end(&sh);
	assert_string_equal(look(&sh), "");
	close_screen(&sh);
}

/* Titles and the last line stand out where color may be. */
static void color_is_reversed(void **state)
{
	struct shown sh;

	open_screen(&sh, 30, 6);
	sh.opt.color = true;
	begin_screen(&sh);
	assert_non_null(strstr(look(&sh), "\033[1;1H\033[7mINTERFACE             BIT/S   \033[0m\033[2;1H"));
	close_screen(&sh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_drawn_over_one_another),
		cmocka_unit_test(rows_end_where_the_terminal_does),
		cmocka_unit_test(keys_and_pauses_are_told),
		cmocka_unit_test(losses_are_counted_below),
		cmocka_unit_test(lines_are_as_wide_as_the_terminal),
		cmocka_unit_test(a_full_line_is_not_erased),
		cmocka_unit_test(nothing_harmful_reaches_the_terminal),
		cmocka_unit_test(text_is_cut_at_characters),
		cmocka_unit_test(bars_show_shares),
		cmocka_unit_test(another_size_is_another_layout),
		cmocka_unit_test(color_is_reversed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
