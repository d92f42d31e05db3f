// SPDX-License-Identifier: GPL-2.0-or-later
/* Redis on its ports and others. */
#include "decode/redis/fields.h"
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 6379, 7000, 1234, 5678 };

	return fuzz_app(data, size, dataset_bit(&redis_dataset), ports);
}
