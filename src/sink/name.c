// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink/name.h"

#include <stdio.h>
#include <string.h>

static void make_name(char *out, size_t size, const char *field, const char *const *fronts, const char *behind)
{
	size_t n, tail = strlen(behind);

	for (; *fronts; fronts++) {
		n = strlen(*fronts);
		if (strncmp(field, *fronts, n))
			continue;
		field += n;
		break;
	}
	n = strlen(field);
	if (n > tail && !strcmp(field + n - tail, behind))
		n -= tail;
	snprintf(out, size, "%.*s", (int)n, field);
	for (; *out; out++)
		if (*out == '.')
			*out = '_';
}

void name_metric(char *out, size_t size, const char *field)
{
	static const char *const fronts[] = { "stats.", NULL };

	make_name(out, size, field, fronts, ".count");
}

void name_label(char *out, size_t size, const char *field)
{
	static const char *const fronts[] = { "network.", "server.", "device.", "lost.", "link.", NULL };

	make_name(out, size, field, fronts, ".ip");
}
