// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/fields.h"

static const struct field device_rows[] = {
#define ROW(id, ...) OWN_FIELD(device_body, __VA_ARGS__),
	DEVICE_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct device_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table device_table = FIELD_TABLE(device_rows);

struct dataset device_dataset = {
	.name = "device",
	.sections = SECTION_SPAN,
	.own = &device_table,
};

static const struct field stats_rows[] = {
#define ROW(id, ...) OWN_FIELD(stats_body, __VA_ARGS__),
	STATS_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct stats_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table stats_table = FIELD_TABLE(stats_rows);

struct dataset stats_dataset = {
	.name = "stats",
	.sections = SECTION_SPAN,
	.own = &stats_table,
};
