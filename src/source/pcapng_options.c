// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/pcapng_options.h"

#include "source/capfile.h"
#include "util/bytes.h"

/* draft-ietf-opsawg-pcapng, 3.5 and 4: options whose length their kind fixes. */
static const struct {
	uint32_t block;
	uint16_t code, min, max;
} lengths[] = {
	{ BLOCK_INTERFACE, 4, 8, 8 },			/* if_IPv4addr */
	{ BLOCK_INTERFACE, 5, 17, 17 },			/* if_IPv6addr */
	{ BLOCK_INTERFACE, 6, 6, 6 },			/* if_MACaddr */
	{ BLOCK_INTERFACE, 7, 8, 8 },			/* if_EUIaddr */
	{ BLOCK_INTERFACE, 8, 8, 8 },			/* if_speed */
	{ BLOCK_INTERFACE, IF_TSRESOL, 1, 1 },
	{ BLOCK_INTERFACE, 10, 4, 4 },			/* if_tzone */
	{ BLOCK_INTERFACE, 11, 1, UINT16_MAX },		/* if_filter */
	{ BLOCK_INTERFACE, 13, 1, 1 },			/* if_fcslen */
	{ BLOCK_INTERFACE, IF_TSOFFSET, 8, 8 },
	{ BLOCK_INTERFACE, 16, 8, 8 },			/* if_txspeed */
	{ BLOCK_INTERFACE, 17, 8, 8 },			/* if_rxspeed */
	{ BLOCK_ENHANCED, EPB_FLAGS, 4, 4 },
	{ BLOCK_ENHANCED, 3, 1, UINT16_MAX },		/* epb_hash */
	{ BLOCK_ENHANCED, EPB_DROPCOUNT, 8, 8 },
	{ BLOCK_ENHANCED, 5, 8, 8 },			/* epb_packetid */
	{ BLOCK_ENHANCED, 6, 4, 4 },			/* epb_queue */
	{ BLOCK_ENHANCED, EPB_VERDICT, 1, UINT16_MAX },
	{ BLOCK_PACKET, EPB_FLAGS, 4, 4 },		/* pack_flags */
	{ BLOCK_PACKET, 3, 1, UINT16_MAX },		/* pack_hash */
	{ BLOCK_NAMES, 3, 4, 4 },			/* the name server, IPv4 */
	{ BLOCK_NAMES, 4, 16, 16 },			/* the same, IPv6 */
	{ BLOCK_STATISTICS, 2, 8, 8 },			/* isb_starttime, isb_endtime, isb_ifrecv */
	{ BLOCK_STATISTICS, 3, 8, 8 },
	{ BLOCK_STATISTICS, 4, 8, 8 },
	{ BLOCK_STATISTICS, ISB_IFDROP, 8, 8 },
	{ BLOCK_STATISTICS, 6, 8, 8 },			/* isb_filteraccept, isb_osdrop, isb_usrdeliv */
	{ BLOCK_STATISTICS, ISB_OSDROP, 8, 8 },
	{ BLOCK_STATISTICS, 8, 8, 8 },
};

static bool length_fits(uint32_t block, uint16_t code, uint16_t len)
{
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (lengths[i].block == block && lengths[i].code == code)
			return len >= lengths[i].min && len <= lengths[i].max;
	return true;
}

/* 1: there is one, in code and len; 0: the end; -1: it claims more than there is. */
static int option_step(struct options *o)
{
	size_t left = (size_t)(o->end - o->p), padded;

	if (left < 4)
		return 0;
	o->code = u16_of(o->p, o->big);
	o->len = u16_of(o->p + 2, o->big);
	if (o->code == OPT_END)
		return 0;
	padded = 4 + (((size_t)o->len + 3) & ~(size_t)3);
	if (padded > left)
		return -1;
	o->value = o->p + 4;
	o->p += padded;
	return 1;
}

bool option_next(struct options *o)
{
	return option_step(o) > 0;
}

bool options_sound(uint32_t block, const struct options *list, struct options *at)
{
	int rc;

	*at = *list;
	while ((rc = option_step(at)) > 0)	/* each turn takes four bytes or more */
		if (!length_fits(block, at->code, at->len))
			return false;
	return !rc;
}

uint64_t option_u64(const struct options *o)
{
	return u64_of(o->value, o->big);
}

/* Records of type, length, value, padded, up to one of type 0. */
static const uint8_t *behind_names(const uint8_t *p, const uint8_t *end, bool big)
{
	size_t n;

	while (end - p >= 4) {			/* each turn takes four bytes or more */
		n = 4 + ((u16_of(p + 2, big) + 3u) & ~3u);
		if (!u16_of(p, big))
			return p + 4;
		if (n > (size_t)(end - p))
			return NULL;
		p += n;
	}
	return end;
}

const uint8_t *options_behind(uint32_t block, const uint8_t *body, const uint8_t *end, bool big)
{
	uint64_t n;

	if (block == BLOCK_NAMES)
		return behind_names(body, end, big);
	if (block != BLOCK_SECRETS || end - body < 8)
		return block == BLOCK_SECRETS ? NULL : end;
	n = 8 + (((uint64_t)u32_of(body + 4, big) + 3) & ~3ull);
	return n > (uint64_t)(end - body) ? NULL : body + n;
}
