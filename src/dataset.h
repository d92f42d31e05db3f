/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATASET_H
#define NETPROBE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What kinds of records there are, and what their fields are called.  A dataset describes
 * itself: its own fields stand beside the struct they point into, in the folder of whoever
 * fills them; the fields that several have are in record.h.  Sinks, filters, `schema` and
 * `help --fields` read the tables and know no dataset.
 *
 * A field has an id inside a record: below FIELD_OWN those of record.h, from there on the
 * dataset's own.  To name any field of any dataset (-o, --where, columns) it has a number.
 */
enum field_type {
	FT_BOOL, FT_U8, FT_U16, FT_U32, FT_U64, FT_I32, FT_I64,
	FT_DURATION,	/* uint64_t: nanoseconds */
	FT_F64,		/* double */
	FT_TIME,	/* uint64_t: wall clock, ns since 1970 */
	FT_ADDR,	/* struct addr */
	FT_MAC,		/* uint8_t[6] */
	FT_WORD,	/* const char *: a static string of ours, plain ASCII */
	FT_STR,		/* struct str: anything at all; not UTF-8 means Latin-1 */
	FT_U16S,	/* struct list of uint16_t */
	FT_U32S,	/* struct list of uint32_t */
	FT_WORDS,	/* struct list of const char * */
	FT_STRS,	/* struct list of struct str */
	FT_ITEMS,	/* struct list of structs, described by field->items */
	FT_COUNTS,	/* struct list of struct named_count: an object of numbers */
	FT_MAP,		/* struct list of struct pair: an object of texts */
};

/* A struct inside a list: rows are (key, type, offset); bit i of `present` is row i. */
struct item_field {
	const char *name;
	enum field_type type;
	uint16_t off;
};

struct item_table {
	const struct item_field *rows;
	unsigned int n;
	uint16_t size;			/* of the struct; uint32_t present comes first */
};

#define ITEM_TABLE(rows_, struct_) { rows_, sizeof(rows_) / sizeof((rows_)[0]), sizeof(struct_) }

/* Common fields that go together. */
enum field_section {
	SECTION_SOME = 0,		/* of the datasets that name it in `uses` */
	SECTION_ALL = 1 << 0,
	SECTION_PACKET = 1 << 1,	/* of a frame: lengths, addresses of all layers, headers */
	SECTION_MESSAGE = 1 << 2,	/* of a message of an application */
	SECTION_STREAM = 1 << 3,	/* of what TCP carried */
	SECTION_SPAN = 1 << 4,		/* of what stands for a time, not for a moment */
};

/* What a field is to those who measure. */
enum field_metric {
	METRIC_LABEL,			/* tells what is measured */
	METRIC_COUNTER,			/* a number that only grows; of lost records what is to be added to it */
	METRIC_GAUGE,
};

struct dataset;
struct record;
struct line_state;
struct buf;
struct identity;
struct lookup;

struct field {
	const char *name;		/* "source.ip": dots are levels in JSON */
	enum field_type type;
	uint16_t off;			/* of the value in struct record */
	const char *help;
	const struct item_table *items;	/* FT_ITEMS only */
	uint8_t sections;		/* of a common field: who has it */
	uint8_t metric;			/* enum field_metric */
	const char *title;		/* of its column, for people; NULL: made of its name */
	uint16_t after;			/* id of the common field it follows; 0: the last with most parents in common */
	const struct dataset *only;	/* of those that share the table, the one that has it; NULL: all */
};

enum {
	FIELD_OWN = 128,		/* id of a dataset's first own field */
	FIELD_WORDS = 7,		/* 64 ids each */
	FIELD_OWN_MAX = FIELD_WORDS * 64 - FIELD_OWN,
	DATASETS_MAX = 64,
};

/* A dataset's own fields, in the order of their ids.  Several datasets may share a table. */
struct field_table {
	const struct field *rows;
	uint16_t n;
	uint16_t number;		/* of the first; set when it is registered */
};

#define FIELD_TABLE(rows_) { .rows = (rows_), .n = sizeof(rows_) / sizeof((rows_)[0]) }
#define FIELD_ID(id, ...) FIELD_##id,

/* How much a record's line wants to be seen. */
enum tone { TONE_PLAIN, TONE_NAME, TONE_DROP, TONE_LOSS };

struct dataset {
	const char *name;		/* event.dataset */
	bool is_protocol;		/* a decoder gives it: --proto */
	uint8_t sections;
	const uint16_t *uses;		/* common fields beyond these; 0 ends them */
	struct field_table *own;	/* NULL: none */
	const uint16_t *columns;	/* own fields that CSV shows unless -o chooses; 0 ends them */
	enum tone tone;
	/* What a person reads of it: see text/parts.h.  NULL: its fields by name. */
	void (*line)(struct line_state *st, const struct record *r, struct buf *b);
	/* See identity.h; false: this one does not tell.  NULL: none of them does. */
	bool (*identify)(const struct record *r, struct identity *id);
	const char *const *tells;	/* with identify: the protocols it goes by, ended by NULL */
	const char *tells_filter;	/* with identify: the packets it is in, as a pcap filter */
	bool (*lookup)(const struct record *r, struct lookup *l);
	uint8_t id;			/* below DATASETS_MAX; set when it is registered */
};

/* All there are, in the order in which they were registered: packet first, then protocols.c, then ours. */
extern struct dataset *datasets[DATASETS_MAX];
extern unsigned int n_datasets;

/* Takes its number.  -ENOSPC: there are DATASETS_MAX; -EINVAL: a table that cannot be. */
int dataset_add(struct dataset *set);
/* The one called `name`, or NULL. */
const struct dataset *dataset_find(const char *name, size_t n);

static inline uint64_t dataset_bit(const struct dataset *set)
{
	return UINT64_C(1) << set->id;
}

/* The field with that id in a record of the dataset. */
const struct field *dataset_field(const struct dataset *set, unsigned int id);
/*
 * Ids of all common fields and the dataset's own, *n of them, such that names with the same
 * parent are neighbours.
 */
const uint16_t *dataset_order(const struct dataset *set, unsigned int *n);

/* Fields of all datasets: numbers below fields_count(). */
unsigned int fields_count(void);
const struct field *field_get(unsigned int number);
/* The number of the field called `name` (n bytes), or -1. */
int field_find(const char *name, size_t n);
/* Bytes of the parents that two names share, with the dot: "icmp.original." */
size_t field_parents(const char *a, const char *b);
/* The number of a dataset's field. */
uint16_t field_number(const struct dataset *set, unsigned int id);
/* Do records of the dataset have it? */
bool field_belongs(unsigned int number, const struct dataset *set);
/* All numbers, fields_count() of them, such that names with the same parent are neighbours. */
const uint16_t *fields_order(void);

#endif
