// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/facts.h"

#include <errno.h>
#include <string.h>

/* In front of each fact: its path and bytes follow. */
struct head {
	uint32_t kind, path_len;
	uint64_t n;
	int64_t time_ns;
};

void facts_add(struct facts *f, const struct fact *fact)
{
	const struct head h = { fact->kind, (uint32_t)fact->path_len, fact->n, fact->time_ns };

	f->data.max = FACTS_MAX_BYTES;
	if (f->data.full || !buf_room(&f->data, sizeof(h) + fact->path_len + fact->n)) {
		f->data.full = false;
		f->left_out[fact->kind]++;
		if (!f->err[fact->kind])
			f->err[fact->kind] = -EFBIG;
		return;
	}
	buf_add(&f->data, &h, sizeof(h));
	buf_add(&f->data, fact->path, fact->path_len);
	buf_add(&f->data, fact->bytes, fact->n);
	f->n[fact->kind]++;
}

bool facts_next(const struct facts *f, size_t *at, struct fact *out)
{
	size_t rest = f->data.n - *at;
	struct head h;

	if (rest < sizeof(h))
		return false;
	memcpy(&h, f->data.p + *at, sizeof(h));
	rest -= sizeof(h);
	if (h.kind >= FACT_KINDS || h.path_len > rest || h.n > rest - h.path_len)
		return false;
	*out = (struct fact){
		.kind = h.kind,
		.time_ns = h.time_ns,
		.path = f->data.p + *at + sizeof(h),
		.path_len = h.path_len,
		.bytes = f->data.p + *at + sizeof(h) + h.path_len,
		.n = (size_t)h.n,
	};
	*at += sizeof(h) + h.path_len + (size_t)h.n;
	return true;
}

void facts_free(struct facts *f)
{
	buf_free(&f->data);
}
