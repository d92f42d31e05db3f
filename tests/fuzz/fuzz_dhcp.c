// SPDX-License-Identifier: GPL-2.0-or-later
/* DHCP and DHCPv6. */
#include "decode/dhcp/fields.h"
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 67, 68, 546, 547 };

	return fuzz_app(data, size, dataset_bit(&dhcp_dataset), ports);
}
