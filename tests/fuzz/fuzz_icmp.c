// SPDX-License-Identifier: GPL-2.0-or-later
/* Any octets as an ICMP or ICMPv6 message; the first octet says which and from whom. */
#include "fuzz_help.h"

#include "decode/conv/conv.h"

extern const struct protocol icmp_protocol;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct protocol *const rows[] = { &icmp_protocol, NULL };
	static struct conv *conv;
	static uint64_t now_ns;
	struct decode_options opt = { .seed = 1, .protocols = rows };
	struct frame f = { .link = 1, .number = 1 };
	struct packet pk = { .frame = &f };
	uint64_t sum = 0;
	struct emit e = { .fn = touch_record, .ctx = &sum, .kinds = UINT32_MAX };
	uint8_t *copy, how, family;

	if (!size)
		return 0;
	if (!conv && conv_open(&conv, &opt))
		abort();
	how = data[0];
	family = how & 1 ? 6 : 4;
	copy = exact(data + 1, size - 1);
	f.time_ns = now_ns += 1000;
	pk.ip = (struct ip_layer){ .src = { family, { how & 2 ? 2 : 1 } },
				   .dst = { family, { how & 2 ? 1 : 2 } },
				   .version = family,
				   .proto = how & 4 ? 58 : 1 };
	pk.l4 = copy;
	pk.l4_cap = (uint32_t)size - 1;
	pk.l4_len = pk.l4_cap + (how >> 3);
	conv_packet(conv, &pk, &e);
	free(copy);
	return 0;
}
