// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/firsts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode/conv/pairs.h"
#include "record_keep.h"
#include "util/hash.h"

struct firsts {
	struct pairs *waiting, *told;
	struct hash_key seed;
	struct record_again record;
	struct record_kept shown;
};

int firsts_open(struct firsts **out, const struct decode_options *opt)
{
	struct firsts *f = calloc(1, sizeof(*f));

	if (!f || pairs_open(&f->waiting, FIRSTS_MAX, sizeof(struct record_kept), opt->seed) ||
	    pairs_open(&f->told, FIRSTS_MAX, 0, opt->seed)) {
		firsts_close(f);
		return -ENOMEM;
	}
	f->seed = hash_key_from(opt->seed);
	*out = f;
	return 0;
}

void firsts_close(struct firsts *f)
{
	if (!f)
		return;
	pairs_close(f->waiting);
	pairs_close(f->told);
	free(f);
}

/* As fragments are put together: fragment.h. */
static struct request_key key_of(const struct firsts *f, const struct packet *pk)
{
	size_t n = pk->ip.version == 6 ? 16 : 4;
	uint64_t ends[5] = { 0 };

	memcpy(&ends[0], pk->ip.src.b, n);
	memcpy(&ends[2], pk->ip.dst.b, n);
	ends[4] = (uint64_t)pk->ip.version << 16 | (pk->vlans ? pk->vlan[0] : 0xffff);
	return (struct request_key){ .conversation = hash_words(&f->seed, ends, 5),
				     .id = (uint64_t)pk->ip.proto << 32 | pk->frag_id };
}

/* The oldest, if it is older than that. */
static bool tell(struct firsts *f, uint64_t before_ns, struct emit *e)
{
	struct request_key k;
	uint64_t time_ns;
	const struct record_kept *kept = pairs_expire(f->waiting, before_ns, &k, &time_ns);

	if (!kept)
		return false;
	record_again(&f->record, kept);
	pairs_put(f->told, &k, time_ns, 0);
	emit_record(e, &f->record.r);
	return true;
}

void firsts_keep(struct firsts *f, const struct packet *pk, const struct record *r, struct emit *e)
{
	struct request_key k = key_of(f, pk);
	struct record_kept *kept;

	if (pairs_count(f->waiting) == FIRSTS_MAX)
		tell(f, UINT64_MAX, e);
	kept = pairs_put(f->waiting, &k, r->time_ns, UINT64_MAX);
	if (kept)
		record_keep(kept, r, NULL);
}

const struct record *firsts_show(struct firsts *f, const struct record *r)
{
	record_keep(&f->shown, r, NULL);
	record_again(&f->record, &f->shown);
	f->record.r.rest_len = r->rest_len;
	return &f->record.r;
}

bool firsts_drop(struct firsts *f, const struct packet *pk)
{
	struct request_key k = key_of(f, pk);
	uint64_t time_ns;

	if (pairs_count(f->waiting))
		pairs_take(f->waiting, &k, &time_ns);
	return pairs_count(f->told) && pairs_take(f->told, &k, &time_ns);
}

void firsts_tick(struct firsts *f, uint64_t now_ns, struct emit *e)
{
	uint64_t clock_ns = pairs_pass(f->waiting, now_ns), time_ns;
	struct request_key k;

	while (clock_ns > FIRSTS_WAIT_NS && !e->rc && tell(f, clock_ns - FIRSTS_WAIT_NS, e))
		;
	while (clock_ns > FRAGMENT_AGE6_NS && pairs_expire(f->told, clock_ns - FRAGMENT_AGE6_NS, &k, &time_ns))
		;
}

void firsts_finish(struct firsts *f, struct emit *e)
{
	while (!e->rc && tell(f, UINT64_MAX, e))
		;
}
