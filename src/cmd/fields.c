// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/fields.h"

static const struct field interface_rows[] = {
#define ROW(id, ...) OWN_FIELD(interface_body, __VA_ARGS__),
	INTERFACE_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct interface_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table interface_table = FIELD_TABLE(interface_rows);

struct dataset interface_dataset = {
	.name = "interface",
	.own = &interface_table,
};

static const struct field plan_rows[] = {
#define ROW(id, ...) OWN_FIELD(plan_body, __VA_ARGS__),
	PLAN_FIELDS(ROW)
#undef ROW
};

_Static_assert(sizeof(struct plan_body) <= RECORD_OWN_SIZE, "a record has no room for it");

static struct field_table plan_table = FIELD_TABLE(plan_rows);

struct dataset plan_dataset = {
	.name = "plan",
	.own = &plan_table,
};
