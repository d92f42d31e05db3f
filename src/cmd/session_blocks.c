// SPDX-License-Identifier: GPL-2.0-or-later
/* The firewalls of the interfaces that are watched: their logs, opened while we may, as a source. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "cmd/session_live.h"
#include "kern/block.h"
#include "pin/pin.h"
#include "source/verdicts.h"
#include "util/caps.h"
#include "util/err.h"

enum { FIREWALLS_MAX = 1024 };

struct blocks {
	struct block_set *sets;
	struct verdict_log *logs;
	unsigned int n;
};

/* By number: they ascend. */
static const struct np_rule *rule_of(const struct block_set *s, uint32_t id)
{
	const struct np_rule *v = s->at[BLOCK_RULES];
	uint32_t lo = 0, hi = ((const struct np_set_meta *)s->at[BLOCK_META])->n_rules;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ((const struct np_set_meta *)s->at[BLOCK_META])->n_rules && v[lo].id == id ? &v[lo] : NULL;
}

static const char *text(const struct block_set *s, uint32_t offset)
{
	const struct np_set_meta *m = s->at[BLOCK_META];

	return offset && offset < m->text_bytes ? (const char *)s->at[BLOCK_TEXT] + offset : NULL;
}

static void describe(const void *set, uint32_t rule, struct block_info *out)
{
	const struct np_rule *r = rule_of(set, rule);

	if (!r)
		return;		/* younger than our look at the set */
	out->name = text(set, r->reason);
	out->file = text(set, r->file);
	out->line = r->line;
}

static int take(struct blocks *b, uint32_t prog_id, const struct iface *iface, enum direction direction)
{
	int fd = bpf_prog_get_fd_by_id(prog_id), err;
	struct block_set *s = &b->sets[b->n];

	if (fd < 0)
		return fail(fd, "the firewall at %s", iface->name);
	err = block_open(s, fd, true);
	if (err)
		return err;
	__atomic_store_n(&((struct np_guard *)s->at[BLOCK_GUARD])->readers, 1, __ATOMIC_RELAXED);
	block_forget(s);
	b->logs[b->n++] = (struct verdict_log){
		.packets = s->at[BLOCK_LOG], .cpus = s->at[BLOCK_LOG_CPUS], .readers = s->at[BLOCK_LOG_READERS],
		.iface = iface, .direction = direction, .set = s,
	};
	return 0;
}

struct find {
	struct live *l;
	struct blocks *b;
	char why[256];			/* the first that is not ours, or may not be looked at */
};

static const struct iface *iface_of(const struct live *l, uint32_t ifindex)
{
	for (unsigned int i = 0; i < l->n_ifaces; i++)
		if (l->ifaces[i]->wanted && l->ifaces[i]->ifindex == ifindex)
			return l->ifaces[i];
	return NULL;
}

/* Those of one interface, of the directions that are asked for. */
static int find(void *ctx, const struct pin_view *v)
{
	struct find *f = ctx;
	const struct capture_options *o = &f->l->s->o->capture;
	const struct iface *iface;
	struct pin_place at;
	struct pin_got got;
	int err = 0;

	if (v->state == PIN_FOREIGN && !*f->why)
		snprintf(f->why, sizeof(f->why), "%s", v->why);
	if (strcmp(v->service, BLOCK_SERVICE) || v->state != PIN_OURS || pin_life(v, &at) != PIN_HERE)
		return 0;
	iface = iface_of(f->l, at.ifindex);
	for (enum pin_hook h = 0; iface && h < PIN_HOOKS && !err; h++) {
		bool wanted = h == PIN_EGRESS ? o->egress : o->ingress;

		if (!wanted || f->b->n == FIREWALLS_MAX || pin_attached(v, h, &got) != 1)
			continue;
		err = take(f->b, got.prog_id, iface, h == PIN_EGRESS ? DIR_EGRESS : DIR_INGRESS);
	}
	return err;
}

/* Of those that are named, not chosen by a pattern, the first that is not there. */
static const char *no_such_interface(const struct strs *ifs)
{
	for (unsigned int i = 0; i < ifs->n; i++)
		if (!link_is_glob(ifs->v[i]) && strcmp(ifs->v[i], "any") && !if_nametoindex(ifs->v[i]))
			return ifs->v[i];
	return NULL;
}

/* Who may not look would find nothing, which is not the same as that there is nothing. */
static int nothing(const struct find *f)
{
	const struct strs *ifs = &f->l->s->o->iface;
	const char *absent = no_such_interface(ifs);
	char missing[128];

	if (absent)
		return fail(0, "%s: no such interface", absent), -ENODEV;
	if (caps_missing(NEED_ADMIN, missing, sizeof(missing)))
		return fail(EPERM, "--blocks: firewalls of the host: missing: %s", missing);
	if (*f->why)
		note("left out: %s", f->why);
	fail(0, "--blocks: no firewall at %s (netprobe block add)",
	     !ifs->n	 ? "any interface" :
	     ifs->n == 1 ? ifs->v[0] :
			   "any of these interfaces");
	return -ENOENT;
}

/* An error that is said. */
static int find_all(struct live *l, struct blocks *b)
{
	struct find f = { .l = l, .b = b };
	int err = pin_each(find, &f);

	return err || b->n ? err : nothing(&f);
}

static bool matches(void *ctx, const struct frame *f)
{
	const struct live *l = ctx;

	return filter_match_link(l->filter, f->link, f->data, f->cap_len, f->len);
}

int blocks_open(struct live *l, struct source **out)
{
	struct verdicts_config c = { .describe = describe, .ctx = l, .match = l->filter ? matches : NULL };
	struct blocks *b = calloc(1, sizeof(*b));
	int err;

	l->blocks = b;
	if (!b)
		return fail(ENOMEM, "--blocks");
	b->sets = calloc(FIREWALLS_MAX, sizeof(*b->sets));
	b->logs = calloc(FIREWALLS_MAX, sizeof(*b->logs));
	if (!b->sets || !b->logs)
		return fail(ENOMEM, "--blocks");
	err = find_all(l, b);
	if (err)
		return err;
	c.logs = b->logs;
	c.n = b->n;
	c.cpus = b->sets[0].cpus;
	err = verdicts_open(out, &c);
	if (!err && b->n == 1)
		note("listening on %s, its firewall", b->logs[0].iface->name);
	else if (!err)
		note("listening on %u firewalls", b->n);
	return err;
}

void blocks_close(struct blocks *b)
{
	if (!b)
		return;
	for (unsigned int i = 0; i < b->n; i++)
		block_close(&b->sets[i]);
	free(b->sets);
	free(b->logs);
	free(b);
}
