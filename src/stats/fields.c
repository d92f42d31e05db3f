// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/fields.h"

#define OWN_BODY device_body
OWN_TABLE(device, DEVICE_FIELDS);
#undef OWN_BODY

struct dataset device_dataset = {
	.name = "device",
	.sections = SECTION_SPAN,
	.own = &device_table,
};

#define OWN_BODY stats_body
OWN_TABLE(stats, STATS_FIELDS);
#undef OWN_BODY

static const uint16_t stats_uses[] = { FIELD_PROTOCOL, 0 };

struct dataset stats_dataset = {
	.name = "stats",
	.sections = SECTION_SPAN,
	.uses = stats_uses,
	.own = &stats_table,
};

#define OWN_BODY layer_body
OWN_TABLE(layer, LAYER_FIELDS);
#undef OWN_BODY

struct dataset layer_dataset = {
	.name = "layer",
	.own = &layer_table,
};

#define OWN_BODY memory_body
OWN_TABLE(memory, MEMORY_FIELDS);
#undef OWN_BODY

struct dataset memory_dataset = {
	.name = "memory",
	.own = &memory_table,
};
