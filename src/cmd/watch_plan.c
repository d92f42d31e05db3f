// SPDX-License-Identifier: GPL-2.0-or-later
/* watch --plan, -D and -d: what would be done, without doing it. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cmd/watch.h"
#include "kern/capture.h"
#include "kern/link.h"
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

static void print_rung(const struct watch *w, const char *ifname, int rung, const struct rung_plan *p)
{
	const char *verdict = p->chosen ? "chosen" : p->works ? "works" : p->tried ? "refused" : "not tried";
	char name[sizeof(((struct link_info *)0)->name) * ESCAPE_MAX];

	if (w->g->json || w->g->pretty) {
		printf("{\"interface\":");
		print_json_text(ifname);
		printf(",\"rung\":\"%s\",\"verdict\":\"%s\",\"reason\":", rung_names[rung], verdict);
		print_json_text(p->reason);
		printf("}\n");
		return;
	}
	escape_text(name, sizeof(name), ifname, strlen(ifname), ESCAPE_FIELD);
	printf("%-16s %-8s %-10s %s\n", name, rung_names[rung], verdict, p->reason);
}

struct plan {
	struct watch *w;
	struct capture *capture;
};

static int plan_link(void *ctx, const struct link_info *l)
{
	struct rung_plan rungs[RUNGS] = { 0 };
	struct plan *p = ctx;
	int err = capture_plan(p->capture, l->ifindex, l->name, rungs);

	for (int i = 0; i < RUNGS; i++)
		print_rung(p->w, l->name, i, &rungs[i]);
	return err;
}

/* Without -i: loopback, which is always there; with any: every interface. */
int watch_plan(struct watch *w)
{
	const struct strs *ifs = &w->o->iface;
	struct plan p = { .w = w };
	struct capture_options co = {
		.ingress = true,
		.egress = true,
		.rung = -1,
		.packets = true,
		.drops = w->o->drops != NULL,
		.btf_path = w->o->btf,
	};
	struct filter *filter = NULL;
	struct link_info l;
	int err = 0;

	if (w->filter_text)
		err = filter_compile(&filter, w->filter_text, 1, w->pipe.strict, w->pipe.inner);
	co.filter = filter;
	if (!err)
		err = capture_open(&p.capture, &co);
	if (!err && !w->g->json && !w->g->pretty && !w->g->no_header)
		printf("%-16s %-8s %-10s %s\n", "INTERFACE", "RUNG", "VERDICT", "REASON");
	for (unsigned int i = 0; i < ifs->n && !err; i++) {
		if (!strcmp(ifs->v[i], "any"))
			err = link_each(plan_link, &p);
		else if (!(err = link_get(ifs->v[i], 0, &l)))
			err = plan_link(&p, &l);
		else
			fail(err, "%s", ifs->v[i]);
	}
	if (!err && !ifs->n && !link_get("lo", 0, &l))
		err = plan_link(&p, &l);
	if (!err && filter && !filter->kernel)
		note("the filter is evaluated in user space: %s", filter->why_not);
	capture_close(p.capture);
	filter_free(filter);
	return exit_status(err);
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

int watch_dump(struct watch *w)
{
	struct filter *f = NULL;
	int err = filter_compile(&f, w->filter_text ? w->filter_text : "", 1, w->pipe.strict, w->pipe.inner);

	if (err)
		return EXIT_USAGE;
	filter_dump(f, w->o->dump, stdout);
	filter_free(f);
	return EXIT_DONE;
}
