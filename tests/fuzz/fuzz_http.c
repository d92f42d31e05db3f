// SPDX-License-Identifier: GPL-2.0-or-later
/* HTTP/1 on its ports and others. */
#include "decode/http/fields.h"
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 80, 8080, 1234, 5678 };

	return fuzz_app(data, size, dataset_bit(&http_dataset), ports);
}
