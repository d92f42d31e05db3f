// SPDX-License-Identifier: GPL-2.0-or-later
/* Any octets as an ARP message. */
#include "fuzz_help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f = { .link = 1, .number = 1, .time_ns = 1 };
	struct packet pk = { .frame = &f, .is_arp = true };
	uint64_t sum = 0;
	struct emit e = { .fn = touch_record, .ctx = &sum, .kinds = UINT32_MAX };
	uint8_t *copy = exact(data, size);

	pk.l3 = copy;
	pk.l3_cap = (uint32_t)size;
	arp_decode(&pk, &e);
	free(copy);
	return 0;
}
