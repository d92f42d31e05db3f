// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdlib.h>

#include "numbers/linktype.h"
#include "source/capfile.h"
#include "util/bytes.h"
#include "util/err.h"

/*
 * The pcap file format (draft-ietf-opsawg-pcap): a 24-byte head, then records
 * of a 16-byte head and the frame.  All integers are in the order of the
 * machine that wrote it, which the magic number shows.
 */
#define MAGIC_US	0xa1b2c3d4u
#define MAGIC_NS	0xa1b23c4du
#define MAGIC_MODIFIED	0xa1b2cd34u	/* Kuznetsov's: 8 bytes more in each record's head */
enum {
	FILE_HEAD = 24,
	RECORD_HEAD = 16,
	MODIFIED_HEAD = 24,		/* … ifindex 4, protocol 2, packet type 1, padding 1 */
	PACKET_OUTGOING_TYPE = 4,	/* PACKET_OUTGOING of linux/if_packet.h */
};

struct pcap {
	bool big;
	unsigned int head;		/* bytes before each frame */
	uint32_t tick_ns;
	uint16_t minor;
	struct iface iface;
};

static bool magic_known(uint32_t magic)
{
	return magic == MAGIC_US || magic == MAGIC_NS || magic == MAGIC_MODIFIED;
}

static bool pcap_mine(const uint8_t *m)
{
	return magic_known(u32_of(m, false)) || magic_known(u32_of(m, true));
}

static int pcap_start(struct capfile *c)
{
	int rc = capfile_need(c, FILE_HEAD);
	const uint8_t *h;
	uint32_t magic;
	struct pcap *p;
	bool big;

	if (rc)
		return capfile_short(c, rc, "its head");
	h = c->buf + c->pos;
	big = !magic_known(u32_of(h, false));
	magic = u32_of(h, big);
	/* 543 is what DG/UX wrote for 2. */
	if (u16_of(h + 4, big) != 2 && u16_of(h + 4, big) != 543)
		return fail(0, "%s: pcap version %u.%u is not known, only 2", c->name,
			    u16_of(h + 4, big), u16_of(h + 6, big));
	p = calloc(1, sizeof(*p));
	if (!p)
		return fail(ENOMEM, "%s", c->name);
	p->big = big;
	p->head = magic == MAGIC_MODIFIED ? MODIFIED_HEAD : RECORD_HEAD;
	p->tick_ns = magic == MAGIC_NS ? 1 : 1000;
	p->minor = u16_of(h + 6, big);
	/* The upper half tells the length of the frame check sequence, if any. */
	p->iface.link = linktype_of_file((uint16_t)u32_of(h + 20, big));
	p->iface.snaplen = u32_of(h + 16, big);
	c->state = p;
	c->pos += FILE_HEAD;
	return 0;
}

/* libpcap: up to 2.2 the two lengths stood the other way round, in 2.3 sometimes. */
static void lengths(const struct pcap *p, const uint8_t *h, uint32_t *cap, uint32_t *len)
{
	uint32_t a = u32_of(h + 8, p->big), b = u32_of(h + 12, p->big);
	bool turned = p->minor < 3 || (p->minor == 3 && a > b);

	*cap = turned ? b : a;
	*len = turned ? a : b;
}

static int pcap_next(struct capfile *c, struct frame *f)
{
	const struct pcap *p = c->state;
	const uint8_t *h;
	uint32_t cap, len;
	int rc = capfile_need(c, p->head);

	if (rc)
		return capfile_short(c, rc, "the head of a record");
	lengths(p, c->buf + c->pos, &cap, &len);
	if (cap > CAPFILE_FRAME_MAX)
		return capfile_bad(
			c, "damaged: a record claims %" PRIu32 " bytes, more than the %d that are possible",
			cap, CAPFILE_FRAME_MAX);
	rc = capfile_need(c, p->head + cap);
	if (rc)
		return capfile_short(c, rc, "a record");
	h = c->buf + c->pos;
	c->pos += p->head + cap;
	*f = (struct frame){
		.time_ns = u32_of(h, p->big) * 1000000000ull +
			   (uint64_t)u32_of(h + 4, p->big) * p->tick_ns,
		.data = h + p->head,
		.cap_len = cap,
		.len = len < cap ? cap : len,
		.link = p->iface.link,
		.iface = &p->iface,
	};
	if (p->head == MODIFIED_HEAD)
		f->direction = h[22] == PACKET_OUTGOING_TYPE ? DIR_EGRESS : DIR_INGRESS;
	return 1;
}

static const struct iface *pcap_iface(const struct capfile *c, unsigned int i)
{
	return i ? NULL : &((const struct pcap *)c->state)->iface;
}

static void pcap_stop(struct capfile *c)
{
	free(c->state);
}

const struct capfile_format capfile_pcap = {
	.one_link = true,
	.mine = pcap_mine,
	.start = pcap_start,
	.next = pcap_next,
	.iface = pcap_iface,
	.stop = pcap_stop,
};
