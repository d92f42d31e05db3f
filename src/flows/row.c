// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/row.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

#include "flows/fields.h"
#include "numbers/ipproto.h"
#include "util/bytes.h"
#include "util/unwritten.h"

/* The Community ID of Corelight: the ends in order, as the key has them. */
bool flow_community_id(char out[32], const struct flow_key *k)
{
	bool with_ports = k->has_ports && (k->proto == PROTO_TCP || k->proto == PROTO_UDP || k->proto == PROTO_SCTP);
	size_t n = k->version == 4 ? 4 : 16;
	const uint8_t seed[2] = { 0 }, proto[2] = { k->proto, 0 };
	uint8_t digest[SHA1_DIGEST_SIZE], ports[4];
	struct sha1_ctx c;

	if (k->proto == PROTO_ICMP || k->proto == PROTO_ICMPV6 || k->tunnel)
		return false;
	sha1_init(&c);
	sha1_update(&c, sizeof(seed), seed);
	sha1_update(&c, n, k->addr[0]);
	sha1_update(&c, n, k->addr[1]);
	sha1_update(&c, sizeof(proto), proto);
	put_be16(ports, k->port[0]);
	put_be16(ports + 2, k->port[1]);
	if (with_ports)
		sha1_update(&c, sizeof(ports), ports);
	check_written(k, sizeof(*k));
	sha1_digest(&c, sizeof(digest), digest);
	written(digest, sizeof(digest));
	memcpy(out, "1:", 2);
	base64_encode_raw(out + 2, sizeof(digest), digest);
	written(out + 2, BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE));
	out[2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE)] = '\0';
	return true;
}

static void put_flags(char out[9], uint8_t flags)
{
	static const char letters[] = "CEUAPRSF";

	for (unsigned int i = 0; i < 8; i++)
		if (flags & 0x80 >> i)
			*out++ = letters[i];
	*out = '\0';
}

static void put_side(struct flow_row *row, struct record *r, const struct flow *f, unsigned int i)
{
	enum { FIELDS_OF_A_SIDE = FIELD_SRC_RESETS - FIELD_SRC_PACKETS + 1 };
	const struct flow_side *s = &f->side[i ? !f->initiator : f->initiator];
	unsigned int first = i ? FIELD_DST_PACKETS : FIELD_SRC_PACKETS, n = 2;
	unsigned int handshake = i ? FIELD_DST_HANDSHAKE_RTT : FIELD_SRC_HANDSHAKE_RTT;

	_Static_assert(FIELD_DST_RESETS - FIELD_DST_PACKETS + 1 == FIELDS_OF_A_SIDE, "both ends have the same fields");
	flow_of(r)->side[i].packets = s->packets;
	flow_of(r)->side[i].bytes = s->bytes;
	flow_of(r)->side[i].ttl = s->ttl_min;
	flow_of(r)->side[i].dscp = s->tos >> 2;
	put_flags(row->tcp_flags[i], s->tcp_flags);
	flow_of(r)->side[i].tcp_flags = row->tcp_flags[i];
	flow_of(r)->side[i].handshake_ns = s->handshake_us * 1000ull;
	flow_of(r)->side[i].retransmissions = s->retransmissions;
	flow_of(r)->side[i].out_of_order = s->out_of_order;
	flow_of(r)->side[i].zero_windows = s->zero_windows;
	flow_of(r)->side[i].resets = s->resets;
	if (s->packets)
		n = f->key.proto == PROTO_TCP ? FIELDS_OF_A_SIDE : 4;
	for (unsigned int j = 0; j < n; j++)
		if (first + j != handshake || s->handshake_us)
			record_mark(r, first + j);
}

static void put_times(struct record *r, const struct flow *f)
{
	uint32_t rtt = flow_rtt_us(f), handshake = flow_handshake_us(f);

	r->start_ns = f->start_ns;
	r->end_ns = r->time_ns = f->last_ns;
	r->duration_ns = f->last_ns - f->start_ns;
	record_mark(r, FIELD_START);
	record_mark(r, FIELD_END);
	record_mark(r, FIELD_DURATION);
	if (handshake) {
		flow_of(r)->handshake_ns = handshake * 1000ull;
		record_mark(r, FIELD_TCP_HANDSHAKE_RTT);
	}
	if (rtt) {
		flow_of(r)->rtt_ns = rtt * 1000ull;
		record_mark(r, FIELD_TCP_RTT);
	}
}

static void put_key(struct flow_row *row, struct record *r, const struct flow *f)
{
	const struct flow_key *k = &f->key;
	const struct tunnel_list *l = &row->tunnels->v[k->tunnel];

	r->src = flow_addr(k, f->initiator);
	r->dst = flow_addr(k, !f->initiator);
	record_mark(r, FIELD_SRC_IP);
	record_mark(r, FIELD_DST_IP);
	if (k->has_ports) {
		r->sport = k->port[f->initiator];
		r->dport = k->port[!f->initiator];
		record_mark(r, FIELD_SRC_PORT);
		record_mark(r, FIELD_DST_PORT);
	}
	r->net_type = k->version == 4 ? "ipv4" : "ipv6";
	r->iana_number = k->proto;
	record_mark(r, FIELD_NET_TYPE);
	record_mark(r, FIELD_IANA);
	if (k->tunnel) {
		r->tunnel = (struct list){ l->name, l->n };
		record_mark(r, FIELD_TUNNEL);
	}
	if (f->vlans) {
		r->vlan = (struct list){ f->vlan, f->vlans };
		record_mark(r, FIELD_VLAN);
	}
	if (!flow_community_id(row->community_id, k))
		return;
	flow_of(r)->community_id = (struct str){ row->community_id, (uint32_t)strlen(row->community_id) };
	record_mark(r, FIELD_COMMUNITY_ID);
}

void flow_record(struct flow_row *row, struct record *r, const struct flow *f)
{
	record_start(r, &flow_dataset);
	put_times(r, f);
	put_key(row, r, f);
	put_side(row, r, f, 0);
	put_side(row, r, f, 1);
	flow_of(r)->packets = f->side[0].packets + f->side[1].packets;
	flow_of(r)->bytes = f->side[0].bytes + f->side[1].bytes;
	record_mark(r, FIELD_NET_PACKETS);
	record_mark(r, FIELD_NET_BYTES);
	flow_of(r)->state = flow_state_names[f->state];
	record_mark(r, FIELD_FLOW_STATE);
	if (f->end != FLOW_LIVES) {
		flow_of(r)->end_reason = flow_end_names[f->end];
		record_mark(r, FIELD_FLOW_END);
	}
}
