// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

enum { NUMBERS_MAX = 4096 };

/* What a number stands for. */
struct numbered {
	const struct field *field;
	const struct field_table *table;	/* NULL: a common one */
	uint16_t namesake;			/* the next of that name and type, of another table; 0: none */
};

struct dataset *datasets[DATASETS_MAX];
unsigned int n_datasets;

static struct numbered numbered[NUMBERS_MAX];
static unsigned int n_numbered;
static uint16_t orders[DATASETS_MAX][FIELD_WORDS * 64], all_order[NUMBERS_MAX];
static uint16_t n_orders[DATASETS_MAX], n_all_order;

static void number_field(const struct field *f, const struct field_table *t)
{
	for (unsigned int i = 0; i < n_numbered; i++)
		if (!numbered[i].namesake && !strcmp(numbered[i].field->name, f->name) &&
		    numbered[i].field->type == f->type && numbered[i].field->items == f->items)
			numbered[i].namesake = (uint16_t)n_numbered;
	numbered[n_numbered++] = (struct numbered){ .field = f, .table = t };
}

static int number_table(struct field_table *t)
{
	if (t->number)
		return 0;
	if (t->n > FIELD_OWN_MAX || n_numbered + t->n > NUMBERS_MAX)
		return -EINVAL;
	t->number = (uint16_t)n_numbered;
	for (unsigned int i = 0; i < t->n; i++)
		number_field(&t->rows[i], t);
	n_all_order = 0;
	return 0;
}

int dataset_add(struct dataset *set)
{
	int err;

	if (n_datasets == DATASETS_MAX)
		return -ENOSPC;
	err = set->own ? number_table(set->own) : 0;
	if (err)
		return err;
	set->id = (uint8_t)n_datasets;
	datasets[n_datasets++] = set;
	return 0;
}

/* There is no table so wide, nor are there so many: tests would have told. */
static void must(int err)
{
	if (err)
		abort();
}

/* Before main(), so that whoever names a dataset finds it numbered. */
__attribute__((constructor)) static void add_built_in(void)
{
	for (unsigned int i = 0; i < COMMON_FIELDS; i++)
		number_field(&record_fields[i], NULL);
	must(dataset_add(&packet_dataset));
	for (struct dataset *const *const *p = protocol_datasets; *p; p++)
		if (!dataset_find((**p)->name, strlen((**p)->name)))
			must(dataset_add(**p));
	for (struct dataset *const *p = other_datasets; *p; p++)
		must(dataset_add(*p));
}

const struct dataset *dataset_find(const char *name, size_t n)
{
	for (unsigned int i = 0; i < n_datasets; i++)
		if (strlen(datasets[i]->name) == n && !memcmp(datasets[i]->name, name, n))
			return datasets[i];
	return NULL;
}

const struct field *dataset_field(const struct dataset *set, unsigned int id)
{
	return id < FIELD_OWN ? &record_fields[id] : &set->own->rows[id - FIELD_OWN];
}

size_t field_parents(const char *a, const char *b)
{
	size_t n = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '.')
			n = i + 1;
	return n;
}

/* A list of fields in the making: `of` tells what an entry is. */
struct order {
	uint16_t *v;
	uint16_t *n;
	const struct field *(*of)(const struct dataset *set, unsigned int entry);
	const struct dataset *set;
	unsigned int own_from;		/* entries from here on are a dataset's own */
};

/* Behind the field it names, or the last with most parents in common; else behind all but `truncated`. */
static unsigned int place_of(const struct order *o, const struct field *f)
{
	unsigned int at = *o->n - 1u;
	size_t most = 0;

	for (unsigned int i = 0; i < *o->n; i++) {
		size_t common = field_parents(o->of(o->set, o->v[i])->name, f->name);

		if (f->after ? o->v[i] != f->after : !common || common < most)
			continue;
		most = common;
		at = i + 1;
	}
	while (f->after && at < *o->n && o->v[at] >= o->own_from)
		at++;
	return at;
}

static void order_common(struct order *o)
{
	for (*o->n = 0; *o->n < COMMON_FIELDS; (*o->n)++)
		o->v[*o->n] = *o->n;
}

static void order_table(struct order *o, const struct field_table *t, unsigned int first)
{
	for (unsigned int i = 0; i < t->n; i++) {
		unsigned int at = place_of(o, &t->rows[i]);

		memmove(o->v + at + 1, o->v + at, (*o->n - at) * sizeof(*o->v));
		o->v[at] = (uint16_t)(first + i);
		(*o->n)++;
	}
}

const uint16_t *dataset_order(const struct dataset *set, unsigned int *n)
{
	struct order o = { orders[set->id], &n_orders[set->id], dataset_field, set, FIELD_OWN };

	if (!*o.n) {
		order_common(&o);
		if (set->own)
			order_table(&o, set->own, FIELD_OWN);
	}
	*n = *o.n;
	return o.v;
}

static const struct field *numbered_field(const struct dataset *set, unsigned int number)
{
	return numbered[number].field;
}

const uint16_t *fields_order(void)
{
	struct order o = { all_order, &n_all_order, numbered_field, NULL, COMMON_FIELDS };

	if (n_all_order)
		return all_order;
	order_common(&o);
	for (unsigned int i = COMMON_FIELDS; i < n_numbered; i += numbered[i].table->n)
		order_table(&o, numbered[i].table, i);
	return all_order;
}

unsigned int fields_count(void)
{
	return n_numbered;
}

const struct field *field_get(unsigned int number)
{
	return numbered[number].field;
}

int field_find(const char *name, size_t n)
{
	for (unsigned int i = 0; i < n_numbered; i++)
		if (strlen(numbered[i].field->name) == n && !memcmp(numbered[i].field->name, name, n))
			return (int)i;
	return -1;
}

uint16_t field_number(const struct dataset *set, unsigned int id)
{
	return (uint16_t)(id < FIELD_OWN ? id : set->own->number + id - FIELD_OWN);
}

static bool uses(const struct dataset *set, unsigned int id)
{
	for (const uint16_t *p = set->uses; p && *p; p++)
		if (*p == id)
			return true;
	return false;
}

bool field_belongs(unsigned int number, const struct dataset *set)
{
	const struct numbered *f = &numbered[number];

	if (f->table)
		return f->table == set->own && (!f->field->only || f->field->only == set);
	return (f->field->sections & (set->sections | SECTION_ALL)) || uses(set, number);
}

const void *record_value(const struct record *r, unsigned int number)
{
	const struct field_table *t = numbered[number].table;
	unsigned int id;

	for (; t && r->set && t != r->set->own && numbered[number].namesake; t = numbered[number].table)
		number = numbered[number].namesake;
	id = t ? number - t->number + FIELD_OWN : number;
	if (t && (!r->set || t != r->set->own))
		return NULL;
	return record_has(r, id) ? (const char *)r + numbered[number].field->off : NULL;
}
