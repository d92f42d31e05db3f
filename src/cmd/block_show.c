// SPDX-License-Identifier: GPL-2.0-or-later
/* The entries of sets: list. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/block.h"
#include "cmd/listing.h"
#include "util/err.h"
#include "util/escape.h"

int block_by_hits(const void *pa, const void *pb)
{
	const struct block_row *a = pa, *b = pb;

	if (a->hit.hits != b->hit.hits)
		return a->hit.hits < b->hit.hits ? 1 : -1;
	return a->index < b->index ? -1 : a->index > b->index;
}

struct block_row *block_hits(const struct block_run *b)
{
	struct block_row *v = calloc(b->rules.n ? b->rules.n : 1, sizeof(*v));
	struct np_hit *recent = block_recent(&b->set, b->rules.n);

	for (uint32_t i = 0; v && recent && i < b->rules.n; i++) {
		v[i].index = i;
		v[i].hit = block_hit(&b->set, i, recent);
	}
	if (!recent) {
		free(v);
		v = NULL;
	}
	free(recent);
	if (!v)
		fail(ENOMEM, "counts of entries");
	return v;
}

void block_print_size(char out[16], uint64_t bytes)
{
	if (bytes < 1 << 20)
		snprintf(out, 16, "%llu KiB", (unsigned long long)(bytes + 1023) >> 10);
	else
		snprintf(out, 16, "%.1f MiB", (double)bytes / (1 << 20));
}

const char *block_entries(uint64_t n)
{
	return n == 1 ? "entry" : "entries";
}

void block_put_clean(struct buf *b, const char *before, const char *text, size_t n)
{
	char clean[1024];

	escape_text(clean, sizeof(clean), text, n, ESCAPE_FIELD);
	buf_str(b, before);
	buf_str(b, clean);
}

static void put_raw(struct buf *b, const char *before, const char *text, size_t n)
{
	buf_str(b, before);
	buf_add(b, text, n);
}

/* Behind the number it is a line of a list: blanks around a reason, which lists do not keep, are left out. */
static void print_entry(struct buf *out, const struct rules *r, const struct np_rule *rule, uint64_t now_ns,
			void (*put)(struct buf *b, const char *before, const char *text, size_t n))
{
	const char *reason = rules_string(r, rule->reason), *file = rules_string(r, rule->file);
	size_t n;

	reason += strspn(reason, " \t");
	for (n = strlen(reason); n && (reason[n - 1] == ' ' || reason[n - 1] == '\t');)
		n--;
	buf_fmt(out, "%u: ", rule->id);
	rule_print(out, r, rule, now_ns);
	if (n)
		put(out, " # ", reason, n);
	if (*file) {
		put(out, "  (", file, strlen(file));
		buf_fmt(out, ":%u)", rule->line);
	}
}

void block_print_entry(struct buf *out, const struct rules *r, const struct np_rule *rule, uint64_t now_ns)
{
	print_entry(out, r, rule, now_ns, block_put_clean);
}

void block_say_entry(struct buf *out, const struct rules *r, const struct np_rule *rule, uint64_t now_ns)
{
	print_entry(out, r, rule, now_ns, put_raw);
}

void block_print_place(struct buf *out, const struct record *r)
{
	block_put_clean(out, "", r->interface.p, r->interface.n);
	buf_fmt(out, " %s%s%s", r->hook, record_has(r, FIELD_LINK_MODE) ? " " : "",
		record_has(r, FIELD_LINK_MODE) ? r->hook_mode : "");
}

/* ── list ─────────────────────────────────────────────────────────────────── */

struct list_run {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct block_texts texts;
	bool titles;			/* are to come */
	bool many;			/* lines tell of which set they are */
	/* What the next line is of. */
	const struct block_run *set;
	const struct block_row *row;
	struct np_guard now;
};

static void rule_line(void *ctx, const struct record *r, struct buf *b)
{
	struct list_run *run = ctx;
	const struct np_hit *h = &run->row->hit;
	bool hits = run->set->o->hits;
	char last[24] = "-";

	if (run->titles && hits)
		buf_fmt(b, "%12s %14s %10s  ENTRY\n", "HITS", "BYTES", "LAST");
	run->titles = false;
	if (h->last)
		snprintf(last, sizeof(last), "%.0f s", (double)block_ago_ns(h, &run->now) / 1e9);
	if (hits)
		buf_fmt(b, "%12llu %14llu %10s  ", (unsigned long long)h->hits, (unsigned long long)h->bytes, last);
	if (run->many) {
		block_print_place(b, r);
		buf_lit(b, "  ");
	}
	block_print_entry(b, &run->set->rules, &run->set->rules.v[run->row->index], run->now.now_ns);
}

/* 0, or to stop: 1 or a negative errno. */
static int list_set(struct list_run *run, struct block_run *b)
{
	struct block_row *v = block_hits(b);
	struct record r;
	int err = v ? block_clock(&b->set, 0, &run->now) : -ENOMEM;

	if (!err && b->o->hits)
		qsort(v, b->rules.n, sizeof(*v), block_by_hits);
	run->set = b;
	for (uint32_t i = 0; i < b->rules.n && !err; i++) {
		run->row = &v[i];
		block_rule_record(&r, b, &b->rules.v[v[i].index], &v[i].hit, &run->now, &run->texts);
		err = listing_put(&run->pipe, &r);
	}
	free(v);
	return err;
}

int block_list(struct block_run *b)
{
	static const uint16_t columns[] = {
		FIELD_INTERFACE, FIELD_LINK_HOOK, FIELD_RULE_ID, FIELD_ACTION, FIELD_RULE_TARGET, FIELD_RULE_DIRECTION,
		FIELD_RULE_PROTO, FIELD_RULE_PORT_FROM, FIELD_RULE_PORT_TO, FIELD_RULE_RATE, FIELD_RULE_EXPIRES,
		FIELD_RULE_HITS, FIELD_RULE_BYTES, FIELD_RULE_LAST_HIT, FIELD_RULE_NAME, FIELD_RULE_REFERENCE,
	};
	struct list_run run = { .titles = !b->g->no_header };
	struct block_sets sets = { 0 };
	int err;

	run.o = (struct output_options){ .g = b->g, .records = true,
					 .text = { .line = rule_line, .line_state = &run } };
	if (output_check(&run.out, &run.o))
		return EXIT_USAGE;
	err = block_sets_open(&sets, b, true);
	if (!err)
		err = listing_open(&run.out, &run.pipe, &rule_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	run.many = sets.n > 1;
	run.pipe.where = b->where;
	for (unsigned int i = 0; i < sets.n && !err; i++)
		err = list_set(&run, sets.v[i]);
	block_sets_close(&sets);
	block_texts_free(&run.texts);
	return listing_close(&run.out, &run.pipe, err);
}
