// SPDX-License-Identifier: GPL-2.0-or-later
/* What a live run does while it still may: load, open, fork the helper. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cmd/watch_live.h"
#include "decode/conv/conv.h"
#include "numbers/linktype.h"
#include "priv/priv.h"
#include "priv/rotate.h"
#include "source/live.h"
#include "source/many.h"
#include "source/ring.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum {
	SOCKETS_MAX = 64,
	SNAPLEN_HEADERS = 192, /* Ethernet, tags, IPv6 with an extension header, TCP with all its options */
};

static const struct iface *ring_iface(void *ctx, uint32_t ifindex)
{
	struct live *l = ctx;
	struct iface *f = live_iface(l, ifindex);

	if (f)
		return f;
	live_read_helper(l); /* an interface that came a moment ago */
	return live_iface(l, ifindex);
}

static void ring_drop(void *ctx, uint32_t reason, uint64_t location, struct drop_info *out)
{
	static char text[24];
	struct live *l = ctx;

	out->reason = drop_reason_name(l->drops, reason);
	out->location = drop_symbol(l->drops, location);
	out->hook = drop_hook(l->drops, out->reason, out->location);
	if (!out->location) {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)location);
		out->location = text;
	}
}

/* Is anybody interested in octets that no decoder looks into? */
static bool wants_octets(const struct watch *w)
{
	const struct watch_opts *o = w->o;

	return o->write || o->snaplen || o->hex || o->hex_ascii || o->ascii;
}

static int start_capture(struct live *l)
{
	const struct watch_opts *o = l->w->o;
	static uint8_t ports[8192];
	uint32_t kinds = l->w->kinds && !l->w->alerts ? l->w->kinds : UINT32_MAX;
	struct capture_options co = {
		.app_ports = ports,
		.apps_only = o->proto && !l->w->alerts && !o->write && !wants_octets(l->w),
		.snaplen = l->w->snaplen,
		.snaplen_other = wants_octets(l->w) ? 0 : SNAPLEN_HEADERS,
		.ring_octets = o->buffer,
		.ingress = l->w->pipe.direction != DIR_EGRESS,
		.egress = l->w->pipe.direction != DIR_INGRESS,
		.filter = l->filter,
		.sample = (unsigned int)o->sample,
		.rung = -1,
		.packets = !live_drops_only(l->w),
		.drops = o->drops != NULL,
		.drop_reasons = l->w->reasons,
		.n_drop_reasons = l->w->n_reasons,
		.any_netns = l->w->any_netns,
		.btf_path = o->btf,
		.promisc = l->w->promisc && !live_drops_only(l->w),
		.debug = l->w->g->debug,
	};

	protocol_tcp_ports(kinds, l->w->decode_as, l->w->n_decode_as, ports);
	for (int i = 0; o->rung && i < RUNGS; i++)
		if (!strcmp(o->rung, rung_names[i]))
			co.rung = i;
	return capture_open(&l->capture, &co);
}

static int watch_fd(struct live *l, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) ? fail(errno, "epoll") : 0;
}

/* The helper gets the hooks; the reader closes its own descriptors of them. */
static int start_helper(struct live *l)
{
	static const char *const any[] = { "any" };
	struct watch *w = l->w;
	const struct strs *ifs = &w->o->iface;
	int fds[PIPELINE_SINKS_MAX + 3 + SOCKETS_MAX] = { l->epoll, l->signals, l->timer };
	struct helper_options ho = {
		.capture = l->capture,
		.patterns = ifs->n ? ifs->v : any,
		.n_patterns = ifs->n ? ifs->n : 1,
		.dynamic = w->many_interfaces || w->o->wait,
		.rotate = w->rotate,
		.close_fds = fds,
		.n_close_fds = 3,
	};
	int err;

	for (unsigned int i = 0; i < w->n_outs; i++)
		fds[ho.n_close_fds++] = w->outs[i]->fd;
	for (int fd = w->mute_from; fd && fd <= w->mute_to; fd++)
		if (ho.n_close_fds < sizeof(fds) / sizeof(fds[0]))
			fds[ho.n_close_fds++] = fd;
	err = helper_start(&w->helper, &ho);
	capture_close(l->capture);
	l->capture = NULL;
	rotate_close(w->rotate);
	w->rotate = NULL;
	return err ? err : watch_fd(l, helper_fd(w->helper));
}

/* Plain pcap has one link type: that of the one interface, or cooked v2, which names the interface. */
static void choose_file_link(struct live *l)
{
	const struct iface *f;
	struct link_info info;
	struct watch *w = l->w;

	w->file_link = LINK_SLL2;
	if (w->many_interfaces || w->o->drops || link_get(w->o->iface.v[0], 0, &info))
		return;
	f = live_iface(l, info.ifindex);
	w->file_link = f ? f->link : info.link;
}

/* Frames that the in-kernel filter could not decide. */
static bool ring_match(void *ctx, const struct frame *f)
{
	struct live *l = ctx;

	return filter_match_link(l->filter, f->link, f->data, f->cap_len, f->len);
}

static void close_fds(const struct capture_fds *fds)
{
	const int all[] = { fds->ring, fds->ledger, fds->control, fds->drop_ledger };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] >= 0)
			close(all[i]);
}

static int open_ring(struct live *l, struct source **out)
{
	struct ring_config rc = { .iface = ring_iface, .drop = ring_drop, .ctx = l };
	struct capture_fds fds;
	int err;

	capture_fds(l->capture, &fds);
	if (fds.ring < 0)
		return 0;
	rc.ring = fds.ring;
	rc.ledger = fds.ledger;
	rc.drop_ledger = fds.drop_ledger;
	rc.control = fds.control;
	rc.ring_octets = fds.ring_octets;
	rc.cpus = fds.cpus;
	rc.match = l->filter ? ring_match : NULL;
	rc.netns = l->w->any_netns ? watch_netns_name : NULL;
	rc.home = (uint32_t)netns_inode();
	rc.sampled = (uint32_t)l->w->o->sample;
	err = ring_open(out, &rc);
	if (!err)
		fds.ring = -1; /* the source's own now: it is what is polled */
	close_fds(&fds);
	return err;
}

/* What the frames come from: the ring, and a packet socket for each interface that it does not carry. */
struct members {
	struct live *l;
	struct source *at[1 + SOCKETS_MAX];
	unsigned int n, sockets, left_out;
	bool failed;	/* and that has been said */
};

static void mute(struct watch *w, int fd)
{
	w->mute_from = w->mute_from && w->mute_from < fd ? w->mute_from : fd;
	w->mute_to = w->mute_to > fd ? w->mute_to : fd;
}

/* What is opened later may be written to: it must not come to stand between the packet sockets. */
static void fill_gaps(const struct watch *w)
{
	owned_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int fd = w->mute_from; fd < w->mute_to; fd++)
		if (fcntl(fd, F_GETFD) < 0 && dup3(null, fd, O_CLOEXEC) < 0)
			return;
}

/* An interface that comes later is refused by the helper, by its name. */
static int open_packet_socket(struct members *m, const struct link_info *info, bool named)
{
	struct live *l = m->l;
	const struct watch *w = l->w;
	struct iface *iface = live_iface(l, info->ifindex);
	struct live_config lc = {
		.iface = iface,
		.ingress = w->pipe.direction != DIR_EGRESS,
		.egress = w->pipe.direction != DIR_INGRESS,
		.promisc = w->promisc,
		.buffer_octets = w->o->buffer,
		.match = l->filter ? ring_match : NULL,
		.ctx = l,
		.expression = w->filter_text,
		.strict = w->pipe.strict,
		.inner = w->pipe.inner,
	};
	int err;

	if (!iface || !iface->wanted || !capture_by_packet(l->capture, info))
		return 0;
	if (!(info->flags & IFF_UP) && !named)
		return 0;	/* told with the others that are down */
	if (m->sockets == SOCKETS_MAX) {
		m->left_out++;
		return 0;
	}
	err = live_open(&m->at[m->n], &lc);
	if (err && named)
		return err;
	if (err)
		return 0; /* said; one of many */
	mute(l->w, m->at[m->n]->fd);
	iface->link = live_link(m->at[m->n++]);
	m->sockets++;
	return capture_packet_opened(l->capture, info->ifindex);
}

/* A link_fn. */
static int take_link(void *ctx, const struct link_info *info)
{
	struct members *m = ctx;
	const struct strs *words = &m->l->w->o->iface;
	bool named;
	int err;

	live_learn(m->l, info, link_wanted(info, words->v, words->n, &named));
	err = open_packet_socket(m, info, named);
	m->failed = err != 0;
	return err;
}

static int join(struct live *l, struct members *m)
{
	const struct strs *ifs = &l->w->o->iface;
	bool one = ifs->n == 1 && !link_is_glob(ifs->v[0]);

	if (m->n > 1)
		return many_open(&l->w->source, m->at, m->n);
	if (!m->n) {
		fail(0, "%s%s", one ? ifs->v[0] : "no interface to watch", one ? ": no such interface" : "");
		return -ENODEV;
	}
	l->w->source = m->at[0];
	return 0;
}

static int open_sources(struct live *l)
{
	struct members m = { .l = l };
	int err = open_ring(l, &m.at[0]);

	if (err)
		return err;
	m.n = m.at[0] != NULL;
	err = link_each(take_link, &m);
	if (err && !m.failed)
		fail(err, "cannot list the interfaces (rtnetlink)");
	fill_gaps(l->w);
	if (!err && m.sockets && capture_no_bpf(l->capture) && !l->w->o->rung)
		note("packet sockets only, for %s: no directions, no --drops, and no interface that comes later",
		     capture_no_bpf(l->capture));
	if (m.left_out)
		warn("more than %d interfaces need a packet socket: %u are not captured", SOCKETS_MAX,
		     m.left_out);
	if (!err)
		err = join(l, &m);
	while (err && m.n--)
		m.at[m.n]->ops->close(m.at[m.n]);
	return err;
}

static int open_loop(struct live *l)
{
	struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll < 0 || l->signals < 0 || l->timer < 0)
		return fail(errno, "epoll, signalfd or timerfd");
	timerfd_settime(l->timer, 0, &second, NULL);
	err = watch_fd(l, l->signals);
	if (!err)
		err = watch_fd(l, l->timer);
	if (!err && l->w->source->fd >= 0)
		err = watch_fd(l, l->w->source->fd);
	return err;
}

/* Load; says when the filter has to be evaluated here. */
static int load(struct live *l)
{
	struct watch *w = l->w;
	int err = 0;

	w->pipe.wants_drop = watch_wants_drop;
	w->pipe.drop_ctx = l;
	caps_missing(NEED_CAPTURE(w->o->drops), l->missing, sizeof(l->missing));
	if (w->filter_text)
		err = filter_compile(&l->filter, w->filter_text, 1, w->pipe.strict, w->pipe.inner);
	if (!err)
		err = start_capture(l);
	if (err == -EPERM && l->missing[0])
		caps_tell(l->missing);
	if (!err && l->filter && !l->filter->kernel)
		note("filtering in user space: %s", l->filter->why_not);
	if (!err && w->o->drops)
		err = drop_names_open(&l->drops, w->o->btf);
	return err;
}

int live_start(struct live *l)
{
	struct watch *w = l->w;
	const struct strs *ifs;
	int err = load(l);

	if (err)
		return err;
	ifs = &w->o->iface;
	w->many_interfaces = ifs->n != 1 || link_is_glob(ifs->v[0]);
	err = open_sources(l);
	choose_file_link(l);
	if (!err)
		err = open_loop(l);
	if (!err)
		err = watch_open_outputs(w, l->signals);
	return err ? err : start_helper(l);
}
