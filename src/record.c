// SPDX-License-Identifier: GPL-2.0-or-later
#include "record.h"

#include <string.h>

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

static const struct item_field mpls_label_rows[] = {
	{ "label", FT_U32, offsetof(struct mpls_label, label) },
	{ "tc", FT_U8, offsetof(struct mpls_label, tc) },
	{ "ttl", FT_U8, offsetof(struct mpls_label, ttl) },
};

#define ITEM_TABLE(rows_, struct_) { rows_, sizeof(rows_) / sizeof((rows_)[0]), sizeof(struct_) }

const struct item_table dns_answer_items = ITEM_TABLE(dns_answer_rows, struct dns_answer);
const struct item_table dns_question_items = ITEM_TABLE(dns_question_rows, struct dns_question);
const struct item_table mpls_label_items = ITEM_TABLE(mpls_label_rows, struct mpls_label);

const struct field record_fields[FIELDS] = {
#define RECORD_ROW(id, name_, type_, member_, kinds_, help_) \
	[FIELD_##id] = { .name = name_, .type = type_, .off = offsetof(struct record, member_), \
			 .kinds = kinds_, .help = help_, \
			 .items = FIELD_##id == FIELD_DNS_ANSWERS     ? &dns_answer_items : \
				  FIELD_##id == FIELD_DNS_QUESTIONS ? &dns_question_items : \
				  FIELD_##id == FIELD_MPLS	      ? &mpls_label_items : NULL },
	RECORD_FIELDS(RECORD_ROW)
#undef RECORD_ROW
};

_Static_assert(FIELDS <= 64 * 4, "struct record: present[] is too small");
_Static_assert(sizeof(struct record) <= UINT16_MAX, "offsets are 16 bits");

const char *const record_kind_names[REC_KINDS] = {
	[REC_PACKET] = "packet", [REC_ARP] = "arp",	[REC_ICMP] = "icmp",   [REC_DNS] = "dns",
	[REC_HTTP] = "http",	 [REC_HTTP2] = "http2", [REC_TLS] = "tls",     [REC_REDIS] = "redis",
	[REC_KAFKA] = "kafka",	 [REC_DHCP] = "dhcp",	[REC_DROP] = "drop",   [REC_DEVICE] = "device",
	[REC_FLOW] = "flow",	 [REC_STATS] = "stats", [REC_ALERT] = "alert", [REC_LOST] = "lost",
};

void record_start(struct record *r, enum record_kind kind)
{
	memset(r->present, 0, sizeof(r->present));
	r->kind = kind;
	r->frame = NULL;
	r->head = NULL;
	r->dataset = record_kind_names[kind];
	record_mark(r, FIELD_DATASET);
}

int record_field_find(const char *name, size_t n)
{
	for (int i = 0; i < FIELDS; i++)
		if (strlen(record_fields[i].name) == n && !memcmp(record_fields[i].name, name, n))
			return i;
	return -1;
}
