// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "stats/fields.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/hash.h"

enum { ADDRESSES_MAX = 8, TEXT_MAX = 64, OPTIONS_MAX = 64, GROWTH = 256, WORDS_MAX = 16 };
#define NONE UINT32_MAX

struct text {
	char p[TEXT_MAX];
	uint8_t n;
};

struct device {
	uint8_t mac[6];
	uint16_t told_by;		/* 1 << place in devices.words */
	uint8_t n_addresses, n_options, rank;
	bool more;			/* had further addresses, or longer texts */
	uint64_t first_ns, last_ns;
	struct addr addresses[ADDRESSES_MAX];
	struct text hostname, class_id;
	uint8_t options[OPTIONS_MAX];	/* DHCP option 55 */
	uint32_t next;			/* in its bucket */
	uint32_t newer, older;		/* by last_ns */
};

struct devices {
	struct gather g;
	const struct vendors *vendors;
	struct hash_key seed;
	struct device *v;
	uint32_t n, room, max;
	uint32_t *buckets, n_buckets;	/* a power of two */
	uint32_t newest, oldest;
	const char *words[WORDS_MAX];	/* what told_by means */
	unsigned int n_words;
	uint8_t first_word[DATASETS_MAX];	/* of a dataset, by its id */
};

static uint32_t bucket_of(const struct devices *t, const uint8_t mac[6])
{
	uint64_t w = 0;

	memcpy(&w, mac, 6);
	return (uint32_t)hash_words(&t->seed, &w, 1) & (t->n_buckets - 1);
}

static void unlink_age(struct devices *t, struct device *d)
{
	if (d->newer != NONE)
		t->v[d->newer].older = d->older;
	else
		t->newest = d->older;
	if (d->older != NONE)
		t->v[d->older].newer = d->newer;
	else
		t->oldest = d->newer;
}

static void link_newest(struct devices *t, struct device *d)
{
	uint32_t i = (uint32_t)(d - t->v);

	d->newer = NONE;
	d->older = t->newest;
	if (t->newest != NONE)
		t->v[t->newest].newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

static void unlink_bucket(struct devices *t, const struct device *d)
{
	uint32_t *at = &t->buckets[bucket_of(t, d->mac)], i = (uint32_t)(d - t->v);

	while (*at != i)
		at = &t->v[*at].next;
	*at = d->next;
}

/* A place for one more: room that is there, more room, or that of the one not seen for longest. */
static struct device *place(struct devices *t)
{
	struct device *d;

	if (t->n == t->room && t->room < t->max) {
		uint32_t room = t->room + GROWTH < t->max ? t->room + GROWTH : t->max;
		struct device *v = realloc(t->v, room * sizeof(*v));

		if (v) {
			t->v = v;
			t->room = room;
		}
	}
	if (t->n < t->room)
		return &t->v[t->n++];
	if (!t->n)
		return NULL;
	d = &t->v[t->oldest];
	unlink_bucket(t, d);
	unlink_age(t, d);
	t->g.evicted++;
	return d;
}

/* The device with that address, seen now.  NULL: not the address of one, or no memory. */
static struct device *seen(struct devices *t, const uint8_t mac[6], const struct record *r, unsigned int word)
{
	static const uint8_t zero[6];
	uint32_t *bucket, i;
	struct device *d;

	if (mac[0] & 1 || !memcmp(mac, zero, 6))
		return NULL;
	bucket = &t->buckets[bucket_of(t, mac)];
	for (i = *bucket; i != NONE && memcmp(t->v[i].mac, mac, 6); i = t->v[i].next)
		;
	if (i != NONE) {
		d = &t->v[i];
		unlink_age(t, d);
	} else {
		d = place(t);
		if (!d) {
			t->g.evicted++;
			return NULL;
		}
		memset(d, 0, sizeof(*d));
		memcpy(d->mac, mac, 6);
		d->first_ns = r->time_ns;
		d->next = *bucket;
		*bucket = (uint32_t)(d - t->v);
	}
	link_newest(t, d);
	if (r->time_ns > d->last_ns)
		d->last_ns = r->time_ns;
	if (r->time_ns < d->first_ns)
		d->first_ns = r->time_ns;
	d->told_by |= (uint16_t)(1u << word);
	return d;
}

static bool is_unset(const struct addr *a)
{
	static const uint8_t zero[16];

	return !a->family || !memcmp(a->b, zero, a->family == 6 ? 16 : 4);
}

/* The latest address stands first; of more than ADDRESSES_MAX the one longest not heard of goes. */
static void has_address(struct device *d, const struct addr *a)
{
	unsigned int i;

	if (!d || is_unset(a))
		return;
	for (i = 0; i < d->n_addresses; i++)
		if (addr_same(&d->addresses[i], a))
			break;
	if (i == ADDRESSES_MAX) {
		d->more = true;
		i--;
	} else if (i == d->n_addresses) {
		d->n_addresses++;
	}
	memmove(&d->addresses[1], &d->addresses[0], i * sizeof(d->addresses[0]));
	d->addresses[0] = *a;
}

static void set_text(struct device *d, struct text *t, struct str s)
{
	if (s.n > TEXT_MAX)
		d->more = true;
	t->n = (uint8_t)(s.n < TEXT_MAX ? s.n : TEXT_MAX);
	memcpy(t->p, s.p, t->n);
}

static void is_named(struct device *d, struct str name, enum name_rank rank)
{
	if (!d || !name.n || rank < d->rank)
		return;
	d->rank = (uint8_t)rank;
	set_text(d, &d->hostname, name);
}

/* What a client asks for, in its order, tells its make. */
static void set_options(struct device *d, const struct list *l)
{
	const uint16_t *v = l->p;
	uint32_t n = l->n < OPTIONS_MAX ? l->n : OPTIONS_MAX;

	if (l->n > OPTIONS_MAX)
		d->more = true;
	for (uint32_t i = 0; i < n; i++)
		d->options[i] = (uint8_t)v[i];
	d->n_options = (uint8_t)n;
}

static void devices_take(struct gather *g, const struct record *r)
{
	struct devices *t = (struct devices *)g;
	struct identity id = { .rank = NAME_NONE };
	struct device *d;

	/* Inside a tunnel there is another link. */
	if (!r->set->identify || record_has(r, FIELD_TUNNEL) || !r->set->identify(r, &id))
		return;
	d = seen(t, id.mac, r, t->first_word[r->set->id] + id.told_by);
	if (!d)
		return;
	has_address(d, &id.addr);
	is_named(d, id.name, id.rank);
	if (id.class_id.n)
		set_text(d, &d->class_id, id.class_id);
	if (id.options)
		set_options(d, id.options);
}

/* The texts of a row. */
struct row {
	char address[ADDRESSES_MAX][ADDR_TEXT_MAX];
	struct str addresses[ADDRESSES_MAX];
	char fingerprint[OPTIONS_MAX * 4];
	const char *told_by[WORDS_MAX];
};

static void put_fingerprint(struct record *r, struct row *row, const struct device *d)
{
	size_t n = 0;

	for (unsigned int i = 0; i < d->n_options; i++)
		n += (size_t)snprintf(row->fingerprint + n, sizeof(row->fingerprint) - n, "%s%u", i ? "," : "",
				      d->options[i]);
	if (!n)
		return;
	device_of(r)->fingerprint = (struct str){ row->fingerprint, (uint32_t)n };
	record_mark(r, FIELD_DEVICE_FINGERPRINT);
}

static void put_lists(const struct devices *t, struct record *r, struct row *row, const struct device *d)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < d->n_addresses; i++)
		row->addresses[i] = (struct str){ row->address[i], addr_text(row->address[i], &d->addresses[i]) };
	device_of(r)->addresses = (struct list){ row->addresses, d->n_addresses };
	if (d->n_addresses)
		record_mark(r, FIELD_DEVICE_IP);
	for (unsigned int i = 0; i < t->n_words; i++)
		if (d->told_by >> i & 1)
			row->told_by[n++] = t->words[i];
	device_of(r)->told_by = (struct list){ row->told_by, n };
	record_mark(r, FIELD_DEVICE_TOLD_BY);
}

static void put_text(struct record *r, struct str *to, unsigned int f, struct str s)
{
	if (!s.n)
		return;
	*to = s;
	record_mark(r, f);
}

/* The second bit of the first byte: not an address that the IEEE assigned (IEEE 802, 8.2). */
static bool is_local(const uint8_t mac[6])
{
	return mac[0] & 2;
}

static int emit_row(const struct devices *t, const struct device *d, record_fn fn, void *ctx)
{
	struct record r;
	struct row row;

	record_start(&r, &device_dataset);
	r.time_ns = r.end_ns = d->last_ns;
	r.start_ns = d->first_ns;
	record_mark(&r, FIELD_TIME);
	record_mark(&r, FIELD_START);
	record_mark(&r, FIELD_END);
	memcpy(device_of(&r)->mac, d->mac, 6);
	record_mark(&r, FIELD_DEVICE_MAC);
	device_of(&r)->is_local = is_local(d->mac);
	record_mark(&r, FIELD_DEVICE_LOCAL);
	put_lists(t, &r, &row, d);
	if (!is_local(d->mac))
		put_text(&r, &device_of(&r)->vendor, FIELD_DEVICE_VENDOR, vendors_find(t->vendors, d->mac));
	put_text(&r, &device_of(&r)->hostname, FIELD_DEVICE_HOSTNAME, (struct str){ d->hostname.p, d->hostname.n });
	put_text(&r, &device_of(&r)->class_id, FIELD_DEVICE_CLASS_ID, (struct str){ d->class_id.p, d->class_id.n });
	put_fingerprint(&r, &row, d);
	if (d->more) {
		r.truncated = true;
		record_mark(&r, FIELD_TRUNCATED);
	}
	return fn(ctx, &r);
}

static int by_first(const void *a, const void *b)
{
	const struct device *x = *(const struct device *const *)a, *y = *(const struct device *const *)b;

	return x->first_ns != y->first_ns ? (x->first_ns < y->first_ns ? -1 : 1) : memcmp(x->mac, y->mac, 6);
}

static int devices_rows(struct gather *g, record_fn fn, void *ctx)
{
	struct devices *t = (struct devices *)g;
	const struct device **order = malloc((t->n ? t->n : 1) * sizeof(struct device *));
	int rc = 0;

	if (!order)
		return fail(ENOMEM, "devices");
	for (uint32_t i = 0; i < t->n; i++)
		order[i] = &t->v[i];
	qsort(order, t->n, sizeof(struct device *), by_first);
	for (uint32_t i = 0; i < t->n && !rc; i++)
		rc = emit_row(t, order[i], fn, ctx);
	free(order);
	return rc;
}

static void devices_close(struct gather *g)
{
	struct devices *t = (struct devices *)g;

	free(t->v);
	free(t->buckets);
	free(t);
}

/* The words of all datasets that tell of devices. */
static void collect_words(struct devices *t)
{
	for (unsigned int i = 0; i < n_datasets; i++) {
		t->first_word[i] = (uint8_t)t->n_words;
		for (const char *const *w = datasets[i]->tells; w && *w && t->n_words < WORDS_MAX; w++)
			t->words[t->n_words++] = *w;
	}
}

int devices_open(struct gather **out, const struct vendors *vendors, uint32_t max, uint32_t seed)
{
	struct devices *t = calloc(1, sizeof(*t));

	if (!t)
		return fail(ENOMEM, "devices");
	t->n_buckets = 1;
	while (t->n_buckets < max)
		t->n_buckets *= 2;
	t->buckets = malloc(t->n_buckets * sizeof(*t->buckets));
	if (!t->buckets) {
		free(t);
		return fail(ENOMEM, "devices");
	}
	memset(t->buckets, 0xff, t->n_buckets * sizeof(*t->buckets));
	t->g = (struct gather){ devices_take, devices_rows, devices_close, 0 };
	t->vendors = vendors;
	collect_words(t);
	t->seed = hash_key_from(seed);
	t->max = max;
	t->newest = t->oldest = NONE;
	*out = &t->g;
	return 0;
}
