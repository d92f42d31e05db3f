// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "decode/dns/dns.h"
#include "util/addr.h"

enum { A_BIT_DATA = 4, A_BIT_LIST = 5 };	/* rows of dns_answer_items */

enum type {
	T_A = 1, T_NS = 2, T_CNAME = 5, T_SOA = 6, T_PTR = 12, T_MX = 15, T_TXT = 16,
	T_AAAA = 28, T_SRV = 33, T_DNAME = 39, T_SVCB = 64, T_HTTPS = 65, T_SPF = 99, T_URI = 256, T_CAA = 257,
};

static void set_data(struct dns_answer *a, const char *p, uint32_t n)
{
	a->data = (struct str){ p, n };
	a->present |= 1u << A_BIT_DATA;
}

static void address(struct dns_parts *d, const uint8_t *p, uint32_t n, struct dns_answer *a)
{
	struct addr ad = { .family = n == 4 ? 4 : 6 };
	char *text = dns_keep_text(d, ADDR_TEXT_MAX);

	if (!text)
		return;
	memcpy(ad.b, p, n);
	set_data(a, text, addr_text(text, &ad));
}

/* `skip` bytes as decimal numbers of 16 bits, then a name: NS, MX, SRV, SVCB … */
static void numbers_and_name(struct dns_parts *d, const struct dns_msg *m, uint32_t at, uint32_t end,
			     unsigned int numbers, struct dns_answer *a)
{
	uint32_t name_at = at + 2 * numbers, n = 0;
	struct dns_name name;
	char *text;

	if (end - at < 2 * numbers || dns_reach(m, at, 2 * numbers) || dns_name_read(m, &name_at, end, &name))
		return;
	text = dns_keep_text(d, DNS_NAME_MAX + 18);
	if (!text)
		return;
	for (unsigned int i = 0; i < numbers; i++)
		n += (uint32_t)snprintf(text + n, 7, "%u ", be16(m->p + at + 2 * i));
	n += dns_name_text(text + n, &name);
	d->n_text -= DNS_NAME_MAX + 18 - n;
	set_data(a, text, n);
}

/* RFC 1035, 3.3.13: MNAME, RNAME, then SERIAL and four more numbers. */
static void soa(struct dns_parts *d, const struct dns_msg *m, uint32_t at, uint32_t end, struct dns_answer *a)
{
	struct dns_name mname, rname;
	uint32_t n;
	char *text;

	if (dns_name_read(m, &at, end, &mname) || dns_name_read(m, &at, end, &rname))
		return;
	if (end - at < 4 || dns_reach(m, at, 4))
		return;
	text = dns_keep_text(d, 2 * DNS_NAME_MAX + 14);
	if (!text)
		return;
	n = dns_name_text(text, &mname);
	text[n++] = ' ';
	n += dns_name_text(text + n, &rname);
	n += (uint32_t)snprintf(text + n, 12, " %u", be32(m->p + at));
	d->n_text -= 2 * DNS_NAME_MAX + 14 - n;
	set_data(a, text, n);
}

/* RFC 1035, 3.3.14: one or more character-strings, a length byte before each. */
static void strings(struct dns_parts *d, const struct dns_msg *m, uint32_t at, uint32_t end,
		    struct dns_answer *a)
{
	const struct str *first = d->strings + d->n_strings;
	uint32_t n = 0;

	while (at < end && d->n_strings < DNS_STRINGS_MAX && !dns_reach(m, at, 1)) {
		uint8_t len = m->p[at++];

		if (end - at < len || dns_reach(m, at, len)) {
			d->bad_names = true;
			break;
		}
		d->strings[d->n_strings++] = (struct str){ (const char *)m->p + at, len };
		at += len;
		n++;
	}
	if (!n)
		return;
	a->data_list = (struct list){ first, n };
	a->present |= 1u << A_BIT_LIST;
}

/* RFC 7553, 4.5: PRIORITY, WEIGHT, and the target up to the end. */
static void uri(struct dns_parts *d, const struct dns_msg *m, uint32_t at, uint32_t end, struct dns_answer *a)
{
	uint32_t room = end - at + 12, n;
	char *text;

	if (end - at < 4 || dns_reach(m, at, end - at))
		return;
	text = dns_keep_text(d, room);
	if (!text)
		return;
	n = (uint32_t)snprintf(text, room, "%u %u ", be16(m->p + at), be16(m->p + at + 2));
	memcpy(text + n, m->p + at + 4, end - at - 4);
	set_data(a, text, n + end - at - 4);
}

/* RFC 8659, 4.1: flags, the tag behind its length, and the value up to the end. */
static void caa(struct dns_parts *d, const struct dns_msg *m, uint32_t at, uint32_t end, struct dns_answer *a)
{
	uint32_t room = end - at + 8, n, tag;
	char *text;

	if (end - at < 3 || dns_reach(m, at, end - at))
		return;
	tag = m->p[at + 1];
	if (!tag || tag > end - at - 2)
		return;
	text = dns_keep_text(d, room);
	if (!text)
		return;
	n = (uint32_t)snprintf(text, room, "%u ", m->p[at]);
	at += 2;
	memcpy(text + n, m->p + at, tag);
	n += tag;
	at += tag;
	text[n++] = ' ';
	memcpy(text + n, m->p + at, end - at);
	set_data(a, text, n + end - at);
}

bool dns_rdata_known(uint16_t type)
{
	switch (type) {
	case T_A:
	case T_AAAA:
	case T_NS:
	case T_CNAME:
	case T_PTR:
	case T_DNAME:
	case T_MX:
	case T_SVCB:
	case T_HTTPS:
	case T_SRV:
	case T_SOA:
	case T_TXT:
	case T_SPF:
	case T_URI:
	case T_CAA:
		return true;
	default:
		return false;
	}
}

void dns_rdata(struct dns_parts *d, const struct dns_msg *m, uint16_t type, uint32_t at, uint32_t end,
	       struct dns_answer *a)
{
	switch (type) {
	case T_A:
	case T_AAAA:
		if (end - at == (type == T_A ? 4 : 16) && !dns_reach(m, at, end - at))
			address(d, m->p + at, end - at, a);
		break;
	case T_NS:
	case T_CNAME:
	case T_PTR:
	case T_DNAME:
		numbers_and_name(d, m, at, end, 0, a);
		break;
	case T_MX:
	case T_SVCB:
	case T_HTTPS:
		numbers_and_name(d, m, at, end, 1, a);
		break;
	case T_SRV:
		numbers_and_name(d, m, at, end, 3, a);
		break;
	case T_SOA:
		soa(d, m, at, end, a);
		break;
	case T_TXT:
	case T_SPF:
		strings(d, m, at, end, a);
		break;
	case T_URI:
		uri(d, m, at, end, a);
		break;
	case T_CAA:
		caa(d, m, at, end, a);
		break;
	default:
		break;
	}
}
