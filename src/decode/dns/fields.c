// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dns/fields.h"

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

static const struct field dns_rows[] = {
#define ROW(id, ...) OWN_FIELD(dns_body, __VA_ARGS__),
	DNS_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct dns_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table dns_table = FIELD_TABLE(dns_rows);
static const uint16_t dns_uses[] = { FIELD_SRC_MAC, FIELD_DST_MAC, 0 };
static const uint16_t dns_columns[] = { FIELD_DNS_QUESTION_NAME, FIELD_DNS_QUESTION_TYPE, FIELD_DNS_RESPONSE_CODE, 0 };

struct dataset dns_dataset = {
	.name = "dns",
	.is_protocol = true,
	.sections = SECTION_MESSAGE | SECTION_STREAM,
	.uses = dns_uses,
	.own = &dns_table,
	.columns = dns_columns,
	.tone = TONE_NAME,
};
