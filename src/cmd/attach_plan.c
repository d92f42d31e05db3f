// SPDX-License-Identifier: GPL-2.0-or-later
/* attach plan: where at an interface a program would be put, and why not elsewhere. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/types.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "cmd/attach.h"
#include "cmd/fields.h"
#include "cmd/listing.h"
#include "cmd/session.h"
#include "inventory/inventory.h"
#include "kern/features.h"
#include "kern/tc.h"
#include "numbers/linktype.h"
#include "util/caps.h"
#include "util/err.h"
#include "util/escape.h"

/* As link.hook and link.mode have them. */
static const struct {
	const char *hook, *mode;
} names[WAYS] = {
	[WAY_XDP_NATIVE] = { "xdp", "native" },
	[WAY_XDP_GENERIC] = { "xdp", "generic" },
	[WAY_TCX_IN] = { "tcx/ingress", NULL },
	[WAY_TCX_OUT] = { "tcx/egress", NULL },
	[WAY_CLSACT_IN] = { "clsact/ingress", NULL },
	[WAY_CLSACT_OUT] = { "clsact/egress", NULL },
};

enum verdict { NOT_TRIED, WORKS, CHOSEN, REFUSED, BUSY };
static const char *const verdicts[] = { "not tried", "works", "chosen", "refused", "busy" };

struct row {
	enum verdict verdict;
	int err;
	char reason[192];
};

struct plan_run {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	const struct attach_opts *opts;
	struct feature clsact;		/* asked when it is needed first */
	bool titles;			/* are to come */
	bool denied;			/* a way, for want of permission */
	unsigned int n, chosen;
};

static void plan_line(void *ctx, const struct record *r, struct buf *b)
{
	const struct plan_body *p = plan_of(r);
	struct plan_run *run = ctx;
	char name[64 * ESCAPE_MAX], reason[256], hook[40];

	if (run->titles)
		buf_fmt(b, "%-16s %-15s %-10s %s\n", "INTERFACE", "HOOK", "VERDICT", "REASON");
	run->titles = false;
	escape_text(name, sizeof(name), r->interface.p, r->interface.n, ESCAPE_FIELD);
	escape_text(reason, sizeof(reason), p->reason.p, p->reason.n, ESCAPE_FIELD);
	snprintf(hook, sizeof(hook), "%s%s%s", p->hook, p->mode ? " " : "", p->mode ? p->mode : "");
	buf_fmt(b, "%-16s %-15s %-10s %s", name, hook, p->verdict, p->reason.n ? reason : "-");
}

static int put_row(struct plan_run *run, const struct link_info *l, enum hook_way way, const struct row *row)
{
	struct record r;

	record_start(&r, &plan_dataset);
	*plan_of(&r) = (struct plan_body){
		.hook = names[way].hook,
		.mode = names[way].mode,
		.verdict = verdicts[row->verdict],
		.reason = { row->reason, (uint32_t)strlen(row->reason) },
	};
	record_mark(&r, FIELD_PLAN_HOOK);
	record_mark(&r, FIELD_PLAN_VERDICT);
	if (names[way].mode)
		record_mark(&r, FIELD_PLAN_MODE);
	if (*row->reason)
		record_mark(&r, FIELD_PLAN_REASON);
	r.interface = (struct str){ l->name, (uint32_t)strlen(l->name) };
	r.ifindex = l->ifindex;
	record_mark(&r, FIELD_INTERFACE);
	record_mark(&r, FIELD_IFINDEX);
	return listing_put(&run->pipe, &r);
}

#define REASON(row, ...) snprintf((row)->reason, sizeof((row)->reason), __VA_ARGS__)

/* ── which ways ─────────────────────────────────────────────────────────────── */

bool attach_asks(const struct attach_opts *o, const char *hook)
{
	for (unsigned int i = 0; i < o->hooks.n; i++)
		if (!strcmp(o->hooks.v[i], hook))
			return true;
	return false;
}

int attach_choose(const struct attach_opts *o, const struct link_info *l, struct hook_choice *c)
{
	bool xdp = o->mode || attach_asks(o, "xdp");
	int err = hook_choose(l, c);

	if (!err && xdp && l->link != LINK_ETHERNET) {
		snprintf(c->why, sizeof(c->why), "%s", c->no_native);
		err = -EMEDIUMTYPE;
	}
	if (err)
		return -EOPNOTSUPP;
	if (xdp) {
		c->ingress[0] = o->mode && !strcmp(o->mode, "generic") ? WAY_XDP_GENERIC : WAY_XDP_NATIVE;
		c->ingress[1] = WAYS;
	} else if (attach_asks(o, "ingress")) {
		c->ingress[0] = WAY_TCX_IN;
		c->ingress[1] = WAY_CLSACT_IN;
		c->ingress[2] = WAYS;
	} else if (o->hooks.n) {
		c->ingress[0] = WAYS;
	}
	/* What goes out at the loopback device comes in there as well: once is enough. */
	if (!attach_asks(o, "egress") && (o->hooks.n || l->arphrd == ARPHRD_LOOPBACK))
		c->egress[0] = WAYS;
	return 0;
}

/* ── each way ─────────────────────────────────────────────────────────────── */

static void try_way(const struct link_info *l, enum hook_way way, struct row *row)
{
	row->err = hook_try(l->ifindex, way);
	row->verdict = row->err ? REFUSED : WORKS;
	if (row->err)
		hook_why(l->ifindex, way, row->err, row->reason, sizeof(row->reason));
}

static void tell_busy(uint32_t id, struct row *row)
{
	struct hooked_program p;

	row->verdict = BUSY;
	row->err = -EBUSY;
	if (inventory_program(id, &p))
		REASON(row, "program %u is there", id);
	else
		REASON(row, "program %u (%s) is there and %s", id, *p.name ? p.name : "no name",
		       p.ours ? "netprobe's own" : "not ours");
}

/* The program that attach add has put at XDP; it would take its own place. */
static bool counts_there(const struct link_info *l, uint32_t id)
{
	struct pin_place place;
	struct pin_view v;
	struct pin_got got;

	if (pin_netns(&place))
		return false;
	place.ifindex = l->ifindex;
	return !pin_look(&place, COUNT_SERVICE, &v) && pin_attached(&v, PIN_XDP, &got) == 1 && got.prog_id == id;
}

static void plan_xdp(const struct plan_run *run, const struct link_info *l, const struct hook_choice *c,
		     struct row rows[WAYS])
{
	struct row *native = &rows[WAY_XDP_NATIVE], *generic = &rows[WAY_XDP_GENERIC];
	const char *mode;
	uint32_t id = hook_at_xdp(l->ifindex, &mode);
	bool is_asked = *c->ingress == WAY_XDP_GENERIC;

	if (id && counts_there(l, id)) {
		struct row *row = mode && !strcmp(mode, "generic") ? generic : native;

		row->verdict = WORKS;
		REASON(row, "program %u counts there", id);
		if (row == native)
			REASON(generic, "native XDP works");
		else
			REASON(native, "%s", c->no_native ? c->no_native : "program is there in generic mode");
		return;
	}
	if (id) {
		tell_busy(id, native);
		tell_busy(id, generic);
		return;
	}
	if (run->opts->try) {
		try_way(l, WAY_XDP_NATIVE, native);
		try_way(l, WAY_XDP_GENERIC, generic);
	}
	if (native->verdict != REFUSED && c->no_native)
		REASON(native, "%s", c->no_native);
	else if (native->verdict == NOT_TRIED)
		REASON(native, "taken if the driver takes it; trying may reset the link (attach plan dev %s try)",
		       l->name);
	if (generic->verdict != REFUSED)
		REASON(generic, is_asked ? "asked for; no program of others is there" :
					   "generic is only taken when asked for: -m generic");
}

struct at_ingress {
	uint32_t ifindex;
	char kind[16];			/* of the qdisc; empty: there is none */
};

static int find_qdisc(void *ctx, const struct nlmsghdr *h)
{
	const struct tcmsg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	struct at_ingress *at = ctx;

	if (h->nlmsg_type != RTM_NEWQDISC || m->tcm_ifindex != (int)at->ifindex || m->tcm_parent != TC_H_INGRESS)
		return 0;
	for (const struct rtattr *a = TCA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == TCA_KIND)
			snprintf(at->kind, sizeof(at->kind), "%.*s", (int)RTA_PAYLOAD(a), (const char *)RTA_DATA(a));
	return 0;
}

/*
 * Its filters outlive who is killed, so it is not tried here: the loopback of a namespace of its own tells whether the
 * kernel has it, and the list of queueing disciplines whether the place is free.
 */
static void plan_clsact(struct plan_run *run, const struct link_info *l, enum hook_way way, struct row *row)
{
	const struct tcmsg m = { .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)l->ifindex };
	struct at_ingress at = { .ifindex = l->ifindex };
	char missing[128];

	if (!run->clsact.name)
		feature_ask("cls_bpf", &run->clsact);
	if (run->clsact.state == FEATURE_UNKNOWN) {
		row->err = caps_missing(NEED_BPF | NEED_NET_ADMIN, missing, sizeof(missing)) ? -EPERM : 0;
		REASON(row, "%s", run->clsact.reason);
	} else if (run->clsact.state == FEATURE_NO) {
		row->verdict = REFUSED;
		row->err = -EOPNOTSUPP;
		REASON(row, "%s", run->clsact.reason);
	} else if (way == WAY_CLSACT_OUT && !tc_dump(RTM_GETQDISC, &m, find_qdisc, &at) &&
		   !strcmp(at.kind, "ingress")) {
		row->verdict = BUSY;
		row->err = -EBUSY;
		REASON(row, "an ingress qdisc is there, which has no egress and is not ours");
	} else {
		row->verdict = WORKS;
	}
}

static void plan_tc(struct plan_run *run, const struct link_info *l, enum hook_way tcx, enum hook_way clsact,
		    struct row rows[WAYS])
{
	try_way(l, tcx, &rows[tcx]);
	if (rows[tcx].verdict == WORKS)
		REASON(&rows[clsact], "not needed: tcx works");
	else
		plan_clsact(run, l, clsact, &rows[clsact]);
}

/* The first that works is taken, unless one before it, which was not tried, works as well. */
static unsigned int choose(const enum hook_way *ways, struct row rows[WAYS])
{
	const struct row *before = NULL;

	for (; *ways != WAYS && rows[*ways].verdict != WORKS; ways++)
		if (!before && rows[*ways].verdict == NOT_TRIED && !rows[*ways].err)
			before = &rows[*ways];
	if (*ways == WAYS)
		return before != NULL;
	if (before)
		REASON(&rows[*ways], "taken if the driver takes no native XDP");
	else
		rows[*ways].verdict = CHOSEN;
	return 1;
}

static int plan_link(void *ctx, const struct link_info *l)
{
	struct row rows[WAYS] = { 0 };
	struct plan_run *run = ctx;
	struct hook_choice c;
	int err = attach_choose(run->opts, l, &c), rc = 0;

	run->n++;
	if (err) {
		for (int i = 0; i < WAYS; i++) {
			rows[i] = (struct row){ .verdict = REFUSED, .err = -EOPNOTSUPP };
			REASON(&rows[i], "%s", c.why);
		}
	} else {
		plan_xdp(run, l, &c, rows);
		plan_tc(run, l, WAY_TCX_IN, WAY_CLSACT_IN, rows);
		plan_tc(run, l, WAY_TCX_OUT, WAY_CLSACT_OUT, rows);
		run->chosen += choose(c.ingress, rows) + choose(c.egress, rows);
	}
	for (int i = 0; i < WAYS && !rc; i++) {
		rc = put_row(run, l, (enum hook_way)i, &rows[i]);
		run->denied |= rows[i].err == -EPERM;
	}
	return rc;
}

/* ── which interfaces ─────────────────────────────────────────────────────── */

static int plan_wanted(void *ctx, const struct link_info *l)
{
	const struct plan_run *run = ctx;
	bool named;

	if (run->opts->dev ? !link_wanted(l, &run->opts->dev, 1, &named) : !(l->flags & IFF_UP))
		return 0;
	return plan_link(ctx, l);
}

static int plan_all(struct plan_run *run)
{
	const char *dev = run->opts->dev;
	struct link_info l;
	char missing[128];
	int err;

	if (dev && !link_is_glob(dev)) {
		err = link_get(dev, 0, &l);
		err = err ? fail(err, "%s", dev) : plan_link(run, &l);
	} else {
		err = link_each(plan_wanted, run);
	}
	if (err)
		return err;
	if (!run->n && dev)
		return fail(ENODEV, "%s", dev);
	if (!run->n)
		note("no interface is up");
	if (!run->n || run->chosen)
		return 0;
	if (!run->denied)
		return -EOPNOTSUPP;
	if (caps_missing(NEED_BPF | NEED_NET_ADMIN, missing, sizeof(missing)))
		caps_tell(missing);
	return -EPERM;
}

int attach_plan(const struct globals *g, const void *opts, int argc, char **argv)
{
	static const uint16_t columns[] = {
		FIELD_INTERFACE, FIELD_PLAN_HOOK, FIELD_PLAN_MODE, FIELD_PLAN_VERDICT, FIELD_PLAN_REASON,
	};
	struct plan_run run = { .opts = opts, .titles = !g->no_header };
	int err = session_netns(g, NULL);

	if (err)
		return err;
	run.o = (struct output_options){ .g = g, .records = true, .text = { .line = plan_line, .line_state = &run } };
	if (output_check(&run.out, &run.o))
		return EXIT_USAGE;
	err = listing_open(&run.out, &run.pipe, &plan_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	if (!err)
		err = plan_all(&run);
	return listing_close(&run.out, &run.pipe, err);
}
