// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/protocol.h"

#include <stdio.h>
#include <string.h>

#include "decode/conv/requests.h"
#include "numbers/ipproto.h"

const struct protocol *protocol_find(const char *name, size_t n)
{
	for (const struct protocol *const *p = protocols; *p; p++)
		if (strlen((*p)->name) == n && !memcmp((*p)->name, name, n))
			return *p;
	return NULL;
}

bool protocol_gives(const struct protocol *p, uint64_t sets)
{
	return sets & dataset_bit(p->set) || (p->beside && sets & dataset_bit(p->beside));
}

const char *protocol_names(void)
{
	static char names[16 * PROTOCOLS_MAX];
	size_t n = 0;

	for (const struct protocol *const *p = protocols; *p && n < sizeof(names); p++)
		if ((*p)->take || (*p)->datagram)
			n += (size_t)snprintf(names + n, sizeof(names) - n, n ? ", %s" : "%s", (*p)->name);
	return names;
}

static void set_port(uint8_t bits[8192], uint16_t port)
{
	bits[port / 8] |= (uint8_t)(1u << port % 8);
}

void protocol_tcp_ports(uint64_t sets, const struct decode_as *as, uint32_t n_as, uint8_t bits[8192])
{
	memset(bits, 0, 8192);
	for (const struct protocol *const *p = protocols; *p; p++) {
		const uint16_t *ports = (*p)->heads_tell ? (*p)->behind_ports : (*p)->tcp_ports;

		if (!protocol_gives(*p, sets))
			continue;
		for (unsigned int k = 0; k < PROTOCOL_PORTS && ports[k]; k++)
			set_port(bits, ports[k]);
	}
	for (uint32_t i = 0; i < n_as; i++)
		if (as[i].proto == PROTO_TCP)
			set_port(bits, as[i].port);
}

void call_record(const struct call *c, struct record *r, const struct dataset *set)
{
	packet_record(c->pk, r, set);
	if (!c->e->packet)
		return;
	packet_record(c->pk, c->e->packet, &packet_dataset);
	r->packet = c->e->packet;
}

static const char *mistake_of(const struct protocol *p)
{
	if (!p->name || !p->set)
		return "has no name or no dataset";
	if (!p->set->line)
		return "has no line of text";
	if (!p->guess != !p->take)
		return "guesses without taking, or the other way round";
	if (!p->packet && !p->datagram && !p->take)
		return "takes nothing";
	if ((p->tcp_ports[0] && !p->take) || (p->udp_ports[0] && !p->datagram))
		return "has ports of a transport it does not read";
	if (p->first && !p->datagram)
		return "reads first fragments, but no datagrams";
	if (p->requests && !p->requests->timeout_ns)
		return "has requests that wait for no time";
	return NULL;
}

const char *protocol_mistake(const struct protocol *const *rows)
{
	static char text[128];
	const char *why;
	unsigned int n;

	for (n = 0; rows[n]; n++) {
		why = n < PROTOCOLS_MAX ? mistake_of(rows[n]) : "is one too many";
		for (unsigned int i = 0; i < n && !why; i++)
			if (!strcmp(rows[i]->name, rows[n]->name))
				why = "is there twice";
		if (!why)
			continue;
		snprintf(text, sizeof(text), "%s %s", rows[n]->name ? rows[n]->name : "a protocol", why);
		return text;
	}
	return NULL;
}
