// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/live.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pcap/pcap.h>

#include "numbers/linktype.h"
#include "tags.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { SNAP_MAX = 262144, WAIT_MS = 10 };

struct live {
	struct source s;
	struct live_config cfg;
	pcap_t *pcap;
	uint16_t link;
	uint64_t number, read, rejected;
	uint64_t seen, lost;		/* by the kernel, which starts again when asked */
	frame_fn fn;			/* of the read under way */
	void *ctx;
	int stopped;
};

static struct live *live_of(const struct source *s)
{
	return (struct live *)s;
}

static uint8_t direction(const struct live *l)
{
	if (l->cfg.ingress == l->cfg.egress)
		return DIR_UNKNOWN;
	return l->cfg.ingress ? DIR_INGRESS : DIR_EGRESS;
}

static void one_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct live *l = (struct live *)(void *)user;
	struct frame f;

	if (l->stopped)		/* pcap_breakloop() would write to a descriptor */
		return;
	f = (struct frame){
		.time_ns = (uint64_t)h->ts.tv_sec * 1000000000 + (uint64_t)h->ts.tv_usec,
		.number = l->number + 1,
		.data = data,
		.cap_len = h->caplen,
		.len = h->len < h->caplen ? h->caplen : h->len,
		.link = l->link,
		.direction = direction(l),
		.iface = l->cfg.iface,
	};

	if (l->cfg.match && !l->cfg.match(l->cfg.ctx, &f)) {
		l->rejected++;
		return;
	}
	l->number++;
	l->read++;
	l->stopped = l->fn(l->ctx, &f);
}

static int live_read(struct source *s, unsigned int budget, frame_fn fn, void *ctx)
{
	struct live *l = live_of(s);
	uint64_t before = l->read;
	int n;

	l->fn = fn;
	l->ctx = ctx;
	l->stopped = 0;
	n = pcap_dispatch(l->pcap, budget > 65536 ? 65536 : (int)budget, one_frame, (u_char *)l);
	if (l->stopped) {
		s->stop = l->stopped;
		return SOURCE_STOPPED;
	}
	if (n == PCAP_ERROR)
		return fail(0, "%s is gone or cannot be read: %s", l->cfg.iface->name, pcap_geterr(l->pcap)), -EIO;
	return (int)(l->read - before);
}

/* The kernel retires a block of its ring at the latest after WAIT_MS, and then the descriptor is readable. */
static int live_arm(struct source *s)
{
	return 0;
}

static int live_counts(struct source *s, struct source_counts *c)
{
	struct live *l = live_of(s);
	struct tpacket_stats_v3 st = { 0 };
	socklen_t size = sizeof(st);

	if (getsockopt(pcap_fileno(l->pcap), SOL_PACKET, PACKET_STATISTICS, &st, &size) == 0) {
		l->seen += st.tp_packets;	/* with those it had no room for */
		l->lost += st.tp_drops;
	}
	*c = (struct source_counts){
		.seen = l->seen,
		.filtered = l->rejected,
		.emitted = l->seen - l->lost - l->rejected,
		.lost_other = l->lost,
		.read = l->read,
	};
	return 0;
}

static void live_tick(struct source *s)
{
}

static void live_close(struct source *s)
{
	struct live *l = live_of(s);

	if (l->pcap)
		pcap_close(l->pcap);
	free(l);
}

static const struct source_ops live_ops = {
	.name = "packet",
	.read = live_read,
	.arm = live_arm,
	.counts = live_counts,
	.tick = live_tick,
	.close = live_close,
};

/*
 * Frames with a VLAN tag, beside the data or (sent by a device that does not insert it) in them, pass the
 * sieve: libpcap's meaning of the expression is right for those without.
 */
static void sieve(struct live *l)
{
#define PROTO(tag) "ether proto " #tag
	static const char tagged[] = NP_VLAN_TYPES(PROTO, " or ") " or vlan";
#undef PROTO
	const struct live_config *cfg = &l->cfg;
	owned_mem char *text = NULL;
	struct bpf_program prog;

	if (!cfg->expression || !*cfg->expression || cfg->inner || cfg->strict || l->link != LINK_ETHERNET)
		return;
	if (asprintf(&text, "(%s) or %s", cfg->expression, tagged) < 0) {
		text = NULL;
		return;
	}
	if (pcap_compile(l->pcap, &prog, text, 1, PCAP_NETMASK_UNKNOWN))
		return;
	if (pcap_setfilter(l->pcap, &prog))	/* dear, not wrong: it is evaluated here too */
		note("%s: the kernel takes no filter: %s", cfg->iface->name, pcap_geterr(l->pcap));
	pcap_freecode(&prog);
}

static int refused(struct live *l, int err)
{
	const char *name = l->cfg.iface->name, *text = pcap_geterr(l->pcap);

	if (err == PCAP_ERROR_PERM_DENIED)
		return fail(EPERM, "%s: a packet socket needs %s; " CAPS_REMEDY, name, caps_name(NEED_NET_RAW));
	if (err == PCAP_ERROR_NO_SUCH_DEVICE)
		return fail(ENODEV, "%s", name);
	return fail(0, "%s: %s", name, *text ? text : pcap_statustostr(err)), -EIO;
}

static int activate(struct live *l)
{
	const struct live_config *cfg = &l->cfg;
	uint64_t bytes = cfg->buffer_bytes ? cfg->buffer_bytes : 4 << 20;
	char why[PCAP_ERRBUF_SIZE];
	int err;

	err = pcap_set_snaplen(l->pcap, cfg->iface->snaplen ? (int)cfg->iface->snaplen : SNAP_MAX);
	if (!err)
		err = pcap_set_promisc(l->pcap, cfg->promisc);
	if (!err)
		err = pcap_set_timeout(l->pcap, WAIT_MS);
	if (!err)
		err = pcap_set_buffer_size(l->pcap, bytes > 1u << 30 ? 1 << 30 : (int)bytes);
	if (!err)
		err = pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO);
	if (!err)
		err = pcap_activate(l->pcap);
	if (err < 0)
		return refused(l, err);
	if (pcap_setnonblock(l->pcap, 1, why))
		return fail(0, "%s: %s", cfg->iface->name, why), -EIO;
	if (cfg->ingress != cfg->egress && pcap_setdirection(l->pcap, cfg->ingress ? PCAP_D_IN : PCAP_D_OUT))
		return refused(l, PCAP_ERROR);
	l->link = linktype_of_dlt(pcap_datalink(l->pcap));
	l->s.fd = pcap_get_selectable_fd(l->pcap);
	sieve(l);
	return 0;
}

int live_open(struct source **out, const struct live_config *cfg)
{
	struct live *l = calloc(1, sizeof(*l));
	char why[PCAP_ERRBUF_SIZE];
	int err;

	if (!l)
		return fail(ENOMEM, "%s", cfg->iface->name);
	l->s.ops = &live_ops;
	l->cfg = *cfg;
	l->pcap = pcap_create(cfg->iface->name, why);
	if (!l->pcap) {
		live_close(&l->s);
		return fail(0, "%s: %s", cfg->iface->name, why), -EIO;
	}
	err = activate(l);
	if (err) {
		live_close(&l->s);
		return err;
	}
	*out = &l->s;
	return 0;
}

uint16_t live_link(const struct source *s)
{
	return live_of(s)->link;
}
