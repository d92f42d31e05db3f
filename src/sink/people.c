// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/people.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sink/fmt.h"
#include "sink/name.h"
#include "util/units.h"

uint64_t people_sum(const struct list *counts)
{
	const struct named_count *c = counts->p;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < counts->n; i++)
		sum += c[i].n;
	return sum;
}

void people_count(struct buf *b, const struct named_count *c, uint64_t all)
{
	char count[8], share[8];

	text_count(count, c->n);
	text_share(share, c->n, all);
	buf_fmt(b, "%s %s (%s)", c->name, count, share);
}

static void put_counts(struct buf *b, const struct list *l)
{
	const struct named_count *c = l->p;
	uint64_t all = people_sum(l);

	for (uint32_t i = 0; i < l->n; i++) {
		if (i)
			buf_lit(b, "  ");
		people_count(b, &c[i], all);
	}
}

static bool is_bit_rate(const struct field *f)
{
	static const char end[] = "bits_per_second";
	size_t n = strlen(f->name), m = sizeof(end) - 1;

	return n >= m && !strcmp(f->name + n - m, end);
}

void people_value(struct buf *b, const struct field *f, const void *at)
{
	char text[8];

	if (f->type == FT_COUNTS) {
		put_counts(b, at);
	} else if (f->type == FT_U64 || f->type == FT_DURATION) {
		text_count(text, *(const uint64_t *)at);
		buf_str(b, text);
		if (is_bit_rate(f))
			buf_lit(b, "bit/s");
	} else {
		fmt_value(b, NULL, f->type, at, NULL);
	}
}

unsigned int people_width(const struct field *f)
{
	return is_bit_rate(f) ? sizeof("9.9Mbit/s") - 1 : sizeof("9.9M") - 1;
}

void people_title(char *out, size_t size, const struct field *f)
{
	if (f->title)
		snprintf(out, size, "%s", f->title);
	else if (f->metric == METRIC_LABEL)
		name_label(out, size, f->name);
	else
		name_metric(out, size, f->name);
	for (; *out; out++)
		*out = (char)toupper((unsigned char)*out);
}
