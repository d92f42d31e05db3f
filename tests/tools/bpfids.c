// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which BPF objects are whose, and which are still there.
 *   bpfids held PID...   a line "KIND ID" for each link, program and map that descriptors of the
 *                        processes name, that those links name, and that those programs name
 *   bpfids left          reads such lines, with any note behind; prints those that still exist
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum { MAPS_MAX = 64 };

static void program(uint32_t id)
{
	uint32_t maps[MAPS_MAX] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uint64_t)(uintptr_t)maps };
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	printf("prog %u\n", id);
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
			printf("map %u\n", maps[i]);
	close(fd);
}

static void link_to(uint32_t id)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = bpf_link_get_fd_by_id(id);

	printf("link %u\n", id);
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.prog_id)
		program(info.prog_id);
	close(fd);
}

static void descriptor(const char *path)
{
	char line[256];
	unsigned int id, links = 0;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "link_id: %u", &id) == 1) {
			link_to(id);
			links++;
		} else if (!links && sscanf(line, "prog_id: %u", &id) == 1) {
			program(id);
		} else if (sscanf(line, "map_id: %u", &id) == 1) {
			printf("map %u\n", id);
		}
	}
	if (f)
		fclose(f);
}

static void held(const char *pid)
{
	char path[320];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, e->d_name);
		descriptor(path);
	}
	if (d)
		closedir(d);
}

/*
 * Is it there?  Not by opening it: a map of programs is cleared when its last descriptor goes, and one that goes while
 * that is still being done costs it a reference, for ever (prog_array_map_clear() of Linux up to 6.18).
 */
static bool exists(const char *kind, uint32_t id)
{
	uint32_t next = 0;
	int err = !strcmp(kind, "prog") ? bpf_prog_get_next_id(id - 1, &next) :
		  !strcmp(kind, "map")	? bpf_map_get_next_id(id - 1, &next) :
					  bpf_link_get_next_id(id - 1, &next);

	return !err && next == id;
}

int main(int argc, char **argv)
{
	char line[256], kind[8];
	unsigned int id;
	int end;

	if (argc > 1 && !strcmp(argv[1], "held")) {
		for (int i = 2; i < argc; i++)
			held(argv[i]);
		return 0;
	}
	if (argc != 2 || strcmp(argv[1], "left")) {
		fprintf(stderr, "usage: bpfids held PID... | bpfids left\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin))
		if (sscanf(line, "%7s %u%n", kind, &id, &end) == 2 && exists(kind, id))
			printf("%s %u%s", kind, id, line + end);
	return 0;
}
