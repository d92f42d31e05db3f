// SPDX-License-Identifier: GPL-2.0-or-later
/* HTTP/2 from its preface, by an upgrade, and joined late. */
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 80, 8080, 50051, 5678 };

	return fuzz_app(data, size, 1u << REC_HTTP2 | 1u << REC_HTTP, ports);
}
