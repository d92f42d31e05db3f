// SPDX-License-Identifier: GPL-2.0-or-later
/* All applications at once: who takes what from whom. */
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 80, 6379, 9092, 5678 };

	return fuzz_app(data, size, 0, ports);
}
