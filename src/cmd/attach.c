// SPDX-License-Identifier: GPL-2.0-or-later
/* attach: BPF programs at interfaces; the words of all verbs; list. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/attach.h"
#include "cmd/fields.h"
#include "cmd/listing.h"
#include "cmd/session.h"
#include "inventory/inventory.h"
#include "util/caps.h"
#include "util/err.h"
#include "util/escape.h"

#define A(member) offsetof(struct attach_opts, member)

static const struct opt list_keywords[] = {
	{ "dev", 0, OPT_STR, A(dev), "IFACE", "at this interface only; may be a glob, or any" },
	{ .type = OPT_END },
};

static const struct opt plan_keywords[] = {
	{ "dev", 0, OPT_STR, A(dev), "IFACE", "of this interface only; may be a glob, or any" },
	{ "try", 0, OPT_FLAG, A(try), NULL, "try XDP as well: it may reset the link" },
	{ .type = OPT_END },
};

#define HOOK_ROW(help_) \
	{ "hook", 0, OPT_EACH, A(hooks), "HOOK", help_, OPT_WORDS("xdp", "ingress", "egress") }

static const struct opt add_rows[] = {
	{ "xdp-mode", 'm', OPT_WORD, A(mode), "MODE", "at XDP, in the driver or behind it",
	  OPT_WORDS("native", "generic") },
	{ "dry-run", 0, OPT_FLAG, A(dry_run), NULL, "tell where it would count, as plan does, and change nothing" },
	{ .type = OPT_END },
};

static const struct opt add_keywords[] = {
	{ "dev", 0, OPT_STR, A(dev), "IFACE", "at this interface; may be a glob, or any" },
	HOOK_ROW("here, in place of the default; may be given again"),
	{ "flows", 0, OPT_UINT, A(flows), "N", "room for so many conversations: 65536 at a network card, else 8192" },
	{ .type = OPT_END },
};

static const struct opt del_rows[] = {
	{ "dry-run", 0, OPT_FLAG, A(dry_run), NULL, "tell what would be taken away, and change nothing" },
	{ .type = OPT_END },
};

static const struct opt del_keywords[] = {
	{ "dev", 0, OPT_STR, A(dev), "IFACE", "what counts at this interface; may be a glob, or any" },
	HOOK_ROW("at this hook alone; may be given again"),
	{ "id", 0, OPT_UINT, A(id), "N", "the program with this number" },
	{ "all", 0, OPT_FLAG, A(all), NULL, "all that counts, in every network namespace" },
	{ "stale", 0, OPT_FLAG, A(stale), NULL, "what no interface runs any more, also of block" },
	{ .type = OPT_END },
};

static const char attach_examples[] =
	"  sudo netprobe attach add dev eth0         count packets and flows there, until it is taken away\n"
	"  sudo netprobe attach del dev eth0         take it away\n"
	"  sudo netprobe attach del stale            what is left of interfaces that are gone\n"
	"  sudo netprobe attach list                 programs at interfaces and cgroups, whoever put them there\n"
	"  sudo netprobe attach list dev eth0        at one interface\n"
	"  sudo netprobe -N any -j attach list       of all network namespaces, as JSON lines\n"
	"  sudo netprobe attach plan dev eth0        where a program would be put, and why not elsewhere\n"
	"  sudo netprobe attach features             what this kernel has of what netprobe uses\n";

/* ── list ─────────────────────────────────────────────────────────────────── */

enum { PIDS_MAX = 16 };

struct list_run {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct holders *holders;
	bool titles, netns;		/* are to come; are shown */
	unsigned int n;
};

static void put_field(struct buf *b, const char *p, size_t n, int width)
{
	char clean[256];

	escape_text(clean, sizeof(clean), p, n, ESCAPE_FIELD);
	buf_fmt(b, "%-*s ", width, n ? clean : "-");
}

static void put_place(struct buf *b, const struct record *r)
{
	const struct link_body *l = link_of(r);

	if (record_has(r, FIELD_INTERFACE))
		put_field(b, r->interface.p, r->interface.n, 15);
	else
		put_field(b, l->cgroup.p, l->cgroup.n, 15);
}

static void link_line(void *ctx, const struct record *r, struct buf *b)
{
	struct list_run *run = ctx;
	const struct link_body *l = link_of(r);
	char hook[40];

	if (run->titles) {
		if (run->netns)
			buf_fmt(b, "%-15s ", "NETNS");
		buf_fmt(b, "%-15s %-20s %2s %6s %-20s %10s %6s %-10s %s\n", "PLACE", "HOOK", "#", "ID", "PROGRAM",
			"RUNS", "NS/RUN", "PIDS", "PINNED");
	}
	run->titles = false;
	if (run->netns)
		put_field(b, l->netns_name.p, l->netns_name.n, 15);
	put_place(b, r);
	snprintf(hook, sizeof(hook), "%s%s%s", r->hook, r->hook_mode ? " " : "", r->hook_mode ? r->hook_mode : "");
	buf_fmt(b, "%-20s %2u %6u ", hook, l->order, l->program_id);
	put_field(b, l->name.p, l->name.n, 20);
	if (l->run_count)
		buf_fmt(b, "%10llu %6llu ", (unsigned long long)l->run_count,
			(unsigned long long)(l->run_ns / l->run_count));
	else
		buf_fmt(b, "%10s %6s ", "-", "-");
	for (uint32_t i = 0; i < l->pids.n; i++)
		buf_fmt(b, "%s%u", i ? "," : "", ((const uint32_t *)l->pids.p)[i]);
	buf_fmt(b, "%*s ", l->pids.n ? 0 : -10, l->pids.n ? "" : "-");
	put_field(b, l->pinned.p, l->pinned.n, 0);
}

static struct str text_of(const char *text)
{
	return (struct str){ text, text ? (uint32_t)strlen(text) : 0 };
}

/* What the record points to has to outlive it alone. */
struct row_text {
	char tag[17];
	uint32_t pids[PIDS_MAX];
	struct hooked_program program;
};

static void put_pids(struct list_run *run, const struct hooked *h, struct record *r, struct row_text *t)
{
	unsigned int n = holders_pids(run->holders, h->prog_id, h->link_id, t->pids, PIDS_MAX);

	link_of(r)->pids = (struct list){ t->pids, n };
	if (n)
		record_mark(r, FIELD_LINK_PIDS);
}

static void put_program(const struct hooked *h, struct record *r, struct row_text *t)
{
	struct link_body *l = link_of(r);

	l->program_id = h->prog_id;
	record_mark(r, FIELD_PROGRAM_ID);
	if (inventory_program(h->prog_id, &t->program))
		return;
	l->name = text_of(t->program.name);
	for (unsigned int i = 0; i < sizeof(t->program.tag); i++)
		snprintf(t->tag + 2 * i, 3, "%02x", t->program.tag[i]);
	l->tag = text_of(t->tag);
	l->ours = t->program.ours;
	l->run_count = t->program.run_count;
	l->run_ns = t->program.run_ns;
	record_mark(r, FIELD_PROGRAM_TAG);
	record_mark(r, FIELD_LINK_OURS);
	if (l->name.n)
		record_mark(r, FIELD_PROGRAM_NAME);
	if (l->run_count) {
		record_mark(r, FIELD_PROGRAM_RUN_COUNT);
		record_mark(r, FIELD_PROGRAM_RUN_TIME);
	}
}

static void put_text(struct record *r, unsigned int field, struct str *to, const char *text)
{
	*to = text_of(text);
	if (text)
		record_mark(r, field);
}

static int list_one(void *ctx, const struct hooked *h)
{
	struct list_run *run = ctx;
	struct row_text t = { 0 };
	struct record r;
	struct link_body *l;

	record_start(&r, &link_dataset);
	l = link_of(&r);
	memset(l, 0, sizeof(*l));
	r.hook = h->hook;
	r.hook_mode = h->mode;
	r.link_id = h->link_id;
	l->order = h->order;
	l->priority = h->priority;
	l->handle = h->handle;
	l->netns = h->netns;
	record_mark(&r, FIELD_LINK_HOOK);
	record_mark(&r, FIELD_LINK_ORDER);
	if (h->mode)
		record_mark(&r, FIELD_LINK_MODE);
	if (h->link_id)
		record_mark(&r, FIELD_LINK_ID);
	if (h->priority)
		record_mark(&r, FIELD_LINK_PRIORITY);
	if (h->handle)
		record_mark(&r, FIELD_LINK_HANDLE);
	if (h->netns) {
		record_mark(&r, FIELD_LINK_NETNS);
		put_text(&r, FIELD_LINK_NETNS_NAME, &l->netns_name, netns_name(NULL, (uint32_t)h->netns));
	}
	if (h->link) {
		r.interface = text_of(h->link->name);
		r.ifindex = h->link->ifindex;
		record_mark(&r, FIELD_INTERFACE);
		record_mark(&r, FIELD_IFINDEX);
	}
	put_text(&r, FIELD_LINK_CGROUP, &l->cgroup, h->cgroup);
	put_text(&r, FIELD_LINK_PINNED, &l->pinned, holders_pin(run->holders, h->prog_id, h->link_id));
	put_program(h, &r, &t);
	put_pids(run, h, &r, &t);
	run->n++;
	return listing_put(&run->pipe, &r);
}

static int list_all(struct list_run *run, const struct inventory_scope *scope)
{
	struct inventory *v = NULL;
	char missing[128];
	int err = inventory_open(&v);

	if (err == -EPERM && caps_missing(NEED_ADMIN, missing, sizeof(missing)))
		return fail(EPERM, "programs of the host: missing: %s", missing);
	if (err)
		return err == -EPERM ? fail(EPERM, "programs of the host") : err;
	err = holders_open(&run->holders);
	if (!err)
		err = inventory_each(v, scope, list_one, run);
	if (inventory_missed(v))
		note("%u place%s could not be looked into", inventory_missed(v),
		     inventory_missed(v) == 1 ? "" : "s");
	if (!err && holders_blind())
		note("no holders and pinned names: /proc: %s", strerror(-holders_blind()));
	if (!err && scope->dev && !inventory_interfaces(v))
		err = fail(ENODEV, "%s", scope->dev);
	inventory_close(v);
	return err;
}

static int attach_list(const struct globals *g, const void *opts, int argc, char **argv)
{
	static const uint16_t columns[] = {
		FIELD_LINK_NETNS, FIELD_INTERFACE, FIELD_LINK_CGROUP, FIELD_LINK_HOOK, FIELD_LINK_MODE,
		FIELD_LINK_ORDER, FIELD_LINK_ID, FIELD_PROGRAM_ID, FIELD_PROGRAM_NAME, FIELD_PROGRAM_TAG,
		FIELD_PROGRAM_RUN_COUNT, FIELD_PROGRAM_RUN_TIME, FIELD_LINK_PIDS, FIELD_LINK_PINNED, FIELD_LINK_OURS,
	};
	const struct attach_opts *o = opts;
	struct list_run run = { .titles = !g->no_header };
	struct inventory_scope scope = { .dev = o->dev };
	int err = session_netns(g, &scope.all_netns);

	if (err)
		return err;
	run.netns = scope.all_netns;
	run.o = (struct output_options){ .g = g, .records = true, .text = { .line = link_line, .line_state = &run } };
	if (output_check(&run.out, &run.o))
		return EXIT_USAGE;
	err = listing_open(&run.out, &run.pipe, &link_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	if (!err)
		err = list_all(&run, &scope);
	if (!err && !run.n)
		note("no BPF program is attached");
	holders_close(run.holders);
	return listing_close(&run.out, &run.pipe, err);
}

static const struct command verbs[] = {
	{ .name = "add", .summary = "count packets and flows at an interface, until it is taken away",
	  .usage = "dev IFACE [hook HOOK]... [-m MODE] [flows N] [--dry-run]", .opts = add_rows,
	  .keywords = add_keywords, .without = records_only, .run = attach_add },
	{ .name = "del", .summary = "take away what add left, or what outlived its interface",
	  .usage = "dev IFACE [hook HOOK]... | id N | all | stale [--dry-run]", .opts = del_rows,
	  .keywords = del_keywords, .without = records_only, .run = attach_del },
	{ .name = "list", .summary = "programs at hooks, whoever put them there", .usage = "[dev IFACE]",
	  .keywords = list_keywords, .run = attach_list },
	{ .name = "show", .summary = "the same", .usage = "[dev IFACE]", .keywords = list_keywords,
	  .run = attach_list },
	{ .name = "plan", .summary = "where at an interface a program would be put, and why",
	  .usage = "[dev IFACE] [try]", .keywords = plan_keywords, .run = attach_plan },
	{ .name = "features", .summary = "what this kernel has of what netprobe uses", .run = attach_features },
	{ 0 },
};

const struct command cmd_attach = {
	.name = "attach",
	.summary = "Count at interfaces until told to stop; list the BPF programs of a host",
	.usage = "add dev IFACE | del {dev IFACE | id N | all | stale} | {list|show|plan} [dev IFACE] | features",
	.size = sizeof(struct attach_opts),
	.examples = attach_examples,
	.verbs = verbs,
};
