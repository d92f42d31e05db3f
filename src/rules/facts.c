// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an entry can ask of a frame: the outermost IP header behind its VLAN tags, and the first bytes of what that
 * carries.  tuple.h says the rules, by which the programs read it too.
 */
#include <string.h>

#include "rules/match.h"
#include "tuple_read.h"

static int known(uint32_t v)
{
	return v == NP_NOT_KNOWN ? -1 : (int)v;
}

static void put_be64(uint8_t *p, uint64_t v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void from_tuple(struct facts *f, const struct np_tuple *t)
{
	memset(f, 0, sizeof(*f));
	f->has_mac = t->has_mac;
	put_be64(f->smac, t->smac, 6);
	put_be64(f->dmac, t->dmac, 6);
	f->family = (uint8_t)t->family;
	for (unsigned int i = 0; i < 2; i++) {
		put_be64(f->src + 8 * i, t->src[i], 8);
		put_be64(f->dst + 8 * i, t->dst[i], 8);
	}
	f->proto = known(t->proto);
	f->sport = known(t->sport);
	f->dport = known(t->dport);
	f->icmp_type = known(t->icmp_type);
	f->fragment = t->fragment;
	f->first = t->first;
	f->more = t->more;
	f->frag_id = t->frag_id;
	f->reason = np_reason_of(t->reading);
}

void facts_read(struct facts *f, const uint8_t *frame, uint32_t n)
{
	struct np_tuple t;

	tuple_read(&t, frame, n, n);
	from_tuple(f, &t);
}

void facts_read_ip(struct facts *f, const uint8_t *packet, uint32_t n)
{
	struct np_tuple t;

	tuple_read_l3(&t, packet, n, n);
	from_tuple(f, &t);
}
