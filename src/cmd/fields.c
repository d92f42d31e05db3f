// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/fields.h"

#define OWN_BODY interface_body
OWN_TABLE(interface, INTERFACE_FIELDS);
#undef OWN_BODY

struct dataset interface_dataset = {
	.name = "interface",
	.own = &interface_table,
};

#define OWN_BODY plan_body
OWN_TABLE(plan, PLAN_FIELDS);
#undef OWN_BODY

struct dataset plan_dataset = {
	.name = "plan",
	.own = &plan_table,
};

#define OWN_BODY link_body
OWN_TABLE(link, LINK_FIELDS);
#undef OWN_BODY

struct dataset link_dataset = {
	.name = "link",
	.own = &link_table,
};

#define OWN_BODY feature_body
OWN_TABLE(feature, FEATURE_FIELDS);
#undef OWN_BODY

struct dataset feature_dataset = {
	.name = "feature",
	.own = &feature_table,
};
