// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the firewall did at the interfaces that are counted.  Its counts are mapped while there are privileges; a set
 * that takes the place of another goes on with the same counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "cmd/firewall.h"
#include "cmd/stats.h"
#include "kern/link.h"
#include "util/caps.h"
#include "util/err.h"

enum { SETS = 64 };

struct counted_set {
	char ifname[sizeof(((struct link_info *)0)->name)];
	const char *hook;
	struct block_set set;		/* its counts of packets alone */
};

struct stats_firewall {
	const struct strs *iface;
	unsigned int n;
	bool said;
	bool hidden;			/* something that we may not look at */
	struct counted_set v[SETS];
};

/* The counts are enough: the rest, and the descriptors, are not for who reads what comes from the wire. */
static void take_counts(struct counted_set *to, struct block_set *s)
{
	to->set = (struct block_set){ .prog = -1, .cpus = s->cpus };
	to->set.size[BLOCK_STATS] = s->size[BLOCK_STATS];
	to->set.at[BLOCK_STATS] = s->at[BLOCK_STATS];
	s->at[BLOCK_STATS] = NULL;
	block_close(s);
}

static int add_hook(struct stats_firewall *f, const struct pin_view *v, enum pin_hook hook, const char *ifname)
{
	struct block_set s;
	struct pin_got got;
	int fd, err, is = pin_attached(v, hook, &got);

	f->hidden = f->hidden || is == -EPERM || is == -EACCES;
	if (is != 1)
		return 0;
	fd = f->n < SETS ? bpf_prog_get_fd_by_id(got.prog_id) : -E2BIG;
	if (fd < 0) {
		if (fd != -ENOENT && !f->said)
			note("what the firewall at %s does is left out: %s", ifname,
			     fd == -E2BIG ? "there are too many" : strerror(-fd));
		f->said = f->said || fd != -ENOENT;
		return 0;
	}
	err = block_open(&s, fd, false);
	if (err)
		return err;
	snprintf(f->v[f->n].ifname, sizeof(f->v[f->n].ifname), "%s", ifname);
	f->v[f->n].hook = firewall_hook(&got, hook);
	take_counts(&f->v[f->n++], &s);
	return 0;
}

static int add_place(void *ctx, const struct pin_view *v)
{
	struct stats_firewall *f = ctx;
	struct pin_view here = *v;
	struct link_info link;
	bool named;
	int err = 0;

	f->hidden = f->hidden || (v->state == PIN_FOREIGN && !strcmp(v->path, PIN_ROOT));
	if (strcmp(v->service, BLOCK_SERVICE) || v->state != PIN_OURS || pin_life(v, &here.place) != PIN_HERE ||
	    link_get(NULL, here.place.ifindex, &link) || !link_wanted(&link, f->iface->v, f->iface->n, &named))
		return 0;
	for (enum pin_hook h = PIN_XDP; h < PIN_HOOKS && !err; h++)
		err = add_hook(f, &here, h, link.name);
	return err;
}

/* That there is none is known only to those who may look. */
static void tell_hidden(const struct stats_firewall *f)
{
	char missing[128];

	if (f->hidden && !f->said && caps_missing(NEED_ADMIN, missing, sizeof(missing)))
		note("what a firewall does, where there is one, is left out: missing: %s", missing);
}

int stats_firewall_open(struct stats_firewall **out, const struct strs *iface)
{
	struct stats_firewall *f;
	int err;

	f = calloc(1, sizeof(*f));
	if (!f)
		return fail(ENOMEM, "counts of the firewall");
	f->iface = iface;
	err = pin_each(add_place, f);
	if (!err)
		tell_hidden(f);
	if (err || !f->n) {
		stats_firewall_close(f);
		return err;
	}
	*out = f;
	return 0;
}

int stats_firewall_rows(void *ctx, uint64_t now_ns, record_fn fn, void *fn_ctx)
{
	const struct stats_firewall *f = ctx;
	struct firewall_counts counts;
	struct np_stats sum;
	struct record r;
	int err = 0;

	for (unsigned int i = 0; i < f->n && !err; i++) {
		record_start(&r, &firewall_dataset);
		memset(firewall_of(&r), 0, sizeof(struct firewall_body));
		r.time_ns = now_ns;
		r.interface = (struct str){ f->v[i].ifname, (uint32_t)strlen(f->v[i].ifname) };
		r.hook = f->v[i].hook;
		record_mark(&r, FIELD_TIME);
		record_mark(&r, FIELD_INTERFACE);
		record_mark(&r, FIELD_LINK_HOOK);
		block_stats(&f->v[i].set, &sum);
		firewall_put_counts(&r, &sum, &counts);
		err = fn(fn_ctx, &r);
	}
	return err;
}

void stats_firewall_close(struct stats_firewall *f)
{
	for (unsigned int i = 0; f && i < f->n; i++)
		munmap(f->v[i].set.at[BLOCK_STATS], f->v[i].set.size[BLOCK_STATS]);
	free(f);
}
