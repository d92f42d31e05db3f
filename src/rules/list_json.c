// SPDX-License-Identifier: GPL-2.0-or-later
/* {"permitted_cidrs": ["10.0.0.0/8", ...]}: all of them become allow entries. */
#include "rules/rule.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "util/err.h"

static int told(struct list_report *report, const char *name, uint32_t line, const char *why)
{
	report->bad_lines++;
	report->bad(report->ctx, name, line, why);
	return 1;
}

/* jansson keeps no lines: they are found by walking along from text to text. */
struct walk {
	const char *p, *end;
	uint32_t line;
};

static void next_text(struct walk *w)
{
	while (w->p < w->end && *w->p != '"')
		w->line += *w->p++ == '\n';
}

static void skip_text(struct walk *w)
{
	for (w->p++; w->p < w->end && *w->p != '"'; w->p++)
		w->p += *w->p == '\\';
	w->p += w->p < w->end;
}

static int add_cidr(struct rules *r, const char *name, const json_t *v, const struct np_rule *like,
		    uint32_t file, uint32_t line, struct list_report *report)
{
	struct np_rule rule = *like;
	enum rules_met met;
	char why[160];
	uint32_t at;
	int err;

	if (!json_is_string(v)) {
		return told(report, name, line, "an element of permitted_cidrs is no text");
	}
	if (!rule_target(&rule, json_string_value(v), json_string_length(v)) || rule.kind == NP_KIND_MAC) {
		snprintf(why, sizeof(why), "'%.60s' is no address or prefix", json_string_value(v));
		return told(report, name, line, why);
	}
	rule.action = NP_ALLOW;
	rule.file = file;
	rule.line = line;
	err = rules_give(r, &rule, &met, &at);
	report->added += !err && met != RULES_GIVEN;
	report->same += !err && met == RULES_GIVEN;
	return err;
}

/* The last may lack its end. */
static uint32_t count_lines(const char *text, size_t n)
{
	uint32_t lines = n && text[n - 1] != '\n';

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

int list_json(struct rules *r, const char *name, const char *text, size_t n, const struct np_rule *like,
	      struct list_report *report)
{
	uint32_t file = rules_text(r, name, strlen(name));
	json_error_t e;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e), *list, *v;
	static const char key[] = "\"permitted_cidrs\"";
	struct walk w = { text, text + n, 1 };
	size_t i;
	int err = 0;

	report->lines = count_lines(text, n);
	if (!root)
		return told(report, name, (uint32_t)(e.line > 0 ? e.line : 0), e.text);
	list = json_object_get(root, "permitted_cidrs");
	if (!json_is_array(list)) {
		json_decref(root);
		return told(report, name, 1, "no array \"permitted_cidrs\"");
	}
	report->permitted = true;
	next_text(&w);
	while (w.p + sizeof(key) < w.end && memcmp(w.p, key, sizeof(key) - 1)) {
		skip_text(&w);
		next_text(&w);
	}
	skip_text(&w);
	for (i = 0; i < json_array_size(list); i++) {
		v = json_array_get(list, i);
		next_text(&w);
		err = add_cidr(r, name, v, like, file, w.line, report);
		skip_text(&w);
		if (err < 0)
			break;
	}
	json_decref(root);
	return err < 0 ? err : (int)report->bad_lines;
}
