// SPDX-License-Identifier: GPL-2.0-or-later
#include "record.h"

#include <string.h>

static const struct item_field mpls_label_rows[] = {
	{ "label", FT_U32, offsetof(struct mpls_label, label) },
	{ "tc", FT_U8, offsetof(struct mpls_label, tc) },
	{ "ttl", FT_U8, offsetof(struct mpls_label, ttl) },
};

const struct item_table mpls_label_items = ITEM_TABLE(mpls_label_rows, struct mpls_label);

const struct field record_fields[COMMON_FIELDS] = {
#define ROW(id, name_, type_, member_, sections_, ...) \
	[FIELD_##id] = { .name = name_, .type = type_, .off = offsetof(struct record, member_), \
			 .sections = sections_, .help = __VA_ARGS__ },
	RECORD_FIELDS(ROW)
#undef ROW
};

_Static_assert((int)COMMON_FIELDS <= FIELD_OWN, "ids of common and own fields overlap");
_Static_assert(sizeof(struct record) <= UINT16_MAX, "offsets are 16 bits");

struct dataset packet_dataset = { .name = "packet", .sections = SECTION_PACKET };

#define OWN_BODY drop_body
OWN_TABLE(drop, DROP_FIELDS);
#undef OWN_BODY

static const uint16_t drop_uses[] = {
	FIELD_ACTION, FIELD_DROP_REASON, FIELD_DROP_LOCATION, FIELD_DROP_HOOK, 0
};
static const uint16_t drop_columns[] = { FIELD_DROP_REASON, FIELD_DROP_LOCATION, 0 };

struct dataset drop_dataset = {
	.name = "drop",
	.sections = SECTION_PACKET,
	.uses = drop_uses,
	.own = &drop_table,
	.columns = drop_columns,
	.tone = TONE_DROP,
};

#define OWN_BODY block_body
OWN_TABLE(block, BLOCK_FIELDS);
#undef OWN_BODY

static const uint16_t block_uses[] = { FIELD_ACTION, FIELD_RULE_ID, FIELD_RULE_NAME, FIELD_RULE_REFERENCE, 0 };

struct dataset block_dataset = {
	.name = "block",
	.sections = SECTION_PACKET,
	.uses = block_uses,
	.own = &block_table,
	.tone = TONE_DROP,
};

const char *const lost_stages[LOST_STAGES_N] = { LOST_STAGES(LOST_WORD, LOST_COMMA) };

#define OWN_BODY lost_body
OWN_TABLE(lost, LOST_FIELDS);
#undef OWN_BODY

static const uint16_t lost_uses[] = { FIELD_ACTION, 0 };
static const uint16_t lost_columns[] = { FIELD_LOST_STAGE, FIELD_LOST_REASON, FIELD_LOST_COUNT, 0 };

struct dataset lost_dataset = {
	.name = "lost",
	.sections = SECTION_SPAN,
	.uses = lost_uses,
	.own = &lost_table,
	.line = lost_line,
	.columns = lost_columns,
	.tone = TONE_LOSS,
};

void record_start(struct record *r, const struct dataset *set)
{
	memset(r->present, 0, sizeof(r->present));
	r->set = set;
	r->frame = NULL;
	r->head = r->packet = NULL;
	r->rest_len = 0;
	r->tunnels_before = r->mpls_before = 0;
	r->dataset = set->name;
	record_mark(r, FIELD_DATASET);
}
