// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The firewall's program against its reference (src/rules/match.c): random entries, random frames, at XDP and at tcx;
 * the verdict, its reason and the entry that decides must be the same.  PACKETS=N runs N frames in place of 100,000,
 * SEED=N begins elsewhere.  Needs root.
 */
#include <errno.h>
#include <sched.h>

#include "block_rig.h"

enum { WIDE = 2048, RULES_WIDE = 8000 };

static uint64_t state;

static uint32_t rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state * 0x2545f4914f6cdd1dull) >> 33) % n;
}

/* ── entries ──────────────────────────────────────────────────────────────── */

/* What a set is like: its entries and the frames that it meets. */
static struct {
	bool sources;			/* no entry asks for more than source, protocol and port */
	uint32_t wide;			/* addresses of a family; 0: few, so that entries cover one another */
	uint8_t addr[2][WIDE][16];
	uint32_t spilled;		/* buckets with keys in the next one, of all sets */
} shape;

static void random_addr(uint8_t *a, int family)
{
	memset(a, 0, 16);
	if (shape.wide) {
		memcpy(a, shape.addr[family == 6][rnd(shape.wide)], 16);
		return;
	}
	if (family == 4) {
		a[0] = 10;
		a[1] = (uint8_t)rnd(3);
		a[2] = (uint8_t)rnd(3);
		a[3] = (uint8_t)(rnd(4) ? rnd(4) : rnd(256));
	} else {
		a[0] = 0x20;
		a[1] = 1;
		a[3] = (uint8_t)rnd(2);
		a[7] = (uint8_t)rnd(3);
		a[8] = (uint8_t)(rnd(3) ? 0 : rnd(256));
		a[15] = (uint8_t)rnd(3);
	}
}

static void random_rule(struct np_rule *r)
{
	static const uint8_t protos[] = { 1, 6, 17, 58, 132, 47 };
	static const char *const lens4[] = { "0", "8", "15", "16", "22", "24", "31", "32", "25", "18", "28", "13" };

	memset(r, 0, sizeof(*r));
	r->kind = !shape.sources && rnd(12) == 0 ? NP_KIND_MAC : rnd(2) ? NP_KIND_V4 : NP_KIND_V6;
	if (r->kind == NP_KIND_MAC) {
		r->addr[0] = 2;
		r->addr[5] = (uint8_t)rnd(4);
		r->plen = 48;
	} else {
		char text[64];
		uint8_t a[16];

		random_addr(a, r->kind);
		if (r->kind == NP_KIND_V4)
			snprintf(text, sizeof(text), "%u.%u.%u.%u/%s", a[0], a[1], a[2], a[3],
				 lens4[shape.wide ? 4 + rnd(8) : rnd(8)]);
		else
			snprintf(text, sizeof(text), "2001:%x:%x:%x:%x::%x/%u", a[3], a[5], a[7], a[8] << 8, a[15],
				 rnd(3) ? (unsigned int[]){ 0, 16, 32, 48, 64, 72, 127, 128 }[rnd(8)] : rnd(129));
		assert_true(rule_target(r, text, strlen(text)));
	}
	r->dir = shape.sources ? NP_SRC : (uint8_t)(1 + rnd(3));
	r->action = (uint8_t)(1 + rnd(4));
	if (r->action == NP_LIMIT) {
		r->rate = 1000000000000000ull;	/* far above what is sent */
		r->burst = 1000000;
	}
	if (!rnd(3)) {
		r->flags |= NP_RULE_PROTO;
		r->proto = protos[rnd(sizeof(protos))];
	}
	if (!rnd(3)) {
		r->flags |= NP_RULE_PORT;
		r->port_lo = (uint16_t)(rnd(2) ? 20 + rnd(10) : rnd(65536));
		r->port_hi = (uint16_t)(r->port_lo + rnd((uint32_t)(65536 - r->port_lo)) / (rnd(2) ? 1 : 1000));
	}
	if (!shape.sources && !rnd(8)) {
		r->flags |= NP_RULE_EXPIRES;
		r->expires_ns = rnd(2) ? 1 : block_rig_now() + 3600000000000ull;
	}
}

/* Many addresses, apart from one another: of one length there are more than the tables have places side by side. */
static void random_shape(bool wide)
{
	shape.sources = rnd(2);
	shape.wide = 0;
	for (uint32_t i = 0; wide && i < WIDE; i++)
		for (int v6 = 0; v6 < 2; v6++) {
			uint8_t *a = shape.addr[v6][i];

			random_addr(a, v6 ? 6 : 4);
			a[v6 ? 3 : 1] = (uint8_t)rnd(256);
			a[v6 ? 5 : 2] = (uint8_t)rnd(256);
		}
	shape.wide = wide ? WIDE : 0;
}

static void random_set(struct block_rig *b, bool wide)
{
	uint32_t n = wide ? RULES_WIDE : rnd(5) ? rnd(24) : rnd(400);
	bool same;

	random_shape(wide);

	memset(b, 0, sizeof(*b));
	assert_int_equal(rules_init(&b->r), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct np_rule r;

		random_rule(&r);
		/* Not more conditions on one address than a program looks at. */
		if (i > 60)
			r.flags = 0;
		assert_int_equal(rules_add(&b->r, &r, &same), 0);
	}
	b->r.mode = (uint8_t)(rnd(2) ? 0 : rnd(3));
	b->r.frag = (uint8_t)(rnd(3) ? 0 : rnd(3));
	b->r.egress = rnd(2);
	b->r.n_failsafe = (uint8_t)rnd(3);
	b->r.failsafe[0] = 22;
	b->r.failsafe[1] = 25;
}

/* ── frames ───────────────────────────────────────────────────────────────── */

struct frame_of {
	uint8_t p[512];
	uint32_t n;
};

static void put(struct frame_of *f, const void *p, uint32_t n)
{
	memcpy(f->p + f->n, p, n);
	f->n += n;
}

static void put16(struct frame_of *f, uint32_t v)
{
	put(f, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static void put_transport(struct frame_of *f, uint8_t proto)
{
	uint32_t n = rnd(20) ? 20 : rnd(20);
	uint8_t h[20] = { 0 };

	h[0] = proto == 58 ? (uint8_t)(130 + rnd(10)) : (uint8_t)rnd(4);
	h[1] = (uint8_t)rnd(100);
	h[3] = (uint8_t)(rnd(2) ? 20 + rnd(10) : rnd(256));
	h[2] = rnd(4) ? 0 : (uint8_t)rnd(256);
	if (!rnd(20)) {
		h[2] = rnd(2) ? 0 : 2;
		h[3] = (uint8_t)(rnd(2) ? 66 + rnd(4) : 32 + rnd(4));
	}
	put(f, h, n);
}

static uint8_t random_proto(void)
{
	return rnd(16) ? (uint8_t[]){ 1, 6, 17, 58, 132, 6, 17, 47 }[rnd(8)] : (uint8_t)rnd(256);
}

static uint16_t random_fragment(void)
{
	if (rnd(4))
		return rnd(2) ? 0x4000 : 0;
	return (uint16_t)((rnd(2) ? 0x2000 : 0) | (rnd(3) ? (rnd(2) ? 1 : 185) : 0));
}

static void put_v4(struct frame_of *f)
{
	uint32_t at = f->n, options = rnd(6) ? 0 : rnd(11);
	uint8_t h[20] = { (uint8_t)(0x45 + options) }, a[16], proto = random_proto();
	uint16_t frag = random_fragment();

	h[5] = (uint8_t)rnd(3);
	h[6] = (uint8_t)(frag >> 8);
	h[7] = (uint8_t)frag;
	h[9] = proto;
	random_addr(a, 4);
	memcpy(h + 12, a, 4);
	random_addr(a, 4);
	memcpy(h + 16, a, 4);
	if (!rnd(40))
		h[0] = (uint8_t)rnd(256);
	put(f, h, 20);
	memset(f->p + f->n, 1, 4 * options);
	f->n += 4 * options;
	put_transport(f, proto);
	if (!rnd(30)) {
		f->p[at + 2] = (uint8_t)(rnd(2) ? 0 : rnd(256));
		f->p[at + 3] = (uint8_t)rnd(64);
	} else {
		f->p[at + 2] = (uint8_t)((f->n - at) >> 8);
		f->p[at + 3] = (uint8_t)(f->n - at);
	}
}

static void put_v6(struct frame_of *f)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60, 135, 139, 140 };
	uint32_t n = rnd(3) ? 0 : rnd(11), at = f->n, more;
	uint8_t h[40] = { 0x60 }, a[16], proto = random_proto(), *next = f->p + f->n + 6;

	random_addr(a, 6);
	memcpy(h + 8, a, 16);
	random_addr(a, 6);
	memcpy(h + 24, a, 16);
	if (!rnd(40))
		h[0] = (uint8_t)rnd(256);
	put(f, h, 40);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t e[8] = { 0 }, kind = kinds[rnd(8)];
		uint16_t frag = random_fragment();

		*next = kind;
		next = f->p + f->n;
		e[1] = kind == 44 ? 0 : (uint8_t)rnd(3);
		more = kind == 44 ? 0 : kind == 51 ? (e[1] + 2u) * 4 - 8 : e[1] * 8u;
		if (kind == 44) {
			e[2] = (uint8_t)((frag & 0x1fff) >> 5);
			e[3] = (uint8_t)((frag & 0x1f) << 3 | (frag >> 13 & 1));
			e[7] = (uint8_t)rnd(3);
		}
		if (!rnd(30))
			e[1] = (uint8_t)rnd(256);
		put(f, e, 8);
		memset(f->p + f->n, 0, 16);
		f->n += more < 16 ? more : 16;
	}
	*next = proto;
	put_transport(f, proto);
	f->p[at + 4] = (uint8_t)((f->n - at - 40) >> 8);
	f->p[at + 5] = (uint8_t)(f->n - at - 40);
	if (!rnd(30))
		f->p[at + 5] = (uint8_t)rnd(64);
}

static void random_frame(struct frame_of *f)
{
	uint32_t tags = rnd(4) ? 0 : rnd(11);
	uint8_t macs[12] = { 2, 0, 0, 0, 0, (uint8_t)rnd(5), 2, 0, 0, 0, 0, (uint8_t)rnd(5) };

	f->n = 0;
	put(f, macs, 12);
	for (uint32_t i = 0; i < tags; i++) {
		put16(f, (uint32_t[]){ 0x8100, 0x88a8, 0x9100, 0x9200 }[rnd(4)]);
		put16(f, rnd(4096));
	}
	if (!rnd(20)) {
		put16(f, rnd(2) ? 0x0806 : rnd(65536));
		memset(f->p + f->n, 0, 46);
		f->n += 46;
	} else if (rnd(2)) {
		put16(f, 0x0800);
		put_v4(f);
	} else {
		put16(f, 0x86dd);
		put_v6(f);
	}
	if (!rnd(10) && f->n > 15)
		f->n = 15 + rnd(f->n - 15);
}

/* ── the comparison ───────────────────────────────────────────────────────── */

static void hex(const struct frame_of *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		print_error("%02x", f->p[i]);
	print_error("\n");
}

static void compare(struct block_rig *b, const struct frame_of *f, struct seen *seen)
{
	static struct seen none;
	struct np_probe got;
	struct facts facts;
	struct verdict want;
	uint32_t want_id, got_id;
	struct np_stats stats;
	int err = block_probe(&b->set, f->p, f->n, &got);

	/* From 6.18 a test run refuses an IP packet that ends in its first header. */
	if (err == -EINVAL && b->link < 0 && f->n < 14 + 40)
		return;
	facts_read(&facts, f->p, f->n);
	want = rules_match(&b->r, &facts, seen, block_rig_now());
	assert_int_equal(err, 0);
	/* The program remembers only so many first fragments at once, and counts those that it forgot. */
	block_stats(&b->set, &stats);
	if (want.reason == NP_R_FRAG_INHERITED && got.reason != want.reason && stats.packets[NP_X_FRAG_EVICTED])
		want = rules_match(&b->r, &facts, &none, block_rig_now());
	want_id = want.rule ? want.rule->id : 0;
	got_id = got.value ? b->r.v[got.value & NP_V_INDEX].id : 0;
	if (got.drop == want.drop && got.reason == want.reason && want_id == got_id)
		return;
	hex(f);
	print_error("kernel: drop %u reason %u entry %u; reference: drop %u reason %u entry %u (mode %u frag %u, "
		    "%u fragments pushed out)\n", got.drop, got.reason, got_id, want.drop, want.reason, want_id,
		    b->r.mode, b->r.frag, (unsigned int)stats.packets[NP_X_FRAG_EVICTED]);
	fail();
}

static void count_spilled(const struct compiled *c)
{
	for (int t = 0; t < NP_TABLES; t++)
		for (uint64_t i = 0; c->buckets[t] && i <= c->index[t].mask; i++)
			shape.spilled += c->buckets[t][i].more;
}

static void differences(enum block_hook hook, uint32_t packets)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	struct frame_of f;
	uint32_t per_set = packets / 10 ? packets / 10 : 1;	/* loading takes far longer than a frame */

	assert_non_null(seen);
	if (per_set > 20000)
		per_set = 20000;
	shape.spilled = 0;
	for (uint32_t done = 0, n = 0; done < packets; done += per_set, n++) {
		struct block_rig b;

		random_set(&b, n % 5 == 4);
		seen->n = 0;
		block_rig_load(&b, hook);
		count_spilled(&b.c);
		for (uint32_t i = 0; i < per_set; i++) {
			random_frame(&f);
			compare(&b, &f, seen);
		}
		block_rig_free(&b);
	}
	free(seen);
	assert_true(packets < 10 || shape.spilled);
	print_message("%u frames, no difference; %u buckets that go on in the next one\n", packets, shape.spilled);
}

static uint32_t wanted(void)
{
	const char *n = getenv("PACKETS");

	return n ? (uint32_t)strtoul(n, NULL, 10) : 50000;
}

static void the_kernel_agrees_with_the_reference_at_xdp(void **ctx)
{
	differences(BLOCK_XDP, wanted());
}

static void the_kernel_agrees_with_the_reference_at_tcx(void **ctx)
{
	differences(BLOCK_IN, wanted());
}

int main(void)
{
	const char *seed = getenv("SEED");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_agrees_with_the_reference_at_xdp),
		cmocka_unit_test(the_kernel_agrees_with_the_reference_at_tcx),
	};

	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	state = (seed ? strtoull(seed, NULL, 10) : 1) * 0x9e3779b97f4a7c15ull;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
