// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of block, before anything is looked for. */
#include <net/if.h>
#include <string.h>

#include "cmd/block.h"
#include "util/err.h"

/* A word without a dot is rather a keyword that is misspelt. */
bool block_is_name(const char *word)
{
	size_t n;

	word += 2 * !strncmp(word, "*.", 2);
	n = strlen(word);
	return strchr(word, '.') && rule_name_ok(word, n - (word[n - 1] == '.'));
}

static bool is_end(const char *word)
{
	struct np_rule rule = { 0 };

	return strcmp(word, "any") && !strchr(word, '/') && rule_target(&rule, word, strlen(word));
}

/* Between two addresses '-' would be standard input, and both of them entries. */
int block_check_ranges(const struct block_run *b)
{
	for (int i = 1; i + 1 < b->argc; i++)
		if (!strcmp(b->argv[i], "-") && is_end(b->argv[i - 1]) && is_end(b->argv[i + 1]))
			return fail(0, "'%s - %s': a range has no blanks: %s-%s (and '-', a list from standard input, "
				       "goes first or last)", b->argv[i - 1], b->argv[i + 1], b->argv[i - 1],
				    b->argv[i + 1]);
	return 0;
}

/* The same interface named again, by whichever of its names, is one. */
int block_check_interfaces(struct strs *iface)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < iface->n; i++) {
		unsigned int index = if_nametoindex(iface->v[i]);
		bool again = false;

		if (!*iface->v[i])
			return fail(0, "dev '': the name of an interface is empty");
		for (unsigned int k = 0; k < n; k++)
			again = again || !strcmp(iface->v[i], iface->v[k]) ||
				(index && if_nametoindex(iface->v[k]) == index);
		if (!again)
			iface->v[n++] = iface->v[i];
	}
	iface->n = n;
	return 0;
}
