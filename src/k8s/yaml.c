// SPDX-License-Identifier: GPL-2.0-or-later
/* YAML texts by libyaml, as the JSON values they stand for; a List's items are handed over one by one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "k8s/parts.h"
#include "util/err.h"

enum { ANCHORS_MAX = 4096, PLACES_MAX = 1 << 18 };

struct anchor {
	char *name;
	json_t *value;
	uint32_t nodes, height;		/* it stands for, aliases followed */
};

struct level {
	json_t *v;			/* object or array */
	char *key;			/* of an object, read and waiting for its value; NULL: a key comes next */
	char *anchor;
	uint64_t hash;			/* of its path */
	uint32_t nodes, height;		/* of what it holds */
	bool items;			/* a List's: elements are handed over */
	bool merges;			/* the value that comes next is that of "<<" */
	json_t *merged;			/* names of the members that a merge gave; NULL: none did */
};

struct seen_place {
	uint64_t hash;
	uint32_t line, column;
};

struct tree {
	struct loader *l;
	yaml_parser_t parser;
	struct level stack[LOAD_DEPTH_MAX + 1];
	unsigned int depth;
	struct anchor *anchors;
	uint32_t n_anchors;
	struct seen_place *places;
	uint32_t n_places, room_places;
	uint32_t nodes, held;		/* of this object; of all anchors */
	size_t bytes;			/* read since the last object was whole */
	uint32_t base;			/* lines before libyaml's first */
	json_t *root;
	bool list;			/* the document's items were handed over */
	uint32_t line;			/* the document's first, or the item's */
};

static int read_input(void *ctx, unsigned char *buf, size_t size, size_t *n)
{
	struct tree *t = ctx;
	struct input *in = &t->l->in;

	*n = 0;
	if (in->p == in->end && !input_fill(in))
		return !in->error;
	if (t->bytes > LOAD_OBJECT_MAX) {
		mistake_in_text(t->l, t->line, 0, "this object has more than %d MiB", LOAD_OBJECT_MAX >> 20);
		return 0;
	}
	*n = (size_t)(in->end - in->p) < size ? (size_t)(in->end - in->p) : size;
	memcpy(buf, in->p, *n);
	in->p += *n;
	t->bytes += *n;
	return 1;
}

/* ── paths: FNV-1a of the text that path_key() and path_index() make ──────── */

static uint64_t hash_on(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h;
}

static const uint64_t hash_start = 0xcbf29ce484222325ull;

static void remember(struct tree *t, uint64_t hash, const yaml_mark_t *m)
{
	if (t->n_places == t->room_places && t->room_places < PLACES_MAX) {
		uint32_t room = t->room_places ? t->room_places * 2 : 256;
		struct seen_place *p = realloc(t->places, room * sizeof(*p));

		if (!p)
			return;
		t->places = p;
		t->room_places = room;
	}
	if (t->n_places < t->room_places)
		t->places[t->n_places++] =
			(struct seen_place){ hash, t->base + (uint32_t)m->line, (uint32_t)m->column + 1 };
}

static struct place find_place(void *ctx, const char *path)
{
	const struct tree *t = ctx;
	uint64_t h = hash_on(hash_start, path);

	for (uint32_t i = 0; i < t->n_places; i++)
		if (t->places[i].hash == h)
			return (struct place){ t->places[i].line, t->places[i].column };
	return (struct place){ t->line, 0 };
}

/* ── building ─────────────────────────────────────────────────────────────── */

static bool expects_key(const struct level *up)
{
	return up && json_is_object(up->v) && !up->key && !up->merges;
}

static int mistake(struct tree *t, const yaml_mark_t *m, const char *text)
{
	mistake_in_text(t->l, t->base + (uint32_t)m->line, (uint32_t)m->column + 1, "%s", text);
	return -EBADMSG;
}

static int no_memory(struct tree *t)
{
	t->l->in.error = fail(ENOMEM, "%s", t->l->in.name);
	return t->l->in.error;
}

static uint64_t child_hash(const struct tree *t)
{
	const struct level *up = t->depth ? &t->stack[t->depth - 1] : NULL;
	char text[32];

	if (!up || up->items)
		return hash_start;
	if (up->key)
		return hash_on(up->hash == hash_start ? up->hash : hash_on(up->hash, "."), up->key);
	snprintf(text, sizeof(text), "[%zu]", json_array_size(up->v));
	return hash_on(up->hash, text);
}

static void deliver(struct tree *t, json_t *v, const char *list_kind)
{
	t->l->line = t->line;
	t->l->locate = find_place;
	t->l->locate_ctx = t;
	load_object(t->l, v, list_kind);
	t->l->locate = NULL;
	t->n_places = 0;
	t->bytes = 0;
}

static int anchor_done(struct tree *t, const char *name, json_t *v, uint32_t nodes, uint32_t height)
{
	struct anchor *a = NULL;

	if (nodes > LOAD_NODES_MAX - t->held)
		return -E2BIG;
	t->held += nodes;
	for (uint32_t i = 0; i < t->n_anchors && !a; i++)
		if (!strcmp(t->anchors[i].name, name))
			a = &t->anchors[i];
	if (!a) {
		struct anchor *more = realloc(t->anchors, (t->n_anchors + 1) * sizeof(*more));

		if (!more || t->n_anchors == ANCHORS_MAX)
			return more ? (t->anchors = more, -E2BIG) : -ENOMEM;
		t->anchors = more;
		a = &t->anchors[t->n_anchors];
		a->name = strdup(name);
		if (!a->name)
			return -ENOMEM;
		t->n_anchors++;
	} else {
		json_decref(a->value);
	}
	a->value = json_incref(v);
	a->nodes = nodes;
	a->height = height;
	return 0;
}

/* ── merge keys (yaml.org/type/merge) ─────────────────────────────────────── */

static int merge_member(struct tree *t, struct level *up, const char *key, json_t *v, const yaml_event_t *e)
{
	if (!json_object_get(up->v, key)) {
		if (!up->merged)
			up->merged = json_object();
		if (json_object_set_nocheck(up->v, key, v) ||
		    json_object_set_new_nocheck(up->merged, key, json_true()))
			return no_memory(t);
		return 0;
	}
	/* Of several that are merged the first one's counts. */
	if (json_object_get(up->merged, key))
		return 0;
	/* Readers disagree on which of the two counts. */
	return mistake(t, &e->start_mark, "this merges a key that stands before it: << must stand first");
}

static int merge_object(struct tree *t, struct level *up, json_t *v, const yaml_event_t *e)
{
	int err = 0;

	if (!json_is_object(v))
		return mistake(t, &e->start_mark, "<< takes a mapping, or a list of some");
	for (void *it = json_object_iter(v); it && !err; it = json_object_iter_next(v, it))
		err = merge_member(t, up, json_object_iter_key(it), json_object_iter_value(it), e);
	return err;
}

/* The value of "<<" is whole.  Takes v over. */
static int merge(struct tree *t, struct level *up, json_t *v, const yaml_event_t *e)
{
	int err = 0;

	if (json_is_array(v))
		for (size_t i = 0; i < json_array_size(v) && !err; i++)
			err = merge_object(t, up, json_array_get(v, i), e);
	else
		err = merge_object(t, up, v, e);
	up->merges = false;
	json_decref(v);
	return err;
}

static bool is_merged(const struct level *l, const char *key)
{
	return l->merged && !json_object_del(l->merged, key);
}

/* A value is whole: into what holds it.  Takes v over. */
static int add(struct tree *t, json_t *v, uint32_t nodes, uint32_t height, const yaml_event_t *e)
{
	struct level *up = t->depth ? &t->stack[t->depth - 1] : NULL;
	int err = 0;

	if (!v)
		return no_memory(t);
	if (!up) {
		t->root = v;
		return 0;
	}
	if (up->items) {
		const json_t *kind = json_object_get(t->stack[0].v, "kind");

		deliver(t, v, kind ? json_string_value(kind) : "");
		json_decref(v);
		t->nodes = 0;
		return t->l->in.error;
	}
	up->nodes += nodes;
	/* What is merged is not held: its members are. */
	height += !up->merges;
	if (up->height < height)
		up->height = height;
	if (json_is_array(up->v))
		return json_array_append_new(up->v, v) ? no_memory(t) : 0;
	if (up->merges)
		return merge(t, up, v, e);
	if (json_object_get(up->v, up->key) && !is_merged(up, up->key))
		err = mistake(t, &e->start_mark, "this key stands here twice");
	if (json_object_set_new_nocheck(up->v, up->key, v) && !err)
		err = no_memory(t);
	free(up->key);
	up->key = NULL;
	return err;
}

static bool one_of(const char *s, const char *words)
{
	size_t n = strlen(s);

	for (const char *p = words; n && (p = strstr(p, s)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

/* Whole numbers as kubectl's reader takes them: decimal, 0x, 0o and (YAML 1.1) 0 for octal. */
static bool whole_number(const char *s, json_int_t *out)
{
	const char *digits = s + (*s == '-' || *s == '+');
	int base = 10;
	char *end;

	if (*digits < '0' || *digits > '9')
		return false;
	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o')) {
		base = digits[1] == 'x' ? 16 : 8;
		digits += 2;
	} else if (digits[0] == '0' && digits[1]) {
		base = 8;
	}
	errno = 0;
	*out = strtoll(digits, &end, base);
	if (errno || end == digits || *end)
		return false;
	if (*s == '-')
		*out = -*out;
	return true;
}

/* A plain scalar's type (YAML 1.1, as kubectl reads it); everything in quotes is a text. */
static json_t *scalar_value(const yaml_event_t *e)
{
	const char *s = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;
	json_int_t i;
	json_t *v;
	char *end;

	if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.tag && strlen(s) == n) {
		if (!n || one_of(s, "~ null Null NULL"))
			return json_null();
		if (one_of(s, "true True TRUE yes Yes YES on On ON"))
			return json_true();
		if (one_of(s, "false False FALSE no No NO off Off OFF"))
			return json_false();
		if (whole_number(s, &i))
			return json_integer(i);
		if (strchr("0123456789.-+", *s) && strpbrk(s, "0123456789")) {
			double d = strtod(s, &end);

			v = *end || strpbrk(s, "xXpPnN") ? NULL : json_real(d);
			if (v)
				return v;
		}
	}
	/* A NUL ends a text: nothing that matters here may have one.  libyaml has checked UTF-8. */
	v = json_stringn_nocheck(s, strnlen(s, n));
	return v;
}

static bool is_merge_key(const yaml_event_t *e)
{
	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp((const char *)e->data.scalar.value, "<<");
}

static int on_scalar(struct tree *t, const yaml_event_t *e)
{
	struct level *up = t->depth ? &t->stack[t->depth - 1] : NULL;
	const char *anchor = (const char *)e->data.scalar.anchor;
	json_t *v;
	int err = 0;

	if (expects_key(up)) {
		up->key = strndup((const char *)e->data.scalar.value, e->data.scalar.length);
		if (!up->key)
			return no_memory(t);
		if (is_merge_key(e)) {
			free(up->key);
			up->key = NULL;
			if (up->merged)
				return mistake(t, &e->start_mark, "this key stands here twice");
			up->merges = true;
			return 0;
		}
		remember(t, child_hash(t), &e->start_mark);
		return 0;
	}
	if (up && json_is_array(up->v))
		remember(t, child_hash(t), &e->start_mark);
	v = scalar_value(e);
	if (v && anchor)
		err = anchor_done(t, anchor, v, 1, 0);
	if (err) {
		json_decref(v);
		return err == -ENOMEM ? no_memory(t) : mistake(t, &e->start_mark, "too many anchors");
	}
	return add(t, v, 1, 0, e);
}

static int on_alias(struct tree *t, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct level *up = t->depth ? &t->stack[t->depth - 1] : NULL;

	if (expects_key(up))
		return mistake(t, &e->start_mark, "an alias cannot be a key");
	for (uint32_t i = 0; i < t->n_anchors; i++) {
		struct anchor *a = &t->anchors[i];

		if (strcmp(a->name, name))
			continue;
		/* What an alias stands for is walked as often as it is named. */
		if (a->nodes > LOAD_NODES_MAX - t->nodes)
			return mistake(t, &e->start_mark, "aliases make this object too large");
		/* And freed by recursion. */
		if (t->depth + a->height > LOAD_DEPTH_MAX)
			return mistake(t, &e->start_mark, "nested too deep");
		t->nodes += a->nodes;
		return add(t, json_incref(a->value), a->nodes, a->height, e);
	}
	return mistake(t, &e->start_mark, "there is no anchor of this name, or it is not at its end");
}

static int on_start(struct tree *t, const yaml_event_t *e, bool object)
{
	struct level *up = t->depth ? &t->stack[t->depth - 1] : NULL, *l;
	const char *anchor = (const char *)(object ? e->data.mapping_start.anchor : e->data.sequence_start.anchor);
	uint64_t hash = child_hash(t);

	if (expects_key(up))
		return mistake(t, &e->start_mark, "a key must be a text");
	if (t->depth == LOAD_DEPTH_MAX)
		return mistake(t, &e->start_mark, "nested too deep");
	if (!up || up->items)
		t->line = t->base + (uint32_t)e->start_mark.line;
	if (up && json_is_array(up->v))
		remember(t, hash, &e->start_mark);
	l = &t->stack[t->depth];
	*l = (struct level){ .v = object ? json_object() : json_array(), .hash = hash, .nodes = 1 };
	if (!l->v)
		return no_memory(t);
	t->depth++;
	if (anchor) {
		l->anchor = strdup(anchor);
		if (!l->anchor)
			return no_memory(t);
	}
	l->items = t->depth == 2 && !object && up && up->key && !strcmp(up->key, "items") && !l->anchor;
	l->items |= t->depth == 1 && !object && !l->anchor;
	t->list |= l->items;
	return 0;
}

static int on_end(struct tree *t, const yaml_event_t *e)
{
	struct level l = t->stack[--t->depth];
	int err = 0;

	if (l.anchor)
		err = anchor_done(t, l.anchor, l.v, l.nodes, l.height);
	free(l.anchor);
	free(l.key);
	json_decref(l.merged);
	if (err) {
		json_decref(l.v);
		return err == -ENOMEM ? no_memory(t) : mistake(t, &e->start_mark, "too many anchors");
	}
	return add(t, l.v, l.nodes, l.height, e);
}

static void clear(struct tree *t)
{
	while (t->depth) {
		struct level *l = &t->stack[--t->depth];

		json_decref(l->v);
		json_decref(l->merged);
		free(l->anchor);
		free(l->key);
	}
	for (uint32_t i = 0; i < t->n_anchors; i++) {
		free(t->anchors[i].name);
		json_decref(t->anchors[i].value);
	}
	t->n_anchors = 0;
	json_decref(t->root);
	t->root = NULL;
	t->list = false;
	t->nodes = t->held = t->n_places = 0;
}

/* 1: the end of the text. */
static int on_event(struct tree *t, const yaml_event_t *e)
{
	if (e->type != YAML_DOCUMENT_END_EVENT && ++t->nodes > LOAD_NODES_MAX)
		return mistake(t, &e->start_mark, "this object is too large");
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(t, e);
	case YAML_ALIAS_EVENT:
		return on_alias(t, e);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return on_start(t, e, e->type == YAML_MAPPING_START_EVENT);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return on_end(t, e);
	case YAML_DOCUMENT_END_EVENT:
		/* A document of nothing, as between two marks, is none. */
		if (t->root && !t->list && !json_is_null(t->root))
			deliver(t, t->root, NULL);
		clear(t);
		return t->l->in.error;
	case YAML_STREAM_END_EVENT:
		return 1;
	default:
		return 0;
	}
}

static void syntax(struct tree *t)
{
	const yaml_parser_t *p = &t->parser;

	if (t->l->in.error || (p->error == YAML_READER_ERROR && t->bytes > LOAD_OBJECT_MAX))
		return;
	if (p->error == YAML_MEMORY_ERROR)
		no_memory(t);
	else if (p->error == YAML_READER_ERROR)
		mistake_in_text(t->l, 0, 0, "%s, at byte %zu", p->problem ? p->problem : "not YAML",
				p->problem_offset);
	else
		mistake(t, &p->problem_mark, p->problem ? p->problem : "not YAML");
}

int load_yaml(struct loader *l)
{
	struct tree *t = calloc(1, sizeof(*t));
	yaml_event_t e;
	int rc = 0;

	if (!t || !yaml_parser_initialize(&t->parser)) {
		free(t);
		return fail(ENOMEM, "%s", l->in.name);
	}
	t->l = l;
	t->base = l->in.line;
	yaml_parser_set_input(&t->parser, read_input, t);
	while (!rc) {
		if (!yaml_parser_parse(&t->parser, &e)) {
			syntax(t);
			break;
		}
		rc = on_event(t, &e);
		yaml_event_delete(&e);
	}
	clear(t);
	free(t->anchors);
	free(t->places);
	yaml_parser_delete(&t->parser);
	free(t);
	return l->in.error;
}
