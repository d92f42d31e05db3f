// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as an expression; what compiles judges records with every kind of field. */
#include "fuzz_help.h"

#include "decode/dns/fields.h"
#include "decode/http/fields.h"
#include "util/err.h"
#include "where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str headers[] = { { "a: b", 4 }, { "", 0 } };
	static const uint16_t vlans[] = { 1, 4095 };
	struct dns_answer answer = { .present = 1 | 8 | 16, .name = { "x.example", 9 }, .ttl = 60,
				     .data = { "192.0.2.1", 9 } };
	struct where *w = NULL;
	char text[WHERE_TEXT_MAX + 8];
	struct record r;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	err_quiet(1);
	if (where_compile(&w, text))
		return 0;
	for (unsigned int i = 0; i < n_datasets; i++) {
		memset(&r, 0, sizeof(r));
		record_start(&r, datasets[i]);
		r.src = (struct addr){ 6, { 0x20, 1, 0xd } };
		r.vlan = (struct list){ vlans, 2 };
		r.duration_ns = UINT64_MAX;
		record_mark(&r, FIELD_SRC_IP);
		record_mark(&r, FIELD_VLAN);
		record_mark(&r, FIELD_DURATION);
		if (datasets[i] == &http2_dataset) {
			http_of(&r)->headers = (struct list){ headers, 2 };
			record_mark(&r, FIELD_HTTP2_HEADERS);
		}
		if (datasets[i] == &dns_dataset) {
			dns_of(&r)->answers = (struct list){ &answer, 1 };
			record_mark(&r, FIELD_DNS_ANSWERS);
		}
		where_match(w, &r);
	}
	where_free(w);
	return 0;
}
