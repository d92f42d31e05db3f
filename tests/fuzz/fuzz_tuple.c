// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz_help.h"

#include "tuple_read.h"

/* What holds of any reading: it names no byte that is not there, and each tunnel leads further in. */
static void check(const struct np_tuple *t, size_t cap)
{
	bool is_sound = t->reading < NP_READINGS_N && t->tunnel < NP_TUNNELS_N && !t->zero &&
			(t->proto <= 255 || t->proto == NP_NOT_KNOWN) && (!t->has_tcp || t->proto == 6);

	if (t->tunnel)
		is_sound = is_sound && t->reading == NP_WHOLE && t->inner_off >= t->off && t->inner_off <= cap &&
			   t->inner_off <= t->end && !t->fragment;
	else
		is_sound = is_sound && !t->inner_off && !t->inner_type;
	if (!is_sound)
		abort();
}

/* The first byte: whether there is a link header; how many bytes more there were on the wire.  Then a frame. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct np_tuple t;
	uint64_t before;
	uint32_t cap, len;
	uint8_t *copy;

	if (size < 1)
		return 0;
	copy = exact(data + 1, size - 1);
	cap = (uint32_t)size - 1;
	len = cap + (data[0] >> 1) * 16u;
	if (data[0] & 1)
		tuple_read_l3(&t, copy, cap, len);
	else
		tuple_read(&t, copy, cap, len);
	do {
		check(&t, cap);
		touch(&t, sizeof(t));
		before = t.inner_off;
	} while (tuple_read_inner(&t, copy, cap, len) && (t.off >= before || (abort(), false)));
	free(copy);
	return 0;
}
