// SPDX-License-Identifier: GPL-2.0-or-later
/* watch --plan, -D and -d: what would be done, without doing it. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/fields.h"
#include "cmd/listing.h"
#include "cmd/watch.h"
#include "kern/capture.h"
#include "kern/link.h"
#include "numbers/linktype.h"
#include "priv/priv.h"
#include "util/caps.h"
#include "util/err.h"
#include "util/escape.h"

/* 0, or a negative errno, said. */
static int open_listing(struct watch *w, line_fn line, void *line_ctx, const struct dataset *set,
			const uint16_t *columns, unsigned int n)
{
	w->ask.output.text.line = line;
	w->ask.output.text.line_state = line_ctx;
	w->s.pipe.where = w->where;
	return listing_open(&w->s.out, &w->s.pipe, set, columns, n);
}

static int listing_record(struct watch *w, struct record *r, const char *ifname)
{
	r->interface = (struct str){ ifname, (uint32_t)strlen(ifname) };
	record_mark(r, FIELD_INTERFACE);
	return listing_put(&w->s.pipe, r);
}

static int print_row(struct watch *w, const char *ifname, const char *way, const char *verdict, const char *reason)
{
	struct record r;

	record_start(&r, &plan_dataset);
	*plan_of(&r) = (struct plan_body){
		.rung = way, .verdict = verdict, .reason = { reason, (uint32_t)strlen(reason) },
	};
	record_mark(&r, FIELD_PLAN_RUNG);
	record_mark(&r, FIELD_PLAN_VERDICT);
	if (*reason)
		record_mark(&r, FIELD_PLAN_REASON);
	return listing_record(w, &r, ifname);
}

/* ctx: whether the titles are still to come. */
static void plan_line(void *titles, const struct record *r, struct buf *b)
{
	char name[sizeof(((struct link_info *)0)->name) * ESCAPE_MAX];
	const struct plan_body *p = plan_of(r);

	if (*(bool *)titles)
		buf_fmt(b, "%-16s %-8s %-10s %s\n", "INTERFACE", "RUNG", "VERDICT", "REASON");
	*(bool *)titles = false;
	escape_text(name, sizeof(name), r->interface.p, r->interface.n, ESCAPE_FIELD);
	buf_fmt(b, "%-16s %-8s %-10s %.*s", name, p->rung, p->verdict, (int)p->reason.n, p->reason.p);
}

struct plan {
	struct watch *w;
	struct capture *capture;	/* NULL: nothing works here at all, */
	int err;			/* and this is why */
	char why[160];
	unsigned int chosen;
};

static int plan_link(void *ctx, const struct link_info *l)
{
	struct rung_plan rungs[RUNGS] = { 0 };
	struct plan *p = ctx;
	int err = p->capture ? capture_plan(p->capture, l->ifindex, l->name, rungs) : 0;

	for (int i = 0; i < RUNGS && !err; i++) {
		const struct rung_plan *r = &rungs[i];

		err = print_row(p->w, l->name, rung_names[i],
				!p->capture ? "refused" :
				r->chosen   ? "chosen" :
				r->works    ? "works" :
				r->tried    ? "refused" :
					      "not tried",
				p->capture ? r->reason : p->why);
		p->chosen += r->chosen;
		if (!p->err && r->tried && !r->works)
			p->err = r->err;
	}
	return err;
}

static void explain(char *to, size_t size, int err, bool tracing)
{
	char missing[128];

	if (tracing && access("/sys/kernel/btf/vmlinux", R_OK))
		snprintf(to, size, "this kernel has no types (/sys/kernel/btf/vmlinux)");
	else if (caps_missing(NEED_CAPTURE(tracing), missing, sizeof(missing)))
		snprintf(to, size, "missing: %s", missing);
	else
		snprintf(to, size, "%s", strerror(-err));
}

/* The tracepoint is one for all interfaces; trying it is attaching to it, and detaching again. */
static int plan_drops(struct plan *p, struct capture_options *co)
{
	struct capture *c = NULL;
	char why[160] = "";
	int err, told;

	co->packets = false;
	co->drops = true;
	co->drop_reasons = p->w->reasons;
	co->n_drop_reasons = p->w->n_reasons;
	err = capture_open(&c, co);
	if (err)
		explain(why, sizeof(why), err, true);
	told = print_row(p->w, "any", "drops", err ? "refused" : "chosen", why);
	capture_close(c);
	p->chosen += !err;
	return err ? err : told;
}

/* Without -i: loopback, which is always there; with any: every interface.  0 or a negative errno, said. */
static int plan_links(struct plan *p)
{
	static const struct strs lo = { .v = { "lo" }, .n = 1 };
	const struct strs *ifs = p->w->o->iface.n ? &p->w->o->iface : &lo;
	struct link_info l;
	int err = 0;

	for (unsigned int i = 0; i < ifs->n && !err; i++) {
		if (!strcmp(ifs->v[i], "any"))
			err = link_each(plan_link, p);
		else if (!(err = link_get(ifs->v[i], 0, &l)))
			err = plan_link(p, &l);
		else
			fail(err, "%s", ifs->v[i]);
	}
	return err;
}

/* The table comes in any case; it is a failure when a packet, or a drop, can be had in none of its ways. */
int watch_plan(struct watch *w)
{
	struct plan p = { .w = w };
	struct capture_options co = {
		.ingress = true,
		.egress = true,
		.rung = -1,
		.packets = true,
		.btf_path = w->o->btf,
	};
	static const uint16_t columns[] = {
		FIELD_INTERFACE, FIELD_PLAN_RUNG, FIELD_PLAN_VERDICT, FIELD_PLAN_REASON,
	};
	bool titles = !w->g->no_header;
	struct filter *filter = NULL;
	int err = 0, drops_err = 0;

	if (w->s.filter_text)
		err = filter_compile(&filter, w->s.filter_text, 1, w->s.pipe.strict, w->s.pipe.inner);
	if (err)
		return EXIT_USAGE;
	co.filter = filter;
	p.err = capture_open(&p.capture, &co);
	if (p.err)
		explain(p.why, sizeof(p.why), p.err, false);
	err = open_listing(w, plan_line, &titles, &plan_dataset, columns,
			   sizeof(columns) / sizeof(columns[0]));
	if (!err)
		err = plan_links(&p);
	if (!err && !p.chosen)
		err = p.err ? p.err : -EOPNOTSUPP;
	if (w->o->drops && err <= 0 && w->s.pipe.n_sinks)
		drops_err = plan_drops(&p, &co);
	if (filter && !filter->kernel)
		note("the filter is evaluated in user space: %s", filter->why_not);
	capture_close(p.capture);
	filter_free(filter);
	return listing_close(&w->s.out, &w->s.pipe, err ? err : drops_err);
}

static int list_link(void *ctx, const struct link_info *l)
{
	struct record r;

	record_start(&r, &interface_dataset);
	*interface_of(&r) = (struct interface_body){
		.is_up = l->flags & IFF_UP,
		.is_loopback = l->flags & IFF_LOOPBACK,
		.mtu = l->mtu,
		.link_type = l->link,
		.rx_packets = l->stats.rx_packets,
		.tx_packets = l->stats.tx_packets,
	};
	for (unsigned int f = FIELD_IFACE_UP; f <= FIELD_IFACE_TX_PACKETS; f++)
		record_mark(&r, f);
	r.ifindex = l->ifindex;
	record_mark(&r, FIELD_IFINDEX);
	return listing_record(ctx, &r, l->name);
}

/* As tcpdump -D. */
static void interface_line(void *unused, const struct record *r, struct buf *b)
{
	char name[sizeof(((struct link_info *)0)->name) * ESCAPE_MAX];
	const struct interface_body *i = interface_of(r);

	escape_text(name, sizeof(name), r->interface.p, r->interface.n, ESCAPE_FIELD);
	buf_fmt(b, "%u.%s [%s%s] mtu %u, %llu packets in, %llu out", r->ifindex, name, i->is_up ? "Up" : "Down",
		i->is_loopback ? ", Loopback" : "", i->mtu, (unsigned long long)i->rx_packets,
		(unsigned long long)i->tx_packets);
}

int watch_list(struct watch *w)
{
	static const uint16_t columns[] = {
		FIELD_IFINDEX, FIELD_INTERFACE, FIELD_IFACE_UP, FIELD_IFACE_LOOPBACK, FIELD_IFACE_MTU,
		FIELD_IFACE_LINK_TYPE, FIELD_IFACE_RX_PACKETS, FIELD_IFACE_TX_PACKETS,
	};
	int err = open_listing(w, interface_line, NULL, &interface_dataset, columns,
			       sizeof(columns) / sizeof(columns[0]));

	return listing_close(&w->s.out, &w->s.pipe, err ? err : link_each(list_link, w));
}

/* The link type of a file's first frames; a negative errno when it has none. */
static int link_of_file(const char *path)
{
	struct source *s = NULL;
	const struct iface *one = NULL;
	struct frame f;
	bool all;
	int rc = capfile_open(&s, path), link = -1;

	while (!rc && link < 0) {
		struct pollfd p = { .fd = s->fd, .events = POLLIN };

		rc = capfile_peek(s, &f);
		one = capfile_iface_at(s, 0, &all);
		link = one ? one->link : -1;
		if (rc == -EAGAIN)
			rc = poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
	}
	if (s)
		s->ops->close(s);
	if (link < 0 && rc == -ENODATA)
		fail(0, "%s: no interface is described", path);
	return link < 0 ? rc : link;
}

int watch_dump(struct watch *w)
{
	struct filter *f = NULL;
	int link = w->o->read ? link_of_file(w->o->read) : LINK_ETHERNET, err;

	if (link < 0)
		return exit_status(link);
	err = filter_compile(&f, w->s.filter_text ? w->s.filter_text : "", (uint16_t)link, w->s.pipe.strict,
			     w->s.pipe.inner);
	if (err)
		return w->o->read ? EXIT_FAILED : EXIT_USAGE;
	filter_dump(f, w->o->dump, stdout);
	filter_free(f);
	return EXIT_DONE;
}
