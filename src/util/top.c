// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/top.h"

#include <errno.h>
#include <stdlib.h>

#include "util/err.h"

int top_open(struct top *t, uint32_t most, bool (*before)(const struct top_item *x, const struct top_item *y))
{
	*t = (struct top){ .most = most, .before = before, .v = malloc((most ? most : 1) * sizeof(*t->v)) };
	return t->v ? 0 : fail(ENOMEM, "sorting");
}

void top_close(struct top *t)
{
	free(t->v);
	t->v = NULL;
}

/* `o` takes the root's place, and sinks to where it belongs. */
static void sink_down(struct top *t, uint32_t n, struct top_item o)
{
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && t->before(&t->v[child], &t->v[child + 1]))
			child++;
		if (!t->before(&o, &t->v[child]))
			break;
		t->v[i] = t->v[child];
		i = child;
	}
	t->v[i] = o;
}

static void rise(struct top *t, uint32_t i, struct top_item o)
{
	while (i && t->before(&t->v[(i - 1) / 2], &o)) {
		t->v[i] = t->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	t->v[i] = o;
}

void top_offer(struct top *t, uint64_t rank, const void *p)
{
	const struct top_item o = { rank, p };

	if (t->n < t->most)
		rise(t, t->n++, o);
	else if (t->n && t->before(&o, &t->v[0]))
		sink_down(t, t->n, o);
}

void top_sort(struct top *t)
{
	for (uint32_t left = t->n; left > 1; left--) {
		struct top_item last = t->v[left - 1];

		t->v[left - 1] = t->v[0];
		sink_down(t, left - 1, last);
	}
}
