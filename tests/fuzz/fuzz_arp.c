// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as an ARP message. */
#include "fuzz_help.h"

#include "decode/protocol.h"

extern const struct protocol arp_protocol;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f = { .link = 1, .number = 1, .time_ns = 1 };
	struct packet pk = { .frame = &f, .is_arp = true };
	uint64_t sum = 0;
	struct emit e = { .fn = touch_record, .ctx = &sum, .kinds = UINT32_MAX };
	struct call call = { .pk = &pk, .e = &e };
	uint8_t *copy = exact(data, size);

	pk.l3 = copy;
	pk.l3_cap = (uint32_t)size;
	arp_protocol.packet(&call);
	free(copy);
	return 0;
}
