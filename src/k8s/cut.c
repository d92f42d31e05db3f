// SPDX-License-Identifier: GPL-2.0-or-later
#include "k8s/cut.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 1 << 20 };	/* of the room for an object, when that has been read */

void cut_begin(struct cut *c, bool list)
{
	char *p = c->p;
	size_t room = c->room;

	*c = (struct cut){ .list = list, .p = p, .room = room };
}

void cut_free(struct cut *c)
{
	free(c->p);
	*c = (struct cut){ 0 };
}

bool cut_is_between(const struct cut *c)
{
	return !c->depth && !c->broken;
}

static int keep(struct cut *c, const char *p, size_t n)
{
	if (c->too_large || n > LOAD_OBJECT_MAX - c->n) {
		c->too_large = true;
		return 0;
	}
	if (n > c->room - c->n) {
		size_t room = c->n + n > LOAD_OBJECT_MAX / 2 ? LOAD_OBJECT_MAX : (c->n + n) * 2;
		char *grown = realloc(c->p, room);

		if (!grown)
			return -ENOMEM;
		c->p = grown;
		c->room = room;
	}
	memcpy(c->p + c->n, p, n);
	c->n += n;
	return 0;
}

static int hand_over(struct cut *c, cut_fn fn, void *ctx)
{
	int err = 0;

	c->begun = 0;
	if (c->too_large)
		c->left_out++;
	else
		err = fn(ctx, c->p, c->n);
	if (c->room > KEPT_MAX) {
		free(c->p);
		c->p = NULL;
		c->room = 0;
	}
	return err;
}

/* Is the bracket that opens now an object's? */
static bool begins(const struct cut *c, char ch)
{
	if (c->begun || ch != '{')
		return false;
	return c->list ? c->depth == 2 && c->closes[1] == ']' : !c->depth;
}

/* False: there may be none. */
static bool open_bracket(struct cut *c, char ch)
{
	if (c->depth == sizeof(c->closes) || (!c->depth && ch != '{'))
		return false;
	c->closes[c->depth++] = ch == '{' ? '}' : ']';
	return true;
}

static bool close_bracket(struct cut *c, char ch)
{
	if (!c->depth || c->closes[c->depth - 1] != ch)
		return false;
	c->depth--;
	c->whole += !c->depth;
	return true;
}

static void in_string(struct cut *c, char ch)
{
	if (c->escaped)
		c->escaped = false;
	else if (ch == '\\')
		c->escaped = true;
	else if (ch == '"')
		c->in_string = false;
}

/* One byte outside of strings.  False: it cannot stand there. */
static bool take_byte(struct cut *c, char ch)
{
	if (ch == '{' || ch == '[')
		return open_bracket(c, ch);
	if (ch == '}' || ch == ']')
		return close_bracket(c, ch);
	if (ch == '"')
		c->in_string = true;
	return c->depth || ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r';
}

int cut_bytes(struct cut *c, const char *p, size_t n, cut_fn fn, void *ctx)
{
	size_t from = 0;	/* of the object, in this piece */
	int err = c->broken ? -EPROTO : 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (c->in_string) {
			in_string(c, p[i]);
			continue;
		}
		if (begins(c, p[i])) {
			c->begun = c->depth + 1;
			c->n = 0;
			c->too_large = false;
			from = i;
		}
		if (!take_byte(c, p[i])) {
			c->broken = true;
			err = -EPROTO;
		} else if (c->begun && c->depth < c->begun) {
			err = keep(c, p + from, i + 1 - from);
			if (!err)
				err = hand_over(c, fn, ctx);
		}
	}
	if (!err && c->begun)
		err = keep(c, p + from, n - from);
	return err;
}
