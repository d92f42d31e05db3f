// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "numbers/linktype.h"
#include "sink/out.h"
#include "sink/sink.h"
#include "util/err.h"

/*
 * pcapng (draft-ietf-opsawg-pcapng), in the order of this machine, nanoseconds.
 * Each interface is described at its first packet in each file.  What was lost
 * stands with the next packet of that interface (epb_dropcount) and in the
 * interface statistics at the end of the file.  The format counts losses of
 * interfaces only.  What some of several lost, not known which, must not stand
 * with one that lost nothing: it is told of an interface that has a description
 * in place of a name, and no packets.
 */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_ENHANCED = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,

	SNAPLEN_MAX = 262144, /* libpcap refuses a file with longer packets */
	IFACES_MAX = 1 << 16,
	NO_ID = IFACES_MAX, /* frames whose interface is unknown */
	TEXT_MAX = 256,
	FILTER_MAX = 4096,
};

enum option {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_HARDWARE = 2,
	SHB_OS = 3,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	IF_OS = 12,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	EPB_VERDICT = 7,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_FILTERACCEPT = 6,
	ISB_OSDROP = 7,
	ISB_USRDELIV = 8,
};

/* One interface with one link type.  Those with the same id are chained; losses are the first one's. */
struct entry {
	const struct iface *iface;	/* NULL: unknown, or only its losses are */
	uint32_t id;
	uint16_t link;
	uint32_t next;			/* 1 + the next entry of this id; 0: none */
	bool in_file;
	uint32_t file_id;		/* in_file: its number in this file */
	uint64_t written, first_ns, last_ns;
	struct sink_loss loss;
	bool told;			/* pcapng_loss() gave `loss` */
	uint64_t lost_own;		/* by lost records, for want of pcapng_loss() */
	uint64_t lost_told;		/* by epb_dropcount */
};

struct pcapng_sink {
	struct sink s;
	struct entry *entries;		/* at most IFACES_MAX */
	uint32_t n, cap;
	uint32_t *by_id;		/* 1 + the first entry of an id; 0: none */
	uint32_t ids;
	uint32_t n_file;		/* interfaces described in this file */
	bool told;			/* pcapng_loss() is used: lost records are not counted again */
	uint32_t told_id;		/* last of it */
	bool said;
	uint64_t last_ns;
};

static uint32_t snaplen(const struct sink *s)
{
	return s->opt.snaplen && s->opt.snaplen < SNAPLEN_MAX ? s->opt.snaplen : SNAPLEN_MAX;
}

static void put_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void put_padded(struct buf *b, const void *p, size_t n)
{
	static const char zeros[4];

	buf_add(b, p, n);
	buf_add(b, zeros, -n & 3);
}

static void put_option(struct buf *b, enum option code, const void *p, size_t n)
{
	uint16_t h[2] = { (uint16_t)code, (uint16_t)n };

	buf_add(b, h, sizeof(h));
	put_padded(b, p, n);
}

static void put_text(struct buf *b, enum option code, const char *text)
{
	if (text && *text)
		put_option(b, code, text, strlen(text) < TEXT_MAX ? strlen(text) : TEXT_MAX);
}

static void put_u64(struct buf *b, enum option code, uint64_t v)
{
	put_option(b, code, &v, sizeof(v));
}

/* As two halves, the high one first, whatever the byte order. */
static void put_time(struct buf *b, enum option code, uint64_t ns)
{
	uint32_t v[2] = { (uint32_t)(ns >> 32), (uint32_t)ns };

	if (ns)
		put_option(b, code, v, sizeof(v));
}

static size_t block_begin(struct buf *b, uint32_t type)
{
	size_t at = b->n;

	put_u32(b, type);
	put_u32(b, 0);
	return at;
}

static void block_end(struct buf *b, size_t at)
{
	uint32_t n = (uint32_t)(b->n - at) + 4;

	put_u32(b, n);
	if (!b->full)
		memcpy(b->p + at + 4, &n, sizeof(n));
}

static int pcapng_open(struct sink *s)
{
	struct pcapng_sink *p = (struct pcapng_sink *)s;
	struct {
		uint32_t magic;
		uint16_t major, minor;
		int64_t length;
	} h = { BYTE_ORDER_MAGIC, 1, 0, -1 };
	struct buf *b = &s->out->buf;
	size_t at = block_begin(b, BLOCK_SECTION);

	buf_add(b, &h, sizeof(h));
	put_text(b, SHB_HARDWARE, s->opt.hardware);
	put_text(b, SHB_OS, s->opt.os);
	put_text(b, SHB_USERAPPL, s->opt.application);
	put_option(b, OPT_END, NULL, 0);
	block_end(b, at);
	p->n_file = 0;
	for (unsigned int i = 0; i < p->n; i++)
		p->entries[i].in_file = false;
	return out_commit(s->out);
}

static struct entry *entry_at(struct pcapng_sink *p, uint32_t link)
{
	return link ? &p->entries[link - 1] : NULL;
}

static struct entry *entry_first(struct pcapng_sink *p, uint32_t id)
{
	return id < p->ids ? entry_at(p, p->by_id[id]) : NULL;
}

/* Room in by_id for `id`, which is at most NO_ID. */
static bool id_room(struct pcapng_sink *p, uint32_t id)
{
	uint32_t want = p->ids ? p->ids : 16, *v;

	if (id < p->ids)
		return true;
	while (want <= id)
		want *= 2;
	v = calloc(want, sizeof(*v));
	if (!v)
		return false;
	if (p->ids)
		memcpy(v, p->by_id, p->ids * sizeof(*v));
	free(p->by_id);
	p->by_id = v;
	p->ids = want;
	return true;
}

/* NULL when the table is full, or memory is.  Other entries may move. */
static struct entry *entry_new(struct pcapng_sink *p, uint32_t id)
{
	uint32_t cap = p->cap ? p->cap * 2 : 8;
	struct entry *v, *first;

	if (p->n == IFACES_MAX || !id_room(p, id))
		return NULL;
	if (!p->entries || p->n == p->cap) {
		v = realloc(p->entries, cap * sizeof(*v));
		if (!v)
			return NULL;
		p->entries = v;
		p->cap = cap;
	}
	first = entry_first(p, id);
	v = &p->entries[p->n++];
	*v = (struct entry){ .id = id, .next = first ? first->next : 0 };
	*(first ? &first->next : &p->by_id[id]) = p->n;
	return v;
}

static uint32_t id_of(const struct iface *iface)
{
	return iface && iface->id < IFACES_MAX ? iface->id : NO_ID;
}

/* The entry for that interface and link type, made when there is none; NULL when the table is full. */
static struct entry *entry_of(struct pcapng_sink *p, const struct iface *iface, uint16_t link)
{
	struct entry *e = entry_first(p, id_of(iface));

	/* So far only its losses were told. */
	if (e && !e->iface && iface && !e->in_file && !e->written) {
		e->iface = iface;
		e->link = link;
		return e;
	}
	while (e && (e->iface != iface || e->link != link))
		e = entry_at(p, e->next);
	if (e)
		return e;
	e = entry_new(p, id_of(iface));
	if (e) {
		e->iface = iface;
		e->link = link;
	}
	return e;
}

static uint64_t losses_of(const struct entry *e)
{
	return e->told ? e->loss.dropped_ring + e->loss.dropped_if : e->lost_own;
}

static void describe(struct pcapng_sink *p, struct entry *e)
{
	const struct sink_options *opt = &p->s.opt;
	struct {
		uint16_t link, zero;
		uint32_t snaplen;
	} h = { e->link, 0, snaplen(&p->s) };
	static const uint8_t nanoseconds = 9;
	struct buf *b = &p->s.out->buf;
	size_t at, n;

	if (e->in_file)
		return;
	at = block_begin(b, BLOCK_INTERFACE);
	buf_add(b, &h, sizeof(h));
	if (e->iface)
		put_text(b, IF_NAME, e->iface->name);
	else
		put_text(b, IF_DESCRIPTION, losses_of(e) && !e->written ?
			 "not an interface: losses, not known of which" : "interface not known");
	put_option(b, IF_TSRESOL, &nanoseconds, 1);
	n = opt->filter ? strnlen(opt->filter, FILTER_MAX - 1) : 0;
	if (n) {
		char text[FILTER_MAX] = { 0 };	/* first byte 0: the rest is a pcap-filter(7) */

		memcpy(text + 1, opt->filter, n);
		put_option(b, IF_FILTER, text, n + 1);
	}
	put_text(b, IF_OS, opt->os);
	put_option(b, OPT_END, NULL, 0);
	block_end(b, at);
	e->in_file = true;
	e->file_id = p->n_file++;
}

/* "drop NO_SOCKET at __udp4_lib_rcv (udp)", which our reader takes apart again. */
static void put_drop(struct buf *b, const struct drop_info *d)
{
	struct __attribute__((packed)) {
		uint8_t whose;
		uint64_t returned;
	} verdict = { 0, 0 };
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "drop %s at %s (%s)", d->reason ? d->reason : "NOT_SPECIFIED",
		 d->location ? d->location : "0x0", d->hook ? d->hook : "other");
	put_text(b, OPT_COMMENT, text);
	if (d->hook && !strcmp(d->hook, "tc")) {
		verdict.whose = 1;
		verdict.returned = 2;	/* TC_ACT_SHOT */
	} else if (d->hook && !strcmp(d->hook, "xdp")) {
		verdict.whose = 2;
		verdict.returned = 1;	/* XDP_DROP */
	}
	if (verdict.whose)
		put_option(b, EPB_VERDICT, &verdict, sizeof(verdict));
}

static void packet_options(struct pcapng_sink *p, struct entry *first, const struct frame *f)
{
	uint32_t flags = f->direction == DIR_INGRESS ? 1 : f->direction == DIR_EGRESS ? 2 : 0;
	struct buf *b = &p->s.out->buf;
	uint64_t lost = losses_of(first);
	char text[32];

	if (flags)
		put_option(b, EPB_FLAGS, &flags, sizeof(flags));
	if (lost > first->lost_told) {
		put_u64(b, EPB_DROPCOUNT, lost - first->lost_told);
		first->lost_told = lost;
	}
	if (f->drop)
		put_drop(b, f->drop);
	if (f->segments > 1) {
		snprintf(text, sizeof(text), "%s x%u", f->direction == DIR_EGRESS ? "GSO" : "GRO",
			 f->segments);
		put_text(b, OPT_COMMENT, text);
	}
}

static void put_packet(struct pcapng_sink *p, struct entry *e, const struct frame *f)
{
	uint32_t max = snaplen(&p->s), n = f->cap_len < max ? f->cap_len : max;
	struct {
		uint32_t iface, high, low, cap_len, len;
	} h = {
		e->file_id, (uint32_t)(f->time_ns >> 32), (uint32_t)f->time_ns, n, f->len,
	};
	struct entry *first = entry_first(p, e->id);
	struct buf *b = &p->s.out->buf;
	size_t at = block_begin(b, BLOCK_ENHANCED);

	buf_add(b, &h, sizeof(h));
	put_padded(b, f->data, n);
	if (f->direction || f->drop || f->segments > 1 || losses_of(first) > first->lost_told) {
		packet_options(p, first, f);
		put_option(b, OPT_END, NULL, 0);
	}
	block_end(b, at);
	e->written++;
	e->last_ns = f->time_ns;
	if (!e->first_ns)
		e->first_ns = f->time_ns;
}

/* Interface statistics: counts since the capture began. */
static void put_statistics(struct pcapng_sink *p, struct entry *e, uint64_t time_ns, const char *comment)
{
	uint32_t h[3] = { e->file_id, (uint32_t)(time_ns >> 32), (uint32_t)time_ns };
	bool first = entry_first(p, e->id) == e;
	struct buf *b = &p->s.out->buf;
	size_t at = block_begin(b, BLOCK_STATISTICS);

	buf_add(b, h, sizeof(h));
	put_text(b, OPT_COMMENT, comment);
	put_time(b, ISB_STARTTIME, e->first_ns);
	put_time(b, ISB_ENDTIME, e->last_ns);
	if (first && e->told) {
		put_u64(b, ISB_IFRECV, e->loss.received);
		put_u64(b, ISB_IFDROP, e->loss.dropped_if);
		put_u64(b, ISB_FILTERACCEPT, e->loss.filter_accept);
	}
	if (first && (e->told || e->lost_own))
		put_u64(b, ISB_OSDROP, e->told ? e->loss.dropped_ring : e->lost_own);
	put_u64(b, ISB_USRDELIV, e->written);
	put_option(b, OPT_END, NULL, 0);
	block_end(b, at);
}

/* What stands for interfaces that are not known.  Its link type is that of others: no further one is in the file. */
static struct entry *unknown(struct pcapng_sink *p)
{
	uint16_t link = p->entries ? p->entries[0].link : p->s.opt.link;
	struct entry *e = entry_first(p, NO_ID);

	if (e)
		return e;
	return entry_of(p, NULL, link && link != LINK_SLL2 ? link : LINK_ETHERNET);
}

/* Whose loss it is: the interface of that name, or the one whose losses are told, or the only one. */
static struct entry *entry_of_lost(struct pcapng_sink *p, const struct record *r)
{
	const struct str *name = &r->interface;
	struct entry *e;

	for (unsigned int i = 0; record_has(r, FIELD_INTERFACE) && i < p->n; i++) {
		e = &p->entries[i];
		if (e->iface && strlen(e->iface->name) == name->n &&
		    !memcmp(e->iface->name, name->p, name->n))
			return entry_first(p, e->id);
	}
	if (p->told)
		return entry_first(p, p->told_id);
	return p->n == 1 ? &p->entries[0] : unknown(p);
}

/* Are frames missing from the file because of it?  What was not understood is there. */
static bool frames_missing(const char *stage)
{
	return stage && (!strcmp(stage, lost_stages[LOST_RING]) || !strcmp(stage, lost_stages[LOST_MAP]) ||
			 !strcmp(stage, lost_stages[LOST_SOCKET]));
}

static int lost(struct pcapng_sink *p, const struct record *r)
{
	struct entry *e = entry_of_lost(p, r);
	char text[TEXT_MAX];

	if (!e)
		return fail(ENOMEM, "%s", p->s.out->name);
	if (!p->told && frames_missing(lost_of(r)->stage))
		e->lost_own += lost_of(r)->count;
	snprintf(text, sizeof(text), "lost %" PRIu64 " at %s: %s", lost_of(r)->count,
		 lost_of(r)->stage ? lost_of(r)->stage : "?", lost_of(r)->reason ? lost_of(r)->reason : "?");
	describe(p, e);
	put_statistics(p, e, r->time_ns, text);
	return out_commit(p->s.out);
}

/* Its interface finds no place. */
static int refuse(struct pcapng_sink *p)
{
	p->s.out->records++;
	p->s.out->lost++;
	if (!p->said)
		warn("%s: no room for another interface (%u are described): its frames are left out",
		     p->s.out->name, p->n);
	p->said = true;
	return 0;
}

static int pcapng_record(struct sink *s, const struct record *r)
{
	struct pcapng_sink *p = (struct pcapng_sink *)s;
	const struct frame *f = r->frame;
	struct entry *e;

	if (r->time_ns > p->last_ns)
		p->last_ns = r->time_ns;
	if (!f)
		return r->set == &lost_dataset ? lost(p, r) : 0;
	e = entry_of(p, f->iface, f->link);
	if (!e)
		return refuse(p);
	describe(p, e);
	put_packet(p, e, f);
	return out_commit(s->out);
}

/* An interface has statistics in this file if it is described there, or has losses that no packet told. */
static int pcapng_finish(struct sink *s)
{
	struct pcapng_sink *p = (struct pcapng_sink *)s;
	struct entry *e;
	int rc = 0;

	for (unsigned int i = 0; i < p->n && !rc; i++) {
		e = &p->entries[i];
		if (!e->in_file && (entry_first(p, e->id) != e || losses_of(e) == e->lost_told))
			continue;
		describe(p, e);
		put_statistics(p, e, p->last_ns, NULL);
		rc = out_commit(s->out);
	}
	return rc;
}

void pcapng_loss(struct sink *s, const struct iface *iface, const struct sink_loss *loss)
{
	struct pcapng_sink *p = (struct pcapng_sink *)s;
	struct entry *e = entry_first(p, id_of(iface));

	if (!e)
		e = iface ? entry_of(p, iface, iface->link) : unknown(p);
	if (!e)
		return;
	e->loss = *loss;
	e->told = p->told = true;
	p->told_id = e->id;
}

static void pcapng_free(struct sink *s)
{
	struct pcapng_sink *p = (struct pcapng_sink *)s;

	free(p->entries);
	free(p->by_id);
}

const struct sink_ops sink_pcapng = {
	.name = "pcapng",
	.wants_frames = true,
	.size = sizeof(struct pcapng_sink),
	.open = pcapng_open,
	.record = pcapng_record,
	.finish = pcapng_finish,
	.free = pcapng_free,
};
