// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy watch: connections that wait until it is known whose their addresses were.  Between a change of the node's
 * files and our reading of them an address may have another pod.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/policy_watch.h"
#include "util/err.h"

enum { HELD_MAX = 4096 };

/* Nobody waits for longer: for names, for what rules have counted. */
#define HELD_NS UINT64_C(5000000000)

struct held {
	struct verdict_conn c;
	uint64_t since_ns;
	char reason[64], location[128], hook[16];
};

struct holding {
	struct held *v;			/* a ring */
	uint32_t first, n;
};

/* What has been read since tells of who is there still; end_find() of others only where that is sure. */
static bool is_known(const struct policy_watch *w, const struct verdict_conn *c)
{
	uint64_t stirred_ns = feed_stirred(w->feed);

	return !stirred_ns || c->first_ns + NOTICED_NS < stirred_ns || c->first_ns < w->ends.pods_ns;
}

/* Which rule it was is told by what has been read after it. */
static bool has_rules(const struct policy_watch *w, const struct verdict_conn *c)
{
	if (c->what != VERDICT_DROPPED || !c->hook || (strcmp(c->hook, "nft") != 0 && strcmp(c->hook, "iptables") != 0))
		return true;
	return feed_fd(w->feed) < 0 || w->causes.began_ns > (int64_t)c->decided_ns;
}

static const char *copy(char *to, size_t size, const char *text)
{
	if (text)
		snprintf(to, size, "%s", text);
	return text ? to : NULL;
}

/* False: there is no room. */
static bool hold(struct holding *h, const struct verdict_conn *c, uint64_t now_ns)
{
	struct held *to;

	if (!h->v)
		h->v = calloc(HELD_MAX, sizeof(*h->v));
	if (!h->v || h->n == HELD_MAX)
		return false;
	to = &h->v[(h->first + h->n++) % HELD_MAX];
	to->c = *c;
	to->since_ns = now_ns;
	to->c.reason = copy(to->reason, sizeof(to->reason), c->reason);
	to->c.location = copy(to->location, sizeof(to->location), c->location);
	to->c.hook = copy(to->hook, sizeof(to->hook), c->hook);
	return true;
}

/* The oldest, whose ends have names only if these are `known`. */
static int tell_first(struct policy_watch *w, bool known)
{
	struct holding *h = w->holding;
	const struct held *first = &h->v[h->first];
	int err;

	w->ends.unsure = !known;
	err = connection_tell(w, &first->c);
	w->ends.unsure = false;
	h->first = (h->first + 1) % HELD_MAX;
	h->n--;
	return err;
}

int holding_open(struct holding **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : fail(ENOMEM, "policy watch");
}

int holding_release(struct policy_watch *w, uint64_t now_ns, bool all)
{
	struct holding *h = w->holding;
	int err = 0;

	while (!err && h->n) {
		const struct held *first = &h->v[h->first];
		bool known = is_known(w, &first->c);

		if (!(known && has_rules(w, &first->c)) && !all && now_ns < first->since_ns + HELD_NS)
			break;
		err = tell_first(w, known);
	}
	return err;
}

int holding_take(struct policy_watch *w, const struct verdict_conn *c, uint64_t now_ns)
{
	struct holding *h = w->holding;
	int err = 0;

	if (!h->n && is_known(w, c) && has_rules(w, c))
		return connection_tell(w, c);
	if (h->n == HELD_MAX)
		err = tell_first(w, is_known(w, &h->v[h->first].c));
	if (!err && !hold(h, c, now_ns))
		err = fail(ENOMEM, "policy watch");
	return err;
}

uint32_t holding_count(const struct holding *h)
{
	return h->n;
}

void holding_close(struct holding *h)
{
	if (h)
		free(h->v);
	free(h);
}
