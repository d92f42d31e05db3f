// SPDX-License-Identifier: GPL-2.0-or-later
/* watch --plan, -D and -d: what would be done, without doing it. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/watch.h"
#include "kern/capture.h"
#include "kern/link.h"
#include "numbers/linktype.h"
#include "priv/priv.h"
#include "util/caps.h"
#include "util/err.h"
#include "util/escape.h"

static void print_json_text(const char *s)
{
	putchar('"');
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			printf("\\u%04x", (unsigned char)*s);
		else
			putchar(*s);
	putchar('"');
}

static void print_row(const struct watch *w, const char *ifname, const char *way, const char *verdict,
		      const char *reason)
{
	char name[sizeof(((struct link_info *)0)->name) * ESCAPE_MAX];

	if (w->g->json || w->g->pretty) {
		printf("{\"interface\":");
		print_json_text(ifname);
		printf(",\"rung\":\"%s\",\"verdict\":\"%s\",\"reason\":", way, verdict);
		print_json_text(reason);
		printf("}\n");
		return;
	}
	escape_text(name, sizeof(name), ifname, strlen(ifname), ESCAPE_FIELD);
	printf("%-16s %-8s %-10s %s\n", name, way, verdict, reason);
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

		print_row(p->w, l->name, rung_names[i],
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

/* The tracepoint is one for all interfaces; trying it is attaching to it, and letting go again. */
static int plan_drops(struct plan *p, struct capture_options *co)
{
	struct capture *c = NULL;
	char why[160] = "";
	int err;

	co->packets = false;
	co->drops = true;
	co->drop_reasons = p->w->reasons;
	co->n_drop_reasons = p->w->n_reasons;
	err = capture_open(&c, co);
	if (err)
		explain(why, sizeof(why), err, true);
	print_row(p->w, "any", "drops", err ? "refused" : "chosen", why);
	capture_close(c);
	p->chosen += !err;
	return err;
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
	struct filter *filter = NULL;
	int err = 0, drops_err = 0;

	if (w->filter_text)
		err = filter_compile(&filter, w->filter_text, 1, w->pipe.strict, w->pipe.inner);
	if (err)
		return EXIT_USAGE;
	co.filter = filter;
	p.err = capture_open(&p.capture, &co);
	if (p.err)
		explain(p.why, sizeof(p.why), p.err, false);
	if (!w->g->json && !w->g->pretty && !w->g->no_header)
		printf("%-16s %-8s %-10s %s\n", "INTERFACE", "RUNG", "VERDICT", "REASON");
	err = plan_links(&p);
	if (!err && !p.chosen)
		err = p.err ? p.err : -EOPNOTSUPP;
	if (w->o->drops)
		drops_err = plan_drops(&p, &co);
	if (filter && !filter->kernel)
		note("the filter is evaluated in user space: %s", filter->why_not);
	capture_close(p.capture);
	filter_free(filter);
	return exit_status(err ? err : drops_err);
}

static int list_link(void *ctx, const struct link_info *l)
{
	struct watch *w = ctx;
	char name[sizeof(l->name) * ESCAPE_MAX];

	if (w->g->json || w->g->pretty) {
		printf("{\"ifindex\":%u,\"name\":", l->ifindex);
		print_json_text(l->name);
		printf(",\"up\":%s,\"mtu\":%u,\"linktype\":%u,\"rx_packets\":%llu,\"tx_packets\":%llu}\n",
		       l->flags & IFF_UP ? "true" : "false", l->mtu, l->link,
		       (unsigned long long)l->rx_packets, (unsigned long long)l->tx_packets);
		return 0;
	}
	escape_text(name, sizeof(name), l->name, strlen(l->name), ESCAPE_FIELD);
	printf("%u.%s [%s%s] mtu %u, %llu packets in, %llu out\n", l->ifindex, name,
	       l->flags & IFF_UP ? "Up" : "Down", l->flags & IFF_LOOPBACK ? ", Loopback" : "", l->mtu,
	       (unsigned long long)l->rx_packets, (unsigned long long)l->tx_packets);
	return 0;
}

int watch_list(struct watch *w)
{
	return exit_status(link_each(list_link, w));
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
	err = filter_compile(&f, w->filter_text ? w->filter_text : "", (uint16_t)link, w->pipe.strict, w->pipe.inner);
	if (err)
		return w->o->read ? EXIT_FAILED : EXIT_USAGE;
	filter_dump(f, w->o->dump, stdout);
	filter_free(f);
	return EXIT_DONE;
}
