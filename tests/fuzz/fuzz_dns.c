// SPDX-License-Identifier: GPL-2.0-or-later
/* DNS over UDP and TCP, on its ports and another. */
#include "decode/dns/fields.h"
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 53, 5353, 5355, 8053 };

	return fuzz_app(data, size, dataset_bit(&dns_dataset), ports);
}
