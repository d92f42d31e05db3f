// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dhcp_flood and arp_spoof: what goes wrong on one link.
 *
 * An address may move: a lease ends, a card is changed, a cluster fails over.  It is theft when it
 * goes back and forth, when one station takes several addresses from others, or when a station
 * keeps telling others, unasked, that it has an address that was somebody else's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/arp/fields.h"
#include "decode/icmp/fields.h"
#include "detect/detector.h"
#include "identity.h"
#include "util/steady.h"

enum {
	BINDINGS_MAX = 8192, STATIONS_MAX = 2048,
	TAKEN_MIN = 2,			/* addresses that one station took */
	UNASKED_TAKEN_MIN = 3,		/* unasked claims to an address that was another's */
	UNASKED_MIN = 20,		/* to one that nobody was seen to have before */
};

static const uint64_t MEMORY_NS = 300000000000, ASKED_NS = 5000000000;

/* Who has an address. */
struct binding {
	struct table_entry e;
	uint8_t mac[6], thief[6];	/* now; who took it from the first */
	bool has_thief;
	uint64_t claimed_ns, asked_ns, start_ns;
	uint32_t moves, unasked;
};

/* What a station took from others. */
struct station {
	struct table_entry e;
	uint64_t start_ns;
	struct variety taken;
};

struct lan {
	struct table bindings, stations;
	struct {
		uint64_t start_ns, asked;
		struct variety clients, makers;
		uint32_t made_up;		/* clients that are not who they say */
		uint8_t smac[6];
		bool many_senders, has_sender;
	} leases;
};

static void lan_close(void *state)
{
	struct lan *l = state;

	table_close(&l->bindings);
	table_close(&l->stations);
	free(l);
}

static int lan_open(void **state, struct detect *d)
{
	struct lan *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	if (table_open(&l->bindings, sizeof(struct binding), 0, BINDINGS_MAX, 60000000000, detect_seed(d) + 6) ||
	    table_open(&l->stations, sizeof(struct station), 0, STATIONS_MAX, 60000000000, detect_seed(d) + 7)) {
		lan_close(l);
		return -ENOMEM;
	}
	*state = l;
	return 0;
}

static uint64_t lan_evicted(const void *state)
{
	const struct lan *l = state;

	return l->bindings.evicted + l->stations.evicted;
}

/* Addresses that several stations have by turns: VRRP and CARP (RFC 9568), HSRP 1 and 2, GLBP. */
static bool is_shared(const uint8_t mac[6])
{
	static const uint8_t prefixes[][5] = {
		{ 0x00, 0x00, 0x5e, 0x00, 0x01 }, { 0x00, 0x00, 0x5e, 0x00, 0x02 }, { 0x00, 0x00, 0x0c, 0x07, 0xac },
		{ 0x00, 0x00, 0x0c, 0x9f, 0xf0 }, { 0x00, 0x05, 0x73, 0xa0, 0x00 }, { 0x00, 0x07, 0xb4, 0x00, 0x00 },
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!memcmp(prefixes[i], mac, 5))
			return true;
	return false;
}

static bool is_station(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0 && !is_shared(mac);
}

static struct binding *binding_of(struct lan *l, struct detect *d, const struct addr *a, bool *fresh)
{
	uint64_t key[KEY_WORDS];

	key_make(key, a, NULL, 0);
	return table_get(&l->bindings, key, detect_now(d), fresh);
}

static uint64_t mac_word(const uint8_t mac[6])
{
	uint64_t w = 0;

	memcpy(&w, mac, 6);
	return w;
}

static void raise_spoof(struct detect *d, const uint8_t mac[6], const struct addr *victim, uint64_t n,
			uint64_t start_ns, const char *what)
{
	detect_raise(d,
		     &(struct alert){ .rule = RULE_ARP_SPOOF,
				      .smac = mac,
				      .dst = victim,
				      .count = n,
				      .start_ns = start_ns,
				      .same = mac_word(mac) },
		     "%02x:%02x:%02x:%02x:%02x:%02x %s %s", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], what,
		     detect_addr(d, victim));
}

static void took(struct lan *l, struct detect *d, const uint8_t mac[6], const struct addr *a)
{
	uint64_t key[KEY_WORDS];
	struct station *st;
	bool fresh;

	key_make(key, NULL, NULL, mac_word(mac));
	st = table_get(&l->stations, key, detect_now(d), &fresh);
	if (fresh || time_apart(detect_now(d), st->start_ns) > detect_limit(d, RULE_ARP_SPOOF)->window_ns) {
		st->start_ns = detect_now(d);
		variety_clear(&st->taken);
	}
	variety_add(&st->taken, hash_addr(detect_key(d), a));
	if (variety_count(&st->taken) >= TAKEN_MIN)
		raise_spoof(d, mac, a, variety_count(&st->taken), st->start_ns,
			    "took several addresses from others, at last");
}

static void moved(struct lan *l, struct detect *d, struct binding *b, const uint8_t mac[6], const struct addr *a)
{
	const struct detect_limit *lim = detect_limit(d, RULE_ARP_SPOOF);

	if (time_apart(detect_now(d), b->start_ns) > lim->window_ns) {
		b->start_ns = detect_now(d);
		b->moves = 0;
		b->has_thief = false;
	}
	if (!b->has_thief) {
		memcpy(b->thief, mac, 6);
		b->has_thief = true;
		b->unasked = 0;
	}
	b->moves++;
	if (!memcmp(b->thief, mac, 6))
		took(l, d, mac, a);
	if (b->moves >= lim->n)
		raise_spoof(d, b->thief, a, b->moves, b->start_ns, "and another station both claim");
}

/* `told`: in a message to somebody who had not asked for it. */
static void claim(struct lan *l, struct detect *d, const struct addr *a, const uint8_t mac[6], bool told)
{
	uint64_t now_ns = detect_now(d);
	struct binding *b;
	bool fresh, is_thief;

	if (!is_one_host(a) || !is_station(mac))
		return;
	b = binding_of(l, d, a, &fresh);
	if (!b->claimed_ns || now_ns - b->claimed_ns > MEMORY_NS) {
		b->start_ns = now_ns;
		b->moves = b->unasked = 0;
		b->has_thief = false;
	} else if (memcmp(b->mac, mac, 6)) {
		moved(l, d, b, mac, a);
	}
	memcpy(b->mac, mac, 6);
	b->claimed_ns = now_ns;
	if (!told || now_ns - b->asked_ns < ASKED_NS)
		return;
	if (time_apart(now_ns, b->start_ns) > detect_limit(d, RULE_ARP_SPOOF)->window_ns && !b->has_thief) {
		b->start_ns = now_ns;
		b->unasked = 0;
	}
	b->unasked++;
	is_thief = b->has_thief && !memcmp(b->thief, mac, 6);
	if (b->unasked >= (is_thief ? UNASKED_TAKEN_MIN : UNASKED_MIN))
		raise_spoof(d, mac, a, b->unasked, b->start_ns, "tells others, unasked, that it has");
}

/* Whoever claims an address has sent the frame; other stations' claims are passed on by no bridge. */
static bool is_damaged(const struct record *r)
{
	return record_has(r, FIELD_SRC_MAC) && memcmp(r->smac, arp_of(r)->sender_mac, 6) != 0;
}

static void arp_record(struct lan *l, struct detect *d, const struct record *r)
{
	const struct arp_body *arp = arp_of(r);
	bool to_other;
	bool fresh;

	if (!record_has(r, FIELD_ARP_SENDER_IP) || !record_has(r, FIELD_ARP_SENDER_MAC) ||
	    !record_has(r, FIELD_ARP_TARGET_IP) || is_damaged(r) || (arp->opcode != 1 && arp->opcode != 2))
		return;
	to_other = arp->opcode == 2 && memcmp(&arp->sender_ip, &arp->target_ip, sizeof(struct addr)) != 0;
	claim(l, d, &arp->sender_ip, arp->sender_mac, to_other);
	if (arp->opcode == 1 && is_one_host(&arp->target_ip))
		binding_of(l, d, &arp->target_ip, &fresh)->asked_ns = detect_now(d);
}

/* Neighbour discovery (RFC 4861): 135 asks for the target, 136 claims it. */
static void nd_record(struct lan *l, struct detect *d, const struct record *r)
{
	bool fresh;

	if (r->src.family != 6 || !record_has(r, FIELD_ICMP_ND_TARGET))
		return;
	if (icmp_of(r)->type == 135 && is_one_host(&icmp_of(r)->nd_target))
		binding_of(l, d, &icmp_of(r)->nd_target, &fresh)->asked_ns = detect_now(d);
	else if (icmp_of(r)->type == 136 && record_has(r, FIELD_ICMP_ND_LLADDR))
		claim(l, d, &icmp_of(r)->nd_target, icmp_of(r)->nd_lladdr, is_one_host(&r->dst));
}

/* A client that made itself up: not the sender of the frame, or with an address of no maker. */
static bool is_made_up(const struct record *r, const struct identity *id, bool new_maker)
{
	if (!id->relayed && record_has(r, FIELD_SRC_MAC) && memcmp(r->smac, id->mac, 6))
		return true;
	return id->mac[0] & 2 || new_maker;
}

static void lease_wanted(struct lan *l, struct detect *d, const struct record *r, const struct identity *id)
{
	const struct detect_limit *lim = detect_limit(d, RULE_DHCP_FLOOD);
	uint64_t now_ns = detect_now(d), mac;
	bool new_maker;

	if (time_apart(now_ns, l->leases.start_ns) > lim->window_ns)
		memset(&l->leases, 0, sizeof(l->leases));
	if (!l->leases.start_ns)
		l->leases.start_ns = now_ns;
	l->leases.asked++;
	if (record_has(r, FIELD_SRC_MAC)) {
		l->leases.many_senders |= l->leases.has_sender && memcmp(l->leases.smac, r->smac, 6);
		memcpy(l->leases.smac, r->smac, 6);
		l->leases.has_sender = true;
	}
	mac = mac_word(id->mac);
	new_maker = variety_add(&l->leases.makers, hash_words(detect_key(d), (uint64_t[]){ mac & 0xffffff }, 1));
	if (!variety_add(&l->leases.clients, hash_words(detect_key(d), &mac, 1)))
		return;
	l->leases.made_up += is_made_up(r, id, new_maker);
	if (variety_count(&l->leases.clients) < lim->n || l->leases.made_up * 2 < variety_count(&l->leases.clients))
		return;
	detect_raise(d,
		     &(struct alert){ .rule = RULE_DHCP_FLOOD,
				      .smac = l->leases.has_sender && !l->leases.many_senders ? l->leases.smac : NULL,
				      .count = l->leases.asked,
				      .sources = variety_count(&l->leases.clients),
				      .start_ns = l->leases.start_ns },
		     "%u clients asked for addresses in %.1f s, %u of them made up", variety_count(&l->leases.clients),
		     (double)time_apart(now_ns, l->leases.start_ns) / 1e9, l->leases.made_up);
	memset(&l->leases, 0, sizeof(l->leases));
}

static void lan_record(void *state, struct detect *d, const struct record *r)
{
	struct lan *l = state;
	struct identity id = { .wants_address = false };

	if (record_has(r, FIELD_TUNNEL))	/* another link */
		return;
	if (r->set == &arp_dataset || r->set == &icmp_dataset) {
		if (detect_limit(d, RULE_ARP_SPOOF)->on)
			(r->set == &arp_dataset ? arp_record : nd_record)(l, d, r);
	} else if (detect_limit(d, RULE_DHCP_FLOOD)->on && r->set->identify(r, &id) && id.wants_address) {
		lease_wanted(l, d, r, &id);
	}
}

const struct detector lan_detector = {
	.name = "lan",
	.rules = 1u << RULE_DHCP_FLOOD | 1u << RULE_ARP_SPOOF,
	.open = lan_open,
	.close = lan_close,
	.sets = { &arp_dataset, &icmp_dataset },
	.identities = true,
	.record = lan_record,
	.evicted = lan_evicted,
};
