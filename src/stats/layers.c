// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/layers.h"

#include <stdlib.h>
#include <string.h>

#include "stats/layers_known.h"

void layers_free(struct layers *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}

void layer_text(char to[LAYER_NAME], const char *p, size_t n)
{
	n = n < LAYER_NAME - 1 ? n : LAYER_NAME - 1;
	memcpy(to, p, n);
	to[n] = '\0';
}

static bool make_room(struct layers *l)
{
	unsigned int room = l->room ? 2 * l->room : 256;
	struct layer_counter *grown;

	if (l->n < l->room)
		return true;
	if (l->n == LAYERS_MAX) {
		l->left_out++;
		return false;
	}
	grown = realloc(l->v, room * sizeof(*grown));
	if (!grown) {
		l->full = true;
		return false;
	}
	l->v = grown;
	l->room = room;
	return true;
}

static struct layer_counter *add(struct layers *l, const struct layer_known *k, const char *name, uint64_t value)
{
	struct layer_counter *c;

	if (!k || !make_room(l))
		return NULL;
	c = &l->v[l->n];
	*c = (struct layer_counter){ .known = k, .value = value, .has_value = true, .seen = l->n++ };
	layer_text(c->name, name, strlen(name));
	return c;
}

struct layer_counter *layers_add(struct layers *l, const char *group, const char *name, uint64_t value)
{
	struct layer_counter *c = add(l, layer_known(group, name), name, value);

	/* What the kernel counts by protocol is told apart by it. */
	if (c && c->known->group[0] >= 'A' && c->known->group[0] <= 'Z')
		layer_text(c->detail, group, strlen(group));
	return c;
}

struct layer_counter *layers_add_driver(struct layers *l, const char *name, uint64_t value)
{
	return add(l, layer_known_driver(name), name, value);
}

static int order(const struct layer_counter *a, const struct layer_counter *b)
{
	unsigned int x = layer_place(a->known), y = layer_place(b->known);
	int d;

	if (x != y)
		return x < y ? -1 : 1;
	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	if (a->known != b->known)
		return a->known < b->known ? -1 : 1;
	d = strcmp(a->name, b->name);
	if (!d)
		d = (int)a->one_of - (int)b->one_of;
	if (!d)
		d = strcmp(a->detail, b->detail);
	if (!d)
		d = (a->number > b->number) - (a->number < b->number);
	return d ? d : (a->inode > b->inode) - (a->inode < b->inode);
}

static int compare(const void *a, const void *b)
{
	const struct layer_counter *x = a, *y = b;
	int d = order(x, y);

	return d ? d : (x->seen > y->seen) - (x->seen < y->seen);
}

void layers_sort(struct layers *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

static bool is_of(const struct layer_counter *one, const struct layer_counter *sum)
{
	size_t n = strlen(sum->detail);

	return one->one_of && one->known == sum->known && !strncmp(one->detail, sum->detail, n) &&
	       one->detail[n] == ' ';
}

/* A sum of open sockets shrinks when one closes: what it grew by is what each of them did. */
static void compare_sockets(struct layers *l)
{
	for (unsigned int i = 0; i < l->n; i++) {
		struct layer_counter *sum = &l->v[i];
		uint64_t grown = 0;

		if (sum->one_of || strcmp(sum->known->group, "socket") != 0)
			continue;
		for (unsigned int j = 0; j < l->n; j++)
			if (is_of(&l->v[j], sum))
				grown += layer_growth(&l->v[j]);
		sum->before = grown < sum->value ? sum->value - grown : 0;
	}
}

void layers_compare(struct layers *l, const struct layers *before)
{
	unsigned int j = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		struct layer_counter *c = &l->v[i];

		while (j < before->n && order(&before->v[j], c) < 0)
			j++;
		c->before = 0;
		if (j < before->n && !order(&before->v[j], c))
			c->before = before->v[j++].value;
	}
	if (!before->left_out && !l->left_out)
		compare_sockets(l);
}

uint64_t layer_growth(const struct layer_counter *c)
{
	if (!c->has_value || c->known->level || c->value < c->before)
		return 0;
	return c->value - c->before;
}
