// SPDX-License-Identifier: GPL-2.0-or-later
/* What a live run does while it still may: load, open, fork the helper. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cmd/session_live.h"
#include "numbers/linktype.h"
#include "source/live.h"
#include "source/merge.h"
#include "source/ring.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { SOCKETS_MAX = 64, OWN_FDS = 3, PRIVATE_FDS = 8, KEPT_MAX = 4096 };

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

static int start_capture(struct live *l)
{
	struct capture_options co = l->s->o->capture;

	co.filter = l->filter;
	co.counting = l->counts ? &l->counters : NULL;
	co.packets &= l->counts != COUNTS_KEPT;	/* then interfaces are watched, and nothing is attached */
	co.debug = l->s->o->g->debug;
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
	static const char *names[KEPT_MAX];
	struct session *s = l->s;
	const struct strs *ifs = &s->o->iface;
	int fds[OWN_FDS + SOCKETS_MAX + PRIVATE_FDS + HELPER_FDS] = { l->epoll, l->timer, l->rows_timer };
	struct helper_options ho = {
		.capture = l->capture,
		.patterns = ifs->n ? ifs->v : any,
		.n_patterns = !l->capture ? 0 : ifs->n ? ifs->n : 1,
		.dynamic = l->capture && (s->many_interfaces || s->o->wait),
	};
	unsigned int n = OWN_FDS;
	int err;

	if (l->counts == COUNTS_KEPT) {
		ho.patterns = names;
		ho.n_patterns = counted_names(l, names, KEPT_MAX);
		ho.dynamic = false;
	}
	for (int fd = s->mute_from; fd && fd <= s->mute_to && n < OWN_FDS + SOCKETS_MAX; fd++)
		fds[n++] = fd;
	for (unsigned int i = 0; i < s->o->n_private_fds && i < PRIVATE_FDS; i++)
		fds[n++] = s->o->private_fds[i];
	if (!l->capture && !s->out.rotate && !s->out.refreshes)
		return 0;
	err = session_help(s, &ho, fds, n);
	capture_close(l->capture);
	l->capture = NULL;
	return err ? err : watch_fd(l, helper_fd(s->helper));
}

/* Plain pcap has one link type: that of the one interface, or cooked v2, which names the interface. */
static void choose_file_link(struct live *l)
{
	const struct iface *f;
	struct link_info info;
	struct session *s = l->s;

	s->out.link = LINK_SLL2;
	if (s->many_interfaces || s->o->capture.drops || link_get(s->o->iface.v[0], 0, &info))
		return;
	f = live_iface(l, info.ifindex);
	s->out.link = f ? f->link : info.link;
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
	rc.ring_bytes = fds.ring_bytes;
	rc.cpus = fds.cpus;
	rc.match = l->filter ? ring_match : NULL;
	rc.netns = l->s->o->capture.any_netns ? netns_name : NULL;
	rc.home = (uint32_t)netns_inode();
	rc.sampled = l->s->o->capture.sample;
	err = ring_open(out, &rc);
	if (!err)
		fds.ring = -1; /* the source's own now: it is what is polled */
	close_fds(&fds);
	return err;
}

/* What the frames come from: the ring, a packet socket for each interface that it does not carry, logs of firewalls. */
struct members {
	struct live *l;
	struct source *at[2 + SOCKETS_MAX];
	unsigned int n, sockets, left_out;
	bool failed;	/* and that has been said */
};

static void mute(struct session *s, int fd)
{
	s->mute_from = s->mute_from && s->mute_from < fd ? s->mute_from : fd;
	s->mute_to = s->mute_to > fd ? s->mute_to : fd;
}

/* What is opened later may be written to: it must not come to stand between the packet sockets. */
static void fill_gaps(const struct session *s)
{
	owned_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int fd = s->mute_from; fd < s->mute_to; fd++)
		if (fcntl(fd, F_GETFD) < 0 && dup3(null, fd, O_CLOEXEC) < 0)
			return;
}

/* An interface that comes later is refused by the helper, by its name. */
static int open_packet_socket(struct members *m, const struct link_info *info, bool named)
{
	struct live *l = m->l;
	const struct session *s = l->s;
	struct iface *iface = live_iface(l, info->ifindex);
	struct live_config lc = {
		.iface = iface,
		.ingress = s->o->capture.ingress,
		.egress = s->o->capture.egress,
		.promisc = s->o->capture.promisc,
		.buffer_bytes = s->o->capture.ring_bytes,
		.match = l->filter ? ring_match : NULL,
		.ctx = l,
		.expression = s->filter_text,
		.strict = s->pipe.strict,
		.inner = s->pipe.inner,
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
	mute(l->s, m->at[m->n]->fd);
	iface->link = live_link(m->at[m->n++]);
	m->sockets++;
	return capture_packet_opened(l->capture, info->ifindex);
}

/* A link_fn. */
static int take_link(void *ctx, const struct link_info *info)
{
	struct members *m = ctx;
	const struct strs *words = &m->l->s->o->iface;
	bool named;
	int err;

	live_learn(m->l, info, link_wanted(info, words->v, words->n, &named));
	err = open_packet_socket(m, info, named);
	m->failed = err != 0;
	return err;
}

static int join(struct live *l, struct members *m)
{
	const struct strs *ifs = &l->s->o->iface;
	bool one = ifs->n == 1 && !link_is_glob(ifs->v[0]);

	if (m->n > 1)
		return merge_open(&l->s->source, m->at, m->n);
	if (!m->n) {
		fail(0, "%s%s", one ? ifs->v[0] : "no interface to watch", one ? ": no such interface" : "");
		return -ENODEV;
	}
	l->s->source = m->at[0];
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
	fill_gaps(l->s);
	if (!err && m.sockets && capture_no_bpf(l->capture) && l->s->o->capture.rung < 0)
		note("packet sockets only, for %s: no directions, no --drops, and no interface that comes later",
		     capture_no_bpf(l->capture));
	if (m.left_out)
		warn("more than %d interfaces need a packet socket: %u are not captured", SOCKETS_MAX,
		     m.left_out);
	if (!err && l->s->o->blocks) {
		err = blocks_open(l, &m.at[m.n]);
		m.n += !err;
	}
	if (!err)
		err = join(l, &m);
	while (err && m.n--)
		m.at[m.n]->ops->close(m.at[m.n]);
	return err;
}

static int open_loop(struct live *l)
{
	struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	int err = session_open_signals(l->s);

	if (err)
		return err;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	l->rows_timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0 || l->rows_timer < 0)
		return fail(errno, "epoll or timerfd");
	timerfd_settime(l->timer, 0, &second, NULL);
	err = watch_fd(l, l->s->signals);
	if (!err)
		err = watch_fd(l, l->timer);
	if (!err)
		err = watch_fd(l, l->rows_timer);
	if (!err && l->s->source->fd >= 0)
		err = watch_fd(l, l->s->source->fd);
	for (unsigned int i = 0; l->s->pipe.stage && i < STAGE_FDS && !err; i++)
		if (l->s->pipe.stage->fds[i] >= 0)
			err = watch_fd(l, l->s->pipe.stage->fds[i]);
	return err;
}

/* Load, unless what is there is read; says when the filter has to be evaluated here. */
static int load(struct live *l)
{
	struct session *s = l->s;
	int err = 0;

	s->pipe.wants_drop = live_wants_drop;
	s->pipe.drop_ctx = l;
	caps_missing(NEED_CAPTURE(s->o->capture.drops), l->missing, sizeof(l->missing));
	if (s->filter_text)
		err = filter_compile(&l->filter, s->filter_text, 1, s->pipe.strict, s->pipe.inner);
	if (!err && !s->filter_text && s->o->counts)
		err = counted_start(l);
	if (!err && !counted_at_once(l))
		err = start_capture(l);
	if (err == -EPERM && l->missing[0])
		caps_tell(l->missing);
	if (!err && l->filter && !l->filter->kernel)
		note("filtering in user space: %s", l->filter->why_not);
	if (!err && s->o->capture.drops)
		err = drop_names_open(&l->drops, s->o->capture.btf_path);
	return err;
}

int live_start(struct live *l)
{
	struct session *s = l->s;
	const struct strs *ifs;
	int err;

	ifs = &s->o->iface;
	s->many_interfaces = ifs->n != 1 || link_is_glob(ifs->v[0]);
	err = load(l);
	if (err)
		return err;
	if (!l->counts)
		err = open_sources(l);
	choose_file_link(l);
	if (!err)
		err = open_loop(l);
	if (!err)
		err = session_open_outputs(s);
	return err ? err : start_helper(l);
}
