// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/fields.h"

#include <string.h>

#include "identity.h"
#include "util/addr.h"

static const struct item_field dns_answer_rows[] = {
	{ "name", FT_STR, offsetof(struct dns_answer, name) },
	{ "type", FT_STR, offsetof(struct dns_answer, type) },
	{ "class", FT_STR, offsetof(struct dns_answer, class) },
	{ "ttl", FT_U32, offsetof(struct dns_answer, ttl) },
	{ "data", FT_STR, offsetof(struct dns_answer, data) },
	{ "data", FT_STRS, offsetof(struct dns_answer, data_list) },
	{ "cache_flush", FT_BOOL, offsetof(struct dns_answer, cache_flush) },
};

static const struct item_field dns_question_rows[] = {
	{ "name", FT_STR, offsetof(struct dns_question, name) },
	{ "type", FT_STR, offsetof(struct dns_question, type) },
	{ "class", FT_STR, offsetof(struct dns_question, class) },
	{ "unicast_response", FT_BOOL, offsetof(struct dns_question, unicast_response) },
};

const struct item_table dns_answer_items = ITEM_TABLE(dns_answer_rows, struct dns_answer);
const struct item_table dns_question_items = ITEM_TABLE(dns_question_rows, struct dns_question);

#define OWN_BODY dns_body
OWN_TABLE(dns, DNS_FIELDS);
#undef OWN_BODY

static const uint16_t dns_uses[] = { FIELD_SRC_MAC, FIELD_DST_MAC, 0 };
static const uint16_t dns_columns[] = { FIELD_DNS_QUESTION_NAME, FIELD_DNS_QUESTION_TYPE, FIELD_DNS_RESPONSE_CODE, 0 };

enum { BY_MDNS, BY_LLMNR };
static const char *const tells[] = { "mdns", "llmnr", NULL };

/*
 * Somebody answers for the address that it speaks from: that is its own name.  A
 * reflector's frames say other addresses than its own, and are left.
 */
static bool identify(const struct record *r, struct identity *id)
{
	enum { HAS = 1 << 0 | 1 << 1 | 1 << 4 };	/* name, type, data */
	bool mdns = record_has(r, FIELD_PROTOCOL) && !strcmp(r->protocol, "mdns");
	bool llmnr = record_has(r, FIELD_PROTOCOL) && !strcmp(r->protocol, "llmnr");
	const struct dns_answer *a = dns_of(r)->answers.p;
	char own[ADDR_TEXT_MAX];
	unsigned int len;

	if ((!mdns && !llmnr) || !record_has(r, FIELD_SRC_MAC) || strcmp(r->action, "response") ||
	    !record_has(r, FIELD_DNS_ANSWERS))
		return false;
	len = addr_text(own, &r->src);
	for (uint32_t i = 0; i < dns_of(r)->answers.n; i++, a++) {
		if ((a->present & HAS) != HAS || a->data.n != len || memcmp(a->data.p, own, len))
			continue;
		memcpy(id->mac, r->smac, 6);
		id->told_by = mdns ? BY_MDNS : BY_LLMNR;
		id->addr = r->src;
		id->name = a->name;
		id->rank = NAME_LOCAL;
		return true;
	}
	return false;
}

static bool lookup(const struct record *r, struct lookup *l)
{
	const struct str *code = &dns_of(r)->response_code;

	if (!record_has(r, FIELD_DNS_QUESTION_NAME) || !record_has(r, FIELD_ACTION))
		return false;
	l->name = dns_of(r)->question_name;
	l->asked = !strcmp(r->action, "query");
	l->missing = !strcmp(r->action, "response") && record_has(r, FIELD_DNS_RESPONSE_CODE) && code->n == 8 &&
		     !memcmp(code->p, "NXDOMAIN", 8);
	return true;
}

struct dataset dns_dataset = {
	.name = "dns",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.uses = dns_uses,
	.own = &dns_table,
	.line = dns_line,
	.identify = identify,
	.tells = tells,
	.tells_filter = "udp port 5353 or udp port 5355",
	.lookup = lookup,
	.columns = dns_columns,
	.tone = TONE_NAME,
};
