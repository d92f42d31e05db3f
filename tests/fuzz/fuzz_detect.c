// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>

#include "decode/decode.h"
#include "detect/detect.h"
#include "detect/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/*
 * The input is Ethernet frames: a byte of the time since the one before, squared, in
 * milliseconds, two of length, then the bytes.  All rules are on, at limits that little is needed for.
 */
static struct decode *decoder;
static struct detect *detector;
static uint64_t now_ns = 1700000000000000000;

static int alert(void *ctx, const struct record *r)
{
	if (r->set != &alert_dataset || !record_has(r, FIELD_RULE_NAME) || !alert_of(r)->message.n || r->end_ns < r->start_ns)
		abort();
	return 0;
}

static int decoded(void *ctx, const struct record *r)
{
	return detect_record(detector, r, alert, NULL);
}

static int open_all(void)
{
	struct decode_options d = { .mode = DECODE_PACKETS, .seed = 1 };
	struct detect_options o;

	detect_defaults(&o);
	for (int i = 0; i < RULES; i++) {
		o.limits[i].on = true;
		o.limits[i].n = i == RULE_UDP_FLOOD ? 10 : 2;
	}
	o.repeat_ns = 1000000000;
	o.seed = 1;
	return decode_open(&decoder, &d) || detect_open(&detector, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct frame f = { .link = 1 };

	if (!decoder && open_all())
		return 0;
	while (n >= 3) {
		uint8_t *copy;

		now_ns += (uint64_t)p[0] * p[0] * 1000000;
		f.len = (uint32_t)(p[1] << 8 | p[2]);
		p += 3;
		n -= 3;
		f.cap_len = f.len < n ? f.len : (uint32_t)n;
		copy = malloc(f.cap_len ? f.cap_len : 1);
		if (!copy)
			return 0;
		memcpy(copy, p, f.cap_len);
		f.time_ns = now_ns;
		f.number++;
		f.data = copy;
		decode_frame(decoder, &f, decoded, NULL);
		free(copy);
		p += f.cap_len;
		n -= f.cap_len;
	}
	detect_tick(detector, now_ns, alert, NULL);
	detect_finish(detector, alert, NULL);
	return 0;
}
