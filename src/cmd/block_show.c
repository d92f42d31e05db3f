// SPDX-License-Identifier: GPL-2.0-or-later
/* What a firewall holds and does: list, status, poll. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/block.h"
#include "util/err.h"
#include "util/escape.h"
#include "util/time.h"

enum { TOP = 10 };

static const char *const reason_names[] = {
#define REASON_NAME(id, name, text) name,
	NP_REASONS(REASON_NAME)
#undef REASON_NAME
};

struct row {
	uint32_t index;
	struct np_hit hit;
};

static int by_hits(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	if (a->hit.hits != b->hit.hits)
		return a->hit.hits < b->hit.hits ? 1 : -1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static struct row *rows(struct block_run *b)
{
	struct row *v = calloc(b->rules.n ? b->rules.n : 1, sizeof(*v));
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

static uint64_t jiffy_ns(void)
{
	struct timespec t;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &t) || !t.tv_nsec ? 10000000 : (uint64_t)t.tv_nsec;
}

/* Seconds since the last hit, or -1. */
static double ago(const struct np_hit *h, const struct np_guard *now)
{
	if (!h->last || now->now_jiffies < h->last)
		return h->last ? 0 : -1;
	return (double)(now->now_jiffies - h->last) * (double)jiffy_ns() / 1e9;
}

void block_print_entry(struct buf *out, const struct rules *r, const struct np_rule *rule, uint64_t now_ns)
{
	const char *reason = rules_string(r, rule->reason), *file = rules_string(r, rule->file);
	char clean[1024];

	buf_fmt(out, "%u: ", rule->id);
	rule_print(out, r, rule, now_ns);
	if (*reason) {
		escape_text(clean, sizeof(clean), reason, strlen(reason), ESCAPE_FIELD);
		buf_fmt(out, "  %s", clean);
	}
	if (*file) {
		escape_text(clean, sizeof(clean), file, strlen(file), ESCAPE_FIELD);
		buf_fmt(out, "  (%s:%u)", clean, rule->line);
	}
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (!*text)
		return;
	/* What is no UTF-8 is read as Latin-1, as everywhere. */
	if (json_object_set_new(o, key, json_string(text))) {
		struct buf b = { 0 };

		for (const char *p = text; *p; p++) {
			if (*p & 0x80)
				buf_chr(&b, (char)(0xc0 | (uint8_t)*p >> 6));
			buf_chr(&b, (char)(*p & 0x80 ? 0x80 | (*p & 0x3f) : *p));
		}
		json_object_set_new(o, key, json_stringn(b.p, b.n));
		buf_free(&b);
	}
}

static json_t *entry_json(const struct block_run *b, const struct row *row, const struct np_guard *now)
{
	const struct np_rule *rule = &b->rules.v[row->index];
	json_t *o = json_pack("{s:{s:s},s:{s:I},s:{s:I,s:I}}", "event", "dataset", "block", "rule", "id",
			      (json_int_t)rule->id, "block", "hits", (json_int_t)row->hit.hits, "bytes",
			      (json_int_t)row->hit.bytes),
	       *r = json_object_get(o, "rule"), *k = json_object_get(o, "block");
	struct buf t = { 0 };
	char ref[640];

	json_object_set_new(json_object_get(o, "event"), "action",
			    json_string(rule_actions[rule->action <= NP_ALLOW ? rule->action : 0]));
	rule_print_target(&t, &b->rules, rule);
	json_object_set_new(k, "target", json_stringn(t.p, t.n));
	buf_free(&t);
	json_object_set_new(k, "direction",
			    json_string((const char *const[]){ "", "src", "dst", "both" }[rule->dir & 3]));
	if (rule->flags & NP_RULE_PROTO)
		json_object_set_new(k, "proto", json_integer(rule->proto));
	if (rule->flags & NP_RULE_PORT) {
		json_object_set_new(k, "port_from", json_integer(rule->port_lo));
		json_object_set_new(k, "port_to", json_integer(rule->port_hi));
	}
	if (rule->flags & NP_RULE_EXPIRES) {
		uint64_t left = rule->expires_ns > now->now_ns ? rule->expires_ns - now->now_ns : 0;

		json_object_set_new(k, "expires_in_s", json_integer((json_int_t)(left / 1000000000)));
	}
	if (ago(&row->hit, now) >= 0)
		json_object_set_new(k, "last_hit_s_ago", json_real(ago(&row->hit, now)));
	set_text(r, "name", rules_string(&b->rules, rule->reason));
	if (rule->file) {
		snprintf(ref, sizeof(ref), "%s:%u", rules_string(&b->rules, rule->file), rule->line);
		set_text(r, "reference", ref);
	}
	return o;
}

static void print_json(const json_t *o, bool pretty)
{
	char *text = json_dumps(o, pretty ? JSON_INDENT(2) : JSON_COMPACT);

	printf("%s\n", text ? text : "{}");
	free(text);
}

static void print_row(const struct block_run *b, const struct row *row, const struct np_guard *now)
{
	struct buf t = { 0 };
	double s = ago(&row->hit, now);

	if (b->o->hits && s >= 0)
		buf_fmt(&t, "%12llu %14llu %8.0f s  ", (unsigned long long)row->hit.hits,
			(unsigned long long)row->hit.bytes, s);
	else if (b->o->hits)
		buf_fmt(&t, "%12llu %14llu %10s  ", (unsigned long long)row->hit.hits,
			(unsigned long long)row->hit.bytes, "-");
	block_print_entry(&t, &b->rules, &b->rules.v[row->index], now->now_ns);
	printf("%.*s\n", (int)t.n, t.p ? t.p : "");
	buf_free(&t);
}

static int nothing_here(const struct block_run *b)
{
	fail(0, "%s has no firewall", b->place.ifname);
	return EXIT_FAILED;
}

int block_list(struct block_run *b)
{
	struct np_guard now;
	struct row *v;

	if (!b->running)
		return nothing_here(b);
	v = rows(b);
	if (!v || block_clock(&b->set, 0, &now)) {
		free(v);
		return EXIT_FAILED;
	}
	if (b->o->hits)
		qsort(v, b->rules.n, sizeof(*v), by_hits);
	if (b->o->hits && !b->g->json && !b->g->pretty && !b->g->no_header)
		printf("%12s %14s %10s  ENTRY\n", "HITS", "BYTES", "LAST");
	for (uint32_t i = 0; i < b->rules.n; i++) {
		if (b->g->json || b->g->pretty) {
			json_t *o = entry_json(b, &v[i], &now);

			print_json(o, b->g->pretty);
			json_decref(o);
		} else {
			print_row(b, &v[i], &now);
		}
	}
	free(v);
	return EXIT_DONE;
}

/* ── status ───────────────────────────────────────────────────────────────── */

static const char *confirmation(const struct np_guard *g, char *out, size_t size)
{
	if (!g->deadline_ns)
		return "confirmed";
	if (g->now_ns >= g->deadline_ns)
		return "NOT CONFIRMED IN TIME: everything passes";
	snprintf(out, size, "not confirmed: everything passes in %llu s",
		 (unsigned long long)((g->deadline_ns - g->now_ns) / 1000000000));
	return out;
}

static json_t *status_json(const struct block_run *b, const struct np_stats *s, const struct np_guard *g,
			   const struct pin_got *got)
{
	json_t *reasons = json_object();

	for (int i = 0; i < NP_REASONS_N; i++)
		json_object_set_new(reasons, reason_names[i],
				    json_pack("{s:I,s:I}", "packets", (json_int_t)s->packets[i], "bytes",
					      (json_int_t)s->bytes[i]));
	return json_pack(
		"{s:{s:s},s:{s:s,s:s},s:{s:I},s:{s:I,s:s,s:s,s:b,s:b,s:f,s:I,s:I,s:I,s:o}}", "event", "dataset",
		"block", "network", "interface", b->place.ifname, "hook", got->kind ? got->kind : "", "link",
		"id", (json_int_t)got->link_id, "block", "entries", (json_int_t)b->rules.n, "mode",
		block_modes[b->rules.mode % 3], "frag", block_frags[b->rules.frag % 3], "confirmed", !g->deadline_ns,
		"expired", g->deadline_ns && g->now_ns >= g->deadline_ns, "confirm_in_s",
		g->deadline_ns > g->now_ns ? (double)(g->deadline_ns - g->now_ns) / 1e9 : 0.0, "memory_bytes",
		(json_int_t)b->set.memory, "meters_evicted", (json_int_t)s->packets[NP_X_METER_EVICTED],
		"fragments_evicted", (json_int_t)s->packets[NP_X_FRAG_EVICTED], "reasons", reasons);
}

static void status_text(const struct block_run *b, const struct np_stats *s, const struct np_guard *g,
			const struct pin_got *got)
{
	static const char *const texts[] = {
#define REASON_TEXT(id, name, text) text,
		NP_REASONS(REASON_TEXT)
#undef REASON_TEXT
	};
	char room[96];

	printf("%s: %u entries at %s, link %u, %llu bytes of memory\n%s\n", b->place.ifname, b->rules.n, got->kind,
	       got->link_id, (unsigned long long)b->set.memory, confirmation(g, room, sizeof(room)));
	printf("%14s %16s\n", "PACKETS", "BYTES");
	for (int i = 0; i < NP_REASONS_N; i++)
		if (s->packets[i] || i == NP_R_DROP || i == NP_R_NONE)
			printf("%14llu %16llu  %s: %s\n", (unsigned long long)s->packets[i],
			       (unsigned long long)s->bytes[i], reason_names[i], texts[i]);
	if (s->packets[NP_X_METER_EVICTED])
		printf("%14llu %16s  rates of sources forgotten: too many at once\n",
		       (unsigned long long)s->packets[NP_X_METER_EVICTED], "-");
	if (s->packets[NP_X_FRAG_EVICTED])
		printf("%14llu %16s  fragments forgotten: too many at once\n",
		       (unsigned long long)s->packets[NP_X_FRAG_EVICTED], "-");
}

int block_status(struct block_run *b)
{
	struct np_stats s;
	struct np_guard g;
	struct pin_got got = { 0 };

	if (!b->running)
		return nothing_here(b);
	if (pin_attached(&b->view, b->hook, &got) != 1 || block_clock(&b->set, 0, &g))
		return EXIT_FAILED;
	block_stats(&b->set, &s);
	if (b->g->json || b->g->pretty) {
		json_t *o = status_json(b, &s, &g, &got);

		print_json(o, b->g->pretty);
		json_decref(o);
	} else {
		status_text(b, &s, &g, &got);
	}
	return EXIT_DONE;
}

/* ── poll ─────────────────────────────────────────────────────────────────── */

static void poll_reasons(const struct np_stats *now, const struct np_stats *was, double s)
{
	for (int i = 0; i < NP_REASONS_N; i++)
		if (now->packets[i] != was->packets[i])
			printf("%12.0f/s %14.0f bit/s  %s\n", (double)(now->packets[i] - was->packets[i]) / s,
			       (double)(now->bytes[i] - was->bytes[i]) * 8 / s, reason_names[i]);
}

static void poll_entries(struct block_run *b, const struct row *was, struct row *now, double s)
{
	struct buf t = { 0 };

	for (uint32_t i = 0; i < b->rules.n; i++) {
		now[i].hit.hits -= was[i].hit.hits;
		now[i].hit.bytes -= was[i].hit.bytes;
	}
	qsort(now, b->rules.n, sizeof(*now), by_hits);
	for (uint32_t i = 0; i < b->rules.n && i < TOP && now[i].hit.hits; i++) {
		t.n = 0;
		block_print_entry(&t, &b->rules, &b->rules.v[now[i].index], b->now_ns);
		printf("%12.0f/s %14.0f bit/s  %.*s\n", (double)now[i].hit.hits / s, (double)now[i].hit.bytes * 8 / s,
		       (int)t.n, t.p ? t.p : "");
	}
	buf_free(&t);
}

/* One interval; false: no more. */
static bool poll_once(struct block_run *b, uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	struct row *was = rows(b), *now;
	struct np_stats s0, s1;
	uint64_t t0 = block_now();
	double s;

	block_stats(&b->set, &s0);
	nanosleep(&t, NULL);
	block_stats(&b->set, &s1);
	now = rows(b);
	s = (double)(block_now() - t0) / 1e9;
	if (was && now) {
		poll_reasons(&s1, &s0, s);
		poll_entries(b, was, now, s);
		printf("\n");
	}
	free(was);
	free(now);
	return !fflush(stdout);
}

int block_poll(struct block_run *b)
{
	uint64_t ns = 1000000000, count = 0;

	if (!b->running)
		return nothing_here(b);
	if ((b->argc > 0 && (opt_duration(b->argv[0], &ns) || !ns)) ||
	    (b->argc > 1 && (opt_number(b->argv[1], 1000, 1, &count) || !count)) || b->argc > 2) {
		fail(0, "poll [INTERVAL [COUNT]]");
		return EXIT_USAGE;
	}
	for (uint64_t i = 0; !count || i < count; i++)
		if (!poll_once(b, ns))
			return EXIT_FAILED;
	return EXIT_DONE;
}
