// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdlib.h>

#include "numbers/linktype.h"
#include "source/capfile.h"
#include "source/pcapng_options.h"
#include "util/bytes.h"
#include "util/err.h"

/*
 * pcapng (draft-ietf-opsawg-pcapng): blocks of type, length, body, length.
 * Sections may differ in byte order and each describes its interfaces anew.
 */
enum {
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,

	BLOCK_HEAD = 8,			/* type, length */
	BLOCK_FRAME = 12,		/* and the length again at the end */
	IFACE_CHUNK = 64,
	TICKS_MICRO = 6,		/* if_tsresol when it is not given */
	TICKS_BINARY = 0x80,
};

/* An interface as this section describes it.  What it says was lost, it may say twice: with
 * each packet and as a total, of which the larger counts. */
struct section_iface {
	struct iface *iface;
	int64_t offset_s;
	uint8_t ticks;			/* if_tsresol as in the file */
	uint64_t lost_each, lost_total, lost_counted;
};

struct iface_chunk {
	struct iface_chunk *next;
	unsigned int n;
	struct iface v[IFACE_CHUNK];
};

struct pcapng {
	bool big;
	unsigned int n, filled, cap;	/* interfaces of this section; of it and earlier ones; room */
	struct section_iface *ifaces;
	unsigned int ifaces_all;
	struct iface_chunk *chunks;
	struct drop_info drop;
	char reason[64], location[128];
};

/* A block, whole in the window. */
struct block {
	uint32_t type, size;
	const uint8_t *body, *end;	/* between the lengths */
};

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Nanoseconds since 1970, kept inside 64 bits whatever the file says. */
static uint64_t time_ns(const struct section_iface *s, uint64_t ticks)
{
	static const uint64_t powers[10] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
					     100000000, 1000000000 };
	unsigned int n = s->ticks & 0x7f;
	__int128 t;

	if (s->ticks & TICKS_BINARY)
		t = (__int128)(((unsigned __int128)ticks * 1000000000) >> n);
	else if (n <= 9)
		t = (__int128)ticks * powers[9 - n];
	else if (n <= 18)
		t = (__int128)(ticks / powers[n - 9]);
	else
		t = (__int128)(ticks / powers[9] / (n <= 27 ? powers[n - 18] : UINT64_MAX));
	t += (__int128)s->offset_s * 1000000000;
	if (t < 0)
		return 0;
	return t > (__int128)UINT64_MAX ? UINT64_MAX : (uint64_t)t;
}

static bool pcapng_mine(const uint8_t *m)
{
	return u32_of(m, false) == BLOCK_SECTION;
}

static int pcapng_start(struct capfile *c)
{
	c->state = calloc(1, sizeof(struct pcapng));
	return c->state ? 0 : fail(ENOMEM, "%s", c->name);
}

/* Have the next block whole in the window. */
static int block_get(struct capfile *c, struct block *b)
{
	struct pcapng *p = c->state;
	int rc = capfile_need(c, BLOCK_FRAME);
	const uint8_t *h;
	bool big;

	if (rc)
		return capfile_short(c, rc, "the head of a block");
	h = c->buf + c->pos;
	big = p->big;
	if (u32_of(h, false) == BLOCK_SECTION)
		big = u32_of(h + BLOCK_HEAD, false) != BYTE_ORDER_MAGIC;
	b->type = u32_of(h, big);
	b->size = u32_of(h + 4, big);
	if (b->type == BLOCK_SECTION && u32_of(h + BLOCK_HEAD, big) != BYTE_ORDER_MAGIC)
		return capfile_bad(c, "damaged: a section without the byte-order magic");
	if (b->size < BLOCK_FRAME || b->size % 4 || b->size > CAPFILE_BLOCK_MAX)
		return capfile_bad(
			c, "damaged: a block of %" PRIu32 " bytes (12 to %d, in fours, are possible)",
			b->size, CAPFILE_BLOCK_MAX);
	rc = capfile_need(c, b->size);
	if (rc)
		return capfile_short(c, rc, "a block");
	h = c->buf + c->pos;
	if (u32_of(h + b->size - 4, big) != b->size)
		return capfile_bad(c, "damaged: a block's two lengths differ (%" PRIu32 " and %" PRIu32 ")",
				   b->size, u32_of(h + b->size - 4, big));
	b->body = h + BLOCK_HEAD;
	b->end = h + b->size - 4;
	p->big = big;
	return 0;
}

static const char *block_name(uint32_t type)
{
	switch (type) {
	case BLOCK_SECTION:
		return "a section head";
	case BLOCK_INTERFACE:
		return "an interface description";
	case BLOCK_NAMES:
		return "a name resolution block";
	case BLOCK_STATISTICS:
		return "interface statistics";
	case BLOCK_SECRETS:
		return "a decryption secrets block";
	default:
		return "a packet block";
	}
}

/* The options from `at` on, all of them looked at.  What they change the meaning of is not guessed. */
static int options_of(struct capfile *c, const struct block *b, const uint8_t *at, struct options *o)
{
	const struct pcapng *p = c->state;
	struct options bad;

	*o = (struct options){ .p = at < b->end ? at : b->end, .end = b->end, .big = p->big };
	if (options_sound(b->type, o, &bad))
		return 0;
	return capfile_bad(c, "damaged: %s has an option %u of %u bytes", block_name(b->type), bad.code, bad.len);
}

static int section(struct capfile *c, const struct block *b)
{
	struct pcapng *p = c->state;
	struct options o;

	if (b->end - b->body < 16)
		return capfile_bad(c, "damaged: a section head of %" PRIu32 " bytes", b->size);
	if (u16_of(b->body + 4, p->big) != 1)
		return capfile_bad(c, "pcapng version %u.%u is not known, only 1",
				   u16_of(b->body + 4, p->big),
				   u16_of(b->body + 6, p->big));
	p->n = 0;
	return options_of(c, b, b->body + 16, &o);
}

/* A struct iface that stays where it is as long as the source. */
static struct iface *iface_new(struct pcapng *p)
{
	struct iface_chunk *k = p->chunks;

	if (!k || k->n == IFACE_CHUNK) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return NULL;
		k->next = p->chunks;
		p->chunks = k;
	}
	k->v[k->n].id = p->ifaces_all++;
	return &k->v[k->n++];
}

/* Room for one more in the section's table. */
static int section_room(struct capfile *c)
{
	struct pcapng *p = c->state;
	unsigned int cap = p->cap ? p->cap * 2 : 8;
	struct section_iface *v;

	if (p->n < p->cap)
		return 0;
	v = realloc(p->ifaces, cap * sizeof(*v));
	if (!v)
		return fail(ENOMEM, "%s", c->name);
	p->ifaces = v;
	p->cap = cap;
	return 0;
}

static void iface_options(struct options *o, struct section_iface *s, struct iface *i)
{
	size_t n;

	while (option_next(o)) {
		if (o->code == IF_NAME || (o->code == IF_DESCRIPTION && !i->name[0])) {
			n = strnlen((const char *)o->value, o->len);
			n = n < sizeof(i->name) ? n : sizeof(i->name) - 1;
			memcpy(i->name, o->value, n);
			i->name[n] = '\0';
		} else if (o->code == IF_TSRESOL) {
			s->ticks = *o->value;
		} else if (o->code == IF_TSOFFSET) {
			s->offset_s = (int64_t)option_u64(o);
		}
	}
}

/*
 * The same interface at the same place in the next section is the same interface:
 * files joined end to end do not use up the bound on them.
 */
static int interface(struct capfile *c, const struct block *b)
{
	struct pcapng *p = c->state;
	struct section_iface s = { .ticks = TICKS_MICRO };
	struct iface want = { .id = 0 };
	struct options o;
	int rc = section_room(c);

	if (rc)
		return rc;
	if (b->end - b->body < 8)
		return capfile_bad(c, "damaged: an interface description of %" PRIu32 " bytes", b->size);
	want.link = linktype_of_file(u16_of(b->body, p->big));
	want.snaplen = u32_of(b->body + 4, p->big);
	rc = options_of(c, b, b->body + 8, &o);
	if (rc)
		return rc;
	iface_options(&o, &s, &want);
	s.iface = p->n < p->filled ? p->ifaces[p->n].iface : NULL;
	if (!s.iface || s.iface->link != want.link || s.iface->snaplen != want.snaplen ||
	    strcmp(s.iface->name, want.name) != 0) {
		if (p->ifaces_all == CAPFILE_IFACES_MAX)
			return capfile_bad(c, "more than %d interfaces", CAPFILE_IFACES_MAX);
		s.iface = iface_new(p);
		if (!s.iface)
			return fail(ENOMEM, "%s", c->name);
		want.id = s.iface->id;
		*s.iface = want;
	}
	p->ifaces[p->n++] = s;
	if (p->filled < p->n)
		p->filled = p->n;
	return 0;
}

static void lost_count(struct capfile *c, struct section_iface *s)
{
	uint64_t lost = s->lost_each > s->lost_total ? s->lost_each : s->lost_total;

	c->counts.lost_other = add_capped(c->counts.lost_other, lost - s->lost_counted);
	s->lost_counted = lost;
}

/* All ones is how some writers say "not known". */
static uint64_t known(uint64_t v)
{
	return v == UINT64_MAX ? 0 : v;
}

static int statistics(struct capfile *c, const struct block *b)
{
	struct pcapng *p = c->state;
	struct section_iface *s;
	struct options o;
	uint64_t lost = 0;
	int rc;

	if (b->end - b->body < 12)
		return capfile_bad(c, "damaged: interface statistics of %" PRIu32 " bytes", b->size);
	rc = options_of(c, b, b->body + 12, &o);
	if (rc || u32_of(b->body, p->big) >= p->n)
		return rc;
	s = &p->ifaces[u32_of(b->body, p->big)];
	while (option_next(&o))
		if (o.code == ISB_IFDROP || o.code == ISB_OSDROP)
			lost = add_capped(lost, known(option_u64(&o)));
	if (lost > s->lost_total)
		s->lost_total = lost;
	lost_count(c, s);
	return 0;
}

/* Copy the part of *at that ends at `stop`, of printing characters only; moves *at behind `stop`. */
static bool word_take(char *to, size_t size, const char **at, const char *end, const char *stop)
{
	size_t n = 0, len = strlen(stop);
	const char *p = *at;

	while ((size_t)(end - p) >= len && memcmp(p, stop, len) != 0) {
		if (*p < ' ' || *p > '~' || n + 1 >= size)
			return false;
		to[n++] = *p++;
	}
	if (!n || (size_t)(end - p) < len)
		return false;
	to[n] = '\0';
	*at = p + len;
	return true;
}

/* Our own comment, "drop REASON at LOCATION (HOOK)", back into what it was made of. */
static bool comment_drop(struct pcapng *p, const char *s, const char *end)
{
	static const char *const hooks[] = { "xdp", "tc", "nft", "iptables", "socket", "route", "neighbour",
					     "tcp", "udp", "ip", "other" };
	char hook[16];

	if (end - s < 5 || memcmp(s, "drop ", 5) != 0)
		return false;
	s += 5;
	if (!word_take(p->reason, sizeof(p->reason), &s, end, " at ") ||
	    !word_take(p->location, sizeof(p->location), &s, end, " (") ||
	    !word_take(hook, sizeof(hook), &s, end, ")") || s != end)
		return false;
	for (unsigned int i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (!strcmp(hook, hooks[i])) {
			p->drop = (struct drop_info){ p->reason, p->location, hooks[i] };
			return true;
		}
	return false;
}

/* "GRO x12" or "GSO x12": a super-packet of that many segments. */
static uint16_t comment_segments(const char *s, const char *end)
{
	uint32_t n = 0;

	if (end - s < 6 || (memcmp(s, "GRO x", 5) != 0 && memcmp(s, "GSO x", 5) != 0))
		return 0;
	for (s += 5; s < end; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		n = n * 10 + (uint32_t)(*s - '0');
		if (n > UINT16_MAX)
			return 0;
	}
	return (uint16_t)n;
}

/* epb_verdict: a byte that says whose (1 TC, 2 XDP), then the number it returned. */
static const struct drop_info *verdict_drop(const struct options *o, bool big)
{
	static const struct drop_info tc_shot = { "NOT_SPECIFIED", "TC_ACT_SHOT", "tc" };
	static const struct drop_info xdp_drop = { "NOT_SPECIFIED", "XDP_DROP", "xdp" };
	struct options number = { .value = o->value + 1, .big = big };

	if (o->len != 9)
		return NULL;
	if (o->value[0] == 1 && option_u64(&number) == 2)
		return &tc_shot;
	return o->value[0] == 2 && option_u64(&number) == 1 ? &xdp_drop : NULL;
}

static void packet_options(struct capfile *c, struct options *o, bool old, struct section_iface *s,
			   struct frame *f)
{
	struct pcapng *p = c->state;
	const char *text, *end;

	while (option_next(o)) {
		text = (const char *)o->value;
		end = text + o->len;
		if (o->code == EPB_FLAGS) {
			static const uint8_t directions[4] = { DIR_UNKNOWN, DIR_INGRESS, DIR_EGRESS,
							       DIR_UNKNOWN };

			f->direction = directions[u32_of(o->value, o->big) & 3];
		} else if (!old && o->code == EPB_DROPCOUNT) {
			s->lost_each = add_capped(s->lost_each, known(option_u64(o)));
			lost_count(c, s);
		} else if (!old && o->code == EPB_VERDICT && !f->drop) {
			f->drop = verdict_drop(o, o->big);
		} else if (o->code == OPT_COMMENT && comment_drop(p, text, end)) {
			f->drop = &p->drop;
		} else if (o->code == OPT_COMMENT && comment_segments(text, end)) {
			f->segments = comment_segments(text, end);
		}
	}
}

/* Enhanced Packet Block, and the Packet Block before it: 20 bytes of numbers, the frame, options. */
static int packet(struct capfile *c, const struct block *b, struct frame *f)
{
	struct pcapng *p = c->state;
	const uint8_t *h = b->body;
	bool old = b->type == BLOCK_PACKET;
	struct section_iface *s;
	struct options o;
	uint32_t iface, cap, padded;
	int rc;

	if (b->end - h < 20)
		return capfile_bad(c, "damaged: a packet block of %" PRIu32 " bytes", b->size);
	iface = old ? u16_of(h, p->big) : u32_of(h, p->big);
	cap = u32_of(h + 12, p->big);
	if (iface >= p->n)
		return capfile_bad(c, "damaged: a packet of interface %" PRIu32 " where %u are described",
				   iface, p->n);
	if (cap > CAPFILE_FRAME_MAX || cap > (size_t)(b->end - h - 20))
		return capfile_bad(c, "damaged: a packet claims %" PRIu32 " bytes in a block of %" PRIu32,
				   cap, b->size);
	s = &p->ifaces[iface];
	padded = (cap + 3) & ~3u;
	rc = options_of(c, b, h + 20 + padded, &o);
	if (rc)
		return rc;
	*f = (struct frame){
		.time_ns = time_ns(s, (uint64_t)u32_of(h + 4, p->big) << 32 |
					      u32_of(h + 8, p->big)),
		.data = h + 20,
		.cap_len = cap,
		.len = u32_of(h + 16, p->big),
		.link = s->iface->link,
		.iface = s->iface,
	};
	if (f->len < cap)
		f->len = cap;
	if (old && u16_of(h + 2, p->big) != UINT16_MAX) {
		s->lost_each = add_capped(s->lost_each, u16_of(h + 2, p->big));
		lost_count(c, s);
	}
	packet_options(c, &o, old, s, f);
	return 1;
}

/* Simple Packet Block: of interface 0, without a time; what was captured follows from its snap length. */
static int simple(struct capfile *c, const struct block *b, struct frame *f)
{
	struct pcapng *p = c->state;
	const struct iface *i = p->n ? p->ifaces[0].iface : NULL;
	uint32_t cap = (uint32_t)(b->end - b->body), len;

	if (!i || cap < 4)
		return capfile_bad(c, "damaged: a simple packet %s",
				   i ? "too short" : "before any interface");
	cap -= 4;
	len = u32_of(b->body, p->big);
	if (len < cap)
		cap = len;
	if (i->snaplen && i->snaplen < cap)
		cap = i->snaplen;
	if (cap > CAPFILE_FRAME_MAX)
		return capfile_bad(c, "damaged: a packet of %" PRIu32 " bytes", cap);
	*f = (struct frame){ .data = b->body + 4, .cap_len = cap, .len = len, .link = i->link, .iface = i };
	return 1;
}

/* Names, secrets, journal, custom: nothing a frame needs, but the options that all have are looked at. */
static int other(struct capfile *c, const struct block *b)
{
	const struct pcapng *p = c->state;
	const uint8_t *at = options_behind(b->type, b->body, b->end, p->big);
	struct options o;

	return at ? options_of(c, b, at, &o) : 0;
}

static int pcapng_next(struct capfile *c, struct frame *f)
{
	struct block b = { .type = 0 };
	int rc = block_get(c, &b);

	if (rc)
		return rc;
	switch (b.type) {
	case BLOCK_SECTION:
		rc = section(c, &b);
		break;
	case BLOCK_INTERFACE:
		rc = interface(c, &b);
		break;
	case BLOCK_STATISTICS:
		rc = statistics(c, &b);
		break;
	case BLOCK_ENHANCED:
	case BLOCK_PACKET:
		rc = packet(c, &b, f);
		break;
	case BLOCK_SIMPLE:
		rc = simple(c, &b, f);
		break;
	default:
		rc = other(c, &b);
		break;
	}
	if (rc >= 0)
		c->pos += b.size;
	return rc;
}

static const struct iface *pcapng_iface(const struct capfile *c, unsigned int i)
{
	const struct pcapng *p = c->state;

	return i < p->n ? p->ifaces[i].iface : NULL;
}

static void pcapng_stop(struct capfile *c)
{
	struct pcapng *p = c->state;
	struct iface_chunk *k, *next;

	for (k = p->chunks; k; k = next) {
		next = k->next;
		free(k);
	}
	free(p->ifaces);
	free(p);
}

const struct capfile_format capfile_pcapng = {
	.mine = pcapng_mine,
	.start = pcapng_start,
	.next = pcapng_next,
	.iface = pcapng_iface,
	.stop = pcapng_stop,
};
