// SPDX-License-Identifier: GPL-2.0-or-later
/* `netprobe schema [KIND]`: the JSON Schema of what -j prints, made from the field table. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "record.h"
#include "util/err.h"

static bool word_in(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static bool belongs(const struct field *f, const char *kind)
{
	return !kind || word_in(f->kinds, "all") || word_in(f->kinds, kind);
}

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
		printf("\"type\":\"integer\"");
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
	default:
		print_scalar(type);
		break;
	}
}

/* Properties of the object at `prefix` (with its final dot), from row `i` on; returns the first row beyond it. */
static int print_object(int i, const char *prefix, size_t prefix_len, const char *kind)
{
	bool first = true;

	printf("\"type\":\"object\",\"properties\":{");
	while (i < FIELDS && !strncmp(record_fields[i].name, prefix, prefix_len)) {
		const struct field *f = &record_fields[i];
		const char *key = f->name + prefix_len, *dot = strchr(key, '.');

		if (!belongs(f, kind)) {
			i++;
			continue;
		}
		printf("%s\"%.*s\":{", first ? "" : ",", dot ? (int)(dot - key) : (int)strlen(key), key);
		first = false;
		if (dot) {
			i = print_object(i, f->name, (size_t)(dot - f->name) + 1, kind);
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

static int schema_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const char *kind = argc ? argv[0] : NULL;
	bool known = !kind;

	if (argc > 1)
		return extra_word("schema", argv[1]);
	for (int i = 0; i < REC_KINDS; i++)
		known = known || !strcmp(record_kind_names[i], kind);
	if (!known) {
		fail(0, "no dataset '%s'", kind);
		return EXIT_USAGE;
	}
	printf("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"netprobe %s\",",
	       kind ? kind : "record");
	print_object(0, "", 0, kind);
	printf(",\"required\":[\"event\"]}\n");
	return EXIT_DONE;
}

const struct command cmd_schema = {
	.name = "schema",
	.summary = "Print the JSON Schema of what -j prints",
	.usage = "[DATASET]",
	.run = schema_run,
};
