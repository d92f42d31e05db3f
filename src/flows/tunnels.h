/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FLOWS_TUNNELS_H
#define NETPROBE_FLOWS_TUNNELS_H

#include <stdint.h>

/*
 * Lists of encapsulations, so that a flow's key has one byte for them.  Names are
 * static strings.  Lists beyond TUNNELS_MAX share the last number: their flows may
 * fall together.  Number 0 is the empty list.
 */
enum { TUNNELS_MAX = 255, TUNNEL_NAMES_MAX = 8 };

struct tunnel_list {
	const char *name[TUNNEL_NAMES_MAX];
	uint8_t n;
};

struct tunnels {
	struct tunnel_list v[TUNNELS_MAX + 1];
	unsigned int n;
};

uint8_t tunnels_number(struct tunnels *t, const char *const *names, unsigned int n);

#endif
