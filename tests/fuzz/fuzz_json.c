// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hostile bytes in every text of a record: each JSON line parses, is UTF-8 of at
 * most 64 KiB and harmless to a terminal; pretty JSON parses; rows of CSV and of
 * tables are one line without a control character.
 *
 * Input: 32 bytes of presence bits, 1 of kind, 1 of scale, 2 of lengths, the texts.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "decode/dns/fields.h"
#include "sink/out.h"
#include "sink/sink.h"
#include "unit/json_check.h"

enum { HEADER = 36, ITEMS = 3, SCALED_MAX = 6000 };

struct texts {
	const char *p;
	size_t n, at;
	uint8_t len[2];
	unsigned int turn;
};

static struct str next_text(struct texts *t)
{
	size_t n = t->len[t->turn++ & 1] % 24;
	struct str s;

	if (t->at >= t->n)
		t->at = 0;
	n = n < t->n - t->at ? n : t->n - t->at;
	/* The longest there is stands for texts that do not fit a line. */
	if (t->n > 4096)
		n = t->n - t->at;
	s = (struct str){ t->p + t->at, (uint32_t)n };
	t->at += n ? n : 1;
	return s;
}

static void fill_items(struct record *r, struct texts *t)
{
	static const char *const words[] = { "AA", "RD" };
	static const uint16_t vlans[] = { 0, 65535 };
	static struct dns_answer answers[ITEMS];
	static struct dns_question questions[ITEMS];
	static struct str lists[ITEMS][2];
	unsigned int i;

	for (i = 0; i < ITEMS; i++) {
		lists[i][0] = next_text(t);
		lists[i][1] = next_text(t);
		answers[i] = (struct dns_answer){
			.present = (i & 1 ? 0x1f : 0x2f), .name = next_text(t), .type = next_text(t),
			.class = next_text(t), .data = next_text(t), .ttl = UINT32_MAX >> i,
			.data_list = { lists[i], 2 } };
		questions[i] = (struct dns_question){ .present = i, .name = next_text(t), .type = next_text(t),
						      .class = next_text(t), .unicast_response = i & 1 };
	}
	dns_of(r)->answers = (struct list){ answers, ITEMS };
	dns_of(r)->questions = (struct list){ questions, ITEMS };
	dns_of(r)->header_flags = (struct list){ words, 2 };
	r->vlan = (struct list){ vlans, 2 };
	r->tunnel = (struct list){ words, 1 };
}

static void fill(struct record *r, const uint8_t *data, struct texts *t)
{
	static struct str some[3];
	static const uint16_t numbers[2] = { 0, UINT16_MAX };
	static const uint32_t large[2] = { 0, UINT32_MAX };
	static const struct named_count counts[2] = { { "udp", 0 }, { "tcp", UINT64_MAX } };
	static const struct pair pairs[2] = { { { "k", 1 }, { "v", 1 } }, { { "\xff\"", 2 }, { "", 0 } } };
	const struct dataset *set = datasets[data[32] % n_datasets];
	unsigned int n;
	const uint16_t *order = dataset_order(set, &n);
	unsigned int i;

	memset(r, 0, sizeof(*r));
	record_start(r, set);
	for (i = 0; i < 3; i++)
		some[i] = next_text(t);
	memset(r->present, 0, sizeof(r->present));
	for (i = 0; i < n; i++) {
		const struct field *f = dataset_field(set, order[i]);
		char *at = (char *)r + f->off;

		if (data[i / 8 % 32] >> i % 8 & 1)
			record_mark(r, order[i]);
		if (f->type == FT_WORD)
			memcpy(at, &(const char *){ "word" }, sizeof(char *));
		else if (f->type == FT_STR)
			memcpy(at, &(struct str){ "", 0 }, sizeof(struct str));
		else if (f->type == FT_ADDR)
			*at = (char)(i % 3 ? 4 + 2 * (data[33] & 1) : 0);
		else if (f->type == FT_U64 || f->type == FT_I64 || f->type == FT_F64 || f->type == FT_TIME ||
			 f->type == FT_DURATION)
			memcpy(at, data + 24, 8);
		else if (f->type == FT_I32)
			memcpy(at, data + 24, 4);
		else if (f->type == FT_STRS)
			memcpy(at, &(struct list){ some, 3 }, sizeof(struct list));
		else if (f->type == FT_U16S)
			memcpy(at, &(struct list){ numbers, 2 }, sizeof(struct list));
		else if (f->type == FT_U32S)
			memcpy(at, &(struct list){ large, 2 }, sizeof(struct list));
		else if (f->type == FT_COUNTS)
			memcpy(at, &(struct list){ counts, 2 }, sizeof(struct list));
		else if (f->type == FT_MAP)
			memcpy(at, &(struct list){ pairs, 2 }, sizeof(struct list));
		if (f->type == FT_STR && record_has(r, order[i]))
			memcpy(at, &(struct str[]){ next_text(t) }, sizeof(struct str));
	}
	if (set == &dns_dataset)
		fill_items(r, t);
	r->interface = next_text(t);
	record_unmark(r, FIELD_TRUNCATED);
}

static void must(bool good)
{
	if (!good)
		abort();
}

static void check_row(const char *p, size_t n)
{
	uint32_t c;
	size_t i, len;

	must(n && p[n - 1] == '\n');
	for (i = 0; i < n - 1; i += len) {
		len = utf8_decode((const uint8_t *)p + i, n - i, &c);
		must(len && !escape_harmful(c));
	}
}

static struct out *out;

static struct sink *open_sink(const struct sink_ops *ops, const struct sink_options *opt)
{
	struct sink *s;

	if (!out)
		must(!out_open(&out, open("/dev/null", O_WRONLY | O_CLOEXEC), "null"));
	must(!sink_open(&s, ops, out, opt));
	return s;
}

/* The text of one record, taken from the buffer before it is written. */
static const char *text_of(struct sink *s, const struct record *r, size_t *n)
{
	out->buf.n = out->committed = out->n_ends = 0;
	must(!out_begin(out, 0) && !s->ops->record(s, r));
	*n = out->buf.n;
	return out->buf.p;
}

/* An exposition of one record; what was more than a batch is gone. */
static void check_exposition(const struct record *r)
{
	static struct sink *prom;
	const struct sink_options opt = { .series = true };
	const char *p, *end;

	if (!prom)
		prom = open_sink(&sink_prom, &opt);
	out->buf.n = out->committed = out->n_ends = 0;
	must(!out_begin(out, 0) && !prom->ops->record(prom, r) && !prom->ops->rows_end(prom));
	for (p = out->buf.p, end = p + out->buf.n; p < end;) {
		const char *line = p;

		p = memchr(p, '\n', (size_t)(end - p));
		must(p != NULL);
		check_row(line, (size_t)(++p - line));
		must(p < end || !strncmp(line, "# EOF\n", 6));
	}
}

static void check_record(const struct record *r)
{
	static uint16_t all[1024];
	static struct sink *json, *pretty, *csv, *table, *columns;
	struct sink_options opt = { 0 };
	const char *p;
	size_t n;

	if (!json) {
		must(fields_count() <= sizeof(all) / sizeof(all[0]));
		for (unsigned int i = 0; i < fields_count(); i++)
			all[i] = (uint16_t)i;
		json = open_sink(&sink_json, &opt);
		opt.pretty = true;
		pretty = open_sink(&sink_json, &opt);
		table = open_sink(&sink_table, &opt);
		opt.fields = all;
		opt.n_fields = fields_count();
		csv = open_sink(&sink_csv, &opt);
		opt.width = 800;
		columns = open_sink(&sink_table, &opt);
	}
	p = text_of(json, r, &n);
	if (n) {	/* else it made a batch and is gone */
		must(n <= 64 * 1024 && p[n - 1] == '\n');
		must(json_is_valid(p, n - 1, false));
		check_row(p, n);
	}
	p = text_of(pretty, r, &n);
	n -= n && p[0] == ',';
	if (n)
		must(json_is_valid(strchr(p, '{'), (size_t)(p + n + (p[0] == ',') - strchr(p, '{')), true));
	p = text_of(csv, r, &n);
	if (n)
		check_row(p, n);
	p = text_of(columns, r, &n);
	if (n)
		check_row(p, n);
	p = text_of(table, r, &n);
	if (n)
		check_row(p, n);
	check_exposition(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char scaled[SCALED_MAX];
	struct texts t = { 0 };
	uint32_t hash = 2166136261u;
	struct record r;

	if (size <= HEADER)
		return 0;
	t.p = (const char *)data + HEADER;
	t.n = size - HEADER;
	memcpy(t.len, data + 34, 2);
	/* Slow, so seldom, and lost again by any mutation: texts far longer than a line. */
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 16777619u;
	if (!(hash >> 8 & 2047)) {
		for (size_t i = 0; i < SCALED_MAX; i++)
			scaled[i] = t.p[i % t.n];
		t.p = scaled;
		t.n = SCALED_MAX;
	}
	fill(&r, data, &t);
	check_record(&r);
	return 0;
}
