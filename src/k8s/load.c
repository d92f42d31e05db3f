// SPDX-License-Identifier: GPL-2.0-or-later
/* What texts and objects share: places, mistakes, members of a type. */
#include "k8s/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "k8s/parts.h"
#include "util/err.h"

enum { INPUT_BUF = 64 << 10, TOLD_MAX = 64, PLACES_MAX = 256 };

bool input_fill(struct input *in)
{
	ssize_t n;

	if (in->fd < 0 || in->error)
		return false;
	do
		n = read(in->fd, in->buf, INPUT_BUF);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		in->error = fail(errno, "%s", in->name);
	in->p = in->buf;
	in->end = in->buf + (n > 0 ? n : 0);
	return n > 0;
}

static void tell(struct loader *l, struct mistake *m)
{
	l->rep->mistakes[m->level]++;
	if (m->level == MISTAKE_ERROR)
		l->bad = true;
	m->file = l->in.name;
	l->rep->mistake(l->rep->ctx, m);
}

void mistake_at(struct loader *l, enum mistake_level level, const char *key, const char *fmt, ...)
{
	size_t len = l->path_len;
	struct mistake m = { .level = level, .object = l->object, .path = l->path };
	struct place at = { 0 };
	char text[512];
	va_list ap;

	/* Finding the place takes time: an object of nothing but mistakes is told of once. */
	if (++l->told > TOLD_MAX) {
		l->rep->mistakes[level]++;
		l->rep->untold++;
		l->bad |= level == MISTAKE_ERROR;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (key)
		path_key(l, key);
	if (l->locate)
		at = l->locate(l->locate_ctx, l->path);
	m.line = at.line ? at.line : l->line;
	m.column = at.column;
	m.text = text;
	tell(l, &m);
	path_back(l, len);
}

struct place place_here(struct loader *l)
{
	struct place at = { 0 };

	if (l->rep->places && l->locate && l->placed++ < PLACES_MAX)
		at = l->locate(l->locate_ctx, l->path);
	return at.line ? at : (struct place){ l->line, 0 };
}

void mistake_in_text(struct loader *l, uint32_t line, uint32_t column, const char *fmt, ...)
{
	struct mistake m = { .level = MISTAKE_ERROR, .object = "", .path = "", .line = line, .column = column };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	m.text = text;
	tell(l, &m);
}

/* What snprintf() added, or nothing: too long; deeper places then have their parent's. */
static size_t path_added(struct loader *l, int n)
{
	size_t len = l->path_len;

	if (n < 0 || (size_t)n >= sizeof(l->path) - len)
		l->path[len] = 0;
	else
		l->path_len += (size_t)n;
	return len;
}

size_t path_key(struct loader *l, const char *key)
{
	return path_added(l, snprintf(l->path + l->path_len, sizeof(l->path) - l->path_len, "%s%s",
				      l->path_len ? "." : "", key));
}

size_t path_index(struct loader *l, size_t i)
{
	return path_added(l, snprintf(l->path + l->path_len, sizeof(l->path) - l->path_len, "[%zu]", i));
}

void path_back(struct loader *l, size_t len)
{
	l->path_len = len;
	l->path[len] = 0;
}

static const json_t *get(struct loader *l, const json_t *o, const char *key, json_type type, const char *what)
{
	const json_t *v = json_object_get(o, key);

	if (!v || json_is_null(v))
		return NULL;
	if (json_typeof(v) == type)
		return v;
	mistake_at(l, MISTAKE_ERROR, key, "is not %s", what);
	return NULL;
}

const json_t *get_object(struct loader *l, const json_t *o, const char *key)
{
	return get(l, o, key, JSON_OBJECT, "an object");
}

const json_t *get_array(struct loader *l, const json_t *o, const char *key)
{
	return get(l, o, key, JSON_ARRAY, "a list");
}

const char *get_string(struct loader *l, const json_t *o, const char *key)
{
	return json_string_value(get(l, o, key, JSON_STRING, "a string"));
}

bool has(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return v && !json_is_null(v);
}

void check_members(struct loader *l, const json_t *o, const char *const *names)
{
	for (void *it = json_object_iter((json_t *)o); it; it = json_object_iter_next((json_t *)o, it)) {
		const char *const *n = names, *key = json_object_iter_key(it);

		while (*n && strcmp(*n, key))
			n++;
		if (!*n)
			mistake_at(l, MISTAKE_FIELD, key, "no such field");
	}
}

void *read_room(struct loader *l, struct arena *mem, size_t n, size_t size)
{
	/* An array of n values has at least 2 n bytes of text: n is bounded. */
	void *p = arena_get(mem, (n ? n : 1) * size);

	if (!p) {
		l->in.error = l->in.error ? l->in.error : fail(ENOMEM, "%s", l->in.name);
		l->bad = true;
	}
	return p;
}

uint32_t name_of(struct loader *l, const char *s)
{
	uint32_t id = intern(&l->k->names, s, strlen(s));

	if (!id && !l->in.error)
		l->in.error = fail(ENOMEM, "%s", l->in.name);
	return id;
}

/* A comment or a document mark begins YAML, a brace or bracket JSON. */
static int load(struct loader *l)
{
	const char *at;
	int err;

	l->in.line = l->in.column = 1;
	/* A byte order mark. */
	for (int i = 0; i < 3 && input_peek(&l->in) == (unsigned char)"\xef\xbb\xbf"[i]; i++)
		l->in.p++;
	/* YAML cares for blanks: nothing is taken yet. */
	if (input_peek(&l->in) < 0) {
		if (!l->in.error)
			mistake_in_text(l, 0, 0, "it is empty");
		return l->in.error;
	}
	for (at = l->in.p; at < l->in.end && strchr(" \t\r\n", *at); at++)
		;
	err = at < l->in.end && (*at == '{' || *at == '[') ? load_json(l) : load_yaml(l);
	return l->in.error ? l->in.error : err;
}

int load_fd(struct k8s *k, int fd, const char *name, struct load_report *rep)
{
	struct loader l = { .k = k, .rep = rep, .in = { .fd = fd, .name = name } };
	int err;

	l.in.buf = malloc(INPUT_BUF);
	if (!l.in.buf)
		return fail(ENOMEM, "%s", name);
	err = load(&l);
	free(l.in.buf);
	return err;
}

int load_text(struct k8s *k, const char *text, size_t n, const char *name, struct load_report *rep)
{
	struct loader l = { .k = k, .rep = rep, .in = { .fd = -1, .name = name, .p = text, .end = text + n } };

	return load(&l);
}
