// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers/linktype.h"

#include <pcap/dlt.h>

static const struct {
	uint16_t link;
	int dlt;
} others[] = {
	{ LINK_ATM_RFC1483, DLT_ATM_RFC1483 }, { LINK_RAW, DLT_RAW }, { LINK_SLIP_BSDOS, DLT_SLIP_BSDOS },
	{ LINK_PPP_BSDOS, DLT_PPP_BSDOS }, { LINK_ATM_CLIP, DLT_ATM_CLIP }, { LINK_PFSYNC, DLT_PFSYNC },
};
enum { OTHERS = sizeof(others) / sizeof(others[0]) };

int linktype_dlt(uint16_t link)
{
	for (unsigned int i = 0; i < OTHERS; i++)
		if (others[i].link == link)
			return others[i].dlt;
	return link;
}

uint16_t linktype_of_dlt(int dlt)
{
	for (unsigned int i = 0; i < OTHERS; i++)
		if (others[i].dlt == dlt)
			return others[i].link;
	return (uint16_t)dlt;
}

uint16_t linktype_of_file(uint16_t number)
{
	return number == LINK_OLD_RAW || number == LINK_OPENBSD_RAW ? LINK_RAW : number;
}
