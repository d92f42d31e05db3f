// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * E6: frames that are made to be misread.  Each row of the table says how far its frame can be read; what becomes of it
 * then, at XDP and at tcx, in each mode, with each policy for fragments, with entries and without, is what
 * netprobe-block(8) says under "Packets that are hard to read", and exactly one reason is counted.  Needs root.
 */
#include <errno.h>
#include <sched.h>

#include "block_rig.h"

enum known { PORT, ADDRESS, MAC };	/* each includes those behind it */

/* Of IPv6 extension headers a letter each; 1st and 2nd: a first fragment, a later one. */
static const struct {
	char letter;
	uint8_t type;
} extensions[] = {
	{ 'h', 0 },   { 'r', 43 },  { 'f', 44 }, { 'F', 44 }, { 'L', 44 }, { 'O', 44 }, { 'a', 51 }, { 'd', 60 },
	{ 'm', 135 }, { 'i', 139 }, { 's', 140 },
};

struct row {
	const char *name;
	uint8_t tags, family, options;	/* options: words */
	uint16_t tag_type;
	uint16_t fragment;		/* IPv4: as in the header */
	const char *extensions;
	uint8_t proto;			/* 0: UDP */
	uint8_t first;			/* the first byte of the IP header, where it is another */
	int16_t length;			/* the length in the IP header is other by so much */
	uint8_t payload;		/* bytes behind the IP header(s); 0: 40 */
	uint16_t cut;			/* the frame ends here */
	bool jumbo;			/* IPv6 payload length 0 */
	bool inside;			/* the address that is blocked is inside a tunnel, and not the frame's own */
	const char *after;		/* the name of the row that was sent before */
	enum np_reading reads;
	enum known knows;
};

#define IP4(name_, ...) { .name = (name_), .family = 4, __VA_ARGS__ }
#define IP6(name_, ...) { .name = (name_), .family = 6, __VA_ARGS__ }
#define READS(reading, known) .reads = NP_##reading, .knows = (known)
#define MORE 0x2000

static const struct row rows[] = {
	IP4("plain"),
	IP6("plain, IPv6"),
	{ "ARP", .knows = MAC, .reads = NP_NOT_IP },
	{ "ARP in a VLAN", .tags = 1, .knows = MAC, .reads = NP_NOT_IP },
	IP4("1 tag", .tags = 1),
	IP4("2 tags", .tags = 2),
	IP4("3 tags", .tags = 3),
	IP4("4 tags", .tags = 4),
	IP4("5 tags", .tags = 5),
	IP4("6 tags", .tags = 6),
	IP4("8 tags", .tags = 8),
	IP4("9 tags", .tags = 9, READS(DEEP, MAC)),
	IP6("9 tags, IPv6", .tags = 9, READS(DEEP, MAC)),
	IP4("QinQ", .tags = 2, .tag_type = 0x88a8),
	IP6("QinQ, IPv6", .tags = 2, .tag_type = 0x88a8),
	IP4("QinQ of 9100", .tags = 2, .tag_type = 0x9100),
	IP4("4 bytes of options", .options = 1),
	IP4("20 bytes of options", .options = 5),
	IP4("40 bytes of options", .options = 10),
	IP4("header of 16 bytes", .first = 0x44, READS(BAD, MAC)),
	IP4("header of 0 bytes", .first = 0x40, READS(BAD, MAC)),
	IP4("version 6 where 4 should be", .first = 0x65, READS(BAD, MAC)),
	IP4("version 0", .first = 0x05, READS(BAD, MAC)),
	IP6("version 4 where 6 should be", .first = 0x40, READS(BAD, MAC)),
	IP6("version 15", .first = 0xf0, READS(BAD, MAC)),
	IP4("total length longer than the frame", .length = 100),
	IP4("total length shorter than the frame", .length = -20),
	IP4("total length ends in the ports", .length = -38, READS(CUT, ADDRESS)),
	IP4("total length shorter than the header", .length = -50, READS(BAD, ADDRESS)),
	IP4("total length 0", .length = -60),
	IP6("payload length longer than the frame", .length = 100),
	IP6("payload length ends in the ports", .length = -38, READS(CUT, ADDRESS)),
	IP6("payload length shorter than the extension headers", .extensions = "dd", .length = -50, READS(CUT, ADDRESS)),
	IP6("jumbogram", .extensions = "h", .jumbo = true),
	IP4("first fragment", .fragment = MORE),
	IP4("later fragment", .fragment = 185, .after = "first fragment", READS(FRAGMENT_LATER, ADDRESS)),
	IP4("later fragment, in the middle", .fragment = MORE | 5, .after = "first fragment", READS(FRAGMENT_LATER, ADDRESS)),
	IP4("later fragment that comes early", .fragment = 185, READS(FRAGMENT_LATER, ADDRESS)),
	IP4("tiny first fragment of TCP", .proto = 6, .fragment = MORE, .payload = 8, READS(FRAGMENT_TINY, ADDRESS)),
	IP4("tiny first fragment of UDP", .fragment = MORE, .payload = 4, READS(FRAGMENT_TINY, ADDRESS)),
	IP4("fragment that overlaps TCP", .proto = 6, .fragment = 1, READS(FRAGMENT_OVERLAP, ADDRESS)),
	IP4("fragment that overlaps UDP, early", .fragment = 1, READS(FRAGMENT_LATER, ADDRESS)),
	IP4("do not fragment", .fragment = 0x4000),
	IP4("the reserved flag", .fragment = 0x8000),
	IP6("atomic fragment", .extensions = "f"),
	IP6("first fragment, IPv6", .extensions = "F"),
	IP6("later fragment, IPv6", .extensions = "L", .after = "first fragment, IPv6", READS(FRAGMENT_LATER, ADDRESS)),
	IP6("later fragment that comes early, IPv6", .extensions = "L", READS(FRAGMENT_LATER, ADDRESS)),
	IP6("tiny first fragment of TCP, IPv6", .proto = 6, .extensions = "F", .payload = 8, READS(FRAGMENT_TINY, ADDRESS)),
	IP6("first fragment that ends in the extension headers", .extensions = "Fd", .length = -44,
	    READS(FRAGMENT_TINY, ADDRESS)),
	IP6("fragment that overlaps TCP, IPv6", .proto = 6, .extensions = "O", READS(FRAGMENT_OVERLAP, ADDRESS)),
	IP6("first fragment behind options", .extensions = "dF"),
	IP6("all kinds of extension headers", .extensions = "hdrfamis"),
	IP6("all kinds and one more", .extensions = "hdrfamisd", READS(DEEP, ADDRESS)),
	IP6("ESP", .proto = 50, .knows = ADDRESS),
	IP6("ESP behind options", .extensions = "hd", .proto = 50, .knows = ADDRESS),
	IP6("no next header", .proto = 59, .knows = ADDRESS),
	IP4("ESP, IPv4", .proto = 50, .knows = ADDRESS),
	IP4("AH, IPv4", .proto = 51, .knows = ADDRESS),
	IP4("IP in IP", .proto = 4, .knows = ADDRESS),
	IP4("IP in IP, blocked inside", .proto = 4, .inside = true, .knows = ADDRESS),
	IP6("IPv6 in IPv6, blocked inside", .proto = 41, .inside = true, .knows = ADDRESS),
	IP4("GRE, blocked inside", .proto = 47, .inside = true, .knows = ADDRESS),
	IP4("VXLAN, blocked inside", .tag_type = 4789, .inside = true, .knows = ADDRESS),
	IP4("ends in the second tag", .tags = 2, .cut = 20, READS(CUT, MAC)),
	IP4("40 bytes of options, of which 20 are there", .options = 10, .cut = 54, READS(CUT, ADDRESS)),
	IP4("cut first fragment", .fragment = MORE, .options = 10, .cut = 54, READS(FRAGMENT_TINY, ADDRESS)),
	IP6("ends in an extension header", .extensions = "hd", .cut = 66, READS(CUT, ADDRESS)),
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static uint8_t proto_of(const struct row *r)
{
	return r->proto ? r->proto : 17;
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

static void set16(struct frame_of *f, uint32_t at, uint32_t v)
{
	f->p[at] = (uint8_t)(v >> 8);
	f->p[at + 1] = (uint8_t)v;
}

/* 10.0.0.1 is blocked, and 2001:db8::1; 9 is nobody. */
static void put_v4(struct frame_of *f, const struct row *r, uint32_t id, bool blocked)
{
	uint32_t at = f->n;
	uint8_t h[20] = { (uint8_t)(0x45 + r->options), 0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id,
			  (uint8_t)(r->fragment >> 8), (uint8_t)r->fragment, 64, proto_of(r), 0, 0,
			  10, 0, 0, blocked ? 1 : 9, 10, 0, 0, 2 };

	put(f, h, 20);
	memset(f->p + f->n, 1, r->options * 4u);
	f->n += r->options * 4u;
	if (r->first)
		f->p[at] = r->first;
}

static uint8_t type_of(char letter)
{
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (extensions[i].letter == letter)
			return extensions[i].type;
	fail_msg("no extension header %c", letter);
	return 0;
}

static void put_v6(struct frame_of *f, const struct row *r, uint32_t id, bool blocked)
{
	uint8_t h[40] = { 0x60, [6] = proto_of(r), [7] = 64, [8] = 0x20, 1, 0xd, 0xb8, [23] = blocked ? 1 : 9,
			  [24] = 0x20, 1, 0xd, 0xb8, [39] = 2 };
	const char *e = r->extensions ? r->extensions : "";
	uint32_t at = f->n;

	if (*e)
		h[6] = type_of(*e);
	put(f, h, 40);
	for (; *e; e++) {
		uint8_t x[8] = { e[1] ? type_of(e[1]) : proto_of(r) };

		if (*e == 'F' || *e == 'L' || *e == 'O')	/* more follow; from byte 1480; from byte 8 */
			x[3] = *e == 'F' ? 1 : *e == 'O' ? 8 : 0;
		if (*e == 'L')
			x[2] = 5;
		if (type_of(*e) == 44) {
			x[4] = (uint8_t)(id >> 24);
			x[5] = (uint8_t)(id >> 16);
			x[6] = (uint8_t)(id >> 8);
			x[7] = (uint8_t)id;
		}
		if (r->jumbo) {					/* RFC 2675, 2 */
			x[2] = 0xc2;
			x[3] = 4;
		}
		put(f, x, 8);
	}
	if (r->first)
		f->p[at] = r->first;
}

static void put_payload(struct frame_of *f, const struct row *r)
{
	static const uint8_t mac[12] = { 2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 5 };
	struct row inner = { .family = r->family };
	uint32_t n = r->payload ? r->payload : 40, from = f->n;

	if (proto_of(r) == 47) {
		put16(f, 0);
		put16(f, 0x0800);
	} else if (proto_of(r) == 6 || proto_of(r) == 17) {
		put16(f, 40000);
		put16(f, r->tag_type == 4789 ? 4789 : 53);
		put16(f, n);
		put16(f, proto_of(r) == 6 ? 1 : 0);
	}
	if (proto_of(r) == 17 && r->tag_type == 4789) {
		put(f, (uint8_t[]){ 8, 0, 0, 0, 0, 0, 1, 0 }, 8);
		put(f, mac, 12);
		put16(f, 0x0800);
	}
	if (proto_of(r) == 4 || r->inside) {
		if (r->family == 4)
			put_v4(f, &inner, 0, true);
		else
			put_v6(f, &inner, 0, true);
	}
	while (f->n < from + n)
		f->p[f->n++] = 0x50;
	if (r->payload)
		f->n = from + n;
}

static void make(struct frame_of *f, const struct row *r, uint32_t id)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 6, 2, 0, 0, 0, 0, 5 };
	uint32_t at;

	memset(f, 0, sizeof(*f));
	put(f, macs, 12);
	for (int i = 0; i < r->tags; i++) {
		put16(f, i || !r->tag_type ? 0x8100 : r->tag_type);
		put16(f, 100u + (uint32_t)i);
	}
	put16(f, r->family == 4 ? 0x0800 : r->family == 6 ? 0x86dd : 0x0806);
	at = f->n;
	if (r->family == 4)
		put_v4(f, r, id, !r->inside);
	else if (r->family == 6)
		put_v6(f, r, id, !r->inside);
	if (r->family)
		put_payload(f, r);
	else
		f->n += 46;
	if (r->family == 4)
		set16(f, at + 2, (uint32_t)((int)(f->n - at) + r->length));
	else if (r->family == 6 && !r->jumbo)
		set16(f, at + 4, (uint32_t)((int)(f->n - at - 40) + r->length));
	if (r->cut)
		f->n = r->cut;
}

/* ── what the manual says becomes of it ───────────────────────────────────── */

enum blocks { NOTHING, SOURCES, PORTS, MACS, BLOCKS_N };

struct way {
	enum block_hook hook;
	enum np_mode mode;
	enum np_frag_policy frag;
	enum blocks blocks;
};

struct expected {
	bool drop;
	uint32_t reason;
};

static bool is_fragment(const struct row *r)
{
	return r->fragment & 0x3fff || (r->extensions && strpbrk(r->extensions, "FLO"));
}

static const struct row *row_of(const char *name)
{
	for (int i = 0; i < N_ROWS; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	fail_msg("no row '%s'", name);
	return NULL;
}

static bool is_blocked(const struct way *w, const struct row *r)
{
	return (w->blocks == MACS) || (w->blocks == SOURCES && r->knows <= ADDRESS && !r->inside) ||
	       (w->blocks == PORTS && r->knows == PORT && proto_of(r) == 17);
}

static struct expected expect(const struct way *w, const struct row *r)
{
	static const uint8_t reasons[] = {
		[NP_WHOLE] = NP_R_NONE, [NP_NOT_IP] = NP_R_NOT_IP, [NP_CUT] = NP_R_CUT, [NP_BAD] = NP_R_BAD,
		[NP_DEEP] = NP_R_DEEP, [NP_FRAGMENT_LATER] = NP_R_FRAG_EARLY, [NP_FRAGMENT_TINY] = NP_R_FRAG_TINY,
		[NP_FRAGMENT_OVERLAP] = NP_R_FRAG_OVERLAP,
	};
	uint32_t reason = reasons[r->reads];

	if (is_fragment(r) && w->frag == NP_FRAG_DROP)
		return (struct expected){ true, NP_R_FRAG_POLICY };
	if ((r->reads == NP_FRAGMENT_TINY || r->reads == NP_FRAGMENT_OVERLAP) && w->frag == NP_FRAG_INHERIT)
		return (struct expected){ true, reason };
	if (r->after && w->frag == NP_FRAG_INHERIT)
		return (struct expected){ expect(w, row_of(r->after)).drop, NP_R_FRAG_INHERITED };
	if (is_blocked(w, r))
		return (struct expected){ true, NP_R_DROP };
	if (r->reads == NP_NOT_IP || w->mode == NP_MODE_BLOCK)
		return (struct expected){ false, reason };
	return (struct expected){ w->mode == NP_MODE_DENY, reason == NP_R_NONE ? NP_R_NOT_PERMITTED : reason };
}

/* ── what becomes of it ───────────────────────────────────────────────────── */

static void load(struct block_rig *b, const struct way *w)
{
	memset(b, 0, sizeof(*b));
	assert_int_equal(rules_init(&b->r), 0);
	if (w->blocks == SOURCES) {
		block_rig_add(b, "10.0.0.1", "");
		block_rig_add(b, "2001:db8::1", "");
	} else if (w->blocks == PORTS) {
		block_rig_add(b, "0.0.0.0/0", "proto udp port 53");
		block_rig_add(b, "::/0", "proto udp port 53");
	} else if (w->blocks == MACS) {
		block_rig_add(b, "02:00:00:00:00:05", "");
	}
	b->r.mode = (uint8_t)w->mode;
	b->r.frag = (uint8_t)w->frag;
	b->counts = true;
	block_rig_load(b, w->hook);
}

/* -1: the kernel refuses to test with such a frame. */
static int run(struct block_rig *b, const struct way *w, const struct frame_of *f, struct expected *got)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = f->p, .data_size_in = f->n, .repeat = 1);
	struct np_stats before, after;
	uint32_t counted = 0;
	int err;

	block_stats(&b->set, &before);
	err = bpf_prog_test_run_opts(b->set.prog, &o);
	if (err == -EINVAL && w->hook != BLOCK_XDP && f->n < 14 + 40)
		return -1;
	assert_int_equal(err, 0);
	block_stats(&b->set, &after);
	got->drop = w->hook == BLOCK_XDP ? o.retval == 1 : o.retval == 2;
	assert_true(got->drop || (w->hook == BLOCK_XDP ? o.retval == 2 : o.retval == (uint32_t)-1));
	for (uint32_t i = 0; i < NP_REASONS_N; i++) {
		counted += (uint32_t)(after.packets[i] - before.packets[i]);
		if (after.packets[i] == before.packets[i])
			continue;
		got->reason = i;
		assert_int_equal(after.bytes[i] - before.bytes[i], f->n);
	}
	assert_int_equal(counted, 1);
	return 0;
}

static uint64_t judged;

static void judge(struct block_rig *b, const struct way *w, const struct row *r, const struct frame_of *f,
		  const char *name)
{
	static const char *const hooks[] = { "XDP", "tcx ingress", "tcx egress" };
	struct expected want = expect(w, r), got = { 0 };

	if (run(b, w, f, &got))
		return;
	judged++;
	if (got.drop == want.drop && got.reason == want.reason)
		return;
	for (uint32_t i = 0; i < f->n; i++)
		print_error("%02x", f->p[i]);
	fail_msg("\n%s, %u bytes: at %s, mode %d, frag %d, entries %d: drop %d reason %u, wanted drop %d reason %u", name,
		 f->n, hooks[w->hook], w->mode, w->frag, w->blocks, got.drop, got.reason, want.drop, want.reason);
}

static void judge_row(struct block_rig *b, const struct way *w, int i)
{
	struct frame_of f;

	if (rows[i].after) {
		make(&f, row_of(rows[i].after), (uint32_t)i + 1);
		judge(b, w, row_of(rows[i].after), &f, rows[i].after);
	}
	make(&f, &rows[i], (uint32_t)i + 1);
	judge(b, w, &rows[i], &f, rows[i].name);
}

/* Of each extension header 0 to 12: up to 8 are walked. */
static void judge_chains(struct block_rig *b, const struct way *w)
{
	static const char kinds[] = "hrfadmis";
	char chain[16], name[64];
	struct frame_of f;

	for (const char *k = kinds; *k; k++)
		for (int n = 0; n <= 12; n++) {
			struct row r = IP6(name, .extensions = chain);

			memset(chain, 0, sizeof(chain));
			memset(chain, *k, (size_t)n);
			snprintf(name, sizeof(name), "%d extension headers %u", n, type_of(*k));
			if (n > 8) {
				r.reads = NP_DEEP;
				r.knows = ADDRESS;
			}
			make(&f, &r, 0);
			judge(b, w, &r, &f, name);
		}
}

/* Cut at every byte: from `address` on the addresses are known, from `ports` on all. */
static void judge_cuts(struct block_rig *b, const struct way *w)
{
	static const struct {
		const char *row;
		uint32_t address, ports;
	} cuts[] = {
		{ "plain", 34, 38 }, { "plain, IPv6", 54, 58 }, { "2 tags", 42, 46 }, { "8 tags", 66, 70 },
		{ "40 bytes of options", 34, 78 }, { "all kinds of extension headers", 54, 122 },
	};
	struct frame_of f;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct row r = *row_of(cuts[i].row);

		make(&f, &r, 0);
		for (uint32_t whole = f.n; f.n >= 14; f.n--) {
			r.reads = f.n < cuts[i].ports ? NP_CUT : NP_WHOLE;
			r.knows = f.n < cuts[i].address ? MAC : f.n < cuts[i].ports ? ADDRESS : PORT;
			judge(b, w, &r, &f, cuts[i].row);
			assert_true(f.n <= whole);
		}
	}
}

static void judge_all(enum block_hook hook)
{
	struct way w = { .hook = hook };

	judged = 0;
	for (int n = 0; n < 3 * 3 * BLOCKS_N; n++) {
		struct block_rig b;

		w.mode = (enum np_mode)(n % 3);
		w.frag = (enum np_frag_policy)(n / 3 % 3);
		w.blocks = (enum blocks)(n / 9);
		load(&b, &w);
		for (int i = 0; i < N_ROWS; i++)
			judge_row(&b, &w, i);
		judge_chains(&b, &w);
		judge_cuts(&b, &w);
		block_rig_free(&b);
	}
	print_message("%llu verdicts of %d rows, their chains and cuts\n", (unsigned long long)judged, N_ROWS);
}

static void each_row_has_its_verdict_and_its_count_at_xdp(void **ctx)
{
	judge_all(BLOCK_XDP);
}

static void each_row_has_its_verdict_and_its_count_at_tcx_ingress(void **ctx)
{
	judge_all(BLOCK_IN);
}

static void each_row_has_its_verdict_and_its_count_at_tcx_egress(void **ctx)
{
	judge_all(BLOCK_OUT);
}

/* Datagrams in pieces that two hosts send at once: what is remembered of one does not push out the others'. */
static void many_fragmented_datagrams_are_told_apart(void **ctx)
{
	static const struct {
		const char *row;
		unsigned int shift;
	} kinds[] = { { "later fragment", 0 }, { "later fragment", 7 }, { "later fragment, IPv6", 0 },
		      { "later fragment, IPv6", 16 }, { "later fragment, IPv6", 23 } };
	const struct way w = { .mode = NP_MODE_BLOCK, .frag = NP_FRAG_INHERIT, .blocks = PORTS };
	enum { AT_ONCE = 500 };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		const struct row *later = row_of(kinds[k].row), *first = row_of(later->after);
		struct expected got;
		struct block_rig b;
		unsigned int inherited = 0;
		struct frame_of f;

		load(&b, &w);
		for (uint32_t i = 1; i <= 2 * AT_ONCE; i++) {
			make(&f, i <= AT_ONCE ? first : later, (1 + (i - 1) % AT_ONCE) << kinds[k].shift);
			got = (struct expected){ 0 };
			assert_int_equal(run(&b, &w, &f, &got), 0);
			inherited += got.reason == NP_R_FRAG_INHERITED;
		}
		/* By chance more than four may share a place now and then. */
		assert_in_range(inherited, AT_ONCE - 5, AT_ONCE);
		block_rig_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_verdict_and_its_count_at_xdp),
		cmocka_unit_test(each_row_has_its_verdict_and_its_count_at_tcx_ingress),
		cmocka_unit_test(each_row_has_its_verdict_and_its_count_at_tcx_egress),
		cmocka_unit_test(many_fragmented_datagrams_are_told_apart),
	};

	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
