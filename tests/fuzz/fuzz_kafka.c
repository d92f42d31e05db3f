// SPDX-License-Identifier: GPL-2.0-or-later
/* Kafka on its ports and others. */
#include "decode/kafka/fields.h"
#include "fuzz_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[4] = { 9092, 9093, 1234, 5678 };

	return fuzz_app(data, size, dataset_bit(&kafka_dataset), ports);
}
