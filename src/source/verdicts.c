// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/verdicts.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "block_abi.h"
#include "numbers/linktype.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/hostclock.h"

/*
 * The programs write a packet, and then that it is written; of some machines' stores the order is not that of the
 * program.  So what is read was written a look ago at least, and what is about to be written over is left.
 */
enum { LOOK_NS = 10000000,
       NEAR = 8,
       ROOM = NP_LOG_PACKETS - NEAR,
       TAG_AT = 12,
       TAG_BYTES = 4 };

struct one { /* the log of one CPU of one firewall */
	const struct verdict_log *of;
	const struct np_log_packet *packets;
	const struct np_log_cpu *cpu;
	uint64_t first, next, limit, written; /* limit: what may be read; written: at the last look */
};

struct verdicts {
	struct source s; /* fd: a timer */
	struct verdicts_config cfg;
	struct log {
		struct verdict_log at;
		uint64_t sets; /* as they were told */
		bool ended;
	} * logs;
	struct host_clock clock;
	uint64_t number, lost, rejected, truncated;
	unsigned int n, ended;
	struct one *v;
};

static struct verdicts *verdicts_of(struct source *s)
{
	return (struct verdicts *)s;
}

static uint64_t written(const struct one *o)
{
	return __atomic_load_n(&o->cpu->written, __ATOMIC_ACQUIRE);
}

static void look(struct verdicts *v)
{
	for (unsigned int i = 0; i < v->n; i++) {
		struct one *o = &v->v[i];

		o->limit = o->written;
		o->written = written(o);
		if (o->written - o->next <= ROOM)
			continue;
		v->lost += o->written - ROOM - o->next;
		o->next = o->written - ROOM;
	}
}

static const struct np_log_packet *at(const struct one *o)
{
	return &o->packets[o->next & (NP_LOG_PACKETS - 1)];
}

/* The one whose next packet is the oldest; NULL: there is none. */
static struct one *oldest(struct verdicts *v)
{
	struct one *best = NULL;

	for (unsigned int i = 0; i < v->n; i++) {
		struct one *o = &v->v[i];

		if ((int64_t)(o->limit - o->next) > 0 && (!best || at(o)->boot_ns < at(best)->boot_ns))
			best = o;
	}
	return best;
}

/* The frame as on the wire: an absent tag goes back behind the addresses.  Returns its length. */
static uint32_t whole(uint8_t *to, const struct np_log_packet *p)
{
	uint32_t cap = p->cap < NP_LOG_BYTES ? p->cap : NP_LOG_BYTES;

	if (!p->tag_type || cap < TAG_AT) {
		memcpy(to, p->data, cap);
		return cap;
	}
	memcpy(to, p->data, TAG_AT);
	put_be16(to + TAG_AT, p->tag_type);
	put_be16(to + TAG_AT + 2, p->tag);
	memcpy(to + TAG_AT + TAG_BYTES, p->data + TAG_AT, cap - TAG_AT);
	return cap + TAG_BYTES;
}

static const char *action(const struct np_log_packet *p)
{
	if (p->reason == NP_R_LIMIT_DROP)
		return "limit";
	if (p->reason == NP_R_EXPIRED)
		return "pass";
	return p->drop ? "drop" : "audit";
}

static int take(struct verdicts *v, struct one *o, frame_fn fn, void *ctx)
{
	static const char *const reasons[] = {
#define REASON_NAME(id, name, text) name,
		NP_REASONS(REASON_NAME)
#undef REASON_NAME
	};
	uint8_t data[NP_LOG_BYTES + TAG_BYTES];
	const struct iface *iface = o->of->iface;
	struct np_log_packet p;
	struct block_info info = { 0 };
	struct frame f;

	memcpy(&p, at(o), sizeof(p));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (written(o) - o->next++ > ROOM) {
		v->lost++;
		return 0;
	}
	f = (struct frame){
		.time_ns = host_clock_wall(&v->clock, p.boot_ns),
		.data = data,
		.cap_len = whole(data, &p),
		.link = iface->link ? iface->link : LINK_ETHERNET,
		.direction = (uint8_t)o->of->direction,
		.iface = iface,
		.block = &info,
		.number = v->number + 1,
	};
	f.len = p.len + (f.cap_len > p.cap ? TAG_BYTES : 0);
	f.len = f.len < f.cap_len ? f.cap_len : f.len;
	if (v->cfg.match && !v->cfg.match(v->cfg.ctx, &f)) {
		v->rejected++;
		return 0;
	}
	v->truncated += f.len > f.cap_len;
	info.action = action(&p);
	info.reason = p.reason < NP_REASONS_N ? reasons[p.reason] : NULL;
	info.rule = p.rule;
	if (p.rule)
		v->cfg.describe(o->of->set, p.rule, &info);
	v->number++;
	return fn(ctx, &f);
}

static int verdicts_read(struct source *s, unsigned int budget, frame_fn fn, void *ctx)
{
	struct verdicts *v = verdicts_of(s);
	uint64_t ticks, before = v->number;
	struct one *o;

	if (read(s->fd, &ticks, sizeof(ticks)) > 0)
		look(v);
	for (unsigned int i = 0; i < budget && (o = oldest(v)); i++) {
		s->stop = take(v, o, fn, ctx);
		if (s->stop)
			return SOURCE_STOPPED;
	}
	if (v->number == before && v->ended == v->cfg.n)
		return -ENOENT; /* said */
	return (int)(v->number - before);
}

static int verdicts_arm(struct source *s)
{
	return oldest(verdicts_of(s)) != NULL;
}

static int verdicts_counts(struct source *s, struct source_counts *c)
{
	const struct verdicts *v = verdicts_of(s);

	memset(c, 0, sizeof(*c));
	for (unsigned int i = 0; i < v->n; i++)
		c->seen += written(&v->v[i]) - v->v[i].first;
	c->lost_ring = v->lost;
	c->filtered = v->rejected;
	c->emitted = c->seen - c->lost_ring - c->filtered;
	c->read = v->number;
	c->truncated = v->truncated;
	return 0;
}

static void beat(const struct verdicts *v)
{
	for (unsigned int i = 0; i < v->cfg.n; i++)
		__atomic_fetch_add(&v->logs[i].at.readers->beat, 1, __ATOMIC_RELAXED);
}

/* What became of the firewalls: said once, and of changed ones each time. */
static void look_after(struct verdicts *v)
{
	for (unsigned int i = 0; i < v->cfg.n; i++) {
		struct log *l = &v->logs[i];
		uint64_t sets = __atomic_load_n(&l->at.readers->sets, __ATOMIC_RELAXED);

		if (sets != l->sets)
			note("%s: its entries have changed: new ones are told by their number alone",
			     l->at.iface->name);
		l->sets = sets;
		if (l->ended || !__atomic_load_n(&l->at.readers->ended, __ATOMIC_RELAXED))
			continue;
		l->ended = true;
		v->ended++;
		fail(0, "%s: its firewall was taken away", l->at.iface->name);
	}
}

static void verdicts_tick(struct source *s)
{
	struct verdicts *v = verdicts_of(s);

	beat(v);
	look_after(v);
	host_clock_tick(&v->clock);
}

static void verdicts_close(struct source *s)
{
	struct verdicts *v = verdicts_of(s);

	if (s->fd >= 0)
		close(s->fd);
	free(v->logs);
	free(v->v);
	free(v);
}

static const struct source_ops verdicts_ops = {
	.name = "verdicts",
	.read = verdicts_read,
	.arm = verdicts_arm,
	.counts = verdicts_counts,
	.tick = verdicts_tick,
	.close = verdicts_close,
};

static void begin(struct verdicts *v)
{
	for (unsigned int i = 0; i < v->cfg.n; i++) {
		v->logs[i].at = v->cfg.logs[i];
		v->logs[i].sets = v->cfg.logs[i].readers->sets;
	}
	for (unsigned int i = 0; i < v->n; i++) {
		struct one *o = &v->v[i];
		unsigned int cpu = i % v->cfg.cpus;

		o->of = &v->logs[i / v->cfg.cpus].at;
		o->packets = o->of->packets + (size_t)cpu * NP_LOG_PACKETS;
		o->cpu = &o->of->cpus[cpu];
		o->first = o->next = o->limit = o->written = written(o);
	}
	host_clock_open(&v->clock, CLOCK_BOOTTIME);
	beat(v);
}

int verdicts_open(struct source **out, const struct verdicts_config *cfg)
{
	const struct itimerspec often = { { 0, LOOK_NS }, { 0, LOOK_NS } };
	struct verdicts *v = calloc(1, sizeof(*v));
	int err = v ? 0 : -ENOMEM;

	if (err)
		return fail(err, "logs of firewalls");
	v->s.ops = &verdicts_ops;
	v->cfg = *cfg;
	v->n = cfg->n * cfg->cpus;
	v->logs = calloc(cfg->n, sizeof(*v->logs));
	v->v = calloc(v->n, sizeof(*v->v));
	v->s.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!v->logs || !v->v)
		err = -ENOMEM;
	else if (v->s.fd < 0 || timerfd_settime(v->s.fd, 0, &often, NULL))
		err = -errno;
	if (err) {
		verdicts_close(&v->s);
		return fail(err, "logs of firewalls");
	}
	begin(v);
	*out = &v->s;
	return 0;
}
