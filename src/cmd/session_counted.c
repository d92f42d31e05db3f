// SPDX-License-Identifier: GPL-2.0-or-later
/* A live run whose packets are counted in the kernel: by what attach add left, or by programs of this run. */
#include <errno.h>
#include <linux/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/kept.h"
#include "cmd/session_live.h"
#include "kern/choose.h"
#include "numbers/linktype.h"
#include "pin/pin.h"
#include "util/err.h"
#include "util/time.h"

enum { ROOM_FOR_MORE = 64 };	/* interfaces that come later, with counters of their own */

/* ── a source that gives no frames ────────────────────────────────────────── */

struct counter_source {
	struct source s;
	const struct counted *counted;
};

static int read_none(struct source *s, unsigned int budget, frame_fn fn, void *ctx)
{
	return 0;
}

static int arm_none(struct source *s)
{
	return 0;
}

static int counts(struct source *s, struct source_counts *c)
{
	memset(c, 0, sizeof(*c));
	c->seen = c->emitted = c->read = counted_frames(((struct counter_source *)s)->counted);
	return 0;
}

static void tick(struct source *s)
{
}

static void close_source(struct source *s)
{
	free(s);
}

static const struct source_ops counter_ops = {
	.name = "counters", .read = read_none, .arm = arm_none, .counts = counts, .tick = tick, .close = close_source,
};

static int open_source(struct live *l)
{
	struct counter_source *c = calloc(1, sizeof(*c));

	if (!c)
		return fail(ENOMEM, "counters");
	c->s.ops = &counter_ops;
	c->s.fd = -1;
	c->counted = &l->counted;
	l->s->source = &c->s;
	return 0;
}

/* ── what attach add left ─────────────────────────────────────────────────── */

struct found {
	struct live *l;
	unsigned int wanted, kept;
	bool named_without, unknown;	/* an interface that was named has no counters; one has another link type */
	bool has[2];			/* interfaces with a link header; without */
	uint32_t ifindex;		/* of one that is wanted */
};

/* attach add ... hook asks for one direction; or the other was taken away. */
static void tell_half(const struct link_info *info, unsigned int hooks)
{
	bool in = hooks & (1 << PIN_XDP | 1 << PIN_INGRESS), out = hooks & 1 << PIN_EGRESS;

	if (in != out && info->arphrd != ARPHRD_LOOPBACK)
		note("%s: only what %s is counted", info->name, in ? "comes in" : "goes out");
}

/* A link_fn: learn it, and take over what is counted there. */
static int find_kept(void *ctx, const struct link_info *info)
{
	struct found *f = ctx;
	const struct strs *words = &f->l->s->o->iface;
	unsigned int hooks = 0;
	bool named;
	int view = -ENOENT;

	if (!link_wanted(info, words->v, words->n, &named))
		return 0;
	live_learn(f->l, info, true);
	f->wanted++;
	f->ifindex = info->ifindex;
	f->unknown |= info->link != LINK_ETHERNET && info->link != LINK_RAW;
	f->has[info->link == LINK_RAW] = true;
	if (f->l->s->o->counts == COUNTS_KEPT)
		view = kept_map(&f->l->counted, info->ifindex, info->name, &hooks);
	f->named_without |= named && view < 0;
	if (view < 0)
		return 0;
	tell_half(info, hooks);
	f->kept++;
	return counted_add(&f->l->counted, (uint32_t)view, 0, live_iface(f->l, info->ifindex));
}

static void tell_kept(const struct found *f)
{
	struct time_cache cache = { 0 };
	char since[TIME_TEXT_MAX + 1];
	const struct counted *c = &f->l->counted;

	since[time_date(&cache, since, c->since_ns)] = '\0';
	if (c->n == 1)
		note("%s: counted since %.19s", c->ifaces[0].iface->name, since);
	else
		note("%u interfaces, counted since %.19s or later", c->n, since);
	if (f->kept < f->wanted)
		note("%u other interface%s not counted: netprobe attach add", f->wanted - f->kept,
		     f->wanted - f->kept == 1 ? " is" : "s are");
}

/* ── programs of this run ─────────────────────────────────────────────────── */

static int program(void *ctx, bool l3, bool egress)
{
	struct live *l = ctx;

	return count_program(&l->counting, egress ? COUNT_OUT : COUNT_IN, l3);
}

/* Numbers from 1 on, as interfaces come; those for which there is no room share 0. */
static int number(void *ctx, uint32_t ifindex)
{
	struct live *l = ctx;
	uint32_t n = l->next_number < l->counted.views[0].ifaces ? l->next_number++ : 0;

	return count_number(&l->counting, ifindex, n);
}

static void close_counting(void *ctx)
{
	struct live *l = ctx;

	count_close(&l->counting);
}

static void close_nothing(void *ctx)
{
}

/* Verifying takes a while: it is done before anything is shown, so that what is shown counts. */
static int load_programs(struct live *l, const bool has[2])
{
	int fd = 0;

	for (unsigned int l3 = 0; l3 < 2 && fd >= 0; l3++)
		for (enum count_hook h = COUNT_IN; has[l3] && h <= COUNT_OUT && fd >= 0; h++)
			fd = count_program(&l->counting, h, l3);
	return fd < 0 ? fd : 0;
}

static int make_counters(struct live *l, const struct found *f)
{
	const struct count_options o = { .ifaces = 1 + f->wanted + ROOM_FOR_MORE, .per_interface = true,
					 .debug = l->s->o->g->debug };
	int err = count_make(&l->counting, &o);

	if (err)
		return err;
	err = load_programs(l, f->has);
	if (!err)
		err = counted_view(&l->counted, l->counting.maps);
	if (err >= 0)
		err = counted_numbers(&l->counted, l->counting.maps[COUNT_IFACES]);
	if (err < 0) {
		count_close(&l->counting);
		return err;
	}
	l->next_number = 1;
	l->next_number_max = l->counted.views[0].ifaces - 1;
	l->counters = (struct capture_counting){ program, number, close_counting, l };
	return 0;
}

/* ── what the session calls ───────────────────────────────────────────────── */

/* One that is not there, or not yet, is the others' to tell. */
static bool all_there(const struct strs *words)
{
	struct link_info info;

	for (unsigned int i = 0; i < words->n; i++)
		if (!link_is_glob(words->v[i]) && link_get(words->v[i], 0, &info))
			return false;
	return true;
}

int counted_start(struct live *l)
{
	struct found f = { .l = l };
	int err = all_there(&l->s->o->iface) ? link_each(find_kept, &f) : 0;

	if (err)
		return err;
	if (f.kept && !f.named_without) {
		l->counts = COUNTS_KEPT;
		l->attached = f.kept;
		l->counters = (struct capture_counting){ .close = close_nothing };
		tell_kept(&f);
	} else if (f.wanted && !f.unknown && !l->missing[0] && l->s->o->capture.rung < 0 &&
		   !hook_try(f.ifindex, WAY_TCX_IN)) {
		counted_close(&l->counted);
		l->counts = COUNTS_OF_RUN;
		err = make_counters(l, &f);
	}
	if (!err && l->counts)
		err = open_source(l);
	return err || !l->counts ? err : account_counted(l->s->pipe.account, &l->counted);
}

void counted_attached(struct live *l, const struct iface *iface)
{
	if (l->counts == COUNTS_OF_RUN && iface && counted_learn(&l->counted, iface) == 1 && !l->others_said) {
		note("%s and what comes after it are counted as one: %u interfaces have counters of their own",
		     iface->name, l->next_number_max);
		l->others_said = true;
	}
}

unsigned int counted_names(const struct live *l, const char **names, unsigned int max)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < l->counted.n && n < max; i++)
		names[n++] = l->counted.ifaces[i].iface->name;
	return n;
}

/* Once a second: does what attach add left count still? */
int counted_tick(struct live *l)
{
	for (uint32_t i = 0; i < l->counted.n && l->counts == COUNTS_KEPT; i++) {
		const struct counted_iface *one = &l->counted.ifaces[i];

		if (!count_has_ended(&l->counted.views[one->view]))
			continue;
		fail(0, "%s: what was counted there ended (attach del, or attach add anew)", one->iface->name);
		return -ESTALE;
	}
	return 0;
}

bool counted_at_once(const struct live *l)
{
	return l->counts == COUNTS_KEPT && !l->s->pipe.rows_every_ns && !l->s->pipe.ends_told;
}

bool session_in_kernel(const struct session *s)
{
	return s->live && s->live->counts;
}

void counted_stop(struct live *l)
{
	if (l->counts == COUNTS_OF_RUN)
		count_close(&l->counting);
	counted_close(&l->counted);
}
