// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON texts, cut into objects: a scanner that knows strings and brackets copies one
 * object at a time for jansson.  It leaves out what is half of such lists and means nothing here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "k8s/parts.h"
#include "util/err.h"

enum { KEY_MAX = 64 };

struct cutter {
	struct loader *l;
	struct input *in;
	char *p;			/* the object's text */
	size_t n, room;
	uint32_t line;			/* of its first byte */
	bool mute;			/* copy nothing but the ends of lines */
	char kind[KEY_MAX];		/* of the list */
};

/* Everything below returns false when the text cannot be read further; it was said. */
static bool put_more(struct cutter *c)
{
	size_t room = c->room ? c->room * 2 : 64 << 10;
	char *p;

	if (room > LOAD_OBJECT_MAX) {
		mistake_in_text(c->l, c->line, 0, "this object has more than %d MiB", LOAD_OBJECT_MAX >> 20);
		return false;
	}
	p = realloc(c->p, room);
	if (!p) {
		c->in->error = fail(ENOMEM, "%s", c->in->name);
		return false;
	}
	c->p = p;
	c->room = room;
	return true;
}

static inline bool put(struct cutter *c, int ch)
{
	if (c->mute && ch != '\n')
		return true;
	if (c->n == c->room && !put_more(c))
		return false;
	c->p[c->n++] = (char)ch;
	return true;
}

static bool ends(struct cutter *c)
{
	if (!c->in->error)
		mistake_in_text(c->l, c->in->line, c->in->column,
				"the text ends inside an object that began in line %u", c->line);
	return false;
}

/* One byte from the input to the object. */
static inline bool move(struct cutter *c)
{
	int ch = input_get(c->in);

	return ch < 0 ? ends(c) : put(c, ch);
}

static bool blanks(struct cutter *c)
{
	for (;;) {
		int ch = input_peek(c->in);

		if (ch != ' ' && ch != '\n' && ch != '\t' && ch != '\r')
			return true;
		input_get(c->in);
		if (!put(c, ch))
			return false;
	}
}

/* A string, at its quote; its text to key, cut at KEY_MAX. */
static bool string(struct cutter *c, char *key)
{
	size_t n = 0;
	int ch;

	if (!move(c))
		return false;
	for (;;) {
		/* Most of a string is copied as it lies there. */
		ch = input_get(c->in);
		if (ch < 0)
			return ends(c);
		if (!put(c, ch))
			return false;
		if (ch == '"')
			break;
		if (ch == '\\' && !move(c))
			return false;
		if (key && n < KEY_MAX - 1)
			key[n++] = (char)ch;
	}
	if (key)
		key[n] = 0;
	return true;
}

static bool scalar(struct cutter *c)
{
	size_t n = 0;

	for (;; n++) {
		int ch = input_peek(c->in);

		if (ch < 0 || strchr(" \t\r\n,]}:\"{[", ch))
			break;
		if (!move(c))
			return false;
	}
	if (n)
		return true;
	mistake_in_text(c->l, c->in->line, c->in->column, "a value is expected here");
	return false;
}

/*
 * What means nothing here and is most of a big list: lists and objects of these names.  A
 * label may have such a name, but its value is a text.
 */
static bool left_out(const char *key, int ch)
{
	static const char *const lists[] = { "managedFields", "conditions", "env", "images",
					     "tolerations", "volumeMounts", "volumes" };

	if (ch == '{')
		return !strcmp(key, "annotations");
	for (size_t i = 0; ch == '[' && i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!strcmp(key, lists[i]))
			return true;
	return false;
}

/* After the colon of such a name: null stands for the value, whose bytes are not kept. */
static bool leave_out(struct cutter *c)
{
	for (const char *s = "null"; *s; s++)
		if (!put(c, *s))
			return false;
	c->mute = true;
	return true;
}

/*
 * Any value.  Brackets are counted; whether they fit is jansson's to say.  `key` is the
 * string before a colon: the value of some keys is left out, in whose place stands null.
 */
static bool value(struct cutter *c)
{
	unsigned int depth = 0, muted_at = 0;
	char key[KEY_MAX] = "";
	int ch;

	do {
		if (!blanks(c))
			return false;
		ch = input_peek(c->in);
		if (ch < 0)
			return ends(c);
		if (c->mute && depth == muted_at && (ch == ',' || ch == '}'))
			c->mute = false;
		if (ch == '"') {
			if (!string(c, key))
				return false;
			continue;
		}
		if (ch != ':' && ch != ',' && ch != '}' && ch != ']' && ch != '{' && ch != '[') {
			if (!scalar(c))
				return false;
			continue;
		}
		if (!c->mute && key[0] && left_out(key, ch)) {
			if (!leave_out(c))
				return false;
			muted_at = depth;
		}
		if (!move(c))
			return false;
		if (ch == '{' || ch == '[')
			depth++;
		else if ((ch == '}' || ch == ']') && depth)
			depth--;
		if (depth > LOAD_DEPTH_MAX) {
			mistake_in_text(c->l, c->in->line, c->in->column, "nested more than %d deep", LOAD_DEPTH_MAX);
			return false;
		}
		if (ch == ',')
			key[0] = 0;
	} while (depth);
	return true;
}

static struct place find_place(void *ctx, const char *path);

/* The object's text is whole: hand it over. */
static bool deliver(struct cutter *c, const char *list_kind)
{
	struct loader *l = c->l;
	json_error_t e;
	json_t *o = json_loadb(c->p, c->n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);

	c->mute = false;
	if (!o) {
		/* The text it quotes may be as long as the object. */
		mistake_in_text(l, c->line + (e.line > 0 ? (uint32_t)e.line - 1 : 0),
				e.line > 1 && e.column > 0 ? (uint32_t)e.column : 0, "%.100s", e.text);
		return false;
	}
	l->line = c->line;
	l->locate = find_place;
	l->locate_ctx = c;
	load_object(l, o, list_kind);
	json_decref(o);
	l->locate = NULL;
	return !l->in.error;
}

static void begin(struct cutter *c)
{
	c->n = 0;
	c->mute = false;
	c->line = c->in->line;
}

/* Elements up to the closing bracket, each an object of its own. */
static bool elements(struct cutter *c, const char *kind)
{
	int ch;

	input_get(c->in);
	for (bool first = true;; first = false) {
		begin(c);
		if (!blanks(c))
			return false;
		ch = input_peek(c->in);
		if (ch == ']' && first)
			break;
		begin(c);
		if (!value(c) || !deliver(c, kind) || !blanks(c))
			return false;
		ch = input_peek(c->in);
		if (ch != ',')
			break;
		input_get(c->in);
	}
	if (ch != ']') {
		if (ch < 0)
			return ends(c);
		mistake_in_text(c->l, c->in->line, c->in->column, "',' or ']' is expected here");
		return false;
	}
	input_get(c->in);
	return true;
}

/* The value of "items": its elements are taken one by one, and an empty list stays in the text. */
static bool items(struct cutter *c)
{
	struct cutter inner = { .l = c->l, .in = c->in };
	bool ok = elements(&inner, c->kind);

	free(inner.p);
	return ok && put(c, '[') && put(c, ']');
}

/* A member of the outermost object, its key read: kinds are remembered, lists are taken apart. */
static bool member(struct cutter *c, const char *key, bool *list)
{
	int ch;

	if (!blanks(c))
		return false;
	if (input_peek(c->in) != ':') {
		mistake_in_text(c->l, c->in->line, c->in->column, "':' is expected here");
		return false;
	}
	if (!move(c) || !blanks(c))
		return false;
	ch = input_peek(c->in);
	if (!strcmp(key, "items") && ch == '[') {
		*list = true;
		return items(c);
	}
	if (!strcmp(key, "kind") && ch == '"')
		return string(c, c->kind);
	return value(c);
}

/* An object of the outermost level, at its brace. */
static bool document(struct cutter *c)
{
	bool list = false;
	char key[KEY_MAX];
	int ch = '{';

	begin(c);
	c->kind[0] = 0;
	if (!move(c) || !blanks(c))
		return false;
	if (input_peek(c->in) == '}')
		return move(c) && deliver(c, NULL);
	for (;;) {
		if (!blanks(c))
			return false;
		if (input_peek(c->in) != '"') {
			mistake_in_text(c->l, c->in->line, c->in->column, "a name in quotes is expected here");
			return false;
		}
		if (!string(c, key) || !member(c, key, &list) || !blanks(c))
			return false;
		ch = input_peek(c->in);
		if (ch != ',')
			break;
		if (!move(c))
			return false;
	}
	if (ch != '}') {
		if (ch < 0)
			return ends(c);
		mistake_in_text(c->l, c->in->line, c->in->column, "',' or '}' is expected here");
		return false;
	}
	return move(c) && (list || deliver(c, NULL));
}

int load_json(struct loader *l)
{
	struct cutter c = { .l = l, .in = &l->in };
	bool ok = true;

	while (ok) {
		int ch;

		c.n = 0;
		if (!blanks(&c))
			break;
		ch = input_peek(c.in);
		if (ch < 0)
			break;
		if (ch == '{') {
			ok = document(&c);
		} else if (ch == '[') {
			begin(&c);
			ok = elements(&c, NULL);
		} else {
			mistake_in_text(l, l->in.line, l->in.column, "an object is expected here");
			ok = false;
		}
	}
	free(c.p);
	return l->in.error;
}

/* ── where a path is ──────────────────────────────────────────────────────── */

struct seeker {
	const char *p, *end;
	uint32_t line;
	const char *line_start;
};

static void skip_blanks(struct seeker *s)
{
	for (; s->p < s->end && strchr(" \t\r\n", *s->p); s->p++)
		if (*s->p == '\n') {
			s->line++;
			s->line_start = s->p + 1;
		}
}

static void skip_string(struct seeker *s)
{
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++)
		s->p += *s->p == '\\';
	s->p++;
}

static void skip_value(struct seeker *s)
{
	unsigned int depth = 0;

	do {
		skip_blanks(s);
		if (s->p >= s->end)
			return;
		if (*s->p == '"') {
			skip_string(s);
			continue;
		}
		if (*s->p == '{' || *s->p == '[')
			depth++;
		else if (*s->p == '}' || *s->p == ']')
			depth--;
		else if (*s->p != ',' && *s->p != ':')
			while (s->p + 1 < s->end && !strchr(" \t\r\n,]}:", s->p[1]))
				s->p++;
		s->p++;
	} while (depth);
}

/* From the opening bracket to the wanted member or element; false: there is none. */
static bool descend(struct seeker *s, const char *key, size_t key_len, size_t index)
{
	bool object = key != NULL;

	skip_blanks(s);
	if (s->p >= s->end || *s->p != (object ? '{' : '['))
		return false;
	for (size_t i = 0; s->p < s->end; i++) {
		bool hit = !object && i == index;
		const char *start;

		s->p++;
		skip_blanks(s);
		if (object) {
			start = s->p + 1;
			hit = s->p < s->end && *s->p == '"' && (size_t)(s->end - start) > key_len &&
			      !memcmp(start, key, key_len) && start[key_len] == '"';
			if (hit)
				return true;
			skip_value(s);
			skip_blanks(s);
			s->p++;
		}
		if (hit)
			return true;
		skip_value(s);
		skip_blanks(s);
		if (s->p >= s->end || *s->p != ',')
			return false;
	}
	return false;
}

static struct place find_place(void *ctx, const char *path)
{
	const struct cutter *c = ctx;
	struct seeker s = { c->p, c->p + c->n, c->line, c->p };
	struct place at = { c->line, 0 };

	while (*path) {
		size_t n = strcspn(path, ".[");
		bool ok;

		if (*path == '[') {
			ok = descend(&s, NULL, 0, strtoul(path + 1, NULL, 10));
			path += strcspn(path, "]") + 1;
		} else {
			ok = descend(&s, path, n, 0);
			path += n;
		}
		path += *path == '.';
		/* Keys with dots in them, as labels have: their parent's place. */
		if (!ok)
			break;
		at = (struct place){ s.line, s.line > c->line ? (uint32_t)(s.p - s.line_start) + 1 : 0 };
		/* The value of a member stands behind its name. */
		if (s.p < s.end && *s.p == '"' && *path && *path != ']') {
			skip_string(&s);
			skip_blanks(&s);
			s.p++;
		}
	}
	return at;
}
