/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DECODE_HELP_H
#define DECODE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "decode/arp/fields.h"
#include "decode/decode.h"
#include "decode/dns/fields.h"
#include "decode/icmp/fields.h"

/* Frames of our making, and what came out of them, as one line of text a record. */

#define SECOND 1000000000ull

enum { LINE_ROOM = 1024 };

struct lines {
	unsigned int n;
	char text[64][LINE_ROOM];
	const struct dataset *set[64];
	struct record last;		/* what it points to is gone */
};

/* The field with that id of that dataset (NULL: a common one), where the record has it. */
static inline void line_add(struct lines *l, const struct record *r, const struct dataset *set, unsigned int f,
			    const char *name)
{
	char *to = l->text[l->n];
	size_t used = strlen(to), room = sizeof(l->text[0]) - used;
	const unsigned int number = set ? field_number(set, f) : f;
	const void *v = record_value(r, number);

	if (!v)
		return;
	switch (field_get(number)->type) {
	case FT_BOOL: snprintf(to + used, room, " %s=%d", name, *(const bool *)v); break;
	case FT_U8: snprintf(to + used, room, " %s=%u", name, *(const uint8_t *)v); break;
	case FT_U16: snprintf(to + used, room, " %s=%u", name, *(const uint16_t *)v); break;
	case FT_U32: snprintf(to + used, room, " %s=%u", name, *(const uint32_t *)v); break;
	case FT_I32: snprintf(to + used, room, " %s=%d", name, *(const int32_t *)v); break;
	case FT_U64:
	case FT_DURATION:
		snprintf(to + used, room, " %s=%llu", name, (unsigned long long)*(const uint64_t *)v);
		break;
	case FT_WORD: snprintf(to + used, room, " %s=%s", name, *(const char *const *)v); break;
	case FT_STR: {
		const struct str *s = v;

		snprintf(to + used, room, " %s=%.*s", name, (int)s->n, s->p);
		break;
	}
	case FT_ADDR: {
		const uint8_t *b = ((const struct addr *)v)->b;

		snprintf(to + used, room, " %s=%u.%u.%u.%u", name, b[0], b[1], b[2], b[3]);
		break;
	}
	case FT_MAC: {
		const uint8_t *b = v;

		snprintf(to + used, room, " %s=%02x%02x%02x%02x%02x%02x", name, b[0], b[1], b[2], b[3],
			 b[4], b[5]);
		break;
	}
	case FT_STRS: {
		const struct list *list = v;
		const struct str *s = list->p;

		for (uint32_t i = 0; i < list->n; i++, used = strlen(to))
			snprintf(to + used, LINE_ROOM - used, i ? ",%.*s%.*s" : " %.*s=%.*s", i ? 0 : (int)strlen(name), name,
				 (int)s[i].n, s[i].p);
		break;
	}
	case FT_U16S: {
		const struct list *list = v;
		const uint16_t *u = list->p;

		for (uint32_t i = 0; i < list->n; i++, used = strlen(to))
			snprintf(to + used, LINE_ROOM - used, i ? ",%.*s%u" : " %.*s=%u", i ? 0 : (int)strlen(name),
				 name, u[i]);
		break;
	}
	default: break;
	}
}

static inline void line_answers(struct lines *l, const struct record *r)
{
	const struct dns_answer *a = dns_of(r)->answers.p;

	for (uint32_t i = 0; i < dns_of(r)->answers.n && i < 3; i++) {
		size_t used = strlen(l->text[l->n]);

		snprintf(l->text[l->n] + used, sizeof(l->text[0]) - used, " [%.*s %.*s %.*s]",
			 (int)a[i].name.n, a[i].name.p, (int)a[i].type.n, a[i].type.p,
			 (int)(a[i].present & 16 ? a[i].data.n : 0), a[i].data.p);
	}
}

static inline int line_of(void *ctx, const struct record *r)
{
	static const struct { const struct dataset *set; unsigned int f; const char *name;
	} shown[] = {
		{ NULL, FIELD_ACTION, "action" },
		{ NULL, FIELD_OUTCOME, "outcome" },
		{ NULL, FIELD_DURATION, "duration" },
		{ NULL, FIELD_FRAME_NUMBER, "frame" },
		{ NULL, FIELD_SRC_PORT, "sport" },
		{ NULL, FIELD_PROTOCOL, "protocol" },
		{ &arp_dataset, FIELD_ARP_OPCODE, "op" },
		{ &arp_dataset, FIELD_ARP_SENDER_IP, "sip" },
		{ &arp_dataset, FIELD_ARP_SENDER_MAC, "smac" },
		{ &arp_dataset, FIELD_ARP_TARGET_IP, "tip" },
		{ &arp_dataset, FIELD_ARP_TARGET_MAC, "tmac" },
		{ &icmp_dataset, FIELD_ICMP_TYPE, "type" },
		{ &icmp_dataset, FIELD_ICMP_CODE, "code" },
		{ &icmp_dataset, FIELD_ICMP_ID, "icmpid" },
		{ &icmp_dataset, FIELD_ICMP_SEQ, "seq" },
		{ &icmp_dataset, FIELD_ICMP_MTU, "mtu" },
		{ &icmp_dataset, FIELD_ICMP_GATEWAY, "gw" },
		{ &icmp_dataset, FIELD_ICMP_ND_TARGET, "target" },
		{ &icmp_dataset, FIELD_ICMP_ND_LLADDR, "lladdr" },
		{ &icmp_dataset, FIELD_ICMP_ORIG_TRANSPORT, "otransport" },
		{ &icmp_dataset, FIELD_ICMP_ORIG_SRC_IP, "osrc" },
		{ &icmp_dataset, FIELD_ICMP_ORIG_SRC_PORT, "osport" },
		{ &icmp_dataset, FIELD_ICMP_ORIG_DST_IP, "odst" },
		{ &icmp_dataset, FIELD_ICMP_ORIG_DST_PORT, "odport" },
		{ &dns_dataset, FIELD_DNS_ID, "id" },
		{ &dns_dataset, FIELD_DNS_OP_CODE, "opcode" },
		{ &dns_dataset, FIELD_DNS_RESPONSE_CODE, "rcode" },
		{ &dns_dataset, FIELD_DNS_QUESTION_NAME, "name" },
		{ &dns_dataset, FIELD_DNS_QUESTION_TYPE, "qtype" },
		{ &dns_dataset, FIELD_DNS_QUESTION_CLASS, "qclass" },
		{ &dns_dataset, FIELD_DNS_QDCOUNT, "qd" },
		{ &dns_dataset, FIELD_DNS_ANCOUNT, "an" },
		{ &dns_dataset, FIELD_DNS_EDNS_UDP_SIZE, "edns" },
		{ NULL, FIELD_MALFORMED, "malformed" },
		{ &drop_dataset, FIELD_DROP_REASON, "reason" },
	};
	struct lines *l = ctx;

	if (l->n == 64)
		return 0;
	snprintf(l->text[l->n], sizeof(l->text[0]), "%s", r->set->name);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		line_add(l, r, shown[i].set, shown[i].f, shown[i].name);
	/* The later protocols' by their own names */
	line_add(l, r, NULL, FIELD_TCP_CONFLICT, "tcp.conflict");
	if (r->set->own && r->set->sections & SECTION_MESSAGE && r->set != &dns_dataset)
		for (unsigned int i = 0; i < r->set->own->n; i++)
			line_add(l, r, r->set, FIELD_OWN + i, r->set->own->rows[i].name);
	if (r->set == &dns_dataset && record_has(r, FIELD_DNS_ANSWERS))
		line_answers(l, r);
	l->set[l->n++] = r->set;
	l->last = *r;
	return 0;
}

struct bytes { uint8_t p[2048]; uint32_t n; };

static inline void put(struct bytes *o, const void *p, uint32_t n)
{
	if (n)
		memcpy(o->p + o->n, p, n);
	o->n += n;
}

#define PUT(o, literal) put((o), "" literal, sizeof(literal) - 1)

static inline void put16(struct bytes *o, uint32_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	put(o, b, 2);
}

static inline void put32(struct bytes *o, uint32_t v)
{
	put16(o, v >> 16);
	put16(o, v & 0xffff);
}

/* Ethernet and IPv4, from 10.0.0.`from` to 10.0.0.`to`; n bytes of payload follow. */
static inline void put_ipv4(struct bytes *o, uint8_t from, uint8_t to, uint8_t proto, uint32_t n)
{
	uint8_t addrs[8] = { 10, 0, 0, from, 10, 0, 0, to }, ttl[2] = { 64, proto };

	PUT(o, "\2\0\0\0\0\2\2\0\0\0\0\1\x08\0\x45\0");
	put16(o, 20 + n);
	PUT(o, "\0\1\0\0");
	put(o, ttl, 2);
	put16(o, 0);
	put(o, addrs, 8);
}

static inline void put_udp(struct bytes *o, uint8_t from, uint8_t to, uint16_t sport, uint16_t dport,
			   const struct bytes *data)
{
	put_ipv4(o, from, to, 17, 8 + data->n);
	put16(o, sport);
	put16(o, dport);
	put16(o, 8 + data->n);
	put16(o, 0);
	put(o, data->p, data->n);
}

static inline void put_tcp(struct bytes *o, uint8_t from, uint8_t to, uint16_t sport, uint16_t dport,
			   uint32_t seq, uint8_t flags, const void *data, uint32_t n)
{
	put_ipv4(o, from, to, 6, 20 + n);
	put16(o, sport);
	put16(o, dport);
	put32(o, seq);
	put32(o, 0);
	put16(o, 0x5000u | flags);
	put16(o, 1000);
	put32(o, 0);
	put(o, data, n);
}

/* Hand a frame with so many bytes captured to the decoder. */
static inline void feed(struct decode *d, struct lines *l, const struct bytes *o, uint32_t cap,
			uint64_t time_ns, uint64_t number)
{
	struct frame f = { .time_ns = time_ns,
			   .number = number,
			   .data = o->p,
			   .cap_len = cap,
			   .len = o->n,
			   .link = 1 };

	assert_int_equal(decode_frame(d, &f, line_of, l), 0);
}

static inline struct decode *decoder(enum decode_mode mode)
{
	struct decode_options opt = { .mode = mode, .seed = 7, .no_answer = true };
	struct decode *d = NULL;

	assert_int_equal(decode_open(&d, &opt), 0);
	return d;
}

static inline double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
