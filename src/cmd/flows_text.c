// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/flows_text.h"

#include <stdio.h>
#include <string.h>

#include "flows/fields.h"
#include "util/addr.h"
#include "util/units.h"

enum {
	FIXED = 4 + 1 + 8 + 5 * 1 + 3 * 6,	/* proto, state, gaps, sent, received, rtt */
	MORE = 2 * (1 + 6),			/* packets, age */
	RATE = 1 + 6,				/* one of bits, packets per second */
	END_MIN = 12, END_USUAL = 21, END_MAX = 47,	/* [IPv6]:port */
};

void text_span(char out[8], uint64_t ns)
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = { { 1e3, "us" }, { 1e6, "ms" }, { 1e9, "s" }, { 60e9, "m" }, { 3600e9, "h" }, { 86400e9, "d" } };
	unsigned int u = 0;
	double v;

	while (u < 5 && (double)ns >= units[u + 1].ns)
		u++;
	v = (double)ns / units[u].ns;
	if (v > 99999)
		v = 99999;
	snprintf(out, 8, v < 9.95 ? "%.1f%s" : "%.0f%s", v, units[u].unit);
}

/* "address:port", an IPv6 address in brackets; cut in the address, for the port tells more. */
static void put_end(struct buf *b, const struct addr *a, bool has_port, uint16_t port, unsigned int width)
{
	char text[80], tail[8] = "";
	unsigned int n = addr_text(text + 1, a), from = has_port && a->family == 6 ? 0 : 1, end = n + 1, tail_n = 0;

	text[0] = '[';
	if (!from)
		text[end++] = ']';
	if (has_port)
		tail_n = (unsigned int)snprintf(tail, sizeof(tail), ":%u", port);
	n = end - from;
	if (n + tail_n > width) {
		n = width > tail_n + 1 ? width - tail_n - 1 : 1;
		text[from + n++] = '~';
	}
	buf_add(b, text + from, n);
	buf_add(b, tail, tail_n);
	for (n += tail_n; n < width; n++)
		buf_chr(b, ' ');
}

struct layout {
	unsigned int end;
	bool more, pps;
};

static struct layout layout_of(const struct flows_text *t)
{
	struct layout l = { END_USUAL, true, t->rates };
	unsigned int room = FIXED + (t->rates ? RATE : 0u);

	if (!t->width)
		return l;
	l.more = t->width >= room + 2 * END_USUAL + MORE;
	l.pps = t->rates && l.more && t->width >= room + 2 * END_USUAL + MORE + RATE;
	room += (l.more ? MORE : 0u) + (l.pps ? RATE : 0u);
	l.end = t->width > room + 2 * END_MIN ? (t->width - room) / 2 : END_MIN;
	if (l.end > END_MAX)
		l.end = END_MAX;
	return l;
}

static const char *short_state(const char *state)
{
	static const char *const names[][2] = {
		{ "established", "estab" }, { "syn_sent", "syn-sent" }, { "syn_received", "syn-recv" },
		{ "one_way", "one-way" }, { "two_way", "two-way" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(state, names[i][0]))
			return names[i][1];
	return state;
}

/* What is worth a second look, behind the columns. */
static void put_notes(struct buf *b, const struct record *r)
{
	const struct flow_body *f = flow_of(r);
	const char *const *tunnel = r->tunnel.p;
	uint64_t again = (uint64_t)f->side[0].retransmissions + f->side[1].retransmissions;
	uint64_t overtaken = (uint64_t)f->side[0].out_of_order + f->side[1].out_of_order;
	unsigned int closed = f->side[0].zero_windows + f->side[1].zero_windows;
	char n[8];

	for (uint32_t i = 0; record_has(r, FIELD_TUNNEL) && i < r->tunnel.n; i++)
		buf_fmt(b, "%s%s", i ? "," : " in ", tunnel[i]);
	text_count(n, again);
	if (again)
		buf_fmt(b, " retrans:%s", n);
	text_count(n, overtaken);
	if (overtaken)
		buf_fmt(b, " reordered:%s", n);
	if (closed)
		buf_fmt(b, " zero-window:%u", closed);
	if (record_has(r, FIELD_FLOW_END) && (!strcmp(f->end_reason, "evicted") || !strcmp(f->end_reason, "active")))
		buf_fmt(b, " %s", f->end_reason);
}

void flows_titles(const struct flows_text *t, struct buf *b)
{
	struct layout l = layout_of(t);

	buf_fmt(b, "%-4s %-8s %-*s %-*s", "", "STATE", (int)l.end, "SOURCE", (int)l.end, "DESTINATION");
	if (t->rates)
		buf_fmt(b, " %6s", "BIT/S");
	if (l.pps)
		buf_fmt(b, " %6s", "PPS");
	buf_fmt(b, " %6s %6s %6s", "SENT", "RECVD", "RTT");
	if (l.more)
		buf_fmt(b, " %6s %6s", "PKTS", "TIME");
}

void flows_screen_titles(void *text, unsigned int width, struct buf *b)
{
	struct flows_text *t = text;

	t->width = width;
	flows_titles(t, b);
}

/* A table for each interval: its time, then the titles. */
static void begin_interval(struct flows_text *t, uint64_t ns, struct buf *b)
{
	if (!t->tables || ns == t->told_ns)
		return;
	if (t->told_ns)
		buf_chr(b, '\n');
	t->told_ns = ns;
	if (buf_room(b, TIME_TEXT_MAX))
		b->n += time_local(&t->time, b->p + b->n, ns);
	buf_chr(b, '\n');
	flows_titles(t, b);
	buf_chr(b, '\n');
}

static void put_rates(struct buf *b, const struct record *r, const struct layout *l)
{
	char bps[8] = "-", pps[8] = "-";

	if (record_has(r, FIELD_FLOW_BPS)) {
		text_count(bps, flow_of(r)->bps);
		text_count(pps, flow_of(r)->pps);
	}
	buf_fmt(b, " %6s", bps);
	if (l->pps)
		buf_fmt(b, " %6s", pps);
}

void flows_line(void *text, const struct record *r, struct buf *b)
{
	struct flows_text *t = text;
	struct layout l = layout_of(t);
	char sent[8], received[8], rtt[8] = "-", packets[8], age[8] = "-";

	if (t->header) {
		flows_titles(t, b);
		buf_chr(b, '\n');
		t->header = false;
	}
	begin_interval(t, r->time_ns, b);
	text_count(sent, flow_of(r)->side[0].bytes);
	text_count(received, flow_of(r)->side[1].bytes);
	text_count(packets, flow_of(r)->packets);
	if (r->duration_ns)
		text_span(age, r->duration_ns);
	if (record_has(r, FIELD_TCP_RTT))
		text_span(rtt, flow_of(r)->rtt_ns);
	buf_fmt(b, "%-4.4s %-8s ", !strcmp(r->transport, "ipv6-icmp") ? "icmp6" : r->transport,
		short_state(flow_of(r)->state));
	put_end(b, &r->src, record_has(r, FIELD_SRC_PORT), r->sport, l.end);
	buf_chr(b, ' ');
	put_end(b, &r->dst, record_has(r, FIELD_DST_PORT), r->dport, l.end);
	if (t->rates)
		put_rates(b, r, &l);
	buf_fmt(b, " %6s %6s %6s", sent, received, rtt);
	if (l.more) {
		buf_fmt(b, " %6s %6s", packets, age);
		put_notes(b, r);
	}
}
