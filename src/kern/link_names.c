// SPDX-License-Identifier: GPL-2.0-or-later
/* Which interfaces the words of the command line mean. */
#include <fnmatch.h>
#include <string.h>

#include "kern/link.h"

bool link_is_glob(const char *word)
{
	return !strcmp(word, "any") || strpbrk(word, "*?[\\");
}

/* An interface whose name is a glob's text is asked for by that name. */
static bool is_named(const struct link_info *l, const char *word)
{
	struct link_info named;

	if (!strcmp(word, l->name))
		return strcmp(word, "any") != 0;
	return !link_is_glob(word) && !link_get(word, 0, &named) && named.ifindex == l->ifindex;
}

bool link_wanted(const struct link_info *l, const char *const *words, unsigned int n, bool *named)
{
	bool fits = !n;

	*named = false;
	for (unsigned int i = 0; i < n && !*named; i++) {
		*named = is_named(l, words[i]);
		fits |= *named || (link_is_glob(words[i]) &&
				   (!strcmp(words[i], "any") || !fnmatch(words[i], l->name, 0)));
	}
	return fits;
}
