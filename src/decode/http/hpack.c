// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/http/hpack.h"

#include <string.h>

#include "decode/cursor.h"

enum { TABLE_DEFAULT = 4096, ENTRY_COST = 32, TEXT_FIRST = 1024, ENTRIES_FIRST = 32 };

/* RFC 7541, appendix A */
static const char *const fixed[][2] = {
	{ ":authority", "" }, { ":method", "GET" }, { ":method", "POST" }, { ":path", "/" },
	{ ":path", "/index.html" }, { ":scheme", "http" }, { ":scheme", "https" }, { ":status", "200" },
	{ ":status", "204" }, { ":status", "206" }, { ":status", "304" }, { ":status", "400" },
	{ ":status", "404" }, { ":status", "500" }, { "accept-charset", "" },
	{ "accept-encoding", "gzip, deflate" }, { "accept-language", "" }, { "accept-ranges", "" },
	{ "accept", "" }, { "access-control-allow-origin", "" }, { "age", "" }, { "allow", "" },
	{ "authorization", "" }, { "cache-control", "" }, { "content-disposition", "" },
	{ "content-encoding", "" }, { "content-language", "" }, { "content-length", "" },
	{ "content-location", "" }, { "content-range", "" }, { "content-type", "" }, { "cookie", "" },
	{ "date", "" }, { "etag", "" }, { "expect", "" }, { "expires", "" }, { "from", "" }, { "host", "" },
	{ "if-match", "" }, { "if-modified-since", "" }, { "if-none-match", "" }, { "if-range", "" },
	{ "if-unmodified-since", "" }, { "last-modified", "" }, { "link", "" }, { "location", "" },
	{ "max-forwards", "" }, { "proxy-authenticate", "" }, { "proxy-authorization", "" }, { "range", "" },
	{ "referer", "" }, { "refresh", "" }, { "retry-after", "" }, { "server", "" }, { "set-cookie", "" },
	{ "strict-transport-security", "" }, { "transfer-encoding", "" }, { "user-agent", "" }, { "vary", "" },
	{ "via", "" }, { "www-authenticate", "" },
};
enum { FIXED = sizeof(fixed) / sizeof(fixed[0]) };
_Static_assert(FIXED == 61, "RFC 7541, appendix A");

void hpack_init(struct hpack *h, struct stream_conn *conn, bool late)
{
	memset(h, 0, sizeof(*h));
	h->conn = conn;
	h->max = late ? HPACK_TABLE_MAX : TABLE_DEFAULT;
	h->behind = late;
}

void hpack_free(struct hpack *h)
{
	stream_free(h->conn, h->text, h->text_cap);
	stream_free(h->conn, h->entries, h->entries_cap * (uint32_t)sizeof(*h->entries));
	h->text = NULL;
	h->entries = NULL;
	h->text_cap = h->entries_cap = 0;
}

static void forget_all(struct hpack *h)
{
	h->first = h->count = h->size = h->text_end = 0;
}

/* Nor is the size that was agreed on.  To keep more than the sender does no harm: it never names the rest. */
void hpack_lost(struct hpack *h)
{
	forget_all(h);
	h->behind = true;
	h->max = HPACK_TABLE_MAX;
}

static uint32_t cost(const struct hpack_entry *e)
{
	return e->name + e->value + ENTRY_COST;
}

static void evict(struct hpack *h, uint32_t max)
{
	while (h->count && h->size > max) {
		h->size -= cost(&h->entries[h->first]);
		h->first++;
		h->count--;
	}
	if (!h->count)
		forget_all(h);
}

/* Bytes of text that are in use begin where the oldest entry's do. */
static bool text_room(struct hpack *h, uint32_t n)
{
	uint32_t start = h->count ? h->entries[h->first].at : h->text_end, live = h->text_end - start;
	uint32_t cap = h->text_cap ? h->text_cap : TEXT_FIRST;
	uint8_t *to = h->text;

	if (h->text && h->text_end + n <= h->text_cap)
		return true;
	while (cap < 2 * (live + n))		/* so that a byte moves O(1) times */
		cap *= 2;
	if (cap != h->text_cap) {
		to = stream_alloc(h->conn, cap);
		if (!to)
			return false;
	}
	if (live && to && h->text)
		memmove(to, h->text + start, live);
	if (to != h->text)
		stream_free(h->conn, h->text, h->text_cap);
	for (uint32_t i = 0; i < h->count; i++)
		h->entries[h->first + i].at -= start;
	h->text = to;
	h->text_cap = cap;
	h->text_end = live;
	return true;
}

static bool entry_room(struct hpack *h)
{
	uint32_t cap = h->entries_cap ? h->entries_cap : ENTRIES_FIRST;
	struct hpack_entry *to = h->entries;

	if (h->first + h->count < h->entries_cap)
		return true;
	while (cap < 2 * (h->count + 1))
		cap *= 2;
	if (cap != h->entries_cap) {
		to = stream_alloc(h->conn, cap * (uint32_t)sizeof(*to));
		if (!to)
			return false;
	}
	if (h->count)
		memmove(to, h->entries + h->first, h->count * sizeof(*to));
	if (to != h->entries)
		stream_free(h->conn, h->entries, h->entries_cap * (uint32_t)sizeof(*to));
	h->entries = to;
	h->entries_cap = cap;
	h->first = 0;
	return true;
}

/* RFC 7541, 4.4.  One that does not fit empties the table; so does want of memory. */
static void insert(struct hpack *h, const struct hpack_field *f)
{
	uint32_t n = f->name.n + f->value.n, max = h->max < HPACK_TABLE_MAX ? h->max : HPACK_TABLE_MAX;
	struct hpack_entry *e;

	if (n + ENTRY_COST > max) {
		h->behind |= h->behind || n + ENTRY_COST <= h->max;
		forget_all(h);
		return;
	}
	if (h->size + n + ENTRY_COST > max) {
		h->behind |= max < h->max;
		evict(h, max - n - ENTRY_COST);
	}
	if (!text_room(h, n) || !entry_room(h)) {
		hpack_lost(h);
		return;
	}
	e = &h->entries[h->first + h->count++];
	*e = (struct hpack_entry){ h->text_end, f->name.n, f->value.n, f->known_name && f->known_value };
	if (f->name.n)
		memcpy(h->text + e->at, f->name.p, f->name.n);
	if (f->value.n)
		memcpy(h->text + e->at + e->name, f->value.p, f->value.n);
	h->text_end += n;
	h->size += n + ENTRY_COST;
}

/* The field of an index.  False: there is none. */
static bool look_up(const struct hpack *h, uint32_t index, struct hpack_field *f)
{
	const struct hpack_entry *e;

	*f = (struct hpack_field){ .known_name = true, .known_value = true };
	if (!index)
		return false;
	if (index <= FIXED) {
		f->name = (struct str){ fixed[index - 1][0], (uint32_t)strlen(fixed[index - 1][0]) };
		f->value = (struct str){ fixed[index - 1][1], (uint32_t)strlen(fixed[index - 1][1]) };
		return true;
	}
	index -= FIXED + 1;
	if (index >= h->count) {
		f->known_name = f->known_value = false;
		return h->behind;
	}
	e = &h->entries[h->first + h->count - 1 - index];
	f->known_name = e->known;
	f->name = (struct str){ (const char *)h->text + e->at, e->name };
	f->value = (struct str){ (const char *)h->text + e->at + e->name, e->value };
	return true;
}

/* RFC 7541, 5.1; more than 2^28 is nothing that can be meant. */
static uint32_t integer(struct cursor *c, uint8_t first, unsigned int prefix)
{
	uint32_t max = (1u << prefix) - 1, v = first & max;

	if (v < max)
		return v;
	for (unsigned int shift = 0; shift <= 21; shift += 7) {
		uint8_t b = cursor_u8(c);

		v += (uint32_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

/* RFC 7541, 5.2; room is of HPACK_TEXT_MAX bytes. */
static struct str string(struct cursor *c, char *room)
{
	uint8_t first = cursor_u8(c);
	uint32_t n = integer(c, first, 7);
	const uint8_t *p = cursor_take(c, n);
	int len;

	if (!p || n > HPACK_TEXT_MAX) {
		c->bad = true;
		return (struct str){ "", 0 };
	}
	if (!(first & 0x80))
		return (struct str){ (const char *)p, n };
	len = hpack_huffman(p, n, room, HPACK_TEXT_MAX);
	if (len < 0) {
		c->bad = true;
		len = 0;
	}
	return (struct str){ room, (uint32_t)len };
}

struct rooms { char name[HPACK_TEXT_MAX], value[HPACK_TEXT_MAX]; };

/* RFC 7541, 6.2.  The name may stand in the table, where inserting would move it: so it is copied. */
static void literal(struct hpack *h, struct cursor *c, uint32_t index, bool keep, struct rooms *rooms,
		    hpack_fn fn, void *ctx)
{
	struct hpack_field f = { .known_name = true, .known_value = true };

	if (index) {
		if (!look_up(h, index, &f)) {
			c->bad = true;
			return;
		}
		f.known_value = true;
		if (f.name.n > HPACK_TEXT_MAX) {
			c->bad = true;
			return;
		}
		if (f.name.n)
			memcpy(rooms->name, f.name.p, f.name.n);
		f.name.p = rooms->name;
	} else {
		f.name = string(c, rooms->name);
	}
	f.value = string(c, rooms->value);
	if (c->bad)
		return;
	fn(ctx, &f);
	if (keep)
		insert(h, &f);
}

bool hpack_read(struct hpack *h, const uint8_t *p, uint32_t n, hpack_fn fn, void *ctx)
{
	static struct rooms rooms;
	struct cursor c = cursor_over(p, n);
	struct hpack_field f;

	while (cursor_left(&c) && !c.bad) {
		uint8_t first = cursor_u8(&c);

		if (first & 0x80) {
			if (!look_up(h, integer(&c, first, 7), &f) || c.bad)
				c.bad = true;
			else
				fn(ctx, &f);
		} else if (first & 0x40) {
			literal(h, &c, integer(&c, first, 6), true, &rooms, fn, ctx);
		} else if (first & 0x20) {
			h->max = integer(&c, first, 5);
			h->behind = h->max && (h->behind || h->max > HPACK_TABLE_MAX);	/* of 0: it is empty */
			evict(h, h->max);
		} else {
			literal(h, &c, integer(&c, first, 4), false, &rooms, fn, ctx);
		}
	}
	if (c.bad)
		hpack_lost(h);
	return !c.bad;
}
