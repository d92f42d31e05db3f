// SPDX-License-Identifier: GPL-2.0-or-later
/* Pinned maps of agents as bytes. */
#include "ebpf/ebpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "util/buf.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { TRIES = 10, WORD = sizeof(uint64_t) };

struct reading {
	const char *dir;
	ebpf_hand hand;
	void *ctx;
	size_t total;
};

static bool per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* The values of all CPUs, which stand one behind another at multiples of a word, become the first's. */
static void sum_up(uint8_t *values, uint32_t size, unsigned int cpus)
{
	for (uint32_t at = 0; at + WORD <= size; at += WORD) {
		uint64_t sum = 0, one;

		for (unsigned int c = 0; c < cpus; c++) {
			memcpy(&one, values + (size_t)c * ((size + WORD - 1) / WORD * WORD) + at, WORD);
			sum += one;
		}
		memcpy(values + at, &sum, WORD);
	}
}

/*
 * After a key that has gone the kernel begins anew: -EAGAIN, as where there come more than the map can have.  room: two
 * keys, the first one, and the values.
 */
static int read_entries(int fd, const struct bpf_map_info *info, unsigned int cpus, uint8_t *room, struct buf *to)
{
	uint8_t *key = room, *next = key + info->key_size, *first = next + info->key_size;
	uint8_t *value = first + info->key_size;
	struct ebpf_head h = { info->type, info->key_size, info->value_size, 0 };
	uint32_t seen = 0;
	int rc;

	to->n = 0;
	buf_add(to, &h, sizeof(h));
	while (!(rc = bpf_map_get_next_key(fd, seen ? key : NULL, next))) {
		if (seen++ >= info->max_entries || (seen > 1 && !memcmp(next, first, info->key_size)))
			return -EAGAIN;
		memcpy(key, next, info->key_size);
		if (seen == 1)
			memcpy(first, next, info->key_size);
		rc = bpf_map_lookup_elem(fd, key, value);
		if (rc == -ENOENT)
			continue;
		if (rc)
			return rc;
		if (per_cpu(info->type))
			sum_up(value, info->value_size, cpus);
		buf_add(to, key, info->key_size);
		buf_add(to, value, info->value_size);
		if (to->full)
			return -EFBIG;
		h.n++;
	}
	memcpy(to->p, &h, sizeof(h));
	return rc == -ENOENT ? 0 : rc;
}

static int read_known(int fd, const struct bpf_map_info *info, struct buf *to)
{
	int cpus = per_cpu(info->type) ? libbpf_num_possible_cpus() : 1;
	size_t stride = ((size_t)info->value_size + WORD - 1) / WORD * WORD;
	owned_mem uint8_t *room = NULL;
	int rc = -EAGAIN;

	if (cpus < 1)
		return cpus < 0 ? cpus : -EINVAL;
	room = malloc(3 * (size_t)info->key_size + stride * (size_t)cpus);
	if (!room)
		return -ENOMEM;
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++)
		rc = read_entries(fd, info, (unsigned int)cpus, room, to);
	return rc;
}

/* What hand() ended with is said; of the others nothing is. */
static int read_map(struct reading *r, const char *name, enum ebpf_kind kind)
{
	LIBBPF_OPTS(bpf_obj_get_opts, o, .file_flags = BPF_F_RDONLY);
	struct buf to = { .max = EBPF_BYTES_MAX - r->total };
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	struct ebpf_head h;
	char path[512];
	owned_fd int fd = -1;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	fd = bpf_obj_get_opts(path, &o);
	if (fd < 0)
		return fd;
	rc = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (rc)
		return rc;
	h = (struct ebpf_head){ info.type, info.key_size, info.value_size, 0 };
	if (!ebpf_is_known(kind, &h))
		return r->hand(r->ctx, name, &h, sizeof(h));
	rc = read_known(fd, &info, &to);
	if (!rc)
		rc = r->hand(r->ctx, name, to.p, to.n);
	r->total += to.n;
	buf_free(&to);
	return rc;
}

static int failed(const struct reading *r, const char *name, int rc)
{
	char missing[128];

	if (rc == -EPERM && caps_missing(NEED_BPF, missing, sizeof(missing)))
		return fail(-EPERM, "%s/%s: needs %s; %s", r->dir, name, missing, caps_remedy(missing));
	if (rc == -EAGAIN)
		return fail(0, "%s/%s: it changed whenever it was read", r->dir, name), rc;
	if (rc == -EFBIG)
		return fail(0, "maps of eBPF: more than %d MiB: not all are here", EBPF_BYTES_MAX >> 20), rc;
	return fail(rc, "%s/%s", r->dir, name);
}

static int is_ours(const struct dirent *e)
{
	uint32_t endpoint;

	return ebpf_kind_of(e->d_name, &endpoint) != EBPF_OTHER;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* 0, or the first error; -EPERM and the like would be those of all that follow. */
static int read_maps(struct reading *r, struct dirent **names, int n)
{
	int first = 0;

	for (int i = 0; i < n; i++) {
		uint32_t endpoint;
		enum ebpf_kind kind = ebpf_kind_of(names[i]->d_name, &endpoint);
		int rc = i < EBPF_MAPS_MAX ? read_map(r, names[i]->d_name, kind) : -EFBIG;

		if (!rc || rc == -ENOENT)
			continue;
		rc = failed(r, names[i]->d_name, rc);
		first = first ? first : rc;
		if (rc == -EPERM || rc == -EACCES || rc == -EFBIG || rc == -ENOMEM)
			break;
	}
	return first;
}

int ebpf_read(const char *dir, ebpf_hand hand, void *ctx)
{
	struct reading r = { .dir = dir, .hand = hand, .ctx = ctx };
	struct dirent **names = NULL;
	struct statfs fs;
	int rc, n;

	if (statfs(dir, &fs))
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(errno, "maps of eBPF: %s", dir);
	if (fs.f_type != BPF_FS_MAGIC)
		return 0;
	n = scandir(dir, &names, is_ours, by_name);
	if (n < 0)
		return errno == ENOENT ? 0 : fail(errno, "maps of eBPF: %s", dir);
	rc = read_maps(&r, names, n);
	while (n-- > 0)
		free(names[n]);
	free(names);
	return rc;
}
