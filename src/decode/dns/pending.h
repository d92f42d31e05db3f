/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_DNS_PENDING_H
#define NETPROBE_DECODE_DNS_PENDING_H

#include "decode/decode.h"
#include "decode/dns/dns.h"

/*
 * Queries that wait for their response.  mDNS is left out: nobody need answer it, and its
 * answers come to everybody.  An LLMNR query goes to a group, so whoever answers answers it.
 * The first question counts as much as the id; case does not (draft-vixie-dnsext-dns0x20).  A
 * message that shows none is of the one with its id, if there is but one.
 */
enum dns_protocol { DNS_PLAIN, DNS_MULTICAST, DNS_LINK_LOCAL };
extern const char *const dns_protocol_names[];

struct dns_pending;

int  dns_pending_open(struct dns_pending **out, const struct decode_options *opt);
void dns_pending_close(struct dns_pending *p);
/*
 * A query, and its record as far as packet_record() filled it: it gets event.duration when its
 * response was heard of before it.
 */
void dns_pending_asked(struct dns_pending *p, struct record *r, const struct packet *pk,
		       enum dns_protocol protocol, const struct dns_parts *d);
/* A response: did its query wait, and how long?  first: it stays, for all of the response. */
bool dns_pending_answered(struct dns_pending *p, const struct packet *pk, enum dns_protocol protocol,
			  const struct dns_parts *d, bool first, uint64_t *duration_ns);
/* Give no_answer records for queries that have waited too long at `now_ns`, if wanted. */
void dns_pending_tick(struct dns_pending *p, uint64_t now_ns, struct emit *e);
/* No more frames will come; a last tick follows. */
void dns_pending_end(struct dns_pending *p);
uint64_t dns_pending_evicted(const struct dns_pending *p);

#endif
