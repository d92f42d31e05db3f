// SPDX-License-Identifier: GPL-2.0-or-later
/* TLS, QUIC and DTLS. */
#include "decode/tls/fields.h"
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 443, 4433, 1234, 5678 };

	return fuzz_app(data, size, dataset_bit(&tls_dataset), ports);
}
