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

static const uint16_t link_uses[] = { FIELD_LINK_HOOK, FIELD_LINK_MODE, FIELD_LINK_ID, 0 };

struct dataset link_dataset = {
	.name = "link",
	.uses = link_uses,
	.own = &link_table,
};

#define OWN_BODY feature_body
OWN_TABLE(feature, FEATURE_FIELDS);
#undef OWN_BODY

struct dataset feature_dataset = {
	.name = "feature",
	.own = &feature_table,
};

#define OWN_BODY rule_body
OWN_TABLE(rule, RULE_FIELDS);
#undef OWN_BODY

static const uint16_t rule_uses[] = {
	FIELD_ACTION, FIELD_RULE_ID, FIELD_RULE_NAME, FIELD_RULE_REFERENCE, FIELD_LINK_HOOK, FIELD_LINK_MODE, 0
};

struct dataset rule_dataset = {
	.name = "rule",
	.uses = rule_uses,
	.own = &rule_table,
};

#define OWN_BODY firewall_body
OWN_TABLE(firewall, FIREWALL_FIELDS);
#undef OWN_BODY

static const uint16_t firewall_uses[] = {
	FIELD_START, FIELD_END, FIELD_LINK_HOOK, FIELD_LINK_MODE, FIELD_LINK_ID, 0
};

struct dataset firewall_dataset = {
	.name = "firewall",
	.uses = firewall_uses,
	.own = &firewall_table,
};

#define OWN_BODY pod_body
OWN_TABLE(pod, POD_FIELDS);
#undef OWN_BODY

struct dataset pod_dataset = {
	.name = "pod",
	.own = &pod_table,
};

#define OWN_BODY cni_body
OWN_TABLE(cni, CNI_FIELDS);
#undef OWN_BODY

struct dataset cni_dataset = {
	.name = "cni",
	.own = &cni_table,
};

#define OWN_BODY filter_rule_body
OWN_TABLE(filter_rule, FILTER_RULE_FIELDS);
#undef OWN_BODY

struct dataset filter_rule_dataset = {
	.name = "filter",
	.own = &filter_rule_table,
};

#define OWN_BODY policy_body
OWN_TABLE(policy, POLICY_FIELDS);
#undef OWN_BODY

static const uint16_t policy_uses[] = {
	FIELD_ACTION, FIELD_RULE_NAME, FIELD_DROP_REASON, FIELD_DROP_LOCATION, FIELD_DROP_HOOK, 0
};
struct dataset policy_dataset = {
	.name = "policy",
	.sections = SECTION_SPAN,
	.uses = policy_uses,
	.own = &policy_table,
	.line = policy_line,
};

#define OWN_BODY policy_count_body
OWN_TABLE(policy_count, POLICY_COUNT_FIELDS);
#undef OWN_BODY

static const uint16_t policy_count_uses[] = { FIELD_RULE_NAME, FIELD_DIRECTION, 0 };

struct dataset policy_count_dataset = {
	.name = "policy_count",
	.uses = policy_count_uses,
	.own = &policy_count_table,
};
