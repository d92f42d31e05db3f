// SPDX-License-Identifier: GPL-2.0-or-later
/* `netprobe schema [KIND]`: the JSON Schema of what -j prints, made from the field table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "record.h"
#include "util/err.h"

static void print_scalar(enum field_type type)
{
	switch (type) {
	case FT_BOOL:
		printf("\"type\":\"boolean\"");
		break;
	case FT_U8:
	case FT_U16:
	case FT_U32:
	case FT_U64:
	case FT_DURATION:
		printf("\"type\":\"integer\",\"minimum\":0");
		break;
	case FT_I32:
	case FT_I64:
		printf("\"type\":\"integer\"");
		break;
	case FT_F64:
		printf("\"type\":[\"number\",\"null\"]");
		break;
	case FT_TIME:
		printf("\"type\":\"string\",\"format\":\"date-time\"");
		break;
	case FT_MAC:
		printf("\"type\":\"string\",\"pattern\":\"^([0-9a-f]{2}:){5}[0-9a-f]{2}$\"");
		break;
	default:
		printf("\"type\":\"string\"");
		break;
	}
}

static void print_type(enum field_type type, const struct item_table *items)
{
	switch (type) {
	case FT_U16S:
	case FT_U32S:
		printf("\"type\":\"array\",\"items\":{\"type\":\"integer\"}");
		break;
	case FT_WORDS:
	case FT_STRS:
		printf("\"type\":\"array\",\"items\":{\"type\":\"string\"}");
		break;
	case FT_ITEMS:
		if (!items)
			break;
		printf("\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{");
		for (unsigned int i = 0; i < items->n; i++) {
			bool again = i && !strcmp(items->rows[i].name, items->rows[i - 1].name);

			if (again) /* the same key with two types: said by the first */
				continue;
			printf("%s\"%s\":{", i ? "," : "", items->rows[i].name);
			if (i + 1 < items->n && !strcmp(items->rows[i].name, items->rows[i + 1].name))
				printf("\"type\":[\"string\",\"array\"]");
			else
				print_type(items->rows[i].type, NULL);
			printf("}");
		}
		printf("}}");
		break;
	case FT_COUNTS:
		printf("\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}");
		break;
	case FT_MAP:
		printf("\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}");
		break;
	default:
		print_scalar(type);
		break;
	}
}

/* Numbers of the fields to tell of, in an order that nests. */
struct listed {
	uint16_t *numbers;
	unsigned int n;
};

/* Properties of the object at `prefix` (with its final dot), from entry `i` on; returns the first beyond it. */
static unsigned int print_object(const struct listed *l, unsigned int i, const char *prefix, size_t prefix_len)
{
	bool first = true;

	printf("\"type\":\"object\",\"properties\":{");
	while (i < l->n) {
		const struct field *f = field_get(l->numbers[i]);
		const char *key = f->name + prefix_len, *dot = strchr(key, '.');

		if (strncmp(f->name, prefix, prefix_len))
			break;
		printf("%s\"%.*s\":{", first ? "" : ",", dot ? (int)(dot - key) : (int)strlen(key), key);
		first = false;
		if (dot) {
			i = print_object(l, i, f->name, (size_t)(dot - f->name) + 1);
		} else {
			print_type(f->type, f->items);
			printf(",\"description\":\"%s\"", f->help);
			i++;
		}
		printf("}");
	}
	printf("}");
	return i;
}

/* Those that records of `set` have, or all. */
static int choose(struct listed *l, const struct dataset *set)
{
	const uint16_t *order = fields_order();

	*l = (struct listed){ malloc(fields_count() * sizeof(*l->numbers)), 0 };
	if (!l->numbers)
		return fail(ENOMEM, "schema");
	for (unsigned int i = 0; i < fields_count(); i++)
		if (!set || field_belongs(order[i], set))
			l->numbers[l->n++] = order[i];
	return 0;
}

/* ── what is no record ────────────────────────────────────────────────────── */

enum member_type { MEMBER_TEXT, MEMBER_NUMBER, MEMBER_TEXTS, MEMBER_WORD, MEMBER_OBJECT };

struct member {
	const char *name, *help;
	enum member_type type;
	bool optional;
	const char *const *words;	/* MEMBER_WORD; ended by NULL */
	const struct member *members;	/* MEMBER_OBJECT; ended by one without a name */
};

static const char *const verdicts[] = { "allow", "deny", "unknown", NULL };
static const char *const protocols[] = { "TCP", "UDP", "SCTP", NULL };
static const char *const levels[] = { "error", "field", "note", NULL };
static const char *const reasons[] = {
	"not-a-pod", "host-network", "self",	     "local-node", "not-selected",
	"policies",  "admin-policy", "baseline-policy", "unknown",    NULL,
};

static const struct member side_members[] = {
	{ "verdict", "what its policies say", MEMBER_WORD, .words = verdicts },
	{ "selected_by", "NetworkPolicies that isolate the pod", MEMBER_TEXTS },
	{ "allowed_by", "those of them that allow it", MEMBER_TEXTS },
	{ "rules", "the first rule of each policy that fits, and which of its peers and ports", MEMBER_TEXTS },
	{ "reason", "why", MEMBER_WORD, .words = reasons },
	{ .name = NULL },
};

static const struct member test_members[] = {
	{ "from", "the source, as it was given", MEMBER_TEXT },
	{ "to", "the destination", MEMBER_TEXT },
	{ "port", "of the destination", MEMBER_NUMBER },
	{ "protocol", "of the connection", MEMBER_WORD, .words = protocols },
	{ "verdict", "what comes of it", MEMBER_WORD, .words = verdicts },
	{ "policies", "what decided, egress first: namespace/name, or the kind for the namespace", MEMBER_TEXTS },
	{ "egress", "at the source", MEMBER_OBJECT, .members = side_members },
	{ "ingress", "at the destination", MEMBER_OBJECT, .members = side_members },
	{ "missing", "what would have to be known for a verdict", MEMBER_TEXT, .optional = true },
	{ "count", "how often a connection of a capture was tried", MEMBER_NUMBER, .optional = true },
	{ .name = NULL },
};

static const struct member check_members[] = {
	{ "file", "as it was given", MEMBER_TEXT },
	{ "line", "of the field, or of its object", MEMBER_NUMBER, .optional = true },
	{ "column", "of the field", MEMBER_NUMBER, .optional = true },
	{ "level", "the API server refuses it, drops it, or takes it", MEMBER_WORD, .words = levels },
	{ "object", "kind namespace/name", MEMBER_TEXT },
	{ "path", "of the field", MEMBER_TEXT },
	{ "message", "what is wrong", MEMBER_TEXT },
	{ .name = NULL },
};

static const struct document {
	const char *name;
	const struct member *members;
} documents[] = { { "policy.test", test_members }, { "policy.check", check_members } };

enum { N_DOCUMENTS = sizeof(documents) / sizeof(documents[0]) };

static void print_members(const struct member *members);

static void print_member(const struct member *m)
{
	switch (m->type) {
	case MEMBER_TEXT:
		printf("\"type\":\"string\"");
		break;
	case MEMBER_NUMBER:
		printf("\"type\":\"integer\",\"minimum\":0");
		break;
	case MEMBER_TEXTS:
		printf("\"type\":\"array\",\"items\":{\"type\":\"string\"}");
		break;
	case MEMBER_WORD:
		printf("\"enum\":[");
		for (int i = 0; m->words[i]; i++)
			printf("%s\"%s\"", i ? "," : "", m->words[i]);
		printf("]");
		break;
	default:
		print_members(m->members);
		break;
	}
	printf(",\"description\":\"%s\"", m->help);
}

/* No further ones: what is not told of does not come. */
static void print_members(const struct member *members)
{
	bool first = true;

	printf("\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	for (const struct member *m = members; m->name; m++) {
		printf("%s\"%s\":{", m == members ? "" : ",", m->name);
		print_member(m);
		printf("}");
	}
	printf("},\"required\":[");
	for (const struct member *m = members; m->name; m++) {
		if (m->optional)
			continue;
		printf("%s\"%s\"", first ? "" : ",", m->name);
		first = false;
	}
	printf("]");
}

static void print_head(const char *title)
{
	printf("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"netprobe %s\",", title);
}

static bool print_document(const char *name)
{
	const struct document *d = documents;

	while (d < documents + N_DOCUMENTS && strcmp(d->name, name))
		d++;
	if (d == documents + N_DOCUMENTS)
		return false;
	print_head(name);
	print_members(d->members);
	printf("}\n");
	return true;
}

static int schema_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct dataset *set = argc ? dataset_find(argv[0], strlen(argv[0])) : NULL;
	struct listed l;

	if (argc && print_document(argv[0]))
		return EXIT_DONE;
	if (choose(&l, set))
		return EXIT_FAILED;
	print_head(set ? set->name : "record");
	print_object(&l, 0, "", 0);
	printf(",\"required\":[\"event\"]}\n");
	free(l.numbers);
	return EXIT_DONE;
}

static const char *dataset_word(unsigned int i)
{
	if (i < n_datasets)
		return datasets[i]->name;
	return i - n_datasets < N_DOCUMENTS ? documents[i - n_datasets].name : NULL;
}

static const struct opt schema_operand = {
	.type = OPT_WORD, .arg = "DATASET", .help = "only of its records", .words = OPT_WORDS_OF(dataset_word)
};

const struct command cmd_schema = {
	.name = "schema",
	.summary = "Print the JSON Schema of what -j prints",
	.usage = "[DATASET]",
	.operand = &schema_operand,
	.run = schema_run,
};
