// SPDX-License-Identifier: GPL-2.0-or-later
/* FIRST-LAST, of either family: the fewest prefixes that make it up, at most twice as many as an address has bits. */
#include "rules/rule.h"

#include <errno.h>
#include <string.h>

static unsigned int bits_of(uint8_t kind)
{
	return kind == NP_KIND_V4 ? 32 : 128;
}

static unsigned __int128 number_of(const struct np_rule *rule)
{
	unsigned __int128 n = 0;

	for (unsigned int i = 0; i < bits_of(rule->kind) / 8; i++)
		n = n << 8 | rule->addr[i];
	return n;
}

/* How many addresses besides the first there are in a prefix that leaves so many bits open. */
static unsigned __int128 others(unsigned int open)
{
	return open >= 128 ? ~(unsigned __int128)0 : ((unsigned __int128)1 << open) - 1;
}

static bool is_address(struct np_rule *rule, const char *text, size_t n)
{
	return rule_target(rule, text, n) && rule->kind != NP_KIND_MAC && rule->plen == bits_of(rule->kind);
}

int range_parse(struct range *g, const char *text, size_t n)
{
	const char *dash = memchr(text, '-', n);
	struct np_rule first = { 0 }, last = { 0 };

	if (!dash || !is_address(&first, text, (size_t)(dash - text)) ||
	    !is_address(&last, dash + 1, n - (size_t)(dash - text) - 1) || first.kind != last.kind)
		return 0;
	*g = (struct range){ .kind = first.kind, .first = number_of(&first), .last = number_of(&last) };
	return g->first > g->last ? -EINVAL : 1;
}

bool range_begins(const char *text, size_t n)
{
	const char *dash = memchr(text, '-', n);
	struct np_rule first = { 0 };

	return dash && is_address(&first, text, (size_t)(dash - text));
}

bool range_next(struct range *g, struct np_rule *rule)
{
	unsigned int all = bits_of(g->kind), open = 0;

	if (g->done)
		return false;
	while (open < all && !(g->first & others(open + 1)) && others(open + 1) <= g->last - g->first)
		open++;
	rule->kind = g->kind;
	rule->plen = (uint8_t)(all - open);
	memset(rule->addr, 0, sizeof(rule->addr));
	for (unsigned int i = 0; i < all / 8; i++)
		rule->addr[i] = (uint8_t)(g->first >> (all - 8 - 8 * i));
	/* Behind the last address there is none to go on from. */
	g->done = g->last - g->first == others(open);
	g->first += others(open) + 1;
	return true;
}
