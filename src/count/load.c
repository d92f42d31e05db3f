// SPDX-License-Identifier: GPL-2.0-or-later
#include "count/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "count.skel.h"
#include "kern/load.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/time.h"

enum { LOG_BYTES = 1 << 20, IFACES_PLACES = 65536 };

/* Silent for so long: the next packet begins another flow. */
#define IDLE_FIRST_NS	60000000000ull
#define IDLE_SETTLED_NS 300000000000ull
#define IDLE_TCP_NS	432000000000000ull	/* five days, as connection tracking has it */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* A hash fills sets unevenly: with half as much room again few are full before n flows are there. */
static uint32_t sets_for(uint32_t n)
{
	uint32_t sets = NP_COUNT_SETS_MIN;

	while ((uint64_t)sets * NP_WAYS < n + n / 2ull)
		sets *= 2;
	return sets;
}

static void maps_of(const struct count *skel, struct bpf_map *to[COUNT_MAPS])
{
	to[COUNT_COUNTS] = skel->maps.np_counts;
	to[COUNT_TRANSPORTS] = skel->maps.np_transports;
	to[COUNT_SETTLED] = skel->maps.np_settled;
	to[COUNT_FIRST] = skel->maps.np_first;
	to[COUNT_PIECES] = skel->maps.np_pieces;
	to[COUNT_IFACES] = skel->maps.np_ifaces;
	to[COUNT_LOCKS] = skel->maps.np_locks;
	to[COUNT_CONF] = skel->maps.np_conf;
}

static void fill_conf(struct np_count_conf *conf, const struct count_options *o, uint32_t cpus)
{
	uint32_t flows = o->flows ? o->flows : COUNT_FLOWS;
	struct timespec tick = { 0 };

	memset(conf, 0, sizeof(*conf));
	conf->settled_mask = sets_for(flows) - 1;
	conf->first_mask = sets_for(flows / 4) - 1;
	conf->cpus = cpus;
	conf->iface_mask = o->ifaces > 1 ? IFACES_PLACES - 1 : 0;
	conf->per_interface = o->per_interface;
	/* A jiffy is the resolution of the coarse clocks. */
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	conf->tick_ns = tick.tv_nsec ? (uint64_t)tick.tv_nsec : 10000000;
	conf->ticks_s = 1000000000 / conf->tick_ns;
	conf->idle_first_ns = IDLE_FIRST_NS;
	conf->idle_settled_ns = IDLE_SETTLED_NS;
	conf->idle_tcp_ns = IDLE_TCP_NS;
	conf->since_ns = time_now();
}

static void size_maps(const struct count *skel, const struct counting *c, uint32_t ifaces)
{
	const struct np_count_conf *conf = &c->conf;

	bpf_map__set_max_entries(skel->maps.np_counts, ifaces * conf->cpus * NP_COUNT_DIRS);
	bpf_map__set_max_entries(skel->maps.np_transports, conf->cpus * NP_COUNT_DIRS);
	bpf_map__set_max_entries(skel->maps.np_settled, conf->settled_mask + 1);
	bpf_map__set_max_entries(skel->maps.np_first, conf->first_mask + 1);
	bpf_map__set_max_entries(skel->maps.np_ifaces, conf->iface_mask + 1);
}

/* MemAvailable of /proc/meminfo, in KiB; 0: not known. */
static unsigned long long available_kib(void)
{
	static const char key[] = "MemAvailable:";
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	while (f && !kib && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, sizeof(key) - 1))
			kib = strtoull(line + sizeof(key) - 1, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

/* Much more than the kernel has to give away would be taken from everybody else first. */
static int check_memory(const struct count *skel)
{
	unsigned long long available = available_kib(), kib = 0;
	const struct bpf_map *m;

	bpf_object__for_each_map(m, skel->obj)
		kib += (((bpf_map__value_size(m) + 7ull) & ~7ull) * bpf_map__max_entries(m)) >> 10;
	if (!available || kib <= available / 2)
		return 0;
	fail(0, "counting would take %llu MiB, of %llu MiB that are available: flows N asks for fewer", kib >> 10,
	     available >> 10);
	return -ENOMEM;
}

static void none_yet(struct counting *c)
{
	memset(c, 0, sizeof(*c));
	for (enum count_map m = 0; m < COUNT_MAPS; m++)
		c->maps[m] = -1;
	for (int i = 0; i < 2 * COUNT_HOOKS; i++)
		c->progs[i / COUNT_HOOKS][i % COUNT_HOOKS] = -1;
	libbpf_set_print(quiet);
}

static int refused(int err, const char *what, const char *log, bool debug)
{
	char reason[256];

	load_reason(reason, sizeof(reason), err, NEED_BPF | NEED_NET_ADMIN | NEED_PERFMON, what);
	fail(0, "%s", reason);
	if (debug && log && *log)
		note_log(log + (strlen(log) > 900 ? strlen(log) - 900 : 0));
	return err;
}

/* The skeleton's maps alone, kept beyond it. */
static int keep_maps(struct counting *c, const struct count *skel)
{
	struct bpf_map *maps[COUNT_MAPS];
	uint32_t zero = 0;

	maps_of(skel, maps);
	for (enum count_map m = 0; m < COUNT_MAPS; m++) {
		c->maps[m] = fcntl(bpf_map__fd(maps[m]), F_DUPFD_CLOEXEC, 3);
		if (c->maps[m] < 0)
			return fail(errno, "counting");
	}
	if (bpf_map_update_elem(c->maps[COUNT_CONF], &zero, &c->conf, BPF_ANY))
		return fail(errno, "counting");
	return 0;
}

int count_make(struct counting *c, const struct count_options *o)
{
	int cpus = libbpf_num_possible_cpus(), err;
	struct bpf_program *p;
	struct count *skel;

	none_yet(c);
	c->debug = o->debug;
	skel = count__open();
	if (!skel || cpus < 1)
		return fail(errno, "counting: the BPF object");
	fill_conf(&c->conf, o, (uint32_t)cpus);
	if (getrandom(c->conf.hash, sizeof(c->conf.hash), 0) != sizeof(c->conf.hash))
		err = fail(errno, "counting: random numbers");
	else
		err = 0;
	size_maps(skel, c, o->ifaces ? o->ifaces : 1);
	if (!err)
		err = check_memory(skel);
	bpf_object__for_each_program(p, skel->obj)
		bpf_program__set_autoload(p, false);
	if (!err) {
		err = count__load(skel);
		if (err)
			refused(err, "cannot make the maps that count", NULL, false);
	}
	if (!err)
		err = keep_maps(c, skel);
	count__destroy(skel);
	if (err)
		count_close(c);
	return err;
}

int count_adopt(struct counting *c, const int maps[COUNT_MAPS], bool debug)
{
	int err;

	none_yet(c);
	c->debug = debug;
	memcpy(c->maps, maps, sizeof(c->maps));
	err = count_conf(c->maps[COUNT_CONF], &c->conf);
	if (err)
		count_close(c);
	return err;
}

static int load(const struct counting *c, struct count *skel, enum count_hook hook, bool l3)
{
	struct bpf_program *progs[COUNT_HOOKS] = {
		[COUNT_XDP] = skel->progs.np_count_xdp, [COUNT_IN] = skel->progs.np_count_in,
		[COUNT_OUT] = skel->progs.np_count_out,
	};
	struct bpf_map *maps[COUNT_MAPS];
	int err;

	maps_of(skel, maps);
	for (enum count_map m = 0; m < COUNT_MAPS; m++)
		if (bpf_map__reuse_fd(maps[m], c->maps[m]))
			return -errno;
	memcpy((void *)(uintptr_t)&skel->rodata->conf, &c->conf, sizeof(c->conf));
	skel->rodata->conf.l3 = l3;
	for (enum count_hook h = 0; h < COUNT_HOOKS; h++)
		bpf_program__set_autoload(progs[h], h == hook);
	err = count__load(skel);
	if (err)
		return err;
	err = fcntl(bpf_program__fd(progs[hook]), F_DUPFD_CLOEXEC, 3);
	return err < 0 ? -errno : err;
}

int count_program(struct counting *c, enum count_hook hook, bool l3)
{
	owned_mem char *log = calloc(1, LOG_BYTES);
	LIBBPF_OPTS(bpf_object_open_opts, oo, .kernel_log_buf = log, .kernel_log_size = LOG_BYTES);
	struct count *skel;
	int fd;

	if (c->progs[l3][hook] >= 0)
		return c->progs[l3][hook];
	skel = log ? count__open_opts(&oo) : NULL;
	if (!skel)
		return fail(errno, "counting: the BPF object");
	fd = load(c, skel, hook, l3);
	if (fd < 0)
		refused(fd, "the kernel refused the program that counts", log, c->debug);
	count__destroy(skel);
	if (fd >= 0)
		c->progs[l3][hook] = fd;
	return fd;
}

int count_number(const struct counting *c, uint32_t ifindex, uint32_t number)
{
	uint32_t at = ifindex & c->conf.iface_mask;

	uint64_t value = (uint64_t)ifindex << 32 | number;

	return bpf_map_update_elem(c->maps[COUNT_IFACES], &at, &value, BPF_ANY) ? -errno : 0;
}

void count_close(struct counting *c)
{
	for (enum count_map m = 0; m < COUNT_MAPS; m++) {
		if (c->maps[m] >= 0)
			close(c->maps[m]);
		c->maps[m] = -1;
	}
	for (int i = 0; i < 2 * COUNT_HOOKS; i++) {
		int *fd = &c->progs[i / COUNT_HOOKS][i % COUNT_HOOKS];

		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

uint64_t count_bytes(const struct counting *c)
{
	uint64_t sum = 0;

	for (enum count_map m = 0; m < COUNT_MAPS; m++) {
		struct bpf_map_info info = { 0 };
		uint32_t n = sizeof(info);

		if (c->maps[m] >= 0 && !bpf_obj_get_info_by_fd(c->maps[m], &info, &n))
			sum += (uint64_t)((info.value_size + 7) & ~7u) * info.max_entries;
	}
	return sum;
}
