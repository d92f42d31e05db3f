// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>

#include "sink/name.h"
#include "sink_text.h"
#include "stats/fields.h"

static void make_host(struct record *r, const char *name, uint64_t packets)
{
	memset(r, 0, sizeof(*r));
	record_start(r, &stats_dataset);
	r->interface = (struct str){ name, (uint32_t)strlen(name) };
	stats_of(r)->packets = packets;
	stats_of(r)->pps = 7;
	record_mark(r, FIELD_INTERFACE);
	record_mark(r, FIELD_STATS_PACKETS);
	record_mark(r, FIELD_STATS_PPS);
}

#define PACKETS "# TYPE netprobe_packets counter\n# HELP netprobe_packets packets\n"
#define PPS "# TYPE netprobe_packets_per_second gauge\n" \
	    "# HELP netprobe_packets_per_second since the last such record, or over all the time\n"
#define LOST "# TYPE netprobe_lost counter\n# HELP netprobe_lost how many since the last such record\n"

/* Families in one piece each, a set of labels once in them: two interfaces have one name. */
static void samples_of_a_family_stand_together_and_once(void **state)
{
	const struct sink_options opt = { 0 };
	struct record a, b, c;
	const struct record *all[] = { &a, &b, &c };
	size_t len;
	char *text;

	make_host(&a, "b", 1);
	make_host(&b, "a", 2);
	make_host(&c, "b", 4);
	text = sink_text_of(&sink_prom, &opt, all, 3, &len);
	assert_string_equal(text, PACKETS "netprobe_packets_total{interface=\"a\"} 2\n"
					  "netprobe_packets_total{interface=\"b\"} 5\n" PPS
					  "netprobe_packets_per_second{interface=\"a\"} 7\n"
					  "netprobe_packets_per_second{interface=\"b\"} 14\n# EOF\n");
	free(text);
}

static void names_of_others_are_escaped(void **state)
{
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "a\"b", "a\\\"b" },	    { "a\nb", "a\\\\x0ab" },	{ "a\\b", "a\\\\\\\\b" },
		{ "\xff", "\\\\xff" },	    { "\x1b[2J", "\\\\x1b[2J" }, { "gr\xc3\xbc n", "gr\xc3\xbc n" },
		{ "},{ # EOF", "},{ # EOF" },
	};
	const struct sink_options opt = { 0 };
	struct record r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char want[512];
		char *text;

		make_host(&r, rows[i].name, 1);
		record_unmark(&r, FIELD_STATS_PPS);
		text = one_text(&sink_prom, &opt, &r);
		snprintf(want, sizeof(want), PACKETS "netprobe_packets_total{interface=\"%s\"} 1\n# EOF\n", rows[i].label);
		assert_string_equal(text, want);
		free(text);
	}
}

static void losses_add_up_to_the_end(void **state)
{
	const struct sink_options opt = { 0 };
	struct record a, b, c;
	const struct record *all[] = { &a, &b, &c, &a, &a };
	size_t len;
	char *text;

	make_lost(&a);
	make_lost(&b);
	make_host(&c, "", 3);
	record_unmark(&c, FIELD_STATS_PPS);
	lost_of(&b)->stage = "map";
	text = sink_text_of(&sink_prom, &opt, all, 5, &len);
	assert_string_equal(text, PACKETS "netprobe_packets_total 3\n" LOST
					  "netprobe_lost_total{stage=\"map\",reason=\"ring_full\"} 812\n"
					  "netprobe_lost_total{stage=\"ring\",reason=\"ring_full\"} 2436\n# EOF\n");
	free(text);
}

static void nothing_is_an_exposition_too(void **state)
{
	const struct sink_options opt = { 0 };
	size_t len;
	char *text = sink_text_of(&sink_prom, &opt, NULL, 0, &len);

	assert_string_equal(text, "");
	free(text);
}

static char *text_so_far(struct out *o)
{
	char *text = strndup(o->buf.p, o->buf.n);

	assert_non_null(text);
	o->buf.n = o->committed = o->n_ends = 0;
	return text;
}

/* Each set of rows is an exposition of its own; what is lost goes on, and comes once more when it grew at the end. */
static void each_set_of_rows_is_one(void **state)
{
	const struct sink_options opt = { .series = true };
	struct record a, b, lost;
	struct out *out = NULL;
	struct sink *s = NULL;
	char *text;

	make_host(&a, "a", 1);
	make_host(&b, "b", 2);
	make_lost(&lost);
	record_unmark(&a, FIELD_STATS_PPS);
	record_unmark(&b, FIELD_STATS_PPS);
	assert_int_equal(out_open(&out, memfd_create("sink", MFD_CLOEXEC), "memory"), 0);
	assert_int_equal(sink_open(&s, &sink_prom, out, &opt), 0);
	assert_int_equal(sink_record(s, &lost), 0);
	assert_int_equal(sink_record(s, &a), 0);
	assert_int_equal(out->buf.n, 0);
	assert_int_equal(s->ops->rows_end(s), 0);
	text = text_so_far(out);
	assert_string_equal(text, PACKETS "netprobe_packets_total{interface=\"a\"} 1\n" LOST
					  "netprobe_lost_total{stage=\"ring\",reason=\"ring_full\"} 812\n# EOF\n");
	free(text);
	assert_int_equal(sink_record(s, &b), 0);
	assert_int_equal(s->ops->rows_end(s), 0);
	text = text_so_far(out);
	assert_string_equal(text, PACKETS "netprobe_packets_total{interface=\"b\"} 2\n" LOST
					  "netprobe_lost_total{stage=\"ring\",reason=\"ring_full\"} 812\n# EOF\n");
	free(text);
	assert_int_equal(s->ops->finish(s), 0);
	assert_int_equal(out->buf.n, 0);
	assert_int_equal(sink_record(s, &lost), 0);
	assert_int_equal(s->ops->finish(s), 0);
	text = text_so_far(out);
	assert_string_equal(text, PACKETS "netprobe_packets_total{interface=\"b\"} 2\n" LOST
					  "netprobe_lost_total{stage=\"ring\",reason=\"ring_full\"} 1624\n# EOF\n");
	free(text);
	assert_int_equal(sink_close(s), 0);
	assert_int_equal(out_close(out), 0);
}

static void assert_name(const char *name)
{
	assert_true(islower((unsigned char)name[0]));
	for (; *name; name++)
		assert_true(islower((unsigned char)*name) || isdigit((unsigned char)*name) || *name == '_');
}

static bool can_be_label(const struct field *f)
{
	return f->metric == METRIC_LABEL && f->type != FT_TIME && strcmp(f->name, "@timestamp") != 0;
}

/* Whatever --by tells of, in datasets that have numbers or are rows of stats. */
static void no_two_fields_have_one_name(void **state)
{
	const struct dataset *const sets[] = { &stats_dataset, &device_dataset, &lost_dataset };
	char a[64], b[64];

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		unsigned int n;
		const uint16_t *order = dataset_order(sets[i], &n);

		for (unsigned int j = 0; j < n; j++) {
			const struct field *f = dataset_field(sets[i], order[j]);

			if (!can_be_label(f))
				continue;
			name_label(a, sizeof(a), f->name);
			assert_name(a);
			for (unsigned int k = 0; k < j; k++) {
				const struct field *g = dataset_field(sets[i], order[k]);

				name_label(b, sizeof(b), g->name);
				assert_false(can_be_label(g) && !strcmp(a, b));
			}
		}
	}
	for (unsigned int i = 0; i < fields_count(); i++) {
		if (field_get(i)->metric == METRIC_LABEL)
			continue;
		name_metric(a, sizeof(a), field_get(i)->name);
		assert_name(a);
		for (unsigned int k = 0; k < i; k++) {
			name_metric(b, sizeof(b), field_get(k)->name);
			assert_false(field_get(k)->metric != METRIC_LABEL && !strcmp(a, b));
		}
	}
}

static void names_are_made_by_one_rule(void **state)
{
	static const char *const labels[][2] = {
		{ "host.ip", "host" }, { "server.port", "port" }, { "network.transport", "transport" },
		{ "network.interface", "interface" }, { "network.direction", "direction" }, { "lost.stage", "stage" },
		{ "device.ip", "ip" }, { "source.ip", "source" }, { "source.port", "source_port" },
	};
	static const char *const metrics[][2] = {
		{ "stats.packets", "packets" }, { "stats.captured_bytes", "captured_bytes" }, { "lost.count", "lost" },
		{ "stats.by_transport", "by_transport" },
	};
	char name[64];

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		name_label(name, sizeof(name), labels[i][0]);
		assert_string_equal(name, labels[i][1]);
	}
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		name_metric(name, sizeof(name), metrics[i][0]);
		assert_string_equal(name, metrics[i][1]);
	}
}

/* A number is measured, or tells what is: no row says nothing of its own. */
static void numbers_of_stats_are_metrics(void **state)
{
	for (unsigned int i = 0; i < fields_count(); i++)
		if (!strncmp(field_get(i)->name, "stats.", 6) && field_get(i)->type != FT_WORD)
			assert_int_not_equal(field_get(i)->metric, METRIC_LABEL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_a_family_stand_together_and_once),
		cmocka_unit_test(names_of_others_are_escaped),
		cmocka_unit_test(losses_add_up_to_the_end),
		cmocka_unit_test(nothing_is_an_exposition_too),
		cmocka_unit_test(each_set_of_rows_is_one),
		cmocka_unit_test(no_two_fields_have_one_name),
		cmocka_unit_test(names_are_made_by_one_rule),
		cmocka_unit_test(numbers_of_stats_are_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
