// SPDX-License-Identifier: GPL-2.0-or-later
/* stats --waterfall: the counters of all layers, read where the kernel tells them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/kept.h"
#include "cmd/stats.h"
#include "inventory/inventory.h"
#include "kern/link.h"
#include "kern/nic.h"
#include "kern/qdisc.h"
#include "pin/pin.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { TEXT_MAX = 64 << 20, TEXT_STEP = 65536, LINKS_MAX = 4096 };

struct reading {
	struct layers *to;
	const struct strs *iface;
	struct { uint32_t ifindex; char name[LAYER_NAME]; } *links;
	unsigned int n_links, missed;
	const char *name;		/* of the link at hand */
	uint32_t ifindex;
	bool named[64];			/* words of -i that found an interface */
	struct waterfall_gaps *gaps;
};

static struct layer_counter *at(struct reading *r, struct layer_counter *c)
{
	if (c) {
		c->ifindex = r->ifindex;
		layer_text(c->interface, r->name, strlen(r->name));
	}
	return c;
}

/* ── interfaces ───────────────────────────────────────────────────────────── */

#define STAT(member) { #member, offsetof(struct rtnl_link_stats64, member) }

static void add_link(struct reading *r, const struct link_info *l)
{
	static const struct {
		const char *name;
		size_t off;
	} stats[] = {
		STAT(rx_packets), STAT(rx_bytes), STAT(rx_errors), STAT(rx_dropped), STAT(rx_missed_errors),
		STAT(rx_over_errors), STAT(rx_fifo_errors), STAT(rx_crc_errors), STAT(rx_frame_errors),
		STAT(rx_length_errors), STAT(rx_nohandler), STAT(rx_otherhost_dropped), STAT(multicast),
		STAT(tx_packets), STAT(tx_bytes), STAT(tx_errors), STAT(tx_dropped), STAT(tx_carrier_errors),
		STAT(tx_aborted_errors), STAT(tx_fifo_errors), STAT(tx_heartbeat_errors), STAT(tx_window_errors),
		STAT(collisions),
	};

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
		uint64_t v;

		memcpy(&v, (const char *)&l->stats + stats[i].off, sizeof(v));
		at(r, layers_add(r->to, "link", stats[i].name, v));
	}
}

static void add_driver(void *ctx, const char *name, uint64_t value)
{
	struct reading *r = ctx;

	at(r, layers_add_driver(r->to, name, value));
}

static void add_nic(struct reading *r)
{
	struct nic_ring ring;
	int err;

	if (!nic_ring(r->name, &ring)) {
		at(r, layers_add(r->to, "ring", "rx_pending", ring.rx));
		at(r, layers_add(r->to, "ring", "rx_max_pending", ring.rx_max));
		at(r, layers_add(r->to, "ring", "tx_pending", ring.tx));
		at(r, layers_add(r->to, "ring", "tx_max_pending", ring.tx_max));
	}
	err = nic_counters(r->name, add_driver, r);
	r->missed += err == -E2BIG || err == -ENOMEM;
}

static bool wanted(struct reading *r, const struct link_info *l)
{
	bool any = !r->iface->n, unused;

	for (unsigned int i = 0; i < r->iface->n; i++) {
		bool fits = link_wanted(l, &r->iface->v[i], 1, &unused);

		r->named[i] |= fits;
		any |= fits;
	}
	return any;
}

static int take_link(void *ctx, const struct link_info *l)
{
	struct reading *r = ctx;

	if (!wanted(r, l))
		return 0;
	if (r->n_links == LINKS_MAX) {
		r->missed++;
		return 0;
	}
	r->name = l->name;
	r->ifindex = l->ifindex;
	r->links[r->n_links].ifindex = l->ifindex;
	layer_text(r->links[r->n_links++].name, l->name, strlen(l->name));
	add_link(r, l);
	add_nic(r);
	return 0;
}

/* Whatever word found no interface is said; those of a glob may all be gone later. */
static int check_named(const struct reading *r, bool first)
{
	for (unsigned int i = 0; i < r->iface->n; i++)
		if (!r->named[i] && (first || !link_is_glob(r->iface->v[i])))
			return fail(ENODEV, "interface '%s'", r->iface->v[i]);
	return 0;
}

/* Those of a link that is shown become the ones at hand. */
static bool find_link(struct reading *r, uint32_t ifindex)
{
	for (unsigned int i = 0; i < r->n_links; i++) {
		if (r->links[i].ifindex != ifindex)
			continue;
		r->name = r->links[i].name;
		r->ifindex = ifindex;
		return true;
	}
	return false;
}

static void add_qdisc(struct reading *r, const char *group, const char *name, const struct qdisc *q, uint64_t v)
{
	struct layer_counter *c = at(r, layers_add(r->to, group, name, v));

	if (c)
		layer_text(c->detail, q->kind, strlen(q->kind));
}

/* What is dropped below the root counts there too. */
static int take_qdisc(void *ctx, const struct qdisc *q)
{
	struct reading *r = ctx;

	if (!find_link(r, q->ifindex))
		return 0;
	if (q->is_clsact) {
		add_qdisc(r, "clsact", "drops", q, q->drops);
	} else if (q->is_root) {
		add_qdisc(r, "qdisc", "packets", q, q->packets);
		add_qdisc(r, "qdisc", "bytes", q, q->bytes);
		add_qdisc(r, "qdisc", "backlog", q, q->backlog);
		add_qdisc(r, "qdisc", "drops", q, q->drops);
		add_qdisc(r, "qdisc", "overlimits", q, q->overlimits);
		add_qdisc(r, "qdisc", "requeues", q, q->requeues);
	}
	return 0;
}

/* ── programs ─────────────────────────────────────────────────────────────── */

static int take_program(void *ctx, const struct hooked *h)
{
	static const char *const ways[][2] = {
		{ "xdp", "xdp" }, { "tcx/ingress", "program in" }, { "tc/ingress", "program in" },
		{ "tcx/egress", "program out" }, { "tc/egress", "program out" }, { "tc/qdisc", "program out" },
		{ "netkit/primary", "program out" }, { "netkit/peer", "program out" },
	};
	struct reading *r = ctx;
	struct hooked_program p = { 0 };
	struct layer_counter *c = NULL;
	bool gone;

	if (!h->link || !find_link(r, h->link->ifindex))
		return 0;
	gone = inventory_program(h->prog_id, &p);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && !c; i++)
		if (!strcmp(h->hook, ways[i][0]))
			c = at(r, layers_add(r->to, ways[i][1], "runs", p.run_count));
	if (!c)
		return 0;
	c->number = h->prog_id;
	c->has_value = p.run_count;
	snprintf(c->detail, sizeof(c->detail), "%.40s%s%s", gone ? "?" : p.name, h->mode ? " " : "",
		 h->mode ? h->mode : "");
	return 0;
}

static int add_programs(struct reading *r)
{
	const struct inventory_scope scope = { .dev = "*" };
	struct inventory *v = NULL;
	int err = inventory_open(&v);

	r->gaps->no_programs = err == -EPERM;
	if (err)
		return err == -EPERM ? 0 : err;
	err = inventory_each(v, &scope, take_program, r);
	r->missed += inventory_missed(v);
	inventory_close(v);
	return err;
}

/* ── what netprobe counts ─────────────────────────────────────────────────── */

static void add_counts(struct reading *r, const struct counted *c, enum np_count_dir dir, bool at_xdp)
{
	const char *group = dir == NP_COUNT_OUT ? "counted out" : at_xdp ? "counted at xdp" : "counted in";
	struct layer_counter *rows[3];
	struct np_counts sum = { 0 };

	counted_sum(c, 0, dir, &sum);
	if (!sum.frames)
		return;
	rows[0] = at(r, layers_add(r->to, group, "packets", sum.frames));
	rows[1] = at(r, layers_add(r->to, group, "bytes", sum.frame_bytes));
	rows[2] = at(r, layers_add(r->to, group, "malformed", count_malformed(&sum)));
	for (unsigned int i = 0; i < 3; i++)
		if (rows[i])
			layer_text(rows[i]->detail, "netprobe", strlen("netprobe"));
}

/* At this interface, where attach add left programs; as the interface counts. */
static int add_counted(struct reading *r)
{
	struct counted c = { 0 };
	struct iface iface = { .ifindex = r->ifindex };
	unsigned int hooks = 0;
	int err = kept_map(&c, r->ifindex, r->name, &hooks);

	if (err >= 0)
		err = counted_add(&c, (uint32_t)err, 0, &iface);
	for (enum np_count_dir dir = 0; dir < NP_COUNT_DIRS && !err; dir++)
		add_counts(r, &c, dir, hooks & 1 << PIN_XDP);
	counted_close(&c);
	return err == -ENOENT || err == -ESTALE ? 0 : err;
}

static int add_all_counted(struct reading *r)
{
	int err = 0;

	for (unsigned int i = 0; i < r->n_links && !err; i++) {
		find_link(r, r->links[i].ifindex);
		err = add_counted(r);
	}
	return err;
}

/* ── texts of /proc ───────────────────────────────────────────────────────── */

/* *text is the caller's.  -errno: there is none, as without IPv6; -E2BIG. */
static int read_text(const char *path, char **text, size_t *n)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 0;
	ssize_t got = 1;

	*text = NULL;
	*n = 0;
	while (fd >= 0 && got > 0 && *n < TEXT_MAX) {
		if (*n == room) {
			char *grown = realloc(*text, room + (room > TEXT_STEP ? room : TEXT_STEP));

			if (!grown)
				return -ENOMEM;
			*text = grown;
			room += room > TEXT_STEP ? room : TEXT_STEP;
		}
		got = read(fd, *text + *n, room - *n);
		*n += got > 0 ? (size_t)got : 0;
	}
	if (*n >= TEXT_MAX)
		return -E2BIG;
	return fd < 0 || got < 0 ? -errno : 0;
}

static void add_unread(struct waterfall_gaps *g, const char *path, int err)
{
	size_t n = strlen(g->unread);

	snprintf(g->unread + n, sizeof(g->unread) - n, "%s%s: %s", n ? ", " : "", path, strerror(-err));
}

static void add_texts(struct layers *l, struct waterfall_gaps *g)
{
	static const struct {
		const char *path;
		void (*read)(struct layers *l, const char *text, size_t n);
		const char *kind;
		bool optional;		/* without IPv6, or connection tracking, there is none */
	} texts[] = {
		{ "/proc/net/softnet_stat", layers_softnet, NULL, false },
		{ "/proc/net/stat/nf_conntrack", layers_conntrack, NULL, true },
		{ "/proc/net/snmp", layers_snmp, NULL, false },
		{ "/proc/net/netstat", layers_snmp, NULL, false },
		{ "/proc/net/snmp6", layers_snmp6, NULL, true },
		{ "/proc/net/udp", NULL, "udp", false },
		{ "/proc/net/udp6", NULL, "udp6", true },
		{ "/proc/net/raw", NULL, "raw", false },
		{ "/proc/net/raw6", NULL, "raw6", true },
	};

	if (access("/proc/net", F_OK)) {
		add_unread(g, "/proc/net", -errno);
		return;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		owned_mem char *text = NULL;
		size_t n;
		int err = read_text(texts[i].path, &text, &n);

		l->left_out += err == -E2BIG;
		if (err && err != -E2BIG && !(err == -ENOENT && texts[i].optional))
			add_unread(g, texts[i].path, err);
		if (err || !n)
			continue;
		if (texts[i].read)
			texts[i].read(l, text, n);
		else
			layers_sockets(l, texts[i].kind, text, n);
	}
}

int waterfall_read(struct layers *l, const struct strs *iface, bool first, struct waterfall_gaps *gaps)
{
	struct reading r = { .to = l, .iface = iface, .links = calloc(LINKS_MAX, sizeof(*r.links)), .gaps = gaps };
	int err = r.links ? link_each(take_link, &r) : -ENOMEM;

	if (err) {
		fail(err, "interfaces");
	} else {
		err = check_named(&r, first);
		if (!err)
			qdisc_each(take_qdisc, &r);
		if (!err)
			err = add_programs(&r);
		if (!err && !r.gaps->no_programs)
			err = add_all_counted(&r);
	}
	free(r.links);
	if (err)
		return err;
	add_texts(l, gaps);
	if (l->full)
		return fail(ENOMEM, "counters");
	gaps->left_out = r.missed + l->left_out;
	layers_sort(l);
	return 0;
}
