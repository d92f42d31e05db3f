// SPDX-License-Identifier: GPL-2.0-or-later
/* For how long: 10m, 1h30m, 9m59s. */
#include "rules/span.h"

#include <errno.h>
#include <string.h>

static const struct {
	char unit;
	uint32_t s;
} units[] = {
	{ 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 },
};

enum { UNITS = sizeof(units) / sizeof(units[0]), DIGITS = 9 };

static uint64_t number(const char **p)
{
	uint64_t v = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		v = v * 10 + (uint64_t)(**p - '0');
	return v;
}

/* Units from the large to the small, each once; a number alone is seconds. */
int span_read(const char *word, uint64_t *seconds)
{
	bool alone = !word[strspn(word, "0123456789")];
	int u = alone ? UNITS - 1 : 0;
	uint64_t sum = 0;

	do {
		size_t n = strspn(word, "0123456789");
		uint64_t v;

		if (!n || n > DIGITS)
			return -EINVAL;
		v = number(&word);
		while (*word && u < UNITS && units[u].unit != *word)
			u++;
		if (u == UNITS || (!*word && !alone))
			return -EINVAL;
		sum += v * units[u++].s;
		word += *word != '\0';
	} while (*word);
	*seconds = sum;
	return 0;
}

static void put(struct buf *b, uint64_t n, char unit)
{
	if (n)
		buf_fmt(b, "%llu%c", (unsigned long long)n, unit);
}

void span_print(struct buf *b, uint64_t seconds)
{
	put(b, seconds / 86400, 'd');
	put(b, seconds / 3600 % 24, 'h');
	put(b, seconds / 60 % 60, 'm');
	if (seconds % 60 || !seconds)
		buf_fmt(b, "%us", (unsigned int)(seconds % 60));
}
