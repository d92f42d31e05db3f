// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries from a process that read them without privileges to the one that has some: nothing of them is believed. */
#include "rules/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/err.h"

enum { WHY = 160 };

#define MAGIC 0x7473696c6b636f6cull

/* Then the entries, then the texts. */
struct head {
	uint64_t magic;
	uint32_t n, text_bytes;
	uint32_t lines, same;
	uint32_t permitted, reserved;
};

uint64_t list_pack_max(void)
{
	return sizeof(struct head) + (uint64_t)RULES_MAX * sizeof(struct np_rule) + RULES_TEXT_MAX;
}

static int put(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t wrote = write(fd, at, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return fail(wrote ? errno : EIO, "entries");
		at += wrote;
		n -= (size_t)wrote;
	}
	return 0;
}

int list_pack(int fd, const struct rules *r, const struct list_report *report)
{
	const struct head h = { .magic = MAGIC, .n = r->n, .text_bytes = (uint32_t)r->text.n, .lines = report->lines,
				.same = report->same, .permitted = report->permitted };
	int err = put(fd, &h, sizeof(h));

	if (!err)
		err = put(fd, r->v, r->n * sizeof(*r->v));
	return err ? err : put(fd, r->text.p, r->text.n);
}

/* ── the check ────────────────────────────────────────────────────────────── */

struct checked {
	const struct head *head;
	const char *text, *name;
	uint32_t file;			/* where `name` was found last; 0: nowhere yet */
};

/* Prefixes have no bits behind their length; the rest of the member is zero. */
static bool address_ok(const struct np_rule *v)
{
	unsigned int most = v->kind == NP_KIND_V4 ? 32 : v->kind == NP_KIND_V6 ? 128 : v->kind == NP_KIND_MAC ? 48 : 0;

	if (v->plen > most || ((v->kind == NP_KIND_MAC || v->kind == NP_KIND_NAME) && v->plen != most))
		return false;
	for (unsigned int i = v->plen / 8; i < sizeof(v->addr); i++)
		if (v->addr[i] & (i == v->plen / 8 ? 0xff >> v->plen % 8 : 0xff))
			return false;
	return true;
}

static const char *judge_match(const struct np_rule *v)
{
	static const uint8_t kinds[] = { [NP_KIND_V4] = 1, [NP_KIND_V6] = 1, [NP_KIND_MAC] = 1, [NP_KIND_NAME] = 1 };

	if (v->kind >= sizeof(kinds) || !kinds[v->kind])
		return "kind";
	if (!address_ok(v))
		return "address or length";
	if (!v->dir || v->dir > (NP_SRC | NP_DST) || (v->kind == NP_KIND_NAME && v->dir != (NP_SRC | NP_DST)))
		return "direction";
	if (v->flags >= NP_RULE_SUFFIX << 1 || (v->flags & NP_RULE_SUFFIX && v->kind != NP_KIND_NAME))
		return "flags";
	if (v->proto && !(v->flags & NP_RULE_PROTO))
		return "protocol";
	if (v->flags & NP_RULE_PORT ? v->port_lo > v->port_hi : v->port_lo || v->port_hi)
		return "ports";
	return v->reserved ? "reserved" : NULL;
}

static const char *judge_action(const struct np_rule *v)
{
	if (v->action < NP_DROP || v->action > NP_ALLOW)
		return "action";
	if (v->flags & NP_RULE_EXPIRES ? !v->expires_ns || v->expires_ns > RULE_FOR_MAX_NS : v->expires_ns != 0)
		return "time";
	if (v->action != NP_LIMIT)
		return v->rate || v->burst || v->flags & (NP_RULE_BYTES | NP_RULE_SHARED) ? "rate" : NULL;
	if (v->rate < RULE_RATE_MIN || v->rate > RULE_RATE_MAX)
		return "rate";
	return !v->burst || v->burst > RULE_BURST_MAX ? "burst" : NULL;
}

static const char *judge_name(const struct checked *c, const struct np_rule *v)
{
	const char *name = c->text + v->name;

	if (v->kind != NP_KIND_NAME)
		return v->name ? "name" : NULL;
	if (v->name >= c->head->text_bytes || !rule_name_ok(name, strnlen(name, RULE_NAME_MAX + 1)))
		return "name";
	for (; *name; name++)
		if (*name >= 'A' && *name <= 'Z')
			return "name";
	return NULL;
}

/* The last byte of the texts is NUL: each of them ends. */
static const char *judge_texts(struct checked *c, const struct np_rule *v)
{
	if (v->reason >= c->head->text_bytes)
		return "reason";
	if (!v->line || v->line > c->head->lines)
		return "line";
	if (v->file != c->file || !v->file) {
		if (!v->file || v->file >= c->head->text_bytes || strcmp(c->text + v->file, c->name))
			return "file";
		c->file = v->file;
	}
	return judge_name(c, v);
}

static const char *judge(struct checked *c, const struct np_rule *v, uint32_t i)
{
	const char *why = judge_match(v);

	if (!why)
		why = judge_action(v);
	if (!why)
		why = judge_texts(c, v);
	return why || v->id == i + 1 ? why : "number";
}

static int refused(char *why, const char *what, uint32_t i)
{
	snprintf(why, WHY, "entry %u: what was read is not what a list can hold (%s)", i + 1, what);
	return -EBADMSG;
}

/* Sizes first: nothing is looked at that is not there. */
static const char *judge_head(const struct head *h, size_t n)
{
	if (n < sizeof(*h) || h->magic != MAGIC || h->reserved)
		return "head";
	if (h->n > RULES_MAX)
		return "number of entries";
	if (!h->text_bytes || h->text_bytes > RULES_TEXT_MAX ||
	    n != sizeof(*h) + h->n * sizeof(struct np_rule) + h->text_bytes)
		return "size";
	return h->permitted > 1 ? "permitted" : NULL;
}

int list_unpack(struct rules *r, const char *name, const void *bytes, size_t n, struct list_report *report, char *why)
{
	const struct head *h = bytes;
	const struct np_rule *v = (const struct np_rule *)(h + 1);
	struct checked c = { .head = h, .name = name };
	const char *what = judge_head(h, n);
	bool same = false;
	int err;

	if (what)
		return refused(why, what, 0);
	c.text = (const char *)(v + h->n);
	if (*c.text || c.text[h->text_bytes - 1])
		return refused(why, "texts", 0);
	r->text.n = 0;
	buf_add(&r->text, c.text, h->text_bytes);
	err = r->text.full ? fail(ENOMEM, "entries") : rules_reserve(r, h->n);
	for (uint32_t i = 0; i < h->n && !err; i++) {
		what = judge(&c, &v[i], i);
		if (what)
			return refused(why, what, i);
		err = rules_add(r, &v[i], &same);
		if (!err && same)
			return refused(why, "the same twice", i);
	}
	report->lines = h->lines;
	report->added = r->n;
	report->same = h->same;
	report->permitted = h->permitted;
	return err;
}
