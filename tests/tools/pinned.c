// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Of state below /sys/fs/bpf/netprobe:
 *   pinned counted DIR    what attach add's maps hold: frames and flows begun, "IN OUT FLOWS"
 *   pinned maps DIR       the numbers of the maps in there, "NAME ID" a line
 *   pinned meta DIR ABI   in DIR, a directory, a meta as one of that ABI would have it, of service "count"
 *   pinned foreign PATH   a map that is not netprobe's
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "abi.h"
#include "count/view.h"

static int object(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return bpf_obj_get(path);
}

static int counted(const char *dir)
{
	struct np_counts sum[NP_COUNT_DIRS];
	int maps[COUNT_MAPS];
	struct count_view v;

	for (enum count_map m = 0; m < COUNT_MAPS; m++) {
		maps[m] = object(dir, count_map_names[m] + strlen("np_"));
		if (maps[m] < 0) {
			perror(count_map_names[m]);
			return 1;
		}
	}
	if (count_map(&v, maps))
		return 1;
	memset(sum, 0, sizeof(sum));
	for (enum np_count_dir d = 0; d < NP_COUNT_DIRS; d++)
		count_sum(&v, 0, d, &sum[d]);
	printf("%llu %llu %llu\n", (unsigned long long)sum[NP_COUNT_IN].frames,
	       (unsigned long long)sum[NP_COUNT_OUT].frames,
	       (unsigned long long)(sum[NP_COUNT_IN].flows + sum[NP_COUNT_OUT].flows));
	count_unmap(&v);
	return 0;
}

static int list(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct bpf_map_info info = { 0 };
		uint32_t n = sizeof(info);
		int fd = strchr(e->d_name, '_') || e->d_name[0] == '.' ? -1 : object(dir, e->d_name);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &n))
			printf("%s %u\n", e->d_name, info.id);
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
	return !d;
}

static int make(const char *path, const char *name, const void *value, uint32_t size)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, size, 1, NULL);
	uint32_t zero = 0;

	if (fd >= 0 && !bpf_map_update_elem(fd, &zero, value, BPF_ANY) && !bpf_obj_pin(fd, path))
		return 0;
	perror(path);
	return 1;
}

static int meta(const char *dir, uint32_t abi)
{
	struct np_meta m = { .magic = NP_META_MAGIC, .abi = abi, .version = "9.9", .service = "count" };
	char path[512];

	snprintf(path, sizeof(path), "%s/meta", dir);
	return make(path, "np_meta", &m, sizeof(m));
}

int main(int argc, char **argv)
{
	const uint64_t zero = 0;

	if (argc == 3 && !strcmp(argv[1], "counted"))
		return counted(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "maps"))
		return list(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "meta"))
		return meta(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
	if (argc == 3 && !strcmp(argv[1], "foreign"))
		return make(argv[2], "theirs", &zero, sizeof(zero));
	fprintf(stderr, "usage: pinned counted DIR | maps DIR | meta DIR ABI | foreign PATH\n");
	return 2;
}
