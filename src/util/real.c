// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned int real_text(char *o, double v)
{
	char text[REAL_TEXT_MAX];
	int n = 0;

	/* 17 digits tell any two doubles apart; most need 15. */
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	memcpy(o, text, (size_t)n);
	return (unsigned int)n;
}
