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

static int schema_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct dataset *set = argc ? dataset_find(argv[0], strlen(argv[0])) : NULL;
	struct listed l;

	if (choose(&l, set))
		return EXIT_FAILED;
	printf("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"netprobe %s\",",
	       set ? set->name : "record");
	print_object(&l, 0, "", 0);
	printf(",\"required\":[\"event\"]}\n");
	free(l.numbers);
	return EXIT_DONE;
}

static const char *dataset_word(unsigned int i)
{
	return i < n_datasets ? datasets[i]->name : NULL;
}

static const struct opt schema_operand = {
	.type = OPT_WORD, .arg = "DATASET", .help = "of its records only", .words = OPT_WORDS_OF(dataset_word)
};

const struct command cmd_schema = {
	.name = "schema",
	.summary = "Print the JSON Schema of what -j prints",
	.usage = "[DATASET]",
	.operand = &schema_operand,
	.run = schema_run,
};
