// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/walk.h"

enum { FC_TO_DS = 1, FC_FROM_DS = 2, FC_PROTECTED = 0x40, FC_ORDER = 0x80, QOS_AMSDU = 0x80 };

/* IEEE 802.11, 9.3.2.1: where sender and receiver stand depends on the DS bits. */
static void note_addresses(struct walk *w, const uint8_t *h, uint8_t flags)
{
	bool to = flags & FC_TO_DS, from = flags & FC_FROM_DS;

	if (w->pk->smac || w->pk->dmac)
		return;
	w->pk->dmac = to ? h + 16 : h + 4;
	w->pk->smac = to && from ? h + 24 : from ? h + 16 : h + 10;
	w->pk->inner_dmac = w->pk->dmac;
	w->pk->inner_smac = w->pk->smac;
}

/* IEEE 802.11, 9.2.3.  Only data frames that are not encrypted hold packets: an LLC header follows. */
void wifi_frame(struct walk *w)
{
	const uint8_t *h = w->p;
	bool is_qos, is_amsdu;
	uint32_t n = 24;

	if (!walk_has(w, 2))
		return;
	if ((h[0] & 0x0f) != 0x08) {		/* management, control: not for us */
		walk_stop(w, NULL);
		return;
	}
	is_qos = h[0] & 0x80;
	if ((h[1] & 3) == 3)
		n += 6;
	if (!walk_has(w, n + (is_qos ? 2 : 0)))
		return;
	note_addresses(w, h, h[1]);
	is_amsdu = is_qos && h[n] & QOS_AMSDU;
	n += is_qos ? 2 : 0;
	n += is_qos && h[1] & FC_ORDER ? 4 : 0;
	if (h[1] & FC_PROTECTED || h[0] & 0x40) {	/* encrypted; a null frame has no body */
		walk_stop(w, NULL);
		return;
	}
	/* The first frame of an aggregate: two addresses and a length before its LLC header. */
	if (!walk_take(w, n + (is_amsdu ? 14 : 0)))
		return;
	walk_goto(w, LAYER_LLC, 0);
}

/*
 * radiotap.org: version, length, presence words.  The flags field, if there, is the
 * first after the time stamp; its bit 0x20 says that the 802.11 header is padded to
 * a multiple of four.
 */
static bool is_padded(const uint8_t *h, uint32_t n)
{
	uint32_t at = 4, present = le32(h + 4);

	do {
		at += 4;
	} while (le32(h + at - 4) & 0x80000000u && at + 4 <= n);
	if (present & 1)
		at = ((at + 7) & ~7u) + 8;
	return present & 2 && at < n && h[at] & 0x20;
}

void wifi_radiotap(struct walk *w)
{
	const uint8_t *h = w->p;
	bool padded;
	uint32_t n;

	if (!walk_has(w, 8))
		return;
	n = le16(h + 2);
	if (h[0] || n < 8) {
		walk_stop(w, h[0] ? "bad-version" : "bad-length");
		return;
	}
	if (!walk_take(w, n))
		return;
	padded = is_padded(h, n);
	wifi_frame(w);
	if (padded && w->next == LAYER_LLC) {
		n = (uint32_t)(w->p - h) - n;
		walk_take(w, -n & 3);
	}
}

/* AVS: magic, then the length of the header. */
void wifi_avs(struct walk *w)
{
	const uint8_t *h = w->p;

	if (walk_has(w, 8) && walk_take(w, be32(h + 4)))
		wifi_frame(w);
}

/* Prism: 144 bytes; some drivers put an AVS header there instead. */
void wifi_prism(struct walk *w)
{
	if (!walk_has(w, 4))
		return;
	if ((be32(w->p) & 0xfffff000) == 0x80211000)
		wifi_avs(w);
	else if (walk_take(w, 144))
		wifi_frame(w);
}
