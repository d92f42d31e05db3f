// SPDX-License-Identifier: GPL-2.0-or-later
/* What watch says at the end, and on SIGUSR1: tcpdump's three lines and the ledger. */
#include <string.h>

#include "cmd/watch.h"
#include "util/err.h"

typedef unsigned long long ull;

/* What the output has, lost records and all; not what was meant for it. */
static void tell_written(const struct out *o, bool named)
{
	note("        %llu records written%s%s, %llu not delivered", (ull)o->written, named ? " to " : "",
	     named ? o->name : "", (ull)o->lost);
}

/*
 * Conservation: every packet that reached a hook is in exactly one place.
 *   seen    = filtered + sampled + emitted + lost
 *   emitted = read + still in the ring
 */
void watch_ledger(struct watch *w)
{
	struct decode_counts d = { 0 };
	struct source_counts c;
	uint64_t lost, waiting, decoded;
	bool balanced;

	w->source->ops->counts(w->source, &c);
	if (w->pipe.decode)
		decode_counts(w->pipe.decode, &d);
	lost = c.lost_ring + c.lost_map + c.lost_other;
	waiting = c.emitted - c.read;
	decoded = w->pipe.frames - w->pipe.filtered;
	balanced = c.seen == c.filtered + c.sampled + c.emitted + lost && c.emitted >= c.read;
	note("ledger: %llu seen = %llu filtered + %llu sampled + %llu emitted + %llu lost%s", (ull)c.seen,
	     (ull)c.filtered, (ull)c.sampled, (ull)c.emitted, (ull)lost,
	     balanced ? "" : " (DOES NOT BALANCE)");
	note("        %llu emitted = %llu read + %llu waiting; %llu cut at the snap length", (ull)c.emitted,
	     (ull)c.read, (ull)waiting, (ull)c.truncated);
	note("        %llu read = %llu refused here + %llu decoded (%llu not to the end, %llu malformed)",
	     (ull)c.read, (ull)w->pipe.filtered, (ull)decoded, (ull)d.undecoded, (ull)d.malformed);
	for (unsigned int i = 0; i < w->n_outs; i++)
		tell_written(w->outs[i], w->n_outs > 1);
	if (w->where)
		note("        %llu records left out by --where", (ull)w->pipe.refused);
}

uint64_t watch_lost(const struct watch *w)
{
	struct source_counts c = { 0 };
	uint64_t lost = w->pipe.lost;

	for (unsigned int i = 0; i < w->n_outs; i++)
		lost += w->outs[i]->lost;
	if (w->source && w->o->read && !w->source->ops->counts(w->source, &c))
		lost += c.lost_other;
	return lost;
}

void watch_trailer(struct watch *w, bool live)
{
	struct source_counts c;
	uint64_t lost, captured, received;

	w->source->ops->counts(w->source, &c);
	lost = c.lost_ring + c.lost_map;
	captured = c.read - w->pipe.filtered;
	received = c.emitted + lost;
	note("%llu packet%s captured", (ull)captured, captured == 1 ? "" : "s");
	note("%llu packet%s received by filter", (ull)received, received == 1 ? "" : "s");
	note("%llu packet%s dropped by kernel", (ull)lost, lost == 1 ? "" : "s");
	if (c.lost_other)
		note("%llu packets dropped by interface or queue", (ull)c.lost_other);
	if (live || w->g->verbose)
		watch_ledger(w);
}

void watch_tell_left_out(const struct watch *w)
{
	ull n = w->pipe.unfiltered_links;

	if (n)
		warn("%llu packet%s left out: the filter means nothing for %s link type", n, n == 1 ? "" : "s",
		     n == 1 ? "its" : "their");
	n = w->pipe.undirected;
	if (n)
		warn("%llu packet%s of unknown direction, which -Q lets pass", n, n == 1 ? "" : "s");
}
