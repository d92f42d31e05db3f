// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/line.h"
#include "decode/packet.h"
#include "util/unwritten.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/*
 * The input is a link type (two bytes), then frames: two bytes of length, the
 * captured part of that length.  Each is walked, recorded and printed, with the
 * state of those before it.
 */
static void one(struct packet_state *st, struct line_state *ls, struct buf *b, const struct frame *f)
{
	struct packet pk;
	struct record r;
	uint32_t i, sum = 0;

	packet_walk(st, &pk, f);
	/* What the packet borrows must be readable, and written by somebody. */
	check_written(pk.l4, pk.l4 ? pk.l4_cap : 0);
	check_written(pk.payload, pk.payload ? pk.payload_cap : 0);
	check_written(pk.l3, pk.l3 ? pk.l3_cap : 0);
	for (i = 0; pk.l4 && i < pk.l4_cap; i++)
		sum += pk.l4[i];
	for (i = 0; pk.payload && i < pk.payload_cap; i++)
		sum += pk.payload[i];
	for (i = 0; pk.l3 && i < pk.l3_cap; i++)
		sum += pk.l3[i];
	for (i = 0; i < 6 && pk.smac && pk.dmac; i++)
		sum += pk.smac[i] + pk.dmac[i] + pk.inner_smac[i];
	*(volatile uint32_t *)&sum;
	packet_record(&pk, &r, &packet_dataset);
	b->n = 0;
	line_print(ls, &r, b);
	for (i = 0; i < b->n; i++)
		if ((uint8_t)b->p[i] < 0x20 || (uint8_t)b->p[i] > 0x7e)
			abort();
}

/* Made once: opening costs more than a walk.  Between inputs enough time passes to empty them. */
static struct packet_state *walker;
static struct line_state *liner[8];
static uint64_t now_ns;

static int open_states(void)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct line_options opt = { .verbose = i & 3, .link = i & 4 };

		if (line_open(&liner[i], &opt))
			return -1;
	}
	return packet_open(&walker);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct buf b;
	struct frame f = { .number = 0 };
	struct line_state *ls;
	size_t len;

	if (n < 4 || (!walker && open_states()))
		return 0;
	now_ns += 6000000000u;
	f.time_ns = now_ns;
	f.link = (uint16_t)((p[0] | p[1] << 8) % 300);
	ls = liner[p[1] >> 5];
	p += 2;
	n -= 2;
	while (n >= 2) {
		uint8_t *copy;

		len = (size_t)p[0] << 8 | p[1];
		p += 2;
		n -= 2;
		f.len = (uint32_t)len;
		if (len > n)
			len = n;
		copy = malloc(len ? len : 1);
		if (!copy)
			break;
		memcpy(copy, p, len);
		f.data = copy;
		f.cap_len = (uint32_t)len;
		f.number++;
		one(walker, ls, &b, &f);
		free(copy);
		p += len;
		n -= len;
	}
	return 0;
}
