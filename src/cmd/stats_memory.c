// SPDX-License-Identifier: GPL-2.0-or-later
/* stats memory: what netprobe itself holds on this host. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cmd/listing.h"
#include "cmd/session.h"
#include "cmd/stats.h"
#include "decode/firsts.h"
#include "flows/pieces.h"
#include "flows/table.h"
#include "inventory/inventory.h"
#include "inventory/memory.h"
#include "pin/pin.h"
#include "stats/devices.h"
#include "stats/fields.h"
#include "stats/tally.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/escape.h"

enum { PIDS_MAX = 16, COMMAND_MAX = 128, STATES_MAX = 1024, MAPS_MAX = 256 };

/* A state that is pinned; what its programs take, and the maps that they use. */
struct state {
	char path[PIN_PATH], service[16], interface[16];
	uint64_t bytes;
	bool unknown;			/* those of one are */
	uint32_t maps[MAPS_MAX], n_maps;
};

struct run {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct holders *holders;
	struct state *states;
	unsigned int n_states, maps, programs, processes;
	uint64_t kernel_bytes, process_bytes;
	bool titles;
	int blind;			/* why /proc tells nothing; 0: it does */
};

/* ── lines ────────────────────────────────────────────────────────────────── */

static void put_field(struct buf *b, const struct str *s, int width)
{
	char clean[512];

	escape_text(clean, sizeof(clean), s->p ? s->p : "", s->n, ESCAPE_FIELD);
	buf_fmt(b, "%-*s ", width, s->n ? clean : "-");
}

static void put_number(struct buf *b, const struct record *r, unsigned int field, uint64_t v, int width)
{
	if (record_has(r, field))
		buf_fmt(b, "%*llu ", width, (unsigned long long)v);
	else
		buf_fmt(b, "%*s ", width, "-");
}

static void memory_line(void *ctx, const struct record *r, struct buf *b)
{
	struct run *run = ctx;
	const struct memory_body *m = memory_of(r);

	if (run->titles)
		buf_fmt(b, "%-8s %8s %12s %9s %10s %6s %-10s %-24s %s\n", "WHAT", "ID", "BYTES", "ENTRIES", "RUNS",
			"NS/RUN", "PIDS", "NAME", "PINNED");
	run->titles = false;
	buf_fmt(b, "%-8s ", m->what);
	put_number(b, r, FIELD_MEMORY_ID, m->id, 8);
	put_number(b, r, FIELD_MEMORY_BYTES, m->bytes, 12);
	put_number(b, r, FIELD_MEMORY_ENTRIES, m->entries, 9);
	put_number(b, r, FIELD_MEMORY_RUN_COUNT, m->run_count, 10);
	put_number(b, r, FIELD_MEMORY_RUN_NS, m->run_count ? m->run_ns / m->run_count : 0, 6);
	for (uint32_t i = 0; i < m->pids.n; i++)
		buf_fmt(b, "%s%u", i ? "," : "", ((const uint32_t *)m->pids.p)[i]);
	buf_fmt(b, "%*s ", m->pids.n ? 0 : -10, m->pids.n ? "" : "-");
	put_field(b, &m->name, 24);
	put_field(b, &m->pinned, 0);
}

/* ── records ──────────────────────────────────────────────────────────────── */

static void set_text(struct record *r, unsigned int field, struct str *to, const char *text)
{
	*to = (struct str){ text, text ? (uint32_t)strlen(text) : 0 };
	if (to->n)
		record_mark(r, field);
}

static struct memory_body *begin(struct record *r, const char *what, const char *name)
{
	struct memory_body *m;

	record_start(r, &memory_dataset);
	m = memory_of(r);
	memset(m, 0, sizeof(*m));
	m->what = what;
	record_mark(r, FIELD_MEMORY_WHAT);
	set_text(r, FIELD_MEMORY_NAME, &m->name, name);
	return m;
}

static void set_number(struct record *r, unsigned int field, uint64_t *to, uint64_t v)
{
	*to = v;
	record_mark(r, field);
}

static void set_id(struct record *r, struct memory_body *m, uint32_t id)
{
	m->id = id;
	record_mark(r, FIELD_MEMORY_ID);
}

static bool has_map(const struct state *s, uint32_t id)
{
	for (uint32_t i = 0; i < s->n_maps; i++)
		if (s->maps[i] == id)
			return true;
	return false;
}

static bool is_below(const char *pinned, const char *dir)
{
	size_t n = strlen(dir);

	return pinned && !strncmp(pinned, dir, n) && pinned[n] == '/';
}

/* Programs and maps with a name below its directory, and the maps of those programs. */
static void add_to_states(struct run *run, const struct held *h, const char *pinned)
{
	for (unsigned int i = 0; i < run->n_states; i++) {
		struct state *s = &run->states[i];

		if (!is_below(pinned, s->path) && !(h->is_map && has_map(s, h->id)))
			continue;
		s->bytes += h->bytes;
		s->unknown |= !h->has_bytes;
		for (uint32_t k = 0; k < h->n_maps && s->n_maps < MAPS_MAX; k++)
			s->maps[s->n_maps++] = h->maps[k];
	}
}

static int put_held(void *ctx, const struct held *h)
{
	struct run *run = ctx;
	struct record r;
	struct memory_body *m = begin(&r, h->is_map ? "map" : "program", h->name);
	uint32_t pids[PIDS_MAX];
	const char *pin = h->is_map ? holders_map_pin(run->holders, h->id) : holders_all_pin(run->holders, h->id);

	m->pids.p = pids;
	m->pids.n = h->is_map ? holders_map_pids(run->holders, h->id, pids, PIDS_MAX) :
				holders_all_pids(run->holders, h->id, pids, PIDS_MAX);
	if (m->pids.n)
		record_mark(&r, FIELD_MEMORY_PIDS);
	set_text(&r, FIELD_MEMORY_PINNED, &m->pinned, pin);
	set_id(&r, m, h->id);
	if (h->has_bytes)
		set_number(&r, FIELD_MEMORY_BYTES, &m->bytes, h->bytes);
	if (h->is_map)
		set_number(&r, FIELD_MEMORY_ENTRIES, &m->entries, h->entries);
	if (h->run_count) {
		set_number(&r, FIELD_MEMORY_RUN_COUNT, &m->run_count, h->run_count);
		set_number(&r, FIELD_MEMORY_RUN_NS, &m->run_ns, h->run_ns);
	}
	run->kernel_bytes += h->bytes;
	run->maps += h->is_map;
	run->programs += !h->is_map;
	add_to_states(run, h, pin);
	return listing_put(&run->pipe, &r);
}

static int note_state(void *ctx, const struct pin_view *v)
{
	struct run *run = ctx;
	struct state *s = &run->states[run->n_states];

	if (run->n_states == STATES_MAX || v->state == PIN_FOREIGN || v->state == PIN_ABSENT)
		return 0;
	snprintf(s->path, sizeof(s->path), "%s", v->path);
	snprintf(s->service, sizeof(s->service), "%s", v->service);
	snprintf(s->interface, sizeof(s->interface), "%.*s", (int)strnlen(v->meta.ifname, 15), v->meta.ifname);
	run->n_states++;
	return 0;
}

static int put_states(struct run *run)
{
	int rc = 0;

	for (unsigned int i = 0; i < run->n_states && !rc; i++) {
		const struct state *s = &run->states[i];
		struct record r;
		struct memory_body *m = begin(&r, "state", s->service);

		set_text(&r, FIELD_INTERFACE, &r.interface, s->interface);
		set_text(&r, FIELD_MEMORY_PINNED, &m->pinned, s->path);
		if (!s->unknown && !run->blind)
			set_number(&r, FIELD_MEMORY_BYTES, &m->bytes, s->bytes);
		rc = listing_put(&run->pipe, &r);
	}
	return rc;
}

/* ── processes ────────────────────────────────────────────────────────────── */

/* The beginning of a file below /proc/PID, with a NUL; bytes, or -1. */
static ssize_t read_of(const char *pid, const char *name, char *text, size_t size)
{
	char path[64];
	owned_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static int put_process(struct run *run, const char *pid)
{
	char comm[32], status[4096], line[COMMAND_MAX];
	struct memory_body *m;
	struct record r;
	const char *rss;
	ssize_t n;

	if (read_of(pid, "comm", comm, sizeof(comm)) < 0 || strcmp(comm, "netprobe\n"))
		return 0;
	if (strtol(pid, NULL, 10) == getpid() || read_of(pid, "status", status, sizeof(status)) < 0)
		return 0;
	rss = strstr(status, "\nVmRSS:");
	n = read_of(pid, "cmdline", line, sizeof(line));
	for (ssize_t i = 0; i + 1 < n; i++)
		line[i] = line[i] ? line[i] : ' ';
	m = begin(&r, "process", n > 0 ? line : "netprobe");
	set_id(&r, m, (uint32_t)strtoul(pid, NULL, 10));
	if (rss)
		set_number(&r, FIELD_MEMORY_BYTES, &m->bytes, strtoull(rss + 7, NULL, 10) << 10);
	run->processes++;
	run->process_bytes += m->bytes;
	return listing_put(&run->pipe, &r);
}

static int put_processes(struct run *run)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	int rc = 0;

	while (d && !rc && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			rc = put_process(run, e->d_name);
	if (d)
		closedir(d);
	return rc;
}

/* ── what there can be ────────────────────────────────────────────────────── */

/* Memory is touched when it is used, so opening one costs none. */
static uint64_t flows_bytes(uint32_t settled, uint32_t first)
{
	const struct flow_table_options o = { .settled = settled, .first = first, .seed = session_seed() };
	struct flow_table *t = NULL;
	uint64_t bytes;

	if (flow_table_open(&t, &o))
		return 0;
	bytes = flow_table_bytes(t);
	flow_table_close(t);
	return bytes;
}

static int put_bounds(struct run *run)
{
	const struct {
		const char *name;
		uint64_t entries, bytes;	/* bytes 0: they are not known beforehand */
	} bounds[] = {
		{ "flows", FLOWS_SETTLED + FLOWS_FIRST, flows_bytes(FLOWS_SETTLED, FLOWS_FIRST) },
		{ "flows -r", FLOWS_FILE_SETTLED + FLOWS_FILE_FIRST,
		  flows_bytes(FLOWS_FILE_SETTLED, FLOWS_FILE_FIRST) },
		{ "fragments of flows", PIECES_MAX, 0 },
		{ "first fragments", FIRSTS_MAX, 0 },
		{ "rows of stats --by", TALLY_MAX, 0 },
		{ "stats --by device", DEVICES_MAX, 0 },
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]) && !rc; i++) {
		struct record r;
		struct memory_body *m = begin(&r, "bound", bounds[i].name);

		set_number(&r, FIELD_MEMORY_ENTRIES, &m->entries, bounds[i].entries);
		if (bounds[i].bytes)
			set_number(&r, FIELD_MEMORY_BYTES, &m->bytes, bounds[i].bytes);
		rc = listing_put(&run->pipe, &r);
	}
	return rc;
}

static int put_all(struct run *run)
{
	int rc = holders_open(&run->holders);

	if (rc)
		return rc;
	run->blind = holders_blind();
	pin_each(note_state, run);
	rc = held_each(put_held, run);
	if (rc == -EPERM) {
		note("no maps, programs and pinned state, which only root of the host may list (CAP_SYS_ADMIN)");
		rc = 0;
	}
	if (!rc)
		rc = put_states(run);
	if (!rc)
		rc = put_processes(run);
	if (!rc)
		rc = put_bounds(run);
	if (rc >= 0 && run->blind)
		note("no bytes, holders, pinned state and processes: /proc: %s", strerror(-run->blind));
	else if (rc >= 0)
		note("%llu KiB in %u map%s and %u program%s, %llu KiB resident in %u process%s",
		     (unsigned long long)run->kernel_bytes >> 10, run->maps, run->maps == 1 ? "" : "s", run->programs,
		     run->programs == 1 ? "" : "s", (unsigned long long)run->process_bytes >> 10, run->processes,
		     run->processes == 1 ? "" : "es");
	return rc;
}

int stats_memory(const struct globals *g)
{
	static const uint16_t columns[] = {
		FIELD_MEMORY_WHAT, FIELD_MEMORY_ID, FIELD_MEMORY_NAME, FIELD_INTERFACE, FIELD_MEMORY_BYTES,
		FIELD_MEMORY_ENTRIES, FIELD_MEMORY_RUN_COUNT, FIELD_MEMORY_RUN_NS, FIELD_MEMORY_PIDS,
		FIELD_MEMORY_PINNED,
	};
	struct run run = { .titles = !g->no_header, .states = calloc(STATES_MAX, sizeof(*run.states)) };
	int err;

	run.o = (struct output_options){ .g = g, .records = true,
					 .text = { .line = memory_line, .line_state = &run } };
	if (output_check(&run.out, &run.o)) {
		free(run.states);
		return EXIT_USAGE;
	}
	err = listing_open(&run.out, &run.pipe, &memory_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	if (!err)
		err = run.states ? put_all(&run) : fail(ENOMEM, "stats memory");
	holders_close(run.holders);
	free(run.states);
	return listing_close(&run.out, &run.pipe, err);
}
