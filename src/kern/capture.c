// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/capture.h"

#include <errno.h>
#include <linux/types.h>
#include <linux/if_arp.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "abi.h"
#include "kern/hook.h"
#include "kern/link.h"
#include "kern/load.h"
#include "numbers/linktype.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

const char *const rung_names[RUNGS] = { "tcx", "clsact", "socket", "packet" };

/* See capture.h: what can leave something behind comes after what cannot. */
static const enum rung ladder[RUNGS] = { RUNG_TCX, RUNG_SOCKET, RUNG_CLSACT, RUNG_PACKET };

enum { HOLDS_MAX = 65536 };

/* What keeps one interface attached. */
struct hold {
	uint32_t ifindex;
	enum rung rung;
	int fds[2];		/* tcx: links; socket: the socket, -1 */
	int promisc;
};

struct capture {
	struct capture_options opt;
	struct loaded l;
	struct clsact clsact;
	int drop_link;
	struct hold *holds;
	unsigned int n, room;
};

/* Our programs know Ethernet and bare IP; what else there is, libpcap knows. */
static bool is_known(const struct link_info *link)
{
	return link->link == LINK_ETHERNET || link->link == LINK_RAW;
}

/* A frame on the loopback device passes both ways: once is enough, as it comes in. */
static bool is_once(const struct capture *c, const struct link_info *link)
{
	return link->arphrd == ARPHRD_LOOPBACK && c->opt.ingress && c->opt.egress;
}

/* What counts at an interface, both directions at once: each end of an exchange is seen, or neither. */
static int count(struct capture *c, struct hold *h, const struct link_info *link)
{
	const struct capture_counting *k = c->opt.counting;
	bool l3 = link->link == LINK_RAW;
	int in = k->program(k->ctx, l3, false), out = -1, err = in < 0 ? in : 0;

	if (!err && !is_once(c, link)) {
		out = k->program(k->ctx, l3, true);
		err = out < 0 ? out : 0;
	}
	if (!err)
		err = k->number(k->ctx, link->ifindex);
	return err ? err : hook_tcx(link->ifindex, in, out, h->fds);
}

/* Ingress first: what comes in is seen while egress is still being verified. */
static int try_tcx(struct capture *c, struct hold *h, enum variant v, bool egress)
{
	int out[2] = { -1, -1 }, err = 0;

	if (c->opt.ingress) {
		err = load_direction(&c->l, v, false, &c->opt);
		if (!err)
			err = hook_tcx(h->ifindex, load_program(&c->l, v, false), -1, h->fds);
	}
	if (err || !egress)
		return err;
	err = load_direction(&c->l, v, true, &c->opt);
	if (!err)
		err = hook_tcx(h->ifindex, -1, load_program(&c->l, v, true), out);
	if (err)
		hook_detach_link(&h->fds[0]);
	else
		h->fds[1] = out[1];
	return err;
}

static int try_tc(struct capture *c, struct hold *h, const struct link_info *link)
{
	enum variant v = link->link == LINK_RAW ? VARIANT_TC_L3 : VARIANT_TC;
	bool egress = c->opt.egress && !is_once(c, link);
	int err;

	if (c->opt.counting)
		return count(c, h, link);
	if (h->rung != RUNG_CLSACT)
		return try_tcx(c, h, v, egress);
	err = load_packets(&c->l, v, &c->opt);
	if (err)
		return err;
	return clsact_attach(&c->clsact, h->ifindex, c->opt.ingress ? load_program(&c->l, v, false) : -1,
			     egress ? load_program(&c->l, v, true) : -1);
}

static int try_socket(struct capture *c, struct hold *h, const struct link_info *link)
{
	enum variant v = link->link == LINK_RAW ? VARIANT_SOCKET_L3 : VARIANT_SOCKET;
	int err = load_packets(&c->l, v, &c->opt);

	if (err)
		return err;
	err = hook_socket(h->ifindex, load_program(&c->l, v, false), is_once(c, link));
	if (err < 0)
		return err;
	h->fds[0] = err;
	return 0;
}

static int try_rung(struct capture *c, struct hold *h, const struct link_info *link, enum rung rung)
{
	*h = (struct hold){ .ifindex = link->ifindex, .rung = rung, .fds = { -1, -1 }, .promisc = -1 };
	if (rung == RUNG_PACKET)
		return hook_can_packet();
	if (!is_known(link))
		return -EMEDIUMTYPE;
	return rung == RUNG_SOCKET ? try_socket(c, h, link) : try_tc(c, h, link);
}

static void let_go(struct capture *c, struct hold *h)
{
	if (h->rung == RUNG_CLSACT)
		clsact_detach(&c->clsact, h->ifindex);
	if (h->rung == RUNG_TCX)
		hook_detach_link(&h->fds[0]);
	hook_detach_link(&h->fds[1]);
	if (h->fds[0] >= 0)
		close(h->fds[0]);
	if (h->promisc >= 0)
		close(h->promisc);
	h->fds[0] = h->fds[1] = h->promisc = -1;
}

static bool load_failed(const struct capture *c, enum rung rung, const struct link_info *link,
			const char **reason)
{
	bool l3 = link->link == LINK_RAW;
	enum variant v = l3 ? VARIANT_TC_L3 : VARIANT_TC;

	if (rung == RUNG_SOCKET)
		v = l3 ? VARIANT_SOCKET_L3 : VARIANT_SOCKET;
	*reason = c->l.packets[v].reason;
	return rung != RUNG_PACKET && c->l.packets[v].err;
}

static void explain(const struct capture *c, enum rung rung, const struct link_info *link, int err, char *to,
		    unsigned int size)
{
	const char *reason;

	if (err == -EMEDIUMTYPE)
		snprintf(to, size, "link type %u is neither Ethernet nor bare IP", link->arphrd);
	else if (load_failed(c, rung, link, &reason))
		snprintf(to, size, "%s", reason);
	else if (rung == RUNG_TCX && err == -EINVAL)
		snprintf(to, size, "the kernel has no tcx (Linux 6.6): %s", strerror(-err));
	else if (rung == RUNG_CLSACT && err == -EBUSY)
		snprintf(to, size, "every clsact slot is taken by another netprobe");
	else if (rung == RUNG_CLSACT)
		load_reason(to, size, err, NEED_NET_ADMIN,
			    "cannot attach a tc filter (sch_ingress, cls_bpf)");
	else if (rung == RUNG_TCX)
		load_reason(to, size, err, NEED_BPF | NEED_NET_ADMIN, "cannot make a tcx link");
	else
		load_reason(to, size, err, NEED_NET_RAW, "cannot open a packet socket");
}

static struct hold *find(const struct capture *c, uint32_t ifindex)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (c->holds[i].ifindex == ifindex)
			return &c->holds[i];
	return NULL;
}

static int make_room(struct capture *c)
{
	unsigned int room = c->room ? 2 * c->room : 8;
	struct hold *p;

	if (c->n < c->room)
		return 0;
	if (room > HOLDS_MAX)
		return -ENOSPC;
	p = realloc(c->holds, room * sizeof(*p));
	if (!p)
		return -ENOMEM;
	c->holds = p;
	c->room = room;
	return 0;
}

bool capture_by_packet(const struct capture *c, const struct link_info *link)
{
	if (!c->opt.packets || c->opt.counting)
		return false;
	return c->l.err || c->opt.rung == RUNG_PACKET || (c->opt.rung < 0 && !is_known(link));
}

/* The rungs of the ring.  Only the reader can open the last one, before it gives its privileges up. */
static int climb(struct capture *c, struct hold *h, const struct link_info *link, char *why,
		 unsigned int size)
{
	int err = -EOPNOTSUPP, first = 0;
	unsigned int n = 0;

	for (int i = 0; i < RUNGS; i++) {
		char reason[256];

		if (c->opt.counting && ladder[i] != RUNG_TCX)
			continue;
		if (ladder[i] == RUNG_PACKET || (c->opt.rung >= 0 && (int)ladder[i] != c->opt.rung))
			continue;
		err = try_rung(c, h, link, ladder[i]);
		if (!err)
			return 0;
		first = first ? first : err;
		explain(c, ladder[i], link, err, reason, sizeof(reason));
		if (n < size)
			n += (unsigned int)snprintf(why + n, size - n, "%s%s: %s", n ? "; " : "",
						    rung_names[ladder[i]], reason);
	}
	/* When permission is lacking, that is what the user must know. */
	return err == -EPERM ? err : first;
}

const char *capture_no_bpf(const struct capture *c)
{
	return c->l.err ? c->l.reason : NULL;
}

static int hold(struct capture *c, const struct hold *h)
{
	int err = make_room(c);

	if (!err)
		c->holds[c->n++] = *h;
	return err;
}

int capture_packet_opened(struct capture *c, uint32_t ifindex)
{
	const struct hold h = { .ifindex = ifindex, .rung = RUNG_PACKET, .fds = { -1, -1 }, .promisc = -1 };

	return hold(c, &h);
}

static int refuse_packet(const struct capture *c, const struct link_info *link, const char *name)
{
	if (!(link->flags & IFF_UP))
		return -ENETDOWN;
	if (c->l.err || c->opt.rung == RUNG_PACKET)
		fail(0, "%s: not captured: a packet socket is opened at the start only, and %s", name,
		     c->l.err ? c->l.reason : "--rung packet allows nothing else");
	else
		fail(0, "%s: not captured: link type %u needs a packet socket, which is opened at the start only",
		     name, link->arphrd);
	return -EOPNOTSUPP;
}

static bool sockets_may_help(const struct capture *c)
{
	return c->opt.rung < 0 && !c->opt.counting && !hook_can_packet();
}

static int attach(struct capture *c, struct hold *h, const struct link_info *link, const char *name)
{
	char why[900];
	int err;

	if (!c->opt.packets) {	/* drops come by another way */
		*h = (struct hold){ .ifindex = link->ifindex, .rung = RUNG_PACKET, .fds = { -1, -1 },
				    .promisc = -1 };
		return 0;
	}
	if (capture_by_packet(c, link))
		return refuse_packet(c, link, name);
	err = climb(c, h, link, why, sizeof(why));
	if (err)
		fail(0, "%s: cannot capture: %s%s", name, why,
		     sockets_may_help(c) ? "; --rung packet needs none of this" : "");
	else if (c->opt.promisc && link->arphrd != ARPHRD_LOOPBACK)
		h->promisc = hook_promisc(link->ifindex);
	return err;
}

int capture_attach(struct capture *c, uint32_t ifindex, const char *name, enum rung *rung)
{
	const struct hold *had = find(c, ifindex);
	struct link_info link;
	struct hold h;
	int err;

	if (had && had->rung == RUNG_PACKET && c->opt.packets) {
		*rung = RUNG_PACKET;
		return 0;
	}
	if (had)
		return -EEXIST;
	err = link_get(NULL, ifindex, &link);
	if (err)
		return fail(err, "%s", name);
	err = attach(c, &h, &link, name);
	if (err)
		return err;
	err = hold(c, &h);
	if (err) {
		let_go(c, &h);
		return fail(err, "%s", name);
	}
	*rung = h.rung;
	return 0;
}

void capture_tell_left(uint32_t ifindex, const char *name)
{
	int n = clsact_left(ifindex);

	if (n)
		warn("%s: %d clsact filter%s of a netprobe that was killed %s still there, without effect; "
		     "netprobe watch --plan -i %s removes %s", name, n, n == 1 ? "" : "s", n == 1 ? "is" : "are",
		     name, n == 1 ? "it" : "them");
}

int capture_detach(struct capture *c, uint32_t ifindex)
{
	struct hold *h = find(c, ifindex);

	if (!h)
		return -ENOENT;
	let_go(c, h);
	*h = c->holds[--c->n];
	return 0;
}

/* Drops that came while the program ran on the same CPU: the kernel counts them, so the ledger does. */
static void count_missed(struct capture *c)
{
	struct bpf_prog_info info = { 0 };
	struct np_ledger led;
	uint32_t size = sizeof(info), cpu = 0;

	if (bpf_obj_get_info_by_fd(load_drop_program(&c->l), &info, &size) || !info.recursion_misses)
		return;
	if (bpf_map_lookup_elem(c->l.drop_ledger, &cpu, &led))
		return;
	led.seen += info.recursion_misses;
	led.lost_map += info.recursion_misses;
	bpf_map_update_elem(c->l.drop_ledger, &cpu, &led, BPF_ANY);
}

void capture_detach_all(struct capture *c)
{
	bool drops = c->drop_link >= 0;

	for (unsigned int i = 0; i < c->n; i++)
		let_go(c, &c->holds[i]);
	c->n = 0;
	hook_detach_link(&c->drop_link);
	hook_wait();
	if (drops)
		count_missed(c);
}

static void plan_rung(struct capture *c, const struct link_info *link, enum rung rung, struct rung_plan *p)
{
	struct hold h;

	if (c->opt.rung >= 0 && (int)rung != c->opt.rung) {
		snprintf(p->reason, sizeof(p->reason), "not asked for");
		return;
	}
	p->tried = true;
	p->err = try_rung(c, &h, link, rung);
	p->works = !p->err;
	if (p->works)
		let_go(c, &h);
	else
		explain(c, rung, link, p->err, p->reason, sizeof(p->reason));
}

int capture_plan(struct capture *c, uint32_t ifindex, const char *name, struct rung_plan plan[RUNGS])
{
	enum rung chosen = RUNGS;
	struct link_info link;
	int err = link_get(NULL, ifindex, &link), removed;

	if (err)
		return fail(err, "%s", name);
	memset(plan, 0, RUNGS * sizeof(*plan));
	removed = clsact_clean(ifindex);
	if (removed)
		note("%s: removed %d clsact filter%s that a killed netprobe left", name, removed,
		     removed == 1 ? "" : "s");
	for (int r = 0; r < RUNGS; r++)
		plan_rung(c, &link, (enum rung)r, &plan[r]);
	for (int i = RUNGS - 1; i >= 0; i--)
		if (plan[ladder[i]].works && capture_by_packet(c, &link) == (ladder[i] == RUNG_PACKET))
			chosen = ladder[i];
	for (int r = 0; r < RUNGS; r++) {
		struct rung_plan *p = &plan[r];

		p->chosen = r == (int)chosen;
		if (p->works && !p->chosen && r == RUNG_CLSACT && chosen == RUNG_SOCKET)
			snprintf(p->reason, sizeof(p->reason),
				 "works, but its filter outlives kill -9 and a socket leaves nothing");
		else if (p->works && !p->chosen)
			snprintf(p->reason, sizeof(p->reason), "works; not needed");
	}
	return 0;
}

/* Without maps only the last rung is left, and only for packets. */
static int check_maps(const struct capture *c)
{
	const struct capture_options *opt = &c->opt;
	bool last = opt->packets && !opt->drops && (opt->rung < 0 || opt->rung == RUNG_PACKET);

	if (!c->l.err || (last && hook_can_packet() == 0))
		return 0;
	fail(0, "%s%s%s", c->l.reason, c->l.err == -EPERM ? "; " : "",
	     c->l.err == -EPERM ? caps_remedy(c->l.reason) : "");
	return c->l.err;
}

static int attach_drops(struct capture *c)
{
	int err = load_drops(&c->l, &c->opt);

	if (err)
		return err;
	c->drop_link = bpf_raw_tracepoint_open(NULL, load_drop_program(&c->l));
	if (c->drop_link >= 0)
		return 0;
	err = c->drop_link;
	c->drop_link = -1;
	return fail(err, "--drops: cannot attach to the tracepoint");
}

int capture_open(struct capture **out, const struct capture_options *opt)
{
	struct capture *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return fail(ENOMEM, "capture");
	c->opt = *opt;
	c->drop_link = -1;
	c->clsact.owner = -1;
	load_none(&c->l);
	if (!opt->counting && (opt->packets || opt->drops))
		load_maps(&c->l, opt);
	err = check_maps(c);
	if (!err && opt->drops)
		err = attach_drops(c);
	if (err) {
		capture_close(c);
		return err;
	}
	*out = c;
	return 0;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < c->n; i++) {
		const struct hold *h = &c->holds[i];

		for (int k = 0; k < 2; k++)
			if (h->fds[k] >= 0)
				close(h->fds[k]);
		if (h->promisc >= 0)
			close(h->promisc);
	}
	if (c->drop_link >= 0)
		close(c->drop_link);
	clsact_close(&c->clsact);
	if (c->opt.counting)
		c->opt.counting->close(c->opt.counting->ctx);
	load_free(&c->l);
	free(c->holds);
	free(c);
}

static int duplicate(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void capture_fds(const struct capture *c, struct capture_fds *fds)
{
	bool by_ring = c->opt.drops || (c->opt.packets && c->opt.rung != RUNG_PACKET);

	*fds = (struct capture_fds){ -1, -1, -1, -1, 0, 0 };
	if (c->l.err || !by_ring || c->opt.counting)
		return;
	*fds = (struct capture_fds){
		.ring = duplicate(c->l.ring),
		.ledger = duplicate(c->l.ledger),
		.control = duplicate(c->l.control),
		.drop_ledger = duplicate(c->l.drop_ledger),
		.ring_bytes = c->l.ring_bytes,
		.cpus = c->l.cpus,
	};
}
