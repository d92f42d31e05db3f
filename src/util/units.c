// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/units.h"

#include <stdio.h>

void text_count(char out[8], uint64_t n)
{
	static const char units[] = "kMGTPE";
	double v = (double)n;
	int u = -1;

	while (v >= 999.5 && units[u + 1]) {
		v /= 1000;
		u++;
	}
	if (u < 0)
		snprintf(out, 8, "%u", (unsigned int)n);
	else
		snprintf(out, 8, v < 9.95 ? "%.1f%c" : "%.0f%c", v, units[u]);
}

void text_share(char out[8], uint64_t n, uint64_t m)
{
	double share = m ? (double)n * 100 / (double)m : 0;

	if (n && share < 1)
		snprintf(out, 8, "<1 %%");
	else if (n < m && share >= 99.5)
		snprintf(out, 8, ">99 %%");
	else
		snprintf(out, 8, "%.0f %%", share < 100 ? share : 100);
}
