// SPDX-License-Identifier: GPL-2.0-or-later
/* attach add: programs that count, at an interface until they are taken away. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "cmd/attach.h"
#include "cmd/session.h"
#include "count/load.h"
#include "numbers/linktype.h"
#include "util/err.h"

/* One interface, and what was there before. */
struct site {
	const struct link_info *l;
	const struct attach_opts *o;
	bool debug;
	struct hook_choice choice;
	struct pin pin;
	struct counting counting;
	bool is_fresh;			/* the maps are not those that were there */
	int maps[COUNT_MAPS];		/* of before; -1 */
	int progs[PIN_HOOKS];		/* likewise */
	const char *mode;		/* of XDP */
};

struct add_run {
	const struct globals *g;
	const struct attach_opts *o;
	unsigned int n;			/* interfaces that fit */
	int err;			/* of the first that failed */
};

static const enum pin_hook pin_hook_of[WAYS] = {
	[WAY_XDP_NATIVE] = PIN_XDP, [WAY_XDP_GENERIC] = PIN_XDP, [WAY_TCX_IN] = PIN_INGRESS,
	[WAY_TCX_OUT] = PIN_EGRESS, [WAY_CLSACT_IN] = PIN_INGRESS, [WAY_CLSACT_OUT] = PIN_EGRESS,
};

static const enum count_hook count_hook_of[PIN_HOOKS] = {
	[PIN_XDP] = COUNT_XDP, [PIN_INGRESS] = COUNT_IN, [PIN_EGRESS] = COUNT_OUT,
};

/* Ingress in front, for others may end the chain; egress behind them: what does leave. */
static struct pin_want want_at(enum pin_hook hook, enum pin_mode mode, int prog)
{
	return (struct pin_want){ .hook = hook, .prog = prog, .mode = mode, .last = hook == PIN_EGRESS,
				  .handle = ATTACH_HANDLE };
}

static enum pin_mode mode_named(const char *mode)
{
	if (mode && !strcmp(mode, "generic"))
		return PIN_GENERIC;
	return mode && !strcmp(mode, "offload") ? PIN_OFFLOAD : PIN_NATIVE;
}

/* ── what was there ───────────────────────────────────────────────────────── */

static void look_back(struct site *s)
{
	struct pin_got got;

	for (enum count_map m = 0; m < COUNT_MAPS; m++)
		s->maps[m] = pin_get(&s->pin.at, count_pin_name(m), false);
	for (enum pin_hook h = 0; h < PIN_HOOKS; h++)
		s->progs[h] = pin_attached(&s->pin.at, h, &got) == 1 ? bpf_prog_get_fd_by_id(got.prog_id) : -1;
	if (s->progs[PIN_XDP] >= 0)
		hook_at_xdp(s->l->ifindex, &s->mode);
}

static void forget(struct site *s)
{
	for (enum count_map m = 0; m < COUNT_MAPS; m++)
		if (s->maps[m] >= 0)
			close(s->maps[m]);
	for (enum pin_hook h = 0; h < PIN_HOOKS; h++)
		if (s->progs[h] >= 0)
			close(s->progs[h]);
}

static bool map_info(int fd, struct bpf_map_info *info)
{
	uint32_t n = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, info, &n);
}

/* Are the maps whole, and those of the programs that run?  Who was killed while replacing them left some of each. */
static bool can_go_on(const struct site *s)
{
	struct bpf_map_info of[COUNT_MAPS];
	struct np_count_conf conf;
	uint32_t zero = 0;

	for (enum count_map m = 0; m < COUNT_MAPS; m++)
		if (!map_info(s->maps[m], &of[m]))
			return false;
	for (enum pin_hook h = 0; h < PIN_HOOKS; h++)
		for (enum count_map m = 0; s->progs[h] >= 0 && m < COUNT_READ; m++)
			if (!count_uses(s->progs[h], of[m].id))
				return false;
	if (of[COUNT_CONF].value_size != sizeof(conf) || bpf_map_lookup_elem(s->maps[COUNT_CONF], &zero, &conf))
		return false;
	return of[COUNT_SETTLED].max_entries == conf.settled_mask + 1 &&
	       of[COUNT_FIRST].max_entries == conf.first_mask + 1 &&
	       of[COUNT_SETTLED].value_size == sizeof(struct np_flow_set) &&
	       of[COUNT_COUNTS].value_size == sizeof(struct np_counts) &&
	       of[COUNT_COUNTS].max_entries == conf.cpus * NP_COUNT_DIRS;
}

/* ── maps ─────────────────────────────────────────────────────────────────── */

static int go_on(struct site *s)
{
	int maps[COUNT_MAPS];

	for (enum count_map m = 0; m < COUNT_MAPS; m++) {
		maps[m] = fcntl(s->maps[m], F_DUPFD_CLOEXEC, 3);
		if (maps[m] >= 0)
			continue;
		while (m-- > 0)
			close(maps[m]);
		return fail(errno, "%s: the maps that count", s->l->name);
	}
	s->is_fresh = false;
	return count_adopt(&s->counting, maps, s->debug);
}

/* Those that are there, unless another size is asked for. */
static int get_maps(struct site *s)
{
	struct count_options o = { .flows = (uint32_t)s->o->flows, .ifaces = 1, .debug = s->debug };
	bool is_there = can_go_on(s);
	struct np_count_conf conf;
	uint32_t zero = 0;
	int err;

	if (is_there && !o.flows)
		return go_on(s);
	if (!o.flows)
		o.flows = hook_is_device(s->l) ? COUNT_FLOWS : COUNT_FLOWS_FEW;
	s->is_fresh = true;
	err = count_make(&s->counting, &o);
	if (err || !is_there || bpf_map_lookup_elem(s->maps[COUNT_CONF], &zero, &conf) ||
	    conf.settled_mask != s->counting.conf.settled_mask || conf.first_mask != s->counting.conf.first_mask)
		return err;
	count_close(&s->counting);
	return go_on(s);
}

static int put_maps(struct site *s, const int maps[COUNT_MAPS])
{
	int err = 0;

	for (enum count_map m = 0; m < COUNT_MAPS && !err; m++)
		err = pin_put(&s->pin, count_pin_name(m), maps[m]);
	return err;
}

/* ── programs ─────────────────────────────────────────────────────────────── */

static int program(struct site *s, enum hook_way way)
{
	return count_program(&s->counting, count_hook_of[pin_hook_of[way]], s->l->link == LINK_RAW);
}

/* XDP has one mode at a time: in another one it is taken away before. */
static int make_room(struct site *s, const struct pin_want *w)
{
	if (w->hook != PIN_XDP || s->progs[PIN_XDP] < 0 || mode_named(s->mode) == w->mode)
		return 0;
	return pin_detach(&s->pin, PIN_XDP);
}

/* By the first of these ways that works; pin_attach() itself takes clsact where there is no tcx. */
static int attach_one(struct site *s, const enum hook_way *ways, struct pin_got *got)
{
	char note_before[sizeof(got->note)] = "";
	int err = 0;

	for (; *ways != WAYS; ways++) {
		struct pin_want w = want_at(pin_hook_of[*ways],
					    *ways == WAY_XDP_GENERIC ? PIN_GENERIC : PIN_NATIVE, program(s, *ways));

		w.quiet = w.hook == PIN_XDP && ways[1] != WAYS;
		err = w.prog < 0 ? w.prog : make_room(s, &w);
		if (!err)
			err = pin_attach(&s->pin, &w, got);
		if (!err && !*got->note)
			memcpy(got->note, note_before, sizeof(got->note));
		if (!err || !w.quiet || !*got->note)
			return err;
		snprintf(note_before, sizeof(note_before), "not at native XDP: %.200s", got->note);
	}
	return err;
}

/* Hooks of ours where nothing is to count any more: only now that it counts elsewhere. */
static int detach_others(struct site *s, const struct pin_got got[2])
{
	bool is_xdp = got[0].kind && !strcmp(got[0].kind, "xdp");
	const bool keep[PIN_HOOKS] = { [PIN_XDP] = is_xdp, [PIN_INGRESS] = got[0].kind && !is_xdp,
				       [PIN_EGRESS] = got[1].kind };
	int err = 0;

	for (enum pin_hook h = 0; h < PIN_HOOKS && !err; h++)
		if (!keep[h])
			err = pin_detach(&s->pin, h);
	return err;
}

static int attach_all(struct site *s, struct pin_got got[2])
{
	int err = attach_one(s, s->choice.ingress, &got[0]);

	if (!err)
		err = attach_one(s, s->choice.egress, &got[1]);
	return err ? err : detach_others(s, got);
}

/* As it was. */
static void restore(struct site *s)
{
	bool ran = false;

	for (enum pin_hook h = 0; h < PIN_HOOKS; h++) {
		struct pin_want w = want_at(h, mode_named(s->mode), s->progs[h]);
		struct pin_got got;

		ran |= w.prog >= 0;
		if (w.prog < 0)
			pin_detach(&s->pin, h);
		else if (!make_room(s, &w))
			pin_attach(&s->pin, &w, &got);
	}
	if (!ran)
		pin_remove(&s->pin);
	else if (s->is_fresh)
		put_maps(s, s->maps);
}

static int tell(const struct site *s, const struct pin_got got[2])
{
	bool went_on = !s->is_fresh && (s->progs[0] >= 0 || s->progs[1] >= 0 || s->progs[2] >= 0);
	char where[96];
	int hooks = attach_where(&s->pin.at, where, sizeof(where));

	if (hooks <= 0)
		return fail(hooks ? hooks : EIO, "%s: the programs that count", s->l->name);
	for (int i = 0; i < 2; i++)
		if (*got[i].note)
			note("%s: %s", s->l->name, got[i].note);
	note("%s: %s at %s, in %llu KiB of kernel memory, until: netprobe attach del dev %s", s->l->name,
	     went_on ? "goes on counting" : "counts", where, (unsigned long long)count_bytes(&s->counting) >> 10,
	     s->l->name);
	return 0;
}

/* ── one interface ────────────────────────────────────────────────────────── */

static int tag_of(int prog, uint8_t tag[8])
{
	struct bpf_prog_info info = { 0 };
	uint32_t n = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog, &info, &n))
		return fail(errno, "the program that counts");
	memcpy(tag, info.tag, 8);
	return 0;
}

/* Whatever is likely to fail comes before anything is changed. */
static int replace(struct site *s)
{
	const enum hook_way first[2] = { *s->choice.egress, *s->choice.ingress };
	struct pin_got got[2] = { 0 };
	uint8_t tag[8] = { 0 };
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		int prog = first[i] == WAYS ? -ENOENT : program(s, first[i]);

		if (first[i] != WAYS)
			err = prog < 0 ? prog : tag_of(prog, tag);
	}
	if (err)
		return err;
	err = pin_begin(&s->pin, tag);
	if (!err && s->is_fresh)
		err = put_maps(s, s->counting.maps);
	if (!err)
		err = attach_all(s, got);
	if (!err)
		err = tell(s, got);
	if (err)
		restore(s);
	else if (s->is_fresh && s->maps[COUNT_CONF] >= 0)
		count_end(s->maps[COUNT_CONF]);
	return err;
}

static int find_older(void *ctx, const struct pin_view *v)
{
	const struct pin_place *p = ctx;

	if (strcmp(v->service, COUNT_SERVICE) || v->place.netns != p->netns || v->place.by_inode != p->by_inode ||
	    v->place.ifindex != p->ifindex || v->abi >= pin_abi || v->state == PIN_FOREIGN)
		return 0;
	fail(0, "%s: made by an older netprobe: netprobe attach del dev %s takes it away", v->path, p->ifname);
	return -ESTALE;
}

static int open_site(struct site *s, bool make)
{
	struct pin_place place;
	int err = attach_choose(s->o, s->l, &s->choice);

	if (err)
		return fail(0, "%s: %s", s->l->name, s->choice.why), err;
	err = pin_place(&place, s->l->name);
	if (!err)
		err = pin_each(find_older, &place);
	return err ? err : pin_open(&s->pin, &place, COUNT_SERVICE, make);
}

static int add_link(const struct add_run *run, const struct link_info *l)
{
	struct site s = { .l = l, .o = run->o, .debug = run->g->debug };
	int err = open_site(&s, !run->o->dry_run);

	if (run->o->dry_run && err == -ENOENT)
		return 0;
	if (err)
		return err;
	if (!run->o->dry_run) {
		look_back(&s);
		err = get_maps(&s);
		if (!err)
			err = replace(&s);
		count_close(&s.counting);
		forget(&s);
	}
	pin_close(&s.pin);
	return err;
}

static int add_wanted(void *ctx, const struct link_info *l)
{
	struct add_run *run = ctx;
	bool named;
	int err;

	if (!link_wanted(l, &run->o->dev, 1, &named))
		return 0;
	run->n++;
	err = add_link(run, l);
	run->err = run->err ? run->err : err;
	return 0;
}

static int add_all(struct add_run *run)
{
	struct link_info l;
	int err;

	if (!link_is_glob(run->o->dev)) {
		err = link_get(run->o->dev, 0, &l);
		return err ? fail(err, "%s", run->o->dev) : add_link(run, &l);
	}
	err = link_each(add_wanted, run);
	if (!err && !run->n)
		err = fail(ENODEV, "%s", run->o->dev);
	return err ? err : run->err;
}

/* ── the words ────────────────────────────────────────────────────────────── */

static int check(const struct attach_opts *o)
{
	if (!o->dev)
		return fail(0, "attach add: which interface? (dev IFACE)");
	if (attach_asks(o, "xdp") && attach_asks(o, "ingress"))
		return fail(0, "attach add: hook xdp and hook ingress see the same packets: one of them");
	if (o->mode && o->hooks.n && !attach_asks(o, "xdp"))
		return fail(0, "attach add: -m is for hook xdp");
	if (o->flows > COUNT_FLOWS_MAX)
		return fail(0, "attach add: flows %llu: at most %u", (unsigned long long)o->flows, COUNT_FLOWS_MAX);
	return 0;
}

int attach_add(const struct globals *g, const void *opts, int argc, char **argv)
{
	struct add_run run = { .g = g, .o = opts };
	int rc, err;

	if (check(run.o))
		return EXIT_USAGE;
	if (run.o->dry_run) {
		rc = attach_plan(g, opts, argc, argv);	/* enters the namespace, too */
		if (rc)
			return rc;
	} else {
		rc = session_netns(g, NULL);
		if (rc)
			return rc;
	}
	err = attach_may();
	if (!err)
		err = add_all(&run);
	if (!err && run.o->dry_run)
		note("nothing was changed (--dry-run)");
	return attach_status(err);
}
