// SPDX-License-Identifier: GPL-2.0-or-later
/* policy: what was decided, and mistakes, for programs and for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/policy.h"
#include "cmd/policy_words.h"
#include "sink/jtext.h"
#include "util/escape.h"

const char *const policy_verdicts[] = { "allow", "deny", "unknown" };
const char *const policy_sides[SIDES] = { "egress", "ingress" };
static const char *const levels[] = { "note", "field", "error" };
static const char *const reasons[] = {
	[REASON_NOT_POD] = "not-a-pod",	      [REASON_HOST_NETWORK] = "host-network",
	[REASON_SELF] = "self",		      [REASON_LOCAL_NODE] = "local-node",
	[REASON_NOT_SELECTED] = "not-selected", [REASON_POLICIES] = "policies",
	[REASON_ADMIN] = "admin-policy",      [REASON_BASELINE] = "baseline-policy",
	[REASON_UNKNOWN] = "unknown",
};

/* All that decided.  More than there is room for are those of one namespace of hundreds of policies. */
enum { DECIDED_MAX = 1024 };

bool is_json(const struct policy *p)
{
	return p->g->json || p->g->pretty;
}

const char *policy_label(const struct policy *p, uint32_t policy)
{
	return p->k->policies[policy].label ? p->k->policies[policy].label : "";
}

const struct k8s_hit *find_hit(const struct k8s_hits *h, uint32_t policy)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (h->v[i].policy == policy)
			return &h->v[i];
	return NULL;
}

void say_hit(struct buf *b, enum side side, const struct k8s_hit *h)
{
	buf_fmt(b, "%s[%u]", policy_sides[side], h->rule);
	if (h->peer != UINT32_MAX)
		buf_fmt(b, ".%s[%u]", side == EGRESS ? "to" : "from", h->peer);
	if (h->port != UINT32_MAX)
		buf_fmt(b, ".ports[%u]", h->port);
}

/* ── JSON ─────────────────────────────────────────────────────────────────── */

static void put_text(struct buf *b, const char *s)
{
	size_t n = strlen(s), room = 6 * n + JSON_FIXED_MAX;
	struct json_writer w;

	if (!buf_room(b, room))
		return;
	w = (struct json_writer){ .o = b->p + b->n, .limit = b->p + b->n + room - JSON_FIXED_MAX / 2 };
	json_text(&w, s, n);
	b->n = (size_t)(w.o - b->p);
}

/* The object in p->line: a line, or with -p an element of the document. */
static void put_object(struct policy *p)
{
	struct buf text = { .max = 16 << 20 };

	if (!p->g->pretty) {
		buf_chr(&p->line, '\n');
		fwrite(p->line.p, 1, p->line.n, stdout);
	} else {
		buf_chr(&text, p->any ? ',' : '[');
		json_line_break(&text, 1);
		json_indent(&text, p->line.p, p->line.n, 1);
		fwrite(text.p, 1, text.n, stdout);
		buf_free(&text);
		p->any = true;
	}
	p->line.n = 0;
}

void print_end(struct policy *p)
{
	if (p->g->pretty)
		fputs(p->any ? "\n]\n" : "[]\n", stdout);
}

static void put_policies(const struct policy *p, struct buf *b, const char *key, const struct k8s_hits *h)
{
	buf_fmt(b, "\"%s\":[", key);
	for (uint32_t i = 0; i < h->n; i++) {
		if (i)
			buf_chr(b, ',');
		put_text(b, policy_label(p, h->v[i].policy));
	}
	buf_str(b, "],");
}

static void put_rules(const struct policy *p, struct buf *b, enum side side, const struct k8s_hits *h, bool *first)
{
	for (uint32_t i = 0; i < h->n; i++) {
		char text[FLOW_END_MAX + 320];
		struct buf rule = { .p = text, .cap = sizeof(text) - 1, .max = sizeof(text) - 1 };

		buf_str(&rule, policy_label(p, h->v[i].policy));
		buf_chr(&rule, ' ');
		say_hit(&rule, side, &h->v[i]);
		text[rule.n] = 0;
		if (!*first)
			buf_chr(b, ',');
		*first = false;
		put_text(b, text);
	}
}

static void put_side(const struct policy *p, struct buf *b, enum side side)
{
	const struct k8s_side *s = &p->d.side[side];
	bool first = true;

	buf_fmt(b, ",\"%s\":{\"verdict\":\"%s\",", policy_sides[side], policy_verdicts[s->verdict]);
	put_policies(p, b, "selected_by", &s->selected);
	put_policies(p, b, "allowed_by", &s->allowed);
	buf_str(b, "\"rules\":[");
	put_rules(p, b, side, &s->admin, &first);
	put_rules(p, b, side, &s->allowed, &first);
	buf_fmt(b, "],\"reason\":\"%s\"}", reasons[s->reason]);
}

static void put_missing(const struct policy *p, struct buf *b)
{
	char text[4 * FLOW_END_MAX * ESCAPE_MAX];
	struct buf missing = { .p = text, .cap = sizeof(text) - 1, .max = sizeof(text) - 1 };

	say_missing(p->k, &missing, &p->d.flow);
	text[missing.n] = 0;
	if (!missing.n)
		return;
	buf_str(b, ",\"missing\":");
	put_text(b, text);
}

static void put_json(struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count)
{
	uint32_t v[DECIDED_MAX], n = k8s_decided_by(&p->d, v, DECIDED_MAX);
	struct buf *b = &p->line;

	buf_str(b, "{\"from\":");
	put_text(b, from);
	buf_str(b, ",\"to\":");
	put_text(b, to);
	buf_fmt(b, ",\"port\":%u,\"protocol\":\"%s\",\"verdict\":\"%s\",\"policies\":[", f->port, proto_name(f->proto),
		policy_verdicts[p->d.verdict]);
	for (uint32_t i = 0; i < n && i < DECIDED_MAX; i++) {
		if (i)
			buf_chr(b, ',');
		put_text(b, policy_label(p, v[i]));
	}
	buf_chr(b, ']');
	put_side(p, b, EGRESS);
	put_side(p, b, INGRESS);
	if (p->d.verdict == VERDICT_UNKNOWN)
		put_missing(p, b);
	if (count)
		buf_fmt(b, ",\"count\":%" PRIu64, count);
	buf_chr(b, '}');
	put_object(p);
}

/* ── a line ───────────────────────────────────────────────────────────────── */

static void say_by(const struct policy *p, struct buf *b, uint32_t policy)
{
	const char *between = "";

	say_text(b, policy_label(p, policy));
	for (int side = 0; side < SIDES; side++) {
		const struct k8s_side *s = &p->d.side[side];
		const struct k8s_hit *h = find_hit(&s->admin, policy);

		if (!h)
			h = find_hit(&s->allowed, policy);
		if (h && s->verdict == p->d.verdict) {
			buf_fmt(b, "%s ", between);
			say_hit(b, (enum side)side, h);
			between = ",";
		} else if (!h && find_hit(&s->selected, policy)) {
			buf_fmt(b, "%s %s: no rule", between, policy_sides[side]);
			between = ",";
		}
	}
}

static void put_line(struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count)
{
	uint32_t v[DECIDED_MAX], n = k8s_decided_by(&p->d, v, DECIDED_MAX);
	struct buf *b = &p->line;

	buf_fmt(b, "%-7s ", policy_verdicts[p->d.verdict]);
	say_text(b, from);
	buf_str(b, " > ");
	say_text(b, to);
	buf_fmt(b, " %u/%s", f->port, proto_name(f->proto));
	if (count)
		buf_fmt(b, " (%" PRIu64 ")", count);
	for (uint32_t i = 0; i < n && i < DECIDED_MAX; i++) {
		buf_str(b, i ? "; " : "  ");
		say_by(p, b, v[i]);
	}
	if (!n)
		buf_str(b, "  no policy");
	if (p->d.verdict == VERDICT_UNKNOWN) {
		struct buf missing = { 0 };

		say_missing(p->k, &missing, &p->d.flow);
		if (missing.n)
			buf_str(b, " (");
		buf_add(b, missing.p, missing.n);
		if (missing.n)
			buf_chr(b, ')');
		buf_free(&missing);
	}
	buf_chr(b, '\n');
	fwrite(b->p, 1, b->n, stdout);
	b->n = 0;
}

void print_decision(struct policy *p, const char *from, const char *to, const struct k8s_flow *f, uint64_t count)
{
	(is_json(p) ? put_json : put_line)(p, from, to, f, count);
}

/* ── mistakes ─────────────────────────────────────────────────────────────── */

static void put_mistake(struct policy *p, const struct mistake *m)
{
	struct buf *b = &p->line;

	buf_str(b, "{\"file\":");
	put_text(b, m->file);
	if (m->line)
		buf_fmt(b, ",\"line\":%u", m->line);
	if (m->column)
		buf_fmt(b, ",\"column\":%u", m->column);
	buf_fmt(b, ",\"level\":\"%s\",\"object\":", levels[m->level]);
	put_text(b, m->object);
	buf_str(b, ",\"path\":");
	put_text(b, m->path);
	buf_str(b, ",\"message\":");
	put_text(b, m->text);
	buf_chr(b, '}');
	put_object(p);
}

void print_mistake(struct policy *p, FILE *to, const struct mistake *m)
{
	char file[1024], text[2048], object[2048], path[2048];

	if (is_json(p) && to == stdout) {
		put_mistake(p, m);
		return;
	}
	escape_text(file, sizeof(file), m->file, strlen(m->file), ESCAPE_FIELD);
	escape_text(object, sizeof(object), m->object, strlen(m->object), ESCAPE_FIELD);
	escape_text(path, sizeof(path), m->path, strlen(m->path), ESCAPE_FIELD);
	escape_text(text, sizeof(text), m->text, strlen(m->text), ESCAPE_FIELD);
	fprintf(to, "%s:", file);
	if (m->line)
		fprintf(to, "%u:", m->line);
	if (m->line && m->column)
		fprintf(to, "%u:", m->column);
	fprintf(to, " %s: %s%s", m->level == MISTAKE_NOTE ? "note" : "mistake", object, *object ? ": " : "");
	fprintf(to, "%s%s%s\n", path, *path ? " " : "", text);
}
