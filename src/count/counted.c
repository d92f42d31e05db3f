// SPDX-License-Identifier: GPL-2.0-or-later
#include "count/counted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "util/err.h"
#include "util/steady.h"

#define CLOCK_SET_NS 1000000000ull

enum { IFACES_MAX = UINT16_MAX - 1 };	/* that a flow's key can name */

/* One more element of an array. */
static void *grown(void *v, uint32_t n, size_t size)
{
	void *more = realloc(v, (n + 1) * size);

	if (!more)
		fail(ENOMEM, "counters");
	return more;
}

int counted_view(struct counted *c, const int maps[COUNT_MAPS])
{
	struct count_view *more = grown(c->views, c->n_views, sizeof(*more));
	int err;

	if (!more)
		return -ENOMEM;
	c->views = more;
	err = count_map(&c->views[c->n_views], maps);
	if (err)
		return err;
	if (!c->since_ns || c->views[c->n_views].since_ns < c->since_ns)
		c->since_ns = c->views[c->n_views].since_ns;
	return (int)c->n_views++;
}

int counted_numbers(struct counted *c, int map)
{
	struct bpf_map_info info = { 0 };
	uint32_t n = sizeof(info);
	void *at;

	if (bpf_obj_get_info_by_fd(map, &info, &n))
		return fail(errno, "the map %s", count_map_names[COUNT_IFACES]);
	at = mmap(NULL, (size_t)info.max_entries * sizeof(uint64_t), PROT_READ, MAP_SHARED, map, 0);
	if (at == MAP_FAILED)
		return fail(errno, "cannot read the map %s", count_map_names[COUNT_IFACES]);
	c->numbers = at;
	c->numbers_mask = info.max_entries - 1;
	return 0;
}

int counted_add(struct counted *c, uint32_t view, uint32_t number, const struct iface *iface)
{
	struct counted_iface *more;

	for (uint32_t i = 0; i < c->n; i++)
		if (c->ifaces[i].view == view && c->ifaces[i].number == number)
			return 0;
	if (c->n == IFACES_MAX)
		return fail(0, "more than %u interfaces", c->n), -ENOSPC;
	more = grown(c->ifaces, c->n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	c->ifaces = more;
	c->ifaces[c->n++] = (struct counted_iface){ iface, view, number };
	return 0;
}

int counted_learn(struct counted *c, const struct iface *iface)
{
	uint64_t value = *(const volatile uint64_t *)&c->numbers[iface->ifindex & c->numbers_mask];
	uint32_t number = value >> 32 == iface->ifindex ? (uint32_t)value : 0;
	int err = counted_add(c, 0, number, number ? iface : NULL);

	return err ? err : !number;
}

void counted_close(struct counted *c)
{
	for (uint32_t i = 0; i < c->n_views; i++)
		count_unmap(&c->views[i]);
	if (c->numbers)
		munmap((void *)(uintptr_t)c->numbers, ((size_t)c->numbers_mask + 1) * sizeof(uint64_t));
	free(c->views);
	free(c->ifaces);
	memset(c, 0, sizeof(*c));
}

bool counted_clock(struct counted *c)
{
	bool was_set = false;

	for (uint32_t i = 0; i < c->n_views; i++) {
		uint64_t was = c->views[i].clock.wall_ns;

		count_clock(&c->views[i]);
		was_set |= time_apart(was, c->views[i].clock.wall_ns) > CLOCK_SET_NS;
	}
	return was_set;
}

void counted_sum(const struct counted *c, uint32_t i, enum np_count_dir dir, struct np_counts *sum)
{
	count_sum(&c->views[c->ifaces[i].view], c->ifaces[i].number, dir, sum);
}

/* ── flows ────────────────────────────────────────────────────────────────── */

struct each {
	const struct counted *c;
	uint32_t view;
	count_flow_fn fn;
	void *ctx;
};

/* By the number in its key, from 1 on; the programs of one interface leave it 0. */
static int numbered(void *ctx, const struct flow *f)
{
	const struct each *e = ctx;
	uint32_t number = f->key.iface ? f->key.iface - 1u : 0;
	struct flow mine = *f;

	mine.key.iface = 0;
	for (uint32_t i = 0; i < e->c->n && !mine.key.iface; i++)
		if (e->c->ifaces[i].view == e->view && e->c->ifaces[i].number == number)
			mine.key.iface = (uint16_t)(i + 1);
	return e->fn(e->ctx, &mine);
}

static int each(const struct counted *c, int (*of)(const struct count_view *, count_flow_fn, void *), count_flow_fn fn,
		void *ctx)
{
	struct each e = { c, 0, fn, ctx };
	int rc = 0;

	for (; e.view < c->n_views && !rc; e.view++)
		rc = of(&c->views[e.view], numbered, &e);
	return rc;
}

int counted_each(const struct counted *c, count_flow_fn fn, void *ctx)
{
	return each(c, count_each, fn, ctx);
}

int counted_each_piece(const struct counted *c, count_flow_fn fn, void *ctx)
{
	return each(c, count_each_piece, fn, ctx);
}

void counted_room(const struct counted *c, uint32_t *settled, uint32_t *first, uint64_t *bytes)
{
	*settled = *first = 0;
	*bytes = 0;
	for (uint32_t i = 0; i < c->n_views; i++) {
		*settled += c->views[i].sets[0] * NP_WAYS;
		*first += c->views[i].sets[1] * NP_WAYS;
		for (enum count_map m = 0; m < COUNT_READ; m++)
			*bytes += c->views[i].size[m];
	}
}

uint64_t counted_frames(const struct counted *c)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < c->n; i++)
		for (enum np_count_dir dir = 0; dir < NP_COUNT_DIRS; dir++) {
			struct np_counts sum = { 0 };

			counted_sum(c, i, dir, &sum);
			frames += sum.frames;
		}
	return frames;
}
