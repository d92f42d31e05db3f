// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "frame.h"
#include "numbers/linktype.h"
#include "sink/out.h"
#include "sink/sink.h"
#include "util/bytes.h"
#include "util/err.h"

/*
 * pcap with nanoseconds (magic a1b23c4d), in the order of this machine.  The
 * kernel stamps in nanoseconds and microseconds would reorder packets for
 * whoever merges files; libpcap reads it since 1.5 (2013), Wireshark always did.
 *
 * A file has one link type.  The one of the options, or when that is 0, of the
 * first frame.  Frames of another kind go in where that changes no byte of the
 * packet: raw IP of either version into raw IP, Ethernet and raw IP into Linux
 * cooked v2, which keeps the interface.  Others are counted as lost, and so are
 * times that do not fit: the format has 32 bits for seconds.
 */
#define MAGIC_NS 0xa1b23c4du
enum {
	SNAPLEN_MAX = 262144, /* libpcap refuses a file with longer records */
	ETHERNET_HEAD = 14,
	COOKED2_HEAD = 20,
	ARPHRD_ETHERNET = 1,
	ARPHRD_WITHOUT = 0xfffe,
	PROTOCOL_NOVELL = 1,
	PROTOCOL_LLC = 4, /* linux/if_ether.h: ETH_P_802_3, ETH_P_802_2 */
	TYPE_HOST = 0,
	TYPE_BROADCAST = 1,
	TYPE_MULTICAST = 2,
	TYPE_OUTGOING = 4,
};

struct pcap_sink {
	struct sink s;
	uint16_t link;			/* once `known`: 0 is BSD loopback then */
	bool known;
	bool headed;			/* this file has its head */
	bool said, late_said;
	uint64_t refused;
};

struct record_head {
	uint32_t sec, nsec, cap_len, len;
};

static uint32_t snaplen(const struct sink *s)
{
	return s->opt.snaplen && s->opt.snaplen < SNAPLEN_MAX ? s->opt.snaplen : SNAPLEN_MAX;
}

static void head_put(struct pcap_sink *p)
{
	struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snaplen, link;
	} h = {
		.magic = MAGIC_NS,
		.major = 2,
		.minor = 4,
		.snaplen = snaplen(&p->s),
		.link = p->link,
	};

	buf_add(&p->s.out->buf, &h, sizeof(h));
	p->headed = true;
}

static void link_is(struct pcap_sink *p, uint16_t link)
{
	p->link = link;
	p->known = true;
}

/* Not before the link type is known: the first frame's, when nobody said. */
static int pcap_open(struct sink *s)
{
	struct pcap_sink *p = (struct pcap_sink *)s;

	p->headed = false;
	if (!p->known && s->opt.link)
		link_is(p, s->opt.link);
	if (!p->known)
		return 0;
	head_put(p);
	return out_commit(s->out);
}

static bool raw_ip(uint16_t link)
{
	return link == LINK_RAW || link == LINK_IPV4 || link == LINK_IPV6;
}

static uint8_t packet_type(const struct frame *f)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (f->direction == DIR_EGRESS)
		return TYPE_OUTGOING;
	if (f->link != LINK_ETHERNET)
		return TYPE_HOST;
	if (!memcmp(f->data, broadcast, sizeof(broadcast)))
		return TYPE_BROADCAST;
	return f->data[0] & 1 ? TYPE_MULTICAST : TYPE_HOST;
}

/* The EtherType; Linux has numbers of its own for frames with a length in its place. */
static unsigned int ethernet_protocol(const struct frame *f)
{
	unsigned int type = be16(f->data + 12);

	if (type >= 0x600)
		return type;
	if (f->cap_len >= ETHERNET_HEAD + 2 && f->data[14] == 0xff && f->data[15] == 0xff)
		return PROTOCOL_NOVELL;
	return PROTOCOL_LLC;
}

/*
 * LINKTYPE_LINUX_SLL2: protocol 2, zero 2, interface index 4, ARPHRD 2, packet
 * type 1, address length 1, sender's address 8; network order.  Returns the
 * bytes of the frame that it stands for, or -1.
 */
static int cooked2(const struct frame *f, uint8_t h[COOKED2_HEAD])
{
	uint32_t ifindex = f->iface ? f->iface->ifindex : 0;

	memset(h, 0, COOKED2_HEAD);
	put_be32(h + 4, ifindex);
	if (f->link == LINK_ETHERNET && f->cap_len >= ETHERNET_HEAD) {
		put_be16(h, ethernet_protocol(f));
		put_be16(h + 8, ARPHRD_ETHERNET);
		h[10] = packet_type(f);
		h[11] = 6;
		memcpy(h + 12, f->data + 6, 6);
		return ETHERNET_HEAD;
	}
	if (!raw_ip(f->link) || !f->cap_len)
		return -1;
	put_be16(h, f->data[0] >> 4 == 6 ? 0x86dd : 0x0800);
	put_be16(h + 8, ARPHRD_WITHOUT);
	h[10] = packet_type(f);
	return 0;
}

/* The bytes to put before the frame in `extra`, how many of it to leave out in *skip.
 * False when the frame cannot go into this file. */
static bool fit(const struct pcap_sink *p, const struct frame *f, uint8_t *head, uint32_t *extra,
		uint32_t *skip)
{
	int n;

	*extra = *skip = 0;
	if (f->link == p->link || (p->link == LINK_RAW && raw_ip(f->link)))
		return true;
	if (p->link != LINK_SLL2)
		return false;
	n = cooked2(f, head);
	if (n < 0)
		return false;
	*extra = COOKED2_HEAD;
	*skip = (uint32_t)n;
	return true;
}

static int refuse(struct pcap_sink *p, const struct frame *f)
{
	p->refused++;
	p->s.out->records++;
	p->s.out->lost++;
	if (!p->said)
		warn("%s: frames of link type %u do not go into a pcap file of type %u; --pcapng takes both",
		     p->s.out->name, f->link, p->link);
	p->said = true;
	return 0;
}

static int refuse_late(struct pcap_sink *p)
{
	p->s.out->records++;
	p->s.out->lost++;
	if (!p->late_said)
		warn("%s: frames after 2106-02-07T06:28:15Z do not go into a pcap file and are left out; "
		     "--pcapng takes them", p->s.out->name);
	p->late_said = true;
	return 0;
}

static int pcap_record(struct sink *s, const struct record *r)
{
	struct pcap_sink *p = (struct pcap_sink *)s;
	const struct frame *f = r->frame;
	uint32_t extra, skip, n, cap;
	struct record_head h;
	uint8_t head[COOKED2_HEAD];

	if (!f)
		return 0;
	if (!p->known)
		link_is(p, f->link);
	if (!fit(p, f, head, &extra, &skip))
		return refuse(p, f);
	if (f->time_ns / 1000000000 > UINT32_MAX)
		return refuse_late(p);
	if (!p->headed)
		head_put(p);
	n = f->cap_len - skip;
	cap = snaplen(s);
	if (extra > cap)
		extra = cap;
	if (n > cap - extra)
		n = cap - extra;
	h = (struct record_head){
		.sec = (uint32_t)(f->time_ns / 1000000000),
		.nsec = (uint32_t)(f->time_ns % 1000000000),
		.cap_len = extra + n,
		.len = f->len - skip + extra,
	};
	buf_add(&s->out->buf, &h, sizeof(h));
	buf_add(&s->out->buf, head, extra);
	buf_add(&s->out->buf, f->data + skip, n);
	return out_commit(s->out);
}

/* A file without a frame is a capture file all the same. */
static int pcap_finish(struct sink *s)
{
	struct pcap_sink *p = (struct pcap_sink *)s;

	if (p->refused)
		warn("%s: %llu frames of another link type were left out", s->out->name,
		     (unsigned long long)p->refused);
	p->refused = 0;
	if (p->headed)
		return 0;
	if (!p->known)
		link_is(p, LINK_ETHERNET);
	head_put(p);
	return out_commit(s->out);
}

const struct sink_ops sink_pcap = {
	.name = "pcap",
	.wants_frames = true,
	.size = sizeof(struct pcap_sink),
	.open = pcap_open,
	.record = pcap_record,
	.finish = pcap_finish,
};
