// SPDX-License-Identifier: GPL-2.0-or-later
#include "inventory/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "inventory/inventory.h"
#include "util/cleanup.h"

/* Of programs of ours at most so many maps are known by that; the others by their names. */
enum { USED_MAX = 4096 };

struct holding {
	held_fn fn;
	void *ctx;
	uint32_t used[USED_MAX];
	unsigned int n_used;
};

/* "memlock:" in what /proc tells of our descriptor, which a user may read as well. */
static void take_bytes(struct held *h, int fd)
{
	char path[48], text[1024];
	owned_fd int info = -1;
	const char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "memlock:");
	h->has_bytes = at;
	h->bytes = at ? strtoull(at + 8, NULL, 10) : 0;
}

static void note_maps(struct holding *w, int fd, struct held *h)
{
	struct bpf_prog_info info = { .nr_map_ids = HELD_MAPS, .map_ids = (uintptr_t)h->maps };
	uint32_t n = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &n))
		return;
	h->n_maps = info.nr_map_ids < HELD_MAPS ? info.nr_map_ids : HELD_MAPS;
	for (uint32_t i = 0; i < h->n_maps && w->n_used < USED_MAX; i++)
		w->used[w->n_used++] = h->maps[i];
}

static int take_program(struct holding *w, uint32_t id)
{
	owned_fd int fd = bpf_prog_get_fd_by_id(id);
	struct held h = { .id = id };
	struct hooked_program p;

	if (fd < 0 || inventory_program(id, &p) || !p.ours)
		return 0;		/* gone meanwhile, or of others */
	note_maps(w, fd, &h);
	snprintf(h.name, sizeof(h.name), "%s", p.name);
	take_bytes(&h, fd);
	h.run_count = p.run_count;
	h.run_ns = p.run_ns;
	return w->fn(w->ctx, &h);
}

static bool is_used(const struct holding *w, uint32_t id)
{
	for (unsigned int i = 0; i < w->n_used; i++)
		if (w->used[i] == id)
			return true;
	return false;
}

static int take_map(struct holding *w, uint32_t id)
{
	owned_fd int fd = bpf_map_get_fd_by_id(id);
	struct held h = { .is_map = true, .id = id };
	struct bpf_map_info info = { 0 };
	uint32_t n = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &n))
		return 0;
	if (strncmp(info.name, "np_", 3) && !is_used(w, id))
		return 0;
	snprintf(h.name, sizeof(h.name), "%s", info.name);
	take_bytes(&h, fd);
	h.entries = info.max_entries;
	return w->fn(w->ctx, &h);
}

static int each(struct holding *w, int (*next)(uint32_t id, uint32_t *next_id),
		int (*take_one)(struct holding *w, uint32_t id))
{
	uint32_t id = 0;
	int rc = 0;

	while (!rc && !next(id, &id))
		rc = take_one(w, id);
	return rc || errno == ENOENT ? rc : -errno;
}

int held_each(held_fn fn, void *ctx)
{
	struct holding *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->ctx = ctx;
	rc = each(w, bpf_prog_get_next_id, take_program);
	if (!rc)
		rc = each(w, bpf_map_get_next_id, take_map);
	free(w);
	return rc;
}
