/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_RIG_H
#define NETPROBE_TESTS_RIG_H

#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "abi.h"
#include "filter/filter.h"
#include "kern/load.h"
#include "source/ring.h"

/* The programs of one variant, run by BPF_PROG_TEST_RUN, with a reader behind them. */
struct rig {
	struct capture_options opt;
	struct filter *filter;
	struct loaded l;
	enum variant v;
	struct source *s;
	struct iface iface;
	bool wanted;
	unsigned int frames;
	struct frame last;
	uint8_t bytes[NP_CLASS_6];
};

/* Frames are put together byte by byte. */
struct bytes {
	uint8_t p[65536];
	uint32_t n;
};

static inline void put8(struct bytes *b, uint8_t v)
{
	b->p[b->n++] = v;
}

static inline void put16(struct bytes *b, uint16_t v)
{
	put8(b, (uint8_t)(v >> 8));
	put8(b, (uint8_t)v);
}

static inline void put_fill(struct bytes *b, uint8_t v, uint32_t n)
{
	memset(b->p + b->n, v, n);
	b->n += n;
}

static inline void put_macs(struct bytes *b)
{
	put_fill(b, 0x02, 6);
	put_fill(b, 0x06, 6);
}

static inline void put_tags(struct bytes *b, unsigned int n, uint16_t tpid)
{
	for (unsigned int i = 0; i < n; i++) {
		put16(b, tpid);
		put16(b, (uint16_t)(100 + i));
	}
}

static inline void put_ip4(struct bytes *b, uint8_t proto, uint16_t frag)
{
	static const uint8_t addresses[8] = { 192, 0, 2, 1, 192, 0, 2, 2 };

	put16(b, 0x4500);
	put16(b, 0);
	put16(b, 1);
	put16(b, frag);
	put8(b, 64);
	put8(b, proto);
	put16(b, 0);
	memcpy(b->p + b->n, addresses, 8);
	b->n += 8;
}

static inline void put_ip6(struct bytes *b, uint8_t next)
{
	put16(b, 0x6000);
	put16(b, 0);
	put16(b, 0);
	put8(b, next);
	put8(b, 64);
	put_fill(b, 0x20, 32);
}

static inline void put_ports(struct bytes *b, uint16_t from, uint16_t to)
{
	put16(b, from);
	put16(b, to);
}

static inline void put_udp(struct bytes *b, uint16_t to)
{
	put_ports(b, 40000, to);
	put16(b, 0);
	put16(b, 0);
}

/* MAC addresses, tags, type. */
static inline void put_ether(struct bytes *b, unsigned int tags, uint16_t type)
{
	put_macs(b);
	put_tags(b, tags, 0x8100);
	put16(b, type);
}

static inline void pad_to(struct bytes *b, uint32_t n)
{
	while (b->n < n)
		put8(b, (uint8_t)b->n);
}

static inline void rig_filter(struct rig *r, const char *text, bool strict, bool inner)
{
	assert_int_equal(filter_compile(&r->filter, text, 1, strict, inner), 0);
	r->opt.filter = r->filter;
}

static inline const struct iface *rig_iface(void *ctx, uint32_t ifindex)
{
	return &((struct rig *)ctx)->iface;
}

static inline bool rig_match(void *ctx, const struct frame *f)
{
	return ((struct rig *)ctx)->wanted;
}

static inline int rig_take(void *ctx, const struct frame *f)
{
	struct rig *r = ctx;

	r->frames++;
	r->last = *f;
	memcpy(r->bytes, f->data, f->cap_len);
	return 0;
}

static inline struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->opt = (struct capture_options){ .ingress = true, .egress = true, .packets = true, .rung = -1 };
	r->iface = (struct iface){ .name = "test", .ifindex = 1, .link = 1 };
	r->wanted = true;
	return r;
}

static inline void rig_load(struct rig *r)
{
	struct ring_config cfg = { .drop_ledger = -1 };

	if (load_maps(&r->l, &r->opt))
		fail_msg("%s", r->l.reason);
	if (load_packets(&r->l, r->v, &r->opt))
		fail_msg("%s", r->l.packets[r->v].reason);
	cfg.ring = r->l.ring;
	cfg.ledger = r->l.ledger;
	cfg.control = r->l.control;
	cfg.ring_bytes = r->l.ring_bytes;
	cfg.cpus = r->l.cpus;
	cfg.iface = rig_iface;
	cfg.match = rig_match;
	cfg.ctx = r;
	assert_int_equal(ring_open(&r->s, &cfg), 0);
}

static inline void rig_free(struct rig *r)
{
	if (r->s)
		r->s->ops->close(r->s);
	load_free(&r->l);
	filter_free(r->filter);
	free(r);
}

static inline int rig_run(struct rig *r, const struct bytes *b, unsigned int repeat, uint32_t *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = b->p, .data_size_in = b->n, .repeat = (int)repeat);
	int err = bpf_prog_test_run_opts(load_program(&r->l, r->v, false), &o);

	if (ns)
		*ns = o.duration;
	if (!err)
		assert_int_equal((int)o.retval, -1);
	return err;
}

/* Run once; how many frames came out. */
static inline unsigned int rig_send(struct rig *r, const struct bytes *b)
{
	unsigned int before = r->frames;

	assert_int_equal(rig_run(r, b, 1, NULL), 0);
	assert_true(r->s->ops->read(r->s, 1u << 20, rig_take, r) >= 0);
	return r->frames - before;
}

/* The books, which must balance. */
static inline struct np_ledger rig_books(struct rig *r)
{
	struct np_ledger l;

	ring_ledger(r->s, -1, &l, NULL);
	assert_int_equal(l.seen, l.filtered + l.sampled + l.emitted + l.lost_ring + l.lost_map);
	return l;
}

#endif
