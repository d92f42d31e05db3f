// SPDX-License-Identifier: GPL-2.0-or-later
#include "flows/tunnels.h"

#include <string.h>

uint8_t tunnels_number(struct tunnels *t, const char *const *names, unsigned int n)
{
	struct tunnel_list *l;

	if (!n)
		return 0;
	if (n > TUNNEL_NAMES_MAX)
		n = TUNNEL_NAMES_MAX;
	for (unsigned int i = 1; i <= t->n; i++)
		if (t->v[i].n == n && !memcmp(t->v[i].name, names, n * sizeof(names[0])))
			return (uint8_t)i;
	if (t->n == TUNNELS_MAX)
		return TUNNELS_MAX;
	l = &t->v[++t->n];
	memcpy(l->name, names, n * sizeof(names[0]));
	l->n = (uint8_t)n;
	return (uint8_t)t->n;
}
